/**
 * The ticker: every `ticker-interval` seconds a few lines in the log that say how the server is, in the
 * reference's words, so that people and scripts that read its log can read this one.
 */
import { monotonicMs } from '../../base/clock.js';
import type { LogContext } from '../../observe/log.js';
import { CLIENT_CONNECTIONS_CLOSED, CLIENT_CONNECTIONS_OPENED } from '../../observe/service-counters.js';
import { percentOf } from './namespace-figures.js';
import type { InfoSource, NamespaceSource } from './source.js';

/** Results of client commands that a namespace line shows, by the prefix of their counters. */
const CLIENT_GROUPS: readonly [label: string, names: readonly string[]][] = [
  ['read', ['success', 'error', 'timeout', 'not_found', 'filtered_out']],
  ['write', ['success', 'error', 'timeout', 'filtered_out']],
  ['delete', ['success', 'error', 'timeout', 'not_found', 'filtered_out']],
];

/** Writes one tick. */
export function tick(source: InfoSource, log: LogContext): void {
  if (!log.isLevelEnabled('info')) return;
  const gauges = source.gauges();
  const system = source.system.figures(monotonicMs());
  const opened = source.counters.sum(CLIENT_CONNECTIONS_OPENED);
  const closed = source.counters.sum(CLIENT_CONNECTIONS_CLOSED);
  log.info(`NODE-ID ${source.partitions.nodeId} CLUSTER-SIZE ${source.cluster.successionList.length}`);
  log.info(
    `   process: cpu-pct ${system.processCpuPct} rss-kbytes ${Math.round(process.memoryUsage.rss() / 1024)}`,
  );
  log.info(`   in-progress: rw ${gauges.readWritesInProgress} batch ${gauges.batchesInProgress}`);
  log.info(`   fds: client (${gauges.clientConnections},${opened},${closed})`);
  log.info(
    `   batch-index: batches (${['initiate', 'complete', 'error'].map(name => source.counters.sumOf(`batch_index_${name}`)).join(',')})`,
  );
  for (const namespace of source.namespaces) tickNamespace(namespace, log);
}

function tickNamespace(namespace: NamespaceSource, log: LogContext): void {
  const name = `{${namespace.name}}`;
  const figures = namespace.figures();
  log.info(`${name} objects: all ${figures.objects} tombstones: all ${figures.tombstones}`);
  log.info(
    `${name} index-usage: used-bytes ${figures.indexUsedBytes} data-usage: used-bytes ${figures.dataUsedBytes} ` +
      `used-pct ${percentOf(figures.dataUsedBytes, figures.dataTotalBytes)} ` +
      `avail-pct ${percentOf(figures.dataAvailableBytes, figures.dataTotalBytes)}` +
      (figures.isStoppingWrites ? ' STOP-WRITES' : ''),
  );
  for (const prefix of ['client', 'batch_sub']) {
    const groups = CLIENT_GROUPS.map(([label, names]) => ({
      label,
      counts: names.map(result => namespace.counters.sumOf(`${prefix}_${label}_${result}`)),
    }));
    if (groups.every(({ counts }) => counts.every(count => count === 0))) continue;
    const text = groups.map(({ label, counts }) => `${label} (${counts.join(',')})`).join(' ');
    log.info(`${name} ${prefix.replace('_', '-')}: ${text}`);
  }
}
