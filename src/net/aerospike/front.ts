/**
 * The Aerospike front end: cuts frames out of what sockets bring, answers info and admin messages itself,
 * gives data messages to the dispatcher one at a time a connection, and sends what comes back.
 *
 * Work is batched by turns of the event loop: all sockets that are ready are read, then what they asked is
 * shown to the workers at once, and what has completed is sent.
 */
import { monotonicMs } from '../../base/clock.js';
import { PARAMETER } from '../../base/result.js';
import type { AsyncSleeper } from '../../base/sleeper.js';
import type { BatchDispatcher } from '../../command/batch.js';
import { trailer } from '../../command/batch.js';
import { type AnswerSink, DISPATCHED, NO_ROOM } from '../../command/client-ref.js';
import type { Dispatcher } from '../../command/dispatcher.js';
import type { InfoConnection } from '../../command/info/user-agents.js';
import {
  CLIENT_CONNECTIONS_CLOSED,
  CLIENT_CONNECTIONS_OPENED,
  CLIENT_CONNECTIONS_REFUSED,
  COMPRESSED_REQUESTS,
  DEMARSHAL_ERROR,
  EARLY_TSVC_CLIENT_ERROR,
  INFLATE_OFFLOADED,
  REAPED_FDS,
  REQUEST_RING_FULL,
  SLOW_READER_CLOSED,
} from '../../observe/service-counters.js';
import { SECURITY_OFF_REPLY } from '../../wire/admin.js';
import { COMPRESS_SIZE_MIN, deflateFrame, inflateMessage, innerSize } from '../../wire/compressed.js';
import {
  INFO1_BATCH,
  INFO1_COMPRESS_RESPONSE,
  MSG_HEADER_SIZE,
  MSG_INFO1,
  writeMessageHeader,
} from '../../wire/message.js';
import {
  looksLikeTls,
  PROTO_ADMIN,
  PROTO_BODY_SIZE_MAX,
  PROTO_COMPRESSED,
  PROTO_HEADER_SIZE,
  PROTO_INFO,
  PROTO_MESSAGE,
  PROTO_VERSION,
  protoBodySize,
  writeProtoHeader,
} from '../../wire/proto.js';
import { Connection } from './connection.js';
import type { SocketEngine, SocketEvents } from './socket-engine.js';

/** A busy connection with more unexecuted input than this is not read. */
const INPUT_MAX = 256 * 1024; // bytes
/** A connection with more unread answers than this starts no further command. */
const QUEUED_PAUSE = 1024 * 1024; // bytes
/** A client that leaves more than this unread, or anything for this long, is disconnected and counted. */
export const QUEUED_MAX = 64 * 1024 * 1024; // bytes
export const UNREAD_MAX_MS = 60_000;
/** Longer messages are compressed and inflated on another thread. */
const INLINE_ZLIB_MAX = 64 * 1024; // bytes
const INFO_BODY_MAX = 1024 * 1024; // bytes
const HOUSEKEEPING_MS = 1000;

/** What the front end is given. */
export interface FrontParts {
  readonly counters: Float64Array;
  readonly answerInfo: (connection: InfoConnection, body: Uint8Array) => Uint8Array;
  readonly infoClosed: (connection: InfoConnection) => void;
  /** The same as wire/compressed.ts, on another thread. */
  readonly inflate: (body: Uint8Array) => Promise<Uint8Array | undefined>;
  readonly deflate: (frame: Uint8Array) => Promise<Uint8Array>;
  readonly connectionsMax: () => number;
  /** 0 = never. */
  readonly idleMaxMs: () => number;
}

export class AerospikeFront implements SocketEvents, AnswerSink {
  readonly #parts: FrontParts;
  readonly #connections: Connection[] = [];
  #engine!: SocketEngine;
  #dispatcher!: Dispatcher;
  #batch!: BatchDispatcher;
  #sleeper!: AsyncSleeper;
  readonly #stalled: Connection[] = [];
  #housekeeping: NodeJS.Timeout | undefined;
  #isTurnDue = false;
  #isDraining = false;
  #nowMs = monotonicMs();
  #openCount = 0;
  readonly #reply = new Uint8Array(PROTO_HEADER_SIZE + MSG_HEADER_SIZE);
  readonly #turn = (): void => this.#runTurn();
  readonly #hasCompletions = (): boolean => this.#dispatcher.hasCompletions();

  constructor(parts: FrontParts) {
    this.#parts = parts;
  }

  /** Connects the parts that need each other. Called once, before the first socket. */
  attach(engine: SocketEngine, dispatcher: Dispatcher, batch: BatchDispatcher, sleeper: AsyncSleeper): void {
    this.#engine = engine;
    this.#dispatcher = dispatcher;
    this.#batch = batch;
    this.#sleeper = sleeper;
    this.#housekeeping = setInterval(() => this.#keepHouse(), HOUSEKEEPING_MS);
  }

  get connectionCount(): number {
    return this.#openCount;
  }

  /** A worker has woken us, or something else may have changed. */
  wake(): void {
    this.#scheduleTurn();
  }

  /**
   * Executes nothing new, waits until every command under way is answered (at most `timeoutMs`), then ends all
   * connections.
   */
  async drain(timeoutMs: number): Promise<void> {
    this.#isDraining = true;
    const endMs = monotonicMs() + timeoutMs;
    while (this.#dispatcher.inFlight > 0 && monotonicMs() < endMs) {
      this.#scheduleTurn();
      await new Promise(resolve => setTimeout(resolve, 5));
    }
    clearInterval(this.#housekeeping);
    for (const connection of this.#connections) if (connection.isOpen) this.#engine.end(connection.slot);
    await new Promise(resolve => setTimeout(resolve, 20));
    for (const connection of this.#connections) if (connection.isOpen) this.#engine.close(connection.slot);
  }

  // ---- sockets

  opened(slot: number, remote: string): boolean {
    const { counters } = this.#parts;
    if (this.#openCount >= this.#parts.connectionsMax() || this.#isDraining) {
      counters[CLIENT_CONNECTIONS_REFUSED]! += 1;
      return false;
    }
    this.#connections[slot] ??= new Connection(slot);
    this.#connections[slot].open(remote, this.#nowMs);
    this.#openCount++;
    counters[CLIENT_CONNECTIONS_OPENED]! += 1;
    return true;
  }

  closed(slot: number): void {
    const connection = this.#connections[slot]!;
    if (!connection.isOpen) return;
    this.#parts.infoClosed(connection.info);
    if (this.#batch.forget(slot)) this.#dispatcher.inFlight--;
    connection.close();
    this.#openCount--;
    this.#parts.counters[CLIENT_CONNECTIONS_CLOSED]! += 1;
  }

  received(slot: number, bytes: Uint8Array, at: number, size: number): void {
    const connection = this.#connections[slot]!;
    if (!connection.isOpen) return;
    this.#scheduleTurn();
    connection.lastActiveMs = this.#nowMs;
    if (connection.inputSize === 0 && this.#isReady(connection)) {
      const used = this.#frames(connection, bytes, at, size);
      if (used < size && connection.isOpen) connection.keep(bytes, at + used, size - used);
    } else {
      connection.keep(bytes, at, size);
      this.#continue(connection);
    }
    if (connection.isOpen && connection.inputSize > INPUT_MAX && !this.#isReady(connection)) {
      connection.isPaused = true;
      this.#engine.pause(slot);
    }
  }

  drained(slot: number): void {
    const connection = this.#connections[slot]!;
    connection.unreadSinceMs = 0;
    if (!connection.isOpen) return;
    if (this.#batch.hasWaiting) this.#batch.pumpAll();
    this.#continue(connection);
    this.#scheduleTurn();
  }

  // ---- answers

  answer(
    slot: number,
    generation: number,
    requestNumber: number,
    bytes: Uint8Array,
    at: number,
    size: number,
    isLast: boolean,
  ): void {
    const connection = this.#connections[slot]!;
    if (connection.generation !== generation || connection.requestNumber !== requestNumber) return;
    if (size > 0) {
      if (connection.outgoing !== null || (connection.wantsCompression && size > COMPRESS_SIZE_MIN)) {
        this.#sendCompressed(connection, bytes, at, size, isLast);
        return;
      }
      this.#engine.send(slot, bytes, at, size);
    }
    if (isLast) this.#finished(connection);
  }

  queuedBytes(slot: number, generation: number): number {
    return this.#connections[slot]!.generation === generation ? this.#engine.queuedBytes(slot) : 0;
  }

  #finished(connection: Connection): void {
    connection.isBusy = false;
    connection.lastActiveMs = this.#nowMs;
    if (connection.inputSize > 0) this.#continue(connection);
  }

  #sendCompressed(
    connection: Connection,
    bytes: Uint8Array,
    at: number,
    size: number,
    isLast: boolean,
  ): void {
    const frame = Buffer.from(bytes.subarray(at, at + size)); // a copy, in this thread's own memory
    const { slot, generation } = connection;
    if (connection.outgoing === null && size <= INLINE_ZLIB_MAX) {
      const out = size > COMPRESS_SIZE_MIN ? deflateFrame(frame) : frame;
      this.#engine.send(slot, out, 0, out.length);
      if (isLast) this.#finished(connection);
      return;
    }
    const before = connection.outgoing ?? Promise.resolve();
    const mine = before
      .then(() => (size > COMPRESS_SIZE_MIN ? this.#parts.deflate(frame) : frame))
      .catch(() => frame) // the pool is stopping: plain is right too
      .then(out => {
        if (connection.generation !== generation) return;
        if (connection.outgoing === mine) connection.outgoing = null;
        this.#engine.send(slot, out, 0, out.length);
        if (isLast) this.#finished(connection);
        this.#scheduleTurn();
      });
    connection.outgoing = mine;
  }

  // ---- frames

  #isReady(connection: Connection): boolean {
    return !connection.isBusy && !connection.isStalled && !this.#isDraining;
  }

  /** Executes what is in the input, if the connection is free to. */
  #continue(connection: Connection): void {
    if (!this.#isReady(connection)) return;
    if (this.#engine.queuedBytes(connection.slot) > QUEUED_PAUSE) return; // 'drained' calls again
    if (connection.inputSize > 0) {
      const used = this.#frames(connection, connection.input, connection.inputAt, connection.inputSize);
      if (!connection.isOpen) return;
      if (used > 0) {
        connection.drop(used);
        this.#scheduleTurn();
      }
    }
    if (connection.isPaused && connection.inputSize <= INPUT_MAX) {
      connection.isPaused = false;
      this.#engine.resume(connection.slot);
    } else if (connection.isPaused && this.#isReady(connection)) {
      connection.isPaused = false; // a frame longer than the limit is on its way
      this.#engine.resume(connection.slot);
    }
  }

  /** Executes whole frames while the connection is free. @returns Bytes used up. */
  #frames(connection: Connection, bytes: Uint8Array, at: number, size: number): number {
    let used = 0;
    while (size - used >= PROTO_HEADER_SIZE && this.#isReady(connection)) {
      const p = at + used;
      const version = bytes[p]!;
      const type = bytes[p + 1]!;
      const isKnown =
        (version === PROTO_VERSION || (version === 0 && type === PROTO_ADMIN)) &&
        type >= PROTO_INFO &&
        type <= PROTO_COMPRESSED;
      const bodySize = protoBodySize(bytes, p);
      if (!isKnown || looksLikeTls(bytes, p) || bodySize > PROTO_BODY_SIZE_MAX) {
        this.#reject(connection);
        return size;
      }
      if (size - used - PROTO_HEADER_SIZE < bodySize) break;
      if (!this.#frame(connection, type, bytes, p + PROTO_HEADER_SIZE, bodySize)) break;
      if (!connection.isOpen) return size;
      used += PROTO_HEADER_SIZE + bodySize;
    }
    return used;
  }

  /** @returns false when the frame has to be given again later. */
  #frame(connection: Connection, type: number, bytes: Uint8Array, at: number, size: number): boolean {
    switch (type) {
      case PROTO_MESSAGE:
        return this.#message(connection, bytes, at, size);
      case PROTO_INFO:
        if (size > INFO_BODY_MAX) this.#reject(connection);
        else this.#info(connection, bytes.subarray(at, at + size));
        return true;
      case PROTO_ADMIN:
        this.#engine.send(connection.slot, SECURITY_OFF_REPLY, 0, SECURITY_OFF_REPLY.length);
        return true;
      default:
        this.#compressed(connection, bytes, at, size);
        return true;
    }
  }

  #message(connection: Connection, bytes: Uint8Array, at: number, size: number): boolean {
    connection.requestNumber = (connection.requestNumber + 1) >>> 0;
    connection.isBusy = true;
    const code = this.#dispatcher.dispatch(connection, bytes, at, size, this.#nowMs);
    if (code === DISPATCHED) {
      connection.wantsCompression = (bytes[at + MSG_INFO1]! & INFO1_COMPRESS_RESPONSE) !== 0;
      return true;
    }
    connection.isBusy = false;
    if (code === NO_ROOM) {
      connection.isStalled = true;
      this.#stalled.push(connection);
      this.#parts.counters[REQUEST_RING_FULL]! += 1;
      return false;
    }
    const isBatch = size > MSG_INFO1 && (bytes[at + MSG_INFO1]! & INFO1_BATCH) !== 0;
    this.#refuse(connection, code, isBatch);
    return true;
  }

  /** Answers a data message that no worker saw. */
  #refuse(connection: Connection, code: number, isBatch: boolean): void {
    this.#parts.counters[EARLY_TSVC_CLIENT_ERROR]! += 1;
    const reply = this.#reply;
    if (isBatch) {
      trailer(reply, code);
    } else {
      writeProtoHeader(reply, 0, PROTO_MESSAGE, MSG_HEADER_SIZE);
      writeMessageHeader(reply, PROTO_HEADER_SIZE, code, 0, 0, 0, 0);
    }
    this.#engine.send(connection.slot, reply, 0, reply.length);
  }

  #info(connection: Connection, body: Uint8Array): void {
    const answer = this.#parts.answerInfo(connection.info, body);
    const frame = Buffer.allocUnsafe(PROTO_HEADER_SIZE + answer.length);
    writeProtoHeader(frame, 0, PROTO_INFO, answer.length);
    frame.set(answer, PROTO_HEADER_SIZE);
    this.#engine.send(connection.slot, frame, 0, frame.length);
  }

  #compressed(connection: Connection, bytes: Uint8Array, at: number, size: number): void {
    this.#parts.counters[COMPRESSED_REQUESTS]! += 1;
    const declared = innerSize(bytes, at, size);
    if (declared >= 0 && declared <= INLINE_ZLIB_MAX) {
      this.#inflated(connection, inflateMessage(bytes.subarray(at, at + size)));
      return;
    }
    if (declared < 0) {
      this.#inflated(connection, undefined);
      return;
    }
    this.#parts.counters[INFLATE_OFFLOADED]! += 1;
    connection.isBusy = true;
    const { generation } = connection;
    const body = Buffer.from(bytes.subarray(at, at + size));
    this.#parts
      .inflate(body)
      .catch(() => undefined) // the pool is stopping
      .then(inner => {
        if (connection.generation !== generation) return;
        connection.isBusy = false;
        this.#inflated(connection, inner);
        this.#continue(connection);
        this.#scheduleTurn();
      });
  }

  #inflated(connection: Connection, inner: Uint8Array | undefined): void {
    if (inner === undefined) {
      this.#refuse(connection, PARAMETER, false);
      return;
    }
    const isTaken = this.#message(connection, inner, PROTO_HEADER_SIZE, inner.length - PROTO_HEADER_SIZE);
    connection.inflated = isTaken ? null : inner;
  }

  /** Bytes that are no frame: the connection is closed without an answer. */
  #reject(connection: Connection): void {
    this.#parts.counters[DEMARSHAL_ERROR]! += 1;
    this.#engine.close(connection.slot);
    this.closed(connection.slot);
  }

  // ---- turns

  #scheduleTurn(): void {
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    this.#nowMs = monotonicMs();
    this.#sleeper.disarm(); // a turn comes anyway: nobody need wake us
    setImmediate(this.#turn);
  }

  #runTurn(): void {
    this.#isTurnDue = false;
    const dispatcher = this.#dispatcher;
    dispatcher.publish();
    this.#nowMs = monotonicMs();
    if (dispatcher.drain(this.#nowMs) > 0) {
      if (this.#batch.hasWaiting) this.#batch.pumpAll();
      if (this.#stalled.length > 0) this.#retryStalled();
      dispatcher.publish();
    }
    if (this.#isTurnDue) return;
    if (dispatcher.inFlight > 0 || this.#stalled.length > 0 || this.#batch.hasWaiting) {
      if (!this.#sleeper.arm(this.#hasCompletions)) this.#scheduleTurn();
    }
  }

  #retryStalled(): void {
    const stalled = this.#stalled.splice(0);
    for (const connection of stalled) {
      connection.isStalled = false;
      if (!connection.isOpen) continue;
      const inner = connection.inflated;
      if (inner !== null) this.#inflated(connection, inner);
      this.#continue(connection);
    }
  }

  /** Once a second: idle connections, slow readers, and frames that waited for a ring. */
  #keepHouse(): void {
    this.#nowMs = monotonicMs();
    const { counters } = this.#parts;
    const idleMaxMs = this.#parts.idleMaxMs();
    for (const connection of this.#connections) {
      if (connection === undefined || !connection.isOpen) continue;
      const queued = this.#engine.queuedBytes(connection.slot);
      if (queued === 0) connection.unreadSinceMs = 0;
      else if (connection.unreadSinceMs === 0) connection.unreadSinceMs = this.#nowMs;
      if (queued > QUEUED_MAX || (queued > 0 && this.#nowMs - connection.unreadSinceMs > UNREAD_MAX_MS)) {
        counters[SLOW_READER_CLOSED]! += 1;
        this.#engine.close(connection.slot);
      } else if (idleMaxMs > 0 && !connection.isBusy && this.#nowMs - connection.lastActiveMs > idleMaxMs) {
        counters[REAPED_FDS]! += 1;
        this.#engine.close(connection.slot);
      }
    }
    if (this.#stalled.length > 0 || this.#batch.hasWaiting) {
      this.#retryStalled();
      this.#batch.pumpAll();
      this.#scheduleTurn();
    }
  }
}
