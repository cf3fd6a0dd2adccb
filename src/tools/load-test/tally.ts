/**
 * What one thread of the load test has counted. It lies in shared memory: the thread is its one writer, the
 * main thread reads it every second without asking. A read may see a count a moment old; the last one, after
 * the thread said that it is done, is exact.
 */
import { Region, type SharedBytes } from '../../base/arena.js';
import { addCounts, BUCKET_COUNT, bucketOf } from './histogram.js';

/** Counts, each an f64, in this order. */
export const COUNT_NAMES = [
  'reads', // answered reads; a batch is one
  'writes',
  'records', // records read or written; each row of a batch
  'timeouts', // requests given up on the client's side
  'connectionsBroken',
  'badFrames', // bytes that are no answer
  'badValues', // verified reads whose value was never written
  'connectionsOpened',
  'missed', // scheduled requests that were not sent before the end
] as const;
export type CountName = (typeof COUNT_NAMES)[number];

/** Latencies are kept apart by what was asked; `lag` is how late the generator itself was, with a connection free. */
export const HISTOGRAM_NAMES = ['read', 'write', 'lag'] as const;
export type HistogramName = (typeof HISTOGRAM_NAMES)[number];

const CODE_COUNT = 256;
const MAX_AT = COUNT_NAMES.length; // f64 index of the largest latencies, one for each histogram
const CODES_AT = (MAX_AT + HISTOGRAM_NAMES.length) * 2; // u32 index; codes of reads, then of writes
const HISTOGRAMS_AT = CODES_AT + 2 * CODE_COUNT; // u32 index
const SIZE = (HISTOGRAMS_AT + HISTOGRAM_NAMES.length * BUCKET_COUNT) * 4; // bytes

/** The writer's side, and a view for the reader. */
export class Tally {
  readonly #region: Region;

  constructor(source?: SharedBytes) {
    this.#region = new Region(source ?? SIZE);
  }

  get shared(): SharedBytes {
    return this.#region.shared;
  }

  add(name: CountName, by = 1): void {
    const at = COUNT_NAMES.indexOf(name);
    this.#region.f64[at] = this.#region.f64[at]! + by;
  }

  get(name: CountName): number {
    return this.#region.f64[COUNT_NAMES.indexOf(name)]!;
  }

  addCode(isRead: boolean, code: number): void {
    const at = CODES_AT + (isRead ? 0 : CODE_COUNT) + code;
    this.#region.u32[at] = this.#region.u32[at]! + 1;
  }

  codes(isRead: boolean): Uint32Array {
    const at = CODES_AT + (isRead ? 0 : CODE_COUNT);
    return this.#region.u32.subarray(at, at + CODE_COUNT);
  }

  addLatency(name: HistogramName, latencyMs: number): void {
    const histogram = HISTOGRAM_NAMES.indexOf(name);
    const at = HISTOGRAMS_AT + histogram * BUCKET_COUNT + bucketOf(latencyMs * 1000);
    this.#region.u32[at] = this.#region.u32[at]! + 1;
    if (latencyMs > this.maxMs(name)) this.#region.f64[MAX_AT + histogram] = latencyMs;
  }

  histogram(name: HistogramName): Uint32Array {
    const at = HISTOGRAMS_AT + HISTOGRAM_NAMES.indexOf(name) * BUCKET_COUNT;
    return this.#region.u32.subarray(at, at + BUCKET_COUNT);
  }

  maxMs(name: HistogramName): number {
    return this.#region.f64[MAX_AT + HISTOGRAM_NAMES.indexOf(name)]!;
  }
}

/** The sum of several tallies at one moment, in memory of its own. */
export class Totals {
  readonly counts: Record<CountName, number>;
  readonly codes: { read: Float64Array; write: Float64Array };
  readonly histograms: Record<HistogramName, Float64Array>;
  readonly maxMs: Record<HistogramName, number>;

  constructor(tallies: readonly Tally[]) {
    const each = <N extends string, V>(names: readonly N[], value: (name: N) => V) =>
      Object.fromEntries(names.map(name => [name, value(name)])) as Record<N, V>;
    this.counts = each(COUNT_NAMES, name => tallies.reduce((sum, tally) => sum + tally.get(name), 0));
    this.codes = { read: sumOfCodes(tallies, true), write: sumOfCodes(tallies, false) };
    this.histograms = each(HISTOGRAM_NAMES, name => {
      const sum = new Float64Array(BUCKET_COUNT);
      for (const tally of tallies) addCounts(sum, tally.histogram(name));
      return sum;
    });
    this.maxMs = each(HISTOGRAM_NAMES, name => Math.max(0, ...tallies.map(tally => tally.maxMs(name))));
  }

  /** Latencies recorded since `earlier`. */
  histogramSince(earlier: Totals, name: HistogramName): Float64Array {
    return this.histograms[name].map((count, i) => count - earlier.histograms[name][i]!);
  }
}

function sumOfCodes(tallies: readonly Tally[], isRead: boolean): Float64Array {
  const sum = new Float64Array(CODE_COUNT);
  for (const tally of tallies) {
    const codes = tally.codes(isRead);
    for (let code = 0; code < CODE_COUNT; code++) sum[code] = sum[code]! + codes[code]!;
  }
  return sum;
}
