/**
 * What a load test tells: a line a second while it runs, a table at the end, the same as an object for
 * --json, and the judgement that becomes the exit status.
 */
import { isExpected } from './driver.js';
import { percentile } from './histogram.js';
import type { HistogramName, Totals } from './tally.js';

/** Latencies are milliseconds. */
export interface LatencyReport {
  readonly count: number;
  readonly perSec: number;
  readonly percentilesMs: Record<string, number>;
  readonly maxMs: number;
  /** Answers by result code; for batches, rows. */
  readonly codes: Record<string, number>;
}

export interface LoadReport {
  readonly seconds: number;
  readonly reads: LatencyReport;
  readonly writes: LatencyReport;
  readonly records: number;
  readonly recordsPerSec: number;
  readonly connectionsOpened: number;
  readonly connectionsBroken: number;
  readonly badFrames: number;
  readonly badValues: number;
  readonly timeouts: number;
  /** Requests of an open loop that were due but not sent. */
  readonly missed: number;
  /** How late the generator itself was with requests for which a connection was free; empty for a closed loop. */
  readonly lag: Record<string, number>;
  /** Why a thread gave up. */
  readonly failures: readonly string[];
  readonly isClean: boolean;
}

const CODE_NAMES: Record<number, string> = {
  0: 'ok',
  2: 'not found',
  3: 'generation',
  4: 'parameter',
  8: 'out of space',
  9: 'timeout',
  11: 'unavailable',
  13: 'record too big',
  14: 'key busy',
  18: 'device overload',
  20: 'namespace not found',
  22: 'forbidden',
  152: 'batch queues full',
};

export function makeReport(
  totals: Totals,
  seconds: number,
  percentiles: readonly number[],
  failures: readonly string[],
): LoadReport {
  const { counts } = totals;
  const latency = (name: 'read' | 'write', count: number): LatencyReport => ({
    count,
    perSec: count / seconds,
    percentilesMs: percentilesMs(totals, name, percentiles),
    maxMs: totals.maxMs[name],
    codes: Object.fromEntries([...totals.codes[name].entries()].filter(([, count]) => count > 0)),
  });
  const unexpected = (name: 'read' | 'write') =>
    totals.codes[name].some((count, code) => count > 0 && !isExpected(name === 'read', code));
  return {
    seconds,
    reads: latency('read', counts.reads),
    writes: latency('write', counts.writes),
    records: counts.records,
    recordsPerSec: counts.records / seconds,
    connectionsOpened: counts.connectionsOpened,
    connectionsBroken: counts.connectionsBroken,
    badFrames: counts.badFrames,
    badValues: counts.badValues,
    timeouts: counts.timeouts,
    missed: counts.missed,
    lag: totals.histograms.lag.some(count => count > 0) ? percentilesMs(totals, 'lag', percentiles) : {},
    failures,
    isClean:
      counts.connectionsBroken + counts.badFrames + counts.badValues + counts.timeouts + failures.length ===
        0 &&
      !unexpected('read') &&
      !unexpected('write'),
  };
}

/** The line of one second. */
export function liveLine(second: number, before: Totals, now: Totals, seconds: number): string {
  const part = (label: string, name: 'read' | 'write', count: number) => {
    if (count === 0) return '';
    const since = now.histogramSince(before, name);
    return ` | ${label} ${perSec(count / seconds)}/s p50 ${ms(percentile(since, 50) / 1000)} p99 ${ms(percentile(since, 99) / 1000)} ms`;
  };
  const since = (name: keyof Totals['counts']) => now.counts[name] - before.counts[name];
  const errors = now.counts.connectionsBroken + now.counts.badFrames + now.counts.badValues;
  return `${String(second).padStart(5)} s${part('read', 'read', since('reads'))}${part('write', 'write', since('writes'))} | errors ${errors} timeouts ${now.counts.timeouts}`;
}

/** The table at the end, several lines. */
export function finalTable(report: LoadReport, percentiles: readonly number[]): string {
  const head = ['', 'count', 'per second', ...percentiles.map(each => `p${each}`), 'max'];
  const rows = (['reads', 'writes'] as const).flatMap(label => {
    const { count, perSec: rate, percentilesMs: at, maxMs } = report[label];
    if (count === 0) return [];
    return [[label, String(count), perSec(rate), ...percentiles.map(each => ms(at[`p${each}`]!)), ms(maxMs)]];
  });
  const lines = [...columns([head, ...rows]), '(latencies in milliseconds)'];
  for (const label of ['reads', 'writes'] as const) {
    const codes = Object.entries(report[label].codes);
    if (codes.length === 0) continue;
    const names = codes.map(([code, count]) =>
      `${code} ${CODE_NAMES[Number(code)] ?? ''} ×${count}`.replace('  ', ' '),
    );
    lines.push(`result codes of ${label}: ${names.join(', ')}`);
  }
  if (report.records !== report.reads.count + report.writes.count) {
    lines.push(`records: ${report.records}, ${perSec(report.recordsPerSec)} a second`);
  }
  const lag = Object.entries(report.lag).map(([name, value]) => `${name} ${ms(value)}`);
  if (lag.length > 0) lines.push(`of which the generator's own lateness: ${lag.join(' ')} ms`);
  if (report.missed > 0)
    lines.push(`the rate was not kept: ${report.missed} requests were due and never sent`);
  lines.push(
    `connections opened ${report.connectionsOpened}, broken ${report.connectionsBroken}; wrong frames ${report.badFrames}; ` +
      `wrong values ${report.badValues}; timeouts ${report.timeouts}; ${report.seconds.toFixed(1)} s`,
  );
  for (const failure of report.failures) lines.push(`gave up: ${failure}`);
  return lines.join('\n');
}

function percentilesMs(
  totals: Totals,
  name: HistogramName,
  percentiles: readonly number[],
): Record<string, number> {
  const counts = totals.histograms[name];
  const top = (percent: number) => Math.min(percentile(counts, percent) / 1000, totals.maxMs[name]);
  return Object.fromEntries(percentiles.map(percent => [`p${percent}`, top(percent)]));
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)));
  return rows.map(row =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]! + 2)))
      .join(''),
  );
}

function perSec(value: number): string {
  return value.toFixed(value < 100 ? 1 : 0);
}

function ms(value: number): string {
  return value.toFixed(value < 100 ? 2 : 0);
}
