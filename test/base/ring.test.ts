import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import fc from 'fast-check';
import { allocateShared } from '../../src/base/arena.js';
import { createRing, RingConsumer, RingProducer } from '../../src/base/ring.js';
import type { StressReport, StressTask } from './ring-stress.js';

const RING = new URL('../../src/base/ring.js', import.meta.url);
const STRESS = new URL('./ring-stress.js', import.meta.url);

/** Runs both ends in threads. @returns The first fault, or '' when every frame arrived as it was sent. */
async function stress(module: URL, capacity: number, frameCount: number, timeoutMs: number): Promise<string> {
  const shared = createRing(capacity);
  const stop = allocateShared(8);
  const workers: Worker[] = [];
  const run = (role: StressTask['role']) =>
    new Promise<StressReport>((resolve, reject) => {
      const task: StressTask = { role, module: module.href, shared, frameCount, stop };
      const worker = new Worker(STRESS, { workerData: task });
      workers.push(worker);
      worker.once('message', resolve);
      worker.once('error', reject);
    });
  let timer: NodeJS.Timeout | undefined;
  const stuck = new Promise<string>(resolve => {
    timer = setTimeout(resolve, timeoutMs, `stuck: nothing ended in ${timeoutMs} ms`);
  });
  const ended = Promise.all([run('producer'), run('consumer')]).then(reports => {
    const fault = reports.find(r => r.fault)?.fault;
    return fault ?? (reports.every(r => r.frames === frameCount) ? '' : 'lost: frames are missing');
  });
  try {
    return await Promise.race([ended, stuck]);
  } finally {
    clearTimeout(timer);
    await Promise.all(workers.map(worker => worker.terminate()));
  }
}

for (const [capacity, frameCount] of [
  [4096, 300_000],
  [65_536, 500_000],
] as const) {
  test(`two threads, ${capacity} bytes: no frame of ${frameCount} is lost, torn, doubled or reordered`, async t => {
    t.is(await stress(RING, capacity, frameCount, 300_000), '');
  });
}

/**
 * The ring with one Atomics call taken out and a plain access put where it compiles as well but orders nothing.
 * On x86 a plain access in the very same place happens to work, since the processor keeps loads and stores in order
 * and V8 moves neither; so each copy does in the open what another processor or compiler would do unseen.
 */
const BROKEN: { title: string; code: string; instead: string; where?: [string, string] }[] = [
  {
    title: 'TAIL is published by a plain store that comes before the frame is filled',
    code: 'Atomics.store(this.region.i32, TAIL, this.#tail | 0);',
    instead: '',
    where: ['this.#reservedUnit = at;', 'this.region.i32[TAIL] = this.#tail + need;'],
  },
  {
    title: 'HEAD is released by a plain store that comes before the frame is read',
    code: 'Atomics.store(words, HEAD, this.#head | 0);',
    instead: '',
    where: ['this.size = size;', 'this.region.i32[HEAD] = this.#head + ((size + 15) >>> 3);'],
  },
  {
    title: 'TAIL is loaded only once, as a compiler may do with a plain load in a loop',
    code: 'this.#tail = Atomics.load(this.region.i32, TAIL) >>> 0;\n                if',
    instead: 'this.#tail ||= this.region.i32[TAIL] >>> 0;\n                if',
  },
  {
    title: 'frames are read before TAIL is loaded, as a processor may do with plain loads',
    code: 'this.#tail = Atomics.load(this.region.i32, TAIL) >>> 0;\n                if',
    instead: 'this.#tail = this.#head + 1;\n                if',
  },
  {
    title: 'the producer takes HEAD for granted',
    code: 'this.#head = Atomics.load(this.region.i32, HEAD) >>> 0;',
    instead: 'this.#head = this.#tail;',
  },
  {
    title: 'TAIL is never published',
    code: 'Atomics.store(this.region.i32, TAIL, this.#tail | 0);',
    instead: '',
  },
];

for (const { title, code, instead, where } of BROKEN) {
  test(`the stress test notices when ${title}`, async t => {
    const source = readFileSync(RING, 'utf8');
    // In what is compiled the numbers stand where the names of constants were.
    const compiled = (text: string): string =>
      text.replace(/\b(?:HEAD|TAIL)\b/g, name => new RegExp(`const ${name} = (\\d+);`).exec(source)![1]!);
    t.true(source.includes(compiled(code)), 'the compiled ring has the call that is taken out');
    let broken = source.replace(compiled(code), compiled(instead));
    if (where) {
      t.true(broken.includes(where[0]));
      broken = broken.replace(where[0], `${where[0]} ${compiled(where[1])}`);
    }
    const folder = mkdtempSync(path.join(tmpdir(), 'ring-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const arena = pathToFileURL(path.join(path.dirname(fileURLToPath(RING)), 'arena.js')).href;
    const file = path.join(folder, 'ring.mjs');
    writeFileSync(file, broken.replace("'./arena.js'", `'${arena}'`));
    const fault = await stress(pathToFileURL(file), 4096, 300_000, 3000);
    t.regex(fault, /^(lost|torn|doubled|stuck)/);
    t.log(fault);
  });
}

test('frames come out as they went in, whatever the order of pushes and pops', t => {
  const step = fc.record({ push: fc.boolean(), size: fc.nat(1016), slack: fc.nat(40), show: fc.boolean() });
  const property = fc.property(fc.array(step, { maxLength: 400 }), steps => {
    const shared = createRing(4096);
    const [producer, consumer] = [new RingProducer(shared), new RingConsumer(shared)];
    const sent: { size: number; user: number }[] = [];
    let visible = 0;
    let popped = 0;
    for (const { push, size, slack, show } of steps) {
      if (push) {
        const at = producer.reserve(Math.min(size + slack, producer.payloadSizeMax));
        if (at < 0) {
          producer.publish();
          visible = sent.length;
          if (producer.isDrained) return false; // an empty ring has room for any frame
          continue;
        }
        if (at % 8 !== 0) return false;
        producer.region.u8.fill(sent.length, at, at + size);
        producer.commit(size, sent.length);
        sent.push({ size, user: sent.length });
        if (show) {
          producer.publish();
          visible = sent.length;
        }
        continue;
      }
      const at = consumer.next();
      if (at >= 0 !== popped < visible) return false;
      if (at >= 0) {
        const frame = sent[popped++]!;
        if (consumer.size !== frame.size || consumer.user !== frame.user) return false;
        if (consumer.region.u8.subarray(at, at + frame.size).some(b => b !== (frame.user & 0xff)))
          return false;
      }
      if (show || at < 0) consumer.release();
    }
    return true;
  });
  t.notThrows(() => fc.assert(property, { numRuns: 300 }));
});

test('a full ring refuses a frame until the consumer releases room', t => {
  const shared = createRing(4096);
  const [producer, consumer] = [new RingProducer(shared), new RingConsumer(shared)];
  let count = 0;
  while (producer.reserve(120) >= 0) {
    producer.commit(120, count++);
  }
  t.is(count, 32);
  t.true(producer.publish());
  t.false(producer.publish(), 'nothing new to show');
  t.true(consumer.next() >= 0);
  t.is(producer.reserve(120), -1, 'popped, but not released');
  consumer.release();
  t.true(producer.reserve(120) >= 0);
  t.false(producer.isDrained);
});

test('a capacity that is no power of two is refused', t => {
  for (const capacity of [0, 100, 2048, 5000])
    t.throws(() => createRing(capacity), { instanceOf: RangeError });
});
