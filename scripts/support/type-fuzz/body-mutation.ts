/** Small damage to the bytes of an operation: what a broken or hostile client might send instead. */
import type { Random } from '../../../src/tools/load-test/random.js';

const EDGES = [
  0x00, 0x01, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc4, 0xc7, 0xc9, 0xca, 0xcb, 0xcc, 0xcf,
  0xd3, 0xd4, 0xd9, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xe0, 0xff,
];

/** @returns Another body; `other` lends pieces. */
export function mutated(body: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  let bytes = body;
  for (let rounds = 1 + random.below(3); rounds > 0; rounds--) bytes = once(bytes, other, random);
  return bytes;
}

function once(body: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const at = random.below(body.length + 1);
  switch (random.below(9)) {
    case 0:
      return put(body, at, EDGES[random.below(EDGES.length)]!);
    case 1:
      return put(body, at, (body[at] ?? 0) ^ (1 << random.below(8)));
    case 2: // a count, a size or a small number becomes another
      return put(body, at, ((body[at] ?? 0) + random.below(5) - 2) & 0xff);
    case 3:
      return body.slice(0, at);
    case 4:
      return joined(body, noise(random));
    case 5:
      return joined(body.subarray(0, at), noise(random), body.subarray(at));
    case 6:
      return joined(body.subarray(0, at), body.subarray(Math.min(body.length, at + 1 + random.below(6))));
    case 7: {
      const piece = body.subarray(at, at + random.below(20));
      return joined(body.subarray(0, at), piece, piece, body.subarray(at + piece.length));
    }
    default: {
      const from = random.below(other.length + 1);
      return joined(body.subarray(0, at), other.subarray(from, from + random.below(40)), body.subarray(at));
    }
  }
}

function put(body: Uint8Array, at: number, byte: number): Uint8Array {
  const bytes = body.slice();
  if (at < bytes.length) bytes[at] = byte;
  return bytes;
}

function noise(random: Random): Uint8Array {
  return Uint8Array.from({ length: random.below(6) }, () => random.below(256));
}

function joined(...pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
