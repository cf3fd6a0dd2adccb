/**
 * The devices (data files) of a namespace: opened, locked, initialised when new, refused when they are not what the
 * configuration says. It runs on the main thread at start. The outcome is plain data that workers get by
 * structured clone; each worker opens the files for itself, since the kernel reports a lost write once to
 * each open file, and every worker must hear of it.
 *
 * Nothing that might be somebody's data is ever overwritten: only a file that is new, empty or all zeros is
 * initialised; a device and its shadow may be rebuilt from each other (shadow-pair.ts). First every device gets its header in state CREATING, then every one is READY; a start that
 * finds nothing but CREATING and blank devices begins again.
 */
import { randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import {
  createCheckpointFiles,
  deviceCheckpointBase,
  removeCheckpoints,
  removeOtherCheckpoints,
} from '../checkpoint/checkpoint-names.js';
import { type DataKey, newDataKey, WRAPPED_KEY_SIZE, wrapKey, wrappingKeyOf } from '../cipher/data-key.js';
import { type EncryptionSettings, openDataKey } from '../cipher/set-encryption.js';
import type { BlockOwner } from '../write-block/block-format.js';
import type { ExtentDescription, ShadowDescription } from '../write-block/shard-extent.js';
import { accessTo, type DeviceAccess } from './device-access.js';
import * as H from './device-header.js';
import { checkDevice, foreign } from './header-check.js';
import type { MediumKind } from './medium.js';
import { type Opening, openOne, withShadows, writeHeader } from './opening.js';
import { preallocate } from './preallocate.js';
import { syncDirectory } from './rebuild.js';
import { checkRoles, isWhole, joinPair, newPairNumber } from './shadow-pair.js';
import * as L from './shard-layout.js';
import { StorageError, type StorageLog } from './storage-error.js';

export interface DeviceSetOptions {
  namespace: string;
  /** Paths of data files or raw devices, in the order of the configuration. */
  files: readonly string[];
  /** By file, the path of its shadow; '' or left out: it has none. */
  shadows?: readonly string[];
  /** Told how far the start is, when it takes long. */
  onProgress?: (status: string) => void;
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
  devices: { path: string; shadowPath: string; kind: MediumKind; size: number }[];
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
  /** Gives the locks back. @param isSettled All that was written is durable, and nothing is under way. */
  close(isSettled?: boolean): Promise<void>;
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
  const close = async (isSettled = false): Promise<void> => {
    if (isSettled) await noteSettled(opening);
    const all = withShadows(opening);
    for (const { file } of all) await file.close();
    for (const { lock } of all) await lock.release();
  };
  try {
    for (const [device, path] of files.entries()) {
      const primary = await openOne(path, options.kind ?? 'file', withShadows(opening));
      opening.push(primary);
      const shadow = options.shadows?.[device] ?? '';
      if (shadow === '') continue;
      primary.shadow = await openOne(shadow, primary.kind, withShadows(opening));
    }
    for (const device of opening) checkRoles(device);
    const isNew = withShadows(opening).every(
      ({ header }) => header === null || header.state === H.STATE_CREATING,
    );
    const rebuilt = isNew ? [] : await join(options, opening);
    const headers = isNew ? await create(options, opening) : opening.map(({ header }) => header!);
    const dataKey = await writeStart(options, opening);
    const access = opening.map(device => accessTo(device.path, options.isDirect === true, options.log));
    const shadows = opening.map(({ shadow, isInStep }) => {
      if (shadow === null) return null;
      const { isDirect } = accessTo(shadow.path, options.isDirect === true, options.log);
      return { path: shadow.path, isDirect, isInStep: isInStep || isNew };
    });
    const set = describe(opening, headers, access, shadows, dataKey, isNew);
    await giveCheckpoints(options, set, rebuilt);
    return { set: { ...set, startsEmpty: options.startsEmpty === true }, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Refuses devices that are not exactly the set that was created, in its order, and rebuilds the one of a pair from the
 * other where that is needed.
 * @returns Numbers of the devices whose primary was rebuilt.
 */
async function join(options: DeviceSetOptions, opening: readonly Opening[]): Promise<number[]> {
  const { log, filesize, onProgress = () => {} } = options;
  const first = withShadows(opening).find(({ header }) => header !== null)!.header!;
  for (const [device, primary] of opening.entries()) {
    const { shadow } = primary;
    const isPrimaryHere = primary.header !== null || shadow === null || !isWhole(shadow);
    if (isPrimaryHere) checkDevice(options, primary, first, device, opening.length);
    if (shadow !== null && shadow.header !== null) {
      checkDevice(options, shadow, first, device, opening.length);
    }
    if (shadow === null && !isWhole(primary)) {
      throw new StorageError(
        primary.path,
        'was being rebuilt from its shadow and is not complete; name the shadow second on its line',
      );
    }
  }
  const rebuilt: number[] = [];
  for (const [device, primary] of opening.entries()) {
    if (primary.shadow !== null) {
      if (await joinPair(primary, filesize, log, onProgress)) rebuilt.push(device);
    } else if (primary.header!.role === H.ROLE_PRIMARY) {
      log.warning(`${primary.path}: had a shadow and has none now`);
      primary.header!.role = H.ROLE_ALONE;
    }
  }
  return rebuilt;
}

/** Opens the data key and writes the headers of this start, those of the primaries first. */
async function writeStart(options: DeviceSetOptions, opening: readonly Opening[]): Promise<DataKey | null> {
  const shadows = opening.flatMap(({ shadow }) => (shadow === null ? [] : [shadow]));
  const all = [...opening, ...shadows];
  const headers = all.map(({ header }) => header!);
  const startCount = Math.max(...headers.map(header => header.startCount)) + 1;
  const wrapped = headers.map(header => header.wrappedKey);
  const held = headers.map((header, place) => ({ path: all[place]!.path, header }));
  const dataKey = openDataKey(options.encryption ?? null, held, options.log);
  for (const [place, header] of headers.entries()) {
    header.startCount = startCount;
    header.state = H.STATE_READY;
    await writeHeader(all[place]!, header);
    // The older copy goes as well when it could be opened by a key that was replaced.
    if (header.wrappedKey !== wrapped[place]) await writeHeader(all[place]!, header);
  }
  return dataKey;
}

/** Pairs have nothing under way: the next start has nothing to compare. */
async function noteSettled(opening: readonly Opening[]): Promise<void> {
  for (const device of withShadows(opening.filter(({ shadow }) => shadow !== null))) {
    const header = device.header!;
    header.settledStart = header.startCount;
    await writeHeader(device, header);
  }
}

/** Names the checkpoint files of all shards, which are there then. */
async function giveCheckpoints(
  { kind, checkpointDirectory, log }: DeviceSetOptions,
  { namespace, setId, devices, extents, isNew }: Omit<DeviceSet, 'startsEmpty'>,
  rebuilt: readonly number[],
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
    // The shadow may be an older copy of itself, which a checkpoint cannot tell for sure.
    if (rebuilt.includes(device)) await removeCheckpoints(base, shards);
    const { names, wereMissing } = await createCheckpointFiles(path, base, shards, log);
    for (const [place, extent] of here.entries()) {
      extent.checkpoints = names[place]!;
      extent.mayHaveOtherCheckpoints = wereMissing;
    }
  }
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
  for (const { path, header, shadow } of opening) {
    if (header !== null && header.namespace !== namespace) throw foreign(path, header.namespace, namespace);
    if (shadow?.header && shadow.header.namespace !== namespace) {
      throw foreign(shadow.path, shadow.header.namespace, namespace);
    }
  }
  for (const [device, { shadow }] of opening.entries()) {
    if (shadow === null || shadow.kind === 'file' || shadow.size >= sizes[device]!) continue;
    throw new StorageError(
      shadow.path,
      `has ${shadow.size} bytes, its primary has ${sizes[device]}; name one that is as large`,
    );
  }
  const setId = new Uint32Array(Uint8Array.from(randomBytes(16)).buffer);
  const wrappedKey = wrappedKeyOf(options, setId);
  const headers: H.DeviceHeader[] = [];
  /** Files with the size that they had, in case there is no room for all. */
  const given: { file: FileHandle; size: number }[] = [];
  for (const [device, one] of opening.entries()) {
    for (const medium of withShadows([one])) {
      log.info(`${medium.path}: preparing ${sizes[device]} bytes for namespace ${namespace}`);
      if (medium.kind !== 'file') continue;
      await preallocate(medium.path, medium.file, filesize).catch(async error => {
        for (const { file, size } of given) await file.truncate(size);
        throw error;
      });
      given.push({ file: medium.file, size: medium.size });
      await syncDirectory(path.dirname(medium.path));
      medium.size = (await medium.file.stat()).size;
    }
    const role = one.shadow === null ? H.ROLE_ALONE : H.ROLE_PRIMARY;
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
      role,
      settledStart: 0,
      rebuiltTo: 0,
      pairNumber: one.shadow === null ? 0 : newPairNumber(),
      extents: layout.places.flatMap(({ device: on, offset, size }, shard) =>
        on === device ? [{ shard, offset, size }] : [],
      ),
      shardOf: layout.shardOf,
    });
  }
  for (const [device, header] of headers.entries()) {
    const { shadow } = opening[device]!;
    if (shadow !== null) await writeHeader(shadow, { ...header, role: H.ROLE_SHADOW });
    await writeHeader(opening[device]!, header);
  }
  return headers;
}

/** A new set's data key, as its headers hold it. */
function wrappedKeyOf({ encryption }: DeviceSetOptions, setId: Uint32Array): Uint8Array {
  if (!encryption) return new Uint8Array(WRAPPED_KEY_SIZE);
  return wrapKey(newDataKey(encryption.algorithm), wrappingKeyOf(encryption.keyFile, setId), setId);
}

function describe(
  opening: readonly Opening[],
  headers: readonly H.DeviceHeader[],
  access: readonly DeviceAccess[],
  shadows: readonly (ShadowDescription | null)[],
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
      extents[shard] = {
        path,
        offset,
        size,
        owner,
        device,
        dataKey,
        ...access[device]!,
        shadow: shadows[device]!,
      };
    }
  }
  const devices = headers.map(({ device, deviceSize }) => ({
    path: opening[device]!.path,
    shadowPath: shadows[device]?.path ?? '',
    kind: opening[device]!.kind,
    size: deviceSize,
  }));
  return { namespace, setId, writeBlockSize, shardCount, shardOf, devices, extents, dataKey, isNew };
}
