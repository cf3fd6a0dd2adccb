/** The data message: header, fields, ops. Source: protocol 01, sections 3 to 7. */
export const MSG_HEADER_SIZE = 22; // bytes

/** Byte offsets in the header. */
export const MSG_INFO1 = 1;
export const MSG_INFO2 = 2;
export const MSG_INFO3 = 3;
export const MSG_INFO4 = 4;
export const MSG_RESULT = 5;
export const MSG_GENERATION = 6; // u32
export const MSG_TTL = 10; // u32
export const MSG_TIMEOUT = 14; // u32 milliseconds; in batch rows of a response the row index
export const MSG_FIELD_COUNT = 18; // u16
export const MSG_OP_COUNT = 20; // u16

export const INFO1_READ = 0x01;
export const INFO1_GET_ALL = 0x02;
export const INFO1_SHORT_QUERY = 0x04;
export const INFO1_BATCH = 0x08;
export const INFO1_XDR = 0x10;
export const INFO1_GET_NO_BINS = 0x20;
export const INFO1_READ_MODE_AP_ALL = 0x40;
export const INFO1_COMPRESS_RESPONSE = 0x80;

export const INFO2_WRITE = 0x01;
export const INFO2_DELETE = 0x02;
export const INFO2_GENERATION = 0x04;
export const INFO2_GENERATION_GT = 0x08;
export const INFO2_DURABLE_DELETE = 0x10;
export const INFO2_CREATE_ONLY = 0x20;
export const INFO2_RELAX_AP_LONG_QUERY = 0x40;
export const INFO2_RESPOND_ALL_OPS = 0x80;

export const INFO3_LAST = 0x01;
export const INFO3_COMMIT_MASTER = 0x02;
export const INFO3_PARTITION_DONE = 0x04;
export const INFO3_UPDATE_ONLY = 0x08;
export const INFO3_CREATE_OR_REPLACE = 0x10;
export const INFO3_REPLACE_ONLY = 0x20;
export const INFO3_SC_READ_TYPE = 0x40;
export const INFO3_SC_READ_RELAX = 0x80;

export const INFO4_MRT_VERIFY_READ = 0x01;
export const INFO4_MRT_ROLL_FORWARD = 0x02;
export const INFO4_MRT_ROLL_BACK = 0x04;
export const INFO4_MRT_ON_LOCKING_ONLY = 0x10;

export const FIELD_NAMESPACE = 0;
export const FIELD_SET = 1;
export const FIELD_KEY = 2;
export const FIELD_RECORD_VERSION = 3;
export const FIELD_DIGEST = 4;
export const FIELD_MRT_ID = 5;
export const FIELD_MRT_DEADLINE = 6;
export const FIELD_TASK_ID = 7;
export const FIELD_RECORDS_PER_SECOND = 10;
export const FIELD_INDEX_NAME = 21;
export const FIELD_INDEX_RANGE = 22;
export const FIELD_INDEX_CONTEXT = 23;
export const FIELD_INDEX_EXPRESSION = 24;
export const FIELD_UDF_FILENAME = 30;
export const FIELD_BATCH = 41;
export const FIELD_BATCH_WITH_SET = 42;
export const FIELD_FILTER = 43;

export const OP_READ = 1;
export const OP_WRITE = 2;
export const OP_CDT_READ = 3;
export const OP_CDT_MODIFY = 4;
export const OP_INCR = 5;
export const OP_EXP_READ = 7;
export const OP_EXP_MODIFY = 8;
export const OP_APPEND = 9;
export const OP_PREPEND = 10;
export const OP_TOUCH = 11;
export const OP_BITS_READ = 12;
export const OP_BITS_MODIFY = 13;
export const OP_DELETE_ALL = 14;
export const OP_HLL_READ = 15;
export const OP_HLL_MODIFY = 16;

/** Bytes of an op before its name: u32 length of the rest, u8 op, u8 particle type, u8 flags, u8 name size. */
export const OP_HEADER_SIZE = 8;
export const BIN_NAME_SIZE_MAX = 15;
export const SET_NAME_SIZE_MAX = 63;
export const OP_COUNT_MAX = 32768;
export const BIN_COUNT_MAX = 32767;

export function readU16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

export function readU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

export function writeU16(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 8;
  out[at + 1] = value;
}

export function writeU32(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 24;
  out[at + 1] = value >>> 16;
  out[at + 2] = value >>> 8;
  out[at + 3] = value;
}

/** Writes a response's message header. `rowIndex` is 0 for single commands; info3 is 0 but in a stream's last message. */
export function writeMessageHeader(
  out: Uint8Array,
  at: number,
  code: number,
  generation: number,
  voidTimeSec: number,
  rowIndex: number,
  opCount: number,
): void {
  out[at] = MSG_HEADER_SIZE;
  out[at + 1] = 0;
  out[at + 2] = 0;
  out[at + 3] = 0;
  out[at + 4] = 0;
  out[at + 5] = code;
  writeU32(out, at + 6, generation);
  writeU32(out, at + 10, voidTimeSec);
  writeU32(out, at + 14, rowIndex);
  out[at + 18] = 0;
  out[at + 19] = 0;
  out[at + 20] = opCount >>> 8;
  out[at + 21] = opCount;
}

/** As writeMessageHeader, for those who write many: in whole words, wherever they lie. */
export function putMessageHeader(
  out: DataView,
  at: number,
  code: number,
  generation: number,
  voidTimeSec: number,
  rowIndex: number,
  opCount: number,
): void {
  out.setInt32(at, MSG_HEADER_SIZE << 24);
  out.setInt16(at + 4, code);
  out.setInt32(at + 6, generation);
  out.setInt32(at + 10, voidTimeSec);
  out.setInt32(at + 14, rowIndex);
  out.setInt32(at + 18, opCount); // behind 16 bits of 0 fields
}
