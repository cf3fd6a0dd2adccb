/**
 * Reads of stored records from the device, for commands that are parked meanwhile. A command is known by its
 * token; a read in flight has a slot of its own, since a command may give up (and its token serve another)
 * before the device has answered. Reads wait in line when no buffer is free, so memory is bounded.
 *
 *   slot:  FREE ─▶ WAITING (for a buffer) ─▶ READING ─▶ DONE ─poll─▶ REPORTED ─release─▶ FREE
 *
 * A slot that was given up (token -1) becomes free when it leaves the line, the device or the ring that it is in.
 */
import { DEVICE_OVERLOAD, OK, PARKED, UNKNOWN } from '../../base/result.js';
import { ST_CHECKSUM_ERRORS, ST_DEVICE_READS, ST_READ_ERRORS } from '../engine.js';
import { failureText } from '../io/io-backend.js';
import { REC_MAGIC, REC_SIZE, REC_STAMP, RECORD_ALIGN, RECORD_MAGIC } from '../record/flat-record.js';
import { isIntactRecord } from '../write-block/block-scan.js';
import type { BlockTable } from '../write-block/block-table.js';
import type { ShardExtent } from '../write-block/shard-extent.js';
import type { StorageLog } from './storage-error.js';

const NONE = -1;
const FREE = 0;
const WAITING = 1;
const READING = 2;
const DONE = 3;
const REPORTED = 4;

export class RecordReader {
  readonly #extent: ShardExtent;
  readonly #table: BlockTable;
  readonly #counters: Float64Array;
  readonly #log: StorageLog;
  readonly #slotOf: Int32Array; // by token
  readonly #state: Uint8Array; // by slot, as all below
  readonly #token: Int32Array;
  readonly #location: Float64Array;
  readonly #size: Int32Array;
  readonly #bufferAt: Float64Array;
  readonly #stamp: Uint32Array; // of the block when the read began
  /** What the device answered, bytes or -errno, and not yet looked at; the result is that, else a result code. */
  readonly #isUnchecked: Uint8Array;
  readonly #result: Int32Array;
  readonly #free: Int32Array;
  #freeCount: number;
  /** Slots in line for a buffer, and slots that are done and not yet reported; rings. */
  readonly #waiting: Int32Array;
  #waitingHead = 0;
  #waitingCount = 0;
  readonly #done: Int32Array;
  #doneHead = 0;
  #doneCount = 0;
  /** Reads queued or in flight. */
  readingCount = 0;

  /** @param tokenCount Tokens are 0 to tokenCount - 1. */
  constructor(
    extent: ShardExtent,
    table: BlockTable,
    counters: Float64Array,
    tokenCount: number,
    log: StorageLog,
  ) {
    const slots = tokenCount * 2;
    this.#extent = extent;
    this.#table = table;
    this.#counters = counters;
    this.#log = log;
    this.#slotOf = new Int32Array(tokenCount).fill(NONE);
    this.#state = new Uint8Array(slots);
    this.#token = new Int32Array(slots);
    this.#location = new Float64Array(slots);
    this.#size = new Int32Array(slots);
    this.#bufferAt = new Float64Array(slots);
    this.#isUnchecked = new Uint8Array(slots);
    this.#stamp = new Uint32Array(slots);
    this.#result = new Int32Array(slots);
    this.#waiting = new Int32Array(slots);
    this.#done = new Int32Array(slots);
    this.#free = Int32Array.from({ length: slots }, (_, i) => slots - 1 - i);
    this.#freeCount = slots;
  }

  /**
   * The record of `size` bytes at `location`, for the command with this token.
   * @returns OK with its place in `recordAt` (good until the token's release); PARKED when its read has been started
   *   or goes on; or a result code.
   */
  get(token: number, location: number, size: number): number {
    const slot = this.#slotOf[token]!;
    if (slot !== NONE) {
      if (this.#isStill(slot, location, size)) {
        if (this.#state[slot]! < DONE) return PARKED;
        this.recordAt = this.#bufferAt[slot]! + this.#offsetInRead(location);
        if (this.#isUnchecked[slot] !== 0) {
          this.#isUnchecked[slot] = 0;
          this.#result[slot] = this.#check(slot, this.#result[slot]!);
        }
        return this.#result[slot]!;
      }
      this.release(token); // the record was written anew or moved, or the command went on to another
    }
    return this.#begin(token, location, size);
  }
  /** Byte offset in the I/O buffers of the record that `get` found. */
  recordAt = 0;

  release(token: number): void {
    const slot = this.#slotOf[token]!;
    if (slot === NONE) return;
    this.#slotOf[token] = NONE;
    this.#token[slot] = NONE;
    if (this.#state[slot] === REPORTED) this.#recycle(slot);
  }

  /** Starts reads that waited for a buffer, and writes the tokens of finished ones to `out`. @returns How many. */
  poll(out: Int32Array): number {
    while (this.#waitingCount > 0) {
      const slot = this.#waiting[this.#waitingHead]!;
      if (this.#token[slot] === NONE) this.#recycle(slot);
      else if (!this.#start(slot)) break;
      this.#waitingHead = (this.#waitingHead + 1) % this.#waiting.length;
      this.#waitingCount--;
    }
    let count = 0;
    while (this.#doneCount > 0 && count < out.length) {
      const slot = this.#done[this.#doneHead]!;
      this.#doneHead = (this.#doneHead + 1) % this.#done.length;
      this.#doneCount--;
      if (this.#token[slot] === NONE) {
        this.#recycle(slot);
        continue;
      }
      this.#state[slot] = REPORTED;
      out[count++] = this.#token[slot]!;
    }
    return count;
  }

  /** The device has answered. */
  onRead(slot: number, result: number): void {
    this.readingCount--;
    this.#state[slot] = DONE;
    if (this.#token[slot] === NONE) {
      this.#recycle(slot);
      return;
    }
    this.#result[slot] = result; // looked at when it is asked for: the record may have moved meanwhile
    this.#isUnchecked[slot] = 1;
    this.#done[(this.#doneHead + this.#doneCount++) % this.#done.length] = slot;
  }

  #begin(token: number, location: number, size: number): number {
    if (this.#freeCount === 0) return DEVICE_OVERLOAD;
    const slot = this.#free[--this.#freeCount]!;
    this.#slotOf[token] = slot;
    this.#token[slot] = token;
    this.#location[slot] = location;
    this.#size[slot] = size;
    this.#stamp[slot] = this.#table.stamps[this.#blockOf(location)]!;
    this.#bufferAt[slot] = NONE;
    this.#state[slot] = WAITING;
    this.readingCount++;
    this.#counters[ST_DEVICE_READS]!++;
    if (this.#waitingCount > 0 || !this.#start(slot)) {
      this.#waiting[(this.#waitingHead + this.#waitingCount++) % this.#waiting.length] = slot;
    }
    return PARKED;
  }

  #start(slot: number): boolean {
    const { io, blockSize, readAlign } = this.#extent;
    const at = this.#location[slot]! * RECORD_ALIGN;
    const block = Math.floor(at / blockSize);
    const inBlock = at - block * blockSize;
    const from = inBlock & -readAlign;
    const length = ((inBlock + this.#size[slot]! + readAlign - 1) & -readAlign) - from;
    const bufferAt = io.takeReadBuffer(length);
    if (bufferAt < 0) return false;
    if (!this.#extent.read(slot, block, from, length, bufferAt)) {
      io.giveReadBuffer(bufferAt);
      return false;
    }
    this.#bufferAt[slot] = bufferAt;
    this.#state[slot] = READING;
    return true;
  }

  /** Whether the read of this slot is of the record that is wanted: its place may have been given up and used again. */
  #isStill(slot: number, location: number, size: number): boolean {
    return (
      this.#location[slot] === location &&
      this.#size[slot] === size &&
      this.#stamp[slot] === this.#table.stamps[this.#blockOf(location)]
    );
  }

  #blockOf(location: number): number {
    return Math.floor((location * RECORD_ALIGN) / this.#extent.blockSize);
  }

  #check(slot: number, result: number): number {
    const location = this.#location[slot]!;
    const size = this.#size[slot]!;
    const at = this.#bufferAt[slot]! + this.#offsetInRead(location);
    const where = `${this.#extent.path}: the record at ${this.#extent.offsetOf(0) + location * RECORD_ALIGN}`;
    if (result < this.#offsetInRead(location) + size) {
      this.#counters[ST_READ_ERRORS]!++;
      this.#log.critical(
        `${where} cannot be read (${failureText(result, this.#offsetInRead(location) + size)})`,
      );
      return UNKNOWN;
    }
    const { u8, u32 } = this.#extent.io.buffers;
    const w = at >>> 2;
    const block = this.#blockOf(location);
    const { blockSize, cipher } = this.#extent;
    cipher?.decrypt(this.#table, block, location * RECORD_ALIGN - block * blockSize, u8, at, size);
    const isOurs =
      u32[w + REC_MAGIC] === RECORD_MAGIC &&
      u32[w + REC_STAMP] === this.#table.stamps[block] &&
      u32[w + REC_SIZE] === size;
    if (isOurs && isIntactRecord(this.#extent.io.buffers, at, size)) return OK;
    this.#counters[ST_CHECKSUM_ERRORS]!++;
    this.#log.critical(`${where} fails its checksum`);
    return UNKNOWN;
  }

  #recycle(slot: number): void {
    if (this.#state[slot] === WAITING) this.readingCount--;
    if (this.#bufferAt[slot]! >= 0) this.#extent.io.giveReadBuffer(this.#bufferAt[slot]!);
    this.#bufferAt[slot] = NONE;
    this.#state[slot] = FREE;
    this.#free[this.#freeCount++] = slot;
  }

  /** Bytes between the start of the read that fetches the record at `location` and the record. */
  #offsetInRead(location: number): number {
    return (location % (this.#extent.readAlign / RECORD_ALIGN)) * RECORD_ALIGN;
  }
}
