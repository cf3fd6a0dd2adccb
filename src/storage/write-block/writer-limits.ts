/** Settings of a shard's write side, as numbers that may change while it works. */

/** Those of defragmentation. */
export interface DefragLimits {
  /** Stored blocks that are filled less than this are emptied; 0: none. */
  defragLwmPct: number;
  /** Milliseconds between two blocks of this shard. */
  defragSleepMs: number;
  /** Blocks that must be waiting before one is emptied. */
  defragQueueMin: number;
  /** Percent of blocks that must be free before a start is done, if emptying others gets there. */
  defragStartupMinPct: number;
  /** Percent of free blocks at which writes stop; 0: never. */
  stopWritesAvailPct: number;
}

export interface BlockWriterLimits extends DefragLimits {
  /** What was appended is durable after this many milliseconds; 0: when its block is full. */
  flushMaxMs: number;
  /** Bytes of full blocks that may wait for the device. */
  writeCacheMax: number;
  /** Bytes of stored blocks kept in memory for reading. */
  postWriteCacheMax: number;
  /** Bytes of full pages that go to the device together; less waits for flushMaxMs, or for the end of its block. */
  flushSize: number;
  /** What clients append goes to the device at once (commit-to-device), in pieces of so many bytes or multiples. */
  isCommitting: boolean;
  commitMinSize: number;
}

export const DEFAULT_LIMITS: BlockWriterLimits = {
  flushMaxMs: 1000,
  writeCacheMax: 64 * 1024 * 1024,
  postWriteCacheMax: 0,
  defragLwmPct: 50,
  defragSleepMs: 1,
  defragQueueMin: 0,
  defragStartupMinPct: 0,
  stopWritesAvailPct: 5,
  flushSize: 1024 * 1024,
  isCommitting: false,
  commitMinSize: 0,
};
