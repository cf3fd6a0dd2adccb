/**
 * Removes what was truncated of one namespace from a worker's shards, a little at a time. It is invisible already, so
 * that this only gives the space back; nothing is written, since older versions have lower LUTs.
 */
import { ST_TRUNCATED_VERSION } from '../../storage/engine.js';
import type { Shard } from '../shard.js';
import { IndexWalk } from './index-walk.js';

interface Walk {
  readonly shard: Shard;
  readonly entries: IndexWalk;
  /** Of the truncations that it carries out. */
  version: number;
}

export class TruncationWalk {
  readonly #walks: readonly Walk[];
  #current!: Walk;
  readonly #visit = (entry: number): void => {
    const { shard } = this.#current;
    if (shard.isTruncated(entry)) shard.drop(entry);
  };

  constructor(shards: readonly Shard[]) {
    this.#walks = shards.map(shard => ({
      shard,
      entries: new IndexWalk(shard.index, shard.partitions),
      version: 0,
    }));
  }

  /** Goes on, if there is anything to do. @param count Entries to visit. @returns false when there is not. */
  step(count: number): boolean {
    for (const walk of this.#walks) {
      const { shard, entries } = walk;
      if (!shard.isTruncating) continue;
      if (shard.ownership !== null) shard.ownership.take();
      shard.adoptTruncation();
      const { figures, truncationVersion } = shard;
      if (walk.version !== truncationVersion) {
        walk.version = truncationVersion;
        entries.restart();
      }
      this.#current = walk;
      if (!entries.step(count, this.#visit)) figures[ST_TRUNCATED_VERSION] = truncationVersion;
      if (shard.ownership !== null) shard.ownership.give();
      return true;
    }
    return false;
  }
}
