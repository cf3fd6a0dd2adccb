/**
 * Compression of single records. Header, set name and key of a record stay as they are; its bins are replaced:
 *
 *   u32 codec number    u32 size of the bins, bytes    the packed bins
 *
 * and the header's flags say so. The record's size is then the smaller one, everywhere; only `load` gives the whole
 * record, unpacked into memory of this object. Whatever moves or checks records does so without unpacking them. A
 * record that takes as many storage units packed as it does raw is stored raw, so reading it costs nothing.
 *
 * One instance a namespace and worker. Its settings lie in shared memory and hold for the records to come.
 */
import { Region } from '../../base/arena.js';
import { copyBytes } from '../../base/copy.js';
import { OK, UNKNOWN } from '../../base/result.js';
import type { RecordSpan } from '../engine.js';
import { ST_PACKED_BYTES, ST_RAW_BYTES } from '../engine.js';
import { STORED_SIZE_MAX } from '../index/entry.js';
import { FLAG_COMPRESSED, REC_BINS_AT, REC_FLAGS_SET_GEN, RECORD_ALIGN } from '../record/flat-record.js';
import { CODEC_NAMES, type Codec, type Codecs, NO_CODEC, RAW_SIZE_SIZE } from './codecs.js';

const CODEC = 0; // of the settings
const LEVEL = 1;
const PACKED_HEADER_SIZE = 8; // bytes in front of the packed bins
/** Bins this small are left alone: no library gains a storage unit on them. */
const RAW_SIZE_MIN = 48; // bytes
const MEMORY_SIZE_MIN = 64 * 1024; // bytes
/** The part of the ratio's past that a record takes away: it tells of the last thousand or so. */
const DECAY = 1 / 1024;

export class RecordCompression {
  readonly #codecs: Codecs;
  /** Codec number and level (1 to 9, 0 for the usual one); somebody else writes them. */
  readonly #settings: Float64Array;
  /** Libraries copy what they are given byte by byte when it is shared memory: they get it in this. */
  #input = new Uint8Array(MEMORY_SIZE_MIN);
  /** The record that was unpacked last. */
  #unpacked: Region | null = null;
  #packed: Uint8Array = this.#input;
  #packedBy: Codec | null = null;
  #rawSize = 0;

  constructor(codecs: Codecs, settings: Float64Array) {
    this.#codecs = codecs;
    this.#settings = settings;
  }

  /** Whether records are packed at all. One whose library does not work here is stored as it is. */
  get isOn(): boolean {
    return this.#settings[CODEC] !== NO_CODEC;
  }

  /**
   * Packs the bins of the record of `size` bytes at byte `at`, which stays as it is until `write`.
   * @param counters ST_… slots of the shard, for the ratio.
   * @returns The size that the record would have, or `size` when it had better stay as it is.
   */
  pack(region: Region, at: number, size: number, counters: Float64Array): number {
    const codec = this.#codecs.byNumber[this.#settings[CODEC]!];
    if (codec === undefined || codec === null) return size;
    const binsAt = region.u32[(at >>> 2) + REC_BINS_AT]!;
    const rawSize = size - binsAt;
    let packedSize = size;
    if (rawSize >= RAW_SIZE_MIN) {
      this.#packed = codec.pack(this.#take(region.u8, at + binsAt, rawSize), this.#settings[LEVEL]!);
      packedSize = binsAt + PACKED_HEADER_SIZE + this.#packed.length - codec.packedAt;
    }
    if (roundUp(packedSize) >= roundUp(size)) packedSize = size;
    this.#packedBy = codec;
    this.#rawSize = rawSize;
    counters[ST_RAW_BYTES]! += size - counters[ST_RAW_BYTES]! * DECAY;
    counters[ST_PACKED_BYTES]! += packedSize - counters[ST_PACKED_BYTES]! * DECAY;
    return packedSize;
  }

  /**
   * Writes the record that `pack` has packed to byte `toAt`, in place or where there is room for the size that it said.
   */
  write(from: Region, fromAt: number, to: Region, toAt: number): void {
    const { u32 } = from;
    const binsAt = u32[(fromAt >>> 2) + REC_BINS_AT]!;
    if (from !== to || fromAt !== toAt) copyBytes(to.u8, toAt, from.u8, fromAt, binsAt);
    const packedAt = this.#packedBy!.packedAt;
    const w = (toAt + binsAt) >>> 2;
    to.u32[w] = this.#codecs.byNumber.indexOf(this.#packedBy);
    to.u32[w + 1] = this.#rawSize;
    const size = this.#packed.length - packedAt;
    copyBytes(to.u8, toAt + binsAt + PACKED_HEADER_SIZE, this.#packed, packedAt, size);
    to.u32[(toAt >>> 2) + REC_FLAGS_SET_GEN]! |= FLAG_COMPRESSED;
  }

  /**
   * Turns the span of a stored, packed record (FLAG_COMPRESSED) into that of the record as it was built; its memory is
   * good until the next call. @returns OK, or UNKNOWN: it cannot be unpacked, and `reason` says why.
   */
  unpack(span: RecordSpan): number {
    const { region, at, size } = span;
    const binsAt = region.u32[(at >>> 2) + REC_BINS_AT]!;
    const w = (at + binsAt) >>> 2;
    const number = region.u32[w]!;
    const rawSize = region.u32[w + 1]!;
    const codec = this.#codecs.byNumber[number];
    if (codec === undefined || codec === null || rawSize > STORED_SIZE_MAX) {
      const name = CODEC_NAMES[number] ?? `codec ${number}`;
      this.reason = `${name} is not available: ${this.#codecs.reasons[number] ?? 'another version wrote it'}`;
      return UNKNOWN;
    }
    const sizedAt = at + binsAt + PACKED_HEADER_SIZE - RAW_SIZE_SIZE;
    const sized = this.#take(region.u8, sizedAt, size - binsAt - PACKED_HEADER_SIZE + RAW_SIZE_SIZE);
    let raw: Uint8Array;
    try {
      raw = codec.unpack(sized);
    } catch (error) {
      this.reason = String(error);
      return UNKNOWN;
    }
    if (raw.length !== rawSize) {
      this.reason = `${raw.length} bytes came out instead of ${rawSize}`;
      return UNKNOWN;
    }
    const out = this.#memory(binsAt + rawSize);
    copyBytes(out.u8, 0, region.u8, at, binsAt);
    copyBytes(out.u8, binsAt, raw, 0, rawSize);
    out.u32[REC_FLAGS_SET_GEN]! &= ~FLAG_COMPRESSED;
    span.region = out;
    span.at = 0;
    span.size = binsAt + rawSize;
    return OK;
  }
  /** Why `unpack` failed last. */
  reason = '';

  /** A copy in memory that no other thread sees. */
  #take(source: Uint8Array, at: number, size: number): Uint8Array {
    if (size > this.#input.length) this.#input = new Uint8Array(2 ** Math.ceil(Math.log2(size)));
    copyBytes(this.#input, 0, source, at, size);
    return this.#input.subarray(0, size);
  }

  #memory(size: number): Region {
    if (this.#unpacked === null || this.#unpacked.u8.length < size) {
      this.#unpacked = new Region(Math.max(MEMORY_SIZE_MIN, 2 ** Math.ceil(Math.log2(size))));
    }
    return this.#unpacked;
  }
}

function roundUp(size: number): number {
  return (size + RECORD_ALIGN - 1) & -RECORD_ALIGN;
}
