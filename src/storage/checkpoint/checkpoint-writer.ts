/**
 * Writes checkpoints of a shard's index while the shard serves, a little in each tick.
 *
 * A checkpoint is fuzzy: partitions are copied at different moments. What makes it whole is what a start reads
 * besides it. At its begin it notes the last write id given out and how far the open blocks were filled. Whatever
 * is appended later lies behind that: in a block with a higher write id, or in one of those open blocks behind the
 * place noted. A start reads all of that, and of each digest the highest write sequence counts, as ever.
 *
 *   copy entries ▶ copy tables ▶ wait until all appends made by then, and all pieces, are durable ▶ header ▶ flush
 *
 * Entries point to records: so the header, which makes a checkpoint valid, waits until every append made before the
 * end of the copy is durable. Markers are copied after the entries: a record that expired while entries were
 * copied is in the copy or among the markers, or both, never in neither.
 *
 * Why an entry of a checkpoint is never taken for a record that is not there any more: checkpoint-reader.ts.
 *
 * Whatever fails costs the checkpoint and nothing else: the one before is in the other file.
 */
import { epochMs, monotonicMs } from '../../base/clock.js';
import type { StreamCipher } from '../cipher/stream-cipher.js';
import type { StorageLog } from '../device/storage-error.js';
import * as ST from '../engine.js';
import { ENTRY_SIZE } from '../index/entry.js';
import { IndexCursor, type PrimaryIndex } from '../index/primary-index.js';
import type { IoQueue } from '../io/io-queue.js';
import type { SetTable } from '../record/set-table.js';
import type { BlockOwner } from '../write-block/block-format.js';
import type { BlockTable } from '../write-block/block-table.js';
import type { BlockWriter } from '../write-block/block-writer.js';
import type { CheckpointFile } from './checkpoint-file.js';
import * as F from './checkpoint-format.js';

/** Entries copied between two looks at the clock. */
const STEP_ENTRIES = 128;
/** Pieces in memory: one is filled while the other is on its way. */
const BUFFER_COUNT = 2;
/** After a failure the next attempt waits this long. */
const RETRY_MS = 60_000;
const WAIT_MS = 50;
/** Numbers of one start of the device set: more than it can write. */
const NUMBERS_PER_START = 2 ** 20;
/** What reading a record back takes beside its bytes, as bytes read in the same time. */
const RECORD_COST = 1024;
/** A checkpoint is due when reading back what was written since the last takes as long as reading this much, at least. */
const COST_MIN = 32 * 1024 * 1024;
/** … and as this many times the bytes of the index: 10 million records are then back within three seconds. */
const COST_PER_INDEX_BYTE = 8;

// What it is doing.
const IDLE = 0;
const ENTRIES = 1;
const TABLES = 2;
const DURABLE = 3; // waits for appends and pieces
const HEADER = 4; // waits for the header

/** What the writer asks of the engine whose index it copies. */
export interface CheckpointSource {
  readonly owner: BlockOwner;
  readonly index: PrimaryIndex;
  readonly table: BlockTable;
  readonly sets: SetTable;
  readonly treeIds: Uint32Array;
  readonly counters: Float64Array;
  /** Of an encrypted device set. */
  readonly cipher: StreamCipher | null;
  /** Whatever it appends is in the index when `start` or `step` is called next. */
  readonly writer: BlockWriter;
}

export class CheckpointWriter {
  readonly #source: CheckpointSource;
  readonly #io: IoQueue;
  readonly #files: readonly CheckpointFile[];
  readonly #log: StorageLog;
  #state = IDLE;
  #file: CheckpointFile;
  /** The file with the newest whole checkpoint, if any. */
  #newest: CheckpointFile | undefined;
  #count = 0;
  readonly #freeBuffers: number[] = [];
  #bufferCount = 0;
  // The piece being filled; `#size` bytes of contents so far.
  #bufferAt = -1;
  #kind = 0;
  #size = 0;
  #cursor = new IndexCursor();
  #tableRow = 0;
  #header!: F.CheckpointHeader;
  #bytes = 0;
  /** Appends up to this one are in the copy, or behind it. */
  #appendedNumber = 0;
  #retryAtMs = 0;
  #isFailing = false;
  /** As of the newest checkpoint's begin; whatever was replayed at the start counts as appended before. */
  #sinceWriteId = 0;
  #sinceAppend = 0;
  /** Nothing was written since the newest checkpoint began, or there is nothing at all. */
  #isCurrent = false;

  constructor(source: CheckpointSource, io: IoQueue, files: readonly CheckpointFile[], log: StorageLog) {
    this.#source = source;
    this.#io = io;
    this.#files = files;
    this.#file = files[0]!;
    this.#log = log;
  }

  /**
   * After the start, once.
   * @param newest The file that the shard was loaded from; the other is written first. Undefined: there is none.
   * @param blocks  Blocks that the start read.
   * @param records Records that it found in them.
   */
  begin(newest: CheckpointFile | undefined, blocks: number, records: number): void {
    for (const file of this.#files) file.onBuffer = at => this.#freeBuffers.push(at);
    this.#newest = newest;
    this.#sinceWriteId = this.#source.table.lastWriteId - blocks;
    this.#sinceAppend = -records;
    this.#isCurrent = newest !== undefined && records === 0;
  }

  get isActive(): boolean {
    return this.#state !== IDLE;
  }

  /** How long a start would take to read back what was written since the last checkpoint, as bytes read. */
  get #cost(): number {
    const { table, writer, owner } = this.#source;
    const blocks = table.lastWriteId - this.#sinceWriteId;
    return blocks * owner.writeBlockSize + (writer.appendedNumber - this.#sinceAppend) * RECORD_COST;
  }

  get #costMax(): number {
    return Math.max(COST_MIN, this.#source.index.usedBytes * COST_PER_INDEX_BYTE);
  }

  /** Whether enough was written since the last one to begin another. */
  isDue(nowMs: number): boolean {
    return this.#state === IDLE && nowMs >= this.#retryAtMs && this.#cost >= this.#costMax;
  }

  /** Begins a checkpoint. @returns false when there is no memory for it now. */
  start(): boolean {
    const { owner, table, treeIds, writer } = this.#source;
    const file = this.#newest === this.#files[0] ? this.#files[1]! : this.#files[0]!;
    if (!file.isQuiet || !this.#takeBuffers()) return false;
    this.#file = file;
    file.begin();
    this.#header = {
      shard: owner.shard,
      setId: owner.setId,
      writeBlockSize: owner.writeBlockSize,
      blockCount: table.blockCount,
      startCount: owner.startCount,
      number: owner.startCount * NUMBERS_PER_START + this.#count++,
      lastWriteId: table.lastWriteId,
      sequence: 0,
      clockMs: 0,
      clockBlock: -1,
      begunMs: epochMs(),
      entryPieces: 0,
      pieces: 0,
      entries: 0,
      openBlocks: writer.openBlocks(),
    };
    this.#treeIds = treeIds.slice();
    this.#begunAppend = writer.appendedNumber;
    this.#cursor = new IndexCursor();
    this.#bytes = F.HEADER_SIZE;
    this.#state = ENTRIES;
    return true;
  }
  #treeIds = new Uint32Array(0);
  #begunAppend = 0;

  /** Goes on for about `budgetMs`; more when writes come faster than it gets on. */
  step(budgetMs: number): void {
    if (this.#state === IDLE) return;
    const lag = Math.min(4, Math.max(1, this.#cost / this.#costMax));
    this.#goOn(monotonicMs() + budgetMs * lag);
  }

  /**
   * Writes a checkpoint of what there is now and waits for it, unless the newest one has everything. For the end:
   * nothing may be appended meanwhile.
   */
  writeNow(): void {
    const { index, writer } = this.#source;
    const isEmpty = index.count === 0 && writer.appendedNumber === 0 && this.#newest === undefined;
    this.#giveUp();
    if (isEmpty || (this.#isCurrent && writer.appendedNumber === this.#sinceAppend)) return;
    for (const file of this.#files) {
      while (!file.isQuiet) this.#io.drainOrWait(WAIT_MS);
      file.flushesEach = false;
    }
    if (!this.start()) return;
    while (this.#state !== IDLE) {
      this.#goOn(Number.POSITIVE_INFINITY);
      if (this.#state !== IDLE) this.#io.drainOrWait(WAIT_MS);
    }
  }

  close(): void {
    this.#giveUp();
    for (const file of this.#files) {
      while (!file.isQuiet) this.#io.drainOrWait(WAIT_MS);
      file.close();
    }
  }

  #goOn(untilMs: number): void {
    if (this.#file.problem !== '') {
      this.#fail(this.#file.problem);
      return;
    }
    if (this.#state === ENTRIES) this.#copyEntries(untilMs);
    if (this.#state === TABLES) this.#copyTables();
    if (this.#state === DURABLE) this.#awaitDurable();
    else if (this.#state === HEADER) this.#awaitHeader();
  }

  #copyEntries(untilMs: number): void {
    const { counters, index, table, writer } = this.#source;
    const { i32 } = this.#io.buffers;
    for (;;) {
      if (!this.#openPiece(F.KIND_ENTRIES)) return;
      const room = F.ENTRIES_PER_PIECE - this.#size / ENTRY_SIZE;
      const want = Math.min(STEP_ENTRIES, room);
      const w = (this.#bufferAt + F.PIECE_HEADER_SIZE + this.#size) >>> 2;
      const count = index.copyEntries(this.#cursor, i32, w, want);
      this.#size += count * ENTRY_SIZE;
      this.#header.entries += count;
      const isEnd = count < want;
      if (isEnd || count === room) this.#endPiece();
      if (isEnd) {
        // Everything below is as of this moment: later than every entry that was copied.
        this.#header.entryPieces = this.#header.pieces;
        this.#header.sequence = table.sequence;
        this.#header.clockMs = counters[ST.ST_STORED_CLOCK]!;
        this.#header.clockBlock = writer.newest;
        this.#appendedNumber = writer.appendedNumber;
        this.#tableRow = 0;
        this.#tableKind = F.KIND_BLOCKS;
        this.#state = TABLES;
        return;
      }
      if (monotonicMs() >= untilMs) return;
    }
  }
  #tableKind = F.KIND_BLOCKS;

  /** Blocks, sets and tree ids: short, but for very large shards, so that a piece of them is copied in one go. */
  #copyTables(): void {
    const { table, sets } = this.#source;
    const { u32, f64, u8 } = this.#io.buffers;
    for (;;) {
      const kind = this.#tableKind;
      const rowSize = ROW_SIZES.get(kind)!;
      const rows =
        kind === F.KIND_BLOCKS ? table.blockCount : kind === F.KIND_SETS ? sets.count : this.#treeIds.length;
      while (this.#tableRow < rows) {
        if (!this.#openPiece(kind)) return;
        const at = this.#bufferAt + F.PIECE_HEADER_SIZE + this.#size;
        const row = this.#tableRow++;
        if (kind === F.KIND_BLOCKS) {
          f64[at / 8] = table.writeIds[row]!;
          f64[at / 8 + 1] = table.origins[row]!;
          u32[(at >>> 2) + 4] = table.markers[row]!;
          u32[(at >>> 2) + 5] = 0;
        } else if (kind === F.KIND_SETS) {
          u8[at] = sets.nameSize(row + 1);
          sets.nameTo(row + 1, u8, at + 1);
        } else {
          u32[at >>> 2] = this.#treeIds[row]!;
        }
        this.#size += rowSize;
        if (this.#size + rowSize > F.PIECE_SIZE - F.PIECE_HEADER_SIZE) this.#endPiece();
      }
      this.#endPiece();
      this.#tableRow = 0;
      if (kind === F.KIND_TREE_IDS) break;
      this.#tableKind = kind + 1;
    }
    this.#state = DURABLE;
    this.#source.writer.flushOpen();
  }

  #awaitDurable(): void {
    const file = this.#file;
    if (this.#source.writer.durableNumber < this.#appendedNumber || !file.isQuiet) return;
    if (!this.#isFlushed) {
      this.#isFlushed = true;
      file.flush();
      return;
    }
    const bufferAt = this.#freeBuffers.pop();
    if (bufferAt === undefined) return;
    F.encodeHeader(this.#io.buffers, bufferAt, this.#header);
    file.flushesEach = true;
    file.write(0, F.HEADER_SIZE, bufferAt);
    this.#state = HEADER;
  }
  #isFlushed = false;

  #awaitHeader(): void {
    if (!this.#file.isDurable) return;
    const { counters } = this.#source;
    this.#newest = this.#file;
    this.#sinceWriteId = this.#header.lastWriteId;
    this.#sinceAppend = this.#begunAppend;
    this.#isCurrent = true;
    if (this.#isFailing) this.#log.info(`${this.#file.path}: checkpoints are written again`);
    this.#isFailing = false;
    counters[ST.ST_CHECKPOINTS]!++;
    counters[ST.ST_CHECKPOINT_AT_MS] = this.#header.begunMs;
    counters[ST.ST_CHECKPOINT_BYTES] = this.#bytes;
    this.#giveUp();
  }

  /** Sees to it that a piece of `kind` is being filled. @returns false when both buffers are on their way. */
  #openPiece(kind: number): boolean {
    if (this.#bufferAt >= 0) return true;
    const bufferAt = this.#freeBuffers.pop();
    if (bufferAt === undefined) return false;
    this.#bufferAt = bufferAt;
    this.#kind = kind;
    this.#size = 0;
    return true;
  }

  #endPiece(): void {
    if (this.#bufferAt < 0) return;
    const place = this.#header.pieces++;
    const { number } = this.#header;
    const { cipher } = this.#source;
    const length = F.sealPiece(
      this.#io.buffers,
      this.#bufferAt,
      this.#kind,
      place,
      this.#size,
      number,
      cipher,
    );
    this.#file.write(F.pieceOffset(place), length, this.#bufferAt);
    this.#bytes += length;
    this.#bufferAt = -1;
    this.#isFlushed = false;
  }

  #takeBuffers(): boolean {
    while (this.#bufferCount < BUFFER_COUNT) {
      const at = this.#io.pool.take(F.PIECE_SIZE);
      if (at < 0) {
        this.#giveBuffers();
        return false;
      }
      this.#bufferCount++;
      this.#freeBuffers.push(at);
    }
    return true;
  }

  /** Those on their way come back later, and are given back by the next call. */
  #giveBuffers(): void {
    for (const at of this.#freeBuffers.splice(0)) {
      this.#io.pool.give(at);
      this.#bufferCount--;
    }
  }

  #fail(reason: string): void {
    const { counters } = this.#source;
    counters[ST.ST_CHECKPOINT_ERRORS]!++;
    if (!this.#isFailing) {
      this.#isFailing = true; // one line until one succeeds again: the counter has the rest
      this.#log.warning(
        `${this.#file.path}: no checkpoint could be written (${reason}); the one before stays, a start has more to read; tried again every ${RETRY_MS / 1000} s`,
      );
    }
    this.#retryAtMs = monotonicMs() + RETRY_MS;
    this.#giveUp();
  }

  #giveUp(): void {
    if (this.#bufferAt >= 0) this.#freeBuffers.push(this.#bufferAt);
    this.#bufferAt = -1;
    this.#state = IDLE;
    this.#giveBuffers();
  }
}

const ROW_SIZES: ReadonlyMap<number, number> = new Map([
  [F.KIND_BLOCKS, F.BLOCK_ROW_SIZE],
  [F.KIND_SETS, F.SET_ROW_SIZE],
  [F.KIND_TREE_IDS, 4],
]);
