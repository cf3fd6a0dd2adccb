import { createHash } from 'node:crypto';
import test from 'ava';
import { RecordHistograms } from '../../src/observe/record-survey.js';
import { type SurveyMessage, SurveyWalk } from '../../src/shard/survey-walk.js';
import { TOMBSTONE } from '../../src/storage/index/entry.js';
import { PrimaryIndex } from '../../src/storage/index/primary-index.js';

const PARTITIONS = Uint16Array.from({ length: 256 }, (_, i) => i * 16);
const NOW_SEC = 1000;

/** A digest in one of the shard's partitions. */
function digestOf(n: number): Uint8Array {
  const digest = createHash('sha1').update(`${n}`).digest();
  digest[0]! &= 0xf0;
  return digest;
}

interface Fixture {
  readonly index: PrimaryIndex;
  readonly walk: SurveyWalk;
  readonly messages: SurveyMessage[];
  period: number;
}

function createFixture(): Fixture {
  const index = new PrimaryIndex({ partitions: PARTITIONS });
  const messages: SurveyMessage[] = [];
  const shard = {
    namespace: 2,
    number: 5,
    partitions: PARTITIONS,
    index,
    ownership: null,
    sizeMax: () => 1024 * 1024,
    periodSec: () => fixture.period,
  };
  const fixture = {
    index,
    messages,
    period: 10,
    walk: new SurveyWalk([shard], message => messages.push(message)),
  };
  return fixture;
}

function put(index: PrimaryIndex, n: number, setId: number, size: number, voidTimeSec: number): number {
  const handle = index.insert(digestOf(n), 0);
  index.setSetId(handle, setId);
  index.setSize(handle, size);
  index.setVoidTime(handle, voidTimeSec);
  return handle;
}

/** Steps until nothing is left to do. */
function finish({ walk }: Fixture, nowMs: number): number {
  let steps = 0;
  while (walk.step(nowMs, NOW_SEC)) steps++;
  return steps;
}

test('a survey counts live records and nothing else', t => {
  const fixture = createFixture();
  const { index, messages } = fixture;
  for (let n = 0; n < 3000; n++) put(index, n, 1 + (n % 2), 160, 0);
  put(index, 3000, 1, 2000, NOW_SEC + 50);
  put(index, 3001, 1, 160, NOW_SEC); // expired this second
  index.setFlag(put(index, 3002, 1, 160, 0), TOMBSTONE, true);
  put(index, 3003, 1, 0, 0); // a write under way
  t.true(finish(fixture, 0) > 5, 'in several steps');
  t.deepEqual(
    messages.map(({ namespace, shard }) => [namespace, shard]),
    [[2, 5]],
  );
  const histograms = new RecordHistograms();
  histograms.accept(5, structuredClone(messages[0]!).report);
  t.is(histograms.text('object-size', undefined), 'units=bytes:[128-256)=3000:[1K-2K)=1');
  t.is(histograms.text('object-size', 2), 'units=bytes:[128-256)=1500');
  t.regex(histograms.text('ttl', 1)!, /buckets=1500(,0){49},1(,0)+$/);
});

test('entries may come and go between the steps', t => {
  const fixture = createFixture();
  const { index, walk, messages } = fixture;
  const handles: number[] = [];
  for (let n = 0; n < 4000; n++) handles.push(put(index, n, 1, 160, 0));
  let added = 4000;
  while (walk.step(0, NOW_SEC)) {
    for (const handle of handles.splice(0, 30)) index.remove(handle);
    for (let i = 0; i < 30; i++) put(index, added++, 1, 160, 0);
  }
  const histograms = new RecordHistograms();
  histograms.accept(5, messages[0]!.report);
  const count = Number(histograms.text('object-size', 1)!.match(/=(\d+)$/)![1]);
  t.true(count >= handles.length && count <= added, `${count}`);
});

test('a survey comes once a period, and never when the period is 0', t => {
  const fixture = createFixture();
  finish(fixture, 0);
  t.is(finish(fixture, 9_999), 0);
  t.is(fixture.messages.length, 1);
  finish(fixture, 10_000);
  t.is(fixture.messages.length, 2);
  fixture.period = 3;
  finish(fixture, 13_000);
  t.is(fixture.messages.length, 3);
  fixture.period = 0;
  finish(fixture, 1_000_000);
  t.is(fixture.messages.length, 3);
});
