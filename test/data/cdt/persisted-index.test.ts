import test from 'ava';
import fc from 'fast-check';
import { PARAMETER } from '../../../src/base/result.js';
import { Container } from '../../../src/data/cdt/container.js';
import { writeIndexed } from '../../../src/data/cdt/index-writer.js';
import { operateCdt } from '../../../src/data/cdt/operate.js';
import {
  hasPersistedIndex,
  indexedSize,
  wireSize,
  writeWire,
} from '../../../src/data/cdt/persisted-index.js';
import { BLOB, INTEGER, LIST, MAP, STRING } from '../../../src/data/type.js';
import { framings, fromHex, toHex } from '../frame.js';
import { runValueOp } from '../run-value-op.js';

const hex = (text: string) => fromHex(text.replaceAll(' ', ''));

/** The stored form of a container; the same whatever lies around it. */
function indexed(bytes: Uint8Array): Uint8Array {
  const forms = framings(bytes).map(({ bytes: around, at }) => {
    const size = indexedSize(around, at, bytes.length);
    const out = new Uint8Array(size + 4).fill(0xee);
    const written = size === bytes.length ? size : writeIndexed(around, at, bytes.length, out, 0);
    if (size === bytes.length) out.set(bytes);
    return written === size && out[size] === 0xee ? toHex(out.subarray(0, size)) : 'of another size';
  });
  return fromHex(forms.every(form => form === forms[0]) ? forms[0]! : 'read outside');
}

/** What clients see; the same whatever lies around the particle. */
function wire(type: number, bytes: Uint8Array): string {
  const forms = framings(bytes).map(({ bytes: around, at }) => {
    const size = wireSize(type, around, at, bytes.length);
    const out = new Uint8Array(size + 4).fill(0xee);
    const written = writeWire(type, around, at, bytes.length, out, 0);
    return written === size && out[size] === 0xee ? toHex(out.subarray(0, size)) : 'of another size';
  });
  return forms.every(form => form === forms[0]) ? forms[0]! : 'read outside';
}

test('an index holds offsets, and of value-ordered maps the order', t => {
  t.is(toHex(indexed(hex('93 c7 00 11 05 06'))), '93c70111010506');
  t.is(toHex(indexed(hex('94 c7 00 10 a2 03 61 05 06'))), '94c7021003' + '04' + 'a203610506');
  t.is(toHex(indexed(hex('83 c7 00 13 c0 01 09 02 08'))), '83c703130201' + '00' + 'c001090208');
  t.is(toHex(indexed(hex('83 c7 00 11 c0 01 09 02 08'))), '83c7011102c001090208');
});

test('what asks for no index, or has nothing to index, stays as it is', t => {
  for (const plain of ['90', '91 c7 00 11', '92 c7 00 11 05', '93 c7 00 01 05 06', '82 c7 00 13 c0 01 02'])
    t.is(toHex(indexed(hex(plain))), plain.replaceAll(' ', ''));
  const once = indexed(hex('83 c7 00 13 c0 01 09 02 08'));
  t.is(indexedSize(once, 0, once.length), once.length);
});

test('clients see neither the bit nor the table, and no flag element without another flag', t => {
  t.is(wire(LIST, indexed(hex('93 c7 00 11 05 06'))), '93c700010506');
  t.is(wire(LIST, indexed(hex('93 c7 00 10 05 06'))), '920506');
  t.is(wire(LIST, hex('91 c7 00 10')), '90');
  t.is(wire(MAP, indexed(hex('83 c7 00 13 c0 01 09 02 08'))), '83c70003c001090208');
  t.is(wire(MAP, indexed(hex('83 c7 00 10 c0 01 09 02 08'))), '8201090208');
  t.is(wire(MAP, hex('81 c7 00 11 c0')), '81c70001c0');
});

test('other particles are seen as they are, whatever their bytes', t => {
  for (const type of [INTEGER, STRING, BLOB]) {
    t.is(wire(type, hex('93 c7 01 11 01 05 06')), '93c70111010506');
    t.false(hasPersistedIndex(type, hex('91 c7 00 11'), 0, 4));
  }
  t.is(wire(LIST, hex('93 c7 00 01 05 06')), '93c700010506');
  t.true(hasPersistedIndex(LIST, hex('91 c7 00 11'), 0, 4));
  t.false(hasPersistedIndex(LIST, hex('91 c7 00 01'), 0, 4));
  t.false(hasPersistedIndex(LIST, hex('90'), 0, 1));
});

test('headers grow and shrink with the flag element', t => {
  const fifteen = Buffer.concat([hex('dc 00 10 c7 00 10'), Buffer.alloc(15, 7)]);
  const stored = indexed(fifteen);
  t.is(toHex(stored.subarray(0, 7)), 'dc0010c70e1001');
  t.is(wire(LIST, stored), `9f${'07'.repeat(15)}`);
});

test('any bytes are measured and written alike, without reading outside', t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), fc.constantFrom(0x83, 0x93, 0xdc, 0xde), (tail, head) => {
      const bytes = Uint8Array.from([head, 0xc7, ...tail]);
      for (const type of [LIST, MAP]) t.regex(wire(type, bytes), /^[0-9a-f]*$/);
      t.true(indexedSize(bytes, 0, bytes.length) >= 0);
    }),
    { numRuns: 2000 },
  );
});

test('offsets of containers of every size are where the elements are', t => {
  for (const count of [2, 17, 300, 70_000]) {
    for (const size of [1, 30, 300]) {
      if (count * size > 1 << 22) continue;
      const body = Buffer.concat([hex('c5'), Buffer.from([size >> 8, size & 0xff]), Buffer.alloc(size, 4)]);
      const count32 = Buffer.from([
        0xdd,
        0,
        (count + 1) >> 16,
        ((count + 1) >> 8) & 0xff,
        (count + 1) & 0xff,
      ]);
      const plain = Buffer.concat([count32, hex('c7 00 10'), ...new Array<Buffer>(count).fill(body)]);
      const out = new Uint8Array(indexedSize(plain, 0, plain.length));
      t.is(writeIndexed(plain, 0, plain.length, out, 0), out.length);
      const container = new Container();
      t.true(container.open(out, 0, out.length));
      t.true(container.tableAt > 0 && container.isIndexed);
      for (const k of [0, 1, count >> 1, count - 1, count])
        t.is(container.offsetOf(k) - container.contentAt, k * body.length);
    }
  }
});

/** A map of `count` pairs, keys of two bytes and more, values that are `valueSize` bytes of payload. */
function mapBytes(count: number, flags: number, valueSize: number): Uint8Array {
  const pairs = Array.from({ length: count }, (_, k) => {
    const value = Buffer.alloc(valueSize, (k * 37) % 251);
    const key = Buffer.from([0xcd, (k + 128) >> 8, (k + 128) & 0xff]);
    const typed = Buffer.from([0xda, (valueSize + 1) >> 8, (valueSize + 1) & 0xff, 4]);
    const small = Buffer.from([0xa0 | (valueSize + 1), 4]);
    const header = valueSize < 31 ? small : valueSize < 255 ? Buffer.from([0xd9, valueSize + 1, 4]) : typed;
    return Buffer.concat([key.readUInt16BE(1) < 256 ? Buffer.from([0xcc, key[2]!]) : key, header, value]);
  });
  const head = Buffer.from([0xde, (count + 1) >> 8, (count + 1) & 0xff, 0xc7, 0, flags, 0xc0]);
  return Buffer.concat([head, ...pairs]);
}

test('an index derived from the one before is the one that would be built, as widths grow and shrink', t => {
  const put = (key: number, size: number) =>
    Buffer.concat([
      Buffer.from([0x93, 67, 0xcd, key >> 8, key & 0xff, 0xda, (size + 1) >> 8, (size + 1) & 0xff, 4]),
      Buffer.alloc(size, key),
    ]);
  const remove = (from: number, count: number) => Buffer.from([0x94, 85, 0, from, count]);
  for (const flags of [0x10, 0x11, 0x13]) {
    for (const [count, valueSize] of [
      [18, 10],
      [40, 2],
      [255, 4],
      [256, 250],
      [300, 215],
    ] as const) {
      const bytes = indexed(mapBytes(count, flags, valueSize));
      const bodies = [0, 5, count - 1, count].flatMap(k => [
        put(128 + k, 0),
        put(128 + k, 300),
        put(1 + k, valueSize),
        remove(k & 0x7f, 1),
        remove(k & 0x7f, 9),
      ]);
      for (const body of bodies) {
        const { code, changed } = runValueOp(operateCdt, { type: MAP, bytes }, body, true, BLOB);
        t.is(code, 0);
        if (changed === undefined) continue;
        const seen = fromHex(wire(MAP, fromHex(changed.hex)));
        const flagged = withFlags(seen, flags);
        t.is(changed.hex, toHex(indexed(flagged)), `${flags} ${count} ${valueSize} ${toHex(body)}`);
      }
    }
  }
});

test('so it is among values that are no numbers', t => {
  const doubles = [
    'cb7ff8000000000000',
    'cbfff8000000000001',
    'ca7fc00000',
    'cb3ff0000000000000',
    'cbbff0000000000000',
  ];
  const values = [
    ...doubles,
    ...doubles.map(hex => `91${hex}`),
    ...doubles.map(hex => `8101${hex}`),
    '05',
    'a20361',
  ];
  const anyChange = fc.record({
    key: fc.nat(15),
    value: fc.option(fc.constantFrom(...values), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(anyChange, { minLength: 1, maxLength: 40 }), changes => {
      let bytes: Uint8Array = hex('81 c7 00 13 c0');
      return changes.every(({ key, value }) => {
        const body =
          value === undefined
            ? Uint8Array.of(0x93, 76, 0, key)
            : hex(`93 43 ${key.toString(16).padStart(2, '0')} ${value}`);
        const { code, changed } = runValueOp(operateCdt, { type: MAP, bytes }, body, true, BLOB);
        if (changed !== undefined) bytes = fromHex(changed.hex);
        return code === 0 && toHex(bytes) === toHex(indexed(withFlags(fromHex(wire(MAP, bytes)), 0x13)));
      });
    }),
    { numRuns: 500 },
  );
  t.pass();
});

test('with a damaged index an operation answers a code at worst', t => {
  const ops = [
    '9301050c',
    '9203fe',
    '94 0c 01 07',
    '93 18 07 00',
    '95 43 cc81 a20361 00 00',
    '94 4b 00 00',
    '94 55 00 02 09',
    '94 6b 07 02 09',
  ];
  const reads = ['93 12 01 04', '93 61 07 cc83', '94 6b 07 02 09', '94 6f 03 00 05'];
  const calls = [
    ...ops.map(body => ({ body, isModify: true })),
    ...reads.map(body => ({ body, isModify: false })),
  ];
  const list = indexed(Buffer.concat([hex('dc 00 15 c7 00 10'), Buffer.alloc(40, hex('a204'))]));
  const answered = new Set<number>();
  for (const [type, bytes] of [
    [MAP, indexed(mapBytes(18, 0x10, 9))],
    [MAP, indexed(mapBytes(18, 0x13, 9))],
    [MAP, indexed(mapBytes(300, 0x11, 1))],
    [LIST, list],
  ] as const) {
    const container = new Container();
    t.true(container.open(bytes, 0, bytes.length) && container.tableAt > 0);
    const end = Math.min(container.contentAt, container.tableAt + 40);
    for (let at = container.tableAt; at < end; at++) {
      for (const value of [0, bytes[at]! + 1, bytes[at]! - 1, 0xff]) {
        const damaged = bytes.slice();
        damaged[at] = value;
        for (const { body, isModify } of calls)
          answered.add(runValueOp(operateCdt, { type, bytes: damaged }, hex(body), isModify, BLOB).code);
      }
    }
  }
  t.true(answered.has(PARAMETER));
});

/** The map with other flags, from one with a u16 count that has any flags or none. */
function withFlags(bytes: Uint8Array, flags: number): Uint8Array {
  if (bytes[0] !== 0xde) return bytes[1] === 0xc7 ? withFlagByte(bytes, 3, flags) : addFlags(bytes, flags);
  return bytes[3] === 0xc7 ? withFlagByte(bytes, 5, flags) : addFlags(bytes, flags);
}

function withFlagByte(bytes: Uint8Array, at: number, flags: number): Uint8Array {
  const changed = bytes.slice();
  changed[at] = flags;
  return changed;
}

function addFlags(bytes: Uint8Array, flags: number): Uint8Array {
  const isWide = bytes[0] === 0xde;
  const count = (isWide ? (bytes[1]! << 8) | bytes[2]! : bytes[0]! & 0x0f) + 1;
  const head = count <= 15 ? [0x80 | count] : [0xde, count >> 8, count & 0xff];
  return Uint8Array.from([...head, 0xc7, 0, flags, 0xc0, ...bytes.subarray(isWide ? 3 : 1)]);
}
