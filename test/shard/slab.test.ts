import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import fc from 'fast-check';
import { createSlab, SLAB_PAGE_SIZE, SlabConsumer, SlabProducer } from '../../src/shard/slab.js';

const PAGES = 16;

test('runs never overlap, and room that was freed is given out again', t => {
  const step = fc.oneof(
    fc.record({ take: fc.integer({ min: 1, max: (PAGES + 1) * SLAB_PAGE_SIZE }) }),
    fc.record({ free: fc.nat() }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), steps => {
      const memory = createSlab(PAGES * SLAB_PAGE_SIZE);
      const producer = new SlabProducer(memory);
      const consumer = new SlabConsumer(memory);
      const held = new Map<number, number>(); // ticket → pages
      const isFree = (page: number): boolean => {
        for (const [first, count] of held) if (page >= first && page < first + count) return false;
        return true;
      };
      for (const one of steps) {
        if ('free' in one) {
          const ticket = [...held.keys()][one.free % Math.max(1, held.size)];
          if (ticket === undefined) continue;
          consumer.free(ticket);
          held.delete(ticket);
          continue;
        }
        const count = Math.ceil(one.take / SLAB_PAGE_SIZE);
        const ticket = producer.take(one.take);
        let free = 0;
        let longest = 0;
        for (let page = 0; page < PAGES; page++)
          longest = Math.max(longest, (free = isFree(page) ? free + 1 : 0));
        if (ticket < 0) {
          if (longest >= count) throw new Error(`${longest} pages in a row are free, ${count} were refused`);
          continue;
        }
        for (let i = 0; i < count; i++) if (!isFree(ticket + i)) throw new Error('overlap');
        if (ticket + count > PAGES) throw new Error('past the end');
        held.set(ticket, count);
      }
    }),
  );
  t.pass();
});

test('the largest payload fits an empty slab, and one byte more never does', t => {
  const memory = createSlab(PAGES * SLAB_PAGE_SIZE);
  const producer = new SlabProducer(memory);
  t.is(producer.sizeMax, PAGES * SLAB_PAGE_SIZE);
  t.is(producer.take(producer.sizeMax + 1), -1);
  const ticket = producer.take(producer.sizeMax);
  t.is(ticket, 0);
  t.is(producer.take(1), -1);
  producer.drop(ticket);
  t.is(producer.take(1), 0);
});

test('two threads: no payload is torn or given out while it is read', async t => {
  const COUNT = 20_000;
  const memory = createSlab(PAGES * SLAB_PAGE_SIZE);
  // The tickets travel in messages, as they do in ring frames: one by one, in order.
  const worker = new Worker(
    `import { parentPort, workerData } from 'node:worker_threads';
     const { SlabConsumer } = await import(workerData.module);
     const consumer = new SlabConsumer(workerData.memory);
     let faults = 0;
     parentPort.on('message', list => {
       for (const [ticket, size, mark] of list) {
         const at = consumer.offsetOf(ticket);
         const words = consumer.region.u32;
         for (let i = 0; i < size; i += 4096) if (words[(at + i) >>> 2] !== mark) faults++;
         consumer.free(ticket);
       }
       parentPort.postMessage(faults);
     });`,
    {
      eval: true,
      workerData: { memory, module: new URL('../../src/shard/slab.js', import.meta.url).href },
    },
  );
  t.teardown(() => worker.terminate());
  const producer = new SlabProducer(memory);
  const words = producer.region.u32;
  let sent = 0;
  let faults = 0;
  let outstanding = 0;
  worker.on('message', (count: number) => {
    faults = count;
    outstanding--;
  });
  while (sent < COUNT) {
    const list: [number, number, number][] = [];
    for (; sent < COUNT && list.length < 8; sent++) {
      const size = 1 + ((sent * 7919) % (3 * SLAB_PAGE_SIZE));
      const ticket = producer.take(size);
      if (ticket < 0) break;
      const at = producer.offsetOf(ticket);
      for (let i = 0; i < size; i += 4096) words[(at + i) >>> 2] = sent;
      list.push([ticket, size, sent]);
    }
    if (list.length > 0) {
      worker.postMessage(list);
      outstanding++;
    }
    if (list.length < 8) await new Promise(resolve => setImmediate(resolve));
  }
  while (outstanding > 0) await once(worker, 'message');
  t.is(faults, 0);
});
