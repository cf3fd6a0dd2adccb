import test from 'ava';
import { LIST, NULL } from '../../../src/data/type.js';
import { toHex } from '../frame.js';
import { type Sent, unpack } from '../msgpack/unpack.js';
import { followRecorded, type RecordedStep } from '../recorded.js';
import { apply, type ListModel, stored } from './model.js';
import { listOf, sentOf, textOf } from './values.js';

const [READ, WRITE, CDT_READ, CDT_MODIFY] = [1, 2, 3, 4];
const NOT_FOUND = 2;
const INCOMPATIBLE_TYPE = 12;

/**
 * Cases in which the reference takes a map with double keys into a list, writes nothing of it and counts it: the list
 * is broken from then on. Ours refuses the map, as it refuses it everywhere else.
 */
const BROKEN = new Set(['list/87', 'list/864']);

/** A bin that holds no list. */
type Bins = ReadonlyMap<string, ListModel | 'other'>;

/** Runs a step on the model. @returns The bins afterwards, or what is wrong. */
function follow(bins: Bins, step: RecordedStep): Bins | string {
  if (bins.size === 0 && step.resultCode === NOT_FOUND) return bins;
  const after = new Map(bins);
  const results: string[] = [];
  let code = 0;
  for (const op of step.ops) {
    if (op.code === WRITE) {
      if (step.resultCode !== 0) return bins;
      after.set(op.bin, op.particleType === LIST ? written(listOf(op.value)!) : 'other');
    }
    if (op.code !== CDT_READ && op.code !== CDT_MODIFY) continue;
    const call = unpack(op.value) as { list: readonly Sent[] };
    const bin = after.get(op.bin);
    const outcome =
      bin === 'other'
        ? { code: INCOMPATIBLE_TYPE }
        : apply(Number(call.list[0] as bigint), bin, call.list.slice(1), op.code === CDT_MODIFY);
    code = outcome.code;
    if (!('list' in outcome)) break;
    if (outcome.list !== undefined) after.set(op.bin, outcome.list);
    if (outcome.result !== undefined && outcome.result !== null) {
      results.push(`${op.bin} ${textOf(outcome.result)}`);
    }
  }
  if (code !== step.resultCode) return `code ${code}, not ${step.resultCode}`;
  if (code !== 0) return bins;
  const isWhole = step.ops.length === 0;
  const expected = step.results
    .filter(({ particleType }) => particleType !== NULL)
    .map(({ bin, particleType: type, value }) => `${bin} ${textOf(sentOf({ type, hex: toHex(value) }))}`);
  const given = isWhole ? wholeOf(after, expected) : results;
  return textOf(given) === textOf(expected) ? after : `${textOf(given)}, not ${textOf(expected)}`;
}

/** The list that a bin holds when it is written whole: with what is in it put in order. */
function written({ items, flags }: ListModel): ListModel {
  return { items: items.map(item => stored(item)!), flags: flags & 0x11 };
}

/** What a read of the whole record gives; bins that hold no list are taken as they were answered. */
function wholeOf(bins: Bins, expected: readonly string[]): readonly string[] {
  return [...bins].map(([bin, list]) =>
    list === 'other'
      ? (expected.find(text => text.startsWith(`${bin} `)) ?? '')
      : `${bin} ${textOf({ list: list.items, isOrdered: (list.flags & 1) !== 0 })}`,
  );
}

test('the model of lists gives the recorded answers', t => {
  const { count, differences } = followRecorded<Bins>(
    'list',
    new Map(),
    (bins, step) => (step.ops.some(op => op.code === READ) ? bins : follow(bins, step)),
    name => !BROKEN.has(name),
  );
  t.deepEqual(differences, []);
  t.true(count > 700);
});
