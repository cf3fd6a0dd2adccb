/**
 * Clocks. Wall time places records in the world (LUT, void-time) and may step; monotonic time measures
 * durations and deadlines, and is the same number line on every thread of the process.
 */
/** 2010-01-01T00:00:00Z in Unix seconds: void-times and LUTs count from here. Source: protocol 01, section 5. */
export const EPOCH_2010_SEC = 1_262_304_000;
const EPOCH_2010_MS = EPOCH_2010_SEC * 1000;

const OFFSET_TRIES = 100;
const OFFSET_ERROR_MS = 0.002;

// performance.now() starts anew in every thread, process.hrtime() does not; one reading ties them together.
const monotonicOffsetMs = offsetOf(() => performance.now());

/**
 * How far a clock of milliseconds is behind process.hrtime(). The thread may lose its processor between two readings,
 * and would then count wrongly for as long as it lives: of some, the one that can be wrong by the least is taken.
 */
export function offsetOf(nowMs: () => number): number {
  let offsetMs = 0;
  let leastMs = Number.POSITIVE_INFINITY;
  for (let i = 0; i < OFFSET_TRIES && leastMs > OFFSET_ERROR_MS; i++) {
    const [sec, nano] = process.hrtime();
    const ownMs = nowMs();
    const [sinceSec, sinceNano] = process.hrtime([sec, nano]);
    const tookMs = sinceSec * 1000 + sinceNano / 1e6;
    if (tookMs >= leastMs) continue;
    leastMs = tookMs;
    offsetMs = sec * 1000 + nano / 1e6 + tookMs / 2 - ownMs;
  }
  return offsetMs;
}

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
