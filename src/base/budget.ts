/**
 * An amount that many threads draw from and give back to: memory that one namespace may use, whichever of
 * its shards takes it. This is the one shared word with more than two writers, and the only place where
 * they meet; each holds what it took, so the word is touched once for a large piece, not once a record.
 */
import { Region, type SharedBytes } from './arena.js';

const LEFT = 0; // int32; changed by everyone through compare-and-swap alone
const TOTAL = 1; // int32; written at creation

export class Budget {
  readonly #words: Int32Array;

  /** @param source Units in all (up to 2^31 - 1; the caller says what a unit is), or `shared` of another thread's Budget. */
  constructor(source: number | SharedBytes) {
    const words = new Region(typeof source === 'number' ? 8 : source).i32;
    if (typeof source === 'number') words[LEFT] = words[TOTAL] = source;
    this.#words = words;
  }

  get shared(): SharedBytes {
    return this.#words.buffer as SharedBytes;
  }

  get total(): number {
    return this.#words[TOTAL]!;
  }

  /** Units nobody has taken, a moment ago. */
  get left(): number {
    return Atomics.load(this.#words, LEFT);
  }

  /**
   * Takes `count` units, all or none.
   * A plain subtraction that is undone when it went below zero would refuse a smaller request of another thread
   * in between, though there is room for it; so the word only ever changes to what it really is.
   */
  take(count: number): boolean {
    for (let left = this.left; left >= count; left = this.left) {
      if (Atomics.compareExchange(this.#words, LEFT, left, left - count) === left) return true;
    }
    return false;
  }

  /** Gives back `count` units that were taken. */
  give(count: number): void {
    Atomics.add(this.#words, LEFT, count);
  }
}
