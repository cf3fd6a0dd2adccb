/**
 * Gives a data file its full size on the disk before the first record: a file with holes would run out of disk
 * in the middle of a write that was already acknowledged.
 */
import { execFile } from 'node:child_process';
import { type FileHandle, statfs } from 'node:fs/promises';
import { promisify } from 'node:util';
import { StorageError } from './storage-error.js';

const run = promisify(execFile);
const ZEROS_SIZE = 4 * 1024 * 1024; // bytes a write
const SECTOR = 512; // unit of a file's block count

/**
 * Makes a file that holds nothing but zeros `size` bytes long, every byte with a place on the disk. Uses
 * fallocate(1) of util-linux, and where that is missing or the file system refuses, writes zeros. A disk without the
 * room is left as it was: whoever else writes to it must not suffer from a filesize with a digit too many.
 * @throws StorageError when the disk has no room.
 */
export async function preallocate(path: string, file: FileHandle, size: number): Promise<void> {
  const before = await file.stat();
  const { bavail, bsize } = await statfs(path);
  const missing = size - before.blocks * SECTOR - bavail * bsize;
  if (missing > 0) throw noRoom(path, size, `lacks ${missing} bytes`);
  try {
    await run('fallocate', ['--length', String(size), path]);
    if ((await file.stat()).size >= size) return;
  } catch (error) {
    const stderr = String((error as { stderr?: unknown }).stderr ?? '');
    await file.truncate(before.size);
    if (/no space/i.test(stderr)) throw noRoom(path, size, 'has become full meanwhile');
  }
  const zeros = new Uint8Array(ZEROS_SIZE);
  try {
    for (let at = 0; at < size; ) {
      const { bytesWritten } = await file.write(zeros, 0, Math.min(ZEROS_SIZE, size - at), at);
      at += bytesWritten;
    }
    await file.sync();
  } catch (error) {
    await file.truncate(before.size);
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') {
      throw noRoom(path, size, 'has become full meanwhile');
    }
    throw new StorageError(path, `cannot be given ${size} bytes: ${error}`, { cause: error });
  }
}

function noRoom(path: string, size: number, what: string): StorageError {
  return new StorageError(
    path,
    `cannot be given its filesize of ${size} bytes: the disk ${what}; make room, or configure a smaller filesize`,
  );
}
