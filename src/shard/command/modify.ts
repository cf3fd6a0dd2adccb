/**
 * The ops of a write command, one function an op, applied to the executor's list of bins.
 * Source: protocol 18, sections 2, 3 and 6.
 */

import { copyBytes } from '../../base/copy.js';
import { OK, PARAMETER, RECORD_TOO_BIG } from '../../base/result.js';
import { concatSize, writeConcat } from '../../data/bytes.js';
import { checkIncr, writeIncr } from '../../data/number.js';
import { checkWrite, isCopied, writeStored } from '../../data/particle.js';
import type { ParticleSpan } from '../../data/particle-span.js';
import { INTEGER, NULL } from '../../data/type.js';
import {
  INFO1_GET_ALL,
  INFO2_RESPOND_ALL_OPS,
  OP_APPEND,
  OP_BITS_MODIFY,
  OP_DELETE_ALL,
  OP_EXP_MODIFY,
  OP_EXP_READ,
  OP_HEADER_SIZE,
  OP_INCR,
  OP_PREPEND,
  OP_READ,
  OP_TOUCH,
  OP_WRITE,
  writeU32,
} from '../../wire/message.js';
import { writeImageHeader } from './bins.js';
import type { Executor } from './executor.js';
import { readByExpression, writeByExpression } from './expression-ops.js';
import { OP_HAS_LUT, opEnd, opValueAt, type Request } from './request.js';
import { modifyValue, runValueOp, VALUE_OPS } from './value-ops.js';
import { answerWire, toWire } from './wire-form.js';
import { OP_RULES } from './write-ops.js';

/** An op on the bin it names. `p` is where the op starts, `bin` the bin's index or -1. @returns OK or a code. */
type Apply = (ex: Executor, bytes: Uint8Array, p: number, bin: number) => number;

/** What the ops of one command may copy, bytes: thousands of appends to a long value would hold up all others. */
export const COPIED_MAX = 256 * 1024 * 1024;

/** Indexed by op code; the ops that have no bin, and those that only read, are handled by the caller. */
const APPLY: ReadonlyArray<Apply | undefined> = (() => {
  const table: (Apply | undefined)[] = new Array(256).fill(undefined);
  table[OP_WRITE] = applyWrite;
  table[OP_INCR] = applyIncr;
  table[OP_APPEND] = (ex, bytes, p, bin) => applyConcat(ex, bytes, p, bin, true);
  table[OP_EXP_MODIFY] = writeByExpression;
  table[OP_PREPEND] = (ex, bytes, p, bin) => applyConcat(ex, bytes, p, bin, false);
  return table;
})();

/** Runs all ops of a checked write command and collects the results. @returns OK or the code of the first failure. */
export function applyOps(ex: Executor, req: Request): number {
  const { bins, answer } = ex;
  const bytes = req.bytes;
  const respondAll = (req.info2 & INFO2_RESPOND_ALL_OPS) !== 0;
  const getAll = (req.info1 & INFO1_GET_ALL) !== 0;
  let p = req.opsAt;
  for (let i = 0; i < req.opCount; i++) {
    const opCode = bytes[p + 4]!;
    const nameSize = bytes[p + 7]!;
    const nameAt = p + OP_HEADER_SIZE;
    if (opCode === OP_READ) {
      if (nameSize === 0 && getAll)
        for (let k = 0; k < bins.count && answer.check() === OK; k++) answerBin(ex, k);
      else {
        const bin = bins.find(bytes, nameAt, nameSize);
        if (bin >= 0) answerBin(ex, bin);
        else if (respondAll) answer.addNull(OP_READ, bytes, nameAt, nameSize);
      }
    } else if (opCode === OP_DELETE_ALL) {
      bins.clear();
      if (respondAll) answer.addNull(OP_DELETE_ALL, bytes, nameAt, nameSize);
    } else if (opCode !== OP_TOUCH) {
      const apply = APPLY[opCode];
      const bin = bins.find(bytes, nameAt, nameSize);
      const code =
        apply === undefined ? applyOperation(ex, bytes, p, bin, respondAll) : apply(ex, bytes, p, bin);
      if (code !== OK) return code;
      if (apply !== undefined && respondAll) answer.addNull(opCode, bytes, nameAt, nameSize);
    }
    if (ex.scratch.takenSize > COPIED_MAX) return RECORD_TOO_BIG;
    const sendable = answer.check();
    if (sendable !== OK) return sendable;
    p = opEnd(bytes, p);
  }
  return OK;
}

/** Runs an op that may answer something: on a list, map, blob or HLL, or an expression. @returns OK or its code. */
function applyOperation(
  ex: Executor,
  bytes: Uint8Array,
  p: number,
  bin: number,
  respondAll: boolean,
): number {
  const opCode = bytes[p + 4]!;
  const nameAt = p + OP_HEADER_SIZE;
  const nameSize = bytes[p + 7]!;
  const { isRead } = OP_RULES[opCode]!;
  const result = ex.valueOp.result;
  const operate = VALUE_OPS[opCode];
  let code: number;
  if (operate === undefined && opCode !== OP_EXP_READ) return PARAMETER;
  if (operate === undefined) code = readByExpression(ex, bytes, p, result);
  else if (isRead) code = runValueOp(ex, operate, bytes, p, bin, false);
  else code = modifyValue(ex, operate, bytes, p, bin);
  if (code !== OK) return code;
  if (result.type !== NULL && opCode !== OP_BITS_MODIFY) {
    toWire(ex, result);
    keep(ex, result);
    ex.answer.addValue(opCode, bytes, nameAt, nameSize, result);
  } else if (respondAll || (isRead && (bin >= 0 || operate === undefined))) {
    ex.answer.addNull(opCode, bytes, nameAt, nameSize);
  }
  return OK;
}

/** Storing the record frees what it was read from: what the answer takes of it is copied. */
function keep(ex: Executor, value: ParticleSpan): void {
  if (value.bytes !== ex.storedBytes) return;
  const at = ex.scratch.take(value.size);
  copyBytes(ex.scratch.bytes, at, value.bytes, value.at, value.size);
  value.set(value.type, ex.scratch.bytes, at, value.size);
}

/** Puts a bin as it is now into the answer. A whole image is copied: it may lie in the stored record, or grow in place. */
function answerBin(ex: Executor, bin: number): void {
  if (answerWire(ex, bin)) return;
  const { bins, value } = ex;
  const source = bins.sources[bin]!;
  const binAt = bins.at[bin]!;
  if (!bins.isWhole(bin)) {
    bins.value(bin, value);
    ex.answer.addValue(OP_READ, source, binAt + OP_HEADER_SIZE, source[binAt + 7]!, value);
    return;
  }
  const size = bins.size[bin]!;
  const at = ex.scratch.take(size);
  const out = ex.scratch.bytes;
  copyBytes(out, at, source, binAt, size);
  ex.answer.addImage(OP_READ, out, at, size);
}

function applyWrite(ex: Executor, bytes: Uint8Array, p: number, bin: number): number {
  const type = bytes[p + 5]!;
  const nameSize = bytes[p + 7]!;
  const valueAt = opValueAt(bytes, p);
  const valueSize = opEnd(bytes, p) - valueAt;
  if (type === NULL) {
    if (bin >= 0) ex.bins.remove(bin);
    return OK;
  }
  const size = checkWrite(type, bytes, valueAt, valueSize);
  if (size < 0) return -size;
  if ((isCopied(type) || (type === INTEGER && valueSize === 8)) && (bytes[p + 6]! & OP_HAS_LUT) === 0) {
    ex.bins.put(bin, bytes, p, opEnd(bytes, p) - p); // the request's own bytes are the image
    return OK;
  }
  const at = ex.scratch.take(OP_HEADER_SIZE + nameSize + size);
  const out = ex.scratch.bytes;
  const outAt = writeImageHeader(out, at, type, bytes, p + OP_HEADER_SIZE, nameSize, size);
  writeStored(type, bytes, valueAt, valueSize, out, outAt);
  ex.bins.put(bin, out, at, OP_HEADER_SIZE + nameSize + size);
  return OK;
}

function applyIncr(ex: Executor, bytes: Uint8Array, p: number, bin: number): number {
  const type = bytes[p + 5]!;
  if (bin < 0) return type === NULL ? PARAMETER : applyWrite(ex, bytes, p, bin);
  const nameSize = bytes[p + 7]!;
  const valueAt = opValueAt(bytes, p);
  const valueSize = opEnd(bytes, p) - valueAt;
  const { value } = ex;
  ex.bins.value(bin, value);
  const size = checkIncr(value.type, type, valueSize);
  if (size < 0) return -size;
  const at = ex.scratch.take(OP_HEADER_SIZE + nameSize + size);
  const out = ex.scratch.bytes;
  const outAt = writeImageHeader(out, at, type, bytes, p + OP_HEADER_SIZE, nameSize, size);
  writeIncr(type, value.bytes, value.at, bytes, valueAt, valueSize, out, outAt);
  ex.bins.put(bin, out, at, OP_HEADER_SIZE + nameSize + size);
  return OK;
}

function applyConcat(ex: Executor, bytes: Uint8Array, p: number, bin: number, isAppend: boolean): number {
  if (bin < 0) return applyWrite(ex, bytes, p, bin);
  const type = bytes[p + 5]!;
  const nameSize = bytes[p + 7]!;
  const valueAt = opValueAt(bytes, p);
  const valueSize = opEnd(bytes, p) - valueAt;
  const { value } = ex;
  ex.bins.value(bin, value);
  const { bytes: source, at: binAt, size: binSize } = value;
  const size = concatSize(value.type, binSize, type, valueSize);
  if (size < 0) return -size;
  const imageSize = OP_HEADER_SIZE + nameSize + size;
  if (
    isAppend &&
    ex.bins.isWhole(bin) &&
    source === ex.scratch.bytes &&
    ex.scratch.extend(ex.bins.at[bin]!, ex.bins.size[bin]!, valueSize)
  ) {
    // The bin is the last thing in the scratch memory: it grows in place.
    writeU32(source, ex.bins.at[bin]!, imageSize - 4);
    copyBytes(source, binAt + binSize, bytes, valueAt, valueSize);
    ex.bins.put(bin, source, ex.bins.at[bin]!, imageSize);
    return OK;
  }
  const at = ex.scratch.take(imageSize);
  const out = ex.scratch.bytes;
  const outAt = writeImageHeader(out, at, type, bytes, p + OP_HEADER_SIZE, nameSize, size);
  if (isAppend) writeConcat(source, binAt, binSize, bytes, valueAt, valueSize, out, outAt);
  else writeConcat(bytes, valueAt, valueSize, source, binAt, binSize, out, outAt);
  ex.bins.put(bin, out, at, OP_HEADER_SIZE + nameSize + size);
  return OK;
}
