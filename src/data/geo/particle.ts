/**
 * The geojson particle. Source: protocol 17, section 1, and the recorded answers.
 *
 *   0              1             3                        3 + 8n
 *   flags, u8      n, u16 BE     n cell ids, u64 BE each  the JSON text as the client wrote it
 *
 * Flags and cells that come in are ignored; what is stored and sent has the server's own.
 */
import { copyBytes } from '../../base/copy.js';
import { leafId } from './cell.js';
import { coveringOf, STORED_LIMITS } from './covering.js';
import { parseGeoJson } from './geojson.js';
import { regionOf } from './region.js';

const CELLS_COUNT = 1; // u16 BE
const CELLS = 3;
const CELL_SIZE = 8;
const IS_REGION = 0x01; // flag

/** What a text amounts to: a point's leaf cell, a region's covering. */
interface Cells {
  readonly isRegion: boolean;
  readonly ids: readonly bigint[];
}

/** The text measured last and its cells, so that `writeGeo` does not compute them a second time. */
let measuredText = new Uint8Array(0);
let measured: Cells | undefined;

/** @returns Bytes of the stored form, or -1 when lengths, JSON or shape are not acceptable. */
export function geoSize(bytes: Uint8Array, at: number, size: number): number {
  const skipped = textOffset(bytes, at, size);
  if (skipped < 0) return -1;
  const cells = cellsOf(bytes, at + skipped, size - skipped);
  if (cells === undefined) return -1;
  measuredText = new Uint8Array(size - skipped);
  measuredText.set(bytes.subarray(at + skipped, at + size));
  measured = cells;
  return CELLS + cells.ids.length * CELL_SIZE + size - skipped;
}

/** Writes the stored form of a particle that `geoSize` has measured. @returns Its bytes, or -1 as `geoSize`. */
export function writeGeo(
  bytes: Uint8Array,
  at: number,
  size: number,
  out: Uint8Array,
  outAt: number,
): number {
  const skipped = textOffset(bytes, at, size);
  if (skipped < 0) return -1;
  const cells = isMeasured(bytes, at + skipped, size - skipped)
    ? measured
    : cellsOf(bytes, at + skipped, size - skipped);
  measured = undefined;
  measuredText = new Uint8Array(0);
  if (cells === undefined) return -1;
  const count = cells.ids.length;
  out[outAt] = cells.isRegion ? IS_REGION : 0;
  out[outAt + CELLS_COUNT] = count >> 8;
  out[outAt + CELLS_COUNT + 1] = count;
  for (let k = 0; k < count; k++) writeU64(cells.ids[k]!, out, outAt + CELLS + k * CELL_SIZE);
  const textAt = CELLS + count * CELL_SIZE;
  copyBytes(out, outAt + textAt, bytes, at + skipped, size - skipped);
  return textAt + size - skipped;
}

function cellsOf(bytes: Uint8Array, at: number, size: number): Cells | undefined {
  const geometry = parseGeoJson(bytes, at, size);
  if (geometry === undefined) return undefined;
  if (geometry.kind === 'point') return { isRegion: false, ids: [leafId(geometry.at)] };
  return { isRegion: true, ids: coveringOf(regionOf(geometry), STORED_LIMITS) };
}

function isMeasured(bytes: Uint8Array, at: number, size: number): boolean {
  if (measured === undefined || measuredText.length !== size) return false;
  for (let k = 0; k < size; k++) if (measuredText[k] !== bytes[at + k]) return false;
  return true;
}

/** Offset of the JSON text in a particle, or -1 when the cells before it are cut off. */
export function textOffset(bytes: Uint8Array, at: number, size: number): number {
  if (size < CELLS) return -1;
  const count = (bytes[at + CELLS_COUNT]! << 8) | bytes[at + CELLS_COUNT + 1]!;
  const offset = CELLS + count * CELL_SIZE;
  return offset > size ? -1 : offset;
}

function writeU64(value: bigint, out: Uint8Array, at: number): void {
  for (let k = 0; k < 8; k++) out[at + k] = Number((value >> BigInt(56 - 8 * k)) & 0xffn);
}
