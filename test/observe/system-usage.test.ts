import test from 'ava';
import { monotonicMs } from '../../src/base/clock.js';
import { failedPractices } from '../../src/observe/best-practices.js';
import { SystemUsage } from '../../src/observe/system-usage.js';

test('a busy process shows in its processor time', t => {
  const startMs = monotonicMs();
  const usage = new SystemUsage(startMs);
  const before = process.cpuUsage();
  while (monotonicMs() - startMs < 1050); // burns
  const figures = usage.figures(monotonicMs());
  const { user, system } = process.cpuUsage(before);
  const want = (user + system) / 1e4 / ((monotonicMs() - startMs) / 1000);
  t.true(want > 0 && Math.abs(figures.processCpuPct - want) < 10, `${figures.processCpuPct}, not ${want}`);
  t.is(figures.totalCpuPct, figures.userCpuPct + figures.kernelCpuPct);
  t.true(figures.freeMemoryPct > 0 && figures.freeMemoryPct <= 100);
  t.true(figures.heapMappedKbytes > 10_000);
  t.true(figures.threadCount > 1);
  t.is(usage.figures(monotonicMs()), figures);
});

test('a practice that fails comes with advice', t => {
  for (const { name, advice } of failedPractices()) {
    t.regex(name, /^[a-z-]+$/);
    t.regex(advice, /^set /);
  }
});
