/**
 * Who executes a batch that may be executed in place: the main thread, or a worker, so that where many come at once several
 * processors work on them. One that comes alone is the main thread's: the way to a worker and back takes longer than it
 * saves. The others go where the fewest wait, and are the main thread's while all workers have enough.
 */
import type { WorkerClient } from '../shard/client.js';

/** Batches that a worker may have at once: it must not run out of them while the main thread executes one itself. */
const QUEUE_MAX = 2;

export class BatchShare {
  readonly #clients: readonly WorkerClient[];
  readonly #busyMax: number;
  /** Batches of this turn of the event loop until now, and of the one before. */
  #turnCount = 0;
  #lastTurnCount = 0;

  /** @param processorCount The main thread needs one of them; no more workers than there are others have batches at once. */
  constructor(clients: readonly WorkerClient[], processorCount: number) {
    this.#clients = clients;
    this.#busyMax = processorCount - 1;
  }

  beginTurn(): void {
    this.#lastTurnCount = this.#turnCount;
    this.#turnCount = 0;
  }

  /** A batch has come. @returns Whose it is, or null: the main thread's. */
  choose(): WorkerClient | null {
    if (this.#turnCount++ === 0 && this.#lastTurnCount < 2) return null;
    let idle: WorkerClient | null = null;
    let shortest: WorkerClient | null = null;
    let count = QUEUE_MAX;
    let busyCount = 0;
    for (const client of this.#clients) {
      const { batchCount } = client;
      if (batchCount === 0) idle ??= client;
      else {
        busyCount++;
        if (batchCount < count) {
          shortest = client;
          count = batchCount;
        }
      }
    }
    return idle !== null && busyCount < this.#busyMax ? idle : shortest;
  }
}
