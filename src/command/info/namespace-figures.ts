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
}

export interface NamespaceFigures {
  readonly objects: number;
  readonly tombstones: number;
  readonly indexUsedBytes: number;
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
}

export interface SetFigures {
  readonly name: string;
  readonly objects: number;
  readonly tombstones: number;
  readonly dataUsedBytes: number;
}

/** Whole percents, 0 of nothing. */
export function percentOf(part: number, whole: number): number {
  return whole > 0 ? Math.floor((part * 100) / whole) : 0;
}
