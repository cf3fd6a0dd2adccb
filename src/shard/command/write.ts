/**
 * Write commands: put, operate, touch, and everything that ends in a new version of a record. Checks come in
 * the reference's order (protocol 01, section 11); ops run in order on a list of bins, and nothing is stored
 * unless all of them succeed.
 */

import { copyBytes } from '../../base/copy.js';
import {
  ALWAYS_FORBIDDEN,
  FORBIDDEN,
  GENERATION,
  OK,
  OUT_OF_SPACE,
  PARAMETER,
  RECORD_EXISTS,
  RECORD_TOO_BIG,
  UNSUPPORTED_FEATURE,
} from '../../base/result.js';
import {
  FAIL_XDR_FORBIDDEN,
  TTL_REDUCTIONS_APPLIED,
  TTL_REDUCTIONS_IGNORED,
} from '../../observe/namespace-counters.js';
import { KEY_STORED, TOMBSTONE } from '../../storage/index/entry.js';
import {
  binsOffset,
  FLAG_PERSISTED_INDEX,
  FLAG_UNSORTED_MAP,
  REC_FLAGS_SET_GEN,
  REC_KEY_SIZE,
  RECORD_HEADER_SIZE,
  writeRecordHeader,
} from '../../storage/record/flat-record.js';
import { SET_COUNT_MAX } from '../../storage/record/set-table.js';
import {
  BIN_COUNT_MAX,
  INFO1_XDR,
  INFO2_CREATE_ONLY,
  INFO2_DURABLE_DELETE,
  INFO2_GENERATION,
  INFO2_GENERATION_GT,
  INFO3_CREATE_OR_REPLACE,
  INFO3_REPLACE_ONLY,
  INFO3_UPDATE_ONLY,
  SET_NAME_SIZE_MAX,
} from '../../wire/message.js';
import {
  SET_TUNE_DEFAULT_TTL,
  TUNE_ALLOW_TTL_WITHOUT_NSUP,
  TUNE_APPLY_TTL_REDUCTIONS,
  TUNE_DEFAULT_TTL,
  TUNE_DISALLOW_EXPUNGE,
  TUNE_DISALLOW_NULL_SETNAME,
  TUNE_NSUP_PERIOD,
  TUNE_RECORD_SIZE_MAX,
  TUNE_REJECT_NON_XDR_WRITES,
  TUNE_REJECT_XDR_WRITES,
  TUNE_SET_LIMITS,
  TUNE_STOP_WRITES,
} from '../namespace-memory.js';
import type { Shard } from '../shard.js';
import { type Executor, failAt } from './executor.js';
import { applyFilter } from './filter.js';
import { applyOps } from './modify.js';
import type { Request } from './request.js';
import { checkWriteOps, found } from './write-ops.js';

/** Special values of record_ttl in writes. */
const TTL_DEFAULT = 0;
const TTL_NEVER = 0xffffffff;
const TTL_KEEP = 0xfffffffe;
const TTL_MAX = 315_360_000; // ten years, seconds

const digest = new Uint8Array(20);

/** Largest generation; the next one is 1. */
const GENERATION_MAX = 0xffff;

/** Writes that the namespace's settings refuse whatever they say. */
export function checkAdmission(shard: Shard, req: Request): number {
  const tuning = shard.namespace.tuning;
  const isXdr = (req.info1 & INFO1_XDR) !== 0;
  if (tuning[isXdr ? TUNE_REJECT_XDR_WRITES : TUNE_REJECT_NON_XDR_WRITES] !== 0) {
    shard.namespace.counters[FAIL_XDR_FORBIDDEN]! += 1;
    return ALWAYS_FORBIDDEN;
  }
  if (req.setSize > SET_NAME_SIZE_MAX) return PARAMETER;
  return OK;
}

/**
 * The generation a client expects, against that of the record (0 when there is none). With both flags only whether it
 * is equal counts (recorded).
 */
export function checkGeneration(req: Request, stored: number): number {
  if ((req.info2 & INFO2_GENERATION) !== 0) return req.generation === stored ? OK : GENERATION;
  if ((req.info2 & INFO2_GENERATION_GT) !== 0 && req.generation <= stored) return GENERATION;
  return OK;
}

/** Fills the executor's answer. @param token Comes back from the engine when PARKED is returned. */
export function executeWrite(ex: Executor, shard: Shard, req: Request, token: number): number {
  const { answer, bins } = ex;
  const { index, namespace } = shard;
  let code = checkAdmission(shard, req);
  if (code === OK) code = checkWriteOps(req);
  if (code === OK && namespace.tuning[TUNE_STOP_WRITES] !== 0) code = OUT_OF_SPACE;
  if (code !== OK) return answer.fail(code);
  if (namespace.tuning[TUNE_DISALLOW_NULL_SETNAME] !== 0 && req.setSize === 0) return answer.fail(PARAMETER);
  const isReplace = (req.info3 & (INFO3_CREATE_OR_REPLACE | INFO3_REPLACE_ONLY)) !== 0;
  const mustExist = found.mustExist || (req.info3 & (INFO3_UPDATE_ONLY | INFO3_REPLACE_ONLY)) !== 0;

  const slot = ex.find(shard, req);
  const entry = slot >= 0 && shard.isLive(slot, ex.nowSec) ? slot : -1;
  if (entry < 0 && mustExist) return ex.notFound();
  if (entry >= 0 && (req.info2 & INFO2_CREATE_ONLY) !== 0) return failAt(ex, shard, entry, RECORD_EXISTS);
  code = checkGeneration(req, entry < 0 ? 0 : index.generation(entry));
  if (code !== OK) return failAt(ex, shard, entry, code);
  if (entry >= 0) {
    code = ex.checkSet(shard, req, entry, true);
    if (code !== OK) return failAt(ex, shard, entry, code);
    if (req.hasFilter || req.batchFilter !== null) {
      code = applyFilter(ex, shard, req, entry, token);
      if (code !== OK) return failAt(ex, shard, entry, code);
    }
    if (!isReplace || index.hasFlag(entry, KEY_STORED)) {
      code = ex.load(shard, entry, token);
      if (code !== OK) return failAt(ex, shard, entry, code);
      code = ex.checkKey(req);
      if (code !== OK) return failAt(ex, shard, entry, code);
    }
  }
  const voidTime = newVoidTime(ex, shard, req, entry);
  if (voidTime < 0) return failAt(ex, shard, entry, -voidTime);
  if (req.hasKey && !isStorableKey(req)) return failAt(ex, shard, entry, UNSUPPORTED_FEATURE);
  if (isSetFull(shard, req, entry)) return failAt(ex, shard, entry, FORBIDDEN);
  ex.scratch.reset();
  answer.reset();
  if (entry >= 0 && !isReplace) ex.listBins();
  else bins.clear();
  if (found.hasExpression) {
    const isTombstone = entry < 0 && slot >= 0 && index.hasFlag(slot, TOMBSTONE);
    ex.view.show(shard, req, entry, true, isTombstone);
  }
  code = applyOps(ex, req);
  if (code !== OK) return failAt(ex, shard, entry, code);
  if (bins.count > BIN_COUNT_MAX) return failAt(ex, shard, entry, PARAMETER);
  if (bins.count === 0) return removeEmptied(ex, shard, req, entry);
  return storeRecord(ex, shard, req, slot, entry, voidTime);
}

/** Whether the record's set takes no writes: none at all, also those that would make a record smaller or take its last bin. */
function isSetFull({ index, namespace }: Shard, req: Request, entry: number): boolean {
  if (namespace.tuning[TUNE_SET_LIMITS] === 0) return false;
  const setId = entry >= 0 ? index.setId(entry) : namespace.sets.find(req.bytes, req.setAt, req.setSize);
  return namespace.isSetFull(setId);
}

/** The void-time that the request's ttl asks for, or a negative code. */
function newVoidTime(ex: Executor, shard: Shard, req: Request, entry: number): number {
  const { namespace, index } = shard;
  const tuning = namespace.tuning;
  if (req.ttl === TTL_NEVER) return 0;
  if (req.ttl === TTL_KEEP && entry >= 0) return index.voidTime(entry);
  let ttl = req.ttl;
  if (ttl === TTL_DEFAULT || ttl === TTL_KEEP) {
    const setId = entry >= 0 ? index.setId(entry) : namespace.sets.find(req.bytes, req.setAt, req.setSize);
    ttl = namespace.setOrNamespace(setId, SET_TUNE_DEFAULT_TTL, TUNE_DEFAULT_TTL);
    if (ttl === 0) return 0;
  }
  if (ttl > TTL_MAX) return -PARAMETER;
  if (tuning[TUNE_NSUP_PERIOD] === 0 && tuning[TUNE_ALLOW_TTL_WITHOUT_NSUP] === 0) return -FORBIDDEN;
  return allowedVoidTime(shard, entry, ex.nowSec + ttl);
}

/** A new void-time, or the record's own when that is later and the namespace does not let writes shorten it. */
function allowedVoidTime(shard: Shard, entry: number, voidTime: number): number {
  if (entry < 0) return voidTime;
  const before = shard.index.voidTime(entry);
  if (before !== 0 && before <= voidTime) return voidTime;
  const { tuning, counters } = shard.namespace;
  const isApplied = tuning[TUNE_APPLY_TTL_REDUCTIONS] !== 0;
  counters[isApplied ? TTL_REDUCTIONS_APPLIED : TTL_REDUCTIONS_IGNORED]! += 1;
  return isApplied ? voidTime : before;
}

/** A key to be stored has a type; an integer's has eight bytes. */
function isStorableKey(req: Request): boolean {
  if (req.keySize === 0) return false;
  return req.bytes[req.keyAt] !== 1 || req.keySize === 9;
}

/** The ops took the last bin: the record goes, and the answer says generation 0. */
function removeEmptied(ex: Executor, shard: Shard, req: Request, entry: number): number {
  if (entry < 0) return ex.notFound();
  const code = removeRecord(ex, shard, req, entry);
  if (code !== OK) return ex.answer.fail(code);
  return OK;
}

/**
 * Deletes a record: a durable delete leaves a tombstone in the index.
 * @returns OK, FORBIDDEN (only durable deletes are allowed), or the engine's refusal, with nothing changed.
 */
export function removeRecord(ex: Executor, shard: Shard, req: Request, entry: number): number {
  const { index, engine, namespace } = shard;
  if ((req.info2 & INFO2_DURABLE_DELETE) !== 0) return shard.bury(entry, ex.nowMs);
  if (namespace.tuning[TUNE_DISALLOW_EXPUNGE] !== 0) return FORBIDDEN;
  const size = index.size(entry);
  const code = engine.remove(entry, ex.nowMs);
  if (code !== OK) return code;
  shard.countRecord(index.setId(entry), size, -1);
  index.remove(entry);
  return OK;
}

/**
 * Writes the bins as the new version.
 * @param slot  The digest's entry, live or expired, or -1.
 * @param entry The same if the record is live, else -1.
 */
function storeRecord(
  ex: Executor,
  shard: Shard,
  req: Request,
  slot: number,
  entry: number,
  voidTime: number,
): number {
  const { answer, bins, fresh, header } = ex;
  const { index, engine, namespace } = shard;
  const { sets } = namespace;
  let setId = entry >= 0 ? index.setId(entry) : sets.find(req.bytes, req.setAt, req.setSize);
  if (setId < 0 && sets.count === SET_COUNT_MAX) return answer.fail(PARAMETER);
  // The key stays as it was stored, or is stored now.
  const keepsKey = entry >= 0 && index.hasFlag(entry, KEY_STORED);
  const stored = ex.stored;
  const storedWord = stored.at >>> 2;
  const keySize = keepsKey ? stored.region.u32[storedWord + REC_KEY_SIZE]! : req.keySize;
  const setNameSize = setId < 0 ? req.setSize : sets.nameSize(setId);
  const binsAt = binsOffset(setNameSize, keySize);
  const size = binsAt + bins.totalSize();
  if (size > namespace.tuning[TUNE_RECORD_SIZE_MAX]!) return answer.fail(RECORD_TOO_BIG);
  const isNew = slot < 0;
  const entriesMax = isNew ? namespace.indexEntriesMax : 0;
  if (entriesMax > 0 && index.count >= entriesMax) return answer.fail(OUT_OF_SPACE);
  const code = engine.reserve(size, fresh);
  if (code !== OK) return answer.fail(code);

  if (setId < 0) setId = sets.findOrAdd(req.bytes, req.setAt, req.setSize); // only now: a refused write adds no set
  if (setId < 0) return answer.fail(PARAMETER);
  const target = isNew ? index.insert(req.bytes, req.digestAt) : slot;
  if (target < 0) return answer.fail(OUT_OF_SPACE);
  const sizeBefore = index.size(target);
  const generation = entry < 0 ? 1 : nextGeneration(index.generation(entry));
  const { region, at } = fresh;
  bins.writeAll(region, at + binsAt);
  header.flags =
    (bins.hasPersistedIndex ? FLAG_PERSISTED_INDEX : 0) | (bins.hasUnsortedMap ? FLAG_UNSORTED_MAP : 0);
  header.generation = generation;
  header.voidTimeSec = voidTime;
  header.lutMs = ex.nowMs;
  header.sequence = engine.nextSequence();
  header.treeId = 0;
  header.setNameSize = setNameSize;
  header.keySize = keySize;
  header.binCount = bins.count;
  writeRecordHeader(region.u8, region.u32, at, header, req.bytes, req.digestAt);
  namespace.sets.nameTo(setId, region.u8, at + RECORD_HEADER_SIZE);
  if (keySize > 0) {
    const keyAt = at + RECORD_HEADER_SIZE + setNameSize;
    if (keepsKey) {
      const oldSetSize = (stored.region.u32[storedWord + REC_FLAGS_SET_GEN]! >>> 8) & 0xff;
      const oldKeyAt = stored.at + RECORD_HEADER_SIZE + oldSetSize;
      copyBytes(region.u8, keyAt, stored.region.u8, oldKeyAt, keySize);
    } else {
      copyBytes(region.u8, keyAt, req.bytes, req.keyAt, keySize);
    }
  }

  const setIdBefore = index.setId(target);
  const wasTombstone = !isNew && index.hasFlag(target, TOMBSTONE);
  index.setWritten(target, generation, setId, voidTime, header.lutMs, keySize > 0);
  if (wasTombstone) shard.countTombstone(setIdBefore, -1);
  engine.store(target);
  const storedSize = index.size(target); // compression may have made it less
  if (isNew || wasTombstone) shard.countRecord(setId, storedSize, 1);
  else if (setIdBefore === setId) shard.countResize(setId, sizeBefore, storedSize);
  else {
    // The expired record that was in the way belonged to another set.
    shard.countRecord(setIdBefore, sizeBefore, -1);
    shard.countRecord(setId, storedSize, 1);
  }
  answer.generation = generation;
  answer.voidTimeSec = voidTime;
  return OK;
}

function nextGeneration(generation: number): number {
  return generation === GENERATION_MAX ? 1 : generation + 1;
}

/**
 * Gives a live record a new life without changing its bins: what a read asks for by its touch percent.
 * @returns OK, PARKED, or a code; nothing is answered to anybody.
 */
export function touchRecord(
  ex: Executor,
  shard: Shard,
  entry: number,
  voidTime: number,
  token: number,
): number {
  const { index, engine } = shard;
  const { stored, fresh } = ex;
  if (shard.namespace.tuning[TUNE_STOP_WRITES] !== 0) return OUT_OF_SPACE;
  if (shard.namespace.isSetFull(index.setId(entry))) return FORBIDDEN;
  ex.isLoaded = false; // the answer to the read may have had to wait
  let code = ex.load(shard, entry, token);
  if (code !== OK) return code;
  code = engine.reserve(stored.size, fresh);
  if (code !== OK) return code;
  const { header } = ex;
  const keySize = stored.region.u32[(stored.at >>> 2) + REC_KEY_SIZE]!;
  const fsg = stored.region.u32[(stored.at >>> 2) + REC_FLAGS_SET_GEN]!;
  copyBytes(fresh.region.u8, fresh.at, stored.region.u8, stored.at, stored.size);
  header.flags = fsg & (FLAG_PERSISTED_INDEX | FLAG_UNSORTED_MAP);
  header.generation = nextGeneration(index.generation(entry));
  header.voidTimeSec = voidTime;
  header.lutMs = ex.nowMs;
  header.sequence = engine.nextSequence();
  header.treeId = 0;
  header.setNameSize = (fsg >>> 8) & 0xff;
  header.keySize = keySize;
  header.binCount = ex.storedBinCount;
  index.digestTo(entry, digest, 0);
  writeRecordHeader(fresh.region.u8, fresh.region.u32, fresh.at, header, digest, 0);
  index.setGeneration(entry, header.generation);
  index.setVoidTime(entry, voidTime);
  index.setLut(entry, header.lutMs);
  const sizeBefore = index.size(entry);
  engine.store(entry);
  shard.countResize(index.setId(entry), sizeBefore, index.size(entry));
  return OK;
}
