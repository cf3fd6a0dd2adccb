/**
 * Restarts of a real server on a file: by checkpoint after a clean stop and after SIGKILL, cold when the checkpoints are
 * damaged or gone, and empty where that is asked for.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { TestServer } from '../support/server.js';
import { DELETE, digestOf, GET, put, type WireClient, write } from '../support/wire-client.js';

const OK = 0;
const NOT_FOUND = 2;
const RECORDS = 600;

function start(t: ExecutionContext, lines = '', environment = {}): Promise<TestServer> {
  const storage = `storage-engine device {
    file DIRECTORY/test.dat
    filesize 128M
    ${lines}
  }`;
  return TestServer.start(t, { namespaces: [{ name: 'test', storage }], environment });
}

function bytesOf(key: number): Buffer {
  return Buffer.alloc(20 + key, `${key};`);
}

async function fill(client: WireClient, from = 0): Promise<void> {
  for (let key = from; key < RECORDS; key++) {
    await client.command({ ...put(write('v', bytesOf(key))), digest: digestOf(key) });
  }
}

/** Those below `from` are gone, the others there. */
async function check(t: ExecutionContext, server: TestServer, from: number): Promise<void> {
  const client = await server.connect();
  for (let key = 0; key < RECORDS; key++) {
    const { code, ops } = await client.command({ ...GET, digest: digestOf(key) });
    t.is(code, key < from ? NOT_FOUND : OK, `key ${key}`);
    if (code === OK) t.deepEqual(ops[0]!.value, bytesOf(key));
  }
  client.close();
  t.is(await server.statistic('objects', 'namespace/test'), RECORDS - from);
}

/** What the log says of the recovery: shards by checkpoint, cold ones, records read from blocks. */
function recoveryOf({ output }: TestServer): number[] {
  const line = /recovered test: \d+ records, (\d+) shards by checkpoint, (\d+) cold, (\d+) records/.exec(
    output,
  )!;
  return line.slice(1).map(Number);
}

function checkpointsOf({ directory }: TestServer): string[] {
  return readdirSync(directory)
    .filter(name => name.includes('.index-'))
    .map(name => path.join(directory, name));
}

for (const CALTROP_IO of ['node', 'uring']) {
  test(`${CALTROP_IO}: after a clean stop nothing is read back, after SIGKILL what was written since`, async t => {
    const server = await start(t, '', { CALTROP_IO });
    const [, cold] = recoveryOf(server);
    let client = await server.connect();
    await fill(client);
    t.is(await server.stop(), 0);
    await server.run();
    t.deepEqual(recoveryOf(server), [cold!, 0, 0]);
    await check(t, server, 0);
    client = await server.connect();
    for (let key = 0; key < 50; key++) await client.command({ ...DELETE, digest: digestOf(key) });
    await server.flushed();
    await server.stop('SIGKILL');
    await server.run();
    t.deepEqual(recoveryOf(server), [cold!, 0, 50]);
    await check(t, server, 50);
    client.close();
  });
}

test('damaged checkpoints are told of, and their shards start cold; so do those without', async t => {
  const server = await start(t);
  const [, shards] = recoveryOf(server);
  await fill(await server.connect());
  await server.stop();
  for (const file of checkpointsOf(server)) {
    const bytes = readFileSync(file);
    if (bytes.length > 8192) bytes[4096 + 100]! ^= 1; // in the first piece
    writeFileSync(file, bytes);
  }
  await server.run();
  t.deepEqual(recoveryOf(server).slice(0, 2), [0, shards!]);
  t.regex(server.output, /index-\d+-\d: this checkpoint is not used: a piece of it is damaged/);
  await check(t, server, 0);
  await server.stop();
  for (const file of checkpointsOf(server)) rmSync(file);
  await server.run();
  t.deepEqual(recoveryOf(server).slice(0, 2), [0, shards!]);
  await check(t, server, 0);
  await server.stop();
  await server.run();
  t.deepEqual(recoveryOf(server), [shards!, 0, 0]);
});

test('cold-start-empty forgets all records, and for good', async t => {
  const server = await start(t);
  await fill(await server.connect());
  await server.stop();
  const namespaces = (lines: string): { name: string; storage: string }[] => [
    {
      name: 'test',
      storage: `storage-engine device {
        file DIRECTORY/test.dat
        filesize 128M
        ${lines}
      }`,
    },
  ];
  server.configure({ namespaces: namespaces('cold-start-empty true') });
  await server.run();
  await check(t, server, RECORDS);
  await server.stop('SIGKILL');
  server.configure({ namespaces: namespaces('') });
  await server.run();
  await check(t, server, RECORDS);
  await fill(await server.connect(), 100);
  await check(t, server, 100);
});
