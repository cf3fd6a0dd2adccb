/** The arguments of a call that elements are compared with, in the form for that: msgpack/comparable.ts tells why. */
import { copyBytes } from '../../base/copy.js';
import { holdsPairs } from '../msgpack/comparable.js';
import { normaliseCompared } from '../msgpack/normalise.js';
import { ANY_ARG, type CdtCall, LIST_ARG } from './call.js';

/** Gives a call's arguments that form, if one of them may have another; they lie in the scratch memory then. */
export function makeComparable(call: CdtCall): void {
  const { argAt, argCount, bytes } = call;
  let isNeeded = false;
  for (let k = 0; k < argCount && !isNeeded; k++)
    isNeeded = mayHaveOther(bytes, call, k, argAt[k]!, argAt[k + 1]!);
  if (!isNeeded) return;
  let out = call.scratch.take(argAt[argCount]! - argAt[0]!);
  call.bytes = call.scratch.bytes;
  let at = argAt[0]!;
  for (let k = 0; k < argCount; k++) {
    const end = argAt[k + 1]!;
    let size = mayHaveOther(bytes, call, k, at, end)
      ? normaliseCompared(bytes, at, end, call.bytes, out)
      : -1;
    if (size < 0) {
      size = end - at;
      copyBytes(call.bytes, out, bytes, at, size);
    }
    argAt[k] = out;
    out += size;
    at = end;
  }
  argAt[argCount] = out;
}

/** Whether an argument, which lies from `at` to `end`, is compared with elements and may have another form for that. */
function mayHaveOther(bytes: Uint8Array, call: CdtCall, k: number, at: number, end: number): boolean {
  const kind = call.row.params[k];
  return (kind === ANY_ARG || kind === LIST_ARG) && holdsPairs(bytes, at, end);
}
