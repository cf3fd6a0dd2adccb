/**
 * A particle somewhere in memory: its type and where its bytes lie. Type NULL says that there is none. The
 * bytes belong to somebody else (a stored record, a request, scratch memory) and are read only.
 */
import { NULL } from './type.js';

const NOTHING = new Uint8Array(0);

export class ParticleSpan {
  type = NULL;
  bytes: Uint8Array = NOTHING;
  at = 0;
  size = 0;

  set(type: number, bytes: Uint8Array, at: number, size: number): void {
    this.type = type;
    this.bytes = bytes;
    this.at = at;
    this.size = size;
  }

  copy(other: ParticleSpan): void {
    this.type = other.type;
    this.bytes = other.bytes;
    this.at = other.at;
    this.size = other.size;
  }

  clear(): void {
    this.type = NULL;
    this.bytes = NOTHING;
    this.at = 0;
    this.size = 0;
  }
}
