/**
 * An InfoSource made of the server's own parts, in the state that the recorded answers describe: a memory
 * namespace `test` with 20,000 records in set `load`, and `dev` on a file with 5,000 in set `disk`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { Region } from '../../../src/base/arena.js';
import { monotonicMs } from '../../../src/base/clock.js';
import { serviceAddresses } from '../../../src/command/info/addresses.js';
import { readBuildIdentity } from '../../../src/command/info/build-identity.js';
import { SingleNodeCluster } from '../../../src/command/info/cluster-view.js';
import { ShardFigures, type ShardPlace, stripePlaces } from '../../../src/command/info/shard-figures.js';
import type { InfoSource, NamespaceSource } from '../../../src/command/info/source.js';
import { answerInfo } from '../../../src/command/info/table.js';
import { InfoConnection, UserAgents } from '../../../src/command/info/user-agents.js';
import { parseConfig } from '../../../src/config/server-config.js';
import { Counters } from '../../../src/observe/counters.js';
import { Latencies } from '../../../src/observe/latencies.js';
import { createLog } from '../../../src/observe/log.js';
import { NAMESPACE_COUNTERS } from '../../../src/observe/namespace-counters.js';
import { RecordHistograms, RecordSurvey } from '../../../src/observe/record-survey.js';
import { SERVICE_COUNTERS } from '../../../src/observe/service-counters.js';
import { SystemUsage } from '../../../src/observe/system-usage.js';
import { PartitionTable } from '../../../src/partition/table.js';
import {
  createNamespaceMemory,
  SET_BYTES,
  SET_OBJECTS,
  setSlot,
} from '../../../src/shard/namespace-memory.js';
import * as st from '../../../src/storage/engine.js';
import { SetTable } from '../../../src/storage/record/set-table.js';

export const NODE_ID = 'BB901000000FC02';
export const REPOSITORY = new URL('../../../../', import.meta.url);
const SHARD_COUNT = 16;
const RECORD_SIZE = 160; // bytes

const CONFIG = `
service {
  cluster-name local
  node-id ${NODE_ID}
  work-directory WORK
}
logging {
  file WORK/caltrop.log { context any info }
}
network {
  service { address 127.0.0.1  
    port 3000 }
  heartbeat { mode mesh
    address 127.0.0.1
    port 3002 }
  fabric { address 127.0.0.1
    port 3001 }
}
namespace test {
  replication-factor 1
  nsup-period 120
  storage-engine memory { data-size 1G }
}
namespace dev {
  replication-factor 1
  storage-engine device {
    file WORK/dev.dat
    filesize 1G
  }
}
`
  .replace(/\{ (?=\S)/g, '{\n')
  .replace(/ \}/g, '\n}');

export interface Fixture {
  readonly source: InfoSource;
  readonly logFile: string;
  /** Answer to one command, on a connection of its own unless one is given. */
  ask(command: string, connection?: InfoConnection): string;
}

export function createFixture(t: ExecutionContext): Fixture {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'caltrop-info-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const config = parseConfig(CONFIG.replaceAll('WORK', directory), 'test.conf');
  const log = createLog(config.logging);
  t.teardown(() => log.close());
  const nowMs = monotonicMs();
  const partitions = new PartitionTable(NODE_ID, ['test', 'dev']);
  const cluster = new SingleNodeCluster(NODE_ID, nowMs);
  partitions.claimAll(cluster.clusterKey, new Set(['test', 'dev']));
  const counters = new Counters(SERVICE_COUNTERS);
  const file = {
    kind: 'file',
    name: path.join(directory, 'dev.dat'),
    hasShadow: false,
    shards: [...Array(SHARD_COUNT).keys()],
  } as const;
  const source: InfoSource = {
    build: readBuildIdentity(),
    config,
    partitions,
    cluster,
    addresses: serviceAddresses(config.networkService, 3000, false),
    namespaces: [
      namespaceSource('test', 'load', 20_000, stripePlaces(SHARD_COUNT)),
      namespaceSource('dev', 'disk', 5_000, [file]),
    ],
    counters,
    counterBlock: counters.addBlock().f64,
    latencies: new Latencies([{ name: 'test' }, { name: 'dev' }], 'msec', nowMs),
    log,
    system: new SystemUsage(nowMs),
    userAgents: new UserAgents(),
    failedBestPractices: ['swappiness'],
    startedMs: nowMs,
    evictions: {
      state: () => ({ isBreached: false, ttlSec: 0, voidTimeSec: 0, keptVoidTimeSec: 0 }),
      reset: () => Promise.resolve(),
    },
    truncations: { truncate: () => Promise.resolve(), undo: () => Promise.resolve() },
    jobs: { rows: () => [], abort: () => false, abortAll: () => 0 },
    gauges: () => ({
      clientConnections: 1,
      infoQueue: 0,
      readWritesInProgress: 0,
      batchesInProgress: 0,
      workerCount: 1,
    }),
  };
  const ask = (command: string, given?: InfoConnection) => {
    const connection = given ?? new InfoConnection();
    const response = Buffer.from(
      answerInfo(source, connection, Buffer.from(`${command}\n`)) as Uint8Array,
    ).toString('utf8');
    if (given === undefined) source.userAgents.remove(connection);
    t.true(response.startsWith(`${command}\t`) && response.endsWith('\n'), response.slice(0, 200));
    return response.slice(command.length + 1, -1);
  };
  return { source, logFile: path.join(directory, 'caltrop.log'), ask };
}

function namespaceSource(
  name: string,
  set: string,
  objects: number,
  places: readonly ShardPlace[],
): NamespaceSource {
  const memory = createNamespaceMemory(SHARD_COUNT);
  const setId = new SetTable(memory.sets).findOrAdd(Buffer.from(set), 0, set.length);
  for (const shared of memory.shards) {
    const block = new Region(shared).f64;
    block[st.ST_OBJECTS] = objects / SHARD_COUNT;
    block[st.ST_USED_BYTES] = (objects / SHARD_COUNT) * RECORD_SIZE;
    block[st.ST_TOTAL_BYTES] = 2 ** 26;
    block[st.ST_AVAILABLE_BYTES] = 2 ** 25;
    block[st.ST_FREE_BLOCKS] = 5;
    block[setSlot(setId, SET_OBJECTS)] = objects / SHARD_COUNT;
    block[setSlot(setId, SET_BYTES)] = (objects / SHARD_COUNT) * RECORD_SIZE;
  }
  const figures = new ShardFigures(memory, places);
  const histograms = new RecordHistograms();
  const survey = new RecordSurvey(1024 * 1024);
  for (let i = 0; i < objects; i++) survey.add(setId, 0, RECORD_SIZE);
  histograms.accept(0, survey.report());
  return {
    name,
    counters: new Counters(NAMESPACE_COUNTERS),
    figures: () => figures.namespace(),
    sets: () => figures.sets(),
    recordHistogram: (type, of) => {
      if (of === undefined) return histograms.text(type, undefined);
      const id = figures.setId(of);
      return id === undefined ? undefined : histograms.text(type, id);
    },
  };
}
