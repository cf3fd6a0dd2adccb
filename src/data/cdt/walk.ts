/**
 * Walks over the elements of a container, noting where each starts: the work of every operation on a container that
 * carries no index.
 *
 * The step from one element to the next follows from its head, so a plain walk waits for each load before the next can
 * begin, 4 ns an element. But neighbours are often of one shape. So after an element (a pair of a map) the following ones
 * are taken to be like it, four at a time: their heads are read all at once from where they would then be, and when all
 * of them are as expected, that is where they are. It takes a quarter of the time. A wrong guess costs the processor what
 * it had begun: after an odd one among many alike the same guess is tried again at once, but where neighbours
 * differ, a new one not before some more elements.
 *
 * Positions are below 2^31: no memory in which particles lie is larger.
 */
import { nextOf, SIZE_BY_HEAD } from '../msgpack/element.js';

/** Elements that are guessed together. */
const GUESSED = 4;
/** Elements walked over one by one after a guess that was wrong at once; after each more in a row twice as many. */
const UNEVEN_MIN = 8;

/** Heads below this are integers and all of one size; of the other heads only the same one is known to be alike. */
const FIXINT_END = 0x80;

/**
 * Walks over elements `from` to `index` of a list.
 * @param end     one past the last byte that may be looked at.
 * @param offsets has the start of element `from`, and room up to `index`; receives the starts of all that follow.
 * @returns Where element `index` starts, which is `end` after the last one, or -1 when the list is malformed before.
 */
export function walkElements(
  bytes: Uint8Array,
  end: number,
  offsets: Uint32Array,
  from: number,
  index: number,
): number {
  let k = from | 0;
  let p = offsets[k]! | 0;
  let uneven = 1;
  let head = 0; // and its size: what the following ones are taken to be like
  let size = 0;
  let isAlike = false;
  while (k < index) {
    let ownHead = 0;
    let ownSize = 0;
    for (const stop = index - k < uneven ? index : k + uneven; k < stop; offsets[++k] = p) {
      if (p >= end) return -1;
      ownHead = bytes[p]!;
      ownSize = SIZE_BY_HEAD[ownHead]!;
      p = ownSize !== 0 ? (p + ownSize) | 0 : nextOf(bytes, p, end) | 0;
      if (p < 0 || p > end) return -1;
    }
    if (!isAlike) {
      head = ownHead;
      size = ownSize;
      if (size === 0) continue;
    }
    isAlike = false;
    const mask = head < FIXINT_END ? FIXINT_END : 0xff;
    const last = (end - GUESSED * size) | 0;
    uneven = uneven < UNEVEN_MIN ? UNEVEN_MIN : (uneven * 2) | 0;
    while (k <= index - GUESSED && p <= last) {
      const p1 = (p + size) | 0;
      const p2 = (p1 + size) | 0;
      const p3 = (p2 + size) | 0;
      const first = (bytes[p]! ^ head) & mask;
      const second = (bytes[p1]! ^ head) & mask;
      const third = (bytes[p2]! ^ head) & mask;
      offsets[k + 1] = p1;
      offsets[k + 2] = p2;
      offsets[k + 3] = p3;
      if ((first | second | third | ((bytes[p3]! ^ head) & mask)) !== 0) {
        k += first !== 0 ? 0 : second !== 0 ? 1 : third !== 0 ? 2 : 3;
        p = offsets[k]! | 0;
        break;
      }
      p = (p3 + size) | 0;
      k += GUESSED;
      offsets[k] = p;
      uneven = 1;
      isAlike = true;
    }
  }
  return p;
}

/** The same over pairs `from` to `index` of a map. */
export function walkPairs(
  bytes: Uint8Array,
  end: number,
  offsets: Uint32Array,
  from: number,
  index: number,
): number {
  let k = from | 0;
  let p = offsets[k]! | 0;
  let uneven = 1;
  let keyHead = 0;
  let keySize = 0;
  let valueHead = 0;
  let valueSize = 0;
  let isAlike = false;
  while (k < index) {
    let ownKeyHead = 0;
    let ownKeySize = 0;
    let ownValueHead = 0;
    let ownValueSize = 0;
    for (const stop = index - k < uneven ? index : k + uneven; k < stop; offsets[++k] = p) {
      if (p >= end) return -1;
      ownKeyHead = bytes[p]!;
      ownKeySize = SIZE_BY_HEAD[ownKeyHead]!;
      p = ownKeySize !== 0 ? (p + ownKeySize) | 0 : nextOf(bytes, p, end) | 0;
      if (p < 0 || p >= end) return -1;
      ownValueHead = bytes[p]!;
      ownValueSize = SIZE_BY_HEAD[ownValueHead]!;
      p = ownValueSize !== 0 ? (p + ownValueSize) | 0 : nextOf(bytes, p, end) | 0;
      if (p < 0 || p > end) return -1;
    }
    if (!isAlike) {
      keyHead = ownKeyHead;
      keySize = ownKeySize;
      valueHead = ownValueHead;
      valueSize = ownValueSize;
      if (keySize === 0 || valueSize === 0) continue;
    }
    isAlike = false;
    const keyMask = keyHead < FIXINT_END ? FIXINT_END : 0xff;
    const valueMask = valueHead < FIXINT_END ? FIXINT_END : 0xff;
    const size = (keySize + valueSize) | 0;
    const last = (end - GUESSED * size) | 0;
    let q = (p + keySize) | 0;
    uneven = uneven < UNEVEN_MIN ? UNEVEN_MIN : (uneven * 2) | 0;
    while (k <= index - GUESSED && p <= last) {
      const p1 = (p + size) | 0;
      const p2 = (p1 + size) | 0;
      const p3 = (p2 + size) | 0;
      const q1 = (q + size) | 0;
      const q2 = (q1 + size) | 0;
      const q3 = (q2 + size) | 0;
      const first = ((bytes[p]! ^ keyHead) & keyMask) | ((bytes[q]! ^ valueHead) & valueMask);
      const second = ((bytes[p1]! ^ keyHead) & keyMask) | ((bytes[q1]! ^ valueHead) & valueMask);
      const third = ((bytes[p2]! ^ keyHead) & keyMask) | ((bytes[q2]! ^ valueHead) & valueMask);
      const fourth = ((bytes[p3]! ^ keyHead) & keyMask) | ((bytes[q3]! ^ valueHead) & valueMask);
      offsets[k + 1] = p1;
      offsets[k + 2] = p2;
      offsets[k + 3] = p3;
      if ((first | second | third | fourth) !== 0) {
        k += first !== 0 ? 0 : second !== 0 ? 1 : third !== 0 ? 2 : 3;
        p = offsets[k]! | 0;
        break;
      }
      p = (p3 + size) | 0;
      q = (q3 + size) | 0;
      k += GUESSED;
      offsets[k] = p;
      uneven = 1;
      isAlike = true;
    }
  }
  return p;
}
