/**
 * Measures the primary index: bytes a record, as counted and as the operating system sees them (resident
 * size), after filling the shards of a namespace with random digests; and at the worst moments on the way,
 * when directories are doubling.
 */
import { parseArgs } from 'node:util';
import { DIGEST_SIZE, PARTITION_COUNT } from '../src/base/digest.js';
import { PrimaryIndex } from '../src/storage/index/primary-index.js';

const HELP = `Usage: scripts/index-memory [--records N] [--shards N] [--limit BYTES]
Prints the memory that the primary index takes, bytes a record.
  --records N    entries to insert (10000000)
  --shards N     shards they spread over, a power of two (16)
  --limit BYTES  fail when a figure at the end is above (64)`;

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '10000000' },
    shards: { type: 'string', default: '16' },
    limit: { type: 'string', default: '64' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const records = Number(values.records);
const shardCount = Number(values.shards);
const limit = Number(values.limit);
if (!(records >= 1 && shardCount >= 1 && limit > 0 && PARTITION_COUNT % shardCount === 0)) {
  console.error(HELP);
  process.exit(2);
}

/** A cheap stand-in for RIPEMD-160: 20 bytes that look random and differ for each number. */
function digestOf(number: number, out: Uint32Array): void {
  let state = number;
  for (let i = 0; i < 5; i++) {
    state = Math.imul(state ^ (state >>> 16), 0x7feb352d);
    state = Math.imul(state ^ (state >>> 15), 0x846ca68b);
    out[i] = state ^ (state >>> 16);
    state = (state + 0x9e3779b9) | 0;
  }
}

const words = new Uint32Array(DIGEST_SIZE / 4);
const digest = new Uint8Array(words.buffer);
// Shard s owns the pids s, s + shardCount, ...
const shards = Array.from(
  { length: shardCount },
  (_, s) =>
    new PrimaryIndex({
      partitions: Uint16Array.from({ length: PARTITION_COUNT / shardCount }, (_, i) => s + i * shardCount),
    }),
);
const usedBytes = () => shards.reduce((sum, index) => sum + index.usedBytes, 0);

// Compile everything before the first reading, so that compiled code is not counted as index.
const trial = new PrimaryIndex({ partitions: Uint16Array.from({ length: PARTITION_COUNT }, (_, i) => i) });
for (let i = 0; i < 200_000; i++) {
  digestOf(i, words);
  if (trial.find(digest, 0) < 0) trial.insert(digest, 0);
}

const residentBefore = process.memoryUsage().rss;
const startMs = performance.now();
let peak = 0;
for (let i = 0; i < records; i++) {
  digestOf(i, words);
  if (shards[digest[0]! & (shardCount - 1)]!.insert(digest, 0) < 0) throw new Error('no memory left');
  if (i % 65_536 === 0 && i > records / 10) peak = Math.max(peak, usedBytes() / i);
}
const seconds = (performance.now() - startMs) / 1000;
await new Promise(resolve => setTimeout(resolve, 200)); // directories that were outgrown are unmapped
(globalThis as { gc?: () => void }).gc?.();
await new Promise(resolve => setTimeout(resolve, 200));

const count = shards.reduce((sum, index) => sum + index.count, 0);
const resident = (process.memoryUsage().rss - residentBefore) / count;
const used = usedBytes() / count;
console.log(`records                          ${count}, not counting ${trial.count} of a warm-up`);
console.log(`shards                           ${shardCount}`);
console.log(`bytes a record, counted          ${used.toFixed(2)}`);
console.log(`bytes a record, counted, worst   ${peak.toFixed(2)}   (while directories double)`);
console.log(`bytes a record, resident         ${resident.toFixed(2)}`);
console.log(`inserts a second                 ${Math.round(count / seconds)}`);
if (Math.max(used, resident) > limit) {
  console.error(`above the limit of ${limit} bytes a record`);
  process.exit(1);
}
