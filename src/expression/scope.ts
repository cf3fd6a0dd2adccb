/** The variables in scope while a LET is compiled: their names, types and places. */
const NAME_COUNT_KEPT = 64;
/** Type of a variable inside its own definition: its name is taken, but it has no value yet. */
export const UNDEFINED = -1;

export class Scope {
  #bytes: Uint8Array = new Uint8Array(0);
  /** Three words a variable: where its name is, its size, its type. */
  #words = new Int32Array(NAME_COUNT_KEPT * 3);
  #count = 0;
  /** Most variables that were in scope at a time. */
  countMax = 0;

  get count(): number {
    return this.#count;
  }

  /** @param bytes hold the names. */
  start(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#count = 0;
    this.countMax = 0;
    if (this.#words.length > NAME_COUNT_KEPT * 3) this.#words = new Int32Array(NAME_COUNT_KEPT * 3);
  }

  /** Takes a name, which `define` gives a type. @returns The variable's number. */
  add(at: number, size: number): number {
    if ((this.#count + 1) * 3 > this.#words.length) {
      const larger = new Int32Array(this.#words.length * 2);
      larger.set(this.#words);
      this.#words = larger;
    }
    this.#words[this.#count * 3] = at;
    this.#words[this.#count * 3 + 1] = size;
    this.#words[this.#count * 3 + 2] = UNDEFINED;
    this.countMax = Math.max(this.countMax, this.#count + 1);
    return this.#count++;
  }

  define(variable: number, type: number): void {
    this.#words[variable * 3 + 2] = type;
  }

  /** Leaves scopes: only the first `count` variables stay. */
  leave(count: number): void {
    this.#count = count;
  }

  /** @returns The number of the variable of this name, or -1. */
  find(at: number, size: number): number {
    for (let k = 0; k < this.#count; k++) if (this.#isName(k, at, size)) return k;
    return -1;
  }

  typeOf(variable: number): number {
    return this.#words[variable * 3 + 2]!;
  }

  #isName(variable: number, at: number, size: number): boolean {
    if (this.#words[variable * 3 + 1] !== size) return false;
    const nameAt = this.#words[variable * 3]!;
    for (let k = 0; k < size; k++) if (this.#bytes[nameAt + k] !== this.#bytes[at + k]) return false;
    return true;
  }
}
