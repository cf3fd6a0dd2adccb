/**
 * Measures starts of a real server on a file with many records: cold (all blocks are read), after a SIGKILL (the
 * last checkpoint and what was written since), after a clean stop; and the memory that the index takes. Records are
 * written in process, by the storage engine, since sockets would take longer than everything measured.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DeviceShards } from './support/device-shards.js';
import { askInfo, freePort } from './support/server-process.js';

const HELP = `Usage: scripts/bench-restart [--records N] [--value BYTES] [--directory DIR] [--overwrites N] [--direct]
How long a server takes to start on N records of one blob bin, and the memory that their index takes.
  --records N      (10000000)
  --value BYTES    of the blob (100)
  --overwrites N   records written between the last checkpoint and the SIGKILL at least (as many as a checkpoint lets be)
  --directory DIR  where the file goes (the system's temporary directory)
  --direct         read and write past the operating system's cache (direct-files true)
  --rounds N       of each start; the median counts (3)
Each start is told twice: from the process's start to its first answer, and the recovery within it.`;

const MAIN = fileURLToPath(new URL('../src/main.js', import.meta.url));
const SELF = fileURLToPath(import.meta.url);
const MIB = 1024 * 1024;
const BIN_HEADER_SIZE = 12; // with a name of four bytes
const POLL_MS = 5;
const START_MS_MAX = 170_000;
const NAMESPACE = 'test';

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '10000000' },
    value: { type: 'string', default: '100' },
    overwrites: { type: 'string', default: '0' },
    directory: { type: 'string', default: tmpdir() },
    rounds: { type: 'string', default: '3' },
    direct: { type: 'boolean', default: false },
    /** Of a child: writes `overwrites` records to this file and kills itself. */
    kill: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const records = Number(values.records);
const valueSize = Number(values.value);
const rounds = Number(values.rounds);
if (values.help || !(records >= 1 && valueSize >= 4 && rounds >= 1)) {
  console.log(HELP);
  process.exit(values.help ? 0 : 2);
}
/** What a record takes, rounded up, a quarter more for the rest of blocks, and room for those overwritten. */
const recordSize = (96 + BIN_HEADER_SIZE + valueSize + 15) & ~15;
const fileSize = Math.ceil((records * recordSize * 1.6) / MIB / 64 + 16) * 64 * MIB;

if (values.kill !== undefined) {
  const shards = await openShards(values.kill);
  shards.write(0, Number(values.overwrites), shards.sizeWith(BIN_HEADER_SIZE + valueSize));
  process.kill(process.pid, 'SIGKILL');
}

const directory = mkdtempSync(path.join(values.directory, 'caltrop-bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
const file = path.join(directory, 'test.dat');

console.log(`${records} records, a blob of ${valueSize} bytes each, ${recordSize} bytes stored`);
await fill();
await measure('cold start', removeCheckpoints);
const overwrites = Number(values.overwrites) || Math.floor(records / 10);
await measure(`after SIGKILL, ${overwrites} written since`, () => overwriteAndDie(overwrites));
await measure('after a clean stop', () => {});

function openShards(name: string): Promise<DeviceShards> {
  return DeviceShards.open({
    file: name,
    size: fileSize,
    backend: 'node:fs',
    isDirect: values.direct,
    tokenCount: 1,
    namespace: NAMESPACE,
    setName: 'demo',
  });
}

async function fill(): Promise<void> {
  const startMs = performance.now();
  const shards = await openShards(file);
  shards.write(0, records, shards.sizeWith(BIN_HEADER_SIZE + valueSize));
  await shards.close();
  const seconds = (performance.now() - startMs) / 1000;
  console.log(`written in ${seconds.toFixed(1)} s, in process, on one thread`);
}

function removeCheckpoints(): void {
  for (const name of readdirSync(directory)) {
    if (name.includes('.index-')) rmSync(path.join(directory, name));
  }
}

function overwriteAndDie(count: number): void {
  const flags = Object.entries({ records, value: valueSize, overwrites: count }).map(
    ([k, v]) => `--${k}=${v}`,
  );
  if (values.direct) flags.push('--direct');
  const { signal, stderr } = spawnSync(process.execPath, [SELF, '--kill', file, ...flags], {
    encoding: 'utf8',
  });
  if (signal !== 'SIGKILL') throw new Error(`writing failed: ${stderr}`);
}

/** One start of the server, measured. */
interface Start {
  readonly wholeSec: number;
  readonly recoverySec: number;
  readonly how: string;
}

/** @param before Brings the file into the state from which each start is measured. */
async function measure(what: string, before: () => void): Promise<void> {
  const starts: Start[] = [];
  let memory = '';
  for (let round = 0; round < rounds; round++) {
    before();
    const server = await startServer();
    starts.push(server.start);
    memory ||= await memoryOf(server.port, server.child.pid!);
    const stopMs = performance.now();
    server.child.kill('SIGTERM');
    await once(server.child, 'exit');
    if (round === 0) memory += `, clean stop ${((performance.now() - stopMs) / 1000).toFixed(2)} s`;
  }
  starts.sort((a, b) => a.recoverySec - b.recoverySec);
  const median = starts[starts.length >> 1]!;
  const perSec = (records / median.recoverySec / 1e6).toFixed(2);
  console.log(
    `${what}: ${median.wholeSec.toFixed(2)} s to the first answer, recovery ${median.recoverySec.toFixed(2)} s ` +
      `(${starts.map(start => start.recoverySec.toFixed(2)).join(' ')}), ${perSec} million records/s`,
  );
  console.log(`    ${median.how}`);
  console.log(`    ${memory}`);
}

async function startServer(): Promise<{ child: ChildProcess; port: number; start: Start }> {
  const port = await freePort();
  const configFile = path.join(directory, 'caltrop.conf');
  writeFileSync(configFile, configText(port));
  const logFile = path.join(directory, 'log');
  const log = openSync(logFile, 'w');
  const startMs = performance.now();
  const child = spawn(process.execPath, [MAIN, '--config', configFile], { stdio: ['ignore', log, log] });
  closeSync(log);
  while (!(await askInfo(port, 'status')).includes('ok')) {
    if (child.exitCode !== null || performance.now() - startMs > START_MS_MAX) {
      child.kill('SIGKILL');
      throw new Error(`the server did not start: ${readFileSync(logFile, 'utf8').slice(-2000)}`);
    }
    await new Promise(resolve => setTimeout(resolve, POLL_MS));
  }
  const wholeSec = (performance.now() - startMs) / 1000;
  const text = readFileSync(logFile, 'utf8');
  const how = /recovered .*/.exec(text)?.[0] ?? text.slice(-300);
  return { child, port, start: { wholeSec, recoverySec: Number(/in ([\d.]+) s/.exec(how)?.[1]), how } };
}

/** What the index takes: as counted, and the process's resident size less that of one without records. */
async function memoryOf(port: number, pid: number): Promise<string> {
  const figures = new Map(
    (await askInfo(port, `namespace/${NAMESPACE}`))
      .split(/[;\t\n]/)
      .map(pair => pair.split('=') as [string, string]),
  );
  const objects = Number(figures.get('objects'));
  if (objects !== records) throw new Error(`the server has ${objects} records of ${records}`);
  const counted = Number(figures.get('index_used_bytes')) / records;
  const resident = Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]) * 1024;
  return `index ${counted.toFixed(1)} bytes a record, resident ${(resident / MIB).toFixed(0)} MiB in all`;
}

function configText(port: number): string {
  return `\
service {
	cluster-name caltrop-bench
	work-directory ${directory}
}
logging {
	console {
		context any info
	}
}
network {
	service {
		address 127.0.0.1
		port ${port}
	}
}
namespace ${NAMESPACE} {
	replication-factor 1
	default-ttl 0
	nsup-period 0
	storage-engine device {
		file ${file}
		filesize ${fileSize}
		direct-files ${values.direct}
	}
}
`;
}
