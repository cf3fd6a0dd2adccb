/**
 * The write side of a shard's extent: two streams of appends, the clients' and defrag's, and their way to the device.
 * What becomes of stored blocks when nothing in them is needed any more is in emptied-blocks.ts.
 */
import { DEVICE_OVERLOAD, OK, OUT_OF_SPACE } from '../../base/result.js';
import type { Occupancy } from '../defrag/occupancy.js';
import type { StorageLog } from '../device/storage-error.js';
import {
  ST_CLIENT_BYTES,
  ST_DEFRAG_PARTIAL_WRITES,
  ST_DEFRAG_WRITES,
  ST_OVERLOADS,
  ST_PARTIAL_WRITES,
  ST_WRITES,
} from '../engine.js';
import { IO_ALIGN } from '../io/io-backend.js';
import { REC_SIZE, RECORD_ALIGN } from '../record/flat-record.js';
import { BlockCache } from './block-cache.js';
import { BLOCK_HEADER_SIZE, writeBlockHeader } from './block-format.js';
import * as B from './block-table.js';
import { EmptiedBlocks } from './emptied-blocks.js';
import type { ResidentBlocks } from './resident-blocks.js';
import type { ShardExtent } from './shard-extent.js';
import { QUEUE_COUNT_MAX, WRITE_LAST, WriteQueue } from './write-queue.js';
import { WriteStream } from './write-stream.js';
import type { BlockWriterLimits } from './writer-limits.js';

const NONE = -1;
/** A time-driven flush starts this much before it must be durable, besides twice what the last ones took. */
const FLUSH_LEAD_MS = 30;
/** What defrag has appended is flushed after this even where the clients' records wait for a full block. */
const DEFRAG_FLUSH_MS = 1000;
/** Full blocks of defrag that may wait for the device. */
const DEFRAG_CLOSED_MAX = 2;
/** Writes of a queue that are left for ends of blocks and for flushes in time. */
const WRITES_KEPT = 8;
/** Bytes that clients append between two looks at whether they outrun defrag. */
const CHECK_SIZE = 64 * 1024;

// Places of the queues.
const CLIENTS = 0;
const DEFRAG = 1;
const ERASES = 2;

export class BlockWriter {
  readonly limits: BlockWriterLimits;
  readonly #extent: ShardExtent;
  readonly #table: B.BlockTable;
  readonly #counters: Float64Array;
  readonly #resident: ResidentBlocks | null;
  readonly #clients: WriteStream;
  readonly #defrag: WriteStream;
  readonly #erases: WriteQueue;
  /** Free blocks that neither records nor markers may use: room to move records to. */
  readonly #defragSpare: number;
  /** Free blocks that only markers may use beyond those, so that a full shard still deletes. */
  readonly #markerSpare: number;
  /** Number of the append made last; the first one has number 1. */
  appendedNumber = 0;

  /** Full blocks that wait for the device, by stream. */
  readonly #closed = [0, 0];
  readonly cache: BlockCache;
  readonly #emptied: EmptiedBlocks;
  /** What only keeps dead blocks waiting is flushed at once, however many are free. */
  flushesSoon = false;
  /** Asked when no free block is left: whether there will be some without anything being deleted. */
  canMakeRoom: () => boolean = () => false;
  /** Asked before clients get another block: whether they have to wait for one that defrag is about to make. */
  outrunsDefrag: () => boolean = () => false;

  constructor(
    extent: ShardExtent,
    table: B.BlockTable,
    counters: Float64Array,
    limits: BlockWriterLimits,
    log: StorageLog,
    resident: ResidentBlocks | null = null,
  ) {
    this.#extent = extent;
    this.#table = table;
    this.#counters = counters;
    this.limits = limits;
    this.#resident = resident;
    const { blockSize, blockCount, io } = extent;
    this.cache = new BlockCache(extent, table);
    const takeBuffer = (size: number) => this.cache.take(size);
    const queue = (place: number) => new WriteQueue(place, extent, table, takeBuffer, counters, log);
    this.#clients = new WriteStream(queue(CLIENTS), io.buffers, blockSize);
    this.#defrag = new WriteStream(queue(DEFRAG), io.buffers, blockSize);
    this.#erases = queue(ERASES);
    this.#emptied = new EmptiedBlocks(extent, table, this.cache, this.#erases, resident);
    this.#defragSpare = blockCount >= 8 ? 1 : 0;
    this.#markerSpare = Math.min(2, blockCount >> 2);
  }

  /** The stored blocks by how full they are. */
  get occupancy(): Occupancy {
    return this.#emptied.occupancy;
  }

  /** Full blocks that wait for the device. */
  get closedCount(): number {
    return this.#closed[CLIENTS]! + this.#closed[DEFRAG]!;
  }

  /** Free blocks that records of clients may not use. */
  get spareCount(): number {
    return this.#defragSpare + this.#markerSpare;
  }

  /** Blocks that are free, or will be once what was appended is durable. */
  get soonFreeCount(): number {
    return this.#table.freeCount + this.#emptied.count;
  }

  /**
   * Bytes of blocks that are free or soon will be, what is left of the open ones, and what defrag has moved out of the
   * block that it is emptying.
   */
  get availableBytes(): number {
    const { held } = this.cache;
    const moved = held === NONE ? 0 : this.#extent.blockSize - this.#table.used[held]!;
    return this.roomForClients + this.#defrag.room + moved;
  }

  /** The same without what only defrag can use. */
  get roomForClients(): number {
    return this.soonFreeCount * this.#extent.blockSize + this.#clients.room;
  }

  /** Everything appended and every erasure is durable. */
  get isIdle(): boolean {
    return this.#isRecordIdle(this.#clients) && this.#isRecordIdle(this.#defrag) && this.#erases.isEmpty;
  }

  /** The blocks that records are appended to, and how far they are filled. */
  openBlocks(): { block: number; appendAt: number; writeId: number }[] {
    return [this.#clients, this.#defrag]
      .filter(({ block }) => block !== NONE)
      .map(({ block, appendAt }) => ({ block, appendAt, writeId: this.#table.writeIds[block]! }));
  }

  #isRecordIdle(stream: WriteStream): boolean {
    return !stream.isDirty && stream.writes.isEmpty;
  }

  /** Every append up to this number is durable, of clients and of defrag. */
  get durableNumber(): number {
    return Math.min(this.committedNumber, this.#defrag.firstUndurable - 1);
  }

  /** Every append of clients up to this number is durable. */
  get committedNumber(): number {
    return Math.min(this.appendedNumber, this.#clients.firstUndurable - 1);
  }

  /**
   * Finds room for `size` bytes at the end of the clients' open block, or opens the next one.
   * @param isMarker May use the spare blocks.
   * @returns OK with the place in `reservedAt`; OUT_OF_SPACE; DEVICE_OVERLOAD. After the latter two nothing has changed.
   */
  reserve(size: number, isMarker: boolean): number {
    const stream = this.#clients;
    if (stream.room < this.#checkAt && !isMarker) {
      if (stream.block !== NONE && this.outrunsDefrag()) return this.#overloaded();
      this.#checkAt = stream.room - CHECK_SIZE;
    }
    if (!stream.reserve(size)) {
      const spare = this.#defragSpare + (isMarker ? 0 : this.#markerSpare);
      const result = this.#openNext(CLIENTS, spare, this.limits.writeCacheMax);
      if (result !== OK) return result === DEVICE_OVERLOAD ? this.#overloaded() : result;
      stream.reserve(size);
    }
    return OK;
  }

  /** The room in the clients' block at which they are next asked whether they outrun defrag. */
  #checkAt = 0;

  /** Byte offset in the I/O buffers of the room reserved last. */
  get reservedAt(): number {
    return this.#clients.reservedAt;
  }

  /**
   * Seals the record built in the reserved room and makes it part of the block.
   * @returns Its location in the extent, in units of 16 bytes.
   */
  append(): number {
    const before = this.#clients.room;
    const location = this.#clients.append(++this.appendedNumber);
    this.#keep(this.#clients, location);
    this.#counters[ST_CLIENT_BYTES]! += before - this.#clients.room;
    this.#submitFull(this.#clients, ST_WRITES);
    this.#emptied.moveNewest(this.#clients.block, this.appendedNumber);
    return location;
  }

  /** Copies the record just appended to the memory that it is read from, where there is one. */
  #keep(stream: WriteStream, location: number): void {
    if (this.#resident === null) return;
    const { io, blockSize } = this.#extent;
    const { u8, u32 } = io.buffers;
    const at = stream.reservedAt;
    const size = (u32[(at >>> 2) + REC_SIZE]! + RECORD_ALIGN - 1) & -RECORD_ALIGN;
    this.#resident.put(stream.block, location * RECORD_ALIGN - stream.block * blockSize, u8, at, size);
  }

  /** As `reserve`, for a record that defrag moves; its place is in `reservedForMoveAt`. */
  reserveForMove(size: number): number {
    const stream = this.#defrag;
    if (stream.reserve(size)) return OK;
    const result = this.#openNext(DEFRAG, 0, DEFRAG_CLOSED_MAX * this.#extent.blockSize);
    if (result === OK) stream.reserve(size);
    return result;
  }

  get reservedForMoveAt(): number {
    return this.#defrag.reservedAt;
  }

  /** As `append`, for the record built in the room that `reserveForMove` found. */
  appendMoved(): number {
    const location = this.#defrag.append(++this.appendedNumber);
    this.#keep(this.#defrag, location);
    this.#submitFull(this.#defrag, ST_DEFRAG_WRITES);
    return location;
  }

  /** A block that recovery found. */
  stored(block: number): void {
    this.#emptied.stored(block, this.appendedNumber);
  }

  /** A block holds a marker more, or a record that has expired and serves as one. */
  addMarker(block: number, origin: number): void {
    this.#emptied.addMarker(block, origin);
  }

  /** A block has no live record left. */
  emptied(block: number): void {
    this.#emptied.add(block, this.appendedNumber);
  }

  /** Time-driven work; see StorageEngine.tick. */
  tick(nowMs: number): void {
    this.#clients.nowMs = nowMs;
    this.#defrag.nowMs = nowMs;
    this.#clients.writes.retry(nowMs);
    this.#defrag.writes.retry(nowMs);
    this.#erases.retry(nowMs);
    this.#collect();
    const { flushMaxMs } = this.limits;
    this.#flushOld(this.#clients, flushMaxMs);
    this.#flushOld(this.#defrag, flushMaxMs || DEFRAG_FLUSH_MS);
    this.#hurry(this.#clients);
    this.#hurry(this.#defrag);
  }

  /** Hands what the open blocks hold to the device, padded to a page; the blocks stay open behind it. */
  flushOpen(): void {
    this.#flush(this.#clients);
    this.#flush(this.#defrag);
  }

  /** Whether clients appended something that `commit` would hand to the device now. */
  get isCommitDue(): boolean {
    return this.#clients.isDirty && this.#clients.writes.isEmpty;
  }

  /**
   * Hands what clients appended to the device, unless something of theirs is on its way: then what is appended
   * meanwhile goes together when that is durable.
   */
  commit(): void {
    if (!this.isCommitDue) return;
    this.#clients.submit(Math.max(IO_ALIGN, this.limits.commitMinSize));
    this.#counters[ST_PARTIAL_WRITES]!++;
  }

  /** @param argument As the extent was given it. */
  onWrite(argument: number, result: number): void {
    const place = argument % QUEUE_COUNT_MAX;
    this.#queueAt(place).onWrite((argument - place) / QUEUE_COUNT_MAX, result);
  }

  onFlush(epoch: number, isOk: boolean): void {
    this.#clients.writes.onFlush(epoch, isOk);
    this.#defrag.writes.onFlush(epoch, isOk);
    this.#erases.onFlush(epoch, isOk);
    this.#collect();
  }

  /**
   * Goes on appending to a block found by recovery, whose bytes up to `appendAt` (a multiple of 4096) are
   * durable and lie in the buffer.
   */
  resume(block: number, bufferAt: number, appendAt: number): void {
    this.#clients.open(block, this.#table.stamps[block]!, bufferAt, appendAt, appendAt);
    this.#table.states[block] = B.OPEN;
    this.#table.bufferAt[block] = bufferAt;
  }

  /** The block that holds the latest LUT, or -1. */
  get newest(): number {
    return this.#emptied.newest;
  }

  /** After a recovery: which block holds the latest LUT. */
  startAfter(block: number): void {
    this.#emptied.moveNewest(block, NONE);
  }

  #queueAt(place: number): WriteQueue {
    if (place === ERASES) return this.#erases;
    return place === CLIENTS ? this.#clients.writes : this.#defrag.writes;
  }

  #flushOld(stream: WriteStream, flushMaxMs: number): void {
    if (!stream.isDirty || flushMaxMs === 0) return;
    const lead = Math.min(flushMaxMs / 2, FLUSH_LEAD_MS + 2 * stream.tookMs);
    if (stream.nowMs - stream.dirtySinceMs >= flushMaxMs - lead) this.#flush(stream);
  }

  /** When blocks run out, those that only wait for what replaced them do not wait until that is old enough. */
  #hurry(stream: WriteStream): void {
    const barrier = this.#emptied.nextBarrier;
    if (barrier === NONE || !stream.writes.isEmpty) return;
    if (!this.flushesSoon && this.#table.freeCount > this.spareCount + 2) return;
    if (barrier >= stream.firstUndurable) this.#flush(stream);
  }

  /** Hands what has come together to the device, once it is flush-size or more. */
  #submitFull(stream: WriteStream, counter: number): void {
    if (stream.dirtySize < this.limits.flushSize || stream.writes.room <= WRITES_KEPT) return;
    stream.submitPages();
    this.#counters[counter]!++;
  }

  #overloaded(): number {
    this.#counters[ST_OVERLOADS]!++;
    return DEVICE_OVERLOAD;
  }

  #flush(stream: WriteStream): void {
    if (!stream.isDirty || stream.writes.room === 0) return;
    stream.submit(IO_ALIGN);
    this.#counters[stream === this.#clients ? ST_PARTIAL_WRITES : ST_DEFRAG_PARTIAL_WRITES]!++;
  }

  /**
   * Closes the stream's open block and opens the free one that has been free longest.
   * @param spare Free blocks that must be left over.
   * @param cacheMax Bytes of the stream's full blocks that may wait for the device.
   */
  #openNext(place: number, spare: number, cacheMax: number): number {
    const stream = place === CLIENTS ? this.#clients : this.#defrag;
    const { blockSize } = this.#extent;
    if (this.#table.freeCount <= spare) {
      if (place === DEFRAG) return OUT_OF_SPACE;
      return this.#emptied.count > 0 || this.canMakeRoom() ? DEVICE_OVERLOAD : OUT_OF_SPACE;
    }
    if (stream.writes.room < 2) return DEVICE_OVERLOAD;
    if (place === CLIENTS && spare >= this.spareCount && this.outrunsDefrag()) return DEVICE_OVERLOAD;
    const closed = this.#closed[place]!;
    if (stream.block !== NONE && closed > 0 && (closed + 1) * blockSize > cacheMax) return DEVICE_OVERLOAD;
    const bufferAt = this.cache.take();
    if (bufferAt < 0) return DEVICE_OVERLOAD;
    if (stream.block !== NONE) this.#close(place, stream);
    const block = this.#table.takeFree();
    const writeId = this.#table.use(block);
    const { io, owner, cipher } = this.#extent;
    const nonce = cipher?.newNonce();
    const stamp = writeBlockHeader(io.buffers, bufferAt, owner, block, writeId, nonce);
    this.#table.nonces[block * 2] = nonce?.[0] ?? 0;
    this.#table.nonces[block * 2 + 1] = nonce?.[1] ?? 0;
    this.#resident?.open(block);
    this.#resident?.put(block, 0, io.buffers.u8, bufferAt, BLOCK_HEADER_SIZE);
    this.#table.states[block] = B.OPEN;
    this.#table.stamps[block] = stamp;
    this.#table.bufferAt[block] = bufferAt;
    stream.open(block, stamp, bufferAt, BLOCK_HEADER_SIZE, 0);
    if (place === CLIENTS) this.#checkAt = stream.room - CHECK_SIZE;
    return OK;
  }

  #close(place: number, stream: WriteStream): void {
    this.#table.states[stream.block] = B.CLOSED;
    this.#closed[place]!++;
    this.#counters[place === CLIENTS ? ST_WRITES : ST_DEFRAG_WRITES]!++;
    const stored = stream.close();
    if (stored !== NONE) this.#stored(place, stored);
  }

  /** Takes in what became durable, and gives up blocks that may go. */
  #collect(): void {
    this.#collectRecords(CLIENTS, this.#clients);
    this.#collectRecords(DEFRAG, this.#defrag);
    this.#emptied.collect(this.durableNumber, this.appendedNumber);
  }

  #collectRecords(place: number, stream: WriteStream): void {
    const { writes } = stream;
    for (let kind = writes.shift(); kind >= 0; kind = writes.shift()) {
      if (kind === WRITE_LAST) this.#stored(place, writes.taken);
      stream.noteDurable();
    }
  }

  #stored(place: number, block: number): void {
    this.#closed[place]!--;
    this.#table.states[block] = B.STORED;
    // What defrag moved was not read or written lately.
    if (place === DEFRAG && block !== this.cache.pinned) this.cache.release(block);
    else this.cache.add(block, this.limits.postWriteCacheMax);
    this.stored(block);
  }
}
