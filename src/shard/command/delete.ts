/** The delete of a whole record. Source: protocol 18, section 8, and 01, section 11. */
import { OK, PARKED } from '../../base/result.js';
import type { Shard } from '../shard.js';
import type { Executor } from './executor.js';
import { applyFilter } from './filter.js';
import type { Request } from './request.js';
import { checkAdmission, checkGeneration, removeRecord } from './write.js';

/** Fills the executor's answer. @param token Comes back from the engine when PARKED is returned. */
export function executeDelete(ex: Executor, shard: Shard, req: Request, token: number): number {
  const { answer } = ex;
  let code = checkAdmission(shard, req);
  if (code !== OK) return answer.fail(code);
  const entry = ex.findLive(shard, req);
  if (entry < 0) return ex.notFound();
  code = checkGeneration(req, shard.index.generation(entry));
  if (code !== OK) return answer.fail(code);
  code = ex.checkSet(shard, req, entry, false);
  if (code !== OK) return answer.fail(code);
  if (req.hasFilter || req.batchFilter !== null) {
    code = applyFilter(ex, shard, req, entry, token);
    if (code !== OK) return code === PARKED ? PARKED : answer.fail(code);
  }
  if (ex.needsKeyCheck(shard, req, entry)) {
    code = ex.load(shard, entry, token);
    if (code !== OK) return code === PARKED ? PARKED : answer.fail(code);
    code = ex.checkKey(req);
    if (code !== OK) return answer.fail(code);
  }
  code = removeRecord(ex, shard, req, entry);
  if (code !== OK) return answer.fail(code);
  answer.reset();
  return OK;
}
