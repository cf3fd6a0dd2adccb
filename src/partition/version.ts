/**
 * A partition version says which copy of a partition a node holds: the cluster key under which its lineage
 * began, a family within that lineage, and what the copy is. Two equal versions are the same data, apart
 * from writes under way. Versions are values: they are replaced, never changed.
 *
 * Printed as the reference does in `partition-info`: `<key, 12 hex digits>.<family>.<flags>`, flags being
 * `m` for the master's own, `s` or `p` for a subset or a possibly full copy, `e` for one to evade.
 * Source: the recorded `partition-info` answers, single node and cluster.
 */
export interface PartitionVersion {
  /** 48 bits; 0 for a copy that doesn't exist. */
  readonly clusterKey: number;
  readonly family: number;
  readonly isMaster: boolean;
  readonly isSubset: boolean;
  readonly isEvade: boolean;
}

/** A node that holds nothing of the partition. */
export const NO_VERSION: PartitionVersion = {
  clusterKey: 0,
  family: 0,
  isMaster: false,
  isSubset: false,
  isEvade: false,
};

export function versionText(version: PartitionVersion): string {
  const key = version.clusterKey.toString(16).padStart(12, '0');
  const flags = `${version.isMaster ? 'm' : '-'}${version.isSubset ? 's' : 'p'}${version.isEvade ? 'e' : '-'}`;
  return `${key}.${version.family.toString(16)}.${flags}`;
}
