/**
 * A model of the msgpack dialect too plain to be wrong: values as objects, packed and compared the slow way.
 */
import fc from 'fast-check';

export type Value =
  | null
  | boolean
  | bigint
  | { readonly double: number }
  | { readonly bytes: Uint8Array } // particle type byte first
  | { readonly list: readonly Value[]; readonly isOrdered: boolean }
  | { readonly pairs: readonly (readonly [Value, Value])[]; readonly flags: number };

/** Packs a value. `widen` is asked at each header: 0 gives the smallest, more gives larger ones where there are any. */
export function pack(value: Value, widen: () => number = () => 0): Uint8Array {
  const out: number[] = [];
  const big = (n: number | bigint, size: number) => {
    for (let k = size - 1; k >= 0; k--)
      out.push(Number((BigInt.asUintN(64, BigInt(n)) >> BigInt(8 * k)) & 0xffn));
  };
  /** Emits the `widen()`th of the forms that can hold the value. */
  const choose = (forms: readonly (false | (() => void))[]) => {
    const fit = forms.filter(form => form !== false);
    fit[Math.min(widen(), fit.length - 1)]!();
  };
  const sized = (n: number | bigint, header: number, size: number) => () => {
    out.push(header);
    big(n, size);
  };
  const head = (n: number, fixMax: number, fix: number, u8: number, u16: number) =>
    choose([
      n <= fixMax && (() => out.push(fix | n)),
      u8 > 0 && n <= 0xff && sized(n, u8, 1),
      n <= 0xffff && sized(n, u16, 2),
      sized(n, u16 + 1, 4),
    ]);
  const emit = (v: Value): void => {
    if (v === null) out.push(0xc0);
    else if (typeof v === 'boolean') out.push(v ? 0xc3 : 0xc2);
    else if (typeof v === 'bigint') {
      const fits = (bits: number) => BigInt.asIntN(bits, v) === v;
      if (v >= 0n)
        choose([
          v < 0x80n && (() => out.push(Number(v))),
          v < 0x100n && sized(v, 0xcc, 1),
          v < 0x1_0000n && sized(v, 0xcd, 2),
          v < 0x1_0000_0000n && sized(v, 0xce, 4),
          sized(v, 0xcf, 8),
          fits(64) && sized(v, 0xd3, 8),
        ]);
      else
        choose([
          v >= -32n && (() => out.push(Number(v) & 0xff)),
          fits(8) && sized(v, 0xd0, 1),
          fits(16) && sized(v, 0xd1, 2),
          fits(32) && sized(v, 0xd2, 4),
          sized(v, 0xd3, 8),
        ]);
    } else if ('double' in v) {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleBE(v.double);
      out.push(0xcb, ...bytes);
    } else if ('bytes' in v) {
      head(v.bytes.length, 31, 0xa0, 0xd9, 0xda);
      out.push(...v.bytes);
    } else if ('list' in v) {
      head(v.list.length + (v.isOrdered ? 1 : 0), 15, 0x90, 0, 0xdc);
      if (v.isOrdered) out.push(0xc7, 0, 1);
      v.list.forEach(emit);
    } else {
      head(v.pairs.length + (v.flags === 0 ? 0 : 1), 15, 0x80, 0, 0xde);
      if (v.flags !== 0) out.push(0xc7, 0, v.flags, 0xc0);
      for (const [key, item] of v.pairs) {
        emit(key);
        emit(item);
      }
    }
  };
  emit(value);
  return Uint8Array.from(out);
}

/** The value as it is stored: maps in key order at every depth, ordered lists put in order. */
export function normalForm(value: Value): Value {
  if (value === null || typeof value !== 'object') return value;
  if ('list' in value) {
    const list = value.list.map(normalForm);
    return { list: value.isOrdered ? list.sort(order) : list, isOrdered: value.isOrdered };
  }
  if ('pairs' in value) {
    const pairs = value.pairs.map(([key, item]) => [key, normalForm(item)] as const);
    return { pairs: pairs.sort((a, b) => order(a[0], b[0])), flags: value.flags };
  }
  return value;
}

/** Protocol 10, section 4, word for word. */
export function order(a: Value, b: Value): number {
  const [x, y] = [rank(a), rank(b)];
  if (x !== y) return Math.sign(x - y);
  if (typeof a === 'bigint' && typeof b === 'bigint') return a < b ? -1 : a > b ? 1 : 0;
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return 0;
  if ('double' in a && 'double' in b) return a.double < b.double ? -1 : a.double > b.double ? 1 : 0;
  if ('bytes' in a && 'bytes' in b) return Buffer.compare(a.bytes, b.bytes);
  if ('list' in a && 'list' in b)
    return firstDifference(a.list, b.list) || Math.sign(a.list.length - b.list.length);
  if ('pairs' in a && 'pairs' in b)
    return Math.sign(a.pairs.length - b.pairs.length) || firstDifference(a.pairs.flat(), b.pairs.flat());
  return 0;
}

function firstDifference(a: readonly Value[], b: readonly Value[]): number {
  for (let k = 0; k < Math.min(a.length, b.length); k++) {
    const sign = order(a[k]!, b[k]!);
    if (sign !== 0) return sign;
  }
  return 0;
}

function rank(value: Value): number {
  if (value === null) return 1;
  if (typeof value === 'boolean') return value ? 3 : 2;
  if (typeof value === 'bigint') return value < 0n ? 4 : 5;
  if ('list' in value) return 7;
  if ('pairs' in value) return 8;
  if ('double' in value) return 10;
  return value.bytes[0] === 3 ? 6 : value.bytes[0] === 23 ? 11 : 9;
}

const typed = (type: number) =>
  fc
    .uint8Array({ maxLength: 40 })
    .map(content => ({ bytes: Uint8Array.from([type, ...content]) }) satisfies Value);
const integer = fc.oneof(
  fc.bigInt({ min: -40n, max: 300n }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
  fc.constantFrom(
    0x7fn,
    0x80n,
    0xffffn,
    0x10000n,
    0xffffffffn,
    0x100000000n,
    -33n,
    -128n,
    -129n,
    -32769n,
    -(2n ** 31n) - 1n,
  ),
);
const key: fc.Arbitrary<Value> = fc.oneof(integer, typed(3), typed(4));
const uniqueBy = { selector: ([k]: readonly [Value, Value]) => Buffer.from(pack(k)).toString('hex') };

/** Values of every storable type, nested a few levels; map keys are legal and unique, in any order. */
export const { value: anyValue } = fc.letrec<{ value: Value }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(
      fc.constant(null),
      fc.boolean(),
      integer,
      typed(3),
      typed(4),
      typed(23),
      typed(18),
    ) as fc.Arbitrary<Value>,
    fc.double({ noNaN: true }).map(double => ({ double })) as fc.Arbitrary<Value>,
    fc.record({
      list: fc.array(tie('value'), { maxLength: 20 }),
      isOrdered: fc.boolean(),
    }) as fc.Arbitrary<Value>,
    fc.record({
      pairs: fc.uniqueArray(fc.tuple(key, tie('value')), { maxLength: 20, ...uniqueBy }),
      flags: fc.constantFrom(0, 1, 3),
    }) as fc.Arbitrary<Value>,
  ),
}));

/** Values in stored form. */
export const anyStored = anyValue.map(normalForm);

/** A `widen` for `pack` that takes its answers from a list, over and over. */
export const anyWidths = fc.array(fc.nat(5), { minLength: 1, maxLength: 8 }).map(widths => {
  let next = 0;
  return () => widths[next++ % widths.length]!;
});

/** Two values that are the same for a long way, or altogether. */
export const alike: fc.Arbitrary<readonly [Value, Value]> = fc.letrec<{ two: readonly [Value, Value] }>(
  tie => ({
    two: fc.oneof(
      { depthSize: 'large', maxDepth: 6, withCrossShrink: true },
      { weight: 6, arbitrary: anyStored.map(value => [value, value] as const) },
      { weight: 2, arbitrary: fc.tuple(fc.bigInt(-70000n, 70000n), fc.bigInt(-70000n, 70000n)) },
      { weight: 1, arbitrary: fc.tuple(anyStored, anyStored) },
      {
        weight: 10,
        arbitrary: fc
          .tuple(fc.array(tie('two'), { maxLength: 4 }), fc.boolean(), fc.boolean(), fc.nat(9))
          .map(([items, isOrdered, isOther, cut]) => {
            const side = (k: 0 | 1, flag: boolean, length: number): Value => {
              const list = items.slice(0, length).map(two => two[k]);
              return { list: flag ? list.sort(order) : list, isOrdered: flag };
            };
            const otherFlag = isOther && cut === 9 ? !isOrdered : isOrdered;
            return [
              side(0, isOrdered, items.length),
              side(1, otherFlag, cut === 0 ? 1 : items.length),
            ] as const;
          }),
      },
      {
        weight: 5,
        arbitrary: fc.tuple(fc.bigInt(0n, 300n), tie('two'), fc.nat(1), fc.nat(1)).map(
          ([key, two, flags, otherFlags]) =>
            [
              { pairs: [[key, two[0]]], flags },
              { pairs: [[key, two[1]]], flags: otherFlags },
            ] as const,
        ),
      },
    ),
  }),
).two;
