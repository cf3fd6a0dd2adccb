/**
 * Connections that come, ask, break off and go, thousands at once, against a server of its own on each socket
 * engine. Answers must be those of the connection that asked; at the end no connection, no descriptor and no memory
 * may be left.
 */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ConnectionFuzz, fill } from '../test/support/connection-fuzz.js';
import { TestServer } from '../test/support/server.js';

const HELP = `Lets connections ask, break off and go, and watches that nothing is mixed up or left behind.

Usage: scripts/fuzz-connections [options]
  --count N       connections on each engine (default 100000)
  --at-once N     side by side (default 5000; the limit of descriptors must allow it)
  --seconds N     stop after this time on an engine, whatever the count (default 600)
  --seed N        the same seed makes the same plans (default: a new one, printed)
  --engine NAME   native, node or both (default both)
  --rss-max MIB   most that memory may have grown at the end (default 300)
Exit status 1 when an answer was another's, the server ended, or something is left.`;

const MIB = 1024 * 1024;
const WARM_UP = 2000; // connections before memory is looked at

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '100000' },
      'at-once': { type: 'string', default: '5000' },
      seconds: { type: 'string', default: '600' },
      seed: { type: 'string', default: String(Date.now() % 1e9) },
      engine: { type: 'string', default: 'both' },
      'rss-max': { type: 'string', default: '300' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const engines = values.engine === 'both' ? ['native', 'node'] : [values.engine];
  for (const engine of engines) {
    await fuzz(engine, Number(values.count), Number(values['at-once']), {
      seed: Number(values.seed),
      endMs: performance.now() + Number(values.seconds) * 1000,
      growthMax: Number(values['rss-max']) * MIB,
    });
  }
}

interface Bounds {
  readonly seed: number;
  readonly endMs: number;
  readonly growthMax: number;
}

async function fuzz(engine: string, count: number, atOnce: number, bounds: Bounds): Promise<void> {
  const ends: (() => Promise<void>)[] = [];
  const server = await TestServer.start(
    { teardown: end => void ends.push(end) },
    { service: [`socket-engine ${engine}`] },
  );
  try {
    await fill(server.port);
    const run = new ConnectionFuzz(server.port, bounds.seed);
    await run.run(Math.min(WARM_UP, count), atOnce);
    await untilQuiet(server);
    const descriptors = readdirSync(`/proc/${server.pid}/fd`).length;
    const resident = server.residentSize();
    await run.run(count, atOnce, bounds.endMs);
    await untilQuiet(server);
    const left = readdirSync(`/proc/${server.pid}/fd`).length - descriptors;
    const growth = server.residentSize() - resident;
    const text = `${engine}: seed ${bounds.seed}, ${run.connectionCount} connections, ${run.answerCount} answers, ${left} descriptors and ${(growth / MIB).toFixed(0)} MiB left`;
    console.log(text);
    if (left > 2 || growth > bounds.growthMax) process.exitCode = 1;
    if ((await server.stop()) !== 0) throw new Error(`the server ended badly:\n${server.output}`);
  } finally {
    for (const end of ends) await end();
  }
}

async function untilQuiet(server: TestServer): Promise<void> {
  for (let i = 0; (await server.statistic('client_connections')) > 1; i++) {
    if (i > 1000) throw new Error('connections are left');
    await sleep(20);
  }
  await sleep(500);
}

await main();
