/** Batches that come at once, so that workers execute some of them as a whole, on each other's shards. */
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import {
  type BatchAnswer,
  batchFrame,
  DELETE,
  digestOf,
  GET,
  HEADER,
  int64,
  type Message,
  op,
  put,
  type Row,
  read,
  type WireClient,
  write,
} from '../support/wire-client.js';

const ENGINES: readonly (readonly [name: string, environment: Record<string, string>])[] = [
  ['the native sockets', {}],
  ['node:net', { CALTROP_NATIVE: 'off' }],
];
const RESPOND_ALL = 0x04;
const INCOMPATIBLE_TYPE = 12;
const INCREMENT = put(op(5, 'n', 1, int64(1)));
/** Left to the worker of its shard: it answers a value to a write. */
const LEFT: Message = { ...put(op(5, 'n', 1, int64(1)), read('n')), info1: 1 };

const row = (index: number, name: string | number, message: Message): Row => ({
  ...message,
  index,
  digest: digestOf(name),
});

for (const [engine, environment] of ENGINES) {
  test(`no increment is lost or done twice, whoever executes the batches, on ${engine}`, async t => {
    const server = await TestServer.start(t, { environment, service: ['service-threads 3'] });
    const clients = await Promise.all(Array.from({ length: 24 }, () => server.connect()));
    const KEYS = 150;
    const ROUNDS = 40;
    await Promise.all(
      clients.map(async (client, c) => {
        for (let round = 0; round < ROUNDS; round++) {
          const flags = (c + round) % 2 === 0 ? RESPOND_ALL : 0;
          const message = c % 8 === 7 && round % 4 === 0 ? LEFT : INCREMENT;
          const rows = Array.from({ length: KEYS }, (_, i) => row(i, `counter ${i}`, message));
          client.send(batchFrame(rows, flags));
          const answer = await client.batchAnswer();
          t.is(answer.code, 0);
          t.is(answer.rows.size, KEYS);
          if (c % 3 === 0)
            t.is((await client.command({ ...INCREMENT, digest: digestOf('counter 0') })).code, 0);
        }
      }),
    );
    const answer = await clients[0]!.batch(
      Array.from({ length: KEYS }, (_, i) => row(i, `counter ${i}`, GET)),
    );
    for (let i = 0; i < KEYS; i++) {
      const sum = Number(answer.rows.get(i)!.ops[0]!.value.readBigInt64BE());
      if (sum !== ROUNDS * (24 + (i === 0 ? 8 : 0)))
        t.is(sum, ROUNDS * (24 + (i === 0 ? 8 : 0)), `counter ${i}`);
    }
    t.is(await server.statistic('batch_sub_write_success', 'namespace/test'), 24 * ROUNDS * KEYS);
    t.is(await server.statistic('batch_sub_read_success', 'namespace/test'), KEYS);
    t.is(await server.statistic('batch_index_initiate'), 24 * ROUNDS + 1);
    t.is(await server.statistic('batch_index_complete'), 24 * ROUNDS + 1);
  });

  test(`records that batches add are all there, while indexes grow, on ${engine}`, async t => {
    const server = await TestServer.start(t, { environment, service: ['service-threads 3'] });
    const clients = await Promise.all(Array.from({ length: 12 }, () => server.connect()));
    const COUNT = 6000; // a client
    const SIZE = 100;
    let wrong = 0;
    const check = (answer: BatchAnswer, from: number): void => {
      for (let i = 0; i < SIZE; i++) {
        const found = answer.rows.get(i);
        if (found?.code !== 0 || Number(found.ops[0]!.value.readBigInt64BE()) !== from + i) wrong++;
      }
    };
    await Promise.all(
      clients.map(async (client, c) => {
        for (let from = 0; from < COUNT; from += SIZE) {
          const names = Array.from({ length: SIZE }, (_, i) => `${c}/${from + i}`);
          const wrote = await client.batch(names.map((name, i) => row(i, name, put(write('n', from + i)))));
          if (wrote.rows.size !== SIZE || wrote.code !== 0) wrong++;
          check(await client.batch(names.map((name, i) => row(i, name, GET))), from);
        }
      }),
    );
    t.is(wrong, 0);
    t.is(await server.statistic('objects', 'namespace/test'), 12 * COUNT);
    await Promise.all(
      clients.map(async (client, c) => {
        for (let from = 0; from < COUNT; from += SIZE)
          check(
            await client.batch(Array.from({ length: SIZE }, (_, i) => row(i, `${c}/${from + i}`, GET))),
            from,
          );
      }),
    );
    t.is(wrong, 0);
  });
}

test('batches of all kinds have the same answers alone and among many', async t => {
  const server = await TestServer.start(t, { service: ['service-threads 3'] });
  const clients = await Promise.all(Array.from({ length: 16 }, () => server.connect()));
  const big = Buffer.alloc(12_000, 3);
  const script = async (client: WireClient, prefix: string): Promise<unknown[]> => {
    const told: unknown[] = [];
    const send = (rows: readonly Row[], flags: number): Promise<BatchAnswer> => {
      client.send(batchFrame(rows, flags));
      return client.batchAnswer();
    };
    const ask = async (rows: readonly Row[], flags = RESPOND_ALL): Promise<void> => {
      const answer = await send(rows, flags);
      told.push(
        answer.code,
        [...answer.rows].sort(([a], [b]) => a - b).map(([i, a]) => [i, a.code, a.generation, a.ops]),
      );
    };
    const each = (count: number, message: (i: number) => Message): Row[] =>
      Array.from({ length: count }, (_, i) => row(i, `${prefix} ${i}`, message(i)));
    /**
     * A batch that its first failure ends, on records of its own: rows `bad`, `bad + 10`, ... fail. Shards have their rows
     * at once, so that those behind the first one may be executed or not: what was answered was done, once.
     */
    const stop = async (bad: number, flags: number): Promise<void> => {
      const rows = (message: (i: number) => Message): Row[] =>
        Array.from({ length: 50 }, (_, i) => row(i, `${prefix} stop ${bad} ${i}`, message(i)));
      await send(
        rows(i => put(write('n', i), write('s', 'text'))),
        RESPOND_ALL,
      );
      const answer = await send(
        rows(i => put(op(9, i % 10 === bad ? 'n' : 's', 3, Buffer.from('!')))),
        flags,
      );
      const failed = [...answer.rows].filter(([, { code }]) => code !== 0);
      if (flags === 0) t.is(failed.length, 0);
      else t.true(failed.length > 0);
      for (const [i, { code }] of failed) t.deepEqual([i % 10, code], [bad, INCOMPATIBLE_TYPE]);
      const records = await send(
        rows(() => ({ info1: 0x01, ops: [read('s')] })),
        RESPOND_ALL,
      );
      for (let i = 0; i < 50; i++) {
        const text = records.rows.get(i)!.ops[0]!.value.toString();
        if (answer.rows.get(i)?.code === 0) t.is(text, 'text!');
        else if (i % 10 === bad) t.is(text, 'text');
        else t.regex(text, /^text!?$/);
      }
      told.push(answer.code);
    };
    await ask(each(60, i => put(write('n', i), write('s', `text ${i}`))));
    await ask(
      each(60, i => (i % 5 === 4 ? { ...put(write('n', 0)), info2: 0x05, generation: 9 } : INCREMENT)),
    );
    await ask(
      each(70, () => GET),
      0,
    );
    await ask(each(70, i => (i % 2 === 0 ? HEADER : { info1: 0x01, ops: [read('n')] })));
    await stop(3, 0);
    await stop(7, 0x08);
    await ask(each(40, i => (i % 3 === 0 ? DELETE : LEFT)));
    await ask(each(40, () => put(write('b', big))));
    await ask(each(40, () => GET)); // more than an answer may have
    await ask([...each(20, () => GET), ...each(20, () => GET)]);
    return told;
  };
  const alone = await script(clients[0]!, 'alone');
  const among = await Promise.all(clients.map((client, c) => script(client, `among ${c}`)));
  t.is(alone.filter(code => code === INCOMPATIBLE_TYPE).length, 2);
  for (const told of among) t.deepEqual(told, alone);
});

test('clients that go away while their batches are executed leave the others their answers', async t => {
  const server = await TestServer.start(t, { service: ['service-threads 2'] });
  const rows = Array.from({ length: 100 }, (_, i) => row(i, i, LEFT));
  const reads = Array.from({ length: 100 }, (_, i) => row(i, i, GET));
  const staying = await Promise.all(Array.from({ length: 6 }, () => server.connect()));
  await staying[0]!.batch(rows);
  let isOver = false;
  const leaving = Promise.all(
    Array.from({ length: 6 }, async () => {
      while (!isOver) {
        const client = await server.connect();
        client.send(batchFrame(reads));
        client.reset();
        await sleep(1);
      }
    }),
  );
  await Promise.all(
    staying.map(async client => {
      for (let i = 0; i < 150; i++) {
        const answer = await client.batch(i % 10 === 0 ? rows : reads);
        t.is(answer.code, 0);
        t.is(answer.rows.size, 100);
      }
    }),
  );
  isOver = true;
  await leaving;
  await until('none is under way', async () => (await server.statistic('rw_in_progress')) === 0);
});

test('a server that is stopped under batches ends well, and what it answered is whole', async t => {
  const server = await TestServer.start(t, { service: ['service-threads 3'] });
  const clients = await Promise.all(Array.from({ length: 16 }, () => server.connect()));
  const rows = Array.from({ length: 100 }, (_, i) => row(i, i, put(write('n', i))));
  await clients[0]!.batch(rows);
  const reads = rows.map(({ index }) => row(index, index, GET));
  let answered = 0;
  const running = clients.map(async client => {
    for (;;) {
      const answer = await client.batch(reads);
      t.is(answer.rows.size, 100);
      answered++;
    }
  });
  await until('batches are answered', () => answered >= 100);
  const ended = server.stop();
  await Promise.allSettled(running);
  t.is(await ended, 0);
});
