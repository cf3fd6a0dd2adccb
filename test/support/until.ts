/**
 * Waits for what has to happen sooner or later. The end is for what never does; a busy machine is to have its time. One
 * look counts for no more than some seconds, so that a time in which everything stood still, as a virtual machine does
 * while it is moved, does not count.
 */
import { setTimeout as sleep } from 'node:timers/promises';

const END_MS = 60_000;
const POLL_MS = 20;
const LOOK_MS_MAX = 5000;

/** @throws Error that says `what` when it does not hold in a minute. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  let beganMs = performance.now();
  for (let waitedMs = 0; !(await holds()); ) {
    if (waitedMs >= END_MS) throw new Error(`not in ${END_MS} ms: ${what}`);
    await sleep(POLL_MS);
    const nowMs = performance.now();
    waitedMs += Math.min(nowMs - beganMs, LOOK_MS_MAX);
    beganMs = nowMs;
  }
}

/** Calls `late` after so many seconds of this process's own, unless what this returns is called before. */
export function afterSeconds(seconds: number, late: () => void): () => void {
  let passed = 0;
  const timer = setInterval(() => {
    if (++passed === seconds) late();
  }, 1000);
  return () => clearInterval(timer);
}
