/**
 * The geojson particle. Source: protocol 17, section 1, and the recorded answers.
 *
 *   0              1             3                        3 + 8n
 *   flags, u8      n, u16 BE     n cell ids, u64 BE each  the JSON text as the client wrote it
 *
 * Flags and cells that come in are ignored; what is stored and sent has the server's own.
 */
import { copyBytes } from '../bytes.js';
import { CellId } from './cell.js';
import { type Geometry, parseGeoJson } from './geojson.js';

const CELLS_COUNT = 1; // u16 BE
const CELLS = 3;
const CELL_SIZE = 8;
const IS_REGION = 0x01; // flag

const leaf = new CellId();

/** @returns Bytes of the stored form, or -1 when lengths, JSON or shape are not acceptable. */
export function geoSize(bytes: Uint8Array, at: number, size: number): number {
  const geometry = geometryAt(bytes, at, size);
  if (geometry === undefined) return -1;
  return CELLS + cellCount(geometry) * CELL_SIZE + size - textOffset(bytes, at);
}

/** Writes the stored form of a particle that `geoSize` has measured. @returns Its bytes, or -1 as `geoSize`. */
export function writeGeo(
  bytes: Uint8Array,
  at: number,
  size: number,
  out: Uint8Array,
  outAt: number,
): number {
  const geometry = geometryAt(bytes, at, size);
  if (geometry === undefined) return -1;
  const count = cellCount(geometry);
  out[outAt] = geometry.kind === 'point' ? 0 : IS_REGION;
  out[outAt + CELLS_COUNT] = count >> 8;
  out[outAt + CELLS_COUNT + 1] = count;
  if (geometry.kind === 'point') {
    leaf.setLeaf(geometry.at);
    leaf.write(out, outAt + CELLS);
  }
  const skipped = textOffset(bytes, at);
  const textAt = CELLS + count * CELL_SIZE;
  copyBytes(bytes, at + skipped, size - skipped, out, outAt + textAt);
  return textAt + size - skipped;
}

function geometryAt(bytes: Uint8Array, at: number, size: number): Geometry | undefined {
  if (size < CELLS) return undefined;
  const skipped = textOffset(bytes, at);
  return skipped > size ? undefined : parseGeoJson(bytes, at + skipped, size - skipped);
}

/** Offset of the JSON text in a particle of at least 3 bytes; may lie behind its end. */
function textOffset(bytes: Uint8Array, at: number): number {
  return CELLS + ((bytes[at + CELLS_COUNT]! << 8) | bytes[at + CELLS_COUNT + 1]!) * CELL_SIZE;
}

/** A point has its leaf cell. A region's covering is for indexes, which compute it themselves: it carries none. */
function cellCount(geometry: Geometry): number {
  return geometry.kind === 'point' ? 1 : 0;
}
