/** How bytes become frames: splits, pipelines, mixed types, claims, and connections that end in every way. */
import test from 'ava';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import {
  answersOf,
  batchFrame,
  digestOf,
  frameOf,
  GET,
  infoFrame,
  messageFrame,
  op,
  put,
  type WireClient,
  write,
} from '../support/wire-client.js';

const MIB = 1024 * 1024;
const ADMIN_LOGIN = frameOf(2, Buffer.concat([Buffer.from([0, 0, 20, 1]), Buffer.alloc(12)]), 0);

const GET_A = messageFrame({ ...GET, digest: digestOf('a') });
const PUT_A = messageFrame({ ...put(write('a', 'value')), digest: digestOf('a') });

/** A header that announces `size` bytes of type `type`. */
function claim(size: number, type = 3, version = 2): Buffer {
  const head = Buffer.alloc(8);
  head.writeUIntBE(size, 2, 6);
  head[0] = version;
  head[1] = type;
  return head;
}

const pause = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

test('frames may be split at any byte', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const rows = [
    { ...GET, index: 7, digest: digestOf('a') },
    { ...GET, index: 8, digest: digestOf('a'), isRepeat: true },
  ];
  const stream = Buffer.concat([PUT_A, infoFrame('build\n'), GET_A, batchFrame(rows), ADMIN_LOGIN]);
  const expect = async (): Promise<void> => {
    t.is(answersOf(await client.frame())[0]!.code, 0);
    t.is((await client.frame()).toString('latin1', 8), 'build\t8.1.2.0\n');
    t.is(answersOf(await client.frame())[0]!.ops[0]!.value.toString(), 'value');
    t.is((await client.batchAnswer()).rowCount, 2);
    t.is((await client.frame())[9], 52);
  };
  for (let cut = 1; cut < stream.length; cut++) {
    client.send(stream.subarray(0, cut));
    await pause();
    client.send(stream.subarray(cut));
    await expect();
  }
  for (const byte of stream) {
    client.send(Buffer.from([byte]));
    await pause();
  }
  await expect();
});

test('many frames in one packet are answered in order, each after the one before', async t => {
  const server = await TestServer.start(t, { service: ['service-threads 3'] });
  const client = await server.connect();
  const frames: Buffer[] = [];
  for (let i = 0; i < 2000; i++) {
    const digest = digestOf(`k${i % 7}`);
    frames.push(messageFrame({ ...put(write('n', i)), digest }), messageFrame({ ...GET, digest }));
    if (i % 3 === 0) frames.push(infoFrame('node\n'));
    if (i % 10 === 0) frames.push(batchFrame([{ ...GET, index: i, digest }]));
  }
  client.send(Buffer.concat(frames));
  for (let i = 0; i < 2000; i++) {
    t.is(answersOf(await client.frame())[0]!.generation, Math.floor(i / 7) + 1);
    t.is(answersOf(await client.frame())[0]!.ops[0]!.value.readBigInt64BE(), BigInt(i));
    if (i % 3 === 0) t.is((await client.frame())[1], 1);
    if (i % 10 === 0) {
      const { rows } = await client.batchAnswer();
      t.is(rows.get(i)!.ops[0]!.value.readBigInt64BE(), BigInt(i), 'a batch sees the put before it');
    }
  }
});

test('admin messages are answered with 52, whatever they ask', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  for (const version of [0, 2]) {
    for (let command = 0; command < 30; command++) {
      const frame = await client.ask(
        frameOf(2, Buffer.concat([Buffer.from([0, 0, command, 0]), Buffer.alloc(12)]), version),
      );
      t.is(frame[1], 2);
      t.is(frame.length, 24);
      t.is(frame[9], 52);
    }
  }
  t.is((await client.ask(frameOf(2, Buffer.alloc(0))))[9], 52);
  t.is((await client.ask(GET_A))[13], 2);
});

test('bytes that are no frame end their connection and nothing else', async t => {
  const server = await TestServer.start(t);
  const bystander = await server.connect();
  const before = server.residentSize();
  const bad: [string, Buffer][] = [
    ['128 MiB and a byte', claim(128 * MIB + 1)],
    ['2^48 - 1 bytes', claim(2 ** 48 - 1)],
    ['an info message of 2 MiB', Buffer.concat([claim(2 * MIB, 1), Buffer.alloc(2 * MIB)])],
    ['version 1', claim(22, 3, 1)],
    ['version 0 of a data message', claim(22, 3, 0)],
    ['version 3', claim(22, 3, 3)],
    ['type 0', claim(22, 0)],
    ['type 5', claim(22, 5)],
    ['type 255', claim(22, 255)],
    ['a TLS hello', Buffer.from('16030100a5010000a10303', 'hex')],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['zeros', Buffer.alloc(64)],
  ];
  for (const [what, bytes] of bad) {
    const client = await server.connect();
    client.send(bytes);
    await client.closed();
    t.is(client.receivedSize, 0, what);
    t.is((await bystander.ask(GET_A))[13], 2, what);
  }
  // A good frame before the bad bytes is answered, unless they come while it is under way.
  const client = await server.connect();
  t.is((await client.ask(GET_A))[13], 2);
  client.send(Buffer.concat([infoFrame('build\n'), claim(22, 9)]));
  await client.closed();
  t.true(server.residentSize() < before + 80 * MIB);
  t.true((await server.statistic('demarshal_error')) >= bad.length);
});

test('announced bytes take no memory before they have come', async t => {
  const server = await TestServer.start(t);
  const before = server.residentSize();
  const clients: WireClient[] = [];
  for (let i = 0; i < 200; i++) {
    const client = await server.connect();
    client.send(Buffer.concat([claim(128 * MIB, i % 2 === 0 ? 3 : 4), Buffer.alloc(1000)]));
    clients.push(client);
  }
  t.is(await server.statistic('client_connections'), 201);
  t.true(server.residentSize() < before + 80 * MIB, `${(server.residentSize() - before) / MIB} MiB`);
  for (const client of clients) client.close();
});

test('a data message that is malformed is answered with 4 and the connection goes on', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const good = messageFrame({ ...put(write('a', 1)), digest: digestOf('a') });
  const body = good.subarray(8);
  const changed = (at: number, value: number): Buffer => {
    const copy = Buffer.from(body);
    copy[at] = value;
    return copy;
  };
  const bad: [string, Buffer][] = [
    ['empty', Buffer.alloc(0)],
    ['21 bytes', body.subarray(0, 21)],
    ['more fields than there are', changed(19, 200)],
    ['fewer fields', changed(19, 1)],
    ['more ops', changed(21, 2)],
    ['fewer ops', changed(21, 0)],
    ['trailing bytes', Buffer.concat([body, Buffer.from([0])])],
    ['a field of length 0', changed(25, 0)],
    ['a field longer than all', changed(22, 0x7f)],
    ['an op longer than all', changed(body.length - 17, 0xff)],
    ['a name longer than its op', changed(body.length - 10, 0xff)],
    ...Array.from({ length: body.length - 23 }, (_, i): [string, Buffer] => [
      `cut at ${23 + i}`,
      body.subarray(0, 23 + i),
    ]),
  ];
  for (const [what, bytes] of bad) {
    const code = (await client.ask(frameOf(3, bytes)))[13];
    // Cut inside its fields it may have lost its namespace or its digest.
    t.true(code === 4 || (what.includes('field') && (code === 20 || code === 16)), `${what}: ${code}`);
  }
  t.is((await client.ask(GET_A))[13], 2, 'nothing was stored');
  t.is((await client.ask(good))[13], 0);
});

test('connections end in every way, with commands under way, and are forgotten', async t => {
  const server = await TestServer.start(t);
  const rows = Array.from({ length: 200 }, (_, index) => ({ ...GET, index, digest: digestOf('big') }));
  const keeper = await server.connect();
  t.is(
    (await keeper.command({ ...put(write('a', Buffer.alloc(100_000))), digest: digestOf('big') })).code,
    0,
  );
  const ways: ((client: WireClient) => void)[] = [
    client => client.close(),
    client => client.reset(),
    client => client.socket.end(),
    client => {
      client.send(GET_A.subarray(0, 20));
      client.socket.end();
    },
  ];
  for (let round = 0; round < 60; round++) {
    const client = await server.connect();
    if (round % 3 === 0) client.socket.pause();
    client.send(round % 2 === 0 ? batchFrame(rows) : Buffer.concat(Array.from({ length: 50 }, () => GET_A)));
    if (round % 5 !== 0) await pause();
    ways[round % ways.length]!(client);
    client.socket.resume();
    await client.closed();
  }
  await until('all are closed', async () => (await server.statistic('client_connections')) <= 2);
  t.is((await keeper.ask(GET_A))[13], 2);
});

test('a connection that takes the place of a closed one never sees its answers', async t => {
  const server = await TestServer.start(t);
  const first = await server.connect();
  const value = Buffer.alloc(100_000, 1);
  await first.command({ ...put(write('a', value)), digest: digestOf('theirs') });
  await first.command({ ...put(write('a', 'mine')), digest: digestOf('mine') });
  first.close();
  const theirs = messageFrame({ ...GET, digest: digestOf('theirs') });
  const batch = batchFrame(
    Array.from({ length: 50 }, (_, index) => ({ ...GET, index, digest: digestOf('theirs') })),
  );
  for (let round = 0; round < 200; round++) {
    const gone = await server.connect();
    gone.send(round % 2 === 0 ? Buffer.concat([theirs, theirs, theirs]) : batch);
    if (round % 4 < 2) await pause();
    gone.reset();
    const client = await server.connect();
    const mine = answersOf(await client.ask(messageFrame({ ...GET, digest: digestOf('mine') })));
    t.is(mine.length, 1);
    t.is(mine[0]!.ops[0]!.value.toString(), 'mine');
    const one = await client.batch([{ ...GET, index: 4_000_000_000, digest: digestOf('mine') }]);
    t.deepEqual([...one.rows.keys()], [4_000_000_000]);
    t.is(client.receivedSize, 0);
    client.close();
  }
});

test('what follows a refused command on a connection is executed', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const refused = [
    messageFrame({ ...GET, namespace: 'nope', digest: digestOf('a') }),
    frameOf(3, Buffer.alloc(5)),
    frameOf(4, Buffer.alloc(5)),
    batchFrame([]),
    messageFrame({ ...put(op(4, 'a', 4)), digest: digestOf('a') }),
  ];
  client.send(Buffer.concat(refused.flatMap(frame => [frame, infoFrame('build\n')])));
  for (const code of [20, 4, 4, 4, 4]) {
    t.is((await client.frame())[13], code);
    t.is((await client.frame())[1], 1);
  }
});
