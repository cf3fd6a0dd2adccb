import test from 'ava';
import fc from 'fast-check';
import { writeIndexed } from '../../../src/data/cdt/index-writer.js';
import { operateCdt } from '../../../src/data/cdt/operate.js';
import { indexedSize } from '../../../src/data/cdt/persisted-index.js';
import { LIST_OPS } from '../../../src/data/list/ops.js';
import { BLOB, LIST } from '../../../src/data/type.js';
import { fromHex, toHex } from '../frame.js';
import { INF, type Sent, unpack, WILDCARD } from '../msgpack/unpack.js';
import { anyStored, pack, type Value } from '../msgpack/value.js';
import { runValueOp } from '../run-value-op.js';
import { apply, type ListModel, ROWS } from './model.js';
import { bytesOf, listOf, sentOf, textOf } from './values.js';

const PARAMETER = 4;
const INCOMPATIBLE_TYPE = 12;
const RECORD_TOO_BIG = 13;
const NOT_APPLICABLE = 26;
const INVERTED = 0x10000n;
const [ORDERED, PERSIST_INDEX] = [1, 16];

const list = (...items: Sent[]): Sent => ({ list: items, isOrdered: false });
const ints = (...items: number[]): Sent => list(...items.map(BigInt));
const text = (content: string): Sent => ({ bytes: Uint8Array.from([3, ...Buffer.from(content)]) });
const ofInts = (items: readonly number[], flags = 0): ListModel => ({ items: items.map(BigInt), flags });

/** Packs what may stand in a call, sentinels included. */
function packSent(value: Sent): Uint8Array {
  if (value === WILDCARD) return fromHex('d4ff00');
  if (value === INF) return fromHex('d4ff01');
  if (value !== null && typeof value === 'object' && 'list' in value) {
    const flags = value.isOrdered ? fromHex('c70001') : new Uint8Array(0);
    const count = value.list.length + (value.isOrdered ? 1 : 0);
    const head = count <= 15 ? [0x90 | count] : [0xdc, count >> 8, count & 0xff];
    return Buffer.concat([Uint8Array.from(head), flags, ...value.list.map(packSent)]);
  }
  return pack(value as Value);
}

const bodyOf = (opCode: number, args: readonly Sent[]) => packSent(list(BigInt(opCode), ...args));
const isModify = (opCode: number) => ROWS.get(opCode)?.isModify ?? false;

/** Runs a call on a list, a particle of another kind, or nothing. */
function run(target: ListModel | Uint8Array | undefined, opCode: number, ...args: Sent[]) {
  const bytes = target instanceof Uint8Array || target === undefined ? target : bytesOf(target);
  const outcome = runValueOp(
    operateCdt,
    bytes && { type: LIST, bytes },
    bodyOf(opCode, args),
    isModify(opCode),
    BLOB,
  );
  return {
    code: outcome.code,
    result: outcome.result && sentOf(outcome.result),
    list: outcome.changed && listOf(fromHex(outcome.changed.hex)),
    changed: outcome.changed?.hex,
  };
}

/** What comes out as a particle: nil is none, and integers have 64 bits with a sign. */
function particleValue(result: Sent | undefined): Sent | undefined {
  if (typeof result === 'bigint') return BigInt.asIntN(64, result);
  return result === null ? undefined : result;
}

const listText = (of: ListModel | undefined) => of && `${of.flags} ${textOf(of.items)}`;

/** What is wrong with a call's outcome, by the model; undefined when nothing is. */
function difference(
  before: ListModel | undefined,
  target: Uint8Array | undefined,
  opCode: number,
  args: readonly Sent[],
) {
  const given = run(target, opCode, ...args);
  const expected = apply(opCode, before, args, isModify(opCode));
  if (given.code !== expected.code) return `code ${given.code}, not ${expected.code}`;
  if (!('list' in expected)) return undefined;
  const result = particleValue(expected.result);
  if (textOf(given.result) !== textOf(result)) return `${textOf(given.result)}, not ${textOf(result)}`;
  const after = given.list ?? before;
  if (listText(after) !== listText(expected.list))
    return `left ${textOf(after)}, not ${textOf(expected.list)}`;
  if (given.changed !== undefined && (expected.list!.flags & PERSIST_INDEX) === 0) {
    if (given.changed !== toHex(bytesOf(expected.list!))) return `not the stored form: ${given.changed}`;
  }
  return undefined;
}

/** Few values, so that many are equal. */
const common: fc.Arbitrary<Sent> = fc.oneof(
  { weight: 6, arbitrary: fc.bigInt({ min: 0n, max: 6n }) },
  fc.constantFrom<Sent>(
    null,
    false,
    true,
    -1n,
    -40n,
    300n,
    2n ** 63n - 1n,
    -(2n ** 63n),
    { double: 1.5 },
    { double: -0 },
    { double: 0 },
    text(''),
    text('a'),
    text('ab'),
    { bytes: Uint8Array.of(4, 1) },
    list(),
    ints(1),
    ints(1, 2),
    { list: [1n, 2n], isOrdered: true },
    { pairs: [[1n, 2n]], flags: 0 },
    { pairs: [[1n, 2n]], flags: 1 },
    {
      pairs: [
        [1n, 2n],
        [2n, 1n],
      ],
      flags: 0,
    },
  ),
);
/** As Java and Go send it: the keys of a map in any order. */
const SHUFFLED: Sent = {
  pairs: [
    [2n, 1n],
    [1n, 2n],
  ],
  flags: 0,
};
const value: fc.Arbitrary<Sent> = fc.oneof(
  { weight: 5, arbitrary: common },
  { weight: 1, arbitrary: anyStored as fc.Arbitrary<Sent> },
);
const compared: fc.Arbitrary<Sent> = fc.oneof(
  { weight: 8, arbitrary: value },
  fc.constantFrom<Sent>(WILDCARD, INF, list(1n, WILDCARD), list(WILDCARD), list(1n, INF)),
  fc.constantFrom<Sent>(SHUFFLED, list(SHUFFLED), { pairs: [[1n, SHUFFLED]], flags: 0 }),
);
const integer = fc.oneof(
  { weight: 8, arbitrary: fc.bigInt({ min: -9n, max: 9n }) },
  fc.constantFrom(20n, -30n, 2n ** 31n, -(2n ** 31n), 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)),
);
const flags = fc.oneof(fc.bigInt({ min: 0n, max: 17n }), integer);
const returnType = fc
  .tuple(fc.constantFrom(0n, 1n, 2n, 3n, 4n, 5n, 7n, 13n, 6n, 8n, 16n), fc.boolean())
  .map(([type, isInverted]) => (isInverted ? type | INVERTED : type));
const anyList: fc.Arbitrary<ListModel> = fc
  .tuple(
    fc.array(value, { maxLength: 12 }),
    fc.constantFrom(0, ORDERED, PERSIST_INDEX, ORDERED | PERSIST_INDEX),
  )
  .map(([items, given]) => {
    const set = apply(0, { items, flags: given & PERSIST_INDEX }, [BigInt(given)], true);
    return (set as { list: ListModel }).list;
  });

/** Arguments by the letters of a signature; now and then one too few, too many or of a wrong kind. */
function argsFor(signature: string): fc.Arbitrary<readonly Sent[]> {
  const kinds = [...signature.replace(/[[\]]/g, '')];
  const required = signature.replace(/\[.*/, '').length;
  // Of integers beyond 2^48 only it is known that they are large; 9 to 12 are answers that the model does not have.
  const isStray = (v: bigint) => v < 2n ** 48n && v > -(2n ** 48n) && !(v >= 9n && v <= 12n);
  const stray = compared.filter(v => typeof v !== 'bigint' || isStray(v));
  const isLast = (k: number) => signature.endsWith(']') && k === kinds.length - 1;
  const of = (kind: string, k: number): fc.Arbitrary<Sent> => {
    if (kind === 'r') return returnType;
    if (kind === 'i') return isLast(k) ? flags : integer;
    if (kind === 'v') return compared;
    return fc
      .oneof(
        {
          weight: 8,
          arbitrary: fc.array(fc.oneof({ weight: 20, arbitrary: value }, compared), { maxLength: 6 }),
        },
        fc.array(compared, { maxLength: 6 }),
      )
      .map(items => list(...items));
  };
  return fc
    .tuple(
      fc.tuple(...kinds.map((kind, k) => fc.oneof({ weight: 40, arbitrary: of(kind, k) }, stray))),
      fc.integer({ min: required, max: kinds.length }),
      fc.nat(30),
    )
    .map(([args, count, miss]) =>
      miss === 0
        ? args.slice(0, Math.max(0, required - 1))
        : miss === 1
          ? [...args, 1n]
          : args.slice(0, count),
    );
}

const anyCall = fc
  .constantFrom(...ROWS.keys())
  .chain(opCode => argsFor(ROWS.get(opCode)!.signature).map(args => ({ opCode, args })));

test('any operation on any list does what the model does', t => {
  fc.assert(
    fc.property(fc.option(anyList, { nil: undefined, freq: 12 }), anyCall, (before, { opCode, args }) => {
      const wrong = difference(before, before && bytesOf(before), opCode, args);
      if (wrong !== undefined) throw new Error(`${opCode} ${textOf(args)} on ${textOf(before)}: ${wrong}`);
    }),
    { numRuns: 6000, includeErrorInReport: true },
  );
  t.pass();
});

test('an index in the list changes nothing but where elements are looked for', t => {
  fc.assert(
    fc.property(anyList, anyCall, (plain, { opCode, args }) => {
      const before = { ...plain, flags: plain.flags | PERSIST_INDEX };
      const bytes = bytesOf(before);
      const indexed = new Uint8Array(indexedSize(bytes, 0, bytes.length));
      if (indexed.length === bytes.length) indexed.set(bytes);
      else writeIndexed(bytes, 0, bytes.length, indexed, 0);
      const wrong = difference(before, indexed, opCode, args);
      if (wrong !== undefined) throw new Error(`${opCode} ${textOf(args)} on ${textOf(before)}: ${wrong}`);
    }),
    { numRuns: 2000, includeErrorInReport: true },
  );
  t.pass();
});

test('the table has the operations of the protocol', t => {
  const facts = (code: number, modifies: boolean, creates: boolean, required: number, most: number) =>
    `${code} ${modifies} ${creates} ${required} ${most}`;
  t.deepEqual(
    LIST_OPS.map(([code, row]) =>
      facts(code, row.modifies, row.creates, row.required, row.params.length),
    ).sort(),
    [...ROWS]
      .map(([code, row]) => {
        const most = row.signature.replace(/[[\]]/g, '').length;
        return facts(code, row.isModify, row.creates, row.signature.replace(/\[.*/, '').length, most);
      })
      .sort(),
  );
});

for (const [code, row] of LIST_OPS) {
  const { signature } = ROWS.get(code)!;
  const kinds = [...signature.replace(/[[\]]/g, '')];
  const fitting = kinds.map(kind => (kind === 'l' ? ints(1) : 0n));
  const target = ofInts([3, 1, 2]);

  test(`${row.name} takes ${row.required} to ${kinds.length} arguments of its kinds`, t => {
    for (let count = 0; count <= kinds.length + 1; count++) {
      const args = [...fitting, 0n].slice(0, count);
      const isFitting = count >= row.required && count <= kinds.length;
      const outcome = run(target, code, ...args);
      t.is(outcome.code === PARAMETER, !isFitting, `${count} arguments`);
    }
    kinds.forEach((kind, k) => {
      if (kind === 'v') return;
      for (const wrong of [text('x'), { double: 1 }, null, ...(kind === 'l' ? [1n] : [ints(1)])]) {
        t.is(
          run(target, code, ...(fitting as Sent[]).with(k, wrong as Sent)).code,
          PARAMETER,
          `argument ${k}`,
        );
      }
    });
    const body = bodyOf(code, fitting);
    const other = runValueOp(operateCdt, { type: LIST, bytes: bytesOf(target) }, body, !row.modifies, BLOB);
    t.is(other.code, PARAMETER, 'as a read and as a change');
  });
}

const OTHER_TYPE: ReadonlyArray<readonly [string, string]> = [
  ['a map', '8101a102'],
  ['no element', 'c1'],
  ['nothing at all', ''],
];
for (const [what, hex] of OTHER_TYPE) {
  test(`a list particle that holds ${what} is refused`, t => {
    t.is(run(fromHex(hex), 16).code, INCOMPATIBLE_TYPE);
    t.is(run(fromHex(hex), 1, 1n).code, INCOMPATIBLE_TYPE);
  });
}

test('the examples of the protocol', t => {
  const five = ofInts([4, 3, 1, 5, 2]);
  const ranked = (run(five, 0, 1n).list ?? five) as ListModel;
  t.deepEqual(run(ranked, 23, 3n, ints(4, 2)).result, ints(3, 1));
  t.deepEqual(run(five, 24, 2n, 1n, 2n).result, ints(2, 3));
  t.deepEqual(run(five, 21, 7n, -1n).result, 5n);
  t.deepEqual(run(five, 25, 5n, -1n, 3n).result, 2n);
  const trimmed = run(five, 10, 1n, 3n);
  t.deepEqual([trimmed.result, trimmed.list?.items], [2n, [3n, 1n, 5n]]);

  t.deepEqual(run(ofInts([0, 1, 2, 3, 4]), 18, -7n, 3n).result, ints(0));
  const six = ofInts([0, 4, 5, 9, 11, 15], ORDERED);
  const relative = (v: number, rank: number, ...count: bigint[]) =>
    run(six, 27, 7n, BigInt(v), BigInt(rank), ...count).result;
  t.deepEqual(relative(5, 0), ints(5, 9, 11, 15));
  t.deepEqual(relative(5, -1), ints(4, 5, 9, 11, 15));
  t.deepEqual(relative(3, 3), ints(11, 15));
  t.deepEqual(relative(3, -3), ints(0, 4, 5, 9, 11, 15));
  t.deepEqual(relative(5, 0, 2n), ints(5, 9));
  t.deepEqual(relative(3, -3, 2n), list());
});

test('ranges of indexes and ranks are a start and a count', t => {
  const five = ofInts([4, 3, 1, 5, 2]);
  t.deepEqual(run(five, 24, 9n, 1n, 2n).result, ints(1, 2));
  t.deepEqual(run(five, 24, 10n, 1n, 2n).result, ints(2, 2));
  t.deepEqual(run(five, 26, 11n, 1n, 3n).result, ints(1, 3));
  t.deepEqual(run(five, 26, 12n, 1n, 3n).result, ints(1, 3));
  t.is(run(five, 24, 9n | INVERTED, 1n, 2n).code, NOT_APPLICABLE);
  t.is(run(five, 24, 11n, 1n, 2n).code, NOT_APPLICABLE);
});

test('an empty list of values selects nothing, and inverted everything', t => {
  for (const flags of [0, ORDERED]) {
    const target = ofInts([1, 2, 3], flags);
    t.deepEqual(run(target, 36, 7n, list()).result, list());
    const removed = run(target, 36, 7n | INVERTED, list());
    t.deepEqual([removed.result, removed.list], [ints(1, 2, 3), { items: [], flags }]);
    t.deepEqual(run(target, 23, 7n | INVERTED, list()).result, ints(1, 2, 3));
    t.deepEqual(run(ofInts([], flags), 36, 7n | INVERTED, list()).result, list());
  }
});

test('everything but what was picked one by one exists when nothing was picked', t => {
  const exists = (target: ListModel, code: number, ...args: Sent[]) =>
    run(target, code, 13n | INVERTED, ...args).result;
  const target = ofInts([1, 2, 3]);
  for (const [code, some, none] of [
    [22, [2n], [9n]],
    [23, [ints(2)], [ints(9)]],
    [25, [2n], [9n]],
    [26, [1n, 1n], [5n]],
    [27, [2n, 0n, 1n], [9n, 0n]],
  ] as const) {
    t.false(exists(target, code, ...some), `${code}`);
    t.true(exists(target, code, ...none), `${code}`);
  }
  t.false(exists(ofInts([1, 2, 3], ORDERED), 23, ints(2)));
  t.true(exists(ofInts([1, 2, 3], ORDERED), 23, ints(9)));
  t.true(exists(ofInts([1, 2, 3], ORDERED), 22, 2n), 'a run of indexes');
  t.true(exists(target, 24, 1n, 1n), 'a run of indexes');
});

test('values of every type are sorted together', t => {
  const mixed: Sent[] = [
    { double: Number.NaN },
    { double: 2 },
    { bytes: Uint8Array.of(4) },
    { pairs: [], flags: 0 },
    list(),
    text('a'),
    7n,
    -7n,
    true,
    false,
    null,
  ];
  const sorted = run({ items: mixed, flags: 0 }, 13, 0n);
  t.is(sorted.code, 0);
  t.deepEqual(sorted.list?.items.slice(0, 9), [...mixed].reverse().slice(0, 9));
  for (const flags of [0n, 1n, 2n]) {
    const twice = { items: [...mixed, ...mixed], flags: 0 };
    t.is(run(twice, 13, flags).code, 0);
    t.is(run(twice, 0, 1n).code, 0);
  }
});

test('a map whose keys come in any order is the map that is stored', t => {
  const map = (...pairs: [string, bigint][]): Sent => ({
    pairs: pairs.map(([key, item]) => [text(key), item] as const),
    flags: 0,
  });
  const ordered: ListModel = { items: [map(['m', 1n], ['z', 1n])], flags: ORDERED };
  const inOrder: readonly Sent[] = [map(['a', 9n], ['z', 0n]), ...ordered.items];
  t.deepEqual(
    run(ordered, 1, map(['z', 0n], ['a', 9n])).list?.items,
    inOrder,
    'an ordered list stays in order',
  );
  t.deepEqual(
    run({ items: [list(inOrder[1]!)], flags: ORDERED }, 1, list(map(['z', 0n], ['a', 9n]))).list?.items,
    [list(inOrder[0]!), list(inOrder[1]!)],
  );
  const plain: ListModel = { items: inOrder, flags: 0 };
  const again: Sent = map(['z', 0n], ['a', 9n]);
  t.is(run(plain, 1, again, 0n, 1n).code, 24, 'append');
  t.is(run(plain, 3, 1n, again, 1n).code, 24, 'insert');
  t.is(run(plain, 9, 1n, again, 1n).code, 24, 'set');
  t.is(run(plain, 9, 0n, again, 1n).code, 0, 'set in its own place');
  t.is(run(plain, 2, list(again), 0n, 1n).code, 24, 'append items');
});

test('an index far beyond the end is not filled up to', t => {
  for (const index of [2n ** 24n, 2n ** 31n - 1n]) {
    t.is(run(ofInts([1]), 3, index, 1n).code, RECORD_TOO_BIG);
    t.is(run(ofInts([1]), 4, index, ints(1)).code, RECORD_TOO_BIG);
    t.is(run(ofInts([1]), 9, index, 1n).code, RECORD_TOO_BIG);
    t.is(run(ofInts([1]), 12, index, 1n).code, RECORD_TOO_BIG);
  }
  t.is(run(ofInts([1]), 3, 2n ** 31n, 1n).code, NOT_APPLICABLE);
});

test('sums wrap at 64 bits and keep the type that is there', t => {
  const increment = (own: Sent, delta: Sent) => run({ items: [own], flags: 0 }, 12, 0n, delta).result;
  t.is(increment(2n ** 63n - 1n, 1n), -(2n ** 63n));
  t.is(increment(-(2n ** 63n), -1n), 2n ** 63n - 1n);
  t.is(increment(2n ** 32n - 1n, 1n), 2n ** 32n);
  t.is(increment(5n, { double: -2.9 }), 3n);
  t.is(increment(0n, { double: 1e300 }), -(2n ** 63n));
  t.deepEqual(increment({ double: 0.5 }, 2n ** 40n), { double: 2 ** 40 + 0.5 });
});

test('lists of values that match over and over stay bounded', t => {
  const many = 40_000;
  const items = Array.from({ length: many }, () => 1n);
  const argument = list(...Array.from({ length: 20_000 }, () => 1n));
  const wild = list(...Array.from({ length: 20_000 }, (_, k) => (k % 2 === 0 ? WILDCARD : 1n)));
  for (const flags of [0, ORDERED]) {
    const target = bytesOf({ items, flags });
    const start = process.cpuUsage();
    t.deepEqual(run(target, 23, 5n, argument).result, BigInt(many));
    t.deepEqual(run(target, 23, 5n, wild).result, BigInt(many));
    t.is(run(target, 36, 7n, argument).code, flags === 0 ? 0 : RECORD_TOO_BIG);
    t.true(process.cpuUsage(start).user < 5_000_000); // 800 million matches would take far longer
  }
});

test('the heap of ranks and the sort see the whole of large lists', t => {
  let seed = 1;
  const items = Array.from({ length: 3000 }, () => {
    seed = (seed * 48271) % 0x7fffffff;
    return BigInt(seed % 5000);
  });
  const target = { items, flags: 0 };
  const expected = [...items].sort((a, b) => (a < b ? -1 : 1));
  t.deepEqual(run(target, 13, 0n).list?.items, expected);
  t.deepEqual(run(target, 26, 7n, 2000n, 500n).result, list(...expected.slice(2000, 2500)));
  t.deepEqual(run(target, 26, 7n, 100n, 500n).result, list(...expected.slice(100, 600).reverse()));
  t.deepEqual(unpack(bytesOf(run(target, 0, 1n).list!)), { list: expected, isOrdered: true });
});
