/**
 * The compressions of records: one row a format, with what packs and unpacks it. The numbers and formats are on
 * devices, so they stay; the library behind a row may change.
 *
 * What a library has to be here: synchronous, since a worker runs its commands one after another; without install
 * scripts; and without memory that is given back by the event loop, which a busy worker never gets to (lz4-napi,
 * and snappy without `copyOutputData`, return such buffers and grow until the process dies).
 */
import { createRequire } from 'node:module';

/** Codec numbers, as they are stored. 0 is no compression; 4 to 255 are free. */
export const NO_CODEC = 0;
export const LZ4 = 1; // LZ4 block format
export const SNAPPY = 2; // Snappy's format without framing
export const ZSTD = 3; // one Zstandard frame
/** By number, as a configuration names them. */
export const CODEC_NAMES = ['none', 'lz4', 'snappy', 'zstd'] as const;

/** Bytes in front of what is unpacked: u32 little-endian, the size of the raw bytes. */
export const RAW_SIZE_SIZE = 4;
/** Zstandard's level when none is configured: what its makers take. */
const ZSTD_LEVEL_DEFAULT = 3;

export interface Codec {
  /** Where the packed bytes begin in what `pack` returns. */
  readonly packedAt: number;
  /** @param level 1 to 9, 0 for the usual one. @returns Bytes that are valid until the next call. */
  pack(raw: Uint8Array, level: number): Uint8Array;
  /**
   * @param sized The raw size as u32, then the packed bytes.
   * @throws Error when they are not of this format.
   */
  unpack(sized: Uint8Array): Uint8Array;
}

/** By number; null where the library does not work on this machine, with the reason in `reasons`. */
export interface Codecs {
  readonly byNumber: readonly (Codec | null)[];
  readonly reasons: readonly string[];
}

let opened: Promise<Codecs> | undefined;

/** Loads the libraries, once a thread. */
export function openCodecs(): Promise<Codecs> {
  opened ??= openAll();
  return opened;
}

async function openAll(): Promise<Codecs> {
  const byNumber: (Codec | null)[] = [null];
  const reasons = [''];
  for (const open of [openLz4, openSnappy, openZstd]) {
    try {
      byNumber.push(await open());
      reasons.push('');
    } catch (error) {
      byNumber.push(null);
      reasons.push((error as Error).message.split('\n')[0]!);
    }
  }
  return { byNumber, reasons };
}

/** WebAssembly; it puts the raw size in front of the block by itself, and wants it there. */
async function openLz4(): Promise<Codec> {
  const lz4 = await import('lz4-wasm-nodejs');
  return { packedAt: RAW_SIZE_SIZE, pack: raw => lz4.compress(raw), unpack: sized => lz4.decompress(sized) };
}

/** Native. Required, not imported: it is there only for systems that it was built for. */
async function openSnappy(): Promise<Codec> {
  const snappy = createRequire(import.meta.url)('snappy') as typeof import('snappy');
  const options = { copyOutputData: true, asBuffer: true };
  return {
    packedAt: 0,
    pack: raw => snappy.compressSync(raw, options),
    unpack: sized => snappy.uncompressSync(sized.subarray(RAW_SIZE_SIZE), options) as Buffer,
  };
}

/** WebAssembly. An empty dictionary makes it work in contexts that are made once. */
async function openZstd(): Promise<Codec> {
  const zstd = await import('@bokuweb/zstd-wasm');
  await zstd.init();
  const packing = zstd.createCCtx();
  const unpacking = zstd.createDCtx();
  const noDictionary = new Uint8Array(0);
  return {
    packedAt: 0,
    pack: (raw, level) => zstd.compressUsingDict(packing, raw, noDictionary, level || ZSTD_LEVEL_DEFAULT),
    unpack: sized => zstd.decompressUsingDict(unpacking, sized.subarray(RAW_SIZE_SIZE), noDictionary),
  };
}
