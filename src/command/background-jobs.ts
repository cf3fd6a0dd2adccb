/**
 * Background jobs: writes without a digest, whose ops the workers carry out on all records of a set or a namespace
 * (shard/background-ops.ts). The client is answered when its job is accepted; `query-show` tells how far it is, and of a
 * number of jobs that have ended, how they did. So far there are no others than these. Source: protocol 04, section 11.
 */
import { epochMs, monotonicMs } from '../base/clock.js';
import { FORBIDDEN, NOT_FOUND, OK, PARAMETER, UNSUPPORTED_FEATURE } from '../base/result.js';
import { ProgramCache } from '../expression/program-cache.js';
import type { LogContext } from '../observe/log.js';
import { PI_QUERY_OPS_BG_ABORT, PI_QUERY_OPS_BG_COMPLETE } from '../observe/namespace-counters.js';
import type { BackgroundJob, BackgroundReport } from '../shard/background-ops.js';
import type { Request } from '../shard/command/request.js';
import { OP_RULES } from '../shard/command/write-ops.js';
import type { NamespaceView } from '../shard/shard.js';
import {
  FIELD_FILTER,
  FIELD_INDEX_CONTEXT,
  FIELD_INDEX_EXPRESSION,
  FIELD_INDEX_NAME,
  FIELD_INDEX_RANGE,
  FIELD_RECORDS_PER_SECOND,
  FIELD_TASK_ID,
  FIELD_UDF_FILENAME,
  INFO1_READ,
  INFO1_SHORT_QUERY,
  INFO2_DURABLE_DELETE,
  INFO3_CREATE_OR_REPLACE,
  INFO3_REPLACE_ONLY,
  INFO3_UPDATE_ONLY,
  MSG_FIELD_COUNT,
  MSG_HEADER_SIZE,
  OP_COUNT_MAX,
  readU16,
  readU32,
} from '../wire/message.js';

/** Recorded: what a client asks right after its job was accepted is answered from before it. */
const START_DELAY_MS = 250;
/** The commands of all jobs under way together: every worker has a copy. */
const SIZE_MAX = 16 * 1024 * 1024; // bytes

export interface BackgroundParts {
  readonly log: LogContext;
  /** By id. */
  readonly namespaces: readonly NamespaceView[];
  readonly workerCount: number;
  readonly tell: (message: { readonly job: BackgroundJob } | { readonly abort: number }) => void;
  /** `background-query-max-rps` of a namespace. */
  readonly rateMax: (namespaceId: number) => number;
  /** `query-threads-limit`: a job counts as one. */
  readonly activeMax: () => number;
  /** `query-max-done`. */
  readonly doneMax: () => number;
}

type Totals = Pick<BackgroundReport, 'succeeded' | 'failed' | 'filteredOut' | 'isDone'>;

interface Job {
  /** The client's, or one of our own. */
  readonly id: bigint;
  readonly number: number;
  readonly namespace: NamespaceView;
  readonly setId: number;
  /** Records a second; 0: as many as are allowed. */
  readonly rate: number;
  /** Bytes of its command. */
  readonly size: number;
  readonly startedMs: number;
  endedMs: number;
  isAborted: boolean;
  /** By worker. */
  readonly reports: Totals[];
}

/** What the fields of a request say that single commands have no use for. */
interface QueryFields {
  id: bigint;
  rate: number;
  /** It asks an index or names a function. */
  isOther: boolean;
  isBad: boolean;
}

export class BackgroundJobs {
  readonly #parts: BackgroundParts;
  readonly #programs = new ProgramCache();
  /** In the order in which they came. */
  readonly #jobs: Job[] = [];
  #lastNumber = 0;

  constructor(parts: BackgroundParts) {
    this.#parts = parts;
  }

  /**
   * Starts the job that a message asks for.
   * @param request The message, decoded: it has no digest.
   * @returns OK, or the code to refuse it with.
   */
  start(bytes: Uint8Array, at: number, request: Request, namespaceId: number): number {
    const namespace = this.#parts.namespaces[namespaceId]!;
    const fields = readFields(bytes, at);
    if (fields.isOther) return UNSUPPORTED_FEATURE;
    if (fields.isBad || (request.info1 & (INFO1_READ | INFO1_SHORT_QUERY)) !== 0) return PARAMETER;
    if (!areWrites(bytes, request)) return PARAMETER;
    if (request.hasFilter && this.#filter(request) === undefined) return PARAMETER;
    const setId = namespace.sets.find(bytes, request.setAt, request.setSize);
    if (setId < 0) return NOT_FOUND;
    const rateMax = this.#parts.rateMax(namespaceId);
    if (fields.rate > rateMax) return PARAMETER;
    const active = this.#jobs.filter(isActive);
    if (active.some(({ id }) => id === fields.id)) return PARAMETER;
    const command = fieldsAndOps(bytes, request);
    const size = active.reduce((sum, job) => sum + job.size, command.length);
    if (active.length >= this.#parts.activeMax() || size > SIZE_MAX) return FORBIDDEN;

    const number = ++this.#lastNumber;
    const nowMs = monotonicMs();
    const { workerCount } = this.#parts;
    this.#jobs.push({
      id: fields.id === 0n ? BigInt(number) : fields.id,
      number,
      namespace,
      setId,
      rate: fields.rate,
      size: command.length,
      startedMs: nowMs,
      endedMs: 0,
      isAborted: false,
      reports: Array.from({ length: workerCount }, () => NOTHING),
    });
    this.#log(
      this.#jobs.at(-1)!,
      `accepted, ops: ${request.opCount}${request.hasFilter ? ', with a filter' : ''}`,
    );
    const { info2, info3 } = request;
    const isReplace = (info3 & (INFO3_CREATE_OR_REPLACE | INFO3_REPLACE_ONLY)) !== 0;
    this.#parts.tell({
      job: {
        number,
        namespace: namespaceId,
        setId,
        acceptedMs: epochMs(),
        beginMs: nowMs + START_DELAY_MS,
        rate: (fields.rate === 0 ? rateMax : fields.rate) / workerCount,
        info2: info2 & INFO2_DURABLE_DELETE,
        info3: isReplace ? INFO3_REPLACE_ONLY : INFO3_UPDATE_ONLY,
        ttl: request.ttl,
        fieldCount: request.hasFilter ? 1 : 0,
        opCount: request.opCount,
        fieldsAndOps: command,
      },
    });
    return OK;
  }

  /** Takes what a worker has done of a job. */
  accept(worker: number, report: BackgroundReport): void {
    const job = this.#jobs.find(({ number }) => number === report.number);
    if (job === undefined) return;
    job.reports[worker] = report;
    if (isActive(job)) return;
    job.endedMs = monotonicMs();
    job.namespace.counters[job.isAborted ? PI_QUERY_OPS_BG_ABORT : PI_QUERY_OPS_BG_COMPLETE]! += 1;
    const { isAborted, reports, startedMs, endedMs } = job;
    const counts = `${total(reports, 'succeeded')} records changed, ${total(reports, 'failed')} failed, ${total(reports, 'filteredOut')} filtered out`;
    this.#log(job, `${isAborted ? 'aborted' : 'done'} in ${Math.round(endedMs - startedMs)} ms: ${counts}`);
    this.#forget();
  }

  /** One row of `query-show` a job: all of them, or that of an id. */
  rows(id?: bigint): string[] {
    return this.#jobs.filter(job => id === undefined || job.id === id).map(rowOf);
  }

  /** Ends a job. @returns false when there is none of this id under way. */
  abort(id: bigint): boolean {
    const job = this.#jobs.find(each => each.id === id && isActive(each));
    if (job === undefined) return false;
    job.isAborted = true;
    this.#parts.tell({ abort: job.number });
    return true;
  }

  /** Ends all jobs. @returns How many. */
  abortAll(): number {
    const ids = this.#jobs.filter(isActive).map(({ id }) => id);
    return ids.filter(id => this.abort(id)).length;
  }

  #log({ id, namespace, setId }: Job, what: string): void {
    const set = setId === 0 ? '' : `, set ${namespace.sets.nameOf(setId)}`;
    this.#parts.log.info(`background operation ${id} on ${namespace.name}${set}: ${what}`);
  }

  #filter({ bytes, filterAt, filterSize }: Request): unknown {
    return this.#programs.getFilter(bytes, filterAt, filterSize);
  }

  /** Lets go of the jobs that ended first, so that no more than `query-max-done` of them are known. */
  #forget(): void {
    const ended = this.#jobs.filter(job => !isActive(job)).sort((a, b) => a.endedMs - b.endedMs);
    const gone = ended.slice(0, Math.max(0, ended.length - this.#parts.doneMax()));
    for (const job of gone) this.#jobs.splice(this.#jobs.indexOf(job), 1);
  }
}

const NOTHING: Totals = { succeeded: 0, failed: 0, filteredOut: 0, isDone: false };

function isActive({ reports }: Job): boolean {
  return reports.some(({ isDone }) => !isDone);
}

function readFields(bytes: Uint8Array, at: number): QueryFields {
  const fields: QueryFields = { id: 0n, rate: 0, isOther: false, isBad: false };
  let p = at + MSG_HEADER_SIZE;
  for (let i = readU16(bytes, at + MSG_FIELD_COUNT); i > 0; i--) {
    const size = readU32(bytes, p) - 1;
    const data = p + 5;
    switch (bytes[p + 4]) {
      case FIELD_TASK_ID:
        if (size === 8) fields.id = (BigInt(readU32(bytes, data)) << 32n) | BigInt(readU32(bytes, data + 4));
        else fields.isBad = true;
        break;
      case FIELD_RECORDS_PER_SECOND:
        if (size === 4) fields.rate = readU32(bytes, data);
        else fields.isBad = true;
        break;
      case FIELD_INDEX_NAME:
      case FIELD_INDEX_RANGE:
      case FIELD_INDEX_CONTEXT:
      case FIELD_INDEX_EXPRESSION:
      case FIELD_UDF_FILENAME:
        fields.isOther = true;
        break;
      default:
    }
    p = data + size;
  }
  return fields;
}

/** Whether there are ops, and none reads. One that is unknown is told by each record (recorded). */
function areWrites(bytes: Uint8Array, { opsAt, opCount }: Request): boolean {
  if (opCount === 0 || opCount > OP_COUNT_MAX) return false;
  let p = opsAt;
  for (let i = 0; i < opCount; i++) {
    if (OP_RULES[bytes[p + 4]!]!.isRead) return false;
    p += 4 + readU32(bytes, p);
  }
  return true;
}

/** A copy of what goes into the command of each record: the filter's field, and the ops. */
function fieldsAndOps(bytes: Uint8Array, request: Request): Uint8Array {
  const { opsAt, endAt, hasFilter, filterAt, filterSize } = request;
  const ops = bytes.slice(opsAt, endAt);
  if (!hasFilter) return ops;
  const head = Buffer.alloc(5);
  head.writeUInt32BE(filterSize + 1);
  head[4] = FIELD_FILTER;
  return Buffer.concat([head, bytes.slice(filterAt, filterAt + filterSize), ops]);
}

function total(reports: readonly Totals[], of: 'succeeded' | 'failed' | 'filteredOut'): number {
  return reports.reduce((sum, each) => sum + each[of], 0);
}

function rowOf(job: Job): string {
  const { id, namespace, setId, rate, startedMs, endedMs, isAborted, reports } = job;
  const done = reports.filter(({ isDone }) => isDone).length;
  const isDone = !isActive(job);
  const nowMs = monotonicMs();
  const status = isDone ? `done(${isAborted ? 'user-aborted' : 'ok'})` : 'active(ok)';
  const set = setId === 0 ? [] : [`set=${namespace.sets.nameOf(setId)}`];
  return [
    `trid=${id}`,
    `ns=${namespace.name}`,
    ...set,
    'n-pids-requested=4096',
    'n-keyds-requested=0',
    `rps=${rate}`,
    `active-threads=${reports.length - done}`,
    `status=${status}`,
    `job-progress=${((done * 100) / reports.length).toFixed(2)}`,
    `run-time=${Math.round((isDone ? endedMs : nowMs) - startedMs)}`,
    `time-since-done=${isDone ? Math.round(nowMs - endedMs) : 0}`,
    'recs-throttled=0',
    'recs-filtered-meta=0',
    `recs-filtered-bins=${total(reports, 'filteredOut')}`,
    `recs-succeeded=${total(reports, 'succeeded')}`,
    `recs-failed=${total(reports, 'failed')}`,
    'job-type=background-ops',
    'ops-active=0',
  ].join(':');
}
