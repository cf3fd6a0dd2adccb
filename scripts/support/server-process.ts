/**
 * A Caltrop process of its own for a script: started with a configuration in a temporary directory, on a
 * free port of 127.0.0.1, ended and removed by `stop`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export type StorageKind = 'memory' | 'file';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const START_MS = 30_000;
const STOP_MS = 20_000;
const POLL_MS = 50;
const PORT_MIN = 10_000;
const LOG_TAIL = 2000; // characters shown of a server that did not start

export class ServerProcess {
  readonly port: number;
  readonly pid: number;
  readonly #child: ChildProcess;
  /** Where its configuration and its files are. */
  readonly directory: string;

  private constructor(child: ChildProcess, port: number, directory: string) {
    this.#child = child;
    this.pid = child.pid!;
    this.port = port;
    this.directory = directory;
  }

  /**
   * @param sizeBytes of the namespace `test`, its data-size or filesize.
   * @param main the program: another checkout's, where two are compared.
   * @param environment what it gets besides this process's own.
   */
  static async start(
    storage: StorageKind,
    sizeBytes: number,
    main = MAIN,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<ServerProcess> {
    const directory = mkdtempSync(path.join(tmpdir(), 'caltrop-script-'));
    const port = await freePort();
    const configFile = path.join(directory, 'caltrop.conf');
    writeFileSync(configFile, configText(storage, sizeBytes, port, directory));
    const logFile = path.join(directory, 'log');
    const log = openSync(logFile, 'w');
    const child = spawn(process.execPath, [main, '--config', configFile], {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...environment },
    });
    closeSync(log);
    const server = new ServerProcess(child, port, directory);
    try {
      await server.#untilReady();
      return server;
    } catch (error) {
      const tail = readFileSync(logFile, 'utf8').slice(-LOG_TAIL);
      await server.stop();
      throw new Error(`the server did not start: ${(error as Error).message}\n${tail}`, { cause: error });
    }
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Pauses the process, so that it takes no processor time while another is measured. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  /** SIGTERM, SIGKILL when that does not help, and the files are gone. */
  async stop(): Promise<void> {
    if (this.isRunning) {
      const exited = once(this.#child, 'exit');
      this.resume();
      this.#child.kill('SIGTERM');
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
      await exited;
      clearTimeout(timer);
    }
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #untilReady(): Promise<void> {
    const endMs = Date.now() + START_MS;
    while (this.isRunning && Date.now() < endMs) {
      if ((await askInfo(this.port, 'status')).includes('ok')) return;
      await new Promise(resolve => setTimeout(resolve, POLL_MS));
    }
    throw new Error(this.isRunning ? `no answer in ${START_MS / 1000} s` : 'the process has ended');
  }
}

/** The answer to an info command, or '' when there is none. */
export function askInfo(port: number, command: string): Promise<string> {
  return new Promise(resolve => {
    const body = Buffer.from(`${command}\n`);
    const head = Buffer.from([2, 1, 0, 0, 0, 0, 0, body.length]);
    let answer = Buffer.alloc(0);
    const socket = net.connect(port, '127.0.0.1', () => socket.write(Buffer.concat([head, body])));
    socket.setTimeout(1000, () => socket.destroy());
    socket.on('error', () => {}); // 'close' follows and resolves
    socket.on('data', chunk => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length >= 8 && answer.length >= 8 + answer.readUIntBE(2, 6)) socket.destroy();
    });
    socket.on('close', () => resolve(answer.toString('latin1', 8)));
  });
}

/**
 * A port of 127.0.0.1 on which nobody listens. It lies below those that the kernel gives to outgoing connections and to
 * whoever listens on port 0, so that nobody takes it by accident before it is listened on.
 */
export async function freePort(): Promise<number> {
  const end = Number(/^\d+/.exec(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'))![0]);
  for (;;) {
    const port = end > 2 * PORT_MIN ? PORT_MIN + Math.floor(Math.random() * (end - PORT_MIN)) : 0;
    const server = net.createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    const { port: found } = server.address() as net.AddressInfo;
    server.close();
    await once(server, 'close');
    return found;
  }
}

function configText(storage: StorageKind, sizeBytes: number, port: number, directory: string): string {
  const engine =
    storage === 'memory'
      ? `storage-engine memory {\n\t\tdata-size ${sizeBytes}\n\t}`
      : `storage-engine device {\n\t\tfile ${path.join(directory, 'test.dat')}\n\t\tfilesize ${sizeBytes}\n\t}`;
  return `\
service {
	cluster-name caltrop-script
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
namespace test {
	replication-factor 1
	default-ttl 0
	nsup-period 120
	${engine}
}
`;
}
