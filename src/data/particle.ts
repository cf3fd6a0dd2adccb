/**
 * Particles on their way in: what a bin accepts of each type, and the bytes that it stores then. The stored form
 * is the form that replies carry, so that a read is a copy; only lists and maps that persist an index differ
 * (cdt/persisted-index.ts). Source: protocol 18, section 2, and 01, section 8.
 */

import { copyBytes } from '../base/copy.js';
import { GEO_INVALID_GEOJSON, PARAMETER, UNKNOWN } from '../base/result.js';
import { writeIndexed } from './cdt/index-writer.js';
import { indexedSize } from './cdt/persisted-index.js';
import { geoSize, writeGeo } from './geo/particle.js';
import { checkHll } from './hll/sketch.js';
import { LIST as LIST_ELEMENT, MAP as MAP_ELEMENT } from './msgpack/element.js';
import { normalise } from './msgpack/normalise.js';
import { checkBool, checkFloat, checkInteger, writeInteger } from './number.js';
import {
  BLOB,
  BOOL,
  CSHARP_BLOB,
  ERLANG_BLOB,
  FLOAT,
  GEOJSON,
  HLL,
  INTEGER,
  JAVA_BLOB,
  LIST,
  MAP,
  NULL,
  PARTICLE_TYPE_COUNT,
  PHP_BLOB,
  PYTHON_BLOB,
  RUBY_BLOB,
  STRING,
  VECTOR,
} from './type.js';

/** How one type is taken in. Both functions see the particle's own bytes and nothing around them. */
interface ParticleType {
  readonly name: string;
  /** @returns Bytes of the stored form, or a negative result code. */
  readonly check: (bytes: Uint8Array, at: number, size: number) => number;
  /** Writes the stored form of what `check` has allowed; absent where that is a plain copy. @returns Its bytes. */
  readonly write?: (bytes: Uint8Array, at: number, size: number, out: Uint8Array, outAt: number) => number;
}

/** Lists, maps and geojson are measured by writing them; more scratch than this is given back after use. */
const SCRATCH_KEPT = 1 << 20; // bytes
let scratch = new Uint8Array(4096);

const blob = (name: string): ParticleType => ({ name, check: checkBytes });

const TYPES: readonly (ParticleType | undefined)[] = table([
  [NULL, { name: 'null', check: checkNull, write: checkNull }],
  [INTEGER, { name: 'integer', check: checkInteger, write: writeInteger }],
  [FLOAT, { name: 'float', check: checkFloat }],
  [STRING, { name: 'string', check: checkBytes }],
  [BLOB, blob('blob')],
  [JAVA_BLOB, blob('java-blob')],
  [CSHARP_BLOB, blob('csharp-blob')],
  [PYTHON_BLOB, blob('python-blob')],
  [RUBY_BLOB, blob('ruby-blob')],
  [PHP_BLOB, blob('php-blob')],
  [ERLANG_BLOB, blob('erlang-blob')],
  [VECTOR, blob('vector')],
  [BOOL, { name: 'bool', check: checkBool }],
  [HLL, { name: 'hll', check: checkHll }],
  [MAP, { name: 'map', check: checkMap, write: writeMap }],
  [LIST, { name: 'list', check: checkList, write: writeList }],
  [GEOJSON, { name: 'geojson', check: checkGeo, write: writeGeo }],
]);

/** 1 at every type whose stored form is the particle as it came: the fast path of a put. */
const COPIED = Uint8Array.from(TYPES, type => (type !== undefined && type.write === undefined ? 1 : 0));

/** Whether particles of this type are stored exactly as they came, once `checkWrite` has allowed them. */
export function isCopied(type: number): boolean {
  return type < PARTICLE_TYPE_COUNT && COPIED[type] === 1;
}

/** Name of a particle type as info answers and logs write it, or undefined when there is no such type. */
export function particleTypeName(type: number): string | undefined {
  return TYPES[type]?.name;
}

/**
 * Checks the value of a WRITE (or of an INCR, APPEND or PREPEND that creates its bin).
 * @param type  particle type. NULL, which deletes the bin, is allowed and has size 0: the caller acts on it.
 * @param bytes holds the particle, `size` bytes from `at`; nothing else of it is looked at, and it is not kept.
 * @returns Bytes of the stored form (more than `size` only for short integers, geojson and persisted indexes), or
 * -PARAMETER (unknown type, wrong size), -UNKNOWN (bad list or map), -GEO_INVALID_GEOJSON.
 */
export function checkWrite(type: number, bytes: Uint8Array, at: number, size: number): number {
  const row = TYPES[type];
  return row === undefined ? -PARAMETER : row.check(bytes, at, size);
}

/**
 * Writes the stored form of a particle that `checkWrite` has allowed.
 * @param out room for the bytes that `checkWrite` returned, from `outAt`; does not overlap the particle.
 * @returns Bytes written: what `checkWrite` returned.
 */
export function writeStored(
  type: number,
  bytes: Uint8Array,
  at: number,
  size: number,
  out: Uint8Array,
  outAt: number,
): number {
  const row = TYPES[type]!;
  if (row.write !== undefined) return row.write(bytes, at, size, out, outAt);
  copyBytes(out, outAt, bytes, at, size);
  return size;
}

function table(rows: readonly (readonly [number, ParticleType])[]): readonly (ParticleType | undefined)[] {
  const types: (ParticleType | undefined)[] = new Array(PARTICLE_TYPE_COUNT).fill(undefined);
  for (const [type, row] of rows) types[type] = row;
  return types;
}

/** A NULL has no value, whatever bytes came with it. */
function checkNull(): number {
  return 0;
}

function checkBytes(_bytes: Uint8Array, _at: number, size: number): number {
  return size;
}

function checkList(bytes: Uint8Array, at: number, size: number): number {
  return checkNormalised(LIST_ELEMENT, bytes, at, size);
}

function checkMap(bytes: Uint8Array, at: number, size: number): number {
  return checkNormalised(MAP_ELEMENT, bytes, at, size);
}

function writeList(bytes: Uint8Array, at: number, size: number, out: Uint8Array, outAt: number): number {
  return writeNormalised(LIST_ELEMENT, bytes, at, size, out, outAt);
}

function writeMap(bytes: Uint8Array, at: number, size: number, out: Uint8Array, outAt: number): number {
  return writeNormalised(MAP_ELEMENT, bytes, at, size, out, outAt);
}

function checkNormalised(element: number, bytes: Uint8Array, at: number, size: number): number {
  if (size > scratch.length) scratch = new Uint8Array(size);
  const plain = normalise(element, bytes, at, size, scratch, 0);
  const stored = plain < 0 ? -UNKNOWN : indexedSize(scratch, 0, plain);
  if (scratch.length > SCRATCH_KEPT) scratch = new Uint8Array(4096);
  return stored;
}

/** Writes a list or map, and its index if it is to be persisted: then in two steps, since `out` has to hold both. */
function writeNormalised(
  element: number,
  bytes: Uint8Array,
  at: number,
  size: number,
  out: Uint8Array,
  outAt: number,
): number {
  const plain = normalise(element, bytes, at, size, out, outAt);
  if (indexedSize(out, outAt, plain) === plain) return plain;
  if (plain > scratch.length) scratch = new Uint8Array(plain);
  copyBytes(scratch, 0, out, outAt, plain);
  const stored = writeIndexed(scratch, 0, plain, out, outAt);
  if (scratch.length > SCRATCH_KEPT) scratch = new Uint8Array(4096);
  return stored;
}

function checkGeo(bytes: Uint8Array, at: number, size: number): number {
  const stored = geoSize(bytes, at, size);
  return stored < 0 ? -GEO_INVALID_GEOJSON : stored;
}
