/**
 * GeoJSON text as bins accept it: Point, Polygon, MultiPolygon, the extension AeroCircle, and a Feature around
 * one of these. Source: protocol 17, section 2. Away from the hot path: it parses into plain objects.
 */
/** Degrees, as GeoJSON orders them. */
export interface Position {
  readonly longitude: number;
  readonly latitude: number;
}

/** A closed ring of positions: consecutive duplicates are gone, and the last one, equal to the first, too. */
export type Loop = readonly Position[];

export type Geometry =
  | { readonly kind: 'point'; readonly at: Position }
  | { readonly kind: 'circle'; readonly center: Position; readonly radiusMeters: number }
  /** One entry a polygon; its loops are shells and holes by nesting parity. */
  | { readonly kind: 'polygons'; readonly polygons: readonly (readonly Loop[])[] };

/** Positions in the array of a loop, the closing one included. */
const LOOP_POSITIONS_MIN = 4;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses and checks GeoJSON text.
 * @param bytes holds the text, `size` bytes of UTF-8 from `at`.
 * @returns The geometry (a Feature's own), or undefined when the text is no JSON or no shape that is accepted.
 */
export function parseGeoJson(bytes: Uint8Array, at: number, size: number): Geometry | undefined {
  const object = parseObject(bytes, at, size);
  if (object === undefined) return undefined;
  if (object.type !== 'Feature') return geometryOf(object);
  const geometry = object.geometry;
  return isObject(geometry) ? geometryOf(geometry) : undefined;
}

type JsonObject = Readonly<Record<string, unknown>>;

function parseObject(bytes: Uint8Array, at: number, size: number): JsonObject | undefined {
  try {
    const text = new Uint8Array(size); // a copy, since the decoder refuses views of shared memory
    text.set(bytes.subarray(at, at + size));
    const value: unknown = JSON.parse(decoder.decode(text));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined; // Text that is no UTF-8 or no JSON is an expected outcome here, not an error.
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function geometryOf(object: JsonObject): Geometry | undefined {
  const coordinates = object.coordinates;
  switch (object.type) {
    case 'Point': {
      const at = positionOf(coordinates);
      return at && { kind: 'point', at };
    }
    case 'AeroCircle':
      return circleOf(coordinates);
    case 'Polygon': {
      const polygon = listOf(coordinates, loopOf);
      return polygon && { kind: 'polygons', polygons: [polygon] };
    }
    case 'MultiPolygon': {
      const polygons = listOf(coordinates, value => listOf(value, loopOf));
      return polygons && { kind: 'polygons', polygons };
    }
    default:
      return undefined;
  }
}

function circleOf(value: unknown): Geometry | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const center = positionOf(value[0]);
  const radiusMeters: unknown = value[1];
  if (center === undefined || typeof radiusMeters !== 'number' || !Number.isFinite(radiusMeters))
    return undefined;
  return { kind: 'circle', center, radiusMeters };
}

function loopOf(value: unknown): Loop | undefined {
  const positions = listOf(value, positionOf);
  if (positions === undefined) return undefined;
  const loop = positions.filter((position, k) => k === 0 || !isSame(position, positions[k - 1]!));
  if (loop.length < LOOP_POSITIONS_MIN || !isSame(loop[0]!, loop.at(-1)!)) return undefined;
  return loop.slice(0, -1);
}

function positionOf(value: unknown): Position | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const longitude: unknown = value[0];
  const latitude: unknown = value[1];
  if (typeof longitude !== 'number' || typeof latitude !== 'number') return undefined;
  return Math.abs(longitude) <= 180 && Math.abs(latitude) <= 90 ? { longitude, latitude } : undefined;
}

/** Applies `itemOf` to every item of an array; undefined when it is no array or one item is refused. */
function listOf<T>(value: unknown, itemOf: (item: unknown) => T | undefined): readonly T[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const items: T[] = [];
  for (const raw of value) {
    const item = itemOf(raw);
    if (item === undefined) return undefined;
    items.push(item);
  }
  return items;
}

function isSame(a: Position, b: Position): boolean {
  return a.longitude === b.longitude && a.latitude === b.latitude;
}
