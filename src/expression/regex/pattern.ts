/**
 * The text of a pattern, and its tokens. Which characters are operators depends on the syntax: in a basic
 * regular expression most are so only behind a backslash, in an extended one only without it. The GNU
 * additions (`\+`, `\?` and `\|` in basic ones, `\w`, `\<` and their like in both) are included.
 */
import * as place from './place.js';

/** Kinds of token. */
export const END = 0;
export const CHARACTER = 1; // argument: the byte
export const OPEN_GROUP = 2;
export const CLOSE_GROUP = 3;
export const ALTERNATIVE = 4;
export const REPEAT = 5; // argument: the byte *, + or ?
export const OPEN_INTERVAL = 6;
export const CLOSE_INTERVAL = 7;
export const OPEN_BRACKET = 8;
export const PERIOD = 9;
export const ANCHOR = 10; // argument: the places where it holds
export const NAMED_SET = 11; // argument: the byte w, W, s or S
export const GROUP_REFERENCE = 12; // argument: 1 to 9
export const TRAILING_BACKSLASH = 13;

const BACKSLASH = 0x5c;
const CARET = 0x5e;
const DOLLAR = 0x24;
const LOWER_A = 0x61;
const LOWER_Z = 0x7a;
const CASE_BIT = 0x20;

/** Operators with a backslash in a basic expression and without one in an extended one. */
const SYNTAX_OPERATORS = tokens([
  ['(', OPEN_GROUP],
  [')', CLOSE_GROUP],
  ['{', OPEN_INTERVAL],
  ['}', CLOSE_INTERVAL],
  ['+', REPEAT],
  ['?', REPEAT],
  ['|', ALTERNATIVE],
]);
/** Operators without a backslash in both; `^` and `$` are not among them. */
const PLAIN_OPERATORS = tokens([
  ['*', REPEAT],
  ['.', PERIOD],
  ['[', OPEN_BRACKET],
]);
/** Operators with a backslash in both. */
const ESCAPED_OPERATORS = tokens([
  ['w', NAMED_SET],
  ['W', NAMED_SET],
  ['s', NAMED_SET],
  ['S', NAMED_SET],
  ['b', ANCHOR],
  ['B', ANCHOR],
  ['<', ANCHOR],
  ['>', ANCHOR],
  ['`', ANCHOR],
  ["'", ANCHOR],
  ...Array.from({ length: 9 }, (_, i): [string, number] => [`${i + 1}`, GROUP_REFERENCE]),
]);
const ANCHOR_PLACES: ReadonlyMap<number, number> = new Map([
  [0x62, place.WORD_EDGE],
  [0x42, place.NOT_WORD_EDGE],
  [0x3c, place.WORD_BEGIN],
  [0x3e, place.WORD_END],
  [0x60, place.AT_BEGIN],
  [0x27, place.AT_END],
]);

/** A byte's token kind, CHARACTER for most. */
function tokens(rows: ReadonlyArray<[character: string, kind: number]>): Uint8Array {
  const table = new Uint8Array(256).fill(CHARACTER);
  for (const [character, kind] of rows) table[character.charCodeAt(0)] = kind;
  return table;
}

/** The byte in upper case, of ASCII letters only. */
export function upperCase(byte: number): number {
  return byte >= LOWER_A && byte <= LOWER_Z ? byte - CASE_BIT : byte;
}

export class Pattern {
  readonly #bytes: Uint8Array;
  readonly #from: number;
  readonly #end: number;
  readonly extended: boolean;
  readonly ignoreCase: boolean;
  readonly newline: boolean;
  /** Position of what comes after the current token. */
  at: number;
  /** The current token. */
  kind = END;
  argument = 0;

  constructor(
    bytes: Uint8Array,
    at: number,
    end: number,
    extended: boolean,
    ignoreCase: boolean,
    newline: boolean,
  ) {
    this.#bytes = bytes;
    this.#from = at;
    this.#end = end;
    this.extended = extended;
    this.ignoreCase = ignoreCase;
    this.newline = newline;
    this.at = at;
  }

  /** The byte `ahead` bytes on, in upper case when case is ignored; -1 behind the end. */
  peek(ahead: number): number {
    const at = this.at + ahead;
    return at < this.#end ? this.byteAt(at) : -1;
  }

  byteAt(at: number): number {
    const byte = this.#bytes[at]!;
    return this.ignoreCase ? upperCase(byte) : byte;
  }

  /** The text as it was sent, one character a byte. */
  text(at: number, size: number): string {
    let text = '';
    for (let i = at; i < at + size; i++) text += String.fromCharCode(this.#bytes[i]!);
    return text;
  }

  /** Reads the next token. `isBranchStart`: it is the first of a branch inside or after another one. */
  advance(isBranchStart: boolean): void {
    const at = this.at;
    const byte = this.peek(0);
    this.argument = byte;
    if (byte < 0) {
      this.kind = END;
      return;
    }
    this.at++;
    if (byte === BACKSLASH) this.#escaped();
    else if (byte === CARET) {
      if (this.extended || isBranchStart || at === this.#from) this.#anchor(place.LINE_BEGIN);
      else this.kind = CHARACTER;
    } else if (byte === DOLLAR) {
      if (this.extended || this.#endsBranch()) this.#anchor(place.LINE_END);
      else this.kind = CHARACTER;
    } else {
      this.kind = PLAIN_OPERATORS[byte]!;
      if (this.kind === CHARACTER && this.extended) this.kind = SYNTAX_OPERATORS[byte]!;
    }
  }

  #escaped(): void {
    if (this.at >= this.#end) {
      this.kind = TRAILING_BACKSLASH;
      return;
    }
    // Also when case is ignored the byte counts as it is: `\a` then matches nothing, as in the C library.
    const byte = this.#bytes[this.at++]!;
    this.argument = byte;
    this.kind = ESCAPED_OPERATORS[byte]!;
    if (this.kind === CHARACTER && !this.extended) this.kind = SYNTAX_OPERATORS[byte]!;
    if (this.kind === ANCHOR) this.argument = ANCHOR_PLACES.get(byte)!;
    else if (this.kind === GROUP_REFERENCE) this.argument = byte & 15;
  }

  #anchor(places: number): void {
    this.kind = ANCHOR;
    this.argument = places;
  }

  /** Whether the pattern, a branch or a group of a basic expression ends here. */
  #endsBranch(): boolean {
    if (this.at >= this.#end) return true;
    if (this.#bytes[this.at] !== BACKSLASH || this.at + 1 >= this.#end) return false;
    const kind = SYNTAX_OPERATORS[this.#bytes[this.at + 1]!]!;
    return kind === ALTERNATIVE || kind === CLOSE_GROUP;
  }
}
