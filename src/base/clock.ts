/**
 * Clocks. Wall time places records in the world (LUT, void-time) and may step; monotonic time measures
 * durations and deadlines, and is the same number line on every thread of the process.
 */
/** 2010-01-01T00:00:00Z in Unix seconds: void-times and LUTs count from here. Source: protocol 01, section 5. */
export const EPOCH_2010_SEC = 1_262_304_000;
const EPOCH_2010_MS = EPOCH_2010_SEC * 1000;

// performance.now() starts anew in every thread, process.hrtime() does not; one reading ties them together.
const [hrSec, hrNano] = process.hrtime();
const monotonicOffsetMs = hrSec * 1000 + hrNano / 1e6 - performance.now();

/** Milliseconds (fractions included) since an arbitrary instant shared by all threads of this process. */
export function monotonicMs(): number {
  return performance.now() + monotonicOffsetMs;
}

/** `CALTROP_CLOCK_SHIFT_MS` moves the wall clock of this process, so that a test can start one an hour earlier. */
const shiftMs = Number(process.env.CALTROP_CLOCK_SHIFT_MS ?? 0) || 0;

/** Wall milliseconds since 2010, the unit of a LUT. It may step; what is decided by it goes through a RecordClock. */
export function epochMs(): number {
  return Date.now() + shiftMs - EPOCH_2010_MS;
}

/** Wall seconds since 2010, the unit of a void-time. */
export function epochSec(): number {
  return Math.floor(epochMs() / 1000);
}
