/** The rows of batches as ring frames, and one batch under way. */

import { copyBytes } from '../base/copy.js';
import { GROUP_FILTER_SIZE, GROUP_HEADER_SIZE, groupRowsAt, ROW_PREFIX_SIZE } from '../shard/batch-group.js';
import { Request, ROW_REPEAT } from '../shard/command/request.js';
import { writeU32 } from '../wire/message.js';
import type { ClientRef } from './client-ref.js';

/** The filter of a batch that has none. */
export const NO_FILTER: Uint8Array = new Uint8Array(0);

/** Some rows of a batch for one worker, as they go into its ring. */
export interface GroupFrame {
  number: number;
  readonly worker: number;
  bytes: Uint8Array;
  size: number;
  /** Rows in `bytes`, and rows that have not ended. */
  rowsToSend: number;
  rowsLeft: number;
  isUnderWay: boolean;
}

/**
 * Builds the group frames of one batch after another. A row is copied as it came; where a repeated row's
 * full row went to another group, the full row's command is written in its place.
 */
export class GroupFrames {
  readonly #open: (GroupFrame | null)[];
  readonly #templates: Int32Array;
  readonly #sizeMax: number;
  #info3 = 0;
  /** Its bytes come before the rows of each group. */
  #filter: Uint8Array = NO_FILTER;
  #messageSize = 0;
  /** Bytes taken for the frames of this batch. */
  totalSize = 0;
  #flags = 0;
  #done: GroupFrame[] = [];

  /** @param sizeMax A frame is ended when the next row would make it longer than this. */
  constructor(workerCount: number, sizeMax: number) {
    this.#open = new Array<GroupFrame | null>(workerCount).fill(null);
    this.#templates = new Int32Array(workerCount);
    this.#sizeMax = sizeMax;
  }

  /**
   * @param filter      The batch's own filter; not kept beyond `finish`.
   * @param messageSize Bytes of the whole batch, as a measure for its frames.
   */
  begin(info3: number, flags: number, filter: Uint8Array, messageSize: number): void {
    this.#filter = filter;
    this.#messageSize = messageSize;
    this.totalSize = 0;
    this.#info3 = info3;
    this.#flags = flags;
    this.#done = [];
    this.#open.fill(null);
  }

  /**
   * @param rowAt      Where the row's index and digest are.
   * @param templateAt Where the command of the row is, from its row flags on: its own, or the one it repeats.
   */
  addRow(worker: number, bytes: Uint8Array, rowAt: number, templateAt: number, templateEnd: number): void {
    let group = this.#open[worker] ?? null;
    const fullSize = ROW_PREFIX_SIZE + templateEnd - templateAt;
    const isRepeat = group !== null && this.#templates[worker] === templateAt;
    const need = isRepeat ? ROW_PREFIX_SIZE + 1 : fullSize;
    // A long command takes as much again of repeats with it, lest each of them need a copy of the command; and a long
    // filter as much again of rows.
    const rowsMax = Math.max(this.#sizeMax, 2 * this.#filter.length);
    const sizeMax = isRepeat ? Math.max(rowsMax, 2 * fullSize) : rowsMax;
    if (group !== null && group.size + need > sizeMax) {
      this.#open[worker] = null;
      group = null;
    }
    if (group === null) {
      group = this.#newGroup(worker, fullSize);
      this.#templates[worker] = -1;
    }
    if (group.size + need > group.bytes.length) group.bytes = Buffer.concat([group.bytes], sizeMax);
    const out = group.bytes;
    copyBytes(out, group.size, bytes, rowAt, ROW_PREFIX_SIZE);
    if (this.#templates[worker] === templateAt) {
      out[group.size + ROW_PREFIX_SIZE] = ROW_REPEAT;
      group.size += ROW_PREFIX_SIZE + 1;
    } else {
      copyBytes(out, group.size + ROW_PREFIX_SIZE, bytes, templateAt, templateEnd - templateAt);
      group.size += fullSize;
      this.#templates[worker] = templateAt;
    }
    group.rowsToSend++;
    group.rowsLeft++;
  }

  /** The groups of the batch; they are the caller's. */
  finish(): GroupFrame[] {
    this.#filter = NO_FILTER;
    return this.#done;
  }

  #newGroup(worker: number, firstRowSize: number): GroupFrame {
    const filterSize = this.#filter.length;
    const headSize = GROUP_HEADER_SIZE + filterSize;
    const capacity =
      headSize + firstRowSize + Math.min(this.#sizeMax, Math.max(this.#messageSize, firstRowSize));
    this.totalSize += capacity;
    const bytes = Buffer.allocUnsafe(capacity);
    bytes.fill(0, 0, GROUP_HEADER_SIZE);
    bytes[0] = this.#info3;
    bytes[1] = this.#flags;
    writeU32(bytes, GROUP_FILTER_SIZE, filterSize);
    bytes.set(this.#filter, GROUP_HEADER_SIZE);
    const group: GroupFrame = {
      number: this.#done.length,
      worker,
      bytes,
      size: headSize,
      rowsToSend: 0,
      rowsLeft: 0,
      isUnderWay: false,
    };
    this.#open[worker] = group;
    this.#done.push(group);
    return group;
  }
}

/** A batch whose rows are under way. */
export class BatchRun {
  readonly slot: number;
  readonly generation: number;
  readonly requestNumber: number;
  readonly arrivalMs: number;
  deadlineMs = 0;
  /** The code of the trailer. */
  code = 0;
  /** Only the trailer is answered. */
  isSilent = false;
  rowsLeft: number;
  readonly groups: readonly GroupFrame[];
  /** Groups to be sent. */
  waiting: GroupFrame[];
  underWay = 0;

  constructor(client: ClientRef, nowMs: number, groups: GroupFrame[], rowCount: number) {
    this.slot = client.slot;
    this.generation = client.generation;
    this.requestNumber = client.requestNumber;
    this.arrivalMs = nowMs;
    this.groups = groups;
    this.waiting = [...groups];
    this.rowsLeft = rowCount;
  }

  /** The batch has failed: rows that were not sent never will be. */
  dropWaiting(): void {
    for (const group of this.waiting) {
      this.rowsLeft -= group.rowsToSend;
      group.rowsLeft -= group.rowsToSend;
    }
    this.waiting = [];
  }

  /** A group came back after `begun` of its rows: the others go to the front of the line, as a group of the same number. */
  dropBegun(group: GroupFrame, begun: number): void {
    this.underWay--;
    group.isUnderWay = false;
    const row = new Request();
    const { bytes, size } = group;
    const headSize = groupRowsAt(bytes, 0);
    let p = headSize;
    let templateAt = 0;
    let templateEnd = 0;
    for (let i = 0; i < begun; i++) {
      if ((bytes[p + ROW_PREFIX_SIZE]! & ROW_REPEAT) === 0) {
        templateAt = p + ROW_PREFIX_SIZE;
        row.parseRow(bytes, templateAt, size, 0);
        templateEnd = row.endAt;
        p = templateEnd;
      } else {
        p += ROW_PREFIX_SIZE + 1;
      }
    }
    // The first row that is left needs a command of its own.
    const isRepeat = (bytes[p + ROW_PREFIX_SIZE]! & ROW_REPEAT) !== 0;
    const templateSize = isRepeat ? templateEnd - templateAt : 0;
    const restAt = p + ROW_PREFIX_SIZE + (isRepeat ? 1 : 0);
    const fresh = Buffer.allocUnsafe(headSize + ROW_PREFIX_SIZE + templateSize + size - restAt);
    let out = 0;
    const append = (from: number, to: number): void => {
      copyBytes(fresh, out, bytes, from, to - from);
      out += to - from;
    };
    append(0, headSize);
    append(p, p + ROW_PREFIX_SIZE);
    append(templateAt, templateAt + templateSize);
    append(restAt, size);
    group.bytes = fresh;
    group.size = out;
    group.rowsToSend -= begun;
    this.waiting.unshift(group);
  }
}
