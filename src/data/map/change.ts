/**
 * The new form of a map that an operation changes, written to scratch memory from front to back: its header, then runs
 * of pairs that stay and pairs that are new.
 */
import { copyBytes } from '../../base/copy.js';
import { OK, PARAMETER } from '../../base/result.js';
import type { CdtCall } from '../cdt/call.js';
import type { Container } from '../cdt/container.js';
import { headSize, tableSize, writeHead } from '../cdt/persisted-index.js';
import { MAP as MAP_ELEMENT, nextOf } from '../msgpack/element.js';
import { Writer } from '../msgpack/writer.js';
import { MAP } from '../type.js';
import { deriveTable } from './table.js';

/** Where the new map is being written; new pairs are put here directly. */
export const out = new Writer();
let startAt = 0;
let endAt = 0;

/**
 * Begins the new map.
 * @param count       its pairs, which will all be written.
 * @param contentSize bytes that these take, exactly.
 * @param table       bytes of its index, if the caller makes one: of any other map it is made later.
 * @returns Where the table goes.
 */
export function beginChange(
  call: CdtCall,
  count: number,
  flags: number,
  contentSize: number,
  table: number,
): number {
  const size = headSize(MAP_ELEMENT, count, flags, table) + contentSize;
  startAt = call.scratch.take(size);
  endAt = startAt + size;
  out.start(call.scratch.bytes, startAt);
  return writeHead(out, MAP_ELEMENT, count, flags, table);
}

/** Copies the pairs from number `from` up to `to`, as far as there is room: an index that is damaged may tell of more. */
export function keep(source: Container, from: number, to: number): void {
  if (from >= to) return;
  const at = source.offsetOf(from);
  const size = source.offsetOf(to) - at;
  if (at < 0 || size < 0 || size > endAt - out.at) endAt = -1;
  else out.copy(source.bytes, at, size);
}

/** The map is complete: hands it to the call. @returns OK, or PARAMETER when the index of the old one is damaged. */
export function endChange(call: CdtCall): number {
  if (out.at !== endAt) return PARAMETER;
  call.changed.set(MAP, call.scratch.bytes, startAt, out.at - startAt);
  call.isChanged = true;
  return OK;
}

/** Makes the map an empty one. */
export function empty(call: CdtCall, flags: number): void {
  beginChange(call, 0, flags, 0, 0);
  endChange(call);
}

/**
 * Puts a pair in the place of others, or nothing. The index that the map carries, if it does, is derived from the one it had.
 * @param index    the first pair that goes, where the new one comes.
 * @param removed  how many pairs go.
 * @param inserted 1, or 0: no pair comes.
 * @param bytes    holds the new pair, `size` bytes from `at`, in its stored form.
 * @param valueAt  where its value starts.
 * @returns OK, or PARAMETER when the map is malformed, and unchanged.
 */
export function splice(
  call: CdtCall,
  index: number,
  removed: number,
  inserted: number,
  bytes: Uint8Array,
  at: number,
  valueAt: number,
  size: number,
): number {
  const { target } = call;
  const fromAt = target.offsetOf(index);
  const toAt = removed === 0 ? fromAt : target.offsetOf(index + removed);
  if (fromAt < 0 || toAt < fromAt) return PARAMETER;
  if (target.tableAt >= 0 && removed === 1 && !isPair(target, fromAt, toAt)) return PARAMETER;
  const { count, flags } = target;
  if (removed === inserted && size === toAt - fromAt && target.orderAt < 0) {
    // Nothing else moves: header and offsets stay, and one copy takes them along.
    startAt = call.scratch.take(target.end - target.at);
    endAt = startAt + target.end - target.at;
    out.start(call.scratch.bytes, startAt);
    out.copy(target.bytes, target.at, target.end - target.at);
    copyBytes(out.bytes, startAt + fromAt - target.at, bytes, at, size);
    return endChange(call);
  }
  const newCount = count - removed + inserted;
  const contentSize = target.contentSize - (toAt - fromAt) + size;
  const table = target.tableAt < 0 ? 0 : tableSize(MAP_ELEMENT, flags, newCount, contentSize);
  const tableAt = beginChange(call, newCount, flags, contentSize, table);
  out.copy(target.bytes, target.contentAt, fromAt - target.contentAt);
  out.copy(bytes, at, size);
  out.copy(target.bytes, toAt, target.end - toAt);
  if (table > 0)
    deriveTable(
      target,
      index,
      removed,
      inserted,
      size,
      bytes,
      valueAt,
      at + size,
      contentSize,
      out.bytes,
      tableAt,
    );
  return endChange(call);
}

/** Whether there is one pair between two places that an index has told. */
function isPair(target: Container, at: number, end: number): boolean {
  const valueAt = nextOf(target.bytes, at, target.end);
  return valueAt >= 0 && nextOf(target.bytes, valueAt, target.end) === end;
}
