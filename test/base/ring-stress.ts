/**
 * The two ends of the ring's stress test, each run in a thread of its own. Both know the frames beforehand: size
 * and contents follow from a frame's number, so the consumer can tell a lost, torn, doubled or reordered one.
 * `workerData.module` is the ring to be tested: the real one, or a copy that was broken on purpose.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { SharedBytes } from '../../src/base/arena.js';
import type * as ring from '../../src/base/ring.js';

export interface StressTask {
  role: 'producer' | 'consumer';
  /** URL of the module with RingProducer and RingConsumer. */
  module: string;
  shared: SharedBytes;
  frameCount: number;
  /** Set by whoever finds a fault, so that the other one ends too. */
  stop: SharedBytes;
}

/** What a thread says when it ends; nothing wrong when `fault` is empty. */
export interface StressReport {
  role: string;
  frames: number;
  fault: string;
}

const SPINS = 200;

if (parentPort && (workerData as StressTask | null)?.module) {
  const task = workerData as StressTask;
  const module = (await import(task.module)) as typeof ring;
  const stop = new Int32Array(task.stop);
  const report: StressReport = { role: task.role, frames: 0, fault: '' };
  if (task.role === 'producer') produce(new module.RingProducer(task.shared), task.frameCount, stop, report);
  else consume(new module.RingConsumer(task.shared), task.frameCount, stop, report);
  if (report.fault) Atomics.store(stop, 0, 1);
  parentPort.postMessage(report);
}

function produce(end: ring.RingProducer, frameCount: number, stop: Int32Array, report: StressReport): void {
  for (let n = 0; n < frameCount && Atomics.load(stop, 0) === 0; n++) {
    const size = sizeOf(n, end.payloadSizeMax);
    // What is reserved is often more than what the frame turns out to need.
    const reserved = Math.min(size + (mix(n) & 63), end.payloadSizeMax);
    let at = end.reserve(reserved);
    for (let spins = 0; at < 0; spins++) {
      end.publish();
      // Both ways that a producer may wait for room.
      if (spins < SPINS || (n & 1) === 0) pause(stop, spins);
      else end.waitForRoom(100);
      if (Atomics.load(stop, 0) !== 0) return;
      at = end.reserve(reserved);
    }
    fill(end.region.u8, at, size, n);
    end.commit(size, n);
    report.frames++;
    if (mix(n + 1) % 5 === 0) end.publish();
  }
  end.publish();
}

function consume(end: ring.RingConsumer, frameCount: number, stop: Int32Array, report: StressReport): void {
  while (report.frames < frameCount) {
    const n = report.frames;
    let at = end.next();
    for (let spins = 0; at < 0; spins++) {
      end.release();
      if (Atomics.load(stop, 0) !== 0) return;
      pause(stop, spins);
      at = end.next();
    }
    if (end.user !== n) {
      const kind = end.user < n ? 'doubled or reordered' : 'lost or reordered';
      report.fault = `${kind}: frame ${end.user} where ${n} was due`;
      return;
    }
    if (end.size !== sizeOf(n, end.payloadSizeMax)) {
      report.fault = `torn: frame ${n} has ${end.size} bytes`;
      return;
    }
    const wrong = firstWrong(end.region.u8, at, end.size, n);
    if (wrong >= 0) {
      report.fault = `torn: frame ${n} of ${end.size} bytes is wrong at byte ${wrong}`;
      return;
    }
    report.frames++;
    // Held back for a while, so that the ring runs full; its bytes must stay until then.
    if (mix(n + 2) % 3 === 0) end.release();
  }
  end.release();
}

/** Mostly what requests look like, sometimes nothing, sometimes the longest there can be. */
function sizeOf(n: number, sizeMax: number): number {
  const random = mix(n);
  const kind = random & 31;
  if (kind === 0) return 0;
  if (kind === 1) return sizeMax;
  if (kind < 6) return (random >>> 8) % (sizeMax + 1);
  return Math.min(64 + ((random >>> 8) % 137), sizeMax);
}

function fill(bytes: Uint8Array, at: number, size: number, n: number): void {
  let state = mix(n) | 1;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    bytes[at + i] = state >>> 24;
  }
}

/** Index of the first byte that `fill` has not written, or -1. */
function firstWrong(bytes: Uint8Array, at: number, size: number, n: number): number {
  let state = mix(n) | 1;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    if (bytes[at + i] !== state >>> 24) return i;
  }
  return -1;
}

function mix(n: number): number {
  let x = Math.imul(n ^ 0x5bd1e995, 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Spins at first; then lets another thread have the processor. */
function pause(stop: Int32Array, spins: number): void {
  if (spins > SPINS) Atomics.wait(stop, 0, 0, 0.05);
}
