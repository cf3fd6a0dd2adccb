/** Truncation of sets and namespaces: at once, exact to the write, and for good. Source: protocol 02, section 12. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import {
  digestOf,
  GET,
  infoFrame,
  messageFrame,
  put,
  type WireClient,
  write,
} from '../support/wire-client.js';

const FILE = `storage-engine device {
  file DIRECTORY/test.dat
  filesize 256M
  flush-max-ms 100
}`;
const MEMORY = 'storage-engine memory {\n data-size 64M\n}';
const STORAGES = [
  ['memory', MEMORY],
  ['a file', FILE],
] as const;
const NAMESPACE = 'namespace/test';

function start(t: Parameters<typeof TestServer.start>[0], storage: string): Promise<TestServer> {
  return TestServer.start(t, {
    service: ['service-threads 2'],
    namespaces: [{ name: 'test', storage }, { name: 'other' }],
  });
}

async function fill(client: WireClient, set: string, from: number, count: number): Promise<void> {
  for (let i = from; i < from + count; i++) {
    const message = {
      ...put(write('v', `${set} ${i}`)),
      digest: digestOf(`${set}${i}`),
      ...(set && { set }),
    };
    const { code } = await client.command(message);
    if (code !== 0) throw new Error(`put: ${code}`);
  }
}

/** How many of the records are there, by single reads and by one batch. */
async function countOf(client: WireClient, set: string, count: number): Promise<number> {
  const { rows } = await client.batch(
    Array.from({ length: count }, (_, i) => ({ ...GET, index: i, digest: digestOf(`${set}${i}`) })),
  );
  const found = [...rows.values()].filter(({ code }) => code === 0).length;
  let single = 0;
  for (let i = 0; i < count; i++) {
    if ((await client.command({ ...GET, digest: digestOf(`${set}${i}`) })).code === 0) single++;
  }
  if (single !== found) throw new Error(`${single} single, ${found} rows`);
  return found;
}

for (const [name, storage] of STORAGES) {
  test(`${name}: a truncated set is gone with the answer, is removed, and stays away`, async t => {
    const server = await start(t, storage);
    let client = await server.connect();
    await fill(client, 'a', 0, 300);
    await fill(client, 'b', 0, 100);
    const ask = (command: string) => server.info(command);
    const askedMs = Date.now();
    t.is(await ask('truncate:namespace=test;set=a'), 'ok');
    const toldMs = Date.now();
    t.is(await countOf(client, 'a', 300), 0);
    t.is(await countOf(client, 'b', 100), 100);
    await fill(client, 'a', 0, 20); // the same keys, written after it
    t.is(await countOf(client, 'a', 300), 20);
    await until('removed', async () => (await server.statistic('objects', NAMESPACE)) <= 120);
    await until('over', async () => (await server.info('sets/test/a')).includes(':truncating=false:'));
    t.is(await server.statistic('objects', NAMESPACE), 120);
    const lut = Number(/truncate_lut=(\d+)/.exec(await ask('sets/test/a'))![1]);
    const lutMs = lut + 1_262_304_000_000;
    t.true(lutMs > askedMs - 1000 && lutMs < toldMs + 1000, `${lutMs}, between ${askedMs} and ${toldMs}`);
    t.regex(await ask('sets/test/a'), /^objects=20:/);
    t.regex(await ask('sets/test/b'), /^objects=100:tombstones=0:data_used_bytes=\d+:truncate_lut=0:/);
    if (storage === MEMORY) return;
    await server.flushed();
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      client.close();
      await server.stop(signal);
      await server.run();
      client = await server.connect();
      t.is(await countOf(client, 'a', 300), 20, signal);
      t.is(await countOf(client, 'b', 100), 100, signal);
      t.is(await server.statistic('truncate_lut', NAMESPACE), 0);
      t.regex(await ask('sets/test/a'), new RegExp(`truncate_lut=${lut}:`));
    }
  });

  test(`${name}: a namespace is truncated, sets and records without one, and no other namespace`, async t => {
    const server = await start(t, storage);
    const client = await server.connect();
    await fill(client, 'a', 0, 50);
    await fill(client, '', 0, 50);
    await client.command({ ...put(write('v', 1)), namespace: 'other', digest: digestOf('o') });
    t.is(await server.info('truncate-namespace:namespace=test'), 'ok');
    t.is(await countOf(client, 'a', 50), 0);
    t.is(await countOf(client, '', 50), 0);
    t.is((await client.command({ ...GET, namespace: 'other', digest: digestOf('o') })).code, 0);
    t.true((await server.statistic('truncate_lut', NAMESPACE)) > 0);
    await until('removed', async () => (await server.statistic('objects', NAMESPACE)) === 0);
    await until('over', async () => (await server.info(NAMESPACE)).includes(';truncating=false;'));
    t.is(await server.statistic('data_used_bytes', NAMESPACE), 0);
    await fill(client, 'a', 0, 10);
    t.is(await countOf(client, 'a', 50), 10);
    if (storage === MEMORY) return;
    await server.flushed();
    await server.stop('SIGKILL');
    await server.run();
    const again = await server.connect();
    t.is(await countOf(again, 'a', 50), 10);
    t.is(await countOf(again, '', 50), 0);
  });

  test(`${name}: on one connection a write before a truncation is gone and one after it stays, however fast`, async t => {
    const server = await start(t, storage);
    const client = await server.connect();
    await fill(client, 'a', 0, 1);
    for (let round = 0; round < 100; round++) {
      const before = { ...put(write('v', round)), set: 'a', digest: digestOf(`before${round}`) };
      const after = { ...put(write('v', round)), set: 'a', digest: digestOf(`after${round}`) };
      client.send(
        Buffer.concat([
          messageFrame(before),
          infoFrame('truncate:namespace=test;set=a\n'),
          messageFrame(after),
          messageFrame({ ...GET, digest: before.digest }),
          messageFrame({ ...GET, digest: after.digest }),
        ]),
      );
      const codes: number[] = [];
      for (let i = 0; i < 5; i++) {
        const frame = await client.frame();
        codes.push(frame[1] === 1 ? Number(!frame.includes('\tok\n')) : frame[13]!);
      }
      t.deepEqual(codes, [0, 0, 0, 2, 0], `${round}`);
    }
  });
}

test('a lut truncates what is older, and only that', async t => {
  const server = await start(t, MEMORY);
  const client = await server.connect();
  await fill(client, 'a', 0, 10);
  await sleep(50);
  const lut = BigInt(Date.now()) * 1_000_000n;
  await sleep(50);
  await fill(client, 'a', 5, 10); // five of them again
  t.is(await server.info(`truncate:namespace=test;set=a;lut=${lut}`), 'ok');
  t.is(await countOf(client, 'a', 15), 10);
  t.is(
    await server.info(`truncate:namespace=test;set=a;lut=${lut - 1_000_000_000n}`),
    'ok',
    'an older one changes nothing',
  );
  t.is(await countOf(client, 'a', 15), 10);
});

test('what cannot be truncated is refused as on the reference', async t => {
  const server = await start(t, MEMORY);
  const future = BigInt(Date.now() + 60_000) * 1_000_000n;
  const answers: Record<string, string> = {
    'truncate:namespace=test;set=load;lut=1': 'ERROR:4:would truncate to 0',
    'truncate:namespace=nope': "ERROR:4:missing 'set'",
    'truncate:namespace=nope;set=a': 'ERROR:20:namespace not found on node',
    [`truncate:namespace=test;set=a;lut=${future}`]: 'ERROR:4:would truncate in the future',
    'truncate:namespace=test;set=a;lut=x': "ERROR:4:bad 'lut'",
    'truncate-namespace:namespace=test;set=a': 'ERROR:4:unexpected set name',
    'truncate-undo:namespace=test;set=load': 'ok',
    'truncate-namespace-undo:namespace=test': 'ok',
    'truncate:namespace=test;set=unknown': 'ok',
  };
  for (const [command, answer] of Object.entries(answers)) t.is(await server.info(command), answer, command);
});

test('an undone truncation is forgotten', async t => {
  const server = await start(t, FILE);
  const client = await server.connect();
  await fill(client, 'a', 0, 10);
  t.is(await server.info('truncate:namespace=test;set=a'), 'ok');
  const file = `${server.directory}/smd/truncate.json`;
  t.regex(readFileSync(file, 'utf8'), /"set": "a"/);
  t.is(await server.info('truncate-undo:namespace=test;set=a'), 'ok');
  t.regex(await server.info('sets/test/a'), /:truncate_lut=0:/);
  t.notRegex(readFileSync(file, 'utf8'), /"set": "a"/);
  await fill(client, 'a', 0, 10);
  t.is(await countOf(client, 'a', 10), 10);
});
