/** The tomb raider of a namespace on a file: it reads the file for markers that keep nothing dead, and lets go of them. */
import test from 'ava';
import { OK } from '../../src/base/result.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import { DELETE, digestOf, GET, put, type WireClient, write } from '../support/wire-client.js';

const NOT_FOUND = 2;
const COLD = 4000;
const HOT = 20_000; // several blocks of each shard
const STORAGE = `storage-engine device {
  file DIRECTORY/test.dat
  filesize 64M
  flush-max-ms 50
  max-write-cache 64M
  tomb-raider-sleep 0
  defrag-lwm-pct 1
}`;

async function each(
  clients: readonly WireClient[],
  keys: number[],
  message: (key: number) => object,
): Promise<void> {
  await Promise.all(
    clients.map(async (client, c) => {
      for (let i = c; i < keys.length; i += clients.length) {
        const key = keys[i]!;
        const { code } = await client.command({ ...message(key), digest: digestOf(key) } as never);
        if (code !== OK) throw new Error(`key ${key}: ${code}`);
      }
    }),
  );
}

test('markers that wait for blocks that nobody touches go, and what they deleted stays deleted', async t => {
  t.timeout(120_000);
  const server = await TestServer.start(t, {
    namespaces: [{ name: 'test', lines: ['tomb-raider-period 0'], storage: STORAGE }],
  });
  const clients = await Promise.all(Array.from({ length: 16 }, () => server.connect()));
  const from = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i);
  const value = put(write('v', Buffer.alloc(1000, 'x')));
  await each(clients, from(0, COLD), () => value);
  await each(clients, from(10_000, HOT), () => value);
  await each(clients, from(10_000, HOT), () => DELETE);
  await each(clients, from(50_000, 3 * COLD), () => value);
  await server.flushed();
  const markers = await server.statistic('delete_markers', 'namespace/test');
  t.true(markers > HOT / 2, `${markers} wait`);
  t.is(await server.statistic('tomb_raider_cycles', 'namespace/test'), 0);
  t.is(await server.info('set-config:context=namespace;id=test;tomb-raider-period=1'), 'ok');
  await until('half of them are gone', async () => {
    return (await server.statistic('delete_markers', 'namespace/test')) <= HOT / 2;
  });
  t.true((await server.statistic('tomb_raider_cycles', 'namespace/test')) > 0);
  t.true((await server.statistic('tomb_raider_dropped_markers', 'namespace/test')) > 0);
  for (const client of clients) client.close();
  await server.flushed();
  await server.stop('SIGKILL');
  await server.run();
  const reader = await server.connect();
  for (let key = 0; key < COLD; key += 40) {
    t.is((await reader.command({ ...GET, digest: digestOf(key) })).code, OK);
  }
  for (let key = 10_000; key < 10_000 + HOT; key += 100) {
    t.is((await reader.command({ ...GET, digest: digestOf(key) })).code, NOT_FOUND);
  }
  reader.close();
});
