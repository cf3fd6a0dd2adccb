import test from 'ava';
import type { Operator } from '../../src/expression/operator.js';
import * as operand from '../../src/expression/operator.js';
import { OPERATOR_CODE_COUNT, OPERATORS } from '../../src/expression/operators.js';
import {
  BLOB,
  BOOL,
  FLOAT,
  GEO,
  HLL,
  INT,
  LIST,
  MAP,
  NIL,
  STR,
  TYPE_COUNT,
} from '../../src/expression/value-type.js';
import {
  evaluated,
  hexOf,
  INVALID,
  isValid,
  NAME,
  type Packed,
  REMOVE,
  TestRecord,
  UNKNOWN,
} from './packed.js';

const { bin, blob, float, geo, list } = NAME;
const POINT = '{"type":"Point","coordinates":[1,2]}';

/** A constant of each type. */
const CONSTANTS: Readonly<Record<number, Packed>> = {
  [NIL]: null,
  [BOOL]: true,
  [INT]: 7,
  [STR]: 'a',
  [LIST]: list(1, 2),
  [MAP]: { pairs: [[1, 2]], flags: 1 },
  [BLOB]: blob(1, 2),
  [FLOAT]: float(1.5),
  [GEO]: geo(POINT),
  [HLL]: { bytes: [18, 0, 4, 0, ...new Array<number>(20).fill(0)] },
};

/** Operands of the rows that have a grammar of their own. */
const FORMS: Readonly<Record<string, { valid: readonly Packed[][]; invalid: readonly Packed[][] }>> = {
  cond: {
    valid: [
      [true, 1, 2],
      [true, 1, false, 2, 3],
      [true, [0], 'x'],
      [true, [100], 1],
      [true, [0], [0]],
    ],
    invalid: [[], [true], [true, 1], [true, 1, false, 2], [1, 1, 2], [true, 1, 'x'], [true, 1, null]],
  },
  let: {
    valid: [
      [{ raw: 'x' }, 1, [124, { raw: 'x' }]],
      [{ raw: '_x1' }, 1, { raw: 'y' }, [124, { raw: '_x1' }], [20, [124, { raw: 'y' }], 1]],
    ],
    invalid: [
      [],
      [1],
      [{ raw: 'x' }, 1],
      [{ raw: 'x' }, 1, { raw: 'y' }, 2],
      [{ raw: '1x' }, 1, 2],
      [{ raw: '' }, 1, 2],
      [{ raw: 'x-y' }, 1, 2],
      [1, 1, 2],
      [{ raw: 'x' }, [124, { raw: 'x' }], 2],
      [{ raw: 'x' }, [125, { raw: 'x' }, 1, 2], 3],
      [{ raw: 'x' }, 1, { raw: 'x' }, 2, 3],
      [{ raw: 'x' }, [100], 1],
    ],
  },
  quote: { valid: [[[]], [[1, [2]]]], invalid: [[], [1], [[1], 2], [{ pairs: [] }], [[{ hex: 'd4ff01' }]]] },
  call: {
    valid: [
      [INT, 0, [16], list(1)],
      [INT, 0, [0xff, [0x10, 0], [16]], list([1])],
      [LIST, 0, [0xfe, [4, true], 1], list(1)],
      [LIST, 0x40, [1, [20, 1, 2]], list(1)],
      [LIST, 0x40, [1, 5], null],
      [INT, 1, [51, 0, 8], blob(1)],
    ],
    invalid: [
      [],
      [INT, 0, [16]],
      [INT, 0, [16], list(1), 1],
      [10, 0, [16], list(1)],
      [INT, 3, [16], list(1)],
      [INT, 0x80, [16], list(1)],
      [INT, 0, [], list(1)],
      [INT, 0, 16, list(1)],
      [INT, 0, ['x'], list(1)],
      [INT, 0, [16], 5],
      [INT, 0, [16], blob(1)],
      [INT, 1, [51, 0, 8], list(1)],
      [INT, 0, [0xff, [0x10, 0]], list(1)],
      [LIST, 0x40, [1, [20, 1, 'x']], list(1)],
      [LIST, 0x40, [1, [1, 2]], list(1)],
    ],
  },
  loopvar: {
    valid: [
      [INT, 2],
      [STR, 0],
      [MAP, 1],
      [NIL, 1],
    ],
    invalid: [[], [INT], [INT, 3], [STR, 2], [10, 0], [INT, 0, 0]],
  },
  modulo: { valid: [[1], [-5], [2n ** 40n]], invalid: [[], [0], ['x'], [1, 2], [[20, 1]]] },
};

/** Operands that a row accepts, of these types where it leaves a choice. */
function operandsOf(operator: Operator, type: number): Packed[] {
  return operator.params.map(param => {
    switch (param) {
      case operand.TYPE_OPERAND:
        return INT;
      case operand.KEY_TYPE_OPERAND:
        return STR;
      case operand.NAME_OPERAND:
        return { raw: 'bin' };
      case operand.INT_OPERAND:
        return 1;
      case operand.PATTERN_OPERAND:
        return { raw: 'a' };
      default:
        return CONSTANTS[((param >> type) & 1) === 1 ? type : typesIn(param)[0]!]!;
    }
  });
}

function typesIn(set: number): number[] {
  return Array.from({ length: TYPE_COUNT }, (_, type) => type).filter(type => ((set >> type) & 1) === 1);
}

const rows = [...OPERATORS.entries()].filter(([code]) => code < OPERATOR_CODE_COUNT);

for (const [code, operator] of rows) {
  if (operator === undefined || operator.form !== undefined || operator.name === 'var') continue;
  test(`${operator.name}: takes as many operands as its row says, of the types it says`, t => {
    const { params, repeats, same } = operator;
    const choices = same === true ? typesIn(params[0]!) : [INT];
    for (const type of choices) {
      const operands = operandsOf(operator, type);
      t.true(isValid([code, ...operands]), `${code} of type ${type}`);
      t.is(isValid([code, ...operands, operands.at(-1) ?? 1]), repeats === true, 'one operand more');
      if (operands.length > 0) t.false(isValid([code, ...operands.slice(1)]), 'one operand less');
      for (const [k, param] of params.entries()) {
        const others =
          param < 0
            ? [null, float(1)]
            : Object.entries(CONSTANTS)
                .filter(([other]) => !((param >> Number(other)) & 1))
                .map(([, value]) => value);
        for (const other of others) t.false(isValid([code, ...operands.with(k, other)]), `operand ${k}`);
        if (same === true && operands.length > 1) {
          const mixed = typesIn(param).find(other => other !== type);
          if (mixed !== undefined) t.false(isValid([code, ...operands.with(k, CONSTANTS[mixed]!)]), 'mixed');
        }
      }
    }
  });
}

for (const [code, operator] of rows) {
  if (operator?.form === undefined) continue;
  const { valid, invalid } = FORMS[operator.form]!;
  test(`${operator.name}: its own grammar`, t => {
    for (const operands of valid) t.true(isValid([code, ...operands]), JSON.stringify(operands, String));
    for (const operands of invalid) t.false(isValid([code, ...operands]), JSON.stringify(operands, String));
  });
}

test('codes that are in no row, and those from 128 on, are refused', t => {
  for (const [code, operator] of rows) if (operator === undefined) t.false(isValid([code]), String(code));
  t.false(isValid([128]));
  t.false(isValid([255]));
  t.false(isValid([-1]));
  t.false(isValid([]));
  t.false(isValid([2n ** 32n]));
  t.false(isValid([float(1)]));
});

/** One evaluation a row, or several. Values are those of protocol 16, section 3. */
const EXAMPLES: readonly (readonly [Packed, unknown])[] = [
  [[0], UNKNOWN],
  [[1, 5, 5], true],
  [[2, 5, 5], false],
  [[3, 'b', 'a'], true],
  [[4, 1, 2], false],
  [[5, blob(1), blob(1, 0)], true],
  [[6, false, true], true],
  [[1, null, null], true],
  [[7, 1, { raw: '^a.*c$' }, 'abbc'], true],
  [[7, 0, { raw: 'a+' }, 'aa'], false],
  [[7, 2, { raw: 'B' }, 'abc'], true],
  [[8, geo(POINT), geo('{"type":"AeroCircle","coordinates":[[1,2],1000]}')], true],
  [[9, 2, list(1, 2, 3)], true],
  [[9, float(2), list(1, 2, 3)], false],
  [[9, list(1), list(1, [1])], true],
  [[16, true, false, [0]], false],
  [[17, false, [0], true], true],
  [[18, false], true],
  [[19, false, true, false], true],
  [[20, 1, 2, 3], 6n],
  [[20, float(0.5), float(1)], { double: 1.5 }],
  [[21, 5], -5n],
  [[21, 5, 2, 1], 2n],
  [[22, 3, -4], -12n],
  [[23, 20, 3, 2], 3n],
  [[23, 1], 1n],
  [[23, -7, 2], -3n],
  [[23, 1, 0], UNKNOWN],
  [[23, float(1), float(0)], { double: Number.POSITIVE_INFINITY }],
  [[23, float(4)], { double: 0.25 }],
  [[24, float(2), float(10)], { double: 1024 }],
  [[25, float(8), float(2)], { double: 3 }],
  [[26, -7, 3], -1n],
  [[26, 7, 0], UNKNOWN],
  [[27, -(2n ** 63n)], -(2n ** 63n)],
  [[27, float(-2)], { double: 2 }],
  [[28, float(-1.5)], { double: -2 }],
  [[29, float(1.2)], { double: 2 }],
  [[30, float(-1.9)], -1n],
  [[30, float(1e300)], -(2n ** 63n)],
  [[31, 2n ** 53n + 1n], { double: 2 ** 53 }],
  [[50, 3, -1, 2], -1n],
  [[51, float(1), float(2)], { double: 2 }],
  [[32, 12, 10], 8n],
  [[33, 12, 10], 14n],
  [[34, 12, 10], 6n],
  [[35, 0], -1n],
  [[36, 1, 40], 2n ** 40n],
  [[37, -1, 60], 15n],
  [[38, -16, 2], -4n],
  [[39, -1], 64n],
  [[40, 1, true], 63n],
  [[40, 0, true], -1n],
  [[41, 1, true], 63n],
  [[41, -2, false], 63n],
  [[64, 1000], BigInt(((20 << 24) | (19 << 16) | (18 << 8) | 17) % 1000)],
  [[65], 0n],
  [[66], 1_700_000_000_123_000_000n],
  [[67], 100_333n],
  [[68], -1n],
  [[69], -1n],
  [[70], 'people'],
  [[71], true],
  [[72], false],
  [[73], 96n],
  [[74], 96n],
  [[80, 3], 'user-key'],
  [[80, 2], UNKNOWN],
  [bin(INT, 'a'), 5n],
  [bin(STR, 'a'), UNKNOWN],
  [bin(INT, 'none'), UNKNOWN],
  [[82, { raw: 'a' }], 1n],
  [[82, { raw: 'none' }], 0n],
  [[100], REMOVE],
  [
    [
      101,
      {
        pairs: [
          [1, 'x'],
          ['y', 2],
        ],
        flags: 1,
      },
    ],
    hexOf([1, 'y']),
  ],
  [
    [
      102,
      {
        pairs: [
          [1, 'x'],
          ['y', 2],
        ],
        flags: 1,
      },
    ],
    hexOf(['x', 2]),
  ],
  [[101, 5], UNKNOWN],
  [[122, INT, 1], UNKNOWN],
  [[123, [5, bin(INT, 'a'), 3], 'low', 'high'], 'high'],
  [[125, { raw: 'x' }, [20, bin(INT, 'a'), 1], [22, [124, { raw: 'x' }], [124, { raw: 'x' }]]], 36n],
  [list(1, [2]), hexOf([1, [2]])],
  [[127, INT, 0, [16], bin(LIST, 'l')], 2n],
  [[127, LIST, 0x40, [1, 9], bin(LIST, 'l')], hexOf([1, 2, 9])],
  [[124, { raw: 'x' }], INVALID],
];

test('every row evaluates as documented', t => {
  const record = new TestRecord({ a: 5, l: [1, 2] });
  const seen = new Set<number>();
  for (const [expression, value] of EXAMPLES) {
    t.deepEqual(
      evaluated(expression, record),
      value,
      JSON.stringify(expression, (_, v) => (typeof v === 'bigint' ? String(v) : v)),
    );
    if (Array.isArray(expression)) seen.add(expression[0] as number);
  }
  for (const [code, operator] of rows) if (operator !== undefined) t.true(seen.has(code), operator.name);
});
