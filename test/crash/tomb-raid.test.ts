/** Raids for delete markers under random histories: whatever is cut short, and when, nothing that was deleted is back. */
import test from 'ava';
import { RaidOutcome, type RaidPlan, runRaidHistory } from '../support/raid-history.js';

const SEEDS = Number(process.env.CALTROP_CRASH_SEEDS ?? 40);

const PLANS: readonly (readonly [string, RaidPlan])[] = [
  ['', {}],
  [', with commit-to-device', { isCommitting: true }],
  [', on a device that fails now and then', { isFailing: true }],
  [', on a device with a shadow', { isShadowed: true }],
];

for (const [name, plan] of PLANS) {
  test(`markers that keep nothing dead go, and nothing comes back for it${name}`, t => {
    const outcome = new RaidOutcome();
    for (let seed = 1; seed <= SEEDS; seed++)
      t.deepEqual(runRaidHistory(seed, plan, outcome), [], `seed ${seed}`);
    t.log(JSON.stringify(outcome));
    t.true(outcome.raids > SEEDS && outcome.markers > SEEDS * 50, JSON.stringify(outcome));
    t.true(outcome.cutShort > SEEDS / 4 && outcome.moved > SEEDS * 2, JSON.stringify(outcome));
    t.true(
      outcome.probes > SEEDS * 5 && outcome.cold > SEEDS && outcome.byCheckpoint > SEEDS / 10,
      JSON.stringify(outcome),
    );
  });
}
