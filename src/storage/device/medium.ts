/**
 * What a configured path leads to: an ordinary file, or a raw block device that is used whole. Opened for reading
 * and writing, known by what it is (not by its path), its size known, and locked: files by a lock of ours, devices by
 * the kernel's too (O_EXCL), which a mount or another program that claims the device holds.
 */
import { constants, readFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DeviceLock, lockDevice } from './device-lock.js';
import { StorageError } from './storage-error.js';

export type MediumKind = 'file' | 'device';

export interface Medium {
  readonly path: string;
  readonly kind: MediumKind;
  readonly file: FileHandle;
  readonly lock: DeviceLock;
  /** Of the file, or of all device files with these numbers. */
  readonly identity: string;
  /** Bytes it has now. */
  size: number;
}

/** /sys counts in these, whatever the device's sectors are. */
const SYS_SECTOR = 512; // bytes
/** Whoever held the device before may still be letting go of it. */
const BUSY_FOR_MS = 1000;
const BUSY_EVERY_MS = 50;

const SERVICE_PATHS = '(a systemd service also needs ReadWritePaths=)';

/** What to do when a path cannot be opened, by the system's code. */
const CURES: Readonly<Record<MediumKind, Readonly<Record<string, string>>>> = {
  file: {
    ENOENT: 'its directory does not exist; create it, or mount what belongs there',
    EACCES: `this user may not write it; change its owner ${SERVICE_PATHS}`,
    EPERM: `this user may not write it; change its owner ${SERVICE_PATHS}`,
    EROFS: `the file system is read-only ${SERVICE_PATHS}; look for its errors in the kernel log`,
    EISDIR: 'it is a directory; name a file in it',
    ENOSPC: 'the disk is full; make room',
    EMFILE: 'too many files are open; raise the limit (LimitNOFILE= of a systemd service)',
  },
  device: {
    ENOENT: 'there is no such device',
    EACCES: 'this user may not write it; add the user to the group that it belongs to',
    EPERM: 'this user may not write it (a systemd service needs DeviceAllow=)',
    EROFS: 'it is read-only',
    ENXIO: 'its driver has no such device',
    EBUSY: 'it is in use: it is mounted, part of another device, or claimed by another process',
    EMFILE: 'too many files are open; raise the limit (LimitNOFILE= of a systemd service)',
  },
};

/**
 * Opens a path and takes its lock. A file that is missing is created, a device never.
 * @param others What has been opened already: naming the same thing twice is refused.
 * @throws StorageError.
 */
export async function openMedium(path: string, kind: MediumKind, others: readonly Medium[]): Promise<Medium> {
  const file = await openPath(path, kind);
  try {
    const stat = await file.stat();
    if (kind === 'file' && stat.isBlockDevice()) {
      throw new StorageError(path, 'is a block device; name it in a line that says device, not file');
    }
    if (kind === 'file' ? !stat.isFile() : !stat.isBlockDevice()) {
      const cure =
        kind === 'file'
          ? 'is no ordinary file; name a file'
          : 'is no block device; name it in a line that says file';
      throw new StorageError(path, cure);
    }
    const [dev, ino] = kind === 'file' ? [stat.dev, stat.ino] : (['block', stat.rdev] as const);
    const identity = `${dev}:${ino}`;
    const same = others.find(other => other.identity === identity);
    if (same) throw new StorageError(path, `is the same ${kind} as ${same.path}; name each ${kind} once`);
    const size = kind === 'file' ? stat.size : deviceSize(path, stat.rdev);
    const lock = await lockDevice(path, identity);
    return { path, kind, file, lock, identity, size };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openPath(path: string, kind: MediumKind): Promise<FileHandle> {
  const { O_RDWR, O_CREAT, O_EXCL } = constants;
  const deadline = Date.now() + BUSY_FOR_MS;
  for (;;) {
    try {
      // Without O_CREAT, O_EXCL claims a block device, and means nothing for a file.
      return kind === 'file' ? await open(path, O_RDWR | O_CREAT, 0o600) : await open(path, O_RDWR | O_EXCL);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'EBUSY' || Date.now() >= deadline) {
        const reason = CURES[kind][code ?? ''] ?? message;
        throw new StorageError(path, `cannot be opened: ${reason}`, { cause: error });
      }
      await sleep(BUSY_EVERY_MS);
    }
  }
}

/** @param rdev Its number, as Linux puts major and minor together. */
function deviceSize(path: string, rdev: number): number {
  const number = BigInt(rdev);
  const major = ((number >> 8n) & 0xfffn) | ((number >> 32n) & 0xfffff000n);
  const minor = (number & 0xffn) | ((number >> 12n) & 0xffffff00n);
  try {
    return Number(readFileSync(`/sys/dev/block/${major}:${minor}/size`, 'latin1')) * SYS_SECTOR;
  } catch (error) {
    throw new StorageError(path, `has a size that /sys does not tell: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
