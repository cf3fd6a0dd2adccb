import test from 'ava';
import fc from 'fast-check';
import { Region } from '../../src/base/arena.js';
import { copyBytes, copyRegion, copyToRegion } from '../../src/base/copy.js';

const SIZE = 2048;

test('regions are copied whatever way they lie to each other, and nothing beside', t => {
  const source = new Region(SIZE);
  for (let i = 0; i < SIZE; i++) source.u8[i] = (i * 37 + (i >>> 8)) & 0xff;
  fc.assert(
    fc.property(fc.nat(600), fc.nat(600), fc.nat(700), (targetAt, sourceAt, size) => {
      const target = new Region(SIZE);
      target.u8.fill(0xee);
      const expected = Uint8Array.from(target.u8);
      expected.set(source.u8.slice(sourceAt, sourceAt + size), targetAt);
      copyRegion(target, targetAt, source, sourceAt, size);
      return Buffer.compare(target.u8, expected) === 0;
    }),
    { numRuns: 3000 },
  );
  t.pass();
});

test('arrays are copied into a region, whichever was copied from before, and nothing beside', t => {
  const memory = Uint8Array.from({ length: SIZE * 2 }, (_, i) => (i * 41 + (i >>> 8)) & 0xff);
  const sources = [memory, memory.subarray(SIZE - 3), new Uint8Array(new Region(SIZE).shared, 8).fill(7)];
  fc.assert(
    fc.property(fc.nat(2), fc.nat(600), fc.nat(600), fc.nat(700), (which, targetAt, sourceAt, size) => {
      const source = sources[which]!;
      const target = new Region(SIZE);
      target.u8.fill(0xee);
      const expected = Uint8Array.from(target.u8);
      expected.set(source.slice(sourceAt, sourceAt + size), targetAt);
      copyToRegion(target, targetAt, source, sourceAt, size);
      return Buffer.compare(target.u8, expected) === 0;
    }),
    { numRuns: 3000 },
  );
  t.pass();
});

test('the last bytes of a region are copied', t => {
  const source = new Region(64);
  const target = new Region(64);
  source.u8.forEach((_, i) => {
    source.u8[i] = i + 1;
  });
  for (let size = 0; size <= 16; size++) {
    target.u8.fill(0);
    copyRegion(target, 64 - size, source, 64 - size, size);
    t.deepEqual([...target.u8.subarray(64 - size)], [...source.u8.subarray(64 - size)]);
    copyRegion(target, 0, source, 64 - size, size);
    t.deepEqual([...target.u8.subarray(0, size)], [...source.u8.subarray(64 - size)]);
  }
});

test('bytes are copied between arrays of any size', t => {
  for (const size of [0, 1, 48, 49, 320, 321, 1500]) {
    const source = Uint8Array.from({ length: 2000 }, (_, i) => i & 0xff);
    const target = new Uint8Array(2000);
    copyBytes(target, 3, source, 5, size);
    t.deepEqual(target.subarray(3, 3 + size), source.subarray(5, 5 + size));
    t.is(target[3 + size], 0);
  }
});
