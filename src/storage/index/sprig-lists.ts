/**
 * The entries of a shard in their sprigs: each sprig is a list in walking order (entry.ts says which), at most three
 * entries on average. The directory doubles, a few sprigs an insert, when there are more.
 *
 * Invariant: an entry is in exactly one sprig list, the one of its digest, or in the free list, or was never used.
 */
import { type ChunkListener, Region, type SharedBytes } from '../../base/arena.js';
import { PARTITION_COUNT } from '../../base/digest.js';
import * as E from './entry.js';
import { EntryTable, SLOT_BITS, SLOT_MASK } from './entry-table.js';
import { SetMembers, type SetMembersMemory } from './set-members.js';
import { type DirectoryMemory, NO_SLOT, SprigDirectory } from './sprig-directory.js';

/**
 * Average list length at which the directory doubles, so it lies between 1.5 and 3. Every step of a list is a cache
 * miss: with a million entries a load of 1.9 finds in 500 ns where 3.8 takes 650. Costs 2.7 bytes a record, 4 while growing.
 */
const SPRIG_LOAD_MAX = 3;
/**
 * Entries of a list that are gone to when look-ups are made ready together. Of lists of three on average, one entry in
 * five lies behind the third, and whoever looks it up then waits for memory alone.
 */
export const AHEAD_STEPS = 6;
/** Sprigs split by an insert while growing: the doubling ends long before the next one is due. */
const SPLITS_PER_INSERT = 2;
/** Word of the control region that counts changes of lists, by any thread. */
const CHANGES = 15;
/** Word of the control region from which each owned partition's entries are counted. */
const COUNT_OF = 16;

export interface PrimaryIndexOptions {
  /** Pids of the shard. */
  partitions: Uint16Array;
  /** Entries at most. */
  entriesMax?: number;
  /** Hears of each new chunk of entries. */
  onChunk?: ChunkListener;
  /** Makes this object a view of an index that lives already, for another thread. It adds no memory to the index. */
  memory?: PrimaryIndexMemory;
}

/** Everything mutable of an index, as it travels to another thread. */
export interface PrimaryIndexMemory {
  control: SharedBytes;
  directory: DirectoryMemory;
  members: SetMembersMemory;
  chunks: SharedBytes[];
}

export class SprigLists extends EntryTable {
  protected readonly directory: SprigDirectory;
  /** Where the entries of indexed sets are. */
  protected readonly members: SetMembers;
  /** Position of each owned pid among the shard's partitions, -1 for the others. */
  protected readonly localOf = new Int16Array(PARTITION_COUNT).fill(-1);
  protected readonly partitionCount: number;
  /** What the last `seek` found besides its result: the entry before it (0 = list head), its sprig, equality. */
  protected before = 0;
  protected slot = 0;
  protected isExact = false;
  /** Whether nothing has been sought since the last `find` that found nothing. */
  protected hasMissed = false;

  constructor(options: PrimaryIndexOptions) {
    const { partitions, memory } = options;
    const control = new Region(memory?.control ?? (COUNT_OF + partitions.length) * 4).i32;
    super(control, options.entriesMax, options.onChunk, memory?.chunks);
    partitions.forEach((pid, local) => {
      this.localOf[pid] = local;
    });
    this.partitionCount = partitions.length;
    this.directory = new SprigDirectory(partitions.length, control, memory?.directory);
    this.members = new SetMembers(partitions.length, memory?.members);
  }

  /** For `options.memory` on another thread; to be taken anew when that thread's view is no longer `isCurrent`. */
  get memory(): PrimaryIndexMemory {
    return {
      control: this.control.buffer as SharedBytes,
      directory: this.directory.memory,
      members: this.members.memory,
      chunks: this.sharedChunks,
    };
  }

  get epoch(): number {
    return this.directory.epoch;
  }

  /** Whether a view knows all memory of the index. */
  get isCurrent(): boolean {
    return this.directory.isCurrent && this.hasAllChunks && this.members.isCurrent;
  }

  /** Another number whenever a view made before it is no longer current. */
  get shape(): number {
    return this.directory.epoch + this.chunks.length + this.members.epoch;
  }

  /** Entries of one owned partition. */
  countOf(pid: number): number {
    return this.control[COUNT_OF + this.localOf[pid]!]!;
  }

  /** Another number whenever a list has changed. */
  protected get changes(): number {
    return this.control[CHANGES]!;
  }

  /** Bytes of the entries in use and of the directory. */
  get usedBytes(): number {
    return this.count * E.ENTRY_SIZE + this.directory.usedBytes;
  }

  /**
   * Makes the directory as large as `count` entries will want it, so that it does not double again and again while
   * they come. For an empty index; `settle` afterwards takes back what they did not need.
   */
  presize(count: number): void {
    if (this.count > 0) throw new Error('primary index: presized when it had entries');
    this.control[CHANGES]!++;
    this.directory.presize(Math.ceil(count / SPRIG_LOAD_MAX));
  }

  /** Halves the directory as long as lists stay as short as they may be. Touches every list; for starts. */
  settle(): void {
    this.control[CHANGES]!++;
    while (this.directory.isGrowing) this.#splitNext();
    while (this.directory.canHalve && this.count * 2 <= this.directory.sprigCount * SPRIG_LOAD_MAX) {
      this.directory.halve((lower, upper) => {
        if (lower === 0) return upper;
        let last = lower;
        for (let next = lower; next !== 0; next = this.word(next, E.ENTRY_NEXT)) last = next;
        this.setWord(last, E.ENTRY_NEXT, upper);
        return lower;
      });
    }
  }

  /**
   * Adds `count` entries that `copyEntries` gave, from word `w` on: their keys and everything that a stored record
   * says of itself. They are to come in the order in which they were copied, with nothing else in between, into an
   * index that was empty and presized; `endAppending` follows the last ones.
   * @returns The handle of the first, the others follow it; -1 when `entriesMax` or the machine's memory is used up;
   *   0 when one is not the shard's or out of order. After the latter two the index has to be cleared.
   */
  append(from: Int32Array, w: number, count: number): number {
    this.control[CHANGES]!++;
    const first = this.takeFresh(count);
    let handle = first;
    for (let done = 0; done < count && handle > 0; ) {
      const slot = handle & SLOT_MASK;
      const part = Math.min(count - done, SLOT_MASK + 1 - slot);
      const start = w + done * E.ENTRY_WORDS;
      const words = this.chunks[handle >>> SLOT_BITS]!;
      words.set(from.subarray(start, start + part * E.ENTRY_WORDS), slot * E.ENTRY_WORDS);
      if (!this.#linkRow(words, handle, part)) return 0;
      done += part;
      handle += part;
    }
    return first;
  }
  /** Where `append` ended. */
  #lastSlot = NO_SLOT;
  #lastHandle = 0;

  endAppending(): void {
    this.#lastSlot = NO_SLOT;
    this.#lastHandle = 0;
  }

  /** Links `count` entries from `handle` on, all of one chunk, each behind the one before or as first of its sprig. */
  #linkRow(words: Int32Array, handle: number, count: number): boolean {
    const { directory, localOf, control } = this;
    let lastSlot = this.#lastSlot;
    let lastHandle = this.#lastHandle;
    let w = (handle & SLOT_MASK) * E.ENTRY_WORDS;
    for (let i = 0; i < count; i++, w += E.ENTRY_WORDS, handle++) {
      const local = localOf[E.pidOfLastWord(words[w + E.ENTRY_ORDER + 4]!)]!;
      if (local < 0) return false;
      const slot = directory.slotOf(local, words[w + E.ENTRY_ORDER]!);
      words[w + E.ENTRY_NEXT] = 0;
      words[w + E.ENTRY_FLAGS]! &= E.STORED_FLAGS;
      if (slot === lastSlot) {
        if (i > 0) words[w - E.ENTRY_WORDS + E.ENTRY_NEXT] = handle;
        else this.setWord(lastHandle, E.ENTRY_NEXT, handle);
      } else {
        if (directory.head(slot) !== 0) return false;
        directory.setHead(slot, handle);
        lastSlot = slot;
      }
      lastHandle = handle;
      control[COUNT_OF + local]!++;
    }
    this.#lastSlot = lastSlot;
    this.#lastHandle = lastHandle;
    return true;
  }

  /** Makes the index empty again; the memory of its entries stays, for those to come. */
  clear(): void {
    this.control[CHANGES]!++;
    this.endAppending();
    this.directory.clear();
    this.forgetEntries();
    this.control.fill(0, COUNT_OF);
  }

  /** Whether the next insert has a part in a doubling. */
  protected get isGrowthDue(): boolean {
    return this.directory.isGrowing || this.count >= this.directory.sprigCount * SPRIG_LOAD_MAX;
  }

  /** Makes `handle`, whose words are set, an entry of local partition `local`: after `before`, or first of `slot`. */
  protected linkNew(local: number, before: number, slot: number, handle: number): void {
    this.link(before, slot, handle);
    this.control[COUNT_OF + local]!++;
    if (this.directory.isGrowing) {
      for (let i = 0; i < SPLITS_PER_INSERT && this.directory.isGrowing; i++) this.#splitNext();
    } else if (this.count > this.directory.sprigCount * SPRIG_LOAD_MAX) {
      this.directory.startGrowth();
    }
  }

  /** Takes `handle` out of its list, where `seek` has just found it, and gives it back. */
  protected unlinkFound(local: number, handle: number): void {
    this.link(this.before, this.slot, this.word(handle, E.ENTRY_NEXT));
    this.giveEntry(handle);
    this.control[COUNT_OF + local]!--;
  }

  /** Makes `handle` follow `before`, or head the sprig when there is no entry before it. */
  protected link(before: number, slot: number, handle: number): void {
    this.control[CHANGES]!++;
    if (before === 0) this.directory.setHead(slot, handle);
    else this.setWord(before, E.ENTRY_NEXT, handle);
  }

  /**
   * The first entry at or after the key in its sprig, or 0; `isExact` says whether it is the key's own.
   * Leaves the entry before it and the sprig in `before` and `slot`.
   */
  protected seek(local: number, w0: number, w1: number, w2: number, w3: number, w4: number): number {
    const slot = this.directory.slotOf(local, w0);
    let before = 0;
    let handle = this.directory.head(slot);
    this.slot = slot;
    this.isExact = false;
    this.hasMissed = false;
    while (handle !== 0) {
      const words = this.chunks[handle >>> SLOT_BITS]!;
      const w = (handle & SLOT_MASK) * E.ENTRY_WORDS;
      let difference = compare(words[w + E.ENTRY_ORDER]!, w0);
      if (difference === 0) {
        difference =
          compare(words[w + E.ENTRY_ORDER + 1]!, w1) ||
          compare(words[w + E.ENTRY_ORDER + 2]!, w2) ||
          compare(words[w + E.ENTRY_ORDER + 3]!, w3) ||
          compare(words[w + E.ENTRY_ORDER + 4]!, w4);
      }
      if (difference >= 0) {
        this.isExact = difference === 0;
        break;
      }
      before = handle;
      handle = words[w + E.ENTRY_NEXT]!;
    }
    this.before = before;
    return handle;
  }

  /** Head of the first sprig with an entry, from `slot` on; or -1. */
  protected firstFrom(local: number, slot: number): number {
    while (slot !== NO_SLOT) {
      const handle = this.directory.head(slot);
      if (handle !== 0) return handle;
      slot = this.directory.slotAfter(local, slot);
    }
    return -1;
  }

  /** Splits the next sprig of a doubling: its list is cut where the deciding bit becomes one. */
  #splitNext(): void {
    const bit = this.directory.splitBit;
    const lower = this.directory.head(this.directory.splitSlot);
    let before = 0;
    let upper = lower;
    while (upper !== 0 && (((this.word(upper, E.ENTRY_ORDER) ^ E.ORDER_BIAS) >>> bit) & 1) === 0) {
      before = upper;
      upper = this.word(upper, E.ENTRY_NEXT);
    }
    if (before !== 0) this.setWord(before, E.ENTRY_NEXT, 0);
    this.directory.finishSplit(before === 0 ? 0 : lower, upper);
  }
}

/** Sign of a - b without overflow. */
function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
