/**
 * Which stored blocks are how full: lists of blocks by level, a 256th of a block each, so that the emptiest is found
 * at once and a record that dies costs a comparison, and a move to the next list every 256th of a block.
 *
 * Invariant: a listed block is in the list of its level; within a list the block that came first is taken first.
 */
import { Region, type SharedBytes } from '../../base/arena.js';
import { MARKER_ROOM } from '../record/flat-record.js';
import type { BlockTable } from '../write-block/block-table.js';

export const LEVEL_COUNT = 256;
const GROUP_BITS = 4; // levels of a group, whose blocks are counted together: counting and seeking take few steps
const GROUP_SIZE = 1 << GROUP_BITS;
const GROUP_COUNT = LEVEL_COUNT >> GROUP_BITS;
const NONE = -1;
const UNLISTED = -1;

export class Occupancy {
  readonly #table: BlockTable;
  readonly #scale: number;
  readonly #level: Int16Array; // by block
  readonly #before: Int32Array;
  readonly #after: Int32Array;
  readonly #first: Int32Array; // by level
  readonly #last: Int32Array;
  readonly #count: Int32Array;
  readonly #groupCount: Int32Array; // by level >> GROUP_BITS

  readonly shared: SharedBytes;

  /** @param memory The lists of a shard that lives already, on another thread. */
  constructor(table: BlockTable, blockSize: number, memory?: SharedBytes) {
    this.#table = table;
    this.#scale = LEVEL_COUNT / blockSize;
    const n = (table.blockCount + 1) & ~1;
    const { shared } = new Region(memory ?? (n * 2 + LEVEL_COUNT * 3 + GROUP_COUNT) * 4 + n * 2);
    this.shared = shared;
    this.#before = new Int32Array(shared, 0, n);
    this.#after = new Int32Array(shared, n * 4, n);
    this.#first = new Int32Array(shared, n * 8, LEVEL_COUNT);
    this.#last = new Int32Array(shared, n * 8 + LEVEL_COUNT * 4, LEVEL_COUNT);
    this.#count = new Int32Array(shared, n * 8 + LEVEL_COUNT * 8, LEVEL_COUNT);
    this.#groupCount = new Int32Array(shared, n * 8 + LEVEL_COUNT * 12, GROUP_COUNT);
    this.#level = new Int16Array(shared, n * 8 + LEVEL_COUNT * 12 + GROUP_COUNT * 4, n);
    if (memory !== undefined) return;
    this.#first.fill(NONE);
    this.#last.fill(NONE);
    this.#level.fill(UNLISTED);
  }

  /** Lists a block, or moves it to where it belongs now. */
  add(block: number): void {
    const level = this.#levelOf(block);
    if (this.#level[block] === level) return;
    this.remove(block);
    const last = this.#last[level]!;
    this.#before[block] = last;
    this.#after[block] = NONE;
    if (last === NONE) this.#first[level] = block;
    else this.#after[last] = block;
    this.#last[level] = block;
    this.#level[block] = level;
    this.#count[level]!++;
    this.#groupCount[level >> GROUP_BITS]!++;
  }

  /** What the block holds has changed. Blocks that are not listed stay so. */
  update(block: number): void {
    const level = this.#level[block]!;
    if (level !== UNLISTED && level !== this.#levelOf(block)) this.add(block);
  }

  remove(block: number): void {
    const level = this.#level[block]!;
    if (level === UNLISTED) return;
    const before = this.#before[block]!;
    const after = this.#after[block]!;
    if (before === NONE) this.#first[level] = after;
    else this.#after[before] = after;
    if (after === NONE) this.#last[level] = before;
    else this.#before[after] = before;
    this.#level[block] = UNLISTED;
    this.#count[level]!--;
    this.#groupCount[level >> GROUP_BITS]!--;
  }

  has(block: number): boolean {
    return this.#level[block] !== UNLISTED;
  }

  /** The block that came first of those of the lowest level, and the one that came after `block`; or -1. */
  get firstOfLowest(): number {
    return this.#first[0]!;
  }
  after(block: number): number {
    return this.#after[block]!;
  }

  /** The emptiest block of those below `level`, or -1. */
  emptiest(level: number): number {
    let i = 0;
    while (i < level) {
      if (this.#groupCount[i >> GROUP_BITS] === 0) i = (i + GROUP_SIZE) & -GROUP_SIZE;
      else if (this.#first[i] !== NONE) return this.#first[i]!;
      else i++;
    }
    return NONE;
  }

  /** Blocks below `level`. */
  countBelow(level: number): number {
    const groups = level >> GROUP_BITS;
    let count = 0;
    for (let i = 0; i < groups; i++) count += this.#groupCount[i]!;
    for (let i = groups << GROUP_BITS; i < level; i++) count += this.#count[i]!;
    return count;
  }

  #levelOf(block: number): number {
    const bytes = this.#table.used[block]! + this.#table.markers[block]! * MARKER_ROOM;
    return Math.min(LEVEL_COUNT - 1, Math.floor(bytes * this.#scale));
  }
}
