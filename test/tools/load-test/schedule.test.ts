import test from 'ava';
import { Schedule } from '../../../src/tools/load-test/schedule.js';

test('the threads share out evenly spaced moments', t => {
  const parts = [0, 1, 2].map(part => new Schedule(500, part, 3));
  const moments = parts.flatMap(schedule => {
    schedule.start(1000);
    return Array.from({ length: 4 }, () => {
      const at = schedule.nextMs;
      schedule.take();
      return at;
    });
  });
  moments.sort((a, b) => a - b);
  for (const [i, at] of moments.entries()) t.true(Math.abs(at - (1000 + i * 2)) < 1e-9, `${i}: ${at}`);
});

test('a late taker gets the moment that was due, not the present', t => {
  const schedule = new Schedule(100, 0, 1);
  schedule.start(0);
  schedule.take();
  t.is(schedule.nextMs, 10);
  t.is(schedule.missedAt(100), 9);
  t.is(schedule.missedAt(0), 0);
  for (let i = 1; i < 10; i++) schedule.take();
  t.is(schedule.missedAt(100), 0);
});
