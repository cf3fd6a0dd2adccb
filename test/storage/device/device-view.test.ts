/** A device shard as a thread that is not its own sees it: what it does itself, and what it leaves to the engine. */
import test from 'ava';
import { OK, PARKED } from '../../../src/base/result.js';
import { DeviceView } from '../../../src/storage/device/device-view.js';
import {
  RecordSpan,
  ST_CLIENT_BYTES,
  ST_DEFRAG_READS,
  ST_FREE_BLOCKS,
  ST_UNFLUSHED_SINCE,
} from '../../../src/storage/engine.js';
import { PrimaryIndex } from '../../../src/storage/index/primary-index.js';
import type { BlockWriterLimits } from '../../../src/storage/write-block/writer-limits.js';
import { FaultyDisk, FaultyIo, seeded } from '../../support/faulty-io.js';
import { digestOf, StorageShard } from '../../support/storage-shard.js';

const KIB = 1024;
const BLOCK_SIZE = 64 * KIB;
const BLOCKS = 16;
const SIZE = 1000; // bytes of a value
const NEVER = 0x40000000; // bytes that never come together

function openShard(limits: Partial<BlockWriterLimits> = {}, hasView = true) {
  const disk = new FaultyDisk(BLOCKS * BLOCK_SIZE);
  const io = new FaultyIo(disk, 32 * 1024 * KIB, seeded(1), { turnsMax: 1 });
  const owner = { setId: Uint32Array.of(1, 2, 3, 4), shard: 0, writeBlockSize: BLOCK_SIZE, startCount: 1 };
  const extent = { path: 'disk', offset: 0, size: BLOCKS * BLOCK_SIZE, owner };
  const shard = new StorageShard({ backend: io, extent, limits, hasView }).recover();
  const partitions = Uint16Array.from({ length: 4096 }, (_, pid) => pid);
  const viewNow = (): DeviceView =>
    new DeviceView({
      index: new PrimaryIndex({ partitions, memory: shard.index.memory }),
      counters: shard.counters,
      sets: shard.sets,
      memory: structuredClone(shard.engine.memory!),
    });
  return { shard, viewNow };
}

/** Ticks until everything has been written. */
function settle(shard: StorageShard, fromMs: number): number {
  for (let nowMs = fromMs; ; nowMs += 10) {
    shard.tick(nowMs);
    if (!shard.engine.isBusy) return nowMs;
  }
}

test('nothing is appended before the engine has opened a block and appended to it', t => {
  const { shard, viewNow } = openShard({}, false);
  const span = new RecordSpan();
  t.is(viewNow().reserve(200, span), PARKED);
  t.is(shard.put(1, 1, SIZE), OK);
  t.is(viewNow().reserve(200, span), OK);
});

test('what view and engine append in turn lies one behind the other, and either reads it', t => {
  const { shard } = openShard();
  for (let version = 1; version <= 20; version++) {
    for (let key = 0; key < 40; key++) t.is(shard.put(key, version, SIZE), OK);
    shard.tick(version * 10);
  }
  for (let key = 0; key < 40; key++) for (let i = 0; i < 2; i++) t.is(shard.get(key), 20);
  t.true(shard.viewed > 300, `${shard.viewed}`);
  t.is(shard.engine.appendedNumber, 800);
  t.is(shard.counters[ST_CLIENT_BYTES], 800 * 1088);
});

test('a record whose block is not in memory is left to the engine, and so is one that does not fit', t => {
  const { shard, viewNow } = openShard({ postWriteCacheMax: 0, flushMaxMs: 50 }, false);
  for (let key = 0; key < 100; key++) t.is(shard.put(key, 1, SIZE), OK);
  settle(shard, 0);
  const view = viewNow();
  const span = new RecordSpan();
  t.is(view.load(shard.index.find(digestOf(0), 0), -1, span), PARKED);
  t.is(view.load(shard.index.find(digestOf(99), 0), -1, span), OK);
  t.is(view.reserve(10_000, span), OK);
  t.is(view.reserve(BLOCK_SIZE - 1000, span), PARKED);
  t.is(shard.get(0), 1);
});

test('a block that the view has emptied is given up by the next tick', t => {
  const { shard } = openShard({ flushMaxMs: 50, defragLwmPct: 0, postWriteCacheMax: 8 * BLOCK_SIZE });
  for (let key = 0; key < 200; key++) t.is(shard.put(key, 1, SIZE), OK);
  let nowMs = settle(shard, 0);
  const before = shard.counters[ST_FREE_BLOCKS]!;
  const { viewed } = shard;
  for (let version = 2; version < 12; version++) {
    for (let key = 0; key < 200; key++) t.is(shard.put(key, version, SIZE), OK);
    nowMs = settle(shard, nowMs + 10);
  }
  t.true(shard.viewed - viewed > 900);
  t.true(shard.counters[ST_FREE_BLOCKS]! >= before - 1, 'as many as before, but for the one that is open');
  t.is(shard.counters[ST_DEFRAG_READS], 0);
});

for (const hasView of [false, true]) {
  test(`${hasView ? 'view and engine say' : 'the engine says'} since when something is not on the device`, t => {
    const FLUSH_MAX_MS = 400;
    const { shard } = openShard({ flushMaxMs: FLUSH_MAX_MS }, hasView);
    const since = (): number => shard.counters[ST_UNFLUSHED_SINCE]!;
    shard.tick(1000);
    t.is(since(), 0);
    t.is(shard.put(0, 1, SIZE), OK);
    t.is(since(), 1000, 'at once');
    shard.tick(1100);
    t.is(shard.put(1, 1, SIZE), OK);
    t.is(shard.put(2, 1, SIZE), OK);
    let nowMs = 1100;
    for (; since() === 1000; shard.tick((nowMs += 10)));
    t.is(since(), 0, 'all went at once');
    t.true(nowMs > 1100 && nowMs <= 1000 + FLUSH_MAX_MS);
    // What comes while others are on their way counts from its own time.
    for (let last = nowMs; nowMs < 5000; last = since()) {
      t.is(shard.put(nowMs % 50, nowMs, SIZE), OK);
      shard.tick((nowMs += 10));
      t.true(since() >= last && since() < nowMs && nowMs - since() <= FLUSH_MAX_MS, `${since()} at ${nowMs}`);
    }
    settle(shard, nowMs);
    t.is(since(), 0);
  });
}

test('the engine is told once of what it has to look after', t => {
  const { shard, viewNow } = openShard({ flushMaxMs: 50, postWriteCacheMax: 8 * BLOCK_SIZE }, false);
  t.is(shard.put(1, 1, SIZE), OK);
  const view = viewNow();
  const entry = shard.index.find(digestOf(1), 0);
  t.false(view.takeNews(NEVER), 'nothing was done');
  t.is(view.bury(entry, 1), OK);
  t.false(view.takeNews(NEVER), 'the block was dirty before');
  settle(shard, 0);
  t.is(view.bury(entry, 2), OK);
  t.true(view.takeNews(NEVER), 'it was clean');
  t.is(view.bury(entry, 3), OK);
  t.true(view.takeNews(100), 'flush-size bytes have come together');
  t.is(view.bury(entry, 4), OK);
  t.false(view.takeNews(100));
});

test('nothing is appended while the engine is late with a flush', t => {
  const { shard, viewNow } = openShard({ flushMaxMs: 50 }, false);
  t.is(shard.put(1, 1, SIZE), OK); // at 0 ms
  const view = viewNow();
  view.setTime(49, 50);
  t.true(view.hasRoom(1000));
  view.setTime(50, 50);
  t.false(view.hasRoom(1000));
  t.is(view.bury(shard.index.find(digestOf(1), 0), 1), PARKED);
  view.setTime(50, 0);
  t.true(view.hasRoom(1000), 'no limit');
  settle(shard, 60);
  view.setTime(1000, 50);
  t.true(view.hasRoom(1000), 'all was flushed');
});
