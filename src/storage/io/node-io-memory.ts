/**
 * What a worker and its I/O helper threads share: the buffers, and for each helper (a lane) a request ring, a
 * completion ring, the helper's sleeping word and a stop word. It is made on the main thread, which hands one
 * half to the worker (node-io.ts) and one lane to each helper (node-io-thread.ts).
 *
 * Request, 32 bytes:  u32 op, u32 token, u32 file, u32 length, f64 offset, f64 buffer
 * Completion, 8 bytes: u32 token, i32 bytes or -errno
 */
import { allocateAligned, allocateShared, type SharedBytes } from '../../base/arena.js';
import { SharedFlags } from '../../base/flags.js';
import { createRing } from '../../base/ring.js';
import { createSleeper, Waker } from '../../base/sleeper.js';

export const IO_REQUEST_SIZE = 32; // bytes
export const IO_REQ_OP = 0; // words
export const IO_REQ_TOKEN = 1;
export const IO_REQ_FILE = 2;
export const IO_REQ_LENGTH = 3;
export const IO_REQ_OFFSET = 2; // doubles
export const IO_REQ_BUFFER = 3;

export const IO_COMPLETION_SIZE = 8; // bytes

/** Requests in flight on one lane; either ring holds as many frames, so that neither side ever waits for room. */
export const LANE_DEPTH = 1024;
const REQUEST_RING_SIZE = 64 * 1024; // 1,638 frames of 40 bytes
const COMPLETION_RING_SIZE = 32 * 1024; // 2,048 frames of 16 bytes

/** One helper thread's share; it is the helper's whole workerData. */
export interface NodeIoLane {
  buffers: SharedBytes;
  requests: SharedBytes;
  completions: SharedBytes;
  /** The helper sleeps here. */
  sleeper: SharedBytes;
  /** The worker sleeps here. */
  workerSleeper: SharedBytes;
  /** Word 0: set when the helper shall end. */
  stop: SharedBytes;
}

/**
 * The worker's share. Lane 0 writes and flushes, the others read; a single lane does everything. Without lanes the
 * worker has an io_uring of its own and shares nothing but its sleeping word.
 */
export interface NodeIoMemory {
  buffers: SharedBytes;
  workerSleeper: SharedBytes;
  lanes: NodeIoLane[];
}

/**
 * @param bufferSize    Bytes for read buffers and write blocks; untouched ones cost nothing.
 * @param laneCount     Helper threads; 0 for io_uring.
 * @param workerSleeper The sleeping word of the worker that will use it.
 */
export function createNodeIoMemory(
  bufferSize: number,
  laneCount: number,
  workerSleeper: SharedBytes,
): NodeIoMemory {
  const buffers = allocateAligned(bufferSize);
  const lanes = Array.from({ length: laneCount }, () => ({
    buffers,
    requests: createRing(REQUEST_RING_SIZE),
    completions: createRing(COMPLETION_RING_SIZE),
    sleeper: createSleeper(),
    workerSleeper,
    stop: allocateShared(8),
  }));
  return { buffers, workerSleeper, lanes };
}

/** Asks every helper to end once its requests are done. The worker must have stopped using them. */
export function stopNodeIo(memory: NodeIoMemory): void {
  for (const lane of memory.lanes) {
    new SharedFlags(lane.stop).set(0);
    new Waker(lane.sleeper).wake();
  }
}
