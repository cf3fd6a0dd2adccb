/**
 * The primary index of one shard: which records exist and what a command must know of them before it reads
 * them. One thread uses it. Everything mutable lies in shared memory (entries in arena chunks, list heads in
 * the sprig directory, counters in a control region); this object only describes it.
 *
 * An entry's fields are read and written by its handle (entry-table.ts); entries lie in lists (sprig-lists.ts).
 * Commands find one entry at a time, by digest; starts bring many in, by the order words of their digests.
 */
import { partitionOf } from '../../base/digest.js';
import * as E from './entry.js';
import { SLOT_BITS, SLOT_MASK } from './entry-table.js';
import { NO_SLOT } from './sprig-directory.js';
import { SprigLists } from './sprig-lists.js';

// Names of a namespace are looked up anew in every round of a loop.
const { ENTRY_WORDS, ENTRY_ORDER, ENTRY_LOCATION_LOW, ENTRY_LOCATION_HIGH_SIZE, ENTRY_FLAGS, FREED } = E;
/** Order words of a digest. */
const ORDER_WORDS = 5;
/** Of all order words. */
const LOWEST = -0x80000000;
/** Entries of a list that `touch` looks at: few lists are longer. */
const TOUCH_DEPTH = 3;

/** How far a copy of the index has come: behind the entry copied last, whatever has come and gone since. */
export class IndexCursor {
  /** Position of the partition among the shard's. */
  local = 0;
  /** The entry copied last in it, by its order words; unless it has only begun. */
  readonly orders = new Int32Array(ORDER_WORDS);
  isInside = false;
}

export class PrimaryIndex extends SprigLists {
  /** Entries that `touch` has come to. */
  #touched = new Int32Array(0);
  /** Order words of the digest that `find` or `insert` has sought last. */
  readonly #sought = new Int32Array(ORDER_WORDS);
  #missedAt = 0;
  /** Keeps the loads of `touch` from being optimised away. */
  sum = 0;

  /** Handle of the entry of the digest at `at`, or -1. The digest's partition must be the shard's. */
  find(digest: Uint8Array, at: number): number {
    const orders = this.#sought;
    orders[0] = E.orderWord(digest, at + 2);
    orders[1] = E.orderWord(digest, at + 6);
    orders[2] = E.orderWord(digest, at + 10);
    orders[3] = E.orderWord(digest, at + 14);
    orders[4] = E.lastOrderWord(digest, at);
    const handle = this.#seekOrders(orders);
    if (this.isExact) return handle;
    this.hasMissed = true;
    this.#missedAt = this.changes;
    return -1;
  }

  /**
   * As `find`, for whoever has an entry that was seen in the digest's list before the index was his (`entriesAhead`, `stepOf`):
   * most of the time it is the digest's own still, and the list need not be gone through again.
   * @param near Its handle; 0 or less: there is none.
   */
  findNear(digest: Uint8Array, at: number, near: number): number {
    return near > 0 && this.#isOwn(near, digest, at) ? near : this.find(digest, at);
  }

  /** Whether an entry that was once in a list is in the index, as the digest's own. */
  #isOwn(handle: number, digest: Uint8Array, at: number): boolean {
    const words = this.chunks[handle >>> SLOT_BITS];
    if (words === undefined) return false;
    const w = (handle & SLOT_MASK) * ENTRY_WORDS;
    return (
      words[w + ENTRY_ORDER] === E.orderWord(digest, at + 2) &&
      words[w + ENTRY_ORDER + 1] === E.orderWord(digest, at + 6) &&
      words[w + ENTRY_ORDER + 2] === E.orderWord(digest, at + 10) &&
      words[w + ENTRY_ORDER + 3] === E.orderWord(digest, at + 14) &&
      words[w + ENTRY_ORDER + 4] === E.lastOrderWord(digest, at) &&
      (words[w + ENTRY_FLAGS]! & FREED) === 0
    );
  }

  /**
   * Adds an entry for the digest at `at`, which must not be there yet. All its fields are zero, its incarnation
   * differs from the handle's last use. Right after a `find` that did not find it, its place is known.
   * @returns The handle, or -1 when `entriesMax` or the machine's memory is used up, or when a view would have to add
   *   memory; then nothing has changed.
   */
  insert(digest: Uint8Array, at: number): number {
    if (this.isView && this.isGrowthDue) return -1;
    const handle = this.takeEntry();
    if (handle < 0) return -1;
    const words = this.chunks[handle >>> SLOT_BITS]!;
    const w = (handle & SLOT_MASK) * E.ENTRY_WORDS;
    for (let i = 0; i < 4; i++) words[w + E.ENTRY_ORDER + i] = E.orderWord(digest, at + 2 + i * 4);
    words[w + E.ENTRY_ORDER + 4] = E.lastOrderWord(digest, at);
    const orders = this.#sought;
    let isSought = this.hasMissed && this.#missedAt === this.changes;
    for (let i = 0; i < ORDER_WORDS; i++) {
      const word = words[w + E.ENTRY_ORDER + i]!;
      if (orders[i] === word) continue;
      orders[i] = word;
      isSought = false;
    }
    if (!isSought) this.#seekOrders(orders);
    const { before, slot } = this;
    words[w + E.ENTRY_NEXT] = before === 0 ? this.directory.head(slot) : this.word(before, E.ENTRY_NEXT);
    this.#zeroFields(words, w);
    this.linkNew(this.localOf[partitionOf(digest, at)]!, before, slot, handle);
    return handle;
  }

  /** Takes the entry out; its handle may be given out again by the next insert, under another incarnation. */
  remove(handle: number): void {
    const words = this.chunks[handle >>> SLOT_BITS]!;
    const w = (handle & SLOT_MASK) * E.ENTRY_WORDS;
    const last = words[w + E.ENTRY_ORDER + 4]!;
    const local = this.localOf[E.pidOfLastWord(last)]!;
    const found = this.seek(
      local,
      words[w + E.ENTRY_ORDER]!,
      words[w + E.ENTRY_ORDER + 1]!,
      words[w + E.ENTRY_ORDER + 2]!,
      words[w + E.ENTRY_ORDER + 3]!,
      last,
    );
    if (found !== handle) throw new Error(`primary index: handle ${handle} is not in the index`);
    const setId = words[w + E.ENTRY_GENERATION_SET]! >>> 16;
    const first = words[w + E.ENTRY_ORDER]!;
    const { before, slot } = this;
    const following = words[w + E.ENTRY_NEXT]!;
    this.unlinkFound(local, handle);
    if (!this.members.isUsed || !this.members.has(setId)) return;
    this.#forgetMember(local, setId, first, slot, before, following);
  }

  /** Every change of an entry's set comes by here, but for what a start finds. */
  override setSetId(handle: number, setId: number): void {
    this.#noteChange(handle, setId);
    super.setSetId(handle, setId);
  }

  override setWritten(
    handle: number,
    generation: number,
    setId: number,
    voidTimeSec: number,
    lutMs: number,
    isKeyStored: boolean,
  ): void {
    this.#noteChange(handle, setId);
    super.setWritten(handle, generation, setId, voidTimeSec, lutMs, isKeyStored);
  }

  /** Before an entry gets this set. */
  #noteChange(handle: number, setId: number): void {
    if (this.members.isUsed && this.members.has(setId) && this.setId(handle) !== setId) {
      this.noteMember(handle, setId);
    }
  }

  /** First handle of a partition in walking order, or -1. */
  first(pid: number): number {
    const local = this.localOf[pid]!;
    return this.firstFrom(local, this.directory.firstSlot(local));
  }

  /** The handle after `handle`, which must still be in the index, or -1. */
  next(pid: number, handle: number): number {
    const words = this.chunks[handle >>> SLOT_BITS]!;
    const w = (handle & SLOT_MASK) * E.ENTRY_WORDS;
    const following = words[w + E.ENTRY_NEXT]!;
    if (following !== 0) return following;
    const local = this.localOf[pid]!;
    const slot = this.directory.slotOf(local, words[w + E.ENTRY_ORDER]!);
    return this.firstFrom(local, this.directory.slotAfter(local, slot));
  }

  /** First handle of a partition strictly after the digest at `at`, which need not be in the index; or -1. */
  after(pid: number, digest: Uint8Array, at: number): number {
    const handle = this.#seekDigest(pid, digest, at);
    if (handle !== 0) return this.isExact ? this.next(pid, handle) : handle;
    const local = this.localOf[pid]!;
    return this.firstFrom(local, this.directory.slotAfter(local, this.slot));
  }

  /** Numbers of the sets that are indexed. */
  get indexedSets(): number[] {
    return this.members.sets;
  }

  /** Bytes of the indexes of sets. */
  get setIndexBytes(): number {
    return this.members.usedBytes;
  }

  /** Begins to index a set: from now on what comes is known; `noteMember` is to be called for what is there. @throws RangeError. */
  addSetIndex(setId: number): void {
    this.members.add(setId, this.count);
  }

  /** All entries of an indexed set are known. */
  setIndexReady(setId: number): void {
    this.members.setReady(setId);
  }

  dropSetIndex(setId: number): void {
    this.members.drop(setId);
  }

  /** Whether firstOfSet and its kind may be asked for the entries of a set. */
  isSetReady(setId: number): boolean {
    return this.members.isReady(setId);
  }

  /** Whether the indexes of sets are coarse for what the index has become. */
  get isSetIndexGrowthDue(): boolean {
    return this.members.isUsed && this.members.isTooSmall(this.count);
  }

  /**
   * Makes the indexes of sets finer. They should be walked afterwards, or walks find twice as many places empty as not.
   * @throws RangeError without memory.
   */
  growSetIndexes(): void {
    this.members.grow();
  }

  /** An entry is of an indexed set. */
  noteMember(handle: number, setId: number): void {
    const words = this.chunks[handle >>> SLOT_BITS]!;
    const w = (handle & SLOT_MASK) * E.ENTRY_WORDS;
    const local = this.localOf[E.pidOfLastWord(words[w + E.ENTRY_ORDER + 4]!)]!;
    this.members.note(setId, local, this.members.bucketOf(words[w + E.ENTRY_ORDER]!));
  }

  /** First handle of a ready set in a partition, in walking order, or -1. Tombstones are of their set, too. */
  firstOfSet(pid: number, setId: number): number {
    return this.#memberFrom(this.localOf[pid]!, setId, 0);
  }

  /** The handle of the set after `handle`, which must still be in the index; or -1. */
  nextOfSet(pid: number, setId: number, handle: number): number {
    return this.#memberAfter(pid, setId, this.word(handle, E.ENTRY_ORDER), this.next(pid, handle));
  }

  /** First handle of the set in a partition strictly after the digest at `at`, which need not be in the index; or -1. */
  afterOfSet(pid: number, setId: number, digest: Uint8Array, at: number): number {
    return this.#memberAfter(pid, setId, E.orderWord(digest, at + 2), this.after(pid, digest, at));
  }

  /** The first entry of the set from `handle` on, which follows something with the first order word `w0`; or -1. */
  #memberAfter(pid: number, setId: number, w0: number, handle: number): number {
    const bucket = this.members.bucketOf(w0);
    while (handle >= 0 && this.members.bucketOf(this.word(handle, E.ENTRY_ORDER)) === bucket) {
      if (this.setId(handle) === setId) return handle;
      handle = this.next(pid, handle);
    }
    return this.#memberFrom(this.localOf[pid]!, setId, bucket + 1);
  }

  /** The first entry of the set in a bucket from `bucket` on; or -1. Buckets without any are not looked at again. */
  #memberFrom(local: number, setId: number, bucket: number): number {
    const { members } = this;
    for (let b = members.next(setId, local, bucket); b >= 0; b = members.next(setId, local, b + 1)) {
      const handle = this.#memberIn(local, setId, b);
      if (handle >= 0) return handle;
      members.clear(setId, local, b);
    }
    return -1;
  }

  #memberIn(local: number, setId: number, bucket: number): number {
    const { members } = this;
    let handle = this.seek(local, members.lowestOf(bucket), LOWEST, LOWEST, LOWEST, LOWEST);
    let { slot } = this;
    for (;;) {
      if (handle === 0) {
        slot = this.directory.slotAfter(local, slot);
        if (slot === NO_SLOT) return -1;
        handle = this.directory.head(slot);
        continue;
      }
      if (members.bucketOf(this.word(handle, E.ENTRY_ORDER)) !== bucket) return -1;
      if (this.setId(handle) === setId) return handle;
      handle = this.word(handle, E.ENTRY_NEXT);
    }
  }

  /**
   * An entry of an indexed set, with the first order word `w0`, has gone from between `before` and `following` in the
   * sprig at `slot`; 0: it was the first, or the last. Mostly these two tell what is left in its bucket.
   */
  #forgetMember(
    local: number,
    setId: number,
    w0: number,
    slot: number,
    before: number,
    following: number,
  ): void {
    const { members, directory } = this;
    const bucket = members.bucketOf(w0);
    const isBeforeIn = this.#isIn(bucket, before);
    if (isBeforeIn && this.setId(before) === setId) return;
    const isFollowingIn = this.#isIn(bucket, following);
    if (isFollowingIn && this.setId(following) === setId) return;
    const isWithinSprig = directory.bitsOf(slot) <= members.bits;
    const isEmpty = isWithinSprig && !isBeforeIn && !isFollowingIn;
    if (isEmpty || this.#memberIn(local, setId, bucket) < 0) members.clear(setId, local, bucket);
  }

  /** Whether an entry, if there is one, is in the bucket of set indexes. */
  #isIn(bucket: number, handle: number): boolean {
    return handle !== 0 && this.members.bucketOf(this.word(handle, E.ENTRY_ORDER)) === bucket;
  }

  /**
   * Brings what the next `count` calls of `findOrder` will look at near to the processor. Each look-up waits for
   * memory two or three times, one after the other; here the processor waits for many of them at once.
   * Measured with two million entries: a look-up and insert takes 330 ns without, 130 with.
   * @param orders Five order words a key.
   */
  touch(orders: Int32Array, count: number): void {
    if (this.#touched.length < count) this.#touched = new Int32Array(count);
    const touched = this.#touched;
    const { directory, chunks, localOf } = this;
    for (let i = 0, at = 0; i < count; i++, at += ORDER_WORDS) {
      const local = localOf[E.pidOfLastWord(orders[at + 4]!)]!;
      touched[i] = directory.head(directory.slotOf(local, orders[at]!));
    }
    let sum = 0;
    for (let depth = 0; depth < TOUCH_DEPTH; depth++) {
      for (let i = 0; i < count; i++) {
        const handle = touched[i]!;
        if (handle === 0) continue;
        const words = chunks[handle >>> SLOT_BITS]!;
        const w = (handle & SLOT_MASK) * E.ENTRY_WORDS;
        sum ^= words[w + E.ENTRY_ORDER]!;
        touched[i] = words[w + E.ENTRY_NEXT]!;
      }
    }
    this.sum = sum;
  }

  /**
   * For whoever brings entries near to the processor before they are looked up, from any thread, whatever happens to the
   * index meanwhile: the first entry of the list that a digest with this first order word would be in, 0 = none; and
   * what comes after an entry in such a list: the complement of its handle when it seems to be the digest's own, else the
   * next one. What they return is good for nothing else.
   */
  headOf(pid: number, order: number): number {
    return this.directory.head(this.directory.slotOf(this.localOf[pid]!, order)) | 0;
  }

  stepOf(handle: number, order: number): number {
    const words = this.chunks[handle >>> SLOT_BITS];
    if (words === undefined) return 0;
    const w = (handle & SLOT_MASK) * ENTRY_WORDS;
    this.sum ^= words[w + ENTRY_WORDS - 1]!; // it may lie in two cache lines
    const difference = words[w + ENTRY_ORDER]! ^ order;
    const isOther = (difference | -difference) >> 31; // not a condition: see entriesAhead
    return (words[w]! & isOther) | (~handle & ~isOther);
  }

  /**
   * As `headOf`, for many digests (shard/row-groups.ts): `at[from]` to `at[to - 1]` become the first entries of the lists
   * that the digests would be in, 0 = none, and `orders` the digests' first order words. What comes of these three is
   * good for nothing else.
   */
  headsAhead(
    bytes: Uint8Array,
    digestsAt: Int32Array,
    orders: Int32Array,
    at: Int32Array,
    from: number,
    to: number,
  ): void {
    const { directory, localOf } = this;
    for (let i = from; i < to; i++) {
      const digestAt = digestsAt[i]!;
      const order = E.orderWord(bytes, digestAt + 2);
      orders[i] = order;
      at[i] = directory.head(directory.slotOf(localOf[partitionOf(bytes, digestAt)]!, order)) | 0;
    }
  }

  /**
   * Goes one step: an entry becomes the complement of its handle if it seems to be the digest's own, else the next one in
   * its list. The processor can only look ahead as far as it guesses its way right, so nothing here is a condition on
   * what has just been loaded.
   */
  entriesAhead(orders: Int32Array, at: Int32Array, from: number, to: number): void {
    const { chunks } = this;
    const mask = SLOT_MASK;
    const bits = SLOT_BITS;
    let sum = 0;
    for (let i = from; i < to; i++) {
      const handle = at[i]!;
      if (handle < 0) continue;
      const words = chunks[handle >>> bits];
      if (words === undefined) continue;
      const w = (handle & mask) * ENTRY_WORDS;
      sum ^= words[w + ENTRY_WORDS - 1]!; // it may lie in two cache lines
      const difference = words[w + ENTRY_ORDER]! ^ orders[i]!;
      const isOther = (difference | -difference) >> 31;
      at[i] = (words[w]! & isOther) | (~handle & ~isOther);
    }
    this.sum = sum;
  }

  /** Those that have come to an entry of their own: `lows` and `highs` become the words that say where its record is. */
  locationsAhead(at: Int32Array, lows: Int32Array, highs: Int32Array, from: number, to: number): void {
    const { chunks } = this;
    const mask = SLOT_MASK;
    const bits = SLOT_BITS;
    for (let i = from; i < to; i++) {
      const handle = ~at[i]!;
      const words = handle < 0 ? undefined : chunks[handle >>> bits];
      const w = (handle & mask) * ENTRY_WORDS;
      lows[i] = words === undefined ? 0 : words[w + ENTRY_LOCATION_LOW]!;
      highs[i] = words === undefined ? 0 : words[w + ENTRY_LOCATION_HIGH_SIZE]!;
    }
  }

  /** As `find`, by the five order words at `orders[at]`. */
  findOrder(orders: Int32Array, at: number): number {
    const last = orders[at + 4]!;
    const local = this.localOf[E.pidOfLastWord(last)]!;
    const handle = this.seek(local, orders[at]!, orders[at + 1]!, orders[at + 2]!, orders[at + 3]!, last);
    return this.isExact ? handle : -1;
  }

  /** As `insert`, for the key that the last call of `findOrder` did not find; nothing has changed since. */
  insertOrder(orders: Int32Array, at: number): number {
    const handle = this.takeEntry();
    if (handle < 0) return -1;
    const words = this.chunks[handle >>> SLOT_BITS]!;
    const w = (handle & SLOT_MASK) * E.ENTRY_WORDS;
    const { before, slot } = this;
    words[w + E.ENTRY_NEXT] = before === 0 ? this.directory.head(slot) : this.word(before, E.ENTRY_NEXT);
    for (let i = 0; i < ORDER_WORDS; i++) words[w + E.ENTRY_ORDER + i] = orders[at + i]!;
    this.#zeroFields(words, w);
    this.linkNew(this.localOf[E.pidOfLastWord(orders[at + 4]!)]!, before, slot, handle);
    return handle;
  }

  /**
   * Copies entries in walking order, partition after partition of the shard, from where `cursor` is.
   * @param out Receives ENTRY_WORDS words an entry, from word `w` on. Their first word means nothing.
   * @returns Entries copied; fewer than `max` when the last partition has ended.
   */
  copyEntries(cursor: IndexCursor, out: Int32Array, w: number, max: number): number {
    let count = 0;
    let handle = this.#atCursor(cursor);
    while (cursor.local < this.partitionCount) {
      if (handle <= 0) {
        cursor.local++;
        cursor.isInside = false;
        if (cursor.local < this.partitionCount) handle = this.#atCursor(cursor);
        continue;
      }
      if (count === max) break;
      const words = this.chunks[handle >>> SLOT_BITS]!;
      const from = (handle & SLOT_MASK) * E.ENTRY_WORDS;
      const to = w + count * E.ENTRY_WORDS;
      for (let i = 0; i < E.ENTRY_WORDS; i++) out[to + i] = words[from + i]!;
      count++;
      handle = words[from + E.ENTRY_NEXT]!;
      if (handle === 0) {
        const slot = this.directory.slotOf(cursor.local, words[from + E.ENTRY_ORDER]!);
        handle = this.firstFrom(cursor.local, this.directory.slotAfter(cursor.local, slot));
      }
      cursor.isInside = true;
    }
    if (count > 0 && cursor.isInside) {
      const last = w + (count - 1) * E.ENTRY_WORDS + E.ENTRY_ORDER;
      for (let i = 0; i < ORDER_WORDS; i++) cursor.orders[i] = out[last + i]!;
    }
    return count;
  }

  /** First entry behind the cursor in its partition; 0 or -1: none. */
  #atCursor({ local, isInside, orders }: IndexCursor): number {
    if (!isInside) return this.firstFrom(local, this.directory.firstSlot(local));
    const found = this.seek(local, orders[0]!, orders[1]!, orders[2]!, orders[3]!, orders[4]!);
    const slot = this.slot;
    const next = found !== 0 && this.isExact ? this.word(found, E.ENTRY_NEXT) : found;
    return next !== 0 ? next : this.firstFrom(local, this.directory.slotAfter(local, slot));
  }

  #zeroFields(words: Int32Array, w: number): void {
    for (let i = E.ENTRY_GENERATION_SET; i < E.ENTRY_FLAGS; i++) words[w + i] = 0;
    words[w + E.ENTRY_FLAGS]! &= -1 << E.INCARNATION_SHIFT;
  }

  #seekOrders(orders: Int32Array): number {
    const last = orders[4]!;
    const local = this.localOf[E.pidOfLastWord(last)]!;
    return this.seek(local, orders[0]!, orders[1]!, orders[2]!, orders[3]!, last);
  }

  #seekDigest(pid: number, digest: Uint8Array, at: number): number {
    return this.seek(
      this.localOf[pid]!,
      E.orderWord(digest, at + 2),
      E.orderWord(digest, at + 6),
      E.orderWord(digest, at + 10),
      E.orderWord(digest, at + 14),
      E.lastOrderWord(digest, at),
    );
  }
}
