/**
 * Batches that a worker executes for the main thread as the main thread does (batch-in-place.ts), whosever the shards
 * are: each comes as one frame and is answered by one, which the main thread sends on as it is. Only where records are
 * in memory. Rows that have to be executed by the workers of their shards go back with the batch's rows; behind the answer:
 *
 *   u32 rows in all   u32 bytes of them   u8 info3   u8 GROUP_ flags   u16 [rows that are left]   the rows
 */
import { monotonicMs } from '../base/clock.js';
import { copyBytes } from '../base/copy.js';
import type { SharedVersion } from '../base/flags.js';
import { OK } from '../base/result.js';
import { TRAILER_SIZE, writeTrailer } from '../wire/batch.js';
import { writeU16, writeU32 } from '../wire/message.js';
import { GROUP_REPORT_ERROR_ROW, GROUP_RESPOND_ALL } from './batch-group.js';
import { BatchInPlace } from './batch-in-place.js';
import { REQ_ARRIVAL, REQ_DEADLINE, REQ_DIGEST_AT, REQ_ROWS } from './frame.js';
import { InPlace } from './in-place.js';
import type { Reply } from './reply.js';
import type { Routes } from './routes.js';
import type { NamespaceView } from './shard.js';
import type { ShardView } from './shard-view.js';

const ANSWER_SIZE_MAX = 256 * 1024; // bytes; rows beyond are left
export const LEFT_ROWS_SIZE = 4;
export const LEFT_INFO3 = 8;
export const LEFT_FLAGS = 9;
export const LEFT_NUMBERS = 10;

export class BatchWorker {
  readonly #reply: Reply;
  readonly #batch: BatchInPlace;
  readonly #done: SharedVersion;

  /**
   * @param views [namespace id][shard number], as they become known.
   * @param done  Counts the batches.
   */
  constructor(
    namespaces: readonly NamespaceView[],
    routes: Routes,
    views: readonly (readonly (ShardView | undefined)[])[],
    reply: Reply,
    done: SharedVersion,
  ) {
    this.#reply = reply;
    this.#batch = new BatchInPlace(routes, new InPlace(namespaces, views, reply.region));
    this.#done = done;
  }

  /** The clocks of the batches that follow: monotonic, and wall milliseconds since 2010. */
  setTime(nowMs: number, epochMs: number): void {
    this.#batch.inPlace.setTime(nowMs, epochMs);
  }

  /** Executes the batch whose frame header is at word `w` and whose rows are the `size` bytes at `from`. */
  run(
    header: Uint32Array,
    f64: Float64Array,
    w: number,
    bytes: Uint8Array,
    from: number,
    size: number,
  ): void {
    const batch = this.#batch;
    const { inPlace } = batch;
    const count = header[w + REQ_ROWS]!;
    const at = this.#reply.openBatch(ANSWER_SIZE_MAX + leftSize(count, size));
    if (at < 0) return;
    const info3 = header[w + REQ_DIGEST_AT]! & 0xff;
    const flags = header[w + REQ_DIGEST_AT]! >>> 8;
    inPlace.place(at, ANSWER_SIZE_MAX);
    let code = OK;
    let answerSize = 0;
    const isLate = monotonicMs() > f64[(w + REQ_DEADLINE) >>> 1]!; // its rows are answered so where they are executed
    if (!isLate && batch.read(bytes, from, from + size, count, info3)) {
      batch.run(bytes, (flags & GROUP_RESPOND_ALL) !== 0, (flags & GROUP_REPORT_ERROR_ROW) !== 0);
      answerSize = batch.end(monotonicMs() - f64[(w + REQ_ARRIVAL) >>> 1]!);
      code = batch.code;
    } else {
      batch.leaveAll(count);
    }
    const { leftCount } = batch;
    if (leftCount === 0) {
      writeTrailer(inPlace.outbox.u8, code, inPlace.extend(TRAILER_SIZE));
      answerSize += TRAILER_SIZE;
    } else {
      this.#giveBack(at + answerSize, bytes, from, size, count, info3, flags);
    }
    const backSize = leftCount === 0 ? 0 : leftSize(leftCount, size);
    this.#reply.endBatch(header, f64, w, at, code, answerSize, leftCount, backSize);
    this.#done.raise();
  }

  #giveBack(
    at: number,
    bytes: Uint8Array,
    from: number,
    size: number,
    count: number,
    info3: number,
    flags: number,
  ): void {
    const out = this.#reply.region.u8;
    const { left, leftCount } = this.#batch;
    writeU32(out, at, count);
    writeU32(out, at + LEFT_ROWS_SIZE, size);
    out[at + LEFT_INFO3] = info3;
    out[at + LEFT_FLAGS] = flags;
    let p = at + LEFT_NUMBERS;
    for (let i = 0; i < leftCount; i++, p += 2) writeU16(out, p, left[i]!);
    copyBytes(out, p, bytes, from, size);
  }
}

/** Bytes that tell of `leftCount` rows of a batch whose rows have `size` bytes. */
function leftSize(leftCount: number, size: number): number {
  return LEFT_NUMBERS + leftCount * 2 + size;
}
