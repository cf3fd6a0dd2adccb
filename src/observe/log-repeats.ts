/**
 * Lines that outsiders can cause as often as they like: the first of a kind is logged at once, its
 * repetitions are counted and told once an interval as `(repeated:N) message`, as the reference does.
 */
import type { LogContext } from './log.js';
import type { LogLevel } from './log-config.js';

const KIND_COUNT_MAX = 256; // kinds of message remembered in an interval; more are only counted together

export class LogRepeats {
  readonly #context: LogContext;
  readonly #level: LogLevel;
  readonly #timer: NodeJS.Timeout;
  /** Message → how often it came since it was last written. */
  #counts = new Map<string, number>();
  #overflowCount = 0;

  constructor(context: LogContext, level: LogLevel = 'warning', intervalMs = 10_000) {
    this.#context = context;
    this.#level = level;
    this.#timer = setInterval(() => this.flush(), intervalMs);
    this.#timer.unref();
  }

  /** @param message A kind of event; details that differ each time make each a kind of its own. */
  write(message: string): void {
    const count = this.#counts.get(message);
    if (count !== undefined) {
      this.#counts.set(message, count + 1);
    } else if (this.#counts.size < KIND_COUNT_MAX) {
      this.#counts.set(message, 0);
      this.#context[this.#level](message);
    } else {
      this.#overflowCount++;
    }
  }

  /** Tells what was counted and starts a new interval. */
  flush(): void {
    const counts = this.#counts;
    this.#counts = new Map();
    for (const [message, count] of counts) {
      if (count > 0) this.#context[this.#level](`(repeated:${count}) ${message}`);
    }
    if (this.#overflowCount > 0)
      this.#context[this.#level](`(repeated:${this.#overflowCount}) other messages`);
    this.#overflowCount = 0;
  }

  close(): void {
    clearInterval(this.#timer);
    this.flush();
  }
}
