/**
 * A model of contexts too plain to be wrong: the way is walked over values, and what is around its end is built anew.
 * Source: protocol 13, sections 1 to 3; `context-model.test.ts` validates it with the recorded answers.
 */
import { apply as applyToList, comparable, compareSent, ROWS, stored } from '../list/model.js';
import { MODEL_OPS } from '../map/model.js';
import type { Sent } from '../msgpack/unpack.js';

/** One step of a context. */
export type Item = readonly [type: number, value: Sent];

export interface Call {
  readonly opCode: number;
  readonly args: readonly Sent[];
  readonly isModify: boolean;
}

/** An operation's end: a code, or what it answers (undefined: nothing) and the bin afterwards, if it is another one. */
export type Outcome =
  | { readonly code: number }
  | { readonly code: 0; readonly result: Sent | undefined; readonly value: Sent | undefined };

interface List {
  readonly list: readonly Sent[];
  readonly isOrdered: boolean;
}
interface Pairs {
  readonly pairs: readonly (readonly [Sent, Sent])[];
  readonly flags: number;
}

const [PARAMETER, INCOMPATIBLE_TYPE, NOT_APPLICABLE] = [4, 12, 26];
const [SET_TYPE, APPEND_ITEMS, INSERT_ITEMS, SORT, GET_BY_RANK] = [0, 2, 4, 13, 21];
const [MAP_SET_TYPE, ADD_ITEMS, PUT_ITEMS, MAP_GET_BY_RANK] = [64, 66, 68, 100];
const [INDEX, RANK, KEY, VALUE] = [0, 1, 2, 3];
const [FOR_LIST, FOR_MAP, CREATE, PADDED, SORTED] = [0x10, 0x20, 0xc0, 0x80, 0xc0];

const fail = (code: number): Outcome => ({ code });
const isObject = (value: Sent | undefined) => typeof value === 'object' && value !== null;
export const isList = (value: Sent | undefined): value is List => isObject(value) && 'list' in value!;
export const isMap = (value: Sent | undefined): value is Pairs => isObject(value) && 'pairs' in value!;

/** Runs an operation on a list or map, on something else, or where there is nothing. */
export function operate(target: Sent | undefined, { opCode, args, isModify }: Call): Outcome {
  const isListOp = opCode < MAP_SET_TYPE;
  if (target !== undefined && !(isListOp ? isList(target) : isMap(target))) return fail(INCOMPATIBLE_TYPE);
  if (isListOp) {
    const list = target as List | undefined;
    const model = list && { items: list.list, flags: list.isOrdered ? 1 : 0 };
    const outcome = applyToList(opCode, model, args, isModify);
    if (!('list' in outcome)) return outcome;
    const { result, list: after } = outcome;
    return { code: 0, result, value: after && { list: after.items, isOrdered: (after.flags & 1) !== 0 } };
  }
  const row = MODEL_OPS.get(opCode)!;
  if (target === undefined && !row.creates) return { code: 0, result: undefined, value: undefined };
  const outcome = row.apply(target as Pairs | undefined, args);
  return 'map' in outcome ? { code: 0, result: outcome.result, value: outcome.map } : outcome;
}

/** Runs an operation on what a context leads to. */
export function operateNested(bin: Sent | undefined, items: readonly Item[], call: Call): Outcome {
  if (bin !== undefined) return isList(bin) || isMap(bin) ? step(bin, items, call) : fail(PARAMETER);
  if (!call.isModify) return { code: 0, result: undefined, value: undefined };
  return asksForCreation(items[0]!) ? create(undefined, items, call) : fail(NOT_APPLICABLE);
}

function step(container: List | Pairs, items: readonly Item[], call: Call): Outcome {
  const [item, ...rest] = items as [Item, ...Item[]];
  if (!isFitting(container, item[0])) return fail(NOT_APPLICABLE);
  const at = placeOf(container, item);
  if (at < 0)
    return call.isModify && asksForCreation(item) ? create(container, items, call) : fail(NOT_APPLICABLE);
  const child = isList(container) ? container.list[at]! : container.pairs[at]![1];
  const isOnTheWay = isList(child) || isMap(child);
  if (rest.length > 0 && !isOnTheWay) return fail(NOT_APPLICABLE);
  const outcome = rest.length > 0 ? step(child as List | Pairs, rest, call) : operate(child, call);
  if (!('value' in outcome) || outcome.value === undefined) return outcome;
  const { value } = outcome;
  if (isMap(container)) {
    const pairs = container.pairs.map((pair, k) => (k === at ? ([pair[0], value] as const) : pair));
    return { ...outcome, value: { ...container, pairs } };
  }
  const others = container.list.filter((_, k) => k !== at);
  const isBefore = (other: Sent, k: number) => compareSent(other, value) < (k < at ? 1 : 0);
  const place = container.isOrdered ? others.filter(isBefore).length : at;
  const list = others.toSpliced(place, 0, value);
  return { ...outcome, value: { ...container, list } };
}

function isFitting(container: List | Pairs, type: number): boolean {
  const base = type & 0x0f;
  const kind = type & (FOR_LIST | FOR_MAP);
  if (base > VALUE || (kind === 0 && type !== base) || kind === (FOR_LIST | FOR_MAP)) return false;
  if (isMap(container)) return kind !== FOR_LIST;
  return kind !== FOR_MAP && base !== KEY;
}

/** The element or pair that an item picks, or -1. Ranks are those of a read by rank. */
function placeOf(container: List | Pairs, [type, sent]: Item): number {
  const size = isList(container) ? container.list.length : container.pairs.length;
  const base = type & 0x0f;
  if (base === INDEX || base === RANK) {
    const index = Number(sent as bigint);
    const at = index < 0 ? size + index : index;
    if (at < 0 || at >= size || base === INDEX) return at >= size ? -1 : Math.max(at, -1);
    const opCode = isList(container) ? GET_BY_RANK : MAP_GET_BY_RANK;
    const outcome = operate(container, { opCode, args: [1n, sent], isModify: false });
    return Number((outcome as { result: Sent }).result as bigint);
  }
  const values = isList(container) ? container.list : container.pairs.map(pair => pair[base === KEY ? 0 : 1]);
  return values.findIndex(value => compareSent(value, comparable(sent)) === 0);
}

/** Whether an item is one of an index in a list or of a key in a map. */
function canCreate([type]: Item): boolean {
  const kind = type & (FOR_LIST | FOR_MAP);
  return (kind === FOR_LIST && (type & 0x0f) === INDEX) || (kind === FOR_MAP && (type & 0x0f) === KEY);
}

function asksForCreation(item: Item): boolean {
  return canCreate(item) && (item[0] & CREATE) !== 0;
}

/** Makes what is missing from the first item on, in a container or in nothing, if the operation is one that makes what it works on. */
function create(container: List | Pairs | undefined, items: readonly Item[], call: Call): Outcome {
  const around = items.map((item, k) => (k === 0 && container !== undefined ? container : fresh(item)));
  const isPossible = items.every((item, k) => canCreate(item) && paddingOf(around[k]!, item) >= 0);
  if (!isPossible) return fail(NOT_APPLICABLE);
  const { opCode } = call;
  const row = opCode < MAP_SET_TYPE ? ROWS.get(opCode)! : MODEL_OPS.get(opCode)!;
  if (!row.creates) {
    return container === undefined && opCode === SORT
      ? fail(INCOMPATIBLE_TYPE)
      : { code: 0, result: undefined, value: undefined };
  }
  const outcome = operate(undefined, call);
  if (!('value' in outcome) || outcome.value === undefined) return outcome;
  let { value } = outcome;
  if (isEmpty(value) && !isForNothing(call)) return { ...outcome, value: undefined };
  for (let k = items.length - 1; k >= 0; k--) value = withNew(around[k]!, items[k]!, value);
  return { ...outcome, value };
}

/** The empty container that an item makes. */
function fresh([type]: Item): List | Pairs {
  const order = type & CREATE;
  if ((type & FOR_LIST) !== 0) return { list: [], isOrdered: order === SORTED };
  return { pairs: [], flags: order === SORTED ? 3 : order === PADDED ? 1 : 0 };
}

/** How many nils come before an item's new element; -1 where it can make none. */
function paddingOf(container: List | Pairs, [type, sent]: Item): number {
  if (isMap(container)) return 0;
  const index = Number(sent as bigint);
  const count = container.list.length;
  if (container.isOrdered) return index >= -1 || count > 0 ? 0 : -1;
  if (index === count || (index === -1 && count === 0)) return 0;
  return (type & CREATE) === PADDED && index > count ? index - count : -1;
}

function withNew(container: List | Pairs, item: Item, value: Sent): Sent {
  const [, sent] = item;
  if (isMap(container)) {
    const pairs = [...container.pairs, [stored(sent)!, value] as const];
    return { ...container, pairs: pairs.sort((a, b) => compareSent(a[0], b[0])) };
  }
  const { list, isOrdered } = container;
  const padding: readonly Sent[] = Array.from({ length: paddingOf(container, item) }, () => null);
  return { list: isOrdered ? inOrder([...list, value]) : [...list, ...padding, value], isOrdered };
}

function inOrder(list: readonly Sent[]): Sent[] {
  return [...list].sort(compareSent);
}

function isEmpty(value: Sent): boolean {
  return isList(value) ? value.list.length === 0 : isMap(value) && value.pairs.length === 0;
}

/** Whether an operation means an empty list or map: it gives a type, or no items at all. */
function isForNothing({ opCode, args }: Call): boolean {
  if (opCode === SET_TYPE || opCode === MAP_SET_TYPE) return true;
  const items = opCode === INSERT_ITEMS ? args[1] : args[0];
  const takesItems = [APPEND_ITEMS, INSERT_ITEMS, ADD_ITEMS, PUT_ITEMS].includes(opCode);
  return takesItems && isEmpty(items!);
}
