/**
 * A flat record is how a record lies in memory, in a write block and on a device. It starts at a multiple
 * of 16 bytes. Its header is little-endian words; its bins are laid out exactly as a response carries
 * them, so that a plain read is one copy.
 *
 *   0  u32 magic and layout version      36  u16 LUT high, u16 sequence high
 *   4  u32 size, header included         40  u32 sequence low
 *   8  u32 checksum of [12, size)        44  u32 key size (type byte included), 0 = no key stored
 *  12  u32 owner stamp of the block      48  digest, 20 bytes
 *  16  u32 offset of the first bin       68  u32 tree id of the partition
 *  20  u32 bin count                     72  set name, key, zeros up to a multiple of 8, bins
 *  24  u8 flags, u8 set name size, u16 generation
 *  28  u32 void-time (seconds since 2010, 0 = never)
 *  32  u32 LUT low (milliseconds since 2010, 48 bits in all)
 *
 * A bin: u32 big-endian length of what follows, u8 op (1), u8 particle type, u8 0, u8 name size, name, value.
 */
import { DIGEST_SIZE } from '../../base/digest.js';

export const RECORD_MAGIC = 0x31525443; // "CTR1"
export const RECORD_ALIGN = 16; // bytes, also the unit of a storage location
export const RECORD_HEADER_SIZE = 72;
export const MARKER_SIZE = RECORD_HEADER_SIZE; // bytes of a delete marker
export const MARKER_ROOM = 80; // what it takes up

/** Word (4-byte) indexes inside the header. */
export const REC_MAGIC = 0;
export const REC_SIZE = 1;
export const REC_CHECKSUM = 2;
export const REC_STAMP = 3;
export const REC_BINS_AT = 4;
export const REC_BIN_COUNT = 5;
export const REC_FLAGS_SET_GEN = 6;
export const REC_VOID_TIME = 7;
export const REC_LUT_LOW = 8;
export const REC_LUT_SEQ_HIGH = 9;
export const REC_SEQ_LOW = 10;
export const REC_KEY_SIZE = 11;
export const REC_DIGEST_AT = 48; // bytes
export const REC_TREE_ID = 17;

/**
 * Of a delete marker, in words that its bins and void-time have no use for: its origin, the highest write id that the
 * shard had given out when the marker was first written. 0 in markers of blocks that never moved: then the write id
 * of the block itself.
 */
export const REC_ORIGIN_LOW = REC_BIN_COUNT;
export const REC_ORIGIN_HIGH = REC_VOID_TIME;

/** Record flags, the low byte of word REC_FLAGS_SET_GEN. */
export const FLAG_TOMBSTONE = 1; // a delete marker: no bins; older copies of the digest are dead
export const FLAG_DURABLE = 2; // reserved: the marker is a durable delete's tombstone
export const FLAG_PERSISTED_INDEX = 4; // some bin is a list or map with an index of its own, which clients do not see
export const FLAG_UNSORTED_MAP = 8; // some bin may hold a map in no order of keys, which an expression has written
export const FLAG_COMPRESSED = 16; // where its bins would be lies their packed form, see codec/record-compression.ts

/**
 * A clock mark: only its LUT counts, its digest is zeros. It also carries FLAG_TOMBSTONE, so that a version that does
 * not know it takes it for a marker that nobody needs.
 */
export const FLAG_CLOCK = 64;

/** What a header says beyond size, stamp and checksum, which the storage engine fills in. */
export interface RecordHeader {
  flags: number;
  generation: number; // u16
  voidTimeSec: number; // u32
  lutMs: number; // 48 bits
  sequence: number; // 48 bits
  treeId: number; // u32
  setNameSize: number; // bytes
  keySize: number; // bytes
  binCount: number;
}

/** Where the bins of a record start, from the record's first byte. */
export function binsOffset(setNameSize: number, keySize: number): number {
  return (RECORD_HEADER_SIZE + setNameSize + keySize + 7) & ~7;
}

/**
 * Writes a header at byte `at` (a multiple of 4) and zeroes the padding before the bins. The caller has
 * written, or will write, set name, key and bins; the engine writes size, stamp, checksum.
 * @param u32    Words over the same memory as `u8`.
 * @param digest Where the 20 digest bytes are copied from.
 */
export function writeRecordHeader(
  u8: Uint8Array,
  u32: Uint32Array,
  at: number,
  header: RecordHeader,
  digest: Uint8Array,
  digestAt: number,
): void {
  const w = at >>> 2;
  const binsAt = binsOffset(header.setNameSize, header.keySize);
  u32[w + REC_MAGIC] = RECORD_MAGIC;
  u32[w + REC_SIZE] = 0;
  u32[w + REC_CHECKSUM] = 0;
  u32[w + REC_STAMP] = 0;
  u32[w + REC_BINS_AT] = binsAt;
  u32[w + REC_BIN_COUNT] = header.binCount;
  u32[w + REC_FLAGS_SET_GEN] = header.flags | (header.setNameSize << 8) | (header.generation << 16);
  u32[w + REC_VOID_TIME] = header.voidTimeSec;
  u32[w + REC_LUT_LOW] = header.lutMs; // the array takes its low 32 bits; % would be a division of floats
  u32[w + REC_LUT_SEQ_HIGH] =
    Math.floor(header.lutMs / 0x100000000) | (Math.floor(header.sequence / 0x100000000) << 16);
  u32[w + REC_SEQ_LOW] = header.sequence;
  u32[w + REC_KEY_SIZE] = header.keySize;
  for (let i = 0; i < DIGEST_SIZE / 4; i++) {
    const from = digestAt + i * 4;
    u32[w + REC_DIGEST_AT / 4 + i] =
      digest[from]! | (digest[from + 1]! << 8) | (digest[from + 2]! << 16) | (digest[from + 3]! << 24);
  }
  u32[w + REC_TREE_ID] = header.treeId;
  for (let i = at + RECORD_HEADER_SIZE + header.setNameSize + header.keySize; i < at + binsAt; i++) u8[i] = 0;
}

/** Writes the origin of the marker at byte `at`. */
export function writeOrigin(u32: Uint32Array, at: number, origin: number): void {
  u32[(at >>> 2) + REC_ORIGIN_LOW] = origin % 0x100000000;
  u32[(at >>> 2) + REC_ORIGIN_HIGH] = Math.floor(origin / 0x100000000);
}

/** The origin of the marker at byte `at`, 0 when it has none. */
export function readOrigin(u32: Uint32Array, at: number): number {
  return u32[(at >>> 2) + REC_ORIGIN_HIGH]! * 0x100000000 + u32[(at >>> 2) + REC_ORIGIN_LOW]!;
}

/** Overwrites `out` with the header at `at`. The bytes must have been checked (magic, size) before. */
export function readRecordHeader(u32: Uint32Array, at: number, out: RecordHeader): void {
  const w = at >>> 2;
  const fsg = u32[w + REC_FLAGS_SET_GEN]!;
  const high = u32[w + REC_LUT_SEQ_HIGH]!;
  out.flags = fsg & 0xff;
  out.setNameSize = (fsg >>> 8) & 0xff;
  out.generation = fsg >>> 16;
  out.voidTimeSec = u32[w + REC_VOID_TIME]!;
  out.lutMs = (high & 0xffff) * 0x100000000 + u32[w + REC_LUT_LOW]!;
  out.sequence = (high >>> 16) * 0x100000000 + u32[w + REC_SEQ_LOW]!;
  out.treeId = u32[w + REC_TREE_ID]!;
  out.keySize = u32[w + REC_KEY_SIZE]!;
  out.binCount = u32[w + REC_BIN_COUNT]!;
}

export function newRecordHeader(): RecordHeader {
  return {
    flags: 0,
    generation: 0,
    voidTimeSec: 0,
    lutMs: 0,
    sequence: 0,
    treeId: 0,
    setNameSize: 0,
    keySize: 0,
    binCount: 0,
  };
}
