/** Many connections at once: rings that run full, sockets that are paused, nothing lost and nothing doubled. */
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import {
  answersOf,
  digestOf,
  GET,
  messageFrame,
  put,
  type WireClient,
  write,
} from '../support/wire-client.js';

const MIB = 1024 * 1024;
const BIG = 'storage-engine memory {\ndata-size 512M\n}';

async function connectAll(server: TestServer, count: number): Promise<WireClient[]> {
  const clients: WireClient[] = [];
  for (let i = 0; i < count; i += 100) {
    clients.push(
      ...(await Promise.all(Array.from({ length: Math.min(100, count - i) }, () => server.connect()))),
    );
  }
  return clients;
}

test('2,000 connections write and read large values at once', async t => {
  const namespaces = [{ name: 'test', storage: BIG }];
  const server = await TestServer.start(t, { namespaces, service: ['service-threads 2'] });
  const clients = await connectAll(server, 2000);
  const before = server.residentSize();
  const value = Buffer.alloc(50_000, 3);
  const writes = clients.map((_, i) =>
    messageFrame({ ...put(write('n', i), write('a', value)), digest: digestOf(i), timeoutMs: 60_000 }),
  );
  for (const [i, client] of clients.entries()) client.send(writes[i]!);
  for (const client of clients) t.is(answersOf(await client.frame(60_000))[0]!.code, 0);
  for (const [i, client] of clients.entries()) {
    client.send(messageFrame({ ...GET, digest: digestOf(i), timeoutMs: 60_000 }));
  }
  let right = 0;
  for (const [i, client] of clients.entries()) {
    const { ops } = answersOf(await client.frame(60_000))[0]!;
    if (Number(ops[0]!.value.readBigInt64BE()) === i && ops[1]!.value.equals(value)) right++;
  }
  t.is(right, 2000);
  const stored = 2000 * value.length;
  t.true(server.peakSize() < before + stored + 400 * MIB, `${(server.peakSize() - before) / MIB} MiB more`);
  for (const client of clients) client.close();
});

test('many long writes pipelined on many connections are all executed, in order', async t => {
  const namespaces = [{ name: 'test', storage: BIG }];
  const server = await TestServer.start(t, { namespaces });
  const clients = await connectAll(server, 60);
  const before = server.residentSize();
  const value = Buffer.alloc(30 * 1024, 9);
  const COUNT = 60;
  for (const [c, client] of clients.entries()) {
    for (let i = 0; i < COUNT; i++) {
      const digest = digestOf(c * 10 + (i % 10));
      client.send(messageFrame({ ...put(write('n', i), write('a', value)), digest, timeoutMs: 60_000 }));
    }
  }
  for (const client of clients) {
    for (let i = 0; i < COUNT; i++) {
      const answer = answersOf(await client.frame(60_000))[0]!;
      t.is(answer.code, 0);
      t.is(answer.generation, Math.floor(i / 10) + 1);
    }
  }
  t.true(server.peakSize() < before + 150 * MIB, `${(server.peakSize() - before) / MIB} MiB more`);
  const last = await clients[0]!.command({ ...GET, digest: digestOf(599) });
  t.is(Number(last.ops[0]!.value.readBigInt64BE()), COUNT - 1);
});

test('a stalled ring loses nothing: the worker is stopped while requests pile up', async t => {
  const server = await TestServer.start(t);
  const clients = await connectAll(server, 300);
  const value = Buffer.alloc(20_000, 1);
  process.kill(server.pid, 'SIGSTOP'); // all arrives in one moment, more than the ring holds
  for (const [i, client] of clients.entries()) {
    client.send(messageFrame({ ...put(write('a', value)), digest: digestOf(i), timeoutMs: 60_000 }));
  }
  await sleep(200);
  process.kill(server.pid, 'SIGCONT');
  for (const client of clients) t.is(answersOf(await client.frame())[0]!.code, 0);
  t.is(await server.statistic('objects', 'namespace/test'), 300);
  t.true((await server.statistic('request_ring_full')) > 0, 'frames had to wait for the ring');
});

test('connections that come and go leave nothing behind', async t => {
  const server = await TestServer.start(t);
  const get = messageFrame({ ...GET, digest: digestOf('k') });
  const round = async (): Promise<void> => {
    const clients = await connectAll(server, 500);
    for (const client of clients) client.send(get);
    await Promise.all(clients.map(client => client.frame()));
    for (const client of clients) client.close();
  };
  for (let i = 0; i < 4; i++) await round();
  const before = server.residentSize();
  for (let i = 0; i < 8; i++) await round();
  t.true(server.residentSize() < before + 60 * MIB, `${(server.residentSize() - before) / MIB} MiB more`);
  await until('all are closed', async () => (await server.statistic('client_connections')) <= 1);
});
