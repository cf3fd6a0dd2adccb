/**
 * One shard of a memory namespace and the executor of a worker, in this process: what a worker thread runs,
 * without rings and sockets around it.
 */
import { Region } from '../../src/base/arena.js';
import { Budget } from '../../src/base/budget.js';
import { PARTITION_COUNT } from '../../src/base/digest.js';
import { Counters } from '../../src/observe/counters.js';
import { NAMESPACE_COUNTERS } from '../../src/observe/namespace-counters.js';
import { execute } from '../../src/shard/command/execute.js';
import { Executor } from '../../src/shard/command/executor.js';
import { Request } from '../../src/shard/command/request.js';
import { createNamespaceMemory, TUNE_RECORD_SIZE_MAX } from '../../src/shard/namespace-memory.js';
import { NamespaceView, Shard } from '../../src/shard/shard.js';
import { PrimaryIndex } from '../../src/storage/index/primary-index.js';
import { MemoryEngine } from '../../src/storage/memory/memory-engine.js';
import { UNIT_SIZE } from '../../src/storage/memory/size-class.js';
import { PROTO_HEADER_SIZE } from '../../src/wire/proto.js';

const RECORD_SIZE_MAX = 8 * 1024 * 1024; // bytes
const NO_TOKEN = 0; // memory never parks a command

export class LocalShard {
  readonly #shard: Shard;
  readonly #ex = new Executor();
  readonly #request = new Request();
  readonly #out = new Region(RECORD_SIZE_MAX * 2);
  outSize = 0;

  /** The last answer's message, without a proto header. */
  get out(): Uint8Array {
    return this.#out.u8;
  }

  /** @param dataSize room for records, bytes. */
  constructor(dataSize: number) {
    const memory = createNamespaceMemory(1);
    new Region(memory.tuning).f64[TUNE_RECORD_SIZE_MAX] = RECORD_SIZE_MAX;
    const counters = new Counters(NAMESPACE_COUNTERS).addBlock().f64;
    const figures = new Region(memory.shards[0]!).f64;
    const partitions = Uint16Array.from({ length: PARTITION_COUNT }, (_, pid) => pid);
    const index = new PrimaryIndex({ partitions });
    const budget = new Budget(Math.floor(dataSize / UNIT_SIZE));
    const engine = new MemoryEngine({ index, counters: figures, budget, shardCount: 1 });
    this.#shard = new Shard(
      new NamespaceView(0, 'test', memory, counters),
      partitions,
      index,
      engine,
      figures,
    );
    this.#ex.setTime(Date.now());
  }

  /** Indexes a set that has no records yet. */
  indexSet(name: string): void {
    const { namespace, index } = this.#shard;
    const setId = namespace.sets.findOrAdd(Buffer.from(name), 0, name.length);
    index.addSetIndex(setId);
    index.setIndexReady(setId);
  }

  /** What a worker does now and then for the indexes of sets (shard/nsup/set-indexing.ts). */
  growSetIndexes(): void {
    const { index } = this.#shard;
    if (index.isSetIndexGrowthDue) index.growSetIndexes();
  }

  /** Executes one framed message and writes its answer. @returns The answer's code, or that of a message that cannot be read. */
  run(frame: Uint8Array): number {
    const request = this.#request;
    const parsed = request.parseMessage(frame, PROTO_HEADER_SIZE, frame.length - PROTO_HEADER_SIZE);
    if (parsed !== 0) return parsed;
    const code = execute(this.#ex, this.#shard, request, NO_TOKEN);
    this.outSize = this.#ex.answer.write(this.#out, 0, 0);
    return code;
  }
}
