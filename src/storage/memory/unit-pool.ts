/**
 * Runs of 4 KiB units in the arena chunks of one shard. A chunk of 64 MiB has 16384 units; the first 64 hold
 * four words for each of them, so a chunk describes itself and a unit numbered 0 never is anybody's:
 *
 *   word 0   first and last unit of a run: its length << 2 | FREE or TAKEN; stale inside a run
 *   word 1   first unit of a free run: the one before it in its bin; of a taken run: its owner's
 *   word 2   likewise, the one after it
 *   word 3   its owner's
 *
 * Free runs hang in bins by length, exact below 16 units and eight bins a doubling above, with a bit for each
 * bin that has one. A request takes from its own bin or from the next larger one that has a run, and
 * neighbours that become free are joined, so a long run comes back when everything in it has gone.
 *
 * Unit numbers count through all chunks: chunk << 14 | unit in the chunk.
 */
import { Arena, type ChunkListener, Region, type SharedBytes } from '../../base/arena.js';
import type { Budget } from '../../base/budget.js';
import type { RecordSpan } from '../engine.js';
import { RECORD_ALIGN } from '../record/flat-record.js';
import { UNIT_SIZE } from './size-class.js';

export const CHUNK_SIZE = 64 * 1024 * 1024; // bytes
export const UNIT_BITS = 14; // bits of a unit number inside its chunk
export const UNIT_MASK = (1 << UNIT_BITS) - 1;
export const UNIT_WORDS = 4;
const UNITS_PER_CHUNK = CHUNK_SIZE / UNIT_SIZE;
const DESCRIPTOR_UNITS = (UNITS_PER_CHUNK * UNIT_WORDS * 4) / UNIT_SIZE;
const CHUNK_BLOCK_BITS = 22;
const CHUNK_BLOCKS = 1 << CHUNK_BLOCK_BITS; // of RECORD_ALIGN bytes
/** The longest run, units. */
export const RUN_MAX = UNITS_PER_CHUNK - DESCRIPTOR_UNITS;
/** Unit numbers stay positive small integers: 8 TiB a shard. */
const CHUNK_COUNT_MAX = 2 ** (31 - UNIT_BITS);

const TAG = 0;
const BEFORE = 1;
const AFTER = 2;
const FREE = 1;
const TAKEN = 2;
const LENGTH_SHIFT = 2;

const EXACT_BINS = 16; // bin n holds runs of exactly n units
const BIN_STEPS = 8;
const BIN_COUNT = EXACT_BINS + (UNIT_BITS - 4) * BIN_STEPS;
/** Runs of a bin that are tried before a larger run is cut. */
const TRIES_MAX = 8;

/** Of a record: as much as is loaded ahead. */
const TOUCHED_WORDS = 63;

/** Words of the control region. */
const TAKEN_UNITS = 0;
const BIN_BITS = 1; // one bit a bin, three words
const BIN_HEADS = 4; // first run of each bin, 0 = none
const CHUNKS = BIN_HEADS + BIN_COUNT;
const CONTROL_WORDS = CHUNKS + 1;

/** Everything mutable of a pool, as it travels to another thread. */
export interface UnitPoolMemory {
  control: SharedBytes;
  chunks: SharedBytes[];
}

export class UnitPool {
  /** Words of each chunk: descriptors first, then contents. */
  readonly words: Int32Array[] = [];
  /** Another thread's pool, described: it never adds a chunk. */
  readonly isView: boolean;
  /** Keeps the loads of `touchMany` from being optimised away. */
  sum = 0;
  readonly #arena: Arena;
  readonly #control: Int32Array;
  readonly #budget: Budget;

  /** @param budget In units; shared by all shards of the namespace. */
  constructor(budget: Budget, onChunk?: ChunkListener, memory?: UnitPoolMemory) {
    this.#budget = budget;
    this.isView = memory !== undefined;
    this.#arena = new Arena(CHUNK_SIZE, onChunk);
    this.#control = new Region(memory?.control ?? CONTROL_WORDS * 4).i32;
    for (const shared of memory?.chunks ?? []) {
      const region = new Region(shared);
      this.#arena.chunks.push(region);
      this.words.push(region.i32);
    }
  }

  get memory(): UnitPoolMemory {
    return { control: this.#control.buffer as SharedBytes, chunks: this.#arena.chunks.map(c => c.shared) };
  }

  /** Whether every chunk is known here. */
  get isCurrent(): boolean {
    return this.#control[CHUNKS] === this.words.length;
  }

  /** Points `out` at a location (record blocks through all chunks, chunk << 22 | block); its size is left alone. */
  span(location: number, out: RecordSpan): void {
    out.region = this.#arena.chunks[Math.floor(location / CHUNK_BLOCKS)]!;
    out.at = (location & (CHUNK_BLOCKS - 1)) * RECORD_ALIGN;
  }

  /**
   * Loads words of a record, as far as it is long, if there is one.
   * @param low  The words of an index entry that say where it is,
   * @param high and how long.
   * @returns Nothing of use.
   */
  touch(low: number, high: number): number {
    const words = this.words[((high & 0xff) << (32 - CHUNK_BLOCK_BITS)) | (low >>> CHUNK_BLOCK_BITS)];
    if (words === undefined) return 0;
    const w = (low & (CHUNK_BLOCKS - 1)) * (RECORD_ALIGN / 4);
    const last = Math.min(high >>> 10, TOUCHED_WORDS);
    return (
      words[w]! ^
      words[w + (last >>> 2)]! ^
      words[w + (last >>> 1)]! ^
      words[w + last - (last >>> 2)]! ^
      words[w + last]!
    );
  }

  /** As `touch`, for many: the words of index entries from `from` to `to - 1`. */
  touchMany(lows: Int32Array, highs: Int32Array, from: number, to: number): void {
    let sum = 0;
    for (let i = from; i < to; i++) sum ^= this.touch(lows[i]!, highs[i]!);
    this.sum = sum;
  }

  /** Units taken from the budget and not given back. */
  get takenUnits(): number {
    return this.#control[TAKEN_UNITS]!;
  }

  /**
   * Takes a run of `count` units.
   * @param fromEnd Cut it from the end of a longer run: long-lived pages and long runs then keep apart.
   * @returns Its first unit, or 0 when the budget or the machine's memory is used up, or a view has no run for it.
   */
  take(count: number, fromEnd: boolean): number {
    if (!this.#budget.take(count)) return 0;
    let run = this.#find(count);
    if (run === 0) run = this.#addChunk();
    if (run === 0) {
      this.#budget.give(count);
      return 0;
    }
    this.#unlink(run);
    const rest = this.length(run) - count;
    if (rest > 0) {
      if (fromEnd) {
        this.#link(run, rest);
        run += rest;
      } else {
        this.#link(run + count, rest);
      }
    }
    this.#tag(run, count, TAKEN);
    this.#control[TAKEN_UNITS]! += count;
    return run;
  }

  /** Gives a run back, named by its first unit, and joins it with free neighbours. */
  give(run: number): void {
    const words = this.words[run >>> UNIT_BITS]!;
    const at = (run & UNIT_MASK) * UNIT_WORDS;
    const tag = words[at + TAG]!;
    if ((tag & 3) !== TAKEN) throw new Error(`memory engine: unit ${run} is not the start of a taken run`);
    let count = tag >>> LENGTH_SHIFT;
    this.#control[TAKEN_UNITS]! -= count;
    this.#budget.give(count);

    const end = (run & UNIT_MASK) + count;
    if (end < UNITS_PER_CHUNK && (words[end * UNIT_WORDS + TAG]! & 3) === FREE) {
      this.#unlink(run + count);
      count += words[end * UNIT_WORDS + TAG]! >>> LENGTH_SHIFT;
    }
    const before = words[at - UNIT_WORDS + TAG]!;
    if ((before & 3) === FREE) {
      run -= before >>> LENGTH_SHIFT;
      this.#unlink(run);
      count += before >>> LENGTH_SHIFT;
    }
    this.#link(run, count);
  }

  /** Units of the run that starts here. */
  length(run: number): number {
    return this.#word(run, TAG) >>> LENGTH_SHIFT;
  }

  /** A free run of at least `count` units, still in its bin, or 0. */
  #find(count: number): number {
    const bin = binOf(count);
    let run = this.#control[BIN_HEADS + bin]!;
    for (let tries = 0; run !== 0 && tries < TRIES_MAX; tries++) {
      if (this.length(run) >= count) return run;
      run = this.#word(run, AFTER);
    }
    const larger = this.#binFrom(bin + 1);
    if (larger >= 0) return this.#control[BIN_HEADS + larger]!;
    while (run !== 0 && this.length(run) < count) run = this.#word(run, AFTER);
    return run;
  }

  /** The first bin from `bin` on that has a run, or -1. */
  #binFrom(bin: number): number {
    if (bin >= BIN_COUNT) return -1;
    let word = bin >>> 5;
    let bits = this.#control[BIN_BITS + word]! & (-1 << (bin & 31));
    while (bits === 0) {
      if (++word * 32 >= BIN_COUNT) return -1;
      bits = this.#control[BIN_BITS + word]!;
    }
    return word * 32 + 31 - Math.clz32(bits & -bits);
  }

  /** A new chunk, as one free run in its bin, or 0. */
  #addChunk(): number {
    if (this.isView || this.words.length >= CHUNK_COUNT_MAX) return 0;
    try {
      this.words.push(this.#arena.chunks[this.#arena.addChunk()]!.i32);
      this.#control[CHUNKS] = this.words.length;
    } catch (error) {
      // V8's answer when the machine has no such piece of memory left: the namespace is full, the server lives on.
      if (error instanceof RangeError) return 0;
      throw error;
    }
    const run = ((this.words.length - 1) << UNIT_BITS) | DESCRIPTOR_UNITS;
    this.#link(run, RUN_MAX);
    return run;
  }

  #link(run: number, count: number): void {
    this.#tag(run, count, FREE);
    const bin = binOf(count);
    const first = this.#control[BIN_HEADS + bin]!;
    this.#setWord(run, BEFORE, 0);
    this.#setWord(run, AFTER, first);
    if (first !== 0) this.#setWord(first, BEFORE, run);
    this.#control[BIN_HEADS + bin] = run;
    this.#control[BIN_BITS + (bin >>> 5)]! |= 1 << (bin & 31);
  }

  #unlink(run: number): void {
    const before = this.#word(run, BEFORE);
    const after = this.#word(run, AFTER);
    if (after !== 0) this.#setWord(after, BEFORE, before);
    if (before !== 0) {
      this.#setWord(before, AFTER, after);
      return;
    }
    const bin = binOf(this.length(run));
    this.#control[BIN_HEADS + bin] = after;
    if (after === 0) this.#control[BIN_BITS + (bin >>> 5)]! &= ~(1 << (bin & 31));
  }

  #tag(run: number, count: number, state: number): void {
    const tag = (count << LENGTH_SHIFT) | state;
    this.#setWord(run, TAG, tag);
    this.#setWord(run + count - 1, TAG, tag);
  }

  #word(unit: number, word: number): number {
    return this.words[unit >>> UNIT_BITS]![(unit & UNIT_MASK) * UNIT_WORDS + word]!;
  }

  #setWord(unit: number, word: number, value: number): void {
    this.words[unit >>> UNIT_BITS]![(unit & UNIT_MASK) * UNIT_WORDS + word] = value;
  }
}

/** Bin of runs of `count` units. */
function binOf(count: number): number {
  if (count < EXACT_BINS) return count;
  const doubling = 31 - Math.clz32(count);
  return EXACT_BINS + (doubling - 4) * BIN_STEPS + ((count >>> (doubling - 3)) & (BIN_STEPS - 1));
}
