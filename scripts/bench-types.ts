/**
 * Measures data types and expressions as a shard's thread runs them, in this process: operations alone, and whole
 * commands from the message to the written answer on one shard of a memory namespace; no rings, no sockets.
 * Prints a markdown table.
 */
import { parseArgs } from 'node:util';
import { Region } from '../src/base/arena.js';
import { operateCdt } from '../src/data/cdt/operate.js';
import { ValueOp } from '../src/data/value-op.js';
import {
  digestOf,
  type Field,
  GET,
  type Message,
  messageFrame,
  op,
  put,
  write,
} from '../test/support/wire-client.js';
import { LocalShard } from './support/local-shard.js';

const HELP = `Measures list, map and filter commands in process, one core, and prints a markdown table.

Usage: scripts/bench-types [options]
  --ms N     length of one measurement, processor time (default 400)
  --runs N   runs, of which median and best are printed (default 5)
  --only T   only the measures whose titles contain T
Exit status 1 when a command failed or a bound is missed.`;

const CDT_READ = 3;
const CDT_MODIFY = 4;
const BLOB = 4;
const MAP = 19;
const LIST = 20;
const FILTER = 43; // field
const K_ORDERED = 0x01;
const PERSIST_INDEX = 0x10;
const VALUE = 7; // return type

/** Packs what the bodies here need: small and 32-bit integers, strings. */
function pack(value: number | string): Buffer {
  if (typeof value === 'string') {
    const bytes = Buffer.from(`\x03${value}`);
    return Buffer.concat([Buffer.from([0xa0 | bytes.length]), bytes]);
  }
  if (value < 0x80) return Buffer.from([value]);
  const bytes = Buffer.alloc(5);
  bytes[0] = 0xce;
  bytes.writeUInt32BE(value, 1);
  return value <= 0xff
    ? Buffer.from([0xcc, value])
    : value <= 0xffff
      ? Buffer.from([0xcd, value >> 8, value & 0xff])
      : bytes;
}

function header(fix: number, wide: number, count: number): Buffer {
  if (count < 16) return Buffer.from([fix | count]);
  if (count < 0x1_0000) return Buffer.from([wide, count >> 8, count & 0xff]);
  return Buffer.from([wide + 1, count >>> 24, (count >> 16) & 0xff, (count >> 8) & 0xff, count & 0xff]);
}

const list = (...items: Buffer[]): Buffer => Buffer.concat([header(0x90, 0xdc, items.length), ...items]);
const keyName = (i: number): string => `k${String(i).padStart(6, '0')}`;

/** A K-ordered map of `count` entries, keys of 7 characters and small integers. */
function sortedMap(count: number, flags: number): Buffer {
  const pairs = Array.from({ length: count }, (_, i) => Buffer.concat([pack(keyName(i)), pack(i % 1000)]));
  return Buffer.concat([header(0x80, 0xde, count + 1), Buffer.from([0xc7, 0, flags, 0xc0]), ...pairs]);
}

/** Bytes in shared memory, as requests lie when they reach a worker. */
function shared(bytes: Buffer): Uint8Array {
  const { u8 } = new Region((bytes.length + 7) & ~7);
  u8.set(bytes);
  return u8.subarray(0, bytes.length);
}

const command = (digest: Buffer, message: Message): Uint8Array =>
  shared(messageFrame({ set: 'bench', digest, ...message }));
const cdtRead = (digest: Buffer, body: Buffer): Uint8Array =>
  command(digest, { info1: 0x01, ops: [op(CDT_READ, 'b', BLOB, body)] });
const cdtModify = (digest: Buffer, body: Buffer): Uint8Array =>
  command(digest, { info2: 0x01, ops: [op(CDT_MODIFY, 'b', BLOB, body)] });
const putBin = (digest: Buffer, type: number, value: Buffer): Uint8Array =>
  command(digest, put(op(2, 'b', type, value)));

const shard = new LocalShard(1024 ** 3);

function must(frame: Uint8Array): void {
  const code = shard.run(frame);
  if (code !== 0) throw new Error(`a command answered ${code}`);
}

/** Processor time of this process so far, ms: what a busy machine takes from us does not count. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Runs the frames round and round for `ms`. @returns Commands a second of one processor. */
function rate(frames: readonly Uint8Array[], ms: number): number {
  const start = processorMs();
  let count = 0;
  let spent = 0;
  do {
    for (const frame of frames) must(frame);
    count += frames.length;
    spent = processorMs() - start;
  } while (spent < ms);
  return (count * 1000) / spent;
}

/** Appends to lists of 100 to 109 elements; putting the lists back is not counted. */
function appendRate(ms: number): number {
  const digests = Array.from({ length: 200 }, (_, i) => digestOf(`append-${i}`));
  const puts = digests.map(digest => putBin(digest, LIST, hundred));
  const appends = digests.map(digest => cdtModify(digest, list(pack(1), pack(7))));
  let spent = 0;
  let count = 0;
  while (spent < ms) {
    for (const frame of puts) must(frame);
    const start = processorMs();
    for (let k = 0; k < 10; k++) for (const frame of appends) must(frame);
    spent += processorMs() - start;
    count += appends.length * 10;
  }
  return (count * 1000) / spent;
}

/** Frames over every 13th key of a map, so that all depths of it are met. */
function overKeys<T>(count: number, frameOf: (key: string, i: number) => T): T[] {
  return Array.from({ length: 97 }, (_, i) =>
    frameOf(keyName((i * 13 * Math.ceil(count / 1000)) % count), i),
  );
}

function mapDigest(count: number, flags: number): Buffer {
  const digest = digestOf(`map-${count}-${flags}`);
  must(putBin(digest, MAP, sortedMap(count, flags)));
  return digest;
}

function getByKeyRate(count: number, flags: number, ms: number): number {
  const digest = mapDigest(count, flags);
  return rate(
    overKeys(count, key => cdtRead(digest, list(pack(97), pack(VALUE), pack(key)))),
    ms,
  );
}

function putRate(count: number, flags: number, ms: number): number {
  const digest = mapDigest(count, flags);
  const frames = overKeys(count, (key, i) =>
    cdtModify(digest, list(pack(67), pack(key), pack(i), pack(flags))),
  );
  return rate(frames, ms);
}

/** Adds a key to the middle and takes it out again: two commands. */
function addRemoveRate(count: number, flags: number, ms: number): number {
  const digest = mapDigest(count, flags);
  const key = `${keyName(count >> 1).slice(0, -1)}x`;
  return rate(
    [
      cdtModify(digest, list(pack(67), pack(key), pack(1), pack(flags))),
      cdtModify(digest, list(pack(76), pack(0), pack(key))),
    ],
    ms,
  );
}

/** (i > 5 and s == "x"), as a client packs it. */
const FILTER_BYTES = Buffer.from('93109303935102a169059301935103a173a20378', 'hex');

function filterRates(ms: number): { plain: number; filtered: number } {
  const digest = digestOf('filtered');
  must(command(digest, put(write('i', 9), write('s', 'x'), write('v', 'v'.repeat(60)))));
  const fields: Field[] = [[FILTER, FILTER_BYTES]];
  return {
    plain: rate([command(digest, GET)], ms),
    filtered: rate([command(digest, { ...GET, fields })], ms),
  };
}

function getRates(ms: number): { blob: number; map: number; persisted: number } {
  const blob = digestOf('blob');
  const map = digestOf('map');
  const persisted = digestOf('persisted');
  const bytes = sortedMap(98, K_ORDERED);
  must(putBin(map, MAP, bytes));
  must(putBin(persisted, MAP, sortedMap(98, K_ORDERED | PERSIST_INDEX)));
  must(putBin(blob, BLOB, Buffer.alloc(bytes.length, 1)));
  return {
    blob: rate([command(blob, GET)], ms),
    map: rate([command(map, GET)], ms),
    persisted: rate([command(persisted, GET)], ms),
  };
}

/**
 * One operation on a value in shared memory, as a stored record lies, without the command around it.
 * @returns Operations a second of one processor.
 */
function operationRate(
  type: number,
  value: Buffer,
  bodies: readonly Buffer[],
  isModify: boolean,
  ms: number,
): number {
  const stored = new Region(value.length);
  stored.u8.set(value);
  const operation = new ValueOp();
  operation.isModify = isModify;
  operation.bodyType = BLOB;
  operation.target.set(type, stored.u8, 0, value.length);
  const calls = bodies.map(shared);
  const start = processorMs();
  let count = 0;
  let spent = 0;
  do {
    for (const body of calls) {
      operation.bytes = body;
      operation.at = 0;
      operation.end = body.length;
      operation.scratch.reset();
      if (operateCdt(operation) !== 0) throw new Error('an operation failed');
    }
    count += bodies.length;
    spent = processorMs() - start;
  } while (spent < ms);
  return (count * 1000) / spent;
}

const hundred = list(...Array.from({ length: 100 }, (_, i) => pack(i)));
const thousand = sortedMap(1000, K_ORDERED);

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;
const micros = (perSecond: number): number => 1e6 / perSecond;
const perSecond = (value: number): string => `${Math.round(value).toLocaleString('en')}/s`;

interface Row {
  readonly title: string;
  /** What one run gives; alternated with the other rows. */
  readonly measure: (ms: number) => number;
  readonly bound: number;
  /** Whether the bound is a least or a most. */
  readonly isLeast: boolean;
  readonly print: (value: number) => string;
}

const least = (title: string, bound: number, measure: (ms: number) => number): Row => ({
  title,
  measure,
  bound,
  isLeast: true,
  print: perSecond,
});

/** A figure without a bound. */
const told = (title: string, measure: (ms: number) => number): Row => least(title, 0, measure);

const both = K_ORDERED | PERSIST_INDEX;
const ROWS: readonly Row[] = [
  least('operation alone: list append to 100 elements', 300_000, ms =>
    operationRate(LIST, hundred, [list(pack(1), pack(7))], true, ms),
  ),
  least('operation alone: K-ordered map of 1,000, put', 200_000, ms =>
    operationRate(
      MAP,
      thousand,
      overKeys(1000, (key, i) => list(pack(67), pack(key), pack(i), pack(K_ORDERED))),
      true,
      ms,
    ),
  ),
  least('operation alone: K-ordered map of 1,000, get by key', 200_000, ms =>
    operationRate(
      MAP,
      thousand,
      overKeys(1000, key => list(pack(97), pack(VALUE), pack(key))),
      false,
      ms,
    ),
  ),
  told('whole command: list append to 100 elements', appendRate),
  told('whole command: K-ordered map of 1,000, put', ms => putRate(1000, K_ORDERED, ms)),
  told('whole command: the same, a key added or removed', ms => addRemoveRate(1000, K_ORDERED, ms)),
  told('whole command: the same, get by key', ms => getByKeyRate(1000, K_ORDERED, ms)),
  told('whole command: with a persisted index, put', ms => putRate(1000, both, ms)),
  told('whole command: with a persisted index, get by key', ms => getByKeyRate(1000, both, ms)),
  {
    title: 'get by key, persisted index: time at 100,000 entries over that at 1,000',
    measure: ms => getByKeyRate(1000, both, ms) / getByKeyRate(100_000, both, ms),
    bound: 2,
    isLeast: false,
    print: value => value.toFixed(2),
  },
  {
    title: 'what the filter `(i > 5 and s == "x")` adds to a get',
    measure: ms => {
      const { plain, filtered } = filterRates(ms);
      return micros(filtered) - micros(plain);
    },
    bound: 1.5,
    isLeast: false,
    print: value => `${value.toFixed(2)} µs`,
  },
  {
    title: 'get of a 1 KiB map bin: time over that of a 1 KiB blob',
    measure: ms => {
      const { blob, map } = getRates(ms);
      return blob / map;
    },
    bound: 1.05,
    isLeast: false,
    print: value => value.toFixed(2),
  },
];

function main(): number {
  const { values } = parseArgs({
    options: {
      ms: { type: 'string', default: '400' },
      runs: { type: 'string', default: '5' },
      only: { type: 'string', default: '' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const ms = Number(values.ms);
  const runs = Number(values.runs);
  if (!(ms > 0) || !(runs >= 1)) {
    console.error(HELP);
    return 2;
  }
  const rows = ROWS.filter(row => row.title.includes(values.only));
  for (const row of rows) row.measure(50); // compiled before anything counts
  const results = rows.map(() => [] as number[]);
  for (let run = 0; run < runs; run++)
    rows.forEach((row, k) => {
      results[k]!.push(row.measure(ms));
    });
  console.log('| measure | median | best | bound |\n|---|---|---|---|');
  let missed = 0;
  rows.forEach((row, k) => {
    const value = median(results[k]!);
    const holds = row.isLeast ? value >= row.bound : value <= row.bound;
    if (!holds) missed++;
    const bound = row.bound === 0 ? '' : `${row.isLeast ? '>=' : '<='} ${row.bound.toLocaleString('en')}`;
    const best = row.isLeast ? Math.max(...results[k]!) : Math.min(...results[k]!);
    const judged = `${bound}${holds ? '' : ' missed'}`;
    console.log(`| ${row.title} | ${row.print(value)} | ${row.print(best)} | ${judged} |`);
  });
  return missed === 0 ? 0 : 1;
}

process.exitCode = main();
