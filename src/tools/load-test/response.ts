/**
 * Answers as they come from the socket: frames cut from a stream that may be split anywhere, and the messages
 * inside a frame. Everything is length-checked here. Source: protocol 01, sections 1 and 3.
 */
import { HEADER_SIZE, PROTO_SIZE } from './request.js';

const VERSION = 2;
const TYPE_MESSAGE = 3;
const BODY_SIZE_MAX = 128 * 1024 * 1024; // bytes
const KEPT_SIZE = 64 * 1024; // bytes that a cutter keeps for itself between answers
const EMPTY = Buffer.alloc(0);

/** `FrameCutter.next` when the next frame has not arrived whole, and when what arrived is no frame. */
export const INCOMPLETE = -1;
export const BROKEN = -2;

/**
 * Cuts frames from chunks. A chunk is used in place while it lasts; what is left of it must be kept with
 * `keep()` before the chunk's owner writes to it again.
 */
export class FrameCutter {
  bytes: Buffer = EMPTY;
  #own: Buffer = EMPTY;
  #start = 0;
  #end = 0;

  get isEmpty(): boolean {
    return this.#start === this.#end;
  }

  /** Forgets everything, as for a new connection. */
  reset(): void {
    this.bytes = EMPTY;
    if (this.#own.length > KEPT_SIZE) this.#own = EMPTY;
    this.#start = 0;
    this.#end = 0;
  }

  add(chunk: Buffer, size: number): void {
    if (this.isEmpty) {
      this.bytes = chunk;
      this.#start = 0;
      this.#end = size;
      return;
    }
    this.#reserve(size);
    chunk.copy(this.#own, this.#end, 0, size);
    this.#end += size;
  }

  /** Offset in `bytes` of the next frame's body, INCOMPLETE or BROKEN. The body ends at `bodyEnd`. */
  next(): number {
    const have = this.#end - this.#start;
    if (have < PROTO_SIZE) return INCOMPLETE;
    const at = this.#start;
    if (this.bytes[at] !== VERSION || this.bytes[at + 1] !== TYPE_MESSAGE) return BROKEN;
    const size = this.bytes.readUIntBE(at + 2, 6);
    if (size < HEADER_SIZE || size > BODY_SIZE_MAX) return BROKEN;
    if (have < PROTO_SIZE + size) return INCOMPLETE;
    this.#start = at + PROTO_SIZE + size;
    return at + PROTO_SIZE;
  }

  /** End of the body that `next` returned last. */
  get bodyEnd(): number {
    return this.#start;
  }

  /** Moves what is left into memory of this cutter. */
  keep(): void {
    if (this.isEmpty) {
      this.reset();
    } else if (this.bytes !== this.#own) {
      this.#reserve(0);
    }
  }

  /** Makes `#own` hold what is left, with room for `size` more. */
  #reserve(size: number): void {
    const have = this.#end - this.#start;
    if (this.bytes === this.#own && this.#end + size <= this.#own.length) return;
    const target =
      have + size <= this.#own.length
        ? this.#own
        : Buffer.allocUnsafe(Math.max(KEPT_SIZE, 2 * (have + size)));
    this.bytes.copy(target, 0, this.#start, this.#end);
    this.#own = target;
    this.bytes = target;
    this.#start = 0;
    this.#end = have;
  }
}

const INFO3_LAST = 1;

/** One message of a frame's body. An instance is used again and again. */
export class Message {
  isLast = false;
  resultCode = 0;
  /** Row number in a batch. */
  index = 0;
  opCount = 0;
  opsAt = 0;

  /** Reads the message at `at`; returns the offset behind it, or BROKEN when it does not fit before `end`. */
  read(bytes: Buffer, at: number, end: number): number {
    if (at + HEADER_SIZE > end || bytes[at] !== HEADER_SIZE) return BROKEN;
    this.isLast = (bytes[at + 3]! & INFO3_LAST) !== 0;
    this.resultCode = bytes[at + 5]!;
    this.index = bytes.readUInt32BE(at + 14);
    this.opCount = bytes.readUInt16BE(at + 20);
    let next = at + HEADER_SIZE;
    for (let left = bytes.readUInt16BE(at + 18); left > 0; left--) {
      if (next + 5 > end) return BROKEN;
      next += 4 + bytes.readUInt32BE(next);
    }
    this.opsAt = next;
    for (let left = this.opCount; left > 0; left--) {
      if (next + 8 > end) return BROKEN;
      const size = bytes.readUInt32BE(next);
      if (size < 4 + bytes[next + 7]!) return BROKEN;
      next += 4 + size;
    }
    return next > end ? BROKEN : next;
  }
}
