/**
 * Names that older versions of the reference had. A file that still has one is wrong for 8.1, and says so
 * with what to write instead. Keys are the context's schema name and the setting.
 */
const REMOVED: Readonly<Record<string, string>> = {
  'namespace.memory-size': 'is no more; write data-size in storage-engine memory, or indexes-memory-budget',
  'namespace.high-water-memory-pct': 'is no more; write evict-used-pct in storage-engine',
  'namespace.high-water-disk-pct': 'is no more; write evict-used-pct in storage-engine',
  'namespace.stop-writes-pct': 'is no more; write stop-writes-used-pct in storage-engine',
  'namespace.single-bin': 'is no more; every record has named bins',
  'namespace.data-in-index': 'is no more; remove the line',
  'namespace.max-ttl': 'is no more; the longest ttl is ten years',
  'namespace.cold-start-evict-ttl': 'is no more; remove the line',
  'namespace.background-scan-max-rps': 'has another name; write background-query-max-rps',
  'namespace.single-scan-threads': 'has another name; write single-query-threads',
  'storage.write-block-size': 'is no more; write flush-size, and max-record-size in the namespace',
  'storage.max-used-pct': 'has another name; write stop-writes-used-pct',
  'storage.min-avail-pct': 'has another name; write stop-writes-avail-pct',
  'storage.post-write-queue': 'is no more; write post-write-cache, in bytes',
  'storage.data-in-memory': 'is no more; take storage-engine memory',
  'storage.disable-odirect': 'is no more; direct-files says the opposite',
  'service.paxos-single-replica-limit': 'is no more; remove the line',
  'service.scan-threads-limit': 'has another name; write query-threads-limit',
  'service.scan-max-done': 'has another name; write query-max-done',
  'service.transaction-queues': 'is no more; write service-threads',
  'service.transaction-threads-per-queue': 'is no more; write service-threads',
  'service.nsup-delete-sleep': 'is no more; remove the line',
  'network.service.reuse-address': 'is no more; remove the line',
};

/** What became of a setting that is no more, or undefined when there never was such a one. */
export function whatBecameOf(context: string, name: string): string | undefined {
  return REMOVED[`${context.replace(/^storage\..*/, 'storage')}.${name}`];
}
