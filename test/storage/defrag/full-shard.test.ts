/**
 * Shards filled until they take no more, without stop-writes. Every delete needs a marker, and room for it has to come
 * from blocks that are nearly full still.
 */
import test from 'ava';
import { DEVICE_OVERLOAD, OK, OUT_OF_SPACE } from '../../../src/base/result.js';
import * as ST from '../../../src/storage/engine.js';
import { FaultyDisk, FaultyIo, seeded } from '../../support/faulty-io.js';
import { StorageShard } from '../../support/storage-shard.js';

const BLOCK = 256 * 1024;
const DATA_AT = 64 * 1024;
/** Who waits longer is refused for good: dozens of blocks are emptied for the room of one. */
const TRIES_MAX = 1000; // ticks

function emptyShard(blocks: number): StorageShard {
  const io = new FaultyIo(new FaultyDisk(DATA_AT + blocks * BLOCK), 32 * 1024 * 1024, seeded(3));
  const owner = { setId: Uint32Array.of(1, 2, 3, 4), shard: 0, writeBlockSize: BLOCK, startCount: 1 };
  const extent = { path: 'disk', offset: DATA_AT, size: blocks * BLOCK, owner };
  const limits = { defragSleepMs: 0, writeCacheMax: 8 * BLOCK, stopWritesAvailPct: 0 };
  return new StorageShard({ backend: io, extent, limits }).recover();
}

function fill(shard: StorageShard, valueSize: number, onTick: () => void): number {
  for (let keys = 0, waits = 0; ; ) {
    const result = shard.put(keys, 1, valueSize);
    if (result === OK) keys++;
    else if (result !== DEVICE_OVERLOAD || ++waits > TRIES_MAX) {
      if (result !== OUT_OF_SPACE) throw new Error(`not full but ${result}`);
      return keys;
    }
    if (result !== OK || keys % 64 === 0) onTick();
  }
}

for (const { blocks, valueSize } of [
  { blocks: 8, valueSize: 900 },
  { blocks: 32, valueSize: 16 },
  { blocks: 64, valueSize: 100 },
  { blocks: 140, valueSize: 100 },
]) {
  test(`all records of ${valueSize} bytes are deleted from ${blocks} full blocks`, t => {
    const shard = emptyShard(blocks);
    let nowMs = 0;
    const tick = (): void => shard.tick((nowMs += 5));
    const count = fill(shard, valueSize, tick);
    const order = Int32Array.from({ length: count }, (_, key) => key);
    const random = seeded(blocks);
    for (let i = count - 1; i > 0; i--) {
      const other = Math.floor(random() * (i + 1));
      [order[i], order[other]] = [order[other]!, order[i]!];
    }
    for (let i = 0; i < count; i++) {
      let result = shard.delete(order[i]!);
      for (let tries = 0; result !== OK && tries < TRIES_MAX; tries++) {
        tick();
        result = shard.delete(order[i]!);
      }
      if (result !== OK) return t.fail(`delete ${i} of ${count}: ${result}`);
      if (i % 64 === 0) tick();
    }
    for (let i = 0; i < 500; i++) tick();
    t.is(shard.counters[ST.ST_USED_BYTES], 0);
    t.true(fill(shard, valueSize, tick) > count * 0.9, 'it takes as many records again');
  });
}

test('defrag rests when no block that it could empty would rid the shard of a marker', t => {
  const shard = emptyShard(16);
  let nowMs = 0;
  const tick = (): void => shard.tick((nowMs += 5));
  fill(shard, 16, tick);
  for (let key = 0; key < 3500 && shard.delete(key * 11) === OK; key++) if (key % 64 === 0) tick();
  for (let i = 0; i < 2000; i++) tick();
  const read = shard.counters[ST.ST_DEFRAG_READS]!;
  for (let i = 0; i < 500; i++) tick();
  t.is(shard.counters[ST.ST_DEFRAG_READS], read);
});
