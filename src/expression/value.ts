/**
 * A value while an expression is evaluated: an integer as two halves, a double, or bytes that lie in the record,
 * in the program or in scratch memory. Instances are reused; the machine keeps a stack of them.
 */
import { copyBytes } from '../base/copy.js';
import type { Scratch } from '../base/scratch.js';
import { hasPersistedIndex, wireSize, writeWire } from '../data/cdt/persisted-index.js';
import type { GeoShape } from '../data/geo/containment.js';
import { textOffset } from '../data/geo/particle.js';
import {
  BYTES,
  DOUBLE,
  Element,
  FALSE,
  GEOJSON,
  INT as INT_ELEMENT,
  LIST as LIST_ELEMENT,
  MAP as MAP_ELEMENT,
  NEGATIVE_INT,
  NIL as NIL_ELEMENT,
  STRING,
  TRUE,
} from '../data/msgpack/element.js';
import { Writer } from '../data/msgpack/writer.js';
import { readSingle } from '../data/number.js';
import type { ParticleSpan } from '../data/particle-span.js';
import { readU32, writeU16, writeU32 } from '../wire/message.js';
import { BLOB, BOOL, FLOAT, GEO, HLL, INT, LIST, MAP, NIL, PARTICLE_TYPE, STR } from './value-type.js';

const NOTHING = new Uint8Array(0);
const INT_SIZE = 8; // bytes of an integer or float particle
/** High half of the NaN that an operation without a result gives on the reference's processors; the low half is 0. */
const MADE_NAN_HIGH = -0x8_0000;
/** Bit of the high half that a NaN has after any operation. */
const QUIET = 0x8_0000;
/** A geojson particle without cells: flags, and a cell count of 0. */
const GEO_HEADER_SIZE = 3;
/** More than the header of any element, with its type byte. */
const ELEMENT_HEADER_MAX = 6;

const float = new DataView(new ArrayBuffer(8));
const element = new Element();
const writer = new Writer();

export class Value {
  /** NIL, BOOL … HLL; or UNKNOWN_TYPE. */
  type = NIL;
  /** INT: 64 bits, two's complement, as int32 each. BOOL: 0 or 1 in `low`. FLOAT that is a NaN: its bits. */
  high = 0;
  low = 0;
  /** FLOAT. Starts as a fraction, so that the field is stored as a double and never boxed anew. */
  number = 0.5;
  /** STR, BLOB, HLL: their content. GEO: the text. LIST, MAP: one msgpack element, in stored form. */
  bytes: Uint8Array = NOTHING;
  at = 0;
  size = 0;
  /** A constant GEO, parsed. */
  shape: GeoShape | undefined = undefined;
  /** A map that an operation has picked: its pairs may be in an order of their own. */
  isPicked = false;

  copy(other: Value): void {
    this.type = other.type;
    this.high = other.high;
    this.low = other.low;
    this.number = other.number;
    this.bytes = other.bytes;
    this.at = other.at;
    this.size = other.size;
    this.shape = other.shape;
    this.isPicked = other.isPicked;
  }

  setBytes(type: number, bytes: Uint8Array, at: number, size: number): void {
    this.type = type;
    this.bytes = bytes;
    this.at = at;
    this.size = size;
    this.shape = undefined;
    this.isPicked = false;
  }

  setInt(value: number): void {
    this.type = INT;
    this.high = value < 0 ? -1 : 0;
    this.low = value | 0;
  }

  setFloat(value: number): void {
    this.type = FLOAT;
    this.number = value;
    if (Number.isNaN(value)) {
      this.high = MADE_NAN_HIGH;
      this.low = 0;
    }
  }

  /** Sets a float from its two halves, int32 each; a NaN keeps its bits. */
  setFloatBits(high: number, low: number): void {
    this.type = FLOAT;
    this.number = floatOf(high, low);
    this.high = high;
    this.low = low;
  }

  /**
   * Sets this float to what an operation on it, or on it and `other`, has given. A NaN is the first operand that was
   * one: JavaScript says nothing of its bits, so they are kept beside the number.
   */
  setFloatResult(value: number, other: Value = this): void {
    if (!Number.isNaN(value)) {
      this.number = value;
      return;
    }
    if (Number.isNaN(this.number)) this.high |= QUIET;
    else if (Number.isNaN(other.number)) {
      this.high = other.high | QUIET;
      this.low = other.low;
    } else {
      this.high = MADE_NAN_HIGH;
      this.low = 0;
    }
    this.number = value;
  }

  setBool(value: number): void {
    this.type = BOOL;
    this.low = value;
  }

  /** Takes over a particle. @returns false when it is none of `type`, or its bytes cannot be one. */
  setParticle(particle: ParticleSpan, type: number): boolean {
    if (particle.type !== PARTICLE_TYPE[type]) return false;
    const { bytes, at, size } = particle;
    switch (type) {
      case INT:
        if (size !== INT_SIZE) return false;
        this.type = INT;
        this.high = readU32(bytes, at) | 0;
        this.low = readU32(bytes, at + 4) | 0;
        return true;
      case FLOAT:
        if (size !== INT_SIZE) return false;
        this.setFloatBits(readU32(bytes, at) | 0, readU32(bytes, at + 4) | 0);
        return true;
      case BOOL:
        if (size !== 1) return false;
        this.setBool(bytes[at] === 0 ? 0 : 1);
        return true;
      case GEO: {
        const skipped = textOffset(bytes, at, size);
        if (skipped < 0) return false;
        this.setBytes(GEO, bytes, at + skipped, size - skipped);
        return true;
      }
      case NIL:
        this.type = NIL;
        return true;
      default:
        this.setBytes(type, bytes, at, size);
        return true;
    }
  }

  /**
   * Takes over a msgpack element, one that lies inside a stored list or map.
   * @returns false when it is not of `type`.
   */
  setElement(bytes: Uint8Array, at: number, end: number, type: number): boolean {
    if (element.read(bytes, at, end) < 0) return false;
    switch (element.type) {
      case NIL_ELEMENT:
        this.type = NIL;
        return type === NIL;
      case FALSE:
      case TRUE:
        this.setBool(element.type === TRUE ? 1 : 0);
        return type === BOOL;
      case INT_ELEMENT:
      case NEGATIVE_INT:
        this.type = INT;
        this.high = element.high | 0;
        this.low = element.low | 0;
        return type === INT;
      case DOUBLE:
        if (bytes[at] === 0xcb) this.setFloatBits(readU32(bytes, at + 1) | 0, readU32(bytes, at + 5) | 0);
        else this.setFloat(readSingle(bytes, at + 1));
        return type === FLOAT;
      case LIST_ELEMENT:
      case MAP_ELEMENT:
        this.setBytes(element.type === LIST_ELEMENT ? LIST : MAP, bytes, at, end - at);
        return this.type === type;
      case STRING:
      case BYTES:
      case GEOJSON:
        if (element.bodySize === 0 || bytes[element.bodyAt] !== PARTICLE_TYPE[type]) return false;
        this.setBytes(type, bytes, element.bodyAt + 1, element.bodySize - 1);
        return true;
      default:
        return false;
    }
  }

  /** Writes the value as the particle that replies carry. @param out lies in `scratch`, or where the value's bytes do. */
  toParticle(scratch: Scratch, out: ParticleSpan): void {
    const type = PARTICLE_TYPE[this.type]!;
    switch (this.type) {
      case NIL:
        out.clear();
        return;
      case BOOL: {
        const at = scratch.take(1);
        scratch.bytes[at] = this.low;
        out.set(type, scratch.bytes, at, 1);
        return;
      }
      case INT:
      case FLOAT: {
        const at = scratch.take(INT_SIZE);
        writeHalves(this, scratch.bytes, at);
        out.set(type, scratch.bytes, at, INT_SIZE);
        return;
      }
      case GEO: {
        const at = scratch.take(GEO_HEADER_SIZE + this.size);
        const out8 = scratch.bytes;
        out8[at] = 0;
        writeU16(out8, at + 1, 0);
        copyBytes(out8, at + GEO_HEADER_SIZE, this.bytes, this.at, this.size);
        out.set(type, out8, at, GEO_HEADER_SIZE + this.size);
        return;
      }
      case LIST:
      case MAP:
        this.stripIndex(scratch);
        out.set(type, this.bytes, this.at, this.size);
        return;
      default:
        out.set(type, this.bytes, this.at, this.size);
    }
  }

  /** Most bytes that `writeElement` writes. */
  elementSizeMax(): number {
    return ELEMENT_HEADER_MAX + Math.max(INT_SIZE, this.type >= STR ? this.size : 0);
  }

  /** Writes the value as a msgpack element; a list or map must not have an index any more. @returns Bytes written. */
  writeElement(out: Uint8Array, outAt: number): number {
    writer.start(out, outAt);
    switch (this.type) {
      case BOOL:
        writer.byte(0xc2 + this.low);
        break;
      case INT:
        writer.integer(this.high < 0 ? NEGATIVE_INT : INT_ELEMENT, this.high >>> 0, this.low >>> 0);
        break;
      case FLOAT:
        writer.byte(0xcb);
        writeHalves(this, out, writer.at);
        writer.at += INT_SIZE;
        break;
      case STR:
      case BLOB:
      case GEO:
      case HLL:
        writer.typed(PARTICLE_TYPE[this.type]!, this.bytes, this.at, this.size);
        break;
      case LIST:
      case MAP:
        writer.copy(this.bytes, this.at, this.size);
        break;
      default:
        writer.byte(0xc0);
    }
    return writer.at - outAt;
  }

  /** Makes of a list or map that carries a private index one that does not. */
  stripIndex(scratch: Scratch): void {
    const type = PARTICLE_TYPE[this.type]!;
    if (!hasPersistedIndex(type, this.bytes, this.at, this.size)) return;
    const size = wireSize(type, this.bytes, this.at, this.size);
    const at = scratch.take(size);
    writeWire(type, this.bytes, this.at, this.size, scratch.bytes, at);
    this.setBytes(this.type, scratch.bytes, at, size);
  }
}

function floatOf(high: number, low: number): number {
  float.setInt32(0, high);
  float.setInt32(4, low);
  return float.getFloat64(0);
}

function writeHalves(value: Value, out: Uint8Array, at: number): void {
  if (value.type === INT || Number.isNaN(value.number)) {
    writeU32(out, at, value.high);
    writeU32(out, at + 4, value.low);
    return;
  }
  float.setFloat64(0, value.number);
  writeU32(out, at, float.getInt32(0));
  writeU32(out, at + 4, float.getInt32(4));
}

/** The two halves of a double, int32 each. */
export function floatHigh(value: number): number {
  float.setFloat64(0, value);
  return float.getInt32(0);
}

export function floatLow(value: number): number {
  float.setFloat64(0, value);
  return float.getInt32(4);
}
