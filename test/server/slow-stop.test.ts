/**
 * A stop on a disk that hangs: what was acknowledged is with the disk at once, of all shards, however long the first of
 * them takes to be closed. So a kill that ends the stop loses nothing.
 */
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { TestServer } from '../support/server.js';
import { digestOf, GET, put, write } from '../support/wire-client.js';

const GATED_FLUSH = new URL('../support/gated-flush.js', import.meta.url).href;
const KEYS = 200;
const HANG_MS = 1000;

test('a stop that hangs has handed over what was written to every shard', async t => {
  const environment: Record<string, string> = {
    CALTROP_IO: 'node',
    NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --import=${GATED_FLUSH}`,
  };
  let gate = '';
  const server = await TestServer.start(t, {
    service: ['service-threads 2'],
    environment,
    prepare: directory => {
      gate = path.join(directory, 'gate');
      environment.CALTROP_TEST_FLUSH_GATE = gate;
    },
    // Nothing is written by time here.
    namespaces: [
      {
        name: 'test',
        storage: 'storage-engine device {\nfile DIRECTORY/test.dat\nfilesize 2G\nflush-max-ms 0\n}',
      },
    ],
  });
  const client = await server.connect();
  for (let key = 0; key < KEYS; key++) {
    t.is((await client.command({ ...put(write('v', key)), digest: digestOf(key) })).code, 0);
  }
  client.close();
  writeFileSync(gate, '');
  server.signal('SIGTERM');
  await sleep(HANG_MS);
  t.true(server.isRunning, 'the stop did not hang');
  await server.stop('SIGKILL');
  rmSync(gate);
  await server.run();
  const again = await server.connect();
  const lost: number[] = [];
  for (let key = 0; key < KEYS; key++) {
    if ((await again.command({ ...GET, digest: digestOf(key) })).code !== 0) lost.push(key);
  }
  again.close();
  t.deepEqual(lost, []);
});
