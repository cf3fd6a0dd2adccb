/**
 * A shard on a device without the server around it: a real index and a real engine, written to and read from by
 * key number. A value is a function of key and version, so a record that was read proves which version it is.
 */
import { createHash } from 'node:crypto';
import { Region } from '../../src/base/arena.js';
import { PARTITION_COUNT } from '../../src/base/digest.js';
import { OK, PARKED } from '../../src/base/result.js';
import { NO_CODEC, openCodecs } from '../../src/storage/codec/codecs.js';
import { RecordCompression } from '../../src/storage/codec/record-compression.js';
import { DeviceEngine } from '../../src/storage/device/device-engine.js';
import { DeviceView } from '../../src/storage/device/device-view.js';
import type { StorageLog } from '../../src/storage/device/storage-error.js';
import { RecordSpan, ST_COUNT, type StorageEngine } from '../../src/storage/engine.js';
import { RecordClock } from '../../src/storage/expiry/record-clock.js';
import { TOMBSTONE } from '../../src/storage/index/entry.js';
import { PrimaryIndex } from '../../src/storage/index/primary-index.js';
import type { IoBackend } from '../../src/storage/io/io-backend.js';
import { IoQueue, type IoTimes } from '../../src/storage/io/io-queue.js';
import {
  binsOffset,
  newRecordHeader,
  REC_BINS_AT,
  RECORD_HEADER_SIZE,
  writeRecordHeader,
} from '../../src/storage/record/flat-record.js';
import { createSetTable, SetTable } from '../../src/storage/record/set-table.js';
import type { ExtentDescription } from '../../src/storage/write-block/shard-extent.js';
import { type BlockWriterLimits, DEFAULT_LIMITS } from '../../src/storage/write-block/writer-limits.js';

export const SET_NAME = Buffer.from('people');
const VALUE_HEADER_SIZE = 16; // key, version, size, voidTime

/** Keeps what the storage logs. */
export class LogLines implements StorageLog {
  readonly lines: string[] = [];
  info(text: string): void {
    this.lines.push(`info ${text}`);
  }
  warning(text: string): void {
    this.lines.push(`warning ${text}`);
  }
  critical(text: string): void {
    this.lines.push(`critical ${text}`);
  }
}

export interface StorageShardOptions {
  backend: IoBackend;
  extent: ExtentDescription;
  /** All partitions belong to the extent's shard unless given. */
  shardOf?: Uint16Array;
  limits?: Partial<BlockWriterLimits>;
  recordSizeMax?: number;
  tokenCount?: number;
  entriesMax?: number;
  sets?: SetTable;
  /** Number of a codec; readable are all of them. */
  codec?: number;
  /** All records are in memory too. */
  isResident?: boolean;
  times?: IoTimes;
  /** Every other call is made on a view, as by another thread, and on the engine itself only where that cannot do it. */
  hasView?: boolean;
}

const codecs = await openCodecs();

export class StorageShard {
  readonly io: IoQueue;
  readonly index: PrimaryIndex;
  readonly engine: DeviceEngine;
  readonly counters = new Region(ST_COUNT * 8).f64;
  /** Codec and level, to be changed at any time. */
  readonly compression = new Float64Array(2);
  readonly clock = new RecordClock(this.counters);
  readonly log = new LogLines();
  readonly sets: SetTable;
  /** Records that recovery told of, by set name. */
  readonly recovered = new Map<string, number>();
  readonly #span = new RecordSpan();
  readonly #fresh = new RecordSpan();
  readonly #header = newRecordHeader();
  readonly #tokens = new Int32Array(64);
  readonly #partitions: Uint16Array;
  readonly #hasView: boolean;
  #view: { readonly index: PrimaryIndex; readonly engine: DeviceView } | undefined;
  #calls = 0;
  #nowMs = 0;
  /** Calls that the view has carried out. */
  viewed = 0;

  constructor(options: StorageShardOptions) {
    const shard = options.extent.owner.shard;
    const shardOf = options.shardOf ?? new Uint16Array(PARTITION_COUNT).fill(shard);
    const partitions = Uint16Array.from([...shardOf.keys()].filter(pid => shardOf[pid] === shard));
    this.#partitions = partitions;
    this.#hasView = options.hasView ?? false;
    this.sets = options.sets ?? new SetTable(createSetTable());
    this.io = new IoQueue(options.backend);
    this.index = new PrimaryIndex({
      partitions,
      ...(options.entriesMax ? { entriesMax: options.entriesMax } : {}),
    });
    this.compression[0] = options.codec ?? NO_CODEC;
    this.engine = new DeviceEngine({
      extent: options.extent,
      shardOf,
      io: this.io,
      index: this.index,
      counters: this.counters,
      tokenCount: options.tokenCount ?? 64,
      recordSizeMax: options.recordSizeMax ?? 1024 * 1024,
      limits: { ...DEFAULT_LIMITS, ...options.limits },
      ...(options.times ? { times: options.times } : {}),
      sets: this.sets,
      compression: new RecordCompression(codecs, this.compression),
      isResident: options.isResident ?? false,
      log: this.log,
    });
  }

  /** The view, when it is its turn; made anew when the index has got more memory. */
  #viewInTurn(): { readonly index: PrimaryIndex; readonly engine: DeviceView } | undefined {
    if (!this.#hasView || ++this.#calls % 2 === 0) return undefined;
    if (this.#view?.index.isCurrent !== true) {
      const index = new PrimaryIndex({ partitions: this.#partitions, memory: this.index.memory });
      const { counters, sets } = this;
      const engine = new DeviceView({ index, counters, sets, memory: this.engine.memory! });
      this.#view = { index, engine };
    }
    this.#view.engine.setTime(this.#nowMs, this.engine.limits.flushMaxMs);
    return this.#view;
  }

  recover(nowSec = 0, isStopping?: () => boolean): this {
    const onSet = (setId: number, records: number): void => {
      this.recovered.set(this.sets.nameOf(setId), records);
    };
    this.engine.recover(nowSec, onSet, isStopping);
    return this;
  }

  /** Writes version `version` of a record whose value has `size` bytes (16 or more). @returns A result code. */
  put(key: number, version: number, size: number, voidTimeSec = 0): number {
    const view = this.#viewInTurn();
    const result = view ? this.#putOn(view.engine, view.index, key, version, size, voidTimeSec) : PARKED;
    if (result === OK) this.viewed++;
    if (result !== PARKED) return result;
    return this.#putOn(this.engine, this.index, key, version, size, voidTimeSec);
  }

  #putOn(
    engine: StorageEngine,
    index: PrimaryIndex,
    key: number,
    version: number,
    size: number,
    voidTimeSec: number,
  ): number {
    const digest = digestOf(key);
    const binsAt = binsOffset(SET_NAME.length, 0);
    const result = engine.reserve(binsAt + size, this.#fresh);
    if (result !== OK) return result;
    let entry = index.find(digest, 0);
    if (entry < 0) entry = index.insert(digest, 0);
    if (entry < 0 && index !== this.index) return PARKED; // it would have to grow
    if (entry < 0) throw new Error('the index is full');
    const { region, at } = this.#fresh;
    const header = this.#header;
    header.generation = version & 0xffff;
    header.voidTimeSec = voidTimeSec;
    header.lutMs = this.clock.ms || version;
    header.sequence = engine.nextSequence();
    header.setNameSize = SET_NAME.length;
    header.binCount = 1;
    writeRecordHeader(region.u8, region.u32, at, header, digest, 0);
    region.u8.set(SET_NAME, at + RECORD_HEADER_SIZE);
    writeValue(region.u8, at + binsAt, key, version, size, voidTimeSec);
    this.index.setGeneration(entry, header.generation);
    this.index.setSetId(entry, this.sets.findOrAdd(SET_NAME, 0, SET_NAME.length));
    this.index.setVoidTime(entry, voidTimeSec);
    this.index.setLut(entry, header.lutMs);
    this.index.setFlag(entry, TOMBSTONE, false);
    engine.store(entry);
    return OK;
  }

  /** Deletes a record. @returns A result code, or undefined when there was none. */
  delete(key: number): number | undefined {
    const entry = this.index.find(digestOf(key), 0);
    if (entry < 0 || this.index.hasFlag(entry, TOMBSTONE)) return undefined;
    const lutMs = this.clock.ms || 1;
    const view = this.#viewInTurn();
    let result = view ? view.engine.remove(entry, lutMs) : PARKED;
    if (result === OK) this.viewed++;
    if (result === PARKED) result = this.engine.remove(entry, lutMs);
    if (result === OK) this.index.remove(entry);
    return result;
  }

  /** A durable delete. @returns A result code, or undefined when there was no record. */
  bury(key: number): number | undefined {
    const entry = this.index.find(digestOf(key), 0);
    if (entry < 0 || this.index.hasFlag(entry, TOMBSTONE)) return undefined;
    const lutMs = this.clock.ms || 1;
    const view = this.#viewInTurn();
    let result = view ? view.engine.bury(entry, lutMs) : PARKED;
    if (result === PARKED) result = this.engine.bury(entry, lutMs);
    if (result !== OK) return result;
    this.index.setFlag(entry, TOMBSTONE, true);
    this.index.setVoidTime(entry, 0);
    return OK;
  }

  /** Takes a tombstone out of the index. */
  forgetTombstone(key: number): void {
    const entry = this.index.find(digestOf(key), 0);
    if (entry < 0 || !this.index.hasFlag(entry, TOMBSTONE)) return;
    this.engine.expire(entry);
    this.index.remove(entry);
  }

  /** Starts or repeats a read. @returns OK with the version in `version`, PARKED, or a code; undefined: no record. */
  tryGet(key: number, token: number): number | undefined {
    const entry = this.index.find(digestOf(key), 0);
    if (entry < 0 || this.index.hasFlag(entry, TOMBSTONE) || this.#hasExpired(entry)) return undefined;
    const view = this.#viewInTurn();
    let result = view ? view.engine.load(entry, token, this.#span) : PARKED;
    if (result === PARKED) result = this.engine.load(entry, token, this.#span);
    if (result === OK) this.version = this.#check(key);
    return result;
  }
  /** Version of the record that was read last. */
  version = 0;

  /** Reads a record, waiting for the device. @returns Its version; undefined: no record; or a negative code. */
  get(key: number, token = 0): number | undefined {
    for (;;) {
      const result = this.tryGet(key, token);
      if (result === PARKED) {
        this.io.drainOrWait(100);
        this.engine.poll(this.#tokens);
        continue;
      }
      this.engine.release(token);
      if (result === undefined) return undefined;
      return result === OK ? this.version : -result;
    }
  }

  /** Takes a record out if it has expired. @returns Whether it had. */
  expire(key: number): boolean {
    const entry = this.index.find(digestOf(key), 0);
    if (entry < 0 || !this.#hasExpired(entry)) return false;
    this.engine.expire(entry);
    this.index.remove(entry);
    return true;
  }

  /** Seconds by the record clock. */
  get nowSec(): number {
    return Math.floor(this.clock.ms / 1000);
  }

  /** Lets the engine and its device work at time `nowMs`. @param wallMs Moves the record clock, when it is given. */
  tick(nowMs: number, wallMs?: number): void {
    this.#nowMs = nowMs;
    this.io.drain();
    if (wallMs !== undefined) {
      this.clock.read(wallMs);
      this.clock.tick(nowMs, wallMs, this.engine);
    }
    this.engine.tick(nowMs);
  }

  #hasExpired(entry: number): boolean {
    const voidTime = this.index.voidTime(entry);
    if (voidTime === 0 || voidTime > this.nowSec) return false;
    this.clock.expired(voidTime);
    return true;
  }

  #check(key: number): number {
    const { region, at, size } = this.#span;
    const binsAt = region.u32[(at >>> 2) + REC_BINS_AT]!;
    const version = readValue(region.u8, at + binsAt, key, size - binsAt);
    if (version === undefined) throw new Error(`key ${key}: the record served is not one that was written`);
    return version;
  }
}

const digests: Uint8Array[] = [];

/** A digest for key number `key`, spread over all partitions. */
export function digestOf(key: number): Uint8Array {
  return (digests[key] ??= createHash('sha1').update(`key ${key}`).digest());
}

function writeValue(
  u8: Uint8Array,
  at: number,
  key: number,
  version: number,
  size: number,
  voidTime: number,
): void {
  if (size < VALUE_HEADER_SIZE) throw new RangeError(`a value has ${VALUE_HEADER_SIZE} bytes or more`);
  const view = new DataView(u8.buffer, u8.byteOffset + at, size);
  view.setUint32(0, key);
  view.setUint32(4, version);
  view.setUint32(8, size);
  view.setUint32(12, voidTime);
  for (let i = VALUE_HEADER_SIZE; i < size; i++) u8[at + i] = (key * 31 + version * 17 + i) & 0xff;
}

/** @returns The version, or undefined when the bytes are not a value of this key. */
function readValue(u8: Uint8Array, at: number, key: number, size: number): number | undefined {
  if (size < VALUE_HEADER_SIZE) return undefined;
  const view = new DataView(u8.buffer, u8.byteOffset + at, size);
  const version = view.getUint32(4);
  if (view.getUint32(0) !== key || view.getUint32(8) !== size) return undefined;
  for (let i = VALUE_HEADER_SIZE; i < size; i++) {
    if (u8[at + i] !== ((key * 31 + version * 17 + i) & 0xff)) return undefined;
  }
  return version;
}
