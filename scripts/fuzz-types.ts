/**
 * Fuzzing of the data types in this process: operations on lists, maps, blobs and sketches, made from the tables of
 * operations or recorded, whole or damaged, on values that earlier ones have left. Each runs with different bytes
 * around it and has to answer equally, in time, without a throw, and with well-formed bytes.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { boundProcessMemory } from '../src/base/process-memory.js';
import { ignoreOrder } from './support/type-fuzz/canonical.js';
import { FAMILIES, familyOf, type OpCase, parseCase, printCase } from './support/type-fuzz/case.js';
import { kindOf, shrunk } from './support/type-fuzz/case-shrinker.js';
import { CaseSource } from './support/type-fuzz/case-source.js';
import { withDamagedIndex } from './support/type-fuzz/index-damage.js';
import { OpRunner, TIME_MAX_MS } from './support/type-fuzz/op-runner.js';
import { recordedBodies } from './support/type-fuzz/recorded-bodies.js';

const HELP = `Runs random operations on values and checks that they answer as they must.

Usage: scripts/fuzz-types [options]
  --cases N        how many (default 1000000)
  --seconds N      stop after this time, whatever the count (default: no limit)
  --seed N         the same seed makes the same cases (default: a new one, printed)
  --only NAMES     of these families, with commas between (default ${FAMILIES.join(',')})
  --nan            doubles may be no numbers; what is in order is not checked then
  --damage         each case runs once more with its values' persisted indexes damaged: it may answer anything then,
                   but well, in time and without what lies around
  --time-max MS    longest time of an operation whose bytes are fewer than 64 KiB (default ${TIME_MAX_MS})
  --failures N     stop after so many that are not alike (default 5)
  --case LINE      only this case, as a failure has printed it
Exit status 1 when a case failed; the first of its kind is printed, made as small as it goes on failing.`;

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const RECORDED = ['list', 'map', 'context', 'bit', 'hll', 'record-rich', 'malformed'];
const QUARTERS = 4;
const MIB = 1024 * 1024;
/** Looking at the clock costs more than a case. */
const CLOCK_EVERY = 256;
/** A longest operation of less is not worth printing. */
const REMARKABLE_MS = 10;

function main(): void {
  const { values } = parseArgs({
    options: {
      cases: { type: 'string', default: '1000000' },
      seconds: { type: 'string', default: 'Infinity' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
      only: { type: 'string', default: FAMILIES.join(',') },
      nan: { type: 'boolean', default: false },
      damage: { type: 'boolean', default: false },
      'time-max': { type: 'string', default: String(TIME_MAX_MS) },
      failures: { type: 'string', default: '5' },
      case: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  boundProcessMemory(); // as the server does, so that the resident size says something
  const runner = new OpRunner();
  runner.timeMaxMs = Number(values['time-max']);
  if (values.case !== undefined) {
    report(parseCase(values.case), runner.run(parseCase(values.case)) ?? `answers ${runner.code}`);
    return;
  }
  const seed = Number(values.seed);
  console.log(`seed ${seed}`);
  const source = new CaseSource(seed, recordedBodies(ROOT, RECORDED));
  source.families = new Set(values.only.split(',').map(familyOf));
  if (values.nan) {
    source.values.hasNaN = true;
    ignoreOrder();
  }
  const failures = fuzz(
    runner,
    source,
    Number(values.cases),
    Number(values.seconds),
    Number(values.failures),
    values.damage,
  );
  if (failures > 0) process.exitCode = 1;
}

/** @returns How many cases failed. */
function fuzz(
  runner: OpRunner,
  source: CaseSource,
  count: number,
  seconds: number,
  failuresMax: number,
  damages: boolean,
): number {
  const startMs = performance.now();
  const codes = new Map<number, number>();
  const kinds = new Set<string | undefined>();
  let failures = 0;
  let quarter = 1;
  let ran = 0;
  for (; ran < count && kinds.size < failuresMax; ran++) {
    if (ran % CLOCK_EVERY === 0 && performance.now() - startMs > seconds * 1000) break;
    const c = source.next();
    const failure = runner.run(c);
    source.keep(runner.changed);
    codes.set(runner.code, (codes.get(runner.code) ?? 0) + 1);
    if (failure !== undefined) {
      failures++;
      if (!kinds.has(kindOf(failure))) reportFailure(runner, ran, c, failure);
      kinds.add(kindOf(failure));
    }
    const damaged = damages ? withDamagedIndex(c, source.random) : undefined;
    const flaw = damaged && runner.runDamaged(damaged);
    if (damaged !== undefined && flaw !== undefined) {
      failures++;
      if (!kinds.has(kindOf(flaw))) report(damaged, `with a damaged index: ${flaw}`);
      kinds.add(kindOf(flaw));
    }
    if (ran + 1 >= (count * quarter) / QUARTERS) reportQuarter(quarter++, ran + 1, startMs);
  }
  const tookSec = (performance.now() - startMs) / 1000;
  console.log(`${ran} cases in ${tookSec.toFixed(1)} s, ${failures} failed`);
  const shares = [...codes]
    .sort((a, b) => b[1] - a[1])
    .map(([code, n]) => `${code}: ${((100 * n) / ran).toFixed(1)} %`);
  console.log(`codes: ${shares.join(', ')}; the longest operation took ${runner.longestMs.toFixed(1)} ms`);
  if (runner.longest !== undefined && runner.longestMs > REMARKABLE_MS)
    console.log(`  --case '${printCase(runner.longest)}'`);
  return failures;
}

function reportFailure(runner: OpRunner, number: number, c: OpCase, failure: string): void {
  console.log(`case ${number}:`);
  if (runner.run(c) === undefined) {
    report(c, `${failure} (not when it is repeated)`);
    return;
  }
  const small = shrunk(c, candidate => runner.run(candidate));
  report(small, runner.run(small) ?? failure);
}

function report(c: OpCase, failure: string): void {
  console.log(`  ${failure}\n  --case '${printCase(c)}'`);
}

function reportQuarter(quarter: number, ran: number, startMs: number): void {
  const rss = (process.memoryUsage.rss() / MIB).toFixed(0);
  console.log(
    `quarter ${quarter}: ${ran} cases, ${((performance.now() - startMs) / 1000).toFixed(0)} s, ${rss} MiB resident`,
  );
}

main();
