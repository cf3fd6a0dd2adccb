/**
 * A socket engine under test, with the plainest front end there is: it remembers what it was told, and does what
 * the test says when bytes come. Clients are raw sockets of node:net.
 */
import { once } from 'node:events';
import net from 'node:net';
import { nativeModule } from '../../../src/base/native-module.js';
import { NativeSockets } from '../../../src/net/aerospike/native-sockets.js';
import { NodeSockets } from '../../../src/net/aerospike/node-sockets.js';
import type { SocketEngine, SocketEvents } from '../../../src/net/aerospike/socket-engine.js';

/** Every engine that works here. */
export const ENGINES: Readonly<Record<string, (events: SocketEvents) => SocketEngine>> = {
  'node:net': events => new NodeSockets(events),
  ...nativeEngine(),
};

function nativeEngine(): Record<string, (events: SocketEvents) => SocketEngine> {
  const native = nativeModule();
  return typeof native === 'string' ? {} : { native: events => new NativeSockets(native, events) };
}

/** Bytes that have come. */
class Received {
  #chunks: Buffer[] = [];
  receivedSize = 0;
  /** Whether they are kept. */
  isKeeping = true;

  /** @param bytes Copied. */
  take(bytes: Uint8Array): void {
    this.receivedSize += bytes.length;
    if (this.isKeeping) this.#chunks.push(Buffer.from(bytes));
  }

  get received(): Buffer {
    this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0]!;
  }
}

/** One connection, as the engine tells of it. */
export class Told extends Received {
  readonly remote: string;
  drainedCount = 0;
  isClosed = false;

  constructor(remote: string) {
    super();
    this.remote = remote;
  }
}

export class Bench implements SocketEvents {
  readonly engine: SocketEngine;
  port = 0;
  /** By slot: the connection that has it, or had it last. */
  readonly bySlot: Told[] = [];
  readonly all: Told[] = [];
  turnCount = 0;
  /** Chunks of bytes that were announced and not yet told: where they lie. */
  readonly #foreseen: [at: number, size: number][] = [];
  foreseenCount = 0;
  #hasArrived = false;
  /** Whether a connection may come in. */
  admits: (remote: string) => boolean = () => true;
  /** What is done with bytes. */
  onBytes: (slot: number, bytes: Uint8Array, at: number, size: number) => void = () => {};
  onDrained: (slot: number) => void = () => {};
  /** What the engine is told at the end of a turn. */
  onTurned: (mayLinger: boolean) => number = () => 0;

  private constructor(create: (events: SocketEvents) => SocketEngine) {
    this.engine = create(this);
  }

  static async start(
    t: { teardown(end: () => Promise<void>): void },
    create: (events: SocketEvents) => SocketEngine,
  ): Promise<Bench> {
    const bench = new Bench(create);
    bench.port = await bench.engine.listen('127.0.0.1', 0);
    t.teardown(async () => {
      await bench.engine.stopListening();
      for (const [slot, told] of bench.bySlot.entries())
        if (told?.isClosed === false) bench.engine.close(slot);
    });
    return bench;
  }

  opened(slot: number, remote: string): boolean {
    if (!this.admits(remote)) return false;
    const before = this.bySlot[slot];
    if (before !== undefined && !before.isClosed) throw new Error(`slot ${slot} is taken`);
    this.bySlot[slot] = new Told(remote);
    this.all.push(this.bySlot[slot]);
    return true;
  }

  arrived(): void {
    this.#hasArrived = true;
  }

  foresee(_bytes: Uint8Array, at: number, size: number): void {
    const before = this.#foreseen.at(-1);
    if (before !== undefined && before[0] >= at) throw new Error('bytes are announced out of order');
    this.#foreseen.push([at, size]);
    this.foreseenCount++;
  }

  lookAhead(): void {}

  forget(): void {
    if (this.#foreseen.length > 0) throw new Error(`${this.#foreseen.length} announced chunks never came`);
  }

  received(slot: number, bytes: Uint8Array, at: number, size: number): void {
    if (!this.#hasArrived) throw new Error('bytes come that were not said to have arrived');
    const foreseen = this.#foreseen.shift();
    if (foreseen !== undefined && (foreseen[0] !== at || foreseen[1] !== size)) {
      throw new Error(`${size} bytes at ${at} came where ${foreseen[1]} at ${foreseen[0]} were announced`);
    }
    const told = this.bySlot[slot]!;
    if (told.isClosed) throw new Error(`bytes of slot ${slot}, which is closed`);
    told.take(bytes.subarray(at, at + size));
    this.onBytes(slot, bytes, at, size);
  }

  drained(slot: number): void {
    this.bySlot[slot]!.drainedCount++;
    this.onDrained(slot);
  }

  closed(slot: number): void {
    const told = this.bySlot[slot];
    if (told === undefined || told.isClosed) throw new Error(`slot ${slot} is closed twice`);
    told.isClosed = true;
  }

  turned(mayLinger: boolean): number {
    this.turnCount++;
    return this.onTurned(mayLinger);
  }

  get openCount(): number {
    return this.all.filter(told => !told.isClosed).length;
  }

  /** A client, and the slot that it has here. */
  async connect(): Promise<{ client: Client; slot: number; told: Told }> {
    const client = await Client.connect(this.port);
    const remote = `127.0.0.1:${client.socket.localPort}`;
    await until(() => this.all.some(told => told.remote === remote && !told.isClosed));
    const slot = this.bySlot.findIndex(told => told?.remote === remote && !told.isClosed);
    return { client, slot, told: this.bySlot[slot]! };
  }
}

export class Client extends Received {
  readonly socket: net.Socket;
  isEnded = false;
  isClosed = false;

  private constructor(socket: net.Socket) {
    super();
    this.socket = socket;
    socket.on('data', chunk => this.take(chunk));
    socket.on('error', () => {}); // 'close' follows
    socket.on('end', () => {
      this.isEnded = true;
    });
    socket.on('close', () => {
      this.isClosed = true;
    });
  }

  static async connect(port: number): Promise<Client> {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    const client = new Client(socket);
    await once(socket, 'connect');
    return client;
  }
}

/** Waits until something holds. */
export async function until(holds: () => boolean, timeoutMs = 20_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`not in time: ${holds}`);
    await new Promise(resolve => setTimeout(resolve, 2));
  }
}

/** Bytes that differ from place to place. */
export function pattern(size: number, seed = 0): Buffer {
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 7 + (i >>> 8) * 13 + seed) & 0xff;
  return bytes;
}
