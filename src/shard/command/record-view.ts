/**
 * The record of the command in hand as expressions see it: its metadata from the index, its bins as they are at this
 * point of the command. One instance a worker.
 */
import { EPOCH_2010_SEC } from '../../base/clock.js';
import type { ParticleSpan } from '../../data/particle-span.js';
import { STRING } from '../../data/type.js';
import type { RecordView } from '../../expression/record-view.js';
import { KEY_STORED } from '../../storage/index/entry.js';
import { RECORD_ALIGN } from '../../storage/record/flat-record.js';
import { SET_NAME_SIZE_MAX } from '../../wire/message.js';
import type { Shard } from '../shard.js';
import type { Executor } from './executor.js';
import type { Request } from './request.js';

const EPOCH_MS = EPOCH_2010_SEC * 1000;

export class CommandRecord implements RecordView {
  readonly #ex: Executor;
  #shard!: Shard;
  #req!: Request;
  /** -1: the record is about to be created. */
  #entry = -1;
  readonly #setName = new Uint8Array(SET_NAME_SIZE_MAX);
  hasBins = false;
  /** Whether what a write creates takes the place of a tombstone; filters never see one. */
  isTombstone = false;

  constructor(ex: Executor) {
    this.#ex = ex;
  }

  /**
   * Shows the record of a command.
   * @param hasBins Whether the executor has its bins listed and, if a key is stored, the stored record loaded.
   */
  show(shard: Shard, req: Request, entry: number, hasBins: boolean, isTombstone = false): void {
    this.#shard = shard;
    this.#req = req;
    this.#entry = entry;
    this.hasBins = hasBins;
    this.isTombstone = isTombstone;
  }

  get hasKey(): boolean {
    return this.#entry < 0 ? this.#req.hasKey : this.#shard.index.hasFlag(this.#entry, KEY_STORED);
  }

  get hasUnsortedMap(): boolean {
    return this.#ex.bins.hasUnsortedMap;
  }

  get digestBytes(): Uint8Array {
    return this.#req.bytes;
  }

  get digestAt(): number {
    return this.#req.digestAt;
  }

  get lastUpdateMs(): number {
    return EPOCH_MS + (this.#entry < 0 ? 0 : this.#shard.index.lut(this.#entry));
  }

  get nowMs(): number {
    return EPOCH_MS + this.#ex.nowMs;
  }

  get voidTimeMs(): number {
    const voidTimeSec = this.#entry < 0 ? 0 : this.#shard.index.voidTime(this.#entry);
    return voidTimeSec === 0 ? 0 : EPOCH_MS + voidTimeSec * 1000;
  }

  get deviceSize(): number {
    return this.#shard.namespace.isMemory ? 0 : this.recordSize;
  }

  get memorySize(): number {
    return this.#shard.namespace.isMemory ? this.recordSize : 0;
  }

  /**
   * Bytes of the stored version, as it is before the command: a multiple of the storage unit, as on the reference,
   * though the two servers store a record in different forms.
   */
  get recordSize(): number {
    if (this.#entry < 0) return 0;
    return (this.#shard.index.size(this.#entry) + RECORD_ALIGN - 1) & -RECORD_ALIGN;
  }

  bin(names: Uint8Array, nameAt: number, nameSize: number, out: ParticleSpan): boolean {
    const { bins } = this.#ex;
    const bin = bins.find(names, nameAt, nameSize);
    if (bin < 0) return false;
    bins.value(bin, out);
    return true;
  }

  key(out: ParticleSpan): boolean {
    const req = this.#req;
    if (this.#entry < 0) {
      if (req.keySize === 0) return false;
      out.set(req.bytes[req.keyAt]!, req.bytes, req.keyAt + 1, req.keySize - 1);
      return true;
    }
    return this.hasKey && this.#ex.storedKey(out);
  }

  setName(out: ParticleSpan): void {
    const req = this.#req;
    if (this.#entry < 0) {
      out.set(STRING, req.bytes, req.setAt, req.setSize);
      return;
    }
    const { index, namespace } = this.#shard;
    const size = namespace.sets.nameTo(index.setId(this.#entry), this.#setName, 0);
    out.set(STRING, this.#setName, 0, size);
  }
}
