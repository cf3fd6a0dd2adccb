/** Random HyperLogLog operations, made from their table. Sketches in arguments are those that operations made before. */
import * as kind from '../../../src/data/hll/call.js';
import { HLL_OPS } from '../../../src/data/hll/ops.js';
import { sketchSize } from '../../../src/data/hll/sketch.js';
import { HLL } from '../../../src/data/type.js';
import type { Particle } from './particle.js';
import type { ValueSource } from './value-source.js';

const SKETCH_COUNT = 16;
/** Larger ones would take most of the time. */
const KEPT_SIZE_MAX = 4096; // bytes

export class HllSource {
  readonly #values: ValueSource;
  readonly #sketches: Uint8Array[] = [];

  constructor(values: ValueSource) {
    this.#values = values;
  }

  /** Remembers a sketch for later arguments. */
  keep(sketch: Particle): void {
    if (sketch.type !== HLL || sketch.bytes.length > KEPT_SIZE_MAX) return;
    if (this.#sketches.length < SKETCH_COUNT) this.#sketches.push(sketch.bytes);
    else this.#sketches[this.#values.below(SKETCH_COUNT)] = sketch.bytes;
  }

  /** Writes the body of an operation. @returns Whether it is one that modifies. */
  write(op = 0): boolean {
    const v = this.#values;
    const p = v.packer;
    let [code, row] = v.pick(HLL_OPS);
    while (op !== 0 && row.modifies !== (op === 4)) [code, row] = v.pick(HLL_OPS);
    let count = row.required + v.below(row.params.length - row.required + 1);
    if (v.below(100) === 0) count = v.below(row.params.length + 2);
    p.list(count + 1);
    p.int(code);
    for (let k = 0; k < count; k++) this.#argument(row.params[k] ?? kind.FLAGS);
    return row.modifies;
  }

  #argument(param: number): void {
    const v = this.#values;
    const p = v.packer;
    if (v.below(100) === 0) {
      v.value(1);
      return;
    }
    switch (param) {
      case kind.ELEMENTS: {
        const count = v.below(40) === 0 ? 200 : v.below(6);
        p.list(count);
        for (let k = 0; k < count; k++) {
          if (v.below(3) === 0) p.int(v.below(100_000));
          else v.value(1);
        }
        return;
      }
      case kind.SKETCHES:
        if (v.below(3) === 0) this.#sketch();
        else this.#list();
        return;
      case kind.INDEX_BITS:
      case kind.NEW_INDEX_BITS:
        if (v.below(10) === 0) p.int(v.below(20) - 1);
        else p.int(4 + v.below(v.below(100) === 0 ? 13 : 4));
        return;
      case kind.MINHASH_BITS:
        if (v.below(3) === 0) p.int(0);
        else p.int(v.below(10) === 0 ? v.below(60) - 1 : 4 + v.below(12));
        return;
      default: // flags
        p.int(v.below(3) === 0 ? v.below(20) : v.pick([0, 1, 2, 4, 8]));
    }
  }

  #list(): void {
    const v = this.#values;
    const count = v.below(50) === 0 ? 20 : v.below(4);
    v.packer.list(count);
    for (let k = 0; k < count; k++) this.#sketch();
  }

  #sketch(): void {
    const v = this.#values;
    const p = v.packer;
    if (this.#sketches.length > 0 && v.below(12) > 0) {
      const sketch = v.pick(this.#sketches);
      p.payload(sketch.length + 1);
      p.byte(HLL);
      p.copy(sketch, 0, sketch.length);
      return;
    }
    this.#made();
  }

  /** A sketch whose registers are noise, or what is not quite one. */
  #made(): void {
    const v = this.#values;
    const p = v.packer;
    const indexBits = 4 + v.below(3);
    const minhashBits = v.below(2) === 0 ? 0 : 4 + v.below(5);
    let size = sketchSize(indexBits, minhashBits);
    if (v.below(10) === 0) size += v.below(3) - 1;
    p.payload(size + 1);
    p.byte(HLL);
    p.byte(v.below(20) === 0 ? 1 : 0);
    p.byte(indexBits);
    p.byte(minhashBits);
    for (let k = 3; k < size; k++) p.byte(v.below(256));
  }
}
