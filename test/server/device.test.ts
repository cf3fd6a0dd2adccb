/** Commands that wait for a device: batches larger than the slots of a worker, and many readers of one record. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import test from 'ava';
import { ringRefusal } from '../../src/storage/io/uring-io.js';
import { TestServer } from '../support/server.js';
import { digestOf, GET, put, type Row, write } from '../support/wire-client.js';

const storage = (isDirect: boolean): string => `storage-engine device {
  file DIRECTORY/test.dat
  filesize 256M
  flush-max-ms 500
  direct-files ${isDirect}
  post-write-cache 0
}`;
const RECORDS = 3000;
const SIZE = 1000; // bytes

const valueOfKey = (key: number): Buffer => Buffer.alloc(SIZE, `${key};`);

/** What CALTROP_IO says; `` is no such variable. */
const BACKENDS = ringRefusal() === '' ? ['node', ''] : ['node'];
const CASES = BACKENDS.flatMap(io => [false, true].map(isDirect => [io, isDirect] as const));

for (const [io, isDirect] of CASES)
  test.serial(
    `${io || 'io_uring'}${isDirect ? ', direct' : ''}: rows and reads that wait for a device are all answered, and clients beside them too`,
    async t => {
      t.timeout(120_000);
      const server = await TestServer.start(t, {
        // Thousands of reads past the cache take what they take on a disk that others use too.
        service: ['transaction-max-ms 60000'],
        namespaces: [{ name: 'test', storage: storage(isDirect) }],
        environment: { CALTROP_IO: io },
      });
      t.regex(
        server.output,
        io === 'node' ? /storage io backend: node:fs \(.*CALTROP_IO/ : /storage io backend: io_uring/,
      );
      const writer = await server.connect();
      for (let key = 0; key < RECORDS; key++) {
        const digest = digestOf(key);
        t.is((await writer.command({ ...put(write('v', valueOfKey(key))), digest })).code, 0);
      }
      await server.stop();
      await server.run(); // nothing is in memory now

      const rows: Row[] = Array.from({ length: RECORDS }, (_, key) => ({
        ...GET,
        index: key,
        digest: digestOf(key),
      }));
      const [first, second, beside] = await Promise.all([
        server.connect(),
        server.connect(),
        server.connect(),
      ]);
      const both = Promise.all([first!.batch(rows), second!.batch(rows)]);
      const digest = digestOf('beside');
      t.is((await beside!.command({ ...put(write('v', 1)), digest })).code, 0);
      for (const answer of await both) {
        t.is(answer.code, 0);
        t.is(answer.rows.size, RECORDS);
        for (const row of answer.rows.values()) {
          t.is(row.code, 0);
          t.true(row.ops[0]!.value.equals(valueOfKey(row.index)));
        }
      }
      const figures = await server.info('namespace/test');
      t.regex(figures, /batch_sub_read_success=6000;/);

      const readers = await Promise.all(Array.from({ length: 40 }, () => server.connect()));
      const answers = await Promise.all(
        readers.map(reader => reader.command({ ...GET, digest: digestOf(7) })),
      );
      t.deepEqual([...new Set(answers.map(answer => answer.code))], [0]);
      for (const client of [...readers, first!, second!, beside!]) client.close();
    },
  );

/** Whether the server's descriptors of its data file bypass the system's cache, each of them. Source: open(2), proc(5). */
function directness(pid: number): boolean[] {
  const O_DIRECT = 0o40000;
  return readdirSync(`/proc/${pid}/fd`)
    .filter(fd => readlinkSync(`/proc/${pid}/fd/${fd}`).endsWith('/test.dat'))
    .map(
      fd =>
        (Number.parseInt(/flags:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))![1]!, 8) &
          O_DIRECT) !==
        0,
    );
}

test.serial(
  'read-page-cache keeps files in the system cache that direct-files would have past it',
  async t => {
    const start = (readPageCache: boolean): Promise<TestServer> =>
      TestServer.start(t, {
        namespaces: [
          {
            name: 'test',
            storage: storage(true).replace(
              'direct-files',
              `read-page-cache ${readPageCache}\n  direct-files`,
            ),
          },
        ],
      });
    const [past, through] = await Promise.all([start(false), start(true)]);
    if (past!.output.includes('takes no direct I/O')) return t.pass('this file system has none');
    t.true(directness(past!.pid).includes(true));
    t.true(directness(through!.pid).length > 0);
    t.false(directness(through!.pid).includes(true));
  },
);
