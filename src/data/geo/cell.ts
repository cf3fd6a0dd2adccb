/**
 * S2 cells: a Hilbert curve over each of the six faces of a cube around the sphere numbers every square
 * centimetre or so. A cell id is 64 bits, kept as two 32-bit halves. Source: protocol 17, section 3.
 */
import type { Position } from './geojson.js';

/** Bits of a face's coordinate, and the level of the smallest cells. */
const LEVEL_MAX = 30;
const LEAVES = 2 ** LEVEL_MAX; // along one edge of a face

/** Hilbert curve: position of quadrant (i, j) in its parent, by orientation and 2i + j. */
const QUADRANT: readonly (readonly number[])[] = [
  [0, 1, 3, 2],
  [0, 3, 1, 2],
  [2, 3, 1, 0],
  [2, 1, 3, 0],
];
/** What the orientation changes by (xor) inside the quadrant of that position. */
const TURN: readonly number[] = [1, 0, 0, 3];

/** A cell id in two unsigned halves; an instance is reused. */
export class CellId {
  high = 0;
  low = 0;

  /** Becomes the leaf cell (level 30) that contains a position. */
  setLeaf(position: Position): void {
    const theta = position.longitude * (Math.PI / 180);
    const phi = position.latitude * (Math.PI / 180);
    const cosPhi = Math.cos(phi);
    const x = Math.cos(theta) * cosPhi;
    const y = Math.sin(theta) * cosPhi;
    const z = Math.sin(phi);
    const face = faceOf(x, y, z);
    const [u, v] = uvOf(face, x, y, z);
    this.#setFromFaceIJ(face, leafIndex(u), leafIndex(v));
  }

  #setFromFaceIJ(face: number, i: number, j: number): void {
    let orientation = face & 1;
    let upper = 0; // the first 15 of the 30 base-4 digits
    let lower = 0;
    for (let k = LEVEL_MAX - 1; k >= 0; k--) {
      const quadrant = ((i >>> k) & 1) * 2 + ((j >>> k) & 1);
      const digit = QUADRANT[orientation]![quadrant]!;
      if (k >= 15) upper = upper * 4 + digit;
      else lower = lower * 4 + digit;
      orientation ^= TURN[digit]!;
    }
    // id = face (3 bits), 60 bits of position, 1: the upper 30 bits end at bit 31 of the id.
    this.high = ((face << 29) | (upper >>> 1)) >>> 0;
    this.low = ((upper << 31) | (lower << 1) | 1) >>> 0;
  }

  /** Writes the id as 8 bytes, big-endian. */
  write(out: Uint8Array, at: number): void {
    for (let k = 0; k < 4; k++) {
      out[at + k] = this.high >>> (24 - 8 * k);
      out[at + 4 + k] = this.low >>> (24 - 8 * k);
    }
  }
}

/** The axis with the largest component, plus 3 where that is negative. */
function faceOf(x: number, y: number, z: number): number {
  const ax = Math.abs(x);
  const ay = Math.abs(y);
  const az = Math.abs(z);
  if (ax > ay) {
    if (ax > az) return x < 0 ? 3 : 0;
  } else if (ay > az) return y < 0 ? 4 : 1;
  return z < 0 ? 5 : 2;
}

function uvOf(face: number, x: number, y: number, z: number): readonly [number, number] {
  switch (face) {
    case 0:
      return [y / x, z / x];
    case 1:
      return [-x / y, z / y];
    case 2:
      return [-x / z, -y / z];
    case 3:
      return [z / x, y / x];
    case 4:
      return [z / y, -x / y];
    default:
      return [-y / z, -x / z];
  }
}

/** Index of the leaf column or row that a face coordinate (-1 to 1) falls in. */
function leafIndex(u: number): number {
  const s = u >= 0 ? 0.5 * Math.sqrt(1 + 3 * u) : 1 - 0.5 * Math.sqrt(1 - 3 * u);
  return Math.max(0, Math.min(LEAVES - 1, Math.floor(s * LEAVES)));
}
