/** Random bit operations, made from their table. */
import * as kind from '../../../src/data/bit/call.js';
import { BIT_OPS } from '../../../src/data/bit/ops.js';
import { BLOB, NULL } from '../../../src/data/type.js';
import type { Particle } from './particle.js';
import type { ValueSource } from './value-source.js';

const FAR_INTS = [
  -1e15,
  1e15,
  2 ** 30,
  2 ** 30 + 1,
  -(2 ** 30),
  2 ** 27,
  2 ** 27 - 1,
  -(2 ** 27),
  2 ** 53 - 1,
  65536,
];
const OPERANDS = ['', '00', 'ff', 'a55a', '010203', '07'.repeat(9), 'c3'.repeat(40)].map(hex =>
  Buffer.from(hex, 'hex'),
);

export class BitSource {
  readonly #values: ValueSource;

  constructor(values: ValueSource) {
    this.#values = values;
  }

  /** Writes the body of an operation that is meant for a value. @returns Whether it is one that modifies. */
  write(target: Particle | undefined, op = 0): boolean {
    const v = this.#values;
    const p = v.packer;
    let [code, row] = v.pick(BIT_OPS);
    while (op !== 0 && (row.answer === NULL) !== (op === 4)) [code, row] = v.pick(BIT_OPS);
    let count = row.required + v.below(row.params.length - row.required + 1);
    if (v.below(100) === 0) count = v.below(row.params.length + 2);
    p.list(count + 1);
    p.int(code);
    const size = target?.bytes.length ?? 8;
    for (let k = 0; k < count; k++) this.#argument(row.params[k] ?? kind.WRITE_FLAGS, size);
    return row.answer === NULL;
  }

  /** @param size bytes of the blob. */
  #argument(param: number, size: number): void {
    const v = this.#values;
    const p = v.packer;
    if (v.below(100) === 0) {
      v.value(1);
      return;
    }
    switch (param) {
      case kind.OPERAND:
      case kind.BIT_OPERAND: {
        const operand = v.pick(OPERANDS);
        p.payload(operand.length + 1);
        p.byte(v.below(10) === 0 ? v.below(24) : BLOB);
        p.copy(operand, 0, operand.length);
        return;
      }
      case kind.VALUE:
        v.number();
        return;
      case kind.BIT:
        p.bool(v.below(2) === 0);
        return;
      case kind.INT_SIZE:
        p.int(v.below(70));
        return;
      case kind.WRITE_FLAGS:
      case kind.RESIZE_FLAGS:
      case kind.ARITHMETIC_FLAGS:
      case kind.READ_INT_FLAGS:
        p.int(v.below(3) === 0 ? v.below(17) : v.pick([0, 1, 2, 4, 8, 12]));
        return;
      default: {
        if (v.below(25) === 0) {
          p.int(v.pick(FAR_INTS));
          return;
        }
        const isBytes = param === kind.BYTE_OFFSET || param === kind.NEW_SIZE || param === kind.BYTE_SIZE;
        const reach = Math.min(isBytes ? size : size * 8, 1 << 20) + 3;
        const isOffset = param === kind.BYTE_OFFSET || param === kind.BIT_OFFSET;
        p.int(isOffset && v.below(3) === 0 ? -v.below(reach) : v.below(v.below(2) === 0 ? reach : 20));
      }
    }
  }
}
