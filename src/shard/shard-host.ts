/**
 * The main thread's side of all shards: the memory and data files of every namespace, the worker threads that
 * own the shards, and the way to them. It opens them, waits for their recovery, and ends them in order.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Region } from '../base/arena.js';
import { monotonicMs } from '../base/clock.js';
import { createRing } from '../base/ring.js';
import { createSleeper } from '../base/sleeper.js';
import { isOnFiles, type NamespaceConfig } from '../config/namespace-config.js';
import type { ServerConfig } from '../config/server-config.js';
import { pinThread } from '../observe/affinity.js';
import { Benchmarks } from '../observe/benchmarks.js';
import { Counters, counterBlock } from '../observe/counters.js';
import type { Log } from '../observe/log.js';
import { NAMESPACE_COUNTERS } from '../observe/namespace-counters.js';
import { RecordHistograms } from '../observe/record-survey.js';
import type { OpenDeviceSet } from '../storage/device/device-set.js';
import {
  ST_RECOVERED_BYTES,
  ST_RECOVERED_RECORDS,
  ST_RECOVERY_TOTAL_BYTES,
  ST_REPLAYED_RECORDS,
  ST_START_KIND,
  START_CHECKPOINT,
  START_COLD,
} from '../storage/engine.js';
import { ringRefusal } from '../storage/io/uring-io.js';
import type { BackgroundReport } from './background-ops.js';
import { WorkerClient } from './client.js';
import { createWorkerIo, openNamespaceDevices } from './device-setup.js';
import { memoryLayout, namespaceTask, tune } from './namespace-setup.js';
import type { EvictionCountReport } from './nsup/eviction-count.js';
import { NamespaceView } from './shard.js';
import { ShardView } from './shard-view.js';
import { createSlab } from './slab.js';
import { createParkedCounts } from './slots.js';
import { createControl } from './worker-control.js';
import { WorkerPool } from './worker-pool.js';
import type { MainMessage, NamespaceTask, SharedTask, WorkerMessage, WorkerTask } from './worker-task.js';

const REQUEST_RING_SIZE = 1024 * 1024; // bytes
const COMPLETION_RING_SIZE = 2 * 1024 * 1024;
const SLAB_SIZE = 192 * 1024 * 1024; // touched as far as large messages need it

/** One namespace with what the threads share about it. */
export interface HostedNamespace {
  readonly config: NamespaceConfig;
  readonly task: SharedTask;
  /** A block for each worker. */
  readonly counters: Counters;
  readonly benchmarks: Benchmarks;
  /** As the main thread sees it when it executes commands itself. */
  readonly view: NamespaceView;
  /** What `histogram:` answers. */
  readonly histograms: RecordHistograms;
  /** Its data files, unless it lives in memory. */
  readonly devices: OpenDeviceSet | undefined;
}

export class ShardHost {
  readonly mainSleeper = createSleeper();
  readonly #config: ServerConfig;
  readonly #log: Log;
  readonly #workerCount: number;
  /** In the order of the configuration. */
  readonly namespaces: HostedNamespace[] = [];
  clients: readonly WorkerClient[] = [];
  /** [namespace id][shard number] → what workers have told of their shards. */
  readonly shardViews: (ShardView | undefined)[][] = [];
  /** Called with what a worker has counted for eviction. */
  onCounted: (worker: number, report: EvictionCountReport) => void = () => {};
  /** Called with what a worker has done of a background job. */
  onBackground: (worker: number, report: BackgroundReport) => void = () => {};
  #tasks: readonly WorkerTask[] = [];
  /** By worker. */
  readonly #ports: MessagePort[] = [];
  #pool: WorkerPool | undefined;
  #hasRing = false;

  constructor(config: ServerConfig, log: Log, workerCount: number) {
    this.#config = config;
    this.#log = log;
    this.#workerCount = workerCount;
  }

  /**
   * Opens, or creates, the data files of all namespaces and takes their locks.
   * @param onProgress Told of what takes long.
   * @throws StorageError.
   */
  async openStorage(onProgress: (status: string) => void): Promise<void> {
    const unit = this.#config.service.boolean('microsecond-histograms') ? 'usec' : 'msec';
    const workDirectory = this.#config.service.string('work-directory');
    for (const config of this.#config.namespaces) {
      const devices = isOnFiles(config)
        ? await openNamespaceDevices(config, workDirectory, onProgress, this.#log.context('drv_ssd'))
        : undefined;
      const isResident = config.engine === 'memory';
      const storage = devices && ({ engine: 'device', devices: devices.set, isResident } as const);
      const task = namespaceTask(config, devices?.set ?? memoryLayout(), this.#workerCount, storage);
      const counters = new Counters(NAMESPACE_COUNTERS);
      const own = counterBlock(counters.addBlock().shared);
      const benchmarks = new Benchmarks(
        unit,
        (devices?.set.devices ?? []).map(({ shadowPath }) => shadowPath !== ''),
      );
      const steps = benchmarks.addStepBlock();
      this.shardViews.push([]);
      this.namespaces.push({
        config,
        task,
        counters,
        view: new NamespaceView(this.namespaces.length, config.name, task.memory, own, isResident, steps),
        benchmarks,
        histograms: new RecordHistograms(),
        devices,
      });
    }
  }

  /**
   * Starts the workers and waits until they have recovered their shards.
   * @param onProgress Called every `everyMs` meanwhile.
   * @param onFailure  Called when a worker dies, now or later: its shards are lost to this process.
   */
  async start(
    onProgress: (status: string) => void,
    everyMs: number,
    onFailure: (error: Error) => void,
  ): Promise<void> {
    this.#chooseIo();
    const tasks = Array.from({ length: this.#workerCount }, (_, worker) => this.#task(worker));
    this.#tasks = tasks;
    this.clients = tasks.map(task => new WorkerClient(task));
    const pool = new WorkerPool(tasks, (worker, error) => {
      this.#log.context('as').critical(`worker ${worker} died: ${error.stack}`);
      onFailure(error);
    });
    this.#pool = pool;
    const log = this.#log.context('storage');
    const startMs = monotonicMs();
    let saidMs = startMs;
    await pool.ready(() => {
      if (monotonicMs() - saidMs < everyMs) return;
      saidMs = monotonicMs();
      const status = this.namespaces.map(recoveryStatus).join(', ');
      log.info(`recovering: ${status}`);
      onProgress(`recovering: ${status}`);
    });
    const seconds = ((monotonicMs() - startMs) / 1000).toFixed(2);
    const onDevices = this.namespaces.filter(({ devices }) => devices !== undefined);
    for (const namespace of onDevices) log.info(`recovered ${recoverySummary(namespace)} in ${seconds} s`);
  }

  /** Brings what workers read of the configuration up to date. */
  retune(): void {
    for (const { config, task } of this.namespaces) tune(config, task.memory);
  }

  /** Whether the workers have done something since this was last asked: what a watchdog wants to know. */
  makesProgress(): boolean {
    return this.#pool === undefined || this.#pool.makesProgress();
  }

  /** Ends the workers, which flush everything, and gives the data files back. */
  async stop(): Promise<void> {
    await this.#pool?.stop(() => {
      for (const client of this.clients) client.wake();
    });
    const isSettled = this.#pool?.hasEndedWell === true;
    for (const { devices } of this.namespaces) await devices?.close(isSettled);
  }

  /** Device I/O is done by io_uring, or by node:fs where that is refused; the log says which and why. */
  #chooseIo(): void {
    if (!this.namespaces.some(({ devices }) => devices !== undefined)) return;
    const refusal = ringRefusal(this.#workerCount);
    this.#hasRing = refusal === '';
    const log = this.#log.context('drv_ssd');
    log.info(`storage io backend: ${this.#hasRing ? 'io_uring' : `node:fs (no io_uring: ${refusal})`}`);
  }

  #task(worker: number): WorkerTask {
    const { port1, port2 } = new MessageChannel();
    port1.on('message', (message: WorkerMessage) => this.#accept(worker, message));
    port1.unref();
    this.#ports.push(port1);
    const sleeper = createSleeper();
    const onDevices = this.namespaces.flatMap(({ config, devices }) =>
      devices === undefined ? [] : [{ config, devices }],
    );
    return {
      worker,
      requests: createRing(REQUEST_RING_SIZE),
      requestSlab: createSlab(SLAB_SIZE),
      completions: createRing(COMPLETION_RING_SIZE),
      completionSlab: createSlab(SLAB_SIZE),
      sleeper,
      parked: createParkedCounts(),
      mainSleeper: this.mainSleeper,
      control: createControl(),
      io: onDevices.length > 0 ? createWorkerIo(onDevices, this.#workerCount, sleeper, this.#hasRing) : null,
      namespaces: this.namespaces.map(
        ({ task, counters, benchmarks }): NamespaceTask => ({
          ...task,
          counters: counters.addBlock().shared,
          stepTimes: benchmarks.addStepBlock().shared,
          deviceTimes: benchmarks.addDeviceBlock().shared,
        }),
      ),
      port: port2,
      logThresholds: this.#log.sharedThresholds,
    };
  }

  /** Tells all workers. Each takes it in at its next tick. */
  tell(message: MainMessage): void {
    for (const port of this.#ports) port.postMessage(message);
  }

  #accept(worker: number, message: WorkerMessage): void {
    if ('line' in message) this.#log.accept(message.line);
    else if ('survey' in message) {
      const { namespace, shard, report } = message.survey;
      this.namespaces[namespace]!.histograms.accept(shard, report);
    } else if ('memory' in message) {
      const { namespace, shard } = message.memory;
      const { view, task } = this.namespaces[namespace]!;
      this.shardViews[namespace]![shard] = new ShardView(view, task, message.memory, this.#tasks[worker]!);
      if (task.storage.engine === 'memory') this.tell({ memory: message.memory });
    } else if ('counted' in message) {
      this.onCounted(worker, message.counted);
    } else if ('background' in message) {
      this.onBackground(worker, message.background);
    } else if (this.#config.service.string('auto-pin') === 'cpu') {
      pinThread(message.tid, worker + 1, this.#log.context('hardware'));
    }
  }
}

/** `test 41% 120000 records`, of a namespace that is being recovered. */
function recoveryStatus({ task }: HostedNamespace): string {
  let done = 0;
  let total = 0;
  let records = 0;
  for (const shared of task.memory.shards) {
    const { f64 } = new Region(shared);
    done += f64[ST_RECOVERED_BYTES]!;
    total += f64[ST_RECOVERY_TOTAL_BYTES]!;
    records += f64[ST_RECOVERED_RECORDS]!;
  }
  return total === 0
    ? `${task.name} waits`
    : `${task.name} ${Math.floor((done * 100) / total)}% ${records} records`;
}

/** `test: 120000 records, 16 shards by checkpoint, 0 cold, 5000 records replayed`. */
function recoverySummary({ task }: HostedNamespace): string {
  const figures = task.memory.shards.map(shared => new Region(shared).f64);
  const total = (slot: number): number => figures.reduce((sum, f64) => sum + f64[slot]!, 0);
  const count = (kind: number): number => figures.filter(f64 => f64[ST_START_KIND] === kind).length;
  return (
    `${task.name}: ${total(ST_RECOVERED_RECORDS)} records, ${count(START_CHECKPOINT)} shards by checkpoint, ` +
    `${count(START_COLD)} cold, ${total(ST_REPLAYED_RECORDS)} records read from blocks`
  );
}
