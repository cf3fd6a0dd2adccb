/** What io_uring does beyond the interface that all backends share; backends.test.ts has that. */
import fs from 'node:fs';
import { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { allocateAligned } from '../../../src/base/arena.js';
import { nativeModule } from '../../../src/base/native-module.js';
import { createSleeper, Sleeper } from '../../../src/base/sleeper.js';
import { ringRefusal, UringIo } from '../../../src/storage/io/uring-io.js';
import { zeroFile } from '../../support/storage-backends.js';

const MIB = 1024 * 1024;
const PAGE = 4096;
const EFAULT = 14;
const native = nativeModule();
const ringTest = ringRefusal() === '' ? test : test.skip;

function finish(io: UringIo, count: number): Map<number, number> {
  const found = new Map<number, number>();
  const out = new Int32Array(64);
  while (found.size < count) {
    io.wait(1000);
    const pairs = io.reap(out);
    for (let i = 0; i < pairs; i++) found.set(out[i * 2]!, out[i * 2 + 1]!);
  }
  return found;
}

function numberedFile(t: ExecutionContext, size: number): string {
  const path = zeroFile(t, size);
  const words = new Uint32Array(size / 4);
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i, 0x9e3779b1);
  fs.writeFileSync(path, words);
  return path;
}

for (const isDirect of [false, true]) {
  const how = isDirect ? 'direct' : 'cached';
  ringTest(`${how}: reads of all sizes, in and across registered pieces, give the file's bytes`, t => {
    const size = 24 * MIB;
    const path = numberedFile(t, size);
    const io = new UringIo(allocateAligned(48 * MIB));
    const file = io.open(path, isDirect);
    const lengths = [PAGE, 3 * PAGE, MIB, 2 * MIB, 16 * MIB];
    const places = [0, PAGE, 2 * MIB - PAGE, 7 * MIB + 5 * PAGE, 24 * MIB];
    const all = fs.readFileSync(path);
    for (const [i, length] of lengths.entries()) {
      for (const at of places) {
        t.true(io.read(i, file, 9 * PAGE, length, at));
        const expected = Math.min(length, size - 9 * PAGE);
        t.is(finish(io, 1).get(i), expected);
        t.is(all.compare(io.buffers.u8, at, at + expected, 9 * PAGE, 9 * PAGE + expected), 0);
      }
    }
    t.true(io.isRegistering);
    io.close(file);
  });

  ringTest(`${how}: what was written and flushed is in the file`, t => {
    const path = zeroFile(t, 8 * MIB);
    const io = new UringIo(allocateAligned(16 * MIB));
    const file = io.open(path, isDirect);
    for (let i = 0; i < 300; i++) {
      io.buffers.u8.fill(i & 0xff, i * 2 * PAGE, (i + 1) * 2 * PAGE);
      t.true(io.write(i, file, i * 2 * PAGE, 2 * PAGE, i * 2 * PAGE));
    }
    t.true([...finish(io, 300).values()].every(result => result === 2 * PAGE));
    t.true(io.flush(300, file));
    t.is(finish(io, 1).get(300), 0);
    const bytes = fs.readFileSync(path);
    for (let i = 0; i < 300; i++) {
      t.true(bytes.subarray(i * 2 * PAGE, (i + 1) * 2 * PAGE).every(byte => byte === (i & 0xff)));
    }
    io.close(file);
  });
}

ringTest('a buffer outside the memory is an error, and touches nothing', t => {
  const io = new UringIo(allocateAligned(16 * MIB));
  const file = io.open(numberedFile(t, MIB));
  for (const at of [16 * MIB, 16 * MIB - PAGE, 4096 * MIB - PAGE]) {
    t.true(io.read(1, file, 0, 2 * PAGE, at));
    t.is(finish(io, 1).get(1), -EFAULT);
  }
  t.true(io.buffers.u8.every(byte => byte === 0));
  io.close(file);
});

ringTest('a short file of odd size is read to its end', t => {
  const path = zeroFile(t, 0);
  fs.writeFileSync(path, Buffer.alloc(PAGE + 100, 3));
  const io = new UringIo(allocateAligned(16 * MIB));
  for (const isDirect of [false, true]) {
    const file = io.open(path, isDirect);
    t.true(io.read(1, file, 0, 4 * PAGE, 0));
    t.is(finish(io, 1).get(1), PAGE + 100);
    io.close(file);
  }
});

/** A sleep ends after this when its wake-up is lost: longer than a test takes with all of them on any machine. */
const LOST_MS = 60_000;

const WAKING = `
  const { workerData } = require('node:worker_threads');
  import(workerData.module).then(({ Waker }) => {
    const waker = new Waker(workerData.sleeper);
    const words = new Int32Array(workerData.sleeper);
    const count = new Int32Array(workerData.count);
    for (let wakes = 0; wakes < workerData.wakes; ) {
      if (Atomics.load(words, 0) === 0) continue;
      Atomics.add(count, 0, 1);
      waker.wake();
      wakes++;
    }
  });`;

ringTest('a thread that sleeps on its ring is woken by another thread', async t => {
  const sleeper = createSleeper();
  const count = new SharedArrayBuffer(4);
  const io = new UringIo(allocateAligned(16 * MIB));
  const sleeping = new Sleeper(sleeper, io);
  const module = new URL('../../../src/base/sleeper.js', import.meta.url).href;
  const wakes = 2000;
  const worker = new Worker(WAKING, { eval: true, workerData: { module, sleeper, count, wakes } });
  const ended = new Promise(resolve => worker.once('exit', resolve));
  await new Promise(resolve => worker.once('online', resolve));
  const words = new Int32Array(count);
  const startMs = performance.now();
  for (let seen = 0; seen < wakes; seen = Atomics.load(words, 0)) {
    const before = seen;
    sleeping.sleep(() => Atomics.load(words, 0) !== before, LOST_MS);
    if (performance.now() - startMs > LOST_MS) break;
    await new Promise(resolve => setImmediate(resolve)); // lets the worker start
  }
  t.is(Atomics.load(words, 0), wakes);
  t.true(performance.now() - startMs < LOST_MS);
  await ended;
});

ringTest('a thread that sleeps on its ring is woken by a result', t => {
  const io = new UringIo(allocateAligned(16 * MIB));
  const file = io.open(numberedFile(t, MIB), true);
  const sleeping = new Sleeper(createSleeper(), io);
  const startMs = performance.now();
  for (let i = 0; i < 50; i++) {
    t.true(io.read(i, file, 0, PAGE, 0));
    sleeping.sleep(() => io.hasCompletion, LOST_MS);
    t.is(finish(io, 1).get(i), PAGE);
  }
  t.true(performance.now() - startMs < LOST_MS);
  io.close(file);
});

ringTest('a wake-up that came too late ends one sleep and no more', t => {
  if (typeof native === 'string') return t.fail();
  const io = new UringIo(allocateAligned(16 * MIB));
  io.block(1); // arms the eventfd
  native.signal(io.wakeDescriptor);
  io.block(1000);
  const startMs = performance.now();
  io.block(60);
  t.true(performance.now() - startMs >= 55);
});

test('a refused ring says why', t => {
  t.is(ringRefusal(1, 'the addon was not built'), 'the addon was not built');
  if (typeof native === 'string') return;
  t.regex(ringRefusal(1, { ...native, probeRing: () => -1 }), /seccomp/);
  t.regex(ringRefusal(1, { ...native, probeRing: () => -38 }), /kernel/);
  t.regex(ringRefusal(1, { ...native, probeRing: () => -77 }), /error 77/);
});
