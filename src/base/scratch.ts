/**
 * Memory for values that a command makes. It grows, and shrinks back when a command is over. What was taken
 * stays where it is: when the memory has to grow a new array begins, and whoever keeps a reference to the old
 * one together with an offset still sees its bytes.
 */
const SIZE_MIN = 64 * 1024; // bytes
const SIZE_KEPT = 4 * 1024 * 1024; // a larger array is given back at the next reset

export class Scratch {
  bytes: Uint8Array = new Uint8Array(SIZE_MIN);
  #used = 0;
  /** Bytes taken since the last reset, also those given back, and what was charged: a measure of the work done. */
  takenSize = 0;

  /** @returns Offset of `size` fresh bytes in `bytes`, which may be another array than before. Their content is undefined. */
  take(size: number): number {
    const at = this.#used;
    this.takenSize += size;
    if (at + size > this.bytes.length) {
      this.bytes = new Uint8Array(Math.max(SIZE_MIN, size * 2));
      this.#used = size;
      return 0;
    }
    this.#used = at + size;
    return at;
  }

  /** Counts work that takes no memory as if it had taken `size` bytes. */
  charge(size: number): void {
    this.takenSize += size;
  }

  /** Adds `extra` bytes to the piece at `at` if it is the last one and there is room. @returns Whether it was. */
  extend(at: number, size: number, extra: number): boolean {
    if (at + size !== this.#used || at + size + extra > this.bytes.length) return false;
    this.#used += extra;
    this.takenSize += extra;
    return true;
  }

  /** Gives back everything from `end` on: the piece taken last was larger than what came to lie in it. */
  trim(end: number): void {
    if (end < this.#used) this.#used = end;
  }

  reset(): void {
    this.#used = 0;
    this.takenSize = 0;
    if (this.bytes.length > SIZE_KEPT) this.bytes = new Uint8Array(SIZE_MIN);
  }
}
