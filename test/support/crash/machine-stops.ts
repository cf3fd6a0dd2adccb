/**
 * Times in which a crash run and its server stood still while the clock went on: a virtual machine that is paused, or
 * processes that somebody stops to have the machine for himself. A thread that sleeps for a few milliseconds, and then
 * neither runs nor waits for a processor, wakes up late for no other reason. Nothing can be done in time in such a time.
 */
import fs from 'node:fs';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { monotonicMs } from '../../../src/base/clock.js';

const SLEEP_MS = 5;
/** Shorter ones are not told from a timer that was late. */
const STOP_MS_MIN = 30;
const STOPS_MAX = 4096;
const NS_PER_MS = 1e6;
const SCHEDSTAT_SIZE_MAX = 128; // bytes
const WORDS = 2; // of a stop: from when, to when

interface Shared {
  /** A pair of times each. */
  readonly stops: Float64Array;
  /** How many there are; written by the thread alone. Then a word that ends it. */
  readonly words: Int32Array;
}

export class MachineStops {
  readonly #shared: Shared = {
    stops: new Float64Array(new SharedArrayBuffer(STOPS_MAX * WORDS * 8)),
    words: new Int32Array(new SharedArrayBuffer(8)),
  };
  readonly #worker = new Worker(new URL(import.meta.url), { workerData: this.#shared, execArgv: [] });

  /** Milliseconds between two moments in which the machine stood still. */
  within(fromMs: number, toMs: number): number {
    const { stops, words } = this.#shared;
    let sum = 0;
    for (let i = 0; i < Atomics.load(words, 0); i++) {
      const [stopFromMs, stopToMs] = stops.subarray(i * WORDS, (i + 1) * WORDS);
      sum += Math.max(0, Math.min(toMs, stopToMs!) - Math.max(fromMs, stopFromMs!));
    }
    return sum;
  }

  async close(): Promise<void> {
    Atomics.store(this.#shared.words, 1, 1);
    await this.#worker.terminate();
  }
}

/** Looks for stops until it is told to end. */
function watch({ stops, words }: Shared): void {
  const schedstat = fs.openSync('/proc/thread-self/schedstat', 'r');
  const text = Buffer.alloc(SCHEDSTAT_SIZE_MAX);
  /** Time that this thread has run, or waited for a processor. */
  const awakeMs = (): number => {
    const size = fs.readSync(schedstat, text, 0, SCHEDSTAT_SIZE_MAX, 0);
    const [ranNs, waitedNs] = text.toString('latin1', 0, size).split(' ').map(Number);
    return (ranNs! + waitedNs!) / NS_PER_MS;
  };
  let lastMs = monotonicMs();
  let lastAwakeMs = awakeMs();
  while (Atomics.load(words, 1) === 0) {
    Atomics.wait(words, 1, 0, SLEEP_MS);
    const nowMs = monotonicMs();
    const awake = awakeMs();
    const asleepMs = nowMs - lastMs - (awake - lastAwakeMs);
    const count = Atomics.load(words, 0);
    if (asleepMs - SLEEP_MS >= STOP_MS_MIN && count < STOPS_MAX) {
      stops[count * WORDS] = nowMs - asleepMs;
      stops[count * WORDS + 1] = nowMs - SLEEP_MS;
      Atomics.store(words, 0, count + 1);
    }
    lastMs = nowMs;
    lastAwakeMs = awake;
  }
}

if (!isMainThread && (workerData as Shared | null)?.stops instanceof Float64Array)
  watch(workerData as Shared);
