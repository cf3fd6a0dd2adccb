/** Connections of a whole server, on each engine: thousands, too many for the process, and ones that leak nothing. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { nativeModule } from '../../../src/base/native-module.js';
import { ConnectionFuzz, fill } from '../../support/connection-fuzz.js';
import { TestServer } from '../../support/server.js';
import { until } from '../../support/until.js';
import {
  answersOf,
  digestOf,
  GET,
  infoFrame,
  messageFrame,
  put,
  type WireClient,
  write,
} from '../../support/wire-client.js';

const ENGINES = typeof nativeModule() === 'string' ? ['node'] : ['node', 'native'];
const ROOM = 10; // descriptors that are left
const GET_K = messageFrame({ ...GET, digest: digestOf('k'), timeoutMs: 60_000 });

const descriptorCount = (server: TestServer): number => readdirSync(`/proc/${server.pid}/fd`).length;

/** Connects in steps that the backlog holds. */
async function connectAll(server: TestServer, count: number): Promise<WireClient[]> {
  const clients: WireClient[] = [];
  while (clients.length < count) {
    const step = Array.from({ length: Math.min(200, count - clients.length) }, () => server.connect());
    clients.push(...(await Promise.all(step)));
  }
  return clients;
}

function untilConnections(server: TestServer, count: number): Promise<void> {
  return until(`${count} connections are left`, async () => {
    return (await server.statistic('client_connections')) === count;
  });
}

for (const engine of ENGINES) {
  const service = [`socket-engine ${engine}`];

  test.serial(`${engine}: 5,000 connections at once, all asking, all ended in their own way`, async t => {
    const server = await TestServer.start(t, { service });
    t.regex(server.output, engine === 'native' ? /sockets by the native addon/ : /sockets by node:net,/);
    const first = await server.connect();
    await first.command({ ...put(write('a', 'value')), digest: digestOf('k') });
    const before = descriptorCount(server);
    const clients = await connectAll(server, 5000);
    for (const client of clients) client.send(GET_K);
    for (const client of clients) {
      t.is(answersOf(await client.frame())[0]!.ops[0]!.value.toString(), 'value');
    }
    t.is(await server.statistic('client_connections'), 5002);
    for (const [i, client] of clients.entries()) {
      if (i % 4 === 0) client.send(GET_K); // an answer that nobody waits for
      if (i % 2 === 0) client.reset();
      else if (i % 3 === 0) client.socket.end();
      else client.close();
    }
    await untilConnections(server, 2);
    t.true(descriptorCount(server) <= before + 2, 'every descriptor was given back');
    t.is((await first.command({ ...GET, digest: digestOf('k') })).code, 0);
  });

  test.serial(
    `${engine}: without descriptors clients are turned away, and come back when there are some`,
    async t => {
      const server = await TestServer.start(t, { service });
      const kept = await connectAll(server, 20);
      for (const client of kept) await client.ask(infoFrame('build\n')); // it was accepted
      const used = new Set(readdirSync(`/proc/${server.pid}/fd`).map(Number));
      let limit = 0; // one of numbers, not of how many
      for (let free = 0; free < ROOM; limit++) if (!used.has(limit)) free++;
      execFileSync('prlimit', ['--pid', String(server.pid), `--nofile=${limit}:20000`]);
      const more = await Promise.all(Array.from({ length: 60 }, () => server.connect()));
      for (const client of more) client.send(infoFrame('build\n'));
      const answered = await Promise.all(
        more.map(client =>
          client
            .frame()
            .then(Boolean)
            .catch(() => false),
        ),
      );
      const count = answered.filter(Boolean).length;
      t.true(count >= ROOM - 2 && count <= ROOM, `${count} found room`);
      for (const client of kept) t.is((await client.ask(infoFrame('build\n')))[1], 1);
      const startSec = server.processorSec();
      await sleep(2000);
      t.true(server.processorSec() - startSec <= 1, 'it does not spin');
      for (const client of [...more, ...kept]) client.close();
      await until('there is room again', async () => {
        const client = await server.connect();
        return client.ask(GET_K).then(
          frame => answersOf(frame)[0]!.code === 2,
          () => false,
        );
      });
    },
  );

  test.serial(`${engine}: connections that leave in the middle of a frame cost nothing`, async t => {
    const server = await TestServer.start(t, { service });
    const value = Buffer.alloc(100_000, 1);
    const frame = messageFrame({ ...put(write('a', value)), digest: digestOf('k') });
    const before = descriptorCount(server);
    for (let round = 0; round < 10; round++) {
      const clients = await connectAll(server, 100);
      for (const [i, client] of clients.entries()) client.send(frame.subarray(0, (i * 997) % frame.length));
      for (const [i, client] of clients.entries()) {
        if (i % 3 === 0) client.reset();
        else if (i % 3 === 1) client.socket.end();
        else client.close();
      }
    }
    await untilConnections(server, 1);
    t.true(descriptorCount(server) <= before + 2);
    t.is(await server.statistic('objects', 'namespace/test'), 0);
    t.true(server.residentSize() < 400 * 1024 * 1024);
  });
}

for (const engine of ENGINES) {
  test.serial(
    `${engine}: split, merged, cut off and reset connections get their own answers and no others`,
    async t => {
      const server = await TestServer.start(t, { service: [`socket-engine ${engine}`] });
      await fill(server.port);
      const before = descriptorCount(server);
      const seed = Date.now() % 1e9;
      const fuzz = new ConnectionFuzz(server.port, seed);
      await fuzz.run(4000, 500);
      t.log(`seed ${seed}, ${fuzz.connectionCount} connections, ${fuzz.answerCount} answers`);
      await untilConnections(server, 1);
      t.true(descriptorCount(server) <= before + 1);
      t.is(await server.stop(), 0);
    },
  );
}

test.serial('without the addon node:net serves, and the log says why', async t => {
  process.env.CALTROP_NATIVE = 'off';
  t.teardown(() => {
    delete process.env.CALTROP_NATIVE;
  });
  const server = await TestServer.start(t);
  t.regex(server.output, /sockets by node:net \(CALTROP_NATIVE=off\)/);
  t.is(answersOf(await (await server.connect()).ask(GET_K))[0]!.code, 2);
  await t.throwsAsync(TestServer.start(t, { service: ['socket-engine native'] }), {
    message: /ended with 3[\s\S]*service\.socket-engine: CALTROP_NATIVE=off/,
  });
});
