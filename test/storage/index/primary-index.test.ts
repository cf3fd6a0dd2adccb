import { randomFillSync } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { DIGEST_SIZE, partitionOf } from '../../../src/base/digest.js';
import {
  IN_SINDEX,
  KEY_STORED,
  lastOrderWord,
  MRT_PROVISIONAL,
  orderWord,
  STORED_SIZE_MAX,
  TOMBSTONE,
  XDR,
} from '../../../src/storage/index/entry.js';
import { PrimaryIndex } from '../../../src/storage/index/primary-index.js';

const PIDS = new Uint16Array([7, 300, 4095]);

/** A digest of one of the pids whose other bytes are few, so that order words are equal often. */
const digestOf = fc
  .tuple(
    fc.constantFrom(...PIDS),
    fc.nat(15),
    fc.array(fc.constantFrom(0, 1, 127, 128, 255), { maxLength: 18 }),
  )
  .map(([pid, high, rest]) => {
    const digest = new Uint8Array(DIGEST_SIZE);
    digest[0] = pid;
    digest[1] = (pid >>> 8) | (high << 4);
    digest.set(rest.slice(0, 6), 2);
    digest.set(rest.slice(6), 20 - Math.max(rest.length - 6, 0));
    return digest;
  });

/** Walking order as text: bytes 2 to 19, 1, 0. */
function orderOf(digest: Uint8Array): string {
  return Buffer.concat([digest.subarray(2), digest.subarray(1, 2), digest.subarray(0, 1)]).toString('hex');
}

function randomDigest(pids: Uint16Array, i: number): Uint8Array {
  const digest = randomFillSync(new Uint8Array(DIGEST_SIZE));
  const pid = pids[i % pids.length]!;
  digest[0] = pid;
  digest[1] = (digest[1]! & 0xf0) | (pid >>> 8);
  return digest;
}

/** Digests of a partition from first to last, by handles. */
function walk(index: PrimaryIndex, pid: number): string[] {
  const out = new Uint8Array(DIGEST_SIZE);
  const seen: string[] = [];
  for (let h = index.first(pid); h >= 0; h = index.next(pid, h)) {
    index.digestTo(h, out, 0);
    seen.push(orderOf(out));
  }
  return seen;
}

test('random histories agree with a map, whatever is inserted, removed and looked up', t => {
  const command = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('put'), digest: digestOf }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('remove'), digest: digestOf }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('after'), digest: digestOf }) },
  );
  const property = fc.property(fc.array(command, { maxLength: 300 }), commands => {
    const index = new PrimaryIndex({ partitions: PIDS });
    const model = new Map<string, { digest: Uint8Array; handle: number; stamp: number }>();
    const handles = new Set([0, -1]); // all that there ever were
    let stamp = 0;
    for (const { do: what, digest } of commands) {
      const key = orderOf(digest);
      const pid = partitionOf(digest, 0);
      const known = model.get(key);
      if (index.find(digest, 0) !== (known ? known.handle : -1)) return false;
      for (const near of handles)
        if (index.findNear(digest, 0, near) !== (known ? known.handle : -1)) return false;
      if (what === 'put') {
        const handle = known ? known.handle : index.insert(digest, 0);
        if (!known && (index.generation(handle) !== 0 || index.size(handle) !== 0)) return false;
        handles.add(handle);
        index.setLocation(handle, ++stamp);
        model.set(key, { digest, handle, stamp });
      } else if (what === 'remove' && known) {
        index.remove(known.handle);
        model.delete(key);
      } else if (what === 'after') {
        const expected = [...model].filter(([k, v]) => partitionOf(v.digest, 0) === pid && k > key);
        expected.sort(([a], [b]) => (a < b ? -1 : 1));
        if (index.after(pid, digest, 0) !== (expected[0]?.[1].handle ?? -1)) return false;
      }
    }
    if (index.count !== model.size) return false;
    for (const { handle, stamp } of model.values()) if (index.location(handle) !== stamp) return false;
    return [...PIDS].every(pid => {
      const expected = [...model].filter(([, v]) => partitionOf(v.digest, 0) === pid).map(([k]) => k);
      const walked = walk(index, pid);
      return index.countOf(pid) === walked.length && walked.join() === expected.sort().join();
    });
  });
  t.notThrows(() => fc.assert(property, { numRuns: 120 }));
});

test('the directory doubles step by step and every entry stays findable and in order', t => {
  const index = new PrimaryIndex({ partitions: PIDS });
  const handles = new Map<string, number>();
  const digests: Uint8Array[] = [];
  for (let i = 0; i < 10_000; i++) {
    const digest = randomDigest(PIDS, i);
    digests.push(digest);
    handles.set(orderOf(digest), index.insert(digest, 0));
    if (i % 1499 === 0) {
      for (const d of digests) if (index.find(d, 0) !== handles.get(orderOf(d))) t.fail();
      t.deepEqual([...PIDS].flatMap(pid => walk(index, pid)).sort(), [...handles.keys()].sort());
      for (const pid of PIDS) t.deepEqual(walk(index, pid), walk(index, pid).sort());
    }
  }
  t.true(index.usedBytes / index.count <= 60, `${index.usedBytes / index.count} bytes a record`);
});

test('a walk that resumes after a digest sees every entry that stays, once, while others come and go', t => {
  const pids = new Uint16Array([12]);
  const index = new PrimaryIndex({ partitions: pids });
  const staying = new Set<string>();
  const passing: Uint8Array[] = [];
  for (let i = 0; i < 3000; i++) {
    const digest = randomDigest(pids, i);
    index.insert(digest, 0);
    if (i % 3 === 0) passing.push(digest);
    else staying.add(orderOf(digest));
  }
  const at = new Uint8Array(DIGEST_SIZE);
  const seen: string[] = [];
  for (let h = index.first(12); h >= 0; h = index.after(12, at, 0)) {
    index.digestTo(h, at, 0);
    seen.push(orderOf(at));
    for (let i = 0; i < 4; i++) index.insert(randomDigest(pids, i), 0); // grows the directory several times
    const gone = passing.pop();
    if (gone) index.remove(index.find(gone, 0));
  }
  t.deepEqual(seen, [...seen].sort());
  t.is(new Set(seen).size, seen.length);
  t.deepEqual(
    [...staying].filter(key => !seen.includes(key)),
    [],
  );
});

test('fields do not disturb each other and keep their full width', t => {
  const index = new PrimaryIndex({ partitions: PIDS });
  const handle = index.insert(randomDigest(PIDS, 0), 0);
  const neighbour = index.insert(randomDigest(PIDS, 1), 0);
  const u16 = fc.nat(0xffff);
  const u48 = fc.maxSafeNat().map(n => n % 2 ** 48);
  fc.assert(
    fc.property(
      fc.record({
        generation: u16,
        setId: u16,
        voidTime: fc.nat(0xffffffff),
        lut: u48,
        sequence: u48,
        location: fc.maxSafeNat().map(n => n % 2 ** 40),
        size: fc.nat(STORED_SIZE_MAX),
        regime: fc.nat(31),
        replicationState: fc.nat(3),
        flag: fc.constantFrom(TOMBSTONE, KEY_STORED, IN_SINDEX, XDR, MRT_PROVISIONAL),
        on: fc.boolean(),
      }),
      v => {
        index.setGeneration(handle, v.generation);
        index.setSetId(handle, v.setId);
        index.setVoidTime(handle, v.voidTime);
        index.setLut(handle, v.lut);
        index.setSequence(handle, v.sequence);
        index.setLocation(handle, v.location);
        index.setSize(handle, v.size);
        index.setRegime(handle, v.regime);
        index.setReplicationState(handle, v.replicationState);
        index.setFlag(handle, v.flag, v.on);
        t.is(index.generation(handle), v.generation);
        t.is(index.setId(handle), v.setId);
        t.is(index.voidTime(handle), v.voidTime);
        t.is(index.lut(handle), v.lut);
        t.is(index.sequence(handle), v.sequence);
        t.is(index.location(handle), v.location);
        t.is(index.size(handle), v.size);
        t.is(index.regime(handle), v.regime);
        t.is(index.replicationState(handle), v.replicationState);
        t.is(index.hasFlag(handle, v.flag), v.on);
        t.is(index.incarnation(handle), 0);

        const isKeyStored = !v.on;
        index.setWritten(handle, v.size & 0xffff, v.generation, v.regime, v.sequence, isKeyStored);
        index.setPlace(handle, v.lut % 2 ** 40, v.setId, v.lut, Math.floor(v.lut / 2 ** 32));
        t.is(index.generation(handle), v.size & 0xffff);
        t.is(index.setId(handle), v.generation);
        t.is(index.voidTime(handle), v.regime);
        t.is(index.lut(handle), v.sequence);
        t.is(index.sequence(handle), v.lut);
        t.is(index.location(handle), v.lut % 2 ** 40);
        t.is(index.size(handle), v.setId);
        t.is(index.regime(handle), v.regime);
        t.is(index.replicationState(handle), v.replicationState);
        t.is(index.hasFlag(handle, KEY_STORED), isKeyStored);
        t.false(index.hasFlag(handle, TOMBSTONE));
        t.is(index.incarnation(handle), 0);
      },
    ),
  );
  t.is(index.size(neighbour) + index.lut(neighbour) + index.generation(neighbour), 0);
});

test('a handle that is given out again has another incarnation and clean fields', t => {
  const index = new PrimaryIndex({ partitions: PIDS });
  const first = index.insert(randomDigest(PIDS, 0), 0);
  const incarnation = index.incarnation(first);
  index.setGeneration(first, 9);
  index.setFlag(first, IN_SINDEX | TOMBSTONE, true);
  index.remove(first);
  t.not(index.incarnation(first), incarnation);
  const second = index.insert(randomDigest(PIDS, 1), 0);
  t.is(second, first);
  t.not(index.incarnation(second), incarnation);
  t.is(index.generation(second), 0);
  t.false(index.hasFlag(second, IN_SINDEX | TOMBSTONE));
});

test('a full budget refuses an insert and changes nothing; a removal makes room', t => {
  const index = new PrimaryIndex({ partitions: PIDS, entriesMax: 3 });
  const digests = [0, 1, 2, 3].map(i => randomDigest(PIDS, i));
  for (const d of digests.slice(0, 3)) t.true(index.insert(d, 0) >= 0);
  t.is(index.insert(digests[3]!, 0), -1);
  t.is(index.count, 3);
  t.is(index.find(digests[3]!, 0), -1);
  index.remove(index.find(digests[0]!, 0));
  t.true(index.insert(digests[3]!, 0) >= 0);
});

test('removing a handle twice is caught', t => {
  const index = new PrimaryIndex({ partitions: PIDS });
  const handle = index.insert(randomDigest(PIDS, 0), 0);
  index.remove(handle);
  t.throws(() => index.remove(handle), { message: /not in the index/ });
});

test('a digest may lie anywhere in a buffer', t => {
  const index = new PrimaryIndex({ partitions: PIDS });
  const digest = randomDigest(PIDS, 2);
  const buffer = new Uint8Array(64);
  buffer.set(digest, 33);
  const handle = index.insert(buffer, 33);
  t.is(index.find(digest, 0), handle);
  const out = new Uint8Array(40);
  index.digestTo(handle, out, 11);
  t.deepEqual(out.slice(11, 31), digest);
});

test('another thread rebuilds the same index from its memory, even in the middle of a doubling', t => {
  const index = new PrimaryIndex({ partitions: PIDS });
  const digests = Array.from({ length: 1000 }, (_, i) => randomDigest(PIDS, i));
  for (const [i, digest] of digests.entries()) {
    index.insert(digest, 0);
    if (i % 37 !== 0) continue;
    const view = new PrimaryIndex({ partitions: PIDS, memory: structuredClone(index.memory) });
    t.is(view.count, i + 1);
    for (const pid of PIDS) t.deepEqual(walk(view, pid), walk(index, pid));
    t.is(view.find(digest, 0), index.find(digest, 0));
  }
  const view = new PrimaryIndex({ partitions: PIDS, memory: index.memory });
  const { epoch } = view;
  while (index.epoch === epoch) index.insert(randomDigest(PIDS, 0), 0);
  t.not(view.epoch, epoch, 'the view can see that the index has grown away from it');
});

test('an entry that was seen before is found as if nobody had seen it, whatever has happened since', t => {
  const index = new PrimaryIndex({ partitions: PIDS });
  // Few of them, much alike: handles are used again and again, lists are long and first order words the same.
  const digests = Array.from({ length: 60 }, (_, i) => {
    const digest = randomDigest(PIDS, i);
    digest.fill(i % 20, 2, 6);
    return digest;
  });
  for (const digest of digests) index.insert(digest, 0);
  const view = new PrimaryIndex({ partitions: PIDS, memory: index.memory });
  const see = (digest: Uint8Array): number => {
    const order = orderWord(digest, 2);
    let entry = view.headOf(partitionOf(digest, 0), order);
    while (entry > 0) entry = view.stepOf(entry, order);
    return entry < 0 ? ~entry : 0;
  };
  const of = fc.nat(digests.length - 1);
  const step = fc.record({ kind: fc.constantFrom('insert', 'remove', 'see', 'see', 'find', 'find'), of });
  let seenCount = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), steps => {
      const seen = new Map<number, number>();
      for (const { kind, of: i } of steps) {
        const digest = digests[i]!;
        const entry = index.find(digest, 0);
        if (kind === 'insert' && entry < 0) index.insert(digest, 0);
        else if (kind === 'remove' && entry >= 0) index.remove(entry);
        else if (kind === 'see') seen.set(i, see(digest));
        if (!view.isCurrent) throw new Error('the view is no longer current');
        const expected = index.find(digest, 0);
        const handle = seen.get(i) ?? 0;
        if (view.findNear(digest, 0, handle) !== expected) return false;
        if (expected >= 0 && handle === expected) seenCount++;
      }
      return true;
    }),
    { numRuns: 300 },
  );
  t.true(seenCount > 1000, `${seenCount}`);
});

/** The five order words of a digest, as starts use them. */
function ordersOf(digests: readonly Uint8Array[]): Int32Array {
  return Int32Array.from(
    digests.flatMap(digest =>
      [2, 6, 10, 14].map(at => orderWord(digest, at)).concat(lastOrderWord(digest, 0)),
    ),
  );
}

test('entries brought in by order words, into a directory of any size, are those that digests find', t => {
  for (const expected of [0, 100, 5_000, 200_000]) {
    const digests = Array.from({ length: 5_000 }, (_, i) => randomDigest(PIDS, i));
    const orders = ordersOf(digests);
    const index = new PrimaryIndex({ partitions: PIDS });
    const plain = new PrimaryIndex({ partitions: PIDS });
    index.presize(expected);
    index.touch(orders, digests.length);
    digests.forEach((digest, i) => {
      t.is(index.findOrder(orders, i * 5), -1);
      const handle = index.insertOrder(orders, i * 5);
      t.is(index.generation(handle), 0);
      t.is(index.findOrder(orders, i * 5), handle);
      t.is(index.find(digest, 0), handle);
      plain.insert(digest, 0);
    });
    index.touch(orders, digests.length);
    index.settle();
    for (const pid of PIDS) {
      t.deepEqual(walk(index, pid), walk(plain, pid));
      t.is(index.countOf(pid), plain.countOf(pid));
    }
    t.true(
      index.usedBytes <= plain.usedBytes,
      `${index.usedBytes} bytes, ${plain.usedBytes} without presize`,
    );
    for (const digest of digests) index.remove(index.find(digest, 0));
    t.is(index.count, 0);
  }
});

test('a cleared index is as good as a new one, but for incarnations', t => {
  const index = new PrimaryIndex({ partitions: PIDS });
  const digests = Array.from({ length: 3_000 }, (_, i) => randomDigest(PIDS, i));
  for (const digest of digests) index.insert(digest, 0);
  index.clear();
  t.is(index.count, 0);
  t.deepEqual(
    [...PIDS].map(pid => [index.countOf(pid), index.first(pid)]),
    [...PIDS].map(() => [0, -1]),
  );
  for (const digest of digests) t.is(index.find(digest, 0), -1);
  const handles = digests.map(digest => index.insert(digest, 0));
  t.is(new Set(handles).size, digests.length);
  t.deepEqual(
    digests.map(digest => index.find(digest, 0)),
    handles,
  );
});

test('an insert after a find that found nothing goes where the list has a place for it by then', t => {
  const pids = new Uint16Array([7]);
  const index = new PrimaryIndex({ partitions: pids });
  const digest = (...bytes: number[]) => {
    const made = new Uint8Array(DIGEST_SIZE);
    made[0] = 7;
    made.set(bytes, 2);
    return made;
  };
  const all = [1, 2, 3, 4, 5, 6].map(byte => digest(byte));
  index.insert(all[3]!, 0);
  const other = new PrimaryIndex({ partitions: pids, memory: index.memory });
  // Another view, whose entry comes to lie where the first would have put its own.
  t.is(index.find(all[2]!, 0), -1);
  other.insert(all[1]!, 0);
  index.insert(all[2]!, 0);
  // A find of something else in between, and one that finds something.
  t.is(index.find(all[0]!, 0), -1);
  t.is(index.find(all[5]!, 0), -1);
  index.insert(all[0]!, 0);
  t.is(index.find(all[5]!, 0), -1);
  t.true(index.find(all[3]!, 0) > 0);
  index.insert(all[5]!, 0);
  // An entry that was found to be the one before goes.
  t.is(index.find(all[4]!, 0), -1);
  index.remove(index.find(all[3]!, 0));
  t.is(index.find(all[4]!, 0), -1);
  other.remove(other.find(all[2]!, 0));
  index.insert(all[4]!, 0);
  const found: number[] = [];
  const out = new Uint8Array(DIGEST_SIZE);
  for (let handle = index.first(7); handle >= 0; handle = index.next(7, handle)) {
    index.digestTo(handle, out, 0);
    found.push(out[2]!);
  }
  t.deepEqual(found, [1, 2, 5, 6]);
});
