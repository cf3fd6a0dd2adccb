import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { askInfo, ServerProcess } from '../../../scripts/support/server-process.js';
import { runLoadTest } from '../../../src/tools/load-test/load-test.js';
import { parseOptions } from '../../../src/tools/load-test/options.js';
import type { LoadReport } from '../../../src/tools/load-test/report.js';
import { until } from '../../support/until.js';

const MAIN = fileURLToPath(new URL('../../../src/tools/load-test/main.js', import.meta.url));
const NAMESPACE_SIZE = 64 * 1024 ** 2; // bytes

async function startServer(t: ExecutionContext): Promise<ServerProcess> {
  const server = await ServerProcess.start('memory', NAMESPACE_SIZE);
  t.teardown(() => server.stop());
  // No command of a load ends because the machine was busy for a second.
  await until('it may take its time', async () => {
    return (await askInfo(server.port, 'set-config:context=service;transaction-max-ms=60000')).includes(
      '\tok',
    );
  });
  return server;
}

/**
 * Runs a load with 8 connections on the server; `more` is written as on a command line. `afterOneSecond` is
 * called with the first line.
 */
function load(server: ServerProcess, more: string, afterOneSecond = () => {}): Promise<LoadReport> {
  const args = `-p ${server.port} -c 8 -k 1000 --timeout 5000 --warmup 0 ${more}`.split(' ');
  let isFirst = true;
  return runLoadTest(parseOptions(args)!, () => {
    if (isFirst) afterOneSecond();
    isFirst = false;
  });
}

test('what was inserted is read and updated, and every value is right', async t => {
  const server = await startServer(t);
  const inserted = await load(server, '-w I -o I8,B10-300,S5 -z 2');
  t.true(inserted.isClean);
  t.is(inserted.writes.count, 1000);
  t.deepEqual(inserted.writes.codes, { 0: 1000 });

  const mixed = await load(server, '-w RU,50 -o I8,B10-300,S5 --count 4000 --verify -z 2');
  t.true(mixed.isClean);
  t.is(mixed.reads.count + mixed.writes.count, 4000);
  t.deepEqual(mixed.reads.codes, { 0: mixed.reads.count });
  t.true(mixed.reads.count > 1800 && mixed.reads.count < 2200);
  t.true(mixed.reads.percentilesMs.p50! > 0 && mixed.reads.percentilesMs.p50! <= mixed.reads.maxMs);
});

test('a batch counts as one read and as many records', async t => {
  const server = await startServer(t);
  await load(server, '-w I -k 400');
  const report = await load(server, '-w RU,100 -k 500 --batch-size 50 --count 100 --verify');
  t.true(report.isClean);
  t.is(report.reads.count, 100);
  t.is(report.records, 5000);
  t.is(report.reads.codes[0]! + report.reads.codes[2]!, 5000);
  t.true(report.reads.codes[2]! > 700 && report.reads.codes[2]! < 1300, 'a fifth of the keys is not there');
});

test('churn opens a connection anew after so many requests', async t => {
  const server = await startServer(t);
  const report = await load(server, '--count 2000 --churn 20');
  t.true(report.isClean);
  t.true(report.connectionsOpened >= 90, `${report.connectionsOpened}`);
});

test.serial(
  'an open loop shows a stall to every request that fell into it, a closed loop hides it',
  async t => {
    const server = await startServer(t);
    const stallMs = 500;
    const withStall = (more: string) =>
      // Reads alone: of eight commands that a stall holds up, all may be writes.
      load(server, `-w RU,100 -t 2.5 ${more}`, () => {
        server.pause();
        setTimeout(() => server.resume(), stallMs);
      });
    const open = await withStall('--rate 1000');
    t.true(open.isClean, JSON.stringify(open));
    const count = open.reads.count + open.writes.count;
    t.true(Math.abs(count - 2500) <= 2, `the rate is kept over the whole run: ${count}`);
    // A fifth of the requests fell due in the stall and waited 250 ms on average.
    t.true(open.reads.percentilesMs.p90! > stallMs / 4, `p90 ${open.reads.percentilesMs.p90}`);
    const closed = await withStall('--seed 2');
    t.true(closed.reads.maxMs > stallMs / 2, `max ${closed.reads.maxMs}`);
    t.true(closed.reads.percentilesMs.p90! < stallMs / 4, `p90 ${closed.reads.percentilesMs.p90}`);
  },
);

test('a value of another kind is noticed by --verify alone', async t => {
  const server = await startServer(t);
  await load(server, '-w I -o S100');
  t.true((await load(server, '-w RU,100 -o B100 --count 500')).isClean);
  const report = await load(server, '-w RU,100 -o B100 --count 500 --verify');
  t.is(report.badValues, 500);
  t.false(report.isClean);
});

test('an unexpected result code makes a run unclean', async t => {
  const server = await startServer(t);
  const report = await load(server, '-n nowhere --count 50');
  t.false(report.isClean);
  t.is(report.writes.codes[20], report.writes.count);
});

test('requests without an answer are given up and counted', async t => {
  const server = await startServer(t);
  const report = await load(server, '-t 1.5 --timeout 100', () => server.pause());
  server.resume();
  t.true(report.timeouts >= 8, `${report.timeouts}`);
  t.false(report.isClean);
});

test('a server that goes away is an error, and the run still ends', async t => {
  const server = await startServer(t);
  const report = await load(server, '-t 1.5', () => void server.stop());
  t.true(report.connectionsBroken >= 8);
  t.false(report.isClean);
});

for (const [args, status, says] of [
  ['--help', 0, /--rate/],
  ['--port 1 -q', 1, /cannot load 127\.0\.0\.1:1: .*ECONNREFUSED/],
  ['--workload X', 2, /--workload X/],
] as const) {
  test(`load-test ${args} ends with status ${status}`, async t => {
    const child = spawn(process.execPath, [MAIN, ...args.split(' ')], { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', chunk => {
        text += chunk;
      });
    }
    const [code] = await once(child, 'close');
    t.is(code, status);
    t.regex(text, says);
  });
}
