import test from 'ava';
import fc from 'fast-check';
import { LIST, MAP } from '../../src/expression/value-type.js';
import { Generator } from './model.js';
import type { Value } from './model-value.js';
import { evaluated, hexOf, type Packed, packed, TestRecord, UNKNOWN } from './packed.js';

/** A model's value as `evaluated` returns it. */
function expected(type: number, value: Value | undefined): unknown {
  if (value === undefined) return UNKNOWN;
  if (type === LIST || type === MAP) return hexOf(value as Packed);
  return value;
}

/** Numbers from 0 up to 1 out of a seed: a 32-bit xorshift. */
function randomOf(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

test('random expressions come to what a plain model says', t => {
  let unknowns = 0;
  let count = 0;
  fc.assert(
    fc.property(fc.integer(), seed => {
      const g = new Generator(randomOf(seed));
      const bins = g.bins();
      const type = g.type();
      const expression = g.expression(type, 2 + g.below(4));
      const value = expression.of(bins, new Map());
      const answer = evaluated(expression.packed, new TestRecord(bins as Record<string, Packed>));
      count++;
      if (value === undefined) unknowns++;
      t.deepEqual(answer, expected(type, value), Buffer.from(packed(expression.packed)).toString('hex'));
    }),
    { numRuns: 20_000 },
  );
  t.true(unknowns > count / 10 && unknowns < (count * 9) / 10, `${unknowns} of ${count} are unknown`);
});
