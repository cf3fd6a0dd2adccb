/**
 * The campaign of scripts/write-amplification on a small device in memory: records overwritten uniformly, ten times
 * the capacity over there and (unless CALTROP_CAPACITIES says more) three times here, nearly full. No write is
 * refused, no record lost, and defrag writes no more than it must; on a shard of 250 write blocks, and on one of 64,
 * which is as few as a shard of a large file has, where each block that is open or kept free counts.
 */
import test from 'ava';
import { DEVICE_OVERLOAD, OK } from '../../../src/base/result.js';
import * as ST from '../../../src/storage/engine.js';
import { FaultyDisk, FaultyIo, seeded } from '../../support/faulty-io.js';
import { StorageShard } from '../../support/storage-shard.js';

const DATA_AT = 64 * 1024;
const TIMES = Number(process.env.CALTROP_CAPACITIES ?? 3);
const VALUE = 900; // bytes
const MIB = 1024 * 1024;

for (const { fill, defragLwmPct, blocks, blockSize } of [
  { fill: 0.65, defragLwmPct: 50, blocks: 250, blockSize: MIB / 4 },
  { fill: 0.85, defragLwmPct: 80, blocks: 250, blockSize: MIB / 4 },
  { fill: 0.65, defragLwmPct: 50, blocks: 64, blockSize: MIB },
  { fill: 0.85, defragLwmPct: 80, blocks: 64, blockSize: MIB },
]) {
  test(`at ${fill * 100} % used, defrag-lwm-pct ${defragLwmPct}, ${blocks} blocks`, t => {
    const capacity = blocks * blockSize;
    const io = new FaultyIo(new FaultyDisk(DATA_AT + capacity), 64 * MIB, seeded(3), { turnsMax: 0 });
    const owner = { setId: Uint32Array.of(1, 2, 3, 4), shard: 0, writeBlockSize: blockSize, startCount: 1 };
    const extent = { path: 'disk', offset: DATA_AT, size: capacity, owner };
    const limits = { defragLwmPct, defragSleepMs: 0, writeCacheMax: 8 * blockSize };
    const shard = new StorageShard({ backend: io, extent, limits }).recover();
    const random = seeded(defragLwmPct);
    const { counters } = shard;
    let nowMs = 0;
    const put = (key: number, version: number): void => {
      let result = shard.put(key, version, VALUE);
      for (let i = 0; result === DEVICE_OVERLOAD && i < 1000; i++) {
        shard.tick(++nowMs);
        result = shard.put(key, version, VALUE);
      }
      if (result !== OK) throw new Error(`record ${key} is refused: ${result}`);
    };
    put(0, 1);
    const count = Math.floor((capacity * fill) / counters[ST.ST_USED_BYTES]!);
    const versions = new Uint32Array(count).fill(1);
    for (let key = 1; key < count; key++) {
      put(key, 1);
      if (key % 16 === 0) shard.tick(++nowMs);
    }
    const client = counters[ST.ST_CLIENT_BYTES]!;
    const written = counters[ST.ST_WRITTEN_BYTES]!;
    let availMin = 100;
    for (let i = 0; counters[ST.ST_CLIENT_BYTES]! < client + TIMES * capacity; i++) {
      const key = Math.floor(random() * count);
      put(key, ++versions[key]!);
      if (i % 4 !== 0) continue;
      shard.tick(++nowMs);
      availMin = Math.min(availMin, (counters[ST.ST_AVAILABLE_BYTES]! / capacity) * 100);
    }
    const amplification =
      (counters[ST.ST_WRITTEN_BYTES]! - written) / (counters[ST.ST_CLIENT_BYTES]! - client);
    t.log(
      `${amplification.toFixed(2)} bytes written a byte of records, at least ${availMin.toFixed(1)} % free`,
    );
    t.true(amplification <= 1.1 / (1 - defragLwmPct / 100), `${amplification}`);
    t.true(availMin > 5, `${availMin} % free`);
    for (let key = 0; key < count; key++) if (shard.get(key) !== versions[key]) t.fail(`record ${key}`);
  });
}
