/**
 * One connection that sends requests with operations on values and expressions, one after another, and looks at
 * each answer and at its time.
 */
import {
  answersOf,
  batchFrame,
  GET,
  messageFrame,
  type Op,
  unpacked,
  WireClient,
} from '../../test/support/wire-client.js';
import { flawOfAnswer } from './type-fuzz/canonical.js';
import type { RequestSource, TypedRequest } from './type-fuzz/request-source.js';

const ANSWER_MS = 10_000;
const LAST = 1; // info3: no message follows
const TRIES = 5;
const INFO1_AT = 9; // in a frame
const BATCH = 8; // info1
/** From this part of the time allowed on, a request is sent again when no other lane sends: what it takes is its own then. */
const SUSPECT_PART = 0.3;
/** Larger requests may take longer. */
const SMALL_SIZE = 64 * 1024; // bytes

export class TypeLane {
  sentCount = 0;
  answerCount = 0;
  longestMs = 0;
  /** The last request, for a report. */
  last = '';
  /** Requests by the code of their answer. */
  readonly codes = new Map<number, number>();
  readonly #source: RequestSource;
  readonly #port: number;
  readonly #timeMaxMs: number;
  readonly #suspects: { frame: Buffer; request: TypedRequest }[] = [];
  #client: WireClient | null = null;

  constructor(source: RequestSource, port: number, timeMaxMs: number) {
    this.#source = source;
    this.#port = port;
    this.#timeMaxMs = timeMaxMs;
  }

  /** Sends one request and reads its answer. Throws when there is none, or one that is not well formed. */
  async step(): Promise<void> {
    const request = this.#source.next();
    const frame = request.rows === undefined ? messageFrame(request.message) : batchFrame(request.rows);
    this.last = frame.toString('hex');
    const tookMs = await this.#ask(frame, request);
    this.sentCount++;
    if (frame.length < SMALL_SIZE && tookMs > SUSPECT_PART * this.#timeMaxMs)
      this.#suspects.push({ frame, request });
    else this.longestMs = Math.max(this.longestMs, tookMs);
  }

  /** Sends again what took long, now that no other lane sends. Throws when it takes too long, on a record that is not large. */
  async settle(): Promise<void> {
    for (const { frame, request } of this.#suspects.splice(0)) {
      let shortest = Infinity;
      for (let k = 0; k < TRIES; k++) shortest = Math.min(shortest, await this.#ask(frame));
      this.longestMs = Math.max(this.longestMs, shortest);
      if (shortest <= this.#timeMaxMs || (await this.#isLarge(request))) continue;
      this.last = frame.toString('hex');
      throw new Error(`a request of ${frame.length} bytes took ${shortest.toFixed(0)} ms`);
    }
  }

  /** Whether a record of the request has as many bytes as a large request. */
  async #isLarge({ message, rows }: TypedRequest): Promise<boolean> {
    for (const { digest } of rows ?? [message]) {
      const { ops } = await this.#client!.command({ ...GET, digest: digest! });
      if (ops.reduce((sum, { value }) => sum + value.length, 0) >= SMALL_SIZE) return true;
    }
    return false;
  }

  close(): void {
    this.#client?.close();
  }

  /** @returns Milliseconds until the whole answer was there. */
  async #ask(frame: Buffer, request?: TypedRequest): Promise<number> {
    if (this.#client === null || this.#client.isClosed) this.#client = await WireClient.connect(this.#port);
    const client = this.#client;
    const isBatch = (frame[INFO1_AT]! & BATCH) !== 0;
    const before = performance.now();
    client.send(frame);
    for (;;) {
      const answers = answersOf(unpacked(await client.frame(ANSWER_MS)));
      this.answerCount++;
      for (const answer of answers) {
        checkOps(answer.ops);
        this.codes.set(answer.code, (this.codes.get(answer.code) ?? 0) + 1);
      }
      if (request !== undefined && answers[0] !== undefined) this.#source.learn(request, answers[0]);
      if (!isBatch || answers.some(({ info3 }) => (info3 & LAST) !== 0)) return performance.now() - before;
    }
  }
}

/** Throws unless every op of an answer holds a particle that a server may send. */
function checkOps(ops: readonly Op[]): void {
  for (const { type, name, value } of ops) {
    // Lists and maps that expressions have written are not always in order.
    const flaw = flawOfAnswer(type, value, 0, value.length, false);
    if (flaw !== undefined)
      throw new Error(`an answer whose bin ${name}, of type ${type}, ${flaw}: ${value.toString('hex')}`);
  }
}
