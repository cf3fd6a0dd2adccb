/**
 * The load that one thread makes: it keeps its connections busy (closed loop) or sends requests at the moments
 * of a schedule (open loop, see schedule.ts), checks every answer and counts into its tally.
 */
import { monotonicMs } from '../../base/clock.js';
import { NOT_FOUND, OK } from '../../base/result.js';
import { BUSY, CLOSED, Connection, type ConnectionOwner, IDLE } from './connection.js';
import { type BinSpec, ObjectSpec } from './object-spec.js';
import { Random } from './random.js';
import { RequestWriter } from './request.js';
import { BROKEN, Message } from './response.js';
import { Schedule } from './schedule.js';
import type { Tally } from './tally.js';
import { shareStart, type Workload } from './workload.js';

/** What a thread has to know, in a form that a structured clone keeps. */
export interface LoadPlan {
  readonly host: string;
  readonly port: number;
  readonly namespace: string;
  readonly set: string;
  readonly bins: readonly BinSpec[];
  readonly keyCount: number;
  readonly startKey: number;
  readonly workload: Workload;
  readonly connectionCount: number;
  /** Time at the start that is not measured: both sides compile their hot code then. Only result codes count. */
  readonly warmupMs: number;
  /** After the warm-up. Undefined: until `requestCount` requests were sent. */
  readonly durationMs: number | undefined;
  readonly requestCount: number | undefined;
  /** Requests a second of all threads together; undefined for a closed loop. */
  readonly rate: number | undefined;
  /** Records a read request; 0 or 1 for single reads. */
  readonly batchSize: number;
  /** Requests after which a connection is closed and opened anew; 0 for never. */
  readonly churn: number;
  readonly timeoutMs: number;
  readonly seed: number;
  readonly verify: boolean;
}

const TICK_MS = 1; // of the schedule
/** How long after its end an open loop goes on sending what fell due before it and found no free connection. */
const CATCH_UP_MS = 250;
const UPKEEP_MS = 20; // deadlines, timeouts, lost connections
const REOPEN_MS = 100; // pause before a lost connection is opened again
const UNREACHABLE_MS = 10_000; // without any connection: give up
const LAST_ANSWERS_MS = 10_000; // wait for the last answers, when there is no timeout
const ANSWERED = 1;
const UNANSWERED = 0;
const READ_BUFFER_SIZE = 256 * 1024; // bytes

export class Driver implements ConnectionOwner {
  readonly #plan: LoadPlan;
  readonly #tally: Tally;
  readonly #spec: ObjectSpec;
  readonly #writer: RequestWriter;
  readonly #random: Random;
  readonly #message = new Message();
  readonly #connections: Connection[] = [];
  readonly #idle: Connection[] = [];
  /** Undefined in a closed loop. */
  readonly #schedule: Schedule | undefined;
  readonly #isBatch: boolean;
  readonly #readPerMyriad: number;
  #left: number;
  #nextInsert: number;
  #measureFromMs = 0;
  #hasCountedMissed = false;
  #deadlineMs = Number.POSITIVE_INFINITY;
  #lastOpenMs = 0;
  #isRunning = false;
  #isEnding = false;
  #endedMs = 0;
  #opened: ((error: Error | undefined) => void) | undefined;
  #finish: ((error: Error | undefined) => void) | undefined;

  /** @param part number of this thread, 0 … parts - 1; it takes its share of keys, requests and connections. */
  constructor(plan: LoadPlan, part: number, parts: number, tally: Tally) {
    this.#plan = plan;
    this.#tally = tally;
    this.#spec = new ObjectSpec(plan.bins);
    this.#writer = new RequestWriter(plan.namespace, plan.set, this.#spec, plan.timeoutMs);
    this.#random = new Random(plan.seed, part);
    this.#schedule = plan.rate === undefined ? undefined : new Schedule(plan.rate, part, parts);
    this.#isBatch = plan.batchSize > 1;
    this.#readPerMyriad = plan.workload.readPct * 100;
    const share = (count: number) => shareStart(count, part + 1, parts) - shareStart(count, part, parts);
    const isInsert = plan.workload.kind === 'insert';
    this.#nextInsert = plan.startKey + shareStart(plan.keyCount, part, parts);
    this.#left = Math.min(
      plan.requestCount === undefined ? Number.POSITIVE_INFINITY : share(plan.requestCount),
      isInsert ? share(plan.keyCount) : Number.POSITIVE_INFINITY,
    );
    const batchSize = this.#isBatch ? plan.batchSize : 0;
    const readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_SIZE);
    const outSize = this.#writer.sizeMax(batchSize);
    for (let i = share(plan.connectionCount); i > 0; i--) {
      this.#connections.push(new Connection(this, readBuffer, outSize, batchSize));
    }
  }

  /** Opens all connections. Rejects with the first failure. */
  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#opened = error => {
        this.#opened = undefined;
        if (error) reject(error);
        else resolve();
      };
      for (const connection of this.#connections) this.#open(connection);
      if (this.#connections.length === 0) this.#opened(undefined);
    });
  }

  /**
   * Sends requests from `startMs` on (monotonic milliseconds) until the plan is fulfilled or `stop` was called,
   * and the last answers have come. Rejects when the server cannot be reached any more.
   */
  async run(startMs: number): Promise<void> {
    this.#schedule?.start(startMs);
    this.#lastOpenMs = startMs;
    const measureFromMs = startMs + this.#plan.warmupMs;
    // Without a warm-up everything counts: clocks of two threads may differ by a little.
    if (this.#plan.warmupMs > 0) this.#measureFromMs = measureFromMs;
    if (this.#plan.durationMs !== undefined) this.#deadlineMs = measureFromMs + this.#plan.durationMs;
    this.#isRunning = true;
    const upkeep = setInterval(() => this.#upkeep(), UPKEEP_MS);
    const ticks = this.#schedule && setInterval(() => this.#sendDue(this.#schedule!), TICK_MS);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#finish = error => (error ? reject(error) : resolve());
        for (const connection of this.#connections) if (connection.state === IDLE) this.#proceed(connection);
        this.#endIfDone();
      });
    } finally {
      clearInterval(upkeep);
      clearInterval(ticks);
      this.#isRunning = false;
      for (const connection of this.#connections) connection.close();
    }
  }

  /** No more requests; the ones in flight are waited for. */
  stop(): void {
    this.#end();
    this.#endIfDone();
  }

  onOpen(connection: Connection): void {
    this.#tally.add('connectionsOpened');
    if (this.#opened !== undefined && this.#connections.every(each => each.state === IDLE))
      this.#opened(undefined);
    if (this.#isRunning) this.#proceed(connection);
  }

  onFrame(connection: Connection, bodyAt: number, bodyEnd: number): void {
    const outcome = this.#countFrame(connection, bodyAt, bodyEnd);
    // Bytes behind a whole answer are bytes that nobody has asked for yet.
    if (outcome === BROKEN || (outcome === ANSWERED && !connection.cutter.isEmpty))
      this.onBadFrame(connection);
    else if (outcome === ANSWERED) this.#complete(connection, monotonicMs());
  }

  onBadFrame(connection: Connection): void {
    this.#tally.add('badFrames');
    connection.close();
    this.#reopenLater(connection);
  }

  onBroken(connection: Connection, error: Error | undefined): void {
    this.#opened?.(error ?? new Error('the server closed the connection'));
    if (!this.#isRunning) return;
    this.#tally.add('connectionsBroken');
    this.#reopenLater(connection);
  }

  /** Counts the messages of a frame: BROKEN, ANSWERED when the request is, or UNANSWERED when rows are missing. */
  #countFrame(connection: Connection, bodyAt: number, bodyEnd: number): number {
    const bytes = connection.cutter.bytes;
    const isBatch = this.#isBatch && connection.isRead;
    let at = bodyAt;
    while (at < bodyEnd) {
      at = this.#message.read(bytes, at, bodyEnd);
      if (at === BROKEN) return BROKEN;
      if (isBatch && this.#message.isLast) {
        if (this.#message.resultCode !== OK) this.#tally.addCode(true, this.#message.resultCode);
        else if (connection.rowsSeen !== this.#plan.batchSize) return BROKEN;
        return at === bodyEnd ? ANSWERED : BROKEN;
      }
      if (!this.#countRecord(connection, bytes)) return BROKEN;
      if (!isBatch) return at === bodyEnd ? ANSWERED : BROKEN;
    }
    return UNANSWERED;
  }

  /** Counts one record of an answer; false when it is a row that was not asked for. */
  #countRecord(connection: Connection, bytes: Buffer): boolean {
    const message = this.#message;
    let key = connection.key;
    if (this.#isBatch && connection.isRead) {
      if (message.index >= this.#plan.batchSize || ++connection.rowsSeen > this.#plan.batchSize) return false;
      key = connection.batchKeys[message.index]!;
    }
    if (connection.dueMs >= this.#measureFromMs) this.#tally.add('records');
    this.#tally.addCode(connection.isRead, message.resultCode);
    if (this.#plan.verify && connection.isRead && message.resultCode === OK) {
      if (!this.#spec.checkOps(bytes, message.opsAt, message.opCount, key)) this.#tally.add('badValues');
    }
    return true;
  }

  #complete(connection: Connection, nowMs: number): void {
    connection.state = IDLE;
    if (connection.dueMs >= this.#measureFromMs) {
      this.#tally.add(connection.isRead ? 'reads' : 'writes');
      this.#tally.addLatency(connection.isRead ? 'read' : 'write', nowMs - connection.dueMs);
    }
    if (this.#plan.churn > 0 && connection.requestCount >= this.#plan.churn && !this.#isEnding) {
      this.#open(connection);
    } else {
      this.#proceed(connection, nowMs);
    }
  }

  /** The connection is free: gives it the next request, if one is due. */
  #proceed(connection: Connection, nowMs = monotonicMs()): void {
    if (nowMs >= this.#deadlineMs) this.#end();
    if (this.#schedule !== undefined && this.#mayCatchUp(this.#schedule, nowMs)) {
      this.#send(connection, this.#schedule.nextMs, nowMs);
    } else if (this.#isEnding || this.#left === 0) {
      this.#endIfDone();
    } else if (this.#schedule === undefined) {
      this.#send(connection, nowMs, nowMs);
    } else if (this.#schedule.nextMs <= nowMs) {
      this.#send(connection, this.#schedule.nextMs, nowMs);
    } else {
      this.#idle.push(connection);
    }
  }

  /** Gives every request that has become due to a free connection, while there are any. */
  #sendDue(schedule: Schedule): void {
    const nowMs = monotonicMs();
    while (this.#idle.length > 0 && this.#left > 0 && !this.#isEnding) {
      const dueMs = schedule.nextMs;
      if (dueMs > nowMs || dueMs >= this.#deadlineMs) return;
      const connection = this.#idle.shift()!;
      if (connection.state !== IDLE) continue; // lost while it waited
      if (dueMs >= this.#measureFromMs) this.#tally.addLatency('lag', nowMs - dueMs);
      this.#send(connection, dueMs, nowMs);
    }
  }

  #send(connection: Connection, dueMs: number, nowMs: number): void {
    this.#left--;
    this.#schedule?.take();
    const { workload, keyCount, startKey } = this.#plan;
    connection.isRead = workload.kind === 'mix' && this.#random.below(10_000) < this.#readPerMyriad;
    connection.key =
      workload.kind === 'insert' ? this.#nextInsert++ : startKey + this.#random.below(keyCount);
    connection.dueMs = dueMs;
    connection.sentMs = nowMs;
    connection.send(this.#write(connection));
  }

  #write(connection: Connection): number {
    if (!connection.isRead)
      return this.#writer.put(connection.out, connection.key, this.#random.below(65_536));
    if (!this.#isBatch) return this.#writer.get(connection.out, connection.key);
    connection.rowsSeen = 0;
    for (let i = 0; i < this.#plan.batchSize; i++) {
      connection.batchKeys[i] = this.#plan.startKey + this.#random.below(this.#plan.keyCount);
    }
    return this.#writer.batchGet(connection.out, connection.batchKeys);
  }

  #upkeep(): void {
    const nowMs = monotonicMs();
    if (nowMs >= this.#deadlineMs) this.#end();
    const graceMs = this.#plan.timeoutMs || (this.#isEnding ? LAST_ANSWERS_MS : Number.POSITIVE_INFINITY);
    for (const connection of this.#connections) {
      const waitedMs =
        nowMs - (this.#plan.timeoutMs ? connection.sentMs : Math.max(connection.sentMs, this.#endedMs));
      if (connection.state === BUSY && waitedMs > graceMs) {
        this.#tally.add('timeouts');
        this.#tally.addLatency(connection.isRead ? 'read' : 'write', nowMs - connection.dueMs);
        connection.close();
        this.#reopenLater(connection, 0);
      }
      if (connection.state === CLOSED && nowMs >= connection.reopenMs && !this.#isEnding)
        this.#open(connection);
      if (connection.state === IDLE || connection.state === BUSY) this.#lastOpenMs = nowMs;
    }
    if (nowMs - this.#lastOpenMs > UNREACHABLE_MS && this.#connections.length > 0) {
      this.#finish?.(new Error(`no connection for ${UNREACHABLE_MS / 1000} s`));
    }
    this.#endIfDone();
  }

  #open(connection: Connection): void {
    connection.open(this.#plan.host, this.#plan.port);
  }

  #reopenLater(connection: Connection, pauseMs = REOPEN_MS): void {
    connection.reopenMs = monotonicMs() + pauseMs;
  }

  #end(): void {
    if (this.#isEnding) return;
    if (this.#schedule) this.#sendDue(this.#schedule); // what fell due since the last tick
    this.#isEnding = true;
    this.#endedMs = monotonicMs();
  }

  /** Whether the run is over, but a request that was due before has not been sent. */
  #mayCatchUp(schedule: Schedule, nowMs: number): boolean {
    if (!this.#isEnding || this.#left === 0 || nowMs > this.#endedMs + CATCH_UP_MS) return false;
    return schedule.nextMs < Math.min(this.#endedMs, this.#deadlineMs);
  }

  /** Counts what fell due and was never sent; once, when the last answer has come. */
  #countMissed(): void {
    if (this.#hasCountedMissed || !this.#isEnding) return;
    this.#hasCountedMissed = true;
    const missed = this.#schedule?.missedAt(Math.min(this.#endedMs, this.#deadlineMs)) ?? 0;
    this.#tally.add('missed', Math.min(missed, this.#left));
  }

  #endIfDone(): void {
    if (!this.#isEnding && this.#left > 0) return;
    if (this.#connections.some(connection => connection.state === BUSY)) return;
    this.#countMissed();
    this.#finish?.(undefined);
  }
}

/** Whether a result is one that a load may meet without anything being wrong: a key need not have been inserted. */
export function isExpected(isRead: boolean, code: number): boolean {
  return code === OK || (isRead && code === NOT_FOUND);
}
