/**
 * The entries of one shard and their fields: fixed-size words in arena chunks (entry.ts has the layout), taken from a
 * free list. A handle names an entry, chunk above, slot below, good until the entry is given back. Handle 0 is
 * never given out, so zeroed memory reads as "none".
 */
import { Arena, type ChunkListener, Region, type SharedBytes } from '../../base/arena.js';
import * as E from './entry.js';

export const SLOT_BITS = 20;
export const SLOT_MASK = (1 << SLOT_BITS) - 1;
const CHUNK_SIZE = E.ENTRY_SIZE << SLOT_BITS; // 56 MiB of address space, touched as it fills
/** Handles stay positive small integers. */
const HANDLE_MAX = 0x7fffffff;
const TWO_32 = 0x100000000;

/** Words of the index's control region that belong to this class. */
const COUNT = 0; // entries taken
const FREE = 1; // handle of the first free entry
const FRESH = 2; // handle of the first entry never used; 0 in a new region
const CHUNK_COUNT = 3;
export const TABLE_WORDS = 4;

/** What most commands ask of an entry, read in one go. */
export class EntryFields {
  generation = 0;
  setId = 0;
  voidTime = 0;
  /** Stored bytes. */
  size = 0;
  /** Bits of entry.ts. */
  flags = 0;
}

export class EntryTable {
  /** Shared words of the whole index. */
  protected readonly control: Int32Array;
  /** The words of each chunk. */
  protected readonly chunks: Int32Array[] = [];
  /** Another thread's table, described: it never adds a chunk. */
  protected readonly isView: boolean;
  readonly #entriesMax: number;
  readonly #arena: Arena;

  /** @param chunks Those that exist already, of another thread's table. */
  constructor(control: Int32Array, entriesMax?: number, onChunk?: ChunkListener, chunks?: SharedBytes[]) {
    this.control = control;
    this.isView = chunks !== undefined;
    if (control[FRESH] === 0) control[FRESH] = 1;
    this.#entriesMax = Math.min(entriesMax ?? HANDLE_MAX, HANDLE_MAX);
    this.#arena = new Arena(CHUNK_SIZE, onChunk);
    for (const shared of chunks ?? []) {
      const region = new Region(shared);
      this.#arena.chunks.push(region);
      this.chunks.push(region.i32);
    }
  }

  /** Whether every chunk is known here. */
  protected get hasAllChunks(): boolean {
    return this.control[CHUNK_COUNT] === this.chunks.length;
  }

  /** Entries in use. */
  get count(): number {
    return this.control[COUNT]!;
  }

  protected get sharedChunks(): SharedBytes[] {
    return this.#arena.chunks.map(region => region.shared);
  }

  /** Copies the entry's 20 digest bytes. */
  digestTo(handle: number, out: Uint8Array, at: number): void {
    const words = this.chunks[handle >>> SLOT_BITS]!;
    E.digestFromOrder(words, (handle & SLOT_MASK) * E.ENTRY_WORDS + E.ENTRY_ORDER, out, at);
  }

  /** Reads several fields, each as the method of its name does. */
  fieldsTo(handle: number, out: EntryFields): void {
    const words = this.chunks[handle >>> SLOT_BITS]!;
    const w = (handle & SLOT_MASK) * E.ENTRY_WORDS;
    const generationSet = words[w + E.ENTRY_GENERATION_SET]!;
    out.generation = generationSet & 0xffff;
    out.setId = generationSet >>> 16;
    out.voidTime = words[w + E.ENTRY_VOID_TIME]! >>> 0;
    out.size = words[w + E.ENTRY_LOCATION_HIGH_SIZE]! >>> 8;
    out.flags = words[w + E.ENTRY_FLAGS]!;
  }

  generation(handle: number): number {
    return this.word(handle, E.ENTRY_GENERATION_SET) & 0xffff;
  }
  setGeneration(handle: number, generation: number): void {
    const other = this.word(handle, E.ENTRY_GENERATION_SET) & ~0xffff;
    this.setWord(handle, E.ENTRY_GENERATION_SET, other | (generation & 0xffff));
  }

  setId(handle: number): number {
    return this.word(handle, E.ENTRY_GENERATION_SET) >>> 16;
  }
  setSetId(handle: number, setId: number): void {
    const other = this.word(handle, E.ENTRY_GENERATION_SET) & 0xffff;
    this.setWord(handle, E.ENTRY_GENERATION_SET, other | (setId << 16));
  }

  /** Seconds since 2010, 0 = never. */
  voidTime(handle: number): number {
    return this.word(handle, E.ENTRY_VOID_TIME) >>> 0;
  }
  setVoidTime(handle: number, voidTimeSec: number): void {
    this.setWord(handle, E.ENTRY_VOID_TIME, voidTimeSec);
  }

  /** Milliseconds since 2010, 48 bits. */
  lut(handle: number): number {
    const high = this.word(handle, E.ENTRY_LUT_SEQUENCE_HIGH) & 0xffff;
    return high * TWO_32 + (this.word(handle, E.ENTRY_LUT_LOW) >>> 0);
  }
  setLut(handle: number, lutMs: number): void {
    const other = this.word(handle, E.ENTRY_LUT_SEQUENCE_HIGH) & ~0xffff;
    this.setWord(handle, E.ENTRY_LUT_LOW, lutMs);
    this.setWord(handle, E.ENTRY_LUT_SEQUENCE_HIGH, other | Math.floor(lutMs / TWO_32));
  }

  /** Write sequence of the stored version, 48 bits. */
  sequence(handle: number): number {
    const high = this.word(handle, E.ENTRY_LUT_SEQUENCE_HIGH) >>> 16;
    return high * TWO_32 + (this.word(handle, E.ENTRY_SEQUENCE_LOW) >>> 0);
  }
  setSequence(handle: number, sequence: number): void {
    const other = this.word(handle, E.ENTRY_LUT_SEQUENCE_HIGH) & 0xffff;
    this.setWord(handle, E.ENTRY_SEQUENCE_LOW, sequence);
    this.setWord(handle, E.ENTRY_LUT_SEQUENCE_HIGH, other | (Math.floor(sequence / TWO_32) << 16));
  }

  /** Where the record is stored, in 16-byte record blocks, 40 bits; what it counts from is the engine's matter. */
  location(handle: number): number {
    const high = this.word(handle, E.ENTRY_LOCATION_HIGH_SIZE) & 0xff;
    return high * TWO_32 + (this.word(handle, E.ENTRY_LOCATION_LOW) >>> 0);
  }
  setLocation(handle: number, location: number): void {
    const other = this.word(handle, E.ENTRY_LOCATION_HIGH_SIZE) & ~0xff;
    this.setWord(handle, E.ENTRY_LOCATION_LOW, location);
    this.setWord(handle, E.ENTRY_LOCATION_HIGH_SIZE, other | Math.floor(location / TWO_32));
  }

  /** Stored bytes, at most STORED_SIZE_MAX; 0 = nothing stored. */
  size(handle: number): number {
    return this.word(handle, E.ENTRY_LOCATION_HIGH_SIZE) >>> 8;
  }
  setSize(handle: number, size: number): void {
    const other = this.word(handle, E.ENTRY_LOCATION_HIGH_SIZE) & 0xff;
    this.setWord(handle, E.ENTRY_LOCATION_HIGH_SIZE, other | (size << 8));
  }

  /** @param flag One or several of the flag bits of entry.ts; true when any is set. */
  hasFlag(handle: number, flag: number): boolean {
    return (this.word(handle, E.ENTRY_FLAGS) & flag) !== 0;
  }
  setFlag(handle: number, flag: number, on: boolean): void {
    const flags = this.word(handle, E.ENTRY_FLAGS);
    this.setWord(handle, E.ENTRY_FLAGS, on ? flags | flag : flags & ~flag);
  }

  replicationState(handle: number): number {
    return (this.word(handle, E.ENTRY_FLAGS) >>> E.REPLICATION_SHIFT) & E.REPLICATION_MASK;
  }
  setReplicationState(handle: number, state: number): void {
    const other = this.word(handle, E.ENTRY_FLAGS) & ~(E.REPLICATION_MASK << E.REPLICATION_SHIFT);
    this.setWord(handle, E.ENTRY_FLAGS, other | ((state & E.REPLICATION_MASK) << E.REPLICATION_SHIFT));
  }

  regime(handle: number): number {
    return (this.word(handle, E.ENTRY_FLAGS) >>> E.REGIME_SHIFT) & E.REGIME_MASK;
  }
  setRegime(handle: number, regime: number): void {
    const other = this.word(handle, E.ENTRY_FLAGS) & ~(E.REGIME_MASK << E.REGIME_SHIFT);
    this.setWord(handle, E.ENTRY_FLAGS, other | ((regime & E.REGIME_MASK) << E.REGIME_SHIFT));
  }

  /** 16 bits that change whenever the handle is removed: (handle, incarnation) tells whether it is still the same entry. */
  incarnation(handle: number): number {
    return this.word(handle, E.ENTRY_FLAGS) >>> E.INCARNATION_SHIFT;
  }

  /** The words that say where a version is stored, and its size. */
  locationLow(handle: number): number {
    return this.word(handle, E.ENTRY_LOCATION_LOW);
  }
  locationHighSize(handle: number): number {
    return this.word(handle, E.ENTRY_LOCATION_HIGH_SIZE);
  }

  /** Sets where a version is stored, its size, and its write sequence by its low 32 and its high 16 bits. */
  setPlace(handle: number, location: number, size: number, sequenceLow: number, sequenceHigh: number): void {
    const words = this.chunks[handle >>> SLOT_BITS]!;
    const w = (handle & SLOT_MASK) * E.ENTRY_WORDS;
    words[w + E.ENTRY_SEQUENCE_LOW] = sequenceLow;
    words[w + E.ENTRY_LUT_SEQUENCE_HIGH] =
      (words[w + E.ENTRY_LUT_SEQUENCE_HIGH]! & 0xffff) | (sequenceHigh << 16);
    words[w + E.ENTRY_LOCATION_LOW] = location;
    words[w + E.ENTRY_LOCATION_HIGH_SIZE] = (size << 8) | Math.floor(location / TWO_32);
  }

  /** Sets what a write gives to a record, but for its place; a tombstone is none any more. */
  setWritten(
    handle: number,
    generation: number,
    setId: number,
    voidTimeSec: number,
    lutMs: number,
    isKeyStored: boolean,
  ): void {
    const words = this.chunks[handle >>> SLOT_BITS]!;
    const w = (handle & SLOT_MASK) * E.ENTRY_WORDS;
    words[w + E.ENTRY_GENERATION_SET] = (generation & 0xffff) | (setId << 16);
    words[w + E.ENTRY_VOID_TIME] = voidTimeSec;
    words[w + E.ENTRY_LUT_LOW] = lutMs;
    words[w + E.ENTRY_LUT_SEQUENCE_HIGH] =
      (words[w + E.ENTRY_LUT_SEQUENCE_HIGH]! & ~0xffff) | Math.floor(lutMs / TWO_32);
    words[w + E.ENTRY_FLAGS] =
      (words[w + E.ENTRY_FLAGS]! & ~(E.TOMBSTONE | E.KEY_STORED)) | (isKeyStored ? E.KEY_STORED : 0);
  }

  /** Sets everything that a stored record says of itself, as words of its entry; the key and the incarnation stay. */
  setStored(
    handle: number,
    generationSet: number,
    voidTimeSec: number,
    lutLow: number,
    sequenceLow: number,
    lutSequenceHigh: number,
    location: number,
    size: number,
    flags: number,
  ): void {
    const words = this.chunks[handle >>> SLOT_BITS]!;
    const w = (handle & SLOT_MASK) * E.ENTRY_WORDS;
    words[w + E.ENTRY_GENERATION_SET] = generationSet;
    words[w + E.ENTRY_VOID_TIME] = voidTimeSec;
    words[w + E.ENTRY_LUT_LOW] = lutLow;
    words[w + E.ENTRY_SEQUENCE_LOW] = sequenceLow;
    words[w + E.ENTRY_LUT_SEQUENCE_HIGH] = lutSequenceHigh;
    words[w + E.ENTRY_LOCATION_LOW] = location;
    words[w + E.ENTRY_LOCATION_HIGH_SIZE] = (size << 8) | Math.floor(location / TWO_32);
    words[w + E.ENTRY_FLAGS] = (words[w + E.ENTRY_FLAGS]! & (-1 << E.INCARNATION_SHIFT)) | flags;
  }

  protected word(handle: number, field: number): number {
    return this.chunks[handle >>> SLOT_BITS]![(handle & SLOT_MASK) * E.ENTRY_WORDS + field]!;
  }

  protected setWord(handle: number, field: number, value: number): void {
    this.chunks[handle >>> SLOT_BITS]![(handle & SLOT_MASK) * E.ENTRY_WORDS + field] = value;
  }

  /** An unused entry, whose words are what they were; -1 when the budget or the machine's memory is used up. */
  protected takeEntry(): number {
    if (this.control[COUNT]! >= this.#entriesMax) return -1;
    const free = this.control[FREE]!;
    if (free !== 0) {
      this.control[FREE] = this.word(free, E.ENTRY_NEXT);
      this.control[COUNT]!++;
      return free;
    }
    const fresh = this.control[FRESH]!;
    if (fresh >= HANDLE_MAX) return -1;
    if (fresh >>> SLOT_BITS === this.chunks.length && !this.#addChunk()) return -1;
    this.control[FRESH] = fresh + 1;
    this.control[COUNT]!++;
    return fresh;
  }

  /** As `takeEntry`, `count` entries in a row that were never used. @returns The first; -1: there is no memory for them. */
  protected takeFresh(count: number): number {
    const first = this.control[FRESH]!;
    const end = first + count;
    if (this.control[COUNT]! + count > this.#entriesMax || end > HANDLE_MAX) return -1;
    while (end > this.chunks.length << SLOT_BITS) if (!this.#addChunk()) return -1;
    this.control[FRESH] = end;
    this.control[COUNT]! += count;
    return first;
  }

  /** Puts an entry into the free list; from here on its incarnation is another. */
  protected giveEntry(handle: number): void {
    const flags = this.word(handle, E.ENTRY_FLAGS);
    this.setWord(handle, E.ENTRY_FLAGS, (flags + (1 << E.INCARNATION_SHIFT)) | E.FREED);
    this.setWord(handle, E.ENTRY_NEXT, this.control[FREE]!);
    this.control[FREE] = handle;
    this.control[COUNT]!--;
  }

  /** All entries count as never used. */
  protected forgetEntries(): void {
    this.control[COUNT] = 0;
    this.control[FREE] = 0;
    this.control[FRESH] = 1;
  }

  #addChunk(): boolean {
    if (this.isView) return false;
    try {
      this.chunks.push(this.#arena.chunks[this.#arena.addChunk()]!.i32);
      this.control[CHUNK_COUNT] = this.chunks.length;
      return true;
    } catch (error) {
      // V8's answer when the machine has no such piece of memory left: the namespace is full, the server lives on.
      if (error instanceof RangeError) return false;
      throw error;
    }
  }
}
