/** Walking down a path: which entries of a list or map the item of its level takes. Source: protocol 13, section 4.2. */
import { INCOMPATIBLE_TYPE, OK, PARAMETER } from '../base/result.js';
import { Container } from '../data/cdt/container.js';
import { Order } from '../data/cdt/order.js';
import { singleIndex } from '../data/cdt/range.js';
import { search } from '../data/cdt/rank.js';
import { compare } from '../data/msgpack/compare.js';
import { LIST, nextOf } from '../data/msgpack/element.js';
import { LoopEntry, type Machine, TRUE } from './machine.js';
import { BY_EXPRESSION, BY_INDEX, BY_KEY, BY_KEYS, BY_RANK, Path, type PathItem } from './path-item.js';
import { PathOutput } from './path-output.js';
import type { Program } from './program.js';
import type { Value } from './value.js';

/** What `takes` returns beside negative result codes. */
export const NOT_TAKEN = 0;
export const TAKEN = 1;

const order = new Order();

/** Where one level of a walk stands. */
export class PathLevel {
  readonly container = new Container();
  readonly entry = new LoopEntry();
  item!: PathItem;
  /** The entries that come into question: from this one on, up to the other. */
  from = 0;
  to = 0;
}

/** One walk. Expressions on the way can walk paths of their own, so there is one of these for each depth of that. */
export class PathWalk {
  readonly path = new Path();
  readonly output = new PathOutput();
  readonly #levels: PathLevel[] = [];

  level(depth: number): PathLevel {
    let level = this.#levels[depth];
    if (level === undefined) {
      level = new PathLevel();
      this.#levels.push(level);
    }
    level.item = this.path.items[depth]!;
    return level;
  }

  isLeaf(depth: number): boolean {
    return depth === this.path.count - 1;
  }

  /**
   * Opens the container at a level and finds which of its entries can be taken at all.
   * @returns OK or a code; with NO_FAIL an item that does not fit the container takes nothing.
   */
  enter(m: Machine, depth: number, bytes: Uint8Array, at: number, end: number): number {
    const level = this.level(depth);
    const { container, item } = level;
    if (!container.open(bytes, at, end)) return INCOMPATIBLE_TYPE;
    if (!m.spend(end - at)) return PARAMETER;
    level.from = 0;
    level.to = container.count;
    const isList = container.type === LIST;
    const isFitting =
      (isList ? item.isForList : item.isForMap) &&
      !(isList && (item.kind === BY_KEY || item.kind === BY_KEYS));
    if (!isFitting) {
      level.to = 0;
      return this.path.isNoFail ? OK : PARAMETER;
    }
    if (item.kind === BY_INDEX) only(level, singleIndex(item.index, container.count));
    else if (item.kind === BY_RANK) only(level, indexOfRank(container, item.index));
    else if (item.kind === BY_KEY && container.isOrdered) {
      only(level, indexOfKey(container, this.path.bytes, item.at, item.end));
    }
    return OK;
  }

  /** Whether entry `index`, which is set in the level's loop variables, is taken. @returns TAKEN, NOT_TAKEN or a negative code. */
  takes(m: Machine, level: PathLevel, index: number): number {
    if (index < level.from || index >= level.to) return NOT_TAKEN;
    const { item, entry } = level;
    const { path } = this;
    const { bytes } = entry;
    switch (item.kind) {
      case BY_INDEX:
      case BY_RANK: {
        const isTrue = item.filter === undefined || this.#ask(m, item.filter, entry) === TAKEN;
        return isTrue ? TAKEN : NOT_TAKEN; // unknown is false here
      }
      case BY_EXPRESSION:
        return this.#ask(m, item.program!, entry);
      case BY_KEY:
        if (compare(bytes, entry.keyAt, entry.keyEnd, path.bytes, item.at, item.end) !== 0) return NOT_TAKEN;
        break;
      case BY_KEYS:
        if (!isAmong(item, path.bytes, entry)) return NOT_TAKEN;
        break;
      default: // BY_VALUE
        if (compare(bytes, entry.valueAt, entry.valueEnd, item.bytes, item.at, item.end) !== 0)
          return NOT_TAKEN;
    }
    return item.filter === undefined ? TAKEN : this.#ask(m, item.filter, entry);
  }

  /** Gives back what large containers needed. */
  close(): void {
    for (const level of this.#levels) level.container.close();
    this.output.start();
  }

  #ask(m: Machine, program: Program, entry: LoopEntry): number {
    const { top } = m;
    const value = m.take();
    const answer = evaluateHere(m, program, entry, value);
    m.top = top;
    if (answer === TRUE) return value.low === 0 ? NOT_TAKEN : TAKEN;
    return this.path.isNoFail ? NOT_TAKEN : -PARAMETER;
  }
}

/** Evaluates an expression on an entry; what that takes of the scratch memory is given back. @returns As `Machine.evaluate`. */
function evaluateHere(m: Machine, program: Program, entry: LoopEntry, value: Value): number {
  const mark = m.scratch.take(0);
  const known = m.evaluate(program, undefined, entry, m.scratch, value);
  m.scratch.trim(mark);
  return known;
}

/** Sets the loop variables to the entry that starts at `at`, number `index`. @returns Where the next one starts, or -1. */
export function setEntry(level: PathLevel, at: number, index: number): number {
  const { container, entry } = level;
  const { bytes, end } = container;
  entry.bytes = bytes;
  if (container.type === LIST) {
    entry.keyAt = -1;
    entry.index = index;
    entry.valueAt = at;
  } else {
    entry.keyAt = at;
    entry.keyEnd = nextOf(bytes, at, end);
    entry.index = -1;
    entry.valueAt = entry.keyEnd;
    if (entry.keyEnd < 0) return -1;
  }
  entry.valueEnd = nextOf(bytes, entry.valueAt, end);
  return entry.valueEnd;
}

function only(level: PathLevel, index: number): void {
  level.from = index;
  level.to = index < 0 ? index : index + 1;
}

/** @returns The element or pair of that rank, or -1. */
function indexOfRank(container: Container, rank: number): number {
  const resolved = singleIndex(rank, container.count);
  if (resolved < 0) return -1;
  const index = order.elementAt(container, resolved);
  order.clear();
  order.release();
  return index;
}

/** @returns The pair with that key in a map in key order, or -1. */
function indexOfKey(container: Container, bytes: Uint8Array, at: number, end: number): number {
  const index = search(container, bytes, at, end, false);
  if (index < 0 || index >= container.count) return -1;
  const own = container.offsetOf(index);
  return own >= 0 && compare(container.bytes, own, container.end, bytes, at, end) === 0 ? index : -1;
}

/** Whether an entry's key is one of the item's. */
function isAmong(item: PathItem, bytes: Uint8Array, entry: LoopEntry): boolean {
  let low = 0;
  let high = item.keyAt.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const answer = compare(bytes, item.keyAt[middle]!, item.end, entry.bytes, entry.keyAt, entry.keyEnd);
    if (answer === 0) return true;
    if (answer < 0) low = middle + 1;
    else high = middle;
  }
  return false;
}
