/**
 * Measures the background work of a worker on a memory namespace in one process: the passes of expiration, with and
 * without counting for eviction, the removal of what was evicted and truncated, and of a truncated set with and
 * without an index.
 */
import { parseArgs } from 'node:util';
import { Region } from '../src/base/arena.js';
import { Budget } from '../src/base/budget.js';
import { DIGEST_SIZE, PARTITION_COUNT } from '../src/base/digest.js';
import { OK } from '../src/base/result.js';
import { NAMESPACE_COUNTERS } from '../src/observe/namespace-counters.js';
import {
  createNamespaceMemory,
  SET_TUNE_ENABLE_INDEX,
  SET_TUNE_STRIDE,
  TUNE_NSUP_PERIOD,
  TUNE_SET_INDEX_CHANGES,
} from '../src/shard/namespace-memory.js';
import { EvictionCount, type EvictionCountReport } from '../src/shard/nsup/eviction-count.js';
import { Nsup } from '../src/shard/nsup/nsup.js';
import { SetIndexing } from '../src/shard/nsup/set-indexing.js';
import { TruncationWalk } from '../src/shard/nsup/truncation-walk.js';
import { NamespaceView, Shard } from '../src/shard/shard.js';
import { TruncationTable } from '../src/shard/truncation.js';
import { RecordSpan } from '../src/storage/engine.js';
import { VoidTimeHistogram } from '../src/storage/expiry/void-time-histogram.js';
import { PrimaryIndex } from '../src/storage/index/primary-index.js';
import { MemoryEngine } from '../src/storage/memory/memory-engine.js';
import { UNIT_SIZE } from '../src/storage/memory/size-class.js';
import { newRecordHeader, writeRecordHeader } from '../src/storage/record/flat-record.js';
import { SetTable } from '../src/storage/record/set-table.js';

const HELP = `Usage: scripts/bench-upkeep [--records N]
Prints what the background work of a worker costs, ns of processor time a record of the namespace, or a record
removed. --records N (1000000): half of them have a ttl; one in a hundred is in the set that is truncated.`;
const SHARDS = 16;
const STEP_COUNT = 128;
const RECORD_SIZE = 160; // bytes
const NOW_SEC = 500_000_000;
const TTL_MAX_SEC = 30 * 86_400;
const HIST_BUCKETS = 10_000;
const TENTHS = 5;

const { values } = parseArgs({
  options: { records: { type: 'string', default: '1000000' }, help: { type: 'boolean', default: false } },
});
const records = Number(values.records);
if (values.help || !(records >= 1000)) {
  console.log(HELP);
  process.exit(values.help ? 0 : 2);
}

const memory = createNamespaceMemory(SHARDS);
const counters = new Region(NAMESPACE_COUNTERS.names.length * 8).f64;
const view = new NamespaceView(0, 'test', memory, counters);
view.tuning[TUNE_NSUP_PERIOD] = 1;
const sets = new SetTable(memory.sets);
const [many, few] = ['many', 'few'].map(name => sets.findOrAdd(Buffer.from(name), 0, name.length));
const budget = new Budget(Math.ceil((records * RECORD_SIZE * 2) / UNIT_SIZE) + 64 * SHARDS).shared;
const shards = Array.from({ length: SHARDS }, (_, number) => {
  const partitions = Uint16Array.from({ length: PARTITION_COUNT / SHARDS }, (__, i) => number + i * SHARDS);
  const index = new PrimaryIndex({ partitions });
  const figures = view.figuresOf(number);
  const engine = new MemoryEngine({
    index,
    counters: figures,
    budget: new Budget(budget),
    shardCount: SHARDS,
  });
  return new Shard(view, partitions, index, engine, figures);
});
for (const shard of shards) shard.clock.raise(NOW_SEC * 1000);

const digest = new Uint8Array(DIGEST_SIZE);
const words = new Uint32Array(digest.buffer);
const span = new RecordSpan();
const header = newRecordHeader();

/** A cheap stand-in for RIPEMD-160. */
function makeDigest(number: number): void {
  let state = number;
  for (let i = 0; i < 5; i++) {
    state = Math.imul(state ^ (state >>> 16), 0x7feb352d);
    state = Math.imul(state ^ (state >>> 15), 0x846ca68b);
    words[i] = state ^ (state >>> 16);
    state = (state + 0x9e3779b9) | 0;
  }
}

function store(number: number, setId: number, voidTimeSec: number): void {
  makeDigest(number);
  const shard = shards[digest[0]! % SHARDS]!;
  const { index, engine } = shard;
  if (engine.reserve(RECORD_SIZE, span) !== OK) throw new Error('no room');
  header.sequence = engine.nextSequence();
  header.lutMs = NOW_SEC * 1000 - 1;
  header.voidTimeSec = voidTimeSec;
  writeRecordHeader(span.region.u8, span.region.u32, span.at, header, digest, 0);
  const entry = index.insert(digest, 0);
  index.setVoidTime(entry, voidTimeSec);
  index.setLut(entry, header.lutMs);
  index.setSetId(entry, setId);
  engine.store(entry);
  shard.countRecord(setId, RECORD_SIZE, 1);
}

/** Microseconds of processor time of an action. */
function timeOf(action: () => void): number {
  const before = process.cpuUsage();
  action();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function print(what: string, us: number, count: number): void {
  console.log(
    `| ${what} | ${((us * 1000) / count).toFixed(0)} ns | ${count} | ${(us / 1000).toFixed(1)} ms |`,
  );
}

for (let i = 0; i < records; i++) {
  const voidTime = i % 2 === 0 ? 0 : NOW_SEC + 1 + ((i * 7919) % TTL_MAX_SEC);
  store(i, i % 100 === 0 ? few! : many!, voidTime);
}

const reports: EvictionCountReport[] = [];
const nsup = new Nsup(shards, report => reports.push(report));
const truncation = new TruncationWalk(shards);
const indexing = new SetIndexing(shards);
const table = new TruncationTable(memory.truncation);
let nowMs = 0;
const cycle = (): void => {
  nowMs += 10_000;
  while (nsup.isDue(nowMs)) nsup.step(nowMs, STEP_COUNT);
};
const remove = (): void => {
  while (truncation.step(STEP_COUNT));
};

console.log('| pass | each | records | in all |\n|---|---:|---:|---:|');
cycle();
print('expiration, nothing expired', timeOf(cycle), records);
const count = new EvictionCount(memory.evictionCount);
const lutMs = NOW_SEC * 1000;
count.ask({ fromSec: NOW_SEC, untilSec: Number.POSITIVE_INFINITY, lutMs, bucketCount: HIST_BUCKETS });
print('expiration that counts for an eviction', timeOf(cycle), records);
const histogram = new VoidTimeHistogram(NOW_SEC, HIST_BUCKETS);
histogram.merge(reports[0]!.counts);
const countMax = Math.floor((records * TENTHS) / 1000);
const depth = histogram.depthFor({ countMax, count: countMax, bytes: 0 });
table.evict(depth.voidTimeSec, lutMs, []);
print(`eviction of ${depth.count}`, timeOf(remove), records);
table.set(few!, lutMs);
print('truncation of a set of one in a hundred, without an index', timeOf(remove), records);
const members = Math.ceil(records / 100);
const refill = (): void => {
  for (let i = 0; i < records; i += 100) store(i + records, few!, 0);
};
refill();
const setTuning = new Region(memory.setTuning).f64;
setTuning[few! * SET_TUNE_STRIDE + SET_TUNE_ENABLE_INDEX] = 1;
view.tuning[TUNE_SET_INDEX_CHANGES] = 1;
const populate = (): void => {
  while (indexing.step(STEP_COUNT));
};
print('making an index of the set', timeOf(populate), records);
table.set(few!, lutMs + 1);
remove(); // the first of its kind: its code is compiled meanwhile
refill();
table.set(few!, lutMs + 2);
print('truncation of the set by its index, each of its records', timeOf(remove), members);
table.set(0, lutMs + 3);
print('truncation of all, each', timeOf(remove), records - depth.count - members);
const left = shards.reduce((sum, { index }) => sum + index.count, 0);
if (left !== 0) throw new Error(`${left} records are left`);
