/**
 * The new form of a list that an operation changes: its header, then runs of elements that stay and new ones, written
 * to scratch memory from front to back.
 */
import type { CdtCall } from '../cdt/call.js';
import type { Container } from '../cdt/container.js';
import { Writer } from '../msgpack/writer.js';
import { LIST } from '../type.js';

/** Header, flag element. */
const HEADER_SIZE_MAX = 8; // bytes
const NIL = 0xc0;

/** Where the new list is being written; new elements are put here directly. */
export const out = new Writer();
let startAt = 0;

/**
 * Begins the new list.
 * @param count       its elements, which will all be written.
 * @param contentSize bytes that these take at most.
 */
export function beginChange(call: CdtCall, count: number, flags: number, contentSize: number): void {
  startAt = call.scratch.take(HEADER_SIZE_MAX + contentSize);
  out.start(call.scratch.bytes, startAt);
  out.listHeader(flags === 0 ? count : count + 1, flags);
}

/** Copies the elements from number `from` up to `to`. Their places are known to be well formed. */
export function keep(source: Container, from: number, to: number): void {
  if (from >= to) return;
  const at = source.offsetOf(from);
  out.copy(source.bytes, at, source.offsetOf(to) - at);
}

/** Writes nils. */
export function pad(count: number): void {
  out.bytes.fill(NIL, out.at, out.at + count);
  out.at += count;
}

/** The list is complete: hands it to the call. */
export function endChange(call: CdtCall): void {
  call.scratch.trim(out.at);
  call.changed.set(LIST, call.scratch.bytes, startAt, out.at - startAt);
  call.isChanged = true;
}
