/** Counts how commands ended, under the reference's names. */
import {
  FILTERED_OUT,
  GENERATION,
  KEY_BUSY,
  NOT_FOUND,
  OK,
  RECORD_TOO_BIG,
  TIMEOUT,
} from '../../base/result.js';
import * as count from '../../observe/namespace-counters.js';
import { INFO2_DELETE, INFO2_WRITE } from '../../wire/message.js';
import type { Request } from './request.js';

/** Counter slots of one kind of command, by how it ended. */
interface Family {
  success: number;
  error: number;
  timeout: number;
  filteredOut: number;
  notFound: number;
}

const READ: Family = {
  success: count.CLIENT_READ_SUCCESS,
  error: count.CLIENT_READ_ERROR,
  timeout: count.CLIENT_READ_TIMEOUT,
  filteredOut: count.CLIENT_READ_FILTERED_OUT,
  notFound: count.CLIENT_READ_NOT_FOUND,
};
const WRITE: Family = {
  success: count.CLIENT_WRITE_SUCCESS,
  error: count.CLIENT_WRITE_ERROR,
  timeout: count.CLIENT_WRITE_TIMEOUT,
  filteredOut: count.CLIENT_WRITE_FILTERED_OUT,
  notFound: count.CLIENT_WRITE_ERROR,
};
const DELETE: Family = {
  success: count.CLIENT_DELETE_SUCCESS,
  error: count.CLIENT_DELETE_ERROR,
  timeout: count.CLIENT_DELETE_TIMEOUT,
  filteredOut: count.CLIENT_DELETE_FILTERED_OUT,
  notFound: count.CLIENT_DELETE_NOT_FOUND,
};
const BATCH_READ: Family = {
  success: count.BATCH_SUB_READ_SUCCESS,
  error: count.BATCH_SUB_READ_ERROR,
  timeout: count.BATCH_SUB_READ_TIMEOUT,
  filteredOut: count.BATCH_SUB_READ_FILTERED_OUT,
  notFound: count.BATCH_SUB_READ_NOT_FOUND,
};
const BATCH_WRITE: Family = {
  success: count.BATCH_SUB_WRITE_SUCCESS,
  error: count.BATCH_SUB_WRITE_ERROR,
  timeout: count.BATCH_SUB_WRITE_TIMEOUT,
  filteredOut: count.BATCH_SUB_WRITE_FILTERED_OUT,
  notFound: count.BATCH_SUB_WRITE_ERROR,
};
const BATCH_DELETE: Family = {
  success: count.BATCH_SUB_DELETE_SUCCESS,
  error: count.BATCH_SUB_DELETE_ERROR,
  timeout: count.BATCH_SUB_DELETE_TIMEOUT,
  filteredOut: count.BATCH_SUB_DELETE_FILTERED_OUT,
  notFound: count.BATCH_SUB_DELETE_NOT_FOUND,
};

const BACKGROUND_WRITE: Family = {
  success: count.OPS_SUB_WRITE_SUCCESS,
  error: count.OPS_SUB_WRITE_ERROR,
  timeout: count.OPS_SUB_WRITE_TIMEOUT,
  filteredOut: count.OPS_SUB_WRITE_FILTERED_OUT,
  notFound: count.OPS_SUB_WRITE_ERROR,
};

/** Adds one to the counters of a namespace that say how this command ended. */
export function countOutcome(counters: Float64Array, req: Request, code: number, isBatch: boolean): void {
  const isDelete = (req.info2 & INFO2_DELETE) !== 0;
  const isWrite = (req.info2 & INFO2_WRITE) !== 0;
  const family = isWrite
    ? isDelete
      ? isBatch
        ? BATCH_DELETE
        : DELETE
      : isBatch
        ? BATCH_WRITE
        : WRITE
    : isBatch
      ? BATCH_READ
      : READ;
  if (code === OK) counters[family.success]! += 1;
  else countFailure(counters, family, code);
}

/** The same for a command of a background job, which writes. */
export function countBackgroundWrite(counters: Float64Array, code: number): void {
  if (code === OK) counters[BACKGROUND_WRITE.success]! += 1;
  else countFailure(counters, BACKGROUND_WRITE, code);
}

function countFailure(counters: Float64Array, family: Family, code: number): void {
  switch (code) {
    case NOT_FOUND:
      counters[family.notFound]! += 1;
      return;
    case TIMEOUT:
      counters[family.timeout]! += 1;
      return;
    case FILTERED_OUT:
      counters[family.filteredOut]! += 1;
      return;
    case GENERATION:
      counters[count.FAIL_GENERATION]! += 1;
      break;
    case RECORD_TOO_BIG:
      counters[count.FAIL_RECORD_TOO_BIG]! += 1;
      break;
    case KEY_BUSY:
      counters[count.FAIL_KEY_BUSY]! += 1;
      break;
    default:
  }
  counters[family.error]! += 1;
}
