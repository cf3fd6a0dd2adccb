/**
 * The write block that a stream appends to, as far as appending needs it: which block it is, where its copy in memory
 * lies, how far it is filled and how far it was handed to the device. All of that is shared memory, so that whoever
 * holds the shard's word may append, on any thread; only the shard's own opens, submits and closes (write-stream.ts).
 *
 *   block   0 ──────────── submittedTo ──────── appendAt ────────── blockSize
 *             handed to the device     dirty               free
 *
 * Every append of the shard has a number, one more than the append before it, whichever stream it went to.
 */
import { Region, type SharedBytes } from '../../base/arena.js';
import { IO_ALIGN } from '../io/io-backend.js';
import { RECORD_ALIGN } from '../record/flat-record.js';
import { sealRecords, stampRecord } from './record-seal.js';

export const NONE = -1;
export const PAGE_MASK = -IO_ALIGN;

// Words of the state, float64.
const BLOCK = 0; // the open block, or -1; positions below are bytes from its start
const STAMP = 1;
const BUFFER_AT = 2;
const APPEND_AT = 3;
const SUBMITTED_TO = 4;
const DIRTY_FIRST = 5; // number of the first append that no piece handed to the device holds whole, or -1
const DIRTY_SINCE = 6; // when the oldest append that was not handed to the device yet was made, or -1
const PAGE_FIRST = 7; // of the last page that was begun: the first append that ends in it, ...
const PAGE_SINCE = 8; // ... and its time
const CHECK_AT = 9; // see `checkAt`
const SEALED_TO = 10; // records before this have their checksums
const SEAL_SIZE = 11; // bytes that may wait for theirs
const WORDS = 16;

export class OpenBlock {
  readonly shared: SharedBytes;
  protected readonly buffers: Region;
  protected readonly blockSize: number;
  readonly #state: Float64Array;
  #reservedSize = 0;
  /** Byte offset in the I/O buffers of the room that this thread reserved last. */
  reservedAt = 0;
  /** The clock of what is appended; set by the owner. */
  nowMs = 0;

  /**
   * @param memory   The state of a stream that lives already, on another thread.
   * @param sealSize Bytes of records that may wait for their checksums.
   */
  constructor(buffers: Region, blockSize: number, memory?: SharedBytes, sealSize = 0) {
    this.buffers = buffers;
    this.blockSize = blockSize;
    const region = new Region(memory ?? WORDS * 8);
    this.shared = region.shared;
    this.#state = region.f64;
    if (memory !== undefined) return;
    this.#state[SEAL_SIZE] = sealSize;
    this.block = NONE;
    this.clean();
  }

  /** The open block, or -1. */
  get block(): number {
    return this.#state[BLOCK]!;
  }
  protected set block(block: number) {
    this.#state[BLOCK] = block;
  }

  /** The room at which whoever appends records of clients has to see first whether they outrun defrag. */
  get checkAt(): number {
    return this.#state[CHECK_AT]!;
  }
  set checkAt(room: number) {
    this.#state[CHECK_AT] = room;
  }

  get isDirty(): boolean {
    return this.#state[DIRTY_FIRST] !== NONE;
  }

  /** Bytes that were appended and not handed to the device. */
  get dirtySize(): number {
    return this.isDirty ? this.appendAt - this.submittedTo : 0;
  }

  get dirtySinceMs(): number {
    return this.#state[DIRTY_SINCE]!;
  }

  /** Where the next record goes, bytes from the open block's start. */
  get appendAt(): number {
    return this.#state[APPEND_AT]!;
  }

  /** What lies before `at` is no room for records any more. All of them have been sealed. */
  protected skipTo(at: number): void {
    this.#state[APPEND_AT] = at;
    this.#state[SEALED_TO] = at;
  }

  protected get submittedTo(): number {
    return this.#state[SUBMITTED_TO]!;
  }
  protected set submittedTo(at: number) {
    this.#state[SUBMITTED_TO] = at;
  }

  protected get bufferAt(): number {
    return this.#state[BUFFER_AT]!;
  }

  /** Number of the first append that no piece handed to the device holds whole, or -1. */
  protected get dirtyFirst(): number {
    return this.#state[DIRTY_FIRST]!;
  }

  /** Bytes left in the open block. */
  get room(): number {
    return this.block === NONE ? 0 : this.blockSize - this.appendAt;
  }

  /**
   * Goes on in another block.
   * @param bufferAt Its buffer, good up to `appendAt`; the bytes up to `submittedTo` are durable.
   */
  open(block: number, stamp: number, bufferAt: number, appendAt: number, submittedTo: number): void {
    const state = this.#state;
    state[BLOCK] = block;
    state[STAMP] = stamp;
    state[BUFFER_AT] = bufferAt;
    state[APPEND_AT] = appendAt;
    state[SEALED_TO] = appendAt;
    state[SUBMITTED_TO] = submittedTo;
    state[PAGE_FIRST] = NONE;
    this.#reservedSize = 0;
  }

  /** Finds room for `size` bytes, with the place in `reservedAt`. @returns false when the open block has none. */
  reserve(size: number): boolean {
    const state = this.#state;
    if (state[BLOCK] === NONE || state[APPEND_AT]! + size > this.blockSize) return false;
    this.#reservedSize = size;
    // A place in a Uint8Array is below 2^32. As it comes out of the state it would lie in a box, and so would all that is
    // reckoned with it: V8 then compiles whoever has seen plain integers so far once more.
    this.reservedAt = (state[BUFFER_AT]! + state[APPEND_AT]!) >>> 0;
    return true;
  }

  /**
   * Makes the record built in the reserved room append number `number`. It has its checksum after the next `seal`.
   * @returns Its location in the extent, in units of 16 bytes.
   */
  append(number: number): number {
    const state = this.#state;
    const size = this.#reservedSize;
    const appendAt = state[APPEND_AT]!;
    if (size === 0 || this.reservedAt !== state[BUFFER_AT]! + appendAt) {
      throw new Error('write block: a record is stored that has no room reserved');
    }
    stampRecord(this.buffers, this.reservedAt, size, state[STAMP]!);
    this.#reservedSize = 0;
    const location = (state[BLOCK]! * this.blockSize + appendAt) / RECORD_ALIGN;
    const end = appendAt + ((size + RECORD_ALIGN - 1) & -RECORD_ALIGN);
    if (state[PAGE_FIRST] === NONE || (end & PAGE_MASK) !== (appendAt & PAGE_MASK)) {
      state[PAGE_FIRST] = (end & ~PAGE_MASK) === 0 ? number + 1 : number;
      state[PAGE_SINCE] = this.nowMs;
    }
    state[APPEND_AT] = end;
    if (state[DIRTY_FIRST] === NONE) {
      state[DIRTY_FIRST] = number;
      state[DIRTY_SINCE] = this.nowMs;
    }
    if (end - state[SEALED_TO]! > state[SEAL_SIZE]!) this.seal();
    return location;
  }

  /** Sees to it that every record appended has its checksum: to be called before bytes leave. */
  seal(): void {
    const state = this.#state;
    const bufferAt = state[BUFFER_AT]!;
    const from = state[SEALED_TO]!;
    const end = state[APPEND_AT]!;
    if (from === end) return;
    sealRecords(this.buffers, bufferAt + from, bufferAt + end);
    state[SEALED_TO] = end;
  }

  /** All that was appended was handed to the device. */
  protected clean(): void {
    this.#state[DIRTY_FIRST] = NONE;
    this.#state[PAGE_FIRST] = NONE;
    this.#state[DIRTY_SINCE] = NONE;
    this.#reservedSize = 0;
  }

  /** All but the page that was begun was handed to the device. */
  protected cleanPages(): void {
    this.#state[DIRTY_FIRST] = this.#state[PAGE_FIRST]!;
    this.#state[DIRTY_SINCE] = this.#state[PAGE_SINCE]!;
  }
}
