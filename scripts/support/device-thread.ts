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
  /** What `write` is to write. */
  | { readonly keys: { readonly from: number; readonly to: number } }
  /** Answered when all is durable. */
  | { readonly write: { readonly size: number } }
  | { readonly read: { readonly count: number; readonly depth: number; readonly ms: number } }
  | 'close';

const { options, set, share } = workerData as ThreadData;
const shards = await DeviceShards.attach(options, set, share);
let keys = shards.keys(0, 0);
parentPort!.postMessage(0);
parentPort!.on('message', async (order: ThreadOrder) => {
  let done = 0;
  if (order === 'close') await shards.close();
  else if ('keys' in order) keys = shards.keys(order.keys.from, order.keys.to);
  else if ('write' in order) {
    shards.writeKeys(keys, order.write.size);
    shards.settle();
  } else {
    const { count, depth, ms } = order.read;
    done = shards.read(() => Math.floor(Math.random() * count), depth, ms);
  }
  parentPort!.postMessage(done);
  if (order === 'close') parentPort!.close();
});
