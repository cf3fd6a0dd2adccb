/** Values that elements are compared with, as Java and Go send them: the keys of their maps in any order. */
import test from 'ava';
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
