import test from 'ava';
import fc from 'fast-check';
import { Region } from '../../src/base/arena.js';
import { checksum32 } from '../../src/base/checksum.js';

function of(text: string, seed = 0): number {
  const bytes = Buffer.from(text);
  const region = new Region(bytes.length + 8);
  region.u8.set(bytes, 4);
  return checksum32(region.i32, 4, bytes.length, seed);
}

// Sums of the reference implementation (xxhash for Python).
const KNOWN: readonly (readonly [text: string, seed: number, sum: number])[] = [
  ['', 0, 0x02cc5d05],
  ['a', 0, 0x550d7456],
  ['abc', 0, 0x32d153ff],
  ['Nobody inspects the spammish repetition', 0, 0xe2293b2f],
  ['xxhash', 20141025, 0x67bb40dd],
  [`${'0123456789abcdefghijklmnopqrstuvwxyz'.repeat(3)}!`, 0x9e3779b1, 0xdbd0bf39],
];

for (const [text, seed, sum] of KNOWN) {
  test(`"${text}" with seed ${seed} has the sum it must have`, t => {
    t.is(of(text, seed), sum);
  });
}

test('bytes outside the range do not matter, every bit inside does', t => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), fc.nat(), (bytes, pick) => {
      const region = new Region(bytes.length + 16);
      region.u8.fill(0xa5);
      region.u8.set(bytes, 4);
      const sum = checksum32(region.i32, 4, bytes.length);
      region.u8.fill(0x5a, 0, 4);
      region.u8.fill(0x5a, 4 + bytes.length);
      t.is(checksum32(region.i32, 4, bytes.length), sum);
      const bit = pick % (bytes.length * 8);
      region.u8[4 + (bit >>> 3)]! ^= 1 << (bit & 7);
      t.not(checksum32(region.i32, 4, bytes.length), sum);
    }),
  );
});
