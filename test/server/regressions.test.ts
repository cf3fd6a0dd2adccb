/** Requests that once hung, killed or swamped the server. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { BLOB, LIST } from '../../src/data/type.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import {
  answersOf,
  BATCH_FLAGS,
  batchFrame,
  compressedFrame,
  digestOf,
  GET,
  infoFrame,
  messageFrame,
  op,
  put,
  type Row,
  read,
  type WireClient,
  write,
} from '../support/wire-client.js';

const MIB = 1024 * 1024;
const CDT_READ = 3;
const DIGEST = digestOf('k');

const repeated = (count: number, first: Row): Row[] =>
  Array.from({ length: count }, (_, index) =>
    index === 0 ? first : { index, digest: DIGEST, isRepeat: true },
  );

async function store(client: WireClient, value: Buffer): Promise<void> {
  const { code } = await client.command({ ...put(write('a', value)), digest: DIGEST });
  if (code !== 0) throw new Error(`the value was not stored: ${code}`);
}

test('an answer longer than any frame is refused, and the worker goes on', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  await store(client, Buffer.alloc(1_000_000));
  const ops = Array.from({ length: 250 }, () => read('a'));
  for (const more of [
    { info1: 1, ops },
    { info1: 1, info2: 1, ops: [write('b', 1), ...ops] },
  ]) {
    client.send(messageFrame({ ...more, digest: DIGEST }));
    t.not(answersOf(await client.frame())[0]!.code, 0);
    const batch = await client.batch([{ ...more, index: 0, digest: DIGEST }]);
    t.not(batch.rows.get(0)?.code ?? batch.code, 0);
  }
  t.is((await client.command({ ...GET, digest: DIGEST })).ops.length, 1);
  t.true(server.peakSize() < 700 * MIB);
});

test('reading all bins many times in one command does not kill the server', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const bins = Array.from({ length: 20_000 }, (_, i) => write(`b${i}`, 1));
  t.is((await client.command({ ...put(...bins), digest: DIGEST })).code, 0);
  const startSec = server.processorSec();
  client.send(messageFrame({ ...GET, digest: DIGEST, ops: Array.from({ length: 60_000 }, () => read('')) }));
  const [answer] = answersOf(await client.frame());
  t.deepEqual([answer!.code, answer!.ops.length], [0, 20_000]); // once
  t.true(server.processorSec() - startSec < 10);
  t.true(server.isRunning);
});

/** Source: protocol 18, section 7. */
test('who reads all bins gets each of them once, whatever other ops read', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const list = op(2, 'l', LIST, Buffer.from('920102', 'hex'));
  t.is((await client.command({ ...put(write('a', 1), list), digest: DIGEST })).code, 0);
  const size = op(CDT_READ, 'l', BLOB, Buffer.from('9110', 'hex'));
  for (const ops of [
    [read('')],
    [read(''), read('a'), size],
    [size, read(''), read('none')],
    [size, read('a')],
  ]) {
    const single = await client.command({ ...GET, ops, digest: DIGEST });
    const { rows } = await client.batch([{ ...GET, ops, index: 0, digest: DIGEST }]);
    for (const { code, ops: got } of [single, rows.get(0)!])
      t.deepEqual([code, ...got.map(each => `${each.name} ${each.type}`)], [0, 'a 1', `l ${LIST}`]);
  }
});

test('a batch that repeats one long row takes memory as its bytes, not as its rows', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const before = server.residentSize();
  const first: Row = { ...put(write('a', Buffer.alloc(20_000))), index: 0, digest: DIGEST };
  client.send(batchFrame(repeated(70_000, first), BATCH_FLAGS, { timeoutMs: 60_000 })); // 1.8 MB
  const answer = await client.batchAnswer();
  t.true(answer.rowCount === 70_000 || answer.code !== 0);
  t.true(server.peakSize() < before + 200 * MIB, `${(server.peakSize() - before) / MIB} MiB`);
});

for (const isPacked of [false, true]) {
  const kind = isPacked ? 'compressed' : 'plain';
  test(`a batch with 160 MB of ${kind} answers waits for its reader`, async t => {
    const server = await TestServer.start(t);
    const client = await server.connect();
    const value = randomBytes(200_000);
    for (let i = 0; i < value.length; i += 2) value[i] = 0x61; // zlib makes it a little shorter
    await store(client, value);
    const before = server.residentSize();
    server.resetPeak();
    client.socket.pause();
    const rows = repeated(800, { ...GET, index: 0, digest: DIGEST });
    client.send(batchFrame(rows, BATCH_FLAGS, { timeoutMs: 100_000, info1: isPacked ? 0x80 : 0 }));
    await sleep(3000);
    client.socket.resume();
    const answer = await client.batchAnswer();
    t.is(answer.rowCount, 800);
    t.true(
      server.peakSize() < before + (isPacked ? 120 : 60) * MIB,
      `${(server.peakSize() - before) / MIB} MiB`,
    );
  });
}

test('a client that sends for ever and reads nothing is not read either', async t => {
  const server = await TestServer.start(t);
  const before = server.residentSize();
  const client = await server.connect();
  const many = Buffer.concat(Array.from({ length: 3000 }, () => infoFrame('statistics\n')));
  client.socket.pause();
  let sends = true;
  const go = (): void => {
    while (sends && client.socket.write(many));
  };
  client.socket.on('drain', go);
  go();
  await sleep(3000);
  sends = false;
  client.close();
  t.true(server.peakSize() < before + 150 * MIB, `${(server.peakSize() - before) / MIB} MiB`);
});

test('the trailer carries the code of the row that ended the batch, though it was the last', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  await store(client, Buffer.alloc(1));
  const failing: Row = { ...put(write('a', 1)), info2: 0x21, index: 0, digest: DIGEST }; // create only: 5
  for (const flags of [0x01, 0x09]) t.is((await client.batch([failing], flags)).code, 5, `flags ${flags}`);
});

test('a burst of large compressed requests is executed, not refused', async t => {
  const server = await TestServer.start(t);
  const clients: WireClient[] = [];
  for (let i = 0; i < 1200; i++) clients.push(await server.connect());
  const value = randomBytes(66_000);
  for (let i = 0; i < value.length; i += 2) value[i] = 0x61;
  const frames = clients.map((_, i) =>
    compressedFrame(
      messageFrame({ ...put(write('a', value)), digest: digestOf(i % 200), timeoutMs: 60_000 }),
    ),
  );
  process.kill(server.pid, 'SIGSTOP');
  for (const [i, client] of clients.entries()) client.send(frames[i]!);
  await sleep(500);
  process.kill(server.pid, 'SIGCONT');
  for (const client of clients) t.is(answersOf(await client.frame())[0]!.code, 0);
});

test('writes that are refused use up no set', async t => {
  const namespaces = [{ name: 'test', lines: ['max-record-size 1K'] }];
  const server = await TestServer.start(t, { namespaces });
  const client = await server.connect();
  const rows = Array.from({ length: 4200 }, (_, index): Row => {
    return { ...put(write('a', Buffer.alloc(2000))), set: `set-${index}`, index, digest: digestOf(index) };
  });
  const answer = await client.batch(rows);
  t.true([...answer.rows.values()].every(row => row.code === 13));
  t.is((await client.command({ ...put(write('a', 1)), set: 'good', digest: DIGEST })).code, 0);
});

test('SIGTERM lets a client that reads have the whole of an answer that was under way', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  await store(client, Buffer.alloc(200_000));
  client.socket.pause();
  client.send(batchFrame(repeated(100, { ...GET, index: 0, digest: DIGEST }))); // 20 MB
  await until('it is under way', async () => (await server.statistic('batch_index_initiate')) === 1);
  const stopped = server.stop();
  client.socket.resume();
  t.is((await client.batchAnswer()).rowCount, 100);
  t.is(await stopped, 0);
});
