import test from 'ava';
import fc from 'fast-check';
import { type GeoShape, isWithin, shapeOf } from '../../../src/data/geo/containment.js';

const EARTH_RADIUS_METERS = 6_371_000;

function shape(value: unknown): GeoShape {
  const bytes = Buffer.from(JSON.stringify(value));
  const made = shapeOf(bytes, 0, bytes.length);
  if (made === undefined) throw new Error(`no geometry: ${JSON.stringify(value)}`);
  return made;
}

type Point = readonly [longitude: number, latitude: number];

const point = (coordinates: Point): GeoShape => shape({ type: 'Point', coordinates });
const circle = (center: Point, radius: number): GeoShape =>
  shape({ type: 'AeroCircle', coordinates: [center, radius] });
const polygon = (...loops: readonly (readonly Point[])[]): GeoShape =>
  shape({ type: 'Polygon', coordinates: loops });

const position = fc.tuple(
  fc.double({ min: -179, max: 179, noNaN: true }),
  fc.double({ min: -89, max: 89, noNaN: true }),
);

/** Along the sphere, meters. */
function distance([aLng, aLat]: Point, [bLng, bLat]: Point): number {
  const rad = Math.PI / 180;
  const h =
    Math.sin(((bLat - aLat) * rad) / 2) ** 2 +
    Math.cos(aLat * rad) * Math.cos(bLat * rad) * Math.sin(((bLng - aLng) * rad) / 2) ** 2;
  return 2 * EARTH_RADIUS_METERS * Math.asin(Math.min(1, Math.sqrt(h)));
}

test('a circle contains what is no farther than its radius', t => {
  fc.assert(
    fc.property(position, position, fc.double({ min: 1, max: 2e7, noNaN: true }), (center, other, radius) => {
      const far = distance(center, other);
      if (Math.abs(far - radius) < 1) return; // a point is as exact as its cell
      t.is(isWithin(point(other), circle(center, radius)), far < radius);
    }),
    { numRuns: 500 },
  );
});

test('a polygon contains a point between its edges, whichever way it is wound, and not one in a hole', t => {
  const outer: readonly Point[] = [
    [0, 0],
    [10, 0],
    [10, 10],
    [0, 10],
    [0, 0],
  ];
  const hole: readonly Point[] = [
    [4, 4],
    [6, 4],
    [6, 6],
    [4, 6],
    [4, 4],
  ];
  for (const shell of [outer, outer.toReversed()]) {
    t.true(isWithin(point([5, 5]), polygon(shell)));
    t.true(isWithin(polygon(shell), point([9.9, 0.1])));
    t.false(isWithin(point([10.5, 5]), polygon(shell)));
    t.false(isWithin(point([5, 5]), polygon(shell, hole)));
    t.true(isWithin(point([3, 5]), polygon(shell, hole)));
  }
  const two = shape({
    type: 'MultiPolygon',
    coordinates: [[outer], [outer.map(([lng, lat]) => [lng + 20, lat])]],
  });
  t.true(isWithin(point([25, 5]), two));
  t.false(isWithin(point([15, 5]), two));
});

test('two points, or two regions, contain nothing of each other', t => {
  t.false(isWithin(point([1, 1]), point([1, 1])));
  t.false(isWithin(circle([1, 1], 10), circle([1, 1], 100)));
});

test('text that is no geometry has no shape', t => {
  const bytes = Buffer.from('{"type":"LineString","coordinates":[[1,2],[3,4]]}');
  t.is(shapeOf(bytes, 0, bytes.length), undefined);
  t.is(shapeOf(bytes, 0, 0), undefined);
});
