/**
 * A load of everything that changes records, by several connections. Each has keys and a set of its own, so that what
 * it does is a sequence; it checks every answer against the histories of its keys as it goes.
 */
import {
  type Answer,
  DELETE,
  digestOf,
  GET,
  infoFrame,
  type Message,
  nowSec,
  op,
  put,
  type Row,
  WireClient,
  write,
} from '../wire-client.js';
import {
  ABSENT,
  type Durable,
  RecordHistory,
  recordValue,
  type ServerClock,
  type State,
  type Step,
} from './record-history.js';

const OK = 0;
const NOT_FOUND = 2;
const RECORD_EXISTS = 5;
const INCREMENT = 5;
const TOUCH = 11;
const CREATE_ONLY = 0x20; // info2
const DURABLE_DELETE = 0x10; // info2
const REPLACE = 0x10; // info3
const ROWS_MAX = 12;
const TTL_MAX_SEC = 4;
const LONG_TTL_MAX_SEC = 2000;

export interface LoadOptions {
  readonly lanes: number;
  readonly keysPerLane: number;
  readonly hasDurableDeletes: boolean;
  readonly hasTruncate: boolean;
  readonly hasLongTtls: boolean;
}

/** A command on one key: what is sent, what it does, and whether its answer says the generation. */
interface Command {
  readonly message: Message;
  readonly step: Step;
}

/** A share of the load, and the command that it makes on a key whose next version is given. */
type Maker = readonly [share: number, make: (key: string, version: number, random: () => number) => Command];

const put1: Maker[1] = (key, version) => ({
  message: put(write('v', recordValue(key, version))),
  step: updated((before, next) => ({ ...next, version, counter: before.counter })),
});

const COMMANDS: readonly Maker[] = [
  [30, put1],
  [
    6,
    (key, version) => ({
      message: { ...put(write('v', recordValue(key, version))), info3: REPLACE },
      step: updated((_, next) => ({ ...next, version, counter: 0 })),
    }),
  ],
  [
    12,
    (key, version) => ({
      message: put(
        op(INCREMENT, 'n', 1, Buffer.from([0, 0, 0, 0, 0, 0, 0, 1])),
        write('v', recordValue(key, version)),
      ),
      step: updated((before, next) => ({ ...next, version, counter: before.counter + 1 })),
    }),
  ],
  [
    4,
    (key, version) => ({
      message: { ...put(write('v', recordValue(key, version))), info2: 0x01 | CREATE_ONLY },
      step: (before, fromSec, toSec) =>
        before.version !== 0
          ? { code: RECORD_EXISTS, state: before }
          : updated((_, next) => ({ ...next, version, counter: 0 }))(before, fromSec, toSec),
    }),
  ],
  [
    5,
    (key, version, random) => {
      const ttl = 1 + Math.floor(random() * TTL_MAX_SEC);
      return {
        message: { ...put(write('v', recordValue(key, version))), ttl },
        step: updated((before, next) => ({ ...next, version, counter: before.counter }), ttl),
      };
    },
  ],
  [
    3,
    (_key, _version, random) => {
      const ttl = 1 + Math.floor(random() * TTL_MAX_SEC);
      const step = updated(
        (before, { generation, voidFromSec, voidToSec }) => ({
          ...before,
          generation,
          voidFromSec,
          voidToSec,
        }),
        ttl,
      );
      return {
        message: { info2: 0x01, ttl, ops: [op(TOUCH)] },
        step: (before, fromSec, toSec) =>
          before.version === 0 ? { code: NOT_FOUND, state: before } : step(before, fromSec, toSec),
      };
    },
  ],
  [10, () => ({ message: DELETE, step: deleted })],
];
/** Puts of records that will not expire here, but may be evicted. */
const LONG_TTL: Maker = [
  25,
  (key, version, random) => {
    const ttl = 100 + Math.floor(random() * LONG_TTL_MAX_SEC);
    return {
      message: { ...put(write('v', recordValue(key, version))), ttl },
      step: updated((before, next) => ({ ...next, version, counter: before.counter }), ttl),
    };
  },
];
const DURABLE: Maker = [
  6,
  () => ({ message: { ...DELETE, info2: DELETE.info2! | DURABLE_DELETE }, step: deleted }),
];
const READ_SHARE = 14;
const BATCH_SHARE = 10;
/** Of all a set's keys: rare, or nothing else would ever be old enough to matter. */
const TRUNCATE_SHARE = 0.05;

function deleted(before: State): { code: number; state: State } {
  return before.version === 0 ? { code: NOT_FOUND, state: before } : { code: OK, state: ABSENT };
}

/** A step to the next generation, with a void-time `ttl` seconds from when it runs, or none. */
function updated(next: (before: State, base: State) => State, ttl = 0): Step {
  return (before, fromSec, toSec) => {
    const voidFromSec = ttl === 0 ? 0 : fromSec + ttl;
    const voidToSec = ttl === 0 ? 0 : toSec + ttl;
    const base = { version: 0, counter: 0, generation: before.generation + 1, voidFromSec, voidToSec };
    return { code: OK, state: next(before, base) };
  };
}

export class MixedLoad {
  /** By lane, then key. */
  readonly histories: readonly (readonly RecordHistory[])[];
  readonly problems: string[] = [];
  /** How often each code was answered. */
  readonly codes = new Map<number, number>();
  truncateCount = 0;
  readonly #options: LoadOptions;
  #version = 0;
  #answeredCount = 0;
  #isOver = false;
  #clients: WireClient[] = [];
  #ended: Promise<unknown> = Promise.resolve();

  constructor(options: LoadOptions, clock: ServerClock) {
    this.#options = options;
    this.histories = Array.from({ length: options.lanes }, (_, lane) =>
      Array.from({ length: options.keysPerLane }, (_, key) => new RecordHistory(`${lane}-${key}`, clock)),
    );
  }

  /** Begins to send; one random sequence a lane. */
  async start(port: number, seeds: readonly (() => number)[]): Promise<void> {
    this.#isOver = false;
    this.#answeredCount = 0;
    this.#clients = await Promise.all(this.histories.map(() => WireClient.connect(port)));
    this.#ended = Promise.all(
      this.#clients.map((client, lane) =>
        this.#run(client, lane, seeds[lane]!).catch(error => this.#lost(error)),
      ),
    );
  }

  /** Waits until `count` commands of this life were answered, or for `timeoutMs`. */
  async reach(count: number, timeoutMs: number): Promise<void> {
    const untilMs = performance.now() + timeoutMs;
    while (this.#answeredCount < count && performance.now() < untilMs && this.problems.length === 0) {
      await new Promise(resolve => setTimeout(resolve, 5));
    }
  }

  /** Breaks off: what was sent and not answered stays in doubt. The server may be dead by now. */
  async breakOff(): Promise<void> {
    this.#isOver = true;
    for (const client of this.#clients) client.close();
    await this.#ended;
  }

  /**
   * Reads every record of a server that was started again.
   * @param durableBy Of a digest: what has to be there.
   * @param explain   What else is known of a key that is not as it should be.
   * @returns How many records there are.
   */
  async settle(
    port: number,
    durableBy: (digest: Buffer) => Durable,
    explain: (digest: Buffer) => string,
  ): Promise<number> {
    let count = 0;
    const lane = async (histories: readonly RecordHistory[], number: number): Promise<void> => {
      const client = await WireClient.connect(port);
      for (let at = 0; at < histories.length; at += ROWS_MAX * 4) {
        const part = histories.slice(at, at + ROWS_MAX * 4);
        const beganSec = nowSec();
        const { rows } = await client.batch(part.map(({ key }, index) => rowOf(number, key, GET, index)));
        part.forEach((history, index) => {
          const answer = rows.get(index);
          const problem = answer
            ? history.settle(answer, beganSec, durableBy(digestOf(history.key)))
            : `${history.key}: no answer`;
          if (problem !== undefined) this.problems.push(`${problem}${explain(digestOf(history.key))}`);
          if (answer?.code === OK) count++;
        });
      }
      client.close();
    };
    await Promise.all(this.histories.map(lane));
    return count;
  }

  async #run(client: WireClient, lane: number, random: () => number): Promise<void> {
    const histories = this.histories[lane]!;
    const { hasDurableDeletes, hasLongTtls } = this.#options;
    const makers = [...COMMANDS, ...(hasDurableDeletes ? [DURABLE] : []), ...(hasLongTtls ? [LONG_TTL] : [])];
    const single = makers.reduce((sum, [share]) => sum + share, 0);
    const truncate = this.#options.hasTruncate ? TRUNCATE_SHARE : 0;
    while (!this.#isOver) {
      const kind = random() * (single + READ_SHARE + BATCH_SHARE + truncate);
      if (kind < single) {
        const history = pick(histories, random);
        const { message, step } = this.#make(makers, kind, history.key, random);
        const change = history.begin(step);
        const answer = await client.command(of(lane, history.key, message));
        this.#answered(history.end(change, answer.code, generationIn(message, answer)), answer);
      } else if (kind < single + READ_SHARE) {
        const history = pick(histories, random);
        const beganSec = nowSec();
        const answer = await client.command(of(lane, history.key, GET));
        this.#answered(history.read(answer, beganSec), answer);
      } else if (kind < single + READ_SHARE + BATCH_SHARE) {
        await this.#batch(client, lane, random, makers, single);
      } else {
        await this.#truncate(client, lane);
      }
    }
  }

  /** Rows on different keys of the lane, of every kind. */
  async #batch(
    client: WireClient,
    lane: number,
    random: () => number,
    makers: readonly Maker[],
    single: number,
  ): Promise<void> {
    const histories = new Set(
      Array.from({ length: 1 + Math.floor(random() * ROWS_MAX) }, () => pick(this.histories[lane]!, random)),
    );
    const beganSec = nowSec();
    const rows = [...histories].map((history, index) => {
      const kind = random() * (single + READ_SHARE);
      const command = kind < single ? this.#make(makers, kind, history.key, random) : undefined;
      const change = command && history.begin(command.step);
      return { history, change, message: command?.message ?? GET, index };
    });
    const answers = await client.batch(
      rows.map(({ history, message, index }) => rowOf(lane, history.key, message, index)),
    );
    for (const { history, change, message, index } of rows) {
      const answer = answers.rows.get(index);
      if (answer === undefined) this.problems.push(`${history.key}: no answer in a batch`);
      else if (change === undefined) this.#answered(history.read(answer, beganSec), answer);
      else this.#answered(history.end(change, answer.code, generationIn(message, answer)), answer);
    }
  }

  /** A truncation is durable when it is answered, as is all that it says of what was there before. */
  async #truncate(client: WireClient, lane: number): Promise<void> {
    const changes = this.histories[lane]!.map(history => ({
      history,
      change: history.begin(() => ({ code: OK, state: ABSENT }), true),
    }));
    const command = `truncate:namespace=test;set=${setOf(lane)}`;
    const answer = (await client.ask(infoFrame(`${command}\n`))).toString('latin1', 8 + command.length + 1);
    if (answer.trim() !== 'ok') this.problems.push(`${command}: ${answer}`);
    this.truncateCount++;
    for (const { history, change } of changes) history.end(change, OK);
  }

  #make(makers: readonly Maker[], kind: number, key: string, random: () => number): Command {
    let rest = kind;
    for (const [share, make] of makers) {
      if (rest < share) return make(key, ++this.#version, random);
      rest -= share;
    }
    throw new Error('shares do not add up');
  }

  #answered(problem: string | undefined, { code }: Answer): void {
    this.#answeredCount++;
    this.codes.set(code, (this.codes.get(code) ?? 0) + 1);
    if (problem !== undefined) this.problems.push(problem);
  }

  #lost(error: Error): void {
    if (!this.#isOver && !error.message.startsWith('closed')) this.problems.push(error.message);
  }
}

function pick<T>(items: readonly T[], random: () => number): T {
  return items[Math.floor(random() * items.length)]!;
}

function setOf(lane: number): string {
  return `lane${lane}`;
}

function of(lane: number, key: string, message: Message): Message {
  return { ...message, set: setOf(lane), digest: digestOf(key) };
}

function rowOf(lane: number, key: string, message: Message, index: number): Row {
  return { ...of(lane, key, message), index };
}

/** Answers of writes carry the new generation; those of deletes carry none. */
function generationIn(message: Message, answer: Answer): number | undefined {
  return (message.info2! & 0x02) === 0 && answer.code === OK ? answer.generation : undefined;
}
