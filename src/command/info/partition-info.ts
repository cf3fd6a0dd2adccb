/**
 * The partition map as clients read it: who claims which partition of which namespace.
 * Source: protocol 02, section 6.
 */
import { PARTITION_COUNT } from '../../base/digest.js';
import type { NamespacePartitions } from '../../partition/table.js';
import { versionText } from '../../partition/version.js';
import { InfoParams } from '../../wire/info.js';
import { deprecated, type InfoTable, info } from './command.js';
import { findNamespace, type InfoSource, type NamespaceSource } from './source.js';

/** Bitmaps of the first `count` columns, comma-separated. */
function bitmaps(partitions: NamespacePartitions, count: number): string {
  return Array.from({ length: count }, (_, column) => partitions.bitmap(column)).join(',');
}

function replicas(source: InfoSource, args: string): string {
  const max = new InfoParams(args).get('max');
  if (max !== undefined && !/^[1-9]\d{0,8}$/.test(max)) return "ERROR:4:'max' must be a positive integer";
  return source.partitions.namespaces
    .map(partitions => {
      const count = Math.min(partitions.replicationFactor, Number(max ?? partitions.replicationFactor));
      return `${partitions.namespace}:${partitions.regime},${count},${bitmaps(partitions, count)}`;
    })
    .join(';');
}

function replicasAll({ partitions: { namespaces } }: InfoSource): string {
  return namespaces
    .map(of => `${of.namespace}:${of.replicationFactor},${bitmaps(of, of.replicationFactor)}`)
    .join(';');
}

const PARTITION_INFO_HEADER =
  'namespace:partition:state:n_replicas:replica:succession:n_dupl:working_master:proxy_dst:emigrates:' +
  'lead_emigrates:immigrates:records:tombstones:regime:tree_id:version:final_version';

function partitionRow(of: NamespacePartitions, namespace: NamespaceSource | undefined, pid: number): string {
  const [objects, tombstones] = namespace?.partitionObjects?.(pid) ?? [0, 0];
  return [
    of.namespace,
    pid,
    String.fromCharCode(of.state[pid]!),
    of.replicaCount[pid],
    of.replica[pid],
    of.succession[pid],
    of.duplicateCount[pid],
    of.workingMaster[pid] || '0',
    of.proxyTarget[pid] || '0',
    of.emigrations[pid],
    of.leadEmigrations[pid],
    of.immigrations[pid],
    objects,
    tombstones,
    of.partitionRegime[pid],
    of.treeId[pid],
    versionText(of.version[pid]!),
    versionText(of.finalVersion[pid]!),
  ].join(':');
}

function partitionInfo(source: InfoSource): string {
  const rows = [PARTITION_INFO_HEADER];
  for (const of of source.partitions.namespaces) {
    const namespace = findNamespace(source, of.namespace);
    for (let pid = 0; pid < PARTITION_COUNT; pid++) rows.push(partitionRow(of, namespace, pid));
  }
  return rows.join(';');
}

export const PARTITION_COMMANDS: InfoTable = {
  'partition-generation': info(
    'moves when ownership does; -1 before this node is ready',
    source => `${source.partitions.generation}`,
  ),
  'rebalance-generation': info(
    'moves with every rebalance',
    source => `${source.partitions.rebalanceGeneration}`,
  ),
  replicas: info('[max]: partitions that this node claims, with the regime', replicas),
  'replicas-all': deprecated('partitions that this node claims', replicasAll),
  'replicas-master': deprecated('partitions that this node is master of', ({ partitions }) =>
    partitions.namespaces.map(of => `${of.namespace}:${of.bitmap(0)}`).join(';'),
  ),
  'partition-info': info('state of every partition, a row each', partitionInfo),
};
