/**
 * Encryption of write blocks. The block's header stays plain: it holds the nonce, two random words for each use of a
 * block; the owner stamp, a hash of everything that tells this use from others, is the third. A byte of a block is
 * encrypted by its place in the block, so a record is decrypted without what lies around it.
 *
 * No byte of one use of a block is ever written in two versions: pieces begin where the one before ended, a retry
 * writes the same bytes, and a start goes on in another block.
 */
import type { Region } from '../../base/arena.js';
import { BLOCK_HEADER_SIZE, readBlockNonce } from '../write-block/block-format.js';
import type { BlockTable } from '../write-block/block-table.js';
import type { DataKey } from './data-key.js';
import { NONCE_WORDS, randomWords, StreamCipher } from './stream-cipher.js';

export class BlockCipher {
  readonly #stream: StreamCipher;
  readonly #fresh = new Uint32Array(2);
  readonly #read = new Uint32Array(NONCE_WORDS);

  constructor(key: DataKey) {
    this.#stream = new StreamCipher(key, 'blocks');
  }

  /** Two random words for a block about to be opened, valid until the next call. */
  newNonce(): Uint32Array {
    do randomWords(this.#fresh);
    while (this.#fresh[0] === 0 && this.#fresh[1] === 0);
    return this.#fresh;
  }

  /** Encrypts bytes `from` to `from + size` of a block; its header, if it is among them, stays plain. */
  encrypt(
    table: BlockTable,
    block: number,
    from: number,
    u8: Uint8Array,
    sourceAt: number,
    targetAt: number,
    size: number,
  ): void {
    const plain = from === 0 ? BLOCK_HEADER_SIZE : 0;
    if (plain > 0) u8.copyWithin(targetAt, sourceAt, sourceAt + plain);
    const { nonces, stamps } = table;
    const n = block * 2;
    this.#stream.apply(
      nonces[n]!,
      nonces[n + 1]!,
      stamps[block]!,
      from + plain,
      u8,
      sourceAt + plain,
      u8,
      targetAt + plain,
      size - plain,
    );
  }

  /** Decrypts `size` bytes at `at` that come from byte `from` on of a block, in place. */
  decrypt(table: BlockTable, block: number, from: number, u8: Uint8Array, at: number, size: number): void {
    const { nonces, stamps } = table;
    const n = block * 2;
    if (nonces[n] === 0 && nonces[n + 1] === 0) return;
    this.#stream.apply(nonces[n]!, nonces[n + 1]!, stamps[block]!, from, u8, at, u8, at, size);
  }

  /** Decrypts the first `size` bytes of a block, which lie at `at` with its header, in place. */
  decryptBlock(region: Region, at: number, size: number): void {
    const nonce = this.#read;
    if (!readBlockNonce(region, at, nonce)) return;
    const { u8 } = region;
    const start = at + BLOCK_HEADER_SIZE;
    this.#stream.apply(
      nonce[0]!,
      nonce[1]!,
      nonce[2]!,
      BLOCK_HEADER_SIZE,
      u8,
      start,
      u8,
      start,
      size - BLOCK_HEADER_SIZE,
    );
  }
}
