/**
 * Numbers from 0 on, each of which is taken once: ranges of them that overlap are walked without looking again at what
 * was taken. An instance is reused.
 */

/** Memory for more numbers than this is given back after use. */
const KEPT_COUNT = 1 << 16;

export class Untaken {
  /** For each number itself, or when it is taken a larger one that is not, or leads on. */
  #next = new Uint32Array(64);

  /** Makes the numbers below `count` untaken. */
  begin(count: number): void {
    const size = count + 1;
    if (this.#next.length < size) this.#next = new Uint32Array(Math.max(size, this.#next.length * 2));
    for (let k = 0; k < size; k++) this.#next[k] = k;
  }

  /** The first from `at` on that is not taken; the count when there is none. */
  first(at: number): number {
    const next = this.#next;
    let k = at;
    while (next[k] !== k) {
      next[k] = next[next[k]!]!;
      k = next[k]!;
    }
    return k;
  }

  take(at: number): void {
    this.#next[at] = at + 1;
  }

  release(): void {
    if (this.#next.length > KEPT_COUNT) this.#next = new Uint32Array(64);
  }
}
