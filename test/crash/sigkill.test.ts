/**
 * A real server on a file namespace is killed under a write load, again and again on the same file. After
 * each start every write that was acknowledged more than flush-max-ms before the kill is there, every value
 * is one that was written, whole, and what was deleted that long ago stays deleted.
 */
import test from 'ava';
import { TestServer } from '../support/server.js';
import { DELETE, digestOf, GET, put, type WireClient, write } from '../support/wire-client.js';

const ROUNDS = 20;
const CONNECTIONS = 8;
const KEYS = 400;
const FLUSH_MAX_MS = 500;
const SEED = 20_261_122;
const OK = 0;
const NOT_FOUND = 2;

/** One write of a key: version 0 is a delete, or the time before the first write. */
interface Change {
  readonly version: number;
  readonly isDelete: boolean;
  ackedMs: number; // Infinity until it is acknowledged
}

/** What a key may hold: the newest change known to be durable, and every one after it. */
class Model {
  readonly changes = new Map<number, Change[]>();
  version = 0;

  begin(key: number, isDelete: boolean): Change {
    const change = { version: ++this.version, isDelete, ackedMs: Number.POSITIVE_INFINITY };
    const list = this.changes.get(key) ?? [{ version: 0, isDelete: true, ackedMs: 0 }];
    list.push(change);
    this.changes.set(key, list);
    return change;
  }

  /** The states a key may be in after a kill at `killedMs`. */
  possible(key: number, killedMs: number): Change[] {
    const list = this.changes.get(key)!;
    let first = 0;
    list.forEach((change, i) => {
      if (killedMs - change.ackedMs > FLUSH_MAX_MS) first = i;
    });
    return list.slice(first);
  }

  /** A start has shown which state it is; the others are forgotten. */
  settle(key: number, change: Change): void {
    this.changes.set(key, [{ ...change, ackedMs: 0 }]);
  }
}

/** A small seeded generator, so that a failure can be run again. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    return ((state ^ (state >>> 13)) >>> 0) / 0x1_0000_0000;
  };
}

/** 10 to 3,000 bytes that say key and version, and nothing else. */
function bytesOf(key: number, version: number): Buffer {
  const text = `${key}/${version};`;
  const size = 10 + ((key * 7919 + version * 104729) % 2990);
  return Buffer.alloc(Math.max(size, text.length), text);
}

async function load(client: WireClient, model: Model, lane: number, next: () => number): Promise<never> {
  for (;;) {
    const key = Math.floor((next() * KEYS) / CONNECTIONS) * CONNECTIONS + lane;
    const isDelete = next() < 0.15;
    const change = model.begin(key, isDelete);
    const digest = digestOf(key);
    const request = isDelete
      ? { ...DELETE, digest }
      : { ...put(write('v', bytesOf(key, change.version))), digest };
    const answer = await client.command(request);
    if (answer.code !== OK && !(isDelete && answer.code === NOT_FOUND))
      throw new Error(`code ${answer.code}`);
    change.ackedMs = performance.now();
  }
}

test('acknowledged writes and deletes older than flush-max-ms survive SIGKILL, twenty times', async t => {
  t.timeout(240_000);
  const server = await TestServer.start(t, {
    namespaces: [
      {
        name: 'test',
        storage: `storage-engine device {
          file DIRECTORY/test.dat
          filesize 1G
          flush-max-ms ${FLUSH_MAX_MS}
        }`,
      },
    ],
  });
  const next = random(SEED);
  const model = new Model();
  let checked = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => server.connect()));
    const loads = clients.map((client, lane) => load(client, model, lane, next).catch(() => {}));
    await new Promise(resolve => setTimeout(resolve, 600 + next() * 1200));
    const killedMs = performance.now();
    await server.stop('SIGKILL');
    for (const client of clients) client.close();
    await Promise.all(loads);

    await server.run();
    const reader = await server.connect();
    for (const key of model.changes.keys()) {
      const possible = model.possible(key, killedMs);
      const answer = await reader.command({ ...GET, digest: digestOf(key) });
      const value = answer.code === OK ? answer.ops[0]!.value : undefined;
      const found = possible.find(({ version, isDelete }) =>
        isDelete ? value === undefined : value?.equals(bytesOf(key, version)),
      );
      checked++;
      if (found === undefined) {
        t.fail(
          `round ${round}, key ${key}: ${value?.subarray(0, 20) ?? 'nothing'} is none of ${possible.length} states`,
        );
        return;
      }
      model.settle(key, found);
    }
    reader.close();
    const figures = await server.info('namespace/test');
    t.regex(figures, /storage-engine\.file\[0\]\.read_errors=0/);
  }
  t.true(checked > ROUNDS * 100);
});
