/**
 * Sockets, as the Aerospike front end needs them. A connection is a slot: a small number that is used again
 * after the connection is gone. Work comes in turns: an engine tells of everything that has happened, then
 * says `turned`. There are two implementations, node:net and a native loop; the same tests run on both.
 */
import type { RingConsumer } from '../../base/ring.js';

export interface SocketEvents {
  /** A client has connected. @returns false to refuse it: it is closed at once. */
  opened(slot: number, remote: string): boolean;
  /**
   * An engine that knows what it is going to tell can say so before: first `foresee` for each of several chunks of
   * bytes, in ascending order of where they lie, then `lookAhead`, then `received` for each in the same order, then
   * `forget`. The bytes stay as they are meanwhile.
   */
  foresee(bytes: Uint8Array, at: number, size: number): void;
  lookAhead(): void;
  forget(): void;
  /** What is told next had come before this call, which is therefore where the time of its commands begins. */
  arrived(): void;
  /** Bytes have come; they are valid until the call returns. */
  received(slot: number, bytes: Uint8Array, at: number, size: number): void;
  /** What was queued has been taken by the kernel. */
  drained(slot: number): void;
  /** The connection is gone, whoever ended it. The slot may be used again after this call. */
  closed(slot: number): void;
  /**
   * The end of a turn that was asked for by requestTurn(), or of one of the engine's own.
   * @param mayLinger Whether the engine can wait for the next turn awake.
   * @returns Microseconds for which it should, 0 not at all. If nothing comes meanwhile, this is called again.
   */
  turned(mayLinger: boolean): number;
}

export interface SocketEngine {
  readonly name: string;
  /** An eventfd: a thread that adds to it causes a turn. -1 where there is none. */
  readonly wakeDescriptor: number;
  /** Starts to listen on an address, or on all of the machine. @returns The port, which is chosen by the kernel when 0 was asked for. */
  listen(host: string | undefined, port: number): Promise<number>;
  /** Announces memory that many answers lie in: an engine may send from there without a copy. */
  share(bytes: Uint8Array): void;
  /** Announces a ring whose frames are a reason to end lingering. */
  watch(ring: RingConsumer): void;
  /** Sends bytes in order. They are copied before the call returns; if they lie in shared memory, before flush() does. */
  send(slot: number, bytes: Uint8Array, at: number, size: number): void;
  /** Ends the use of shared memory by everything that was given to send. The end of a turn does it too. */
  flush(): void;
  /** Has `turned` called, soon and once, after what is going on now. */
  requestTurn(): void;
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

/** Connections that the kernel holds until they are accepted. */
export const BACKLOG = 1024;

/** A listening socket that could not be opened. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}
