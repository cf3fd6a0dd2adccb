/** commit-to-device: commands are answered when they are durable, together with those that came meanwhile. */
import test from 'ava';
import { ringRefusal } from '../../src/storage/io/uring-io.js';
import { TestServer } from '../support/server.js';
import { DELETE, digestOf, GET, int64, op, put, type Row, read, write } from '../support/wire-client.js';

const STORAGE = `storage-engine device {
  file DIRECTORY/test.dat
  filesize 256M
  commit-to-device true
}`;
const INCREMENT = 5;
const CLIENTS = 24;
const ROUNDS = 40;

for (const io of ringRefusal() === '' ? ['node', ''] : ['node']) {
  test(`${io || 'io_uring'}: writes, deletes and rows are answered when durable, in groups`, async t => {
    t.timeout(120_000);
    const server = await TestServer.start(t, {
      namespaces: [{ name: 'test', storage: STORAGE, lines: ['transaction-pending-limit 0'] }],
      environment: { CALTROP_IO: io },
    });
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => server.connect()));
    await Promise.all(
      clients.map(async (client, number) => {
        for (let round = 0; round < ROUNDS; round++) {
          const digest = digestOf(`own ${number} ${round}`);
          const stored = await client.command({ ...put(write('v', round), read('v')), info1: 1, digest });
          t.is(stored.code, 0);
          t.deepEqual(stored.ops.at(-1)?.value, int64(round)); // the answer was kept with its bins
          t.is(stored.generation, 1);
          const shared = { ...put(op(INCREMENT, 'n', 1, int64(1))), digest: digestOf('shared') };
          t.is((await client.command(shared)).code, 0);
          if (round % 2 === 0) t.is((await client.command({ ...DELETE, digest })).code, 0);
          t.is((await client.command({ ...GET, digest })).code, round % 2 === 0 ? 2 : 0);
        }
      }),
    );
    const rows: Row[] = Array.from({ length: 2000 }, (_, index) => ({
      ...put(write('v', index)),
      index,
      digest: digestOf(`row ${index}`),
    }));
    const batch = await clients[0]!.batch(rows);
    t.is(batch.code, 0);
    t.deepEqual([...new Set([...batch.rows.values()].map(row => row.code))], [0]);

    const figures = await server.info('namespace/test');
    const writes = /storage-engine\.file\[0\]\.partial_writes=(\d+)/.exec(figures)!;
    const commands = CLIENTS * ROUNDS * 2.5 + rows.length;
    t.true(Number(writes[1]) < commands, `${writes[1]} writes for ${commands} commands`);
    for (const client of clients) client.close();

    await server.stop('SIGKILL');
    await server.run();
    const again = await server.connect();
    const total = await again.command({ ...GET, digest: digestOf('shared') });
    t.deepEqual(total.ops[0]!.value, int64(CLIENTS * ROUNDS));
    for (let number = 0; number < CLIENTS; number++) {
      for (let round = 0; round < ROUNDS; round += 7) {
        const { code } = await again.command({ ...GET, digest: digestOf(`own ${number} ${round}`) });
        t.is(code, round % 2 === 0 ? 2 : 0);
      }
    }
    for (const row of rows) t.is((await again.command({ ...GET, digest: row.digest! })).code, 0);
    again.close();
  });
}
