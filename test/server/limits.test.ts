/** What bounds a client: connections, idleness, unread answers, room. */
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import {
  answersOf,
  digestOf,
  GET,
  HEADER,
  infoFrame,
  messageFrame,
  type Op,
  op,
  put,
  type WireClient,
  write,
} from '../support/wire-client.js';

const MIB = 1024 * 1024;

test('proto-fd-max refuses the connection above it, and takes another when one has gone', async t => {
  const server = await TestServer.start(t, { service: ['proto-fd-max 1024'] });
  const clients: WireClient[] = [];
  for (let i = 0; i < 1024; i++) clients.push(await server.connect());
  t.is((await clients[1023]!.ask(infoFrame('build\n')))[1], 1);
  const refused = await server.connect();
  refused.send(infoFrame('build\n'));
  await refused.closed();
  t.is(refused.receivedSize, 0);
  clients.pop()!.close();
  await until('another one is taken', async () => {
    const client = await server.connect();
    client.send(infoFrame('build\n'));
    return client.frame().then(
      () => true,
      () => false,
    );
  });
  for (const client of clients) client.close();
});

test('proto-fd-idle-ms closes connections on which nothing happens, and only those', async t => {
  const IDLE_MS = 1500;
  const server = await TestServer.start(t, { service: [`proto-fd-idle-ms ${IDLE_MS}`] });
  /** @returns false where the machine kept even the active one from asking for so long: then nothing is known. */
  const isReaped = async (): Promise<boolean> => {
    await until('none is left', async () => (await server.statistic('client_connections')) === 1);
    const before = await server.statistic('reaped_fds');
    const idle = await Promise.all(Array.from({ length: 5 }, () => server.connect()));
    const half = await server.connect();
    half.send(infoFrame('build\n').subarray(0, 9));
    const active = await server.connect();
    const startMs = performance.now();
    let answeredMs = startMs;
    let isBusy = false;
    // As long as it takes, and so long that the active one would have been closed as well.
    while (![...idle, half].every(client => client.isClosed) || answeredMs - startMs < 2 * IDLE_MS + 1000) {
      const isAnswered = await active.ask(infoFrame('build\n')).then(
        () => true,
        () => false,
      );
      isBusy ||= performance.now() - answeredMs >= IDLE_MS;
      if (!isAnswered) break;
      answeredMs = performance.now();
      await sleep(200);
    }
    if (!isBusy) {
      t.false(active.isClosed);
      t.is(await server.statistic('reaped_fds'), before + 6);
    }
    for (const client of [...idle, half, active]) client.close();
    return !isBusy;
  };
  await until('those that are idle are closed', isReaped);
  t.is(await server.info('set-config:context=service;proto-fd-idle-ms=0'), 'ok');
  const quiet = await server.connect();
  await sleep(3000);
  t.false(quiet.isClosed, '0 is never');
});

test('a client that asks much and reads nothing does not take memory', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  await client.command({ ...put(write('a', Buffer.alloc(1_000_000))), digest: digestOf('k') });
  const before = server.residentSize();
  server.resetPeak();
  client.socket.pause();
  const get = messageFrame({ ...GET, digest: digestOf('k') });
  client.send(Buffer.concat(Array.from({ length: 3000 }, () => get))); // 3 GB of answers
  const bystander = await server.connect();
  for (let i = 0; i < 20; i++) {
    await sleep(100);
    t.is((await bystander.command({ ...HEADER, digest: digestOf('k') })).code, 0);
  }
  t.true(server.peakSize() < before + 120 * MIB, `${(server.peakSize() - before) / MIB} MiB`);
  client.socket.resume();
  for (let i = 0; i < 200; i++) t.is(answersOf(await client.frame())[0]!.code, 0);
  client.close();
});

test('a memory namespace that is full answers 8, still reads, and goes on after deletes', async t => {
  const namespaces = [
    {
      name: 'test',
      storage: 'storage-engine memory {\ndata-size 16M\nstop-writes-used-pct 100\n}',
    },
  ];
  const server = await TestServer.start(t, { namespaces });
  const client = await server.connect();
  const value = Buffer.alloc(10_000, 7);
  let stored = 0;
  let full = 0;
  for (let i = 0; i < 4000; i++) {
    const { code } = await client.command({ ...put(write('a', value)), digest: digestOf(i) });
    t.true(code === 0 || code === 8, `${code}`);
    if (code === 0) stored++;
    else if (++full > 200) break;
  }
  t.true(full > 200, 'it ran full');
  t.true(stored * value.length > 8 * MIB, `${stored} records were taken`);
  t.is(await server.statistic('objects', 'namespace/test'), stored);
  let readable = 0;
  let deleted = 0;
  for (let i = 0; i < stored + full; i++) {
    const answer = await client.command({ ...GET, digest: digestOf(i) });
    if (answer.code !== 0) continue;
    readable++;
    t.true(answer.ops[0]!.value.equals(value));
    if (i % 2 === 0)
      deleted += (await client.command({ info2: 0x03, digest: digestOf(i) })).code === 0 ? 1 : 0;
  }
  t.is(readable, stored);
  for (let i = 0; i < 500; i++) {
    const { code } = await client.command({ ...put(write('a', i)), digest: digestOf(`small ${i}`) });
    t.is(code, 0, 'the room of deleted records serves other sizes too');
  }
  let again = 500;
  for (let i = 0; i < deleted; i++) {
    if ((await client.command({ ...put(write('a', value)), digest: digestOf(`new ${i}`) })).code === 0)
      again++;
  }
  t.true(again > deleted * 0.7, `${again} of ${deleted}`);
  t.is(await server.statistic('objects', 'namespace/test'), stored - deleted + again);
});

test('indexes-memory-budget ends in 8 as well, and a delete makes room', async t => {
  const lines = ['indexes-memory-budget 1M'];
  const server = await TestServer.start(t, { namespaces: [{ name: 'test', lines }] });
  const client = await server.connect();
  let stored = 0;
  for (let from = 0; from < 40_000; from += 2000) {
    const rows = Array.from({ length: 2000 }, (_, i) => ({
      ...put(write('a', 1)),
      index: i,
      digest: digestOf(from + i),
    }));
    const answer = await client.batch(rows);
    for (const row of answer.rows.values()) {
      t.true(row.code === 0 || row.code === 8);
      if (row.code === 0) stored++;
    }
  }
  t.true(stored > 8000 && stored <= 20_000, `${stored} records in 1 MiB of index`);
  t.is(await server.statistic('objects', 'namespace/test'), stored);
  t.is(
    (await client.command({ ...put(write('a', 2)), digest: digestOf(0) })).code,
    0,
    'an update needs no entry',
  );
  t.is((await client.command({ info2: 0x03, digest: digestOf(0) })).code, 0);
  t.is((await client.command({ ...put(write('a', 2)), digest: digestOf(0) })).code, 0);
});

test('SIGTERM answers what is under way and ends with 0', async t => {
  const server = await TestServer.start(t);
  const clients = await Promise.all(Array.from({ length: 20 }, () => server.connect()));
  const rows = Array.from({ length: 500 }, (_, index) => ({
    ...put(write('n', index)),
    index,
    digest: digestOf(index),
  }));
  const answers = clients.map(client => client.batch(rows));
  await Promise.race(answers); // they have come, and most are under way
  t.is(await server.stop(), 0);
  const ended = await Promise.allSettled(answers);
  for (const one of ended) if (one.status === 'fulfilled') t.is(one.value.rowCount, 500);
  t.true(ended.some(one => one.status === 'fulfilled'));
  t.regex(server.output, /finished clean shutdown/);
});

test('thousands of operations on one large bin end with code 13, in both kinds of commands', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const place = { namespace: 'test', set: 'work', digest: digestOf('work') };
  const blob = Buffer.alloc(MIB - 1024, 0xff);
  t.is((await client.command({ ...put(write('b', blob)), ...place })).code, 0);
  const count = (bits: number): Op =>
    op(
      12,
      'b',
      4,
      Buffer.from([0x93, 51, 0, 0xce, bits >>> 24, (bits >> 16) & 255, (bits >> 8) & 255, bits & 255]),
    );
  const few = await client.command({ info1: 0x01, ...place, ops: Array(10).fill(count(blob.length * 8)) });
  t.is(few.code, 0);
  t.is(few.ops.length, 10);
  const startSec = server.processorSec();
  const many = { ...place, ops: Array(20_000).fill(count(blob.length * 8)) as Op[] };
  t.is((await client.command({ info1: 0x01, ...many })).code, 13);
  t.is((await client.command({ info1: 0x01, info2: 0x01, ...many })).code, 13);
  t.true(server.processorSec() - startSec < 10);
  t.is((await client.command({ ...HEADER, ...place })).generation, 1);
});

test('operations on one large list are bounded by what they do: hundreds of reads and inserts, some dozen sorts', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const place = { namespace: 'test', set: 'work', digest: digestOf('work') };
  const count = 190_000;
  const list = Buffer.alloc(5 + 5 * count, 0xce);
  list[0] = 0xdd;
  list.writeUInt32BE(count, 1);
  for (let k = 0; k < count; k++) list.writeUInt32BE(0x1_0000 + ((k * 7919) % count), 6 + 5 * k);
  t.is((await client.command({ ...put(op(2, 'l', 20, list)), ...place })).code, 0);
  const ask = (isWrite: boolean, times: number, ...bodies: string[]) =>
    client.command({
      info1: 0x01,
      info2: isWrite ? 0x01 : 0,
      ...place,
      ops: Array.from({ length: times }, (_, k) =>
        op(isWrite ? 4 : 3, 'l', 4, Buffer.from(bodies[k % bodies.length]!, 'hex')),
      ),
    });
  const last = await ask(false, 400, '9211ff');
  t.is(last.code, 0);
  t.is(last.ops.length, 400);
  t.is((await ask(true, 150, '93030005')).code, 0, 'inserts before all');
  for (const [isWrite, ...bodies] of [
    [true, '920d00', '920d01'], // sorts
    [false, '931a0500'], // ranks from 0 on
    [false, '93150705'], // a rank
    [false, '94190501ce00020000'], // values from 1 to 131072
  ] as [boolean, ...string[]][]) {
    t.is((await ask(isWrite, 3, ...bodies)).code, 0, bodies[0]);
    const startSec = server.processorSec();
    t.is((await ask(isWrite, 5000, ...bodies)).code, 13, bodies[0]);
    t.true(server.processorSec() - startSec < 10, bodies[0]);
  }
});
