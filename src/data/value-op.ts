/**
 * One operation on one value: what list, map, bit and HLL operations have in common, whether they come as an op
 * of a command or as a call in an expression. The operation sees the particle and its own body and nothing
 * else; it never changes the particle it was given, but says what the new one is.
 */
import { Scratch } from '../base/scratch.js';
import { ParticleSpan } from './particle-span.js';

export class ValueOp {
  /** In: the particle as it is; type NULL when there is none. */
  readonly target = new ParticleSpan();
  /** In: the operation, one msgpack list `[opcode, argument…]`, in `bytes` from `at` up to `end`. */
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  end = 0;
  /** In: whether it came as an operation that may change the value. */
  isModify = false;
  /** In: the particle type that the op of a command claims for its body; bit operations insist on BLOB. */
  bodyType = 0;
  /** In: where new bytes go. What is taken there stays valid as long as the caller says, at least until the next reset. */
  scratch = new Scratch();

  /** Out: what the operation answers; type NULL: nothing. May lie in the target, in the body or in the scratch memory. */
  readonly result = new ParticleSpan();
  /** Out: the value afterwards, where `isChanged` says so; it lies in the scratch memory or in the body. */
  readonly changed = new ParticleSpan();
  isChanged = false;

  /** Clears what the last operation said. Called first by every function that operates. */
  begin(): void {
    this.result.clear();
    this.changed.clear();
    this.isChanged = false;
  }
}

/**
 * Runs an operation. Bytes outside the target's span and the body's are never looked at, whatever they hold.
 * @returns OK or a result code (positive, as clients see it); with a code the outputs mean nothing.
 */
export type Operate = (op: ValueOp) => number;
