/** Batches over sockets: rows of every kind, errors, limits, large answers. Source: protocol 03. */
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { TestServer } from '../support/server.js';
import type { Answer, BatchAnswer, Message, Row, WireClient } from '../support/wire-client.js';
import {
  batchField,
  batchFrame,
  DELETE,
  digestOf,
  GET,
  HEADER,
  messageFrame,
  op,
  put,
  read,
  write,
} from '../support/wire-client.js';

const MIB = 1024 * 1024;
const RESPOND_ALL = 0x04;
const REPORT_ERROR_ROW = 0x08;
const BIG = 'storage-engine memory {\ndata-size 1G\n}';

const row = (index: number, name: string | number, message: Message): Row => ({
  ...message,
  index,
  digest: digestOf(name),
});
const repeat = (index: number, name: string | number): Row => ({
  index,
  digest: digestOf(name),
  isRepeat: true,
});
const codes = (answer: BatchAnswer): [number, number][] =>
  [...answer.rows].map(([index, a]): [number, number] => [index, a.code]).sort((a, b) => a[0] - b[0]);
const numberIn = (answer: Answer | undefined): number => Number(answer!.ops[0]!.value.readBigInt64BE());

/** Rows that write `count` records named 0, 1, … with their number. */
async function fill(client: WireClient, count: number, more: Message = {}): Promise<void> {
  const rows = Array.from({ length: count }, (_, i) => row(i, i, { ...put(write('n', i)), ...more }));
  const answer = await client.batch(rows);
  if (answer.rows.size !== count || answer.code !== 0) throw new Error('the records were not all written');
}

test('rows of every kind in one batch, on three workers', async t => {
  const server = await TestServer.start(t, { service: ['service-threads 3'] });
  const client = await server.connect();
  await fill(client, 10);
  const answer = await client.batch([
    row(100, 0, GET),
    row(7, 1, { info1: 0x01, ops: [read('n'), read('none')] }),
    row(0xffffffff, 2, HEADER),
    row(3, 3, {
      info1: 0x01,
      info2: 0x81,
      ops: [op(5, 'n', 1, Buffer.from([5])), read('n'), write('b', 'x')],
    }),
    row(4, 4, DELETE),
    row(5, 'none', GET),
    row(6, 'none', DELETE),
    row(8, 'new', { ...put(write('n', 8)), ttl: 100 }),
    row(9, 9, { ...put(write('n', 0)), info2: 0x05, generation: 2 }),
    row(10, 9, { ...put(write('n', 0)), info2: 0x21 }),
    row(11, 9, { info1: 0x01, ops: [op(3, 'n', 4, Buffer.from([0x91, 0x10]))] }),
    row(12, 9, put(write('x'.repeat(16), 1))),
  ]);
  t.is(answer.code, 0);
  t.deepEqual(codes(answer), [
    [3, 0],
    [4, 0],
    [5, 2],
    [6, 2],
    [7, 0],
    [8, 0],
    [9, 3],
    [10, 5],
    [11, 12],
    [12, 21],
    [100, 0],
    [0xffffffff, 0],
  ]);
  t.is(numberIn(answer.rows.get(100)), 0);
  t.deepEqual(
    answer.rows.get(7)!.ops.map(o => [o.op, o.name]),
    [[1, 'n']],
  );
  t.is(answer.rows.get(0xffffffff)!.generation, 1);
  t.deepEqual(
    answer.rows.get(3)!.ops.map(o => [o.op, o.type]),
    [
      [5, 0],
      [1, 1],
      [2, 0],
    ],
  );
  for (const [, a] of answer.rows) if (a.code !== 0) t.is(a.ops.length, 0);
  t.is((await client.command({ ...GET, digest: digestOf(4) })).code, 2);
  t.true((await client.command({ ...GET, digest: digestOf('new') })).voidTime > 0);
});

test('repeated rows carry everything of the last full row', async t => {
  const server = await TestServer.start(t, { service: ['service-threads 3'] });
  const client = await server.connect();
  await fill(client, 50);
  const rows: Row[] = [];
  for (let i = 0; i < 50; i++) {
    if (i === 0) rows.push(row(i, i, { info1: 0x01, ops: [read('n')] }));
    else if (i === 20) rows.push(row(i, i, HEADER));
    else if (i === 30) rows.push(row(i, i, { ...put(write('r', i)), ttl: 500, set: '' }));
    else rows.push(repeat(i, i));
  }
  const answer = await client.batch(rows);
  t.is(answer.rowCount, 50);
  for (let i = 0; i < 50; i++) {
    const a = answer.rows.get(i)!;
    t.is(a.code, 0);
    if (i < 20) t.is(numberIn(a), i);
    else t.is(a.ops.length, 0);
    t.is(a.generation, i < 30 ? 1 : 2);
    t.is(a.voidTime > 0, i >= 30);
  }
  for (let i = 30; i < 50; i++) {
    const { ops } = await client.command({ ...GET, digest: digestOf(i) });
    t.deepEqual(
      ops.map(o => o.name),
      ['n', 'r'],
    );
    t.is(Number(ops[1]!.value.readBigInt64BE()), 30);
  }
});

test('malformed batches are answered by the trailer alone, and the connection goes on', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  await fill(client, 3);
  const good = [row(0, 0, GET), row(1, 1, GET), row(2, 2, GET)];
  const field = batchField(good);
  const withField = (data: Buffer, type = 41): Buffer =>
    messageFrame({ info1: 0x08, namespace: null, fields: [[type, data]] });
  const counted = (count: number): Buffer => {
    const data = Buffer.from(field);
    data.writeUInt32BE(count, 0);
    return data;
  };
  const keyed = row(0, 0, { ...GET, fields: [[2, Buffer.from('\x03k')]] });
  const bad: [string, Buffer, number][] = [
    ['no field', messageFrame({ info1: 0x08, namespace: null }), 4],
    ['an empty field', withField(Buffer.alloc(0)), 4],
    ['four bytes', withField(Buffer.alloc(4)), 4],
    ['no rows', withField(counted(0)), 4],
    ['rows missing', withField(counted(4)), 4],
    ['2^32 - 1 rows', withField(counted(0xffffffff)), 4],
    ['a repeat first', batchFrame([repeat(0, 0), row(1, 1, GET)]), 4],
    ['a repeat of a row with a key', batchFrame([keyed, repeat(1, 1)]), 4],
    ['an unknown namespace', batchFrame([row(0, 0, { ...GET, namespace: 'nope' })]), 4],
    ['an unknown namespace later', batchFrame([...good, row(3, 0, { ...GET, namespace: 'nope' })]), 4],
    ...Array.from({ length: field.length - 5 }, (_, i): [string, Buffer, number] => [
      `cut off at ${i + 5}`,
      withField(field.subarray(0, i + 5)),
      4,
    ]),
  ];
  for (const [what, frame, code] of bad) {
    client.send(frame);
    const answer = await client.batchAnswer();
    t.is(answer.code, code, what);
    t.is(answer.rowCount, 0, what);
  }
  client.send(withField(field, 42));
  t.is((await client.batchAnswer()).rowCount, 3, 'the old field number means the same');
});

test('a filter before rows whose size is counted from the filter on, as the Java client does', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  await fill(client, 4);
  const filter = Buffer.from('9305935102a16e02', 'hex'); // n < 2
  const frame = batchFrame([0, 1, 2, 3].map(i => row(i, i, GET)));
  const rows = frame.subarray(8 + 22);
  const field = Buffer.concat([Buffer.from([0, 0, 0, filter.length + 1, 43]), filter]);
  const javaFrame = (excess: number): Buffer => {
    const sized = Buffer.from(rows);
    sized.writeUInt32BE(sized.readUInt32BE(0) + excess, 0);
    const out = Buffer.concat([frame.subarray(0, 8 + 22), field, sized]);
    out.writeUIntBE(out.length - 8, 2, 6);
    out.writeUInt16BE(2, 8 + 18);
    return out;
  };
  const filtered: [number, number][] = [
    [0, 0],
    [1, 0],
    [2, 27],
    [3, 27],
  ];
  for (const excess of [0, field.length]) {
    client.send(javaFrame(excess));
    t.deepEqual(codes(await client.batchAnswer()), filtered, `${excess} too much`);
  }
  for (const excess of [1, field.length - 1, field.length + 1]) {
    client.send(javaFrame(excess));
    const answer = await client.batchAnswer();
    t.deepEqual([answer.code, answer.rowCount], [4, 0], `${excess} too much`);
  }
});

test('a failed row ends a batch that did not ask for all answers', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  await fill(client, 5);
  const rows = [
    row(0, 0, GET),
    row(1, 'none', GET), // 2 never ends a batch
    row(2, 1, { ...put(write('n', 9)), info2: 0x21 }), // 5 does
    row(3, 2, put(write('n', 9))),
    row(4, 3, GET),
  ];
  const silent = await client.batch(rows, 0x01);
  t.is(silent.code, 5);
  t.deepEqual(codes(silent), [
    [0, 0],
    [1, 2],
  ]);
  const reported = await client.batch(rows, 0x01 | REPORT_ERROR_ROW);
  t.is(reported.code, 5);
  t.deepEqual(codes(reported), [
    [0, 0],
    [1, 2],
    [2, 5],
  ]);
  t.is(
    (await client.command({ ...HEADER, digest: digestOf(2) })).generation,
    1,
    'no row after it was executed',
  );
  const all = await client.batch(rows, RESPOND_ALL);
  t.is(all.code, 0);
  t.deepEqual(codes(all), [
    [0, 0],
    [1, 2],
    [2, 5],
    [3, 0],
    [4, 0],
  ]);
});

test('the inline flags change nothing', async t => {
  const server = await TestServer.start(t, { service: ['service-threads 2'] });
  const client = await server.connect();
  await fill(client, 100);
  const rows = Array.from({ length: 100 }, (_, i) => row(i, i, GET));
  for (const inline of [0, 1, 2, 3]) {
    const answer = await client.batch(rows, RESPOND_ALL | inline);
    t.is(answer.rowCount, 100);
    for (let i = 0; i < 100; i++) t.is(numberIn(answer.rows.get(i)), i);
  }
});

test('20,000 rows are each answered once, on three workers', async t => {
  const server = await TestServer.start(t, { service: ['service-threads 3'] });
  const client = await server.connect();
  await fill(client, 20_000);
  for (const isRepeated of [false, true]) {
    const rows = Array.from({ length: 20_000 }, (_, i) =>
      isRepeated && i % 1000 !== 0 ? repeat(i, i) : row(i, i, GET),
    );
    const answer = await client.batch(rows);
    t.is(answer.code, 0);
    t.is(answer.rowCount, 20_000);
    let right = 0;
    for (const [index, a] of answer.rows) if (a.code === 0 && numberIn(a) === index) right++;
    t.is(right, 20_000);
  }
});

test('a batch may name one record many times', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const rows = Array.from({ length: 1000 }, (_, i) =>
    i % 2 === 0 ? row(i, 'k', put(op(5, 'n', 1, Buffer.from([1])))) : row(i, 'k', HEADER),
  );
  const answer = await client.batch(rows);
  t.is(answer.rowCount, 1000);
  t.is(numberIn(await client.command({ ...GET, digest: digestOf('k') })), 500);
  const same = await client.batch([row(5, 'k', GET), row(5, 'k', GET), row(6, 'k', GET)]);
  t.is(same.rowCount, 3, 'rows of one index are answered each');
});

test('batch-max-requests and batch-index-threads refuse with 151 and 150, and can change while running', async t => {
  const server = await TestServer.start(t, { service: ['batch-max-requests 10'] });
  const client = await server.connect();
  const rows = Array.from({ length: 11 }, (_, i) => row(i, i, GET));
  t.is((await client.batch(rows.slice(0, 10))).rowCount, 10);
  const refused = await client.batch(rows);
  t.is(refused.code, 151);
  t.is(refused.rowCount, 0);
  t.is(await server.info('set-config:context=service;batch-max-requests=0'), 'ok');
  t.is((await client.batch(rows)).rowCount, 11);
  t.is(await server.info('set-config:context=service;batch-index-threads=0'), 'ok');
  t.is((await client.batch(rows)).code, 150);
  t.is((await client.command({ ...GET, digest: digestOf('k') })).code, 2, 'single commands go on');
  t.is(await server.info('set-config:context=service;batch-index-threads=2'), 'ok');
  t.is((await client.batch(rows)).rowCount, 11);
});

test('rows of several namespaces in one batch', async t => {
  const names = ['test', 'b', 'c'];
  const server = await TestServer.start(t, {
    service: ['service-threads 3'],
    namespaces: names.map(name => ({ name, storage: 'storage-engine memory {\ndata-size 16M\n}' })),
  });
  const client = await server.connect();
  const namespaceOf = (i: number): string => names[i % 3]!;
  const rows = Array.from({ length: 300 }, (_, i) =>
    row(i, `k${i >> 2}`, { ...put(write('n', i)), namespace: namespaceOf(i), set: `s${i % 5}` }),
  );
  await client.batch(rows.slice(0, 4));
  const written = await client.batch(rows.map(r => ({ ...r, set: 's' })));
  t.is(written.rowCount, 300);
  const counts = await Promise.all(names.map(name => server.statistic('objects', `namespace/${name}`)));
  t.true(
    counts.every(count => count > 60),
    counts.join(),
  );
  const answer = await client.batch(
    rows.map(r => ({ ...GET, index: r.index, digest: r.digest!, namespace: r.namespace! })),
  );
  for (const [index, a] of answer.rows) {
    t.is(a.code, 0);
    t.is(numberIn(a) % 3, index % 3, 'each from its own namespace');
  }
});

test('an answer far above the credit of a batch, read slowly, comes whole', async t => {
  const server = await TestServer.start(t, {
    service: ['service-threads 3'],
    namespaces: [{ name: 'test', storage: BIG }],
  });
  const client = await server.connect();
  const values = Array.from({ length: 100 }, (_, i) => Buffer.alloc(200_000, i));
  for (const [i, value] of values.entries()) {
    await client.command({ ...put(write('a', value)), digest: digestOf(i) });
  }
  const before = server.residentSize();
  server.resetPeak();
  client.socket.pause();
  client.send(batchFrame(Array.from({ length: 100 }, (_, i) => (i === 0 ? row(i, i, GET) : repeat(i, i)))));
  const bystander = await server.connect();
  for (let i = 0; i < 20; i++) {
    await sleep(50);
    client.socket.resume();
    await sleep(1);
    client.socket.pause();
    t.is((await bystander.command({ ...HEADER, digest: digestOf(1) })).code, 0);
  }
  client.socket.resume();
  const answer = await client.batchAnswer();
  t.is(answer.code, 0);
  t.is(answer.rowCount, 100);
  for (const [i, value] of values.entries()) t.true(answer.rows.get(i)!.ops[0]!.value.equals(value));
  t.true(server.peakSize() < before + 90 * MIB);
});

test('a batch of nearly 128 MiB is executed', async t => {
  const server = await TestServer.start(t, { namespaces: [{ name: 'test', storage: BIG }] });
  const client = await server.connect();
  const value = Buffer.alloc(MIB - 400, 5);
  const rows = Array.from({ length: 127 }, (_, i) => row(i, i, { ...put(write('a', value)), timeoutMs: 0 }));
  client.send(batchFrame(rows));
  const answer = await client.batchAnswer(60_000);
  t.is(answer.rowCount, 127);
  t.true([...answer.rows.values()].every(a => a.code === 0));
  for (const { digest } of rows)
    t.true((await client.command({ ...GET, digest: digest! })).ops[0]!.value.equals(value));
});

test('batches one after another on many connections at once', async t => {
  const server = await TestServer.start(t, { service: ['service-threads 2'] });
  await fill(await server.connect(), 200);
  const rows = Array.from({ length: 200 }, (_, i) => row(i, i, GET));
  const frames = Buffer.concat(Array.from({ length: 5 }, () => batchFrame(rows)));
  await Promise.all(
    Array.from({ length: 40 }, async () => {
      const client = await server.connect();
      client.send(frames);
      for (let n = 0; n < 5; n++) {
        const answer = await client.batchAnswer();
        t.is(answer.rows.size, 200);
        for (const [index, a] of answer.rows) if (numberIn(a) !== index) t.fail(`row ${index}`);
      }
    }),
  );
});

test('a batch of reads says of every record what single reads say, unusual ones too', async t => {
  const server = await TestServer.start(t, { namespaces: [{ name: 'test', lines: ['nsup-period 3600'] }] });
  const client = await server.connect();
  const store = async (name: string, message: Message): Promise<void> => {
    t.is((await client.command({ ...message, digest: digestOf(name) })).code, 0, name);
  };
  const value = (size: number): Message => put(write('n', 1), write('b', Buffer.alloc(size, size & 0xff)));
  const names = ['none'];
  for (const size of [0, 1, 2, 3, 4, 5, 100, 101, 102, 103, 600, 16_000, 40_000]) {
    names.push(`of ${size}`);
    await store(`of ${size}`, value(size));
  }
  await store('in a', { ...value(10), set: 'a' });
  await store('in b', { ...value(10), set: 'b' });
  await store('gone', { ...value(10), set: 'c' });
  await store('lives', { ...value(10), ttl: 5000 });
  await store('expired', { ...value(10), ttl: 1 });
  await store('expired of a', { ...value(10), set: 'a', ttl: 1 });
  await store('deleted', value(10));
  await store('deleted', DELETE);
  await store('buried', value(10));
  await store('buried', { info2: 0x13 });
  await store('indexed', put(op(2, 'm', 19, Buffer.from('83c70013c001090208', 'hex'))));
  names.push('in a', 'in b', 'gone', 'lives', 'expired', 'expired of a', 'deleted', 'buried', 'indexed');
  t.is(await server.info('truncate:namespace=test;set=c'), 'ok');
  await sleep(2100);
  for (const touch of [0, 80]) {
    t.is(await server.info(`set-config:context=namespace;id=test;default-read-touch-ttl-pct=${touch}`), 'ok');
    for (const ttl of [0, 50, 200, 0xffffffff]) {
      for (const set of [undefined, 'a', 'unheard of']) {
        for (const message of [GET, HEADER]) {
          const command = { ...message, ttl, ...(set === undefined ? {} : { set }) };
          const answer = await client.batch(
            names.map((name, i): Row => (i === 0 ? row(i, name, command) : repeat(i, name))),
          );
          t.is(answer.code, 0);
          for (const [i, name] of names.entries()) {
            const { index, ...single } = await client.command({ ...command, digest: digestOf(name) });
            t.deepEqual(
              { ...answer.rows.get(i)!, index },
              { ...single, index },
              `${name} ${JSON.stringify(command)}`,
            );
          }
        }
      }
    }
  }
});
