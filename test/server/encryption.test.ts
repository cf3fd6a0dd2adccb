/** Encryption at rest in a running server: nothing of the data can be found in what it has written. */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { TestServer } from '../support/server.js';
import { digestOf, GET, put, write } from '../support/wire-client.js';

const COUNT = 1000;
const SET = 'a-set-with-a-long-name';
const FILESIZE = 128 * 1024 * 1024;

const storage = (algorithm: string, more = ''): string => `storage-engine device {
  file DIRECTORY/test.dat
  filesize ${FILESIZE}
  flush-max-ms 50
  post-write-cache 0
  encryption ${algorithm}
  encryption-key-file DIRECTORY/caltrop.conf
  ${more}
}`;

const keyOf = (i: number): string => `secret-key-${i * 7919}`;
const valueOfKey = (i: number): string =>
  `known value ${i * 104_729}, known value ${i * 104_729}; `.repeat(4);
/** Of a record with its key: the key field, of type string. */
const keyField = (key: string) => [2, Buffer.concat([Buffer.of(3), Buffer.from(key)])] as const;

/** All files below a directory, but for the configuration. */
function filesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map(name => path.join(directory, name))
    .filter(file => statSync(file).isFile() && !file.endsWith('caltrop.conf'));
}

for (const [algorithm, more] of [
  ['aes-128', ''],
  ['aes-256', 'direct-files true'],
  ['aes-128', 'compression zstd'],
] as const) {
  test(`${algorithm} ${more}: keys, values and set names are not in any file, and are there after a restart`, async t => {
    const namespaces = [{ name: 'test', storage: storage(algorithm, more) }];
    const server = await TestServer.start(t, { namespaces });
    const client = await server.connect();
    const record = (i: number) => ({ set: SET, digest: digestOf(keyOf(i)) });
    for (let i = 0; i < COUNT; i++) {
      const fields = [keyField(keyOf(i))];
      t.is(
        (await client.command({ ...put(write('bin-name', valueOfKey(i))), ...record(i), fields })).code,
        0,
      );
    }
    client.close();
    const check = async (): Promise<void> => {
      const reader = await server.connect();
      for (let i = 0; i < COUNT; i++) {
        const answer = await reader.command({ ...GET, ...record(i) });
        t.is(answer.ops[0]!.value.toString(), valueOfKey(i));
      }
      reader.close();
    };
    await check();
    await server.stop();
    await server.run();
    await check();
    await server.stop();
    const files = filesOf(server.directory);
    t.true(files.some(file => file.endsWith('test.dat')));
    for (const file of files) {
      const bytes = readFileSync(file);
      t.false(bytes.includes(SET), `the set's name in ${file}`);
      t.false(bytes.includes('bin-name'), `a bin's name in ${file}`);
      t.false(bytes.includes('secret-key-'), `a key in ${file}`);
      t.false(bytes.includes('known value'), `a value in ${file}`);
      // Neither the digests, which tell whether somebody's key is there.
      for (let i = 0; i < COUNT; i += 100) t.false(bytes.includes(digestOf(keyOf(i))), `a digest in ${file}`);
    }
  });
}

test('the name of a truncated set is not in the metadata, and the set stays truncated', async t => {
  const plain = { name: 'plain' };
  const encrypted = { name: 'test', storage: storage('aes-256') };
  const server = await TestServer.start(t, { namespaces: [encrypted, plain] });
  const record = { set: SET, digest: digestOf('one') };
  const client = await server.connect();
  for (const namespace of ['test', 'plain']) {
    const message = { ...put(write('v', 'gone')), ...record, namespace };
    t.is((await client.command(message)).code, 0);
    t.is(await server.info(`truncate:namespace=${namespace};set=${SET}`), 'ok');
  }
  client.close();
  const read = (): string => readFileSync(path.join(server.directory, 'smd/truncate.json'), 'utf8');
  t.is(read().split(SET).length - 1, 1, 'that of the plain namespace');
  await server.stop('SIGKILL');
  // Without the encrypted namespace its item stays as it is, and works again when it is back.
  server.configure({ namespaces: [plain] });
  await server.run();
  const other = { ...put(write('v', 'gone')), set: 'another', digest: digestOf('two'), namespace: 'plain' };
  const second = await server.connect();
  t.is((await second.command(other)).code, 0);
  second.close();
  t.is(await server.info('truncate:namespace=plain;set=another'), 'ok');
  t.regex(read(), /another/);
  await server.stop();
  server.configure({ namespaces: [encrypted, plain] });
  await server.run();
  const third = await server.connect();
  t.is((await third.command({ ...GET, ...record, namespace: 'test' })).code, 2);
  third.close();
  t.is(await server.info(`truncate-undo:namespace=test;set=${SET}`), 'ok');
  t.is(read().match(/"lut"/g)?.length, 2, 'its item was known for what it is');
});

test('the same record written anew lies on the device in another form', async t => {
  const server = await TestServer.start(t, { namespaces: [{ name: 'test', storage: storage('aes-128') }] });
  const file = path.join(server.directory, 'test.dat');
  const digest = digestOf('one');
  const forms = new Set<string>();
  const placesOf = (bytes: Buffer, before: Buffer): string => {
    const places: number[] = [];
    for (let at = 1024 * 1024; at < bytes.length; at += 16) {
      if (bytes.compare(before, at, at + 16, at, at + 16) !== 0) places.push(at);
    }
    t.true(places.length > 10, 'something was written');
    // The first page of a block that was given up says so in each sector, and has zeros in the rest of it.
    const isErased = (at: number): boolean =>
      bytes.toString('latin1', at - (at % 512), at - (at % 512) + 4) === 'CTE1';
    return places
      .filter(at => !isErased(at))
      .map(at => bytes.toString('hex', at, at + 16))
      .filter(unit => !/^0+$/.test(unit))
      .join('');
  };
  let before = readFileSync(file);
  for (let round = 0; round < 3; round++) {
    const client = await server.connect();
    t.is((await client.command({ ...put(write('v', valueOfKey(1))), digest })).code, 0);
    client.close();
    await server.stop();
    const after = readFileSync(file);
    forms.add(placesOf(after, before));
    before = after;
    await server.run();
  }
  t.is(forms.size, 3);
  const units = new Set<string>();
  for (const form of forms) for (let at = 0; at < form.length; at += 32) units.add(form.slice(at, at + 32));
  const total = [...forms].reduce((sum, form) => sum + form.length / 32, 0);
  t.true(units.size > total * 0.98, `${units.size} different units of ${total}`);
});

test('a start with a wrong key, or without one, says what to do; with the old one beside the new it goes on', async t => {
  const namespaces = [{ name: 'test', storage: storage('aes-256').replace('caltrop.conf', 'key') }];
  const server = new TestServer();
  t.teardown(() => server.remove());
  const key = path.join(server.directory, 'key');
  writeFileSync(key, randomBytes(256));
  server.configure({ namespaces });
  await server.run();
  const client = await server.connect();
  const digest = digestOf('one');
  t.is((await client.command({ ...put(write('v', 'here')), digest })).code, 0);
  client.close();
  await server.stop();

  const old = path.join(server.directory, 'old-key');
  writeFileSync(old, readFileSync(key));
  writeFileSync(key, randomBytes(256));
  const wrong = await t.throwsAsync(server.run());
  t.regex(
    wrong.message,
    /ended with 4:[\s\S]*test\.dat: cannot be decrypted with the key in .*key; name the right/,
  );
  server.configure({
    namespaces: [
      { name: 'test', storage: namespaces[0]!.storage.replace(/\}$/, `old-encryption-key-file ${old}\n}`) },
    ],
  });
  await server.run();
  const again = await server.connect();
  t.is((await again.command({ ...GET, digest })).ops[0]!.value.toString(), 'here');
  again.close();
  await server.stop();
  server.configure({ namespaces });
  await server.run();
  await server.stop();
  const plain = `storage-engine device {\n file DIRECTORY/test.dat\n filesize ${FILESIZE}\n}`;
  server.configure({ namespaces: [{ name: 'test', storage: plain }] });
  const without = await t.throwsAsync(server.run());
  t.regex(without.message, /ended with 4:[\s\S]*is encrypted; configure encryption aes-256/);
});
