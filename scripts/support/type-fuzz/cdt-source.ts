/**
 * Random list and map operations, made from the tables of operations: arguments of the kinds that a row asks for,
 * often taken from the value that the operation is meant for, with contexts that often lead somewhere.
 */
import {
  ANY_ARG,
  COUNT_ARG,
  DELTA_ARG,
  KEY_ARG,
  LIST_ARG,
  RETURN_ARG,
  STORED_ARG,
  STORED_LIST_ARG,
  STORED_MAP_ARG,
} from '../../../src/data/cdt/call.js';
import { Container } from '../../../src/data/cdt/container.js';
import type { CdtRow } from '../../../src/data/cdt/row.js';
import { LIST_OPS } from '../../../src/data/list/ops.js';
import { MAP_OPS } from '../../../src/data/map/ops.js';
import { LIST as LIST_ELEMENT } from '../../../src/data/msgpack/element.js';
import { LIST, MAP } from '../../../src/data/type.js';
import type { Particle } from './particle.js';
import type { ValueSource } from './value-source.js';

const RETURN_TYPES = [0, 1, 2, 3, 4, 5, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 255];
const INVERTED = 0x1_0000;
const CONTEXT = 0xff;
const CREATE_FLAGS = [0, 0, 0, 0x40, 0x80, 0xc0, 0x140, 0x180, 0x1c0];
const FAR_INTS = [-1e15, 1e15, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 53 - 1, 100_000, 70_000, 300];
/** Types of items that only paths have. */
const ALL_CHILDREN = 0x04;
const MAP_KEYS = 0x2a;
const AND_FILTER = 0x204;
/** A context of this many levels is more than anything stored has. */
const LONG_CONTEXT = 300;

export class CdtSource {
  readonly #values: ValueSource;
  /** The container that the operation works on, as far as the context could be followed. */
  readonly #inner = new Container();
  readonly #child = new Container();
  #isOpen = false;
  #before: ((isList: boolean) => boolean) | undefined;

  constructor(values: ValueSource) {
    this.#values = values;
  }

  /**
   * Writes the body of an operation that is meant for a value, with a context in one case of three.
   * @param op 3 or 4 to write only reads or changes; 0 for either.
   * @param before is called before each argument, with whether that will be a list, and may write it itself.
   * @returns Whether it is one that modifies.
   */
  write(target: Particle | undefined, op = 0, before?: (isList: boolean) => boolean): boolean {
    const v = this.#values;
    this.#before = before;
    const isCollection = target !== undefined && (target.type === LIST || target.type === MAP);
    this.#isOpen = isCollection && this.#inner.open(target.bytes, 0, target.bytes.length);
    const isNested = v.below(3) === 0;
    if (isNested) {
      v.packer.list(3);
      v.packer.int(CONTEXT);
      this.#context();
    }
    let isList = v.below(2) === 0;
    if (this.#isOpen && v.below(12) > 0) isList = this.#inner.type === LIST_ELEMENT;
    const row = this.#call(isList ? LIST_OPS : MAP_OPS, op);
    this.#inner.close();
    this.#child.close();
    return row.modifies;
  }

  /** Writes `[opcode, argument…]`. @returns The operation's row. */
  #call(table: readonly (readonly [number, CdtRow])[], op: number): CdtRow {
    const v = this.#values;
    const p = v.packer;
    let [code, row] = v.pick(table);
    while ((op === 3 && row.modifies) || (op === 4 && !row.modifies)) [code, row] = v.pick(table);
    let count = row.required + v.below(row.params.length - row.required + 1);
    if (v.below(100) === 0) count = v.below(row.params.length + 2);
    p.list(count + 1);
    p.int(code);
    for (let k = 0; k < count; k++) {
      const kind = row.params[k] ?? ANY_ARG;
      const isList = kind === LIST_ARG || kind === STORED_LIST_ARG;
      if (this.#before?.(isList) !== true) this.#argument(kind);
    }
    return row;
  }

  /**
   * Writes the context of a path: as of an operation, with items that take all or several children.
   * @param filter writes an expression.
   */
  writePathContext(target: Particle | undefined, filter: () => void): void {
    const v = this.#values;
    const p = v.packer;
    const isCollection = target !== undefined && (target.type === LIST || target.type === MAP);
    this.#isOpen = isCollection && this.#inner.open(target.bytes, 0, target.bytes.length);
    const depth = v.below(300) === 0 ? 70 : 1 + v.below(3);
    const kinds = Array.from({ length: depth }, () => v.below(12));
    const count = kinds.reduce((sum, kind) => sum + (kind === 11 ? 4 : 2), 0);
    p.list(v.below(200) === 0 ? count + 1 : count);
    for (const [k, kind] of kinds.entries()) {
      if (kind < 3) {
        p.int(ALL_CHILDREN);
        p.bool(v.below(12) > 0);
      } else if (kind < 6) {
        p.int(ALL_CHILDREN);
        filter();
      } else if (kind < 8) {
        p.int(MAP_KEYS);
        const keys = v.below(4);
        v.listOf(keys, v.below(4) === 0 ? 1 : 0, () => v.key());
      } else this.#item(k);
      if (kind < 8) this.#enterAny();
      if (kind !== 11) continue;
      p.int(AND_FILTER);
      filter();
    }
    this.#inner.close();
    this.#child.close();
  }

  /** Goes on in one of the container's children. */
  #enterAny(): void {
    const inner = this.#inner;
    const index = this.#isOpen && inner.count > 0 ? this.#pickChild() : -1;
    this.#isOpen =
      index >= 0 && this.#child.open(inner.bytes, inner.valueOf(index), inner.offsetOf(index + 1));
    if (this.#isOpen) inner.open(this.#child.bytes, this.#child.at, this.#child.end);
  }

  #argument(kind: number): void {
    const v = this.#values;
    const p = v.packer;
    if (v.below(200) === 0) {
      v.value(2);
      return;
    }
    switch (kind) {
      case RETURN_ARG:
        p.int(v.pick(RETURN_TYPES) + (v.below(4) === 0 ? INVERTED : 0));
        return;
      case COUNT_ARG:
        p.int(v.below(12) === 0 ? v.pick(FAR_INTS) : v.below(8));
        return;
      case ANY_ARG:
        this.#compared(false);
        return;
      case KEY_ARG:
        if (v.below(3) > 0 && this.#copyOfOwn(true)) return;
        if (v.below(20) === 0) v.value(1);
        else v.key();
        return;
      case STORED_ARG:
        this.#stored();
        return;
      case LIST_ARG: {
        const count = this.#count();
        p.list(count);
        for (let k = 0; k < count; k++) this.#compared(v.below(2) === 0);
        return;
      }
      case STORED_LIST_ARG: {
        const count = this.#count();
        v.listOf(count, v.below(12) === 0 ? 1 : 0, () => this.#stored());
        return;
      }
      case STORED_MAP_ARG:
        v.mapOf(this.#count(), v.pick([0, 0, 0, 1, 3]), () => this.#stored());
        return;
      case DELTA_ARG:
        if (v.below(8) === 0) p.nil();
        else v.number();
        return;
      default: // an index, a rank, flags
        if (v.below(16) === 0) p.int(v.pick(FAR_INTS));
        else p.int(v.below(3) === 0 ? v.below(20) : v.below(12) - 5);
    }
  }

  /** How many items an argument has: few, seldom many. */
  #count(): number {
    const v = this.#values;
    if (v.below(60) === 0) return 30 + v.below(400);
    return v.below(6);
  }

  #compared(isKey: boolean): void {
    const v = this.#values;
    if (v.below(2) === 0 && this.#copyOfOwn(isKey)) return;
    v.sentinelEvery = 12;
    v.value(v.below(4) === 0 ? 2 : 0);
    v.sentinelEvery = 0;
  }

  #stored(): void {
    const v = this.#values;
    if (v.below(1500) === 0) {
      v.abyss();
      return;
    }
    if (v.below(5) === 0 && this.#copyOfOwn(false)) return;
    v.sentinelEvery = v.below(40) === 0 ? 4 : 0;
    v.value(v.below(4) === 0 ? 2 : 0);
    v.sentinelEvery = 0;
  }

  /** An element that the container has: a key, or a value. @returns false when it has none. */
  #copyOfOwn(isKey: boolean): boolean {
    const inner = this.#inner;
    if (!this.#isOpen || inner.count === 0) return false;
    const index = this.#values.below(inner.count);
    const next = inner.offsetOf(index + 1);
    const valueAt = inner.valueOf(index);
    // Not so where the target's index is damaged.
    if (!(valueAt >= 0 && next >= valueAt)) return false;
    const isWanted = isKey && inner.type !== LIST_ELEMENT;
    if (isWanted) this.#values.packer.copy(inner.bytes, inner.offsetOf(index), valueAt);
    else this.#values.packer.copy(inner.bytes, valueAt, next);
    return true;
  }

  /** Writes a context and follows it as far as it leads to containers. */
  #context(): void {
    const v = this.#values;
    const isLong = v.below(2000) === 0;
    const depth = isLong ? LONG_CONTEXT : 1 + v.below(3) * v.below(2);
    const p = v.packer;
    p.list(v.below(100) === 0 ? depth * 2 + 1 : depth * 2);
    for (let k = 0; k < depth; k++) this.#item(k);
  }

  #item(k: number): void {
    const v = this.#values;
    const p = v.packer;
    const inner = this.#inner;
    const flags = v.below(3) === 0 ? v.pick(CREATE_FLAGS) & (k === 0 ? 0x1ff : 0xff) : 0;
    const index = this.#isOpen && inner.count > 0 && v.below(6) > 0 ? this.#pickChild() : -1;
    if (index < 0) {
      this.#isOpen = false;
      this.#missing(flags);
      return;
    }
    const isList = inner.type === LIST_ELEMENT;
    const at = inner.offsetOf(index);
    const valueAt = inner.valueOf(index);
    const next = inner.offsetOf(index + 1);
    const base = isList ? 0x10 : 0x20;
    switch (v.below(6)) {
      case 0: // whichever has this rank
        p.int(base + 1 + flags);
        p.int(v.below(inner.count) - (v.below(2) === 0 ? inner.count : 0));
        this.#isOpen = false;
        return;
      case 1:
        p.int(base + 3 + flags);
        p.copy(inner.bytes, valueAt, next);
        break;
      case 2:
        p.int(flags === 0 && v.below(2) === 0 ? 0 : base + flags);
        p.int(v.below(2) === 0 ? index : index - inner.count);
        break;
      default:
        if (isList) {
          p.int(base + flags);
          p.int(index);
        } else {
          p.int(base + 2 + flags);
          p.copy(inner.bytes, at, valueAt);
        }
    }
    if (this.#child.open(inner.bytes, valueAt, next)) inner.open(inner.bytes, valueAt, next);
    else this.#isOpen = false;
  }

  /** Any item. */
  #missing(flags: number): void {
    const v = this.#values;
    const p = v.packer;
    const isList = v.below(2) === 0;
    const base = v.below(12) === 0 ? v.pick([1, 3, 4, 10, 15]) : isList ? 0 : 2;
    p.int((v.below(30) === 0 ? v.pick([0, 0x30]) : isList ? 0x10 : 0x20) + base + flags);
    if (v.below(20) === 0) v.value(1);
    else if (isList) p.int(v.below(20) === 0 ? v.pick(FAR_INTS) : v.below(9) - 2);
    else v.key();
  }

  /** The index of an element of the container: of one that is a container itself, if that is soon found. */
  #pickChild(): number {
    const inner = this.#inner;
    let index = -1;
    for (let tries = 0; tries < 4; tries++) {
      index = this.#values.below(inner.count);
      const at = inner.valueOf(index);
      const next = inner.offsetOf(index + 1);
      if (at < 0 || next < 0) return -1;
      if (this.#child.open(inner.bytes, at, next)) return index;
    }
    return index;
  }
}
