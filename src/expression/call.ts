/**
 * CALL: a list, map, bit or HLL operation on a value, its arguments computed. Source: protocol 16, section 4.
 */
import { copyBytes } from '../base/copy.js';
import { OK } from '../base/result.js';
import { operateBits } from '../data/bit/operate.js';
import { operateHll } from '../data/hll/operate.js';
import { BLOB as BLOB_PARTICLE } from '../data/type.js';
import type { ValueOp } from '../data/value-op.js';
import { sortMaps } from './literal.js';
import { type Machine, TRUE, UNKNOWN } from './machine.js';
import { NAMED_TYPE, type OperatorRow } from './operator.js';
import { operateCollectionOn } from './path.js';
import { NODE_COUNT, NODE_OPERANDS } from './program.js';
import type { Value } from './value.js';
import { BLOB, BOOL, HLL, LIST, MAP, NIL, PARTICLE_TYPE, typeSet } from './value-type.js';

/** Bit of a system: the call answers the changed value instead of its result. */
export const CALL_MODIFIES = 0x40;

interface System {
  readonly name: string;
  /** Types of the values that it works on. */
  readonly targets: number;
  readonly operate: (machine: Machine, op: ValueOp) => number;
}

/** Indexed by the code of the system. */
export const SYSTEMS: readonly System[] = [
  { name: 'cdt', targets: typeSet(LIST, MAP, NIL), operate: operateCollectionOn },
  { name: 'bits', targets: typeSet(BLOB, NIL), operate: (_machine, op) => operateBits(op) },
  { name: 'hll', targets: typeSet(HLL, NIL), operate: (_machine, op) => operateHll(op) },
];

/** Operands of a call. */
export const CALL_TYPE = 0; // expression type of the result
export const CALL_SYSTEM = 1; // with CALL_MODIFIES
export const CALL_TARGET = 2; // node
export const CALL_BODY = 3; // in the program's bytes: where the body starts
export const CALL_BODY_END = 4;
/** The computed arguments, three operands each: where the argument starts in the body, where it ends, its node. */
export const CALL_ARGS = 5;
/** What a call costs, and each byte of its target, since it may have to be sorted. */
const CALL_WORK = 256;
const TARGET_WORK = 16;
/** No operation takes as many. */
export const CALL_ARG_COUNT_MAX = 32;

export const CALLS: readonly OperatorRow[] = [
  [127, { name: 'call', params: [], form: 'call', result: NAMED_TYPE, run: call }],
];

function call(m: Machine, node: number, out: Value): number {
  const { code } = m;
  const operands = node + NODE_OPERANDS;
  if (m.value(code[operands + CALL_TARGET]!, out) !== TRUE) return UNKNOWN;
  const op = m.takeOp();
  if (out.type === NIL) op.target.clear();
  else {
    const { bytes } = m.program;
    const at = out.bytes === bytes ? m.program.sortedAt(out.at) : out.at;
    op.target.set(PARTICLE_TYPE[out.type]!, out.bytes, at, out.size);
    if (out.isPicked || m.record?.hasUnsortedMap === true) sortMaps(op.target, m.scratch);
  }
  const isKnown = putBody(m, node, op) && operate(m, code[operands + CALL_SYSTEM]!, op);
  const type = code[operands + CALL_TYPE]!;
  const isTyped = isKnown && out.setParticle(m.particle, type);
  out.isPicked = type === MAP && !op.isModify;
  m.returnOp(op);
  if (!isTyped) return UNKNOWN;
  return type === BOOL ? out.low : TRUE;
}

/** Runs the operation; its answer goes to `m.particle`. */
function operate(m: Machine, system: number, op: ValueOp): boolean {
  op.scratch = m.scratch;
  op.bodyType = BLOB_PARTICLE;
  op.isModify = (system & CALL_MODIFIES) !== 0;
  if (m.hasComparedEnough || !m.spend(CALL_WORK + op.target.size * TARGET_WORK + (op.end - op.at)))
    return false;
  if (SYSTEMS[system & ~CALL_MODIFIES]!.operate(m, op) !== OK) return false;
  if (!op.isModify) m.particle.copy(op.result);
  else m.particle.copy(op.isChanged ? op.changed : op.target);
  return m.spend(m.particle.size);
}

/** Points the operation at its body: the program's own bytes, or a copy with the computed arguments in it. */
function putBody(m: Machine, node: number, op: ValueOp): boolean {
  const { code } = m;
  const operands = node + NODE_OPERANDS;
  const bodyAt = code[operands + CALL_BODY]!;
  const bodyEnd = code[operands + CALL_BODY_END]!;
  const end = operands + code[node + NODE_COUNT]!;
  op.bytes = m.program.bytes;
  op.at = bodyAt;
  op.end = bodyEnd;
  if (end === operands + CALL_ARGS) return true;
  const { top } = m;
  let size = bodyEnd - bodyAt;
  let isKnown = true;
  for (let k = operands + CALL_ARGS; k < end && isKnown; k += 3) {
    const argument = m.take();
    isKnown = m.value(code[k + 2]!, argument) === TRUE;
    if (!isKnown) break;
    argument.stripIndex(m.scratch);
    size += argument.elementSizeMax();
  }
  isKnown = isKnown && m.spend(size);
  if (isKnown) {
    const { program, scratch } = m;
    const outAt = scratch.take(size);
    const out = scratch.bytes;
    let to = outAt;
    let from = bodyAt;
    for (let k = operands + CALL_ARGS, slot = top; k < end; k += 3, slot++) {
      const argAt = code[k]!;
      copyBytes(out, to, program.bytes, from, argAt - from);
      to += argAt - from;
      to += m.values[slot]!.writeElement(out, to);
      from = code[k + 1]!;
    }
    copyBytes(out, to, program.bytes, from, bodyEnd - from);
    to += bodyEnd - from;
    scratch.trim(to);
    op.bytes = out;
    op.at = outAt;
    op.end = to;
  }
  m.top = top;
  return isKnown;
}
