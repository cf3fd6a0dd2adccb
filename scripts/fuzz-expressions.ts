/**
 * Fuzzing of expressions and paths in this process: made from the table of operators, or recorded, whole or damaged.
 * Each runs with different bytes around it and around the bins, and has to answer equally, in time, without a throw,
 * and with well-formed bytes.
 */
import { parseArgs } from 'node:util';
import { ExpressionFuzz } from './support/expression-fuzz/expression-fuzz.js';

const HELP = `Evaluates random expressions on random records and checks that they answer as they must.

Usage: scripts/fuzz-expressions [options]
  --cases N        how many (default 1000000)
  --seconds N      stop after this time, whatever the count (default: no limit)
  --seed N         the same seed makes the same cases (default: a new one, printed)
  --failures N     stop after so many (default 5)
Exit status 1 when a case failed; it is printed.`;

const MIB = 1024 * 1024;
const CLOCK_EVERY = 256;

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '1000000' },
    seconds: { type: 'string', default: 'Infinity' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    failures: { type: 'string', default: '5' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) console.log(HELP);
else {
  console.log(`seed ${values.seed}`);
  const fuzz = new ExpressionFuzz(Number(values.seed));
  const startMs = performance.now();
  const outcomes = new Map<string, number>();
  let failures = 0;
  let ran = 0;
  for (; ran < Number(values.cases) && failures < Number(values.failures); ran++) {
    if (ran % CLOCK_EVERY === 0 && performance.now() - startMs > Number(values.seconds) * 1000) break;
    const failure = fuzz.runNext();
    outcomes.set(fuzz.outcome, (outcomes.get(fuzz.outcome) ?? 0) + 1);
    if (failure === undefined) continue;
    failures++;
    console.log(`case ${ran}: ${failure}`);
  }
  const tookSec = (performance.now() - startMs) / 1000;
  console.log(`${ran} cases in ${tookSec.toFixed(1)} s, ${failures} failed`);
  console.log([...outcomes].map(([outcome, count]) => `${outcome}: ${count}`).join(', '));
  const rss = (process.memoryUsage.rss() / MIB).toFixed(0);
  console.log(`the longest took ${fuzz.longestMs.toFixed(1)} ms; ${rss} MiB resident`);
  if (failures > 0) process.exitCode = 1;
}
