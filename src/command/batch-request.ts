/**
 * What a batch message says of all its rows together. One instance is reused; it holds positions in the message's
 * bytes, which it does not keep. Source: protocol 03.
 */
import { OK, PARAMETER } from '../base/result.js';
import { GROUP_HAS_FILTER, GROUP_REPORT_ERROR_ROW, GROUP_RESPOND_ALL } from '../shard/batch-group.js';
import {
  FIELD_BATCH,
  FIELD_BATCH_WITH_SET,
  FIELD_FILTER,
  INFO1_COMPRESS_RESPONSE,
  MSG_FIELD_COUNT,
  MSG_HEADER_SIZE,
  MSG_INFO1,
  MSG_INFO3,
  MSG_TIMEOUT,
  readU16,
  readU32,
} from '../wire/message.js';

/** Row count and batch flags, in front of the rows. */
const HEAD_SIZE = 5; // bytes
const HEAD_FLAGS = 4;
const FLAG_RESPOND_ALL = 0x04;
const FLAG_REPORT_ERROR_ROW = 0x08;

export class BatchRequest {
  /** Bytes of the message. */
  size = 0;
  info3 = 0;
  /** As the message says it; 0: the default. */
  timeoutMs = 0;
  /** Whether the answer may come compressed. */
  asksCompression = false;
  /** Rows, as the message counts them; they have not been looked at. */
  count = 0;
  rowsAt = 0;
  rowsEnd = 0;
  /** GROUP_ flags of its groups. */
  groupFlags = 0;
  /** The batch's own filter, which has not been looked at; size 0 and `filterAt` -1: there is none. */
  filterAt = -1;
  filterSize = 0;

  /**
   * Overwrites this with the message of `size` bytes at `at`: at least MSG_HEADER_SIZE.
   * @returns OK, or PARAMETER: a field reaches beyond the message, or none holds rows.
   */
  read(bytes: Uint8Array, at: number, size: number): number {
    const end = at + size;
    let headAt = -1;
    this.filterAt = -1;
    this.filterSize = 0;
    const fieldsAt = at + MSG_HEADER_SIZE;
    let p = fieldsAt;
    for (let i = readU16(bytes, at + MSG_FIELD_COUNT); i > 0; i--) {
      if (p + 5 > end) return PARAMETER;
      let fieldSize = readU32(bytes, p);
      const type = bytes[p + 4];
      const holdsRows = type === FIELD_BATCH || type === FIELD_BATCH_WITH_SET;
      // The Java client counts the rows' size from the first field on, which behind a filter is the filter's size too much.
      if (holdsRows && i === 1 && fieldSize === end - fieldsAt - 4) fieldSize = end - p - 4;
      if (fieldSize === 0 || fieldSize > end - p - 4) return PARAMETER;
      if (holdsRows) {
        headAt = p + 5;
        this.rowsEnd = p + 4 + fieldSize;
      } else if (type === FIELD_FILTER) {
        this.filterAt = p + 5;
        this.filterSize = fieldSize - 1;
      }
      p += 4 + fieldSize;
    }
    if (headAt < 0 || this.rowsEnd - headAt < HEAD_SIZE) return PARAMETER;
    const flags = bytes[headAt + HEAD_FLAGS]!;
    this.size = size;
    this.info3 = bytes[at + MSG_INFO3]!;
    this.timeoutMs = readU32(bytes, at + MSG_TIMEOUT);
    this.asksCompression = (bytes[at + MSG_INFO1]! & INFO1_COMPRESS_RESPONSE) !== 0;
    this.count = readU32(bytes, headAt);
    this.rowsAt = headAt + HEAD_SIZE;
    this.groupFlags =
      ((flags & FLAG_RESPOND_ALL) !== 0 ? GROUP_RESPOND_ALL : 0) |
      ((flags & FLAG_REPORT_ERROR_ROW) !== 0 ? GROUP_REPORT_ERROR_ROW : 0) |
      (this.hasFilter ? GROUP_HAS_FILTER : 0);
    return OK;
  }

  get hasFilter(): boolean {
    return this.filterAt >= 0;
  }
}
