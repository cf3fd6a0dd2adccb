import test from 'ava';
import fc from 'fast-check';
import type { Shard } from '../../src/shard/shard.js';
import { type CommandSlot, CommandSlots } from '../../src/shard/slots.js';

const CAPACITY = 8;
/** Slots compare shards by identity and look at nothing in them. */
const SHARDS = [{}, {}] as unknown as readonly [Shard, Shard];

/** Few digests, some of which share a bucket: bytes 4 and 5 choose it. */
function digestNamed(number: number): Uint8Array {
  const digest = new Uint8Array(20).fill(number);
  digest[4] = number % 3;
  digest[5] = 0;
  return digest;
}

interface Parked {
  readonly shard: Shard;
  readonly digest: number;
  readonly slot: CommandSlot;
  readonly waiting: CommandSlot[];
}

/** What slots do, over a list of the commands that are parked and of those behind each. */
class Model {
  readonly slots = new CommandSlots(CAPACITY);
  readonly parked: Parked[] = [];
  used = 0;

  /** A command comes: it lines up behind a parked one on its digest, or parks itself. */
  arrive(shardNumber: number, digest: number): string {
    const shard = SHARDS[shardNumber]!;
    const bytes = digestNamed(digest);
    const expected = this.parked.find(p => p.shard === shard && p.digest === digest);
    const front = this.slots.findParked(shard, bytes, 0);
    if (front !== (expected?.slot ?? null)) return 'another front was found';
    if (this.slots.freeCount === 0) return '';
    const peeked = this.slots.peek();
    const slot = this.slots.take();
    if (slot !== peeked || this.slots.of(slot.number) !== slot) return 'peek, take and of disagree';
    this.used++;
    slot.shard = shard;
    slot.keep(bytes, 0, 20);
    if (front !== null) {
      this.slots.wait(front, slot);
      expected!.waiting.push(slot);
    } else {
      this.slots.park(slot, bytes, 0);
      this.parked.push({ shard, digest, slot, waiting: [] });
    }
    return '';
  }

  /** A parked command is done: it leaves, and its line is given up in order. */
  finish(which: number): string {
    if (this.parked.length === 0) return '';
    const [done] = this.parked.splice(which % this.parked.length, 1);
    const { slot, waiting } = done!;
    this.slots.unpark(slot);
    if (slot.waitingCount !== waiting.length) return 'the line has another length';
    let next = slot.nextWaiting;
    this.slots.give(slot);
    this.used--;
    for (const expected of waiting) {
      if (next !== expected) return 'the line is in another order';
      if (next.bytes[0] !== done!.digest) return "a slot lost its command's bytes";
      next = next.nextWaiting;
      expected.nextWaiting = null;
      this.slots.give(expected);
      this.used--;
    }
    return next === null ? '' : 'the line goes on';
  }

  check(): string {
    if (this.slots.parkedCount !== this.parked.length) return 'parkedCount';
    return this.slots.freeCount === CAPACITY - this.used ? '' : 'freeCount';
  }
}

test('parked commands are found by shard and digest, and lines keep their order', t => {
  const step = fc.oneof(
    fc.tuple(fc.constant('arrive' as const), fc.nat(1), fc.nat(6)),
    fc.tuple(fc.constant('finish' as const), fc.nat(7), fc.constant(0)),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const model = new Model();
      for (const [kind, a, b] of steps) {
        const fault = (kind === 'arrive' ? model.arrive(a, b) : model.finish(a)) || model.check();
        if (fault !== '') throw new Error(fault);
      }
    }),
  );
  t.pass();
});

test('a slot keeps long commands, and gives their memory back afterwards', t => {
  const slots = new CommandSlots(1);
  const slot = slots.take();
  const long = new Uint8Array(300_000).map((_, i) => i);
  slot.keep(long, 1000, 299_000);
  t.is(slot.size, 299_000);
  t.deepEqual(Buffer.from(slot.bytes.subarray(0, 299_000)), Buffer.from(long.subarray(1000)));
  slot.keep(slot.bytes, 0, slot.size); // parks again
  t.is(slot.bytes[0], long[1000]);
  slots.give(slot);
  t.true(slot.bytes.length <= 64 * 1024);
  t.is(slots.take(), slot);
});
