/**
 * The sets of a namespace: name ↔ number (1 to 4095; 0 is no set). One table a namespace in shared memory,
 * read by every thread; a new name is added under a lock, which happens once a set.
 *
 *   words  0 LOCK   1 COUNT   16.. hash slots (set number, 0 = empty)   then a name record of 64 bytes a set:
 *          u8 size, 63 bytes of name
 */
import { Region, type SharedBytes } from '../../base/arena.js';
import { equalBytes } from '../../base/copy.js';
import { SpinLock } from '../../base/flags.js';
import { hashName } from '../../base/hash.js';

export const SET_COUNT_MAX = 4095;
const LOCK = 0;
const COUNT = 1;
const SLOTS_AT = 16; // words
const SLOT_COUNT = 16384;
const NAMES_AT = (SLOTS_AT + SLOT_COUNT) * 4; // bytes
const NAME_STRIDE = 64; // bytes

export function createSetTable(): SharedBytes {
  return new Region(NAMES_AT + (SET_COUNT_MAX + 1) * NAME_STRIDE).shared;
}

export class SetTable {
  readonly #region: Region;
  readonly #lock: SpinLock;
  #lastId = 0; // most requests name the same set as the one before

  constructor(shared: SharedBytes) {
    this.#region = new Region(shared);
    this.#lock = new SpinLock(this.#region.i32, LOCK);
  }

  get count(): number {
    return this.#region.i32[COUNT]!;
  }

  /** @returns The set's number, 0 for an empty name, or -1 when it is not known. */
  find(name: Uint8Array, at: number, size: number): number {
    if (size === 0) return 0;
    if (this.#lastId !== 0 && this.#isNamed(this.#lastId, name, at, size)) return this.#lastId;
    const i32 = this.#region.i32;
    for (let s = hashName(name, at, size) & (SLOT_COUNT - 1); ; s = (s + 1) & (SLOT_COUNT - 1)) {
      const id = i32[SLOTS_AT + s]!;
      if (id === 0) return -1;
      if (this.#isNamed(id, name, at, size)) {
        this.#lastId = id;
        return id;
      }
    }
  }

  /** As find, but adds an unknown name. @returns -1 when the table is full or the name is longer than 63 bytes. */
  findOrAdd(name: Uint8Array, at: number, size: number): number {
    const known = this.find(name, at, size);
    if (known >= 0) return known;
    if (size >= NAME_STRIDE) return -1;
    this.#lock.lock();
    try {
      const again = this.find(name, at, size);
      if (again >= 0) return again;
      const { i32, u8 } = this.#region;
      const id = i32[COUNT]! + 1;
      if (id > SET_COUNT_MAX) return -1;
      const nameAt = NAMES_AT + id * NAME_STRIDE;
      u8[nameAt] = size;
      for (let i = 0; i < size; i++) u8[nameAt + 1 + i] = name[at + i]!;
      i32[COUNT] = id;
      let s = hashName(name, at, size) & (SLOT_COUNT - 1);
      while (i32[SLOTS_AT + s] !== 0) s = (s + 1) & (SLOT_COUNT - 1);
      i32[SLOTS_AT + s] = id; // last: whoever finds the number finds the name
      return id;
    } finally {
      this.#lock.unlock();
    }
  }

  /** Size in bytes of a set's name; 0 for number 0. */
  nameSize(id: number): number {
    return id === 0 ? 0 : this.#region.u8[NAMES_AT + id * NAME_STRIDE]!;
  }

  /** Copies a set's name to `out` and returns its size. */
  nameTo(id: number, out: Uint8Array, at: number): number {
    const size = this.nameSize(id);
    const from = NAMES_AT + id * NAME_STRIDE + 1;
    for (let i = 0; i < size; i++) out[at + i] = this.#region.u8[from + i]!;
    return size;
  }

  nameOf(id: number): string {
    const name = new Uint8Array(this.nameSize(id));
    this.nameTo(id, name, 0);
    return Buffer.from(name).toString('utf8');
  }

  #isNamed(id: number, name: Uint8Array, at: number, size: number): boolean {
    const from = NAMES_AT + id * NAME_STRIDE;
    const u8 = this.#region.u8;
    return u8[from] === size && equalBytes(u8, from + 1, name, at, size);
  }
}
