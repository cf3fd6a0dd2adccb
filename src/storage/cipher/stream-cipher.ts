/**
 * AES in counter mode over ranges of something that is written once: a write block, a checkpoint. The key bytes for
 * a range depend on its offset alone, so any range is decrypted by itself. What no two writes may share is
 * (key, nonce, offset): whoever uses this gives each thing that he writes a nonce of its own, and no byte twice.
 *
 * The counter block is the nonce (three words) and the offset in units of 16 bytes (one word, big-endian).
 */
import { createCipheriv, randomFillSync } from 'node:crypto';
import { copyBytes } from '../../base/copy.js';
import { type DataKey, subkeyOf } from './data-key.js';

export const UNIT_SIZE = 16; // bytes
export const NONCE_WORDS = 3;
/** At once: what node:crypto gives out is new memory each time, and this much of it stays in the cache. */
const PIECE_SIZE = 128 * 1024; // bytes

export class StreamCipher {
  readonly #algorithm: string;
  readonly #key: Buffer;
  readonly #counter = Buffer.alloc(UNIT_SIZE);
  readonly #words = new DataView(this.#counter.buffer, this.#counter.byteOffset);

  constructor(key: DataKey, purpose: 'blocks' | 'checkpoints') {
    this.#algorithm = `${key.algorithm}-ctr`;
    this.#key = subkeyOf(key, purpose);
  }

  /**
   * Encrypts or decrypts `size` bytes; the same call does both.
   * @param offset Of the range in the thing that the nonce is for, a multiple of 16.
   * @param target May be the source, at the same place.
   */
  apply(
    nonce0: number,
    nonce1: number,
    nonce2: number,
    offset: number,
    source: Uint8Array,
    sourceAt: number,
    target: Uint8Array,
    targetAt: number,
    size: number,
  ): void {
    this.#words.setUint32(0, nonce0);
    this.#words.setUint32(4, nonce1);
    this.#words.setUint32(8, nonce2);
    this.#words.setUint32(12, offset / UNIT_SIZE);
    const cipher = createCipheriv(this.#algorithm, this.#key, this.#counter);
    for (let at = 0; at < size; at += PIECE_SIZE) {
      const length = Math.min(PIECE_SIZE, size - at);
      const out = cipher.update(source.subarray(sourceAt + at, sourceAt + at + length));
      copyBytes(target, targetAt + at, out, 0, length);
    }
  }
}

/** Fills `out` with random words. */
export function randomWords(out: Uint32Array): void {
  randomFillSync(out);
}
