/**
 * The elements of a container that an operation means: a run of indexes (or all but a run), or picked ones in the
 * order in which they are answered. When their ranks form a run as well, that is known too, so that nobody has to sort
 * for it. An instance is reused.
 */
import type { Order } from './order.js';
import { Run } from './range.js';

/** Picked indexes beyond this many are given back after use. */
const KEPT_COUNT = 1 << 16;
/** Few picked ones are sorted by insertion, more by marks, which cost a look at every element. */
const INSERTION_COUNT_MAX = 24;

export class Selection {
  /** Elements of the container. */
  size = 0;
  /** Elements selected; one that was picked twice counts twice. */
  count = 0;
  /** Whether the indexes are those of `picked`; otherwise those of `run`. */
  isPicked = false;
  readonly run = new Run();
  picked = new Uint32Array(64);
  /** Whether the ranks of what is selected are `ranks`, in whatever order. */
  hasRanks = false;
  readonly ranks = new Run();
  /** Whether `picked` are ranks, in whose order the answer is; `toIndexes` makes indexes of them. */
  isOfRanks = false;
  isInverted = false;
  /** Whether anything was selected before it was inverted. */
  #wasFound = false;
  #marks = new Uint8Array(64);

  /** Selects nothing, in a container of `size` elements; then `pick`, `selectRun`, `selectRange` or `selectShifted`. */
  begin(size: number): void {
    this.size = size;
    this.count = 0;
    this.isPicked = true;
    this.hasRanks = false;
    this.isOfRanks = false;
    this.isInverted = false;
  }

  /** Adds an element to those picked. */
  pick(index: number): void {
    if (this.count === this.picked.length) this.#grow();
    this.picked[this.count++] = index;
  }

  /** Selects `count` elements from `start` on, which are there. */
  selectRun(start: number, count: number): void {
    this.run.set(start, count);
    this.isPicked = false;
    this.count = this.run.count;
  }

  /** Selects what lies inside of a range of indexes; see `Run.setRange`. */
  selectRange(index: number, count: number): void {
    this.run.setRange(index, count, this.size);
    this.isPicked = false;
    this.count = this.run.count;
  }

  /** Says that the elements selected are those of the ranks from `start` on, as many as are selected. */
  setRanks(start: number): void {
    this.ranks.set(start, this.count);
    this.hasRanks = true;
  }

  /**
   * Whether anything is selected; of everything but what was picked, whether nothing was picked: then it is not asked
   * what else there is. As the reference was seen to answer.
   */
  get exists(): boolean {
    return this.isInverted && this.isPicked ? !this.#wasFound : this.count > 0;
  }

  /** Number `k` of what is selected, in the order of answers. */
  at(k: number): number {
    return this.isPicked ? this.picked[k]! : this.run.at(k);
  }

  /** Puts what is picked in the order of indexes, and each only once. */
  ascend(): void {
    if (!this.isPicked || this.#isAscending()) return;
    if (this.count <= INSERTION_COUNT_MAX) this.#insertionSort();
    else {
      this.#mark();
      this.#takeMarked(1);
    }
  }

  /** Selects everything else instead, in the order of indexes. */
  invert(): void {
    this.isInverted = true;
    this.#wasFound = this.count > 0;
    if (this.isPicked) {
      this.#mark();
      this.#takeMarked(0);
    } else {
      if (this.count === 0) this.run.set(0, 0); // nothing parts the others
      this.run.invert(this.size);
      this.count = this.run.count;
    }
    if (this.hasRanks) this.ranks.invert(this.size);
  }

  /** Turns picked ranks into indexes. */
  toIndexes(order: Order): void {
    if (!this.isOfRanks) return;
    for (let k = 0; k < this.count; k++) this.picked[k] = order.indexAt(this.picked[k]!);
    this.isOfRanks = false;
  }

  /** Gives back what a large selection needed. */
  release(): void {
    if (this.picked.length > KEPT_COUNT) this.picked = new Uint32Array(64);
    if (this.#marks.length > KEPT_COUNT) this.#marks = new Uint8Array(64);
  }

  #isAscending(): boolean {
    for (let k = 1; k < this.count; k++) if (this.picked[k - 1]! >= this.picked[k]!) return false;
    return true;
  }

  #insertionSort(): void {
    const { picked } = this;
    let length = 0;
    for (let k = 0; k < this.count; k++) {
      const index = picked[k]!;
      let p = length;
      while (p > 0 && picked[p - 1]! > index) p--;
      if (p > 0 && picked[p - 1] === index) continue;
      for (let q = length; q > p; q--) picked[q] = picked[q - 1]!;
      picked[p] = index;
      length++;
    }
    this.count = length;
  }

  #mark(): void {
    const { size } = this;
    if (this.#marks.length < size) this.#marks = new Uint8Array(Math.max(size, this.#marks.length * 2));
    else this.#marks.fill(0, 0, size);
    for (let k = 0; k < this.count; k++) this.#marks[this.picked[k]!] = 1;
  }

  #takeMarked(mark: number): void {
    this.count = 0;
    for (let k = 0; k < this.size; k++) if (this.#marks[k] === mark) this.pick(k);
  }

  #grow(): void {
    const larger = new Uint32Array(this.picked.length * 2);
    larger.set(this.picked);
    this.picked = larger;
  }
}
