/**
 * From a pattern to a program. One pass over the tokens with a stack of open groups of our own, so that deep
 * nesting costs no call stack. What is refused, and what an operator in an odd place means, is what the GNU C
 * library does: in an extended expression `*` at the start of a branch or after an anchor is refused, in a
 * basic one it is an ordinary character; `a{0}` is nothing at all; an unmatched `)` is a character.
 */
import { readBracket } from './bracket.js';
import {
  ANY_BUT_NEWLINE_SET,
  ANY_SET,
  type ByteSet,
  NOT_SPACE_SET,
  NOT_WORD_SET,
  SPACE_SET,
  WORD_SET,
} from './byte-set.js';
import * as pat from './pattern.js';
import {
  ASSERT,
  BACKREF,
  CHAR,
  CLOSE,
  LOOP,
  MATCH,
  NODES_MAX,
  NOP,
  OPEN,
  type Program,
  ProgramBuilder,
  SPLIT,
} from './program.js';

const COMMA = 0x2c;
const ZERO = 0x30;
const STAR = 0x2a;
const PLUS = 0x2b;
const REPEAT_MAX = 32_767; // RE_DUP_MAX
const UNBOUNDED = -1;
const BAD_NUMBER = -2;
const NO_NUMBER = -1;
const GROUP_MAX = 9; // the last one that can be referred to
const DEPTH_MAX = 20_000; // open groups; the C library's own stack ends not far from there
const NONE = -1;

const NAMED_SETS: ReadonlyMap<number, ByteSet> = new Map([
  [0x77, WORD_SET],
  [0x57, NOT_WORD_SET],
  [0x73, SPACE_SET],
  [0x53, NOT_SPACE_SET],
]);

/** A group that is being read. The whole pattern is one, number 0. */
class Group {
  /** Its own number, from 1 on. */
  readonly number: number;
  /** Node count when it began. */
  readonly from: number;
  /** The groups that were complete when it began, and those that its finished branches have completed: bit n is group n. */
  readonly closedBefore: number;
  closedInBranches = 0;
  /** The branch read so far: entry and exit. */
  branchEntry = NONE;
  branchExit = NONE;
  /** The finished branches: entry, and the node where they meet. */
  entry = NONE;
  join = NONE;

  constructor(number: number, from: number, closedBefore: number) {
    this.number = number;
    this.from = from;
    this.closedBefore = closedBefore;
  }
}

const builder = new ProgramBuilder();

/** @returns The program of `pattern`, which is read to its end; undefined when it is not valid or too large. */
export function parse(pattern: pat.Pattern): Program | undefined {
  return new Parser(pattern).run();
}

class Parser {
  readonly #pattern: pat.Pattern;
  readonly #open: Group[] = [];
  #group = new Group(0, 0, 0);
  #groupCount = 0;
  /** Bit n: group n is complete and may be referred to. A branch does not see the groups of those before it. */
  #closedGroups = 0;
  #hasBackrefs = false;
  /** The atom that was read last: its first node, entry and exit. */
  #from = 0;
  #entry = 0;
  #exit = 0;

  constructor(pattern: pat.Pattern) {
    this.#pattern = pattern;
  }

  run(): Program | undefined {
    const pattern = this.#pattern;
    builder.reset();
    pattern.advance(true);
    while (pattern.kind !== pat.END) {
      if (!this.#term() || builder.isFull) return undefined;
    }
    if (this.#open.length > 0) return undefined;
    this.#endGroup();
    builder.next[this.#exit] = builder.node(MATCH);
    if (builder.isFull) return undefined;
    return builder.finish(this.#entry, pattern.ignoreCase, pattern.newline, this.#hasBackrefs);
  }

  /** Reads up to the end of an atom with its repetitions, or one of `(`, `|` and anchors. @returns Whether it is valid. */
  #term(): boolean {
    const pattern = this.#pattern;
    switch (pattern.kind) {
      case pat.OPEN_GROUP:
        if (this.#open.length === DEPTH_MAX) return false;
        this.#open.push(this.#group);
        this.#group = new Group(++this.#groupCount, builder.count, this.#closedGroups);
        pattern.advance(true);
        return true;
      case pat.ALTERNATIVE:
        this.#endBranch();
        this.#group.closedInBranches |= this.#closedGroups;
        this.#closedGroups = this.#group.closedBefore;
        pattern.advance(true);
        return true;
      case pat.ANCHOR:
        this.#append(builder.node(ASSERT, pattern.argument));
        pattern.advance(false);
        return true;
      default:
        if (!this.#atom()) return false;
        pattern.advance(false);
        if (!this.#repetitions()) return false;
        this.#append(this.#entry, this.#exit);
        return true;
    }
  }

  /** Makes the current token, with what belongs to it, the atom. */
  #atom(): boolean {
    const pattern = this.#pattern;
    this.#from = builder.count;
    let node: number;
    switch (pattern.kind) {
      case pat.CHARACTER:
      case pat.CLOSE_INTERVAL:
        node = builder.node(CHAR, pattern.argument);
        break;
      case pat.REPEAT:
        if (pattern.extended) return false;
        node = builder.node(CHAR, pattern.argument);
        break;
      case pat.CLOSE_GROUP:
        if (this.#open.length > 0) {
          this.#closeGroup();
          return true;
        }
        if (!pattern.extended) return false;
        node = builder.node(CHAR, pattern.argument);
        break;
      case pat.PERIOD:
        node = builder.setNode(pattern.newline ? ANY_BUT_NEWLINE_SET : ANY_SET);
        break;
      case pat.NAMED_SET:
        node = builder.setNode(NAMED_SETS.get(pattern.argument)!);
        break;
      case pat.OPEN_BRACKET: {
        const set = readBracket(pattern);
        if (set === undefined) return false;
        node = builder.setNode(set);
        break;
      }
      case pat.GROUP_REFERENCE:
        if (((this.#closedGroups >>> pattern.argument) & 1) === 0) return false;
        this.#hasBackrefs = true;
        node = builder.node(BACKREF, pattern.argument);
        break;
      default:
        return false; // OPEN_INTERVAL, TRAILING_BACKSLASH
    }
    this.#entry = node;
    this.#exit = node;
    return true;
  }

  #append(entry: number, exit = entry): void {
    const group = this.#group;
    if (group.branchEntry === NONE) group.branchEntry = entry;
    else builder.next[group.branchExit] = entry;
    group.branchExit = exit;
  }

  #endBranch(): void {
    const group = this.#group;
    if (group.branchEntry === NONE) this.#append(builder.node(NOP));
    if (group.join === NONE) {
      group.join = builder.node(NOP);
      group.entry = group.branchEntry;
    } else group.entry = builder.node(SPLIT, group.branchEntry, group.entry);
    builder.next[group.branchExit] = group.join;
    group.branchEntry = NONE;
  }

  /** Makes the current group the atom. */
  #endGroup(): void {
    const group = this.#group;
    if (group.join !== NONE) this.#endBranch();
    else if (group.branchEntry === NONE) this.#append(builder.node(NOP));
    this.#from = group.from;
    this.#entry = group.join === NONE ? group.branchEntry : group.entry;
    this.#exit = group.join === NONE ? group.branchExit : group.join;
  }

  #closeGroup(): void {
    const { number, closedInBranches } = this.#group;
    this.#endGroup();
    this.#group = this.#open.pop()!;
    this.#closedGroups |= closedInBranches;
    if (number > GROUP_MAX) return;
    this.#closedGroups |= 1 << number;
    this.#entry = builder.node(OPEN, number, this.#entry);
    const close = builder.node(CLOSE, number);
    builder.next[this.#exit] = close;
    this.#exit = close;
  }

  /** Applies the repetition operators that follow the atom to it. */
  #repetitions(): boolean {
    const pattern = this.#pattern;
    while (pattern.kind === pat.REPEAT || pattern.kind === pat.OPEN_INTERVAL) {
      if (pattern.kind === pat.OPEN_INTERVAL) {
        if (!this.#interval()) return false;
      } else if (pattern.argument === STAR) this.#repeat(0, UNBOUNDED);
      else if (pattern.argument === PLUS) this.#repeat(1, UNBOUNDED);
      else this.#repeat(0, 1);
      if (builder.isFull) return false;
      pattern.advance(false);
      if (pattern.extended) continue;
      if (pattern.kind === pat.OPEN_INTERVAL || (pattern.kind === pat.REPEAT && pattern.argument === STAR)) {
        return false;
      }
    }
    return true;
  }

  /** Reads `{n}`, `{n,}`, `{,m}` or `{n,m}` from the opening brace to the closing one. */
  #interval(): boolean {
    const pattern = this.#pattern;
    let min = this.#number();
    if (min === NO_NUMBER && pattern.kind === pat.CHARACTER) min = 0; // `{,m}`
    let max = min;
    if (pattern.kind === pat.CHARACTER) max = this.#number();
    if (min < 0 || max === BAD_NUMBER || pattern.kind !== pat.CLOSE_INTERVAL) return false;
    if (Math.max(min, max) > REPEAT_MAX || (max !== UNBOUNDED && min > max)) return false;
    this.#repeat(min, max);
    return true;
  }

  /** Reads digits up to a comma or closing brace, which becomes the current token. */
  #number(): number {
    const pattern = this.#pattern;
    let number = NO_NUMBER;
    for (;;) {
      pattern.advance(false);
      if (pattern.kind === pat.CLOSE_INTERVAL) return number;
      if (pattern.kind !== pat.CHARACTER) return BAD_NUMBER;
      if (pattern.argument === COMMA) return number;
      const digit = pattern.argument - ZERO;
      if (digit < 0 || digit > 9) return BAD_NUMBER;
      number = Math.min(REPEAT_MAX + 1, Math.max(number, 0) * 10 + digit);
    }
  }

  /** Makes the atom `min` to `max` of itself; `max` may be UNBOUNDED. */
  #repeat(min: number, max: number): void {
    if (max === 0) {
      builder.count = this.#from;
      this.#entry = this.#exit = builder.node(NOP);
      return;
    }
    const from = this.#from;
    const size = builder.count - from;
    const copies = max === UNBOUNDED ? Math.max(min, 1) : max;
    if (size * copies > NODES_MAX) {
      builder.isFull = true;
      return;
    }
    const join = max === UNBOUNDED || min === max ? NONE : builder.node(NOP);
    let entry = this.#entry;
    let exit = this.#exit;
    for (let i = 0; i < copies; i++) {
      const delta = i === 0 ? 0 : builder.copy(from, from + size);
      if (builder.isFull) return;
      const bodyEntry = this.#entry + delta;
      const bodyExit = this.#exit + delta;
      let copyEntry = bodyEntry;
      let copyExit = bodyExit;
      if (max === UNBOUNDED && i === copies - 1) {
        copyExit = builder.node(LOOP, bodyEntry);
        builder.next[bodyExit] = copyExit;
        if (min === 0) copyEntry = copyExit;
      } else if (i >= min) copyEntry = builder.node(SPLIT, bodyEntry, join);
      if (i === 0) entry = copyEntry;
      else builder.next[exit] = copyEntry;
      exit = copyExit;
    }
    if (join !== NONE) {
      builder.next[exit] = join;
      exit = join;
    }
    this.#entry = entry;
    this.#exit = exit;
  }
}
