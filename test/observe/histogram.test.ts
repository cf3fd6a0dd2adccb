import test from 'ava';
import fc from 'fast-check';
import {
  BUCKET_COUNT,
  Histogram,
  HistogramBlock,
  LATENCY_COLUMN_COUNT,
} from '../../src/observe/histogram.js';
import { Latencies } from '../../src/observe/latencies.js';

/** Splits a row into its unit, rate and columns. */
function parseRow(row: string): { name: string; unit: string; perSec: number; columns: number[] } {
  const [name, rest] = [row.slice(0, row.indexOf(':')), row.slice(row.indexOf(':') + 1)];
  const [unit, perSec, ...columns] = rest.split(',');
  return { name, unit: unit!, perSec: Number(perSec), columns: columns.map(Number) };
}

test('a histogram that never counted gives a bare name', t => {
  const histogram = new Histogram('{test}-udf', 'msec', 0);
  t.is(histogram.latenciesRow(1000), '{test}-udf:');
  histogram.closeSlice(10_000);
  t.is(histogram.latenciesRow(11_000), '{test}-udf:');
});

test('the row has the form of the reference', t => {
  const histogram = new Histogram('{test}-read', 'msec', 0);
  for (let i = 0; i < 997; i++) histogram.record(0.1);
  histogram.record(1.5);
  histogram.record(5);
  histogram.record(100_000);
  histogram.closeSlice(10_000);
  t.is(
    histogram.latenciesRow(15_000),
    `{test}-read:msec,100.0,0.30,0.20,0.20,${'0.10,'.repeat(13)}0.10`.replace(/,$/, ''),
  );
});

test('a row speaks of the last closed slice only', t => {
  const histogram = new Histogram('r', 'msec', 0);
  for (let i = 0; i < 50; i++) histogram.record(3);
  histogram.closeSlice(10_000);
  for (let i = 0; i < 200; i++) histogram.record(0.2);
  t.is(parseRow(histogram.latenciesRow(12_000)).perSec, 5);
  histogram.closeSlice(20_000);
  const second = parseRow(histogram.latenciesRow(21_000));
  t.is(second.perSec, 20);
  t.deepEqual(second.columns, new Array(LATENCY_COLUMN_COUNT).fill(0));
  histogram.closeSlice(30_000);
  t.is(parseRow(histogram.latenciesRow(30_000)).perSec, 0);
  t.is(histogram.total(), 250);
});

test('before the first slice is closed a row covers the time since the start', t => {
  const histogram = new Histogram('r', 'msec', 1000);
  for (let i = 0; i < 30; i++) histogram.record(1);
  t.is(parseRow(histogram.latenciesRow(4000)).perSec, 10);
});

for (const [unit, perMs] of [
  ['msec', 1],
  ['usec', 1000],
] as const) {
  test(`${unit}: columns and Prometheus buckets agree with a plain count`, t =>
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1, max: 200_000, noNaN: true }), { minLength: 1 }),
        durations => {
          const histogram = new Histogram('r', unit, 0);
          for (const duration of durations) histogram.record(duration);
          histogram.closeSlice(1000);
          const row = parseRow(histogram.latenciesRow(1000));
          const buckets = histogram.cumulativeBuckets();
          for (let column = 0; column < LATENCY_COLUMN_COUNT; column++) {
            const slower = durations.filter(duration => duration * perMs >= 2 ** column).length;
            t.is(row.columns[column], Number(((slower * 100) / durations.length).toFixed(2)));
            t.deepEqual(buckets[column], { le: 2 ** column, count: durations.length - slower });
          }
          t.deepEqual(buckets.at(-1), { le: Number.POSITIVE_INFINITY, count: durations.length });
        },
      ),
      { numRuns: 50 },
    ));
}

test('a histogram adds up what several threads counted in their blocks', t => {
  const blocks = [HistogramBlock.create(3, 'usec'), HistogramBlock.create(3, 'usec')];
  const reader = new Histogram(
    'r',
    'usec',
    0,
    blocks.map(block => block.slots(1)),
  );
  new HistogramBlock(blocks[0]!.shared).record(1, 2);
  new HistogramBlock(blocks[1]!.shared).record(1, 1e12);
  blocks[1]!.record(0, 5);
  blocks[1]!.record(2, 5);
  t.is(reader.total(), 2);
  const counts = new Float64Array(BUCKET_COUNT);
  reader.snapshot(counts);
  t.is(counts[11], 1);
  t.is(counts[BUCKET_COUNT - 1], 1);
  t.is(reader.sum(), 1e12 + 2);
});

test('the log shows a histogram in powers of two up to its last filled bucket', t => {
  const histogram = new Histogram('r', 'msec', 0);
  for (const ms of [0, 0.5, 0.99, 1, 1.99, 2, 3, 9]) histogram.record(ms);
  t.deepEqual(histogram.dumpBuckets(), [3, 2, 2, 0, 1]);
  const block = HistogramBlock.create(1, 'msec');
  for (const size of [0, 1, 511, 512, 4096]) block.recordSize(0, size);
  const sizes = new Histogram('s', 'bytes', 0, [block.slots(0)]);
  t.deepEqual(sizes.dumpBuckets(), [1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 1]);
});

test('a server lists the reference’s histograms in its order', t => {
  const latencies = new Latencies([{ name: 'test' }, { name: 'dev' }], 'msec', 0);
  t.deepEqual(
    latencies.listed().map(histogram => histogram.name),
    [
      'batch-index',
      ...['test', 'dev'].flatMap(ns =>
        [
          'read',
          'write',
          'udf',
          'batch-sub-read',
          'batch-sub-write',
          'batch-sub-udf',
          'pi-query',
          'si-query',
        ].map(name => `{${ns}}-${name}`),
      ),
    ],
  );
  latencies.ofNamespace('dev').batchSubRead.record(1);
  latencies.closeSlices(1000);
  t.regex(
    latencies.ofNamespace('dev').batchSubRead.latenciesRow(1000),
    /^\{dev\}-batch-sub-read:msec,1\.0,100\.00,/,
  );
  t.throws(() => latencies.ofNamespace('nope'));
});
