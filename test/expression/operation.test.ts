import test from 'ava';
import { OK, PARAMETER } from '../../src/base/result.js';
import { compile } from '../../src/expression/compile.js';
import { ExpressionOperation } from '../../src/expression/operation.js';
import { ProgramCache } from '../../src/expression/program-cache.js';
import { NAME, type Packed, packed } from './packed.js';

const expression: Packed = [20, NAME.bin(2, 'a'), 1];

function parse(value: Packed, isWrite: boolean): { code: number; op: ExpressionOperation } {
  const op = new ExpressionOperation();
  const bytes = packed(value);
  const code = op.parse(new ProgramCache(), bytes, 0, bytes.length, isWrite);
  return { code, op };
}

test('an op has an expression and flags that are for it', t => {
  for (const flags of [0, 1, 2, 4, 8, 16, 31]) {
    const write = parse([expression, flags], true);
    t.is(write.code, OK);
    t.is(write.op.flags, flags);
    t.truthy(write.op.program);
    t.is(parse([expression, flags], false).code, flags === 0 || flags === 16 ? OK : PARAMETER);
  }
  const bare = parse([expression], false);
  t.is(bare.code, OK);
  t.is(bare.op.flags, 0);
});

test('anything else is refused', t => {
  const bad: readonly Packed[] = [
    5,
    [],
    [expression, 0, 0],
    [expression, 32],
    [expression, -1],
    [expression, 'x'],
    [[1, 1, 'x'], 0],
    [[128], 0],
  ];
  for (const value of bad) {
    const { code, op } = parse(value, true);
    t.is(code, PARAMETER, JSON.stringify(value));
    t.is(op.program, undefined);
  }
  const longer = Uint8Array.from([...packed([expression, 0]), 0]);
  t.is(new ExpressionOperation().parse(new ProgramCache(), longer, 0, longer.length, true), PARAMETER);
});

test('from the second time on the same bytes give the same program, wherever they lie, and others another', t => {
  const cache = new ProgramCache();
  const bytes = packed(expression);
  t.truthy(cache.get(bytes, 0, bytes.length));
  const first = cache.get(bytes, 0, bytes.length);
  t.truthy(first);
  const moved = new Uint8Array(bytes.length + 9).fill(7);
  moved.set(bytes, 4);
  t.is(cache.get(moved, 4, bytes.length), first);
  moved[4 + bytes.length - 1] = 2;
  t.not(cache.get(moved, 4, bytes.length), first);
  t.is(cache.get(bytes, 0, bytes.length - 1), undefined);
});

test('what comes once takes no place from what comes again', t => {
  const cache = new ProgramCache();
  const bytes = packed(expression);
  cache.get(bytes, 0, bytes.length);
  const kept = cache.get(bytes, 0, bytes.length);
  for (let k = 0; k < 5000; k++) {
    const other = packed([20, k, 1]);
    cache.get(other, 0, other.length);
  }
  t.is(cache.get(bytes, 0, bytes.length), kept);
});

test('a cache stays small, and a program outlives its place in it', t => {
  const cache = new ProgramCache();
  const bytes = packed(expression);
  cache.get(bytes, 0, bytes.length);
  const first = cache.get(bytes, 0, bytes.length);
  const code = first?.code.slice();
  for (let k = 0; k < 5000; k++) {
    const other = packed([20, k, 1]);
    cache.get(other, 0, other.length);
    cache.get(other, 0, other.length);
  }
  const again = cache.get(bytes, 0, bytes.length);
  t.not(again, first);
  t.deepEqual(again?.code, code);
  t.deepEqual(first?.code, code);
});

test('only booleans are filters', t => {
  const cache = new ProgramCache();
  const filter = packed([3, NAME.bin(2, 'a'), 1]);
  const bytes = packed(expression);
  t.truthy(cache.getFilter(filter, 0, filter.length));
  t.is(cache.getFilter(bytes, 0, bytes.length), undefined);
});

test('a program owns all of its bytes', t => {
  const bytes = packed([1, NAME.bin(3, 'name'), 'value']);
  const program = compile(bytes, 0, bytes.length);
  const before = program?.bytes.slice();
  bytes.fill(0);
  t.deepEqual(program?.bytes, before);
});

test('a program knows whether metadata can tell anything', t => {
  const asksOnlyBins = (value: Packed): boolean | undefined => {
    const bytes = packed(value);
    return compile(bytes, 0, bytes.length)?.asksOnlyBins;
  };
  t.true(asksOnlyBins([3, NAME.bin(2, 'a'), 1]));
  t.true(asksOnlyBins([1, [80, 3], 'x']));
  t.false(asksOnlyBins([16, [3, NAME.bin(2, 'a'), 1], [71]]));
  t.false(asksOnlyBins([1, [64, 3], 1]));
  t.false(asksOnlyBins(true));
});

test('programs with regular expressions leave the cache when there are too many', t => {
  const cache = new ProgramCache();
  const search = (k: number): Uint8Array => packed([7, 1, { raw: `^user-${k}$` }, NAME.bin(3, 's')]);
  const first = search(0);
  cache.get(first, 0, first.length);
  const kept = cache.get(first, 0, first.length);
  t.is(cache.get(first, 0, first.length), kept);
  for (let k = 1; k < 70; k++) {
    const other = search(k);
    t.truthy(cache.get(other, 0, other.length));
    t.truthy(cache.get(other, 0, other.length));
  }
  const again = cache.get(first, 0, first.length);
  t.truthy(again);
  t.not(again, kept);
});
