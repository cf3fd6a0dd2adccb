/** Which worker and shard a digest belongs to, by namespace. */
import type { NamespaceTask } from './worker-task.js';

export class NamespaceRoute {
  readonly id: number;
  readonly name: string;
  readonly nameBytes: Uint8Array;
  /** [partition] → shard, worker. */
  readonly shardOf: Uint16Array;
  readonly workerOf: Uint16Array;
  /** Whether its records are in memory alone: any thread may execute commands on them. */
  readonly isMemory: boolean;

  constructor(id: number, task: Pick<NamespaceTask, 'name' | 'shardOf' | 'workerOf' | 'storage'>) {
    this.id = id;
    this.name = task.name;
    this.nameBytes = Buffer.from(task.name);
    this.shardOf = task.shardOf;
    this.isMemory = task.storage.engine === 'memory';
    this.workerOf = task.shardOf.map(shard => task.workerOf[shard]!);
  }
}

export class Routes {
  readonly namespaces: readonly NamespaceRoute[];
  #last: NamespaceRoute | null = null;

  constructor(namespaces: readonly NamespaceRoute[]) {
    this.namespaces = namespaces;
  }

  /** The namespace of this name, or null. Most requests name the same one as the request before. */
  find(bytes: Uint8Array, at: number, size: number): NamespaceRoute | null {
    if (this.#last !== null && isNamed(this.#last, bytes, at, size)) return this.#last;
    for (const route of this.namespaces) {
      if (isNamed(route, bytes, at, size)) {
        this.#last = route;
        return route;
      }
    }
    return null;
  }
}

function isNamed(route: NamespaceRoute, bytes: Uint8Array, at: number, size: number): boolean {
  const name = route.nameBytes;
  if (name.length !== size) return false;
  for (let i = 0; i < size; i++) if (name[i] !== bytes[at + i]) return false;
  return true;
}
