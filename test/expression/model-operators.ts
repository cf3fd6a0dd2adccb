/** The operators of the expressions' model, by the type of their result. Source: protocol 16, sections 3 to 5. */
import { BOOL, FLOAT, INT, LIST, MAP } from '../../src/expression/value-type.js';
import type { Generator, Modelled, Result } from './model.js';
import { compare, type Double, type Pairs, type Value, withPair } from './model-value.js';
import type { Packed } from './packed.js';

const wrapped = (value: bigint): bigint => BigInt.asIntN(64, value);
const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);
const bits = (value: bigint): string => unsigned(value).toString(2).padStart(64, '0');

/** What lists and maps of an index range answer: two elements from `index` on. */
function twoFrom(list: readonly Value[], index: bigint): readonly Value[] {
  const from = Number(index) < 0 ? Number(index) + list.length : Number(index);
  return list.slice(Math.max(from, 0), Math.max(from + 2, 0));
}

/** An operator all of whose operands have to be known. */
function strict(
  code: readonly Packed[],
  operands: readonly Modelled[],
  of: (values: Value[]) => Result,
): Modelled {
  return {
    packed: [...code, ...operands.map(operand => operand.packed)],
    of: (bins, variables) => {
      const values: Value[] = [];
      for (const operand of operands) {
        const value = operand.of(bins, variables);
        if (value === undefined) return undefined;
        values.push(value);
      }
      return of(values);
    },
  };
}

/** A call: the target comes last, what is computed of the body's arguments stands in `args`. */
function call(
  type: number,
  system: number,
  body: readonly Packed[],
  args: readonly Modelled[],
  target: Modelled,
) {
  return (of: (target: Value, args: Value[]) => Result): Modelled => ({
    packed: [127, type, system, body, target.packed],
    of: strict([], [target, ...args], ([first, ...rest]) => of(first!, rest)).of,
  });
}

/** The first of two operands stays where neither is less, or one is a NaN. */
function lesser<T extends bigint | number>(a: T, b: T): T {
  if (b < a) return b;
  return a;
}

function greater<T extends bigint | number>(a: T, b: T): T {
  if (b > a) return b;
  return a;
}

type Make = (
  g: Generator,
  inner: (type: number) => Modelled,
  several: (type: number, least: number) => Modelled[],
) => Modelled;

/** A fold of integers or of floats. */
const ints =
  (code: number, of: (a: bigint, b: bigint) => bigint): Make =>
  (_g, _inner, several) =>
    strict([code], several(INT, 1), values => (values as bigint[]).reduce((a, b) => wrapped(of(a, b))));
const floats =
  (code: number, of: (a: number, b: number) => number): Make =>
  (_g, _inner, several) =>
    strict([code], several(FLOAT, 1), values => ({
      double: (values as Double[]).map(v => v.double).reduce(of),
    }));
const ofTwo =
  (code: number, first: number, second: number, of: (a: never, b: never) => Result): Make =>
  (_g, inner) =>
    strict([code], [inner(first), inner(second)], ([a, b]) => of(a as never, b as never));
const ofOne =
  (code: number, type: number, of: (a: never) => Result): Make =>
  (_g, inner) =>
    strict([code], [inner(type)], ([a]) => of(a as never));

/** AND and OR: one operand that is `decisive` decides, also after an unknown one. */
const logical =
  (code: number, decisive: boolean): Make =>
  (_g, _inner, several) => {
    const operands = several(BOOL, 2);
    return {
      packed: [code, ...operands.map(operand => operand.packed)],
      of: (bins, variables) => {
        const values = operands.map(operand => operand.of(bins, variables));
        if (values.includes(decisive)) return decisive;
        return values.includes(undefined) ? undefined : !decisive;
      },
    };
  };

const exclusive: Make = (_g, _inner, several) => {
  const operands = several(BOOL, 2);
  return {
    packed: [19, ...operands.map(operand => operand.packed)],
    of: (bins, variables) => {
      let trues = 0;
      for (const operand of operands) {
        const value = operand.of(bins, variables);
        if (value === undefined) return undefined;
        if (value === true && ++trues === 2) return false;
      }
      return trues === 1;
    },
  };
};

const COMPARISONS: readonly ((order: number) => boolean)[] = [
  order => order === 0,
  order => order !== 0,
  order => order > 0,
  order => order >= 0,
  order => order < 0,
  order => order <= 0,
];

const comparison: Make = (g, inner) => {
  const type = g.type();
  const which = g.below(COMPARISONS.length);
  const answer = COMPARISONS[which]!;
  return strict([which + 1], [inner(type), inner(type)], ([a, b]) => {
    if (type === FLOAT && Number.isNaN((a as Double).double + (b as Double).double)) {
      const x = (a as Double).double;
      const y = (b as Double).double;
      return [x === y, x !== y, x > y, x >= y, x < y, x <= y][which];
    }
    const order = compare(a!, b!, true);
    return order === undefined ? undefined : answer(order);
  });
};

const inList: Make = (g, inner) =>
  strict([9], [inner(g.type()), inner(LIST)], ([wanted, list]) =>
    (list as Value[]).some(item => compare(item, wanted!, false) === 0),
  );

const quotient: Make = (_g, _inner, several) =>
  strict([23], several(INT, 1), values => {
    const [first, ...rest] = values.length === 1 ? [1n, ...(values as bigint[])] : (values as bigint[]);
    const divisor = rest.reduce((a, b) => wrapped(a * b));
    return divisor === 0n ? undefined : wrapped(first! / divisor);
  });

const floatQuotient: Make = (_g, _inner, several) =>
  strict([23], several(FLOAT, 1), values => {
    const [first, ...rest] = [
      ...(values.length === 1 ? [1] : []),
      ...(values as Double[]).map(v => v.double),
    ];
    return { double: first! / rest.reduce((a, b) => a * b) };
  });

const appended =
  (code: number, join: (list: readonly Value[], value: Value) => readonly Value[]): Make =>
  (g, inner) => {
    const value = inner(code === 2 ? LIST : g.type());
    return call(
      LIST,
      0x40,
      [code, value.packed],
      [value],
      inner(LIST),
    )((list, [item]) => join(list as Value[], item!));
  };

/** By the type of their result. */
export const OPERATORS: Readonly<Record<number, readonly Make[]>> = {
  [BOOL]: [
    comparison,
    comparison,
    logical(16, false),
    logical(17, true),
    exclusive,
    inList,
    ofOne(18, BOOL, (a: boolean) => !a),
  ],
  [INT]: [
    ints(20, (a, b) => a + b),
    ints(22, (a, b) => a * b),
    ints(32, (a, b) => a & b),
    ints(33, (a, b) => a | b),
    ints(34, (a, b) => a ^ b),
    ints(50, lesser),
    ints(51, greater),
    ofTwo(21, INT, INT, (a: bigint, b: bigint) => wrapped(a - b)),
    ofOne(21, INT, (a: bigint) => wrapped(-a)),
    quotient,
    ofTwo(26, INT, INT, (a: bigint, b: bigint) => (b === 0n ? undefined : a % b)),
    ofOne(27, INT, (a: bigint) => wrapped(a < 0n ? -a : a)),
    ofOne(30, FLOAT, ({ double }: Double) => {
      const isInside = double > -(2 ** 63) && double < 2 ** 63;
      return isInside ? BigInt(Math.trunc(double)) : -(2n ** 63n);
    }),
    ofOne(35, INT, (a: bigint) => ~a),
    ofTwo(36, INT, INT, (a: bigint, b: bigint) => wrapped(a << (b & 63n))),
    ofTwo(37, INT, INT, (a: bigint, b: bigint) => wrapped(unsigned(a) >> (b & 63n))),
    ofTwo(38, INT, INT, (a: bigint, b: bigint) => a >> (b & 63n)),
    ofOne(39, INT, (a: bigint) => BigInt(bits(a).replaceAll('0', '').length)),
    ofTwo(40, INT, BOOL, (a: bigint, b: boolean) => BigInt(bits(a).indexOf(b ? '1' : '0'))),
    ofTwo(41, INT, BOOL, (a: bigint, b: boolean) => BigInt(bits(a).lastIndexOf(b ? '1' : '0'))),
    (_g, inner) => call(INT, 0, [16], [], inner(LIST))(list => BigInt((list as Value[]).length)),
    (_g, inner) => {
      const index = inner(INT);
      return call(
        INT,
        0,
        [19, 7, index.packed],
        [index],
        inner(LIST),
      )((list, [at]) => {
        const item = (list as Value[]).at(Number(at));
        return typeof item === 'bigint' ? item : undefined;
      });
    },
  ],
  [FLOAT]: [
    floats(20, (a, b) => a + b),
    ofTwo(21, FLOAT, FLOAT, (a: Double, b: Double) => ({ double: a.double - b.double })),
    ofOne(21, FLOAT, ({ double }: Double) => ({ double: -double })),
    floats(22, (a, b) => a * b),
    floats(50, lesser),
    floats(51, greater),
    floatQuotient,
    ofOne(27, FLOAT, ({ double }: Double) => ({ double: Math.abs(double) })),
    ofOne(28, FLOAT, ({ double }: Double) => ({ double: Math.floor(double) })),
    ofOne(29, FLOAT, ({ double }: Double) => ({ double: Math.ceil(double) })),
    ofOne(31, INT, (a: bigint) => ({ double: Number(a) })),
  ],
  [LIST]: [
    ofOne(101, MAP, ({ pairs }: Pairs) => pairs.map(([key]) => key)),
    ofOne(102, MAP, ({ pairs }: Pairs) => pairs.map(([, value]) => value)),
    appended(1, (list, value) => [...list, value]),
    appended(2, (list, value) => [...list, ...(value as Value[])]),
    (_g, inner) => {
      const index = inner(INT);
      const body = [24, 7, index.packed, 2];
      return call(
        LIST,
        0,
        body,
        [index],
        inner(LIST),
      )((list, [at]) => twoFrom(list as Value[], at as bigint));
    },
  ],
  [MAP]: [
    (g, inner) => {
      const key = g.value(INT);
      const value = inner(g.type());
      const body = [67, key, value.packed];
      return call(MAP, 0x40, body, [value], inner(MAP))((map, [item]) => withPair(map as Pairs, key, item!));
    },
  ],
};
