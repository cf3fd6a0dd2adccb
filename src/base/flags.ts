/**
 * Words that one thread sets and another clears (or both, at different times), and a lock over one of
 * them. Atomics accesses: whoever sees a flag sees everything done before it was changed.
 */
import type { SharedBytes } from './arena.js';

export class SharedFlags {
  readonly #words: Int32Array;

  constructor(shared: SharedBytes) {
    this.#words = new Int32Array(shared);
  }

  isSet(index: number): boolean {
    return Atomics.load(this.#words, index) === 1;
  }

  set(index: number): void {
    Atomics.store(this.#words, index, 1);
  }

  clear(index: number): void {
    Atomics.store(this.#words, index, 0);
  }
}

/**
 * A lock for rare, short critical sections between threads (a new set name): it spins. Never for the hot
 * path, and never held across anything that can wait.
 */
export class SpinLock {
  readonly #words: Int32Array;
  readonly #at: number;

  constructor(words: Int32Array, at: number) {
    this.#words = words;
    this.#at = at;
  }

  lock(): void {
    while (Atomics.compareExchange(this.#words, this.#at, 0, 1) !== 0);
  }

  unlock(): void {
    Atomics.store(this.#words, this.#at, 0);
  }
}
