/**
 * The buffers of a shard's stored blocks: kept for reading as far as post-write-cache goes, the oldest given up first,
 * and sooner when somebody needs a buffer.
 */
import type { BlockTable } from './block-table.js';
import type { ShardExtent } from './shard-extent.js';

const NONE = -1;

export class BlockCache {
  readonly #extent: ShardExtent;
  readonly #table: BlockTable;
  /** Stored blocks in memory, oldest first. */
  readonly #blocks: number[] = [];
  /** A block whose bytes somebody may be looking at: its buffer stays. */
  pinned = NONE;
  /** A block that is being emptied: its buffer stays too. */
  held = NONE;

  constructor(extent: ShardExtent, table: BlockTable) {
    this.#extent = extent;
    this.#table = table;
  }

  /** A block has been stored whose buffer is wanted; others go while there are more than `sizeMax` bytes of them. */
  add(block: number, sizeMax: number): void {
    this.#blocks.push(block);
    const keep = Math.floor(sizeMax / this.#extent.blockSize);
    while (this.#blocks.length > keep && this.#evict());
  }

  /** Gives the buffer of a block back if it has one here. */
  drop(block: number): void {
    const at = this.#blocks.indexOf(block);
    if (at < 0) return;
    this.#blocks.splice(at, 1);
    this.release(block);
  }

  /** Gives the buffer of a block back that was not added. */
  release(block: number): void {
    this.#extent.io.pool.give(this.#table.bufferAt[block]!);
    this.#table.bufferAt[block] = NONE;
  }

  /** A buffer for a block, or for `size` bytes; the caller gives it back to the pool. @returns Its offset, or -1. */
  take(size = this.#extent.blockSize): number {
    const { pool } = this.#extent.io;
    let at = pool.take(size);
    while (at < 0 && this.#evict()) at = pool.take(size);
    return at;
  }

  #evict(): boolean {
    for (let i = 0; i < this.#blocks.length; i++) {
      const block = this.#blocks[i]!;
      if (block === this.pinned || block === this.held) continue;
      this.#blocks.splice(i, 1);
      this.release(block);
      return true;
    }
    return false;
  }
}
