/**
 * The rows of `statistics`: one a name, in the reference's order, with what reads it, then Caltrop's own
 * counters. A row without a reader is a counter of that name, or reads 0. The metrics take them from here
 * too. Source: the recorded `statistics`.
 */
import { monotonicMs } from '../../base/clock.js';
import { SERVICE_COUNTERS } from '../../observe/service-counters.js';
import type { SystemFigures } from '../../observe/system-usage.js';
import { COMPATIBILITY_ID } from './build-identity.js';
import { clusterKeyText } from './cluster-view.js';
import { percentOf } from './namespace-figures.js';
import type { Stat } from './namespace-stats.js';
import type { InfoSource, ServiceGauges } from './source.js';

interface StatInput {
  readonly source: InfoSource;
  readonly gauges: ServiceGauges;
  readonly system: SystemFigures;
  readonly nowMs: number;
}

type Row = readonly [name: string, read?: (input: StatInput) => string | number | boolean];

const ROWS: readonly Row[] = [
  ['failed_best_practices', ({ source }) => source.failedBestPractices.length > 0],
  ['cluster_size', ({ source }) => source.cluster.successionList.length],
  ['cluster_key', ({ source }) => clusterKeyText(source.cluster.clusterKey)],
  ['cluster_generation', ({ source }) => source.cluster.generation],
  ['cluster_principal', ({ source }) => source.cluster.successionList[0] ?? '0'],
  ['cluster_min_compatibility_id', () => COMPATIBILITY_ID],
  ['cluster_max_compatibility_id', () => COMPATIBILITY_ID],
  ['cluster_integrity', ({ source }) => source.cluster.isStable],
  ['cluster_is_member', ({ source }) => source.cluster.successionList.includes(source.partitions.nodeId)],
  ['cluster_duplicate_nodes', () => 'null'],
  ['cluster_clock_skew_stop_writes_sec'],
  ['cluster_clock_skew_ms'],
  ['cluster_clock_skew_outliers', () => 'null'],
  ['uptime', ({ source, nowMs }) => Math.floor((nowMs - source.startedMs) / 1000)],
  ['system_total_cpu_pct', ({ system }) => system.totalCpuPct],
  ['system_user_cpu_pct', ({ system }) => system.userCpuPct],
  ['system_kernel_cpu_pct', ({ system }) => system.kernelCpuPct],
  ['system_free_mem_kbytes', ({ system }) => system.freeMemoryKbytes],
  ['system_free_mem_pct', ({ system }) => system.freeMemoryPct],
  ['host_free_mem_kbytes', ({ system }) => system.freeMemoryKbytes],
  ['host_free_mem_pct', ({ system }) => system.freeMemoryPct],
  ['system_thp_mem_kbytes', ({ system }) => system.hugePagesKbytes],
  ['process_cpu_pct', ({ system }) => system.processCpuPct],
  ['threads_joinable', ({ gauges }) => gauges.workerCount],
  ['threads_detached', ({ system, gauges }) => Math.max(0, system.threadCount - gauges.workerCount)],
  ['threads_pool_total', ({ gauges }) => gauges.workerCount],
  ['threads_pool_active', ({ gauges }) => gauges.workerCount],
  ['heap_allocated_kbytes', ({ system }) => system.heapAllocatedKbytes],
  ['heap_active_kbytes', ({ system }) => system.heapActiveKbytes],
  ['heap_mapped_kbytes', ({ system }) => system.heapMappedKbytes],
  // Of V8's heap: records and indexes lie in shared memory, which is resident but no part of it.
  ['heap_efficiency_pct', ({ system }) => percentOf(system.heapAllocatedKbytes, system.heapActiveKbytes)],
  ['heap_site_count'],
  ['objects', ({ source }) => source.namespaces.reduce((sum, of) => sum + of.figures().objects, 0)],
  ['tombstones', ({ source }) => source.namespaces.reduce((sum, of) => sum + of.figures().tombstones, 0)],
  ['info_queue', ({ gauges }) => gauges.infoQueue],
  ['rw_in_progress', ({ gauges }) => gauges.readWritesInProgress],
  ['proxy_in_progress'],
  ['tree_gc_queue'],
  ['client_connections', ({ gauges }) => gauges.clientConnections],
  ['client_connections_opened'],
  ['client_connections_closed'],
  ['admin_connections'],
  ['admin_connections_opened'],
  ['admin_connections_closed'],
  ['heartbeat_connections'],
  ['heartbeat_connections_opened'],
  ['heartbeat_connections_closed'],
  ['fabric_connections'],
  ['fabric_connections_opened'],
  ['fabric_connections_closed'],
  ['heartbeat_received_self'],
  ['heartbeat_received_foreign'],
  ['reaped_fds'],
  ['info_complete'],
  ['info_timeout'],
  ['demarshal_error'],
  ['early_tsvc_client_error'],
  ['early_tsvc_from_proxy_error'],
  ['early_tsvc_from_proxy_batch_sub_error'],
  ['long_queries_active'],
  ['batch_index_initiate'],
  // Batches and buffers under way, of each batch thread; the main thread is the only one.
  ['batch_index_queue', ({ gauges }) => `${gauges.batchesInProgress}:0`],
  ['batch_index_complete'],
  ['batch_index_error'],
  ['batch_index_timeout'],
  ['batch_index_delay'],
  ['batch_index_unused_buffers'],
  ['batch_index_huge_buffers'],
  ['batch_index_created_buffers'],
  ['batch_index_destroyed_buffers'],
  ['batch_index_proto_uncompressed_pct', () => '0.000'],
  ['batch_index_proto_compression_ratio', () => '1.000'],
  ['paxos_principal', ({ source }) => source.cluster.successionList[0] ?? '0'],
  ['time_since_rebalance', ({ source, nowMs }) => Math.floor((nowMs - source.cluster.rebalancedMs) / 1000)],
  ['migrate_allowed', ({ source }) => source.cluster.isStable],
  ['migrate_partitions_remaining', ({ source }) => source.cluster.migrationsRemaining],
  ['fabric_bulk_send_rate'],
  ['fabric_bulk_recv_rate'],
  ['fabric_ctrl_send_rate'],
  ['fabric_ctrl_recv_rate'],
  ['fabric_meta_send_rate'],
  ['fabric_meta_recv_rate'],
  ['fabric_rw_send_rate'],
  ['fabric_rw_recv_rate'],
  ['deprecated_requests'],
];

/** Counters that the reference doesn't have come last. */
const OWN_ROWS: readonly Row[] = SERVICE_COUNTERS.names
  .filter(name => !ROWS.some(row => row[0] === name))
  .map(name => [name] as const);

export function serviceStats(source: InfoSource): Stat[] {
  const nowMs = monotonicMs();
  const input = { source, gauges: source.gauges(), system: source.system.figures(nowMs), nowMs };
  return [...ROWS, ...OWN_ROWS].map(([name, read]) => [name, read?.(input) ?? source.counters.sumOf(name)]);
}
