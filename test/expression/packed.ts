/** Expressions written as plain values, packed for the compiler; records that they are evaluated on; answers unpacked. */
import { Scratch } from '../../src/base/scratch.js';
import { ParticleSpan } from '../../src/data/particle-span.js';
import * as particle from '../../src/data/type.js';
import { compile } from '../../src/expression/compile.js';
import { evaluateFilter, evaluateValue } from '../../src/expression/evaluate.js';
import type { RecordView } from '../../src/expression/record-view.js';
import { pack } from '../data/msgpack/value.js';

/**
 * Integers as numbers or bigints; floats as `{ double }`; strings of type STR, others as `{ bytes }` with their type
 * byte; raw strings, without one, as `{ raw }`; lists as arrays; maps as `{ pairs, flags }`; anything else as `{ hex }`.
 */
export type Packed =
  | null
  | boolean
  | number
  | bigint
  | string
  | { readonly double: number }
  | { readonly bytes: readonly number[] }
  | { readonly raw: string }
  | { readonly hex: string }
  | { readonly pairs: readonly (readonly [Packed, Packed])[]; readonly flags?: number }
  | readonly Packed[];

export const NAME = {
  bin: (type: number, name: string): Packed => [81, type, { raw: name }],
  /** A quoted list. */
  list: (...items: readonly Packed[]): Packed => [126, items],
  blob: (...content: readonly number[]): Packed => ({ bytes: [particle.BLOB, ...content] }),
  geo: (text: string): Packed => ({ bytes: [particle.GEOJSON, ...Buffer.from(text)] }),
  float: (double: number): Packed => ({ double }),
} as const;

export function packed(value: Packed): Uint8Array {
  return Uint8Array.from(bytesOf(value));
}

/** A list or map as `evaluated` returns it. */
export function hexOf(value: Packed): { readonly hex: string } {
  return { hex: Buffer.from(packed(value)).toString('hex') };
}

function bytesOf(value: Packed): readonly number[] {
  if (typeof value === 'number') return [...pack(BigInt(value))];
  if (typeof value === 'string') return [...pack({ bytes: Buffer.from(`\x03${value}`) })];
  if (value === null || typeof value !== 'object') return [...pack(value)];
  if ('double' in value) return [...pack(value)];
  if ('bytes' in value) return [...pack({ bytes: Uint8Array.from(value.bytes) })];
  if ('raw' in value) return [...pack({ bytes: Buffer.from(value.raw) })];
  if ('hex' in value) return [...Buffer.from(value.hex.replaceAll(' ', ''), 'hex')];
  if ('pairs' in value) {
    const flags = value.flags ?? 0;
    const count = value.pairs.length + (flags === 0 ? 0 : 1);
    return [
      ...(count < 16 ? [0x80 | count] : [0xde, count >> 8, count & 0xff]),
      ...(flags === 0 ? [] : [0xc7, 0, flags, 0xc0]),
      ...value.pairs.flatMap(([key, item]) => [...bytesOf(key), ...bytesOf(item)]),
    ];
  }
  const count = value.length;
  return [...(count < 16 ? [0x90 | count] : [0xdc, count >> 8, count & 0xff]), ...value.flatMap(bytesOf)];
}

interface Particle {
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** A particle from a plain value: bigints are integers, arrays lists, and so on. */
export function particleOf(value: Packed): Particle {
  const bytes = packed(value);
  if (typeof value === 'boolean') return { type: particle.BOOL, bytes: Uint8Array.of(value ? 1 : 0) };
  if (typeof value === 'number' || typeof value === 'bigint') {
    const out = Buffer.alloc(8);
    out.writeBigInt64BE(BigInt.asIntN(64, BigInt(value)));
    return { type: particle.INTEGER, bytes: out };
  }
  if (typeof value === 'string') return { type: particle.STRING, bytes: Buffer.from(value) };
  if (value !== null && 'double' in value) return { type: particle.FLOAT, bytes: bytes.subarray(1) };
  if (value !== null && 'bytes' in value) {
    const content = Uint8Array.from(value.bytes.slice(1));
    const type = value.bytes[0]!;
    return { type, bytes: type === particle.GEOJSON ? Uint8Array.from([0, 0, 0, ...content]) : content };
  }
  return { type: value !== null && 'pairs' in value ? particle.MAP : particle.LIST, bytes };
}

const KEY = 'user-key';

export class TestRecord implements RecordView {
  hasBins = true;
  hasKey = true;
  isTombstone = false;
  hasUnsortedMap = false;
  digestBytes = Uint8Array.from({ length: 20 }, (_, k) => k + 1);
  digestAt = 0;
  lastUpdateMs = 1_700_000_000_123;
  nowMs = 1_700_000_100_456;
  voidTimeMs = 0;
  deviceSize = 0;
  memorySize = 96;
  recordSize = 96;
  set = 'people';
  readonly #bins: ReadonlyMap<string, Particle>;

  constructor(bins: Readonly<Record<string, Packed>> = {}) {
    this.#bins = new Map(Object.entries(bins).map(([name, value]) => [name, particleOf(value)]));
  }

  bin(names: Uint8Array, nameAt: number, nameSize: number, out: ParticleSpan): boolean {
    const found = this.#bins.get(Buffer.from(names.subarray(nameAt, nameAt + nameSize)).toString());
    if (found !== undefined) out.set(found.type, found.bytes, 0, found.bytes.length);
    return found !== undefined;
  }

  key(out: ParticleSpan): boolean {
    const bytes = Buffer.from(KEY);
    out.set(particle.STRING, bytes, 0, bytes.length);
    return this.hasKey;
  }

  setName(out: ParticleSpan): void {
    const bytes = Buffer.from(this.set);
    out.set(particle.STRING, bytes, 0, bytes.length);
  }
}

/** Whether an expression compiles. */
export function isValid(expression: Packed): boolean {
  const bytes = packed(expression);
  return compile(bytes, 0, bytes.length) !== undefined;
}

export const INVALID = 'invalid';
export const UNKNOWN = 'unknown';
export const REMOVE = 'remove';

/**
 * What an expression comes to: INVALID, UNKNOWN, REMOVE, or its value: integers as bigints, strings as strings, floats
 * as `{ double }`, blobs, geojson and sketches as `{ bytes }` with their type first, lists and maps as `hexOf` what they are.
 */
export function evaluated(expression: Packed, record: RecordView = new TestRecord()): unknown {
  const bytes = packed(expression);
  const program = compile(bytes, 0, bytes.length);
  if (program === undefined) return INVALID;
  const out = new ParticleSpan();
  const code = evaluateValue(program, record, new Scratch(), out);
  return code === 0 ? plain(out) : code === -1 ? UNKNOWN : REMOVE;
}

/** What a filter says: true, false, UNKNOWN or INVALID. */
export function filtered(expression: Packed, record: RecordView = new TestRecord()): unknown {
  const bytes = packed(expression);
  const program = compile(bytes, 0, bytes.length);
  if (program?.isFilter !== true) return INVALID;
  const answer = evaluateFilter(program, record, new Scratch());
  return answer < 0 ? UNKNOWN : answer === 1;
}

/** A particle as a plain value. */
export function plain(span: ParticleSpan): unknown {
  const bytes = Buffer.from(span.bytes.subarray(span.at, span.at + span.size));
  switch (span.type) {
    case particle.NULL:
      return null;
    case particle.BOOL:
      return bytes[0] === 1;
    case particle.INTEGER:
      return bytes.readBigInt64BE();
    case particle.FLOAT:
      return { double: bytes.readDoubleBE() };
    case particle.STRING:
      return bytes.toString();
    case particle.LIST:
    case particle.MAP:
      return { hex: bytes.toString('hex') };
    default:
      return { bytes: [span.type, ...bytes] };
  }
}
