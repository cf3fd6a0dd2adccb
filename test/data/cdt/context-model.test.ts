/** Contexts against a model of them that the recorded answers validate. Source: protocol 13, sections 1 to 3. */
import test from 'ava';
import fc from 'fast-check';
import { operateCdt } from '../../../src/data/cdt/operate.js';
import { BLOB, LIST, MAP, NULL } from '../../../src/data/type.js';
import { fromHex, toHex } from '../frame.js';
import { compareSent, stored } from '../list/model.js';
import { sentOf, textOf } from '../list/values.js';
import { packSent } from '../map/values.js';
import { type Sent, unpack } from '../msgpack/unpack.js';
import { followRecorded, type RecordedStep } from '../recorded.js';
import { runValueOp } from '../run-value-op.js';
import { type Call, type Item, isList, isMap, operate, operateNested } from './context-model.js';

const [READ, WRITE, CDT_READ, CDT_MODIFY] = [1, 2, 3, 4];
const NOT_FOUND = 2;
const GET_ALL = 3; // info1
const CONTEXT = 0xffn;

type Bins = ReadonlyMap<string, Sent>;

/** A value without the flags of persisted indexes. */
function plain(value: Sent): Sent {
  if (isList(value)) return { ...value, list: value.list.map(plain) };
  if (!isMap(value)) return value;
  return { pairs: value.pairs.map(([key, item]) => [key, plain(item)] as const), flags: value.flags & 3 };
}

/** The operation that a body holds, on a bin. */
function runBody(bin: Sent | undefined, body: Uint8Array, isModify: boolean) {
  const callOf = ([opCode, ...args]: readonly Sent[]): Call => ({
    opCode: Number(opCode as bigint),
    args,
    isModify,
  });
  const { list } = unpack(body) as { list: readonly Sent[] };
  if (list[0] !== CONTEXT) return operate(bin, callOf(list));
  const context = (list[1] as { list: readonly Sent[] }).list;
  const items = Array.from({ length: context.length / 2 }, (_, k): Item => {
    return [Number(context[2 * k] as bigint), context[2 * k + 1]!];
  });
  return operateNested(bin, items, callOf((list[2] as { list: readonly Sent[] }).list));
}

/** Runs a step on the model. @returns The bins afterwards, or what is wrong. */
function follow(bins: Bins, step: RecordedStep): Bins | string {
  if (bins.size === 0 && step.resultCode === NOT_FOUND) return bins;
  const after = new Map(bins);
  const results: string[] = [];
  let code = 0;
  for (const op of step.ops) {
    if (op.code === WRITE) {
      if (step.resultCode !== 0) return bins;
      after.set(op.bin, stored(sentOf({ type: op.particleType, hex: toHex(op.value) }))!);
    }
    if (op.code !== CDT_READ && op.code !== CDT_MODIFY) continue;
    const outcome = runBody(after.get(op.bin), op.value, op.code === CDT_MODIFY);
    code = outcome.code;
    if (!('value' in outcome)) break;
    if (op.code === CDT_MODIFY && outcome.value !== undefined) after.set(op.bin, outcome.value);
    if (outcome.result !== undefined && outcome.result !== null)
      results.push(`${op.bin} ${textOf(plain(outcome.result))}`);
  }
  if (code !== step.resultCode) return `code ${code}, not ${step.resultCode}`;
  if (code !== 0) return bins;
  const isWhole = step.info[0] === GET_ALL;
  const expected = step.results
    .filter(({ particleType, code: opCode }) => particleType !== NULL && (isWhole || opCode !== READ))
    .map(
      ({ bin, particleType: type, value }) => `${bin} ${textOf(plain(sentOf({ type, hex: toHex(value) })))}`,
    );
  const given = isWhole ? [...after].map(([bin, value]) => `${bin} ${textOf(plain(value))}`) : results;
  return textOf(given.sort()) === textOf(expected.sort())
    ? after
    : `${textOf(given)}, not ${textOf(expected)}`;
}

test('the model of contexts gives the recorded answers', t => {
  const { count, differences } = followRecorded<Bins>('context', new Map(), follow);
  t.deepEqual(differences, []);
  t.true(count > 800);
});

const int = (min: number, max: number) => fc.integer({ min, max }).map(BigInt);
const key: fc.Arbitrary<Sent> = fc.oneof(
  int(0, 3),
  fc.constantFrom('a', 'b').map((name): Sent => ({ bytes: Uint8Array.from([3, ...Buffer.from(name)]) })),
);
/** Lists and maps of lists and maps, in order and not, as they are stored; few values, so that many are equal. */
const { container, value: anything } = fc.letrec<{ value: Sent; container: Sent }>(tie => ({
  container: fc.oneof(
    fc.record({ list: fc.array(tie('value'), { maxLength: 5 }), isOrdered: fc.boolean() }),
    fc.record({
      pairs: fc.uniqueArray(fc.tuple(key, tie('value')), { maxLength: 4, selector: ([k]) => textOf(k) }),
      flags: fc.constantFrom(0, 1, 3),
    }),
  ) as fc.Arbitrary<Sent>,
  value: fc.oneof(
    { depthSize: 'large', maxDepth: 4, withCrossShrink: true },
    int(0, 3),
    fc.constant(null),
    tie('container'),
    tie('container'),
  ) as fc.Arbitrary<Sent>,
}));
const anyBin = container.map(inOrder);
const anyValue = anything.map(inOrder);

/** Maps and ordered lists put in order, from the inside out. */
function inOrder(value: Sent): Sent {
  if (isMap(value)) {
    const pairs = value.pairs.map(([k, item]) => [k, inOrder(item)] as const);
    return { ...value, pairs: pairs.sort((a, b) => compareSent(a[0], b[0])) };
  }
  if (!isList(value)) return value;
  const list = value.list.map(inOrder);
  return { list: value.isOrdered ? list.sort(compareSent) : list, isOrdered: value.isOrdered };
}

const list = (...items: readonly Sent[]): Sent => ({ list: items, isOrdered: false });
const anyItem: fc.Arbitrary<Item> = fc
  .tuple(
    fc.constantFrom(0x10, 0x11, 0x13, 0x20, 0x21, 0x22, 0x23, 0x00, 0x02, 0x14, 0x30),
    fc.constantFrom(0, 0, 0x40, 0x80, 0xc0),
    int(-4, 6),
    key,
    anyValue,
  )
  .map(([type, create, index, key, value]): Item => {
    const base = type & 0x0f;
    return [type | create, base < 2 ? index : base === 2 ? key : value];
  });
const anyContext = fc.oneof(
  { withCrossShrink: true },
  fc.array(anyItem, { minLength: 1, maxLength: 4 }),
  // where most of it leads to something
  fc.array(
    fc.oneof(
      fc.tuple(fc.constantFrom(0x10, 0x11, 0x50, 0x90, 0xd0, 0x00, 0x01), int(-2, 3)),
      fc.tuple(fc.constantFrom(0x22, 0x62, 0xa2, 0xe2), key),
    ) as fc.Arbitrary<Item>,
    { minLength: 1, maxLength: 3 },
  ),
);
const returnType = fc.constantFrom(0n, 1n, 3n, 5n, 7n, 13n, 0x10007n);
const flags = int(0, 15);
const anyCall: fc.Arbitrary<Call> = fc.oneof(
  ...[
    [0, true, int(0, 1)],
    [1, true, anyValue, int(0, 1), flags],
    [1, true, int(0, 9)],
    [2, true, fc.array(anyValue, { maxLength: 3 }).map(items => list(...items)), int(0, 1), flags],
    [3, true, int(-3, 4), anyValue, flags],
    [4, true, int(-3, 4), fc.array(int(0, 4), { maxLength: 3 }).map(items => list(...items)), flags],
    [9, true, int(-3, 4), int(0, 9), flags],
    [12, true, int(-2, 4), int(-3, 3), int(0, 1), flags],
    [5, true, int(-3, 3)],
    [11, true],
    [13, true, fc.constantFrom(0n, 1n, 2n)],
    [39, true, returnType, int(-3, 3), int(0, 3)],
    [16, false],
    [24, false, returnType, int(-3, 3)],
    [64, true, fc.constantFrom(0n, 1n, 3n)],
    [67, true, key, anyValue, fc.constantFrom(0n, 1n, 3n), flags],
    [68, true, fc.tuple(key, int(0, 3)).map((pair): Sent => ({ pairs: [pair], flags: 0 })), int(0, 1), flags],
    [73, true, key, int(-3, 3)],
    [75, true],
    [76, true, returnType, key],
    [87, true, returnType, int(-3, 3), int(0, 3)],
    [97, false, returnType, key],
  ].map(([opCode, isModify, ...args]) =>
    fc
      .tuple(...(args as fc.Arbitrary<Sent>[]))
      .map((values): Call => ({ opCode: opCode as number, args: values, isModify: isModify as boolean })),
  ),
);

test('random contexts lead, create and put back as the model does', t => {
  fc.assert(
    fc.property(fc.option(anyBin, { nil: undefined }), anyContext, anyCall, (bin, items, call) => {
      const context = items.flatMap(([type, value]): Sent[] => [BigInt(type), value]);
      const body = packSent(
        list(CONTEXT, { list: context, isOrdered: false }, list(BigInt(call.opCode), ...call.args)),
      );
      const target = bin === undefined ? undefined : { type: isList(bin) ? LIST : MAP, bytes: packSent(bin) };
      const expected = operateNested(bin, items, call);
      const { code, result, changed } = runValueOp(operateCdt, target, body, call.isModify, BLOB);
      const note = `${textOf([items, call])} on ${textOf(bin)}`;
      t.is(code, expected.code, note);
      if (!('value' in expected)) return;
      t.is(textOf(result && plain(sentOf(result))), textOf(expected.result ?? undefined), note);
      const after = changed === undefined ? bin : unpack(fromHex(changed.hex));
      t.is(textOf(after && plain(after)), textOf(call.isModify ? (expected.value ?? bin) : bin), note);
    }),
    { numRuns: 4000 },
  );
});
