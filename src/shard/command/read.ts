/** Read commands: all bins, selected bins, header, exists. Source: protocol 01, sections 11 and 12; 18, section 7. */
import { BIN_NAME, OK, PARAMETER, RECORD_TOO_BIG } from '../../base/result.js';
import { NULL } from '../../data/type.js';
import {
  INFO1_GET_ALL,
  INFO1_GET_NO_BINS,
  INFO1_READ,
  INFO2_RESPOND_ALL_OPS,
  OP_EXP_READ,
  OP_READ,
  readU32,
} from '../../wire/message.js';
import type { Shard } from '../shard.js';
import { type Executor, failAt } from './executor.js';
import { readByExpression } from './expression-ops.js';
import { applyFilter } from './filter.js';
import { COPIED_MAX } from './modify.js';
import { NEVER_TOUCH } from './read-touch.js';
import type { Request } from './request.js';
import { runValueOp, VALUE_OPS } from './value-ops.js';
import { answerWire, isStoredApart, toWire } from './wire-form.js';
import { isBinName, OP_RULES } from './write-ops.js';

/**
 * Fills the executor's answer. The answer's bytes stay valid until the next command.
 * @param token Comes back from the engine when PARKED is returned.
 */
export function executeRead(ex: Executor, shard: Shard, req: Request, token: number): number {
  const answer = ex.answer;
  if ((req.info1 & INFO1_READ) === 0) return answer.fail(PARAMETER);
  const entry = ex.findLive(shard, req);
  if (entry < 0) return ex.notFound();
  let code = ex.checkSet(shard, req, entry, false);
  if (code !== OK) return failAt(ex, shard, entry, code);
  if (req.hasFilter || req.batchFilter !== null) {
    code = applyFilter(ex, shard, req, entry, token);
    if (code !== OK) return failAt(ex, shard, entry, code);
  }
  if (req.ttl > 100 && req.ttl !== NEVER_TOUCH && shard.index.voidTime(entry) !== 0) {
    return failAt(ex, shard, entry, PARAMETER); // a touch percent, of a record that can expire
  }
  const isHeaderOnly = (req.info1 & INFO1_GET_NO_BINS) !== 0;
  if (!isHeaderOnly || ex.needsKeyCheck(shard, req, entry)) {
    code = ex.load(shard, entry, token);
    if (code !== OK) return failAt(ex, shard, entry, code);
    code = ex.checkKey(req);
    if (code !== OK) return failAt(ex, shard, entry, code);
  }
  const asksAll = (req.info1 & INFO1_GET_ALL) !== 0;
  // That nothing is asked for is noticed only now, as on the reference (recorded).
  if (req.opCount === 0 && !asksAll && !isHeaderOnly) return failAt(ex, shard, entry, PARAMETER);
  answer.reset();
  answer.generation = shard.index.generation(entry);
  answer.voidTimeSec = shard.index.voidTime(entry);
  if (isHeaderOnly) return OK;
  if (asksAll) {
    // Ops beside it are not looked at. Source: protocol 18, section 7.
    if (isStoredApart(ex)) return answerAll(ex);
    const at = ex.storedBinsAt;
    const end = ex.stored.at + ex.stored.size;
    answer.setBulk(ex.stored.region, at, end - at, ex.storedBinCount);
    return OK;
  }
  code = readOps(ex, shard, req, entry);
  return code === OK ? OK : failAt(ex, shard, entry, code);
}

/** Answers all bins, some of which have another form for clients. */
function answerAll(ex: Executor): number {
  ex.listBins();
  ex.scratch.reset();
  for (let k = 0; k < ex.bins.count; k++) answerBin(ex, k, true);
  return OK;
}

/** Answers a bin of the loaded record. @param isApart Whether some bin of it has another form for clients. */
function answerBin(ex: Executor, bin: number, isApart: boolean): void {
  if (isApart && answerWire(ex, bin)) return;
  ex.answer.addImage(OP_READ, ex.bins.sources[bin]!, ex.bins.at[bin]!, ex.bins.size[bin]!);
}

/** Answers the read ops one after another from the loaded record. */
function readOps(ex: Executor, shard: Shard, req: Request, entry: number): number {
  const { answer, bins } = ex;
  const bytes = req.bytes;
  const respondAll = (req.info2 & INFO2_RESPOND_ALL_OPS) !== 0;
  ex.listBins();
  const isApart = isStoredApart(ex);
  if (isApart) ex.scratch.reset();
  let hasOperated = isApart;
  let p = req.opsAt;
  for (let i = 0; i < req.opCount; i++) {
    const opCode = bytes[p + 4]!;
    const nameSize = bytes[p + 7]!;
    if (!OP_RULES[opCode]!.isRead) return PARAMETER;
    if (!isBinName(bytes, p + 8, nameSize)) return BIN_NAME;
    if (opCode !== OP_READ) {
      if (!hasOperated) {
        ex.scratch.reset();
        hasOperated = true;
      }
      const code = readOp(ex, shard, req, entry, p);
      if (code !== OK) return code;
      if (ex.value.type !== NULL) {
        toWire(ex, ex.value);
        answer.addValue(opCode, bytes, p + 8, nameSize, ex.value);
      } else if (respondAll) {
        answer.addNull(opCode, bytes, p + 8, nameSize);
      }
      if (ex.scratch.takenSize > COPIED_MAX) return RECORD_TOO_BIG;
    } else {
      const bin = bins.find(bytes, p + 8, nameSize);
      if (bin >= 0) answerBin(ex, bin, isApart);
      else if (respondAll) answer.addNull(OP_READ, bytes, p + 8, nameSize);
    }
    const code = answer.check();
    if (code !== OK) return code;
    p += 4 + readU32(bytes, p);
  }
  return OK;
}

/** Runs an op that reads one value out of the record. @returns OK, with the value in `ex.value`, or a code. */
function readOp(ex: Executor, shard: Shard, req: Request, entry: number, p: number): number {
  const { bytes } = req;
  if (bytes[p + 4] === OP_EXP_READ) {
    ex.view.show(shard, req, entry, true);
    return readByExpression(ex, bytes, p, ex.value);
  }
  const bin = ex.bins.find(bytes, p + 8, bytes[p + 7]!);
  const code = runValueOp(ex, VALUE_OPS[bytes[p + 4]!]!, bytes, p, bin, false);
  if (code === OK) ex.value.copy(ex.valueOp.result);
  return code;
}
