/**
 * POSIX regular expressions on bytes, as the GNU C library understands them in the C locale: regcomp() with its
 * extensions, and regexec() as a yes or no for a match anywhere. `test/expression/regex/` holds what the
 * library answered. Time is linear in the subject (automaton.ts); only patterns with back-references are searched
 * by trying (backtracker.ts), when a search in which they stand for anything has not ruled a match out.
 *
 * Unlike the library, an assertion holds in each copy of what is repeated: `(\<.){2}` does not match "b b". A
 * reference is to what its group matched last in any way of matching, not only in the leftmost-longest one.
 *
 * Limits, where the C library has none but memory: NODES_MAX nodes in a program, SETS_MAX bracket expressions in
 * a pattern, and a budget for each search.
 */
import { cached, keep } from './cache.js';
import { parse } from './parser.js';
import { Pattern } from './pattern.js';
import { endOfString, Regex } from './regex.js';

/** Flags, as clients number them. */
export const REGEX_EXTENDED = 1;
export const REGEX_ICASE = 2;
/**
 * Newlines separate lines for ^ and $, and . and [^a] do not match one. Clients number it in two ways: C and Node as
 * the C library does on Linux (4), the others 8. With those 4 is NOSUB, which changes no answer of yes or no.
 */
export const REGEX_NEWLINE = 4 | 8;

/**
 * Compiles the pattern in the `size` bytes at `at`, or those before the first NUL in them; nothing of `bytes` is
 * kept. Flags that are not named above have no effect. The same pattern may give the same object again: one is for
 * use by one thread, one subject after the other.
 * @returns undefined when the pattern is not valid or too large.
 */
export function compileRegex(bytes: Uint8Array, at: number, size: number, flags: number): Regex | undefined {
  const end = endOfString(bytes, at, at + size);
  const known = cached(bytes, at, end - at, flags);
  if (known !== undefined) return known;
  const isExtended = (flags & REGEX_EXTENDED) !== 0;
  const ignoreCase = (flags & REGEX_ICASE) !== 0;
  const newline = (flags & REGEX_NEWLINE) !== 0;
  const program = parse(new Pattern(bytes, at, end, isExtended, ignoreCase, newline));
  if (program === undefined) return undefined;
  const regex = new Regex(program);
  keep(bytes, at, end - at, flags, regex);
  return regex;
}
