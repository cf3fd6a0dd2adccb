/**
 * The mix of a load test, in asbench's words: `I` inserts every key once, in order; `RU,<reads>` reads and
 * updates random keys, `reads` being the percentage of reads (fractions allowed).
 */
export interface Workload {
  readonly kind: 'insert' | 'mix';
  /** 0 … 100. */
  readonly readPct: number;
}

/** @returns undefined when the text is no workload. */
export function parseWorkload(text: string): Workload | undefined {
  if (text === 'I') return { kind: 'insert', readPct: 0 };
  const match = /^RU(?:,(\d+(?:\.\d+)?))?$/.exec(text);
  if (!match) return undefined;
  const readPct = Number(match[1] ?? 50);
  return readPct <= 100 ? { kind: 'mix', readPct } : undefined;
}

/** First of the `count` items that fall to part `part` of `parts`, when they are dealt out in runs of nearly equal length. */
export function shareStart(count: number, part: number, parts: number): number {
  return Math.floor((count * part) / parts);
}
