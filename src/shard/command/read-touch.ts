/** Reads that give their record a new life: what a touch percent asks for, of the request, the set or the namespace. */
import { OK } from '../../base/result.js';
import { SET_TUNE_READ_TOUCH_PCT, TUNE_READ_TOUCH_PCT } from '../namespace-memory.js';
import type { Shard } from '../shard.js';
import type { Executor } from './executor.js';
import type { Request } from './request.js';
import { touchRecord } from './write.js';

/** A read's ttl field that says: leave the record as it is. */
export const NEVER_TOUCH = 0xffffffff;

/**
 * Carries out the touch that a read asked for by its percent. The read was answered well, and its answer is written.
 * @param token Comes back from the engine when PARKED is returned.
 * @returns OK, or why there was no touch.
 */
export function touchAfterRead(ex: Executor, shard: Shard, req: Request, token: number): number {
  if (ex.answer.voidTimeSec === 0) return OK;
  const entry = shard.index.find(req.bytes, req.digestAt);
  const ttl = entry < 0 ? 0 : readTouchTtl(ex, shard, req, entry);
  return ttl > 0 ? touchRecord(ex, shard, entry, ex.nowSec + ttl, token) : OK;
}

/**
 * The ttl in seconds that a record which was just read is to be touched with, or 0. A record that can expire is
 * touched when at most the given share of the life it got at its last write is left.
 */
function readTouchTtl(ex: Executor, shard: Shard, req: Request, entry: number): number {
  const voidTime = shard.index.voidTime(entry);
  if (voidTime === 0 || req.ttl === NEVER_TOUCH) return 0;
  const setId = shard.index.setId(entry);
  const percent =
    req.ttl !== 0
      ? req.ttl
      : shard.namespace.setOrNamespace(setId, SET_TUNE_READ_TOUCH_PCT, TUNE_READ_TOUCH_PCT);
  if (percent === 0) return 0;
  const ttl = voidTime - Math.floor(shard.index.lut(entry) / 1000);
  if (ttl <= 0) return 0;
  return ex.nowSec >= voidTime - Math.floor((ttl * percent) / 100) ? ttl : 0;
}
