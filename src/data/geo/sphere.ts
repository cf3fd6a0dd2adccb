/**
 * Points and edges on the unit sphere. Which side of an edge a point lies on is decided exactly, and three points
 * on one great circle are decided as if each were moved by an infinitesimal of its own (simulation of
 * simplicity: Edelsbrunner and Mücke, 1990). So the answers never contradict each other, and whether a point
 * lies in a polygon does not depend on the path by which one finds out.
 */
import type { Position } from './geojson.js';

/** A vector of three components; of unit length where it is a point of the sphere. */
export type Vector = readonly [x: number, y: number, z: number];

/** Largest error of a determinant of three unit vectors in double arithmetic, rounded up. */
const DETERMINANT_ERROR = 4.1e-16;

/** The point of a position in degrees. */
export function pointOf({ longitude, latitude }: Position): Vector {
  const theta = longitude * (Math.PI / 180);
  const phi = latitude * (Math.PI / 180);
  const cosPhi = Math.cos(phi);
  return [Math.cos(theta) * cosPhi, Math.sin(theta) * cosPhi, Math.sin(phi)];
}

export function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

export function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

export function unit(a: Vector): Vector {
  const length = Math.hypot(a[0], a[1], a[2]);
  return [a[0] / length, a[1] / length, a[2] / length];
}

export function negate(a: Vector): Vector {
  return [-a[0], -a[1], -a[2]];
}

export function isSame(a: Vector, b: Vector): boolean {
  return a[0] === b[0] && a[1] === b[1] && a[2] === b[2];
}

/** 1 when a, b, c turn counterclockwise seen from outside, -1 when clockwise, 0 only when two of them are the same. */
export function orientation(a: Vector, b: Vector, c: Vector): number {
  const determinant = dot(cross(a, b), c);
  if (determinant > DETERMINANT_ERROR) return 1;
  if (determinant < -DETERMINANT_ERROR) return -1;
  if (isSame(a, b) || isSame(b, c) || isSame(c, a)) return 0;
  return exactOrientation(a, b, c);
}

/** Whether a, b, c, all different from o, are met in this order when one turns counterclockwise around o. */
export function isOrdered(a: Vector, b: Vector, c: Vector, o: Vector): boolean {
  let count = 0;
  if (orientation(b, o, a) >= 0) count++;
  if (orientation(c, o, b) >= 0) count++;
  if (orientation(a, o, c) > 0) count++;
  return count >= 2;
}

/**
 * Whether passing along the arc ab changes the side with respect to the edge cd. The two cross in their insides,
 * or share an end in such a way that, around each vertex of a closed loop, exactly the changes of side count.
 */
export function changesSide(a: Vector, b: Vector, c: Vector, d: Vector): boolean {
  if (isSame(a, b) || isSame(c, d)) return false;
  if (isSame(a, d)) return isSame(b, c) || isOrdered(direction(a), c, b, a);
  if (isSame(b, c)) return isOrdered(direction(b), d, a, b);
  if (isSame(a, c)) return isSame(b, d) || isOrdered(direction(a), d, b, a);
  if (isSame(b, d)) return isOrdered(direction(b), c, a, b);
  const turn = orientation(a, c, b);
  return orientation(b, d, a) === turn && orientation(c, b, d) === turn && orientation(d, a, c) === turn;
}

/** A direction at a point that depends on nothing but the point; which one is arbitrary, but never an edge's. */
export function direction(a: Vector): Vector {
  const [x, y, z] = [Math.abs(a[0]), Math.abs(a[1]), Math.abs(a[2])];
  const largest = x > y ? (x > z ? 0 : 2) : y > z ? 1 : 2;
  const other: [number, number, number] = [0.012, 0.0053, 0.00457];
  other[largest === 0 ? 2 : largest - 1] = 1;
  return unit(cross(a, other));
}

type Exact = readonly [bigint, bigint, bigint];

function exactOrientation(a: Vector, b: Vector, c: Vector): number {
  // The perturbations are ranked by the points' own order; sorting them flips the sign for every swap.
  const points = [a, b, c];
  let sign = 1;
  const order = (k: number) => {
    if (isLess(points[k + 1]!, points[k]!)) {
      [points[k], points[k + 1]] = [points[k + 1]!, points[k]!];
      sign = -sign;
    }
  };
  order(0);
  order(1);
  order(0);
  const least = Math.min(...points.flatMap(point => point.map(exponentOf)));
  const [x, y, z] = points.map(point => point.map(value => exact(value, least))) as unknown as [
    Exact,
    Exact,
    Exact,
  ];
  const yz: Exact = [y[1] * z[2] - y[2] * z[1], y[2] * z[0] - y[0] * z[2], y[0] * z[1] - y[1] * z[0]];
  // The determinant, then the coefficients of its expansion in ever smaller perturbations.
  const terms = [
    x[0] * yz[0] + x[1] * yz[1] + x[2] * yz[2],
    yz[2],
    yz[1],
    yz[0],
    z[0] * x[1] - z[1] * x[0],
    z[0],
    -z[1],
    z[2] * x[0] - z[0] * x[2],
    z[2],
    x[0] * y[1] - x[1] * y[0],
    -y[0],
    y[1],
    x[0],
  ];
  const decisive = terms.find(term => term !== 0n) ?? 1n;
  return decisive > 0n ? sign : -sign;
}

function isLess(a: Vector, b: Vector): boolean {
  if (a[0] !== b[0]) return a[0] < b[0];
  if (a[1] !== b[1]) return a[1] < b[1];
  return a[2] < b[2];
}

const bits = new DataView(new ArrayBuffer(8));

/** Exponent field of a double, subnormals counted as 1: its last bit is worth 2^(field - 1075). Zero has any. */
function exponentOf(value: number): number {
  if (value === 0) return 0x7ff;
  bits.setFloat64(0, value);
  return Math.max(1, (bits.getUint16(0) >>> 4) & 0x7ff);
}

/** A double as the integer that it is a multiple of 2^(least - 1075) of. */
function exact(value: number, least: number): bigint {
  if (value === 0) return 0n;
  const field = exponentOf(value);
  const high = bits.getUint32(0);
  const isNormal = ((high >>> 20) & 0x7ff) !== 0;
  const fraction = (BigInt(high & 0xf_ffff) << 32n) | BigInt(bits.getUint32(4));
  const magnitude = (isNormal ? fraction | (1n << 52n) : fraction) << BigInt(field - least);
  return value < 0 ? -magnitude : magnitude;
}
