/**
 * The Aerospike front end: its connections, the turns of its work, and the way of answers back to clients.
 * What a request is and where it goes is said in requests.ts.
 *
 * Work is batched by turns of the event loop: all sockets that are ready are read, then what they asked is
 * shown to the workers at once, and what has completed is sent.
 */
import { monotonicMs } from '../../base/clock.js';
import { LINGER_US, Lingering } from '../../base/lingering.js';
import type { LoopSleeper } from '../../base/sleeper.js';
import type { BatchRuns } from '../../command/batch-runs.js';
import type { AnswerSink } from '../../command/client-ref.js';
import type { Dispatcher } from '../../command/dispatcher.js';
import type { InfoConnection } from '../../command/info/user-agents.js';
import {
  CLIENT_CONNECTIONS_CLOSED,
  CLIENT_CONNECTIONS_OPENED,
  CLIENT_CONNECTIONS_REFUSED,
  DEMARSHAL_ERROR,
  REAPED_FDS,
  SLOW_READER_CLOSED,
} from '../../observe/service-counters.js';
import { COMPRESS_SIZE_MIN, deflateFrame } from '../../wire/compressed.js';
import { Connection } from './connection.js';
import {
  INLINE_ZLIB_MAX,
  QUEUED_PAUSE,
  type RequestHost,
  type RequestParts,
  RequestReader,
} from './requests.js';
import type { SocketEngine, SocketEvents } from './socket-engine.js';

/** A busy connection with more unexecuted input than this is not read. */
const INPUT_MAX = 256 * 1024; // bytes
/** A client that leaves more than this unread, or anything for this long, is disconnected and counted. */
export const QUEUED_MAX = 64 * 1024 * 1024; // bytes
export const UNREAD_MAX_MS = 60_000;
const HOUSEKEEPING_MS = 1000;
/** With more requests under way there is always something to do, and others need the processor. */
const LINGER_IN_FLIGHT_MAX = 4;

/** What the front end is given. */
export interface FrontParts extends RequestParts {
  readonly infoClosed: (connection: InfoConnection) => void;
  /** The same as wire/compressed.ts, on another thread. */
  readonly deflate: (frame: Uint8Array) => Promise<Uint8Array>;
  readonly connectionsMax: () => number;
  /** 0 = never. */
  readonly idleMaxMs: () => number;
}

export class AerospikeFront implements SocketEvents, AnswerSink, RequestHost {
  readonly #parts: FrontParts;
  readonly #connections: Connection[] = [];
  #engine!: SocketEngine;
  #dispatcher!: Dispatcher;
  #batches!: BatchRuns;
  #requests!: RequestReader;
  #sleeper!: LoopSleeper;
  readonly #stalled: Connection[] = [];
  #housekeeping: NodeJS.Timeout | undefined;
  #isTurnDue = false;
  #isDraining = false;
  readonly #lingering = new Lingering();
  #isLingering = false;
  nowMs = monotonicMs();
  #openCount = 0;
  readonly #hasCompletions = (): boolean => this.#dispatcher.hasCompletions();

  constructor(parts: FrontParts) {
    this.#parts = parts;
  }

  /** Connects the parts that need each other. Called once, before the first socket. */
  attach(engine: SocketEngine, dispatcher: Dispatcher, batches: BatchRuns, sleeper: LoopSleeper): void {
    this.#engine = engine;
    this.#dispatcher = dispatcher;
    this.#batches = batches;
    this.#sleeper = sleeper;
    this.#requests = new RequestReader(this.#parts, this, engine, dispatcher);
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
    for (const connection of this.#connections) connection.isDraining = true;
    const endMs = monotonicMs() + timeoutMs;
    const isUnsent = (connection: Connection): boolean =>
      connection.isOpen && (connection.isBusy || this.#unsentSize(connection) > 0);
    while ((this.#dispatcher.inFlight > 0 || this.#connections.some(isUnsent)) && monotonicMs() < endMs) {
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
    this.#connections[slot].open(remote, this.nowMs);
    this.#openCount++;
    counters[CLIENT_CONNECTIONS_OPENED]! += 1;
    return true;
  }

  closed(slot: number): void {
    const connection = this.#connections[slot]!;
    if (!connection.isOpen) return;
    this.#parts.infoClosed(connection.info);
    if (this.#batches.forget(slot)) this.#dispatcher.inFlight--;
    connection.close();
    this.#openCount--;
    this.#parts.counters[CLIENT_CONNECTIONS_CLOSED]! += 1;
  }

  foresee(bytes: Uint8Array, at: number, size: number): void {
    this.#requests.foresee(bytes, at, size);
  }

  lookAhead(): void {
    this.#dispatcher.lookAhead();
  }

  forget(): void {
    this.#dispatcher.forget();
  }

  /** A turn that was scheduled before the sockets were read has an older time than what they bring. */
  arrived(): void {
    if (this.#isTurnDue) this.nowMs = monotonicMs();
    else this.#scheduleTurn();
  }

  received(slot: number, bytes: Uint8Array, at: number, size: number): void {
    const connection = this.#connections[slot]!;
    if (!connection.isOpen) return;
    connection.lastActiveMs = this.nowMs;
    if (connection.inputSize === 0 && this.#isTaking(connection)) {
      const used = this.#requests.frames(connection, bytes, at, size);
      if (used < size && connection.isOpen) connection.keep(bytes, at + used, size - used);
    } else {
      connection.keep(bytes, at, size);
      this.#continue(connection);
    }
    if (connection.isOpen && connection.inputSize > INPUT_MAX && !this.#isTaking(connection)) {
      connection.isPaused = true;
      this.#engine.pause(slot);
    }
  }

  drained(slot: number): void {
    const connection = this.#connections[slot]!;
    connection.unreadSince(0, 0);
    if (!connection.isOpen) return;
    this.#scheduleTurn(); // first, since it reads the clock that deadlines count from
    if (this.#batches.hasWaiting) this.#batches.pumpAll();
    this.#continue(connection);
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
    if (!this.awaits(slot, generation, requestNumber)) return;
    const connection = this.#connections[slot]!;
    if (size > 0) {
      if (connection.outgoing !== null || (connection.wantsCompression && size > COMPRESS_SIZE_MIN)) {
        this.#sendCompressed(connection, bytes, at, size, isLast);
        return;
      }
      this.#engine.send(slot, bytes, at, size);
    }
    if (isLast) this.#finished(connection);
  }

  awaits(slot: number, generation: number, requestNumber: number): boolean {
    const connection = this.#connections[slot]!;
    return connection.generation === generation && connection.requestNumber === requestNumber;
  }

  flush(): void {
    this.#engine.flush();
  }

  queuedBytes(slot: number, generation: number): number {
    const connection = this.#connections[slot]!;
    return connection.generation === generation ? this.#unsentSize(connection) : 0;
  }

  /** Bytes of answers that the client has not been sent. */
  #unsentSize(connection: Connection): number {
    return connection.outgoingSize + this.#engine.queuedBytes(connection.slot);
  }

  #finished(connection: Connection): void {
    connection.isBusy = false;
    connection.lastActiveMs = this.nowMs;
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
    connection.outgoingSize += size;
    const before = connection.outgoing ?? Promise.resolve();
    const mine = before
      .then(() => (size > COMPRESS_SIZE_MIN ? this.#parts.deflate(frame) : frame))
      .catch(() => frame) // the pool is stopping: plain is right too
      .then(out => {
        if (connection.generation !== generation) return;
        this.#scheduleTurn();
        if (connection.outgoing === mine) connection.outgoing = null;
        connection.outgoingSize -= size;
        this.#engine.send(slot, out, 0, out.length);
        if (isLast) this.#finished(connection);
        else if (this.#batches.hasWaiting) this.#batches.pumpAll();
      });
    connection.outgoing = mine;
  }

  // ---- frames

  /** Whether a further command may be executed; if its answers are unread, 'drained' looks again. */
  #isTaking(connection: Connection): boolean {
    return connection.isReady && this.#unsentSize(connection) <= QUEUED_PAUSE;
  }

  /** Executes what is in the input, if the connection is free to. */
  #continue(connection: Connection): void {
    if (!this.#isTaking(connection)) return;
    if (connection.inputSize > 0) {
      const used = this.#requests.frames(
        connection,
        connection.input,
        connection.inputAt,
        connection.inputSize,
      );
      if (!connection.isOpen) return;
      if (used > 0) {
        connection.drop(used);
        this.#scheduleTurn();
      }
    }
    if (connection.isPaused && connection.inputSize <= INPUT_MAX) {
      connection.isPaused = false;
      this.#engine.resume(connection.slot);
    } else if (connection.isPaused && this.#isTaking(connection)) {
      connection.isPaused = false; // a frame longer than the limit is on its way
      this.#engine.resume(connection.slot);
    }
  }

  /** Bytes that are no frame: the connection is closed without an answer. */
  reject(connection: Connection): void {
    this.#parts.counters[DEMARSHAL_ERROR]! += 1;
    this.#engine.close(connection.slot);
    this.closed(connection.slot);
  }

  stalled(connection: Connection): void {
    connection.isStalled = true;
    this.#stalled.push(connection);
  }

  resumed(connection: Connection): void {
    this.#scheduleTurn();
    this.#continue(connection);
  }

  // ---- turns

  #scheduleTurn(): void {
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    this.nowMs = monotonicMs();
    this.#dispatcher.beginTurn(this.nowMs);
    this.#sleeper.disarm(); // a turn comes anyway: nobody need wake us
    this.#engine.requestTurn();
  }

  turned(mayLinger: boolean): number {
    this.#isTurnDue = false;
    if (this.#isLingering) {
      this.#isLingering = false;
      this.#lingering.ended(mayLinger);
    }
    const dispatcher = this.#dispatcher;
    dispatcher.publish();
    this.nowMs = monotonicMs();
    if (dispatcher.drain(this.nowMs) > 0) {
      if (this.#batches.hasWaiting) this.#batches.pumpAll();
      if (this.#stalled.length > 0) this.#retryStalled();
      dispatcher.publish();
    }
    const doneCount = dispatcher.endTurn(this.nowMs);
    if (this.#isTurnDue) return 0;
    const { inFlight } = dispatcher;
    if (
      mayLinger &&
      (doneCount > 0 || (inFlight > 0 && inFlight <= LINGER_IN_FLIGHT_MAX)) &&
      this.#lingering.begins()
    ) {
      this.#isLingering = true;
      this.#sleeper.disarm();
      return LINGER_US;
    }
    // Always: rows of a batch whose client has gone still come, and their worker must not wait for anybody else.
    if (!this.#sleeper.arm(this.#hasCompletions)) this.#scheduleTurn();
    return 0;
  }

  #retryStalled(): void {
    const stalled = this.#stalled.splice(0);
    for (const connection of stalled) {
      connection.isStalled = false;
      if (!connection.isOpen) continue;
      const inner = connection.inflated;
      if (inner !== null) this.#requests.inflated(connection, inner);
      this.#continue(connection);
    }
  }

  /** Once a second: idle connections, slow readers, and frames that waited for a ring. */
  #keepHouse(): void {
    this.nowMs = monotonicMs();
    const { counters } = this.#parts;
    const idleMaxMs = this.#parts.idleMaxMs();
    for (const connection of this.#connections) {
      if (connection === undefined || !connection.isOpen) continue;
      const queued = this.#engine.queuedBytes(connection.slot);
      if (queued === 0 || queued !== connection.unreadSize) {
        connection.unreadSince(queued === 0 ? 0 : this.nowMs, queued); // it reads, however slowly
      }
      if (queued > QUEUED_MAX || (queued > 0 && this.nowMs - connection.unreadSinceMs > UNREAD_MAX_MS)) {
        counters[SLOW_READER_CLOSED]! += 1;
        this.#engine.close(connection.slot);
      } else if (idleMaxMs > 0 && !connection.isBusy && this.nowMs - connection.lastActiveMs > idleMaxMs) {
        counters[REAPED_FDS]! += 1;
        this.#engine.close(connection.slot);
      }
    }
    if (this.#stalled.length > 0 || this.#batches.hasWaiting) {
      this.#retryStalled();
      this.#batches.pumpAll();
    }
    if (this.#dispatcher.inFlight > 0) this.#scheduleTurn(); // bounds the wait for a wake-up that was lost
  }
}
