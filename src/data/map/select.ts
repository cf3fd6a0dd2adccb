/**
 * What map operations that read or remove mean: by key, by index, by rank, by value. A selector reads the arguments from
 * number `k` on and fills the selection; `isInverted` asks for everything else. Source: protocol 12, section 3, and 11,
 * section 4. Which order the pairs are answered in is what the reference was seen to do.
 */
import { OK, OP_NOT_APPLICABLE, PARAMETER } from '../../base/result.js';
import type { CdtCall } from '../cdt/call.js';
import { countScan } from '../cdt/compared.js';
import { Container } from '../cdt/container.js';
import { Run, singleIndex } from '../cdt/range.js';
import { rankOf } from '../cdt/rank.js';
import {
  order,
  RETURN_INDEX,
  RETURN_RANK,
  RETURN_REVERSE_INDEX,
  RETURN_REVERSE_RANK,
  selection,
} from '../cdt/result.js';
import { Untaken } from '../cdt/untaken.js';
import { compare, compareTotal } from '../msgpack/compare.js';
import { nextOf } from '../msgpack/element.js';
import { hasKey, lowerBound } from './key.js';

/** @param returnType without INVERTED; the order of answers may depend on it. @returns OK or a result code. */
export type Selector = (call: CdtCall, k: number, returnType: number, isInverted: boolean) => number;

/** Items of a list of keys or values; more are refused. */
const ITEM_COUNT_MAX = 1 << 20;

const items = new Container();
const run = new Run();
const untaken = new Untaken();

/** key. Everything but one pair is nothing that can be asked for, unless the reference does not get that far. */
export function byKey(call: CdtCall, k: number, _returnType: number, isInverted: boolean): number {
  const { target, bytes, argAt } = call;
  const at = argAt[k]!;
  const end = argAt[k + 1]!;
  const index = lowerBound(target, 0, bytes, at, end);
  if (index < 0) return PARAMETER;
  const isThere = hasKey(target, index, bytes, at, end);
  if (isInverted && (isThere || !target.isOrdered)) return OP_NOT_APPLICABLE;
  if (isThere) selection.selectRun(index, 1);
  return OK;
}

/** index */
export function byIndex(call: CdtCall, k: number, _returnType: number, isInverted: boolean): number {
  const index = singleIndex(call.int(k), call.target.count);
  if (index < 0 || isInverted) return OP_NOT_APPLICABLE;
  selection.selectRun(index, 1);
  return OK;
}

/** rank */
export function byRank(call: CdtCall, k: number, _returnType: number, isInverted: boolean): number {
  const rank = singleIndex(call.int(k), call.target.count);
  return rank < 0 || isInverted ? OP_NOT_APPLICABLE : selectRanks(call, rank, 1, false);
}

/** value; the first that is equal */
export function byValue(call: CdtCall, k: number, _returnType: number, isInverted: boolean): number {
  if (isInverted) return OP_NOT_APPLICABLE;
  const { target, bytes, argAt } = call;
  const rank = rankOf(target, bytes, argAt[k]!, argAt[k + 1]!, false);
  const after = rankOf(target, bytes, argAt[k]!, argAt[k + 1]!, true);
  if (rank < 0 || after < 0) return PARAMETER;
  return rank < after ? selectRanks(call, rank, 1, false) : OK;
}

/** begin, end? */
export function byKeyInterval(call: CdtCall, k: number, returnType: number, isInverted: boolean): number {
  const { target, bytes, argAt } = call;
  const from = lowerBound(target, 0, bytes, argAt[k]!, argAt[k + 1]!);
  const to = call.hasArg(k + 1) ? lowerBound(target, 0, bytes, argAt[k + 1]!, argAt[k + 2]!) : target.count;
  if (from < 0 || to < 0) return PARAMETER;
  selection.selectRun(from, Math.max(0, to - from));
  if (isInverted) selection.invert();
  if (target.isOrdered) rankAll();
  else if (selection.count === selection.size && isRankType(returnType)) {
    selection.begin(target.count);
    for (let index = 0; index < target.count; index++) selection.pick(index);
  }
  return OK;
}

/** index, count? */
export function byIndexRange(call: CdtCall, k: number, _returnType: number, isInverted: boolean): number {
  selection.selectRange(call.int(k), call.count(k + 1));
  if (isInverted) selection.invert();
  rankAll();
  return OK;
}

/** key, index, count? */
export function byRelativeIndex(call: CdtCall, k: number, _returnType: number, isInverted: boolean): number {
  const { target, bytes, argAt } = call;
  const index = lowerBound(target, 0, bytes, argAt[k]!, argAt[k + 1]!);
  if (index < 0) return PARAMETER;
  run.setShifted(index + call.int(k + 1), call.count(k + 2), target.count);
  selection.selectRun(run.start, run.count);
  if (isInverted) selection.invert();
  rankAll();
  return OK;
}

/** list of keys */
export function byKeyList(call: CdtCall, k: number, returnType: number, isInverted: boolean): number {
  const { target, bytes } = call;
  if (isRankType(returnType)) return OP_NOT_APPLICABLE;
  if (!openItems(call, k) || target.offsetOf(Math.max(0, target.count - 1)) < 0) return PARAMETER;
  untaken.begin(target.count);
  let p = items.contentAt;
  for (let item = 0; item < items.count && selection.count < target.count; item++) {
    const next = nextOf(bytes, p, items.end);
    if (next < 0) return PARAMETER;
    // A wildcard is equal to every key, any other item to one at most.
    let index = lowerBound(target, 0, bytes, p, next);
    while (index >= 0 && hasKey(target, index, bytes, p, next)) {
      if (untaken.first(index) === index) {
        untaken.take(index);
        selection.pick(index);
      }
      index++;
    }
    p = next;
  }
  untaken.release();
  const isIndex = returnType === RETURN_INDEX || returnType === RETURN_REVERSE_INDEX;
  if (isInverted) invertFound();
  else if (!isIndex) selection.ascend();
  return OK;
}

/** value */
export function byAllValue(call: CdtCall, k: number, _returnType: number, isInverted: boolean): number {
  const { bytes, argAt, target } = call;
  const at = argAt[k]!;
  const end = argAt[k + 1]!;
  if (target.orderAt >= 0) return selectValues(call, at, end, at, end, true, isInverted);
  countScan(target.contentSize, target.count);
  let smaller = 0;
  let p = target.contentAt;
  for (let index = 0; index < target.count; index++) {
    p = nextOf(target.bytes, p, target.end);
    if (p < 0) return PARAMETER;
    const comparison = compareValue(target, p, bytes, at, end);
    if (comparison < 0) smaller++;
    else if (comparison === 0) selection.pick(index);
    p = nextOf(target.bytes, p, target.end);
    if (p < 0) return PARAMETER;
  }
  return endScan(smaller, isInverted);
}

/** begin, end? */
export function byValueInterval(call: CdtCall, k: number, _returnType: number, isInverted: boolean): number {
  const { bytes, argAt, target } = call;
  const at = argAt[k]!;
  const end = argAt[k + 1]!;
  const afterAt = call.hasArg(k + 1) ? argAt[k + 2]! : -1;
  if (target.orderAt >= 0) return selectValues(call, at, end, end, afterAt, false, isInverted);
  countScan(target.contentSize, target.count);
  let smaller = 0;
  let p = target.contentAt;
  for (let index = 0; index < target.count; index++) {
    p = nextOf(target.bytes, p, target.end);
    if (p < 0) return PARAMETER;
    if (compareValue(target, p, bytes, at, end) < 0) smaller++;
    else if (afterAt < 0 || compareValue(target, p, bytes, end, afterAt) < 0) selection.pick(index);
    p = nextOf(target.bytes, p, target.end);
    if (p < 0) return PARAMETER;
  }
  return endScan(smaller, isInverted);
}

/** rank, count? */
export function byRankRange(call: CdtCall, k: number, _returnType: number, isInverted: boolean): number {
  run.setRange(call.int(k), call.count(k + 1), call.target.count);
  return selectRanks(call, run.start, run.count, isInverted);
}

/** value, rank, count? */
export function byRelativeRank(call: CdtCall, k: number, _returnType: number, isInverted: boolean): number {
  const { target, bytes, argAt } = call;
  const rank = rankOf(target, bytes, argAt[k]!, argAt[k + 1]!, false);
  if (rank < 0) return PARAMETER;
  run.setShifted(rank + call.int(k + 1), call.count(k + 2), target.count);
  return selectRanks(call, run.start, run.count, isInverted);
}

/** list of values. Ranks are answered in the order of the items, all else in the order of keys. */
export function byValueList(call: CdtCall, k: number, returnType: number, isInverted: boolean): number {
  const { target, bytes } = call;
  if (!openItems(call, k) || !order.sortByValue(target)) return PARAMETER;
  if (items.count === 0 || target.count === 0) {
    if (isInverted) invertFound();
    return OK;
  }
  const isOfRanks = isRankType(returnType);
  untaken.begin(target.count);
  let p = items.contentAt;
  for (let item = 0; item < items.count && selection.count < target.count; item++) {
    const next = nextOf(bytes, p, items.end);
    if (next < 0) return PARAMETER;
    const from = order.rankOf(target, bytes, p, next, false);
    const to = order.rankOf(target, bytes, p, next, true);
    for (let rank = untaken.first(from); rank < to; rank = untaken.first(rank)) {
      untaken.take(rank);
      selection.pick(isOfRanks ? rank : order.indexAt(rank));
    }
    p = next;
  }
  untaken.release();
  selection.isOfRanks = isOfRanks;
  if (isInverted) selection.invert();
  else if (!isOfRanks) selection.ascend();
  return OK;
}

function isRankType(returnType: number): boolean {
  return returnType === RETURN_RANK || returnType === RETURN_REVERSE_RANK;
}

function openItems(call: CdtCall, k: number): boolean {
  return items.open(call.bytes, call.argAt[k]!, call.argAt[k + 1]!) && items.count <= ITEM_COUNT_MAX;
}

/** How the value at `p` compares with another: in a map in the order of values as in its persisted order, if it has one. */
function compareValue(target: Container, p: number, bytes: Uint8Array, at: number, end: number): number {
  return target.isValueOrdered
    ? compareTotal(target.bytes, p, target.end, bytes, at, end)
    : compare(target.bytes, p, target.end, bytes, at, end);
}

/** Says of a selection of everything that its ranks are all there are, so that they are answered in order. */
function rankAll(): void {
  if (selection.count === selection.size) selection.setRanks(0);
}

/** Ends a selection by value in the order of keys, the first of whose ranks is `smaller`. */
function endScan(smaller: number, isInverted: boolean): number {
  selection.setRanks(smaller);
  if (isInverted) invertFound();
  return OK;
}

/** Inverts what was picked. When that is nothing it is the whole map, as a range of indexes and of ranks. */
function invertFound(): void {
  if (selection.count > 0) {
    selection.invert();
    return;
  }
  selection.selectRun(0, selection.size);
  selection.setRanks(0);
}

/**
 * Selects by a persisted value order what is not smaller than the value at `at` and smaller than the one at `otherAt`,
 * or equal to it when `isEqual`; without a limit when `otherEnd` is -1.
 */
function selectValues(
  call: CdtCall,
  at: number,
  end: number,
  otherAt: number,
  otherEnd: number,
  isEqual: boolean,
  isInverted: boolean,
): number {
  const { target, bytes } = call;
  const from = rankOf(target, bytes, at, end, false);
  const to = otherEnd < 0 ? target.count : rankOf(target, bytes, otherAt, otherEnd, isEqual);
  if (from < 0 || to < 0) return PARAMETER;
  return selectRanks(call, from, Math.max(0, to - from), isInverted);
}

/** Selects what has the `count` ranks from `start` on, or all other ranks, in the order of values. */
function selectRanks(call: CdtCall, start: number, count: number, isInverted: boolean): number {
  const { ranks } = selection;
  if (!order.sortByValue(call.target)) return PARAMETER;
  ranks.set(start, count);
  if (isInverted) ranks.invert(selection.size);
  selection.hasRanks = true;
  for (let k = 0; k < ranks.count; k++) selection.pick(order.indexAt(ranks.at(k)));
  return OK;
}
