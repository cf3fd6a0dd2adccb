/**
 * Copies what one device of a pair holds to the other: its write blocks as they are, encrypted or not. What is free is
 * not copied, but must be free on the other one too. Until all is there the target's header says that it is being
 * rebuilt; how far it is lies there too, so that a start that is killed goes on where it was.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import * as H from './device-header.js';
import { type Opening, writeHeader } from './opening.js';
import { preallocate } from './preallocate.js';
import { StorageError, type StorageLog } from './storage-error.js';

const PAGE_SIZE = 4096; // bytes
/** Blocks under way at once. */
const DEPTH = 4;
/** How much is copied between two notes of how far it is. */
const NOTE_SIZE = 1024 * 1024 * 1024; // bytes
const GIB = 1024 ** 3;

/**
 * @param role       Of the target.
 * @param filesize   Of a file that is made anew.
 * @param onProgress Told how far it is, now and then.
 * @throws StorageError.
 */
export async function rebuild(
  source: Opening,
  target: Opening,
  role: number,
  filesize: number,
  log: StorageLog,
  onProgress: (status: string) => void,
): Promise<void> {
  const from = source.header!;
  if (target.kind === 'file' && target.size < from.deviceSize) {
    await preallocate(target.path, target.file, Math.max(filesize, from.deviceSize));
    await syncDirectory(path.dirname(target.path));
    target.size = (await target.file.stat()).size;
  }
  if (target.size < from.deviceSize) {
    throw new StorageError(
      target.path,
      `has ${target.size} bytes, its ${role === H.ROLE_SHADOW ? 'primary' : 'shadow'} ${source.path} has ${from.deviceSize}; name one that is as large`,
    );
  }
  const before = target.header;
  const header: H.DeviceHeader = {
    ...from,
    copyNumber: before?.copyNumber ?? 0,
    state: H.STATE_REBUILDING,
    role,
    rebuiltTo: before?.state === H.STATE_REBUILDING ? before.rebuiltTo : 0,
    settledStart: 0,
  };
  await writeHeader(target, header);
  const resumed = header.rebuiltTo > 0 ? `, from ${(header.rebuiltTo / GIB).toFixed(1)} GiB on` : '';
  log.info(`${target.path}: rebuilding it from ${source.path}${resumed}`);
  const blocks = blocksOf(from).filter(at => at >= header.rebuiltTo);
  const copier = new Copier(source, target, from.writeBlockSize, log);
  for (let first = 0, notedAt = header.rebuiltTo; first < blocks.length; first += DEPTH) {
    const some = blocks.slice(first, first + DEPTH);
    await Promise.all(some.map((at, slot) => copier.copy(at, slot)));
    const to = some[some.length - 1]! + from.writeBlockSize;
    if (to - notedAt < NOTE_SIZE) continue;
    notedAt = to;
    await target.file.sync();
    header.rebuiltTo = to;
    await writeHeader(target, header);
    onProgress(`rebuilding ${target.path}: ${Math.floor((to * 100) / from.deviceSize)} %`);
  }
  await target.file.sync();
  header.state = H.STATE_READY;
  header.rebuiltTo = 0;
  await writeHeader(target, header);
  log.info(`${target.path}: rebuilt, ${copier.copied} blocks copied`);
}

/** Where the blocks of a device start, in order. */
function blocksOf({ extents, writeBlockSize }: H.DeviceHeader): number[] {
  const inOrder = extents.toSorted((a, b) => a.offset - b.offset);
  return inOrder.flatMap(({ offset, size }) =>
    Array.from({ length: Math.floor(size / writeBlockSize) }, (_, i) => offset + i * writeBlockSize),
  );
}

class Copier {
  copied = 0;
  readonly #source: Opening;
  readonly #target: Opening;
  readonly #log: StorageLog;
  readonly #buffers: Buffer[];

  constructor(source: Opening, target: Opening, blockSize: number, log: StorageLog) {
    this.#source = source;
    this.#target = target;
    this.#log = log;
    this.#buffers = Array.from({ length: DEPTH }, () => Buffer.alloc(blockSize));
  }

  /** Copies the block at `at`; a free one gets its first page of zeros, if it has not. */
  async copy(at: number, slot: number): Promise<void> {
    const block = this.#buffers[slot]!;
    const page = block.subarray(0, PAGE_SIZE);
    const isFree = (await this.#read(this.#source, page, at)) && isZero(page);
    if (!isFree) {
      await this.#readBlock(block, at);
      await this.#write(block, at);
      this.copied++;
      return;
    }
    if ((await this.#read(this.#target, page, at)) && isZero(page)) return;
    await this.#write(page.fill(0), at);
  }

  /** Reads a block, page by page where it cannot be read in one go; a page that cannot be read becomes zeros. */
  async #readBlock(block: Buffer, at: number): Promise<void> {
    if (await this.#read(this.#source, block, at)) return;
    let bad = 0;
    for (let from = 0; from < block.length; from += PAGE_SIZE) {
      const page = block.subarray(from, from + PAGE_SIZE);
      if (await this.#read(this.#source, page, at + from)) continue;
      page.fill(0);
      bad++;
    }
    this.#log.critical(
      `${this.#source.path}: ${bad} pages of the block at ${at} cannot be read; they are missing in ${this.#target.path} too`,
    );
  }

  async #read({ file }: Opening, into: Buffer, at: number): Promise<boolean> {
    try {
      return (await file.read(into, 0, into.length, at)).bytesRead === into.length;
    } catch {
      return false; // the caller reads smaller pieces, or does without
    }
  }

  async #write(bytes: Buffer, at: number): Promise<void> {
    try {
      const { bytesWritten } = await this.#target.file.write(bytes, 0, bytes.length, at);
      if (bytesWritten !== bytes.length) throw new Error(`${bytesWritten} of ${bytes.length} bytes written`);
    } catch (error) {
      throw new StorageError(
        this.#target.path,
        `cannot be rebuilt from ${this.#source.path}: writing at ${at} failed (${(error as Error).message})`,
        { cause: error },
      );
    }
  }
}

const ZEROS = Buffer.alloc(PAGE_SIZE);

function isZero(page: Buffer): boolean {
  return page.equals(ZEROS);
}

/** A new file's name must be as durable as its contents. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY);
  await handle.sync().finally(() => handle.close());
}
