/**
 * Runs commands on a worker's shards: single ones and the rows of batches. A command either ends with its
 * answer in the completion ring, or is kept in a slot until a device read has come, the command before it on the
 * same digest is done, or what it appended is durable.
 */
import type { SharedBytes } from '../base/arena.js';
import { monotonicMs } from '../base/clock.js';
import { partitionOf } from '../base/digest.js';
import {
  FILTERED_OUT,
  KEY_BUSY,
  NAMESPACE_NOT_FOUND,
  NOT_FOUND,
  OK,
  OUT_OF_SPACE,
  PARKED,
  TIMEOUT,
} from '../base/result.js';
import type { Sleeper } from '../base/sleeper.js';
import { readU32 } from '../wire/message.js';
import { BatchGroup, groupRowsAt, ROW_DIGEST_AT, ROW_PREFIX_SIZE, readGroup } from './batch-group.js';
import { execute, isReadCommand } from './command/execute.js';
import { Executor } from './command/executor.js';
import { countBackgroundWrite, countOutcome } from './command/outcome.js';
import { touchAfterRead } from './command/read-touch.js';
import { Request, ROW_REPEAT } from './command/request.js';
import {
  CLASS_READ,
  CLASS_WRITE,
  REQ_ARRIVAL,
  REQ_DEADLINE,
  REQ_DIGEST_AT,
  REQ_KIND,
  REQ_NUMBER,
  REQ_PARTITION_NAMESPACE,
  REQ_ROWS,
  SOURCE_INTERNAL,
  sourceOf,
} from './frame.js';
import { TUNE_PENDING_LIMIT, TUNE_STOP_WRITES } from './namespace-memory.js';
import type { Reply } from './reply.js';
import type { Shard } from './shard.js';
import type { ShardMap } from './shard-map.js';
import { type CommandSlot, CommandSlots } from './slots.js';
import { StepTimes } from './step-times.js';
import type { WorkerDevices } from './worker-devices.js';

/** Commands that may wait at once on a worker. */
export const SLOT_COUNT = 512;
/** No command can wait with this: the engine answers PARKED without starting a read. */
const NO_TOKEN = -1;
/** While waiting commands hold more bytes than this, no other is begun. */
const KEPT_SIZE_MAX = 256 * 1024 * 1024;
/** Rows of a batch that share one look at the clock. */
const ROWS_A_LOOK = 8;
/** A turn that has lasted so long does what time asks for, flushes above all, and goes on. */
const TURN_MS = 10;
/** Between two looks at the clock no more bytes of records and messages are handled than these, but for one command. */
const HANDLED_MAX = 32 * 1024;
/** How often commands that wait to be durable are looked at for their deadlines. */
const COMMIT_CHECK_MS = 10;
const WAIT_MS = 20; // for a slot, between two looks

export class CommandRunner {
  readonly #map: ShardMap;
  readonly #reply: Reply;
  readonly #devices: WorkerDevices;
  readonly #sleeper: Sleeper;
  readonly #onWait: () => void;
  readonly #onInternalEnd: (job: number, code: number) => void;
  readonly #ex = new Executor();
  readonly #request = new Request();
  readonly #slots: CommandSlots;
  readonly #groups: BatchGroup[] = [];
  readonly #steps = new StepTimes();
  /** About now, of the rows of a batch. */
  #rowMs = 0;
  readonly #tokens = new Int32Array(SLOT_COUNT);
  #nowMs = 0;
  /** Bytes of records and messages that commands have handled since the last look at the clock. */
  #handledSize = 0;
  #commitCheckAtMs = 0;
  /** Counts commands; tells a batch that another command has used the request object in between. */
  #commandCount = 0;

  /**
   * @param parked Of createParkedCounts.
   * @param onWait Called within a turn that is long, or in which a batch waits, for what time asks for meanwhile.
   * @param onInternalEnd Called when a command that no client waits for has ended.
   */
  constructor(
    map: ShardMap,
    reply: Reply,
    devices: WorkerDevices,
    sleeper: Sleeper,
    parked: SharedBytes,
    onWait: () => void,
    onInternalEnd: (job: number, code: number) => void = () => {},
  ) {
    this.#slots = new CommandSlots(SLOT_COUNT, parked);
    this.#map = map;
    this.#reply = reply;
    this.#devices = devices;
    this.#sleeper = sleeper;
    this.#onWait = onWait;
    this.#onInternalEnd = onInternalEnd;
  }

  /** The clocks of the commands that follow: monotonic, and wall milliseconds since 2010. */
  setTime(nowMs: number, epochMs: number): void {
    this.#nowMs = nowMs;
    this.#ex.setTime(epochMs);
  }

  /** Answers commands whose appends are durable, and those whose time is up. @returns Whether there were any. */
  #resumeCommitted(): boolean {
    let any = false;
    const isCheckDue = this.#nowMs >= this.#commitCheckAtMs;
    if (isCheckDue) this.#commitCheckAtMs = this.#nowMs + COMMIT_CHECK_MS;
    for (const shard of this.#map.shards) {
      const { commits } = shard;
      if (commits.first === null) continue;
      const number = shard.engine.committedNumber;
      for (let done = commits.take(number); done !== null; done = commits.take(number)) {
        any = true;
        this.#slots.unpark(done);
        if (done.isAnswered) this.#leave(done);
        else this.#answerCommitted(done, done);
      }
      if (!isCheckDue) continue;
      for (let slot: CommandSlot | null = commits.first; slot !== null; slot = slot.nextCommit) {
        if (!slot.isAnswered && this.#isLate(deadlineOf(slot))) this.#giveUpCommit(slot);
      }
    }
    return any;
  }

  /** Keeps a command, whose answer is ready, until what it appended is durable. */
  #awaitCommit(slot: CommandSlot): void {
    const { engine, commits } = slot.shard;
    slot.answer.keep(this.#ex.answer);
    slot.commitNumber = engine.commitNumber;
    engine.release(slot.number); // the answer lies in the slot now
    this.#steps.park(slot);
    this.#slots.park(slot);
    commits.add(slot);
  }

  /** The time of a command is up: its client is told, its record stays as it is until that is durable. */
  #giveUpCommit(slot: CommandSlot): void {
    this.#ex.answer.fail(TIMEOUT);
    slot.answer.keep(this.#ex.answer);
    slot.isAnswered = true;
    if (slot.group !== null) slot.group.credit += slot.chargedSize;
    this.#answerCommitted(slot, null);
    this.#reply.endRows();
  }

  /** @param held The slot if it is to be left after the answer, else null. */
  #answerCommitted(slot: CommandSlot, held: CommandSlot | null): void {
    const { group, bytes, size, shard } = slot;
    const req = this.#request;
    const { answer } = this.#ex;
    this.#commandCount++;
    slot.answer.restore(answer);
    if (group === null) {
      req.parseMessage(bytes, 0, size);
      this.#steps.begin(shard.namespace, isReadCommand(req), false, 0, slot);
      this.#end(slot.header, slot.headerF64, 0, shard.namespace.id, shard, answer.code, held);
    } else {
      this.#rowMs = monotonicMs();
      req.parseRow(bytes, ROW_PREFIX_SIZE, size, group.headerInfo3);
      req.digestAt = ROW_DIGEST_AT;
      req.batchFilter = group.filter;
      this.#steps.begin(shard.namespace, isReadCommand(req), true, 0, slot);
      this.#endRow(group, readU32(bytes, 0), shard, answer.code, held);
    }
    if (held !== null) this.#leave(held);
  }

  /** Whether another command may be begun: it may need a slot. */
  get canTake(): boolean {
    return this.#slots.freeCount > 0 && this.#slots.keptSize < KEPT_SIZE_MAX;
  }

  /** Whether commands since the clock was looked at were so large that it should be before the next one; it is then. */
  takeLookDue(): boolean {
    if (this.#handledSize < HANDLED_MAX) return false;
    this.#handledSize = 0;
    return true;
  }

  /**
   * Looks at the clock between two commands of a turn, and has done what time asks for when the turn has become long:
   * what was acknowledged must get to the device in time, however much is asked for meanwhile.
   */
  look(): void {
    if (monotonicMs() - this.#nowMs < TURN_MS) return;
    this.#onWait();
    this.#devices.pump();
  }

  /** Whether no command is waiting for anything. */
  get isIdle(): boolean {
    return this.#slots.freeCount === SLOT_COUNT;
  }

  /**
   * Executes a single command of `size` bytes at `at`, whose frame header is at word `w`.
   * @param slot The slot it holds when it is run again, else null.
   */
  record(
    header: Uint32Array,
    f64: Float64Array,
    w: number,
    bytes: Uint8Array,
    at: number,
    size: number,
    slot: CommandSlot | null,
  ): void {
    const req = this.#request;
    this.#commandCount++;
    const partitionNamespace = header[w + REQ_PARTITION_NAMESPACE]!;
    const namespaceId = partitionNamespace >>> 16;
    const shard = this.#map.of(namespaceId, partitionNamespace & 0xffff);
    const parsed = req.parseMessage(bytes, at, size);
    const arrivalMs = f64[(w + REQ_ARRIVAL) >>> 1]!;
    this.#steps.begin(shard.namespace, isReadCommand(req), false, arrivalMs, slot);
    if (parsed === OK && slot === null) {
      const front = this.#slots.findParked(shard, bytes, at + header[w + REQ_DIGEST_AT]!);
      if (front !== null && mayWait(front, req)) {
        const waiting = this.#slots.take();
        waiting.fill(header, w, bytes, at, size, shard);
        this.#steps.wait(waiting);
        this.#slots.wait(front, waiting);
        return;
      }
      if (front !== null) {
        this.#end(header, f64, w, namespaceId, shard, this.#ex.answer.fail(KEY_BUSY), slot);
        return;
      }
    }
    const isLate = this.#isLate(f64[(w + REQ_DEADLINE) >>> 1]!);
    const { ownership, engine } = shard;
    if (ownership !== null) ownership.take(); // until the answer is written: it lies in the shard's memory
    const appended = engine.commitNumber;
    const code = parsed !== OK ? this.#ex.answer.fail(parsed) : this.#execute(shard, isLate, slot);
    const isCommitted = engine.commitNumber === appended;
    let kept = slot;
    if (slot === null && (code === PARKED || !isCommitted)) {
      kept = this.#slots.take();
      kept.fill(header, w, bytes, at, size, shard);
    }
    if (code === PARKED) this.#park(kept!);
    else if (!isCommitted) this.#awaitCommit(kept!);
    else this.#end(header, f64, w, namespaceId, shard, code, slot);
    if (ownership !== null) ownership.give();
    if (slot !== null && code !== PARKED && isCommitted) this.#leave(slot);
  }

  /** Keeps a command until its read has come. */
  #park(slot: CommandSlot): void {
    this.#steps.park(slot);
    this.#slots.park(slot);
  }

  /** Executes the rows of a batch that came in one frame, as `record`. */
  batchGroup(
    header: Uint32Array,
    f64: Float64Array,
    w: number,
    bytes: Uint8Array,
    at: number,
    size: number,
  ): void {
    const reply = this.#reply;
    const req = this.#request;
    const group = this.#groups.pop() ?? new BatchGroup();
    readGroup(group, header, f64, w, bytes, at, this.#ex.programs);
    this.#rowMs = monotonicMs();
    group.takenMs = this.#rowMs;
    group.openRows = 1; // ours, so that the group outlives the loop below
    const rows = header[w + REQ_ROWS]!;
    const end = at + size;
    let p = groupRowsAt(bytes, at);
    let templateAt = 0;
    let templateEnd = 0;
    let count = -1; // commands when the request object was last ours
    for (let i = 0; i < rows; i++) {
      if (group.stopCode !== 0) {
        reply.dropRows(group, rows - i, group.stopCode);
        break;
      }
      if (group.credit <= 0) {
        reply.pause(group, i);
        break;
      }
      const rowAt = p;
      const isRepeat = (bytes[rowAt + ROW_PREFIX_SIZE]! & ROW_REPEAT) !== 0;
      if (!isRepeat) templateAt = rowAt + ROW_PREFIX_SIZE;
      if (!isRepeat || this.#commandCount !== count) {
        req.parseRow(bytes, templateAt, end, group.headerInfo3); // the main thread has checked it
        templateEnd = req.endAt;
      }
      p = isRepeat ? rowAt + ROW_PREFIX_SIZE + 1 : templateEnd;
      count = ++this.#commandCount;
      if (i % ROWS_A_LOOK === ROWS_A_LOOK - 1 || this.takeLookDue()) {
        this.look();
        this.#rowMs = monotonicMs();
      }
      this.#row(group, bytes, rowAt, templateAt, templateEnd - templateAt, null);
    }
    reply.endRows();
    this.#closeRow(group);
  }

  /** Runs commands whose reads have come. @returns Whether there were any. */
  resumeParked(): boolean {
    if (this.#slots.parkedCount === 0) return false;
    let any = this.#resumeCommitted();
    for (const shard of this.#map.shards) {
      const count = shard.engine.poll(this.#tokens);
      for (let i = 0; i < count; i++) {
        any = true;
        const slot = this.#slots.of(this.#tokens[i]!);
        this.#slots.unpark(slot);
        this.#runSlot(slot);
        this.look();
      }
    }
    return any;
  }

  /**
   * Executes one row: its index and digest are at `rowAt`; its command, from the row flags on, is at `templateAt`
   * and is in the request object already.
   */
  #row(
    group: BatchGroup,
    bytes: Uint8Array,
    rowAt: number,
    templateAt: number,
    templateSize: number,
    slot: CommandSlot | null,
  ): void {
    const req = this.#request;
    const answer = this.#ex.answer;
    const rowIndex = readU32(bytes, rowAt);
    req.digestAt = rowAt + ROW_DIGEST_AT;
    req.batchFilter = group.filter;
    if (slot === null) group.openRows++;
    const namespaceId = this.#map.namespaceId(bytes, req.namespaceAt, req.namespaceSize);
    if (namespaceId < 0) {
      answer.fail(NAMESPACE_NOT_FOUND);
      this.#endRow(group, rowIndex, null, NAMESPACE_NOT_FOUND, slot);
      return;
    }
    const shard = this.#map.of(namespaceId, partitionOf(bytes, req.digestAt));
    this.#steps.begin(shard.namespace, isReadCommand(req), true, group.takenMs, slot);
    if (slot === null) {
      const front = this.#slots.findParked(shard, bytes, req.digestAt);
      if (front !== null && mayWait(front, req)) {
        const waiting = this.#slots.take();
        waiting.fillRow(group, bytes, rowAt, templateAt, templateSize, shard);
        this.#steps.wait(waiting);
        this.#slots.wait(front, waiting);
        this.#awaitSlot();
        return;
      }
      if (front !== null) {
        this.#endRow(group, rowIndex, shard, answer.fail(KEY_BUSY), slot);
        return;
      }
    }
    const { ownership, engine } = shard;
    if (ownership !== null) ownership.take();
    const appended = engine.commitNumber;
    const code = this.#execute(shard, this.#isLate(group.deadlineMs), slot);
    const isCommitted = engine.commitNumber === appended;
    const isDone = code !== PARKED && isCommitted;
    let kept = slot;
    if (slot === null && !isDone) {
      kept = this.#slots.take();
      kept.fillRow(group, bytes, rowAt, templateAt, templateSize, shard);
      if (code === PARKED) this.#charge(kept, shard, group);
    }
    if (code === PARKED) this.#park(kept!);
    else if (!isCommitted) this.#awaitCommit(kept!);
    else this.#endRow(group, rowIndex, shard, code, slot);
    if (ownership !== null) ownership.give();
    if (isDone && slot !== null) this.#leave(slot);
    else if (!isDone && slot === null) this.#awaitSlot(); // one that was resumed took no further slot
  }

  /** Runs the command in the request object. @returns Its code, with the answer filled, or PARKED. */
  #execute(shard: Shard, isLate: boolean, slot: CommandSlot | null): number {
    if (isLate) return this.#ex.answer.fail(TIMEOUT);
    const token = slot === null ? this.#slots.peek().number : slot.number;
    const code = execute(this.#ex, shard, this.#request, token);
    if (this.#ex.isLoaded) this.#handledSize += this.#ex.stored.size;
    this.#handledSize += this.#request.endAt - this.#request.opsAt;
    const { isMemory, tuning } = shard.namespace;
    if (code !== OUT_OF_SPACE || !isMemory || tuning[TUNE_STOP_WRITES] !== 0) return code;
    // What was deleted just now is not gathered into free pages yet: the worker may have slept since.
    shard.engine.tick(this.#nowMs);
    return execute(this.#ex, shard, this.#request, token);
  }

  /** Sends the answer of a single command. The caller leaves its slot. */
  #end(
    header: Uint32Array,
    f64: Float64Array,
    w: number,
    namespaceId: number,
    shard: Shard,
    code: number,
    slot: CommandSlot | null,
  ): void {
    if (sourceOf(header[w + REQ_KIND]!) === SOURCE_INTERNAL) {
      countBackgroundWrite(shard.namespace.counters, code);
      this.#onInternalEnd(header[w + REQ_NUMBER]!, code);
      return;
    }
    const isRead = isReadCommand(this.#request);
    countOutcome(shard.namespace.counters, this.#request, code, false);
    const endedMs = this.#steps.end(shard.namespace, isRead, false);
    const klass = isRead ? CLASS_READ : CLASS_WRITE;
    this.#reply.answer(header, f64, w, klass, namespaceId, this.#ex.answer, endedMs);
    if (isRead && code === OK) this.#touchAfterRead(shard, slot);
  }

  /** Sends the answer of a row, and ends the batch where the client wants that. The caller leaves its slot. */
  #endRow(
    group: BatchGroup,
    rowIndex: number,
    shard: Shard | null,
    code: number,
    slot: CommandSlot | null,
  ): void {
    const reply = this.#reply;
    if (slot !== null) group.credit += slot.chargedSize;
    let endedMs = 0;
    let namespaceId = 0;
    if (shard !== null) {
      const { namespace } = shard;
      namespaceId = namespace.id;
      const isRead = isReadCommand(this.#request);
      countOutcome(namespace.counters, this.#request, code, true);
      endedMs = this.#steps.end(namespace, isRead, true);
      this.#steps.row(namespace, isRead, group.arrivalMs, group.takenMs, this.#rowMs);
    }
    const stops = !group.respondAll && code !== OK && code !== NOT_FOUND && code !== FILTERED_OUT;
    if (stops && group.stopCode === 0) group.stopCode = code;
    if (stops && !group.reportErrorRow) reply.dropRows(group, 1, code);
    else reply.row(group, rowIndex, this.#ex.answer, endedMs, namespaceId);
    if (code === OK && shard !== null && isReadCommand(this.#request)) this.#touchAfterRead(shard, slot);
    if (slot !== null) reply.endRows();
    this.#closeRow(group);
  }

  /** A row that waits for a large record counts against its group's credit already, lest hundreds of them come at once. */
  #charge(slot: CommandSlot, shard: Shard, group: BatchGroup): void {
    const entry = shard.index.find(slot.bytes, slot.digestAt);
    slot.chargedSize = entry < 0 ? 0 : shard.index.size(entry);
    group.credit -= slot.chargedSize;
  }

  #closeRow(group: BatchGroup): void {
    if (--group.openRows > 0) return;
    if (group.stopCode !== 0) this.#reply.dropRows(group, 0, group.stopCode);
    this.#groups.push(group);
  }

  #isLate(deadlineMs: number): boolean {
    return deadlineMs !== 0 && this.#nowMs > deadlineMs;
  }

  /** A batch may use up all slots: lets parked commands finish until one is free again. */
  #awaitSlot(): void {
    if (this.#slots.freeCount > 0) return;
    this.#reply.endRows();
    while (this.#slots.freeCount === 0) {
      this.#reply.publish();
      this.#onWait();
      this.#devices.pump();
      if (!this.resumeParked()) this.#sleeper.sleep(() => this.#devices.hasWork(), WAIT_MS);
    }
  }

  #runSlot(slot: CommandSlot): void {
    const { group, bytes, size } = slot;
    if (group === null) {
      this.record(slot.header, slot.headerF64, 0, bytes, 0, size, slot);
      return;
    }
    this.#commandCount++;
    this.#rowMs = monotonicMs();
    this.#request.parseRow(bytes, ROW_PREFIX_SIZE, size, group.headerInfo3);
    this.#row(group, bytes, 0, ROW_PREFIX_SIZE, size - ROW_PREFIX_SIZE, slot);
  }

  /** A command that held a slot is done: gives back its read buffer and slot, and runs the one behind it. */
  #leave(slot: CommandSlot): void {
    slot.shard.engine.release(slot.number);
    const next = this.#slots.leave(slot);
    if (next !== null) this.#runSlot(next);
  }

  /** Carries out the touch that a read asked for, after its answer. It need not succeed. */
  #touchAfterRead(shard: Shard, slot: CommandSlot | null): void {
    touchAfterRead(this.#ex, shard, this.#request, slot === null ? NO_TOKEN : slot.number);
  }
}

/** When the client of a kept command stops waiting, or 0. */
function deadlineOf(slot: CommandSlot): number {
  return slot.group === null ? slot.headerF64[REQ_DEADLINE >>> 1]! : slot.group.deadlineMs;
}

/**
 * Whether another command may line up behind a parked one. Reads always may: the limit is about commands that would
 * have to be carried out one after another, and a read only waits for the bytes.
 */
function mayWait(front: CommandSlot, req: Request): boolean {
  if (isReadCommand(req)) return true;
  const limit = front.shard.namespace.tuning[TUNE_PENDING_LIMIT]!;
  return limit === 0 || front.waitingCount < limit;
}
