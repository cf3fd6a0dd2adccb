/**
 * Who uses a shard's memory at this moment: a word a shard, changed by compare-and-swap. Its two writers are the
 * worker that the shard belongs to and the main thread, which executes short commands itself (in-place.ts). Each has
 * the word while it executes one command, takes in what a device has answered, or looks after the shard for a moment;
 * nothing in that time waits for the other. The worker, at its end, takes it for good.
 *
 * An exception while the word is held leaves it held and ends the process: a half-changed shard is never taken over.
 */
import { Region, type SharedBytes } from '../base/arena.js';
import { OwnerWord } from '../base/flags.js';

const STRIDE = 16; // words, so that two shards' are not in one cache line
export const WORKER = 1;
export const MAIN_THREAD = 2;

export function createOwners(shardCount: number): SharedBytes {
  return new Region(shardCount * STRIDE * 4).shared;
}

export class Ownership extends OwnerWord {
  /** @param self WORKER or MAIN_THREAD, which never waits. */
  constructor(owners: SharedBytes, shard: number, self: number) {
    super(new Int32Array(owners), shard * STRIDE, self);
  }
}
