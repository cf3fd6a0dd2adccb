/**
 * The blocks of a shard whose records are all kept in memory, beside the device that they are written to: reads come
 * from here, a start fills it from the device. A record lies at the same place in its block here and there, so the
 * index has one location for both. A block has memory from when it is opened until it is given up; what was given up is
 * used again, so there is as much as there were blocks in use at one time.
 */
import { Arena, Region } from '../../base/arena.js';
import { copyBytes } from '../../base/copy.js';
import type { RecordSpan } from '../engine.js';

const NONE = -1;

export class ResidentBlocks {
  readonly #arena: Arena;
  /** By block its chunk of the arena, or -1. */
  readonly #chunkOf: Int32Array;
  /** Chunks that no block has; they are zeros. */
  readonly #free: number[] = [];

  constructor(blockCount: number, blockSize: number) {
    this.#arena = new Arena(blockSize);
    this.#chunkOf = new Region(blockCount * 4).i32.fill(NONE);
  }

  /** Bytes of memory taken so far. */
  get size(): number {
    return this.#arena.chunks.length * this.#arena.chunkSize;
  }

  /** Gives a block memory, of zeros; one that has some keeps it. */
  open(block: number): void {
    if (this.#chunkOf[block] !== NONE) return;
    this.#chunkOf[block] = this.#free.pop() ?? this.#arena.addChunk();
  }

  /** Takes a block's memory away. Nobody may be looking at it, as with a buffer that is given back. */
  free(block: number): void {
    const chunk = this.#chunkOf[block]!;
    if (chunk === NONE) return;
    this.#chunkOf[block] = NONE;
    this.#arena.chunks[chunk]!.u8.fill(0);
    this.#free.push(chunk);
  }

  /** Copies bytes that lie at `from` in the block into its memory. */
  put(block: number, from: number, source: Uint8Array, at: number, size: number): void {
    copyBytes(this.#regionOf(block).u8, from, source, at, size);
  }

  /** Copies a whole block out. */
  copyTo(block: number, target: Uint8Array, at: number): void {
    copyBytes(target, at, this.#regionOf(block).u8, 0, this.#arena.chunkSize);
  }

  /** Shows the record at `from` in a block; its size is the caller's to set. */
  span(block: number, from: number, out: RecordSpan): void {
    out.region = this.#regionOf(block);
    out.at = from;
  }

  #regionOf(block: number): Region {
    return this.#arena.chunks[this.#chunkOf[block]!]!;
  }
}
