/**
 * Batches on the main thread: checks what is said of all rows, and decides who executes them. Small batches of short
 * rows are executed here, or by any worker, as a whole (shard/batch-in-place.ts); the rows of the others go to the
 * workers of their shards (row-reader.ts, batch-runs.ts). Source: protocol 03.
 */
import { monotonicMs } from '../base/clock.js';
import { BATCH_DISABLED, BATCH_MAX_REQUESTS, BATCH_QUEUES_FULL, OK, PARAMETER } from '../base/result.js';
import { ProgramCache } from '../expression/program-cache.js';
import { BATCH_INDEX_ERROR, BATCH_INDEX_INITIATE } from '../observe/service-counters.js';
import { GROUP_REPORT_ERROR_ROW, GROUP_RESPOND_ALL } from '../shard/batch-group.js';
import { BatchInPlace, IN_PLACE_ROWS_MAX } from '../shard/batch-in-place.js';
import { Dispatch } from '../shard/client.js';
import {
  COMP_ARRIVAL,
  COMP_CODE_NAMESPACE,
  COMP_CONNECTION_GENERATION,
  COMP_ENDED,
  COMP_NUMBER,
  COMP_ROWS,
  COMP_SIZE,
  COMP_SLOT,
  INLINE_SIZE_MAX,
  KIND_BATCH,
} from '../shard/frame.js';
import type { InPlace } from '../shard/in-place.js';
import type { Routes } from '../shard/routes.js';
import { TRAILER_SIZE, writeTrailer } from '../wire/batch.js';
import { BatchRequest } from './batch-request.js';
import { BatchRun } from './batch-run.js';
import type { BatchRuns } from './batch-runs.js';
import type { BatchShare } from './batch-share.js';
import { ANSWERED, type AnswerSink, type ClientRef, DISPATCHED } from './client-ref.js';
import { RowReader } from './row-reader.js';

const DEFAULT_TIMEOUT_MS = 30_000;

export interface BatchParts {
  readonly routes: Routes;
  readonly workerCount: number;
  readonly runs: BatchRuns;
  readonly sink: AnswerSink;
  readonly inPlace: InPlace;
  readonly share: BatchShare;
  readonly counters: Float64Array;
  /** Most rows in a batch, 0 = no limit. */
  readonly maxRequests: () => number;
  readonly isEnabled: () => boolean;
}

export class BatchDispatcher {
  readonly #parts: BatchParts;
  readonly #request = new BatchRequest();
  readonly #rows: RowReader;
  readonly #inPlace: BatchInPlace;
  /** Of batches that are given to workers as a whole, and how many have not come back. */
  readonly #given = new Dispatch();
  #givenCount = 0;
  readonly #programs = new ProgramCache();

  constructor(parts: BatchParts) {
    this.#parts = parts;
    this.#rows = new RowReader(parts.routes, parts.workerCount);
    this.#inPlace = new BatchInPlace(parts.routes, parts.inPlace);
    this.#given.kind = KIND_BATCH;
  }

  /**
   * Starts a batch. The bytes are copied before this returns.
   * @returns DISPATCHED, ANSWERED, or a code to answer.
   */
  start(client: ClientRef, bytes: Uint8Array, at: number, size: number, nowMs: number): number {
    this.#parts.counters[BATCH_INDEX_INITIATE]! += 1;
    const request = this.#request;
    const code = this.#check(bytes, at, size);
    if (code !== OK) return this.#refuse(code);
    const rows = this.#rows;
    rows.begin(request, bytes);
    const { rowsAt, rowsEnd, count, info3, timeoutMs } = request;
    const mayRun = !request.hasFilter && count <= IN_PLACE_ROWS_MAX && !request.asksCompression;
    const isInPlace = mayRun && this.#inPlace.read(bytes, rowsAt, rowsEnd, count, info3);
    const deadlineMs = nowMs + (timeoutMs !== 0 ? timeoutMs : DEFAULT_TIMEOUT_MS);
    let rowCount: number;
    if (isInPlace) {
      if (this.#give(client, bytes, nowMs, deadlineMs)) return DISPATCHED;
      rowCount = this.#runInPlace(client, bytes, nowMs);
      if (rowCount === 0) return ANSWERED;
    } else {
      rowCount = rows.read(request, bytes);
      if (rows.isTooLarge) return this.#refuse(BATCH_QUEUES_FULL);
      if (rowCount === 0) return this.#refuse(rows.code);
    }
    const run = new BatchRun(client, nowMs, rows.finish(), rowCount);
    run.deadlineMs = deadlineMs;
    // A bad row ends the batch there: the rows before it are executed, but the answer is the trailer alone.
    run.code = isInPlace ? this.#inPlace.code : rows.code;
    run.isSilent = !isInPlace && run.code !== OK;
    this.#parts.runs.start(run);
    return DISPATCHED;
  }

  /** Reads a message into `#request` and checks all but its rows. @returns OK, or the code to answer. */
  #check(bytes: Uint8Array, at: number, size: number): number {
    const request = this.#request;
    if (request.read(bytes, at, size) !== OK) return PARAMETER;
    if (!this.#parts.isEnabled()) return BATCH_DISABLED;
    const max = this.#parts.maxRequests();
    if (request.count === 0) return PARAMETER;
    if (max !== 0 && request.count > max) return BATCH_MAX_REQUESTS;
    if (!request.hasFilter) return OK;
    const program = this.#programs.getFilter(bytes, request.filterAt, request.filterSize);
    return program === undefined ? PARAMETER : OK;
  }

  /** Gives a worker the batch that `#inPlace` has read, if it is to have it. @returns Whether it has. */
  #give(client: ClientRef, bytes: Uint8Array, nowMs: number, deadlineMs: number): boolean {
    const { rowsAt, count, info3, groupFlags } = this.#request;
    const rowsSize = this.#request.rowsEnd - rowsAt;
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
    dispatch.rows = count;
    if (!worker.giveBatch(dispatch, bytes, rowsAt, rowsSize)) return false;
    this.#givenCount++;
    return true;
  }

  /** Executes the rows that were read for it here and now. @returns Rows that are in frames for their workers instead. */
  #runInPlace(client: ClientRef, bytes: Uint8Array, nowMs: number): number {
    const { sink, runs } = this.#parts;
    const { inPlace } = this.#inPlace;
    if (!inPlace.isHalfEmpty) {
      sink.flush();
      inPlace.clear();
    }
    const { groupFlags } = this.#request;
    const respondAll = (groupFlags & GROUP_RESPOND_ALL) !== 0;
    const reportErrorRow = (groupFlags & GROUP_REPORT_ERROR_ROW) !== 0;
    const left = this.#inPlace.run(bytes, respondAll, reportErrorRow);
    if (left > 0) this.#rows.addLeft(this.#inPlace, bytes);
    const durationMs = monotonicMs() - nowMs;
    let size = this.#inPlace.end(durationMs);
    const at = inPlace.answerAt;
    if (left === 0) {
      const { code } = this.#inPlace;
      writeTrailer(inPlace.outbox.u8, code, inPlace.extend(TRAILER_SIZE));
      size += TRAILER_SIZE;
      runs.countEnded(code, durationMs);
    }
    const { slot, generation, requestNumber } = client;
    if (size > 0) sink.answer(slot, generation, requestNumber, inPlace.outbox.u8, at, size, false);
    return left;
  }

  /**
   * Takes the completion of a batch that a worker has executed, whose header is at word `c` of `u32` and `f64`: at `at` of
   * `bytes` its answer, and behind it what it says of rows that are left, which go to their workers now.
   * @returns Whether that ended the batch.
   */
  executed(
    u32: Uint32Array,
    f64: Float64Array,
    c: number,
    bytes: Uint8Array,
    at: number,
    nowMs: number,
  ): boolean {
    const { sink, runs } = this.#parts;
    this.#givenCount--;
    const slot = u32[c + COMP_SLOT]!;
    const generation = u32[c + COMP_CONNECTION_GENERATION]!;
    const requestNumber = u32[c + COMP_NUMBER]!;
    const code = u32[c + COMP_CODE_NAMESPACE]!;
    const size = u32[c + COMP_SIZE]!;
    const leftCount = u32[c + COMP_ROWS]!;
    const arrivalMs = f64[(c + COMP_ARRIVAL) >>> 1]!;
    if (leftCount === 0) {
      runs.countEnded(code, nowMs - arrivalMs);
      sink.answer(slot, generation, requestNumber, bytes, at, size, true);
      return true;
    }
    if (!sink.awaits(slot, generation, requestNumber)) return true;
    if (size > 0) sink.answer(slot, generation, requestNumber, bytes, at, size, false);
    this.#rows.readLeft(bytes, at + size, leftCount);
    const run = new BatchRun({ slot, generation, requestNumber }, arrivalMs, this.#rows.finish(), leftCount);
    run.deadlineMs = f64[(c + COMP_ENDED) >>> 1]!;
    run.code = code;
    runs.start(run);
    return false;
  }

  beginTurn(): void {
    this.#parts.share.beginTurn();
  }

  /** Batches under way on workers. */
  get count(): number {
    return this.#parts.runs.count + this.#givenCount;
  }

  #refuse(code: number): number {
    this.#parts.counters[BATCH_INDEX_ERROR]! += 1;
    return code;
  }
}
