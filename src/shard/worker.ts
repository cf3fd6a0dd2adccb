/**
 * A worker thread: builds its shards from what the main thread handed over, recovers them, and runs the
 * command loop until it is told to stop. Piscina starts it as one long task.
 */
import fs from 'node:fs';
import { Region } from '../base/arena.js';
import { Budget } from '../base/budget.js';
import { epochMs, epochSec, monotonicMs } from '../base/clock.js';
import { SharedVersion } from '../base/flags.js';
import { RingConsumer, RingProducer } from '../base/ring.js';
import { Sleeper, Waker } from '../base/sleeper.js';
import { counterBlock } from '../observe/counters.js';
import { HistogramBlock } from '../observe/histogram.js';
import { ForwardingLog } from '../observe/log.js';
import { type Codecs, openCodecs } from '../storage/codec/codecs.js';
import { RecordCompression } from '../storage/codec/record-compression.js';
import { PrimaryIndex } from '../storage/index/primary-index.js';
import { MemoryEngine } from '../storage/memory/memory-engine.js';
import { BackgroundOps } from './background-ops.js';
import { BatchWorker } from './batch-worker.js';
import { CommandLoop } from './command-loop.js';
import { SLOT_COUNT } from './command-runner.js';
import { TUNE_COMPRESSION, TUNE_HIST_PERIOD, TUNE_RECORD_SIZE_MAX } from './namespace-memory.js';
import { Upkeep } from './nsup/upkeep.js';
import { Ownership, ownerOf } from './ownership.js';
import { Reply } from './reply.js';
import { NamespaceRoute, Routes } from './routes.js';
import { NamespaceView, Shard } from './shard.js';
import { partitionsOf, ShardMap } from './shard-map.js';
import { ShardAnnouncer, ShardListener } from './shard-view.js';
import { SlabConsumer, SlabProducer } from './slab.js';
import { type SurveyedShard, SurveyWalk } from './survey-walk.js';
import {
  CONTROL_BATCHES,
  CONTROL_NEWS,
  CONTROL_READY,
  CONTROL_STOP,
  CONTROL_TURNS,
  controlFlags,
} from './worker-control.js';
import { WorkerDevices } from './worker-devices.js';
import type { NamespaceTask, WorkerMessage, WorkerTask } from './worker-task.js';

/** Runs a worker until it is stopped. Every answer in hand is sent and every write flushed when it returns. */
export default async function run(task: WorkerTask): Promise<void> {
  const send = (message: WorkerMessage): void => task.port.postMessage(message);
  const log = new ForwardingLog(task.logThresholds, line => send({ line }));
  send({ tid: threadId() });
  const flags = controlFlags(task.control);
  const turns = new Region(task.control).i32;
  const isStopping = (): boolean => flags.isSet(CONTROL_STOP);
  const devices = new WorkerDevices(task, log, SLOT_COUNT);
  const map = buildShards(task, devices, await openCodecs());
  const survey = new SurveyWalk(surveyedShards(task, map), message => send({ survey: message }));
  const main = new Waker(task.mainSleeper);
  if (!devices.recover(map.shards, isStopping)) return;
  const announcer = new ShardAnnouncer(numberedShards(task, map), memory => send({ memory }));
  announcer.step();
  flags.set(CONTROL_READY);
  main.wake();
  const upkeep = new Upkeep(map, counted => send({ counted }));
  const jobs = new BackgroundOps(map, background => send({ background }));
  const listener = new ShardListener(task, map.namespaces, ownerOf(task.worker), message => {
    if ('job' in message) jobs.add(message.job);
    else jobs.abort(message.abort);
  });
  const reply = new Reply(
    new RingProducer(task.completions),
    new SlabProducer(task.completionSlab),
    main,
    isStopping,
  );
  const loop = new CommandLoop({
    requests: new RingConsumer(task.requests),
    slab: new SlabConsumer(task.requestSlab),
    reply,
    batches: new BatchWorker(
      map.namespaces,
      new Routes(task.namespaces.map((namespace, id) => new NamespaceRoute(id, namespace))),
      listener.views,
      reply,
      new SharedVersion(turns, CONTROL_BATCHES),
    ),
    sleeper: new Sleeper(task.sleeper, devices.blocker),
    map,
    devices,
    parked: task.parked,
    isStopping,
    hasNews: () => flags.isSet(CONTROL_NEWS),
    takeNews: () => flags.clear(CONTROL_NEWS),
    onTurn: () => {
      turns[CONTROL_TURNS]! += 1;
    },
    jobs,
    background: nowMs => {
      announcer.step();
      listener.step();
      const hasUpkeep = upkeep.step(nowMs, epochMs());
      return survey.step(nowMs, epochSec()) || hasUpkeep;
    },
  });
  loop.run();
  upkeep.keepClocks(monotonicMs(), epochMs());
  // All of them first: to close a shard may take seconds, for its checkpoint or for a device that fails.
  for (const shard of map.shards) {
    shard.ownership?.take();
    shard.engine.flush();
    shard.ownership?.give();
  }
  devices.pump();
  for (const shard of map.shards) {
    shard.ownership?.take(); // for good: nothing is executed on it any more
    shard.engine.close();
  }
}

function buildShards(task: WorkerTask, devices: WorkerDevices, codecs: Codecs): ShardMap {
  const namespaces: NamespaceView[] = [];
  const shardOf: (Shard | null)[][] = [];
  const shards: Shard[] = [];
  task.namespaces.forEach((namespace, id) => {
    const view = new NamespaceView(
      id,
      namespace.name,
      namespace.memory,
      counterBlock(namespace.counters),
      namespace.storage.engine === 'memory' || namespace.storage.isResident,
      new HistogramBlock(namespace.stepTimes),
    );
    namespaces.push(view);
    const compression = new RecordCompression(
      codecs,
      view.tuning.subarray(TUNE_COMPRESSION, TUNE_COMPRESSION + 2),
    );
    const own: (Shard | null)[] = namespace.memory.shards.map((_, number) =>
      namespace.workerOf[number] === task.worker
        ? buildShard(view, namespace, number, devices, compression)
        : null,
    );
    for (const shard of own) if (shard !== null) shards.push(shard);
    shardOf.push(Array.from(namespace.shardOf, number => own[number]!));
  });
  return new ShardMap(namespaces, shards, shardOf);
}

function buildShard(
  view: NamespaceView,
  task: NamespaceTask,
  number: number,
  devices: WorkerDevices,
  compression: RecordCompression,
): Shard {
  const figures = new Region(task.memory.shards[number]!).f64;
  const shardCount = task.memory.shards.length;
  const partitions = partitionsOf(task.shardOf, number);
  const index = new PrimaryIndex({ partitions });
  const { storage } = task;
  const ownership = new Ownership(task.memory.owners, number, ownerOf(task.workerOf[number]!));
  const engine =
    storage.engine === 'memory'
      ? new MemoryEngine({
          index,
          counters: figures,
          budget: new Budget(storage.budget),
          shardCount,
          compression,
        })
      : devices.openEngine(
          view,
          storage,
          number,
          index,
          figures,
          new HistogramBlock(task.deviceTimes),
          compression,
          ownership,
        );
  return new Shard(view, partitions, index, engine, figures, ownership);
}

/** The worker's shards with their numbers in their namespaces. */
function numberedShards(task: WorkerTask, map: ShardMap): [number, Shard][] {
  return task.namespaces.flatMap(({ shardOf, workerOf }, id) =>
    [...new Set(shardOf)]
      .filter(number => workerOf[number] === task.worker)
      .map((number): [number, Shard] => [number, map.of(id, shardOf.indexOf(number))]),
  );
}

function surveyedShards(task: WorkerTask, map: ShardMap): SurveyedShard[] {
  return task.namespaces.flatMap((namespace, id) => {
    const { tuning } = map.namespaces[id]!;
    const numbers = [...new Set(namespace.shardOf)].filter(
      number => namespace.workerOf[number] === task.worker,
    );
    return numbers.map(number => {
      const partitions = partitionsOf(namespace.shardOf, number);
      return {
        namespace: id,
        number,
        partitions,
        index: map.of(id, partitions[0]!).index,
        ownership: map.of(id, partitions[0]!).ownership,
        sizeMax: () => tuning[TUNE_RECORD_SIZE_MAX]!,
        periodSec: () => tuning[TUNE_HIST_PERIOD]!,
      };
    });
  });
}

/** The kernel's number of this thread, for pinning and for tools; 0 where /proc does not say. */
function threadId(): number {
  try {
    return Number(fs.readlinkSync('/proc/thread-self').split('/').at(-1));
  } catch {
    return 0;
  }
}
