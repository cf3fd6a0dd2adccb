/**
 * commit-to-device on a disk that hangs: commands whose time is up before they are durable are answered 9, and are
 * carried out all the same. What their clients are told is that they cannot know.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { HangingDisk } from '../support/hanging-disk.js';
import {
  answersOf,
  BATCH_FLAGS,
  DELETE,
  digestOf,
  GET,
  int64,
  type Message,
  messageFrame,
  op,
  put,
  type Row,
  type WireClient,
  write,
} from '../support/wire-client.js';

const TIMEOUT = 9;
const NOT_FOUND = 2;
const NAMESPACE = 'namespace/test';
/** Time enough for everybody. */
const LONG_MS = 30_000;
const SHORT_MS = 200;

const INCREMENT: Message = { ...put(op(5, 'n', 1, int64(1))), timeoutMs: LONG_MS };

const hangingDisk = (t: ExecutionContext): Promise<HangingDisk> =>
  HangingDisk.start(t, 1, {
    name: 'test',
    lines: ['transaction-pending-limit 0'],
    storage:
      'storage-engine device {\nfile DIRECTORY/test.dat\nfilesize 64M\ncommit-to-device true\npost-write-cache 8M\n}',
  });

async function counterOf(client: WireClient, name: string | number): Promise<number> {
  const { code, ops } = await client.command({ ...GET, digest: digestOf(name), timeoutMs: LONG_MS });
  return code === NOT_FOUND ? 0 : Number(ops[0]!.value.readBigInt64BE());
}

test('the client of a write that is not durable in time is told so, and the write is whole afterwards', async t => {
  const disk = await hangingDisk(t);
  const { server } = disk;
  const [client, reader, other] = (await Promise.all([1, 2, 3].map(() => server.connect()))) as [
    WireClient,
    WireClient,
    WireClient,
  ];
  const digest = digestOf('k');
  t.is((await client.command({ ...INCREMENT, digest })).code, 0);
  disk.hang();
  const startMs = performance.now();
  const late = await client.command({ ...INCREMENT, digest, timeoutMs: SHORT_MS });
  const tookMs = performance.now() - startMs;
  t.is(late.code, TIMEOUT);
  t.is(late.ops.length, 0);
  t.true(tookMs >= SHORT_MS && tookMs < SHORT_MS + 5000, `${tookMs} ms`);
  // The record stays the write's until that is durable: others wait, and do nothing when their own time is up.
  const waitingRead = reader.command({ ...GET, digest, timeoutMs: LONG_MS });
  const waitingWrite = other.command({ ...put(write('n', 1000)), digest, timeoutMs: SHORT_MS });
  await sleep(SHORT_MS * 3);
  t.is(await server.statistic('client_write_timeout', NAMESPACE), 1);
  disk.goOn();
  t.is((await waitingRead).ops[0]!.value.readBigInt64BE(), 2n);
  t.is((await waitingWrite).code, TIMEOUT);
  t.is(await server.statistic('client_write_timeout', NAMESPACE), 2);
  t.is(await server.statistic('client_write_success', NAMESPACE), 1);
  // The connection that had the answer goes on, and gets its own answers alone.
  const next = await client.command({ ...INCREMENT, digest });
  t.is(next.code, 0);
  t.is(next.generation, 3);
  t.is(await counterOf(client, 'k'), 3);
  // A delete that is late is carried out too.
  disk.hang();
  t.is((await client.command({ ...DELETE, digest, timeoutMs: SHORT_MS })).code, TIMEOUT);
  disk.goOn();
  t.is((await client.command({ ...GET, digest })).code, NOT_FOUND);
  await server.stop('SIGKILL');
  await server.run();
  t.is((await (await server.connect()).command({ ...GET, digest })).code, NOT_FOUND);
});

test('no client is told before its time, however busy the server is with others', async t => {
  const disk = await hangingDisk(t);
  const { server } = disk;
  const client = await server.connect();
  const busy = await Promise.all([1, 2, 3].map(() => server.connect()));
  disk.hang();
  let isOver = false;
  const others = busy.map(async other => {
    while (!isOver) await other.command({ ...GET, digest: digestOf('other') });
  });
  for (let i = 0; i < 60; i++) {
    const timeoutMs = 5 + (i % 20);
    const startMs = performance.now();
    const { code } = await client.command({ ...INCREMENT, digest: digestOf(i), timeoutMs });
    const tookMs = performance.now() - startMs;
    t.is(code, TIMEOUT);
    t.true(tookMs >= timeoutMs, `${tookMs} of ${timeoutMs} ms`);
  }
  isOver = true;
  await Promise.all(others);
  disk.goOn();
});

test('rows of a batch that are late are told of one by one, and hold up nothing afterwards', async t => {
  const disk = await hangingDisk(t);
  const { server } = disk;
  const client = await server.connect();
  const rows: Row[] = Array.from({ length: 40 }, (_, index) => ({
    ...INCREMENT,
    digest: digestOf(index),
    index,
  }));
  disk.hang();
  const late = await client.batch(rows, BATCH_FLAGS, { timeoutMs: SHORT_MS });
  t.is(late.rows.size, rows.length);
  t.deepEqual([...new Set([...late.rows.values()].map(({ code }) => code))], [TIMEOUT]);
  t.is(await server.statistic('batch_sub_write_timeout', NAMESPACE), rows.length);
  disk.goOn();
  const again = await client.batch(rows, BATCH_FLAGS, { timeoutMs: LONG_MS });
  t.deepEqual([...new Set([...again.rows.values()].map(({ code }) => code))], [0]);
  for (const { index } of rows) t.is(await counterOf(client, index), 2);
});

test('more late writes than commands can be kept: every one is answered and counted once, and nothing is left held', async t => {
  t.timeout(120_000);
  const disk = await hangingDisk(t);
  const { server } = disk;
  const clients = await Promise.all(Array.from({ length: 32 }, () => server.connect()));
  const KEYS = 64;
  const ROUNDS = 3;
  const DEPTH = 30; // of 32 clients: 960 commands a round, of which a worker keeps 512
  let late = 0;
  let done = 0;
  for (let round = 0; round < ROUNDS; round++) {
    disk.hang();
    const answers = clients.map(async (client, c) => {
      // One in execution a connection: what is behind it is begun when it was answered, late or not.
      for (let i = 0; i < DEPTH; i++) {
        const digest = digestOf((c * DEPTH + i) % KEYS);
        client.send(messageFrame({ ...INCREMENT, digest, timeoutMs: i === DEPTH - 1 ? LONG_MS : 20 }));
      }
      for (let i = 0; i < DEPTH; i++) {
        const { code } = answersOf(await client.frame())[0]!;
        t.true(code === 0 || code === TIMEOUT, `code ${code}`);
        if (code === 0) done++;
        else late++;
      }
    });
    await sleep(1500);
    disk.goOn();
    await Promise.all(answers);
  }
  t.is(late + done, ROUNDS * DEPTH * clients.length);
  t.true(late > 0 && done > 0, `${late} late, ${done} in time`);
  t.is(await server.statistic('client_write_timeout', NAMESPACE), late);
  t.is(await server.statistic('client_write_success', NAMESPACE), done);
  // A late one may have been carried out or not, one in time was: neither twice.
  let total = 0;
  for (let key = 0; key < KEYS; key++) total += await counterOf(clients[0]!, key);
  t.true(total >= done && total <= done + late, `${total}: ${done} in time, ${late} late`);
  // If they had kept what they held, these would find none.
  await Promise.all(
    clients.map(async client => {
      for (let i = 0; i < 30; i++) {
        t.is((await client.command({ ...INCREMENT, digest: digestOf(i % KEYS) })).code, 0);
      }
    }),
  );
  let again = 0;
  for (let key = 0; key < KEYS; key++) again += await counterOf(clients[0]!, key);
  t.is(again, total + 30 * clients.length);
  await server.stop('SIGKILL');
  await server.run();
  const client = await server.connect();
  let restarted = 0;
  for (let key = 0; key < KEYS; key++) restarted += await counterOf(client, key);
  t.is(restarted, again);
  client.close();
  t.is(await server.stop(), 0);
});
