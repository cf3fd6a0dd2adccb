/**
 * What list and map operations answer, by return type. Source: protocol 11, section 3, and 12, section 3.
 */
import { OK, OP_NOT_APPLICABLE, PARAMETER, RECORD_TOO_BIG } from '../../base/result.js';
import { INT, LIST as LIST_ELEMENT } from '../msgpack/element.js';
import { Writer } from '../msgpack/writer.js';
import { BOOL, LIST } from '../type.js';
import type { CdtCall } from './call.js';
import type { Container } from './container.js';
import { integerParticle, particleOf } from './element-particle.js';
import { Order } from './order.js';
import type { Run } from './range.js';
import { isInOrder } from './rank.js';
import { Selection } from './selection.js';

/** Return types. The numbers between are not used. */
export const RETURN_NONE = 0;
export const RETURN_INDEX = 1;
export const RETURN_REVERSE_INDEX = 2;
export const RETURN_RANK = 3;
export const RETURN_REVERSE_RANK = 4;
export const RETURN_COUNT = 5;
export const RETURN_KEY = 6; // maps
export const RETURN_VALUE = 7;
export const RETURN_KEY_VALUE = 8; // maps; a map in the order of the answer
export const RETURN_INDEX_RANGE = 9; // [start, count]
export const RETURN_REVERSE_INDEX_RANGE = 10;
export const RETURN_RANK_RANGE = 11;
export const RETURN_REVERSE_RANK_RANGE = 12;
export const RETURN_EXISTS = 13;
export const RETURN_UNORDERED_MAP = 16; // maps
export const RETURN_ORDERED_MAP = 17; // maps
/** With the return type: everything but what the operation means. */
export const INVERTED = 0x10000;
export const RETURN_TYPE_MASK = 0xffff;

/** An element, or the key or value of a pair. */
export const WHOLE_PART = 0;
export const KEY_PART = 1;
export const VALUE_PART = 2;

/** Bytes of the largest packed index, rank or count, and of the largest header with flags. */
const NUMBER_SIZE_MAX = 5;
const HEADER_SIZE_MAX = 9;
/** Bytes of an answer: elements that were picked many times are not copied without end. */
const ANSWER_SIZE_MAX = 1 << 27;

const writer = new Writer();
let numbersAt = 0;
/** The order that answers with ranks need, unless the operation has sorted already. */
export const order = new Order();
/** What the present operation selects. */
export const selection = new Selection();

/** Answers a number that is a safe integer. */
export function answerInteger(call: CdtCall, value: number): void {
  integerParticle(Math.floor(value / 0x1_0000_0000), value >>> 0, call.scratch, call.result);
}

export function answerBool(call: CdtCall, value: boolean): void {
  const at = call.scratch.take(1);
  call.scratch.bytes[at] = value ? 1 : 0;
  call.result.set(BOOL, call.scratch.bytes, at, 1);
}

/** Begins an operation that selects: nothing is selected and no order known. @returns The selection. */
export function beginSelection(call: CdtCall): Selection {
  selection.begin(call.target.count);
  order.clear();
  return selection;
}

/**
 * Answers what is selected by its indexes, ranks, count, existence or values; the answers that only maps have are
 * theirs to give.
 * @param returnType without INVERTED, which has been applied to the selection.
 * @param isSingle   of an operation that means one element at most: a value, not a list of them.
 * @param part       of each element: what RETURN_VALUE gives.
 * @returns OK, OP_NOT_APPLICABLE for a return type that there is not, PARAMETER for a malformed container.
 */
export function answerSelection(call: CdtCall, returnType: number, isSingle: boolean, part: number): number {
  switch (returnType) {
    case RETURN_NONE:
      return OK;
    case RETURN_COUNT:
      answerInteger(call, selection.count);
      return OK;
    case RETURN_EXISTS:
      answerBool(call, selection.exists);
      return OK;
    case RETURN_INDEX:
    case RETURN_REVERSE_INDEX:
      return answerIndexes(call, returnType === RETURN_REVERSE_INDEX, isSingle);
    case RETURN_RANK:
    case RETURN_REVERSE_RANK:
      return answerRanks(call, returnType === RETURN_REVERSE_RANK, isSingle);
    case RETURN_VALUE:
      return isSingle ? answerElement(call, part) : answerElements(call, part);
    case RETURN_INDEX_RANGE:
    case RETURN_REVERSE_INDEX_RANGE:
      return answerRange(call, selection.run, !selection.isPicked, returnType === RETURN_REVERSE_INDEX_RANGE);
    case RETURN_RANK_RANGE:
    case RETURN_REVERSE_RANK_RANGE: {
      const isReverse = returnType === RETURN_REVERSE_RANK_RANGE;
      if (selection.hasRanks) return answerRange(call, selection.ranks, true, isReverse);
      return answerRange(call, selection.run, !selection.isPicked && isInOrder(call.target), isReverse);
    }
    default:
      return OP_NOT_APPLICABLE;
  }
}

/** Reverse indexes of a run are answered in ascending order, those of picked elements in the elements' order. */
function answerIndexes(call: CdtCall, isReverse: boolean, isSingle: boolean): number {
  const { count, size } = selection;
  if (isSingle) {
    answerInteger(call, count === 0 ? -1 : isReverse ? size - 1 - selection.at(0) : selection.at(0));
    return OK;
  }
  beginNumbers(call, count);
  if (!selection.isPicked) putRun(selection.run, isReverse);
  else {
    for (let k = 0; k < count; k++) {
      putNumber(isReverse ? size - 1 - selection.at(k) : selection.at(k));
    }
  }
  endNumbers(call);
  return OK;
}

/** Ranks that form a run are answered in ascending order, others in the order of the elements. */
function answerRanks(call: CdtCall, isReverse: boolean, isSingle: boolean): number {
  const { count, size } = selection;
  const { ranks } = selection;
  if (isSingle) {
    const rank =
      count === 0 ? -1 : selection.hasRanks ? ranks.at(0) : order.rankAt(call.target, selection.at(0));
    answerInteger(call, rank >= 0 && isReverse ? size - 1 - rank : rank);
    return OK;
  }
  const isAll = !selection.isPicked && count === size;
  const isRun = selection.hasRanks || selection.isOfRanks || isAll || isInOrder(call.target);
  if (!isRun && !order.prepare(call.target, count)) return PARAMETER;
  beginNumbers(call, count);
  if (selection.hasRanks) putRun(ranks, isReverse);
  else if (selection.isOfRanks) putPickedRanks(isReverse);
  else if (!selection.isPicked && isRun) putRun(selection.run, isReverse);
  else {
    for (let k = 0; k < count; k++) {
      const rank = order.rankAt(call.target, selection.at(k));
      putNumber(isReverse ? size - 1 - rank : rank);
    }
  }
  endNumbers(call);
  return OK;
}

/** Writes a run in ascending order; from the other end each of its two parts for itself. */
function putRun(run: Run, isReverse: boolean): void {
  const { size } = selection;
  const first = run.firstCount;
  for (let k = 0; k < first; k++) putNumber(isReverse ? size - 1 - run.at(first - 1 - k) : run.at(k));
  for (let k = first; k < run.count; k++) {
    putNumber(isReverse ? size - 1 - run.at(run.count - 1 - k + first) : run.at(k));
  }
}

/** Writes ranks as they were picked; of an inverted selection the runs that are left, as `putRun` does. */
function putPickedRanks(isReverse: boolean): void {
  const { count, size, picked } = selection;
  let k = 0;
  while (k < count) {
    let end = k + 1;
    if (selection.isInverted) while (end < count && picked[end] === picked[end - 1]! + 1) end++;
    for (let n = k; n < end; n++) putNumber(isReverse ? size - 1 - picked[end - 1 - (n - k)]! : picked[n]!);
    k = end;
  }
}

/** `[start, count]` of what forms a run. */
function answerRange(call: CdtCall, run: Run, isRun: boolean, isReverse: boolean): number {
  if (!isRun || selection.isInverted) return OP_NOT_APPLICABLE;
  beginNumbers(call, 2);
  putNumber(isReverse ? selection.size - run.start - run.count : run.start);
  putNumber(run.count);
  endNumbers(call);
  return OK;
}

/** Answers the one element selected as a particle, or nothing when there is none. */
export function answerElement(call: CdtCall, part: number): number {
  if (selection.count === 0) return OK;
  const { target } = call;
  const index = selection.at(0);
  const at = part === VALUE_PART ? target.valueOf(index) : target.offsetOf(index);
  if (at < 0) return PARAMETER;
  return particleOf(target.bytes, at, target.end, call.scratch, call.result) ? OK : PARAMETER;
}

/** Answers a list of the elements selected, or of their keys or values, in the selection's order. */
export function answerElements(call: CdtCall, part: number): number {
  return answerContainer(call, LIST, 0, part);
}

/**
 * Answers a list or map of the elements selected, in the selection's order.
 * @param type  LIST or MAP (particle types); a map of whole pairs.
 * @param flags of the container answered.
 */
export function answerContainer(call: CdtCall, type: number, flags: number, part: number): number {
  const { target, scratch } = call;
  const size = selectedSize(target, part);
  if (size < 0) return PARAMETER;
  if (size > ANSWER_SIZE_MAX) return RECORD_TOO_BIG;
  const at = scratch.take(HEADER_SIZE_MAX + size);
  writer.start(scratch.bytes, at);
  const counted = selection.count + (flags === 0 ? 0 : 1);
  if (type === LIST) writer.listHeader(counted, flags);
  else writer.mapHeader(counted, flags);
  putSelected(target, part);
  scratch.trim(writer.at);
  call.result.set(type, scratch.bytes, at, writer.at - at);
  return OK;
}

/** Bytes of the elements selected, or of their keys or values; -1 when the container is malformed. */
function selectedSize(target: Container, part: number): number {
  const { count } = selection;
  const isWhole = part === WHOLE_PART || target.type === LIST_ELEMENT;
  if (count > 0 && isWhole && !selection.isPicked) {
    const { run } = selection;
    const first = run.firstCount;
    const size = first > 0 ? runSize(target, run.at(0), run.at(first - 1) + 1) : 0;
    const rest = first < count ? runSize(target, run.at(first), run.at(count - 1) + 1) : 0;
    return size < 0 || rest < 0 ? -1 : size + rest;
  }
  let size = 0;
  for (let k = 0; k < count; k++) {
    const index = selection.at(k);
    const from = part === VALUE_PART ? target.valueOf(index) : target.offsetOf(index);
    const to = part === KEY_PART ? target.valueOf(index) : target.offsetOf(index + 1);
    if (from < 0 || to < from) return -1;
    size += to - from;
  }
  return size;
}

/** Bytes of the elements from `index` up to `end`; -1 when the container or its index is malformed. */
function runSize(target: Container, index: number, end: number): number {
  const to = target.offsetOf(end);
  const from = target.offsetOf(index);
  return from < 0 || to < from ? -1 : to - from;
}

/** Writes what `selectedSize` has measured. */
function putSelected(target: Container, part: number): void {
  const { count } = selection;
  const isWhole = part === WHOLE_PART || target.type === LIST_ELEMENT;
  if (count > 0 && isWhole && !selection.isPicked) {
    const { run } = selection;
    const first = run.firstCount;
    if (first > 0) putElements(target, run.at(0), run.at(first - 1) + 1);
    if (first < count) putElements(target, run.at(first), run.at(count - 1) + 1);
    return;
  }
  for (let k = 0; k < count; k++) {
    const index = selection.at(k);
    const from = part === VALUE_PART ? target.valueOf(index) : target.offsetOf(index);
    const to = part === KEY_PART ? target.valueOf(index) : target.offsetOf(index + 1);
    writer.copy(target.bytes, from, to - from);
  }
}

function putElements(target: Container, index: number, end: number): void {
  const from = target.offsetOf(index);
  writer.copy(target.bytes, from, target.offsetOf(end) - from);
}

function beginNumbers(call: CdtCall, count: number): void {
  numbersAt = call.scratch.take(HEADER_SIZE_MAX + count * NUMBER_SIZE_MAX);
  writer.start(call.scratch.bytes, numbersAt);
  writer.listHeader(count, 0);
}

function putNumber(value: number): void {
  writer.integer(INT, 0, value);
}

function endNumbers(call: CdtCall): void {
  call.scratch.trim(writer.at);
  call.result.set(LIST, call.scratch.bytes, numbersAt, writer.at - numbersAt);
}
