/** A record for expressions to be evaluated on: bins by name, each in bytes of its own with others around them. */
import type { ParticleSpan } from '../../../src/data/particle-span.js';
import { STRING } from '../../../src/data/type.js';
import type { RecordView } from '../../../src/expression/record-view.js';
import type { Particle } from '../type-fuzz/particle.js';

const MARGIN = 32; // bytes around each particle
const SET_NAME = Buffer.from('things');

export class FuzzRecord implements RecordView {
  hasBins = true;
  readonly hasKey = true;
  readonly isTombstone = false;
  readonly digestBytes = Uint8Array.from({ length: 24 }, (_, k) => k * 11);
  readonly digestAt = 2;
  readonly lastUpdateMs = 1_700_000_000_123;
  readonly nowMs = 1_700_000_100_456;
  readonly voidTimeMs = 1_700_009_000_000;
  readonly deviceSize = 0;
  readonly memorySize = 96;
  readonly recordSize = 96;
  readonly #filler: number;
  readonly #bins = new Map<string, Particle>();

  /** @param filler the byte around each particle; below 0: none, the particle is all there is. */
  constructor(filler: number) {
    this.#filler = filler;
  }

  setBins(bins: ReadonlyMap<string, Particle>): void {
    this.#bins.clear();
    for (const [name, { type, bytes }] of bins) this.#bins.set(name, { type, bytes: this.place(bytes) });
  }

  /** The bytes with filler around them; they start at `margin`. */
  place(bytes: Uint8Array): Uint8Array {
    if (this.#filler < 0) return bytes.slice();
    const placed = new Uint8Array(bytes.length + 2 * MARGIN).fill(this.#filler);
    placed.set(bytes, MARGIN);
    return placed;
  }

  get margin(): number {
    return this.#filler < 0 ? 0 : MARGIN;
  }

  bin(names: Uint8Array, nameAt: number, nameSize: number, out: ParticleSpan): boolean {
    const found = this.#bins.get(Buffer.from(names.subarray(nameAt, nameAt + nameSize)).toString());
    if (found !== undefined) this.#set(out, found);
    return found !== undefined;
  }

  key(out: ParticleSpan): boolean {
    return this.bin(Buffer.from('s'), 0, 1, out);
  }

  setName(out: ParticleSpan): void {
    out.set(STRING, SET_NAME, 0, SET_NAME.length);
  }

  #set(out: ParticleSpan, { type, bytes }: Particle): void {
    out.set(type, bytes, this.margin, bytes.length - 2 * this.margin);
  }
}
