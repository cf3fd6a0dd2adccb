import test from 'ava';
import fc from 'fast-check';
import { compare, compareTotal } from '../../../src/data/msgpack/compare.js';
import { DEPTH_MAX } from '../../../src/data/msgpack/element.js';
import { framings, fromHex } from '../frame.js';
import { alike, anyStored, anyWidths, order, pack } from './value.js';

/** Compares in every combination of surroundings; NaN if those make a difference. */
function sign(left: Uint8Array, right: Uint8Array): number {
  const rightFrames = framings(right);
  const signs = framings(left).flatMap(l =>
    rightFrames.map(r => compare(l.bytes, l.at, l.at + left.length, r.bytes, r.at, r.at + right.length)),
  );
  return signs.every(s => s === signs[0]) ? signs[0]! : Number.NaN;
}

const hexSign = (left: string, right: string) =>
  sign(fromHex(left.replaceAll(' ', '')), fromHex(right.replaceAll(' ', '')));

test('the order is the documented one, whatever the headers', t => {
  fc.assert(
    fc.property(anyStored, anyStored, anyWidths, (x, y, widths) => {
      const expected = order(x, y);
      return sign(pack(x, widths), pack(y)) === expected && sign(pack(y), pack(x, widths)) === 0 - expected;
    }),
    { numRuns: 1000 },
  );
  t.pass();
});

test('values that are alike for a long way are ordered by what differs', t => {
  fc.assert(
    fc.property(alike, anyWidths, ([x, y], widths) => {
      const expected = order(x, y);
      const [a, b] = [pack(x), pack(y)];
      return sign(a, b) === expected && sign(b, a) === 0 - expected && sign(pack(x, widths), b) === expected;
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test('the order is total: reflexive and transitive', t => {
  fc.assert(
    fc.property(anyStored, anyStored, anyStored, (x, y, z) => {
      const [a, b, c] = [x, y, z].map(v => pack(v)).sort(sign) as [Uint8Array, Uint8Array, Uint8Array];
      return sign(a, a) === 0 && sign(a, b) <= 0 && sign(b, c) <= 0 && sign(a, c) <= 0;
    }),
    { numRuns: 300 },
  );
  t.pass();
});

test('types stand in their order', t => {
  const ascending = [
    'c0',
    'c2',
    'c3',
    'fb',
    '00',
    'a103',
    '90',
    '80',
    'a0',
    'a104',
    'cb0000000000000000',
    'a117',
    'd40500',
    'd4ff01',
  ];
  for (const [k, left] of ascending.entries())
    for (const [n, right] of ascending.entries())
      t.is(hexSign(left, right), Math.sign(k - n), `${left} ${right}`);
});

test('integers compare by value over the whole range of 64 bits, signed and unsigned', t => {
  const ascending = [
    'd38000000000000000',
    'd2ffff7fff',
    'd1ff7f',
    'e0',
    'ff',
    '00',
    '7f',
    'cc80',
    'ce80000000',
    'cf7fffffffffffffff',
    'cf8000000000000000',
    'cfffffffffffffffff',
  ];
  for (let k = 1; k < ascending.length; k++) t.is(hexSign(ascending[k - 1]!, ascending[k]!), -1);
  t.is(hexSign('d10005', '05'), 0);
});

test('zeroes are equal, NaN is equal to any double, float32 compares as a double', t => {
  t.is(hexSign('cb8000000000000000', 'cb0000000000000000'), 0);
  t.is(hexSign('cb7ff8000000000000', 'cb3ff0000000000000'), 0);
  t.is(hexSign('cbfff0000000000000', 'cb7ff8000000000000'), 0);
  t.is(hexSign('ca3fc00000', 'cb3ff8000000000000'), 0);
  t.is(hexSign('ca3f800000', 'cb3ff8000000000000'), -1);
});

test('in the total order NaN is below all other doubles and equal to itself', t => {
  const total = (left: string, right: string) => {
    const [a, b] = [fromHex(left.replaceAll(' ', '')), fromHex(right.replaceAll(' ', ''))];
    return compareTotal(a, 0, a.length, b, 0, b.length);
  };
  const [nan, otherNaN, minusInfinity] = ['cb7ff8000000000000', 'cafff00001', 'cbfff0000000000000'];
  t.is(total(nan, otherNaN), 0);
  t.is(total(nan, minusInfinity), -1);
  t.is(total(minusInfinity, nan), 1);
  t.is(total(`92 ${nan} 01`, `92 ${nan} 02`), -1);
  t.is(total(`91 ${minusInfinity}`, `91 ${nan}`), 1);
  t.is(total('cb8000000000000000', 'cb0000000000000000'), 0);
  t.is(total('a2037a', nan), -1);
  t.is(hexSign(nan, minusInfinity), 0);
});

test('flags are no part of a container', t => {
  t.is(hexSign('92 01 05', '93 c7 00 01 01 05'), 0);
  t.is(hexSign('90', '91 c7 00 01'), 0);
  t.is(hexSign('81 01 02', '82 c7 00 03 c0 01 02'), 0);
  t.is(hexSign('82 c7 00 01 c0 01 02', '82 01 02 03 04'), -1);
});

test('maps compare by count first, then pair by pair', t => {
  t.is(hexSign('81 09 09', '82 01 01 02 02'), -1);
  t.is(hexSign('82 01 01 02 02', '82 01 01 02 03'), -1);
  t.is(hexSign('82 01 09 02 02', '82 02 01 03 01'), -1);
});

test('a wildcard ends the whole comparison as equal', t => {
  t.is(hexSign('d4 ff 00', 'c0'), 0);
  t.is(hexSign('92 01 d4 ff 00', '94 01 05 06 07'), 0);
  t.is(hexSign('91 01', '92 01 d4 ff 00'), -1);
  t.is(hexSign('92 92 01 d4 ff 00 09', '92 92 01 05 08'), 0);
  t.is(hexSign('92 02 d4 ff 00', '92 01 05'), 1);
});

test('INF is above everything and makes an upper bound', t => {
  t.is(hexSign('92 07 c0', '92 07 a2 03 61'), -1);
  t.is(hexSign('92 07 d4 ff 01', '92 07 a2 03 61'), 1);
  t.is(hexSign('92 07 d4 ff 01', '92 08 00'), -1);
});

test('arbitrary bytes are compared without looking outside', t => {
  const soup = fc
    .array(
      fc.constantFrom(
        0x90,
        0x92,
        0x93,
        0x82,
        0x83,
        0xc7,
        0,
        1,
        0xa3,
        0xc0,
        0xc1,
        0xcd,
        0xd4,
        0xff,
        0xc4,
        0xcb,
        0xdd,
      ),
      { maxLength: 12 },
    )
    .map(codes => Uint8Array.from(codes));
  fc.assert(
    fc.property(soup, soup, (x, y) => sign(x, y) === 0 - sign(y, x) && sign(x, x) === 0),
    { numRuns: 3000 },
  );
  t.pass();
});

test('a container that is cut off on one side alone is below the other, whichever comes first', t => {
  t.is(hexSign('8290', '8282909090'), -1);
  t.is(hexSign('8282909090', '8290'), 1);
});

test('values nested far too deep are compared without harm', t => {
  const deep = (end: string) => '91'.repeat(DEPTH_MAX * 100) + end;
  t.is(hexSign(deep('01'), deep('02')), 0);
  const limit = (end: string) => '91'.repeat(DEPTH_MAX) + end;
  t.is(hexSign(limit('01'), limit('02')), -1);
});
