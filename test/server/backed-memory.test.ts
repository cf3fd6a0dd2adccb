/** Memory namespaces that are backed by files: read from memory, written to the file, there again after a restart. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { TestServer } from '../support/server.js';
import { DELETE, digestOf, GET, put, type WireClient, write } from '../support/wire-client.js';

const MIB = 1024 * 1024;
const FLUSH_MAX_MS = 100;

const storage = (more = '', filesize = '64M'): string => `storage-engine memory {
  file DIRECTORY/test.dat
  filesize ${filesize}
  flush-max-ms ${FLUSH_MAX_MS}
  ${more}
}`;

const valueOfKey = (key: number, version: number): string => `${key} in version ${version}; `.repeat(40);

async function writeAll(client: WireClient, count: number, version: number): Promise<number> {
  let refused = 0;
  for (let key = 0; key < count; key++) {
    const message = { ...put(write('v', valueOfKey(key, version))), digest: digestOf(key) };
    if ((await client.command(message)).code !== 0) refused++;
  }
  return refused;
}

for (const more of [
  '',
  'compression zstd',
  'encryption-key-file DIRECTORY/caltrop.conf\n direct-files true',
]) {
  test(`${more || 'plain'}: what was written is there after a stop and after a kill, what was deleted is not`, async t => {
    const COUNT = 500;
    const server = await TestServer.start(t, { namespaces: [{ name: 'test', storage: storage(more) }] });
    const client = await server.connect();
    t.is(await writeAll(client, COUNT, 1), 0);
    for (let key = 0; key < COUNT; key += 5) {
      t.is((await client.command({ ...DELETE, digest: digestOf(key) })).code, 0);
    }
    client.close();
    const check = async (version: number): Promise<void> => {
      const reader = await server.connect();
      for (let key = 0; key < COUNT; key++) {
        const answer = await reader.command({ ...GET, digest: digestOf(key) });
        t.is(answer.code, key % 5 === 0 ? 2 : 0);
        if (key % 5 !== 0) t.is(answer.ops[0]!.value.toString(), valueOfKey(key, version));
      }
      t.is(await server.statistic('objects', 'namespace/test'), COUNT * 0.8);
      reader.close();
    };
    await check(1);
    await server.stop();
    await server.run();
    await check(1);
    const writer = await server.connect();
    t.is(await writeAll(writer, COUNT, 2), 0);
    for (let key = 0; key < COUNT; key += 5) await writer.command({ ...DELETE, digest: digestOf(key) });
    writer.close();
    await server.flushed();
    await server.stop('SIGKILL');
    await server.run();
    await check(2);
  });
}

test('reads take nothing from the device, and rewriting does not fill the memory', async t => {
  const COUNT = 20_000;
  const server = await TestServer.start(t, {
    namespaces: [{ name: 'test', storage: storage('defrag-sleep 0') }],
    service: ['service-threads 2'],
  });
  const clients = await Promise.all(Array.from({ length: 8 }, () => server.connect()));
  const value = randomBytes(1000);
  const put1 = (key: number) => ({ ...put(write('v', value)), digest: digestOf(key) });
  // 20 MB of records, written eight times into a file of 64 MiB.
  for (let round = 0; round < 8; round++) {
    await Promise.all(
      clients.map(async (client, c) => {
        for (let key = c; key < COUNT; key += clients.length) {
          let { code } = await client.command(put1(key));
          for (let tries = 0; code === 18 && tries < 200; tries++) {
            await sleep(10);
            ({ code } = await client.command(put1(key)));
          }
          if (code !== 0) t.is(code, 0, `round ${round}`);
        }
      }),
    );
  }
  const resident = server.residentSize();
  t.true(resident < 64 * MIB + 400 * MIB, `${resident} bytes resident`);
  const figures = await server.info('namespace/test');
  t.regex(figures, /storage-engine=memory;storage-engine\.file\[0\]=/);
  t.regex(figures, /data_total_bytes=6\d{7};/);
  for (const client of clients) client.close();
  await server.stop();
  await server.run();
  const reader = await server.connect();
  for (let key = 0; key < COUNT; key += 7) {
    const answer = await reader.command({ ...GET, digest: digestOf(key) });
    t.true(answer.ops[0]!.value.equals(value));
  }
  reader.close();
});
