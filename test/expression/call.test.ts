/**
 * A call runs the operation that a command would, on a value of the expression. So every operation that was recorded
 * comes to the same in a call, its lists quoted: the result of one that reads, the value that one that modifies leaves
 * behind, unknown where it fails. Source: protocol 16, section 4.
 */
import test from 'ava';
import { Scratch } from '../../src/base/scratch.js';
import { operateBits } from '../../src/data/bit/operate.js';
import { wireSize, writeWire } from '../../src/data/cdt/persisted-index.js';
import { operateHll } from '../../src/data/hll/operate.js';
import { Element, LIST, sizeOf } from '../../src/data/msgpack/element.js';
import { ParticleSpan } from '../../src/data/particle-span.js';
import * as particle from '../../src/data/type.js';
import { type Operate, ValueOp } from '../../src/data/value-op.js';
import { operateCollection } from '../../src/expression/collection.js';
import { compile } from '../../src/expression/compile.js';
import { evaluateValue } from '../../src/expression/evaluate.js';
import { PARTICLE_TYPE } from '../../src/expression/value-type.js';
import { type RecordedOp, recordedCases } from '../data/recorded.js';
import { INVALID, TestRecord, UNKNOWN } from './packed.js';

interface Particle {
  readonly type: number;
  readonly bytes: Uint8Array;
}

interface System {
  readonly code: number;
  readonly readOp: number;
  readonly modifyOp: number;
  readonly operate: Operate;
  /** Particle types that its operations work on. */
  readonly targets: readonly number[];
}

const CDT: System = {
  code: 0,
  readOp: 3,
  modifyOp: 4,
  operate: operateCollection,
  targets: [particle.LIST, particle.MAP],
};
const BITS: System = { code: 1, readOp: 12, modifyOp: 13, operate: operateBits, targets: [particle.BLOB] };
const HLLS: System = { code: 2, readOp: 15, modifyOp: 16, operate: operateHll, targets: [particle.HLL] };
const WRITE_OP = 2;
const MODIFIES = 0x40;
const CONTEXT = [0xcc, 0xff];
const element = new Element();

/** The elements of a msgpack list, each as its bytes; undefined for anything else. */
function elementsOf(bytes: Uint8Array): Uint8Array[] | undefined {
  let at = element.read(bytes, 0, bytes.length);
  if (at < 0 || element.type !== LIST) return undefined;
  const elements: Uint8Array[] = [];
  for (let left = element.count; left > 0; left--) {
    const size = sizeOf(bytes, at, bytes.length);
    if (size < 0) return undefined;
    elements.push(bytes.subarray(at, at + size));
    at += size;
  }
  return at === bytes.length ? elements : undefined;
}

const isList = (bytes: Uint8Array): boolean =>
  element.read(bytes, 0, bytes.length) >= 0 && element.type === LIST;
const listOf = (elements: readonly Uint8Array[]): Buffer =>
  Buffer.concat([Uint8Array.of(0x90 | elements.length), ...elements]);

/** An operation's body as a call has it: lists among its arguments are quoted, a context is not. */
function quoted(body: Uint8Array): Buffer | undefined {
  const elements = elementsOf(body);
  if (elements === undefined || elements.length === 0 || elements.length > 15) return undefined;
  const [code, ...args] = elements as [Uint8Array, ...Uint8Array[]];
  if (Buffer.from(CONTEXT).equals(code)) {
    const inner = args.length === 2 ? quoted(args[1]!) : undefined;
    return inner && listOf([code, args[0]!, inner]);
  }
  return listOf([code, ...args.map(arg => (isList(arg) ? listOf([Uint8Array.of(0x7e), arg]) : arg))]);
}

function taken(span: ParticleSpan): Particle {
  return { type: span.type, bytes: Uint8Array.from(span.bytes.subarray(span.at, span.at + span.size)) };
}

/** As a client sees it: without a private index. */
function shown({ type, bytes }: Particle): string {
  if (type !== particle.LIST && type !== particle.MAP) return `${type} ${Buffer.from(bytes).toString('hex')}`;
  const out = new Uint8Array(wireSize(type, bytes, 0, bytes.length));
  writeWire(type, bytes, 0, bytes.length, out, 0);
  return `${type} ${Buffer.from(out).toString('hex')}`;
}

/** Runs an operation by itself. @returns Its code, result, and what it leaves behind. */
function operated(system: System, op: RecordedOp, target: Particle | undefined) {
  const run = new ValueOp();
  if (target !== undefined) run.target.set(target.type, target.bytes, 0, target.bytes.length);
  run.bytes = op.value;
  run.at = 0;
  run.end = op.value.length;
  run.isModify = op.code === system.modifyOp;
  run.bodyType = particle.BLOB;
  const code = system.operate(run);
  if (code !== 0) return { code, left: target };
  return { code, result: taken(run.result), left: run.isChanged ? taken(run.changed) : target };
}

/** What the same comes to in a call on bin `b`. */
function called(body: Buffer, system: number, target: Particle, type: number): string {
  const of = PARTICLE_TYPE.indexOf(target.type);
  const expression = Buffer.concat([
    Uint8Array.of(0x95, 0x7f, PARTICLE_TYPE.indexOf(type), system),
    body,
    Uint8Array.of(0x93, 0x51, of, 0xa1, 0x62),
  ]);
  const program = compile(expression, 0, expression.length);
  if (program === undefined) return INVALID;
  const record = new TestRecord();
  record.bin = (_names, _at, _size, out) => {
    out.set(target.type, target.bytes, 0, target.bytes.length);
    return true;
  };
  const out = new ParticleSpan();
  return evaluateValue(program, record, new Scratch(), out) === 0 ? shown(taken(out)) : UNKNOWN;
}

for (const [family, system] of [
  ['list', CDT],
  ['map', CDT],
  ['context', CDT],
  ['bit', BITS],
  ['hll', HLLS],
] as const) {
  test(`every recorded operation of ${family} comes to the same in a call`, t => {
    let count = 0;
    for (const { name, steps } of recordedCases(family)) {
      const bins = new Map<string, Particle>();
      for (const op of steps.flatMap(step => step.ops)) {
        if (op.code === WRITE_OP) bins.set(op.bin, { type: op.particleType, bytes: op.value });
        if (op.code !== system.readOp && op.code !== system.modifyOp) continue;
        const target = bins.get(op.bin);
        const { code, result, left } = operated(system, op, target);
        if (left !== undefined) bins.set(op.bin, left);
        const body = quoted(op.value);
        if (target === undefined || !system.targets.includes(target.type) || body === undefined) continue;
        const isModify = op.code === system.modifyOp;
        const value = code !== 0 ? undefined : isModify ? left! : result!;
        const answer = called(
          body,
          system.code | (isModify ? MODIFIES : 0),
          target,
          value?.type ?? particle.INTEGER,
        );
        count++;
        if (answer !== (value === undefined ? UNKNOWN : shown(value)))
          t.fail(`${name}: ${Buffer.from(op.value).toString('hex')} gives ${answer}`);
      }
    }
    t.true(count > 2000, `${count} operations`);
  });
}
