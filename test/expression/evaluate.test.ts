import test from 'ava';
import fc from 'fast-check';
import { compared } from '../../src/data/cdt/compared.js';
import { FLOAT as FLOAT_PARTICLE } from '../../src/data/type.js';
import { compile } from '../../src/expression/compile.js';
import { machine } from '../../src/expression/evaluate.js';
import { BLOB, BOOL, FLOAT, GEO, HLL, INT, LIST, MAP, NIL, STR } from '../../src/expression/value-type.js';
import {
  evaluated,
  filtered,
  hexOf,
  INVALID,
  isValid,
  NAME,
  type Packed,
  packed,
  TestRecord,
  UNKNOWN,
} from './packed.js';

const { bin, float, geo, list } = NAME;
const missing = bin(BOOL, 'none');

/** The worked evaluations of protocol 16, section 9, and the captured bytes of sections 3 and 4. */
test('captured expressions evaluate as described', t => {
  const record = new TestRecord({
    a: 5,
    l: [1, 2],
    m: { pairs: [['k', 3]], flags: 1 },
    b: NAME.blob(0xf0),
    s: 'abc',
  });
  const cases: readonly (readonly [string, unknown])[] = [
    ['93 01 93 51 02 a1 61 05', true],
    ['93 10 93 03 93 51 02 a1 61 03 93 01 93 51 03 a1 7a a2 03 78', UNKNOWN],
    ['93 11 93 03 93 51 02 a1 61 03 93 01 93 51 03 a1 7a a2 03 78', true],
    ['93 01 95 7f 02 00 93 13 07 09 93 51 04 a1 6c 01', UNKNOWN],
    ['93 02 92 52 a1 7a 00', false],
    ['94 7d a1 78 93 14 93 51 02 a1 61 01 93 03 92 7c a1 78 05', true],
    ['94 7b 93 01 93 51 02 a1 61 01 02 03', 3n],
    ['95 7f 02 00 91 10 93 51 04 a1 6c', 2n],
    ['95 7f 02 00 93 61 07 a2 03 6b 93 51 05 a1 6d', 3n],
    ['95 7f 02 00 91 60 95 7f 05 40 93 43 a2 03 6b 01 93 51 05 a1 6d', 1n],
    ['95 7f 02 01 94 36 00 08 01 93 51 06 a1 62', -16n],
    ['95 7f 02 00 94 19 05 01 d4 ff 01 93 51 04 a1 6c', 2n],
    ['93 01 93 51 04 a1 6c 92 7e 92 01 02', true],
    ['93 01 93 51 05 a1 6d 82 c7 00 01 c0 a2 03 6b 03', true],
    ['94 07 0a a4 5e 61 2e 2a 93 51 03 a1 73', true],
    ['91 40', INVALID],
  ];
  for (const [hex, value] of cases) t.deepEqual(evaluated({ hex }, record), value, hex);
});

test('unknown operands make everything but a settled AND or OR unknown', t => {
  const cases: readonly (readonly [Packed, unknown])[] = [
    [[16, missing, true], UNKNOWN],
    [[16, missing, false], false],
    [[16, true, missing], UNKNOWN],
    [[17, missing, false], UNKNOWN],
    [[17, missing, true], true],
    [[18, missing], UNKNOWN],
    [[19, true, true, missing], false],
    [[19, true, missing], UNKNOWN],
    [[19, missing, true, true], UNKNOWN],
    [[1, bin(INT, 'none'), 1], UNKNOWN],
    [[20, 1, bin(INT, 'none')], UNKNOWN],
    [[7, 0, { raw: 'a' }, bin(STR, 'none')], UNKNOWN],
    [[9, 1, bin(LIST, 'none')], UNKNOWN],
    [[101, bin(MAP, 'none')], UNKNOWN],
    [[123, missing, 1, 2], UNKNOWN],
    [[123, true, 1, bin(INT, 'none')], 1n],
    [[125, { raw: 'x' }, bin(INT, 'none'), 3], 3n],
    [[125, { raw: 'x' }, bin(INT, 'none'), [124, { raw: 'x' }]], UNKNOWN],
    [[127, INT, 0, [16], bin(LIST, 'none')], UNKNOWN],
    [[127, LIST, 0x40, [1, [20, 1, bin(INT, 'none')]], list()], UNKNOWN],
  ];
  for (const [expression, value] of cases)
    t.deepEqual(evaluated(expression), value, JSON.stringify(expression));
});

test('with metadata alone bins and the key are unknown, and what is decided then stays so', t => {
  const record = new TestRecord({ a: true });
  record.hasBins = false;
  t.is(filtered([16, [71], bin(BOOL, 'a')], record), UNKNOWN);
  t.is(filtered([17, [71], bin(BOOL, 'a')], record), true);
  t.is(filtered([16, [72], bin(BOOL, 'a')], record), false);
  t.is(filtered([1, [80, STR], 'x'], record), UNKNOWN);
  t.is(filtered([1, [82, { raw: 'a' }], 0], record), UNKNOWN);
  t.is(filtered([3, [67], 0], record), true);
});

test('times come from the record', t => {
  const record = new TestRecord();
  record.voidTimeMs = 1_700_000_500_000;
  t.is(evaluated([68], record), 1_700_000_500_000_000_000n);
  t.is(evaluated([69], record), 400n);
});

test('a filter is a boolean', t => {
  t.is(filtered(true), true);
  t.is(filtered([81, BOOL, { raw: 'x' }], new TestRecord({ x: false })), false);
  for (const other of [1, null, 'x', [20, 1], list(true), [100]] as const) t.is(filtered(other), INVALID);
});

test('floats that are no numbers are equal to nothing', t => {
  const nan = [21, float(Number.POSITIVE_INFINITY), float(Number.POSITIVE_INFINITY)] as const;
  t.is(evaluated([1, nan, nan]), false);
  t.is(evaluated([2, nan, nan]), true);
  t.is(evaluated([4, nan, float(0)]), false);
  t.is(evaluated([1, float(0), float(-0)]), true);
});

/** The bits are those of x86-64: an operation without a result makes one NaN, any other is passed on. */
test('a NaN has the same bits wherever it comes from', t => {
  const made = 'fff8000000000000';
  const one = (hex: string): Packed => ({ hex: `cb${hex}` });
  const infinite = float(Number.POSITIVE_INFINITY);
  const read = bin(FLOAT, 'f');
  const record = new TestRecord({ f: float(1) });
  const withNan = new TestRecord();
  withNan.bin = (_names, _at, _size, out) => {
    out.set(FLOAT_PARTICLE, Buffer.from('7ff8000000000123', 'hex'), 0, 8);
    return true;
  };
  const cases: readonly (readonly [Packed, string])[] = [
    [[21, infinite, infinite], made],
    [[22, infinite, float(0)], made],
    [[23, float(0), float(0)], made],
    [[25, float(-1), float(2)], made],
    [[25, float(2), float(-1)], made],
    [[24, float(-8), float(0.5)], made],
    [[21, [23, float(0), float(0)]], '7ff8000000000000'],
    [[27, [25, float(-1), float(2)]], '7ff8000000000000'],
    [[28, [23, float(0), float(0)]], made],
    [[20, one('7ff8000000000001'), one('7ff8000000000002')], '7ff8000000000001'],
    [[22, read, one('7ff8000000000002')], '7ff8000000000002'],
    [[24, one('fff8000000000003'), float(2)], 'fff8000000000003'],
    [[24, one('fff8000000000003'), read], '7ff8000000000003'],
    [[24, [23, float(0), float(0)], float(3)], '7ff8000000000000'],
    [[25, float(-1), one('7ff8000000000002')], made],
    [[20, one('7ff0000000000001'), read], '7ff8000000000001'],
    [[51, read, one('7ff8000000000002')], '3ff0000000000000'],
    [one('7ff0000000000001'), '7ff0000000000001'],
  ];
  const bitsOf = (expression: Packed, of: TestRecord): unknown =>
    evaluated([127, LIST, 0x40, [1, [125, { raw: 'x' }, expression, [124, { raw: 'x' }]]], list()], of);
  for (
    let round = 0;
    round < 200;
    round++ // so that what is optimised later is seen too
  )
    for (const [expression, bits] of cases)
      if (!isSame(bitsOf(expression, record), bits)) t.fail(`${JSON.stringify(expression)} is not ${bits}`);
  t.deepEqual(bitsOf(read, withNan), { hex: '91cb7ff8000000000123' });
});

function isSame(list: unknown, bits: string): boolean {
  return (list as { hex?: string }).hex === `91cb${bits}`;
}

test('maps are compared when all that the comparison meets are in key order', t => {
  const ordered = (...pairs: readonly (readonly [Packed, Packed])[]): Packed => ({ pairs, flags: 1 });
  const unordered: Packed = { pairs: [[1, 2]] };
  t.is(evaluated([1, ordered([1, 2]), ordered([1, 2])]), true);
  t.is(evaluated([5, ordered([1, 2]), ordered([1, 2], [2, 3])]), true);
  t.is(evaluated([1, ordered([1, 2]), unordered]), UNKNOWN);
  t.is(evaluated([1, { pairs: [] }, ordered()]), true);
  t.is(evaluated([1, list(1, unordered), list(1, unordered)]), UNKNOWN);
  t.is(evaluated([5, list(1, unordered), list(2, unordered)]), true);
  t.is(evaluated([3, list(unordered), list(0)]), UNKNOWN);
  t.is(evaluated([9, unordered, list(3, unordered)]), true);
});

test('a list holds a map whatever the order in which the keys of either were sent', t => {
  const there: Packed = {
    pairs: [
      ['a', 1],
      [
        'b',
        [
          {
            pairs: [
              ['x', 1],
              ['y', 2],
            ],
          },
        ],
      ],
    ],
  };
  const sent: Packed = {
    pairs: [
      [
        'b',
        [
          {
            pairs: [
              ['y', 2],
              ['x', 1],
            ],
          },
        ],
      ],
      ['a', 1],
    ],
  };
  const other: Packed = {
    pairs: [
      ['b', 2],
      ['a', 1],
    ],
  };
  const record = new TestRecord({ l: [3, there] });
  for (const wanted of [there, sent]) {
    t.is(evaluated([9, wanted, bin(LIST, 'l')], record), true);
    t.is(evaluated([9, wanted, list(3, there)]), true);
    t.is(evaluated([9, wanted, list(3, sent)]), true);
    t.is(evaluated([9, list(wanted), list(3, [sent])]), true);
    t.is(evaluated([9, wanted, list(3, other)]), false);
  }
  // Keys that no map may have when it is stored.
  const odd: Packed = {
    pairs: [
      [true, 1],
      [false, 1],
    ],
  };
  t.is(evaluated([9, odd, list(odd)]), true);
});

test('lists and maps in an expression are taken as they stand, but in form', t => {
  const map: Packed = {
    pairs: [
      [9, 1],
      ['a', 2],
      [3, 3],
      [float(1), 4],
    ],
  };
  t.deepEqual(evaluated(map), hexOf(map));
  t.deepEqual(evaluated({ hex: '92 7e 93 c7 00 01 01 05' }), { hex: '93c700010105' });
  t.deepEqual(evaluated({ hex: '92 7e 93 c7 03 11 aa bb cc cc 01 05' }), { hex: '93c700010105' });
  t.deepEqual(evaluated({ hex: '92 7e 92 c7 00 10 91 c7 02 11 00 01' }), { hex: '9191c70001' });
  t.deepEqual(evaluated({ hex: '92 7e 92 cd 00 05 d9 02 03 61' }), { hex: '9205a20361' });
  t.false(isValid({ hex: '92 7e 93 c7 00 01 05 01' }), 'a list that says that it is in order');
  t.false(isValid({ hex: '83 c7 00 01 c0 02 01 01 01' }), 'a map that says so');
  t.deepEqual(evaluated({ hex: '92 7e 91 82 01 02 01 0a' }), { hex: '91820102010a' }, 'equal keys');
  t.false(isValid({ hex: '92 7e 92 07 d4 ff 01' }), 'a sentinel');
  t.false(isValid({ hex: '92 7e 92 07 d4 05 01' }), 'an ext');
  t.deepEqual(
    evaluated([127, LIST, 0, [0x1d - 4, 7, [126, [2]], [126, [{ hex: 'd4ff01' }]]], list([1], [2], [3])]),
    hexOf([[2], [3]]),
    'but as an argument of a call a sentinel may stand in a list',
  );
});

test('an operation on a map that stands in an expression finds its keys in order', t => {
  const map: Packed = {
    pairs: [
      [9, 1],
      ['a', 5],
      [3, 2],
      [7, 9],
    ],
  };
  const kept: Packed = {
    pairs: [
      [3, 2],
      [7, 9],
      [9, 1],
      ['a', 5],
    ],
  };
  const let_ = (body: Packed): Packed => [125, { raw: 'm' }, [123, false, map, map], body];
  const cases: readonly (readonly [number, Packed, Packed | bigint])[] = [
    [INT, [98, 7, 0], 2n],
    [INT, [97, 1, 7], 1n],
    [LIST, [103, 6, 3, 8], [3, 7]],
    [LIST, [109, 6, 4, 0], [7, 9, 'a']],
    [LIST, [107, 6, [126, [7, 9]]], [7, 9]],
    [MAP, [104, 16, 0], kept],
  ];
  for (const [type, body, value] of cases) {
    const answer = typeof value === 'bigint' ? value : hexOf(value);
    t.deepEqual(evaluated([127, type, 0, body, map]), answer, JSON.stringify(body));
    t.deepEqual(evaluated(let_([127, type, 0, body, [124, { raw: 'm' }]])), answer, JSON.stringify(body));
    const nested: Packed = [
      127,
      type,
      0,
      [0xff, [0x10, 1, 0x22, 'x'], body],
      list(0, { pairs: [['x', map]] }),
    ];
    t.deepEqual(evaluated(nested), answer, `nested, ${JSON.stringify(body)}`);
  }
  t.deepEqual(evaluated([127, MAP, 0x40, [76, 0, 'a'], map]), hexOf({ pairs: kept.pairs.slice(0, 3) }));
  t.deepEqual(evaluated(let_([124, { raw: 'm' }])), hexOf(map), 'what is not operated on stays');
  t.deepEqual(evaluated([101, map]), hexOf([9, 'a', 3, 7]));
  t.deepEqual(
    evaluated([
      127,
      INT,
      0,
      [98, 7, 0],
      {
        pairs: [
          [float(2), 1],
          [float(1), 2],
          [1, 3],
          [1, 4],
        ],
      },
    ]),
    3n,
    'keys that stored maps cannot have, and equal ones',
  );
});

test('what an operation has picked by rank is a map that others find their way in', t => {
  const map: Packed = {
    pairs: [
      [1, 30],
      [2, 10],
      [3, 20],
    ],
    flags: 1,
  };
  for (const returnType of [8, 16, 17]) {
    const picked: Packed = [127, MAP, 0, [106, returnType, 0], map];
    const through: Packed = [124, { raw: 'm' }];
    t.is(evaluated([127, INT, 0, [97, 7, 1], picked]), 30n);
    t.is(evaluated([125, { raw: 'm' }, picked, [127, INT, 0, [98, 7, 0], through]]), 30n);
    t.deepEqual(evaluated([127, LIST, 0, [103, 6, 2], picked]), hexOf([2, 3]));
    const flags = returnType === 17 ? { flags: 1 } : {};
    const kept: Packed = {
      pairs: [
        [1, 30],
        [3, 20],
      ],
      ...flags,
    };
    t.deepEqual(evaluated([127, MAP, 0x40, [76, 0, 2], picked]), hexOf(kept));
  }
});

test('constants of typed bytes have a type that expressions know, and content of that type', t => {
  t.is(evaluated({ hex: 'd9 02 03 61' }), 'a');
  t.is(evaluated({ hex: 'c4 02 03 61' }), 'a');
  t.deepEqual(evaluated(float(1.5)), { double: 1.5 });
  t.deepEqual(evaluated({ hex: 'ca 3f c0 00 00' }), { double: 1.5 });
  t.is(evaluated({ hex: 'cf ff ff ff ff ff ff ff ff' }), -1n);
  for (const hex of ['a0', 'c4 00', 'a2 05 61', 'a3 17 7b 7d', 'd4 ff 01', 'd4 ff 00', 'c7 00 01', 'c1', ''])
    t.false(isValid({ hex }), hex);
});

test('names of bins are short and have no NUL', t => {
  t.true(isValid(bin(INT, '')));
  t.true(isValid(bin(INT, 'fifteen-bytes-1')));
  t.false(isValid(bin(INT, 'sixteen-bytes-12')));
  t.false(isValid(bin(INT, 'a\0b')));
});

test('what follows an expression, or misses at its end, makes it invalid', t => {
  const bytes = packed([16, [3, bin(INT, 'i'), 5], [1, bin(STR, 's'), 'x']]);
  t.truthy(compile(bytes, 0, bytes.length));
  const longer = Uint8Array.from([...bytes, 0xc0]);
  t.is(compile(longer, 0, longer.length), undefined);
  for (let size = 0; size < bytes.length; size++) t.is(compile(bytes, 0, size), undefined);
});

test('a region contains a point, whichever comes first', t => {
  const inside = geo('{"type":"Point","coordinates":[0.5,0.5]}');
  const outside = geo('{"type":"Point","coordinates":[2,2]}');
  const square =
    '{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1],[0,0]],[[0.2,0.2],[0.3,0.2],[0.3,0.3],[0.2,0.3],[0.2,0.2]]]}';
  const both =
    '{"type":"MultiPolygon","coordinates":[[[[0,0],[1,0],[1,1],[0,0]]],[[[5,5],[6,5],[6,6],[5,5]]]]}';
  t.is(filtered([8, inside, geo(square)]), true);
  t.is(filtered([8, geo(square), inside]), true);
  t.is(filtered([8, outside, geo(square)]), false);
  t.is(filtered([8, geo('{"type":"Point","coordinates":[0.25,0.25]}'), geo(square)]), false, 'a hole');
  t.is(filtered([8, geo('{"type":"Point","coordinates":[5.9,5.5]}'), geo(both)]), true);
  t.is(filtered([8, inside, inside]), false);
  t.is(filtered([8, geo(square), geo(square)]), false);
  const record = new TestRecord({ g: inside, x: geo('no geojson') });
  t.is(filtered([8, bin(GEO, 'g'), geo(square)], record), true);
  t.is(filtered([8, bin(GEO, 'x'), geo(square)], record), UNKNOWN);
  t.deepEqual(evaluated(bin(GEO, 'g'), record), {
    bytes: [23, 0, 0, 0, ...Buffer.from('{"type":"Point","coordinates":[0.5,0.5]}')],
  });
});

test('a call that starts from nothing has the static type NIL and any value', t => {
  const made: Packed = [127, LIST, 0x40, [1, 5], null];
  t.deepEqual(evaluated(made), hexOf([5]));
  t.false(isValid([1, made, list(5)]));
  t.is(evaluated([1, made, null]), UNKNOWN);
  t.is(evaluated([127, NIL, 0, [16], null]), null);
  t.is(evaluated([127, INT, 0, [16], null]), UNKNOWN);
});

test('results of calls have the type that they claim, or are unknown', t => {
  t.is(evaluated([127, STR, 0, [16], list(1)]), UNKNOWN);
  t.is(evaluated([127, INT, 0, [17, 9], list(1)]), UNKNOWN, 'out of range');
  t.is(evaluated([127, MAP, 0x40, [1, 5], list(1)]), UNKNOWN);
  t.is(evaluated([127, INT, 0x40, [16], list(1)]), UNKNOWN, 'a read that claims to modify');
  t.is(evaluated([127, BOOL, 0, [27, 13, 1], list(1)]), UNKNOWN);
});

test('arguments of a call are computed and put where they stood', t => {
  const record = new TestRecord({
    i: 300,
    f: float(2.5),
    s: 'é',
    l: [7],
    m: { pairs: [['k', 1]], flags: 1 },
    b: NAME.blob(9),
  });
  const append = (value: Packed): Packed => [127, LIST, 0x40, [1, value], list()];
  const values: readonly (readonly [Packed, Packed])[] = [
    [bin(INT, 'i'), 300],
    [[20, bin(INT, 'i'), -301], -1],
    [bin(FLOAT, 'f'), float(2.5)],
    [bin(STR, 's'), 'é'],
    [bin(LIST, 'l'), [7]],
    [bin(MAP, 'm'), { pairs: [['k', 1]], flags: 1 }],
    [bin(BLOB, 'b'), NAME.blob(9)],
    [[3, bin(INT, 'i'), 1], true],
    [[123, true, null, null], null],
  ];
  for (const [expression, value] of values)
    t.deepEqual(evaluated(append(expression), record), hexOf([value]));
  const nested: Packed = [127, LIST, 0x40, [0xff, [0x10, 0], [4, [20, -1, 1], [126, [1, 2]]]], list([9])];
  t.deepEqual(evaluated(nested), hexOf([[1, 2, 9]]), 'inside a context');
});

test('an operation on sketches takes the sketch of another bin', t => {
  const hll = (...ones: readonly number[]): Packed => ({
    bytes: [
      18,
      0,
      4,
      0,
      ...new Array<number>(8).fill(0),
      ...ones,
      ...new Array<number>(12 - ones.length).fill(0),
    ],
  });
  const record = new TestRecord({ a: hll(4), b: hll(0, 0, 0, 1), n: 1 });
  const count = (op: number, argument: Packed): unknown =>
    evaluated([127, INT, 2, [op, argument], bin(HLL, 'b')], record);
  t.is(count(52, bin(HLL, 'a')), 2n);
  t.is(count(52, list(hll(4))), 2n);
  t.is(count(53, bin(HLL, 'a')), 0n);
  t.is(count(52, bin(HLL, 'none')), UNKNOWN);
  t.is(count(52, bin(INT, 'n')), UNKNOWN);
});

test('nesting has a bound, and what is within it is evaluated', t => {
  const nested = (depth: number): Packed => {
    let expression: Packed = -1;
    for (let k = 0; k < depth; k++) expression = k % 2 === 0 ? [27, expression] : [21, expression];
    return expression;
  };
  t.is(evaluated(nested(255)), 1n);
  t.false(isValid(nested(257)));
  t.false(isValid({ hex: `${'921b'.repeat(20_000)}01` }));
});

test('an expression that would look at too much is unknown, and soon', t => {
  const l: Packed = Array.from({ length: 30_000 }, (_, k) => k % 100);
  const record = new TestRecord({ l, s: 'a'.repeat(60_000) });
  const many = (count: number, of: Packed): Packed => Array.from({ length: count }, () => of);
  const heavy: readonly Packed[] = [
    [16, ...(many(1000, [1, bin(LIST, 'l'), bin(LIST, 'l')]) as readonly Packed[])],
    [20, ...(many(1000, [127, INT, 0, [21, 7, 20_000], bin(LIST, 'l')]) as readonly Packed[])],
    [16, ...(many(1000, [18, [9, 1000, bin(LIST, 'l')]]) as readonly Packed[])],
    [16, ...(many(100, [18, [7, 1, { raw: '(a*)*b' }, bin(STR, 's')]]) as readonly Packed[])],
  ];
  for (const expression of heavy) {
    const before = process.cpuUsage().user;
    t.is(evaluated(expression, record), UNKNOWN);
    t.true((process.cpuUsage().user - before) / 1000 < 1500, 'milliseconds');
  }
  t.is(evaluated([127, INT, 0, [21, 7, 20_000], bin(LIST, 'l')], record), 66n, 'and the next one is not');
});

test('calls that sort a large value are few, and the first is always carried out', t => {
  const count = 1_000_000;
  const elements = Buffer.from(Array.from({ length: count }, (_, k) => (k * 7919) % 100));
  const record = new TestRecord({ l: { hex: `dd000f4240${elements.toString('hex')}` } });
  const ranked: Packed = [127, INT, 0, [21, 7, count / 2], bin(LIST, 'l')];
  const onlyUnequal = [18, [1, ranked, 50]] as const;
  const before = compared.size;
  t.is(evaluated(ranked, record), 50n);
  const once = compared.size - before;
  t.true(once > count, 'it sorts');
  t.is(evaluated([17, ...Array.from({ length: 1000 }, () => onlyUnequal)], record), UNKNOWN);
  t.true(compared.size - before - once <= 4 * once);
});

test('regular expressions in one expression are bounded', t => {
  const any = (count: number, pattern: (k: number) => string): Packed => [
    17,
    ...Array.from({ length: count }, (_, k): Packed => [7, 1, { raw: pattern(k) }, 'x']),
  ];
  t.true(isValid(any(100, k => `^user-${k}`)));
  t.false(isValid(any(3000, k => `^user-${k}`)));
  t.false(isValid(any(50, () => 'a{1000}')));
});

test('bytes around an expression and its bins do not matter, and random bytes do no harm', t => {
  const seeds = [
    packed([16, [3, bin(INT, 'i'), 5], [1, bin(STR, 's'), 'x']]),
    packed([
      125,
      { raw: 'v' },
      [127, LIST, 0x40, [1, [20, 1, 2]], bin(LIST, 'l')],
      [9, 3, [124, { raw: 'v' }]],
    ]),
    packed([123, [7, 1, { raw: 'a+' }, bin(STR, 's')], list(1, 2), [101, { pairs: [[1, 2]] }]]),
  ];
  const record = new TestRecord({ i: 7, s: 'x', l: [3] });
  fc.assert(
    fc.property(
      fc.constantFrom(...seeds),
      fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 3 }),
      (seed, changes) => {
        const bytes = seed.slice();
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        const answers = [undefined, 0, 0x93].map(filler => {
          if (filler === undefined) return evaluated({ hex: Buffer.from(bytes).toString('hex') }, record);
          const around = new Uint8Array(bytes.length + 64).fill(filler);
          around.set(bytes, 32);
          const program = compile(around, 32, bytes.length);
          return program === undefined ? INVALID : program.type;
        });
        t.is(answers[1], answers[2]);
        t.is(answers[0] === INVALID, answers[1] === INVALID);
        t.is(machine.top, 0);
      },
    ),
    { numRuns: 3000 },
  );
});
