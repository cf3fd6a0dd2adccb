import test from 'ava';
import { hashName } from '../../src/base/hash.js';
import { Sightings } from '../../src/base/sightings.js';

const hashOf = (name: string): number => hashName(Buffer.from(name), 0, name.length);

test('the second time is told from the first', t => {
  const sightings = new Sightings();
  t.false(sightings.isRepeated(hashOf('a')));
  t.true(sightings.isRepeated(hashOf('a')));
  t.true(sightings.isRepeated(hashOf('a')));
  t.false(sightings.isRepeated(hashOf('b')));
  t.true(sightings.isRepeated(hashOf('a')));
});

test('what comes seldom is forgotten among what comes once', t => {
  const sightings = new Sightings();
  sightings.isRepeated(hashOf('a'));
  for (let k = 0; k < 20_000; k++) t.false(sightings.isRepeated(hashOf(`other ${k}`)));
  t.false(sightings.isRepeated(hashOf('a')));
});
