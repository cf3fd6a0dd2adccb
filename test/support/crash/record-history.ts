/**
 * What a record may be, seen from outside. Every command on a key is a step from the states that the key may be in to
 * those that it may be in afterwards. While the server lives there is one, or a few where a clock decides; after it
 * was killed there may be more: those after the last command that had to be durable and after each one since. What
 * the server then shows must be one of them.
 */
import { createHash } from 'node:crypto';
import { monotonicMs } from '../../../src/base/clock.js';
import { type Answer, nowSec } from '../wire-client.js';

/** Codes of commands that changed nothing because there was no room just then. */
const OUT_OF_SPACE = 8;
const DEVICE_OVERLOAD = 18;
/** The server's answer may or may not have been carried out. */
const TIMEOUT = 9;
const OK = 0;
const NOT_FOUND = 2;
/** The server reads its clock once for several commands, and so may we. */
const CLOCK_SLACK_SEC = 1;
const VALUE_SIZE_MAX = 26_000; // bytes

/** One state of a record. A version of 0: there is none. */
export interface State {
  readonly version: number;
  readonly counter: number;
  readonly generation: number;
  /** Seconds since 2010 between which its void-time lies; 0: lives for ever. */
  readonly voidFromSec: number;
  readonly voidToSec: number;
}

export const ABSENT: State = { version: 0, counter: 0, generation: 0, voidFromSec: 0, voidToSec: 0 };

/** What is known of the clock by which the server lets records expire. */
export class ServerClock {
  /** While its wall clock is behind: the least that it may say. */
  floorSec = Number.POSITIVE_INFINITY;
  /** Whether any record with a void-time may go before it. */
  readonly evicts: boolean;

  constructor(evicts = false) {
    this.evicts = evicts;
  }

  /** The least that it said when a command ran that was sent at `beganSec`. */
  from(beganSec: number): number {
    return Math.min(beganSec, this.floorSec) - CLOCK_SLACK_SEC;
  }

  /** The most that it may have said up to now. */
  to(): number {
    return nowSec() + CLOCK_SLACK_SEC;
  }
}

/** What a command does: what it answers on a state, and the state afterwards. */
export interface Outcome {
  readonly code: number;
  readonly state: State;
}
export type Step = (before: State, fromSec: number, toSec: number) => Outcome;

/** What has to be there after a kill, by when it was answered (monotonic milliseconds). */
export interface Durable {
  readonly byMs: number;
  /** That a record has expired is appended later than it is answered: by the worker, when it has its next turn. */
  readonly newsByMs: number;
}

/** A command of which the answer is not known, or not known to be durable. */
interface Change {
  readonly step: Step;
  readonly beganSec: number;
  /** Monotonic milliseconds of the answer; infinite before it. */
  ackedMs: number;
  /** The states after it, once it was answered. */
  states: readonly State[];
  /** Durable when it is answered, whatever the settings. */
  readonly isDurable: boolean;
  /** Nothing was asked for: an answer has shown that the record has expired. */
  readonly isNews: boolean;
}

/** The whole value of a version of a key, so that torn and foreign bytes show. */
export function recordValue(key: string, version: number): Buffer {
  const text = `${key}/${version};`;
  const random = createHash('md5').update(text).digest().readUInt32LE();
  // Most records are small, and a few are large: the square does that.
  const size = 16 + Math.floor((random / 0x1_0000_0000) ** 2 * VALUE_SIZE_MAX);
  return Buffer.alloc(Math.max(size, text.length), text);
}

export class RecordHistory {
  readonly key: string;
  readonly #clock: ServerClock;
  #settled: readonly State[] = [ABSENT];
  #changes: Change[] = [];

  constructor(key: string, clock: ServerClock) {
    this.key = key;
    this.#clock = clock;
  }

  /** A command is sent. One at a time: the one before it was answered, or will never be. */
  begin(step: Step, isDurable = false): Change {
    const ackedMs = Number.POSITIVE_INFINITY;
    const change = { step, beganSec: nowSec(), ackedMs, states: [], isDurable, isNews: false };
    this.#changes.push(change);
    return change;
  }

  /** Its answer has come. @returns What is wrong with it, or undefined. */
  end(change: Change, code: number, generation?: number): string | undefined {
    const before = this.#before(change);
    if (code === TIMEOUT) {
      change.states = [...before, ...this.#after(before, change).map(({ state }) => state)];
      return undefined;
    }
    change.ackedMs = monotonicMs();
    if (code === OUT_OF_SPACE || code === DEVICE_OVERLOAD) {
      this.#changes = this.#changes.filter(other => other !== change);
      return undefined;
    }
    const outcomes = this.#after(before, change);
    change.states = outcomes
      .filter(outcome => outcome.code === code)
      .filter(
        ({ state }) => generation === undefined || state.version === 0 || state.generation === generation,
      )
      .map(({ state }) => state);
    if (change.states.length > 0) return undefined;
    const expected = outcomes.map(outcome => `${outcome.code} ${textOf(outcome.state)}`).join(' or ');
    return `${this.key}: answered ${code}, generation ${generation}; expected ${expected}`;
  }

  /** A read of a living server has come. @returns What is wrong with it, or undefined. */
  read(answer: Answer, beganSec: number): string | undefined {
    const found = this.#match(answer, beganSec, this.#now());
    if (typeof found === 'string') return found;
    this.#learn(found);
    return undefined;
  }

  /**
   * A read of a server that was started again has come: from now on this is the record.
   * @param durable What was answered up to there must be there.
   * @returns What is wrong with it, or undefined.
   */
  settle(answer: Answer, beganSec: number, durable: Durable): string | undefined {
    const found = this.#match(answer, beganSec, this.#possible(durable));
    if (typeof found === 'string') return `${found}${this.#marginText(durable)}`;
    this.#changes = [];
    this.#settled = [found];
    return undefined;
  }

  /** Whether the record is certainly there for a while. */
  get isAlive(): boolean {
    return this.#now().every(state => state.version !== 0 && state.voidFromSec === 0);
  }

  /** Whether there is certainly no record. */
  get isAbsent(): boolean {
    return this.#now().every(state => state.version === 0);
  }

  #now(): readonly State[] {
    return this.#changes.at(-1)?.states ?? this.#settled;
  }

  #before(change: Change): readonly State[] {
    const at = this.#changes.indexOf(change);
    return at === 0 ? this.#settled : this.#changes[at - 1]!.states;
  }

  #possible(durable: Durable): readonly State[] {
    let states = this.#settled;
    for (const change of this.#changes) {
      const isAcked = change.ackedMs !== Number.POSITIVE_INFINITY;
      const after = isAcked
        ? change.states
        : this.#after(this.#before(change), change).map(({ state }) => state);
      const isDurable = isAcked && (change.isDurable || change.ackedMs <= durableByMs(change, durable));
      states = isDurable ? after : [...states, ...after];
    }
    return states;
  }

  /** How narrowly the newest change that had to be there had to be. */
  #marginText(durable: Durable): string {
    const newest = this.#changes.findLast(change => change.ackedMs <= durableByMs(change, durable));
    if (newest === undefined || durable.byMs === Number.POSITIVE_INFINITY) return '';
    const ms = durableByMs(newest, durable) - newest.ackedMs;
    return `; answered ${ms.toFixed(0)} ms before the last answers that had to be there`;
  }

  #after(before: readonly State[], { step, beganSec }: Change): Outcome[] {
    const fromSec = this.#clock.from(beganSec);
    const toSec = this.#clock.to();
    return before.flatMap(state => this.#seen(state, fromSec, toSec).map(view => step(view, fromSec, toSec)));
  }

  /** The state that an answer shows, of those that it may show, or what it shows instead. */
  #match(answer: Answer, beganSec: number, states: readonly State[]): State | string {
    const views = states.flatMap(state => this.#seen(state, this.#clock.from(beganSec), this.#clock.to()));
    const value = answer.ops.find(({ name }) => name === 'v')?.value;
    const number = answer.ops.find(({ name }) => name === 'n')?.value;
    const counter = number === undefined ? 0 : Number(number.readBigInt64BE());
    const { code, generation, voidTime } = answer;
    const found = views.find(state =>
      state.version === 0
        ? code === NOT_FOUND
        : code === OK &&
          generation === state.generation &&
          counter === state.counter &&
          voidTime >= state.voidFromSec &&
          voidTime <= state.voidToSec &&
          value?.equals(recordValue(this.key, state.version)) === true,
    );
    if (found?.version === 0) return ABSENT;
    if (found !== undefined) return { ...found, voidFromSec: voidTime, voidToSec: voidTime };
    const record = `${value?.toString('latin1', 0, 24)}… of ${value?.length} bytes, counter ${counter} generation ${generation} void-time ${voidTime}`;
    return `${this.key}: ${code === OK ? record : `code ${code}`} is none of ${views.map(textOf).join(' | ')}`;
  }

  /** What a command may see of a state, by when it runs: the record, or none because it has expired or was evicted. */
  #seen(state: State, fromSec: number, toSec: number): State[] {
    if (state.version === 0 || state.voidFromSec === 0) return [state];
    const views: State[] = [];
    if (state.voidToSec > fromSec) views.push(state);
    if (state.voidFromSec <= toSec || this.#clock.evicts) views.push(ABSENT);
    return views;
  }

  /** A living server showed the record: it was that. That it has expired is news, which has to become durable. */
  #learn(state: State): void {
    const last = this.#changes.at(-1);
    const states = this.#now();
    if (state.version === 0 && !states.some(({ version }) => version === 0)) {
      const step = (): Outcome => ({ code: NOT_FOUND, state: ABSENT });
      const ackedMs = monotonicMs();
      this.#changes.push({
        step,
        beganSec: nowSec(),
        ackedMs,
        states: [ABSENT],
        isDurable: false,
        isNews: true,
      });
    } else if (last === undefined) this.#settled = [state];
    else if (last.ackedMs !== Number.POSITIVE_INFINITY) last.states = [state];
  }
}

function durableByMs({ isNews }: Change, { byMs, newsByMs }: Durable): number {
  return isNews ? newsByMs : byMs;
}

function textOf({ version, counter, generation, voidFromSec, voidToSec }: State): string {
  if (version === 0) return 'nothing';
  return `version ${version} counter ${counter} generation ${generation} void-time ${voidFromSec}-${voidToSec}`;
}
