/** How a device can be read and written: past the operating system's cache or not, and in units of what size. */
import fs from 'node:fs';
import { allocateAligned } from '../../base/arena.js';
import { openFile } from '../io/file-io.js';
import { IO_ALIGN } from '../io/io-backend.js';
import type { StorageLog } from './storage-error.js';

const SECTOR_SIZE_MIN = 512; // bytes

export interface DeviceAccess {
  isDirect: boolean;
  /** Bytes; reads start and end at multiples of it. */
  readAlign: number;
}

/**
 * Finds out what a file or device accepts, by reading its start.
 * @param path Of a file with at least IO_ALIGN bytes.
 * @param isDirect What is wished; where it is refused the log says so, and the cache is used.
 */
export function accessTo(path: string, isDirect: boolean, log: StorageLog): DeviceAccess {
  if (!isDirect) return { isDirect: false, readAlign: SECTOR_SIZE_MIN };
  for (const readAlign of [SECTOR_SIZE_MIN, IO_ALIGN]) {
    if (acceptsDirect(path, readAlign)) return { isDirect: true, readAlign };
  }
  log.warning(`${path}: its file system takes no direct I/O; reads and writes go through the cache`);
  return { isDirect: false, readAlign: SECTOR_SIZE_MIN };
}

function acceptsDirect(path: string, size: number): boolean {
  let file = -1;
  try {
    file = openFile(path, true);
    const page = new Uint8Array(allocateAligned(IO_ALIGN));
    return fs.readSync(file, page, 0, size, IO_ALIGN - size) === size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EINVAL') return false;
    throw error;
  } finally {
    if (file >= 0) fs.closeSync(file);
  }
}
