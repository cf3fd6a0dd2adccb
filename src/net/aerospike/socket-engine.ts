/**
 * Sockets, as the Aerospike front end needs them. A connection is a slot: a small number that is used again
 * after the connection is gone. Two implementations are meant to exist: node:net, which everything works
 * with, and a native loop; the same tests run on both.
 */
export interface SocketEvents {
  /** A client has connected. @returns false to refuse it: it is closed at once. */
  opened(slot: number, remote: string): boolean;
  /** Bytes have come; they are valid until the call returns. */
  received(slot: number, bytes: Uint8Array, at: number, size: number): void;
  /** What was queued has been taken by the kernel. */
  drained(slot: number): void;
  /** The connection is gone, whoever ended it. The slot may be used again after this call. */
  closed(slot: number): void;
}

export interface SocketEngine {
  readonly name: string;
  /** Starts to listen on an address, or on all of the machine. @returns The port, which is chosen by the kernel when 0 was asked for. */
  listen(host: string | undefined, port: number): Promise<number>;
  /** Sends bytes in order; they are copied before the call returns. */
  send(slot: number, bytes: Uint8Array, at: number, size: number): void;
  /** Stops and goes on reading from a connection. */
  pause(slot: number): void;
  resume(slot: number): void;
  /** Ends a connection at once; what is queued is lost. `closed` follows. */
  close(slot: number): void;
  /** Ends a connection after what is queued was sent. */
  end(slot: number): void;
  /** Bytes that were given to send and that the kernel has not taken. */
  queuedBytes(slot: number): number;
  /** Stops accepting; connections stay. */
  stopListening(): Promise<void>;
}
