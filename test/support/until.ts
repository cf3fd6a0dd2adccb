/** Waits for what has to happen sooner or later. The end is for what never does; a busy machine is to have its time. */
import { setTimeout as sleep } from 'node:timers/promises';

const END_MS = 60_000;
const POLL_MS = 20;

/** @throws Error that says `what` when it does not hold in a minute. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + END_MS;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`not in ${END_MS} ms: ${what}`);
    await sleep(POLL_MS);
  }
}
