/**
 * A histogram of latencies whose buckets keep their relative width: the first 128 microseconds have a
 * bucket each, from there every doubling is cut into 64, so that a value read back is at most 1.6 % too
 * high. It lies in memory that the caller gives, so that a worker thread records and the main thread reads.
 *
 *   value (µs)    0 … 127 | 128 … 255 | 256 … 511 | …
 *   bucket width      1   |     2     |     4     | …
 */
const STEP_BITS = 6;
const STEPS = 1 << STEP_BITS; // buckets in a doubling
const LINEAR = STEPS * 2; // values below this have a bucket each
const DOUBLINGS = 20;
const VALUE_MAX = LINEAR * 2 ** DOUBLINGS - 1; // µs, about 134 seconds; larger ones are counted there

export const BUCKET_COUNT = LINEAR + STEPS * DOUBLINGS;

/** Bucket of a value in microseconds (negative and fractional ones are allowed). */
export function bucketOf(valueUs: number): number {
  if (!(valueUs > 0)) return 0;
  const value = valueUs > VALUE_MAX ? VALUE_MAX : valueUs | 0;
  if (value < LINEAR) return value;
  const shift = 31 - Math.clz32(value) - STEP_BITS;
  return shift * STEPS + (value >>> shift);
}

/** Highest whole microsecond that the bucket holds. */
export function bucketTop(bucket: number): number {
  if (bucket < LINEAR) return bucket;
  const shift = Math.floor(bucket / STEPS) - 1;
  return ((bucket % STEPS) + STEPS + 1) * 2 ** shift - 1;
}

/** Adds the counts of `from` to `into`; both have BUCKET_COUNT elements. */
export function addCounts(into: Float64Array, from: ArrayLike<number>): void {
  for (let i = 0; i < BUCKET_COUNT; i++) into[i] = into[i]! + from[i]!;
}

/**
 * The value that `percent` of the counted values do not exceed, in microseconds; 0 when nothing was counted.
 * @param counts  BUCKET_COUNT elements.
 * @param percent 0 … 100.
 */
export function percentile(counts: ArrayLike<number>, percent: number): number {
  let total = 0;
  for (let i = 0; i < BUCKET_COUNT; i++) total += counts[i]!;
  if (total === 0) return 0;
  const wanted = Math.max(1, Math.ceil((total * percent) / 100 - 1e-9));
  let seen = 0;
  for (let i = 0; i < BUCKET_COUNT; i++) {
    seen += counts[i]!;
    if (seen >= wanted) return bucketTop(i);
  }
  return VALUE_MAX;
}
