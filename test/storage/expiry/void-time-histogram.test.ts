import test from 'ava';
import fc from 'fast-check';
import { type EvictionNeed, VoidTimeHistogram } from '../../../src/storage/expiry/void-time-histogram.js';

const FROM = 1_000_000;
const ALL: EvictionNeed = { countMax: Number.POSITIVE_INFINITY, count: Number.POSITIVE_INFINITY, bytes: 0 };

interface Expiring {
  readonly ttl: number;
  readonly bytes: number;
}

const records = fc.array(
  fc.record({
    ttl: fc.oneof(fc.nat(50), fc.nat(5000), fc.nat(315_360_000)),
    bytes: fc.nat(5000).map(units => units * 16),
  }),
  { minLength: 1, maxLength: 300 },
);
const limits = fc.record({
  countMax: fc.nat(200),
  count: fc.oneof(fc.nat(200), fc.constant(Number.POSITIVE_INFINITY)),
  bytes: fc.oneof(fc.nat(1_000_000), fc.constant(0)),
});

function histogramOf(expiring: readonly Expiring[], bucketCount: number): VoidTimeHistogram {
  const histogram = new VoidTimeHistogram(FROM, bucketCount);
  for (const { ttl, bytes } of expiring) histogram.add(FROM + ttl, bytes);
  return histogram;
}

const through = (expiring: readonly Expiring[], voidTimeSec: number): readonly Expiring[] =>
  expiring.filter(({ ttl }) => FROM + ttl <= voidTimeSec);

const bytesOf = (expiring: readonly Expiring[]): number =>
  expiring.reduce((sum, { bytes }) => sum + bytes, 0);

test('a depth takes what it says, no more than may go, and no bucket more than is needed', t =>
  fc.assert(
    fc.property(records, limits, fc.integer({ min: 2, max: 200 }), (expiring, need, bucketCount) => {
      const histogram = histogramOf(expiring, bucketCount);
      const { width } = histogram.report();
      const { voidTimeSec, count, bytes, tooFull } = histogram.depthFor(need);
      const gone = through(expiring, voidTimeSec);
      t.is(gone.length, count);
      t.is(bytesOf(gone), bytes);
      t.true(count <= need.countMax);
      const lastBucket = gone.filter(({ ttl }) => FROM + ttl > voidTimeSec - width);
      t.is(count === 0, lastBucket.length === 0, 'it ends with a bucket that holds something');
      if (count > 0) {
        const before = gone.length - lastBucket.length;
        const isNeeded = before < need.count || bytes - bytesOf(lastBucket) < need.bytes;
        t.true(before === 0 || isNeeded);
      }
      if (count < need.count || bytes < need.bytes) {
        const rest = expiring.filter(({ ttl }) => FROM + ttl > voidTimeSec);
        const first = Math.min(...rest.map(({ ttl }) => Math.floor(ttl / width)));
        const next = rest.filter(({ ttl }) => Math.floor(ttl / width) === first);
        t.true(next.length === 0 || count + next.length > need.countMax, 'it stops for a reason');
      }
      if (tooFull !== undefined) {
        t.is(count, 0);
        const within = expiring.filter(
          ({ ttl }) => FROM + ttl >= tooFull.fromSec && FROM + ttl < tooFull.fromSec + tooFull.widthSec,
        );
        t.is(within.length, tooFull.count);
        t.is(through(expiring, tooFull.fromSec - 1).length, 0);
      }
    }),
  ));

test('what several histograms have counted is as if one had', t =>
  fc.assert(
    fc.property(
      fc.array(records, { maxLength: 4 }),
      fc.integer({ min: 2, max: 64 }),
      (parts, bucketCount) => {
        const merged = new VoidTimeHistogram(FROM, bucketCount);
        for (const part of parts) merged.merge(histogramOf(part, bucketCount).report());
        t.deepEqual(merged.report(), histogramOf(parts.flat(), bucketCount).report());
      },
    ),
  ));

test('a bucket is one second wide as long as the void-times let it, and then a power of two', t => {
  t.is(histogramOf([{ ttl: 99, bytes: 16 }], 100).report().width, 1);
  t.is(histogramOf([{ ttl: 100, bytes: 16 }], 100).report().width, 2);
  t.is(histogramOf([{ ttl: 315_360_000, bytes: 16 }], 10_000).report().width, 32_768);
  const { voidTimeSec } = histogramOf([{ ttl: 7, bytes: 16 }], 100).depthFor(ALL);
  t.is(voidTimeSec, FROM + 7, 'the void-time of the record itself');
});

test('an empty one has nothing to evict', t => {
  t.deepEqual(new VoidTimeHistogram(FROM, 10).depthFor(ALL), { voidTimeSec: 0, count: 0, bytes: 0 });
});
