/**
 * The moments at which an open loop sends: request number i of thread t of T is due at start + (i·T + t) / rate,
 * whether or not the server has answered the earlier ones. A request that finds no free connection waits, and its
 * latency counts from the moment when it was due: a stall of the server is seen by every request that fell into
 * it, not by one a connection.
 */
export class Schedule {
  readonly #stepMs: number;
  readonly #offsetMs: number;
  #startMs = 0;
  #taken = 0;

  /** @param rate requests a second of all `parts` threads together; this is thread `part`, from 0. */
  constructor(rate: number, part: number, parts: number) {
    this.#stepMs = (1000 * parts) / rate;
    this.#offsetMs = (1000 * part) / rate;
  }

  start(startMs: number): void {
    this.#startMs = startMs;
  }

  /** When the next request that nobody has taken is due. */
  get nextMs(): number {
    return this.#startMs + this.#offsetMs + this.#taken * this.#stepMs;
  }

  take(): void {
    this.#taken++;
  }

  /** Requests that were due before `endMs` and that nobody has taken. */
  missedAt(endMs: number): number {
    const dueCount = Math.ceil((endMs - this.#startMs - this.#offsetMs) / this.#stepMs);
    return Math.max(0, dueCount - this.#taken);
  }
}
