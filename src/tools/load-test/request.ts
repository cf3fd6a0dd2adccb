/**
 * The requests of the load test: put, get and batch-index read, written into a buffer that the connection
 * owns. Source: protocol 01 (frame, header, fields, operations, digest) and 03 (batch rows).
 */
import { hash } from 'node:crypto';
import { DIGEST_SIZE } from '../../base/digest.js';
import type { ObjectSpec } from './object-spec.js';

export const PROTO_SIZE = 8; // bytes of the frame header
export const HEADER_SIZE = 22; // bytes of the message header
const VERSION = 2;
const TYPE_MESSAGE = 3;

// offsets in the frame
const INFO1 = 9;
const INFO2 = 10;
const TIMEOUT = 22; // u32, milliseconds
const FIELD_COUNT = 26; // u16
const OP_COUNT = 28; // u16
const BODY = 30;

const INFO1_READ = 1;
const INFO1_GET_ALL = 2;
const INFO1_BATCH = 8;
const INFO2_WRITE = 1;
const FIELD_NAMESPACE = 0;
const FIELD_SET = 1;
const FIELD_DIGEST = 4;
const FIELD_BATCH = 41;
const BATCH_INLINE_RESPOND_ALL = 5;
const ROW_REPEAT = 1;
const ROW_PLAIN = 0; // only info1 follows
const ROW_SIZE = 4 + DIGEST_SIZE + 1; // a repeat row
const KEY_TYPE_INTEGER = 1;

export class RequestWriter {
  readonly #spec: ObjectSpec;
  readonly #timeoutMs: number;
  readonly #nameFields: Buffer;
  readonly #hashed: Buffer;

  /** @param timeoutMs told to the server in every request; 0 leaves it to the server. */
  constructor(namespace: string, set: string, spec: ObjectSpec, timeoutMs: number) {
    this.#spec = spec;
    this.#timeoutMs = timeoutMs;
    this.#nameFields = Buffer.concat([field(FIELD_NAMESPACE, namespace), field(FIELD_SET, set)]);
    this.#hashed = Buffer.concat([Buffer.from(set), Buffer.from([KEY_TYPE_INTEGER]), Buffer.alloc(8)]);
  }

  /** Bytes of the longest request: a put, or a batch read of `batchSize` records. */
  sizeMax(batchSize: number): number {
    const single = BODY + this.#nameFields.length + 5 + DIGEST_SIZE + this.#spec.opsSizeMax;
    return Math.max(single, BODY + 10 + this.#nameFields.length + 8 + batchSize * ROW_SIZE);
  }

  /** Writes the digest of an integer key: RIPEMD-160 of set, key type and key. */
  digest(key: number, out: Buffer, at: number): void {
    const keyAt = this.#hashed.length - 8;
    this.#hashed.writeUInt32BE(Math.floor(key / 2 ** 32), keyAt);
    this.#hashed.writeUInt32BE(key >>> 0, keyAt + 4);
    out.set(hash('ripemd160', this.#hashed, 'buffer'), at);
  }

  /** Each of these writes a whole frame at the start of `out` and returns its size. */
  get(out: Buffer, key: number): number {
    this.#header(out, INFO1_READ | INFO1_GET_ALL, 0, 3, 0);
    const end = this.#recordFields(out, key);
    return finish(out, end);
  }

  put(out: Buffer, key: number, nonce: number): number {
    this.#header(out, 0, INFO2_WRITE, 3, this.#spec.binCount);
    const end = this.#spec.writeOps(out, this.#recordFields(out, key), key, nonce);
    return finish(out, end);
  }

  /** Row `i` of the batch reads `keys[i]`; rows after the first repeat its namespace, set and flags. */
  batchGet(out: Buffer, keys: Float64Array): number {
    this.#header(out, INFO1_READ | INFO1_BATCH, 0, 1, 0);
    let end = BODY + 5;
    end = out.writeUInt32BE(keys.length, end);
    out[end++] = BATCH_INLINE_RESPOND_ALL;
    for (let i = 0; i < keys.length; i++) {
      end = out.writeUInt32BE(i, end);
      this.digest(keys[i]!, out, end);
      end += DIGEST_SIZE;
      if (i > 0) {
        out[end++] = ROW_REPEAT;
        continue;
      }
      out[end++] = ROW_PLAIN;
      out[end++] = INFO1_READ | INFO1_GET_ALL;
      end = out.writeUInt16BE(2, end);
      end = out.writeUInt16BE(0, end);
      out.set(this.#nameFields, end);
      end += this.#nameFields.length;
    }
    out.writeUInt32BE(end - BODY - 4, BODY);
    out[BODY + 4] = FIELD_BATCH;
    return finish(out, end);
  }

  #header(out: Buffer, info1: number, info2: number, fieldCount: number, opCount: number): void {
    out.fill(0, 0, BODY);
    out[0] = VERSION;
    out[1] = TYPE_MESSAGE;
    out[PROTO_SIZE] = HEADER_SIZE;
    out[INFO1] = info1;
    out[INFO2] = info2;
    out.writeUInt32BE(this.#timeoutMs, TIMEOUT);
    out.writeUInt16BE(fieldCount, FIELD_COUNT);
    out.writeUInt16BE(opCount, OP_COUNT);
  }

  #recordFields(out: Buffer, key: number): number {
    out.set(this.#nameFields, BODY);
    const at = BODY + this.#nameFields.length;
    out.writeUInt32BE(1 + DIGEST_SIZE, at);
    out[at + 4] = FIELD_DIGEST;
    this.digest(key, out, at + 5);
    return at + 5 + DIGEST_SIZE;
  }
}

function field(type: number, text: string): Buffer {
  const data = Buffer.from(text);
  const out = Buffer.alloc(5 + data.length);
  out.writeUInt32BE(1 + data.length);
  out[4] = type;
  out.set(data, 5);
  return out;
}

/** Writes the frame's size, now that its end is known. */
function finish(out: Buffer, end: number): number {
  out.writeUIntBE(end - PROTO_SIZE, 2, 6);
  return end;
}
