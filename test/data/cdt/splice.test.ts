/** A nested operation does to an element what the operation alone does to it, and nothing to the rest. */

import test from 'ava';
import fc from 'fast-check';
import { operateCdt } from '../../../src/data/cdt/operate.js';
import { BLOB, LIST, MAP } from '../../../src/data/type.js';
import { fromHex, toHex } from '../frame.js';
import { unpack } from '../msgpack/unpack.js';
import { anyStored, normalForm, order, pack, type Value } from '../msgpack/value.js';
import { runValueOp } from '../run-value-op.js';

type Collection = Extract<Value, { readonly list: unknown } | { readonly pairs: unknown }>;

const isCollection = (value: Value): value is Collection =>
  typeof value === 'object' && value !== null && ('list' in value || 'pairs' in value);
const typeOf = (value: Collection) => ('list' in value ? LIST : MAP);
/** What is in it, without keys. */
const children = (value: Collection): readonly Value[] =>
  'list' in value ? value.list : value.pairs.map(([, item]) => item);

/** The value with its child number `k` exchanged, ordered lists in order. */
function exchanged(value: Collection, k: number, child: Value): Value {
  if ('list' in value) return { list: value.list.with(k, child), isOrdered: value.isOrdered };
  return { pairs: value.pairs.with(k, [value.pairs[k]![0], child]), flags: value.flags };
}

/** Indexes that lead from a collection to one inside, chosen by `turns`. */
function wayInto(root: Collection, turns: readonly number[]): { path: number[]; inner: Collection } {
  const path: number[] = [];
  let inner = root;
  for (const turn of turns) {
    const candidates = [...children(inner).entries()].filter(([, child]) => isCollection(child));
    if (candidates.length === 0) break;
    const [k, child] = candidates[turn % candidates.length]!;
    path.push(k);
    inner = child as Collection;
  }
  return { path, inner };
}

function replaced(root: Value, path: readonly number[], child: Value): Value {
  const [k, ...rest] = path;
  if (k === undefined) return child;
  const collection = root as Collection;
  return exchanged(collection, k, replaced(children(collection)[k]!, rest, child));
}

/** Calls that fit any list or any map: [hex, whether it changes the value]. */
const CALLS: Readonly<Record<number, readonly (readonly [string, boolean])[]>> = {
  [LIST]: [
    ['92 01 05', true],
    ['92 01 93 c7 00 01 01 02', true],
    ['91 0b', true],
    ['93 26 07 00', true],
    ['92 00 01', true],
    ['91 10', false],
    ['93 18 07 00', false],
    ['93 16 03 05', false],
  ],
  [MAP]: [
    ['93 43 05 91 07', true],
    ['91 4b', true],
    ['93 54 05 00', true],
    ['92 40 03', true],
    ['91 60', false],
    ['93 68 08 00', false],
  ],
};

test('a nested operation is the operation on the element', t => {
  const cases = fc.property(
    anyStored.filter(isCollection),
    fc.array(fc.nat(20), { minLength: 1, maxLength: 4 }),
    fc.nat(100),
    fc.nat(2),
    (root, turns, chosen, form) => {
      const { path, inner } = wayInto(root, turns);
      if (path.length === 0) return;
      const calls = CALLS[typeOf(inner)]!;
      const [text, isModify] = calls[chosen % calls.length]!;
      const call = fromHex(text.replaceAll(' ', ''));
      const bytes = pack(root);
      const nested = [
        0x93,
        0xcc,
        0xff,
        ...pack({ list: itemsOf(root, path, form), isOrdered: false }),
        ...call,
      ];
      const direct = runValueOp(
        operateCdt,
        { type: typeOf(inner), bytes: pack(inner) },
        call,
        isModify,
        BLOB,
      );
      const through = runValueOp(
        operateCdt,
        { type: typeOf(root), bytes },
        Uint8Array.from(nested),
        isModify,
        BLOB,
      );
      t.is(through.code, direct.code);
      t.deepEqual(through.result, direct.result);
      t.is(through.changed === undefined, direct.changed === undefined);
      if (direct.changed === undefined || through.changed === undefined) return;
      t.is(through.changed.type, typeOf(root));
      const child = unpack(fromHex(direct.changed.hex)) as Value;
      const expected = normalForm(replaced(root, path, child));
      const found = unpack(fromHex(through.changed.hex)) as Value;
      // Equal elements that are written differently may stand in either order.
      if (toHex(pack(expected)) !== through.changed.hex) t.is(order(expected, found), 0);
      t.is(pack(expected).length, through.changed.hex.length / 2);
    },
  );
  fc.assert(cases, { numRuns: 1500 });
});

/** The context of a path: by index from the front, by index from the end, or by key where there are keys. */
function itemsOf(root: Collection, path: readonly number[], form: number): Value[] {
  const items: Value[] = [];
  let inner = root;
  for (const k of path) {
    const count = children(inner).length;
    const base = 'list' in inner ? 0x10n : 0x20n;
    if (form === 2 && 'pairs' in inner) items.push(base + 2n, inner.pairs[k]![0]);
    else items.push(base, BigInt(form === 1 ? k - count : k));
    inner = children(inner)[k] as Collection;
  }
  return items;
}
