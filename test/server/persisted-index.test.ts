/** Lists and maps that persist an index: clients see neither it nor its flag, however they read. */
import test from 'ava';
import { TestServer } from '../support/server.js';
import {
  type Answer,
  digestOf,
  GET,
  type Message,
  op,
  put,
  read,
  type WireClient,
  write,
} from '../support/wire-client.js';

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const LIST = 20;
const MAP = 19;
/** As it is sent to be stored: with the flag that asks for an index. As it comes back: without. */
const LIST_IN = bytes('96 c7 00 11 01 02 03 cd 01 00 cd 02 00');
const LIST_OUT = '96c700010102 03cd0100cd0200'.replaceAll(' ', '');
const PLAIN_LIST_IN = bytes('93 c7 00 10 05 06');
const PLAIN_LIST_OUT = '920506';
const MAP_IN = bytes('83 c7 00 13 c0 01 09 02 08');
const MAP_OUT = '83c70003c001090208';

const ask = (client: WireClient, name: string, message: Message): Promise<Answer> =>
  client.command({ ...message, digest: digestOf(name) });
const valuesOf = (answer: Answer): [string, string][] =>
  answer.ops.map(o => [o.name, o.value.toString('hex')]);
const store = put(
  write('a', 1),
  op(2, 'l', LIST, LIST_IN),
  op(2, 'p', LIST, PLAIN_LIST_IN),
  op(2, 'm', MAP, MAP_IN),
  write('z', 'end'),
);
const EXPECTED: [string, string][] = [
  ['l', LIST_OUT],
  ['p', PLAIN_LIST_OUT],
  ['m', MAP_OUT],
];

/** Reads the three bins in every way there is. */
async function readAll(client: WireClient, name: string): Promise<[string, [string, string][]][]> {
  const whole = await ask(client, name, GET);
  const selected = await ask(client, name, { info1: 1, ops: [read('l'), read('p'), read('m')] });
  const operated = await ask(client, name, { info1: 3, ops: [op(1)] });
  const written = await ask(client, name, {
    info1: 1,
    info2: 1,
    ops: [write('a', 2), read('l'), read('p'), read('m')],
  });
  const writtenAll = await ask(client, name, { info1: 3, info2: 1, ops: [write('a', 3), op(1)] });
  const expressed = await ask(client, name, {
    info1: 1,
    ops: [
      op(7, 'l', 4, bytes('92 93 51 04 a1 6c 00')),
      op(7, 'p', 4, bytes('92 93 51 04 a1 70 00')),
      op(7, 'm', 4, bytes('92 93 51 05 a1 6d 00')),
    ],
  });
  const batch = await client.batch([{ ...GET, index: 0, digest: digestOf(name) }]);
  return [
    ['get', valuesOf(whole)],
    ['select', valuesOf(selected)],
    ['read all', valuesOf(operated)],
    ['read while writing', valuesOf(written)],
    ['read all while writing', valuesOf(writtenAll)],
    ['expression', valuesOf(expressed)],
    ['batch', valuesOf(batch.rows.get(0)!)],
  ];
}

test('no answer carries the index or its flag, from memory or from a device, also after a restart', async t => {
  const storage = `storage-engine device {
  file DIRECTORY/test.dat
  filesize 64M
  post-write-cache 0
}`;
  for (const namespaces of [undefined, [{ name: 'test', storage }]]) {
    const server = await TestServer.start(t, namespaces === undefined ? {} : { namespaces });
    let client = await server.connect();
    t.is((await ask(client, 'k', store)).code, 0);
    const check = async (): Promise<void> => {
      for (const [how, values] of await readAll(client, 'k')) {
        t.deepEqual(
          values.filter(([name]) => name !== 'a' && name !== 'z'),
          EXPECTED,
          how,
        );
      }
    };
    await check();
    t.is((await ask(client, 'k', { info2: 1, ttl: 0xffffffff, ops: [op(11)] })).code, 0, 'touch');
    await check();
    t.is(
      (await ask(client, 'k', { info1: 1, ops: [op(3, 'l', 4, bytes('91 10'))] })).ops[0]!.value.at(-1),
      5,
    );
    if (namespaces === undefined) continue;
    await server.stop();
    await server.run();
    client = await server.connect();
    await check();
  }
});

test('operations find and keep the index, and answer without it', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  await ask(client, 'k', store);
  // put {3: 7}, get it by key, append to the ordered list
  const changed = await ask(client, 'k', {
    info1: 1,
    info2: 0x81,
    ops: [
      op(4, 'm', 4, bytes('94 43 03 07 00')),
      op(3, 'm', 4, bytes('93 61 07 03')),
      op(4, 'l', 4, bytes('92 01 04')),
      read('m'),
      read('l'),
    ],
  });
  t.is(changed.code, 0);
  t.deepEqual(
    changed.ops.map(o => o.value.toString('hex')),
    [
      '0000000000000003',
      '0000000000000007',
      '0000000000000006',
      '84c70003c0010902080307',
      '97c7000101020304cd0100cd0200',
    ],
  );
  t.deepEqual(valuesOf(await ask(client, 'k', { info1: 1, ops: [read('m')] })), [
    ['m', '84c70003c0010902080307'],
  ]);
});

test('a value that an expression copies to another bin is answered without its index too', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  await ask(client, 'k', store);
  t.is((await ask(client, 'k', put(op(8, 'copy', 4, bytes('92 93 51 05 a1 6d 00'))))).code, 0);
  t.deepEqual(valuesOf(await ask(client, 'k', { info1: 1, ops: [read('copy')] })), [['copy', MAP_OUT]]);
});
