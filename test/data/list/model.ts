/**
 * A model of the list operations too plain to be wrong: values in arrays, copied and sorted at will.
 * Source: protocol 11; `model.test.ts` validates it with the recorded answers.
 */
import { INF, type Sent, WILDCARD } from '../msgpack/unpack.js';
import { order, type Value } from '../msgpack/value.js';

/** A list as a bin holds it. */
export interface ListModel {
  readonly items: readonly Sent[];
  readonly flags: number;
}

/** An operation's end: a code, or what it answers (undefined: nothing) and the list afterwards. */
export type Outcome =
  | { readonly code: number }
  | { readonly code: 0; readonly result: Sent | undefined; readonly list: ListModel | undefined };

const PARAMETER = 4;
const INCOMPATIBLE_TYPE = 12;
const ELEMENT_EXISTS = 24;
const NOT_APPLICABLE = 26;
const INDEX_MAX = 0x7fffffff;
const ALL = Number.POSITIVE_INFINITY;

const [ORDERED, PERSIST_INDEX] = [1, 16];
const [ADD_UNIQUE, INSERT_BOUNDED, NO_FAIL, PARTIAL] = [1, 2, 4, 8];
const [DESCENDING, DROP_DUPLICATES] = [1, 2];

/** Protocol 10, section 4.2: a wildcard ends the whole comparison as equal. */
export function compareSent(a: Sent, b: Sent): number {
  try {
    return compareInner(a, b);
  } catch (thrown) {
    if (thrown === WILDCARD) return 0;
    throw thrown;
  }
}

function compareInner(a: Sent, b: Sent): number {
  if (a === WILDCARD || b === WILDCARD) throw WILDCARD;
  if (a === INF || b === INF) return a === b ? 0 : a === INF ? 1 : -1;
  if (a !== null && b !== null && typeof a === 'object' && typeof b === 'object') {
    if ('list' in a && 'list' in b) return compareEach(a.list, b.list);
    if ('pairs' in a && 'pairs' in b) {
      return Math.sign(a.pairs.length - b.pairs.length) || compareEach(a.pairs.flat(), b.pairs.flat());
    }
  }
  return order(a as Value, b as Value);
}

function compareEach(a: readonly Sent[], b: readonly Sent[]): number {
  for (let k = 0; k < Math.min(a.length, b.length); k++) {
    const sign = compareInner(a[k]!, b[k]!);
    if (sign !== 0) return sign;
  }
  return Math.sign(a.length - b.length);
}

const equal = (a: Sent, b: Sent) => compareSent(a, b) === 0;
const sorted = (items: readonly Sent[]) => [...items].sort(compareSent);
const isOrdered = (list: ListModel) => (list.flags & ORDERED) !== 0;
const fail = (code: number): Outcome => ({ code });

/** What is stored of a value: maps in key order. Undefined when it must not be stored. */
export function stored(value: Sent): Sent | undefined {
  if (value === WILDCARD || value === INF) return undefined;
  if (value === null || typeof value !== 'object' || 'bytes' in value || 'double' in value) return value;
  if ('list' in value) {
    const list = value.list.map(stored);
    if (list.includes(undefined)) return undefined;
    const items = list as Sent[];
    if (value.isOrdered && sorted(items).some((item, k) => item !== items[k])) return undefined;
    return { list: items, isOrdered: value.isOrdered };
  }
  if ('pairs' in value) {
    const pairs = value.pairs.map(([key, item]) => [stored(key), stored(item)] as const);
    if (!pairs.every(([key, item]) => key !== undefined && isKey(key) && item !== undefined))
      return undefined;
    const inOrder = (pairs as (readonly [Sent, Sent])[]).sort((a, b) => compareSent(a[0], b[0]));
    return { pairs: inOrder, flags: value.flags & 3 };
  }
  return undefined;
}

/** The form in which a value is compared: its maps in key order, if it could be stored but for the sentinels in it. */
export const comparable = (value: Sent): Sent => inKeyOrder(value) ?? value;

function inKeyOrder(value: Sent): Sent | undefined {
  if (value === null || typeof value !== 'object') return value;
  if ('list' in value) {
    const list = value.list.map(inKeyOrder);
    if (list.includes(undefined)) return undefined;
    const items = list as Sent[];
    const isFalse = value.isOrdered && sorted(items).some((item, k) => item !== items[k]);
    return isFalse ? undefined : { list: items, isOrdered: value.isOrdered };
  }
  if (!('pairs' in value)) return value;
  const pairs = value.pairs.map(([key, item]) => [key, inKeyOrder(item)] as const);
  if (!pairs.every(([key, item]) => isKey(key) && item !== undefined)) return undefined;
  const given = pairs as (readonly [Sent, Sent])[];
  const inOrder = [...given].sort((a, b) => compareSent(a[0], b[0]));
  const isTwice = inOrder.some(([key], k) => k > 0 && equal(inOrder[k - 1]![0], key));
  const isFalse = (value.flags & ORDERED) !== 0 && inOrder.some((pair, k) => pair !== given[k]);
  return isTwice || isFalse ? undefined : { pairs: inOrder, flags: value.flags };
}

function isKey(value: Sent): boolean {
  if (typeof value === 'bigint') return true;
  return typeof value === 'object' && value !== null && 'bytes' in value && [3, 4].includes(value.bytes[0]!);
}

/** A list that an operation makes: of known flags, otherwise unordered. */
function created(order: Sent | undefined): ListModel {
  const flags = typeof order === 'bigint' && order >= 0n && order <= 0x11n ? Number(order) : 0;
  return { items: [], flags: flags & (ORDERED | PERSIST_INDEX) };
}

const flagsOf = (value: Sent | undefined) => Number((value as bigint | undefined) ?? 0n);
/** Negative or beyond 2^48: to the end, however far before the first element the range starts. */
const countOf = (value: Sent | undefined) =>
  value === undefined || (value as bigint) < 0n || (value as bigint) >= 2n ** 48n
    ? ALL
    : Number(value as bigint);

/** The place to write at, which may lie beyond the end; undefined when it lies before the first. */
function placeOf(list: ListModel, index: Sent): number | undefined {
  const given = Number(index as bigint);
  const place = given < 0 ? list.items.length + given : given;
  return place < 0 || given > INDEX_MAX ? undefined : place;
}

/** Inserts at a place, after as many nils as are missing up to it. */
function inserted(list: ListModel, place: number, added: readonly Sent[]): ListModel {
  const { items, flags } = list;
  const padding = Array<Sent>(added.length === 0 ? 0 : Math.max(0, place - items.length)).fill(null);
  return { flags, items: [...items.slice(0, place), ...padding, ...added, ...items.slice(place)] };
}

/** Behind the elements that are not larger. */
function insertedInOrder(list: ListModel, item: Sent): ListModel {
  const place = list.items.filter(own => compareSent(own, item) <= 0).length;
  return inserted(list, place, [item]);
}

const sized = (list: ListModel): Outcome => ({ code: 0, result: BigInt(list.items.length), list });
const refused = (list: ListModel, code: number, flags: number): Outcome =>
  (flags & NO_FAIL) === 0 ? fail(code) : sized(list);

function add(list: ListModel, value: Sent, place: number, flags: number): Outcome {
  const item = stored(value);
  if (place > list.items.length && (flags & INSERT_BOUNDED) !== 0)
    return refused(list, NOT_APPLICABLE, flags);
  if ((flags & ADD_UNIQUE) !== 0 && list.items.some(own => equal(own, item ?? value))) {
    return refused(list, ELEMENT_EXISTS, flags);
  }
  if (item === undefined) return fail(PARAMETER);
  return sized(isOrdered(list) ? insertedInOrder(list, item) : inserted(list, place, [item]));
}

function addAll(list: ListModel, items: readonly Sent[], place: number, flags: number): Outcome {
  if (place > list.items.length && (flags & INSERT_BOUNDED) !== 0)
    return refused(list, NOT_APPLICABLE, flags);
  let added = items;
  if ((flags & ADD_UNIQUE) !== 0) {
    const isRepeated = (item: Sent, k: number) => items.slice(0, k).some(other => equal(other, item));
    const isKnown = (item: Sent) => list.items.some(own => equal(own, item));
    added = items.filter((item, k) => !isRepeated(item, k) && !isKnown(item));
    if (added.length < items.length && !((flags & NO_FAIL) !== 0 && (flags & PARTIAL) !== 0)) {
      const repeated = items.findIndex(isRepeated);
      const known = items.findIndex(isKnown);
      const isRepeatedFirst = repeated >= 0 && (known < 0 || repeated < known || isOrdered(list));
      return refused(list, isRepeatedFirst ? NOT_APPLICABLE : ELEMENT_EXISTS, flags);
    }
  }
  if (isOrdered(list)) return sized(added.reduce<ListModel>(insertedInOrder, list));
  return sized(inserted(list, place, added));
}

/** The items of an argument as they are stored, or undefined. */
function itemsOf(argument: Sent): readonly Sent[] | undefined {
  const list = stored(argument);
  return list !== null && typeof list === 'object' && 'list' in list ? list.list : undefined;
}

/** What a single or multi operation means. */
interface Selected {
  /** Indexes, ascending. */
  readonly indexes: readonly number[];
  /** They are a range of indexes. */
  readonly isRun: boolean;
  /** Indexes in the order in which values are answered, if that is another. */
  readonly forValues?: readonly number[];
  /** The same for everything else: with an ordered list's value list, in the order of its items. */
  readonly forAll?: readonly number[];
  /** Ranks in the order in which they are answered, if they are not those of the elements one by one. */
  readonly ranks?: readonly number[];
  /** Ranks form one run, from this one on, though it may be empty. */
  readonly rankFrom?: number;
}

type Select = (list: ListModel, args: readonly Sent[]) => Selected | number;

const range = (from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from) }, (_, k) => from + k);
const run = (from: number, to: number): Selected => ({ indexes: range(from, to), isRun: true });
const ascending = (numbers: readonly number[]) => [...new Set(numbers)].sort((a, b) => a - b);

/** From and to of a range that starts at `from`, of which what lies before the first element counts as well. */
function clip(from: number, count: number, size: number): [number, number] {
  const to = Math.min(size, from + count);
  const start = Math.min(size, Math.max(0, from));
  return [start, Math.max(start, to)];
}

function singleIndex(index: Sent, size: number): number | undefined {
  const given = Number(index as bigint);
  const resolved = given < 0 ? size + given : given;
  return resolved >= 0 && resolved < size ? resolved : undefined;
}

const byIndex: Select = ({ items }, [index]) => {
  const resolved = singleIndex(index!, items.length);
  return resolved === undefined ? NOT_APPLICABLE : run(resolved, resolved + 1);
};

const byIndexRange: Select = ({ items }, [index, count]) => {
  const given = Number(index as bigint);
  return run(...clip(given < 0 ? items.length + given : given, countOf(count), items.length));
};

const byRank: Select = (list, [rank]) => {
  const resolved = singleIndex(rank!, list.items.length);
  return resolved === undefined ? NOT_APPLICABLE : ofRanks(list, resolved, resolved + 1);
};

const byRankRange: Select = (list, [rank, count]) => {
  const size = list.items.length;
  const given = Number(rank as bigint);
  return ofRanks(list, ...clip(given < 0 ? size + given : given, countOf(count), size));
};

const byRelativeRank: Select = (list, [value, rank, count]) => {
  const smaller = list.items.filter(item => compareSent(item, value!) < 0).length;
  return ofRanks(list, ...clip(smaller + Number(rank as bigint), countOf(count), list.items.length));
};

/** What has the ranks `from` up to `to`, by a heap in place, as the reference has it. */
function ofRanks(list: ListModel, from: number, to: number): Selected {
  const size = list.items.length;
  if (isOrdered(list) || size === 0) return run(from, to);
  const isLower = from <= size - to;
  const isBefore = (a: number, b: number) => {
    const sign = compareSent(list.items[a]!, list.items[b]!);
    return isLower ? sign < 0 : sign > 0;
  };
  const heap = range(0, size);
  const sink = (at: number, end: number) => {
    for (let hole = at; ; ) {
      const left = 2 * hole + 1;
      if (left >= end) return;
      const child = left + 1 < end && isBefore(heap[left + 1]!, heap[left]!) ? left + 1 : left;
      if (!isBefore(heap[child]!, heap[hole]!)) return;
      [heap[hole], heap[child]] = [heap[child]!, heap[hole]!];
      hole = child;
    }
  };
  for (const at of range(0, size >> 1).reverse()) sink(at, size);
  for (let end = size - 1; end >= size - (isLower ? to : size - from); end--) {
    [heap[0], heap[end]] = [heap[end]!, heap[0]!];
    sink(0, end);
  }
  const forValues = isLower ? heap.slice(size - to, size - from) : heap.slice(from, to);
  const rankFrom = from === to ? 0 : from;
  return { indexes: ascending(forValues), isRun: false, forValues, ranks: range(from, to), rankFrom };
}

/** The elements that a test holds for, which come one after another in the order of values. */
function ofValues(
  list: ListModel,
  isSmaller: (item: Sent) => boolean,
  isMeant: (item: Sent) => boolean,
): Selected {
  const indexes = range(0, list.items.length).filter(k => isMeant(list.items[k]!));
  if (isOrdered(list)) return { indexes, isRun: true };
  const from = list.items.filter(isSmaller).length;
  return { indexes, isRun: false, ranks: range(from, from + indexes.length), rankFrom: from };
}

const byAllValue: Select = (list, [value]) =>
  ofValues(
    list,
    item => compareSent(item, value!) < 0,
    item => equal(item, value!),
  );

const byValue: Select = (list, [value]) => {
  const all = byAllValue(list, [value!]) as Selected;
  const from = list.items.filter(item => compareSent(item, value!) < 0).length;
  const indexes = all.indexes.slice(0, 1);
  return isOrdered(list)
    ? { indexes, isRun: true }
    : { indexes, isRun: false, ranks: indexes.map(() => from), rankFrom: from };
};

const byInterval: Select = (list, [begin, end]) =>
  ofValues(
    list,
    item => compareSent(item, begin!) < 0,
    item => compareSent(item, begin!) >= 0 && (end === undefined || compareSent(item, end) < 0),
  );

const byValueList: Select = (list, [argument]) => {
  const values = (argument as { list: readonly Sent[] }).list;
  const size = list.items.length;
  if (values.length === 0 || size === 0) return run(0, 0);
  if (isOrdered(list)) {
    const forAll = values.flatMap(value => range(0, size).filter(k => equal(list.items[k]!, value)));
    return { indexes: ascending(forAll), isRun: false, forAll };
  }
  const indexes = range(0, size).filter(k => values.some(value => equal(list.items[k]!, value)));
  const inOrder = sorted(list.items);
  const ranks = values.flatMap(value => range(0, size).filter(k => equal(inOrder[k]!, value)));
  return { indexes, isRun: false, ranks: [...new Set(ranks)] };
};

/** What an operation answers of what it selected; undefined: nothing. A code where there is no such answer. */
function answerOf(
  list: ListModel,
  selected: Selected,
  type: number,
  isSingle: boolean,
): { result: Sent | undefined } | number {
  const { items } = list;
  const size = items.length;
  const isInverted = type >= 0x10000;
  const { indexes, isRun } = selected;
  const others = range(0, size).filter(k => !indexes.includes(k));
  const meant = isInverted ? others : indexes;
  const inOrder = isInverted ? others : (selected.forAll ?? indexes);
  const give = (numbers: readonly number[]) => ({
    result: isSingle ? BigInt(numbers[0] ?? -1) : { list: numbers.map(BigInt), isOrdered: false },
  });
  const reversed = (numbers: readonly number[]) => numbers.map(k => size - 1 - k);
  /** Each run of consecutive numbers from the other end, in ascending order. */
  const runsReversed = (numbers: readonly number[]) => {
    const out: number[] = [];
    for (let k = 0; k < numbers.length; ) {
      let end = k + 1;
      while (end < numbers.length && numbers[end] === numbers[end - 1]! + 1) end++;
      out.push(...reversed(numbers.slice(k, end)).reverse());
      k = end;
    }
    return out;
  };
  switch (type & 0xffff) {
    case 0:
      return { result: undefined };
    case 1:
      return give(inOrder);
    case 2:
      return give(isRun ? runsReversed(inOrder) : reversed(inOrder));
    case 3:
    case 4: {
      const isReverse = (type & 0xffff) === 4;
      if (isOrdered(list))
        return give(!isReverse ? inOrder : isRun ? runsReversed(inOrder) : reversed(inOrder));
      if (selected.ranks !== undefined) {
        const ranks = isInverted ? range(0, size).filter(k => !selected.ranks!.includes(k)) : selected.ranks;
        if (!isReverse) return give(ranks);
        if (isInverted && selected.rankFrom !== undefined) {
          const [before, after] = [
            ranks.filter(k => k < selected.rankFrom!),
            ranks.filter(k => k >= selected.rankFrom!),
          ];
          return give([...runsReversed(before), ...runsReversed(after)]);
        }
        return give(isInverted || selected.rankFrom !== undefined ? runsReversed(ranks) : reversed(ranks));
      }
      if (isRun && meant.length === size) return give(range(0, size));
      const ranks = inOrder.map(k => items.filter(item => compareSent(item, items[k]!) < 0).length);
      return give(isReverse ? reversed(ranks) : ranks);
    }
    case 5:
      return { result: BigInt(meant.length) };
    case 7: {
      const values = (isInverted ? others : (selected.forValues ?? inOrder)).map(k => items[k]!);
      return { result: isSingle ? values[0] : { list: values, isOrdered: false } };
    }
    case 13:
      return { result: isInverted && !isRun ? indexes.length === 0 : meant.length > 0 };
    default:
      return NOT_APPLICABLE;
  }
}

type Apply = (list: ListModel | undefined, args: readonly Sent[]) => Outcome;

function selecting(select: Select, isSingle: boolean, isRemoved: boolean, fixedType?: number): Apply {
  return (list, args) => {
    const type = fixedType ?? Number(args[0] as bigint);
    if (isSingle && (type & 0x10000) !== 0) return fail(NOT_APPLICABLE);
    const selected = select(list!, (fixedType === undefined ? args.slice(1) : args).map(comparable));
    if (typeof selected === 'number') return fail(selected);
    const answer = answerOf(list!, selected, type & 0x1ffff, isSingle);
    if (typeof answer === 'number') return fail(answer);
    if (!isRemoved) return { code: 0, ...answer, list };
    const isRemovedAt = (k: number) => selected.indexes.includes(k) !== (type & 0x10000) > 0;
    return { code: 0, ...answer, list: without(list!, isRemovedAt) };
  };
}

/** A list that removals empty keeps no index. */
function without({ items, flags }: ListModel, isRemovedAt: (k: number) => boolean): ListModel {
  const left = items.filter((_, k) => !isRemovedAt(k));
  return { items: left, flags: left.length === 0 && items.length > 0 ? flags & ORDERED : flags };
}

const setType: Apply = (list, [type]) => {
  if ((type as bigint) < 0n || ((type as bigint) & ~0x11n) !== 0n) return fail(NOT_APPLICABLE);
  const flags = Number(type as bigint);
  const items = list?.items ?? [];
  const isSorting = (flags & ORDERED) !== 0 && (list === undefined || !isOrdered(list));
  return { code: 0, result: undefined, list: { items: isSorting ? sorted(items) : items, flags } };
};

const append: Apply = (list, [value, order, flags]) => {
  const target = list ?? created(order);
  return add(target, value!, target.items.length, flagsOf(flags));
};

const appendItems: Apply = (list, [values, order, flags]) => {
  const target = list ?? created(order);
  const items = itemsOf(values!);
  return items === undefined ? fail(PARAMETER) : addAll(target, items, target.items.length, flagsOf(flags));
};

const insert: Apply = (list, [index, value, flags]) => {
  const target = list ?? created(undefined);
  const place = placeOf(target, index!);
  if (isOrdered(target) || place === undefined) return fail(NOT_APPLICABLE);
  return add(target, value!, place, flagsOf(flags));
};

const insertItems: Apply = (list, [index, values, flags]) => {
  const target = list ?? created(undefined);
  if (isOrdered(target)) return fail(NOT_APPLICABLE);
  const items = itemsOf(values!);
  if (items === undefined) return fail(PARAMETER);
  const place = items.length === 0 ? 0 : placeOf(target, index!);
  return place === undefined ? fail(NOT_APPLICABLE) : addAll(target, items, place, flagsOf(flags));
};

const set: Apply = (list, [index, value, given]) => {
  const target = list ?? created(undefined);
  const flags = flagsOf(given);
  const place = placeOf(target, index!);
  if (isOrdered(target) || place === undefined) return fail(NOT_APPLICABLE);
  if (place >= target.items.length) {
    const outcome = add(target, value!, place, flags);
    return 'list' in outcome ? { ...outcome, result: undefined } : outcome;
  }
  const item = stored(value!);
  const isEqual = (own: Sent, k: number) => k !== place && equal(own, item ?? value!);
  if ((flags & ADD_UNIQUE) !== 0 && target.items.some(isEqual)) {
    return (flags & NO_FAIL) === 0 ? fail(ELEMENT_EXISTS) : { code: 0, result: undefined, list: target };
  }
  if (item === undefined) return fail(PARAMETER);
  return { code: 0, result: undefined, list: { ...target, items: target.items.with(place, item) } };
};

/** The sum of a number in a list and what is added to it. */
export function sum(own: Sent | undefined, delta: Sent): Sent | undefined {
  const added = delta === null ? 1n : delta;
  const isDouble = (value: Sent | undefined): value is { double: number } =>
    typeof value === 'object' && value !== null && 'double' in value;
  if (typeof added !== 'bigint' && !isDouble(added)) return undefined;
  const to = own === undefined ? (isDouble(added) ? { double: 0 } : 0n) : own;
  if (typeof to === 'bigint') {
    const whole = typeof added === 'bigint' ? added : wholeOf(added.double);
    return BigInt.asIntN(64, to + whole);
  }
  if (!isDouble(to)) return undefined;
  return { double: to.double + (typeof added === 'bigint' ? Number(added) : added.double) };
}

/** What does not fit becomes the smallest integer. */
function wholeOf(value: number): bigint {
  const isFitting = value >= -(2 ** 63) && value < 2 ** 63;
  return isFitting ? BigInt(Math.trunc(value)) : -(2n ** 63n);
}

const increment: Apply = (list, [index, delta, order, given]) => {
  const target = list ?? created(order);
  const flags = flagsOf(given);
  const { items } = target;
  const place = placeOf(target, index!);
  if (place === undefined) return fail(NOT_APPLICABLE);
  const result = sum(items[place], delta === undefined ? null : delta);
  if (result === undefined) return fail(PARAMETER);
  if (isOrdered(target) && place > items.length) return fail(NOT_APPLICABLE);
  const unchanged = (code: number): Outcome =>
    (flags & NO_FAIL) === 0 ? fail(code) : { code: 0, result, list };
  if (place > items.length && (flags & INSERT_BOUNDED) !== 0) return unchanged(NOT_APPLICABLE);
  if ((flags & ADD_UNIQUE) !== 0 && items.some((item, k) => k !== place && equal(item, result))) {
    return unchanged(ELEMENT_EXISTS);
  }
  const rest: ListModel = { ...target, items: items.filter((_, k) => k !== place) };
  return {
    code: 0,
    result,
    list: isOrdered(target) ? insertedInOrder(rest, result) : inserted(rest, place, [result]),
  };
};

const trim: Apply = (list, args) => {
  const { indexes } = byIndexRange(list!, args) as Selected;
  const left = without(list!, k => !indexes.includes(k));
  return { code: 0, result: BigInt(list!.items.length - left.items.length), list: left };
};

const clear: Apply = list => ({
  code: 0,
  result: undefined,
  list: { items: [], flags: list!.flags & ORDERED },
});

const sort: Apply = (list, [given]) => {
  const flags = flagsOf(given);
  const { items } = list!;
  if (items.length <= 1) return { code: 0, result: undefined, list };
  const isDescending = (flags & DESCENDING) !== 0 && !isOrdered(list!);
  const isDropping = (flags & DROP_DUPLICATES) !== 0;
  if (isDescending && isDropping) return fail(PARAMETER);
  const inOrder = sorted(items).filter((item, k, all) => !isDropping || k === 0 || !equal(all[k - 1]!, item));
  return {
    code: 0,
    result: undefined,
    list: { ...list!, items: isDescending ? inOrder.reverse() : inOrder },
  };
};

/** Kinds of arguments: i an integer, l a list, v anything, r the return type; those in brackets may be left out. */
const SIGNATURE = /^([ilvr]*)(?:\[([ilvr]*)\])?$/;

/** One operation: the codes it has, what it takes, what it does. */
interface Row {
  readonly isModify: boolean;
  readonly creates: boolean;
  readonly signature: string;
  readonly apply: Apply;
}

const modify = (signature: string, apply: Apply): Row => ({
  isModify: true,
  creates: false,
  signature,
  apply,
});
const create = (signature: string, apply: Apply): Row => ({
  isModify: true,
  creates: true,
  signature,
  apply,
});
const read = (signature: string, apply: Apply): Row => ({
  isModify: false,
  creates: false,
  signature,
  apply,
});

/** The operations by op code. */
export const ROWS: ReadonlyMap<number, Row> = new Map([
  [0, create('i', setType)],
  [1, create('v[ii]', append)],
  [2, create('l[ii]', appendItems)],
  [3, create('iv[i]', insert)],
  [4, create('il[i]', insertItems)],
  [5, modify('i', selecting(byIndex, true, true, 7))],
  [6, modify('i[i]', selecting(byIndexRange, false, true, 7))],
  [7, modify('i', selecting(byIndex, true, true, 5))],
  [8, modify('i[i]', selecting(byIndexRange, false, true, 5))],
  [9, create('iv[i]', set)],
  [10, modify('ii', trim)],
  [11, modify('', clear)],
  [12, create('i[vii]', increment)],
  [13, modify('[i]', sort)],
  [16, read('', list => ({ code: 0, result: BigInt(list!.items.length), list }))],
  [17, read('i', selecting(byIndex, true, false, 7))],
  [18, read('i[i]', selecting(byIndexRange, false, false, 7))],
  ...[
    ['i', byIndex, true, 19, 32],
    ['v', byValue, true, 20, 33],
    ['i', byRank, true, 21, 34],
    ['v', byAllValue, false, 22, 35],
    ['l', byValueList, false, 23, 36],
    ['i[i]', byIndexRange, false, 24, 37],
    ['v[v]', byInterval, false, 25, 38],
    ['i[i]', byRankRange, false, 26, 39],
    ['vi[i]', byRelativeRank, false, 27, 40],
  ].flatMap(([signature, select, isSingle, readCode, removeCode]) => [
    [readCode, read(`r${signature}`, selecting(select as Select, isSingle as boolean, false))] as const,
    [removeCode, modify(`r${signature}`, selecting(select as Select, isSingle as boolean, true))] as const,
  ]),
] as (readonly [number, Row])[]);

/**
 * Runs an operation.
 * @param list undefined when there is no bin.
 */
export function apply(
  opCode: number,
  list: ListModel | undefined,
  args: readonly Sent[],
  isModify: boolean,
): Outcome {
  const row = ROWS.get(opCode);
  if (row === undefined || row.isModify !== isModify) return fail(PARAMETER);
  if (list === undefined && !row.creates) {
    return opCode === 13 ? fail(INCOMPATIBLE_TYPE) : { code: 0, result: undefined, list };
  }
  const [, required = '', optional = ''] = SIGNATURE.exec(row.signature)!;
  const kinds = required + optional;
  if (args.length < required.length || args.length > kinds.length) return fail(PARAMETER);
  const isFitting = args.every((arg, k) => {
    if (kinds[k] === 'i') return typeof arg === 'bigint';
    if (kinds[k] === 'r') return typeof arg === 'bigint' && arg >= 0n;
    return kinds[k] === 'v' || (typeof arg === 'object' && arg !== null && 'list' in arg);
  });
  return isFitting ? row.apply(list, args) : fail(PARAMETER);
}
