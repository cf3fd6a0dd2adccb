import test from 'ava';
import { OK } from '../../../src/base/result.js';
import { newDataKey } from '../../../src/storage/cipher/data-key.js';
import * as ST from '../../../src/storage/engine.js';
import type { IoTimes } from '../../../src/storage/io/io-queue.js';
import type { BlockWriterLimits } from '../../../src/storage/write-block/writer-limits.js';
import { FaultyDisk, FaultyIo, seeded } from '../../support/faulty-io.js';
import { FAILED_MS } from '../../support/sound-clock.js';
import { StorageShard } from '../../support/storage-shard.js';

const BLOCK = 64 * 1024;
const DATA_AT = 64 * 1024;

function start(
  limits: Partial<BlockWriterLimits> = {},
  times?: IoTimes,
): { shard: StorageShard; io: FaultyIo } {
  const io = new FaultyIo(new FaultyDisk(DATA_AT + 16 * BLOCK), 32 * 1024 * 1024, seeded(3));
  const owner = { setId: Uint32Array.of(1, 2, 3, 4), shard: 0, writeBlockSize: BLOCK, startCount: 1 };
  const extent = { path: 'disk', offset: DATA_AT, size: 16 * BLOCK, owner };
  return {
    shard: new StorageShard({
      backend: io,
      extent,
      limits: { flushMaxMs: 100, ...limits },
      ...(times ? { times } : {}),
    }).recover(),
    io,
  };
}

test('appends are numbered, and are durable when their flush has ended', t => {
  const { shard, io } = start();
  const { engine } = shard;
  t.is(engine.appendedNumber, 0);
  t.is(engine.durableNumber, 0);
  for (let key = 0; key < 10; key++) t.is(shard.put(key, 1, 500), OK);
  t.is(shard.delete(3), OK);
  t.is(engine.appendedNumber, 11);
  t.is(engine.durableNumber, 0);
  io.faults.turnsMax = 5;
  let ms = 0;
  while (engine.durableNumber < 11 && ms < 1000) {
    t.is(engine.durableNumber, 0); // one piece, durable as a whole
    shard.tick(++ms);
  }
  t.true(ms > 40 && ms < 100, `${ms} ms`);
  t.is(engine.committedNumber, 11);
  t.is(shard.put(20, 1, 500), OK);
  t.is(engine.durableNumber, 11);
});

test('blocks of one stream become durable in their order', t => {
  const { shard, io } = start();
  const { engine } = shard;
  io.faults.turnsMax = 9;
  let durable = 0;
  let steps = 0;
  for (let key = 0; key < 300; key++) {
    t.is(shard.put(key, 1, 2000), OK);
    shard.io.drain();
    t.true(engine.durableNumber >= durable && engine.durableNumber <= engine.appendedNumber);
    if (engine.durableNumber > durable) steps++;
    durable = engine.durableNumber;
  }
  t.true(steps > 4, `${steps} steps`);
  const written = shard.counters[ST.ST_WRITTEN_BYTES]!;
  const stored = shard.counters[ST.ST_CLIENT_BYTES]!;
  t.true(written > 8 * BLOCK && written % 4096 === 0);
  t.is(stored, shard.counters[ST.ST_USED_BYTES]!);
});

test('each full block is timed until it is durable', t => {
  const took: number[] = [];
  const times = { record: () => {}, recordBlock: (ms: number) => took.push(ms), recordLate: () => {} };
  const { shard } = start({ flushMaxMs: 0, flushSize: BLOCK }, times);
  for (let key = 0; key < 300; key++) t.is(shard.put(key, 1, 2000), OK);
  const fullCount = shard.counters[ST.ST_WRITES]!;
  for (let ms = 0; ms < 100; ms++) shard.tick(ms);
  t.true(fullCount >= 8, `${fullCount} blocks were full`);
  t.is(took.length, fullCount);
  t.true(took.every(ms => ms >= 0 && ms < 10_000));
});

test('what is durable later than flush-max-ms is counted, with how long it took to ask for it', t => {
  const late: [durationMs: number, askedMs: number][] = [];
  const times = {
    record: () => {},
    recordBlock: () => {},
    recordLate: (durationMs: number, askedMs: number) => late.push([durationMs, askedMs]),
  };
  const { shard, io } = start({ flushMaxMs: 100 }, times);
  let ms = 0;
  const tick = (count: number, step = 10): void => {
    for (let i = 0; i < count; i++) shard.tick((ms += step));
  };
  tick(1);
  shard.put(1, 1, 500);
  tick(20);
  t.is(shard.engine.durableNumber, 1);
  t.deepEqual(late, []);
  // The thread that should have asked was away.
  shard.put(2, 1, 500);
  tick(1, 300);
  tick(5);
  t.is(shard.engine.durableNumber, 2);
  t.is(late.length, 1);
  t.is(late[0]![1], 300);
  t.true(late[0]![0] >= 300 && late[0]![0] <= 350, `${late[0]![0]} ms`);
  // The device takes its time.
  io.faults.turnsMax = 100;
  shard.put(3, 1, 500);
  while (shard.engine.durableNumber < 3) tick(1);
  t.is(late.length, 2);
  t.true(late[1]![0] > 100 && late[1]![1] <= 60, `${late[1]}`);
  t.is(shard.counters[ST.ST_LATE_WRITES], 2);
});

test('nothing is late that was promised no time, or is acknowledged when it is durable', t => {
  for (const limits of [{ flushMaxMs: 0 }, { flushMaxMs: 100, isCommitting: true }]) {
    const { shard } = start({ ...limits, flushSize: 4096 });
    shard.tick(10);
    for (let key = 0; key < 20; key++) shard.put(key, 1, 500);
    for (let ms = 1000; ms < 1200; ms += 10) shard.tick(ms);
    t.true(shard.engine.durableNumber > 0);
    t.is(shard.counters[ST.ST_LATE_WRITES], 0);
  }
});

test('flush-size bytes that have come together go to the device without waiting, in whole pages', t => {
  const { shard } = start({ flushMaxMs: 0, flushSize: 16 * 1024 });
  const { engine } = shard;
  let key = 0;
  const room = 500 + 96; // with header and set name, rounded up
  while (engine.appendedNumber * room < 15 * 1024) {
    t.is(shard.put(key++, 1, 500), OK);
    shard.io.drain();
  }
  t.is(shard.counters[ST.ST_WRITTEN_BYTES], 0);
  for (let i = 0; i < 60; i++) {
    t.is(shard.put(key++, 1, 500), OK);
    for (let turn = 0; turn < 4; turn++) shard.io.drain();
  }
  const written = shard.counters[ST.ST_WRITTEN_BYTES]!;
  t.is(written, 3 * 16 * 1024);
  const { appendedNumber, durableNumber } = engine;
  t.true(durableNumber >= Math.floor((written - 128) / 608) - 1 && durableNumber < appendedNumber);
  t.true(durableNumber * 560 < written); // none is called durable whose end is not
});

test('a block is written from front to back, however late the device is', t => {
  const { shard, io } = start({ flushSize: 8192 });
  io.faults.turnsMax = 9;
  const { disk } = io;
  const write = io.write.bind(io);
  let behindOthers = 0;
  io.write = (token, file, offset, length, bufferAt) => {
    if ((offset - DATA_AT) % BLOCK > 0) {
      behindOthers++;
      const before = disk.bytes.subarray(offset - 4096, offset);
      t.true(
        before.some(byte => byte !== 0),
        'the piece before it is there',
      );
    }
    return write(token, file, offset, length, bufferAt);
  };
  for (let key = 0; key < 300; key++) {
    t.is(shard.put(key, 1, 2000), OK);
    shard.io.drain();
  }
  t.true(behindOthers > 40, `${behindOthers} pieces`);
  for (let ms = 0; shard.engine.durableNumber < 300; ms++) shard.tick(ms);
  for (let key = 0; key < 300; key++) t.is(shard.get(key), 1);
});

/** A device with one block's worth of records in pieces of a page, none of which but the first has gone to it yet. */
function startBehind(isEncrypted: boolean): {
  shard: StorageShard;
  io: FaultyIo;
  writes: { from: number; length: number }[];
  reopen: () => StorageShard;
} {
  const disk = new FaultyDisk(DATA_AT + 16 * BLOCK);
  const owner = { setId: Uint32Array.of(1, 2, 3, 4), shard: 0, writeBlockSize: BLOCK, startCount: 1 };
  const dataKey = isEncrypted ? newDataKey('aes-128') : null;
  const extent = { path: 'disk', offset: DATA_AT, size: 16 * BLOCK, owner, dataKey };
  const io = new FaultyIo(disk, 32 * 1024 * 1024, () => 0.999);
  const limits = { flushMaxMs: 100, flushSize: 4096 };
  const shard = new StorageShard({ backend: io, extent, limits }).recover();
  const reopen = (): StorageShard => {
    io.cutPower();
    const backend = new FaultyIo(disk, 32 * 1024 * 1024, seeded(3));
    return new StorageShard({
      backend,
      extent: { ...extent, owner: { ...owner, startCount: 2 } },
      limits,
    }).recover();
  };
  io.faults.turnsMax = 9; // and that is what each request takes
  const writes: { from: number; length: number }[] = [];
  const write = io.write.bind(io);
  io.write = (token, file, offset, length, bufferAt) => {
    writes.push({ from: offset - DATA_AT, length });
    return write(token, file, offset, length, bufferAt);
  };
  for (let key = 0; key < 20; key++) shard.put(key, 1, 3000);
  return { shard, io, writes, reopen };
}

for (const isEncrypted of [false, true]) {
  const kind = isEncrypted ? 'encrypted' : 'plain';

  test(`pieces that wait for a late device go together: ${kind}`, t => {
    const { shard, writes, reopen } = startBehind(isEncrypted);
    t.deepEqual(writes, [{ from: 0, length: 4096 }]);
    let turns = 0;
    while (shard.engine.durableNumber < 19 && turns < 1000) {
      shard.io.drain();
      turns++;
    }
    t.true(turns <= 4 * 10 + 4, `${turns} turns: two writes and two flushes take 10 each`);
    t.deepEqual(writes, [
      { from: 0, length: 4096 },
      { from: 4096, length: 14 * 4096 },
    ]);
    const again = reopen();
    for (let key = 0; key < 19; key++) t.is(again.get(key), 1);
  });

  test(`nor do they go one by one when the device has failed: ${kind}`, t => {
    const { shard, io, writes, reopen } = startBehind(isEncrypted);
    let failures = 0;
    io.faults.failsWrite = () => failures++ < 2;
    let ms = 0;
    while (shard.engine.durableNumber < 20 && ms < 10_000) shard.tick(++ms);
    // Tried, not again before 200 ms have passed, and then with all that has come together meanwhile: the last page too, which is padded in time.
    t.deepEqual(writes.slice(0, 3), [
      { from: 0, length: 4096 },
      { from: 0, length: BLOCK },
      { from: 0, length: BLOCK },
    ]);
    t.true(ms < 2 * 210 + 5 * 10 && ms > 200, `${ms} ms`);
    const again = reopen();
    for (let key = 0; key < 20; key++) t.is(again.get(key), 1);
  });
}

/** Milliseconds until `count` records are durable on a device of which the first `failures` requests of a kind fail. */
function durableAfter(kind: 'write' | 'flush', failures: number, count: number): number {
  const disk = new FaultyDisk(DATA_AT + 16 * BLOCK);
  const io = new FaultyIo(disk, 32 * 1024 * 1024, () => 0.999, { turnsMax: 2 });
  const owner = { setId: Uint32Array.of(1, 2, 3, 4), shard: 0, writeBlockSize: BLOCK, startCount: 1 };
  const extent = { path: 'disk', offset: DATA_AT, size: 16 * BLOCK, owner };
  const limits = { flushMaxMs: 100, flushSize: 16 * 1024 };
  const shard = new StorageShard({ backend: io, extent, limits }).recover();
  let left = failures;
  const fails = (): boolean => left > 0 && left-- > 0;
  if (kind === 'write') io.faults.failsWrite = fails;
  else io.faults.failsFlush = fails;
  for (let key = 0; key < count; key++) shard.put(key, 1, 3000);
  let ms = 0;
  while (shard.engine.durableNumber < count && ms < 100_000) {
    ms += 10;
    shard.tick(ms);
  }
  io.cutPower();
  const again = new StorageShard({
    backend: new FaultyIo(disk, 32 * 1024 * 1024, seeded(3)),
    extent,
  }).recover();
  for (let key = 0; key < count; key++) if (again.get(key) !== 1) return Number.POSITIVE_INFINITY;
  return ms;
}

for (const kind of ['write', 'flush'] as const) {
  test(`a ${kind} that fails makes what waits for it late by the time that the device is left alone, and little more`, t => {
    for (const count of [1, 20, 60]) {
      const soonest = durableAfter(kind, 0, count);
      for (let failures = 1; failures <= 8; failures++) {
        const late = durableAfter(kind, failures, count) - soonest;
        t.true(late <= failures * FAILED_MS, `${count} records, ${failures} failures: ${late} ms late`);
        if (count === 1) t.true(late >= failures * 200, `${count} records: ${late} ms late`);
      }
    }
  });
}

/** The longest that an append has waited to be durable, on a device that takes `requestMs` over each request. */
function longestWait(
  seed: number,
  flushMaxMs: number,
  requestMs: number,
): { longestMs: number; count: number } {
  const random = seeded(seed);
  const pick = (count: number): number => Math.floor(random() * count);
  const io = new FaultyIo(new FaultyDisk(DATA_AT + 64 * BLOCK), 32 * 1024 * 1024, () => 0.999, {
    turnsMax: requestMs / 10 - 1,
  });
  const owner = { setId: Uint32Array.of(1, 2, 3, 4), shard: 0, writeBlockSize: BLOCK, startCount: 1 };
  const extent = { path: 'disk', offset: DATA_AT, size: 64 * BLOCK, owner };
  const limits = { flushMaxMs, flushSize: [4096, 16 * 1024, 1024 * 1024][pick(3)]!, defragSleepMs: 0 };
  const shard = new StorageShard({ backend: io, extent, limits }).recover();
  const { engine } = shard;
  const sizeMax = 100 + pick(5000);
  const perStep = 1 + pick(6);
  const since: number[] = [];
  let durable = 0;
  let longestMs = 0;
  for (let ms = 10; ms < 6000; ms += 10) {
    shard.tick(ms);
    // It has to see first how slow the device is.
    for (; durable < engine.committedNumber; durable++) {
      if (since[durable]! > 1500) longestMs = Math.max(longestMs, ms - since[durable]!);
    }
    for (let i = random() < 0.7 ? pick(perStep) : 0; i > 0; i--) {
      if (shard.put(pick(40), ms, 16 + pick(sizeMax)) === OK) since.push(ms);
    }
    while (since.length < engine.appendedNumber) since.push(ms); // defrag's are numbered too
  }
  return { longestMs, count: durable };
}

test('however slow a device is, what was appended waits for two of its writes and two flushes at most', t => {
  let count = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const flushMaxMs = [200, 400, 1000][seed % 3]!;
    const requestMs = 10 * (1 + (seed % 15));
    const run = longestWait(seed, flushMaxMs, requestMs);
    // Asked for when half of the time is over, if the device needs it: then it takes what it takes, and a tick or two.
    const most = Math.max(flushMaxMs, flushMaxMs / 2 + 4 * requestMs) + 20;
    t.true(
      run.longestMs <= most,
      `seed ${seed}: ${run.longestMs} ms at ${requestMs} ms a request, ${flushMaxMs}`,
    );
    count += run.count;
  }
  t.true(count > 60 * 300, `${count} appends`);
});
