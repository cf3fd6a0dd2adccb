/**
 * Makes a failing case smaller: takes elements out of the value and the operation, or makes them plain, as long as
 * the case goes on failing in the same way.
 */
import { checkWrite, writeStored } from '../../../src/data/particle.js';
import { LIST, MAP } from '../../../src/data/type.js';
import type { OpCase } from './case.js';
import type { Particle } from './particle.js';

const ROUNDS_MAX = 40;

/** A list or map with its children, or the bytes of anything else. */
type Tree = Uint8Array | { readonly isList: boolean; readonly children: readonly Tree[] };

/** @param failure what is wrong with a case, if anything is. */
export function shrunk(c: OpCase, failure: (c: OpCase) => string | undefined): OpCase {
  const kind = kindOf(failure(c));
  const fails = (candidate: OpCase) => kindOf(failure(candidate)) === kind;
  let best = c;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const smaller = candidates(best).find(candidate => sizeOf(candidate) < sizeOf(best) && fails(candidate));
    if (smaller === undefined) return best;
    best = smaller;
  }
  return best;
}

/** The failure without the bytes and numbers in it. */
export function kindOf(failure: string | undefined): string | undefined {
  return failure
    ?.split('\n')[0]
    ?.replace(/[0-9a-f]{4,}/g, '')
    .replace(/\d+/g, '')
    .slice(0, 60);
}

function sizeOf(c: OpCase): number {
  const bins = c.bins.reduce((sum, [, { bytes }]) => sum + bytes.length + 1, 0);
  return c.body.length + (c.target?.bytes.length ?? 0) + bins;
}

function candidates(c: OpCase): OpCase[] {
  return [
    ...smallerBytes(c.body).map(body => ({ ...c, body })),
    ...smallerTargets(c.target).map(target => ({ ...c, target })),
    ...c.bins.map((_, k) => ({ ...c, bins: c.bins.toSpliced(k, 1) })),
    ...c.bins.flatMap(([name, value], k) =>
      smallerTargets(value).map(smaller => ({ ...c, bins: c.bins.with(k, [name, smaller] as const) })),
    ),
  ];
}

function smallerTargets(target: Particle | undefined): Particle[] {
  if (target === undefined) return [];
  const { type } = target;
  const all = smallerBytes(target.bytes);
  if (type !== LIST && type !== MAP) return all.map(bytes => ({ type, bytes }));
  return all.flatMap(bytes => {
    const size = checkWrite(type, bytes, 0, bytes.length);
    if (size < 0) return [];
    const stored = new Uint8Array(size);
    writeStored(type, bytes, 0, bytes.length, stored, 0);
    return [{ type, bytes: stored }];
  });
}

function smallerBytes(bytes: Uint8Array): Uint8Array[] {
  const tree = parse(bytes);
  if (tree !== undefined) return [...smallerTrees(tree)].map(pack);
  const pieces: Uint8Array[] = [];
  for (let size = bytes.length >> 1; size > 0; size >>= 1)
    for (let at = 0; at < bytes.length; at += size)
      pieces.push(Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + size)]));
  return pieces;
}

function* smallerTrees(tree: Tree): Generator<Tree> {
  if (tree instanceof Uint8Array) {
    if (tree.length > 1) yield Uint8Array.of(1);
    return;
  }
  const { isList, children } = tree;
  const step = isList ? 1 : 2;
  for (
    let size = Math.max(step, (children.length >> 1) & ~1);
    size >= step;
    size = size === step ? 0 : Math.max(step, (size >> 1) & ~1)
  )
    for (let k = 0; k + size <= children.length; k += step)
      yield { isList, children: children.toSpliced(k, size) };
  for (const [k, child] of children.entries()) {
    if (!(child instanceof Uint8Array)) yield { isList, children: children.with(k, Uint8Array.of(1)) };
    for (const smaller of smallerTrees(child)) yield { isList, children: children.with(k, smaller) };
  }
}

function parse(bytes: Uint8Array): Tree | undefined {
  const data = Buffer.from(bytes);
  let at = 0;
  const leaf = (size: number): Tree => {
    if (at + size > data.length) throw new RangeError('cut off');
    at += size;
    return Uint8Array.from(data.subarray(at - size, at));
  };
  const next = (depth: number): Tree => {
    if (depth > 64) throw new RangeError('too deep');
    const b = data[at];
    if (b === undefined) throw new RangeError('cut off');
    const nested = (isList: boolean, count: number, headSize: number): Tree => {
      at += headSize;
      if (count > data.length) throw new RangeError('cut off');
      return { isList, children: Array.from({ length: count }, () => next(depth + 1)) };
    };
    if (b < 0x80 || b >= 0xe0) return leaf(1);
    if (b < 0x90) return nested(false, (b & 15) * 2, 1);
    if (b < 0xa0) return nested(true, b & 15, 1);
    if (b < 0xc0) return leaf(1 + (b & 31));
    if (b === 0xdc) return nested(true, data.readUInt16BE(at + 1), 3);
    if (b === 0xde) return nested(false, data.readUInt16BE(at + 1) * 2, 3);
    if (b >= 0xd4 && b <= 0xd8) return leaf(2 + (1 << (b - 0xd4)));
    if (b >= 0xcc && b <= 0xd3) return leaf(1 + (1 << ((b - 0xcc) & 3)));
    switch (b) {
      case 0xc0:
      case 0xc2:
      case 0xc3:
        return leaf(1);
      case 0xc4:
      case 0xd9:
        return leaf(2 + data.readUInt8(at + 1));
      case 0xc5:
      case 0xda:
        return leaf(3 + data.readUInt16BE(at + 1));
      case 0xc7:
        return leaf(3 + data.readUInt8(at + 1));
      case 0xca:
        return leaf(5);
      case 0xcb:
        return leaf(9);
      default:
        throw new RangeError('something large, or nothing');
    }
  };
  try {
    const tree = next(0);
    return at === data.length ? tree : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function pack(tree: Tree): Uint8Array {
  if (tree instanceof Uint8Array) return tree;
  const { isList, children } = tree;
  const count = isList ? children.length : children.length / 2;
  const head =
    count < 16 ? [(isList ? 0x90 : 0x80) | count] : [isList ? 0xdc : 0xde, count >> 8, count & 0xff];
  return Buffer.concat([Uint8Array.from(head), ...children.map(pack)]);
}
