/** Batches that a worker executes as a whole, on shards of which none is its own: both ends of its rings in one thread. */
import { MessageChannel } from 'node:worker_threads';
import test from 'ava';
import { Region } from '../../src/base/arena.js';
import { Budget } from '../../src/base/budget.js';
import { monotonicMs } from '../../src/base/clock.js';
import { PARTITION_COUNT, partitionOf } from '../../src/base/digest.js';
import { SharedVersion } from '../../src/base/flags.js';
import { createRing, RingConsumer, RingProducer } from '../../src/base/ring.js';
import { createSleeper, Waker } from '../../src/base/sleeper.js';
import {
  BATCH_SUB_READ_NOT_FOUND,
  BATCH_SUB_READ_SUCCESS,
  BATCH_SUB_WRITE_SUCCESS,
  NAMESPACE_COUNTERS,
} from '../../src/observe/namespace-counters.js';
import { GROUP_REPORT_ERROR_ROW, GROUP_RESPOND_ALL } from '../../src/shard/batch-group.js';
import { BatchWorker, LEFT_FLAGS, LEFT_INFO3, LEFT_NUMBERS } from '../../src/shard/batch-worker.js';
import { Dispatch, WorkerClient } from '../../src/shard/client.js';
import {
  COMP_CODE_NAMESPACE,
  COMP_KIND,
  COMP_ROWS,
  COMP_SIZE,
  COMP_SLOT,
  COMPLETION_BATCH,
  COMPLETION_HEADER_SIZE,
  KIND_BATCH,
  kindOf,
  REQ_SIZE,
  REQUEST_HEADER_SIZE,
} from '../../src/shard/frame.js';
import {
  createNamespaceMemory,
  TUNE_BENCHMARKS,
  TUNE_RECORD_SIZE_MAX,
} from '../../src/shard/namespace-memory.js';
import { Ownership, ownerOf } from '../../src/shard/ownership.js';
import { Reply } from '../../src/shard/reply.js';
import { NamespaceRoute, Routes } from '../../src/shard/routes.js';
import { NamespaceView, Shard } from '../../src/shard/shard.js';
import { partitionsOf } from '../../src/shard/shard-map.js';
import { ShardAnnouncer, ShardListener } from '../../src/shard/shard-view.js';
import { createSlab, SLAB_PAGE_SIZE, SlabProducer } from '../../src/shard/slab.js';
import { createParkedCounts } from '../../src/shard/slots.js';
import { CONTROL_BATCHES, createControl } from '../../src/shard/worker-control.js';
import { PrimaryIndex } from '../../src/storage/index/primary-index.js';
import { MemoryEngine } from '../../src/storage/memory/memory-engine.js';
import { UNIT_SIZE } from '../../src/storage/memory/size-class.js';
import {
  type Answer,
  answersOf,
  batchField,
  digestOf,
  GET,
  op,
  put,
  type Row,
  write,
} from '../support/wire-client.js';

const MIB = 1024 * 1024;
const SHARDS = 4;
const RESPOND_ALL = GROUP_RESPOND_ALL | GROUP_REPORT_ERROR_ROW;

interface Done {
  readonly rows: Map<number, Answer>;
  /** Of the trailer; undefined when there is none, because rows are left. */
  readonly code: number | undefined;
  /** The code that the completion tells. */
  readonly toldCode: number;
  readonly left: number[];
  readonly rest: Buffer;
}

class Fixture {
  readonly counters = new Float64Array(NAMESPACE_COUNTERS.names.length);
  readonly memory = createNamespaceMemory(SHARDS);
  readonly tuning: Float64Array;
  readonly shards: Shard[] = [];
  readonly owners: Ownership[] = [];
  readonly announcer: ShardAnnouncer;
  readonly listener: ShardListener;
  readonly client: WorkerClient;
  readonly #worker: BatchWorker;
  readonly #reply: Reply;
  readonly #requests: RingConsumer;
  readonly #shardOf = Uint16Array.from({ length: PARTITION_COUNT }, (_, pid) => pid % SHARDS);

  constructor() {
    const { memory } = this;
    this.tuning = new Region(memory.tuning).f64;
    this.tuning[TUNE_RECORD_SIZE_MAX] = MIB;
    const budget = new Budget((64 * MIB) / UNIT_SIZE);
    const theirs = new NamespaceView(0, 'test', memory, new Float64Array(this.counters.length));
    for (let number = 0; number < SHARDS; number++) {
      const partitions = partitionsOf(this.#shardOf, number);
      const index = new PrimaryIndex({ partitions });
      const counters = theirs.figuresOf(number);
      const engine = new MemoryEngine({ index, counters, budget, shardCount: SHARDS });
      const owner = new Ownership(memory.owners, number, ownerOf(0));
      this.owners.push(owner);
      this.shards.push(new Shard(theirs, partitions, index, engine, counters, owner));
    }
    const namespace = {
      name: 'test',
      memory,
      counters: new Region(8).shared,
      stepTimes: new Region(8).shared,
      deviceTimes: new Region(8).shared,
      shardOf: this.#shardOf,
      workerOf: new Uint16Array(SHARDS),
      storage: { engine: 'memory', budget: budget.shared },
    } as const;
    const { port1, port2 } = new MessageChannel();
    port1.unref();
    port2.unref();
    const task = {
      port: port2,
      namespaces: [namespace],
      control: createControl(),
      parked: createParkedCounts(),
      sleeper: createSleeper(),
      requests: createRing(MIB),
      requestSlab: createSlab(SLAB_PAGE_SIZE),
      completions: createRing(2 * MIB),
      completionSlab: createSlab(SLAB_PAGE_SIZE),
    };
    const mine = new NamespaceView(0, 'test', memory, this.counters);
    this.listener = new ShardListener(task, [mine], ownerOf(1));
    this.announcer = new ShardAnnouncer([...this.shards.entries()], memory => port1.postMessage({ memory }));
    this.client = new WorkerClient(task);
    this.#requests = new RingConsumer(task.requests);
    const ring = new RingProducer(task.completions);
    this.#reply = new Reply(
      ring,
      new SlabProducer(task.completionSlab),
      new Waker(createSleeper()),
      () => false,
    );
    this.#worker = new BatchWorker(
      [mine],
      new Routes([new NamespaceRoute(0, namespace)]),
      this.listener.views,
      this.#reply,
      new SharedVersion(new Region(task.control).i32, CONTROL_BATCHES),
    );
    this.#worker.setTime(monotonicMs(), 500_000_000_000);
  }

  /** Tells the worker of all shards, each with room for some records. */
  announce(): this {
    for (const [number, { index, engine }] of this.shards.entries()) {
      index.insert(this.names(number, 1, 'first')[0]!, 0);
      engine.reserve(200, { region: new Region(8), at: 0, size: 0 });
    }
    this.announcer.step();
    this.listener.step();
    return this;
  }

  /** Digests on one shard. */
  names(shard: number, count: number, prefix: string | number = ''): Buffer[] {
    const found: Buffer[] = [];
    for (let i = 0; found.length < count; i++) {
      const digest = digestOf(`${prefix} ${i}`);
      if (this.shardOf(digest) === shard) found.push(digest);
    }
    return found;
  }

  shardOf(digest: Buffer): number {
    return this.#shardOf[partitionOf(digest, 0)]!;
  }

  /** Gives the worker a batch, has it executed, and takes its completion. */
  run(rows: readonly Row[], flags = RESPOND_ALL, deadlineMs = monotonicMs() + 1000): Done {
    const dispatch = new Dispatch();
    dispatch.kind = KIND_BATCH;
    dispatch.connectionSlot = 7;
    dispatch.digestAt = 0x40 | (flags << 8);
    dispatch.arrivalMs = monotonicMs();
    dispatch.deadlineMs = deadlineMs;
    dispatch.rows = rows.length;
    const bytes = batchField(rows).subarray(5);
    if (!this.client.giveBatch(dispatch, bytes, 0, bytes.length)) throw new Error('no room');
    if (this.client.batchCount !== 1) throw new Error('not counted');
    const { region } = this.#requests;
    const at = this.#requests.next();
    const size = region.u32[(at >>> 2) + REQ_SIZE]!;
    this.#worker.run(region.u32, region.f64, at >>> 2, region.u8, at + REQUEST_HEADER_SIZE, size);
    this.#requests.release();
    this.#reply.publish();
    return this.#completion();
  }

  #completion(): Done {
    const { completions } = this.client;
    const at = completions.next();
    const { u32, u8 } = completions.region;
    const c = at >>> 2;
    if (kindOf(u32[c + COMP_KIND]!) !== COMPLETION_BATCH || u32[c + COMP_SLOT] !== 7)
      throw new Error('another');
    const leftCount = u32[c + COMP_ROWS]!;
    const from = at + COMPLETION_HEADER_SIZE;
    const end = from + u32[c + COMP_SIZE]!;
    const rows = new Map<number, Answer>();
    let code: number | undefined;
    for (let p = from; p < end; ) {
      const frame = Buffer.from(u8.subarray(p, end));
      const size = 8 + frame.readUIntBE(2, 6);
      for (const answer of answersOf(frame.subarray(0, size))) {
        if (answer.info3 & 1) code = answer.code;
        else rows.set(answer.index, answer);
      }
      p += size;
    }
    const rest = Buffer.from(u8.subarray(end, at + completions.size));
    completions.release();
    const left = Array.from({ length: leftCount }, (_, i) => rest.readUInt16BE(LEFT_NUMBERS + i * 2));
    return { rows, code, toldCode: u32[c + COMP_CODE_NAMESPACE]!, left, rest };
  }
}

const rowsOf = (digests: readonly Buffer[], message = GET): Row[] =>
  digests.map((digest, index) => ({ ...message, index, digest }));
const numberIn = (answer: Answer | undefined): number => Number(answer!.ops[0]!.value.readBigInt64BE());

test('a worker writes and reads the records of shards that are not its own, and counts them in its own block', t => {
  const fixture = new Fixture().announce();
  const digests = Array.from({ length: 100 }, (_, i) => digestOf(i));
  const wrote = fixture.run(digests.map((digest, index) => ({ ...put(write('n', index)), index, digest })));
  t.is(wrote.code, 0);
  t.is(wrote.rows.size, 100);
  t.is(fixture.client.batchCount, 0, 'it was counted as done');
  const found = fixture.run([...rowsOf(digests), { ...GET, index: 100, digest: digestOf('none') }]);
  t.is(found.code, 0);
  t.deepEqual(found.left, []);
  for (let i = 0; i < 100; i++) t.is(numberIn(found.rows.get(i)), i);
  t.is(found.rows.get(100)!.code, 2);
  t.is(fixture.counters[BATCH_SUB_WRITE_SUCCESS], 100);
  t.is(fixture.counters[BATCH_SUB_READ_SUCCESS], 100);
  t.is(fixture.counters[BATCH_SUB_READ_NOT_FOUND], 1);
  const counts = fixture.shards.map(({ index }) => index.count);
  t.is(
    counts.reduce((sum, count) => sum + count),
    100 + SHARDS,
    'their owners see them',
  );
});

test('rows on a shard that somebody else has are left, and come back with the batch', t => {
  const fixture = new Fixture().announce();
  const digests = Array.from({ length: 40 }, (_, i) => digestOf(i));
  fixture.run(rowsOf(digests, put(write('n', 1))));
  t.true(fixture.owners[2]!.tryTake());
  for (const message of [GET, put(op(5, 'n', 1, Buffer.from([1])))]) {
    for (const flags of [RESPOND_ALL, 0]) {
      const rows = rowsOf(digests, message);
      const done = fixture.run(rows, flags);
      const expected = rows.flatMap(({ index, digest }) =>
        fixture.shardOf(digest as Buffer) === 2 ? [index] : [],
      );
      t.true(expected.length > 0);
      t.deepEqual(done.left, expected);
      t.is(done.rows.size, rows.length - expected.length);
      t.is(done.code, undefined, 'no trailer');
      t.is(done.rest.readUInt32BE(0), rows.length);
      t.is(done.rest[LEFT_INFO3], 0x40);
      t.is(done.rest[LEFT_FLAGS], flags);
      t.deepEqual(done.rest.subarray(LEFT_NUMBERS + 2 * expected.length), batchField(rows).subarray(5));
    }
  }
  fixture.owners[2]!.give();
  const done = fixture.run(rowsOf(digests));
  t.is(done.code, 0);
  const isLeftAlone = (i: number): boolean => fixture.shardOf(digests[i]!) === 2;
  for (let i = 0; i < 40; i++) t.is(numberIn(done.rows.get(i)), isLeftAlone(i) ? 1 : 3);
});

test('rows are left until the worker has heard of the memory that their shard has got', t => {
  const fixture = new Fixture();
  const digests = fixture.names(1, 20);
  t.is(fixture.run(rowsOf(digests)).left.length, 20, 'never told of');
  fixture.announce();
  t.is(fixture.run(rowsOf(digests, put(write('n', 5)))).code, 0);
  const { index } = fixture.shards[1]!;
  const { epoch } = index;
  for (let i = 0; index.epoch === epoch; i++) index.insert(fixture.names(1, 1, `more ${i}`)[0]!, 0);
  const others = fixture.names(0, 5);
  const mixed = fixture.run(rowsOf([...digests, ...others]));
  t.is(mixed.left.length, 20);
  t.is(mixed.rows.size, 5, 'other shards are as before');
  fixture.announcer.step();
  t.is(fixture.run(rowsOf(digests)).left.length, 20, 'told, but not taken in');
  fixture.listener.step();
  const done = fixture.run(rowsOf(digests));
  t.is(done.code, 0);
  for (let i = 0; i < 20; i++) t.is(numberIn(done.rows.get(i)), 5);
});

test('a batch that is late, or of a kind that is measured now, is left as a whole', t => {
  const fixture = new Fixture().announce();
  const rows = rowsOf(fixture.names(3, 10));
  const all = rows.map(({ index }) => index);
  const late = fixture.run(rows, RESPOND_ALL, monotonicMs() - 1);
  t.deepEqual(late.left, all);
  t.is(late.rows.size, 0);
  fixture.tuning[TUNE_BENCHMARKS] = 0xff;
  t.deepEqual(fixture.run(rows).left, all);
  fixture.tuning[TUNE_BENCHMARKS] = 0;
  t.deepEqual(fixture.run(rows).left, []);
});

test('answers beyond the room of a batch are left', t => {
  const fixture = new Fixture().announce();
  const digests = fixture.names(0, 100);
  const value = Buffer.alloc(3900, 7);
  for (const digest of digests) fixture.run([{ ...put(write('s', value)), index: 0, digest }]);
  const missing = fixture.run(rowsOf(digests)).left.length;
  t.true(missing > 0 && missing < 100, `${missing} of 100 rows of 4 KB`);
  for (let round = 0; round < 30; round++) {
    const { rows, left } = fixture.run(rowsOf(digests)); // whatever the place in the ring
    t.is(left.length, missing);
    for (const [, { ops }] of rows) t.true(ops[0]!.value.equals(value));
  }
});

test('a row that fails ends a batch that did not ask for all answers', t => {
  const fixture = new Fixture().announce();
  const digests = fixture.names(0, 3);
  fixture.run(rowsOf(digests, put(write('s', 'x'))));
  const rows = rowsOf(digests, put(op(5, 's', 1, Buffer.from([1]))));
  const told = fixture.run([rows[0]!, rows[1]!], GROUP_REPORT_ERROR_ROW);
  t.deepEqual([told.code, told.toldCode, [...told.rows.keys()]], [12, 12, [0]]);
  const silent = fixture.run([rows[0]!, rows[1]!], 0);
  t.deepEqual([silent.code, silent.toldCode, silent.rows.size], [12, 12, 0]);
  t.is(fixture.run(rows).rows.size, 3);
});
