import test from 'ava';
import { monotonicMs } from '../../src/base/clock.js';
import type { LogContext } from '../../src/observe/log.js';
import { LimitedLog } from '../../src/observe/log-limit.js';

function recorder(): { lines: string[]; context: LogContext } {
  const lines: string[] = [];
  const writer = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  const context = {
    critical: writer('critical'),
    warning: writer('warning'),
    info: writer('info'),
    debug: writer('debug'),
    detail: writer('detail'),
    isLevelEnabled: () => true,
  };
  return { lines, context };
}

test('a flood of one level is cut off and counted, other levels go on', t => {
  const { lines, context } = recorder();
  const nowMs = monotonicMs();
  const log = new LimitedLog(context, nowMs);
  for (let i = 0; i < 1000; i++) log.critical(`record ${i}`);
  log.warning('something else');
  for (let i = 0; i < 30; i++) log.info(`shard ${i}`);
  t.is(lines.filter(line => line.startsWith('critical')).length, 20);
  t.true(lines.includes('warning something else'));
  t.is(lines.filter(line => line.startsWith('info')).length, 30);
  log.tick(nowMs + 9000);
  t.is(lines.length, 51);
  log.tick(nowMs + 11_000);
  t.is(lines.at(-1), 'critical 980 more lines of this kind were left out, the last: record 999');
  log.tick(nowMs + 30_000);
  t.is(lines.length, 52);
});

test('after a quiet time lines are written again', t => {
  const { lines, context } = recorder();
  const log = new LimitedLog(context, monotonicMs() - 60_000);
  for (let i = 0; i < 25; i++) log.warning(`page ${i}`);
  log.tick(monotonicMs() + 10_001);
  t.is(lines.length, 21);
  t.is(lines.at(-1), 'warning 5 more lines of this kind were left out, the last: page 24');
});
