/**
 * A client connection as the command layer knows it, and the way back to it. The network layer owns both;
 * a slot that is used again has another generation, so that an answer never reaches the wrong client.
 */
export interface ClientRef {
  readonly slot: number;
  readonly generation: number;
  /** Counts the connection's requests; the answer carries it back. */
  requestNumber: number;
}

/** What a dispatch answers when the request is on its way, or has to be given again later, or is done. Codes are not negative. */
export const DISPATCHED = -1;
export const NO_ROOM = -2;
export const ANSWERED = -3;

export interface AnswerSink {
  /**
   * Takes bytes of an answer: whole protocol frames. They are read before flush() returns.
   * @param isLast Whether the request is finished with them; `size` may be 0 then.
   */
  answer(
    slot: number,
    generation: number,
    requestNumber: number,
    bytes: Uint8Array,
    at: number,
    size: number,
    isLast: boolean,
  ): void;
  /** Ends the use of all bytes that answer() was given. */
  flush(): void;
  /** Whether the client of a request still waits for its answer. */
  awaits(slot: number, generation: number, requestNumber: number): boolean;
  /** Bytes that the connection has not taken yet; a stream of answers waits while it is large. */
  queuedBytes(slot: number, generation: number): number;
}
