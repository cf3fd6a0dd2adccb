/** The HLL operations, by op code. Source: protocol 15, sections 3 to 5. */
import { OK, OP_NOT_APPLICABLE, PARAMETER } from '../../base/result.js';
import { FLOAT, HLL, INTEGER, LIST, NULL } from '../type.js';
import {
  ALLOW_FOLD,
  CREATE_ONLY,
  ELEMENTS,
  FLAGS,
  type HllCall,
  type HllRow,
  INDEX_BITS,
  MINHASH_BITS,
  NEW_INDEX_BITS,
  NO_FAIL,
  SKETCHES,
  UNSET,
  UPDATE_ONLY,
} from './call.js';
import { ElementHash } from './element-hash.js';
import { countOf, intersectCountOf, similarityOf, unionCountOf, unionOf } from './estimate.js';
import { isLegal } from './sketch.js';

/** So many sketches can be compared without minhash bits, the bin's own not counted. */
const PLAIN_ARG_COUNT_MAX = 2;
const MAKE = CREATE_ONLY | UPDATE_ONLY | NO_FAIL;

type Apply = (call: HllCall) => number;

/** An operation that makes a sketch where there is none. */
function making(
  name: string,
  params: readonly number[],
  required: number,
  flags: number,
  answer: number,
  apply: Apply,
): HllRow {
  return { name, modifies: true, creates: true, params, required, flags, answer, apply };
}

/** An operation on a sketch that is there. */
function changing(name: string, params: readonly number[], answer: number, apply: Apply): HllRow {
  const required = params.length;
  return { name, modifies: true, creates: false, params, required, flags: 0, answer, apply };
}

function reading(name: string, params: readonly number[], answer: number, apply: Apply): HllRow {
  const required = params.length;
  return { name, modifies: false, creates: false, params, required, flags: 0, answer, apply };
}

const SIZES = [INDEX_BITS, MINHASH_BITS, FLAGS];

/** Pairs of op code and row. */
export const HLL_OPS: readonly (readonly [number, HllRow])[] = [
  [0, making('init', SIZES, 0, MAKE, NULL, init)],
  [1, making('add', [ELEMENTS, ...SIZES], 1, CREATE_ONLY | NO_FAIL, INTEGER, add)],
  [2, making('set_union', [SKETCHES, FLAGS], 1, MAKE | ALLOW_FOLD, NULL, setUnion)],
  [3, changing('refresh_count', [], INTEGER, refreshCount)],
  [4, changing('fold', [NEW_INDEX_BITS], NULL, fold)],
  [50, reading('count', [], INTEGER, count)],
  [51, reading('union', [SKETCHES], HLL, union)],
  [52, reading('union_count', [SKETCHES], INTEGER, unionCount)],
  [53, reading('intersect_count', [SKETCHES], INTEGER, intersectCount)],
  [54, reading('similarity', [SKETCHES], FLOAT, similarity)],
  [55, reading('describe', [], LIST, describe)],
  [56, reading('may_contain', [ELEMENTS], INTEGER, mayContain)],
];

const elementHash = new ElementHash();

function init(call: HllCall): number {
  let { p, m } = call;
  if (p === UNSET) {
    if (!call.exists) return OP_NOT_APPLICABLE;
    p = call.sketch.p;
  }
  if (m === UNSET) m = call.exists ? call.sketch.m : 0;
  if (!isLegal(p, m)) return OP_NOT_APPLICABLE;
  call.makeOut(p, m);
  return OK;
}

/** The bin's sketch is copied when the first register changes. */
function add(call: HllCall): number {
  const { body, scratch } = call;
  if (!call.exists) {
    if (call.p === UNSET) return OP_NOT_APPLICABLE;
    call.makeOut(call.p, call.m === UNSET ? 0 : call.m);
  }
  let changedCount = 0;
  let at = call.elementsAt;
  for (let k = 0; k < call.elementCount; k++) {
    at = elementHash.read(body.bytes, at, body.end, scratch);
    const sketch = call.isChanged ? call.out : call.sketch;
    const register = elementHash.place(sketch.p, sketch.m);
    if (!sketch.isBelow(register, elementHash.high, elementHash.low)) continue;
    if (!call.isChanged) call.copySketch();
    call.out.write(register, elementHash.high, elementHash.low);
    changedCount++;
  }
  if (changedCount > 0) call.out.setCache(0);
  call.setCount(changedCount);
  return OK;
}

function setUnion(call: HllCall): number {
  const { sketches, sketch, out, exists } = call;
  if (exists && (call.flags & ALLOW_FOLD) === 0) {
    if (sketch.p > sketches.p || (sketch.m !== 0 && sketch.m !== sketches.m)) return OP_NOT_APPLICABLE;
    call.makeOut(sketch.p, sketch.m);
    out.merge(sketch);
    sketches.rewind();
    while (sketches.next()) out.merge(sketches.current);
    return OK;
  }
  if (exists) sketches.addBin(sketch);
  unionOf(sketches, call.scratch, out);
  call.isChanged = true;
  return OK;
}

function refreshCount(call: HllCall): number {
  const { sketch } = call;
  if (sketch.isCached) return count(call);
  const value = countOf(sketch);
  call.setCount(value);
  if (value > 0) {
    call.copySketch();
    call.out.setCache(value);
  }
  return OK;
}

function fold(call: HllCall): number {
  const { sketch, p } = call;
  if (sketch.m > 0 || p > sketch.p) return OP_NOT_APPLICABLE;
  if (p === sketch.p) return OK;
  call.makeOut(p, 0);
  call.out.merge(sketch);
  return OK;
}

function count(call: HllCall): number {
  const { sketch } = call;
  if (sketch.isCached) {
    call.resultHigh = sketch.cacheHigh;
    call.resultLow = sketch.cacheLow;
  } else call.setCount(countOf(sketch));
  return OK;
}

function union(call: HllCall): number {
  call.sketches.addBin(call.sketch);
  unionOf(call.sketches, call.scratch, call.out);
  return OK;
}

function unionCount(call: HllCall): number {
  call.sketches.addBin(call.sketch);
  call.setCount(unionCountOf(call.sketches, call.scratch));
  return OK;
}

function intersectCount(call: HllCall): number {
  const code = addComparable(call);
  if (code === OK) call.setCount(intersectCountOf(call.sketches, call.scratch));
  return code;
}

function similarity(call: HllCall): number {
  const code = addComparable(call);
  if (code === OK) call.resultDouble = similarityOf(call.sketches, call.scratch);
  return code;
}

/** Adds the bin's sketch to the others, if so many can be compared. @returns OK or a code. */
function addComparable(call: HllCall): number {
  const { sketches, sketch } = call;
  if (sketches.argCount > PLAIN_ARG_COUNT_MAX) {
    if (sketches.m === 0) return PARAMETER;
    if (sketch.m !== sketches.m) return OP_NOT_APPLICABLE;
  }
  sketches.addBin(sketch);
  return OK;
}

function describe(call: HllCall): number {
  call.resultHigh = call.sketch.p;
  call.resultLow = call.sketch.m;
  return OK;
}

function mayContain(call: HllCall): number {
  const { body, sketch } = call;
  let at = call.elementsAt;
  let isContained = true;
  for (let k = 0; k < call.elementCount && isContained; k++) {
    at = elementHash.read(body.bytes, at, body.end, call.scratch);
    const register = elementHash.place(sketch.p, sketch.m);
    isContained = !sketch.isBelow(register, elementHash.high, elementHash.low);
  }
  call.setCount(isContained ? 1 : 0);
  return OK;
}
