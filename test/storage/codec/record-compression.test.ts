import { randomBytes } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { Region } from '../../../src/base/arena.js';
import { OK, UNKNOWN } from '../../../src/base/result.js';
import { CODEC_NAMES, openCodecs } from '../../../src/storage/codec/codecs.js';
import { RecordCompression } from '../../../src/storage/codec/record-compression.js';
import { RecordSpan, ST_COUNT, ST_PACKED_BYTES, ST_RAW_BYTES } from '../../../src/storage/engine.js';
import {
  binsOffset,
  FLAG_COMPRESSED,
  FLAG_PERSISTED_INDEX,
  newRecordHeader,
  REC_FLAGS_SET_GEN,
  writeRecordHeader,
} from '../../../src/storage/record/flat-record.js';

const MIB = 1024 * 1024;
const KEY_SIZE = 9;
const BINS_AT = binsOffset(0, KEY_SIZE);
const codecs = await openCodecs();

/** A record with these bins, in memory of its own, at byte 64. */
function recordOf(bins: Uint8Array): RecordSpan {
  const span = new RecordSpan();
  span.region = new Region(64 + BINS_AT + bins.length + 16);
  span.at = 64;
  span.size = BINS_AT + bins.length;
  const header = { ...newRecordHeader(), keySize: KEY_SIZE, flags: FLAG_PERSISTED_INDEX, generation: 7 };
  const { u8, u32 } = span.region;
  writeRecordHeader(u8, u32, span.at, header, new Uint8Array(20).fill(3), 0);
  u8.fill(5, span.at + 72, span.at + 72 + KEY_SIZE);
  u8.set(bins, span.at + BINS_AT);
  return span;
}

const bytesOf = ({ region, at, size }: RecordSpan): Buffer => Buffer.from(region.u8.slice(at, at + size));

/** Packs a record in place. @returns Whether it shrank. */
function shrink(
  compression: RecordCompression,
  span: RecordSpan,
  counters = new Float64Array(ST_COUNT),
): boolean {
  const size = compression.pack(span.region, span.at, span.size, counters);
  if (size >= span.size) return false;
  compression.write(span.region, span.at, span.region, span.at);
  span.size = size;
  return true;
}

/** Bins like those of records, the same for the same number. */
function text(size: number, seed: number): Uint8Array {
  let line = '';
  for (let i = seed; line.length < size; i = (i * 48_271 + 11) % 0x7fffffff)
    line += `"field${i % 9}": ${i % 5000}, `;
  return Buffer.from(line.slice(0, size));
}

for (const [codec, name] of CODEC_NAMES.entries()) {
  if (codec === 0) continue;

  test(`${name}: the library is here`, t => {
    t.is(codecs.reasons[codec], '');
  });

  test(`${name}: a record is the same after packing and unpacking, whatever is in it`, t => {
    const settings = Float64Array.of(codec, 0);
    const compression = new RecordCompression(codecs, settings);
    const bins = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.tuple(fc.integer({ min: 0, max: 20_000 }), fc.nat(1000)).map(([size, seed]) => text(size, seed)),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.integer({ min: 1, max: 3000 }))
        .map(([unit, count]) =>
          Uint8Array.from({ length: unit.length * count }, (_, i) => unit[i % unit.length]!),
        ),
    );
    t.notThrows(() =>
      fc.assert(
        fc.property(bins, fc.integer({ min: 0, max: 9 }), (raw, level) => {
          settings[1] = level;
          const span = recordOf(raw);
          const before = bytesOf(span);
          const hasShrunk = shrink(compression, span);
          const isMarked = (span.region.u32[(span.at >>> 2) + REC_FLAGS_SET_GEN]! & FLAG_COMPRESSED) !== 0;
          if (isMarked !== hasShrunk) return false;
          if (hasShrunk && compression.unpack(span) !== OK) return false;
          return bytesOf(span).equals(before);
        }),
        { numRuns: 300 },
      ),
    );
  });

  test(`${name}: a record of 8 MiB is packed and unpacked`, t => {
    const compression = new RecordCompression(codecs, Float64Array.of(codec, 0));
    const span = recordOf(text(8 * MIB, 1));
    const before = bytesOf(span);
    t.true(shrink(compression, span));
    t.true(span.size < before.length / 2);
    t.is(compression.unpack(span), OK);
    t.true(bytesOf(span).equals(before));
  });

  test(`${name}: what cannot be shrunk is stored as it is, and the ratio says so`, t => {
    const compression = new RecordCompression(codecs, Float64Array.of(codec, 0));
    const counters = new Float64Array(ST_COUNT);
    for (let i = 0; i < 10_000; i++) {
      const span = recordOf(randomBytes(200));
      const before = bytesOf(span);
      t.false(shrink(compression, span, counters));
      t.true(bytesOf(span).equals(before));
    }
    t.is(counters[ST_PACKED_BYTES]! / counters[ST_RAW_BYTES]!, 1);
    const sizes = [0, 0];
    for (let i = 0; i < 10_000; i++) {
      const span = recordOf(text(1000, i + 1));
      sizes[0]! += span.size;
      shrink(compression, span, counters);
      sizes[1]! += span.size;
    }
    const ratio = counters[ST_PACKED_BYTES]! / counters[ST_RAW_BYTES]!;
    t.true(Math.abs(ratio - sizes[1]! / sizes[0]!) < 0.02, `${ratio} of ${sizes}`);
  });

  test(`${name}: bytes that are not of its format are refused, not served`, t => {
    const compression = new RecordCompression(codecs, Float64Array.of(codec, 0));
    for (let i = 0; i < 200; i++) {
      const span = recordOf(text(600, i + 1));
      shrink(compression, span);
      randomBytes(64).copy(span.region.u8, span.at + BINS_AT + 8);
      const before = bytesOf(span);
      const code = compression.unpack(span);
      // The record's checksum is what tells; here nothing but the size is known.
      t.true(
        code === UNKNOWN ? compression.reason.length > 0 : span.size === BINS_AT + 600,
        before.toString('hex'),
      );
    }
  });
}

/** The stored forms are formats of others, fixed: bins of 96 letters `a`, packed by hand from their specifications. */
const VECTORS: readonly [codec: number, packed: string][] = [
  // Literal `a`, a match of 90 at offset 1, five literals.
  [1, '1f61010047506161616161'],
  // Size 96 as varint, literal `a`, copies of 64 and 31 at offset 1.
  [2, '600061fe01007a0100'],
  // Magic, descriptor of one segment with a size of a byte, one last block: 96 times `a`.
  [3, '28b52ffd2060030300' + '61'],
];

for (const [codec, packed] of VECTORS) {
  test(`${CODEC_NAMES[codec]}: the stored form is the format's own`, t => {
    const compression = new RecordCompression(codecs, Float64Array.of(codec, 0));
    const bytes = Buffer.from(packed, 'hex');
    const span = recordOf(new Uint8Array(8 + bytes.length));
    const { region, at } = span;
    region.u32[(at + BINS_AT) >>> 2] = codec;
    region.u32[((at + BINS_AT) >>> 2) + 1] = 96;
    region.u8.set(bytes, at + BINS_AT + 8);
    region.u32[(at >>> 2) + REC_FLAGS_SET_GEN]! |= FLAG_COMPRESSED;
    t.is(compression.unpack(span), OK, compression.reason);
    t.is(bytesOf(span).subarray(BINS_AT).toString(), 'a'.repeat(96));
  });
}

test('a record packed by a codec of another version is refused by name', t => {
  const compression = new RecordCompression(codecs, Float64Array.of(3, 0));
  const span = recordOf(text(500, 1));
  shrink(compression, span);
  span.region.u32[(span.at + BINS_AT) >>> 2] = 9;
  t.is(compression.unpack(span), UNKNOWN);
  t.regex(compression.reason, /codec 9/);
});

test('a library that is missing packs nothing and says what it cannot unpack', t => {
  const without = {
    byNumber: [null, null, null, codecs.byNumber[3]!],
    reasons: ['', 'no such module', 'no such module', ''],
  };
  const span = recordOf(text(500, 1));
  const compression = new RecordCompression(codecs, Float64Array.of(1, 0));
  const poorer = new RecordCompression(without, Float64Array.of(1, 0));
  t.false(shrink(poorer, span));
  t.true(shrink(compression, span));
  t.is(poorer.unpack(span), UNKNOWN);
  t.regex(poorer.reason, /lz4 is not available: no such module/);
});
