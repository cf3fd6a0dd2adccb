/** The tomb raider on a device: which markers it lets go of, and that no record comes back for it. */
import test from 'ava';
import { OK } from '../../../src/base/result.js';
import { newDataKey } from '../../../src/storage/cipher/data-key.js';
import * as ST from '../../../src/storage/engine.js';
import type { ExtentDescription } from '../../../src/storage/write-block/shard-extent.js';
import { FaultyDisk, FaultyIo, seeded } from '../../support/faulty-io.js';
import { StorageShard } from '../../support/storage-shard.js';

const KIB = 1024;
const MIB = KIB * KIB;
const BLOCK_SIZE = 64 * KIB;
const BLOCKS = 32;
const WALL_MS = 500_000_000_000;
const COLD = 150; // records that are never touched again
const COLD_SIZE = 4000;
const HOT = 400;
const HOT_SIZE = 600;
/** Of those, so many may lie in the two blocks that hold other records too: their markers stay. */
const SHARED = (2 * BLOCK_SIZE) / HOT_SIZE;

class World {
  readonly disk = new FaultyDisk(BLOCKS * BLOCK_SIZE);
  readonly shadow = new FaultyDisk(BLOCKS * BLOCK_SIZE);
  failsRead = false;
  nowMs = 1000;
  #startCount = 0;
  readonly #extent: Partial<ExtentDescription>;
  readonly #isResident: boolean;

  constructor(extent: Partial<ExtentDescription> = {}, isResident = false) {
    this.#extent = extent;
    this.#isResident = isResident;
  }

  start(): StorageShard {
    const owner = {
      setId: Uint32Array.of(1, 2, 3, 4),
      shard: 0,
      writeBlockSize: BLOCK_SIZE,
      startCount: ++this.#startCount,
    };
    const extent = { path: 'disk', offset: 0, size: BLOCKS * BLOCK_SIZE, owner, ...this.#extent };
    const faults = { turnsMax: 2, failsRead: () => this.failsRead };
    const files = new Map([['shadow', this.shadow]]);
    const backend = new FaultyIo(this.disk, 32 * MIB, seeded(this.#startCount), faults, files);
    const limits = { flushMaxMs: 20, defragLwmPct: 0, postWriteCacheMax: 0 };
    const shard = new StorageShard({ backend, extent, limits, isResident: this.#isResident });
    return shard.recover(Math.floor((WALL_MS + this.nowMs) / 1000));
  }

  tick(shard: StorageShard, ticks: number): void {
    for (let i = 0; i < ticks; i++) shard.tick((this.nowMs += 10), WALL_MS + this.nowMs);
  }

  /** Runs a raid to its end. @returns false when there was none to run. */
  raid(shard: StorageShard): boolean {
    const { raid } = shard.engine;
    if (!raid.start(this.nowMs)) return false;
    for (let i = 0; raid.isActive && i < 10_000; i++) {
      raid.step(this.nowMs, 1, 0);
      this.tick(shard, 1);
    }
    return !raid.isActive;
  }

  put(
    shard: StorageShard,
    from: number,
    count: number,
    version: number,
    size: number,
    voidTimeSec = 0,
  ): void {
    for (let key = from; key < from + count; key++) {
      let result = shard.put(key, version, size, voidTimeSec);
      for (let tries = 0; result !== OK && tries < 200; tries++) {
        this.tick(shard, 1);
        result = shard.put(key, version, size, voidTimeSec);
      }
      if (result !== OK) throw new Error(`put ${key}: ${result}`);
    }
    this.tick(shard, 20);
  }

  delete(shard: StorageShard, from: number, count: number): void {
    for (let key = from; key < from + count; key++)
      if (shard.delete(key) !== OK) throw new Error(`delete ${key}`);
    this.tick(shard, 20);
  }
}

/** Cold records in full blocks, and behind them many that came and went: their markers wait for the cold ones for ever. */
function coldAndGone(world: World): StorageShard {
  const shard = world.start();
  world.put(shard, 0, COLD, 1, COLD_SIZE);
  world.put(shard, 1000, HOT, 1, HOT_SIZE);
  world.delete(shard, 1000, HOT);
  // So that the blocks with the markers are closed, and those with what was deleted are given up.
  world.put(shard, 2000, 40, 1, COLD_SIZE);
  world.tick(shard, 500);
  return shard;
}

for (const [name, world] of [
  ['plain', () => new World()],
  ['encrypted', () => new World({ dataKey: newDataKey('aes-128') })],
  ['resident', () => new World({}, true)],
  ['shadowed', () => new World({ shadow: { path: 'shadow', isDirect: false, isInStep: true } })],
] as const) {
  test(`${name}: markers of records that are gone from the device are let go of, without a write`, t => {
    const world_ = world();
    const shard = coldAndGone(world_);
    const before = shard.counters[ST.ST_MARKERS]!;
    t.true(before > HOT / 2, `${before} markers wait for cold blocks`);
    const { appendedNumber } = shard.engine;
    const written = shard.counters[ST.ST_WRITTEN_BYTES]!;
    t.true(world_.raid(shard));
    t.is(shard.engine.appendedNumber, appendedNumber);
    t.is(shard.counters[ST.ST_RAIDS], 1);
    world_.tick(shard, 100);
    t.true(
      shard.counters[ST.ST_MARKERS]! <= SHARED,
      `${shard.counters[ST.ST_MARKERS]} of ${before} are left`,
    );
    t.is(shard.counters[ST.ST_RAIDED_MARKERS], before - shard.counters[ST.ST_MARKERS]!);
    // Blocks that held nothing else are given up: first pages of zeros, and what defrag moves of half-empty ones.
    t.true(shard.counters[ST.ST_WRITTEN_BYTES]! - written < 3 * BLOCK_SIZE);
    shard.engine.close();
    const again = world_.start();
    for (let key = 0; key < COLD; key++) t.is(again.get(key), 1);
    for (let key = 1000; key < 1000 + HOT; key++) t.is(again.get(key), undefined);
  });
}

test('a marker stays while an older copy lies in a block that is in use', t => {
  const world = new World();
  const shard = world.start();
  // Each block has cold records and some that are deleted: they stay on the device.
  for (let key = 0; key < COLD; key++) world.put(shard, key, 1, 1, COLD_SIZE);
  const gone = Array.from({ length: COLD / 5 }, (_, i) => i * 5);
  for (const key of gone) world.delete(shard, key, 1);
  world.put(shard, 2000, 40, 1, COLD_SIZE);
  const before = shard.counters[ST.ST_MARKERS]!;
  t.is(before, gone.length);
  t.true(world.raid(shard));
  t.is(shard.counters[ST.ST_MARKERS], before);
  t.is(shard.counters[ST.ST_RAIDED_MARKERS], 0);
  shard.engine.close();
  const again = world.start();
  for (const key of gone) t.is(again.get(key), undefined);
});

test('what cannot be read may hold copies: the raid learns nothing', t => {
  const world = new World();
  const shard = coldAndGone(world);
  const before = shard.counters[ST.ST_MARKERS]!;
  world.failsRead = true;
  t.true(world.raid(shard));
  t.is(shard.counters[ST.ST_MARKERS], before);
  t.is(shard.counters[ST.ST_RAIDS], 0);
  world.failsRead = false;
  // A flipped bit in a cold block.
  const entry = 64 * KIB + 30_000;
  world.disk.bytes[entry]! ^= 1;
  t.true(world.raid(shard));
  t.is(shard.counters[ST.ST_RAIDED_MARKERS], 0);
  world.disk.bytes[entry]! ^= 1;
  t.true(world.raid(shard));
  t.true(shard.counters[ST.ST_RAIDED_MARKERS]! > before / 2);
});

test('a raid that was cut short is made again by the next start, and gives blocks back', t => {
  const world = new World();
  const shard = coldAndGone(world);
  // A block with nothing but markers, none of them of a record whose block has to stay.
  world.put(shard, 3000, 3 * HOT, 1, HOT_SIZE);
  for (let key = 3000 + 3 * HOT - 1; key >= 3000; key--) t.is(shard.delete(key), OK);
  world.tick(shard, 20);
  t.true(shard.engine.raid.start(world.nowMs));
  for (let i = 0; i < 10; i++) {
    shard.engine.raid.step(world.nowMs, 0, 0);
    world.tick(shard, 1);
  }
  t.true(shard.engine.raid.isActive, 'it has more to do');
  const again = world.start();
  const before = again.counters[ST.ST_MARKERS]!;
  const freeBefore = again.counters[ST.ST_FREE_BLOCKS]!;
  t.true(before > HOT / 2, `${before} markers`);
  t.true(world.raid(again));
  again.engine.limits.defragLwmPct = 10; // one that shares its bit with a needed one has to be moved
  world.tick(again, 200);
  t.true(
    again.counters[ST.ST_MARKERS]! < before / 2,
    `${again.counters[ST.ST_MARKERS]} of ${before} are left`,
  );
  t.true(again.counters[ST.ST_FREE_BLOCKS]! > freeBefore, `${freeBefore} were free before`);
  t.is(again.counters[ST.ST_RAIDED_MARKERS], before - again.counters[ST.ST_MARKERS]!);
});

test('records that expired keep their blocks until a raid has seen that they hide nothing', t => {
  const world = new World();
  const shard = world.start();
  world.put(shard, 0, COLD, 1, COLD_SIZE);
  // Some of these had been there before, without a void-time, among the cold ones.
  const hiding = 5;
  for (let key = 0; key < hiding; key++) world.put(shard, key, 1, 2, HOT_SIZE, soon(world));
  world.put(shard, 1000, HOT, 1, HOT_SIZE, soon(world));
  world.put(shard, 2000, 40, 1, COLD_SIZE);
  world.tick(shard, 1000);
  for (let key = 0; key < hiding; key++) t.true(shard.expire(key));
  for (let key = 1000; key < 1000 + HOT; key++) t.true(shard.expire(key));
  world.tick(shard, 200);
  const before = shard.counters[ST.ST_MARKERS]!;
  const freeBefore = shard.counters[ST.ST_FREE_BLOCKS]!;
  t.true(before >= HOT, `${before} records that expired keep their blocks`);
  t.true(world.raid(shard));
  world.tick(shard, 100);
  t.true(shard.counters[ST.ST_MARKERS]! <= SHARED + hiding, `${shard.counters[ST.ST_MARKERS]} are left`);
  t.true(shard.counters[ST.ST_MARKERS]! >= hiding);
  t.true(shard.counters[ST.ST_FREE_BLOCKS]! > freeBefore);
  shard.engine.close();
  const again = world.start();
  for (let key = 0; key < hiding; key++) t.is(again.get(key), undefined, 'its older version is not back');
  for (let key = hiding; key < COLD; key++) t.is(again.get(key), 1);
});

/** A void-time that is reached within 5 seconds. */
function soon(world: World): number {
  return Math.floor((WALL_MS + world.nowMs) / 1000) + 5;
}
