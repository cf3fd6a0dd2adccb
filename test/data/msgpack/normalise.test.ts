import test from 'ava';
import fc from 'fast-check';
import { DEPTH_MAX, LIST, MAP } from '../../../src/data/msgpack/element.js';
import { normalise, normaliseElement, REJECTED } from '../../../src/data/msgpack/normalise.js';
import { framings, fromHex, toHex } from '../frame.js';
import { anyValue, anyWidths, normalForm, pack, type Value } from './value.js';

/** The stored form as hex, or REJECTED; the same however the value is framed. */
function stored(bytes: Uint8Array, type?: number): string | number {
  const results = framings(bytes).map(({ bytes: around, at }) => {
    const out = new Uint8Array(bytes.length + 4).fill(0xee);
    const end = at + bytes.length;
    const size =
      type === undefined
        ? normaliseElement(around, at, end, out, 0)
        : normalise(type, around, at, bytes.length, out, 0);
    if (!out.subarray(bytes.length).every(b => b === 0xee)) return 'wrote outside';
    return size < 0 ? size : toHex(out.subarray(0, size));
  });
  return results.every(result => result === results[0]) ? results[0]! : 'read outside';
}

const hex = (text: string) => fromHex(text.replaceAll(' ', ''));
const list = (text: string) => stored(hex(text), LIST);
const map = (text: string) => stored(hex(text), MAP);

/** Puts ordered lists and flagged maps in order, since out of order they would be refused; leaves other maps. */
function acceptable(value: Value): Value {
  if (value === null || typeof value !== 'object') return value;
  if ('list' in value) {
    const inner: Value = { list: value.list.map(acceptable), isOrdered: value.isOrdered };
    return value.isOrdered ? normalForm(inner) : inner;
  }
  if ('pairs' in value) {
    const inner: Value = {
      pairs: value.pairs.map(([k, v]) => [k, acceptable(v)] as const),
      flags: value.flags,
    };
    return value.flags === 0 ? inner : normalForm(inner);
  }
  return value;
}

test('any value in any encoding is stored in its normal form', t => {
  fc.assert(
    fc.property(anyValue, anyWidths, (raw, widths) => {
      const value = acceptable(raw);
      return stored(pack(value, widths)) === toHex(pack(normalForm(value)));
    }),
    { numRuns: 500 },
  );
  t.pass();
});

test('the normal form stays as it is', t => {
  fc.assert(
    fc.property(anyValue, raw => {
      const bytes = pack(normalForm(raw));
      return stored(bytes) === toHex(bytes);
    }),
    { numRuns: 300 },
  );
  t.pass();
});

test('whatever is accepted of arbitrary bytes is a fixed point', t => {
  const soup = fc.array(
    fc.constantFrom(
      0x90,
      0x91,
      0x92,
      0x93,
      0x81,
      0x82,
      0x83,
      0xc7,
      0,
      1,
      2,
      3,
      4,
      0xa0,
      0xa1,
      0xa2,
      0xc0,
      0xcc,
      0xd0,
      0xd4,
      0xff,
      0xc4,
      0xcb,
      0xdc,
      0xde,
      0xd9,
    ),
    { minLength: 1, maxLength: 24 },
  );
  fc.assert(
    fc.property(soup, codes => {
      const once = stored(Uint8Array.from(codes));
      return typeof once === 'number' || stored(fromHex(once)) === once;
    }),
    { numRuns: 5000 },
  );
  t.pass();
});

test('headers shrink to the smallest form', t => {
  t.is(list('dd 00 00 00 01 cf 00 00 00 00 00 00 00 05'), '9105');
  t.is(list('dc 00 01 d3 ff ff ff ff ff ff ff ff'), '91ff');
  t.is(list('91 d1 00 05'), '9105');
  t.is(list('91 d3 00 00 00 01 00 00 00 00'), '91cf0000000100000000');
  t.is(list('91 db 00 00 00 02 03 61'), '91a20361');
  t.is(list('91 c4 02 04 61'), '91a20461');
  t.is(list('91 ca 3f 80 00 00'), '91ca3f800000');
});

test('a bin header that could not be smaller is left alone', t => {
  const body = '04'.repeat(40);
  t.is(list(`91 c4 28 ${body}`), `91c428${body}`);
  t.is(list(`91 c5 00 28 ${body}`), `91d928${body}`);
  t.is(list(`91 c6 00 00 00 28 ${body}`), `91d928${body}`);
});

test('the persist flag stays with the whole container alone; a flag element that says nothing vanishes', t => {
  t.is(list('91 c7 00 11'), '91c70011');
  t.is(list('92 c7 00 10 05'), '92c7001005');
  t.is(list('91 d4 10 00'), '91c70010');
  t.is(list('91 c7 00 00'), '90');
  t.is(map('81 c7 00 10 c0'), '81c70010c0');
  t.is(map('81 c7 00 12 c0'), '81c70010c0');
  t.is(map('82 c7 00 13 c0 01 02'), '82c70013c00102');
  t.is(list('91 92 c7 00 11 05'), '9192c7000105');
  t.is(list('91 82 c7 00 10 c0 05 06'), '91810506');
  t.is(stored(hex('92 c7 00 11 05')), '92c7000105');
  t.is(stored(hex('82 c7 00 13 c0 01 02')), '82c70003c00102');
});

test('an index that came inside the flag element is dropped', t => {
  t.is(list('92 c7 03 11 aa bb cc 05'), '92c7001105');
  t.is(map('82 d4 11 aa c0 01 02'), '82c70011c00102');
});

test('maps without a flag are put in key order, maps with one must be in it', t => {
  t.is(map('83 a2 03 62 01 05 02 a2 03 61 03'), '830502a2036103a2036201');
  t.is(map('83 a1 04 01 a1 03 02 ff 03'), '83ff03a10302a10401');
  t.is(map('83 c7 00 01 c0 02 01 01 02'), REJECTED);
  t.is(map('83 c7 00 01 c0 01 02 02 01'), '83c70001c001020201');
  t.is(list('91 82 02 01 01 82 02 01 01 02'), '918201820102020102' + '01');
});

test('an ext that is no flag element is refused: without what stands before it, it would be one', t => {
  t.is(list('93 d4 90 90 d4 90 90 90'), REJECTED);
  t.is(list('92 05 d4 90 90'), REJECTED);
  t.is(list('92 05 c7 04 ff 00 00 00 00'), REJECTED);
  t.is(map('82 01 d4 05 05 02 01'), REJECTED);
});

test('duplicate keys are refused, in any order and any encoding', t => {
  t.is(map('82 01 02 01 03'), REJECTED);
  t.is(map('83 01 02 02 02 01 03'), REJECTED);
  t.is(map('82 05 02 cc 05 03'), REJECTED);
  t.is(map('82 a2 04 61 02 c4 02 04 61 03'), REJECTED);
  t.is(map('83 c7 00 01 c0 01 02 01 03'), REJECTED);
});

test('keys are integers, strings and blobs alone', t => {
  for (const key of [
    'c0',
    'c2',
    'c3',
    'cb3ff0000000000000',
    '90',
    '9101',
    '80',
    'a0',
    'a117',
    'a112',
    'a107',
  ])
    t.is(map(`81${key}01`), REJECTED, key);
  for (const key of ['00', 'ff', 'a103', 'a104', 'a20461']) t.is(map(`81${key}01`), `81${key}01`);
});

test('ordered lists must be in order, at any depth', t => {
  t.is(list('93 c7 00 01 01 01'), '93c700010101');
  t.is(list('93 c7 00 01 02 01'), REJECTED);
  t.is(list('91 93 c7 00 01 02 01'), REJECTED);
  t.is(map('81 01 93 c7 00 01 a2 03 61 01'), REJECTED);
});

test('sentinels are never stored', t => {
  for (const bad of [
    '91 d4 ff 00',
    '91 d4 ff 01',
    '91 c7 01 ff 01',
    '91 91 d4 ff 07',
    '91 d5 ff 00 00',
    '92 d4 ff 00 05',
  ])
    t.is(list(bad), REJECTED, bad);
  t.is(map('81 01 d4 ff 00'), REJECTED);
});

test('a hundred thousand unsorted keys come out in order', t => {
  const count = 100_000;
  const bytes = new Uint8Array(5 + count * 6);
  bytes.set([0xdf, count >>> 24, count >>> 16, count >>> 8, count]);
  for (let k = 0; k < count; k++) {
    const key = ((k * 7919) % count) + 0x10000; // a permutation, since 7919 is prime to the count
    bytes.set([0xce, key >>> 24, key >>> 16, key >>> 8, key, 0xc0], 5 + k * 6);
  }
  const out = new Uint8Array(bytes.length);
  t.is(normalise(MAP, bytes, 0, bytes.length, out, 0), bytes.length);
  for (let k = 0; k < count; k += 997) t.is(Buffer.from(out.buffer).readUInt32BE(5 + k * 6 + 1), k + 0x10000);
});

test('maps that claim more pairs than there are take no memory', t => {
  const bytes = new Uint8Array(8 << 20);
  for (let k = 0; k < DEPTH_MAX - 1; k++) bytes.set([0xdf, 0, 0x30, 0, 0, k & 0x7f], k * 6);
  const before = process.memoryUsage().arrayBuffers;
  t.is(normalise(MAP, bytes, 0, bytes.length, new Uint8Array(bytes.length), 0), REJECTED);
  t.true(process.memoryUsage().arrayBuffers - before < 64 << 20);
});

test('values nested too deep are refused', t => {
  t.is(typeof list(`${'91'.repeat(DEPTH_MAX)}c0`), 'string');
  t.is(list(`${'91'.repeat(DEPTH_MAX + 1)}c0`), REJECTED);
  t.is(typeof map(`${'8101'.repeat(DEPTH_MAX)}c0`), 'string');
  t.is(map(`${'8101'.repeat(DEPTH_MAX + 1)}c0`), REJECTED);
});
