/**
 * One of the two files of a shard that checkpoints are written to: reads and writes through the worker's I/O queue,
 * and whether what was written is durable. One error spoils a file until `begin`.
 */
import { failureText } from '../io/io-backend.js';
import type { IoClient, IoQueue } from '../io/io-queue.js';

const WAIT_MS = 1000;

export class CheckpointFile implements IoClient {
  readonly path: string;
  readonly #io: IoQueue;
  readonly #client: number;
  readonly #place: number;
  /** By write, its buffer and length, while it is in flight. */
  readonly #writing = new Map<number, { bufferAt: number; length: number }>();
  #nextWrite = 0;
  #isFlushing = false;
  #neededEpoch = 0;
  #flushedEpoch = 0;
  #readResult: number | undefined;
  /** What went wrong since `begin`, or ''. */
  problem = '';
  /** Whether a flush is asked for after each write, or only when it is asked for by `flush`. */
  flushesEach = true;
  /** Called with the buffer of a write that has ended. */
  onBuffer: (bufferAt: number) => void = () => {};

  /** @throws The error of the system, when the file is not there. */
  constructor(path: string, io: IoQueue, isDirect: boolean) {
    this.path = path;
    this.#io = io;
    this.#client = io.addClient(this);
    this.#place = io.open(path, this, isDirect);
  }

  /** Everything written since `begin` is durable. */
  get isDurable(): boolean {
    return this.#writing.size === 0 && !this.#isFlushing && this.#flushedEpoch >= this.#neededEpoch;
  }

  /** Nothing is in flight. */
  get isQuiet(): boolean {
    return this.#writing.size === 0 && !this.#isFlushing;
  }

  /** Forgets what went wrong; nothing may be in flight. */
  begin(): void {
    this.problem = '';
    this.#neededEpoch = 0;
  }

  /** Queues a write; `onBuffer` gives the buffer back. */
  write(offset: number, length: number, bufferAt: number): void {
    const number = this.#nextWrite++;
    if (this.#io.write(this.#client, number, this.#place, offset, length, bufferAt)) {
      this.#writing.set(number, { bufferAt, length });
      return;
    }
    this.problem ||= 'too much is queued';
    this.onBuffer(bufferAt);
  }

  flush(): void {
    this.#isFlushing = true;
    this.#neededEpoch = this.#io.epochToCome(this.#place);
    this.#io.requestFlush(this.#place);
  }

  /** Reads and waits for it. @returns Bytes read, fewer at the end of the file, or a negative errno. */
  readNow(offset: number, length: number, bufferAt: number): number {
    this.#readResult = undefined;
    while (!this.#io.read(this.#client, 0, this.#place, offset, length, bufferAt))
      this.#io.drainOrWait(WAIT_MS);
    while (this.#readResult === undefined) this.#io.drainOrWait(WAIT_MS);
    return this.#readResult;
  }

  /** Queues a read whose end `onRead` tells. @returns false when too much is queued. */
  startRead(token: number, offset: number, length: number, bufferAt: number): boolean {
    return this.#io.read(this.#client, token, this.#place, offset, length, bufferAt);
  }
  /** Hears of the end of reads that `startRead` began: tokens from 1. */
  onReadEnd: (token: number, result: number) => void = () => {};

  close(): void {
    this.#io.close(this.#place, this);
  }

  onRead(token: number, result: number): void {
    if (token === 0) this.#readResult = result;
    else this.onReadEnd(token, result);
  }

  onWrite(number: number, result: number): void {
    const { bufferAt, length } = this.#writing.get(number)!;
    this.#writing.delete(number);
    if (result !== length) {
      this.problem ||= failureText(result, length);
    }
    if (this.flushesEach) this.flush();
    this.onBuffer(bufferAt);
  }

  onFlush(epoch: number, isOk: boolean): void {
    if (!isOk) this.problem ||= 'the flush failed';
    this.#flushedEpoch = epoch;
    if (epoch >= this.#neededEpoch) this.#isFlushing = false;
  }
}
