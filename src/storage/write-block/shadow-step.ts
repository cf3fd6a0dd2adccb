/**
 * Brings a shadow in step with its device again, at a start after a stop that was not clean: each of the two has lost
 * other writes that no flush had covered, and what the device still has is served from now on. When this is done both
 * hold the same, durably.
 *
 * What can differ? A write counts as done when both have it, durably; so blocks that were done when the newest
 * checkpoint began are the same on both, but for their first page, which is overwritten when a block is given up. So
 * the first pages of all blocks are compared by what their headers say, and whole those blocks that the start had to
 * read: what was written since the checkpoint, or all of them without one. What is the same is not written again, so
 * that nothing good is put at risk.
 */
import type { StorageLog } from '../device/storage-error.js';
import { StorageError } from '../device/storage-error.js';
import { failureText, IO_ALIGN } from '../io/io-backend.js';
import type { IoClient, IoQueue } from '../io/io-queue.js';
import * as F from './block-format.js';
import * as B from './block-table.js';
import { ExtentReader } from './extent-reader.js';
import { type ExtentDescription, ShardExtent } from './shard-extent.js';

const PAGE_READS = 32;
const BLOCK_READS = 3;
const WAIT_MS = 1000;

export class ShadowStep implements IoClient {
  readonly #description: ExtentDescription;
  readonly #io: IoQueue;
  readonly #table: B.BlockTable;
  readonly #log: StorageLog;
  readonly #shadow: ShardExtent;
  #ended: number | undefined;
  #isFlushGood: boolean | undefined;

  /**
   * @param description Of an extent with a shadow, both of them open in `io`.
   * @param table Filled from the device.
   */
  constructor(description: ExtentDescription, io: IoQueue, table: B.BlockTable, log: StorageLog) {
    const { path } = description.shadow!;
    // Bytes are compared as they lie there, encrypted or not.
    this.#description = { ...description, dataKey: null };
    this.#io = io;
    this.#table = table;
    this.#log = log;
    this.#shadow = new ShardExtent({ ...this.#description, path, shadow: null }, io, this);
  }

  /**
   * Blocks the thread until it is done.
   * @param tail Blocks that the start has read whole.
   * @returns false when told to stop.
   * @throws StorageError when the shadow cannot be written.
   */
  run(tail: readonly number[], isStopping?: () => boolean): boolean {
    try {
      const differing = this.#compareHeaders(isStopping);
      if (differing === undefined) return false;
      for (const block of tail) differing.set(block, false);
      const erased = [...differing].filter(([, isErased]) => isErased).map(([block]) => block);
      const copied = [...differing].filter(([, isErased]) => !isErased).map(([block]) => block);
      for (const block of erased) this.#write(block, 0, IO_ALIGN, this.#shadow.erasedPageAt);
      const count = this.#copy(copied, isStopping);
      if (count === undefined) return false;
      if (erased.length + count === 0) return true;
      this.#flush();
      const { owner } = this.#description;
      this.#log.info(
        `${this.#shadow.path} shard ${owner.shard}: brought in step with its primary, ${erased.length + count} blocks differed`,
      );
      return true;
    } finally {
      this.#shadow.close();
    }
  }

  onRead(_argument: number, result: number): void {
    this.#ended = result;
  }

  onWrite(_argument: number, result: number): void {
    this.#ended = result;
  }

  onFlush(_epoch: number, isOk: boolean): void {
    this.#isFlushGood = isOk;
  }

  /** @returns Blocks whose first page has to be another one, and whether that is an erased one. */
  #compareHeaders(isStopping?: () => boolean): Map<number, boolean> | undefined {
    const { states, writeIds, stamps } = this.#table;
    const { blockCount, owner, path } = this.#shadow;
    const differing = new Map<number, boolean>();
    const header = new F.BlockHeader();
    const visit = (block: number, at: number, badPages: number): void => {
      const found = F.readBlockHeader(this.#io.buffers, at, owner, block, header);
      if (states[block] === B.FREE) {
        if (found !== F.BLOCK_EMPTY || badPages > 0) differing.set(block, true);
      } else if (states[block] === B.STORED) {
        const isSame =
          badPages === 0 &&
          found === F.BLOCK_VALID &&
          header.writeId === writeIds[block] &&
          header.stamp === stamps[block];
        if (!isSame) differing.set(block, false);
      }
    };
    const reader = new ExtentReader({ ...this.#description, path, shadow: null }, this.#io);
    try {
      const isDone = reader.readEach(blockCount, i => i, IO_ALIGN, PAGE_READS, false, visit, isStopping);
      return isDone ? differing : undefined;
    } finally {
      reader.close();
    }
  }

  /** Copies what differs of `blocks` from the device. @returns How many did. */
  #copy(blocks: readonly number[], isStopping?: () => boolean): number | undefined {
    const { blockSize } = this.#shadow;
    const { u8 } = this.#io.buffers;
    const shadowAt = this.#io.pool.take(blockSize);
    if (shadowAt < 0) throw new Error('the I/O buffers are too small for one write block');
    let count = 0;
    const visit = (block: number, at: number, badPages: number): void => {
      if (badPages > 0) return; // what the shadow has there may be better
      const isRead = this.#await(() => this.#shadow.read(0, block, 0, blockSize, shadowAt)) === blockSize;
      const differs = (from: number): boolean => !isRead || !isEqual(u8, at + from, shadowAt + from);
      let written = 0;
      for (let from = IO_ALIGN; from < blockSize; ) {
        let end = from;
        while (end < blockSize && differs(end)) end += IO_ALIGN;
        if (end > from) this.#write(block, from, end - from, at + from);
        written += end - from;
        from = end + IO_ALIGN;
      }
      // The first page last: a block whose copying is cut off has the one that it had, and nothing behind it is of that.
      if (differs(0)) this.#write(block, 0, IO_ALIGN, at);
      else if (written === 0) return;
      count++;
    };
    const reader = new ExtentReader(this.#description, this.#io);
    try {
      const isDone = reader.readEach(
        blocks.length,
        i => blocks[i]!,
        blockSize,
        BLOCK_READS,
        false,
        visit,
        isStopping,
      );
      return isDone ? count : undefined;
    } finally {
      this.#io.pool.give(shadowAt);
      reader.close();
    }
  }

  #write(block: number, from: number, length: number, bufferAt: number): void {
    const result = this.#await(() => this.#shadow.write(0, block, from, length, bufferAt));
    if (result === length) return;
    const at = this.#shadow.offsetOf(block) + from;
    const reason = failureText(result, length);
    throw new StorageError(
      this.#shadow.path,
      `cannot be brought in step with its primary: writing ${length} bytes at ${at} failed (${reason}); replace it by a blank one`,
    );
  }

  #flush(): void {
    this.#isFlushGood = undefined;
    this.#io.requestFlush(this.#shadow.place);
    while (this.#isFlushGood === undefined) this.#io.drainOrWait(WAIT_MS);
    if (this.#isFlushGood) return;
    throw new StorageError(
      this.#shadow.path,
      'cannot be brought in step with its primary: the flush failed; replace it by a blank one',
    );
  }

  /** Starts a request and waits for its end. */
  #await(start: () => boolean): number {
    this.#ended = undefined;
    while (!start()) this.#io.drainOrWait(WAIT_MS);
    while (this.#ended === undefined) this.#io.drainOrWait(WAIT_MS);
    return this.#ended;
  }
}

function isEqual(u8: Uint8Array, a: number, b: number): boolean {
  return Buffer.compare(u8.subarray(a, a + IO_ALIGN), u8.subarray(b, b + IO_ALIGN)) === 0;
}
