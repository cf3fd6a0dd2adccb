/**
 * A worker's work: takes request frames, executes commands on its shards, sends answers; resumes commands
 * whose device reads have come; sleeps when there is nothing to do.
 */
import { epochMs, monotonicMs } from '../base/clock.js';
import { partitionOf } from '../base/digest.js';
import { KEY_BUSY, NAMESPACE_NOT_FOUND, OK, PARKED, TIMEOUT } from '../base/result.js';
import type { RingConsumer } from '../base/ring.js';
import type { Sleeper } from '../base/sleeper.js';
import {
  BatchGroup,
  GROUP_HAS_FILTER,
  GROUP_HEADER_SIZE,
  GROUP_REPORT_ERROR_ROW,
  GROUP_RESPOND_ALL,
  ROW_PREFIX_SIZE,
} from './batch-group.js';
import { execute, isReadCommand } from './command/execute.js';
import { Executor } from './command/executor.js';
import { countOutcome } from './command/outcome.js';
import { readTouchTtl } from './command/read.js';
import { Request, ROW_REPEAT } from './command/request.js';
import { touchRecord } from './command/write.js';
import {
  CLASS_READ,
  CLASS_WRITE,
  KIND_BATCH_GROUP,
  KIND_RECORD,
  kindOf,
  REQ_ARRIVAL,
  REQ_CONNECTION_GENERATION,
  REQ_CREDIT,
  REQ_DEADLINE,
  REQ_DIGEST_AT,
  REQ_KIND,
  REQ_NUMBER,
  REQ_PARTITION_NAMESPACE,
  REQ_ROWS,
  REQ_SIZE,
  REQ_SLOT,
  REQ_TICKET,
  REQUEST_HEADER_SIZE,
} from './frame.js';
import { TUNE_PENDING_LIMIT } from './namespace-memory.js';
import type { Reply } from './reply.js';
import type { NamespaceView, Shard } from './shard.js';
import type { SlabConsumer } from './slab.js';
import { type CommandSlot, CommandSlots } from './slots.js';
import type { WorkerDevices } from './worker-devices.js';

/** Commands that may wait at once on a worker. */
export const SLOT_COUNT = 512;
const BATCH = 256; // frames taken in a turn
const PUBLISH_EVERY = 16; // commands between two publications of answers
const TICK_MS = 10;
const SLEEP_MS = 20; // where a device needs looking after
const IDLE_SLEEP_MS = 100;

/** No command can wait with this: the engine answers PARKED without starting a read. */
const NO_TOKEN = -1;

/** The namespaces of a worker and how to find the shard of a partition. */
export interface ShardMap {
  /** Indexed by namespace id. */
  readonly namespaces: readonly NamespaceView[];
  /** [namespace id][partition] → shard of this worker, or null when another worker owns it. */
  readonly shardOf: readonly (readonly (Shard | null)[])[];
  readonly shards: readonly Shard[];
}

export interface LoopParts {
  readonly requests: RingConsumer;
  readonly slab: SlabConsumer;
  readonly reply: Reply;
  readonly sleeper: Sleeper;
  readonly map: ShardMap;
  readonly devices: WorkerDevices;
  readonly isStopping: () => boolean;
  /** Called once a turn. */
  readonly onTurn: () => void;
  /** Work for spare time; does a little and returns whether there is more. */
  readonly background: (nowMs: number) => boolean;
}

export class CommandLoop {
  readonly #parts: LoopParts;
  readonly #ex = new Executor();
  readonly #request = new Request();
  readonly #slots = new CommandSlots(SLOT_COUNT);
  readonly #groups: BatchGroup[] = [];
  readonly #tokens = new Int32Array(SLOT_COUNT);
  readonly #hasWork: () => boolean;
  #nowMs = 0;
  #tickAtMs = 0;
  #hasBackground = false;
  /** Changes whenever the request object is filled anew. */
  #parsed = 0;

  constructor(parts: LoopParts) {
    this.#parts = parts;
    this.#hasWork = () => parts.requests.hasFrame || parts.devices.hasWork() || parts.isStopping();
  }

  /** Runs until the stop word is set and every command in hand is answered. */
  run(): void {
    const { requests, sleeper, reply, devices } = this.#parts;
    for (;;) {
      this.#readClocks();
      this.#parts.onTurn();
      devices.pump();
      const hasResumed = this.#resumeParked();
      const busy = this.#takeFrames() || hasResumed;
      reply.publish();
      if (this.#nowMs >= this.#tickAtMs) this.#tick();
      if (busy) continue;
      if (this.#parts.isStopping() && !requests.hasFrame && this.#slots.freeCount === SLOT_COUNT) break;
      const isIdle = !devices.isUsed && !this.#hasBackground;
      sleeper.sleep(this.#hasWork, isIdle ? IDLE_SLEEP_MS : SLEEP_MS);
    }
  }

  #readClocks(): void {
    this.#nowMs = monotonicMs();
    this.#ex.setTime(epochMs());
  }

  #tick(): void {
    this.#tickAtMs = this.#nowMs + TICK_MS;
    if (this.#parts.devices.isUsed) this.#parts.devices.retune();
    for (const shard of this.#parts.map.shards) shard.engine.tick(this.#nowMs);
    this.#hasBackground = this.#parts.background(this.#nowMs);
  }

  #takeFrames(): boolean {
    const { requests } = this.#parts;
    let count = 0;
    while (count < BATCH && this.#slots.freeCount > 0) {
      const at = requests.next();
      if (at < 0) break;
      this.#frame(at);
      if (++count % PUBLISH_EVERY === 0) this.#parts.reply.publish();
    }
    if (count === 0) return false;
    requests.release();
    return true;
  }

  #frame(at: number): void {
    const { requests, slab } = this.#parts;
    const { u32, f64, u8 } = requests.region;
    const w = at >>> 2;
    const ticket = u32[w + REQ_TICKET]!;
    const size = u32[w + REQ_SIZE]!;
    const bytes = ticket === 0 ? u8 : slab.region.u8;
    const from = ticket === 0 ? at + REQUEST_HEADER_SIZE : slab.offsetOf(ticket - 1);
    const kind = kindOf(u32[w + REQ_KIND]!);
    if (kind === KIND_RECORD) this.#record(u32, f64, w, bytes, from, size, null);
    else if (kind === KIND_BATCH_GROUP) this.#batchGroup(u32, f64, w, bytes, from, size);
    if (ticket !== 0) slab.free(ticket - 1);
  }

  /**
   * Executes a single command whose frame header is at word `w`.
   * @param slot The slot it already holds when it is run again, else null.
   */
  #record(
    header: Uint32Array,
    f64: Float64Array,
    w: number,
    bytes: Uint8Array,
    at: number,
    size: number,
    slot: CommandSlot | null,
  ): void {
    const { map, reply } = this.#parts;
    const req = this.#request;
    const ex = this.#ex;
    const partitionNamespace = header[w + REQ_PARTITION_NAMESPACE]!;
    const namespaceId = partitionNamespace >>> 16;
    const shard = map.shardOf[namespaceId]![partitionNamespace & 0xffff]!;
    let code = req.parseMessage(bytes, at, size);
    const isRead = isReadCommand(req);
    const klass = isRead ? CLASS_READ : CLASS_WRITE;
    if (code === OK) {
      if (slot === null) {
        const digestAt = at + header[w + REQ_DIGEST_AT]!;
        const front = this.#slots.findParked(shard, bytes, digestAt);
        if (front !== null) {
          if (this.#enqueue(front, header, w, bytes, at, size, shard, null)) return;
          code = KEY_BUSY;
        }
      }
      if (code === OK) {
        if (this.#isLate(f64[(w + REQ_DEADLINE) >>> 1]!)) code = TIMEOUT;
        else code = execute(ex, shard, req, slot === null ? this.#slots.peek().number : slot.number);
      }
    }
    if (code === PARKED) {
      this.#park(slot, header, w, bytes, at, size, shard, null);
      return;
    }
    if (code !== OK && ex.answer.code !== code) ex.answer.fail(code);
    countOutcome(shard.namespace.counters, req, code, false);
    reply.answer(header, f64, w, klass, namespaceId, ex.answer);
    if (isRead && code === OK) this.#touchAfterRead(shard, req, slot);
    if (slot !== null) this.#leave(slot, shard);
  }

  #batchGroup(
    header: Uint32Array,
    f64: Float64Array,
    w: number,
    bytes: Uint8Array,
    at: number,
    size: number,
  ): void {
    const { reply } = this.#parts;
    const group = this.#groups.pop() ?? new BatchGroup();
    group.connectionSlot = header[w + REQ_SLOT]!;
    group.connectionGeneration = header[w + REQ_CONNECTION_GENERATION]!;
    group.requestNumber = header[w + REQ_NUMBER]!;
    group.arrivalMs = f64[(w + REQ_ARRIVAL) >>> 1]!;
    group.deadlineMs = f64[(w + REQ_DEADLINE) >>> 1]!;
    group.number = header[w + REQ_DIGEST_AT]!;
    group.headerInfo3 = bytes[at]!;
    const flags = bytes[at + 1]!;
    group.respondAll = (flags & GROUP_RESPOND_ALL) !== 0;
    group.reportErrorRow = (flags & GROUP_REPORT_ERROR_ROW) !== 0;
    group.hasFilter = (flags & GROUP_HAS_FILTER) !== 0;
    group.credit = header[w + REQ_CREDIT]!;
    group.stopCode = 0;
    group.openRows = 1; // ours, so that the group outlives the loop below
    const rows = header[w + REQ_ROWS]!;
    const end = at + size;
    let p = at + GROUP_HEADER_SIZE;
    let templateAt = 0;
    let templateEnd = 0;
    let templateStamp = -1;
    for (let i = 0; i < rows; i++) {
      if (group.stopCode !== 0) {
        reply.dropRows(group, rows - i, group.stopCode);
        break;
      }
      if (group.credit <= 0) {
        reply.pause(group, i);
        break;
      }
      const rowAt = p;
      if ((bytes[rowAt + ROW_PREFIX_SIZE]! & ROW_REPEAT) === 0) {
        templateAt = rowAt + ROW_PREFIX_SIZE;
        this.#request.parseRow(bytes, templateAt, end, group.headerInfo3); // checked by the main thread
        templateEnd = this.#request.endAt;
        p = templateEnd;
      } else {
        p = rowAt + ROW_PREFIX_SIZE + 1;
        if (this.#parsed !== templateStamp) {
          this.#request.parseRow(bytes, templateAt, end, group.headerInfo3); // a resumed command was in between
        }
      }
      templateStamp = ++this.#parsed;
      this.#row(group, bytes, rowAt, templateAt, templateEnd - templateAt, null);
    }
    reply.endRows();
    this.#closeRow(group);
  }

  /**
   * Executes one row. `rowAt` is where its index and digest are; the command itself, from the row flags on, is at
   * `templateAt` and already parsed into the request unless `slot` is given.
   */
  #row(
    group: BatchGroup,
    bytes: Uint8Array,
    rowAt: number,
    templateAt: number,
    templateSize: number,
    slot: CommandSlot | null,
  ): void {
    const { map, reply } = this.#parts;
    const req = this.#request;
    const ex = this.#ex;
    const rowIndex =
      ((bytes[rowAt]! << 24) | (bytes[rowAt + 1]! << 16) | (bytes[rowAt + 2]! << 8) | bytes[rowAt + 3]!) >>>
      0;
    req.digestAt = rowAt + 4;
    if (group.hasFilter) req.hasFilter = true;
    const namespaceId = this.#namespaceOf(req);
    const shard = namespaceId < 0 ? null : map.shardOf[namespaceId]![partitionOf(bytes, req.digestAt)]!;
    if (slot === null) group.openRows++;
    let code = OK;
    if (shard === null) code = NAMESPACE_NOT_FOUND;
    else if (slot === null) {
      const front = this.#slots.findParked(shard, bytes, req.digestAt);
      if (front !== null) {
        if (this.#enqueueRow(front, group, bytes, rowAt, templateAt, templateSize, shard)) return;
        code = KEY_BUSY;
      }
    }
    if (code === OK) {
      if (this.#isLate(group.deadlineMs)) code = TIMEOUT;
      else code = execute(ex, shard!, req, slot === null ? this.#slots.peek().number : slot.number);
    }
    if (code === PARKED) {
      if (slot === null) {
        const taken = this.#slots.take();
        this.#fillRowSlot(taken, group, bytes, rowAt, templateAt, templateSize, shard!);
        this.#slots.park(taken, taken.bytes, 4);
        if (this.#slots.freeCount === 0) this.#awaitSlot();
      } else {
        this.#slots.park(slot, slot.bytes, 4);
      }
      return;
    }
    if (code !== OK && ex.answer.code !== code) ex.answer.fail(code);
    if (shard !== null) countOutcome(shard.namespace.counters, req, code, true);
    const stops = !group.respondAll && code !== OK && code !== 2 && code !== 27;
    if (stops && group.stopCode === 0) group.stopCode = code;
    if (stops && !group.reportErrorRow) reply.dropRows(group, 1, code);
    else reply.row(group, rowIndex, ex.answer);
    if (code === OK && shard !== null && isReadCommand(req)) this.#touchAfterRead(shard, req, slot);
    if (slot !== null) {
      reply.endRows();
      this.#leave(slot, shard!);
    }
    this.#closeRow(group);
  }

  #closeRow(group: BatchGroup): void {
    if (--group.openRows > 0) return;
    if (group.stopCode !== 0) this.#parts.reply.dropRows(group, 0, group.stopCode);
    this.#groups.push(group);
  }

  #namespaceOf(req: Request): number {
    const { namespaces } = this.#parts.map;
    for (let i = 0; i < namespaces.length; i++) {
      const name = namespaces[i]!.nameBytes;
      if (name.length !== req.namespaceSize) continue;
      let k = 0;
      while (k < name.length && name[k] === req.bytes[req.namespaceAt + k]) k++;
      if (k === name.length) return i;
    }
    return -1;
  }

  #isLate(deadlineMs: number): boolean {
    return deadlineMs !== 0 && this.#nowMs > deadlineMs;
  }

  /** Keeps a single command that has to wait for the device; in the slot it holds, or in a new one. */
  #park(
    held: CommandSlot | null,
    header: Uint32Array,
    w: number,
    bytes: Uint8Array,
    at: number,
    size: number,
    shard: Shard,
    group: BatchGroup | null,
  ): void {
    let slot = held;
    if (slot === null) {
      slot = this.#slots.take();
      this.#fillSlot(slot, header, w, bytes, at, size, shard, group);
    }
    this.#slots.park(slot, slot.bytes, slot.header[REQ_DIGEST_AT]!);
  }

  #fillSlot(
    slot: CommandSlot,
    header: Uint32Array,
    w: number,
    bytes: Uint8Array,
    at: number,
    size: number,
    shard: Shard,
    group: BatchGroup | null,
  ): void {
    for (let i = 0; i < REQUEST_HEADER_SIZE / 4; i++) slot.header[i] = header[w + i]!;
    slot.keep(bytes, at, size);
    slot.shard = shard;
    slot.group = group;
  }

  #fillRowSlot(
    slot: CommandSlot,
    group: BatchGroup,
    bytes: Uint8Array,
    rowAt: number,
    templateAt: number,
    templateSize: number,
    shard: Shard,
  ): void {
    const size = ROW_PREFIX_SIZE + templateSize;
    if (size > slot.bytes.length) slot.bytes = new Uint8Array(size);
    slot.bytes.set(bytes.subarray(rowAt, rowAt + ROW_PREFIX_SIZE), 0);
    slot.bytes.set(bytes.subarray(templateAt, templateAt + templateSize), ROW_PREFIX_SIZE);
    slot.size = size;
    slot.shard = shard;
    slot.group = group;
  }

  /** Lines a command up behind the parked one on its digest. @returns false when the line is too long. */
  #enqueue(
    front: CommandSlot,
    header: Uint32Array,
    w: number,
    bytes: Uint8Array,
    at: number,
    size: number,
    shard: Shard,
    group: BatchGroup | null,
  ): boolean {
    const limit = shard.namespace.tuning[TUNE_PENDING_LIMIT]!;
    if (limit !== 0 && front.waitingCount >= limit) return false;
    const slot = this.#slots.take();
    this.#fillSlot(slot, header, w, bytes, at, size, shard, group);
    this.#slots.wait(front, slot);
    return true;
  }

  #enqueueRow(
    front: CommandSlot,
    group: BatchGroup,
    bytes: Uint8Array,
    rowAt: number,
    templateAt: number,
    templateSize: number,
    shard: Shard,
  ): boolean {
    const limit = shard.namespace.tuning[TUNE_PENDING_LIMIT]!;
    if (limit !== 0 && front.waitingCount >= limit) return false;
    const slot = this.#slots.take();
    this.#fillRowSlot(slot, group, bytes, rowAt, templateAt, templateSize, shard);
    this.#slots.wait(front, slot);
    if (this.#slots.freeCount === 0) this.#awaitSlot();
    return true;
  }

  /** A batch has used up all slots: lets parked commands finish until one is free again. */
  #awaitSlot(): void {
    this.#parts.reply.endRows();
    const { reply, sleeper, devices } = this.#parts;
    while (this.#slots.freeCount === 0) {
      reply.publish();
      devices.pump();
      if (!this.#resumeParked()) sleeper.sleep(() => devices.hasWork(), SLEEP_MS);
    }
  }

  /** Runs commands whose reads have come. @returns Whether there were any. */
  #resumeParked(): boolean {
    if (this.#slots.parkedCount === 0) return false;
    let any = false;
    for (const shard of this.#parts.map.shards) {
      const count = shard.engine.poll(this.#tokens);
      for (let i = 0; i < count; i++) {
        any = true;
        this.#resume(this.#slots.of(this.#tokens[i]!));
      }
    }
    return any;
  }

  #resume(slot: CommandSlot): void {
    this.#slots.unpark(slot);
    this.#runSlot(slot);
  }

  #runSlot(slot: CommandSlot): void {
    this.#parsed++;
    if (slot.group === null) {
      this.#record(slot.header, slot.headerF64, 0, slot.bytes, 0, slot.size, slot);
      return;
    }
    this.#request.parseRow(slot.bytes, ROW_PREFIX_SIZE, slot.size, slot.group.headerInfo3);
    this.#row(slot.group, slot.bytes, 0, ROW_PREFIX_SIZE, slot.size - ROW_PREFIX_SIZE, slot);
  }

  /** A command that held a slot is done: gives its read buffer and slot back and runs those behind it. */
  #leave(slot: CommandSlot, shard: Shard): void {
    shard.engine.release(slot.number);
    const next = slot.nextWaiting;
    const last = slot.lastWaiting;
    const count = slot.waitingCount;
    this.#slots.give(slot);
    if (next === null) return;
    // The first of the line takes the others over, since it may park in its turn.
    if (next !== last) {
      next.lastWaiting = last;
      next.waitingCount = count - 1;
    } else {
      next.nextWaiting = null;
      next.lastWaiting = null;
      next.waitingCount = 0;
    }
    this.#runSlot(next);
  }

  /** Carries out the touch that a read asked for by its percent, after its answer. */
  #touchAfterRead(shard: Shard, req: Request, slot: CommandSlot | null): void {
    const ex = this.#ex;
    const entry = shard.index.find(req.bytes, req.digestAt);
    if (entry < 0) return;
    const ttl = readTouchTtl(ex, shard, req, entry);
    if (ttl > 0) touchRecord(ex, shard, entry, ex.nowSec + ttl, slot === null ? NO_TOKEN : slot.number);
  }
}
