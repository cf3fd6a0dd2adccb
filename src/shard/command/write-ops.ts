/**
 * What the ops of a write command ask for, found before the record is looked at. The order of the checks
 * is the reference's. Source: protocol 18, section 5, and 01, section 12.
 */
import { BIN_NAME, OK, PARAMETER } from '../../base/result.js';
import {
  BIN_NAME_SIZE_MAX,
  INFO1_GET_ALL,
  INFO1_READ,
  INFO2_RESPOND_ALL_OPS,
  INFO3_CREATE_OR_REPLACE,
  INFO3_REPLACE_ONLY,
  OP_APPEND,
  OP_BITS_MODIFY,
  OP_BITS_READ,
  OP_CDT_MODIFY,
  OP_CDT_READ,
  OP_COUNT_MAX,
  OP_DELETE_ALL,
  OP_EXP_MODIFY,
  OP_EXP_READ,
  OP_HLL_MODIFY,
  OP_HLL_READ,
  OP_INCR,
  OP_PREPEND,
  OP_READ,
  OP_TOUCH,
  OP_WRITE,
  readU32,
} from '../../wire/message.js';
import type { Request } from './request.js';

/** What a kind of op is, so far as these checks care. */
export interface OpRule {
  name: string;
  /** Needs the READ flag of the command. */
  isRead: boolean;
  /** May produce a result of its own, and so cannot stand beside a read-all op. */
  hasResult: boolean;
  /** Not allowed together with the replace flags. */
  conflictsWithReplace: boolean;
  /** Has no bin: its name is not checked. */
  isNameless: boolean;
}

const rule = (
  name: string,
  isRead: boolean,
  hasResult: boolean,
  conflictsWithReplace: boolean,
  isNameless = false,
): OpRule => ({ name, isRead, hasResult, conflictsWithReplace, isNameless });

/**
 * Indexed by op code. An unknown op is no reason to refuse the command at once: those before it are carried out, and
 * may fail with another code (recorded).
 */
export const OP_RULES: readonly OpRule[] = (() => {
  const rules: OpRule[] = new Array(256).fill(rule('unknown', false, false, false));
  rules[OP_READ] = rule('read', true, true, false);
  rules[OP_WRITE] = rule('write', false, false, false);
  rules[OP_CDT_READ] = rule('cdt-read', true, true, false);
  rules[OP_CDT_MODIFY] = rule('cdt-modify', false, true, true);
  rules[OP_INCR] = rule('incr', false, false, true);
  rules[OP_EXP_READ] = rule('exp-read', true, true, false);
  rules[OP_EXP_MODIFY] = rule('exp-modify', false, false, false);
  rules[OP_APPEND] = rule('append', false, false, true);
  rules[OP_PREPEND] = rule('prepend', false, false, true);
  rules[OP_TOUCH] = rule('touch', false, false, true, true);
  rules[OP_BITS_READ] = rule('bits-read', true, true, false);
  rules[OP_BITS_MODIFY] = rule('bits-modify', false, false, true);
  rules[OP_DELETE_ALL] = rule('delete-all', false, false, true, true);
  rules[OP_HLL_READ] = rule('hll-read', true, true, false);
  rules[OP_HLL_MODIFY] = rule('hll-modify', false, true, true);
  return rules;
})();

/** What checkWriteOps found; overwritten by each call. */
export const found = { mustExist: false, hasExpression: false };

/** @returns OK, PARAMETER or BIN_NAME. */
export function checkWriteOps(req: Request): number {
  found.mustExist = false;
  found.hasExpression = false;
  if (req.opCount === 0 || req.opCount > OP_COUNT_MAX) return PARAMETER;
  const bytes = req.bytes;
  const isReplace = (req.info3 & (INFO3_CREATE_OR_REPLACE | INFO3_REPLACE_ONLY)) !== 0;
  const isRead = (req.info1 & INFO1_READ) !== 0;
  const getAll = (req.info1 & INFO1_GET_ALL) !== 0;
  const respondAll = (req.info2 & INFO2_RESPOND_ALL_OPS) !== 0;
  let readAllCount = 0;
  let hasResult = false;
  let p = req.opsAt;
  for (let i = 0; i < req.opCount; i++) {
    const op = OP_RULES[bytes[p + 4]!]!;
    const nameSize = bytes[p + 7]!;
    if (bytes[p + 4] === OP_TOUCH) found.mustExist = true;
    if (bytes[p + 4] === OP_EXP_READ || bytes[p + 4] === OP_EXP_MODIFY) found.hasExpression = true;
    if (op.conflictsWithReplace && isReplace && op.isNameless) return PARAMETER;
    if (!op.isNameless) {
      if (!isBinName(bytes, p + 8, nameSize)) return BIN_NAME;
      if (isReplace && op.conflictsWithReplace) return PARAMETER;
      if (isReplace && bytes[p + 4] === OP_WRITE && bytes[p + 5] === 0) return PARAMETER;
      if (op.isRead && !isRead) return PARAMETER;
      if (bytes[p + 4] === OP_READ && nameSize === 0 && getAll) {
        if (respondAll || readAllCount > 0) return PARAMETER;
        readAllCount++;
      } else if (op.hasResult) {
        hasResult = true;
      }
    }
    p += 4 + readU32(bytes, p);
  }
  if (readAllCount > 0 && hasResult) return PARAMETER;
  if (getAll && readAllCount === 0) return PARAMETER;
  return OK;
}

/** Whether a bin may have this name: at most 15 bytes, none of them 0. */
export function isBinName(bytes: Uint8Array, at: number, size: number): boolean {
  if (size > BIN_NAME_SIZE_MAX) return false;
  for (let i = 0; i < size; i++) if (bytes[at + i] === 0) return false;
  return true;
}
