/**
 * One record command, decoded: where things are in its bytes. A request comes as a message (protocol 01,
 * section 3) or as a batch row (protocol 03, section 3); after parsing both look alike. One instance is
 * reused; `bytes` stays whoever owns it.
 */
import { OK, PARAMETER } from '../../base/result.js';
import type { Program } from '../../expression/program.js';
import {
  FIELD_DIGEST,
  FIELD_FILTER,
  FIELD_KEY,
  FIELD_MRT_ID,
  FIELD_NAMESPACE,
  FIELD_SET,
  FIELD_UDF_FILENAME,
  INFO1_COMPRESS_RESPONSE,
  INFO1_XDR,
  MSG_FIELD_COUNT,
  MSG_GENERATION,
  MSG_HEADER_SIZE,
  MSG_INFO1,
  MSG_INFO2,
  MSG_INFO3,
  MSG_INFO4,
  MSG_OP_COUNT,
  MSG_TTL,
  OP_HEADER_SIZE,
  readU16,
  readU32,
} from '../../wire/message.js';

/** Op flag of cross-datacenter shipping: a last-update-time stands between an op's name and its value. It is ignored. */
export const OP_HAS_LUT = 0x01;
const OP_LUT_SIZE = 8; // bytes

/** Row flags of a batch row. */
export const ROW_REPEAT = 0x01;
export const ROW_INFO = 0x02;
export const ROW_GENERATION = 0x04;
export const ROW_TTL = 0x08;
export const ROW_INFO4 = 0x10;

export class Request {
  bytes!: Uint8Array;
  info1 = 0;
  info2 = 0;
  info3 = 0;
  info4 = 0;
  generation = 0;
  /** As sent: seconds or one of the special values; a read-touch percent on reads. */
  ttl = 0;
  namespaceAt = -1;
  namespaceSize = 0;
  setAt = 0;
  setSize = 0;
  digestAt = 0;
  digestSize = 0;
  /** Key type byte and key bytes; size 0 = no key sent. */
  keyAt = 0;
  keySize = 0;
  hasKey = false;
  /** A filter of its own: an expression. */
  hasFilter = false;
  filterAt = 0;
  filterSize = 0;
  /** The filter of the batch that this is a row of; holds where the row has none of its own. Set by whoever runs rows. */
  batchFilter: Program | null = null;
  hasUdf = false;
  hasTransaction = false;
  opsAt = 0;
  opCount = 0;
  /** The entry of the record as somebody has seen it (look-ahead.ts), 0 = nobody has. It may have gone since. */
  seenEntry = 0;
  /** One past the last op; where the next row starts in a batch. */
  endAt = 0;

  /**
   * Decodes the message of `size` bytes at `at`, checking every length: afterwards ops can be walked without
   * checks of their own.
   * @returns OK or PARAMETER.
   */
  parseMessage(bytes: Uint8Array, at: number, size: number): number {
    if (size < MSG_HEADER_SIZE) return PARAMETER; // what the header says of its size means nothing, as on the reference
    this.bytes = bytes;
    this.info1 = bytes[at + MSG_INFO1]!;
    this.info2 = bytes[at + MSG_INFO2]!;
    this.info3 = bytes[at + MSG_INFO3]!;
    this.info4 = bytes[at + MSG_INFO4]!;
    this.generation = readU32(bytes, at + MSG_GENERATION);
    this.ttl = readU32(bytes, at + MSG_TTL);
    const end = at + size;
    const code = this.#parseBody(
      at + MSG_HEADER_SIZE,
      end,
      readU16(bytes, at + MSG_FIELD_COUNT),
      readU16(bytes, at + MSG_OP_COUNT),
    );
    if (code !== OK) return code;
    return this.endAt === end ? OK : PARAMETER;
  }

  /**
   * Decodes a full (not repeated) batch row at `at`, which points at its row flags; the digest is set by the caller.
   * @param end One past the last byte that may belong to the row.
   * @param headerInfo3 The batch header's info3, whose strong-consistency bits hold for rows without their own.
   */
  parseRow(bytes: Uint8Array, at: number, end: number, headerInfo3: number): number {
    this.bytes = bytes;
    const flags = bytes[at]!;
    let need = 2 + 4;
    if (flags & ROW_INFO) need += 2;
    if (flags & ROW_INFO4) need += 1;
    if (flags & ROW_GENERATION) need += 2;
    if (flags & ROW_TTL) need += 4;
    if (at + need > end) return PARAMETER;
    let p = at + 1;
    this.info1 = bytes[p++]! & ~(INFO1_XDR | INFO1_COMPRESS_RESPONSE);
    this.info2 = 0;
    this.info3 = headerInfo3 & 0xc0;
    this.info4 = 0;
    this.generation = 0;
    this.ttl = 0;
    if (flags & ROW_INFO) {
      this.info2 = bytes[p++]!;
      this.info3 = bytes[p++]!;
    }
    if (flags & ROW_INFO4) this.info4 = bytes[p++]!;
    if (flags & ROW_GENERATION) {
      this.generation = readU16(bytes, p);
      p += 2;
    }
    if (flags & ROW_TTL) {
      this.ttl = readU32(bytes, p);
      p += 4;
    }
    const fieldCount = readU16(bytes, p);
    const opCount = readU16(bytes, p + 2);
    return this.#parseBody(p + 4, end, fieldCount === 0 ? 1 : fieldCount, opCount);
  }

  #parseBody(start: number, end: number, fieldCount: number, opCount: number): number {
    const bytes = this.bytes;
    let p = start;
    this.namespaceAt = -1;
    this.namespaceSize = 0;
    this.digestAt = -1;
    this.digestSize = 0;
    this.setSize = 0;
    this.keySize = 0;
    this.hasKey = false;
    this.hasFilter = false;
    this.batchFilter = null;
    this.hasUdf = false;
    this.hasTransaction = false;
    this.seenEntry = 0;
    for (let i = 0; i < fieldCount; i++) {
      if (p + 5 > end) return PARAMETER;
      const size = readU32(bytes, p);
      if (size === 0 || size > end - p - 4) return PARAMETER;
      switch (bytes[p + 4]) {
        case FIELD_NAMESPACE:
          this.namespaceAt = p + 5;
          this.namespaceSize = size - 1;
          break;
        case FIELD_SET:
          this.setAt = p + 5;
          this.setSize = size - 1;
          break;
        case FIELD_DIGEST:
          this.digestAt = p + 5;
          this.digestSize = size - 1;
          break;
        case FIELD_KEY:
          this.keyAt = p + 5;
          this.keySize = size - 1;
          this.hasKey = true;
          break;
        case FIELD_FILTER:
          this.hasFilter = true;
          this.filterAt = p + 5;
          this.filterSize = size - 1;
          break;
        case FIELD_UDF_FILENAME:
          this.hasUdf = true;
          break;
        case FIELD_MRT_ID:
          this.hasTransaction = true;
          break;
        default:
      }
      p += 4 + size;
    }
    this.opsAt = p;
    this.opCount = opCount;
    for (let i = 0; i < opCount; i++) {
      if (p + OP_HEADER_SIZE > end) return PARAMETER;
      const size = readU32(bytes, p);
      if (size > end - p - 4 || opValueAt(bytes, p) > p + 4 + size) return PARAMETER;
      p += 4 + size;
    }
    this.endAt = p;
    return OK;
  }
}

/** Where the value of the op at `p` starts. */
export function opValueAt(bytes: Uint8Array, p: number): number {
  const valueAt = p + OP_HEADER_SIZE + bytes[p + 7]!;
  return (bytes[p + 6]! & OP_HAS_LUT) === 0 ? valueAt : valueAt + OP_LUT_SIZE;
}

/** One past the last byte of the op at `p`; where the next one starts. */
export function opEnd(bytes: Uint8Array, p: number): number {
  return p + 4 + readU32(bytes, p);
}
