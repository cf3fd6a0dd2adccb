/**
 * One crash run: a real server process on a file namespace under a mixed load, ended again and again at moments that
 * the seed chooses, mostly by SIGKILL; after each start every record is compared with what it may be. The plan of
 * commands and kills follows from the seed; what the clocks of two processes make of it differs a little each time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { waitingTimes } from '../../../scripts/support/processor-time.js';
import { seeded } from '../faulty-io.js';
import { type Teardown, TestServer } from '../server.js';
import { DELETE, digestOf, infoFrame, nowSec } from '../wire-client.js';
import type { CrashConfiguration } from './configurations.js';
import { MixedLoad } from './mixed-load.js';
import { type Durable, ServerClock } from './record-history.js';

const FLUSH_MAX_MS = 300;
const LOAD_MS = [30, 1500] as const;
/** A life sees some commands, this many to that, also on a machine that has little time for it. */
const COMMANDS_MIN = [60, 600] as const;
const LOAD_MS_MAX = 20_000;
const START_MS_MAX = 700; // within which a start is killed
const STOP_MS_MAX = 60; // within which a clean stop is
const KILL_MS_MAX = 20; // after which a kill comes when the server has said what is durable
const TICK_MS = 10; // between two looks of a worker at what has expired
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
  readonly lives: number;
  readonly commands: number;
  readonly checked: number;
  /** Lives at whose end something older than flush-max-ms was not on the device, as the server said. */
  readonly late: number;
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
  const server = await TestServer.start(t, {
    environment: configuration.environment,
    namespaces: [
      {
        name: 'test',
        lines: ['nsup-period 1', ...(configuration.lines ?? [])],
        storage: `storage-engine ${configuration.engine ?? 'device'} {
          file DIRECTORY/test.dat
          filesize ${filesize}
          flush-max-ms ${FLUSH_MAX_MS}
          ${storage.join('\n')}
        }`,
      },
    ],
  });
  const evicts = configuration.evicts === true;
  const clock = new ServerClock(evicts);
  const features = await featuresOf(server);
  const load = new MixedLoad({ lanes, keysPerLane, ...features, hasLongTtls: evicts }, clock);
  let checked = 0;
  let evicted = 0;
  let late = 0;
  for (let life = 1; life <= lives && load.problems.length === 0; life++) {
    const waitedBefore = waitingTimes(server.pid);
    await load.start(
      server.port,
      Array.from({ length: lanes }, () => seeded(random() * 2 ** 32)),
    );
    await sleep(LOAD_MS[0] + random() * (LOAD_MS[1] - LOAD_MS[0]));
    await load.reach(COMMANDS_MIN[0] + random() * (COMMANDS_MIN[1] - COMMANDS_MIN[0]), LOAD_MS_MAX);
    if (evicts) evicted += await server.statistic('evicted_objects', 'namespace/test');
    const { durable, isLate } = await endLife(server, load, random, commits, waitedBefore);
    if (isLate) late++;
    const isBehind = configuration.stepsClock === true && random() < CLOCK_STEP_SHARE;
    // Behind, it may stand anywhere from there to now: what has passed in silence is not kept, what was shown is.
    clock.floorSec = isBehind ? nowSec() - CLOCK_STEP_MS / 1000 : Number.POSITIVE_INFINITY;
    const environment = isBehind ? clockBehind(CLOCK_STEP_MS) : {};
    while (random() < START_KILL_SHARE) await killStart(server, random() * START_MS_MAX, environment);
    await server.run(environment);
    await load.settle(server.port, durable);
    checked += lanes * keysPerLane;
    await compareFigures(server, load);
  }
  if (evicts && evicted === 0) load.problems.push('nothing was evicted');
  const codes = [...load.codes].sort(([a], [b]) => a - b);
  return {
    problems: load.problems
      .slice(0, PROBLEMS_MAX)
      .map(problem => `${configuration.name}, seed ${seed}: ${problem}`),
    lives,
    commands: codes.reduce((sum, [, count]) => sum + count, 0),
    checked,
    late,
    codes: codes.map(([code, count]) => `${code}: ${count}`).join(', '),
  };
}

/** @returns Which answers are of what must be there again; after a clean stop all are. */
async function endLife(
  server: TestServer,
  load: MixedLoad,
  random: () => number,
  commits: boolean,
  waitedBefore: ReadonlyMap<string, number>,
): Promise<{ durable: Durable; isLate: boolean }> {
  let rest = random() * ENDS.reduce((sum, [share]) => sum + share, 0);
  const [, end] = ENDS.find(([share]) => (rest -= share) < 0)!;
  if (end === 'stop') {
    // The load goes on until the server has closed the connections.
    const code = await server.stop('SIGTERM');
    await load.breakOff();
    if (code !== 0) load.problems.push(`a clean stop ended with ${code}:\n${warningsOf(server)}`);
    return { durable: { byMs: Number.POSITIVE_INFINITY, newsByMs: Number.POSITIVE_INFINITY }, isLate: false };
  }
  const askedMs = performance.now();
  const flushedMs = await server.flushedThroughMs();
  if (end === 'stop, then kill') {
    server.signal('SIGTERM');
    await sleep(random() * STOP_MS_MAX);
  } else await sleep(random() * KILL_MS_MAX);
  let waitedMs = 0;
  for (const [task, ms] of waitingTimes(server.pid))
    waitedMs = Math.max(waitedMs, ms - (waitedBefore.get(task) ?? 0));
  const killedMs = performance.now();
  await server.stop('SIGKILL');
  await load.breakOff();
  if (commits) return { durable: { byMs: killedMs, newsByMs: killedMs }, isLate: false };
  // A busy machine may keep the server from flushing in time. The server knows how late it is.
  const byMs = Math.min(killedMs - FLUSH_MAX_MS, flushedMs);
  return {
    durable: { byMs, newsByMs: byMs - TICK_MS - waitedMs },
    isLate: askedMs - flushedMs > FLUSH_MAX_MS,
  };
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
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(source)}` };
}
