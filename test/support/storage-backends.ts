/** Every IoBackend that runs here, each behind the same starter, so that a test can run on all of them. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { Piscina } from 'piscina';
import { allocateAligned } from '../../src/base/arena.js';
import { createSleeper } from '../../src/base/sleeper.js';
import type { IoBackend } from '../../src/storage/io/io-backend.js';
import { NodeIo } from '../../src/storage/io/node-io.js';
import { createNodeIoMemory, stopNodeIo } from '../../src/storage/io/node-io-memory.js';
import { SyncIo } from '../../src/storage/io/sync-io.js';
import { ringRefusal, UringIo } from '../../src/storage/io/uring-io.js';

export interface BackendKind {
  name: string;
  /** Starts one; it ends with the test. */
  start(t: ExecutionContext, bufferSize: number): Promise<IoBackend>;
}

const HELPER = new URL('../../src/storage/io/node-io-thread.js', import.meta.url).href;

export function availableBackends(): BackendKind[] {
  return [
    { name: 'blocking node:fs', start: async (_, bufferSize) => new SyncIo(bufferSize) },
    { name: 'node:fs, one helper thread', start: (t, bufferSize) => startNodeIo(t, bufferSize, 1) },
    { name: 'node:fs, three helper threads', start: (t, bufferSize) => startNodeIo(t, bufferSize, 3) },
    ...(ringRefusal() === ''
      ? [
          {
            name: 'io_uring',
            start: async (_: ExecutionContext, size: number) => new UringIo(allocateAligned(size)),
          },
        ]
      : []),
  ];
}

async function startNodeIo(t: ExecutionContext, bufferSize: number, laneCount: number): Promise<IoBackend> {
  const memory = createNodeIoMemory(bufferSize, laneCount, createSleeper());
  const pool = new Piscina({ filename: HELPER, minThreads: laneCount, maxThreads: laneCount });
  const tasks = memory.lanes.map(lane => pool.run(lane));
  t.teardown(async () => {
    stopNodeIo(memory);
    await Promise.all(tasks);
    await pool.destroy();
  });
  const io = new NodeIo(memory);
  // A thread needs this event loop to start, and a test may block it: so wait until every helper has answered.
  const out = new Int32Array(laneCount * 2);
  io.write(0, -1, 0, 4096, 0);
  for (let lane = 1; lane < laneCount; lane++) io.read(lane, -1, 0, 4096, 0);
  io.submit();
  for (let answers = 0; answers < laneCount; answers += io.reap(out)) await sleep(1);
  return io;
}

/** A directory for this test's files; it goes with the test. */
export function temporaryDirectory(t: ExecutionContext): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'caltrop-test-'));
  t.teardown(() => fs.rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A file of `size` zero bytes. */
export function zeroFile(t: ExecutionContext, size: number): string {
  const file = path.join(temporaryDirectory(t), 'device.dat');
  fs.writeFileSync(file, '');
  fs.truncateSync(file, size);
  return file;
}
