/**
 * One connection of the load test: a socket that may be replaced by a new one, with one request in flight at
 * most. What happens on it goes to an owner; a socket that was given up no longer reports anything.
 */
import net from 'node:net';
import { BROKEN, FrameCutter, INCOMPLETE } from './response.js';

export const CLOSED = 0;
export const CONNECTING = 1;
export const IDLE = 2;
export const BUSY = 3;

/** Told what happens. `onFrame` gets the body of a frame in `connection.cutter.bytes`, valid during the call. */
export interface ConnectionOwner {
  onOpen(connection: Connection): void;
  onFrame(connection: Connection, bodyAt: number, bodyEnd: number): void;
  /** Bytes that are no frame, or a frame that nobody asked for. The owner closes the connection. */
  onBadFrame(connection: Connection): void;
  /** The socket failed or the server closed it; the connection is CLOSED already. */
  onBroken(connection: Connection, error: Error | undefined): void;
}

export class Connection {
  readonly cutter = new FrameCutter();
  readonly out: Buffer;
  state = CLOSED;
  // of the request in flight
  isRead = false;
  key = 0;
  readonly batchKeys: Float64Array;
  rowsSeen = 0;
  /** When the request was due, and when it was written; monotonic milliseconds. */
  dueMs = 0;
  sentMs = 0;
  /** Requests since the socket was opened. */
  requestCount = 0;
  /** Not to be opened again before this moment. */
  reopenMs = 0;
  readonly #owner: ConnectionOwner;
  readonly #readBuffer: Buffer;
  #socket: net.Socket | undefined;

  /**
   * @param readBuffer Receives from the socket; may be shared by all connections of a thread, since what is
   *                   in it is consumed or copied before the next read.
   * @param outSize    Bytes of the longest request.
   */
  constructor(owner: ConnectionOwner, readBuffer: Buffer, outSize: number, batchSize: number) {
    this.#owner = owner;
    this.#readBuffer = readBuffer;
    this.out = Buffer.alloc(outSize);
    this.batchKeys = new Float64Array(batchSize);
  }

  open(host: string, port: number): void {
    this.close();
    this.state = CONNECTING;
    this.requestCount = 0;
    const socket = net.connect({
      host,
      port,
      noDelay: true,
      onread: {
        buffer: this.#readBuffer,
        callback: size => {
          if (this.#socket === socket) this.#receive(size);
          return true;
        },
      },
    });
    this.#socket = socket;
    socket.on('connect', () => {
      if (this.#socket !== socket) return;
      this.state = IDLE;
      this.#owner.onOpen(this);
    });
    socket.on('error', error => this.#lose(socket, error));
    socket.on('end', () => this.#lose(socket, undefined));
    socket.on('close', () => this.#lose(socket, undefined));
  }

  /** Sends the first `size` bytes of `out`. */
  send(size: number): void {
    this.state = BUSY;
    this.requestCount++;
    this.#socket!.write(size === this.out.length ? this.out : this.out.subarray(0, size));
  }

  close(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.state = CLOSED;
    this.cutter.reset();
    socket?.destroy();
  }

  #receive(size: number): void {
    const socket = this.#socket;
    this.cutter.add(this.#readBuffer, size);
    for (;;) {
      const bodyAt = this.cutter.next();
      if (bodyAt === INCOMPLETE) break;
      if (bodyAt === BROKEN || this.state !== BUSY) {
        this.#owner.onBadFrame(this);
        return;
      }
      this.#owner.onFrame(this, bodyAt, this.cutter.bodyEnd);
      if (this.#socket !== socket) return; // given up or replaced meanwhile
    }
    this.cutter.keep();
  }

  #lose(socket: net.Socket, error: Error | undefined): void {
    if (this.#socket !== socket) return;
    this.close();
    this.#owner.onBroken(this, error);
  }
}
