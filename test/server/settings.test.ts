/** Settings that no other test is about do what they say, on a running server. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { CONTEXT_TABLES } from '../../src/config/settings.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import {
  batchFrame,
  DELETE,
  digestOf,
  GET,
  int64,
  type Message,
  op,
  put,
  type WireClient,
  write,
} from '../support/wire-client.js';

const TESTS = fileURLToPath(new URL('../../../test/', import.meta.url));
const XDR = 0x10; // info1

const putOf = (name: string, more: Message = {}): Message => ({
  ...put(write('a', 1)),
  digest: digestOf(name),
  ...more,
});

async function change(server: TestServer, setting: string): Promise<void> {
  const answer = await server.info(`set-config:context=namespace;id=test;${setting}`);
  if (answer !== 'ok') throw new Error(`${setting}: ${answer}`);
}

const codeOf = async (client: WireClient, message: Message): Promise<number> =>
  (await client.command(message)).code;

test('reject-non-xdr-writes and reject-xdr-writes refuse writes by where they come from', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const fromXdr = { info1: XDR };
  await change(server, 'reject-non-xdr-writes=true');
  t.is(await codeOf(client, putOf('a')), 10);
  t.is(await codeOf(client, { ...DELETE, digest: digestOf('a') }), 10);
  t.is(await codeOf(client, putOf('a', fromXdr)), 0);
  t.is(await codeOf(client, { ...GET, digest: digestOf('a') }), 0);
  t.is(await server.statistic('fail_xdr_forbidden', 'namespace/test'), 2);
  await change(server, 'reject-non-xdr-writes=false');
  await change(server, 'reject-xdr-writes=true');
  t.is(await codeOf(client, putOf('a')), 0);
  t.is(await codeOf(client, putOf('a', fromXdr)), 10);
});

test('apply-ttl-reductions says whether a write may shorten the life of a record, and counts', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const first = await client.command(putOf('a', { ttl: 1000 }));
  await change(server, 'apply-ttl-reductions=false');
  t.is((await client.command(putOf('a', { ttl: 10 }))).voidTime, first.voidTime);
  t.true((await client.command(putOf('a', { ttl: 5000 }))).voidTime > first.voidTime);
  await change(server, 'apply-ttl-reductions=true');
  t.true((await client.command(putOf('a', { ttl: 10 }))).voidTime < first.voidTime);
  t.is(await server.statistic('ttl_reductions_ignored', 'namespace/test'), 1);
  t.is(await server.statistic('ttl_reductions_applied', 'namespace/test'), 1);
});

test('levels of consistency and commit are accepted: one node is all of its replicas', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  await change(server, 'write-commit-level-override=all');
  await change(server, 'read-consistency-level-override=all');
  t.is(await codeOf(client, putOf('a')), 0);
  t.is(await codeOf(client, { ...GET, digest: digestOf('a') }), 0);
});

test('nsup-hist-period is the time between histograms of records', async t => {
  const server = await TestServer.start(t, { namespaces: [{ name: 'test', lines: ['nsup-hist-period 1'] }] });
  const client = await server.connect();
  for (let i = 0; i < 30; i++) await client.command(putOf(`k${i}`));
  let answer = '';
  await until('all 30 are in it', async () => {
    answer = await server.info('histogram:namespace=test;type=object-size');
    return /=30$/.test(answer);
  });
  t.regex(answer, /^units=bytes:\[\d+-\d+\)=30$/);
});

test('microsecond-histograms counts latencies in microseconds', async t => {
  const server = await TestServer.start(t, { service: ['microsecond-histograms true'] });
  const client = await server.connect();
  await client.command(putOf('a'));
  await client.batch([{ ...GET, digest: digestOf('a'), index: 0 }]);
  const rows = await server.info('latencies:');
  t.regex(rows, /\{test\}-write:usec,/);
  t.regex(rows, /\{test\}-batch-sub-read:usec,/);
});

test('access and alternate addresses and ports are what clients are told', async t => {
  const server = await TestServer.start(t, {
    network: [
      'access-address 192.0.2.7',
      'access-port 4000',
      'alternate-access-address 198.51.100.9',
      'alternate-access-port 5000',
    ],
  });
  t.is(await server.info('service-clear-std'), '192.0.2.7:4000');
  t.is(await server.info('service-clear-alt'), '198.51.100.9:5000');
});

test('node-id is what the node calls itself', async t => {
  const server = await TestServer.start(t, { service: ['node-id A1B2'] });
  t.is(await server.info('node'), 'A1B2');
});

test('transaction-max-ms ends commands that have waited too long and brought no time of their own', async t => {
  const storage = 'storage-engine device {\nfile DIRECTORY/test.dat\nfilesize 256M\n}';
  const server = await TestServer.start(t, {
    service: ['service-threads 1'],
    namespaces: [{ name: 'test', storage }],
  });
  const [busy, client] = await Promise.all([server.connect(), server.connect()]);
  const rows = Array.from({ length: 4000 }, (_, index) => ({
    ...put(write('b', Buffer.alloc(1000, index))),
    digest: digestOf(`b${index}`),
    index,
  }));
  /** The codes of puts sent one after the other while the only worker has a batch in hand. */
  const behindBatch = async (message: Message): Promise<Set<number>> => {
    busy.send(batchFrame(rows));
    let isOver = false;
    const answer = busy.batchAnswer().then(() => {
      isOver = true;
    });
    const codes = new Set<number>();
    while (!isOver) codes.add(await codeOf(client, message));
    await answer;
    return codes;
  };
  t.deepEqual([...(await behindBatch(putOf('a')))], [0]);
  t.is(await server.info('set-config:context=service;transaction-max-ms=1'), 'ok');
  let isEnded = false;
  for (let round = 0; round < 50 && !isEnded; round++) isEnded = (await behindBatch(putOf('a'))).has(9);
  t.true(isEnded);
  t.deepEqual([...(await behindBatch(putOf('a', { timeoutMs: 10_000 })))], [0], 'its own time counts');
});

test('transaction-pending-limit is how many writes may line up behind one that waits for the device', async t => {
  const server = await TestServer.start(t, {
    namespaces: [
      {
        name: 'test',
        storage: `storage-engine device {
          file DIRECTORY/test.dat
          filesize 64M
          flush-max-ms 20
          post-write-cache 0
        }`,
      },
    ],
  });
  const clients = await Promise.all(Array.from({ length: 30 }, () => server.connect()));
  const filler = Array.from({ length: 800 }, (_, index) => ({
    ...put(write('b', Buffer.alloc(10_000))),
    digest: digestOf(`filler${index}`),
    index,
  }));
  /** Codes of increments of one record by all clients at once. The record has to be read from the device. */
  const rush = async (name: string): Promise<number[]> => {
    await codeOf(clients[0]!, putOf(name));
    await clients[0]!.batch(filler); // its write block is full, and goes
    await server.flushed();
    const increment = { ...put(op(5, 'a', 1, int64(1))), digest: digestOf(name) };
    return Promise.all(clients.map(client => codeOf(client, increment)));
  };
  await change(server, 'transaction-pending-limit=0');
  t.deepEqual(new Set(await rush('unlimited')), new Set([0]));
  await change(server, 'transaction-pending-limit=1');
  const codes = new Set<number>();
  for (let round = 0; round < 20 && !codes.has(14); round++) {
    for (const code of await rush(`limited${round}`)) codes.add(code);
  }
  t.true(codes.has(14));
  t.true((await server.statistic('fail_key_busy', 'namespace/test')) > 0);
});

test('commit-min-size is the least that a write which commits takes to the device', async t => {
  const server = await TestServer.start(t, {
    service: ['ticker-interval 1'],
    namespaces: [
      {
        name: 'test',
        storage: `storage-engine device {
          file DIRECTORY/test.dat
          filesize 64M
          commit-to-device true
          commit-min-size 64K
          enable-benchmarks-storage true
        }`,
      },
    ],
  });
  const client = await server.connect();
  for (let i = 0; i < 20; i++) t.is(await codeOf(client, putOf(`k${i}`)), 0);
  // Bucket 17 holds sizes from 64 KiB on; it is the first that is filled.
  const dump = /\{test\}-device-write-size \(\d+ total\) bytes\n.*INFO \(info\): {2}\((\d\d): /;
  await server.printed(dump);
  t.is(dump.exec(server.output)?.[1], '17');
});

test('every setting that is acted on is named in a test of what it does', t => {
  const files = readdirSync(TESTS, { recursive: true, encoding: 'utf8' });
  const sources = files
    .filter(file => file.endsWith('.test.ts') && !file.startsWith(`config${path.sep}`))
    .map(file => readFileSync(path.join(TESTS, file), 'utf8'))
    .join('\n');
  const untested = Object.entries(CONTEXT_TABLES).flatMap(([context, rows]) =>
    rows
      .filter(({ support, name }) => support === 'honoured' && !new RegExp(`\\b${name}\\b`).test(sources))
      .map(({ name }) => `${context} ${name}`),
  );
  t.deepEqual(untested, []);
});
