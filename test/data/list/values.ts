/** Lists of the model as particles, and particles as values of the model. */
import { BOOL, FLOAT, GEOJSON, INTEGER, LIST, MAP } from '../../../src/data/type.js';
import { fromHex } from '../frame.js';
import { type Sent, unpack } from '../msgpack/unpack.js';
import { pack, type Value } from '../msgpack/value.js';
import type { Particle } from '../run-value-op.js';
import type { ListModel } from './model.js';

/** The list that particle bytes hold, or undefined when they hold none. */
export function listOf(bytes: Uint8Array): ListModel | undefined {
  const value = unpack(bytes);
  if (value === null || typeof value !== 'object' || !('list' in value)) return undefined;
  return { items: value.list, flags: flagsOf(bytes) };
}

function flagsOf(bytes: Uint8Array): number {
  const at = bytes[0] === 0xdc ? 3 : bytes[0] === 0xdd ? 5 : 1;
  const headers = [0xc7, 0xc8, 0xc9]; // of exts, whose size takes 1, 2 or 4 bytes
  const k = headers.indexOf(bytes[at] ?? 0);
  return k < 0 ? 0 : bytes[at + 1 + 2 ** k]!;
}

/** A list's particle, without an index in it. */
export function bytesOf(list: ListModel): Uint8Array {
  const content = list.items.map(item => pack(item as Value));
  const count = list.items.length + (list.flags === 0 ? 0 : 1);
  const header = count <= 15 ? [0x90 | count] : count <= 0xffff ? [0xdc, count >> 8, count & 0xff] : [];
  const flags = list.flags === 0 ? [] : [0xc7, 0, list.flags];
  return Buffer.concat([Uint8Array.from(header), Uint8Array.from(flags), ...content]);
}

/** The value of the model that a particle stands for. */
export function sentOf({ type, hex }: Particle): Sent {
  const bytes = Buffer.from(fromHex(hex));
  switch (type) {
    case INTEGER:
      return bytes.readBigInt64BE();
    case FLOAT:
      return { double: bytes.readDoubleBE() };
    case BOOL:
      return bytes[0] === 1;
    case LIST:
    case MAP:
      return unpack(bytes);
    case GEOJSON:
      return { bytes: Uint8Array.from([GEOJSON, ...bytes.subarray(3)]) };
    default:
      return { bytes: Uint8Array.from([type, ...bytes]) };
  }
}

/** A value as text, equal when the values are. */
export function textOf(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === 'bigint') return `${part}n`;
    if (part instanceof Uint8Array) return Buffer.from(part).toString('hex');
    if (typeof part === 'number' && !Number.isFinite(part)) return String(part);
    return Object.is(part, -0) ? '-0' : part;
  });
}
