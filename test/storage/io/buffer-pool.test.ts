import test from 'ava';
import fc from 'fast-check';
import { BufferPool } from '../../../src/storage/io/buffer-pool.js';

const MIB = 1024 * 1024;
const SIZE = 32 * MIB;

test('buffers never overlap, and all memory comes back', t => {
  const action = fc.record({ isTake: fc.boolean(), shift: fc.integer({ min: 0, max: 24 }), pick: fc.nat() });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 300 }), actions => {
      const pool = new BufferPool(SIZE);
      const taken: { at: number; size: number }[] = [];
      for (const { isTake, shift, pick } of actions) {
        if (!isTake && taken.length > 0) {
          pool.give(taken.splice(pick % taken.length, 1)[0]!.at);
          continue;
        }
        const size = Math.min(2 ** shift + (pick % 5), 16 * MIB);
        const at = pool.take(size);
        if (at < 0) continue;
        t.is(at % 4096, 0);
        t.true(at + size <= SIZE);
        for (const other of taken) t.true(at + size <= other.at || other.at + other.size <= at);
        taken.push({ at, size });
      }
      for (const { at } of taken) pool.give(at);
      t.is(pool.freeBytes, SIZE);
      t.true(pool.take(16 * MIB) >= 0);
      t.true(pool.take(16 * MIB) >= 0);
      t.is(pool.take(1), -1);
    }),
    { numRuns: 60 },
  );
});

test('giving back what was not taken is noticed', t => {
  const pool = new BufferPool(SIZE);
  const at = pool.take(8192);
  t.throws(() => pool.give(at + 4096));
  pool.give(at);
  t.throws(() => pool.give(at));
});
