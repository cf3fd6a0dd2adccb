import test from 'ava';
import fc from 'fast-check';
import { Scratch } from '../../../src/base/scratch.js';
import { elementOf, particleOf } from '../../../src/data/cdt/element-particle.js';
import { ParticleSpan } from '../../../src/data/particle-span.js';
import { BLOB, BOOL, FLOAT, GEOJSON, HLL, INTEGER, LIST, MAP, NULL, STRING } from '../../../src/data/type.js';
import { framings, fromHex, toHex } from '../frame.js';
import { anyStored, pack } from '../msgpack/value.js';

const hexOf = (span: ParticleSpan) => toHex(span.bytes.subarray(span.at, span.at + span.size));

/** The particle of an element, as its type and its bytes. */
function particle(hex: string): readonly [number, string] | undefined {
  const element = fromHex(hex);
  const found = framings(element).map(({ bytes, at }) => {
    const out = new ParticleSpan();
    const isMade = particleOf(bytes, at, at + element.length, new Scratch(), out);
    return isMade ? ([out.type, hexOf(out)] as const) : undefined;
  });
  return found.every(one => String(one) === String(found[0])) ? found[0] : [-1, 'read outside'];
}

const PAIRS: ReadonlyArray<readonly [string, string, number, string]> = [
  ['nil', 'c0', NULL, ''],
  ['false', 'c2', BOOL, '00'],
  ['true', 'c3', BOOL, '01'],
  ['a small integer', '05', INTEGER, '0000000000000005'],
  ['a negative integer', 'ff', INTEGER, 'ffffffffffffffff'],
  ['an integer above 2^63', 'cfffffffffffffffff', INTEGER, 'ffffffffffffffff'],
  ['a double', 'cb3ff8000000000000', FLOAT, '3ff8000000000000'],
  ['a single', 'ca3fc00000', FLOAT, '3ff8000000000000'],
  ['a string', 'a3036162', STRING, '6162'],
  ['an empty string', 'a103', STRING, ''],
  ['a blob', 'c40304ff00', BLOB, 'ff00'],
  ['bytes without a type', 'a0', BLOB, ''],
  ['an HLL', 'a21201', HLL, '01'],
  ['bytes of no known type', 'a26301', BLOB, '01'],
  ['geojson', 'a3177b7d', GEOJSON, '0000007b7d'],
  ['a list', '920105', LIST, '920105'],
  ['an ordered map', '82c70001c00102', MAP, '82c70001c00102'],
];

for (const [what, element, type, bytes] of PAIRS) {
  test(`${what} is a particle of type ${type}`, t => t.deepEqual(particle(element), [type, bytes]));
}

for (const hex of ['d4ff00', 'd4ff01', 'c1', 'a303', '', '9201', 'd40501']) {
  test(`${hex === '' ? 'nothing' : hex} is no particle`, t => t.is(particle(hex), undefined));
}

test('a value that becomes a particle and an element again is what it was', t => {
  fc.assert(
    fc.property(anyStored, value => {
      if (typeof value === 'bigint' && value >= 2n ** 63n) return true; // a negative one, as a particle
      const bytes = pack(value);
      const scratch = new Scratch();
      const [made, back] = [new ParticleSpan(), new ParticleSpan()];
      particleOf(bytes, 0, bytes.length, scratch, made);
      elementOf(made, scratch, back);
      return hexOf(back) === toHex(bytes);
    }),
    { numRuns: 500 },
  );
  t.pass();
});

test('the cells of a geojson particle are no part of the element', t => {
  const out = new ParticleSpan();
  const bytes = fromHex('000001' + '1122334455667788' + '7b7d');
  const given = new ParticleSpan();
  given.set(GEOJSON, bytes, 0, bytes.length);
  elementOf(given, new Scratch(), out);
  t.is(hexOf(out), 'a3177b7d');
});
