/**
 * A shard: a fixed set of partitions of one namespace with their index and storage, owned by one worker.
 * These objects only describe memory that is shared; everything that changes lies there.
 */
import { Region } from '../base/arena.js';
import { OK } from '../base/result.js';
import { STEP_NAMES } from '../observe/benchmarks.js';
import { HistogramBlock } from '../observe/histogram.js';
import { EVICTED_OBJECTS } from '../observe/namespace-counters.js';
import type { StorageEngine } from '../storage/engine.js';
import { ST_NSUP_EVICTED, ST_OBJECTS, ST_TOMBSTONES, ST_TRUNCATED_VERSION } from '../storage/engine.js';
import { RecordClock } from '../storage/expiry/record-clock.js';
import { KEY_STORED, TOMBSTONE } from '../storage/index/entry.js';
import type { PrimaryIndex } from '../storage/index/primary-index.js';
import { SetTable } from '../storage/record/set-table.js';
import { CommitLine } from './commit-line.js';
import {
  type NamespaceMemory,
  SET_BYTES,
  SET_OBJECTS,
  SET_TOMBSTONES,
  SET_TUNE_DISABLE_EVICTION,
  SET_TUNE_ENABLE_INDEX,
  SET_TUNE_STOP_COUNT,
  SET_TUNE_STOP_SIZE,
  SET_TUNE_STRIDE,
  setSlot,
  TUNE_INDEX_ENTRIES_MAX,
  TUNE_SET_LIMITS,
} from './namespace-memory.js';
import { EvictionCount } from './nsup/eviction-count.js';
import type { Ownership } from './ownership.js';
import { TruncationView } from './truncation.js';

/** One namespace as a worker sees it. */
export class NamespaceView {
  readonly id: number;
  readonly name: string;
  /** Whether its records are stored in memory, not on a device. */
  readonly isMemory: boolean;
  readonly nameBytes: Uint8Array;
  readonly tuning: Float64Array;
  readonly sets: SetTable;
  readonly truncation: TruncationView;
  readonly evictionCount: EvictionCount;
  readonly #setTuning: Float64Array;
  /** The figures of all shards, those of other workers too. */
  readonly #figures: readonly Float64Array[];
  /** This worker's block of the namespace's counters (observe/namespace-counters.ts). */
  readonly counters: Float64Array;
  /** This worker's histograms of commands (observe/benchmarks.ts). */
  readonly times: HistogramBlock;

  constructor(
    id: number,
    name: string,
    memory: NamespaceMemory,
    counters: Float64Array,
    isMemory = true,
    times = HistogramBlock.create(STEP_NAMES.length, 'msec'),
  ) {
    this.isMemory = isMemory;
    this.times = times;
    this.id = id;
    this.name = name;
    this.nameBytes = Buffer.from(name);
    this.tuning = new Region(memory.tuning).f64;
    this.sets = new SetTable(memory.sets);
    this.truncation = new TruncationView(memory.truncation);
    this.evictionCount = new EvictionCount(memory.evictionCount);
    this.#setTuning = new Region(memory.setTuning).f64;
    this.#figures = memory.shards.map(shared => new Region(shared).f64);
    this.counters = counters;
  }

  /** A setting that a set may have of its own (slots SET_TUNE_…), else the namespace's (slots TUNE_…). */
  setOrNamespace(setId: number, setTune: number, tune: number): number {
    const own = setId > 0 ? this.#setTuning[setId * SET_TUNE_STRIDE + setTune]! : 0;
    return own > 0 ? own - 1 : this.tuning[tune]!;
  }

  /**
   * Whether a set takes no writes: it has reached its stop-writes-count or stop-writes-size. Looked at anew for each
   * write, so that writes go on as soon as records have gone.
   */
  isSetFull(setId: number): boolean {
    if (this.tuning[TUNE_SET_LIMITS] === 0 || setId <= 0) return false;
    const at = setId * SET_TUNE_STRIDE;
    const countMax = this.#setTuning[at + SET_TUNE_STOP_COUNT]!;
    const sizeMax = this.#setTuning[at + SET_TUNE_STOP_SIZE]!;
    if (countMax === 0 && sizeMax === 0) return false;
    let count = 0;
    let size = 0;
    for (const figures of this.#figures) {
      count += figures[setSlot(setId, SET_OBJECTS)]!;
      size += figures[setSlot(setId, SET_BYTES)]!;
    }
    return (countMax > 0 && count >= countMax) || (sizeMax > 0 && size >= sizeMax);
  }

  /** Whether the records of a set are never evicted. */
  isSetSpared(setId: number): boolean {
    return this.#setTuning[setId * SET_TUNE_STRIDE + SET_TUNE_DISABLE_EVICTION] !== 0;
  }

  /** Whether a set is to have an index of its own. */
  isSetIndexWanted(setId: number): boolean {
    return this.#setTuning[setId * SET_TUNE_STRIDE + SET_TUNE_ENABLE_INDEX] !== 0;
  }

  /** The block of figures of one shard. */
  figuresOf(shard: number): Float64Array {
    return this.#figures[shard]!;
  }

  /** Entries that one shard's index may have, 0 = no limit: an even share of the namespace's budget. */
  get indexEntriesMax(): number {
    return Math.ceil(this.tuning[TUNE_INDEX_ENTRIES_MAX]! / this.#figures.length);
  }
}

export class Shard {
  readonly namespace: NamespaceView;
  readonly index: PrimaryIndex;
  readonly engine: StorageEngine;
  /** Commands whose appends have to be durable before they are answered. */
  readonly commits = new CommitLine();
  /** The shard's figures: ST_… slots of storage/engine.ts, then those of each set. */
  readonly figures: Float64Array;
  /** To be taken for each command where other threads execute some too, else null. */
  readonly ownership: Ownership | null;
  readonly clock: RecordClock;
  /** Pids. */
  readonly partitions: Uint16Array;
  /** Of the truncations that commands go by. */
  truncationVersion = 0;

  constructor(
    namespace: NamespaceView,
    partitions: Uint16Array,
    index: PrimaryIndex,
    engine: StorageEngine,
    figures: Float64Array,
    ownership: Ownership | null = null,
  ) {
    this.ownership = ownership;
    this.partitions = partitions;
    this.namespace = namespace;
    this.index = index;
    this.engine = engine;
    this.figures = figures;
    this.clock = new RecordClock(figures);
  }

  /**
   * Whether the record of an entry is there for commands. It is gone from the second of its void-time on, or when it
   * was truncated, whether or not anything has removed it.
   * @param nowSec Of the record clock.
   */
  isLive(entry: number, nowSec: number): boolean {
    if (this.index.hasFlag(entry, TOMBSTONE)) return false;
    if (this.figures[ST_TRUNCATED_VERSION] !== this.truncationVersion) {
      if (this.isTruncated(entry) || this.isEvicted(entry)) return false;
    }
    const voidTime = this.index.voidTime(entry);
    if (voidTime === 0 || voidTime > nowSec) return true;
    this.clock.expired(voidTime);
    return false;
  }

  /** Goes by what has been truncated until now; before each command. What is written from here on is written after it. */
  adoptTruncation(): void {
    const { truncation } = this.namespace;
    if (truncation.isStale) truncation.refresh();
    if (truncation.version === this.truncationVersion) return;
    this.truncationVersion = truncation.version;
    this.clock.raise(truncation.highestLutMs);
  }

  /** Whether records that were truncated or evicted may still be there. */
  get isTruncating(): boolean {
    const { truncation } = this.namespace;
    return truncation.isStale || this.figures[ST_TRUNCATED_VERSION] !== truncation.version;
  }

  isTruncated(entry: number): boolean {
    return this.namespace.truncation.isTruncated(this.index.setId(entry), this.index.lut(entry));
  }

  isEvicted(entry: number): boolean {
    const { index } = this;
    return this.namespace.truncation.isEvicted(index.setId(entry), index.voidTime(entry), index.lut(entry));
  }

  /**
   * Takes a record that was evicted out of index and storage, for good: it leaves a marker, as a delete does.
   * @returns OK or the engine's refusal, with nothing changed.
   */
  evict(entry: number): number {
    const { index } = this;
    const size = index.size(entry);
    const code = this.engine.remove(entry, this.clock.ms);
    if (code !== OK) return code;
    this.countRecord(index.setId(entry), size, -1);
    index.remove(entry);
    this.namespace.counters[EVICTED_OBJECTS]! += 1;
    this.figures[ST_NSUP_EVICTED]! += 1;
    return OK;
  }

  /** Takes a record or tombstone that was truncated out of index and storage. */
  drop(entry: number): void {
    const { index } = this;
    if (index.hasFlag(entry, TOMBSTONE)) this.countTombstone(index.setId(entry), -1);
    else this.countRecord(index.setId(entry), index.size(entry), -1);
    this.engine.drop(entry);
    index.remove(entry);
  }

  /**
   * A durable delete: a tombstone takes the place of a record.
   * @returns OK or the engine's refusal, with nothing changed.
   */
  bury(entry: number, lutMs: number): number {
    const { index } = this;
    const size = index.size(entry);
    const code = this.engine.bury(entry, lutMs);
    if (code !== OK) return code;
    this.countRecord(index.setId(entry), size, -1);
    this.countTombstone(index.setId(entry), 1);
    index.setFlag(entry, TOMBSTONE, true);
    index.setFlag(entry, KEY_STORED, false);
    index.setVoidTime(entry, 0);
    index.setLut(entry, lutMs);
    return OK;
  }

  /** Takes a tombstone out of the index; what is stored of it goes on keeping older versions dead. */
  forgetTombstone(entry: number): void {
    const { index } = this;
    this.countTombstone(index.setId(entry), -1);
    this.engine.expire(entry);
    index.remove(entry);
  }

  /** Counts a tombstone in (sign 1) or out (sign -1). */
  countTombstone(setId: number, sign: number): void {
    this.figures[ST_TOMBSTONES]! += sign;
    if (setId > 0) this.figures[setSlot(setId, SET_TOMBSTONES)]! += sign;
  }

  /** Takes a record that has expired out of index and storage. */
  expire(entry: number): void {
    const { index } = this;
    this.clock.expired(index.voidTime(entry));
    this.countRecord(index.setId(entry), index.size(entry), -1);
    this.engine.expire(entry);
    index.remove(entry);
  }

  /** Counts a record in (sign 1) or out (sign -1) of the shard and its set. `size` is its stored size, bytes. */
  countRecord(setId: number, size: number, sign: number): void {
    this.figures[ST_OBJECTS]! += sign;
    if (setId > 0) {
      this.figures[setSlot(setId, SET_OBJECTS)]! += sign;
      this.figures[setSlot(setId, SET_BYTES)]! += sign * ((size + 15) & ~15);
    }
  }

  /** Counts the records of a set that a start has found. `bytes`: their stored sizes, each rounded up to 16. */
  countFound(setId: number, records: number, bytes: number, tombstones: number): void {
    this.figures[ST_OBJECTS]! += records;
    this.figures[ST_TOMBSTONES]! += tombstones;
    if (setId > 0) {
      this.figures[setSlot(setId, SET_OBJECTS)]! += records;
      this.figures[setSlot(setId, SET_BYTES)]! += bytes;
      this.figures[setSlot(setId, SET_TOMBSTONES)]! += tombstones;
    }
  }

  /** Counts a change of a record's stored size. */
  countResize(setId: number, sizeBefore: number, size: number): void {
    if (setId > 0) {
      this.figures[setSlot(setId, SET_BYTES)]! += ((size + 15) & ~15) - ((sizeBefore + 15) & ~15);
    }
  }
}
