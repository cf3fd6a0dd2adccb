import { Worker } from 'node:worker_threads';
import test from 'ava';
import { Budget } from '../../src/base/budget.js';

test('takes all or nothing', t => {
  const budget = new Budget(10);
  t.true(budget.take(7));
  t.false(budget.take(4));
  t.is(budget.left, 3);
  t.true(budget.take(3));
  t.is(budget.left, 0);
  budget.give(10);
  t.is(budget.left, budget.total);
});

test('threads that draw at once never draw more than there is, and lose nothing', async t => {
  const budget = new Budget(5);
  const code = `
    import { workerData, parentPort } from 'node:worker_threads';
    const { Budget } = await import(workerData.module);
    const budget = new Budget(workerData.shared);
    let refused = 0, least = 5;
    for (let i = 0; i < 300000; i++) {
      const count = 1 + (i & 3);
      if (!budget.take(count)) { refused++; continue; }
      least = Math.min(least, budget.left);
      budget.give(count);
    }
    parentPort.postMessage({ refused, least });`;
  const module = new URL('../../src/base/budget.js', import.meta.url).href;
  const results = await Promise.all(
    [1, 2].map(
      () =>
        new Promise<{ refused: number; least: number }>((resolve, reject) => {
          const url = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
          const worker = new Worker(url, { workerData: { module, shared: budget.shared } });
          worker.once('message', resolve);
          worker.once('error', reject);
        }),
    ),
  );
  t.true(results.every(r => r.least >= 0));
  t.is(budget.left, 5);
});
