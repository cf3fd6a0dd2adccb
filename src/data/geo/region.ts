/**
 * Regions of the sphere, cell by cell: a covering asks what part of a region lies in a cell, from large cells to
 * small ones, and hands each part back for the quarters. A polygon's part is the edges that touch the cell, so
 * that its cost falls with the cells. Source: protocol 17, sections 2 to 4, and the recorded coverings.
 */
import { type Cell, toFace } from './cell.js';
import type { Geometry, Loop } from './geojson.js';
import {
  changesSide,
  cross,
  direction,
  dot,
  isOrdered,
  negate,
  orientation,
  pointOf,
  type Vector,
} from './sphere.js';

export const EARTH_RADIUS_METERS = 6_371_000;

/** What of a region lies in a cell. */
export interface Part {
  /** The region contains the whole cell. */
  readonly isWhole: boolean;
}

export interface Region {
  /**
   * What of the region lies in a cell, edges of both included; undefined when nothing does.
   * @param parent this region's part in the cell's parent; undefined for a face.
   */
  partIn(cell: Cell, parent: Part | undefined): Part | undefined;

  contains(point: Vector): boolean;

  /** The region itself, when it is all points within an angle (radians) of a center. */
  readonly cap: { readonly center: Vector; readonly angle: number } | undefined;
}

/** The region of a geometry that is no point. */
export function regionOf(geometry: Exclude<Geometry, { kind: 'point' }>): Region {
  if (geometry.kind === 'circle') {
    return new Cap(pointOf(geometry.center), geometry.radiusMeters / EARTH_RADIUS_METERS);
  }
  const polygons = geometry.polygons.map(loops => new Polygon(loops));
  return polygons.length === 1 ? polygons[0]! : new Union(polygons);
}

const SOME: Part = { isWhole: false };
const WHOLE: Part = { isWhole: true };

/** All points within an angle (radians) of a center. */
export class Cap implements Region {
  readonly #center: Vector;
  /** Square of the chord from the center to the rim; negative when the cap is empty, 4 for the whole sphere. */
  readonly #chord2: number;

  constructor(center: Vector, angle: number) {
    this.#center = center;
    const half = Math.sin(Math.min(angle, Math.PI) / 2);
    this.#chord2 = angle < 0 ? -1 : 4 * half * half;
  }

  get cap(): { readonly center: Vector; readonly angle: number } {
    const angle = this.#chord2 < 0 ? -1 : 2 * Math.asin(Math.sqrt(this.#chord2) / 2);
    return { center: this.#center, angle };
  }

  contains(point: Vector): boolean {
    const [x, y, z] = this.#center;
    const chord: Vector = [point[0] - x, point[1] - y, point[2] - z];
    return dot(chord, chord) <= this.#chord2;
  }

  partIn(cell: Cell): Part | undefined {
    const corners = cell.corners();
    const height = this.#chord2 / 2; // of the cap above the plane of its rim
    const count = corners.filter(corner => this.contains(corner)).length;
    if (count === 0) return meetsInside(this.#center, height, cell, corners) ? SOME : undefined;
    if (count < corners.length) return SOME;
    return meetsInside(negate(this.#center), 2 - height, cell, corners) ? SOME : WHOLE;
  }
}

/** Whether a cap that contains none of a cell's corners meets the cell all the same: with its center, or across an edge. */
function meetsInside(center: Vector, height: number, cell: Cell, corners: readonly Vector[]): boolean {
  if (height < 0 || height >= 1) return false; // From a hemisphere on its complement is convex, as the cell is.
  if (cell.contains(center)) return true;
  const sin2 = height * (2 - height);
  const normals = cell.inwardNormals();
  for (let k = 0; k < 4; k++) {
    const normal = normals[k]!;
    const distance = dot(center, normal);
    if (distance > 0) continue; // the center is on the inner side of this edge
    if (distance * distance > sin2 * dot(normal, normal)) return false; // all of the cap is on the outer side
    // The rim crosses the edge's great circle: does it do so between the two corners?
    const along = cross(normal, center);
    if (dot(along, corners[k]!) < 0 && dot(along, corners[(k + 1) & 3]!) > 0) return true;
  }
  return false;
}

/** A part of a polygon: the edges that touch the cell, and for one point of the cell on which side it is. */
interface PolygonPart extends Part {
  readonly edges: readonly number[];
  readonly point: Vector;
  readonly isInside: boolean;
}

/** A point in general position, near a pole, from which the first count of crossed edges starts. */
const ORIGIN: Vector = [-0.0099994664350250197, 0.0025924542609324121, 0.99994664350250195];

/** An edge touches a cell that it passes at this distance (face coordinates), since its own place is rounded. */
const TOUCH = 2.4e-15;

/** Loops whose inside is what an odd number of them encloses. Each encloses at most half of the sphere. */
export class Polygon implements Region {
  /** Edge k goes from `starts[k]` to `ends[k]`; all loops together. */
  readonly #starts: Vector[] = [];
  readonly #ends: Vector[] = [];
  readonly #all: readonly number[];
  readonly cap = undefined;
  #isOriginInside = false;

  constructor(loops: readonly Loop[]) {
    for (const loop of loops) this.#add(counterclockwise(loop.map(pointOf)));
    this.#all = this.#starts.map((_, edge) => edge);
  }

  contains(point: Vector): boolean {
    return this.#isInside(point, ORIGIN, this.#isOriginInside, this.#all);
  }

  partIn(cell: Cell, parent: PolygonPart | undefined): PolygonPart | undefined {
    const candidates = parent?.edges ?? this.#all;
    const edges = candidates.filter(edge => touches(this.#starts[edge]!, this.#ends[edge]!, cell));
    const point = cell.center();
    // The way from the parent's point stays in the parent, so that no other edge can cross it.
    const isInside = this.#isInside(
      point,
      parent?.point ?? ORIGIN,
      parent?.isInside ?? this.#isOriginInside,
      candidates,
    );
    if (edges.length === 0 && !isInside) return undefined;
    return { isWhole: edges.length === 0, edges, point, isInside };
  }

  #add(loop: readonly Vector[]): void {
    const first = this.#starts.length;
    for (const [k, vertex] of loop.entries()) {
      this.#starts.push(vertex);
      this.#ends.push(loop[(k + 1) % loop.length]!);
    }
    const edges = loop.map((_, k) => first + k);
    // The second vertex is inside by the rule for vertices when the direction chosen there points inside.
    const vertex = loop[1]!;
    const isVertexInside = isOrdered(direction(vertex), loop[0]!, loop[2]!, vertex);
    if (isVertexInside !== this.#isInside(vertex, ORIGIN, false, edges)) {
      this.#isOriginInside = !this.#isOriginInside;
    }
  }

  /** Whether a point is inside, knowing that of another one and the edges that can lie between. */
  #isInside(point: Vector, from: Vector, isFromInside: boolean, edges: readonly number[]): boolean {
    let isInside = isFromInside;
    for (const edge of edges) {
      if (changesSide(from, point, this.#starts[edge]!, this.#ends[edge]!)) isInside = !isInside;
    }
    return isInside;
  }
}

interface UnionPart extends Part {
  readonly parts: readonly (Part | undefined)[];
}

/** All points of any of its regions. */
class Union implements Region {
  readonly cap = undefined;
  readonly #regions: readonly Region[];

  constructor(regions: readonly Region[]) {
    this.#regions = regions;
  }

  contains(point: Vector): boolean {
    return this.#regions.some(region => region.contains(point));
  }

  partIn(cell: Cell, parent: UnionPart | undefined): UnionPart | undefined {
    const parts = this.#regions.map((region, k) =>
      parent === undefined || parent.parts[k] !== undefined
        ? region.partIn(cell, parent?.parts[k])
        : undefined,
    );
    if (parts.every(part => part === undefined)) return undefined;
    return { isWhole: parts.some(part => part?.isWhole === true), parts };
  }
}

/** The loop in the direction in which its inside, to the left, is the smaller side. */
function counterclockwise(loop: readonly Vector[]): readonly Vector[] {
  let turning = 0; // 2π minus the area to the left
  for (const [k, vertex] of loop.entries()) {
    const before = loop[(k + loop.length - 1) % loop.length]!;
    const after = loop[(k + 1) % loop.length]!;
    const [incoming, outgoing] = [cross(before, vertex), cross(vertex, after)];
    const turn = cross(incoming, outgoing);
    const angle = Math.atan2(Math.hypot(turn[0], turn[1], turn[2]), dot(incoming, outgoing));
    turning += orientation(before, vertex, after) > 0 ? angle : -angle;
  }
  return turning < 0 ? loop.toReversed() : loop;
}

let clipFrom = 0; // of the edge, 0 at its start and 1 at its end
let clipTo = 1;

/** Whether any point of an edge lies in a cell or on its border. */
function touches(start: Vector, end: Vector, cell: Cell): boolean {
  const [au, av, aw] = toFace(cell.face, start);
  const [bu, bv, bw] = toFace(cell.face, end);
  const uMin = cell.uMin - TOUCH;
  const uMax = cell.uMax + TOUCH;
  const vMin = cell.vMin - TOUCH;
  const vMax = cell.vMax + TOUCH;
  clipFrom = 0;
  clipTo = 1;
  return (
    clip(aw, bw) &&
    clip(au - uMin * aw, bu - uMin * bw) &&
    clip(uMax * aw - au, uMax * bw - bu) &&
    clip(av - vMin * aw, bv - vMin * bw) &&
    clip(vMax * aw - av, vMax * bw - bv)
  );
}

/** Cuts off what of the edge has a negative value, given the values at both ends. @returns Whether any of it is left. */
function clip(atStart: number, atEnd: number): boolean {
  if (atStart >= 0 && atEnd >= 0) return true;
  if (atStart < 0 && atEnd < 0) return false;
  const t = atStart / (atStart - atEnd);
  if (atStart < 0) clipFrom = Math.max(clipFrom, t);
  else clipTo = Math.min(clipTo, t);
  return clipFrom <= clipTo;
}
