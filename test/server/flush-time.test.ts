/** flush-max-ms: what was acknowledged is on the device so soon, and `unflushed_ms` says what is not there yet. */
import { open } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { waitingTimes } from '../../scripts/support/processor-time.js';
import { ringRefusal } from '../../src/storage/io/uring-io.js';
import { TestServer } from '../support/server.js';
import { DELETE, digestOf, put, type WireClient, write } from '../support/wire-client.js';

const FLUSH_MAX_MS = 300;
const NAMESPACE = 'namespace/test';
/** Of so many tries this many have to be in time: in the others the machine may have had something else to do. */
const TRIES = 60;
const IN_TIME = 5;
/** What a thread may wait for a processor, and a device take for a write and a flush, on a machine that has nothing else to do. */
const WAIT_MS = 20;
const DEVICE_MS = 25;

const storage = (flushMaxMs: number): string => `storage-engine device {
  file DIRECTORY/test.dat
  filesize 64M
  flush-max-ms ${flushMaxMs}
}`;
const VALUE = Buffer.alloc(300, 7);

for (const io of ringRefusal() === '' ? ['', 'node'] : ['node']) {
  test.serial(`${io || 'io_uring'}: flush-max-ms after it was answered a write is on the device`, async t => {
    const server = await TestServer.start(t, {
      environment: { CALTROP_IO: io },
      namespaces: [{ name: 'test', storage: storage(FLUSH_MAX_MS) }],
    });
    const client = await server.connect();
    let isOver = false;
    let number = 0;
    const load = (async () => {
      for (; !isOver; number++) {
        await client.command({ ...put(write('v', VALUE)), digest: digestOf(number) });
        await sleep(2); // so that every flush finds something, and blocks do not fill
      }
    })();
    // A write becomes durable by two writes and two flushes at most (storage/write-block/write-queue.ts).
    const times: number[] = [];
    const disturbed: number[] = [];
    const inTime = (): number => times.filter((ms, i) => ms - disturbed[i]! <= FLUSH_MAX_MS).length;
    const probe = await open(path.join(server.directory, 'probe'), 'w');
    for (let i = 0; i < TRIES && inTime() < IN_TIME; i++) {
      const waited = waitingTimes(server.pid);
      let deviceMs = 0;
      const from = number;
      while (number === from) await sleep(1);
      const answeredMs = performance.now(); // write `from` was
      while ((await server.flushedThroughMs()) <= answeredMs) {
        const beganMs = performance.now();
        await probe.write(VALUE, 0, VALUE.length, 0);
        await probe.datasync();
        deviceMs = Math.max(deviceMs, performance.now() - beganMs);
      }
      times.push(performance.now() - answeredMs);
      const waits = [...waitingTimes(server.pid)].map(([task, ms]) => ms - (waited.get(task) ?? 0));
      disturbed.push(Math.max(0, Math.max(...waits) - WAIT_MS) + 2 * Math.max(0, deviceMs - DEVICE_MS));
    }
    await probe.close();
    isOver = true;
    await load;
    t.is(
      inTime(),
      IN_TIME,
      times.map((ms, i) => `${ms.toFixed()} ms (${disturbed[i]!.toFixed()})`).join(', '),
    );
    t.log(`${times.length} tries, ${disturbed.filter(ms => ms > 0).length} of them disturbed`);
    client.close();
  });
}

test('unflushed_ms grows until what was written or deleted is on the device, and is 0 then', async t => {
  const server = await TestServer.start(t, { namespaces: [{ name: 'test', storage: storage(0) }] });
  const client = await server.connect();
  const figure = (): Promise<number> => server.statistic('unflushed_ms', NAMESPACE);
  const flush = async (ms: number): Promise<void> => {
    t.is(await server.info(`set-config:context=namespace;id=test;flush-max-ms=${ms}`), 'ok');
  };
  const change = async (of: WireClient, isDelete: boolean): Promise<void> => {
    const message = isDelete ? DELETE : put(write('v', VALUE));
    t.is((await of.command({ ...message, digest: digestOf('k') })).code, 0);
  };
  t.is(await figure(), 0);
  for (const isDelete of [false, true]) {
    const sentMs = performance.now();
    await change(client, isDelete);
    t.true((await figure()) > 0, 'at once');
    await sleep(100);
    const least = performance.now();
    const ms = await figure();
    t.true(
      ms >= 90 && ms <= Math.ceil(performance.now() - sentMs) + 20,
      `${ms} ms, ${least - sentMs} at least`,
    );
    await flush(50);
    await server.flushed();
    await flush(0);
  }
});
