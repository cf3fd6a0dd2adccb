/** Filters and expression ops on commands: what is decided where, in which order, and what a client is told. */
import test from 'ava';
import { TestServer } from '../support/server.js';
import {
  type Answer,
  batchField,
  DELETE,
  digestOf,
  GET,
  HEADER,
  type Message,
  messageFrame,
  op,
  put,
  type Row,
  read,
  type WireClient,
  write,
} from '../support/wire-client.js';

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
/** An integer bin `i` that is more than 5. */
const ABOVE_5 = bytes('93 03 93 51 02 a1 69 05');
/** The set's name is "s". */
const IN_SET_S = bytes('93 01 91 46 a2 03 73');
const FALSE = bytes('c2');
const TRUE = bytes('c3');
const NOT_A_FILTER = bytes('05');
const PLUS_1 = '93 14 93 51 02 a1 69 01'; // i + 1
const NIL = 'c0';

const filtered = (message: Message, filter: Buffer): Message => ({
  ...message,
  fields: [...(message.fields ?? []), [43, filter]],
});
const ask = (client: WireClient, name: string, message: Message): Promise<Answer> =>
  client.command({ set: 's', ...message, digest: digestOf(name) });
const readExp = (expression: string, flags: number, name = 'r'): Message => ({
  info1: 1,
  ops: [op(7, name, 4, bytes(`92 ${expression} ${flags.toString(16).padStart(2, '0')}`))],
});
const writeExp = (name: string, expression: string, flags: number): Message =>
  put(op(8, name, 4, bytes(`92 ${expression} ${flags.toString(16).padStart(2, '0')}`)));
const numberOf = (answer: Answer, index = 0): number => Number(answer.ops[index]!.value.readBigInt64BE());

test('a filter that is false keeps every kind of command off its record', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  await ask(client, 'low', put(write('i', 5)));
  await ask(client, 'high', put(write('i', 6)));
  const commands: [string, Message][] = [
    ['get', GET],
    ['header', HEADER],
    ['select', { info1: 1, ops: [read('i')] }],
    ['put', put(write('i', 7))],
    ['replace', { ...put(write('i', 7)), info3: 0x10 }],
    ['delete', DELETE],
  ];
  for (const [what, message] of commands) {
    const refused = await ask(client, 'low', filtered(message, ABOVE_5));
    t.is(refused.code, 27, what);
    t.is(refused.ops.length, 0, what);
  }
  t.is(numberOf(await ask(client, 'low', GET)), 5);
  for (const [what, message] of commands) {
    t.is((await ask(client, 'high', filtered(message, ABOVE_5))).code, 0, what);
  }
  t.is((await ask(client, 'high', GET)).code, 2, 'it was deleted');
  const figures = await server.info('namespace/test');
  t.regex(figures, /client_read_filtered_out=3;/);
  t.regex(figures, /client_write_filtered_out=2;/);
  t.regex(figures, /client_delete_filtered_out=1;/);
});

test('where there is no record no filter is looked at', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  for (const filter of [FALSE, NOT_A_FILTER, Buffer.alloc(0)]) {
    t.is((await ask(client, 'none', filtered(GET, filter))).code, 2);
    t.is((await ask(client, 'none', filtered(DELETE, filter))).code, 2);
  }
  t.is((await ask(client, 'new', filtered(put(write('i', 1)), FALSE))).code, 0);
  t.is((await ask(client, 'new', filtered(put(write('i', 2)), FALSE))).code, 27);
  t.is((await ask(client, 'new', filtered(put(write('i', 2)), NOT_A_FILTER))).code, 4);
  t.is((await ask(client, 'new', filtered(GET, Buffer.alloc(0)))).code, 4);
  t.is(numberOf(await ask(client, 'new', GET)), 1);
});

test('a filter comes after the checks of existence, generation and set, and before that of the key', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const key = (text: string): Message => ({ fields: [[2, bytes(`03${Buffer.from(text).toString('hex')}`)]] });
  await ask(client, 'k', { ...put(write('i', 1)), ...key('mine') });
  const store = put(write('i', 2));
  t.is((await ask(client, 'k', filtered({ ...store, info2: 0x21 }, FALSE))).code, 5);
  t.is((await ask(client, 'k', filtered({ ...store, info2: 0x05, generation: 9 }, FALSE))).code, 3);
  t.is((await ask(client, 'k', filtered({ ...store, set: 'other' }, FALSE))).code, 4);
  t.is((await ask(client, 'k', filtered({ ...store, ...key('theirs') }, FALSE))).code, 27);
  t.is((await ask(client, 'k', filtered({ ...store, ...key('theirs') }, TRUE))).code, 19);
  t.is((await ask(client, 'k', filtered({ ...GET, ...key('theirs') }, FALSE))).code, 27);
  t.is((await ask(client, 'k', filtered({ ...GET, ...key('theirs') }, TRUE))).code, 19);
  t.is((await ask(client, 'k', filtered(GET, TRUE))).generation, 1);
});

test("a row's filter takes the place of its batch's, whose invalid filter ends it", async t => {
  const server = await TestServer.start(t, { service: ['service-threads 2'] });
  const client = await server.connect();
  const count = 300;
  const askBatch = async (rows: readonly Row[], filter: Buffer) => {
    const named = rows.map(row => ({ set: 's', ...row }));
    client.send(
      messageFrame({
        info1: 0x08,
        namespace: null,
        fields: [
          [43, filter],
          [41, batchField(named)],
        ],
      }),
    );
    return client.batchAnswer();
  };
  await client.batch(
    Array.from({ length: count }, (_, i) => ({
      ...put(write('i', i % 10)),
      set: 's',
      index: i,
      digest: digestOf(i),
    })),
  );
  const gets = Array.from({ length: count }, (_, i): Row => ({ ...GET, index: i, digest: digestOf(i) }));
  const answer = await askBatch(gets, ABOVE_5);
  t.is(answer.code, 0);
  for (let i = 0; i < count; i++) t.is(answer.rows.get(i)!.code, i % 10 > 5 ? 0 : 27, `row ${i}`);

  const own = gets.map(row => (row.index % 2 === 0 ? { ...filtered(row, TRUE), index: row.index } : row));
  const mixed = await askBatch(own as Row[], FALSE);
  for (let i = 0; i < count; i++) t.is(mixed.rows.get(i)!.code, i % 2 === 0 ? 0 : 27, `row ${i}`);

  const repeats = gets.map((row, i): Row => (i === 0 ? row : { ...row, isRepeat: true }));
  const repeated = await askBatch(repeats, ABOVE_5);
  for (let i = 0; i < count; i++) t.is(repeated.rows.get(i)!.code, i % 10 > 5 ? 0 : 27, `repeat ${i}`);

  const badRow = await askBatch([{ ...filtered(GET, NOT_A_FILTER), index: 0, digest: digestOf(0) }], TRUE);
  t.is(badRow.rows.get(0)!.code, 4);
  const bad = await askBatch(gets, NOT_A_FILTER);
  t.is(bad.code, 4);
  t.is(bad.rows.size, 0);
  t.regex(await server.info('namespace/test'), /batch_sub_read_filtered_out=510;/);
});

test('a long filter of a batch goes with every group of its rows', async t => {
  const server = await TestServer.start(t, { service: ['service-threads 2'] });
  const client = await server.connect();
  const count = 1500;
  // i is above 5, or it is one of 8,000 numbers that it is not
  const list = Buffer.concat([
    bytes('92 7e dc 1f 40'),
    ...Array.from({ length: 8_000 }, (_, i) => bytes(`cd ${(1000 + i).toString(16).padStart(4, '0')}`)),
  ]);
  const long = Buffer.concat([bytes('93 11'), ABOVE_5, bytes('93 09 93 51 02 a1 69'), list]);
  const rows = Array.from({ length: count }, (_, i): Row => {
    const message = put(write('i', i % 10));
    return { ...message, set: 's', index: i, digest: digestOf(i) };
  });
  await client.batch(rows);
  const gets = rows.map(({ index, digest }): Row => ({ ...GET, set: 's', index, digest: digest! }));
  client.send(
    messageFrame({
      info1: 0x08,
      namespace: null,
      fields: [
        [41, batchField(gets)],
        [43, long],
      ],
    }),
  );
  const answer = await client.batchAnswer();
  t.is(answer.code, 0);
  t.is(answer.rows.size, count);
  for (let i = 0; i < count; i++) t.is(answer.rows.get(i)!.code, i % 10 > 5 ? 0 : 27, `row ${i}`);
});

test('records on a device are filtered by metadata alone where that decides, else by what is read', async t => {
  const storage = `storage-engine device {
  file DIRECTORY/test.dat
  filesize 64M
  post-write-cache 0
}`;
  const server = await TestServer.start(t, { namespaces: [{ name: 'test', storage }] });
  const writer = await server.connect();
  for (let i = 0; i < 50; i++) {
    await ask(writer, `${i}`, {
      ...put(write('i', i), write('b', Buffer.alloc(500, i))),
      set: i < 25 ? 's' : 'u',
    });
  }
  await server.stop();
  await server.run();
  const client = await server.connect();
  for (let i = 0; i < 50; i++) {
    const set = i < 25 ? 's' : 'u';
    const select: Message = { info1: 1, ops: [read('i')], set };
    t.is((await ask(client, `${i}`, filtered({ ...HEADER, set }, IN_SET_S))).code, i < 25 ? 0 : 27);
    t.is((await ask(client, `${i}`, filtered(select, ABOVE_5))).code, i > 5 ? 0 : 27);
    const store = { ...put(write('i', 100 + i)), set };
    t.is((await ask(client, `${i}`, filtered(store, ABOVE_5))).code, i > 5 ? 0 : 27);
    t.is(numberOf(await ask(client, `${i}`, select)), i > 5 ? 100 + i : i);
    t.is((await ask(client, `${i}`, filtered({ ...DELETE, set }, ABOVE_5))).code, i > 5 ? 0 : 27);
  }
  const left = await server.info('namespace/test');
  t.regex(left, /;objects=6;|^objects=6;/);
});

test('an expression sees what the ops before it in the same command have done', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const i = bytes('92 93 51 02 a1 69 00');
  const answer = await ask(client, 'k', {
    info1: 1,
    info2: 0x81,
    ops: [
      write('i', 10),
      op(8, 'j', 4, bytes(`92 ${PLUS_1} 00`)),
      op(5, 'i', 1, write('', 5).value),
      op(7, 'now', 4, i),
      op(14),
      op(7, 'gone', 4, bytes('92 92 52 a1 69 00')),
      op(8, 'i', 4, bytes('92 07 00')),
      read('i'),
    ],
  });
  t.is(answer.code, 0);
  t.deepEqual(
    answer.ops.map(o => [o.op, o.name, o.type, o.value.toString('hex')]),
    [
      [2, 'i', 0, ''],
      [8, 'j', 0, ''],
      [5, 'i', 0, ''],
      [7, 'now', 1, '000000000000000f'],
      [14, '', 0, ''],
      [7, 'gone', 1, '0000000000000000'],
      [8, 'i', 0, ''],
      [1, 'i', 1, '0000000000000007'],
    ],
  );
  t.deepEqual(
    (await ask(client, 'k', GET)).ops.map(o => o.name),
    ['i'],
  );
});

test('a failing expression leaves the record as it was, whatever ops came before it', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  await ask(client, 'k', put(write('i', 1), write('s', 'x')));
  const unknown = bytes('92 93 51 02 a1 73 00'); // s is no integer
  const answer = await ask(client, 'k', put(write('i', 2), op(8, 'j', 4, unknown)));
  t.is(answer.code, 26);
  t.is(answer.ops.length, 0);
  t.is(numberOf(await ask(client, 'k', GET)), 1);
  t.is((await ask(client, 'new', put(write('i', 2), op(8, 'j', 4, unknown)))).code, 26);
  t.is((await ask(client, 'new', GET)).code, 2);
});

test('the flags of expression writes', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  await ask(client, 'k', put(write('i', 1), write('s', 'x')));
  const code = async (message: Message): Promise<number> => (await ask(client, 'k', message)).code;
  t.is(await code(writeExp('i', PLUS_1, 0x01)), 6, 'create only, and it exists');
  t.is(await code(writeExp('i', PLUS_1, 0x09)), 0, 'the same without failing');
  t.is(await code(writeExp('j', PLUS_1, 0x02)), 17, 'update only, and it does not exist');
  t.is(await code(writeExp('j', PLUS_1, 0x0a)), 0, 'the same without failing');
  t.is(await code(writeExp('j', '93 51 02 a1 73', 0x00)), 26, 'unknown');
  t.is(await code(writeExp('j', '93 51 02 a1 73', 0x10)), 0, 'unknown, without failing');
  t.is(await code(writeExp('i', PLUS_1, 0x20)), 4, 'no such flag');
  t.is(await code(writeExp('i', NIL, 0x00)), 26, 'nothing to write');
  t.is(await code(writeExp('i', NIL, 0x08)), 0, 'nothing to write, without failing');
  t.is(await code(readExp('93 51 02 a1 73', 0x00)), 26);
  t.is(await code(readExp('93 51 02 a1 73', 0x10)), 0);
  t.is(await code(readExp('91 64', 0x00)), 26, 'what removes an entry of a path is no value');
  t.is(await code(readExp('91 64', 0x10)), 0);
  t.is(await code(writeExp('i', '91 64', 0x00)), 26);
  t.is(await code(writeExp('i', '91 64', 0x10)), 0);
  t.is(await code(readExp(PLUS_1, 0x01)), 4, 'a flag of writes');
  t.is(await code(writeExp('x'.repeat(16), PLUS_1, 0)), 21);
  t.is(await code(readExp(PLUS_1, 0, 'x'.repeat(16))), 21);
  t.is(numberOf(await ask(client, 'k', GET)), 1, 'all that came to nothing');
  t.is(await code(writeExp('i', PLUS_1, 0x02)), 0);
  t.is(await code(writeExp('s', NIL, 0x04)), 0, 'deletes the bin');
  const left = await ask(client, 'k', GET);
  t.deepEqual(
    left.ops.map(o => o.name),
    ['i'],
  );
  t.is(numberOf(left), 2);
  t.is(await code(writeExp('i', NIL, 0x04)), 0);
  t.is((await ask(client, 'k', GET)).code, 2, 'with its last bin the record goes');
});

test('metadata in expressions', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const CLOCK_MS = 100; // a thread reads the clock once for some commands
  const beganMs = Date.now();
  await ask(client, 'k', { ...put(write('i', 1)), ttl: 1000, fields: [[2, bytes('03 6b 65 79')]] });
  const endedMs = Date.now();
  const isWritten = (ms: number, resolutionMs: number): boolean =>
    ms > beganMs - CLOCK_MS - resolutionMs && ms < endedMs + CLOCK_MS;
  const value = async (expression: string): Promise<Buffer> =>
    (await ask(client, 'k', readExp(expression, 0))).ops[0]!.value;
  const number = async (expression: string): Promise<number> =>
    Number((await value(expression)).readBigInt64BE());
  t.is((await value('91 46')).toString(), 's', 'set name');
  t.is((await value('91 47'))[0], 1, 'key exists');
  t.is((await value('91 48'))[0], 0, 'tombstone');
  t.is((await value('92 50 03')).toString(), 'key', 'key');
  const ttl = await number('91 45');
  t.true(ttl <= 1000 && ttl >= 999 - (Date.now() - beganMs) / 1000 - 1, `${ttl}`);
  const sinceMs = await number('91 43');
  t.true(sinceMs >= 0 && sinceMs <= Date.now() - beganMs + CLOCK_MS, `since update ${sinceMs}`);
  t.true(isWritten((await number('91 42')) / 1e6, 1), 'last update');
  t.true(isWritten((await number('91 44')) / 1e6 - 1_000_000, 1000), 'void time');
  const size = await number('91 4a');
  t.true(size > 0 && size % 16 === 0, `record size ${size}`);
  t.is(await number('91 49'), size, 'memory size');
  t.is(await number('91 41'), 0, 'device size');
  const digest = digestOf('k');
  t.is(await number('92 40 07'), digest.readUInt32LE(16) % 7, 'digest modulo');
  t.is((await ask(client, 'other', { ...put(write('i', 1)), ttl: 0xffffffff })).code, 0);
  const never = await ask(client, 'other', readExp('91 45', 0));
  t.is(numberOf(never), -1, 'never expires');
});

test('an expression that is written in the place of a tombstone sees that there was one', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const isTombstone = writeExp('t', '91 48', 0);
  const written = async (): Promise<number> => {
    t.is((await ask(client, 'k', isTombstone)).code, 0);
    return (await ask(client, 'k', { info1: 1, ops: [read('t')] })).ops[0]!.value[0]!;
  };
  t.is(await written(), 0, 'a new record');
  t.is((await ask(client, 'k', { info2: 0x13 })).code, 0);
  t.is(await written(), 1);
  t.is(await written(), 0, 'it is a record again');
  t.is((await ask(client, 'k', DELETE)).code, 0);
  t.is(await written(), 0, 'there was no tombstone');
});

test('a map literal that was written is read as it was sent, and operated on with its keys in order', async t => {
  const server = await TestServer.start(t, {
    namespaces: [
      { name: 'test', storage: 'storage-engine memory {\n file DIRECTORY/test.dat\n filesize 64M\n}' },
    ],
  });
  const literal = '84 09 01 a2 03 61 05 03 02 07 09'; // {9: 1, "a": 5, 3: 2, 7: 9}
  let client = await server.connect();
  const values = (answer: Answer): string[] => answer.ops.map(o => o.value.toString('hex'));
  const cdt = (body: string): Message => ({ info1: 1, ops: [op(3, 'm', 4, bytes(body))] });
  const check = async (): Promise<void> => {
    t.deepEqual(values(await ask(client, 'k', { info1: 1, ops: [read('m')] })), [
      literal.replaceAll(' ', ''),
    ]);
    t.deepEqual(values(await ask(client, 'k', cdt('94 67 06 03 08'))), ['920307'], 'the keys from 3 to 8');
    t.deepEqual(values(await ask(client, 'k', cdt('93 62 07 00'))), ['0000000000000002'], 'the first value');
    const keys = readExp('95 7f 04 00 94 67 06 03 08 93 51 05 a1 6d', 0);
    t.deepEqual(values(await ask(client, 'k', keys)), ['920307'], 'in an expression');
  };
  const both = await ask(client, 'k', {
    info1: 1,
    info2: 1,
    ops: [op(8, 'm', 4, bytes(`92 ${literal} 00`)), op(3, 'm', 4, bytes('93 62 07 00'))],
  });
  t.deepEqual(values(both), ['0000000000000002'], 'in the same command');
  await check();
  t.is((await ask(client, 'k', put(write('i', 1)))).code, 0);
  await check();
  await server.stop();
  await server.run();
  client = await server.connect();
  await check();
  t.is((await ask(client, 'k', put(op(4, 'm', 4, bytes('94 43 05 00 00'))))).code, 0, 'put 5: 0');
  const changed = await ask(client, 'k', { info1: 1, ops: [read('m')] });
  t.deepEqual(values(changed), ['8503020500070909 01a2036105'.replaceAll(' ', '')]);
});

test('a map that was written as an operation had picked it is operated on with its keys in order', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const values = (answer: Answer): string[] => answer.ops.map(o => o.value.toString('hex'));
  const picked = '95 7f 05 00 93 6a 10 00 93 51 05 a1 6d'; // of m, by rank
  const m = op(2, 'm', 19, bytes('84 c7 00 01 c0 01 1e 02 0a 03 14')); // {1: 30, 2: 10, 3: 20}
  t.is((await ask(client, 'k', put(m, op(8, 'p', 4, bytes(`92 ${picked} 00`))))).code, 0);
  t.deepEqual(values(await ask(client, 'k', { info1: 1, ops: [read('p')] })), ['83020a0314011e']);
  const ofKey1 = { info1: 1, ops: [op(3, 'p', 4, bytes('93 61 07 01'))] };
  t.deepEqual(values(await ask(client, 'k', ofKey1)), ['000000000000001e']);
});

test('thousands of expressions over one large bin end with code 13, also where the bin is new', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const size = 1_000_000; // bytes
  const bits = (size * 8).toString(16).padStart(8, '0');
  const count = op(7, 'n', 4, bytes(`92 95 7f 02 01 93 33 00 ce ${bits} 93 51 06 a1 62 00`));
  const store = write('b', Buffer.alloc(size, 0xff));
  const few = await ask(client, 'k', { info1: 1, info2: 1, ops: [store, ...Array(10).fill(count)] });
  t.is(few.code, 0);
  t.is(numberOf(few), size * 8);
  const startSec = server.processorSec();
  const many = Array(20_000).fill(count);
  t.is((await ask(client, 'k', { info1: 1, ops: many })).code, 13);
  t.is((await ask(client, 'new', { info1: 1, info2: 1, ops: [store, ...many] })).code, 13);
  t.true(server.processorSec() - startSec < 10);
  t.is((await ask(client, 'new', GET)).code, 2);
});
