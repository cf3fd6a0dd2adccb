/**
 * The sprigs of one shard: for each partition 2^k list heads, chosen by the top k bits of the digest's first
 * order word, so that sprig after sprig is walking order. Growing from k to k + 1 is done a few sprigs at
 * a time: `grown` has twice the heads, sprigs below `split` live there already (each became two), the rest
 * still in `heads`. Nothing is ever copied in one go, so no insert stalls.
 *
 *   heads   | moved | moved | moved | 3 | 4 | 5 | 6 | 7 |          split = 3
 *   grown   | 0a 0b | 1a 1b | 2a 2b |  untouched            |
 *
 * A slot names one sprig: i >= 0 is `heads[i]`, ~j is `grown[j]`. Slots are good until the next growth step.
 */
import { Region, type SharedBytes } from '../../base/arena.js';
import { ORDER_BIAS } from './entry.js';
import { TABLE_WORDS } from './entry-table.js';

/** Words of the index's control region that belong to this class. */
const BITS = TABLE_WORDS; // k
const SPLIT = TABLE_WORDS + 1;
const EPOCH = TABLE_WORDS + 2; // counts starts and ends of growth

/** No slot: not an index and not the complement of one. */
export const NO_SLOT = 0x7fffffff;
/** Sprigs in all at which a directory stops doubling: 1 GiB. Lists grow longer from there, nothing fails. */
const SPRIG_COUNT_MAX = 2 ** 28;

/** The directory's memory, as it travels to another thread. */
export interface DirectoryMemory {
  epoch: number;
  heads: SharedBytes;
  grown: SharedBytes | undefined;
}

export class SprigDirectory {
  readonly #partitionCount: number;
  readonly #control: Int32Array;
  #heads: Int32Array;
  /** Equal to `#heads` while not growing, so that it always is an array of the same kind. */
  #grown: Int32Array;
  /** The epoch that these two belong to. */
  #epoch: number;

  /** @param control Shared words of the index, zeroed when new. `memory` makes this a view of another thread's directory. */
  constructor(partitionCount: number, control: Int32Array, memory?: DirectoryMemory) {
    this.#partitionCount = partitionCount;
    this.#control = control;
    this.#heads = new Region(memory?.heads ?? Math.max(partitionCount, 1) * 4).i32;
    this.#grown = memory?.grown ? new Region(memory.grown).i32 : this.#heads;
    this.#epoch = memory?.epoch ?? this.epoch;
  }

  get memory(): DirectoryMemory {
    const heads = this.#heads.buffer as SharedBytes;
    const grown = this.isGrowing ? (this.#grown.buffer as SharedBytes) : undefined;
    return { epoch: this.#epoch, heads, grown };
  }

  /** Another value when a growth has begun or ended since: a view made before it has the wrong heads. */
  get epoch(): number {
    return this.#control[EPOCH]!;
  }

  /** Whether no growth has begun or ended on another thread since this object was made. */
  get isCurrent(): boolean {
    return this.#control[EPOCH] === this.#epoch;
  }

  get isGrowing(): boolean {
    return this.#grown !== this.#heads;
  }

  /** Sprigs of the whole shard; while growing, as if it had not begun. */
  get sprigCount(): number {
    return this.#partitionCount << this.#control[BITS]!;
  }

  get usedBytes(): number {
    return this.#heads.byteLength + (this.isGrowing ? this.#grown.byteLength : 0);
  }

  /** Slot of the sprig of local partition `local` that holds first order word `w0`. */
  slotOf(local: number, w0: number): number {
    const k = this.#control[BITS]!;
    const top = w0 ^ ORDER_BIAS;
    const i = (local << k) | ((top >>> 1) >>> (31 - k));
    return i >= this.#control[SPLIT]! ? i : ~((local << (k + 1)) | (top >>> (31 - k)));
  }

  firstSlot(local: number): number {
    const k = this.#control[BITS]!;
    const i = local << k;
    return i >= this.#control[SPLIT]! ? i : ~(local << (k + 1));
  }

  /** The slot after `slot` in the same partition, or NO_SLOT. */
  slotAfter(local: number, slot: number): number {
    const k = this.#control[BITS]!;
    const split = this.#control[SPLIT]!;
    let i: number;
    if (slot < 0) {
      const j = ~slot + 1;
      if (j < split * 2) return j >>> (k + 1) === local ? ~j : NO_SLOT;
      i = split;
    } else {
      i = slot + 1;
    }
    return i >>> k === local ? i : NO_SLOT;
  }

  /** How many top bits of the first order word the entries of a sprig have in common. */
  bitsOf(slot: number): number {
    const k = this.#control[BITS]!;
    return slot < 0 ? k + 1 : k;
  }

  head(slot: number): number {
    return slot >= 0 ? this.#heads[slot]! : this.#grown[~slot]!;
  }

  setHead(slot: number, handle: number): void {
    if (slot >= 0) this.#heads[slot] = handle;
    else this.#grown[~slot] = handle;
  }

  /** Starts a doubling, unless the directory is as large as it gets or the machine has no memory for it. */
  startGrowth(): void {
    const count = this.sprigCount * 2;
    if (count > SPRIG_COUNT_MAX) return;
    try {
      this.#grown = new Region(count * 4).i32;
    } catch (error) {
      // Longer lists are slower, not wrong; the next insert tries again.
      if (error instanceof RangeError) return;
      throw error;
    }
    this.#epoch = ++this.#control[EPOCH]!;
  }

  /** Replaces the empty directory by one of about `count` sprigs in all: at least that, and as few as can be. */
  presize(count: number): void {
    let bits = 0;
    while (
      this.#partitionCount * 2 ** bits < count &&
      this.#partitionCount * 2 ** (bits + 1) <= SPRIG_COUNT_MAX
    )
      bits++;
    try {
      this.#replaceBy(new Region(Math.max(this.#partitionCount, 1) * 2 ** bits * 4).i32, bits);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error; // it grows as entries come
    }
  }

  /** Whether there is more than one sprig a partition, and no doubling under way. */
  get canHalve(): boolean {
    return !this.isGrowing && this.#control[BITS]! > 0;
  }

  /** Makes one sprig of every two; `join` is given their heads and returns the head of both. */
  halve(join: (lower: number, upper: number) => number): void {
    const heads = this.#heads;
    const half = new Region((this.sprigCount / 2) * 4).i32;
    for (let i = 0; i < half.length; i++) half[i] = join(heads[i * 2]!, heads[i * 2 + 1]!);
    this.#replaceBy(half, this.#control[BITS]! - 1);
  }

  /** Forgets all entries; the size stays. */
  clear(): void {
    this.#grown = this.#heads;
    this.#heads.fill(0);
    this.#control[SPLIT] = 0;
    this.#epoch = ++this.#control[EPOCH]!;
  }

  #replaceBy(heads: Int32Array, bits: number): void {
    this.#heads = heads;
    this.#grown = heads;
    this.#control[BITS] = bits;
    this.#control[SPLIT] = 0;
    this.#epoch = ++this.#control[EPOCH]!;
  }

  /** The next sprig to split: the caller cuts its list at `splitBit` and passes both halves to `finishSplit`. */
  get splitSlot(): number {
    return this.#control[SPLIT]!;
  }

  /** Bit (as a shift) of an unbiased first order word that sends an entry to the upper half of a split sprig. */
  get splitBit(): number {
    return 31 - this.#control[BITS]!;
  }

  finishSplit(lower: number, upper: number): void {
    const i = this.#control[SPLIT]!;
    this.#grown[i * 2] = lower;
    this.#grown[i * 2 + 1] = upper;
    if (i + 1 < this.sprigCount) {
      this.#control[SPLIT] = i + 1;
      return;
    }
    this.#heads = this.#grown;
    this.#control[BITS]!++;
    this.#control[SPLIT] = 0;
    this.#epoch = ++this.#control[EPOCH]!;
  }
}
