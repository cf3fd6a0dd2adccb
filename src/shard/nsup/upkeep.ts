/**
 * What a worker does for its records by itself, a little every 10 ms: keeps their clocks, removes what was
 * truncated or evicted and what has expired, and makes the indexes of sets.
 */
import { monotonicMs } from '../../base/clock.js';
import type { Shard } from '../shard.js';
import type { ShardMap } from '../shard-map.js';
import type { EvictionCountReport } from './eviction-count.js';
import { Nsup } from './nsup.js';
import { SetIndexing } from './set-indexing.js';
import { TombRaider } from './tomb-raider.js';
import { TruncationWalk } from './truncation-walk.js';

/** Of every 10 ms at most; a command that comes meanwhile waits for it. */
const BUDGET_MS = 0.5;
/** Entries between two looks at the time. */
const STEP_COUNT = 128;

export class Upkeep {
  readonly #shards: readonly Shard[];
  readonly #nsups: readonly Nsup[];
  readonly #truncations: readonly TruncationWalk[];
  readonly #raiders: readonly TombRaider[];
  readonly #indexings: readonly SetIndexing[];
  /** Where the next turn begins, so that no namespace waits for another. */
  #next = 0;

  /** @param report Gets what was counted for eviction. */
  constructor(map: ShardMap, report: (report: EvictionCountReport) => void) {
    this.#shards = map.shards;
    const namespaces = map.namespaces
      .map(namespace => map.shards.filter(shard => shard.namespace === namespace))
      .filter(shards => shards.length > 0);
    this.#nsups = namespaces.map(shards => new Nsup(shards, report));
    this.#truncations = namespaces.map(shards => new TruncationWalk(shards));
    this.#indexings = namespaces.map(shards => new SetIndexing(shards));
    this.#raiders = namespaces.map(shards => new TombRaider(shards, monotonicMs()));
  }

  /**
   * To be called about every 10 ms.
   * @param nowMs  Monotonic.
   * @param wallMs Since 2010.
   * @returns Whether there is more to do, so that an idle worker should not sleep long.
   */
  step(nowMs: number, wallMs: number): boolean {
    this.keepClocks(nowMs, wallMs);
    this.#next++;
    const endMs = monotonicMs() + BUDGET_MS;
    for (let i = 0; i < this.#nsups.length; i++) {
      const at = (this.#next + i) % this.#nsups.length;
      const truncation = this.#truncations[at]!;
      const nsup = this.#nsups[at]!;
      const raider = this.#raiders[at]!;
      const indexing = this.#indexings[at]!;
      while (truncation.step(STEP_COUNT)) if (monotonicMs() >= endMs) return true;
      while (indexing.step(STEP_COUNT)) if (monotonicMs() >= endMs) return true;
      while (nsup.isDue(nowMs)) {
        nsup.step(nowMs, STEP_COUNT);
        if (monotonicMs() >= endMs) return true;
      }
      while (raider.step(nowMs, STEP_COUNT)) if (monotonicMs() >= endMs) return true;
    }
    return false;
  }

  /** The clocks' part alone: what is left to do before the engines are closed. */
  keepClocks(nowMs: number, wallMs: number): void {
    for (const shard of this.#shards) {
      if (shard.ownership !== null) shard.ownership.take();
      shard.clock.read(wallMs);
      shard.clock.tick(nowMs, wallMs, shard.engine);
      if (shard.ownership !== null) shard.ownership.give();
    }
  }
}
