/**
 * A real server process is killed under a mixed load, started again, and every record is what it may be: crash-run.ts
 * says how. Short here; scripts/crash-test runs as many as wanted.
 */
import test from 'ava';
import { CONFIGURATIONS } from '../support/crash/configurations.js';
import { crashRun } from '../support/crash/crash-run.js';

const SEED = 20_261_128;
const LIVES = 3;

for (const configuration of CONFIGURATIONS) {
  test.serial(`${configuration.name}: what was acknowledged survives SIGKILL at any moment`, async t => {
    t.timeout(240_000);
    const outcome = await crashRun(t, configuration, SEED, LIVES);
    t.deepEqual(outcome.problems, []);
    t.true(outcome.commands > 50 * LIVES, `only ${outcome.commands} commands`);
    t.log(`${outcome.commands} commands, codes ${outcome.codes}`);
    for (const excuse of outcome.excuses) t.log(excuse);
  });
}

test.serial('the check itself notices what was not flushed', async t => {
  const [roomy] = CONFIGURATIONS;
  const outcome = await crashRun(t, { ...roomy!, commits: true }, SEED, 4);
  t.regex(outcome.problems[0] ?? '', /is none of/);
});

test.serial('and a server that hands over too late, though nothing is lost for it', async t => {
  const [roomy] = CONFIGURATIONS;
  const outcome = await crashRun(t, { ...roomy!, flushMaxMs: 1000 }, SEED, 4);
  t.regex(outcome.problems[0] ?? '', /is late: .*asked/);
});
