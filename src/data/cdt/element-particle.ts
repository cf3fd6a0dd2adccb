/**
 * Elements of lists and maps as particles of their own, and particles as elements. Source: protocol 10, section 1.
 */
import { copyBytes } from '../../base/copy.js';
import type { Scratch } from '../../base/scratch.js';
import { readU32, writeU32 } from '../../wire/message.js';
import {
  BYTES,
  DOUBLE,
  Element,
  FALSE,
  GEOJSON as GEOJSON_ELEMENT,
  INT,
  LIST as LIST_ELEMENT,
  MAP as MAP_ELEMENT,
  NEGATIVE_INT,
  NIL,
  STRING as STRING_ELEMENT,
  sizeOf,
  TRUE,
} from '../msgpack/element.js';
import { Writer } from '../msgpack/writer.js';
import { NUMBER_SIZE, readSingle, writeDouble } from '../number.js';
import type { ParticleSpan } from '../particle-span.js';
import {
  BLOB,
  BOOL,
  FLOAT,
  GEOJSON,
  HLL,
  INTEGER,
  isBlob,
  LIST,
  MAP,
  NULL,
  PARTICLE_TYPE_COUNT,
  STRING,
} from '../type.js';

/** A geojson particle's flags and count of cells, before the cells and the text. */
const GEO_HEAD_SIZE = 3; // bytes
const CELL_SIZE = 8; // bytes
const SINGLE_HEAD = 0xca; // float32

const element = new Element();
const writer = new Writer();

/**
 * Makes `out` the particle that an element stands for. Strings, blobs, lists and maps stay where they are; numbers,
 * bools and geojson are written to the scratch memory.
 * @param end one past the element's last byte, or further, if what follows belongs to the caller.
 * @returns false when the element is malformed or no value, a sentinel or an ext.
 */
export function particleOf(
  bytes: Uint8Array,
  at: number,
  end: number,
  scratch: Scratch,
  out: ParticleSpan,
): boolean {
  if (element.read(bytes, at, end) < 0) return false;
  switch (element.type) {
    case NIL:
      out.clear();
      return true;
    case FALSE:
    case TRUE: {
      const made = scratch.take(1);
      scratch.bytes[made] = element.type === TRUE ? 1 : 0;
      out.set(BOOL, scratch.bytes, made, 1);
      return true;
    }
    case INT:
    case NEGATIVE_INT:
      integerParticle(element.high, element.low, scratch, out);
      return true;
    case DOUBLE: {
      if (bytes[at] !== SINGLE_HEAD) {
        out.set(FLOAT, bytes, at + 1, NUMBER_SIZE);
        return true;
      }
      const made = scratch.take(NUMBER_SIZE);
      writeDouble(readSingle(bytes, at + 1), scratch.bytes, made);
      out.set(FLOAT, scratch.bytes, made, NUMBER_SIZE);
      return true;
    }
    case STRING_ELEMENT:
      out.set(STRING, bytes, element.bodyAt + 1, element.bodySize - 1);
      return true;
    case BYTES:
      bytesParticle(bytes, out);
      return true;
    case GEOJSON_ELEMENT: {
      const size = element.bodySize - 1;
      const made = scratch.take(GEO_HEAD_SIZE + size);
      scratch.bytes.fill(0, made, made + GEO_HEAD_SIZE);
      copyBytes(scratch.bytes, made + GEO_HEAD_SIZE, bytes, element.bodyAt + 1, size);
      out.set(GEOJSON, scratch.bytes, made, GEO_HEAD_SIZE + size);
      return true;
    }
    case LIST_ELEMENT:
    case MAP_ELEMENT: {
      const type = element.type === LIST_ELEMENT ? LIST : MAP;
      const size = sizeOf(bytes, at, end);
      if (size < 0) return false;
      out.set(type, bytes, at, size);
      return true;
    }
    default:
      return false;
  }
}

/** Makes `out` an integer particle of two 32-bit halves. */
export function integerParticle(high: number, low: number, scratch: Scratch, out: ParticleSpan): void {
  const at = scratch.take(NUMBER_SIZE);
  writeU32(scratch.bytes, at, high);
  writeU32(scratch.bytes, at + 4, low);
  out.set(INTEGER, scratch.bytes, at, NUMBER_SIZE);
}

function bytesParticle(bytes: Uint8Array, out: ParticleSpan): void {
  if (element.bodySize === 0) {
    out.set(BLOB, bytes, element.bodyAt, 0);
    return;
  }
  const type = bytes[element.bodyAt]!;
  const isKnown = type < PARTICLE_TYPE_COUNT && (isBlob(type) || type === HLL);
  out.set(isKnown ? type : BLOB, bytes, element.bodyAt + 1, element.bodySize - 1);
}

/**
 * Makes `out` the element that stands for a particle in a list or map: its bytes, with `type` left as the
 * particle's. Lists and maps stay where they are and keep their flags; the rest is written to the scratch memory.
 */
export function elementOf(particle: ParticleSpan, scratch: Scratch, out: ParticleSpan): void {
  const { type, bytes, at, size } = particle;
  if (type === LIST || type === MAP) {
    out.copy(particle);
    return;
  }
  const made = scratch.take(size + 6); // a header of up to five bytes and a type byte
  writer.start(scratch.bytes, made);
  switch (type) {
    case NULL:
      writer.byte(0xc0);
      break;
    case INTEGER: {
      const high = readU32(bytes, at);
      writer.integer(high >= 0x8000_0000 ? NEGATIVE_INT : INT, high, readU32(bytes, at + 4));
      break;
    }
    case FLOAT:
      writer.byte(0xcb);
      writer.copy(bytes, at, NUMBER_SIZE);
      break;
    case BOOL:
      writer.byte(bytes[at] === 0 ? 0xc2 : 0xc3);
      break;
    case GEOJSON: {
      const skipped = GEO_HEAD_SIZE + CELL_SIZE * ((bytes[at + 1]! << 8) | bytes[at + 2]!);
      writer.typed(GEOJSON, bytes, at + skipped, size - skipped);
      break;
    }
    default:
      writer.typed(type, bytes, at, size);
  }
  scratch.trim(writer.at);
  out.set(type, scratch.bytes, made, writer.at - made);
}
