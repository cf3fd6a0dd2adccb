/**
 * Measures what checkpoints of the index cost those who read and write meanwhile: a server on a file namespace under
 * load.c, in rounds of half a second. In each it is seen whether a checkpoint file was being written; latencies of
 * rounds with and without are compared. With many records, checkpoints of the shards come one by one under the load of
 * the rounds themselves.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { compile, type LoadResult, preload, runLoad } from './support/c-program.js';
import { ServerProcess } from './support/server-process.js';

const HELP = `Usage: scripts/bench-checkpoint [--records N] [--connections N] [--reads PCT] [--rounds N]
Latencies of reads of a file namespace while checkpoints of its index are written, and while none is.
  --records N      (2000000)
  --connections N  (16)
  --reads PCT      the rest are writes (50)
  --rounds N       of half a second (80)
Needs cc and Linux.`;

const FILE_SIZE = 4 * 1024 ** 3; // bytes
const ROUND_SEC = 0.5;
const LOOK_MS = 20;
/** Part of a round's looks at which files had changed, from which on it counts as one with a checkpoint. */
const BUSY_MIN = 0.15;

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '2000000' },
    connections: { type: 'string', default: '16' },
    reads: { type: 'string', default: '50' },
    rounds: { type: 'string', default: '80' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const keyCount = Number(values.records);
const connectionCount = Number(values.connections);
const readPct = Number(values.reads);
const rounds = Number(values.rounds);
if (!(keyCount >= 1 && connectionCount >= 1 && readPct >= 0 && readPct <= 100 && rounds >= 1)) {
  console.error(HELP);
  process.exit(2);
}

const directory = mkdtempSync(path.join(tmpdir(), 'caltrop-bench-'));
const server = await ServerProcess.start('file', FILE_SIZE);
try {
  const program = compile('load', directory);
  await preload(program, server.port, keyCount);
  const written: LoadResult[] = [];
  const idle: LoadResult[] = [];
  for (let seed = 1; seed <= rounds; seed++) {
    let last = checkpointTimes();
    let looks = 0;
    let changes = 0;
    const timer = setInterval(() => {
      const now = checkpointTimes();
      looks++;
      if (now !== last) changes++;
      last = now;
    }, LOOK_MS);
    const load = {
      port: server.port,
      connectionCount,
      readPct,
      batchSize: 0,
      secs: ROUND_SEC,
      keyCount,
      seed,
    };
    const result = await runLoad(program, load);
    clearInterval(timer);
    if (changes >= looks * BUSY_MIN) written.push(result);
    else if (changes === 0) idle.push(result);
  }
  show('a checkpoint is written', written);
  show('none is', idle);
} finally {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
}

/** Another text whenever a checkpoint file has been written to. */
function checkpointTimes(): string {
  return readdirSync(server.directory)
    .filter(name => name.includes('.index-'))
    .map(name => statSync(path.join(server.directory, name)).mtimeMs)
    .join();
}

function show(what: string, results: readonly LoadResult[]): void {
  const median = (pick: (result: LoadResult) => number): number =>
    results.map(pick).toSorted((a, b) => a - b)[results.length >> 1] ?? Number.NaN;
  const ms = (us: number): string => (us / 1000).toFixed(2);
  const [p50, p99, p999] = [median(r => r.p50Us), median(r => r.p99Us), median(r => r.p999Us)];
  const rate = median(r => r.requestRate).toFixed(0);
  console.log(
    `${what}: ${results.length} rounds, ${rate} requests/s, p50 ${ms(p50)}, p99 ${ms(p99)}, p99.9 ${ms(p999)} ms`,
  );
}
