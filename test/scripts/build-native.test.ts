import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { INTERFACE_VERSION } from '../../src/base/native-module.js';

/** A copy of what the script needs, so that the addon in use stays as it is. */
function copyOf(t: ExecutionContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'caltrop-native-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  mkdirSync(path.join(folder, 'scripts'));
  mkdirSync(path.join(folder, 'native'));
  cpSync('scripts/build-native', path.join(folder, 'scripts/build-native'));
  cpSync('native', path.join(folder, 'native'), {
    recursive: true,
    filter: source => !source.includes(path.join('native', 'build')),
  });
  symlinkSync(path.resolve('node_modules'), path.join(folder, 'node_modules'));
  return folder;
}

function build(folder: string, options: string[] = [], env: NodeJS.ProcessEnv = {}) {
  const script = path.join(folder, 'scripts/build-native');
  return spawnSync(script, options, { encoding: 'utf8', env: { ...process.env, ...env } });
}

const hasCompiler = spawnSync('g++', ['--version']).status === 0;
const withCompiler = hasCompiler ? test : test.skip;

withCompiler('the addon compiles without a warning and loads', t => {
  const folder = copyOf(t);
  const { status, stderr } = build(folder, ['-Werror', '-O1']);
  t.is(status, 0, stderr);
  t.is(stderr, '');
  const addon = path.join(folder, 'native/build/caltrop.node');
  const { stdout } = spawnSync(process.execPath, ['-p', `require('${addon}').version`], { encoding: 'utf8' });
  t.is(stdout.trim(), String(INTERFACE_VERSION));
});

withCompiler('an addon that does not compile is removed, and the reason kept', t => {
  const folder = copyOf(t);
  const { status, stderr } = build(folder, ['-Dconnections_=%']);
  t.is(status, 1);
  t.regex(stderr, /no native addon: .*failed/);
  t.false(existsSync(path.join(folder, 'native/build/caltrop.node')));
  t.regex(readFileSync(path.join(folder, 'native/build/reason'), 'utf8'), /^\S+ failed: .*error/);
});

test('a compiler that is missing or says nothing is a reason too', t => {
  const folder = copyOf(t);
  t.is(build(folder, [], { CXX: '/bin/false' }).status, 1);
  t.regex(
    readFileSync(path.join(folder, 'native/build/reason'), 'utf8'),
    /^\/bin\/false failed: it said nothing/,
  );
});
