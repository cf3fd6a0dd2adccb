/**
 * What an expression may ask of the record it is evaluated on. Whoever has a record at hand implements this: the
 * executors of a shard, scans, the server's own tests. Times are milliseconds since the Unix epoch.
 */
import type { ParticleSpan } from '../data/particle-span.js';

export interface RecordView {
  /** false while only metadata is at hand: bins and key are unknown then, and neither `bin` nor `key` is called. */
  readonly hasBins: boolean;
  /** Whether the user key is stored with the record; metadata, known without the bins. */
  readonly hasKey: boolean;
  readonly isTombstone: boolean;
  /** Whether any bin may hold a map whose pairs are in no order, as only expressions write them. */
  readonly hasUnsortedMap: boolean;
  /** Holds the record's digest, 20 bytes from `digestAt`. */
  readonly digestBytes: Uint8Array;
  readonly digestAt: number;
  readonly lastUpdateMs: number;
  readonly nowMs: number;
  /** A whole number of seconds; 0 for a record that never expires. */
  readonly voidTimeMs: number;
  /** Stored sizes, bytes: on a device, in memory (each 0 for the other kind of storage), and in either. */
  readonly deviceSize: number;
  readonly memorySize: number;
  readonly recordSize: number;

  /**
   * Finds a bin as it is now.
   * @param out Receives its particle in stored form: a list or map may carry a private index in its flag element.
   * @returns false when the record has no such bin; `out` is undefined then.
   */
  bin(names: Uint8Array, nameAt: number, nameSize: number, out: ParticleSpan): boolean;

  /** @param out Receives the stored user key, as an INTEGER, STRING or BLOB particle. @returns false when none is stored. */
  key(out: ParticleSpan): boolean;

  /** @param out Receives the set's name as a STRING particle, empty when the record is in no set. */
  setName(out: ParticleSpan): void;
}
