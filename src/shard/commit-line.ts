/**
 * Commands of a shard that have done their work and are answered when it is durable, in the order of their appends.
 * Each is the front of its digest meanwhile, so that nobody reads or changes what may yet be lost.
 */
import type { CommandSlot } from './slots.js';

export class CommitLine {
  first: CommandSlot | null = null;
  #last: CommandSlot | null = null;

  /** Adds a command; its `commitNumber` is no less than that of the one before. */
  add(slot: CommandSlot): void {
    if (this.#last === null) this.first = slot;
    else this.#last.nextCommit = slot;
    this.#last = slot;
  }

  /** Takes out the first command if every append up to `number` is durable and that is enough for it; else null. */
  take(number: number): CommandSlot | null {
    const slot = this.first;
    if (slot === null || slot.commitNumber > number) return null;
    this.first = slot.nextCommit;
    if (this.first === null) this.#last = null;
    slot.nextCommit = null;
    return slot;
  }
}
