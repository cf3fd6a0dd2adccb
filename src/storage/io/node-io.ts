/**
 * The IoBackend of a worker where io_uring is missing: node:fs on helper threads. A worker that sleeps in
 * Atomics.wait runs none of its own callbacks, so asynchronous node:fs would never come back to it; helpers
 * do synchronous reads and writes into shared memory instead and wake the worker's word.
 */
import fs from 'node:fs';
import { Region } from '../../base/arena.js';
import { RingConsumer, RingProducer } from '../../base/ring.js';
import { Sleeper, Waker } from '../../base/sleeper.js';
import { IO_FLUSH, IO_READ, IO_WRITE, openFile } from './file-io.js';
import type { IoBackend } from './io-backend.js';
import * as M from './node-io-memory.js';

class Lane {
  readonly requests: RingProducer;
  readonly completions: RingConsumer;
  readonly waker: Waker;
  inFlight = 0;

  constructor(memory: M.NodeIoLane) {
    this.requests = new RingProducer(memory.requests);
    this.completions = new RingConsumer(memory.completions);
    this.waker = new Waker(memory.sleeper);
  }
}

export class NodeIo implements IoBackend {
  readonly name: string = 'node:fs';
  readonly buffers: Region;
  readonly #lanes: readonly Lane[];
  readonly #sleeper: Sleeper;
  readonly #hasCompletion = (): boolean => this.hasCompletion;

  constructor(memory: M.NodeIoMemory) {
    this.buffers = new Region(memory.buffers);
    this.#lanes = memory.lanes.map(lane => new Lane(lane));
    this.#sleeper = new Sleeper(memory.workerSleeper);
  }

  open(path: string, isDirect = false): number {
    // Numbers of open files belong to the process, so the helpers can use this one.
    return openFile(path, isDirect);
  }

  close(file: number): void {
    fs.closeSync(file);
  }

  read(token: number, file: number, offset: number, length: number, bufferAt: number): boolean {
    const lanes = this.#lanes;
    let lane = lanes[lanes.length - 1]!;
    for (let i = lanes.length - 2; i > 0; i--) if (lanes[i]!.inFlight < lane.inFlight) lane = lanes[i]!;
    return push(lane, IO_READ, token, file, offset, length, bufferAt);
  }

  write(token: number, file: number, offset: number, length: number, bufferAt: number): boolean {
    return push(this.#lanes[0]!, IO_WRITE, token, file, offset, length, bufferAt);
  }

  flush(token: number, file: number): boolean {
    return push(this.#lanes[0]!, IO_FLUSH, token, file, 0, 0, 0);
  }

  submit(): number {
    let count = 0;
    for (let i = 0; i < this.#lanes.length; i++) {
      const lane = this.#lanes[i]!;
      if (!lane.requests.publish()) continue;
      lane.waker.wake();
      count++;
    }
    return count;
  }

  reap(out: Int32Array): number {
    let pairs = 0;
    for (let i = 0; i < this.#lanes.length; i++) {
      const lane = this.#lanes[i]!;
      const ring = lane.completions;
      while (pairs * 2 + 1 < out.length) {
        const at = ring.next();
        if (at < 0) break;
        out[pairs * 2] = ring.region.i32[at >>> 2]!;
        out[pairs * 2 + 1] = ring.region.i32[(at >>> 2) + 1]!;
        pairs++;
        lane.inFlight--;
      }
      ring.release();
    }
    return pairs;
  }

  get hasCompletion(): boolean {
    for (let i = 0; i < this.#lanes.length; i++) if (this.#lanes[i]!.completions.hasFrame) return true;
    return false;
  }

  wait(timeoutMs: number): void {
    this.submit();
    this.#sleeper.sleep(this.#hasCompletion, timeoutMs);
  }
}

function push(
  lane: Lane,
  op: number,
  token: number,
  file: number,
  offset: number,
  length: number,
  bufferAt: number,
): boolean {
  if (lane.inFlight === M.LANE_DEPTH) return false;
  const at = lane.requests.reserve(M.IO_REQUEST_SIZE);
  if (at < 0) return false;
  const { u32, f64 } = lane.requests.region;
  const w = at >>> 2;
  u32[w + M.IO_REQ_OP] = op;
  u32[w + M.IO_REQ_TOKEN] = token;
  u32[w + M.IO_REQ_FILE] = file;
  u32[w + M.IO_REQ_LENGTH] = length;
  f64[(at >>> 3) + M.IO_REQ_OFFSET] = offset;
  f64[(at >>> 3) + M.IO_REQ_BUFFER] = bufferAt;
  lane.requests.commit(M.IO_REQUEST_SIZE);
  lane.inFlight++;
  return true;
}
