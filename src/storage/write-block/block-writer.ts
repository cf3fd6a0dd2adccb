/**
 * The write side of a shard's extent: two streams of appends, the clients' and defrag's, and their way to the device.
 * What becomes of stored blocks when nothing in them is needed any more is in emptied-blocks.ts.
 */
import { DEVICE_OVERLOAD, OK } from '../../base/result.js';
import type { Occupancy } from '../defrag/occupancy.js';
import type { StorageLog } from '../device/storage-error.js';
import { ST_CLIENT_BYTES, ST_LATE_WRITES, ST_OVERLOADS, ST_UNFLUSHED_SINCE } from '../engine.js';
import { IO_ALIGN } from '../io/io-backend.js';
import { MARKER_SIZE, REC_SIZE, RECORD_ALIGN } from '../record/flat-record.js';
import { BlockCache } from './block-cache.js';
import { BlockSupply } from './block-supply.js';
import * as B from './block-table.js';
import { EmptiedBlocks } from './emptied-blocks.js';
import type { OpenBlock } from './open-block.js';
import { sealSize } from './record-seal.js';
import type { ResidentBlocks } from './resident-blocks.js';
import type { ShardExtent } from './shard-extent.js';
import { QUEUE_COUNT_MAX, WRITE_LAST, WriteQueue } from './write-queue.js';
import { CLIENT_WRITES, DEFRAG_WRITES, WriteStream } from './write-stream.js';
import type { BlockWriterLimits } from './writer-limits.js';

const NONE = -1;
/** What defrag has appended is flushed after this even where the clients' records wait for a full block. */
const DEFRAG_FLUSH_MS = 1000;
/** Blocks wait no longer than they must to become free while clients may use so many, or fewer. */
const HURRY_BLOCKS = 2;
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
  readonly cache: BlockCache;
  readonly #emptied: EmptiedBlocks;
  /** The free blocks. */
  readonly supply: BlockSupply;
  /** What only keeps dead blocks waiting is flushed at once, however many are free. */
  flushesSoon = false;

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
    const { blockSize, io } = extent;
    this.cache = new BlockCache(extent, table);
    const takeBuffer = (size: number) => this.cache.take(size);
    const queue = (place: number) => new WriteQueue(place, extent, table, takeBuffer, counters, log);
    const seal = resident === null ? sealSize() : 0; // what is copied to memory has to be whole
    this.#clients = new WriteStream(queue(CLIENTS), io.buffers, blockSize, counters, CLIENT_WRITES, seal);
    this.#defrag = new WriteStream(queue(DEFRAG), io.buffers, blockSize, counters, DEFRAG_WRITES, seal);
    this.#erases = queue(ERASES);
    this.#emptied = new EmptiedBlocks(extent, table, this.cache, this.#erases, resident);
    this.supply = new BlockSupply(extent, table, this.cache, this.#emptied, resident);
  }

  /** The state of the clients' open block. */
  get openBlock(): OpenBlock {
    return this.#clients;
  }

  /** The stored blocks by how full they are. */
  get occupancy(): Occupancy {
    return this.#emptied.occupancy;
  }

  /** Full blocks that wait for the device. */
  get closedCount(): number {
    return this.#clients.closedCount + this.#defrag.closedCount;
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

  /** Whether blocks wait to become free. */
  get hasEmptied(): boolean {
    return this.#emptied.count > 0 || this.#table.leavesEmptied;
  }

  /** Number of the append made last; the first one has number 1. */
  get appendedNumber(): number {
    return this.#table.appendedNumber;
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

  /** Sees to it that every record in the open blocks has its checksum. */
  sealOpen(): void {
    this.#clients.seal();
    this.#defrag.seal();
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

  /** When the oldest append of clients that is not durable was made; 0 when all are. */
  get unflushedSinceMs(): number {
    return this.#clients.unflushedSinceMs;
  }

  /**
   * Finds room for `size` bytes at the end of the clients' open block, or opens the next one.
   * @param isMarker May use the spare blocks.
   * @returns OK with the place in `reservedAt`; OUT_OF_SPACE; DEVICE_OVERLOAD. After the latter two nothing has changed.
   */
  reserve(size: number, isMarker: boolean): number {
    const stream = this.#clients;
    if (stream.room < stream.checkAt && !isMarker) {
      if (stream.block !== NONE && this.supply.outrunsDefrag()) return this.#overloaded();
      stream.checkAt = stream.room - CHECK_SIZE;
    }
    if (!stream.reserve(size)) {
      const result = this.supply.askForClients(stream, isMarker, this.limits.writeCacheMax);
      if (result !== OK) {
        this.#closeFull(stream);
        return result === DEVICE_OVERLOAD ? this.#overloaded() : result;
      }
      this.#change(stream);
      stream.checkAt = stream.room - CHECK_SIZE;
      stream.reserve(size);
    }
    return OK;
  }

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
    const location = this.#clients.append(this.#table.nextAppend());
    this.#keep(this.#clients, location);
    this.#counters[ST_CLIENT_BYTES]! += before - this.#clients.room;
    if (this.#counters[ST_UNFLUSHED_SINCE] === 0) this.#counters[ST_UNFLUSHED_SINCE] = this.#clients.nowMs;
    this.#clients.submitFull(this.limits.flushSize);
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
    const result = this.supply.askForDefrag(stream);
    if (result !== OK) return result;
    this.#change(stream);
    stream.reserve(size);
    return OK;
  }

  get reservedForMoveAt(): number {
    return this.#defrag.reservedAt;
  }

  /** As `append`, for the record built in the room that `reserveForMove` found. */
  appendMoved(): number {
    const location = this.#defrag.append(this.#table.nextAppend());
    this.#keep(this.#defrag, location);
    this.#defrag.submitFull(this.limits.flushSize);
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
    if (this.#table.leavesEmptied) this.#emptied.addLeft(this.appendedNumber);
    this.#collect();
    const { flushMaxMs, flushSize } = this.limits;
    // Where others append too.
    this.#clients.submitFull(flushSize);
    this.#lookAhead();
    this.#clients.flushOld(flushMaxMs);
    this.#defrag.flushOld(flushMaxMs || DEFRAG_FLUSH_MS);
    this.#hurry(this.#clients);
    this.#hurry(this.#defrag);
  }

  /** Hands what the open blocks hold to the device, padded to a page; the blocks stay open behind it. */
  flushOpen(): void {
    this.#clients.flush();
    this.#defrag.flush();
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
    return this.#table.newest;
  }

  /** After a recovery: which block holds the latest LUT. */
  startAfter(block: number): void {
    this.#emptied.moveNewest(block, NONE);
  }

  #queueAt(place: number): WriteQueue {
    if (place === ERASES) return this.#erases;
    return place === CLIENTS ? this.#clients.writes : this.#defrag.writes;
  }

  /** Looks whether clients outrun defrag before it is due, so that whoever else appends need not stop for it. */
  #lookAhead(): void {
    const stream = this.#clients;
    if (stream.block === NONE || stream.room >= stream.checkAt + CHECK_SIZE / 2) return;
    if (!this.supply.outrunsDefrag()) stream.checkAt = stream.room - CHECK_SIZE;
  }

  /**
   * When blocks run out, those that only wait for what replaced them do not wait until that is old enough. Pages are
   * padded for it only when clients or defrag may have to wait.
   */
  #hurry(stream: WriteStream): void {
    const barrier = this.#emptied.nextBarrier;
    if (barrier === NONE || !stream.writes.isEmpty || barrier < stream.firstUndurable) return;
    const left = this.#table.freeCount - this.supply.spareCount;
    if (this.flushesSoon) stream.flush();
    else if (left <= HURRY_BLOCKS) stream.flushPages(left <= 0);
  }

  #overloaded(): number {
    this.#counters[ST_OVERLOADS]!++;
    return DEVICE_OVERLOAD;
  }

  /** Closes the stream's open block and opens another, which the supply has been asked for. */
  #change(stream: WriteStream): void {
    if (stream.block !== NONE) this.#closeBlock(stream);
    this.supply.open(stream);
  }

  /** Closes a block that nothing fits into, although there is no other: it may be one that can be given up. */
  #closeFull(stream: WriteStream): void {
    if (stream.block === NONE || stream.room >= MARKER_SIZE || stream.writes.room < 2) return;
    this.#closeBlock(stream);
  }

  #closeBlock(stream: WriteStream): void {
    this.#table.states[stream.block] = B.CLOSED;
    const stored = stream.close();
    if (stored !== NONE) this.#stored(stream, stored);
  }

  /** Takes in what became durable, and gives up blocks that may go. */
  #collect(): void {
    this.#collectRecords(this.#clients);
    this.#collectRecords(this.#defrag);
    this.#emptied.collect(this.durableNumber, this.appendedNumber);
  }

  #collectRecords(stream: WriteStream): void {
    const { writes } = stream;
    for (let kind = writes.shift(); kind >= 0; kind = writes.shift()) {
      if (kind === WRITE_LAST) this.#stored(stream, writes.taken);
      if (stream === this.#clients) this.#noteLate(stream.nowMs, writes.takenSinceMs, writes.takenAskedMs);
      stream.noteDurable();
    }
  }

  /** Counts what clients had been told was written, and is durable later than it was to be. */
  #noteLate(nowMs: number, sinceMs: number, askedMs: number): void {
    const { flushMaxMs, isCommitting } = this.limits;
    if (flushMaxMs === 0 || isCommitting || nowMs - sinceMs <= flushMaxMs) return;
    this.#counters[ST_LATE_WRITES]!++;
    this.#extent.times?.recordLate(nowMs - sinceMs, askedMs - sinceMs);
  }

  #stored(stream: WriteStream, block: number): void {
    const durationMs = stream.leaveClosed();
    this.#extent.times?.recordBlock(durationMs);
    this.#table.states[block] = B.STORED;
    // What defrag moved was not read or written lately.
    if (stream === this.#defrag && block !== this.cache.pinned) this.cache.release(block);
    else this.cache.add(block, this.limits.postWriteCacheMax);
    this.stored(block);
  }
}
