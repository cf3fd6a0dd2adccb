/**
 * Commands that wait: for a device read of theirs, or for another command on the same digest that does. A
 * worker has a fixed number of slots. A parked command's slot number is the token that the storage engine
 * gives back; commands on a digest that has a parked one line up behind it and run in order.
 *
 * A slot keeps its command's bytes, since the ring's room is given back. Commands restart from the
 * beginning when their bytes have come, so a slot holds no half-done work.
 */
import { Region, type SharedBytes } from '../base/arena.js';
import { copyBytes, equalBytes } from '../base/copy.js';
import { DIGEST_SIZE } from '../base/digest.js';
import { type BatchGroup, ROW_DIGEST_AT, ROW_PREFIX_SIZE } from './batch-group.js';
import { KeptAnswer } from './command/kept-answer.js';
import { REQ_DIGEST_AT, REQUEST_HEADER_SIZE } from './frame.js';
import type { Shard } from './shard.js';

const BUCKET_COUNT = 1024;

/** Counts parked commands by digest, for whoever else executes commands on the same shards; the worker writes. */
export function createParkedCounts(): SharedBytes {
  return new Region(BUCKET_COUNT * 4).shared;
}

/** Whether a command on this digest may be parked: another one may share its place. */
export function isParkedIn(counts: Int32Array, digest: Uint8Array, at: number): boolean {
  return counts[bucketOf(digest, at)] !== 0;
}
const BYTES_KEPT_MAX = 64 * 1024; // a slot gives larger memory back after use

export class CommandSlot {
  readonly number: number;
  /** The request frame's header. */
  readonly header = new Uint32Array(REQUEST_HEADER_SIZE / 4);
  readonly headerF64 = new Float64Array(this.header.buffer);
  /** The message, or the row from its flags on preceded by index and digest. */
  bytes = new Uint8Array(2048);
  size = 0;
  /** Bytes of the record that a row waits for, taken off its group's credit until it is answered. */
  chargedSize = 0;
  /** What of it the slots count as kept. */
  countedSize = 0;
  shard!: Shard;
  readonly digest = new Uint8Array(DIGEST_SIZE);
  /** The batch group this row belongs to, or null for a single command. */
  group: BatchGroup | null = null;
  /** Commands waiting behind this one, in order; only the parked one at the front has a list. */
  nextWaiting: CommandSlot | null = null;
  lastWaiting: CommandSlot | null = null;
  waitingCount = 0;
  /** Of a command whose steps are measured: when it lined up behind another one, and when it was first begun. */
  waitedSinceMs = 0;
  beganMs = 0;
  nextInBucket: CommandSlot | null = null;
  /** Of a command that waits for its append to be durable: that append's number, the next such command, its answer. */
  commitNumber = 0;
  nextCommit: CommandSlot | null = null;
  readonly answer = new KeptAnswer();
  /** It was answered before it was durable, since its time was up; its record stays blocked. */
  isAnswered = false;

  constructor(number: number) {
    this.number = number;
  }

  /** Keeps a single command: the frame header at word `w`, and its message. */
  fill(header: Uint32Array, w: number, bytes: Uint8Array, at: number, size: number, shard: Shard): void {
    for (let i = 0; i < REQUEST_HEADER_SIZE / 4; i++) this.header[i] = header[w + i]!;
    this.#makeRoom(size);
    copyBytes(this.bytes, 0, bytes, at, size);
    this.size = size;
    this.shard = shard;
    this.group = null;
  }

  /** Keeps a batch row: its index and digest at `rowAt`, and its command, from the row flags on, at `templateAt`. */
  fillRow(
    group: BatchGroup,
    bytes: Uint8Array,
    rowAt: number,
    templateAt: number,
    templateSize: number,
    shard: Shard,
  ): void {
    this.size = ROW_PREFIX_SIZE + templateSize;
    this.#makeRoom(this.size);
    copyBytes(this.bytes, 0, bytes, rowAt, ROW_PREFIX_SIZE);
    copyBytes(this.bytes, ROW_PREFIX_SIZE, bytes, templateAt, templateSize);
    this.shard = shard;
    this.group = group;
  }

  /** Where the digest is in `bytes`. */
  get digestAt(): number {
    return this.group === null ? this.header[REQ_DIGEST_AT]! : ROW_DIGEST_AT;
  }

  #makeRoom(size: number): void {
    if (size > this.bytes.length) this.bytes = new Uint8Array(size);
  }
}

export class CommandSlots {
  readonly #slots: CommandSlot[] = [];
  readonly #free: CommandSlot[] = [];
  readonly #buckets: (CommandSlot | null)[] = new Array<CommandSlot | null>(BUCKET_COUNT).fill(null);
  /** Commands at the front of a digest: parked on the device. */
  parkedCount = 0;
  /** Bytes that waiting commands keep beyond what every slot has anyway. */
  keptSize = 0;

  readonly #counts: Int32Array;

  /** @param counts Of createParkedCounts. */
  constructor(capacity: number, counts = createParkedCounts()) {
    this.#counts = new Region(counts).i32;
    for (let i = capacity - 1; i >= 0; i--) {
      const slot = new CommandSlot(i);
      this.#slots[i] = slot;
      this.#free.push(slot);
    }
  }

  get freeCount(): number {
    return this.#free.length;
  }

  /** The slot that take() would give; its number is the token for a command about to run. */
  peek(): CommandSlot {
    return this.#free[this.#free.length - 1]!;
  }

  take(): CommandSlot {
    return this.#free.pop()!;
  }

  of(token: number): CommandSlot {
    return this.#slots[token]!;
  }

  give(slot: CommandSlot): void {
    slot.group = null;
    slot.chargedSize = 0;
    slot.isAnswered = false;
    slot.answer.trim();
    slot.nextWaiting = null;
    slot.lastWaiting = null;
    slot.waitingCount = 0;
    slot.waitedSinceMs = 0;
    slot.beganMs = 0;
    this.keptSize -= slot.countedSize;
    slot.countedSize = 0;
    if (slot.bytes.length > BYTES_KEPT_MAX) slot.bytes = new Uint8Array(2048);
    this.#free.push(slot);
  }

  /** The parked command on this digest of this shard, or null. */
  findParked(shard: Shard, digest: Uint8Array, at: number): CommandSlot | null {
    if (this.parkedCount === 0) return null;
    for (let slot = this.#buckets[bucketOf(digest, at)]!; slot !== null; slot = slot.nextInBucket!) {
      if (slot.shard === shard && equalBytes(slot.digest, 0, digest, at, DIGEST_SIZE)) return slot;
    }
    return null;
  }

  /** Makes `slot`, which is filled, the front of its digest. */
  park(slot: CommandSlot): void {
    this.#count(slot);
    copyBytes(slot.digest, 0, slot.bytes, slot.digestAt, DIGEST_SIZE);
    const bucket = bucketOf(slot.digest, 0);
    slot.nextInBucket = this.#buckets[bucket]!;
    this.#buckets[bucket] = slot;
    this.#counts[bucket]!++;
    this.parkedCount++;
  }

  #count(slot: CommandSlot): void {
    if (slot.countedSize !== 0 || slot.size <= BYTES_KEPT_MAX) return;
    slot.countedSize = slot.size;
    this.keptSize += slot.size;
  }

  unpark(slot: CommandSlot): void {
    const bucket = bucketOf(slot.digest, 0);
    let link = this.#buckets[bucket]!;
    if (link === slot) this.#buckets[bucket] = slot.nextInBucket;
    else {
      while (link.nextInBucket !== slot) link = link.nextInBucket!;
      link.nextInBucket = slot.nextInBucket;
    }
    slot.nextInBucket = null;
    this.#counts[bucket]!--;
    this.parkedCount--;
  }

  /** Puts a filled slot behind the parked `front`. */
  wait(front: CommandSlot, slot: CommandSlot): void {
    this.#count(slot);
    if (front.lastWaiting === null) front.nextWaiting = slot;
    else front.lastWaiting.nextWaiting = slot;
    front.lastWaiting = slot;
    front.waitingCount++;
  }

  /**
   * Gives a slot back whose command is done.
   * @returns The first command that waited behind it, which takes the others over since it may park in its turn; or null.
   */
  leave(slot: CommandSlot): CommandSlot | null {
    const next = slot.nextWaiting;
    const last = slot.lastWaiting;
    const count = slot.waitingCount;
    this.give(slot);
    if (next === null) return null;
    if (next !== last) {
      next.lastWaiting = last;
      next.waitingCount = count - 1;
    } else {
      next.nextWaiting = null;
      next.lastWaiting = null;
      next.waitingCount = 0;
    }
    return next;
  }
}

function bucketOf(digest: Uint8Array, at: number): number {
  return (digest[at + 4]! | (digest[at + 5]! << 8)) & (BUCKET_COUNT - 1);
}
