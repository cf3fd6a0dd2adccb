/**
 * The free blocks of a shard: who may take one, and how a block is opened. Some are kept back, so that defrag always
 * has a block to move records to and a full shard still deletes.
 */
import { DEVICE_OVERLOAD, OK, OUT_OF_SPACE } from '../../base/result.js';
import type { BlockCache } from './block-cache.js';
import { BLOCK_HEADER_SIZE, writeBlockHeader } from './block-format.js';
import * as B from './block-table.js';
import type { EmptiedBlocks } from './emptied-blocks.js';
import type { ResidentBlocks } from './resident-blocks.js';
import type { ShardExtent } from './shard-extent.js';
import type { WriteStream } from './write-stream.js';

const NONE = -1;
/**
 * Free blocks that only markers may use, so that a full shard still deletes: one on a shard with fewer blocks than
 * this, where two would be a share that defrag has to work much harder for.
 */
const MARKER_SPARE = 2;
const MARKER_SPARE_BLOCKS = 128;
/** Full blocks of defrag that may wait for the device. */
const DEFRAG_CLOSED_MAX = 2;

export class BlockSupply {
  readonly #extent: ShardExtent;
  readonly #table: B.BlockTable;
  readonly #cache: BlockCache;
  readonly #emptied: EmptiedBlocks;
  readonly #resident: ResidentBlocks | null;
  /** Free blocks that neither records nor markers may use: room to move records to. */
  readonly #defragSpare: number;
  /** Free blocks that only markers may use beyond those, so that a full shard still deletes. */
  readonly #markerSpare: number;
  /** Of the block to be opened next, or -1. */
  #bufferAt = NONE;
  /** Asked when no free block is left: whether there will be some without anything being deleted. */
  canMakeRoom: () => boolean = () => false;
  /** Asked before clients get another block: whether they have to wait for one that defrag is about to make. */
  outrunsDefrag: () => boolean = () => false;

  constructor(
    extent: ShardExtent,
    table: B.BlockTable,
    cache: BlockCache,
    emptied: EmptiedBlocks,
    resident: ResidentBlocks | null,
  ) {
    this.#extent = extent;
    this.#table = table;
    this.#cache = cache;
    this.#emptied = emptied;
    this.#resident = resident;
    this.#defragSpare = extent.blockCount >= 8 ? 1 : 0;
    const markerSpare = extent.blockCount < MARKER_SPARE_BLOCKS ? 1 : MARKER_SPARE;
    this.#markerSpare = Math.min(markerSpare, extent.blockCount >> 2);
  }

  /** Free blocks that records of clients may not use. */
  get spareCount(): number {
    return this.#defragSpare + this.#markerSpare;
  }

  /**
   * Whether clients may have another block now, and a buffer for it.
   * @param isMarker May use the spare blocks.
   * @param cacheMax Bytes of their full blocks that may wait for the device.
   * @returns OK: `open` follows; OUT_OF_SPACE; DEVICE_OVERLOAD. After the latter two nothing has changed.
   */
  askForClients(stream: WriteStream, isMarker: boolean, cacheMax: number): number {
    if (this.#table.freeCount <= (isMarker ? this.#defragSpare : this.spareCount)) {
      return this.#emptied.count > 0 || this.canMakeRoom() ? DEVICE_OVERLOAD : OUT_OF_SPACE;
    }
    if (!isMarker && stream.writes.room >= 2 && this.outrunsDefrag()) return DEVICE_OVERLOAD;
    return this.#takeBuffer(stream, cacheMax);
  }

  /** As `askForClients`, for defrag. */
  askForDefrag(stream: WriteStream): number {
    if (this.#table.freeCount === 0) return OUT_OF_SPACE;
    return this.#takeBuffer(stream, DEFRAG_CLOSED_MAX * this.#extent.blockSize);
  }

  /** Opens the block that has been free longest, as was asked for. The stream has none. */
  open(stream: WriteStream): void {
    const { io, owner, cipher } = this.#extent;
    const table = this.#table;
    const bufferAt = this.#bufferAt;
    const block = table.takeFree();
    const writeId = table.use(block);
    const nonce = cipher?.newNonce();
    const stamp = writeBlockHeader(io.buffers, bufferAt, owner, block, writeId, nonce);
    table.nonces[block * 2] = nonce?.[0] ?? 0;
    table.nonces[block * 2 + 1] = nonce?.[1] ?? 0;
    this.#resident?.open(block);
    this.#resident?.put(block, 0, io.buffers.u8, bufferAt, BLOCK_HEADER_SIZE);
    table.states[block] = B.OPEN;
    table.stamps[block] = stamp;
    table.bufferAt[block] = bufferAt;
    stream.open(block, stamp, bufferAt, BLOCK_HEADER_SIZE, 0);
  }

  #takeBuffer(stream: WriteStream, cacheMax: number): number {
    if (stream.writes.room < 2) return DEVICE_OVERLOAD;
    const { blockSize } = this.#extent;
    const closed = stream.closedCount;
    const full = closed + (stream.block === NONE ? 0 : 1); // the open one gives place
    if (closed > 0 && full * blockSize > cacheMax) return DEVICE_OVERLOAD;
    this.#bufferAt = this.#cache.take();
    return this.#bufferAt < 0 ? DEVICE_OVERLOAD : OK;
  }
}
