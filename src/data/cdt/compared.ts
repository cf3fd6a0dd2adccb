/**
 * What comparing elements has cost this thread, about, in bytes: those of the elements and some for each of them, once for
 * every pass of a sort. One takes some 1.5 ns. Whoever bounds the work of many operations looks at how it grows.
 */
import type { Container } from './container.js';

/** Walking over an element and comparing it in full, measured against a sort, which mostly compares prefixes. */
const SCAN_COST = 3;

/** What an element costs beside its bytes. */
const ELEMENT_SIZE = 4;

export const compared = { size: 0 };

/** Counts that `count` elements in `size` bytes are compared with a value. */
export function countScan(size: number, count: number): void {
  compared.size += SCAN_COST * (size + ELEMENT_SIZE * count);
}

/** Counts that all elements are gone over `times` times. */
export function countPasses(container: Container, times: number): void {
  compared.size += times * (container.contentSize + ELEMENT_SIZE * container.count);
}
