/**
 * The rows of one batch that one worker executes: what the answers to rows need to know. Rows that wait
 * for a device outlive the call that started them, so a group lives until its last row is answered.
 */
export class BatchGroup {
  connectionSlot = 0;
  connectionGeneration = 0;
  requestNumber = 0;
  /** Its number within the batch. */
  number = 0;
  arrivalMs = 0;
  deadlineMs = 0;
  headerInfo3 = 0;
  hasFilter = false;
  respondAll = true;
  reportErrorRow = true;
  /** Rows started and not yet answered. */
  openRows = 0;
  /** Response bytes that may still be emitted. */
  credit = 0;
  /** The code that ended the group early, or 0. */
  stopCode = 0;
}

/** Bytes of a group frame's own header, before its rows: u8 info3, u8 flags, 6 bytes of zeros. */
export const GROUP_HEADER_SIZE = 8;
export const GROUP_RESPOND_ALL = 1;
export const GROUP_REPORT_ERROR_ROW = 2;
export const GROUP_HAS_FILTER = 4;
/** Bytes of a row before its flags: u32 index, 20 bytes of digest. */
export const ROW_PREFIX_SIZE = 24;
