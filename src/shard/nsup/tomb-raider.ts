/**
 * Removes the tombstones of one namespace that are older than `tomb-raider-eligible-age` from a worker's indexes, every
 * `tomb-raider-period`. On a device what is stored of one goes on as a delete marker, as long as older versions of
 * the record may be there: no record comes back for it.
 */
import { TOMBSTONE } from '../../storage/index/entry.js';
import { TUNE_TOMB_RAIDER_AGE, TUNE_TOMB_RAIDER_PERIOD } from '../namespace-memory.js';
import type { Shard } from '../shard.js';
import { IndexWalk } from './index-walk.js';

export class TombRaider {
  readonly #shards: readonly Shard[];
  readonly #walks: readonly IndexWalk[];
  /** Index of the shard being walked, -1 between cycles. */
  #current = -1;
  #startedMs: number;
  /** Tombstones with lower LUTs go. */
  #lutMs = 0;
  readonly #visit = (entry: number): void => {
    const shard = this.#shards[this.#current]!;
    const { index } = shard;
    if (index.hasFlag(entry, TOMBSTONE) && index.lut(entry) < this.#lutMs) shard.forgetTombstone(entry);
  };

  /** @param shards Of one namespace and one worker; one at least. */
  constructor(shards: readonly Shard[], nowMs: number) {
    this.#shards = shards;
    this.#walks = shards.map(shard => new IndexWalk(shard.index, shard.partitions));
    this.#startedMs = nowMs;
  }

  /** Goes on with the cycle, or begins one that is due. @param count Entries to visit. @returns false when there is nothing to do. */
  step(nowMs: number, count: number): boolean {
    const { tuning } = this.#shards[0]!.namespace;
    if (this.#current < 0) {
      const periodMs = tuning[TUNE_TOMB_RAIDER_PERIOD]! * 1000;
      if (periodMs === 0 || nowMs - this.#startedMs < periodMs) return false;
      this.#startedMs = nowMs;
      this.#current = 0;
    }
    const shard = this.#shards[this.#current]!;
    if (shard.ownership !== null) shard.ownership.take();
    this.#lutMs = shard.clock.ms - tuning[TUNE_TOMB_RAIDER_AGE]! * 1000;
    const hasMore = this.#walks[this.#current]!.step(count, this.#visit);
    if (shard.ownership !== null) shard.ownership.give();
    if (!hasMore && ++this.#current === this.#shards.length) this.#current = -1;
    return true;
  }
}
