/**
 * The body of a bit or HLL operation, one msgpack list `[opcode, argument…]`, read argument by argument. An
 * instance is reused. Source: protocol 14 and 15, section 1.
 */
import { Element, INT, LIST } from './msgpack/element.js';
import type { ValueOp } from './value-op.js';

/** Op codes of these families are single bytes. */
const OP_CODE_MAX = 255;

export class OpBody {
  bytes: Uint8Array = new Uint8Array(0);
  /** Where the next argument starts. */
  at = 0;
  end = 0;
  opCode = 0;
  argCount = 0;
  /** The argument read last; only its header when it is a list or a map. */
  readonly element = new Element();

  /** Reads the list's header and the op code. @returns false when there is no such thing. */
  open(op: ValueOp): boolean {
    const { element } = this;
    this.bytes = op.bytes;
    this.end = op.end;
    const listAt = element.read(op.bytes, op.at, op.end);
    const { type, count } = element;
    if (listAt < 0 || type !== LIST || count === 0) return false;
    this.argCount = count - 1;
    const at = element.read(op.bytes, listAt, op.end);
    if (at < 0 || element.type !== INT || element.high !== 0 || element.low > OP_CODE_MAX) return false;
    this.opCode = element.low;
    this.at = at;
    return true;
  }

  /** Reads the next argument into `element`. @returns false when it is cut off or malformed. */
  next(): boolean {
    const at = this.element.read(this.bytes, this.at, this.end);
    if (at < 0) return false;
    this.at = at;
    return true;
  }

  /** Steps over the flag element that may open the list whose header was read last. @returns Whether it did. */
  skipFlags(): boolean {
    const at = this.element.read(this.bytes, this.at, this.end);
    if (at < 0 || !this.element.isFlags) return false;
    this.at = at;
    return true;
  }

  /** Reads the next argument as flags. @returns them, or -1 unless they are all among `allowed`. */
  flags(allowed: number): number {
    if (!this.next() || this.element.type !== INT || this.element.high !== 0) return -1;
    const { low } = this.element;
    return low > allowed || (low & ~allowed) !== 0 ? -1 : low;
  }
}
