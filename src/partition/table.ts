/**
 * The partition table: what this node is to each of the 4096 partitions of each namespace. It is state and
 * no policy: balance decides, fills the arrays and calls `publish`; the main thread routes by them and
 * clients learn from them. Everything here belongs to the main thread.
 *
 * A client sends a command to the node that claims column 0 of the partition (the working master); column
 * i > 0 is a claim to hold replica i. A node claims at most one column of a partition.
 */
import { PARTITION_COUNT } from '../base/digest.js';
import { NO_VERSION, type PartitionVersion } from './version.js';

/** Values of `column`. */
export const WORKING_MASTER = 0;
export const NO_COLUMN = -1;

/** Values of `state`, the letters of `partition-info`. */
export const PARTITION_STATES = {
  SYNCED: 0x53, // S: holds all of the partition's data
  DESYNCED: 0x44, // D: will hold it, after a migration that is under way
  ABSENT: 0x41, // A: has no part in it
  ZOMBIE: 0x5a, // Z: still holds data that it will drop
  UNAVAILABLE: 0x58, // X: without data that is needed
} as const;

const BITMAP_SIZE = PARTITION_COUNT / 8; // bytes

/** The partitions of one namespace. Arrays are indexed by pid. */
export class NamespacePartitions {
  readonly namespace: string;
  /** Copies that the cluster really keeps: the configured factor, but no more than there are nodes. */
  replicationFactor = 1;
  /** Regime that clients see: 0 in AP mode, the cluster's regime in strong consistency. */
  regime = 0;
  /** Partitions that no node had anything of at the last rebalance. */
  freshCount = 0;
  /** The column this node claims, or NO_COLUMN. */
  readonly column = new Int8Array(PARTITION_COUNT).fill(NO_COLUMN);
  readonly state = new Uint8Array(PARTITION_COUNT).fill(PARTITION_STATES.ABSENT);
  /** Copies of the partition that the cluster wants. */
  readonly replicaCount = new Uint8Array(PARTITION_COUNT);
  /** This node's place among the wanted copies (0 is the master when all is settled), -1 when it has none. */
  readonly replica = new Int8Array(PARTITION_COUNT).fill(-1);
  /** This node's place in the partition's succession list. */
  readonly succession = new Uint8Array(PARTITION_COUNT);
  /** Nodes with another version of the partition, to be asked before an answer counts. */
  readonly duplicateCount = new Uint8Array(PARTITION_COUNT);
  /** Node id of the working master where this node is or will be it, else empty. */
  readonly workingMaster: string[] = new Array(PARTITION_COUNT).fill('');
  /** Node id to which a command that lands here by mistake is passed on. */
  readonly proxyTarget: string[] = new Array(PARTITION_COUNT).fill('');
  readonly emigrations = new Uint16Array(PARTITION_COUNT);
  readonly leadEmigrations = new Uint16Array(PARTITION_COUNT);
  readonly immigrations = new Uint16Array(PARTITION_COUNT);
  readonly partitionRegime = new Uint32Array(PARTITION_COUNT);
  /** Which life of the partition's index: records of an earlier one are gone. */
  readonly treeId = new Uint8Array(PARTITION_COUNT);
  readonly version: PartitionVersion[] = new Array(PARTITION_COUNT).fill(NO_VERSION);
  readonly finalVersion: PartitionVersion[] = new Array(PARTITION_COUNT).fill(NO_VERSION);
  /** Base64 of the claims, by column; emptied when the claims change. */
  #bitmaps = new Map<number, string>();

  constructor(namespace: string) {
    this.namespace = namespace;
  }

  isMaster(pid: number): boolean {
    return this.column[pid] === WORKING_MASTER;
  }

  /** Whether this node may answer a read that any replica may answer. */
  isReplica(pid: number): boolean {
    return this.column[pid] !== NO_COLUMN;
  }

  /** Partitions in which this node has `state`. */
  countInState(state: number): number {
    let count = 0;
    for (let pid = 0; pid < PARTITION_COUNT; pid++) if (this.state[pid] === state) count++;
    return count;
  }

  /**
   * The claims on a column as `replicas` sends them: base64 of 512 bytes, partition p being bit `0x80 >> (p & 7)`
   * of byte `p >> 3`. Source: protocol 02, section 6.
   */
  bitmap(column: number): string {
    let text = this.#bitmaps.get(column);
    if (text === undefined) {
      const bits = Buffer.alloc(BITMAP_SIZE);
      for (let pid = 0; pid < PARTITION_COUNT; pid++) {
        if (this.column[pid] === column) bits[pid >> 3]! |= 0x80 >> (pid & 7);
      }
      text = bits.toString('base64');
      this.#bitmaps.set(column, text);
    }
    return text;
  }

  /** Called by `PartitionTable.publish`: what was derived from the arrays is stale. */
  forgetBitmaps(): void {
    this.#bitmaps.clear();
  }
}

/** The tables of all namespaces and the generations by which clients see that something changed. */
export class PartitionTable {
  readonly nodeId: string;
  readonly namespaces: readonly NamespacePartitions[];
  readonly #byName: ReadonlyMap<string, NamespacePartitions>;
  /** Moves with every change of ownership; -1 tells clients that this node isn't ready yet. */
  #generation = -1;
  /** Moves with every rebalance. */
  #rebalanceGeneration = 0;

  /** @param nodeId as clients see it: upper-case hex without leading zeros. */
  constructor(nodeId: string, namespaces: Iterable<string>) {
    this.nodeId = nodeId;
    this.namespaces = Array.from(namespaces, name => new NamespacePartitions(name));
    this.#byName = new Map(this.namespaces.map(partitions => [partitions.namespace, partitions]));
  }

  get generation(): number {
    return this.#generation;
  }

  get rebalanceGeneration(): number {
    return this.#rebalanceGeneration;
  }

  find(namespace: string): NamespacePartitions | undefined {
    return this.#byName.get(namespace);
  }

  /** Shows clients the arrays as they are now. @param isRebalance whether the cluster's members were ranked anew. */
  publish(isRebalance: boolean): void {
    for (const partitions of this.namespaces) partitions.forgetBitmaps();
    this.#generation += 1;
    if (isRebalance) this.#rebalanceGeneration += 1;
  }

  /**
   * The balance of a cluster of one: this node is master of everything, under a cluster key of its own.
   * @param fresh names of the namespaces that start without any data.
   */
  claimAll(clusterKey: number, fresh: ReadonlySet<string>): void {
    const version = { clusterKey, family: 0, isMaster: true, isSubset: false, isEvade: false };
    for (const partitions of this.namespaces) {
      partitions.freshCount = fresh.has(partitions.namespace) ? PARTITION_COUNT : 0;
      partitions.replicationFactor = 1;
      partitions.column.fill(WORKING_MASTER);
      partitions.state.fill(PARTITION_STATES.SYNCED);
      partitions.replicaCount.fill(1);
      partitions.replica.fill(0);
      partitions.succession.fill(0);
      partitions.duplicateCount.fill(0);
      partitions.workingMaster.fill(this.nodeId);
      partitions.proxyTarget.fill(this.nodeId);
      partitions.treeId.fill(1);
      partitions.version.fill(version);
      partitions.finalVersion.fill(version);
    }
    this.publish(true);
  }
}
