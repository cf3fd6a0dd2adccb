/**
 * Commands that the main thread executes itself, on memory shards: to hand a short one over to the worker and back
 * costs more than to carry it out, many times more when the worker sleeps. None that could take long, lest others wait;
 * none while the worker is at work on the shard; and none that needs more memory than the shard has, since only its
 * worker adds any. Where records are compressed, or were, all is the worker's. While the steps of a kind of command are measured, that kind is the worker's too.
 *
 * Commands of one client come one at a time, so none overtakes another of its own in a worker's ring; what several
 * clients ask at once has no order anyway.
 */
import { OK, OUT_OF_SPACE } from '../base/result.js';
import { BENCH_READ, BENCH_WRITE } from '../observe/benchmarks.js';
import {
  INFO1_COMPRESS_RESPONSE,
  INFO1_READ,
  INFO2_WRITE,
  OP_APPEND,
  OP_DELETE_ALL,
  OP_INCR,
  OP_PREPEND,
  OP_READ,
  OP_TOUCH,
  OP_WRITE,
} from '../wire/message.js';
import { PROTO_HEADER_SIZE, PROTO_MESSAGE, writeProtoHeader } from '../wire/proto.js';
import { execute, isReadCommand } from './command/execute.js';
import { Executor } from './command/executor.js';
import { countOutcome } from './command/outcome.js';
import { touchAfterRead } from './command/read-touch.js';
import { opEnd, Request } from './command/request.js';
import { TUNE_BENCHMARKS, TUNE_EVER_COMPRESSED } from './namespace-memory.js';
import type { ShardView } from './shard-view.js';

/** Longer messages, larger records and longer answers are the worker's. */
const MESSAGE_SIZE_MAX = 4096; // bytes
const RECORD_SIZE_MAX = 16 * 1024; // bytes
const OP_COUNT_MAX = 64;
/** A read of a record that large names a bin of it so many times at most. */
const ANSWER_SIZE_MAX = 32 * 1024; // bytes
const OUTBOX_SIZE = 256 * 1024; // bytes
const NO_TOKEN = -1; // memory never makes a command wait

/** Ops whose work is in proportion to the record and the message. Indexed by op code. */
const SHORT_OPS = new Uint8Array(256);
for (const op of [OP_READ, OP_WRITE, OP_INCR, OP_APPEND, OP_PREPEND, OP_TOUCH, OP_DELETE_ALL])
  SHORT_OPS[op] = 1;

export class InPlace {
  /** Answers, as frames, in the order of their commands. */
  readonly outbox = new Uint8Array(OUTBOX_SIZE);
  /** Where the next answer goes; the last one ends here. */
  outboxEnd = 0;
  /** Of the last command. */
  isRead = false;
  readonly #views: readonly (readonly (ShardView | undefined)[])[];
  readonly #ex = new Executor();
  readonly #request = new Request();

  /** @param views [namespace id][shard number]; whoever has the array may put others in. */
  constructor(views: readonly (readonly (ShardView | undefined)[])[]) {
    this.#views = views;
  }

  /** The wall clock of the commands that follow, milliseconds since 2010. */
  setTime(epochMs: number): void {
    this.#ex.setTime(epochMs);
  }

  /** Whether there is room for another answer. If not, have the outbox sent and call `clear`. */
  get hasRoom(): boolean {
    return this.outboxEnd <= OUTBOX_SIZE - ANSWER_SIZE_MAX;
  }

  /** What is in the outbox was sent. */
  clear(): void {
    this.outboxEnd = 0;
  }

  /**
   * Executes the message of `size` bytes at `at`, unless its worker has to.
   * @returns Bytes of the answer, which end at `outboxEnd`; 0: nothing has happened.
   */
  run(namespaceId: number, shardNumber: number, bytes: Uint8Array, at: number, size: number): number {
    if (size > MESSAGE_SIZE_MAX) return 0;
    const view = this.#views[namespaceId]![shardNumber];
    if (view === undefined) return 0;
    const req = this.#request;
    if (req.parseMessage(bytes, at, size) !== OK || !isShort(req)) return 0;
    const { ownership } = view;
    if (!ownership.tryTake()) return 0;
    const answerSize = view.isCurrent ? this.#execute(view, req) : 0;
    ownership.give();
    return answerSize;
  }

  #execute({ shard }: ShardView, req: Request): number {
    const { index, namespace } = shard;
    if (namespace.tuning[TUNE_EVER_COMPRESSED] !== 0) return 0;
    this.isRead = isReadCommand(req);
    if ((namespace.tuning[TUNE_BENCHMARKS]! & (this.isRead ? BENCH_READ : BENCH_WRITE)) !== 0) return 0;
    const entry = index.find(req.bytes, req.digestAt);
    if (entry >= 0 && index.size(entry) > RECORD_SIZE_MAX) return 0;
    const ex = this.#ex;
    const code = execute(ex, shard, req, NO_TOKEN);
    if (code === OUT_OF_SPACE) return 0; // for the worker there may be more
    const { answer } = ex;
    const bodySize = answer.messageSize;
    const frameSize = PROTO_HEADER_SIZE + bodySize;
    if (frameSize > ANSWER_SIZE_MAX) return 0; // of a read: the others answer nothing but names
    const out = this.outbox;
    const at = this.outboxEnd;
    writeProtoHeader(out, at, PROTO_MESSAGE, bodySize);
    answer.write(out, at + PROTO_HEADER_SIZE, 0);
    if (this.isRead && code === OK && touchAfterRead(ex, shard, req, NO_TOKEN) !== OK) return 0;
    countOutcome(namespace.counters, req, code, false);
    this.outboxEnd = (at + frameSize + 7) & ~7;
    return frameSize;
  }
}

function isShort(req: Request): boolean {
  if (req.hasFilter || req.hasUdf || req.hasTransaction || req.opCount > OP_COUNT_MAX) return false;
  if ((req.info1 & INFO1_COMPRESS_RESPONSE) !== 0) return false;
  if ((req.info2 & INFO2_WRITE) !== 0 && (req.info1 & INFO1_READ) !== 0) return false;
  const { bytes } = req;
  let p = req.opsAt;
  for (let i = 0; i < req.opCount; i++) {
    if (SHORT_OPS[bytes[p + 4]!] === 0) return false;
    p = opEnd(bytes, p);
  }
  return true;
}
