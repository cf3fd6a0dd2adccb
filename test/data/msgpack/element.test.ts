import test from 'ava';
import fc from 'fast-check';
import { DEPTH_MAX, Element, ERROR, EXT, INF, sizeOf, WILDCARD } from '../../../src/data/msgpack/element.js';
import { framings, fromHex } from '../frame.js';
import { anyValue, anyWidths, pack } from './value.js';

const size = (hex: string): number => {
  const particle = fromHex(hex.replaceAll(' ', ''));
  const sizes = framings(particle).map(({ bytes, at }) => sizeOf(bytes, at, at + particle.length));
  return sizes.every(n => n === sizes[0]) ? sizes[0]! : Number.NaN;
};

test('an element ends where its encoder ended', t => {
  fc.assert(
    fc.property(anyValue, anyWidths, (value, widths) => {
      const bytes = pack(value, widths);
      return framings(bytes).every(f => sizeOf(f.bytes, f.at, f.bytes.length) === bytes.length);
    }),
    { numRuns: 300 },
  );
  t.pass();
});

test('an element that is cut off anywhere is malformed', t => {
  fc.assert(
    fc.property(anyValue, anyWidths, fc.nat(), (value, widths, cut) => {
      const bytes = pack(value, widths);
      const end = cut % bytes.length;
      return framings(bytes).every(f => sizeOf(f.bytes, f.at, f.at + end) === -1);
    }),
    { numRuns: 300 },
  );
  t.pass();
});

test('every first byte has its size, and c1 none', t => {
  const fixed = new Map([
    [0xca, 5],
    [0xcb, 9],
    [0xcc, 2],
    [0xcd, 3],
    [0xce, 5],
    [0xcf, 9],
    [0xd0, 2],
    [0xd1, 3],
    [0xd2, 5],
    [0xd3, 9],
    [0xd4, 3],
    [0xd5, 4],
    [0xd6, 6],
    [0xd7, 10],
    [0xd8, 18],
  ]);
  for (const [header, length] of fixed) {
    const rest = '00'.repeat(length - 1);
    t.is(size(header.toString(16) + rest), length);
    t.is(size(header.toString(16) + rest.slice(2)), -1);
  }
  t.is(size('c1'), -1);
  t.is(size('c1 00 00'), -1);
  t.is(size('c7 02 05 aa bb'), 5);
  t.is(size('c8 00 02 05 aa bb'), 6);
  t.is(size('c9 00 00 00 02 05 aa bb'), 8);
});

test('a container that claims more than there is takes no time', t => {
  t.is(size('dd ff ff ff ff 00'), -1);
  t.is(size('df ff ff ff ff 00'), -1);
  t.is(size('db ff ff ff ff 00'), -1);
  t.is(size('c9 ff ff ff ff 00'), -1);
});

test('values may be nested to the limit and no deeper', t => {
  t.is(size(`${'91'.repeat(DEPTH_MAX)}c0`), DEPTH_MAX + 1);
  t.is(size(`${'91'.repeat(DEPTH_MAX - 1)}90`), DEPTH_MAX);
  t.is(size(`${'91'.repeat(DEPTH_MAX)}90`), -1);
  t.is(size(`${'91'.repeat(DEPTH_MAX + 1)}c0`), -1);
});

test('sentinels are told from other exts', t => {
  const element = new Element();
  const type = (hex: string) => {
    const bytes = fromHex(hex);
    element.read(bytes, 0, bytes.length);
    return element.type;
  };
  t.is(type('d4ff00'), WILDCARD);
  t.is(type('c701ff00'), WILDCARD);
  t.is(type('d4ff01'), INF);
  t.is(type('c701ff01'), INF);
  t.is(type('d40100'), EXT);
  t.is(type('c70001'), EXT);
  t.true(element.isFlags);
  t.is(type('c700ff'), EXT);
  t.false(element.isFlags);
  t.is(type('d4ff'), ERROR);
});
