/** Values of the expressions' model and their order. Source: protocol 10, section 4. */
export interface Double {
  readonly double: number;
}
interface Bytes {
  readonly bytes: readonly number[];
}
export interface Pairs {
  readonly pairs: readonly (readonly [Value, Value])[];
  readonly flags?: number;
}
export type Value = null | boolean | bigint | string | Double | Bytes | Pairs | readonly Value[];
/** Place of a value's type in the order of types. */
function rank(value: Value): number {
  if (value === null) return 0;
  if (typeof value === 'boolean') return value ? 2 : 1;
  if (typeof value === 'bigint') return value < 0n ? 3 : 4;
  if (typeof value === 'string') return 5;
  if (Array.isArray(value)) return 6;
  return 'pairs' in value ? 7 : 'bytes' in value ? 8 : 9;
}

/** @param isStrict Whether a map that is in no order makes the comparison undefined. */
export function compare(a: Value, b: Value, isStrict: boolean): number | undefined {
  if (isStrict && (isUnordered(a) || isUnordered(b))) return undefined;
  const type = rank(a);
  if (type !== rank(b)) return type < rank(b) ? -1 : 1;
  if (type === 3 || type === 4) return (a as bigint) < (b as bigint) ? -1 : a === b ? 0 : 1;
  if (type === 5) return Buffer.compare(Buffer.from(a as string), Buffer.from(b as string));
  if (type === 6) return compareAll(a as Value[], b as Value[], isStrict);
  if (type === 8) return Buffer.compare(Buffer.from((a as Bytes).bytes), Buffer.from((b as Bytes).bytes));
  if (type === 9) return Math.sign(Number((a as Double).double > (b as Double).double) - below(a, b));
  if (type !== 7) return 0;
  const one = (a as Pairs).pairs;
  const other = (b as Pairs).pairs;
  if (one.length !== other.length) return one.length < other.length ? -1 : 1;
  return compareAll(one.flat(), other.flat(), isStrict);
}

const below = (a: Value, b: Value): number => Number((a as Double).double < (b as Double).double);

function compareAll(a: readonly Value[], b: readonly Value[], isStrict: boolean): number | undefined {
  for (let k = 0; k < Math.min(a.length, b.length); k++) {
    const order = compare(a[k]!, b[k]!, isStrict);
    if (order !== 0) return order;
  }
  return Math.sign(a.length - b.length);
}

function isUnordered(value: Value): boolean {
  return rank(value) === 7 && (value as Pairs).pairs.length > 0 && (value as Pairs).flags === undefined;
}

export function withPair({ pairs, ...rest }: Pairs, key: Value, value: Value): Pairs {
  const others = pairs.filter(([own]) => compare(own, key, false) !== 0);
  const all = [...others, [key, value] as const];
  return { ...rest, pairs: all.sort(([a], [b]) => compare(a, b, false)!) };
}
