/** Particle types: the byte before a bin's value that says what the value is. Source: protocol 01, section 8. */
export const NULL = 0; // no value: in a WRITE it deletes the bin
export const INTEGER = 1; // 8 bytes big-endian, two's complement; 1, 2 and 4 byte unsigned forms on input
export const FLOAT = 2; // 8 bytes big-endian IEEE 754
export const STRING = 3; // raw bytes; UTF-8 by convention, never checked
export const BLOB = 4; // raw bytes
export const JAVA_BLOB = 7;
export const CSHARP_BLOB = 8;
export const PYTHON_BLOB = 9;
export const RUBY_BLOB = 10;
export const PHP_BLOB = 11;
export const ERLANG_BLOB = 12;
export const VECTOR = 16; // reserved by the reference; behaves as a blob
export const BOOL = 17; // 1 byte, 0 or 1
export const HLL = 18; // HyperLogLog sketch
export const MAP = 19; // msgpack
export const LIST = 20; // msgpack
export const GEOJSON = 23; // flags, cell ids, JSON text
/** 5, 6, 13, 14, 15, 21, 22 have no live meaning, and nothing at or above this has. */
export const PARTICLE_TYPE_COUNT = 24;

const BLOBS =
  (1 << BLOB) |
  (1 << JAVA_BLOB) |
  (1 << CSHARP_BLOB) |
  (1 << PYTHON_BLOB) |
  (1 << RUBY_BLOB) |
  (1 << PHP_BLOB) |
  (1 << ERLANG_BLOB) |
  (1 << VECTOR);

/** Whether values of this type are opaque bytes, whatever client language they belong to. */
export function isBlob(type: number): boolean {
  return type < PARTICLE_TYPE_COUNT && ((BLOBS >>> type) & 1) === 1;
}
