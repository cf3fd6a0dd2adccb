/**
 * The tree shows the architecture: this test reads every source file and fails on what the tree does
 * not allow. The rules are a pure function over (path, text) pairs, so that it can be shown to catch
 * what it is there for.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import test from 'ava';

/** From top to bottom. A file imports from its own folder and from those further down. */
const ORDER = [
  ...[
    'main',
    'server',
    'tools',
    'net',
    'xdr',
    'command',
    'security',
    'cluster',
    'partition',
    'shard',
    'query',
  ],
  ...['udf', 'storage', 'expression', 'data', 'wire', 'config', 'observe', 'base'],
];
/** Programs that talk to a server from outside must not reach into it. */
const TOOLS_MAY_USE = ['tools', 'wire', 'config', 'observe', 'base'];

/** The one place that makes shared memory; all others ask it for a Region. */
const MAY_SAY_SHARED_ARRAY_BUFFER = ['src/base/arena.ts'];

/** Where the memory order between threads is thought through. Everything else uses these classes. */
const MAY_SAY_ATOMICS: Readonly<Record<string, string>> = {
  'src/base/ring.ts': 'publishes and consumes frames between two threads',
  'src/base/sleeper.ts': 'says that it sleeps, is woken, looks once more',
  'src/base/flags.ts': 'words of state and ownership that several threads test and set',
  'src/base/budget.ts': 'one counter that the shards of a namespace take from and give back to',
};

/** Names that tell nothing, and so collect everything. */
const NAMELESS = ['utils', 'util', 'helpers', 'helper', 'common', 'misc'];

interface SourceFile {
  /** From the repository's root, with `/`. */
  path: string;
  text: string;
}

/** @returns One line for each thing that the tree does not allow. */
function violations(files: readonly SourceFile[], packages: readonly string[]): string[] {
  return files.flatMap(file => {
    const code = withoutComments(file.text);
    return [...importViolations(file.path, code, packages), ...wordViolations(file.path, code)];
  });
}

function importViolations(path: string, code: string, packages: readonly string[]): string[] {
  const own = folderOf(path);
  if (!ORDER.includes(own)) return [`${path}: src/${own} is not part of the tree`];
  const found: string[] = [];
  for (const target of importsOf(code)) {
    if (!target.startsWith('.')) {
      const name = target.split('/', target.startsWith('@') ? 2 : 1).join('/');
      const isKnown = target.startsWith('node:') || packages.includes(name);
      if (!isKnown) found.push(`${path}: imports ${target}, which is no runtime dependency of package.json`);
      continue;
    }
    const resolved = posix.join(posix.dirname(path), target);
    if (!resolved.startsWith('src/')) {
      found.push(`${path}: imports ${target} from outside src/`);
      continue;
    }
    const other = folderOf(resolved);
    const isUp = other !== own && ORDER.indexOf(other) <= ORDER.indexOf(own);
    const isTooDeep = own === 'tools' && !TOOLS_MAY_USE.includes(other);
    if (isUp || isTooDeep) found.push(`${path}: ${own} must not import from ${other} (${target})`);
  }
  return found;
}

function wordViolations(path: string, code: string): string[] {
  const found: string[] = [];
  if (/\bSharedArrayBuffer\b/.test(code) && !MAY_SAY_SHARED_ARRAY_BUFFER.includes(path)) {
    found.push(`${path}: says SharedArrayBuffer; ask base/arena.ts for a Region`);
  }
  if (/\bAtomics\b/.test(code) && !Object.hasOwn(MAY_SAY_ATOMICS, path)) {
    found.push(`${path}: says Atomics; use a class of ${Object.keys(MAY_SAY_ATOMICS).join(', ')}`);
  }
  if (/^\s*(export\s+)?(declare\s+)?(const\s+)?enum\s/m.test(code)) found.push(`${path}: declares an enum`);
  const name = posix.basename(path, '.ts');
  if (NAMELESS.includes(name)) found.push(`${path}: name the noun instead of ${name}`);
  return found;
}

/** `src/a/b.ts` → `a`, `src/main.ts` → `main`. */
function folderOf(path: string): string {
  return path.split('/')[1]!.replace(/\.[jt]s$/, '');
}

/** What a file names in `from '…'`, `import '…'`, `import('…')`, `require('…')` and `new URL('./…', import.meta.url)`. */
function importsOf(code: string): string[] {
  const forms = /(?:\bfrom|\bimport|\bimport\(|\brequire\(|\bnew URL\((?=\s*['"]\.))\s*['"]([\w@./:-]+)['"]/g;
  return [...code.matchAll(forms)].map(match => match[1]!);
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|(?<=^|[\s;{}(,])\/\/.*$/gm, '');
}

test('the tree holds: no import goes up, shared memory and enums are where they may be', t => {
  const paths = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(path =>
    path.endsWith('.ts'),
  );
  const files = paths.map(path => ({ path: `src/${path}`, text: readFileSync(`src/${path}`, 'utf8') }));
  t.true(files.length > 10, 'run from the repository’s root');
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
  t.deepEqual(violations(files, Object.keys(dependencies)), []);
});

test('every exception is still needed', t => {
  for (const path of [...MAY_SAY_SHARED_ARRAY_BUFFER, ...Object.keys(MAY_SAY_ATOMICS)]) {
    t.regex(withoutComments(readFileSync(path, 'utf8')), /\b(Atomics|SharedArrayBuffer)\b/, path);
  }
});

const check = (path: string, text: string) => violations([{ path, text }], ['pino', '@scope/known']);

test('an import that goes up is caught, however it is written', t => {
  for (const text of [
    `import { a } from '../net/http/server.js';`,
    `import type { A } from '../net/http/server.js';`,
    `import {\n  a,\n  b,\n} from '../net/http/server.js';`,
    `export * from "../net/http/server.js";`,
    `import '../net/http/server.js';`,
    `const net = await import('../net/http/server.js');`,
    `type Net = typeof import('../net/http/server.js');`,
    `new Worker(new URL('../net/http/server.js', import.meta.url));`,
  ]) {
    t.deepEqual(
      check('src/storage/engine.ts', text),
      ['src/storage/engine.ts: storage must not import from net (../net/http/server.js)'],
      text,
    );
  }
  t.is(check('src/shard/command/read.ts', `import { a } from '../../cluster/smd/item.js';`).length, 1);
  t.is(check('src/base/ring.ts', `import { main } from '../server.js';`).length, 1);
});

test('imports that go down, to the own folder or to known packages are allowed', t => {
  const text = `
    // import { a } from '../net/http/server.js';
    /* from '../net/x.js' */
    import fs from 'node:fs';
    import { pino } from 'pino';
    import deep from '@scope/known/deep.js';
    import { b } from './io/backend.js';
    import { c } from '../storage/record/flat-record.js';
    import { d } from '../base/arena.js';`;
  t.deepEqual(check('src/storage/engine.ts', text), []);
  t.deepEqual(check('src/server.ts', `import { a } from './net/http/server.js';`), []);
  t.deepEqual(check('src/main.ts', `import { a } from './server.js';`), []);
});

test('tools reach only what they may use', t => {
  t.deepEqual(check('src/tools/load-test/main.ts', `import { a } from '../../wire/info.js';`), []);
  t.is(check('src/tools/load-test/main.ts', `import { a } from '../../command/info/table.js';`).length, 1);
});

test('unknown folders, foreign files and unlisted packages are caught', t => {
  t.is(check('src/lib/x.ts', '').length, 1);
  t.is(check('src/net/x.ts', `import { a } from '../../test/support/x.js';`).length, 1);
  t.is(check('src/net/x.ts', `import fc from 'fast-check';`).length, 1);
  t.is(check('src/net/x.ts', `import fs from 'fs';`).length, 1);
});

test('shared memory, atomics, enums and nameless files are caught outside comments', t => {
  t.is(check('src/shard/x.ts', 'const s = new SharedArrayBuffer(8);').length, 1);
  t.is(check('src/shard/x.ts', 'Atomics.load(words, 0);').length, 1);
  t.is(check('src/base/ring.ts', 'Atomics.load(words, 0);').length, 0);
  t.is(
    check(
      'src/shard/x.ts',
      '// Atomics\n/** SharedArrayBuffer\n enum A {} */ const url = "http://x"; // Atomics',
    ).length,
    0,
  );
  t.is(check('src/shard/x.ts', 'export const enum A { B }').length, 1);
  t.is(check('src/shard/x.ts', 'enum A { B }').length, 1);
  t.is(check('src/net/utils.ts', '').length, 1);
});
