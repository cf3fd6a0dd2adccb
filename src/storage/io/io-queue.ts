/**
 * Everything a worker's shards share of one IoBackend: requests that wait for room in it, the buffer pool, the
 * files, and flushes in groups. A shard's engine is a client: it queues a request with a number of its own and
 * is told the result. One thread uses it.
 *
 * Group flush: a file has at most one fdatasync in flight. Each has a number (epoch); a write whose completion
 * was seen before flush n started is covered by it. Whoever finishes a write notes `epochToCome` and asks for a
 * flush; when that many were asked for while one was running, one more serves them all.
 *
 * A read or write that fails for a reason that has nothing to do with the device (no memory, no thread) is done
 * again for about a second before its client hears of it. A flush is not: whether it has failed for good cannot be told.
 *
 * A file may have a shadow, a second file that gets the same: a write or flush of it is two requests, twins, and has
 * ended when both have; it is good when both are. Reads ask the file alone. The shadow is a file of its own too, so
 * that a start can read it and put it right.
 */
import type { Region } from '../../base/arena.js';
import { monotonicMs } from '../../base/clock.js';
import { BufferPool } from './buffer-pool.js';
import { IO_FLUSH, IO_READ, IO_WRITE } from './file-io.js';
import { EIO, IO_ALIGN, type IoBackend, isPassing } from './io-backend.js';

/** Requests that may be queued or in flight, of all shards of the worker. */
const REQUEST_COUNT_MAX = 8192;
const REAP_PAIRS = 256;
/** A request that failed for a passing reason is done again after this, and so often at most. */
const AGAIN_MS = 10;
const AGAIN_COUNT_MAX = 100;
/** Buffers of records being read may take this much, so that write blocks find room beside them. */
const READ_BUFFERS_MAX = 64 * 1024 * 1024; // bytes

export interface IoClient {
  /** A read that this client queued has ended. @param result Bytes read, or -errno. */
  onRead(argument: number, result: number): void;
  /** A write has ended; it is durable after a flush. @param result Bytes written, or -errno. */
  onWrite(argument: number, result: number): void;
  /** Flush number `epoch` of the client's file has ended. After a failure no write since the last good flush is safe. */
  onFlush(epoch: number, isOk: boolean): void;
}

/** Who is told how long the device takes. */
export interface IoTimes {
  /** @param op IO_READ, IO_WRITE or IO_FLUSH. @param size Bytes. @param isShadow Of the device's shadow. */
  record(op: number, durationMs: number, size: number, isShadow: boolean): void;
  /** A write block was full for so long before it was durable. Its writes and flushes are recorded too. */
  recordBlock(durationMs: number): void;
  /**
   * What was to be durable flush-max-ms after it was acknowledged was so later.
   * @param durationMs How long after. @param askedMs How long after the device was asked for it.
   */
  recordLate(durationMs: number, askedMs: number): void;
}

/** A second file that is to have all that is written to a first. */
export interface ShadowPath {
  readonly path: string;
  readonly isDirect: boolean;
}

class OpenFile {
  readonly path: string;
  readonly number: number;
  readonly clients: IoClient[] = [];
  /** Its shadow. */
  shadow: OpenFile | null = null;
  /** It is the shadow of another, with which it is closed. */
  isShadow = false;
  /** Which of the two the last write or flush failed on. */
  failedPath: string;
  times: IoTimes | null = null;
  isFlushing = false;
  isFlushWanted = false;
  flushesStarted = 0;

  constructor(path: string, number: number) {
    this.path = path;
    this.number = number;
    this.failedPath = path;
  }
}

const NONE = -1;
/** No result: the twin of the request is still under way. */
const WAITS = Number.MIN_SAFE_INTEGER;

export class IoQueue {
  readonly backend: IoBackend;
  readonly pool: BufferPool;
  /** A page of zeros that any client may write from. */
  readonly zeroPageAt: number;
  readonly #files: OpenFile[] = [];
  readonly #clients: IoClient[] = [];
  readonly #times: (IoTimes | null)[] = [];

  // A request's fields, by slot. A slot is free, waiting (in #waiting), in flight (its number is the token), or due to
  // be done again (in #again).
  readonly #op = new Uint8Array(REQUEST_COUNT_MAX);
  readonly #client = new Int32Array(REQUEST_COUNT_MAX); // of a flush: the file's place in #files
  readonly #argument = new Float64Array(REQUEST_COUNT_MAX);
  readonly #file = new Int32Array(REQUEST_COUNT_MAX);
  readonly #offset = new Float64Array(REQUEST_COUNT_MAX);
  readonly #length = new Int32Array(REQUEST_COUNT_MAX);
  readonly #bufferAt = new Float64Array(REQUEST_COUNT_MAX);
  /** When it was handed to the device; 0: it is not there. */
  readonly #startedMs = new Float64Array(REQUEST_COUNT_MAX);
  /** The clock is read once for all that is handed over, or taken back, at once. */
  #nowMs = 0;
  readonly #freeSlots = new Int32Array(REQUEST_COUNT_MAX);
  #freeSlotCount = REQUEST_COUNT_MAX;
  readonly #waiting = new Int32Array(REQUEST_COUNT_MAX);
  #waitingHead = 0;
  #waitingCount = 0;
  readonly #attempts = new Uint8Array(REQUEST_COUNT_MAX);
  /** The request that is the same on the other file of a pair, and whether this one is the shadow's. */
  readonly #twin = new Int32Array(REQUEST_COUNT_MAX).fill(NONE);
  readonly #isShadow = new Uint8Array(REQUEST_COUNT_MAX);
  /** One of two twins has ended, with this result. */
  readonly #hasEnded = new Uint8Array(REQUEST_COUNT_MAX);
  readonly #result = new Int32Array(REQUEST_COUNT_MAX);
  /** By client: writes to shadows under way, and those that failed. */
  readonly #shadowWrites: number[] = [];
  readonly #shadowErrors: number[] = [];
  readonly #again = new Int32Array(REQUEST_COUNT_MAX);
  #againCount = 0;
  #againAtMs = 0;
  readonly #readBuffersMax: number;
  #readBufferBytes = 0;
  /** Something was asked for since the last drain. */
  #isNew = false;
  readonly #reaped = new Int32Array(REAP_PAIRS * 2);

  constructor(backend: IoBackend) {
    this.backend = backend;
    this.pool = new BufferPool(backend.buffers.u8.length);
    this.zeroPageAt = this.pool.take(IO_ALIGN);
    backend.buffers.u8.fill(0, this.zeroPageAt, this.zeroPageAt + IO_ALIGN);
    this.#readBuffersMax = Math.min(READ_BUFFERS_MAX, backend.buffers.u8.length / 2);
    for (let i = 0; i < REQUEST_COUNT_MAX; i++) this.#freeSlots[i] = REQUEST_COUNT_MAX - 1 - i;
  }

  get buffers(): Region {
    return this.backend.buffers;
  }

  /** Requests queued or in flight. */
  get pendingCount(): number {
    return REQUEST_COUNT_MAX - this.#freeSlotCount;
  }

  /** Whether `drain` has something to do; a worker asks before it goes to sleep. */
  get hasWork(): boolean {
    return this.#isNew || this.backend.hasCompletion || (this.#againCount > 0 && this.#isAgainDue());
  }

  /**
   * Opens a file once for all its clients; the first says whether directly, where its flushes are timed, and what
   * its shadow is.
   * @returns Its place, for the calls below.
   */
  open(
    path: string,
    client: IoClient,
    isDirect = false,
    times: IoTimes | null = null,
    shadow: ShadowPath | null = null,
  ): number {
    let place = this.#files.findIndex(file => file.path === path);
    if (place < 0) place = this.#openFile(path, isDirect);
    const file = this.#files[place]!;
    file.clients.push(client);
    file.times ??= times;
    if (shadow !== null && file.shadow === null) {
      file.shadow = this.#files[this.#openFile(shadow.path, shadow.isDirect)]!;
      file.shadow.isShadow = true;
    }
    return place;
  }

  #openFile(path: string, isDirect: boolean): number {
    return this.#files.push(new OpenFile(path, this.backend.open(path, isDirect))) - 1;
  }

  /** The client has nothing in flight and goes; the last one closes the file. */
  close(place: number, client: IoClient): void {
    const file = this.#files[place]!;
    const at = file.clients.indexOf(client);
    if (at < 0) return;
    file.clients.splice(at, 1);
    if (file.clients.length > 0 || file.isShadow) return;
    this.#closeFile(place);
    if (file.shadow !== null) this.#closeFile(this.#files.indexOf(file.shadow));
  }

  #closeFile(place: number): void {
    this.backend.close(this.#files[place]!.number);
    this.#files[place] = new OpenFile('', -1);
  }

  /** The path of the file, or of its shadow, that a write or flush failed on last. */
  failedPath(place: number): string {
    return this.#files[place]!.failedPath;
  }

  /** Writes of a client to the shadows of its files that are under way. */
  shadowWrites(client: number): number {
    return this.#shadowWrites[client]!;
  }

  /** Writes of a client to shadows that failed; they are asked for again. */
  shadowErrors(client: number): number {
    return this.#shadowErrors[client]!;
  }

  /** A buffer for reading a record. @returns Its offset, or -1 when those in use have to come back first. */
  takeReadBuffer(size: number): number {
    if (this.#readBufferBytes > 0 && this.#readBufferBytes + size > this.#readBuffersMax) return -1;
    const at = this.pool.take(size);
    if (at >= 0) this.#readBufferBytes += this.pool.sizeOf(at);
    return at;
  }

  giveReadBuffer(at: number): void {
    this.#readBufferBytes -= this.pool.sizeOf(at);
    this.pool.give(at);
  }

  /** Registers whoever will queue requests. @returns Its number. */
  addClient(client: IoClient, times: IoTimes | null = null): number {
    this.#times.push(times);
    this.#shadowWrites.push(0);
    this.#shadowErrors.push(0);
    return this.#clients.push(client) - 1;
  }

  /** Queues a read; `onRead(argument, …)` of the client answers. @returns false when too much is queued already. */
  read(client: number, argument: number, place: number, offset: number, length: number, at: number): boolean {
    return this.#queue(IO_READ, client, argument, this.#files[place]!.number, offset, length, at) !== NONE;
  }

  /** Queues a write, as `read`. */
  write(
    client: number,
    argument: number,
    place: number,
    offset: number,
    length: number,
    at: number,
  ): boolean {
    const file = this.#files[place]!;
    return this.#queuePair(IO_WRITE, client, argument, file, offset, length, at);
  }

  /** The number of the first flush that covers a write whose end is known now. */
  epochToCome(place: number): number {
    return this.#files[place]!.flushesStarted + 1;
  }

  /** Sees to it that a flush of the file starts from now on; `onFlush` of all its clients answers. */
  requestFlush(place: number): void {
    this.#files[place]!.isFlushWanted = true;
    this.#isNew = true;
  }

  /** Hands waiting requests to the device and delivers results. Never blocks. @returns Results delivered. */
  drain(): number {
    this.#isNew = false;
    if (this.#againCount > 0 && this.#isAgainDue()) this.#startAgain();
    this.#pump();
    this.backend.submit();
    let total = 0;
    for (;;) {
      const pairs = this.backend.reap(this.#reaped);
      if (pairs > 0) this.#nowMs = monotonicMs();
      for (let i = 0; i < pairs; i++) this.#deliver(this.#reaped[i * 2]!, this.#reaped[i * 2 + 1]!);
      total += pairs;
      if (pairs < REAP_PAIRS) break;
    }
    if (total > 0) {
      this.#isNew = false;
      this.#pump(); // what the answers gave rise to starts now, not at the next turn
      this.backend.submit();
    }
    return total;
  }

  /** The longest that a request has been with a device by now, and the device's path. Looks at all: not for every turn. */
  longest(): { durationMs: number; path: string } {
    let first = -1;
    for (let slot = 0; slot < REQUEST_COUNT_MAX; slot++) {
      const startedMs = this.#startedMs[slot]!;
      if (startedMs > 0 && (first < 0 || startedMs < this.#startedMs[first]!)) first = slot;
    }
    if (first < 0) return { durationMs: 0, path: '' };
    const path = this.#files.find(({ number }) => number === this.#file[first])?.path ?? '';
    return { durationMs: monotonicMs() - this.#startedMs[first]!, path };
  }

  /** As drain, but blocks up to `timeoutMs` when nothing has ended yet. For start and stop. */
  drainOrWait(timeoutMs: number): number {
    const count = this.drain();
    if (count > 0 || this.pendingCount === 0) return count;
    this.backend.wait(this.#againCount > 0 ? Math.min(timeoutMs, AGAIN_MS) : timeoutMs);
    return this.drain();
  }

  /** Queues a write or flush of a file, and of its shadow if it has one: both or none. */
  #queuePair(
    op: number,
    client: number,
    argument: number,
    file: OpenFile,
    offset: number,
    length: number,
    bufferAt: number,
  ): boolean {
    if (file.shadow === null) {
      return this.#queue(op, client, argument, file.number, offset, length, bufferAt) !== NONE;
    }
    if (this.#freeSlotCount < 2) return false;
    const first = this.#queue(op, client, argument, file.shadow.number, offset, length, bufferAt);
    const second = this.#queue(op, client, argument, file.number, offset, length, bufferAt);
    this.#twin[first] = second;
    this.#twin[second] = first;
    this.#isShadow[first] = 1;
    if (op === IO_WRITE) this.#shadowWrites[client]!++;
    return true;
  }

  /** @returns The request's slot, or -1. */
  #queue(
    op: number,
    client: number,
    argument: number,
    file: number,
    offset: number,
    length: number,
    bufferAt: number,
  ): number {
    if (this.#freeSlotCount === 0) return NONE;
    const slot = this.#freeSlots[--this.#freeSlotCount]!;
    this.#op[slot] = op;
    this.#client[slot] = client;
    this.#argument[slot] = argument;
    this.#file[slot] = file;
    this.#offset[slot] = offset;
    this.#length[slot] = length;
    this.#bufferAt[slot] = bufferAt;
    this.#attempts[slot] = 0;
    if (!this.#isNew) this.#nowMs = monotonicMs(); // once a turn
    this.#isNew = true;
    if (this.#waitingCount > 0 || !this.#start(slot)) {
      this.#waiting[(this.#waitingHead + this.#waitingCount++) % REQUEST_COUNT_MAX] = slot;
    }
    return slot;
  }

  #isAgainDue(): boolean {
    return monotonicMs() >= this.#againAtMs;
  }

  #startAgain(): void {
    for (let i = 0; i < this.#againCount; i++) {
      this.#waiting[(this.#waitingHead + this.#waitingCount++) % REQUEST_COUNT_MAX] = this.#again[i]!;
    }
    this.#againCount = 0;
  }

  #pump(): void {
    for (let place = 0; place < this.#files.length; place++) {
      const file = this.#files[place]!;
      if (!file.isFlushWanted || file.isFlushing) continue;
      if (!this.#queuePair(IO_FLUSH, place, file.flushesStarted + 1, file, 0, 0, 0)) continue;
      file.isFlushWanted = false;
      file.isFlushing = true;
      file.flushesStarted++;
    }
    if (this.#waitingCount > 0) this.#nowMs = monotonicMs();
    while (this.#waitingCount > 0) {
      const slot = this.#waiting[this.#waitingHead]!;
      if (!this.#start(slot)) return;
      this.#waitingHead = (this.#waitingHead + 1) % REQUEST_COUNT_MAX;
      this.#waitingCount--;
    }
  }

  #start(slot: number): boolean {
    const isStarted = this.#handOver(slot);
    if (isStarted) this.#startedMs[slot] = this.#nowMs;
    return isStarted;
  }

  #handOver(slot: number): boolean {
    const file = this.#file[slot]!;
    const op = this.#op[slot]!;
    if (op === IO_FLUSH) return this.backend.flush(slot, file);
    const offset = this.#offset[slot]!;
    const length = this.#length[slot]!;
    const bufferAt = this.#bufferAt[slot]!;
    if (op === IO_READ) return this.backend.read(slot, file, offset, length, bufferAt);
    return this.backend.write(slot, file, offset, length, bufferAt);
  }

  #timesOf(slot: number): IoTimes | null {
    const who = this.#client[slot]!;
    return this.#op[slot] === IO_FLUSH ? this.#files[who]!.times : this.#times[who]!;
  }

  #deliver(slot: number, result: number): void {
    const op = this.#op[slot]!;
    const durationMs = this.#nowMs - this.#startedMs[slot]!;
    this.#startedMs[slot] = 0;
    if (result < 0 && op !== IO_FLUSH && this.#attempts[slot]! < AGAIN_COUNT_MAX && isPassing(result)) {
      this.#attempts[slot]!++;
      if (this.#againCount === 0) this.#againAtMs = monotonicMs() + AGAIN_MS;
      this.#again[this.#againCount++] = slot;
      return;
    }
    this.#timesOf(slot)?.record(op, durationMs, this.#length[slot]!, this.#isShadow[slot] !== 0);
    const who = this.#client[slot]!;
    const argument = this.#argument[slot]!;
    if (this.#twin[slot] !== NONE) {
      const both = this.#endTwin(slot, op, result);
      if (both === WAITS) return;
      result = both;
    }
    this.#freeSlots[this.#freeSlotCount++] = slot;
    if (op === IO_READ) this.#clients[who]!.onRead(argument, result);
    else if (op === IO_WRITE) this.#clients[who]!.onWrite(argument, result);
    else {
      const file = this.#files[who]!;
      file.isFlushing = false;
      for (let i = 0; i < file.clients.length; i++) file.clients[i]!.onFlush(argument, result >= 0);
    }
  }

  /** One of two twins has ended. @returns The result of both, or WAITS for the other. */
  #endTwin(slot: number, op: number, result: number): number {
    const twin = this.#twin[slot]!;
    const isGood = op === IO_FLUSH ? result >= 0 : result === this.#length[slot];
    const isShadow = this.#isShadow[slot] !== 0;
    if (isShadow && op === IO_WRITE) {
      this.#shadowWrites[this.#client[slot]!]!--;
      if (!isGood) this.#shadowErrors[this.#client[slot]!]!++;
    }
    if (!isGood) this.#noteFailure(slot);
    if (!isGood && op === IO_FLUSH) this.#loseEnded(this.#file[slot]!);
    if (this.#hasEnded[twin] === 0) {
      this.#hasEnded[slot] = 1;
      this.#result[slot] = result;
      return WAITS;
    }
    const other = this.#result[twin]!;
    this.#freeSlots[this.#freeSlotCount++] = twin;
    for (const one of [slot, twin]) {
      this.#twin[one] = NONE;
      this.#isShadow[one] = 0;
      this.#hasEnded[one] = 0;
    }
    return isGood ? other : result;
  }

  /**
   * A flush of a file has failed, which may have lost any write of it that had ended: also one whose twin has not, so
   * that nobody was told of it yet.
   */
  #loseEnded(file: number): void {
    for (let slot = 0; slot < REQUEST_COUNT_MAX; slot++) {
      if (this.#hasEnded[slot] === 0 || this.#file[slot] !== file || this.#op[slot] !== IO_WRITE) continue;
      this.#result[slot] = -EIO;
    }
  }

  #noteFailure(slot: number): void {
    const number = this.#file[slot]!;
    const file = this.#files.find(one => one.number === number || one.shadow?.number === number);
    if (file === undefined) return;
    file.failedPath = file.number === number ? file.path : file.shadow!.path;
  }
}
