/**
 * What a shard knows of each of its write blocks, in shared memory: state, bytes of live records, needed delete
 * markers, stamp, write id, buffer; the ring of free blocks; the list of all others in the order of their write ids;
 * and the shard's counters: write sequence, write id, number of appends. Whoever holds the shard's word writes; others may
 * read.
 *
 *   FREE ──open──▶ OPEN ──full──▶ CLOSED ──all durable──▶ STORED ──nothing needed──▶ DEAD ──▶ ERASING ──▶ FREE
 *
 * A STORED block may go when it holds neither live records nor needed markers. DEAD waits until whatever replaced
 * its records is durable. ERASING has its first page overwritten; it is FREE once that is durable. BAD
 * cannot be read or written and stays so. A block counts as holding old records until it is FREE.
 *
 * A marker is needed while a copy of its record that is older may be on the device. Such a copy lies in a block that
 * was in use when the marker was first written, so its write id is not above the marker's origin, the highest write
 * id given out by then: older copies are not written later, since only live versions are ever moved. Once all blocks
 * with write ids up to the origin are free, durably, no older copy is left. The block that is given up itself does
 * not count, since what it holds goes all at once.
 */
import { Region, type SharedBytes } from '../../base/arena.js';

export const FREE = 0;
export const OPEN = 1;
export const CLOSED = 2;
export const STORED = 3;
export const DEAD = 4;
export const ERASING = 6;
export const BAD = 7;

const NO_BUFFER = -1;
const NONE = -1;
const UNLISTED = -2;

// Words of the control area, float64.
const SEQUENCE = 0; // last one given out
const WRITE_ID = 1; // last one given out
const FREE_HEAD = 2; // place in the ring of the next block to open
const FREE_COUNT = 3;
const USE_HEAD = 4; // the block in use with the lowest write id, or -1
const USE_TAIL = 5;
const MARKER_COUNT = 6;
const APPENDED = 7; // number of the append made last
const NEWEST = 8; // the block that clients appended to last, or -1
const IS_LEFT = 9; // 1: see `leavesEmptied`
const CONTROL_SIZE = 128; // bytes

export class BlockTable {
  readonly blockCount: number;
  /** Bytes of live records, each rounded up to 16. */
  readonly used: Uint32Array;
  /** Records that must stay because they keep older copies dead: delete markers, and versions that expired. */
  readonly markers: Uint32Array;
  /** Highest origin of a marker in the block. */
  readonly origins: Float64Array;
  readonly stamps: Uint32Array;
  /** Two words a block, both 0 where it is not encrypted. */
  readonly nonces: Uint32Array;
  readonly states: Uint8Array;
  readonly writeIds: Float64Array;
  /** Byte offset of the block's copy in the I/O buffers, or -1. */
  readonly bufferAt: Float64Array;
  /** For DEAD: everything up to this append must be durable before the block may go. */
  readonly barriers: Float64Array;
  /** A block whose markers somebody is counting, or -1: -1 again when they change. Stored blocks' do on the shard's own thread alone. */
  watched = NONE;
  readonly #control: Float64Array;
  readonly #free: Int32Array;
  /** Neighbours of a block in use, in the order of write ids. */
  readonly #before: Int32Array;
  readonly #after: Int32Array;
  readonly shared: SharedBytes;

  /** @param memory The bytes of a table that lives already, for another thread to read. */
  constructor(blockCount: number, memory?: SharedBytes) {
    const n = (blockCount + 7) & ~7;
    const region = new Region(memory ?? CONTROL_SIZE + n * (8 * 4 + 4 * 8 + 1));
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
    this.origins = new Float64Array(region.shared, take(n * 8), n);
    this.used = new Uint32Array(region.shared, take(n * 4), n);
    this.markers = new Uint32Array(region.shared, take(n * 4), n);
    this.stamps = new Uint32Array(region.shared, take(n * 4), n);
    this.nonces = new Uint32Array(region.shared, take(n * 8), n * 2);
    this.#free = new Int32Array(region.shared, take(n * 4), n);
    this.#before = new Int32Array(region.shared, take(n * 4), n);
    this.#after = new Int32Array(region.shared, take(n * 4), n);
    this.states = new Uint8Array(region.shared, take(n), n);
    if (memory) return;
    this.bufferAt.fill(NO_BUFFER);
    this.#before.fill(UNLISTED);
    this.#control[USE_HEAD] = NONE;
    this.#control[USE_TAIL] = NONE;
    this.#control[NEWEST] = NONE;
  }

  get freeCount(): number {
    return this.#control[FREE_COUNT]!;
  }

  /** The next write sequence, 1 or more. */
  nextSequence(): number {
    return ++this.#control[SEQUENCE]!;
  }

  /** Number of the append made last; the first one has number 1. */
  get appendedNumber(): number {
    return this.#control[APPENDED]!;
  }

  /** The number of another append. */
  nextAppend(): number {
    return ++this.#control[APPENDED]!;
  }

  /** The block that clients appended to last, or -1: it holds the latest LUT. */
  get newest(): number {
    return this.#control[NEWEST]!;
  }
  set newest(block: number) {
    this.#control[NEWEST] = block;
  }

  /** Whether a thread that is not the shard's own has taken the last live record off a stored block. */
  get leavesEmptied(): boolean {
    return this.#control[IS_LEFT] !== 0;
  }
  set leavesEmptied(isLeft: boolean) {
    this.#control[IS_LEFT] = isLeft ? 1 : 0;
  }

  /** The sequence given out last. */
  get sequence(): number {
    return this.#control[SEQUENCE]!;
  }

  /** The highest write id that was given out. */
  get lastWriteId(): number {
    return this.#control[WRITE_ID]!;
  }

  /** Gives `block`, which was free, the next write id: it is in use from now on. */
  use(block: number): number {
    const writeId = ++this.#control[WRITE_ID]!;
    this.writeIds[block] = writeId;
    this.#append(block);
    return writeId;
  }

  /** After a recovery: lists the blocks that are not free. */
  listUsed(): void {
    const used: number[] = [];
    for (let block = 0; block < this.blockCount; block++) if (this.states[block] !== FREE) used.push(block);
    used.sort((a, b) => this.writeIds[a]! - this.writeIds[b]!);
    for (const block of used) this.#append(block);
  }

  /** Counts a marker in `block` that keeps dead what lies in blocks with write ids up to `origin`. */
  addMarker(block: number, origin: number): void {
    this.markers[block]!++;
    if (block === this.watched) this.watched = NONE;
    this.#control[MARKER_COUNT]!++;
    if (origin > this.origins[block]!) this.origins[block] = origin;
  }

  /** At a start: what a checkpoint knows of the markers of `block`, in the place of what was known before. */
  restoreMarkers(block: number, count: number, origin: number): void {
    this.clearMarkers(block);
    this.markers[block] = count;
    this.#control[MARKER_COUNT]! += count;
    this.origins[block] = origin;
  }

  /** Nobody needs the markers of `block` any more, or they were copied elsewhere. */
  clearMarkers(block: number): void {
    this.#control[MARKER_COUNT]! -= this.markers[block]!;
    this.markers[block] = 0;
    if (block === this.watched) this.watched = NONE;
  }

  /** Needed markers in all blocks, or a few more. */
  get markerCount(): number {
    return this.#control[MARKER_COUNT]!;
  }

  /** The lowest write id of all blocks in use other than `block`; infinite when there are none. */
  lowestWithout(block: number): number {
    const head = this.#control[USE_HEAD]!;
    const lowest = head === block ? this.#after[head]! : head;
    return lowest === NONE ? Number.POSITIVE_INFINITY : this.writeIds[lowest]!;
  }

  /** The highest origin of markers in stored blocks; 0 when there are none. Looks at all blocks. */
  highestOrigin(): number {
    let highest = 0;
    for (let block = 0; block < this.blockCount; block++) {
      if (this.states[block] !== STORED || this.markers[block] === 0) continue;
      highest = Math.max(highest, this.origins[block]!);
    }
    return highest;
  }

  /** The block in use with the lowest write id, or -1. */
  get oldest(): number {
    return this.#control[USE_HEAD]!;
  }

  /** The stored block with the lowest write id of those looked at, or -1. */
  oldestStored(lookMax: number): number {
    let block = this.#control[USE_HEAD]!;
    for (let i = 0; i < lookMax && block !== NONE; i++) {
      if (this.states[block] === STORED) return block;
      block = this.#after[block]!;
    }
    return NONE;
  }

  #append(block: number): void {
    const tail = this.#control[USE_TAIL]!;
    this.#before[block] = tail;
    this.#after[block] = NONE;
    if (tail === NONE) this.#control[USE_HEAD] = block;
    else this.#after[tail] = block;
    this.#control[USE_TAIL] = block;
  }

  #unlist(block: number): void {
    const before = this.#before[block]!;
    if (before === UNLISTED) return;
    const after = this.#after[block]!;
    if (before === NONE) this.#control[USE_HEAD] = after;
    else this.#after[before] = after;
    if (after === NONE) this.#control[USE_TAIL] = before;
    else this.#before[after] = before;
    this.#before[block] = UNLISTED;
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
    this.clearMarkers(block);
    this.origins[block] = 0;
    this.#unlist(block);
  }

  /** Takes the block that has been free longest. There must be one. */
  takeFree(): number {
    const block = this.#free[this.#control[FREE_HEAD]!]!;
    this.#control[FREE_HEAD] = (this.#control[FREE_HEAD]! + 1) % this.#free.length;
    this.#control[FREE_COUNT]!--;
    return block;
  }
}
