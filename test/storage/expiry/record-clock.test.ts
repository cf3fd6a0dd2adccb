import test from 'ava';
import { OK } from '../../../src/base/result.js';
import { ST_COUNT, ST_STORED_CLOCK, type StorageEngine } from '../../../src/storage/engine.js';
import { RecordClock } from '../../../src/storage/expiry/record-clock.js';

/** A clock, and the marks that it asks an engine for. */
function fixture(): { clock: RecordClock; figures: Float64Array; marks: number[]; engine: StorageEngine } {
  const figures = new Float64Array(ST_COUNT);
  const marks: number[] = [];
  const keepClock = (ms: number): number => {
    marks.push(ms);
    figures[ST_STORED_CLOCK] = ms;
    return OK;
  };
  return { clock: new RecordClock(figures), figures, marks, engine: { keepClock } as StorageEngine };
}

test('it follows the wall clock forward and not back', t => {
  const { clock } = fixture();
  t.is(clock.read(1000), 1000);
  t.is(clock.read(5000), 5000);
  t.is(clock.read(4000), 5000);
  clock.raise(7000);
  t.is(clock.read(6000), 7000);
  t.is(clock.ms, 7000);
});

test('while the wall clock is behind, it runs at half the pace until the two meet', t => {
  const { clock, engine } = fixture();
  clock.read(10_000);
  let nowMs = 0;
  let wallMs = 8000; // stepped back
  clock.tick(nowMs, wallMs, engine);
  for (; nowMs < 1000; nowMs += 10, wallMs += 10) clock.tick(nowMs + 10, wallMs + 10, engine);
  t.is(clock.read(wallMs), 10_500);
  for (; nowMs < 5000; nowMs += 10, wallMs += 10) {
    clock.read(wallMs);
    clock.tick(nowMs + 10, wallMs + 10, engine);
  }
  t.is(clock.read(wallMs), wallMs);
});

test('an expiry is stored, once, unless something as late is stored already', t => {
  const { clock, figures, marks, engine } = fixture();
  clock.read(20_500);
  clock.tick(0, 20_500, engine);
  t.deepEqual(marks, []);
  clock.expired(20);
  clock.tick(10, 20_510, engine);
  clock.tick(20, 20_520, engine);
  t.deepEqual(marks, [20_500]);
  figures[ST_STORED_CLOCK] = 22_000; // a record was written
  clock.read(22_000);
  clock.expired(21);
  clock.tick(30, 22_000, engine);
  t.is(marks.length, 1);
});
