/**
 * Commands that wait: for a device read of theirs, or for another command on the same digest that does. A
 * worker has a fixed number of slots. A parked command's slot number is the token that the storage engine
 * gives back; commands on a digest that has a parked one line up behind it and run in order.
 *
 * A slot keeps its command's bytes, since the ring's room is given back. Commands restart from the
 * beginning when their bytes have come, so a slot holds no half-done work.
 */
import { copyBytes, equalBytes } from '../base/copy.js';
import { DIGEST_SIZE } from '../base/digest.js';
import type { BatchGroup } from './batch-group.js';
import { REQUEST_HEADER_SIZE } from './frame.js';
import type { Shard } from './shard.js';

const BUCKET_COUNT = 1024;
const BYTES_KEPT_MAX = 64 * 1024; // a slot gives larger memory back after use

export class CommandSlot {
  readonly number: number;
  /** The request frame's header. */
  readonly header = new Uint32Array(REQUEST_HEADER_SIZE / 4);
  readonly headerF64 = new Float64Array(this.header.buffer);
  /** The message, or the row from its flags on preceded by index and digest. */
  bytes = new Uint8Array(2048);
  size = 0;
  shard!: Shard;
  readonly digest = new Uint8Array(DIGEST_SIZE);
  /** The batch group this row belongs to, or null for a single command. */
  group: BatchGroup | null = null;
  /** Commands waiting behind this one, in order; only the parked one at the front has a list. */
  nextWaiting: CommandSlot | null = null;
  lastWaiting: CommandSlot | null = null;
  waitingCount = 0;
  nextInBucket: CommandSlot | null = null;

  constructor(number: number) {
    this.number = number;
  }

  /** Copies `size` bytes as this slot's command; its memory grows as needed. */
  keep(source: Uint8Array, at: number, size: number): void {
    if (source === this.bytes) return; // a command that parks again
    if (size > this.bytes.length) this.bytes = new Uint8Array(size);
    copyBytes(this.bytes, 0, source, at, size);
    this.size = size;
  }
}

export class CommandSlots {
  readonly #slots: CommandSlot[] = [];
  readonly #free: CommandSlot[] = [];
  readonly #buckets: (CommandSlot | null)[] = new Array<CommandSlot | null>(BUCKET_COUNT).fill(null);
  /** Commands at the front of a digest: parked on the device. */
  parkedCount = 0;

  constructor(capacity: number) {
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
    slot.nextWaiting = null;
    slot.lastWaiting = null;
    slot.waitingCount = 0;
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

  /** Makes `slot` the front of its digest. Its shard must be set. */
  park(slot: CommandSlot, digest: Uint8Array, at: number): void {
    copyBytes(slot.digest, 0, digest, at, DIGEST_SIZE);
    const bucket = bucketOf(digest, at);
    slot.nextInBucket = this.#buckets[bucket]!;
    this.#buckets[bucket] = slot;
    this.parkedCount++;
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
    this.parkedCount--;
  }

  /** Puts a command behind the parked `front`. */
  wait(front: CommandSlot, slot: CommandSlot): void {
    if (front.lastWaiting === null) front.nextWaiting = slot;
    else front.lastWaiting.nextWaiting = slot;
    front.lastWaiting = slot;
    front.waitingCount++;
  }
}

function bucketOf(digest: Uint8Array, at: number): number {
  return (digest[at + 4]! | (digest[at + 5]! << 8)) & (BUCKET_COUNT - 1);
}
