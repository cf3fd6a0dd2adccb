/** Filters in two phases: what metadata decides reads nothing from storage, and what waits for storage runs again. */
import test from 'ava';
import { Region } from '../../../src/base/arena.js';
import { Budget } from '../../../src/base/budget.js';
import { PARTITION_COUNT } from '../../../src/base/digest.js';
import { FILTERED_OUT, OK, PARKED } from '../../../src/base/result.js';
import { Counters } from '../../../src/observe/counters.js';
import { NAMESPACE_COUNTERS } from '../../../src/observe/namespace-counters.js';
import { execute } from '../../../src/shard/command/execute.js';
import { Executor } from '../../../src/shard/command/executor.js';
import { Request } from '../../../src/shard/command/request.js';
import { createNamespaceMemory, TUNE_RECORD_SIZE_MAX } from '../../../src/shard/namespace-memory.js';
import { NamespaceView, Shard } from '../../../src/shard/shard.js';
import type { RecordSpan, StorageEngine } from '../../../src/storage/engine.js';
import { PrimaryIndex } from '../../../src/storage/index/primary-index.js';
import { MemoryEngine } from '../../../src/storage/memory/memory-engine.js';
import {
  DELETE,
  digestOf,
  GET,
  HEADER,
  type Message,
  messageFrame,
  put,
  write,
} from '../../support/wire-client.js';

const PROTO_SIZE = 8;
const TOKEN = 3;

/** Memory that parks the first load of each command, as a device does. */
class ParkingEngine implements StorageEngine {
  readonly commitNumber = 0;
  readonly committedNumber = 0;
  readonly #inner: MemoryEngine;
  readonly recordSizeMax: number;
  loads = 0;
  isParking = true;

  constructor(inner: MemoryEngine) {
    this.#inner = inner;
    this.recordSizeMax = inner.recordSizeMax;
  }

  load(entry: number, token: number, out: RecordSpan): number {
    this.loads++;
    this.isParking = !this.isParking;
    return this.isParking ? this.#inner.load(entry, token, out) : PARKED;
  }
  release(): void {}
  flush(): void {}
  reserve(size: number, out: RecordSpan): number {
    return this.#inner.reserve(size, out);
  }
  store(entry: number): void {
    this.#inner.store(entry);
  }
  remove(entry: number, lutMs: number): number {
    return this.#inner.remove(entry, lutMs);
  }
  bury(entry: number, lutMs: number): number {
    return this.#inner.bury(entry, lutMs);
  }
  expire(entry: number): void {
    this.#inner.expire(entry);
  }
  drop(entry: number): void {
    this.#inner.drop(entry);
  }
  keepClock(lutMs: number): number {
    return this.#inner.keepClock(lutMs);
  }
  nextSequence(): number {
    return this.#inner.nextSequence();
  }
  poll(): number {
    return 0;
  }
  tick(): void {}
  close(): void {}
}

function open(): { engine: ParkingEngine; run: (message: Message) => number[]; ex: Executor } {
  const memory = createNamespaceMemory(1);
  new Region(memory.tuning).f64[TUNE_RECORD_SIZE_MAX] = 1 << 20;
  const counters = new Counters(NAMESPACE_COUNTERS).addBlock().f64;
  const figures = new Region(memory.shards[0]!).f64;
  const partitions = Uint16Array.from({ length: PARTITION_COUNT }, (_, pid) => pid);
  const index = new PrimaryIndex({ partitions });
  const budget = new Budget(1000);
  const engine = new ParkingEngine(new MemoryEngine({ index, counters: figures, budget, shardCount: 1 }));
  const shard = new Shard(new NamespaceView(0, 'test', memory, counters), partitions, index, engine, figures);
  const ex = new Executor();
  ex.setTime(1000);
  const req = new Request();
  /** Runs a command, again when it was parked. @returns The codes, one a run. */
  const run = (message: Message): number[] => {
    const frame = messageFrame({ set: 's', digest: digestOf('k'), ...message });
    const codes: number[] = [];
    do {
      if (req.parseMessage(frame, PROTO_SIZE, frame.length - PROTO_SIZE) !== OK)
        throw new Error('not a message');
      codes.push(execute(ex, shard, req, TOKEN));
    } while (codes.at(-1) === PARKED && codes.length < 5);
    return codes;
  };
  return { engine, run, ex };
}

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const IN_SET_S = bytes('93 01 91 46 a2 03 73');
const IN_SET_T = bytes('93 01 91 46 a2 03 74');
const I_IS_7 = bytes('93 01 93 51 02 a1 69 07');
const I_IS_8 = bytes('93 01 93 51 02 a1 69 08');
/** In set t and i == 7: the metadata says no whatever i is. */
const BOTH = Buffer.concat([bytes('93 10'), I_IS_7, IN_SET_T]);
const filtered = (message: Message, filter: Buffer): Message => ({ ...message, fields: [[43, filter]] });

test('what the metadata decides reads nothing from storage', t => {
  const { engine, run } = open();
  t.deepEqual(run(put(write('i', 7))), [OK]);
  engine.loads = 0;
  for (const message of [GET, HEADER, DELETE, put(write('i', 1))]) {
    t.deepEqual(run(filtered(message, IN_SET_T)), [FILTERED_OUT]);
    t.deepEqual(run(filtered(message, BOTH)), [FILTERED_OUT]);
  }
  t.deepEqual(run(filtered(HEADER, IN_SET_S)), [OK]);
  t.is(engine.loads, 0);
  t.deepEqual(run(filtered(GET, IN_SET_S)), [PARKED, OK], 'the bins are read once, to be answered');
  t.is(engine.loads, 2);
});

test('what the bins decide waits for them once, and loads them once more when they are there', t => {
  const { engine, run, ex } = open();
  t.deepEqual(run(put(write('i', 7))), [OK]);
  engine.loads = 0;
  t.deepEqual(run(filtered(GET, I_IS_7)), [PARKED, OK]);
  t.is(ex.answer.opCount, 1);
  t.deepEqual(run(filtered(GET, I_IS_8)), [PARKED, FILTERED_OUT]);
  t.is(ex.answer.opCount, 0);
  t.deepEqual(run(filtered(HEADER, I_IS_7)), [PARKED, OK]);
  t.deepEqual(run(filtered(put(write('i', 8)), I_IS_8)), [PARKED, FILTERED_OUT]);
  t.deepEqual(run(filtered(put(write('i', 8)), I_IS_7)), [PARKED, OK]);
  t.deepEqual(run(filtered({ ...put(write('j', 1)), info3: 0x10 }, I_IS_8)), [PARKED, OK], 'a replace');
  t.deepEqual(run(filtered(DELETE, I_IS_8)), [PARKED, FILTERED_OUT], 'i is gone');
  t.is(engine.loads, 14, 'two a command: the one that parks, and the one when the bytes are there');
});
