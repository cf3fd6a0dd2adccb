import test from 'ava';
import { type IoClient, IoQueue } from '../../../src/storage/io/io-queue.js';
import { SyncIo } from '../../../src/storage/io/sync-io.js';
import { FaultyDisk, FaultyIo, seeded } from '../../support/faulty-io.js';
import { zeroFile } from '../../support/storage-backends.js';

const MIB = 1024 * 1024;
const PAGE = 4096;

class Recorder implements IoClient {
  readonly reads = new Map<number, number>();
  readonly writes = new Map<number, number>();
  readonly flushes: [number, boolean][] = [];
  onRead(argument: number, result: number): void {
    this.reads.set(argument, result);
  }
  onWrite(argument: number, result: number): void {
    this.writes.set(argument, result);
  }
  onFlush(epoch: number, isOk: boolean): void {
    this.flushes.push([epoch, isOk]);
  }
}

function settle(queue: IoQueue): void {
  while (queue.pendingCount > 0 || queue.hasWork) queue.drainOrWait(10);
}

test('results come to the client that asked, whatever their order', t => {
  const queue = new IoQueue(new FaultyIo(new FaultyDisk(MIB), 16 * MIB, seeded(1), { turnsMax: 5 }));
  const clients = [new Recorder(), new Recorder()];
  const numbers = clients.map(client => queue.addClient(client));
  const places = clients.map(client => queue.open('disk', client));
  t.is(places[0], places[1]);
  const at = queue.pool.take(64 * PAGE);
  for (let i = 0; i < 100; i++) {
    t.true(queue.read(numbers[i % 2]!, i, places[0]!, (i % 64) * PAGE, PAGE, at + (i % 64) * PAGE));
  }
  settle(queue);
  t.deepEqual(
    [...clients[0]!.reads.keys()].sort((a, b) => a - b),
    [...Array(50).keys()].map(i => i * 2),
  );
  t.is(clients[1]!.reads.size, 50);
});

test('one flush serves all who asked while another was running', t => {
  const queue = new IoQueue(new FaultyIo(new FaultyDisk(MIB), 16 * MIB, seeded(2), { turnsMax: 0 }));
  const client = new Recorder();
  const place = queue.open('disk', client);
  t.is(queue.epochToCome(place), 1);
  queue.requestFlush(place);
  queue.requestFlush(place);
  queue.drain(); // the first has started and, on this device, ended
  settle(queue);
  t.deepEqual(client.flushes, [[1, true]]);
  t.is(queue.epochToCome(place), 2);
});

test('a write whose end was seen before a flush started is covered by it', t => {
  const disk = new FaultyDisk(MIB);
  const queue = new IoQueue(new FaultyIo(disk, 16 * MIB, seeded(3), { turnsMax: 3 }));
  const client = new Recorder();
  const number = queue.addClient(client);
  const place = queue.open('disk', client);
  const at = queue.pool.take(PAGE);
  queue.buffers.u8.fill(5, at, at + PAGE);
  queue.write(number, 7, place, 0, PAGE, at);
  while (!client.writes.has(7)) queue.drain();
  const epoch = queue.epochToCome(place);
  queue.requestFlush(place);
  settle(queue);
  t.deepEqual(client.flushes, [[epoch, true]]);
  t.is(disk.durable[0], 5);
});

test('a failed flush is told to every client of the file', t => {
  const faults = { turnsMax: 0, failsFlush: () => true };
  const queue = new IoQueue(new FaultyIo(new FaultyDisk(MIB), 16 * MIB, seeded(4), faults));
  const clients = [new Recorder(), new Recorder()];
  const place = clients.map(client => queue.open('disk', client))[0]!;
  queue.requestFlush(place);
  settle(queue);
  for (const client of clients) t.deepEqual(client.flushes, [[1, false]]);
});

test('a write or flush of a pair has ended when both have, is good when both are, and says which failed', t => {
  const disk = new FaultyDisk(MIB);
  const shadow = new FaultyDisk(MIB);
  let failing: FaultyDisk | null = null;
  const faults = {
    turnsMax: 7,
    failsWrite: (_offset: number, _length: number, on: FaultyDisk) => on === failing,
    failsFlush: (on: FaultyDisk) => on === failing,
  };
  const others = new Map([['shadow', shadow]]);
  const queue = new IoQueue(new FaultyIo(disk, 16 * MIB, seeded(5), faults, others));
  const client = new Recorder();
  const number = queue.addClient(client);
  const place = queue.open('disk', client, false, null, { path: 'shadow', isDirect: false });
  const at = queue.pool.take(PAGE);
  queue.buffers.u8.fill(5, at, at + PAGE);
  for (const [turn, bad] of [null, disk, shadow].entries()) {
    failing = bad;
    for (let i = 0; i < 50; i++) t.true(queue.write(number, turn * 100 + i, place, i * PAGE, PAGE, at));
    t.is(queue.shadowWrites(number), 50);
    while (client.writes.size < (turn + 1) * 50) {
      queue.drain();
      if (turn > 0) continue;
      for (const i of client.writes.keys())
        t.deepEqual([disk.bytes[i * PAGE], shadow.bytes[i * PAGE]], [5, 5]);
    }
    for (let i = 0; i < 50; i++) t.is(client.writes.get(turn * 100 + i)! === PAGE, bad === null);
    if (bad !== null) t.is(queue.failedPath(place), bad === disk ? 'disk' : 'shadow');
    t.is(queue.shadowErrors(number), bad === shadow ? 50 : 0);
    t.is(queue.shadowWrites(number), 0);
    queue.requestFlush(place);
    settle(queue);
    t.deepEqual(client.flushes.at(-1), [turn + 1, bad === null]);
    if (bad === null) t.deepEqual([disk.durable[0], shadow.durable[0]], [5, 5]);
  }
  shadow.bytes.fill(7);
  t.true(queue.read(number, 0, place, 0, PAGE, at));
  settle(queue);
  t.is(queue.buffers.u8[at], 5, 'reads ask the primary');
  queue.close(place, client);
});

test('a write that one file of a pair has lost by a failed flush, before the other had it, has failed', t => {
  const disk = new FaultyDisk(MIB);
  const shadow = new FaultyDisk(MIB);
  let isFailing = true;
  const faults = { turnsMax: 9, failsFlush: () => isFailing };
  for (let seed = 1; seed <= 50; seed++) {
    isFailing = true;
    const queue = new IoQueue(
      new FaultyIo(disk, 16 * MIB, seeded(seed), faults, new Map([['shadow', shadow]])),
    );
    const client = new Recorder();
    const number = queue.addClient(client);
    const place = queue.open('disk', client, false, null, { path: 'shadow', isDirect: false });
    const at = queue.pool.take(PAGE);
    queue.buffers.u8.fill(seed, at, at + PAGE);
    queue.requestFlush(place);
    queue.write(number, 1, place, 0, PAGE, at);
    while (client.flushes.length === 0) queue.drain();
    const wasTold = client.writes.has(1);
    isFailing = false;
    settle(queue);
    if (wasTold || client.writes.get(1) !== PAGE) continue;
    queue.requestFlush(place);
    settle(queue);
    t.deepEqual([disk.durable[0], shadow.durable[0]], [seed, seed], `seed ${seed}`);
  }
});

/** Node:fs, that answers each request with these errors first. */
class Refusing extends SyncIo {
  readonly errors: number[] = [];
  protected override perform(op: number, file: number, offset: number, length: number, at: number): number {
    const error = this.errors.shift();
    return error === undefined ? super.perform(op, file, offset, length, at) : -error;
  }
}

const EINTR = 4;
const EIO = 5;
const EAGAIN = 11;
const ENOMEM = 12;
const ECANCELED = 125;

test('requests that fail for a passing reason are done again', t => {
  const io = new Refusing(16 * MIB);
  const queue = new IoQueue(io);
  const client = new Recorder();
  const number = queue.addClient(client);
  const place = queue.open(zeroFile(t, MIB), client);
  const at = queue.pool.take(2 * PAGE);
  queue.buffers.u8.fill(9, at, at + PAGE);
  io.errors.push(ENOMEM, EAGAIN, ECANCELED);
  queue.write(number, 1, place, PAGE, PAGE, at);
  settle(queue);
  t.is(client.writes.get(1), PAGE);
  io.errors.push(EINTR, ENOMEM);
  queue.read(number, 2, place, PAGE, PAGE, at + PAGE);
  queue.read(number, 3, place, 0, PAGE, at);
  settle(queue);
  t.deepEqual([client.reads.get(2), client.reads.get(3)], [PAGE, PAGE]);
  t.true(queue.buffers.u8.subarray(at + PAGE, at + 2 * PAGE).every(byte => byte === 9));
});

test('errors of the device, and failed flushes, are told at once; a shortage that lasts is told in the end', t => {
  const io = new Refusing(16 * MIB);
  const queue = new IoQueue(io);
  const client = new Recorder();
  const number = queue.addClient(client);
  const place = queue.open(zeroFile(t, MIB), client);
  const at = queue.pool.take(PAGE);
  io.errors.push(EIO);
  queue.read(number, 1, place, 0, PAGE, at);
  settle(queue);
  t.is(client.reads.get(1), -EIO);
  io.errors.push(ENOMEM);
  queue.requestFlush(place);
  settle(queue);
  t.deepEqual(client.flushes, [[1, false]]);
  io.errors.push(...new Array<number>(1000).fill(ENOMEM));
  queue.read(number, 2, place, 0, PAGE, at);
  settle(queue);
  t.is(client.reads.get(2), -ENOMEM);
  t.is(queue.pendingCount, 0);
});
