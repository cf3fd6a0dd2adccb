/** Times to live: exact void-times, expiry to the second, touches. Source: protocol 01, section 5. */
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { TestServer } from '../support/server.js';
import type { Answer, Message, WireClient } from '../support/wire-client.js';
import {
  DELETE,
  digestOf,
  GET,
  HEADER,
  KEEP,
  NEVER,
  nowSec,
  op,
  put,
  touch,
  write,
} from '../support/wire-client.js';

const TTL_MAX = 315_360_000; // ten years

const SET_TTL = ['default-ttl 1000', 'set short {', '\tdefault-ttl 50', '}', 'set plain {', '}'];

/** Sends a write and returns how many seconds from the server's now its void-time is. */
async function lifeOf(client: WireClient, message: Message): Promise<number> {
  for (;;) {
    const before = nowSec();
    const answer = await client.command(message);
    if (answer.code !== 0) return -answer.code;
    if (nowSec() === before) return answer.voidTime === 0 ? 0 : answer.voidTime - before; // no second has passed
  }
}

const putTtl = (name: string, ttl: number, more: Message = {}): Message => ({
  ...put(write('a', 1)),
  digest: digestOf(name),
  ttl,
  ...more,
});

/** Waits until the wall clock is `ms` after the beginning of second `sec` since 2010. */
async function until(sec: number, ms: number): Promise<void> {
  await sleep((sec + 1_262_304_000) * 1000 + ms - Date.now());
}

test('a void-time is exactly now plus the ttl that was asked for', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  for (const ttl of [1, 2, 60, 86_400, TTL_MAX]) t.is(await lifeOf(client, putTtl(`k${ttl}`, ttl)), ttl);
  t.is(await lifeOf(client, putTtl('never', NEVER)), 0);
  t.is(await lifeOf(client, putTtl('default', 0)), 0);
  t.is(await lifeOf(client, putTtl('new', KEEP)), 0, 'keep, on a create, is the default');
  for (const ttl of [TTL_MAX + 1, 0xfffffffd, 0x80000000]) {
    t.is((await client.command(putTtl('long', ttl))).code, 4, `${ttl}`);
  }
  t.is((await client.command({ ...GET, digest: digestOf('long') })).code, 2, 'nothing was stored');
});

test('a write can keep, replace and remove the void-time, and a read shows it', async t => {
  const server = await TestServer.start(t, { namespaces: [{ name: 'test', lines: ['default-ttl 500'] }] });
  const client = await server.connect();
  const first = await client.command(putTtl('k', 100));
  const kept = await client.command(putTtl('k', KEEP));
  t.is(kept.voidTime, first.voidTime);
  t.is(kept.generation, 2);
  t.is((await client.command({ ...GET, digest: digestOf('k') })).voidTime, first.voidTime);
  t.is((await client.command({ ...HEADER, digest: digestOf('k') })).voidTime, first.voidTime);
  t.is(await lifeOf(client, putTtl('k', 0)), 500);
  t.is(await lifeOf(client, putTtl('k', NEVER)), 0);
  t.is(await lifeOf(client, putTtl('k', KEEP)), 0, 'what never expires is kept so');
  t.is(await lifeOf(client, putTtl('other', KEEP)), 500);
});

test("a set's default-ttl comes before the namespace's, which can change while running", async t => {
  const server = await TestServer.start(t, { namespaces: [{ name: 'test', lines: SET_TTL }] });
  const client = await server.connect();
  t.is(await lifeOf(client, putTtl('a', 0, { set: 'short' })), 50);
  t.is(await lifeOf(client, putTtl('b', 0, { set: 'plain' })), 1000);
  t.is(await lifeOf(client, putTtl('c', 0, { set: 'unknown' })), 1000);
  t.is(await lifeOf(client, putTtl('d', 0)), 1000);
  t.is(await lifeOf(client, putTtl('a', 7, { set: 'short' })), 7);
  t.is(await lifeOf(client, putTtl('a', 0)), -4, 'a write has to name the set of its record, as recorded');
  t.is(await server.info('set-config:context=namespace;id=test;default-ttl=77'), 'ok');
  t.is(await lifeOf(client, putTtl('d', 0)), 77);
  t.is(await lifeOf(client, putTtl('a', 0, { set: 'short' })), 50);
});

test('without expiration thread a ttl is forbidden, unless the namespace allows it', async t => {
  const lines = ['nsup-period 0', 'default-ttl 0'];
  const server = await TestServer.start(t, {
    namespaces: [
      { name: 'test', lines },
      { name: 'lax', lines: [...lines, 'allow-ttl-without-nsup true'] },
    ],
  });
  const client = await server.connect();
  t.is((await client.command(putTtl('k', 10))).code, 22);
  t.is((await client.command(putTtl('k', 0))).code, 0);
  t.is((await client.command(putTtl('k', NEVER))).code, 0);
  t.is((await client.command(putTtl('k', KEEP))).code, 0);
  t.is((await client.command({ ...touch(10), digest: digestOf('k') })).code, 22);
  t.is(await lifeOf(client, putTtl('k', 10, { namespace: 'lax' })), 10);
});

test('a record is invisible to every command from the second it expires', async t => {
  const server = await TestServer.start(t, {
    namespaces: [{ name: 'test', lines: ['nsup-period 1000000'] }], // nothing removes it meanwhile
  });
  const client = await server.connect();
  const names = ['get', 'delete', 'touch', 'update', 'create', 'incr', 'batch', 'generation'];
  let round = 0;
  const nameOf = (name: string): string => `${name} ${round}`;
  const ask = (name: string, message: Message): Promise<Answer> =>
    client.command({ ...message, digest: digestOf(nameOf(name)) });
  /** @returns Their void-time, or 0 where a second had passed before all was done: then nothing is known. */
  const seenToTheEnd = async (): Promise<number> => {
    await until(nowSec() + 1, 50);
    const writtenSec = nowSec();
    const voidTimes: number[] = [];
    for (const name of names)
      voidTimes.push((await client.command(putTtl(nameOf(name), 2, { set: 's' }))).voidTime);
    if (nowSec() !== writtenSec) return 0;
    t.deepEqual(new Set(voidTimes), new Set([writtenSec + 2]));
    await until(writtenSec + 2, -150);
    const codes: number[] = [];
    for (const name of names) codes.push((await ask(name, GET)).code);
    if (nowSec() >= writtenSec + 2) return 0;
    t.deepEqual(new Set(codes), new Set([0]), 'they are there to the end');
    return writtenSec + 2;
  };
  let voidTime = await seenToTheEnd();
  while (voidTime === 0 && ++round < 30) voidTime = await seenToTheEnd();
  t.true(voidTime > 0, 'the machine is too busy for 16 commands in a second');
  await until(voidTime, 30);
  t.is((await ask('get', GET)).code, 2);
  t.is((await ask('get', HEADER)).code, 2);
  t.is((await ask('get', { info1: 1, ops: [op(1, 'a')] })).code, 2);
  t.is((await ask('delete', DELETE)).code, 2);
  t.is((await ask('touch', touch(100))).code, 2);
  t.is((await ask('update', { ...put(write('b', 1)), info3: 0x08 })).code, 2);
  t.is((await ask('generation', { ...put(write('b', 1)), info2: 0x05, generation: 1 })).code, 3);
  const created = await ask('create', { ...put(write('b', 2)), info2: 0x21, set: 'another' });
  t.is(created.code, 0);
  t.is(created.generation, 1);
  t.deepEqual(
    (await ask('create', GET)).ops.map(o => o.name),
    ['b'],
    'no old bin comes back',
  );
  t.is((await ask('incr', put(op(5, 'a', 1, Buffer.from([0, 0, 0, 0, 0, 0, 0, 5]))))).generation, 1);
  t.is((await ask('incr', GET)).ops[0]!.value.readBigInt64BE(), 5n);
  const batch = await client.batch([{ ...GET, index: 3, digest: digestOf(nameOf('batch')) }]);
  t.is(batch.rows.get(3)!.code, 2);
});

test('touch gives an existing record a new life and generation and leaves its bins', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  t.is((await client.command({ ...touch(10), digest: digestOf('none') })).code, 2);
  await client.command(putTtl('k', 100));
  t.is(await lifeOf(client, { ...touch(200), digest: digestOf('k') }), 200);
  t.is(await lifeOf(client, { ...touch(NEVER), digest: digestOf('k') }), 0);
  const before = await client.command({ ...HEADER, digest: digestOf('k') });
  const touched = await client.command({ ...touch(0), digest: digestOf('k') });
  t.is(touched.generation, before.generation + 1);
  t.is(touched.ops.length, 0);
  t.deepEqual(
    (await client.command({ ...GET, digest: digestOf('k') })).ops.map(o => o.name),
    ['a'],
  );
});

test('a read renews the life of a record when its touch percent says so', async t => {
  const server = await TestServer.start(t, {
    namespaces: [
      { name: 'test' },
      { name: 'eager', lines: ['default-read-touch-ttl-pct 100', 'set lazy {', '\tdefault-ttl 0', '}'] },
    ],
  });
  const client = await server.connect();
  const eager = { namespace: 'eager' };
  const cases: [string, number, Message, boolean][] = [
    ['asked', 100, {}, true],
    ['too early', 1, {}, false],
    ['not asked', 0, {}, false],
    ['forbidden', NEVER, eager, false],
    ['default', 0, eager, true],
    ['early beats default', 1, eager, false],
  ];
  const before = new Map<string, number>();
  for (const [name, , more] of cases)
    before.set(name, (await client.command(putTtl(name, 1000, more))).voidTime);
  await client.command(putTtl('for ever', NEVER));
  await sleep(1100);
  for (const [name, percent, more] of cases) {
    const answer = await client.command({ ...GET, ...more, digest: digestOf(name), ttl: percent });
    t.is(answer.code, 0, name);
    t.is(answer.voidTime, before.get(name)!, `${name}: the read shows the life before the touch`);
  }
  for (const [name, , more, isTouched] of cases) {
    const after = await client.command({ ...HEADER, ...more, digest: digestOf(name), ttl: NEVER });
    t.is(after.voidTime > before.get(name)!, isTouched, name);
  }
  t.is((await client.command({ ...GET, digest: digestOf('asked'), ttl: 101 })).code, 4);
  t.is((await client.command({ ...GET, digest: digestOf('for ever'), ttl: 100 })).code, 0);
  t.is((await client.command({ ...HEADER, digest: digestOf('for ever') })).voidTime, 0);
});
