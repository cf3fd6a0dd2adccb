/**
 * Builds every part of a server from its configuration, starts it and stops it: the only file that knows all
 * parts.
 */
import { mkdirSync } from 'node:fs';
import os from 'node:os';
import { monotonicMs } from './base/clock.js';
import { AsyncSleeper, EventSleeper } from './base/sleeper.js';
import { BackgroundJobs } from './command/background-jobs.js';
import { BatchDispatcher } from './command/batch.js';
import { BatchRuns } from './command/batch-runs.js';
import { BatchShare } from './command/batch-share.js';
import type { AnswerSink } from './command/client-ref.js';
import { Dispatcher } from './command/dispatcher.js';
import { Evictions } from './command/eviction.js';
import {
  evictedNamespace,
  figuresOf,
  namespaceSource,
  namespaceTimes,
  truncatedNamespace,
} from './command/hosted-namespace.js';
import { serviceAddresses } from './command/info/addresses.js';
import { readBuildIdentity } from './command/info/build-identity.js';
import { SingleNodeCluster } from './command/info/cluster-view.js';
import type { InfoSource } from './command/info/source.js';
import { answerCommand, answerInfo } from './command/info/table.js';
import { Ticker } from './command/info/ticker.js';
import { UserAgents } from './command/info/user-agents.js';
import { ResponseTimes } from './command/response-times.js';
import { StopWrites } from './command/stop-writes.js';
import { Truncations } from './command/truncation.js';
import { resolveNodeId } from './config/node-id.js';
import type { ServerConfig } from './config/server-config.js';
import { createSocketEngine } from './net/aerospike/create-engine.js';
import { AerospikeFront } from './net/aerospike/front.js';
import type { SocketEngine } from './net/aerospike/socket-engine.js';
import { renderMetrics } from './net/http/prometheus.js';
import { type HttpServer, startHttpServer } from './net/http/server.js';
import { pinThread } from './observe/affinity.js';
import { failedPractices } from './observe/best-practices.js';
import { Counters, counterBlock } from './observe/counters.js';
import { Latencies } from './observe/latencies.js';
import { createLog, type Log } from './observe/log.js';
import { SERVICE_COUNTERS } from './observe/service-counters.js';
import { SystemUsage } from './observe/system-usage.js';
import { PartitionTable } from './partition/table.js';
import { InPlace } from './shard/in-place.js';
import { SHARD_COUNT, stopWrites } from './shard/namespace-setup.js';
import { NamespaceRoute, Routes } from './shard/routes.js';
import { ShardHost } from './shard/shard-host.js';
import { ComputePool } from './shard/worker-pool.js';

const DRAIN_MS = 5000;
const SLICE_MS = 10_000; // of the latency histograms
const SPACE_LOOK_MS = 500;

export class Server {
  readonly #config: ServerConfig;
  readonly log: Log;
  readonly #closers: (() => Promise<void> | void)[] = [];
  #shards: ShardHost | undefined;
  #state: 'starting' | 'ok' | 'draining' = 'starting';
  /** The port clients connect to; known after start(). */
  port = 0;
  httpPort = 0;
  /** Called when the server cannot go on: a worker died. */
  onFailure: (error: Error) => void = () => {};

  constructor(config: ServerConfig) {
    this.#config = config;
    this.log = createLog(config.logging);
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
    if (workerCount > SHARD_COUNT) {
      const text = `service-threads ${workerCount}: a namespace has ${SHARD_COUNT} shards; workers beyond that have nothing to do for it`;
      this.log.context('config').warning(text);
    }
    const pin = service.string('auto-pin');
    if (pin !== 'none' && pin !== 'cpu') {
      this.log.context('config').warning(`auto-pin ${pin} has no effect in this version; cpu has`);
    }

    const shards = new ShardHost(config, this.log, workerCount);
    this.#shards = shards;
    this.#closers.push(() => shards.stop());
    await shards.openStorage(onProgress);
    const figures = shards.namespaces.map(figuresOf);
    const truncations = new Truncations(
      service.string('work-directory'),
      shards.namespaces.map((namespace, id) => truncatedNamespace(namespace, figures[id]!)),
    );
    truncations.load();
    const evictions = new Evictions(
      service.string('work-directory'),
      shards.namespaces.map((namespace, id) => evictedNamespace(namespace, figures[id]!)),
      () => source.system.figures(monotonicMs()).freeMemoryPct,
      this.log.context('nsup'),
    );
    evictions.load();
    shards.onCounted = (worker, report) => evictions.accept(worker, report, monotonicMs());
    await shards.start(onProgress, everyMs, error => this.onFailure(error));
    // After the threads were started: they would inherit this thread's processor.
    if (service.string('auto-pin') === 'cpu') pinThread(process.pid, 0, this.log.context('hardware'));
    const compute = new ComputePool();
    this.#closers.push(() => compute.stop());

    // Facts and figures.
    const startedMs = monotonicMs();
    const latencies = new Latencies(
      shards.namespaces.map(namespaceTimes),
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
    const front = new AerospikeFront({
      counters: block,
      answerInfo: (connection, body) => {
        const answer = answerInfo(source, connection, body);
        if (Buffer.from(body.buffer, body.byteOffset, body.length).includes('config')) shards.retune();
        return answer;
      },
      infoClosed: connection => userAgents.remove(connection),
      inflate: body => compute.inflate(body),
      deflate: frame => compute.deflate(frame),
      connectionsMax: () => service.number('proto-fd-max'),
      idleMaxMs: () => service.number('proto-fd-idle-ms'),
    });
    const sink: AnswerSink = front;
    const routes = new Routes(shards.namespaces.map(({ task }, id) => new NamespaceRoute(id, task)));
    const inPlace = new InPlace(
      shards.namespaces.map(({ view }) => view),
      shards.shardViews,
    );
    const batchRuns = new BatchRuns(shards.clients, sink, block, latencies.batchIndex);
    const batch = new BatchDispatcher({
      inPlace,
      share: new BatchShare(shards.clients, os.availableParallelism()),
      routes,
      workerCount,
      runs: batchRuns,
      sink,
      counters: block,
      maxRequests: () => service.number('batch-max-requests'),
      isEnabled: () => service.number('batch-index-threads') > 0,
    });
    const jobs = new BackgroundJobs({
      log: this.log.context('query'),
      namespaces: shards.namespaces.map(({ view }) => view),
      workerCount,
      tell: message => shards.tell(message),
      rateMax: id => shards.namespaces[id]!.config.settings.number('background-query-max-rps'),
      activeMax: () => service.number('query-threads-limit'),
      doneMax: () => service.number('query-max-done'),
    });
    shards.onBackground = (worker, report) => jobs.accept(worker, report);
    const dispatcher = new Dispatcher({
      routes,
      jobs,
      clients: shards.clients,
      batch,
      batchRuns,
      sink,
      latencies,
      responses: new ResponseTimes(shards.namespaces.map(({ config: { name } }) => latencies.ownSteps(name))),
      inPlace,
      transactionMaxMs: () => service.number('transaction-max-ms'),
    });
    const { engine, reason } = createSocketEngine(config, front);
    engine.share(inPlace.outbox.u8);
    for (const client of shards.clients) {
      engine.share(client.completions.region.u8);
      engine.share(client.answerSlab.region.u8);
      engine.watch(client.completions);
    }
    const sleeper =
      engine.wakeDescriptor >= 0
        ? new EventSleeper(shards.mainSleeper, engine.wakeDescriptor)
        : new AsyncSleeper(shards.mainSleeper, () => front.wake());
    front.attach(engine, dispatcher, batchRuns, sleeper);

    const source: InfoSource = {
      build: readBuildIdentity(),
      config,
      partitions,
      cluster,
      addresses: { clear: [], alternate: [] },
      namespaces: shards.namespaces.map((namespace, id) => namespaceSource(namespace, figures[id]!)),
      counters: serviceCounters,
      counterBlock: block,
      latencies,
      log: this.log,
      system: new SystemUsage(startedMs),
      userAgents,
      failedBestPractices: failedPractices().map(practice => practice.name),
      startedMs,
      truncations,
      evictions,
      jobs,
      gauges: () => ({
        clientConnections: front.connectionCount,
        infoQueue: 0,
        readWritesInProgress: dispatcher.inFlight,
        batchesInProgress: batch.count,
        workerCount,
      }),
    };

    // A memory namespace always starts without data, one on devices only when its files are new.
    const fresh = shards.namespaces.filter(({ devices }) => devices?.set.isNew !== false);
    partitions.claimAll(cluster.clusterKey, new Set(fresh.map(({ task }) => task.name)));
    await this.#listen(engine, front);
    source.addresses = serviceAddresses(config.networkService, this.port, service.boolean('advertise-ipv6'));
    await this.#startHttp(source);
    this.#startTicker(source);
    this.#watchSpace(source, shards, evictions);
    this.#state = 'ok';
    log.info(`sockets by ${engine.name}${reason}, ${workerCount} worker${workerCount === 1 ? '' : 's'}`);
    log.info(`service ready: node ${nodeId}, clients on port ${this.port}`);
  }

  /** Whether the workers have done something since this was last asked: what a watchdog wants to know. */
  makesProgress(): boolean {
    return this.#shards === undefined || this.#shards.makesProgress();
  }

  async #listen(engine: SocketEngine, front: AerospikeFront): Promise<void> {
    const { networkService } = this.#config;
    let port = networkService.number('port');
    for (const address of networkService.list('address')) {
      port = await engine.listen(address === 'any' ? undefined : address, port);
    }
    this.port = port;
    networkService.put('port', port);
    this.#closers.push(async () => {
      await engine.stopListening();
      await front.drain(DRAIN_MS);
    });
  }

  /** Evicts records of namespaces that are too full, and stops their writes. */
  #watchSpace(source: InfoSource, shards: ShardHost, evictions: Evictions): void {
    const watched = shards.namespaces.map(({ config, task }, id) => ({
      config,
      figures: () => source.namespaces[id]!.figures(),
      setStopped: (isStopped: boolean) => stopWrites(task.memory, isStopped),
    }));
    const freeMemoryPct = (): number => source.system.figures(monotonicMs()).freeMemoryPct;
    const space = new StopWrites(watched, freeMemoryPct, this.log.context('namespace'));
    const look = (): void => {
      space.look(monotonicMs());
      evictions.look(monotonicMs());
    };
    look();
    const timer = setInterval(look, SPACE_LOOK_MS);
    this.#closers.push(() => clearInterval(timer));
  }

  /** Log lines every `ticker-interval` seconds; a change of the interval holds from the next second on. */
  #startTicker(source: InfoSource): void {
    const ticker = new Ticker(source, this.log);
    let lastMs = monotonicMs();
    const timer = setInterval(() => {
      const intervalMs = this.#config.service.number('ticker-interval') * 1000;
      if (intervalMs === 0 || monotonicMs() - lastMs < intervalMs) return;
      lastMs = monotonicMs();
      ticker.tick();
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
