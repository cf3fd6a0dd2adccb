/**
 * A walk over all entries of one shard's index, a few at a time between commands. It remembers the digest at which
 * it stopped, never a handle, since the entry may be gone when it goes on. What is added meanwhile may be missed.
 */
import { DIGEST_SIZE } from '../../base/digest.js';
import type { PrimaryIndex } from '../../storage/index/primary-index.js';

export class IndexWalk {
  readonly #index: PrimaryIndex;
  readonly #partitions: ArrayLike<number>;
  /** Index into `#partitions`, and the digest after which to go on in it, if `#isInside`. */
  #partition = 0;
  #isInside = false;
  readonly #digest = new Uint8Array(DIGEST_SIZE);

  /** @param partitions Pids of the shard. */
  constructor(index: PrimaryIndex, partitions: ArrayLike<number>) {
    this.#index = index;
    this.#partitions = partitions;
  }

  restart(): void {
    this.#partition = 0;
    this.#isInside = false;
  }

  /**
   * Visits at most `count` entries; empty partitions count too.
   * @param visit May take the entry it is given out of the index, and no other; may add none.
   * @returns Whether there is more; after false the walk is at its start again.
   */
  step(count: number, visit: (entry: number) => void): boolean {
    const index = this.#index;
    let left = count;
    while (this.#partition < this.#partitions.length) {
      const pid = this.#partitions[this.#partition]!;
      let entry = this.#isInside ? index.after(pid, this.#digest, 0) : index.first(pid);
      while (entry >= 0) {
        const following = index.next(pid, entry);
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
}
