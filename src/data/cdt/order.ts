/**
 * The elements of a container in the order of their values: what ranks are made of. Lists are ordered by their
 * elements; maps by the values of their pairs, or by their keys, which is only needed where they are not stored so.
 * Equal ones are sorted as they are stored, so that equal values of a map are ordered by key; but equal elements of a
 * list have the same rank when they are asked for it one by one.
 *
 * Values of maps have a total order, NaN below all other doubles, so that an order that is persisted is the same however
 * it came about. Elements of lists are compared as everywhere else: NaN is equal to any double.
 *
 * Sorting works on the packed elements. Each has a prefix, a number that decides nearly all comparisons; only elements
 * of equal prefixes are compared in full.
 */
import { compare, compareTotal } from '../msgpack/compare.js';
import { LIST, MAP } from '../msgpack/element.js';
import { countPasses } from './compared.js';
import type { Container } from './container.js';
import { isWhole, NO_PREFIX, prefixOf, searchPrefixOf } from './prefix.js';
import { isInOrder, persistedRank, rankOfElement } from './rank.js';

/** Memory for more elements than this is given back after use. */
const KEPT_COUNT = 1 << 16;

/** Getting elements ready for being compared, in passes of a sort. */
const LOAD_PASSES = 2;

/** Ranks of so few elements are found by counting what is smaller, without sorting. */
const LOOKED_UP_MAX = 4;

/** One container's order. An instance is reused. */
export class Order {
  /** Rank to index: the first `count` numbers. */
  sorted = new Uint32Array(64);
  /** Index to rank, if `isRanked`. */
  ranks = new Uint32Array(64);
  count = 0;
  isSorted = false;
  isRanked = false;
  /** The container whose persisted order this is; then nothing is sorted, and `sorted` and `ranks` say nothing. */
  #persisted: Container | undefined;
  #isMap = false;
  #spare = new Uint32Array(64);
  #prefixes = new Float64Array(64);
  #ats = new Uint32Array(64);

  /** Sorts the elements by value, unless that order is persisted. @returns false when the container is malformed. */
  sortByValue(container: Container): boolean {
    if (container.orderAt >= 0) {
      this.#persisted = container;
      this.count = container.count;
      this.isSorted = true;
      return true;
    }
    if (!this.#load(container)) return false;
    const { bytes, end } = container;
    for (let k = 1; k < this.count; k++) {
      if (this.#compare(bytes, end, k - 1, k) <= 0) continue;
      countPasses(container, Math.ceil(Math.log2(this.count)));
      this.#mergeSort(bytes, end);
      break;
    }
    this.isSorted = true;
    return true;
  }

  /**
   * Finds the elements of the ranks from `start` on, `count` of them, without sorting all. Which ones of equal elements
   * these are, and that they come in descending order when they lie in the lower half, is what a heap in place makes of
   * it, as observed of the reference.
   * @returns Where they stand in `sorted`, or -1 when the container is malformed. `sorted` is no order afterwards.
   */
  selectRanks(container: Container, start: number, count: number): number {
    if (!this.#load(container)) return -1;
    const size = container.count;
    const { bytes, end } = container;
    const isLower = start <= size - start - count;
    const sign = isLower ? 1 : -1;
    const taken = isLower ? start + count : size - start;
    const steps = Math.ceil(Math.log2(size + 1));
    countPasses(container, 2 + (2 * taken * steps) / Math.max(1, size));
    // Each loop has a function of its own. V8 keeps what it compiled to go on in the middle of a loop, even though it knows
    // nothing of what comes after it and gives up there each time.
    this.#heapify(bytes, end, size, sign);
    this.#takeTops(bytes, end, size, taken, sign);
    return size - taken;
  }

  /** Forgets the order: another operation begins. */
  clear(): void {
    this.isSorted = false;
    this.isRanked = false;
    this.#persisted = undefined;
  }

  /** After a sort: the element that has `rank`. */
  indexAt(rank: number): number {
    return this.#persisted === undefined ? this.sorted[rank]! : this.#persisted.indexAtRank(rank);
  }

  /**
   * The element with rank `rank`, which there is: of equal elements of an unordered list the one that `selectRanks`
   * finds, as a read by rank does. -1 when the container is malformed.
   */
  elementAt(container: Container, rank: number): number {
    if (isInOrder(container)) return rank;
    this.clear();
    if (container.type === MAP) return this.sortByValue(container) ? this.indexAt(rank) : -1;
    const at = this.selectRanks(container, rank, 1);
    return at < 0 ? -1 : this.sorted[at]!;
  }

  /** Gets ready for asking the ranks of `asked` elements. @returns false when the container is malformed. */
  prepare(container: Container, asked: number): boolean {
    if (asked <= LOOKED_UP_MAX || this.isRanked || isInOrder(container) || container.orderAt >= 0)
      return true;
    if (!this.isSorted && !this.sortByValue(container)) return false;
    if (this.ranks.length < this.count) this.ranks = new Uint32Array(this.sorted.length);
    const isList = container.type === LIST;
    const { bytes, end } = container;
    let rank = 0;
    for (let k = 0; k < this.count; k++) {
      const index = this.sorted[k]!;
      if (!isList || k === 0 || this.#compare(bytes, end, this.sorted[k - 1]!, index) !== 0) rank = k;
      this.ranks[index] = rank;
    }
    this.isRanked = true;
    return true;
  }

  /** Rank of element `index`: the index itself in an ordered list. */
  rankAt(container: Container, index: number): number {
    if (isInOrder(container)) return index;
    if (container.orderAt >= 0) return persistedRank(container, index);
    return this.isRanked ? this.ranks[index]! : rankOfElement(container, index);
  }

  /** Where the value of element `index` starts, after a sort. */
  valueAt(index: number): number {
    return this.#ats[index]!;
  }

  /**
   * After a sort: how many elements are smaller than the value at `at`, or not larger when `isAfter`.
   * @param end  one past the value's last byte, or anything further that belongs to the caller.
   * @param from as many are known to be; the nearer the answer, the sooner it is found.
   */
  rankOf(
    container: Container,
    bytes: Uint8Array,
    at: number,
    end: number,
    isAfter: boolean,
    from = 0,
  ): number {
    const limit = isAfter ? 1 : 0;
    const prefix = this.#persisted === undefined ? searchPrefixOf(bytes, at, end) : NO_PREFIX;
    let low = from;
    let high = this.count;
    let step = from > 0 ? 1 : high;
    while (low < high) {
      const probe = step < high - low ? low + step - 1 : (low + high) >>> 1;
      if (this.#compareTo(container, probe, prefix, bytes, at, end) < limit) {
        low = probe + 1;
        step *= 2;
      } else {
        high = probe;
        step = high;
      }
    }
    return low;
  }

  #compareTo(
    container: Container,
    rank: number,
    prefix: number,
    bytes: Uint8Array,
    at: number,
    end: number,
  ): number {
    let own: number;
    if (this.#persisted === undefined) {
      const index = this.sorted[rank]!;
      if (prefix !== NO_PREFIX) {
        const difference = this.#prefixes[index]! - prefix;
        if (difference !== 0) return difference;
      }
      own = this.#ats[index]!;
    } else own = container.valueOf(container.indexAtRank(rank));
    return container.type === MAP
      ? compareTotal(container.bytes, own, container.end, bytes, at, end)
      : compare(container.bytes, own, container.end, bytes, at, end);
  }

  /** Gives back what a large container needed. */
  release(): void {
    if (this.sorted.length <= KEPT_COUNT) return;
    this.sorted = new Uint32Array(64);
    this.ranks = new Uint32Array(64);
    this.#spare = new Uint32Array(64);
    this.#prefixes = new Float64Array(64);
    this.#ats = new Uint32Array(64);
  }

  /** Reads where the elements are, in the order in which they are stored. */
  #load(container: Container): boolean {
    const { count, bytes, end } = container;
    this.#reserve(count);
    this.count = count;
    countPasses(container, LOAD_PASSES);
    const isMap = container.type === MAP;
    this.#isMap = isMap;
    for (let k = 0; k < count; k++) {
      const at = isMap ? container.valueOf(k) : container.offsetOf(k);
      if (at < 0) return false;
      this.#ats[k] = at;
      this.#prefixes[k] = prefixOf(bytes, at, end);
      this.sorted[k] = k;
    }
    return true;
  }

  #heapify(bytes: Uint8Array, end: number, size: number, sign: number): void {
    for (let at = (size >>> 1) - 1; at >= 0; at--) this.#sink(bytes, end, at, size, sign);
  }

  /** Takes the top of a heap of `size` `taken` times: the first one goes to the end of `sorted`, the next before it. */
  #takeTops(bytes: Uint8Array, end: number, size: number, taken: number, sign: number): void {
    const heap = this.sorted;
    for (let left = size - 1; left >= size - taken; left--) {
      const top = heap[0]!;
      heap[0] = heap[left]!;
      heap[left] = top;
      this.#sink(bytes, end, 0, left, sign);
    }
  }

  /** Lets the element at `at` of a heap of `size` sink to its place. @param sign 1: the smallest on top; -1: the largest. */
  #sink(bytes: Uint8Array, end: number, at: number, size: number, sign: number): void {
    const heap = this.sorted;
    const sinking = heap[at]!;
    let hole = at;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= size) break;
      if (child + 1 < size && sign * this.#compare(bytes, end, heap[child + 1]!, heap[child]!) < 0) child++;
      if (sign * this.#compare(bytes, end, heap[child]!, sinking) >= 0) break;
      heap[hole] = heap[child]!;
      hole = child;
    }
    heap[hole] = sinking;
  }

  #compare(bytes: Uint8Array, end: number, left: number, right: number): number {
    const prefix = this.#prefixes[left]!;
    const difference = prefix - this.#prefixes[right]!;
    if (difference !== 0 || isWhole(prefix)) return difference;
    return this.#isMap
      ? compareTotal(bytes, this.#ats[left]!, end, bytes, this.#ats[right]!, end)
      : compare(bytes, this.#ats[left]!, end, bytes, this.#ats[right]!, end);
  }

  /** Runs of 1, 2, 4 … back and forth between two arrays. */
  #mergeSort(bytes: Uint8Array, end: number): void {
    const { count } = this;
    let input = this.sorted;
    let output = this.#spare;
    for (let run = 1; run < count; run *= 2) {
      for (let first = 0; first < count; first += 2 * run) {
        const middle = Math.min(first + run, count);
        const last = Math.min(middle + run, count);
        let left = first;
        let right = middle;
        for (let k = first; k < last; k++) {
          const isLeft =
            left < middle && (right === last || this.#compare(bytes, end, input[left]!, input[right]!) <= 0);
          output[k] = isLeft ? input[left++]! : input[right++]!;
        }
      }
      const swapped = input;
      input = output;
      output = swapped;
    }
    this.sorted = input;
    this.#spare = output;
  }

  #reserve(count: number): void {
    if (count <= this.sorted.length) return;
    const size = Math.max(count, this.sorted.length * 2);
    this.sorted = new Uint32Array(size);
    this.#spare = new Uint32Array(size);
    this.#prefixes = new Float64Array(size);
    this.#ats = new Uint32Array(size);
  }
}
