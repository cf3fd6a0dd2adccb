/**
 * Shards of a device namespace in one thread, as a worker has them, without rings and sockets around them: records
 * are known by number, hold their number, and are written and read through real engines on a real file. Several
 * threads may share a namespace (device-threads.ts): each has some of its shards, and passes over the records of the others.
 */
import { randomFillSync } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Piscina } from 'piscina';
import { Region } from '../../src/base/arena.js';
import { monotonicMs } from '../../src/base/clock.js';
import { copyBytes } from '../../src/base/copy.js';
import { DIGEST_SIZE, PARTITION_COUNT, partitionOf } from '../../src/base/digest.js';
import { DEVICE_OVERLOAD, OK, PARKED } from '../../src/base/result.js';
import { createSleeper } from '../../src/base/sleeper.js';
import { DeviceEngine } from '../../src/storage/device/device-engine.js';
import { type DeviceSet, type OpenDeviceSet, openDeviceSet } from '../../src/storage/device/device-set.js';
import type { StorageLog } from '../../src/storage/device/storage-error.js';
import { RecordSpan, ST_COUNT } from '../../src/storage/engine.js';
import { orderWord } from '../../src/storage/index/entry.js';
import { PrimaryIndex } from '../../src/storage/index/primary-index.js';
import type { IoBackend } from '../../src/storage/io/io-backend.js';
import { IoQueue } from '../../src/storage/io/io-queue.js';
import { createNodeIoMemory, stopNodeIo } from '../../src/storage/io/node-io-memory.js';
import { openWorkerIo } from '../../src/storage/io/worker-io.js';
import {
  binsOffset,
  newRecordHeader,
  RECORD_HEADER_SIZE,
  writeRecordHeader,
} from '../../src/storage/record/flat-record.js';
import { createSetTable, SetTable } from '../../src/storage/record/set-table.js';
import { type BlockWriterLimits, DEFAULT_LIMITS } from '../../src/storage/write-block/writer-limits.js';
import { digestOf, RecordKeys } from './record-keys.js';

const MIB = 1024 * 1024;
const TICK_MS = 10;
const NOT_OURS = -1;
const WRITE_COUNT = 1 << 16; // records whose digests are made at a time
const TURN = 32; // records between two turns of the loop
/** What records have in their bins, but for their number. */
const BINS = randomFillSync(new Uint8Array(MIB));
const LOOK_AHEAD = 16; // records
const LOOK_AHEAD_DEPTH = 3; // entries of a list
const LIMITS = { flushMaxMs: 1000, writeCacheMax: 4 * MIB, postWriteCacheMax: 0 }; // a shard, of 64 MiB
const LOG: StorageLog = { info: () => {}, warning: console.error, critical: console.error };
const IO_THREAD = new URL('../../src/storage/io/node-io-thread.js', import.meta.url).href;

export interface DeviceShardsOptions {
  readonly file: string;
  readonly size: number; // bytes of the file
  readonly backend: 'io_uring' | 'node:fs';
  readonly isDirect: boolean;
  /** Commands that may wait for the device. */
  readonly tokenCount: number;
  readonly namespace?: string;
  /** Set of the records that are written. */
  readonly setName?: string;
  /** Settings of each shard that differ from what this file has. */
  readonly limits?: Partial<BlockWriterLimits>;
}

/** Which shards are one thread's: those whose number leaves `thread` when divided by `threadCount`. */
export interface ShardShare {
  readonly thread: number;
  readonly threadCount: number;
}

export class DeviceShards {
  readonly io: IoQueue;
  readonly #shardOf: Uint16Array;
  /** [shard], null where it is another thread's. */
  readonly #indexes: (PrimaryIndex | null)[] = [];
  readonly #engineOf: (DeviceEngine | null)[] = [];
  readonly #engines: DeviceEngine[] = [];
  readonly #close: () => Promise<void>;
  readonly #span = new RecordSpan();
  readonly #header = newRecordHeader();
  readonly #setName: Uint8Array;
  readonly #binsAt: number;
  readonly #digestWords = new Uint32Array(DIGEST_SIZE / 4);
  readonly #digest = new Uint8Array(this.#digestWords.buffer);
  readonly #polled: Int32Array;
  readonly #counters: Float64Array[] = [];
  readonly #ahead = new Int32Array(LOOK_AHEAD);
  readonly #aheadOrders = new Int32Array(LOOK_AHEAD);
  #tickAtMs = 0;

  private constructor(
    backend: IoBackend,
    options: DeviceShardsOptions,
    set: DeviceSet,
    share: ShardShare,
    close: () => Promise<void>,
  ) {
    this.io = new IoQueue(backend);
    this.#shardOf = set.shardOf;
    this.#close = close;
    this.#setName = Buffer.from(options.setName ?? '');
    this.#header.setNameSize = this.#setName.length;
    this.#binsAt = binsOffset(this.#setName.length, 0);
    this.#polled = new Int32Array(options.tokenCount);
    const sets = new SetTable(createSetTable());
    set.extents.forEach((extent, shard) => {
      if (shard % share.threadCount !== share.thread) {
        this.#indexes.push(null);
        this.#engineOf.push(null);
        return;
      }
      const partitions = Uint16Array.from({ length: PARTITION_COUNT }, (_, pid) => pid).filter(
        pid => set.shardOf[pid] === shard,
      );
      const index = new PrimaryIndex({ partitions });
      const counters = new Region(ST_COUNT * 8).f64;
      const engine = new DeviceEngine({
        extent,
        shardOf: set.shardOf,
        io: this.io,
        index,
        counters,
        tokenCount: options.tokenCount,
        recordSizeMax: MIB,
        limits: { ...DEFAULT_LIMITS, ...LIMITS, ...options.limits },
        sets,
        log: LOG,
      });
      engine.recover(0, () => {});
      this.#indexes.push(index);
      this.#engineOf.push(engine);
      this.#engines.push(engine);
      this.#counters.push(counters);
    });
  }

  /** Opens the file, creating it when it is missing. Whoever does closes it when no thread uses it any more. */
  static openFile(options: DeviceShardsOptions): Promise<OpenDeviceSet> {
    return openDeviceSet({
      namespace: options.namespace ?? 'bench',
      files: [options.file],
      filesize: options.size,
      recordSizeMax: MIB,
      isDirect: options.isDirect,
      log: LOG,
    });
  }

  /** Opens the file with all its shards, and reads back what it holds. */
  static async open(options: DeviceShardsOptions): Promise<DeviceShards> {
    const devices = await DeviceShards.openFile(options);
    return DeviceShards.attach(options, devices.set, { thread: 0, threadCount: 1 }, () => devices.close());
  }

  /** Takes a share of the shards of a file that is open, and reads back what they hold. */
  static async attach(
    options: DeviceShardsOptions,
    set: DeviceSet,
    share: ShardShare,
    close: () => Promise<void> = async () => {},
  ): Promise<DeviceShards> {
    const laneCount = options.backend === 'io_uring' ? 0 : 2; // as in the server
    const memory = createNodeIoMemory(384 * MIB, laneCount, createSleeper());
    const pool = new Piscina({
      filename: IO_THREAD,
      minThreads: laneCount,
      maxThreads: Math.max(1, laneCount),
    });
    const lanes = memory.lanes.map(lane => pool.run(lane));
    const backend = openWorkerIo(memory);
    await waitForLanes(backend, laneCount);
    return new DeviceShards(backend, options, set, share, async () => {
      stopNodeIo(memory);
      await Promise.all(lanes);
      await pool.destroy();
      await close();
    });
  }

  /** One of the ST_… figures, of all shards. */
  figure(slot: number): number {
    return this.#counters.reduce((sum, counters) => sum + counters[slot]!, 0);
  }

  /** Changes settings of all shards. */
  setLimits(limits: Partial<BlockWriterLimits>): void {
    for (const engine of this.#engines) Object.assign(engine.limits, limits);
  }

  /** Writes version `version` of record `number`, waiting while the engine is overloaded. @returns How often it was. */
  overwrite(number: number, version: number, size: number): number {
    let waits = 0;
    const shard = this.#find(number);
    if (this.#engineOf[shard] === null) return 0;
    for (; !this.#put(this.#digest, 0, number, size, version); waits++) this.turn(true);
    return waits;
  }

  /**
   * Reads records 0 to `versions.length` - 1.
   * @returns How many of them are not of the version given.
   */
  countWrong(versions: Uint16Array): number {
    const depth = 64;
    const numbers = new Int32Array(depth).fill(-1);
    let next = 0;
    let inFlight = 0;
    let wrong = 0;
    const start = (token: number): void => {
      while (next < versions.length) {
        const number = next++;
        const result = this.#load(number, token);
        if (result === PARKED) {
          numbers[token] = number;
          inFlight++;
          return;
        }
        if (result !== OK || !this.#isVersion(number, versions[number]!)) wrong++;
      }
    };
    for (let token = 0; token < depth; token++) start(token);
    while (inFlight > 0) {
      this.turn(true);
      for (const engine of this.#engines) {
        const ready = engine.poll(this.#polled);
        for (let i = 0; i < ready; i++) {
          const token = this.#polled[i]!;
          const number = numbers[token]!;
          if (this.#load(number, token) !== OK || !this.#isVersion(number, versions[number]!)) wrong++;
          engine.release(token);
          inFlight--;
          start(token);
        }
      }
    }
    return wrong;
  }

  #isVersion(number: number, version: number): boolean {
    const { region, at } = this.#span;
    const w = (at + this.#binsAt) >>> 2;
    return region.u32[w] === number && region.u32[w + 1] === version && region.u32[w + 2] === number;
  }

  /** Bytes of a flat record whose bins take `size` bytes. */
  sizeWith(size: number): number {
    return this.#binsAt + size;
  }

  /** The records with numbers `from` to `to` - 1 that are this thread's. */
  keys(from: number, to: number): RecordKeys {
    return new RecordKeys(from, to, (digests, at) => this.#engineOf[this.#shardAt(digests, at)] !== null);
  }

  /** Writes records `from` to `to` - 1 of `size` bytes each. They are durable after settle() or close(). */
  write(from: number, to: number, size: number): void {
    for (let at = from; at < to; at += WRITE_COUNT) {
      this.writeKeys(this.keys(at, Math.min(to, at + WRITE_COUNT)), size);
    }
  }

  /** As `write`, those of `keys`, which are this thread's. */
  writeKeys({ numbers, digests }: RecordKeys, size: number): void {
    for (let i = 0; i < numbers.length; i++) {
      if (i % LOOK_AHEAD === 0) this.#lookAhead(digests, i, Math.min(numbers.length, i + LOOK_AHEAD));
      const at = i * DIGEST_SIZE;
      const number = numbers[i]!;
      while (!this.#put(digests, at, number, size, number)) this.turn(true);
      if (i % TURN === 0) this.turn(false);
    }
  }

  /** What the server does with the commands of a turn before the first is executed (shard/look-ahead.ts). */
  #lookAhead(digests: Uint8Array, from: number, to: number): void {
    const entries = this.#ahead;
    const orders = this.#aheadOrders;
    for (let i = from; i < to; i++) {
      const at = i * DIGEST_SIZE;
      const pid = partitionOf(digests, at);
      const order = orderWord(digests, at + 2);
      orders[i - from] = order;
      entries[i - from] = this.#indexes[this.#shardOf[pid]!]!.headOf(pid, order);
    }
    for (let depth = 0; depth < LOOK_AHEAD_DEPTH; depth++) {
      for (let i = from; i < to; i++) {
        const entry = entries[i - from]!;
        if (entry <= 0) continue;
        const index = this.#indexes[this.#shardAt(digests, i * DIGEST_SIZE)]!;
        entries[i - from] = index.stepOf(entry, orders[i - from]!);
      }
    }
  }

  /** Waits until all records written are durable. */
  settle(): void {
    const { flushMaxMs } = this.#engines[0]!.limits;
    this.setLimits({ flushMaxMs: 1 });
    while (this.#engines.some(engine => engine.committedNumber < engine.appendedNumber)) {
      for (const engine of this.#engines) engine.tick(monotonicMs() + 1000);
      this.io.drainOrWait(TICK_MS);
    }
    this.setLimits({ flushMaxMs });
  }

  /**
   * Reads records that `pick` names, `depth` at a time, for `ms` milliseconds.
   * @returns Reads done.
   */
  read(pick: () => number, depth: number, ms: number): number {
    const numbers = new Int32Array(depth);
    for (let token = 0; token < depth; token++) {
      numbers[token] = this.#startRead(pick, token);
    }
    const endMs = monotonicMs() + ms;
    let count = 0;
    let inFlight = depth;
    while (inFlight > 0) {
      this.turn(true);
      const isOver = monotonicMs() >= endMs;
      for (const engine of this.#engines) {
        const ready = engine.poll(this.#polled);
        for (let i = 0; i < ready; i++) {
          const token = this.#polled[i]!;
          const number = numbers[token]!;
          if (this.#load(number, token) !== OK || this.#numberIn(this.#span) !== number) {
            throw new Error(`record ${number} is not what was written`);
          }
          engine.release(token);
          inFlight--;
          if (isOver) continue;
          count++;
          numbers[token] = this.#startRead(pick, token);
          inFlight++;
        }
      }
    }
    return count;
  }

  /** What a worker does in every turn of its loop; may sleep until a device answers. */
  turn(isIdle: boolean): void {
    const isBusy = this.#engines.some(engine => engine.hasWork);
    if (isIdle && !isBusy) this.io.drainOrWait(TICK_MS);
    else this.io.drain();
    for (const engine of this.#engines) if (engine.hasWork) engine.work();
    const nowMs = monotonicMs();
    if (nowMs < this.#tickAtMs) return;
    this.#tickAtMs = nowMs + TICK_MS;
    for (const engine of this.#engines) engine.tick(nowMs);
  }

  async close(): Promise<void> {
    for (const engine of this.#engines) {
      engine.limits.flushMaxMs = 1;
      engine.tick(monotonicMs() + 1000); // what is not durable yet is due, of all shards at once
    }
    for (const engine of this.#engines) engine.close();
    await this.#close();
  }

  /** @returns false when the engine is overloaded. */
  #put(digests: Uint8Array, digestAt: number, number: number, size: number, version: number): boolean {
    const shard = this.#shardAt(digests, digestAt);
    const engine = this.#engineOf[shard]!;
    const result = engine.reserve(size, this.#span);
    if (result === DEVICE_OVERLOAD) return false;
    if (result !== OK) throw new Error(`a record cannot be written: result ${result}`);
    const index = this.#indexes[shard]!;
    let entry = index.find(digests, digestAt);
    if (entry < 0) entry = index.insert(digests, digestAt);
    const { region, at } = this.#span;
    this.#header.sequence = engine.nextSequence();
    this.#header.binCount = 1;
    writeRecordHeader(region.u8, region.u32, at, this.#header, digests, digestAt);
    const { u8, u32 } = region;
    for (let i = 0; i < this.#setName.length; i++) u8[at + RECORD_HEADER_SIZE + i] = this.#setName[i]!;
    copyBytes(u8, at + this.#binsAt, BINS, 0, size - this.#binsAt);
    const w = (at + this.#binsAt) >>> 2;
    u32[w] = number;
    u32[w + 1] = version;
    u32[w + 2] = number;
    engine.store(entry);
    return true;
  }

  /** @returns A result code; NOT_OURS when the record is another thread's. */
  #load(number: number, token: number): number {
    const shard = this.#find(number);
    if (this.#engineOf[shard] === null) return NOT_OURS;
    const entry = this.#indexes[shard]!.find(this.#digest, 0);
    if (entry < 0) throw new Error(`record ${number} was lost`);
    return this.#engineOf[shard]!.load(entry, token, this.#span);
  }

  /** Starts to read a record from the device. Those of blocks that are open, and so in memory, are passed over. */
  #startRead(pick: () => number, token: number): number {
    for (;;) {
      const number = pick();
      const result = this.#load(number, token);
      if (result === PARKED) return number;
      if (result !== OK && result !== NOT_OURS) {
        throw new Error(`record ${number} cannot be read: result ${result}`);
      }
    }
  }

  #numberIn(span: RecordSpan): number {
    return span.region.u32[(span.at + this.#binsAt) >>> 2]!;
  }

  /** Makes the digest of a record. @returns Its shard. */
  #find(number: number): number {
    digestOf(number, this.#digestWords, 0);
    return this.#shardAt(this.#digest, 0);
  }

  #shardAt(digests: Uint8Array, at: number): number {
    return this.#shardOf[partitionOf(digests, at)]!;
  }
}

/** Helper threads need this event loop to start: waits until each has answered. */
async function waitForLanes(io: IoBackend, laneCount: number): Promise<void> {
  const out = new Int32Array(8);
  const bad = -1;
  if (laneCount > 0) io.write(0, bad, 0, 4096, 0);
  for (let lane = 1; lane < laneCount; lane++) io.read(lane, bad, 0, 4096, 0);
  io.submit();
  for (let answers = 0; answers < laneCount; answers += io.reap(out)) await sleep(1);
}
