/** enable-index: the index of a set is built behind the scenes, kept by every write, and used to truncate the set. */
import test, { type ExecutionContext } from 'ava';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import { DELETE, digestOf, put, type WireClient, write } from '../support/wire-client.js';

const FILE = `storage-engine device {
  file DIRECTORY/test.dat
  filesize 256M
  flush-max-ms 50
}`;
const MEMORY = 'storage-engine memory {\n data-size 128M\n}';
const NAMESPACE = 'namespace/test';
const ROWS = 200;

async function fill(client: WireClient, set: string, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += ROWS) {
    const rows = Array.from({ length: Math.min(ROWS, to - at) }, (_, index) => ({
      ...put(write('v', at + index)),
      index,
      set,
      digest: digestOf(`${set}${at + index}`),
    }));
    const answers = await client.batch(rows);
    for (const { code } of answers.rows.values()) if (code !== 0) throw new Error(`put: ${code}`);
  }
}

async function enable(t: ExecutionContext, server: TestServer, set: string, isOn: boolean): Promise<void> {
  const command = `set-config:context=namespace;id=test;set=${set};enable-index=${isOn}`;
  t.is(await server.info(command), 'ok');
}

const isReady = async (server: TestServer, set: string): Promise<boolean> =>
  (await server.info(`sets/test/${set}`)).includes(':index_populating=false:');
const bytesOf = (server: TestServer): Promise<number> => server.statistic('set_index_used_bytes', NAMESPACE);
const objectsOf = async (server: TestServer, set: string): Promise<number> =>
  Number(/^objects=(\d+)/.exec(await server.info(`sets/test/${set}`))![1]);

/** Truncates a set and waits until all of it has gone: what its index did not know would stay for ever. */
async function truncate(t: ExecutionContext, server: TestServer, set: string): Promise<void> {
  t.is(await server.info(`truncate:namespace=test;set=${set}`), 'ok');
  await until(`${set} truncated`, async () =>
    (await server.info(`sets/test/${set}`)).includes(':truncating=false:'),
  );
  t.is(await objectsOf(server, set), 0);
}

for (const [kind, storage] of [
  ['memory', MEMORY],
  ['a file', FILE],
] as const) {
  test(`${kind}: an index that is enabled while records are there and come knows all of them`, async t => {
    const server = await TestServer.start(t, {
      service: ['service-threads 2'],
      namespaces: [{ name: 'test', storage }],
    });
    const client = await server.connect();
    await fill(client, 'big', 0, 20_000);
    await fill(client, 'small', 0, 500);
    t.is(await bytesOf(server), 0);
    await enable(t, server, 'small', true);
    t.true((await server.info('sets/test/small')).includes(':index_populating=true:'));
    await fill(client, 'small', 500, 1000); // while it is populated, or about then
    await until('populated', () => isReady(server, 'small'));
    const bytes = await bytesOf(server);
    t.true(bytes * 8 >= 10_000 && bytes < 100_000, `${bytes}`);
    for (let i = 0; i < 300; i++) {
      const { code } = await client.command({
        ...put(write('v', i)),
        set: 'small',
        digest: digestOf(`one${i}`),
      });
      t.is(code, 0);
    }
    for (let i = 0; i < 100; i++) await client.command({ ...DELETE, digest: digestOf(`small${i}`) });
    await client.command({ ...DELETE, info2: DELETE.info2! | 0x10, digest: digestOf('small200') }); // durable
    t.is(await objectsOf(server, 'small'), 1199);
    await truncate(t, server, 'small');
    t.regex(await server.info('sets/test/small'), /^objects=0:tombstones=0:/);
    t.is(await objectsOf(server, 'big'), 20_000);
    await fill(client, 'small', 0, 200);
    await enable(t, server, 'big', true);
    await truncate(t, server, 'small'); // while the other one is populated
    await until('the other one', () => isReady(server, 'big'));
    t.true((await bytesOf(server)) >= 2 * bytes);
    await truncate(t, server, 'big');
    for (const set of ['small', 'big']) await enable(t, server, set, false);
    await until('dropped', async () => (await bytesOf(server)) === 0);
    await fill(client, 'small', 0, 200);
    await truncate(t, server, 'small');
  });
}

test('an index of the configuration file is built at the start, from the records on the device', async t => {
  const namespaces = [{ name: 'test', lines: ['set small {\nenable-index true\n}'], storage: FILE }];
  const server = await TestServer.start(t, { service: ['service-threads 2'], namespaces });
  const client = await server.connect();
  await fill(client, 'big', 0, 5000);
  await fill(client, 'small', 0, 700);
  await server.flushed();
  client.close();
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    await server.stop(signal);
    await server.run();
    await until('populated', () => isReady(server, 'small'));
    t.true((await bytesOf(server)) > 0);
    t.is(await objectsOf(server, 'small'), 700);
  }
  await truncate(t, server, 'small');
  t.is(await objectsOf(server, 'big'), 5000);
});
