/**
 * Where indexes, ranks and counts that a client sends lie in a container of `size` elements. Negative ones count from
 * the end; single ones must be inside, ranges are cut to what is there. Source: protocol 11, section 4.
 */

/** The count of a range that goes to the end. */
export const UNLIMITED = Number.MAX_SAFE_INTEGER;

/** @returns The element that `index` means, or -1 when it lies outside. */
export function singleIndex(index: number, size: number): number {
  const resolved = index < 0 ? size + index : index;
  return resolved >= 0 && resolved < size ? resolved : -1;
}

/**
 * A run of consecutive numbers below some size, or everything below that size but such a run. Both may be indexes or
 * ranks. An instance is reused.
 */
export class Run {
  start = 0;
  count = 0;
  #holeAt = 0;
  #holeSize = 0;

  set(start: number, count: number): void {
    this.start = start;
    this.count = count;
    this.#holeAt = count;
    this.#holeSize = 0;
  }

  /**
   * The part of the range from `index` (negative: from the end) that lies inside. What lies before the first element
   * counts as well: of three elements from -7 of five on, only the first is left.
   */
  setRange(index: number, count: number, size: number): void {
    if (index < -size) this.setShifted(index + size, count, size);
    else this.setShifted(index < 0 ? index + size : index, count, size);
  }

  /** The part inside of the range from `start`, which is no index from the end when negative but lies before the first. */
  setShifted(start: number, count: number, size: number): void {
    let length = count;
    let from = start;
    if (from < 0) {
      if (length !== UNLIMITED) length += from;
      from = 0;
    }
    if (from >= size || length <= 0) this.set(0, 0);
    else this.set(from, Math.min(length, size - from));
  }

  /** Turns the run into everything below `size` but itself. Only once. */
  invert(size: number): void {
    const { start, count } = this;
    this.set(0, size - count);
    this.#holeAt = start;
    this.#holeSize = count;
  }

  /** Number `k` of the run, ascending. */
  at(k: number): number {
    return k < this.#holeAt ? this.start + k : this.start + k + this.#holeSize;
  }

  /** Where the two parts of an inverted run meet: the first part's count; `count` for a plain run. */
  get firstCount(): number {
    return Math.min(this.#holeAt, this.count);
  }
}
