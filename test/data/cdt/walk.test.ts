import test from 'ava';
import fc from 'fast-check';
import { walkElements, walkPairs } from '../../../src/data/cdt/walk.js';
import { nextOf } from '../../../src/data/msgpack/element.js';
import { framings } from '../frame.js';
import { anyStored, pack } from '../msgpack/value.js';

/** Runs of values that are alike, among others, as containers hold them. */
const anyRuns: fc.Arbitrary<Uint8Array[]> = fc
  .array(
    fc.tuple(
      fc.oneof(
        anyStored.map(value => pack(value)),
        fc
          .integer({ min: 1, max: 300 })
          .map(size => pack({ bytes: Uint8Array.from({ length: size }, () => 3) })),
        fc.constantFrom(0n, 127n, 128n, 255n, 256n, -1n, -33n, 2n ** 40n).map(value => pack(value)),
      ),
      fc.integer({ min: 1, max: 40 }),
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map(runs => runs.flatMap(([bytes, count]) => Array.from({ length: count }, () => bytes)));

/** Where elements start, one after the other, as far as that goes. */
function plainWalk(bytes: Uint8Array, at: number, end: number, count: number): number[] {
  const starts = [at];
  for (let p = at; starts.length <= count; starts.push(p)) {
    p = nextOf(bytes, p, end);
    if (p < 0) break;
  }
  return starts;
}

const walks = [
  { walk: walkElements, perStep: 1 },
  { walk: walkPairs, perStep: 2 },
];

test('a walk finds what a plain one finds, in one go or in several, and where the bytes end too early', t => {
  fc.assert(
    fc.property(
      anyRuns,
      fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 5 }),
      fc.nat(),
      fc.option(fc.tuple(fc.nat(), fc.nat(255)), { nil: undefined }),
      (elements, steps, cut, damage) => {
        const whole = Buffer.concat(elements);
        if (damage !== undefined) whole[damage[0] % whole.length] = damage[1];
        const size = cut % 3 === 0 ? cut % whole.length : whole.length;
        return walks.every(({ walk, perStep }) => {
          const count = Math.floor(elements.length / perStep);
          return framings(whole.subarray(0, size)).every(({ bytes, at }) => {
            const starts = plainWalk(bytes, at, at + size, count * perStep);
            const offsets = new Uint32Array(count + 1);
            offsets[0] = at;
            let k = 0;
            for (let turn = 0; k < count; turn++) {
              const next = Math.min(count, k + steps[turn % steps.length]!);
              const found = walk(bytes, at + size, offsets, k, next);
              if (found !== (starts[next * perStep] ?? -1)) return false;
              if (found < 0) break;
              k = next;
            }
            return offsets.subarray(0, k + 1).every((offset, i) => offset === starts[i * perStep]);
          });
        });
      },
    ),
    { numRuns: 2000 },
  );
  t.pass();
});
