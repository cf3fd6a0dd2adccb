/**
 * Frames that a client should not send: made from valid ones by changes that know where the lengths, counts
 * and flags are, so that most of them get past the first check. Everything follows from a seed.
 */
import { deflateSync } from 'node:zlib';
import { Random } from '../../src/tools/load-test/random.js';

const HEADER_SIZE = 8; // bytes of the protocol header
const MESSAGE_SIZE = 22; // bytes of the message header
const FRAME_SIZE_MAX = 4 * 1024 * 1024; // of what mutations build up

const EDGES_8 = [0, 1, 2, 4, 0x7f, 0x80, 0xfe, 0xff];
const EDGES_16 = [0, 1, 0x7fff, 0x8000, 0xffff];
const EDGES_32 = [0, 1, 4, 5, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff, 0x08000000, 0x00100000];

/** Changes a body (without protocol header) or gives another. */
type Mutation = (mutator: FrameMutator, body: Buffer) => Buffer;

const MUTATIONS: readonly Mutation[] = [
  // One byte anywhere.
  (m, body) => {
    if (body.length > 0) body[m.below(body.length)] = m.pick(EDGES_8);
    return body;
  },
  (m, body) => {
    if (body.length > 0) body[m.below(body.length)]! ^= 1 << m.below(8);
    return body;
  },
  // Flags, generation, ttl and timeout, counts.
  (m, body) => {
    if (body.length >= MESSAGE_SIZE) body[1 + m.below(4)] = m.below(256);
    return body;
  },
  (m, body) => {
    if (body.length >= MESSAGE_SIZE) body.writeUInt32BE(m.pick(EDGES_32), 6 + 4 * m.below(3));
    return body;
  },
  (m, body) => {
    if (body.length >= MESSAGE_SIZE) body.writeUInt16BE(m.pick(EDGES_16), 18 + 2 * m.below(2));
    return body;
  },
  // The length, type or name size of a field or op.
  (m, body) => {
    const at = m.pick(partsOf(body));
    if (at === undefined) return body;
    if (m.below(2) === 0) body.writeUInt32BE(m.pick(EDGES_32), at);
    else body[at + 4 + m.below(4)] = m.pick(EDGES_8);
    return body;
  },
  (m, body) => {
    const at = m.pick(partsOf(body));
    if (at !== undefined) body.writeUInt32BE((body.readUInt32BE(at) + m.below(9) - 4) >>> 0, at);
    return body;
  },
  // A number of four bytes anywhere.
  (m, body) => {
    if (body.length >= 4) body.writeUInt32BE(m.pick(EDGES_32), m.below(body.length - 3));
    return body;
  },
  // Cut off, longer, a piece twice, a piece out, a piece of another frame.
  (m, body) => body.subarray(0, m.below(body.length + 1)),
  (m, body) => Buffer.concat([body, m.bytes(m.below(300))]),
  (m, body) => {
    const from = m.below(body.length + 1);
    const piece = body.subarray(from, from + m.below(200));
    const count = m.below(10) === 0 ? m.below(2000) : 2;
    return Buffer.concat([
      body.subarray(0, from),
      ...Array.from({ length: count }, () => piece),
      body.subarray(from),
    ]);
  },
  (m, body) => {
    const from = m.below(body.length + 1);
    return Buffer.concat([body.subarray(0, from), body.subarray(from + m.below(40))]);
  },
  (m, body) => {
    const other = m.pick(m.corpus)!.subarray(HEADER_SIZE);
    return Buffer.concat([
      body.subarray(0, m.below(body.length + 1)),
      other.subarray(m.below(other.length + 1)),
    ]);
  },
  // Nothing but noise.
  m => m.bytes(m.below(400)),
];

/** Where the fields and ops of a message start, as far as they can be followed. */
function partsOf(body: Buffer): number[] {
  const parts: number[] = [];
  for (let p = MESSAGE_SIZE; p + 8 <= body.length; ) {
    parts.push(p);
    p += 4 + body.readUInt32BE(p);
  }
  return parts;
}

export class FrameMutator {
  readonly corpus: readonly Buffer[];
  readonly #random: Random;

  /** @param corpus Valid frames, with their protocol headers. */
  constructor(corpus: readonly Buffer[], seed: number) {
    this.corpus = corpus;
    this.#random = new Random(seed);
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    return this.#random.below(limit);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  bytes(size: number): Buffer {
    return Buffer.from(Array.from({ length: size }, () => this.below(256)));
  }

  /** The bytes of one or several frames, most of them spoilt. */
  next(): Buffer {
    const count = this.below(4) === 0 ? 1 + this.below(6) : 1;
    return Buffer.concat(Array.from({ length: count }, () => this.#frame()));
  }

  #frame(): Buffer {
    const base = this.pick(this.corpus);
    let body: Buffer = Buffer.from(base.subarray(HEADER_SIZE));
    for (let i = this.below(4); i > 0 && body.length < FRAME_SIZE_MAX; i--)
      body = this.pick(MUTATIONS)(this, body);
    const frame = headed(base[1]!, body);
    switch (this.below(12)) {
      case 0:
        return this.#compressed(frame);
      case 1:
        return this.#falseHeader(frame);
      default:
        return frame;
    }
  }

  /** Packed in a frame of type 4, which may lie about its length or be no zlib. */
  #compressed(frame: Buffer): Buffer {
    let stream: Buffer = deflateSync(frame, { level: 1 });
    const declared = Buffer.alloc(8);
    declared.writeUInt32BE(this.below(3) === 0 ? this.pick(EDGES_32) : frame.length, 4);
    if (this.below(4) === 0) stream = MUTATIONS[this.below(2)]!(this, stream);
    if (this.below(6) === 0) stream = stream.subarray(0, this.below(stream.length));
    return headed(4, Buffer.concat([declared, stream]));
  }

  /** With another version, type or length. */
  #falseHeader(frame: Buffer): Buffer {
    switch (this.below(4)) {
      case 0:
        frame[0] = this.pick(EDGES_8);
        break;
      case 1:
        frame[1] = this.below(8);
        break;
      case 2:
        frame.writeUInt32BE(this.pick(EDGES_32), 4);
        break;
      default:
        frame.writeUInt16BE(this.pick(EDGES_16), 2);
    }
    return frame;
  }
}

/** @param type As in the base frame: 1 info, 2 admin, 3 data. */
function headed(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(HEADER_SIZE);
  head.writeUIntBE(body.length, 2, 6);
  head[0] = 2;
  head[1] = type;
  return Buffer.concat([head, body]);
}
