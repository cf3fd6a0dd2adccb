/** Constants: values that stand for themselves in an expression, as nodes of its program. Source: protocol 16, section 2. */
import { shapeOf } from '../data/geo/containment.js';
import * as msgpack from '../data/msgpack/element.js';
import { readSingle } from '../data/number.js';
import { readU32 } from '../wire/message.js';
import type { CodeWriter } from './code-writer.js';
import { type ExpressionReader, INVALID } from './expression-reader.js';
import { literalFound, writeLiteral } from './literal.js';
import { CONSTANT } from './structure.js';
import { floatHigh, floatLow } from './value.js';
import { BLOB, BOOL, FLOAT, GEO, HLL, INT, MAP, NIL, PARTICLE_TYPE, STR } from './value-type.js';

/** Types of constants in typed bytes, by the particle type that is their type byte. */
const BYTES_TYPES: readonly number[] = [STR, BLOB, GEO, HLL];
/** Where literals are written first. */
let literal = new Uint8Array(1024);
const LITERAL_KEPT = 1 << 16; // bytes

/**
 * Compiles a value that stands for itself and is no list.
 * @param at where the element that was just read starts.
 * @returns Its node, or INVALID.
 */
export function compileConstant(reader: ExpressionReader, writer: CodeWriter, at: number): number {
  const { element } = reader;
  switch (element.type) {
    case msgpack.NIL:
      return writer.node(CONSTANT, NIL, 0);
    case msgpack.FALSE:
    case msgpack.TRUE:
      return constant(writer, BOOL, element.type === msgpack.TRUE ? 1 : 0, 0);
    case msgpack.INT:
    case msgpack.NEGATIVE_INT:
      return constant(writer, INT, element.high | 0, element.low | 0);
    case msgpack.DOUBLE: {
      const { bytes } = reader;
      if (bytes[at] === 0xcb)
        return constant(writer, FLOAT, readU32(bytes, at + 1) | 0, readU32(bytes, at + 5) | 0);
      const single = readSingle(bytes, at + 1);
      return constant(writer, FLOAT, floatHigh(single), floatLow(single));
    }
    case msgpack.STRING:
    case msgpack.BYTES:
    case msgpack.GEOJSON:
      return compileBytes(reader, writer);
    case msgpack.MAP:
      return compileLiteral(reader, writer, MAP, at);
    default:
      return INVALID;
  }
}

/** Compiles a list or map that stands for itself, from `at` on, and moves on behind it. @returns Its node, or INVALID. */
export function compileLiteral(
  reader: ExpressionReader,
  writer: CodeWriter,
  type: number,
  at: number,
): number {
  reader.from = reader.endOf(at);
  const size = reader.from - at;
  if (literal.length < size) literal = new Uint8Array(size * 2);
  const written = writeLiteral(reader.bytes, at, reader.from, literal, false);
  if (written < 0) return INVALID;
  const node =
    written === size && isSame(literal, reader.bytes, at, size)
      ? constant(writer, type, at - reader.start, size)
      : constant(writer, type, writer.addBytes(literal, written, reader.end - reader.start), written);
  if (literalFound.hasUnsortedMap) {
    writeLiteral(reader.bytes, at, reader.from, literal, true);
    writer.addSorted(node, writer.addBytes(literal, written, reader.end - reader.start));
  }
  if (literal.length > LITERAL_KEPT) literal = new Uint8Array(1024);
  return node;
}

/** A node for a constant of two operands: both halves of a number, or where bytes are in the program and their size. */
export function constant(writer: CodeWriter, type: number, first: number, second: number): number {
  const node = writer.node(CONSTANT, type, 2);
  writer.setOperand(node, 0, first);
  writer.setOperand(node, 1, second);
  return node;
}

/** Typed bytes: what they are is their first byte. */
function compileBytes(reader: ExpressionReader, writer: CodeWriter): number {
  const { bodyAt, bodySize } = reader.element;
  if (bodySize === 0) return INVALID;
  const type = BYTES_TYPES.find(candidate => PARTICLE_TYPE[candidate] === reader.bytes[bodyAt]);
  if (type === undefined) return INVALID;
  if (type !== GEO) return constant(writer, type, bodyAt + 1 - reader.start, bodySize - 1);
  const shape = shapeOf(reader.bytes, bodyAt + 1, bodySize - 1);
  if (shape === undefined) return INVALID;
  const node = writer.node(CONSTANT, GEO, 3);
  writer.setOperand(node, 0, bodyAt + 1 - reader.start);
  writer.setOperand(node, 1, bodySize - 1);
  writer.setOperand(node, 2, writer.addShape(shape));
  return node;
}

function isSame(bytes: Uint8Array, other: Uint8Array, at: number, size: number): boolean {
  for (let k = 0; k < size; k++) if (bytes[k] !== other[at + k]) return false;
  return true;
}
