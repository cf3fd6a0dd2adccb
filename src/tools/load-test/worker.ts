/**
 * A thread of the load test. It opens its connections, says that it is ready, starts when it is told the
 * moment, and ends when its driver is done. Messages: to main {ready}, {failed}, {done}; from main a start
 * moment (a number) or 'stop'.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { SharedBytes } from '../../base/arena.js';
import { Driver, type LoadPlan } from './driver.js';
import { Tally } from './tally.js';

export interface WorkerStart {
  readonly plan: LoadPlan;
  readonly part: number;
  readonly parts: number;
  readonly tally: SharedBytes;
}

export type WorkerMessage = { kind: 'ready' } | { kind: 'failed'; reason: string } | { kind: 'done' };

async function work(start: WorkerStart, port: MessagePort): Promise<void> {
  const driver = new Driver(start.plan, start.part, start.parts, new Tally(start.tally));
  const say = (message: WorkerMessage) => port.postMessage(message);
  try {
    await driver.connect();
    const startMs = await new Promise<number | undefined>(resolve => {
      port.on('message', (message: number | 'stop') => {
        if (message !== 'stop') return resolve(message);
        driver.stop();
        resolve(undefined);
      });
      say({ kind: 'ready' });
    });
    if (startMs !== undefined) await driver.run(startMs);
    say({ kind: 'done' });
  } catch (error) {
    say({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) });
  } finally {
    port.close();
  }
}

await work(workerData as WorkerStart, parentPort!);
