/**
 * The frames in the rings between the main thread and a worker. Both headers are little-endian u32 words
 * at the start of a ring payload; the bytes of the message follow.
 *
 * Request, 64 bytes:
 *   0 u8 version, u8 kind, u8 source, u8 flags       8,9   f64 arrival, monotonic milliseconds
 *   1 connection slot                               10,11  f64 deadline, monotonic milliseconds, 0 = none
 *   2 connection generation                         12     rows in this group (batch)
 *   3 request number on that connection             13     bytes of the message
 *   4 u16 partition, u16 namespace                  14     slab ticket of the message + 1, 0 = it follows here
 *   5 u16 shard, u16 privileges                     15     response bytes this group may emit (credit)
 *   6 partition epoch
 *   7 offset of the digest in the message; of a batch group its number; of a batch its info3 | GROUP_… flags << 8
 *
 * Completion, 50 bytes (so that the bins of an answer, 30 bytes on, are 8-byte aligned):
 *   0 u8 version, u8 kind, u16 command class           5 bytes of the answer
 *     (of rows of a batch: the namespace that word 10 is about)
 *   1 connection slot                                   6 slab ticket of the answer + 1, 0 = it follows here
 *   2 connection generation                             7 batch: rows that this frame ends, or that were begun
 *   3 request number                                    8,9 f64 arrival, copied from the request
 *   4 u16 result code, u16 namespace; of a batch group its number
 *                                                      10,11 f64 when the worker was done, 0 = not measured; of a
 *                                                            batch its deadline
 */
export const FRAME_VERSION = 1;

export const REQUEST_HEADER_SIZE = 64;
export const REQ_KIND = 0;
export const REQ_SLOT = 1;
export const REQ_CONNECTION_GENERATION = 2;
export const REQ_NUMBER = 3;
export const REQ_PARTITION_NAMESPACE = 4;
export const REQ_SHARD_PRIVILEGES = 5;
export const REQ_EPOCH = 6;
export const REQ_DIGEST_AT = 7;
export const REQ_ARRIVAL = 8; // f64
export const REQ_DEADLINE = 10; // f64
export const REQ_ROWS = 12;
export const REQ_SIZE = 13;
export const REQ_TICKET = 14;
export const REQ_CREDIT = 15;

/** Request kinds. */
export const KIND_RECORD = 1;
export const KIND_BATCH_GROUP = 2;
export const KIND_BATCH = 3; // to be executed in place, whosever its shards are (batch-worker.ts); the message is its rows

/** Request sources: clients, and jobs of the worker itself (background-ops.ts). The others keep their numbers. */
export const SOURCE_CLIENT = 0;
export const SOURCE_PROXY = 1;
export const SOURCE_REPLICA = 2;
export const SOURCE_MIGRATION = 3;
export const SOURCE_INTERNAL = 4;

export const COMPLETION_HEADER_SIZE = 50;
export const COMP_KIND = 0;
export const COMP_SLOT = 1;
export const COMP_CONNECTION_GENERATION = 2;
export const COMP_NUMBER = 3;
export const COMP_CODE_NAMESPACE = 4;
export const COMP_SIZE = 5;
export const COMP_TICKET = 6;
export const COMP_ROWS = 7;
export const COMP_ARRIVAL = 8; // f64
export const COMP_ENDED = 10; // f64

/** Completion kinds. */
export const COMPLETION_ANSWER = 1; // the one answer of a record command
export const COMPLETION_ROWS = 2; // some rows of a batch; the group may go on
export const COMPLETION_PAUSED = 3; // the group's credit is used up: rows from COMP_ROWS on were not begun, send them again
export const COMPLETION_BATCH = 4; // of a batch: COMP_ROWS rows are left; if there are any, they follow the answer

/** Command classes, for histograms. */
export const CLASS_READ = 0;
export const CLASS_WRITE = 1;

/** The first word of a header. */
export function kindWord(kind: number, source: number): number {
  return FRAME_VERSION | (kind << 8) | (source << 16);
}

export function kindOf(word: number): number {
  return (word >>> 8) & 0xff;
}

export function sourceOf(word: number): number {
  return (word >>> 16) & 0xff;
}

/** Messages longer than this travel in the slab. */
export const INLINE_SIZE_MAX = 32 * 1024; // bytes
