import { readFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import { INCOMPATIBLE_TYPE, PARAMETER, UNKNOWN } from '../../src/base/result.js';
import { concatSize, writeConcat } from '../../src/data/bytes.js';
import { checkIncr, writeIncr } from '../../src/data/number.js';
import { checkWrite, writeStored } from '../../src/data/particle.js';
import { BLOB, BOOL, FLOAT, GEOJSON, INTEGER, JAVA_BLOB, LIST, NULL, STRING } from '../../src/data/type.js';
import { fromHex, toHex } from './frame.js';

const INCR = 5; // op codes of the message
const APPEND = 9;
const PREPEND = 10;

/** A bin (type 0: missing), an operation on it, and the bin or the code that the reference gave. */
interface Recorded {
  readonly bin: readonly [number, string];
  readonly op: number;
  readonly operand: readonly [number, string];
  readonly result?: readonly [number, string];
  readonly code?: number;
  readonly origin: string;
}
const recorded = JSON.parse(
  readFileSync(new URL('../../../test/vectors/data/modify.json', import.meta.url), 'utf8'),
) as readonly Recorded[];

/** The value of a bin after one operation, as hex, or a negative code. */
function modify(
  binType: number,
  bin: Uint8Array,
  op: number,
  type: number,
  operand: Uint8Array,
): string | number {
  if (binType === NULL) {
    const size = checkWrite(type, operand, 0, operand.length);
    if (size < 0) return size;
    const out = new Uint8Array(size);
    writeStored(type, operand, 0, operand.length, out, 0);
    return toHex(out);
  }
  if (op === INCR) {
    const size = checkIncr(binType, type, operand.length);
    if (size < 0) return size;
    const out = new Uint8Array(size);
    writeIncr(type, bin, 0, operand, 0, operand.length, out, 0);
    return toHex(out);
  }
  const size = concatSize(binType, bin.length, type, operand.length);
  if (size < 0) return size;
  const out = new Uint8Array(size);
  if (op === APPEND) writeConcat(bin, 0, bin.length, operand, 0, operand.length, out, 0);
  else writeConcat(operand, 0, operand.length, bin, 0, bin.length, out, 0);
  return toHex(out);
}

const modifyHex = (binType: number, bin: string, op: number, type: number, operand: string) =>
  modify(binType, fromHex(bin), op, type, fromHex(operand));

test('bins are incremented, appended and prepended as the reference recorded', t => {
  t.true(recorded.length > 90);
  for (const row of recorded) {
    const got = modifyHex(row.bin[0], row.bin[1], row.op, row.operand[0], row.operand[1]);
    t.is(got, row.result?.[1] ?? -row.code!, row.origin);
  }
});

test('INCR of integers wraps modulo 2^64', t => {
  const bits = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  const hex = (value: bigint) => BigInt.asUintN(64, value).toString(16).padStart(16, '0');
  fc.assert(
    fc.property(bits, bits, (bin, operand) => {
      return modifyHex(INTEGER, hex(bin), INCR, INTEGER, hex(operand)) === hex(bin + operand);
    }),
  );
  t.is(modifyHex(INTEGER, 'ffffffffffffffff', INCR, INTEGER, '01'), '0000000000000000');
  t.is(modifyHex(INTEGER, '00000000ffffffff', INCR, INTEGER, '0000000000000001'), '0000000100000000');
});

test('short INCR operands are zero-extended', t => {
  t.is(modifyHex(INTEGER, '0000000000000001', INCR, INTEGER, 'ff'), '0000000000000100');
  t.is(modifyHex(INTEGER, '0000000000000001', INCR, INTEGER, 'ffff'), '0000000000010000');
  t.is(modifyHex(INTEGER, '0000000000000001', INCR, INTEGER, 'ffffffff'), '0000000100000000');
});

test('the 16-byte form of INCR stops at 0', t => {
  const minusFive = `fffffffffffffffb${'00'.repeat(8)}`;
  t.is(modifyHex(INTEGER, '0000000000000007', INCR, INTEGER, minusFive), '0000000000000002');
  t.is(modifyHex(INTEGER, '0000000000000005', INCR, INTEGER, minusFive), '0000000000000000');
  t.is(modifyHex(INTEGER, '0000000000000004', INCR, INTEGER, minusFive), '0000000000000000');
  t.is(
    modifyHex(INTEGER, '0000000000000004', INCR, INTEGER, `0000000000000003${'00'.repeat(8)}`),
    '0000000000000007',
  );
});

test('INCR of floats adds, infinities and NaN included', t => {
  const hex = (value: number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleBE(value);
    return bytes.toString('hex');
  };
  fc.assert(
    fc.property(fc.double(), fc.double(), (bin, operand) => {
      const got = modifyHex(FLOAT, hex(bin), INCR, FLOAT, hex(operand));
      return Object.is(Buffer.from(got as string, 'hex').readDoubleBE(), bin + operand);
    }),
  );
  t.is(modifyHex(FLOAT, hex(0.1), INCR, FLOAT, hex(0.2)), hex(0.1 + 0.2));
});

test('INCR may write over the bin that it reads', t => {
  const bin = fromHex('00000000000000ff');
  writeIncr(INTEGER, bin, 0, fromHex('01'), 0, 1, bin, 0);
  t.is(toHex(bin), '0000000000000100');
});

test('operands that do not fit are refused', t => {
  for (const size of [0, 3, 5, 7, 9, 15, 17]) t.is(checkIncr(INTEGER, INTEGER, size), -PARAMETER);
  for (const size of [0, 4, 7, 9, 16]) t.is(checkIncr(FLOAT, FLOAT, size), -PARAMETER);
  t.is(checkIncr(INTEGER, NULL, 0), -PARAMETER);
  t.is(checkIncr(INTEGER, FLOAT, 8), -INCOMPATIBLE_TYPE);
  t.is(checkIncr(FLOAT, INTEGER, 8), -INCOMPATIBLE_TYPE);
  for (const type of [STRING, BLOB, BOOL, LIST]) {
    t.is(checkIncr(type, INTEGER, 8), -INCOMPATIBLE_TYPE);
    t.is(checkIncr(type, type, 8), -INCOMPATIBLE_TYPE);
  }
  t.is(checkIncr(GEOJSON, INTEGER, 8), -UNKNOWN);
  t.is(concatSize(GEOJSON, 5, GEOJSON, 5), -UNKNOWN);
  t.is(concatSize(STRING, 5, BLOB, 5), -INCOMPATIBLE_TYPE);
  t.is(concatSize(BLOB, 5, JAVA_BLOB, 5), -INCOMPATIBLE_TYPE);
  t.is(concatSize(LIST, 5, LIST, 5), -INCOMPATIBLE_TYPE);
  t.is(concatSize(STRING, 5, NULL, 0), -INCOMPATIBLE_TYPE);
  t.is(concatSize(JAVA_BLOB, 5, JAVA_BLOB, 3), 8);
});

test('APPEND and PREPEND join short and long values alike', t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 }), (bin, operand) => {
      const after = modify(BLOB, bin, APPEND, BLOB, operand) === toHex(bin) + toHex(operand);
      return after && modify(STRING, bin, PREPEND, STRING, operand) === toHex(operand) + toHex(bin);
    }),
  );
  t.pass();
});
