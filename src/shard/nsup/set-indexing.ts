/**
 * Indexes of one namespace's sets on one worker, a little at a time: begins and ends them as `enable-index` says, looks
 * for the records that are there already (what is written meanwhile is known), and makes them finer as the primary
 * index grows. They are made anew after a start.
 */
import { ST_SET_INDEX_BYTES } from '../../storage/engine.js';
import { SET_INDEXED, setSlot, TUNE_SET_INDEX_CHANGES } from '../namespace-memory.js';
import type { Shard } from '../shard.js';
import { IndexWalk } from './index-walk.js';

/** In a set's slot SET_INDEXED of a shard. */
export const SET_NOT_INDEXED = 0;
export const SET_POPULATING = 1;
export const SET_READY = 2;

/** What there is to do for one shard. */
interface Work {
  readonly shard: Shard;
  readonly all: IndexWalk;
  /** Sets for which a walk over all entries is under way, and those that wait for the next one. */
  walking: Set<number>;
  waiting: Set<number>;
  /** Walks over single sets, after their indexes have doubled. */
  tidying: IndexWalk[];
}

export class SetIndexing {
  readonly #works: readonly Work[];
  /** Of the settings that this goes by. */
  #changes = 0;
  #current!: Work;
  readonly #note = (entry: number): void => {
    const { shard, walking } = this.#current;
    const setId = shard.index.setId(entry);
    if (walking.has(setId)) shard.index.noteMember(entry, setId);
  };

  /** @param shards Of one namespace and one worker; one at least. */
  constructor(shards: readonly Shard[]) {
    this.#works = shards.map(shard => ({
      shard,
      all: new IndexWalk(shard.index, shard.partitions),
      walking: new Set(),
      waiting: new Set(),
      tidying: [],
    }));
  }

  /** Goes on, if there is anything to do. @param count Entries to visit. @returns false when there is not. */
  step(count: number): boolean {
    const changes = this.#works[0]!.shard.namespace.tuning[TUNE_SET_INDEX_CHANGES]!;
    if (changes !== this.#changes) {
      this.#changes = changes;
      for (const work of this.#works) owned(work.shard, () => this.#adopt(work));
      return true;
    }
    for (const work of this.#works) {
      if (hasWork(work)) return owned(work.shard, () => this.#goOn(work, count));
    }
    return false;
  }

  /** Begins and ends indexes as the settings say. */
  #adopt({ shard, walking, waiting }: Work): void {
    const { index, namespace, figures } = shard;
    const indexed = new Set(index.indexedSets);
    for (let setId = 1; setId <= namespace.sets.count; setId++) {
      const isWanted = namespace.isSetIndexWanted(setId);
      if (isWanted === indexed.has(setId)) continue;
      if (isWanted) {
        if (!hasMemoryFor(() => index.addSetIndex(setId))) continue;
        waiting.add(setId);
      } else {
        index.dropSetIndex(setId);
        walking.delete(setId);
        waiting.delete(setId);
      }
      figures[setSlot(setId, SET_INDEXED)] = isWanted ? SET_POPULATING : SET_NOT_INDEXED;
    }
    figures[ST_SET_INDEX_BYTES] = index.setIndexBytes;
  }

  #goOn(work: Work, count: number): boolean {
    const { shard, all } = work;
    const { index, figures } = shard;
    this.#current = work;
    if (index.isSetIndexGrowthDue) {
      if (!hasMemoryFor(() => index.growSetIndexes())) return false;
      figures[ST_SET_INDEX_BYTES] = index.setIndexBytes;
      work.tidying = index.indexedSets
        .filter(setId => index.isSetReady(setId))
        .map(setId => new IndexWalk(index, shard.partitions, setId));
    }
    if (work.walking.size > 0) {
      if (all.step(count, this.#note)) return true;
      for (const setId of work.walking) {
        index.setIndexReady(setId);
        figures[setSlot(setId, SET_INDEXED)] = SET_READY;
      }
      work.walking.clear();
      return true;
    }
    if (work.waiting.size > 0) {
      work.walking = work.waiting;
      work.waiting = new Set();
      all.restart();
      return true;
    }
    const tidying = work.tidying.at(-1);
    if (tidying === undefined) return false;
    if (!tidying.step(count, () => {})) work.tidying.pop();
    return true;
  }
}

function hasWork({ shard, walking, waiting, tidying }: Work): boolean {
  return walking.size + waiting.size + tidying.length > 0 || shard.index.isSetIndexGrowthDue;
}

/** Without memory a set stays as it is: slower to walk, and populating if it was to have its first index. */
function hasMemoryFor(action: () => void): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function owned<T>(shard: Shard, action: () => T): T {
  if (shard.ownership !== null) shard.ownership.take();
  const result = action();
  if (shard.ownership !== null) shard.ownership.give();
  return result;
}
