/**
 * One open block that records are appended to (open-block.ts), and its way to the device. A shard has two streams: the
 * clients' and defrag's, so that what defrag moves does not lie between what clients write.
 *
 * A stream writes its block front to back and its writes become durable in that order, so what is durable of a stream
 * is everything before `firstUndurable`.
 */
import type { Region } from '../../base/arena.js';
import { monotonicMs } from '../../base/clock.js';
import { ST_DEFRAG_PARTIAL_WRITES, ST_DEFRAG_WRITES, ST_PARTIAL_WRITES, ST_WRITES } from '../engine.js';
import { IO_ALIGN } from '../io/io-backend.js';
import { NONE, OpenBlock, PAGE_MASK } from './open-block.js';
import { WRITE_LAST, WRITE_RECORDS, type WriteQueue } from './write-queue.js';

/** A time-driven flush starts this much before it must be durable, besides twice what the last ones took. */
const FLUSH_LEAD_MS = 30;
/** A page that was begun may be filled for so long when it is wanted on the device soon. */
const PAGE_WAIT_MS = 10;
/** Writes of a queue that are left for ends of blocks and for flushes in time. */
const WRITES_KEPT = 8;

/** Where a stream's writes are counted: ST_… slots. */
interface WriteCounters {
  readonly full: number; // ends of blocks, and flush-size bytes that came together
  readonly partial: number; // what was due before
}
export const CLIENT_WRITES: WriteCounters = { full: ST_WRITES, partial: ST_PARTIAL_WRITES };
export const DEFRAG_WRITES: WriteCounters = { full: ST_DEFRAG_WRITES, partial: ST_DEFRAG_PARTIAL_WRITES };

export class WriteStream extends OpenBlock {
  /** The pieces of this stream's blocks that are not durable yet, and nothing else. */
  readonly writes: WriteQueue;
  readonly #counters: Float64Array;
  readonly #counted: WriteCounters;
  /** When each of the full blocks that wait for the device was full, in their order. */
  readonly #closedAtMs: number[] = [];
  #submittedAtMs = NONE;
  /** The slowest of the last pieces from submission to durability, decaying; at first a guess for a slow disk. */
  tookMs = 50;

  constructor(
    writes: WriteQueue,
    buffers: Region,
    blockSize: number,
    counters: Float64Array,
    counted: WriteCounters,
    sealSize: number,
  ) {
    super(buffers, blockSize, undefined, sealSize);
    this.writes = writes;
    this.#counters = counters;
    this.#counted = counted;
  }

  /** Number of the first append of this stream that is not durable; infinite when all are. */
  get firstUndurable(): number {
    const { headFirst } = this.writes;
    if (headFirst !== Number.POSITIVE_INFINITY) return headFirst;
    return this.dirtyFirst === NONE ? Number.POSITIVE_INFINITY : this.dirtyFirst;
  }

  /** When the oldest append of this stream that is not durable was made; 0 when all are. */
  get unflushedSinceMs(): number {
    if (!this.writes.isEmpty) return this.writes.headSinceMs;
    return this.dirtyFirst === NONE ? 0 : this.dirtySinceMs;
  }

  /** Hands whole pages to the device once flush-size bytes have come together. */
  submitFull(flushSize: number): void {
    if (this.dirtySize < flushSize || this.writes.room <= WRITES_KEPT) return;
    this.#submitPages();
    this.#counters[this.#counted.full]!++;
  }

  /** Flushes what will have to be durable soon. @param flushMaxMs 0: nothing has to be. */
  flushOld(flushMaxMs: number): void {
    if (this.dirtyFirst === NONE || flushMaxMs === 0) return;
    const lead = Math.min(flushMaxMs / 2, FLUSH_LEAD_MS + 2 * this.tookMs);
    if (this.nowMs - this.dirtySinceMs >= flushMaxMs - lead) this.flush();
  }

  /**
   * Hands the whole pages of what is dirty to the device. Room that is padded is lost until the block is emptied, so
   * the page that was begun follows when it is full.
   * @param pads It follows soon, padded if need be.
   */
  flushPages(pads: boolean): void {
    if (this.dirtySize >= IO_ALIGN) this.#submitPages();
    else if (pads && this.nowMs - this.dirtySinceMs >= PAGE_WAIT_MS) this.flush();
  }

  /** Hands what is dirty to the device, padded to a page. */
  flush(): void {
    if (this.writes.room > 0) this.submit(IO_ALIGN);
  }

  /**
   * Hands what is dirty to the device, padded with zeros to a multiple of `unit`; the block stays open behind it.
   * @param unit A power of two, IO_ALIGN or more.
   */
  submit(unit: number): void {
    if (this.dirtyFirst === NONE) return;
    this.seal();
    const from = this.submittedTo;
    const end = Math.min(this.blockSize, from + ((this.appendAt - from + unit - 1) & -unit));
    this.#pad(end);
    this.#push(WRITE_RECORDS, from, end);
    this.skipTo(end);
    this.clean();
    this.#counters[this.#counted.partial]!++;
  }

  /**
   * Ends the open block: what is dirty goes to the device as its last piece.
   * @returns The block if nothing of it is on its way any more, so that it is stored already; else -1.
   */
  close(): number {
    const { block } = this;
    this.block = NONE;
    this.#closedAtMs.push(monotonicMs());
    this.#counters[this.#counted.full]!++;
    if (this.dirtyFirst === NONE) return this.writes.markLast(block) ? NONE : block;
    this.seal();
    const end = (this.appendAt + IO_ALIGN - 1) & PAGE_MASK;
    this.#pad(end);
    this.#push(WRITE_LAST, this.submittedTo, end, block);
    this.clean();
    return NONE;
  }

  /** Full blocks that wait for the device. */
  get closedCount(): number {
    return this.#closedAtMs.length;
  }

  /** The first of them has become durable. @returns Milliseconds since it was full. */
  leaveClosed(): number {
    return monotonicMs() - this.#closedAtMs.shift()!;
  }

  /** A piece has become durable. */
  noteDurable(): void {
    if (this.#submittedAtMs < 0) return;
    this.tookMs = Math.max(this.nowMs - this.#submittedAtMs, this.tookMs * 0.9);
    this.#submittedAtMs = NONE;
  }

  /** Hands the whole pages of what is dirty to the device; the page that was begun stays dirty. */
  #submitPages(): void {
    const end = this.appendAt & PAGE_MASK;
    if (this.dirtyFirst === NONE || end <= this.submittedTo) return;
    this.seal();
    this.#push(WRITE_RECORDS, this.submittedTo, end);
    if (end === this.appendAt) {
      this.clean();
      return;
    }
    this.cleanPages();
  }

  /** The buffer was another block's before: what it left behind must not look like records. */
  #pad(end: number): void {
    this.buffers.u8.fill(0, this.bufferAt + this.appendAt, this.bufferAt + end);
  }

  #push(kind: number, from: number, end: number, block = this.block): void {
    const { bufferAt, dirtyFirst, dirtySinceMs, nowMs } = this;
    this.writes.push(kind, block, from, end - from, bufferAt + from, dirtyFirst, dirtySinceMs, nowMs);
    this.submittedTo = end;
    if (this.#submittedAtMs < 0) this.#submittedAtMs = this.nowMs;
  }
}
