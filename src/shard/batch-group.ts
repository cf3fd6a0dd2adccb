/**
 * The rows of one batch that one worker executes: what the answers to rows need to know. Rows that wait
 * for a device outlive the call that started them, so a group lives until its last row is answered.
 */
import type { Program } from '../expression/program.js';
import type { ProgramCache } from '../expression/program-cache.js';
import { readU32 } from '../wire/message.js';
import {
  REQ_ARRIVAL,
  REQ_CONNECTION_GENERATION,
  REQ_CREDIT,
  REQ_DEADLINE,
  REQ_DIGEST_AT,
  REQ_NUMBER,
  REQ_SLOT,
} from './frame.js';

export class BatchGroup {
  connectionSlot = 0;
  connectionGeneration = 0;
  requestNumber = 0;
  /** Its number within the batch. */
  number = 0;
  arrivalMs = 0;
  /** When the worker took it. */
  takenMs = 0;
  deadlineMs = 0;
  headerInfo3 = 0;
  /** The filter of rows that have none of their own. */
  filter: Program | null = null;
  respondAll = true;
  reportErrorRow = true;
  /** Rows started and not yet answered. */
  openRows = 0;
  /** Response bytes that may still be emitted. */
  credit = 0;
  /** The code that ended the group early, or 0. */
  stopCode = 0;
}

/**
 * Fills a group from its frame: the header's words from `w` on, and the group's own header at `at`. The main thread
 * has checked the filter.
 */
export function readGroup(
  group: BatchGroup,
  header: Uint32Array,
  f64: Float64Array,
  w: number,
  bytes: Uint8Array,
  at: number,
  programs: ProgramCache,
): void {
  group.connectionSlot = header[w + REQ_SLOT]!;
  group.connectionGeneration = header[w + REQ_CONNECTION_GENERATION]!;
  group.requestNumber = header[w + REQ_NUMBER]!;
  group.number = header[w + REQ_DIGEST_AT]!;
  group.arrivalMs = f64[(w + REQ_ARRIVAL) >>> 1]!;
  group.deadlineMs = f64[(w + REQ_DEADLINE) >>> 1]!;
  group.credit = header[w + REQ_CREDIT]!;
  group.headerInfo3 = bytes[at]!;
  const flags = bytes[at + 1]!;
  group.respondAll = (flags & GROUP_RESPOND_ALL) !== 0;
  group.reportErrorRow = (flags & GROUP_REPORT_ERROR_ROW) !== 0;
  const filterSize = readU32(bytes, at + GROUP_FILTER_SIZE);
  group.filter =
    (flags & GROUP_HAS_FILTER) === 0
      ? null
      : (programs.getFilter(bytes, at + GROUP_HEADER_SIZE, filterSize) ?? null);
  group.stopCode = 0;
  group.openRows = 0;
}

/** Bytes of a group frame's own header: u8 info3, u8 flags, two zeros, u32 size of the filter. Then the filter, then the rows. */
export const GROUP_HEADER_SIZE = 8;
export const GROUP_FILTER_SIZE = 4;
export const GROUP_RESPOND_ALL = 1;
export const GROUP_REPORT_ERROR_ROW = 2;
export const GROUP_HAS_FILTER = 4;
/** Bytes of a row before its flags: u32 index, 20 bytes of digest. */
export const ROW_PREFIX_SIZE = 24;
export const ROW_DIGEST_AT = 4;

/** Where the rows of the group frame at `at` start. */
export function groupRowsAt(bytes: Uint8Array, at: number): number {
  return at + GROUP_HEADER_SIZE + readU32(bytes, at + GROUP_FILTER_SIZE);
}
