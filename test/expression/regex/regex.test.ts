import { readFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import {
  compileRegex,
  REGEX_EXTENDED,
  REGEX_ICASE,
  REGEX_NEWLINE,
} from '../../../src/expression/regex/compile.js';
import { NODES_MAX } from '../../../src/expression/regex/program.js';

type Row = [flags: number, pattern: string, subject: string, answer: number];

const answers: { origin: string; rows: Row[] } = JSON.parse(
  readFileSync(new URL('../../../../test/expression/regex/glibc-answers.json', import.meta.url), 'utf8'),
);
const REFUSED = -1;
const UNKNOWN = -1;
/** Processor time, far above what is needed: a search within its budget takes 50 ms, compiling 5 ms, on a free machine. */
const MATCHES_MS_MAX = 1000;
const COMPILE_MS_MAX = 300;

function compile(pattern: string, flags = REGEX_EXTENDED) {
  const bytes = Buffer.from(`<<${pattern}>>`, 'latin1');
  return compileRegex(bytes, 2, bytes.length - 4, flags);
}

/** The answer for `subject` between word characters that are not part of it. */
function answerOf(pattern: string, subject: string, flags = REGEX_EXTENDED): number {
  const bytes = Buffer.from(`ab${subject}ba`, 'latin1');
  const regex = compile(pattern, flags);
  if (regex === undefined) return REFUSED;
  const answer = regex.matches(bytes, 2, bytes.length - 4);
  return answer === UNKNOWN ? NaN : answer;
}

function msOf(act: () => unknown): number {
  const from = process.cpuUsage();
  act();
  return process.cpuUsage(from).user / 1000;
}

test(`every answer is that of the ${answers.origin}`, t => {
  const wrong = answers.rows.filter(
    ([flags, pattern, subject, answer]) => answerOf(pattern, subject, flags) !== answer,
  );
  t.true(answers.rows.length > 2000);
  t.deepEqual(wrong, []);
});

test('an assertion holds in every copy of what is repeated, unlike in the C library, which finds these matches', t => {
  for (const [pattern, subject] of [
    ['(\\<.){2}', 'b b'],
    ['(\\b[ab]{1,3}){2}', 'bba'],
    ['(^.)+ ', 'aaaa aa'],
  ] as const) {
    t.is(answerOf(pattern, subject), 0, pattern);
  }
});

test('a subject and a pattern end at their first NUL', t => {
  t.is(answerOf('b', 'a\0b'), 0);
  t.is(answerOf('^a$', 'a\0b'), 1);
  t.is(answerOf('^$', '\0b'), 1);
  t.is(answerOf('(a)\\1', 'a\0a'), 0);
  t.is(answerOf('(a)$\\1*', 'ba\0a'), 1);
  t.is(answerOf('a\0(', 'a'), 1);
});

test('a NUL at the end of a shared buffer is not needed: nothing outside the span is seen', t => {
  t.is(answerOf('aba', 'b'), 0);
  t.is(answerOf('\\bb\\b', 'b'), 1);
  t.is(answerOf('^b$', 'b'), 1);
  t.is(answerOf('(b)\\1', 'b'), 0);
});

test('flag bits without a meaning have none', t => {
  t.is(answerOf('^A.B$', 'a\nb', REGEX_EXTENDED | REGEX_ICASE | 0xff0), 1);
  t.is(answerOf('^A.B$', 'a\nb', REGEX_EXTENDED | REGEX_ICASE | REGEX_NEWLINE | 0xff0), 0);
});

/** A regular expression as a tree, with its text and a matcher too plain to be wrong: the ends of its matches. */
interface Plain {
  text: string;
  ends(subject: string, from: number): Set<number>;
}

const byte = (text: string, accepts: string): Plain => ({
  text,
  ends: (subject, from) =>
    new Set(from < subject.length && accepts.includes(subject[from]!) ? [from + 1] : []),
});
const after = (ends: Set<number>, part: Plain, subject: string): Set<number> =>
  new Set([...ends].flatMap(end => [...part.ends(subject, end)]));
const sequence = (parts: Plain[]): Plain => ({
  text: parts.map(part => part.text).join(''),
  ends: (subject, from) => parts.reduce((ends, part) => after(ends, part, subject), new Set([from])),
});
const choice = (parts: Plain[]): Plain => ({
  text: `(${parts.map(part => part.text).join('|')})`,
  ends: (subject, from) => new Set(parts.flatMap(part => [...part.ends(subject, from)])),
});
const repeated = (part: Plain, text: string, min: number, max: number): Plain => ({
  text: `(${part.text})${text}`,
  ends(subject, from) {
    let ends = new Set([from]);
    const all = new Set(min === 0 ? [from] : []);
    // More rounds than min plus the subject's length bring no new end.
    for (let round = 1; round <= Math.min(max, min + subject.length + 1); round++) {
      ends = after(ends, part, subject);
      if (round >= min) for (const end of ends) all.add(end);
    }
    return all;
  },
});
const REPETITIONS: ReadonlyArray<[text: string, min: number, max: number]> = [
  ['*', 0, Infinity],
  ['+', 1, Infinity],
  ['?', 0, 1],
  ['{0}', 0, 0],
  ['{3}', 3, 3],
  ['{2,}', 2, Infinity],
  ['{,2}', 0, 2],
  ['{1,3}', 1, 3],
];
const { tree } = fc.letrec<{ tree: Plain }>(tie => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(byte('a', 'a'), byte('b', 'b'), byte('.', 'abc'), byte('[^a]', 'bc'), byte('[ab]', 'ab')),
    fc.array(tie('tree'), { maxLength: 4 }).map(sequence),
    fc.array(tie('tree'), { minLength: 1, maxLength: 3 }).map(choice),
    fc
      .tuple(tie('tree'), fc.constantFrom(...REPETITIONS))
      .map(([part, [text, min, max]]) => repeated(part, text, min, max)),
  ),
}));
const subjects = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 12 }).map(bytes => bytes.join(''));

test('expressions built at random match where a plain matcher finds a match', t => {
  fc.assert(
    fc.property(
      tree,
      fc.array(subjects, { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      (plain, all, isWhole) => {
        const regex = compile(isWhole ? `^(${plain.text})$` : plain.text)!;
        for (const subject of all) {
          const starts = isWhole ? [0] : Array.from({ length: subject.length + 1 }, (_, i) => i);
          const isMatch = starts.some(start => {
            const ends = plain.ends(subject, start);
            return isWhole ? ends.has(subject.length) : ends.size > 0;
          });
          t.is(regex.matches(Buffer.from(subject), 0, subject.length), isMatch ? 1 : 0);
        }
      },
    ),
    { numRuns: 500 },
  );
  t.pass();
});

test('patterns that are slow elsewhere take one pass over a long subject', t => {
  const long = 'a'.repeat(300_000);
  for (const [pattern, subject, answer] of [
    ['(a*)*b', long, 0],
    ['(a|aa)+$', `${long}b`, 0],
    ['(a|aa)+$', long, 1],
    ['((a*)*)*b$', `${long}b`, 1],
    ['(x+x+)+y', 'x'.repeat(300_000), 0],
    ['(.*)(.*)(.*)(.*)(.*)[^a]', long, 0],
    ['^(([a-z])+.)+[A-Z]([a-z])+$', long, 0],
  ] as const) {
    const regex = compile(pattern)!;
    const bytes = Buffer.from(subject);
    t.true(
      msOf(() => t.is(regex.matches(bytes, 0, bytes.length), answer, pattern)) < MATCHES_MS_MAX,
      pattern,
    );
  }
});

test('answers stay right when there are more states than the cache holds', t => {
  let seed = 1;
  const bits = Buffer.alloc(24_000);
  for (let i = 0; i < bits.length; i++) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    bits[i] = (seed >>> 20) & 1 ? 0x61 : 0x62;
  }
  const regex = compile('a[ab]{15}$')!;
  for (let size = bits.length; size > bits.length - 40; size--) {
    t.is(regex.matches(bits, 0, size), bits[size - 16] === 0x61 ? 1 : 0);
  }
});

test('a search that would take too long has an unknown answer soon, and the next one is not worse for it', t => {
  const noise = Buffer.alloc(1_000_000);
  for (let i = 0, seed = 7; i < noise.length; i++) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    noise[i] = 0x61 + ((seed >>> 20) & 1);
  }
  for (const pattern of [
    'a.{200}c',
    'a.{20000}c',
    '^(.*)(.*)(.*)x*\\1\\2\\3[^a]\\3.{9}$',
    '((a|b)*)*(.)\\1[ab]{7}\\3[^ab]?\\2{3}$',
  ]) {
    const regex = compile(pattern)!;
    t.true(
      msOf(() => t.is(regex.matches(noise, 0, noise.length), UNKNOWN, pattern)) < MATCHES_MS_MAX,
      pattern,
    );
    t.is(regex.matches(Buffer.from('abc'), 0, 1), 0, pattern);
  }
});

test('patterns of any size are compiled or refused soon', t => {
  const size = 65_536;
  const brackets = Array.from(
    { length: 9000 },
    (_, i) => `[${String.fromCharCode(97 + (i % 26), 128 + (i % 100))}a]`,
  );
  for (const [pattern, isRefused] of [
    ['abcdefgh'.repeat(size / 8 - 1), false],
    ['.'.repeat(size - 2), false],
    [`${'('.repeat(size / 4)}a${')'.repeat(size / 4)}`, false],
    [`${'('.repeat(10_000)}a${')*'.repeat(10_000)}`, false],
    [`a${'*'.repeat(size - 4)}`, false],
    ['a{32767}', false],
    ['a{0,30000}', false],
    ['a'.repeat(NODES_MAX), true],
    ['(', true],
    ['('.repeat(16 * size), true],
    ['(a{30000}){0}'.repeat(5000), true],
    [`[${'\x01-\xff'.repeat(300_000)}]`, false],
    ['(a{1000}){1000}', true],
    [`a${'{255}'.repeat(100)}`, true],
    [`(${'(a'.repeat(5000)}${'){2}'.repeat(5000)})`, true],
    ['a|'.repeat(size / 2), true],
    [brackets.join(''), true],
  ] as const) {
    const name = pattern.slice(0, 20);
    t.true(msOf(() => t.is(compile(pattern) === undefined, isRefused, name)) < COMPILE_MS_MAX, name);
  }
});

test('a pattern compiled twice before is the same object, whatever became of the bytes it was read from', t => {
  const bytes = Buffer.from('^same[0-9]');
  compileRegex(bytes, 0, bytes.length, REGEX_EXTENDED);
  const regex = compileRegex(bytes, 0, bytes.length, REGEX_EXTENDED);
  bytes.fill(0x2a);
  t.is(compile('^same[0-9]'), regex);
  t.not(compile('^same[0-9]', REGEX_ICASE), regex);
  t.is(regex!.matches(Buffer.from('same5'), 0, 5), 1);
});
