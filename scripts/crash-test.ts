/**
 * Crash runs at length: see test/support/crash/crash-run.ts.
 */
import { parseArgs } from 'node:util';
import { CONFIGURATIONS, configurationOf } from '../test/support/crash/configurations.js';
import { crashRun } from '../test/support/crash/crash-run.js';

const HELP = `Kills servers under load, starts them again and compares every record with what it may be.

Usage: scripts/crash-test [options]
  --seeds N               runs on each configuration (default 10)
  --seed S                the first of them; the others follow (default: a new one)
  --lives N               starts of the server in a run (default 8)
  --configuration NAME    one of ${CONFIGURATIONS.map(({ name }) => name).join(', ')} (default: all in turn)
A run is repeated by its configuration and seed; how the threads interleave is not.
Exit status 1 when a record was lost, reverted, torn or came back, or a figure did not fit.`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '10' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      lives: { type: 'string', default: '8' },
      configuration: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const configurations =
    values.configuration === undefined ? CONFIGURATIONS : [configurationOf(values.configuration)];
  let failed = 0;
  for (let seed = Number(values.seed); seed < Number(values.seed) + Number(values.seeds); seed++) {
    for (const configuration of configurations) {
      const ends: (() => Promise<void>)[] = [];
      const teardown = { teardown: (end: () => Promise<void>) => void ends.push(end) };
      const outcome = await crashRun(teardown, configuration, seed, Number(values.lives)).finally(
        async () => {
          for (const end of ends) await end();
        },
      );
      const { problems, excuses, lives, commands, checked, codes } = outcome;
      console.log(
        `${configuration.name} seed ${seed}: ${lives} lives, ${commands} commands, ${checked} records checked, ` +
          `${problems.length === 0 ? 'good' : 'FAILED'} (codes ${codes})`,
      );
      for (const problem of problems) console.log(problem);
      for (const excuse of excuses) console.log(`not in time, though not by the server's fault: ${excuse}`);
      if (problems.length > 0) failed++;
    }
  }
  console.log(failed === 0 ? 'all good' : `${failed} runs FAILED`);
  process.exitCode = failed === 0 ? 0 : 1;
}

await main();
