/**
 * The devices (data files) of a namespace: opened, locked, initialised when new, refused when they are not what the
 * configuration says. It runs on the main thread at start. The outcome is plain data that workers get by
 * structured clone; each worker opens the files for itself, since the kernel reports a lost write once to
 * each open file, and every worker must hear of it.
 *
 * Nothing that might be somebody's data is ever overwritten: only a file that is new, empty or all zeros is
 * initialised. First every device gets its header in state CREATING, then every one is READY; a start that
 * finds nothing but CREATING and blank devices begins again.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import {
  createCheckpointFiles,
  deviceCheckpointBase,
  removeOtherCheckpoints,
} from '../checkpoint/checkpoint-names.js';
import { type DataKey, newDataKey, WRAPPED_KEY_SIZE, wrapKey, wrappingKeyOf } from '../cipher/data-key.js';
import { type EncryptionSettings, openDataKey } from '../cipher/set-encryption.js';
import type { BlockOwner } from '../write-block/block-format.js';
import type { ExtentDescription } from '../write-block/shard-extent.js';
import { accessTo, type DeviceAccess } from './device-access.js';
import * as H from './device-header.js';
import { describeContents, isBlank } from './foreign-contents.js';
import { type Medium, type MediumKind, openMedium } from './medium.js';
import { preallocate } from './preallocate.js';
import * as L from './shard-layout.js';
import { StorageError, type StorageLog } from './storage-error.js';

export interface DeviceSetOptions {
  namespace: string;
  /** Paths of data files or raw devices, in the order of the configuration. */
  files: readonly string[];
  /** What the paths are; files when left out. */
  kind?: MediumKind;
  /** Bytes of each file; devices are used whole. */
  filesize: number;
  /** The largest record that will be written, bytes; decides the write block size of a new set. */
  recordSizeMax: number;
  /** Workers read and write past the operating system's cache, where the file system lets them. */
  isDirect?: boolean;
  /** Left out: the set is not encrypted, and must not be. */
  encryption?: EncryptionSettings | null;
  /** A start forgets what is on the devices. */
  startsEmpty?: boolean;
  /** Where raw devices have their checkpoints; left out: nowhere, and their starts are cold. */
  checkpointDirectory?: string;
  log: StorageLog;
}

/** What workers and metrics need to know; plain data. */
export interface DeviceSet {
  namespace: string;
  /** Four words. */
  setId: Uint32Array;
  writeBlockSize: number; // bytes
  shardCount: number;
  /** [pid] shard. */
  shardOf: Uint16Array;
  /** [device] */
  devices: { path: string; kind: MediumKind; size: number }[];
  /** [shard] where it lies; what DeviceEngine takes. */
  extents: (ExtentDescription & { device: number })[];
  /** What blocks are encrypted with; null: with nothing. */
  dataKey: DataKey | null;
  isNew: boolean;
  /** Workers are to forget what is on the devices. */
  startsEmpty: boolean;
}

/** The open set: keep it as long as any worker uses the files. */
export interface OpenDeviceSet {
  readonly set: DeviceSet;
  /** Gives the locks back. */
  close(): Promise<void>;
}

/** One device while the set is being opened. */
interface Opening extends Medium {
  /** Null: blank. */
  header: H.DeviceHeader | null;
}

/**
 * Opens the data files of a namespace and takes their locks.
 * @throws StorageError naming the file, what is wrong and the cure. Locks are given back then.
 */
export async function openDeviceSet(options: DeviceSetOptions): Promise<OpenDeviceSet> {
  const { files } = options;
  if (files.length === 0 || files.length > L.DEVICE_COUNT_MAX) {
    throw new StorageError(
      options.namespace,
      `has ${files.length} files; 1 to ${L.DEVICE_COUNT_MAX} are possible`,
    );
  }
  if (Buffer.byteLength(options.namespace) > H.NAME_SIZE_MAX) {
    throw new StorageError(options.namespace, `a namespace's name has at most ${H.NAME_SIZE_MAX} bytes`);
  }
  const opening: Opening[] = [];
  const close = async (): Promise<void> => {
    for (const { file } of opening) await file.close();
    for (const { lock } of opening) await lock.release();
  };
  try {
    for (const path of files) opening.push(await openOne(path, options.kind ?? 'file', opening));
    const isNew = opening.every(({ header }) => header === null || header.state === H.STATE_CREATING);
    const headers = isNew ? await create(options, opening) : check(options, opening);
    const startCount = Math.max(...headers.map(header => header.startCount)) + 1;
    const wrapped = headers.map(header => header.wrappedKey);
    const held = headers.map((header, device) => ({ path: opening[device]!.path, header }));
    const dataKey = openDataKey(options.encryption ?? null, held, options.log);
    for (const [device, header] of headers.entries()) {
      header.startCount = startCount;
      header.state = H.STATE_READY;
      await writeHeader(opening[device]!, header);
      // The older copy goes as well when it could be opened by a key that was replaced.
      if (header.wrappedKey !== wrapped[device]) await writeHeader(opening[device]!, header);
    }
    const access = opening.map(device => accessTo(device.path, options.isDirect === true, options.log));
    const set = describe(opening, headers, access, dataKey, isNew);
    await giveCheckpoints(options, set);
    return { set: { ...set, startsEmpty: options.startsEmpty === true }, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Names the checkpoint files of all shards, which are there then. */
async function giveCheckpoints(
  { kind, checkpointDirectory, log }: DeviceSetOptions,
  { namespace, setId, devices, extents, isNew }: Omit<DeviceSet, 'startsEmpty'>,
): Promise<void> {
  if (kind === 'device') {
    if (checkpointDirectory === undefined) return;
    if (isNew) await removeOtherCheckpoints(checkpointDirectory, namespace, setId);
  }
  for (const [device, { path }] of devices.entries()) {
    const base =
      kind === 'device' ? deviceCheckpointBase(checkpointDirectory!, namespace, setId, device) : path;
    const here = extents.filter(extent => extent.device === device);
    const shards = here.map(({ owner }) => owner.shard);
    const { names, wereMissing } = await createCheckpointFiles(path, base, shards, log);
    for (const [place, extent] of here.entries()) {
      extent.checkpoints = names[place]!;
      extent.mayHaveOtherCheckpoints = wereMissing;
    }
  }
}

async function openOne(path: string, kind: MediumKind, others: readonly Opening[]): Promise<Opening> {
  const medium = await openMedium(path, kind, others);
  try {
    return { ...medium, header: await readHeader(medium) };
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

async function create(options: DeviceSetOptions, opening: readonly Opening[]): Promise<H.DeviceHeader[]> {
  const { namespace, filesize, log } = options;
  const writeBlockSize = L.writeBlockSizeFor(options.recordSizeMax);
  const sizes = opening.map(({ kind, size }) => (kind === 'file' ? filesize : size));
  const layout = L.layShards(sizes, writeBlockSize);
  if (layout === null) {
    const least = L.deviceSizeMin(opening.length, writeBlockSize);
    const smallest = opening[sizes.indexOf(Math.min(...sizes))]!;
    const what = smallest.kind === 'file' ? `a filesize of ${filesize}` : `its size of ${smallest.size}`;
    throw new StorageError(smallest.path, `${what} bytes is too small; ${least} is the least`);
  }
  for (const { path, header } of opening) {
    if (header !== null && header.namespace !== namespace) throw foreign(path, header.namespace, namespace);
  }
  const setId = new Uint32Array(Uint8Array.from(randomBytes(16)).buffer);
  const wrappedKey = wrappedKeyOf(options, setId);
  const headers: H.DeviceHeader[] = [];
  /** Files with the size that they had, in case there is no room for all. */
  const given: { file: FileHandle; size: number }[] = [];
  for (const [device, one] of opening.entries()) {
    log.info(`${one.path}: preparing ${sizes[device]} bytes for namespace ${namespace}`);
    if (one.kind === 'file') {
      await preallocate(one.path, one.file, filesize).catch(async error => {
        for (const { file, size } of given) await file.truncate(size);
        throw error;
      });
      given.push({ file: one.file, size: one.size });
      await syncDirectory(path.dirname(one.path));
      one.size = (await one.file.stat()).size;
    }
    headers.push({
      copyNumber: 0,
      setId,
      namespace,
      device,
      deviceCount: opening.length,
      createdMs: Date.now(),
      writeBlockSize,
      shardCount: layout.places.length,
      deviceSize: sizes[device]!,
      dataAt: L.DEVICE_DATA_AT,
      startCount: 0,
      state: H.STATE_CREATING,
      wrappedKey,
      extents: layout.places.flatMap(({ device: on, offset, size }, shard) =>
        on === device ? [{ shard, offset, size }] : [],
      ),
      shardOf: layout.shardOf,
    });
  }
  for (const [device, header] of headers.entries()) await writeHeader(opening[device]!, header);
  return headers;
}

/** A new set's data key, as its headers hold it. */
function wrappedKeyOf({ encryption }: DeviceSetOptions, setId: Uint32Array): Uint8Array {
  if (!encryption) return new Uint8Array(WRAPPED_KEY_SIZE);
  return wrapKey(newDataKey(encryption.algorithm), wrappingKeyOf(encryption.keyFile, setId), setId);
}

/** A new file's name must be as durable as its contents. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY);
  await handle.sync().finally(() => handle.close());
}

/** Refuses devices that are not exactly the set that was created, in its order. */
function check(options: DeviceSetOptions, opening: readonly Opening[]): H.DeviceHeader[] {
  const { namespace, filesize, log } = options;
  return opening.map(({ path, header, size, kind }, device) => {
    if (header === null) {
      throw new StorageError(
        path,
        `is blank, while other ${kind}s of namespace ${namespace} hold data; restore it, or ${kind === 'file' ? 'remove' : 'wipe'} all ${kind}s to start empty`,
      );
    }
    const first = opening.find(other => other.header !== null)!.header!;
    if (header.namespace !== namespace) throw foreign(path, header.namespace, namespace);
    if (header.setId.some((word, i) => word !== first.setId[i])) {
      throw new StorageError(
        path,
        `was created apart from the other ${kind}s of namespace ${namespace}; name the ${kind}s that belong together`,
      );
    }
    if (header.deviceCount !== opening.length) {
      throw new StorageError(
        path,
        `was created as one of ${header.deviceCount} ${kind}s, ${opening.length} are configured; name all of them and no others`,
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
    return header;
  });
}

function foreign(path: string, owner: string, namespace: string): StorageError {
  return new StorageError(path, `belongs to namespace ${owner}, not to ${namespace}; name another file`);
}

/** Writes the next copy of a device's header over the older of the two, durably; the first time both. */
async function writeHeader(device: Opening, header: H.DeviceHeader): Promise<void> {
  const copies = header.copyNumber === 0 ? 2 : 1;
  for (let i = 0; i < copies; i++) {
    header.copyNumber++;
    const bytes = H.encodeHeader(header);
    await device.file.write(bytes, 0, bytes.length, H.HEADER_AT[header.copyNumber % 2]);
    await device.file.sync();
  }
  device.header = header;
}

function describe(
  opening: readonly Opening[],
  headers: readonly H.DeviceHeader[],
  access: readonly DeviceAccess[],
  dataKey: DataKey | null,
  isNew: boolean,
): Omit<DeviceSet, 'startsEmpty'> {
  const first = headers[0]!;
  const { namespace, setId, writeBlockSize, shardCount, shardOf, startCount } = first;
  const extents: DeviceSet['extents'] = [];
  for (const header of headers) {
    for (const { shard, offset, size } of header.extents) {
      const owner: BlockOwner = { setId, shard, writeBlockSize, startCount };
      const { device } = header;
      const { path } = opening[device]!;
      extents[shard] = { path, offset, size, owner, device, dataKey, ...access[device]! };
    }
  }
  const devices = headers.map(({ device, deviceSize }) => ({
    path: opening[device]!.path,
    kind: opening[device]!.kind,
    size: deviceSize,
  }));
  return { namespace, setId, writeBlockSize, shardCount, shardOf, devices, extents, dataKey, isNew };
}
