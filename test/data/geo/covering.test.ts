import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { ancestorId, leafId, levelBit } from '../../../src/data/geo/cell.js';
import { coveringOf, STORED_LIMITS } from '../../../src/data/geo/covering.js';
import { type Geometry, type Loop, type Position, parseGeoJson } from '../../../src/data/geo/geojson.js';
import { Cap, Polygon, regionOf } from '../../../src/data/geo/region.js';
import { changesSide, orientation, pointOf, unit, type Vector } from '../../../src/data/geo/sphere.js';

/** Regions of bins that the reference returned, with the cells that it returned before the text. */
const recorded = JSON.parse(
  readFileSync(new URL('../../../../test/vectors/data/coverings.json', import.meta.url), 'utf8'),
) as readonly { readonly text: string; readonly cells: readonly string[]; readonly origin: string }[];

/** The same of the recorded query scenes: flags 1, a count, so many cells, and the text. */
function regionsOfScenes(): Map<string, readonly string[]> {
  const file = new URL('../../../../test/vectors/query.jsonl.gz', import.meta.url);
  const scenes = gunzipSync(readFileSync(file)).toString();
  const regions = new Map<string, readonly string[]>();
  for (const [, count, cells, text] of scenes.matchAll(
    /01(00[01][0-9a-f])((?:[0-9a-f]{16})+?)(7b22[0-9a-f]*?7d)/g,
  )) {
    const ids = cells!.match(/.{16}/g)!;
    if (ids.length !== Number.parseInt(count!, 16)) continue;
    regions.set(Buffer.from(text!, 'hex').toString(), ids);
  }
  return regions;
}

const hex = (id: bigint) => id.toString(16).padStart(16, '0');
const at = (longitude: number, latitude: number): Position => ({ longitude, latitude });
const loop = (...positions: readonly (readonly [number, number])[]): Loop =>
  positions.map(([x, y]) => at(x, y));

function isCovered(position: Position, cells: readonly bigint[]): boolean {
  const leaf = leafId(position);
  return cells.some(cell => ancestorId(leaf, levelBit(cell)) === cell);
}

test('all regions of the recorded query scenes are covered by the cells that the reference answered', t => {
  const regions = regionsOfScenes();
  t.true(regions.size > 150, String(regions.size));
  for (const [text, cells] of regions) {
    const bytes = Buffer.from(text);
    const geometry = parseGeoJson(bytes, 0, bytes.length);
    if (geometry === undefined || geometry.kind === 'point') return t.fail(text);
    t.deepEqual(coveringOf(regionOf(geometry), STORED_LIMITS).map(hex), cells, text);
  }
  return t.pass();
});

test('caps of every size, at corners and edges of the cube too, are covered to their rims', t => {
  const places: [number, number][] = [
    ...([
      [0, 90],
      [10, -90],
      [45, 35.26438968275466],
      [-135, -35.26],
      [180, 0],
      [-180, 12],
    ] as const),
    ...([
      [45, 0],
      [135, 20],
      [-45, -40],
      [0, 45],
      [90, 44.999],
      [179.9999, 89.9],
    ] as const),
  ].map(([x, y]) => [x, y]);
  for (const [longitude, latitude] of places) {
    for (const angle of [0, 1e-9, 1e-6, 1e-3, 0.1, 0.5, 1, 1.5, 2, 3, 3.2]) {
      const center = pointOf(at(longitude, latitude));
      const cells = coveringOf(new Cap(center, angle), STORED_LIMITS);
      t.true(cells.length >= 1 && cells.length <= 24, `${longitude} ${latitude} ${angle}: ${cells.length}`);
      t.deepEqual(
        cells,
        [...new Set(cells)].sort((a, b) => (a < b ? -1 : 1)),
      );
      for (let k = 0; k < 12; k++) {
        const rim = rimPoint(center, Math.min(angle, Math.PI) * 0.999, (k * Math.PI) / 6);
        t.true(isCovered(rim, cells), `${longitude} ${latitude} ${angle} ${k}`);
      }
    }
  }
});

/** The position at an angle from a center, in one of all directions. */
function rimPoint(center: Vector, angle: number, direction: number): Position {
  const [x, y, z] = center;
  const a = unit(Math.abs(z) < 0.9 ? [y, -x, 0] : [0, z, -y]);
  const b: Vector = [y * a[2] - z * a[1], z * a[0] - x * a[2], x * a[1] - y * a[0]];
  const [s, c] = [Math.sin(angle), Math.cos(angle)];
  const [u, v, w] = [0, 1, 2].map(
    k => c * center[k]! + s * (Math.cos(direction) * a[k]! + Math.sin(direction) * b[k]!),
  ) as unknown as [number, number, number];
  return at((Math.atan2(v, u) * 180) / Math.PI, (Math.atan2(w, Math.hypot(u, v)) * 180) / Math.PI);
}

test('regions are covered by the cells that the reference recorded', t => {
  t.true(recorded.length >= 19);
  for (const { text, cells, origin } of recorded) {
    const bytes = Buffer.from(text);
    const geometry = parseGeoJson(bytes, 0, bytes.length);
    if (geometry === undefined || geometry.kind === 'point') {
      t.fail(`no region: ${text}`);
      continue;
    }
    t.deepEqual(coveringOf(regionOf(geometry), STORED_LIMITS).map(hex), cells, `${origin} ${text}`);
  }
});

test('a position falls into its S2 leaf cell', t => {
  for (const [latitude, longitude, id] of [
    [49.703498679, 11.770681595, '47a1cbd595522b39'],
    [55.685376759, 12.588490937, '46525318b63be0f9'],
    [45.486546517, -93.449700022, '52b30b71698e729d'],
    [1.308, 103.913, '31da180ab7f7a279'],
    [37.4, -122.1, '808fb0bb44a3d46b'],
    [0, 0, '1000000000000001'],
  ] as const) {
    t.is(hex(leafId({ latitude, longitude })), id);
  }
  t.is(hex(ancestorId(leafId(at(103.913, 1.308)), 1n << 40n)), '31da190000000000');
});

const longitude = fc.double({ min: -180, max: 180, noNaN: true });
const latitude = fc.double({ min: -90, max: 90, noNaN: true });
const anyPosition = fc.record({ longitude, latitude });

test('whatever a circle contains is in a cell of its covering', t => {
  const radius = fc.oneof(
    fc.double({ min: 0, max: 2e7, noNaN: true }),
    fc.double({ min: 0, max: 100, noNaN: true }),
  );
  fc.assert(
    fc.property(
      anyPosition,
      radius,
      fc.array(anyPosition, { maxLength: 20 }),
      (center, radiusMeters, others) => {
        const circle = { kind: 'circle', center, radiusMeters } as const;
        const cells = coveringOf(regionOf(circle), STORED_LIMITS);
        const cap = new Cap(pointOf(center), radiusMeters / 6_371_000);
        const inside = [center, ...others].filter(position => cap.contains(pointOf(position)));
        return cells.length <= 24 && inside.every(position => isCovered(position, cells));
      },
    ),
    { numRuns: 60 },
  );
  t.pass();
});

test('whatever a star-shaped polygon contains is in a cell of its covering, and a hole is not contained', t => {
  const star = fc.record({
    center: fc.record({
      longitude: fc.double({ min: -150, max: 150, noNaN: true }),
      latitude: fc.double({ min: -60, max: 60, noNaN: true }),
    }),
    radii: fc.array(fc.double({ min: 2, max: 20, noNaN: true }), { minLength: 3, maxLength: 12 }),
    isReversed: fc.boolean(),
  });
  const ring = (center: Position, radii: readonly number[], scale: number): Loop =>
    radii.map((radius, k) => {
      const angle = (2 * Math.PI * k) / radii.length;
      return at(
        center.longitude + scale * radius * Math.cos(angle),
        center.latitude + scale * radius * Math.sin(angle),
      );
    });
  fc.assert(
    fc.property(star, ({ center, radii, isReversed }) => {
      const shell = ring(center, radii, 1);
      const loops = [isReversed ? shell.toReversed() : shell];
      const polygon = new Polygon(loops);
      const cells = coveringOf(polygon, STORED_LIMITS);
      const samples = [0.05, 0.3, 0.6].flatMap(scale => [...ring(center, radii, scale)]);
      const inside = samples.filter(position => polygon.contains(pointOf(position)));
      const withHole = new Polygon([...loops, ring(center, radii, 0.5)]);
      const near = ring(center, radii, 0.05).filter(position => polygon.contains(pointOf(position)));
      return (
        inside.every(position => isCovered(position, cells)) &&
        shell.every(position => isCovered(position, cells)) &&
        near.every(
          position =>
            !withHole.contains(pointOf(position)) ||
            !new Polygon([ring(center, radii, 0.5)]).contains(pointOf(position)),
        )
      );
    }),
    { numRuns: 60 },
  );
  t.pass();
});

test('a polygon contains its inside, whatever its winding', t => {
  const square = loop([-1, -1], [1, -1], [1, 1], [-1, 1]);
  for (const ring of [square, square.toReversed()]) {
    const polygon = new Polygon([ring]);
    t.true(polygon.contains(pointOf(at(0, 0))));
    t.true(polygon.contains(pointOf(at(0.99, -0.99))));
    t.false(polygon.contains(pointOf(at(1.01, 0))));
    t.false(polygon.contains(pointOf(at(180, 0))));
    t.false(polygon.contains(pointOf(at(0, 90))));
  }
  const withHole = new Polygon([square, loop([-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5])]);
  t.false(withHole.contains(pointOf(at(0, 0))));
  t.true(withHole.contains(pointOf(at(0.7, 0))));
});

test('squares that share edges contain each point on them exactly once', t => {
  const squares: Polygon[] = [];
  for (let x = -2; x < 2; x++)
    for (let y = -2; y < 2; y++)
      squares.push(new Polygon([loop([x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1])]));
  for (let x = -1; x <= 1; x++)
    for (let y = -1; y <= 1; y++)
      t.is(squares.filter(square => square.contains(pointOf(at(x, y)))).length, 1, `corner ${x}, ${y}`);
  for (const x of [-0.75, 0.25, 1.5])
    t.is(squares.filter(square => square.contains(pointOf(at(x, 0)))).length, 1, `on the equator at ${x}`);
});

test('empty, whole and tiny regions have coverings too', t => {
  const circle = (radiusMeters: number): Geometry & { kind: 'circle' } => ({
    kind: 'circle',
    center: at(0, 0),
    radiusMeters,
  });
  t.deepEqual(coveringOf(regionOf(circle(-1)), STORED_LIMITS), []);
  t.is(coveringOf(regionOf(circle(3e7)), STORED_LIMITS).length, 24); // every cell of level 1
  t.is(coveringOf(regionOf(circle(0)), STORED_LIMITS).length, 4); // the leaves around a common corner
  t.deepEqual(coveringOf(regionOf({ kind: 'polygons', polygons: [] }), STORED_LIMITS), []);
});

test('the orientation of three points is antisymmetric, and decided also on one great circle', t => {
  const component = fc.oneof(
    fc.constantFrom(0, 1, -1, 0.5, 2 ** -40, 5e-324),
    fc.double({ min: -1, max: 1, noNaN: true }),
  );
  const point = fc
    .tuple(component, component, component)
    .filter(([x, y, z]) => Math.hypot(x, y, z) > 1e-3)
    .map(([x, y, z]): Vector => unit([x + 0, y + 0, z + 0]));
  fc.assert(
    fc.property(point, point, point, (a, b, c) => {
      const sign = orientation(a, b, c);
      const signs = [
        orientation(b, c, a),
        orientation(c, a, b),
        -orientation(b, a, c),
        -orientation(c, b, a),
      ];
      const isDegenerate = [a, b].some(p => p.every((n, k) => n === c[k])) || a.every((n, k) => n === b[k]);
      return signs.every(s => s === sign || (s === 0 && sign === 0)) && (sign === 0) === isDegenerate;
    }),
    { numRuns: 2000 },
  );
  t.not(orientation([1, 0, 0], [0, 1, 0], unit([1, 1, 0])), 0);
});

test('an arc that passes through a vertex of a loop changes side once or not at all', t => {
  // From outside a triangle through its corner on the equator to its inside.
  const corners: readonly Vector[] = [at(0, 0), at(10, 5), at(10, -5)].map(pointOf);
  const crossings = (from: Position, to: Position) =>
    corners.filter((corner, k) => changesSide(pointOf(from), pointOf(to), corner, corners[(k + 1) % 3]!))
      .length;
  t.is(crossings(at(-5, 0), at(5, 0)) % 2, 1);
  t.is(crossings(at(0, -5), at(0, 5)) % 2, 0);
});
