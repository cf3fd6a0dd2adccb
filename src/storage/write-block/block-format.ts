/**
 * A write block on a device: a header, twice (a flipped bit costs nothing), then flat records at multiples of 16.
 *
 *   0  header        64  the same header again        128  first record
 *
 * Header, 64 bytes, little-endian:
 *    0  u32 magic and layout version        36  u32 write id high (16 bits)
 *    4  u32 kind of contents                40  u32 start count of the device set when it was opened
 *    8  16 bytes id of the device set       44  u32 owner stamp, see below
 *   24  u32 shard                           48  u32 write block size, bytes
 *   28  u32 block number in the shard       52  u32, u32 nonce of an encrypted block, else zeros
 *   32  u32 write id low                    60  u32 checksum of [0, 60)
 *
 * Every use of a block has its own write id, one more than the use before it in the shard. The owner stamp is a
 * hash of everything that makes this use unique, start count included: a write id whose block never reached
 * the device before a crash may be given out again, but not the stamp. Each record carries it, so a record of
 * an earlier use, of another shard or of another device is known for what it is.
 *
 * A block is written front to back in pieces that end at a multiple of 4096, padded with zeros, and a page once
 * made durable is never written again while the block is in use. A block is given up by an erased page over its first
 * one, each sector of which says so: a power cut may leave the header and take a delete marker behind it. Whatever the
 * header says, a block with such a sector in its first page holds nothing: it was being given up, or that page was
 * being written for the first time, and nothing behind it was durable. A block whose first page is zeros is free too.
 */
import type { Region } from '../../base/arena.js';
import { checksum32 } from '../../base/checksum.js';
import { IO_ALIGN } from '../io/io-backend.js';

const BLOCK_MAGIC = 0x31425443; // "CTB1"
const HEADER_COPY_SIZE = 64;
export const BLOCK_HEADER_SIZE = 128; // bytes, where the first record starts

/** Kinds of contents. Others will come (checkpoints, metadata): a reader skips a kind that it does not know. */
export const BLOCK_KIND_RECORDS = 1;

const MAGIC = 0; // words
const KIND = 1;
const SET_ID = 2;
const SHARD = 6;
const BLOCK = 7;
const WRITE_ID_LOW = 8;
const WRITE_ID_HIGH = 9;
const START_COUNT = 10;
const STAMP = 11;
const BLOCK_SIZE = 12;
const NONCE = 13; // two words
const CHECKSUM = 15;
const CHECKED_SIZE = 60; // bytes

const TWO_32 = 0x100000000;

/** Devices write this much whole, at least. */
const SECTOR_SIZE = 512; // bytes
/** What an erased sector begins with, before the id of the device set: no client knows that, so none can write one. */
const ERASED_MAGIC = 0x31455443; // "CTE1"

/** What a block of this shard must say of itself. */
export interface BlockOwner {
  /** Id of the device set, four words. */
  setId: Uint32Array;
  shard: number;
  writeBlockSize: number; // bytes
  /** How often the device set was opened; goes into the blocks opened from now on. */
  startCount: number;
}

/** What the first page of a block turned out to be. */
export const BLOCK_EMPTY = 0; // zeros, or erased: free
export const BLOCK_VALID = 1;
export const BLOCK_FOREIGN = 2; // a good header, but not of this place
export const BLOCK_DAMAGED = 3;
export const BLOCK_GIVEN_UP = 4; // erased in part: nothing in it counts, and it has to be erased again

/** A header that was read. One instance is reused. */
export class BlockHeader {
  kind = 0;
  writeId = 0;
  stamp = 0;
  /** Both 0: the block is not encrypted. */
  nonce0 = 0;
  nonce1 = 0;
  startCount = 0;
}

/**
 * Writes both copies of a header at byte `at`.
 * @param nonce Two words that are not both 0, of a block that will be encrypted.
 * @returns The owner stamp for the block's records.
 */
export function writeBlockHeader(
  region: Region,
  at: number,
  owner: BlockOwner,
  block: number,
  writeId: number,
  nonce?: Uint32Array,
): number {
  const { u8, u32, i32 } = region;
  const w = at >>> 2;
  u8.fill(0, at, at + BLOCK_HEADER_SIZE);
  u32[w + MAGIC] = BLOCK_MAGIC;
  u32[w + KIND] = BLOCK_KIND_RECORDS;
  for (let i = 0; i < 4; i++) u32[w + SET_ID + i] = owner.setId[i]!;
  u32[w + SHARD] = owner.shard;
  u32[w + BLOCK] = block;
  u32[w + WRITE_ID_LOW] = writeId % TWO_32;
  u32[w + WRITE_ID_HIGH] = Math.floor(writeId / TWO_32);
  u32[w + START_COUNT] = owner.startCount;
  u32[w + BLOCK_SIZE] = owner.writeBlockSize;
  if (nonce !== undefined) for (let i = 0; i < 2; i++) u32[w + NONCE + i] = nonce[i]!;
  const stamp = checksum32(i32, at, CHECKED_SIZE); // the stamp's own word is still zero
  u32[w + STAMP] = stamp;
  u32[w + CHECKSUM] = checksum32(i32, at, CHECKED_SIZE);
  u8.copyWithin(at + HEADER_COPY_SIZE, at, at + HEADER_COPY_SIZE);
  return stamp;
}

/** Writes an erased first page at byte `at`. */
export function writeErasedPage({ u8, u32 }: Region, at: number, setId: Uint32Array): void {
  u8.fill(0, at, at + IO_ALIGN);
  for (let from = at; from < at + IO_ALIGN; from += SECTOR_SIZE) {
    const w = from >>> 2;
    u32[w] = ERASED_MAGIC;
    for (let i = 0; i < 4; i++) u32[w + 1 + i] = setId[i]!;
  }
}

/** How many sectors of the first page at byte `at`, as it lies on the device, are erased. */
function erasedSectors({ u32 }: Region, at: number, setId: Uint32Array): number {
  let count = 0;
  for (let from = at; from < at + IO_ALIGN; from += SECTOR_SIZE) {
    const w = from >>> 2;
    if (u32[w] !== ERASED_MAGIC) continue;
    let i = 0;
    while (i < 4 && u32[w + 1 + i] === setId[i]) i++;
    if (i === 4) count++;
  }
  return count;
}

/**
 * Reads the header of block `block`, whose first page is at byte `at`, as it lies on the device.
 * @param out Filled when the answer is BLOCK_VALID.
 * @returns One of BLOCK_EMPTY, BLOCK_VALID, BLOCK_FOREIGN, BLOCK_DAMAGED, BLOCK_GIVEN_UP.
 */
export function readBlockHeader(
  region: Region,
  at: number,
  owner: BlockOwner,
  block: number,
  out: BlockHeader,
): number {
  const { u32, i32 } = region;
  const erased = erasedSectors(region, at, owner.setId);
  if (erased > 0) return erased === IO_ALIGN / SECTOR_SIZE ? BLOCK_EMPTY : BLOCK_GIVEN_UP;
  let w = at >>> 2;
  if (!isHeader(i32, u32, w)) {
    w += HEADER_COPY_SIZE >>> 2;
    if (!isHeader(i32, u32, w)) {
      for (let i = 0; i < BLOCK_HEADER_SIZE >>> 2; i++) if (u32[(at >>> 2) + i] !== 0) return BLOCK_DAMAGED;
      return BLOCK_EMPTY;
    }
  }
  for (let i = 0; i < 4; i++) if (u32[w + SET_ID + i] !== owner.setId[i]) return BLOCK_FOREIGN;
  if (u32[w + SHARD] !== owner.shard || u32[w + BLOCK] !== block) return BLOCK_FOREIGN;
  if (u32[w + BLOCK_SIZE] !== owner.writeBlockSize) return BLOCK_FOREIGN;
  out.kind = u32[w + KIND]!;
  out.writeId = u32[w + WRITE_ID_HIGH]! * TWO_32 + u32[w + WRITE_ID_LOW]!;
  out.stamp = u32[w + STAMP]!;
  out.nonce0 = u32[w + NONCE]!;
  out.nonce1 = u32[w + NONCE + 1]!;
  out.startCount = u32[w + START_COUNT]!;
  return BLOCK_VALID;
}

/**
 * Reads what an encrypted block is decrypted with, from a header at byte `at`.
 * @param out The nonce, and the owner stamp.
 * @returns false when there is no good header, or one of a block that is not encrypted.
 */
export function readBlockNonce(region: Region, at: number, out: Uint32Array): boolean {
  const { u32, i32 } = region;
  let w = at >>> 2;
  if (!isHeader(i32, u32, w)) w += HEADER_COPY_SIZE >>> 2;
  if (!isHeader(i32, u32, w)) return false;
  out[0] = u32[w + NONCE]!;
  out[1] = u32[w + NONCE + 1]!;
  out[2] = u32[w + STAMP]!;
  return out[0] !== 0 || out[1] !== 0;
}

function isHeader(i32: Int32Array, u32: Uint32Array, w: number): boolean {
  return u32[w + MAGIC] === BLOCK_MAGIC && u32[w + CHECKSUM] === checksum32(i32, w << 2, CHECKED_SIZE);
}
