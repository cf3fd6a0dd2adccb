/**
 * Random expressions, made from the table of operators so that most are of the right types, and paths through
 * lists and maps, which hold expressions in turn.
 */

import * as operand from '../../../src/expression/operator.js';
import { type Operator, SAME_TYPE } from '../../../src/expression/operator.js';
import { OPERATOR_CODE_COUNT, OPERATORS } from '../../../src/expression/operators.js';
import * as type from '../../../src/expression/value-type.js';
import type { BitSource } from './bit-source.js';
import type { Bins } from './case.js';
import type { CdtSource } from './cdt-source.js';
import type { HllSource } from './hll-source.js';
import type { Particle } from './particle.js';
import type { ValueSource } from './value-source.js';

const BIN = 81;
const LOOP_VARIABLE = 122;
const COND = 123;
const VARIABLE = 124;
const LET = 125;
const QUOTE = 126;
const CALL = 127;
const RESULT_REMOVE = 100;
const MODULO = 64;
const MODIFIES = 0x40;
const PATH = 0xfe;
const APPLY = 4;

const DEPTH_MAX = 4;
/** Deeper than expressions may be. */
const ABYSS = 400;
const VARIABLES = ['a', 'b', '_c', 'd1'].map(name => Buffer.from(name));
const PATTERNS = [
  ...['a', '^a.*z$', '[a-c]+', '(a|b)*c', 'x{2,5}', '\\(', '', '[[:alpha:]]', '((a*)*)*b', '\\1(a)'],
  ...['\\(a\\)\\1', '(a|bc)\\1', '[[:alpha:]]\\{2,3\\}', '\\<a\\w*\\>', '[^]a-]', '[[=a=][.b.]]', 'a|*b'],
].map(text => Buffer.from(text));
/** What patterns are put together from by chance. */
const PATTERN_PARTS = [
  ...[
    'a',
    'b',
    'x',
    '.',
    '*',
    '+',
    '?',
    '|',
    '^',
    '$',
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    ',',
    '2',
    '3',
    '-',
    '\\',
  ],
  ...['\\(', '\\)', '\\{', '\\}', '\\1', '\\w', '\\b', '[:digit:]', '[^', 'abc'],
];
const GEO = [
  '{"type":"Point","coordinates":[1,2]}',
  '{"type":"AeroCircle","coordinates":[[1,2],5000]}',
  '{"type":"Polygon","coordinates":[[[0,0],[3,0],[3,3],[0,3],[0,0]]]}',
  '{"type":"Polygon","coordinates":[[[0,0],[9,0],[9,9],[0,9],[0,0]],[[2,2],[2,4],[4,4],[4,2],[2,2]]]}',
  '{"type":"MultiPolygon","coordinates":[[[[0,0],[1,0],[1,1],[0,0]]],[[[5,5],[6,5],[6,6],[5,5]]]]}',
  '{"type":"Feature","geometry":{"type":"Point","coordinates":[179.9,-89]}}',
  '{}',
].map(text => Buffer.from(text));
const PARTICLE_BYTE: Readonly<Record<number, number>> = {
  [type.STR]: 3,
  [type.BLOB]: 4,
  [type.HLL]: 18,
  [type.GEO]: 23,
};

type Candidate = readonly [code: number, operator: Operator];

/** Operators that have a value of each type, those that take any type's value among them. */
const CANDIDATES: readonly (readonly Candidate[])[] = Array.from({ length: type.TYPE_COUNT }, (_, wanted) =>
  OPERATORS.flatMap((operator, code): Candidate[] => {
    if (operator === undefined || operator.form !== undefined || code >= OPERATOR_CODE_COUNT) return [];
    const fits =
      operator.result === wanted ||
      (operator.result === SAME_TYPE &&
        operator.params.some(param => param > 0 && ((1 << wanted) & param) !== 0));
    return fits ? [[code, operator]] : [];
  }),
);

export class ExpressionSource {
  readonly #values: ValueSource;
  readonly #cdt: CdtSource;
  readonly #bit: BitSource;
  readonly #hll: HllSource;
  #bins: Bins = [];
  /** Variables in scope, with their types. */
  readonly #scope: [name: Uint8Array, type: number][] = [];
  /** Whether loop variables mean something here. */
  #isInLoop = false;

  constructor(values: ValueSource, cdt: CdtSource, bit: BitSource, hll: HllSource) {
    this.#values = values;
    this.#cdt = cdt;
    this.#bit = bit;
    this.#hll = hll;
  }

  /** Writes an expression about a record with these bins. */
  write(bins: Bins): void {
    const v = this.#values;
    this.#bins = bins;
    this.#scope.length = 0;
    this.#isInLoop = v.below(40) === 0;
    if (v.below(800) === 0) this.#abyss();
    else this.#node(v.below(2) === 0 ? type.BOOL : v.below(type.TYPE_COUNT), 1 + v.below(DEPTH_MAX));
  }

  /** Writes the body of a path through a list or map. @returns Whether it is one that modifies. */
  writePath(target: Particle | undefined): boolean {
    this.#bins = [];
    this.#scope.length = 0;
    return this.#path(target, 2, this.#values.below(3) === 0);
  }

  #node(wanted: number, depth: number): void {
    const v = this.#values;
    if (v.below(120) === 0) {
      v.value(2); // whatever that is
      return;
    }
    if (depth <= 0 || v.below(6) === 0) {
      this.#leaf(wanted);
      return;
    }
    const kind = v.below(16);
    if (wanted === type.INT && v.below(20) === 0) this.#modulo();
    else if (kind === 0) this.#cond(wanted, depth);
    else if (kind === 1) this.#let(wanted, depth);
    else if (kind < 5) this.#call(wanted, depth);
    else this.#operator(wanted, depth);
  }

  #operator(wanted: number, depth: number): void {
    const v = this.#values;
    const p = v.packer;
    const candidates = CANDIDATES[wanted]!;
    if (candidates.length === 0) {
      this.#leaf(wanted);
      return;
    }
    const [code, { params, repeats, same, result }] = v.pick(candidates);
    let count = repeats === true ? params.length + v.below(3) : params.length;
    if (v.below(200) === 0) count = v.below(4);
    p.list(count + 1);
    p.int(code);
    let shared = result === SAME_TYPE ? wanted : -1;
    for (let k = 0; k < count; k++) {
      const param = params[Math.min(k, params.length - 1)] ?? type.ANY;
      if (param <= 0) {
        this.#operand(param, wanted);
        continue;
      }
      const child = shared >= 0 && ((1 << shared) & param) !== 0 ? shared : this.#typeOf(param);
      if (same === true) shared = child;
      this.#node(child, depth - 1);
    }
  }

  /** One type of a set. */
  #typeOf(set: number): number {
    const types = Array.from({ length: type.TYPE_COUNT }, (_, k) => k).filter(k => ((1 << k) & set) !== 0);
    return types.length === 0 ? type.INT : this.#values.pick(types);
  }

  /** An operand that is no expression. */
  #operand(param: number, wanted: number): void {
    const v = this.#values;
    const p = v.packer;
    switch (param) {
      case operand.TYPE_OPERAND:
      case operand.KEY_TYPE_OPERAND:
        p.int(v.below(30) === 0 ? v.below(14) : wanted);
        return;
      case operand.NAME_OPERAND:
        this.#raw(Buffer.from(this.#bins.length > 0 && v.below(8) > 0 ? v.pick(this.#bins)[0] : 'none'));
        return;
      case operand.INT_OPERAND:
        p.int(v.below(16));
        return;
      case operand.PATTERN_OPERAND:
        if (v.below(2) === 0) this.#raw(v.pick(PATTERNS));
        else this.#raw(Buffer.from(Array.from({ length: v.below(9) }, () => v.pick(PATTERN_PARTS)).join('')));
        return;
      default:
        this.#raw(v.pick(VARIABLES));
    }
  }

  /** A string without a type byte. */
  #raw(text: Uint8Array): void {
    this.#values.packer.payload(text.length);
    this.#values.packer.copy(text, 0, text.length);
  }

  #leaf(wanted: number): void {
    const v = this.#values;
    const p = v.packer;
    const kind = v.below(6);
    const known = this.#scope.filter(([, own]) => own === wanted);
    if (known.length > 0 && kind < 2) {
      p.list(2);
      p.int(VARIABLE);
      this.#raw(v.pick(known)[0]);
    } else if (this.#isInLoop && kind < 4) {
      p.list(3);
      p.int(LOOP_VARIABLE);
      p.int(wanted);
      p.int(v.below(3));
    } else if (kind < 4 && this.#bins.length > 0) this.#bin(wanted);
    else this.#constant(wanted);
  }

  /** A bin of the wanted type, if there is one. */
  #bin(wanted: number): void {
    const v = this.#values;
    const fitting = this.#bins.filter(([, value]) => value.type === type.PARTICLE_TYPE[wanted]);
    v.packer.list(3);
    v.packer.int(BIN);
    v.packer.int(wanted);
    this.#raw(Buffer.from(fitting.length > 0 && v.below(12) > 0 ? v.pick(fitting)[0] : 'none'));
  }

  #constant(wanted: number): void {
    const v = this.#values;
    const p = v.packer;
    switch (wanted) {
      case type.NIL:
        p.nil();
        return;
      case type.BOOL:
        p.bool(v.below(2) === 0);
        return;
      case type.INT:
        if (v.below(8) === 0) v.number();
        else p.int(v.below(20) - 6);
        return;
      case type.FLOAT:
        p.double(v.pick([0, 1.5, -2, 1e300, Infinity, 0.1, 3]));
        return;
      case type.LIST:
        if (v.below(12) > 0) {
          p.list(2);
          p.int(QUOTE);
        }
        v.list(2, v.below(5));
        return;
      case type.MAP:
        v.map(2, v.below(4));
        return;
      default: {
        const text =
          wanted === type.GEO
            ? v.pick(GEO)
            : Buffer.from(v.pick(['', 'a', 'abc', 'xxxx', 'aab', 'abcbc', 'a b-23']));
        p.payload(text.length + 1);
        p.byte(PARTICLE_BYTE[wanted] ?? 3);
        p.copy(text, 0, text.length);
      }
    }
  }

  #cond(wanted: number, depth: number): void {
    const v = this.#values;
    const branches = 1 + v.below(2);
    v.packer.list(2 + branches * 2);
    v.packer.int(COND);
    for (let k = 0; k < branches; k++) {
      this.#node(type.BOOL, depth - 1);
      this.#branch(wanted, depth);
    }
    this.#branch(wanted, depth);
  }

  #branch(wanted: number, depth: number): void {
    const kind = this.#values.below(20);
    if (kind > 1) {
      this.#node(wanted, depth - 1);
      return;
    }
    this.#values.packer.list(1);
    this.#values.packer.int(kind === 0 ? 0 : RESULT_REMOVE);
  }

  #let(wanted: number, depth: number): void {
    const v = this.#values;
    const names = VARIABLES.filter(name => !this.#scope.some(([known]) => known === name));
    const count = Math.min(names.length, 1 + v.below(2));
    const before = this.#scope.length;
    v.packer.list(2 + count * 2);
    v.packer.int(LET);
    for (const name of names.slice(0, count)) {
      const own = v.below(type.TYPE_COUNT);
      this.#raw(name);
      this.#node(own, depth - 1);
      this.#scope.push([name, own]);
    }
    this.#node(wanted, depth - 1);
    this.#scope.length = before;
  }

  /** `[127, type, system, body, target]` */
  #call(wanted: number, depth: number): void {
    const v = this.#values;
    const p = v.packer;
    const system = v.below(8) < 5 ? 0 : 1 + v.below(2);
    const targetType =
      system === 1 ? type.BLOB : system === 2 ? type.HLL : v.below(2) === 0 ? type.LIST : type.MAP;
    const target = this.#bins.find(([, value]) => value.type === type.PARTICLE_TYPE[targetType])?.[1];
    const op = v.below(3) === 0 ? 4 : 3;
    p.list(5);
    p.int(CALL);
    p.int(op === 4 && v.below(10) > 0 ? targetType : wanted);
    p.int(op === 4 ? system | MODIFIES : system);
    if (system === 1) this.#bit.write(target, op);
    else if (system === 2) this.#hll.write(op);
    else if (depth > 1 && v.below(5) === 0) this.#path(target, depth - 1, op === 4);
    else this.#cdt.write(target, op, isList => this.#argument(isList, depth));
    if (v.below(4) > 0) this.#bin(targetType);
    else this.#node(targetType, depth - 1);
  }

  /**
   * Has an argument of a call computed: instead of a list, which would be taken for an expression, or of anything.
   * @returns Whether it has been written.
   */
  #argument(isList: boolean, depth: number): boolean {
    const v = this.#values;
    if (isList) {
      v.packer.list(2);
      v.packer.int(QUOTE);
      return false;
    }
    if (v.below(10) > 0) return false;
    this.#node(v.pick([type.INT, type.INT, type.STR, type.LIST]), depth - 2);
    return true;
  }

  /** `[0xfe, context, flags, expression?]` */
  #path(target: Particle | undefined, depth: number, isModify: boolean): boolean {
    const v = this.#values;
    const p = v.packer;
    const wasInLoop = this.#isInLoop;
    this.#isInLoop = true;
    p.list(v.below(100) === 0 ? 2 + v.below(4) : isModify ? 4 : 3);
    p.int(PATH);
    this.#cdt.writePathContext(target, () => this.#node(type.BOOL, depth));
    const noFail = v.below(2) === 0 ? 0x10 : 0;
    const mode = isModify ? APPLY : v.below(4);
    p.int(v.below(40) === 0 ? v.below(64) : mode | noFail);
    if (isModify) {
      if (v.below(6) === 0) {
        p.list(1);
        p.int(RESULT_REMOVE);
      } else this.#node(v.pick([type.INT, type.STR, type.LIST, type.MAP, type.FLOAT, type.BOOL]), depth);
    }
    this.#isInLoop = wasInLoop;
    return isModify;
  }

  #abyss(): void {
    const p = this.#values.packer;
    for (let k = 0; k < ABYSS; k++) {
      p.list(2);
      p.int(this.#values.below(2) === 0 ? 18 : 27);
    }
    this.#modulo();
  }

  /** Of the digest. */
  #modulo(): void {
    const p = this.#values.packer;
    p.list(2);
    p.int(MODULO);
    p.int(this.#values.below(6));
  }
}
