/**
 * Soak: a server of its own, a long load from scripts/load-test whose connections are closed and reopened
 * throughout, and the server's resident size all the while. A server that leaks grows from quarter to quarter.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { residentSize } from './support/processor-time.js';
import { ServerProcess, type StorageKind } from './support/server-process.js';

const HELP = `Runs a long load with changing connections and value sizes, and watches the server's memory.

Usage: scripts/soak [options]
  --count N        requests of the load (default 20000000)
  --short          1,000,000 requests, and a bound of 1.10: what CI has time for
  --keys N         records (default 100000), values of 10 to 2,000 bytes
  --churn N        requests after which a connection is closed and reopened (default 2000)
  --connections N  (default 64)
  --batch-size N   records that a read asks for (default 1); more come as batches
  --storage KIND   memory (default) or file
Exit status 1 when a request failed, a value read was never written, a record that was inserted was not found, or the
largest resident size of the last quarter is more than 1.02 times that of the second.`;

const LOAD_TEST = fileURLToPath(new URL('../src/tools/load-test/main.js', import.meta.url));
const NAMESPACE_SIZE = 2 * 1024 ** 3; // bytes
const OBJECT_SPEC = 'B10-2000';
const SHORT_COUNT = 1_000_000;
const GROWTH_MAX = 1.02;
const GROWTH_MAX_SHORT = 1.1;
const SAMPLE_MS = 250;
const PRINT_EVERY = 120; // samples
const NOT_FOUND = '2';
const MIB = 1024 ** 2;

interface LoadOutcome {
  readonly exitCode: number;
  readonly requestCount: number;
  readonly perSec: number;
  readonly notFoundCount: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '20000000' },
      short: { type: 'boolean', default: false },
      keys: { type: 'string', default: '100000' },
      churn: { type: 'string', default: '2000' },
      connections: { type: 'string', default: '64' },
      'batch-size': { type: 'string', default: '1' },
      storage: { type: 'string', default: 'memory' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help || !['memory', 'file'].includes(values.storage)) {
    console.log(HELP);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const count = values.short ? String(SHORT_COUNT) : values.count;
  const growthMax = values.short ? GROWTH_MAX_SHORT : GROWTH_MAX;
  const server = await ServerProcess.start(values.storage as StorageKind, NAMESPACE_SIZE);
  try {
    const target = ['--port', String(server.port), '--connections', values.connections];
    const records = ['--keys', values.keys, '--object-spec', OBJECT_SPEC];
    const inserted = await load([...target, ...records, '--workload', 'I']);
    const sizes: number[] = [];
    const sampler = setInterval(() => {
      if (!server.isRunning) return;
      sizes.push(residentSize(server.pid));
      if (sizes.length % PRINT_EVERY === 0)
        console.error(`${(sizes.length * SAMPLE_MS) / 1000} s: ${(sizes.at(-1)! / MIB).toFixed(0)} MiB`);
    }, SAMPLE_MS);
    const soaked = await load([
      ...[...target, ...records, '--workload', 'RU,50', '--verify'],
      ...['--count', count, '--churn', values.churn, '--batch-size', values['batch-size']],
    ]);
    clearInterval(sampler);
    const growth = report(sizes, soaked);
    const isGood =
      inserted.exitCode + soaked.exitCode + soaked.notFoundCount === 0 &&
      growth <= growthMax &&
      server.isRunning;
    console.log(isGood ? 'soak passed' : `soak FAILED (growth bound ${growthMax})`);
    process.exitCode = isGood ? 0 : 1;
  } finally {
    await server.stop();
  }
}

/** Prints the quarters and returns the last one's largest size over the second one's. */
function report(sizes: readonly number[], { requestCount, perSec, notFoundCount }: LoadOutcome): number {
  const quarter = (number: number) =>
    Math.max(
      ...sizes.slice(Math.floor((sizes.length * (number - 1)) / 4), Math.floor((sizes.length * number) / 4)),
    );
  const mib = [1, 2, 3, 4].map(number => (quarter(number) / MIB).toFixed(1));
  const growth = quarter(4) / quarter(2);
  console.log(`${requestCount} requests, ${perSec.toFixed(0)} a second, ${notFoundCount} records not found`);
  console.log(`largest resident size by quarter, MiB: ${mib.join(', ')}`);
  console.log(`last quarter over second: ${growth.toFixed(4)}`);
  return growth;
}

async function load(args: readonly string[]): Promise<LoadOutcome> {
  const child = spawn(process.execPath, [LOAD_TEST, ...args, '--quiet', '--json', '-'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', chunk => {
    text += chunk;
  });
  const [exitCode] = (await once(child, 'close')) as [number | null];
  if (text === '') throw new Error(`the load test ended with ${exitCode} and no result`);
  const { reads, writes } = JSON.parse(text) as Record<'reads' | 'writes', LoadSide>;
  return {
    exitCode: exitCode ?? 1,
    requestCount: reads.count + writes.count,
    perSec: reads.perSec + writes.perSec,
    notFoundCount: reads.codes[NOT_FOUND] ?? 0,
  };
}

/** The part of the load test's --json that is used here. */
interface LoadSide {
  readonly count: number;
  readonly perSec: number;
  readonly codes: Record<string, number>;
}

await main();
