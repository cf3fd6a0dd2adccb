/**
 * The batches with rows under way on workers: sends their groups, takes what comes back until every row has ended, and
 * sends the trailer.
 *
 * A batch has a window of groups under way, and each group a credit of response bytes, so that a client that
 * reads slowly stops its own batch and nothing else. A group whose credit is used up comes back with the
 * number of rows it had begun; the rest is sent again when the client has read.
 */
import { OK } from '../base/result.js';
import type { Histogram } from '../observe/histogram.js';
import { BATCH_INDEX_COMPLETE, BATCH_INDEX_ERROR } from '../observe/service-counters.js';
import { Dispatch, type WorkerClient } from '../shard/client.js';
import {
  COMP_CODE_NAMESPACE,
  COMP_CONNECTION_GENERATION,
  COMP_KIND,
  COMP_NUMBER,
  COMP_ROWS,
  COMP_SIZE,
  COMP_SLOT,
  COMPLETION_PAUSED,
  KIND_BATCH_GROUP,
  kindOf,
} from '../shard/frame.js';
import { TRAILER_SIZE, writeTrailer } from '../wire/batch.js';
import type { BatchRun } from './batch-run.js';
import type { AnswerSink } from './client-ref.js';

/** Groups of a batch under way at once, and bytes that one may answer before it has to ask again. */
const WINDOW = 4;
const WINDOW_MAX = 8;
const CREDIT = 512 * 1024;
/** While this much of its answers is unread, a batch sends no more groups. */
const QUEUED_MAX = 1024 * 1024;

export class BatchRuns {
  readonly #clients: readonly WorkerClient[];
  readonly #sink: AnswerSink;
  readonly #counters: Float64Array;
  readonly #histogram: Histogram;
  /** [connection slot] */
  readonly #runs = new Map<number, BatchRun>();
  readonly #dispatch = new Dispatch();
  readonly #trailer = new Uint8Array(TRAILER_SIZE);

  /**
   * @param counters  the service's, where batches that end are counted.
   * @param histogram of the times that they take, in milliseconds.
   */
  constructor(
    clients: readonly WorkerClient[],
    sink: AnswerSink,
    counters: Float64Array,
    histogram: Histogram,
  ) {
    this.#clients = clients;
    this.#sink = sink;
    this.#counters = counters;
    this.#histogram = histogram;
    this.#dispatch.kind = KIND_BATCH_GROUP;
  }

  /** Batches under way. */
  get count(): number {
    return this.#runs.size;
  }

  /** Takes a batch and sends what may be sent of it now. */
  start(run: BatchRun): void {
    this.#runs.set(run.slot, run);
    this.#pump(run);
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
      if (size > 0) this.#sink.answer(slot, generation, number, bytes, at, size, false);
      if (run.waiting.length > 0) this.#pump(run);
      return false;
    }
    this.#finish(run, bytes, at, size, nowMs);
    return true;
  }

  /** Counts a batch that has ended, one that was never here too: `code` is that of its trailer. */
  countEnded(code: number, durationMs: number): void {
    this.#counters[code === OK ? BATCH_INDEX_COMPLETE : BATCH_INDEX_ERROR]! += 1;
    this.#histogram.record(durationMs);
  }

  #finish(run: BatchRun, bytes: Uint8Array, at: number, size: number, nowMs: number): void {
    this.#runs.delete(run.slot);
    this.countEnded(run.code, nowMs - run.arrivalMs);
    if (size > 0) this.#sink.answer(run.slot, run.generation, run.requestNumber, bytes, at, size, false);
    this.#sink.answer(
      run.slot,
      run.generation,
      run.requestNumber,
      writeTrailer(this.#trailer, run.code),
      0,
      TRAILER_SIZE,
      true,
    );
  }

  /** Sends waiting groups while window, ring and client have room. */
  #pump(run: BatchRun): void {
    const clients = this.#clients;
    const dispatch = this.#dispatch;
    while (run.waiting.length > 0 && run.underWay < Math.min(WINDOW_MAX, Math.max(WINDOW, clients.length))) {
      if (this.#sink.queuedBytes(run.slot, run.generation) > QUEUED_MAX) return; // pumpAll comes when they are sent
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
