import { readFileSync } from 'node:fs';
import test from 'ava';
import { naturalLogarithm, power } from '../../src/expression/double-double.js';

interface Answers {
  readonly ln: readonly (readonly [x: string, logarithm: string])[];
  readonly pow: readonly (readonly [base: string, exponent: string, power: string])[];
}

const file = new URL('../../../test/expression/libm-answers.json', import.meta.url);
const answers = JSON.parse(readFileSync(file, 'utf8')) as Answers;

test('logarithms are those of the C library', t => {
  for (const [x, logarithm] of answers.ln) t.is(hex(naturalLogarithm(double(x))), logarithm, x);
});

test('powers are those of the C library', t => {
  for (const [x, y, result] of answers.pow) t.is(hex(power(double(x), double(y))), result, `${x} ${y}`);
});

test('special cases are those of C', t => {
  const inf = Number.POSITIVE_INFINITY;
  t.is(naturalLogarithm(0), -inf);
  t.true(Number.isNaN(naturalLogarithm(-1)));
  t.is(naturalLogarithm(inf), inf);
  t.is(naturalLogarithm(1), 0);
  t.is(power(1, Number.NaN), 1);
  t.is(power(-1, -inf), 1);
  t.is(power(Number.NaN, 0), 1);
  t.true(Number.isNaN(power(-8, 1 / 3)));
  t.is(power(0, -1), inf);
  t.true(Object.is(power(-0, 3), -0));
  t.is(power(-2, 3), -8);
  t.is(power(10, 400), inf);
  t.is(power(10, -400), 0);
  t.is(power(2, -1074), 5e-324);
});

function double(text: string): number {
  return Buffer.from(text, 'hex').readDoubleBE();
}

function hex(value: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes.toString('hex');
}
