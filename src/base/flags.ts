/**
 * Words that one thread sets and another clears (or both, at different times), and locks over one of
 * them. Atomics accesses: whoever sees a flag sees everything done before it was changed.
 */
import type { SharedBytes } from './arena.js';
import { relax } from './sleeper.js';

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

/** Counts the changes of something that one thread makes and others follow. */
export class SharedVersion {
  readonly #words: Int32Array;
  readonly #at: number;

  constructor(words: Int32Array, at: number) {
    this.#words = words;
    this.#at = at;
  }

  get value(): number {
    return Atomics.load(this.#words, this.#at);
  }

  /** After the change itself. */
  raise(): void {
    Atomics.add(this.#words, this.#at, 1);
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

/** A word that names the thread which uses something; 0 = nobody. */
export class OwnerWord {
  readonly #words: Int32Array;
  readonly #at: number;
  readonly #self: number;

  /** @param self This thread's number, not 0. */
  constructor(words: Int32Array, at: number, self: number) {
    this.#words = words;
    this.#at = at;
    this.#self = self;
  }

  /** @returns Whether it is this thread's until give(). */
  tryTake(): boolean {
    return Atomics.compareExchange(this.#words, this.#at, 0, this.#self) === 0;
  }

  /** As tryTake, but looks `tries` times while it is another's. */
  takeWithin(tries: number): boolean {
    for (let i = 0; i < tries; i++) {
      if (Atomics.load(this.#words, this.#at) === 0 && this.tryTake()) return true;
    }
    return false;
  }

  /** Waits for it: the length of something short. */
  take(): void {
    for (;;) {
      const owner = Atomics.compareExchange(this.#words, this.#at, 0, this.#self);
      if (owner === 0) return;
      relax(this.#words, this.#at, owner);
    }
  }

  give(): void {
    Atomics.store(this.#words, this.#at, 0);
  }
}
