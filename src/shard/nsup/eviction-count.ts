/**
 * Counts for eviction: the main thread asks for one, in shared memory, and the next cycle of each worker's expiration
 * counts along the records that may be evicted. What is asked for is one thing at a time.
 */
import { Region, type SharedBytes } from '../../base/arena.js';
import { SharedVersion } from '../../base/flags.js';
import type { VoidTimeCounts } from '../../storage/expiry/void-time-histogram.js';

/** Float64 words; the first holds the number. */
const FROM = 1;
const UNTIL = 2;
const LUT = 3;
const BUCKETS = 4;
const WORDS = 5;

export interface EvictionCountRequest {
  /** The second at which the histogram begins, and the last void-time that counts. */
  readonly fromSec: number;
  readonly untilSec: number;
  /** Records that were written later do not count. */
  readonly lutMs: number;
  readonly bucketCount: number;
}

/** What a worker has counted in its shards of a namespace. */
export interface EvictionCountReport {
  readonly namespace: number;
  readonly number: number;
  readonly counts: VoidTimeCounts;
}

export function createEvictionCount(): SharedBytes {
  return new Region(WORDS * 8).shared;
}

/** One namespace's, written by the main thread between two counts alone: each worker has reported of the one before. */
export class EvictionCount {
  readonly #words: Float64Array;
  readonly #number: SharedVersion;

  constructor(shared: SharedBytes) {
    const region = new Region(shared);
    this.#words = region.f64;
    this.#number = new SharedVersion(region.i32, 0);
  }

  /** Of the count that was asked for last; 0 before the first. */
  get number(): number {
    return this.#number.value;
  }

  /** Asks for another one. */
  ask({ fromSec, untilSec, lutMs, bucketCount }: EvictionCountRequest): void {
    this.#words[FROM] = fromSec;
    this.#words[UNTIL] = untilSec;
    this.#words[LUT] = lutMs;
    this.#words[BUCKETS] = bucketCount;
    this.#number.raise();
  }

  request(): EvictionCountRequest {
    return {
      fromSec: this.#words[FROM]!,
      untilSec: this.#words[UNTIL]!,
      lutMs: this.#words[LUT]!,
      bucketCount: this.#words[BUCKETS]!,
    };
  }
}
