/**
 * Reads the rows of batches into ring frames for the workers of their shards. Each batch is opened by `begin` or
 * `readLeft`, may get rows, and is ended by `finish`.
 */
import assert from 'node:assert';
import { partitionOf } from '../base/digest.js';
import { OK, PARAMETER } from '../base/result.js';
import { ROW_DIGEST_AT, ROW_PREFIX_SIZE } from '../shard/batch-group.js';
import { type BatchInPlace, IN_PLACE_ROWS_MAX } from '../shard/batch-in-place.js';
import { LEFT_FLAGS, LEFT_INFO3, LEFT_NUMBERS, LEFT_ROWS_SIZE } from '../shard/batch-worker.js';
import { Request, ROW_REPEAT } from '../shard/command/request.js';
import { INLINE_SIZE_MAX } from '../shard/frame.js';
import type { Routes } from '../shard/routes.js';
import { readU16, readU32 } from '../wire/message.js';
import type { BatchRequest } from './batch-request.js';
import { type GroupFrame, GroupFrames, NO_FILTER } from './batch-run.js';

/** All frames of a batch together: a command that is repeated on many workers is copied for each. */
const FRAMES_SIZE_MAX = 512 * 1024 * 1024;

export class RowReader {
  readonly #routes: Routes;
  readonly #frames: GroupFrames;
  readonly #row = new Request();
  /** [row] of a batch that came back: 1 if it is left. */
  readonly #isLeft = new Uint8Array(IN_PLACE_ROWS_MAX);
  /** What the last reading of rows has ended with: OK, or PARAMETER where a row was bad. */
  code = OK;

  /** @param workerCount Routes lead to worker 0 … workerCount - 1. */
  constructor(routes: Routes, workerCount: number) {
    this.#routes = routes;
    this.#frames = new GroupFrames(workerCount, INLINE_SIZE_MAX);
  }

  /** @param bytes hold the batch; its filter is kept until `finish`. */
  begin(request: BatchRequest, bytes: Uint8Array): void {
    const { filterAt, filterSize } = request;
    const filter = request.hasFilter ? bytes.subarray(filterAt, filterAt + filterSize) : NO_FILTER;
    this.#frames.begin(request.info3, request.groupFlags, filter, request.size);
  }

  /** Reads the rows of the batch, up to a bad one: `code` says so then. @returns How many. */
  read(request: BatchRequest, bytes: Uint8Array): number {
    return this.#read(bytes, request.rowsAt, request.rowsEnd, request.count, request.info3, null);
  }

  /** Whether the frames have become larger than those of a batch may be, at which reading ends. */
  get isTooLarge(): boolean {
    return this.#frames.totalSize > FRAMES_SIZE_MAX;
  }

  /** Adds the rows that were left when a batch was run in place. */
  addLeft(batch: BatchInPlace, bytes: Uint8Array): void {
    const { route, rowsAt, templatesAt, templateEnds, left, leftCount } = batch;
    for (let n = 0; n < leftCount; n++) {
      const i = left[n]!;
      const worker = route.workerOf[partitionOf(bytes, rowsAt[i]! + ROW_DIGEST_AT)]!;
      this.#frames.addRow(worker, bytes, rowsAt[i]!, templatesAt[i]!, templateEnds[i]!);
    }
  }

  /**
   * Begins a batch that a worker has executed, and reads its `leftCount` rows that were left.
   * @param at where what it says of them is: batch-worker.ts says how it lies.
   */
  readLeft(bytes: Uint8Array, at: number, leftCount: number): void {
    const count = readU32(bytes, at);
    const size = readU32(bytes, at + LEFT_ROWS_SIZE);
    const info3 = bytes[at + LEFT_INFO3]!;
    const isLeft = this.#isLeft;
    isLeft.fill(0);
    const numbersAt = at + LEFT_NUMBERS;
    for (let i = 0; i < leftCount; i++) isLeft[readU16(bytes, numbersAt + i * 2)] = 1;
    const rowsAt = numbersAt + leftCount * 2;
    this.#frames.begin(info3, bytes[at + LEFT_FLAGS]!, NO_FILTER, size);
    const readCount = this.#read(bytes, rowsAt, rowsAt + size, count, info3, isLeft);
    assert(readCount === count, 'a worker gave back rows that are none');
  }

  /** The groups of the batch; they are the caller's. */
  finish(): GroupFrame[] {
    return this.#frames.finish();
  }

  /**
   * Reads rows into frames for their workers, up to a bad one: `code` says so then.
   * @param isWanted [row], 0: it is left out. null: none is.
   * @returns How many.
   */
  #read(
    bytes: Uint8Array,
    at: number,
    rowsEnd: number,
    count: number,
    info3: number,
    isWanted: Uint8Array | null,
  ): number {
    const routes = this.#routes;
    const frames = this.#frames;
    const row = this.#row;
    let templateAt = -1;
    let templateEnd = 0;
    let route = null;
    let p = at;
    this.code = PARAMETER;
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
      const worker = route.workerOf[partitionOf(bytes, rowAt + ROW_DIGEST_AT)]!;
      frames.addRow(worker, bytes, rowAt, templateAt, templateEnd);
      if (frames.totalSize > FRAMES_SIZE_MAX) return i;
    }
    this.code = OK;
    return count;
  }
}
