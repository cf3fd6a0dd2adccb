/** The device storage of one worker. */
import type { ForwardingLog } from '../observe/log.js';
import type { StorageEngine } from '../storage/engine.js';
import type { PrimaryIndex } from '../storage/index/primary-index.js';
import type { NamespaceView, Shard } from './shard.js';
import type { WorkerTask } from './worker-task.js';

export class WorkerDevices {
  constructor(_task: WorkerTask, _log: ForwardingLog) {}

  openEngine(
    _view: NamespaceView,
    _devices: unknown,
    _number: number,
    _index: PrimaryIndex,
    _figures: Float64Array,
  ): StorageEngine {
    throw new Error('no device storage');
  }

  recover(_shards: readonly Shard[], _isStopping: () => boolean): void {}
  pump(): boolean {
    return false;
  }
  hasCompletions(): boolean {
    return false;
  }
  close(): void {}
}
