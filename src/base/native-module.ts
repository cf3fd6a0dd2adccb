/**
 * The native addon of native/, where it was built and may be used. Everything that it does has a twin in
 * TypeScript, so whoever asks must be ready to hear why there is none.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const BUILD = path.join(import.meta.dirname, '../../../native/build'); // from dist/src/base
const ADDON = path.join(BUILD, 'caltrop.node');
/** Written by scripts/build-native when it could not build the addon. */
const REASON_FILE = path.join(BUILD, 'reason');
export const INTERFACE_VERSION = 7; // that of native/addon.cc

/** An open set of sockets; native/socket-loop.h says what the tables hold. */
export interface NativeSocketLoop {
  /** Watched by the loop: a turn comes when something is added to this eventfd. */
  readonly wakeDescriptor: number;
  /** @returns The port, or a negative errno. */
  listen(ip: string, port: number, backlog: number): number;
  stopListening(): void;
  /** Adds memory that entries of the table of outputs may name. @returns Its number, or -1. */
  share(bytes: Uint8Array): number;
  /** Adds a word that differs from another when another thread has something for this one: lingering ends then. */
  watch(words: Int32Array, index: number, otherIndex: number): void;
  /** Sends what the first `count` entries of the table of outputs say. */
  flush(count: number): void;
  /** Sends bytes at once; what the kernel does not take is copied. */
  write(slot: number, generation: number, bytes: Uint8Array, at: number, size: number): void;
  pause(slot: number, generation: number): void;
  resume(slot: number, generation: number): void;
  close(slot: number, generation: number): void;
  end(slot: number, generation: number): void;
}

/** An io_uring of this thread; native/uring.h says what the tables hold. */
export interface NativeRing {
  /** sleep() ends when something is added to this eventfd. */
  readonly wakeDescriptor: number;
  /** Requests that may be in flight. */
  readonly depth: number;
  /** Makes requests on an open file cheaper; removed before it is closed. */
  addFile(descriptor: number): void;
  removeFile(descriptor: number): void;
  /** Starts the first `count` rows of the table of requests. The caller sees to `depth`. */
  submit(count: number): void;
  /** @returns Rows, at most `max`, written to the table of results. */
  reap(max: number): number;
  /** 1 when reap has something to give. */
  hasResult(): number;
  /** Blocks until there is a result, `timeoutMs` are over, or (if `isWakeable`) the eventfd is written to. */
  sleep(timeoutMs: number, isWakeable: number): void;
  /** 0 while the kernel refuses to pin memory: requests cost a little more then. */
  isRegistering(): number;
}

export interface NativeModule {
  readonly version: number;
  /**
   * @param input   Where bytes that came are put.
   * @param events  Four words an event.
   * @param outputs Four words an output.
   * @param queued  Bytes that the kernel has not taken, by slot; kept up to date.
   * @param onTurn  Called with the number of events; all four arrays are its own until it returns. If it may, it can
   *   return microseconds for which the loop is to linger: then the next turn begins without a sleep and a wake-up,
   *   and if there is none in time, onTurn is called once more.
   * @returns A negative errno when that is not possible.
   */
  openSockets(
    input: Uint8Array,
    events: Uint32Array,
    outputs: Uint32Array,
    queued: Uint32Array,
    onTurn: (count: number, mayLinger: boolean) => number,
  ): NativeSocketLoop | number;
  /**
   * @param memory   What the buffers of requests lie in.
   * @param requests Eight words a request.
   * @param results  Two words a result.
   * @returns A negative errno when that is not possible.
   */
  openRing(memory: Uint8Array, requests: Uint32Array, results: Int32Array): NativeRing | number;
  /** @returns 0, or the negative errno that keeps `count` rings from being opened. */
  probeRing(count: number): number;
  /** Fills in the checksums of the flat records that follow one another in `bytes` from `at` up to `end`. */
  sealRecords(bytes: Uint8Array, at: number, end: number): void;
  /** Adds 1 to an eventfd. */
  signal(descriptor: number): void;
  /** Blocks this thread until wake() is called for the word or `timeoutMs` are over, unless the word is no longer `value`. */
  sleep(words: Int32Array, index: number, value: number, timeoutMs: number): void;
  /** Lets other threads run, if any want to. */
  yieldProcessor(): void;
  /** Wakes whoever sleeps on the word. */
  wake(words: Int32Array, index: number): void;
  /** Asks the kernel for large pages where the memory is long enough to hold any. They come as memory is first used. */
  preferHugePages(bytes: Uint8Array): void;
  /**
   * Has new threads share malloc's heaps, free memory at the end of a heap given back when it is more than `trimSize`
   * bytes, and what is larger than `mapSize` mapped by itself.
   */
  keepMallocTight(trimSize: number, mapSize: number): void;
  /** Gives back every free page of malloc's heaps. */
  trimMalloc(): void;
}

let loaded: NativeModule | string | undefined;

/** @returns The addon, or why it is not used. */
export function nativeModule(): NativeModule | string {
  loaded ??= process.env.CALTROP_NATIVE === 'off' ? 'CALTROP_NATIVE=off' : load();
  return loaded;
}

function load(): NativeModule | string {
  let native: NativeModule;
  try {
    native = createRequire(import.meta.url)(ADDON) as NativeModule;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'MODULE_NOT_FOUND') return `the addon cannot be loaded: ${message.split('\n', 1)[0]}`;
    return buildReason();
  }
  if (native.version === INTERFACE_VERSION) return native;
  return `the addon was built from another version of the sources (interface ${native.version}, not ${INTERFACE_VERSION}): run scripts/build`;
}

function buildReason(): string {
  try {
    return `the addon was not built: ${readFileSync(REASON_FILE, 'utf8').trim().split('\n', 1)[0]}`;
  } catch {
    return 'the addon was not built: run scripts/build'; // no reason was left either
  }
}
