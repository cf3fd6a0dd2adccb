/** Eviction: what goes, in which order and how much of it, what stays, and that it stays away. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { loopDevice, loopRefusal } from '../support/loop-device.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import {
  type Answer,
  DELETE,
  digestOf,
  GET,
  HEADER,
  type Message,
  nowSec,
  put,
  type WireClient,
  write,
} from '../support/wire-client.js';

const FILE = `storage-engine device {
  file DIRECTORY/test.dat
  filesize 64M
  flush-max-ms 50
  stop-writes-used-pct 90
}`;
const BACKED = FILE.replace('engine device', 'engine memory');
const MEMORY = 'storage-engine memory {\n data-size 48M\n}';
const onRaw = (storage: string) => (t: ExecutionContext) =>
  storage.replace(/file DIRECTORY.*\n {2}filesize .*\n/, `device ${loopDevice(t, 64 * 1024 * 1024)}\n`);
/** Name, storage-engine context, and whether it needs a raw device. */
const STORAGES: [string, (t: ExecutionContext) => string, boolean][] = [
  ['memory', () => MEMORY, false],
  ['a file', () => FILE, false],
  ['memory on a file', () => BACKED, false],
  ['a raw device', onRaw(FILE), true],
  ['memory on a raw device', onRaw(BACKED), true],
];
if (loopRefusal !== '') console.error(`EVICTION ON RAW DEVICES IS NOT TESTED: ${loopRefusal}`);
const testOn = (isRaw: boolean) => (isRaw && loopRefusal !== '' ? test.skip : test);
const NAMESPACE = 'namespace/test';
const VALUE = Buffer.alloc(4000, 7);
const NEVER = 0xffffffff;
const DURABLE = 0x10; // info2

function start(t: ExecutionContext, storage: string, lines: readonly string[] = []): Promise<TestServer> {
  return TestServer.start(t, {
    service: ['service-threads 2'],
    namespaces: [{ name: 'test', lines: ['nsup-period 1', ...lines], storage }],
  });
}

async function set(t: ExecutionContext, server: TestServer, setting: string, context = ''): Promise<void> {
  t.is(await server.info(`set-config:context=namespace;id=test;${context}${setting}`), 'ok');
}

const ROWS = 100;

/** The answers to messages about `count` records, asked for in batches. */
async function each(
  client: WireClient,
  prefix: string,
  count: number,
  message: (i: number) => Message,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let from = 0; from < count; from += ROWS) {
    const size = Math.min(ROWS, count - from);
    const rows = Array.from({ length: size }, (_, index) => ({
      ...message(from + index),
      digest: digestOf(`${prefix}${from + index}`),
      index,
    }));
    const batch = await client.batch(rows);
    for (let index = 0; index < size; index++) answers.push(batch.rows.get(index)!);
  }
  return answers;
}

async function fill(client: WireClient, prefix: string, count: number, ttl: (i: number) => number, of = 's') {
  const answers = await each(client, prefix, count, i => ({
    ...put(write('v', VALUE)),
    set: of,
    ttl: ttl(i),
  }));
  for (const { code } of answers) if (code !== 0) throw new Error(`put: ${code}`);
}

/** Numbers of the records that are there. */
async function found(client: WireClient, prefix: string, count: number): Promise<number[]> {
  const answers = await each(client, prefix, count, () => HEADER);
  return answers.flatMap(({ code }, i) => (code === 0 ? [i] : []));
}

const isSettled = async (server: TestServer): Promise<boolean> =>
  (await server.info(NAMESPACE)).includes(';hwm_breached=false;');

for (const [name, storage, isRaw] of STORAGES) {
  testOn(isRaw)(`${name}: records that expire first go, as many as are needed, and stay away`, async t => {
    t.timeout(120_000);
    const server = await start(t, storage(t), [
      'evict-tenths-pct 1000',
      'set spared {\ndisable-eviction true\n}',
    ]);
    let client = await server.connect();
    const COUNT = 500;
    await fill(client, 'k', COUNT, i => 10_000 + (i % 100) * 100); // five a void-time, or two void-times
    await fill(client, 'ever', 50, () => NEVER);
    await fill(client, 'spared', 50, () => 5000, 'spared');
    await client.command({ ...put(write('v', 1)), digest: digestOf('buried'), set: 's', ttl: 9000 });
    await client.command({ ...DELETE, info2: DELETE.info2! | DURABLE, digest: digestOf('buried') });
    const used = await server.statistic('data_used_bytes', NAMESPACE);
    const total = await server.statistic('data_total_bytes', NAMESPACE);
    const size = Number(/data_used_bytes=(\d+)/.exec(await server.info('sets/test/spared'))![1]) / 50;
    const limit = Math.floor((used * 0.75 * 100) / total) || 1;
    t.true((limit * total) / 100 < used);
    const limitedSec = nowSec();
    await set(t, server, `evict-used-pct=${limit}`);
    await until('breached', async () => !(await isSettled(server)));
    await until('settled', () => isSettled(server));
    const evicted = await server.statistic('evicted_objects', NAMESPACE);
    t.true(evicted > 0);
    const usedAfter = await server.statistic('data_used_bytes', NAMESPACE);
    t.true(usedAfter <= (limit * total) / 100);
    t.true(usedAfter > (limit * total) / 100 - 11 * size, 'no deeper than needed, but for a bucket');
    const left = await found(client, 'k', COUNT);
    t.is(left.length, COUNT - evicted);
    const evictTtl = await server.statistic('evict_ttl', NAMESPACE);
    const voidTime = await server.statistic('evict_void_time', NAMESPACE);
    t.is(await server.statistic('smd_evict_void_time', NAMESPACE), voidTime);
    const evictedSec = voidTime - evictTtl;
    t.true(evictedSec >= limitedSec - 1 && evictedSec <= nowSec());
    const gone = [...Array(COUNT).keys()].filter(i => !left.includes(i));
    const last = Math.max(...gone.map(i => i % 100));
    t.true(
      left.every(i => i % 100 >= last),
      'none that expires earlier stays',
    );
    for (const i of left.slice(0, 50)) {
      const { voidTime: own } = await client.command({ ...HEADER, digest: digestOf(`k${i}`) });
      t.true(own > voidTime);
    }
    t.is((await found(client, 'ever', 50)).length, 50);
    t.is((await found(client, 'spared', 50)).length, 50);
    t.is(await server.statistic('objects', NAMESPACE), left.length + 100);
    t.is(await server.statistic('tombstones', NAMESPACE), 1);
    await server.printed(/WARNING \(nsup\): \{test\} breached eviction limit: data-used-pct \d+ is above/);
    await server.printed(/\{test\} nsup-done: evicted through void-time/);
    // Written after it, with a shorter life: not touched by it.
    const young = { ...put(write('v', 'young')), digest: digestOf(`k${gone[0]}`), set: 's', ttl: 5000 };
    t.is((await client.command(young)).generation, 1);
    if (name === 'memory') return;
    if (isRaw) t.regex(await server.info(NAMESPACE), /;storage-engine\.device\[0\]=\/dev\/loop/);
    await server.flushed();
    await set(t, server, 'evict-used-pct=0');
    for (const change of ['nothing', 'the protection', 'a reset']) {
      if (change === 'the protection') await set(t, server, 'disable-eviction=true', 'set=s;');
      if (change === 'a reset') t.is(await server.info('eviction-reset:namespace=test'), 'ok');
      for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
        client.close();
        await server.stop(signal);
        await server.run();
        client = await server.connect();
        const again = await found(client, 'k', COUNT);
        t.deepEqual(
          again,
          [...left, gone[0]!].sort((a, b) => a - b),
          `${change}, ${signal}`,
        );
        t.is((await found(client, 'spared', 50)).length, 50);
        const kept = change === 'a reset' ? 0 : voidTime;
        t.is(await server.statistic('smd_evict_void_time', NAMESPACE), kept);
      }
    }
  });
}

for (const [name, storage, isRaw] of STORAGES) {
  if (name.startsWith('memory')) continue; // its worker does the same
  testOn(isRaw)(`${name}: killed in the middle of it: what was evicted is gone all the same`, async t => {
    t.timeout(120_000);
    const server = await start(t, storage(t).replace('flush-max-ms 50', 'flush-max-ms 1000'), [
      'evict-tenths-pct 1000',
    ]);
    const client = await server.connect();
    await fill(client, 'k', 2000, i => 10_000 + i * 10);
    await server.flushed();
    await set(t, server, 'evict-used-pct=4');
    await until('decided', async () => (await server.statistic('evict_void_time', NAMESPACE)) > 0);
    const gone = 2000 - (await found(client, 'k', 2000)).length;
    t.true(gone > 500, `${gone} of 2000`);
    const left = await found(client, 'k', 2000);
    await server.stop('SIGKILL');
    await server.run();
    t.deepEqual(await found(await server.connect(), 'k', 2000), left);
    await until('removed', async () => (await server.statistic('objects', NAMESPACE)) === left.length);
  });
}

test('a cycle takes no more than evict-tenths-pct, and what one second holds only when it may', async t => {
  const server = await start(t, MEMORY, ['evict-tenths-pct 50', 'evict-hist-buckets 100']);
  const client = await server.connect();
  await fill(client, 'k', 400, i => 1_000_000 + i * 1000);
  const total = await server.statistic('data_total_bytes', NAMESPACE);
  const used = await server.statistic('data_used_bytes', NAMESPACE);
  t.true(used * 100 > total * 2);
  await set(t, server, 'evict-used-pct=1');
  // Whoever asks now and then may miss a cycle: the log has each of them.
  const cycles = (): RegExpMatchArray[] => [
    ...server.output.matchAll(/nsup-done: evicted through .* objects \((\d+),(\d+)\)/g),
  ];
  await until('three cycles', () => cycles().length >= 3);
  for (const [line, before, after] of cycles()) {
    const evicted = Number(before) - Number(after);
    t.true(evicted > 0 && evicted <= Number(before) * 0.05, line);
  }
  await set(t, server, 'evict-used-pct=0');
  await until('no limit', () => isSettled(server));
  await each(client, 'k', 400, () => DELETE);
  const digests = [...Array(400).keys()].map(i => digestOf(`same${i}`));
  // In one second: more than may go at once. On a busy machine some may fall into the second before.
  const rows = digests.map((digest, index) => ({
    ...put(write('v', VALUE)),
    digest,
    index,
    set: 's',
    ttl: 9000,
  }));
  await until('the first second has enough', async () => {
    for (let at = 0; at < 400; at += 100) await client.batch(rows.slice(at, at + 100));
    const read = await client.batch(digests.map((digest, index) => ({ ...HEADER, digest, index })));
    const voidTimes = [...read.rows.values()].map(({ voidTime }) => voidTime);
    return voidTimes.filter(voidTime => voidTime === Math.min(...voidTimes)).length > 100;
  });
  await set(t, server, 'evict-used-pct=1');
  await until('the warning', async () => /no records to evict: those to expire first/.test(server.output));
  t.is(await server.statistic('objects', NAMESPACE), 400);
  await set(t, server, 'evict-tenths-pct=1000');
  await until('settled', () => isSettled(server));
  t.true((await server.statistic('objects', NAMESPACE)) < 400);
});

test('without a ttl or without nsup-period nothing is evicted, and writes stop as they would', async t => {
  const server = await start(t, MEMORY.replace('48M', '16M\n stop-writes-used-pct 20'), [
    'evict-tenths-pct 1000',
  ]);
  const client = await server.connect();
  await set(t, server, 'evict-used-pct=5');
  await fill(client, 'k', 300, () => NEVER);
  await until('the warning', async () => /no records to evict: none has a ttl/.test(server.output));
  t.is(await server.statistic('objects', NAMESPACE), 300);
  for (let i = 300; i < 3000; i++) {
    const { code } = await client.command({ ...put(write('v', VALUE)), digest: digestOf(i), ttl: NEVER });
    if (code === 8) break;
  }
  await until('stopped', async () => (await server.info(NAMESPACE)).includes(';stop_writes=true;'));
  t.true((await server.info(NAMESPACE)).includes(';hwm_breached=true;'));
  await set(t, server, 'stop-writes-used-pct=90');
  await until('goes on', async () => (await server.info(NAMESPACE)).includes(';stop_writes=false;'));
  await set(t, server, 'nsup-period=0;allow-ttl-without-nsup=true');
  await fill(client, 'ttl', 100, () => 1000);
  await sleep(2500);
  t.is(await server.statistic('evicted_objects', NAMESPACE), 0);
  t.is((await found(client, 'ttl', 100)).length, 100);
  await set(t, server, 'nsup-period=1');
  await until('evicted', async () => (await server.statistic('evicted_objects', NAMESPACE)) === 100);
});

test('evict-indexes-memory-pct and evict-sys-memory-pct evict too', async t => {
  const server = await start(t, MEMORY, ['evict-tenths-pct 100', 'indexes-memory-budget 16M']);
  const client = await server.connect();
  await fill(client, 'k', 300, i => 1000 + i * 10);
  await sleep(1500);
  t.is(await server.statistic('evicted_objects', NAMESPACE), 0);
  await set(t, server, 'evict-sys-memory-pct=1');
  await until('by memory', async () => (await server.statistic('evicted_objects', NAMESPACE)) > 0);
  await server.printed(/breached eviction limit: sys-memory-pct \d+ is above evict-sys-memory-pct 1/);
  await set(t, server, 'evict-sys-memory-pct=0');
  await until('settled', () => isSettled(server));
  await set(t, server, 'evict-indexes-memory-pct=1');
  const indexBytes = await server.statistic('index_used_bytes', NAMESPACE);
  t.is(!(await isSettled(server)), indexBytes * 100 > 16 * 1024 * 1024);
});

test('eviction-reset: what it answers, and the depth that it leaves', async t => {
  const server = await start(t, MEMORY, ['evict-tenths-pct 1000']);
  const client = await server.connect();
  const ask = (args: string): Promise<string> => server.info(`eviction-reset:${args}`);
  t.is(await ask('namespace=nowhere'), 'ERROR:20:namespace not found on node');
  t.is(await ask('namespace=test;ttl=soon'), "ERROR:4:bad 'ttl'");
  t.is(await ask(''), "ERROR:4:missing 'namespace'");
  t.is(await ask('namespace=test'), 'ok');
  await fill(client, 'k', 200, i => 1000 + i);
  const askedSec = nowSec();
  t.is(await ask('namespace=test;ttl=5000'), 'ok');
  const depth = await server.statistic('smd_evict_void_time', NAMESPACE);
  t.true(depth - 5000 >= askedSec - 1 && depth - 5000 <= nowSec());
  t.is(await server.info('smd-show:module=evict'), `test=${depth}`);
  await sleep(2500);
  t.is((await found(client, 'k', 200)).length, 200, 'a reset evicts nothing');
  t.is((await client.command({ ...GET, digest: digestOf('k0') })).code, 0);
  t.is(await ask('namespace=test'), 'ok');
  t.is(await server.statistic('smd_evict_void_time', NAMESPACE), 0);
  t.is(await server.info('smd-show:module=evict'), '<empty>');
});

test('an encrypted namespace keeps the names of spared sets encrypted, and a depth that cannot be read stops the start', async t => {
  const storage = FILE.replace('flush-max-ms', 'encryption-key-file DIRECTORY/caltrop.conf\n  flush-max-ms');
  const server = await start(t, storage, ['evict-tenths-pct 1000', 'set hushed {\ndisable-eviction true\n}']);
  let client = await server.connect();
  await fill(client, 'k', 300, i => 10_000 + i);
  await fill(client, 'hushed', 20, () => 5000, 'hushed');
  await set(t, server, 'evict-used-pct=1');
  await until('evicted', async () => (await server.statistic('evicted_objects', NAMESPACE)) > 0);
  await until('settled', () => isSettled(server));
  const left = await found(client, 'k', 300);
  await server.flushed();
  const file = path.join(server.directory, 'smd', 'evict.json');
  const kept = readFileSync(file, 'latin1');
  t.true(kept.includes('voidTime') && !kept.includes('hushed'), kept);
  client.close();
  await server.stop('SIGKILL');
  await server.run();
  client = await server.connect();
  t.deepEqual(await found(client, 'k', 300), left);
  t.is((await found(client, 'hushed', 20)).length, 20);
  client.close();
  await server.stop();
  writeFileSync(file, kept.slice(0, 20));
  await t.throwsAsync(server.run(), { message: /evict\.json: cannot be read/ });
  writeFileSync(file, kept);
  await server.run();
});
