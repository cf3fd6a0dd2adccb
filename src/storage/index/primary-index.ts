/**
 * The primary index of one shard: which records exist and what a command must know of them before it reads
 * them. One thread uses it. Everything mutable lies in shared memory (entries in arena chunks, list heads in
 * the sprig directory, counters in a control region); this object only describes it.
 *
 * A handle names an entry: chunk above, slot below, good until the entry is removed. Handle 0 is never given
 * out, so zeroed memory reads as "none". Every sprig is a list in walking order (entry.ts says which), at most
 * three entries on average: the directory doubles, a few sprigs an insert, when there are more.
 *
 * Invariant: an entry is in exactly one sprig list, the one of its digest, or in the free list, or was never used.
 */
import { Arena, type ChunkListener, Region, type SharedBytes } from '../../base/arena.js';
import { PARTITION_COUNT, partitionOf } from '../../base/digest.js';
import * as E from './entry.js';
import { DIR_EPOCH, DIR_WORDS, type DirectoryMemory, NO_SLOT, SprigDirectory } from './sprig-directory.js';

const SLOT_BITS = 20;
const SLOT_MASK = (1 << SLOT_BITS) - 1;
const CHUNK_SIZE = E.ENTRY_SIZE << SLOT_BITS; // 56 MiB of address space, touched as it fills
/** Handles stay positive small integers. */
const HANDLE_MAX = 0x7fffffff;
/**
 * Average list length at which the directory doubles, so it lies between 1.5 and 3. Every step of a list is a cache
 * miss: with a million entries a load of 1.9 finds in 500 ns where 3.8 takes 650. Costs 2.7 bytes a record, 4 while growing.
 */
const SPRIG_LOAD_MAX = 3;
/** Sprigs split by an insert while growing: the doubling ends long before the next one is due. */
const SPLITS_PER_INSERT = 2;
const TWO_32 = 0x100000000;

/** Words of the control region after the directory's. */
const COUNT = DIR_WORDS;
const FREE = DIR_WORDS + 1; // handle of the first free entry
const FRESH = DIR_WORDS + 2; // handle of the first entry never used
const COUNT_OF = 16; // entries of each owned partition

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

export class PrimaryIndex {
  readonly #control: Int32Array;
  readonly #entriesMax: number;
  readonly #directory: SprigDirectory;
  readonly #arena: Arena;
  /** The words of each chunk. */
  readonly #chunks: Int32Array[] = [];
  /** Position of each owned pid among the shard's partitions, -1 for the others. */
  readonly #localOf = new Int16Array(PARTITION_COUNT).fill(-1);
  /** What the last `#seek` found besides its result: the entry before it (0 = list head), its sprig, equality. */
  #before = 0;
  #slot = 0;
  #isExact = false;

  constructor(options: PrimaryIndexOptions) {
    const { partitions, memory } = options;
    const controlSize = (COUNT_OF + partitions.length) * 4;
    const control = new Region(memory?.control ?? controlSize);
    this.#control = control.i32;
    if (!memory) this.#control[FRESH] = 1;
    this.#entriesMax = Math.min(options.entriesMax ?? HANDLE_MAX, HANDLE_MAX);
    partitions.forEach((pid, local) => {
      this.#localOf[pid] = local;
    });
    this.#directory = new SprigDirectory(partitions.length, this.#control, memory?.directory);
    this.#arena = new Arena(CHUNK_SIZE, options.onChunk);
    for (const shared of memory?.chunks ?? []) {
      const region = new Region(shared);
      this.#arena.chunks.push(region);
      this.#chunks.push(region.i32);
    }
  }

  /** For `options.memory` on another thread; out of date when the index has grown since. */
  get memory(): PrimaryIndexMemory {
    return {
      control: this.#control.buffer as SharedBytes,
      directory: this.#directory.memory,
      chunks: this.#arena.chunks.map(region => region.shared),
    };
  }

  /** Entries in the index. */
  get count(): number {
    return this.#control[COUNT]!;
  }

  /** Entries of one owned partition. */
  countOf(pid: number): number {
    return this.#control[COUNT_OF + this.#localOf[pid]!]!;
  }

  /** Bytes of the entries in use and of the directory. */
  get usedBytes(): number {
    return this.#control[COUNT]! * E.ENTRY_SIZE + this.#directory.usedBytes;
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
    const handle = this.#takeEntry();
    if (handle < 0) return -1;
    if (this.#directory.isGrowing) this.#growSome();
    else if (this.#control[COUNT]! >= this.#directory.sprigCount * SPRIG_LOAD_MAX)
      this.#directory.startGrowth();

    const pid = partitionOf(digest, at);
    const following = this.#seekDigest(pid, digest, at);
    const words = this.#chunks[handle >>> SLOT_BITS]!;
    const w = (handle & SLOT_MASK) * E.ENTRY_WORDS;
    words[w + E.ENTRY_NEXT] = following;
    for (let i = 0; i < 4; i++) words[w + E.ENTRY_ORDER + i] = E.orderWord(digest, at + 2 + i * 4);
    words[w + E.ENTRY_ORDER + 4] = E.lastOrderWord(digest, at);
    for (let i = E.ENTRY_GENERATION_SET; i < E.ENTRY_FLAGS; i++) words[w + i] = 0;
    words[w + E.ENTRY_FLAGS]! &= -1 << E.INCARNATION_SHIFT;
    this.#link(this.#before, this.#slot, handle);
    this.#control[COUNT]!++;
    this.#control[COUNT_OF + this.#localOf[pid]!]!++;
    return handle;
  }

  /** Takes the entry out; its handle may be given out again by the next insert, under another incarnation. */
  remove(handle: number): void {
    const words = this.#chunks[handle >>> SLOT_BITS]!;
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
    words[w + E.ENTRY_FLAGS]! += 1 << E.INCARNATION_SHIFT;
    words[w + E.ENTRY_NEXT] = this.#control[FREE]!;
    this.#control[FREE] = handle;
    this.#control[COUNT]!--;
    this.#control[COUNT_OF + local]!--;
  }

  /** First handle of a partition in walking order, or -1. */
  first(pid: number): number {
    const local = this.#localOf[pid]!;
    return this.#firstFrom(local, this.#directory.firstSlot(local));
  }

  /** The handle after `handle`, which must still be in the index, or -1. */
  next(pid: number, handle: number): number {
    const words = this.#chunks[handle >>> SLOT_BITS]!;
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

  /** Copies the entry's 20 digest bytes. */
  digestTo(handle: number, out: Uint8Array, at: number): void {
    const words = this.#chunks[handle >>> SLOT_BITS]!;
    E.digestFromOrder(words, (handle & SLOT_MASK) * E.ENTRY_WORDS + E.ENTRY_ORDER, out, at);
  }

  generation(handle: number): number {
    return this.#get(handle, E.ENTRY_GENERATION_SET) & 0xffff;
  }
  setGeneration(handle: number, generation: number): void {
    const other = this.#get(handle, E.ENTRY_GENERATION_SET) & ~0xffff;
    this.#set(handle, E.ENTRY_GENERATION_SET, other | (generation & 0xffff));
  }

  setId(handle: number): number {
    return this.#get(handle, E.ENTRY_GENERATION_SET) >>> 16;
  }
  setSetId(handle: number, setId: number): void {
    const other = this.#get(handle, E.ENTRY_GENERATION_SET) & 0xffff;
    this.#set(handle, E.ENTRY_GENERATION_SET, other | (setId << 16));
  }

  /** Seconds since 2010, 0 = never. */
  voidTime(handle: number): number {
    return this.#get(handle, E.ENTRY_VOID_TIME) >>> 0;
  }
  setVoidTime(handle: number, voidTimeSec: number): void {
    this.#set(handle, E.ENTRY_VOID_TIME, voidTimeSec);
  }

  /** Milliseconds since 2010, 48 bits. */
  lut(handle: number): number {
    const high = this.#get(handle, E.ENTRY_LUT_SEQUENCE_HIGH) & 0xffff;
    return high * TWO_32 + (this.#get(handle, E.ENTRY_LUT_LOW) >>> 0);
  }
  setLut(handle: number, lutMs: number): void {
    const other = this.#get(handle, E.ENTRY_LUT_SEQUENCE_HIGH) & ~0xffff;
    this.#set(handle, E.ENTRY_LUT_LOW, lutMs);
    this.#set(handle, E.ENTRY_LUT_SEQUENCE_HIGH, other | Math.floor(lutMs / TWO_32));
  }

  /** Write sequence of the stored version, 48 bits. */
  sequence(handle: number): number {
    const high = this.#get(handle, E.ENTRY_LUT_SEQUENCE_HIGH) >>> 16;
    return high * TWO_32 + (this.#get(handle, E.ENTRY_SEQUENCE_LOW) >>> 0);
  }
  setSequence(handle: number, sequence: number): void {
    const other = this.#get(handle, E.ENTRY_LUT_SEQUENCE_HIGH) & 0xffff;
    this.#set(handle, E.ENTRY_SEQUENCE_LOW, sequence);
    this.#set(handle, E.ENTRY_LUT_SEQUENCE_HIGH, other | (Math.floor(sequence / TWO_32) << 16));
  }

  /** Where the record is stored, in 16-byte record blocks, 40 bits; what it counts from is the engine's matter. */
  location(handle: number): number {
    const high = this.#get(handle, E.ENTRY_LOCATION_HIGH_SIZE) & 0xff;
    return high * TWO_32 + (this.#get(handle, E.ENTRY_LOCATION_LOW) >>> 0);
  }
  setLocation(handle: number, location: number): void {
    const other = this.#get(handle, E.ENTRY_LOCATION_HIGH_SIZE) & ~0xff;
    this.#set(handle, E.ENTRY_LOCATION_LOW, location);
    this.#set(handle, E.ENTRY_LOCATION_HIGH_SIZE, other | Math.floor(location / TWO_32));
  }

  /** Stored bytes, at most STORED_SIZE_MAX; 0 = nothing stored. */
  size(handle: number): number {
    return this.#get(handle, E.ENTRY_LOCATION_HIGH_SIZE) >>> 8;
  }
  setSize(handle: number, size: number): void {
    const other = this.#get(handle, E.ENTRY_LOCATION_HIGH_SIZE) & 0xff;
    this.#set(handle, E.ENTRY_LOCATION_HIGH_SIZE, other | (size << 8));
  }

  /** @param flag One or several of the flag bits of entry.ts; true when any is set. */
  hasFlag(handle: number, flag: number): boolean {
    return (this.#get(handle, E.ENTRY_FLAGS) & flag) !== 0;
  }
  setFlag(handle: number, flag: number, on: boolean): void {
    const flags = this.#get(handle, E.ENTRY_FLAGS);
    this.#set(handle, E.ENTRY_FLAGS, on ? flags | flag : flags & ~flag);
  }

  replicationState(handle: number): number {
    return (this.#get(handle, E.ENTRY_FLAGS) >>> E.REPLICATION_SHIFT) & E.REPLICATION_MASK;
  }
  setReplicationState(handle: number, state: number): void {
    const other = this.#get(handle, E.ENTRY_FLAGS) & ~(E.REPLICATION_MASK << E.REPLICATION_SHIFT);
    this.#set(handle, E.ENTRY_FLAGS, other | ((state & E.REPLICATION_MASK) << E.REPLICATION_SHIFT));
  }

  regime(handle: number): number {
    return (this.#get(handle, E.ENTRY_FLAGS) >>> E.REGIME_SHIFT) & E.REGIME_MASK;
  }
  setRegime(handle: number, regime: number): void {
    const other = this.#get(handle, E.ENTRY_FLAGS) & ~(E.REGIME_MASK << E.REGIME_SHIFT);
    this.#set(handle, E.ENTRY_FLAGS, other | ((regime & E.REGIME_MASK) << E.REGIME_SHIFT));
  }

  /** 16 bits that change whenever the handle is removed: (handle, incarnation) tells whether it is still the same entry. */
  incarnation(handle: number): number {
    return this.#get(handle, E.ENTRY_FLAGS) >>> E.INCARNATION_SHIFT;
  }

  #get(handle: number, field: number): number {
    return this.#chunks[handle >>> SLOT_BITS]![(handle & SLOT_MASK) * E.ENTRY_WORDS + field]!;
  }

  #set(handle: number, field: number, value: number): void {
    this.#chunks[handle >>> SLOT_BITS]![(handle & SLOT_MASK) * E.ENTRY_WORDS + field] = value;
  }

  /** Makes `handle` follow `before`, or head the sprig when there is no entry before it. */
  #link(before: number, slot: number, handle: number): void {
    if (before === 0) this.#directory.setHead(slot, handle);
    else this.#set(before, E.ENTRY_NEXT, handle);
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
      const words = this.#chunks[handle >>> SLOT_BITS]!;
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

  /** An unused entry, from the free list first; -1 when there is none. */
  #takeEntry(): number {
    if (this.#control[COUNT]! >= this.#entriesMax) return -1;
    const free = this.#control[FREE]!;
    if (free !== 0) {
      this.#control[FREE] = this.#get(free, E.ENTRY_NEXT);
      return free;
    }
    const fresh = this.#control[FRESH]!;
    if (fresh >= HANDLE_MAX) return -1;
    if (fresh >>> SLOT_BITS === this.#chunks.length && !this.#addChunk()) return -1;
    this.#control[FRESH] = fresh + 1;
    return fresh;
  }

  #addChunk(): boolean {
    try {
      this.#chunks.push(this.#arena.chunks[this.#arena.addChunk()]!.i32);
      this.#control[DIR_EPOCH]!++;
      return true;
    } catch (error) {
      // V8's answer when the machine has no such piece of memory left: the namespace is full, the server lives on.
      if (error instanceof RangeError) return false;
      throw error;
    }
  }

  /** Splits the next few sprigs of a doubling: each list is cut where the deciding bit becomes one. */
  #growSome(): void {
    for (let i = 0; i < SPLITS_PER_INSERT && this.#directory.isGrowing; i++) {
      const bit = this.#directory.splitBit;
      const lower = this.#directory.head(this.#directory.splitSlot);
      let before = 0;
      let upper = lower;
      while (upper !== 0 && (((this.#get(upper, E.ENTRY_ORDER) ^ E.ORDER_BIAS) >>> bit) & 1) === 0) {
        before = upper;
        upper = this.#get(upper, E.ENTRY_NEXT);
      }
      if (before !== 0) this.#set(before, E.ENTRY_NEXT, 0);
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
