/**
 * Sockets by the native addon: one call into JavaScript a turn, with a table of what has happened, and one call
 * back with a table of what to send. Answers that lie in shared memory are sent from there without a copy.
 */
import dns from 'node:dns/promises';
import net from 'node:net';
import { getSystemErrorMap } from 'node:util';
import { copyBytes } from '../../base/copy.js';
import type { NativeModule, NativeSocketLoop } from '../../base/native-module.js';
import { HEAD, type RingConsumer, TAIL } from '../../base/ring.js';
import { BACKLOG, ListenError, type SocketEngine, type SocketEvents } from './socket-engine.js';

// The tables; native/socket-loop.h describes them.
const SLOT_BITS = 20;
const SLOT_COUNT = 1 << SLOT_BITS;
const SLOT_MASK = SLOT_COUNT - 1;
const ENTRY_WORDS = 4;
const EVENT_OPENED = 1;
const EVENT_RECEIVED = 2;
const EVENT_DRAINED = 3;
const EVENT_CLOSED = 4;

const REFUSED = 0; // in the place of a generation, which is never 0
const INPUT_SIZE = 1024 * 1024; // bytes
const EVENT_COUNT = 1024;
const OUTPUT_COUNT = 1024;
const OUTBOX_SIZE = 64 * 1024; // bytes
/** Longer answers from memory that is not shared are sent at once instead of through the outbox. */
const BOXED_SIZE_MAX = 4096; // bytes

/** Events that are looked at before the first of them is told; with fewer it does not pay. */
const AHEAD_MAX = 64;
const AHEAD_MIN = 4;

export class NativeSockets implements SocketEngine {
  readonly name = 'the native addon';
  readonly #events: SocketEvents;
  readonly #loop: NativeSocketLoop;
  readonly #input = Buffer.alloc(INPUT_SIZE);
  readonly #table = new Uint32Array(EVENT_COUNT * ENTRY_WORDS);
  readonly #outputs = new Uint32Array(OUTPUT_COUNT * ENTRY_WORDS);
  #outputCount = 0;
  readonly #queued = new Uint32Array(SLOT_COUNT);
  readonly #generations = new Uint32Array(SLOT_COUNT);
  /** Memory that the addon may read from; the index is the region's number. The first is the outbox. */
  readonly #regions: Uint8Array[] = [];
  /** The region that was used last: answers of one worker follow each other. */
  #region = 0;
  readonly #outbox = new Uint8Array(OUTBOX_SIZE);
  #outboxSize = 0;
  /** Events are being told: `turned` follows. */
  #isTelling = false;
  /** Whatever is sent now is flushed at the end of the turn. */
  #isInTurn = false;
  #isTurnDue = false;
  readonly #turn = (): void => {
    this.#isTurnDue = false;
    this.#onTurn(0, false);
  };

  /** @throws Error when the kernel refuses an epoll set. */
  constructor(native: NativeModule, events: SocketEvents) {
    this.#events = events;
    const loop = native.openSockets(
      this.#input,
      this.#table,
      this.#outputs,
      this.#queued,
      (count, mayLinger) => this.#onTurn(count, mayLinger),
    );
    if (typeof loop !== 'object') throw new Error(`no epoll set: ${systemErrorText(loop)}`);
    this.#loop = loop;
    this.share(this.#outbox);
  }

  get wakeDescriptor(): number {
    return this.#loop.wakeDescriptor;
  }

  async listen(host: string | undefined, port: number): Promise<number> {
    const fail = (reason: string, cause?: unknown): never => {
      throw new ListenError(`cannot listen on ${host ?? 'any'}:${port}: ${reason}`, { cause });
    };
    if (host === undefined) {
      const both = this.#loop.listen('::', port, BACKLOG);
      const result = both >= 0 ? both : this.#loop.listen('0.0.0.0', port, BACKLOG); // a kernel without IPv6
      return result >= 0 ? result : fail(`listen ${systemErrorText(result)}`);
    }
    const { address } = net.isIP(host)
      ? { address: host }
      : await dns.lookup(host).catch(error => fail((error as Error).message, error));
    const result = this.#loop.listen(address, port, BACKLOG);
    return result >= 0 ? result : fail(`listen ${systemErrorText(result)} ${address}:${port}`);
  }

  async stopListening(): Promise<void> {
    this.#loop.stopListening();
  }

  share(bytes: Uint8Array): void {
    // An array that the addon cannot take is sent by copying.
    if (this.#loop.share(bytes) === this.#regions.length) this.#regions.push(bytes);
  }

  watch(ring: RingConsumer): void {
    this.#loop.watch(ring.region.i32, TAIL, HEAD);
  }

  send(slot: number, bytes: Uint8Array, at: number, size: number): void {
    let region = this.#region;
    if (this.#regions[region] !== bytes) {
      region = this.#regions.indexOf(bytes);
      if (region < 0) {
        this.#sendCopy(slot, bytes, at, size);
        return;
      }
      this.#region = region;
    }
    this.#put(slot, region, at, size);
  }

  flush(): void {
    const count = this.#outputCount;
    if (count === 0) return;
    this.#outputCount = 0;
    this.#outboxSize = 0;
    this.#loop.flush(count);
  }

  pause(slot: number): void {
    this.#loop.pause(slot, this.#generations[slot]!);
  }

  resume(slot: number): void {
    this.#loop.resume(slot, this.#generations[slot]!);
  }

  close(slot: number): void {
    this.#loop.close(slot, this.#generations[slot]!);
  }

  end(slot: number): void {
    this.flush();
    this.#loop.end(slot, this.#generations[slot]!);
  }

  queuedBytes(slot: number): number {
    return this.#queued[slot]!;
  }

  requestTurn(): void {
    if (this.#isTelling || this.#isTurnDue) return;
    this.#isTurnDue = true;
    setImmediate(this.#turn);
  }

  #put(slot: number, region: number, at: number, size: number): void {
    if (this.#outputCount === OUTPUT_COUNT) this.flush();
    const outputs = this.#outputs;
    const w = this.#outputCount++ * ENTRY_WORDS;
    outputs[w] = slot | (region << SLOT_BITS);
    outputs[w + 1] = this.#generations[slot]!;
    outputs[w + 2] = at;
    outputs[w + 3] = size;
    if (!this.#isInTurn) this.requestTurn();
  }

  #sendCopy(slot: number, bytes: Uint8Array, at: number, size: number): void {
    if (size > BOXED_SIZE_MAX) {
      this.flush(); // what was given before goes first
      this.#loop.write(slot, this.#generations[slot]!, bytes, at, size);
      return;
    }
    if (this.#outboxSize + size > OUTBOX_SIZE) this.flush();
    const boxAt = this.#outboxSize;
    copyBytes(this.#outbox, boxAt, bytes, at, size);
    this.#put(slot, 0, boxAt, size); // may flush what was in the table, and with it the box's mark
    this.#outboxSize = boxAt + size;
  }

  #onTurn(count: number, mayLinger: boolean): number {
    const table = this.#table;
    const events = this.#events;
    this.#isInTurn = true;
    this.#isTelling = true;
    if (count > 0) events.arrived();
    let aheadCount = 0;
    for (let i = 0, w = 0; i < count; i++, w += ENTRY_WORDS) {
      if (i === aheadCount) aheadCount = this.#lookAhead(i, count);
      const word = table[w]!;
      const slot = word & SLOT_MASK;
      switch (word >>> SLOT_BITS) {
        case EVENT_RECEIVED:
          events.received(slot, this.#input, table[w + 2]!, table[w + 3]!);
          break;
        case EVENT_DRAINED:
          events.drained(slot);
          break;
        case EVENT_OPENED:
          this.#opened(slot, table[w + 1]!, table[w + 2]!, table[w + 3]!);
          break;
        case EVENT_CLOSED:
          if (this.#generations[slot] !== REFUSED) events.closed(slot);
          break;
      }
    }
    events.forget();
    this.#isTelling = false;
    const lingerUs = events.turned(mayLinger);
    this.flush();
    this.#isInTurn = false;
    return lingerUs;
  }

  /** Has the next events looked at. @returns The first that was not. */
  #lookAhead(from: number, count: number): number {
    const table = this.#table;
    const events = this.#events;
    const end = Math.min(count, from + AHEAD_MAX);
    events.forget();
    if (end - from < AHEAD_MIN) return end;
    for (let w = from * ENTRY_WORDS; w < end * ENTRY_WORDS; w += ENTRY_WORDS) {
      if (table[w]! >>> SLOT_BITS === EVENT_RECEIVED)
        events.foresee(this.#input, table[w + 2]!, table[w + 3]!);
    }
    events.lookAhead();
    return end;
  }

  #opened(slot: number, generation: number, at: number, size: number): void {
    this.#generations[slot] = generation;
    if (this.#events.opened(slot, this.#input.toString('latin1', at, at + size))) return;
    this.close(slot);
    this.#generations[slot] = REFUSED;
  }
}

/** `EADDRINUSE: address already in use` for -98. */
function systemErrorText(negativeErrno: number): string {
  const [name, text] = getSystemErrorMap().get(negativeErrno) ?? [`error ${-negativeErrno}`, 'unknown'];
  return `${name}: ${text}`;
}
