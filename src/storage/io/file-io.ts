/**
 * One request of an IoBackend, done synchronously by node:fs on whichever thread calls. Views on shared memory
 * are accepted by node:fs as they are.
 */
import fs from 'node:fs';
import { EIO } from './io-backend.js';

export const IO_READ = 0;
export const IO_WRITE = 1;
export const IO_FLUSH = 2;

/** Bytes that a device reads at least; less was read at the end of a file alone. */
const SECTOR_SIZE = 512;

/** Opens what exists, for reading and writing. @param isDirect Past the cache. @throws The error of the system. */
export function openFile(path: string, isDirect: boolean): number {
  const { O_RDWR, O_DIRECT } = fs.constants;
  return fs.openSync(path, isDirect ? O_RDWR | O_DIRECT : O_RDWR);
}

/**
 * Does a request and blocks until it is done.
 * @returns Bytes done (less than `length` only at the end of the file), 0 for a flush, or -errno.
 */
export function performIo(
  op: number,
  file: number,
  offset: number,
  length: number,
  memory: Uint8Array,
  at: number,
): number {
  try {
    if (op === IO_FLUSH) {
      fs.fdatasyncSync(file);
      return 0;
    }
    let done = 0;
    while (done < length) {
      const size =
        op === IO_READ
          ? fs.readSync(file, memory, at + done, length - done, offset + done)
          : fs.writeSync(file, memory, at + done, length - done, offset + done);
      done += size;
      if (size === 0 || size % SECTOR_SIZE !== 0) break; // reading on would not be aligned
    }
    return done;
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).errno;
    return errno !== undefined && errno < 0 ? errno : -EIO;
  }
}
