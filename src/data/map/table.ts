/**
 * The index of a map after a change of one place, made from the index before: what lies in front stays as it is, what
 * lies behind moves by one distance. That saves walking over all pairs. The format is in cdt/persisted-index.ts.
 */
import { copyBytes } from '../../base/copy.js';
import type { Container } from '../cdt/container.js';
import { offsetWidth, readOffset, writeOffset } from '../cdt/persisted-index.js';
import { persistedRankOf } from '../cdt/rank.js';

/**
 * Writes the index of a map in which `inserted` pairs (1 or 0) have taken the place of `removed` ones from number
 * `index` on.
 * @param old         the map as it was, with its index.
 * @param size        bytes of the inserted pair.
 * @param bytes       holds its value from `valueAt` to `valueEnd`.
 * @param contentSize bytes of all pairs of the new map, of which there are two at least.
 * @param out         receives the index from `at`.
 */
export function deriveTable(
  old: Container,
  index: number,
  removed: number,
  inserted: number,
  size: number,
  bytes: Uint8Array,
  valueAt: number,
  valueEnd: number,
  contentSize: number,
  out: Uint8Array,
  at: number,
): void {
  const width = offsetWidth(contentSize);
  const count = old.count - removed + inserted;
  const fromOffset = old.offsetOf(index) - old.contentAt;
  const toOffset = old.offsetOf(index + removed) - old.contentAt;
  const moved = size - (toOffset - fromOffset);
  copyOffsets(old, 1, index - 1, 0, 0, out, at, width);
  if (inserted === 1 && index > 0) writeOffset(out, at + (index - 1) * width, width, fromOffset);
  const first = Math.max(index + inserted, 1);
  if (first < count) copyOffsets(old, first, count - 1, removed - inserted, moved, out, at, width);
  if (old.orderAt < 0) return;
  const rank = inserted === 1 ? persistedRankOf(old, bytes, valueAt, valueEnd, index) : -1;
  deriveOrder(old, index, removed, inserted, rank, out, at + (count - 1) * width);
}

/** Writes the offsets of the new pairs `from` to `last`: those of the old pairs `shift` further on, moved. */
function copyOffsets(
  old: Container,
  from: number,
  last: number,
  shift: number,
  moved: number,
  out: Uint8Array,
  at: number,
  width: number,
): void {
  const oldWidth = offsetWidth(old.contentSize);
  let k = from;
  if (k > last) return;
  if (k + shift === 0) {
    writeOffset(out, at + (k - 1) * width, width, moved); // the first pair, which has no entry in the table
    k++;
  }
  let source = old.tableAt + (k + shift - 1) * oldWidth;
  let target = at + (k - 1) * width;
  if (moved === 0 && width === oldWidth) {
    copyBytes(out, target, old.bytes, source, (last - k + 1) * width);
    return;
  }
  for (; k <= last; k++, source += oldWidth, target += width) {
    writeOffset(out, target, width, readOffset(old.bytes, source, oldWidth) + moved);
  }
}

/** Writes the value order: the old one without the pairs that went, with the new one at `rank` of the old order. */
function deriveOrder(
  old: Container,
  index: number,
  removed: number,
  inserted: number,
  rank: number,
  out: Uint8Array,
  at: number,
): void {
  const width = offsetWidth(old.count - removed + inserted);
  const shift = inserted - removed;
  let target = at;
  const end = at + (old.count + shift) * width;
  // An order that is damaged may hold a number twice, and so too many that stay, or too few.
  for (let k = 0; k < old.count && target < end; k++) {
    if (k === rank) {
      writeOffset(out, target, width, index);
      target += width;
    }
    const number = old.indexAtRank(k);
    if ((number >= index && number < index + removed) || target === end) continue;
    writeOffset(out, target, width, number < index ? number : number + shift);
    target += width;
  }
  for (; target < end; target += width) writeOffset(out, target, width, index);
}
