/** Commands that the main thread executes itself beside those of the workers, on the same records. */
import test from 'ava';
import { TestServer } from '../support/server.js';
import {
  answersOf,
  digestOf,
  GET,
  int64,
  type Message,
  messageFrame,
  op,
  put,
  read,
  type WireClient,
  write,
} from '../support/wire-client.js';

const ENGINES: readonly (readonly [name: string, environment: Record<string, string>])[] = [
  ['the native sockets', {}],
  ['node:net', { CALTROP_NATIVE: 'off' }],
];
const INCREMENT = op(5, 'n', 1, int64(1));
/** The main thread leaves to the workers what answers values to writes. */
const BY_WORKER: Message = { ...put(INCREMENT, read('n')), info1: 1 };
const IN_PLACE: Message = put(INCREMENT);

for (const [engine, environment] of ENGINES) {
  test(`no increment is lost between the main thread and two workers, on ${engine}`, async t => {
    const server = await TestServer.start(t, { environment, service: ['service-threads 2'] });
    const clients = await Promise.all(Array.from({ length: 24 }, () => server.connect()));
    const KEYS = 4;
    const ROUNDS = 60;
    const DEPTH = 10;
    const run = async (client: WireClient, c: number): Promise<void> => {
      for (let round = 0; round < ROUNDS; round++) {
        for (let i = 0; i < DEPTH; i++) {
          const digest = digestOf(`counter ${i % KEYS}`);
          client.send(messageFrame({ ...(c % 3 === 0 ? BY_WORKER : IN_PLACE), digest, timeoutMs: 30_000 }));
        }
        for (let i = 0; i < DEPTH; i++) t.is(answersOf(await client.frame())[0]!.code, 0);
        if (c % 3 === 1) {
          const rows = Array.from({ length: KEYS }, (_, index) => ({
            ...IN_PLACE,
            index,
            digest: digestOf(`counter ${index}`),
          }));
          t.is((await client.batch(rows)).code, 0);
        }
      }
    };
    await Promise.all(clients.map(run));
    let sum = 0;
    for (let key = 0; key < KEYS; key++) {
      const answer = await clients[0]!.command({ ...GET, digest: digestOf(`counter ${key}`) });
      sum += Number(answer.ops[0]!.value.readBigInt64BE());
    }
    t.is(sum, 24 * ROUNDS * DEPTH + 8 * ROUNDS * KEYS);
    const written = await server.statistic('client_write_success', 'namespace/test');
    t.is(written, 24 * ROUNDS * DEPTH, 'counted once each, whoever executed it');
  });

  test(`records that both add are all there, while the index grows, on ${engine}`, async t => {
    const server = await TestServer.start(t, { environment });
    const clients = await Promise.all(Array.from({ length: 8 }, () => server.connect()));
    const COUNT = 8000; // a client: the directory doubles several times
    await Promise.all(
      clients.map(async (client, c) => {
        for (let from = 0; from < COUNT; from += 200) {
          for (let i = from; i < from + 200; i++) {
            const digest = digestOf(`${c}/${i}`);
            const message = put(write('n', i));
            const isByWorker = c % 2 === 0 && i % 2 === 0;
            client.send(
              messageFrame({
                ...message,
                ...(isByWorker ? { info1: 1, ops: [...message.ops!, read('n')] } : {}),
                digest,
                timeoutMs: 30_000,
              }),
            );
          }
          for (let i = 0; i < 200; i++) t.is(answersOf(await client.frame())[0]!.code, 0);
        }
      }),
    );
    t.is(await server.statistic('objects', 'namespace/test'), 8 * COUNT);
    let right = 0;
    for (const [c, client] of clients.entries()) {
      for (let i = 0; i < COUNT; i++) client.send(messageFrame({ ...GET, digest: digestOf(`${c}/${i}`) }));
      for (let i = 0; i < COUNT; i++) {
        const { code, ops } = answersOf(await client.frame())[0]!;
        if (code === 0 && Number(ops[0]!.value.readBigInt64BE()) === i) right++;
      }
    }
    t.is(right, 8 * COUNT);
  });

  test(`commands sent in one piece are answered in order, whoever executes them, on ${engine}`, async t => {
    const server = await TestServer.start(t, { environment });
    const client = await server.connect();
    const digest = digestOf('k');
    const big = Buffer.alloc(40_000, 1);
    const messages: Message[] = [];
    for (let i = 0; i < 100; i++)
      messages.push(IN_PLACE, BY_WORKER, GET, put(write('b', big)), put(op(2, 'b')));
    client.send(Buffer.concat(messages.map(message => messageFrame({ ...message, digest }))));
    let n = 0;
    for (let i = 0; i < 100; i++) {
      t.is(answersOf(await client.frame())[0]!.generation, 4 * i + 1);
      const second = answersOf(await client.frame())[0]!;
      n = Number(second.ops.find(({ name }) => name === 'n')!.value.readBigInt64BE());
      t.is(n, 2 * i + 2);
      const third = answersOf(await client.frame())[0]!;
      t.is(Number(third.ops[0]!.value.readBigInt64BE()), n);
      t.is(answersOf(await client.frame())[0]!.generation, 4 * i + 3);
      t.is(answersOf(await client.frame())[0]!.generation, 4 * i + 4);
    }
  });
}

test('a row that fails ends a small batch that did not ask for all answers, with or without its own answer', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  for (const name of ['a', 'b', 'c']) await client.command({ ...BY_WORKER, digest: digestOf(name) });
  const rows = [
    { ...GET, index: 0, digest: digestOf('a') },
    { ...GET, index: 1, digest: digestOf('none') },
    { ...put(op(5, 'n', 3, Buffer.from('x'))), index: 2, digest: digestOf('b') },
    { ...IN_PLACE, index: 3, digest: digestOf('c') },
  ];
  const REPORT_ERROR_ROW = 0x08;
  const RESPOND_ALL = 0x04;
  const silent = await client.batch(rows, 0);
  t.is(silent.code, 12);
  t.deepEqual([...silent.rows.keys()], [0, 1]);
  const told = await client.batch(rows, REPORT_ERROR_ROW);
  t.is(told.code, 12);
  t.deepEqual(
    [...told.rows.values()].map(({ code }) => code),
    [0, 2, 12],
  );
  const all = await client.batch(rows, RESPOND_ALL);
  t.is(all.code, 0);
  t.deepEqual(
    [...all.rows.values()].map(({ code }) => code),
    [0, 2, 12, 0],
  );
  const { ops } = await client.command({ ...GET, digest: digestOf('c') });
  t.is(Number(ops[0]!.value.readBigInt64BE()), 2, 'only the last batch came to it');
});

test('commands of the main thread are in the figures and the histogram of their namespace', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const digest = digestOf('k');
  t.is(await server.info('latencies:hist={test}-read'), '{test}-read:');
  await client.command({ ...BY_WORKER, digest });
  for (let i = 0; i < 500; i++) t.is((await client.command({ ...GET, digest })).code, 0);
  t.is(await server.statistic('client_read_success', 'namespace/test'), 500);
  t.is(await server.statistic('client_write_success', 'namespace/test'), 1);
  t.regex(await server.info('latencies:hist={test}-read'), /^\{test\}-read:msec,[1-9]/);
});
