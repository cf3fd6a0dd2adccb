/**
 * The header of a device or data file: whose it is, and where everything lies. Two copies, written in turn, so
 * that an update that is cut off leaves the one before.
 *
 *   0         header copy 0, 16 KiB             256 KiB   partition table copy 0, 64 KiB (16 bytes a partition:
 *   128 KiB   header copy 1                     384 KiB   copy 1                       version, tree id, flags)
 *   1 MiB     extents of the shards             the rest below 1 MiB is zero and kept for later
 *
 * Header copy, little-endian:
 *    0 u32 magic "CTD1"              48 f64 creation time, Unix ms      96 u32 start count of the set
 *    4 u32 format version            56 u32 write block size, bytes    100 u32 state
 *    8 u32 bytes of this copy        60 u32 shard count of the set     104 u8 name size, 63 bytes namespace
 *   12 u32 checksum of what follows  64 f64 bytes of the device used   168 wrapped key, zero
 *   16 f64 copy number (grows)       72 f64 where extents begin        256 extents: u32 shard, u32 0,
 *   24 16 bytes id of the set        80 f64 partition table, copy 0          f64 offset, f64 size
 *   40 u32 device, u32 devices       88 u32 extents here, u32 0       4096 u16[4096] shard of each partition
 *
 * At 168: the wrapped key of an encrypted set (64 bytes, cipher/data-key.ts), zeros otherwise. An encrypted set has
 * format version 2, so that a program that knows no encryption leaves it alone; all else is as in version 1.
 *
 * At 232, zeros where there is no shadow: u32 role, u32 the start that was ended with both in step, f64 how far the
 * device was rebuilt, u32 the number that the two of a pair have in common.
 *
 * The partition table is reserved for the cluster's facts; in this version it is all zeros (tree id 0).
 */
import { Region } from '../../base/arena.js';
import { checksum32 } from '../../base/checksum.js';
import { PARTITION_COUNT } from '../../base/digest.js';
import { WRAPPED_KEY_SIZE } from '../cipher/data-key.js';

export const FORMAT_VERSION = 1;
const ENCRYPTED_FORMAT_VERSION = 2;
export const HEADER_SIZE = 16 * 1024; // bytes of a copy
/** Where the two copies start. */
export const HEADER_AT: readonly [number, number] = [0, 128 * 1024];
export const PARTITION_TABLE_AT = 256 * 1024;

const MAGIC = 0x31445443; // "CTD1"
const CHECKED_FROM = 16;
const WRAPPED_KEY_AT = 168;
const PAIR_AT = 232;
const EXTENTS_AT = 256;
const EXTENT_SIZE = 24;
const SHARD_OF_AT = 4096;
export const NAME_SIZE_MAX = 63; // bytes

/** The set is being initialised: nothing but headers was written yet. */
export const STATE_CREATING = 1;
export const STATE_READY = 2;
/** What the other one of its pair holds is being copied to it; nothing on it counts. */
export const STATE_REBUILDING = 3;

// Roles of a device.
export const ROLE_ALONE = 0;
export const ROLE_PRIMARY = 1;
export const ROLE_SHADOW = 2;

export interface HeaderExtent {
  shard: number;
  offset: number; // bytes
  size: number; // bytes
}

export interface DeviceHeader {
  /** Number of this copy; the higher of two good ones counts. */
  copyNumber: number;
  setId: Uint32Array; // four words
  namespace: string;
  device: number;
  deviceCount: number;
  createdMs: number; // Unix
  writeBlockSize: number; // bytes
  shardCount: number;
  deviceSize: number; // bytes
  dataAt: number; // bytes
  startCount: number;
  state: number;
  /** All zeros: the set is not encrypted. */
  wrappedKey: Uint8Array;
  role: number;
  /** The start count of the last start that ended with primary and shadow in step, 0 = none did. */
  settledStart: number;
  /** While it is being rebuilt: bytes from its start that it holds already. */
  rebuiltTo: number;
  /** Drawn when a shadow is filled; primary and shadow have the same. 0: alone. */
  pairNumber: number;
  extents: HeaderExtent[];
  /** [pid] shard. */
  shardOf: Uint16Array;
}

/** What a header copy's bytes turned out to be, when they are no header. */
export const NOT_A_HEADER = 'none';
export const DAMAGED_HEADER = 'damaged';

/** A header copy of a format this version does not read. */
export interface UnknownFormat {
  formatVersion: number;
}

/** @returns HEADER_SIZE bytes. */
export function encodeHeader(header: DeviceHeader): Uint8Array {
  const region = new Region(HEADER_SIZE);
  const { u8 } = region;
  const view = new DataView(region.shared);
  view.setUint32(0, MAGIC, true);
  const isEncrypted = header.wrappedKey.some(byte => byte !== 0);
  view.setUint32(4, isEncrypted ? ENCRYPTED_FORMAT_VERSION : FORMAT_VERSION, true);
  view.setUint32(8, HEADER_SIZE, true);
  view.setFloat64(16, header.copyNumber, true);
  for (let i = 0; i < 4; i++) view.setUint32(24 + i * 4, header.setId[i]!, true);
  view.setUint32(40, header.device, true);
  view.setUint32(44, header.deviceCount, true);
  view.setFloat64(48, header.createdMs, true);
  view.setUint32(56, header.writeBlockSize, true);
  view.setUint32(60, header.shardCount, true);
  view.setFloat64(64, header.deviceSize, true);
  view.setFloat64(72, header.dataAt, true);
  view.setFloat64(80, PARTITION_TABLE_AT, true);
  view.setUint32(88, header.extents.length, true);
  view.setUint32(96, header.startCount, true);
  view.setUint32(100, header.state, true);
  const name = Buffer.from(header.namespace, 'utf8');
  u8[104] = name.length;
  u8.set(name, 105);
  u8.set(header.wrappedKey, WRAPPED_KEY_AT);
  view.setUint32(PAIR_AT, header.role, true);
  view.setUint32(PAIR_AT + 4, header.settledStart, true);
  view.setFloat64(PAIR_AT + 8, header.rebuiltTo, true);
  view.setUint32(PAIR_AT + 16, header.pairNumber, true);
  header.extents.forEach((extent, i) => {
    const at = EXTENTS_AT + i * EXTENT_SIZE;
    view.setUint32(at, extent.shard, true);
    view.setFloat64(at + 8, extent.offset, true);
    view.setFloat64(at + 16, extent.size, true);
  });
  header.shardOf.forEach((shard, pid) => {
    view.setUint16(SHARD_OF_AT + pid * 2, shard, true);
  });
  view.setUint32(12, checksum32(region.i32, CHECKED_FROM, HEADER_SIZE - CHECKED_FROM), true);
  return u8;
}

/** Reads one copy. @param bytes HEADER_SIZE bytes. */
export function decodeHeader(
  bytes: Uint8Array,
): DeviceHeader | UnknownFormat | typeof NOT_A_HEADER | typeof DAMAGED_HEADER {
  const region = new Region(HEADER_SIZE);
  region.u8.set(bytes);
  const view = new DataView(region.shared);
  if (view.getUint32(0, true) !== MAGIC) return NOT_A_HEADER;
  const formatVersion = view.getUint32(4, true);
  if (formatVersion !== FORMAT_VERSION && formatVersion !== ENCRYPTED_FORMAT_VERSION)
    return { formatVersion };
  const sum = checksum32(region.i32, CHECKED_FROM, HEADER_SIZE - CHECKED_FROM);
  if (view.getUint32(8, true) !== HEADER_SIZE || view.getUint32(12, true) !== sum) return DAMAGED_HEADER;
  const extents: HeaderExtent[] = [];
  for (let i = 0; i < view.getUint32(88, true); i++) {
    const at = EXTENTS_AT + i * EXTENT_SIZE;
    extents.push({
      shard: view.getUint32(at, true),
      offset: view.getFloat64(at + 8, true),
      size: view.getFloat64(at + 16, true),
    });
  }
  const nameSize = region.u8[104]!;
  return {
    copyNumber: view.getFloat64(16, true),
    setId: Uint32Array.from({ length: 4 }, (_, i) => view.getUint32(24 + i * 4, true)),
    namespace: Buffer.from(region.u8.slice(105, 105 + nameSize)).toString('utf8'),
    device: view.getUint32(40, true),
    deviceCount: view.getUint32(44, true),
    createdMs: view.getFloat64(48, true),
    writeBlockSize: view.getUint32(56, true),
    shardCount: view.getUint32(60, true),
    deviceSize: view.getFloat64(64, true),
    dataAt: view.getFloat64(72, true),
    startCount: view.getUint32(96, true),
    state: view.getUint32(100, true),
    wrappedKey: region.u8.slice(WRAPPED_KEY_AT, WRAPPED_KEY_AT + WRAPPED_KEY_SIZE),
    role: view.getUint32(PAIR_AT, true),
    settledStart: view.getUint32(PAIR_AT + 4, true),
    rebuiltTo: view.getFloat64(PAIR_AT + 8, true),
    pairNumber: view.getUint32(PAIR_AT + 16, true),
    extents,
    shardOf: Uint16Array.from({ length: PARTITION_COUNT }, (_, pid) =>
      view.getUint16(SHARD_OF_AT + pid * 2, true),
    ),
  };
}
