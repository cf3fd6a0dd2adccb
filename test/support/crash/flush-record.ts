/**
 * What had become of a server's writes when it was killed, by its flush trace: up to when what clients had appended was
 * written, so that it has to be there; and where that is longer ago than flush-max-ms, whose fault it is.
 *
 * A kill loses nothing that the kernel has, and everything that it has not. What is on its way is lost or not: a write that
 * waits in the kernel for its file, its journal or a thread is given up. So a server keeps its promise by asking
 * for a write in time; a device that takes longer over it than flush-max-ms leaves is the device's fault. A thread that
 * waits for a processor asks for nothing, nor does one on a machine that stands still (machine-stops.ts): by that much the
 * clock of its promise stands still.
 */
import fs from 'node:fs';
import path from 'node:path';

const NS_PER_MS = 1e6;

/** A thread at a moment. */
export interface ThreadTimes {
  readonly waitedMs: number;
  readonly ranMs: number;
  /** It waits for a processor, or has been stopped from outside: not its own doing. */
  readonly isKept: boolean;
}

/** The threads of a process, by number. */
export function threadTimesOf(pid: number): Map<number, ThreadTimes> {
  const tasks = `/proc/${pid}/task`;
  const times = new Map<number, ThreadTimes>();
  for (const thread of fs.readdirSync(tasks)) {
    const read = (name: string): string => fs.readFileSync(path.join(tasks, thread, name), 'latin1');
    try {
      const [ranNs, waitedNs] = read('schedstat').split(' ').map(Number);
      const state = read('stat').replace(/^.*\) /, '')[0]!;
      const isKept = 'RTt'.includes(state);
      times.set(Number(thread), { waitedMs: waitedNs! / NS_PER_MS, ranMs: ranNs! / NS_PER_MS, isKept });
    } catch {} // it has ended meanwhile
  }
  return times;
}

interface Piece {
  readonly number: number;
  readonly sinceMs: number;
  readonly askedMs: number;
  /** Of the worker's thread, up to then. */
  readonly waitedMs: number;
  readonly block: number;
  readonly from: number;
  readonly length: number;
  handedMs: number | undefined;
  /** The piece in whose write it is. */
  leader: number;
}

/** The clients' writes of one shard. */
interface ShardFlushes {
  readonly worker: WorkerTrace;
  /** Not written. */
  readonly pieces: Map<number, Piece>;
  /** The last time that the worker looked, and since when it saw something in the open block that it had not asked for, -1: nothing. */
  lookedMs: number;
  openSinceMs: number;
  /** A piece asked for later than that: what is left in the block may be as old. */
  leftSinceMs: number | undefined;
  endedMs: number | undefined;
  /** Of all pieces so far, the longest that the oldest append in one was not asked for, waiting for a processor left out. */
  slowest: { readonly tookMs: number; readonly number: number };
}

interface Tick {
  readonly atMs: number;
  readonly waitedMs: number;
  readonly ranMs: number;
}

class WorkerTrace {
  thread = 0;
  readonly ticks: Tick[] = [];

  /** What had been seen to have expired by then had been stored by `ms`: the worker looks for that in every tick. */
  newsAt(ms: number): number {
    return this.ticks.filter(({ atMs }) => atMs <= ms).at(-2)?.atMs ?? Number.NEGATIVE_INFINITY;
  }

  /** How long the thread had waited for a processor when it was `ms`, at most a tick earlier. */
  waitedAt(ms: number): number {
    return this.ticks.findLast(({ atMs }) => atMs <= ms)?.waitedMs ?? 0;
  }

  /** And when it was killed. */
  waitedAtEnd(killedMs: number, threads: ReadonlyMap<number, ThreadTimes>): number {
    const last = this.ticks.at(-1);
    const end = threads.get(this.thread);
    if (last === undefined || end === undefined) return last?.waitedMs ?? 0;
    // The kernel counts a wait when it is over.
    const known = end.waitedMs - last.waitedMs + (end.ranMs - last.ranMs);
    const rest = Math.max(0, killedMs - last.atMs - known);
    return end.waitedMs + (end.isKept ? rest : 0);
  }
}

export interface ShardAtKill {
  /** What clients had been answered by then was written. */
  readonly writtenMs: number;
  /** And what had shown by then to have expired. */
  readonly newsMs: number;
  /** The server was late, and why; undefined: it was in time. */
  readonly problem: string | undefined;
  /** What was not written in time though the server had asked in time. */
  readonly excuse: string | undefined;
  /** All that is known of writes that were under way or wanted. */
  readonly text: string;
}

/** Milliseconds between two moments. */
type Stopped = (fromMs: number, toMs: number) => number;

export class FlushRecord {
  readonly #shards = new Map<number, ShardFlushes>();
  readonly #stoppedMs: Stopped;

  /**
   * @param directory Where the server has left its trace.
   * @param stoppedMs For how long the machine stood still.
   */
  constructor(directory: string, stoppedMs: Stopped = () => 0) {
    this.#stoppedMs = stoppedMs;
    for (const name of fs.readdirSync(directory)) {
      const text = fs.readFileSync(path.join(directory, name), 'latin1');
      const worker = new WorkerTrace();
      // A line that the kill cut short tells of nothing that has happened yet.
      for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) {
        const [kind, ...words] = line.split(' ');
        this.#take(worker, kind!, words.map(Number));
      }
    }
  }

  /**
   * How the shards stood when their server was killed, by number. One that is not there has executed nothing.
   * @param withinMs What was acknowledged longer ago has to be there.
   * @param threads  Read right before.
   */
  atKill(
    killedMs: number,
    withinMs: number,
    threads: ReadonlyMap<number, ThreadTimes>,
  ): Map<number, ShardAtKill> {
    return new Map(
      [...this.#shards].map(([shard, flushes]) => [
        shard,
        shardAtKill(flushes, killedMs, withinMs, threads, this.#stoppedMs),
      ]),
    );
  }

  #take(worker: WorkerTrace, kind: string, words: readonly number[]): void {
    const [atMs, shard, number] = words as [number, number, number];
    if (kind === 'thread') worker.thread = atMs;
    else if (kind === 'tick') worker.ticks.push({ atMs, waitedMs: words[1]!, ranMs: words[2]! });
    else if (kind === 'open') this.#looked(worker, atMs, shard, number);
    else if (kind === 'asked') {
      const [, , , sinceMs, waitedMs, block, from, length] = words as number[];
      const flushes = this.#shards.get(shard)!;
      const piece = { number, sinceMs: sinceMs!, askedMs: atMs, waitedMs: waitedMs!, block: block! };
      const rest = { from: from!, length: length!, handedMs: undefined, leader: number };
      flushes.pieces.set(number, { ...piece, ...rest });
      const keptMs = waitedMs! - worker.waitedAt(sinceMs!) + this.#stoppedMs(sinceMs!, atMs);
      const tookMs = atMs - sinceMs! - keptMs;
      if (tookMs > flushes.slowest.tookMs) flushes.slowest = { tookMs, number };
      flushes.leftSinceMs = sinceMs!;
    } else if (kind === 'handed') {
      for (const piece of this.#joined(shard, number)) {
        piece.handedMs = atMs;
        piece.leader = number;
      }
    } else if (kind === 'ended') this.#ended(atMs, shard, number, words[3]!);
  }

  #looked(worker: WorkerTrace, atMs: number, shard: number, sinceMs: number): void {
    const flushes = this.#shards.get(shard) ?? {
      worker,
      pieces: new Map(),
      lookedMs: 0,
      openSinceMs: -1,
      leftSinceMs: undefined,
      endedMs: undefined,
      slowest: { tookMs: 0, number: 0 },
    };
    this.#shards.set(shard, flushes);
    flushes.lookedMs = atMs;
    flushes.openSinceMs = sinceMs;
    flushes.leftSinceMs = undefined;
  }

  #ended(atMs: number, shard: number, number: number, result: number): void {
    const { pieces } = this.#shards.get(shard)!;
    const written = [...pieces.values()].filter(
      ({ leader, handedMs }) => leader === number && handedMs !== undefined,
    );
    const length = written.reduce((sum, piece) => sum + piece.length, 0);
    this.#shards.get(shard)!.endedMs = atMs;
    for (const piece of written) {
      if (result === length) pieces.delete(piece.number);
      else piece.handedMs = undefined; // it is asked for again
    }
  }

  /** A piece, and those behind it that go with it: all that wait for it in its block. */
  #joined(shard: number, number: number): Piece[] {
    const { pieces } = this.#shards.get(shard)!;
    const first = pieces.get(number)!;
    const joined = [first];
    for (let next = number + 1; ; next++) {
      const piece = pieces.get(next);
      if (piece === undefined || piece.block !== first.block || piece.handedMs !== undefined) return joined;
      joined.push(piece);
    }
  }
}

function shardAtKill(
  flushes: ShardFlushes,
  killedMs: number,
  withinMs: number,
  threads: ReadonlyMap<number, ThreadTimes>,
  stoppedMs: Stopped,
): ShardAtKill {
  const promisedMs = killedMs - withinMs;
  const { worker, openSinceMs, leftSinceMs, lookedMs } = flushes;
  const pieces = [...flushes.pieces.values()];
  const sinces = pieces.map(({ sinceMs }) => sinceMs);
  if (leftSinceMs !== undefined) sinces.push(leftSinceMs);
  else if (openSinceMs >= 0) sinces.push(openSinceMs);
  const problems: string[] = [];
  const { tookMs, number } = flushes.slowest;
  if (tookMs > withinMs)
    problems.push(`piece ${number} was asked for ${tookMs.toFixed(0)} ms after its oldest append`);
  const excuses: string[] = [];
  const ago = (ms: number): string => `${(killedMs - ms).toFixed(0)} ms before the kill`;
  for (const piece of pieces.filter(({ sinceMs }) => sinceMs < promisedMs)) {
    const { sinceMs, askedMs, block, handedMs } = piece;
    const waitedMs = piece.waitedMs - worker.waitedAt(sinceMs);
    const waited = waitText(waitedMs, stoppedMs(sinceMs, askedMs));
    const what = `piece ${piece.number}, of appends made from ${ago(sinceMs)} on and asked for ${ago(askedMs)} (${waited} until then)`;
    const before = pieces.findLast(one => one.number < piece.number && one.block === block);
    if (handedMs === undefined && before?.handedMs === undefined)
      problems.push(`${what}: not handed to the device, although nothing was before it`);
    else excuses.push(`${what}: ${handedMs === undefined ? 'behind one ' : ''}with the device`);
  }
  if (leftSinceMs === undefined && openSinceMs >= 0 && openSinceMs < promisedMs) {
    const stopped = stoppedMs(openSinceMs, killedMs);
    const waitedMs = Math.max(0, worker.waitedAtEnd(killedMs, threads) - worker.waitedAt(openSinceMs));
    const what = `appends made from ${ago(openSinceMs)} on were not asked to be written (${waitText(waitedMs, stopped)})`;
    if (killedMs - openSinceMs - waitedMs - stopped > withinMs) problems.push(what);
    else excuses.push(what);
  }
  const all = pieces.map(
    ({ number, sinceMs, askedMs, handedMs, block, from, length }) =>
      `piece ${number} (block ${block}, ${length} bytes at ${from}) of appends from ${ago(sinceMs)} on, asked for ${ago(askedMs)}, ` +
      (handedMs === undefined ? 'waiting' : `with the device from ${ago(handedMs)} on`),
  );
  if (openSinceMs >= 0) all.push(`not asked for: appends from ${ago(openSinceMs)} on`);
  if (flushes.endedMs !== undefined) all.push(`the last write ended ${ago(flushes.endedMs)}`);
  all.push(`the worker looked last ${ago(lookedMs)}`);
  const writtenMs = Math.min(lookedMs, ...sinces);
  return {
    writtenMs,
    newsMs: worker.newsAt(writtenMs),
    problem: problems.length > 0 ? problems.join('; ') : undefined,
    excuse: excuses.length > 0 ? excuses.join('; ') : undefined,
    text: all.join('; '),
  };
}

function waitText(waitedMs: number, stoppedMs: number): string {
  return `the worker waited ${waitedMs.toFixed(0)} ms for a processor, the machine stood still for ${stoppedMs.toFixed(0)} ms`;
}
