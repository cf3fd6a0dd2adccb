import test from 'ava';
import { monotonicMs } from '../../src/base/clock.js';
import { failedPractices } from '../../src/observe/best-practices.js';
import { SystemUsage } from '../../src/observe/system-usage.js';

test('a busy process shows in its processor time', t => {
  /** Milliseconds of processor time, and of time. What is measured in between lies in between, however late it comes. */
  const clocks = () => {
    const { user, system } = process.cpuUsage();
    return { usedMs: (user + system) / 1000, ms: monotonicMs() };
  };
  const beforeStart = clocks();
  const usage = new SystemUsage(monotonicMs());
  const start = clocks();
  while (monotonicMs() - start.ms < 1050); // burns
  const end = clocks();
  const atMs = monotonicMs();
  const figures = usage.figures(atMs);
  const afterEnd = clocks();
  const least = (100 * (end.usedMs - start.usedMs)) / (afterEnd.ms - beforeStart.ms);
  const most = (100 * (afterEnd.usedMs - beforeStart.usedMs)) / (end.ms - start.ms);
  const { processCpuPct } = figures;
  t.true(
    least > 0 && processCpuPct >= least - 5 && processCpuPct <= most + 5,
    `${processCpuPct}: ${least}-${most}`,
  );
  t.is(figures.totalCpuPct, figures.userCpuPct + figures.kernelCpuPct);
  t.true(figures.freeMemoryPct > 0 && figures.freeMemoryPct <= 100);
  t.true(figures.heapMappedKbytes > 10_000);
  t.true(figures.threadCount > 1);
  t.is(usage.figures(atMs), figures);
});

test('a practice that fails comes with advice', t => {
  for (const { name, advice } of failedPractices()) {
    t.regex(name, /^[a-z-]+$/);
    t.regex(advice, /^set /);
  }
});
