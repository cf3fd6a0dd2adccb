/**
 * Commands of the main thread and of the workers on the same few records of a file namespace, with defrag and checkpoints
 * at work and more written than the file holds; then a kill, and a start.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { ringRefusal } from '../../src/storage/io/uring-io.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import {
  type Answer,
  answersOf,
  DELETE,
  digestOf,
  GET,
  int64,
  type Message,
  messageFrame,
  op,
  put,
  read,
  type WireClient,
  write,
} from '../support/wire-client.js';

const FLUSH_MAX_MS = 300;
const KEYS = 1200;
const CLIENTS = 16;
const DEPTH = 16;
const ROUNDS = 130; // 33,000 writes of 3 KB: 100 MB
const VALUE_SIZE = 3000; // bytes
const BACKENDS = ringRefusal() === '' ? ['', 'node'] : ['node'];

/** Adds 1 to the record's counter and writes a value of one number all over. */
function increment(tag: number, isByWorker: boolean): Message {
  const value = Buffer.alloc(VALUE_SIZE);
  for (let at = 0; at < VALUE_SIZE; at += 4) value.writeUInt32LE(tag, at);
  const message = put(op(5, 'n', 1, int64(1)), write('v', value));
  // The main thread leaves to the workers what answers values to writes.
  return isByWorker ? { ...message, info1: 1, ops: [...message.ops!, read('n')] } : message;
}

function counterOf({ ops }: Answer): number {
  return Number(ops.find(({ name }) => name === 'n')!.value.readBigInt64BE());
}

/** The number that the value is full of, or -1. */
function tagOf({ ops }: Answer): number {
  const { value } = ops.find(({ name }) => name === 'v')!;
  const tag = value.readUInt32LE(0);
  for (let at = 0; at < VALUE_SIZE; at += 4) if (value.readUInt32LE(at) !== tag) return -1;
  return tag;
}

interface Key {
  sent: number;
  /** Acknowledged, and of those what was so long before the kill. */
  done: number;
  durable: number;
  readonly tags: Set<number>;
}

for (const io of BACKENDS)
  test.serial(
    `${io || 'io_uring'}: what the main thread and workers write at once is all there, after a kill too`,
    async t => {
      t.timeout(240_000);
      const server = await TestServer.start(t, {
        service: ['service-threads 2', 'transaction-max-ms 60000'],
        environment: { CALTROP_IO: io },
        namespaces: [
          {
            name: 'test',
            storage: `storage-engine device {
            file DIRECTORY/test.dat
            filesize 64M
            flush-max-ms ${FLUSH_MAX_MS}
            flush-size 64K
            post-write-cache 8M
            defrag-sleep 0
            defrag-lwm-pct 60
          }`,
          },
        ],
      });
      const keys: Key[] = Array.from({ length: KEYS }, () => ({
        sent: 0,
        done: 0,
        durable: 0,
        tags: new Set(),
      }));
      let lastTag = 0;
      let overloads = 0;
      let isKilled = false;

      const run = async (client: WireClient, c: number, rounds: number): Promise<void> => {
        for (let round = 0; round < rounds; round++) {
          const at: number[] = [];
          for (let i = 0; i < DEPTH; i++) {
            const number = Math.floor(Math.random() ** 2 * KEYS); // some are everybody's
            at.push(number);
            const key = keys[number]!;
            key.sent++;
            key.tags.add(++lastTag);
            const message = increment(lastTag, (c + i) % 3 === 0);
            client.send(messageFrame({ ...message, digest: digestOf(number), timeoutMs: 60_000 }));
          }
          for (const number of at) {
            const answer = answersOf(await client.frame())[0]!;
            if (answer.code === 0) keys[number]!.done++;
            else if (answer.code === 18) overloads++;
            else t.fail(`code ${answer.code}`);
          }
          // And one that everybody deletes and makes again: markers and old versions.
          const digest = digestOf('fleeting');
          client.send(messageFrame({ ...(round % 2 === 0 ? DELETE : put(write('v', c))), digest }));
          t.true([0, 2, 18].includes(answersOf(await client.frame())[0]!.code));
        }
      };
      const connect = (): Promise<WireClient[]> =>
        Promise.all(Array.from({ length: CLIENTS }, () => server.connect()));
      const check = async (isExact: boolean): Promise<void> => {
        const client = await server.connect();
        for (const [number, { sent, done, durable, tags }] of keys.entries()) {
          const answer = await client.command({ ...GET, digest: digestOf(number) });
          if (answer.code !== 0) {
            t.is(durable, 0, `record ${number} is gone`);
            continue;
          }
          const counter = counterOf(answer);
          t.true(counter >= (isExact ? done : durable), `record ${number}: ${counter} of ${done}`);
          t.true(counter <= (isExact ? done : sent), `record ${number}: ${counter} of ${sent}`);
          t.is(answer.generation, counter, 'one generation an increment');
          t.true(tags.has(tagOf(answer)), `record ${number} holds what nobody wrote there`);
        }
        client.close();
      };

      await Promise.all((await connect()).map((client, c) => run(client, c, ROUNDS)));
      await check(true);
      const writes = await server.statistic('client_write_success', 'namespace/test');
      t.true(writes >= keys.reduce((sum, { done }) => sum + done, 0));
      t.true(
        (await server.statistic('storage-engine.file[0].defrag_reads', 'namespace/test')) > 0,
        'defrag was at work',
      );

      await server.flushed();
      for (const key of keys) key.durable = key.done;
      const clients = await connect();
      const load = clients.map((client, c) =>
        run(client, c, ROUNDS).catch(error => isKilled || t.fail(String(error))),
      );
      await sleep(800);
      const markedMs = performance.now();
      for (const key of keys) key.durable = key.done;
      // That is after flush-max-ms, or as soon as a busy machine lets it.
      await until('all of that is on the device', async () => (await server.flushedThroughMs()) > markedMs);
      isKilled = true;
      await server.stop('SIGKILL');
      for (const client of clients) client.close();
      await Promise.all(load);
      await server.run();
      await check(false);
      t.log(`${lastTag} increments, ${overloads} refused`);
    },
  );
