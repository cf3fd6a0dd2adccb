/**
 * The rows of a batch by their shards, so that what has to be done for a shard is done once. They can also be brought
 * near to the processor all together before they are executed: each look-up waits for memory several times, one after
 * the other (the head of its list, an entry or two, the record), and step by step the processor waits for many rows
 * at once. Nothing is held and nothing changes then; what others do meanwhile makes it useless at worst, not wrong.
 */
import { PARTITION_COUNT, partitionOf } from '../base/digest.js';
import { AHEAD_STEPS } from '../storage/index/sprig-lists.js';
import { ROW_DIGEST_AT } from './batch-group.js';
import type { ShardView } from './shard-view.js';

export class RowGroups {
  /** The rows' numbers, shard by shard, in order within a shard; and where their digests are. */
  readonly rows: Uint16Array;
  readonly digestsAt: Int32Array;
  /**
   * After `touch`: the complement of the handle of what seemed to be each row's own entry, or a number that is not
   * negative, when none did. It may have gone since.
   */
  readonly ahead: Int32Array;
  /** Shards in `rows`, by number; and for each where its rows end. */
  readonly shards = new Uint16Array(PARTITION_COUNT);
  readonly ends = new Int32Array(PARTITION_COUNT);
  shardCount = 0;
  /** [shard] → rows, then where its next one goes; zeros between two batches. */
  readonly #next = new Int32Array(PARTITION_COUNT);
  readonly #shardOfRow: Uint16Array;
  readonly #orders: Int32Array;
  readonly #lows: Int32Array;
  readonly #highs: Int32Array;

  constructor(rowsMax: number) {
    this.rows = new Uint16Array(rowsMax);
    this.digestsAt = new Int32Array(rowsMax);
    this.#shardOfRow = new Uint16Array(rowsMax);
    this.#orders = new Int32Array(rowsMax);
    this.ahead = new Int32Array(rowsMax);
    this.#lows = new Int32Array(rowsMax);
    this.#highs = new Int32Array(rowsMax);
  }

  /**
   * @param shardOf [partition] → shard number.
   * @param rowsAt  Where the `count` rows' indexes and digests are in `bytes`.
   */
  group(shardOf: Uint16Array, bytes: Uint8Array, rowsAt: Int32Array, count: number): void {
    const { rows, digestsAt, shards, ends } = this;
    const next = this.#next;
    const shardOfRow = this.#shardOfRow;
    let shardCount = 0;
    for (let i = 0; i < count; i++) {
      const shard = shardOf[partitionOf(bytes, rowsAt[i]! + ROW_DIGEST_AT)]!;
      shardOfRow[i] = shard;
      if (next[shard]!++ === 0) shards[shardCount++] = shard;
    }
    let end = 0;
    for (let g = 0; g < shardCount; g++) {
      const start = end;
      end += next[shards[g]!]!;
      next[shards[g]!] = start;
      ends[g] = end;
    }
    for (let i = 0; i < count; i++) {
      const at = next[shardOfRow[i]!]!++;
      rows[at] = i;
      digestsAt[at] = rowsAt[i]! + ROW_DIGEST_AT;
    }
    for (let g = 0; g < shardCount; g++) next[shards[g]!] = 0;
    this.shardCount = shardCount;
  }

  /** Brings the records near. @param views Of the shards. */
  touch(views: readonly (ShardView | undefined)[], bytes: Uint8Array): void {
    const at = this.ahead;
    const orders = this.#orders;
    const lows = this.#lows;
    const highs = this.#highs;
    const { shardCount, shards, ends, digestsAt } = this;
    for (let step = -1; step <= AHEAD_STEPS; step++) {
      for (let g = 0, from = 0; g < shardCount; from = ends[g++]!) {
        const view = views[shards[g]!];
        if (view === undefined) continue;
        const { index } = view;
        if (step < 0) index.headsAhead(bytes, digestsAt, orders, at, from, ends[g]!);
        else if (step < AHEAD_STEPS) index.entriesAhead(orders, at, from, ends[g]!);
        else {
          index.locationsAhead(at, lows, highs, from, ends[g]!);
          view.engine.touchMany(lows, highs, from, ends[g]!);
        }
      }
    }
  }
}
