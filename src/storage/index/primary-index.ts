/**
 * The primary index of one shard: which records exist and what a command must know of them before it reads
 * them. One thread uses it. Everything mutable lies in shared memory (entries in arena chunks, list heads in
 * the sprig directory, counters in a control region); this object only describes it.
 *
 * An entry's fields are read and written by its handle (entry-table.ts). Every sprig is a list in walking order
 * (entry.ts says which), at most three entries on average: the directory doubles, a few sprigs an insert, when
 * there are more.
 *
 * Invariant: an entry is in exactly one sprig list, the one of its digest, or in the free list, or was never used.
 */
import { type ChunkListener, Region, type SharedBytes } from '../../base/arena.js';
import { PARTITION_COUNT, partitionOf } from '../../base/digest.js';
import * as E from './entry.js';
import { EntryTable, SLOT_BITS, SLOT_MASK } from './entry-table.js';
import { type DirectoryMemory, NO_SLOT, SprigDirectory } from './sprig-directory.js';

/**
 * Average list length at which the directory doubles, so it lies between 1.5 and 3. Every step of a list is a cache
 * miss: with a million entries a load of 1.9 finds in 500 ns where 3.8 takes 650. Costs 2.7 bytes a record, 4 while growing.
 */
const SPRIG_LOAD_MAX = 3;
/** Sprigs split by an insert while growing: the doubling ends long before the next one is due. */
const SPLITS_PER_INSERT = 2;
/** Word of the control region from which each owned partition's entries are counted. */
const COUNT_OF = 16;

export interface PrimaryIndexOptions {
  /** Pids of the shard. */
  partitions: Uint16Array;
  /** Entries at most. */
  entriesMax?: number;
  /** Hears of each new chunk of entries. */
  onChunk?: ChunkListener;
  /** Makes this object a view of an index that lives already, for another thread to read. */
  memory?: PrimaryIndexMemory;
}

/** Everything mutable of an index, as it travels to another thread. */
export interface PrimaryIndexMemory {
  control: SharedBytes;
  directory: DirectoryMemory;
  chunks: SharedBytes[];
}

export class PrimaryIndex extends EntryTable {
  readonly #directory: SprigDirectory;
  /** Position of each owned pid among the shard's partitions, -1 for the others. */
  readonly #localOf = new Int16Array(PARTITION_COUNT).fill(-1);
  /** What the last `#seek` found besides its result: the entry before it (0 = list head), its sprig, equality. */
  #before = 0;
  #slot = 0;
  #isExact = false;

  constructor(options: PrimaryIndexOptions) {
    const { partitions, memory } = options;
    const control = new Region(memory?.control ?? (COUNT_OF + partitions.length) * 4).i32;
    super(control, options.entriesMax, options.onChunk, memory?.chunks);
    partitions.forEach((pid, local) => {
      this.#localOf[pid] = local;
    });
    this.#directory = new SprigDirectory(partitions.length, control, memory?.directory);
  }

  /** For `options.memory` on another thread; to be taken anew when `epoch` or the number of chunks has changed. */
  get memory(): PrimaryIndexMemory {
    return {
      control: this.control.buffer as SharedBytes,
      directory: this.#directory.memory,
      chunks: this.sharedChunks,
    };
  }

  get epoch(): number {
    return this.#directory.epoch;
  }

  /** Entries of one owned partition. */
  countOf(pid: number): number {
    return this.control[COUNT_OF + this.#localOf[pid]!]!;
  }

  /** Bytes of the entries in use and of the directory. */
  get usedBytes(): number {
    return this.count * E.ENTRY_SIZE + this.#directory.usedBytes;
  }

  /** Handle of the entry of the digest at `at`, or -1. The digest's partition must be the shard's. */
  find(digest: Uint8Array, at: number): number {
    const handle = this.#seekDigest(partitionOf(digest, at), digest, at);
    return this.#isExact ? handle : -1;
  }

  /**
   * Adds an entry for the digest at `at`, which must not be there yet. All its fields are zero, its incarnation
   * differs from the handle's last use.
   * @returns The handle, or -1 when `entriesMax` or the machine's memory is used up; then nothing has changed.
   */
  insert(digest: Uint8Array, at: number): number {
    const handle = this.takeEntry();
    if (handle < 0) return -1;
    if (this.#directory.isGrowing) this.#growSome();
    else if (this.count > this.#directory.sprigCount * SPRIG_LOAD_MAX) this.#directory.startGrowth();

    const pid = partitionOf(digest, at);
    const following = this.#seekDigest(pid, digest, at);
    const words = this.chunks[handle >>> SLOT_BITS]!;
    const w = (handle & SLOT_MASK) * E.ENTRY_WORDS;
    words[w + E.ENTRY_NEXT] = following;
    for (let i = 0; i < 4; i++) words[w + E.ENTRY_ORDER + i] = E.orderWord(digest, at + 2 + i * 4);
    words[w + E.ENTRY_ORDER + 4] = E.lastOrderWord(digest, at);
    for (let i = E.ENTRY_GENERATION_SET; i < E.ENTRY_FLAGS; i++) words[w + i] = 0;
    words[w + E.ENTRY_FLAGS]! &= -1 << E.INCARNATION_SHIFT;
    this.#link(this.#before, this.#slot, handle);
    this.control[COUNT_OF + this.#localOf[pid]!]!++;
    return handle;
  }

  /** Takes the entry out; its handle may be given out again by the next insert, under another incarnation. */
  remove(handle: number): void {
    const words = this.chunks[handle >>> SLOT_BITS]!;
    const w = (handle & SLOT_MASK) * E.ENTRY_WORDS;
    const last = words[w + E.ENTRY_ORDER + 4]!;
    const local = this.#localOf[pidOfLastWord(last)]!;
    const found = this.#seek(
      local,
      words[w + E.ENTRY_ORDER]!,
      words[w + E.ENTRY_ORDER + 1]!,
      words[w + E.ENTRY_ORDER + 2]!,
      words[w + E.ENTRY_ORDER + 3]!,
      last,
    );
    if (found !== handle) throw new Error(`primary index: handle ${handle} is not in the index`);
    this.#link(this.#before, this.#slot, words[w + E.ENTRY_NEXT]!);
    this.giveEntry(handle);
    this.control[COUNT_OF + local]!--;
  }

  /** First handle of a partition in walking order, or -1. */
  first(pid: number): number {
    const local = this.#localOf[pid]!;
    return this.#firstFrom(local, this.#directory.firstSlot(local));
  }

  /** The handle after `handle`, which must still be in the index, or -1. */
  next(pid: number, handle: number): number {
    const words = this.chunks[handle >>> SLOT_BITS]!;
    const w = (handle & SLOT_MASK) * E.ENTRY_WORDS;
    const following = words[w + E.ENTRY_NEXT]!;
    if (following !== 0) return following;
    const local = this.#localOf[pid]!;
    const slot = this.#directory.slotOf(local, words[w + E.ENTRY_ORDER]!);
    return this.#firstFrom(local, this.#directory.slotAfter(local, slot));
  }

  /** First handle of a partition strictly after the digest at `at`, which need not be in the index; or -1. */
  after(pid: number, digest: Uint8Array, at: number): number {
    const handle = this.#seekDigest(pid, digest, at);
    if (handle !== 0) return this.#isExact ? this.next(pid, handle) : handle;
    const local = this.#localOf[pid]!;
    return this.#firstFrom(local, this.#directory.slotAfter(local, this.#slot));
  }

  /** Makes `handle` follow `before`, or head the sprig when there is no entry before it. */
  #link(before: number, slot: number, handle: number): void {
    if (before === 0) this.#directory.setHead(slot, handle);
    else this.setWord(before, E.ENTRY_NEXT, handle);
  }

  #seekDigest(pid: number, digest: Uint8Array, at: number): number {
    return this.#seek(
      this.#localOf[pid]!,
      E.orderWord(digest, at + 2),
      E.orderWord(digest, at + 6),
      E.orderWord(digest, at + 10),
      E.orderWord(digest, at + 14),
      E.lastOrderWord(digest, at),
    );
  }

  /**
   * The first entry at or after the key in its sprig, or 0; `#isExact` says whether it is the key's own.
   * Leaves the entry before it and the sprig in `#before` and `#slot`.
   */
  #seek(local: number, w0: number, w1: number, w2: number, w3: number, w4: number): number {
    const slot = this.#directory.slotOf(local, w0);
    let before = 0;
    let handle = this.#directory.head(slot);
    this.#slot = slot;
    this.#isExact = false;
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
        this.#isExact = difference === 0;
        break;
      }
      before = handle;
      handle = words[w + E.ENTRY_NEXT]!;
    }
    this.#before = before;
    return handle;
  }

  /** Head of the first sprig with an entry, from `slot` on. */
  #firstFrom(local: number, slot: number): number {
    while (slot !== NO_SLOT) {
      const handle = this.#directory.head(slot);
      if (handle !== 0) return handle;
      slot = this.#directory.slotAfter(local, slot);
    }
    return -1;
  }

  /** Splits the next few sprigs of a doubling: each list is cut where the deciding bit becomes one. */
  #growSome(): void {
    for (let i = 0; i < SPLITS_PER_INSERT && this.#directory.isGrowing; i++) {
      const bit = this.#directory.splitBit;
      const lower = this.#directory.head(this.#directory.splitSlot);
      let before = 0;
      let upper = lower;
      while (upper !== 0 && (((this.word(upper, E.ENTRY_ORDER) ^ E.ORDER_BIAS) >>> bit) & 1) === 0) {
        before = upper;
        upper = this.word(upper, E.ENTRY_NEXT);
      }
      if (before !== 0) this.setWord(before, E.ENTRY_NEXT, 0);
      this.#directory.finishSplit(before === 0 ? 0 : lower, upper);
    }
  }
}

/** Sign of a - b without overflow. */
function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Pid from the fifth order word, which ends in digest bytes 1 and 0. */
function pidOfLastWord(word: number): number {
  return word & 0xfff;
}
