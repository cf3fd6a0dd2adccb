/** Two threads that wake each other: no wake-up is lost, in whichever way they sleep. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { Region } from '../../src/base/arena.js';
import { AsyncSleeper, createSleeper, Sleeper, Waker } from '../../src/base/sleeper.js';
import { ANSWERED, ASKED, type EchoTask, SLEEP_MS } from './sleeper-echo.js';

const COUNT = 20_000;

function startEcho(count: number) {
  const words = new Region(256);
  const task: EchoTask = {
    words: words.shared,
    ownSleeper: createSleeper(),
    otherSleeper: createSleeper(),
    count,
  };
  const worker = new Worker(new URL('./sleeper-echo.js', import.meta.url), { workerData: task });
  return { words, task, ended: once(worker, 'exit') };
}

test('two threads that block wake each other at every turn', async t => {
  const { words, task, ended } = startEcho(COUNT);
  const { f64 } = words;
  const sleeper = new Sleeper(task.otherSleeper);
  const waker = new Waker(task.ownSleeper);
  let longestMs = 0;
  for (let turn = 1; turn <= COUNT; turn++) {
    f64[ASKED] = turn;
    waker.wake();
    const startMs = performance.now();
    while (f64[ANSWERED]! < turn) sleeper.sleep(() => f64[ANSWERED]! >= turn, SLEEP_MS);
    if (turn > 1) longestMs = Math.max(longestMs, performance.now() - startMs); // the first turn starts the thread
  }
  await ended;
  t.true(longestMs < SLEEP_MS, `a turn took ${longestMs} ms`);
});

test('a thread that waits by its event loop is woken at every turn', async t => {
  const count = 2000;
  const { words, task, ended } = startEcho(count);
  const { f64 } = words;
  let news: () => void = () => {};
  const sleeper = new AsyncSleeper(task.otherSleeper, () => news());
  const waker = new Waker(task.ownSleeper);
  let timeouts = 0;
  for (let turn = 1; turn <= count; turn++) {
    f64[ASKED] = turn;
    sleeper.disarm();
    waker.wake();
    while (f64[ANSWERED]! < turn && sleeper.arm(() => f64[ANSWERED]! >= turn)) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>(resolve => {
        news = resolve;
        timer = setTimeout(() => {
          timeouts++;
          resolve();
        }, SLEEP_MS);
      });
      clearTimeout(timer);
    }
  }
  await ended;
  t.true(timeouts <= 1, `${timeouts} wake-ups were lost`); // the first turn waits for the thread to start
});
