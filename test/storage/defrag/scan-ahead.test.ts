import test from 'ava';
import { Region } from '../../../src/base/arena.js';
import { DIGEST_SIZE } from '../../../src/base/digest.js';
import { ScanAhead } from '../../../src/storage/defrag/scan-ahead.js';
import { PrimaryIndex } from '../../../src/storage/index/primary-index.js';
import {
  FLAG_CLOCK,
  FLAG_TOMBSTONE,
  newRecordHeader,
  REC_DIGEST_AT,
  RECORD_ALIGN,
  RECORD_HEADER_SIZE,
  writeRecordHeader,
} from '../../../src/storage/record/flat-record.js';
import { BLOCK_HEADER_SIZE, writeBlockHeader } from '../../../src/storage/write-block/block-format.js';
import { sealRecords, stampRecord } from '../../../src/storage/write-block/record-seal.js';

const BLOCK = 64 * 1024;
/** Where the block lies in its buffers. */
const BUFFER_AT = 2 * BLOCK;
const OWNER = { setId: Uint32Array.of(5, 6, 7, 8), shard: 3, writeBlockSize: BLOCK, startCount: 9 };
/** Of the shard. */
const PIDS = Uint16Array.of(7, 300);
const FOREIGN_PID = 8;

function digestOf(number: number, pid = PIDS[number % PIDS.length]!): Uint8Array {
  const digest = new Uint8Array(DIGEST_SIZE);
  digest[0] = pid & 0xff;
  digest[1] = pid >>> 8;
  new DataView(digest.buffer).setUint32(2, Math.imul(number, 0x9e3779b9) >>> 0);
  digest[19] = number;
  return digest;
}

/** A block with a record of each of these digests; every third is longer. The clock's has the digest of another shard. */
function build(
  digests: readonly Uint8Array[],
  clock = -1,
): { region: Region; stamp: number; ends: number[] } {
  const region = new Region(3 * BLOCK);
  const stamp = writeBlockHeader(region, BUFFER_AT, OWNER, 2, 1);
  const header = newRecordHeader();
  const ends: number[] = [];
  let at = BLOCK_HEADER_SIZE;
  digests.forEach((digest, i) => {
    const size = RECORD_HEADER_SIZE + (i % 3 === 0 ? 100 : 4);
    header.sequence = i + 1;
    header.flags = i === clock ? FLAG_TOMBSTONE | FLAG_CLOCK : 0;
    writeRecordHeader(region.u8, region.u32, BUFFER_AT + at, header, digest, 0);
    stampRecord(region, BUFFER_AT + at, size, stamp);
    sealRecords(region, BUFFER_AT + at, BUFFER_AT + at + size);
    ends.push(at + size);
    at = (at + size + RECORD_ALIGN - 1) & -RECORD_ALIGN;
  });
  return { region, stamp, ends };
}

function open(region: Region, index: PrimaryIndex, stamp: number): ScanAhead {
  const scan = new ScanAhead(region, index);
  scan.start(BUFFER_AT, BLOCK, stamp);
  return scan;
}

for (const count of [0, 1, 31, 32, 33, 200]) {
  test(`all of ${count} records come in their order, those of the index with their entries`, t => {
    const index = new PrimaryIndex({ partitions: PIDS });
    const digests = Array.from({ length: count }, (_, i) => digestOf(i));
    const handles = digests.map((digest, i) => (i % 4 === 1 ? 0 : index.insert(digest, 0)));
    const { region, stamp, ends } = build(digests);
    const scan = open(region, index, stamp);
    digests.forEach((digest, i) => {
      t.true(scan.next());
      t.is(scan.offset + scan.size, ends[i]!);
      t.is(scan.recordAt, BUFFER_AT + scan.offset);
      const digestAt = scan.recordAt + REC_DIGEST_AT;
      t.deepEqual(region.u8.slice(digestAt, digestAt + DIGEST_SIZE), digest);
      const handle = handles[i]! || -1;
      t.is(index.findNear(region.u8, digestAt, scan.near), handle);
      if (scan.near > 0) t.is(scan.near, handle);
    });
    t.false(scan.next());
    t.false(scan.next());
    t.is(scan.damaged, 0);
  });
}

test('an entry is seen though five come before it in its list', t => {
  const index = new PrimaryIndex({ partitions: PIDS });
  const digests = Array.from({ length: 6 }, (_, i) => digestOf(i, PIDS[0]!));
  const handles = digests.map(digest => index.insert(digest, 0));
  const { region, stamp } = build(digests);
  const scan = open(region, index, stamp);
  const nears = digests.map(() => (scan.next() ? scan.near : Number.NaN));
  t.deepEqual(nears, handles);
});

test('an entry that is removed, or made anew elsewhere, after it was seen is not taken for the record’s', t => {
  const index = new PrimaryIndex({ partitions: PIDS });
  const digests = [digestOf(0), digestOf(2), digestOf(4)];
  for (const digest of digests) index.insert(digest, 0);
  const { region, stamp } = build(digests);
  const scan = open(region, index, stamp);
  t.true(scan.next()); // all three have been looked for
  index.remove(index.find(digests[1]!, 0));
  index.remove(index.find(digests[2]!, 0));
  const other = index.insert(digestOf(6), 0);
  const anew = index.insert(digests[2]!, 0);
  for (const expected of [-1, anew]) {
    t.true(scan.next());
    t.is(index.findNear(region.u8, scan.recordAt + REC_DIGEST_AT, scan.near), expected);
  }
  t.not(other, anew);
});

test('a clock is no record, and what it has for a digest need not be the shard’s', t => {
  const index = new PrimaryIndex({ partitions: PIDS });
  const digests = [digestOf(0), digestOf(1, FOREIGN_PID), digestOf(2)];
  const handles = [index.insert(digests[0]!, 0), 0, index.insert(digests[2]!, 0)];
  const { region, stamp } = build(digests, 1);
  const scan = open(region, index, stamp);
  const nears = digests.map(() => (scan.next() ? scan.near : Number.NaN));
  t.deepEqual(
    nears.map(near => Math.max(0, near)),
    handles,
  );
});

test('a block is begun anew, whatever was left of the one before', t => {
  const index = new PrimaryIndex({ partitions: PIDS });
  const first = build(Array.from({ length: 40 }, (_, i) => digestOf(i)));
  const scan = open(first.region, index, first.stamp);
  for (let i = 0; i < 5; i++) t.true(scan.next());
  scan.start(BUFFER_AT, BLOCK, first.stamp);
  t.is(scan.offset + scan.size, 0);
  let count = 0;
  while (scan.next()) count++;
  t.is(count, 40);
});
