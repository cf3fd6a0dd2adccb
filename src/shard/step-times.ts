/**
 * A worker's part in the benchmarks of commands: when a command is begun, waits behind another one, and is done. A
 * command whose benchmark is off costs one look at a number.
 */
import { monotonicMs } from '../base/clock.js';
import {
  BENCH_BATCH_SUB,
  BENCH_READ,
  BENCH_WRITE,
  type StepName,
  stepNumber,
} from '../observe/benchmarks.js';
import { TUNE_BENCHMARKS } from './namespace-memory.js';
import type { NamespaceView } from './shard.js';
import type { CommandSlot } from './slots.js';

/** The steps of one kind of command, by their numbers. */
interface Steps {
  readonly bit: number;
  readonly start: number;
  readonly restart: number;
  readonly read: number;
  readonly write: number;
}

function steps(bit: number, prefix: string, read: string, write: string): Steps {
  const number = (name: string): number => stepNumber(`${prefix}-${name}` as StepName);
  return {
    bit,
    start: number('start'),
    restart: number('restart'),
    read: number(read),
    write: number(write),
  };
}

const READ = steps(BENCH_READ, 'read', 'local', 'local');
const WRITE = steps(BENCH_WRITE, 'write', 'master', 'master');
const ROW = steps(BENCH_BATCH_SUB, 'batch-sub', 'read-local', 'write-master');
const PRESTART = stepNumber('batch-sub-prestart');
const BATCH_SUB_READ = stepNumber('batch-sub-read');
const BATCH_SUB_WRITE = stepNumber('batch-sub-write');

export class StepTimes {
  /** When the command in hand was begun, or 0 when nobody wants to know. */
  #beganMs = 0;

  /**
   * A command is about to run.
   * @param cameMs When it came: of a row, when its group came to the worker, or 0 when that was not noted.
   * @param slot   The slot that it has waited in, or null.
   */
  begin(
    namespace: NamespaceView,
    isRead: boolean,
    isRow: boolean,
    cameMs: number,
    slot: CommandSlot | null,
  ): void {
    const kind = isRow ? ROW : isRead ? READ : WRITE;
    this.#beganMs = 0;
    if ((namespace.tuning[TUNE_BENCHMARKS]! & kind.bit) === 0) return;
    const nowMs = monotonicMs();
    this.#beganMs = nowMs;
    if (slot === null) {
      if (cameMs > 0) namespace.times.record(kind.start, nowMs - cameMs);
    } else if (slot.waitedSinceMs > 0) {
      namespace.times.record(kind.restart, nowMs - slot.waitedSinceMs);
      slot.waitedSinceMs = 0;
    } else if (slot.beganMs > 0) {
      this.#beganMs = slot.beganMs;
    }
  }

  /** The command in hand lines up behind another one on its record. */
  wait(slot: CommandSlot): void {
    slot.waitedSinceMs = this.#beganMs;
  }

  /** The command in hand waits for a device; it will be begun again, and has been since now. */
  park(slot: CommandSlot): void {
    slot.beganMs = this.#beganMs;
  }

  /** The command in hand is done. @returns When, or 0 when nobody wants to know. */
  end(namespace: NamespaceView, isRead: boolean, isRow: boolean): number {
    if (this.#beganMs === 0) return 0;
    const kind = isRow ? ROW : isRead ? READ : WRITE;
    const nowMs = monotonicMs();
    namespace.times.record(isRead ? kind.read : kind.write, nowMs - this.#beganMs);
    this.#beganMs = 0;
    return nowMs;
  }

  /** A row has been with the server from `arrivalMs` to `nowMs`; its group came to the worker at `takenMs`. */
  row(namespace: NamespaceView, isRead: boolean, arrivalMs: number, takenMs: number, nowMs: number): void {
    namespace.times.record(isRead ? BATCH_SUB_READ : BATCH_SUB_WRITE, nowMs - arrivalMs);
    if ((namespace.tuning[TUNE_BENCHMARKS]! & BENCH_BATCH_SUB) !== 0)
      namespace.times.record(PRESTART, takenMs - arrivalMs);
  }
}
