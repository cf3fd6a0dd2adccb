/**
 * Keeps a fault from flooding the log: warnings and worse are written as they come, but only some in a while; those
 * left out are counted and told, with the last of them. For threads without timers: whoever owns it calls `tick` now
 * and then.
 */
import { monotonicMs } from '../base/clock.js';
import type { LogContext } from './log.js';

type LimitedLevel = 'critical' | 'warning';

const LINES_A_PERIOD = 20;
const PERIOD_MS = 10_000;

interface Period {
  startMs: number;
  written: number;
  leftOut: number;
  last: string;
}

export class LimitedLog implements LogContext {
  readonly #context: LogContext;
  readonly #periods: Readonly<Record<LimitedLevel, Period>>;

  constructor(context: LogContext, nowMs = monotonicMs()) {
    this.#context = context;
    this.#periods = { critical: begun(nowMs), warning: begun(nowMs) };
  }

  critical(message: string): void {
    this.#write('critical', message, monotonicMs());
  }

  warning(message: string): void {
    this.#write('warning', message, monotonicMs());
  }

  info(message: string): void {
    this.#context.info(message);
  }

  debug(message: string): void {
    this.#context.debug(message);
  }

  detail(message: string): void {
    this.#context.detail(message);
  }

  isLevelEnabled(level: Parameters<LogContext['isLevelEnabled']>[0]): boolean {
    return this.#context.isLevelEnabled(level);
  }

  /** Tells what was left out once its time is over. */
  tick(nowMs: number): void {
    this.#turn('critical', nowMs);
    this.#turn('warning', nowMs);
  }

  #write(level: LimitedLevel, message: string, nowMs: number): void {
    this.#turn(level, nowMs);
    const period = this.#periods[level];
    if (period.written < LINES_A_PERIOD) {
      period.written++;
      this.#context[level](message);
    } else {
      period.leftOut++;
      period.last = message;
    }
  }

  #turn(level: LimitedLevel, nowMs: number): void {
    const period = this.#periods[level];
    if (nowMs - period.startMs < PERIOD_MS) return;
    const { leftOut, last } = period;
    Object.assign(period, begun(nowMs));
    if (leftOut > 0)
      this.#context[level](`${leftOut} more lines of this kind were left out, the last: ${last}`);
  }
}

function begun(startMs: number): Period {
  return { startMs, written: 0, leftOut: 0, last: '' };
}
