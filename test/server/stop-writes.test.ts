/** A namespace stops taking writes before it is full, says so in every place, and goes on when there is room. */
import test from 'ava';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import {
  DELETE,
  digestOf,
  GET,
  type Message,
  op,
  put,
  type WireClient,
  write,
} from '../support/wire-client.js';

const VALUE = Buffer.alloc(10_000, 7);
const OUT_OF_SPACE = 8;

const FILE = `storage-engine device {
  file DIRECTORY/test.dat
  filesize 64M
  flush-max-ms 50
  stop-writes-used-pct 30
}`;
const MEMORY = `storage-engine memory {
  data-size 32M
  stop-writes-used-pct 30
}`;

const ask = (client: WireClient, name: string | number, message: Message): Promise<{ code: number }> =>
  client.command({ ...message, digest: digestOf(name) });

/** Waits until the namespace says so. */
function untilStopped(server: TestServer, isStopped: boolean): Promise<void> {
  const state = `;stop_writes=${isStopped};`;
  return until(state, async () => (await server.info('namespace/test')).includes(state));
}

/** Puts records, more than the limit lets stay, until one is refused. @returns How many were taken. */
async function fill(client: WireClient): Promise<number> {
  for (let i = 0; i < 2500; i++) {
    const { code } = await ask(client, i, put(write('a', VALUE)));
    if (code === OUT_OF_SPACE) return i;
  }
  return 2500;
}

for (const [kind, storage] of [
  ['device', FILE],
  ['memory', MEMORY],
] as const) {
  test(`${kind}: stop-writes-used-pct refuses writes, not reads and deletes, until there is room`, async t => {
    const server = await TestServer.start(t, { namespaces: [{ name: 'test', storage }] });
    const client = await server.connect();
    const count = await fill(client);
    t.true(count > 300, `${count} records`);
    await untilStopped(server, true);
    t.true((await server.statistic('data_used_pct', 'namespace/test')) >= 30);
    t.is((await ask(client, 0, put(write('a', 1)))).code, OUT_OF_SPACE, 'an update');
    t.is((await ask(client, 0, put(op(11)))).code, OUT_OF_SPACE, 'a touch');
    t.is((await ask(client, 0, GET)).code, 0);
    await server.printed(
      /WARNING \(namespace\): \{test\} breached stop-writes limit: data-used-pct \d+ is above/,
    );
    for (let i = 0; i < count * 0.8; i++) t.is((await ask(client, i, DELETE)).code, 0);
    await untilStopped(server, false);
    t.is((await ask(client, 'new', put(write('a', 1)))).code, 0);
    await server.printed(/\{test\} no longer in stop-writes/);
  });
}

test('stop-writes-avail-pct and stop-writes-sys-memory-pct stop writes as they are set, and let them go on', async t => {
  const server = await TestServer.start(t, { namespaces: [{ name: 'test', storage: FILE }] });
  const client = await server.connect();
  const change = async (setting: string): Promise<void> => {
    t.is(await server.info(`set-config:context=namespace;id=test;${setting}`), 'ok');
  };
  t.is((await ask(client, 'a', put(write('a', 1)))).code, 0);
  for (const [name, on, off, said] of [
    ['stop-writes-avail-pct', 100, 5, /data-avail-pct \d+ is below stop-writes-avail-pct 100/],
    ['stop-writes-sys-memory-pct', 1, 0, /memory are used, above stop-writes-sys-memory-pct 1/],
  ] as const) {
    await change(`${name}=${on}`);
    await untilStopped(server, true);
    t.is((await ask(client, 'a', put(write('a', 2)))).code, OUT_OF_SPACE, name);
    await server.printed(said);
    await change(`${name}=${off}`);
    await untilStopped(server, false);
    t.is((await ask(client, 'a', put(write('a', 3)))).code, 0, name);
  }
});

test('the state is known from the first command after a start', async t => {
  const server = await TestServer.start(t, { namespaces: [{ name: 'test', storage: FILE }] });
  const client = await server.connect();
  t.true((await fill(client)) > 300);
  await untilStopped(server, true);
  await server.stop();
  await server.run();
  t.is((await ask(await server.connect(), 'new', put(write('a', 1)))).code, OUT_OF_SPACE);
});
