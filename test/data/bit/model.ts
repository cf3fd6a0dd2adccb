/** Bit operations on strings of '0' and '1': a model too plain to be wrong. Source: protocol 14. */
import { NULL } from '../../../src/data/type.js';
import { fromHex, toHex } from '../frame.js';

export type Arg = bigint | boolean | Uint8Array;

export interface Expected {
  readonly code: number;
  /** Hex of the blob afterwards, when it was written. */
  readonly changed?: string;
  readonly result?: bigint | string;
}

const MIB_128 = 128n << 20n;
const CREATE_ONLY = 1n;
const UPDATE_ONLY = 2n;
const NO_FAIL = 4n;
const PARTIAL = 8n;

export const NAMES: Readonly<Record<string, number>> = {
  ...{ resize: 0, insert: 1, remove: 2, set: 3, or: 4, xor: 5, and: 6, not: 7, lshift: 8, rshift: 9 },
  ...{ add: 10, subtract: 11, setInt: 12, get: 50, count: 51, lscan: 52, rscan: 53, getInt: 54 },
};

export function toBits(bytes: Uint8Array): string {
  return [...bytes].map(byte => byte.toString(2).padStart(8, '0')).join('');
}

function hexOf(bits: string): string {
  let hex = '';
  for (let k = 0; k < bits.length; k += 8)
    hex += Number.parseInt(bits.slice(k, k + 8).padEnd(8, '0'), 2)
      .toString(16)
      .padStart(2, '0');
  return hex;
}

/** @param blob undefined: the bin is missing. @param args well typed, of the right number. */
export function expected(blob: Uint8Array | undefined, name: string, args: readonly Arg[]): Expected {
  const isRead = NAMES[name]! >= 50;
  if (isRead && blob === undefined) return { code: 0 };
  const int = (k: number) => (args[k] as bigint | undefined) ?? 0n;
  const flagsAt: Record<string, number> = { resize: 1, insert: 2, remove: 2, not: 2 };
  const flags = isRead ? 0n : int(flagsAt[name] ?? 3);
  const allowed =
    name === 'resize' || name === 'insert'
      ? CREATE_ONLY | UPDATE_ONLY | NO_FAIL
      : ['add', 'subtract', 'setInt'].includes(name)
        ? UPDATE_ONLY | NO_FAIL
        : UPDATE_ONLY | NO_FAIL | PARTIAL;
  const has = (flag: bigint) => (flags & flag) !== 0n;
  const fail = (code: number): Expected => (has(NO_FAIL) ? { code: 0 } : { code });
  if (flags < 0n || (flags & ~allowed) !== 0n || (has(CREATE_ONLY) && has(UPDATE_ONLY))) return { code: 4 };

  const isBytes = ['insert', 'remove'].includes(name);
  const limit = isBytes ? MIB_128 : MIB_128 * 8n;
  const more = int(4);
  if (name === 'resize') {
    const [size, how] = [int(0), int(2)];
    if (size < 0n || size > MIB_128 || how < 0n || how > 7n || (how & 6n) === 6n) return { code: 4 };
  } else if (int(0) > limit || int(0) < -limit) return { code: 4 };
  else if (name === 'insert') {
    if ((args[1] as Uint8Array).length === 0) return { code: 4 };
  } else if (int(1) < 1n || int(1) > limit) return { code: 4 };
  const isInteger = ['add', 'subtract', 'setInt', 'getInt'].includes(name);
  if (isInteger && int(1) > 64n) return { code: 4 };
  if (['lshift', 'rshift'].includes(name) && (int(2) < 0n || int(2) > limit)) return { code: 4 };
  if (['set', 'or', 'xor', 'and'].includes(name) && BigInt((args[2] as Uint8Array).length) * 8n < int(1))
    return { code: 4 };
  if (['add', 'subtract'].includes(name) && (more < 0n || more > 7n || (more & 6n) === 6n))
    return { code: 4 };
  if (name === 'getInt' && (int(2) < 0n || int(2) > 1n)) return { code: 4 };

  if (blob === undefined) {
    if ((name !== 'resize' && name !== 'insert') || has(UPDATE_ONLY)) return fail(17);
  } else if (has(CREATE_ONLY)) return fail(6);

  const bits = toBits(blob ?? new Uint8Array(0));
  if (name === 'resize') return resize(bits, Number(int(0)), Number(int(2)), fail);

  const unit = isBytes ? 8 : 1;
  const at = int(0) < 0n ? Number(int(0)) * unit + bits.length : Number(int(0)) * unit;
  if (at < 0) return { code: 4 };
  if (name === 'insert') {
    const padded = bits.padEnd(at, '0');
    return {
      code: 0,
      changed: hexOf(padded.slice(0, at) + toBits(args[1] as Uint8Array) + padded.slice(at)),
    };
  }
  let end = at + Number(int(1)) * unit;
  if (at >= bits.length || (end > bits.length && !has(PARTIAL))) return fail(name === 'remove' ? 4 : 26);
  end = Math.min(end, bits.length);
  const range = bits.slice(at, end);
  const answer = change(name, range, args, bits.slice(at - (at % 8), at), Number(int(1)));
  if (answer === undefined) return fail(26);
  if (typeof answer === 'bigint') return { code: 0, result: answer };
  if (name === 'get') return { code: 0, result: hexOf(answer) };
  return { code: 0, changed: hexOf(bits.slice(0, at) + answer + bits.slice(end)) };
}

function resize(bits: string, size: number, flags: number, fail: (code: number) => Expected): Expected {
  const length = size * 8;
  if (length === bits.length) return { code: 0 }; // also where there is no blob, as recorded
  if (length > bits.length && (flags & 4) !== 0) return fail(4);
  if (length < bits.length && (flags & 2) !== 0) return fail(4);
  const isFront = (flags & 1) !== 0;
  const cut = isFront
    ? bits.padStart(length, '0').slice(Math.max(0, bits.length - length))
    : bits.padEnd(length, '0').slice(0, length);
  return { code: 0, changed: hexOf(cut) };
}

/**
 * What becomes of a range, or what is read from it; undefined: it overflows.
 * @param before bits of the range's first byte that lie before it, which RSCAN sees too.
 * @param asked  bits that the range would have had, were it not cut.
 */
function change(
  name: string,
  range: string,
  args: readonly Arg[],
  before: string,
  asked: number,
): string | bigint | undefined {
  const size = range.length;
  const each = (f: (old: string, operand: string) => boolean) => {
    const operand = args[2] instanceof Uint8Array ? toBits(args[2]) : '';
    return [...range].map((old, k) => (f(old, operand[k]!) ? '1' : '0')).join('');
  };
  const value = BigInt(`0b${range}`);
  const number = (n: bigint) => BigInt.asUintN(size, n).toString(2).padStart(size, '0');
  switch (name) {
    case 'remove':
      return '';
    case 'set':
      return each((_old, operand) => operand === '1');
    case 'or':
      return each((old, operand) => old === '1' || operand === '1');
    case 'xor':
      return each((old, operand) => old !== operand);
    case 'and':
      return each((old, operand) => old === '1' && operand === '1');
    case 'not':
      return each(old => old === '0');
    case 'lshift':
      return shiftedLeft(range, Number(args[2]), before, asked);
    case 'rshift':
      return range.slice(0, Math.max(0, size - Number(args[2]))).padStart(size, '0');
    case 'add':
    case 'subtract':
      return sum(value, args[2] as bigint, size, name === 'subtract', Number(args[4] ?? 0n), number);
    case 'setInt':
      return number(args[2] as bigint);
    case 'get':
      return range;
    case 'count':
      return BigInt(range.replaceAll('0', '').length);
    case 'lscan':
      return BigInt(range.indexOf(args[2] ? '1' : '0'));
    case 'rscan': {
      const found = (before + range).lastIndexOf(args[2] ? '1' : '0');
      return found < 0 ? -1n : BigInt(found - before.length);
    }
    default:
      return args[2] === 1n ? BigInt.asIntN(size, value) : BigInt.asIntN(64, value);
  }
}

/**
 * A shift that is longer than all bytes that PARTIAL leaves of a longer range puts the last one, shifted by what is
 * beyond whole bytes, in the place of the first one.
 */
function shiftedLeft(range: string, shift: number, before: string, asked: number): string {
  const size = range.length;
  const outside = before.length % 8;
  const byteCount = Math.ceil((outside + size) / 8);
  const isBeyond = shift < asked && shift % 8 !== 0 && Math.floor(shift / 8) >= byteCount;
  if (!isBeyond) return range.slice(shift).padEnd(size, '0');
  const last = (before.slice(before.length - outside) + range).slice(-8); // a cut range ends with its byte
  return last
    .slice(shift % 8)
    .padEnd(8, '0')
    .slice(outside)
    .padEnd(size, '0');
}

function sum(
  old: bigint,
  operand: bigint,
  size: number,
  isSubtract: boolean,
  flags: number,
  number: (n: bigint) => string,
): string | undefined {
  const isSigned = (flags & 1) !== 0;
  const delta = BigInt.asUintN(size, isSubtract ? -operand : operand);
  const result = BigInt.asUintN(size, old + delta);
  let limit: bigint | undefined; // where the result has to stay, if it overflows
  if (isSigned) {
    const [a, b, c] = [old, delta, result].map(n => BigInt.asIntN(size, n));
    if (a! >= 0n && b! >= 0n && c! < 0n) limit = 2n ** BigInt(size - 1) - 1n;
    if (a! < 0n && b! < 0n && c! > 0n) limit = -(2n ** BigInt(size - 1));
  } else if (isSubtract ? result > old : result < old) limit = isSubtract ? 0n : -1n;
  if (limit === undefined || (flags & 4) !== 0) return number(result);
  return (flags & 2) === 0 ? undefined : number(limit);
}

/** An expected outcome in the terms of `runValueOp`. */
export function outcomeOf({ code, changed, result }: Expected) {
  if (code !== 0) return { code };
  const answer =
    typeof result === 'bigint'
      ? { type: 1, hex: BigInt.asUintN(64, result).toString(16).padStart(16, '0') }
      : typeof result === 'string' && { type: 4, hex: toHex(fromHex(result)) };
  return {
    code,
    ...(answer && answer.type !== NULL && { result: answer }),
    ...(changed !== undefined && { changed: { type: 4, hex: changed } }),
  };
}
