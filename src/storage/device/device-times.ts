/**
 * How long a device takes for what the shards of one worker ask of it, and how much that is, while
 * `enable-benchmarks-storage` is on.
 */
import {
  DEVICE_FLUSH,
  DEVICE_HISTOGRAM_COUNT,
  DEVICE_READ,
  DEVICE_READ_SIZE,
  DEVICE_WRITE,
  DEVICE_WRITE_SIZE,
} from '../../observe/benchmarks.js';
import type { HistogramBlock } from '../../observe/histogram.js';
import { IO_READ, IO_WRITE } from '../io/file-io.js';
import type { IoTimes } from '../io/io-queue.js';

export class DeviceTimes implements IoTimes {
  isOn = false;
  readonly #block: HistogramBlock;
  /** The number of the device's first histogram. */
  readonly #at: number;

  constructor(block: HistogramBlock, device: number) {
    this.#block = block;
    this.#at = device * DEVICE_HISTOGRAM_COUNT;
  }

  record(op: number, durationMs: number, size: number): void {
    if (op !== IO_READ && op !== IO_WRITE) {
      this.#block.record(this.#at + DEVICE_FLUSH, durationMs);
      return;
    }
    const isRead = op === IO_READ;
    this.#block.record(this.#at + (isRead ? DEVICE_READ : DEVICE_WRITE), durationMs);
    this.#block.recordSize(this.#at + (isRead ? DEVICE_READ_SIZE : DEVICE_WRITE_SIZE), size);
  }
}
