/**
 * The IoBackend on io_uring: one ring of the thread that makes it. Requests are rows of a table that `submit` hands
 * to the kernel in one call; results come in another. The thread can sleep on the ring and on its own sleeping
 * word at once, by an eventfd that the ring reads.
 */
import fs from 'node:fs';
import { Region, type SharedBytes } from '../../base/arena.js';
import { type NativeModule, type NativeRing, nativeModule } from '../../base/native-module.js';
import type { Blocker } from '../../base/sleeper.js';
import { IO_FLUSH, IO_READ, IO_WRITE, openFile } from './file-io.js';
import type { IoBackend } from './io-backend.js';

/**
 * Rows handed to the kernel in one call. Few, so that the device begins while more are queued. Measured with 64 reads of
 * 4 KiB in flight: 57,000 reads a second with 256 rows, 61,000 with 16, 76,000 with 8, 70,000 with 4.
 */
const REQUESTS_MAX = 8;
const RESULTS_MAX = 256;
// Words of a request.
const REQUEST_WORDS = 8;
const OP = 0;
const TOKEN = 1;
const FILE = 2;
const LENGTH = 3;
const OFFSET_LOW = 4;
const OFFSET_HIGH = 5;
const BUFFER_AT = 6;
const TWO_32 = 0x1_0000_0000;

export class UringIo implements IoBackend, Blocker {
  readonly name = 'io_uring';
  readonly buffers: Region;
  readonly #ring: NativeRing;
  readonly #requests = new Uint32Array(REQUESTS_MAX * REQUEST_WORDS);
  readonly #results = new Int32Array(RESULTS_MAX * 2);
  #queued = 0;
  /** Rows submitted and not reaped, and those queued. */
  #inFlight = 0;
  readonly #depth: number;

  /**
   * @param buffers Memory that starts at a page.
   * @throws Error when the kernel gives no ring; `ringRefusal` tells that beforehand.
   */
  constructor(buffers: SharedBytes) {
    this.buffers = new Region(buffers);
    const native = nativeModule();
    const ring =
      typeof native === 'string' ? native : native.openRing(this.buffers.u8, this.#requests, this.#results);
    if (typeof ring === 'string') throw new Error(`io_uring: ${ring}`);
    if (typeof ring === 'number') {
      throw new Error(`io_uring: a ring cannot be opened (error ${-ring}); CALTROP_IO=node does without`);
    }
    this.#ring = ring;
    this.#depth = ring.depth;
  }

  /** Written to by whoever wakes the thread. */
  get wakeDescriptor(): number {
    return this.#ring.wakeDescriptor;
  }

  /** Whether buffers are registered with the kernel when they are first used. */
  get isRegistering(): boolean {
    return this.#ring.isRegistering() === 1;
  }

  open(path: string, isDirect = false): number {
    const file = openFile(path, isDirect);
    this.#ring.addFile(file);
    return file;
  }

  close(file: number): void {
    this.#ring.removeFile(file);
    fs.closeSync(file);
  }

  read(token: number, file: number, offset: number, length: number, bufferAt: number): boolean {
    return this.#queue(IO_READ, token, file, offset, length, bufferAt);
  }

  write(token: number, file: number, offset: number, length: number, bufferAt: number): boolean {
    return this.#queue(IO_WRITE, token, file, offset, length, bufferAt);
  }

  flush(token: number, file: number): boolean {
    return this.#queue(IO_FLUSH, token, file, 0, 0, 0);
  }

  submit(): number {
    const count = this.#queued;
    if (count === 0) return 0;
    this.#ring.submit(count);
    this.#queued = 0;
    return count;
  }

  reap(out: Int32Array): number {
    if (this.#inFlight === this.#queued) return 0;
    const count = this.#ring.reap(out.length >>> 1);
    const results = this.#results;
    for (let i = 0; i < count * 2; i++) out[i] = results[i]!;
    this.#inFlight -= count;
    return count;
  }

  get hasCompletion(): boolean {
    return this.#inFlight > this.#queued && this.#ring.hasResult() === 1;
  }

  wait(timeoutMs: number): void {
    this.submit();
    this.#ring.sleep(timeoutMs, 0);
  }

  block(timeoutMs: number): void {
    this.submit();
    this.#ring.sleep(timeoutMs, 1);
  }

  #queue(op: number, token: number, file: number, offset: number, length: number, bufferAt: number): boolean {
    if (this.#inFlight === this.#depth) return false;
    if (this.#queued === REQUESTS_MAX) this.submit();
    this.#inFlight++;
    const requests = this.#requests;
    const w = this.#queued++ * REQUEST_WORDS;
    requests[w + OP] = op;
    requests[w + TOKEN] = token;
    requests[w + FILE] = file;
    requests[w + LENGTH] = length;
    requests[w + OFFSET_LOW] = offset % TWO_32;
    requests[w + OFFSET_HIGH] = Math.floor(offset / TWO_32);
    requests[w + BUFFER_AT] = bufferAt;
    return true;
  }
}

const REASONS: ReadonlyMap<number, string> = new Map([
  [1, 'the system refuses it (EPERM: a seccomp filter, or kernel.io_uring_disabled)'],
  [13, 'the system refuses it (EACCES)'],
  [38, 'the kernel has none, or one that is too old (5.11 is needed)'],
  [12, 'there is too little memory for it'],
]);

/**
 * Whether rings can be had in this process.
 * @param count How many at once: one for each worker.
 * @returns '' or why not. CALTROP_IO=node says no.
 */
export function ringRefusal(count = 1, native: NativeModule | string = nativeModule()): string {
  if (process.env.CALTROP_IO === 'node') return 'CALTROP_IO=node';
  if (typeof native === 'string') return native;
  const errno = -native.probeRing(count);
  return errno === 0 ? '' : (REASONS.get(errno) ?? `opening a ring fails with error ${errno}`);
}
