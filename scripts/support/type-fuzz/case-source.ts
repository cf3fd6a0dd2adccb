/**
 * Cases without end, all from one seed: operations made from the tables, recorded ones, and damaged ones, on values
 * that earlier operations have left.
 */
import { checkWrite, writeStored } from '../../../src/data/particle.js';
import {
  BLOB,
  BOOL,
  FLOAT,
  GEOJSON,
  HLL,
  INTEGER,
  LIST,
  MAP,
  PARTICLE_TYPE_COUNT,
  STRING,
} from '../../../src/data/type.js';
import { Random } from '../../../src/tools/load-test/random.js';
import { BitSource } from './bit-source.js';
import { mutated } from './body-mutation.js';
import { FAMILIES, type Family, type OpCase } from './case.js';
import { CdtSource } from './cdt-source.js';
import { ExpressionSource } from './expression-source.js';
import { HllSource } from './hll-source.js';
import { Packer } from './packer.js';
import type { Particle } from './particle.js';
import type { RecordedBody } from './recorded-bodies.js';
import { ValueSource } from './value-source.js';

/** Values that are kept and go on changing, a family. */
const POOL_COUNT = 96;
/** A value that grew beyond this is replaced. */
const POOL_SIZE_MAX = 12 * 1024; // bytes
const LARGE_SIZE_MAX = 100 * 1024;
/** One case in so many is on a large list or map. */
const LARGE_EVERY = 400;
const POINT = '{"type":"Point","coordinates":[1,2]}';
/** Names and types of the scalar bins that records have for expressions. */
const SCALARS: readonly (readonly [string, number])[] = [
  ['i', INTEGER],
  ['j', INTEGER],
  ['f', FLOAT],
  ['s', STRING],
  ['t', BOOL],
  ['g', GEOJSON],
];
const GEO = [
  POINT,
  '{"type":"AeroCircle","coordinates":[[1,2],5000]}',
  '{"type":"Polygon","coordinates":[[[0,0],[3,0],[3,3],[0,3],[0,0]]]}',
];

export class CaseSource {
  readonly random: Random;
  readonly values: ValueSource;
  readonly #packer: Packer;
  readonly #cdt: CdtSource;
  readonly #bit: BitSource;
  readonly #hll: HllSource;
  readonly #expressions: ExpressionSource;
  readonly #recorded: readonly RecordedBody[];
  readonly #pools: Record<Family, (Particle | undefined)[]>;
  readonly #large: Particle[] = [];
  /** Families to make cases of. */
  families: ReadonlySet<Family> = new Set(FAMILIES);
  #slot = -1;
  #family: Family = 'cdt';

  constructor(seed: number, recorded: readonly RecordedBody[]) {
    this.random = new Random(seed);
    this.#packer = new Packer(this.random);
    this.values = new ValueSource(this.#packer);
    this.#cdt = new CdtSource(this.values);
    this.#bit = new BitSource(this.values);
    this.#hll = new HllSource(this.values);
    this.#expressions = new ExpressionSource(this.values, this.#cdt, this.#bit, this.#hll);
    this.#recorded = recorded;
    const pool = () => new Array<Particle | undefined>(POOL_COUNT).fill(undefined);
    this.#pools = { cdt: pool(), bit: pool(), hll: pool(), expression: [], write: [] };
    for (let k = 0; k < POOL_COUNT; k++) this.#pools.cdt[k] = this.#collection(8);
    for (let k = 0; k < 4; k++) this.#large.push(this.#collection(1500));
  }

  next(): OpCase {
    for (;;) {
      const c = this.#any();
      if (this.families.has(c.family)) return c;
    }
  }

  #any(): OpCase {
    const { random } = this;
    const kind = random.below(25);
    if (kind < 2 && this.#recorded.length > 0) return this.#damagedRecorded();
    this.#family =
      kind < 14 ? 'cdt' : kind < 16 ? 'bit' : kind < 18 ? 'hll' : kind < 24 ? 'expression' : 'write';
    if (!this.families.has(this.#family)) return this.#any();
    if (this.#family === 'expression') return this.#expression();
    if (this.#family === 'write') return this.#whole();
    const target = this.#target();
    this.#packer.at = 0;
    this.#packer.wideEvery = random.below(6) === 0 ? 3 : 0;
    let isModify = this.#write(target);
    this.#packer.wideEvery = 0;
    let body: Uint8Array = this.#packer.bytes.slice(0, this.#packer.at);
    if (random.below(5) === 0) body = mutated(body, this.#otherBody(), random);
    if (random.below(60) === 0) isModify = !isModify;
    const bodyType = random.below(200) === 0 ? LIST : BLOB;
    return { family: this.#family, target, body, isModify, bodyType, bins: [] };
  }

  /** An expression about a record whose bins are values of the pools. */
  #expression(): OpCase {
    const { random } = this;
    this.#slot = -1;
    const bins: [string, Particle][] = [];
    for (const [name, type] of SCALARS) if (random.below(4) > 0) bins.push([name, this.#scalar(type)]);
    for (const family of ['cdt', 'cdt', 'cdt', 'bit', 'hll'] as const) {
      const value = this.#pools[family][random.below(POOL_COUNT)];
      if (value !== undefined) bins.push([`${family}${bins.length}`, value]);
    }
    this.#packer.at = 0;
    this.#packer.wideEvery = random.below(12) === 0 ? 3 : 0;
    this.#expressions.write(bins);
    this.#packer.wideEvery = 0;
    let body: Uint8Array = this.#packer.bytes.slice(0, this.#packer.at);
    if (random.below(6) === 0) body = mutated(body, this.#otherBody(), random);
    return { family: 'expression', target: undefined, body, isModify: false, bodyType: BLOB, bins };
  }

  /** What became of the case that was given last. */
  keep(changed: Particle | undefined): void {
    if (changed === undefined) return;
    if (this.#family === 'hll') this.#hll.keep(changed);
    if (this.#slot < 0 || changed.bytes.length > POOL_SIZE_MAX || this.random.below(3) === 0) return;
    this.#pools[this.#family][this.#slot] = changed;
  }

  #write(target: Particle | undefined): boolean {
    switch (this.#family) {
      case 'cdt':
        if (this.random.below(8) === 0) return this.#expressions.writePath(target);
        return this.#cdt.write(target);
      case 'bit':
        return this.#bit.write(target);
      case 'hll':
        return this.#hll.write();
      default:
        return false;
    }
  }

  #target(): Particle | undefined {
    const { random } = this;
    this.#slot = -1;
    if (random.below(40) === 0) return this.#stranger();
    if (this.#family === 'cdt' && random.below(LARGE_EVERY) === 0) {
      const k = random.below(this.#large.length);
      if (random.below(20) === 0) this.#large[k] = this.#collection(1 + random.below(6000));
      return this.#large[k];
    }
    const pool = this.#pools[this.#family];
    this.#slot = random.below(POOL_COUNT);
    if (random.below(80) === 0) pool[this.#slot] = undefined;
    else if (random.below(60) === 0) pool[this.#slot] = this.#fresh();
    return pool[this.#slot];
  }

  #damagedRecorded(): OpCase {
    const { random } = this;
    const { family, body, isModify } = this.values.pick(this.#recorded);
    this.#family = family;
    const target = this.#target();
    const bytes = random.below(3) === 0 ? body : mutated(body, this.#otherBody(), random);
    return { family, target, body: bytes, isModify, bodyType: BLOB, bins: [] };
  }

  #otherBody(): Uint8Array {
    return this.#recorded.length > 0 ? this.values.pick(this.#recorded).body : new Uint8Array(0);
  }

  #fresh(): Particle | undefined {
    const { random } = this;
    if (this.#family === 'cdt') return this.#collection(1 + random.below(random.below(8) === 0 ? 80 : 10));
    if (this.#family === 'hll') return undefined; // sketches are made by operations
    const size = random.below(random.below(10) === 0 ? 600 : 24);
    return { type: BLOB, bytes: Uint8Array.from({ length: size }, () => random.below(256)) };
  }

  /** A list or map in stored form. */
  #collection(count: number): Particle {
    const { random } = this;
    const v = this.values;
    const p = this.#packer;
    const type = random.below(2) === 0 ? LIST : MAP;
    for (let tries = 0; ; tries++) {
      p.at = 0;
      const depth = count > 100 ? 1 : 3;
      const item = () => v.value(depth);
      if (type === LIST) v.listOf(tries < 20 ? count : 0, v.pick([0, 0, 1, 1, 16, 17]), item);
      else v.mapOf(tries < 20 ? count : 0, v.pick([0, 1, 1, 3, 3, 16, 17, 19]), item);
      if (p.at > LARGE_SIZE_MAX) continue;
      const size = checkWrite(type, p.bytes, 0, p.at);
      if (size < 0) continue; // an odd value that cannot be stored
      const bytes = new Uint8Array(size);
      writeStored(type, p.bytes, 0, p.at, bytes, 0);
      return { type, bytes };
    }
  }

  /** A value of any type, as a client would send it. */
  #whole(): OpCase {
    const { random } = this;
    const p = this.#packer;
    const v = this.values;
    const type =
      random.below(3) === 0 ? random.below(PARTICLE_TYPE_COUNT + 2) : random.below(2) === 0 ? LIST : MAP;
    this.#slot = -1;
    p.at = 0;
    p.wideEvery = random.below(3) === 0 ? 3 : 0;
    v.sentinelEvery = random.below(20) === 0 ? 6 : 0;
    if (type === LIST) v.list(4, random.below(8));
    else if (type === MAP) v.map(4, random.below(8));
    else if (type === GEOJSON) {
      const text = Buffer.from(v.pick([...GEO, '{"type":"Point"}', '']));
      for (const byte of [0, 0, random.below(20) === 0 ? 1 : 0, ...text]) p.byte(byte);
    } else for (let left = v.pick([0, 1, 2, 4, 8, 8, 14, 59]); left > 0; left--) p.byte(random.below(6));
    p.wideEvery = 0;
    v.sentinelEvery = 0;
    let body: Uint8Array = p.bytes.slice(0, p.at);
    if (random.below(3) === 0) body = mutated(body, this.#otherBody(), random);
    return { family: 'write', target: undefined, body, isModify: true, bodyType: type, bins: [] };
  }

  #scalar(type: number): Particle {
    const { random } = this;
    if (type === GEOJSON)
      return { type, bytes: Uint8Array.from([0, 0, 0, ...Buffer.from(this.values.pick(GEO))]) };
    if (type === BOOL) return { type, bytes: Uint8Array.of(random.below(2)) };
    if (type === STRING)
      return { type, bytes: Buffer.from(this.values.pick(['', 'a', 'abc', 'xxxx', 'abcabc\0z'])) };
    const bytes = new Uint8Array(8);
    if (type === FLOAT)
      new DataView(bytes.buffer).setFloat64(0, this.values.pick([0, 1.5, -2, 1e300, Infinity, 3]));
    else if (random.below(4) === 0) for (let k = 0; k < 8; k++) bytes[k] = random.below(256);
    else bytes[7] = random.below(12);
    return { type, bytes };
  }

  /** A value of any other type. */
  #stranger(): Particle | undefined {
    const bytes = (size: number) => Uint8Array.from({ length: size }, () => this.random.below(256));
    switch (this.random.below(9)) {
      case 0:
        return undefined;
      case 1:
        return { type: INTEGER, bytes: bytes(8) };
      case 2:
        return { type: FLOAT, bytes: bytes(8) };
      case 3:
        return { type: STRING, bytes: bytes(5) };
      case 4:
        return { type: BOOL, bytes: Uint8Array.of(1) };
      case 5:
        return { type: GEOJSON, bytes: Uint8Array.from([0, 0, 0, ...Buffer.from(POINT)]) };
      case 6:
        return { type: HLL, bytes: bytes(this.random.below(30)) };
      case 7:
        return { type: BLOB, bytes: bytes(this.random.below(30)) };
      default:
        return this.#collection(4);
    }
  }
}
