/**
 * A model of expressions too plain to be wrong: random well-typed ones, each built together with a function that says
 * what it comes to. Source: protocol 16, sections 3 to 5.
 */
import { BLOB, BOOL, FLOAT, INT, LIST, MAP, STR } from '../../src/expression/value-type.js';
import { OPERATORS } from './model-operators.js';
import { type Pairs, type Value, withPair } from './model-value.js';
import type { Packed } from './packed.js';

/** undefined: unknown. */
export type Result = Value | undefined;
type Variables = Map<string, Result>;
type Bins = Readonly<Record<string, Value>>;

export interface Modelled {
  readonly packed: Packed;
  readonly of: (bins: Bins, variables: Variables) => Result;
}

/** Every type has a bin; no record has the last one. */
const BIN_TYPES: Readonly<Record<string, number>> = {
  b: BOOL,
  i: INT,
  s: STR,
  l: LIST,
  m: MAP,
  x: BLOB,
  f: FLOAT,
  none: INT,
};
const TYPES = [BOOL, INT, STR, LIST, MAP, BLOB, FLOAT] as const;

const INTS = [
  0n,
  1n,
  -1n,
  2n,
  3n,
  7n,
  -8n,
  63n,
  64n,
  255n,
  2n ** 31n,
  -(2n ** 31n),
  2n ** 32n,
  2n ** 53n,
].concat([2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 62n, 2n ** 63n - 1n, -(2n ** 63n), 12_345_678_901n]);
const DOUBLES = [0, -0, 1, -1, 0.5, 2.5, -2.5, 1e300, -1e300, Infinity, -Infinity, 2 ** 53, 2 ** 63, 1e-310];
const STRINGS = ['', 'a', 'b', 'ab', 'é', 'zz', 'a\0b'];
const BLOBS = [[], [0], [1, 2], [255]];

const UNKNOWN: Modelled = { packed: [0], of: () => undefined };

/** What makes expressions of random numbers. */
export class Generator {
  readonly #random: () => number;
  #variables = 0;

  /** @param random like Math.random. */
  constructor(random: () => number) {
    this.#random = random;
  }

  below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  type(): number {
    return this.pick(TYPES);
  }

  /** Bins of a record that lacks some. */
  bins(): Bins {
    const names = Object.keys(BIN_TYPES).filter(name => name !== 'none' && this.below(8) > 0);
    return Object.fromEntries(names.map(name => [name, this.value(BIN_TYPES[name]!)]));
  }

  value(type: number): Value {
    if (type === BOOL) return this.below(2) === 0;
    if (type === INT) return this.pick(INTS);
    if (type === STR) return this.pick(STRINGS);
    if (type === LIST) return Array.from({ length: this.below(5) }, () => this.#element(2));
    if (type === MAP) return this.#map(2);
    return type === BLOB ? { bytes: [4, ...this.pick(BLOBS)] } : { double: this.pick(DOUBLES) };
  }

  #element(depth: number): Value {
    const kind = this.below(depth > 0 ? 8 : 6);
    if (kind === 0) return null;
    if (kind === 6) return Array.from({ length: this.below(4) }, () => this.#element(depth - 1));
    if (kind === 7) return this.#map(depth - 1);
    return this.value([BOOL, INT, STR, BLOB, FLOAT][kind - 1]!);
  }

  #map(depth: number): Pairs {
    let map: Pairs = this.below(5) < 3 ? { pairs: [], flags: 1 } : { pairs: [] };
    for (let left = this.below(4); left > 0; left--)
      map = withPair(map, this.value(this.pick([INT, STR, BLOB])), this.#element(depth));
    return map;
  }

  /** An expression of this type, nested as deep as `depth`; `scope` has the variables and their types. */
  expression(type: number, depth: number, scope: ReadonlyMap<string, number> = new Map()): Modelled {
    const kind = this.below(10);
    if (depth <= 0 || kind < 2) return this.#leaf(type, scope);
    const inner = (of: number): Modelled => this.expression(of, depth - 1, scope);
    if (kind === 2) return this.#condition(type, inner);
    if (kind === 3) return this.#let(type, depth, scope);
    const several = (of: number, least: number): Modelled[] =>
      Array.from({ length: least + this.below(2) }, () => inner(of));
    const make = this.pick(OPERATORS[type] ?? [(g: Generator): Modelled => g.#leaf(type, scope)]);
    return make(this, inner, several);
  }

  #leaf(type: number, scope: ReadonlyMap<string, number>): Modelled {
    const variables = [...scope].filter(([, of]) => of === type).map(([name]) => name);
    const kind = this.below(3);
    if (kind === 0 && variables.length > 0) {
      const name = this.pick(variables);
      return { packed: [124, { raw: name }], of: (_bins, values) => values.get(name) };
    }
    if (kind < 2) {
      const value = this.value(type);
      return { packed: Array.isArray(value) ? [126, value] : value, of: () => value };
    }
    const name =
      this.below(4) > 0
        ? Object.keys(BIN_TYPES).find(own => BIN_TYPES[own] === type)!
        : this.pick(Object.keys(BIN_TYPES));
    const isTyped = BIN_TYPES[name] === type;
    return { packed: [81, type, { raw: name }], of: bins => (isTyped ? bins[name] : undefined) };
  }

  #condition(type: number, inner: (type: number) => Modelled): Modelled {
    const cases = Array.from({ length: 1 + this.below(2) }, () => [inner(BOOL), inner(type)] as const);
    const last = this.below(8) === 0 ? UNKNOWN : inner(type);
    return {
      packed: [123, ...cases.flat().map(each => each.packed), last.packed],
      of: (bins, variables) => {
        for (const [when, then] of cases) {
          const isTrue = when.of(bins, variables);
          if (isTrue === undefined) return undefined;
          if (isTrue === true) return then.of(bins, variables);
        }
        return last.of(bins, variables);
      },
    };
  }

  #let(type: number, depth: number, scope: ReadonlyMap<string, number>): Modelled {
    const inner = new Map(scope);
    const definitions = Array.from({ length: 1 + this.below(2) }, () => {
      const name = `v${this.#variables++}`;
      const of = this.type();
      const definition = this.expression(of, depth - 1, inner);
      inner.set(name, of);
      return [name, definition] as const;
    });
    const body = this.expression(type, depth - 1, inner);
    return {
      packed: [125, ...definitions.flatMap(([name, each]) => [{ raw: name }, each.packed]), body.packed],
      of: (bins, variables) => {
        for (const [name, definition] of definitions) variables.set(name, definition.of(bins, variables));
        return body.of(bins, variables);
      },
    };
  }
}
