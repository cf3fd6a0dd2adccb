/**
 * Runs one operation three times, with different bytes around what it may look at, and says what is wrong: a
 * throw, different answers, a changed input, an answer or a new value that is not well formed, too much time.
 */
import { GEO_INVALID_GEOJSON, PARAMETER } from '../../../src/base/result.js';
import { Container } from '../../../src/data/cdt/container.js';
import { hasPersistedIndex, wireSize, writeWire } from '../../../src/data/cdt/persisted-index.js';
import { checkHll } from '../../../src/data/hll/sketch.js';
import { HLL, LIST, MAP, NULL } from '../../../src/data/type.js';
import { machine, RESULT_REMOVE, UNKNOWN_VALUE } from '../../../src/expression/evaluate.js';
import { flawOfAnswer, flawOfStored } from './canonical.js';
import type { OpCase } from './case.js';
import { difference, Frame } from './frame.js';
import type { Particle } from './particle.js';

/** Codes that an operation on a value may answer. */
const CODES = new Set([0, 1, 4, 6, 12, 13, 17, 23, 24, 26]);
/** What a value that is to be written may be refused with. */
const REFUSALS = new Set([0, 1, PARAMETER, GEO_INVALID_GEOJSON]);
/** What the evaluation of an expression may come to. */
const EVALUATIONS = new Set([0, PARAMETER, UNKNOWN_VALUE, RESULT_REMOVE]);
const SMALL_SIZE = 64 * 1024; // bytes of target and body together: those have to be fast
export const TIME_MAX_MS = 50;
const TRIES_MAX = 4;

const container = new Container();

export class OpRunner {
  /** Alone; between zeroes; between what looks like more of a value. */
  readonly #frames = [
    new Frame([]),
    new Frame([0x00]),
    new Frame([0x93, 0xc7, 0x00, 0x01, 0x05, 0xff]),
  ] as const;
  readonly #plain = new Frame([0xff]);
  /** What the case answered. */
  code = 0;
  changed: Particle | undefined;
  longestMs = 0;
  /** Of the cases that took longest. */
  longest: OpCase | undefined;
  timeMaxMs = TIME_MAX_MS;

  /** @returns What is wrong, or undefined. */
  run(c: OpCase): string | undefined {
    const alone = this.#frames[0];
    const failure = this.#runAround(c);
    this.changed = undefined;
    this.code = alone.code;
    return failure ?? this.#flaw(c, alone) ?? this.#differenceWithoutIndex(c, alone);
  }

  /** Runs a case with a value that could not be stored so. @returns What is wrong but for the answer, or undefined. */
  runDamaged(c: OpCase): string | undefined {
    return this.#runAround(c);
  }

  #runAround(c: OpCase): string | undefined {
    const [alone, zeroes, noise] = this.#frames;
    const tookMs = this.#timed(c);
    zeroes.run(c);
    noise.run(c);
    for (const frame of this.#frames) {
      if (frame.thrown !== undefined) return `threw ${(frame.thrown as Error).stack ?? String(frame.thrown)}`;
      if (!frame.isIntact(c)) return 'wrote into the value or the operation that it was given';
    }
    if (machine.top !== 0) {
      const left = machine.top;
      machine.top = 0;
      return `leaves ${left} values on the stack`;
    }
    const size =
      c.body.length + c.bins.reduce((sum, [, { bytes }]) => sum + bytes.length, c.target?.bytes.length ?? 0);
    if (size < SMALL_SIZE && tookMs > this.longestMs) {
      this.longestMs = tookMs;
      this.longest = c;
    }
    return (
      difference(alone, zeroes, 'between zeroes') ??
      difference(alone, noise, 'between other bytes') ??
      (size < SMALL_SIZE && tookMs > this.timeMaxMs ? `took ${tookMs.toFixed(1)} ms` : undefined)
    );
  }

  /** Runs the case alone. @returns Its time; when that is long, the shortest of several, since others use the machine too. */
  #timed(c: OpCase): number {
    let shortest = Infinity;
    for (let tries = 0; tries < TRIES_MAX && shortest > this.timeMaxMs / 5; tries++) {
      const before = performance.now();
      this.#frames[0].run(c);
      shortest = Math.min(shortest, performance.now() - before);
    }
    return shortest;
  }

  #flaw(c: OpCase, frame: Frame): string | undefined {
    const { op, code } = frame;
    const codes = c.family === 'expression' ? EVALUATIONS : c.family === 'write' ? REFUSALS : CODES;
    if (!codes.has(code)) return `answers code ${code}`;
    const [early, late] = frame.filter;
    if (early >= 0 && early !== late) return `filters by metadata alone as ${early}, and then as ${late}`;
    if (code !== 0) return undefined;
    const { result, changed } = op;
    if (op.isChanged && !c.isModify) return 'changes the value, and is a read';
    const answer = flawOfAnswer(result.type, result.bytes, result.at, result.size, c.family !== 'expression');
    if (answer !== undefined) return `answers a particle of type ${result.type} that ${answer}`;
    if (!op.isChanged) return undefined;
    const { type, bytes, at, size } = changed;
    if (type === NULL || at < 0 || size < 0 || at + size > bytes.length)
      return 'leaves a value that lies nowhere';
    const flaw =
      type === LIST || type === MAP
        ? flawOfStored(type, bytes, at, size)
        : type === HLL && checkHll(bytes, at, size) !== size
          ? 'no sketch'
          : undefined;
    if (flaw !== undefined)
      return `leaves ${Buffer.from(bytes.subarray(at, at + size)).toString('hex')}: ${flaw}`;
    this.changed = { type, bytes: bytes.slice(at, at + size) };
    return undefined;
  }

  /** With an index and without it an operation does the same. */
  #differenceWithoutIndex(c: OpCase, indexed: Frame): string | undefined {
    const { target } = c;
    if (target === undefined || !hasPersistedIndex(target.type, target.bytes, 0, target.bytes.length))
      return undefined;
    this.#plain.run({ ...c, target: withoutTable(target) });
    if (this.#plain.thrown !== undefined) return `threw without its index: ${String(this.#plain.thrown)}`;
    // Of a map in the order of values the index tells that order, in which some answers then come.
    const differs = difference(indexed, this.#plain, 'without its index');
    return isValueOrdered(target) && differs?.startsWith('answers differently') === true
      ? undefined
      : differs;
  }
}

function isValueOrdered({ type, bytes }: Particle): boolean {
  return type === MAP && container.open(bytes, 0, bytes.length) && container.isValueOrdered;
}

/** The value with its flag, but without the table in its flag element. */
function withoutTable({ type, bytes }: Particle): Particle {
  const size = wireSize(type, bytes, 0, bytes.length);
  const wire = new Uint8Array(size);
  writeWire(type, bytes, 0, bytes.length, wire, 0);
  return { type, bytes: withFlag(type, wire) };
}

/** Puts the flag that asks for an index into a list or map in wire form. */
function withFlag(type: number, wire: Uint8Array): Uint8Array {
  const perElement = type === LIST ? 0x90 : 0x80;
  const nil = type === LIST ? [] : [0xc0];
  const view = Buffer.from(wire);
  const head = view[0]!;
  const isFix = head < 0xa0;
  const isWide = head === 0xdd || head === 0xdf;
  let count = isFix ? head & 0x0f : isWide ? view.readUInt32BE(1) : view.readUInt16BE(1);
  let at = isFix ? 1 : isWide ? 5 : 3;
  let flags = 0x10;
  if (count > 0 && view[at] === 0xc7 && view[at + 1] === 0) {
    flags |= view[at + 2]!;
    at += 3 + nil.length;
    count--;
  }
  count++;
  const header =
    count < 16
      ? [perElement | count]
      : count < 0x1_0000
        ? [type === LIST ? 0xdc : 0xde, count >> 8, count & 0xff]
        : [
            type === LIST ? 0xdd : 0xdf,
            count >>> 24,
            (count >> 16) & 0xff,
            (count >> 8) & 0xff,
            count & 0xff,
          ];
  return Uint8Array.from([...header, 0xc7, 0, flags, ...nil, ...view.subarray(at)]);
}
