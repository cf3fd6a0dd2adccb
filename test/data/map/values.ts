/** Maps of the model as particles, and calls as bytes. */
import { fromHex } from '../frame.js';
import { INF, type Sent, unpack, WILDCARD } from '../msgpack/unpack.js';
import { pack, type Value } from '../msgpack/value.js';
import { type MapModel, stored } from './model.js';

/** The map that particle bytes hold, or undefined when they hold none. */
export function mapOf(bytes: Uint8Array): MapModel | undefined {
  const value = unpack(bytes);
  if (value === null || typeof value !== 'object' || !('pairs' in value)) return undefined;
  return { pairs: value.pairs, flags: value.flags };
}

/** The map that a bin holds when it is written whole: in order at every depth. */
export function writtenMap(bytes: Uint8Array): MapModel {
  const { pairs, flags } = mapOf(bytes)!;
  const inOrder = stored({ pairs, flags }) as { pairs: MapModel['pairs'] };
  return { pairs: inOrder.pairs, flags: flags & 0x13 };
}

/** Packs what may stand in a call, sentinels included. */
export function packSent(value: Sent): Uint8Array {
  if (value === WILDCARD) return fromHex('d4ff00');
  if (value === INF) return fromHex('d4ff01');
  if (value !== null && typeof value === 'object') {
    if ('list' in value) {
      const flags = value.isOrdered ? fromHex('c70001') : new Uint8Array(0);
      return Buffer.concat([
        header(0x90, 0xdc, value.list.length, flags),
        flags,
        ...value.list.map(packSent),
      ]);
    }
    if ('pairs' in value) {
      const flags = value.flags === 0 ? new Uint8Array(0) : Uint8Array.from([0xc7, 0, value.flags, 0xc0]);
      return Buffer.concat([
        header(0x80, 0xde, value.pairs.length, flags),
        flags,
        ...value.pairs.flat().map(packSent),
      ]);
    }
  }
  return pack(value as Value);
}

function header(fix: number, wide: number, length: number, flags: Uint8Array): Uint8Array {
  const count = length + (flags.length === 0 ? 0 : 1);
  return Uint8Array.from(count <= 15 ? [fix | count] : [wide, count >> 8, count & 0xff]);
}

/** A map's particle, without an index in it. */
export function bytesOf(map: MapModel): Uint8Array {
  return packSent({ pairs: map.pairs, flags: map.flags });
}

/** An operation's body. */
export function bodyOf(opCode: number, args: readonly Sent[]): Uint8Array {
  return packSent({ list: [BigInt(opCode), ...args], isOrdered: false });
}
