/**
 * An IoBackend without threads: `submit` does everything queued at once and blocks meanwhile. For tools that
 * read devices, and for tests; a server would stall its worker on every read.
 */
import fs from 'node:fs';
import { allocateAligned, Region } from '../../base/arena.js';
import { IO_FLUSH, IO_READ, IO_WRITE, openFile, performIo } from './file-io.js';
import type { IoBackend } from './io-backend.js';

const QUEUE_MAX = 256;
const FIELDS = 6; // op, token, file, offset, length, buffer

export class SyncIo implements IoBackend {
  readonly name: string = 'node:fs, blocking';
  readonly buffers: Region;
  readonly #queue = new Float64Array(QUEUE_MAX * FIELDS);
  #queued = 0;
  readonly #done = new Int32Array(QUEUE_MAX * 2);
  #doneCount = 0;

  /** @param bufferSize Bytes of the buffer region. */
  constructor(bufferSize: number) {
    this.buffers = new Region(allocateAligned(bufferSize));
  }

  open(path: string, isDirect = false): number {
    return openFile(path, isDirect);
  }

  close(file: number): void {
    fs.closeSync(file);
  }

  read(token: number, file: number, offset: number, length: number, bufferAt: number): boolean {
    return this.#push(IO_READ, token, file, offset, length, bufferAt);
  }

  write(token: number, file: number, offset: number, length: number, bufferAt: number): boolean {
    return this.#push(IO_WRITE, token, file, offset, length, bufferAt);
  }

  flush(token: number, file: number): boolean {
    return this.#push(IO_FLUSH, token, file, 0, 0, 0);
  }

  submit(): number {
    const count = this.#queued;
    const q = this.#queue;
    for (let i = 0; i < count; i++) {
      const f = i * FIELDS;
      this.#done[this.#doneCount * 2] = q[f + 1]!;
      this.#done[this.#doneCount * 2 + 1] = this.perform(q[f]!, q[f + 2]!, q[f + 3]!, q[f + 4]!, q[f + 5]!);
      this.#doneCount++;
    }
    this.#queued = 0;
    return count;
  }

  reap(out: Int32Array): number {
    const count = Math.min(this.#doneCount, out.length >>> 1);
    out.set(this.#done.subarray(0, count * 2));
    this.#done.copyWithin(0, count * 2, this.#doneCount * 2);
    this.#doneCount -= count;
    return count;
  }

  get hasCompletion(): boolean {
    return this.#doneCount > 0;
  }

  wait(): void {
    this.submit();
  }

  /** Does one request. A device with faults overrides this. */
  protected perform(op: number, file: number, offset: number, length: number, bufferAt: number): number {
    return performIo(op, file, offset, length, this.buffers.u8, bufferAt);
  }

  #push(op: number, token: number, file: number, offset: number, length: number, bufferAt: number): boolean {
    if (this.#queued + this.#doneCount === QUEUE_MAX) return false;
    const f = this.#queued++ * FIELDS;
    const q = this.#queue;
    q[f] = op;
    q[f + 1] = token;
    q[f + 2] = file;
    q[f + 3] = offset;
    q[f + 4] = length;
    q[f + 5] = bufferAt;
    return true;
  }
}
