/** The number line of time that all threads share. */
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { monotonicMs, offsetOf } from '../../src/base/clock.js';

function spin(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

test('a thread that lost its processor while it read its clocks is not wrong about the time', t => {
  const offsetMs = offsetOf(() => performance.now());
  for (const isBefore of [true, false]) {
    let calls = 0;
    const disturbedMs = offsetOf(() => {
      const isDisturbed = calls++ < 20;
      if (isDisturbed && isBefore) spin(1);
      const nowMs = performance.now();
      if (isDisturbed && !isBefore) spin(1);
      return nowMs;
    });
    t.true(calls > 20);
    t.true(Math.abs(disturbedMs - offsetMs) < 0.1, `${disturbedMs - offsetMs} ms`);
  }
});

test('threads that start beside others agree on the time', async t => {
  const clock = new URL('../../src/base/clock.js', import.meta.url).href;
  const source = `
    import { parentPort } from 'node:worker_threads';
    import { monotonicMs } from '${clock}';
    parentPort.on('message', () => parentPort.postMessage(monotonicMs()));`;
  const workers = Array.from(
    { length: 8 },
    () => new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`)),
  );
  await Promise.all(
    workers.map(async worker => {
      for (let i = 0; i < 20; i++) {
        const before = monotonicMs();
        worker.postMessage(0);
        const theirs = await new Promise<number>(resolve => worker.once('message', resolve));
        const after = monotonicMs();
        t.true(theirs > before - 0.1 && theirs < after + 0.1, `${before}, ${theirs}, ${after}`);
      }
      await worker.terminate();
    }),
  );
});
