import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import {
  DEVICE_FLUSH,
  DEVICE_HISTOGRAM_COUNT,
  DEVICE_READ,
  DEVICE_READ_SIZE,
  DEVICE_WRITE,
  DEVICE_WRITE_QUEUE,
  SHADOW_FLUSH,
  SHADOW_WRITE,
} from '../../../src/observe/benchmarks.js';
import { Histogram, HistogramBlock } from '../../../src/observe/histogram.js';
import { DeviceTimes } from '../../../src/storage/device/device-times.js';
import { IO_FLUSH, IO_READ, IO_WRITE } from '../../../src/storage/io/file-io.js';
import { type IoClient, IoQueue } from '../../../src/storage/io/io-queue.js';
import { FaultyDisk, FaultyIo, seeded } from '../../support/faulty-io.js';
import { LogLines } from '../../support/storage-shard.js';

const MIB = 1024 * 1024;
const SILENT: IoClient = { onRead() {}, onWrite() {}, onFlush() {} };

function place(): { log: LogLines; block: HistogramBlock; times: DeviceTimes; total(kind: number): number } {
  const log = new LogLines();
  const block = HistogramBlock.create(2 * DEVICE_HISTOGRAM_COUNT, 'msec');
  const times = new DeviceTimes('/dev/slow', block, 1, log, '/dev/slower');
  const total = (kind: number): number =>
    new Histogram('h', 'msec', 0, [block.slots(DEVICE_HISTOGRAM_COUNT + kind)]).total();
  return { log, block, times, total };
}

test('slow requests are told together, now and then, whether or not the histograms are on', t => {
  const { log, times, total } = place();
  times.record(IO_WRITE, 999, 4096, false);
  times.tick(0);
  t.deepEqual(log.lines, []);
  for (let i = 0; i < 50; i++) times.record(IO_READ, 1200, 512, false);
  times.record(IO_FLUSH, 3210, 0, false);
  times.tick(10);
  t.deepEqual(log.lines, [
    'warning /dev/slow: slow device: 51 requests took over 1000 ms, the slowest, a flush, 3.2 s',
  ]);
  times.record(IO_READ, 1100, 512, false);
  times.tick(9000);
  t.is(log.lines.length, 1, 'not yet again');
  times.tick(10_010);
  t.regex(log.lines[1]!, /: 1 requests took over 1000 ms, the slowest, a read, 1\.1 s/);
  t.is(total(DEVICE_READ), 0);
  times.record(IO_WRITE, 2000, 512, true);
  times.tick(10_020);
  t.regex(log.lines[2]!, /\/dev\/slower: slow device: 1 requests .* a write, 2\.0 s/);
  t.is(log.lines.length, 3);
});

test('late writes are told together, now and then: the latest, and whether the device had been asked in time', t => {
  const { log, times } = place();
  times.recordLate(320, 170);
  times.recordLate(744, 603.4);
  times.recordLate(500, 499);
  times.tick(10);
  times.recordLate(301, 20);
  times.tick(9000);
  t.deepEqual(log.lines, [
    'warning /dev/slow: late writes: 3 were durable later than flush-max-ms after they were acknowledged, ' +
      'the latest after 744 ms, 603 ms of them before the device was asked',
  ]);
  times.tick(10_010);
  t.regex(log.lines[1]!, /late writes: 1 .* after 301 ms, 20 ms of them/);
});

test('with the benchmark on every request is counted in the histograms of its device', t => {
  const { times, total, block } = place();
  times.isOn = true;
  times.record(IO_READ, 0.2, 512, false);
  times.record(IO_WRITE, 2, MIB, false);
  times.record(IO_WRITE, 2, MIB, false);
  times.record(IO_FLUSH, 5, 0, false);
  times.recordBlock(9);
  for (let i = 0; i < 3; i++) times.record(IO_WRITE, 7, MIB, true);
  for (let i = 0; i < 4; i++) times.record(IO_FLUSH, 8, 0, true);
  const kinds = [DEVICE_READ, DEVICE_WRITE, DEVICE_FLUSH, DEVICE_WRITE_QUEUE, DEVICE_READ_SIZE];
  t.deepEqual(kinds.map(total), [1, 2, 1, 1, 1]);
  t.deepEqual([SHADOW_WRITE, SHADOW_FLUSH].map(total), [3, 4]);
  t.is(new Histogram('h', 'msec', 0, [block.slots(DEVICE_READ)]).total(), 0, 'the other device');
});

test('a request that a device does not answer is found, with its device', async t => {
  const queue = new IoQueue(new FaultyIo(new FaultyDisk(MIB), 16 * MIB, seeded(3), { turnsMax: 1e9 }));
  const client = queue.addClient(SILENT);
  const at = queue.open('/dev/stuck', SILENT);
  t.is(queue.longest().durationMs, 0);
  queue.read(client, 0, at, 0, 4096, queue.pool.take(4096));
  queue.drain();
  await sleep(30);
  const { durationMs, path } = queue.longest();
  t.true(durationMs >= 29, `${durationMs} ms`);
  t.is(path, '/dev/stuck');
  queue.drainOrWait(1);
  t.is(queue.longest().durationMs, 0);
});
