/** Compressed messages, both ways. Source: protocol 01, section 2. */
import { randomBytes } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import test from 'ava';
import { TestServer } from '../support/server.js';
import type { Message, WireClient } from '../support/wire-client.js';
import {
  answersOf,
  compressedFrame,
  digestOf,
  frameOf,
  GET,
  HEADER,
  infoFrame,
  messageFrame,
  put,
  unpacked,
  write,
} from '../support/wire-client.js';

const MIB = 1024 * 1024;
const COMPRESS = 0x80; // info1

/** Bytes that zlib makes somewhat shorter, but not short. */
function halfRandom(size: number): Buffer {
  const bytes = randomBytes(size);
  for (let i = 0; i < size; i += 2) bytes[i] = 0x61;
  return bytes;
}

async function codeOf(client: WireClient, frame: Buffer): Promise<number> {
  return answersOf(await client.ask(frame))[0]!.code;
}

test('compressed requests of every size are executed', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  for (const size of [1, 200, 4000, 60_000, 66_000, 1_000_000]) {
    const digest = digestOf(size);
    const value = halfRandom(size);
    t.is(
      await codeOf(client, compressedFrame(messageFrame({ ...put(write('a', value)), digest }))),
      0,
      `${size}`,
    );
    t.true((await client.command({ ...GET, digest })).ops[0]!.value.equals(value), `${size}`);
    const [answer] = answersOf(await client.ask(compressedFrame(messageFrame({ ...GET, digest }))));
    t.true(answer!.ops[0]!.value.equals(value), `${size}`);
  }
  t.is(await server.statistic('batch_index_error'), 0);
});

test('compressed and plain requests pipelined on one connection are answered in order', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const frames: Buffer[] = [];
  const sizes = Array.from({ length: 60 }, (_, i) => [10, 300, 70_000, 200_000][i % 4]!);
  for (const [i, size] of sizes.entries()) {
    const message = { ...put(write('a', i), write('b', halfRandom(size))), digest: digestOf('k') };
    frames.push(i % 3 === 0 ? messageFrame(message) : compressedFrame(messageFrame(message)));
    frames.push(
      i % 5 === 0 ? compressedFrame(messageFrame({ ...GET, digest: digestOf('k') })) : infoFrame('build\n'),
    );
  }
  client.send(Buffer.concat(frames));
  for (const i of sizes.keys()) {
    t.is(answersOf(await client.frame())[0]!.generation, i + 1);
    const second = await client.frame();
    if (i % 5 !== 0) t.is(second[1], 1);
    else t.is(answersOf(second)[0]!.ops[0]!.value.readBigInt64BE(), BigInt(i));
  }
});

test('a broken compressed message is answered with 4 and the connection goes on', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const digest = digestOf('k');
  const small = messageFrame({ ...put(write('a', 1)), digest });
  const large = messageFrame({ ...put(write('a', halfRandom(200_000))), digest });
  const cut = deflateSync(large).subarray(0, 50_000);
  const broken: [string, Buffer][] = [
    ['no body', frameOf(4, Buffer.alloc(0))],
    ['no stream', frameOf(4, Buffer.from([0, 0, 0, 0, 0, 0, 1, 0]))],
    ['a length of 2^64 - 1', frameOf(4, Buffer.alloc(40, 0xff))],
    ['a length of 0', compressedFrame(small, 0)],
    ['128 MiB announced', compressedFrame(small, 128 * MIB + 9)],
    ['one byte less announced', compressedFrame(small, small.length - 1)],
    ['one byte more announced', compressedFrame(small, small.length + 1)],
    ['far more announced', compressedFrame(small, 100 * MIB)],
    ['one byte less announced, large', compressedFrame(large, large.length - 1)],
    ['one byte more announced, large', compressedFrame(large, large.length + 1)],
    ['no zlib, small', compressedFrame(small, small.length, randomBytes(300))],
    ['no zlib, large', compressedFrame(large, large.length, randomBytes(300_000))],
    ['a stream cut off', compressedFrame(large, large.length, cut)],
    ['an info message inside', compressedFrame(infoFrame('build\n'))],
    ['a compressed message inside', compressedFrame(compressedFrame(small))],
    ['another version inside', compressedFrame(Buffer.concat([Buffer.from([3]), small.subarray(1)]))],
    ['two messages inside', compressedFrame(Buffer.concat([small, small]))],
    ['a message cut off inside', compressedFrame(small.subarray(0, small.length - 3))],
    ['an inner body without header', compressedFrame(frameOf(3, Buffer.alloc(0)))],
  ];
  for (const [what, frame] of broken) {
    t.is(await codeOf(client, frame), 4, what);
    t.is(await codeOf(client, messageFrame({ ...GET, digest })), 2, `${what}: nothing was stored`);
  }
});

test('a bomb takes no more memory than it announces', async t => {
  const server = await TestServer.start(t);
  const clients = await Promise.all(Array.from({ length: 6 }, () => server.connect()));
  const before = server.residentSize();
  // 100 MiB of zeros in 100 KB, announced as little, as somewhat more, and as what it is.
  const bomb = put(write('a', Buffer.alloc(100 * MIB)));
  const inner = messageFrame({ ...bomb, digest: digestOf('k'), timeoutMs: 60_000 });
  const stream = deflateSync(inner);
  for (const declared of [200, 300_000]) {
    server.resetPeak();
    for (const client of clients) client.send(compressedFrame(inner, declared, stream));
    for (const client of clients) t.is(answersOf(await client.frame())[0]!.code, 4);
    t.true(server.peakSize() < before + 90 * MIB, `${(server.peakSize() - before) / MIB} MiB more`);
  }
  t.is(await codeOf(clients[0]!, compressedFrame(inner, inner.length, stream)), 13);
  t.is((await clients[0]!.command({ ...GET, digest: digestOf('k') })).code, 2);
});

test('answers are compressed when asked for, only then, and only where that is shorter', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const ask = (name: string, message: Message): Promise<Buffer> =>
    client.ask(messageFrame({ ...message, digest: digestOf(name) }));
  const values = {
    short: Buffer.alloc(20),
    small: halfRandom(5000),
    large: halfRandom(300_000),
    dense: randomBytes(5000),
  };
  const packed = { ...GET, info1: 0x03 | COMPRESS };
  for (const [name, value] of Object.entries(values)) {
    await ask(name, put(write('a', value)));
    const isShorter = name === 'small' || name === 'large';
    const frame = await ask(name, packed);
    t.is(frame[1], isShorter ? 4 : 3, name);
    if (isShorter) t.true(frame.length < value.length, name);
    t.true(answersOf(unpacked(frame))[0]!.ops[0]!.value.equals(value), name);
    t.is((await ask(name, GET))[1], 3, `${name}: not asked for this time`);
    t.is((await ask(name, { ...HEADER, info1: 0x21 | COMPRESS }))[1], 3, `${name}: a header is short`);
  }
  t.is((await ask('missing', packed))[1], 3);
  t.is((await client.ask(infoFrame('statistics\n')))[1], 1);
  const frame = await client.ask(compressedFrame(messageFrame({ ...packed, digest: digestOf('small') })));
  t.is(frame[1], 4, 'a compressed request for a compressed answer');
});

test('a batch asked for compressed answers frames of both kinds, every row once', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const value = halfRandom(20_000);
  const rows = Array.from({ length: 300 }, (_, index) => ({ ...GET, index, digest: digestOf(index) }));
  await client.batch(rows.map(row => ({ ...row, ...put(write('a', value)), info1: 0 })));
  const answer = await client.batch(rows, undefined, { info1: COMPRESS });
  t.is(answer.code, 0);
  t.is(answer.rowCount, 300);
  t.true(answer.compressedCount > 0);
  for (const { index } of rows) t.true(answer.rows.get(index)!.ops[0]!.value.equals(value));
  t.is((await client.batch(rows)).compressedCount, 0);
  t.is((await client.command({ ...GET, digest: digestOf(7) })).code, 0, 'the connection goes on');
});
