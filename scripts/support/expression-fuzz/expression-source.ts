/**
 * Random expressions, made from the table of operators: operands of the types that a row asks for, most of the time;
 * variables in scope, bins of the record, calls with bodies from the tables of operations, paths. Also bodies of
 * operations that select or modify by a path.
 */
import {
  INT_OPERAND,
  KEY_TYPE_OPERAND,
  NAME_OPERAND,
  NAMED_TYPE,
  type Operator,
  PATTERN_OPERAND,
  SAME_TYPE,
  TYPE_OPERAND,
  VARIABLE_OPERAND,
} from '../../../src/expression/operator.js';
import { OPERATORS } from '../../../src/expression/operators.js';
import * as types from '../../../src/expression/value-type.js';
import { BitSource } from '../type-fuzz/bit-source.js';
import { CdtSource } from '../type-fuzz/cdt-source.js';
import { HllSource } from '../type-fuzz/hll-source.js';
import type { Particle } from '../type-fuzz/particle.js';
import type { ValueSource } from '../type-fuzz/value-source.js';

const PATTERNS = ['a', '^b', 'a.*', '[a-c]+', '(', 'x|y', '(a*)*b', '\\(a\\)\\1', '[[:alpha:]]\\{2,3\\}', ''];
const GEOS = [
  '{"type":"Point","coordinates":[1,2]}',
  '{"type":"AeroCircle","coordinates":[[1,2],1000]}',
  '{"type":"Polygon","coordinates":[[[0,0],[3,0],[3,3],[0,3],[0,0]]]}',
  'no geojson',
];
const CALL_MODIFIES = 0x40;
const CONTEXT_TYPES = [0, 1, 2, 3, 0x10, 0x11, 0x13, 0x20, 0x21, 0x22, 0x23, 0x2a, 0x12, 0x30, 0x40, 0x80, 7];
const BY_EXPRESSION = 4;
const AND_FILTER = 0x204;
const VARIABLES = ['x', 'y_1', 'Zed', '_', '9bad'];
/** Wire types with a bin each, by name; a bin may hold something else. */
export const BIN_NAMES = ['n', 't', 'i', 's', 'l', 'm', 'b', 'f', 'g', 'h'];

export class ExpressionSource {
  readonly #values: ValueSource;
  readonly #cdt: CdtSource;
  readonly #bit: BitSource;
  readonly #hll: HllSource;
  readonly #byResult: readonly (readonly number[])[];
  #bins: ReadonlyMap<string, Particle> = new Map();
  #scope: { name: string; type: number }[] = [];
  /** Nodes that may still be written, so that no expression is endless. */
  #left = 0;

  constructor(values: ValueSource) {
    this.#values = values;
    this.#cdt = new CdtSource(values);
    this.#bit = new BitSource(values);
    this.#hll = new HllSource(values);
    const codes = [...OPERATORS.keys()].filter(code => code < 128 && OPERATORS[code] !== undefined);
    this.#byResult = Array.from({ length: types.TYPE_COUNT }, (_, type) =>
      codes.filter(code => givesType(OPERATORS[code]!, type)),
    );
  }

  /** Writes an expression of a type for a record with these bins. */
  write(type: number, bins: ReadonlyMap<string, Particle>): void {
    this.#bins = bins;
    this.#scope = [];
    this.#left = 40;
    this.#expression(type, 6);
  }

  /** Writes the body of an operation by a path. @returns Whether it modifies. */
  writePath(): boolean {
    this.#bins = new Map();
    this.#scope = [];
    this.#left = 30;
    return this.#path(4, this.#values.below(3) === 0);
  }

  #expression(type: number, depth: number): void {
    const v = this.#values;
    const wanted = v.below(60) === 0 ? v.below(types.TYPE_COUNT) : type;
    if (depth === 0 || this.#left-- < 0 || v.below(4) === 0) this.#leaf(wanted);
    else {
      const codes = this.#byResult[wanted]!;
      if (codes.length === 0) this.#leaf(wanted);
      else this.#operator(v.pick(codes), wanted, depth - 1);
    }
  }

  #operator(code: number, type: number, depth: number): void {
    const v = this.#values;
    const p = v.packer;
    const operator = OPERATORS[code]!;
    switch (operator.form) {
      case 'cond': {
        const pairs = 1 + v.below(3);
        this.#head(code, pairs * 2 + 1);
        for (let k = 0; k < pairs; k++) {
          this.#expression(types.BOOL, depth);
          this.#branch(type, depth);
        }
        this.#branch(type, depth);
        return;
      }
      case 'let':
        this.#let(code, type, depth);
        return;
      case 'quote':
        this.#head(code, 1);
        v.list(2, v.below(5));
        return;
      case 'call':
        this.#call(code, type, depth);
        return;
      case 'loopvar':
        this.#head(code, 2);
        p.int(type);
        p.int(v.below(3));
        return;
      case 'modulo':
        this.#head(code, 1);
        v.number();
        return;
      default:
        this.#plain(code, operator, type, depth);
    }
  }

  #plain(code: number, operator: Operator, type: number, depth: number): void {
    const v = this.#values;
    const p = v.packer;
    const { params } = operator;
    const extra = operator.repeats === true ? v.below(3) : v.below(80) === 0 ? 1 : 0;
    const count = params.length + extra;
    this.#head(code, count);
    let shared = operator.result === SAME_TYPE ? type : -1;
    for (let k = 0; k < count; k++) {
      const param = params[Math.min(k, params.length - 1)] ?? 0;
      switch (param) {
        case TYPE_OPERAND:
          p.int(type);
          break;
        case KEY_TYPE_OPERAND:
          p.int(type);
          break;
        case NAME_OPERAND:
          this.#raw(v.below(12) === 0 ? 'missing' : BIN_NAMES[v.below(6) === 0 ? v.below(10) : type]!);
          break;
        case VARIABLE_OPERAND:
          this.#raw(this.#scope.find(x => x.type === type)?.name ?? v.pick(VARIABLES));
          break;
        case INT_OPERAND:
          p.int(v.below(20));
          break;
        case PATTERN_OPERAND:
          this.#raw(v.pick(PATTERNS));
          break;
        default: {
          const operand = operator.same === true && shared >= 0 ? shared : this.#typeIn(param);
          shared = operand;
          this.#expression(operand, depth);
        }
      }
    }
  }

  #branch(type: number, depth: number): void {
    if (this.#values.below(8) > 0) this.#expression(type, depth);
    else this.#head(this.#values.below(2) === 0 ? 0 : 100, 0);
  }

  #let(code: number, type: number, depth: number): void {
    const v = this.#values;
    const count = 1 + v.below(2);
    this.#head(code, count * 2 + 1);
    const outer = this.#scope.length;
    for (let k = 0; k < count; k++) {
      const name = v.pick(VARIABLES.slice(0, v.below(20) === 0 ? 5 : 4));
      const defined = v.below(2) === 0 ? type : v.below(types.TYPE_COUNT);
      this.#raw(name);
      this.#expression(defined, depth);
      this.#scope.push({ name, type: defined });
    }
    this.#expression(type, depth);
    this.#scope.length = outer;
  }

  #call(code: number, type: number, depth: number): void {
    const v = this.#values;
    const p = v.packer;
    const system = v.below(8) > 2 ? 0 : 1 + v.below(2);
    const target =
      system === 1 ? types.BLOB : system === 2 ? types.HLL : v.below(2) === 0 ? types.LIST : types.MAP;
    this.#head(code, 4);
    p.int(type);
    const systemAt = p.at;
    p.byte(system);
    const particle = this.#bins.get(BIN_NAMES[target]!);
    let isModify: boolean;
    if (system === 1) isModify = this.#bit.write(particle);
    else if (system === 2) isModify = this.#hll.write();
    else if (v.below(4) === 0) isModify = this.#path(depth, v.below(2) === 0);
    else isModify = this.#cdt.write(particle);
    if (v.below(40) === 0) isModify = !isModify;
    if (isModify) p.bytes[systemAt] = system | CALL_MODIFIES;
    this.#expression(v.below(15) === 0 ? types.NIL : target, depth);
  }

  /** Writes a body that is a path. @returns Whether it modifies. */
  #path(depth: number, isModify: boolean): boolean {
    const v = this.#values;
    const p = v.packer;
    p.list(isModify ? 4 : 3);
    p.int(0xfe);
    const count = 1 + v.below(3);
    const filters = Array.from({ length: count }, () => v.below(4) === 0);
    p.list(2 * (count + filters.filter(Boolean).length));
    for (const hasFilter of filters) {
      this.#item(depth);
      if (!hasFilter) continue;
      p.int(AND_FILTER);
      this.#expression(types.BOOL, Math.max(0, depth - 1));
    }
    p.int((isModify ? 4 : v.below(v.below(30) === 0 ? 16 : 4)) | (v.below(2) === 0 ? 0x10 : 0));
    if (isModify) {
      if (v.below(6) === 0) this.#head(100, 0);
      else this.#expression(v.below(types.TYPE_COUNT), Math.max(0, depth - 1));
    }
    return isModify;
  }

  #item(depth: number): void {
    const v = this.#values;
    const p = v.packer;
    if (v.below(2) === 0) {
      p.int(BY_EXPRESSION);
      if (v.below(2) === 0) p.bool(true);
      else this.#expression(types.BOOL, Math.max(0, depth - 1));
      return;
    }
    const type = v.pick(CONTEXT_TYPES.slice(0, v.below(10) === 0 ? 17 : 12));
    p.int(type);
    switch (type & 0x0f) {
      case 0:
      case 1:
        p.int(v.below(8) - 4);
        return;
      case 2:
        v.key();
        return;
      case 10: {
        const keys = v.below(6);
        v.listOf(keys, v.below(4) === 0 ? 1 : 0, () => v.key());
        return;
      }
      default:
        v.value(1);
    }
  }

  #leaf(type: number): void {
    const v = this.#values;
    const p = v.packer;
    const kind = v.below(4);
    if (kind === 0 && type !== types.NIL) {
      this.#head(81, 2);
      p.int(type);
      this.#raw(BIN_NAMES[type]!);
      return;
    }
    if (kind === 1) {
      this.#head(122, 2);
      p.int(type);
      p.int(v.below(2));
      return;
    }
    this.#constant(type);
  }

  #constant(type: number): void {
    const v = this.#values;
    const p = v.packer;
    switch (type) {
      case types.NIL:
        p.nil();
        return;
      case types.BOOL:
        p.bool(v.below(2) === 0);
        return;
      case types.INT:
        p.int(v.pick([0, 1, 2, 5, 63, 64, -1, -7, 2 ** 31, -(2 ** 31), 2 ** 53 - 1]));
        return;
      case types.FLOAT:
        p.double(v.pick([0, -0, 1.5, -2.25, 1e300, Infinity, 3]));
        return;
      case types.STR:
        this.#typed(3, Buffer.from(v.pick(['', 'a', 'ab', 'b', 'xyz'])));
        return;
      case types.BLOB:
        this.#typed(4, Buffer.from(v.pick(['', '00', 'ff01', '0102030405']), 'hex'));
        return;
      case types.GEO:
        this.#typed(23, Buffer.from(v.pick(GEOS)));
        return;
      case types.HLL:
        this.#typed(18, Buffer.from('00', 'hex'));
        return;
      case types.MAP:
        v.map(2, v.below(4));
        return;
      default:
        this.#head(126, 1);
        v.list(2, v.below(4));
    }
  }

  /** @param count operands. */
  #head(code: number, count: number): void {
    this.#values.packer.list(count + 1);
    this.#values.packer.int(code);
  }

  #raw(text: string): void {
    const bytes = Buffer.from(text);
    this.#values.packer.payload(bytes.length);
    this.#values.packer.copy(bytes, 0, bytes.length);
  }

  #typed(type: number, content: Uint8Array): void {
    const p = this.#values.packer;
    p.payload(content.length + 1);
    p.byte(type);
    p.copy(content, 0, content.length);
  }

  /** Some type of a set. */
  #typeIn(set: number): number {
    const all = Array.from({ length: types.TYPE_COUNT }, (_, type) => type).filter(type => (set >> type) & 1);
    return all.length === 0 ? types.INT : this.#values.pick(all);
  }
}

/** Whether an operator can have a value of this type. */
function givesType(operator: Operator, type: number): boolean {
  if (operator.result === NAMED_TYPE) {
    return !operator.params.includes(KEY_TYPE_OPERAND) || [types.INT, types.STR, types.BLOB].includes(type);
  }
  if (operator.result !== SAME_TYPE) return operator.result === type;
  const [first] = operator.params;
  return first === undefined || first < 0 || ((first >> type) & 1) === 1;
}
