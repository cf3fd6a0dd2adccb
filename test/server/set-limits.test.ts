/** stop-writes-count and stop-writes-size of a set: every way to write is refused at the limit, and goes on below it. */
import test, { type ExecutionContext } from 'ava';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import {
  DELETE,
  digestOf,
  GET,
  type Message,
  op,
  put,
  type WireClient,
  write,
} from '../support/wire-client.js';

const FORBIDDEN = 22;
const LIMIT = 40;
const FILE = `storage-engine device {
  file DIRECTORY/test.dat
  filesize 64M
  flush-max-ms 50
}`;
const MEMORY = 'storage-engine memory {\n data-size 64M\n}';

const of = (key: string | number, message: Message): Message => ({
  ...message,
  set: 'small',
  digest: digestOf(key),
});
const codeOf = async (client: WireClient, key: string | number, message: Message): Promise<number> =>
  (await client.command(of(key, message))).code;

/** Everything that writes, on a record that there is and on one that there is not. */
const WAYS: readonly (readonly [name: string, message: Message])[] = [
  ['put', put(write('v', 1))],
  ['create or replace', { ...put(write('v', 1)), info3: 0x10 }],
  ['increment', put(op(5, 'n', 1, Buffer.from([0, 0, 0, 0, 0, 0, 0, 1])))],
  ['operate: write and read', { info1: 0x01, info2: 0x01, ops: [write('v', 1), op(1, 'v')] }],
  ['touch', put(op(11))],
  ['a delete of all bins', put(op(14))],
  ['a delete of the last bin', put(op(2, 'v'))],
];

async function expectStopped(t: ExecutionContext, client: WireClient): Promise<void> {
  for (const [name, message] of WAYS) {
    t.is(await codeOf(client, 0, message), FORBIDDEN, name);
    const { rows } = await client.batch([{ ...of(0, message), index: 0 }]);
    t.is(rows.get(0)!.code, FORBIDDEN, `${name}, as a row`);
  }
  t.is(await codeOf(client, 'new', put(write('v', 1))), FORBIDDEN, 'a new record');
  const { rows } = await client.batch([{ ...of('new', put(write('v', 1))), index: 0 }]);
  t.is(rows.get(0)!.code, FORBIDDEN, 'a new record, as a row');
  t.is(await codeOf(client, 0, GET), 0, 'reads go on');
  const other = { ...put(write('v', 1)), digest: digestOf('other') };
  t.is((await client.command({ ...other, set: 'wide' })).code, 0, 'other sets go on');
  t.is((await client.command({ ...put(write('v', 1)), digest: digestOf('none') })).code, 0, 'and no set');
}

for (const [kind, storage] of [
  ['memory', MEMORY],
  ['a file', FILE],
] as const) {
  test(`${kind}: at stop-writes-count a set takes no write but deletes, until there are fewer`, async t => {
    const server = await TestServer.start(t, {
      service: ['service-threads 2'],
      namespaces: [{ name: 'test', lines: [`set small {\nstop-writes-count ${LIMIT}\n}`], storage }],
    });
    let client = await server.connect();
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < LIMIT; i++) t.is(await codeOf(client, i, put(write('v', i))), 0, `${i}`);
      await expectStopped(t, client);
      t.is(await codeOf(client, 1, DELETE), 0);
      t.is(await codeOf(client, 0, put(write('v', 'one less'))), 0, 'an update');
      t.is(await codeOf(client, 'new', put(write('v', 1))), 0, 'one more');
      await expectStopped(t, client);
      const rows = [...Array(LIMIT).keys()].map(i => ({ ...of(i, DELETE), index: i }));
      await client.batch(rows);
      t.is(await codeOf(client, 'new', DELETE), 0);
      t.regex(await server.info('sets/test/small'), /^objects=0:/);
    }
    if (storage === FILE) {
      for (let i = 0; i < LIMIT; i++) t.is(await codeOf(client, i, put(write('v', i))), 0);
      client.close();
      await server.stop();
      await server.run();
      client = await server.connect();
      await expectStopped(t, client);
    }
    for (const setting of ['stop-writes-count=0', `stop-writes-count=${LIMIT + 1}`]) {
      t.is(await server.info(`set-config:context=namespace;id=test;set=small;${setting}`), 'ok');
      t.is(await codeOf(client, 0, put(write('v', 1))), 0, setting);
    }
  });

  test(`${kind}: at stop-writes-size a set takes no write but deletes, until records have gone or expired`, async t => {
    const server = await TestServer.start(t, {
      // What expires is not removed yet, so that it counts for as long as the first checks take.
      namespaces: [{ name: 'test', lines: ['nsup-period 0', 'allow-ttl-without-nsup true'], storage }],
    });
    const client = await server.connect();
    const value = Buffer.alloc(1000, 1);
    for (let i = 0; i < 10; i++) t.is(await codeOf(client, i, put(write('v', value))), 0);
    t.is(await codeOf(client, 'brief', { ...put(write('v', value)), ttl: 2 }), 0);
    const used = Number(/data_used_bytes=(\d+)/.exec(await server.info('sets/test/small'))![1]);
    t.is(await server.info(`set-config:context=namespace;id=test;set=small;stop-writes-size=${used}`), 'ok');
    await expectStopped(t, client);
    t.is(await server.info('set-config:context=namespace;id=test;nsup-period=1'), 'ok');
    await until('the brief one is gone', async () =>
      (await server.info('sets/test/small')).startsWith('objects=10:'),
    );
    t.is(await codeOf(client, 0, put(write('v', 1))), 0, 'the brief one has expired');
    t.is(await codeOf(client, 'new', put(write('v', Buffer.alloc(4000)))), 0);
    await expectStopped(t, client);
    t.is(await codeOf(client, 'new', DELETE), 0);
    t.is(await codeOf(client, 0, put(write('v', 2))), 0);
  });
}

test('a read does not touch a record of a set that takes no writes', async t => {
  const server = await TestServer.start(t, {
    namespaces: [{ name: 'test', lines: ['default-read-touch-ttl-pct 100'] }],
  });
  const client = await server.connect();
  t.is(await codeOf(client, 0, { ...put(write('v', 1)), ttl: 1000 }), 0);
  t.is(await server.info('set-config:context=namespace;id=test;set=small;stop-writes-count=1'), 'ok');
  for (let i = 0; i < 3; i++) t.is((await client.command(of(0, GET))).generation, 1);
  t.is(await server.info('set-config:context=namespace;id=test;set=small;stop-writes-count=0'), 'ok');
  await client.command(of(0, GET));
  t.true((await client.command(of(0, GET))).generation > 1);
});
