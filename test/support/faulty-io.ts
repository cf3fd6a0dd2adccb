/**
 * A device that can fail: an IoBackend over memory that answers late and in any order, loses what was not
 * flushed when the power is cut (whole writes, or single sectors of them), and reports errors on demand. All
 * its decisions come from one seed.
 */
import { Region } from '../../src/base/arena.js';
import { EIO, type IoBackend } from '../../src/storage/io/io-backend.js';

const SECTOR = 512; // bytes that a device writes whole or not at all
const READ = 0;
const WRITE = 1;
const FLUSH = 2;
const FIRST_FILE = 3;

interface Request {
  op: number;
  token: number;
  disk: FaultyDisk;
  offset: number;
  length: number;
  bufferAt: number;
  /** Turns until it ends. */
  turns: number;
  /** Of a flush: how many writes had ended when it was queued. */
  covers: number;
}

interface Unflushed {
  offset: number;
  bytes: Uint8Array;
}

/** The medium: survives the death of the IoBackend that wrote to it. */
export class FaultyDisk {
  /** What a read sees. */
  readonly bytes: Uint8Array;
  /** What is there after a power cut, at least. */
  readonly durable: Uint8Array;
  unflushed: Unflushed[] = [];
  writesEnded = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.durable = new Uint8Array(size);
  }

  write(offset: number, source: Uint8Array): void {
    const bytes = source.slice();
    this.bytes.set(bytes, offset);
    this.unflushed.push({ offset, bytes });
    this.writesEnded++;
  }

  /** Makes the first `count` writes ever ended durable. */
  flush(count: number): void {
    const first = this.writesEnded - this.unflushed.length;
    for (const { offset, bytes } of this.unflushed.splice(0, Math.max(0, count - first))) {
      this.durable.set(bytes, offset);
    }
  }

  /** Makes it a new one. */
  erase(): void {
    this.bytes.fill(0);
    this.durable.fill(0);
    this.unflushed = [];
    this.writesEnded = 0;
  }

  /** Cuts the power: of every unflushed write nothing, all, or some sectors are there afterwards. */
  cut(random: () => number, inFlight: readonly Unflushed[]): void {
    for (const { offset, bytes } of [...this.unflushed, ...inFlight]) {
      const fate = random();
      if (fate < 0.4) continue;
      for (let at = 0; at < bytes.length; at += SECTOR) {
        if (fate > 0.7 || random() < 0.5) this.durable.set(bytes.subarray(at, at + SECTOR), offset + at);
      }
    }
    this.unflushed = [];
    this.writesEnded = 0;
    this.bytes.set(this.durable);
  }
}

export interface Faults {
  /** Most turns of `reap` that a request takes, 0 = it has ended when it is next asked for. */
  turnsMax: number;
  /** Whether a read of these bytes fails. */
  failsRead?: (offset: number, length: number, disk: FaultyDisk) => boolean;
  /** Whether a write fails: true is EIO, a number that error. */
  failsWrite?: (offset: number, length: number, disk: FaultyDisk) => boolean | number;
  /** Bytes that a write takes, of those given. */
  writeLength?: (offset: number, length: number) => number;
  failsFlush?: (disk: FaultyDisk) => boolean;
  /** Bytes that a read gives, of those asked for. */
  readLength?: (offset: number, length: number) => number;
}

export class FaultyIo implements IoBackend {
  readonly name = 'faulty';
  readonly buffers: Region;
  readonly disk: FaultyDisk;
  readonly faults: Faults;
  /** By path, the files beside the disk; every other path is the disk. */
  readonly #others: ReadonlyMap<string, FaultyDisk>;
  /** By number less FIRST_FILE. */
  readonly #open: FaultyDisk[] = [];
  readonly #random: () => number;
  #requests: Request[] = [];

  constructor(
    disk: FaultyDisk,
    bufferSize: number,
    random: () => number,
    faults: Faults = { turnsMax: 0 },
    others: ReadonlyMap<string, FaultyDisk> = new Map(),
  ) {
    this.disk = disk;
    this.#others = others;
    this.buffers = new Region(bufferSize);
    this.faults = faults;
    this.#random = random;
  }

  open(path: string): number {
    return FIRST_FILE + this.#open.push(this.#others.get(path) ?? this.disk) - 1;
  }

  close(file: number): void {
    const disk = this.#open[file - FIRST_FILE];
    if (this.#requests.some(request => request.disk === disk))
      throw new Error('closed with requests in flight');
  }

  read(token: number, file: number, offset: number, length: number, bufferAt: number): boolean {
    return this.#push(READ, token, file, offset, length, bufferAt);
  }

  write(token: number, file: number, offset: number, length: number, bufferAt: number): boolean {
    return this.#push(WRITE, token, file, offset, length, bufferAt);
  }

  flush(token: number, file: number): boolean {
    return this.#push(FLUSH, token, file, 0, 0, 0);
  }

  submit(): number {
    return this.#requests.length;
  }

  reap(out: Int32Array): number {
    let pairs = 0;
    const kept: Request[] = [];
    for (const request of this.#requests) {
      if (request.turns-- > 0 || pairs * 2 + 1 >= out.length) {
        kept.push(request);
        continue;
      }
      out[pairs * 2] = request.token;
      out[pairs * 2 + 1] = this.#perform(request);
      pairs++;
    }
    this.#requests = kept;
    return pairs;
  }

  get hasCompletion(): boolean {
    return this.#requests.some(request => request.turns <= 0);
  }

  wait(): void {
    for (const request of this.#requests) request.turns = 0;
  }

  /** Cuts the power: everything not flushed may be lost, and this object answers no more. */
  cutPower(): void {
    for (const disk of [this.disk, ...this.#others.values()]) disk.cut(this.#random, this.#inFlight(disk));
    this.#requests = [];
  }

  /** What would be left of a disk if the power were cut now; everything goes on as if nobody had asked. */
  imageAfterCut(disk: FaultyDisk, random: () => number): FaultyDisk {
    const image = new FaultyDisk(disk.bytes.length);
    image.durable.set(disk.durable);
    image.unflushed = disk.unflushed;
    image.cut(random, this.#inFlight(disk));
    return image;
  }

  /** Kills the process: what was written is there, of what is on its way any part may be. This object answers no more. */
  kill(): void {
    for (const disk of [this.disk, ...this.#others.values()]) {
      for (const { offset, bytes } of this.#inFlight(disk)) {
        if (this.#random() < 0.5) disk.write(offset, bytes);
      }
    }
    this.#requests = [];
  }

  #inFlight(disk: FaultyDisk): Unflushed[] {
    return this.#requests
      .filter(request => request.op === WRITE && request.disk === disk)
      .map(({ offset, length, bufferAt }) => ({
        offset,
        bytes: this.buffers.u8.slice(bufferAt, bufferAt + length),
      }));
  }

  #push(op: number, token: number, file: number, offset: number, length: number, bufferAt: number): boolean {
    if (offset % 4096 !== 0 || length % 4096 !== 0 || bufferAt % 4096 !== 0) {
      throw new Error(`unaligned I/O: ${length} bytes at ${offset}, buffer ${bufferAt}`);
    }
    const turns = Math.floor(this.#random() * (this.faults.turnsMax + 1));
    const disk = this.#open[file - FIRST_FILE]!;
    const covers = disk.writesEnded;
    this.#requests.push({ op, token, disk, offset, length, bufferAt, turns, covers });
    return true;
  }

  #perform({ op, disk, offset, length, bufferAt, covers }: Request): number {
    const { faults } = this;
    if (op === FLUSH) {
      if (faults.failsFlush?.(disk)) {
        // As a kernel does: what could not be written is dropped, and the next flush knows nothing of it.
        disk.unflushed = [];
        disk.bytes.set(disk.durable);
        return -EIO;
      }
      disk.flush(covers);
      return 0;
    }
    if (op === WRITE) {
      const error = faults.failsWrite?.(offset, length, disk) ?? false;
      if (error !== false) return error === true ? -EIO : -error;
      const size = faults.writeLength?.(offset, length) ?? length;
      disk.write(offset, this.buffers.u8.subarray(bufferAt, bufferAt + size));
      return size;
    }
    if (faults.failsRead?.(offset, length, disk)) return -EIO;
    const end = disk.bytes.length;
    const size = faults.readLength?.(offset, length) ?? Math.max(0, Math.min(length, end - offset));
    this.buffers.u8.set(disk.bytes.subarray(offset, offset + size), bufferAt);
    return size;
  }
}

/** A small seeded generator of numbers in [0, 1). Source: mulberry32, public domain. */
export function seeded(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
