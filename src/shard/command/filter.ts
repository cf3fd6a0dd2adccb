/**
 * The filter of a command: looked at with the record's metadata first, and with its bins only when that does not
 * decide. Source: protocol 16, section 6.
 */
import { FILTERED_OUT, OK, PARAMETER } from '../../base/result.js';
import { evaluateFilter } from '../../expression/evaluate.js';
import type { Shard } from '../shard.js';
import type { Executor } from './executor.js';
import type { Request } from './request.js';

const UNKNOWN = -1;

/**
 * Applies the filter of a command, or of the batch it is a row of, to its record.
 * @param entry The record, which exists.
 * @param token Comes back from the engine when PARKED is returned.
 * @returns OK: go on; FILTERED_OUT; PARAMETER: not a filter; PARKED or a code of loading the record.
 */
export function applyFilter(ex: Executor, shard: Shard, req: Request, entry: number, token: number): number {
  const program = req.hasFilter
    ? ex.programs.getFilter(req.bytes, req.filterAt, req.filterSize)
    : req.batchFilter;
  if (program === null) return OK;
  if (program === undefined) return PARAMETER;
  const { view, scratch } = ex;
  scratch.reset();
  view.show(shard, req, entry, false);
  let verdict: number = program.asksOnlyBins ? UNKNOWN : evaluateFilter(program, view, scratch);
  if (verdict === UNKNOWN) {
    const code = ex.load(shard, entry, token);
    if (code !== OK) return code;
    ex.listBins();
    view.show(shard, req, entry, true);
    verdict = evaluateFilter(program, view, scratch);
  }
  return verdict === 1 ? OK : FILTERED_OUT;
}
