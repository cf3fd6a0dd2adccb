import test from 'ava';
import { DEVICE_OVERLOAD, OK, PARKED, UNKNOWN } from '../../../src/base/result.js';
import * as ST from '../../../src/storage/engine.js';
import { RECORD_ALIGN } from '../../../src/storage/record/flat-record.js';
import { FREE } from '../../../src/storage/write-block/block-table.js';
import { type Faults, FaultyDisk, FaultyIo, seeded } from '../../support/faulty-io.js';
import { digestOf, StorageShard, type StorageShardOptions } from '../../support/storage-shard.js';

const KIB = 1024;
const BLOCK = 64 * KIB;
const DATA_AT = 64 * KIB;
/** Records of this many bytes of value, 31 a block. */
const VALUE = 1900;

class Device {
  readonly blocks: number;
  readonly disk: FaultyDisk;
  readonly io: FaultyIo;
  starts = 0;

  constructor(blocks: number, faults: Partial<Faults> = {}) {
    this.blocks = blocks;
    this.disk = new FaultyDisk(DATA_AT + blocks * BLOCK);
    this.io = new FaultyIo(this.disk, 48 * KIB * KIB, seeded(7), { turnsMax: 1, ...faults });
  }

  start(limits: StorageShardOptions['limits'] = {}): StorageShard {
    const startCount = ++this.starts;
    const owner = { setId: Uint32Array.of(5, 6, 7, 8), shard: 0, writeBlockSize: BLOCK, startCount };
    const extent = { path: 'disk', offset: DATA_AT, size: this.blocks * BLOCK, owner };
    const all = { flushMaxMs: 100, defragSleepMs: 0, ...limits };
    return new StorageShard({ backend: this.io, extent, limits: all }).recover();
  }
}

class Clock {
  nowMs = 0;
  /** Lets the shard work for `ms`. */
  run(shard: StorageShard, ms: number): void {
    for (const end = this.nowMs + ms; this.nowMs < end; ) shard.tick((this.nowMs += 10));
  }
  put(shard: StorageShard, key: number, version: number, size = VALUE): number {
    let result = shard.put(key, version, size);
    for (let i = 0; result === DEVICE_OVERLOAD && i < 1000; i++) {
      this.run(shard, 10);
      result = shard.put(key, version, size);
    }
    return result;
  }
}

function freeOf(shard: StorageShard, device: Device): number {
  return shard.engine.blocks.states.subarray(0, device.blocks).filter(state => state === FREE).length;
}

test('blocks of which little is left are emptied, and their records stay readable', t => {
  const device = new Device(32);
  const clock = new Clock();
  let shard = device.start({ defragLwmPct: 0 });
  for (let key = 0; key < 600; key++) t.is(clock.put(shard, key, 1), OK);
  for (let key = 0; key < 600; key++) if (key % 4 !== 0) t.is(shard.delete(key), OK);
  clock.run(shard, 1000);
  t.is(shard.counters[ST.ST_DEFRAG_READS], 0);
  const before = freeOf(shard, device);
  shard.engine.limits.defragLwmPct = 50;
  clock.run(shard, 2000);
  t.true(freeOf(shard, device) >= before + 10, `${before} free before, ${freeOf(shard, device)} after`);
  t.is(shard.counters[ST.ST_DEFRAG_QUEUE], 0);
  const check = () => {
    for (let key = 0; key < 600; key++) t.is(shard.get(key), key % 4 === 0 ? 1 : undefined);
  };
  check();
  device.io.cutPower();
  shard = device.start();
  check();
  t.is(shard.index.count, 150);
});

test('defrag-lwm-pct, defrag-queue-min and defrag-sleep are honoured, and may change', t => {
  const device = new Device(40);
  const clock = new Clock();
  const shard = device.start({ defragLwmPct: 30, defragQueueMin: 10, defragSleepMs: 50 });
  for (let key = 0; key < 620; key++) t.is(clock.put(shard, key, 1), OK);
  for (let key = 0; key < 620; key++) if (key % 5 < 3) shard.delete(key); // 40 % stay
  clock.run(shard, 1000);
  t.is(shard.counters[ST.ST_DEFRAG_READS], 0);
  shard.engine.limits.defragLwmPct = 45;
  clock.run(shard, 300);
  const queue = shard.counters[ST.ST_DEFRAG_QUEUE]!;
  const reads = shard.counters[ST.ST_DEFRAG_READS]!;
  t.true(reads >= 5 && reads <= 7, `${reads} blocks begun`);
  t.true(queue + reads >= 19 && queue + reads <= 21, `${queue} blocks wait`);
  clock.run(shard, 2000);
  t.is(shard.counters[ST.ST_DEFRAG_QUEUE], 9); // fewer than defrag-queue-min wait
  shard.engine.limits.defragQueueMin = 0;
  const from = shard.counters[ST.ST_DEFRAG_READS]!;
  clock.run(shard, 250);
  const later = shard.counters[ST.ST_DEFRAG_READS]! - from;
  t.true(later >= 5 && later <= 6, `${later} blocks begun`);
});

test('while clients write and there is room, blocks are left to become empty by themselves, and no longer', t => {
  const device = new Device(64);
  const clock = new Clock();
  const shard = device.start();
  let version = 0;
  const overwrite = (times: number, keyCount: number) => {
    for (let i = 0; i < times; i++) {
      t.is(clock.put(shard, i % keyCount, ++version), OK);
      if (i % 10 === 0) clock.run(shard, 10);
    }
  };
  overwrite(1200, 60); // two blocks of records, written twenty times
  t.is(shard.counters[ST.ST_DEFRAG_READS], 0);
  t.is(shard.counters[ST.ST_DEFRAG_QUEUE], 0);
  t.true(freeOf(shard, device) >= 64 - 10, `${freeOf(shard, device)} free`);
  // Of what is written once more only here and there, blocks do not become empty: no more are in use than three times
  // those that are needed.
  for (let key = 0; key < 310; key++) t.is(clock.put(shard, key, ++version), OK);
  for (let round = 0; round < 40; round++) {
    for (let key = round % 5; key < 310; key += 20) t.is(clock.put(shard, key, ++version), OK);
    clock.run(shard, 50);
    const used = 64 - freeOf(shard, device);
    t.true(used <= 33, `${used} blocks in use in round ${round}`);
  }
  for (let key = 0; key < 310; key += 4) t.is(clock.put(shard, key, ++version), OK); // now none is left full
  for (let key = 1; key < 310; key += 4) t.is(clock.put(shard, key, ++version), OK);
  for (let key = 2; key < 310; key += 4) t.is(clock.put(shard, key, ++version), OK);
  clock.run(shard, 200);
  const before = freeOf(shard, device);
  clock.run(shard, 2000);
  t.true(
    freeOf(shard, device) > before,
    `${before} free, ${freeOf(shard, device)} after clients have stopped`,
  );
  t.true(shard.counters[ST.ST_DEFRAG_READS]! > 0);
});

test('a deleted record stays deleted when its marker was moved and its block used again', t => {
  const device = new Device(24);
  const clock = new Clock();
  const limits = { defragLwmPct: 60 };
  let shard = device.start(limits);
  for (let key = 0; key < 200; key++) t.is(clock.put(shard, key, 1), OK); // seven blocks, which stay
  for (let key = 0; key < 200; key += 10) t.is(shard.delete(key), OK); // their markers come after them
  let version = 1;
  for (let round = 0; round < 6; round++) {
    for (let i = 0; i < 300; i++) t.is(clock.put(shard, 1000 + (i % 60), ++version), OK);
    clock.run(shard, 500);
    t.true(shard.engine.blocks.markerCount >= 20);
    device.io.cutPower();
    shard = device.start(limits);
    for (let key = 0; key < 200; key++)
      t.is(shard.get(key), key % 10 === 0 ? undefined : 1, `round ${round}`);
  }
});

test('markers that old blocks keep needed do not fill the device', t => {
  const device = new Device(40);
  const clock = new Clock();
  let shard = device.start({ defragLwmPct: 50 });
  for (let key = 0; key < 300; key++) t.is(clock.put(shard, key, 1), OK); // ten blocks that nobody touches again
  for (let key = 1000; key < 41_000; key++) {
    t.is(clock.put(shard, key, 1, 200), OK, `key ${key}`);
    if (key >= 1100) t.is(shard.delete(key - 100), OK);
    if (key % 50 === 0) clock.run(shard, 10);
  }
  const markers = shard.engine.blocks.markerCount * 80;
  t.true(markers < 0.2 * 40 * BLOCK, `${markers} bytes of markers`);
  device.io.cutPower();
  shard = device.start();
  for (let key = 0; key < 300; key++) t.is(shard.get(key), 1);
  for (let key = 1000; key < 35_000; key += 7) t.is(shard.get(key), undefined);
});

test('a start with defrag-startup-minimum makes that much room first', t => {
  const device = new Device(40);
  const clock = new Clock();
  let shard = device.start({ defragLwmPct: 0 });
  for (let key = 0; key < 800; key++) t.is(clock.put(shard, key, 1), OK);
  for (let key = 0; key < 800; key++) if (key % 3 !== 0) t.is(shard.delete(key), OK);
  shard.engine.close();
  shard = device.start({ defragLwmPct: 0 });
  t.true(freeOf(shard, device) < 20);
  shard.engine.close();
  shard = device.start({ defragLwmPct: 50, defragSleepMs: 10_000, defragStartupMinPct: 60 });
  t.true(freeOf(shard, device) >= 24);
  for (let key = 0; key < 800; key++) t.is(shard.get(key), key % 3 === 0 ? 1 : undefined);
  shard.engine.close();
  shard = device.start({ defragLwmPct: 50, defragStartupMinPct: 99 }); // more than there can be
  t.is(shard.index.count, 267);
});

test('a damaged record stays where it is, and the others leave its block', t => {
  const device = new Device(24);
  const clock = new Clock();
  const shard = device.start({ defragLwmPct: 0 });
  for (let key = 0; key < 310; key++) t.is(clock.put(shard, key, 1), OK);
  for (let key = 0; key < 310; key++) if (key % 3 !== 0) shard.delete(key);
  clock.run(shard, 1000);
  const location = shard.index.location(shard.index.find(digestOf(33), 0)) * RECORD_ALIGN;
  device.disk.bytes[DATA_AT + location + 500]! ^= 1;
  const block = Math.floor(location / BLOCK);
  shard.engine.limits.defragLwmPct = 60;
  clock.run(shard, 1000);
  t.is(shard.engine.blocks.used[block], 1984);
  t.true(shard.log.lines.some(line => line.startsWith('critical') && line.includes('1984 bytes of records')));
  for (let key = 0; key < 310; key++) {
    t.is(shard.get(key), key % 3 !== 0 ? undefined : key === 33 ? -UNKNOWN : 1);
  }
  t.is(clock.put(shard, 33, 2), OK); // nothing is left there now
  clock.run(shard, 1000);
  t.is(shard.engine.blocks.states[block], FREE);
  t.is(shard.get(33), 2);
});

test('a block that cannot be read keeps its records, and is tried again', t => {
  const device = new Device(24);
  const clock = new Clock();
  const shard = device.start({ defragLwmPct: 0 });
  for (let key = 0; key < 310; key++) t.is(clock.put(shard, key, 1), OK);
  for (let key = 0; key < 310; key++) if (key % 3 !== 0) shard.delete(key);
  clock.run(shard, 1000);
  let isBroken = true;
  device.io.faults.failsRead = (_, length) => isBroken && length === BLOCK;
  shard.engine.limits.defragLwmPct = 60;
  clock.run(shard, 1000);
  t.true(shard.counters[ST.ST_READ_ERRORS]! > 5);
  t.is(shard.counters[ST.ST_DEFRAG_WRITES]! + shard.counters[ST.ST_DEFRAG_PARTIAL_WRITES]!, 0);
  for (let key = 0; key < 310; key += 3) t.is(shard.get(key), 1);
  isBroken = false;
  const before = freeOf(shard, device);
  clock.run(shard, 61_000);
  t.true(freeOf(shard, device) > before + 4);
  for (let key = 0; key < 310; key += 3) t.is(shard.get(key), 1);
});

test('a record that is moved while it is being read is read from its new place', t => {
  const device = new Device(24);
  const clock = new Clock();
  const shard = device.start({ defragLwmPct: 0 });
  for (let key = 0; key < 310; key++) t.is(clock.put(shard, key, 1), OK);
  for (let key = 0; key < 310; key++) if (key % 3 !== 0) shard.delete(key);
  clock.run(shard, 1000);
  t.is(shard.tryGet(0, 5), PARKED);
  t.is(shard.tryGet(3, 6), PARKED);
  const from = shard.index.location(shard.index.find(digestOf(0), 0));
  shard.engine.limits.defragLwmPct = 60;
  for (let version = 2; version < 12; version++) {
    for (let key = 200; key < 300; key += 3) t.is(clock.put(shard, key, version), OK);
    clock.run(shard, 300);
  }
  t.not(shard.index.location(shard.index.find(digestOf(0), 0)), from);
  t.is(shard.get(0, 5), 1);
  t.is(shard.get(3, 6), 1);
  t.is(shard.counters[ST.ST_CHECKSUM_ERRORS], 0);
});
