/**
 * A block that is given up has its first page overwritten. A power cut in the middle of that may leave any sectors of
 * the old page: whichever they are, a record whose delete marker was among the others does not come back.
 */
import test from 'ava';
import { newDataKey } from '../../src/storage/cipher/data-key.js';
import { writeErasedPage } from '../../src/storage/write-block/block-format.js';
import type { ExtentDescription } from '../../src/storage/write-block/shard-extent.js';
import { type Faults, FaultyDisk, FaultyIo, seeded } from '../support/faulty-io.js';
import { StorageShard } from '../support/storage-shard.js';

const KIB = 1024;
const BLOCK_SIZE = 64 * KIB;
const BLOCKS = 8;
const DATA_AT = 64 * KIB;
const SECTOR = 512;
const SECTORS = 8; // of a page
const SET_ID = Uint32Array.of(1, 2, 3, 4);

for (const dataKey of [null, newDataKey('aes-128')]) {
  const name = dataKey === null ? 'plain' : 'encrypted';
  const open = (disk: FaultyDisk, startCount: number): StorageShard => {
    const extent: ExtentDescription = {
      path: 'disk',
      dataKey,
      offset: DATA_AT,
      size: BLOCKS * BLOCK_SIZE,
      owner: { setId: SET_ID, shard: 0, writeBlockSize: BLOCK_SIZE, startCount },
    };
    const backend = new FaultyIo(disk, 16 * KIB * KIB, seeded(1));
    return new StorageShard({ backend, extent });
  };

  test(`whatever is left of the first page of a block that was given up, nothing in it counts: ${name}`, t => {
    const written = new FaultyDisk(DATA_AT + BLOCKS * BLOCK_SIZE);
    const before = open(written, 1).recover(1);
    const large = 300;
    for (let key = 0; key < 4; key++) before.put(key, 1, large);
    for (let key = 0; key < 4; key++) before.delete(key);
    for (let key = 4; key < 20; key++) before.put(key, 1, large);
    before.engine.close();
    const erased = newErasedPage();
    for (let left = 1; left < 2 ** SECTORS; left++) {
      const disk = new FaultyDisk(written.bytes.length);
      disk.bytes.set(written.bytes);
      for (let sector = 0; sector < SECTORS; sector++) {
        if ((left >> sector) % 2 === 1) continue; // this one is as it was
        disk.bytes.set(erased.subarray(sector * SECTOR, (sector + 1) * SECTOR), DATA_AT + sector * SECTOR);
      }
      disk.durable.set(disk.bytes);
      const isWhole = left === 2 ** SECTORS - 1;
      const shard = open(disk, 2).recover(1);
      t.is(shard.get(0), undefined, `sectors ${left.toString(2)}: a deleted record is back`);
      t.is(shard.index.count, isWhole ? 16 : 0);
      // It is erased wholly before it may be used again.
      if (!isWhole) t.deepEqual(disk.durable.slice(DATA_AT, DATA_AT + erased.length), erased);
      t.is(shard.put(0, 7, large), 0);
      shard.engine.close();
      t.is(open(disk, 3).recover(1).get(0), 7);
    }
  });
}

test('each block that cannot be erased is told of with the reason of its own', t => {
  const ENOSPC = 28;
  const at = (block: number): number => DATA_AT + block * BLOCK_SIZE;
  const linesOf = (faults: Partial<Faults>): string[] => {
    const disk = new FaultyDisk(at(BLOCKS));
    for (const block of [0, 2, 5]) disk.bytes.set(newErasedPage().subarray(0, SECTOR), at(block));
    disk.durable.set(disk.bytes);
    // A failure that came before and has nothing to do with these.
    const failsRead = (offset: number): boolean => offset === at(4);
    const backend = new FaultyIo(disk, 16 * KIB * KIB, seeded(1), { turnsMax: 0, failsRead, ...faults });
    const owner = { setId: SET_ID, shard: 0, writeBlockSize: BLOCK_SIZE, startCount: 2 };
    const extent = { path: 'disk', offset: DATA_AT, size: BLOCKS * BLOCK_SIZE, owner };
    const { lines } = new StorageShard({ backend, extent }).recover(1).log;
    t.true(lines.some(line => line.includes(`the block at ${at(4)} cannot be read (EIO`)));
    return lines.filter(line => line.includes('cannot be erased'));
  };
  const reason = (line: string): string => line.replace(/^.*the block at (\d+) .*\((\w+).*$/, '$1 $2');
  t.deepEqual(linesOf({}), []);
  const failsWrite = (offset: number): number | boolean => (offset === at(0) ? ENOSPC : offset === at(5));
  t.deepEqual(linesOf({ failsWrite }).map(reason), [`${at(0)} ENOSPC`, `${at(5)} EIO`]);
  let flushes = 0;
  const failsFlush = (): boolean => ++flushes === 2; // the first one is before anything is read
  for (const line of linesOf({ failsFlush })) t.regex(line, /cannot be erased \(the flush failed\)/);
  flushes = 0;
  t.is(linesOf({ failsFlush }).length, 3);
});

function newErasedPage(): Uint8Array {
  const { buffers } = new FaultyIo(new FaultyDisk(0), 4096, seeded(1));
  writeErasedPage(buffers, 0, SET_ID);
  return buffers.u8.slice(0, 4096);
}
