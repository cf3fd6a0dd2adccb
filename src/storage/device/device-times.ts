/**
 * How long a device takes for what the shards of one worker ask of it. What is too slow is told in the log, at most once
 * in a while; with `enable-benchmarks-storage` everything goes into histograms.
 */
import {
  DEVICE_FLUSH,
  DEVICE_HISTOGRAM_COUNT,
  DEVICE_READ,
  DEVICE_READ_SIZE,
  DEVICE_WRITE,
  DEVICE_WRITE_QUEUE,
  DEVICE_WRITE_SIZE,
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
  readonly #path: string;
  readonly #log: StorageLog;
  readonly #block: HistogramBlock;
  /** The number of the device's first histogram. */
  readonly #at: number;
  #slowCount = 0;
  #slowestMs = 0;
  #slowestOp = IO_READ;
  #saidMs = Number.NEGATIVE_INFINITY;

  /** @param device Its number in the namespace. */
  constructor(path: string, block: HistogramBlock, device: number, log: StorageLog) {
    this.#path = path;
    this.#log = log;
    this.#block = block;
    this.#at = device * DEVICE_HISTOGRAM_COUNT;
  }

  record(op: number, durationMs: number, size: number): void {
    if (durationMs >= SLOW_MS) this.#slow(op, durationMs);
    if (!this.isOn) return;
    if (op === IO_FLUSH) {
      this.#block.record(this.#at + DEVICE_FLUSH, durationMs);
      return;
    }
    const isRead = op === IO_READ;
    this.#block.record(this.#at + (isRead ? DEVICE_READ : DEVICE_WRITE), durationMs);
    this.#block.recordSize(this.#at + (isRead ? DEVICE_READ_SIZE : DEVICE_WRITE_SIZE), size);
  }

  recordBlock(durationMs: number): void {
    if (this.isOn) this.#block.record(this.#at + DEVICE_WRITE_QUEUE, durationMs);
  }

  /** Tells of slow requests when it is time. */
  tick(nowMs: number): void {
    if (this.#slowCount === 0 || nowMs - this.#saidMs < SAY_MS) return;
    this.#saidMs = nowMs;
    const what =
      this.#slowestOp === IO_FLUSH ? 'a flush' : this.#slowestOp === IO_READ ? 'a read' : 'a write';
    const seconds = (this.#slowestMs / 1000).toFixed(1);
    this.#log.warning(
      `${this.#path}: slow device: ${this.#slowCount} requests took over ${SLOW_MS} ms, the slowest, ${what}, ${seconds} s`,
    );
    this.#slowCount = 0;
    this.#slowestMs = 0;
  }

  #slow(op: number, durationMs: number): void {
    this.#slowCount++;
    if (durationMs <= this.#slowestMs) return;
    this.#slowestMs = durationMs;
    this.#slowestOp = op;
  }
}
