/** Namespaces on the main thread: the memory that all threads share about each, and its settings as numbers. */
import { Region } from '../base/arena.js';
import { Budget } from '../base/budget.js';
import { PARTITION_COUNT } from '../base/digest.js';
import { isOnFiles, type NamespaceConfig } from '../config/namespace-config.js';
import type { Settings } from '../config/settings.js';
import { BENCH_BATCH_SUB, BENCH_READ, BENCH_STORAGE, BENCH_WRITE } from '../observe/benchmarks.js';
import { CODEC_NAMES, NO_CODEC } from '../storage/codec/codecs.js';
import { ENTRY_SIZE } from '../storage/index/entry.js';
import { UNIT_SIZE } from '../storage/memory/size-class.js';
import { SetTable } from '../storage/record/set-table.js';
import {
  createNamespaceMemory,
  type NamespaceMemory,
  SET_TUNE_DEFAULT_TTL,
  SET_TUNE_DISABLE_EVICTION,
  SET_TUNE_ENABLE_INDEX,
  SET_TUNE_READ_TOUCH_PCT,
  SET_TUNE_STOP_COUNT,
  SET_TUNE_STOP_SIZE,
  SET_TUNE_STRIDE,
  TUNE_ALLOW_TTL_WITHOUT_NSUP,
  TUNE_APPLY_TTL_REDUCTIONS,
  TUNE_BENCHMARKS,
  TUNE_COMMIT,
  TUNE_COMMIT_MIN_SIZE,
  TUNE_COMPRESSION,
  TUNE_COMPRESSION_LEVEL,
  TUNE_DEFAULT_TTL,
  TUNE_DEFRAG_LWM_PCT,
  TUNE_DEFRAG_QUEUE_MIN,
  TUNE_DEFRAG_SLEEP_US,
  TUNE_DEFRAG_STARTUP_MIN_PCT,
  TUNE_DISALLOW_EXPUNGE,
  TUNE_DISALLOW_NULL_SETNAME,
  TUNE_EVER_COMPRESSED,
  TUNE_FLUSH_MAX_MS,
  TUNE_FLUSH_SIZE,
  TUNE_HIST_PERIOD,
  TUNE_INDEX_ENTRIES_MAX,
  TUNE_NSUP_PERIOD,
  TUNE_PENDING_LIMIT,
  TUNE_POST_WRITE_CACHE,
  TUNE_READ_TOUCH_PCT,
  TUNE_RECORD_SIZE_MAX,
  TUNE_REJECT_NON_XDR_WRITES,
  TUNE_REJECT_XDR_WRITES,
  TUNE_SET_INDEX_CHANGES,
  TUNE_SET_LIMITS,
  TUNE_STOP_AVAIL_PCT,
  TUNE_STOP_WRITES,
  TUNE_TOMB_RAIDER_AGE,
  TUNE_TOMB_RAIDER_PERIOD,
  TUNE_TOMB_RAIDER_SLEEP_US,
  TUNE_WRITE_CACHE_MAX,
} from './namespace-memory.js';
import type { NamespaceTask, SharedTask } from './worker-task.js';

const NAMES_OF_CODECS: readonly string[] = CODEC_NAMES;

/** Shards of a namespace, but for small files. */
export const SHARD_COUNT = 16;
/** Index bytes a record: its entry and its part of the directory. */
const INDEX_BYTES_PER_RECORD = ENTRY_SIZE + 4;
/** The largest record that any setting allows. */
const RECORD_SIZE_CAP = 8 * 1024 * 1024;

/** Namespace settings that are one number each, and where the number goes. */
const TUNINGS: readonly [slot: number, read: (config: NamespaceConfig) => number][] = [
  [TUNE_DEFAULT_TTL, c => c.settings.number('default-ttl')],
  [TUNE_NSUP_PERIOD, c => c.settings.number('nsup-period')],
  [TUNE_ALLOW_TTL_WITHOUT_NSUP, c => Number(c.settings.boolean('allow-ttl-without-nsup'))],
  [TUNE_RECORD_SIZE_MAX, c => c.settings.number('max-record-size') || RECORD_SIZE_CAP],
  [TUNE_APPLY_TTL_REDUCTIONS, c => Number(c.settings.boolean('apply-ttl-reductions'))],
  [
    TUNE_INDEX_ENTRIES_MAX,
    c => Math.floor(c.settings.number('indexes-memory-budget') / INDEX_BYTES_PER_RECORD),
  ],
  [TUNE_DISALLOW_NULL_SETNAME, c => Number(c.settings.boolean('disallow-null-setname'))],
  [TUNE_READ_TOUCH_PCT, c => c.settings.number('default-read-touch-ttl-pct')],
  [TUNE_HIST_PERIOD, c => c.settings.number('nsup-hist-period')],
  [TUNE_TOMB_RAIDER_AGE, c => c.settings.number('tomb-raider-eligible-age')],
  [TUNE_TOMB_RAIDER_PERIOD, c => c.settings.number('tomb-raider-period')],
  [TUNE_DISALLOW_EXPUNGE, c => Number(c.settings.boolean('disallow-expunge'))],
  [TUNE_PENDING_LIMIT, c => c.settings.number('transaction-pending-limit')],
  [TUNE_REJECT_NON_XDR_WRITES, c => Number(c.settings.boolean('reject-non-xdr-writes'))],
  [TUNE_COMPRESSION, codecOf],
  [TUNE_COMPRESSION_LEVEL, c => c.storage.number('compression-level')],
  [TUNE_REJECT_XDR_WRITES, c => Number(c.settings.boolean('reject-xdr-writes'))],
  [TUNE_SET_LIMITS, c => Number([...c.sets.values()].some(hasLimit))],
];

function hasLimit(set: Settings): boolean {
  return set.number('stop-writes-count') > 0 || set.number('stop-writes-size') > 0;
}

/** Storage settings that have to do with files. */
const FILE_TUNINGS: readonly [slot: number, name: string][] = [
  [TUNE_FLUSH_MAX_MS, 'flush-max-ms'],
  [TUNE_WRITE_CACHE_MAX, 'max-write-cache'],
  [TUNE_COMMIT_MIN_SIZE, 'commit-min-size'],
  [TUNE_FLUSH_SIZE, 'flush-size'],
  [TUNE_STOP_AVAIL_PCT, 'stop-writes-avail-pct'],
  [TUNE_DEFRAG_LWM_PCT, 'defrag-lwm-pct'],
  [TUNE_DEFRAG_SLEEP_US, 'defrag-sleep'],
  [TUNE_DEFRAG_QUEUE_MIN, 'defrag-queue-min'],
  [TUNE_DEFRAG_STARTUP_MIN_PCT, 'defrag-startup-minimum'],
  [TUNE_TOMB_RAIDER_SLEEP_US, 'tomb-raider-sleep'],
];

/** Set settings; `plus` 1 where 0 has to say "the namespace's". */
const SET_TUNINGS: readonly [slot: number, name: string, plus: number][] = [
  [SET_TUNE_DEFAULT_TTL, 'default-ttl', 1],
  [SET_TUNE_READ_TOUCH_PCT, 'default-read-touch-ttl-pct', 1],
  [SET_TUNE_STOP_COUNT, 'stop-writes-count', 0],
  [SET_TUNE_STOP_SIZE, 'stop-writes-size', 0],
];

/** What opening a device set has told: how many shards there are, and where partitions lie. */
export interface ShardLayout {
  readonly shardCount: number;
  readonly shardOf: Uint16Array;
}

export function memoryLayout(): ShardLayout {
  return {
    shardCount: SHARD_COUNT,
    shardOf: Uint16Array.from({ length: PARTITION_COUNT }, (_, pid) => pid % SHARD_COUNT),
  };
}

/** The task of a namespace but for what differs from worker to worker. */
export function namespaceTask(
  config: NamespaceConfig,
  layout: ShardLayout,
  workerCount: number,
  devices: NamespaceTask['storage'] | undefined,
): SharedTask {
  const memory = createNamespaceMemory(layout.shardCount);
  tune(config, memory);
  return {
    name: config.name,
    memory,
    shardOf: layout.shardOf,
    workerOf: Uint16Array.from({ length: layout.shardCount }, (_, shard) => shard % workerCount),
    storage: devices ?? {
      engine: 'memory',
      budget: new Budget(Math.floor(config.storage.number('data-size') / UNIT_SIZE)).shared,
    },
  };
}

function codecOf({ storage }: NamespaceConfig): number {
  return NAMES_OF_CODECS.indexOf(storage.string('compression'));
}

/** Brings the numbers that workers read up to date with the configuration. */
export function tune(config: NamespaceConfig, memory: NamespaceMemory): void {
  const tuning = new Region(memory.tuning).f64;
  // First: once a worker packs a record, no thread that cannot unpack it may take the shard for one of plain records.
  if (codecOf(config) !== NO_CODEC) tuning[TUNE_EVER_COMPRESSED] = 1;
  for (const [slot, read] of TUNINGS) tuning[slot] = read(config);
  tuning[TUNE_BENCHMARKS] = enabledBenchmarks(config);
  if (isOnFiles(config)) tuneFiles(config, tuning);
  const sets = new SetTable(memory.sets);
  const setTuning = new Region(memory.setTuning).f64;
  let hasChanged = false;
  for (const [name, settings] of config.sets) {
    if (tuneSet(sets, setTuning, name, settings)) hasChanged = true;
  }
  if (hasChanged) tuning[TUNE_SET_INDEX_CHANGES]! += 1; // after the sets' own
}

/** Bytes of written blocks to keep in memory; none of a namespace that is there anyway. */
export function postWriteCacheOf({ engine, storage }: NamespaceConfig): number {
  return engine === 'device' ? storage.number('post-write-cache') : 0;
}

/** Tells the workers whether a namespace takes writes. */
export function stopWrites(memory: NamespaceMemory, isStopped: boolean): void {
  new Region(memory.tuning).f64[TUNE_STOP_WRITES] = isStopped ? 1 : 0;
}

/** BENCH_… bits of the benchmarks that are on. */
export function enabledBenchmarks({ settings, storage }: NamespaceConfig): number {
  return (
    (settings.boolean('enable-benchmarks-read') ? BENCH_READ : 0) |
    (settings.boolean('enable-benchmarks-write') ? BENCH_WRITE : 0) |
    (settings.boolean('enable-benchmarks-batch-sub') ? BENCH_BATCH_SUB : 0) |
    (storage.boolean('enable-benchmarks-storage') ? BENCH_STORAGE : 0)
  );
}

function tuneFiles(config: NamespaceConfig, tuning: Float64Array): void {
  for (const [slot, name] of FILE_TUNINGS) tuning[slot] = config.storage.number(name);
  tuning[TUNE_POST_WRITE_CACHE] = postWriteCacheOf(config);
  tuning[TUNE_COMMIT] = Number(config.storage.boolean('commit-to-device'));
}

/** @returns Whether its enable-index has changed. */
function tuneSet(sets: SetTable, setTuning: Float64Array, name: string, settings: Settings): boolean {
  const bytes = Buffer.from(name);
  const id = sets.findOrAdd(bytes, 0, bytes.length);
  if (id <= 0) return false;
  const at = id * SET_TUNE_STRIDE;
  for (const [slot, setting, plus] of SET_TUNINGS) {
    setTuning[at + slot] = settings.isSet(setting) ? settings.number(setting) + plus : 0;
  }
  setTuning[at + SET_TUNE_DISABLE_EVICTION] = Number(settings.boolean('disable-eviction'));
  const isIndexed = Number(settings.boolean('enable-index'));
  const hasChanged = setTuning[at + SET_TUNE_ENABLE_INDEX] !== isIndexed;
  setTuning[at + SET_TUNE_ENABLE_INDEX] = isIndexed;
  return hasChanged;
}
