/**
 * Packs elements under their smallest headers. An instance is reused: `start` points it at a buffer, which the
 * caller owns and which has room for all that is put, and `at` moves on with every call.
 */
import { copyBytes } from '../../base/copy.js';
import { INT } from './element.js';

const FIXSTR_MAX = 31; // bytes
const FIX_COUNT_MAX = 15;

export class Writer {
  bytes: Uint8Array = new Uint8Array(0);
  /** Where the next byte goes. */
  at = 0;

  start(bytes: Uint8Array, at: number): void {
    this.bytes = bytes;
    this.at = at;
  }

  byte(value: number): void {
    this.bytes[this.at++] = value;
  }

  copy(source: Uint8Array, at: number, size: number): void {
    copyBytes(this.bytes, this.at, source, at, size);
    this.at += size;
  }

  /** @param type INT or NEGATIVE_INT. @param high with `low` the 64 bits, two's complement when negative. */
  integer(type: number, high: number, low: number): void {
    if (type === INT) this.#unsigned(high, low);
    else this.#negative(high, low | 0);
  }

  #unsigned(high: number, low: number): void {
    if (high !== 0) {
      this.byte(0xcf);
      this.#u32(high);
      this.#u32(low);
    } else if (low < 0x80) this.byte(low);
    else if (low <= 0xff) {
      this.byte(0xcc);
      this.byte(low);
    } else if (low <= 0xffff) this.#u16(0xcd, low);
    else {
      this.byte(0xce);
      this.#u32(low);
    }
  }

  #negative(high: number, low: number): void {
    if (high !== 0xffffffff || low >= 0) {
      this.byte(0xd3);
      this.#u32(high);
      this.#u32(low);
    } else if (low >= -0x20) this.byte(low);
    else if (low >= -0x80) {
      this.byte(0xd0);
      this.byte(low);
    } else if (low >= -0x8000) this.#u16(0xd1, low);
    else {
      this.byte(0xd2);
      this.#u32(low);
    }
  }

  /**
   * A string, blob or other typed bytes from `source`. A header at `headAt` that could not be smaller stays as it
   * is, of the str or the bin family; otherwise it becomes the smallest of the str family.
   */
  payload(source: Uint8Array, headAt: number, bodyAt: number, size: number): void {
    const smallest = size <= FIXSTR_MAX ? 1 : size <= 0xff ? 2 : size <= 0xffff ? 3 : 5;
    if (bodyAt - headAt === smallest) {
      this.copy(source, headAt, smallest + size);
      return;
    }
    if (smallest === 1) this.byte(0xa0 | size);
    else if (smallest === 2) {
      this.byte(0xd9);
      this.byte(size);
    } else this.#u16(0xda, size); // five bytes of header are the most there are, so that was one of them
    this.copy(source, bodyAt, size);
  }

  /** Typed bytes of the str family: a header, the particle type, then `size` bytes from `at`. */
  typed(type: number, source: Uint8Array, at: number, size: number): void {
    const length = size + 1;
    if (length <= FIXSTR_MAX) this.byte(0xa0 | length);
    else if (length <= 0xff) {
      this.byte(0xd9);
      this.byte(length);
    } else if (length <= 0xffff) this.#u16(0xda, length);
    else {
      this.byte(0xdb);
      this.#u32(length);
    }
    this.byte(type);
    this.copy(source, at, size);
  }

  /** The header and type of an ext whose body of `size` bytes the caller writes, without the shorter forms that some sizes have. */
  extHeader(type: number, size: number): void {
    if (size <= 0xff) {
      this.byte(0xc7);
      this.byte(size);
    } else if (size <= 0xffff) this.#u16(0xc8, size);
    else {
      this.byte(0xc9);
      this.#u32(size);
    }
    this.byte(type);
  }

  /** The header of a list of `count` elements, the flag element among them, and that element unless `flags` is 0. */
  listHeader(count: number, flags: number): void {
    this.#count(0x90, 0xdc, count);
    if (flags !== 0) this.#flags(flags);
  }

  /** The header of a map of `count` pairs, the flag pair among them, and that pair unless `flags` is 0. */
  mapHeader(count: number, flags: number): void {
    this.#count(0x80, 0xde, count);
    if (flags === 0) return;
    this.#flags(flags);
    this.byte(0xc0);
  }

  /** @param fix header with the count in it. @param wide header with a u16; the next one has a u32. */
  #count(fix: number, wide: number, count: number): void {
    if (count <= FIX_COUNT_MAX) this.byte(fix | count);
    else if (count <= 0xffff) this.#u16(wide, count);
    else {
      this.byte(wide + 1);
      this.#u32(count);
    }
  }

  #flags(flags: number): void {
    this.byte(0xc7);
    this.byte(0);
    this.byte(flags);
  }

  #u16(header: number, value: number): void {
    this.byte(header);
    this.byte(value >> 8);
    this.byte(value);
  }

  #u32(value: number): void {
    this.byte(value >>> 24);
    this.byte(value >>> 16);
    this.byte(value >>> 8);
    this.byte(value);
  }
}
