/**
 * Executes record commands on a shard: the rules that all commands share. One instance a worker. Each
 * command runs from start to end in one call, or returns PARKED when the stored record has to be read from
 * a device first: then nothing was changed, and the same call is made again when the bytes are there.
 */
import { equalBytes } from '../../base/copy.js';
import { KEY_MISMATCH, NOT_FOUND, OK, PARAMETER, PARKED } from '../../base/result.js';
import { Scratch } from '../../base/scratch.js';
import { ParticleSpan } from '../../data/particle-span.js';
import { ValueOp } from '../../data/value-op.js';
import { ExpressionOperation } from '../../expression/operation.js';
import { ProgramCache } from '../../expression/program-cache.js';
import { RecordSpan } from '../../storage/engine.js';
import { KEY_STORED } from '../../storage/index/entry.js';
import {
  FLAG_UNSORTED_MAP,
  newRecordHeader,
  REC_BIN_COUNT,
  REC_BINS_AT,
  REC_FLAGS_SET_GEN,
  REC_KEY_SIZE,
  RECORD_HEADER_SIZE,
} from '../../storage/record/flat-record.js';
import type { Shard } from '../shard.js';
import { Answer } from './answer.js';
import { Bins } from './bins.js';
import { CommandRecord } from './record-view.js';
import type { Request } from './request.js';

/** A command that took more scratch memory than this is forgotten: what its values lie in must not outlive it. */
const FORGET_SIZE = 4 * 1024 * 1024;

/** In the place of an entry: nobody has looked. */
const UNKNOWN = -2;

export class Executor {
  readonly answer = new Answer();
  readonly bins = new Bins();
  readonly scratch = new Scratch();
  readonly valueOp = new ValueOp();
  /** For whoever looks at the value of one bin. */
  readonly value = new ParticleSpan();
  /** Compiled expressions, of commands and of batches. */
  readonly programs = new ProgramCache();
  readonly expression = new ExpressionOperation();
  /** The record of the command in hand, as expressions see it. */
  readonly view = new CommandRecord(this);
  /** The stored record, when loaded; `isLoaded` is about the command in hand. */
  readonly stored = new RecordSpan();
  /** What that lies in. */
  storedBytes: Uint8Array = new Uint8Array(0);
  isLoaded = false;
  /** The record being written. */
  readonly fresh = new RecordSpan();
  readonly header = newRecordHeader();
  /** The time of the command in hand by the record clock of its shard, since 2010. */
  nowMs = 0;
  nowSec = 0;
  /** Read once for a batch of commands. */
  #wallMs = 0;
  /** Of the record of the command in hand, live or not; -1: there is none. */
  #slot = UNKNOWN;

  constructor() {
    this.valueOp.scratch = this.scratch;
  }

  /** @param wallMs Since 2010. */
  setTime(wallMs: number): void {
    this.#wallMs = wallMs;
  }

  /** Begins a command. */
  begin(shard: Shard): void {
    this.isLoaded = false;
    this.#slot = UNKNOWN;
    shard.adoptTruncation();
    const nowMs = shard.clock.read(this.#wallMs);
    if (nowMs !== this.nowMs) {
      this.nowMs = nowMs;
      this.nowSec = Math.floor(nowMs / 1000);
    }
    if (this.scratch.takenSize <= FORGET_SIZE) return;
    this.scratch.reset();
    this.bins.forget();
    this.answer.forget();
    this.value.clear();
    this.valueOp.target.clear();
    this.valueOp.begin();
  }

  /** The entry of the request's record, live or not, or -1. It is looked up once a command. */
  find(shard: Shard, req: Request): number {
    if (this.#slot === UNKNOWN) this.#slot = shard.index.findNear(req.bytes, req.digestAt, req.seenEntry);
    return this.#slot;
  }

  /** As `find`, but -1 also when the record is no longer there for commands. */
  findLive(shard: Shard, req: Request): number {
    const entry = this.find(shard, req);
    return entry >= 0 && shard.isLive(entry, this.nowSec) ? entry : -1;
  }

  /** A set name that was sent must be the record's. Writes have to send it, if it has one. */
  checkSet(shard: Shard, req: Request, entry: number, isWrite: boolean): number {
    if (req.setSize === 0 && !isWrite) return OK;
    const id = shard.namespace.sets.find(req.bytes, req.setAt, req.setSize);
    return id === shard.index.setId(entry) ? OK : PARAMETER;
  }

  /** Loads the stored record, unless this command has done so already. @returns OK, PARKED or a code. */
  load(shard: Shard, entry: number, token: number): number {
    if (this.isLoaded) return OK;
    const code = shard.engine.load(entry, token, this.stored);
    if (code !== OK) return code;
    this.storedBytes = this.stored.region.u8;
    this.isLoaded = true;
    return OK;
  }

  /** Lists the bins of the stored record, which is loaded. */
  listBins(): void {
    const { region, at } = this.stored;
    this.bins.load(region.u8, this.storedBinsAt, this.storedBinCount);
    const flags = region.u32[(at >>> 2) + REC_FLAGS_SET_GEN]!;
    this.bins.hasUnsortedMap = (flags & FLAG_UNSORTED_MAP) !== 0;
  }

  /** A key that was sent must be the stored one, if one is stored. Needs the record. */
  checkKey(req: Request): number {
    const { region, at } = this.stored;
    const w = at >>> 2;
    const size = region.u32[w + REC_KEY_SIZE]!;
    if (!req.hasKey || size === 0) return OK;
    return size === req.keySize && equalBytes(region.u8, this.#storedKeyAt, req.bytes, req.keyAt, size)
      ? OK
      : KEY_MISMATCH;
  }

  get #storedKeyAt(): number {
    const { region, at } = this.stored;
    return at + RECORD_HEADER_SIZE + ((region.u32[(at >>> 2) + REC_FLAGS_SET_GEN]! >>> 8) & 0xff);
  }

  /** Reads the key that is stored with the record, which is loaded. @returns false when there is none. */
  storedKey(out: ParticleSpan): boolean {
    const { region, at } = this.stored;
    const size = region.u32[(at >>> 2) + REC_KEY_SIZE]!;
    if (size === 0) return false;
    const keyAt = this.#storedKeyAt;
    out.set(region.u8[keyAt]!, region.u8, keyAt + 1, size - 1);
    return true;
  }

  /** Whether the key that was sent has to be compared with a stored one. */
  needsKeyCheck(shard: Shard, req: Request, entry: number): boolean {
    return req.hasKey && shard.index.hasFlag(entry, KEY_STORED);
  }

  get storedBinsAt(): number {
    return this.stored.at + this.stored.region.u32[(this.stored.at >>> 2) + REC_BINS_AT]!;
  }

  get storedBinCount(): number {
    return this.stored.region.u32[(this.stored.at >>> 2) + REC_BIN_COUNT]!;
  }

  notFound(): number {
    return this.answer.fail(NOT_FOUND);
  }
}

/** A failure after the record was found: the answer carries the record's metadata. PARKED is none, and passes. */
export function failAt(ex: Executor, shard: Shard, entry: number, code: number): number {
  if (code === PARKED) return PARKED;
  ex.answer.fail(code);
  if (entry >= 0) {
    ex.answer.generation = shard.index.generation(entry);
    ex.answer.voidTimeSec = shard.index.voidTime(entry);
  }
  return code;
}
