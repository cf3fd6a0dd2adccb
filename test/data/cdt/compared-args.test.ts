/** Values that elements are compared with, as Java and Go send them: the keys of their maps in any order. */
import test from 'ava';
import fc from 'fast-check';
import { operateCdt } from '../../../src/data/cdt/operate.js';
import { BLOB } from '../../../src/data/type.js';
import { operateCollection } from '../../../src/expression/collection.js';
import { type Packed, packed, particleOf } from '../../expression/packed.js';
import { runValueOp } from '../run-value-op.js';

const [INDEX, COUNT, KEY, VALUE] = [1, 5, 6, 7];
const WILDCARD: Packed = { hex: 'd4 ff 00' };
const INF: Packed = { hex: 'd4 ff 01' };

const map = (...pairs: readonly (readonly [Packed, Packed])[]): Packed => ({ pairs });
const A_B = map(['a', 1], ['b', 2]);
const B_A = map(['b', 2], ['a', 1]);
/** Ordered, and with an inner map. */
const DEEP = map(['a', [A_B]], ['b', 2]);
const PEED = map(['b', 2], ['a', [B_A]]);

const LIST: Packed = [A_B, 7, DEEP, [1, A_B]];
const ORDERED_LIST: Packed = [{ hex: 'c7 00 01' }, 7, [1, A_B], A_B, DEEP];
const MAP: Packed = map(['k', A_B], ['l', 7], ['m', DEEP]);

/** The value, the operation with the keys of what it compares out of order, what it answers. */
const CASES: readonly (readonly [string, Packed, Packed, boolean, Packed])[] = [
  ['list, by value', LIST, [22, INDEX, B_A], false, [0]],
  ['list, by nested value', LIST, [22, INDEX, PEED], false, [2]],
  ['list, by a list', LIST, [22, INDEX, [1, B_A]], false, [3]],
  ['ordered list, by value', ORDERED_LIST, [22, INDEX, B_A], false, [2]],
  ['list, by value list', LIST, [23, COUNT, [PEED, 7, B_A]], false, 3],
  ['list, by interval', LIST, [25, VALUE, B_A, PEED], false, [A_B]],
  ['ordered list, by relative rank', ORDERED_LIST, [27, VALUE, B_A, 0, 1], false, [A_B]],
  ['list, removed by value', LIST, [35, COUNT, B_A], true, 1],
  ['list, removed by value list', LIST, [36, COUNT, [B_A, PEED]], true, 2],
  ['list, removed by interval', LIST, [38, COUNT, B_A, INF], true, 2],
  ['map, by value', MAP, [102, KEY, B_A], false, ['k']],
  ['map, by value list', MAP, [108, KEY, [PEED, B_A]], false, ['k', 'm']],
  ['map, by interval', MAP, [105, KEY, B_A, PEED], false, ['k']],
  ['map, by relative rank', MAP, [110, KEY, PEED, 0], false, ['m']],
  ['map, removed by value', MAP, [82, KEY, PEED], true, ['m']],
  ['sentinels', LIST, [22, INDEX, map(['b', 2], ['a', WILDCARD])], false, [0, 2]],
  ['context of a list', LIST, [0xff, [0x13, B_A], [96]], false, 2],
  ['context of a map', MAP, [0xff, [0x23, PEED], [97, VALUE, 'b']], false, 2],
  ['context of what is changed', MAP, [0xff, [0x23, B_A], [67, 'c', 5]], true, 3],
  ['path', LIST, [0xfe, [0x13, B_A, 4, true], 1], false, [1, 2]],
];

for (const [name, value, body, isModify, want] of CASES) {
  test(`the keys of what is compared may come in any order: ${name}`, t => {
    const { code, result } = runValueOp(operateCollection, particleOf(value), packed(body), isModify, BLOB);
    const { type, bytes } = particleOf(want);
    t.deepEqual([code, result], [0, { type, hex: Buffer.from(bytes).toString('hex') }]);
  });
}

/** Few values, so that many are equal; maps have their keys in order. */
const { value: anyValue } = fc.letrec<{ value: Packed }>(tie => ({
  value: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'value' },
    fc.constantFrom<Packed>(1, 2, 'a', null, WILDCARD, INF),
    fc
      .uniqueArray(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 })
      .chain(keys => fc.tuple(...keys.sort().map(key => fc.tuple(fc.constant<Packed>(key), tie('value')))))
      .map((pairs): Packed => ({ pairs: pairs as [Packed, Packed][] })),
    fc.array(tie('value'), { maxLength: 3 }),
  ),
}));

const anyStored = anyValue.filter(value => !JSON.stringify(value).includes('"hex"'));

/** The same with the keys of all maps the other way round. */
function turned(value: Packed): Packed {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== 'object' || value === null || !('pairs' in value)) return value;
  return { pairs: value.pairs.map(([key, item]) => [key, turned(item)] as const).reverse() };
}

type Body = (type: number, one: Packed, other: Packed, k: number) => Packed;
/** Whether it changes the value; the operation on a list, and on a map. */
const BODIES: readonly (readonly [boolean, Body, Body])[] = [
  [false, (t, a) => [22, t, a], (t, a) => [102, t, a]],
  [false, (t, a, b) => [23, t, [a, b]], (t, a, b) => [108, t, [a, b]]],
  [false, (t, a, b) => [25, t, a, b], (t, a, b) => [105, t, a, b]],
  [false, (t, a, _, k) => [27, t, a, k], (t, a, _, k) => [110, t, a, k]],
  [true, (t, a) => [35, t, a], (t, a) => [82, t, a]],
  [true, (t, a, b) => [36, t, [a, b]], (t, a, b) => [83, t, [a, b]]],
  [true, (t, a, b) => [38, t, a, b], (t, a, b) => [86, t, a, b]],
  [true, (t, a, _, k) => [40, t, a, k], (t, a, _, k) => [89, t, a, k]],
  [false, (_, a) => [0xff, [0x13, a], [16]], (_, a) => [0xff, [0x23, a], [16]]],
  [true, (_, a, __, k) => [0xff, [0x13, a], [1, k]], (_, a, __, k) => [0xff, [0x23, a], [67, k, 1]]],
  [false, (_, a) => [0xfe, [0x13, a], 1], (_, a) => [0xfe, [0x23, a], 1]],
];

test('any operation answers and leaves the same in whatever order the keys of what it compares come', t => {
  fc.assert(
    fc.property(
      fc.array(anyStored, { maxLength: 5 }),
      fc.boolean(),
      fc.constantFrom(...BODIES),
      fc.constantFrom(1, 3, 5, 7, 13, 0x10007),
      anyValue,
      anyValue,
      fc.integer({ min: -2, max: 2 }),
      fc.nat(),
      (items, isList, [isModify, onList, onMap], type, other, another, k, pick) => {
        const value: Packed = isList ? items : { pairs: items.map((item, index) => [index, item]) };
        const wanted = items.length > 0 && pick % 4 > 0 ? items[pick % items.length]! : other;
        const body = (isList ? onList : onMap)(type, wanted, another, k);
        const swapped = (isList ? onList : onMap)(type, turned(wanted), turned(another), k);
        const [one, two] = [body, swapped].map(each =>
          runValueOp(operateCollection, particleOf(value), packed(each), isModify, BLOB),
        );
        t.deepEqual(two, one, JSON.stringify([value, body]));
      },
    ),
    { numRuns: 5000 },
  );
});

test('keys that are there twice, and those that are no keys, are compared as they came', t => {
  for (const odd of [
    map(['a', 1], ['a', 1]),
    map([true, 1], [false, 1]),
    {
      pairs: [
        ['b', 1],
        ['a', 1],
      ],
      flags: 1,
    } as Packed,
  ]) {
    const { code, result } = runValueOp(operateCdt, particleOf(LIST), packed([22, COUNT, odd]), false, BLOB);
    t.deepEqual([code, result?.hex], [0, '0000000000000000']);
  }
});
