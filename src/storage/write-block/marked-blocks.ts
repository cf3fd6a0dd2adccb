/**
 * The stored blocks that hold delete markers, ordered by the highest origin of their markers when they were listed: a
 * binary heap, lowest first. A block is listed once; it may have been given up or got other markers since.
 */
import type { BlockTable } from './block-table.js';

export class MarkedBlocks {
  readonly #table: BlockTable;
  readonly #isListed: Uint8Array;
  readonly #blocks: number[] = [];
  readonly #origins: number[] = [];

  constructor(table: BlockTable) {
    this.#table = table;
    this.#isListed = new Uint8Array(table.blockCount);
  }

  /** Lists a block with its present origin, unless it is listed. */
  add(block: number): void {
    if (this.#isListed[block] !== 0) return;
    this.#isListed[block] = 1;
    const origin = this.#table.origins[block]!;
    let at = this.#blocks.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#origins[parent]! <= origin) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#blocks[at] = block;
    this.#origins[at] = origin;
  }

  /**
   * Takes out the block with the lowest origin if every other block that could hold older copies, as far as that
   * origin goes, is free.
   * @returns -1 when there is none.
   */
  take(): number {
    const block = this.#blocks[0];
    if (block === undefined || this.#origins[0]! >= this.#table.lowestWithout(block)) return -1;
    this.#isListed[block] = 0;
    const last = this.#blocks.pop()!;
    const origin = this.#origins.pop()!;
    const count = this.#blocks.length;
    if (count === 0) return block;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= count) break;
      if (child + 1 < count && this.#origins[child + 1]! < this.#origins[child]!) child++;
      if (this.#origins[child]! >= origin) break;
      this.#move(child, at);
      at = child;
    }
    this.#blocks[at] = last;
    this.#origins[at] = origin;
    return block;
  }

  #move(from: number, to: number): void {
    this.#blocks[to] = this.#blocks[from]!;
    this.#origins[to] = this.#origins[from]!;
  }
}
