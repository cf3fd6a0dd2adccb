/**
 * The figures of a namespace, added up from the blocks that its shards write (`shard/namespace-memory.ts`).
 * Blocks are read when somebody asks; each has one writer, the shard's worker.
 */
import { Region } from '../../base/arena.js';
import { epochMs, monotonicMs } from '../../base/clock.js';
import {
  type NamespaceMemory,
  SET_BYTES,
  SET_INDEXED,
  SET_OBJECTS,
  SET_TOMBSTONES,
  SET_TUNE_ENABLE_INDEX,
  SET_TUNE_STRIDE,
  setSlot,
  TUNE_STOP_WRITES,
} from '../../shard/namespace-memory.js';
import { SET_READY } from '../../shard/nsup/set-indexing.js';
import { TruncationTable, WHOLE_NAMESPACE } from '../../shard/truncation.js';
import * as st from '../../storage/engine.js';
import { SetTable } from '../../storage/record/set-table.js';
import {
  type DeviceFigures,
  type NamespaceFigures,
  percentOf,
  type RestartFigures,
  type SetFigures,
} from './namespace-figures.js';

/** By ST_START_KIND. */
const START_KINDS = ['none', 'cold', 'checkpoint', 'empty'];

/** A place in which shards lie: a file, a device or a stripe of memory. */
export interface ShardPlace {
  readonly kind: DeviceFigures['kind'];
  /** Path, or `stripe-<n>`. */
  readonly name: string;
  /** Numbers of the shards that lie there. */
  readonly shards: readonly number[];
  readonly hasShadow: boolean;
}

/** The places of a memory engine: a stripe is a shard. */
export function stripePlaces(shardCount: number): ShardPlace[] {
  return Array.from({ length: shardCount }, (_, i) => ({
    kind: 'stripe',
    name: `stripe-${i}`,
    shards: [i],
    hasShadow: false,
  }));
}

export class ShardFigures {
  readonly #places: readonly ShardPlace[];
  readonly #blocks: readonly Float64Array[];
  readonly #sets: SetTable;
  readonly #truncation: TruncationTable;
  readonly #tuning: Float64Array;
  readonly #setTuning: Float64Array;

  constructor(memory: NamespaceMemory, places: readonly ShardPlace[]) {
    this.#places = places;
    this.#blocks = memory.shards.map(shared => new Region(shared).f64);
    this.#sets = new SetTable(memory.sets);
    this.#truncation = new TruncationTable(memory.truncation);
    this.#tuning = new Region(memory.tuning).f64;
    this.#setTuning = new Region(memory.setTuning).f64;
  }

  namespace(): NamespaceFigures {
    const total = (slot: number) => sumOf(this.#blocks, slot);
    const rawBytes = total(st.ST_RAW_BYTES);
    const cacheReads = total(st.ST_CACHE_READS);
    const visited = total(st.ST_NSUP_VISITED);
    return {
      objects: total(st.ST_OBJECTS),
      tombstones: total(st.ST_TOMBSTONES),
      indexUsedBytes: total(st.ST_INDEX_BYTES),
      setIndexUsedBytes: total(st.ST_SET_INDEX_BYTES),
      dataTotalBytes: total(st.ST_TOTAL_BYTES),
      dataUsedBytes: total(st.ST_USED_BYTES),
      dataAvailableBytes: total(st.ST_AVAILABLE_BYTES),
      isStoppingWrites: this.#tuning[TUNE_STOP_WRITES] !== 0,
      compressionRatio: rawBytes > 0 ? total(st.ST_PACKED_BYTES) / rawBytes : 1,
      cacheReadPct: percentOf(cacheReads, cacheReads + total(st.ST_DEVICE_READS)),
      devices: this.#places.map(place => this.#device(place)),
      deviceWrittenBytes: total(st.ST_WRITTEN_BYTES),
      deviceOverloads: total(st.ST_OVERLOADS),
      clientWrittenBytes: total(st.ST_CLIENT_BYTES),
      unflushedMs: this.#unflushedMs(),
      deleteMarkers: total(st.ST_MARKERS),
      raids: total(st.ST_RAIDS),
      raidedMarkers: total(st.ST_RAIDED_MARKERS),
      restart: this.#restart(),
      truncateLut: this.#truncation.lut(WHOLE_NAMESPACE),
      isTruncating: this.#truncation.truncationVersion > this.#truncatedVersion,
      isEvicting: this.#truncation.evictionVersion > this.#truncatedVersion,
      nonExpirableObjects: total(st.ST_NON_EXPIRABLE),
      nsupDurationSec: Math.max(0, ...this.#blocks.map(block => block[st.ST_NSUP_DURATION]!)),
      nsupDeletedPct: visited === 0 ? 0 : (total(st.ST_NSUP_DELETED) * 100) / visited,
    };
  }

  /** All sets that were ever written to, in the order of their first record. */
  sets(): SetFigures[] {
    return Array.from({ length: this.#sets.count }, (_, i) => {
      const id = i + 1;
      return {
        name: this.#sets.nameOf(id),
        objects: sumOf(this.#blocks, setSlot(id, SET_OBJECTS)),
        tombstones: sumOf(this.#blocks, setSlot(id, SET_TOMBSTONES)),
        dataUsedBytes: sumOf(this.#blocks, setSlot(id, SET_BYTES)),
        truncateLut: this.#truncation.lut(id),
        isTruncating: this.#truncation.versionOf(id) > this.#truncatedVersion,
        isIndexPopulating:
          this.#setTuning[id * SET_TUNE_STRIDE + SET_TUNE_ENABLE_INDEX] !== 0 &&
          this.#blocks.some(block => block[setSlot(id, SET_INDEXED)] !== SET_READY),
      };
    });
  }

  #unflushedMs(): number {
    const nowMs = monotonicMs();
    let oldestMs = 0;
    for (const block of this.#blocks) {
      const sinceMs = block[st.ST_UNFLUSHED_SINCE]!;
      if (sinceMs > 0) oldestMs = Math.max(oldestMs, 1, Math.ceil(nowMs - sinceMs));
      // Something was said to have expired, and the clock mark that keeps it so is still to be appended.
      else if (block[st.ST_EXPIRED_THROUGH]! > block[st.ST_STORED_CLOCK]!) oldestMs = Math.max(oldestMs, 1);
    }
    return oldestMs;
  }

  /** Of the truncations and evictions that all shards have carried out. */
  get #truncatedVersion(): number {
    return Math.min(...this.#blocks.map(block => block[st.ST_TRUNCATED_VERSION]!));
  }

  /** The latest time of all record clocks. */
  get clockMs(): number {
    return Math.max(...this.#blocks.map(block => block[st.ST_RECORD_CLOCK]!));
  }

  /** Number of a set by its name, undefined for one that never had a record. */
  setId(name: string): number | undefined {
    const bytes = Buffer.from(name);
    const id = this.#sets.find(bytes, 0, bytes.length);
    return id > 0 ? id : undefined;
  }

  #restart(): RestartFigures {
    const total = (slot: number) => sumOf(this.#blocks, slot);
    const kinds = new Set(this.#blocks.map(block => START_KINDS[block[st.ST_START_KIND]!] ?? 'none'));
    const oldestMs = Math.min(...this.#blocks.map(block => block[st.ST_CHECKPOINT_AT_MS]!));
    return {
      startKind: kinds.size === 1 ? [...kinds][0]! : 'mixed',
      replayedRecords: total(st.ST_REPLAYED_RECORDS),
      checkpoints: total(st.ST_CHECKPOINTS),
      checkpointAgeSec: oldestMs > 0 ? Math.max(0, Math.floor((epochMs() - oldestMs) / 1000)) : -1,
      checkpointBytes: total(st.ST_CHECKPOINT_BYTES),
      checkpointErrors: total(st.ST_CHECKPOINT_ERRORS),
    };
  }

  #device({ kind, name, shards, hasShadow }: ShardPlace): DeviceFigures {
    const blocks = shards.map(shard => this.#blocks[shard]!);
    return {
      kind,
      name,
      usedBytes: sumOf(blocks, st.ST_USED_BYTES),
      freeWriteBlocks: sumOf(blocks, st.ST_FREE_BLOCKS),
      readErrors: sumOf(blocks, st.ST_READ_ERRORS) + sumOf(blocks, st.ST_CHECKSUM_ERRORS),
      writeQueue: sumOf(blocks, st.ST_WRITE_QUEUE),
      writes: sumOf(blocks, st.ST_WRITES),
      partialWrites: sumOf(blocks, st.ST_PARTIAL_WRITES),
      defragQueue: sumOf(blocks, st.ST_DEFRAG_QUEUE),
      defragReads: sumOf(blocks, st.ST_DEFRAG_READS),
      defragWrites: sumOf(blocks, st.ST_DEFRAG_WRITES),
      defragPartialWrites: sumOf(blocks, st.ST_DEFRAG_PARTIAL_WRITES),
      writeErrors: sumOf(blocks, st.ST_WRITE_ERRORS),
      lateWrites: sumOf(blocks, st.ST_LATE_WRITES),
      hasShadow,
      shadowWriteQueue: sumOf(blocks, st.ST_SHADOW_WRITE_QUEUE),
      shadowWriteErrors: sumOf(blocks, st.ST_SHADOW_WRITE_ERRORS),
      checksumErrors: sumOf(blocks, st.ST_CHECKSUM_ERRORS),
    };
  }
}

function sumOf(blocks: readonly Float64Array[], slot: number): number {
  let total = 0;
  for (const block of blocks) total += block[slot]!;
  return total;
}
