import test from 'ava';
import fc from 'fast-check';
import { Region } from '../../../src/base/arena.js';
import { Scratch } from '../../../src/base/scratch.js';
import { ParticleSpan } from '../../../src/data/particle-span.js';
import { Bins, writeImageHeader } from '../../../src/shard/command/bins.js';

/** An op image: u32 length of the rest, op, particle type, flags, name size, name, value. */
function image(name: string, value: string, opCode: number): Uint8Array {
  const nameBytes = Buffer.from(name);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(4 + nameBytes.length + value.length, 0);
  head.set([opCode, 3, 0, nameBytes.length], 4);
  return Buffer.concat([head, nameBytes, Buffer.from(value)]);
}

/** Names and values in the images of a written record. */
function decode(bytes: Buffer): [string, string][] {
  const out: [string, string][] = [];
  for (let p = 0; p < bytes.length; ) {
    const end = p + 4 + bytes.readUInt32BE(p);
    const nameEnd = p + 8 + bytes[p + 7]!;
    if (bytes[p + 4] !== 1 || bytes[p + 6] !== 0) throw new Error('not as a read op');
    out.push([bytes.toString('utf8', p + 8, nameEnd), bytes.toString('utf8', nameEnd, end)]);
    p = end;
  }
  return out;
}

function written(bins: Bins): [string, string][] {
  const region = new Region(bins.totalSize() + 10);
  const out = Buffer.from(region.shared).fill(0xee);
  const end = bins.writeAll(region, 5);
  if (end !== 5 + bins.totalSize() || out[4] !== 0xee || out[end] !== 0xee)
    throw new Error('another size than announced');
  return decode(out.subarray(5, end));
}

const sorted = (pairs: Iterable<[string, string]>): [string, string][] =>
  [...pairs].sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));

/** `isApart`: the value lies apart from its name, as an operation leaves it. */
type Step = { put: number; value: string; isApart: boolean } | { remove: number } | { clear: true };

const span = new ParticleSpan();

/** Names of which some differ in their last byte alone, one is empty, one as long as it may be. */
const nameOf = (n: number): string => (n === 0 ? '' : n === 1 ? 'x'.repeat(15) : `bin-${n}`);

/** Applies the steps to both, comparing all the way. */
function compare(loadedCount: number, nameCount: number, steps: readonly Step[]): void {
  const model = new Map<string, string>();
  const loaded: Uint8Array[] = [];
  for (let i = 0; i < loadedCount; i++) {
    model.set(nameOf(i), `loaded ${i}`);
    loaded.push(image(nameOf(i), `loaded ${i}`, 1));
  }
  const bins = new Bins();
  const source = Buffer.concat([Buffer.alloc(3), ...loaded]);
  bins.load(source, 3, loadedCount);
  for (const step of steps) {
    if ('clear' in step) {
      bins.clear();
      model.clear();
      continue;
    }
    const name = nameOf(('put' in step ? step.put : step.remove) % nameCount);
    const nameBytes = Buffer.from(`##${name}`);
    const index = bins.find(nameBytes, 2, nameBytes.length - 2);
    if (index >= 0 !== model.has(name)) throw new Error(`find(${name}) is ${index}`);
    if ('put' in step) {
      const bytes = image(name, step.isApart ? 'the body of an operation' : step.value, 2);
      const named = Buffer.concat([Buffer.alloc(7), bytes]);
      if (step.isApart) {
        span.set(3, Buffer.from(`##${step.value}##`), 2, step.value.length);
        bins.putValue(index, named, 7, span);
      } else {
        bins.put(index, named, 7, bytes.length);
      }
      model.set(name, step.value);
    } else if (index >= 0) {
      bins.remove(index);
      model.delete(name);
    }
    if (bins.count !== model.size) throw new Error('count');
  }
  const got = sorted(written(bins));
  if (JSON.stringify(got) !== JSON.stringify(sorted(model))) throw new Error(`${JSON.stringify(got)}`);
  for (const name of model.keys()) {
    const bytes = Buffer.from(name);
    const index = bins.find(bytes, 0, bytes.length);
    if (index < 0) throw new Error(`${name} is not found at the end`);
    bins.value(index, span);
    const value = Buffer.from(span.bytes.subarray(span.at, span.at + span.size)).toString();
    if (span.type !== 3 || value !== model.get(name)) throw new Error(`${name} is ${value} at the end`);
  }
}

const steps = (maxLength: number): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          put: fc.nat(),
          value: fc.string({ unit: 'grapheme-ascii', maxLength: 5 }),
          isApart: fc.boolean(),
        }),
      },
      { weight: 4, arbitrary: fc.record({ remove: fc.nat() }) },
      { weight: 1, arbitrary: fc.constant({ clear: true } as const) },
    ),
    { maxLength },
  );

test('bins behave as a map of names to values', t => {
  fc.assert(
    fc.property(fc.nat(40), fc.integer({ min: 2, max: 60 }), steps(120), (loaded, names, list) =>
      compare(Math.min(loaded, names), names, list),
    ),
    { numRuns: 300 },
  );
  t.pass();
});

test('the same with so many bins that names are found by hash and the table grows', t => {
  fc.assert(
    fc.property(fc.integer({ min: 20, max: 400 }), steps(600), (loaded, list) => compare(loaded, 500, list)),
    { numRuns: 40 },
  );
  t.pass();
});

test('one Bins serves records of any size one after another', t => {
  const bins = new Bins();
  for (const count of [1000, 3, 100, 25, 24, 30_000, 26, 0, 500]) {
    const all = Buffer.concat(Array.from({ length: count }, (_, i) => image(`n${i}`, `${i}`, 1)));
    bins.load(all, 0, count);
    for (let i = 0; i < count; i += 7) {
      const name = Buffer.from(`n${i}`);
      const index = bins.find(name, 0, name.length);
      if (index !== i) t.fail(`n${i} of ${count} is at ${index}`);
    }
    t.is(bins.find(Buffer.from('missing'), 0, 7), -1);
    t.is(written(bins).length, count);
  }
});

test('scratch memory keeps every value of a command, however much is taken', t => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 100_000 }), { maxLength: 40 }), sizes => {
      const scratch = new Scratch();
      const taken: [Uint8Array, number, number, number][] = [];
      for (const [i, size] of sizes.entries()) {
        const at = scratch.take(size);
        scratch.bytes.fill(i, at, at + size);
        taken.push([scratch.bytes, at, size, i]);
      }
      for (const [bytes, at, size, mark] of taken) {
        for (let i = at; i < at + size; i++) if (bytes[i] !== mark) throw new Error('overwritten');
      }
      scratch.reset();
      if (scratch.take(1) !== 0) throw new Error('not reset');
    }),
  );
  t.pass();
});

test('what the bins lay in is let go of', t => {
  const bins = new Bins();
  const large = new Uint8Array(1000);
  large.set(image('a', 'x', 2));
  bins.load(large, 0, 1);
  bins.putValue(0, large, 0, span);
  bins.forget();
  t.is(bins.count, 0);
  t.is(bins.sources.length, 0);
  bins.load(image('b', 'y', 1), 0, 1);
  t.deepEqual(written(bins), [['b', 'y']]);
});

test('an image header is an op that reads', t => {
  const out = Buffer.alloc(40, 0xaa);
  const valueAt = writeImageHeader(out, 4, 20, Buffer.from('__name'), 2, 4, 9);
  t.is(valueAt, 16);
  t.is(out.toString('hex', 4, 16), '00000011011400046e616d65');
  t.is(out[16], 0xaa);
});
