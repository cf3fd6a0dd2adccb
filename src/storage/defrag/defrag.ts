/**
 * Defrag empties blocks of which little is needed any more: it copies their live records and needed markers, as they
 * are, to a stream of its own, and gives the blocks up. The emptiest block comes first.
 *
 * A record is live when the index points to this very copy of it. A marker whose digest is in the index again is
 * not needed: that version has a higher sequence, was appended before this block dies, and must be durable before the
 * block is erased. Any other marker is needed as block-table.ts says, and is copied with its origin. A version
 * with a void-time that the index does not know may have expired and left the index without a marker: a marker is put
 * in its place, whose origin is today's highest write id, since the record does not tell when it was first written.
 *
 *   IDLE ──victim in memory──▶ MOVING ──all copied──▶ IDLE
 *     └────────read it──▶ READING ──┘
 *
 * When: a block that waits empties by itself as clients write its records anew, and costs nothing once it is empty. So
 * while they write, blocks wait, as long as there is plenty of room and what they hold in vain is not much beside the
 * live records: a start has to read it.
 *
 * How fast: one block every defrag-sleep while there is room. When free blocks run low it does not sleep, keeps step
 * with what clients append, and the fewer are left, the fuller blocks it takes, rather than let writes be refused.
 *
 * Markers of digests that are gone for good stay needed as long as old blocks stay that nobody touches. When markers
 * take up too much, defrag moves the oldest block, however full, until they can be dropped. The tomb raider
 * (marker-raid.ts) finds out, without writing anything, which of them keep nothing dead.
 */
import { OK, OUT_OF_SPACE } from '../../base/result.js';
import type { StorageLog } from '../device/storage-error.js';
import * as ST from '../engine.js';
import type { PrimaryIndex } from '../index/primary-index.js';
import {
  FLAG_CLOCK,
  FLAG_TOMBSTONE,
  MARKER_ROOM,
  MARKER_SIZE,
  REC_BINS_AT,
  REC_DIGEST_AT,
  REC_FLAGS_SET_GEN,
  REC_KEY_SIZE,
  REC_LUT_SEQ_HIGH,
  REC_SEQ_LOW,
  REC_VOID_TIME,
  RECORD_ALIGN,
  readOrigin,
  writeOrigin,
} from '../record/flat-record.js';
import { type BlockTable, STORED } from '../write-block/block-table.js';
import type { BlockWriter } from '../write-block/block-writer.js';
import type { ResidentBlocks } from '../write-block/resident-blocks.js';
import type { ShardExtent } from '../write-block/shard-extent.js';
import type { DefragLimits } from '../write-block/writer-limits.js';
import type { MarkerRaid } from './marker-raid.js';
import { LEVEL_COUNT } from './occupancy.js';
import { ScanAhead } from './scan-ahead.js';

const NONE = -1;
const IDLE = 0;
const READING = 1;
const MOVING = 2;

/** What `ShardExtent.read` is given for the read of a victim; reads of records have arguments from 0 on. */
export const DEFRAG_READ = -1;

/** Blocks wait until clients have written nothing for so long, while so much is free ... */
const QUIET_MS = 250;
const ROOMY_FREE_PCT = 50;
/** ... and the blocks in use are no more than so many times those that live records would fill ... */
const ROOMY_PER_LIVE = 3;
/** ... or than so many, and this share of all: of few records all blocks are soon empty. */
const ROOMY_BLOCKS = 8;
const ROOMY_SHARE = 0.25;
/** Below this share of free blocks, or this much above stop-writes-avail-pct, defrag hurries. */
const URGENT_FREE_PCT = 7;
const URGENT_ABOVE_STOP_PCT = 2;
/** As free blocks come down to stop-writes-avail-pct, within this range above it, fuller blocks are taken ... */
const STOP_RANGE_PCT = [0.1, 0.6] as const;
/** ... so much fuller than defrag-lwm-pct at most; they cost much and give little. */
const LWM_RISE_MAX_PCT = 20;
/** As the last free blocks go, this share of all of them and no fewer than this, blocks up to this fill are taken. */
const LAST_FREE_PCT = 2;
const LAST_FREE_MIN = 1.5; // blocks
const FULLEST_PCT = 99;
/**
 * Bytes looked through in one go, besides what keeping step with the clients takes. A worker has eight shards or
 * more, and commands wait for all of them: moving 128 KiB of 1 KiB records takes about 0.1 ms.
 */
const STEP_SIZE = 128 * 1024;
const STEP_SIZE_MAX = 16 * 1024 * 1024;
/** Blocks that were not emptied in time, as far back as this, are caught up on. */
const CATCH_UP_MS = 20;
/** Oldest blocks are moved while needed markers take up more than this share of all blocks. */
const MARKER_SHARE_MAX = 0.05;
/** How many blocks that are being given up may lie before the oldest one. */
const OLDEST_LOOK_MAX = 64;
/** A block that could not be read or emptied is left alone for this long. */
const SHUN_MS = 60_000;

export interface DefragOptions {
  extent: ShardExtent;
  table: BlockTable;
  writer: BlockWriter;
  index: PrimaryIndex;
  counters: Float64Array;
  /** Read anew for each block. */
  limits: DefragLimits;
  /** Where the blocks lie in memory, if they do. */
  resident: ResidentBlocks | null;
  /** What it has found out of markers counts here. */
  raid: MarkerRaid;
  log: StorageLog;
}

export class Defrag {
  readonly #o: DefragOptions;
  readonly #scan: ScanAhead;
  #state = IDLE;
  #victim = NONE;
  #bufferAt = 0;
  #ownsBuffer = false;
  /** The record that the scan stands at could not be moved yet. */
  #isPending = false;
  /** Nothing can be moved before something that is on its way to the device is durable. */
  #isBlocked = false;
  #hasNoSpace = false;
  #nowMs = 0;
  #nextAtMs = 0;
  #clientBytes = 0;
  /** When clients were last seen to have written. */
  #clientsAtMs = Number.NEGATIVE_INFINITY;
  #turn = 0;
  readonly #shunned: { block: number; writeId: number; untilMs: number }[] = [];
  /** Goes on without sleeping: for a start that needs room. */
  isHurried = false;
  /** Whether `work` would do something now; asked before a thread goes to sleep. */
  isReady = false;

  constructor(options: DefragOptions) {
    this.#o = options;
    this.#scan = new ScanAhead(options.extent.io.buffers, options.index);
  }

  /** Blocks that are filled less than defrag-lwm-pct, unless they are left to become empty by themselves. */
  get queueLength(): number {
    if (this.#isLeftAlone) return 0;
    return this.#o.writer.occupancy.countBelow(levelOf(this.#o.limits.defragLwmPct));
  }

  /** Whether free blocks are to be expected although none are left. */
  get canMakeRoom(): boolean {
    if (this.#hasNoSpace || this.#o.limits.defragLwmPct === 0) return false;
    return this.#victim !== NONE || this.#o.writer.occupancy.emptiest(this.#level()) !== NONE;
  }

  /** Whether another block for clients would stop writes although more room is to come. */
  get isOutrun(): boolean {
    const { stopWritesAvailPct } = this.#o.limits;
    if (stopWritesAvailPct === 0 || this.#freePct >= stopWritesAvailPct + STOP_RANGE_PCT[0]) return false;
    return this.canMakeRoom;
  }

  /** Whether it is at work on a block, or will be once its time has come. */
  get isBusy(): boolean {
    const { defragLwmPct, defragQueueMin } = this.#o.limits;
    if (this.#state !== IDLE) return true;
    if (defragLwmPct === 0) return false;
    return this.#isUrgent ? this.canMakeRoom : this.queueLength > defragQueueMin;
  }

  get isReading(): boolean {
    return this.#state === READING;
  }

  /** Something has become durable. */
  wake(): void {
    this.#isBlocked = false;
    this.isReady = this.#state === MOVING || (this.#state === IDLE && this.#isUrgent);
  }

  /** Does a bounded piece of work. */
  work(nowMs: number): void {
    this.#nowMs = nowMs;
    this.#isBlocked = false;
    this.#hasNoSpace = false;
    let size = this.#stepSize();
    while (size > 0) {
      if (this.#state === IDLE && !this.#begin()) break;
      if (this.#state !== MOVING) break;
      size -= this.#move(size);
      if (this.#isBlocked) break;
    }
    this.isReady = size <= 0;
  }

  /** The victim has been read. */
  onRead(result: number): void {
    const { extent, counters, log } = this.#o;
    if (result === extent.blockSize) {
      extent.cipher?.decryptBlock(extent.io.buffers, this.#bufferAt, extent.blockSize);
      this.#startMoving();
      return;
    }
    counters[ST.ST_READ_ERRORS]!++;
    const reason = result < 0 ? `error ${-result}` : 'short read';
    log.critical(
      `${extent.path}: the block at ${extent.offsetOf(this.#victim)} cannot be read (${reason}); its records stay there`,
    );
    const victim = this.#victim;
    this.#release();
    this.#end();
    if (this.#o.table.used[victim] === 0 && this.#o.table.markers[victim] === 0)
      this.#o.writer.emptied(victim);
    else this.#shun(victim);
  }

  /** Frees what it holds; for a shard that closes. Nothing may be being read. */
  stop(): void {
    if (this.#state !== IDLE) this.#release();
    this.#end();
    this.isReady = false;
  }

  get #isUrgent(): boolean {
    if (this.#o.limits.defragLwmPct === 0) return false;
    if (this.isHurried || this.#lastNeed > 0) return true;
    return (
      this.#freePct < Math.max(URGENT_FREE_PCT, this.#o.limits.stopWritesAvailPct + URGENT_ABOVE_STOP_PCT)
    );
  }

  get #freePct(): number {
    const { extent, writer } = this.#o;
    return (writer.availableBytes / (extent.blockCount * extent.blockSize)) * 100;
  }

  /** Whether blocks are left to become empty by themselves: see above. */
  get #isLeftAlone(): boolean {
    if (this.#nowMs - this.#clientsAtMs >= QUIET_MS) return false;
    if (this.isHurried || this.#freePct < ROOMY_FREE_PCT) return false;
    const { extent, writer, counters } = this.#o;
    const { blockCount, blockSize } = extent;
    const liveCount = counters[ST.ST_USED_BYTES]! / blockSize;
    const few = Math.min(ROOMY_BLOCKS, blockCount * ROOMY_SHARE);
    return blockCount - writer.soonFreeCount <= Math.max(few, liveCount * ROOMY_PER_LIVE);
  }

  /** 0 while there are more blocks than the last ones that clients may use, 1 when they are gone. */
  get #lastNeed(): number {
    const { extent, writer } = this.#o;
    const last = Math.max(LAST_FREE_MIN, (extent.blockCount * LAST_FREE_PCT) / 100);
    return share(writer.supply.spareCount + last - writer.roomForClients / extent.blockSize, last);
  }

  /** Blocks below this level are emptied now. */
  #level(): number {
    const { defragLwmPct: lwm, stopWritesAvailPct } = this.#o.limits;
    if (this.#isLeftAlone) return 0;
    if (lwm === 0 || lwm >= FULLEST_PCT) return levelOf(lwm);
    const [from, to] = STOP_RANGE_PCT;
    const stopNeed = stopWritesAvailPct === 0 ? 0 : share(stopWritesAvailPct + to - this.#freePct, to - from);
    const lastNeed = this.#lastNeed;
    const forStop = Math.min(FULLEST_PCT, lwm + LWM_RISE_MAX_PCT * stopNeed * stopNeed);
    return levelOf(Math.max(forStop, lwm + (FULLEST_PCT - lwm) * lastNeed * lastNeed));
  }

  #stepSize(): number {
    const appended = this.#o.counters[ST.ST_CLIENT_BYTES]!;
    const size = appended - this.#clientBytes;
    this.#clientBytes = appended;
    if (size > 0) this.#clientsAtMs = this.#nowMs;
    if (!this.#isUrgent) return STEP_SIZE;
    // A block that is filled to the level gives that much less room than it has to be looked through.
    const gain = Math.max(1 - FULLEST_PCT / 100, 1 - this.#level() / LEVEL_COUNT);
    return Math.min(STEP_SIZE_MAX, STEP_SIZE + (1.25 * size) / gain);
  }

  /** Takes the next block if there is one and it is time. */
  #begin(): boolean {
    const { writer, limits, table, extent, counters, resident } = this.#o;
    if (limits.defragLwmPct === 0) return false;
    this.#forgive();
    if (!this.#isUrgent) {
      if (this.#nowMs < this.#nextAtMs) return false;
      if (this.queueLength < limits.defragQueueMin) return false;
    }
    const victim = this.#pick();
    if (victim === NONE) return false;
    this.#nextAtMs = Math.max(this.#nextAtMs, this.#nowMs - CATCH_UP_MS) + limits.defragSleepMs;
    this.#victim = victim;
    const cachedAt = table.bufferAt[victim]!;
    this.#ownsBuffer = cachedAt < 0;
    this.#bufferAt = cachedAt < 0 ? writer.cache.take() : cachedAt;
    if (this.#bufferAt < 0) {
      this.#end();
      return false;
    }
    writer.cache.held = victim;
    if (resident !== null && this.#ownsBuffer) {
      resident.copyTo(victim, extent.io.buffers.u8, this.#bufferAt);
      this.#startMoving();
    } else if (!this.#ownsBuffer) {
      this.#startMoving();
    } else if (extent.read(DEFRAG_READ, victim, 0, extent.blockSize, this.#bufferAt)) {
      this.#state = READING;
    } else {
      this.#release();
      this.#end();
      return false;
    }
    counters[ST.ST_DEFRAG_READS]!++;
    return true;
  }

  #pick(): number {
    const { writer, table, extent } = this.#o;
    const emptiest = writer.occupancy.emptiest(this.#level());
    const markerMax = extent.blockCount * extent.blockSize * MARKER_SHARE_MAX;
    if (table.markerCount * MARKER_ROOM <= markerMax) return emptiest;
    if (emptiest !== NONE && this.#turn++ % 4 !== 0) return emptiest;
    const oldest = table.oldestStored(OLDEST_LOOK_MAX);
    if (oldest === NONE || !writer.occupancy.has(oldest)) return emptiest;
    return table.writeIds[oldest]! <= table.highestOrigin() ? oldest : emptiest;
  }

  #startMoving(): void {
    const { extent, table } = this.#o;
    this.#state = MOVING;
    this.#isPending = false;
    this.#scan.start(this.#bufferAt, extent.blockSize, table.stamps[this.#victim]!);
    this.isReady = true;
  }

  /** Moves records until `sizeMax` bytes were looked through, more or less. @returns How many it were. */
  #move(sizeMax: number): number {
    const scan = this.#scan;
    const from = scan.offset;
    for (;;) {
      if (!this.#isPending && !scan.next()) {
        this.#finish();
        return this.#o.extent.blockSize - from;
      }
      const result = this.#take(scan.recordAt, scan.offset, scan.size, scan.near);
      this.#isPending = result !== OK;
      if (result !== OK) {
        this.#isBlocked = true;
        this.#hasNoSpace = result === OUT_OF_SPACE;
      }
      const size = scan.offset + scan.size - from;
      if (result !== OK || size >= sizeMax) return size;
    }
  }

  /**
   * Looks after one record of the victim.
   * @param near As of PrimaryIndex.findNear.
   * @returns OK, or why it cannot be moved now.
   */
  #take(at: number, offset: number, size: number, near: number): number {
    const { index, table, extent, raid } = this.#o;
    const { u8, u32 } = extent.io.buffers;
    const w = at >>> 2;
    if ((u32[w + REC_FLAGS_SET_GEN]! & FLAG_CLOCK) !== 0) return OK; // there is a later one, or this block stays
    const entry = index.findNear(u8, at + REC_DIGEST_AT, near);
    if (entry >= 0) {
      const location = (this.#victim * extent.blockSize + offset) / RECORD_ALIGN;
      if (index.size(entry) !== size || index.location(entry) !== location) return OK;
      const sequence = (u32[w + REC_LUT_SEQ_HIGH]! >>> 16) * 2 ** 32 + u32[w + REC_SEQ_LOW]!;
      return index.sequence(entry) === sequence ? this.#moveRecord(entry, at, size) : OK;
    }
    if (table.markers[this.#victim] === 0) return OK;
    if (raid.isUnneeded(at)) return OK;
    if ((u32[w + REC_FLAGS_SET_GEN]! & FLAG_TOMBSTONE) === 0) {
      return u32[w + REC_VOID_TIME] === 0 ? OK : this.#moveMarker(at, table.lastWriteId);
    }
    const origin = readOrigin(u32, at) || table.writeIds[this.#victim]!;
    return origin < table.lowestWithout(this.#victim) ? OK : this.#moveMarker(at, origin);
  }

  #moveRecord(entry: number, at: number, size: number): number {
    const { writer, table, index, extent } = this.#o;
    const result = writer.reserveForMove(size);
    if (result !== OK) return result;
    extent.io.buffers.u8.copyWithin(writer.reservedForMoveAt, at, at + size);
    const location = writer.appendMoved();
    const room = (size + RECORD_ALIGN - 1) & -RECORD_ALIGN;
    table.used[this.#victim]! -= room;
    table.used[Math.floor((location * RECORD_ALIGN) / extent.blockSize)]! += room;
    index.setLocation(entry, location);
    return OK;
  }

  /** Appends a marker with the digest, sequence and times of the record at `at`. */
  #moveMarker(at: number, origin: number): number {
    const { writer, extent } = this.#o;
    const result = writer.reserveForMove(MARKER_SIZE);
    if (result !== OK) return result;
    const { u8, u32 } = extent.io.buffers;
    const to = writer.reservedForMoveAt;
    const w = to >>> 2;
    u8.copyWithin(to, at, at + MARKER_SIZE);
    u32[w + REC_BINS_AT] = MARKER_SIZE;
    u32[w + REC_FLAGS_SET_GEN] = (u32[w + REC_FLAGS_SET_GEN]! & 0xffff0000) | FLAG_TOMBSTONE;
    u32[w + REC_KEY_SIZE] = 0;
    writeOrigin(u32, to, origin);
    const location = writer.appendMoved();
    writer.addMarker(Math.floor((location * RECORD_ALIGN) / extent.blockSize), origin);
    return OK;
  }

  /** All of the victim was looked through. */
  #finish(): void {
    const { table, writer, extent, log, counters } = this.#o;
    const victim = this.#victim;
    this.#release();
    this.#end();
    table.clearMarkers(victim);
    if (table.used[victim] === 0) {
      writer.emptied(victim);
      return;
    }
    counters[ST.ST_CHECKSUM_ERRORS]! += this.#scan.damaged;
    log.critical(
      `${extent.path}: ${table.used[victim]} bytes of records in the block at ${extent.offsetOf(victim)} are damaged; they stay there`,
    );
    this.#shun(victim);
  }

  #release(): void {
    this.#o.writer.cache.held = NONE;
    if (this.#ownsBuffer) this.#o.extent.io.pool.give(this.#bufferAt);
  }

  #end(): void {
    this.#victim = NONE;
    this.#state = IDLE;
  }

  /** Leaves a block alone for a while. */
  #shun(block: number): void {
    const { writer, table } = this.#o;
    writer.occupancy.remove(block);
    const writeId = table.writeIds[block]!;
    this.#shunned.push({ block, writeId, untilMs: this.#nowMs + SHUN_MS });
  }

  #forgive(): void {
    const first = this.#shunned[0];
    if (first === undefined || first.untilMs > this.#nowMs) return;
    this.#shunned.shift();
    const { table, writer } = this.#o;
    if (table.states[first.block] !== STORED || table.writeIds[first.block] !== first.writeId) return;
    writer.occupancy.add(first.block);
  }
}

/** `part` of `whole`, no less than 0 and no more than 1. */
function share(part: number, whole: number): number {
  return Math.min(1, Math.max(0, part / whole));
}

function levelOf(pct: number): number {
  return Math.floor((pct * LEVEL_COUNT) / 100);
}
