import test from 'ava';
import fc from 'fast-check';
import {
  addTo,
  compareInts,
  countBits,
  divideBy,
  multiplyTo,
  negateInt,
  remainderOf,
  scanFromHighest,
  scanFromLowest,
  setFromDouble,
  shiftLeft,
  shiftRight,
  shiftRightSigned,
  subtractFrom,
  toDouble,
} from '../../src/expression/int64.js';
import { Value } from '../../src/expression/value.js';

/** Integers of all magnitudes, those at the edges of 32, 53 and 64 bits more often. */
const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -300n, max: 300n }),
  fc
    .tuple(fc.constantFrom(31n, 32n, 53n, 62n, 63n), fc.bigInt({ min: -2n, max: 2n }), fc.boolean())
    .map(([bits, delta, isNegative]) => BigInt.asIntN(64, (isNegative ? -1n : 1n) * 2n ** bits + delta)),
);

function valueFrom(n: bigint): Value {
  const value = new Value();
  value.setInt(0);
  value.high = Number(BigInt.asIntN(32, n >> 32n));
  value.low = Number(BigInt.asIntN(32, n));
  return value;
}

function bigOf(value: Value): bigint {
  return (BigInt(value.high) << 32n) | BigInt(value.low >>> 0);
}

const OPERATIONS: readonly {
  readonly name: string;
  readonly apply: (a: Value, b: Value) => void;
  readonly model: (a: bigint, b: bigint) => bigint;
  readonly divides?: boolean;
}[] = [
  { name: 'sum', apply: addTo, model: (a, b) => a + b },
  { name: 'difference', apply: subtractFrom, model: (a, b) => a - b },
  { name: 'product', apply: multiplyTo, model: (a, b) => a * b },
  { name: 'quotient', apply: divideBy, model: (a, b) => a / b, divides: true },
  { name: 'remainder', apply: remainderOf, model: (a, b) => a % b, divides: true },
];

for (const { name, apply, model, divides } of OPERATIONS) {
  test(`the ${name} of two integers is that of 64 bits`, t => {
    fc.assert(
      fc.property(int64, int64, (a, b) => {
        if (divides === true && b === 0n) return;
        const value = valueFrom(a);
        apply(value, valueFrom(b));
        t.is(bigOf(value), BigInt.asIntN(64, model(a, b)));
      }),
      { numRuns: 2000 },
    );
  });
}

test('integers are negated, compared and made doubles as 64 bits are', t => {
  fc.assert(
    fc.property(int64, int64, (a, b) => {
      const value = valueFrom(a);
      t.is(compareInts(value, valueFrom(b)), a < b ? -1 : a > b ? 1 : 0);
      t.is(toDouble(value), Number(a));
      negateInt(value);
      t.is(bigOf(value), BigInt.asIntN(64, -a));
    }),
    { numRuns: 2000 },
  );
});

test('shifts, counts and scans of bits are those of 64 bits', t => {
  fc.assert(
    fc.property(int64, fc.nat(63), (a, count) => {
      const bits = BigInt.asUintN(64, a);
      const text = bits.toString(2).padStart(64, '0');
      const shifted = (apply: (value: Value, count: number) => void) => {
        const value = valueFrom(a);
        apply(value, count);
        return bigOf(value);
      };
      t.is(shifted(shiftLeft), BigInt.asIntN(64, a << BigInt(count)));
      t.is(shifted(shiftRight), BigInt.asIntN(64, bits >> BigInt(count)));
      t.is(shifted(shiftRightSigned), a >> BigInt(count));
      const value = valueFrom(a);
      t.is(countBits(value), text.replaceAll('0', '').length);
      t.is(scanFromHighest(value.high, value.low), text.indexOf('1'));
      t.is(scanFromLowest(value.high, value.low), text.lastIndexOf('1'));
    }),
    { numRuns: 2000 },
  );
});

test('a double loses its fraction; one that does not fit becomes the most negative integer', t => {
  fc.assert(
    fc.property(fc.double(), x => {
      const value = new Value();
      setFromDouble(value, x);
      const whole = Math.trunc(x);
      const fits = whole >= -(2 ** 63) && whole < 2 ** 63;
      t.is(bigOf(value), fits ? BigInt(whole) : -(2n ** 63n));
    }),
    { numRuns: 2000 },
  );
});
