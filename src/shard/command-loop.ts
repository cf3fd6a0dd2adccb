/**
 * A worker's work: takes request frames, has them executed, resumes commands whose device reads have come,
 * sends answers; sleeps when there is nothing to do.
 */
import type { SharedBytes } from '../base/arena.js';
import { epochMs, monotonicMs } from '../base/clock.js';
import type { RingConsumer } from '../base/ring.js';
import type { Sleeper } from '../base/sleeper.js';
import type { BackgroundOps } from './background-ops.js';
import type { BatchWorker } from './batch-worker.js';
import { CommandRunner } from './command-runner.js';
import {
  KIND_BATCH,
  KIND_BATCH_GROUP,
  KIND_RECORD,
  kindOf,
  REQ_KIND,
  REQ_SIZE,
  REQ_TICKET,
  REQUEST_HEADER_SIZE,
} from './frame.js';
import type { Reply } from './reply.js';
import type { Shard } from './shard.js';
import type { ShardMap } from './shard-map.js';
import type { SlabConsumer } from './slab.js';
import type { WorkerDevices } from './worker-devices.js';

const BATCH = 256; // frames taken in a turn
const PUBLISH_EVERY = 16; // commands between two publications of answers
const TICK_MS = 10;
const SLEEP_MS = 20; // where a device needs looking after
const IDLE_SLEEP_MS = 100;

export interface LoopParts {
  readonly requests: RingConsumer;
  readonly slab: SlabConsumer;
  readonly reply: Reply;
  readonly batches: BatchWorker;
  readonly sleeper: Sleeper;
  readonly map: ShardMap;
  readonly devices: WorkerDevices;
  /** How many commands wait, by digest: slots.ts. */
  readonly parked: SharedBytes;
  readonly isStopping: () => boolean;
  /** Whether another thread has done something to a device shard that has to be looked after. */
  readonly hasNews: () => boolean;
  readonly takeNews: () => void;
  /** Called once a turn. */
  readonly onTurn: () => void;
  readonly jobs: BackgroundOps;
  /** Other work for spare time; does a little and returns whether there is more. */
  readonly background: (nowMs: number) => boolean;
}

export class CommandLoop {
  readonly #parts: LoopParts;
  readonly #runner: CommandRunner;
  readonly #hasWork: () => boolean;
  #nowMs = 0;
  #tickAtMs = 0;
  #jobsAtMs = 0;
  /** Nothing was to be done at the last tick, and nothing was done since. */
  #isQuiet = false;
  readonly #memoryShards: readonly Shard[];
  #nextToTidy = 0;
  /** Whether the last frame was a group of rows or a batch, which is as much work as many commands. */
  #wasGroup = false;

  constructor(parts: LoopParts) {
    this.#parts = parts;
    this.#runner = new CommandRunner(
      parts.map,
      parts.reply,
      parts.devices,
      parts.sleeper,
      parts.parked,
      () => this.#beginTurn(),
      (job, code) => parts.jobs.ended(job, code),
    );
    this.#memoryShards = parts.map.shards.filter(shard => !parts.devices.has(shard.engine));
    this.#hasWork = () =>
      (this.#runner.canTake && parts.requests.hasFrame) ||
      parts.devices.hasWork() ||
      parts.hasNews() ||
      (parts.isStopping() && this.#runner.isIdle);
  }

  /** Runs until it is told to stop and every command in hand is answered. */
  run(): void {
    const { requests, sleeper, reply, devices } = this.#parts;
    for (;;) {
      this.#beginTurn();
      devices.pump();
      const hasResumed = this.#runner.resumeParked();
      const isBusy = this.#takeFrames() || hasResumed;
      this.#stepJobs();
      reply.publish();
      if (isBusy) {
        this.#isQuiet = false;
        continue;
      }
      if (this.#parts.isStopping() && !requests.hasFrame && this.#runner.isIdle) break;
      sleeper.sleep(this.#hasWork, this.#isQuiet && !devices.isWaiting ? IDLE_SLEEP_MS : SLEEP_MS);
    }
  }

  /** Reads the clocks and does what time asks for. A command that waits within a turn calls it too. */
  #beginTurn(): void {
    this.#nowMs = monotonicMs();
    const wallMs = epochMs();
    this.#runner.setTime(this.#nowMs, wallMs);
    this.#parts.batches.setTime(this.#nowMs, wallMs);
    this.#parts.onTurn();
    if (this.#nowMs >= this.#tickAtMs || this.#parts.hasNews()) this.#tick();
  }

  #tick(): void {
    this.#tickAtMs = this.#nowMs + TICK_MS;
    this.#parts.takeNews(); // first: whatever comes after it is for the next one
    this.#parts.devices.tick(this.#nowMs);
    // Memory shards tidy up in turn, so that no tick is long.
    this.#nextToTidy = (this.#nextToTidy + 1) % Math.max(1, this.#memoryShards.length);
    const shard = this.#memoryShards[this.#nextToTidy];
    if (shard !== undefined) {
      if (shard.ownership !== null) shard.ownership.take();
      shard.engine.tick(this.#nowMs);
      if (shard.ownership !== null) shard.ownership.give();
    }
    const hasBackground = this.#parts.background(this.#nowMs);
    this.#isQuiet = !hasBackground && !this.#parts.devices.isBusy && !this.#parts.jobs.hasAny;
  }

  /** Does a little for jobs, between turns: a command of theirs needs the runner as a client's does. */
  #stepJobs(): void {
    const { jobs, isStopping } = this.#parts;
    if (!jobs.hasAny || this.#nowMs < this.#jobsAtMs || isStopping()) return;
    this.#jobsAtMs = this.#nowMs + TICK_MS;
    jobs.step(this.#runner, this.#nowMs, epochMs(), monotonicMs);
  }

  #takeFrames(): boolean {
    const { requests, reply } = this.#parts;
    let count = 0;
    while (count < BATCH && this.#runner.canTake) {
      const at = requests.next();
      if (at < 0) break;
      this.#frame(at);
      if (++count % PUBLISH_EVERY !== 0 && !this.#wasGroup && !this.#runner.takeLookDue()) continue;
      reply.publish();
      if (monotonicMs() - this.#nowMs >= TICK_MS) break; // the clock and the flushes are due
    }
    if (count === 0) return false;
    requests.release();
    return true;
  }

  #frame(at: number): void {
    const { requests, slab } = this.#parts;
    const { u32, f64, u8 } = requests.region;
    const w = at >>> 2;
    const ticket = u32[w + REQ_TICKET]!;
    const size = u32[w + REQ_SIZE]!;
    const bytes = ticket === 0 ? u8 : slab.region.u8;
    const from = ticket === 0 ? at + REQUEST_HEADER_SIZE : slab.offsetOf(ticket - 1);
    const kind = kindOf(u32[w + REQ_KIND]!);
    this.#wasGroup = kind !== KIND_RECORD;
    if (kind === KIND_RECORD) this.#runner.record(u32, f64, w, bytes, from, size, null);
    else if (kind === KIND_BATCH_GROUP) this.#runner.batchGroup(u32, f64, w, bytes, from, size);
    else if (kind === KIND_BATCH) this.#parts.batches.run(u32, f64, w, bytes, from, size);
    if (ticket !== 0) slab.free(ticket - 1);
  }
}
