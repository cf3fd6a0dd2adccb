/**
 * Sleeping and waking between threads. A thread that has nothing to do says so in a shared word, looks for
 * work once more, and only then sleeps; whoever gives it work looks at the word and pays for a wake-up only
 * if the thread sleeps. The word is a CAS word: the sleeper sets it to ASLEEP, the first waker (or the
 * sleeper itself) sets it back. Every wait is bounded, so that a lost wake-up would cost milliseconds, not
 * a hang; none is known to be possible.
 *
 * How a thread sleeps stands in a second word, written by the sleeper's side before it first sleeps. With the
 * native addon it is a futex, or an eventfd that the main thread's sockets are watched together with: V8's own
 * waits take a lock of the whole process on both sides, and an asynchronous one a task and a promise.
 */
import { Region, type SharedBytes } from './arena.js';
import { LINGER_US, Lingering } from './lingering.js';
import { type NativeModule, nativeModule } from './native-module.js';

const WORD = 0;
const AWAKE = 0;
const ASLEEP = 1;

const HOW = 1;
const BY_ATOMICS = 0;
const BY_FUTEX = 1;
const BY_EVENT = 2; // and above: its descriptor is added

const LOOKS = 10; // between two calls of the kernel
const RELAX_MS = 0.05;

const native: NativeModule | null = (module => (typeof module === 'string' ? null : module))(nativeModule());

export function createSleeper(): SharedBytes {
  const region = new Region(64);
  region.i32[HOW] = native === null ? BY_ATOMICS : BY_FUTEX;
  return region.shared;
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
    if (Atomics.compareExchange(words, WORD, ASLEEP, AWAKE) !== ASLEEP) return;
    const how = words[HOW]!;
    if (how === BY_ATOMICS) Atomics.notify(words, WORD);
    else if (how === BY_FUTEX) native!.wake(words, WORD);
    else native!.signal(how - BY_EVENT);
  }
}

/** What a thread may block on instead of its word: its device I/O and an eventfd together. */
export interface Blocker {
  /** Ends `block` when something is added to it. */
  readonly wakeDescriptor: number;
  block(timeoutMs: number): void;
}

/** Sleeps by blocking: for worker and helper threads, which await nothing else. */
export class Sleeper {
  readonly #words: Int32Array;
  readonly #blocker: Blocker | null;
  readonly #lingering = new Lingering();

  /** @param blocker What to block on, if not the word itself. It comes from the native addon. */
  constructor(shared: SharedBytes, blocker: Blocker | null = null) {
    this.#words = new Int32Array(shared);
    this.#blocker = blocker;
    if (blocker !== null) this.#words[HOW] = BY_EVENT + blocker.wakeDescriptor; // seen by whoever sees ASLEEP later
  }

  /** Blocks until woken or `timeoutMs`, unless `hasWork` (asked after the word is set) finds something. */
  sleep(hasWork: () => boolean, timeoutMs: number): void {
    const words = this.#words;
    if (native !== null && this.#lingering.begins()) {
      const isUseful = lingers(native, hasWork);
      this.#lingering.ended(isUseful);
      if (isUseful) return;
    }
    Atomics.store(words, WORD, ASLEEP);
    if (!hasWork()) {
      if (this.#blocker !== null) this.#blocker.block(timeoutMs);
      else if (words[HOW] === BY_FUTEX) native!.sleep(words, WORD, ASLEEP, timeoutMs);
      else Atomics.wait(words, WORD, ASLEEP, timeoutMs);
    }
    Atomics.store(words, WORD, AWAKE);
  }
}

/** Looks for work for a while, lending the processor to whoever wants it. @returns Whether there is some. */
function lingers({ yieldProcessor }: NativeModule, hasWork: () => boolean): boolean {
  const endMs = performance.now() + LINGER_US / 1000;
  do {
    for (let i = 0; i < LOOKS; i++) if (hasWork()) return true;
    yieldProcessor();
  } while (performance.now() < endMs);
  return false;
}

/**
 * Passes the time while a word has this value, or some of it: another thread, which is in the middle of something
 * short, will change it. Lets that thread run if it cannot.
 */
export function relax(words: Int32Array, index: number, value: number): void {
  for (let i = 0; i < LOOKS * 10; i++) if (Atomics.load(words, index) !== value) return;
  if (native !== null) native.yieldProcessor();
  else Atomics.wait(words, index, value, RELAX_MS); // nobody notifies
}

/** Sleeps without blocking: for the main thread, whose event loop goes on meanwhile. */
export interface LoopSleeper {
  /**
   * Says that this thread sleeps. A wait that is still pending is kept.
   * @returns false when `hasWork` (asked after the word is set) finds something: then nothing was armed.
   */
  arm(hasWork: () => boolean): boolean;
  /** Says that this thread is awake and polls by itself: producers need not wake it. */
  disarm(): void;
}

/** Woken by an eventfd that the thread's own event loop watches. */
export class EventSleeper implements LoopSleeper {
  readonly #words: Int32Array;

  constructor(shared: SharedBytes, descriptor: number) {
    this.#words = new Int32Array(shared);
    this.#words[HOW] = BY_EVENT + descriptor; // seen by whoever sees the word set to ASLEEP later
  }

  arm(hasWork: () => boolean): boolean {
    const words = this.#words;
    Atomics.store(words, WORD, ASLEEP);
    if (!hasWork()) return true;
    Atomics.store(words, WORD, AWAKE);
    return false;
  }

  disarm(): void {
    Atomics.store(this.#words, WORD, AWAKE);
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

/** Woken by a promise. */
export class AsyncSleeper implements LoopSleeper {
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
    this.#words[HOW] = BY_ATOMICS;
    this.#onWake = onWake;
  }

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

  disarm(): void {
    Atomics.store(this.#words, WORD, AWAKE);
  }
}
