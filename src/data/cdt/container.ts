/**
 * A stored list or map, opened for an operation: its header is decoded and the places of its elements are found
 * as they are asked for, from the index that the container carries or by walking. An instance is reused.
 *
 * An element here is an element of a list or a pair of a map; the flag element is none.
 */
import { Element, LIST, MAP, nextOf, ORDERED, VALUE_ORDERED } from '../msgpack/element.js';
import { offsetWidth, readOffset, tableSize } from './persisted-index.js';
import { walkElements, walkPairs } from './walk.js';

const NOTHING = new Uint8Array(0);
/** Offsets beyond this many are given back after use. */
const OFFSETS_KEPT = 1 << 18;

const element = new Element();

export class Container {
  /** LIST or MAP (element types). */
  type = LIST;
  bytes: Uint8Array = NOTHING;
  /** The header, and one past the last byte. */
  at = 0;
  end = 0;
  /** ORDERED, VALUE_ORDERED, PERSIST_INDEX as stored. */
  flags = 0;
  /** Elements of a list, pairs of a map. */
  count = 0;
  /** The first element; `end` in an empty one. */
  contentAt = 0;
  /** Where the persisted offsets lie, or -1. */
  tableAt = -1;
  /** Where the persisted value order lies, or -1. */
  orderAt = -1;
  #width = 0;
  #offsets = new Uint32Array(64);
  /** Offsets found by walking: those of elements 0 to this. */
  #known = 0;

  /** Whether the places of all elements are known: asking for any of them costs the same. */
  get isIndexed(): boolean {
    return this.tableAt >= 0 || this.#known >= this.count - 1;
  }

  get isOrdered(): boolean {
    return (this.flags & ORDERED) !== 0;
  }

  get isValueOrdered(): boolean {
    return (this.flags & VALUE_ORDERED) !== 0;
  }

  get contentSize(): number {
    return this.end - this.contentAt;
  }

  /**
   * Opens the list or map at `at`.
   * @param end one past the container's last byte: nothing follows it there.
   * @returns false when it is neither, or its header is broken.
   */
  open(bytes: Uint8Array, at: number, end: number): boolean {
    let p = element.read(bytes, at, end);
    if (p < 0 || (element.type !== LIST && element.type !== MAP)) return false;
    this.type = element.type;
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    this.flags = 0;
    this.tableAt = -1;
    this.orderAt = -1;
    const perElement = this.type === LIST ? 1 : 2;
    this.count = element.count / perElement;
    if (element.count > 0) {
      const after = element.read(bytes, p, end);
      if (after >= 0 && element.isFlags) {
        this.flags = element.extType;
        this.count--;
        const bodyAt = element.bodyAt;
        const bodySize = element.bodySize;
        p = perElement === 1 ? after : nextOf(bytes, after, end);
        if (p < 0) return false;
        if (bodySize > 0 && bodySize === tableSize(this.type, this.flags, this.count, end - p)) {
          this.tableAt = bodyAt;
          this.#width = offsetWidth(end - p);
          if (perElement === 2 && this.isValueOrdered) this.orderAt = bodyAt + (this.count - 1) * this.#width;
        }
      }
    }
    this.contentAt = p;
    this.#offsets[0] = p;
    this.#known = 0;
    return true;
  }

  /** Makes this an empty container that lies nowhere: what an op creates. */
  openEmpty(type: number, flags: number): void {
    this.type = type;
    this.bytes = NOTHING;
    this.at = 0;
    this.end = 0;
    this.flags = flags;
    this.count = 0;
    this.contentAt = 0;
    this.tableAt = -1;
    this.orderAt = -1;
    this.#known = 0;
    this.#offsets[0] = 0;
  }

  /**
   * Where element `index` starts; `end` for `count`. Walks as far as needed unless an index is persisted. A negative
   * index would be answered like a malformed container, and would make this slower for good: V8 then loads from the
   * array in a way that it gives up, and compiles anew, at each index that comes in a box.
   * @returns A position, or -1 when the container is malformed before it.
   */
  offsetOf(index: number): number {
    if (index >= this.count) return this.end;
    if (this.tableAt >= 0) {
      if (index === 0) return this.contentAt;
      const offset = readOffset(this.bytes, this.tableAt + (index - 1) * this.#width, this.#width);
      return offset > this.end - this.contentAt ? -1 : this.contentAt + offset;
    }
    return index <= this.#known ? this.#offsets[index]! : this.#walkTo(index);
  }

  /** Where the value of pair `index` starts; for a list the element itself. -1 when malformed. */
  valueOf(index: number): number {
    const at = this.offsetOf(index);
    return this.type === LIST || at < 0 ? at : nextOf(this.bytes, at, this.end);
  }

  /** The pair whose value has `rank`, where the value order is persisted; the first one if the table is broken. */
  indexAtRank(rank: number): number {
    const width = offsetWidth(this.count);
    const index = readOffset(this.bytes, this.orderAt + rank * width, width);
    return index < this.count ? index : 0;
  }

  #walkTo(index: number): number {
    if (index >= this.#offsets.length) this.#grow(index + 1);
    const walk = this.type === MAP ? walkPairs : walkElements;
    const p = walk(this.bytes, this.end, this.#offsets, this.#known, index);
    if (p >= 0) this.#known = index;
    return p;
  }

  #grow(size: number): void {
    const larger = new Uint32Array(
      Math.min(Math.max(size, this.#offsets.length * 2), Math.max(size, this.count + 1)),
    );
    larger.set(this.#offsets.subarray(0, this.#known + 1));
    this.#offsets = larger;
  }

  /** Lets go of the bytes, and of more memory than an ordinary container needs. */
  close(): void {
    this.bytes = NOTHING;
    if (this.#offsets.length > OFFSETS_KEPT) this.#offsets = new Uint32Array(64);
  }
}
