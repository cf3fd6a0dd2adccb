/**
 * Small batches that are executed where they are (in-place.ts): all rows of one namespace, each of them short. All
 * rows are read before the first is executed, so that their records can be brought near to the processor together. A
 * row that the worker of its shard has to execute after all is left to it.
 */
import { PARTITION_COUNT, partitionOf } from '../base/digest.js';
import { FILTERED_OUT, NOT_FOUND, OK } from '../base/result.js';
import { readU32 } from '../wire/message.js';
import { ROW_DIGEST_AT, ROW_PREFIX_SIZE } from './batch-group.js';
import { Request, ROW_REPEAT } from './command/request.js';
import { type InPlace, MESSAGE_SIZE_MAX } from './in-place.js';
import type { NamespaceRoute, Routes } from './routes.js';
import { RowGroups } from './row-groups.js';

/** Rows that a batch may have: about a tenth of a millisecond. */
export const IN_PLACE_ROWS_MAX = 256;
/** Rows for which a shard is held in one go. */
const HELD_ROWS_MAX = 32;
/** Looks at the word of a shard that another thread has, when there is nothing else to do: as long as it takes for some rows. */
const TRIES_MAX = 400;

export class BatchInPlace {
  readonly inPlace: InPlace;
  code = OK;
  /** Of the rows that were read. */
  route!: NamespaceRoute;
  readonly #routes: Routes;
  readonly #row = new Request();
  /** Where the index and digest of each row are, and where its command is and ends. */
  readonly rowsAt = new Int32Array(IN_PLACE_ROWS_MAX);
  readonly templatesAt = new Int32Array(IN_PLACE_ROWS_MAX);
  readonly templateEnds = new Int32Array(IN_PLACE_ROWS_MAX);
  /** Numbers of the rows that were left, those on one key in order. */
  readonly left = new Uint16Array(IN_PLACE_ROWS_MAX);
  leftCount = 0;
  readonly #groups = new RowGroups(IN_PLACE_ROWS_MAX);
  /** Places in the groups of shards that others had. */
  readonly #busy = new Uint16Array(IN_PLACE_ROWS_MAX);
  /** Whether one command is that of all rows. */
  #isUniform = false;
  // While a batch is run.
  #bytes!: Uint8Array;
  /** Where the command of `#row` is, or -1. */
  #parsedAt = -1;
  /** [shard] → the last batch of which a row on it was left to its worker. */
  readonly #leftIn = new Int32Array(PARTITION_COUNT);
  #batchNumber = 0;
  #count = 0;
  #info3 = 0;

  constructor(routes: Routes, inPlace: InPlace) {
    this.#routes = routes;
    this.inPlace = inPlace;
  }

  /** Reads `count` rows at `at`. @returns Whether `run` may follow; if not, the rows may be anything. */
  read(bytes: Uint8Array, at: number, end: number, count: number, info3: number): boolean {
    const row = this.#row;
    this.#count = count;
    this.#info3 = info3;
    let route: NamespaceRoute | null = null;
    let templateAt = -1;
    let templateEnd = 0;
    let p = at;
    for (let i = 0; i < count; i++) {
      if (p + ROW_PREFIX_SIZE + 1 > end) return false;
      this.rowsAt[i] = p;
      if ((bytes[p + ROW_PREFIX_SIZE]! & ROW_REPEAT) === 0) {
        templateAt = p + ROW_PREFIX_SIZE;
        if (row.parseRow(bytes, templateAt, end, info3) !== OK || row.namespaceAt < 0) return false;
        const named = this.#routes.find(bytes, row.namespaceAt, row.namespaceSize);
        if (named === null || (route !== null && named !== route)) return false;
        route = named;
        if (!this.inPlace.mayRun(route.id, row)) return false;
        templateEnd = row.endAt;
        if (templateEnd - templateAt > MESSAGE_SIZE_MAX) return false;
        p = templateEnd;
      } else {
        if (templateAt < 0 || row.hasKey) return false;
        p += ROW_PREFIX_SIZE + 1;
      }
      this.templatesAt[i] = templateAt;
      this.templateEnds[i] = templateEnd;
    }
    if (route === null) return false;
    this.route = route;
    this.#isUniform = this.templatesAt[0] === templateAt;
    return true;
  }

  /**
   * Executes the rows that were read; their answers are in the outbox's open frame of rows.
   * @param respondAll     Whether rows that fail end nothing.
   * @param reportErrorRow If they do, whether the one that failed is answered.
   * @returns How many were left. `code` is that of the row which has ended the batch, or OK.
   */
  run(bytes: Uint8Array, respondAll: boolean, reportErrorRow: boolean): number {
    const { inPlace } = this;
    const groups = this.#groups;
    groups.group(this.route.shardOf, bytes, this.rowsAt, this.#count);
    inPlace.beginRows(this.route.id, groups, bytes);
    this.#batchNumber = (this.#batchNumber + 1) | 0;
    this.#bytes = bytes;
    this.#parsedAt = -1;
    this.code = OK;
    const isPlain = this.#isUniform && inPlace.beginPlainRows(this.route.id, this.#row);
    this.leftCount = 0;
    if (respondAll || isPlain) this.#runByShard(isPlain, respondAll, reportErrorRow);
    else this.#runInOrder(reportErrorRow);
    return this.leftCount;
  }

  /** Leaves all rows, which were not read. */
  leaveAll(count: number): void {
    for (let i = 0; i < count; i++) this.left[i] = i;
    this.leftCount = count;
  }

  /**
   * A shard's rows follow each other, so that it is taken once; those of shards that others have come last. Rows of plain
   * reads, and others whose failures end nothing.
   */
  #runByShard(isPlain: boolean, respondAll: boolean, reportErrorRow: boolean): void {
    const { inPlace } = this;
    const { shards, ends, shardCount } = this.#groups;
    let busyCount = 0;
    for (let g = 0; g < shardCount; g++) {
      if (!inPlace.takeShard(shards[g]!, 1)) this.#busy[busyCount++] = g;
      else if (this.#runHeld(g, isPlain, respondAll, reportErrorRow)) return;
    }
    for (let i = 0; i < busyCount; i++) {
      const g = this.#busy[i]!;
      if (inPlace.takeShard(shards[g]!, TRIES_MAX)) {
        if (this.#runHeld(g, isPlain, respondAll, reportErrorRow)) return;
      } else {
        for (let at = g === 0 ? 0 : ends[g - 1]!; at < ends[g]!; at++) this.#leave(this.#groups.rows[at]!);
      }
    }
  }

  /** Executes the rows of a shard that was taken, and gives it back. @returns Whether one has ended the batch. */
  #runHeld(g: number, isPlain: boolean, respondAll: boolean, reportErrorRow: boolean): boolean {
    const { inPlace } = this;
    const { rows, shards, ends, digestsAt, ahead } = this.#groups;
    const bytes = this.#bytes;
    const from = g === 0 ? 0 : ends[g - 1]!;
    const end = ends[g]!;
    let isHeld = true;
    for (let at = from; at < end; at++) {
      if (isHeld && (at - from) % HELD_ROWS_MAX === HELD_ROWS_MAX - 1) {
        inPlace.giveShard();
        isHeld = inPlace.takeShard(shards[g]!, TRIES_MAX);
      }
      const digestAt = digestsAt[at]!;
      if (isHeld && isPlain) {
        const rowIndex = readU32(bytes, digestAt - ROW_DIGEST_AT);
        if (inPlace.plainRow(bytes, digestAt, ~ahead[at]!, rowIndex)) continue;
      }
      if (!isHeld || !this.#runRow(rows[at]!)) {
        // Rows on one key stay in order: what comes after a row that is left is left too.
        if (isHeld) inPlace.giveShard();
        isHeld = false;
        this.#leave(rows[at]!);
      } else if (!respondAll && this.#endsBatch(reportErrorRow)) {
        inPlace.giveShard();
        return true;
      }
    }
    if (isHeld) inPlace.giveShard();
    return false;
  }

  #runInOrder(reportErrorRow: boolean): void {
    const { inPlace } = this;
    const { shardOf } = this.route;
    for (let i = 0; i < this.#count; i++) {
      const shard = shardOf[partitionOf(this.#bytes, this.rowsAt[i]! + ROW_DIGEST_AT)]!;
      let hasRun = false;
      if (this.#leftIn[shard] !== this.#batchNumber && inPlace.takeShard(shard, TRIES_MAX)) {
        hasRun = this.#runRow(i);
        inPlace.giveShard();
      }
      if (hasRun) {
        if (this.#endsBatch(reportErrorRow)) break;
        continue;
      }
      this.#leftIn[shard] = this.#batchNumber;
      this.#leave(i);
    }
  }

  /** Executes a row on its shard, which is taken. @returns false when its worker has to. */
  #runRow(i: number): boolean {
    const row = this.#row;
    const templateAt = this.templatesAt[i]!;
    if (templateAt !== this.#parsedAt)
      row.parseRow(this.#bytes, templateAt, this.templateEnds[i]!, this.#info3);
    this.#parsedAt = templateAt;
    const rowAt = this.rowsAt[i]!;
    row.digestAt = rowAt + ROW_DIGEST_AT;
    return this.inPlace.row(row, readU32(this.#bytes, rowAt));
  }

  /** Whether the row that was executed last ends the batch, where the first failure does. */
  #endsBatch(reportErrorRow: boolean): boolean {
    const { code } = this.inPlace;
    if (code === OK || code === NOT_FOUND || code === FILTERED_OUT) return false;
    this.code = code;
    if (!reportErrorRow) this.inPlace.dropRow();
    return true;
  }

  #leave(i: number): void {
    this.left[this.leftCount++] = i;
  }

  /** Ends the frame of rows, as InPlace.endRows. */
  end(durationMs: number): number {
    return this.inPlace.endRows(this.route.id, durationMs);
  }
}
