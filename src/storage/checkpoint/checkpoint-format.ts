/**
 * A checkpoint is a copy of a shard's index in a file beside the shard's device, so that a start need not read all
 * blocks. A shard has two files, written in turn. A file:
 *
 *   0  header, one page        4096  pieces of PIECE_SIZE bytes, one after the other
 *
 * Header, little-endian:
 *    0  u32 magic and layout version       56  f64 sequences were given out up to this one
 *    4  u32 shard                          64  f64 latest LUT appended, milliseconds since 2010
 *    8  16 bytes id of the device set      72  f64 wall clock at its begin, milliseconds since 2010
 *   24  u32 write block size, bytes        80  u32 pieces of entries, u32 pieces in all
 *   28  u32 blocks of the shard            88  f64 entries
 *   32  u32 start count                    96  u32 open blocks, u32 reserved
 *   36  u32 block with that LUT           104  open blocks at its begin, 16 bytes each:
 *   40  f64 number                             u32 block, u32 where appending went on, f64 write id
 *   48  f64 last write id at its begin     508  u32 checksum of [0, 508): the header is one sector, written whole or not
 *
 * A piece: 48 bytes (u32 magic, u32 kind, u32 its place among the pieces, u32 bytes of contents, f64 number of the
 * checkpoint, two random words, both 0 when the contents are not encrypted, 12 bytes reserved, u32 checksum of the
 * contents as they are stored and of these bytes before it), then its contents:
 *   entries     index entries as they lie in memory, 56 bytes each, in walking order, partition after partition
 *   blocks      24 bytes a block: f64 write id, f64 highest origin of its markers, u32 markers, u32 reserved
 *   sets        64 bytes a set, from set 1 on: u8 size, name
 *   tree ids    u32 for each pid, as they were at its begin
 * On an encrypted device set contents are encrypted by the set's key for checkpoints; the nonce is the two random words
 * and the low half of the number.
 *
 * Numbers only grow: a piece that an earlier checkpoint left in the file is known by its number.
 */
import type { Region } from '../../base/arena.js';
import { checksum32 } from '../../base/checksum.js';
import { randomWords, type StreamCipher } from '../cipher/stream-cipher.js';
import { ENTRY_SIZE } from '../index/entry.js';
import { IO_ALIGN } from '../io/io-backend.js';

const HEADER_MAGIC = 0x31434443; // "CDC1"
const PIECE_MAGIC = 0x31504443; // "CDP1"
export const HEADER_SIZE = IO_ALIGN;
export const PIECE_SIZE = 1024 * 1024; // bytes
export const PIECE_HEADER_SIZE = 48;
/** Entries of a full piece. */
export const ENTRIES_PER_PIECE = Math.floor((PIECE_SIZE - PIECE_HEADER_SIZE) / ENTRY_SIZE);
/** Open blocks that a header has room for; a shard has two streams. */
export const OPEN_BLOCK_COUNT_MAX = 8;

export const KIND_ENTRIES = 1;
export const KIND_BLOCKS = 2;
export const KIND_SETS = 3;
export const KIND_TREE_IDS = 4;

export const BLOCK_ROW_SIZE = 24; // bytes
export const SET_ROW_SIZE = 64;

/** A block that was appended to when the checkpoint began. */
export interface OpenBlock {
  block: number;
  /** What lies before, bytes from the block's start, was in the index by then. */
  appendAt: number;
  writeId: number;
}

export interface CheckpointHeader {
  shard: number;
  setId: Uint32Array;
  writeBlockSize: number;
  blockCount: number;
  startCount: number;
  number: number;
  lastWriteId: number;
  sequence: number;
  /** The latest LUT that was appended, and the block that holds it, if any. */
  clockMs: number;
  clockBlock: number;
  begunMs: number;
  entryPieces: number;
  pieces: number;
  entries: number;
  openBlocks: OpenBlock[];
}

// Words of the header, and doubles.
const W_SHARD = 1;
const W_SET_ID = 2;
const W_BLOCK_SIZE = 6;
const W_BLOCK_COUNT = 7;
const W_START_COUNT = 8;
const W_CLOCK_BLOCK = 9;
const D_NUMBER = 5;
const D_LAST_WRITE_ID = 6;
const D_SEQUENCE = 7;
const D_CLOCK = 8;
const D_BEGUN = 9;
const W_ENTRY_PIECES = 20;
const W_PIECES = 21;
const D_ENTRIES = 11;
const W_OPEN_COUNT = 24;
const W_OPEN = 26;
const W_CHECKSUM = 127;
const CHECKED_SIZE = 508; // bytes

/** Writes a header, one page, at byte `at` of the region. */
export function encodeHeader(region: Region, at: number, header: CheckpointHeader): void {
  const { u8, u32, i32, f64 } = region;
  const w = at >>> 2;
  const d = at / 8;
  u8.fill(0, at, at + HEADER_SIZE);
  u32[w] = HEADER_MAGIC;
  u32[w + W_SHARD] = header.shard;
  for (let i = 0; i < 4; i++) u32[w + W_SET_ID + i] = header.setId[i]!;
  u32[w + W_BLOCK_SIZE] = header.writeBlockSize;
  u32[w + W_BLOCK_COUNT] = header.blockCount;
  u32[w + W_START_COUNT] = header.startCount;
  u32[w + W_CLOCK_BLOCK] = header.clockBlock;
  f64[d + D_NUMBER] = header.number;
  f64[d + D_LAST_WRITE_ID] = header.lastWriteId;
  f64[d + D_SEQUENCE] = header.sequence;
  f64[d + D_CLOCK] = header.clockMs;
  f64[d + D_BEGUN] = header.begunMs;
  u32[w + W_ENTRY_PIECES] = header.entryPieces;
  u32[w + W_PIECES] = header.pieces;
  f64[d + D_ENTRIES] = header.entries;
  u32[w + W_OPEN_COUNT] = header.openBlocks.length;
  header.openBlocks.forEach(({ block, appendAt, writeId }, i) => {
    u32[w + W_OPEN + i * 4] = block;
    u32[w + W_OPEN + i * 4 + 1] = appendAt;
    f64[(w + W_OPEN + i * 4 + 2) / 2] = writeId;
  });
  u32[w + W_CHECKSUM] = checksum32(i32, at, CHECKED_SIZE);
}

/** The header at byte `at`, or undefined when it is none, or damaged, or of another version. */
export function decodeHeader(region: Region, at: number): CheckpointHeader | undefined {
  const { u32, i32, f64 } = region;
  const w = at >>> 2;
  const d = at / 8;
  if (u32[w] !== HEADER_MAGIC || u32[w + W_CHECKSUM] !== checksum32(i32, at, CHECKED_SIZE)) return undefined;
  const openCount = Math.min(u32[w + W_OPEN_COUNT]!, OPEN_BLOCK_COUNT_MAX);
  return {
    shard: u32[w + W_SHARD]!,
    setId: u32.slice(w + W_SET_ID, w + W_SET_ID + 4),
    writeBlockSize: u32[w + W_BLOCK_SIZE]!,
    blockCount: u32[w + W_BLOCK_COUNT]!,
    startCount: u32[w + W_START_COUNT]!,
    clockBlock: i32[w + W_CLOCK_BLOCK]!,
    number: f64[d + D_NUMBER]!,
    lastWriteId: f64[d + D_LAST_WRITE_ID]!,
    sequence: f64[d + D_SEQUENCE]!,
    clockMs: f64[d + D_CLOCK]!,
    begunMs: f64[d + D_BEGUN]!,
    entryPieces: u32[w + W_ENTRY_PIECES]!,
    pieces: u32[w + W_PIECES]!,
    entries: f64[d + D_ENTRIES]!,
    openBlocks: Array.from({ length: openCount }, (_, i) => ({
      block: u32[w + W_OPEN + i * 4]!,
      appendAt: u32[w + W_OPEN + i * 4 + 1]!,
      writeId: f64[(w + W_OPEN + i * 4 + 2) / 2]!,
    })),
  };
}

/** Where piece `place` starts, bytes from the start of the file. */
export function pieceOffset(place: number): number {
  return HEADER_SIZE + place * PIECE_SIZE;
}

/** Words of a piece's header. */
const P_KIND = 1;
const P_PLACE = 2;
const P_SIZE = 3;
const P_NUMBER = 4; // a double
const P_NONCE = 6;
const P_CHECKSUM = 11;
const TWO_32 = 0x1_0000_0000;

/**
 * Seals the piece at byte `at`, whose `size` bytes of contents are there: encrypts them, writes its header, and zeros
 * up to a page.
 * @returns Its bytes.
 */
export function sealPiece(
  region: Region,
  at: number,
  kind: number,
  place: number,
  size: number,
  number: number,
  cipher: StreamCipher | null,
): number {
  const { u8, u32, f64 } = region;
  const w = at >>> 2;
  const end = PIECE_HEADER_SIZE + size;
  const length = (end + IO_ALIGN - 1) & -IO_ALIGN;
  u8.fill(0, at + end, at + length);
  u8.fill(0, at, at + PIECE_HEADER_SIZE);
  u32[w] = PIECE_MAGIC;
  u32[w + P_KIND] = kind;
  u32[w + P_PLACE] = place;
  u32[w + P_SIZE] = size;
  f64[(w + P_NUMBER) / 2] = number;
  if (cipher) {
    const nonce = u32.subarray(w + P_NONCE, w + P_NONCE + 2);
    do randomWords(nonce);
    while (nonce[0] === 0 && nonce[1] === 0);
    applyCipher(region, at, cipher);
  }
  u32[w + P_CHECKSUM] = pieceChecksum(region, at, size);
  return length;
}

/**
 * Checks the piece at byte `at` and decrypts its contents in place.
 * @returns Its kind, or 0 when it is not whole or not number `place` of checkpoint `number`.
 */
export function openPiece(
  region: Region,
  at: number,
  place: number,
  number: number,
  cipher: StreamCipher | null,
): number {
  const { u32, f64 } = region;
  const w = at >>> 2;
  const size = u32[w + P_SIZE]!;
  if (u32[w] !== PIECE_MAGIC || u32[w + P_PLACE] !== place || f64[(w + P_NUMBER) / 2] !== number) return 0;
  if (size > PIECE_SIZE - PIECE_HEADER_SIZE || u32[w + P_CHECKSUM] !== pieceChecksum(region, at, size))
    return 0;
  const isPlain = u32[w + P_NONCE] === 0 && u32[w + P_NONCE + 1] === 0;
  if (isPlain !== (cipher === null)) return 0;
  if (cipher) applyCipher(region, at, cipher);
  return u32[w + P_KIND]!;
}

/** Bytes of contents of the piece at byte `at`. */
export function pieceContents(region: Region, at: number): number {
  return region.u32[(at >>> 2) + P_SIZE]!;
}

function applyCipher({ u8, u32, f64 }: Region, at: number, cipher: StreamCipher): void {
  const w = at >>> 2;
  const number = f64[(w + P_NUMBER) / 2]! % TWO_32;
  const from = at + PIECE_HEADER_SIZE;
  cipher.apply(u32[w + P_NONCE]!, u32[w + P_NONCE + 1]!, number, 0, u8, from, u8, from, u32[w + P_SIZE]!);
}

function pieceChecksum({ i32 }: Region, at: number, size: number): number {
  const contents = checksum32(i32, at + PIECE_HEADER_SIZE, size);
  return checksum32(i32, at, P_CHECKSUM * 4, contents);
}
