/**
 * Loaded into a server before its own code, in each of its threads: writes down when what clients appended was asked to
 * be written, when that was handed to the device, and when the device had it. So that a crash run can tell, of a server
 * that was killed, what had been written and what had not, and why. flush-record.ts reads it.
 *
 * A file a worker, in the directory CALTROP_TEST_FLUSH_TRACE, which should be in memory: a disk that is slow must not slow
 * down what tells of it. What a process has handed to the kernel outlives it, so the last line is the last event. Times
 * are monotonic milliseconds, the same for all processes. Lines:
 *
 *   thread TID
 *   tick   MS WAITED RAN       the worker has looked after its shards; the thread has waited for a processor, and run, for so long
 *   open   MS SHARD SINCE      ... and this shard's open block holds since then what was not asked to be written, -1: nothing
 *   asked  MS SHARD NUMBER SINCE WAITED BLOCK FROM LENGTH   a piece of a block, and when its oldest append was made
 *   handed MS SHARD NUMBER     the piece, and those that wait for it, are with the device
 *   ended  MS SHARD NUMBER RESULT
 */
import fs from 'node:fs';
import path from 'node:path';
import { isMainThread, threadId } from 'node:worker_threads';
import { monotonicMs } from '../../../src/base/clock.js';
import { DeviceEngine } from '../../../src/storage/device/device-engine.js';
import { BlockWriter } from '../../../src/storage/write-block/block-writer.js';
import { ShardExtent } from '../../../src/storage/write-block/shard-extent.js';
import { QUEUE_COUNT_MAX, WriteQueue } from '../../../src/storage/write-block/write-queue.js';
import type { WriteStream } from '../../../src/storage/write-block/write-stream.js';

const NS_PER_MS = 1e6;
const CLIENTS = 0; // the place of the clients' queue, in block-writer.ts
const SCHEDSTAT_SIZE_MAX = 128; // bytes

/** The clients' stream of a shard. */
interface Traced {
  readonly shard: number;
  readonly stream: WriteStream;
  /** The number of the next piece. */
  next: number;
}

function trace(directory: string): void {
  const file = fs.openSync(path.join(directory, `worker-${threadId}`), 'w');
  const schedstat = fs.openSync('/proc/thread-self/schedstat', 'r');
  const text = Buffer.alloc(SCHEDSTAT_SIZE_MAX);
  const say = (...words: readonly (string | number)[]): void =>
    void fs.writeSync(file, `${words.join(' ')}\n`);
  /** For how long this thread has run, and waited for a processor. */
  const times = (): number[] => {
    const size = fs.readSync(schedstat, text, 0, SCHEDSTAT_SIZE_MAX, 0);
    return text
      .toString('latin1', 0, size)
      .split(' ')
      .map(ns => Number(ns) / NS_PER_MS);
  };
  const waited = (): string => times()[1]!.toFixed(2);
  say('thread', fs.readlinkSync('/proc/thread-self').split('/').at(-1)!);

  /** The engine that is at work. What it reads first, when it starts, tells its shard. */
  let current: DeviceEngine | undefined;
  let first: DeviceEngine | undefined;
  const shards = new Map<DeviceEngine, number>();
  const byQueue = new Map<WriteQueue, Traced>();
  const byShard = new Map<number, Traced>();
  const since = ({ stream }: Traced): number => (stream.isDirty ? stream.dirtySinceMs : -1);

  const { recover, tick, close } = DeviceEngine.prototype;
  DeviceEngine.prototype.recover = function (...parameters) {
    current = this;
    try {
      return recover.apply(this, parameters);
    } finally {
      current = undefined;
    }
  };
  DeviceEngine.prototype.close = function () {
    current = this;
    close.call(this);
    current = undefined;
  };
  DeviceEngine.prototype.tick = function (nowMs) {
    current = this;
    first ??= this;
    if (this === first) {
      const [ran, wait] = times();
      say('tick', monotonicMs(), wait!.toFixed(2), ran!.toFixed(2));
    }
    tick.call(this, nowMs);
    current = undefined;
  };

  const { read, write } = ShardExtent.prototype;
  ShardExtent.prototype.read = function (...parameters) {
    if (current !== undefined && !shards.has(current)) shards.set(current, this.owner.shard);
    return read.apply(this, parameters);
  };
  ShardExtent.prototype.write = function (argument, ...parameters) {
    const isHanded = write.call(this, argument, ...parameters);
    const number = Math.floor(argument / QUEUE_COUNT_MAX);
    const traced = byShard.get(this.owner.shard);
    if (isHanded && argument % QUEUE_COUNT_MAX === CLIENTS && traced !== undefined && number < traced.next)
      say('handed', monotonicMs(), traced.shard, number);
    return isHanded;
  };

  const { tick: tickWriter } = BlockWriter.prototype;
  BlockWriter.prototype.tick = function (nowMs) {
    const shard = current && shards.get(current);
    if (shard === undefined) throw new Error('flush trace: a shard that has read nothing');
    let traced = byShard.get(shard);
    if (traced === undefined) {
      traced = { shard, stream: this.openBlock as WriteStream, next: 0 };
      byShard.set(shard, traced);
      byQueue.set(traced.stream.writes, traced);
    }
    const atMs = monotonicMs();
    tickWriter.call(this, nowMs);
    say('open', atMs, shard, since(traced));
  };

  const { push, onWrite } = WriteQueue.prototype;
  WriteQueue.prototype.push = function (...parameters) {
    const [, block, from, length] = parameters;
    const traced = byQueue.get(this);
    if (traced !== undefined) {
      const { shard, stream } = traced;
      const what = [traced.next++, stream.dirtySinceMs, waited(), block, from, length];
      say('asked', monotonicMs(), shard, ...what);
    }
    push.apply(this, parameters);
  };
  WriteQueue.prototype.onWrite = function (number, result) {
    const traced = byQueue.get(this);
    if (traced !== undefined) say('ended', monotonicMs(), traced.shard, number, result);
    onWrite.call(this, number, result);
  };
}

const directory = process.env.CALTROP_TEST_FLUSH_TRACE;
if (directory !== undefined && !isMainThread) trace(directory);
