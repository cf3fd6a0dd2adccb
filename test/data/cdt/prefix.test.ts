import test from 'ava';
import fc from 'fast-check';
import { isWhole, NO_PREFIX, prefixOf, searchPrefixOf } from '../../../src/data/cdt/prefix.js';
import { framings, fromHex } from '../frame.js';
import { alike, anyStored, order, pack, type Value } from '../msgpack/value.js';

/** The prefix, the same however the value is framed. */
function prefix(value: Value): number {
  const bytes = pack(value);
  const found = framings(bytes).map(({ bytes: around, at }) => prefixOf(around, at, at + bytes.length));
  return found.every(one => one === found[0]) ? found[0]! : Number.NaN;
}

/** Values whose prefixes are near each other. */
const near = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
  fc.constantFrom(
    2n ** 48n,
    2n ** 48n - 1n,
    2n ** 48n - 2n,
    -(2n ** 47n),
    -(2n ** 47n) - 1n,
    -(2n ** 47n) + 1n,
  ),
  fc
    .array(fc.constantFrom(0, 1, 255), { maxLength: 8 })
    .map(content => ({ bytes: Uint8Array.from([3, ...content]) })),
);
const anyValue: fc.Arbitrary<Value> = fc.oneof(
  anyStored,
  near,
  fc
    .record({ list: fc.array(near, { maxLength: 3 }), isOrdered: fc.boolean() })
    .map(({ list, isOrdered }) => ({ list: isOrdered ? list.sort(order) : list, isOrdered })),
);

test('prefixes order values as far as they tell', t => {
  fc.assert(
    fc.property(fc.oneof(fc.tuple(anyValue, anyValue), alike), ([a, b]) => {
      const [x, y] = [prefix(a), prefix(b)];
      if (x !== y) return order(a, b) === Math.sign(x - y);
      return !isWhole(x) || order(a, b) === 0;
    }),
    { numRuns: 6000 },
  );
  t.pass();
});

test('what holds a sentinel is searched without a prefix', t => {
  for (const hex of ['d4ff00', 'd4ff01', '91d4ff00', '8101d4ff00', '9191d4ff00', '9301d4ff00a20361']) {
    const bytes = fromHex(hex);
    t.is(searchPrefixOf(bytes, 0, bytes.length), NO_PREFIX, hex);
  }
  for (const hex of [
    '05',
    'c0',
    'cb3ff8000000000000',
    'a20361',
    '90',
    '80',
    '92c7000105',
    '920a91a20361',
    '810105',
  ]) {
    const bytes = fromHex(hex);
    t.is(searchPrefixOf(bytes, 0, bytes.length), prefixOf(bytes, 0, bytes.length), hex);
  }
});

test('lists are told apart by what is deep inside', t => {
  for (const [smaller, larger] of [
    ['919191919105', '919191919106'],
    ['9191919191cd0105', '9191919191cd0106'],
    ['9191919191e0', '9191919191e1'],
    ['91ff', '9100'],
    ['950000000005', '950000000006'],
    ['9105', '920500'],
    ['81010a', '81010b'],
  ] as const) {
    const [x, y] = [fromHex(smaller), fromHex(larger)];
    t.true(prefixOf(x, 0, x.length) < prefixOf(y, 0, y.length), `${smaller} ${larger}`);
  }
});
