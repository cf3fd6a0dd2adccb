import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { IoBackend } from '../../../src/storage/io/io-backend.js';
import { availableBackends, zeroFile } from '../../support/storage-backends.js';

const MIB = 1024 * 1024;
const PAGE = 4096;
/** For answers that never come, and wake-ups that are lost: longer than a test takes on any machine. */
const LOST_MS = 60_000;

/** Waits for `count` answers; gives them as token → result. */
async function answers(io: IoBackend, count: number): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  const out = new Int32Array(8);
  io.submit();
  for (const endMs = performance.now() + LOST_MS; found.size < count && performance.now() < endMs; ) {
    const pairs = io.reap(out);
    for (let i = 0; i < pairs; i++) found.set(out[i * 2]!, out[i * 2 + 1]!);
    if (pairs === 0) await sleep(1); // a helper thread may still be starting, which takes this event loop
  }
  return found;
}

for (const kind of availableBackends()) {
  test(`${kind.name}: what is written is read back`, async t => {
    const io = await kind.start(t, 16 * MIB);
    const path = zeroFile(t, MIB);
    const file = io.open(path);
    io.buffers.u8.fill(7, 0, PAGE);
    io.buffers.u8.fill(9, PAGE, 3 * PAGE);
    t.true(io.write(1, file, 0, PAGE, 0));
    t.true(io.write(2, file, 8 * PAGE, 2 * PAGE, PAGE));
    t.deepEqual([...(await answers(io, 2))].sort(), [
      [1, PAGE],
      [2, 2 * PAGE],
    ]);
    t.true(io.flush(3, file));
    t.deepEqual([...(await answers(io, 1))], [[3, 0]]);
    t.true(io.read(4, file, 8 * PAGE, 2 * PAGE, 64 * PAGE));
    t.deepEqual([...(await answers(io, 1))], [[4, 2 * PAGE]]);
    t.true(io.buffers.u8.subarray(64 * PAGE, 66 * PAGE).every(byte => byte === 9));
    t.true(
      fs
        .readFileSync(path)
        .subarray(0, PAGE)
        .every(byte => byte === 7),
    );
    io.close(file);
  });

  test(`${kind.name}: a read past the end is short, a bad file an error`, async t => {
    const io = await kind.start(t, 16 * MIB);
    const file = io.open(zeroFile(t, 3 * PAGE));
    t.true(io.read(1, file, 2 * PAGE, 4 * PAGE, 0));
    t.true(io.read(2, 9999, 0, PAGE, 0));
    const found = await answers(io, 2);
    t.is(found.get(1), PAGE);
    t.is(found.get(2), -9); // EBADF
    io.close(file);
    t.throws(() => io.open('/nowhere/at/all'));
  });

  test(`${kind.name}: a full queue says so and loses nothing`, async t => {
    const io = await kind.start(t, 16 * MIB);
    const file = io.open(zeroFile(t, MIB));
    let queued = 0;
    while (queued < 100_000 && io.read(queued, file, (queued % 256) * PAGE, PAGE, (queued % 4096) * PAGE)) {
      queued++;
    }
    t.true(queued >= 100 && queued < 100_000);
    const found = await answers(io, queued);
    t.is(found.size, queued);
    t.true([...found.values()].every(result => result === PAGE));
    t.true(io.read(1, file, 0, PAGE, 0));
    t.is((await answers(io, 1)).get(1), PAGE);
    io.close(file);
  });

  test(`${kind.name}: a thread that waits is woken by the answer`, async t => {
    const io = await kind.start(t, 16 * MIB);
    const file = io.open(zeroFile(t, MIB));
    t.true(io.read(1, file, 0, PAGE, 0));
    await answers(io, 1); // the helper is running from here on
    const started = performance.now();
    for (let i = 0; i < 20; i++) {
      t.true(io.read(1, file, 0, PAGE, 0));
      io.wait(LOST_MS);
      t.true(io.hasCompletion);
      t.is((await answers(io, 1)).get(1), PAGE);
    }
    t.true(performance.now() - started < LOST_MS);
    io.close(file);
  });
}
