/**
 * Random numbers of the load test: seeded, so that a run can be repeated, and a mixing function that turns
 * a key into the value that a reader can check.
 */

/** Mixes two 32-bit words into one: every bit of both reaches every bit of the result. Source: murmur3's finaliser. */
export function mix(a: number, b: number): number {
  let h = a ^ Math.imul(b, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** The generator sfc32, four words of state. */
export class Random {
  #a: number;
  #b: number;
  #c = 0x9e3779b9;
  #counter = 1;

  /** @param seed any number; @param stream keeps threads apart that share the seed. */
  constructor(seed: number, stream = 0) {
    this.#a = mix(seed >>> 0, 1);
    this.#b = mix(Math.floor(seed / 2 ** 32) >>> 0, stream);
    for (let i = 0; i < 15; i++) this.u32();
  }

  /** 0 … 2^32 - 1. */
  u32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** A whole number from 0 to limit - 1, for limits up to 2^53. */
  below(limit: number): number {
    if (limit <= 2 ** 32) return Math.floor((this.u32() * limit) / 2 ** 32);
    return Math.floor(((this.u32() * 2 ** 21 + (this.u32() >>> 11)) / 2 ** 53) * limit);
  }
}
