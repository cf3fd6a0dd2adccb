/**
 * Decides patterns with back-references, which no automaton can: tries the ways through the program one after
 * the other, depth first, with a budget of steps. Behind it the answer is unknown. The stack holds pairs: a
 * node and the position to go on with, or a slot (as -1 - slot) and the value to put back into it.
 */
import { MATCHES, NO_MATCH, UNKNOWN } from './automaton.js';
import { has } from './byte-set.js';
import { upperCase } from './pattern.js';
import { EDGE, holds, neighbourOf, outerNeighbour } from './place.js';
import {
  ARGUMENT_SHIFT,
  ASSERT,
  BACKREF,
  CHAR,
  CLOSE,
  grown,
  KIND_MASK,
  LOOP,
  MATCH,
  OPEN,
  type Program,
  SET,
  SPLIT,
} from './program.js';

const STEPS_MAX = 2_000_000;
const STACK_MIN = 1024; // ints
const STACK_MAX = 1 << 20; // ints
/** Begin and end of group n are slots 2n and 2n + 1; behind them lies where each node, a loop, was last at. */
const LOOP_SLOTS = 20;
/** Slot of group 0, which nothing refers to: where the match may not end, having seen a newline as its own. */
const GOES_ON = 0;
const NOT_SET = -1;

let stack = new Int32Array(STACK_MIN);
let depth = 0;
let slots = new Int32Array(LOOP_SLOTS);

/**
 * Looks for a match anywhere in `bytes` from `at` to `end`; there is no NUL between.
 * @returns MATCHES, NO_MATCH, or UNKNOWN when the budget does not suffice.
 */
export function backtrack(program: Program, bytes: Uint8Array, at: number, end: number): number {
  const { op, next, sets, ignoreCase, newline } = program;
  const slotCount = LOOP_SLOTS + op.length;
  if (slots.length < slotCount) slots = new Int32Array(slotCount);
  slots.fill(NOT_SET, 0, slotCount);
  let steps = 0;
  for (let start = at; start <= end; start++) {
    depth = 0;
    push(program.entry, start);
    while (depth > 0) {
      depth -= 2;
      let node = stack[depth]!;
      let pos = stack[depth + 1]!;
      if (node < 0) slots[-1 - node] = pos;
      while (node >= 0) {
        if (++steps > STEPS_MAX || depth + 4 > STACK_MAX) return UNKNOWN;
        const argument = op[node]! >>> ARGUMENT_SHIFT;
        let target = next[node]!;
        switch (op[node]! & KIND_MASK) {
          case MATCH:
            if (slots[GOES_ON] !== pos) return MATCHES;
            target = NOT_SET;
            break;
          case CHAR:
            if (pos === end || byteAt(bytes, pos++, ignoreCase) !== argument) target = NOT_SET;
            break;
          case SET:
            if (pos === end || !has(sets[argument]!, byteAt(bytes, pos++, ignoreCase))) target = NOT_SET;
            break;
          case ASSERT: {
            let before = pos > at ? neighbourOf(bytes[pos - 1]!) : EDGE;
            if (pos === start) before = outerNeighbour(before, newline);
            const after = pos < end ? neighbourOf(bytes[pos]!) : EDGE;
            if (!holds(argument, before, after)) target = NOT_SET;
            else if (!holds(argument, before, outerNeighbour(after, newline))) set(GOES_ON, pos);
            break;
          }
          case SPLIT:
            push(target, pos);
            target = argument;
            break;
          case LOOP:
            // A round that matched nothing is not followed by another.
            if (slots[LOOP_SLOTS + node] === pos) break;
            set(LOOP_SLOTS + node, pos);
            push(target, pos);
            target = argument;
            break;
          case OPEN:
            set(argument * 2, pos);
            break;
          case CLOSE:
            set(argument * 2 + 1, pos);
            break;
          case BACKREF: {
            const from = slots[argument * 2]!;
            const size = slots[argument * 2 + 1]! - from;
            if (from < 0 || size > end - pos) target = NOT_SET;
            else if (!isSame(bytes, from, pos, size, ignoreCase)) target = NOT_SET;
            pos += size;
            steps += size;
            break;
          }
        }
        node = target;
      }
    }
  }
  return NO_MATCH;
}

function push(node: number, value: number): void {
  if (depth + 2 > stack.length) stack = grown(stack, stack.length * 2);
  stack[depth++] = node;
  stack[depth++] = value;
}

/** Writes a slot, and has it put back when all that follows from here has failed. */
function set(slot: number, value: number): void {
  push(-1 - slot, slots[slot]!);
  slots[slot] = value;
}

function byteAt(bytes: Uint8Array, at: number, ignoreCase: boolean): number {
  return ignoreCase ? upperCase(bytes[at]!) : bytes[at]!;
}

function isSame(bytes: Uint8Array, one: number, other: number, size: number, ignoreCase: boolean): boolean {
  for (let i = 0; i < size; i++) {
    if (byteAt(bytes, one + i, ignoreCase) !== byteAt(bytes, other + i, ignoreCase)) return false;
  }
  return true;
}
