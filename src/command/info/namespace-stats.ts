/**
 * The statistics of a namespace: one row a name, in the reference's order, with what reads it. A row without
 * a reader is a counter of that name, or a fact that a single node doesn't have, which reads 0. The info
 * command and the metrics both take them from here. Source: the recorded `namespace/test` and `/dev`.
 */
import { epochSec } from '../../base/clock.js';
import { NAMESPACE_COUNTERS } from '../../observe/namespace-counters.js';
import { type NamespacePartitions, PARTITION_STATES } from '../../partition/table.js';
import type { EvictionState } from '../eviction.js';
import { type DeviceFigures, type NamespaceFigures, percentOf } from './namespace-figures.js';
import type { InfoSource, NamespaceSource } from './source.js';

export type Stat = readonly [name: string, value: string | number | boolean];

/** What a row reads from, gathered once an answer. */
interface StatInput {
  readonly source: InfoSource;
  readonly figures: NamespaceFigures;
  readonly partitions: NamespacePartitions | undefined;
  readonly eviction: EvictionState;
}

type Row = readonly [name: string, read?: (input: StatInput) => string | number | boolean];

const ROWS_BEFORE_STORAGE: readonly Row[] = [
  ['ns_cluster_size', ({ source }) => source.cluster.successionList.length],
  ['effective_replication_factor', ({ partitions }) => partitions?.replicationFactor ?? 0],
  ['objects', ({ figures }) => figures.objects],
  ['tombstones', ({ figures }) => figures.tombstones],
  ['xdr_tombstones'],
  ['xdr_bin_cemeteries'],
  ['mrt_provisionals'],
  ['master_objects', ({ figures }) => figures.objects],
  ['master_tombstones', ({ figures }) => figures.tombstones],
  ['prole_objects'],
  ['prole_tombstones'],
  ['non_replica_objects'],
  ['non_replica_tombstones'],
  ['unreplicated_records'],
  ['dead_partitions'],
  ['unavailable_partitions', ({ partitions }) => partitions?.countInState(PARTITION_STATES.UNAVAILABLE) ?? 0],
  ['auto_revived_partitions'],
  ['clock_skew_stop_writes', () => false],
  ['stop_writes', ({ figures }) => figures.isStoppingWrites],
  ['hwm_breached', ({ eviction }) => eviction.isBreached],
  ['current_time', () => epochSec()],
  ['non_expirable_objects', ({ figures }) => figures.nonExpirableObjects],
  ['expired_objects'],
  ['evicted_objects'],
  ['evict_ttl', ({ eviction }) => eviction.ttlSec],
  ['evict_void_time', ({ eviction }) => eviction.voidTimeSec],
  ['smd_evict_void_time', ({ eviction }) => eviction.keptVoidTimeSec],
  ['nsup_cycle_duration', ({ figures }) => figures.nsupDurationSec],
  ['nsup_cycle_deleted_pct', ({ figures }) => figures.nsupDeletedPct.toFixed(2)],
  ['nsup_xdr_key_busy'],
  ['truncate_lut', ({ figures }) => figures.truncateLut],
  ['truncating', ({ figures }) => figures.isTruncating],
  ['sindex_gc_cleaned'],
  ['mrt_monitors'],
  ['mrt_monitors_active'],
  ['xmem_id'],
  ['index_used_bytes', ({ figures }) => figures.indexUsedBytes],
  ['set_index_used_bytes', ({ figures }) => figures.setIndexUsedBytes],
  ['sindex_used_bytes'],
  ['data_total_bytes', ({ figures }) => figures.dataTotalBytes],
  ['data_used_bytes', ({ figures }) => figures.dataUsedBytes],
  ['data_used_pct', ({ figures }) => percentOf(figures.dataUsedBytes, figures.dataTotalBytes)],
  ['data_avail_pct', ({ figures }) => percentOf(figures.dataAvailableBytes, figures.dataTotalBytes)],
  ['data_compression_ratio', ({ figures }) => figures.compressionRatio.toFixed(3)],
];

const ROWS_AFTER_STORAGE: readonly Row[] = [
  ['record_proto_uncompressed_pct', () => '0.000'],
  ['record_proto_compression_ratio', () => '1.000'],
  ['query_proto_uncompressed_pct', () => '0.000'],
  ['query_proto_compression_ratio', () => '1.000'],
  ['pending_quiesce', () => false],
  ['effective_is_quiesced', () => false],
  ['nodes_quiesced'],
  ['effective_prefer_uniform_balance', () => false],
  ['effective_active_rack'],
  ['migrate_tx_partitions_imbalance'],
  ['migrate_tx_instances'],
  ['migrate_rx_instances'],
  ['migrate_tx_partitions_active'],
  ['migrate_rx_partitions_active'],
  ['migrate_tx_partitions_initial'],
  ['migrate_tx_partitions_remaining', ({ partitions }) => total(partitions?.emigrations)],
  ['migrate_tx_partitions_lead_remaining', ({ partitions }) => total(partitions?.leadEmigrations)],
  ['migrate_rx_partitions_initial'],
  ['migrate_rx_partitions_remaining', ({ partitions }) => total(partitions?.immigrations)],
  ['migrate_records_skipped'],
  ['migrate_records_transmitted'],
  ['migrate_record_retransmits'],
  ['migrate_record_receives'],
  ['migrate_records_unreadable'],
  ['migrate_signals_active'],
  ['migrate_signals_remaining'],
  ['migrate_fresh_partitions', ({ partitions }) => partitions?.freshCount ?? 0],
  ['appeals_tx_active'],
  ['appeals_rx_active'],
  ['appeals_tx_remaining'],
  ['appeals_records_exonerated'],
];

/** The counters that follow, from the first one of clients to the last of all. */
const COUNTER_ROWS: readonly Row[] = NAMESPACE_COUNTERS.names
  .slice(NAMESPACE_COUNTERS.slot('client_tsvc_error'))
  .map(name => [name] as const);

/** Rows of a device, by the kinds that have them. */
const DEVICE_ROWS: readonly (readonly [
  string,
  'all' | 'blocks' | 'shadowed',
  (device: DeviceFigures) => number,
])[] = [
  ['used_bytes', 'all', device => device.usedBytes],
  ['free_wblocks', 'all', device => device.freeWriteBlocks],
  ['read_errors', 'blocks', device => device.readErrors],
  ['write_q', 'blocks', device => device.writeQueue],
  ['shadow_write_q', 'shadowed', device => device.shadowWriteQueue],
  ['writes', 'all', device => device.writes],
  ['partial_writes', 'blocks', device => device.partialWrites],
  ['defrag_q', 'all', device => device.defragQueue],
  ['defrag_reads', 'all', device => device.defragReads],
  ['defrag_writes', 'all', device => device.defragWrites],
  ['defrag_partial_writes', 'blocks', device => device.defragPartialWrites],
  ['age', 'blocks', () => -1], // of the medium; files don't know theirs
  ['write_errors', 'blocks', device => device.writeErrors], // this and what follows are ours
  ['late_writes', 'blocks', device => device.lateWrites],
  ['shadow_write_errors', 'shadowed', device => device.shadowWriteErrors],
  ['checksum_errors', 'blocks', device => device.checksumErrors],
];

/** What the reference does not have, of namespaces on devices. */
const OWN_ROWS: readonly Row[] = [
  ['delete_markers', ({ figures }) => figures.deleteMarkers],
  ['tomb_raider_cycles', ({ figures }) => figures.raids],
  ['tomb_raider_dropped_markers', ({ figures }) => figures.raidedMarkers],
  ['device_overloads', ({ figures }) => figures.deviceOverloads],
  ['device_written_bytes', ({ figures }) => figures.deviceWrittenBytes],
  ['client_written_bytes', ({ figures }) => figures.clientWrittenBytes],
  ['unflushed_ms', ({ figures }) => figures.unflushedMs],
  [
    'write_amplification',
    ({ figures: { deviceWrittenBytes, clientWrittenBytes } }) =>
      (clientWrittenBytes === 0 ? 0 : deviceWrittenBytes / clientWrittenBytes).toFixed(3),
  ],
  ['start_kind', ({ figures }) => figures.restart.startKind],
  ['replayed_records', ({ figures }) => figures.restart.replayedRecords],
  ['checkpoints', ({ figures }) => figures.restart.checkpoints],
  ['checkpoint_age', ({ figures }) => figures.restart.checkpointAgeSec],
  ['checkpoint_bytes', ({ figures }) => figures.restart.checkpointBytes],
  ['checkpoint_errors', ({ figures }) => figures.restart.checkpointErrors],
];

/** All statistics of a namespace, without its configuration. */
export function namespaceStats(source: InfoSource, namespace: NamespaceSource): Stat[] {
  const figures = namespace.figures();
  const partitions = source.partitions.find(namespace.name);
  const input = { source, figures, partitions, eviction: source.evictions.state(namespace.name) };
  const read = ([name, reader]: Row): Stat => [name, reader?.(input) ?? namespace.counters.sumOf(name)];
  const isOnBlocks = figures.devices.some(device => device.kind !== 'stripe');
  return [
    ...ROWS_BEFORE_STORAGE.map(read),
    ...(isOnBlocks ? [['cache_read_pct', figures.cacheReadPct] as const] : []),
    ...deviceStats(figures.devices),
    ...ROWS_AFTER_STORAGE.map(read),
    ...COUNTER_ROWS.map(read),
    ...(isOnBlocks ? OWN_ROWS.map(read) : []),
  ];
}

function deviceStats(devices: readonly DeviceFigures[]): Stat[] {
  const indexes = new Map<string, number>();
  return devices.flatMap(device => {
    const index = indexes.get(device.kind) ?? 0;
    indexes.set(device.kind, index + 1);
    const rows = DEVICE_ROWS.filter(([, kinds]) =>
      kinds === 'shadowed' ? device.hasShadow : kinds === 'all' || device.kind !== 'stripe',
    );
    return rows.map(
      ([name, , read]) => [`storage-engine.${device.kind}[${index}].${name}`, read(device)] as const,
    );
  });
}

function total(counts: Uint16Array | undefined): number {
  return counts?.reduce((sum, count) => sum + count, 0) ?? 0;
}
