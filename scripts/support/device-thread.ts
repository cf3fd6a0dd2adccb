/** One thread of device-threads.ts: has a share of the shards, and does what it is asked by messages. */
import { parentPort, workerData } from 'node:worker_threads';
import type { DeviceSet } from '../../src/storage/device/device-set.js';
import { DeviceShards, type DeviceShardsOptions, type ShardShare } from './device-shards.js';

export interface ThreadData {
  readonly options: DeviceShardsOptions;
  readonly set: DeviceSet;
  readonly share: ShardShare;
}

export type ThreadOrder =
  | { readonly write: { readonly from: number; readonly to: number; readonly size: number } }
  | { readonly read: { readonly count: number; readonly depth: number; readonly ms: number } }
  | 'close';

const { options, set, share } = workerData as ThreadData;
const shards = await DeviceShards.attach(options, set, share);
parentPort!.postMessage(0);
parentPort!.on('message', async (order: ThreadOrder) => {
  let done = 0;
  if (order === 'close') await shards.close();
  else if ('write' in order) shards.write(order.write.from, order.write.to, order.write.size);
  else {
    const { count, depth, ms } = order.read;
    done = shards.read(() => Math.floor(Math.random() * count), depth, ms);
  }
  parentPort!.postMessage(done);
  if (order === 'close') parentPort!.close();
});
