import test from 'ava';
import fc from 'fast-check';
import { BatchGroup, ROW_PREFIX_SIZE } from '../../src/shard/batch-group.js';
import { REQ_DIGEST_AT, REQUEST_HEADER_SIZE } from '../../src/shard/frame.js';
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

const DIGEST_AT = 7; // in the message of a single command
const header = new Uint32Array(3 + REQUEST_HEADER_SIZE / 4);
header[3 + REQ_DIGEST_AT] = DIGEST_AT;
const group = new BatchGroup();

/** Fills a slot with a single command or a batch row on this digest. */
function fill(slot: CommandSlot, digest: Uint8Array, shard: Shard, isRow: boolean): void {
  const command = Buffer.concat([Buffer.alloc(4, 0xee), digest, Buffer.from([0, 3])]);
  if (isRow) slot.fillRow(group, command, 0, ROW_PREFIX_SIZE, command.length - ROW_PREFIX_SIZE, shard);
  else slot.fill(header, 3, Buffer.concat([Buffer.alloc(DIGEST_AT + 2), digest]), 2, DIGEST_AT + 20, shard);
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
    fill(slot, bytes, shard, this.used % 2 === 0);
    if (front !== null) {
      this.slots.wait(front, slot);
      expected!.waiting.push(slot);
    } else {
      this.slots.park(slot);
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
    const next = this.slots.leave(slot);
    this.used--;
    if (next !== (waiting[0] ?? null)) return 'the line is in another order';
    if (next === null) return '';
    if (next.bytes[next.digestAt] !== done!.digest) return "a slot lost its command's bytes";
    this.slots.park(next); // it waits for the device in its turn
    this.parked.push({ ...done!, slot: next, waiting: waiting.slice(1) });
    return '';
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
  slot.fill(header, 3, long, 1000, 299_000, SHARDS[0]);
  t.is(slot.size, 299_000);
  t.is(slot.header[REQ_DIGEST_AT], DIGEST_AT);
  t.deepEqual(Buffer.from(slot.bytes.subarray(0, 299_000)), Buffer.from(long.subarray(1000)));
  slot.fillRow(group, long, 10, 500, 200_000, SHARDS[1]);
  const row = Buffer.concat([long.subarray(10, 10 + ROW_PREFIX_SIZE), long.subarray(500, 200_500)]);
  t.deepEqual(Buffer.from(slot.bytes.subarray(0, slot.size)), row);
  t.is(slot.group, group);
  slots.give(slot);
  t.true(slot.bytes.length <= 64 * 1024);
  t.is(slots.take(), slot);
  t.is(slot.group, null);
});
