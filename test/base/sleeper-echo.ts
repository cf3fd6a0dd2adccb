/** The other thread of sleeper.test.ts: answers every number with itself, sleeping in between. */
import { workerData } from 'node:worker_threads';
import { Region, type SharedBytes } from '../../src/base/arena.js';
import { Sleeper, Waker } from '../../src/base/sleeper.js';

export interface EchoTask {
  readonly words: SharedBytes;
  readonly ownSleeper: SharedBytes;
  readonly otherSleeper: SharedBytes;
  readonly count: number;
}

export const ASKED = 0;
export const ANSWERED = 16;
/** How long a sleep may take: it is reached only when a wake-up is lost, so no busy machine may take as long. */
export const SLEEP_MS = 20_000;

if (workerData !== null) {
  const task = workerData as EchoTask;
  const { f64 } = new Region(task.words);
  const sleeper = new Sleeper(task.ownSleeper);
  const waker = new Waker(task.otherSleeper);
  for (let turn = 1; turn <= task.count; turn++) {
    while (f64[ASKED]! < turn) sleeper.sleep(() => f64[ASKED]! >= turn, SLEEP_MS);
    f64[ANSWERED] = turn;
    waker.wake();
  }
}
