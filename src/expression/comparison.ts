/** Operators that compare. Source: protocol 16, section 3; 10, section 4; 17, section 5. */
import { isWithin, shapeOf } from '../data/geo/containment.js';
import { Comparable } from '../data/msgpack/comparable.js';
import { compare, compareOrdered, UNORDERED } from '../data/msgpack/compare.js';
import { Element, LIST as LIST_ELEMENT, sizeOf } from '../data/msgpack/element.js';
import { compareInts } from './int64.js';
import { FALSE, type Machine, TRUE, UNKNOWN } from './machine.js';
import { INT_OPERAND, type Operator, type OperatorRow, PATTERN_OPERAND } from './operator.js';
import { NODE_OPERANDS } from './program.js';
import type { Value } from './value.js';
import { ANY, BOOL, FLOAT, GEO, HLL, INT, LIST, MAP, NIL, STR, typeSet } from './value-type.js';

const COMPARABLE = ANY & ~typeSet(GEO, HLL);
/** What the order of two values is when there is none: a NaN, an unordered map, or too much to look at. */
const INCOMPARABLE = 2;
const NO_ORDER = 3;
/** Comparing elements or searching a string, for each byte. */
const COMPARE_WORK = 4;
const ELEMENT_WORK = 16;
/** A search may look at each node of its pattern for each byte, but gives up somewhere. */
const SEARCH_WORK_MAX = 2_000_000;
/** Parsing GeoJSON text and building its region, for each of its bytes. */
const GEO_WORK = 64;

/** Answers by order: less, equal, greater, and of numbers that are not comparable. */
const comparison = (name: string, answers: readonly [number, number, number, number]): Operator => ({
  name,
  params: [COMPARABLE, COMPARABLE],
  same: true,
  result: BOOL,
  run: (m, node, out) => {
    const order = orderOf(m, node, out);
    return order === INCOMPARABLE ? UNKNOWN : answers[order === NO_ORDER ? 3 : order + 1]!;
  },
});

export const COMPARISONS: readonly OperatorRow[] = [
  [1, comparison('eq', [FALSE, TRUE, FALSE, FALSE])],
  [2, comparison('ne', [TRUE, FALSE, TRUE, TRUE])],
  [3, comparison('gt', [FALSE, FALSE, TRUE, FALSE])],
  [4, comparison('ge', [FALSE, TRUE, TRUE, FALSE])],
  [5, comparison('lt', [TRUE, FALSE, FALSE, FALSE])],
  [6, comparison('le', [TRUE, TRUE, FALSE, FALSE])],
  [7, { name: 'regex', params: [INT_OPERAND, PATTERN_OPERAND, typeSet(STR)], result: BOOL, run: regex }],
  [8, { name: 'geo', params: [typeSet(GEO), typeSet(GEO)], result: BOOL, run: geo }],
  [9, { name: 'in_list', params: [ANY, typeSet(LIST)], result: BOOL, run: inList }],
];

const element = new Element();
const sought = new Comparable();

function orderOf(m: Machine, node: number, out: Value): number {
  if (m.value(m.code[node + NODE_OPERANDS]!, out) !== TRUE) return INCOMPARABLE;
  const { top } = m;
  const other = m.take();
  const known = m.value(m.code[node + NODE_OPERANDS + 1]!, other);
  m.top = top;
  return known === TRUE ? order(m, out, other) : INCOMPARABLE;
}

function order(m: Machine, a: Value, b: Value): number {
  if (a.type !== b.type) return INCOMPARABLE; // a call on no bin has the static type of NIL, and values of any
  switch (a.type) {
    case NIL:
      return 0;
    case BOOL:
      return a.low - b.low;
    case INT:
      return compareInts(a, b);
    case FLOAT:
      return a.number < b.number ? -1 : a.number > b.number ? 1 : a.number === b.number ? 0 : NO_ORDER;
    case LIST:
    case MAP: {
      if (!m.spend((a.size + b.size) * COMPARE_WORK)) return INCOMPARABLE;
      const result = compareOrdered(a.bytes, a.at, a.at + a.size, b.bytes, b.at, b.at + b.size);
      return result === UNORDERED ? INCOMPARABLE : result;
    }
    default:
      return m.spend(Math.min(a.size, b.size)) ? compareContents(a, b) : INCOMPARABLE;
  }
}

function compareContents(a: Value, b: Value): number {
  const common = Math.min(a.size, b.size);
  for (let k = 0; k < common; k++) {
    const x = a.bytes[a.at + k]!;
    const y = b.bytes[b.at + k]!;
    if (x !== y) return x < y ? -1 : 1;
  }
  return a.size < b.size ? -1 : a.size > b.size ? 1 : 0;
}

/** Operands: both halves of the flags (which the regular expression was compiled with), its number, the subject. */
function regex(m: Machine, node: number, out: Value): number {
  if (m.value(m.code[node + NODE_OPERANDS + 3]!, out) !== TRUE) return UNKNOWN;
  const expression = m.program.regexes[m.code[node + NODE_OPERANDS + 2]!]!;
  const searchWork = Math.min(out.size * expression.nodeCount, SEARCH_WORK_MAX);
  if (!m.spend(searchWork + out.size * COMPARE_WORK)) return UNKNOWN;
  return expression.matches(out.bytes, out.at, out.size);
}

function geo(m: Machine, node: number, out: Value): number {
  if (m.value(m.code[node + NODE_OPERANDS]!, out) !== TRUE) return UNKNOWN;
  const { top } = m;
  const other = m.take();
  const known = m.value(m.code[node + NODE_OPERANDS + 1]!, other);
  m.top = top;
  if (known !== TRUE || !m.spend((out.size + other.size) * GEO_WORK)) return UNKNOWN;
  const a = out.shape ?? shapeOf(out.bytes, out.at, out.size);
  const b = other.shape ?? shapeOf(other.bytes, other.at, other.size);
  if (a === undefined || b === undefined) return UNKNOWN;
  return isWithin(a, b) ? TRUE : FALSE;
}

/** Whether a list holds a value, by the order of values: 1 and 1.0 differ, 0.0 and -0.0 do not. */
function inList(m: Machine, node: number, out: Value): number {
  if (m.value(m.code[node + NODE_OPERANDS]!, out) !== TRUE) return UNKNOWN;
  const { top } = m;
  const list = m.take();
  const known = m.value(m.code[node + NODE_OPERANDS + 1]!, list);
  m.top = top;
  const sizeMax = out.elementSizeMax();
  if (known !== TRUE || !m.spend(sizeMax)) return UNKNOWN;
  out.stripIndex(m.scratch);
  // What stands in the expression has the keys of its maps in any order, as the client sent them.
  const { program } = m;
  if (out.bytes === program.bytes) out.at = program.sortedAt(out.at);
  const wantedAt = m.scratch.take(sizeMax);
  const wanted = m.scratch.bytes;
  sought.read(wanted, wantedAt, wantedAt + out.writeElement(wanted, wantedAt));
  const { bytes } = list;
  const at = bytes === program.bytes ? program.sortedAt(list.at) : list.at;
  const answer = holdsSought(m, bytes, at, at + list.size);
  sought.release();
  return answer;
}

function holdsSought(m: Machine, bytes: Uint8Array, listAt: number, end: number): number {
  let at = element.read(bytes, listAt, end);
  if (at < 0 || element.type !== LIST_ELEMENT) return UNKNOWN;
  const { count } = element;
  for (let k = 0; k < count; k++) {
    const size = sizeOf(bytes, at, end);
    if (size < 0 || !m.spend(ELEMENT_WORK + size * COMPARE_WORK)) return UNKNOWN;
    if (compare(bytes, at, at + size, sought.bytes, sought.at, sought.end) === 0) return TRUE;
    at += size;
  }
  return FALSE;
}
