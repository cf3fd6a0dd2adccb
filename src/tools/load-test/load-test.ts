/**
 * Runs a load test: threads that make the load, one moment at which they start, a line a second, the sum of
 * what they counted.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { monotonicMs } from '../../base/clock.js';
import type { LoadOptions } from './options.js';
import { type LoadReport, liveLine, makeReport } from './report.js';
import { Tally, Totals } from './tally.js';
import type { WorkerMessage, WorkerStart } from './worker.js';

const LIVE_MS = 1000;

/**
 * @param print Receives the line of each second, unless the options say quiet.
 * @param signal Ends the run early; what was measured until then is reported.
 * @returns the report; its `failures` say whether threads gave up. Throws when the connections cannot be opened.
 */
export async function runLoadTest(
  options: LoadOptions,
  print: (line: string) => void,
  signal?: AbortSignal,
): Promise<LoadReport> {
  const parts = options.threadCount;
  const tallies = Array.from({ length: parts }, () => new Tally());
  const workers = tallies.map((tally, part) => {
    const workerData: WorkerStart = { plan: options.plan, part, parts, tally: tally.shared };
    return new Worker(new URL('./worker.js', import.meta.url), { workerData });
  });
  const stop = () => {
    for (const worker of workers) worker.postMessage('stop');
  };
  try {
    const ready = await Promise.all(workers.map(nextMessage));
    const refused = ready.find(message => message.kind === 'failed');
    if (refused?.kind === 'failed') throw new Error(refused.reason);

    const startMs = monotonicMs();
    const measureFromMs = startMs + options.plan.warmupMs;
    let before = new Totals(tallies);
    let beforeMs = measureFromMs;
    const live = setInterval(() => {
      const nowMs = monotonicMs();
      if (nowMs < measureFromMs + LIVE_MS / 2) return;
      const now = new Totals(tallies);
      print(liveLine(Math.round((nowMs - measureFromMs) / 1000), before, now, (nowMs - beforeMs) / 1000));
      before = now;
      beforeMs = nowMs;
    }, LIVE_MS);
    if (options.isQuiet) clearInterval(live);
    const ends = workers.map(nextMessage);
    for (const worker of workers) worker.postMessage(startMs);
    signal?.addEventListener('abort', stop);
    if (signal?.aborted) stop();
    const messages = await Promise.all(ends);
    clearInterval(live);
    const failures = messages.flatMap(message => (message.kind === 'failed' ? [message.reason] : []));
    const seconds = Math.max(monotonicMs() - measureFromMs, 1) / 1000;
    return makeReport(new Totals(tallies), seconds, options.percentiles, failures);
  } finally {
    signal?.removeEventListener('abort', stop);
    await Promise.all(workers.map(worker => worker.terminate()));
  }
}

/** The worker's next message; rejects when the thread dies of an error. */
async function nextMessage(worker: Worker): Promise<WorkerMessage> {
  const [message] = (await once(worker, 'message')) as [WorkerMessage];
  return message;
}
