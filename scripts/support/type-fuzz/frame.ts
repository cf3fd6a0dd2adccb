/**
 * One way of giving an operation or an expression its bytes: alone in arrays of exactly their size, or in the middle
 * of larger ones, between bytes that are none of its business.
 */
import { OK, PARAMETER } from '../../../src/base/result.js';
import { operateBits } from '../../../src/data/bit/operate.js';
import { operateHll } from '../../../src/data/hll/operate.js';
import { checkWrite, writeStored } from '../../../src/data/particle.js';
import type { ParticleSpan } from '../../../src/data/particle-span.js';
import { NULL } from '../../../src/data/type.js';
import { ValueOp } from '../../../src/data/value-op.js';
import { operateCollection } from '../../../src/expression/collection.js';
import { compile } from '../../../src/expression/compile.js';
import { evaluateFilter, evaluateValue } from '../../../src/expression/evaluate.js';
import type { OpCase } from './case.js';
import { FuzzRecord } from './fuzz-record.js';

const OPERATE = { cdt: operateCollection, bit: operateBits, hll: operateHll } as const;
const MARGIN = 64; // bytes of filler around what is given
const GARBAGE_SIZE = 4096; // bytes of memory for new values that hold garbage before

const NOTHING: Uint8Array = new Uint8Array(0);
const NO_FILTER: readonly [number, number] = [0, 0];

export class Frame {
  readonly op = new ValueOp();
  readonly #filler: readonly number[];
  #target = NOTHING;
  #body = NOTHING;
  /** What was thrown; undefined for nothing. */
  thrown: unknown;
  /** A result code; of an expression also what evaluations return besides OK. */
  code = 0;
  /** What a filter says: of metadata alone, and of the whole record. */
  filter = NO_FILTER;
  readonly #record = new FuzzRecord();
  readonly #bins: Uint8Array[] = [];

  /** @param filler bytes to put around, over and over; none: the bytes stand alone. */
  constructor(filler: readonly number[]) {
    this.#filler = filler;
  }

  run(c: OpCase): void {
    const { op } = this;
    op.begin();
    op.scratch.reset();
    this.#spoilScratch();
    this.#body = this.#place(c.body, this.#body);
    this.thrown = undefined;
    this.code = 0;
    this.filter = NO_FILTER;
    try {
      if (c.family === 'expression') this.code = this.#evaluate(c);
      else if (c.family === 'write') this.code = this.#write(c);
      else this.code = this.#operate(c, OPERATE[c.family]);
    } catch (error) {
      this.thrown = error;
    }
  }

  #operate(c: OpCase, operate: (op: ValueOp) => number): number {
    const { op } = this;
    const { target, body } = c;
    const at = this.#at;
    if (target === undefined) op.target.clear();
    else {
      this.#target = this.#place(target.bytes, this.#target);
      op.target.set(target.type, this.#target, at, target.bytes.length);
    }
    op.bytes = this.#body;
    op.at = at;
    op.end = at + body.length;
    op.isModify = c.isModify;
    op.bodyType = c.bodyType;
    return operate(op);
  }

  #evaluate(c: OpCase): number {
    const record = this.#record;
    const { scratch, result } = this.op;
    record.clear();
    record.hasUnsortedMap = c.body.length % 8 === 0; // so that bins are put in order before some calls
    for (const [k, [name, { type, bytes }]] of c.bins.entries()) {
      this.#bins[k] = this.#place(bytes, this.#bins[k] ?? NOTHING);
      record.add(name, type, this.#bins[k], this.#at, bytes.length);
    }
    const program = compile(this.#body, this.#at, c.body.length);
    if (program === undefined) return PARAMETER;
    if (program.isFilter) {
      record.hasBins = false;
      const early = evaluateFilter(program, record, scratch);
      record.hasBins = true;
      this.filter = [early, evaluateFilter(program, record, scratch)];
    }
    return evaluateValue(program, record, scratch, result);
  }

  /** Brings a value into the form in which it is stored; that is what `changed` is then. */
  #write(c: OpCase): number {
    const { op } = this;
    const size = checkWrite(c.bodyType, this.#body, this.#at, c.body.length);
    if (size < 0) return -size;
    const at = op.scratch.take(size);
    const out = op.scratch.bytes;
    const written = writeStored(c.bodyType, this.#body, this.#at, c.body.length, out, at);
    if (written !== size) throw new Error(`${size} bytes were announced, ${written} written`);
    op.changed.set(c.bodyType, out, at, size);
    op.isChanged = c.bodyType !== NULL;
    return OK;
  }

  get #at(): number {
    return this.#filler.length === 0 ? 0 : MARGIN;
  }

  /** Whether target and body are as they were given. */
  isIntact(c: OpCase): boolean {
    const at = this.#at;
    return (
      c.bins.every(([, { bytes }], k) => isSame(this.#bins[k]!, at, bytes, 0, bytes.length)) &&
      (c.target === undefined || isSame(this.#target, at, c.target.bytes, 0, c.target.bytes.length)) &&
      isSame(this.#body, at, c.body, 0, c.body.length)
    );
  }

  #place(bytes: Uint8Array, old: Uint8Array): Uint8Array {
    if (this.#filler.length === 0) return bytes.slice();
    const size = bytes.length + 2 * MARGIN;
    const into = old.length >= size ? old : new Uint8Array(size * 2);
    for (let k = 0; k < MARGIN; k++) {
      const filler = this.#filler[k % this.#filler.length]!;
      into[k] = filler;
      into[MARGIN + bytes.length + k] = filler;
    }
    into.set(bytes, MARGIN);
    return into;
  }

  #spoilScratch(): void {
    const { scratch } = this.op;
    scratch.bytes.fill(this.#filler[0] ?? 0xd9, 0, GARBAGE_SIZE);
    scratch.take(this.#filler.length * 3);
  }
}

/** How two frames differ in what they answered, or undefined. */
export function difference(a: Frame, b: Frame, where: string): string | undefined {
  if (a.code !== b.code) return `answers code ${a.code}, and ${b.code} ${where}`;
  if (a.filter[0] !== b.filter[0] || a.filter[1] !== b.filter[1]) return `filters differently ${where}`;
  if (a.code !== 0) return undefined;
  const x = a.op;
  const y = b.op;
  if (x.isChanged !== y.isChanged) return `changes the value or does not, ${where}`;
  if (!isSameSpan(x.result, y.result))
    return `answers differently ${where}: ${show(x.result)} and ${show(y.result)}`;
  if (x.isChanged && !isSameSpan(x.changed, y.changed))
    return `leaves another value ${where}: ${show(x.changed)} and ${show(y.changed)}`;
  return undefined;
}

function isSameSpan(a: ParticleSpan, b: ParticleSpan): boolean {
  return a.type === b.type && a.size === b.size && isSame(a.bytes, a.at, b.bytes, b.at, a.size);
}

function isSame(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, size: number): boolean {
  if (size > 64) return Buffer.compare(a.subarray(aAt, aAt + size), b.subarray(bAt, bAt + size)) === 0;
  for (let k = 0; k < size; k++) if (a[aAt + k] !== b[bAt + k]) return false;
  return true;
}

function show(span: ParticleSpan): string {
  return `${span.type}:${Buffer.from(span.bytes.subarray(span.at, span.at + span.size)).toString('hex')}`;
}
