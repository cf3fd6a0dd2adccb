import test from 'ava';
import { inlineConstants } from '../../scripts/inline-constants.js';

const OTHER = `export const SIZE = 8; // bytes
export const MASK = SIZE - 1;
export const LOWEST = -0x80000000;
const HIDDEN = 3;
export const BIG = 5n;
export const NAMES = ['a'];
export let LATER = 4;
`;

/** @returns What becomes of a file that is beside OTHER, which is `other.js`. */
function inlined(source: string): string {
  const sources = new Map([
    ['src/a/one.js', source],
    ['src/b/other.js', OTHER],
  ]);
  return inlineConstants(sources).get('src/a/one.js') ?? source;
}

const OPEN = '$' + '{';
const IMPORT = "import { SIZE, MASK, LOWEST, BIG, NAMES, LATER } from '../b/other.js';\n";

for (const [title, source, expected] of [
  ['a number', 'f(SIZE);', 'f(8);'],
  ['one made of others', 'f(MASK & x);', 'f(7 & x);'],
  ['a negative one', 'f(x -LOWEST);', 'f(x -(-2147483648));'],
  ['one whose property is used', 'f(SIZE.toString());', 'f((8).toString());'],
  ['a short property keeps its name', 'f({ SIZE, a: MASK });', 'f({ SIZE: 8, a: 7 });'],
  ['an argument is no short property', 'f(a, SIZE, [b, SIZE, c]);', 'f(a, 8, [b, 8, c]);'],
  ['a computed name', 'f({ [SIZE]: x });', 'f({ [8]: x });'],
  ['a case', 'switch (x) { case SIZE: f(); }', 'switch (x) { case 8: f(); }'],
  ['either side of a condition', 'f(x ? SIZE : MASK);', 'f(x ? 8 : 7);'],
  [
    'code in a template',
    `f(\`SIZE ${OPEN}SIZE + \`${OPEN}MASK}\`} SIZE\`, SIZE);`,
    `f(\`SIZE ${OPEN}8 + \`${OPEN}7}\`} SIZE\`, 8);`,
  ],
  [
    'after a regular expression',
    'f(/[/"]SIZE/.test(x), SIZE / 2, 4 / SIZE);',
    'f(/[/"]SIZE/.test(x), 8 / 2, 4 / 8);',
  ],
] as const) {
  test(`${title}: the number is written where the name was`, t => {
    t.is(inlined(`${IMPORT}${source}`), `${IMPORT}${expected}`);
  });
}

for (const source of [
  'f(x.SIZE, x?.SIZE);',
  'f({ SIZE: 1 });',
  'f(\'SIZE\', "SIZE", `SIZE`); // SIZE\n/* SIZE */',
  'f(BIG, NAMES, LATER);',
  'export { SIZE };',
  'class A { static SIZE = 1; get MASK() {} }',
]) {
  test(`nothing is written into ${source}`, t => {
    t.is(inlined(`${IMPORT}${source}`), `${IMPORT}${source}`);
  });
}

test('members of a whole module that was imported are numbers, those of other objects are not', t => {
  const source = "import * as O from '../b/other.js';\n";
  t.is(inlined(`${source}f(O.SIZE + x.O.SIZE + O.HIDDEN);`), `${source}f(8 + x.O.SIZE + O.HIDDEN);`);
});

test('a name that is imported under another is replaced under that', t => {
  const source = "import { SIZE as WIDTH } from '../b/other.js';\n";
  t.is(inlined(`${source}f(WIDTH, SIZE);`), `${source}f(8, SIZE);`);
});

test('constants of the same file are replaced too, and stay declared', t => {
  t.is(
    inlined('export const A = 2;\nconst B = A << 3;\nf(A, B);'),
    'export const A = 2;\nconst B = 2 << 3;\nf(2, 16);',
  );
});

test('a name that is declared once more inside is left alone', t => {
  for (const source of [
    'const A = 2;\nfunction g() { const A = h(); return A; }\n',
    'const A = 2;\nfunction g() { const { A, b } = h(); return A; }\n',
    `${IMPORT}function g() { let SIZE = 1; return SIZE; }\n`,
  ]) {
    t.is(inlined(source), source);
  }
});

test('a constant is known however many modules are between it and its number', t => {
  const changed = inlineConstants(
    new Map([
      ['a.js', "import { B } from './b.js';\nimport * as C from './c.js';\nexport const A = B * C.C;\nf(A);"],
      ['b.js', "import { C } from './c.js';\nexport const B = C + 1;"],
      ['c.js', 'export const C = 1;'],
    ]),
  );
  t.regex(changed.get('a.js')!, /export const A = 2 \* 1;\nf\(2\);$/);
  t.false(changed.has('c.js'));
});

test('what is no module is refused', t => {
  t.throws(() => inlined('f(`abc'), { instanceOf: SyntaxError });
});

test('names that arguments, functions and classes inside have, too, are left alone', t => {
  for (const source of [
    'const A = 2;\nfunction g(A) { return A; }\n',
    'const A = 2;\nconst g = ([A, b = A]) => A;\n',
    'const A = 2;\nfunction g() { function A() {} return A; }\n',
    'const A = 2;\nfunction g() { try { h(); } catch (A) { return A; } }\n',
    'const A = 2;\nconst g = class A { h() { return A; } };\n',
  ]) {
    t.is(inlined(source), source);
  }
});

test('what is exported under another name is known under that', t => {
  const sources = new Map([
    ['a.js', "import { B } from './b.js';\nf(B);"],
    ['b.js', 'const A = 3;\nexport { A as B };'],
  ]);
  t.deepEqual([...inlineConstants(sources)], [['a.js', "import { B } from './b.js';\nf(3);"]]);
});
