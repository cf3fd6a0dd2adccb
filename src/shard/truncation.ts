/**
 * What was truncated of a namespace: a LUT for the whole of it and one a set, in shared memory. Records with a lower
 * LUT are gone, whether or not they have been removed. The main thread writes; every thread that executes commands has
 * a copy and takes over changes between two commands, so that none sees a truncation begin in its middle.
 *
 * A command that was pushed after a change sees it: LUTs are stored before the version, and both before the push.
 */
import { Region, type SharedBytes } from '../base/arena.js';
import { SharedVersion } from '../base/flags.js';
import { SET_COUNT_MAX } from '../storage/record/set-table.js';

const COUNT = SET_COUNT_MAX + 1;
/** Words before the LUTs: the version. */
const LUTS_AT = 1; // float64
const VERSIONS_AT = LUTS_AT + COUNT;
const WORDS = VERSIONS_AT + COUNT;
/** In the place of a set number. */
export const WHOLE_NAMESPACE = 0;

export function createTruncation(): SharedBytes {
  return new Region(WORDS * 8).shared;
}

/** The main thread's side. */
export class TruncationTable {
  readonly #words: Float64Array;
  readonly #version: SharedVersion;

  constructor(shared: SharedBytes) {
    const region = new Region(shared);
    this.#words = region.f64;
    this.#version = new SharedVersion(region.i32, 0);
  }

  /** Milliseconds since 2010; 0 = never truncated. @param setId A set's number, or WHOLE_NAMESPACE. */
  lut(setId: number): number {
    return this.#words[LUTS_AT + setId]!;
  }

  /** Changes a LUT, 0 to forget it. */
  set(setId: number, lutMs: number): void {
    this.#words[LUTS_AT + setId] = lutMs;
    this.#words[VERSIONS_AT + setId] = this.version + 1;
    this.#version.raise();
  }

  get version(): number {
    return this.#version.value;
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
  readonly #luts = new Float64Array(COUNT);
  /** Of the copy. */
  version = 0;
  /** The highest LUT. */
  highestLutMs = 0;

  constructor(shared: SharedBytes) {
    const region = new Region(shared);
    this.#shared = region.f64;
    this.#version = new SharedVersion(region.i32, 0);
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
  }

  isTruncated(setId: number, lutMs: number): boolean {
    return lutMs < this.#luts[WHOLE_NAMESPACE]! || lutMs < this.#luts[setId]!;
  }
}
