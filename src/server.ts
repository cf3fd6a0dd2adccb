/**
 * Builds every part of a server from its configuration, starts it and stops it: the only file that knows all
 * parts.
 */
import { mkdirSync } from 'node:fs';
import os from 'node:os';
import { MessageChannel } from 'node:worker_threads';
import { Region } from './base/arena.js';
import { monotonicMs } from './base/clock.js';
import { createRing } from './base/ring.js';
import { AsyncSleeper, createSleeper } from './base/sleeper.js';
import { BatchDispatcher } from './command/batch.js';
import type { AnswerSink } from './command/client-ref.js';
import { Dispatcher } from './command/dispatcher.js';
import { serviceAddresses } from './command/info/addresses.js';
import { readBuildIdentity } from './command/info/build-identity.js';
import { SingleNodeCluster } from './command/info/cluster-view.js';
import { ShardFigures, type ShardPlace, stripePlaces } from './command/info/shard-figures.js';
import type { InfoSource, NamespaceSource } from './command/info/source.js';
import { answerCommand, answerInfo } from './command/info/table.js';
import { tick } from './command/info/ticker.js';
import { UserAgents } from './command/info/user-agents.js';
import { NamespaceRoute, Routes } from './command/routes.js';
import { resolveNodeId } from './config/node-id.js';
import type { ServerConfig } from './config/server-config.js';
import { AerospikeFront } from './net/aerospike/front.js';
import { ListenError, NodeSockets } from './net/aerospike/node-sockets.js';
import { renderMetrics } from './net/http/prometheus.js';
import { type HttpServer, startHttpServer } from './net/http/server.js';
import { pinThread } from './observe/affinity.js';
import { failedPractices } from './observe/best-practices.js';
import { Counters, counterBlock } from './observe/counters.js';
import { Latencies } from './observe/latencies.js';
import { createLog, type Log } from './observe/log.js';
import { NAMESPACE_COUNTERS } from './observe/namespace-counters.js';
import { RecordHistograms } from './observe/record-survey.js';
import { SERVICE_COUNTERS } from './observe/service-counters.js';
import { SystemUsage } from './observe/system-usage.js';
import { PartitionTable } from './partition/table.js';
import { WorkerClient } from './shard/client.js';
import { createWorkerIo, openNamespaceDevices } from './shard/device-setup.js';
import type { NamespaceMemory } from './shard/namespace-memory.js';
import { memoryLayout, namespaceTask, tune } from './shard/namespace-setup.js';
import { createSlab } from './shard/slab.js';
import { ComputePool, WorkerPool } from './shard/worker-pool.js';
import {
  createControl,
  type NamespaceTask,
  type WorkerMessage,
  type WorkerTask,
} from './shard/worker-task.js';
import type { OpenDeviceSet } from './storage/device/device-set.js';
import { ST_RECOVERED_BYTES, ST_RECOVERED_RECORDS, ST_RECOVERY_TOTAL_BYTES } from './storage/engine.js';

const REQUEST_RING_SIZE = 1024 * 1024; // bytes
const COMPLETION_RING_SIZE = 2 * 1024 * 1024;
const SLAB_SIZE = 192 * 1024 * 1024; // touched as far as large messages need it
const DRAIN_MS = 5000;
const SLICE_MS = 10_000; // of the latency histograms

export class Server {
  readonly #config: ServerConfig;
  readonly log: Log;
  /** By namespace: what `histogram:` answers. */
  readonly #histograms: RecordHistograms[];
  readonly #closers: (() => Promise<void> | void)[] = [];
  #pool: WorkerPool | undefined;
  #state: 'starting' | 'ok' | 'draining' = 'starting';
  /** The port clients connect to; known after start(). */
  port = 0;
  httpPort = 0;
  /** Called when the server cannot go on: a worker died. */
  onFailure: (error: Error) => void = () => {};

  constructor(config: ServerConfig) {
    this.#config = config;
    this.log = createLog(config.logging);
    this.#histograms = config.namespaces.map(() => new RecordHistograms());
  }

  /**
   * @param onProgress Called every `everyMs` while shards are being recovered.
   * @throws StorageError, ListenError, HttpListenError, ConfigError.
   */
  async start(onProgress: (status: string) => void = () => {}, everyMs = 5000): Promise<void> {
    const config = this.#config;
    const { service } = config;
    const log = this.log.context('as');
    for (const warning of config.warnings) this.log.context('config').warning(warning);
    mkdirSync(service.string('work-directory'), { recursive: true });
    const nodeId = resolveNodeId(
      service.string('node-id'),
      service.string('work-directory'),
      config.fabric.number('port'),
    );
    service.put('node-id', nodeId);
    const workerCount = service.number('service-threads') || Math.max(1, os.availableParallelism() - 1);
    service.put('service-threads', workerCount);

    const opened = await this.#openDevices();
    const namespaces = config.namespaces.map((namespace, id) => {
      const set = opened[id]?.set;
      return set === undefined
        ? namespaceTask(namespace, memoryLayout(), workerCount, undefined)
        : namespaceTask(namespace, set, workerCount, { engine: 'device', devices: set });
    });
    const deviceNamespaces = config.namespaces.flatMap((namespace, id) => {
      const devices = opened[id];
      return devices === undefined ? [] : [{ config: namespace, devices }];
    });
    const counters = namespaces.map(() => new Counters(NAMESPACE_COUNTERS));
    const mainSleeper = createSleeper();
    const tasks: WorkerTask[] = [];
    for (let worker = 0; worker < workerCount; worker++) {
      const { port1, port2 } = new MessageChannel();
      port1.on('message', (message: WorkerMessage) => this.#accept(worker, message));
      port1.unref();
      const sleeper = createSleeper();
      tasks.push({
        worker,
        requests: createRing(REQUEST_RING_SIZE),
        requestSlab: createSlab(SLAB_SIZE),
        completions: createRing(COMPLETION_RING_SIZE),
        completionSlab: createSlab(SLAB_SIZE),
        sleeper,
        mainSleeper,
        control: createControl(),
        io: deviceNamespaces.length > 0 ? createWorkerIo(deviceNamespaces, workerCount, sleeper) : null,
        namespaces: namespaces.map(
          (task, id): NamespaceTask => ({ ...task, counters: counters[id]!.addBlock().shared }),
        ),
        port: port2,
        logThresholds: this.log.sharedThresholds,
      });
    }
    const clients = tasks.map(task => new WorkerClient(task));
    const pool = new WorkerPool(tasks, (worker, error) => {
      this.log.context('as').critical(`worker ${worker} died: ${error.stack}`);
      this.onFailure(error);
    });
    this.#closers.push(() =>
      pool.stop(() => {
        for (const client of clients) client.wake();
      }),
    );
    await this.#recovered(pool, namespaces, onProgress, everyMs);
    // After the threads were started: they would inherit this thread's processor.
    if (service.string('auto-pin') === 'cpu') pinThread(process.pid, 0, this.log.context('hardware'));
    const compute = new ComputePool();
    this.#closers.push(() => compute.stop());

    // Facts and figures.
    const startedMs = monotonicMs();
    const latencies = new Latencies(
      config.namespaces.map(n => n.name),
      service.boolean('microsecond-histograms') ? 'usec' : 'msec',
      startedMs,
    );
    const slices = setInterval(() => latencies.closeSlices(monotonicMs()), SLICE_MS);
    this.#closers.push(() => clearInterval(slices));
    const serviceCounters = new Counters(SERVICE_COUNTERS);
    const block = counterBlock(serviceCounters.addBlock().shared);
    const partitions = new PartitionTable(
      nodeId,
      config.namespaces.map(n => n.name),
    );
    const cluster = new SingleNodeCluster(nodeId, startedMs);
    const userAgents = new UserAgents();

    // The path of a request.
    const retune = (): void => {
      for (const [id, namespace] of config.namespaces.entries()) tune(namespace, namespaces[id]!.memory);
    };
    const front = new AerospikeFront({
      counters: block,
      answerInfo: (connection, body) => {
        const answer = answerInfo(source, connection, body);
        if (Buffer.from(body.buffer, body.byteOffset, body.length).includes('config')) retune();
        return answer;
      },
      infoClosed: connection => userAgents.remove(connection),
      inflate: body => compute.inflate(body),
      deflate: frame => compute.deflate(frame),
      connectionsMax: () => service.number('proto-fd-max'),
      idleMaxMs: () => service.number('proto-fd-idle-ms'),
    });
    const sink: AnswerSink = front;
    const routes = new Routes(namespaces.map((task, id) => new NamespaceRoute(id, task)));
    const batch = new BatchDispatcher({
      routes,
      clients,
      sink,
      counters: block,
      histogram: latencies.batchIndex,
      maxRequests: () => service.number('batch-max-requests'),
      isEnabled: () => service.number('batch-index-threads') > 0,
    });
    const dispatcher = new Dispatcher({
      routes,
      clients,
      batch,
      sink,
      latencies,
      transactionMaxMs: () => service.number('transaction-max-ms'),
    });
    const engine = new NodeSockets(front);
    front.attach(engine, dispatcher, batch, new AsyncSleeper(mainSleeper, () => front.wake()));

    const histograms = this.#histograms;
    const source: InfoSource = {
      build: readBuildIdentity(),
      config,
      partitions,
      cluster,
      addresses: { clear: [], alternate: [] },
      namespaces: config.namespaces.map((namespace, id): NamespaceSource => {
        const figures = new ShardFigures(
          namespaces[id]!.memory,
          placesOf(namespaces[id]!.memory.shards.length, opened[id]),
        );
        return {
          name: namespace.name,
          counters: counters[id]!,
          figures: () => figures.namespace(),
          sets: () => figures.sets(),
          recordHistogram: (type, set) => {
            const setId = set === undefined ? undefined : figures.setId(set);
            return set !== undefined && setId === undefined ? undefined : histograms[id]!.text(type, setId);
          },
        };
      }),
      counters: serviceCounters,
      counterBlock: block,
      latencies,
      log: this.log,
      system: new SystemUsage(startedMs),
      userAgents,
      failedBestPractices: failedPractices().map(practice => practice.name),
      startedMs,
      gauges: () => ({
        clientConnections: front.connectionCount,
        infoQueue: 0,
        readWritesInProgress: dispatcher.inFlight,
        batchesInProgress: batch.count,
        workerCount,
      }),
    };

    // A memory namespace always starts without data, one on devices only when its files are new.
    const fresh = new Set(
      config.namespaces.filter((_, id) => opened[id]?.set.isNew !== false).map(n => n.name),
    );
    partitions.claimAll(cluster.clusterKey, fresh);
    await this.#listen(engine, front);
    source.addresses = serviceAddresses(config.networkService, this.port, service.boolean('advertise-ipv6'));
    await this.#startHttp(source);
    this.#startTicker(source);
    this.#state = 'ok';
    log.info(`sockets by ${engine.name}, ${workerCount} worker${workerCount === 1 ? '' : 's'}`);
    log.info(`service ready: node ${nodeId}, clients on port ${this.port}`);
  }

  /** Waits for the workers, and says every now and then how far they have come. */
  async #recovered(
    pool: WorkerPool,
    namespaces: readonly { name: string; memory: NamespaceMemory }[],
    onProgress: (status: string) => void,
    everyMs: number,
  ): Promise<void> {
    const log = this.log.context('storage');
    let saidMs = monotonicMs();
    await pool.ready(() => {
      if (monotonicMs() - saidMs < everyMs) return;
      saidMs = monotonicMs();
      const status = namespaces.map(({ name, memory }) => recoveryStatus(name, memory)).join(', ');
      log.info(`recovering: ${status}`);
      onProgress(`recovering: ${status}`);
    });
    this.#pool = pool;
  }

  /** Whether the workers have done something since this was last asked: what a watchdog wants to know. */
  makesProgress(): boolean {
    return this.#pool === undefined || this.#pool.makesProgress();
  }

  #accept(worker: number, message: WorkerMessage): void {
    if ('line' in message) this.log.accept(message.line);
    else if ('survey' in message)
      this.#histograms[message.survey.namespace]!.accept(message.survey.shard, message.survey.report);
    else if (this.#config.service.string('auto-pin') === 'cpu')
      pinThread(message.tid, worker + 1, this.log.context('hardware'));
  }

  /** Opens the data files of device namespaces: [namespace id], undefined for those in memory. */
  async #openDevices(): Promise<(OpenDeviceSet | undefined)[]> {
    const opened: (OpenDeviceSet | undefined)[] = [];
    this.#closers.push(async () => {
      for (const devices of opened) await devices?.close();
    });
    for (const namespace of this.#config.namespaces) {
      const isDevice = namespace.engine === 'device';
      opened.push(isDevice ? await openNamespaceDevices(namespace, this.log.context('drv_ssd')) : undefined);
    }
    return opened;
  }

  async #listen(engine: NodeSockets, front: AerospikeFront): Promise<void> {
    const { networkService } = this.#config;
    let port = networkService.number('port');
    for (const address of networkService.list('address')) {
      port = await engine.listen(address === 'any' ? '::' : address, port);
    }
    this.port = port;
    networkService.put('port', port);
    this.#closers.push(async () => {
      await engine.stopListening();
      await front.drain(DRAIN_MS);
    });
  }

  /** Log lines every `ticker-interval` seconds; a change of the interval holds from the next second on. */
  #startTicker(source: InfoSource): void {
    const log = this.log.context('info');
    let lastMs = monotonicMs();
    const timer = setInterval(() => {
      const intervalMs = this.#config.service.number('ticker-interval') * 1000;
      if (intervalMs === 0 || monotonicMs() - lastMs < intervalMs) return;
      lastMs = monotonicMs();
      tick(source, log);
    }, 1000);
    this.#closers.push(() => clearInterval(timer));
  }

  async #startHttp(source: InfoSource): Promise<void> {
    const { service } = this.#config;
    const port = service.number('http-port');
    if (port === 0) return;
    const info = (command: string): string => answerCommand(source, command);
    const http: HttpServer = await startHttpServer(
      service.string('http-address'),
      port,
      {
        health: () => ({ status: this.#state, node: service.string('node-id') }),
        metrics: () => renderMetrics({ info }),
      },
      this.log.context('as'),
    );
    this.httpPort = http.port;
    this.#closers.push(() => http.close());
  }

  /** Stops accepting, answers what is under way, flushes every shard, ends all threads. */
  async stop(): Promise<void> {
    if (this.#state === 'draining') return;
    this.#state = 'draining';
    for (const close of this.#closers.reverse()) await close();
    this.log.context('as').info('finished clean shutdown');
    this.log.close();
  }
}

/** `test 41% 120000 records`, of a namespace that is being recovered. */
function recoveryStatus(name: string, memory: NamespaceMemory): string {
  let done = 0;
  let total = 0;
  let records = 0;
  for (const shared of memory.shards) {
    const { f64 } = new Region(shared);
    done += f64[ST_RECOVERED_BYTES]!;
    total += f64[ST_RECOVERY_TOTAL_BYTES]!;
    records += f64[ST_RECOVERED_RECORDS]!;
  }
  return total === 0 ? `${name} waits` : `${name} ${Math.floor((done * 100) / total)}% ${records} records`;
}

/** Where the shards of a namespace lie, as its figures list it. */
function placesOf(shardCount: number, devices: OpenDeviceSet | undefined): ShardPlace[] {
  if (devices === undefined) return stripePlaces(shardCount);
  const { set } = devices;
  return set.devices.map(({ path }, device) => ({
    kind: 'file',
    name: path,
    shards: set.extents.flatMap((extent, shard) => (extent.device === device ? [shard] : [])),
  }));
}

export { ListenError };
