import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test, { type ExecutionContext } from 'ava';
import { createLog } from '../../src/observe/log.js';
import { Readiness } from '../../src/observe/readiness.js';

/** Binds a unix datagram socket, as systemd does, and prints each message it gets as one JSON line. */
const LISTENER = `
import json, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('"bound"', flush=True)
while True:
    data, fds, flags, sender = socket.recv_fds(s, 4096, 4)
    for fd in fds: os.close(fd)  # what systemd-notify waits for (BARRIER=1)
    print(json.dumps(data.decode()), flush=True)
`;

const missing = ['python3', 'systemd-notify'].filter(program => spawnSync(program, ['--version']).error);
if (missing.length > 0) console.warn(`SKIPPED: the systemd notification tests need ${missing.join(' and ')}`);
const testNotify = missing.length > 0 ? test.skip : test;

const quiet = createLog([]).context('as');

async function listen(t: ExecutionContext) {
  const folder = mkdtempSync(join(tmpdir(), 'caltrop-notify-'));
  const socket = join(folder, 'notify');
  const listener = spawn('python3', ['-c', LISTENER, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(async () => {
    listener.kill('SIGKILL');
    await once(listener, 'close');
    rmSync(folder, { recursive: true });
  });
  const lines = createInterface({ input: listener.stdout })[Symbol.asyncIterator]();
  /** The next message that is not systemd-notify's own barrier, its assignments split. */
  const next = async (): Promise<string[]> => {
    const message: string = JSON.parse((await lines.next()).value);
    return message === 'BARRIER=1' ? next() : message.trim().split('\n');
  };
  t.deepEqual(await next(), ['bound']);
  return { socket, next };
}

testNotify('systemd hears of start, long start, readiness and stop, in that order', async t => {
  const { socket, next } = await listen(t);
  const readiness = new Readiness(quiet, { NOTIFY_SOCKET: socket });
  void readiness.extendTimeout(90_000, 'cold start: 10%');
  void readiness.ready('serving on port 3000');
  void readiness.status('idle');
  void readiness.stopping('draining\n3 connections');
  t.deepEqual(await next(), ['EXTEND_TIMEOUT_USEC=90000000', 'STATUS=cold start: 10%']);
  t.deepEqual(await next(), ['READY=1', 'STATUS=serving on port 3000']);
  t.deepEqual(await next(), ['STATUS=idle']);
  t.deepEqual(await next(), ['STOPPING=1', 'STATUS=draining 3 connections']);
});

testNotify('keep-alives come at half the interval, and only while the server makes progress', async t => {
  const { socket, next } = await listen(t);
  const readiness = new Readiness(quiet, {
    NOTIFY_SOCKET: socket,
    WATCHDOG_USEC: '200000',
    WATCHDOG_PID: `${process.pid}`,
  });
  let isAlive = true;
  let asked = 0;
  let alive = 0;
  const intervalMs = readiness.startWatchdog(() => {
    asked++;
    if (isAlive) alive++;
    return isAlive;
  });
  t.is(intervalMs, 100);
  // The watchdog's timer keeps no process alive, so the test holds one of its own.
  const holder = setInterval(() => {}, 1000);
  t.teardown(() => clearInterval(holder));
  t.deepEqual(await next(), ['WATCHDOG=1']);
  t.deepEqual(await next(), ['WATCHDOG=1']);
  isAlive = false;
  const before = asked;
  while (asked < before + 2) await new Promise(resolve => setTimeout(resolve, 20));
  void readiness.stopping('end');
  // What was on its way when the server stalled still arrives, and nothing after that.
  for (let told = 2; told < alive; told++) t.deepEqual(await next(), ['WATCHDOG=1']);
  t.deepEqual(await next(), ['STOPPING=1', 'STATUS=end']);
});

test('no keep-alive is sent for another process, nor without a supervisor', t => {
  const other = new Readiness(quiet, {
    NOTIFY_SOCKET: '/nowhere',
    WATCHDOG_USEC: '200000',
    WATCHDOG_PID: '1',
  });
  t.is(
    other.startWatchdog(() => true),
    0,
  );
  t.is(
    new Readiness(quiet, { WATCHDOG_USEC: '200000' }).startWatchdog(() => true),
    0,
  );
  t.is(
    new Readiness(quiet, { NOTIFY_SOCKET: '/nowhere' }).startWatchdog(() => true),
    0,
  );
});

test('without NOTIFY_SOCKET nothing happens', async t => {
  const readiness = new Readiness(quiet, {});
  t.false(readiness.isSupervised);
  await t.notThrowsAsync(readiness.ready('ready'));
});

test('a supervisor that cannot be reached is told of once', async t => {
  const warnings: string[] = [];
  const context = { ...quiet, warning: (message: string) => void warnings.push(message) };
  const readiness = new Readiness(context, { NOTIFY_SOCKET: '/nonexistent/notify' });
  await readiness.ready('ready');
  await readiness.stopping('stopping');
  t.is(warnings.length, 1);
  t.regex(warnings[0]!, /systemd was not told READY=1: .+/);
});
