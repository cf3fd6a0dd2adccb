/**
 * Large payloads between two threads. The producer takes a run of pages, fills it and names it by a
 * ticket in a ring frame; the consumer frees it. A run's state word is passed to and fro: the producer
 * sets it to 1 before the frame that names it is published, the consumer sets it to 0 when it is done.
 * Nothing else is shared: which pages are taken is the producer's own knowledge, brought up to date
 * from the words when it needs room.
 */
import { Region, type SharedBytes } from '../base/arena.js';
import { SharedFlags } from '../base/flags.js';

export const SLAB_PAGE_SIZE = 64 * 1024; // bytes

/** Shared bytes of a slab of `size` bytes. Untouched pages cost nothing. */
export function createSlab(size: number): { data: SharedBytes; states: SharedBytes } {
  const pages = Math.ceil(size / SLAB_PAGE_SIZE);
  return { data: new Region(pages * SLAB_PAGE_SIZE).shared, states: new Region(pages * 4).shared };
}

export type SlabMemory = ReturnType<typeof createSlab>;

export class SlabProducer {
  readonly region: Region;
  readonly #states: SharedFlags;
  readonly #pageCount: number;
  /** Runs not known to be free: first page and page count, ordered by first page. */
  readonly #runs: { page: number; count: number }[] = [];

  constructor(memory: SlabMemory) {
    this.region = new Region(memory.data);
    this.#states = new SharedFlags(memory.states);
    this.#pageCount = memory.data.byteLength / SLAB_PAGE_SIZE;
  }

  /** The largest payload that can ever be taken, bytes. */
  get sizeMax(): number {
    return this.#pageCount * SLAB_PAGE_SIZE;
  }

  /** @returns A ticket, or -1 when no run of `size` bytes is free now. */
  take(size: number): number {
    const need = Math.max(1, Math.ceil(size / SLAB_PAGE_SIZE));
    const runs = this.#runs;
    for (let i = runs.length - 1; i >= 0; i--) {
      if (!this.#states.isSet(runs[i]!.page)) runs.splice(i, 1);
    }
    let page = 0;
    let i = 0;
    for (; i < runs.length; i++) {
      if (runs[i]!.page - page >= need) break;
      page = runs[i]!.page + runs[i]!.count;
    }
    if (page + need > this.#pageCount) return -1;
    runs.splice(i, 0, { page, count: need });
    this.#states.set(page);
    return page;
  }

  /** Byte offset of a ticket's run in `region`. */
  offsetOf(ticket: number): number {
    return ticket * SLAB_PAGE_SIZE;
  }

  /** Gives back a run that was never published. */
  drop(ticket: number): void {
    this.#states.clear(ticket);
  }
}

export class SlabConsumer {
  readonly region: Region;
  readonly #states: SharedFlags;

  constructor(memory: SlabMemory) {
    this.region = new Region(memory.data);
    this.#states = new SharedFlags(memory.states);
  }

  offsetOf(ticket: number): number {
    return ticket * SLAB_PAGE_SIZE;
  }

  /** Gives the run back to the producer; its bytes must not be read any more. */
  free(ticket: number): void {
    this.#states.clear(ticket);
  }
}
