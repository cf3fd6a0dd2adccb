/** Cases of expressions and paths without end, all from one seed, each run as soon as it is made. */
import { checkWrite, writeStored } from '../../../src/data/particle.js';
import { BLOB, BOOL, FLOAT, GEOJSON, HLL, INTEGER, LIST, MAP, STRING } from '../../../src/data/type.js';
import { BOOL as BOOL_EXPRESSION, TYPE_COUNT } from '../../../src/expression/value-type.js';
import { Random } from '../../../src/tools/load-test/random.js';
import { mutated } from '../type-fuzz/body-mutation.js';
import { OpRunner } from '../type-fuzz/op-runner.js';
import { Packer } from '../type-fuzz/packer.js';
import type { Particle } from '../type-fuzz/particle.js';
import { ValueSource } from '../type-fuzz/value-source.js';
import { ExpressionRunner } from './expression-runner.js';
import { ExpressionSource } from './expression-source.js';

/** Particle type of the bin of each name, but for those that hold something else. */
const BIN_TYPES: readonly (readonly [string, number])[] = [
  ['t', BOOL],
  ['i', INTEGER],
  ['s', STRING],
  ['l', LIST],
  ['m', MAP],
  ['b', BLOB],
  ['f', FLOAT],
  ['g', GEOJSON],
  ['h', HLL],
];
const RECORD_COUNT = 48;
const FRESH_EVERY = 50;
const GEO = ['{"type":"Point","coordinates":[1,2]}', '{"type":"AeroCircle","coordinates":[[1,2],1000]}'];

export class ExpressionFuzz {
  readonly #random: Random;
  readonly #packer: Packer;
  readonly #values: ValueSource;
  readonly #source: ExpressionSource;
  readonly #expressions = new ExpressionRunner();
  readonly #paths = new OpRunner();
  readonly #records: Map<string, Particle>[] = [];
  #last: Uint8Array = new Uint8Array(0);
  /** What the last case came to. */
  outcome = '';

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#packer = new Packer(this.#random);
    this.#values = new ValueSource(this.#packer);
    this.#source = new ExpressionSource(this.#values);
    for (let k = 0; k < RECORD_COUNT; k++) this.#records.push(this.#record());
  }

  get longestMs(): number {
    return Math.max(this.#expressions.longestMs, this.#paths.longestMs);
  }

  /** Makes a case and runs it. @returns What is wrong, with the case, or undefined. */
  runNext(): string | undefined {
    const random = this.#random;
    const slot = random.below(RECORD_COUNT);
    if (random.below(FRESH_EVERY) === 0) this.#records[slot] = this.#record();
    const bins = this.#records[slot]!;
    this.#packer.at = 0;
    this.#packer.wideEvery = random.below(6) === 0 ? 3 : 0;
    const isPath = random.below(3) === 0;
    let isModify = false;
    if (isPath) isModify = this.#source.writePath();
    else this.#source.write(random.below(2) === 0 ? BOOL_EXPRESSION : random.below(TYPE_COUNT), bins);
    this.#packer.wideEvery = 0;
    let bytes: Uint8Array = this.#packer.bytes.slice(0, this.#packer.at);
    if (random.below(5) === 0) bytes = mutated(bytes, this.#last, random);
    this.#last = bytes;
    if (!isPath) {
      const failure = this.#expressions.run({ expression: bytes, bins });
      this.outcome = this.#expressions.outcome;
      return failure && `${failure}\n  expression ${hex(bytes)}\n  on ${print(bins)}`;
    }
    const target = bins.get(random.below(2) === 0 ? 'l' : 'm');
    const failure = this.#paths.run({ family: 'cdt', target, body: bytes, isModify, bodyType: BLOB });
    this.outcome = `path code ${this.#paths.code}`;
    return failure && `${failure}\n  path ${isModify ? 'modify' : 'read'} ${hex(bytes)}\n  on ${print(bins)}`;
  }

  #record(): Map<string, Particle> {
    const bins = new Map<string, Particle>();
    for (const [name, type] of BIN_TYPES) {
      if (this.#random.below(12) === 0) continue;
      bins.set(name, this.#particle(this.#random.below(15) === 0 ? this.#values.pick(BIN_TYPES)[1] : type));
    }
    return bins;
  }

  /** A particle of this type in stored form. */
  #particle(type: number): Particle {
    const p = this.#packer;
    for (;;) {
      p.at = 0;
      this.#write(type);
      const size = checkWrite(type, p.bytes, 0, p.at);
      if (size < 0) continue; // an odd value that cannot be stored
      const bytes = new Uint8Array(size);
      writeStored(type, p.bytes, 0, p.at, bytes, 0);
      return { type, bytes };
    }
  }

  #write(type: number): void {
    const v = this.#values;
    const p = v.packer;
    const noise = (size: number) => {
      for (let k = 0; k < size; k++) p.byte(v.below(4) === 0 ? 0x61 : v.below(256));
    };
    switch (type) {
      case BOOL:
        p.byte(v.below(2));
        return;
      case INTEGER:
      case FLOAT:
        noise(8);
        return;
      case LIST:
        v.listOf(v.below(8), v.pick([0, 0, 1, 16, 17]), () => v.value(3));
        return;
      case MAP:
        v.mapOf(v.below(8), v.pick([0, 1, 1, 3, 17, 19]), () => v.value(3));
        return;
      case GEOJSON: {
        const text = Buffer.from(v.pick(GEO));
        noise(1);
        p.byte(0);
        p.byte(0);
        p.copy(text, 0, text.length);
        return;
      }
      case HLL: // an empty sketch of 4 index bits
        p.byte(0);
        p.byte(4);
        for (let k = 0; k < 9 + 12; k++) p.byte(0);
        return;
      default:
        noise(v.below(20));
    }
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function print(bins: ReadonlyMap<string, Particle>): string {
  return [...bins].map(([name, { type, bytes }]) => `${name}=${type}:${hex(bytes)}`).join(' ');
}
