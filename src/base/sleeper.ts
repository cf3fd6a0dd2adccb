/**
 * Sleeping and waking between threads. A thread that has nothing to do says so in a shared word, looks for
 * work once more, and only then sleeps; whoever gives it work looks at the word and pays for a wake-up only
 * if the thread sleeps. The word is a CAS word: the sleeper sets it to ASLEEP, the first waker (or the
 * sleeper itself) sets it back. Every wait is bounded, so that a lost wake-up would cost milliseconds, not
 * a hang; none is known to be possible.
 */
import { Region, type SharedBytes } from './arena.js';

const WORD = 0;
const AWAKE = 0;
const ASLEEP = 1;

export function createSleeper(): SharedBytes {
  return new Region(64).shared;
}

/** The side that wakes another thread. */
export class Waker {
  readonly #words: Int32Array;

  constructor(shared: SharedBytes) {
    this.#words = new Int32Array(shared);
  }

  /** Wakes the thread if it said that it sleeps. Publish the work before. */
  wake(): void {
    const words = this.#words;
    if (Atomics.load(words, WORD) === AWAKE) return;
    if (Atomics.compareExchange(words, WORD, ASLEEP, AWAKE) === ASLEEP) Atomics.notify(words, WORD);
  }
}

/** Sleeps by blocking: for worker and helper threads, which await nothing else. */
export class Sleeper {
  readonly #words: Int32Array;

  constructor(shared: SharedBytes) {
    this.#words = new Int32Array(shared);
  }

  /** Blocks until woken or `timeoutMs`, unless `hasWork` (asked after the word is set) finds something. */
  sleep(hasWork: () => boolean, timeoutMs: number): void {
    const words = this.#words;
    Atomics.store(words, WORD, ASLEEP);
    if (!hasWork()) Atomics.wait(words, WORD, ASLEEP, timeoutMs);
    Atomics.store(words, WORD, AWAKE);
  }
}

interface AsyncWait {
  async: boolean;
  value: Promise<string> | string;
}
// Node 20 has Atomics.waitAsync; the type library of TypeScript names it only in its esnext part.
const waitAsync = (
  Atomics as unknown as { waitAsync(words: Int32Array, at: number, value: number): AsyncWait }
).waitAsync;

/** Sleeps without blocking: for the main thread, whose event loop goes on meanwhile. */
export class AsyncSleeper {
  readonly #words: Int32Array;
  readonly #onWake: () => void;
  #armed = false;
  readonly #woken = (): void => {
    this.#armed = false;
    this.#onWake();
  };

  /** @param onWake Called on the event loop after a wake-up; it looks for work and calls arm() again. */
  constructor(shared: SharedBytes, onWake: () => void) {
    this.#words = new Int32Array(shared);
    this.#onWake = onWake;
  }

  /**
   * Says that this thread sleeps. A wait that is still pending is kept.
   * @returns false when `hasWork` (asked after the word is set) finds something: then nothing was armed.
   */
  arm(hasWork: () => boolean): boolean {
    const words = this.#words;
    Atomics.store(words, WORD, ASLEEP);
    if (hasWork()) {
      Atomics.store(words, WORD, AWAKE);
      return false;
    }
    if (!this.#armed) {
      const wait = waitAsync(words, WORD, ASLEEP);
      if (!wait.async) return false;
      this.#armed = true;
      void (wait.value as Promise<string>).then(this.#woken);
    }
    return true;
  }

  /** Says that this thread is awake and polls by itself: producers need not wake it. */
  disarm(): void {
    Atomics.store(this.#words, WORD, AWAKE);
  }
}
