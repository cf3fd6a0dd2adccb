/**
 * Small batches that the main thread executes itself (shard/in-place.ts): all rows of one memory namespace, each of
 * them short. All rows are read before the first is executed, so that their records can be brought near to the
 * processor together. A row that its worker has to execute after all goes into a frame for it.
 */
import { PARTITION_COUNT, partitionOf } from '../base/digest.js';
import { FILTERED_OUT, NOT_FOUND, OK } from '../base/result.js';
import { ROW_DIGEST_AT, ROW_PREFIX_SIZE } from '../shard/batch-group.js';
import { Request, ROW_REPEAT } from '../shard/command/request.js';
import { type InPlace, MESSAGE_SIZE_MAX } from '../shard/in-place.js';
import { readU32 } from '../wire/message.js';
import type { GroupFrames } from './batch-run.js';
import type { NamespaceRoute, Routes } from './routes.js';

/** Rows that a batch may have: about a tenth of a millisecond. */
export const IN_PLACE_ROWS_MAX = 256;

export class BatchInPlace {
  readonly inPlace: InPlace;
  code = OK;
  readonly #routes: Routes;
  readonly #row = new Request();
  readonly #rowsAt = new Int32Array(IN_PLACE_ROWS_MAX);
  readonly #templatesAt = new Int32Array(IN_PLACE_ROWS_MAX);
  readonly #templateEnds = new Int32Array(IN_PLACE_ROWS_MAX);
  /** [shard] → the last batch of which a row on it was left to its worker. */
  readonly #leftIn = new Int32Array(PARTITION_COUNT);
  #batchNumber = 0;
  #count = 0;
  #info3 = 0;
  #route!: NamespaceRoute;

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
      this.#rowsAt[i] = p;
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
      this.#templatesAt[i] = templateAt;
      this.#templateEnds[i] = templateEnd;
    }
    if (route === null) return false;
    this.#route = route;
    return true;
  }

  /**
   * Executes the rows that were read; their answers are in the outbox's open frame of rows.
   * @param frames         Gets the others.
   * @param respondAll     Whether rows that fail end nothing.
   * @param reportErrorRow If they do, whether the one that failed is answered.
   * @returns How many the others are. `code` is that of the row which has ended the batch, or OK.
   */
  run(bytes: Uint8Array, frames: GroupFrames, respondAll: boolean, reportErrorRow: boolean): number {
    const { inPlace } = this;
    const { id, shardOf, workerOf } = this.#route;
    const row = this.#row;
    const count = this.#count;
    inPlace.touchRows(id, shardOf, bytes, this.#rowsAt, count);
    inPlace.beginRows();
    this.#batchNumber = (this.#batchNumber + 1) | 0;
    this.code = OK;
    let left = 0;
    let parsedAt = -1;
    for (let i = 0; i < count; i++) {
      const rowAt = this.#rowsAt[i]!;
      const templateAt = this.#templatesAt[i]!;
      if (templateAt !== parsedAt) row.parseRow(bytes, templateAt, this.#templateEnds[i]!, this.#info3);
      parsedAt = templateAt;
      row.digestAt = rowAt + ROW_DIGEST_AT;
      const pid = partitionOf(bytes, row.digestAt);
      const shard = shardOf[pid]!;
      // Rows on one key stay in order: what comes after a row that is left is left too.
      const mayRun = this.#leftIn[shard] !== this.#batchNumber;
      if (mayRun && inPlace.row(id, shard, row, readU32(bytes, rowAt))) {
        const { code } = inPlace;
        if (respondAll || code === OK || code === NOT_FOUND || code === FILTERED_OUT) continue;
        this.code = code;
        if (!reportErrorRow) inPlace.dropRow();
        break;
      }
      this.#leftIn[shard] = this.#batchNumber;
      frames.addRow(workerOf[pid]!, bytes, rowAt, templateAt, this.#templateEnds[i]!);
      left++;
    }
    return left;
  }

  /** Ends the frame of rows, as InPlace.endRows. */
  end(durationMs: number): number {
    return this.inPlace.endRows(this.#route.id, durationMs);
  }
}
