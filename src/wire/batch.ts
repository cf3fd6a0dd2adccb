/** The message that ends a batch, and the one that says that a background job is accepted. Source: protocol 03 and 04. */
import { INFO3_LAST, MSG_HEADER_SIZE, MSG_INFO3, writeMessageHeader } from './message.js';
import { PROTO_HEADER_SIZE, PROTO_MESSAGE, writeProtoHeader } from './proto.js';

/** Bytes of the frame. */
export const TRAILER_SIZE = PROTO_HEADER_SIZE + MSG_HEADER_SIZE;

/** Writes the frame at `at`. @returns `out`. */
export function writeTrailer(out: Uint8Array, code: number, at = 0): Uint8Array {
  writeProtoHeader(out, at, PROTO_MESSAGE, MSG_HEADER_SIZE);
  writeMessageHeader(out, at + PROTO_HEADER_SIZE, code, 0, 0, 0, 0);
  out[at + PROTO_HEADER_SIZE + MSG_INFO3] = INFO3_LAST;
  return out;
}
