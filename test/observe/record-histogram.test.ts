import test from 'ava';
import * as records from '../../src/observe/record-histogram.js';

test('sizes are listed by powers of two in the reference’s letters', t => {
  const counts = new Float64Array(records.SIZE_LOG_BUCKET_COUNT);
  for (const size of [128, 200, 255, 512, 1023, 1024, 3 * 1024 * 1024]) records.addLogarithmic(counts, size);
  t.is(records.logarithmicText(counts), 'units=bytes:[128-256)=3:[512-1K)=2:[1K-2K)=1:[2M-4M)=1');
  t.is(records.logarithmicText(new Float64Array(32)), 'units=bytes');
});

test('a linear histogram puts what is beyond its end into the last bucket', t => {
  const width = records.linearBucketWidth(1000, records.TTL_BUCKET_COUNT);
  t.is(width, 10);
  const counts = new Float64Array(records.TTL_BUCKET_COUNT);
  for (const ttl of [0, 9, 10, 999, 5000]) records.addLinear(counts, width, ttl);
  const text = records.linearText('seconds', width, counts);
  t.true(text.startsWith('units=seconds:hist-width=1000:bucket-width=10:buckets=2,1,0,'));
  t.true(text.endsWith(',0,2'));
  t.is(records.linearBucketWidth(0, 100), 1);
});
