/** A server whose disk hangs when a test says so: gated-flush.ts. */
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type NamespaceOptions, type Teardown, TestServer } from './server.js';

const GATED_FLUSH = new URL('gated-flush.js', import.meta.url).href;

export class HangingDisk {
  readonly server: TestServer;
  readonly #gate: string;

  private constructor(server: TestServer, gate: string) {
    this.server = server;
    this.#gate = gate;
  }

  static async start(t: Teardown, workerCount: number, namespace: NamespaceOptions): Promise<HangingDisk> {
    let gate = '';
    const environment: Record<string, string> = {
      CALTROP_IO: 'node',
      NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --import=${GATED_FLUSH}`,
    };
    const server = await TestServer.start(t, {
      service: [`service-threads ${workerCount}`],
      environment,
      prepare: directory => {
        gate = path.join(directory, 'gate');
        environment.CALTROP_TEST_FLUSH_GATE = gate;
      },
      namespaces: [namespace],
    });
    return new HangingDisk(server, gate);
  }

  /** From now on no flush ends. */
  hang(): void {
    writeFileSync(this.#gate, '');
  }

  goOn(): void {
    rmSync(this.#gate);
  }
}
