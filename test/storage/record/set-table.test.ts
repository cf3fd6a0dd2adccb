import { Worker } from 'node:worker_threads';
import test from 'ava';
import fc from 'fast-check';
import { createSetTable, SET_COUNT_MAX, SetTable } from '../../../src/storage/record/set-table.js';

const MODULE = new URL('../../../src/storage/record/set-table.js', import.meta.url);

const ask = (table: SetTable, name: string, how: 'find' | 'findOrAdd'): number => {
  const bytes = Buffer.from(`..${name}..`);
  return table[how](bytes, 2, bytes.length - 4);
};

test('names and numbers go both ways, as in a map', t => {
  const name = fc.string({ maxLength: 20 }).filter(s => Buffer.byteLength(s) <= 63);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), name), { maxLength: 100 }), steps => {
      const shared = createSetTable();
      const tables = [new SetTable(shared), new SetTable(shared)]; // as two threads have them
      const model = new Map<string, number>([['', 0]]);
      for (const [i, [adds, one]] of steps.entries()) {
        const table = tables[i % 2]!;
        const id = ask(table, one, adds ? 'findOrAdd' : 'find');
        if (adds && !model.has(one)) model.set(one, model.size);
        if (id !== (model.get(one) ?? -1)) throw new Error(`${one} is ${id}`);
        if (table.count !== model.size - 1) throw new Error('count');
      }
      for (const [one, id] of model) {
        if (tables[1]!.nameOf(id) !== one) throw new Error(`${id} is not ${one}`);
        if (tables[0]!.nameSize(id) !== Buffer.byteLength(one)) throw new Error('size');
      }
    }),
  );
  t.pass();
});

test('names of 63 bytes and 4095 of them, and no more', t => {
  const table = new SetTable(createSetTable());
  t.is(ask(table, 'x'.repeat(64), 'findOrAdd'), -1);
  t.is(ask(table, 'x'.repeat(63), 'findOrAdd'), 1);
  for (let i = 2; i <= SET_COUNT_MAX; i++) t.is(ask(table, `set-${i}`, 'findOrAdd'), i);
  t.is(ask(table, 'another', 'findOrAdd'), -1);
  t.is(ask(table, 'another', 'find'), -1);
  t.is(ask(table, 'set-77', 'findOrAdd'), 77);
  t.is(table.count, SET_COUNT_MAX);
});

test('two threads that add the same names agree on every number, and lose none', async t => {
  const COUNT = 4000;
  const shared = createSetTable();
  const code = `
    import { parentPort, workerData } from 'node:worker_threads';
    const { SetTable } = await import(workerData.module);
    const table = new SetTable(workerData.shared);
    const ids = new Array(workerData.count);
    for (let n = 0; n < workerData.count; n++) {
      const i = workerData.backwards ? workerData.count - 1 - n : n; // they meet in the middle
      const name = Buffer.from('name-' + i);
      ids[i] = table.findOrAdd(name, 0, name.length);
    }
    parentPort.postMessage(ids);`;
  const run = (backwards: boolean): Promise<number[]> =>
    new Promise((resolve, reject) => {
      const workerData = { module: MODULE.href, shared, count: COUNT, backwards };
      const worker = new Worker(code, { eval: true, workerData });
      t.teardown(() => worker.terminate());
      worker.once('message', resolve);
      worker.once('error', reject);
    });
  const [forwards, backwards] = await Promise.all([run(false), run(true)]);
  t.deepEqual(forwards, backwards);
  t.is(new Set(forwards).size, COUNT);
  const table = new SetTable(shared);
  t.is(table.count, COUNT);
  for (let i = 0; i < COUNT; i++) if (table.nameOf(forwards[i]!) !== `name-${i}`) t.fail(`name-${i}`);
});
