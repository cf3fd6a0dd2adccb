/**
 * What was truncated of a namespace: a LUT for the whole of it and one a set, in shared memory. Records with a lower
 * LUT are gone, whether or not they have been removed. And what was evicted last: records with that void-time or an
 * earlier one and a lower LUT, but for those of sets that were spared. The main thread writes; every thread that
 * executes commands has a copy and takes over changes between two commands, so that none sees a truncation begin in its middle.
 *
 * A command that was pushed after a change sees it: LUTs are stored before the version, and both before the push.
 * An eviction is several numbers that belong together: they are written where no thread looks yet, and then a version
 * of its own tells the threads to look there. What one thread copies is overwritten by the second eviction after it;
 * each of them waits for a file before, and the copy for nothing.
 */
import { Region, type SharedBytes } from '../base/arena.js';
import { SharedVersion } from '../base/flags.js';
import { SET_COUNT_MAX } from '../storage/record/set-table.js';

const COUNT = SET_COUNT_MAX + 1;
/** Words before the LUTs: the versions of all and of evictions, then those that the last truncation and eviction made. */
const LAST_TRUNCATION = 1; // float64
const LAST_EVICTION = 2;
const LUTS_AT = 3;
const VERSIONS_AT = LUTS_AT + COUNT;
/** Two evictions, the last one and the one before: void-time, LUT, and by set whether it was spared. */
const EVICTIONS_AT = VERSIONS_AT + COUNT;
const EVICT_VOID_TIME = 0;
const EVICT_LUT = 1;
const EVICT_SPARED = 2;
const EVICTION_WORDS = EVICT_SPARED + COUNT;
const WORDS = EVICTIONS_AT + 2 * EVICTION_WORDS;
/** In the place of a set number. */
export const WHOLE_NAMESPACE = 0;

export function createTruncation(): SharedBytes {
  return new Region(WORDS * 8).shared;
}

/** The main thread's side. */
export class TruncationTable {
  readonly #words: Float64Array;
  readonly #version: SharedVersion;
  readonly #evictions: SharedVersion;

  constructor(shared: SharedBytes) {
    const region = new Region(shared);
    this.#words = region.f64;
    this.#version = new SharedVersion(region.i32, 0);
    this.#evictions = new SharedVersion(region.i32, 1);
  }

  /** Milliseconds since 2010; 0 = never truncated. @param setId A set's number, or WHOLE_NAMESPACE. */
  lut(setId: number): number {
    return this.#words[LUTS_AT + setId]!;
  }

  /** Changes a LUT, 0 to forget it. */
  set(setId: number, lutMs: number): void {
    this.#words[LUTS_AT + setId] = lutMs;
    this.#words[VERSIONS_AT + setId] = this.version + 1;
    this.#words[LAST_TRUNCATION] = this.version + 1;
    this.#version.raise();
  }

  /**
   * Evicts records.
   * @param voidTimeSec Those with this void-time or an earlier one; 0: none, and what was not removed yet is back.
   * @param lutMs       And a lower LUT.
   * @param spared      Numbers of sets whose records stay.
   */
  evict(voidTimeSec: number, lutMs: number, spared: Iterable<number>): void {
    const at = EVICTIONS_AT + ((this.#evictions.value + 1) & 1) * EVICTION_WORDS;
    this.#words[at + EVICT_VOID_TIME] = voidTimeSec;
    this.#words[at + EVICT_LUT] = lutMs;
    this.#words.fill(0, at + EVICT_SPARED, at + EVICTION_WORDS);
    for (const setId of spared) this.#words[at + EVICT_SPARED + setId] = 1;
    this.#words[LAST_EVICTION] = this.version + 1;
    this.#evictions.raise();
    this.#version.raise();
  }

  get version(): number {
    return this.#version.value;
  }

  /** The version that the last truncation made, and the last eviction. */
  get truncationVersion(): number {
    return this.#words[LAST_TRUNCATION]!;
  }

  get evictionVersion(): number {
    return this.#words[LAST_EVICTION]!;
  }

  /** The version that the last change of a LUT made. */
  versionOf(setId: number): number {
    return this.#words[VERSIONS_AT + setId]!;
  }
}

/** A copy for one thread. */
export class TruncationView {
  readonly #shared: Float64Array;
  readonly #version: SharedVersion;
  readonly #evictions: SharedVersion;
  readonly #luts = new Float64Array(COUNT);
  readonly #spared = new Float64Array(COUNT);
  #evictVoidTimeSec = 0;
  #evictLutMs = 0;
  /** Of the copy. */
  version = 0;
  /** The highest LUT. */
  highestLutMs = 0;

  constructor(shared: SharedBytes) {
    const region = new Region(shared);
    this.#shared = region.f64;
    this.#version = new SharedVersion(region.i32, 0);
    this.#evictions = new SharedVersion(region.i32, 1);
  }

  /** Whether the copy is out of date. */
  get isStale(): boolean {
    return this.#version.value !== this.version;
  }

  refresh(): void {
    this.version = this.#version.value; // first: what is copied may be newer, never older
    for (let i = 0; i < COUNT; i++) {
      const lut = this.#shared[LUTS_AT + i]!;
      this.#luts[i] = lut;
      if (lut > this.highestLutMs) this.highestLutMs = lut;
    }
    const at = EVICTIONS_AT + (this.#evictions.value & 1) * EVICTION_WORDS;
    this.#evictVoidTimeSec = this.#shared[at + EVICT_VOID_TIME]!;
    this.#evictLutMs = this.#shared[at + EVICT_LUT]!;
    for (let i = 0; i < COUNT; i++) this.#spared[i] = this.#shared[at + EVICT_SPARED + i]!;
    if (this.#evictLutMs > this.highestLutMs) this.highestLutMs = this.#evictLutMs;
  }

  isTruncated(setId: number, lutMs: number): boolean {
    return lutMs < this.#luts[WHOLE_NAMESPACE]! || lutMs < this.#luts[setId]!;
  }

  /** @param voidTimeSec Of a record; 0 is never evicted. */
  isEvicted(setId: number, voidTimeSec: number, lutMs: number): boolean {
    return (
      voidTimeSec !== 0 &&
      voidTimeSec <= this.#evictVoidTimeSec &&
      lutMs < this.#evictLutMs &&
      this.#spared[setId] === 0
    );
  }

  /**
   * Numbers of the sets that were truncated after a version, up to the copy's and maybe later.
   * @returns undefined when the whole namespace was, or records were evicted.
   */
  setsSince(version: number): number[] | undefined {
    if (this.#shared[LAST_EVICTION]! > version) return undefined;
    if (this.#shared[VERSIONS_AT + WHOLE_NAMESPACE]! > version) return undefined;
    const sets: number[] = [];
    for (let setId = 1; setId < COUNT; setId++) {
      if (this.#shared[VERSIONS_AT + setId]! > version) sets.push(setId);
    }
    return sets;
  }
}
