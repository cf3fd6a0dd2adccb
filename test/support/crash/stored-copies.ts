/**
 * What lies on a data file of a record, seen without the server: for a record that was lost, whether the device never had
 * it or a start has passed over it.
 */
import fs from 'node:fs';
import { Region } from '../../../src/base/arena.js';
import { partitionOf } from '../../../src/base/digest.js';
import {
  type DeviceHeader,
  decodeHeader,
  HEADER_AT,
  HEADER_SIZE,
} from '../../../src/storage/device/device-header.js';
import {
  FLAG_TOMBSTONE,
  newRecordHeader,
  REC_DIGEST_AT,
  REC_STAMP,
  readRecordHeader,
} from '../../../src/storage/record/flat-record.js';
import { BLOCK_VALID, BlockHeader, readBlockHeader } from '../../../src/storage/write-block/block-format.js';
import { BlockScan } from '../../../src/storage/write-block/block-scan.js';

/** The newest header of a data file. */
function headerOf(file: number): DeviceHeader {
  let newest: DeviceHeader | undefined;
  for (const at of HEADER_AT) {
    const bytes = Buffer.alloc(HEADER_SIZE);
    fs.readSync(file, bytes, 0, HEADER_SIZE, at);
    const header = decodeHeader(bytes);
    if (typeof header === 'string' || !('shardOf' in header)) continue;
    if (newest === undefined || header.copyNumber > newest.copyNumber) newest = header;
  }
  if (newest === undefined) throw new Error('the data file has no header');
  return newest;
}

/** The shard of each partition. */
export function shardsOf(path: string): Uint16Array {
  const file = fs.openSync(path, 'r');
  const { shardOf } = headerOf(file);
  fs.closeSync(file);
  return shardOf;
}

/** Every whole copy of a record in blocks that are in use, in words. */
export function copiesOf(path: string, digest: Uint8Array): string {
  const file = fs.openSync(path, 'r');
  const header = headerOf(file);
  const { setId, writeBlockSize, startCount, wrappedKey } = header;
  if (wrappedKey.some(byte => byte !== 0)) return 'encrypted, not looked at';
  const shard = header.shardOf[partitionOf(digest, 0)]!;
  const extent = header.extents.find(of => of.shard === shard)!;
  const region = new Region(writeBlockSize);
  const owner = { setId, shard, writeBlockSize, startCount };
  const scan = new BlockScan(region);
  const found: string[] = [];
  for (let block = 0; block < Math.floor(extent.size / writeBlockSize); block++) {
    fs.readSync(file, region.u8, 0, writeBlockSize, extent.offset + block * writeBlockSize);
    const blockHeader = new BlockHeader();
    if (readBlockHeader(region, 0, owner, block, blockHeader) !== BLOCK_VALID) continue;
    scan.start(0, writeBlockSize, blockHeader.stamp);
    while (scan.next()) {
      const at = scan.recordAt;
      if (
        Buffer.compare(region.u8.subarray(at + REC_DIGEST_AT, at + REC_DIGEST_AT + digest.length), digest) !==
        0
      ) {
        continue;
      }
      const record = newRecordHeader();
      readRecordHeader(region.u32, at, record);
      const kind = (record.flags & FLAG_TOMBSTONE) === 0 ? `generation ${record.generation}` : 'a marker';
      found.push(
        `${kind}, sequence ${record.sequence} at ${at} of block ${block} (write id ${blockHeader.writeId}, stamp ${region.u32[(at >>> 2) + REC_STAMP]})`,
      );
    }
  }
  fs.closeSync(file);
  return found.length === 0 ? 'none' : found.join('; ');
}
