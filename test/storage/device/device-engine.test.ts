import fs from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import {
  DEVICE_OVERLOAD,
  OK,
  OUT_OF_SPACE,
  PARKED,
  RECORD_TOO_BIG,
  UNKNOWN,
} from '../../../src/base/result.js';
import { accessTo, type DeviceAccess } from '../../../src/storage/device/device-access.js';
import * as ST from '../../../src/storage/engine.js';
import type { IoBackend } from '../../../src/storage/io/io-backend.js';
import { FREE } from '../../../src/storage/write-block/block-table.js';
import type { ExtentDescription } from '../../../src/storage/write-block/shard-extent.js';
import { type Faults, FaultyDisk, FaultyIo, seeded } from '../../support/faulty-io.js';
import { availableBackends, zeroFile } from '../../support/storage-backends.js';
import { digestOf, LogLines, StorageShard, type StorageShardOptions } from '../../support/storage-shard.js';

const KIB = 1024;
const MIB = 1024 * KIB;
const DATA_AT = 64 * KIB;
const BLOCK = 128 * KIB;
const BLOCKS = 16;
const BUFFERS = 64 * MIB;

function extentOf(path: string, startCount: number, blockSize = BLOCK, blocks = BLOCKS): ExtentDescription {
  const setId = Uint32Array.of(11, 22, 33, 44);
  return {
    path,
    offset: DATA_AT,
    size: blocks * blockSize,
    owner: { setId, shard: 0, writeBlockSize: blockSize, startCount },
  };
}

/** A shard on a device that can be started again and again. */
class Device {
  starts = 0;
  readonly backend: IoBackend;
  readonly path: string;
  readonly #access: Partial<DeviceAccess>;
  constructor(backend: IoBackend, path: string, access: Partial<DeviceAccess> = {}) {
    this.backend = backend;
    this.path = path;
    this.#access = access;
  }
  start(options: Partial<StorageShardOptions> = {}, nowSec = 0): StorageShard {
    const extent = { ...extentOf(this.path, ++this.starts), ...this.#access };
    return new StorageShard({ backend: this.backend, extent, ...options }).recover(nowSec);
  }
}

function memoryDevice(faults: Partial<Faults> = {}): { device: Device; disk: FaultyDisk; io: FaultyIo } {
  const disk = new FaultyDisk(DATA_AT + BLOCKS * BLOCK);
  const io = new FaultyIo(disk, BUFFERS, seeded(1), { turnsMax: 0, ...faults });
  return { device: new Device(io, 'disk'), disk, io };
}

/** Runs the engine's clock for a while. */
function run(shard: StorageShard, fromMs: number, forMs: number): number {
  for (let now = fromMs; now <= fromMs + forMs; now += 10) shard.tick(now);
  return fromMs + forMs;
}

/** Offset in the file of the record of `key`. */
function placeOf(shard: StorageShard, key: number): number {
  return DATA_AT + shard.index.location(shard.index.find(digestOf(key), 0)) * 16;
}

/** Every backend, through the cache and past it. */
const KINDS = availableBackends().flatMap(({ name, start }) => [
  { name, start, isDirect: false },
  { name: `${name}, direct`, start, isDirect: true },
]);

for (const kind of KINDS) {
  const start = async (t: ExecutionContext): Promise<Device> => {
    const file = zeroFile(t, DATA_AT + BLOCKS * BLOCK);
    const access = kind.isDirect ? accessTo(file, true, new LogLines()) : {};
    return new Device(await kind.start(t, BUFFERS), file, access);
  };

  test(`${kind.name}: records, overwrites and deletes are there after a clean restart`, async t => {
    const device = await start(t);
    let shard = device.start();
    for (let key = 0; key < 300; key++) t.is(shard.put(key, 1, 100 + key), OK);
    for (let key = 0; key < 300; key += 3) t.is(shard.put(key, 2, 1500), OK);
    for (let key = 1; key < 300; key += 3) t.is(shard.delete(key), OK);
    const check = (): void => {
      for (let key = 0; key < 300; key++) t.is(shard.get(key), [2, undefined, 1][key % 3]);
      t.is(shard.get(1000), undefined);
    };
    check();
    shard.engine.close();
    shard = device.start();
    check();
    t.is(shard.index.count, 200);
    t.deepEqual([...shard.recovered], [['people', 200]]);
    t.is(shard.counters[ST.ST_RECOVERED_RECORDS], 200);
    t.is(shard.counters[ST.ST_RECOVERED_BYTES], BLOCKS * BLOCK);
    t.is(shard.counters[ST.ST_CHECKSUM_ERRORS], 0);
    const entry = shard.index.find(digestOf(0), 0);
    t.is(shard.index.generation(entry), 2);
    t.is(shard.index.lut(entry), 2);
    shard.engine.close();
  });

  test(`${kind.name}: a record that left memory is read from the device, in parallel with others`, async t => {
    const device = await start(t);
    let shard = device.start();
    for (let key = 0; key < 500; key++) t.is(shard.put(key, 1, 1000 + (key % 7) * 600), OK);
    shard.engine.close();
    shard = device.start();
    t.is(shard.put(1000, 1, 100_000), OK); // the block that was resumed is closed
    t.is(shard.put(1001, 1, 100_000), OK);
    const deadline = performance.now() + 60_000;
    const waiting = new Map<number, number>();
    const tokens = new Int32Array(4);
    let key = 0;
    let done = 0;
    while (done < 500 && performance.now() < deadline) {
      for (let token = 0; token < 64 && key < 500; token++) {
        if (waiting.has(token)) continue;
        const result = shard.tryGet(key, token);
        if (result === PARKED) waiting.set(token, key);
        else {
          t.is(result, OK);
          done++;
        }
        key++;
      }
      shard.io.drainOrWait(50);
      const count = shard.engine.poll(tokens);
      for (let i = 0; i < count; i++) {
        const token = tokens[i]!;
        t.is(shard.tryGet(waiting.get(token)!, token), OK);
        shard.engine.release(token);
        waiting.delete(token);
        done++;
      }
    }
    t.is(done, 500);
    t.true(shard.counters[ST.ST_DEVICE_READS]! > 300);
    shard.engine.close();
  });

  test(`${kind.name}: what is older than flush-max-ms is on the device without a close`, async t => {
    const device = await start(t);
    const shard = device.start({ limits: { flushMaxMs: 200 } });
    t.is(shard.put(1, 1, 500), OK);
    t.is(shard.put(2, 1, 500), OK);
    for (let now = 1; now < 200; now += 10) shard.tick(now);
    while (shard.io.pendingCount > 0 || shard.io.hasWork) shard.io.drainOrWait(100);
    t.is(shard.counters[ST.ST_PARTIAL_WRITES], 1);
    const again = device.start(); // as after a kill: the first one's memory is gone
    t.is(again.get(1), 1);
    t.is(again.get(2), 1);
    again.engine.close();
  });
}

test('a token that is given up while its read is in flight serves the next command', t => {
  const { device, io } = memoryDevice();
  let shard = device.start();
  for (let key = 0; key < 200; key++) shard.put(key, 1, 2000);
  shard.engine.close();
  shard = device.start();
  const before = shard.io.pool.freeBytes;
  io.faults.turnsMax = 20;
  for (let round = 0; round < 50; round++) {
    const token = round % 3;
    shard.tryGet(round, token);
    if (round % 2 === 0) shard.io.drain();
    shard.engine.release(token);
    t.is(shard.get(round + 50, token), 1);
  }
  const tokens = new Int32Array(64);
  while (shard.io.pendingCount > 0) shard.io.drainOrWait(10);
  t.is(shard.engine.poll(tokens), 0);
  t.is(shard.io.pool.freeBytes, before);
});

test('without a token a record that is not in memory is not read', t => {
  const { device } = memoryDevice();
  let shard = device.start();
  for (let key = 0; key < 200; key++) shard.put(key, 1, 2000);
  shard.engine.close();
  shard = device.start();
  t.is(shard.tryGet(0, -1), PARKED);
  t.is(shard.io.pendingCount, 0);
});

test('reads wait for a buffer rather than fail, and all are answered', t => {
  const disk = new FaultyDisk(DATA_AT + 16 * MIB);
  const owner = { setId: Uint32Array.of(1, 2, 3, 4), shard: 0, writeBlockSize: 2 * MIB, startCount: 1 };
  const extent = { path: 'disk', offset: DATA_AT, size: 16 * MIB, owner };
  const io = new FaultyIo(disk, 16 * MIB, seeded(9), { turnsMax: 3 });
  const options = { backend: io, extent, recordSizeMax: 2 * MIB };
  let shard = new StorageShard(options).recover();
  for (let key = 0; key < 10; key++) {
    while (shard.put(key, 1, MIB - 200) === DEVICE_OVERLOAD) shard.tick(1);
  }
  shard.engine.close();
  shard = new StorageShard(options).recover();
  const tokens = new Int32Array(16);
  const answered = new Set<number>();
  for (let key = 0; key < 8; key++) {
    if (shard.tryGet(key, key) !== PARKED) answered.add(key);
  }
  for (let turn = 0; turn < 500 && answered.size < 8; turn++) {
    shard.io.drain();
    const count = shard.engine.poll(tokens);
    for (let i = 0; i < count; i++) {
      const key = tokens[i]!;
      t.is(shard.tryGet(key, key), OK);
      shard.engine.release(key);
      t.false(answered.has(key));
      answered.add(key);
    }
  }
  t.is(answered.size, 8);
});

test('a flipped bit is found when the record is read, and costs only that record', t => {
  const { device, disk } = memoryDevice();
  let shard = device.start();
  for (let key = 0; key < 200; key++) shard.put(key, 1, 2000);
  shard.engine.close();
  shard = device.start();
  disk.bytes[placeOf(shard, 5) + 1000]! ^= 4;
  t.is(shard.get(5), -UNKNOWN);
  t.is(shard.counters[ST.ST_CHECKSUM_ERRORS], 1);
  t.true(shard.log.lines.some(line => line.startsWith('critical') && line.includes('checksum')));
  for (let key = 0; key < 200; key++) if (key !== 5) t.is(shard.get(key), 1);
  shard = device.start();
  t.is(shard.get(5), undefined);
  t.is(shard.index.count, 199);
  t.is(shard.counters[ST.ST_CHECKSUM_ERRORS], 1);
  t.true(shard.log.lines.some(line => line.includes('1 torn or damaged ranges')));
});

test('a write that a kill cut off is no error, at this start or a later one, and is not appended to', t => {
  const { device, disk } = memoryDevice();
  let shard = device.start();
  for (let key = 0; key < 20; key++) shard.put(key, 1, 2000);
  shard.engine.close();
  shard = device.start();
  shard.put(20, 1, 9000);
  shard.engine.close();
  disk.bytes.fill(0, placeOf(shard, 20) + 8192, placeOf(shard, 20) + 16384);
  for (let version = 1; version < 4; version++) {
    shard = device.start();
    t.is(shard.get(20), undefined);
    t.is(shard.counters[ST.ST_CHECKSUM_ERRORS], 0);
    t.true(shard.log.lines.some(line => line.startsWith('info') && line.includes('cut off')));
    for (let key = 0; key < 20; key++) t.is(shard.get(key), key === 3 ? version : 1);
    t.is(shard.put(3, version + 1, 2000), OK);
    shard.engine.close();
  }
});

test('damage anywhere in a record or the first header copy is survived', t => {
  const { device, disk } = memoryDevice();
  let shard = device.start();
  for (let key = 0; key < 200; key++) shard.put(key, 1, 2000);
  shard.engine.close();
  shard = device.start();
  const place = placeOf(shard, 3);
  const bytes = [0, 4, 8, 12, 16, 20, 25, 48, 90].map(offset => place + offset);
  for (const at of [...bytes, DATA_AT + 5, DATA_AT + 63]) {
    disk.bytes[at]! ^= 0x10;
    shard = device.start();
    t.is(shard.index.count, at > DATA_AT + 63 ? 199 : 200, `byte ${at}`);
    t.is(shard.get(at > DATA_AT + 63 ? 4 : 3), 1);
    disk.bytes[at]! ^= 0x10;
  }
});

test('a block whose header is gone in both copies is left alone and counted', t => {
  const { device, disk } = memoryDevice();
  let shard = device.start();
  for (let key = 0; key < 200; key++) shard.put(key, 1, 2000);
  shard.engine.close();
  disk.bytes.fill(0xff, DATA_AT, DATA_AT + 128);
  shard = device.start();
  t.true(shard.index.count > 100 && shard.index.count < 200);
  t.true(shard.log.lines.some(line => line.startsWith('critical') && line.includes('damaged header')));
  const lost = [...Array(200).keys()].filter(key => shard.get(key) === undefined);
  t.is(lost.length, 200 - shard.index.count);
  for (let key = 300; shard.put(key, 1, 2000) === OK; key++) shard.tick(key);
  t.true(disk.bytes.subarray(DATA_AT, DATA_AT + 128).every(byte => byte === 0xff));
});

test('unreadable pages cost what lies on them', t => {
  const { device, io } = memoryDevice();
  let shard = device.start();
  for (let key = 0; key < 200; key++) shard.put(key, 1, 2000);
  shard.engine.close();
  const bad = DATA_AT + 5 * 4096;
  io.faults.failsRead = (offset, length) => offset <= bad && bad < offset + length;
  shard = device.start();
  t.true(shard.index.count >= 196 && shard.index.count < 200);
  t.is(shard.counters[ST.ST_READ_ERRORS], 1);
  for (let key = 0; key < 200; key++) t.true([1, undefined].includes(shard.get(key)));
});

test('a device that fails or shortens a read answers UNKNOWN and is counted', t => {
  const { device, io } = memoryDevice();
  let shard = device.start();
  for (let key = 0; key < 200; key++) shard.put(key, 1, 2000);
  shard.engine.close();
  shard = device.start();
  io.faults.failsRead = () => true;
  t.is(shard.get(1), -UNKNOWN);
  io.faults.failsRead = () => false;
  io.faults.readLength = (_, length) => length - 4096;
  t.is(shard.get(1), -UNKNOWN);
  t.is(shard.counters[ST.ST_READ_ERRORS], 2);
  io.faults.readLength = (_, length) => length;
  t.is(shard.get(1), 1);
});

test('a full shard refuses writes, serves reads, takes deletes, and has room again afterwards', t => {
  const { device } = memoryDevice();
  let shard = device.start({ limits: { flushMaxMs: 100 } });
  let now = 0;
  let keys = 0;
  const fill = (): number => {
    for (;;) {
      const result = shard.put(keys, 1, 3000);
      if (result === OK) keys++;
      else if (result === DEVICE_OVERLOAD) now = run(shard, now, 10);
      else return result;
    }
  };
  t.is(fill(), OUT_OF_SPACE);
  t.true(keys > (BLOCKS - 3) * 40);
  t.is(shard.put(5, 2, 3000), OUT_OF_SPACE);
  for (let key = 0; key < keys; key++) t.is(shard.get(key), 1);
  for (let key = 0; key < keys; key++) t.is(shard.delete(key), OK);
  now = run(shard, now, 1000);
  const free = shard.engine.blocks.states.subarray(0, BLOCKS).filter(state => state === FREE).length;
  t.true(free >= BLOCKS - 2, `${free} blocks are free`);
  t.is(shard.counters[ST.ST_USED_BYTES], 0);
  const first = keys;
  t.is(fill(), OUT_OF_SPACE);
  t.true(keys - first > (BLOCKS - 4) * 40);
  shard.engine.close();
  shard = device.start();
  for (let key = 0; key < keys; key++) t.is(shard.get(key), key < first ? undefined : 1);
});

test('full blocks that the device does not take are bounded by max-write-cache', t => {
  const { device, io } = memoryDevice();
  const shard = device.start({ limits: { writeCacheMax: 4 * BLOCK } });
  io.faults.turnsMax = 1_000_000;
  let keys = 0;
  let result = OK;
  while ((result = shard.put(keys, 1, 3000)) === OK) {
    keys++;
    shard.io.drain();
  }
  t.is(result, DEVICE_OVERLOAD);
  t.is(shard.counters[ST.ST_OVERLOADS], 1);
  t.true(keys > 4 * 41 && keys < 6 * 43, `${keys} records`);
  for (let key = 0; key < keys; key++) t.is(shard.get(key), 1); // from memory
  io.faults.turnsMax = 0;
  while (shard.io.pendingCount > 0) shard.io.drainOrWait(1);
  run(shard, 0, 100);
  t.is(shard.put(keys, 1, 3000), OK);
});

test('writes that fail are kept in memory and done again', t => {
  const { device, io, disk } = memoryDevice();
  const shard = device.start({ limits: { flushMaxMs: 100 } });
  let isBroken = true;
  io.faults.failsWrite = () => isBroken;
  for (let key = 0; key < 100; key++) t.is(shard.put(key, 1, 3000), OK);
  let now = run(shard, 0, 1000);
  t.true(shard.counters[ST.ST_WRITE_ERRORS]! > 2);
  t.is(shard.log.lines.filter(line => line.startsWith('critical')).length, 1);
  t.true(disk.bytes.every(byte => byte === 0));
  for (let key = 0; key < 100; key++) t.is(shard.get(key), 1);
  isBroken = false;
  now = run(shard, now, 1000);
  t.true(shard.log.lines.some(line => line.includes('writes succeed again')));
  io.cutPower();
  const again = device.start();
  for (let key = 0; key < 100; key++) t.is(again.get(key), 1);
});

test('an expired record stays gone, and so do the versions before it, when its block is used again', t => {
  const { device } = memoryDevice();
  let shard = device.start();
  let now = 0;
  t.is(shard.put(1, 1, 1000), OK); // never expires; shares its block with records that stay
  for (let key = 10; key < 40; key++) shard.put(key, 1, 4000);
  t.is(shard.put(1, 2, 1000, 50), OK); // the newer version expires at 50
  for (let key = 100; key < 135; key++) shard.put(key, 1, 3500);
  now = run(shard, now, 1000);
  shard.engine.close();
  for (let round = 0; round < 6; round++) {
    shard = device.start({}, 60);
    t.is(shard.get(1), undefined, `round ${round}`);
    // Everything but the first block dies, so that blocks are given up and used again.
    for (let key = 100; key < 135; key++) t.is(shard.put(key, round + 2, 3500), OK);
    now = run(shard, now, 1500);
    shard.engine.close();
  }
});

test('restarts use up no blocks', t => {
  const { device } = memoryDevice();
  let shard = device.start();
  for (let round = 0; round < 100; round++) {
    t.is(shard.put(round, 1, 300), OK);
    shard.engine.close();
    shard = device.start();
    for (let key = 0; key <= round; key++) t.is(shard.get(key), 1);
  }
  t.true(shard.counters[ST.ST_FREE_BLOCKS]! >= BLOCKS - 8);
});

test('counters say what is used and free', t => {
  const { device } = memoryDevice();
  const shard = device.start();
  t.is(shard.counters[ST.ST_TOTAL_BYTES], BLOCKS * BLOCK);
  t.is(shard.counters[ST.ST_FREE_BLOCKS], BLOCKS);
  for (let key = 0; key < 50; key++) shard.put(key, 1, 1000);
  const one = shard.counters[ST.ST_USED_BYTES]! / 50;
  t.true(one >= 1080 && one < 1120 && one % 16 === 0);
  shard.put(0, 2, 1000);
  shard.delete(1);
  t.is(shard.counters[ST.ST_USED_BYTES], one * 49);
  const available = shard.counters[ST.ST_AVAILABLE_BYTES]!;
  shard.tick(10);
  t.true(shard.counters[ST.ST_AVAILABLE_BYTES]! < available);
  t.true(shard.counters[ST.ST_INDEX_BYTES]! > 0);
});

test('a stored block is kept for reading as far as post-write-cache goes', t => {
  const { device } = memoryDevice();
  const shard = device.start({ limits: { flushMaxMs: 100, postWriteCacheMax: 3 * BLOCK } });
  for (let key = 0; key < 320; key++) {
    t.is(shard.put(key, 1, 3000), OK);
    if (key % 20 === 0) run(shard, key * 10, 190);
  }
  run(shard, 10_000, 500);
  const states = [...Array(320).keys()].map(key => shard.tryGet(key, 60));
  shard.engine.release(60);
  const inMemory = states.filter(result => result === OK).length;
  t.true(inMemory >= 3 * 40 && inMemory <= 4 * 43, `${inMemory} in memory`);
});

test('a record that no block holds is refused', t => {
  const { device } = memoryDevice();
  const shard = device.start({ recordSizeMax: 64 * KIB });
  t.is(shard.put(1, 1, 64 * KIB), RECORD_TOO_BIG);
  t.is(shard.put(1, 1, 63 * KIB), OK);
  t.is(device.start({ recordSizeMax: 8 * MIB }).put(1, 1, BLOCK), RECORD_TOO_BIG);
});

test('records of 8 MiB live in blocks of 16 MiB', async t => {
  const blocks = 5;
  const path = zeroFile(t, DATA_AT + blocks * 16 * MIB);
  const backend = await availableBackends()[0]!.start(t, 160 * MIB);
  const options = { backend, extent: extentOf(path, 1, 16 * MIB, blocks), recordSizeMax: 8 * MIB };
  let shard = new StorageShard(options).recover();
  for (let key = 0; key < 3; key++) t.is(shard.put(key, 1, 8 * MIB - 200), OK);
  t.is(shard.put(3, 1, 8 * MIB), RECORD_TOO_BIG);
  shard.engine.close();
  fs.statSync(path);
  shard = new StorageShard(options).recover();
  for (let key = 0; key < 3; key++) t.is(shard.get(key), 1);
  shard.engine.close();
});

test('a start that does not fit the index says what to raise', t => {
  const { device } = memoryDevice();
  const shard = device.start();
  for (let key = 0; key < 200; key++) shard.put(key, 1, 200);
  shard.engine.close();
  t.throws(() => device.start({ entriesMax: 100 }), { message: /indexes-memory-budget/ });
});

test('records and blocks of another shard or another device set are not taken in', t => {
  const { device, io } = memoryDevice();
  const shard = device.start();
  for (let key = 0; key < 100; key++) shard.put(key, 1, 3000);
  shard.engine.close();
  for (const change of [{ shard: 1 }, { setId: Uint32Array.of(9, 9, 9, 9) }]) {
    const extent = extentOf('disk', 2);
    Object.assign(extent.owner, change);
    const other = new StorageShard({ backend: io, extent }).recover();
    t.is(other.index.count, 0);
    t.true(other.log.lines.some(line => line.includes('foreign blocks')));
  }
});
