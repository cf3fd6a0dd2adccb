/**
 * Data messages on the main thread: looks at just as much of a request as routing needs, pushes it to the
 * worker that owns its partition, and hands completed answers to the network layer.
 */
import { epochMs } from '../base/clock.js';
import { DIGEST_SIZE, partitionOf } from '../base/digest.js';
import { NAMESPACE_NOT_FOUND, OK, PARAMETER, UNSUPPORTED_FEATURE } from '../base/result.js';
import type { Latencies, NamespaceLatencies } from '../observe/latencies.js';
import { Dispatch, type WorkerClient } from '../shard/client.js';
import { Request } from '../shard/command/request.js';
import {
  CLASS_READ,
  COMP_ARRIVAL,
  COMP_CODE_NAMESPACE,
  COMP_CONNECTION_GENERATION,
  COMP_ENDED,
  COMP_KIND,
  COMP_NUMBER,
  COMP_ROWS,
  COMP_SIZE,
  COMP_SLOT,
  COMP_TICKET,
  COMPLETION_ANSWER,
  COMPLETION_BATCH,
  COMPLETION_HEADER_SIZE,
  KIND_RECORD,
  kindOf,
} from '../shard/frame.js';
import type { InPlace } from '../shard/in-place.js';
import type { NamespaceRoute, Routes } from '../shard/routes.js';
import { TRAILER_SIZE, writeTrailer } from '../wire/batch.js';
import {
  INFO1_BATCH,
  INFO2_WRITE,
  MSG_HEADER_SIZE,
  MSG_INFO1,
  MSG_TIMEOUT,
  readU32,
} from '../wire/message.js';
import type { BackgroundJobs } from './background-jobs.js';
import type { BatchDispatcher } from './batch.js';
import type { BatchRuns } from './batch-runs.js';
import { ANSWERED, type AnswerSink, type ClientRef, DISPATCHED, NO_ROOM } from './client-ref.js';
import type { ResponseTimes } from './response-times.js';

export interface DispatcherParts {
  readonly routes: Routes;
  readonly clients: readonly WorkerClient[];
  readonly batch: BatchDispatcher;
  readonly batchRuns: BatchRuns;
  readonly sink: AnswerSink;
  readonly latencies: Latencies;
  readonly responses: ResponseTimes;
  readonly inPlace: InPlace;
  readonly jobs: BackgroundJobs;
  /** Milliseconds a request without a timeout of its own may wait. */
  readonly transactionMaxMs: () => number;
}

/** What the client of a job gets as soon as that is accepted. */
const ACCEPTED = writeTrailer(new Uint8Array(TRAILER_SIZE), OK);

export class Dispatcher {
  readonly #parts: DispatcherParts;
  readonly #dispatch = new Dispatch();
  readonly #latencies: readonly NamespaceLatencies[];
  readonly #responses: ResponseTimes;
  readonly #inPlace: InPlace;
  /** A command too long to be executed in place. */
  readonly #request = new Request();
  /** Commands executed in place in this turn, by namespace: reads and writes in turn. */
  readonly #doneCounts: Float64Array;
  /** In all. */
  #doneCount = 0;
  #turnMs = 0;
  /** Requests on their way that have not been answered. */
  inFlight = 0;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
    this.#dispatch.kind = KIND_RECORD;
    this.#responses = parts.responses;
    this.#inPlace = parts.inPlace;
    this.#doneCounts = new Float64Array(parts.routes.namespaces.length * 2);
    this.#latencies = parts.routes.namespaces.map(n => parts.latencies.ofNamespace(n.name));
  }

  /**
   * Sends a data message on its way.
   * @param bytes The message of `size` bytes at `at`, without its protocol header; copied before the call returns.
   * @param nowMs Monotonic time of arrival.
   * @returns DISPATCHED; ANSWERED: the answer was given to the sink; NO_ROOM: nothing happened, call again after
   *   completions came; or the result code to answer.
   */
  dispatch(client: ClientRef, bytes: Uint8Array, at: number, size: number, nowMs: number): number {
    if (size < MSG_HEADER_SIZE) return PARAMETER;
    if ((bytes[at + MSG_INFO1]! & INFO1_BATCH) !== 0) {
      const code = this.#parts.batch.start(client, bytes, at, size, nowMs);
      if (code === DISPATCHED) this.inFlight++;
      else if (code === ANSWERED) this.#doneCount++;
      return code;
    }
    const inPlace = this.#inPlace;
    if (inPlace.parse(bytes, at, size)) {
      const { namespaceAt, namespaceSize, digestAt } = inPlace.request;
      const route = this.#parts.routes.find(bytes, namespaceAt, namespaceSize);
      if (route !== null && this.#runInPlace(client, route, partitionOf(bytes, digestAt))) return ANSWERED;
    }
    // Fields and ops are looked at before the namespace is, as on the reference (recorded).
    const { isDecoded } = inPlace;
    const req = isDecoded ? inPlace.request : this.#request;
    if (!isDecoded && req.parseMessage(bytes, at, size) !== OK) return PARAMETER;
    const { namespaceAt, namespaceSize, digestAt, digestSize } = req;
    if (digestAt >= 0 && digestSize !== DIGEST_SIZE) return PARAMETER;
    const { routes, clients } = this.#parts;
    const route = namespaceAt < 0 ? null : routes.find(bytes, namespaceAt, namespaceSize);
    if (route === null) return NAMESPACE_NOT_FOUND;
    if (digestAt < 0) return this.#startJob(client, req, route, bytes, at);
    const pid = partitionOf(bytes, digestAt);
    const timeoutMs = readU32(bytes, at + MSG_TIMEOUT);
    const dispatch = this.#dispatch;
    dispatch.connectionSlot = client.slot;
    dispatch.connectionGeneration = client.generation;
    dispatch.requestNumber = client.requestNumber;
    dispatch.namespaceId = route.id;
    dispatch.partition = pid;
    dispatch.shard = route.shardOf[pid]!;
    dispatch.digestAt = digestAt - at;
    dispatch.arrivalMs = nowMs;
    dispatch.deadlineMs = nowMs + (timeoutMs !== 0 ? timeoutMs : this.#parts.transactionMaxMs());
    if (!clients[route.workerOf[pid]!]!.push(dispatch, bytes, at, size)) return NO_ROOM;
    this.inFlight++;
    return DISPATCHED;
  }

  /** Starts the background job that the request without a digest asks for; if it reads, it is a scan or query. */
  #startJob(client: ClientRef, req: Request, route: NamespaceRoute, bytes: Uint8Array, at: number): number {
    if ((req.info2 & INFO2_WRITE) === 0) return UNSUPPORTED_FEATURE;
    const code = this.#parts.jobs.start(bytes, at, req, route.id);
    if (code !== OK) return code;
    const { slot, generation, requestNumber } = client;
    this.#parts.sink.answer(slot, generation, requestNumber, ACCEPTED, 0, ACCEPTED.length, false);
    return ANSWERED;
  }

  /**
   * Looks at a data message that will soon be given to `dispatch` with the same bytes, after those given here before
   * it; `lookAhead` follows. A hint.
   */
  foresee(bytes: Uint8Array, at: number, size: number): void {
    if (size < MSG_HEADER_SIZE || (bytes[at + MSG_INFO1]! & INFO1_BATCH) !== 0) return;
    const inPlace = this.#inPlace;
    if (!inPlace.foresee(bytes, at, size)) return;
    const { namespaceAt, namespaceSize, digestAt } = inPlace.request;
    const route = this.#parts.routes.find(bytes, namespaceAt, namespaceSize);
    if (route !== null) inPlace.foreseen(at, size, route.id, route.shardOf[partitionOf(bytes, digestAt)]!);
  }

  lookAhead(): void {
    this.#inPlace.lookAhead();
  }

  /** Ends the use of what was foreseen. */
  forget(): void {
    this.#inPlace.forget();
  }

  /** Executes the command that was parsed, here and now. @returns false when its worker has to. */
  #runInPlace(client: ClientRef, route: NamespaceRoute, pid: number): boolean {
    const inPlace = this.#inPlace;
    if (!inPlace.hasRoom) {
      this.#parts.sink.flush();
      inPlace.clear();
    }
    const answerSize = inPlace.run(route.id, route.shardOf[pid]!);
    if (answerSize === 0) return false;
    this.#doneCount++;
    this.#doneCounts[route.id * 2 + (inPlace.isRead ? 0 : 1)]! += 1;
    this.#parts.sink.answer(
      client.slot,
      client.generation,
      client.requestNumber,
      inPlace.outbox.u8,
      inPlace.answerAt,
      answerSize,
      false,
    );
    return true;
  }

  /** A turn begins, and with it the time of what is executed in it. */
  beginTurn(nowMs: number): void {
    this.#turnMs = nowMs;
    this.#inPlace.setTime(nowMs, epochMs());
    this.#parts.batch.beginTurn();
  }

  /** The answers of this turn are on their way: whoever gave them to the sink has flushed it, or does so next. @returns Commands executed in place. */
  endTurn(nowMs: number): number {
    this.#inPlace.clear();
    const count = this.#doneCount;
    if (count === 0) return 0;
    this.#doneCount = 0;
    const counts = this.#doneCounts;
    for (let i = 0; i < counts.length; i++) {
      if (counts[i] === 0) continue;
      const latency = this.#latencies[i >>> 1]!;
      ((i & 1) === 0 ? latency.read : latency.write).record(nowMs - this.#turnMs, counts[i]);
      counts[i] = 0;
    }
    return count;
  }

  /** Shows the workers everything that was pushed since the last call. */
  publish(): void {
    for (const client of this.#parts.clients) client.publish();
  }

  /** Hands every completion that has come to the network layer. @returns How many. */
  drain(nowMs: number): number {
    let count = 0;
    for (let i = 0; i < this.#parts.clients.length; i++)
      count += this.#drainWorker(this.#parts.clients[i]!, nowMs);
    return count;
  }

  hasCompletions(): boolean {
    for (const client of this.#parts.clients) if (client.completions.hasFrame) return true;
    return false;
  }

  #drainWorker(client: WorkerClient, nowMs: number): number {
    const { completions, answerSlab } = client;
    const { u8, u32, f64 } = completions.region;
    let count = 0;
    for (let at = completions.next(); at >= 0; at = completions.next()) {
      count++;
      const c = at >>> 2;
      const ticket = u32[c + COMP_TICKET]!;
      const bytes = ticket === 0 ? u8 : answerSlab.region.u8;
      const from = ticket === 0 ? at + COMPLETION_HEADER_SIZE : answerSlab.offsetOf(ticket - 1);
      const word = u32[c + COMP_KIND]!;
      if (kindOf(word) === COMPLETION_ANSWER) {
        this.inFlight--;
        const latency = this.#latencies[u32[c + COMP_CODE_NAMESPACE]! >>> 16]!;
        const histogram = word >>> 16 === CLASS_READ ? latency.read : latency.write;
        histogram.record(nowMs - f64[(c + COMP_ARRIVAL) >>> 1]!);
        const endedMs = f64[(c + COMP_ENDED) >>> 1]!;
        if (endedMs > 0) {
          const namespaceId = u32[c + COMP_CODE_NAMESPACE]! >>> 16;
          this.#responses.command(namespaceId, word >>> 16 === CLASS_READ, nowMs - endedMs);
        }
        this.#parts.sink.answer(
          u32[c + COMP_SLOT]!,
          u32[c + COMP_CONNECTION_GENERATION]!,
          u32[c + COMP_NUMBER]!,
          bytes,
          from,
          u32[c + COMP_SIZE]!,
          true,
        );
      } else if (kindOf(word) === COMPLETION_BATCH) {
        if (this.#parts.batch.executed(u32, f64, c, bytes, from, nowMs)) this.inFlight--;
      } else {
        const endedMs = f64[(c + COMP_ENDED) >>> 1]!;
        if (endedMs > 0) this.#responses.rows(word >>> 16, u32[c + COMP_ROWS]!, nowMs - endedMs);
        if (this.#parts.batchRuns.rows(u32, c, bytes, from, nowMs)) this.inFlight--;
      }
      if (ticket === 0) continue;
      this.#parts.sink.flush();
      answerSlab.free(ticket - 1);
    }
    if (count === 0) return 0;
    this.#parts.sink.flush();
    completions.release();
    return count;
  }
}
