/**
 * A latency histogram: 34 buckets, each twice as wide as the one before, one increment an observation.
 *
 * Times are counted in ticks, and the tick is chosen so that the columns of a `latencies:` row fall
 * exactly between buckets: 1/1024 ms for rows in msec, 1 µs for rows in usec (`microsecond-histograms`).
 *
 *     bucket   0      1      2       3       …   k                  …   33
 *     ticks    0      1      2–3     4–7     …   2^(k-1) – 2^k - 1  …   2^32 and more
 *
 * One thread writes, others may look (see `counters.ts` for what they see). The rates of a row come from the
 * last closed slice, since a mean over the life of a server says nothing: somebody calls `closeSlice` every
 * 10 seconds or so.
 * Source of the row: protocol 02, section 14.
 */
import { Region, type SharedBytes } from '../base/arena.js';

export const BUCKET_COUNT = 34;
/** Columns of a `latencies:` row: shares slower than 1, 2, 4 … 65,536 units. */
export const LATENCY_COLUMN_COUNT = 17;
const SUM = BUCKET_COUNT; // slot of the sum of all observed milliseconds
const SLOT_COUNT = BUCKET_COUNT + 1;

export type LatencyUnit = 'msec' | 'usec';
/** A tick's share of a millisecond, and the bucket from which on an observation is slower than 1 unit. */
const UNITS = {
  msec: { ticksPerMs: 1024, columnBucket: 11 },
  usec: { ticksPerMs: 1000, columnBucket: 1 },
} as const;

/** One row of a Prometheus histogram: observations of at most `le`, in the histogram's unit. */
export interface CumulativeBucket {
  readonly le: number;
  readonly count: number;
}

export class Histogram {
  readonly name: string;
  readonly unit: LatencyUnit;
  readonly shared: SharedBytes;
  readonly #slots: Float64Array;
  readonly #ticksPerMs: number;
  readonly #columnBucket: number;
  /** Counts at the two ends of the last closed slice; the second is the start of the open one. */
  #sliceStart = new Float64Array(BUCKET_COUNT);
  #sliceEnd = new Float64Array(BUCKET_COUNT);
  #sliceMs = 0;
  #sliceEndMs: number;

  /**
   * @param nowMs  monotonic milliseconds: where the first slice begins.
   * @param source shared bytes of a histogram made by another thread, if this is a second view of it.
   */
  constructor(name: string, unit: LatencyUnit, nowMs: number, source?: SharedBytes) {
    const region = new Region(source ?? SLOT_COUNT * Float64Array.BYTES_PER_ELEMENT);
    this.name = name;
    this.unit = unit;
    this.shared = region.shared;
    this.#slots = region.f64;
    this.#ticksPerMs = UNITS[unit].ticksPerMs;
    this.#columnBucket = UNITS[unit].columnBucket;
    this.#sliceEndMs = nowMs;
  }

  /** Counts one observation. A negative duration (a clock read in the wrong order) counts as none. */
  record(durationMs: number): void {
    const ticks = durationMs * this.#ticksPerMs;
    // clz32 works modulo 2^32, so longer durations are sorted out first: 48 days or 71 minutes.
    const bucket = ticks >= 4_294_967_296 ? BUCKET_COUNT - 1 : ticks > 0 ? 32 - Math.clz32(ticks) : 0;
    this.#slots[bucket]! += 1;
    if (durationMs > 0) this.#slots[SUM]! += durationMs;
  }

  /** Observations since the start. */
  total(): number {
    let total = 0;
    for (let bucket = 0; bucket < BUCKET_COUNT; bucket++) total += this.#slots[bucket]!;
    return total;
  }

  /** Milliseconds of all observations together. */
  sumMs(): number {
    return this.#slots[SUM]!;
  }

  /** Copies the counts of all buckets since the start into `out`, at least `BUCKET_COUNT` long. */
  snapshot(out: Float64Array): void {
    out.set(this.#slots.subarray(0, BUCKET_COUNT));
  }

  /** Ends the open slice at `nowMs` (monotonic) and opens the next one; `latenciesRow` speaks of the closed one. */
  closeSlice(nowMs: number): void {
    const start = this.#sliceEnd;
    this.#sliceEnd = this.#sliceStart;
    this.#sliceStart = start;
    this.snapshot(this.#sliceEnd);
    this.#sliceMs = nowMs - this.#sliceEndMs;
    this.#sliceEndMs = nowMs;
  }

  /**
   * The row of `latencies:`: `name:msec,<ops/sec>,<17 percentages>`. A histogram that has never counted is
   * inactive and gives `name:`. Before the first slice is closed the row covers the time since the start.
   */
  latenciesRow(nowMs: number): string {
    if (this.total() === 0) return `${this.name}:`;
    const counts = new Float64Array(BUCKET_COUNT);
    let spanMs = this.#sliceMs;
    if (spanMs > 0) {
      for (let i = 0; i < BUCKET_COUNT; i++) counts[i] = this.#sliceEnd[i]! - this.#sliceStart[i]!;
    } else {
      this.snapshot(counts);
      spanMs = nowMs - this.#sliceEndMs;
    }
    const total = counts.reduce((sum, count) => sum + count, 0);
    const perSec = spanMs > 0 ? (total * 1000) / spanMs : 0;
    const columns = [];
    for (let column = 0; column < LATENCY_COLUMN_COUNT; column++) {
      let slower = 0;
      for (let i = this.#columnBucket + column; i < BUCKET_COUNT; i++) slower += counts[i]!;
      columns.push((total > 0 ? (slower * 100) / total : 0).toFixed(2));
    }
    return `${this.name}:${this.unit},${perSec.toFixed(1)},${columns.join(',')}`;
  }

  /**
   * Cumulative buckets since the start for Prometheus, at the same 17 bounds as the columns of a row (the names
   * `…_ms_bucket` of the reference's exporter), and last the one of +Infinity, which is the total.
   */
  cumulativeBuckets(): CumulativeBucket[] {
    const rows: CumulativeBucket[] = [];
    let count = 0;
    for (let bucket = 0; bucket < BUCKET_COUNT; bucket++) {
      const column = bucket - this.#columnBucket;
      if (column >= 0 && column < LATENCY_COLUMN_COUNT) rows.push({ le: 2 ** column, count });
      count += this.#slots[bucket]!;
    }
    rows.push({ le: Number.POSITIVE_INFINITY, count });
    return rows;
  }
}
