/**
 * The main thread's end of one worker: pushes request frames, takes completions. Nothing here waits.
 */

import { Region } from '../base/arena.js';
import { copyBytes } from '../base/copy.js';
import { SharedVersion } from '../base/flags.js';
import { RingConsumer, RingProducer } from '../base/ring.js';
import { Waker } from '../base/sleeper.js';
import {
  INLINE_SIZE_MAX,
  kindWord,
  REQ_ARRIVAL,
  REQ_CONNECTION_GENERATION,
  REQ_CREDIT,
  REQ_DEADLINE,
  REQ_DIGEST_AT,
  REQ_EPOCH,
  REQ_KIND,
  REQ_NUMBER,
  REQ_PARTITION_NAMESPACE,
  REQ_ROWS,
  REQ_SHARD_PRIVILEGES,
  REQ_SIZE,
  REQ_SLOT,
  REQ_TICKET,
  REQUEST_HEADER_SIZE,
  SOURCE_CLIENT,
} from './frame.js';
import { SlabConsumer, SlabProducer } from './slab.js';
import { CONTROL_BATCHES } from './worker-control.js';
import type { WorkerTask } from './worker-task.js';

/** The routing facts of one command; one instance is reused by whoever dispatches. */
export class Dispatch {
  kind = 0;
  connectionSlot = 0;
  connectionGeneration = 0;
  requestNumber = 0;
  namespaceId = 0;
  partition = 0;
  shard = 0;
  epoch = 0;
  /** Offset of the digest from the message's first byte. */
  digestAt = 0;
  arrivalMs = 0;
  deadlineMs = 0;
  rows = 0;
  credit = 0;
}

/** What of a worker is between it and the main thread. */
export type WorkerRings = Pick<
  WorkerTask,
  'requests' | 'requestSlab' | 'completions' | 'completionSlab' | 'sleeper' | 'control'
>;

export class WorkerClient {
  readonly completions: RingConsumer;
  readonly answerSlab: SlabConsumer;
  readonly #requests: RingProducer;
  readonly #slab: SlabProducer;
  readonly #waker: Waker;
  /** Batches that it was given and has executed; both wrap at 2^32. */
  #batchesGiven = 0;
  readonly #batchesDone: SharedVersion;

  constructor(task: WorkerRings) {
    this.completions = new RingConsumer(task.completions);
    this.answerSlab = new SlabConsumer(task.completionSlab);
    this.#requests = new RingProducer(task.requests);
    this.#slab = new SlabProducer(task.requestSlab);
    this.#waker = new Waker(task.sleeper);
    this.#batchesDone = new SharedVersion(new Region(task.control).i32, CONTROL_BATCHES);
  }

  /** Batches that it was given as a whole and has not executed. */
  get batchCount(): number {
    return (this.#batchesGiven - this.#batchesDone.value) | 0;
  }

  /** As `push`, of a batch, which is to be begun at once. */
  giveBatch(dispatch: Dispatch, bytes: Uint8Array, at: number, size: number): boolean {
    if (!this.push(dispatch, bytes, at, size)) return false;
    this.#batchesGiven = (this.#batchesGiven + 1) | 0;
    this.publish();
    return true;
  }

  /** The longest message that can ever be pushed. */
  get messageSizeMax(): number {
    return this.#slab.sizeMax;
  }

  /**
   * Copies a message of `size` bytes at `at` to the worker. Nothing is seen there before publish().
   * @returns false when there is no room now: push it again after completions were drained.
   */
  push(dispatch: Dispatch, bytes: Uint8Array, at: number, size: number): boolean {
    const isInline = size <= INLINE_SIZE_MAX;
    const ring = this.#requests;
    const frameSize = REQUEST_HEADER_SIZE + (isInline ? size : 0);
    const out = ring.reserve(frameSize);
    if (out < 0) return false;
    let ticket = -1;
    if (!isInline) {
      ticket = this.#slab.take(size);
      if (ticket < 0) return false; // the reservation is not committed, so nothing happened
      copyBytes(this.#slab.region.u8, this.#slab.offsetOf(ticket), bytes, at, size);
    } else {
      copyBytes(ring.region.u8, out + REQUEST_HEADER_SIZE, bytes, at, size);
    }
    const { u32, f64 } = ring.region;
    const w = out >>> 2;
    u32[w + REQ_KIND] = kindWord(dispatch.kind, SOURCE_CLIENT);
    u32[w + REQ_SLOT] = dispatch.connectionSlot;
    u32[w + REQ_CONNECTION_GENERATION] = dispatch.connectionGeneration;
    u32[w + REQ_NUMBER] = dispatch.requestNumber;
    u32[w + REQ_PARTITION_NAMESPACE] = dispatch.partition | (dispatch.namespaceId << 16);
    u32[w + REQ_SHARD_PRIVILEGES] = dispatch.shard;
    u32[w + REQ_EPOCH] = dispatch.epoch;
    u32[w + REQ_DIGEST_AT] = dispatch.digestAt;
    f64[(w + REQ_ARRIVAL) >>> 1] = dispatch.arrivalMs;
    f64[(w + REQ_DEADLINE) >>> 1] = dispatch.deadlineMs;
    u32[w + REQ_ROWS] = dispatch.rows;
    u32[w + REQ_SIZE] = size;
    u32[w + REQ_TICKET] = ticket + 1;
    u32[w + REQ_CREDIT] = dispatch.credit;
    ring.commit(frameSize);
    return true;
  }

  /** Shows everything pushed to the worker and wakes it if it sleeps. */
  publish(): void {
    if (this.#requests.publish()) this.#waker.wake();
  }

  /** Wakes the worker whatever it waits for: it was told to stop. */
  wake(): void {
    this.#waker.wake();
  }
}
