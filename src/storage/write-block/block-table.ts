/**
 * What a shard knows of each of its write blocks, in shared memory: state, bytes of live records, needed delete
 * markers, stamp, write id, buffer; the ring of free blocks; and the shard's two counters, write sequence and
 * write id. The shard's thread writes, others may read.
 *
 *   FREE ──open──▶ OPEN ──full──▶ CLOSED ──all durable──▶ STORED ──nothing live──▶ DEAD ──▶ ERASING ──▶ FREE
 *                                                                                   └▶ HELD ┘ (markers)
 *
 * DEAD waits until whatever replaced its records is durable. HELD has delete markers that are still needed.
 * ERASING has its first page overwritten with zeros; it is FREE once that is durable. BAD cannot be read or
 * written and stays so. A block counts as holding old records until it is FREE.
 */
import { Region, type SharedBytes } from '../../base/arena.js';

export const FREE = 0;
export const OPEN = 1;
export const CLOSED = 2;
export const STORED = 3;
export const DEAD = 4;
export const HELD = 5;
export const ERASING = 6;
export const BAD = 7;

const NO_BUFFER = -1;

// Words of the control area, float64.
const SEQUENCE = 0; // last one given out
const WRITE_ID = 1; // last one given out
const FREE_HEAD = 2; // place in the ring of the next block to open
const FREE_COUNT = 3;
const CONTROL_SIZE = 64; // bytes

export class BlockTable {
  readonly blockCount: number;
  /** Bytes of live records, each rounded up to 16. */
  readonly used: Uint32Array;
  /** Records that must stay because they keep older copies dead: delete markers, and versions that expired. */
  readonly markers: Uint32Array;
  readonly stamps: Uint32Array;
  readonly states: Uint8Array;
  readonly writeIds: Float64Array;
  /** Byte offset of the block's copy in the I/O buffers, or -1. */
  readonly bufferAt: Float64Array;
  /** For DEAD: everything up to this append must be durable before the block may go. */
  readonly barriers: Float64Array;
  readonly #control: Float64Array;
  readonly #free: Int32Array;
  readonly shared: SharedBytes;

  /** @param memory The bytes of a table that lives already, for another thread to read. */
  constructor(blockCount: number, memory?: SharedBytes) {
    const n = (blockCount + 7) & ~7;
    const region = new Region(memory ?? CONTROL_SIZE + n * (8 * 3 + 4 * 4 + 1));
    this.shared = region.shared;
    this.blockCount = blockCount;
    let at = 0;
    const take = (bytes: number): number => {
      at += bytes;
      return at - bytes;
    };
    this.#control = new Float64Array(region.shared, take(CONTROL_SIZE), CONTROL_SIZE / 8);
    this.writeIds = new Float64Array(region.shared, take(n * 8), n);
    this.bufferAt = new Float64Array(region.shared, take(n * 8), n);
    this.barriers = new Float64Array(region.shared, take(n * 8), n);
    this.used = new Uint32Array(region.shared, take(n * 4), n);
    this.markers = new Uint32Array(region.shared, take(n * 4), n);
    this.stamps = new Uint32Array(region.shared, take(n * 4), n);
    this.#free = new Int32Array(region.shared, take(n * 4), n);
    this.states = new Uint8Array(region.shared, take(n), n);
    if (!memory) this.bufferAt.fill(NO_BUFFER);
  }

  get freeCount(): number {
    return this.#control[FREE_COUNT]!;
  }

  /** The next write sequence, 1 or more. */
  nextSequence(): number {
    return ++this.#control[SEQUENCE]!;
  }

  nextWriteId(): number {
    return ++this.#control[WRITE_ID]!;
  }

  /** After a recovery: what is given out from now on is above these. */
  startAbove(sequence: number, writeId: number): void {
    this.#control[SEQUENCE] = sequence;
    this.#control[WRITE_ID] = writeId;
  }

  /** Adds a block to the free ones; they are used in the order in which they became free. */
  pushFree(block: number): void {
    const place = (this.#control[FREE_HEAD]! + this.#control[FREE_COUNT]!) % this.#free.length;
    this.#free[place] = block;
    this.#control[FREE_COUNT]!++;
    this.states[block] = FREE;
    this.used[block] = 0;
    this.markers[block] = 0;
  }

  /** Takes the block that has been free longest. There must be one. */
  takeFree(): number {
    const block = this.#free[this.#control[FREE_HEAD]!]!;
    this.#control[FREE_HEAD] = (this.#control[FREE_HEAD]! + 1) % this.#free.length;
    this.#control[FREE_COUNT]!--;
    return block;
  }

  /** The block that was written first of all that still hold anything, or -1. */
  oldest(): number {
    let found = -1;
    let writeId = Number.POSITIVE_INFINITY;
    for (let block = 0; block < this.blockCount; block++) {
      if (this.states[block] === FREE || this.writeIds[block]! >= writeId) continue;
      found = block;
      writeId = this.writeIds[block]!;
    }
    return found;
  }
}
