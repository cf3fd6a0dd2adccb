/**
 * Everything that the info commands know: `server.ts` hands it in once. Readers are called when a command
 * asks, on the main thread, and read shared memory or variables; none of them waits.
 */
import type { ServerConfig } from '../../config/server-config.js';
import type { Counters } from '../../observe/counters.js';
import type { Latencies } from '../../observe/latencies.js';
import type { RecordHistogramType } from '../../observe/record-survey.js';
import type { SystemUsage } from '../../observe/system-usage.js';
import type { PartitionTable } from '../../partition/table.js';
import type { EvictionState } from '../eviction.js';
import type { ServiceAddresses } from './addresses.js';
import type { BuildIdentity } from './build-identity.js';
import type { ClusterView } from './cluster-view.js';
import type { NamespaceFigures, SetFigures } from './namespace-figures.js';
import type { UserAgents } from './user-agents.js';

/** The log's sinks as `logs`, `log/<id>` and `log-set` see them; the server's log has this shape. */
export interface LogControl {
  /** Names; a sink's id is its index. */
  sinks(): readonly string[];
  /** Contexts with their levels, undefined for an unknown sink. */
  levels(id: number): readonly (readonly [context: string, level: string])[] | undefined;
  /** False, and nothing changed, when the sink, context or level is unknown. */
  setLevel(id: number, context: string, level: string): boolean;
  context(name: 'info'): { info(message: string): void; warning(message: string): void };
}

/** Numbers of the moment that the parts of the server keep. */
export interface ServiceGauges {
  readonly clientConnections: number;
  /** Info requests waiting to be executed. */
  readonly infoQueue: number;
  /** Record commands between arrival and answer. */
  readonly readWritesInProgress: number;
  /** Batches with rows under way. */
  readonly batchesInProgress: number;
  readonly workerCount: number;
}

/** One configured namespace. */
export interface NamespaceSource {
  readonly name: string;
  readonly counters: Counters;
  figures(): NamespaceFigures;
  /** Sets that hold or held records, in the order in which they came. */
  sets(): readonly SetFigures[];
  /** Records and tombstones of a partition, if somebody counts them. */
  partitionObjects?(pid: number): readonly [objects: number, tombstones: number];
  /**
   * The text of a record histogram, `units=…` (see `observe/record-survey.ts`), or undefined while none has been
   * taken or the set has no records.
   */
  recordHistogram?(type: RecordHistogramType, set: string | undefined): string | undefined;
}

export interface InfoSource {
  readonly build: BuildIdentity;
  readonly config: ServerConfig;
  readonly partitions: PartitionTable;
  readonly cluster: ClusterView;
  /** Replaced once the server listens, when port 0 has become a real one. */
  addresses: ServiceAddresses;
  /** In the order of the configuration. */
  readonly namespaces: readonly NamespaceSource[];
  readonly counters: Counters;
  /** The main thread's own block of `counters`. */
  readonly counterBlock: Float64Array;
  readonly latencies: Latencies;
  readonly log: LogControl;
  readonly system: SystemUsage;
  readonly userAgents: UserAgents;
  /** Names of the best practices that this machine doesn't follow. */
  readonly failedBestPractices: readonly string[];
  /** Monotonic milliseconds of the start. */
  readonly startedMs: number;
  /** What `truncate` and its kind ask for; each resolves when it is durable. */
  readonly truncations: {
    truncate(namespace: string, set: string | undefined, lutMs?: number): Promise<void>;
    undo(namespace: string, set: string | undefined): Promise<void>;
  };
  /** What eviction is up to, and `eviction-reset`. */
  readonly evictions: {
    state(namespace: string): EvictionState;
    reset(namespace: string, ttlSec?: number): Promise<void>;
  };
  /** Background jobs. */
  readonly jobs: {
    rows(id?: bigint): readonly string[];
    abort(id: bigint): boolean;
    abortAll(): number;
  };
  gauges(): ServiceGauges;
}

export function findNamespace(source: InfoSource, name: string | undefined): NamespaceSource | undefined {
  return source.namespaces.find(namespace => namespace.name === name);
}
