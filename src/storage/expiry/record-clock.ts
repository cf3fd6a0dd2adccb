/**
 * The clock by which the records of one shard are written and expire. It follows the wall clock and never goes back,
 * not over restarts either: what has expired stays so. While the wall clock is behind it, as after a step back, it
 * runs at half the pace, so that records go on to expire and the two meet again.
 *
 * Every time a command reads it, it remembers; LUTs of a shard therefore never decrease. A start begins with the
 * latest LUT that it finds. So a record that was taken for expired stays expired once something with a LUT of its
 * void-time or later is stored, and the engine is asked for a clock mark when nothing is; only a shard that has no room
 * left at all, not even for deletes, refuses it until it has.
 *
 * All of it lies in the shard's figures, in shared memory, written by the shard's thread.
 */
import { ST_EXPIRED_THROUGH, ST_RECORD_CLOCK, ST_STORED_CLOCK, type StorageEngine } from '../engine.js';

/** Of the wall clock's, while that is behind. */
const CATCH_UP_PACE = 0.5;

export class RecordClock {
  readonly #figures: Float64Array;
  #tickedMs = Number.POSITIVE_INFINITY;

  /** @param figures ST_… slots of the shard. */
  constructor(figures: Float64Array) {
    this.#figures = figures;
  }

  /** Milliseconds since 2010, as last read. */
  get ms(): number {
    return this.#figures[ST_RECORD_CLOCK]!;
  }

  /** Reads the clock. @param wallMs Of the wall clock, since 2010. @returns No less than ever before. */
  read(wallMs: number): number {
    const lastMs = this.#figures[ST_RECORD_CLOCK]!;
    if (wallMs <= lastMs) return lastMs;
    this.#figures[ST_RECORD_CLOCK] = wallMs;
    return wallMs;
  }

  /** From now on it reads `ms` at least. */
  raise(ms: number): void {
    this.read(ms);
  }

  /** A record with this void-time, which the clock has reached, was treated as expired: that must stay so. */
  expired(voidTimeSec: number): void {
    const ms = voidTimeSec * 1000;
    if (ms > this.#figures[ST_EXPIRED_THROUGH]!) this.#figures[ST_EXPIRED_THROUGH] = ms;
  }

  /**
   * Time-driven work: runs on while the wall clock is behind, and has the engine store what expired.
   * @param nowMs Monotonic.
   */
  tick(nowMs: number, wallMs: number, engine: StorageEngine): void {
    const passedMs = nowMs - this.#tickedMs;
    this.#tickedMs = nowMs;
    const figures = this.#figures;
    const lastMs = figures[ST_RECORD_CLOCK]!;
    if (lastMs > wallMs && passedMs > 0)
      figures[ST_RECORD_CLOCK] = lastMs + Math.floor(passedMs * CATCH_UP_PACE);
    // Refused when there is no room: the next tick asks again.
    if (figures[ST_EXPIRED_THROUGH]! > figures[ST_STORED_CLOCK]!) engine.keepClock(this.ms);
  }
}
