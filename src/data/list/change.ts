/**
 * The new form of a list that an operation changes: its header, then runs of elements that stay and new ones, written
 * to scratch memory from front to back.
 */
import { OK, PARAMETER } from '../../base/result.js';
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
/** Bytes of the list as it was that have not been kept yet; negative when its index has told of more than there are. */
let leftSize = 0;

/**
 * Begins the new list.
 * @param count       its elements, which will all be written.
 * @param contentSize bytes that these take at most.
 */
export function beginChange(call: CdtCall, count: number, flags: number, contentSize: number): void {
  leftSize = call.target.contentSize;
  startAt = call.scratch.take(HEADER_SIZE_MAX + contentSize);
  out.start(call.scratch.bytes, startAt);
  out.listHeader(flags === 0 ? count : count + 1, flags);
}

/** Copies the elements from number `from` up to `to`. A list that is walked is known to be well formed so far. */
export function keep(source: Container, from: number, to: number): void {
  if (from >= to) return;
  const at = source.offsetOf(from);
  const size = source.offsetOf(to) - at;
  if (source.tableAt >= 0) {
    leftSize = at < 0 || size < 0 ? -1 : leftSize - size;
    if (leftSize < 0) return;
  }
  out.copy(source.bytes, at, size);
}

/** Writes nils. */
export function pad(count: number): void {
  out.bytes.fill(NIL, out.at, out.at + count);
  out.at += count;
}

/** The list is complete: hands it to the call. @returns OK, or PARAMETER when the index of the old one is damaged. */
export function endChange(call: CdtCall): number {
  if (leftSize < 0) return PARAMETER;
  call.scratch.trim(out.at);
  call.changed.set(LIST, call.scratch.bytes, startAt, out.at - startAt);
  call.isChanged = true;
  return OK;
}
