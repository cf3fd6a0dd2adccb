import { createHash } from 'node:crypto';
import test from 'ava';
import { IndexWalk } from '../../../src/shard/nsup/index-walk.js';
import { PrimaryIndex } from '../../../src/storage/index/primary-index.js';

const PARTITIONS = Uint16Array.from({ length: 64 }, (_, i) => i * 64);

/** A digest in one of the partitions. */
function digestOf(n: number): Uint8Array {
  const digest = createHash('sha1').update(`${n}`).digest();
  digest[0]! &= 0xc0;
  return digest;
}

for (const count of [1, 7, 100_000]) {
  test(`every entry is visited once in steps of ${count}, though those visited are removed and others are added`, t => {
    const index = new PrimaryIndex({ partitions: PARTITIONS });
    for (let n = 0; n < 3000; n++) index.setSetId(index.insert(digestOf(n), 0), n);
    const walk = new IndexWalk(index, PARTITIONS);
    const seen = new Set<number>();
    let added = 10_000;
    let steps = 0;
    const visit = (entry: number): void => {
      const n = index.setId(entry);
      if (seen.has(n)) t.fail(`${n} again`);
      seen.add(n);
      if (n % 3 === 0) index.remove(entry);
    };
    while (walk.step(count, visit)) {
      steps++;
      if (steps % 5 === 0) index.setSetId(index.insert(digestOf(++added), 0), added);
    }
    for (let n = 0; n < 3000; n++) if (!seen.has(n)) t.fail(`${n}`);
    t.true(count > 3000 ? steps === 0 : steps >= 3000 / count);
    t.is(
      index.count,
      3000 - 1000 + (added - 10_000) - [...seen].filter(n => n > 10_000 && n % 3 === 0).length,
    );
    seen.clear();
    while (walk.step(count, entry => seen.add(index.setId(entry))));
    t.is(seen.size, index.count, 'it begins anew');
  });
}
