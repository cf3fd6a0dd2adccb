/**
 * The way that a context describes: from a bin's list or map down to the container that an operation is meant for.
 * Source: protocol 13, sections 1 to 3, and the recorded answers.
 *
 *   93 cc ff | 94  10 00  22 a2 03 61 | 92 01 05     element 0 of the list, of that the value of key "a": append 5
 *
 * A path only finds: it copies nothing, and keeps what is needed to put a changed container back (context-splice.ts).
 */
import { OK, OP_NOT_APPLICABLE, PARAMETER } from '../../base/result.js';
import { Comparable } from '../msgpack/comparable.js';
import { compare } from '../msgpack/compare.js';
import { DEPTH_MAX, Element, INT, LIST, MAP, NEGATIVE_INT, nextOf, sizeOf } from '../msgpack/element.js';
import { countScan } from './compared.js';
import { Container } from './container.js';
import { Order } from './order.js';
import { singleIndex } from './range.js';
import { search } from './rank.js';

/** Bits of an item's type. */
const BASE_MASK = 0x0f;
const BASE_INDEX = 0; // 1 is rank
const BASE_KEY = 2;
const BASE_VALUE = 3;
const LIST_ITEM = 0x10;
const MAP_ITEM = 0x20;
const CONTAINER_MASK = LIST_ITEM | MAP_ITEM;
/** What to create where there is nothing; the first means the same order for lists and maps. */
export const CREATE_MASK = 0xc0;
export const CREATE_PADDED = 0x80; // on a list item; on a map item: in key order
export const CREATE_ORDERED = 0xc0; // on a list item; on a map item: in key and value order
/** The created container keeps its index: first item only. 0x200, AND of a path, is of no use here. */
export const CREATE_PERSISTED = 0x100;
const TYPE_MAX = 0x1ff;

/** What `locate` says besides a result code. */
const FOUND = 0;
const NOT_FOUND = -1;

const element = new Element();
const number = new Element();
const order = new Order();
const sought = new Comparable();

export class ContextPath {
  itemCount = 0;
  readonly types = new Int32Array(DEPTH_MAX);
  /** The value of item k lies from valueAt[k] up to valueEnd[k] in the operation's body. */
  readonly valueAt = new Int32Array(DEPTH_MAX);
  readonly valueEnd = new Int32Array(DEPTH_MAX);
  body: Uint8Array = new Uint8Array(0);

  /** Containers on the way that are there, the outermost first. The one that the operation is meant for is none of them. */
  depth = 0;
  readonly contentAt = new Int32Array(DEPTH_MAX);
  readonly end = new Int32Array(DEPTH_MAX);
  readonly isOrderedList = new Uint8Array(DEPTH_MAX);
  /** The element of each through which the way goes on, without its key. */
  readonly childAt = new Int32Array(DEPTH_MAX);
  readonly childEnd = new Int32Array(DEPTH_MAX);

  /** The item that found nothing and asks for creation, or -1. */
  createFrom = -1;
  /** The last container on the way, as it is open: the one that gets a new element when something is created. */
  readonly last = new Container();
  /** Header of the outermost container, and how many elements it has. */
  topType = LIST;
  topFlags = 0;
  topCount = 0;

  /**
   * Reads the context at `at`. @returns Where it ends, or -1 when it is no list of types and values.
   */
  decode(body: Uint8Array, at: number, end: number): number {
    let p = element.read(body, at, end);
    if (p < 0 || element.type !== LIST || element.count === 0 || element.count % 2 !== 0) return -1;
    const count = element.count / 2;
    this.body = body;
    this.itemCount = Math.min(count, DEPTH_MAX);
    for (let k = 0; k < count; k++) {
      p = number.read(body, p, end);
      if (p < 0 || (number.type !== INT && number.type !== NEGATIVE_INT)) return -1;
      const isKnown = number.high === 0 && number.low <= TYPE_MAX;
      const size = sizeOf(body, p, end);
      if (size < 0) return -1;
      if (k < DEPTH_MAX) {
        this.types[k] = isKnown ? number.low : -1;
        this.valueAt[k] = p;
        this.valueEnd[k] = p + size;
      }
      p += size;
    }
    // Nothing stored is as deep as that, and nothing may become so.
    if (count > DEPTH_MAX) this.types[DEPTH_MAX - 1] = -1;
    return p;
  }

  /** Whether item k makes what it does not find. */
  creates(k: number): boolean {
    const type = this.types[k]!;
    return type >= 0 && (type & CREATE_MASK) !== 0 && createdType(type) !== 0;
  }

  /**
   * Follows the way in the list or map at `at`. Afterwards the element that was looked for is the last one's child,
   * or `createFrom` says where the way ends.
   * @param canCreate whether a missing element may be made.
   * @returns OK, OP_NOT_APPLICABLE, or PARAMETER when the bytes are no list or map.
   */
  resolve(bytes: Uint8Array, at: number, end: number, canCreate: boolean): number {
    const { last } = this;
    this.depth = 0;
    this.createFrom = -1;
    if (!last.open(bytes, at, end)) return PARAMETER;
    this.topType = last.type;
    this.topFlags = last.flags;
    this.topCount = last.count;
    for (let k = 0; ; ) {
      const level = this.depth++;
      this.contentAt[level] = last.contentAt;
      this.end[level] = last.end;
      this.isOrderedList[level] = last.type === LIST && last.isOrdered ? 1 : 0;
      const code = this.#locate(k, level);
      if (code === NOT_FOUND) {
        if (!canCreate || !this.creates(k)) return OP_NOT_APPLICABLE;
        this.createFrom = k;
        return OK;
      }
      if (code !== FOUND) return code;
      if (++k === this.itemCount) return OK;
      if (!last.open(bytes, this.childAt[level]!, this.childEnd[level]!)) return OP_NOT_APPLICABLE;
    }
  }

  /** Lets go of the bytes. */
  close(): void {
    this.last.close();
    sought.release();
    order.release();
  }

  /** The integer that is the value of item k, far out when it does not fit a double; NaN when it is none. */
  index(k: number): number {
    element.read(this.body, this.valueAt[k]!, this.valueEnd[k]!);
    if (element.type === INT) return element.high === 0 ? element.low : Number.MAX_SAFE_INTEGER;
    if (element.type !== NEGATIVE_INT) return Number.NaN;
    return element.high === 0xffff_ffff ? element.low - 0x1_0000_0000 : Number.MIN_SAFE_INTEGER;
  }

  /** Finds what item k picks of `last`, as `childAt` and `childEnd` of this level. @returns FOUND, NOT_FOUND or a code. */
  #locate(k: number, level: number): number {
    const { last } = this;
    const type = this.types[k]!;
    if (checkItem(type, k, last.type) !== OK) return OP_NOT_APPLICABLE;
    const base = type & BASE_MASK;
    if (base === BASE_KEY || base === BASE_VALUE) {
      if (base === BASE_KEY) return this.#locateKey(k, level);
      return this.#locateValue(k, level);
    }
    const sent = this.index(k);
    if (Number.isNaN(sent)) return PARAMETER;
    const place = singleIndex(sent, last.count);
    if (place < 0) return NOT_FOUND;
    return this.#take(level, base === BASE_INDEX ? place : order.elementAt(last, place));
  }

  #take(level: number, index: number): number {
    const { last } = this;
    const at = index < 0 ? -1 : last.valueOf(index);
    const next = at < 0 ? -1 : last.offsetOf(index + 1);
    if (next < at || next < 0) return OP_NOT_APPLICABLE;
    this.childAt[level] = at;
    this.childEnd[level] = next;
    return FOUND;
  }

  #locateKey(k: number, level: number): number {
    const { last, body } = this;
    const at = this.valueAt[k]!;
    const end = this.valueEnd[k]!;
    if (last.tableAt >= 0 && last.isOrdered) {
      const index = search(last, body, at, end, false);
      if (index < 0 || index >= last.count) return NOT_FOUND;
      if (compare(last.bytes, last.offsetOf(index), last.end, body, at, end) !== 0) return NOT_FOUND;
      return this.#take(level, index);
    }
    let p = last.contentAt;
    for (let n = 0; n < last.count; n++) {
      const difference = compare(last.bytes, p, last.end, body, at, end);
      if (difference > 0 && last.isOrdered) return NOT_FOUND;
      const valueAt = nextOf(last.bytes, p, last.end);
      p = nextOf(last.bytes, valueAt, last.end);
      if (valueAt < 0 || p < 0) return OP_NOT_APPLICABLE;
      if (difference !== 0) continue;
      countScan(p - last.contentAt, n);
      this.childAt[level] = valueAt;
      this.childEnd[level] = p;
      return FOUND;
    }
    countScan(last.contentSize, last.count);
    return NOT_FOUND;
  }

  /** The first element that is equal to the value. */
  #locateValue(k: number, level: number): number {
    const { last } = this;
    const isMap = last.type === MAP;
    sought.read(this.body, this.valueAt[k]!, this.valueEnd[k]!);
    let p = last.contentAt;
    for (let n = 0; n < last.count; n++) {
      if (isMap) p = nextOf(last.bytes, p, last.end);
      const next = p < 0 ? -1 : nextOf(last.bytes, p, last.end);
      if (next < 0) return OP_NOT_APPLICABLE;
      if (compare(last.bytes, p, last.end, sought.bytes, sought.at, sought.end) === 0) {
        countScan(p - last.contentAt, n);
        this.childAt[level] = p;
        this.childEnd[level] = next;
        return FOUND;
      }
      p = next;
    }
    countScan(last.contentSize, last.count);
    return NOT_FOUND;
  }
}

/** Whether an item of type `type`, the k-th of its context, picks something of a LIST or MAP. */
export function checkItem(type: number, k: number, container: number): number {
  if (type < 0 || (type >= CREATE_PERSISTED && k > 0)) return OP_NOT_APPLICABLE;
  const kind = type & CONTAINER_MASK;
  const base = type & BASE_MASK;
  if (kind === CONTAINER_MASK || base > BASE_VALUE) return OP_NOT_APPLICABLE;
  if (kind === 0 && type !== base) return OP_NOT_APPLICABLE;
  if (kind !== 0 && kind !== (container === LIST ? LIST_ITEM : MAP_ITEM)) return OP_NOT_APPLICABLE;
  return container === LIST && base === BASE_KEY ? OP_NOT_APPLICABLE : OK;
}

/** The container that an item of a creating context makes, LIST or MAP; 0 when it can make none. */
export function createdType(type: number): number {
  const kind = type & CONTAINER_MASK;
  const base = type & BASE_MASK;
  if (kind === LIST_ITEM && base === BASE_INDEX) return LIST;
  return kind === MAP_ITEM && base === BASE_KEY ? MAP : 0;
}
