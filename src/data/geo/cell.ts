/**
 * S2 cells: the sphere is projected on the six faces of a cube, each face is quartered again and again, and a
 * Hilbert curve numbers the quarters. A cell id is 64 bits, `face (3) · two bits a level · 1 · zeroes`: the
 * lowest set bit tells the level, and the ids of a cell's descendants are those around its own.
 * Source: protocol 17, section 3.
 */
import type { Position } from './geojson.js';
import { pointOf, unit, type Vector } from './sphere.js';

/** Level of the smallest cells, the leaves; a face is level 0. */
export const LEVEL_MAX = 30;
export const FACE_COUNT = 6;
const LEAVES = 2 ** LEVEL_MAX; // along one edge of a face
/** Lowest set bit of the id of a face. */
export const FACE_BIT = 1n << 60n;

/** Quadrant 2i + j at each of the four positions of the curve, by orientation (bit 0: swapped, bit 1: inverted). */
const QUADRANT: readonly (readonly number[])[] = [
  [0, 1, 3, 2],
  [0, 2, 3, 1],
  [3, 2, 0, 1],
  [3, 1, 0, 2],
];
/** What the orientation changes by (xor) inside the quadrant at that position. */
const TURN: readonly number[] = [1, 0, 0, 3];

/** One cell with its place on its face: (i, j) counts leaves, (u, v) are the face's coordinates, -1 to 1. */
export class Cell {
  readonly face: number;
  readonly level: number;
  readonly id: bigint;
  readonly uMin: number;
  readonly uMax: number;
  readonly vMin: number;
  readonly vMax: number;
  readonly #i: number;
  readonly #j: number;
  readonly #size: number; // leaves along an edge
  readonly #orientation: number;

  private constructor(face: number, level: number, i: number, j: number, orientation: number, id: bigint) {
    const size = 2 ** (LEVEL_MAX - level);
    this.face = face;
    this.level = level;
    this.id = id;
    this.uMin = faceCoordinate(i);
    this.uMax = faceCoordinate(i + size);
    this.vMin = faceCoordinate(j);
    this.vMax = faceCoordinate(j + size);
    this.#i = i;
    this.#j = j;
    this.#size = size;
    this.#orientation = orientation;
  }

  /** A whole face of the cube, 0 to 5. */
  static ofFace(face: number): Cell {
    return new Cell(face, 0, 0, 0, face & 1, (BigInt(face) << 61n) | FACE_BIT);
  }

  /** The cell of a level that leaf (i, j) of a face is in. */
  static containing(face: number, i: number, j: number, level: number): Cell {
    let orientation = face & 1;
    let curve = 0n;
    for (let k = LEVEL_MAX - 1; k >= LEVEL_MAX - level; k--) {
      const position = QUADRANT[orientation]!.indexOf(((i >>> k) & 1) * 2 + ((j >>> k) & 1));
      curve = curve * 4n + BigInt(position);
      orientation ^= TURN[position]!;
    }
    const bit = 1n << BigInt(2 * (LEVEL_MAX - level));
    const id = (BigInt(face) << 61n) | (curve * 2n * bit) | bit;
    const size = 2 ** (LEVEL_MAX - level);
    return new Cell(face, level, i - (i % size), j - (j % size), orientation, id);
  }

  /** The four quarters, in the order of the curve. A leaf has none: do not ask it. */
  children(): Cell[] {
    const half = this.#size / 2;
    const ids = childIds(this.id);
    return QUADRANT[this.#orientation]!.map((quadrant, position) => {
      const i = this.#i + (quadrant >> 1) * half;
      const j = this.#j + (quadrant & 1) * half;
      return new Cell(this.face, this.level + 1, i, j, this.#orientation ^ TURN[position]!, ids[position]!);
    });
  }

  center(): Vector {
    const half = this.#size / 2;
    return unit(fromFace(this.face, faceCoordinate(this.#i + half), faceCoordinate(this.#j + half)));
  }

  /** The corners counterclockwise, from (uMin, vMin). */
  corners(): Vector[] {
    return [
      unit(fromFace(this.face, this.uMin, this.vMin)),
      unit(fromFace(this.face, this.uMax, this.vMin)),
      unit(fromFace(this.face, this.uMax, this.vMax)),
      unit(fromFace(this.face, this.uMin, this.vMax)),
    ];
  }

  /** Normals of the planes through the edges, pointing into the cell; edge k starts at corner k. */
  inwardNormals(): Vector[] {
    const f = this.face;
    const zero = fromFace(f, 0, 0);
    const uAxis = minus(fromFace(f, 1, 0), zero);
    const vAxis = minus(fromFace(f, 0, 1), zero);
    return [
      combine(vAxis, 1, zero, -this.vMin), // v - vMin · w >= 0, and so on
      combine(uAxis, -1, zero, this.uMax),
      combine(vAxis, -1, zero, this.vMax),
      combine(uAxis, 1, zero, -this.uMin),
    ];
  }

  /** Whether a point lies in the cell or on its edge, or so near that its leaf, rounded, is in the cell. */
  contains(point: Vector): boolean {
    const [u, v, w] = toFace(this.face, point);
    if (w <= 0) return false;
    const rounding = Number.EPSILON;
    return (
      u / w >= this.uMin - rounding &&
      u / w <= this.uMax + rounding &&
      v / w >= this.vMin - rounding &&
      v / w <= this.vMax + rounding
    );
  }
}

/**
 * The cells of a level, 29 at most, around that corner of them which is nearest to a point: the one that contains it, then those
 * beside it along i and j, and the one across. Three of them at a corner of the cube.
 */
export function cellsAround(point: Vector, level: number): Cell[] {
  const face = faceOf(point);
  const [u, v, w] = toFace(face, point);
  const i = leafIndex(u / w);
  const j = leafIndex(v / w);
  const size = 2 ** (LEVEL_MAX - level);
  const iStep = i % size >= size / 2 ? size : -size;
  const jStep = j % size >= size / 2 ? size : -size;
  const places: [number, number][] = [
    [i, j],
    [i + iStep, j],
    [i, j + jStep],
  ];
  if (isOnFace(i + iStep) || isOnFace(j + jStep)) places.push([i + iStep, j + jStep]);
  return places.map(([a, b]) => cellAt(face, a, b, level));
}

function isOnFace(index: number): boolean {
  return index >= 0 && index < LEAVES;
}

/** The cell of a level at a place that may lie beside the face: then it is on the next one. */
function cellAt(face: number, i: number, j: number, level: number): Cell {
  if (isOnFace(i) && isOnFace(j)) return Cell.containing(face, i, j, level);
  // The next face begins there: how far the place is beyond the edge does not count, nor do the lines' distances.
  const beside = (index: number): number => (2 * Math.max(-1, Math.min(LEAVES, index)) + 1) / LEAVES - 1;
  const point = fromFace(face, beside(i), beside(j));
  const next = faceOf(point);
  const [u, v, w] = toFace(next, point);
  const leaf = (x: number): number => Math.max(0, Math.min(LEAVES - 1, Math.floor((LEAVES / 2) * (x + 1))));
  return Cell.containing(next, leaf(u / w), leaf(v / w), level);
}

/** Id of the leaf cell that contains a position. */
export function leafId(position: Position): bigint {
  const point = pointOf(position);
  const face = faceOf(point);
  const [u, v, w] = toFace(face, point);
  const i = leafIndex(u / w);
  const j = leafIndex(v / w);
  let orientation = face & 1;
  let upper = 0; // the first 15 of the 30 base-4 digits, then the others
  let lower = 0;
  for (let k = LEVEL_MAX - 1; k >= 0; k--) {
    const position = QUADRANT[orientation]!.indexOf(((i >>> k) & 1) * 2 + ((j >>> k) & 1));
    if (k >= 15) upper = upper * 4 + position;
    else lower = lower * 4 + position;
    orientation ^= TURN[position]!;
  }
  return (BigInt(face) << 61n) | (BigInt(upper) << 31n) | BigInt(lower * 2 + 1);
}

/** The center of the leaf cell that contains a position. */
export function leafCenter(position: Position): Vector {
  const point = pointOf(position);
  const face = faceOf(point);
  const [u, v, w] = toFace(face, point);
  const center = (index: number) => faceCoordinate(index + 0.5);
  return unit(fromFace(face, center(leafIndex(u / w)), center(leafIndex(v / w))));
}

/** The lowest set bit, which tells the level: 2^(2(30 - level)). */
export function levelBit(id: bigint): bigint {
  return id & -id;
}

/** Id of the ancestor whose lowest set bit is `bit`. */
export function ancestorId(id: bigint, bit: bigint): bigint {
  return (id & -bit) | bit;
}

/** Ids of the four quarters of a cell that is no leaf. */
export function childIds(id: bigint): bigint[] {
  const bit = levelBit(id);
  const quarter = bit >> 2n;
  return [1n, 3n, 5n, 7n].map(n => id - bit + n * quarter);
}

/** Turns a point to a face's own axes: u and v along the face, w out of it; (u / w, v / w) is its place on the face. */
export function toFace(face: number, [x, y, z]: Vector): Vector {
  switch (face) {
    case 0:
      return [y, z, x];
    case 1:
      return [-x, z, y];
    case 2:
      return [-x, -y, z];
    case 3:
      return [-z, -y, -x];
    case 4:
      return [-z, x, -y];
    default:
      return [y, x, -z];
  }
}

/** The point of the cube at a place of a face; the way back from `toFace`, not of unit length. */
function fromFace(face: number, u: number, v: number): Vector {
  switch (face) {
    case 0:
      return [1, u, v];
    case 1:
      return [-u, 1, v];
    case 2:
      return [-u, -v, 1];
    case 3:
      return [-1, -v, -u];
    case 4:
      return [v, -1, -u];
    default:
      return [v, u, -1];
  }
}

/** The axis with the largest component, plus 3 where that is negative. */
function faceOf([x, y, z]: Vector): number {
  const ax = Math.abs(x);
  const ay = Math.abs(y);
  const az = Math.abs(z);
  if (ax > ay) {
    if (ax > az) return x < 0 ? 3 : 0;
  } else if (ay > az) return y < 0 ? 4 : 1;
  return z < 0 ? 5 : 2;
}

/** Face coordinate (-1 to 1) of the line before leaf `index`; the quadratic makes cells nearly equal in area. */
function faceCoordinate(index: number): number {
  const s = index / LEAVES;
  return s >= 0.5 ? (1 / 3) * (4 * s * s - 1) : (1 / 3) * (1 - 4 * (1 - s) * (1 - s));
}

/** Index of the leaf column or row that a face coordinate falls in. */
function leafIndex(u: number): number {
  const s = u >= 0 ? 0.5 * Math.sqrt(1 + 3 * u) : 1 - 0.5 * Math.sqrt(1 - 3 * u);
  return Math.max(0, Math.min(LEAVES - 1, Math.floor(s * LEAVES)));
}

function minus(a: Vector, b: Vector): Vector {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

function combine(a: Vector, m: number, b: Vector, n: number): Vector {
  return [a[0] * m + b[0] * n, a[1] * m + b[1] * n, a[2] * m + b[2] * n];
}
