/** Sets of bytes: 256 bits in eight words, and the named ones of the C locale, where a byte is a character. */
export type ByteSet = Uint32Array;

export const NEWLINE_BYTE = 0x0a;

export function has(set: ByteSet, byte: number): boolean {
  return ((set[byte >>> 5]! >>> (byte & 31)) & 1) === 1;
}

export function add(set: ByteSet, byte: number): void {
  set[byte >>> 5]! |= 1 << (byte & 31);
}

/** Adds the bytes from `from` to `to`, both included. */
export function addRange(set: ByteSet, from: number, to: number): void {
  for (let word = from >>> 5; word <= to >>> 5; word++) {
    const first = Math.max(from - (word << 5), 0);
    const last = Math.min(to - (word << 5), 31);
    set[word]! |= (0xffff_ffff >>> (31 - last)) & (0xffff_ffff << first);
  }
}

export function addAll(set: ByteSet, other: ByteSet): void {
  for (let i = 0; i < 8; i++) set[i]! |= other[i]!;
}

/** @returns A new set of the bytes that are not in `set`. */
export function complement(set: ByteSet): ByteSet {
  return set.map(word => ~word);
}

export function emptySet(): ByteSet {
  return new Uint32Array(8);
}

/** @returns The set of the bytes in `ranges`: pairs of characters, both ends included. */
function setOf(ranges: string): ByteSet {
  const set = emptySet();
  for (let i = 0; i < ranges.length; i += 2) {
    addRange(set, ranges.charCodeAt(i), ranges.charCodeAt(i + 1));
  }
  return set;
}

/** What stands between `[:` and `:]`. Nothing above 0x7f is in any of them. */
export const CLASSES: ReadonlyMap<string, ByteSet> = new Map([
  ['alnum', setOf('09AZaz')],
  ['alpha', setOf('AZaz')],
  ['blank', setOf('  \t\t')],
  ['cntrl', setOf('\x00\x1f\x7f\x7f')],
  ['digit', setOf('09')],
  ['graph', setOf('!~')],
  ['lower', setOf('az')],
  ['print', setOf(' ~')],
  ['punct', setOf('!/:@[`{~')],
  ['space', setOf('\t\r  ')],
  ['upper', setOf('AZ')],
  ['xdigit', setOf('09AFaf')],
]);

export const WORD_SET = setOf('09AZaz__'); // \w
export const NOT_WORD_SET = complement(WORD_SET); // \W
export const SPACE_SET = setOf('\t\r  '); // \s
export const NOT_SPACE_SET = complement(SPACE_SET); // \S
export const ANY_SET = setOf('\x00\xff'); // a period
export const ANY_BUT_NEWLINE_SET = setOf('\x00\x09\x0b\xff');
