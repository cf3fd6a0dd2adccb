/**
 * Reads many blocks of an extent, several at a time, and hands each to a visitor while the next are on their
 * way. What cannot be read in one go is read page by page, so that a bad sector costs its page. It blocks its
 * thread: for starts and tools.
 */
import { failureText, IO_ALIGN } from '../io/io-backend.js';
import type { IoClient, IoQueue } from '../io/io-queue.js';
import { type ExtentDescription, ShardExtent } from './shard-extent.js';

const WAIT_MS = 1000;
/** Argument of a read of one page out of turn. */
const PAGE = -1;

/** @param bufferAt Where the bytes lie in the I/O buffers until the visitor returns. @param badPages Pages that could not be read and are zeros. */
export type BlockVisitor = (block: number, bufferAt: number, badPages: number) => void;

export class ExtentReader implements IoClient {
  readonly extent: ShardExtent;
  readonly #io: IoQueue;
  readonly #block: number[] = []; // by slot
  readonly #bufferAt: number[] = [];
  readonly #result: number[] = [];
  readonly #ready: number[] = [];
  #pageResult: number | undefined;
  #isFlushGood: boolean | undefined;
  #writeResult: number | undefined;
  /** Why the last page that could not be read could not: `EIO, i/o error`. */
  failure = '';

  constructor(description: ExtentDescription, io: IoQueue) {
    this.#io = io;
    this.extent = new ShardExtent(description, io, this);
  }

  /**
   * Reads the first `length` bytes of `count` blocks, `blockAt(0)` to `blockAt(count - 1)`, with up to `depth`
   * reads in flight, and visits each.
   * @param decrypts Whether the visitor gets blocks decrypted, or as they lie on the device.
   * @returns false when `isStopping` said so before the end.
   */
  readEach(
    count: number,
    blockAt: (index: number) => number,
    length: number,
    depth: number,
    decrypts: boolean,
    visit: BlockVisitor,
    isStopping?: () => boolean,
  ): boolean {
    const free = this.#takeBuffers(Math.min(depth, count), length);
    let next = 0;
    let inFlight = 0;
    let isStopped = false;
    while (inFlight > 0 || (next < count && !isStopped)) {
      while (!isStopped && next < count && free.length > 0) {
        const slot = free[free.length - 1]!;
        const block = blockAt(next);
        if (!this.extent.read(slot, block, 0, length, this.#bufferAt[slot]!)) break;
        this.#block[slot] = block;
        free.pop();
        next++;
        inFlight++;
      }
      this.#io.drain();
      const slot = this.#ready.shift();
      if (slot === undefined) {
        this.#io.drainOrWait(WAIT_MS);
        continue;
      }
      const isWhole = this.#result[slot] === length;
      const badPages = isWhole ? 0 : this.#readPages(this.#block[slot]!, this.#bufferAt[slot]!, length);
      if (decrypts) this.extent.cipher?.decryptBlock(this.#io.buffers, this.#bufferAt[slot]!, length);
      visit(this.#block[slot]!, this.#bufferAt[slot]!, badPages);
      free.push(slot);
      inFlight--;
      isStopped ||= isStopping?.() ?? false;
    }
    for (const slot of free) this.#io.pool.give(this.#bufferAt[slot]!);
    return next === count;
  }

  /** Makes everything written to the file before durable. @returns Whether that worked. */
  flush(): boolean {
    this.#isFlushGood = undefined;
    this.#io.requestFlush(this.extent.place);
    while (this.#isFlushGood === undefined) this.#io.drainOrWait(WAIT_MS);
    return this.#isFlushGood;
  }

  /** Overwrites the first page of a block by an erased one and waits for it. @returns Why that failed, or ''. */
  erase(block: number): string {
    const { extent } = this;
    this.#writeResult = undefined;
    while (!extent.write(0, block, 0, IO_ALIGN, extent.erasedPageAt)) this.#io.drainOrWait(WAIT_MS);
    while (this.#writeResult === undefined) this.#io.drainOrWait(WAIT_MS);
    return this.#writeResult === IO_ALIGN ? '' : failureText(this.#writeResult, IO_ALIGN);
  }

  close(): void {
    this.extent.close();
  }

  onRead(slot: number, result: number): void {
    if (slot === PAGE) {
      this.#pageResult = result;
      return;
    }
    this.#result[slot] = result;
    this.#ready.push(slot);
  }

  onWrite(_argument: number, result: number): void {
    this.#writeResult = result;
  }

  onFlush(_epoch: number, isOk: boolean): void {
    this.#isFlushGood = isOk;
  }

  #takeBuffers(count: number, length: number): number[] {
    const free: number[] = [];
    for (let slot = 0; slot < count; slot++) {
      const at = this.#io.pool.take(length);
      if (at < 0) break;
      this.#bufferAt[slot] = at;
      free.push(slot);
    }
    if (free.length === 0 && count > 0) throw new Error('the I/O buffers are too small for one write block');
    return free;
  }

  #readPages(block: number, at: number, length: number): number {
    let badPages = 0;
    for (let from = 0; from < length; from += IO_ALIGN) {
      this.#pageResult = undefined;
      while (!this.extent.read(PAGE, block, from, IO_ALIGN, at + from)) this.#io.drainOrWait(WAIT_MS);
      while (this.#pageResult === undefined) this.#io.drainOrWait(WAIT_MS);
      if (this.#pageResult === IO_ALIGN) continue;
      badPages++;
      this.failure = failureText(this.#pageResult, IO_ALIGN);
      this.#io.buffers.u8.fill(0, at + from, at + from + IO_ALIGN);
    }
    return badPages;
  }
}
