/**
 * The piece of a device that a shard owns, as a row of write blocks: where a block lies, and how to reach it
 * through the worker's I/O queue.
 */
import { BlockCipher } from '../cipher/block-cipher.js';
import type { DataKey } from '../cipher/data-key.js';
import { IO_ALIGN } from '../io/io-backend.js';
import type { IoClient, IoQueue, IoTimes, ShadowPath } from '../io/io-queue.js';
import { type BlockOwner, writeErasedPage } from './block-format.js';

/** A shard's extent as the device set describes it; plain data. */
export interface ExtentDescription {
  path: string;
  /** Bytes from the start of the file or device. */
  offset: number;
  size: number; // bytes
  owner: BlockOwner;
  /** What its blocks are encrypted with, if they are. */
  dataKey?: DataKey | null;
  /** The two files for checkpoints of its index, which are there. Left out: every start is cold; empty: they cannot be had. */
  checkpoints?: readonly string[];
  /** Others of the shard may turn up later: those named were missing, so a start must not append where those think that all is read. */
  mayHaveOtherCheckpoints?: boolean;
  /** Past the operating system's cache. */
  isDirect?: boolean;
  /** Reads of records start and end at multiples of this, bytes; IO_ALIGN when left out. */
  readAlign?: number;
  /** A second device or file that gets all that is written to this one, at the same places. */
  shadow?: ShadowDescription | null;
}

export interface ShadowDescription extends ShadowPath {
  /** It holds the same to the last byte: the stop before this start was a clean one. */
  readonly isInStep: boolean;
}

export class ShardExtent {
  readonly io: IoQueue;
  readonly times: IoTimes | null;
  readonly path: string;
  readonly owner: BlockOwner;
  readonly blockSize: number; // bytes
  readonly blockCount: number;
  readonly cipher: BlockCipher | null;
  /** Reads of records start and end at multiples of this, bytes; a power of two up to IO_ALIGN. */
  readonly readAlign: number;
  /** The file's place in the I/O queue. */
  readonly place: number;
  #erasedPageAt = -1;
  readonly #offset: number;
  readonly #client: IoClient;
  readonly #number: number;

  constructor(description: ExtentDescription, io: IoQueue, client: IoClient, times: IoTimes | null = null) {
    this.io = io;
    this.times = times;
    this.path = description.path;
    this.owner = description.owner;
    this.blockSize = description.owner.writeBlockSize;
    this.blockCount = Math.floor(description.size / this.blockSize);
    this.cipher = description.dataKey ? new BlockCipher(description.dataKey) : null;
    this.readAlign = description.readAlign ?? IO_ALIGN;
    this.#offset = description.offset;
    this.#client = client;
    this.#number = io.addClient(client, times);
    const { path, isDirect, shadow } = description;
    this.place = io.open(path, client, isDirect, times, shadow);
  }

  /** Queues a read of part of a block; `onRead(argument, …)` of the client answers. @returns false when too much is queued. */
  read(argument: number, block: number, from: number, length: number, bufferAt: number): boolean {
    const offset = this.#offset + block * this.blockSize + from;
    return this.io.read(this.#number, argument, this.place, offset, length, bufferAt);
  }

  /** Queues a write of part of a block; `onWrite(argument, …)` answers. */
  write(argument: number, block: number, from: number, length: number, bufferAt: number): boolean {
    const offset = this.#offset + block * this.blockSize + from;
    return this.io.write(this.#number, argument, this.place, offset, length, bufferAt);
  }

  /** Where in the I/O buffers there is a page that is written over the first one of blocks that are given up. */
  get erasedPageAt(): number {
    if (this.#erasedPageAt < 0) {
      const at = this.io.pool.take(IO_ALIGN);
      if (at < 0) throw new Error('the I/O buffers are too small');
      writeErasedPage(this.io.buffers, at, this.owner.setId);
      this.#erasedPageAt = at;
    }
    return this.#erasedPageAt;
  }

  /** Writes to the shadow that are under way. */
  get shadowWrites(): number {
    return this.io.shadowWrites(this.#number);
  }

  /** Writes to the shadow that failed. */
  get shadowErrors(): number {
    return this.io.shadowErrors(this.#number);
  }

  /** The path of the device, or of its shadow, that a write or flush failed on last. */
  get failedPath(): string {
    return this.io.failedPath(this.place);
  }

  /** Where block `block` starts in the file, for messages. */
  offsetOf(block: number): number {
    return this.#offset + block * this.blockSize;
  }

  close(): void {
    if (this.#erasedPageAt >= 0) this.io.pool.give(this.#erasedPageAt);
    this.#erasedPageAt = -1;
    this.io.close(this.place, this.#client);
  }
}
