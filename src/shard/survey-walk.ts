/**
 * Surveys the shards of one worker for `histogram:`: walks each index, a few hundred entries at a time between
 * commands, and hands the report of every finished shard to the main thread.
 */
import { RecordSurvey, type SurveyReport } from '../observe/record-survey.js';
import { TOMBSTONE } from '../storage/index/entry.js';
import type { PrimaryIndex } from '../storage/index/primary-index.js';
import { IndexWalk } from './nsup/index-walk.js';
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
  readonly entries: IndexWalk;
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
      entries: new IndexWalk(shard.index, shard.partitions),
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
    const { survey } = walk;
    const { index, namespace, number, ownership } = walk.shard;
    if (ownership !== null) ownership.take();
    const hasMore = walk.entries.step(STEP_COUNT, entry => visit(index, entry, survey, nowSec));
    if (ownership !== null) ownership.give();
    if (hasMore) return true;
    this.#send({ namespace, shard: number, report: survey.report() });
    walk.survey = undefined;
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

function visit(index: PrimaryIndex, handle: number, survey: RecordSurvey, nowSec: number): void {
  const voidTime = index.voidTime(handle);
  const isGone = voidTime !== 0 && voidTime <= nowSec;
  // An entry without anything stored belongs to a write under way.
  if (isGone || index.size(handle) === 0 || index.hasFlag(handle, TOMBSTONE)) return;
  survey.add(index.setId(handle), voidTime === 0 ? 0 : voidTime - nowSec, index.size(handle));
}
