/**
 * Searches a subject in one pass, whatever the pattern: the states of a deterministic automaton are made from
 * sets of program nodes as the subject asks for them, and kept in a cache of bounded size. When the cache is full
 * it is emptied and filled anew, so the worst case is to compute a set of nodes for every byte; that work has a
 * budget, behind which the answer is unknown.
 *
 * A state is the set of nodes where a match may stand after the bytes so far, each one byte of the subject, an
 * assertion or a back-reference away from the next, and the kind of the last byte, for assertions. Assertions
 * are decided when the byte behind them is known. The nodes where a match may begin belong to every state and
 * are not stored. State 0 is the one before the first byte.
 */
import { type Alphabet, END_CLASS } from './alphabet.js';
import { has } from './byte-set.js';
import { AT_BEGIN, EDGE, holds, LINE_BEGIN, outerNeighbour } from './place.js';
import {
  ARGUMENT_SHIFT,
  ASSERT,
  BACKREF,
  CHAR,
  grown,
  KIND_MASK,
  LOOP,
  MATCH,
  type Program,
  SET,
  SPLIT,
} from './program.js';

/** Answers of `search`. */
export const NO_MATCH = 0;
export const MATCHES = 1;
export const UNKNOWN = -1;

/** In place of a transition's target row, all negative. */
const UNSET = -1;
const FOUND = -2;
const DEAD = -3; // nothing can match any more
const SPENT = -4; // the budget

const ROWS_MIN = 8;
const TRANSITIONS_MAX = 65_536; // ints
const STORED_NODES_MAX = 131_072; // ints; room for the largest set twice
const STORED_NODES_MIN = 64;
/** Nodes looked at in one search to make states. */
const BUDGET = 2_000_000;
/** What a state costs apart from its nodes, in nodes. */
const STEP_COST = 16;
/** What is kept of a state: end of its nodes, their hash, the neighbour, the next state with a like hash. */
const ROW_SIZE = 4;
const ROW_END = 0;
const ROW_HASH = 1;
const ROW_NEIGHBOUR = 2;
const ROW_LINK = 3;

/** A set of program nodes in order of arrival. Marked nodes are in it, or led to others that are. */
class NodeSet {
  nodes = new Int32Array(0);
  count = 0;
  hasMatch = false;
  #marks = new Int32Array(0);
  #mark = 0;

  /** Empties the set and makes room for `size` nodes. */
  clear(size: number): void {
    this.count = 0;
    this.hasMatch = false;
    if (size > this.nodes.length) {
      this.nodes = new Int32Array(size);
      this.#marks = new Int32Array(size);
    }
    if (++this.#mark === 0x7fff_ffff) {
      this.#marks.fill(0);
      this.#mark = 1;
    }
  }

  isMarked(node: number): boolean {
    return this.#marks[node] === this.#mark;
  }

  /** @returns Whether it was not marked before. */
  mark(node: number): boolean {
    if (this.#marks[node] === this.#mark) return false;
    this.#marks[node] = this.#mark;
    return true;
  }
}

/** Shared by all automata of a thread: a step is over before the next one begins. */
const current = new NodeSet();
const following = new NodeSet();
let stack = new Int32Array(0);
let spent = 0;

export class Automaton {
  readonly #program: Program;
  readonly #alphabet: Alphabet;
  readonly #size: number; // nodes
  readonly #width: number; // transitions in a row
  readonly #rowsMax: number;
  /** Where a match may begin. */
  readonly #starts: Int32Array;
  readonly #matchesAlways: boolean;
  /** A match begins with the subject. */
  readonly #isAnchored: boolean;
  #rowCount = 0;
  #transitions = new Int32Array(0);
  #rows = new Int32Array(0);
  #buckets = new Int32Array(0);
  #nodes = new Int32Array(STORED_NODES_MIN);

  constructor(program: Program, alphabet: Alphabet) {
    this.#program = program;
    this.#alphabet = alphabet;
    this.#size = program.op.length;
    this.#width = alphabet.count;
    this.#rowsMax = Math.floor(TRANSITIONS_MAX / this.#width);
    following.clear(this.#size);
    this.#reach(following, program.entry);
    this.#matchesAlways = following.hasMatch;
    this.#starts = following.nodes.slice(0, following.count);
    const atBegin = program.newline ? AT_BEGIN : LINE_BEGIN;
    this.#isAnchored = this.#starts.every(node => {
      const op = program.op[node]!;
      return (op & KIND_MASK) === ASSERT && ((op >>> ARGUMENT_SHIFT) & ~atBegin) === 0;
    });
    this.#growRows(ROWS_MIN);
    this.#restart();
  }

  /** Looks for a match anywhere in `bytes` from `at` to `end`, or up to a NUL before. @returns MATCHES, NO_MATCH, UNKNOWN. */
  search(bytes: Uint8Array, at: number, end: number): number {
    if (this.#matchesAlways) return MATCHES;
    spent = 0;
    const { classOf } = this.#alphabet;
    let transitions = this.#transitions;
    let row = 0;
    for (let i = at; i < end; i++) {
      const cls = classOf[bytes[i]!]!;
      let target = transitions[row + cls]!;
      if (target < 0) {
        if (target === UNSET) target = this.#step(row, cls);
        if (target < 0) return answerOf(target);
        transitions = this.#transitions;
      }
      row = target;
    }
    const last = transitions[row + END_CLASS]!;
    return answerOf(last === UNSET ? this.#step(row, END_CLASS) : last);
  }

  /** Computes a transition and keeps it. @returns The target's place in `#transitions`, or FOUND, DEAD, SPENT. */
  #step(row: number, cls: number): number {
    if ((spent += STEP_COST) > BUDGET) return SPENT;
    const index = row / this.#width;
    const isFound = this.#move(index, cls);
    let target: number;
    if (isFound) target = FOUND;
    else if (cls === END_CLASS || (this.#isAnchored && following.count === 0)) target = DEAD;
    else {
      const neighbour = this.#program.hasAssertions ? this.#alphabet.neighbourOf[cls]! : EDGE;
      const found = this.#find(neighbour);
      if (found < 0) {
        const rowCount = this.#rowCount;
        const added = this.#add(neighbour) * this.#width;
        if (this.#rowCount <= rowCount) return added; // all rows are new: the one we came from is gone
        target = added;
      } else target = found * this.#width;
    }
    this.#transitions[row + cls] = target;
    return target;
  }

  /** Fills `following` with the nodes that a byte of class `cls` leads to. @returns Whether that is a match. */
  #move(index: number, cls: number): boolean {
    const { newline } = this.#program;
    const before = this.#rows[index * ROW_SIZE + ROW_NEIGHBOUR]!;
    const after = this.#alphabet.neighbourOf[cls]!;
    const outerAfter = outerNeighbour(after, newline);
    following.clear(this.#size);
    if (this.#advance(index, cls, before, outerAfter)) return true;
    if (following.hasMatch || outerAfter === after) return following.hasMatch;
    // A match may not end here, but one that goes on sees its own newline.
    this.#advance(index, cls, before, after);
    return following.hasMatch;
  }

  /** Adds to `following`, where assertions see `before` and `after`. @returns Whether a match ends before the byte. */
  #advance(index: number, cls: number, before: number, after: number): boolean {
    current.clear(this.#size);
    const to = this.#rows[index * ROW_SIZE + ROW_END]!;
    for (let i = this.#nodesAt(index); i < to; i++) addNode(this.#nodes[i]!);
    this.#consume(0, cls, before, after);
    if (index !== 0 && this.#isAnchored) return current.hasMatch;
    const { count } = current;
    for (let i = 0; i < this.#starts.length; i++) addNode(this.#starts[i]!);
    this.#consume(count, cls, outerNeighbour(before, this.#program.newline), after);
    return current.hasMatch;
  }

  /** Goes on from the nodes of `current` from `from` on, and those that assertions add to them. */
  #consume(from: number, cls: number, before: number, after: number): void {
    const { op, next, sets } = this.#program;
    const byte = this.#alphabet.byteOf[cls]!;
    for (let i = from; i < current.count; i++) {
      const node = current.nodes[i]!;
      const kind = op[node]! & KIND_MASK;
      const argument = op[node]! >>> ARGUMENT_SHIFT;
      if (kind === ASSERT) {
        if (holds(argument, before, after)) this.#reach(current, next[node]!);
      } else if (cls === END_CLASS) continue;
      else if (kind === CHAR) {
        if (argument === byte) this.#reach(following, next[node]!);
      } else if (kind === SET) {
        if (has(sets[argument]!, byte)) this.#reach(following, next[node]!);
      } else this.#reach(following, node); // BACKREF
    }
    spent += current.count - from;
  }

  /**
   * Adds `from` to `set`, or the nodes that it leads to without a byte. A back-reference is taken for any
   * bytes whatever, so that with them a match is only a possible one.
   */
  #reach(set: NodeSet, from: number): void {
    const { op, next } = this.#program;
    if (stack.length <= this.#size) stack = new Int32Array(this.#size + 1);
    let depth = 1;
    stack[0] = from;
    while (depth > 0) {
      const node = stack[--depth]!;
      spent++;
      if (!set.mark(node)) continue;
      const kind = op[node]! & KIND_MASK;
      if (kind <= ASSERT || kind === BACKREF) set.nodes[set.count++] = node;
      if (kind === MATCH) set.hasMatch = true;
      else if (kind > MATCH) {
        if (kind === SPLIT || kind === LOOP) stack[depth++] = op[node]! >>> ARGUMENT_SHIFT;
        stack[depth++] = next[node]!;
      }
    }
  }

  #nodesAt(index: number): number {
    return index === 0 ? 0 : this.#rows[(index - 1) * ROW_SIZE + ROW_END]!;
  }

  /** @returns Index of the row for `following` and `neighbour`, negative when there is none. */
  #find(neighbour: number): number {
    const hash = this.#hash(neighbour);
    let index = this.#buckets[hash & (this.#buckets.length - 1)]!;
    while (index >= 0) {
      const row = index * ROW_SIZE;
      if (this.#rows[row + ROW_HASH] === hash && this.#rows[row + ROW_NEIGHBOUR] === neighbour) {
        if (this.#holdsFollowing(index)) return index;
      }
      index = this.#rows[row + ROW_LINK]!;
    }
    return index;
  }

  #holdsFollowing(index: number): boolean {
    const from = this.#nodesAt(index);
    const to = this.#rows[index * ROW_SIZE + ROW_END]!;
    if (to - from !== following.count) return false;
    for (let i = from; i < to; i++) if (!following.isMarked(this.#nodes[i]!)) return false;
    return true;
  }

  /** The same for any order of the nodes. */
  #hash(neighbour: number): number {
    let hash = neighbour;
    for (let i = 0; i < following.count; i++) {
      const mixed = Math.imul(following.nodes[i]! + 1, 0x9e37_79b1);
      hash = (hash + (mixed ^ (mixed >>> 15))) | 0;
    }
    return hash;
  }

  /** Makes a row of `following`, after emptying the cache if it is full. @returns Its index. */
  #add(neighbour: number): number {
    const { count } = following;
    if (this.#rowCount === this.#rowsMax || this.#nodesAt(this.#rowCount) + count > STORED_NODES_MAX)
      this.#restart();
    if ((this.#rowCount + 1) * ROW_SIZE > this.#rows.length)
      this.#growRows(Math.min(this.#rowsMax, this.#rowCount * 2));
    const from = this.#nodesAt(this.#rowCount);
    const to = from + count;
    if (to > this.#nodes.length) {
      this.#nodes = grown(this.#nodes, Math.min(STORED_NODES_MAX, Math.max(to, this.#nodes.length * 2)));
    }
    for (let i = 0; i < count; i++) this.#nodes[from + i] = following.nodes[i]!;
    return this.#addRow(to, this.#hash(neighbour), neighbour);
  }

  #addRow(end: number, hash: number, neighbour: number): number {
    const index = this.#rowCount++;
    const row = index * ROW_SIZE;
    this.#rows[row + ROW_END] = end;
    this.#rows[row + ROW_HASH] = hash;
    this.#rows[row + ROW_NEIGHBOUR] = neighbour;
    this.#link(index);
    this.#transitions.fill(UNSET, index * this.#width, (index + 1) * this.#width);
    return index;
  }

  #link(index: number): void {
    const row = index * ROW_SIZE;
    const bucket = this.#rows[row + ROW_HASH]! & (this.#buckets.length - 1);
    this.#rows[row + ROW_LINK] = this.#buckets[bucket]!;
    this.#buckets[bucket] = index;
  }

  #growRows(count: number): void {
    this.#transitions = grown(this.#transitions, count * this.#width);
    this.#rows = grown(this.#rows, count * ROW_SIZE);
    this.#buckets = new Int32Array(1 << (32 - Math.clz32(count - 1))).fill(-1);
    for (let index = 0; index < this.#rowCount; index++) this.#link(index);
  }

  /** Empties the cache but for state 0: no nodes but those where a match begins, and the edge before. */
  #restart(): void {
    this.#rowCount = 0;
    this.#buckets.fill(-1);
    this.#addRow(0, EDGE, EDGE);
  }
}

function addNode(node: number): void {
  if (current.mark(node)) current.nodes[current.count++] = node;
}

function answerOf(target: number): number {
  if (target === FOUND) return MATCHES;
  return target === DEAD ? NO_MATCH : UNKNOWN;
}
