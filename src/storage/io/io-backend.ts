/**
 * Block I/O of one thread: requests are queued, submitted, and reaped when the device is done. Numbers and one
 * shared buffer region cross this border, no objects and no policy: retries, order and formats are decided
 * above. io_uring, node:fs on helper threads and the faulty devices of the tests all look like this.
 */
import { getSystemErrorMap } from 'node:util';
import type { Region } from '../../base/arena.js';

/**
 * Writes lie at multiples of this, so that every device and O_DIRECT accept them, and so do buffers. Reads too,
 * unless the device is known to have smaller sectors.
 */
export const IO_ALIGN = 4096; // bytes

/** Largest single read or write, bytes. */
export const IO_SIZE_MAX = 16 * 1024 * 1024;

export interface IoBackend {
  /** What runs, for the log: "node:fs", "io_uring". */
  readonly name: string;

  /** The memory that reads fill and writes are taken from. Offsets of buffers are bytes in it. */
  readonly buffers: Region;

  /**
   * Opens a file or device that exists, for reading and writing. Called before the first request only.
   * @param isDirect Past the operating system's cache (O_DIRECT); false when left out.
   * @returns A number that names it in requests.
   * @throws The error of the system; EINVAL when it must not be direct there.
   */
  open(path: string, isDirect?: boolean): number;

  /** Closes it; nothing may be queued or in flight on it. */
  close(file: number): void;

  /**
   * Queues a read of `length` bytes at `offset` into the buffer at `bufferAt`.
   * @param token  Comes back from `reap`. Requests finish in any order.
   * @param offset Bytes from the start of the file; like `length` a multiple of the sector; `bufferAt` of IO_ALIGN.
   * @returns false when the queue is full: reap, then try again.
   */
  read(token: number, file: number, offset: number, length: number, bufferAt: number): boolean;

  /** As `read`, from the buffer to the file. The bytes must not change until the token is back. */
  write(token: number, file: number, offset: number, length: number, bufferAt: number): boolean;

  /** Queues an fdatasync. It covers the writes of this file whose tokens were reaped before, and no others. */
  flush(token: number, file: number): boolean;

  /** Hands everything queued to the device. @returns How many requests that was. */
  submit(): number;

  /**
   * Fills `out` with pairs (token, bytes done or -errno) of finished requests. A short count is the end of the
   * file. Never blocks.
   * @returns Pairs written, at most out.length / 2.
   */
  reap(out: Int32Array): number;

  /** Whether `reap` has something to give; asked before a thread goes to sleep. */
  readonly hasCompletion: boolean;

  /** Blocks until `reap` has something to give or `timeoutMs` have passed. For start and stop, not for serving. */
  wait(timeoutMs: number): void;
}

/** The errno this module makes up itself: an I/O error, as Linux numbers it. */
export const EIO = 5;

/** Errors that say nothing of the device, but that the system could not do it just now. */
const PASSING: ReadonlySet<number> = new Set([
  4, // EINTR
  11, // EAGAIN
  12, // ENOMEM
  105, // ENOBUFS
  125, // ECANCELED: the kernel had no thread for it
]);

/** Whether the same request may well succeed a little later. @param result What `reap` gave. */
export function isPassing(result: number): boolean {
  return result < 0 && PASSING.has(-result);
}

/** A result that is no success, for messages: `EIO, i/o error`, or how much was done. @param length Bytes asked for. */
export function failureText(result: number, length: number): string {
  if (result >= 0) return `${result} of ${length} bytes`;
  return getSystemErrorMap().get(result)?.join(', ') ?? `error ${-result}`;
}
