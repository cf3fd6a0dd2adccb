/**
 * The ticker: every `ticker-interval` seconds lines in the log that say how the server is, in the reference's words,
 * so that people and scripts that read its log can read this one: the node, each namespace and each of its devices,
 * then every histogram that has counted something. Source: the reference's documentation of its log.
 */
import { monotonicMs } from '../../base/clock.js';
import type { ContextLog, LogContext } from '../../observe/log.js';
import { CLIENT_CONNECTIONS_CLOSED, CLIENT_CONNECTIONS_OPENED } from '../../observe/service-counters.js';
import { residentBytes } from '../../observe/system-usage.js';
import { type DeviceFigures, percentOf } from './namespace-figures.js';
import type { InfoSource, NamespaceSource } from './source.js';

type CounterGroup = readonly [label: string, names: readonly string[]];

/** Results of commands that a namespace line shows, by the prefix of their counters. */
const COMMAND_GROUPS: readonly CounterGroup[] = [
  ['tsvc', ['error', 'timeout']],
  ['proxy', ['complete', 'error', 'timeout']],
  ['read', ['success', 'error', 'timeout', 'not_found', 'filtered_out']],
  ['write', ['success', 'error', 'timeout', 'filtered_out']],
  ['delete', ['success', 'error', 'timeout', 'not_found', 'filtered_out']],
  ['udf', ['complete', 'error', 'timeout', 'filtered_out']],
  ['lang', ['read_success', 'write_success', 'delete_success', 'error']],
];
/** Lines of a namespace that are made of counters alone; one whose counters are all 0 is left out. */
const COUNTER_LINES: readonly (readonly [label: string, prefix: string, groups: readonly CounterGroup[]])[] =
  [
    ['client:', 'client', COMMAND_GROUPS],
    ['batch-sub:', 'batch_sub', COMMAND_GROUPS],
    ['ops-sub:', 'ops_sub', COMMAND_GROUPS.filter(([label]) => label === 'tsvc' || label === 'write')],
  ];
const BUCKETS_A_LINE = 4;
const DIGITS = 10;

export class Ticker {
  readonly #source: InfoSource;
  readonly #info: LogContext;
  readonly #devices: LogContext;
  /** What counters were at the last tick, by a name of ours. */
  #before = new Map<string, number>();
  #beforeMs: number;

  constructor(source: InfoSource, log: ContextLog) {
    this.#source = source;
    this.#info = log.context('info');
    this.#devices = log.context('drv_ssd');
    this.#beforeMs = source.startedMs;
  }

  /** Writes one tick. */
  tick(nowMs = monotonicMs()): void {
    if (this.#info.isLevelEnabled('info')) {
      this.#node();
      for (const namespace of this.#source.namespaces) this.#namespace(namespace);
      this.#histograms();
    }
    if (this.#devices.isLevelEnabled('info')) {
      for (const namespace of this.#source.namespaces) this.#devicesOf(namespace, nowMs);
      this.#beforeMs = nowMs;
    }
  }

  #node(): void {
    const { counters, partitions, cluster } = this.#source;
    const log = this.#info;
    const gauges = this.#source.gauges();
    const system = this.#source.system.figures(monotonicMs());
    const sum = (...names: string[]): string => names.map(name => counters.sumOf(name)).join(',');
    const opened = counters.sum(CLIENT_CONNECTIONS_OPENED);
    const closed = counters.sum(CLIENT_CONNECTIONS_CLOSED);
    log.info(`NODE-ID ${partitions.nodeId} CLUSTER-SIZE ${cluster.successionList.length}`);
    log.info(
      `   system: total-cpu-pct ${system.totalCpuPct} user-cpu-pct ${system.userCpuPct} ` +
        `kernel-cpu-pct ${system.kernelCpuPct} free-mem-kbytes ${system.freeMemoryKbytes} ` +
        `free-mem-pct ${system.freeMemoryPct} thp-mem-kbytes ${system.hugePagesKbytes}`,
    );
    const heap = [system.heapAllocatedKbytes, system.heapActiveKbytes, system.heapMappedKbytes].join(',');
    log.info(
      `   process: cpu-pct ${system.processCpuPct} threads ${system.threadCount} heap-kbytes (${heap}) ` +
        `rss-kbytes ${Math.round(residentBytes() / 1024)}`,
    );
    log.info(
      `   in-progress: info-q ${gauges.infoQueue} rw-hash ${gauges.readWritesInProgress} proxy-hash 0 ` +
        `tree-gc-q 0 batch ${gauges.batchesInProgress}`,
    );
    log.info(`   fds: client (${gauges.clientConnections},${opened},${closed})`);
    log.info(
      `   early-fail: demarshal ${sum('demarshal_error')} tsvc-client ${sum('early_tsvc_client_error')}`,
    );
    log.info(
      `   batch-index: batches (${sum('batch_index_initiate', 'batch_index_complete', 'batch_index_error', 'batch_index_timeout')}) ` +
        `delays ${sum('batch_index_delay')}`,
    );
  }

  #namespace(namespace: NamespaceSource): void {
    const log = this.#info;
    const name = `{${namespace.name}}`;
    const figures = namespace.figures();
    const { objects, tombstones } = figures;
    log.info(`${name} objects: all ${objects} master ${objects} prole 0 non-replica 0`);
    if (tombstones > 0) {
      log.info(`${name} tombstones: all ${tombstones} xdr 0 master ${tombstones} prole 0 non-replica 0`);
    }
    this.#nsup(namespace);
    log.info(`${name} migrations: complete`);
    log.info(`${name} index-usage: used-bytes ${figures.indexUsedBytes}`);
    const cache = figures.devices.some(({ kind }) => kind !== 'stripe');
    log.info(
      `${name} data-usage: used-bytes ${figures.dataUsedBytes} ` +
        `used-pct ${percentOf(figures.dataUsedBytes, figures.dataTotalBytes)} ` +
        `avail-pct ${percentOf(figures.dataAvailableBytes, figures.dataTotalBytes)}` +
        (cache ? ` cache-read-pct ${figures.cacheReadPct.toFixed(2)}` : '') +
        (figures.isStoppingWrites ? ' STOP-WRITES' : ''),
    );
    if (cache && figures.clientWrittenBytes > 0) {
      log.info(
        `${name} device-writes: client-bytes ${figures.clientWrittenBytes} device-bytes ${figures.deviceWrittenBytes} ` +
          `write-amplification ${(figures.deviceWrittenBytes / figures.clientWrittenBytes).toFixed(2)}`,
      );
    }
    for (const [label, prefix, groups] of COUNTER_LINES) {
      const counts = groups.map(([group, names]) => ({
        group,
        values: names.map(result => namespace.counters.sumOf(`${prefix}_${group}_${result}`)),
      }));
      if (counts.every(({ values }) => values.every(value => value === 0))) continue;
      log.info(
        `${name} ${label} ${counts.map(({ group, values }) => `${group} (${values.join(',')})`).join(' ')}`,
      );
    }
    const keyBusy = namespace.counters.sumOf('fail_key_busy');
    const tooBig = namespace.counters.sumOf('fail_record_too_big');
    if (keyBusy + tooBig > 0)
      log.info(`${name} special-errors: key-busy ${keyBusy} record-too-big ${tooBig}`);
  }

  /** What has gone before its time, or in it; nothing of a namespace that loses no records. */
  #nsup(namespace: NamespaceSource): void {
    const expired = namespace.counters.sumOf('expired_objects');
    const evicted = namespace.counters.sumOf('evicted_objects');
    const { isBreached, ttlSec, voidTimeSec } = this.#source.evictions.state(namespace.name);
    if (expired + evicted === 0 && !isBreached) return;
    this.#info.info(
      `{${namespace.name}} nsup: expired ${expired} evicted ${evicted} evict-ttl ${ttlSec} ` +
        `evict-void-time ${voidTimeSec}${isBreached ? ' HWM-BREACHED' : ''}`,
    );
  }

  #devicesOf(namespace: NamespaceSource, nowMs: number): void {
    for (const device of namespace.figures().devices) {
      if (device.kind !== 'stripe') this.#devices.info(this.#deviceLine(namespace.name, device, nowMs));
    }
  }

  #deviceLine(namespace: string, device: DeviceFigures, nowMs: number): string {
    const rated = (what: string, count: number): string => {
      const key = `${namespace} ${device.name} ${what}`;
      const perSec = ((count - (this.#before.get(key) ?? 0)) * 1000) / Math.max(1, nowMs - this.#beforeMs);
      this.#before.set(key, count);
      return `${what} (${count},${perSec.toFixed(1)})`;
    };
    const errors = device.readErrors + device.writeErrors;
    return (
      `{${namespace}} ${device.name}: used-bytes ${device.usedBytes} free-wblocks ${device.freeWriteBlocks} ` +
      `write-q ${device.writeQueue} ${rated('write', device.writes)} ` +
      `defrag-q ${device.defragQueue} ${rated('defrag-read', device.defragReads)} ` +
      `${rated('defrag-write', device.defragWrites)}` +
      (errors > 0 ? ` read-errors ${device.readErrors} write-errors ${device.writeErrors}` : '')
    );
  }

  #histograms(): void {
    for (const histogram of this.#source.latencies.active()) {
      this.#info.info(`histogram dump: ${histogram.name} (${histogram.total()} total) ${histogram.unit}`);
      const buckets = histogram.dumpBuckets().map((count, bucket) => [bucket, count] as const);
      const filled = buckets.slice(buckets.findIndex(([, count]) => count > 0));
      for (let at = 0; at < filled.length; at += BUCKETS_A_LINE) {
        const line = filled
          .slice(at, at + BUCKETS_A_LINE)
          .map(
            ([bucket, count]) =>
              ` (${String(bucket).padStart(2, '0')}: ${String(count).padStart(DIGITS, '0')})`,
          );
        this.#info.info(line.join(''));
      }
    }
  }
}
