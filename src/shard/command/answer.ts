/**
 * What a command answers, before it is written anywhere: code, metadata and a list of result ops, each a
 * span of bytes somewhere. Its exact size is known before room for it is taken. One instance a worker.
 *
 * A result op is an op image: the bytes of an op as they go over the wire, of which byte 4 (the op code) is
 * overwritten when sent. A result without a value is a name alone; the value of an operation lies apart from the name.
 */
import type { Region } from '../../base/arena.js';
import { copyBytes, copyRegion } from '../../base/copy.js';
import { OK, PARAMETER, RECORD_TOO_BIG } from '../../base/result.js';
import type { ParticleSpan } from '../../data/particle-span.js';
import { MSG_HEADER_SIZE, OP_HEADER_SIZE, writeMessageHeader, writeU32 } from '../../wire/message.js';

/**
 * The longest answer: it has to fit the slab, and a client that leaves it unread must not hold more. Only ops that
 * name one bin over and over come near it.
 */
const OPS_SIZE_MAX = 48 * 1024 * 1024; // bytes
const OP_COUNT_MAX = 0xffff;

const IMAGE = 0;
const NAME_ONLY = 1;
const NAMED_VALUE = 2;

export class Answer {
  code = OK;
  generation = 0;
  voidTimeSec = 0;
  /** Ops of the answer, and bytes of them all. */
  opCount = 0;
  opsSize = 0;
  /** When set, the ops are these bytes, ready to be sent, and the list below is empty. */
  bulk: Region | null = null;
  bulkAt = 0;
  #sources: Uint8Array[] = [];
  #kinds = new Uint8Array(64);
  #codes = new Uint8Array(64);
  #at = new Int32Array(64);
  #size = new Int32Array(64);
  /** Of a value that lies apart from its name: its type and place. */
  #types = new Uint8Array(64);
  #valueSources: Uint8Array[] = [];
  #valueAt = new Int32Array(64);
  #valueSizes = new Int32Array(64);

  /** Clears everything and sets a code alone. @returns The code. */
  fail(code: number): number {
    this.reset();
    this.code = code;
    return code;
  }

  reset(): void {
    this.code = OK;
    this.generation = 0;
    this.voidTimeSec = 0;
    this.dropOps();
  }

  dropOps(): void {
    this.opCount = 0;
    this.opsSize = 0;
    this.bulk = null;
  }

  /** Clears everything, and lets go of the memory that the ops lay in. */
  forget(): void {
    this.reset();
    this.#sources.length = 0;
    this.#valueSources.length = 0;
  }

  /** All ops at once: `count` op images in a row, whose op codes are already those of the answer. */
  setBulk(source: Region, at: number, size: number, count: number): void {
    this.bulk = source;
    this.bulkAt = at;
    this.opsSize = size;
    this.opCount = count;
  }

  /** Adds an op image of `size` bytes; `opCode` replaces its own. The bytes must stay until the answer is written. */
  addImage(opCode: number, source: Uint8Array, at: number, size: number): void {
    this.#add(IMAGE, opCode, source, at, size);
    this.opsSize += size;
  }

  /** Adds an op without a value, named by the `nameSize` bytes at `nameAt`. */
  addNull(opCode: number, source: Uint8Array, nameAt: number, nameSize: number): void {
    this.#add(NAME_ONLY, opCode, source, nameAt, nameSize);
    this.opsSize += OP_HEADER_SIZE + nameSize;
  }

  /** Adds a value under the name of `nameSize` bytes at `nameAt`. The bytes of both must stay until the answer is written. */
  addValue(opCode: number, source: Uint8Array, nameAt: number, nameSize: number, value: ParticleSpan): void {
    const i = this.opCount;
    this.#add(NAMED_VALUE, opCode, source, nameAt, nameSize);
    this.#types[i] = value.type;
    this.#valueSources[i] = value.bytes;
    this.#valueAt[i] = value.at;
    this.#valueSizes[i] = value.size;
    this.opsSize += OP_HEADER_SIZE + nameSize + value.size;
  }

  #add(kind: number, opCode: number, source: Uint8Array, at: number, size: number): void {
    const i = this.opCount++;
    if (i === this.#kinds.length) this.#grow();
    this.#kinds[i] = kind;
    this.#codes[i] = opCode;
    this.#sources[i] = source;
    this.#at[i] = at;
    this.#size[i] = size;
  }

  #grow(): void {
    const grow = <T extends Uint8Array | Int32Array>(old: T, fresh: T): T => {
      fresh.set(old);
      return fresh;
    };
    const size = this.#kinds.length * 2;
    this.#kinds = grow(this.#kinds, new Uint8Array(size));
    this.#codes = grow(this.#codes, new Uint8Array(size));
    this.#at = grow(this.#at, new Int32Array(size));
    this.#size = grow(this.#size, new Int32Array(size));
    this.#types = grow(this.#types, new Uint8Array(size));
    this.#valueAt = grow(this.#valueAt, new Int32Array(size));
    this.#valueSizes = grow(this.#valueSizes, new Int32Array(size));
  }

  /** Whether the ops so far can be sent. @returns OK; RECORD_TOO_BIG; PARAMETER: more ops than can be counted. */
  check(): number {
    if (this.opsSize > OPS_SIZE_MAX) return RECORD_TOO_BIG;
    return this.opCount > OP_COUNT_MAX ? PARAMETER : OK;
  }

  /** Bytes of the message: header and ops. */
  get messageSize(): number {
    return MSG_HEADER_SIZE + this.opsSize;
  }

  /** Writes the message at `at`; `rowIndex` goes into the header's timeout word. @returns One past its end. */
  write(region: Region, at: number, rowIndex: number): number {
    const out = region.u8;
    writeMessageHeader(out, at, this.code, this.generation, this.voidTimeSec, rowIndex, this.opCount);
    let p = at + MSG_HEADER_SIZE;
    if (this.bulk !== null) {
      copyRegion(region, p, this.bulk, this.bulkAt, this.opsSize);
      return p + this.opsSize;
    }
    for (let i = 0; i < this.opCount; i++) {
      const size = this.#size[i]!;
      if (this.#kinds[i] === IMAGE) {
        copyBytes(out, p, this.#sources[i]!, this.#at[i]!, size);
        out[p + 4] = this.#codes[i]!;
        out[p + 6] = 0;
        p += size;
      } else {
        const isNull = this.#kinds[i] === NAME_ONLY;
        const valueSize = isNull ? 0 : this.#valueSizes[i]!;
        writeU32(out, p, 4 + size + valueSize);
        out[p + 4] = this.#codes[i]!;
        out[p + 5] = isNull ? 0 : this.#types[i]!;
        out[p + 6] = 0;
        out[p + 7] = size;
        p += OP_HEADER_SIZE;
        copyBytes(out, p, this.#sources[i]!, this.#at[i]!, size);
        p += size;
        if (valueSize > 0) copyBytes(out, p, this.#valueSources[i]!, this.#valueAt[i]!, valueSize);
        p += valueSize;
      }
    }
    return p;
  }
}
