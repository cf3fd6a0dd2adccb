/**
 * The recorded answers of the reference server, replayed on a started one. What is built agrees byte for
 * byte; what is not is lived through: the server still answers after each family.
 */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { TestServer } from '../support/server.js';
import { digestOf, GET, put, write } from '../support/wire-client.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const REPLAY_MS = 120_000;

/** Families that agree in every case. */
const AGREEING = ['record', 'keyttl', 'batch'];
const SCENES = 'query';

interface Replay {
  readonly exitCode: number;
  readonly output: string;
}

function replay(port: number, tool: string, family: string): Promise<Replay> {
  const args = [`test/support/tools/${tool}`, '--port', String(port), `test/vectors/${family}.jsonl.gz`];
  return new Promise(resolve => {
    const options = { cwd: ROOT, timeout: REPLAY_MS, maxBuffer: 64 * 1024 * 1024 };
    execFile(process.execPath, args, options, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ exitCode, output: `${stdout}${stderr}` });
    });
  });
}

const families = readdirSync(`${ROOT}test/vectors`)
  .filter(name => name.endsWith('.jsonl.gz'))
  .map(name => name.slice(0, -'.jsonl.gz'.length));

for (const family of AGREEING) {
  test(`every case of ${family} agrees with the reference`, async t => {
    const server = await TestServer.start(t, { service: ['service-threads 2'] });
    const { exitCode, output } = await replay(server.port, 'replay.mjs', family);
    t.is(exitCode, 0, output.slice(0, 4000));
    t.regex(output, /\d+ passed, 0 failed/);
    t.true(server.isRunning);
  });
}

test('the server lives through every other family and the query scenes', async t => {
  const server = await TestServer.start(t);
  const client = await server.connect();
  const digest = digestOf('witness');
  const witness = { namespace: 'test', set: 'witness', digest };
  await client.command({ ...put(write('a', 'here')), ...witness });
  for (const family of families) {
    if (AGREEING.includes(family)) continue;
    const tool = family === SCENES ? 'replay-query.mjs' : 'replay.mjs';
    const { output } = await replay(server.port, tool, family);
    t.true(server.isRunning, `${family}\n${server.output.slice(-2000)}`);
    if (tool === 'replay.mjs') t.notRegex(output, /no longer answers/, family);
    const answer = await client.command({ ...GET, ...witness });
    t.is(answer.code, 0, family);
    t.is(answer.ops[0]!.value.toString(), 'here', family);
  }
});
