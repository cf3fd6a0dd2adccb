import test from 'ava';
import fc from 'fast-check';
import { INCOMPATIBLE_TYPE, OK, PARAMETER, UNKNOWN as UNKNOWN_CODE } from '../../src/base/result.js';
import { writeIndexed } from '../../src/data/cdt/index-writer.js';
import { hasPersistedIndex, indexedSize } from '../../src/data/cdt/persisted-index.js';
import { BLOB } from '../../src/data/type.js';
import { ValueOp } from '../../src/data/value-op.js';
import { operateCollection } from '../../src/expression/collection.js';
import { BOOL, INT, LIST, STR } from '../../src/expression/value-type.js';
import { type Outcome, type Particle, runValueOp } from '../data/run-value-op.js';
import { evaluated, hexOf, NAME, type Packed, packed, particleOf } from './packed.js';

const { bin, float, list } = NAME;
const KEY = 0;
const VALUE = 1;
const INDEX = 2;
const TREE = 0;
const VALUES = 1;
const KEYS = 2;
const PAIRS = 3;
const APPLY = 4;
const NO_FAIL = 0x10;
const ALL: readonly Packed[] = [4, true];

const loop = (type: number, id: number): Packed => [122, type, id];
const above = (limit: number): Packed => [3, loop(INT, VALUE), limit];
const map = (...pairs: readonly (readonly [Packed, Packed])[]): Packed => ({ pairs });
const ordered = (...pairs: readonly (readonly [Packed, Packed])[]): Packed => ({ pairs, flags: 1 });

function run(body: Packed, target: Packed | undefined, isModify: boolean): Outcome {
  const value = target === undefined ? undefined : particleOf(target);
  return runValueOp(operateCollection, value, packed(body), isModify, BLOB);
}

/** What a path selects, or the code that it ends with. */
function selected(target: Packed | undefined, items: readonly Packed[], flags: number): unknown {
  const { code, result } = run([0xfe, items, flags], target, false);
  return code === OK ? shown(result) : code;
}

/** What a path makes of a value: undefined for nothing, or the code that it ends with. */
function applied(target: Packed | undefined, items: readonly Packed[], modifier: Packed, flags = 0): unknown {
  const { code, changed } = run([0xfe, items, APPLY | flags, modifier], target, true);
  return code === OK ? shown(changed) : code;
}

function shown(particle: Particle | undefined): unknown {
  return particle && { hex: particle.hex };
}

/** Protocol 13, section 4.4. */
test('the paths of the protocol select and change as described', t => {
  const m = map(['a', 5], ['b', 20], ['c', 30]);
  t.deepEqual(selected(m, [4, above(10)], VALUES), hexOf([20, 30]));
  t.deepEqual(selected(m, [4, above(10)], TREE), hexOf(map(['b', 20], ['c', 30])));
  t.deepEqual(selected(m, [0x2a, ['c', 'a', 'x']], TREE), hexOf(map(['a', 5], ['c', 30])));
  t.deepEqual(selected(m, [0x22, 'a', 0x204, above(10)], VALUES), hexOf([]));
  t.deepEqual(selected(m, [0x22, 'b', 0x204, above(10)], VALUES), hexOf([20]));
  t.deepEqual(selected([[5, 15], [25]], [...ALL, 4, above(10)], VALUES), hexOf([15, 25]));
  t.deepEqual(selected([[5, 15], [25]], [...ALL, 4, above(10)], TREE), hexOf([[15], [25]]));
  t.deepEqual(applied(m, ALL, [20, loop(INT, VALUE), 1]), hexOf(map(['a', 6], ['b', 21], ['c', 31])));
  t.deepEqual(applied(m, [4, above(10)], [100]), hexOf(map(['a', 5])));
});

test('modes give values, keys, or both', t => {
  const m = map([1, 'x'], [2, 'y']);
  t.deepEqual(selected(m, ALL, VALUES), hexOf(['x', 'y']));
  t.deepEqual(selected(m, ALL, KEYS), hexOf([1, 2]));
  t.deepEqual(selected(m, ALL, PAIRS), hexOf([1, 'x', 2, 'y']));
  t.deepEqual(selected([m], [...ALL, ...ALL], KEYS), hexOf([1, 2]));
  t.is(selected([1], ALL, KEYS), INCOMPATIBLE_TYPE);
  t.deepEqual(selected([], ALL, KEYS), hexOf([]));
  t.deepEqual(selected([1], ALL, KEYS | NO_FAIL), hexOf([]));
});

test('items of each kind take what they say', t => {
  const l: Packed = [30, 10, 20, 10];
  const m = ordered([1, 30], [2, 10], [3, 20]);
  const cases: readonly (readonly [Packed, readonly Packed[], readonly Packed[]])[] = [
    [l, [0x10, 0], [30]],
    [l, [0x10, -1], [10]],
    [l, [0x00, 2], [20]],
    [l, [0x10, 4], []],
    [l, [0x11, 0], [10]],
    [l, [0x11, -1], [30]],
    [l, [0x13, 10], [10, 10]],
    [l, [0x03, 11], []],
    [m, [0x20, 0], [30]],
    [m, [0x21, 0], [10]],
    [m, [0x22, 3], [20]],
    [m, [0x02, 9], []],
    [m, [0x23, 20], [20]],
    [m, [0x2a, []], []],
    [l, [4, [5, loop(INT, INDEX), 2]], [30, 10]],
    [m, [4, [5, loop(INT, KEY), 3]], [30, 10]],
    [l, [4, false], []],
  ];
  for (const [target, items, values] of cases)
    t.deepEqual(selected(target, items, VALUES), hexOf(values), JSON.stringify(items));
});

test('items that make no sense for a container end it all, or take nothing', t => {
  const cases: readonly (readonly [Packed, readonly Packed[]])[] = [
    [[1], [0x22, 1]],
    [[1], [0x02, 1]],
    [[1], [0x2a, [1]]],
    [map([1, 2]), [0x10, 0]],
    [[1], [0x20, 0]],
    [[1], [4, [3, loop(STR, VALUE), 'a']]],
    [map([1, 2]), [4, [3, loop(INT, INDEX), 0]]],
    [[1], [4, [3, loop(INT, KEY), 0]]],
    [[1], [4, [3, bin(INT, 'i'), 0]]],
    [[1], [4, [3, [67], 0]]],
  ];
  for (const [target, items] of cases) {
    t.is(selected(target, items, VALUES), PARAMETER, JSON.stringify(items));
    t.deepEqual(selected(target, items, VALUES | NO_FAIL), hexOf([]), JSON.stringify(items));
  }
});

test('of equal elements a rank takes the one that a read by rank gives', t => {
  const list = [0, 7, 0, 7, 0, 7];
  for (let rank = 0; rank < list.length; rank++) {
    const { result } = run([21, 1, rank], list, false); // its index
    const index = Number(`0x${result!.hex}`);
    t.deepEqual(applied(list, [0x11, rank], 9), hexOf(list.with(index, 9)), `${rank}`);
  }
});

test('a filter of an index or rank that is unknown is false', t => {
  t.deepEqual(selected([1], [0x10, 0, 0x204, [3, loop(STR, VALUE), 'a']], VALUES), hexOf([]));
  t.is(selected([1], [0x13, 1, 0x204, [3, loop(STR, VALUE), 'a']], VALUES), PARAMETER);
});

test('paths that are not well made are refused', t => {
  const bad: readonly Packed[] = [
    [0xfe],
    [0xfe, []],
    [0xfe, [], 1],
    [0xfe, [4], 1],
    [0xfe, 4, 1],
    [0xfe, [4, true], 5],
    [0xfe, [4, true], 0x21],
    [0xfe, [4, true], 4],
    [0xfe, [4, true], 4, 1],
    [0xfe, [4, true], 1, 1],
    [0xfe, [4, true], 'x'],
    [0xfe, ['x', true], 1],
    [0xfe, [4, 5], 1],
    [0xfe, [4, [1, 1, 'x']], 1],
    [0xfe, [0x204, true], 1],
    [0xfe, [4, true, 0x204, true], 1],
    [0xfe, [0x10, 0, 0x204, true, 0x204, true], 1],
    [0xfe, [0x10, 'x'], 1],
    [0xfe, [0x50, 0], 1],
    [0xfe, [0x110, 0], 1],
    [0xfe, [0x30, 0], 1],
    [0xfe, [0x05, 0], 1],
    [0xfe, [0x2a, 1], 1],
    [0xfe, [0x2a, { hex: '93 c7 00 01 02 01' }], 1],
    [0xfe, Array.from({ length: 65 }, () => ALL).flat(), 1],
  ];
  for (const body of bad) t.is(run(body, [1], false).code, PARAMETER, JSON.stringify(body));
  t.is(run([0xfe, [4, true], 1], [1], true).code, PARAMETER, 'a selection that claims to modify');
  t.is(run([0xfe, [4, true], 4], [1], true).code, PARAMETER, 'no modifier');
  t.is(run([0xfe, [4, true], 1], 5, false).code, INCOMPATIBLE_TYPE);
  t.is(selected(undefined, ALL, VALUES), undefined);
  t.is(applied(undefined, ALL, 1), undefined);
});

test('in a tree empty containers and scalars on the way stay', t => {
  t.deepEqual(selected([1, [], [2]], [...ALL, ...ALL], TREE), hexOf([1, [], [2]]));
  t.deepEqual(selected([1, [], [2]], [...ALL, ...ALL], VALUES), hexOf([2]));
  t.deepEqual(selected([[1], [2]], [...ALL, 4, above(1)], TREE), hexOf([[], [2]]));
  t.deepEqual(selected(ordered([1, ordered()], [2, ordered([1, 1])]), [...ALL, ...ALL], TREE), {
    hex: '820181c70001c002810101',
  });
});

test('modified lists that are in order stay so', t => {
  t.deepEqual(applied({ hex: '94 c7 00 01 01 02 03' }, ALL, [21, loop(INT, VALUE)]), {
    hex: '94c70001fdfeff',
  });
  t.deepEqual(
    applied({ hex: '93 c7 00 01 92 01 05 92 02 01' }, [...ALL, 0x10, 0], [21, 5, loop(INT, VALUE)]),
    { hex: '93c70001920301920405' },
  );
});

test('what a modifier gives has to be a value that can be stored', t => {
  t.is(applied([1], ALL, [20, loop(INT, VALUE), bin(INT, 'x')]), UNKNOWN_CODE);
  t.deepEqual(applied([1, 'a'], ALL, [20, loop(INT, VALUE), 1], NO_FAIL), hexOf([2, 'a']));
  t.is(applied([1], ALL, { pairs: [[float(1), 2]] }), INCOMPATIBLE_TYPE);
  t.deepEqual(applied([1, 2], ALL, [123, above(1), [100], null]), hexOf([null]));
  t.is(applied([1], [4, above(1)], 5), undefined, 'nothing taken, nothing changed');
});

test('a persisted index is made anew', t => {
  const plainList = packed([1, 2, 300]);
  const flagged = Uint8Array.from([0x94, 0xc7, 0, 0x10, ...plainList.subarray(1)]);
  const indexed = new Uint8Array(indexedSize(flagged, 0, flagged.length));
  writeIndexed(flagged, 0, flagged.length, indexed, 0);
  const op = new ValueOp();
  const body = packed([0xfe, ALL, APPLY, [20, loop(INT, VALUE), 1]]);
  op.bytes = body;
  op.end = body.length;
  op.isModify = true;
  op.target.set(20, indexed, 0, indexed.length);
  t.is(operateCollection(op), OK);
  const { bytes, at, size } = op.changed;
  t.true(hasPersistedIndex(20, bytes, at, size));
  t.is(indexedSize(bytes, at, size), size);
});

test('paths work in expressions, and in filters of paths', t => {
  const rows = list([1, 5], [2], [7, 8, 9]);
  const inner: Packed = [127, LIST, 0, [0xfe, [4, above(4)], VALUES], loop(LIST, VALUE)];
  t.deepEqual(
    evaluated([127, LIST, 0, [0xfe, [4, [2, inner, list()]], VALUES], rows]),
    hexOf([
      [1, 5],
      [7, 8, 9],
    ]),
  );
  t.deepEqual(
    evaluated([127, LIST, 0x40, [0xfe, [4, [1, inner, list()]], APPLY, [100]], rows]),
    hexOf([
      [1, 5],
      [7, 8, 9],
    ]),
  );
  t.is(evaluated([127, BOOL, 0, [0xfe, [4, true], VALUES], rows]), 'unknown');
});

/** A nested list of numbers. */
type Nested = readonly (number | Nested)[];

const nestedLists = fc.letrec<{ nested: Nested }>(tie => ({
  nested: fc.array(fc.oneof({ maxDepth: 4 }, fc.nat(9), tie('nested')), { maxLength: 5 }),
})).nested;

/** On each level: what is a number above the limit, or any list. */
const itemsOf = (limits: readonly number[]): readonly Packed[] =>
  limits.flatMap(limit => [4, [17, above(limit), [4, loop(LIST, VALUE), list()]]]);

function modelTree(value: Nested, [limit, ...rest]: readonly number[]): Nested {
  return value.flatMap((item): Nested => {
    if (typeof item === 'number') return item > limit! ? [item] : [];
    return [rest.length === 0 ? item : modelTree(item, rest)];
  });
}

function modelLeaves(value: Nested, [limit, ...rest]: readonly number[]): Nested {
  return value.flatMap((item): Nested => {
    if (rest.length === 0) return typeof item !== 'number' || item > limit! ? [item] : [];
    return typeof item === 'number' ? [] : modelLeaves(item, rest);
  });
}

function modelWithoutLeaves(value: Nested, [limit, ...rest]: readonly number[]): Nested {
  return value.flatMap((item): Nested => {
    if (rest.length === 0) return typeof item !== 'number' || item > limit! ? [] : [item];
    return [typeof item === 'number' ? item : modelWithoutLeaves(item, rest)];
  });
}

test('paths select and remove as a plain model does', t => {
  fc.assert(
    fc.property(nestedLists, fc.array(fc.nat(8), { minLength: 1, maxLength: 4 }), (value, limits) => {
      const target = value as Packed;
      const items = itemsOf(limits);
      t.deepEqual(selected(target, items, TREE | NO_FAIL), hexOf(modelTree(value, limits) as Packed));
      t.deepEqual(selected(target, items, VALUES | NO_FAIL), hexOf(modelLeaves(value, limits) as Packed));
      const rest = hexOf(modelWithoutLeaves(value, limits) as Packed);
      const same = hexOf(target);
      t.deepEqual(applied(target, items, [100], NO_FAIL) ?? same, rest);
    }),
    { numRuns: 500 },
  );
});
