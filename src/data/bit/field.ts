/**
 * An integer of 1 to 64 bits inside a blob, most significant bit first, as two 32-bit halves (`high` and `low`,
 * both unsigned). An instance is reused. Source: protocol 14, section 4.
 */
import { readU32, writeU32 } from '../../wire/message.js';
import { copyBits } from './run.js';

/** Flags of ADD and SUBTRACT; without SATURATE and WRAP an overflow fails. */
export const SIGNED = 1;
export const SATURATE = 2;
export const WRAP = 4;

const WIDTH = 64; // bits of the buffer that a field is read into, at its low end
const buffer = new Uint8Array(WIDTH / 8);

export class Field {
  /** Bits, 1 to 64. */
  size = 0;
  high = 0;
  low = 0;

  /** Reads the field of `size` bits at bit `at`, counted from byte `base`. */
  read(bytes: Uint8Array, base: number, at: number, size: number): void {
    buffer.fill(0);
    copyBits(buffer, 0, WIDTH - size, bytes, base, at, size);
    this.size = size;
    this.high = readU32(buffer, 0);
    this.low = readU32(buffer, 4);
  }

  /** Makes it a number of `size` bits, the low ones of a 64-bit one. */
  set(high: number, low: number, size: number): void {
    this.size = size;
    this.high = (high & highMask(size)) >>> 0;
    this.low = (low & lowMask(size)) >>> 0;
  }

  /** Writes it to bit `at`, counted from byte `base`. */
  write(out: Uint8Array, base: number, at: number): void {
    writeU32(buffer, 0, this.high);
    writeU32(buffer, 4, this.low);
    copyBits(out, base, at, buffer, 0, WIDTH - this.size, this.size);
  }

  get isNegative(): boolean {
    return this.size > 32
      ? ((this.high >>> (this.size - 33)) & 1) === 1
      : ((this.low >>> (this.size - 1)) & 1) === 1;
  }

  get isZero(): boolean {
    return this.high === 0 && this.low === 0;
  }

  isBelow(other: Field): boolean {
    return this.high < other.high || (this.high === other.high && this.low < other.low);
  }

  /** Makes it two's complement of 64 bits, by its sign bit. */
  extendSign(): void {
    if (!this.isNegative) return;
    this.high = (this.high | ~highMask(this.size)) >>> 0;
    this.low = (this.low | ~lowMask(this.size)) >>> 0;
  }

  /**
   * Adds or subtracts a field of the same size.
   * @param flags SIGNED, SATURATE, WRAP.
   * @returns false when the result does not fit and must.
   */
  combine(operand: Field, isSubtract: boolean, flags: number): boolean {
    const isSigned = (flags & SIGNED) !== 0;
    old.set(this.high, this.low, this.size);
    if (isSubtract) {
      delta.set(~operand.high, ~operand.low, this.size);
      delta.add(0, 1);
    } else delta.set(operand.high, operand.low, this.size);
    this.add(delta.high, delta.low);
    const overflow = isSigned ? this.#signedOverflow() : this.#unsignedOverflow(isSubtract);
    if (overflow === 0 || (flags & WRAP) !== 0) return true;
    if ((flags & SATURATE) === 0) return false;
    this.#saturate(isSigned, overflow > 0);
    return true;
  }

  /** The smallest signed number is the sign bit alone, the largest all but the sign bit. */
  #saturate(isSigned: boolean, isUp: boolean): void {
    const { size } = this;
    const sign = isSigned ? 2 ** ((size - 1) & 31) : 0;
    const high = size > 32 ? sign : 0;
    const low = size > 32 ? 0 : sign;
    if (isUp) this.set(~high, ~low, size);
    else this.set(high, low, size);
  }

  add(high: number, low: number): void {
    const lowSum = this.low + low;
    this.set(this.high + high + (lowSum > 0xffff_ffff ? 1 : 0), lowSum, this.size);
  }

  /** @returns 1 above the largest number, -1 below the smallest. Two negatives that make 0 are not noticed. */
  #signedOverflow(): number {
    if (old.isNegative !== delta.isNegative || old.isNegative === this.isNegative) return 0;
    if (this.isNegative) return 1;
    return this.isZero ? 0 : -1;
  }

  #unsignedOverflow(isSubtract: boolean): number {
    if (isSubtract) return old.isBelow(this) ? -1 : 0;
    return this.isBelow(old) ? 1 : 0;
  }
}

const old = new Field();
const delta = new Field();

function highMask(size: number): number {
  return size > 32 ? 0xffff_ffff >>> (WIDTH - size) : 0;
}

function lowMask(size: number): number {
  return size >= 32 ? 0xffff_ffff : (1 << size) - 1;
}
