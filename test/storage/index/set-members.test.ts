import { createHash } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { IndexWalk } from '../../../src/shard/nsup/index-walk.js';
import { PrimaryIndex } from '../../../src/storage/index/primary-index.js';
import { seeded } from '../../support/faulty-io.js';

const PIDS = new Uint16Array([5, 1000, 4095]);
const SETS = 4;

/** Digests that crowd together in places, as few first bytes as there are. */
function digestOf(n: number): Uint8Array {
  const digest = createHash('sha1').update(`${n}`).digest();
  const pid = PIDS[n % PIDS.length]!;
  digest[0] = pid;
  digest[1] = (digest[1]! & 0xf0) | (pid >>> 8);
  if (n % 4 === 0) digest[2] = 0xff;
  if (n % 8 === 0) digest[3] = 0;
  return digest;
}

const orderOf = (digest: Uint8Array): string =>
  Buffer.from([...digest.subarray(2), digest[1]!, digest[0]!]).toString('hex');

/** A real index, and which record is in which set. */
class Model {
  readonly index = new PrimaryIndex({ partitions: PIDS });
  readonly sets = new Map<number, number>();

  put(n: number, setId: number): void {
    const digest = digestOf(n);
    let entry = this.index.find(digest, 0);
    if (entry < 0) entry = this.index.insert(digest, 0);
    if (n % 2 === 0) this.index.setSetId(entry, setId);
    else this.index.setWritten(entry, 1, setId, 0, 0, false);
    this.sets.set(n, setId);
  }

  remove(n: number): void {
    const entry = this.index.find(digestOf(n), 0);
    if (entry < 0) return;
    this.index.remove(entry);
    this.sets.delete(n);
  }

  populate(setId: number): void {
    const walk = new IndexWalk(this.index, PIDS);
    const visit = (entry: number): void => {
      if (this.index.setId(entry) === setId) this.index.noteMember(entry, setId);
    };
    while (walk.step(50, visit));
    this.index.setIndexReady(setId);
  }

  grow(): boolean {
    const isDue = this.index.isSetIndexGrowthDue;
    if (isDue) this.index.growSetIndexes();
    return isDue;
  }

  expected(pid: number, setId: number): string[] {
    return [...this.sets]
      .filter(([n, of]) => of === setId && PIDS[n % PIDS.length] === pid)
      .map(([n]) => orderOf(digestOf(n)))
      .sort();
  }

  /** By handles. */
  walked(pid: number, setId: number): string[] {
    const found: string[] = [];
    const out = new Uint8Array(20);
    for (let h = this.index.firstOfSet(pid, setId); h >= 0; h = this.index.nextOfSet(pid, setId, h)) {
      this.index.digestTo(h, out, 0);
      found.push(orderOf(out));
    }
    return found;
  }

  /** By digests, from a digest that need not be there. */
  walkedAfter(pid: number, setId: number, n: number): string[] {
    const found: string[] = [];
    const at = digestOf(n);
    at[0] = pid;
    at[1] = (at[1]! & 0xf0) | (pid >>> 8);
    for (;;) {
      const h = this.index.afterOfSet(pid, setId, at, 0);
      if (h < 0) return found;
      this.index.digestTo(h, at, 0);
      found.push(orderOf(at));
    }
  }
}

const commands = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.tuple(fc.constant('put'), fc.nat(400), fc.integer({ min: 0, max: SETS })) },
    { weight: 6, arbitrary: fc.tuple(fc.constant('remove'), fc.nat(400), fc.constant(0)) },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constant('index'), fc.integer({ min: 1, max: SETS }), fc.constant(0)),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constant('drop'), fc.integer({ min: 1, max: SETS }), fc.constant(0)),
    },
    { weight: 2, arbitrary: fc.tuple(fc.constant('grow'), fc.constant(0), fc.constant(0)) },
    { weight: 3, arbitrary: fc.tuple(fc.constant('walk'), fc.nat(400), fc.integer({ min: 1, max: SETS })) },
  ),
  { minLength: 50, maxLength: 400, size: 'max' },
);

test('a walk over an indexed set finds its entries in order, whatever came, went, changed its set and grew', t =>
  fc.assert(
    fc.property(commands, list => {
      const model = new Model();
      for (const [what, n, setId] of list) {
        if (what === 'put') model.put(n, setId);
        else if (what === 'remove') model.remove(n);
        else if (what === 'index' && !model.index.indexedSets.includes(n)) {
          model.index.addSetIndex(n);
          model.populate(n);
        } else if (what === 'drop' && model.index.indexedSets.includes(n)) model.index.dropSetIndex(n);
        else if (what === 'grow') model.grow();
        else if (what === 'walk' && model.index.isSetReady(setId)) {
          for (const pid of PIDS) {
            const all = model.expected(pid, setId);
            t.deepEqual(model.walked(pid, setId), all);
            const at = digestOf(n);
            at[0] = pid;
            at[1] = (at[1]! & 0xf0) | (pid >>> 8);
            t.deepEqual(
              model.walkedAfter(pid, setId, n),
              all.filter(order => order > orderOf(at)),
            );
          }
        }
      }
    }),
    { numRuns: 60 },
  ));

for (const count of [1, 7, 1000]) {
  test(`in steps of ${count}, each entry that stays is visited once, though others go, come and the index is dropped`, t => {
    const random = seeded(count);
    const model = new Model();
    model.index.addSetIndex(1);
    model.index.setIndexReady(1);
    for (let n = 0; n < 6000; n++) model.put(n, n % 3);
    t.true(model.grow());
    const walk = new IndexWalk(model.index, PIDS, 1);
    const seen = new Map<string, number>();
    const out = new Uint8Array(20);
    let added = 10_000;
    let steps = 0;
    const visit = (entry: number): void => {
      if (model.index.setId(entry) !== 1) return;
      model.index.digestTo(entry, out, 0);
      seen.set(orderOf(out), (seen.get(orderOf(out)) ?? 0) + 1);
    };
    while (walk.step(count, visit)) {
      steps++;
      model.put(++added, added % 3);
      model.remove(3 * Math.floor(random() * 2000) + 1);
      if (steps % 50 === 0) model.grow();
      if (steps === 1500) model.index.dropSetIndex(1);
    }
    for (const [n, setId] of model.sets) {
      if (setId === 1 && n < 10_000) t.is(seen.get(orderOf(digestOf(n))), 1);
    }
    t.true([...seen.values()].every(times => times === 1));
  });
}

test('a set of one in a hundred costs a walk a small part of all entries, and the index a bit for one or two', t => {
  const model = new Model();
  for (let n = 0; n < 50_000; n++) model.put(n, n % 100 === 0 ? 1 : 2);
  model.index.addSetIndex(1);
  model.populate(1);
  t.true(model.index.setIndexBytes * 8 >= model.index.count / 2);
  t.true(model.index.setIndexBytes * 8 <= model.index.count * 2);
  let visited = 0;
  const walk = new IndexWalk(model.index, PIDS, 1);
  while (walk.step(100, () => visited++));
  t.is(visited, 500);
});

test('a view of another thread notes what it inserts, and is not current when bitmaps have come or grown', t => {
  const model = new Model();
  for (let n = 0; n < 500; n++) model.put(n, 1);
  const before = new PrimaryIndex({ partitions: PIDS, memory: model.index.memory });
  const shape = model.index.shape;
  model.index.addSetIndex(1);
  t.false(before.isCurrent);
  t.not(model.index.shape, shape);
  model.populate(1);
  const view = new PrimaryIndex({ partitions: PIDS, memory: model.index.memory });
  t.true(view.isCurrent);
  let inserted = 0;
  for (let n = 1000; n < 1200; n++) {
    const entry = view.insert(digestOf(n), 0);
    if (entry < 0) break; // it would have to grow
    view.setSetId(entry, 1);
    model.sets.set(n, 1);
    inserted++;
  }
  t.true(inserted > 0);
  for (const pid of PIDS) t.deepEqual(model.walked(pid, 1), model.expected(pid, 1));
  for (let n = 2000; n < 9000; n++) model.put(n, 2);
  t.true(model.grow());
  t.false(view.isCurrent);
});
