/**
 * The 32-bit checksum of records, blocks and headers on a device: xxHash32 as published (xxhash.com, "XXH32"),
 * over little-endian words of shared memory. It is here in TypeScript because a call into zlib costs more
 * than a short record: measured on Node 20 (one 2.x GHz core), 128 bytes take 57 ns here (2.3 GB/s) and 234 ns
 * with zlib.crc32 on a view; 2 KiB 558 ns (3.7 GB/s) and 735 ns; 1 MiB runs at 3.5 and 4.1 GB/s.
 */
const P1 = 0x9e3779b1 | 0;
const P2 = 0x85ebca77 | 0;
const P3 = 0xc2b2ae3d | 0;
const P4 = 0x27d4eb2f | 0;
const P5 = 0x165667b1 | 0;

/**
 * Checksum of `size` bytes.
 * @param words Words of the memory.
 * @param at    Byte offset in that memory, a multiple of 4.
 * @param size  Bytes, any number; no byte at or after `at + size` changes the result.
 * @returns An unsigned 32-bit number.
 */
export function checksum32(words: Int32Array, at: number, size: number, seed = 0): number {
  let w = at >>> 2;
  const end = w + (size >>> 2);
  let h: number;
  if (size >= 16) {
    let a = (seed + P1 + P2) | 0;
    let b = (seed + P2) | 0;
    let c = seed | 0;
    let d = (seed - P1) | 0;
    const last = end - 4;
    do {
      let x = (a + Math.imul(words[w]!, P2)) | 0;
      a = Math.imul((x << 13) | (x >>> 19), P1);
      x = (b + Math.imul(words[w + 1]!, P2)) | 0;
      b = Math.imul((x << 13) | (x >>> 19), P1);
      x = (c + Math.imul(words[w + 2]!, P2)) | 0;
      c = Math.imul((x << 13) | (x >>> 19), P1);
      x = (d + Math.imul(words[w + 3]!, P2)) | 0;
      d = Math.imul((x << 13) | (x >>> 19), P1);
      w += 4;
    } while (w <= last);
    h =
      (((a << 1) | (a >>> 31)) +
        ((b << 7) | (b >>> 25)) +
        ((c << 12) | (c >>> 20)) +
        ((d << 18) | (d >>> 14))) |
      0;
  } else {
    h = (seed + P5) | 0;
  }
  h = (h + size) | 0;
  for (; w < end; w++) {
    h = (h + Math.imul(words[w]!, P3)) | 0;
    h = Math.imul((h << 17) | (h >>> 15), P4);
  }
  const rest = size & 3;
  if (rest > 0) {
    // Only the low bytes of the last word belong to us: whole words are all that this view can load.
    let tail = words[w]!;
    for (let i = 0; i < rest; i++) {
      h = (h + Math.imul(tail & 0xff, P5)) | 0;
      h = Math.imul((h << 11) | (h >>> 21), P1);
      tail >>>= 8;
    }
  }
  h ^= h >>> 15;
  h = Math.imul(h, P2);
  h ^= h >>> 13;
  h = Math.imul(h, P3);
  return (h ^ (h >>> 16)) >>> 0;
}
