/**
 * How many records expire when, and the bytes that they take: what eviction goes by. Buckets start one second wide and
 * double their width whenever a later void-time comes, so that those of several shards fit into each other.
 */

/** What a worker sends: buckets from the first one to the last that holds something. */
export interface VoidTimeCounts {
  /** Seconds; a power of two. */
  readonly width: number;
  readonly counts: Float64Array;
  readonly bytes: Float64Array;
}

/** What an eviction may take and what it has to; it ends at whichever comes first. */
export interface EvictionNeed {
  readonly countMax: number;
  /** Records and bytes that have to go; both, and infinite where nobody knows. */
  readonly count: number;
  readonly bytes: number;
}

/** How deep an eviction goes. */
export interface EvictionDepth {
  /** Records with this void-time or an earlier one go; 0: none do. */
  readonly voidTimeSec: number;
  readonly count: number;
  readonly bytes: number;
  /** The bucket that would have gone next but holds more than may go, when nothing else is left to take; else undefined. */
  readonly tooFull?: { readonly fromSec: number; readonly widthSec: number; readonly count: number };
}

export class VoidTimeHistogram {
  readonly #fromSec: number;
  readonly #counts: Float64Array;
  readonly #bytes: Float64Array;
  #width = 1;
  #used = 0;

  /** @param fromSec Void-times below it are counted as this one. Seconds since 2010. */
  constructor(fromSec: number, bucketCount: number) {
    this.#fromSec = fromSec;
    this.#counts = new Float64Array(bucketCount);
    this.#bytes = new Float64Array(bucketCount);
  }

  add(voidTimeSec: number, bytes: number): void {
    const ahead = Math.max(0, voidTimeSec - this.#fromSec);
    while (ahead >= this.#width * this.#counts.length) this.#widen();
    this.#put(Math.floor(ahead / this.#width), 1, bytes);
  }

  report(): VoidTimeCounts {
    return {
      width: this.#width,
      counts: this.#counts.slice(0, this.#used),
      bytes: this.#bytes.slice(0, this.#used),
    };
  }

  /** Adds what another histogram from the same second on has counted. */
  merge({ width, counts, bytes }: VoidTimeCounts): void {
    while (this.#width < width || counts.length * width > this.#width * this.#counts.length) this.#widen();
    for (let i = 0; i < counts.length; i++) {
      if (counts[i] !== 0) this.#put(Math.floor((i * width) / this.#width), counts[i]!, bytes[i]!);
    }
  }

  /** Whole buckets, the earliest void-times first, as many as are needed and as may go. */
  depthFor(need: EvictionNeed): EvictionDepth {
    let voidTimeSec = 0;
    let count = 0;
    let bytes = 0;
    for (let i = 0; i < this.#used; i++) {
      const own = this.#counts[i]!;
      if (own === 0) continue;
      if (count > 0 && count >= need.count && bytes >= need.bytes) break;
      const fromSec = this.#fromSec + i * this.#width;
      if (count + own > need.countMax) {
        const tooFull = { fromSec, widthSec: this.#width, count: own };
        return count === 0 ? { voidTimeSec, count, bytes, tooFull } : { voidTimeSec, count, bytes };
      }
      count += own;
      bytes += this.#bytes[i]!;
      voidTimeSec = fromSec + this.#width - 1;
    }
    return { voidTimeSec, count, bytes };
  }

  #put(bucket: number, count: number, bytes: number): void {
    this.#counts[bucket]! += count;
    this.#bytes[bucket]! += bytes;
    if (bucket >= this.#used) this.#used = bucket + 1;
  }

  /** Each pair of buckets becomes one. */
  #widen(): void {
    this.#width *= 2;
    const half = Math.ceil(this.#used / 2);
    for (const values of [this.#counts, this.#bytes]) {
      for (let i = 0; i < half; i++) values[i] = values[2 * i]! + (values[2 * i + 1] ?? 0);
      values.fill(0, half, this.#used);
    }
    this.#used = half;
  }
}
