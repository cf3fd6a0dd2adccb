/**
 * A walk over all entries of one shard's index, a few at a time between commands. It remembers the digest at which
 * it stopped, never a handle, since the entry may be gone when it goes on. What is added meanwhile may be missed.
 *
 * A walk over one set looks at its entries alone as long as the set is indexed and all are known; else at all entries,
 * for the visitor to choose. That may change at any time.
 */
import { DIGEST_SIZE } from '../../base/digest.js';
import type { PrimaryIndex } from '../../storage/index/primary-index.js';

export class IndexWalk {
  readonly #index: PrimaryIndex;
  readonly #partitions: ArrayLike<number>;
  readonly #setId: number;
  /** Index into `#partitions`, and the digest after which to go on in it, if `#isInside`. */
  #partition = 0;
  #isInside = false;
  readonly #digest = new Uint8Array(DIGEST_SIZE);

  /**
   * @param partitions Pids of the shard, or those that are to be walked.
   * @param setId      0: all sets, and what is in none.
   */
  constructor(index: PrimaryIndex, partitions: ArrayLike<number>, setId = 0) {
    this.#setId = setId;
    this.#index = index;
    this.#partitions = partitions;
  }

  restart(): void {
    this.#partition = 0;
    this.#isInside = false;
  }

  /**
   * Visits at most `count` entries, tombstones among them; empty partitions count too.
   * @param visit May take the entry it is given out of the index, and no other; may add none.
   * @returns Whether there is more; after false the walk is at its start again.
   */
  step(count: number, visit: (entry: number) => void): boolean {
    const index = this.#index;
    const setId = index.isSetReady(this.#setId) ? this.#setId : 0;
    let left = count;
    while (this.#partition < this.#partitions.length) {
      const pid = this.#partitions[this.#partition]!;
      let entry = this.#isInside ? this.#after(pid, setId) : this.#first(pid, setId);
      while (entry >= 0) {
        const following = setId === 0 ? index.next(pid, entry) : index.nextOfSet(pid, setId, entry);
        if (--left <= 0) {
          index.digestTo(entry, this.#digest, 0);
          this.#isInside = true;
          visit(entry);
          return true;
        }
        visit(entry);
        entry = following;
      }
      this.#partition++;
      this.#isInside = false;
      if (--left <= 0 && this.#partition < this.#partitions.length) return true;
    }
    this.restart();
    return false;
  }

  #first(pid: number, setId: number): number {
    return setId === 0 ? this.#index.first(pid) : this.#index.firstOfSet(pid, setId);
  }

  #after(pid: number, setId: number): number {
    return setId === 0
      ? this.#index.after(pid, this.#digest, 0)
      : this.#index.afterOfSet(pid, setId, this.#digest, 0);
  }
}
