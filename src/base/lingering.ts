/**
 * Whether a thread that has nothing to do should look around a little longer before it sleeps. A sleep and a wake-up
 * cost tens of microseconds, which with few requests under way is most of what an answer takes. An attempt that
 * was in vain makes the next one rarer, so that a thread that is asked seldom spends next to nothing on it.
 */
export const LINGER_US = 50;
const SKIPS_MAX = 64; // occasions between two attempts, when nothing comes of them

export class Lingering {
  /** Occasions until the next attempt, and how many there will be after it if it is in vain. */
  #skips = 0;
  #nextSkips = 1;

  /** Asked on each occasion: whether to try now. If so, ended() follows. */
  begins(): boolean {
    if (this.#skips === 0) return true;
    this.#skips--;
    return false;
  }

  /** @param wasUseful Whether work came while the thread lingered. */
  ended(wasUseful: boolean): void {
    if (wasUseful) {
      this.#nextSkips = 1;
      return;
    }
    this.#skips = this.#nextSkips;
    this.#nextSkips = Math.min(SKIPS_MAX, this.#nextSkips * 2);
  }
}
