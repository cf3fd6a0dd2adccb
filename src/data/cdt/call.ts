/**
 * One list or map operation, decoded: the container it works on, its row in the table of operations, and where its
 * arguments lie. One instance is reused; the functions in the tables read from it and write their results to it.
 */
import type { Scratch } from '../../base/scratch.js';
import { Element, INT, NEGATIVE_INT } from '../msgpack/element.js';
import { ParticleSpan } from '../particle-span.js';
import { Container } from './container.js';
import { UNLIMITED } from './range.js';
import type { CdtRow } from './row.js';

/** What an argument has to be. Values are well formed in any case: the call was walked over before. */
export const INT_ARG = 0; // an index, a rank: a signed integer
export const COUNT_ARG = 1; // how many; a negative integer is an unsigned one too large for any container
export const ANY_ARG = 2; // a value that is compared with, sentinels allowed
export const STORED_ARG = 3; // a value to be stored
export const LIST_ARG = 4; // a list of values that are compared with
export const STORED_LIST_ARG = 5; // a list of values to be stored
export const STORED_MAP_ARG = 6; // a map of pairs to be stored
export const KEY_ARG = 7; // a map key to be stored or looked up exactly
export const DELTA_ARG = 8; // a number, or nil for 1
export const RETURN_ARG = 9; // return type and INVERTED

/** More arguments than any operation has. */
const ARG_COUNT_MAX = 8;
/** Integers beyond this are all the same to indexes, ranks and counts: far outside of any container. */
const FAR = 0x1_0000_0000_0000;

const element = new Element();

export class CdtCall {
  opCode = 0;
  row!: CdtRow;
  /** The container; when `exists` is false an empty unordered one that lies nowhere. */
  readonly target = new Container();
  exists = false;
  /** The bin's own container: only there an index may be persisted. */
  isTopLevel = true;
  /** Containers around the target. */
  depth = 0;
  /** The arguments: number k lies in `bytes` from argAt[k] up to argAt[k + 1]. */
  bytes: Uint8Array = new Uint8Array(0);
  argCount = 0;
  readonly argAt = new Int32Array(ARG_COUNT_MAX + 1);
  scratch!: Scratch;

  /** Out: what is answered, type NULL for nothing. Set by `apply`, cleared before. */
  readonly result = new ParticleSpan();
  /** Out: the container afterwards, without a persisted index's body (the caller makes it), if `isChanged`. */
  readonly changed = new ParticleSpan();
  isChanged = false;

  hasArg(k: number): boolean {
    return k < this.argCount;
  }

  /** An integer argument that fits a double; larger ones come as far out as nothing reaches. */
  int(k: number): number {
    element.read(this.bytes, this.argAt[k]!, this.argAt[k + 1]!);
    if (element.type === INT) return element.high > 0xffff ? FAR : element.high * 0x1_0000_0000 + element.low;
    if (element.type !== NEGATIVE_INT) return 0;
    const high = element.high | 0;
    return high < -0x1_0000 ? -FAR : high * 0x1_0000_0000 + element.low;
  }

  /** How many elements argument k asks for: all there are when it is absent, negative or far too large. */
  count(k: number): number {
    if (k >= this.argCount) return UNLIMITED;
    const count = this.int(k);
    return count < 0 || count === FAR ? UNLIMITED : count;
  }

  /** Flags: argument k, or 0 when it is absent. */
  flags(k: number): number {
    return k < this.argCount ? this.int(k) : 0;
  }
}
