/**
 * Loads the newest checkpoint of a shard that can be trusted, at a start, after the first page of every block was
 * read; what was written since is then read from the blocks (write-block/recovery.ts).
 *
 * Why an entry is never taken for a record that is not there any more. Write ids only grow, so a block whose header
 * says an id up to `lastWriteId`, the last one given out when the checkpoint began, has been in this one use since
 * before. Entries in such blocks are kept: the record is there. Entries in any other block are dropped, whatever
 * they say: the block was empty or opened later, so it was erased since, and the record with it; or the record was
 * appended after the checkpoint's begin, and reading the tail finds it if it is still the one that counts. That holds
 * for a block that was open at the begin too, from the place noted on. So a delete whose marker is gone already,
 * with all that it kept dead, does not come undone: what it deleted lay in a block that was erased.
 *
 * Of an entry that is kept and a copy of the same version in the tail, left by defrag, the copy counts: the block that
 * was emptied may have been in the middle of being erased, its header still whole.
 *
 * What makes it trustworthy: checksums, the numbers of its pieces, this device set and shard, and a device on which
 * every block of before the checkpoint is as it was then or gone. A start gives out write ids above those of the
 * checkpoint that it loaded and goes on only in a block that this checkpoint has as open. One that could not load the
 * newest makes it invalid before it writes anything; where even that fails, it must go on in no block at all.
 */
import type { Region } from '../../base/arena.js';
import type { StreamCipher } from '../cipher/stream-cipher.js';
import type { StorageLog } from '../device/storage-error.js';
import { StorageError } from '../device/storage-error.js';
import * as ST from '../engine.js';
import * as E from '../index/entry.js';
import type { PrimaryIndex } from '../index/primary-index.js';
import type { IoQueue } from '../io/io-queue.js';
import { RECORD_ALIGN } from '../record/flat-record.js';
import { SET_COUNT_MAX, type SetTable } from '../record/set-table.js';
import type { BlockOwner } from '../write-block/block-format.js';
import { type BlockTable, STORED } from '../write-block/block-table.js';
import type { RecordIntake } from '../write-block/record-intake.js';
import type { CheckpointFile } from './checkpoint-file.js';
import * as F from './checkpoint-format.js';

/** Pieces being read ahead. */
const READS = 3;
const WAIT_MS = 1000;
const TWO_32 = 0x1_0000_0000;

export interface CheckpointReaderOptions {
  files: readonly CheckpointFile[];
  io: IoQueue;
  owner: BlockOwner;
  /** State, write id of every block, as their headers say. */
  table: BlockTable;
  /** [block] start count in its header. */
  startCounts: Uint32Array;
  index: PrimaryIndex;
  sets: SetTable;
  treeIds: Uint32Array;
  counters: Float64Array;
  log: StorageLog;
  /** Of an encrypted device set. */
  cipher: StreamCipher | null;
  isStopping?: (() => boolean) | undefined;
}

export interface LoadedCheckpoint {
  readonly file: CheckpointFile;
  readonly header: F.CheckpointHeader;
}

/** A checkpoint that is not used; the message says why. */
class Refusal extends Error {}

export class CheckpointReader {
  readonly #o: CheckpointReaderOptions;
  readonly #buffers: Region;
  readonly #bufferAt: number[] = [];
  /** Nothing but the loaded checkpoint can be taken for a good one at the next start. */
  isExclusive = true;

  constructor(options: CheckpointReaderOptions) {
    this.#o = options;
    this.#buffers = options.io.buffers;
  }

  /**
   * Fills the index and counts its entries in `intake`, one made for each attempt by `newIntake`.
   * @param isUsed false: all checkpoints are only made invalid.
   * @returns Undefined when there is none to use: index and block table are as they were.
   * @throws StorageError when the entries do not fit the index.
   */
  load(
    newIntake: () => RecordIntake,
    isUsed: boolean,
  ): { loaded: LoadedCheckpoint | undefined; intake: RecordIntake } {
    const { files, isStopping } = this.#o;
    let intake = newIntake();
    if (!this.#takeBuffers()) {
      this.isExclusive = false;
      return { loaded: undefined, intake };
    }
    const refused: CheckpointFile[] = [];
    const candidates: LoadedCheckpoint[] = [];
    for (const file of files) {
      const header = this.#readHeader(file);
      if (!isUsed && header !== '') refused.push(file);
      else if (typeof header === 'object') candidates.push({ file, header });
      else if (header !== '') {
        refused.push(file);
        this.#tell(file, header);
      }
    }
    candidates.sort((a, b) => b.header.number - a.header.number);
    let loaded: LoadedCheckpoint | undefined;
    for (const candidate of candidates) {
      try {
        this.#check(candidate.header);
        this.#loadPieces(candidate, intake);
        loaded = candidate;
        this.#makeDurable(candidate.file);
        break;
      } catch (error) {
        this.#reset();
        intake = newIntake();
        if (!(error instanceof Refusal)) throw error;
        if (isStopping?.()) break;
        refused.push(candidate.file);
        this.#tell(candidate.file, error.message);
      }
    }
    if (!isStopping?.()) this.#refuse(refused);
    for (const at of this.#bufferAt) this.#o.io.pool.give(at);
    return { loaded, intake };
  }

  /** Makes the checkpoints in these files invalid. */
  #refuse(files: readonly CheckpointFile[]): void {
    for (const file of files) {
      if (this.#invalidate(file)) continue;
      this.isExclusive = false;
      this.#o.log.critical(`${file.path}: it could not be made invalid; remove it before the next start`);
    }
  }

  #tell(file: CheckpointFile, reason: string): void {
    this.#o.counters[ST.ST_CHECKPOINT_ERRORS]!++;
    this.#o.log.warning(`${file.path}: this checkpoint is not used: ${reason}`);
  }

  #takeBuffers(): boolean {
    for (let i = 0; i < READS; i++) {
      const at = this.#o.io.pool.take(F.PIECE_SIZE);
      if (at >= 0) this.#bufferAt.push(at);
    }
    return this.#bufferAt.length > 0;
  }

  /** @returns Why there is none that is good; '' when there simply is none. */
  #readHeader(file: CheckpointFile): F.CheckpointHeader | string {
    const at = this.#bufferAt[0]!;
    const size = file.readNow(0, F.HEADER_SIZE, at);
    if (size === 0) return '';
    if (size < 0) return `reading its header failed with error ${-size}`;
    if (size < F.HEADER_SIZE) return 'its header is cut off';
    const header = F.decodeHeader(this.#buffers, at);
    if (header) return header;
    const isBlank = this.#buffers.u8.subarray(at, at + F.HEADER_SIZE).every(byte => byte === 0);
    return isBlank ? '' : 'its header is damaged, or of another version';
  }

  #check(header: F.CheckpointHeader): void {
    const { owner, table, startCounts } = this.#o;
    if (header.setId.some((word, i) => word !== owner.setId[i]))
      throw new Refusal('it is of another device set');
    if (header.shard !== owner.shard) throw new Refusal('it is of another shard');
    if (header.writeBlockSize !== owner.writeBlockSize || header.blockCount !== table.blockCount) {
      throw new Refusal('the shard has another size now');
    }
    if (header.startCount >= owner.startCount) throw new Refusal('it is newer than the device');
    for (let block = 0; block < table.blockCount; block++) {
      if (table.states[block] !== STORED || table.writeIds[block]! > header.lastWriteId) continue;
      if (startCounts[block]! > header.startCount)
        throw new Refusal('a start that did not know it has written');
    }
  }

  #loadPieces({ file, header }: LoadedCheckpoint, intake: RecordIntake): void {
    const { table, index, sets, treeIds } = this.#o;
    const { u32, u8 } = this.#buffers;
    const rows = new Float64Array(table.blockCount);
    const origins = new Float64Array(table.blockCount);
    const markers = new Uint32Array(table.blockCount);
    const setIds = new Int32Array(SET_COUNT_MAX + 1);
    const goodPids = new Uint8Array(treeIds.length);
    let blockRow = 0;
    let setRow = 1;
    let pidRow = 0;
    this.#eachPiece(file, header, header.entryPieces, header.pieces, (kind, at, size) => {
      for (let from = at; from < at + size; ) {
        if (kind === F.KIND_BLOCKS && blockRow < table.blockCount) {
          rows[blockRow] = this.#buffers.f64[from / 8]!;
          origins[blockRow] = this.#buffers.f64[from / 8 + 1]!;
          markers[blockRow++] = u32[(from >>> 2) + 4]!;
          from += F.BLOCK_ROW_SIZE;
        } else if (kind === F.KIND_SETS && setRow <= SET_COUNT_MAX) {
          setIds[setRow++] = Math.max(0, sets.findOrAdd(u8, from + 1, u8[from]!));
          from += F.SET_ROW_SIZE;
        } else if (kind === F.KIND_TREE_IDS && pidRow < treeIds.length) {
          goodPids[pidRow] = u32[from >>> 2] === treeIds[pidRow] ? 1 : 0;
          pidRow++;
          from += 4;
        } else throw new Refusal('it has more tables than the shard');
      }
    });
    if (blockRow !== table.blockCount || pidRow !== treeIds.length)
      throw new Refusal('a table of it is cut off');
    const keptTo = this.#keptTo(header, rows);
    // The block with the latest LUT is not given up before another has one: it is there, or what is read has a later one.
    const { clockMs, clockBlock } = header;
    const isThere =
      clockBlock >= 0 && clockBlock < table.blockCount && rows[clockBlock] === table.writeIds[clockBlock];
    intake.noteStoredClock(clockMs, isThere && table.states[clockBlock] === STORED ? clockBlock : -1);
    index.presize(header.entries);
    let count = 0;
    this.#eachPiece(file, header, 0, header.entryPieces, (kind, at, size) => {
      if (kind !== F.KIND_ENTRIES) throw new Refusal('a piece is not what its header says');
      const entries = size / E.ENTRY_SIZE;
      this.#take(at >>> 2, entries, keptTo, setIds, goodPids, intake);
      count += entries;
    });
    index.endAppending();
    if (count !== header.entries) throw new Refusal('entries are missing');
    intake.keptTo = keptTo;
    for (let block = 0; block < table.blockCount; block++) {
      if (keptTo[block]! > 0) table.restoreMarkers(block, markers[block]!, origins[block]!);
    }
  }

  /** [block] Entries that lie before this many bytes from its start are kept. */
  #keptTo(header: F.CheckpointHeader, rows: Float64Array): Uint32Array {
    const { table, owner } = this.#o;
    const keptTo = new Uint32Array(table.blockCount);
    for (let block = 0; block < table.blockCount; block++) {
      const writeId = table.writeIds[block]!;
      if (table.states[block] !== STORED || writeId > header.lastWriteId) continue;
      if (rows[block] !== writeId) throw new Refusal('the device was replaced by an older copy of it');
      const open = header.openBlocks.find(one => one.block === block && one.writeId === writeId);
      keptTo[block] = open ? open.appendAt : owner.writeBlockSize;
    }
    return keptTo;
  }

  /** Takes in `count` entries at word `w` of the buffers, less those that do not count any more. */
  #take(
    w: number,
    count: number,
    keptTo: Uint32Array,
    setIds: Int32Array,
    goodPids: Uint8Array,
    intake: RecordIntake,
  ): void {
    const { i32 } = this.#buffers;
    const { owner, index, files } = this.#o;
    const perBlock = owner.writeBlockSize / RECORD_ALIGN;
    const expired: number[] = [];
    let kept = 0;
    for (let i = 0, at = w; i < count; i++, at += E.ENTRY_WORDS) {
      const high = i32[at + E.ENTRY_LOCATION_HIGH_SIZE]!;
      const size = high >>> 8;
      const location = (high & 0xff) * TWO_32 + (i32[at + E.ENTRY_LOCATION_LOW]! >>> 0);
      const block = Math.floor(location / perBlock);
      if (size === 0) continue;
      if (block >= keptTo.length) throw new Refusal('an entry lies outside of the shard');
      if ((location - block * perBlock) * RECORD_ALIGN >= keptTo[block]!) continue;
      if (goodPids[E.pidOfLastWord(i32[at + E.ENTRY_ORDER + 4]!)] === 0) continue;
      const to = w + kept * E.ENTRY_WORDS;
      if (to !== at) i32.copyWithin(to, at, at + E.ENTRY_WORDS);
      const word = i32[to + E.ENTRY_GENERATION_SET]!;
      const setId = setIds[word >>> 16]!;
      i32[to + E.ENTRY_GENERATION_SET] = (word & 0xffff) | (setId << 16);
      const voidTime = i32[to + E.ENTRY_VOID_TIME]! >>> 0;
      if (intake.hasExpired(voidTime)) expired.push(kept);
      intake.count(setId, block, size, (i32[to + E.ENTRY_FLAGS]! & E.TOMBSTONE) !== 0);
      kept++;
    }
    const first = index.append(i32, w, kept);
    if (first === 0) throw new Refusal('its entries are not in order');
    if (first < 0) {
      throw new StorageError(files[0]!.path, 'its records do not fit the index; raise indexes-memory-budget');
    }
    for (const i of expired) intake.noteExpired(first + i);
  }

  /** Reads pieces `from` to `to` - 1, several at a time, and visits the contents of each in order. */
  #eachPiece(
    file: CheckpointFile,
    header: F.CheckpointHeader,
    from: number,
    to: number,
    visit: (kind: number, at: number, size: number) => void,
  ): void {
    const { io, cipher, isStopping } = this.#o;
    const count = this.#bufferAt.length;
    const results = new Map<number, number>();
    let started = from;
    let inFlight = 0;
    file.onReadEnd = (token, result) => {
      inFlight--;
      results.set(token - 1, result);
    };
    try {
      for (let place = from; place < to; place++) {
        if (isStopping?.()) throw new Refusal('the server is told to stop');
        while (started < to && started < place + count) {
          const at = this.#bufferAt[started % count]!;
          if (!file.startRead(started + 1, F.pieceOffset(started), F.PIECE_SIZE, at)) break;
          started++;
          inFlight++;
        }
        while (!results.has(place)) io.drainOrWait(WAIT_MS);
        const at = this.#bufferAt[place % count]!;
        const result = results.get(place)!;
        results.delete(place);
        // The last piece of all ends with its contents: fewer bytes are no error, and the checksum tells the rest.
        if (result < F.PIECE_HEADER_SIZE)
          throw new Refusal(`reading a piece failed: ${result < 0 ? `error ${-result}` : 'it is cut off'}`);
        const size = F.pieceContents(this.#buffers, at);
        const kind =
          F.PIECE_HEADER_SIZE + size > result
            ? 0
            : F.openPiece(this.#buffers, at, place, header.number, cipher);
        if (kind === 0) throw new Refusal('a piece of it is damaged, or of another checkpoint');
        visit(kind, at + F.PIECE_HEADER_SIZE, size);
      }
    } finally {
      while (inFlight > 0) io.drainOrWait(WAIT_MS);
    }
  }

  /** Forgets what an attempt has filled in. */
  #reset(): void {
    const { index, table, counters } = this.#o;
    index.clear();
    table.used.fill(0);
    for (let block = 0; block < table.blockCount; block++) table.restoreMarkers(block, 0, 0);
    counters[ST.ST_USED_BYTES] = 0;
    counters[ST.ST_RECOVERED_RECORDS] = 0;
  }

  /**
   * After a kill, what was read may lie in the page cache alone. The next checkpoint goes over the one before, so a power
   * cut in its middle would leave none.
   */
  #makeDurable(file: CheckpointFile): void {
    file.begin();
    if (!this.#flush(file))
      this.#o.log.warning(`${file.path}: ${file.problem}; a power cut may cost this checkpoint`);
  }

  /** Overwrites the header of a checkpoint with zeros, durably. @returns Whether that worked. */
  #invalidate(file: CheckpointFile): boolean {
    const { io } = this.#o;
    file.begin();
    file.write(0, F.HEADER_SIZE, io.zeroPageAt);
    while (!file.isQuiet) io.drainOrWait(WAIT_MS);
    return this.#flush(file);
  }

  /** Flushes and waits for it. @returns Whether nothing went wrong since `begin`. */
  #flush(file: CheckpointFile): boolean {
    file.flush();
    while (!file.isQuiet) this.#o.io.drainOrWait(WAIT_MS);
    return file.problem === '';
  }
}
