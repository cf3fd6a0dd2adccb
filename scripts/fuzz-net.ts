/**
 * Fuzzing from the network: a server of its own gets mutated requests over several connections, in pieces, with
 * resets and half-closed sockets in between. It must stay alive, keep answering on every worker, send
 * nothing but well-formed frames, and take no more memory than it is allowed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { TestServer } from '../test/support/server.js';
import {
  answersOf,
  digestOf,
  GET,
  infoFrame,
  messageFrame,
  unpacked,
  WireClient,
} from '../test/support/wire-client.js';
import { FrameMutator } from './support/frame-mutator.js';
import { RequestSource } from './support/type-fuzz/request-source.js';
import { TypeLane } from './support/type-lane.js';

const HELP = `Sends mutated requests to a server of its own and watches that it lives.

Usage: scripts/fuzz-net [options]
  --kind KIND      frames: mutated frames, cut, reset, half closed; types: whole requests with operations and
                   expressions made from their tables, each of which has to be answered in time (default frames)
  --count N        cases to send (default 100000)
  --seconds N      stop after this time, whatever the count (default 600)
  --seed N         the same seed sends the same bytes on each connection (default: a new one, printed)
  --connections N  side by side (default 8)
  --rss-max MIB    most resident memory of the server (default 700)
  --growth-max N   most that the server may have resident in the last quarter of the cases, on average, in parts of what it
                   had in the second one (default: no bound)
  --time-max MS    types: longest time of a request of less than 64 KiB, when it is sent alone (default 50)
Exit status 1 when the server ended, stopped answering, sent a broken frame or took too much memory; the last bytes
of every connection are then written to a file that is named.`;

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FAMILIES = [
  'record',
  'record-rich',
  'keyttl',
  'batch',
  'batch-filter',
  'list',
  'map',
  'filter',
  'malformed',
];
const CASES_PER_FAMILY = 400;
const INFO = [
  ...['build', 'node', 'statistics', 'namespaces', 'namespace/test', 'sets', 'sets/test', 'bins', 'features'],
  ...[
    'latencies:',
    'histogram:namespace=test;type=object-size',
    'get-config:context=service',
    'logs',
    'log/0',
  ],
  ...[
    'service-clear-std',
    'peers-clear-std',
    'partition-generation',
    'replicas',
    'sindex-list:',
    'user-agents',
  ],
];
const ANSWER_MS = 20; // a spoilt frame often has no answer
const PROBE_EVERY_MS = 250;
const PROBE_MS = 10_000;
const QUARTERS = 4;
const KEPT_COUNT = 30; // last inputs of a connection
const MIB = 1024 * 1024;
/** One digest a worker of two: partitions alternate between shards, and shards between workers. */
const PROBES = [0, 1].map(worker => {
  const digest = digestOf('probe');
  digest[0] = worker;
  digest[1] = 0;
  return messageFrame({ ...GET, digest });
});

/** Requests that were recorded, of every family that single connections can send. */
function readCorpus(): Buffer[] {
  const corpus = INFO.map(command => infoFrame(`${command}\n`));
  for (const family of FAMILIES) {
    const text = gunzipSync(readFileSync(path.join(ROOT, `test/vectors/${family}.jsonl.gz`))).toString();
    const lines = text.split('\n').filter(line => line !== '');
    const stride = Math.max(1, Math.floor(lines.length / CASES_PER_FAMILY));
    for (let i = 0; i < lines.length; i += stride) {
      const { steps } = JSON.parse(lines[i]!) as { steps: { q: string }[] };
      for (const { q } of steps) corpus.push(Buffer.from(q, 'hex'));
    }
  }
  return corpus;
}

/** What sends cases on a connection. */
type AnyLane = Lane | TypeLane;

/** One connection after another that sends what its mutator gives. */
class Lane {
  readonly last: string[] = [];
  sentCount = 0;
  answerCount = 0;
  readonly #mutator: FrameMutator;
  readonly #port: number;
  #client: WireClient | null = null;

  constructor(mutator: FrameMutator, port: number) {
    this.#mutator = mutator;
    this.#port = port;
  }

  /** Sends one case. Throws when the server refuses a connection or sends a broken frame. */
  async step(): Promise<void> {
    const mutator = this.#mutator;
    const bytes = mutator.next();
    this.last.push(bytes.toString('hex'));
    if (this.last.length > KEPT_COUNT) this.last.shift();
    const piecesCount = mutator.below(5) === 0 ? 1 + mutator.below(6) : 1;
    const cuts = Array.from({ length: piecesCount - 1 }, () => mutator.below(bytes.length + 1));
    const ending = mutator.below(40);
    if (this.#client === null || this.#client.isClosed) this.#client = await WireClient.connect(this.#port);
    const client = this.#client;
    let from = 0;
    for (const to of [...cuts.sort((a, b) => a - b), bytes.length]) {
      client.send(bytes.subarray(from, to));
      from = to;
      if (piecesCount > 1) await sleep(0);
    }
    this.sentCount++;
    if (ending === 0) client.reset();
    else if (ending === 1) client.socket.end();
    else if (ending === 2) client.close();
    else await this.#readAnswer(client);
    if (ending === 3) client.close();
  }

  close(): void {
    this.#client?.close();
  }

  async #readAnswer(client: WireClient): Promise<void> {
    for (let wait = ANSWER_MS; ; wait = 1) {
      let frame: Buffer;
      try {
        frame = await client.frame(wait);
      } catch {
        return; // no answer, or closed: the server may do either
      }
      this.answerCount++;
      checkFrame(frame);
      if (client.receivedSize === 0) return;
    }
  }
}

/** Throws unless the frame is one that a server may send. */
function checkFrame(frame: Buffer): void {
  const inner = unpacked(frame);
  if (frame[0] !== 2 || inner[1]! < 1 || inner[1]! > 3)
    throw new Error(`no frame: ${frame.toString('hex', 0, 40)}`);
  if (inner[1] === 3) answersOf(inner);
}

/** Throws unless every worker answers. */
async function probe(server: TestServer): Promise<void> {
  const client = await WireClient.connect(server.port);
  try {
    for (const frame of [infoFrame('build\n'), ...PROBES]) {
      client.send(frame);
      checkFrame(await client.frame(PROBE_MS));
    }
  } finally {
    client.close();
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '100000' },
      seconds: { type: 'string', default: '600' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
      connections: { type: 'string', default: '8' },
      kind: { type: 'string', default: 'frames' },
      'time-max': { type: 'string', default: '50' },
      'rss-max': { type: 'string', default: '700' },
      'growth-max': { type: 'string', default: 'Infinity' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const seed = Number(values.seed);
  if (values.kind !== 'frames' && values.kind !== 'types') throw new Error(`no kind ${values.kind}`);
  console.log(`seed ${seed}`);
  const ends: (() => Promise<void>)[] = [];
  const server = await TestServer.start(
    { teardown: end => ends.push(end) },
    { service: ['service-threads 2'], namespaces: [{ name: 'test' }, { name: 'other' }] },
  );
  const corpus = values.kind === 'frames' ? readCorpus() : [];
  const lanes: AnyLane[] = Array.from({ length: Number(values.connections) }, (_, i) =>
    values.kind === 'frames'
      ? new Lane(new FrameMutator(corpus, seed * 1000 + i), server.port)
      : new TypeLane(new RequestSource(seed * 1000 + i), server.port, Number(values['time-max'])),
  );
  try {
    await fuzz(
      server,
      lanes,
      Number(values.count),
      Number(values.seconds) * 1000,
      Number(values['rss-max']) * MIB,
      Number(values['growth-max']),
    );
  } catch (error) {
    const file = path.join(tmpdir(), `fuzz-net-${seed}.json`);
    writeFileSync(file, JSON.stringify(lanes.map(lane => lane.last)));
    const was = server.isRunning ? 'was still running' : 'had ended by itself';
    console.log(
      `FAILED: ${(error as Error).message}\nseed ${seed}; the last bytes of each connection: ${file}`,
    );
    console.log(
      `the server ${was} and ended with ${await server.stop()}; its last lines:\n${server.output.slice(-4000)}`,
    );
    process.exitCode = 1;
  } finally {
    for (const lane of lanes) lane.close();
    for (const end of ends) await end();
  }
}

async function fuzz(
  server: TestServer,
  lanes: AnyLane[],
  count: number,
  timeMs: number,
  sizeMax: number,
  growthMax: number,
): Promise<void> {
  const endMs = performance.now() + timeMs;
  let probeAtMs = 0;
  const sizes: number[] = []; // of each quarter, on average: V8 collects what is dead now and then, by some MiB at a time
  let samples: number[] = [];
  const sent = (): number => lanes.reduce((sum, lane) => sum + lane.sentCount, 0);
  while (sent() < count && performance.now() < endMs) {
    await Promise.all(
      lanes.map(async lane => {
        for (let i = 0; i < 20; i++) await lane.step();
      }),
    );
    for (const lane of lanes) if (lane instanceof TypeLane) await lane.settle();
    if (sent() >= (count * (sizes.length + 1)) / QUARTERS) {
      samples.push(server.residentSize());
      const size = samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
      sizes.push(size);
      const [mean, least, most] = [size, Math.min(...samples), Math.max(...samples)].map(bytes =>
        (bytes / MIB).toFixed(0),
      );
      console.log(`quarter ${sizes.length}: ${sent()} cases, ${mean} MiB resident (${least} to ${most})`);
      samples = [];
    }
    if (performance.now() < probeAtMs) continue;
    probeAtMs = performance.now() + PROBE_EVERY_MS;
    await probe(server);
    samples.push(server.residentSize());
    if (server.peakSize() > sizeMax)
      throw new Error(`the server took ${(server.peakSize() / MIB).toFixed(0)} MiB`);
  }
  await probe(server);
  if (sizes.length === QUARTERS) {
    const growth = sizes.at(-1)! / sizes[1]!;
    console.log(`last quarter over second: ${growth.toFixed(4)}`);
    if (growth > growthMax) throw new Error(`the server grew by the factor ${growth.toFixed(4)}`);
  }
  const code = await server.stop();
  if (code !== 0) throw new Error(`the server ended with ${code}`);
  const answers = lanes.reduce((sum, lane) => sum + lane.answerCount, 0);
  for (const line of typeFigures(lanes)) console.log(line);
  console.log(`${sent()} cases sent, ${answers} frames answered, the server ended with 0`);
}

/** What the lanes of kind `types` have seen. */
function typeFigures(lanes: readonly AnyLane[]): string[] {
  const typeLanes = lanes.filter(lane => lane instanceof TypeLane);
  if (typeLanes.length === 0) return [];
  const codes = new Map<number, number>();
  for (const lane of typeLanes)
    for (const [code, count] of lane.codes) codes.set(code, (codes.get(code) ?? 0) + count);
  const longestMs = Math.max(...typeLanes.map(lane => lane.longestMs));
  const list = [...codes].sort((a, b) => b[1] - a[1]).map(([code, count]) => `${code}: ${count}`);
  return [`codes ${list.join(', ')}`, `the longest request took ${longestMs.toFixed(1)} ms`];
}

await main();
