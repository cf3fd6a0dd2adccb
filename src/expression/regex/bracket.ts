/**
 * Bracket expressions, `[a-z[:digit:]]`, in the C locale: characters are bytes in the order of their codes, and
 * the only collating elements are single ones. What a bracket expression may not be follows the GNU C library,
 * as measured: a hyphen that is neither first nor last nor between two ends is refused, a backward range too.
 */

import {
  add,
  addAll,
  addRange,
  type ByteSet,
  CLASSES,
  complement,
  emptySet,
  NEWLINE_BYTE,
} from './byte-set.js';
import type { Pattern } from './pattern.js';

const CLOSE_BRACKET = 0x5d;
const OPEN_BRACKET = 0x5b;
const HYPHEN = 0x2d;
const CARET = 0x5e;
const COLON = 0x3a;
const EQUALS = 0x3d;
const PERIOD = 0x2e;
const NAME_SIZE_MAX = 32; // bytes

/** What `readElement` returns for something that is not a single byte, which is then in the set already. */
const CLASS = 256;
const BAD = -1;

/**
 * Reads a bracket expression whose opening bracket ends at `pattern.at`, and moves `at` behind the closing one.
 * @returns The bytes it stands for; undefined when it is not valid.
 */
export function readBracket(pattern: Pattern): ByteSet | undefined {
  const set = emptySet();
  const isNegated = pattern.peek(0) === CARET;
  if (isNegated) pattern.at++;
  let isFirst = true;
  do {
    const from = readElement(pattern, set, isFirst);
    if (from < 0) return undefined;
    isFirst = false;
    if (from === CLASS) continue;
    if (startsRange(pattern)) {
      pattern.at++;
      const to = readElement(pattern, set, true);
      if (to === CLASS || to < from) return undefined; // includes BAD
      addRange(set, from, to);
    } else add(set, from);
  } while (pattern.peek(0) !== CLOSE_BRACKET);
  pattern.at++;
  if (!isNegated) return set;
  if (pattern.newline) add(set, NEWLINE_BYTE);
  return complement(set);
}

/** Whether a hyphen comes next that stands between the ends of a range. */
function startsRange(pattern: Pattern): boolean {
  return pattern.peek(0) === HYPHEN && pattern.peek(1) !== CLOSE_BRACKET;
}

/** Reads a byte, `[.x.]`, `[=x=]` or `[:name:]`. @returns A byte, CLASS or BAD. */
function readElement(pattern: Pattern, set: ByteSet, mayBeHyphen: boolean): number {
  const byte = pattern.peek(0);
  if (byte < 0) return BAD;
  if (byte === OPEN_BRACKET) {
    const delimiter = pattern.peek(1);
    if (delimiter === COLON || delimiter === EQUALS || delimiter === PERIOD) {
      pattern.at += 2;
      return readSymbol(pattern, set, delimiter);
    }
  }
  if (byte === HYPHEN && !mayBeHyphen && pattern.peek(1) !== CLOSE_BRACKET) return BAD;
  pattern.at++;
  return byte;
}

function readSymbol(pattern: Pattern, set: ByteSet, delimiter: number): number {
  const from = pattern.at;
  while (pattern.peek(0) !== delimiter || pattern.peek(1) !== CLOSE_BRACKET) {
    if (pattern.peek(0) < 0 || pattern.at - from >= NAME_SIZE_MAX) return BAD;
    pattern.at++;
  }
  const size = pattern.at - from;
  pattern.at += 2;
  if (delimiter === COLON) {
    const named = CLASSES.get(className(pattern, from, size));
    if (named === undefined) return BAD;
    addAll(set, named);
    return CLASS;
  }
  if (size !== 1) return BAD;
  const byte = pattern.byteAt(from);
  if (delimiter === PERIOD) return byte;
  add(set, byte);
  return CLASS;
}

/** The name of a class; when case is ignored, both cases of letters are all letters. */
function className(pattern: Pattern, from: number, size: number): string {
  const name = pattern.text(from, size);
  return pattern.ignoreCase && (name === 'lower' || name === 'upper') ? 'alpha' : name;
}
