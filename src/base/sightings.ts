/**
 * Tells what comes again from what comes once, so that a cache need not give up what is asked for often for what
 * nobody asks for again. What a cache keeps for long and then drops also costs more than what dies at once: it has
 * moved to the old generation of V8's heap by then.
 */
const COUNT = 1024; // a power of two

export class Sightings {
  readonly #hashes = new Uint32Array(COUNT);

  /**
   * Notes that something was seen.
   * @param hash a u32 of it, its low bits well mixed.
   * @returns Whether the same hash was seen before, and since then none (of a thousand) that takes its place.
   */
  isRepeated(hash: number): boolean {
    const at = hash & (COUNT - 1);
    if (this.#hashes[at] === hash) return true;
    this.#hashes[at] = hash;
    return false;
  }
}
