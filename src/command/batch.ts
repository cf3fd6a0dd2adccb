/**
 * Batches on the main thread: checks the rows, groups them by worker into ring frames, follows the groups
 * until every row has ended, and sends the trailer. Small ones of short rows are executed here, or by any worker, as a
 * whole (shard/batch-in-place.ts). Source: protocol 03.
 *
 * A batch has a window of groups under way, and each group a credit of response bytes, so that a client that
 * reads slowly stops its own batch and nothing else. A group whose credit is used up comes back with the
 * number of rows it had begun; the rest is sent again when the client has read.
 */
import assert from 'node:assert';
import { monotonicMs } from '../base/clock.js';
import { partitionOf } from '../base/digest.js';
import { BATCH_DISABLED, BATCH_MAX_REQUESTS, BATCH_QUEUES_FULL, OK, PARAMETER } from '../base/result.js';
import { ProgramCache } from '../expression/program-cache.js';
import type { Histogram } from '../observe/histogram.js';
import {
  BATCH_INDEX_COMPLETE,
  BATCH_INDEX_ERROR,
  BATCH_INDEX_INITIATE,
} from '../observe/service-counters.js';
import {
  GROUP_HAS_FILTER,
  GROUP_REPORT_ERROR_ROW,
  GROUP_RESPOND_ALL,
  ROW_DIGEST_AT,
  ROW_PREFIX_SIZE,
} from '../shard/batch-group.js';
import { BatchInPlace, IN_PLACE_ROWS_MAX } from '../shard/batch-in-place.js';
import { LEFT_FLAGS, LEFT_INFO3, LEFT_NUMBERS, LEFT_ROWS_SIZE } from '../shard/batch-worker.js';
import { Dispatch, type WorkerClient } from '../shard/client.js';
import { Request, ROW_REPEAT } from '../shard/command/request.js';
import {
  COMP_ARRIVAL,
  COMP_CODE_NAMESPACE,
  COMP_CONNECTION_GENERATION,
  COMP_ENDED,
  COMP_KIND,
  COMP_NUMBER,
  COMP_ROWS,
  COMP_SIZE,
  COMP_SLOT,
  COMPLETION_PAUSED,
  INLINE_SIZE_MAX,
  KIND_BATCH,
  KIND_BATCH_GROUP,
  kindOf,
} from '../shard/frame.js';
import type { InPlace } from '../shard/in-place.js';
import type { Routes } from '../shard/routes.js';
import { TRAILER_SIZE, writeTrailer } from '../wire/batch.js';
import {
  FIELD_BATCH,
  FIELD_BATCH_WITH_SET,
  FIELD_FILTER,
  INFO1_COMPRESS_RESPONSE,
  MSG_FIELD_COUNT,
  MSG_HEADER_SIZE,
  MSG_INFO1,
  MSG_INFO3,
  MSG_TIMEOUT,
  readU16,
  readU32,
} from '../wire/message.js';
import { BatchRun, GroupFrames, NO_FILTER } from './batch-run.js';
import type { BatchShare } from './batch-share.js';
import { ANSWERED, type AnswerSink, type ClientRef, DISPATCHED } from './client-ref.js';

const FLAG_RESPOND_ALL = 0x04;
const FLAG_REPORT_ERROR_ROW = 0x08;
const DEFAULT_TIMEOUT_MS = 30_000;
/** Groups of a batch under way at once, and bytes that one may answer before it has to ask again. */
const WINDOW = 4;
const WINDOW_MAX = 8;
const CREDIT = 512 * 1024;
/** While this much of its answers is unread, a batch sends no more groups. */
const QUEUED_MAX = 1024 * 1024;
/** All frames of a batch together: a command that is repeated on many workers is copied for each. */
const FRAMES_SIZE_MAX = 512 * 1024 * 1024;

export interface BatchParts {
  readonly routes: Routes;
  readonly clients: readonly WorkerClient[];
  readonly sink: AnswerSink;
  readonly inPlace: InPlace;
  readonly share: BatchShare;
  readonly counters: Float64Array;
  readonly histogram: Histogram;
  /** Most rows in a batch, 0 = no limit. */
  readonly maxRequests: () => number;
  readonly isEnabled: () => boolean;
}

export class BatchDispatcher {
  readonly #parts: BatchParts;
  readonly #runs = new Map<number, BatchRun>();
  readonly #row = new Request();
  readonly #dispatch = new Dispatch();
  /** Of batches that are given to workers as a whole, and how many have not come back. */
  readonly #given = new Dispatch();
  #givenCount = 0;
  /** [row] of a batch that came back: 1 if it is left. */
  readonly #isLeft = new Uint8Array(IN_PLACE_ROWS_MAX);
  readonly #frames: GroupFrames;
  readonly #inPlace: BatchInPlace;
  /** What `#readRows` has ended with. */
  #readCode = OK;
  readonly #programs = new ProgramCache();
  readonly #trailer = new Uint8Array(TRAILER_SIZE);

  constructor(parts: BatchParts) {
    this.#parts = parts;
    this.#frames = new GroupFrames(parts.clients.length, INLINE_SIZE_MAX);
    this.#inPlace = new BatchInPlace(parts.routes, parts.inPlace);
    this.#dispatch.kind = KIND_BATCH_GROUP;
    this.#given.kind = KIND_BATCH;
  }

  /**
   * Starts a batch. The bytes are copied before this returns.
   * @returns DISPATCHED, ANSWERED, or a code to answer.
   */
  start(client: ClientRef, bytes: Uint8Array, at: number, size: number, nowMs: number): number {
    const { counters } = this.#parts;
    counters[BATCH_INDEX_INITIATE]! += 1;
    const end = at + size;
    let rowsAt = -1;
    let rowsEnd = 0;
    let filterAt = -1;
    let filterSize = 0;
    let p = at + MSG_HEADER_SIZE;
    for (let i = readU16(bytes, at + MSG_FIELD_COUNT); i > 0; i--) {
      if (p + 5 > end) return this.#refuse(PARAMETER);
      const fieldSize = readU32(bytes, p);
      if (fieldSize === 0 || fieldSize > end - p - 4) return this.#refuse(PARAMETER);
      const type = bytes[p + 4];
      if (type === FIELD_BATCH || type === FIELD_BATCH_WITH_SET) {
        rowsAt = p + 5;
        rowsEnd = p + 4 + fieldSize;
      } else if (type === FIELD_FILTER) {
        filterAt = p + 5;
        filterSize = fieldSize - 1;
      }
      p += 4 + fieldSize;
    }
    if (rowsAt < 0 || rowsEnd - rowsAt < 5) return this.#refuse(PARAMETER);
    if (!this.#parts.isEnabled()) return this.#refuse(BATCH_DISABLED);
    const count = readU32(bytes, rowsAt);
    const flags = bytes[rowsAt + 4]!;
    const max = this.#parts.maxRequests();
    if (count === 0) return this.#refuse(PARAMETER);
    if (max !== 0 && count > max) return this.#refuse(BATCH_MAX_REQUESTS);
    const hasFilter = filterAt >= 0;
    if (hasFilter && this.#programs.getFilter(bytes, filterAt, filterSize) === undefined) {
      return this.#refuse(PARAMETER);
    }

    const info3 = bytes[at + MSG_INFO3]!;
    const groupFlags =
      ((flags & FLAG_RESPOND_ALL) !== 0 ? GROUP_RESPOND_ALL : 0) |
      ((flags & FLAG_REPORT_ERROR_ROW) !== 0 ? GROUP_REPORT_ERROR_ROW : 0) |
      (hasFilter ? GROUP_HAS_FILTER : 0);
    const frames = this.#frames;
    const filter = hasFilter ? bytes.subarray(filterAt, filterAt + filterSize) : NO_FILTER;
    frames.begin(info3, groupFlags, filter, size);
    const mayRun =
      !hasFilter && count <= IN_PLACE_ROWS_MAX && (bytes[at + MSG_INFO1]! & INFO1_COMPRESS_RESPONSE) === 0;
    const isInPlace = mayRun && this.#inPlace.read(bytes, rowsAt + 5, rowsEnd, count, info3);
    const timeoutMs = readU32(bytes, at + MSG_TIMEOUT);
    const deadlineMs = nowMs + (timeoutMs !== 0 ? timeoutMs : DEFAULT_TIMEOUT_MS);
    let rowCount: number;
    if (isInPlace) {
      const rowsSize = rowsEnd - rowsAt - 5;
      if (this.#give(client, bytes, rowsAt + 5, rowsSize, count, info3, groupFlags, nowMs, deadlineMs))
        return DISPATCHED;
      rowCount = this.#runInPlace(client, bytes, flags, nowMs);
      if (rowCount === 0) return ANSWERED;
    } else {
      rowCount = this.#readRows(bytes, rowsAt + 5, rowsEnd, count, info3, null);
      if (frames.totalSize > FRAMES_SIZE_MAX) return this.#refuse(BATCH_QUEUES_FULL);
      if (rowCount === 0) return this.#refuse(this.#readCode);
    }
    const run = new BatchRun(client, nowMs, frames.finish(), rowCount);
    run.deadlineMs = deadlineMs;
    // A bad row ends the batch there: the rows before it are executed, but the answer is the trailer alone.
    run.code = isInPlace ? this.#inPlace.code : this.#readCode;
    run.isSilent = !isInPlace && run.code !== OK;
    this.#runs.set(client.slot, run);
    this.#pump(run);
    return DISPATCHED;
  }

  /** Gives a worker the batch that `#inPlace` has read, if it is to have it. @returns Whether it has. */
  #give(
    client: ClientRef,
    bytes: Uint8Array,
    rowsAt: number,
    rowsSize: number,
    rowCount: number,
    info3: number,
    groupFlags: number,
    nowMs: number,
    deadlineMs: number,
  ): boolean {
    if (!this.#inPlace.route.isMemory || rowsSize > INLINE_SIZE_MAX) return false;
    const worker = this.#parts.share.choose();
    if (worker === null) return false;
    const dispatch = this.#given;
    dispatch.connectionSlot = client.slot;
    dispatch.connectionGeneration = client.generation;
    dispatch.requestNumber = client.requestNumber;
    dispatch.digestAt = info3 | (groupFlags << 8);
    dispatch.arrivalMs = nowMs;
    dispatch.deadlineMs = deadlineMs;
    dispatch.rows = rowCount;
    if (!worker.giveBatch(dispatch, bytes, rowsAt, rowsSize)) return false;
    this.#givenCount++;
    return true;
  }

  /**
   * Takes the completion of a batch that a worker has executed, as `rows`: its answer, and what it says of rows that are
   * left, which go to their workers now.
   */
  executed(
    u32: Uint32Array,
    f64: Float64Array,
    c: number,
    bytes: Uint8Array,
    at: number,
    nowMs: number,
  ): boolean {
    const { sink, counters, histogram } = this.#parts;
    this.#givenCount--;
    const slot = u32[c + COMP_SLOT]!;
    const generation = u32[c + COMP_CONNECTION_GENERATION]!;
    const requestNumber = u32[c + COMP_NUMBER]!;
    const code = u32[c + COMP_CODE_NAMESPACE]!;
    const size = u32[c + COMP_SIZE]!;
    const leftCount = u32[c + COMP_ROWS]!;
    const arrivalMs = f64[(c + COMP_ARRIVAL) >>> 1]!;
    if (leftCount === 0) {
      counters[code === OK ? BATCH_INDEX_COMPLETE : BATCH_INDEX_ERROR]! += 1;
      histogram.record(nowMs - arrivalMs);
      sink.answer(slot, generation, requestNumber, bytes, at, size, true);
      return true;
    }
    if (!sink.awaits(slot, generation, requestNumber)) return true;
    if (size > 0) sink.answer(slot, generation, requestNumber, bytes, at, size, false);
    this.#readLeft(bytes, at + size, leftCount);
    const run = new BatchRun(
      { slot, generation, requestNumber },
      arrivalMs,
      this.#frames.finish(),
      leftCount,
    );
    run.deadlineMs = f64[(c + COMP_ENDED) >>> 1]!;
    run.code = code;
    this.#runs.set(slot, run);
    this.#pump(run);
    return false;
  }

  /** Reads the rows that are left of a batch into frames: batch-worker.ts says how they come. */
  #readLeft(bytes: Uint8Array, at: number, leftCount: number): void {
    const count = readU32(bytes, at);
    const size = readU32(bytes, at + LEFT_ROWS_SIZE);
    const info3 = bytes[at + LEFT_INFO3]!;
    const isLeft = this.#isLeft;
    isLeft.fill(0);
    const numbersAt = at + LEFT_NUMBERS;
    for (let i = 0; i < leftCount; i++) isLeft[readU16(bytes, numbersAt + i * 2)] = 1;
    const rowsAt = numbersAt + leftCount * 2;
    this.#frames.begin(info3, bytes[at + LEFT_FLAGS]!, NO_FILTER, size);
    const readCount = this.#readRows(bytes, rowsAt, rowsAt + size, count, info3, isLeft);
    assert(readCount === count, 'a worker gave back rows that are none');
  }

  /**
   * Reads rows into frames for their workers, up to a bad one: `#readCode` is its code then.
   * @param isWanted [row], 0: it is left out. null: none is.
   * @returns How many.
   */
  #readRows(
    bytes: Uint8Array,
    at: number,
    rowsEnd: number,
    count: number,
    info3: number,
    isWanted: Uint8Array | null,
  ): number {
    const { routes } = this.#parts;
    const frames = this.#frames;
    const row = this.#row;
    let templateAt = -1;
    let templateEnd = 0;
    let route = null;
    let p = at;
    this.#readCode = PARAMETER;
    for (let i = 0; i < count; i++) {
      if (p + ROW_PREFIX_SIZE + 1 > rowsEnd) return i;
      const rowAt = p;
      if ((bytes[p + ROW_PREFIX_SIZE]! & ROW_REPEAT) === 0) {
        templateAt = p + ROW_PREFIX_SIZE;
        if (row.parseRow(bytes, templateAt, rowsEnd, info3) !== OK) return i;
        templateEnd = row.endAt;
        p = templateEnd;
        route = row.namespaceAt < 0 ? null : routes.find(bytes, row.namespaceAt, row.namespaceSize);
      } else {
        if (templateAt < 0 || row.hasKey) return i;
        p += ROW_PREFIX_SIZE + 1;
      }
      if (route === null) return i;
      if (isWanted !== null && isWanted[i] === 0) continue;
      const worker = route.workerOf[partitionOf(bytes, rowAt + 4)]!;
      frames.addRow(worker, bytes, rowAt, templateAt, templateEnd);
      if (frames.totalSize > FRAMES_SIZE_MAX) return i;
    }
    this.#readCode = OK;
    return count;
  }

  /** Executes the rows that were read for it here and now. @returns Rows that are in frames for their workers instead. */
  #runInPlace(client: ClientRef, bytes: Uint8Array, flags: number, nowMs: number): number {
    const { sink, counters, histogram } = this.#parts;
    const { inPlace } = this.#inPlace;
    if (!inPlace.isHalfEmpty) {
      sink.flush();
      inPlace.clear();
    }
    const respondAll = (flags & FLAG_RESPOND_ALL) !== 0;
    const reportErrorRow = (flags & FLAG_REPORT_ERROR_ROW) !== 0;
    const left = this.#inPlace.run(bytes, respondAll, reportErrorRow);
    if (left > 0) this.#frameLeft(bytes);
    const durationMs = monotonicMs() - nowMs;
    let size = this.#inPlace.end(durationMs);
    const at = inPlace.answerAt;
    if (left === 0) {
      const { code } = this.#inPlace;
      writeTrailer(inPlace.outbox.u8, code, inPlace.extend(TRAILER_SIZE));
      size += TRAILER_SIZE;
      counters[code === OK ? BATCH_INDEX_COMPLETE : BATCH_INDEX_ERROR]! += 1;
      histogram.record(durationMs);
    }
    const { slot, generation, requestNumber } = client;
    if (size > 0) sink.answer(slot, generation, requestNumber, inPlace.outbox.u8, at, size, false);
    return left;
  }

  /** Puts the rows that were left into frames for their workers. */
  #frameLeft(bytes: Uint8Array): void {
    const { route, rowsAt, templatesAt, templateEnds, left, leftCount } = this.#inPlace;
    for (let n = 0; n < leftCount; n++) {
      const i = left[n]!;
      const worker = route.workerOf[partitionOf(bytes, rowsAt[i]! + ROW_DIGEST_AT)]!;
      this.#frames.addRow(worker, bytes, rowsAt[i]!, templatesAt[i]!, templateEnds[i]!);
    }
  }

  beginTurn(): void {
    this.#parts.share.beginTurn();
  }

  /** Batches with rows under way. */
  get count(): number {
    return this.#runs.size + this.#givenCount;
  }

  /** Whether any batch waits for ring room or for its client to read. */
  get hasWaiting(): boolean {
    for (const run of this.#runs.values()) if (run.waiting.length > 0) return true;
    return false;
  }

  /** Sends what waits and may be sent now. */
  pumpAll(): void {
    for (const run of this.#runs.values()) if (run.waiting.length > 0) this.#pump(run);
  }

  /** The client of a slot is gone; its rows may still come and are dropped. @returns Whether a batch was under way. */
  forget(slot: number): boolean {
    return this.#runs.delete(slot);
  }

  /**
   * Takes a completion of rows whose header is at word `c` of `u32`; its bytes are at `at`.
   * @returns Whether that ended the batch.
   */
  rows(u32: Uint32Array, c: number, bytes: Uint8Array, at: number, nowMs: number): boolean {
    const slot = u32[c + COMP_SLOT]!;
    const generation = u32[c + COMP_CONNECTION_GENERATION]!;
    const number = u32[c + COMP_NUMBER]!;
    const run = this.#runs.get(slot);
    if (run === undefined || run.generation !== generation || run.requestNumber !== number) return false;
    const codeWord = u32[c + COMP_CODE_NAMESPACE]!;
    const group = run.groups[codeWord >>> 16]!;
    const rows = u32[c + COMP_ROWS]!;
    if (kindOf(u32[c + COMP_KIND]!) === COMPLETION_PAUSED) {
      run.dropBegun(group, rows);
      if (run.code !== OK && !run.isSilent) run.dropWaiting();
      if (run.rowsLeft === 0) {
        this.#finish(run, bytes, at, 0, nowMs);
        return true;
      }
      this.#pump(run);
      return false;
    }
    const code = codeWord & 0xffff;
    if (code !== OK && run.code === OK) {
      run.code = code;
      run.dropWaiting();
    }
    run.rowsLeft -= rows;
    group.rowsLeft -= rows;
    if (group.rowsLeft === 0 && group.isUnderWay) {
      group.isUnderWay = false;
      run.underWay--;
    }
    const size = run.isSilent ? 0 : u32[c + COMP_SIZE]!;
    if (run.rowsLeft > 0) {
      if (size > 0) this.#parts.sink.answer(slot, generation, number, bytes, at, size, false);
      if (run.waiting.length > 0) this.#pump(run);
      return false;
    }
    this.#finish(run, bytes, at, size, nowMs);
    return true;
  }

  #finish(run: BatchRun, bytes: Uint8Array, at: number, size: number, nowMs: number): void {
    const { sink, counters, histogram } = this.#parts;
    this.#runs.delete(run.slot);
    counters[run.code === OK ? BATCH_INDEX_COMPLETE : BATCH_INDEX_ERROR]! += 1;
    histogram.record(nowMs - run.arrivalMs);
    if (size > 0) sink.answer(run.slot, run.generation, run.requestNumber, bytes, at, size, false);
    sink.answer(
      run.slot,
      run.generation,
      run.requestNumber,
      writeTrailer(this.#trailer, run.code),
      0,
      TRAILER_SIZE,
      true,
    );
  }

  #refuse(code: number): number {
    this.#parts.counters[BATCH_INDEX_ERROR]! += 1;
    return code;
  }

  /** Sends waiting groups while window, ring and client have room. */
  #pump(run: BatchRun): void {
    const { clients, sink } = this.#parts;
    const dispatch = this.#dispatch;
    while (run.waiting.length > 0 && run.underWay < Math.min(WINDOW_MAX, Math.max(WINDOW, clients.length))) {
      if (sink.queuedBytes(run.slot, run.generation) > QUEUED_MAX) return; // pumpAll comes when they are sent
      const group = run.waiting[0]!;
      dispatch.connectionSlot = run.slot;
      dispatch.connectionGeneration = run.generation;
      dispatch.requestNumber = run.requestNumber;
      dispatch.digestAt = group.number;
      dispatch.arrivalMs = run.arrivalMs;
      dispatch.deadlineMs = run.deadlineMs;
      dispatch.rows = group.rowsToSend;
      dispatch.credit = CREDIT;
      if (!clients[group.worker]!.push(dispatch, group.bytes, 0, group.size)) return;
      run.waiting.shift();
      group.isUnderWay = true;
      run.underWay++;
    }
  }
}
