/** Background jobs: writes without a digest, carried out on all records of a set or a namespace. Source: protocol 04. */
import test from 'ava';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import {
  answersOf,
  digestOf,
  type Field,
  GET,
  int64,
  type Message,
  messageFrame,
  op,
  put,
  type Row,
  read,
  touch,
  type WireClient,
  write,
} from '../support/wire-client.js';

const INCREMENT = 5;
const addTo = (name: string, n = 1): Message => put(op(INCREMENT, name, 1, int64(n)));
const idField = (id: number): Field => [7, int64(id)];
const rateField = (rate: number): Field => [10, int64(rate).subarray(4)];
/** A filter: bin `n`, an integer, is greater than 5. */
const GREATER_THAN_5: Field = [43, Buffer.from('9303935102a16e05', 'hex')];

const STORAGES: Readonly<Record<string, string | undefined>> = {
  memory: undefined,
  'a file without caches':
    'storage-engine device {\n file DIRECTORY/test.dat\n filesize 128M\n post-write-cache 0\n}',
  'a file with commit-to-device':
    'storage-engine device {\n file DIRECTORY/test.dat\n filesize 128M\n commit-to-device true\n}',
};

async function store(client: WireClient, set: string, count: number, value: number | string): Promise<void> {
  for (let from = 0; from < count; from += 1000) {
    const size = Math.min(1000, count - from);
    const rows = Array.from(
      { length: size },
      (_, index): Row => ({
        ...put(write('n', typeof value === 'string' ? value : value + from + index)),
        index,
        set,
        digest: digestOf(`${set}${from + index}`),
      }),
    );
    const stored = await client.batch(rows);
    for (const { code } of stored.rows.values()) if (code !== 0) throw new Error(`not stored: ${code}`);
  }
}

/** Bin `n` of each record of a set, and the generations that there are. */
async function valuesOf(client: WireClient, set: string, count: number, name = 'n') {
  const values: (bigint | undefined)[] = [];
  const generations = new Set<number>();
  for (let from = 0; from < count; from += 1000) {
    const size = Math.min(1000, count - from);
    const rows = Array.from(
      { length: size },
      (_, index): Row => ({ ...GET, index, set, digest: digestOf(`${set}${from + index}`) }),
    );
    const answer = await client.batch(rows);
    for (let index = 0; index < size; index++) {
      const { generation, ops } = answer.rows.get(index)!;
      generations.add(generation);
      values.push(ops.find(each => each.name === name)?.value.readBigInt64BE());
    }
  }
  return { values, generations: [...generations] };
}

/** Sends a job. @returns Its answer, one message that says that it was accepted, or a code. */
async function ask(client: WireClient, message: Message) {
  const [answer, ...others] = answersOf(await client.ask(messageFrame(message)));
  return { code: answer!.code, isAccepted: answer!.info3 === 1 && answer!.code === 0, others: others.length };
}

const shown = async (server: TestServer, id: number): Promise<string> =>
  (await server.info(`query-show:id=${id}`)).trim();

async function settled(server: TestServer, id: number): Promise<string> {
  let row = '';
  await until('the job has ended', async () => {
    row = await shown(server, id);
    return !row.includes('status=active');
  });
  return row;
}

for (const [name, storage] of Object.entries(STORAGES)) {
  test(`${name}: every record of the set is changed once, whatever clients do meanwhile`, async t => {
    const server = await TestServer.start(t, {
      service: ['service-threads 2'],
      namespaces: [storage === undefined ? { name: 'test' } : { name: 'test', storage }],
    });
    const client = await server.connect();
    const count = 2500;
    await store(client, 'a', count, 1000);
    await store(client, 'b', 300, 7);
    // It takes some seconds, so that it is under way when it is looked at.
    const job = { ...addTo('n'), set: 'a', fields: [idField(77), rateField(1000)] };
    t.deepEqual(await ask(client, job), { code: 0, isAccepted: true, others: 0 });
    t.regex(await shown(server, 77), /^trid=77:ns=test:set=a:.*:status=active\(ok\):/);
    // Meanwhile another client changes some of them, and adds others.
    const other = await server.connect();
    let rounds = 0;
    let isSettled = false;
    const changes = (async () => {
      for (; !isSettled; rounds++) {
        for (let k = 0; k < 20; k++) {
          const digest = digestOf(`a${k}`);
          await other.command({ ...addTo('m'), set: 'a', digest });
        }
        await other.command({ ...put(write('n', 0)), set: 'a', digest: digestOf(`later ${rounds}`) });
      }
    })();
    const row = await settled(server, 77);
    isSettled = true;
    await changes;
    t.regex(row, /:status=done\(ok\):job-progress=100\.00:.*:job-type=background-ops/);
    t.regex(row, new RegExp(`:recs-succeeded=${count}:recs-failed=0:`));
    const changed = await valuesOf(client, 'a', count);
    t.deepEqual(
      changed.values,
      Array.from({ length: count }, (_, k) => BigInt(1001 + k)),
    );
    t.deepEqual((await valuesOf(client, 'b', 300)).generations, [1]);
    for (let k = 0; k < rounds; k += 7) {
      const later = await client.command({ ...GET, set: 'a', digest: digestOf(`later ${k}`) });
      t.deepEqual(later.ops[0]!.value, int64(0), 'what is made later is left alone');
    }
    t.is(await server.statistic('ops_sub_write_success', 'namespace/test'), count);
    t.is(await server.statistic('pi_query_ops_bg_complete', 'namespace/test'), 1);
  });
}

test('a job on all records, with a filter: what fails and what is filtered out is counted', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  await store(client, 'a', 10, 0);
  await store(client, 'b', 10, 'text');
  await client.command({ ...put(write('n', 6)), digest: digestOf('no set') });
  t.true((await ask(client, { ...addTo('n', 100), fields: [idField(1)] })).isAccepted);
  t.regex(await settled(server, 1), /:recs-filtered-bins=0:recs-succeeded=11:recs-failed=10:/);
  t.true((await ask(client, { ...addTo('n', 100), fields: [idField(2), GREATER_THAN_5] })).isAccepted);
  t.regex(await settled(server, 2), /:recs-filtered-bins=10:recs-succeeded=11:recs-failed=0:/);
  t.is((await valuesOf(client, 'a', 10)).values[3], 203n);
  // An op that nobody knows is told by each record.
  t.true(
    (await ask(client, { ...put(op(85, 'n', 4, Buffer.from('91', 'hex'))), fields: [idField(3)] }))
      .isAccepted,
  );
  t.regex(await settled(server, 3), /:recs-succeeded=0:recs-failed=21:/);
  // Deletes and ttls.
  t.true((await ask(client, { ...touch(1000), set: 'a', fields: [idField(4)] })).isAccepted);
  t.regex(await settled(server, 4), /:recs-succeeded=10:/);
  t.true((await client.command({ ...GET, set: 'a', digest: digestOf('a1') })).voidTime > 0);
  t.true((await ask(client, { ...put(op(14)), set: 'a', fields: [idField(5)] })).isAccepted);
  t.regex(await settled(server, 5), /:recs-succeeded=10:/);
  t.is((await client.command({ ...GET, set: 'a', digest: digestOf('a1') })).code, 2);
  t.is(await server.statistic('objects', 'namespace/test'), 11);
  const rows = (await server.info('query-show')).split(';');
  t.deepEqual(
    rows.map(row => /trid=(\d+)/.exec(row)![1]),
    ['1', '2', '3', '4', '5'],
  );
  await server.printed(/background operation 2 on test: accepted, ops: 1, with a filter/);
  await server.printed(
    /background operation 2 on test: done in \d+ ms: 11 records changed, 0 failed, 10 filtered out/,
  );
  await server.printed(/background operation 4 on test, set a: accepted, ops: 1/);
});

test('what is no job is refused', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  await store(client, 'a', 10, 0);
  const job = { ...addTo('n'), set: 'a' };
  const codeOf = async (message: Message): Promise<number> => (await ask(client, message)).code;
  t.is(await codeOf({ ...job, set: 'nobody' }), 2); // as recorded, malformed/22
  t.is(await codeOf({ ...job, namespace: 'nope' }), 20);
  t.is(await codeOf({ ...job, ops: [] }), 4);
  t.is(await codeOf({ ...job, ops: [...job.ops!, read('n')] }), 4);
  t.is(await codeOf({ ...job, info1: 1 }), 4);
  t.is(await codeOf({ ...job, info1: 4 }), 4);
  t.is(await codeOf({ ...job, fields: [rateField(10_001)] }), 4);
  t.is(await codeOf({ ...job, fields: [[10, Buffer.alloc(3)]] }), 4);
  t.is(await codeOf({ ...job, fields: [[7, Buffer.alloc(3)]] }), 4);
  t.is(await codeOf({ ...job, fields: [[43, Buffer.from('9303', 'hex')]] }), 4);
  t.is(await codeOf({ ...job, fields: [[22, Buffer.alloc(30)]] }), 16);
  t.is(await codeOf({ ...job, fields: [[30, Buffer.from('module')]] }), 16);
  t.is(await codeOf(GET), 16, 'a scan');
  t.is(
    await codeOf({ ...job, ops: [write('b', Buffer.alloc(17 * 1024 * 1024))] }),
    22,
    'every worker would keep that',
  );
  t.is((await server.info('query-show')).trim(), '');
  t.is((await valuesOf(client, 'a', 10)).generations[0], 1);
});

test('a job can be slow, is known by its id, and can be ended', async t => {
  const server = await TestServer.start(t, {
    service: ['query-max-done 2', 'query-threads-limit 3'],
    namespaces: [{ name: 'test', lines: ['background-query-max-rps 200'] }],
  });
  const client = await server.connect();
  await store(client, 'a', 200, 0);
  const slow = { ...addTo('n'), set: 'a', fields: [idField(9), rateField(20)] };
  const slowMs = performance.now();
  t.true((await ask(client, slow)).isAccepted);
  t.is((await ask(client, slow)).code, 4, 'there is one of this id');
  t.is((await server.info('query-abort:id=10')).trim(), 'ERROR:2:id not active');
  await until('some are changed', async () => !(await shown(server, 9)).includes(':recs-succeeded=0:'));
  t.is((await server.info('query-abort:id=9')).trim(), 'ok');
  const row = await settled(server, 9);
  t.regex(row, /:rps=20:.*:status=done\(user-aborted\):/);
  const changedCount = Number(/recs-succeeded=(\d+)/.exec(row)![1]);
  const slowSec = (performance.now() - slowMs) / 1000;
  t.true(changedCount > 0 && changedCount < 20 * slowSec + 20, row);
  const { values } = await valuesOf(client, 'a', 200);
  t.is(values.filter((value, k) => value !== BigInt(k)).length, changedCount);
  t.is(
    (await ask(client, { ...slow, fields: [rateField(201)] })).code,
    4,
    'more than background-query-max-rps',
  );
  for (const id of [11, 12]) {
    const startMs = performance.now();
    t.true((await ask(client, { ...addTo('n'), set: 'a', fields: [idField(id)] })).isAccepted);
    t.regex(await settled(server, id), /recs-succeeded=200:/);
    t.true(performance.now() - startMs > 900, 'no job is faster than that');
  }
  t.is(await shown(server, 9), 'ERROR:2:job not found', 'no more than query-max-done are kept');
  t.true((await ask(client, slow)).isAccepted);
  t.is((await server.info('query-abort-all')).trim(), 'number-of-queries-killed:1');
  await settled(server, 9);
  for (const id of [13, 14, 15])
    t.true((await ask(client, { ...slow, fields: [idField(id), rateField(1)] })).isAccepted);
  t.is(
    (await ask(client, { ...slow, fields: [idField(16), rateField(1)] })).code,
    22,
    'no more than three at once',
  );
  t.is(await server.stop(), 0, 'a server with jobs under way can be stopped');
});
