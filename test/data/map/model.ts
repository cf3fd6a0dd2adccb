/**
 * A model of the map operations too plain to be wrong: pairs of values in arrays, copied and sorted at will.
 * Source: protocol 12; `model.test.ts` validates it with the recorded answers.
 */
import { comparable } from '../list/model.js';
import { INF, type Sent, WILDCARD } from '../msgpack/unpack.js';
import { order, type Value } from '../msgpack/value.js';

export type Pair = readonly [Sent, Sent];

/** A map as a bin holds it. */
export interface MapModel {
  readonly pairs: readonly Pair[];
  readonly flags: number;
}

/** An operation's end: a code, or what it answers (undefined: nothing) and the map afterwards. */
export type Outcome =
  | { readonly code: number }
  | { readonly code: 0; readonly result: Sent | undefined; readonly map: MapModel | undefined };

const PARAMETER = 4;
const ELEMENT_NOT_FOUND = 23;
const ELEMENT_EXISTS = 24;
const NOT_APPLICABLE = 26;

const EMPTY: MapModel = { pairs: [], flags: 0 };
const TYPES = new Set([0, 1, 3]);
const isInt = (v: Sent | undefined): v is bigint => typeof v === 'bigint';

/** The total order, sentinels included. Throws WILDCARD to end a comparison as equal. */
function compareInner(a: Sent, b: Sent): number {
  if (a === WILDCARD || b === WILDCARD) throw WILDCARD;
  if (a === INF || b === INF) return a === b ? 0 : a === INF ? 1 : -1;
  const x = a as Value;
  const y = b as Value;
  if (x !== null && y !== null && typeof x === 'object' && typeof y === 'object') {
    if ('list' in x && 'list' in y) {
      for (let k = 0; k < Math.min(x.list.length, y.list.length); k++) {
        const sign = compareInner(x.list[k]!, y.list[k]!);
        if (sign !== 0) return sign;
      }
      return Math.sign(x.list.length - y.list.length);
    }
    if ('pairs' in x && 'pairs' in y) {
      if (x.pairs.length !== y.pairs.length) return Math.sign(x.pairs.length - y.pairs.length);
      const [p, q] = [x.pairs.flat(), y.pairs.flat()];
      for (let k = 0; k < p.length; k++) {
        const sign = compareInner(p[k]!, q[k]!);
        if (sign !== 0) return sign;
      }
      return 0;
    }
  }
  return order(x, y);
}

export function compareSent(a: Sent, b: Sent): number {
  try {
    return compareInner(a, b);
  } catch (thrown) {
    if (thrown === WILDCARD) return 0;
    throw thrown;
  }
}

/** Whether a value may be stored: no sentinel anywhere in it. */
function isStorable(v: Sent): boolean {
  if (v === WILDCARD || v === INF) return false;
  if (v === null || typeof v !== 'object') return true;
  if ('list' in v) return v.list.every(isStorable);
  if ('pairs' in v) return v.pairs.every(([key, item]) => isKey(key) && isStorable(item));
  return true;
}

export function isKey(v: Sent | undefined): boolean {
  if (isInt(v)) return true;
  return typeof v === 'object' && v !== null && 'bytes' in v && (v.bytes[0] === 3 || v.bytes[0] === 4);
}

const byKey = (a: Pair, b: Pair) => compareSent(a[0], b[0]);

/** Puts maps in order, as they are stored. */
export function stored(v: Sent): Sent {
  if (v === null || typeof v !== 'object') return v;
  if ('list' in v) return { list: v.list.map(stored), isOrdered: v.isOrdered };
  if ('pairs' in v)
    return { pairs: v.pairs.map(([k, x]) => [k, stored(x)] as const).sort(byKey), flags: v.flags & 3 };
  return v;
}

type Apply = (map: MapModel | undefined, args: readonly Sent[]) => Outcome;

const changed = (map: MapModel | undefined, result?: Sent): Outcome => ({ code: 0, result, map });
const fail = (code: number): Outcome => ({ code });
const createdFlags = (type: Sent | undefined) => {
  if (!isInt(type) || type < 0n) return 0;
  const flags = Number(type);
  return TYPES.has(flags) || TYPES.has(flags - 16) ? flags : 0;
};
const sized = (map: MapModel) => changed(map, BigInt(map.pairs.length));

function put(defaultFlags: number, typeAt: number, flagsAt: number): Apply {
  return (map, args) => {
    const items = [[args[0]!, args[1]!] as Pair];
    return putAll(map, items, args[typeAt], defaultFlags | Number(args[flagsAt] ?? 0n), false);
  };
}

function putItems(defaultFlags: number, typeAt: number, flagsAt: number): Apply {
  return (map, args) => {
    const sent = args[0]!;
    if (typeof sent !== 'object' || sent === null || !('pairs' in sent)) return fail(PARAMETER);
    return putAll(map, sent.pairs, args[typeAt], defaultFlags | Number(args[flagsAt] ?? 0n), true);
  };
}

function putAll(
  before: MapModel | undefined,
  items: readonly Pair[],
  type: Sent | undefined,
  flags: number,
  isMulti: boolean,
): Outcome {
  for (const [k, [key, value]] of items.entries()) {
    const isTwice = items.slice(0, k).some(pair => compareSent(pair[0], key) === 0);
    if (!isKey(key) || !isStorable(value) || isTwice) return fail(PARAMETER);
  }
  const map = before ?? { pairs: [], flags: createdFlags(type) };
  if ((flags & 14) === 14 && map.pairs.length === 0 && isMulti)
    return putAll(map, items, type, flags & ~2, true);
  const [isCreateOnly, isUpdateOnly] = [(flags & 1) !== 0, (flags & 2) !== 0];
  const [isNoFail, isPartial] = [(flags & 4) !== 0, (flags & 8) !== 0];
  const pairs = [...map.pairs];
  for (const [key, value] of [...items].sort(byKey)) {
    const at = pairs.findIndex(pair => compareSent(pair[0], key) === 0);
    if (at >= 0 ? isCreateOnly : isUpdateOnly) {
      if (!isNoFail) return fail(at >= 0 ? ELEMENT_EXISTS : ELEMENT_NOT_FOUND);
      if (isPartial) continue;
      return sized(map);
    }
    if (at >= 0) pairs[at] = [key, stored(value)];
    else pairs.push([key, stored(value)]);
  }
  return sized({ pairs: pairs.sort(byKey), flags: map.flags });
}

function add(sign: 1 | -1): Apply {
  return (before, [key, delta, type]) => {
    if (!isKey(key)) return fail(PARAMETER);
    const map = before ?? { pairs: [], flags: createdFlags(type) };
    const by = delta === undefined || delta === null ? 1n : delta;
    const at = map.pairs.findIndex(pair => compareSent(pair[0], key!) === 0);
    const zero = isInt(by) ? 0n : { double: 0 };
    const sum = added(at < 0 ? zero : map.pairs[at]![1], by, sign);
    if (sum === undefined) return fail(PARAMETER);
    const pairs = map.pairs.filter((_, k) => k !== at);
    return changed({ pairs: [...pairs, [key!, sum] as Pair].sort(byKey), flags: map.flags }, sum);
  };
}

function added(a: Sent, b: Sent, sign: 1 | -1): Sent | undefined {
  const real = (v: Sent) =>
    isInt(v)
      ? Number(BigInt.asIntN(64, v))
      : typeof v === 'object' && v !== null && 'double' in v
        ? v.double
        : undefined;
  const [x, y] = [real(a), real(b)];
  if (x === undefined || y === undefined) return undefined;
  if (!isInt(a)) return { double: x + sign * y };
  const isInside = y >= -(2 ** 63) && y < 2 ** 63;
  const whole = isInt(b) ? b : isInside ? BigInt(Math.trunc(y)) : -(2n ** 63n);
  return BigInt.asIntN(64, a + BigInt(sign) * whole);
}

/** What an operation selects, in the order of its answers. */
interface Selected {
  /** Numbers of pairs in key order. */
  readonly indexes: readonly number[];
  /** Ranks as answered, where that is not each one's own: one run, or two that part at `rankPart`. */
  readonly ranks?: readonly number[];
  readonly rankPart?: number;
  /** Indexes are one run, or two that part here: from the other end each is answered ascending. */
  readonly part?: number;
  /** What was picked one by one, inverted: whether it exists is whether nothing was picked. */
  readonly isLeft?: boolean;
}

type Select = (map: MapModel, args: readonly Sent[], isInverted: boolean) => Selected | number;

const range = (start: number, count: number) =>
  Array.from({ length: Math.max(0, count) }, (_, k) => start + k);
const without = (size: number, gone: readonly number[]) => range(0, size).filter(k => !gone.includes(k));
const all = (map: MapModel) => range(0, map.pairs.length);
const ascending = (numbers: readonly number[]) => [...new Set(numbers)].sort((a, b) => a - b);

/** Indexes of pairs in value order. */
function byValue(map: MapModel): number[] {
  return all(map).sort((a, b) => compareSent(map.pairs[a]![1], map.pairs[b]![1]) || a - b);
}

/** Protocol 11, section 4. */
function clip(start: number, count: number, size: number): [number, number] {
  const [from, length] = start < 0 ? [0, count + start] : [start, count];
  return from >= size || length <= 0 ? [0, 0] : [from, Math.min(length, size - from)];
}
const clipIndex = (index: number, count: number, size: number) =>
  clip(index < 0 ? size + index : index, count, size);
const countOf = (v: Sent | undefined) => (v === undefined || (v as bigint) < 0n ? Infinity : Number(v));
const keysBelow = (map: MapModel, key: Sent) =>
  map.pairs.filter(pair => compareSent(pair[0], key) < 0).length;
const valuesBelow = (map: MapModel, value: Sent) =>
  map.pairs.filter(pair => compareSent(pair[1], value) < 0).length;
const isOrdered = (map: MapModel) => (map.flags & 1) !== 0;
const hasValueOrder = (map: MapModel) => (map.flags & 0x12) === 0x12;

/** A run of indexes; of all there are, ranks are answered in their order. */
function indexRun(map: MapModel, [start, count]: [number, number], isInverted: boolean): Selected {
  const size = map.pairs.length;
  const run = range(start, count);
  const selected = isInverted
    ? { indexes: without(size, run), part: count === 0 ? 0 : start }
    : { indexes: run, part: count };
  return selected.indexes.length === size ? { ...selected, ranks: all(map) } : selected;
}

/** What has a run of ranks, in the order of values. */
function rankRun(map: MapModel, [start, count]: [number, number], isInverted: boolean): Selected {
  const run = range(start, count);
  const ranks = isInverted ? without(map.pairs.length, run) : run;
  const order = byValue(map);
  return { indexes: ranks.map(rank => order[rank]!), ranks, rankPart: isInverted ? start : count };
}

/** What has a run of values: in the order of keys, unless the order of values is kept. */
function valueRun(map: MapModel, begin: Sent, isInside: (v: Sent) => boolean, isInverted: boolean): Selected {
  const size = map.pairs.length;
  const found = all(map).filter(k => isInside(map.pairs[k]![1]));
  const start = valuesBelow(map, begin);
  if (hasValueOrder(map) && size > 1) return rankRun(map, [start, found.length], isInverted);
  const run = range(start, found.length);
  if (!isInverted) return { indexes: found, ranks: run };
  if (found.length === 0) return everything(map);
  return { indexes: without(size, found), ranks: without(size, run), rankPart: start, isLeft: true };
}

/** The whole map as a run of indexes and of ranks: everything but nothing. */
function everything(map: MapModel): Selected {
  return { indexes: all(map), ranks: all(map), rankPart: 0, part: 0 };
}

/** The pairs with a key or a value of a list. */
function matching(map: MapModel, items: Sent | undefined, part: 0 | 1): readonly (readonly number[])[] {
  const { list } = items as { list: readonly Sent[] };
  return list.map(item => all(map).filter(k => compareSent(map.pairs[k]![part], item) === 0));
}

/** One element by its number, or NOT_APPLICABLE. */
function single(map: MapModel, sent: Sent | undefined): number {
  const given = Number(sent as bigint);
  const at = given < 0 ? map.pairs.length + given : given;
  return at >= 0 && at < map.pairs.length ? at : -1;
}

const selectKey: Select = (map, [key], isInverted) => {
  const at = map.pairs.findIndex(pair => compareSent(pair[0], key!) === 0);
  if (isInverted && (at >= 0 || !isOrdered(map))) return NOT_APPLICABLE;
  return { indexes: at < 0 ? [] : [at] };
};
const selectIndex: Select = (map, [index], isInverted) => {
  const at = single(map, index);
  return at < 0 || isInverted ? NOT_APPLICABLE : { indexes: [at], part: 1 };
};
const selectRank: Select = (map, [rank], isInverted) => {
  const at = single(map, rank);
  return at < 0 || isInverted ? NOT_APPLICABLE : rankRun(map, [at, 1], false);
};
const selectFirstValue: Select = (map, [value], isInverted) => {
  if (isInverted) return NOT_APPLICABLE;
  const rank = valuesBelow(map, value!);
  const at = byValue(map)[rank];
  const isThere = at !== undefined && compareSent(map.pairs[at]![1], value!) === 0;
  return isThere ? rankRun(map, [rank, 1], false) : { indexes: [] };
};
const selectAllValues: Select = (map, [value], isInverted) =>
  valueRun(map, value!, v => compareSent(v, value!) === 0, isInverted);
const selectValueInterval: Select = (map, [begin, end], isInverted) => {
  const isInside = (v: Sent) => compareSent(v, begin!) >= 0 && (end === undefined || compareSent(v, end) < 0);
  return valueRun(map, begin!, isInside, isInverted);
};
const selectKeyInterval: Select = (map, [begin, end], isInverted) => {
  const from = keysBelow(map, begin!);
  const to = end === undefined ? map.pairs.length : keysBelow(map, end);
  const selected = indexRun(map, [from, Math.max(0, to - from)], isInverted);
  return isOrdered(map) ? selected : { indexes: selected.indexes, part: selected.part! };
};
const selectIndexRange: Select = (map, [index, count], isInverted) =>
  indexRun(map, clipIndex(Number(index), countOf(count), map.pairs.length), isInverted);
const selectRankRange: Select = (map, [rank, count], isInverted) =>
  rankRun(map, clipIndex(Number(rank), countOf(count), map.pairs.length), isInverted);
const selectKeyRelative: Select = (map, [key, index, count], isInverted) =>
  indexRun(map, clip(keysBelow(map, key!) + Number(index), countOf(count), map.pairs.length), isInverted);
const selectValueRelative: Select = (map, [value, rank, count], isInverted) =>
  rankRun(map, clip(valuesBelow(map, value!) + Number(rank), countOf(count), map.pairs.length), isInverted);
const selectKeyList: Select = (map, [keys], isInverted) => {
  const found = [...new Set(matching(map, keys, 0).flat())];
  if (!isInverted) return { indexes: found };
  if (found.length === 0) return everything(map);
  return { indexes: without(map.pairs.length, found), isLeft: true };
};
const selectValueList: Select = (map, [values], isInverted) => {
  const order = byValue(map);
  const groups = matching(map, values, 1).map(group => ascending(group.map(k => order.indexOf(k))));
  const found = [...new Set(groups.flat())];
  if (isInverted && (groups.length === 0 || order.length === 0)) return everything(map);
  if (!isInverted) return { indexes: ascending(found.map(rank => order[rank]!)), ranks: found };
  const ranks = without(map.pairs.length, found);
  return { indexes: ascending(ranks.map(rank => order[rank]!)), ranks, rankPart: -1, isLeft: true };
};

/** A list of numbers of two runs as it is seen from the other end: each run ascending. */
function reversed(numbers: readonly number[], size: number, part: number | undefined): readonly number[] {
  const turned = numbers.map(k => size - 1 - k);
  if (part === undefined) return turned;
  if (part >= 0) return [...turned.slice(0, part).reverse(), ...turned.slice(part).reverse()];
  const runs: number[][] = [];
  for (const number of turned) {
    const last = runs.at(-1);
    if (last !== undefined && last[0] === number + 1) last.unshift(number);
    else runs.push([number]);
  }
  return runs.flat();
}

function answer(
  map: MapModel,
  selected: Selected,
  returnType: number,
  select: Select,
  isSingle: boolean,
): Outcome {
  const size = map.pairs.length;
  const { part, rankPart } = selected;
  const isKeyList = select === selectKeyList;
  const inOrder = isKeyList && returnType !== 1 && returnType !== 2;
  const indexes = inOrder ? ascending(selected.indexes) : selected.indexes;
  const list = (items: readonly Sent[]): Sent => ({ list: items, isOrdered: false });
  const numbers = (items: readonly number[]) => list(items.map(BigInt));
  const pairsOf = (order: readonly number[]) => order.map(k => map.pairs[k]!);
  const ok = (result: Sent | undefined) => changed(map, result);
  switch (returnType) {
    case 0:
      return ok(undefined);
    case 1:
      return ok(isSingle ? BigInt(indexes[0] ?? -1) : numbers(indexes));
    case 2: {
      const given = reversed(indexes, size, part);
      return ok(isSingle ? BigInt(given[0] ?? -1) : numbers(given));
    }
    case 3:
    case 4: {
      if (isKeyList) return fail(NOT_APPLICABLE);
      const order = byValue(map);
      const ranks = selected.ranks ?? indexes.map(k => order.indexOf(k));
      const isRun = selected.ranks !== undefined && (select !== selectValueList || rankPart !== undefined);
      const end = selected.rankPart ?? ranks.length;
      const given = returnType === 3 ? ranks : reversed(ranks, size, isRun ? end : undefined);
      return ok(isSingle ? BigInt(given[0] ?? -1) : numbers(given));
    }
    case 5:
      return ok(BigInt(indexes.length));
    case 6:
    case 7: {
      const given = pairsOf(indexes).map(pair => pair[returnType - 6]!);
      return ok(isSingle ? given[0] : list(given));
    }
    case 8:
      return ok({ pairs: pairsOf(indexes), flags: 8 });
    case 16:
      return ok({ pairs: pairsOf(indexes), flags: 0 });
    case 17:
      return ok({ pairs: pairsOf(ascending(indexes)), flags: 1 });
    case 13:
      return ok(selected.isLeft === true ? indexes.length === size : indexes.length > 0);
    default:
      return fail(NOT_APPLICABLE);
  }
}

function selecting(select: Select, isSingle: boolean, removes: boolean): Apply {
  return (before, args) => {
    const sent = args[0];
    if (!isInt(sent) || sent < 0n) return fail(PARAMETER);
    const returnType = Number(sent & 0xffffn);
    const isInverted = (sent & 0x10000n) !== 0n;
    const map = before ?? EMPTY;
    const selected = select(map, args.slice(1).map(comparable), isInverted);
    if (typeof selected === 'number') return fail(selected);
    const outcome = answer(map, selected, returnType, select, isSingle);
    if (!('map' in outcome)) return outcome;
    let { result } = outcome;
    if (select === selectKeyInterval && isInverted && returnType === 13 && !isOrdered(map))
      result = selected.indexes.length === map.pairs.length;
    const left = without(map.pairs.length, selected.indexes).map(k => map.pairs[k]!);
    return changed(removes ? { pairs: left, flags: map.flags } : map, result);
  };
}

export interface ModelOp {
  readonly creates: boolean;
  readonly modifies: boolean;
  readonly apply: Apply;
}
const both = (remove: number, read: number, select: Select, isSingle: boolean) =>
  [
    [remove, { creates: false, modifies: true, apply: selecting(select, isSingle, true) }],
    [read, { creates: false, modifies: false, apply: selecting(select, isSingle, false) }],
  ] as const;
const creating = (code: number, apply: Apply) => [code, { creates: true, modifies: true, apply }] as const;

export const MODEL_OPS: ReadonlyMap<number, ModelOp> = new Map<number, ModelOp>([
  creating(64, (map, [type]) => {
    if (!isInt(type)) return fail(PARAMETER);
    if (!TYPES.has(Number(type & ~0x10n))) return fail(NOT_APPLICABLE);
    return changed({ pairs: [...(map ?? EMPTY).pairs].sort(byKey), flags: Number(type) });
  }),
  creating(65, put(1, 2, 9)),
  creating(66, putItems(1, 1, 9)),
  creating(67, put(0, 2, 3)),
  creating(68, putItems(0, 1, 2)),
  creating(69, put(2, 9, 9)),
  creating(70, (map, args) => (map === undefined ? fail(ELEMENT_NOT_FOUND) : putItems(2, 9, 9)(map, args))),
  creating(73, add(1)),
  creating(74, add(-1)),
  [75, { creates: false, modifies: true, apply: map => changed({ pairs: [], flags: map?.flags ?? 0 }) }],
  ...both(76, 97, selectKey, true),
  ...both(77, 98, selectIndex, true),
  ...both(78, 99, selectFirstValue, true),
  ...both(79, 100, selectRank, true),
  ...both(81, 107, selectKeyList, false),
  ...both(82, 102, selectAllValues, false),
  ...both(83, 108, selectValueList, false),
  ...both(84, 103, selectKeyInterval, false),
  ...both(85, 104, selectIndexRange, false),
  ...both(86, 105, selectValueInterval, false),
  ...both(87, 106, selectRankRange, false),
  ...both(88, 109, selectKeyRelative, false),
  ...both(89, 110, selectValueRelative, false),
  [96, { creates: false, modifies: false, apply: map => sized(map ?? EMPTY) }],
]);
