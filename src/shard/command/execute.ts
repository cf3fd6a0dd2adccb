/** Chooses what a record command is. Source: protocol 01, section 16. */
import { ENTERPRISE_ONLY, PARAMETER, UNSUPPORTED_FEATURE } from '../../base/result.js';
import {
  INFO1_READ,
  INFO2_DELETE,
  INFO2_WRITE,
  INFO4_MRT_ROLL_BACK,
  INFO4_MRT_ROLL_FORWARD,
  INFO4_MRT_VERIFY_READ,
} from '../../wire/message.js';
import type { Shard } from '../shard.js';
import { executeDelete } from './delete.js';
import type { Executor } from './executor.js';
import { executeRead } from './read.js';
import type { Request } from './request.js';
import { executeWrite } from './write.js';

const INFO4_MRT_ROLL = INFO4_MRT_ROLL_FORWARD | INFO4_MRT_ROLL_BACK;

/** Whether the command belongs to the read histogram and counters. */
export function isReadCommand(req: Request): boolean {
  return (req.info2 & INFO2_WRITE) === 0;
}

/**
 * Runs a command on its shard and fills the executor's answer.
 * @param token Comes back from the storage engine when PARKED is returned: then run the same command again.
 * @returns The answer's code, or PARKED with no answer.
 */
export function execute(ex: Executor, shard: Shard, req: Request, token: number): number {
  ex.begin(shard);
  return executeBegun(ex, shard, req, token);
}

/** As `execute`, when the executor has begun the command. */
export function executeBegun(ex: Executor, shard: Shard, req: Request, token: number): number {
  const isWrite = (req.info2 & INFO2_WRITE) !== 0;
  const refused = isWrite ? INFO4_MRT_ROLL : INFO4_MRT_VERIFY_READ; // the others mean nothing to the command
  if (req.hasTransaction || (req.info4 & refused) !== 0) return ex.answer.fail(ENTERPRISE_ONLY);
  if (!isWrite) {
    if ((req.info1 & INFO1_READ) === 0) return ex.answer.fail(PARAMETER);
    return executeRead(ex, shard, req, token);
  }
  if ((req.info2 & INFO2_DELETE) !== 0) return executeDelete(ex, shard, req, token);
  if (req.hasUdf) return ex.answer.fail(UNSUPPORTED_FEATURE);
  return executeWrite(ex, shard, req, token);
}
