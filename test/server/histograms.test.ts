/**
 * The histograms of a real server on a file, through every way of reading them: `latencies:`, the log, the metrics.
 * The log says exact numbers.
 */
import test, { type ExecutionContext } from 'ava';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import { digestOf, GET, put, write } from '../support/wire-client.js';

const BENCHMARKS = [
  'enable-benchmarks-read true',
  'enable-benchmarks-write true',
  'enable-benchmarks-batch-sub true',
];
const KEYS = 60;

function start(t: ExecutionContext, lines: readonly string[], isStorageOn: boolean): Promise<TestServer> {
  return TestServer.start(t, {
    service: ['ticker-interval 1', 'http-port 0'],
    namespaces: [
      {
        name: 'test',
        lines,
        storage: `storage-engine device {
          file DIRECTORY/test.dat
          filesize 64M
          flush-max-ms 50
          post-write-cache 0
          enable-benchmarks-storage ${isStorageOn}
        }`,
      },
    ],
  });
}

/** 60 puts, 60 gets, one batch of 60 reads and 20 writes. */
async function load(server: TestServer): Promise<void> {
  const client = await server.connect();
  for (let key = 0; key < KEYS; key++)
    await client.command({ ...put(write('b', Buffer.alloc(3000, key))), digest: digestOf(key) });
  for (let key = 0; key < KEYS; key++) await client.command({ ...GET, digest: digestOf(key) });
  const reads = Array.from({ length: KEYS }, (_, key) => ({ ...GET, digest: digestOf(key), index: key }));
  const writes = Array.from({ length: 20 }, (_, key) => ({
    ...put(write('b', 'short')),
    digest: digestOf(key),
    index: KEYS + key,
  }));
  await client.batch([...reads, ...writes]);
  client.close();
}

/** Totals by the histogram's name, from a tick that was begun after now. */
async function dumped(server: TestServer): Promise<Map<string, number>> {
  const from = server.output.length;
  const ticks = (): string[] => server.output.slice(from).split('NODE-ID').slice(1);
  await until('three ticks', () => ticks().length >= 3);
  // The second tick from here is whole and says all.
  const dumps = [
    ...ticks()[1]!.matchAll(
      /histogram dump: (\S+) \((\d+) total\) (?:msec|bytes)\n.*INFO \(info\): {2}\((\d\d): \d{10}\)/g,
    ),
  ];
  return new Map(dumps.map(([, name, total]) => [name!, Number(total)]));
}

test('every step of a command is counted once where its benchmark is on', async t => {
  const server = await start(t, BENCHMARKS, true);
  await load(server);
  const totals = await dumped(server);
  const expected = {
    '{test}-read': KEYS,
    '{test}-read-start': KEYS,
    '{test}-read-local': KEYS,
    '{test}-read-response': KEYS,
    '{test}-write': KEYS,
    '{test}-write-start': KEYS,
    '{test}-write-master': KEYS,
    '{test}-write-response': KEYS,
    '{test}-batch-sub-read': KEYS,
    '{test}-batch-sub-write': 20,
    '{test}-batch-sub-prestart': KEYS + 20,
    '{test}-batch-sub-start': KEYS + 20,
    '{test}-batch-sub-read-local': KEYS,
    '{test}-batch-sub-write-master': 20,
    '{test}-batch-sub-response': KEYS + 20,
    'batch-index': 1,
  };
  for (const [name, total] of Object.entries(expected)) t.is(totals.get(name), total, name);
  t.false(totals.has('{test}-read-dup-res'), 'one node asks no other');
});

test('what the device takes is counted where that is on', async t => {
  const server = await start(t, [], true);
  await load(server);
  await server.flushed();
  const totals = await dumped(server);
  const figures = async (name: string): Promise<number> => server.statistic(name, 'namespace/test');
  const reads = totals.get('{test}-device-read');
  t.is(totals.get('{test}-device-read-size'), reads);
  t.is(totals.get(`{test}-${server.directory}/test.dat-read`), reads);
  const writes = totals.get('{test}-device-write')!;
  const counted =
    (await figures('storage-engine.file[0].writes')) +
    (await figures('storage-engine.file[0].partial_writes'));
  t.true(writes >= counted && writes > 0, `${writes} writes, ${counted} of them of blocks`);
  t.true(totals.get('{test}-device-flush')! > 0);
  t.false(totals.has('{test}-read-local'));
  const listed = await server.info('latencies:');
  t.regex(listed, /\{test\}-device-read:(msec,|;)/);
  t.regex(listed, /\{test\}-device-write:msec,/);
});

test('benchmarks are listed as the reference lists them, and are off by default', async t => {
  const server = await start(t, [], false);
  await load(server);
  const names = async (group: string): Promise<string[]> =>
    (await server.info(`latencies:hist={test}-benchmarks-${group}`))
      .split(';')
      .map(row => row.replace(/:.*/, ''));
  t.deepEqual(
    await names('read'),
    ['start', 'restart', 'dup-res', 'repl-ping', 'local', 'response'].map(step => `{test}-read-${step}`),
  );
  t.deepEqual(
    await names('ops-sub'),
    ['start', 'restart', 'dup-res', 'master', 'repl-write', 'response'].map(step => `{test}-ops-sub-${step}`),
  );
  t.is((await names('batch-sub')).length, 10);
  t.regex(await server.info('latencies:hist={test}-benchmarks-read'), /^\{test\}-read-start:;/);
  t.is(await server.info('latencies:hist={test}-benchmarks-none'), 'ERROR:4:bad hist name');
  t.notRegex(await server.info('latencies:'), /device/);
  t.is(await server.info('set-config:context=namespace;id=test;enable-benchmarks-read=true'), 'ok');
  await load(server);
  t.regex(await server.info('latencies:hist={test}-benchmarks-read'), /^\{test\}-read-start:msec,/);
});
