/**
 * The time by which flush-max-ms is promised on a device that fails now and then: it stands still while the device makes
 * up for a failure. So a write is late only if nothing has failed that it could have waited for, however often the
 * device does fail; and where nothing has failed, the promise is the plain one.
 */

/** Milliseconds between two steps of a history. */
export const STEP_MS = 10;
/**
 * What waits for a write or flush that failed is durable so much later, or something has failed again: the device is
 * left alone for 200 ms, and then takes three steps for each of two writes and two flushes.
 */
export const FAILED_MS = 200 + 15 * STEP_MS;

export class SoundClock {
  ms = 0;
  #failedAtMs = Number.NEGATIVE_INFINITY;

  /** A write of records, or a flush, has failed at `nowMs`. */
  fails(nowMs: number): true {
    this.#failedAtMs = nowMs;
    return true;
  }

  /** A step has ended, and it is `nowMs`. */
  step(nowMs: number): void {
    if (nowMs - this.#failedAtMs >= FAILED_MS) this.ms += STEP_MS;
  }
}
