import test from 'ava';
import fc from 'fast-check';
import {
  addCounts,
  BUCKET_COUNT,
  bucketOf,
  bucketTop,
  percentile,
} from '../../../src/tools/load-test/histogram.js';

test('a bucket holds a value and is at most 1.6 % wide', t => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 130_000_000 }), value => {
      const top = bucketTop(bucketOf(value));
      return top >= value && top <= value * 1.016 + 1;
    }),
  );
  t.pass();
});

test('buckets follow each other without gap or overlap', t => {
  for (let bucket = 0; bucket < BUCKET_COUNT - 1; bucket++) {
    t.is(bucketOf(bucketTop(bucket)), bucket);
    t.is(bucketOf(bucketTop(bucket) + 1), bucket + 1);
  }
});

test('values out of range fall into the first and the last bucket', t => {
  t.is(bucketOf(-5), 0);
  t.is(bucketOf(Number.NaN), 0);
  t.is(bucketOf(1e15), BUCKET_COUNT - 1);
});

test('percentiles agree with the sorted list to a bucket', t => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 5_000_000 }), { minLength: 1, maxLength: 300 }),
      fc.constantFrom(0, 50, 90, 99, 99.9, 100),
      (values, percent) => {
        const counts = new Float64Array(BUCKET_COUNT);
        for (const value of values) counts[bucketOf(value)]! += 1;
        const sorted = values.toSorted((a, b) => a - b);
        const exact = sorted[Math.max(1, Math.ceil((values.length * percent) / 100 - 1e-9)) - 1]!;
        return bucketOf(percentile(counts, percent)) === bucketOf(exact);
      },
    ),
  );
  t.is(percentile(new Float64Array(BUCKET_COUNT), 99), 0);
});

test('sums of histograms are histograms of all values', t => {
  const one = new Float64Array(BUCKET_COUNT);
  const other = new Uint32Array(BUCKET_COUNT);
  one[bucketOf(10)] = 3;
  other[bucketOf(10)] = 2;
  other[bucketOf(90_000)] = 5;
  addCounts(one, other);
  t.is(one[bucketOf(10)], 5);
  t.is(percentile(one, 50), 10);
  t.is(bucketOf(percentile(one, 51)), bucketOf(90_000));
});
