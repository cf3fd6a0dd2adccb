import test from 'ava';
import fc from 'fast-check';
import { VALUE } from '../../../src/data/bit/call.js';
import { operateBits } from '../../../src/data/bit/operate.js';
import { BIT_OPS } from '../../../src/data/bit/ops.js';
import { BLOB, NULL, STRING } from '../../../src/data/type.js';
import { fromHex } from '../frame.js';
import { pack, type Value } from '../msgpack/value.js';
import { type Outcome, runValueOp } from '../run-value-op.js';
import { type Arg, expected, NAMES, outcomeOf } from './model.js';

const argument = (arg: Arg): Value =>
  arg instanceof Uint8Array ? { bytes: Uint8Array.from([BLOB, ...arg]) } : arg;

const bodyOf = (code: number, args: readonly Value[]) =>
  pack({ list: [BigInt(code), ...args], isOrdered: false });

/** Runs the operation of this name, or the one with this body in hex, on a blob. */
function run(blob: Uint8Array | string | undefined, name: string, args: readonly Arg[]): Outcome {
  const code = NAMES[name]!;
  const bytes = typeof blob === 'string' ? fromHex(blob) : blob;
  const target = bytes && { type: BLOB, bytes };
  return runValueOp(operateBits, target, bodyOf(code, args.map(argument)), code < 50, BLOB);
}

const blobIs = (hex: string): Outcome => ({ code: 0, changed: { type: BLOB, hex } });
const answers = (n: bigint): Outcome => outcomeOf({ code: 0, result: n });

const bytesOf = fromHex;

test('the examples of the protocol', t => {
  t.deepEqual(run('00010203', 'set', [3n, 6n, bytesOf('ff')]), blobIs('1f810203'));
  t.deepEqual(run('0f', 'lshift', [4n, 4n, 2n]), blobIs('0c'));
  t.deepEqual(run('ff01', 'add', [0n, 8n, 1n, 0n, 4n]), blobIs('0001'));
  t.deepEqual(run('ff01', 'add', [0n, 8n, 1n, 0n, 2n]), blobIs('ff01'));
  t.deepEqual(run('ff01', 'add', [0n, 8n, 1n, 0n, 0n]), { code: 26 });
  t.deepEqual(run('7f', 'add', [0n, 8n, 1n, 0n, 3n]), blobIs('7f'));
  t.deepEqual(run('80', 'subtract', [0n, 8n, 1n, 0n, 3n]), blobIs('80'));
  t.deepEqual(run('5aa5', 'get', [4n, 8n]), { code: 0, result: { type: BLOB, hex: 'aa' } });
  t.deepEqual(run('0010', 'lscan', [0n, 16n, true]), answers(11n));
  t.deepEqual(run('0010', 'rscan', [0n, 16n, false]), answers(15n));
  t.deepEqual(run('80', 'add', [0n, 8n, 0x80n, 0n, 1n]), blobIs('00')); // -128 - 128 is not noticed
});

test('requests as clients send them', t => {
  const target = { type: BLOB, bytes: bytesOf('ff00') };
  const sent = (hex: string) => runValueOp(operateBits, target, bytesOf(hex), bytesOf(hex)[1]! < 50, BLOB);
  t.deepEqual(sent('9400040100'), { code: 6 });
  t.deepEqual(sent('940101a304010200'), blobIs('ff010200'));
  t.deepEqual(sent('95030106a204ff00'), blobIs('ff00'));
  t.deepEqual(sent('960a0008050000'), { code: 26 });
  t.deepEqual(sent('9436000801'), answers(-1n));
  t.deepEqual(sent('93320010'), { code: 0, result: { type: BLOB, hex: 'ff00' } });
  t.deepEqual(sent('94340010c3'), answers(0n));
  t.deepEqual(sent('94350010c3'), answers(7n));
});

test('a scan from the right sees the bits of its first byte that lie before it, as recorded', t => {
  t.deepEqual(run('40', 'rscan', [7n, 1n, true]), answers(-6n));
  t.deepEqual(run('bf', 'rscan', [3n, 1n, false]), answers(-2n));
  t.deepEqual(run('8000', 'rscan', [8n, 8n, true]), answers(-1n));
});

test('resizing to nothing makes no blob where there is none, as recorded', t => {
  t.deepEqual(run(undefined, 'resize', [0n, 5n]), { code: 0 });
  t.deepEqual(run(undefined, 'resize', [1n, 5n]), blobIs('00'));
  t.deepEqual(run('00', 'resize', [0n]), blobIs(''));
});

test('a right shift with a negative offset on a short blob, which the reference does not survive', t => {
  t.deepEqual(run('a5', 'rshift', [-1n, 1n, 1n]), blobIs('a4'));
  t.deepEqual(run('a5ff', 'rshift', [-9n, 9n, 3n]), blobIs('a43f'));
  t.deepEqual(run('a5', 'rshift', [-9n, 9n, 3n]), { code: 4 });
  t.deepEqual(run('a5', 'rshift', [-4n, 9n, 1n, 8n]), blobIs('a2'));
});

test('shifts longer than the part of a range that PARTIAL leaves', t => {
  t.deepEqual(run('47f4', 'lshift', [8n, 200n, 11n, 12n]), blobIs('47a0')); // as recorded
  t.deepEqual(run('a33f30', 'lshift', [-8n, 65n, 17n, 12n]), blobIs('a33f60')); // as recorded
  t.deepEqual(run('c7', 'lshift', [1n, 200n, 8n, 12n]), blobIs('80')); // as recorded
  t.deepEqual(run('47f4', 'lshift', [8n, 10n, 11n, 12n]), blobIs('4700'));
  t.deepEqual(run('47f4', 'rshift', [8n, 200n, 11n, 12n]), blobIs('4700'));
  t.deepEqual(run('a0ea5d8d', 'rshift', [31n, 65n, 10n, 12n]), blobIs('a0ea5d8c')); // bit/49
  t.deepEqual(run('ae', 'rshift', [0n, 9n, 15n, 12n]), blobIs('00')); // bit/85
  t.deepEqual(run('0d5f', 'lshift', [3n, 31n, 13n, 12n]), blobIs('0000')); // bit/573
  t.deepEqual(run('5828d9c7', 'lshift', [31n, 9n, 4n, 12n]), blobIs('5828d9c6')); // bit/108
  // What the recorded ones let one expect of a part of a byte, and of two bytes.
  t.deepEqual(run('ff', 'lshift', [1n, 200n, 11n, 12n]), blobIs('f8'));
  t.deepEqual(run('00ff', 'lshift', [13n, 13n, 9n, 12n]), blobIs('00fe'));
  t.deepEqual(run('00ff', 'lshift', [13n, 9n, 9n, 12n]), blobIs('00f8'));
  t.deepEqual(run('47f4', 'lshift', [0n, 200n, 17n, 12n]), blobIs('e800'));
  t.deepEqual(run('c7f4', 'lshift', [1n, 24n, 17n, 8n]), blobIs('e800'));
});

/** Arguments that are right for each kind of parameter of the table, by its number. */
const RIGHT: readonly Value[] = [
  ...[0n, 0n, 4n, 1n, 8n, 8n],
  ...[argument(bytesOf('ff')), argument(bytesOf('ff')), 5n, 1n, true],
  ...[0n, 0n, 4n, 1n],
];

for (const [code, row] of BIT_OPS) {
  const isModify = row.answer === NULL;
  const go = (args: readonly Value[], type = BLOB, bodyType = BLOB, modifies = isModify) =>
    runValueOp(operateBits, { type, bytes: bytesOf('0f0f') }, bodyOf(code, args), modifies, bodyType);

  test(`row ${code}, ${row.name}: the right number of arguments of the right kinds, on a blob`, t => {
    const right = row.params.map(kind => RIGHT[kind]!);
    for (let count = 0; count <= right.length + 1; count++) {
      const outcome = go([...right, 0n].slice(0, count));
      t.is(outcome.code, count >= row.required && count <= right.length ? 0 : 4, `${count} arguments`);
    }
    for (const wrong of [null, { double: 1 }, { list: [], isOrdered: false }, 2n ** 40n, -(2n ** 40n)]) {
      for (let k = 0; k < right.length; k++) {
        const isAllowed = typeof wrong === 'bigint' && row.params[k] === VALUE; // cut to its low bits
        const args = right.map((arg, i) => (i === k ? wrong : arg));
        t.is(go(args).code, isAllowed ? 0 : 4, `argument ${k}`);
      }
    }
    t.is(go(right, STRING).code, 12);
    t.is(go(right, BLOB, STRING).code, 12);
    t.is(go(right, BLOB, BLOB, !isModify).code, 4);
    t.is(go(right).result?.type ?? NULL, row.answer);
  });
}

test('unknown op codes, contexts and bodies that are no list are refused', t => {
  const target = { type: BLOB, bytes: bytesOf('0f') };
  for (const hex of ['', '90', '00', 'c1', '9163', '91ff', '81', '92', '9100', '930000', '92cd010001'])
    for (const isModify of [true, false])
      t.is(runValueOp(operateBits, target, bytesOf(hex), isModify, BLOB).code, 4, hex);
  t.is(runValueOp(operateBits, target, bytesOf('93ccff90930000'), true, BLOB).code, 4);
});

test('a body that is cut off anywhere is refused, and no bytes do harm', t => {
  const target = { type: BLOB, bytes: bytesOf('0f0f') };
  for (const [code, row] of BIT_OPS) {
    const body = bodyOf(
      code,
      row.params.map(kind => RIGHT[kind]!),
    );
    for (let end = 0; end < body.length; end++)
      t.is(runValueOp(operateBits, target, body.slice(0, end), row.answer === NULL, BLOB).code, 4);
  }
  const codes = BIT_OPS.map(([code]) => code);
  const body = fc.tuple(fc.constantFrom(...codes), fc.uint8Array({ maxLength: 12 }), fc.nat(5));
  fc.assert(
    fc.property(body, ([code, args, count]) => {
      const outcome = runValueOp(
        operateBits,
        target,
        Uint8Array.from([0x91 + count, code, ...args]),
        code < 50,
        BLOB,
      );
      t.true([0, 4, 6, 12, 13, 17, 26].includes(outcome.code));
    }),
    { numRuns: 5000 },
  );
});

test('blobs of 128 MiB are refused, and those beyond any record are not made', t => {
  const MIB = 1024n * 1024n;
  t.is(run('00', 'resize', [128n * MIB]).code, 4);
  t.is(run('00', 'resize', [127n * MIB]).code, 13);
  t.is(run('00', 'insert', [128n * MIB - 1n, bytesOf('00')]).code, 4);
  t.is(run('00', 'insert', [128n * MIB - 2n, bytesOf('00')]).code, 13);
  t.is(run('00', 'resize', [9n * MIB]).changed?.hex, '00'.repeat(9 * 1024 * 1024));
  t.is(run('00', 'remove', [0n, 128n * MIB, 8n]).changed?.hex, '');
});

const offset = fc.oneof(
  fc.bigInt(-20n, 20n),
  fc.bigInt(-110n, 110n),
  fc.constantFrom(2n ** 30n, -(2n ** 30n) - 1n),
);
const size = fc.oneof(fc.bigInt(1n, 24n), fc.bigInt(-1n, 110n), fc.constantFrom(2n ** 30n, 2n ** 30n + 1n));
const intSize = fc.oneof(fc.bigInt(1n, 64n), fc.bigInt(-1n, 66n));
const value = fc.oneof(
  fc.bigInt(-3n, 3n),
  fc.bigInt(-(2n ** 63n), 2n ** 64n - 1n),
  fc.constantFrom(-(2n ** 63n), 127n),
);
const shift = fc.oneof(fc.bigInt(0n, 20n), fc.bigInt(-1n, 120n));
const bytes = fc.uint8Array({ minLength: 1, maxLength: 14 });
const flags = fc.oneof(fc.constantFrom(0n, 4n, 8n, 12n), fc.bigInt(0n, 16n));
const few = fc.bigInt(0n, 8n);
const range = [offset, size];
const ARGS: Readonly<Record<string, readonly fc.Arbitrary<Arg>[]>> = {
  resize: [fc.bigInt(-1n, 16n), flags, few],
  insert: [fc.bigInt(-14n, 20n), bytes, flags],
  remove: [fc.bigInt(-14n, 14n), fc.bigInt(0n, 14n), flags],
  ...Object.fromEntries(['set', 'or', 'xor', 'and'].map(name => [name, [...range, bytes, flags]])),
  not: [...range, flags],
  ...Object.fromEntries(['lshift', 'rshift'].map(name => [name, [...range, shift, flags]])),
  ...Object.fromEntries(['add', 'subtract'].map(name => [name, [offset, intSize, value, flags, few]])),
  setInt: [offset, intSize, value, flags],
  get: range,
  count: range,
  lscan: [...range, fc.boolean()],
  rscan: [...range, fc.boolean()],
  getInt: [offset, intSize, few],
};

for (const [name, args] of Object.entries(ARGS)) {
  test(`${name} does what it does to a string of bits`, t => {
    const blob = fc.oneof(
      { weight: 20, arbitrary: fc.uint8Array({ maxLength: 13 }) },
      { weight: 1, arbitrary: fc.constant(undefined) },
      {
        weight: 2,
        arbitrary: fc.constantFrom('ffffff', '000000', '80000000', '7fffffffffffffff').map(fromHex),
      },
    );
    fc.assert(
      fc.property(blob, fc.tuple(...args), (before, given) => {
        t.deepEqual(run(before, name, given), outcomeOf(expected(before, name, given)));
      }),
      { numRuns: 1500 },
    );
  });
}
