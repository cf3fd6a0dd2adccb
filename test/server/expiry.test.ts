/** Expired records: removed in the background, in memory and on a file, and never back, whatever the wall clock does. */
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import { digestOf, GET, HEADER, put, write } from '../support/wire-client.js';

const FILE = `storage-engine device {
  file DIRECTORY/test.dat
  filesize 256M
  flush-max-ms 400
}`;
const MEMORY = 'storage-engine memory {\n data-size 64M\n}';
const HOUR_MS = 3_600_000;
const NAMESPACE = 'namespace/test';

for (const [name, storage] of [
  ['memory', MEMORY],
  ['a file', FILE],
] as const) {
  test(`${name}: what has expired is removed and counted, and nothing else`, async t => {
    const server = await TestServer.start(t, {
      service: ['service-threads 2'],
      namespaces: [{ name: 'test', lines: ['nsup-period 1'], storage }],
    });
    const client = await server.connect();
    const used = (): Promise<number> => server.statistic('data_used_bytes', NAMESPACE);
    let usedByOne = 0;
    for (let i = 0; i < 400; i++) {
      const ttl = i % 4 === 0 ? 0 : i % 4 === 1 ? 1000 : 1;
      const message = { ...put(write('v', Buffer.alloc(500))), digest: digestOf(i), set: 's', ttl };
      t.is((await client.command(message)).code, 0);
      if (i === 0) usedByOne = await used();
    }
    await until('removed', async () => (await server.statistic('objects', NAMESPACE)) <= 200);
    await until('counted', async () => (await server.statistic('expired_objects', NAMESPACE)) >= 200);
    t.is(await server.statistic('objects', NAMESPACE), 200);
    t.is(await server.statistic('expired_objects', NAMESPACE), 200);
    t.is(await used(), 200 * usedByOne);
    t.regex(await server.info('sets/test/s'), /objects=200:tombstones=0:/);
    await until('walked', async () => (await server.statistic('non_expirable_objects', NAMESPACE)) === 100);
    for (let i = 0; i < 400; i++) {
      t.is((await client.command({ ...HEADER, digest: digestOf(i) })).code, i % 4 < 2 ? 0 : 2, `${i}`);
    }
    t.is(
      await server.info('set-config:context=namespace;id=test;nsup-period=0;allow-ttl-without-nsup=true'),
      'ok',
    );
    await client.command({ ...put(write('v', 1)), digest: digestOf('late'), ttl: 1 });
    await sleep(2500);
    t.is((await client.command({ ...GET, digest: digestOf('late') })).code, 2);
    t.is(await server.statistic('objects', NAMESPACE), 201, 'without a period it stays, invisible');
    client.close();
  });
}

for (const nsup of ['nsup-period 1', 'nsup-period 100000']) {
  test(`${nsup}: an expired record stays away when the server is killed and the wall clock steps back an hour`, async t => {
    const environment: Record<string, string> = {};
    const server = await TestServer.start(t, {
      namespaces: [{ name: 'test', lines: [nsup], storage: FILE }],
      environment,
    });
    let client = await server.connect();
    const ttls: Record<string, number> = { short: 1, long: 5000, ever: 0xffffffff };
    for (const [key, ttl] of Object.entries(ttls)) {
      await client.command({ ...put(write('v', key)), digest: digestOf(key), ttl });
    }
    await until(
      'expired',
      async () => (await client.command({ ...GET, digest: digestOf('short') })).code === 2,
    );
    await server.flushed(); // that it has expired, too
    client.close();
    for (const shiftMs of [-HOUR_MS, -2 * HOUR_MS, 0]) {
      await server.stop('SIGKILL');
      environment.CALTROP_CLOCK_SHIFT_MS = String(shiftMs);
      await server.run();
      client = await server.connect();
      const found: number[] = [];
      for (const key of Object.keys(ttls)) {
        found.push((await client.command({ ...GET, digest: digestOf(key) })).code);
      }
      t.deepEqual(found, [2, 0, 0], `${shiftMs}`);
      const { voidTime } = await client.command({
        ...put(write('v', 1)),
        digest: digestOf('long'),
        ttl: 5000,
      });
      t.true(voidTime > 0);
      client.close();
    }
  });
}
