/**
 * Measures the storage engine on a file against the disk's own limit, told by fio in the same run: random gets of
 * 4 KiB records and writes of 1 KiB records, in process, O_DIRECT, on as many threads as a server has workers beside
 * nothing else: one for each processor; on io_uring and on node:fs.
 * Every round measures all of them, one after the other, so that a disk that slows down slows all; ratios are
 * taken within a round, and the median of the rounds counts.
 *
 * Writes go to files every byte of which was written before, as the blocks of a server that has run for a while were:
 * on fresh ones the file system's own notes of what has been written would be measured too. What is counted ends when all
 * records are durable, with the last flush; the checkpoint of the index, which a server writes when it stops, comes after.
 */
import {
  closeSync,
  constants,
  fsyncSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { allocateAligned } from '../src/base/arena.js';
import { ringRefusal } from '../src/storage/io/uring-io.js';
import { DeviceShards, type DeviceShardsOptions } from './support/device-shards.js';
import { DeviceThreads } from './support/device-threads.js';
import { fioRandomReads, fioWrites, hasFio } from './support/fio.js';

const HELP = `Usage: scripts/bench-storage [--directory DIR] [--size MIB] [--seconds S] [--rounds N] [--depth N] [--threads N]
Random gets of 4 KiB records and writes of 1 KiB records through the storage engine, O_DIRECT, beside fio.
  --directory DIR  where the files go, on the disk to measure (the system's temporary directory)
  --size MIB       size of each file; 75 % of it is filled (1024)
  --seconds S      of each measurement of reads (4)
  --rounds N       (3)
  --depth N        gets in flight, of all threads together (64)
  --threads N      that the shards are shared among (one for each processor)
Fails when a median is below its mark: gets 0.7 of fio's reads, writes 0.6 of fio's writes, io_uring 1.5 of node:fs.`;

const READ_SIZE = 4096; // bytes of a record, header included
const WRITE_SIZE = 1024;
const FILL = 0.75;
const MIB = 1024 * 1024;
const ZEROS_SIZE = 4 * MIB;
const FIO_WRITE_SIZE = MIB;
const FIO_WRITE_DEPTH = 8;
const MARKS = { 'gets / fio': 0.7, 'writes / fio': 0.6, 'gets, io_uring / node:fs': 1.5 } as const;
type Ratio = keyof typeof MARKS | 'writes, io_uring / node:fs';
type Backend = DeviceShardsOptions['backend'];

const { values } = parseArgs({
  options: {
    directory: { type: 'string', default: tmpdir() },
    size: { type: 'string', default: '1024' },
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '3' },
    depth: { type: 'string', default: '64' },
    threads: { type: 'string', default: String(availableParallelism()) },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const size = Number(values.size) * MIB;
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);
const depth = Number(values.depth);
const threads = Number(values.threads);
if (!(size >= 256 * MIB && seconds > 0 && rounds >= 1 && depth >= 1 && threads >= 1)) {
  console.error(HELP);
  process.exit(2);
}

const directory = mkdtempSync(path.join(values.directory, 'caltrop-bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
const readFile = path.join(directory, 'read.dat');
const hasRing = ringRefusal() === '';
const backends: Backend[] = hasRing ? ['io_uring', 'node:fs'] : ['node:fs'];
const withFio = hasFio();
if (!withFio)
  console.error('fio IS NOT INSTALLED: nothing is compared with the disk itself (apt-get install fio)');
if (!hasRing) console.error(`NO IO_URING: ${ringRefusal()}`);

const ratios = new Map<Ratio, number[]>();
const line = (what: string, figure: string, cpu: string): void =>
  console.log(`  ${what.padEnd(34)}${figure.padStart(16)}${cpu.padStart(44)}`);

await fill();
for (let round = 1; round <= rounds; round++) {
  console.log(`round ${round}`);
  const disk = withFio ? fioReads() : 0;
  const gets: number[] = [];
  for (const backend of backends) gets.push(await measureGets(backend));
  note('gets / fio', gets[0]!, disk);
  if (hasRing) note('gets, io_uring / node:fs', gets[0]!, gets[1]!);
  const diskBytes = withFio ? await onZeros(fioWriting) : 0;
  const writes: number[] = [];
  for (const backend of backends) writes.push(await onZeros(file => measureWrites(backend, file)));
  note('writes / fio', writes[0]!, diskBytes);
  if (hasRing) note('writes, io_uring / node:fs', writes[0]!, writes[1]!);
}
console.log('median of the rounds');
for (const [ratio, found] of ratios) {
  const median = found.toSorted((a, b) => a - b)[Math.floor(found.length / 2)]!;
  const mark = ratio in MARKS ? MARKS[ratio as keyof typeof MARKS] : 0;
  const isMissed = median < mark;
  if (isMissed) process.exitCode = 1;
  line(ratio, median.toFixed(2), mark === 0 ? '' : `${isMissed ? 'BELOW' : 'at least'} ${mark}`);
}

function note(ratio: Ratio, ours: number, theirs: number): void {
  if (theirs > 0) ratios.set(ratio, [...(ratios.get(ratio) ?? []), ours / theirs]);
}

function options(file: string, backend: Backend): DeviceShardsOptions {
  return { file, size, backend, isDirect: true, tokenCount: depth };
}

/** The rest of the file is written too: what never was is read without the disk, which would flatter fio. */
async function fill(): Promise<void> {
  writeZeros(readFile);
  const shards = await DeviceShards.open(options(readFile, backends[0]!));
  shards.write(0, Math.floor((size * FILL) / READ_SIZE), READ_SIZE);
  await shards.close();
}

/** Makes a file of zeros, all of it written and none of it cached. */
function writeZeros(name: string): void {
  const zeros = new Uint8Array(allocateAligned(ZEROS_SIZE));
  const file = openSync(name, constants.O_CREAT | constants.O_WRONLY | constants.O_DIRECT);
  for (let at = 0; at < size; at += ZEROS_SIZE) writeSync(file, zeros, 0, Math.min(ZEROS_SIZE, size - at));
  fsyncSync(file);
  closeSync(file);
}

/** Runs `measure` on a file of zeros in a directory that is its own. */
async function onZeros<T>(measure: (file: string) => T): Promise<Awaited<T>> {
  const own = mkdtempSync(path.join(directory, 'write-'));
  const file = path.join(own, 'write.dat');
  writeZeros(file);
  const result = await measure(file);
  rmSync(own, { recursive: true });
  return result;
}

function fioReads(): number {
  const { iops, cpuSec } = fioRandomReads(readFile, READ_SIZE, depth, seconds);
  line(`fio, random reads of ${READ_SIZE}`, `${iops.toFixed(0)}/s`, cpuEach(cpuSec, iops * seconds));
  return iops;
}

async function measureGets(backend: Backend): Promise<number> {
  const shards = await DeviceThreads.open(options(readFile, backend), threads);
  const count = Math.floor((size * FILL) / READ_SIZE);
  await shards.read(count, depth, 300); // compiles, and registers buffers
  const before = process.cpuUsage();
  const fromSec = starvedSec();
  const startMs = performance.now();
  const done = await shards.read(count, depth, seconds * 1000);
  const wallSec = (performance.now() - startMs) / 1000;
  const perSec = done / wallSec;
  const { user, system } = process.cpuUsage(before);
  const cpu = cpuEach((user + system) / 1e6, done) + starved(fromSec, wallSec);
  line(`${backend}, gets of ${READ_SIZE}`, `${perSec.toFixed(0)}/s`, cpu);
  await shards.close();
  return perSec;
}

function fioWriting(file: string): number {
  const bytes = Math.floor(size * FILL);
  const { bytesPerSec, cpuSec } = fioWrites(file, bytes, FIO_WRITE_SIZE, FIO_WRITE_DEPTH);
  const figure = `${(bytesPerSec / MIB).toFixed(0)} MiB/s`;
  line(`fio, writes of ${FIO_WRITE_SIZE}`, figure, cpuEach(cpuSec, bytes / FIO_WRITE_SIZE));
  return bytesPerSec;
}

/** Until all records are durable. An eighth goes before and is not counted: the threads compile what they run. */
async function measureWrites(backend: Backend, file: string): Promise<number> {
  const shards = await DeviceThreads.open(options(file, backend), threads);
  const all = Math.floor((size * FILL) / WRITE_SIZE);
  const first = all >>> 3;
  await shards.makeKeys(0, first);
  await shards.write(WRITE_SIZE);
  await shards.makeKeys(first, all);
  const count = all - first;
  const before = process.cpuUsage();
  const fromSec = starvedSec();
  const startMs = performance.now();
  await shards.write(WRITE_SIZE);
  const wallSec = (performance.now() - startMs) / 1000;
  const perSec = count / wallSec;
  const { user, system } = process.cpuUsage(before);
  const cpu = cpuEach((user + system) / 1e6, count) + starved(fromSec, wallSec);
  await shards.close();
  line(`${backend}, writes of ${WRITE_SIZE}`, `${((perSec * WRITE_SIZE) / MIB).toFixed(0)} MiB/s`, cpu);
  return perSec * WRITE_SIZE;
}

/** Seconds for which our threads could have run but had no processor: on a machine that others use, a figure to know. */
function starvedSec(): number {
  let ns = 0;
  for (const thread of readdirSync('/proc/self/task')) {
    ns += Number(readFileSync(`/proc/self/task/${thread}/schedstat`, 'latin1').split(' ')[1]);
  }
  return ns / 1e9;
}

function starved(fromSec: number, wallSec: number): string {
  return `, ${(((starvedSec() - fromSec) / wallSec) * 100).toFixed(0)} % without one`;
}

function cpuEach(seconds: number, count: number): string {
  return `${((seconds * 1e6) / count).toFixed(2)} µs processor each`;
}
