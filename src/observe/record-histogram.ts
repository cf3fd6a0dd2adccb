/**
 * Histograms over records, for `histogram:`: how long they still live, how large they are. A walk over the
 * index fills them (`nsup-hist-period`); whoever walks owns them. Linear ones have buckets of one width and
 * put what is beyond the last into the last; the logarithmic one has a bucket for each power of two.
 *
 *     units=seconds:hist-width=100:bucket-width=1:buckets=20000,0,0,…
 *     units=bytes:[128-256)=20000:[1K-2K)=7
 *
 * Source: protocol 02, section 14, and the recorded answers.
 */
export const TTL_BUCKET_COUNT = 100;
export const SIZE_BUCKET_COUNT = 1024;
export const SIZE_LOG_BUCKET_COUNT = 32;

/** Width of the buckets of a linear histogram whose last value is `max`; never less than 1. */
export function linearBucketWidth(max: number, bucketCount: number): number {
  return Math.max(1, Math.ceil(max / bucketCount));
}

/** Counts `value` (whole, not negative) in `counts`, whose buckets are `width` wide. */
export function addLinear(counts: Float64Array, width: number, value: number): void {
  const bucket = Math.min(counts.length - 1, Math.floor(value / width));
  counts[bucket]! += 1;
}

/** Counts `size` in the bucket of its power of two; `counts` has `SIZE_LOG_BUCKET_COUNT` slots. */
export function addLogarithmic(counts: Float64Array, size: number): void {
  counts[size > 0 ? 31 - Math.clz32(size) : 0]! += 1;
}

export function linearText(unit: 'seconds' | 'bytes', width: number, counts: Float64Array): string {
  return `units=${unit}:hist-width=${width * counts.length}:bucket-width=${width}:buckets=${counts.join(',')}`;
}

/** Only the buckets that hold something. */
export function logarithmicText(counts: Float64Array): string {
  const rows = Array.from(counts, (count, i) => ({ count, label: `[${sizeLabel(i)}-${sizeLabel(i + 1)})` }));
  return ['units=bytes', ...rows.filter(row => row.count > 0).map(row => `${row.label}=${row.count}`)].join(
    ':',
  );
}

/** 2^power in the reference's letters: 512, 1K, 2K … 1M … 2G. */
function sizeLabel(power: number): string {
  return `${2 ** (power % 10)}${['', 'K', 'M', 'G'][Math.floor(power / 10)]}`;
}
