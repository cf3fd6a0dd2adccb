/** Who executes a batch. */
import test from 'ava';
import { Region } from '../../src/base/arena.js';
import { SharedVersion } from '../../src/base/flags.js';
import { createRing } from '../../src/base/ring.js';
import { createSleeper } from '../../src/base/sleeper.js';
import { BatchShare } from '../../src/command/batch-share.js';
import { Dispatch, WorkerClient } from '../../src/shard/client.js';
import { KIND_BATCH } from '../../src/shard/frame.js';
import { createSlab, SLAB_PAGE_SIZE } from '../../src/shard/slab.js';
import { CONTROL_BATCHES, createControl } from '../../src/shard/worker-control.js';

class Workers {
  readonly clients: WorkerClient[] = [];
  readonly #done: SharedVersion[] = [];
  readonly #dispatch = new Dispatch();
  readonly share: BatchShare;

  constructor(count: number, processorCount: number) {
    this.#dispatch.kind = KIND_BATCH;
    for (let i = 0; i < count; i++) {
      const control = createControl();
      this.#done.push(new SharedVersion(new Region(control).i32, CONTROL_BATCHES));
      this.clients.push(
        new WorkerClient({
          requests: createRing(4096),
          requestSlab: createSlab(SLAB_PAGE_SIZE),
          completions: createRing(4096),
          completionSlab: createSlab(SLAB_PAGE_SIZE),
          sleeper: createSleeper(),
          control,
        }),
      );
    }
    this.share = new BatchShare(this.clients, processorCount);
  }

  /** A turn in which `count` batches come. @returns Whose they are, -1: the main thread's. */
  turn(count: number): number[] {
    this.share.beginTurn();
    return Array.from({ length: count }, () => {
      const client = this.share.choose();
      client?.giveBatch(this.#dispatch, new Uint8Array(8), 0, 8);
      return client === null ? -1 : this.clients.indexOf(client);
    });
  }

  /** A worker has executed a batch. */
  done(worker: number): void {
    this.#done[worker]!.raise();
  }
}

test('a batch that comes alone is the main thread’s, turn after turn', t => {
  const workers = new Workers(3, 4);
  for (let turn = 0; turn < 5; turn++) t.deepEqual(workers.turn(1), [-1]);
});

test('of several, each goes where the fewest are, and to the main thread when all have enough', t => {
  const workers = new Workers(3, 4);
  t.deepEqual(workers.turn(9), [-1, 0, 1, 2, 0, 1, 2, -1, -1]);
  workers.done(1);
  t.deepEqual(workers.turn(2), [1, -1], 'the first one, too, after a turn of several');
  for (const worker of [0, 0, 1, 1, 2, 2]) workers.done(worker);
  t.deepEqual(workers.turn(1), [0]);
  workers.done(0);
  t.deepEqual(workers.turn(1), [-1], 'one alone again');
});

test('no more workers have batches at once than there are processors beside the main thread’s', t => {
  const workers = new Workers(3, 2);
  t.deepEqual(workers.turn(5), [-1, 0, 0, -1, -1]);
  workers.done(0);
  t.deepEqual(workers.turn(2), [0, -1]);
  t.deepEqual(new Workers(3, 1).turn(5), [-1, -1, -1, -1, -1]);
});
