/**
 * Packs values as clients may send them: under their smallest headers, or now and then under larger ones. What is
 * packed lies in `bytes` up to `at`; an instance is reused.
 */
import type { Random } from '../../../src/tools/load-test/random.js';

const SIZE_MAX = 1 << 20; // bytes; generators stay well below
/** What is written beyond this is dropped, so that a runaway generator only makes a cut-off value. */
const SIZE_LIMIT = SIZE_MAX - 4096;

export class Packer {
  readonly bytes: Uint8Array = new Uint8Array(SIZE_MAX);
  readonly #view = new DataView(this.bytes.buffer);
  at = 0;
  /** One header in this many is larger than it has to be; 0: none. */
  wideEvery = 0;
  readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  byte(value: number): void {
    if (this.at < SIZE_LIMIT) this.bytes[this.at++] = value;
  }

  copy(source: Uint8Array, from: number, to: number): void {
    if (this.at + to - from > SIZE_LIMIT) return;
    this.bytes.set(source.subarray(from, to), this.at);
    this.at += to - from;
  }

  /** An integer that a double holds exactly. */
  int(value: number): void {
    const size = this.#isWide() ? this.random.below(4) : 0;
    if (value >= 0) {
      if (value < 0x80 && size === 0) this.byte(value);
      else if (value < 0x100 && size <= 1) this.#number(0xcc, 1, value);
      else if (value < 0x1_0000 && size <= 2) this.#number(0xcd, 2, value);
      else if (value < 0x1_0000_0000 && size <= 3) this.#number(0xce, 4, value);
      else this.int64(Math.floor(value / 0x1_0000_0000), value % 0x1_0000_0000);
    } else if (value >= -32 && size === 0) this.byte(value & 0xff);
    else if (value >= -128 && size <= 1) this.#number(0xd0, 1, value);
    else if (value >= -0x8000 && size <= 2) this.#number(0xd1, 2, value);
    else if (value >= -0x8000_0000 && size <= 3) this.#number(0xd2, 4, value);
    else {
      const high = Math.floor(value / 0x1_0000_0000);
      this.int64(high, value - high * 0x1_0000_0000, 0xd3);
    }
  }

  /** @param header cf, or d3 for two's complement. */
  int64(high: number, low: number, header = 0xcf): void {
    this.byte(header);
    this.#u32(high);
    this.#u32(low);
  }

  double(value: number): void {
    if (this.at >= SIZE_LIMIT) return;
    this.byte(0xcb);
    this.#view.setFloat64(this.at, value);
    this.at += 8;
  }

  single(value: number): void {
    if (this.at >= SIZE_LIMIT) return;
    this.byte(0xca);
    this.#view.setFloat32(this.at, value);
    this.at += 4;
  }

  /** The header of typed bytes, whose payload of `size` bytes, type byte included, comes next. */
  payload(size: number): void {
    const wide = this.#isWide() ? this.random.below(3) : 0;
    const isBin = this.random.below(16) === 0;
    if (size < 32 && wide === 0 && !isBin) this.byte(0xa0 | size);
    else if (size < 0x100 && wide <= 1) this.#number(isBin ? 0xc4 : 0xd9, 1, size);
    else if (size < 0x1_0000 && wide <= 2) this.#number(isBin ? 0xc5 : 0xda, 2, size);
    else this.#number(isBin ? 0xc6 : 0xdb, 4, size);
  }

  list(count: number): void {
    this.#count(0x90, 0xdc, count);
  }

  /** @param count pairs. */
  map(count: number): void {
    this.#count(0x80, 0xde, count);
  }

  /** The flag element; in a map its nil is still to come. */
  flags(flags: number): void {
    this.byte(0xc7);
    this.byte(0);
    this.byte(flags);
  }

  nil(): void {
    this.byte(0xc0);
  }

  bool(value: boolean): void {
    this.byte(value ? 0xc3 : 0xc2);
  }

  /** WILDCARD or INF. */
  sentinel(isInf: boolean): void {
    this.byte(0xd4);
    this.byte(0xff);
    this.byte(isInf ? 1 : 0);
  }

  #count(fix: number, wide: number, count: number): void {
    const size = this.#isWide() ? this.random.below(3) : 0;
    if (count < 16 && size === 0) this.byte(fix | count);
    else if (count < 0x1_0000 && size <= 1) this.#number(wide, 2, count);
    else this.#number(wide + 1, 4, count);
  }

  #number(header: number, size: number, value: number): void {
    this.byte(header);
    for (let k = size - 1; k >= 0; k--) this.byte(k > 3 ? 0 : (value >> (8 * k)) & 0xff);
  }

  #u32(value: number): void {
    for (let k = 24; k >= 0; k -= 8) this.byte((value >>> k) & 0xff);
  }

  #isWide(): boolean {
    return this.wideEvery > 0 && this.random.below(this.wideEvery) === 0;
  }
}
