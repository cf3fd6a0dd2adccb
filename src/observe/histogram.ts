/**
 * A latency histogram: 34 buckets, each twice as wide as the one before, one increment an observation.
 *
 * Times are counted in ticks, and the tick is chosen so that the columns of a `latencies:` row fall
 * exactly between buckets: 1/1024 ms for rows in msec, 1 µs for rows in usec (`microsecond-histograms`).
 *
 *     bucket   0      1      2       3       …   k                  …   33
 *     ticks    0      1      2–3     4–7     …   2^(k-1) – 2^k - 1  …   2^32 and more
 *
 * One thread writes, others may look (see `counters.ts` for what they see). Histograms that several threads fill are
 * blocks of shared memory, one a thread (`HistogramBlock`), and the main thread's `Histogram` is their sum. The rates of a row come from the
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
/** Of histograms that are not about time, observations count as they are. */
export type HistogramUnit = LatencyUnit | 'bytes';
/** A tick's share of a millisecond, and the bucket from which on an observation is slower than 1 unit. */
const UNITS = {
  msec: { ticksPerMs: 1024, columnBucket: 11 },
  usec: { ticksPerMs: 1000, columnBucket: 1 },
  bytes: { ticksPerMs: 1, columnBucket: 1 },
} as const;

/** One row of a Prometheus histogram: observations of at most `le`, in the histogram's unit. */
export interface CumulativeBucket {
  readonly le: number;
  readonly count: number;
}

/** Counts `times` observations in the histogram whose slots begin at `at`. */
function count(slots: Float64Array, at: number, value: number, ticksPerUnit: number, times = 1): void {
  const ticks = value * ticksPerUnit;
  // clz32 works modulo 2^32, so longer durations are sorted out first: 48 days or 71 minutes.
  const bucket = ticks >= 4_294_967_296 ? BUCKET_COUNT - 1 : ticks > 0 ? 32 - Math.clz32(ticks) : 0;
  slots[at + bucket]! += times;
  if (value > 0) slots[at + SUM]! += value * times;
}

/**
 * The histograms of one writer, by number, in one piece of shared memory: slot 0 is the ticks of a millisecond, so
 * that the writer need not be told the unit. Made by the main thread, written by the thread it is sent to.
 */
export class HistogramBlock {
  readonly shared: SharedBytes;
  readonly #slots: Float64Array;

  constructor(shared: SharedBytes) {
    this.shared = shared;
    this.#slots = new Region(shared).f64;
  }

  static create(histogramCount: number, unit: LatencyUnit): HistogramBlock {
    const { shared, f64 } = new Region((1 + histogramCount * SLOT_COUNT) * Float64Array.BYTES_PER_ELEMENT);
    f64[0] = UNITS[unit].ticksPerMs;
    return new HistogramBlock(shared);
  }

  /** Counts a duration in histogram `number`, `times` times. */
  record(number: number, durationMs: number, times = 1): void {
    count(this.#slots, 1 + number * SLOT_COUNT, durationMs, this.#slots[0]!, times);
  }

  /** Counts something that is no time. */
  recordSize(number: number, size: number): void {
    count(this.#slots, 1 + number * SLOT_COUNT, size, 1);
  }

  /** The slots of one histogram, to make part of a sum. */
  slots(number: number): Float64Array {
    return this.#slots.subarray(1 + number * SLOT_COUNT, 1 + (number + 1) * SLOT_COUNT);
  }
}

export class Histogram {
  readonly name: string;
  readonly unit: HistogramUnit;
  /** Those that it adds up; `record` counts in the first, which nobody else may write then. */
  readonly #sources: readonly Float64Array[];
  readonly #ticksPerMs: number;
  readonly #columnBucket: number;
  /** Counts at the two ends of the last closed slice; the second is the start of the open one. */
  #sliceStart = new Float64Array(BUCKET_COUNT);
  #sliceEnd = new Float64Array(BUCKET_COUNT);
  #sliceMs = 0;
  #sliceEndMs: number;

  /**
   * @param nowMs   monotonic milliseconds: where the first slice begins.
   * @param sources what other threads count, to be added up; without them it has one of its own.
   */
  constructor(name: string, unit: HistogramUnit, nowMs: number, sources?: readonly Float64Array[]) {
    this.name = name;
    this.unit = unit;
    this.#sources = sources ?? [new Float64Array(SLOT_COUNT)];
    this.#ticksPerMs = UNITS[unit].ticksPerMs;
    this.#columnBucket = UNITS[unit].columnBucket;
    this.#sliceEndMs = nowMs;
  }

  /** Counts `times` observations. A negative duration (a clock read in the wrong order) counts as none. */
  record(durationMs: number, times = 1): void {
    count(this.#sources[0]!, 0, durationMs, this.#ticksPerMs, times);
  }

  /** Observations since the start. */
  total(): number {
    let total = 0;
    for (const slots of this.#sources) {
      for (let bucket = 0; bucket < BUCKET_COUNT; bucket++) total += slots[bucket]!;
    }
    return total;
  }

  /** Milliseconds (bytes) of all observations together. */
  sum(): number {
    return this.#sources.reduce((sum, slots) => sum + slots[SUM]!, 0);
  }

  /** Copies the counts of all buckets since the start into `out`, at least `BUCKET_COUNT` long. */
  snapshot(out: Float64Array): void {
    out.fill(0, 0, BUCKET_COUNT);
    for (const slots of this.#sources) {
      for (let bucket = 0; bucket < BUCKET_COUNT; bucket++) out[bucket]! += slots[bucket]!;
    }
  }

  /**
   * Counts since the start as the log shows them: bucket 0 is below 1 unit, bucket k below 2^k, up to the last one
   * that is not empty.
   */
  dumpBuckets(): number[] {
    const counts = new Float64Array(BUCKET_COUNT);
    this.snapshot(counts);
    const buckets = [0];
    for (let i = 0; i < BUCKET_COUNT; i++) {
      const bucket = Math.max(0, i - this.#columnBucket + 1);
      while (buckets.length <= bucket) buckets.push(0);
      buckets[bucket]! += counts[i]!;
    }
    while (buckets.length > 1 && buckets.at(-1) === 0) buckets.pop();
    return buckets;
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
    const counts = new Float64Array(BUCKET_COUNT);
    this.snapshot(counts);
    let count = 0;
    for (let bucket = 0; bucket < BUCKET_COUNT; bucket++) {
      const column = bucket - this.#columnBucket;
      if (column >= 0 && column < LATENCY_COLUMN_COUNT) rows.push({ le: 2 ** column, count });
      count += counts[bucket]!;
    }
    rows.push({ le: Number.POSITIVE_INFINITY, count });
    return rows;
  }
}
