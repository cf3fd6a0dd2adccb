/**
 * What the threads share about one namespace: its settings as numbers, its sets, and a block of figures a
 * shard. The main thread writes the settings (a command pushed after a change sees it, since the ring's
 * counters order them); each shard's worker writes that shard's figures.
 */
import { Region, type SharedBytes } from '../base/arena.js';
import { ST_COUNT } from '../storage/engine.js';
import { createSetTable, SET_COUNT_MAX } from '../storage/record/set-table.js';
import { createEvictionCount } from './nsup/eviction-count.js';
import { createOwners } from './ownership.js';
import { createTruncation } from './truncation.js';

/** Float64 slots of the settings. Booleans are 0 or 1. */
export const TUNE_DEFAULT_TTL = 0; // seconds
export const TUNE_NSUP_PERIOD = 1; // seconds, 0 = no expiration thread
export const TUNE_ALLOW_TTL_WITHOUT_NSUP = 2;
export const TUNE_RECORD_SIZE_MAX = 3; // bytes
export const TUNE_DISALLOW_NULL_SETNAME = 4;
export const TUNE_READ_TOUCH_PCT = 5;
export const TUNE_PENDING_LIMIT = 6; // commands waiting for one digest
export const TUNE_REJECT_NON_XDR_WRITES = 7;
export const TUNE_REJECT_XDR_WRITES = 8;
export const TUNE_FLUSH_MAX_MS = 9;
export const TUNE_WRITE_CACHE_MAX = 10; // bytes, of the whole namespace
export const TUNE_HIST_PERIOD = 13; // seconds between surveys for histogram:, 0 = never
export const TUNE_POST_WRITE_CACHE = 12; // bytes, of the whole namespace
export const TUNE_APPLY_TTL_REDUCTIONS = 11;
export const TUNE_INDEX_ENTRIES_MAX = 14; // of the whole namespace, 0 = no limit
export const TUNE_DEFRAG_LWM_PCT = 16;
export const TUNE_DEFRAG_SLEEP_US = 17; // between two blocks of a device
export const TUNE_DEFRAG_QUEUE_MIN = 18; // blocks
export const TUNE_DEFRAG_STARTUP_MIN_PCT = 19;
export const TUNE_COMMIT = 20; // 1: commit-to-device
export const TUNE_COMMIT_MIN_SIZE = 21; // bytes
export const TUNE_FLUSH_SIZE = 22; // bytes
export const TUNE_STOP_AVAIL_PCT = 23;
export const TUNE_BENCHMARKS = 24; // BENCH_… bits
export const TUNE_STOP_WRITES = 25; // 1: writes are refused, the namespace is too full
export const TUNE_COMPRESSION = 28; // codec number; the level stands behind it
export const TUNE_COMPRESSION_LEVEL = 29;
export const TUNE_EVER_COMPRESSED = 30; // some record may be stored compressed
export const TUNE_TOMB_RAIDER_AGE = 40; // seconds
export const TUNE_TOMB_RAIDER_PERIOD = 41; // seconds, 0 = never
export const TUNE_TOMB_RAIDER_SLEEP_US = 45; // between two blocks
export const TUNE_DISALLOW_EXPUNGE = 42;
export const TUNE_SET_INDEX_CHANGES = 44; // counts changes of sets' enable-index
export const TUNE_SET_LIMITS = 43; // 1: some set has a stop-writes-count or stop-writes-size
const TUNE_COUNT = 64;

/** Float64 slots a set has in a shard's block. */
export const SET_OBJECTS = 0;
export const SET_TOMBSTONES = 1;
export const SET_BYTES = 2;
export const SET_INDEXED = 3; // nsup/set-indexing.ts says with what
const SET_STRIDE = 4;

export interface NamespaceMemory {
  tuning: SharedBytes;
  sets: SharedBytes;
  /** Float64 [set][SET_TUNE_…]; ttl and percent plus 1, so that 0 is the namespace's. Written by main. */
  setTuning: SharedBytes;
  /** By shard: ST_COUNT storage slots, then SET_STRIDE slots a set. */
  shards: SharedBytes[];
  /** What was truncated and evicted: truncation.ts. */
  truncation: SharedBytes;
  /** What is to be counted for eviction: nsup/eviction-count.ts. */
  evictionCount: SharedBytes;
  /** Who uses which shard now: ownership.ts. */
  owners: SharedBytes;
}

export const SET_TUNE_DEFAULT_TTL = 0;
export const SET_TUNE_READ_TOUCH_PCT = 1;
export const SET_TUNE_STOP_COUNT = 2; // records, 0 = no limit
export const SET_TUNE_STOP_SIZE = 3; // bytes, 0 = no limit
export const SET_TUNE_DISABLE_EVICTION = 4;
export const SET_TUNE_ENABLE_INDEX = 5;
export const SET_TUNE_STRIDE = 8;

export function createNamespaceMemory(shardCount: number): NamespaceMemory {
  const shards: SharedBytes[] = [];
  for (let i = 0; i < shardCount; i++) {
    shards.push(new Region((ST_COUNT + (SET_COUNT_MAX + 1) * SET_STRIDE) * 8).shared);
  }
  return {
    tuning: new Region(TUNE_COUNT * 8).shared,
    sets: createSetTable(),
    setTuning: new Region((SET_COUNT_MAX + 1) * SET_TUNE_STRIDE * 8).shared,
    shards,
    truncation: createTruncation(),
    evictionCount: createEvictionCount(),
    owners: createOwners(shardCount),
  };
}

/** Index of a set's slot in a shard's block. */
export function setSlot(setId: number, slot: number): number {
  return ST_COUNT + setId * SET_STRIDE + slot;
}
