/**
 * Measures Caltrop's speed against the floor of this machine, load.c making the load from the same processors,
 * and prints a markdown table: medians of several runs, in each of which both servers take turns at every load
 * (the one whose turn it is not is paused). The ratio is the median of the runs' ratios.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { compile, type LoadResult, preload, runLoad } from './support/c-program.js';
import { type ProcessorTime, preciseTime, processorTime, timeBetween } from './support/processor-time.js';
import { askInfo, freePort, ServerProcess, type StorageKind } from './support/server-process.js';

const HELP = `Measures Caltrop against the floor (a C epoll echo) and prints a markdown table.

Usage: scripts/bench [options]
  --runs N             runs, of which medians are printed (default 5)
  --secs N             length of one load (default 5)
  --only NAME,…        only these loads: NAMES
  --storage KIND       namespace of Caltrop: memory (default) or file
Needs cc and Linux. Exit status 1 when an answer was not a success.`;

interface Load {
  readonly name: string;
  readonly title: string;
  readonly connectionCount: number;
  readonly readPct: number;
  readonly batchSize: number;
}

const LOADS: readonly Load[] = [
  { name: 'reads', title: 'reads, 64 connections', connectionCount: 64, readPct: 100, batchSize: 0 },
  { name: 'half', title: 'half writes, 64 connections', connectionCount: 64, readPct: 50, batchSize: 0 },
  { name: 'reads-1', title: 'reads, 1 connection', connectionCount: 1, readPct: 100, batchSize: 0 },
  { name: 'reads-4', title: 'reads, 4 connections', connectionCount: 4, readPct: 100, batchSize: 0 },
  { name: 'reads-512', title: 'reads, 512 connections', connectionCount: 512, readPct: 100, batchSize: 0 },
  { name: 'reads-16', title: 'reads, 16 connections', connectionCount: 16, readPct: 100, batchSize: 0 },
  {
    name: 'batch',
    title: 'batches of 100 reads, 16 connections',
    connectionCount: 16,
    readPct: 100,
    batchSize: 100,
  },
];
const KEY_COUNT = 100_000;
const NAMESPACE_SIZE = 1024 ** 3; // bytes
const SETTLE_MS = 1500; // after the load, before idleness is measured
const IDLE_MS = 3000;

interface Sample {
  readonly result: LoadResult;
  readonly time: ProcessorTime;
  readonly requestCount: number;
}

interface Measured {
  readonly caltrop: Sample[];
  readonly floor: Sample[];
}

/** A server that is measured. */
interface Target {
  readonly pid: number;
  readonly port: number;
  pause(): void;
  resume(): void;
}

async function main(): Promise<void> {
  const names = LOADS.map(load => load.name);
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '5' },
      secs: { type: 'string', default: '5' },
      only: { type: 'string', default: names.join() },
      storage: { type: 'string', default: 'memory' },
      help: { type: 'boolean', default: false },
    },
  });
  const only = values.only.split(',');
  const runCount = Number(values.runs);
  const secs = Number(values.secs);
  const isWrong =
    !(runCount >= 1) ||
    !(secs > 0) ||
    !['memory', 'file'].includes(values.storage) ||
    only.some(each => !names.includes(each));
  if (values.help || isWrong) {
    console.log(HELP.replace('NAMES', names.join(', ')));
    process.exitCode = isWrong ? 2 : 0;
    return;
  }
  const storage = values.storage as StorageKind;
  const loads = LOADS.filter(load => only.includes(load.name));
  const directory = mkdtempSync(path.join(tmpdir(), 'caltrop-bench-'));
  try {
    const programs = { load: compile('load', directory), echo: compile('echo', directory) };
    const measured = new Map(loads.map(load => [load, { caltrop: [], floor: [] } as Measured]));
    const idleShares: number[] = [];
    for (let run = 1; run <= runCount; run++) {
      console.error(`run ${run} of ${runCount}`);
      idleShares.push(await runOnce(programs, storage, secs, run, measured));
    }
    print(measured, median(idleShares), storage, runCount, secs);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Starts both servers, measures every load on both, and stops them. Returns the share of a processor that Caltrop takes when idle. */
async function runOnce(
  programs: { load: string; echo: string },
  storage: StorageKind,
  secs: number,
  run: number,
  measured: Map<Load, Measured>,
): Promise<number> {
  const floor = await startFloor(programs.echo);
  let caltrop: ServerProcess | undefined;
  try {
    caltrop = await ServerProcess.start(storage, NAMESPACE_SIZE);
    await preload(programs.load, caltrop.port, KEY_COUNT);
    const idleShare = await idleness(caltrop.pid);
    for (const [load, samples] of measured) {
      const turns: [Target, Target, Sample[]][] = [
        [caltrop, floor, samples.caltrop],
        [floor, caltrop, samples.floor],
      ];
      if (run % 2 === 0) turns.reverse(); // so that neither always has the warmer machine
      for (const [target, other, into] of turns) {
        if (target === floor && load.batchSize > 0) continue; // it knows no batches
        other.pause();
        try {
          into.push(await measure(programs.load, target, load, secs, run));
        } finally {
          other.resume();
        }
      }
      console.error(`  ${load.title}: ${samples.caltrop.at(-1)!.result.requestRate} requests/s`);
    }
    return idleShare;
  } finally {
    floor.stop();
    await caltrop?.stop();
  }
}

async function measure(
  program: string,
  target: Target,
  load: Load,
  secs: number,
  seed: number,
): Promise<Sample> {
  const before = processorTime(target.pid);
  const result = await runLoad(program, { ...load, port: target.port, secs, keyCount: KEY_COUNT, seed });
  const time = timeBetween(before, processorTime(target.pid));
  return { result, time, requestCount: result.requestRate * secs };
}

async function idleness(pid: number): Promise<number> {
  await new Promise(resolve => setTimeout(resolve, SETTLE_MS));
  const [startMs, before] = [performance.now(), preciseTime(pid)];
  await new Promise(resolve => setTimeout(resolve, IDLE_MS));
  return (preciseTime(pid) - before) / ((performance.now() - startMs) / 1000);
}

async function startFloor(program: string): Promise<Target & { stop(): void }> {
  const port = await freePort();
  const child: ChildProcess = spawn(program, ['--port', String(port)], { stdio: 'inherit' });
  // The echo answers anything that has a length, even this.
  for (let tries = 0; (await askInfo(port, 'status')) === '' && tries < 100; tries++) {
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  return {
    pid: child.pid!,
    port,
    pause: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    stop: () => child.kill('SIGKILL'),
  };
}

function print(
  measured: Map<Load, Measured>,
  idleShare: number,
  storage: string,
  runCount: number,
  secs: number,
): void {
  const head = [
    'load',
    'requests/s',
    'floor',
    'ratio',
    'p50 ms',
    'p99 ms',
    'floor p50 ms',
    'floor p99 ms',
    'main µs/request (user + system)',
    'other threads µs/request',
  ];
  const rows = [...measured].map(([load, { caltrop, floor }]) => {
    const rate = median(caltrop.map(each => each.result.requestRate));
    const floorRate = floor.length > 0 ? median(floor.map(each => each.result.requestRate)) : undefined;
    return [
      load.title,
      load.batchSize > 0
        ? `${rate.toFixed(0)} (${(rate * load.batchSize).toFixed(0)} records/s)`
        : rate.toFixed(0),
      floorRate?.toFixed(0) ?? '–',
      floor.length > 0 ? median(caltrop.map((each, run) => rateOver(each, floor[run]!))).toFixed(2) : '–',
      milliseconds(caltrop, 'p50Us'),
      milliseconds(caltrop, 'p99Us'),
      floor.length > 0 ? milliseconds(floor, 'p50Us') : '–',
      floor.length > 0 ? milliseconds(floor, 'p99Us') : '–',
      perRequest(caltrop, 'mainUser', 'mainSystem'),
      perRequest(caltrop, 'othersUser', 'othersSystem'),
    ];
  });
  console.log(markdown([head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows]));
  const [batched, single] = [samplesOf(measured, 'batch'), samplesOf(measured, 'reads-16')];
  if (batched !== undefined && single !== undefined) {
    const overFloor = batched.caltrop.map(
      (each, run) => each.result.recordRate / single.floor[run]!.result.requestRate,
    );
    console.log(
      `\nRecords/s of batches over the floor's requests/s on as many connections: ${median(overFloor).toFixed(1)}.`,
    );
  }
  console.log(`\nAn idle server uses ${(idleShare * 100).toFixed(2)} % of one core.`);
  console.log(
    `\nMedians of ${runCount} alternating runs of ${secs} s each; ${storage} namespace, ${KEY_COUNT} keys, 100-byte values, ` +
      `client on the same ${availableParallelism()} processors (${cpus()[0]?.model.trim()}), Node ${process.versions.node}.`,
  );
}

/** Of two turns of one run: between runs a shared machine's speed changes by more than what is measured. */
function rateOver(caltrop: Sample, floor: Sample): number {
  return caltrop.result.requestRate / floor.result.requestRate;
}

function samplesOf(measured: Map<Load, Measured>, name: string): Measured | undefined {
  return [...measured].find(([load]) => load.name === name)?.[1];
}

function milliseconds(samples: readonly Sample[], name: 'p50Us' | 'p99Us'): string {
  return (median(samples.map(each => each.result[name])) / 1000).toFixed(2);
}

function perRequest(
  samples: readonly Sample[],
  user: keyof ProcessorTime,
  system: keyof ProcessorTime,
): string {
  const micros = (name: keyof ProcessorTime) =>
    median(samples.map(each => (each.time[name] * 1e6) / each.requestCount)).toFixed(1);
  return `${micros(user)} + ${micros(system)}`;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function markdown(rows: readonly (readonly string[])[]): string {
  return rows.map(row => `| ${row.join(' | ')} |`).join('\n');
}

await main();
