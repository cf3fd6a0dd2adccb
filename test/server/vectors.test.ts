/**
 * The recorded answers of the reference server, replayed on a started one. What is built agrees byte for
 * byte; what is not is lived through: the server still answers after each family.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { type Teardown, TestServer } from '../support/server.js';
import { digestOf, GET, put, write } from '../support/wire-client.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const REPLAY_MS = 240_000; // for a tool that hangs

/** Families that agree in every case but these. The README says why each of them differs. */
const AGREEING: Readonly<Record<string, readonly string[]>> = {
  record: [],
  keyttl: [],
  batch: [],
  'record-rich': [],
  'batch-filter': [],
  filter: [],
  expop: ['expop/680'],
  list: ['list/87', 'list/864'],
  map: [],
  context: [],
  bit: [],
  hll: [],
  malformed: ['malformed/500'],
};
const SCENES = 'query';

interface Replay {
  readonly exitCode: number;
  readonly output: string;
}

function replay(
  port: number,
  tool: string,
  family: string,
  options: readonly string[] = [],
): Promise<Replay> {
  const file = `test/vectors/${family}.jsonl.gz`;
  const args = [`test/support/tools/${tool}`, '--port', String(port), ...options, file];
  return new Promise(resolve => {
    const how = { cwd: ROOT, timeout: REPLAY_MS, maxBuffer: 64 * 1024 * 1024 };
    execFile(process.execPath, args, how, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ exitCode, output: `${stdout}${stderr}` });
    });
  });
}

const families = readdirSync(`${ROOT}test/vectors`)
  .filter(name => name.endsWith('.jsonl.gz'))
  .map(name => name.slice(0, -'.jsonl.gz'.length));

/** Replays a family, or one case of it. @returns What failed, and the tool's output. */
async function replayOn(t: ExecutionContext, server: TestServer, family: string, name?: string) {
  const directory = mkdtempSync(path.join(tmpdir(), 'caltrop-vectors-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const file = path.join(directory, 'failed.json');
  const options = ['--failed', file, ...(name === undefined ? [] : ['--case', name])];
  const { output } = await replay(server.port, 'replay.mjs', family, options);
  t.true(server.isRunning);
  return { failed: JSON.parse(readFileSync(file, 'utf8')) as string[], output };
}

function start(t: Teardown, storage?: string): Promise<TestServer> {
  return TestServer.start(t, {
    service: ['service-threads 2'],
    namespaces: [storage === undefined ? { name: 'test' } : { name: 'test', storage }],
  });
}

/**
 * Replays a family and compares what fails with what is known to. The job that a malformed case starts in the
 * background may change the record of a later one: what fails besides is replayed by itself, and has to agree then.
 */
async function agrees(t: ExecutionContext, server: TestServer, family: string, storage?: string) {
  const differing = AGREEING[family]!;
  const { failed, output } = await replayOn(t, server, family);
  t.regex(output, /[1-9]\d* passed, \d+ failed/, family);
  const others = failed.filter(name => !differing.includes(name));
  for (const name of family === 'malformed' ? others : []) {
    const alone = await replayOn(t, await start(t, storage), family, name);
    t.deepEqual(alone.failed, [], alone.output.slice(0, 4000));
  }
  if (family !== 'malformed') t.deepEqual(others, [], output.slice(0, 4000));
  t.deepEqual(
    differing.filter(name => !failed.includes(name)),
    [],
    'these agree now',
  );
}

/** Every family has keys of its own, so that those of one storage share a server, side by side. */
let inMemory: TestServer;
const ends: (() => Promise<void>)[] = [];
test.before(async () => {
  inMemory = await start({ teardown: end => void ends.push(end) });
});
test.after.always(async () => {
  for (const end of ends) await end();
});

for (const [family, differing] of Object.entries(AGREEING)) {
  test(`every case of ${family} agrees with the reference${differing.length > 0 ? ', those apart that are known to differ' : ''}`, async t => {
    // Malformed cases end connections and start jobs on all records.
    await agrees(t, family === 'malformed' ? await start(t) : inMemory, family);
  });
}

const ON_FILE = 'file DIRECTORY/test.dat\n filesize 64M\n flush-max-ms 100';
const STORAGES: Readonly<Record<string, string>> = {
  'a file without caches': `storage-engine device {\n ${ON_FILE}\n post-write-cache 0\n}`,
  'memory that is backed by a file, compressed and encrypted': `storage-engine memory {
    ${ON_FILE}
    compression lz4
    encryption-key-file DIRECTORY/caltrop.conf
  }`,
};

for (const [name, storage] of Object.entries(STORAGES)) {
  test(`every family agrees on ${name}`, async t => {
    t.timeout(300_000);
    const server = await start(t, storage);
    for (const family of Object.keys(AGREEING)) await agrees(t, server, family, storage);
  });
}

test('the server lives through every other family and the query scenes', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const digest = digestOf('witness');
  const witness = { namespace: 'test', set: 'witness', digest };
  await client.command({ ...put(write('a', 'here')), ...witness });
  for (const family of families) {
    if (family in AGREEING) continue;
    const tool = family === SCENES ? 'replay-query.mjs' : 'replay.mjs';
    const { output } = await replay(server.port, tool, family);
    t.true(server.isRunning, `${family}\n${server.output.slice(-2000)}`);
    if (tool === 'replay.mjs') t.notRegex(output, /no longer answers/, family);
    const answer = await client.command({ ...GET, ...witness });
    t.is(answer.code, 0, family);
    t.is(answer.ops[0]!.value.toString(), 'here', family);
  }
});
