/**
 * Compares the processor time a request of two builds, or of one build in two ways: both run, take turns at the
 * same load in interleaved pairs (the one whose turn it is not is paused), and the median of the pairs' ratios is
 * printed. On a shared machine that says more than requests a second.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compile, preload, runLoad } from './support/c-program.js';
import { preciseTime } from './support/processor-time.js';
import { ServerProcess, type StorageKind } from './support/server-process.js';

const HELP = `Compares the processor time a request of two builds in interleaved pairs.

Usage: scripts/bench-pairs --before DIR [options]
  --before DIR         a checkout that has been built; the same one when only the environment differs
  --before-env K=V     for the server before; may be repeated
  --after-env K=V      for the server of this checkout; may be repeated
  --pairs N            default 20
  --secs N             length of one load (default 2)
  --connections N      default 64
  --reads PCT          default 100
  --batch N            rows a request (default 0: single records)
  --storage KIND       memory (default) or file
Needs cc and Linux.`;

const KEY_COUNT = 100_000;
const NAMESPACE_SIZE = 1024 ** 3; // bytes
const OWN_ROOT = fileURLToPath(new URL('../../', import.meta.url));

interface Sample {
  readonly microsPerRequest: number;
  readonly requestRate: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      before: { type: 'string' },
      'before-env': { type: 'string', multiple: true, default: [] },
      'after-env': { type: 'string', multiple: true, default: [] },
      pairs: { type: 'string', default: '20' },
      secs: { type: 'string', default: '2' },
      connections: { type: 'string', default: '64' },
      reads: { type: 'string', default: '100' },
      batch: { type: 'string', default: '0' },
      storage: { type: 'string', default: 'memory' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help || values.before === undefined || !['memory', 'file'].includes(values.storage)) {
    console.log(HELP);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const storage = values.storage as StorageKind;
  const load = {
    connectionCount: Number(values.connections),
    readPct: Number(values.reads),
    batchSize: Number(values.batch),
    secs: Number(values.secs),
    keyCount: KEY_COUNT,
  };
  const directory = mkdtempSync(path.join(tmpdir(), 'caltrop-bench-'));
  const servers: ServerProcess[] = [];
  try {
    const program = compile('load', directory);
    for (const [root, environment] of [
      [values.before, values['before-env']],
      [OWN_ROOT, values['after-env']],
    ] as const) {
      const server = await ServerProcess.start(storage, NAMESPACE_SIZE, mainOf(root), toRecord(environment));
      servers.push(server);
      await preload(program, server.port, KEY_COUNT);
      server.pause();
    }
    const [before, after] = servers as [ServerProcess, ServerProcess];
    const measure = async (server: ServerProcess, seed: number): Promise<Sample> => {
      server.resume();
      const start = preciseTime(server.pid);
      const { requestRate } = await runLoad(program, { ...load, port: server.port, seed });
      const micros = (preciseTime(server.pid) - start) * 1e6;
      server.pause();
      return { microsPerRequest: micros / (requestRate * load.secs), requestRate };
    };
    for (const server of [before, after]) await measure(server, 1); // warms it up
    const pairs: [Sample, Sample][] = [];
    for (let pair = 0; pair < Number(values.pairs); pair++) {
      const isSwapped = pair % 2 === 1;
      const first = await measure(isSwapped ? after : before, pair + 2);
      const second = await measure(isSwapped ? before : after, pair + 2);
      pairs.push(isSwapped ? [second, first] : [first, second]);
    }
    print(pairs);
  } finally {
    for (const server of servers) await server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

function print(pairs: readonly (readonly [Sample, Sample])[]): void {
  const ratios = (name: keyof Sample) => pairs.map(([before, after]) => after[name] / before[name]);
  for (const [title, name, digits] of [
    ['processor time a request, µs', 'microsPerRequest', 2],
    ['requests/s', 'requestRate', 0],
  ] as const) {
    const [before, after] = [0, 1].map(side =>
      quantile(
        pairs.map(pair => pair[side]![name]),
        0.5,
      ),
    );
    const [low, middle, high] = [0.25, 0.5, 0.75].map(share => quantile(ratios(name), share).toFixed(3));
    console.log(
      `${title}: ${before!.toFixed(digits)} before, ${after!.toFixed(digits)} after; ` +
        `median of ${pairs.length} ratios ${middle} (quartiles ${low}, ${high})`,
    );
  }
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  return below + (sorted[Math.ceil(at)]! - below) * (at % 1);
}

function mainOf(root: string): string {
  return path.join(root, 'dist', 'src', 'main.js');
}

function toRecord(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map(pair => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
}

await main();
