import test from 'ava';
import { PARTITION_COUNT } from '../../../src/base/digest.js';
import { layShards, writeBlockSizeFor } from '../../../src/storage/device/shard-layout.js';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const BLOCK = writeBlockSizeFor(MIB);

test('a namespace has 16 shards, and fewer where they would be of too few write blocks', t => {
  for (const [sizes, shards, blocks] of [
    [[10 * MIB], 1, 4],
    [[64 * MIB], 2, 15],
    [[128 * MIB], 4, 15],
    [[256 * MIB], 4, 31],
    [[512 * MIB], 4, 63],
    [[GIB], 8, 63],
    [[2 * GIB], 16, 63],
    [[64 * GIB], 16, 2047],
    [[32 * MIB, 32 * MIB], 2, 15],
    [[GIB, GIB], 16, 63],
    [[GIB, GIB, GIB], 16, 85],
    [Array.from({ length: 20 }, () => 64 * MIB), 32, 15],
  ] as [number[], number, number][]) {
    const { places, shardOf } = layShards(sizes, BLOCK)!;
    const title = `${sizes.length} of ${sizes[0]! / MIB} MiB`;
    t.is(places.length, shards, title);
    t.is(Math.min(...places.map(({ size }) => size / BLOCK)), blocks, title);
    t.is(shardOf.length, PARTITION_COUNT);
    t.deepEqual(
      [...new Set(shardOf)].sort((a, b) => a - b),
      [...places.keys()],
      title,
    );
    places.forEach(({ device, offset, size }, shard) => {
      t.true(offset >= MIB && offset + size <= sizes[device]!, `${title}: shard ${shard}`);
    });
  }
  t.is(layShards([9 * MIB - 1], BLOCK), null);
});
