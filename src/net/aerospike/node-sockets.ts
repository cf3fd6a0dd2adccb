/** Sockets by node:net. */
import net from 'node:net';
import { BACKLOG, ListenError, type SocketEngine, type SocketEvents } from './socket-engine.js';

const KEEP_ALIVE_MS = 60_000;

export class NodeSockets implements SocketEngine {
  readonly name = 'node:net';
  readonly wakeDescriptor = -1;
  readonly #events: SocketEvents;
  readonly #sockets: (net.Socket | null)[] = [];
  readonly #freeSlots: number[] = [];
  readonly #servers: net.Server[] = [];
  #isTurnDue = false;
  readonly #turn = (): void => {
    this.#isTurnDue = false;
    this.#events.turned(false);
  };

  constructor(events: SocketEvents) {
    this.#events = events;
  }

  listen(host: string | undefined, port: number): Promise<number> {
    const server = net.createServer(
      { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS },
      socket => this.#accept(socket),
    );
    return new Promise((resolve, reject) => {
      server.once('error', error =>
        reject(
          new ListenError(`cannot listen on ${host ?? 'any'}:${port}: ${error.message}`, { cause: error }),
        ),
      );
      server.listen({ host, port, backlog: BACKLOG }, () => {
        server.removeAllListeners('error');
        server.on('error', () => {}); // accept failures (no descriptors left): the client sees a refused connection
        this.#servers.push(server);
        resolve((server.address() as net.AddressInfo).port);
      });
    });
  }

  /** Nothing: a socket writes when it likes, from memory of its own. */
  share(): void {}

  watch(): void {}

  flush(): void {}

  /** After all sockets that are ready now were read. */
  requestTurn(): void {
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    setImmediate(this.#turn);
  }

  send(slot: number, bytes: Uint8Array, at: number, size: number): void {
    const socket = this.#sockets[slot];
    if (socket == null) return;
    const copy = Buffer.allocUnsafe(size);
    if (size > 64) copy.set(bytes.subarray(at, at + size));
    else for (let i = 0; i < size; i++) copy[i] = bytes[at + i]!;
    socket.write(copy);
  }

  pause(slot: number): void {
    this.#sockets[slot]?.pause();
  }

  resume(slot: number): void {
    this.#sockets[slot]?.resume();
  }

  close(slot: number): void {
    this.#sockets[slot]?.destroy();
  }

  end(slot: number): void {
    this.#sockets[slot]?.end();
  }

  queuedBytes(slot: number): number {
    return this.#sockets[slot]?.writableLength ?? 0;
  }

  async stopListening(): Promise<void> {
    for (const server of this.#servers) server.close();
    this.#servers.length = 0;
  }

  #accept(socket: net.Socket): void {
    const events = this.#events;
    const slot = this.#freeSlots.pop() ?? this.#sockets.length;
    this.#sockets[slot] = socket;
    if (!events.opened(slot, `${socket.remoteAddress}:${socket.remotePort}`)) {
      this.#sockets[slot] = null;
      this.#freeSlots.push(slot);
      socket.on('error', () => {}); // it is being refused
      socket.destroy();
      return;
    }
    socket.on('data', (chunk: Buffer) => {
      events.arrived();
      events.received(slot, chunk, 0, chunk.length);
    });
    socket.on('drain', () => events.drained(slot));
    socket.on('error', () => {}); // 'close' follows and says all that matters
    socket.on('close', () => {
      this.#sockets[slot] = null;
      events.closed(slot);
      this.#freeSlots.push(slot);
    });
  }
}
