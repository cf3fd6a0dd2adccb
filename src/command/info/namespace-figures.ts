/**
 * Figures of a namespace that are no counters: what it holds now and where. Bytes and items are whole
 * numbers; a namespace adds them up over its shards.
 */

/** A stripe of memory, a file or a device. What an engine doesn't have reads 0. */
export interface DeviceFigures {
  /** `stripe`, `file` or `device`, as in `storage-engine.file[0].…`. */
  readonly kind: 'stripe' | 'file' | 'device';
  /** Path, or `stripe-<n>`. */
  readonly name: string;
  readonly usedBytes: number;
  readonly freeWriteBlocks: number;
  readonly readErrors: number;
  readonly writeQueue: number;
  readonly writes: number;
  readonly partialWrites: number;
  readonly defragQueue: number;
  readonly defragReads: number;
  readonly defragWrites: number;
  readonly defragPartialWrites: number;
  readonly writeErrors: number;
  /** Writes that were durable later than flush-max-ms after the oldest record in them was acknowledged. */
  readonly lateWrites: number;
  readonly hasShadow: boolean;
  /** Writes to the shadow that are under way, and those that failed. */
  readonly shadowWriteQueue: number;
  readonly shadowWriteErrors: number;
  /** Records and blocks whose bytes were not those that were written. */
  readonly checksumErrors: number;
}

/** How a namespace on devices started, and what a start would find. */
export interface RestartFigures {
  /** `cold`: all blocks were read; `checkpoint`; `empty`; `mixed`: shards differ. */
  readonly startKind: string;
  /** Records read from blocks at the start, older copies and markers included. */
  readonly replayedRecords: number;
  /** Written since the start. */
  readonly checkpoints: number;
  /** Of the oldest shard's newest, seconds; -1: a shard has none. */
  readonly checkpointAgeSec: number;
  readonly checkpointBytes: number;
  readonly checkpointErrors: number;
}

export interface NamespaceFigures {
  readonly objects: number;
  readonly tombstones: number;
  readonly indexUsedBytes: number;
  readonly setIndexUsedBytes: number;
  readonly dataTotalBytes: number;
  readonly dataUsedBytes: number;
  /** Bytes that could be written now. */
  readonly dataAvailableBytes: number;
  /** Writes are refused because there is no room. */
  readonly isStoppingWrites: boolean;
  /** Stored size of the records written last by what it would be uncompressed; 1 without compression. */
  readonly compressionRatio: number;
  /** Loads that memory answered, of all loads; 0 for a memory engine. */
  readonly cacheReadPct: number;
  readonly devices: readonly DeviceFigures[];
  /** Bytes that went to the devices since the start, and those of them that clients caused: 0 in memory. */
  readonly deviceWrittenBytes: number;
  /** Writes that were refused with 18 since the device, or defrag, could not follow. */
  readonly deviceOverloads: number;
  readonly clientWrittenBytes: number;
  /** Milliseconds since the oldest change was made that is not on its device yet, 1 or more; 0 when all are there. */
  readonly unflushedMs: number;
  /** On devices: delete markers that are needed or may be, raids for those that are not, of shards, and what they let go. */
  readonly deleteMarkers: number;
  readonly raids: number;
  readonly raidedMarkers: number;
  readonly restart: RestartFigures;
  /** Of the last cycle of the expiration: records without a void-time, seconds, percent of the records removed. */
  readonly nonExpirableObjects: number;
  readonly nsupDurationSec: number;
  readonly nsupDeletedPct: number;
  /** Milliseconds since 2010, 0 = never; and whether records that were truncated are still being removed. */
  readonly truncateLut: number;
  readonly isTruncating: boolean;
  /** Whether records that were evicted are still being removed. */
  readonly isEvicting: boolean;
}

export interface SetFigures {
  readonly name: string;
  readonly objects: number;
  readonly tombstones: number;
  readonly dataUsedBytes: number;
  readonly truncateLut: number;
  readonly isTruncating: boolean;
  /** Whether it is to have an index of its own that does not know all of its records yet. */
  readonly isIndexPopulating: boolean;
}

/** Whole percents, 0 of nothing. */
export function percentOf(part: number, whole: number): number {
  return whole > 0 ? Math.floor((part * 100) / whole) : 0;
}
