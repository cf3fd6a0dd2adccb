/**
 * Who uses a shard's memory at this moment: a word a shard, changed by compare-and-swap. Its writers are the worker that
 * the shard belongs to; the main thread, which executes short commands itself (in-place.ts); and, where records are in
 * memory, the other workers, which execute batches (batch-worker.ts). Each has the word while it executes a few
 * commands, takes in what a device has answered, or looks after the shard for a moment; nothing in that time waits for
 * another, and nobody has two. The worker that the shard belongs to, at its end, takes it for good.
 *
 * An exception while the word is held leaves it held and ends the process: a half-changed shard is never taken over.
 */
import { Region, type SharedBytes } from '../base/arena.js';
import { OwnerWord } from '../base/flags.js';

const STRIDE = 16; // words, so that two shards' are not in one cache line
export const MAIN_THREAD = 1;

export function createOwners(shardCount: number): SharedBytes {
  return new Region(shardCount * STRIDE * 4).shared;
}

/** What a worker writes. */
export function ownerOf(worker: number): number {
  return worker + 2;
}

export class Ownership extends OwnerWord {
  /** @param self MAIN_THREAD, which never waits, or a worker's `ownerOf`. */
  constructor(owners: SharedBytes, shard: number, self: number) {
    super(new Int32Array(owners), shard * STRIDE, self);
  }
}
