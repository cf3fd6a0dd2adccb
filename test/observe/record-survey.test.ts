import test from 'ava';
import fc from 'fast-check';
import { RecordHistograms, RecordSurvey } from '../../src/observe/record-survey.js';

const SIZE_MAX = 1024 * 1024; // bytes

/** Buckets and their width, as a tool reads them. */
function parseLinear(text: string): { width: number; buckets: number[] } {
  const [, width, buckets] = text.match(/bucket-width=(\d+):buckets=([\d,]+)$/)!;
  return { width: Number(width), buckets: buckets!.split(',').map(Number) };
}

test('the recorded state gives the recorded texts', t => {
  const histograms = new RecordHistograms();
  t.is(histograms.text('ttl', undefined), undefined);
  for (let shard = 0; shard < 4; shard++) {
    const survey = new RecordSurvey(SIZE_MAX);
    for (let i = 0; i < 5000; i++) survey.add(1, 0, 160);
    histograms.accept(shard, structuredClone(survey.report()));
  }
  const zeros = (count: number) => ',0'.repeat(count);
  t.is(histograms.text('object-size', 1), 'units=bytes:[128-256)=20000');
  t.is(
    histograms.text('ttl', undefined),
    `units=seconds:hist-width=100:bucket-width=1:buckets=20000${zeros(99)}`,
  );
  t.is(
    histograms.text('object-size-linear', undefined),
    `units=bytes:hist-width=1048576:bucket-width=1024:buckets=20000${zeros(1023)}`,
  );
  t.is(histograms.text('object-size', 2), undefined);
});

test('a new report of a shard takes the place of the one before', t => {
  const histograms = new RecordHistograms();
  for (const count of [7, 3]) {
    const survey = new RecordSurvey(SIZE_MAX);
    for (let i = 0; i < count; i++) survey.add(0, 0, 100);
    histograms.accept(0, survey.report());
  }
  t.is(histograms.text('object-size', undefined), 'units=bytes:[64-128)=3');
});

test('every record is in the bucket of its ttl and size, whatever shards and sets it comes from', t =>
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          shard: fc.nat(3),
          set: fc.nat(2),
          ttl: fc.oneof(fc.nat(120), fc.nat(315_360_000)),
          size: fc.nat(SIZE_MAX - 1),
        }),
        { minLength: 1 },
      ),
      fc.option(fc.nat(2), { nil: undefined }),
      (rows, set) => {
        const histograms = new RecordHistograms();
        for (let shard = 0; shard < 4; shard++) {
          const survey = new RecordSurvey(SIZE_MAX);
          for (const row of rows) if (row.shard === shard) survey.add(row.set, row.ttl, row.size);
          histograms.accept(shard, survey.report());
        }
        const wanted = rows.filter(row => set === undefined || row.set === set);
        if (wanted.length === 0) {
          t.is(histograms.text('ttl', set), undefined);
          return;
        }
        for (const [type, field] of [
          ['ttl', 'ttl'],
          ['object-size-linear', 'size'],
        ] as const) {
          const { width, buckets } = parseLinear(histograms.text(type, set)!);
          const counts = new Array(buckets.length).fill(0);
          for (const row of wanted) counts[Math.floor(row[field] / width)] += 1;
          t.deepEqual(buckets, counts);
        }
      },
    ),
    { numRuns: 60 },
  ));
