/**
 * Shared memory. This file is the only one that says SharedArrayBuffer: everything else asks for a
 * `Region` (fixed size) or an `Arena` (a list of equal chunks that only grows). Facts of Node 20 that
 * shape this: growable shared buffers have slow views and stop at 4 GiB, so an arena never resizes a
 * buffer but adds chunks; fresh buffers are zeroed lazily by the kernel, so a large chunk costs
 * address space until it is touched.
 */

import { type NativeModule, nativeModule } from './native-module.js';

/**
 * Memory of at least this size is to be of large pages. Records and entries are looked up at random, and with pages of
 * 4 KiB the processor then walks the page table for nearly each of them; and the kernel hands a buffer of I/O to a device
 * page by page.
 */
const HUGE_SIZE_MIN = 16 * 1024 * 1024; // bytes
const native: NativeModule | null = (module => (typeof module === 'string' ? null : module))(nativeModule());

function preferHugePages(shared: SharedBytes): void {
  if (shared.byteLength >= HUGE_SIZE_MIN) native?.preferHugePages(new Uint8Array(shared));
}

/** The shared bytes themselves, as they travel to another thread in a structured clone. */
export type SharedBytes = SharedArrayBuffer;

export function allocateShared(size: number): SharedBytes {
  return new SharedArrayBuffer(size);
}

const WASM_PAGE_SIZE = 65_536; // bytes

/**
 * As `allocateShared`, but starting at a page, as O_DIRECT wants it: an ordinary shared buffer starts 16 bytes
 * after one. The memory of WebAssembly is shared memory with that property; no code ever runs in it.
 * @param size Bytes, rounded up to 64 KiB; less than 4 GiB.
 */
export function allocateAligned(size: number): SharedBytes {
  const pages = Math.ceil(size / WASM_PAGE_SIZE);
  const shared = new Wasm.Memory({ initial: pages, maximum: pages, shared: true }).buffer;
  preferHugePages(shared);
  return shared;
}

/** The type library of a program without a browser leaves this out. */
interface WasmNamespace {
  Memory: new (shape: { initial: number; maximum: number; shared: true }) => { buffer: SharedArrayBuffer };
}
const Wasm = (globalThis as unknown as { WebAssembly: WasmNamespace }).WebAssembly;

/** One block of shared memory and the views that hot paths use. All of them start at byte 0 of `shared`. */
export class Region {
  readonly shared: SharedBytes;
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
  /** For what need not lie at whole words. */
  readonly view: DataView;

  /** @param source bytes to allocate (rounded up to 8), or the shared bytes of a region of another thread. */
  constructor(source: number | SharedBytes) {
    this.shared = typeof source === 'number' ? allocateShared(Math.ceil(source / 8) * 8) : source;
    this.u8 = new Uint8Array(this.shared);
    this.i32 = new Int32Array(this.shared);
    this.u32 = new Uint32Array(this.shared);
    this.f64 = new Float64Array(this.shared, 0, this.shared.byteLength >>> 3);
    this.view = new DataView(this.shared);
  }
}

/** Called with each new chunk, so that another thread can be told of it. */
export type ChunkListener = (chunk: number, shared: SharedBytes) => void;

/**
 * A list of chunks of `chunkSize` bytes each (a power of two is the caller's choice, not ours). Chunks are
 * never moved or freed while the arena lives, so a (chunk, offset) pair stays valid.
 */
export class Arena {
  readonly chunkSize: number;
  readonly chunks: Region[] = [];
  readonly #onChunk: ChunkListener | undefined;

  constructor(chunkSize: number, onChunk?: ChunkListener) {
    this.chunkSize = chunkSize;
    this.#onChunk = onChunk;
  }

  /** Adds one zeroed chunk and returns its number. */
  addChunk(): number {
    const region = new Region(this.chunkSize);
    preferHugePages(region.shared);
    const chunk = this.chunks.push(region) - 1;
    this.#onChunk?.(chunk, region.shared);
    return chunk;
  }
}
