/**
 * Device writes of a shard, in the order in which they were asked for: pieces of the blocks of one stream, or first
 * pages to be zeroed. A write is durable when it has ended and a flush that started later has ended too; it leaves
 * the queue when it and all before it are durable. A write that fails, or whose flush fails, is done again from
 * memory: after a failed fdatasync the kernel may have dropped the pages, so the next one proves nothing of them.
 *
 * A piece of a block starts when the piece before it in the block has been written, so that a kill leaves a block
 * whole up to some place and nothing behind it. Pieces of different blocks are on their way at once. Those that wait
 * meanwhile go together, as one write: so however late a device answers and however small the pieces are, a piece is
 * durable two writes and two flushes after it was asked for.
 *
 * On an encrypted extent a piece is encrypted into memory of its own when it is started, again at each retry; no byte
 * of a block is handed in twice.
 */

import type { StorageLog } from '../device/storage-error.js';
import { ST_WRITE_ERRORS, ST_WRITTEN_BYTES } from '../engine.js';
import { failureText } from '../io/io-backend.js';
import type { BlockTable } from './block-table.js';
import type { ShardExtent } from './shard-extent.js';

export const WRITE_RECORDS = 0; // a piece of a block
export const WRITE_LAST = 1; // the last piece of a block
export const WRITE_ERASE = 2; // an erased page over a block's first one

const QUEUE_MAX = 512; // a power of two
const QUEUE_MASK = QUEUE_MAX - 1;
/** Queues of one shard; a write's number and its queue's place among them make the argument of the I/O request. */
export const QUEUE_COUNT_MAX = 4;
/** A failed write is tried again after this. */
const RETRY_MS = 200;

// States of a write.
const IN_FLIGHT = 0;
const WRITTEN = 1; // waits for its flush
const DURABLE = 2;
const FAILED = 3;
const BEHIND = 4; // waits for the piece before it in its block
const JOINED = 5; // goes with a piece before it, in the same write

export class WriteQueue {
  readonly #place: number;
  readonly #extent: ShardExtent;
  readonly #table: BlockTable;
  readonly #takeBuffer: (size: number) => number;
  readonly #counters: Float64Array;
  readonly #log: StorageLog;
  readonly #kind = new Uint8Array(QUEUE_MAX);
  readonly #state = new Uint8Array(QUEUE_MAX);
  readonly #block = new Int32Array(QUEUE_MAX);
  readonly #from = new Int32Array(QUEUE_MAX);
  readonly #length = new Int32Array(QUEUE_MAX);
  readonly #bufferAt = new Float64Array(QUEUE_MAX);
  /** Where the encrypted bytes lie while they are written, or -1. */
  readonly #stagedAt = new Float64Array(QUEUE_MAX).fill(-1);
  readonly #epoch = new Float64Array(QUEUE_MAX);
  readonly #first = new Float64Array(QUEUE_MAX);
  readonly #since = new Float64Array(QUEUE_MAX);
  /** When it was asked for. */
  readonly #asked = new Float64Array(QUEUE_MAX);
  /** Numbers of the oldest write and of the one to come; they only grow. */
  #head = 0;
  #tail = 0;
  #failedCount = 0;
  #retryAtMs = 0;
  #isFailing = false;

  /**
   * @param place Below QUEUE_COUNT_MAX, and no other queue's of the shard.
   * @param takeBuffer Finds I/O memory for a piece to be encrypted into, or -1.
   */
  constructor(
    place: number,
    extent: ShardExtent,
    table: BlockTable,
    takeBuffer: (size: number) => number,
    counters: Float64Array,
    log: StorageLog,
  ) {
    this.#place = place;
    this.#extent = extent;
    this.#table = table;
    this.#takeBuffer = takeBuffer;
    this.#counters = counters;
    this.#log = log;
  }

  /** Writes that may still be added. */
  get room(): number {
    return QUEUE_MAX - (this.#tail - this.#head);
  }

  get isEmpty(): boolean {
    return this.#tail === this.#head;
  }

  /** The `first` of the oldest write; infinite when there is none. */
  get headFirst(): number {
    return this.#head === this.#tail ? Number.POSITIVE_INFINITY : this.#first[this.#head & QUEUE_MASK]!;
  }

  /** The `sinceMs` of the oldest write. There has to be one. */
  get headSinceMs(): number {
    return this.#since[this.#head & QUEUE_MASK]!;
  }

  /**
   * Adds a write of `length` bytes at `from` in the block, out of the buffer. The bytes stay as they are until durable.
   * @param first   Number of the first append that is durable with this write and not with those before it,
   * @param sinceMs and when that was made.
   * @param nowMs   When it is asked for, where somebody wants to know that.
   */
  push(
    kind: number,
    block: number,
    from: number,
    length: number,
    bufferAt: number,
    first: number,
    sinceMs: number,
    nowMs = 0,
  ): void {
    const number = this.#tail++;
    const i = number & QUEUE_MASK;
    this.#kind[i] = kind;
    this.#block[i] = block;
    this.#from[i] = from;
    this.#length[i] = length;
    this.#bufferAt[i] = bufferAt;
    this.#first[i] = first;
    this.#since[i] = sinceMs;
    this.#asked[i] = nowMs;
    this.#counters[ST_WRITTEN_BYTES]! += length;
    if (this.#followsUnwritten(number)) this.#state[i] = BEHIND;
    else this.#start(number);
  }

  /** Makes the write of `block` added last its last one. @returns false when none of the block is in the queue any more. */
  markLast(block: number): boolean {
    for (let number = this.#tail - 1; number >= this.#head; number--) {
      const i = number & QUEUE_MASK;
      if (this.#block[i] !== block || this.#kind[i] !== WRITE_RECORDS) continue;
      this.#kind[i] = WRITE_LAST;
      return true;
    }
    return false;
  }

  /** @param number Of the write in this queue. */
  onWrite(number: number, result: number): void {
    const i = number & QUEUE_MASK;
    this.#unstage(i);
    const next = this.#nextOf(number);
    const length = this.#lengthTo(number, next);
    if (result === length) {
      this.#state[i] = WRITTEN;
      this.#epoch[i] = this.#extent.io.epochToCome(this.#extent.place);
      this.#extent.io.requestFlush(this.#extent.place);
      if (next < this.#tail && this.#state[next & QUEUE_MASK] === BEHIND) this.#start(next);
      return;
    }
    this.#fail(number, failureText(result, length));
  }

  onFlush(epoch: number, isOk: boolean): void {
    for (let number = this.#head; number < this.#tail; number++) {
      const i = number & QUEUE_MASK;
      if (this.#state[i] !== WRITTEN) continue;
      if (!isOk) this.#fail(number, 'the flush failed');
      else if (this.#epoch[i]! <= epoch) this.#state[i] = DURABLE;
    }
  }

  /**
   * Takes the oldest write out if it is durable.
   * @returns Its kind, with its block in `taken`, and its times; or -1.
   */
  shift(): number {
    if (this.#head === this.#tail) return -1;
    const i = this.#head & QUEUE_MASK;
    const state = this.#state[i];
    if (state !== DURABLE && state !== JOINED) return -1; // the one that it was joined to has been durable before
    this.#head++;
    const kind = this.#kind[i]!;
    this.taken = this.#block[i]!;
    this.takenSinceMs = this.#since[i]!;
    this.takenAskedMs = this.#asked[i]!;
    if (this.#isFailing && this.#failedCount === 0) {
      this.#isFailing = false;
      this.#log.info(`${this.#extent.path}: writes succeed again`);
    }
    return kind;
  }
  /** Block of the write that `shift` returned. */
  taken = 0;
  /** When the oldest append in that write was made, and when it was asked for. */
  takenSinceMs = 0;
  takenAskedMs = 0;

  /** Starts failed writes again when it is time. */
  retry(nowMs: number): void {
    if (this.#failedCount === 0) return;
    // A device that fails is left alone for a while; one that was only asked for too much is not.
    if (this.#retryAtMs === 0) this.#retryAtMs = nowMs + (this.#isFailing ? RETRY_MS : 0);
    if (nowMs < this.#retryAtMs) return;
    this.#retryAtMs = 0;
    for (let number = this.#head; number < this.#tail; number++) {
      if (this.#state[number & QUEUE_MASK] !== FAILED) continue;
      this.#failedCount--;
      this.#start(number);
    }
  }

  #followsUnwritten(number: number): boolean {
    let before = number - 1;
    while (before >= this.#head && this.#state[before & QUEUE_MASK] === JOINED) before--;
    if (before < this.#head || this.#block[before & QUEUE_MASK] !== this.#block[number & QUEUE_MASK])
      return false;
    const state = this.#state[before & QUEUE_MASK];
    return state !== WRITTEN && state !== DURABLE;
  }

  /** Number of the first write behind `number` that is not joined to it. */
  #nextOf(number: number): number {
    let next = number + 1;
    while (next < this.#tail && this.#state[next & QUEUE_MASK] === JOINED) next++;
    return next;
  }

  /** Bytes of write `number` and of those before `next`, which are joined to it: each begins where the one before ends. */
  #lengthTo(number: number, next: number): number {
    const last = (next - 1) & QUEUE_MASK;
    return this.#from[last]! + this.#length[last]! - this.#from[number & QUEUE_MASK]!;
  }

  /** Starts a write, together with all pieces that wait for it. */
  #start(number: number): void {
    const i = number & QUEUE_MASK;
    const block = this.#block[i]!;
    const from = this.#from[i]!;
    let next = this.#nextOf(number);
    while (next < this.#tail && this.#state[next & QUEUE_MASK] === BEHIND)
      this.#state[next++ & QUEUE_MASK] = JOINED;
    const length = this.#lengthTo(number, next);
    const bufferAt = this.#stage(i, length);
    const argument = number * QUEUE_COUNT_MAX + this.#place;
    if (bufferAt >= 0 && this.#extent.write(argument, block, from, length, bufferAt)) {
      this.#state[i] = IN_FLIGHT;
      return;
    }
    this.#unstage(i);
    this.#state[i] = FAILED;
    this.#failedCount++;
  }

  /** Where the bytes of a write lie as the device is to have them. @returns -1: there is no room to encrypt them now. */
  #stage(i: number, length: number): number {
    const { cipher, io } = this.#extent;
    if (cipher === null || this.#kind[i] === WRITE_ERASE) return this.#bufferAt[i]!;
    const at = this.#takeBuffer(length);
    if (at < 0) return -1;
    this.#stagedAt[i] = at;
    const { u8 } = io.buffers;
    cipher.encrypt(this.#table, this.#block[i]!, this.#from[i]!, u8, this.#bufferAt[i]!, at, length);
    return at;
  }

  #unstage(i: number): void {
    if (this.#stagedAt[i]! < 0) return;
    this.#extent.io.pool.give(this.#stagedAt[i]!);
    this.#stagedAt[i] = -1;
  }

  #fail(number: number, reason: string): void {
    const i = number & QUEUE_MASK;
    this.#state[i] = FAILED;
    this.#failedCount++;
    this.#counters[ST_WRITE_ERRORS]!++;
    if (this.#isFailing) return;
    this.#isFailing = true; // one line a burst: the counter has the rest
    const at = this.#extent.offsetOf(this.#block[i]!) + this.#from[i]!;
    const length = this.#lengthTo(number, this.#nextOf(number));
    this.#log.critical(
      `${this.#extent.failedPath}: writing ${length} bytes at ${at} failed (${reason}); kept in memory and tried again`,
    );
  }
}
