/**
 * Buffers for device I/O, cut from one shared region by the buddy method: sizes are powers of two from one
 * page up to IO_SIZE_MAX, a buffer starts at a multiple of its size, and two free halves become whole again.
 * One thread uses it. Nothing is touched before it is handed out, so an idle pool costs address space only.
 *
 * Invariant: every page belongs to one free block (listed under its order) or to one taken block.
 */
import { IO_ALIGN, IO_SIZE_MAX } from './io-backend.js';

const PAGE_SHIFT = 12;
const ORDER_MAX = 12; // 2^12 pages of 4 KiB = 16 MiB
const NONE = -1;
/** State of a page: the order of the block that starts here, plus FREE if nobody has it. */
const INSIDE = 0xff;
const FREE = 0x80;

export class BufferPool {
  readonly #state: Uint8Array;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  /** First free block (page number) of each order. */
  readonly #free = new Int32Array(ORDER_MAX + 1).fill(NONE);
  #freeBytes = 0;

  /** @param size Bytes of the region, a multiple of IO_SIZE_MAX. */
  constructor(size: number) {
    if (size < IO_SIZE_MAX || size % IO_SIZE_MAX !== 0) {
      throw new RangeError(`a buffer pool is a multiple of ${IO_SIZE_MAX} bytes, not ${size}`);
    }
    const pages = size / IO_ALIGN;
    this.#state = new Uint8Array(pages).fill(INSIDE);
    this.#next = new Int32Array(pages).fill(NONE);
    this.#previous = new Int32Array(pages).fill(NONE);
    // Pushed from the end, so that the first buffers come from the start of the region.
    for (let page = pages - (1 << ORDER_MAX); page >= 0; page -= 1 << ORDER_MAX) this.#push(page, ORDER_MAX);
    this.#freeBytes = size;
  }

  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** @returns Byte offset of a buffer of at least `size` bytes (1 to IO_SIZE_MAX), or -1 when there is none. */
  take(size: number): number {
    const order = orderOf(size);
    let found = order;
    while (found <= ORDER_MAX && this.#free[found]! === NONE) found++;
    if (found > ORDER_MAX) return -1;
    const page = this.#free[found]!;
    this.#unlink(page, found);
    while (found > order) {
      found--;
      this.#push(page + (1 << found), found);
    }
    this.#state[page] = order;
    this.#freeBytes -= IO_ALIGN << order;
    return page * IO_ALIGN;
  }

  /** Bytes that the buffer which `take` returned really has: the power of two above what was asked for. */
  sizeOf(at: number): number {
    return IO_ALIGN << this.#state[at / IO_ALIGN]!;
  }

  /** Gives back the buffer that `take` returned. */
  give(at: number): void {
    let page = at / IO_ALIGN;
    let order = this.#state[page]!;
    if (order > ORDER_MAX) throw new Error(`buffer pool: ${at} is not a buffer that was taken`);
    this.#freeBytes += IO_ALIGN << order;
    while (order < ORDER_MAX) {
      const buddy = page ^ (1 << order);
      if (this.#state[buddy] !== (order | FREE)) break;
      this.#unlink(buddy, order);
      this.#state[Math.max(page, buddy)] = INSIDE;
      page = Math.min(page, buddy);
      order++;
    }
    this.#push(page, order);
  }

  #push(page: number, order: number): void {
    const first = this.#free[order]!;
    this.#state[page] = order | FREE;
    this.#next[page] = first;
    this.#previous[page] = NONE;
    if (first !== NONE) this.#previous[first] = page;
    this.#free[order] = page;
  }

  #unlink(page: number, order: number): void {
    const next = this.#next[page]!;
    const previous = this.#previous[page]!;
    if (next !== NONE) this.#previous[next] = previous;
    if (previous !== NONE) this.#next[previous] = next;
    else this.#free[order] = next;
    this.#state[page] = INSIDE;
  }
}

/** Order of the smallest block that holds `size` bytes. */
function orderOf(size: number): number {
  const pages = (size + IO_ALIGN - 1) >>> PAGE_SHIFT;
  return pages <= 1 ? 0 : 32 - Math.clz32(pages - 1);
}
