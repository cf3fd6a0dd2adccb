/** The rules of single-record commands that no recorded vector holds, and those that limits and settings make. */
import { randomBytes } from 'node:crypto';
import test from 'ava';
import { TestServer } from '../support/server.js';
import type { Answer, Field, Message, WireClient } from '../support/wire-client.js';
import {
  answersOf,
  DELETE,
  digestOf,
  GET,
  HEADER,
  messageFrame,
  op,
  put,
  read,
  touch,
  write,
} from '../support/wire-client.js';

const MIB = 1024 * 1024;
const DURABLE = 0x10; // info2

const ask = (client: WireClient, name: string, message: Message): Promise<Answer> =>
  client.command({ ...message, digest: digestOf(name) });
const keyField = (key: string): Field => [2, Buffer.from(`\x03${key}`)];

test('a durable delete deletes, in every way that a record can go, and a plain write may carry its flag', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const ways: Message[] = [
    { info2: 0x03 | DURABLE },
    { ...put(op(2, 'a')), info2: 0x01 | DURABLE }, // its last bin
    { ...put(op(14)), info2: 0x01 | DURABLE }, // all bins
  ];
  for (const way of ways) {
    await ask(client, 'k', put(write('a', 1)));
    t.is((await ask(client, 'k', way)).code, 0);
    t.is((await ask(client, 'k', GET)).code, 2);
  }
  t.is((await ask(client, 'k', { info2: 0x03 | DURABLE })).code, 2, 'there is nothing any more');
  await ask(client, 'k', put(write('a', 1)));
  const batch = await client.batch([{ index: 0, digest: digestOf('k'), info2: 0x03 | DURABLE }]);
  t.is(batch.rows.get(0)!.code, 0);
  t.is((await ask(client, 'k', GET)).code, 2);
  t.is((await ask(client, 'k', { ...put(write('b', 1)), info2: 0x01 | DURABLE })).code, 0);
  t.is((await ask(client, 'k', GET)).ops.length, 1);
});

test('generations: equal, greater, on missing records, on deletes, and past 65535', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const writeIf = (flag: number, generation: number): Message => ({
    ...put(write('a', 1)),
    info2: 0x01 | flag,
    generation,
  });
  const EQUAL = 0x04;
  const GREATER = 0x08;
  t.is((await ask(client, 'k', writeIf(EQUAL, 1))).code, 3);
  t.is((await ask(client, 'k', writeIf(GREATER, 0))).code, 3);
  t.is((await ask(client, 'k', writeIf(EQUAL, 0))).code, 0);
  t.is((await ask(client, 'k', writeIf(EQUAL, 1))).generation, 2);
  t.is((await ask(client, 'k', writeIf(EQUAL, 1))).code, 3);
  t.is((await ask(client, 'k', writeIf(EQUAL, 65_538))).code, 3, 'all 32 bits count');
  t.is((await ask(client, 'k', writeIf(GREATER, 2))).code, 3);
  t.is((await ask(client, 'k', writeIf(GREATER, 9))).generation, 3, 'it grows by one whatever was sent');
  t.is((await ask(client, 'k', { info2: 0x03 | EQUAL, generation: 2 })).code, 3);
  t.is((await ask(client, 'k', { info2: 0x03 | EQUAL, generation: 3 })).code, 0);
  t.is((await ask(client, 'k', HEADER)).code, 2);

  // 65536 writes: several in flight, answered in order.
  const digest = digestOf('many');
  const rows = Array.from({ length: 8192 }, (_, index) => ({
    ...put(write('a', 1)),
    index,
    digest,
    isRepeat: index > 0,
  }));
  for (let i = 0; i < 8; i++) t.is((await client.batch(rows)).code, 0);
  t.is((await client.command({ ...HEADER, digest })).generation, 1, '65535 is followed by 1');
});

test('a stored key stays, is compared when sent, and needs a type and a right size', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const withKey = (message: Message, key: string): Message => ({ ...message, fields: [keyField(key)] });
  const store = put(write('a', 1));
  t.is((await ask(client, 'k', withKey(store, 'one'))).code, 0);
  t.is((await ask(client, 'k', store)).code, 0, 'a write without key keeps it');
  t.is((await ask(client, 'k', { ...store, info3: 0x10 })).code, 0, 'so does a replace');
  for (const message of [store, GET, HEADER, DELETE, touch(0), { ...store, info3: 0x10 }]) {
    t.is((await ask(client, 'k', withKey(message, 'two'))).code, 19);
  }
  t.is((await ask(client, 'k', withKey(GET, 'one'))).code, 0);
  await ask(client, 'bare', store);
  t.is((await ask(client, 'bare', withKey(GET, 'any'))).code, 0, 'no key stored: the one sent is ignored');
  t.is((await ask(client, 'bare', withKey(store, 'late'))).code, 0, 'a later write stores it');
  t.is((await ask(client, 'bare', withKey(GET, 'any'))).code, 19);
  t.is((await ask(client, 'empty', { ...store, fields: [[2, Buffer.alloc(0)]] })).code, 16);
  t.is((await ask(client, 'short', { ...store, fields: [[2, Buffer.from([1, 0, 0, 5])]] })).code, 16);
  t.is((await ask(client, 'k', withKey(DELETE, 'one'))).code, 0);
});

test('namespaces, set names and bin names have their limits', async t => {
  const server = await TestServer.start(t, {
    namespaces: [{ name: 'test' }, { name: 'strict', lines: ['disallow-null-setname true'] }],
  });
  const client = await server.connect();
  const store = put(write('a', 1));
  for (const namespace of ['nope', '', 'tes', 'testx', 'x'.repeat(200), null]) {
    t.is((await ask(client, 'k', { ...store, namespace })).code, 20, `${namespace}`);
  }
  const set63 = 's'.repeat(63);
  t.is((await ask(client, 'set', { ...store, set: set63 })).code, 0);
  t.is((await ask(client, 'set', { ...GET, set: set63 })).code, 0);
  t.is((await ask(client, 'set', { ...GET, set: '' })).code, 0);
  t.is((await ask(client, 'set', { ...GET, set: 'other' })).code, 4);
  t.is((await ask(client, 'set', { ...DELETE, set: 'other' })).code, 4);
  t.is((await ask(client, 'set', { ...store, set: 'other' })).code, 4);
  t.is((await ask(client, 'set64', { ...store, set: `${set63}s` })).code, 4);
  t.is((await ask(client, 'set', { ...GET, set: `${set63}s` })).code, 4);
  t.is((await ask(client, 'bins', put(write('x'.repeat(15), 1)))).code, 0);
  t.is((await ask(client, 'bins', put(write('x'.repeat(16), 1)))).code, 21);
  t.is((await ask(client, 'bins', put(write('x\0y', 1)))).code, 21);
  t.is((await ask(client, 'bins', { info1: 1, ops: [read('x'.repeat(16))] })).code, 21);
  t.is((await ask(client, 'bins', put(write('', 1)))).code, 0, 'the empty name is a name');
  t.is((await ask(client, 'k', { ...store, namespace: 'strict' })).code, 4);
  t.is((await ask(client, 'k', { ...store, namespace: 'strict', set: '' })).code, 4);
  t.is((await ask(client, 'k', { ...store, namespace: 'strict', set: 's' })).code, 0);
});

test('a namespace has 4095 sets and refuses the next with 4', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const rows = Array.from({ length: 4095 }, (_, index) => ({
    ...put(write('a', 1)),
    index,
    digest: digestOf(index),
    set: `set-${index}`,
  }));
  const batch = await client.batch(rows);
  t.is([...batch.rows.values()].filter(row => row.code === 0).length, 4095);
  t.is((await ask(client, 'more', { ...put(write('a', 1)), set: 'one-more' })).code, 4);
  t.is((await ask(client, 'more', { ...put(write('a', 1)), set: 'set-4094' })).code, 0);
  t.is((await ask(client, 'none', put(write('a', 1)))).code, 0);
});

test('a record of exactly max-record-size is stored and one byte more is 13', async t => {
  const lines = ['max-record-size 64K'];
  const server = await TestServer.start(t, { namespaces: [{ name: 'test', lines }] });
  const client = await server.connect();
  const isStored = async (size: number): Promise<boolean> => {
    const { code } = await ask(client, 'k', put(write('a', Buffer.alloc(size))));
    t.true(code === 0 || code === 13, `${code}`);
    return code === 0;
  };
  let fits = 60_000;
  let tooBig = 65_537;
  while (tooBig - fits > 1) {
    const middle = (fits + tooBig) >> 1;
    if (await isStored(middle)) fits = middle;
    else tooBig = middle;
  }
  t.true(65_536 - fits < 128, `overhead of ${65_536 - fits} bytes`);
  t.true(await isStored(fits));
  t.is((await ask(client, 'k', put(op(9, 'a', 4, Buffer.alloc(1))))).code, 13, 'an append over the limit');
  t.is((await ask(client, 'k', put(write('b', 1)))).code, 13, 'a bin more');
  const kept = await ask(client, 'k', GET);
  t.is(kept.ops.length, 1);
  t.is(kept.ops[0]!.value.length, fits, 'what was there is unchanged');
  t.is(await server.info('set-config:context=namespace;id=test;max-record-size=128K'), 'ok');
  t.true(await isStored(fits + 1));
});

test('records of 8 MiB are stored and read whole where max-record-size allows it', async t => {
  const namespaces = [
    { name: 'test', lines: ['max-record-size 8M'], storage: 'storage-engine memory {\ndata-size 256M\n}' },
  ];
  const server = await TestServer.start(t, { namespaces });
  const client = await server.connect();
  for (const size of [MIB - 200, MIB, 8 * MIB - 200]) {
    const value = randomBytes(size);
    t.is((await ask(client, `k${size}`, put(write('a', value)))).code, 0, `${size}`);
    t.true((await ask(client, `k${size}`, GET)).ops[0]!.value.equals(value), `${size}`);
  }
  t.is((await ask(client, 'big', put(write('a', Buffer.alloc(8 * MIB))))).code, 13);
  const half = randomBytes(4 * MIB - 200);
  await ask(client, 'twice', put(write('a', half)));
  t.is((await ask(client, 'twice', put(op(9, 'a', 4, half)))).code, 0);
  t.true((await ask(client, 'twice', GET)).ops[0]!.value.equals(Buffer.concat([half, half])));
});

test('ops and bins have their limits', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const bins = (count: number, from = 0): Message =>
    put(...Array.from({ length: count }, (_, i) => write(`b${from + i}`, 1)));
  t.is((await ask(client, 'k', bins(32_767))).code, 0);
  t.is((await ask(client, 'k', put(write('one-more', 1)))).code, 4);
  t.is((await ask(client, 'k', put(write('b5', 'changed')))).code, 0);
  const whole = await ask(client, 'k', GET);
  t.is(whole.ops.length, 32_767);
  t.is(new Set(whole.ops.map(o => o.name)).size, 32_767);
  t.is((await ask(client, 'two', bins(32_768))).code, 4);
  t.is((await ask(client, 'two', GET)).code, 2);
  const incr = op(5, 'n', 1, Buffer.from([1]));
  t.is((await ask(client, 'ops', put(...Array.from({ length: 32_768 }, () => incr)))).code, 0);
  t.is((await ask(client, 'ops', GET)).ops[0]!.value.readBigInt64BE(), 32_768n);
  t.is((await ask(client, 'ops', put(...Array.from({ length: 32_769 }, () => incr)))).code, 4);
  t.is((await ask(client, 'ops', put())).code, 4);
});

test('exists actions, a write with the delete flag, and commands that neither read nor write', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const store = put(write('b', 2));
  t.is((await ask(client, 'k', { ...store, info3: 0x08 })).code, 2, 'update only');
  t.is((await ask(client, 'k', { ...store, info3: 0x20 })).code, 2, 'replace only');
  t.is((await ask(client, 'k', put(write('a', 1)))).code, 0);
  t.is((await ask(client, 'k', { ...store, info2: 0x21 })).code, 5, 'create only');
  t.is((await ask(client, 'k', { ...store, info3: 0x08 })).generation, 2);
  t.is((await ask(client, 'k', GET)).ops.length, 2);
  t.is((await ask(client, 'k', { ...store, info3: 0x20 })).generation, 3);
  t.deepEqual(
    (await ask(client, 'k', GET)).ops.map(o => o.name),
    ['b'],
  );
  for (const bad of [op(11), op(14), op(2, 'b'), op(5, 'b', 1, Buffer.from([1])), op(9, 'b', 4)]) {
    t.is((await ask(client, 'k', { ...put(bad), info3: 0x10 })).code, 4, `op ${bad.op} with replace`);
  }
  t.is((await ask(client, 'k', {})).code, 4);
  t.is((await ask(client, 'k', { info1: 1 })).code, 4);
  t.is((await ask(client, 'k', { info1: 3, info2: 0x03, ops: [write('c', 1)] })).code, 0, 'delete wins');
  t.is((await ask(client, 'k', GET)).code, 2);
});

test('what is not built is refused, and the connection goes on', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  await ask(client, 'k', put(write('a', 1)));
  const refusals: [string, Message, number][] = [
    [
      'udf',
      {
        info2: 1,
        fields: [
          [30, Buffer.from('m')],
          [31, Buffer.from('f')],
          [32, Buffer.from([0x90])],
        ],
      },
      16,
    ],
    ['transaction', { ...GET, fields: [[5, Buffer.alloc(8, 1)]] }, 25],
    ['unknown op', put(op(77, 'a', 1, Buffer.from([1]))), 4],
  ];
  for (const [what, message, code] of refusals) {
    t.is((await ask(client, 'k', message)).code, code, what);
    t.is((await ask(client, 'k', GET)).generation, 1, what);
  }
  const scan = await client.command({ info1: 3, info3: 4, fields: [[7, Buffer.alloc(8, 9)]] });
  t.is(scan.code, 16);
  t.is((await ask(client, 'k', GET)).code, 0);
});

test('unknown fields and flags are passed over', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  await ask(client, 'k', put(write('a', 1)));
  const unknown: Field[] = [
    [99, Buffer.from('anything')],
    [45, Buffer.alloc(0)],
    [200, Buffer.alloc(1000)],
  ];
  t.is((await ask(client, 'k', { ...GET, fields: unknown })).code, 0);
  t.is((await ask(client, 'k', { ...GET, info4: 0x60 })).code, 0, 'error verbosity');
  t.is((await ask(client, 'k', { ...put(write('a', 2)), info3: 0x02 })).code, 0, 'commit level master');
  t.is((await ask(client, 'k', { ...GET, info1: 0x43, info3: 0xc0 })).code, 0, 'read modes');
});

test('what is malformed is told before the namespace, or the lack of a digest, is looked at', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const digest = digestOf('k');
  const cut = (message: Message): Buffer => {
    const frame = messageFrame(message).subarray(0, -1);
    frame.writeUIntBE(frame.length - 8, 2, 6);
    return frame;
  };
  const code = async (frame: Buffer): Promise<number> => {
    client.send(frame);
    return answersOf(await client.frame())[0]!.code;
  };
  const store = put(write('a', 1));
  for (const message of [{ ...store, digest }, store, { ...GET, digest, fields: [keyField('one')] }]) {
    t.is(await code(cut({ ...message, namespace: 'nope' })), 4); // malformed/8 and others
    t.is(await code(cut({ ...message, namespace: null })), 4);
    t.is(await code(cut(message)), 4); // malformed/10, step 4
    t.is(await code(messageFrame({ ...message, namespace: 'nope' })), 20);
  }
});

test('an unknown op fails when its turn comes, as part of the record it is about', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const badList = { op: 2, type: 20, name: 'l', value: Buffer.from('92', 'hex') };
  const unknown = { op: 153, type: 4, name: 'm', value: Buffer.from('93560606', 'hex') };
  t.like(await ask(client, 'k', put(unknown)), { code: 4, generation: 0 });
  t.like(await ask(client, 'k', put(badList, unknown)), { code: 1, generation: 0 }); // malformed/257, step 5
  t.is((await ask(client, 'k', put(write('a', 1)))).code, 0);
  t.like(await ask(client, 'k', put(write('a', 2), unknown)), { code: 4, generation: 1 }); // malformed/5, step 5
  t.like(await ask(client, 'k', put(badList, unknown)), { code: 1, generation: 1 }); // malformed/44, step 2
  t.like(await ask(client, 'k', put(unknown, badList)), { code: 4, generation: 1 });
  t.is((await ask(client, 'k', put({ ...unknown, name: 'a name too long.' }))).code, 21);
  t.is((await ask(client, 'k', GET)).ops[0]!.value.readBigInt64BE(), 1n);
});

test('a read that asks for nothing is refused after its record and its filter were looked at', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const nothing: Message = { info1: 0x41 };
  const never: Field = [43, Buffer.from('c2', 'hex')];
  t.is((await ask(client, 'k', nothing)).code, 2); // malformed/198, step 4
  t.is((await ask(client, 'k', put(write('a', 1)))).code, 0);
  t.like(await ask(client, 'k', { ...nothing, fields: [never] }), { code: 27, generation: 1 }); // malformed/272
  t.like(await ask(client, 'k', nothing), { code: 4, generation: 1 });
});

test('with both generation flags only whether it is equal counts', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const both = (generation: number): Message => ({ ...put(write('a', 1)), info2: 0x01 | 0x0c, generation });
  t.is((await ask(client, 'k', both(0))).generation, 1); // malformed/356, step 5
  t.is((await ask(client, 'k', both(1))).generation, 2);
  t.is((await ask(client, 'k', both(3))).code, 3);
});
