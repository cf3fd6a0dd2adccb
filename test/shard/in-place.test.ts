/** Commands that the main thread executes itself, on a view of shards that a "worker" of the same thread owns. */
import test from 'ava';
import { Region } from '../../src/base/arena.js';
import { Budget } from '../../src/base/budget.js';
import { DIGEST_SIZE, PARTITION_COUNT } from '../../src/base/digest.js';
import { OK } from '../../src/base/result.js';
import { createSleeper } from '../../src/base/sleeper.js';
import {
  CLIENT_READ_SUCCESS,
  CLIENT_WRITE_SUCCESS,
  NAMESPACE_COUNTERS,
} from '../../src/observe/namespace-counters.js';
import { InPlace } from '../../src/shard/in-place.js';
import { createNamespaceMemory, TUNE_RECORD_SIZE_MAX } from '../../src/shard/namespace-memory.js';
import { Ownership, ownerOf } from '../../src/shard/ownership.js';
import { PlainReads } from '../../src/shard/plain-reads.js';
import { NamespaceView, Shard } from '../../src/shard/shard.js';
import { ShardAnnouncer, ShardView } from '../../src/shard/shard-view.js';
import { createParkedCounts } from '../../src/shard/slots.js';
import { TruncationTable, WHOLE_NAMESPACE } from '../../src/shard/truncation.js';
import { createControl } from '../../src/shard/worker-control.js';
import { PrimaryIndex } from '../../src/storage/index/primary-index.js';
import { MemoryEngine } from '../../src/storage/memory/memory-engine.js';
import { UNIT_SIZE } from '../../src/storage/memory/size-class.js';
import { FaultyDisk, FaultyIo, seeded } from '../support/faulty-io.js';
import { StorageShard } from '../support/storage-shard.js';
import {
  type Answer,
  answersOf,
  DELETE,
  digestOf,
  GET,
  type Message,
  messageFrame,
  op,
  put,
  read,
  write,
} from '../support/wire-client.js';

const MIB = 1024 * 1024;

class Fixture {
  readonly counters = new Float64Array(NAMESPACE_COUNTERS.names.length);
  readonly owner: Ownership;
  readonly index: PrimaryIndex;
  readonly engine: MemoryEngine;
  readonly inPlace: InPlace;
  readonly announcer: ShardAnnouncer;
  readonly shard: Shard;
  readonly truncation: TruncationTable;
  announced = 0;

  constructor(budgetSize = 8 * MIB) {
    const memory = createNamespaceMemory(1);
    new Region(memory.tuning).f64[TUNE_RECORD_SIZE_MAX] = MIB;
    const shardOf = new Uint16Array(PARTITION_COUNT);
    const budget = new Budget(budgetSize / UNIT_SIZE);
    const view = new NamespaceView(0, 'test', memory, new Float64Array(NAMESPACE_COUNTERS.names.length));
    const figures = view.figuresOf(0);
    this.owner = new Ownership(memory.owners, 0, ownerOf(0));
    const partitions = Uint16Array.from(shardOf.keys());
    this.index = new PrimaryIndex({ partitions });
    this.engine = new MemoryEngine({ index: this.index, counters: figures, budget, shardCount: 1 });
    const shard = new Shard(view, partitions, this.index, this.engine, figures, this.owner);
    this.shard = shard;
    this.truncation = new TruncationTable(memory.truncation);
    const mine = new NamespaceView(0, 'test', memory, this.counters);
    const task = {
      name: 'test',
      memory,
      shardOf,
      workerOf: new Uint16Array(1),
      storage: { engine: 'memory', budget: budget.shared },
    } as const;
    const worker = { control: createControl(), parked: createParkedCounts(), sleeper: createSleeper() };
    const views: ShardView[][] = [[]];
    this.announcer = new ShardAnnouncer([[0, shard]], told => {
      this.announced++;
      views[0]![0] = new ShardView(mine, task, structuredClone(told), worker);
    });
    this.inPlace = new InPlace([mine], views);
    this.inPlace.setTime(1000, 500_000_000_000);
  }

  /** @returns The answer, or null when the command is the worker's. */
  run(name: string | number, message: Message): Answer | null {
    const frame = messageFrame({ ...message, digest: digestOf(name).subarray(0, DIGEST_SIZE) });
    if (!this.inPlace.hasRoom) this.inPlace.clear();
    if (!this.inPlace.parse(frame, 8, frame.length - 8)) return null;
    const size = this.inPlace.run(0, 0);
    if (size === 0) return null;
    const from = this.inPlace.answerAt;
    return answersOf(Buffer.from(this.inPlace.outbox.u8.subarray(from, from + size)))[0]!;
  }

  /** Adds entries as the worker does. */
  insert(count: number): void {
    for (let i = 0; i < count; i++) this.index.insert(digestOf(`other ${i}`), 0);
  }
}

/** A fixture whose shard has room for a few records that are put in place. */
function withRoom(): Fixture {
  const fixture = new Fixture();
  fixture.insert(1); // so that there is a chunk of entries
  fixture.engine.reserve(200, { region: new Region(8), at: 0, size: 0 }); // and a page
  fixture.announcer.step();
  return fixture;
}

test('small writes are executed up to the end of a write block on a device', t => {
  const blockSize = 64 * 1024;
  const memory = createNamespaceMemory(1);
  new Region(memory.tuning).f64[TUNE_RECORD_SIZE_MAX] = blockSize;
  const view = new NamespaceView(0, 'test', memory, new Float64Array(NAMESPACE_COUNTERS.names.length));
  const io = new FaultyIo(new FaultyDisk(16 * blockSize), 32 * MIB, seeded(1), { turnsMax: 1 });
  const owner = { setId: Uint32Array.of(1, 2, 3, 4), shard: 0, writeBlockSize: blockSize, startCount: 1 };
  const extent = { path: 'disk', offset: 0, size: 16 * blockSize, owner };
  const stored = new StorageShard({ backend: io, extent, sets: view.sets }).recover();
  t.is(stored.put(1, 1, 1000), OK); // opens a block
  const shardOf = new Uint16Array(PARTITION_COUNT);
  const partitions = Uint16Array.from(shardOf.keys());
  const shard = new Shard(view, partitions, stored.index, stored.engine, stored.counters, null);
  const task = { name: 'test', memory, shardOf, workerOf: new Uint16Array(1), storage: { engine: 'device' } };
  const worker = { control: createControl(), parked: createParkedCounts(), sleeper: createSleeper() };
  const views: ShardView[][] = [[]];
  new ShardAnnouncer([[0, shard]], told => {
    views[0]![0] = new ShardView(view, task as never, structuredClone(told), worker);
  }).step();
  const inPlace = new InPlace([view], views);
  inPlace.setTime(1000, 500_000_000_000);
  const run = (key: number): boolean => {
    const message = { ...put(write('a', Buffer.alloc(100, key))), digest: digestOf(key) };
    const frame = messageFrame(message);
    inPlace.clear();
    return inPlace.parse(frame, 8, frame.length - 8) && inPlace.run(0, 0) > 0;
  };
  let count = 0;
  while (count < 1000 && run(count % 40)) count++;
  t.true(count > 250 && count < 400, `${count} writes`);
  const device = views[0]![0]!;
  t.false(device.hasRoom(1400)); // less than one of them may need is left
  t.true(device.hasRoom(500));
  t.is(stored.put(1, 2, 2000), OK); // in the next block
  t.true(run(1));
});

test('nothing is executed on a shard that was never told of', t => {
  const fixture = new Fixture();
  t.is(fixture.run('k', GET), null);
});

test('puts, reads, increments and deletes are executed and counted in a block of their own', t => {
  const fixture = withRoom();
  t.is(fixture.run('k', put(write('n', 5), write('s', 'text')))!.code, 0);
  t.is(fixture.run('k', put(op(5, 'n', 1, Buffer.from('0000000000000002', 'hex'))))!.generation, 2);
  const answer = fixture.run('k', GET)!;
  t.is(answer.code, 0);
  t.is(Number(answer.ops.find(({ name }) => name === 'n')!.value.readBigInt64BE()), 7);
  t.is(fixture.run('none', GET)!.code, 2);
  t.is(fixture.run('k', DELETE)!.code, 0);
  t.is(fixture.run('k', GET)!.code, 2);
  t.is(fixture.counters[CLIENT_READ_SUCCESS], 1);
  t.is(fixture.counters[CLIENT_WRITE_SUCCESS], 2);
  t.is(fixture.index.count, 1, 'the owner sees the same index');
});

test('plain rows are not read while what was truncated may still be there', t => {
  const fixture = withRoom();
  t.is(fixture.run('k', put(write('n', 5)))!.code, 0);
  const { shard, inPlace, truncation } = fixture;
  const plain = new PlainReads(MIB);
  const digest = digestOf('k');
  inPlace.parse(messageFrame({ ...GET, digest }), 8, messageFrame({ ...GET, digest }).length - 8);
  t.true(plain.begin(inPlace.request, shard.namespace));
  const out = new Region(4096);
  plain.wallMs = 500_000_000_000;
  t.true(plain.answer(shard, digest, 0, 0, 0, out, 0) > 0);
  truncation.set(WHOLE_NAMESPACE, 500_000_000_001);
  t.is(plain.answer(shard, digest, 0, 0, 0, out, 0), -1);
  t.is(fixture.run('k', GET)!.code, 2);
  shard.adoptTruncation();
  t.is(plain.answer(shard, digest, 0, 0, 0, out, 0), -1, 'known, and not carried out yet');
});

test('nothing is executed while the worker has the shard', t => {
  const fixture = withRoom();
  t.true(fixture.owner.tryTake());
  t.is(fixture.run('k', put(write('n', 5))), null);
  fixture.owner.give();
  t.is(fixture.run('k', put(write('n', 5)))!.code, 0);
  t.true(fixture.owner.tryTake(), 'it was given back');
});

test('commands that may take long are the worker’s', t => {
  const fixture = withRoom();
  t.is(fixture.run('k', put(write('s', 'text')))!.code, 0);
  t.is(fixture.run('k', put(write('s', Buffer.alloc(5000)))), null, 'a long message');
  t.is(
    fixture.run('k', { ...put(write('s', 'x'), read('s')), info1: 1 }),
    null,
    'an answer of unknown length',
  );
  t.is(fixture.run('k', { ...GET, fields: [[43, Buffer.from('93010102', 'hex')]] }), null, 'a filter');
  t.is(
    fixture.run('k', { info1: 1, ops: [op(3, 's', 4, Buffer.from('930a0000', 'hex'))] }),
    null,
    'a list op',
  );
  t.is(fixture.run('k', { ...GET, info1: 0x83 }), null, 'an answer that may be compressed');
});

test('large records are the worker’s', t => {
  const fixture = withRoom();
  const value = Buffer.alloc(4000, 7);
  t.is(fixture.run('k', put(write('s', value)))!.code, 0);
  let appended = 0;
  while (appended < 20 && fixture.run('k', put(op(9, 's', 4, value))) !== null) appended++;
  t.is(appended, 4, 'until it had more than 16 KiB');
  t.is(fixture.run('k', GET)!.code, 0, 'an answer of less than 32 KiB');
  t.is(fixture.run('k', { info1: 1, ops: [read('s'), read('s')] }), null, 'bins one by one');
});

test('what needs more memory is the worker’s, and after it has told of it the view is current again', t => {
  const fixture = withRoom();
  let refused = 0;
  let grown = 0;
  for (let key = 0; key < 20_000; key++) {
    const frame = put(write('n', key));
    if (fixture.run(key, frame) !== null) continue;
    refused++;
    t.is(fixture.run(key, GET)!.code, 2, 'nothing has happened');
    while (fixture.run(key, frame) === null) {
      fixture.index.insert(digestOf(`grow ${key} ${grown++}`), 0); // as the worker would, until it is done
      fixture.announcer.step();
    }
  }
  t.true(refused > 0);
  t.true(grown > 1000, `${grown} had a part in a doubling`);
  t.is(fixture.announced, 3, 'at first, and at both ends of a doubling');
  let right = 0;
  for (let key = 0; key < 20_000; key++) {
    const answer = fixture.run(key, GET);
    if (answer?.code === 0 && Number(answer.ops[0]!.value.readBigInt64BE()) === key) right++;
  }
  t.is(right, 20_000);
});

test('a view that is not current executes nothing', t => {
  const fixture = withRoom();
  t.is(fixture.run('k', put(write('n', 5)))!.code, 0);
  const { epoch } = fixture.index;
  for (let i = 0; fixture.index.epoch === epoch; i++) fixture.index.insert(digestOf(`more ${i}`), 0);
  t.is(fixture.run('k', GET), null);
  fixture.announcer.step();
  t.is(fixture.run('k', GET)!.code, 0);
});

test('a namespace that is full answers so through the worker', t => {
  const fixture = new Fixture(MIB);
  fixture.insert(1);
  fixture.engine.reserve(200, { region: new Region(8), at: 0, size: 0 });
  fixture.announcer.step();
  let key = 0;
  while (key < 20_000 && fixture.run(key, put(write('s', Buffer.alloc(3000)))) !== null) key++;
  t.true(key < 400, `${key} records in a MiB`);
  t.is(fixture.run('next', put(write('s', Buffer.alloc(3000)))), null);
});

test('commands that were foreseen are executed as they are, whichever of them come', t => {
  const fixture = withRoom();
  const { inPlace } = fixture;
  for (let key = 0; key < 100; key++) t.is(fixture.run(key, put(write('n', key)))!.code, 0);
  const frames = Array.from({ length: 100 }, (_, key) =>
    messageFrame(key % 10 === 7 ? { ...GET, digest: Buffer.alloc(3) } : { ...GET, digest: digestOf(key) }),
  );
  const bytes = Buffer.concat(frames);
  const places: [at: number, size: number][] = [];
  let at = 0;
  for (const { length } of frames) {
    places.push([at + 8, length - 8]);
    at += length;
  }
  let foreseenCount = 0;
  for (const [messageAt, size] of places) {
    if (!inPlace.foresee(bytes, messageAt, size)) continue;
    inPlace.foreseen(messageAt, size, 0, 0);
    foreseenCount++;
  }
  t.is(foreseenCount, 64, 'as many as there is room for');
  inPlace.lookAhead();
  const read = (key: number, from: Uint8Array = bytes): number | null => {
    if (!inPlace.parse(from, ...places[key]!)) return null;
    const size = inPlace.run(0, 0);
    const answer = answersOf(
      Buffer.from(inPlace.outbox.u8.subarray(inPlace.answerAt, inPlace.answerAt + size)),
    );
    return Number(answer[0]!.ops[0]!.value.readBigInt64BE());
  };
  t.is(read(0), 0);
  t.is(read(3), 3, 'some never come');
  t.is(read(7), null, 'what was no command is none');
  const other = Buffer.from(bytes);
  other.set(frames[50]!, 0);
  t.is(read(0, other), 50, 'other bytes at the same place');
  t.is(read(4), 4);
  t.is(read(2), 2, 'out of order');
  t.is(read(99), 99, 'one that was not foreseen');
  inPlace.forget();
  bytes.set(frames[42]!, 0);
  t.is(read(0), 42, 'the bytes have changed');
});

test('what was foreseen of a record is forgotten when commands before it remove it', t => {
  const fixture = withRoom();
  const { inPlace } = fixture;
  t.is(fixture.run('old', put(write('n', 1)))!.code, 0);
  const messages: [Message, code: number][] = [
    [{ ...GET, digest: digestOf('old') }, 0],
    [{ ...DELETE, digest: digestOf('old') }, 0],
    [{ ...GET, digest: digestOf('old') }, 2],
    [{ ...put(write('n', 2)), digest: digestOf('new') }, 0], // its entry is the one that is free
    [{ ...GET, digest: digestOf('old') }, 2],
    [{ ...GET, digest: digestOf('new') }, 0],
    [{ ...put(write('n', 3)), digest: digestOf('old') }, 0],
    [{ ...GET, digest: digestOf('old') }, 0],
  ];
  const frames = messages.map(([message]) => messageFrame(message));
  const bytes = Buffer.concat(frames);
  let at = 0;
  for (const { length } of frames) {
    t.true(inPlace.foresee(bytes, at + 8, length - 8));
    inPlace.foreseen(at + 8, length - 8, 0, 0);
    at += length;
  }
  inPlace.lookAhead();
  at = 0;
  for (const [i, { length }] of frames.entries()) {
    t.true(inPlace.parse(bytes, at + 8, length - 8));
    t.true(inPlace.run(0, 0) > 0);
    t.is(inPlace.code, messages[i]![1], `command ${i}`);
    at += length;
  }
});
