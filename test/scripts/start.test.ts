import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';

/** What the README documents for those who supervise the server. */
const EXIT = { stopped: 0, badArguments: 2, badConfiguration: 3, storageRefused: 4, portRefused: 5 };

const START_TIME_MAX_MS = 2000;
const SCRIPT = join(process.cwd(), 'scripts/start');

interface Ports {
  service: number;
  http: number;
}

async function setUp(t: ExecutionContext) {
  t.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), 'caltrop-start-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const ports: Ports = { service: await freePort(), http: await freePort() };
  const start = (...parameters: string[]) => startServer(t, folder, parameters);
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  return { ports, start, write };
}

function configuration(ports: Ports, workFolder = 'work'): string {
  return `
service {
  work-directory ./${workFolder}
  http-port ${ports.http}
}
network {
  service {
    address 127.0.0.1
    port ${ports.service}
  }
}
namespace test {
  replication-factor 1
  storage-engine device {
    file ./records.dat
    filesize 64M
  }
}
`;
}

test('a second start serves in under two seconds, from any folder, and SIGTERM ends it with 0', async t => {
  const { ports, start, write } = await setUp(t);
  write('caltrop.conf', configuration(ports));
  const times: number[] = [];
  // The machine may be busy with other tests; one undisturbed start of five proves the point. A start
  // that found a source file changed meanwhile was a first one.
  for (let attempt = 0; attempt < 5 && !times.some(time => time < START_TIME_MAX_MS); attempt++) {
    const begin = performance.now();
    const server = start('--config', 'caltrop.conf');
    await served(server, ports.http);
    if (!server.output().includes('compiling')) times.push(performance.now() - begin);
    server.process.kill('SIGTERM');
    t.is(await server.exit, EXIT.stopped, server.output());
  }
  t.true(Math.min(...times) < START_TIME_MAX_MS, `it took ${times.map(Math.round)} ms`);
});

test('bad arguments and a refused configuration have exit codes of their own', async t => {
  const { ports, start, write } = await setUp(t);
  const unknown = start('--bogus');
  t.is(await unknown.exit, EXIT.badArguments, unknown.output());

  write('bad.conf', configuration(ports).replace('replication-factor', 'replication-facto'));
  const refused = start('--config', 'bad.conf');
  t.is(await refused.exit, EXIT.badConfiguration, refused.output());
  t.regex(refused.output(), /bad\.conf:13.*replication-factor/s);

  const absent = start('--config', 'absent.conf');
  t.is(await absent.exit, EXIT.badConfiguration, absent.output());
  t.regex(absent.output(), /absent\.conf/);
});

test('checking a configuration starts nothing', async t => {
  const { ports, start, write } = await setUp(t);
  write('good.conf', configuration(ports));
  const checked = start('--check-config', '--config', 'good.conf');
  t.is(await checked.exit, EXIT.stopped, checked.output());
  write('bad.conf', 'nonsense {\n}\n');
  t.is(await start('--check-config', '--config', 'bad.conf').exit, EXIT.badConfiguration);
});

test('a data file in use and a port in use are refused, each with its exit code', async t => {
  const { ports, start, write } = await setUp(t);
  write('first.conf', configuration(ports));
  const first = start('--config', 'first.conf');
  await served(first, ports.http);

  const others: Ports = { service: await freePort(), http: await freePort() };
  write('second.conf', configuration(others, 'work-2'));
  const second = start('--config', 'second.conf');
  t.is(await second.exit, EXIT.storageRefused, second.output());
  t.regex(second.output(), /records\.dat/);

  for (const taken of [
    { ...others, service: ports.service },
    { ...others, http: ports.http },
  ]) {
    write('third.conf', configuration(taken, 'work-3').replace('records.dat', 'others.dat'));
    const third = start('--config', 'third.conf');
    t.is(await third.exit, EXIT.portRefused, third.output());
  }
  first.process.kill('SIGTERM');
  t.is(await first.exit, EXIT.stopped, first.output());
});

interface Started {
  process: ChildProcess;
  /** Exit code; -1 when a signal ended it. */
  exit: Promise<number>;
  output(): string;
}

function startServer(t: ExecutionContext, cwd: string, parameters: string[]): Started {
  const child = spawn(SCRIPT, parameters, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk));
  const exit = once(child, 'close').then(([code]) => (code as number | null) ?? -1);
  t.teardown(async () => {
    child.kill('SIGKILL');
    await exit;
  });
  return { process: child, exit, output: () => output };
}

/** Resolves when /health answers 200. */
async function served(server: Started, httpPort: number): Promise<void> {
  let hasEnded = false;
  void server.exit.then(() => (hasEnded = true));
  for (;;) {
    const reply = await fetch(`http://127.0.0.1:${httpPort}/health`).catch(() => undefined);
    await reply?.text();
    if (reply?.status === 200) return;
    if (hasEnded) throw new Error(`the server ended: ${server.output()}`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}
