import test from 'ava';
import fc from 'fast-check';
import { Region } from '../../../src/base/arena.js';
import { checksum32 } from '../../../src/base/checksum.js';
import { nativeModule } from '../../../src/base/native-module.js';
import { sealRecords, stampRecord } from '../../../src/storage/write-block/record-seal.js';

const CHECKED_AT = 12;
const HEADER_SIZE = 72;

test('every record of a run gets the checksum that it would get alone', t => {
  const region = new Region(1 << 20);
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: HEADER_SIZE, max: 5000 }), { minLength: 1, maxLength: 60 }),
      fc.nat(64),
      fc.nat(),
      (sizes, start, seed) => {
        const { u8, i32, u32 } = region;
        for (let i = 0; i < 4096; i++) u8[(i * 257) % u8.length] = seed + i;
        const from = start * 16;
        const places: number[] = [];
        let at = from;
        for (const size of sizes) {
          stampRecord(region, at, size, 7);
          places.push(at);
          at = (at + size + 15) & -16;
        }
        u8.fill(255, at, at + 64); // no record, and no part of one
        sealRecords(region, from, at);
        places.forEach((place, i) => {
          const sum = checksum32(i32, place + CHECKED_AT, sizes[i]! - CHECKED_AT);
          t.is(u32[(place >>> 2) + 2], sum);
        });
        t.is(u32[at >>> 2], 0xffffffff);
      },
    ),
  );
});

test('what is no record ends a run, and nothing behind the end is read or written', t => {
  const region = new Region(4096);
  const { u8, u32 } = region;
  stampRecord(region, 0, 100, 7);
  u32[(112 >>> 2) + 1] = 71; // too short
  sealRecords(region, 0, 4096);
  t.not(u32[2], 0);
  t.is(u32[(112 >>> 2) + 2], 0);
  u32[(112 >>> 2) + 1] = 5000; // longer than the room
  sealRecords(region, 112, 4096);
  t.is(u32[(112 >>> 2) + 2], 0);
  const native = nativeModule();
  if (typeof native === 'string') return;
  const before = Uint8Array.from(u8);
  native.sealRecords(u8, 0, 4097);
  native.sealRecords(u8, 200, 100);
  t.deepEqual(Uint8Array.from(u8), before);
});
