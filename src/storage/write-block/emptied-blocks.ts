/**
 * The way of a shard's stored blocks back to the free ones: how full each is, which have nothing left that is needed,
 * what these wait for, and the overwriting of their first pages.
 *
 * Two rules keep what was acknowledged. A block whose records are all dead is given up only once whatever
 * replaced them is durable; and its first page is overwritten by an erased one, durably, before it counts as free.
 *
 * A third keeps deleted records dead. The record of a digest with the highest write sequence on the device is
 * its live version or a marker, always: a block that holds a marker that is needed (block-table.ts says when) is
 * not given up. Defrag copies such markers along, with their origin, before it gives a block up.
 *
 * A fourth keeps the shard's record clock: what clients append has LUTs that only grow, so the latest one is in the
 * block that they appended to last, and that one is not given up before they have appended to another.
 */
import { Occupancy } from '../defrag/occupancy.js';
import { IO_ALIGN } from '../io/io-backend.js';
import type { BlockCache } from './block-cache.js';
import * as B from './block-table.js';
import { MarkedBlocks } from './marked-blocks.js';
import type { ResidentBlocks } from './resident-blocks.js';
import type { ShardExtent } from './shard-extent.js';
import { WRITE_ERASE, type WriteQueue } from './write-queue.js';

const NONE = -1;

export class EmptiedBlocks {
  readonly #extent: ShardExtent;
  readonly #table: B.BlockTable;
  readonly #cache: BlockCache;
  readonly #resident: ResidentBlocks | null;
  readonly #erases: WriteQueue;
  readonly #marked: MarkedBlocks;
  /** The stored blocks by how full they are. */
  readonly occupancy: Occupancy;
  /** Blocks in state DEAD, oldest first. */
  readonly #dead: number[] = [];
  /** Blocks whose first page is being overwritten. */
  #erasingCount = 0;

  constructor(
    extent: ShardExtent,
    table: B.BlockTable,
    cache: BlockCache,
    erases: WriteQueue,
    resident: ResidentBlocks | null,
  ) {
    this.#extent = extent;
    this.#table = table;
    this.#cache = cache;
    this.#erases = erases;
    this.#resident = resident;
    this.#marked = new MarkedBlocks(table);
    this.occupancy = new Occupancy(table, extent.blockSize);
  }

  /** Blocks that will be free once what was appended is durable. */
  get count(): number {
    return this.#dead.length + this.#erasingCount;
  }

  /** The append that the first of them waits for, or -1. */
  get nextBarrier(): number {
    return this.#dead.length === 0 ? NONE : this.#table.barriers[this.#dead[0]!]!;
  }

  /** A block is stored now, or was when recovery found it. @param number Of the last append. */
  stored(block: number, number: number): void {
    this.#settle(block);
    this.occupancy.add(block);
    if (this.#table.used[block] === 0) this.add(block, number);
  }

  /** A block holds a marker more, or a record that has expired and serves as one. */
  addMarker(block: number, origin: number): void {
    this.#table.addMarker(block, origin);
    if (this.#table.states[block] !== B.STORED) return;
    this.#marked.add(block);
    this.occupancy.update(block);
  }

  /** A block has no live record left. @param number Of the last append: when that is durable, so is all that matters. */
  add(block: number, number: number): void {
    if (this.#table.states[block] !== B.STORED) return; // its turn comes when it is stored
    if (block === this.#cache.held) return; // or when defrag is done with it
    if (this.#table.markers[block] !== 0) return; // it comes back when they are not needed
    this.occupancy.remove(block);
    if (block === this.#table.newest) return; // it goes with the next append
    this.#table.states[block] = B.DEAD;
    this.#table.barriers[block] = number;
    this.#dead.push(block);
  }

  /** Gives up what another thread has emptied. @param number Of the last append. */
  addLeft(number: number): void {
    const { occupancy } = this;
    this.#table.leavesEmptied = false;
    for (let block = occupancy.firstOfLowest; block !== NONE; ) {
      const next = occupancy.after(block);
      if (this.#table.used[block] === 0) this.add(block, number);
      block = next;
    }
  }

  /** The latest LUT is in `block` now: the one that held it may go. @param number Of the last append, or -1 at a start. */
  moveNewest(block: number, number: number): void {
    const before = this.#table.newest;
    if (before === block) return;
    this.#table.newest = block;
    if (number >= 0 && before !== NONE && this.#table.used[before] === 0) this.add(before, number);
  }

  /** Makes blocks free whose first pages are erased, durably, and gives up those whose append is durable. */
  collect(durableNumber: number, number: number): void {
    let isFreed = false;
    while (this.#erases.shift() === WRITE_ERASE) {
      this.#table.pushFree(this.#erases.taken);
      this.#erasingCount--;
      isFreed = true;
    }
    if (isFreed) this.#dropMarkers(number);
    while (this.#dead.length > 0 && this.#erases.room > 2) {
      const block = this.#dead[0]!;
      if (this.#table.barriers[block]! > durableNumber) break;
      this.#dead.shift();
      this.#erase(block);
    }
  }

  /** Blocks have become free: forgets markers that are not needed any more, and gives up who was kept for them. */
  #dropMarkers(number: number): void {
    const table = this.#table;
    for (;;) {
      let block = this.#marked.take();
      if (block < 0) {
        block = table.oldest; // it may need others less than its own age says
        if (block < 0 || table.markers[block] === 0 || table.states[block] !== B.STORED) return;
        if (table.origins[block]! >= table.lowestWithout(block)) return;
      }
      if (table.states[block] !== B.STORED || table.markers[block] === 0) continue;
      this.#settle(block);
      if (table.used[block] === 0) this.add(block, number);
    }
  }

  /** Forgets the markers of a stored block if they are not needed, or remembers to look again. */
  #settle(block: number): void {
    const table = this.#table;
    if (table.markers[block] === 0) return;
    if (table.origins[block]! < table.lowestWithout(block)) {
      table.clearMarkers(block);
      this.occupancy.update(block);
    } else this.#marked.add(block);
  }

  #erase(block: number): void {
    this.#cache.drop(block);
    this.#resident?.free(block);
    this.#table.states[block] = B.ERASING;
    this.#erasingCount++;
    this.#erases.push(WRITE_ERASE, block, 0, IO_ALIGN, this.#extent.erasedPageAt, 0, 0);
  }
}
