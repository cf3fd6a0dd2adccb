/** The namespaces and shards of one worker, and how a command finds its own. */
import type { NamespaceView, Shard } from './shard.js';

export class ShardMap {
  /** Indexed by namespace id. */
  readonly namespaces: readonly NamespaceView[];
  readonly shards: readonly Shard[];
  /** [namespace id][partition] → shard of this worker, or null when another worker owns it. */
  readonly #shardOf: readonly (readonly (Shard | null)[])[];

  constructor(
    namespaces: readonly NamespaceView[],
    shards: readonly Shard[],
    shardOf: readonly (readonly (Shard | null)[])[],
  ) {
    this.namespaces = namespaces;
    this.shards = shards;
    this.#shardOf = shardOf;
  }

  /** The shard of a partition. The main thread routes only what this worker owns. */
  of(namespaceId: number, pid: number): Shard {
    return this.#shardOf[namespaceId]![pid]!;
  }

  /** Id of the namespace with this name, or -1. */
  namespaceId(bytes: Uint8Array, at: number, size: number): number {
    for (let id = 0; id < this.namespaces.length; id++) {
      const name = this.namespaces[id]!.nameBytes;
      if (name.length !== size) continue;
      let i = 0;
      while (i < size && name[i] === bytes[at + i]) i++;
      if (i === size) return id;
    }
    return -1;
  }
}

/** The pids of one shard. */
export function partitionsOf(shardOf: Uint16Array, shard: number): Uint16Array {
  return Uint16Array.from([...shardOf.keys()].filter(pid => shardOf[pid] === shard));
}
