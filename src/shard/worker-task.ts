/**
 * What the main thread hands a worker when it starts it: memory and numbers, nothing else, since it travels
 * by structured clone.
 */

import type { MessagePort } from 'node:worker_threads';
import type { SharedBytes } from '../base/arena.js';
import type { ForwardedLine } from '../observe/log.js';
import type { DeviceSet } from '../storage/device/device-set.js';
import type { DeviceEngineMemory } from '../storage/device/device-view.js';
import type { PrimaryIndexMemory } from '../storage/index/sprig-lists.js';
import type { NodeIoMemory } from '../storage/io/node-io-memory.js';
import type { MemoryEngineMemory } from '../storage/memory/memory-engine.js';
import type { BackgroundJob, BackgroundReport } from './background-ops.js';
import type { NamespaceMemory } from './namespace-memory.js';
import type { EvictionCountReport } from './nsup/eviction-count.js';
import type { SlabMemory } from './slab.js';
import type { SurveyMessage } from './survey-walk.js';

export interface NamespaceTask {
  readonly name: string;
  readonly memory: NamespaceMemory;
  /** This worker's counters of the namespace. */
  readonly counters: SharedBytes;
  /** This worker's histograms of commands, and of devices. */
  readonly stepTimes: SharedBytes;
  readonly deviceTimes: SharedBytes;
  /** [partition] → shard number, and [shard number] → worker. */
  readonly shardOf: Uint16Array;
  readonly workerOf: Uint16Array;
  /** Memory storage: pages that all shards share. Device storage: the opened device set. */
  readonly storage:
    | { readonly engine: 'memory'; readonly budget: SharedBytes }
    | {
        readonly engine: 'device';
        readonly devices: DeviceSet;
        /** All records are kept in memory too: a memory namespace that is backed by files. */
        readonly isResident: boolean;
      };
}

/** What is the same for all workers. */
export type SharedTask = Omit<NamespaceTask, 'counters' | 'stepTimes' | 'deviceTimes'>;

export interface WorkerTask {
  readonly worker: number;
  readonly requests: SharedBytes;
  readonly requestSlab: SlabMemory;
  readonly completions: SharedBytes;
  readonly completionSlab: SlabMemory;
  readonly sleeper: SharedBytes;
  /** How many commands wait on it, by digest: slots.ts. */
  readonly parked: SharedBytes;
  readonly mainSleeper: SharedBytes;
  readonly control: SharedBytes;
  /** Device I/O of this worker, when a namespace needs it. */
  readonly io: NodeIoMemory | null;
  readonly namespaces: readonly NamespaceTask[];
  /** What the worker tells the main thread apart from answers, WorkerMessage; and the main thread it, MainMessage. */
  readonly port: MessagePort;
  /** A log line is sent when these let it. */
  readonly logThresholds: SharedBytes;
}

/** What makes a shard visible to another thread. */
export interface ShardMemory {
  readonly namespace: number;
  readonly shard: number;
  readonly index: PrimaryIndexMemory;
  /** Of a shard in memory, or on a device. */
  readonly engine: MemoryEngineMemory | DeviceEngineMemory;
}

/** What a worker sends over its port; none of it is awaited. */
export type WorkerMessage =
  | { readonly line: ForwardedLine }
  | { readonly survey: SurveyMessage }
  | { readonly memory: ShardMemory }
  | { readonly counted: EvictionCountReport }
  | { readonly background: BackgroundReport }
  /** The kernel's number of the worker's thread, sent once at its start. */
  | { readonly tid: number };

/** What the main thread sends over it: shards of all workers whose records are in memory, and background jobs. */
export type MainMessage =
  | { readonly memory: ShardMemory }
  | { readonly job: BackgroundJob }
  /** The number of a job that is to end. */
  | { readonly abort: number };
