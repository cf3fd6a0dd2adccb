/** A device while its set is being opened: the medium, and the header that lies on it. */
import * as H from './device-header.js';
import { describeContents, isBlank } from './foreign-contents.js';
import { type Medium, type MediumKind, openMedium } from './medium.js';
import { StorageError } from './storage-error.js';

export interface Opening extends Medium {
  /** Null: blank. */
  header: H.DeviceHeader | null;
  /** The device that gets the same writes. */
  shadow: Opening | null;
  /** The two hold the same. */
  isInStep: boolean;
}

/** All devices and their shadows. */
export function withShadows(opening: readonly Opening[]): Opening[] {
  return opening.flatMap(device => (device.shadow === null ? [device] : [device, device.shadow]));
}

/** Opens a path, takes its lock and reads its header. @param others What is open already. @throws StorageError. */
export async function openOne(path: string, kind: MediumKind, others: readonly Medium[]): Promise<Opening> {
  const medium = await openMedium(path, kind, others);
  try {
    return { ...medium, header: await readHeader(medium), shadow: null, isInStep: false };
  } catch (error) {
    await medium.file.close();
    await medium.lock.release();
    throw error;
  }
}

/** The newer good copy of the header; null for a blank file. */
async function readHeader({ path, file, size, kind }: Medium): Promise<H.DeviceHeader | null> {
  let best: H.DeviceHeader | null = null;
  let isDamaged = false;
  for (const at of H.HEADER_AT) {
    const bytes = new Uint8Array(H.HEADER_SIZE);
    const { bytesRead } = await file.read(bytes, 0, H.HEADER_SIZE, at);
    const copy = bytesRead === H.HEADER_SIZE ? H.decodeHeader(bytes) : H.NOT_A_HEADER;
    if (copy === H.NOT_A_HEADER) continue;
    if (copy === H.DAMAGED_HEADER) isDamaged = true;
    else if ('formatVersion' in copy) {
      throw new StorageError(
        path,
        `has format version ${copy.formatVersion}, this program reads ${H.FORMAT_VERSION}; use the version that wrote it`,
      );
    } else if (best === null || copy.copyNumber > best.copyNumber) best = copy;
  }
  if (best !== null) return best;
  if (isDamaged)
    throw new StorageError(path, 'both copies of its header are damaged; restore it or remove it');
  if (await isBlank(file, size)) return null;
  const cure =
    kind === 'file' ? 'move it away' : 'wipe all of it (blkdiscard --zeroout), if nobody needs that,';
  throw new StorageError(
    path,
    `holds ${await describeContents(file)}, but no Caltrop data; ${cure} or name another ${kind}`,
  );
}

/** Writes the next copy of a device's header over the older of the two, durably; the first time both. */
export async function writeHeader(device: Opening, header: H.DeviceHeader): Promise<void> {
  const copies = header.copyNumber === 0 ? 2 : 1;
  for (let i = 0; i < copies; i++) {
    header.copyNumber++;
    const bytes = H.encodeHeader(header);
    await device.file.write(bytes, 0, bytes.length, H.HEADER_AT[header.copyNumber % 2]);
    await device.file.sync();
  }
  device.header = header;
}
