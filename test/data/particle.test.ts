import { readFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import { GEO_INVALID_GEOJSON, PARAMETER, UNKNOWN } from '../../src/base/result.js';
import { wireSize, writeWire } from '../../src/data/cdt/persisted-index.js';
import { checkWrite, isCopied, particleTypeName, writeStored } from '../../src/data/particle.js';
import {
  BLOB,
  BOOL,
  ERLANG_BLOB,
  FLOAT,
  GEOJSON,
  HLL,
  INTEGER,
  JAVA_BLOB,
  LIST,
  MAP,
  NULL,
  PARTICLE_TYPE_COUNT,
  STRING,
} from '../../src/data/type.js';
import { framings, fromHex, toHex } from './frame.js';

/** A particle that the reference was sent, and what it stored or the code that it refused it with. */
interface Recorded {
  readonly type: number;
  readonly in: string;
  readonly stored?: string;
  readonly code?: number;
  readonly origin: string;
}
const recorded = JSON.parse(
  readFileSync(new URL('../../../test/vectors/data/particles.json', import.meta.url), 'utf8'),
) as readonly Recorded[];

/** What a put followed by a get gives: the hex of the stored form or a negative code. Fails on any stray read or write. */
function stored(type: number, particle: Uint8Array): string | number {
  const results = framings(particle).map(({ bytes, at }) => {
    const size = checkWrite(type, bytes, at, particle.length);
    if (size < 0) return size;
    const out = new Uint8Array(size + 16).fill(0xee);
    const written = writeStored(type, bytes, at, particle.length, out, 8);
    if (written !== size) return `wrote ${written} of ${size}`;
    if (!out.subarray(0, 8).every(b => b === 0xee) || !out.subarray(8 + size).every(b => b === 0xee))
      return 'wrote outside';
    return toHex(asSeen(type, out, 8, size));
  });
  return results.every(result => result === results[0]) ? results[0]! : `read outside: ${results.join()}`;
}

/** The form that clients see, which a persisted index is not part of. */
function asSeen(type: number, bytes: Uint8Array, at: number, size: number): Uint8Array {
  const wire = new Uint8Array(wireSize(type, bytes, at, size));
  writeWire(type, bytes, at, size, wire, 0);
  return wire;
}

const store = (type: number, hex: string) => stored(type, fromHex(hex));

test('particles are stored and refused as the reference recorded', t => {
  t.true(recorded.length > 400);
  for (const row of recorded) {
    t.is(store(row.type, row.in), row.stored ?? -row.code!, `${row.origin}: type ${row.type} ${row.in}`);
  }
});

test('short integers are zero-extended to 8 bytes, other sizes refused', t => {
  t.is(store(INTEGER, 'ff'), '00000000000000ff');
  t.is(store(INTEGER, '8001'), '0000000000008001');
  t.is(store(INTEGER, '80000001'), '0000000080000001');
  t.is(store(INTEGER, '8000000000000001'), '8000000000000001');
  for (const size of [0, 3, 5, 6, 7, 9, 16]) t.is(stored(INTEGER, new Uint8Array(size)), -PARAMETER);
});

test('a float has exactly 8 bytes, a bool one that is 0 or 1', t => {
  t.is(store(FLOAT, '7ff8000000000001'), '7ff8000000000001');
  t.is(store(FLOAT, '3ff00000'), -PARAMETER);
  t.is(store(BOOL, '00'), '00');
  t.is(store(BOOL, '01'), '01');
  for (const bad of ['', '02', 'ff', '0001']) t.is(store(BOOL, bad), -PARAMETER);
});

test('strings and blobs hold any bytes and may be empty', t => {
  for (const type of [STRING, BLOB, JAVA_BLOB, ERLANG_BLOB]) {
    t.is(store(type, ''), '');
    t.is(store(type, 'ff00fe'), 'ff00fe');
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), bytes => stored(BLOB, bytes) === toHex(bytes)));
});

test('a null has no value, whatever came with it', t => {
  t.is(store(NULL, ''), '');
  t.is(store(NULL, '0102'), '');
  t.false(isCopied(NULL));
});

test('types without meaning are refused', t => {
  for (const type of [5, 6, 13, 14, 15, 21, 22, 24, 200, 255]) {
    t.is(store(type, '00'), -PARAMETER, `type ${type}`);
    t.false(isCopied(type));
    t.is(particleTypeName(type), undefined);
  }
});

test('what is copied is stored as it came', t => {
  const copied = Array.from({ length: PARTICLE_TYPE_COUNT }, (_, type) => type).filter(isCopied);
  t.deepEqual(copied, [2, 3, 4, 7, 8, 9, 10, 11, 12, 16, 17, 18]);
});

test('an HLL sketch must have the size that its header says', t => {
  const sketch = (flags: number, p: number, m: number, size: number) => {
    const bytes = new Uint8Array(size);
    bytes.set([flags, p, m]);
    return stored(HLL, bytes);
  };
  for (const [p, m, size] of [
    [8, 0, 203],
    [4, 0, 23],
    [10, 0, 779],
    [12, 4, 5131],
    [4, 4, 31],
  ] as const) {
    t.is(typeof sketch(0, p, m, size), 'string');
    t.is(sketch(1, p, m, size), -PARAMETER);
    t.is(sketch(0, p, m, size - 1), -PARAMETER);
    t.is(sketch(0, p, m, size + 1), -PARAMETER);
  }
  t.is(sketch(0, 3, 0, 17), -PARAMETER);
  t.is(sketch(0, 4, 3, 29), -PARAMETER);
  t.is(sketch(0, 4, 52, 127), -PARAMETER);
  t.is(sketch(0, 16, 49, 450571), -PARAMETER); // index and minhash bits exceed the hash
  t.is(store(HLL, ''), -PARAMETER);
  t.is(store(HLL, '0004'), -PARAMETER);
});

test('lists and maps are refused with 1 when cut off, followed by more, or of the other kind', t => {
  for (const bad of ['', '92 01', '91 01 02', '81 01 02', 'c1', '01', '91 c1', '91 d4 ff 00', '91 d4 ff 01'])
    t.is(store(LIST, bad.replaceAll(' ', '')), -UNKNOWN, bad);
  for (const bad of ['', '81 01', '80 00', '90', '82 01 02 01 03', '81 c0 01', '81 a2 17 7b 01', '81 a0 01'])
    t.is(store(MAP, bad.replaceAll(' ', '')), -UNKNOWN, bad);
});

test('geojson whose cells reach past its end is refused with 160', t => {
  const text = Buffer.from('{"type":"Point","coordinates":[0,0]}').toString('hex');
  t.is(store(GEOJSON, `000000${text}`), `0000011000000000000001${text}`);
  t.is(store(GEOJSON, `000001ffffffffffffffff${text}`), `0000011000000000000001${text}`);
  for (const bad of ['', '0000', '000000', `00ffff${text}`, text])
    t.is(store(GEOJSON, bad), -GEO_INVALID_GEOJSON);
});

test('any bytes of any type are stored or refused, never read past', t => {
  const codes = new Set([-PARAMETER, -UNKNOWN, -GEO_INVALID_GEOJSON]);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 30 }), fc.uint8Array({ maxLength: 60 }), (type, bytes) => {
      const result = stored(type, bytes);
      return typeof result === 'number' ? codes.has(result) : /^[0-9a-f]*$/.test(result);
    }),
    { numRuns: 2000 },
  );
  t.pass();
});
