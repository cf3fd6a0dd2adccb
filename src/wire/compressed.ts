/**
 * Compressed messages: a protocol header of type 4, the u64 length of the inner message with its own header,
 * and its zlib stream. Source: protocol 01, section 2.
 */
import { deflateSync, inflateSync } from 'node:zlib';
import { readU32, writeU32 } from './message.js';
import {
  PROTO_BODY_SIZE_MAX,
  PROTO_COMPRESSED,
  PROTO_HEADER_SIZE,
  PROTO_MESSAGE,
  PROTO_VERSION,
  protoBodySize,
  writeProtoHeader,
} from './proto.js';

const LENGTH_SIZE = 8; // bytes
/** Answers no longer than this are not worth it. */
export const COMPRESS_SIZE_MIN = 128; // bytes
const LEVEL = 1; // the fastest: the wire is the bottleneck, or compression would not have been asked for

/** Length of the inner message that a compressed body of `size` bytes at `at` announces, or -1 when it cannot be. */
export function innerSize(bytes: Uint8Array, at: number, size: number): number {
  if (size < LENGTH_SIZE + 2 || readU32(bytes, at) !== 0) return -1;
  const inner = readU32(bytes, at + 4);
  return inner < PROTO_HEADER_SIZE || inner > PROTO_BODY_SIZE_MAX + PROTO_HEADER_SIZE ? -1 : inner;
}

/**
 * Inflates a compressed body.
 * @returns The inner message with its protocol header, or undefined when it is not exactly one whole data message
 *   of the announced length. Never more memory than announced is taken.
 */
export function inflateMessage(body: Uint8Array): Uint8Array | undefined {
  const size = innerSize(body, 0, body.length);
  if (size < 0) return undefined;
  let inner: Uint8Array;
  try {
    inner = inflateSync(body.subarray(LENGTH_SIZE), { maxOutputLength: size });
  } catch {
    return undefined; // a broken stream, or more bytes than announced
  }
  const isMessage =
    inner.length === size &&
    inner[0] === PROTO_VERSION &&
    inner[1] === PROTO_MESSAGE &&
    protoBodySize(inner, 0) === size - PROTO_HEADER_SIZE;
  return isMessage ? inner : undefined;
}

/** Compresses one whole protocol frame. @returns A frame of type 4, or the same bytes when that is not smaller. */
export function deflateFrame(frame: Uint8Array): Uint8Array {
  const stream = deflateSync(frame, { level: LEVEL });
  const size = PROTO_HEADER_SIZE + LENGTH_SIZE + stream.length;
  if (size >= frame.length) return frame;
  const out = Buffer.allocUnsafe(size);
  writeProtoHeader(out, 0, PROTO_COMPRESSED, LENGTH_SIZE + stream.length);
  writeU32(out, PROTO_HEADER_SIZE, 0);
  writeU32(out, PROTO_HEADER_SIZE + 4, frame.length);
  out.set(stream, PROTO_HEADER_SIZE + LENGTH_SIZE);
  return out;
}
