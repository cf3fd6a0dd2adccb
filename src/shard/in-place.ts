/**
 * Commands that the main thread executes itself (and workers, rows of whole batches: batch-worker.ts): to hand a short one over to the worker and back costs more than to
 * carry it out, many times more when the worker sleeps. None that could take long, lest others wait; none while the
 * worker is at work on the shard; and none that needs more memory than the shard has, since only its worker adds any.
 * Where records are compressed, or were, all is the worker's. While the steps of a kind of command are measured, that kind is the worker's too.
 *
 * On a device shard, reads of records in blocks that are in memory, and writes, touches and deletes that fit into the
 * open block (storage/device/device-view.ts). All else is the worker's: what has to be durable before it is answered
 * (commit-to-device), and commands on a digest that has a parked one.
 *
 * Commands of one client come one at a time, so none overtakes another of its own in a worker's ring; what several
 * clients ask at once has no order anyway.
 */
import { Region } from '../base/arena.js';
import { DIGEST_SIZE } from '../base/digest.js';
import { OK, OUT_OF_SPACE, PARKED } from '../base/result.js';
import { BENCH_BATCH_SUB, BENCH_READ, BENCH_WRITE, stepNumber } from '../observe/benchmarks.js';
import { BATCH_SUB_READ_NOT_FOUND, BATCH_SUB_READ_SUCCESS } from '../observe/namespace-counters.js';
import {
  INFO1_COMPRESS_RESPONSE,
  INFO1_READ,
  INFO2_WRITE,
  MSG_HEADER_SIZE,
  OP_APPEND,
  OP_DELETE_ALL,
  OP_INCR,
  OP_PREPEND,
  OP_READ,
  OP_TOUCH,
  OP_WRITE,
} from '../wire/message.js';
import { PROTO_HEADER_SIZE, PROTO_MESSAGE, writeProtoHeader } from '../wire/proto.js';
import { executeBegun, isReadCommand } from './command/execute.js';
import { Executor } from './command/executor.js';
import { countOutcome } from './command/outcome.js';
import { touchAfterRead } from './command/read-touch.js';
import { opEnd, Request } from './command/request.js';
import { LookAhead } from './look-ahead.js';
import { TUNE_BENCHMARKS, TUNE_EVER_COMPRESSED } from './namespace-memory.js';
import { PlainReads } from './plain-reads.js';
import type { RowGroups } from './row-groups.js';
import type { NamespaceView } from './shard.js';
import type { ShardView } from './shard-view.js';

/** Longer messages, larger records and longer answers are the worker's. */
export const MESSAGE_SIZE_MAX = 4096; // bytes
const RECORD_SIZE_MAX = 16 * 1024; // bytes
const OP_COUNT_MAX = 64;
const ANSWER_SIZE_MAX = 32 * 1024; // bytes, with the proto header and what is left out before it
const FRAME_HEAD_SIZE = PROTO_HEADER_SIZE + MSG_HEADER_SIZE;
const MESSAGE_ANSWER_MAX = ANSWER_SIZE_MAX - FRAME_HEAD_SIZE;
/** A record's header, and what the results of its ops may be larger than the ops. */
const GROWTH_ROOM = 1024; // bytes
const OUTBOX_SIZE = 256 * 1024; // bytes
const BATCH_SUB_READ = stepNumber('batch-sub-read');
const BATCH_SUB_WRITE = stepNumber('batch-sub-write');
const NO_TOKEN = -1; // no command waits here

/** Ops whose work is in proportion to the record and the message. Indexed by op code. */
const SHORT_OPS = new Uint8Array(256);
for (const op of [OP_READ, OP_WRITE, OP_INCR, OP_APPEND, OP_PREPEND, OP_TOUCH, OP_DELETE_ALL])
  SHORT_OPS[op] = 1;

export class InPlace {
  /** Answers, as frames, in the order of their commands. */
  readonly outbox: Region;
  /** The command that `parse` has read; if `isDecoded` is false, no message or a long one. */
  request = new Request();
  isDecoded = false;
  /** Of the last command: where its answer is, its code, and whether it was a read. */
  answerAt = 0;
  code = OK;
  isRead = false;
  #end = 0;
  /** Answers end before it. */
  #limit = OUTBOX_SIZE;
  /** Where the answer of the last row begins. */
  #rowAt = 0;
  #readCount = 0;
  #writeCount = 0;
  /** Of the plain rows. */
  #foundCount = 0;
  #notFoundCount = 0;
  /** Those of the namespace of the rows, and the one that is taken. */
  #shards: readonly (ShardView | undefined)[] = [];
  #view!: ShardView;
  readonly #plain = new PlainReads(RECORD_SIZE_MAX);
  readonly #namespaces: readonly NamespaceView[];
  readonly #views: readonly (readonly (ShardView | undefined)[])[];
  readonly #ex = new Executor();
  readonly #own = this.request;
  readonly #ahead = new LookAhead();
  #nowMs = 0;

  /**
   * @param namespaces This thread's.
   * @param views      [namespace id][shard number]; whoever has the array may put others in.
   * @param outbox     For answers; `place` says where in it they go, if it is not all for them.
   */
  constructor(
    namespaces: readonly NamespaceView[],
    views: readonly (readonly (ShardView | undefined)[])[],
    outbox = new Region(OUTBOX_SIZE),
  ) {
    this.outbox = outbox;
    this.#namespaces = namespaces;
    this.#views = views;
  }

  /** The clocks of the commands that follow: monotonic, and wall milliseconds since 2010. */
  setTime(nowMs: number, epochMs: number): void {
    this.#nowMs = nowMs;
    this.#ex.setTime(epochMs);
    this.#plain.wallMs = epochMs;
  }

  /** Whether there is room for another answer. If not, have the outbox sent and call `clear`. */
  get hasRoom(): boolean {
    return this.#end <= this.#limit - ANSWER_SIZE_MAX;
  }

  get isHalfEmpty(): boolean {
    return this.#end <= OUTBOX_SIZE / 2;
  }

  /** The answers that follow go to the `size` bytes at `at` of the outbox. */
  place(at: number, size: number): void {
    this.#end = at;
    this.#limit = at + size;
  }

  /** Room for `size` more bytes right behind the last answer. @returns Where. */
  extend(size: number): number {
    const at = this.#end;
    this.#end = at + size;
    return at;
  }

  /** What is in the outbox was sent. */
  clear(): void {
    this.#end = 0;
  }

  /** Reads the message of `size` bytes at `at`. @returns Whether it may be given to `run`; if not, it may be anything. */
  parse(bytes: Uint8Array, at: number, size: number): boolean {
    const decoded = this.#ahead.find(bytes, at, size);
    if (decoded !== null) {
      this.request = decoded;
      this.isDecoded = true;
      return true;
    }
    const req = this.#own;
    this.request = req;
    this.isDecoded = size <= MESSAGE_SIZE_MAX && req.parseMessage(bytes, at, size) === OK;
    return this.isDecoded && isForHere(req);
  }

  /**
   * Reads a message that will soon be given to `parse`, after those given here before it.
   * @returns Whether `foreseen` is to be told where it belongs.
   */
  foresee(bytes: Uint8Array, at: number, size: number): boolean {
    const req = this.#ahead.next(bytes);
    if (req === null || size > MESSAGE_SIZE_MAX || req.parseMessage(bytes, at, size) !== OK) return false;
    if (!isForHere(req)) return false;
    this.request = req;
    return true;
  }

  /** The message that was read is about a record of this shard. */
  foreseen(at: number, size: number, namespaceId: number, shardNumber: number): void {
    this.#ahead.add(at, size, this.#views[namespaceId]![shardNumber]);
  }

  /** Brings the records of what was foreseen near to the processor. */
  lookAhead(): void {
    this.#ahead.touch();
  }

  /** What was foreseen has been executed, or will not be: its bytes are about to change. */
  forget(): void {
    this.#ahead.clear();
  }

  /**
   * Executes the command that was parsed, unless its worker has to.
   * @returns Bytes of the answer at `answerAt`; 0: nothing has happened.
   */
  run(namespaceId: number, shardNumber: number): number {
    const view = this.#views[namespaceId]![shardNumber];
    if (view === undefined || !view.ownership.tryTake()) return 0;
    // The bins of an answer lie at whole words, as they do in the record.
    const at = ((this.#end + FRAME_HEAD_SIZE + 3) & ~3) - FRAME_HEAD_SIZE;
    const end = this.#execute(view, this.request, at + PROTO_HEADER_SIZE, 0, false);
    giveBack(view);
    if (end < 0) return 0;
    writeProtoHeader(this.outbox.u8, at, PROTO_MESSAGE, end - at - PROTO_HEADER_SIZE);
    this.answerAt = at;
    this.#end = end;
    return end - at;
  }

  /** Begins a frame of rows of one namespace, whose shards are in `groups`. */
  beginRows(namespaceId: number, groups: RowGroups, bytes: Uint8Array): void {
    this.#shards = this.#views[namespaceId]!;
    groups.touch(this.#shards, bytes);
    this.answerAt = this.#end;
    this.#end += PROTO_HEADER_SIZE;
    this.#readCount = 0;
    this.#writeCount = 0;
    this.#foundCount = 0;
    this.#notFoundCount = 0;
  }

  /** Whether rows with this command may be given to `plainRow`: see plain-reads.ts. */
  beginPlainRows(namespaceId: number, req: Request): boolean {
    return this.#plain.begin(req, this.#namespaces[namespaceId]!);
  }

  /**
   * Takes a shard for the rows that follow, until `giveShard`.
   * @param tries Looks at its word, if another thread has it.
   * @returns false: they are its worker's.
   */
  takeShard(shardNumber: number, tries: number): boolean {
    const view = this.#shards[shardNumber];
    if (view === undefined || !view.ownership.takeWithin(tries)) return false;
    this.#view = view;
    if (view.isCurrent) return true;
    view.ownership.give();
    return false;
  }

  giveShard(): void {
    giveBack(this.#view);
  }

  /**
   * Executes a plain read on the shard that is taken.
   * @param near As of PrimaryIndex.findNear.
   * @returns false: it is to be given to `row`.
   */
  plainRow(bytes: Uint8Array, digestAt: number, near: number, rowIndex: number): boolean {
    if (this.#end > this.#limit - ANSWER_SIZE_MAX) return false;
    const plain = this.#plain;
    const view = this.#view;
    if (!view.mayBegin(bytes, digestAt, this.#nowMs)) return false;
    const end = plain.answer(view.shard, bytes, digestAt, near, rowIndex, this.outbox, this.#end);
    if (end < 0) return false;
    this.#rowAt = this.#end;
    this.#end = end;
    if (plain.code === OK) this.#foundCount++;
    else this.#notFoundCount++;
    return true;
  }

  /**
   * Executes a row, of which `mayRun` was true and whose digest is set, on the shard that is taken, unless its worker has
   * to. @returns Whether it was.
   */
  row(req: Request, rowIndex: number): boolean {
    if (!this.hasRoom) return false;
    const end = this.#execute(this.#view, req, this.#end, rowIndex, true);
    if (end < 0) return false;
    this.#rowAt = this.#end;
    this.#end = end;
    if (this.isRead) this.#readCount++;
    else this.#writeCount++;
    return true;
  }

  /** Takes the answer of the last row back. */
  dropRow(): void {
    this.#end = this.#rowAt;
  }

  /** Ends the frame of rows, which came `durationMs` ago. @returns Its bytes at `answerAt`, 0 when no row is in it. */
  endRows(namespaceId: number, durationMs: number): number {
    const at = this.answerAt;
    const reads = this.#readCount + this.#foundCount + this.#notFoundCount;
    const writes = this.#writeCount;
    const { times, counters } = this.#namespaces[namespaceId]!;
    counters[BATCH_SUB_READ_SUCCESS]! += this.#foundCount;
    counters[BATCH_SUB_READ_NOT_FOUND]! += this.#notFoundCount;
    if (reads > 0) times.record(BATCH_SUB_READ, durationMs, reads);
    if (writes > 0) times.record(BATCH_SUB_WRITE, durationMs, writes);
    if (this.#end === at + PROTO_HEADER_SIZE) {
      this.#end = at;
      return 0;
    }
    writeProtoHeader(this.outbox.u8, at, PROTO_MESSAGE, this.#end - at - PROTO_HEADER_SIZE);
    return this.#end - at;
  }

  /** Whether a command that was parsed is of a kind that can be executed in place. */
  mayRun(namespaceId: number, req: Request): boolean {
    const benchmark = this.#namespaces[namespaceId]!.tuning[TUNE_BENCHMARKS]!;
    return (benchmark & BENCH_BATCH_SUB) === 0 && isShort(req);
  }

  /** Executes a command and writes its answer's message at `at`. @returns One past the message, or -1. */
  #execute(view: ShardView, req: Request, at: number, rowIndex: number, isRow: boolean): number {
    const { shard } = view;
    const { index, namespace } = shard;
    const isRead = isReadCommand(req);
    if (!view.takes(req.bytes, req.digestAt, this.#nowMs)) return -1;
    if (namespace.tuning[TUNE_EVER_COMPRESSED] !== 0) return -1;
    if (!isRow && (namespace.tuning[TUNE_BENCHMARKS]! & (isRead ? BENCH_READ : BENCH_WRITE)) !== 0) return -1;
    const ex = this.#ex;
    ex.begin(shard);
    if (!isRead || req.opCount > 0) {
      const entry = ex.find(shard, req);
      const size = entry < 0 ? 0 : index.size(entry);
      if (size > RECORD_SIZE_MAX || (!isRead && !view.hasRoom(size + growthMax(req)))) return -1;
    }
    const code = executeBegun(ex, shard, req, NO_TOKEN);
    if (code === OUT_OF_SPACE || code === PARKED) return -1; // for the worker there may be more, or a device
    const { answer } = ex;
    if (answer.messageSize > MESSAGE_ANSWER_MAX) return -1; // of a read: the others answer nothing but names
    const end = answer.write(this.outbox, at, rowIndex);
    if (isRead && code === OK && touchAfterRead(ex, shard, req, NO_TOKEN) !== OK) return -1;
    countOutcome(namespace.counters, req, code, isRow);
    this.isRead = isRead;
    this.code = code;
    return end;
  }
}

function giveBack(view: ShardView): void {
  const hasNews = view.takeNews();
  view.ownership.give();
  if (hasNews) view.tellWorker();
}

/** What a command adds to its record, which may be none so far, at most. */
function growthMax(req: Request): number {
  return req.endAt - req.opsAt + req.setSize + req.keySize + GROWTH_ROOM;
}

/** Whether a command may be executed here. */
function isForHere(req: Request): boolean {
  return (
    req.digestSize === DIGEST_SIZE &&
    req.namespaceAt >= 0 &&
    (req.info1 & INFO1_COMPRESS_RESPONSE) === 0 &&
    isShort(req)
  );
}

function isShort(req: Request): boolean {
  if (req.hasFilter || req.hasUdf || req.hasTransaction || req.opCount > OP_COUNT_MAX) return false;
  if ((req.info2 & INFO2_WRITE) !== 0 && (req.info1 & INFO1_READ) !== 0) return false;
  const { bytes } = req;
  let p = req.opsAt;
  for (let i = 0; i < req.opCount; i++) {
    if (SHORT_OPS[bytes[p + 4]!] === 0) return false;
    p = opEnd(bytes, p);
  }
  return true;
}
