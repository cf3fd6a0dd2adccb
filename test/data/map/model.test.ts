import test from 'ava';
import { MAP, NULL } from '../../../src/data/type.js';
import { toHex } from '../frame.js';
import { sentOf, textOf } from '../list/values.js';
import { type Sent, unpack } from '../msgpack/unpack.js';
import { followRecorded, type RecordedStep } from '../recorded.js';
import { type MapModel, MODEL_OPS } from './model.js';
import { writtenMap } from './values.js';

const [READ, WRITE, CDT_READ, CDT_MODIFY] = [1, 2, 3, 4];
const NOT_FOUND = 2;
const INCOMPATIBLE_TYPE = 12;
const GET_ALL = 3; // info1

/** A bin is a map of the model or something else. */
type Bins = ReadonlyMap<string, MapModel | 'other'>;

/** Runs a step on the model. @returns The bins afterwards, or what is wrong. */
function follow(bins: Bins, step: RecordedStep): Bins | string {
  if (bins.size === 0 && step.resultCode === NOT_FOUND) return bins;
  if (step.info[0] === GET_ALL) return compareWhole(bins, step);
  const after = new Map(bins);
  const results: string[] = [];
  let code = 0;
  for (const op of step.ops) {
    if (op.code === WRITE) {
      if (step.resultCode !== 0) return bins;
      after.set(op.bin, op.particleType === MAP ? writtenMap(op.value) : 'other');
    }
    if (op.code !== CDT_READ && op.code !== CDT_MODIFY) continue;
    const call = unpack(op.value) as { list: readonly Sent[] };
    const row = MODEL_OPS.get(Number(call.list[0] as bigint))!;
    const bin = after.get(op.bin);
    if (bin === undefined && !row.creates) continue;
    const outcome = bin === 'other' ? { code: INCOMPATIBLE_TYPE } : row.apply(bin, call.list.slice(1));
    code = outcome.code;
    if (!('map' in outcome)) break;
    if (row.modifies) after.set(op.bin, outcome.map!);
    if (outcome.result !== undefined && outcome.result !== null)
      results.push(`${op.bin} ${textOf(outcome.result)}`);
  }
  if (code !== step.resultCode) return `code ${code}, not ${step.resultCode}`;
  if (code !== 0) return bins;
  const expected = step.results
    .filter(({ particleType, code: opCode }) => particleType !== NULL && opCode !== READ)
    .map(({ bin, particleType: type, value }) => `${bin} ${textOf(sentOf({ type, hex: toHex(value) }))}`);
  return textOf(results) === textOf(expected) ? after : `${textOf(results)}, not ${textOf(expected)}`;
}

/** What a read of the whole record gives: no flag of a persisted index is in it. */
function compareWhole(bins: Bins, step: RecordedStep): Bins | string {
  for (const { bin, particleType: type, value } of step.results) {
    const map = bins.get(bin);
    if (map === undefined) return `${bin} is not there`;
    if (map === 'other') continue;
    const given = textOf({ pairs: map.pairs, flags: map.flags & 3 });
    const expected = textOf(sentOf({ type, hex: toHex(value) }));
    if (given !== expected) return `${bin} is ${given}, not ${expected}`;
  }
  return bins;
}

test('the model of maps gives the recorded answers', t => {
  const { count, differences } = followRecorded<Bins>('map', new Map(), follow);
  t.deepEqual(differences, []);
  t.true(count > 800);
});
