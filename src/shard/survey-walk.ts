/**
 * Surveys the shards of one worker for `histogram:`: walks each index, a few hundred entries at a time between
 * commands, and hands the report of every finished shard to the main thread. A walk remembers the digest at
 * which it stopped, never a handle, since its entry may be gone when it goes on.
 */
import { DIGEST_SIZE } from '../base/digest.js';
import { RecordSurvey, type SurveyReport } from '../observe/record-survey.js';
import { TOMBSTONE } from '../storage/index/entry.js';
import type { PrimaryIndex } from '../storage/index/primary-index.js';
import type { Ownership } from './ownership.js';

/** Entries visited in one step: about a tenth of a millisecond when they come from memory. */
const STEP_COUNT = 500;

/** One shard as a survey sees it. */
export interface SurveyedShard {
  /** Id of its namespace, and its number there. */
  readonly namespace: number;
  readonly number: number;
  readonly partitions: ArrayLike<number>;
  readonly index: PrimaryIndex;
  /** To be taken for each look at the index, unless null. */
  readonly ownership: Ownership | null;
  /** `max-record-size`, bytes. */
  readonly sizeMax: () => number;
  /** `nsup-hist-period`; 0 is never. */
  readonly periodSec: () => number;
}

/** What the main thread gets, to pass to `RecordHistograms.accept`. */
export interface SurveyMessage {
  readonly namespace: number;
  readonly shard: number;
  readonly report: SurveyReport;
}

/** Where the walk over one shard stands. */
interface Walk {
  readonly shard: SurveyedShard;
  /** When the walk before it ended; the first one is due at once. */
  endedMs: number;
  /** Undefined between two walks. */
  survey: RecordSurvey | undefined;
  /** Index into `partitions`, and the digest after which to go on in it, if `isInside`. */
  partition: number;
  isInside: boolean;
  readonly digest: Uint8Array;
}

export class SurveyWalk {
  readonly #walks: readonly Walk[];
  readonly #send: (message: SurveyMessage) => void;
  /** The walk that goes on, or was looked at last: one at a time, so that each ends soon. */
  #current = 0;

  constructor(shards: readonly SurveyedShard[], send: (message: SurveyMessage) => void) {
    this.#send = send;
    this.#walks = shards.map(shard => ({
      shard,
      endedMs: Number.NEGATIVE_INFINITY,
      survey: undefined,
      partition: 0,
      isInside: false,
      digest: new Uint8Array(DIGEST_SIZE),
    }));
  }

  /**
   * Does a little, if any walk is due. To be called about every 10 ms.
   * @param nowMs  monotonic milliseconds.
   * @param nowSec seconds since 2010, to tell how long records still live.
   * @returns whether there is more to do, so that an idle worker needn't sleep long.
   */
  step(nowMs: number, nowSec: number): boolean {
    const walk = this.#nextWalk(nowMs);
    if (walk === undefined) return false;
    walk.survey ??= new RecordSurvey(walk.shard.sizeMax());
    let left = STEP_COUNT;
    while (walk.partition < walk.shard.partitions.length) {
      const { ownership } = walk.shard;
      if (ownership !== null) ownership.take();
      left = visitPartition(walk, walk.survey, nowSec, left);
      if (ownership !== null) ownership.give();
      if (left <= 0) return true;
      walk.partition += 1;
      walk.isInside = false;
      left -= 1; // empty partitions cost something too
    }
    this.#send({ namespace: walk.shard.namespace, shard: walk.shard.number, report: walk.survey.report() });
    walk.survey = undefined;
    walk.partition = 0;
    walk.endedMs = nowMs;
    return true;
  }

  /** The walk under way, else the first one that is due. */
  #nextWalk(nowMs: number): Walk | undefined {
    for (let i = 0; i < this.#walks.length; i++) {
      const at = (this.#current + i) % this.#walks.length;
      const walk = this.#walks[at]!;
      const periodMs = walk.shard.periodSec() * 1000;
      const isDue = periodMs > 0 && nowMs - walk.endedMs >= periodMs;
      if (walk.survey === undefined && !isDue) continue;
      this.#current = at;
      return walk;
    }
    return undefined;
  }
}

/** Visits entries of the present partition; returns what is left of `left`, 0 when it has to go on later. */
function visitPartition(walk: Walk, survey: RecordSurvey, nowSec: number, left: number): number {
  const { index, partitions } = walk.shard;
  const pid = partitions[walk.partition]!;
  let handle = walk.isInside ? index.after(pid, walk.digest, 0) : index.first(pid);
  while (handle >= 0) {
    visit(index, handle, survey, nowSec);
    left -= 1;
    if (left <= 0) {
      index.digestTo(handle, walk.digest, 0);
      walk.isInside = true;
      return 0;
    }
    handle = index.next(pid, handle);
  }
  return left;
}

function visit(index: PrimaryIndex, handle: number, survey: RecordSurvey, nowSec: number): void {
  const voidTime = index.voidTime(handle);
  const isGone = voidTime !== 0 && voidTime <= nowSec;
  // An entry without anything stored belongs to a write under way.
  if (isGone || index.size(handle) === 0 || index.hasFlag(handle, TOMBSTONE)) return;
  survey.add(index.setId(handle), voidTime === 0 ? 0 : voidTime - nowSec, index.size(handle));
}
