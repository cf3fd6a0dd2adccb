/**
 * What clients and operators are told about the cluster. Whoever keeps the membership implements it; a
 * server without a heartbeat is a cluster of one.
 */
import { randomInt } from 'node:crypto';

/** Another node, with the addresses that it offers to clients (`host`, or `host:port` off the default port). */
export interface Peer {
  readonly nodeId: string;
  readonly clear: readonly string[];
  readonly alternate: readonly string[];
}

export interface ClusterView {
  /** Node ids, the principal first. */
  readonly successionList: readonly string[];
  /** 48 bits; changes when the members do. */
  readonly clusterKey: number;
  /** Agreements since the start. */
  readonly generation: number;
  /** False while the members are being agreed on. */
  readonly isStable: boolean;
  /** Other nodes, in the order of their ids. */
  readonly peers: readonly Peer[];
  /** Other nodes ever seen, departed ones included. */
  readonly alumni: readonly Peer[];
  readonly peersGeneration: number;
  /** Partitions that still move, in any namespace. */
  readonly migrationsRemaining: number;
  /** Monotonic milliseconds of the last rebalance. */
  readonly rebalancedMs: number;
  /** Remembers a node to look for; false if it was known. */
  addSeed(host: string, port: number): boolean;
  /** Forgets a seed; false if it was none. */
  removeSeed(host: string, port: number): boolean;
  /** Forgets all seeds and returns how many there were. */
  clearSeeds(): number;
}

/** Cluster keys as clients see them, who compare them before and after a query. */
export function clusterKeyText(key: number): string {
  return key.toString(16).toUpperCase();
}

/**
 * A cluster of one node. Seeds are kept for the heartbeat that will use them; until there is one they find
 * nobody, which an operator sees in the cluster's size, as with a seed that doesn't answer.
 */
export class SingleNodeCluster implements ClusterView {
  readonly successionList: readonly string[];
  readonly clusterKey = randomInt(1, 2 ** 48 - 1);
  readonly generation = 1;
  readonly isStable = true;
  readonly peers: readonly Peer[] = [];
  readonly alumni: readonly Peer[] = [];
  readonly peersGeneration = 0;
  readonly migrationsRemaining = 0;
  readonly rebalancedMs: number;
  readonly #seeds = new Set<string>();

  constructor(nodeId: string, nowMs: number) {
    this.successionList = [nodeId];
    this.rebalancedMs = nowMs;
  }

  addSeed(host: string, port: number): boolean {
    if (this.#seeds.has(`${host}:${port}`) || this.#seeds.size >= SEED_COUNT_MAX) return false;
    this.#seeds.add(`${host}:${port}`);
    return true;
  }

  removeSeed(host: string, port: number): boolean {
    return this.#seeds.delete(`${host}:${port}`);
  }

  clearSeeds(): number {
    const count = this.#seeds.size;
    this.#seeds.clear();
    return count;
  }
}

/** Seeds kept at most; more come only from a script gone wrong. */
const SEED_COUNT_MAX = 1024;
