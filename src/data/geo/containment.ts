/**
 * Whether a region contains a point: what filters ask and queries check again. Source: protocol 17, sections 4 and 5.
 * A point is the centre of its leaf cell, within a centimetre of what was written.
 */
import { leafCenter } from './cell.js';
import { parseGeoJson } from './geojson.js';
import { type Region, regionOf } from './region.js';
import type { Vector } from './sphere.js';

/** A geometry made ready for such questions. */
export interface GeoShape {
  /** Where it is; undefined for a region. */
  readonly point: Vector | undefined;
  /** undefined for a point. */
  readonly region: Region | undefined;
}

/** @param bytes hold GeoJSON text, `size` bytes from `at`; not kept. @returns undefined when it is not acceptable. */
export function shapeOf(bytes: Uint8Array, at: number, size: number): GeoShape | undefined {
  const geometry = parseGeoJson(bytes, at, size);
  if (geometry === undefined) return undefined;
  return geometry.kind === 'point'
    ? { point: leafCenter(geometry.at), region: undefined }
    : { point: undefined, region: regionOf(geometry) };
}

/** Whether one of the two is a region that contains the other, a point. */
export function isWithin(a: GeoShape, b: GeoShape): boolean {
  if (a.point !== undefined) return b.region?.contains(a.point) === true;
  return b.point !== undefined && a.region?.contains(b.point) === true;
}
