/**
 * Assertions look at what lies on both sides of a place in the subject. There are four kinds of neighbour,
 * hence sixteen kinds of place, and an assertion is the 16-bit set of those where it holds.
 */
import { has, NEWLINE_BYTE, WORD_SET } from './byte-set.js';

/** What is next to a place. */
export const EDGE = 0; // the end of the subject
export const NEWLINE = 1;
export const WORD = 2; // letter, digit, underscore
export const OTHER = 3;

export function neighbourOf(byte: number): number {
  if (byte === NEWLINE_BYTE) return NEWLINE;
  return has(WORD_SET, byte) ? WORD : OTHER;
}

/**
 * What an assertion sees outside of the match. Unless newlines separate lines, a newline there is as any other
 * byte; but as in the C library, one that the match itself takes in always ends a line: `a$.^b` matches "a\nb".
 */
export function outerNeighbour(neighbour: number, newline: boolean): number {
  return neighbour === NEWLINE && !newline ? OTHER : neighbour;
}

/** Whether the assertion `places` holds between neighbours `before` and `after`. */
export function holds(places: number, before: number, after: number): boolean {
  return ((places >>> ((before << 2) | after)) & 1) === 1;
}

/** Places with an edge before them: the beginning of the subject. */
export const AT_BEGIN = placesWhere(before => before === EDGE); // \`
export const AT_END = placesWhere((_, after) => after === EDGE); // \'
export const LINE_BEGIN = placesWhere(before => before === EDGE || before === NEWLINE); // ^
export const LINE_END = placesWhere((_, after) => after === EDGE || after === NEWLINE); // $
export const WORD_BEGIN = placesWhere((before, after) => before !== WORD && after === WORD); // \<
export const WORD_END = placesWhere((before, after) => before === WORD && after !== WORD); // \>
export const WORD_EDGE = WORD_BEGIN | WORD_END; // \b
export const NOT_WORD_EDGE = placesWhere((before, after) => (before === WORD) === (after === WORD)); // \B

function placesWhere(test: (before: number, after: number) => boolean): number {
  let places = 0;
  for (let before = EDGE; before <= OTHER; before++) {
    for (let after = EDGE; after <= OTHER; after++) {
      if (test(before, after)) places |= 1 << ((before << 2) | after);
    }
  }
  return places;
}
