/** A device namespace whose shards several threads share, as the workers of a server do. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { OpenDeviceSet } from '../../src/storage/device/device-set.js';
import { DeviceShards, type DeviceShardsOptions } from './device-shards.js';
import type { ThreadData, ThreadOrder } from './device-thread.js';

const THREAD = new URL('./device-thread.js', import.meta.url);

export class DeviceThreads {
  readonly #devices: OpenDeviceSet;
  readonly #threads: readonly Worker[];

  private constructor(devices: OpenDeviceSet, threads: readonly Worker[]) {
    this.#devices = devices;
    this.#threads = threads;
  }

  /** Opens the file, creating it when it is missing; all threads have read back what it holds. */
  static async open(options: DeviceShardsOptions, threadCount: number): Promise<DeviceThreads> {
    const devices = await DeviceShards.openFile(options);
    const threads = Array.from({ length: threadCount }, (_, thread) => {
      const workerData: ThreadData = { options, set: devices.set, share: { thread, threadCount } };
      return new Worker(THREAD, { workerData });
    });
    await Promise.all(threads.map(thread => once(thread, 'message')));
    return new DeviceThreads(devices, threads);
  }

  /** Makes the digests of records `from` to `to` - 1, for `write`. */
  async makeKeys(from: number, to: number): Promise<void> {
    await this.#all({ keys: { from, to } });
  }

  /** Writes the records of `makeKeys`, of `size` bytes each, and waits until they are durable. */
  async write(size: number): Promise<void> {
    await this.#all({ write: { size } });
  }

  /**
   * Reads records below `count` at random, `depth` at a time in all threads together, for `ms` milliseconds.
   * @returns Reads done.
   */
  read(count: number, depth: number, ms: number): Promise<number> {
    return this.#all({ read: { count, depth: Math.ceil(depth / this.#threads.length), ms } });
  }

  async close(): Promise<void> {
    const ended = this.#threads.map(thread => once(thread, 'exit'));
    await this.#all('close');
    await Promise.all(ended);
    await this.#devices.close();
  }

  /** @returns The sum of what the threads answer. */
  async #all(order: ThreadOrder): Promise<number> {
    const answers = this.#threads.map(thread => once(thread, 'message') as Promise<[number]>);
    for (const thread of this.#threads) thread.postMessage(order);
    return (await Promise.all(answers)).reduce((sum, [done]) => sum + done, 0);
  }
}
