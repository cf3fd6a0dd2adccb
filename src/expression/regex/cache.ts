/**
 * The expressions compiled last of those that came more than once, by pattern and flags. Requests that repeat a filter
 * then find it compiled, and the states that earlier subjects asked for in it.
 */
import { hashName } from '../../base/hash.js';
import { Sightings } from '../../base/sightings.js';
import type { Regex } from './regex.js';

const ENTRIES_MAX = 8; // each up to about a megabyte, most a few kilobytes
const PATTERN_SIZE_MAX = 1024; // bytes; a longer one is not kept

interface Entry {
  readonly pattern: Uint8Array;
  readonly flags: number;
  readonly regex: Regex;
}

const entries: Entry[] = [];
let oldest = 0;
const sightings = new Sightings();

/** @returns What was kept for the `size` bytes at `at` and `flags`. */
export function cached(bytes: Uint8Array, at: number, size: number, flags: number): Regex | undefined {
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]!;
    if (entry.flags !== flags || entry.pattern.length !== size) continue;
    let same = 0;
    while (same < size && entry.pattern[same] === bytes[at + same]) same++;
    if (same === size) return entry.regex;
  }
  return undefined;
}

/** Keeps `regex` in place of the oldest one, if the same was to be kept before. */
export function keep(bytes: Uint8Array, at: number, size: number, flags: number, regex: Regex): void {
  if (size > PATTERN_SIZE_MAX) return;
  if (!sightings.isRepeated((hashName(bytes, at, size) ^ flags) >>> 0)) return;
  // Not slice(): a Buffer's is a view.
  entries[oldest] = { pattern: new Uint8Array(bytes.subarray(at, at + size)), flags, regex };
  oldest = (oldest + 1) % ENTRIES_MAX;
}
