/**
 * What list operations that read or remove mean: by index, by rank, by value. A selector reads the arguments from
 * number `k` on and fills the selection. Source: protocol 11, sections 3 and 4.
 */
import { OK, OP_NOT_APPLICABLE, PARAMETER, RECORD_TOO_BIG } from '../../base/result.js';
import type { CdtCall } from '../cdt/call.js';
import { countScan } from '../cdt/compared.js';
import { Container } from '../cdt/container.js';
import { Run, singleIndex, UNLIMITED } from '../cdt/range.js';
import { rankOf, search } from '../cdt/rank.js';
import {
  order,
  RETURN_COUNT,
  RETURN_EXISTS,
  RETURN_NONE,
  RETURN_RANK,
  RETURN_REVERSE_RANK,
  RETURN_VALUE,
  selection,
} from '../cdt/result.js';
import { Untaken } from '../cdt/untaken.js';
import { compare } from '../msgpack/compare.js';
import { nextOf } from '../msgpack/element.js';

/** @returns OK or a result code. @param returnType without INVERTED; the order of answers may depend on it. */
export type Selector = (call: CdtCall, k: number, returnType: number) => number;

/** Items of a value list; more are refused. */
const ITEM_COUNT_MAX = 1 << 20;
/** Elements picked, repeated ones counted; an answer of more is refused. */
const PICKED_COUNT_MAX = 1 << 22;

/** So many items are looked for in an ordered list as it lies there; for more its elements are read before. */
const SEARCHED_MAX = 8;

const items = new Container();
const run = new Run();
const untaken = new Untaken();

/** index */
export function byIndex(call: CdtCall, k: number): number {
  const index = singleIndex(call.int(k), call.target.count);
  if (index < 0) return OP_NOT_APPLICABLE;
  selection.selectRun(index, 1);
  return OK;
}

/** index, count? */
export function byIndexRange(call: CdtCall, k: number): number {
  selection.selectRange(call.int(k), call.count(k + 1));
  return OK;
}

/** rank */
export function byRank(call: CdtCall, k: number): number {
  const rank = singleIndex(call.int(k), call.target.count);
  return rank < 0 ? OP_NOT_APPLICABLE : selectRanks(call, rank, 1, RETURN_VALUE);
}

/** rank, count? */
export function byRankRange(call: CdtCall, k: number, returnType: number): number {
  run.setRange(call.int(k), call.count(k + 1), call.target.count);
  return selectRanks(call, run.start, run.count, returnType);
}

/** value, rank, count? */
export function byRelativeRank(call: CdtCall, k: number, returnType: number): number {
  const rank = rankOf(call.target, call.bytes, call.argAt[k]!, call.argAt[k + 1]!, false);
  if (rank < 0) return PARAMETER;
  run.setShifted(rank + call.int(k + 1), call.count(k + 2), call.target.count);
  return selectRanks(call, run.start, run.count, returnType);
}

/** value; the first that is equal */
export function byValue(call: CdtCall, k: number): number {
  return byEqual(call, k, 1);
}

/** value */
export function byAllValue(call: CdtCall, k: number): number {
  return byEqual(call, k, UNLIMITED);
}

/** begin, end? */
export function byInterval(call: CdtCall, k: number): number {
  const { target, bytes } = call;
  const beginAt = call.argAt[k]!;
  const endAt = call.argAt[k + 1]!;
  const afterAt = call.hasArg(k + 1) ? call.argAt[k + 2]! : -1;
  if (target.isOrdered) {
    const from = rankOf(target, bytes, beginAt, endAt, false);
    const to = afterAt < 0 ? target.count : rankOf(target, bytes, endAt, afterAt, false);
    if (from < 0 || to < 0) return PARAMETER;
    selection.selectRun(from, Math.max(0, to - from));
    return OK;
  }
  countScan(target.contentSize, target.count);
  let smaller = 0;
  let p = target.contentAt;
  for (let index = 0; index < target.count; index++) {
    const isInside = compare(target.bytes, p, target.end, bytes, beginAt, endAt) >= 0 ? true : smaller++ < 0;
    if (isInside && (afterAt < 0 || compare(target.bytes, p, target.end, bytes, endAt, afterAt) < 0)) {
      selection.pick(index);
    }
    p = nextOf(target.bytes, p, target.end);
    if (p < 0) return PARAMETER;
  }
  selection.setRanks(smaller);
  return OK;
}

/** list of values */
export function byValueList(call: CdtCall, k: number, returnType: number): number {
  const { target, bytes } = call;
  if (!items.open(bytes, call.argAt[k]!, call.argAt[k + 1]!) || items.count > ITEM_COUNT_MAX)
    return PARAMETER;
  if (items.count === 0 || target.count === 0) selection.selectRun(0, 0);
  else if (target.isOrdered) return selectInOrder(call, returnType);
  else return selectUnordered(call, returnType);
  return OK;
}

/** The items' matches in a list out of order: in the list's order, or when ranks are asked for in the items'. */
function selectUnordered(call: CdtCall, returnType: number): number {
  const { target, bytes } = call;
  if (!order.sortByValue(target)) return PARAMETER;
  const isOfRanks = returnType === RETURN_RANK || returnType === RETURN_REVERSE_RANK;
  untaken.begin(target.count);
  let p = items.contentAt;
  for (let item = 0; item < items.count && selection.count < target.count; item++) {
    const next = nextOf(bytes, p, items.end);
    if (next < 0) return PARAMETER;
    const from = order.rankOf(target, bytes, p, next, false);
    const to = order.rankOf(target, bytes, p, next, true, from);
    for (let rank = untaken.first(from); rank < to; rank = untaken.first(rank)) {
      untaken.take(rank);
      selection.pick(isOfRanks ? rank : order.sorted[rank]!);
    }
    p = next;
  }
  untaken.release();
  selection.isOfRanks = isOfRanks;
  if (!isOfRanks) selection.ascend();
  return OK;
}

/** The items' matches in a list in order: in the items' order, and as often as they are among them, unless counted. */
function selectInOrder(call: CdtCall, returnType: number): number {
  const { target, bytes } = call;
  const isOnce = returnType === RETURN_NONE || returnType === RETURN_COUNT || returnType === RETURN_EXISTS;
  const countMax = Math.max(target.count, PICKED_COUNT_MAX);
  if (isOnce) untaken.begin(target.count);
  const isLoaded = items.count > SEARCHED_MAX && order.sortByValue(target);
  let p = items.contentAt;
  for (let item = 0; item < items.count; item++) {
    const next = nextOf(bytes, p, items.end);
    if (next < 0) return PARAMETER;
    const from = isLoaded
      ? order.rankOf(target, bytes, p, next, false)
      : search(target, bytes, p, next, false);
    const to = isLoaded
      ? order.rankOf(target, bytes, p, next, true, from)
      : search(target, bytes, p, next, true, from);
    if (from < 0 || to < 0) return PARAMETER;
    if (isOnce) {
      for (let index = untaken.first(from); index < to; index = untaken.first(index)) {
        untaken.take(index);
        selection.pick(index);
      }
    } else {
      if (selection.count + to - from > countMax) return RECORD_TOO_BIG;
      for (let index = from; index < to; index++) selection.pick(index);
    }
    p = next;
  }
  if (isOnce) untaken.release();
  return OK;
}

/** Selects equal elements, in the order of the list. */
function byEqual(call: CdtCall, k: number, countMax: number): number {
  const { target, bytes } = call;
  const at = call.argAt[k]!;
  const end = call.argAt[k + 1]!;
  if (target.isOrdered) {
    const from = rankOf(target, bytes, at, end, false);
    const to = search(target, bytes, at, end, true, Math.max(0, from));
    if (from < 0 || to < 0) return PARAMETER;
    selection.selectRun(from, Math.min(countMax, to - from));
    return OK;
  }
  countScan(target.contentSize, target.count);
  let smaller = 0;
  let p = target.contentAt;
  for (let index = 0; index < target.count; index++) {
    const comparison = compare(target.bytes, p, target.end, bytes, at, end);
    if (comparison < 0) smaller++;
    else if (comparison === 0 && selection.count < countMax) selection.pick(index);
    p = nextOf(target.bytes, p, target.end);
    if (p < 0) return PARAMETER;
  }
  selection.setRanks(smaller);
  return OK;
}

/** Selects what has the `count` ranks from `start` on. */
function selectRanks(call: CdtCall, start: number, count: number, returnType: number): number {
  const { target } = call;
  if (target.isOrdered || target.count === 0) {
    selection.selectRun(start, count);
    return OK;
  }
  const from = order.selectRanks(target, start, count);
  if (from < 0) return PARAMETER;
  for (let k = 0; k < count; k++) selection.pick(order.sorted[from + k]!);
  if (returnType !== RETURN_VALUE) selection.ascend();
  selection.setRanks(start);
  return OK;
}
