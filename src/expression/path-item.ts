/**
 * A path, decoded: what to take on each level of a nested list or map. Source: protocol 13, sections 1 and 4.
 *
 *   [0xfe, [item, value, item, value …], mode | flags, (modifier)]
 */
import { OK, PARAMETER } from '../base/result.js';
import type { Scratch } from '../base/scratch.js';
import { holdsPairs } from '../data/msgpack/comparable.js';
import { compare } from '../data/msgpack/compare.js';
import { Element, INT, LIST, NEGATIVE_INT, ORDERED, sizeOf } from '../data/msgpack/element.js';
import { normaliseCompared } from '../data/msgpack/normalise.js';
import type { ValueOp } from '../data/value-op.js';
import type { ProgramSource } from './machine.js';
import type { Program } from './program.js';
import { BOOL } from './value-type.js';

/** First element of a body that is a path. */
export const PATH = 0xfe;

/** What an item takes, its low bits. */
export const BY_INDEX = 0;
export const BY_RANK = 1;
export const BY_KEY = 2;
export const BY_VALUE = 3;
export const BY_EXPRESSION = 4;
export const BY_KEYS = 10;
/** Which container an item is for; neither bit: whichever is there. */
const FOR_LIST = 0x10;
const FOR_MAP = 0x20;
/** An item that filters what the one before it takes. */
const AND_FILTER = 0x204;
const KEYS_ITEM = FOR_MAP | BY_KEYS;

/** What comes of the leaves. */
export const MODE_TREE = 0;
export const MODE_VALUES = 1;
export const MODE_KEYS = 2;
export const MODE_KEYS_AND_VALUES = 3;
export const MODE_APPLY = 4;
const MODE_MASK = 0x0f;
const NO_FAIL = 0x10;

const ITEM_COUNT_MAX = 64;

const element = new Element();

/** One level of a path. */
export class PathItem {
  kind = BY_INDEX;
  isForList = true;
  isForMap = true;
  /** Index or rank. */
  index = 0;
  /** Key or list of keys: an element in the body. Value: one in the form in which it is compared. */
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  end = 0;
  /** Of BY_EXPRESSION. */
  program: Program | undefined = undefined;
  /** What an entry has to satisfy besides. */
  filter: Program | undefined = undefined;
  /** Of BY_KEYS: where the keys are, in their order. */
  keyAt = new Uint32Array(0);
}

export class Path {
  bytes: Uint8Array = new Uint8Array(0);
  readonly items: PathItem[] = [];
  /** Levels: the first `count` of the items. */
  count = 0;
  mode = MODE_TREE;
  /** Entries that a path makes no sense for are left out or alone, instead of ending it all. */
  isNoFail = false;
  /** Of MODE_APPLY: computes the new value of a leaf. */
  modifier: Program | undefined = undefined;
  #at = 0;
  #end = 0;

  /** Decodes an operation's body. @returns OK or PARAMETER. */
  decode(op: ValueOp, programs: ProgramSource): number {
    this.bytes = op.bytes;
    this.count = 0;
    this.modifier = undefined;
    this.#end = op.end;
    if (sizeOf(op.bytes, op.at, op.end) !== op.end - op.at) return PARAMETER;
    this.#at = element.read(op.bytes, op.at, op.end);
    const argCount = element.count - 1;
    this.#next(); // PATH itself
    if (argCount < 2) return PARAMETER;
    const itemsAt = this.#at;
    this.#at += sizeOf(this.bytes, this.#at, this.#end);
    if (!isInt(this.#next()) || element.high !== 0) return PARAMETER;
    this.mode = element.low & MODE_MASK;
    this.isNoFail = (element.low & NO_FAIL) !== 0;
    if ((element.low & ~(MODE_MASK | NO_FAIL)) !== 0 || this.mode > MODE_APPLY) return PARAMETER;
    if (op.isModify !== (this.mode === MODE_APPLY)) return PARAMETER;
    if (argCount !== (this.mode === MODE_APPLY ? 3 : 2)) return PARAMETER;
    if (this.mode === MODE_APPLY) {
      this.modifier = programs.get(this.bytes, this.#at, this.#end - this.#at);
      if (this.modifier === undefined) return PARAMETER;
    }
    this.#at = itemsAt;
    return this.#decodeItems(programs, op.scratch) ? OK : PARAMETER;
  }

  #decodeItems(programs: ProgramSource, scratch: Scratch): boolean {
    if (this.#next() !== LIST || element.count === 0 || element.count % 2 !== 0) return false;
    const itemCount = element.count / 2;
    if (itemCount > ITEM_COUNT_MAX) return false;
    for (let k = 0; k < itemCount; k++) {
      if (this.#next() !== INT || element.high !== 0) return false;
      const type = element.low;
      const at = this.#at;
      const end = at + sizeOf(this.bytes, at, this.#end);
      this.#at = end;
      if (type === AND_FILTER) {
        const last = this.items[this.count - 1];
        if (this.count === 0 || last?.filter !== undefined || last?.kind === BY_EXPRESSION) return false;
        last!.filter = condition(programs, this.bytes, at, end);
        if (last!.filter === undefined) return false;
      } else if (!decodeItem(this.#add(), type, this.bytes, at, end, programs, scratch)) return false;
    }
    return true;
  }

  #add(): PathItem {
    let item = this.items[this.count];
    if (item === undefined) {
      item = new PathItem();
      this.items.push(item);
    }
    this.count++;
    item.program = undefined;
    item.filter = undefined;
    return item;
  }

  /** Reads the header of the next element. @returns Its type. */
  #next(): number {
    this.#at = element.read(this.bytes, this.#at, this.#end);
    return element.type;
  }
}

function decodeItem(
  item: PathItem,
  type: number,
  bytes: Uint8Array,
  at: number,
  end: number,
  programs: ProgramSource,
  scratch: Scratch,
): boolean {
  item.bytes = bytes;
  item.at = at;
  item.end = end;
  item.isForList = (type & FOR_MAP) === 0;
  item.isForMap = (type & FOR_LIST) === 0;
  item.kind = type & 0x0f;
  if (type === KEYS_ITEM) return decodeKeys(item, bytes);
  if (type === BY_EXPRESSION) {
    item.program = condition(programs, bytes, at, end);
    return item.program !== undefined;
  }
  if (item.kind > BY_VALUE || (type & ~0x0f & ~FOR_LIST & ~FOR_MAP) !== 0) return false;
  if (!item.isForList && !item.isForMap) return false;
  element.read(bytes, at, end);
  if (item.kind === BY_VALUE) makeComparable(item, scratch);
  if (item.kind > BY_RANK) return true;
  if (!isInt(element.type)) return false;
  const high = element.type === INT ? element.high : element.high | 0;
  item.index = high * 2 ** 32 + element.low;
  return true;
}

/** Gives an item's value the form in which it is compared, if that may be another: it lies in the scratch memory then. */
function makeComparable(item: PathItem, scratch: Scratch): void {
  if (!holdsPairs(item.bytes, item.at, item.end)) return;
  const at = scratch.take(item.end - item.at);
  const size = normaliseCompared(item.bytes, item.at, item.end, scratch.bytes, at);
  if (size < 0) return;
  item.bytes = scratch.bytes;
  item.at = at;
  item.end = at + size;
}

/** An expression that is true or false. */
function condition(programs: ProgramSource, bytes: Uint8Array, at: number, end: number): Program | undefined {
  const program = programs.get(bytes, at, end - at);
  return program?.type === BOOL ? program : undefined;
}

/** Reads and sorts a list of keys. One that says that it is in order has to be. */
function decodeKeys(item: PathItem, bytes: Uint8Array): boolean {
  let p = element.read(bytes, item.at, item.end);
  if (element.type !== LIST) return false;
  let { count } = element;
  let isOrdered = false;
  if (count > 0) {
    const next = element.read(bytes, p, item.end);
    if (element.isFlags) {
      isOrdered = (element.extType & ORDERED) !== 0;
      p = next;
      count--;
    }
  }
  const keyAt = new Uint32Array(count);
  let isSorted = true;
  for (let k = 0; k < count; k++) {
    keyAt[k] = p;
    if (k > 0 && compare(bytes, keyAt[k - 1]!, item.end, bytes, p, item.end) > 0) isSorted = false;
    p += sizeOf(bytes, p, item.end);
  }
  if (!isSorted) {
    if (isOrdered) return false;
    keyAt.sort((a, b) => compare(bytes, a, item.end, bytes, b, item.end));
  }
  item.keyAt = keyAt;
  return true;
}

function isInt(type: number): boolean {
  return type === INT || type === NEGATIVE_INT;
}
