/**
 * The worker threads, by piscina: one long task a worker, started here, ended by its stop word and never
 * respawned unasked; and a second, ordinary pool for work that may take long and touches no shard.
 */
import { Piscina } from 'piscina';
import { Region } from '../base/arena.js';
import { stopNodeIo } from '../storage/io/node-io-memory.js';
import { CONTROL_READY, CONTROL_STOP, CONTROL_TURNS, controlFlags } from './worker-control.js';
import type { WorkerTask } from './worker-task.js';

const READY_POLL_MS = 2;
const IO_THREAD = new URL('../storage/io/node-io-thread.js', import.meta.url).href;

export class WorkerPool {
  readonly #pool: Piscina;
  readonly #tasks: readonly WorkerTask[];
  readonly #running: Promise<void>[] = [];
  readonly #helpers: Promise<void>[] = [];
  #turns: number[] = [];
  #isStopping = false;
  #hasFailed = false;

  /**
   * Starts a thread for each task.
   * @param onFailure Called when a worker ends without having been told to: its shards are lost to this process.
   */
  constructor(tasks: readonly WorkerTask[], onFailure: (worker: number, error: Error) => void) {
    this.#tasks = tasks;
    const fail = (worker: number, error: Error): void => {
      this.#hasFailed = true;
      onFailure(worker, error);
    };
    const lanes = tasks.flatMap(task => task.io?.lanes ?? []);
    const threads = tasks.length + lanes.length;
    this.#pool = new Piscina({
      filename: new URL('./worker.js', import.meta.url).href,
      minThreads: threads,
      maxThreads: threads,
      concurrentTasksPerWorker: 1,
      atomics: 'disabled',
      workerHistogram: false,
      recordTiming: false,
    });
    for (const lane of lanes) {
      this.#helpers.push(
        this.#pool
          .run(lane, { filename: IO_THREAD })
          .then(undefined, (error: Error) => fail(-1, new Error(`device I/O thread: ${error.message}`))),
      );
    }
    for (const task of tasks) {
      const run = this.#pool.run(task, { transferList: [task.port] }).then(
        () => {
          if (!this.#isStopping) fail(task.worker, new Error('the worker returned unasked'));
        },
        (error: Error) => fail(task.worker, error),
      );
      this.#running.push(run);
    }
  }

  /** Resolves when every worker has recovered its shards and takes commands. @param onWait Called now and then meanwhile. */
  async ready(onWait: () => void): Promise<void> {
    const startMs = performance.now();
    while (!this.#tasks.every(task => controlFlags(task.control).isSet(CONTROL_READY))) {
      const waitedMs = performance.now() - startMs;
      await new Promise(resolve => setTimeout(resolve, waitedMs < 200 ? READY_POLL_MS : 50));
      onWait();
    }
  }

  /** Whether every worker has gone round its loop since this was last asked. They do at least ten times a second. */
  makesProgress(): boolean {
    const turns = this.#tasks.map(task => new Region(task.control).i32[CONTROL_TURNS]!);
    const isMoving = turns.every((count, worker) => count !== this.#turns[worker]);
    this.#turns = turns;
    return isMoving;
  }

  /** After `stop`: whether every worker had recovered its shards, and has flushed all that was written. */
  get hasEndedWell(): boolean {
    return !this.#hasFailed && this.#tasks.every(task => controlFlags(task.control).isSet(CONTROL_READY));
  }

  /** Tells every worker to finish and flush, wakes them, and waits until they have. */
  async stop(wake: () => void): Promise<void> {
    this.#isStopping = true;
    for (const task of this.#tasks) controlFlags(task.control).set(CONTROL_STOP);
    wake();
    const again = setInterval(wake, 20);
    await Promise.all(this.#running);
    clearInterval(again);
    for (const task of this.#tasks) if (task.io !== null) stopNodeIo(task.io);
    await Promise.all(this.#helpers);
    await this.#pool.destroy();
  }
}

/** Long CPU work beside the shards. */
export class ComputePool {
  readonly #pool = new Piscina({
    filename: new URL('../wire/compressed-task.js', import.meta.url).href,
    minThreads: 0,
    maxThreads: 2,
    idleTimeout: 30_000, // its queue is bounded by the connections: each has one message in it at most
  });

  inflate(body: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#pool.run(body, { name: 'inflate' }) as Promise<Uint8Array | undefined>;
  }

  deflate(frame: Uint8Array): Promise<Uint8Array> {
    return this.#pool.run(frame, { name: 'deflate' }) as Promise<Uint8Array>;
  }

  stop(): Promise<void> {
    return this.#pool.destroy();
  }
}
