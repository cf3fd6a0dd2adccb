/**
 * Removes what was truncated or evicted of one namespace from a worker's shards, a little at a time. It is invisible
 * already, so that this only gives the space back. Of what was truncated nothing is written, since older versions have
 * lower LUTs; what was evicted leaves a marker, since an older version may have a later void-time. When only sets with
 * indexes were truncated, their records alone are looked at.
 */
import { OK } from '../../base/result.js';
import { ST_TRUNCATED_VERSION } from '../../storage/engine.js';
import type { Shard } from '../shard.js';
import { IndexWalk } from './index-walk.js';

interface Walk {
  readonly shard: Shard;
  /** Those that follow each other. */
  readonly entries: IndexWalk[];
  /** Of what it carries out. */
  version: number;
  /** Whether it has left nothing behind that it came to. */
  isComplete: boolean;
}

export class TruncationWalk {
  readonly #walks: readonly Walk[];
  #current!: Walk;
  /** The engine has no room for a marker now: what this walk leaves is looked for again by another one. */
  #isRefused = false;
  readonly #visit = (entry: number): void => {
    const { shard } = this.#current;
    if (shard.isTruncated(entry)) shard.drop(entry);
    else if (!this.#isRefused && shard.isEvicted(entry)) this.#isRefused = shard.evict(entry) !== OK;
  };

  constructor(shards: readonly Shard[]) {
    this.#walks = shards.map(shard => ({
      shard,
      entries: [],
      version: 0,
      isComplete: true,
    }));
  }

  /** Goes on, if there is anything to do. @param count Entries to visit. @returns false when there is not, or not now. */
  step(count: number): boolean {
    for (const walk of this.#walks) {
      const { shard, entries } = walk;
      if (!shard.isTruncating) continue;
      if (shard.ownership !== null) shard.ownership.take();
      shard.adoptTruncation();
      const { figures, truncationVersion } = shard;
      if (walk.version !== truncationVersion) {
        walk.version = truncationVersion;
        walk.isComplete = true;
        entries.length = 0;
      }
      if (entries.length === 0) entries.push(...walksOf(shard));
      this.#current = walk;
      this.#isRefused = false;
      if (!entries[0]!.step(count, this.#visit)) entries.shift();
      const isDone = entries.length === 0;
      walk.isComplete &&= !this.#isRefused;
      if (isDone && walk.isComplete) figures[ST_TRUNCATED_VERSION] = truncationVersion;
      if (isDone) walk.isComplete = true;
      if (shard.ownership !== null) shard.ownership.give();
      return !this.#isRefused;
    }
    return false;
  }
}

function walksOf({ index, partitions, namespace, figures }: Shard): IndexWalk[] {
  const sets = namespace.truncation.setsSince(figures[ST_TRUNCATED_VERSION]!);
  if (sets === undefined || sets.length === 0 || !sets.every(setId => index.isSetReady(setId))) {
    return [new IndexWalk(index, partitions)];
  }
  return sets.map(setId => new IndexWalk(index, partitions, setId));
}
