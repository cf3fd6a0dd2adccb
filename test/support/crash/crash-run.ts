/**
 * One crash run: a real server process on a file namespace under a mixed load, ended again and again at moments that
 * the seed chooses, mostly by SIGKILL; after each start every record is compared with what it may be. The plan of
 * commands and kills follows from the seed; what the clocks of two processes make of it differs a little each time.
 *
 * What must be there after a kill is no guess: the server leaves a trace (flush-trace.ts) that says up to when all that a
 * shard's clients had been answered was written. That has to be there; and it has to be flush-max-ms ago at the most, but
 * for what the server had asked a device for that was slower. How often that was so is told.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../../../src/base/clock.js';
import { partitionOf } from '../../../src/base/digest.js';
import { seeded } from '../faulty-io.js';
import { type Teardown, TestServer } from '../server.js';
import { DELETE, digestOf, infoFrame, nowSec } from '../wire-client.js';
import type { CrashConfiguration } from './configurations.js';
import { FlushRecord, type ShardAtKill, threadTimesOf } from './flush-record.js';
import { MachineStops } from './machine-stops.js';
import { MixedLoad } from './mixed-load.js';
import { type Durable, ServerClock } from './record-history.js';
import { copiesOf, shardsOf } from './stored-copies.js';

/** What is promised; the server is told the same, unless a test wants it late. */
const FLUSH_MAX_MS = 300;
/** Loaded into the server. */
const FLUSH_TRACE = new URL('./flush-trace.js', import.meta.url).href;
const MEMORY_DIRECTORY = '/dev/shm';
const LOAD_MS = [30, 1500] as const;
/** A life sees some commands, this many to that, also on a machine that has little time for it. */
const COMMANDS_MIN = [60, 600] as const;
const LOAD_MS_MAX = 20_000;
const START_MS_MAX = 700; // within which a start is killed
const STOP_MS_MAX = 60; // within which a clean stop is
const CLOCK_STEP_MS = 3_600_000;
const PROBLEMS_MAX = 10;
const ENTERPRISE_ONLY = 25;

/** How a life of the server ends, with its share. */
const ENDS = [
  [70, 'kill'],
  [15, 'stop'],
  [15, 'stop, then kill'],
] as const;
/** Of the starts, how many are killed before they are done. */
const START_KILL_SHARE = 0.25;
const CLOCK_STEP_SHARE = 0.4;

export interface CrashOutcome {
  readonly problems: readonly string[];
  /** What was not written in time for no fault of the server's. */
  readonly excuses: readonly string[];
  readonly lives: number;
  readonly commands: number;
  readonly checked: number;
  /** Answers by code, as `0: 1234, 2: 17`. */
  readonly codes: string;
}

/** @param lives How often the server is started. */
export async function crashRun(
  t: Teardown,
  configuration: CrashConfiguration,
  seed: number,
  lives: number,
): Promise<CrashOutcome> {
  const { lanes = 8, keysPerLane = 250, filesize = '1G', storage = [], commits = false } = configuration;
  const random = seeded(seed);
  const traces = mkdtempSync(
    path.join(existsSync(MEMORY_DIRECTORY) ? MEMORY_DIRECTORY : tmpdir(), 'caltrop-flush-'),
  );
  t.teardown(async () => rmSync(traces, { recursive: true, force: true }));
  const stops = new MachineStops();
  t.teardown(() => stops.close());
  const server = await TestServer.start(t, {
    environment: {
      ...configuration.environment,
      CALTROP_TEST_FLUSH_TRACE: traces,
      NODE_OPTIONS: `--import=${FLUSH_TRACE}`,
    },
    namespaces: [
      {
        name: 'test',
        lines: ['nsup-period 1', ...(configuration.lines ?? [])],
        storage: `storage-engine ${configuration.engine ?? 'device'} {
          file DIRECTORY/test.dat
          filesize ${filesize}
          flush-max-ms ${configuration.flushMaxMs ?? FLUSH_MAX_MS}
          ${storage.join('\n')}
        }`,
      },
    ],
  });
  const evicts = configuration.evicts === true;
  const clock = new ServerClock(evicts);
  const features = await featuresOf(server);
  const load = new MixedLoad({ lanes, keysPerLane, ...features, hasLongTtls: evicts }, clock);
  const dataFile = path.join(server.directory, 'test.dat');
  const shardOf = shardsOf(dataFile);
  const excuses: string[] = [];
  let checked = 0;
  let evicted = 0;
  for (let life = 1; life <= lives && load.problems.length === 0; life++) {
    await load.start(
      server.port,
      Array.from({ length: lanes }, () => seeded(random() * 2 ** 32)),
    );
    await sleep(LOAD_MS[0] + random() * (LOAD_MS[1] - LOAD_MS[0]));
    await load.reach(COMMANDS_MIN[0] + random() * (COMMANDS_MIN[1] - COMMANDS_MIN[0]), LOAD_MS_MAX);
    if (evicts) evicted += await server.statistic('evicted_objects', 'namespace/test');
    const kill = await endLife(server, load, random);
    const atKill = kill && shardsAtKill(traces, kill, stops);
    for (const [shard, { problem, excuse }] of commits ? [] : (atKill ?? [])) {
      if (problem !== undefined) load.problems.push(`life ${life}, shard ${shard} is late: ${problem}`);
      if (excuse !== undefined) excuses.push(`life ${life}, shard ${shard}: ${excuse}`);
    }
    const durableBy = (digest: Buffer): Durable => {
      if (kill === undefined) return { byMs: Number.POSITIVE_INFINITY, newsByMs: Number.POSITIVE_INFINITY };
      if (commits) return { byMs: kill.atMs, newsByMs: kill.atMs };
      const promisedMs = kill.atMs - FLUSH_MAX_MS;
      const shard = atKill?.get(shardOf[partitionOf(digest, 0)]!);
      if (shard === undefined) return { byMs: promisedMs, newsByMs: promisedMs };
      return { byMs: shard.writtenMs, newsByMs: Math.min(promisedMs, shard.newsMs) };
    };
    let explained = 0;
    const explain = (digest: Buffer): string => {
      if (explained++ >= PROBLEMS_MAX) return '';
      const shard = shardOf[partitionOf(digest, 0)]!;
      const text = atKill?.get(shard)?.text ?? 'a clean stop';
      return `\n  life ${life}, shard ${shard}: ${text}\n  copies: ${copiesOf(dataFile, digest)}`;
    };
    const isBehind = configuration.stepsClock === true && random() < CLOCK_STEP_SHARE;
    // Behind, it may stand anywhere from there to now: what has passed in silence is not kept, what was shown is.
    clock.floorSec = isBehind ? nowSec() - CLOCK_STEP_MS / 1000 : Number.POSITIVE_INFINITY;
    const environment = isBehind ? clockBehind(CLOCK_STEP_MS) : {};
    while (random() < START_KILL_SHARE) await killStart(server, random() * START_MS_MAX, environment);
    for (const name of readdirSync(traces)) rmSync(path.join(traces, name));
    await server.run(environment);
    await load.settle(server.port, durableBy, explain);
    checked += lanes * keysPerLane;
    await compareFigures(server, load);
  }
  if (evicts && evicted === 0) load.problems.push('nothing was evicted');
  const codes = [...load.codes].sort(([a], [b]) => a - b);
  return {
    problems: load.problems
      .slice(0, PROBLEMS_MAX)
      .map(problem => `${configuration.name}, seed ${seed}: ${problem}`),
    excuses: excuses.map(excuse => `${configuration.name}, seed ${seed}: ${excuse}`),
    lives,
    commands: codes.reduce((sum, [, count]) => sum + count, 0),
    checked,
    codes: codes.map(([code, count]) => `${code}: ${count}`).join(', '),
  };
}

/** The moment of a kill. */
interface Kill {
  readonly atMs: number;
  readonly threads: ReturnType<typeof threadTimesOf>;
}

/** @returns undefined after a clean stop: then all that was answered is there. */
async function endLife(server: TestServer, load: MixedLoad, random: () => number): Promise<Kill | undefined> {
  let rest = random() * ENDS.reduce((sum, [share]) => sum + share, 0);
  const [, end] = ENDS.find(([share]) => (rest -= share) < 0)!;
  if (end === 'stop') {
    // The load goes on until the server has closed the connections.
    const code = await server.stop('SIGTERM');
    await load.breakOff();
    if (code !== 0) load.problems.push(`a clean stop ended with ${code}:\n${warningsOf(server)}`);
    return undefined;
  }
  if (end === 'stop, then kill') {
    server.signal('SIGTERM');
    await sleep(random() * STOP_MS_MAX);
  }
  const kill = { threads: server.isRunning ? threadTimesOf(server.pid) : new Map(), atMs: monotonicMs() };
  await server.stop('SIGKILL');
  await load.breakOff();
  return kill;
}

/** How the shards stood, by number. */
function shardsAtKill(traces: string, kill: Kill, stops: MachineStops): Map<number, ShardAtKill> {
  const record = new FlushRecord(traces, (fromMs, toMs) => stops.within(fromMs, toMs));
  return record.atKill(kill.atMs, FLUSH_MAX_MS, kill.threads);
}

async function killStart(
  server: TestServer,
  afterMs: number,
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const started = server.run(environment).catch(() => {}); // it is killed
  await sleep(afterMs);
  await server.stop('SIGKILL');
  await started;
}

/** What the server says of itself fits what it showed. */
async function compareFigures(server: TestServer, load: MixedLoad): Promise<void> {
  const histories = load.histories.flat();
  const objects = await server.statistic('objects', 'namespace/test');
  const alive = histories.filter(history => history.isAlive).length;
  if (objects < alive) load.problems.push(`objects=${objects}, but ${alive} records are there`);
  if (objects > histories.length) load.problems.push(`objects=${objects} of ${histories.length} keys`);
  const errors = await server.statistic('storage-engine.file[0].read_errors', 'namespace/test');
  if (errors !== 0) load.problems.push(`read_errors=${errors}:\n${warningsOf(server)}`);
}

function warningsOf(server: TestServer): string {
  const lines = server.output.split('\n').filter(line => / (WARNING|CRITICAL) /.test(line));
  return lines.slice(-20).join('\n');
}

/** What this server can do, of what the load may ask for. */
async function featuresOf(server: TestServer): Promise<{ hasDurableDeletes: boolean; hasTruncate: boolean }> {
  const client = await server.connect();
  const request = { ...DELETE, info2: DELETE.info2! | 0x10, digest: digestOf('no record of ours') };
  const { code } = await client.command(request);
  const command = 'truncate:namespace=test;set=no-set-of-ours';
  const answer = (await client.ask(infoFrame(`${command}\n`)))
    .toString('latin1', 8 + command.length + 1)
    .trim();
  client.close();
  return { hasDurableDeletes: code !== ENTERPRISE_ONLY, hasTruncate: answer === 'ok' };
}

/** Variables that let a process believe it is earlier. */
function clockBehind(ms: number): Readonly<Record<string, string>> {
  const source = `const now=Date.now;Date.now=()=>now()-${ms}`;
  return {
    NODE_OPTIONS: `--import=${FLUSH_TRACE} --import=data:text/javascript,${encodeURIComponent(source)}`,
  };
}
