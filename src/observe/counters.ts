/**
 * Counters in shared memory. A block holds one Float64 slot a name and has one writer: a (thread,
 * namespace) pair, or a thread for the counters of the whole service. Nobody else writes it, so an
 * increment is a plain load and store, and the main thread sums all blocks of a kind when somebody asks:
 *
 *     block[CLIENT_READ_SUCCESS]! += 1;
 *
 * A sum taken while others count may miss their latest increments and nothing else: an aligned 8-byte
 * load is one instruction on every machine that Node runs on. Doubles count exactly up to 2^53.
 */
import { Region, type SharedBytes } from '../base/arena.js';

/** The ordered names of one kind of block; a slot number is an index into them. */
export class CounterNames {
  readonly names: readonly string[];
  readonly #slots = new Map<string, number>();

  /** @param text names separated by white space, in the order in which they are reported. */
  constructor(text: string) {
    this.names = text.trim().split(/\s+/);
    for (const [slot, name] of this.names.entries()) {
      if (this.#slots.has(name)) throw new Error(`counter ${name} is listed twice`);
      this.#slots.set(name, slot);
    }
  }

  /** Slot of a name that must exist; called while modules load, so that a misspelt name stops the start. */
  slot(name: string): number {
    const slot = this.#slots.get(name);
    if (slot === undefined) throw new Error(`no counter is named ${name}`);
    return slot;
  }

  find(name: string): number | undefined {
    return this.#slots.get(name);
  }
}

/** The view a writer increments, over the bytes that it was sent by the thread which called `addBlock`. */
export function counterBlock(shared: SharedBytes): Float64Array {
  return new Region(shared).f64;
}

/** All blocks of one kind: hands them out and sums them. Lives on the main thread. */
export class Counters {
  readonly kind: CounterNames;
  readonly #blocks: Float64Array[] = [];

  constructor(kind: CounterNames) {
    this.kind = kind;
  }

  /** Allocates the block of one more writer. Its bytes may be sent to another thread; see `counterBlock`. */
  addBlock(): Region {
    const region = new Region(this.kind.names.length * Float64Array.BYTES_PER_ELEMENT);
    this.#blocks.push(region.f64);
    return region;
  }

  /** Sum of one slot over all blocks. */
  sum(slot: number): number {
    let total = 0;
    for (const block of this.#blocks) total += block[slot]!;
    return total;
  }

  /** Sum of a counter by its name; 0 for a name that this kind doesn't have. */
  sumOf(name: string): number {
    const slot = this.kind.find(name);
    return slot === undefined ? 0 : this.sum(slot);
  }
}
