/**
 * Requests of the Aerospike front end: cuts frames out of what has come, answers info and admin messages at
 * once, and gives data messages to the dispatcher one at a time a connection.
 */
import { PARAMETER } from '../../base/result.js';
import { ANSWERED, DISPATCHED, NO_ROOM } from '../../command/client-ref.js';
import type { Dispatcher } from '../../command/dispatcher.js';
import type { InfoConnection } from '../../command/info/user-agents.js';
import {
  COMPRESSED_REQUESTS,
  EARLY_TSVC_CLIENT_ERROR,
  INFLATE_OFFLOADED,
  REQUEST_RING_FULL,
} from '../../observe/service-counters.js';
import { SECURITY_OFF_REPLY } from '../../wire/admin.js';
import { writeTrailer } from '../../wire/batch.js';
import { inflateMessage, innerSize } from '../../wire/compressed.js';
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
import type { Connection } from './connection.js';
import type { SocketEngine } from './socket-engine.js';

/** Longer messages are compressed and inflated on another thread. */
export const INLINE_ZLIB_MAX = 64 * 1024; // bytes
const INFO_BODY_MAX = 1024 * 1024; // bytes
/** A connection with more unread answers than this starts no further command. */
export const QUEUED_PAUSE = 1024 * 1024; // bytes

/** What the front end does for its requests. */
export interface RequestHost {
  /** Monotonic time of this turn. */
  readonly nowMs: number;
  /** The bytes are no frame: the connection is closed without an answer. */
  reject(connection: Connection): void;
  /** The worker's ring is full: the frame at the front is to be given again when there is room. */
  stalled(connection: Connection): void;
  /** A request that was elsewhere has come back: what is behind it may be executed. */
  resumed(connection: Connection): void;
}

export interface RequestParts {
  readonly counters: Float64Array;
  readonly answerInfo: (connection: InfoConnection, body: Uint8Array) => Uint8Array | Promise<Uint8Array>;
  /** The same as wire/compressed.ts, on another thread. */
  readonly inflate: (body: Uint8Array) => Promise<Uint8Array | undefined>;
}

export class RequestReader {
  readonly #parts: RequestParts;
  readonly #counters: Float64Array;
  readonly #host: RequestHost;
  readonly #engine: SocketEngine;
  readonly #dispatcher: Dispatcher;
  readonly #reply = new Uint8Array(PROTO_HEADER_SIZE + MSG_HEADER_SIZE);

  constructor(parts: RequestParts, host: RequestHost, engine: SocketEngine, dispatcher: Dispatcher) {
    this.#parts = parts;
    this.#counters = parts.counters;
    this.#host = host;
    this.#engine = engine;
    this.#dispatcher = dispatcher;
  }

  /** Looks at the frame that these bytes seem to be: if they are something else, no harm is done. */
  foresee(bytes: Uint8Array, at: number, size: number): void {
    if (size < PROTO_HEADER_SIZE || bytes[at] !== PROTO_VERSION || bytes[at + 1] !== PROTO_MESSAGE) return;
    const bodySize = protoBodySize(bytes, at);
    if (bodySize <= size - PROTO_HEADER_SIZE)
      this.#dispatcher.foresee(bytes, at + PROTO_HEADER_SIZE, bodySize);
  }

  /** Executes whole frames while the connection is free. @returns Bytes used up. */
  frames(connection: Connection, bytes: Uint8Array, at: number, size: number): number {
    let used = 0;
    // Answers that need no worker come at once, so a client that does not read them is noticed here.
    while (size - used >= PROTO_HEADER_SIZE && connection.isReady && !this.#isUnread(connection)) {
      const p = at + used;
      const version = bytes[p]!;
      const type = bytes[p + 1]!;
      const isKnown =
        (version === PROTO_VERSION || (version === 0 && type === PROTO_ADMIN)) &&
        type >= PROTO_INFO &&
        type <= PROTO_COMPRESSED;
      const bodySize = protoBodySize(bytes, p);
      if (
        !isKnown ||
        looksLikeTls(bytes, p) ||
        bodySize > (type === PROTO_INFO ? INFO_BODY_MAX : PROTO_BODY_SIZE_MAX)
      ) {
        this.#host.reject(connection);
        return size;
      }
      if (size - used - PROTO_HEADER_SIZE < bodySize) break;
      if (!this.#frame(connection, type, bytes, p + PROTO_HEADER_SIZE, bodySize)) break;
      if (!connection.isOpen) return size;
      used += PROTO_HEADER_SIZE + bodySize;
    }
    return used;
  }

  #isUnread(connection: Connection): boolean {
    return this.#engine.queuedBytes(connection.slot) > QUEUED_PAUSE;
  }

  /** @returns false when the frame has to be given again later. */
  #frame(connection: Connection, type: number, bytes: Uint8Array, at: number, size: number): boolean {
    switch (type) {
      case PROTO_MESSAGE:
        return this.#message(connection, bytes, at, size);
      case PROTO_INFO:
        this.#info(connection, bytes.subarray(at, at + size));
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
    connection.wantsCompression =
      size > MSG_INFO1 && (bytes[at + MSG_INFO1]! & INFO1_COMPRESS_RESPONSE) !== 0;
    const code = this.#dispatcher.dispatch(connection, bytes, at, size, this.#host.nowMs);
    if (code === DISPATCHED) return true;
    connection.isBusy = false;
    if (code === ANSWERED) return true;
    if (code === NO_ROOM) {
      this.#counters[REQUEST_RING_FULL]! += 1;
      this.#host.stalled(connection);
      return false;
    }
    const isBatch = size > MSG_INFO1 && (bytes[at + MSG_INFO1]! & INFO1_BATCH) !== 0;
    this.#refuse(connection, code, isBatch);
    return true;
  }

  /** Answers a data message that no worker saw. */
  #refuse(connection: Connection, code: number, isBatch: boolean): void {
    this.#counters[EARLY_TSVC_CLIENT_ERROR]! += 1;
    const reply = this.#reply;
    if (isBatch) {
      writeTrailer(reply, code);
    } else {
      writeProtoHeader(reply, 0, PROTO_MESSAGE, MSG_HEADER_SIZE);
      writeMessageHeader(reply, PROTO_HEADER_SIZE, code, 0, 0, 0, 0);
    }
    this.#engine.send(connection.slot, reply, 0, reply.length);
  }

  #info(connection: Connection, body: Uint8Array): void {
    const answer = this.#parts.answerInfo(connection.info, body);
    if (answer instanceof Uint8Array) {
      this.#sendInfo(connection, answer);
      return;
    }
    connection.isBusy = true;
    const { generation } = connection;
    answer.then(later => {
      if (connection.generation !== generation) return;
      connection.isBusy = false;
      this.#sendInfo(connection, later);
      this.#host.resumed(connection);
    });
  }

  #sendInfo(connection: Connection, answer: Uint8Array): void {
    const frame = Buffer.allocUnsafe(PROTO_HEADER_SIZE + answer.length);
    writeProtoHeader(frame, 0, PROTO_INFO, answer.length);
    frame.set(answer, PROTO_HEADER_SIZE);
    this.#engine.send(connection.slot, frame, 0, frame.length);
  }

  #compressed(connection: Connection, bytes: Uint8Array, at: number, size: number): void {
    this.#counters[COMPRESSED_REQUESTS]! += 1;
    const declared = innerSize(bytes, at, size);
    if (declared >= 0 && declared <= INLINE_ZLIB_MAX && size <= INLINE_ZLIB_MAX) {
      this.inflated(connection, inflateMessage(bytes.subarray(at, at + size)));
      return;
    }
    if (declared < 0) {
      this.inflated(connection, undefined);
      return;
    }
    this.#counters[INFLATE_OFFLOADED]! += 1;
    connection.isBusy = true;
    const { generation } = connection;
    const body = Buffer.from(bytes.subarray(at, at + size));
    this.#parts
      .inflate(body)
      .catch(() => undefined) // the pool is stopping
      .then(inner => {
        if (connection.generation !== generation) return;
        connection.isBusy = false;
        this.inflated(connection, inner);
        this.#host.resumed(connection);
      });
  }

  /** Executes what a compressed request holds; undefined is answered as malformed. */
  inflated(connection: Connection, inner: Uint8Array | undefined): void {
    if (inner === undefined) {
      this.#refuse(connection, PARAMETER, false);
      return;
    }
    const isTaken = this.#message(connection, inner, PROTO_HEADER_SIZE, inner.length - PROTO_HEADER_SIZE);
    connection.inflated = isTaken ? null : inner;
  }
}
