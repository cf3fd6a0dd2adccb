/**
 * Runs the smoke tests of test/smoke with the official clients of other languages against a server of its own
 * (or a running one). Clients are fetched from their registries into a cache directory, never into the
 * repository. What is missing is skipped, and said so.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ServerProcess, type StorageKind } from './support/server-process.js';

const HELP = `Runs test/smoke with the official clients of other languages.

Usage: scripts/smoke-clients [options]
  --only NAME,…     only these: NAMES
  --port PORT       a server that runs on 127.0.0.1 already (default: start one)
  --storage KIND    namespace of the server that is started: memory (default) or file
  --cache DIR       where clients are installed (default: caltrop-smoke in the system's temporary directory)
  --strict          a client that cannot be fetched counts as a failure
The last line is "N passed, N failed, N skipped"; the exit status is 1 when anything failed.`;

const SOURCES = fileURLToPath(new URL('../../test/smoke/', import.meta.url));
const NAMESPACE_SIZE = 256 * 1024 ** 2; // bytes
const INSTALL_MS = 600_000; // the Rust and the C client are compiled
const RUN_MS = 120_000;
const NODE_CLIENT = 'aerospike@6.7.1';

/** A client in one language. Its steps run in a directory of its own in the cache, which holds a copy of the program. */
interface Client {
  readonly name: string;
  /** The folder of its programs, if it is another's. */
  readonly source?: string;
  /** Programs that must be on the path. */
  readonly tools: readonly string[];
  /** The file that names the versions. */
  readonly pins?: string;
  /** What fetches the client, once. */
  readonly install: readonly (readonly string[])[];
  /** What compiles the programs, every time. */
  readonly build?: readonly (readonly string[])[];
  /** The programs, one after the other; each gets a host and a port. */
  readonly runs: readonly (readonly string[])[];
}

const JAVA = [
  'Smoke',
  'Values',
  'Lists',
  'Maps',
  'Bits',
  'Expressions',
  'Calls',
  'Commands',
  'Refusals',
  'Async',
];
const PYTHON = ['smoke', 'values', 'lists', 'maps', 'bits', 'expressions', 'calls', 'commands'];

const CLIENTS: readonly Client[] = [
  {
    name: 'python',
    tools: ['python3'],
    pins: 'requirements.txt',
    install: [
      ['python3', '-m', 'venv', 'venv'],
      ['venv/bin/pip', 'install', '--quiet', '--disable-pip-version-check', '-r', 'requirements.txt'],
    ],
    runs: PYTHON.map(program => ['venv/bin/python', `${program}.py`]),
  },
  {
    // One on version 6 of the C client, which sends list and map operations in a form of its own.
    name: 'python-15',
    source: 'python',
    tools: ['python3'],
    install: [
      ['python3', '-m', 'venv', 'venv'],
      ['venv/bin/pip', 'install', '--quiet', '--disable-pip-version-check', 'aerospike==15.0.0'],
    ],
    runs: ['smoke', 'lists', 'maps'].map(program => ['venv/bin/python', `${program}.py`]),
  },
  {
    name: 'c',
    tools: ['make', 'cc', 'python3'],
    install: [['make', 'client', 'VERSION=19.3.0']],
    build: [['make', 'smoke']],
    runs: [['./smoke']],
  },
  {
    name: 'c-6',
    source: 'c',
    tools: ['make', 'cc', 'python3'],
    install: [['make', 'client', 'VERSION=15.0.0']],
    build: [['make', 'smoke']],
    runs: [['./smoke']],
  },
  {
    name: 'go',
    tools: ['go'],
    install: [],
    build: [['go', 'build', '-o', 'smoke', '.']],
    runs: [['./smoke']],
  },
  {
    name: 'java',
    tools: ['java', 'javac', 'mvn'],
    pins: 'pom.xml',
    install: [
      ['rm', '-rf', 'lib'],
      ['mvn', '-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=lib'],
    ],
    build: [
      [
        'javac',
        '-nowarn',
        '-cp',
        'lib/*',
        '-d',
        'classes',
        'Harness.java',
        ...JAVA.map(program => `${program}.java`),
      ],
    ],
    runs: JAVA.map(program => ['java', '-cp', 'classes:lib/*', program]),
  },
  {
    name: 'rust',
    tools: ['cargo'],
    install: [],
    build: [['cargo', 'build', '--quiet']],
    runs: [['target/debug/smoke']],
  },
  {
    name: 'node',
    tools: ['npm'],
    install: [['npm', 'install', '--silent', '--no-save', '--prefix', '.', NODE_CLIENT]],
    runs: [['node', 'smoke.cjs']],
  },
];

interface Outcome {
  passed: number;
  failed: number;
  skipped: number;
}

async function main(): Promise<void> {
  const names = CLIENTS.map(client => client.name);
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: names.join() },
      port: { type: 'string' },
      storage: { type: 'string', default: 'memory' },
      cache: { type: 'string', default: path.join(tmpdir(), 'caltrop-smoke') },
      strict: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const only = values.only.split(',');
  const isWrong = !['memory', 'file'].includes(values.storage) || only.some(name => !names.includes(name));
  if (values.help || isWrong) {
    console.log(HELP.replace('NAMES', names.join(', ')));
    process.exitCode = isWrong ? 2 : 0;
    return;
  }
  const outcome: Outcome = { passed: 0, failed: 0, skipped: 0 };
  const server =
    values.port === undefined
      ? await ServerProcess.start(values.storage as StorageKind, NAMESPACE_SIZE)
      : undefined;
  try {
    for (const client of CLIENTS.filter(each => only.includes(each.name))) {
      const directory = path.join(values.cache, client.name);
      const missing = prepare(client, directory);
      if (missing !== undefined) {
        console.log(`SKIPPED ${client.name}: ${missing}`);
        outcome[values.strict ? 'failed' : 'skipped']++;
        continue;
      }
      await runClient(client, directory, server?.port ?? Number(values.port), outcome);
    }
  } finally {
    await server?.stop();
  }
  console.log(`${outcome.passed} passed, ${outcome.failed} failed, ${outcome.skipped} skipped`);
  process.exitCode = outcome.failed > 0 ? 1 : 0;
}

/** Copies the programs, installs their client the first time, compiles. Returns why they cannot run, or undefined. */
function prepare(client: Client, directory: string): string | undefined {
  for (const tool of client.tools) {
    if (spawnSync('which', [tool]).status !== 0) return `there is no ${tool} on the path`;
  }
  mkdirSync(directory, { recursive: true });
  cpSync(path.join(SOURCES, client.source ?? client.name), directory, { recursive: true });
  // What was installed is good as long as the steps and the pinned versions are the same.
  const pins = client.pins === undefined ? '' : readFileSync(path.join(directory, client.pins), 'utf8');
  const wanted = JSON.stringify([client.install, pins]);
  const mark = path.join(directory, 'installed');
  if (!existsSync(mark) || readFileSync(mark, 'utf8') !== wanted) {
    const failure = runSteps(client.install, directory);
    if (failure !== undefined) return failure;
    writeFileSync(mark, wanted);
  }
  return runSteps(client.build ?? [], directory);
}

/** Returns what went wrong, or undefined. */
function runSteps(steps: readonly (readonly string[])[], directory: string): string | undefined {
  for (const [program, ...args] of steps) {
    const file = program!.includes('/') ? path.join(directory, program!) : program!;
    const { status, stderr, error } = spawnSync(file, args, {
      cwd: directory,
      timeout: INSTALL_MS,
      encoding: 'utf8',
    });
    if (status !== 0) return `${program} ${args.join(' ')}: ${(error?.message ?? stderr).trim().slice(-500)}`;
  }
  return undefined;
}

async function runClient(client: Client, directory: string, port: number, outcome: Outcome): Promise<void> {
  let passed = 0;
  let failed = 0;
  for (const run of client.runs) {
    const lines = await runProgram(run, directory, port);
    for (const line of lines.filter(each => each.startsWith('FAIL '))) {
      failed++;
      console.log(`${client.name}: ${line}`);
    }
    passed += lines.filter(line => line.startsWith('ok ')).length;
  }
  outcome.passed += passed;
  outcome.failed += failed;
  console.log(`${client.name}: ${passed} passed, ${failed} failed`);
}

/** @returns The lines that the program printed; one that ends as it should not has a line FAIL. */
async function runProgram(
  [program, ...args]: readonly string[],
  directory: string,
  port: number,
): Promise<string[]> {
  const file = program!.includes('/') ? path.join(directory, program!) : program!;
  const child = spawn(file, [...args, '127.0.0.1', String(port)], { cwd: directory, timeout: RUN_MS });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', chunk => {
      text += chunk;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  const lines = text.split('\n');
  const hasFailed = lines.some(line => line.startsWith('FAIL '));
  if (!hasFailed && (code !== 0 || !lines.some(line => line.startsWith('ok '))))
    lines.push(`FAIL ${args.at(-1) ?? program}: exit ${code}: ${text.trim().slice(-1000)}`);
  return lines;
}

await main();
