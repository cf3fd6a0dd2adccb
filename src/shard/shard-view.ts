/**
 * The shards of all workers as the main thread sees them, but for those whose records are kept in memory beside files;
 * and as the other workers see them, where their records are in memory. A worker tells the main thread of a shard when
 * it has made it and whenever it has added memory to it, and the main thread the other workers; between the two a view
 * is not current, and whoever has it leaves the shard alone.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { Region } from '../base/arena.js';
import { Budget } from '../base/budget.js';
import { SharedFlags } from '../base/flags.js';
import { Waker } from '../base/sleeper.js';
import { DeviceEngine } from '../storage/device/device-engine.js';
import { type DeviceEngineMemory, DeviceView } from '../storage/device/device-view.js';
import { PrimaryIndex } from '../storage/index/primary-index.js';
import { MemoryEngine, type MemoryEngineMemory } from '../storage/memory/memory-engine.js';
import { TUNE_COMMIT, TUNE_FLUSH_MAX_MS, TUNE_FLUSH_SIZE } from './namespace-memory.js';
import { MAIN_THREAD, Ownership } from './ownership.js';
import { type NamespaceView, Shard } from './shard.js';
import { partitionsOf } from './shard-map.js';
import { isParkedIn } from './slots.js';
import { CONTROL_NEWS } from './worker-control.js';
import type { MainMessage, ShardMemory, SharedTask, WorkerTask } from './worker-task.js';

/** The worker's part: tells of its shards. */
export class ShardAnnouncer {
  readonly #shards: readonly { readonly number: number; readonly shard: Shard; shape: number }[];
  readonly #send: (memory: ShardMemory) => void;

  /** @param shards With their numbers in their namespaces. */
  constructor(shards: Iterable<[number: number, shard: Shard]>, send: (memory: ShardMemory) => void) {
    this.#shards = [...shards]
      .filter(([, shard]) => memoryOf(shard) !== undefined)
      .map(([number, shard]) => ({ number, shard, shape: -1 }));
    this.#send = send;
  }

  /** Tells of every shard whose memory has become more. */
  step(): void {
    for (const each of this.#shards) {
      const { index, engine, namespace } = each.shard;
      const shape = index.shape + (engine instanceof MemoryEngine ? engine.shape : 0);
      if (shape === each.shape) continue;
      each.shape = shape;
      this.#send({
        namespace: namespace.id,
        shard: each.number,
        index: index.memory,
        engine: memoryOf(each.shard)!,
      });
    }
  }
}

function memoryOf({ engine }: Shard): ShardMemory['engine'] | undefined {
  return engine instanceof MemoryEngine || engine instanceof DeviceEngine ? engine.memory : undefined;
}

/** What a worker is told beside that. */
type OtherMessage = Exclude<MainMessage, { readonly memory: ShardMemory }>;

/** A worker's part: hears of the shards of all workers whose records are in memory, its own as well. */
export class ShardListener {
  /** [namespace id][shard number]. */
  readonly views: (ShardView | undefined)[][];
  readonly #port: MessagePort;
  readonly #namespaces: readonly NamespaceView[];
  readonly #tasks: readonly SharedTask[];
  readonly #own: WorkerNotice;
  readonly #self: number;
  readonly #onOther: (message: OtherMessage) => void;

  /**
   * @param self    What it writes into the shards' words.
   * @param onOther Called with what is not about shards.
   */
  constructor(
    task: Pick<WorkerTask, 'port' | 'namespaces'> & WorkerNotice,
    namespaces: readonly NamespaceView[],
    self: number,
    onOther: (message: OtherMessage) => void = () => {},
  ) {
    this.#onOther = onOther;
    this.views = namespaces.map(() => []);
    this.#port = task.port;
    this.#own = task;
    this.#namespaces = namespaces;
    this.#tasks = task.namespaces;
    this.#self = self;
  }

  /** Takes in what was told since the last call: a worker in its loop has no events. */
  step(): void {
    for (;;) {
      const told = receiveMessageOnPort(this.#port) as { message: MainMessage } | undefined;
      if (told === undefined) return;
      if (!('memory' in told.message)) {
        this.#onOther(told.message);
        continue;
      }
      const { memory } = told.message;
      const { namespace, shard } = memory;
      this.views[namespace]![shard] = new ShardView(
        this.#namespaces[namespace]!,
        this.#tasks[namespace]!,
        memory,
        this.#own,
        this.#self,
      );
    }
  }
}

/** What of a worker those need to know who execute commands on its device shards. */
export type WorkerNotice = Pick<WorkerTask, 'control' | 'parked' | 'sleeper'>;

/** One shard that belongs to a worker. */
export class ShardView {
  readonly shard: Shard;
  readonly ownership: Ownership;
  readonly index: PrimaryIndex;
  readonly engine: MemoryEngine | DeviceView;
  /** The engine, when it is on a device. */
  readonly #device: DeviceView | null;
  readonly #tuning: Float64Array;
  /** Of its worker: how many commands wait, by digest. */
  readonly #parked: Int32Array;
  readonly #control: SharedFlags;
  readonly #waker: Waker;

  /**
   * @param worker The shard's, which is told what was done on a device; a shard in memory needs none of it.
   * @param self   What is written into the shard's word.
   */
  constructor(
    namespace: NamespaceView,
    task: SharedTask,
    memory: ShardMemory,
    worker: WorkerNotice,
    self = MAIN_THREAD,
  ) {
    const partitions = partitionsOf(task.shardOf, memory.shard);
    this.index = new PrimaryIndex({ partitions, memory: memory.index });
    const figures = namespace.figuresOf(memory.shard);
    if (task.storage.engine === 'memory') {
      this.engine = new MemoryEngine({
        index: this.index,
        counters: figures,
        budget: new Budget(task.storage.budget),
        shardCount: task.memory.shards.length,
        memory: memory.engine as MemoryEngineMemory,
      });
      this.#device = null;
    } else {
      this.#device = new DeviceView({
        index: this.index,
        counters: figures,
        sets: namespace.sets,
        memory: memory.engine as DeviceEngineMemory,
      });
      this.engine = this.#device;
    }
    this.shard = new Shard(namespace, partitions, this.index, this.engine, figures);
    this.ownership = new Ownership(task.memory.owners, memory.shard, self);
    this.#tuning = namespace.tuning;
    this.#parked = new Region(worker.parked).i32;
    this.#control = new SharedFlags(worker.control);
    this.#waker = new Waker(worker.sleeper);
  }

  /**
   * Whether a command may be begun: all of the shard's memory is known, and nothing of the worker's is in the way. To
   * be asked while the shard is owned, as the three below.
   * @param nowMs Monotonic.
   */
  takes(digest: Uint8Array, at: number, nowMs: number): boolean {
    return this.isCurrent && this.mayBegin(digest, at, nowMs);
  }

  /** As `takes`, where it is known that all of the shard's memory is: that does not change while the shard is owned. */
  mayBegin(digest: Uint8Array, at: number, nowMs: number): boolean {
    const device = this.#device;
    if (device === null) return true;
    if (this.#tuning[TUNE_COMMIT] !== 0 || isParkedIn(this.#parked, digest, at)) return false;
    device.setTime(nowMs, this.#tuning[TUNE_FLUSH_MAX_MS]!);
    return true;
  }

  /** Whether a command that was begun may store a record of `size` bytes. */
  hasRoom(size: number): boolean {
    return this.#device === null || this.#device.hasRoom(size);
  }

  /** Whether the worker has to look after something that was done. */
  takeNews(): boolean {
    return this.#device?.takeNews(this.#tuning[TUNE_FLUSH_SIZE]!) === true;
  }

  /** After the shard was given back: the worker is to look after it. */
  tellWorker(): void {
    this.#control.set(CONTROL_NEWS);
    this.#waker.wake();
  }

  /** Whether all of the shard's memory is known, as far as can be told without owning it. */
  get isCurrent(): boolean {
    return this.index.isCurrent && this.engine.isCurrent;
  }
}
