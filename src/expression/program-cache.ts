/**
 * Compiled expressions by their exact bytes: programs send the same few filters again and again. Kept from the second
 * time on, bounded; one a thread. A program that was dropped from the cache stays valid for whoever holds it.
 */
import { hashName } from '../base/hash.js';
import { Sightings } from '../base/sightings.js';
import { compile } from './compile.js';
import type { Program } from './program.js';

/** Sets of four programs each; which set is told by a hash of the bytes. */
const SET_COUNT = 64;
const WAYS = 4;
/** A larger expression is compiled each time. */
const CACHED_SIZE_MAX = 4096; // bytes
/** Regular expressions of all cached programs together: a search may leave each with a mebibyte of states. */
const CACHED_REGEX_COUNT_MAX = 64;

export class ProgramCache {
  readonly #programs: (Program | undefined)[] = new Array(SET_COUNT * WAYS).fill(undefined);
  /** The way of each set that is replaced next. */
  readonly #victims = new Uint8Array(SET_COUNT);
  #regexCount = 0;
  readonly #sightings = new Sightings();

  /**
   * Compiles an expression, or finds it compiled.
   * @param bytes hold it, `size` bytes from `at`; not kept.
   * @returns undefined when it is invalid (PARAMETER). The same object again only from the second time on.
   */
  get(bytes: Uint8Array, at: number, size: number): Program | undefined {
    if (size > CACHED_SIZE_MAX) return compile(bytes, at, size);
    const hash = hashName(bytes, at, size);
    const set = hash % SET_COUNT;
    const first = set * WAYS;
    for (let k = first; k < first + WAYS; k++) {
      const program = this.#programs[k];
      if (program !== undefined && program.size === size && isSame(program.bytes, bytes, at, size))
        return program;
    }
    const program = compile(bytes, at, size);
    if (program !== undefined && this.#sightings.isRepeated(hash)) this.#keep(set, program);
    return program;
  }

  #keep(set: number, program: Program): void {
    const regexCount = program.regexes.length;
    if (regexCount > CACHED_REGEX_COUNT_MAX) return;
    const victim = this.#victims[set]!;
    this.#victims[set] = (victim + 1) % WAYS;
    const at = set * WAYS + victim;
    this.#regexCount -= this.#programs[at]?.regexes.length ?? 0;
    this.#programs[at] = program;
    this.#regexCount += regexCount;
    if (this.#regexCount > CACHED_REGEX_COUNT_MAX) this.#dropRegexes(at);
  }

  /** Drops all programs with regular expressions but the one at `kept`. */
  #dropRegexes(kept: number): void {
    for (let k = 0; k < this.#programs.length; k++) {
      if (k !== kept && this.#programs[k] !== undefined && this.#programs[k]!.regexes.length > 0)
        this.#programs[k] = undefined;
    }
    this.#regexCount = this.#programs[kept]!.regexes.length;
  }

  /** As `get`, for an expression that must be a boolean. */
  getFilter(bytes: Uint8Array, at: number, size: number): Program | undefined {
    const program = this.get(bytes, at, size);
    return program?.isFilter === true ? program : undefined;
  }
}

function isSame(own: Uint8Array, bytes: Uint8Array, at: number, size: number): boolean {
  for (let k = 0; k < size; k++) if (own[k] !== bytes[at + k]) return false;
  return true;
}
