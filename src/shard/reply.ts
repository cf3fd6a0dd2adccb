/**
 * The way back to the main thread: completions into the ring, large ones through the slab. A worker that
 * finds no room publishes what it has, wakes the main thread and waits for it: main always drains
 * completions before it pushes requests, so room comes.
 */

import assert from 'node:assert';
import type { Region } from '../base/arena.js';
import type { RingProducer } from '../base/ring.js';
import type { Waker } from '../base/sleeper.js';
import { PROTO_HEADER_SIZE, PROTO_MESSAGE, writeProtoHeader } from '../wire/proto.js';
import type { BatchGroup } from './batch-group.js';
import type { Answer } from './command/answer.js';
import {
  COMP_ARRIVAL,
  COMP_CODE_NAMESPACE,
  COMP_CONNECTION_GENERATION,
  COMP_ENDED,
  COMP_KIND,
  COMP_NUMBER,
  COMP_ROWS,
  COMP_SIZE,
  COMP_SLOT,
  COMP_TICKET,
  COMPLETION_ANSWER,
  COMPLETION_BATCH,
  COMPLETION_HEADER_SIZE,
  COMPLETION_PAUSED,
  COMPLETION_ROWS,
  INLINE_SIZE_MAX,
  kindWord,
  REQ_ARRIVAL,
  REQ_CONNECTION_GENERATION,
  REQ_DEADLINE,
  REQ_NUMBER,
  REQ_SLOT,
} from './frame.js';
import type { SlabProducer } from './slab.js';

const WAIT_MS = 5;

export class Reply {
  readonly #ring: RingProducer;
  readonly #slab: SlabProducer;
  readonly #main: Waker;
  readonly #isStopping: () => boolean;
  // The frame of rows that is being filled, if any.
  #group: BatchGroup | null = null;
  #rowsAt = 0;
  #rowsEnd = 0;
  #rowCount = 0;
  #rowsCode = 0;
  #rowsEndedMs = 0;
  #rowsNamespace = 0;

  constructor(ring: RingProducer, slab: SlabProducer, main: Waker, isStopping: () => boolean) {
    this.#ring = ring;
    this.#slab = slab;
    this.#main = main;
    this.#isStopping = isStopping;
  }

  /** Shows everything to the main thread and wakes it if it sleeps. */
  publish(): void {
    if (this.#ring.publish()) this.#main.wake();
  }

  /**
   * Answers a single command.
   * @param header   Words of the request frame's header, starting at word `w`; `f64` over the same memory.
   * @param klass    Command class, for the main thread's histograms.
   * @param endedMs  When the command was done, or 0.
   */
  answer(
    header: Uint32Array,
    f64: Float64Array,
    w: number,
    klass: number,
    namespaceId: number,
    answer: Answer,
    endedMs: number,
  ): void {
    const bodySize = answer.messageSize;
    const size = PROTO_HEADER_SIZE + bodySize;
    const isInline = size <= INLINE_SIZE_MAX;
    const at = this.#reserve(COMPLETION_HEADER_SIZE + (isInline ? size : 0));
    if (at < 0) return;
    const { u8, u32, f64: ringF64 } = this.#ring.region;
    const c = at >>> 2;
    u32[c + COMP_KIND] = kindWord(COMPLETION_ANSWER, klass);
    u32[c + COMP_SLOT] = header[w + REQ_SLOT]!;
    u32[c + COMP_CONNECTION_GENERATION] = header[w + REQ_CONNECTION_GENERATION]!;
    u32[c + COMP_NUMBER] = header[w + REQ_NUMBER]!;
    u32[c + COMP_CODE_NAMESPACE] = answer.code | (namespaceId << 16);
    u32[c + COMP_SIZE] = size;
    u32[c + COMP_ROWS] = 0;
    ringF64[(c + COMP_ARRIVAL) >>> 1] = f64[(w + REQ_ARRIVAL) >>> 1]!;
    ringF64[(c + COMP_ENDED) >>> 1] = endedMs;
    if (isInline) {
      u32[c + COMP_TICKET] = 0;
      writeProtoHeader(u8, at + COMPLETION_HEADER_SIZE, PROTO_MESSAGE, bodySize);
      answer.write(this.#ring.region, at + COMPLETION_HEADER_SIZE + PROTO_HEADER_SIZE, 0);
      this.#ring.commit(COMPLETION_HEADER_SIZE + size);
      return;
    }
    const ticket = this.#take(size);
    if (ticket < 0) return;
    u32[c + COMP_TICKET] = ticket + 1;
    const slabAt = this.#slab.offsetOf(ticket);
    const slabBytes = this.#slab.region.u8;
    writeProtoHeader(slabBytes, slabAt, PROTO_MESSAGE, bodySize);
    answer.write(this.#slab.region, slabAt + PROTO_HEADER_SIZE, 0);
    this.#ring.commit(COMPLETION_HEADER_SIZE);
  }

  /**
   * Answers one row of a batch; rows of one group that follow each other share a frame.
   * @param endedMs When the row was done, or 0. A frame tells it, and the namespace, of its last row.
   */
  row(group: BatchGroup, rowIndex: number, answer: Answer, endedMs: number, namespaceId: number): void {
    const size = answer.messageSize;
    group.credit -= size;
    if (size > INLINE_SIZE_MAX - PROTO_HEADER_SIZE) {
      this.endRows();
      this.#rowsEndedMs = endedMs;
      this.#rowsNamespace = namespaceId;
      this.#largeRow(group, rowIndex, answer);
      return;
    }
    if (
      this.#group !== group ||
      this.#rowsEnd + size > this.#rowsAt + COMPLETION_HEADER_SIZE + INLINE_SIZE_MAX
    ) {
      this.endRows();
      const at = this.#reserve(COMPLETION_HEADER_SIZE + INLINE_SIZE_MAX);
      if (at < 0) return;
      this.#group = group;
      this.#rowsAt = at;
      this.#rowsEnd = at + COMPLETION_HEADER_SIZE + PROTO_HEADER_SIZE;
      this.#rowCount = 0;
    }
    this.#rowsEnd = answer.write(this.#ring.region, this.#rowsEnd, rowIndex);
    this.#rowCount++;
    this.#rowsEndedMs = endedMs;
    this.#rowsNamespace = namespaceId;
    this.#rowsCode = group.stopCode; // the row that ends the batch says so itself: its answer may be the last
  }

  /** Where the completions lie. */
  get region(): Region {
    return this.#ring.region;
  }

  /**
   * Room for the answer of a batch that is executed as a whole, up to `sizeMax` bytes; no row of a group may be open.
   * @returns Where it begins in `region`, or -1: the worker is being stopped.
   */
  openBatch(sizeMax: number): number {
    const at = this.#reserve(COMPLETION_HEADER_SIZE + sizeMax);
    return at < 0 ? at : at + COMPLETION_HEADER_SIZE;
  }

  /**
   * Answers a batch that was executed as a whole, in the room at `at`.
   * @param header   As of `answer`.
   * @param size     Bytes of the answer; what is to be told of rows that are left follows it.
   * @param leftSize Bytes of the latter.
   */
  endBatch(
    header: Uint32Array,
    f64: Float64Array,
    w: number,
    at: number,
    code: number,
    size: number,
    leftCount: number,
    leftSize: number,
  ): void {
    const { u32, f64: ringF64 } = this.#ring.region;
    const c = (at - COMPLETION_HEADER_SIZE) >>> 2;
    u32[c + COMP_KIND] = kindWord(COMPLETION_BATCH, 0);
    u32[c + COMP_SLOT] = header[w + REQ_SLOT]!;
    u32[c + COMP_CONNECTION_GENERATION] = header[w + REQ_CONNECTION_GENERATION]!;
    u32[c + COMP_NUMBER] = header[w + REQ_NUMBER]!;
    u32[c + COMP_CODE_NAMESPACE] = code;
    u32[c + COMP_SIZE] = size;
    u32[c + COMP_TICKET] = 0;
    u32[c + COMP_ROWS] = leftCount;
    ringF64[(c + COMP_ARRIVAL) >>> 1] = f64[(w + REQ_ARRIVAL) >>> 1]!;
    ringF64[(c + COMP_ENDED) >>> 1] = f64[(w + REQ_DEADLINE) >>> 1]!;
    this.#ring.commit(COMPLETION_HEADER_SIZE + size + leftSize);
  }

  /** Counts rows of a group as ended without answering them; `code` ends the batch. */
  dropRows(group: BatchGroup, count: number, code: number): void {
    this.endRows();
    this.#control(group, COMPLETION_ROWS, count, code);
  }

  /** Tells main that the group's credit is used up: its rows from `begun` on have to be sent again. */
  pause(group: BatchGroup, begun: number): void {
    this.endRows();
    this.#control(group, COMPLETION_PAUSED, begun, 0);
  }

  /** Ends the frame of rows that is being filled. Every other completion has to come after this. */
  endRows(): void {
    const group = this.#group;
    if (group === null) return;
    const at = this.#rowsAt;
    const size = this.#rowsEnd - at - COMPLETION_HEADER_SIZE;
    this.#header(at, group, COMPLETION_ROWS, this.#rowCount, this.#rowsCode);
    const c = at >>> 2;
    const { u8, u32 } = this.#ring.region;
    u32[c + COMP_SIZE] = size;
    u32[c + COMP_TICKET] = 0;
    writeProtoHeader(u8, at + COMPLETION_HEADER_SIZE, PROTO_MESSAGE, size - PROTO_HEADER_SIZE);
    this.#ring.commit(COMPLETION_HEADER_SIZE + size);
    this.#group = null;
  }

  #largeRow(group: BatchGroup, rowIndex: number, answer: Answer): void {
    const size = PROTO_HEADER_SIZE + answer.messageSize;
    const at = this.#reserve(COMPLETION_HEADER_SIZE);
    const ticket = at < 0 ? -1 : this.#take(size);
    if (ticket < 0) return;
    this.#header(at, group, COMPLETION_ROWS, 1, group.stopCode);
    const u32 = this.#ring.region.u32;
    u32[(at >>> 2) + COMP_SIZE] = size;
    u32[(at >>> 2) + COMP_TICKET] = ticket + 1;
    const slabAt = this.#slab.offsetOf(ticket);
    writeProtoHeader(this.#slab.region.u8, slabAt, PROTO_MESSAGE, answer.messageSize);
    answer.write(this.#slab.region, slabAt + PROTO_HEADER_SIZE, rowIndex);
    this.#ring.commit(COMPLETION_HEADER_SIZE);
  }

  #control(group: BatchGroup, kind: number, rows: number, code: number): void {
    this.#rowsEndedMs = 0;
    const at = this.#reserve(COMPLETION_HEADER_SIZE);
    if (at < 0) return;
    this.#header(at, group, kind, rows, code);
    this.#ring.region.u32[(at >>> 2) + COMP_SIZE] = 0;
    this.#ring.region.u32[(at >>> 2) + COMP_TICKET] = 0;
    this.#ring.commit(COMPLETION_HEADER_SIZE);
  }

  #header(at: number, group: BatchGroup, kind: number, rows: number, code: number): void {
    const { u32, f64 } = this.#ring.region;
    const c = at >>> 2;
    u32[c + COMP_KIND] = kindWord(kind, this.#rowsNamespace);
    u32[c + COMP_SLOT] = group.connectionSlot;
    u32[c + COMP_CONNECTION_GENERATION] = group.connectionGeneration;
    u32[c + COMP_NUMBER] = group.requestNumber;
    u32[c + COMP_CODE_NAMESPACE] = code | (group.number << 16);
    u32[c + COMP_ROWS] = rows;
    f64[(c + COMP_ARRIVAL) >>> 1] = group.arrivalMs;
    f64[(c + COMP_ENDED) >>> 1] = kind === COMPLETION_ROWS ? this.#rowsEndedMs : 0;
  }

  /** Ring room, waiting for it if need be; -1 only when the worker is being stopped. */
  #reserve(size: number): number {
    for (;;) {
      const at = this.#ring.reserve(size);
      if (at >= 0 || this.#isStopping()) return at;
      this.publish();
      this.#ring.waitForRoom(WAIT_MS);
    }
  }

  #take(size: number): number {
    assert(size <= this.#slab.sizeMax, 'an answer is larger than the slab');
    for (;;) {
      const ticket = this.#slab.take(size);
      if (ticket >= 0 || this.#isStopping()) return ticket;
      this.publish();
      this.#ring.waitForRelease(WAIT_MS);
    }
  }
}
