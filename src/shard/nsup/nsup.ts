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
  ST_NSUP_EVICTED,
  ST_NSUP_VISITED,
} from '../../storage/engine.js';
import { VoidTimeHistogram } from '../../storage/expiry/void-time-histogram.js';
import { TOMBSTONE } from '../../storage/index/entry.js';
import { RECORD_ALIGN } from '../../storage/record/flat-record.js';
import { TUNE_NSUP_PERIOD } from '../namespace-memory.js';
import type { Shard } from '../shard.js';
import type { EvictionCountReport } from './eviction-count.js';
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
  /** Of the count for eviction that this cycle makes, or the last one made. */
  #countNumber = 0;
  #histogram: VoidTimeHistogram | null = null;
  #untilSec = 0;
  #lutMs = 0;
  readonly #report: (report: EvictionCountReport) => void;

  /**
   * @param shards Of one namespace and one worker; one at least.
   * @param report Gets what was counted for eviction.
   */
  constructor(shards: readonly Shard[], report: (report: EvictionCountReport) => void) {
    this.#report = report;
    this.#shards = shards;
    this.#walks = shards.map(shard => new IndexWalk(shard.index, shard.partitions));
  }

  /** Whether a cycle is under way or due. @param nowMs Monotonic. */
  isDue(nowMs: number): boolean {
    if (this.#current >= 0 || this.#isCountDue) return true;
    const periodMs = this.#shards[0]!.namespace.tuning[TUNE_NSUP_PERIOD]! * 1000;
    return periodMs > 0 && nowMs - this.#startedMs >= periodMs;
  }

  get #isCountDue(): boolean {
    return this.#shards[0]!.namespace.evictionCount.number !== this.#countNumber;
  }

  /** Goes on with the cycle, or begins one. @param count Entries to visit. */
  step(nowMs: number, count: number): void {
    if (this.#current < 0) {
      this.#current = 0;
      this.#startedMs = nowMs;
      if (this.#isCountDue) this.#beginCount();
    }
    const shard = this.#shards[this.#current]!;
    this.#nowSec = Math.floor(shard.clock.ms / 1000);
    if (shard.ownership !== null) shard.ownership.take();
    const hasMore = this.#walks[this.#current]!.step(count, this.#visit);
    if (shard.ownership !== null) shard.ownership.give();
    if (hasMore) return;
    const { figures } = shard;
    figures[ST_NSUP_VISITED] = this.#visited;
    figures[ST_NSUP_DELETED] = this.#deleted + figures[ST_NSUP_EVICTED]!;
    figures[ST_NSUP_EVICTED] = 0;
    figures[ST_NON_EXPIRABLE] = this.#nonExpirable;
    this.#visited = 0;
    this.#deleted = 0;
    this.#nonExpirable = 0;
    if (++this.#current < this.#shards.length) return;
    this.#current = -1;
    const durationSec = Math.floor((nowMs - this.#startedMs) / 1000);
    for (const { figures: of } of this.#shards) of[ST_NSUP_DURATION] = durationSec;
    this.#endCount();
  }

  #beginCount(): void {
    const { evictionCount } = this.#shards[0]!.namespace;
    this.#countNumber = evictionCount.number;
    const { fromSec, untilSec, lutMs, bucketCount } = evictionCount.request();
    this.#histogram = new VoidTimeHistogram(fromSec, bucketCount);
    this.#untilSec = untilSec;
    this.#lutMs = lutMs;
  }

  #endCount(): void {
    if (this.#histogram === null) return;
    const namespace = this.#shards[0]!.namespace.id;
    this.#report({ namespace, number: this.#countNumber, counts: this.#histogram.report() });
    this.#histogram = null;
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
    } else if (this.#histogram !== null) {
      if (voidTime > this.#untilSec || index.lut(entry) >= this.#lutMs) return;
      if (shard.namespace.isSetSpared(index.setId(entry))) return;
      this.#histogram.add(voidTime, (index.size(entry) + RECORD_ALIGN - 1) & -RECORD_ALIGN);
    }
  }
}
