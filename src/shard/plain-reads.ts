/**
 * Rows of a batch that read whole records, or no more than their headers, and ask nothing else: most rows of most
 * batches. What is to be found out about the command is found out once for all its rows; what is unusual about a
 * record (it may have expired, or be stored in another form) is left to those who execute all kinds of commands.
 */
import { Region } from '../base/arena.js';
import { copyRegion } from '../base/copy.js';
import { NOT_FOUND, OK } from '../base/result.js';
import { RecordSpan } from '../storage/engine.js';
import { TOMBSTONE } from '../storage/index/entry.js';
import { EntryFields } from '../storage/index/entry-table.js';
import {
  FLAG_COMPRESSED,
  FLAG_PERSISTED_INDEX,
  REC_BIN_COUNT,
  REC_BINS_AT,
  REC_FLAGS_SET_GEN,
} from '../storage/record/flat-record.js';
import {
  INFO1_GET_ALL,
  INFO1_GET_NO_BINS,
  INFO1_READ,
  INFO2_WRITE,
  INFO4_MRT_VERIFY_READ,
  MSG_HEADER_SIZE,
  putMessageHeader,
} from '../wire/message.js';
import { NEVER_TOUCH } from './command/read-touch.js';
import type { Request } from './command/request.js';
import { SET_TUNE_READ_TOUCH_PCT, TUNE_EVER_COMPRESSED, TUNE_READ_TOUCH_PCT } from './namespace-memory.js';
import type { NamespaceView, Shard } from './shard.js';

const NO_TOKEN = -1;

export class PlainReads {
  /** Of the last row: OK or NOT_FOUND. */
  code = OK;
  /** The wall clock, milliseconds since 2010. */
  wallMs = 0;
  readonly #sizeMax: number;
  readonly #stored = new RecordSpan();
  readonly #fields = new EntryFields();
  #isHeaderOnly = false;
  #setId = 0;
  #mayTouch = false;

  /** @param sizeMax Larger records are not read here, bytes. */
  constructor(sizeMax: number) {
    this.#stored.region = new Region(0);
    this.#sizeMax = sizeMax;
  }

  /** Takes the command of the rows that follow. @returns Whether it is a plain read. */
  begin(req: Request, namespace: NamespaceView): boolean {
    const { info1, ttl } = req;
    this.#isHeaderOnly = (info1 & INFO1_GET_NO_BINS) !== 0;
    if ((info1 & INFO1_READ) === 0 || (req.info2 & INFO2_WRITE) !== 0 || req.opCount !== 0) return false;
    if (!this.#isHeaderOnly && (info1 & INFO1_GET_ALL) === 0) return false;
    if (req.hasKey || req.hasFilter || req.hasTransaction || (req.info4 & INFO4_MRT_VERIFY_READ) !== 0)
      return false;
    if (ttl !== 0 && ttl !== NEVER_TOUCH) return false;
    this.#mayTouch = ttl === 0;
    this.#setId = req.setSize === 0 ? 0 : namespace.sets.find(req.bytes, req.setAt, req.setSize);
    return this.#setId >= 0;
  }

  /**
   * Reads the record of the digest at `digestAt` and writes the answer at `at`. The shard is held.
   * @param near As of PrimaryIndex.findNear.
   * @returns One past the answer, or -1: execute the row as any other.
   */
  answer(
    shard: Shard,
    bytes: Uint8Array,
    digestAt: number,
    near: number,
    rowIndex: number,
    out: Region,
    at: number,
  ): number {
    const { index, namespace } = shard;
    if (shard.isTruncating) return -1; // it may be gone though it is in the index
    const entry = index.findNear(bytes, digestAt, near);
    if (entry < 0) {
      this.code = NOT_FOUND;
      putMessageHeader(out.view, at, NOT_FOUND, 0, 0, rowIndex, 0);
      return at + MSG_HEADER_SIZE;
    }
    const fields = this.#fields;
    index.fieldsTo(entry, fields);
    if ((fields.flags & TOMBSTONE) !== 0 || namespace.tuning[TUNE_EVER_COMPRESSED] !== 0) return -1;
    const { setId, voidTime } = fields;
    if (this.#setId !== 0 && setId !== this.#setId) return -1;
    if (voidTime !== 0) {
      if (voidTime * 1000 <= shard.clock.read(this.wallMs)) return -1;
      if (
        this.#mayTouch &&
        namespace.setOrNamespace(setId, SET_TUNE_READ_TOUCH_PCT, TUNE_READ_TOUCH_PCT) !== 0
      )
        return -1;
    }
    this.code = OK;
    if (this.#isHeaderOnly) {
      putMessageHeader(out.view, at, OK, fields.generation, voidTime, rowIndex, 0);
      return at + MSG_HEADER_SIZE;
    }
    const stored = this.#stored;
    if (fields.size > this.#sizeMax || shard.engine.load(entry, NO_TOKEN, stored) !== OK) return -1;
    const words = stored.region.i32;
    const w = stored.at >>> 2;
    if ((words[w + REC_FLAGS_SET_GEN]! & (FLAG_PERSISTED_INDEX | FLAG_COMPRESSED)) !== 0) return -1;
    putMessageHeader(out.view, at, OK, fields.generation, voidTime, rowIndex, words[w + REC_BIN_COUNT]!);
    const binsAt = words[w + REC_BINS_AT]!;
    const size = stored.size - binsAt;
    copyRegion(out, at + MSG_HEADER_SIZE, stored.region, stored.at + binsAt, size);
    return at + MSG_HEADER_SIZE + size;
  }
}
