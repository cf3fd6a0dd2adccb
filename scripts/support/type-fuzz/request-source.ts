/**
 * Well-formed requests with operations on values and expressions in them: reads, writes, filters, batches. What
 * bins hold is learned from the answers, so that operations often fit. Everything follows from a seed.
 */
import { BLOB, GEOJSON, HLL, INTEGER, LIST, MAP, STRING } from '../../../src/data/type.js';
import { Random } from '../../../src/tools/load-test/random.js';
import {
  OP_BITS_MODIFY,
  OP_BITS_READ,
  OP_CDT_MODIFY,
  OP_CDT_READ,
  OP_EXP_MODIFY,
  OP_EXP_READ,
  OP_HLL_MODIFY,
  OP_HLL_READ,
  OP_READ,
  OP_WRITE,
} from '../../../src/wire/message.js';
import {
  type Answer,
  digestOf,
  GET,
  type Message,
  type Op,
  op,
  type Row,
} from '../../../test/support/wire-client.js';
import { BitSource } from './bit-source.js';
import { mutated } from './body-mutation.js';
import type { Bins } from './case.js';
import { CdtSource } from './cdt-source.js';
import { ExpressionSource } from './expression-source.js';
import { HllSource } from './hll-source.js';
import { Packer } from './packer.js';
import type { Particle } from './particle.js';
import { ValueSource } from './value-source.js';

const KEY_COUNT = 24;
const COLLECTION_BINS = ['c', 'd', 'e'];
const READ = 0x01; // info1
const WRITE = 0x01; // info2
const RESPOND_ALL_OPS = 0x80; // info2
const DELETE = 0x03; // info2
const FILTER_FIELD = 43;
const ROW_COUNT_MAX = 8;

/** A request on one record, or a batch of them. */
export interface TypedRequest {
  readonly key: number;
  readonly message: Message;
  /** For a batch: then `message` is not sent. */
  readonly rows?: readonly Row[];
}

export class RequestSource {
  readonly #random: Random;
  readonly #values: ValueSource;
  readonly #packer: Packer;
  readonly #cdt: CdtSource;
  readonly #bit: BitSource;
  readonly #hll: HllSource;
  readonly #expressions: ExpressionSource;
  readonly #digests: Buffer[];
  /** What the records held when they were read last. */
  readonly #records: Map<string, Particle>[];
  #last: Uint8Array = new Uint8Array(0);

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#packer = new Packer(this.#random);
    this.#values = new ValueSource(this.#packer);
    this.#cdt = new CdtSource(this.#values);
    this.#bit = new BitSource(this.#values);
    this.#hll = new HllSource(this.#values);
    this.#expressions = new ExpressionSource(this.#values, this.#cdt, this.#bit, this.#hll);
    this.#digests = Array.from({ length: KEY_COUNT }, (_, k) => digestOf(`types ${seed} ${k}`));
    this.#records = Array.from({ length: KEY_COUNT }, () => new Map());
  }

  next(): TypedRequest {
    const random = this.#random;
    const key = random.below(KEY_COUNT);
    const kind = random.below(40);
    if (kind === 0) {
      const rows = Array.from({ length: 1 + random.below(ROW_COUNT_MAX) }, (_, index) => ({
        ...this.#command(random.below(KEY_COUNT)),
        index,
      }));
      return { key, message: {}, rows };
    }
    if (kind < 6) return { key, message: { ...GET, digest: this.#digests[key]! } };
    if (kind === 6)
      return { key, message: { info2: DELETE, digest: this.#digests[key]!, fields: this.#filter(key) } };
    return { key, message: this.#command(key) };
  }

  /** Takes in what a record was seen to hold. */
  learn({ key, message, rows }: TypedRequest, answer: Answer): void {
    if (rows !== undefined || message.info1 !== GET.info1) return;
    const record = this.#records[key]!;
    record.clear();
    for (const { name, type, value } of answer.ops) record.set(name, { type, bytes: Uint8Array.from(value) });
    const sketch = record.get('h');
    if (sketch !== undefined) this.#hll.keep(sketch);
  }

  /** A read or a write with one op or several. */
  #command(key: number): Message {
    const random = this.#random;
    const isRead = random.below(3) === 0;
    const count = random.below(3) === 0 ? 1 + random.below(5) : 1;
    const ops = Array.from({ length: count }, () => this.#op(key, isRead));
    const reads = ops.some(({ op: code }) => code === OP_READ || code === OP_EXP_READ);
    return {
      info1: isRead || reads ? READ : 0,
      info2: (isRead ? 0 : WRITE) | (random.below(5) === 0 ? RESPOND_ALL_OPS : 0),
      digest: this.#digests[key]!,
      fields: this.#filter(key),
      ops,
    };
  }

  #filter(key: number): [number, Buffer][] {
    if (this.#random.below(6) > 0) return [];
    return [[FILTER_FIELD, this.#bytes(() => this.#expressions.write(this.#bins(key)))]];
  }

  #op(key: number, isRead: boolean): Op {
    const random = this.#random;
    const record = this.#records[key]!;
    const wanted = isRead ? 3 : 0;
    const kind = random.below(20);
    if (kind === 0) return op(OP_READ, this.#values.pick([...COLLECTION_BINS, 'b', 'h']));
    if (kind < 3 && !isRead) return this.#write();
    if (kind < 6) return this.#expressionOp(key, isRead);
    let isModify = false;
    if (kind < 8) {
      const value = this.#bytes(() => {
        isModify = this.#bit.write(record.get('b'), wanted);
      });
      return op(isModify ? OP_BITS_MODIFY : OP_BITS_READ, 'b', BLOB, value);
    }
    if (kind < 10) {
      const value = this.#bytes(() => {
        isModify = this.#hll.write(wanted);
      });
      return op(isModify ? OP_HLL_MODIFY : OP_HLL_READ, 'h', BLOB, value);
    }
    const bin = this.#values.pick(COLLECTION_BINS);
    const value = this.#bytes(() => {
      isModify =
        random.below(10) === 0
          ? this.#expressions.writePath(record.get(bin))
          : this.#cdt.write(record.get(bin), wanted);
    });
    return op(isModify ? OP_CDT_MODIFY : OP_CDT_READ, bin, BLOB, value);
  }

  /** An op that reads or writes by an expression. */
  #expressionOp(key: number, isRead: boolean): Op {
    const random = this.#random;
    const flags = random.below(2) === 0 ? 0 : random.below(32);
    const value = this.#bytes(() => {
      this.#packer.list(2);
      this.#expressions.write(this.#bins(key));
      this.#packer.int(flags);
    });
    const isWrite = !isRead && random.below(2) === 0;
    const bin = isWrite ? this.#values.pick([...COLLECTION_BINS, 'x']) : 'result';
    return op(isWrite ? OP_EXP_MODIFY : OP_EXP_READ, bin, 0, value);
  }

  /** A whole value for a bin. */
  #write(): Op {
    const random = this.#random;
    const p = this.#packer;
    const v = this.#values;
    const types = [LIST, LIST, MAP, MAP, MAP, BLOB, INTEGER, STRING, GEOJSON, HLL];
    const type = v.pick(types);
    const value = this.#bytes(() => {
      if (type === LIST) v.list(4, random.below(10));
      else if (type === MAP) v.map(4, random.below(10));
      else if (type === GEOJSON)
        for (const byte of Buffer.from('\0\0\0{"type":"Point","coordinates":[1,2]}')) p.byte(byte);
      else
        for (let left = type === INTEGER ? 8 : random.below(40); left > 0; left--) p.byte(random.below(256));
    });
    return op(OP_WRITE, type === BLOB ? 'b' : type === HLL ? 'h' : v.pick(COLLECTION_BINS), type, value);
  }

  /** What `write` packs, damaged in one case of fifteen. */
  #bytes(write: () => void): Buffer {
    const random = this.#random;
    this.#packer.at = 0;
    this.#packer.wideEvery = random.below(8) === 0 ? 3 : 0;
    write();
    this.#packer.wideEvery = 0;
    const whole = this.#packer.bytes.slice(0, this.#packer.at);
    const bytes = random.below(15) === 0 ? mutated(whole, this.#last, random) : whole;
    this.#last = bytes;
    return Buffer.from(bytes);
  }

  #bins(key: number): Bins {
    return [...this.#records[key]!];
  }
}
