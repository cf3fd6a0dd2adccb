/**
 * The memory shards of all workers as the main thread sees them. A worker tells of a shard when it has made it and
 * whenever it has added memory to it; between the two the main thread's view is not current, and it leaves the shard
 * alone.
 */
import { Budget } from '../base/budget.js';
import { PrimaryIndex } from '../storage/index/primary-index.js';
import type { PrimaryIndexMemory } from '../storage/index/sprig-lists.js';
import { MemoryEngine, type MemoryEngineMemory } from '../storage/memory/memory-engine.js';
import { MAIN_THREAD, Ownership } from './ownership.js';
import { type NamespaceView, Shard } from './shard.js';
import { partitionsOf } from './shard-map.js';
import type { SharedTask } from './worker-task.js';

/** What makes a shard visible to another thread. */
export interface ShardMemory {
  readonly namespace: number;
  readonly shard: number;
  readonly index: PrimaryIndexMemory;
  readonly engine: MemoryEngineMemory;
}

/** The worker's part: tells of memory shards. */
export class ShardAnnouncer {
  readonly #shards: readonly { readonly number: number; readonly shard: Shard; shape: number }[];
  readonly #send: (memory: ShardMemory) => void;

  /** @param shards With their numbers in their namespaces; those on devices are left out. */
  constructor(shards: Iterable<[number: number, shard: Shard]>, send: (memory: ShardMemory) => void) {
    this.#shards = [...shards]
      .filter(([, shard]) => shard.engine instanceof MemoryEngine)
      .map(([number, shard]) => ({ number, shard, shape: -1 }));
    this.#send = send;
  }

  /** Tells of every shard whose memory has become more. */
  step(): void {
    for (const each of this.#shards) {
      const { index, engine, namespace } = each.shard;
      const shape = index.shape + (engine as MemoryEngine).shape;
      if (shape === each.shape) continue;
      each.shape = shape;
      this.#send({
        namespace: namespace.id,
        shard: each.number,
        index: index.memory,
        engine: (engine as MemoryEngine).memory,
      });
    }
  }
}

/** One shard that belongs to a worker. */
export class ShardView {
  readonly shard: Shard;
  readonly ownership: Ownership;
  readonly #index: PrimaryIndex;
  readonly #engine: MemoryEngine;

  constructor(namespace: NamespaceView, task: SharedTask, memory: ShardMemory) {
    if (task.storage.engine !== 'memory') throw new Error('only memory shards can be seen from elsewhere');
    const partitions = partitionsOf(task.shardOf, memory.shard);
    this.#index = new PrimaryIndex({ partitions, memory: memory.index });
    const figures = namespace.figuresOf(memory.shard);
    this.#engine = new MemoryEngine({
      index: this.#index,
      counters: figures,
      budget: new Budget(task.storage.budget),
      shardCount: task.memory.shards.length,
      memory: memory.engine,
    });
    this.shard = new Shard(namespace, partitions, this.#index, this.#engine, figures);
    this.ownership = new Ownership(task.memory.owners, memory.shard, MAIN_THREAD);
  }

  get index(): PrimaryIndex {
    return this.#index;
  }

  get engine(): MemoryEngine {
    return this.#engine;
  }

  /** Whether all of the shard's memory is known. To be asked while the shard is owned. */
  get isCurrent(): boolean {
    return this.#index.isCurrent && this.#engine.isCurrent;
  }
}
