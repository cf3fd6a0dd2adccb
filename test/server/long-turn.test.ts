/**
 * A batch or many commands that each take milliseconds keep a worker busy for seconds. It looks after its devices
 * meanwhile, so that what was acknowledged before is written within flush-max-ms. Told by the flush trace of crash runs.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { TestServer } from '../support/server.js';
import { digestOf, type Message, op, put, type Row, write } from '../support/wire-client.js';

const FLUSH_TRACE = new URL('../support/crash/flush-trace.js', import.meta.url).href;
const OP_APPEND = 9;
/** It is packed anew, slowly, by every write. */
const VALUE = Buffer.from(
  Array.from({ length: 6000 }, (_, i) => createHash('sha256').update(String(i)).digest('hex')).join(''),
);
const KEYS = 32;
const ROWS = 64;
/** Milliseconds of processor time that a worker may take between two looks at its devices: a few commands. */
const BUSY_MS_MAX = 150;

const APPEND: Message = { ...put(op(OP_APPEND, 'v', 4, Buffer.from('.'))), timeoutMs: 60_000 };

async function start(t: ExecutionContext, cache: string): Promise<{ server: TestServer; traces: string }> {
  let traces = '';
  const environment: Record<string, string> = {
    NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --import=${FLUSH_TRACE}`,
  };
  const server = await TestServer.start(t, {
    service: ['service-threads 1'],
    environment,
    prepare: directory => {
      traces = path.join(directory, 'traces');
      mkdirSync(traces);
      environment.CALTROP_TEST_FLUSH_TRACE = traces;
    },
    namespaces: [
      {
        name: 'test',
        storage: `storage-engine device {
          file DIRECTORY/test.dat
          filesize 256M
          compression zstd
          compression-level 9
          post-write-cache ${cache}
        }`,
      },
    ],
  });
  const client = await server.connect();
  for (let key = 0; key < KEYS; key++) {
    t.is((await client.command({ ...put(write('v', VALUE)), digest: digestOf(key) })).code, 0);
  }
  client.close();
  return { server, traces };
}

/** Of the worker: processor time since tick number `from`, and the most of it between two looks at its devices. */
async function busy(traces: string, from: number): Promise<{ totalMs: number; longestMs: number }> {
  while (ticks(traces) < from + 2) await sleep(10); // it has looked again
  const [name] = readdirSync(traces);
  const ran = readFileSync(path.join(traces, name!), 'latin1')
    .split('\n')
    .filter(line => line.startsWith('tick '))
    .slice(from - 1)
    .map(line => Number(line.split(' ')[3]));
  const longestMs = Math.max(...ran.slice(1).map((ms, i) => ms - ran[i]!));
  return { totalMs: ran.at(-1)! - ran[0]!, longestMs };
}

function ticks(traces: string): number {
  const [name] = readdirSync(traces);
  return readFileSync(path.join(traces, name!), 'latin1').split('\ntick ').length - 1;
}

test('a worker looks after its devices between the rows of a batch', async t => {
  const { server, traces } = await start(t, '64M');
  const client = await server.connect();
  const from = ticks(traces);
  const rows = Array.from({ length: ROWS }, (_, index): Row => {
    return { ...APPEND, index, digest: digestOf(index % KEYS) };
  });
  const answer = await client.batch(rows);
  client.close();
  t.is(answer.rows.size, ROWS);
  const { totalMs, longestMs } = await busy(traces, from);
  t.log(`${totalMs.toFixed(0)} ms, at most ${longestMs.toFixed(0)} ms between two looks`);
  t.true(totalMs > 3 * BUSY_MS_MAX, `${totalMs} ms are no long batch`);
  t.true(longestMs < BUSY_MS_MAX, `${longestMs} ms between two looks`);
});

for (const [where, cache] of [
  ['memory', '64M'],
  ['a device', '0'],
] as const) {
  test(`and between commands of many clients, on records in ${where}`, async t => {
    const { server, traces } = await start(t, cache);
    const clients = await Promise.all(Array.from({ length: KEYS }, () => server.connect()));
    const from = ticks(traces);
    await Promise.all(
      clients.map(async (client, key) => {
        for (let i = 0; i < ROWS / KEYS; i++)
          t.is((await client.command({ ...APPEND, digest: digestOf(key) })).code, 0);
        client.close();
      }),
    );
    const { totalMs, longestMs } = await busy(traces, from);
    t.log(`${totalMs.toFixed(0)} ms, at most ${longestMs.toFixed(0)} ms between two looks`);
    t.true(totalMs > 3 * BUSY_MS_MAX, `${totalMs} ms are no long time`);
    t.true(longestMs < BUSY_MS_MAX, `${longestMs} ms between two looks`);
  });
}
