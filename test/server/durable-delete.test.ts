/** Durable deletes: tombstones that are counted, invisible and raided, and records that stay deleted. */
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import { type Answer, DELETE, digestOf, GET, type Message, op, put, write } from '../support/wire-client.js';

const FILE = `storage-engine device {
  file DIRECTORY/test.dat
  filesize 256M
  flush-max-ms 100
}`;
const MEMORY = 'storage-engine memory {\n data-size 64M\n}';
const NAMESPACE = 'namespace/test';
const DURABLE = 0x10; // of info2
const DELETE_DURABLY: Message = { info2: 0x03 | DURABLE };
const nothing = (name: string) => op(2, name); // a write of NULL deletes the bin

for (const [name, storage] of [
  ['memory', MEMORY],
  ['a file', FILE],
] as const) {
  test(`${name}: every kind of durable delete leaves a tombstone that no command sees`, async t => {
    const server = await TestServer.start(t, {
      service: ['service-threads 2'],
      namespaces: [{ name: 'test', storage }],
    });
    let client = await server.connect();
    const of = (key: string, message: Message): Promise<Answer> =>
      client.command({ ...message, set: 's', digest: digestOf(key) });
    const keys = ['delete', 'last bin', 'operate', 'batch', 'kept'];
    for (const key of keys) t.is((await of(key, put(write('a', key)))).code, 0);
    t.is((await of('none', DELETE_DURABLY)).code, 2);
    t.is((await of('delete', DELETE_DURABLY)).code, 0);
    t.is((await of('delete', DELETE_DURABLY)).code, 2, 'it is gone');
    const emptied = await of('last bin', { info2: 0x01 | DURABLE, ops: [nothing('a')] });
    t.deepEqual([emptied.code, emptied.generation], [0, 0]);
    t.is((await of('operate', { info2: 0x01 | DURABLE, ops: [op(14, '')] })).code, 0);
    const { rows } = await client.batch([
      { ...DELETE_DURABLY, index: 0, set: 's', digest: digestOf('batch') },
      { ...GET, index: 1, set: 's', digest: digestOf('batch') },
    ]);
    t.deepEqual([rows.get(0)!.code, rows.get(1)!.code], [0, 2]);
    const figures = async (): Promise<string> =>
      `${await server.statistic('objects', NAMESPACE)} ${await server.statistic('tombstones', NAMESPACE)}`;
    t.is(await figures(), '1 4');
    t.regex(await server.info('sets/test/s'), /^objects=1:tombstones=4:/);
    t.is(
      (await of('delete', { ...put(write('b', 1)), info2: 0x05, generation: 1 })).code,
      3,
      'no generation to match',
    );
    const again = await of('delete', { ...put(write('b', 1)), info2: 0x21 });
    t.deepEqual([again.code, again.generation], [0, 1], 'create only');
    t.deepEqual(
      (await of('delete', GET)).ops.map(({ name: bin }) => bin),
      ['b'],
    );
    t.is(await figures(), '2 3');
    if (storage === MEMORY) return;
    await server.flushed();
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      client.close();
      await server.stop(signal);
      await server.run();
      client = await server.connect();
      t.is(await figures(), '2 3', signal);
      t.regex(await server.info('sets/test/s'), /^objects=2:tombstones=3:/);
      for (const key of ['last bin', 'operate', 'batch']) t.is((await of(key, GET)).code, 2, key);
      t.is((await of('kept', GET)).code, 0);
    }
  });

  test(`${name}: the tomb raider takes old tombstones, and no record comes back for it`, async t => {
    const lines = ['tomb-raider-period 1', 'tomb-raider-eligible-age 1000'];
    const server = await TestServer.start(t, { namespaces: [{ name: 'test', lines, storage }] });
    let client = await server.connect();
    for (let key = 0; key < 200; key++) {
      const digest = digestOf(key);
      await client.command({ ...put(write('a', key)), digest });
      if (key % 2 === 0) t.is((await client.command({ ...DELETE_DURABLY, digest })).code, 0);
    }
    await sleep(1500);
    t.is(await server.statistic('tombstones', NAMESPACE), 100, 'too young');
    t.is(await server.info('set-config:context=namespace;id=test;tomb-raider-eligible-age=0'), 'ok');
    await until('raided', async () => (await server.statistic('tombstones', NAMESPACE)) === 0);
    const count = async (): Promise<number> => {
      let found = 0;
      for (let key = 0; key < 200; key++) {
        if ((await client.command({ ...GET, digest: digestOf(key) })).code === 0) found++;
      }
      return found;
    };
    t.is(await count(), 100);
    t.is(await server.statistic('objects', NAMESPACE), 100);
    if (storage === MEMORY) return;
    await server.flushed();
    client.close();
    await server.stop('SIGKILL');
    await server.run();
    client = await server.connect();
    t.is(await count(), 100);
  });
}

test('disallow-expunge refuses every delete that is not durable', async t => {
  const server = await TestServer.start(t, {
    namespaces: [{ name: 'test', lines: ['disallow-expunge true'] }],
  });
  const client = await server.connect();
  const digest = digestOf('k');
  await client.command({ ...put(write('a', 1)), digest });
  t.is((await client.command({ ...DELETE, digest })).code, 22);
  t.is((await client.command({ info2: 0x01, ops: [nothing('a')], digest })).code, 22);
  t.is((await client.command({ ...GET, digest })).code, 0);
  t.is((await client.command({ ...DELETE_DURABLY, digest })).code, 0);
  t.is(await server.info('set-config:context=namespace;id=test;disallow-expunge=false'), 'ok');
  await client.command({ ...put(write('a', 1)), digest });
  t.is((await client.command({ ...DELETE, digest })).code, 0);
});
