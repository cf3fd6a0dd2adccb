import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { ConfigError } from '../../src/config/config-error.js';
import { resolveNodeId, whyNoNodeId } from '../../src/config/node-id.js';

async function directoryOf(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'caltrop-node-id-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

test('a configured id is used as upper-case hex without leading zeros, and nothing is written', async t => {
  const directory = await directoryOf(t);
  t.is(resolveNodeId('00bb9a1', directory, 0), 'BB9A1');
  t.is(resolveNodeId('ffffffffffffffff', directory, 0), 'FFFFFFFFFFFFFFFF');
  t.deepEqual(await readdir(directory), []);
});

test('a generated id is 64 bits, carries the fabric port, and stays', async t => {
  const directory = join(await directoryOf(t), 'work', 'deeper');
  const id = resolveNodeId('', directory, 0);
  t.regex(id, /^BB9[0-9A-F]{12}$/);
  t.is(await readFile(join(directory, 'node-id'), 'utf8'), `${id}\n`);
  t.is(resolveNodeId('', directory, 0), id);
  t.is(resolveNodeId('', directory, 4000), id);
  t.deepEqual(await readdir(directory), ['node-id']);
  t.regex(resolveNodeId('', join(directory, 'other'), 4000), /^FA0[0-9A-F]{12}$/);
});

test('processes that start at once in one directory agree on the id', async t => {
  const directory = await directoryOf(t);
  const module = JSON.stringify(new URL('../../src/config/node-id.js', import.meta.url).href);
  const script = `import { resolveNodeId } from ${module}; console.log(resolveNodeId('', process.argv[1], 0));`;
  const starts = Array.from({ length: 4 }, () =>
    promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, directory]),
  );
  const ids = (await Promise.all(starts)).map(({ stdout }) => stdout.trim());
  t.is(new Set(ids).size, 1);
  t.deepEqual(await readdir(directory), ['node-id']);
});

test('a kept file that holds no id stops the start and says how to mend it', async t => {
  const directory = await directoryOf(t);
  await writeFile(join(directory, 'node-id'), 'not hex\n');
  t.throws(() => resolveNodeId('', directory, 0), {
    instanceOf: ConfigError,
    message: /node-id:1: 'not hex' is no node id/,
  });
});

test('a work directory that cannot be made stops the start and names the setting', async t => {
  const directory = await directoryOf(t);
  await writeFile(join(directory, 'file'), '');
  t.throws(() => resolveNodeId('', join(directory, 'file', 'work'), 0), {
    instanceOf: ConfigError,
    message: /service.work-directory/,
  });
});

test('ids are 1 to 16 hex digits and not 0', t => {
  for (const id of ['1', 'a1', 'BB9020011AC4202', '0123456789abcdef']) t.is(whyNoNodeId(id), undefined, id);
  for (const id of ['', '0', '0000', 'xyz', '0x1', '12345678901234567', 'A 1']) t.truthy(whyNoNodeId(id), id);
});
