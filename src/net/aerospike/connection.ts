/**
 * One client connection: the bytes that have come and are not yet executed, and whether a command of it is
 * under way. Frames are executed one after another, so what follows a frame stays here until its answer
 * has gone out.
 */
import { copyBytes } from '../../base/copy.js';
import type { ClientRef } from '../../command/client-ref.js';
import { InfoConnection } from '../../command/info/user-agents.js';

const KEPT_SIZE_MAX = 64 * 1024; // a larger buffer is given back when it is empty

export class Connection implements ClientRef {
  readonly slot: number;
  generation = 0;
  requestNumber = 0;
  isOpen = false;
  /** A command is under way: nothing else is executed. */
  isBusy = false;
  /** The answer may be sent compressed. */
  wantsCompression = false;
  isPaused = false;
  /** No room was in the worker's ring: the frame at the front of the input is to be tried again. */
  isStalled = false;
  /** The server stops: nothing new is executed. */
  isDraining = false;
  lastActiveMs = 0;
  /** Bytes of unread answers when last looked at, and since when they have been that many; 0 = none. */
  unreadSize = 0;
  unreadSinceMs = 0;
  remote = '';
  /** A compressed request, inflated, that waits to be dispatched. */
  inflated: Uint8Array | null = null;
  /** Answers that are being compressed elsewhere, in order. */
  outgoing: Promise<void> | null = null;
  /** Bytes of them, as they were before. */
  outgoingSize = 0;
  info = new InfoConnection();

  /** Unexecuted bytes: [inputAt, inputEnd) of `input`. */
  input: Uint8Array = EMPTY;
  inputAt = 0;
  inputEnd = 0;

  constructor(slot: number) {
    this.slot = slot;
  }

  open(remote: string, nowMs: number): void {
    this.isOpen = true;
    this.isBusy = false;
    this.wantsCompression = false;
    this.isPaused = false;
    this.isStalled = false;
    this.lastActiveMs = nowMs;
    this.unreadSince(0, 0);
    this.remote = remote;
    this.info = new InfoConnection();
  }

  close(): void {
    this.isOpen = false;
    this.generation = (this.generation + 1) >>> 0;
    this.input = EMPTY;
    this.inputAt = 0;
    this.inputEnd = 0;
    this.inflated = null;
    this.outgoing = null;
    this.outgoingSize = 0;
  }

  /** Whether the next frame may be executed. */
  get isReady(): boolean {
    return this.isOpen && !this.isBusy && !this.isStalled && !this.isDraining;
  }

  unreadSince(nowMs: number, size: number): void {
    this.unreadSinceMs = nowMs;
    this.unreadSize = size;
  }

  get inputSize(): number {
    return this.inputEnd - this.inputAt;
  }

  /** Adds bytes to the input. Memory grows with what has really come, never with what a header announces. */
  keep(bytes: Uint8Array, at: number, size: number): void {
    const held = this.inputSize;
    if (this.inputEnd + size > this.input.length) {
      const need = held + size;
      const target =
        need <= this.input.length && this.inputAt > 0 ? this.input : new Uint8Array(Math.max(4096, need * 2));
      if (target === this.input) target.copyWithin(0, this.inputAt, this.inputEnd);
      else copyBytes(target, 0, this.input, this.inputAt, held);
      this.input = target;
      this.inputAt = 0;
      this.inputEnd = held;
    }
    copyBytes(this.input, this.inputEnd, bytes, at, size);
    this.inputEnd += size;
  }

  /** Takes `size` bytes off the front of the input. */
  drop(size: number): void {
    this.inputAt += size;
    if (this.inputAt < this.inputEnd) return;
    this.inputAt = 0;
    this.inputEnd = 0;
    if (this.input.length > KEPT_SIZE_MAX) this.input = EMPTY;
  }
}

const EMPTY = new Uint8Array(0);
