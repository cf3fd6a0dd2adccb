import { Worker } from 'node:worker_threads';
import test from 'ava';
import { CounterNames, Counters, counterBlock } from '../../src/observe/counters.js';
import * as namespaceCounters from '../../src/observe/namespace-counters.js';
import * as serviceCounters from '../../src/observe/service-counters.js';

test('a sum adds the blocks of all writers', t => {
  const counters = new Counters(namespaceCounters.NAMESPACE_COUNTERS);
  const first = counters.addBlock().f64;
  const second = counterBlock(counters.addBlock().shared);
  first[namespaceCounters.CLIENT_READ_SUCCESS]! += 3;
  second[namespaceCounters.CLIENT_READ_SUCCESS]! += 4;
  second[namespaceCounters.CLIENT_READ_NOT_FOUND]! += 1;
  t.is(counters.sum(namespaceCounters.CLIENT_READ_SUCCESS), 7);
  t.is(counters.sumOf('client_read_not_found'), 1);
  t.is(counters.sumOf('client_write_success'), 0);
  t.is(counters.sumOf('no_such_counter'), 0);
});

test('increments of another thread are seen by the thread that sums', async t => {
  const counters = new Counters(serviceCounters.SERVICE_COUNTERS);
  const { shared } = counters.addBlock();
  const source = `const { workerData } = require('node:worker_threads');
    const block = new Float64Array(workerData.shared);
    for (let i = 0; i < 100000; i++) block[workerData.slot] += 1;`;
  const worker = new Worker(source, {
    eval: true,
    workerData: { shared, slot: serviceCounters.INFO_COMPLETE },
  });
  await new Promise(resolve => worker.once('exit', resolve));
  t.is(counters.sum(serviceCounters.INFO_COMPLETE), 100_000);
});

for (const [title, table, module] of [
  ['namespace', namespaceCounters.NAMESPACE_COUNTERS, namespaceCounters],
  ['service', serviceCounters.SERVICE_COUNTERS, serviceCounters],
] as const) {
  test(`every exported ${title} slot is the slot of its own name`, t => {
    const slots = Object.entries(module).filter(([, value]) => typeof value === 'number');
    t.true(slots.length > 10);
    for (const [name, value] of slots) t.is(table.names[value as number], name.toLowerCase());
  });
}

test('a misspelt or doubled counter name stops the start', t => {
  t.throws(() => namespaceCounters.NAMESPACE_COUNTERS.slot('client_reed_success'), {
    message: /client_reed/,
  });
  t.throws(() => new CounterNames('a b a'), { message: /a is listed twice/ });
});
