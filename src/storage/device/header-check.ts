/** Whether devices are those that the configuration means: a set that was created together, in its order. */
import type { DeviceHeader } from './device-header.js';
import type { Opening } from './opening.js';
import { StorageError, type StorageLog } from './storage-error.js';

export interface ExpectedSet {
  readonly namespace: string;
  readonly filesize: number; // bytes
  readonly recordSizeMax: number; // bytes
  readonly log: StorageLog;
}

/**
 * Refuses a device that is not number `device` of `deviceCount` of the set that `first` belongs to, or its shadow.
 * @throws StorageError.
 */
export function checkDevice(
  options: ExpectedSet,
  { path, header, size, kind }: Opening,
  first: DeviceHeader,
  device: number,
  deviceCount: number,
): void {
  const { namespace, filesize, log } = options;
  if (header === null) throw blank(path, kind, namespace);
  if (header.namespace !== namespace) throw foreign(path, header.namespace, namespace);
  if (header.setId.some((word, i) => word !== first.setId[i])) {
    throw new StorageError(
      path,
      `was created apart from the other ${kind}s of namespace ${namespace}; name the ${kind}s that belong together`,
    );
  }
  if (header.deviceCount !== deviceCount) {
    throw new StorageError(
      path,
      `was created as one of ${header.deviceCount} ${kind}s, ${deviceCount} are configured; name all of them and no others`,
    );
  }
  if (header.device !== device) {
    throw new StorageError(
      path,
      `is ${kind} ${header.device + 1} of its namespace, but is named as ${kind} ${device + 1}; name the ${kind}s in their order`,
    );
  }
  if (size < header.deviceSize) {
    throw new StorageError(
      path,
      `has ${size} bytes, but was created with ${header.deviceSize}: its end is missing; restore it`,
    );
  }
  if (kind === 'device') {
    if (size > header.deviceSize)
      log.warning(`${path}: has ${size} bytes, but was created with ${header.deviceSize} and keeps that`);
  } else if (filesize < header.deviceSize) {
    throw new StorageError(
      path,
      `was created with filesize ${header.deviceSize}, ${filesize} is configured; it cannot shrink, configure at least what it has`,
    );
  } else if (filesize > header.deviceSize) {
    log.warning(
      `${path}: was created with filesize ${header.deviceSize} and keeps it; ${filesize} is configured`,
    );
  }
  if (options.recordSizeMax > header.writeBlockSize - 4096) {
    throw new StorageError(
      path,
      `was created for records of up to ${header.writeBlockSize - 4096} bytes, max-record-size is ${options.recordSizeMax}; lower that, or move the data to new files`,
    );
  }
}

function blank(path: string, kind: string, namespace: string): StorageError {
  const remove = kind === 'file' ? 'remove' : 'wipe';
  return new StorageError(
    path,
    `is blank, while other ${kind}s of namespace ${namespace} hold data; restore it, or ${remove} all ${kind}s to start empty`,
  );
}

export function foreign(path: string, owner: string, namespace: string): StorageError {
  return new StorageError(path, `belongs to namespace ${owner}, not to ${namespace}; name another file`);
}
