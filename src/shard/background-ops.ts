/**
 * Background operations: the ops of one request, carried out on every record of a set or a namespace, a few records at
 * a time between the commands of clients. Each record is one command of its own, with all that this means: it may wait
 * for a device, for another command on the same record, and until it is durable. A job has a part on every worker.
 *
 * What has not been written since a job was accepted and was there is what it is about: a record that was made later
 * is left alone while it still can be told by its generation. Source: protocol 04, section 11.
 */
import { copyBytes } from '../base/copy.js';
import { DIGEST_SIZE, partitionOf } from '../base/digest.js';
import { FILTERED_OUT, OK } from '../base/result.js';
import { TOMBSTONE } from '../storage/index/entry.js';
import {
  FIELD_DIGEST,
  FIELD_NAMESPACE,
  FIELD_SET,
  INFO2_WRITE,
  MSG_FIELD_COUNT,
  MSG_HEADER_SIZE,
  MSG_INFO2,
  MSG_INFO3,
  MSG_OP_COUNT,
  MSG_TTL,
  writeU16,
  writeU32,
} from '../wire/message.js';
import {
  KIND_RECORD,
  kindWord,
  REQ_ARRIVAL,
  REQ_DIGEST_AT,
  REQ_KIND,
  REQ_NUMBER,
  REQ_PARTITION_NAMESPACE,
  REQUEST_HEADER_SIZE,
  SOURCE_INTERNAL,
} from './frame.js';
import { IndexWalk } from './nsup/index-walk.js';
import type { Shard } from './shard.js';
import type { ShardMap } from './shard-map.js';

/** A job as the main thread hands it to every worker. */
export interface BackgroundJob {
  /** Of this process alone. */
  readonly number: number;
  /** Id of its namespace, and the set in it; 0: all records. */
  readonly namespace: number;
  readonly setId: number;
  readonly acceptedMs: number; // since 2010
  /** Monotonic. */
  readonly beginMs: number;
  /** Records a second on one worker, at most. */
  readonly rate: number;
  /** What the commands say beside WRITE; that the record must exist is in `info3`. */
  readonly info2: number;
  readonly info3: number;
  readonly ttl: number;
  /** Fields that go into the command of each record as they are, and its ops behind them. */
  readonly fieldCount: number;
  readonly opCount: number;
  readonly fieldsAndOps: Uint8Array;
}

/** What a worker has done of a job so far. */
export interface BackgroundReport {
  readonly number: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly filteredOut: number;
  /** Nothing is left of it on this worker. */
  readonly isDone: boolean;
}

/** Whoever executes commands. */
export interface BackgroundRunner {
  /** Whether another command may be begun. */
  readonly canTake: boolean;
  record(
    header: Uint32Array,
    f64: Float64Array,
    w: number,
    bytes: Uint8Array,
    at: number,
    size: number,
    slot: null,
  ): void;
}

const STEP_MS = 0.5; // of every 10, at most
const WALK_COUNT = 128; // entries looked at in one go
const BURST_MS = 100; // what a worker that slept may catch up
const REPORT_MS = 250;

class Run {
  readonly job: BackgroundJob;
  readonly walks: { readonly shard: Shard; readonly entries: IndexWalk }[];
  /** Digests of records that are to be changed next. */
  readonly digests = new Uint8Array(WALK_COUNT * DIGEST_SIZE);
  readonly setIds = new Uint16Array(WALK_COUNT);
  next = 0;
  count = 0;
  /** Records that it may change now. */
  allowance = 0;
  lastMs: number;
  /** Commands under way. */
  pending = 0;
  succeeded = 0;
  failed = 0;
  filteredOut = 0;
  reportedMs = 0;
  /** The command for records of one set, but for the digest. */
  command: Uint8Array = new Uint8Array(0);
  commandSetId = -1;
  digestAt = 0;

  constructor(job: BackgroundJob, shards: readonly Shard[]) {
    this.job = job;
    this.lastMs = job.beginMs;
    this.walks = shards.map(shard => ({
      shard,
      entries: new IndexWalk(shard.index, shard.partitions, job.setId),
    }));
  }

  get isDone(): boolean {
    return this.walks.length === 0 && this.next === this.count && this.pending === 0;
  }
}

export class BackgroundOps {
  readonly #map: ShardMap;
  readonly #report: (report: BackgroundReport) => void;
  readonly #runs: Run[] = [];
  readonly #header = new Uint32Array(REQUEST_HEADER_SIZE / 4);
  readonly #headerF64 = new Float64Array(this.#header.buffer);

  constructor(map: ShardMap, report: (report: BackgroundReport) => void) {
    this.#map = map;
    this.#report = report;
    this.#header[REQ_KIND] = kindWord(KIND_RECORD, SOURCE_INTERNAL);
  }

  get hasAny(): boolean {
    return this.#runs.length > 0;
  }

  add(job: BackgroundJob): void {
    const namespace = this.#map.namespaces[job.namespace];
    this.#runs.push(
      new Run(
        job,
        this.#map.shards.filter(shard => shard.namespace === namespace),
      ),
    );
  }

  /** Ends a job; commands under way are finished. */
  abort(number: number): void {
    const run = this.#runs.find(({ job }) => job.number === number);
    if (run === undefined) return;
    run.walks.length = 0;
    run.next = run.count;
  }

  /** A command of a job has ended. */
  ended(number: number, code: number): void {
    const run = this.#runs.find(({ job }) => job.number === number)!;
    run.pending--;
    if (code === OK) run.succeeded++;
    else if (code === FILTERED_OUT) run.filteredOut++;
    else run.failed++;
  }

  /**
   * Does a little of the jobs, of each in turn. To be called about every 10 ms.
   * @param nowMs  Monotonic.
   * @param wallMs Since 2010.
   * @param readMs The monotonic clock.
   */
  step(runner: BackgroundRunner, nowMs: number, wallMs: number, readMs: () => number): void {
    const endMs = nowMs + STEP_MS;
    const runs = this.#runs;
    for (let i = runs.length; i > 0 && readMs() < endMs; i--) {
      const run = runs.shift()!;
      runs.push(run); // the others come first next time
      this.#go(run, runner, nowMs, wallMs, endMs, readMs);
      if (run.isDone) runs.pop();
    }
  }

  #go(
    run: Run,
    runner: BackgroundRunner,
    nowMs: number,
    wallMs: number,
    endMs: number,
    readMs: () => number,
  ): void {
    const { rate, beginMs } = run.job;
    if (nowMs < beginMs && !run.isDone) return; // one that was ended before is reported
    const burst = Math.max(1, (BURST_MS * rate) / 1000);
    run.allowance = Math.min(run.allowance + ((nowMs - run.lastMs) * rate) / 1000, burst);
    run.lastMs = nowMs;
    while (run.allowance >= 1 && runner.canTake) {
      if (run.next < run.count) this.#change(run, runner, nowMs);
      else if (run.walks.length > 0) this.#collect(run, wallMs);
      else break;
      if (readMs() >= endMs) break;
    }
    this.#tell(run, nowMs);
  }

  #tell(run: Run, nowMs: number): void {
    const { isDone, succeeded, failed, filteredOut } = run;
    if (!isDone && nowMs - run.reportedMs < REPORT_MS) return;
    run.reportedMs = nowMs;
    this.#report({ number: run.job.number, succeeded, failed, filteredOut, isDone });
  }

  /** Finds the next records, in the shard that is walked. */
  #collect(run: Run, wallMs: number): void {
    const { shard, entries } = run.walks[0]!;
    const { index, ownership } = shard;
    const { job, digests, setIds } = run;
    const { setId } = job;
    run.next = 0;
    run.count = 0;
    if (ownership !== null) ownership.take();
    shard.adoptTruncation();
    const nowMs = shard.clock.read(wallMs);
    // The shard's clock may be ahead of the wall's.
    const acceptedMs = job.acceptedMs + Math.max(0, nowMs - wallMs);
    const nowSec = Math.floor(nowMs / 1000);
    const hasMore = entries.step(WALK_COUNT, entry => {
      if (setId !== 0 && index.setId(entry) !== setId) return;
      if (index.hasFlag(entry, TOMBSTONE) || index.size(entry) === 0 || !shard.isLive(entry, nowSec)) return;
      if (index.generation(entry) === 1 && index.lut(entry) >= acceptedMs) return;
      index.digestTo(entry, digests, run.count * DIGEST_SIZE);
      setIds[run.count++] = index.setId(entry);
    });
    if (ownership !== null) ownership.give();
    if (!hasMore) run.walks.shift();
  }

  /** Executes the ops on the next record. */
  #change(run: Run, runner: BackgroundRunner, nowMs: number): void {
    const at = run.next * DIGEST_SIZE;
    const setId = run.setIds[run.next]!;
    if (setId !== run.commandSetId) this.#build(run, setId);
    run.next++;
    run.allowance--;
    run.pending++;
    copyBytes(run.command, run.digestAt, run.digests, at, DIGEST_SIZE);
    const header = this.#header;
    header[REQ_NUMBER] = run.job.number;
    header[REQ_PARTITION_NAMESPACE] = partitionOf(run.digests, at) | (run.job.namespace << 16);
    header[REQ_DIGEST_AT] = run.digestAt;
    this.#headerF64[REQ_ARRIVAL >>> 1] = nowMs;
    runner.record(header, this.#headerF64, 0, run.command, 0, run.command.length, null);
  }

  /** Builds the command for records of a set. */
  #build(run: Run, setId: number): void {
    const { job } = run;
    const { nameBytes, sets } = this.#map.namespaces[job.namespace]!;
    const setSize = setId === 0 ? 0 : sets.nameSize(setId);
    const size =
      MSG_HEADER_SIZE + 5 + nameBytes.length + 5 + setSize + 5 + DIGEST_SIZE + job.fieldsAndOps.length;
    const out = new Uint8Array(size);
    out[0] = MSG_HEADER_SIZE;
    out[MSG_INFO2] = INFO2_WRITE | job.info2;
    out[MSG_INFO3] = job.info3;
    writeU32(out, MSG_TTL, job.ttl);
    writeU16(out, MSG_FIELD_COUNT, 3 + job.fieldCount);
    writeU16(out, MSG_OP_COUNT, job.opCount);
    let p = startField(out, MSG_HEADER_SIZE, FIELD_NAMESPACE, nameBytes.length);
    copyBytes(out, p, nameBytes, 0, nameBytes.length);
    p = startField(out, p + nameBytes.length, FIELD_SET, setSize);
    if (setId !== 0) sets.nameTo(setId, out, p);
    p = startField(out, p + setSize, FIELD_DIGEST, DIGEST_SIZE);
    run.digestAt = p;
    copyBytes(out, p + DIGEST_SIZE, job.fieldsAndOps, 0, job.fieldsAndOps.length);
    run.command = out;
    run.commandSetId = setId;
  }
}

/** Writes the head of a field. @returns Where its data go. */
function startField(out: Uint8Array, at: number, type: number, size: number): number {
  writeU32(out, at, size + 1);
  out[at + 4] = type;
  return at + 5;
}
