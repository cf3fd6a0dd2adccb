/** What a crash run holds against a server, and what it does not: traces written by hand. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { FlushRecord, type ShardAtKill, type ThreadTimes } from '../support/crash/flush-record.js';

const THREAD = 77;
const WITHIN_MS = 300;
const KILLED_MS = 2000;
/** The thread has run for 10 ms since the last tick, and slept otherwise. */
const ASLEEP: ThreadTimes = { waitedMs: 0, ranMs: 10, isKept: false };

/** The shard 3 of a server that left these lines and was killed. */
function atKill(
  t: ExecutionContext,
  lines: readonly string[],
  end = ASLEEP,
  stoppedMs = (_fromMs: number, _toMs: number): number => 0,
): ShardAtKill {
  const directory = mkdtempSync(path.join(tmpdir(), 'caltrop-test-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(path.join(directory, 'worker-1'), `thread ${THREAD}\n${lines.join('\n')}\n`);
  const record = new FlushRecord(directory, stoppedMs);
  return record.atKill(KILLED_MS, WITHIN_MS, new Map([[THREAD, end]])).get(3)!;
}

test('what was appended before the oldest write that has not ended has to be there', t => {
  const lines = [
    'tick 1700 0.00 5.00',
    'open 1700 3 1690',
    'asked 1800 3 0 1690 0.00 5 0 4096',
    'handed 1800 3 0',
    'asked 1850 3 1 1810 0.00 5 4096 8192',
    'ended 1900 3 0 4096',
    'handed 1900 3 1',
    'tick 1990 0.00 6.00',
    'open 1990 3 1900',
  ];
  t.is(atKill(t, lines).writtenMs, 1810);
  t.is(atKill(t, [...lines, 'ended 1995 3 1 8192']).writtenMs, 1900);
  t.is(atKill(t, [...lines, 'ended 1995 3 1 4096']).writtenMs, 1810, 'a short write is none');
  t.is(atKill(t, [...lines, 'ended 1995 3 1 8192', 'tick 1999 0.00 6.00', 'open 1999 3 -1']).writtenMs, 1999);
  t.is(atKill(t, [...lines, 'ended 1995 3 1 81']).writtenMs, 1810);
});

test('pieces that wait for the device go with the one before them, and end with it', t => {
  const lines = [
    'open 1700 3 1600',
    'asked 1700 3 0 1600 0.00 5 0 4096',
    'handed 1700 3 0',
    'asked 1710 3 1 1700 0.00 5 4096 4096',
    'asked 1720 3 2 1710 0.00 5 8192 4096',
    'asked 1730 3 3 1720 0.00 6 0 4096',
    'handed 1730 3 3',
    'open 1740 3 -1',
  ];
  t.is(atKill(t, [...lines, 'ended 1750 3 0 4096', 'handed 1750 3 1']).writtenMs, 1700);
  const all = [...lines, 'ended 1750 3 0 4096', 'handed 1750 3 1', 'ended 1760 3 1 8192'];
  t.is(atKill(t, all).writtenMs, 1720);
  t.is(atKill(t, [...all, 'ended 1770 3 3 4096']).writtenMs, 1740);
});

test('a server that asks too late is at fault, whether it has asked by then or not', t => {
  const asked = [
    'tick 1500 0.00 5.00',
    'open 1500 3 1490',
    'asked 1800 3 0 1490 0.00 5 0 4096',
    'handed 1800 3 0',
  ];
  t.regex(atKill(t, asked).problem!, /piece 0 was asked for 310 ms after its oldest append/);
  t.truthy(
    atKill(t, [...asked, 'ended 1810 3 0 4096', 'open 1990 3 -1']).problem,
    'written by now all the same',
  );
  const open = ['tick 1500 0.00 5.00', 'open 1500 3 1490', 'tick 1990 0.00 5.00', 'open 1990 3 1490'];
  t.regex(atKill(t, open).problem!, /from 510 ms before the kill on were not asked/);
  const silent = ['tick 1500 0.00 5.00', 'open 1500 3 1490'];
  t.regex(atKill(t, silent).problem!, /were not asked/);
});

test('so it is when it has asked and the device was not told', t => {
  const { problem } = atKill(t, ['open 1500 3 1490', 'asked 1600 3 0 1490 0.00 5 0 4096']);
  t.regex(problem!, /not handed to the device/);
});

test('a device that takes too long is told of, and is no fault of the server', t => {
  const lines = ['open 1500 3 1490', 'asked 1600 3 0 1490 0.00 5 0 4096', 'handed 1600 3 0'];
  const { problem, excuse, writtenMs } = atKill(t, lines);
  t.is(problem, undefined);
  t.regex(excuse!, /piece 0.*asked for 400 ms before the kill.*with the device/);
  t.is(writtenMs, 1490);
  const behind = [...lines, 'asked 1650 3 1 1610 0.00 5 4096 4096', 'open 1990 3 -1'];
  t.regex(atKill(t, behind).excuse!, /piece 1.*behind one with the device/);
});

test('nor is the time in which its thread waited for a processor', t => {
  const lines = ['tick 1490 100.00 5.00', 'open 1490 3 1490', 'tick 1790 390.00 5.00'];
  const asked = 'asked 1800 3 0 1490 395.00 5 0 4096';
  t.is(atKill(t, [...lines, asked, 'handed 1800 3 0']).problem, undefined);
  t.is(atKill(t, lines, { waitedMs: 500, ranMs: 5, isKept: false }).problem, undefined);
  t.regex(atKill(t, lines, { waitedMs: 305, ranMs: 5, isKept: false }).problem!, /waited 205 ms/);
  // A wait that is not over, or a stop from outside, is in no count yet: time in which the thread has not run is that.
  t.is(atKill(t, lines, { waitedMs: 390, ranMs: 5, isKept: true }).problem, undefined);
  t.truthy(atKill(t, lines, { waitedMs: 390, ranMs: 205, isKept: true }).excuse);
  t.truthy(
    atKill(t, ['tick 1490 0.00 5.00', 'open 1490 3 1490'], { waitedMs: 0, ranMs: 515, isKept: true }).problem,
  );
});

test('nor is the time in which the machine stood still', t => {
  // From 1600 to 1800.
  const stopped = (fromMs: number, toMs: number): number =>
    Math.max(0, Math.min(toMs, 1800) - Math.max(fromMs, 1600));
  const open = ['tick 1600 0.00 5.00', 'open 1600 3 1550'];
  t.truthy(atKill(t, open).problem);
  t.regex(atKill(t, open, ASLEEP, stopped).excuse!, /stood still for 200 ms/);
  const asked = [...open, 'asked 1900 3 0 1550 0.00 5 0 4096', 'handed 1900 3 0'];
  t.truthy(atKill(t, asked).problem);
  t.is(atKill(t, asked, ASLEEP, stopped).problem, undefined);
  const late = [
    'tick 1380 0.00 5.00',
    'open 1380 3 1380',
    'asked 1900 3 0 1380 0.00 5 0 4096',
    'handed 1900 3 0',
  ];
  t.regex(atKill(t, late, ASLEEP, stopped).problem!, /320 ms after/);
});

test('what has expired is stored in the tick after it has shown, and counts when that was written', t => {
  const ticks = ['tick 1600 0.00 5.00', 'tick 1610 0.00 5.00', 'tick 1620 0.00 5.00', 'tick 1630 0.00 5.00'];
  t.is(atKill(t, [...ticks, 'open 1640 3 1625']).newsMs, 1610);
  t.is(atKill(t, [...ticks, 'open 1640 3 1605']).newsMs, Number.NEGATIVE_INFINITY);
});

test('in time is in time', t => {
  const { problem, excuse, writtenMs } = atKill(t, ['tick 1990 0.00 5.00', 'open 1990 3 1705']);
  t.deepEqual([problem, excuse, writtenMs], [undefined, undefined, 1705]);
});

test('a stop is seen by whoever sleeps through it', async t => {
  const script = `
    import { MachineStops } from ${JSON.stringify(new URL('../support/crash/machine-stops.js', import.meta.url).href)};
    import { monotonicMs } from ${JSON.stringify(new URL('../../src/base/clock.js', import.meta.url).href)};
    const stops = new MachineStops();
    await new Promise(resolve => setTimeout(resolve, 500));
    const fromMs = monotonicMs();
    console.log('ready');
    process.stdin.on('data', async () => {
      await new Promise(resolve => setTimeout(resolve, 100));
      console.log(stops.within(fromMs, monotonicMs()));
      await stops.close();
      process.exit();
    });
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const stoppedAtMs = performance.now();
  child.kill('SIGSTOP');
  await sleep(600);
  child.kill('SIGCONT');
  child.stdin.write('.');
  const [text] = await once(child.stdout, 'data');
  const seenMs = Number(String(text));
  t.true(seenMs >= 500 && seenMs <= performance.now() - stoppedAtMs, `${seenMs} ms`);
});
