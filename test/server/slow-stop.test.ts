/**
 * A stop on a disk that hangs: what was acknowledged is with the disk at once, of all shards, however long the first of
 * them takes to be closed. So a kill that ends the stop loses nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { HangingDisk } from '../support/hanging-disk.js';
import { digestOf, GET, put, write } from '../support/wire-client.js';

const KEYS = 200;
const HANG_MS = 1000;

test('a stop that hangs has handed over what was written to every shard', async t => {
  const disk = await HangingDisk.start(t, 2, {
    name: 'test',
    // Nothing is written by time here.
    storage: 'storage-engine device {\nfile DIRECTORY/test.dat\nfilesize 2G\nflush-max-ms 0\n}',
  });
  const { server } = disk;
  const client = await server.connect();
  for (let key = 0; key < KEYS; key++) {
    t.is((await client.command({ ...put(write('v', key)), digest: digestOf(key) })).code, 0);
  }
  client.close();
  disk.hang();
  server.signal('SIGTERM');
  await sleep(HANG_MS);
  t.true(server.isRunning, 'the stop did not hang');
  await server.stop('SIGKILL');
  disk.goOn();
  await server.run();
  const again = await server.connect();
  const lost: number[] = [];
  for (let key = 0; key < KEYS; key++) {
    if ((await again.command({ ...GET, digest: digestOf(key) })).code !== 0) lost.push(key);
  }
  again.close();
  t.deepEqual(lost, []);
});
