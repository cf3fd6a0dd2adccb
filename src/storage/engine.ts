/**
 * What a shard asks of its storage, whichever kind it is. An engine belongs to one shard and one thread;
 * nothing in it is locked. All its state lies in shared regions and arenas.
 */
import type { Region } from '../base/arena.js';

/** A flat record's place in memory. One instance is reused by its owner; valid until the next call on the engine. */
export class RecordSpan {
  region!: Region;
  /** Byte offset of the record in the region, a multiple of 16. */
  at = 0;
  /** Bytes of the record (load) or bytes that may be written (reserve). */
  size = 0;
}

/** Figures of one shard's storage, read by the main thread's metrics through `StorageCounters`. */
export interface StorageEngine {
  /** The largest flat record this engine can hold, bytes. */
  readonly recordSizeMax: number;

  /**
   * Finds the stored record of an index entry.
   * @param entry Handle in the shard's primary index.
   * @param token Comes back from `poll` when PARKED is returned. The caller then calls load again, which returns OK.
   * @returns OK with `out` filled; PARKED when a device read was queued; or a result code (UNKNOWN: the stored bytes
   *   fail their checksum or the device failed; counted and logged).
   */
  load(entry: number, token: number, out: RecordSpan): number;

  /** The caller that was given PARKED no longer wants the record, or is done with it: its read buffer can be reused. */
  release(token: number): void;

  /**
   * Finds room for a new flat record of exactly `size` bytes. The caller builds it there (header, set name, key,
   * bins) and calls `store`, or drops it by not doing so before the next `reserve`.
   * @returns OK with `out` filled; RECORD_TOO_BIG; OUT_OF_SPACE; DEVICE_OVERLOAD (write cache full).
   */
  reserve(size: number, out: RecordSpan): number;

  /**
   * Seals the record built in the reserved room (size, stamp, checksum), makes it the stored version of `entry`
   * (location, size and write sequence in the index) and frees the version before it.
   */
  store(entry: number): void;

  /**
   * Frees the stored version of `entry`, which the caller removes from the index right after, and leaves whatever
   * the engine needs so that the record does not come back at a restart (a marker).
   * @returns OK, or OUT_OF_SPACE / DEVICE_OVERLOAD when the marker has no room: then nothing has changed.
   */
  remove(entry: number, lutMs: number): number;

  /**
   * Puts a tombstone in the place of the stored version of `entry`, which stays in the index: generation and set are
   * the entry's.
   * @returns As remove.
   */
  bury(entry: number, lutMs: number): number;

  /**
   * Lets go of the stored version of `entry`, whose record has expired by the shard's record clock; the caller removes
   * the entry right after. Nothing is written: the stored bytes say when they expired, and go on keeping older
   * versions dead. So do those of a tombstone that is not wanted in the index any more.
   */
  expire(entry: number): void;

  /**
   * Lets go of the stored version of `entry`, which was truncated; the caller removes the entry right after. Nothing
   * is written and nothing has to stay: all older versions have lower LUTs, and so were truncated too.
   */
  drop(entry: number): void;

  /**
   * Makes a start's record clock begin at `lutMs` or later, by a clock mark if nothing stored says so already.
   * @returns OK, or OUT_OF_SPACE / DEVICE_OVERLOAD: to be asked again later.
   */
  keepClock(lutMs: number): number;

  /**
   * Number of the append made last where appends have to be durable before their commands are answered
   * (commit-to-device); else 0.
   */
  readonly commitNumber: number;

  /** Every append up to this number is durable. */
  readonly committedNumber: number;

  /** The next write sequence of this shard (48 bits); the caller writes it into the record header before `store`. */
  nextSequence(): number;

  /** Writes the tokens whose reads have finished since the last call into `tokens`, returns how many. Never blocks. */
  poll(tokens: Int32Array): number;

  /** Called about every 10 ms and whenever the worker has nothing else to do: time-driven flushes and the like. */
  tick(nowMs: number): void;

  /** Has all that was appended written to the device, and waits for nothing. */
  flush(): void;

  /** Flushes everything to the device and waits for it. After this only `load` of memory may be called. */
  close(): void;
}

/** Float64 slots of a shard's storage counters, in shared memory, written by the shard's thread alone. */
export const ST_USED_BYTES = 0; // bytes of live records, rounded up to 16 each
export const ST_TOTAL_BYTES = 1; // capacity of this shard
export const ST_AVAILABLE_BYTES = 2; // bytes that could be written now (free blocks or pages)
export const ST_FREE_BLOCKS = 3;
export const ST_WRITES = 4; // write blocks or flushes written whole
export const ST_PARTIAL_WRITES = 5;
export const ST_WRITE_QUEUE = 6; // blocks waiting for the device
export const ST_READ_ERRORS = 7;
export const ST_CHECKSUM_ERRORS = 8;
export const ST_DEVICE_READS = 9;
export const ST_CACHE_READS = 10; // loads answered from memory of a device engine
export const ST_RECOVERED_RECORDS = 11;
export const ST_RECOVERED_BYTES = 12; // progress of a cold start: bytes scanned
export const ST_RECOVERY_TOTAL_BYTES = 13;
export const ST_OBJECTS = 14;
export const ST_TOMBSTONES = 15;
export const ST_INDEX_BYTES = 16;
export const ST_WRITE_ERRORS = 17;
export const ST_DEFRAG_QUEUE = 18; // blocks that defrag will empty
export const ST_DEFRAG_READS = 19; // blocks that defrag began to empty
export const ST_DEFRAG_WRITES = 20; // blocks that it filled
export const ST_DEFRAG_PARTIAL_WRITES = 21;
export const ST_WRITTEN_BYTES = 22; // handed to the device, by clients, defrag and erasure
export const ST_CLIENT_BYTES = 23; // of records and markers of clients, rounded up to 16 each
export const ST_OVERLOADS = 24; // writes refused with DEVICE_OVERLOAD
/** When the oldest append of clients that is not durable was made, or a little earlier, monotonic ms; 0 = all are durable. */
export const ST_UNFLUSHED_SINCE = 25;
export const ST_LATE_WRITES = 26; // device writes of what clients appended that were durable later than flush-max-ms
// The record clock (expiry/record-clock.ts), milliseconds since 2010.
export const ST_RECORD_CLOCK = 40; // never goes back; a start begins with the latest that is stored
export const ST_STORED_CLOCK = 41; // the latest LUT that was appended: where a start would begin
export const ST_EXPIRED_THROUGH = 42; // the latest void-time that was taken for passed
// The last whole cycle of the expiration (shard/nsup/nsup.ts).
export const ST_NSUP_DURATION = 43; // seconds, of all the worker's shards of the namespace
export const ST_NSUP_VISITED = 44;
export const ST_NSUP_DELETED = 45;
export const ST_NON_EXPIRABLE = 46; // records without a void-time
export const ST_NSUP_EVICTED = 54; // records evicted since that cycle
export const ST_TRUNCATED_VERSION = 47; // of the truncations and evictions (shard/truncation.ts) that are carried out
export const ST_START_KIND = 48; // how the shard started: 0 not yet, else one of START_…
export const ST_REPLAYED_RECORDS = 49; // records read from blocks at the start, markers and older copies included
export const ST_CHECKPOINTS = 50; // written since the start
export const ST_CHECKPOINT_AT_MS = 51; // when the newest whole one was begun, wall milliseconds since 2010; 0 = there is none
export const ST_CHECKPOINT_BYTES = 52; // its size
export const ST_CHECKPOINT_ERRORS = 53; // checkpoints given up, and those that a start could not use
export const ST_SET_INDEX_BYTES = 55;
// Of the records written last: their sizes, and what they would have been unpacked; both decay. 0 without compression.
export const ST_PACKED_BYTES = 56;
export const ST_RAW_BYTES = 57;
export const ST_SHADOW_WRITE_QUEUE = 58; // writes to the shadow that are under way
export const ST_SHADOW_WRITE_ERRORS = 59;
export const ST_MARKERS = 60; // delete markers that are needed, or may be, and expired versions that serve as such
export const ST_RAIDS = 61; // raids for markers that were carried through
export const ST_RAIDED_MARKERS = 62; // let go by them
export const ST_COUNT = 64; // slots kept

/** Values of ST_START_KIND. */
export const START_COLD = 1; // all blocks were read
export const START_CHECKPOINT = 2; // a checkpoint, and the blocks written since
export const START_EMPTY = 3; // cold-start-empty
