/**
 * What happens to stored versions on a device, in one place for the record, its index entry and the block that it
 * lies in: a new version is appended and becomes the entry's, a delete leaves a marker or a tombstone, an old version
 * is taken off its block. write-block/block-writer.ts has the blocks; record-reader.ts is the other direction.
 */
import type { Region } from '../../base/arena.js';
import { partitionOf } from '../../base/digest.js';
import { OK, RECORD_TOO_BIG } from '../../base/result.js';
import type { RecordCompression } from '../codec/record-compression.js';
import type { Occupancy } from '../defrag/occupancy.js';
import type { RecordSpan } from '../engine.js';
import * as ST from '../engine.js';
import type { PrimaryIndex } from '../index/primary-index.js';
import {
  binsOffset,
  FLAG_CLOCK,
  FLAG_DURABLE,
  FLAG_TOMBSTONE,
  MARKER_SIZE,
  newRecordHeader,
  REC_LUT_LOW,
  REC_LUT_SEQ_HIGH,
  REC_SEQ_LOW,
  REC_SIZE,
  RECORD_ALIGN,
  RECORD_HEADER_SIZE,
  writeOrigin,
  writeRecordHeader,
} from '../record/flat-record.js';
import type { SetTable } from '../record/set-table.js';
import type { BlockTable } from '../write-block/block-table.js';

const TWO_32 = 0x1_0000_0000;

/** The end of the clients' open block, for whoever appends to it. */
export interface Appends {
  /** Finds room: see BlockWriter.reserve. @returns OK, or why there is none. */
  reserve(size: number, isMarker: boolean): number;
  /** Byte offset in the I/O buffers of the room reserved last. */
  readonly reservedAt: number;
  /** Makes the record built there part of the block. @returns Its location, in units of 16 bytes. */
  append(): number;
  /** A block holds a marker more, or a record that has expired and serves as one. */
  addMarker(block: number, origin: number): void;
  /** A block has no live record left. */
  emptied(block: number): void;
  readonly occupancy: Occupancy;
}

export interface RecordWriterParts {
  /** The I/O buffers. */
  buffers: Region;
  blockSize: number;
  table: BlockTable;
  writer: Appends;
  index: PrimaryIndex;
  /** ST_… slots of the shard. */
  counters: Float64Array;
  /** [pid] */
  treeIds: Uint32Array;
  /** The namespace's sets. */
  sets: SetTable;
  compression: RecordCompression | null;
  /** The largest flat record to take, bytes. */
  recordSizeMax: number;
}

/** Its methods are those of StorageEngine, engine.ts says what they do. */
export class RecordWriter {
  readonly #buffers: Region;
  readonly #blockSize: number;
  readonly #table: BlockTable;
  readonly #writer: Appends;
  readonly #index: PrimaryIndex;
  readonly #counters: Float64Array;
  readonly #treeIds: Uint32Array;
  readonly #sets: SetTable;
  readonly #compression: RecordCompression | null;
  readonly #recordSizeMax: number;
  readonly #marker = newRecordHeader();
  readonly #tombstone = newRecordHeader();
  readonly #digest = new Uint8Array(20);
  /** Of the room given by `reserve`. */
  #reservedSize = 0;

  constructor(parts: RecordWriterParts) {
    this.#buffers = parts.buffers;
    this.#blockSize = parts.blockSize;
    this.#table = parts.table;
    this.#writer = parts.writer;
    this.#index = parts.index;
    this.#counters = parts.counters;
    this.#treeIds = parts.treeIds;
    this.#sets = parts.sets;
    this.#compression = parts.compression;
    this.#recordSizeMax = parts.recordSizeMax;
  }

  reserve(size: number, out: RecordSpan): number {
    if (size > this.#recordSizeMax) return RECORD_TOO_BIG;
    const result = this.#writer.reserve(size, false);
    if (result !== OK) return result;
    out.region = this.#buffers;
    out.at = this.#writer.reservedAt;
    out.size = size;
    this.#reservedSize = size;
    return OK;
  }

  store(entry: number): void {
    if (this.#compression?.isOn) this.#pack(this.#compression);
    const at = this.#writer.reservedAt;
    this.#place(entry, this.#writer.append(), at);
  }

  remove(entry: number, lutMs: number): number {
    const index = this.#index;
    if (index.size(entry) === 0) return OK;
    index.digestTo(entry, this.#digest, 0);
    this.#marker.flags = FLAG_TOMBSTONE;
    this.#marker.generation = index.generation(entry);
    const result = this.#appendMarker(lutMs);
    if (result !== OK) return result;
    this.#emptied(this.#free(entry));
    return OK;
  }

  bury(entry: number, lutMs: number): number {
    const index = this.#index;
    const sets = this.#sets;
    const setId = index.setId(entry);
    const setNameSize = sets.nameSize(setId);
    const size = binsOffset(setNameSize, 0);
    const result = this.#writer.reserve(size, true);
    if (result !== OK) return result;
    index.digestTo(entry, this.#digest, 0);
    const tombstone = this.#tombstone;
    tombstone.flags = FLAG_TOMBSTONE | FLAG_DURABLE;
    tombstone.generation = index.generation(entry);
    tombstone.voidTimeSec = 0;
    tombstone.lutMs = lutMs;
    tombstone.sequence = this.#table.nextSequence();
    tombstone.treeId = this.#treeIds[partitionOf(this.#digest, 0)]!;
    tombstone.setNameSize = setNameSize;
    tombstone.keySize = 0;
    tombstone.binCount = 0;
    const at = this.#writer.reservedAt;
    const { u8, u32 } = this.#buffers;
    writeRecordHeader(u8, u32, at, tombstone, this.#digest, 0);
    writeOrigin(u32, at, this.#table.lastWriteId); // for when it is a marker
    sets.nameTo(setId, u8, at + RECORD_HEADER_SIZE);
    this.#place(entry, this.#writer.append(), at);
    return OK;
  }

  expire(entry: number): void {
    const block = this.#free(entry);
    if (block < 0) return;
    this.#writer.addMarker(block, this.#table.lastWriteId); // it may have been moved, and does not say when it was written
    this.#emptied(block);
  }

  drop(entry: number): void {
    this.#emptied(this.#free(entry));
  }

  keepClock(lutMs: number): number {
    if (lutMs <= this.#counters[ST.ST_STORED_CLOCK]!) return OK;
    this.#digest.fill(0);
    this.#marker.flags = FLAG_TOMBSTONE | FLAG_CLOCK;
    this.#marker.generation = 0;
    return this.#appendMarker(lutMs);
  }

  /** Packs the record in the reserved room, in place. */
  #pack(compression: RecordCompression): void {
    const buffers = this.#buffers;
    const at = this.#writer.reservedAt;
    const packedSize = compression.pack(buffers, at, this.#reservedSize, this.#counters);
    if (packedSize >= this.#reservedSize) return;
    compression.write(buffers, at, buffers, at);
    this.#writer.reserve(packedSize, false); // the same place: less room than there is
  }

  /** Appends what `#marker` and `#digest` say. A clock mark keeps nothing dead, so it does not count as a marker. */
  #appendMarker(lutMs: number): number {
    const result = this.#writer.reserve(MARKER_SIZE, true);
    if (result !== OK) return result;
    const marker = this.#marker;
    marker.lutMs = lutMs;
    marker.sequence = this.#table.nextSequence();
    marker.treeId = this.#treeIds[partitionOf(this.#digest, 0)]!;
    const at = this.#writer.reservedAt;
    const { u8, u32 } = this.#buffers;
    writeRecordHeader(u8, u32, at, marker, this.#digest, 0);
    const origin = this.#table.lastWriteId;
    writeOrigin(u32, at, origin);
    const block = Math.floor((this.#writer.append() * RECORD_ALIGN) / this.#blockSize);
    if ((marker.flags & FLAG_CLOCK) === 0) this.#writer.addMarker(block, origin);
    this.#noteLut(lutMs);
    return OK;
  }

  /** Makes what was appended at `location`, and lies at byte `at` of the buffers, the stored version of `entry`. */
  #place(entry: number, location: number, at: number): void {
    const { u32 } = this.#buffers;
    const w = at >>> 2;
    const size = u32[w + REC_SIZE]!;
    const high = u32[w + REC_LUT_SEQ_HIGH]!;
    const block = Math.floor((location * RECORD_ALIGN) / this.#blockSize);
    const room = (size + RECORD_ALIGN - 1) & -RECORD_ALIGN;
    const oldBlock = this.#free(entry);
    this.#table.used[block]! += room;
    this.#counters[ST.ST_USED_BYTES]! += room;
    this.#index.setPlace(entry, location, size, u32[w + REC_SEQ_LOW]!, high >>> 16);
    this.#noteLut((high & 0xffff) * TWO_32 + u32[w + REC_LUT_LOW]!);
    // Last: the block that held the old version may be the one just appended to.
    this.#emptied(oldBlock);
  }

  #noteLut(lutMs: number): void {
    if (lutMs > this.#counters[ST.ST_STORED_CLOCK]!) this.#counters[ST.ST_STORED_CLOCK] = lutMs;
  }

  /** @param block One that a version was taken off, or -1. */
  #emptied(block: number): void {
    if (block >= 0 && this.#table.used[block] === 0) this.#writer.emptied(block);
  }

  /** Takes the stored version of an entry off its block. @returns The block, or -1 when nothing was stored. */
  #free(entry: number): number {
    const size = this.#index.size(entry);
    if (size === 0) return -1;
    const room = (size + RECORD_ALIGN - 1) & -RECORD_ALIGN;
    const block = Math.floor((this.#index.location(entry) * RECORD_ALIGN) / this.#blockSize);
    this.#table.used[block]! -= room;
    this.#counters[ST.ST_USED_BYTES]! -= room;
    this.#writer.occupancy.update(block);
    return block;
  }
}
