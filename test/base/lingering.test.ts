import test from 'ava';
import { Lingering } from '../../src/base/lingering.js';

test('attempts in vain become rare, one that pays brings them back', t => {
  const lingering = new Lingering();
  let attempts = 0;
  for (let i = 0; i < 6400; i++) {
    if (!lingering.begins()) continue;
    attempts++;
    lingering.ended(false);
  }
  t.true(attempts > 90 && attempts < 120, `${attempts} attempts in 6,400 occasions`);
  while (!lingering.begins());
  lingering.ended(true);
  for (let i = 0; i < 100; i++) {
    t.true(lingering.begins());
    lingering.ended(true);
  }
});
