/**
 * Commands that came together, looked at before the first of them is executed. Each look-up waits for memory several
 * times, one after the other: for the head of a list, its entries, the record. Here the processor waits for all of
 * them at once, and when a command is executed, what it needs is in the caches.
 *
 * It is a hint: it changes nothing, holds nothing, and any command may be left out of it. The entry that it has come to
 * is noted in the request, for whoever looks the record up (PrimaryIndex.findNear).
 */
import { partitionOf } from '../base/digest.js';
import { orderWord } from '../storage/index/entry.js';
import { AHEAD_STEPS } from '../storage/index/sprig-lists.js';
import { Request } from './command/request.js';
import type { ShardView } from './shard-view.js';

/** Commands at a time. */
const LOOK_AHEAD_MAX = 64;

export class LookAhead {
  readonly #requests = Array.from({ length: LOOK_AHEAD_MAX }, () => new Request());
  /** Where each message is; they come in ascending order, all in the same bytes. */
  readonly #at = new Int32Array(LOOK_AHEAD_MAX);
  readonly #sizes = new Int32Array(LOOK_AHEAD_MAX);
  readonly #orders = new Int32Array(LOOK_AHEAD_MAX);
  readonly #views: (ShardView | undefined)[] = new Array(LOOK_AHEAD_MAX).fill(undefined);
  /** The entries that the look-ups have come to; 0 = no further. */
  readonly #entries = new Int32Array(LOOK_AHEAD_MAX);
  #bytes: Uint8Array = new Uint8Array(0);
  #count = 0;
  /** The first that may still be asked for. */
  #next = 0;
  /** Keeps the loads from being optimised away. */
  sum = 0;

  /** Where to decode the message of `size` bytes at `at`; null when there is no room for another. */
  next(bytes: Uint8Array): Request | null {
    if (this.#count === LOOK_AHEAD_MAX) return null;
    this.#bytes = bytes;
    return this.#requests[this.#count]!;
  }

  /** Adds the message that was decoded in what `next` gave. @param view Of its shard, if there is one. */
  add(at: number, size: number, view: ShardView | undefined): void {
    const i = this.#count++;
    this.#at[i] = at;
    this.#sizes[i] = size;
    this.#views[i] = view;
  }

  /** The message at this place as it was decoded, or null. To be asked for in ascending order. */
  find(bytes: Uint8Array, at: number, size: number): Request | null {
    if (bytes !== this.#bytes) return null;
    while (this.#next < this.#count && this.#at[this.#next]! < at) this.#next++;
    const i = this.#next;
    return i < this.#count && this.#at[i] === at && this.#sizes[i] === size ? this.#requests[i]! : null;
  }

  /** Brings what the commands will need near to the processor. */
  touch(): void {
    const bytes = this.#bytes;
    const count = this.#count;
    const entries = this.#entries;
    const orders = this.#orders;
    const views = this.#views;
    for (let i = 0; i < count; i++) {
      const request = this.#requests[i]!;
      const view = views[i];
      const order = orderWord(bytes, request.digestAt + 2);
      orders[i] = order;
      entries[i] = 0;
      if (view?.isCurrent === true) {
        entries[i] = view.index.headOf(partitionOf(bytes, request.digestAt), order);
      }
    }
    // Nothing here is a condition on what has just been loaded: the processor looks ahead only as far as it guesses its way right.
    for (let step = 0; step < AHEAD_STEPS; step++) {
      for (let i = 0; i < count; i++) {
        const entry = entries[i]!;
        if (entry > 0) entries[i] = views[i]!.index.stepOf(entry, orders[i]!);
      }
    }
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const entry = ~entries[i]!;
      if (entry < 0) continue;
      const { index, engine } = views[i]!;
      this.#requests[i]!.seenEntry = entry;
      sum ^= engine.touch(index.locationLow(entry), index.locationHighSize(entry));
    }
    this.sum = sum;
  }

  /** The bytes are about to change. */
  clear(): void {
    this.#count = 0;
    this.#next = 0;
  }
}
