/**
 * Modifying by a path: each leaf that is taken gets a computed value, or is removed; everything else is copied.
 * Source: protocol 13, section 4.3.
 */
import { copyBytes } from '../base/copy.js';
import { INCOMPATIBLE_TYPE, OK, PARAMETER, RECORD_TOO_BIG, UNKNOWN as UNKNOWN_CODE } from '../base/result.js';
import { Container } from '../data/cdt/container.js';
import { writeIndexed } from '../data/cdt/index-writer.js';
import { Order } from '../data/cdt/order.js';
import { indexedSize } from '../data/cdt/persisted-index.js';
import { Element, LIST, MAP, ORDERED, PERSIST_INDEX } from '../data/msgpack/element.js';
import { normaliseElement, REJECTED } from '../data/msgpack/normalise.js';
import type { ValueOp } from '../data/value-op.js';
import { type LoopEntry, type Machine, REMOVE, TRUE } from './machine.js';
import type { PathOutput } from './path-output.js';
import { type PathWalk, setEntry, TAKEN } from './path-walk.js';
import * as type from './value-type.js';

/** What a changed list or map may grow to, bytes; records end long before. */
const OUTPUT_MAX = 128 * 1024 * 1024;

const element = new Element();
const unsorted = new Container();
const order = new Order();

/** What `put` returns beside negative codes. */
const UNTOUCHED = 0;
const TOUCHED = 1;

/** Runs a modifying path on a list or map. @returns OK or a code. */
export function apply(m: Machine, op: ValueOp, walk: PathWalk): number {
  const { bytes, at, size } = op.target;
  const { output } = walk;
  const touched = rebuild(m, walk, 0, bytes, at, at + size);
  if (touched < 0) return -touched;
  if (touched === UNTOUCHED) return OK;
  const stored = indexedSize(output.bytes, 0, output.at);
  const outAt = op.scratch.take(stored);
  if (stored === output.at) copyBytes(op.scratch.bytes, outAt, output.bytes, 0, stored);
  else writeIndexed(output.bytes, 0, output.at, op.scratch.bytes, outAt);
  op.changed.set(op.target.type, op.scratch.bytes, outAt, stored);
  op.isChanged = true;
  return OK;
}

/** Writes the container at `at` as it is afterwards. @returns TOUCHED, UNTOUCHED or a negative code. */
function rebuild(
  m: Machine,
  walk: PathWalk,
  depth: number,
  bytes: Uint8Array,
  at: number,
  end: number,
): number {
  const { output } = walk;
  const entered = walk.enter(m, depth, bytes, at, end);
  if (entered !== OK) return -entered;
  const level = walk.level(depth);
  const { container, entry } = level;
  const isLeaf = walk.isLeaf(depth);
  const contentAt = output.open();
  let count = 0;
  let result = UNTOUCHED;
  let p = container.contentAt;
  for (let k = 0; k < container.count; k++) {
    const entryAt = p;
    p = setEntry(level, p, k);
    if (p < 0) return -PARAMETER;
    const taken = walk.takes(m, level, k);
    if (taken < 0) return taken;
    const { valueAt, valueEnd } = entry;
    const mark = output.at;
    let put = UNTOUCHED;
    if (taken === TAKEN) {
      if (entry.keyAt >= 0) output.copy(bytes, entry.keyAt, entry.keyEnd);
      if (isLeaf) put = putLeaf(m, walk, entry);
      else if (isContainer(bytes, valueAt, valueEnd))
        put = rebuild(m, walk, depth + 1, bytes, valueAt, valueEnd);
      if (put < 0) return put;
    }
    if (put === UNTOUCHED) {
      output.at = mark;
      output.copy(bytes, entryAt, p);
    } else result = TOUCHED;
    if (put === REMOVE) output.at = mark;
    else count++;
    if (output.at > OUTPUT_MAX) return -RECORD_TOO_BIG;
  }
  let { flags } = container;
  if (count === 0 && container.type === LIST) flags &= ~PERSIST_INDEX;
  const writtenAt = output.close(contentAt, container.type, count, flags);
  if (result === TOUCHED && container.type === LIST && (flags & ORDERED) !== 0) sort(output, writtenAt);
  return result;
}

/** Writes the new value of a leaf. @returns TOUCHED, UNTOUCHED, REMOVE or a negative code. */
function putLeaf(m: Machine, walk: PathWalk, entry: LoopEntry): number {
  const { output, path } = walk;
  const { top } = m;
  const mark = m.scratch.take(0);
  const value = m.take();
  const known = m.evaluate(path.modifier!, undefined, entry, m.scratch, value);
  let put: number;
  if (known === REMOVE) put = REMOVE;
  else if (known !== TRUE) put = path.isNoFail ? UNTOUCHED : -UNKNOWN_CODE;
  else {
    const sizeMax = value.elementSizeMax();
    if (!m.spend(sizeMax)) put = -RECORD_TOO_BIG;
    else {
      output.reserve(sizeMax);
      const size =
        value.type === type.LIST || value.type === type.MAP
          ? normaliseElement(value.bytes, value.at, value.at + value.size, output.bytes, output.at)
          : value.writeElement(output.bytes, output.at);
      if (size === REJECTED) put = -INCOMPATIBLE_TYPE;
      else {
        output.at += size;
        put = TOUCHED;
      }
    }
  }
  m.top = top;
  m.scratch.trim(mark);
  return put;
}

/** Puts the elements of the list that was just written to `listAt` in order. */
function sort(output: PathOutput, listAt: number): void {
  if (!unsorted.open(output.bytes, listAt, output.at)) return;
  order.clear();
  if (order.sortByValue(unsorted)) {
    const { contentAt, contentSize, count } = unsorted;
    output.reserve(contentSize);
    const from = output.at;
    for (let rank = 0; rank < count; rank++) {
      const index = order.indexAt(rank);
      output.copy(unsorted.bytes, unsorted.offsetOf(index), unsorted.offsetOf(index + 1));
    }
    output.bytes.copyWithin(contentAt, from, from + contentSize);
    output.at = from;
  }
  order.clear();
  order.release();
  unsorted.close();
}

function isContainer(bytes: Uint8Array, at: number, end: number): boolean {
  element.read(bytes, at, end);
  return element.type === LIST || element.type === MAP;
}
