import test from 'ava';
import fc from 'fast-check';
import { INDEX_BITS, MINHASH_BITS, NEW_INDEX_BITS } from '../../../src/data/hll/call.js';
import { operateHll } from '../../../src/data/hll/operate.js';
import { HLL_OPS } from '../../../src/data/hll/ops.js';
import { checkHll, sketchSize } from '../../../src/data/hll/sketch.js';
import { BLOB, FLOAT, HLL, INTEGER, LIST, NULL } from '../../../src/data/type.js';
import { fromHex, toHex } from '../frame.js';
import { anyValue, anyWidths, pack, type Value } from '../msgpack/value.js';
import { type Outcome, runValueOp } from '../run-value-op.js';
import {
  added,
  bytesOf,
  emptySketch,
  estimate,
  type ModelSketch,
  merged,
  place,
  similarity,
  template,
} from './model.js';

const CODES = Object.fromEntries(HLL_OPS.map(([code, row]) => [row.name, code]));

const listOf = (list: readonly Value[], isOrdered = false): Value => ({ list, isOrdered });
const text = (s: string): Value => ({ bytes: Uint8Array.from([3, ...Buffer.from(s)]) });
const sketch = (s: ModelSketch | Uint8Array, type = HLL): Value => ({
  bytes: Uint8Array.from([type, ...(s instanceof Uint8Array ? s : bytesOf(s))]),
});

function run(bin: ModelSketch | Uint8Array | undefined, name: string, args: readonly Value[]): Outcome {
  const code = CODES[name]!;
  const bytes = bin instanceof Uint8Array ? bin : bin && bytesOf(bin);
  const target = bytes && { type: HLL, bytes };
  return runValueOp(operateHll, target, pack(listOf([BigInt(code), ...args])), code < 50, BLOB);
}

const answers = (n: number | bigint): Outcome => ({
  code: 0,
  result: { type: INTEGER, hex: BigInt(n).toString(16).padStart(16, '0') },
});
const becomes = (s: ModelSketch | Uint8Array, answer?: number): Outcome => ({
  ...(answer === undefined ? { code: 0 } : answers(answer)),
  changed: { type: HLL, hex: toHex(s instanceof Uint8Array ? s : bytesOf(s)) },
});
const number = ({ result }: Outcome) =>
  result?.type === FLOAT
    ? Buffer.from(result.hex, 'hex').readDoubleBE()
    : Number(BigInt(`0x${result?.hex ?? 'ff'}`));
const bytes = (outcome: Outcome) => fromHex(outcome.changed!.hex);

const sketchWith = (p: number, m: number, elements: readonly Value[]) =>
  added(
    emptySketch(p, m),
    elements.map(element => pack(element)),
  )[0];
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, k): Value => BigInt(from + k));

const CATS = ['jaguar', 'tiger', 'leopard', 'lion'].map(text);

test('the sketches of the protocol, byte for byte', t => {
  const cats = run(undefined, 'add', [listOf(CATS), 8n]);
  const expected = new Uint8Array(203);
  for (const [at, byte] of [
    [1, 0x08],
    [36, 0x10],
    [43, 0x04],
    [163, 0x41],
  ] as const)
    expected[at] = byte;
  t.deepEqual(cats, becomes(expected, 4));
  t.deepEqual(
    run(undefined, 'add', [listOf([1n]), 4n, 0n]),
    becomes(fromHex(`000400${'00'.repeat(8)}000000000040${'00'.repeat(6)}`), 1),
  );
  t.deepEqual(
    run(undefined, 'add', [listOf(['a', 'b', 'c'].map(text)), 4n, 4n]),
    becomes(fromHex(`000404${'00'.repeat(8)}0000000000000470bc0000035000000000000000`), 3),
  );
});

test('the estimates of the protocol', t => {
  t.deepEqual(run(bytes(run(undefined, 'add', [listOf(CATS), 8n])), 'count', []), answers(4));
  t.deepEqual(run(sketchWith(10, 0, numbers(0, 1000)), 'count', []), answers(994));
  const keys = Array.from({ length: 10_000 }, (_, k) => text(`k${k}`));
  const many = bytes(run(undefined, 'add', [listOf(keys), 12n]));
  t.deepEqual(run(many, 'count', []), answers(10_159));
  t.deepEqual(run(emptySketch(16, 0), 'count', []), answers(0));
});

test('requests as clients send them', t => {
  const sent = (target: Uint8Array | undefined, hex: string) =>
    runValueOp(operateHll, target && { type: HLL, bytes: target }, fromHex(hex), fromHex(hex)[1]! < 50, BLOB);
  t.deepEqual(sent(undefined, '940008ff00'), becomes(emptySketch(8, 0)));
  t.deepEqual(sent(undefined, '9400080600'), becomes(emptySketch(8, 6)));
  const ab = sketchWith(8, 0, [text('a'), text('b')]);
  t.deepEqual(sent(undefined, '950192a20361a2036208ff00'), becomes(ab, 2));
  t.deepEqual(sent(bytesOf(ab), '9132'), answers(2));
  t.deepEqual(sent(bytesOf(ab), '920404'), becomes(merged(4, 0, [ab])));
  t.deepEqual(sent(bytesOf(ab), '9103'), becomes(bytesOf(ab, 2n), 2));
  t.deepEqual(sent(bytesOf(ab), '9137'), { code: 0, result: { type: LIST, hex: '920800' } });
});

/** Arguments that are right for each kind of parameter of the table, by its number. */
const ONE = sketchWith(4, 0, [1n]);
const RIGHT: readonly Value[] = [listOf([1n]), listOf([sketch(ONE)]), 5n, 0n, 4n, 0n];

for (const [code, row] of HLL_OPS) {
  const go = (args: readonly Value[], type = HLL, modifies = row.modifies) =>
    runValueOp(
      operateHll,
      { type, bytes: bytesOf(sketchWith(4, 0, [2n])) },
      pack(listOf([BigInt(code), ...args])),
      modifies,
      BLOB,
    );

  test(`row ${code}, ${row.name}: the right number of arguments of the right kinds, on a sketch`, t => {
    const right = row.params.map(kind => RIGHT[kind]!);
    for (let count = 0; count <= right.length + 1; count++) {
      const isRight = count >= row.required && count <= right.length;
      t.is(go([...right, 0n].slice(0, count)).code, isRight ? 0 : 4, `${count} arguments`);
    }
    const wrong = [null, { double: 1 }, listOf([]), text('4'), 2n ** 32n, -2n, listOf([1n, listOf([])])];
    for (const value of wrong)
      for (let k = 0; k < right.length; k++)
        t.is(go(right.map((arg, i) => (i === k ? value : arg))).code, 4, `argument ${k}`);
    for (let k = 0; k < right.length; k++) {
      const kind = row.params[k]!;
      const outside =
        kind === INDEX_BITS || kind === NEW_INDEX_BITS ? [3n, 17n] : kind === MINHASH_BITS ? [3n, 52n] : [];
      for (const bits of outside)
        t.is(go(right.map((arg, i) => (i === k ? bits : arg))).code, 4, `argument ${k}`);
    }
    t.is(go(right, BLOB).code, 12);
    t.is(go([...right, 0n], BLOB).code, 12, 'the type is looked at before the arguments');
    t.is(go(right, HLL, !row.modifies).code, 4);
    t.is(go(right).result?.type ?? NULL, row.answer);
  });
}

test('a body that is cut off anywhere is refused, and no bytes do harm', t => {
  const target = { type: HLL, bytes: bytesOf(sketchWith(4, 4, [2n])) };
  for (const [code, row] of HLL_OPS) {
    const body = pack(listOf([BigInt(code), ...row.params.map(kind => RIGHT[kind]!)]));
    for (let end = 0; end < body.length; end++)
      t.is(runValueOp(operateHll, target, body.slice(0, end), row.modifies, BLOB).code, 4);
  }
  const body = fc.tuple(
    fc.constantFrom(...HLL_OPS.map(([code]) => code)),
    fc.uint8Array({ maxLength: 12 }),
    fc.nat(5),
  );
  fc.assert(
    fc.property(body, ([code, args, count]) => {
      const packed = Uint8Array.from([0x91 + count, code, ...args]);
      t.true([0, 4, 6, 26].includes(runValueOp(operateHll, target, packed, code < 50, BLOB).code));
    }),
    { numRuns: 3000 },
  );
});

test('a stored sketch whose bytes are no sketch is an unknown error', t => {
  const whole = bytesOf(emptySketch(4, 0));
  for (const broken of [
    whole.slice(1),
    whole.slice(0, 22),
    new Uint8Array(0),
    whole.with(0, 1),
    whole.with(1, 5),
  ])
    t.is(run(broken, 'count', []).code, 1);
});

test('rules for bins that are there or missing', t => {
  const is = (outcome: Outcome, code: number) => t.deepEqual(outcome, { code });
  const bin = sketchWith(8, 6, [1n]);
  is(run(undefined, 'init', []), 26);
  is(run(undefined, 'init', [-1n, 4n]), 26);
  is(run(undefined, 'init', [8n, -1n, 2n]), 17);
  is(run(undefined, 'init', [8n, -1n, 6n]), 0);
  t.deepEqual(run(undefined, 'init', [16n, 48n]), becomes(emptySketch(16, 48)));
  is(run(undefined, 'init', [16n, 49n]), 4);
  is(run(bin, 'init', [8n, -1n, 1n]), 6);
  is(run(bin, 'init', [8n, -1n, 5n]), 0);
  is(run(bin, 'init', [8n, -1n, 3n]), 4);
  t.deepEqual(run(bin, 'init', []), becomes(emptySketch(8, 6)));
  t.deepEqual(run(bin, 'init', [9n]), becomes(emptySketch(9, 6)));
  t.deepEqual(run(bin, 'init', [-1n, 0n]), becomes(emptySketch(8, 0)));
  is(run(sketchWith(8, 51, [1n]), 'init', [16n]), 26);

  is(run(undefined, 'add', [listOf([1n])]), 26);
  is(run(bin, 'add', [listOf([2n]), 8n, 6n, 1n]), 6);
  is(run(bin, 'add', [listOf([2n]), 8n, 6n, 5n]), 0);
  is(run(bin, 'add', [listOf([2n]), 8n, 6n, 2n]), 4);
  t.deepEqual(run(bin, 'add', [listOf([2n]), 4n, 0n]), becomes(sketchWith(8, 6, [1n, 2n]), 1));
  t.deepEqual(run(bytesOf(bin, 1n), 'add', [listOf([1n])]), answers(0)); // and the cache stays

  is(run(undefined, 'refresh_count', []), 17);
  is(run(undefined, 'fold', [4n]), 17);
  is(run(bin, 'fold', [4n]), 26);
  is(run(sketchWith(8, 0, [1n]), 'fold', [9n]), 26);
  is(run(sketchWith(8, 0, [1n]), 'fold', [8n]), 0);
  t.deepEqual(run(bytesOf(bin, 7n), 'refresh_count', []), answers(7));
  t.deepEqual(run(bytesOf(bin, 2n ** 40n + 7n), 'count', []), answers(2n ** 40n + 7n));
  t.deepEqual(run(emptySketch(4, 0), 'refresh_count', []), answers(0));

  for (const [code, row] of HLL_OPS) {
    if (row.modifies) continue;
    const args = row.params.map(kind => RIGHT[kind]!);
    is(runValueOp(operateHll, undefined, pack(listOf([BigInt(code), ...args])), false, BLOB), 0);
  }
});

test('set_union keeps the bits of the bin unless it may fold', t => {
  const [small, large] = [sketchWith(4, 0, [1n, 2n]), sketchWith(8, 0, [3n])];
  const [hashed, other] = [sketchWith(8, 6, [4n]), sketchWith(8, 7, [5n])];
  const union = (bin: ModelSketch | undefined, args: readonly ModelSketch[], flags = 0n) =>
    run(bin, 'set_union', [listOf(args.map(arg => sketch(arg))), flags]);
  t.deepEqual(union(undefined, [large, small]), becomes(merged(4, 0, [large, small])));
  t.deepEqual(union(undefined, [hashed]), becomes(hashed));
  t.deepEqual(union(undefined, [hashed, other]), becomes(merged(8, 0, [hashed, other])));
  t.deepEqual(union(small, [large, hashed]), becomes(merged(4, 0, [small, large, hashed])));
  t.deepEqual(union(large, [small]), { code: 26 });
  t.deepEqual(union(large, [small], 8n), becomes(merged(4, 0, [large, small])));
  t.deepEqual(union(hashed, [other]), { code: 26 });
  t.deepEqual(union(hashed, [large]), { code: 26 });
  t.deepEqual(union(hashed, [large], 8n), becomes(merged(8, 0, [hashed, large])));
  t.deepEqual(union(large, [hashed]), becomes(merged(8, 0, [large, hashed])));
  t.deepEqual(union(undefined, [large], 2n), { code: 17 });
  t.deepEqual(union(large, [large], 1n), { code: 6 });
  t.deepEqual(run(small, 'set_union', [sketch(large, BLOB)]), becomes(merged(4, 0, [small, large])));
});

test('more than two sketches are compared by minhash bits that all have', t => {
  const [plain, hashed, other] = [4, 6, 7].map(m => sketchWith(8, m === 4 ? 0 : m, numbers(0, 50)));
  for (const name of ['intersect_count', 'similarity']) {
    const go = (bin: ModelSketch, ...args: ModelSketch[]) =>
      run(bin, name, [listOf(args.map(arg => sketch(arg)))]).code;
    t.is(go(hashed!, hashed!, hashed!, hashed!), 0);
    t.is(go(hashed!, hashed!, hashed!, other!), 4);
    t.is(go(hashed!, plain!, plain!, plain!), 4);
    t.is(go(other!, hashed!, hashed!, hashed!), 26);
    t.is(go(plain!, hashed!, other!), 0);
    t.is(go(plain!, hashed!), 0);
  }
});

const anyScalar = anyValue.filter(
  value => value === null || typeof value !== 'object' || 'bytes' in value || 'double' in value,
);
const anyElements = fc.array(anyScalar, { minLength: 1, maxLength: 40 });
const anyMinhashBits = fc.oneof(fc.constant(0), fc.integer({ min: 4, max: 51 }));
/** Sketches with the same `m` or any, some of them empty, over elements that overlap. */
const sketchOf = (bits: fc.Arbitrary<number>) =>
  fc
    .tuple(fc.integer({ min: 4, max: 8 }), bits, fc.nat(200), fc.nat(300))
    .map(([p, m, from, count]) => sketchWith(p, m, numbers(from, from + count)));
const anySketch = sketchOf(anyMinhashBits);

test('elements are hashed in their smallest form, whatever form they come in', t => {
  const bits = fc.tuple(fc.integer({ min: 4, max: 16 }), anyMinhashBits).filter(([p, m]) => p + m <= 64);
  fc.assert(
    fc.property(anyElements, anyWidths, bits, (elements, widen, [p, m]) => {
      const body = pack(listOf([1n, listOf(elements), BigInt(p), BigInt(m)]), widen);
      const [expected, count] = added(
        emptySketch(p, m),
        elements.map(element => pack(element)),
      );
      const outcome = runValueOp(operateHll, undefined, body, true, BLOB);
      t.true(toHex(bytes(outcome)) === toHex(bytesOf(expected)) && number(outcome) === count);
    }),
    { numRuns: 150 },
  );
});

test('a string of any length has the hash that the algorithm says', t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), content => {
      const element = { bytes: Uint8Array.from([4, ...content]) };
      const expected = emptySketch(4, 51);
      const [register, value] = place(4, 51, pack(element));
      expected.registers[register] = value;
      t.deepEqual(run(undefined, 'add', [listOf([element]), 4n, 51n]), becomes(expected, 1));
    }),
    { numRuns: 500 },
  );
});

test('a sketch may contain what was added to it, and what falls where more was added', t => {
  fc.assert(
    fc.property(anySketch, fc.uniqueArray(fc.nat(600), { minLength: 1, maxLength: 3 }), (bin, found) => {
      const elements = found.map(n => BigInt(n));
      const isContained = elements.every(element => {
        const [register, value] = place(bin.p, bin.m, pack(element));
        return value <= bin.registers[register]!;
      });
      t.deepEqual(run(bin, 'may_contain', [listOf(elements, true)]), answers(isContained ? 1 : 0));
      const [after, count] = added(
        bin,
        elements.map(element => pack(element)),
      );
      t.deepEqual(
        run(bytesOf(bin, 9n), 'add', [listOf(elements)]),
        count > 0 ? becomes(after, count) : answers(0),
      );
    }),
    { numRuns: 500 },
  );
});

test('count, fold, union and union_count agree with sketches as arrays of registers', t => {
  fc.assert(
    fc.property(anySketch, fc.array(anySketch, { minLength: 1, maxLength: 4 }), (bin, others) => {
      t.deepEqual(run(bin, 'count', []), answers(estimate(bin)));
      const all = [...others, bin];
      const union = merged(...template(all), all);
      const args = [listOf(others.map(other => sketch(other)))];
      t.deepEqual(run(bin, 'union', args).result, becomes(union).changed);
      t.deepEqual(run(bin, 'union_count', args), answers(estimate(union)));
      t.deepEqual(run(bin, 'set_union', [...args, 8n]), becomes(union));
      if (bin.m === 0 && bin.p > 4) t.deepEqual(run(bin, 'fold', [4n]), becomes(merged(4, 0, [bin])));
    }),
    { numRuns: 300 },
  );
});

test('one sketch needs no list around it', t => {
  const [bin, other] = [sketchWith(10, 6, numbers(0, 50)), sketchWith(10, 6, numbers(25, 90))];
  for (const name of ['set_union', 'union', 'union_count', 'intersect_count', 'similarity']) {
    const alone = run(bin, name, [sketch(other)]);
    t.is(alone.code, 0, name);
    t.deepEqual(alone, run(bin, name, [listOf([sketch(other)])]), name);
    t.is(run(bin, name, [text('none')]).code, 4, name);
  }
});

test('similarity and intersect_count of sketches with the same minhash bits', t => {
  const sets = anyMinhashBits
    .filter(m => m > 0)
    .chain(m => fc.array(sketchOf(fc.constant(m)), { minLength: 2, maxLength: 5 }));
  fc.assert(
    fc.property(sets, all => {
      const args = [listOf(all.slice(0, -1).map(other => sketch(other)))];
      const bin = all.at(-1)!;
      const expected = similarity(all);
      t.is(number(run(bin, 'similarity', args)), expected);
      const union = estimate(merged(...template(all), all));
      t.deepEqual(
        run(bin, 'intersect_count', args),
        answers(Number.isNaN(expected) ? 0 : Math.round(expected * union)),
      );
    }),
    { numRuns: 300 },
  );
});

test('similarity and intersect_count of sketches without minhash bits, by inclusion and exclusion', t => {
  const sets = fc.array(sketchOf(fc.constant(0)), { minLength: 2, maxLength: 3 });
  fc.assert(
    fc.property(sets, all => {
      const countOf = (...some: ModelSketch[]) => estimate(merged(...template(some), some));
      const pair = (a: ModelSketch, b: ModelSketch) => Math.max(0, countOf(a) + countOf(b) - countOf(a, b));
      const [a, b, c] = all as [ModelSketch, ModelSketch, ModelSketch | undefined];
      const expected =
        c === undefined
          ? pair(a, b)
          : Math.max(
              0,
              countOf(a, b, c) -
                (countOf(a) + countOf(b) + countOf(c) - pair(a, b) - pair(a, c) - pair(b, c)),
            );
      const args = [listOf(all.slice(0, -1).map(other => sketch(other)))];
      t.deepEqual(run(all.at(-1)!, 'intersect_count', args), answers(expected));
      t.is(number(run(all.at(-1)!, 'similarity', args)), expected / countOf(...all));
    }),
    { numRuns: 300 },
  );
});

test('a set half of which is in another', t => {
  const [a, b] = [sketchWith(14, 20, numbers(0, 3000)), sketchWith(14, 20, numbers(1500, 4500))];
  const value = number(run(a, 'similarity', [listOf([sketch(b)])]));
  t.true(Math.abs(value - 1 / 3) < 0.03, `${value}`);
  const common = number(run(a, 'intersect_count', [listOf([sketch(b)])]));
  t.true(Math.abs(common - 1500) < 150, `${common}`);
});

test('sketches are checked where they enter', t => {
  for (const [p, m, size] of [
    [8, 0, 203],
    [4, 0, 23],
    [10, 0, 779],
    [12, 4, 5131],
    [4, 4, 31],
  ] as const) {
    t.is(sketchSize(p, m), size);
    const good = bytesOf(emptySketch(p, m));
    t.is(checkHll(good, 0, size), size);
    for (const bad of [good.with(0, 1), good.with(1, p + 1), good.with(2, 3), good.slice(1)]) {
      t.is(checkHll(bad, 0, bad.length), -4);
      t.is(run(emptySketch(4, 0), 'union', [listOf([sketch(bad)])]).code, 4);
    }
  }
});
