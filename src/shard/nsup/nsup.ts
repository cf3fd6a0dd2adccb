/**
 * The expiration of one namespace on one worker: every `nsup-period` a cycle walks the worker's shards of it, one
 * after another, and removes what has expired. It works in small steps between commands; a record that it has not
 * come to yet is invisible all the same.
 */
import { EXPIRED_OBJECTS } from '../../observe/namespace-counters.js';
import {
  ST_NON_EXPIRABLE,
  ST_NSUP_DELETED,
  ST_NSUP_DURATION,
  ST_NSUP_VISITED,
} from '../../storage/engine.js';
import { TOMBSTONE } from '../../storage/index/entry.js';
import { TUNE_NSUP_PERIOD } from '../namespace-memory.js';
import type { Shard } from '../shard.js';
import { IndexWalk } from './index-walk.js';

export class Nsup {
  readonly #shards: readonly Shard[];
  readonly #walks: readonly IndexWalk[];
  /** Index of the shard being walked, -1 between cycles. */
  #current = -1;
  #startedMs = Number.NEGATIVE_INFINITY;
  // Of the shard being walked.
  #nowSec = 0;
  #visited = 0;
  #deleted = 0;
  #nonExpirable = 0;
  readonly #visit = (entry: number): void => this.#look(entry);

  /** @param shards Of one namespace and one worker; one at least. */
  constructor(shards: readonly Shard[]) {
    this.#shards = shards;
    this.#walks = shards.map(shard => new IndexWalk(shard.index, shard.partitions));
  }

  /** Whether a cycle is under way or due. @param nowMs Monotonic. */
  isDue(nowMs: number): boolean {
    if (this.#current >= 0) return true;
    const periodMs = this.#shards[0]!.namespace.tuning[TUNE_NSUP_PERIOD]! * 1000;
    return periodMs > 0 && nowMs - this.#startedMs >= periodMs;
  }

  /** Goes on with the cycle, or begins one. @param count Entries to visit. */
  step(nowMs: number, count: number): void {
    if (this.#current < 0) {
      this.#current = 0;
      this.#startedMs = nowMs;
    }
    const shard = this.#shards[this.#current]!;
    this.#nowSec = Math.floor(shard.clock.ms / 1000);
    if (shard.ownership !== null) shard.ownership.take();
    const hasMore = this.#walks[this.#current]!.step(count, this.#visit);
    if (shard.ownership !== null) shard.ownership.give();
    if (hasMore) return;
    const { figures } = shard;
    figures[ST_NSUP_VISITED] = this.#visited;
    figures[ST_NSUP_DELETED] = this.#deleted;
    figures[ST_NON_EXPIRABLE] = this.#nonExpirable;
    this.#visited = 0;
    this.#deleted = 0;
    this.#nonExpirable = 0;
    if (++this.#current < this.#shards.length) return;
    this.#current = -1;
    const durationSec = Math.floor((nowMs - this.#startedMs) / 1000);
    for (const { figures: of } of this.#shards) of[ST_NSUP_DURATION] = durationSec;
  }

  #look(entry: number): void {
    const shard = this.#shards[this.#current]!;
    const { index } = shard;
    if (index.hasFlag(entry, TOMBSTONE)) return;
    this.#visited++;
    const voidTime = index.voidTime(entry);
    if (voidTime === 0) {
      this.#nonExpirable++;
    } else if (voidTime <= this.#nowSec) {
      shard.expire(entry);
      this.#deleted++;
      shard.namespace.counters[EXPIRED_OBJECTS]! += 1;
    }
  }
}
