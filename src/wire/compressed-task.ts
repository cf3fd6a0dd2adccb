/** Compression of large messages, as tasks of a thread pool. */
import { deflateFrame, inflateMessage } from './compressed.js';

export function inflate(body: Uint8Array): Uint8Array | undefined {
  return inflateMessage(body);
}

export function deflate(frame: Uint8Array): Uint8Array {
  return deflateFrame(frame);
}
