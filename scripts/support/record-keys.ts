/** Digests of records that are known by number: 20 bytes that look random and differ for each number. */
import { DIGEST_SIZE } from '../../src/base/digest.js';

const DIGEST_WORDS = DIGEST_SIZE / 4;

/** Writes the digest of record `number` to `words[w]` and what follows. */
export function digestOf(number: number, words: Uint32Array, w: number): void {
  let state = number;
  for (let i = 0; i < DIGEST_WORDS; i++) {
    state = Math.imul(state ^ (state >>> 16), 0x7feb352d);
    state = Math.imul(state ^ (state >>> 15), 0x846ca68b);
    words[w + i] = state ^ (state >>> 16);
    state = (state + 0x9e3779b9) | 0;
  }
}

/** Some records in the order of their numbers. */
export class RecordKeys {
  readonly numbers: Uint32Array;
  readonly digests: Uint8Array;

  /** @param isWanted Told each digest of numbers `from` to `to` - 1. */
  constructor(from: number, to: number, isWanted: (digests: Uint8Array, at: number) => boolean) {
    const numbers = new Uint32Array(to - from);
    const words = new Uint32Array((to - from) * DIGEST_WORDS);
    const digests = new Uint8Array(words.buffer);
    let count = 0;
    for (let number = from; number < to; number++) {
      digestOf(number, words, count * DIGEST_WORDS);
      if (isWanted(digests, count * DIGEST_SIZE)) numbers[count++] = number;
    }
    this.numbers = numbers.subarray(0, count);
    this.digests = digests;
  }
}
