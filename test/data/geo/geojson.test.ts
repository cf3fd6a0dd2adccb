import test from 'ava';
import { parseGeoJson } from '../../../src/data/geo/geojson.js';

const parse = (text: string) => {
  const bytes = Buffer.from(`xx${text}yy`);
  return parseGeoJson(bytes, 2, bytes.length - 4);
};
const shape = (type: string, coordinates: unknown) => parse(JSON.stringify({ type, coordinates }));

const square = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
  [0, 0],
];

test('the four shapes and a Feature around them are accepted', t => {
  t.deepEqual(shape('Point', [1, 2]), { kind: 'point', at: { longitude: 1, latitude: 2 } });
  t.deepEqual(shape('AeroCircle', [[-122, 37.5], 1000]), {
    kind: 'circle',
    center: { longitude: -122, latitude: 37.5 },
    radiusMeters: 1000,
  });
  t.is(shape('Polygon', [square])?.kind, 'polygons');
  t.is(shape('MultiPolygon', [[square], [square, square]])?.kind, 'polygons');
  t.is(
    parse('{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[1,2]}}')?.kind,
    'point',
  );
});

test('a loop loses its repeated positions and its closing one', t => {
  const geometry = shape('Polygon', [
    [
      [0, 0],
      [0, 0],
      [1, 0],
      [1, 1],
      [1, 1],
      [0, 0],
    ],
  ]);
  t.deepEqual(geometry, {
    kind: 'polygons',
    polygons: [
      [
        [
          { longitude: 0, latitude: 0 },
          { longitude: 1, latitude: 0 },
          { longitude: 1, latitude: 1 },
        ],
      ],
    ],
  });
});

test('other shapes are refused', t => {
  for (const type of [
    'LineString',
    'MultiPoint',
    'MultiLineString',
    'GeometryCollection',
    'FeatureCollection',
    'point',
    '',
  ])
    t.is(shape(type, [1, 2]), undefined, type);
  t.is(shape('Point', [1, 2, 3]), undefined);
  t.is(shape('Point', [1]), undefined);
  t.is(shape('Point', ['1', 2]), undefined);
  t.is(shape('Point', [181, 0]), undefined);
  t.is(shape('Point', [0, -90.5]), undefined);
  t.is(shape('AeroCircle', [[0, 0]]), undefined);
  t.is(shape('AeroCircle', [[0, 0], '5']), undefined);
  t.is(shape('AeroCircle', [[0, 91], 5]), undefined);
  t.is(parse('{"type":"AeroCircle","coordinates":[[0,0],1e999]}'), undefined);
  t.is(shape('Polygon', square), undefined);
  t.is(shape('Polygon', [square.slice(0, 4)]), undefined, 'not closed');
  t.is(
    shape('Polygon', [
      [
        [0, 0],
        [0, 0],
        [1, 1],
        [0, 0],
      ],
    ]),
    undefined,
    'too few positions',
  );
  t.is(shape('MultiPolygon', [square]), undefined);
});

test('text that is no JSON object is refused', t => {
  for (const text of [
    '',
    '{',
    'null',
    '[]',
    '"Point"',
    '1',
    '{"type":"Point"}',
    '{"coordinates":[1,2]}',
    '{"type":"Feature"}',
    '{"type":"Feature","geometry":null}',
    '{"type":"Feature","geometry":{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]}}}',
    '{"type":"Point","coordinates":[1,2]} x',
    '{"type":"Point","coordinates":[1,NaN]}',
  ])
    t.is(parse(text), undefined, text);
  t.is(parseGeoJson(Uint8Array.of(0x7b, 0xff, 0x7d), 0, 3), undefined, 'not UTF-8');
  t.is(parse('['.repeat(100_000)), undefined);
});

test('text in shared memory is read like any other', t => {
  const text = Buffer.from('{"type":"Point","coordinates":[1,2]}');
  const shared = new Uint8Array(new SharedArrayBuffer(text.length));
  shared.set(text);
  t.is(parseGeoJson(shared, 0, shared.length)?.kind, 'point');
});
