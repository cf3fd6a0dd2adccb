/**
 * Set indexes of one shard: for each indexed set a bitmap that says where in the primary index its records are. The
 * digests of a partition are cut into 2^b buckets by the top bits of their first order word, one or two entries of the
 * index each on average; a bit says that a bucket holds an entry of the set. So a walk over a set looks at the buckets
 * of its records and passes over 32 others at a time, in the walking order of the index itself, and nothing has to be
 * kept in step with handles.
 *
 * Invariant: the bit of a bucket that holds an entry of the set is 1, once the set is ready. One that holds none may have
 * a 1 left from a doubling; whoever walks clears it.
 *
 * A bitmap takes a bit for one or two entries of the whole shard. Everything that changes lies in shared memory; who
 * holds the shard may read and change it.
 */
import { Region, type SharedBytes } from '../../base/arena.js';
import { SET_COUNT_MAX } from '../record/set-table.js';
import { ORDER_BIAS } from './entry.js';

/** Words of the control region. */
const EPOCH = 0; // counts bitmaps that came, went and grew
const COUNT = 1; // indexed sets
const BITS = 2; // b
const CONTROL_WORDS = 4;

const BITS_MIN = 5; // a word a partition
/** Buckets of a shard at which bitmaps stop growing: 32 MiB each. */
const BUCKET_COUNT_MAX = 2 ** 28;
/** Entries of the index a bucket above which the bitmaps double. */
const LOAD_MAX = 2;

/** As it travels to another thread. */
export interface SetMembersMemory {
  readonly control: SharedBytes;
  readonly epoch: number;
  readonly bitmaps: readonly (readonly [setId: number, words: SharedBytes])[];
}

export class SetMembers {
  readonly #partitionCount: number;
  readonly #control: Int32Array;
  /** That the bitmaps here belong to. */
  #epoch: number;
  /** By set number. */
  readonly #bitmaps: (Int32Array | null)[] = new Array<null>(SET_COUNT_MAX + 1).fill(null);
  /** Sets whose every entry is known; only the thread that fills bitmaps asks. */
  readonly #ready = new Set<number>();

  /** @param memory Makes this a view of another thread's. */
  constructor(partitionCount: number, memory?: SetMembersMemory) {
    this.#partitionCount = partitionCount;
    this.#control = new Region(memory?.control ?? CONTROL_WORDS * 4).i32;
    this.#epoch = memory?.epoch ?? 0;
    if (memory === undefined) this.#control[BITS] = BITS_MIN;
    for (const [setId, words] of memory?.bitmaps ?? []) this.#bitmaps[setId] = new Region(words).i32;
  }

  get memory(): SetMembersMemory {
    const bitmaps = this.sets.map(setId => [setId, this.#bitmaps[setId]!.buffer as SharedBytes] as const);
    return { control: this.#control.buffer as SharedBytes, epoch: this.epoch, bitmaps };
  }

  /** Another value when bitmaps have come, gone or grown: a view made before has the wrong ones. */
  get epoch(): number {
    return this.#control[EPOCH]!;
  }

  get isCurrent(): boolean {
    return this.#control[EPOCH] === this.#epoch;
  }

  /** Whether any set is indexed. */
  get isUsed(): boolean {
    return this.#control[COUNT] !== 0;
  }

  has(setId: number): boolean {
    return this.#bitmaps[setId] !== null;
  }

  /** Whether every entry of the set is known. */
  isReady(setId: number): boolean {
    return this.#ready.has(setId);
  }

  setReady(setId: number): void {
    this.#ready.add(setId);
  }

  /** Numbers of the indexed sets. */
  get sets(): number[] {
    return [...this.#bitmaps.keys()].filter(setId => this.#bitmaps[setId] !== null);
  }

  get usedBytes(): number {
    return this.#control[COUNT]! * (this.#bucketCount >>> 3);
  }

  /** Begins to index a set; entries that are there have to be noted, then it is ready. @throws RangeError without memory. */
  add(setId: number, entryCount: number): void {
    if (!this.isUsed) {
      this.#control[BITS] = BITS_MIN;
      while (this.isTooSmall(entryCount)) this.#control[BITS]!++;
    }
    this.#bitmaps[setId] = new Region(this.#bucketCount >>> 3).i32;
    this.#control[COUNT]!++;
    this.#changed();
  }

  drop(setId: number): void {
    this.#bitmaps[setId] = null;
    this.#ready.delete(setId);
    this.#control[COUNT]!--;
    this.#changed();
  }

  isTooSmall(entryCount: number): boolean {
    return entryCount > this.#bucketCount * LOAD_MAX && this.#bucketCount < BUCKET_COUNT_MAX;
  }

  /** Doubles all bitmaps; each bucket becomes two, and both may hold what it held. @throws RangeError without memory. */
  grow(): void {
    const grown = this.sets.map(setId => [setId, doubled(this.#bitmaps[setId]!)] as const);
    for (const [setId, words] of grown) this.#bitmaps[setId] = words;
    this.#control[BITS]!++;
    this.#changed();
  }

  /** How many top bits of the first order word the entries of a bucket have in common. */
  get bits(): number {
    return this.#control[BITS]!;
  }

  /** Bucket of an entry by its first order word. */
  bucketOf(w0: number): number {
    return (w0 ^ ORDER_BIAS) >>> (32 - this.#control[BITS]!);
  }

  /** The lowest first order word of a bucket. */
  lowestOf(bucket: number): number {
    return (bucket << (32 - this.#control[BITS]!)) ^ ORDER_BIAS;
  }

  /** An entry of an indexed set is in the bucket; @param local position of its partition. */
  note(setId: number, local: number, bucket: number): void {
    const bit = (local << this.#control[BITS]!) | bucket;
    this.#bitmaps[setId]![bit >>> 5]! |= 1 << (bit & 31);
  }

  /** No entry of the set is in the bucket. */
  clear(setId: number, local: number, bucket: number): void {
    const bit = (local << this.#control[BITS]!) | bucket;
    this.#bitmaps[setId]![bit >>> 5]! &= ~(1 << (bit & 31));
  }

  /** The first bucket of a partition from `bucket` on that may hold an entry of the set, or -1. */
  next(setId: number, local: number, bucket: number): number {
    const words = this.#bitmaps[setId]!;
    const b = this.#control[BITS]!;
    const first = local << b;
    const end = (first + 2 ** b) >>> 5;
    let w = (first + bucket) >>> 5;
    if (w >= end) return -1;
    let word = words[w]! & (-1 << ((first + bucket) & 31));
    while (word === 0) {
      if (++w === end) return -1;
      word = words[w]!;
    }
    return w * 32 + 31 - Math.clz32(word & -word) - first;
  }

  get #bucketCount(): number {
    return this.#partitionCount * 2 ** this.#control[BITS]!;
  }

  #changed(): void {
    this.#epoch = ++this.#control[EPOCH]!;
  }
}

/** Twice the bits, each of them twice. */
function doubled(words: Int32Array): Int32Array {
  const out = new Region(words.byteLength * 2).i32;
  for (let w = 0; w < words.length; w++) {
    for (let word = words[w]!; word !== 0; word &= word - 1) {
      const bit = w * 32 + 31 - Math.clz32(word & -word);
      out[bit >>> 4]! |= 3 << ((bit & 15) * 2);
    }
  }
  return out;
}
