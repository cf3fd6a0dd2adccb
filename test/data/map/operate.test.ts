import test from 'ava';
import fc from 'fast-check';
import {
  COUNT_ARG,
  DELTA_ARG,
  INT_ARG,
  KEY_ARG,
  LIST_ARG,
  RETURN_ARG,
  STORED_ARG,
  STORED_MAP_ARG,
} from '../../../src/data/cdt/call.js';
import { writeIndexed } from '../../../src/data/cdt/index-writer.js';
import { operateCdt } from '../../../src/data/cdt/operate.js';
import { indexedSize, wireSize, writeWire } from '../../../src/data/cdt/persisted-index.js';
import { MAP_OPS } from '../../../src/data/map/ops.js';
import { BLOB, LIST, MAP } from '../../../src/data/type.js';
import { fromHex, toHex } from '../frame.js';
import { sentOf, textOf } from '../list/values.js';
import { INF, type Sent, WILDCARD } from '../msgpack/unpack.js';
import { runValueOp } from '../run-value-op.js';
import { type MapModel, MODEL_OPS, type Pair } from './model.js';
import { bodyOf, bytesOf, mapOf } from './values.js';

const [PARAMETER, INCOMPATIBLE_TYPE, ELEMENT_NOT_FOUND, ELEMENT_EXISTS, NOT_APPLICABLE] = [4, 12, 23, 24, 26];
const INVERTED = 0x10000n;
const [ORDERED, VALUE_ORDERED, PERSIST_INDEX] = [1, 2, 16];
const [SET_TYPE, ADD, PUT, PUT_ITEMS, REPLACE, REPLACE_ITEMS] = [64, 65, 67, 68, 69, 70];
const [INCREMENT, DECREMENT, CLEAR] = [73, 74, 75];
const [BY_KEY, BY_INDEX, BY_RANK, BY_KEY_INTERVAL] = [97, 98, 100, 103];
const [REMOVE_BY_KEY_LIST, REMOVE_BY_VALUE_LIST, BY_KEY_LIST, BY_VALUE_LIST] = [81, 83, 107, 108];
const [BY_ALL_VALUE, BY_INDEX_RANGE, BY_VALUE_INTERVAL, BY_RANK_RANGE] = [102, 104, 105, 106];

const rows = new Map(MAP_OPS);
const text = (content: string): Sent => ({ bytes: Uint8Array.from([3, ...Buffer.from(content)]) });
const list = (...items: Sent[]): Sent => ({ list: items, isOrdered: false });
const ints = (...items: number[]): Sent => list(...items.map(BigInt));
const pairs = (...items: [Sent, Sent][]): Sent => ({ pairs: items, flags: 0 });
const ofInts = (items: readonly [number, number][], flags = 0): MapModel => ({
  pairs: items.map(([k, v]) => [BigInt(k), BigInt(v)] as const),
  flags,
});

/** The stored form of a map: with an index in it if its flags ask for one. */
function storedBytes(map: MapModel): Uint8Array {
  const plain = bytesOf(map);
  const indexed = new Uint8Array(indexedSize(plain, 0, plain.length));
  return indexed.length === plain.length
    ? plain
    : indexed.subarray(0, writeIndexed(plain, 0, plain.length, indexed, 0));
}

/** Runs a call on a map, a particle of another kind, or nothing. */
function run(target: MapModel | Uint8Array | undefined, opCode: number, ...args: Sent[]) {
  const bytes = target instanceof Uint8Array || target === undefined ? target : storedBytes(target);
  const isModify = rows.get(opCode)?.modifies ?? false;
  const outcome = runValueOp(operateCdt, bytes && { type: MAP, bytes }, bodyOf(opCode, args), isModify, BLOB);
  return {
    code: outcome.code,
    result: outcome.result && sentOf(outcome.result),
    map: outcome.changed && mapOf(fromHex(outcome.changed.hex)),
    changed: outcome.changed?.hex,
  };
}

/** A call as bytes and its result as bytes, both in hex. */
function answerOf(target: string, body: string): string | number {
  const bytes = fromHex(body.replaceAll(' ', ''));
  const particle = { type: MAP, bytes: fromHex(target.replaceAll(' ', '')) };
  const outcome = runValueOp(operateCdt, particle, bytes, false, BLOB);
  return outcome.code === 0 ? `${outcome.result?.type} ${outcome.result?.hex}` : outcome.code;
}

/** An argument that a row takes. */
const SAMPLE: Readonly<Record<number, Sent>> = {
  [INT_ARG]: 0n,
  [COUNT_ARG]: 1n,
  [STORED_ARG]: 1n,
  [LIST_ARG]: ints(1),
  [STORED_MAP_ARG]: pairs([1n, 1n]),
  [KEY_ARG]: 1n,
  [DELTA_ARG]: 1n,
  [RETURN_ARG]: 5n,
};
const sample = (kind: number): Sent => SAMPLE[kind] ?? 1n;
/** Arguments of wrong kinds. */
const WRONG: Readonly<Record<number, readonly Sent[]>> = {
  [INT_ARG]: [text('a'), null, { double: 1 }],
  [COUNT_ARG]: [text('a'), null, list()],
  [LIST_ARG]: [1n, pairs()],
  [STORED_MAP_ARG]: [1n, list(), pairs([null, 1n]), pairs([1n, WILDCARD]), pairs([1n, 1n], [1n, 2n])],
  [STORED_ARG]: [WILDCARD, INF, list(1n, INF), pairs([{ double: 1 }, 1n])],
  [KEY_ARG]: [null, true, { double: 1 }, list(), WILDCARD, { bytes: Uint8Array.of(23, 65) }],
  [DELTA_ARG]: [text('a'), true, list()],
  [RETURN_ARG]: [text('a'), null, -1n],
};

test('every row takes as many arguments as it says, of the kinds it says', t => {
  t.is(MAP_OPS.length, 37);
  const target = ofInts([[1, 2]], ORDERED);
  for (const [code, row] of MAP_OPS) {
    const args = row.params.map(sample);
    for (let count = 0; count <= args.length + 1; count++) {
      const given = Array.from({ length: count }, (_, k) => args[k] ?? 1n);
      const isRight = count >= row.required && count <= args.length;
      const outcome = run(target, code, ...given);
      if (!isRight) t.is(outcome.code, PARAMETER, `${row.name} of ${count}`);
      else t.not(outcome.code, PARAMETER, `${row.name} of ${count}`);
    }
    row.params.forEach((kind, k) => {
      for (const wrong of WRONG[kind] ?? [])
        t.is(run(target, code, ...args.with(k, wrong)).code, PARAMETER, `${row.name} ${k} ${textOf(wrong)}`);
    });
  }
});

test('every row insists on the kind of op it came in, and on a map', t => {
  for (const [code, row] of MAP_OPS) {
    const body = bodyOf(code, row.params.map(sample));
    const target = { type: MAP, bytes: bytesOf(ofInts([[1, 2]])) };
    t.is(runValueOp(operateCdt, target, body, !row.modifies, BLOB).code, PARAMETER, row.name);
    const other = { type: LIST, bytes: fromHex('90') };
    t.is(runValueOp(operateCdt, other, body, row.modifies, BLOB).code, INCOMPATIBLE_TYPE, row.name);
  }
});

test('every row makes a map where there is none, or answers nothing', t => {
  for (const [code, row] of MAP_OPS) {
    const outcome = run(undefined, code, ...row.params.slice(0, row.required).map(sample));
    const isReplace = code === REPLACE || code === REPLACE_ITEMS;
    t.is(outcome.code, isReplace ? ELEMENT_NOT_FOUND : 0, row.name);
    t.is(outcome.changed !== undefined, row.creates && !isReplace, row.name);
    if (!row.creates) t.is(outcome.result, undefined, row.name);
  }
});

test('the examples of the protocol', t => {
  const target = '84 c7 00 01 c0 a2 03 61 03 a2 03 62 01 a2 03 63 02';
  t.is(answerOf(target, '93 61 04 a2 03 61'), '1 0000000000000000');
  t.is(answerOf(target, '94 6a 08 00 02'), '19 83c70008c0a2036201a2036302');
  t.is(answerOf(target, '93 62 07 ff'), '1 0000000000000002');
  t.is(answerOf(target, '93 6b 06 92 a2 03 63 a2 03 61'), '20 92a20361a20363');
  t.is(answerOf(target, '93 66 0d 09'), '17 00');
  t.is(answerOf(target, '94 68 ce 00 01 00 06 00 01'), '20 92a20362a20363');
  const relative = ofInts(
    [
      [0, 17],
      [4, 2],
      [5, 15],
      [9, 10],
    ],
    ORDERED,
  );
  const keys = (...args: number[]) => run(relative, 109, 6n, ...args.map(BigInt)).result;
  t.deepEqual(keys(5, 0), ints(5, 9));
  t.deepEqual(keys(5, 1), ints(9));
  t.deepEqual(keys(5, -1), ints(4, 5, 9));
  t.deepEqual(keys(3, 2), ints(9));
  t.deepEqual(keys(3, -2), ints(0, 4, 5, 9));
  t.deepEqual(keys(5, -1, 1), ints(4));
  t.deepEqual(keys(3, -2, 2), ints(0));
  const byRank = (...args: number[]) => run(relative, 110, 6n, ...args.map(BigInt)).result;
  t.deepEqual(byRank(11, 1), ints(0));
  t.deepEqual(byRank(11, -1), ints(9, 5, 0));
  t.deepEqual(byRank(11, -1, 1), ints(9));
});

test('what the reference dies of is answered: no items select nothing, inverted all', t => {
  const target = ofInts([
    [1, 2],
    [3, 4],
  ]);
  for (const code of [BY_KEY_LIST, BY_VALUE_LIST]) {
    t.deepEqual(run(target, code, 7n, list()).result, list());
    t.deepEqual(run(target, code, INVERTED | 7n, list()).result, ints(2, 4));
  }
  for (const code of [REMOVE_BY_KEY_LIST, REMOVE_BY_VALUE_LIST]) {
    const outcome = run(target, code, INVERTED | 7n, list());
    t.deepEqual([outcome.result, outcome.map?.pairs], [ints(2, 4), []]);
    t.is(run(target, code, 7n, list()).map, undefined);
  }
});

// Lists, and intervals of keys in unordered maps, were recorded to answer so; ranges of indexes or ranks to count.
test('everything but what was picked one by one exists when nothing was picked', t => {
  const target = ofInts([
    [1, 1],
    [2, 2],
    [3, 3],
  ]);
  const exists = (map: MapModel, code: number, ...args: Sent[]) =>
    run(map, code, INVERTED | 13n, ...args).result;
  for (const flags of [0, ORDERED, ORDERED | VALUE_ORDERED]) {
    const map = { ...target, flags };
    for (const [code, some, none] of [
      [BY_ALL_VALUE, [2n], [9n]],
      [BY_VALUE_INTERVAL, [2n, 3n], [9n]],
      [BY_VALUE_LIST, [ints(2)], [ints(9)]],
      [BY_KEY_LIST, [ints(2)], [ints(9)]],
    ] as const) {
      t.false(exists(map, code, ...some), `${code} ${flags}`);
      t.true(exists(map, code, ...none), `${code} ${flags}`);
      t.false(exists(ofInts([], flags), code, ...none), `${code} ${flags}, an empty map`);
    }
    t.true(exists(map, BY_RANK_RANGE, 1n, 1n));
    t.true(exists(map, BY_INDEX_RANGE, 1n, 1n));
  }
  t.true(exists(ofInts([]), BY_KEY_INTERVAL, 1n, 2n), 'unordered, even if there is nothing else');
  t.false(exists(ofInts([], ORDERED), BY_KEY_INTERVAL, 1n, 2n));
});

test('everything but nothing is a range of indexes and ranks, everything but something is not', t => {
  const target = ofInts([
    [1, 5],
    [2, 1],
    [3, 3],
  ]);
  const reverse = (code: number, returnType: bigint, ...args: Sent[]) =>
    run(target, code, INVERTED | returnType, ...args).result;
  for (const [code, some, none] of [
    [BY_ALL_VALUE, [1n], [2n]],
    [BY_VALUE_INTERVAL, [1n, 3n], [2n, 2n]],
    [BY_KEY_LIST, [ints(2)], [ints(9)]],
    [BY_VALUE_LIST, [ints(1)], [list()]],
  ] as const) {
    t.deepEqual(reverse(code, 2n, ...some), ints(2, 0), `${code}`);
    t.deepEqual(reverse(code, 2n, ...none), ints(0, 1, 2), `${code}`);
    if (code !== BY_KEY_LIST) t.deepEqual(reverse(code, 4n, ...none), ints(0, 1, 2), `${code}`);
  }
  t.deepEqual(
    reverse(BY_VALUE_LIST, 2n, ints(9)),
    ints(2, 1, 0),
    'recorded: a list of values that are not there',
  );
});

test('writes go by their flags', t => {
  const target = ofInts([[1, 2]], ORDERED);
  t.is(run(target, ADD, 1n, 9n).code, ELEMENT_EXISTS);
  t.is(run(target, PUT, 1n, 9n, 0n, 1n).code, ELEMENT_EXISTS);
  t.is(run(target, REPLACE, 2n, 9n).code, ELEMENT_NOT_FOUND);
  const left = run(target, PUT, 2n, 9n, 0n, 6n);
  t.deepEqual([left.code, left.result, left.map], [0, 1n, undefined]);
  const items = pairs([2n, 5n], [1n, 9n]);
  t.is(run(target, PUT_ITEMS, items, 0n, 5n).map, undefined);
  t.deepEqual(
    run(target, PUT_ITEMS, items, 0n, 13n).map,
    ofInts(
      [
        [1, 2],
        [2, 5],
      ],
      ORDERED,
    ),
  );
  t.deepEqual(run(target, PUT_ITEMS, items, 0n, 14n).map, ofInts([[1, 9]], ORDERED));
  // Recorded: nothing is there to update, and all is added.
  t.deepEqual(
    run(ofInts([]), PUT_ITEMS, items, 0n, 14n).map,
    ofInts([
      [1, 9],
      [2, 5],
    ]),
  );
});

test('sums keep the type of what is there, and wrap', t => {
  const of = (value: Sent): MapModel => ({ pairs: [[1n, value]], flags: 0 });
  t.is(run(of(5n), INCREMENT, 1n, { double: -2.9 }).result, 3n);
  t.deepEqual(run(of({ double: 1.5 }), INCREMENT, 1n, 2n).result, { double: 3.5 });
  t.is(run(of(2n ** 63n - 1n), INCREMENT, 1n).result, -(2n ** 63n));
  t.is(run(of(-(2n ** 63n)), DECREMENT, 1n, null).result, 2n ** 63n - 1n);
  t.deepEqual(run(undefined, DECREMENT, 1n, { double: 0.5 }, 3n).map, {
    pairs: [[1n, { double: -0.5 }]],
    flags: 3,
  });
  t.is(run(of(text('a')), INCREMENT, 1n, 1n).code, PARAMETER);
});

test('single numbers must lie inside, and everything but one is not to be had', t => {
  const target = ofInts(
    [
      [1, 2],
      [3, 4],
    ],
    ORDERED,
  );
  for (const code of [BY_INDEX, BY_RANK]) {
    for (const at of [2n, -3n, 2n ** 62n, -(2n ** 62n)]) t.is(run(target, code, 7n, at).code, NOT_APPLICABLE);
    t.is(run(target, code, INVERTED | 7n, 0n).code, NOT_APPLICABLE);
  }
  t.is(run(target, BY_KEY, INVERTED | 7n, 1n).code, NOT_APPLICABLE);
  t.is(run(target, BY_KEY, INVERTED | 5n, 2n).result, 0n); // recorded: of a key that is not there, in an ordered map
  for (const type of [6n + 8n, 15n, 18n, 255n]) t.is(run(target, BY_KEY, type, 1n).code, NOT_APPLICABLE);
  t.is(run(target, BY_KEY_LIST, 3n, list()).code, NOT_APPLICABLE);
});

test('ranges are answered of what forms one', t => {
  const target = ofInts(
    [
      [1, 5],
      [3, 4],
      [7, 9],
    ],
    ORDERED,
  );
  t.deepEqual(run(target, BY_KEY_INTERVAL, 9n, 2n).result, ints(1, 2));
  t.deepEqual(run(target, BY_KEY_INTERVAL, 10n, 2n, 5n).result, ints(1, 1));
  t.is(run(target, BY_KEY_INTERVAL, INVERTED | 9n, 2n).code, NOT_APPLICABLE);
  t.is(run(target, BY_KEY_LIST, 9n, ints(1)).code, NOT_APPLICABLE);
  t.deepEqual(run(target, 106, 11n, 0n, 2n).result, ints(0, 2));
});

test('a type is given, taken away and refused', t => {
  const target = ofInts([
    [1, 5],
    [3, 4],
  ]);
  const kv = ORDERED | VALUE_ORDERED;
  for (const type of [ORDERED, kv, PERSIST_INDEX, kv | PERSIST_INDEX])
    t.deepEqual(run(target, SET_TYPE, BigInt(type)).map, { ...target, flags: type });
  t.is(run(target, SET_TYPE, 0n).map, undefined);
  t.deepEqual(run({ ...target, flags: kv | PERSIST_INDEX }, SET_TYPE, 0n).map, target);
  for (const type of [2n, 4n, 8n, 32n, 33n, -1n, 2n ** 40n, 2n ** 53n - 1n])
    t.is(run(target, SET_TYPE, type).code, NOT_APPLICABLE, `${type}`);
  t.deepEqual(run({ ...target, flags: kv | PERSIST_INDEX }, CLEAR).map, {
    pairs: [],
    flags: kv | PERSIST_INDEX,
  });
  t.is(run(undefined, PUT, 1n, 1n, 2n).map!.flags, 0);
});

test('a million items that all are wildcards select each pair once', t => {
  const target = bytesOf(ofInts(Array.from({ length: 1000 }, (_, k) => [k, k])));
  const items = Buffer.alloc(3 * 300_000, fromHex('d4ff00'));
  for (const code of [BY_KEY_LIST, BY_VALUE_LIST]) {
    const body = Buffer.concat([fromHex(`93${code.toString(16)}05dd`), fromHex('000493e0'), items]);
    const start = process.cpuUsage();
    const outcome = runValueOp(operateCdt, { type: MAP, bytes: target }, body, false, BLOB);
    t.is(sentOf(outcome.result!), 1000n);
    t.true(process.cpuUsage(start).user < 3_000_000);
  }
});

const key: fc.Arbitrary<Sent> = fc.oneof(
  { weight: 6, arbitrary: fc.bigInt({ min: -4n, max: 12n }) },
  { weight: 3, arbitrary: fc.constantFrom('', 'a', 'ab', 'b', 'x'.repeat(40)).map(text) },
  {
    weight: 1,
    arbitrary: fc.constantFrom([], [0], [255, 1]).map(b => ({ bytes: Uint8Array.from([4, ...b]) })),
  },
  { weight: 1, arbitrary: fc.constantFrom(-(2n ** 63n), 300n, 2n ** 40n, 2n ** 64n - 1n) },
);
const plain: fc.Arbitrary<Sent> = fc.oneof(
  { weight: 4, arbitrary: fc.bigInt({ min: -2n, max: 9n }) },
  { weight: 2, arbitrary: key },
  { weight: 1, arbitrary: fc.constantFrom<Sent>(null, true, false, { double: 1.5 }, { double: -3 }) },
);
const uniquePairs = (value: fc.Arbitrary<Sent>, maxLength: number): fc.Arbitrary<Pair[]> =>
  fc.uniqueArray(fc.tuple(key, value), { maxLength, selector: ([k]) => textOf(k) });
const stored: fc.Arbitrary<Sent> = fc.oneof(
  { weight: 6, arbitrary: plain },
  { weight: 1, arbitrary: fc.array(plain, { maxLength: 3 }).map(items => list(...items)) },
  { weight: 1, arbitrary: uniquePairs(plain, 3).map(items => ({ pairs: items, flags: 0 })) },
);
const compared: fc.Arbitrary<Sent> = fc.oneof(
  { weight: 12, arbitrary: stored },
  { weight: 1, arbitrary: fc.constantFrom<Sent>(WILDCARD, INF, list(1n, WILDCARD), list(1n, INF)) },
);
const number = fc.oneof(
  { weight: 12, arbitrary: fc.bigInt({ min: -9n, max: 9n }) },
  { weight: 1, arbitrary: fc.constantFrom(17n, 19n, 2n ** 40n, -(2n ** 40n)) },
);
const returnType = fc
  .tuple(fc.constantFrom(0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 13n, 14n, 16n, 17n), fc.boolean())
  .map(([type, isInverted]) => (isInverted ? type | INVERTED : type));

const ARGUMENT: Readonly<Record<number, fc.Arbitrary<Sent>>> = {
  [INT_ARG]: number,
  [COUNT_ARG]: number,
  [STORED_ARG]: fc.oneof({ weight: 9, arbitrary: stored }, { weight: 1, arbitrary: compared }),
  [LIST_ARG]: fc.array(compared, { maxLength: 6 }).map(items => list(...items)),
  [STORED_MAP_ARG]: uniquePairs(stored, 5).map(items => ({ pairs: items, flags: 0 })),
  [KEY_ARG]: fc.oneof({ weight: 12, arbitrary: key }, { weight: 1, arbitrary: plain }),
  [DELTA_ARG]: fc.oneof(number, fc.constantFrom<Sent>(null, { double: 2.5 }, { double: -1e300 })),
  [RETURN_ARG]: returnType,
};

/** A call that the table allows, most of the time. */
const anyCall = fc
  .constantFrom(...MAP_OPS)
  .chain(([code, row]) =>
    fc
      .tuple(
        fc.integer({ min: row.required, max: row.params.length }),
        fc.tuple(...row.params.map(kind => ARGUMENT[kind] ?? compared)),
      )
      .map(([count, args]) => ({ code, args: args.slice(0, count) })),
  );
const anyMap = fc
  .tuple(uniquePairs(stored, 14), fc.constantFrom(0, 1, 3, 16, 17, 19))
  .map(([items, flags]) =>
    MODEL_OPS.get(PUT_ITEMS)!.apply({ pairs: [], flags }, [{ pairs: items, flags: 0 }]),
  )
  .map(outcome => ('map' in outcome ? outcome.map! : undefined));

/** A single result as it travels: nil is nothing, integers have 64 bits with a sign. */
const asParticle = (value: Sent | undefined) =>
  typeof value === 'bigint' ? BigInt.asIntN(64, value) : (value ?? undefined);

test('random calls answer and change as the model does, with an index or without', t => {
  fc.assert(
    fc.property(
      fc.option(anyMap, { nil: undefined, freq: 9 }),
      fc.array(anyCall, { maxLength: 6 }),
      (start, calls) => {
        let map = start;
        for (const { code, args } of calls) {
          const row = MODEL_OPS.get(code)!;
          const outcome = run(map, code, ...args);
          const note = `${rows.get(code)!.name} ${textOf(args)} on ${textOf(map)}`;
          if (map === undefined && !row.creates) {
            t.deepEqual([outcome.code, outcome.result, outcome.changed], [0, undefined, undefined], note);
            continue;
          }
          const expected = row.apply(map, args);
          t.is(outcome.code, expected.code, note);
          if (!('map' in expected)) continue;
          t.is(textOf(outcome.result ?? undefined), textOf(asParticle(expected.result)), note);
          if (row.modifies) {
            t.is(textOf(outcome.map ?? map), textOf(expected.map), note);
            if (outcome.changed !== undefined) t.is(outcome.changed, toHex(storedBytes(outcome.map!)), note);
            map = expected.map;
          }
        }
      },
    ),
    { numRuns: 3000 },
  );
});

test('a map without an index has one of another form for clients, or none', t => {
  const seen = (map: MapModel) => {
    const bytes = storedBytes(map);
    const wire = new Uint8Array(wireSize(MAP, bytes, 0, bytes.length));
    t.is(writeWire(MAP, bytes, 0, bytes.length, wire, 0), wire.length);
    return toHex(wire);
  };
  fc.assert(
    fc.property(anyMap, map => {
      if (map === undefined) return;
      const { pairs: items, flags } = map;
      t.is(seen(map), toHex(bytesOf({ pairs: items, flags: flags & 3 })));
    }),
  );
});
