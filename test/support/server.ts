/**
 * A real server process for tests: started with a configuration written for it in a temporary directory, on
 * ports that the kernel chooses, ended with SIGTERM and removed when the test is over.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { preciseTime } from '../../scripts/support/processor-time.js';
import { afterSeconds, until } from './until.js';
import { infoFrame, WireClient } from './wire-client.js';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const START_SEC = 120;
/** Tests of a file run side by side and each starts a server: so many of them start at once, the others have to wait. */
const STARTS_MAX = 4;
const STOP_SEC = 60;
/**
 * The time of commands that bring none, where a test does not say otherwise: those of a test that is about something else
 * do not end because its machine was busy for a second.
 */
const TRANSACTION_MAX = 'transaction-max-ms 60000';
const KIB = 1024; // bytes

/** What a namespace says that differs from the plain one: 64 MiB of memory, no default ttl, nsup-period 120. */
export interface NamespaceOptions {
  readonly name: string;
  /** Lines of the namespace context, without its storage. */
  readonly lines?: readonly string[];
  /** The storage-engine context; `DIRECTORY` stands for the server's own directory. */
  readonly storage?: string;
}

export interface ServerOptions {
  /** Lines of the service context. */
  readonly service?: readonly string[];
  /** Lines of the network's service context, beside address and port. */
  readonly network?: readonly string[];
  readonly namespaces?: readonly NamespaceOptions[];
  /** Variables of the process beside this one's. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Called with the server's directory before the first start. */
  readonly prepare?: (directory: string) => void;
  /** The program that is run; the one of this build when left out. */
  readonly program?: string;
}

/** Whoever runs the server to its end: the context of a test, or a script. */
export interface Teardown {
  teardown(end: () => Promise<void>): void;
}

/** Servers of this process that are starting, and those that wait until they may. */
let startingCount = 0;
const waiting: (() => void)[] = [];

async function inTurn(start: () => Promise<void>): Promise<void> {
  if (startingCount === STARTS_MAX) await new Promise<void>(resolve => waiting.push(resolve));
  else startingCount++;
  try {
    await start();
  } finally {
    const next = waiting.shift();
    if (next === undefined) startingCount--;
    else next();
  }
}

export class TestServer {
  readonly directory = mkdtempSync(path.join(tmpdir(), 'caltrop-test-'));
  port = 0;
  #child!: ChildProcess;
  #output = '';
  #environment: Readonly<Record<string, string>> = {};
  #program: string | undefined;

  /** Starts a server and waits until it takes clients. */
  static async start(t: Teardown, options: ServerOptions = {}): Promise<TestServer> {
    const server = new TestServer();
    t.teardown(() => server.remove());
    server.#environment = options.environment ?? {};
    server.#program = options.program;
    options.prepare?.(server.directory);
    server.configure(options);
    await server.run();
    return server;
  }

  /** Writes the configuration for the lives to come. */
  configure(options: ServerOptions): void {
    writeFileSync(path.join(this.directory, 'caltrop.conf'), configText(options, this.directory));
  }

  /**
   * Starts the process; again, after stop(), on the files that the one before has left.
   * @param environment Variables of this life alone.
   */
  run(environment: Readonly<Record<string, string>> = {}): Promise<void> {
    return inTurn(() => this.#run(environment));
  }

  async #run(environment: Readonly<Record<string, string>>): Promise<void> {
    const configFile = path.join(this.directory, 'caltrop.conf');
    this.#output = '';
    const program = this.#program === undefined ? [process.execPath, MAIN] : [this.#program];
    const child = spawn(program[0]!, [...program.slice(1), '--config', configFile], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...this.#environment, ...environment },
    });
    this.#child = child;
    const started = new Promise<void>((resolve, reject) => {
      const inTime = afterSeconds(START_SEC, () =>
        reject(new Error(`no start in ${START_SEC} s:\n${this.#output}`)),
      );
      const listen = (chunk: Buffer): void => {
        this.#output = (this.#output + chunk.toString()).slice(-256 * KIB);
        const port = /service ready: .*clients on port (\d+)/.exec(this.#output)?.[1];
        if (port === undefined) return;
        inTime();
        this.port = Number(port);
        resolve();
      };
      child.stdout!.on('data', listen);
      child.stderr!.on('data', listen);
      child.once('exit', code => {
        inTime();
        reject(new Error(`the server ended with ${code}:\n${this.#output}`));
      });
    });
    await started;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** The last of what the server printed. */
  get output(): string {
    return this.#output;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  connect(): Promise<WireClient> {
    return WireClient.connect(this.port);
  }

  /** The answer to one info command, without the command itself. */
  async info(command: string): Promise<string> {
    const client = await this.connect();
    const frame = await client.ask(infoFrame(`${command}\n`));
    client.close();
    return frame.toString('latin1', 8 + command.length + 1, frame.length - 1);
  }

  /** One number of `statistics`, or of another command that answers name=value;…. */
  async statistic(name: string, command = 'statistics'): Promise<number> {
    for (const pair of (await this.info(command)).split(';')) {
      const [key, value] = pair.split('=');
      if (key === name) return Number(value);
    }
    throw new Error(`${command} has no ${name}`);
  }

  /** What a namespace has acknowledged before this (monotonic) is on its devices, as it says itself. */
  async flushedThroughMs(namespace = 'test'): Promise<number> {
    const askedMs = performance.now();
    return askedMs - (await this.statistic('unflushed_ms', `namespace/${namespace}`));
  }

  /** Waits until everything that a namespace has acknowledged is on its devices. */
  flushed(namespace = 'test'): Promise<void> {
    return until('all is on the device', async () => {
      return (await this.statistic('unflushed_ms', `namespace/${namespace}`)) === 0;
    });
  }

  /** Waits until the server has printed this. */
  printed(pattern: RegExp): Promise<void> {
    return until(`${pattern} is printed`, () => pattern.test(this.#output));
  }

  /** Seconds on a processor that all threads together have had: what work costs, however busy the machine is. */
  processorSec(): number {
    return preciseTime(this.pid);
  }

  /** Resident memory now, bytes. */
  residentSize(): number {
    return this.#statusKib('VmRSS') * KIB;
  }

  /** The most resident memory there has been since the start or since resetPeak(), bytes. */
  peakSize(): number {
    return this.#statusKib('VmHWM') * KIB;
  }

  /** Starts measuring the peak anew. */
  resetPeak(): void {
    writeFileSync(`/proc/${this.pid}/clear_refs`, '5');
  }

  /** Sends a signal and waits for nothing. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Asks the process to end. @returns Its exit code, or the signal that it took. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals> {
    const child = this.#child;
    if (this.isRunning) {
      const exited = once(child, 'close'); // what it printed has come by then
      child.kill(signal);
      const inTime = afterSeconds(STOP_SEC, () => child.kill('SIGKILL'));
      await exited;
      inTime();
    }
    return child.exitCode ?? child.signalCode!;
  }

  async remove(): Promise<void> {
    if (this.#child !== undefined) await this.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  #statusKib(name: string): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'latin1');
    return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)![1]);
  }
}

function configText(options: ServerOptions, directory: string): string {
  const namespaces = options.namespaces ?? [{ name: 'test' }];
  const said = options.service ?? [];
  const service = said.some(line => line.startsWith('transaction-max-ms '))
    ? said
    : [TRANSACTION_MAX, ...said];
  return `service {
	cluster-name caltrop-test
	work-directory ${directory}
	${service.join('\n\t')}
}
logging {
	console {
		context any info
	}
}
network {
	service {
		address 127.0.0.1
		port 0
		${(options.network ?? []).join('\n\t\t')}
	}
}
${namespaces.map(namespace => namespaceText(namespace, directory)).join('\n')}`;
}

function namespaceText(options: NamespaceOptions, directory: string): string {
  const lines = options.lines ?? [];
  const isSet = (name: string): boolean => lines.some(line => line.startsWith(`${name} `));
  const defaults = [
    ['replication-factor', '1'],
    ['nsup-period', '120'],
  ].filter(([name]) => !isSet(name!));
  const storage = options.storage ?? 'storage-engine memory {\n\t\tdata-size 64M\n\t}';
  return `namespace ${options.name} {
	${[...defaults.map(pair => pair.join(' ')), ...lines].join('\n\t')}
	${storage.replaceAll('DIRECTORY', directory)}
}
`;
}
