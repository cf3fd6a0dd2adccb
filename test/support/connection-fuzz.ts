/**
 * Lives of connections: each asks for records that say whose they are, in frames that are split, merged and cut
 * off, reads slowly or not at all, and ends in one of many ways, often with answers under way. Whatever comes
 * back must be the answers to its own questions, in order.
 */
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  answersOf,
  batchFrame,
  digestOf,
  GET,
  infoFrame,
  messageFrame,
  put,
  WireClient,
  write,
} from './wire-client.js';

const KEY_COUNT = 500;
const LARGE_EVERY = 10; // each such key holds a large value
const LARGE_SIZE = 60_000; // bytes
const SMALL_SIZE = 40;
const ANSWER_MS = 60_000;

/** A question and what its answer must be. */
interface Question {
  readonly bytes: Buffer;
  /** Takes an answer. @returns Whether the question is answered. Throws when it is not its own. */
  accept(frame: Buffer): boolean;
}

/** Writes what the questions are about. */
export async function fill(port: number): Promise<void> {
  const client = await WireClient.connect(port);
  for (let key = 0; key < KEY_COUNT; key++) {
    const size = key % LARGE_EVERY === 0 ? LARGE_SIZE : SMALL_SIZE;
    const answer = await client.command({
      ...put(write('n', key), write('a', Buffer.alloc(size, key))),
      digest: digestOf(key),
    });
    if (answer.code !== 0) throw new Error(`writing answered ${answer.code}`);
  }
  client.close();
}

export class ConnectionFuzz {
  readonly #port: number;
  #random: number;
  connectionCount = 0;
  answerCount = 0;

  constructor(port: number, seed: number) {
    this.#port = port;
    this.#random = seed >>> 0;
  }

  /** Runs `count` lives, `atOnce` of them side by side. Throws when one got what is not its own. */
  async run(count: number, atOnce: number, endMs = Number.POSITIVE_INFINITY): Promise<void> {
    let started = 0;
    const lane = async (): Promise<void> => {
      while (started < count && performance.now() < endMs) {
        started++;
        await this.#live();
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, count) }, lane));
  }

  #below(limit: number): number {
    this.#random = (Math.imul(this.#random, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.#random / 2 ** 32) * limit);
  }

  async #live(): Promise<void> {
    const socket = net.connect({ port: this.#port, host: '127.0.0.1', noDelay: this.#below(2) === 0 });
    socket.on('error', () => {}); // 'close' follows
    const closed = once(socket, 'close');
    await Promise.race([once(socket, 'connect').catch(() => {}), closed]);
    if (socket.destroyed) throw new Error('a connection was refused');
    this.connectionCount++;
    const questions = Array.from({ length: 1 + this.#below(8) }, () => this.#question());
    const answers = new Answers(questions);
    let broken: Error | undefined;
    socket.on('data', chunk => {
      try {
        this.answerCount += answers.accept(chunk);
      } catch (error) {
        broken = error as Error;
        socket.destroy();
      }
    });
    if (this.#below(10) === 0) socket.pause();
    const isWhole = await this.#send(socket, Buffer.concat(questions.map(each => each.bytes)));
    await this.#end(socket, isWhole, answers, closed);
    if (broken !== undefined) throw broken;
  }

  /** Sends bytes whole, in pieces, or only some of them. @returns Whether all. */
  async #send(socket: net.Socket, bytes: Buffer): Promise<boolean> {
    const size = this.#below(6) === 0 ? this.#below(bytes.length) : bytes.length;
    const pieceCount = [1, 1, 2, 5, 20][this.#below(5)]!;
    for (let at = 0, piece = 1; at < size; piece++) {
      const to = piece >= pieceCount ? size : Math.min(size, at + 1 + this.#below((2 * size) / pieceCount));
      socket.write(bytes.subarray(at, to));
      at = to;
      if (this.#below(2) === 0) await sleep(this.#below(3));
    }
    return size === bytes.length;
  }

  async #end(
    socket: net.Socket,
    isWhole: boolean,
    answers: Answers,
    closed: Promise<unknown>,
  ): Promise<void> {
    // What follows a frame that was cut off would become part of it.
    switch (this.#below(isWhole ? 8 : 4)) {
      case 0:
        socket.destroy();
        break;
      case 1:
        socket.resetAndDestroy();
        break;
      case 2:
        socket.end();
        break;
      case 3:
        await sleep(this.#below(30));
        socket.resetAndDestroy();
        break;
      case 4:
        socket.end(Buffer.from([2, 3, 0, 0, 0, 0])); // the start of a frame
        break;
      case 5: // bytes that are no frame
        socket.write(Buffer.alloc(16, 0xee));
        break;
      default:
        socket.resume();
        await answers.all(closed);
        socket.destroy();
    }
    socket.resume();
    await Promise.race([closed, sleep(ANSWER_MS, undefined, { ref: false })]);
    if (!socket.destroyed) throw new Error('a connection stayed open');
  }

  #question(): Question {
    const key = this.#below(KEY_COUNT);
    switch (this.#below(8)) {
      case 0:
        return {
          bytes: infoFrame('build\n'),
          accept: frame => same(frame[1] === 1 && frame.includes('build\t'), 'no answer to info'),
        };
      case 1: {
        const keys = Array.from({ length: 1 + this.#below(40) }, () => this.#below(KEY_COUNT));
        const rows = keys.map((each, index) => ({ ...GET, index, digest: digestOf(each) }));
        return {
          bytes: batchFrame(rows, undefined, { timeoutMs: ANSWER_MS }),
          accept: frame => {
            for (const row of answersOf(frame)) {
              if (row.info3 & 1) return true;
              same(Number(row.ops[0]!.value.readBigInt64BE()) === keys[row.index], "another's row");
            }
            return false;
          },
        };
      }
      default:
        return {
          bytes: messageFrame({ ...GET, digest: digestOf(key), timeoutMs: ANSWER_MS }),
          accept: frame => {
            const { code, ops } = answersOf(frame)[0]!;
            same(code === 0, `code ${code}`);
            return same(Number(ops[0]!.value.readBigInt64BE()) === key, "another's record");
          },
        };
    }
  }
}

const EMPTY = Buffer.alloc(0);

function same(isTrue: boolean, otherwise: string): true {
  if (!isTrue) throw new Error(otherwise);
  return true;
}

/** The answers of one connection, as they come. */
class Answers {
  readonly #open: Question[];
  #bytes: Buffer = EMPTY;
  #done: () => void = () => {};

  constructor(questions: readonly Question[]) {
    this.#open = [...questions];
  }

  /** @returns How many frames these bytes completed. */
  accept(chunk: Buffer): number {
    let count = 0;
    let bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    while (bytes.length >= 8) {
      const size = 8 + bytes.readUIntBE(2, 6);
      if (bytes.length < size) break;
      const question = this.#open[0];
      if (question === undefined) throw new Error('an answer to no question');
      if (question.accept(bytes.subarray(0, size))) this.#open.shift();
      bytes = bytes.subarray(size);
      count++;
    }
    this.#bytes = bytes;
    if (this.#open.length === 0) this.#done();
    return count;
  }

  /** Waits until every question is answered. */
  async all(closed: Promise<unknown>): Promise<void> {
    if (this.#open.length === 0) return;
    const answered = new Promise<'answered'>(resolve => {
      this.#done = () => resolve('answered');
    });
    const late = sleep(ANSWER_MS, 'late' as const, { ref: false });
    const end = await Promise.race([answered, closed.then(() => 'closed' as const), late]);
    if (end !== 'answered') throw new Error(`${this.#open.length} questions without an answer: ${end}`);
  }
}
