/** The release archive: what is in it, that it is always the same, and that it runs where there is nothing but Node. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { OK } from '../../src/base/result.js';
import { ringRefusal } from '../../src/storage/io/uring-io.js';
import { TestServer } from '../support/server.js';
import { temporaryDirectory } from '../support/storage-backends.js';
import { digestOf, GET, put, write } from '../support/wire-client.js';

const SCRIPT = 'scripts/package-release';

const whyNot =
  process.platform !== 'linux' || process.arch !== 'x64'
    ? 'it is for Linux on x86-64'
    : existsSync('native/build/caltrop.node')
      ? ''
      : 'there is no native addon';
if (whyNot !== '') console.warn(`SKIPPED: the release archive: ${whyNot}`);
const archiveTest = whyNot === '' ? test.serial : test.serial.skip;

function packed(t: ExecutionContext): string {
  const { status, stdout, stderr } = spawnSync(SCRIPT, ['--out', temporaryDirectory(t)], {
    encoding: 'utf8',
  });
  t.is(status, 0, stderr);
  return stdout.trim();
}

function unpacked(t: ExecutionContext, archive: string): string {
  const directory = temporaryDirectory(t);
  t.is(spawnSync('tar', ['xzf', archive, '-C', directory]).status, 0);
  return path.join(directory, path.basename(archive, '.tar.gz'));
}

/** Node and what a shell script of two lines needs, and nothing else: no compiler, no npm. */
function barePath(t: ExecutionContext): string {
  const directory = temporaryDirectory(t);
  symlinkSync(process.execPath, path.join(directory, 'node'));
  for (const name of ['dirname', 'readlink']) symlinkSync(`/usr/bin/${name}`, path.join(directory, name));
  return directory;
}

archiveTest('it holds what is needed to run and no more, and is the same each time', t => {
  const [first, second] = [packed(t), packed(t)];
  t.regex(path.basename(first), /^caltrop-\d+\.\d+\.\d+-linux-x64\.tar\.gz$/);
  t.true(readFileSync(first).equals(readFileSync(second)));
  const { stdout } = spawnSync('tar', ['tzf', first], { encoding: 'utf8' });
  const names = stdout
    .trim()
    .split('\n')
    .map(name => name.slice(name.indexOf('/') + 1));
  for (const name of [
    'LICENSE',
    'README.md',
    'THIRD-PARTY-LICENSES',
    'bin/caltrop',
    'caltrop.conf',
    'dist/src/main.js',
    'native/build/caltrop.node',
    'scripts/caltrop.service',
    'scripts/install-service',
  ]) {
    t.true(names.includes(name), name);
  }
  const needed = Object.keys(
    (JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: object }).dependencies,
  ).filter(name => name !== 'node-api-headers');
  for (const name of needed) t.true(names.includes(`node_modules/${name}/package.json`), name);
  const others =
    /^(dist\/(test|scripts)|node_modules\/(ava|typescript|@types|@biomejs|fast-check|node-api-headers)\/)/;
  t.deepEqual(
    names.filter(name => others.test(name)),
    [],
  );
  t.deepEqual(
    names.filter(name => /darwin|win32|arm/.test(name) && name.endsWith('.node')),
    [],
  );
  const licences = readFileSync(path.join(unpacked(t, first), 'THIRD-PARTY-LICENSES'), 'utf8');
  for (const name of new Set(
    names.flatMap(name => /^node_modules\/((?:@[^/]+\/)?[^/]+)\/package\.json$/.exec(name)?.[1] ?? []),
  )) {
    const real = name === 'uWebSockets.js' ? '@trufflesuite/uws-js-unofficial' : name;
    t.true(licences.includes(`\n${real} `) || licences.startsWith(`${real} `), name);
  }
});

archiveTest('unpacked it serves, with its addon, where there is no compiler and no npm', async t => {
  const directory = unpacked(t, packed(t));
  const bare = barePath(t);
  // The addon is used here whatever the tests around do without it.
  const environment = { PATH: bare, CALTROP_NATIVE: '' };
  t.is(spawnSync('/bin/sh', ['-c', 'command -v npm cc c++ g++'], { env: environment }).status, 127);
  const checked = spawnSync(
    path.join(directory, 'bin/caltrop'),
    ['--check-config', '--config', path.join(directory, 'caltrop.conf')],
    { env: environment, encoding: 'utf8' },
  );
  t.is(checked.status, 0, checked.stderr);
  const server = await TestServer.start(t, {
    program: path.join(directory, 'bin/caltrop'),
    environment,
    service: ['http-port 0', 'http-address 127.0.0.1'],
    namespaces: [
      {
        name: 'test',
        storage: 'storage-engine device {\nfile DIRECTORY/a.dat\nfilesize 64M\ncompression zstd\n}',
      },
    ],
  });
  t.regex(server.output, /sockets by the native addon/);
  if (ringRefusal() === '') t.regex(server.output, /storage io backend: io_uring/);
  const client = await server.connect();
  for (let key = 0; key < 100; key++) {
    t.is(
      (await client.command({ ...put(write('v', `${key}`.repeat(100))), digest: digestOf(key) })).code,
      OK,
    );
  }
  client.close();
  t.is(await server.stop(), 0);
  await server.run();
  const reader = await server.connect();
  for (let key = 0; key < 100; key++) {
    const answer = await reader.command({ ...GET, digest: digestOf(key) });
    t.is(answer.ops[0]!.value.toString(), `${key}`.repeat(100));
  }
  reader.close();
});

test('--to fills an empty folder only', t => {
  const directory = temporaryDirectory(t);
  mkdirSync(path.join(directory, 'something'));
  t.not(spawnSync(SCRIPT, ['--to', directory]).status, 0);
  t.is(spawnSync(SCRIPT, ['--bogus']).status, 2);
  t.is(spawnSync(SCRIPT, ['--help']).status, 0);
});
