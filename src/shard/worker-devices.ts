/**
 * The device storage of one worker: the engines of its shards and the I/O that they share. A worker without
 * device namespaces has one too, which does nothing.
 */
import { epochSec } from '../base/clock.js';
import type { Blocker } from '../base/sleeper.js';
import { BENCH_STORAGE } from '../observe/benchmarks.js';
import type { HistogramBlock } from '../observe/histogram.js';
import type { ForwardingLog } from '../observe/log.js';
import { LimitedLog } from '../observe/log-limit.js';
import type { RecordCompression } from '../storage/codec/record-compression.js';
import { DeviceEngine } from '../storage/device/device-engine.js';
import type { DeviceSet } from '../storage/device/device-set.js';
import { DeviceTimes } from '../storage/device/device-times.js';
import type { StorageEngine } from '../storage/engine.js';
import type { PrimaryIndex } from '../storage/index/primary-index.js';
import { IoQueue } from '../storage/io/io-queue.js';
import { UringIo } from '../storage/io/uring-io.js';
import { openWorkerIo } from '../storage/io/worker-io.js';
import { DEFAULT_LIMITS } from '../storage/write-block/writer-limits.js';
import { READ_BUFFERS_SIZE, STAGED_BLOCKS } from './device-setup.js';
import {
  TUNE_BENCHMARKS,
  TUNE_COMMIT,
  TUNE_COMMIT_MIN_SIZE,
  TUNE_DEFRAG_LWM_PCT,
  TUNE_DEFRAG_QUEUE_MIN,
  TUNE_DEFRAG_SLEEP_US,
  TUNE_DEFRAG_STARTUP_MIN_PCT,
  TUNE_FLUSH_MAX_MS,
  TUNE_FLUSH_SIZE,
  TUNE_POST_WRITE_CACHE,
  TUNE_STOP_AVAIL_PCT,
  TUNE_TOMB_RAIDER_PERIOD,
  TUNE_TOMB_RAIDER_SLEEP_US,
  TUNE_WRITE_CACHE_MAX,
} from './namespace-memory.js';
import type { Ownership } from './ownership.js';
import type { NamespaceView, Shard } from './shard.js';
import type { WorkerTask } from './worker-task.js';

/** Blocks that every shard may have on their way to the device, however small max-write-cache is. */
const WRITE_CACHE_BLOCKS_MIN = 2;
/** Blocks of a shard that are in memory beside its caches: open ones, and those that defrag fills, reads and empties. */
const OPEN_BLOCKS = 6;
/** Processor time of a checkpoint in a tick. */
const CHECKPOINT_STEP_MS = 1;
/** And of a raid for markers. */
const RAID_STEP_MS = 0.5;
const FILE_CONTEXT = 'drv_ssd';
/** A request that is not answered for this long is told of, again and again. */
const STUCK_MS = 5000;

interface OpenEngine {
  readonly engine: DeviceEngine;
  readonly view: NamespaceView;
  readonly set: DeviceSet;
  /** Shards on the same device, this one included. */
  readonly shardsBeside: number;
  readonly times: DeviceTimes;
  /** Of the shard: held for every call of the engine that may change it. */
  readonly ownership: Ownership;
}

export class WorkerDevices {
  readonly #io: IoQueue | null;
  readonly #engines: OpenEngine[] = [];
  /** Place of the engine whose checkpoint is being written, or was the last to be. */
  #checkpointed = 0;
  /** Place of the engine whose markers are being looked for, or were last. */
  #raided = 0;
  readonly #log: LimitedLog;
  readonly #tokenCount: number;
  /** By namespace and path. */
  readonly #times = new Map<string, DeviceTimes>();
  #lookedMs = 0;

  /** @param tokenCount Command slots of the worker: tokens of loads are below this. */
  constructor(task: WorkerTask, log: ForwardingLog, tokenCount: number) {
    this.#io = task.io === null ? null : new IoQueue(openWorkerIo(task.io));
    this.#log = new LimitedLog(log.context(FILE_CONTEXT));
    this.#tokenCount = tokenCount;
  }

  /** What the worker may sleep on, so that it wakes when a device answers; null: its helper threads wake it. */
  get blocker(): Blocker | null {
    const backend = this.#io?.backend;
    return backend instanceof UringIo ? backend : null;
  }

  /** Makes the engine of a shard; `recover` has to follow. */
  openEngine(
    view: NamespaceView,
    { devices: set, isResident }: { devices: DeviceSet; isResident: boolean },
    number: number,
    index: PrimaryIndex,
    figures: Float64Array,
    deviceTimes: HistogramBlock,
    compression: RecordCompression,
    ownership: Ownership,
  ): StorageEngine {
    if (this.#io === null) throw new Error('a device namespace needs device I/O');
    const times = this.#timesOf(view, set.extents[number]!, deviceTimes);
    const engine = new DeviceEngine({
      extent: set.extents[number]!,
      shardOf: set.shardOf,
      io: this.#io,
      index,
      counters: figures,
      tokenCount: this.#tokenCount,
      recordSizeMax: set.writeBlockSize,
      limits: { ...DEFAULT_LIMITS },
      isResident,
      sets: view.sets,
      startsEmpty: set.startsEmpty,
      times,
      compression,
      owner: ownership,
      log: this.#log,
    });
    const { device } = set.extents[number]!;
    const shardsBeside = set.extents.filter(extent => extent.device === device).length;
    this.#engines.push({ engine, view, set, times, shardsBeside, ownership });
    return engine;
  }

  /** Rebuilds the indexes from the devices. @returns false when the worker was told to stop meanwhile. */
  recover(shards: readonly Shard[], isStopping: () => boolean): boolean {
    this.retune();
    for (const { engine } of this.#engines) {
      const shard = shards.find(candidate => candidate.engine === engine)!;
      const onSet = (setId: number, records: number, bytes: number, tombstones: number): void =>
        shard.countFound(setId, records, bytes, tombstones);
      const isDone = engine.recover(epochSec(), onSet, isStopping);
      if (!isDone) return false;
    }
    return true;
  }

  /** Whether an engine is one of these. */
  has(engine: StorageEngine): boolean {
    return this.#engines.some(open => open.engine === engine);
  }

  /** Time-driven work of all engines: flushes, settings that were changed. */
  tick(nowMs: number): void {
    if (this.#engines.length === 0) return;
    this.retune();
    for (const { engine, ownership } of this.#engines) {
      ownership.take();
      engine.tick(nowMs);
      ownership.give();
    }
    for (const times of this.#times.values()) times.tick(nowMs);
    if (nowMs - this.#lookedMs >= STUCK_MS) this.#lookForStuck(nowMs);
    this.#log.tick(nowMs);
    this.#checkpoint(nowMs);
    this.#raid(nowMs);
  }

  /** Goes on with the raid for markers of one shard, or begins one that is due. */
  #raid(nowMs: number): void {
    const { engine, ownership, view } = this.#engines[this.#raided]!;
    if (engine.raid.isActive) {
      ownership.take();
      engine.raid.step(nowMs, RAID_STEP_MS, view.tuning[TUNE_TOMB_RAIDER_SLEEP_US]! / 1000);
      ownership.give();
      return;
    }
    this.#raided = this.#beginNext(this.#raided, nowMs, beginRaid);
  }

  /** Goes on with the checkpoint of one shard: the others wait, so that a tick stays short. */
  #checkpoint(nowMs: number): void {
    const { engine, ownership } = this.#engines[this.#checkpointed]!;
    if (engine.checkpoints?.isActive) {
      ownership.take();
      engine.checkpoints.step(CHECKPOINT_STEP_MS);
      ownership.give();
      return;
    }
    this.#checkpointed = this.#beginNext(this.#checkpointed, nowMs, beginCheckpoint);
  }

  /** Begins something on the first shard after place `last` that it is due on. @returns Where it has begun, or `last`. */
  #beginNext(last: number, nowMs: number, begin: (open: OpenEngine, nowMs: number) => boolean): number {
    for (let i = 1; i <= this.#engines.length; i++) {
      const place = (last + i) % this.#engines.length;
      if (begin(this.#engines[place]!, nowMs)) return place;
    }
    return last;
  }

  /** The times of a device, which its shards on this worker share. */
  #timesOf(view: NamespaceView, extent: DeviceSet['extents'][number], block: HistogramBlock): DeviceTimes {
    const key = `${view.id} ${extent.path}`;
    const found = this.#times.get(key);
    if (found) return found;
    const times = new DeviceTimes(extent.path, block, extent.device, this.#log, extent.shadow?.path);
    this.#times.set(key, times);
    return times;
  }

  /** A device that does not answer at all shows nowhere else. */
  #lookForStuck(nowMs: number): void {
    this.#lookedMs = nowMs;
    const { durationMs, path } = this.#io!.longest();
    if (durationMs < STUCK_MS) return;
    const seconds = (durationMs / 1000).toFixed(0);
    this.#log.critical(
      `${path}: the device has not answered a request for ${seconds} s; commands that need it wait, writes answer 18 once max-write-cache is full`,
    );
  }

  /** Whether a device has something to answer. */
  get isWaiting(): boolean {
    return this.#io !== null && this.#io.pendingCount > 0;
  }

  /** Whether anything is under way, so that a worker must not sleep long. Looks at all shards: to be asked once a tick. */
  get isBusy(): boolean {
    if (this.isWaiting) return true;
    for (const { engine } of this.#engines) {
      if (engine.isBusy || engine.checkpoints?.isActive || engine.raid.isActive) return true;
    }
    return false;
  }

  /** Starts what was asked for and delivers what has ended. Never blocks. */
  pump(): void {
    if (this.#io === null) return;
    for (let i = 0; i < this.#engines.length; i++) {
      const { engine, ownership } = this.#engines[i]!;
      if (!engine.hasWork) continue;
      ownership.take();
      engine.work();
      ownership.give();
    }
    if (this.#io.hasWork || this.#io.pendingCount > 0) this.#io.drain();
  }

  /** Whether pump() has something to do. */
  hasWork(): boolean {
    if (this.#io === null) return false;
    if (this.#io.hasWork) return true;
    for (let i = 0; i < this.#engines.length; i++) if (this.#engines[i]!.engine.hasWork) return true;
    return false;
  }

  /** Takes over settings that were changed, as far as the buffers made at the start let them grow. */
  retune(): void {
    if (this.#io === null) return;
    const perEngine = Math.floor((this.#io.buffers.u8.length - READ_BUFFERS_SIZE) / this.#engines.length);
    for (const { engine, view, set, times, shardsBeside } of this.#engines) {
      times.isOn = (view.tuning[TUNE_BENCHMARKS]! & BENCH_STORAGE) !== 0;
      const { limits } = engine;
      limits.flushMaxMs = view.tuning[TUNE_FLUSH_MAX_MS]!;
      const { tuning } = view;
      limits.flushSize = tuning[TUNE_FLUSH_SIZE]!;
      limits.isCommitting = tuning[TUNE_COMMIT]! !== 0;
      limits.commitMinSize = tuning[TUNE_COMMIT_MIN_SIZE]!;
      limits.stopWritesAvailPct = tuning[TUNE_STOP_AVAIL_PCT]!;
      limits.defragLwmPct = tuning[TUNE_DEFRAG_LWM_PCT]!;
      // The setting is about a device, this about one of the shards that it holds.
      limits.defragSleepMs = (tuning[TUNE_DEFRAG_SLEEP_US]! / 1000) * shardsBeside;
      limits.defragQueueMin = Math.ceil(tuning[TUNE_DEFRAG_QUEUE_MIN]! / shardsBeside);
      limits.defragStartupMinPct = tuning[TUNE_DEFRAG_STARTUP_MIN_PCT]!;
      const writeShare = Math.min(view.tuning[TUNE_WRITE_CACHE_MAX]! / set.shardCount, perEngine / 2);
      limits.writeCacheMax = Math.max(WRITE_CACHE_BLOCKS_MIN * set.writeBlockSize, writeShare);
      const openBlocks = OPEN_BLOCKS + (set.dataKey === null ? 0 : STAGED_BLOCKS);
      const left = perEngine - limits.writeCacheMax - openBlocks * set.writeBlockSize;
      limits.postWriteCacheMax = Math.max(
        0,
        Math.min(view.tuning[TUNE_POST_WRITE_CACHE]! / set.shardCount, left),
      );
    }
  }
}

/** @returns Whether it was due and has begun. */
function beginRaid({ engine, ownership, view }: OpenEngine, nowMs: number): boolean {
  const periodMs = view.tuning[TUNE_TOMB_RAIDER_PERIOD]! * 1000;
  if (periodMs === 0 || nowMs - engine.raid.begunMs < periodMs) return false;
  ownership.take();
  const hasBegun = engine.raid.start(nowMs);
  ownership.give();
  return hasBegun;
}

/** @returns Whether it was due and has begun. */
function beginCheckpoint({ engine, ownership }: OpenEngine, nowMs: number): boolean {
  const next = engine.checkpoints;
  if (!next?.isDue(nowMs)) return false;
  ownership.take();
  const hasBegun = next.start();
  ownership.give();
  return hasBegun;
}
