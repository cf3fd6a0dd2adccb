/**
 * The 8-byte header before every request and response on a service port: u8 version (2), u8 type, 48-bit
 * big-endian size of the body. Source: protocol 01, section 1.
 */
export const PROTO_HEADER_SIZE = 8; // bytes
export const PROTO_VERSION = 2;
export const PROTO_INFO = 1;
export const PROTO_ADMIN = 2;
export const PROTO_MESSAGE = 3;
export const PROTO_COMPRESSED = 4;
/** The largest body; a frame that announces more closes its socket. */
export const PROTO_BODY_SIZE_MAX = 128 * 1024 * 1024;

/** Body size announced by the header at `at`; exact, since 48 bits fit a number. */
export function protoBodySize(bytes: Uint8Array, at: number): number {
  const high = (bytes[at + 2]! << 8) | bytes[at + 3]!;
  const low =
    ((bytes[at + 4]! << 24) | (bytes[at + 5]! << 16) | (bytes[at + 6]! << 8) | bytes[at + 7]!) >>> 0;
  return high * 0x100000000 + low;
}

/** Writes a header for a body of `size` bytes, which must be below 2^32. */
export function writeProtoHeader(out: Uint8Array, at: number, type: number, size: number): void {
  out[at] = PROTO_VERSION;
  out[at + 1] = type;
  out[at + 2] = 0;
  out[at + 3] = 0;
  out[at + 4] = size >>> 24;
  out[at + 5] = (size >>> 16) & 0xff;
  out[at + 6] = (size >>> 8) & 0xff;
  out[at + 7] = size & 0xff;
}

/** Whether the bytes look like the start of a TLS handshake on a clear port. Needs six bytes. */
export function looksLikeTls(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0x16 && bytes[at + 1] === 0x03 && bytes[at + 5] === 0x01;
}
