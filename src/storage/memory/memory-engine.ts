/**
 * Records of one shard in memory. A record lies in one piece, in a block of its size class (page-heap.ts) or,
 * when it is large, in a run of units of its own (unit-pool.ts). All shards of a namespace draw their units from
 * one budget, the namespace's data-size, so none runs full while another has room to spare.
 *
 * Everything mutable is shared memory; the object only describes it. Nothing here survives the process.
 */
import { type ChunkListener, Region, type SharedBytes } from '../../base/arena.js';
import type { Budget } from '../../base/budget.js';
import { OK, OUT_OF_SPACE, RECORD_TOO_BIG } from '../../base/result.js';
import type { RecordCompression } from '../codec/record-compression.js';
import {
  RecordSpan,
  ST_AVAILABLE_BYTES,
  ST_INDEX_BYTES,
  ST_TOTAL_BYTES,
  ST_USED_BYTES,
  type StorageEngine,
} from '../engine.js';
import type { PrimaryIndex } from '../index/primary-index.js';
import {
  FLAG_COMPRESSED,
  REC_CHECKSUM,
  REC_FLAGS_SET_GEN,
  REC_LUT_SEQ_HIGH,
  REC_MAGIC,
  REC_SEQ_LOW,
  REC_SIZE,
  REC_STAMP,
  RECORD_ALIGN,
  RECORD_MAGIC,
} from '../record/flat-record.js';
import { compact } from './compaction.js';
import { PageHeap } from './page-heap.js';
import { CLASS_SIZE_MAX, classOf, UNIT_BLOCKS, UNIT_SIZE } from './size-class.js';
import { UnitPool, type UnitPoolMemory } from './unit-pool.js';

/** A record of 8 MiB and its header, set name and key. */
export const RECORD_SIZE_MAX = 8 * 1024 * 1024 + UNIT_SIZE;

/** Float64 words of the control region. */
const SEQUENCE = 0; // the last one given out
const RESERVED_AT = 1; // location of the room that `reserve` found and `store` has not sealed; 0 = none
const RESERVED_SIZE = 2; // bytes
const CONTROL_WORDS = 3;

export interface MemoryEngineOptions {
  index: PrimaryIndex;
  /** Slots ST_* of this shard. */
  counters: Float64Array;
  /** Memory of the namespace, in units of UNIT_SIZE bytes. */
  budget: Budget;
  /** How many shards share the budget: each reports its part of what is there and left. */
  shardCount: number;
  /** Without one, records are stored as they are. */
  compression?: RecordCompression;
  /** Hears of each new chunk of records. */
  onChunk?: ChunkListener;
  /** Makes this object another thread's description of an engine that lives already. It adds no memory to the engine. */
  memory?: MemoryEngineMemory;
}

/** Everything mutable of an engine, as it travels to another thread. */
export interface MemoryEngineMemory {
  control: SharedBytes;
  pages: SharedBytes;
  pool: UnitPoolMemory;
}

export class MemoryEngine implements StorageEngine {
  readonly recordSizeMax = RECORD_SIZE_MAX;
  readonly commitNumber = 0;
  readonly committedNumber = 0;
  readonly #index: PrimaryIndex;
  readonly #counters: Float64Array;
  readonly #budget: Budget;
  readonly #shardCount: number;
  readonly #compression: RecordCompression | null;
  readonly #pool: UnitPool;
  readonly #pages: PageHeap;
  readonly #control: Float64Array;
  readonly #own = new RecordSpan();

  constructor(options: MemoryEngineOptions) {
    const { memory } = options;
    this.#index = options.index;
    this.#counters = options.counters;
    this.#budget = options.budget;
    this.#shardCount = options.shardCount;
    this.#compression = options.compression ?? null;
    this.#pool = new UnitPool(options.budget, options.onChunk, memory?.pool);
    this.#pages = new PageHeap(this.#pool, memory?.pages);
    this.#control = new Region(memory?.control ?? CONTROL_WORDS * 8).f64;
    if (memory !== undefined) return;
    this.#counters[ST_TOTAL_BYTES] = (options.budget.total * UNIT_SIZE) / options.shardCount;
    this.#refreshCounters();
  }

  /** For `options.memory` on another thread, whose view is no longer `isCurrent` when a chunk was added since. */
  get memory(): MemoryEngineMemory {
    return {
      control: this.#control.buffer as SharedBytes,
      pages: this.#pages.control,
      pool: this.#pool.memory,
    };
  }

  /** Whether a view knows all memory of the engine. */
  get isCurrent(): boolean {
    return this.#pool.isCurrent;
  }

  /** Another number whenever a view made before it is no longer current. */
  get shape(): number {
    return this.#pool.words.length;
  }

  /** Bytes of the units that this shard holds, whether records fill them or not. */
  get footprint(): number {
    return this.#pool.takenUnits * UNIT_SIZE;
  }

  load(entry: number, _token: number, out: RecordSpan): number {
    const size = this.#index.size(entry);
    if (size === 0) throw new Error(`memory engine: nothing is stored for entry ${entry}`);
    this.#pool.span(this.#index.location(entry), out);
    out.size = size;
    if ((out.region.i32[(out.at >>> 2) + REC_FLAGS_SET_GEN]! & FLAG_COMPRESSED) !== 0)
      return this.#unpack(out);
    return OK;
  }

  /**
   * Brings a record near to the processor, from any thread.
   * @param low  The words of its index entry that say where it is,
   * @param high and how long.
   * @returns Nothing of use.
   */
  touch(low: number, high: number): number {
    return this.#pool.touch(low, high);
  }

  /** As `touch`, for many: unit-pool.ts. */
  touchMany(lows: Int32Array, highs: Int32Array, from: number, to: number): void {
    this.#pool.touchMany(lows, highs, from, to);
  }

  release(_token: number): void {} // nothing ever parks here

  reserve(size: number, out: RecordSpan): number {
    if (size > RECORD_SIZE_MAX) return RECORD_TOO_BIG;
    this.#dropReserved();
    const location = this.#take(size);
    if (location === 0) return OUT_OF_SPACE;
    this.#control[RESERVED_AT] = location;
    this.#control[RESERVED_SIZE] = size;
    this.#pool.span(location, out);
    out.size = size;
    return OK;
  }

  store(entry: number): void {
    if (this.#compression?.isOn) this.#pack(this.#compression);
    const location = this.#control[RESERVED_AT]!;
    const size = this.#control[RESERVED_SIZE]!;
    if (location === 0) throw new Error('memory engine: store without reserve');
    this.#pool.span(location, this.#own);
    const words = this.#own.region.i32;
    const w = this.#own.at >>> 2;
    if (words[w + REC_MAGIC] !== RECORD_MAGIC)
      throw new Error('memory engine: no record in the reserved room');
    words[w + REC_SIZE] = size;
    words[w + REC_CHECKSUM] = 0;
    words[w + REC_STAMP] = 0;
    const oldLocation = this.#index.location(entry);
    const oldSize = this.#index.size(entry);
    this.#index.setPlace(entry, location, size, words[w + REC_SEQ_LOW]!, words[w + REC_LUT_SEQ_HIGH]! >>> 16);
    this.#control[RESERVED_AT] = 0;
    this.#counters[ST_USED_BYTES]! += roundUp(size);
    if (oldSize !== 0) this.#free(oldLocation, oldSize);
    else this.#counters[ST_INDEX_BYTES] = this.#index.usedBytes;
  }

  /** Memory forgets by itself: no marker is needed, and it always succeeds. */
  remove(entry: number, _lutMs: number): number {
    const size = this.#index.size(entry);
    if (size !== 0) this.#free(this.#index.location(entry), size);
    this.#index.setLocation(entry, 0);
    this.#index.setSize(entry, 0);
    return OK;
  }

  /** The entry alone is the tombstone. */
  bury(entry: number, lutMs: number): number {
    return this.remove(entry, lutMs);
  }

  expire(entry: number): void {
    this.remove(entry, 0);
  }

  drop(entry: number): void {
    this.remove(entry, 0);
  }

  /** There is no start that could begin with it. */
  keepClock(_lutMs: number): number {
    return OK;
  }

  nextSequence(): number {
    return ++this.#control[SEQUENCE]!;
  }

  poll(_tokens: Int32Array): number {
    return 0;
  }

  /** Empties a few sparse pages, so that what one size has left becomes room for every other. */
  tick(_nowMs: number): void {
    // Reserved room has no entry that could be told of a move.
    if (this.#control[RESERVED_AT] === 0) compact(this.#pages, this.#pool, this.#index);
    this.#refreshCounters();
  }

  flush(): void {}

  close(): void {}

  #take(size: number): number {
    return size <= CLASS_SIZE_MAX
      ? this.#pages.take(classOf(size))
      : this.#pool.take(Math.ceil(size / UNIT_SIZE), true) * UNIT_BLOCKS;
  }

  /** Packs the record in the reserved room, and moves it to room of its new size, if there is any. */
  #pack(compression: RecordCompression): void {
    const location = this.#control[RESERVED_AT]!;
    const size = this.#control[RESERVED_SIZE]!;
    this.#pool.span(location, this.#own);
    const { region, at } = this.#own;
    const packedSize = compression.pack(region, at, size, this.#counters);
    if (packedSize >= size) return;
    const packedAt = this.#take(packedSize);
    if (packedAt === 0) return;
    this.#pool.span(packedAt, this.#own);
    compression.write(region, at, this.#own.region, this.#own.at);
    region.i32[(at >>> 2) + REC_MAGIC] = 0;
    this.#give(location, size);
    this.#control[RESERVED_AT] = packedAt;
    this.#control[RESERVED_SIZE] = packedSize;
  }

  #unpack(span: RecordSpan): number {
    if (this.#compression === null) throw new Error('memory engine: a packed record that nothing can unpack');
    const code = this.#compression.unpack(span);
    if (code !== OK)
      throw new Error(`memory engine: a record cannot be unpacked: ${this.#compression.reason}`);
    return OK;
  }

  #dropReserved(): void {
    const location = this.#control[RESERVED_AT]!;
    if (location === 0) return;
    this.#control[RESERVED_AT] = 0;
    this.#give(location, this.#control[RESERVED_SIZE]!);
  }

  #free(location: number, size: number): void {
    this.#pool.span(location, this.#own);
    const words = this.#own.region.i32;
    const w = this.#own.at >>> 2;
    if (words[w + REC_MAGIC] !== RECORD_MAGIC || words[w + REC_SIZE] !== size) {
      throw new Error(`memory engine: no record of ${size} bytes at ${location}`);
    }
    words[w + REC_MAGIC] = 0;
    this.#counters[ST_USED_BYTES]! -= roundUp(size);
    this.#give(location, size);
  }

  #give(location: number, size: number): void {
    if (size <= CLASS_SIZE_MAX) this.#pages.give(location);
    else this.#pool.give(Math.floor(location / UNIT_BLOCKS));
  }

  #refreshCounters(): void {
    this.#counters[ST_AVAILABLE_BYTES] = (this.#budget.left * UNIT_SIZE) / this.#shardCount;
    this.#counters[ST_INDEX_BYTES] = this.#index.usedBytes;
  }
}

function roundUp(size: number): number {
  return (size + RECORD_ALIGN - 1) & -RECORD_ALIGN;
}
