/**
 * Evaluates one expression on one record three times, with different bytes around all that it may look at, and says
 * what is wrong: a throw, different answers, an answer that is not well formed, metadata alone contradicting the
 * bins, too much time.
 */
import { Scratch } from '../../../src/base/scratch.js';
import { ParticleSpan } from '../../../src/data/particle-span.js';
import { compile } from '../../../src/expression/compile.js';
import { evaluateFilter, evaluateValue, machine } from '../../../src/expression/evaluate.js';
import { flawOfAnswer } from '../type-fuzz/canonical.js';
import type { Particle } from '../type-fuzz/particle.js';
import { FuzzRecord } from './fuzz-record.js';

/** What compiling or evaluating can come to. */
const INVALID = 'invalid';
const TRIES_MAX = 4;

export interface ExpressionCase {
  readonly expression: Uint8Array;
  readonly bins: ReadonlyMap<string, Particle>;
}

export class ExpressionRunner {
  readonly #records = [new FuzzRecord(-1), new FuzzRecord(0), new FuzzRecord(0x93)] as const;
  readonly #scratch = new Scratch();
  readonly #out = new ParticleSpan();
  /** What the last case came to: its answer's type, "unknown", "invalid". */
  outcome = '';
  longestMs = 0;
  timeMaxMs = 50;

  /** @returns What is wrong, or undefined. */
  run(c: ExpressionCase): string | undefined {
    try {
      const [alone, zeroes, noise] = this.#records;
      const answer = this.#timed(alone, c);
      const tookMs = this.#tookMs;
      for (const other of [zeroes, noise]) {
        const otherAnswer = this.#evaluate(other, c);
        if (otherAnswer !== answer) return `answers ${answer} alone, ${otherAnswer} among other bytes`;
      }
      if (machine.top !== 0) return `leaves ${machine.top} values on the stack`;
      this.longestMs = Math.max(this.longestMs, tookMs);
      if (tookMs > this.timeMaxMs) return `took ${tookMs.toFixed(1)} ms`;
      return this.#flaw ?? this.#contradiction(alone, c);
    } catch (error) {
      machine.top = 0;
      return `threw ${(error as Error).stack ?? String(error)}`;
    }
  }

  #tookMs = 0;
  #flaw: string | undefined;

  #timed(record: FuzzRecord, c: ExpressionCase): string {
    let answer = '';
    this.#tookMs = Infinity;
    for (let tries = 0; tries < TRIES_MAX && this.#tookMs > this.timeMaxMs; tries++) {
      const before = performance.now();
      answer = this.#evaluate(record, c);
      this.#tookMs = Math.min(this.#tookMs, performance.now() - before);
    }
    return answer;
  }

  #evaluate(record: FuzzRecord, c: ExpressionCase): string {
    record.setBins(c.bins);
    record.hasBins = true;
    this.#scratch.reset();
    this.#flaw = undefined;
    const program = compile(record.place(c.expression), record.margin, c.expression.length);
    this.outcome = INVALID;
    if (program === undefined) return INVALID;
    const out = this.#out;
    const code = evaluateValue(program, record, this.#scratch, out);
    this.outcome = code === 0 ? `type ${out.type}` : code === -1 ? 'unknown' : 'remove';
    if (code !== 0) return this.outcome;
    this.#flaw = flawOfAnswer(out.type, out.bytes, out.at, out.size);
    return `${out.type}:${Buffer.from(out.bytes.subarray(out.at, out.at + out.size)).toString('hex')}`;
  }

  /** What metadata decides, bins must not change. */
  #contradiction(record: FuzzRecord, c: ExpressionCase): string | undefined {
    const program = compile(c.expression, 0, c.expression.length);
    if (program?.isFilter !== true) return undefined;
    record.hasBins = false;
    const early = evaluateFilter(program, record, this.#scratch);
    record.hasBins = true;
    const late = evaluateFilter(program, record, this.#scratch);
    return early < 0 || early === late ? undefined : `is ${early} by metadata alone, ${late} with bins`;
  }
}
