/**
 * How long a device, and its shadow if it has one, takes for what the shards of one worker ask of it. What is too slow,
 * or too late for flush-max-ms, is told in the log, at most once in a while; with `enable-benchmarks-storage` everything
 * goes into histograms.
 */
import {
  DEVICE_FLUSH,
  DEVICE_HISTOGRAM_COUNT,
  DEVICE_READ,
  DEVICE_READ_SIZE,
  DEVICE_WRITE,
  DEVICE_WRITE_QUEUE,
  DEVICE_WRITE_SIZE,
  SHADOW_FLUSH,
  SHADOW_WRITE,
} from '../../observe/benchmarks.js';
import type { HistogramBlock } from '../../observe/histogram.js';
import { IO_FLUSH, IO_READ } from '../io/file-io.js';
import type { IoTimes } from '../io/io-queue.js';
import type { StorageLog } from './storage-error.js';

/** A request that takes this long is told of. */
const SLOW_MS = 1000;
/** How often, at most. */
const SAY_MS = 10_000;

export class DeviceTimes implements IoTimes {
  /** Whether the histograms count. */
  isOn = false;
  readonly #block: HistogramBlock;
  /** The number of the device's first histogram. */
  readonly #at: number;
  readonly #slow: SlowRequests;
  readonly #slowOfShadow: SlowRequests;
  readonly #late: LateWrites;

  /** @param device Its number in the namespace. @param shadowPath Of its shadow. */
  constructor(path: string, block: HistogramBlock, device: number, log: StorageLog, shadowPath = path) {
    this.#block = block;
    this.#at = device * DEVICE_HISTOGRAM_COUNT;
    this.#slow = new SlowRequests(path, log);
    this.#slowOfShadow = new SlowRequests(shadowPath, log);
    this.#late = new LateWrites(path, log);
  }

  record(op: number, durationMs: number, size: number, isShadow: boolean): void {
    if (durationMs >= SLOW_MS) (isShadow ? this.#slowOfShadow : this.#slow).record(op, durationMs);
    if (!this.isOn) return;
    const block = this.#block;
    const at = this.#at;
    if (isShadow) {
      block.record(at + (op === IO_FLUSH ? SHADOW_FLUSH : SHADOW_WRITE), durationMs); // nothing reads it
      return;
    }
    if (op === IO_FLUSH) {
      block.record(at + DEVICE_FLUSH, durationMs);
      return;
    }
    const isRead = op === IO_READ;
    block.record(at + (isRead ? DEVICE_READ : DEVICE_WRITE), durationMs);
    block.recordSize(at + (isRead ? DEVICE_READ_SIZE : DEVICE_WRITE_SIZE), size);
  }

  recordBlock(durationMs: number): void {
    if (this.isOn) this.#block.record(this.#at + DEVICE_WRITE_QUEUE, durationMs);
  }

  recordLate(durationMs: number, askedMs: number): void {
    this.#late.record(durationMs, askedMs);
  }

  /** Tells of slow requests and late writes when it is time. */
  tick(nowMs: number): void {
    this.#slow.tick(nowMs);
    this.#slowOfShadow.tick(nowMs);
    this.#late.tick(nowMs);
  }
}

/** The requests of a device that took too long since they were told of last. */
class SlowRequests {
  readonly #path: string;
  readonly #log: StorageLog;
  #count = 0;
  #slowestMs = 0;
  #slowestOp = IO_READ;
  #saidMs = Number.NEGATIVE_INFINITY;

  constructor(path: string, log: StorageLog) {
    this.#path = path;
    this.#log = log;
  }

  record(op: number, durationMs: number): void {
    this.#count++;
    if (durationMs <= this.#slowestMs) return;
    this.#slowestMs = durationMs;
    this.#slowestOp = op;
  }

  tick(nowMs: number): void {
    if (this.#count === 0 || nowMs - this.#saidMs < SAY_MS) return;
    this.#saidMs = nowMs;
    const what =
      this.#slowestOp === IO_FLUSH ? 'a flush' : this.#slowestOp === IO_READ ? 'a read' : 'a write';
    const seconds = (this.#slowestMs / 1000).toFixed(1);
    this.#log.warning(
      `${this.#path}: slow device: ${this.#count} requests took over ${SLOW_MS} ms, the slowest, ${what}, ${seconds} s`,
    );
    this.#count = 0;
    this.#slowestMs = 0;
  }
}

/** The writes that were durable later than flush-max-ms since they were told of last. */
class LateWrites {
  readonly #path: string;
  readonly #log: StorageLog;
  #count = 0;
  #latestMs = 0;
  #askedMs = 0;
  #saidMs = Number.NEGATIVE_INFINITY;

  constructor(path: string, log: StorageLog) {
    this.#path = path;
    this.#log = log;
  }

  record(durationMs: number, askedMs: number): void {
    this.#count++;
    if (durationMs <= this.#latestMs) return;
    this.#latestMs = durationMs;
    this.#askedMs = askedMs;
  }

  tick(nowMs: number): void {
    if (this.#count === 0 || nowMs - this.#saidMs < SAY_MS) return;
    this.#saidMs = nowMs;
    this.#log.warning(
      `${this.#path}: late writes: ${this.#count} were durable later than flush-max-ms after they were acknowledged, ` +
        `the latest after ${this.#latestMs.toFixed(0)} ms, ${this.#askedMs.toFixed(0)} ms of them before the device was asked`,
    );
    this.#count = 0;
    this.#latestMs = 0;
  }
}
