/**
 * The C programs of the measurements: load.c, which makes the load with hardly any processor time of its own,
 * and echo.c, the floor for a server of one thread.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCES = fileURLToPath(new URL('../../../test/support/tools/', import.meta.url));

/** Compiles test/support/tools/NAME.c into the directory; returns the program's path. Throws when cc is missing. */
export function compile(name: 'load' | 'echo', directory: string): string {
  const program = path.join(directory, name);
  execFileSync('cc', ['-O2', '-o', program, path.join(SOURCES, `${name}.c`)], { stdio: 'inherit' });
  return program;
}

export interface LoadRun {
  readonly port: number;
  readonly connectionCount: number;
  readonly readPct: number;
  readonly batchSize: number;
  readonly secs: number;
  readonly keyCount: number;
  readonly seed: number;
}

/** Rates a second; latencies in microseconds, of reads where there are any, of writes otherwise. */
export interface LoadResult {
  readonly requestRate: number;
  readonly recordRate: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
}

/** Runs load.c once. Throws on a broken connection and on any result code other than 0. */
export async function runLoad(program: string, run: LoadRun): Promise<LoadResult> {
  const args = [
    ['--port', run.port],
    ['--conns', run.connectionCount],
    ['--reads', run.readPct],
    ['--batch', run.batchSize],
    ['--secs', run.secs],
    ['--keys', run.keyCount],
    ['--seed', run.seed],
  ];
  return parseLine(await output(program, args.flat().map(String)), 'run');
}

/** Writes every key once with load.c. */
export async function preload(program: string, port: number, keyCount: number): Promise<LoadResult> {
  const args = ['--port', String(port), '--load', '--secs', '0', '--keys', String(keyCount)];
  return parseLine(await output(program, args), 'load');
}

async function output(program: string, args: string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  child.stdout.on('data', chunk => {
    text += chunk;
  });
  child.stderr.on('data', chunk => {
    text += chunk;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${path.basename(program)} ${args.join(' ')}: exit ${code}: ${text}`);
  return text;
}

/** A line such as `run: 144737 req/s 144737 rec/s | read p50=390 p99=805 p99.9=1385 us | code 2 x17`. */
function parseLine(text: string, phase: string): LoadResult {
  const match = new RegExp(
    `^${phase}: (\\d+) req/s (\\d+) rec/s \\| \\w+ p50=(\\d+) p99=(\\d+) p99\\.9=(\\d+)`,
    'm',
  ).exec(text);
  if (!match || /code \d+ x\d+|BROKEN/.test(text)) throw new Error(`the load did not go well: ${text}`);
  const [requestRate, recordRate, p50Us, p99Us, p999Us] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return { requestRate, recordRate, p50Us, p99Us, p999Us };
}
