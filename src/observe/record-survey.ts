/**
 * A survey counts all records of a shard by ttl and size, for each set: the shard's worker walks its index,
 * adds every live record, and sends the report to the main thread, which answers `histogram:` from the latest
 * report of every shard. Reports hold only what isn't zero, since most sets fill few buckets.
 *
 * The ttl buckets start one second wide and double their width whenever a longer ttl comes, so that the
 * widths of all shards fit into each other.
 */
import {
  addLinear,
  addLogarithmic,
  linearBucketWidth,
  linearText,
  logarithmicText,
  SIZE_BUCKET_COUNT,
  SIZE_LOG_BUCKET_COUNT,
  TTL_BUCKET_COUNT,
} from './record-histogram.js';

export type RecordHistogramType = 'ttl' | 'object-size' | 'object-size-linear';

/** What a worker sends: plain data, small enough for a message. */
export interface SurveyReport {
  /** Seconds; a power of two. */
  readonly ttlWidth: number;
  /** Bytes. */
  readonly sizeWidth: number;
  /** Set number (0 is no set) → pairs of a slot and its count; see `TTL_AT` and the next. */
  readonly sets: ReadonlyMap<number, Uint32Array>;
}

// The slots of a set's counts: ttl buckets, sizes by powers of two, sizes linear.
const TTL_AT = 0;
const SIZE_LOG_AT = TTL_AT + TTL_BUCKET_COUNT;
const SIZE_AT = SIZE_LOG_AT + SIZE_LOG_BUCKET_COUNT;
const SLOT_COUNT = SIZE_AT + SIZE_BUCKET_COUNT;

/** The counts of one set, and the three histograms in it. */
interface SetCounts {
  readonly all: Float64Array;
  readonly ttl: Float64Array;
  readonly sizeLog: Float64Array;
  readonly size: Float64Array;
}

/** The worker's side: one walk over one shard. */
export class RecordSurvey {
  readonly #sets = new Map<number, SetCounts>();
  readonly #sizeWidth: number;
  #ttlWidth = 1;

  /** @param sizeMax `max-record-size`, bytes; larger records count as that large. */
  constructor(sizeMax: number) {
    this.#sizeWidth = linearBucketWidth(sizeMax, SIZE_BUCKET_COUNT);
  }

  /**
   * @param ttlSec seconds the record still lives, 0 for ever.
   * @param size   stored bytes.
   */
  add(setId: number, ttlSec: number, size: number): void {
    let counts = this.#sets.get(setId);
    if (counts === undefined) {
      counts = createCounts();
      this.#sets.set(setId, counts);
    }
    while (ttlSec >= this.#ttlWidth * TTL_BUCKET_COUNT) this.#widen();
    addLinear(counts.ttl, this.#ttlWidth, ttlSec);
    addLogarithmic(counts.sizeLog, size);
    addLinear(counts.size, this.#sizeWidth, size);
  }

  report(): SurveyReport {
    const sets = new Map<number, Uint32Array>();
    for (const [setId, { all }] of this.#sets) {
      const pairs: number[] = [];
      for (let slot = 0; slot < SLOT_COUNT; slot++) if (all[slot] !== 0) pairs.push(slot, all[slot]!);
      sets.set(setId, Uint32Array.from(pairs));
    }
    return { ttlWidth: this.#ttlWidth, sizeWidth: this.#sizeWidth, sets };
  }

  /** Doubles the width of the ttl buckets: each pair becomes one. */
  #widen(): void {
    this.#ttlWidth *= 2;
    for (const { ttl } of this.#sets.values()) {
      for (let i = 0; i < TTL_BUCKET_COUNT; i++) {
        ttl[i] = 2 * i + 1 < TTL_BUCKET_COUNT ? ttl[2 * i]! + ttl[2 * i + 1]! : 0;
      }
    }
  }
}

function createCounts(): SetCounts {
  const all = new Float64Array(SLOT_COUNT);
  return {
    all,
    ttl: all.subarray(TTL_AT, SIZE_LOG_AT),
    sizeLog: all.subarray(SIZE_LOG_AT, SIZE_AT),
    size: all.subarray(SIZE_AT),
  };
}

/** The main thread's side: the latest reports of one namespace's shards. */
export class RecordHistograms {
  readonly #reports = new Map<number, SurveyReport>();

  /** @param shard number of the shard that the report is of; it takes the place of the one before. */
  accept(shard: number, report: SurveyReport): void {
    this.#reports.set(shard, report);
  }

  /**
   * The text of `histogram:`, or undefined when no shard has reported or the set has no records.
   * @param setId undefined for the records of all sets and of none.
   */
  text(type: RecordHistogramType, setId: number | undefined): string | undefined {
    const reports = [...this.#reports.values()].filter(({ sets }) => setId === undefined || sets.has(setId));
    if (reports.length === 0) return undefined;
    const rows = reports.map(report => {
      const sets = setId === undefined ? [...report.sets.values()] : [report.sets.get(setId)!];
      return { report, sets };
    });
    if (type === 'object-size') {
      const counts = new Float64Array(SIZE_LOG_BUCKET_COUNT);
      for (const { sets } of rows) addPairs(counts, SIZE_LOG_AT, sets, 1, 1);
      return logarithmicText(counts);
    }
    const isTtl = type === 'ttl';
    const counts = new Float64Array(isTtl ? TTL_BUCKET_COUNT : SIZE_BUCKET_COUNT);
    const widthOf = (report: SurveyReport) => (isTtl ? report.ttlWidth : report.sizeWidth);
    const width = Math.max(...reports.map(widthOf));
    const at = isTtl ? TTL_AT : SIZE_AT;
    for (const { report, sets } of rows) addPairs(counts, at, sets, widthOf(report), width);
    return linearText(isTtl ? 'seconds' : 'bytes', width, counts);
  }
}

/** Adds the slots of one histogram, which begins at `at`; buckets of `width` go into those of `targetWidth`. */
function addPairs(
  counts: Float64Array,
  at: number,
  sets: readonly Uint32Array[],
  width: number,
  targetWidth: number,
): void {
  for (const pairs of sets) {
    for (let i = 0; i < pairs.length; i += 2) {
      const bucket = pairs[i]! - at;
      if (bucket < 0 || bucket >= counts.length) continue;
      counts[Math.floor((bucket * width) / targetWidth)]! += pairs[i + 1]!;
    }
  }
}
