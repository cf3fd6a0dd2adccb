/**
 * Bytes back into the values of the plain model, sentinels and flags of containers included; the slow way.
 */
import type { Value } from './value.js';

/** Beyond what can be stored: sentinels and other exts. They stand in arguments. */
export const WILDCARD = Symbol('*');
export const INF = Symbol('inf');
export type Sent =
  | Value
  | typeof WILDCARD
  | typeof INF
  | { readonly ext: number; readonly body: Uint8Array }
  | { readonly list: readonly Sent[]; readonly isOrdered: boolean }
  | { readonly pairs: readonly (readonly [Sent, Sent])[]; readonly flags: number };

/** The value whose packed form is `bytes`; throws when they are no well-formed element, or more than one. */
export function unpack(bytes: Uint8Array): Sent {
  const data = Buffer.from(bytes);
  let at = 0;
  const take = (size: number) => {
    if (at + size > data.length) throw new RangeError('cut off');
    at += size;
    return data.subarray(at - size, at);
  };
  const u = (size: number) => take(size).readUIntBE(0, size);
  const typed = (size: number): Sent => ({ bytes: Uint8Array.from(take(size)) });
  const ext = (size: number): Sent => {
    const type = u(1);
    const body = take(size);
    if (type === 0xff && size > 0 && size < 4 && body[0]! < 2) return body[0] === 0 ? WILDCARD : INF;
    return { ext: type, body: Uint8Array.from(body) };
  };
  const flagsOf = (value: Sent | undefined) =>
    typeof value === 'object' && value !== null && 'ext' in value && value.ext !== 0xff
      ? value.ext
      : undefined;
  const list = (count: number): Sent => {
    const items = Array.from({ length: count }, () => next());
    const flags = flagsOf(items[0]);
    return flags === undefined
      ? { list: items, isOrdered: false }
      : { list: items.slice(1), isOrdered: (flags & 1) !== 0 };
  };
  const map = (count: number): Sent => {
    const pairs = Array.from({ length: count }, () => [next(), next()] as const);
    const flags = flagsOf(pairs[0]?.[0]);
    return flags === undefined ? { pairs, flags: 0 } : { pairs: pairs.slice(1), flags };
  };
  const next = (): Sent => {
    const b = u(1);
    if (b < 0x80) return BigInt(b);
    if (b >= 0xe0) return BigInt(b - 256);
    if (b < 0x90) return map(b & 15);
    if (b < 0xa0) return list(b & 15);
    if (b < 0xc0) return typed(b & 31);
    if (b >= 0xd4 && b <= 0xd8) return ext(1 << (b - 0xd4));
    switch (b) {
      case 0xc0:
        return null;
      case 0xc2:
      case 0xc3:
        return b === 0xc3;
      case 0xc4:
      case 0xd9:
        return typed(u(1));
      case 0xc5:
      case 0xda:
        return typed(u(2));
      case 0xc6:
      case 0xdb:
        return typed(u(4));
      case 0xc7:
        return ext(u(1));
      case 0xc8:
        return ext(u(2));
      case 0xc9:
        return ext(u(4));
      case 0xca:
        return { double: take(4).readFloatBE(0) };
      case 0xcb:
        return { double: take(8).readDoubleBE(0) };
      case 0xcc:
      case 0xcd:
      case 0xce:
        return BigInt(u(1 << (b - 0xcc)));
      case 0xcf:
        return take(8).readBigUInt64BE(0);
      case 0xd0:
        return BigInt(take(1).readInt8(0));
      case 0xd1:
        return BigInt(take(2).readInt16BE(0));
      case 0xd2:
        return BigInt(take(4).readInt32BE(0));
      case 0xd3:
        return take(8).readBigInt64BE(0);
      case 0xdc:
        return list(u(2));
      case 0xdd:
        return list(u(4));
      case 0xde:
        return map(u(2));
      case 0xdf:
        return map(u(4));
      default:
        throw new RangeError(`no element starts with ${b}`);
    }
  };
  const value = next();
  if (at !== data.length) throw new RangeError('more than one element');
  return value;
}
