/**
 * How a new namespace is laid over its devices: how many shards, which device each lies on, and which partitions
 * it gets. Decided once, when the devices are initialised, and read from their headers ever after.
 */
import { PARTITION_COUNT } from '../../base/digest.js';

/** Bytes at the start of a device that belong to its header, partition table and things to come. */
export const DEVICE_DATA_AT = 1024 * 1024;
export const SHARD_COUNT_DEFAULT = 16;
export const DEVICE_COUNT_MAX = 128;
/**
 * A shard has at least this many write blocks, or there are fewer shards: it always has some open and some free, and
 * the larger a share that is, the fuller are the blocks that defrag has to empty.
 */
const BLOCKS_WANTED = 60;
/** So many shards are made of fewer blocks too, for the sake of as many workers, but not of fewer than this. */
const SHARD_COUNT_KEPT = 4;
const BLOCKS_KEPT = 8;
const BLOCKS_MIN = 4;

const MIB = 1024 * 1024;
const WRITE_BLOCK_SIZE = 2 * MIB;
const LARGE_WRITE_BLOCK_SIZE = 16 * MIB;
/** Records up to this size go into blocks of 2 MiB; larger ones would leave too much of a block unused. */
const SMALL_RECORD_SIZE_MAX = MIB;

/** A shard's place: bytes `offset` to `offset + size` of device `device`. */
export interface ShardPlace {
  device: number;
  offset: number;
  size: number;
}

export interface ShardLayout {
  /** [shard] its place. */
  places: ShardPlace[];
  /** [pid] shard. */
  shardOf: Uint16Array;
}

/** Write block size in bytes for a namespace whose records may have `recordSizeMax` bytes. */
export function writeBlockSizeFor(recordSizeMax: number): number {
  return recordSizeMax <= SMALL_RECORD_SIZE_MAX ? WRITE_BLOCK_SIZE : LARGE_WRITE_BLOCK_SIZE;
}

/** The smallest device that can hold its share, bytes, when `deviceCount` devices are used. */
export function deviceSizeMin(deviceCount: number, writeBlockSize: number): number {
  const shardsOnFirst = Math.ceil(powerOfTwoFrom(deviceCount) / deviceCount);
  return DEVICE_DATA_AT + shardsOnFirst * BLOCKS_MIN * writeBlockSize;
}

/**
 * Lays shards over devices of the given sizes. Devices get whole shards, as many each as divides evenly; where
 * it does not, shards of a device that has fewer are larger and get more partitions, so that all fill alike.
 * @returns The layout, or null when a device is smaller than `deviceSizeMin`.
 */
export function layShards(deviceSizes: readonly number[], writeBlockSize: number): ShardLayout | null {
  const deviceCount = deviceSizes.length;
  const floor = powerOfTwoFrom(deviceCount);
  for (let count = Math.max(SHARD_COUNT_DEFAULT, floor); count >= floor; count /= 2) {
    const places = placesOf(count, deviceSizes, writeBlockSize);
    const fewest = Math.min(...places.map(place => place.size / writeBlockSize));
    const wanted = count > floor ? (count > SHARD_COUNT_KEPT ? BLOCKS_WANTED : BLOCKS_KEPT) : BLOCKS_MIN;
    if (fewest >= wanted) {
      return { places, shardOf: sharePartitions(places.map(place => place.size)) };
    }
  }
  return null;
}

function placesOf(count: number, deviceSizes: readonly number[], writeBlockSize: number): ShardPlace[] {
  const places: ShardPlace[] = [];
  const deviceCount = deviceSizes.length;
  for (let shard = 0; shard < count; shard++) {
    const device = shard % deviceCount;
    const shardsOnDevice = Math.floor(count / deviceCount) + (device < count % deviceCount ? 1 : 0);
    const blocks = Math.floor((deviceSizes[device]! - DEVICE_DATA_AT) / writeBlockSize / shardsOnDevice);
    const size = Math.max(0, blocks) * writeBlockSize;
    places.push({ device, offset: DEVICE_DATA_AT + Math.floor(shard / deviceCount) * size, size });
  }
  return places;
}

/** Gives each shard partitions in proportion to its size, spread evenly over the pids. */
function sharePartitions(sizes: readonly number[]): Uint16Array {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const given = new Array<number>(sizes.length).fill(0);
  const shardOf = new Uint16Array(PARTITION_COUNT);
  for (let pid = 0; pid < PARTITION_COUNT; pid++) {
    let neediest = 0;
    let want = Number.NEGATIVE_INFINITY;
    for (let shard = 0; shard < sizes.length; shard++) {
      const missing = ((pid + 1) * sizes[shard]!) / total - given[shard]!;
      if (missing <= want) continue;
      want = missing;
      neediest = shard;
    }
    given[neediest]!++;
    shardOf[pid] = neediest;
  }
  return shardOf;
}

function powerOfTwoFrom(count: number): number {
  return 2 ** Math.ceil(Math.log2(count));
}
