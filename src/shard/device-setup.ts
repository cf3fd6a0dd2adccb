/** Device namespaces on the main thread: their data files, and the I/O threads that workers share. */
import path from 'node:path';
import type { SharedBytes } from '../base/arena.js';
import type { NamespaceConfig } from '../config/namespace-config.js';
import type { Settings } from '../config/settings.js';
import type { LogContext } from '../observe/log.js';
import type { EncryptionSettings } from '../storage/cipher/set-encryption.js';
import { type OpenDeviceSet, openDeviceSet } from '../storage/device/device-set.js';
import { IO_SIZE_MAX } from '../storage/io/io-backend.js';
import { createNodeIoMemory, type NodeIoMemory } from '../storage/io/node-io-memory.js';
import { postWriteCacheOf } from './namespace-setup.js';

/** Helper threads of a worker without io_uring: one writes and flushes, the others read. */
const LANE_COUNT = 2;
/** Room for reads of one worker, beside the write blocks. */
export const READ_BUFFERS_SIZE = 64 * 1024 * 1024; // bytes
/** Blocks of an encrypted shard that may be in memory a second time, encrypted, while they are written. */
export const STAGED_BLOCKS = 3;
/** Pieces of the one checkpoint that a worker writes at a time. */
const CHECKPOINT_BUFFERS_SIZE = 4 * 1024 * 1024;
/** Checkpoints of raw devices, in the work directory. */
const CHECKPOINT_DIRECTORY = 'checkpoint';
const RECORD_SIZE_CAP = 8 * 1024 * 1024;
const MIB = 1024 * 1024;
/** A byte array spans no more than this; caches that would need more are smaller. */
const REGION_SIZE_MAX = 4096 * MIB - IO_SIZE_MAX;

/**
 * Opens, or creates, the data files of a namespace.
 * @param workDirectory Of the server.
 * @param onProgress    Told of a device that is rebuilt from its shadow, or the other way round.
 * @throws StorageError.
 */
export function openNamespaceDevices(
  config: NamespaceConfig,
  workDirectory: string,
  onProgress: (status: string) => void,
  log: LogContext,
): Promise<OpenDeviceSet> {
  const { storage } = config;
  const raw = storage.list('device');
  const lines = raw.length > 0 ? raw : storage.list('file');
  // Devices are used past the system's cache always, but for reads that are to be kept there.
  const isCached = config.engine === 'device' && storage.boolean('read-page-cache');
  const isDirect = !isCached && (raw.length > 0 || storage.boolean('direct-files'));
  return openDeviceSet({
    namespace: config.name,
    files: lines.map(line => line.split(' ')[0]!),
    shadows: lines.map(line => line.split(' ')[1] ?? ''),
    onProgress,
    kind: raw.length > 0 ? 'device' : 'file',
    filesize: config.storage.number('filesize'),
    recordSizeMax: config.settings.number('max-record-size') || RECORD_SIZE_CAP,
    isDirect,
    encryption: encryptionOf(storage),
    checkpointDirectory: path.join(workDirectory, CHECKPOINT_DIRECTORY),
    startsEmpty: config.engine === 'device' && storage.boolean('cold-start-empty'),
    log,
  });
}

/** What a storage-engine context says of encryption; null: nothing. */
function encryptionOf(storage: Settings): EncryptionSettings | null {
  const keyFile = storage.string('encryption-key-file');
  if (keyFile === '') return null;
  return {
    algorithm: storage.string('encryption') === 'aes-256' ? 'aes-256' : 'aes-128',
    keyFile,
    oldKeyFile: storage.string('encryption-old-key-file') || storage.string('old-encryption-key-file'),
  };
}

/**
 * Memory for the device I/O of one worker: enough for the blocks that its shards may hold. Address space, not
 * memory, until it is used.
 */
export function createWorkerIo(
  namespaces: readonly { config: NamespaceConfig; devices: OpenDeviceSet }[],
  workerCount: number,
  workerSleeper: SharedBytes,
  hasRing: boolean,
): NodeIoMemory {
  let size = READ_BUFFERS_SIZE + CHECKPOINT_BUFFERS_SIZE;
  for (const { config, devices } of namespaces) {
    const { shardCount, writeBlockSize } = devices.set;
    const shards = Math.ceil(shardCount / workerCount);
    const caches = config.storage.number('max-write-cache') + postWriteCacheOf(config);
    // Each shard has open blocks and defrag's, and rounds its share of the caches up to whole blocks.
    const blocks = 9 + (devices.set.dataKey === null ? 0 : STAGED_BLOCKS);
    size += shards * (caches / shardCount + blocks * writeBlockSize);
  }
  const rounded = Math.ceil(Math.max(size, 128 * MIB) / IO_SIZE_MAX) * IO_SIZE_MAX;
  return createNodeIoMemory(Math.min(rounded, REGION_SIZE_MAX), hasRing ? 0 : LANE_COUNT, workerSleeper);
}
