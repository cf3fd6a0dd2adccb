/**
 * The storage that crash runs are made on: what differs from run to run is the lines of a configuration and what the
 * server promises with them.
 */
export interface CrashConfiguration {
  readonly name: string;
  /** `device` when left out; `memory` that is backed by the file. */
  readonly engine?: 'memory' | 'device';
  /** Lines of the namespace context. */
  readonly lines?: readonly string[];
  /** Its records may be evicted, so that they are given ttls. */
  readonly evicts?: boolean;
  /** Lines of the storage-engine context, beside file, filesize and flush-max-ms. */
  readonly storage?: readonly string[];
  readonly filesize?: string;
  readonly lanes?: number;
  /** Of 6 KiB on average. */
  readonly keysPerLane?: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** What the server is told instead of what is promised. */
  readonly flushMaxMs?: number;
  /** Every write is durable when it is answered. */
  readonly commits?: boolean;
  /** Now and then a start finds the wall clock an hour behind. */
  readonly stepsClock?: boolean;
}

/** Truncations of these sets go by their indexes, which have to know every record. */
const INDEXED = ['0', '1', '2', '3'].map(lane => `set lane${lane} {\nenable-index true\n}`);

export const CONFIGURATIONS: readonly CrashConfiguration[] = [
  { name: 'roomy', filesize: '1G' },
  // Two shards of 15 write blocks, which the records fill by half: defrag never rests.
  {
    name: 'small',
    filesize: '64M',
    keysPerLane: 500,
    lines: INDEXED,
    storage: ['post-write-cache 8M', 'defrag-sleep 0', 'stop-writes-used-pct 90'],
  },
  { name: 'compressed', filesize: '64M', storage: ['compression zstd', 'post-write-cache 8M'] },
  {
    name: 'encrypted, uncached',
    filesize: '64M',
    storage: [
      'encryption aes-256',
      'encryption-key-file DIRECTORY/caltrop.conf',
      'compression lz4',
      'post-write-cache 0',
    ],
  },
  { name: 'commit', filesize: '64M', commits: true, storage: ['commit-to-device true'] },
  // The clock of some lives is an hour behind: what has expired stays so, and no LUT goes back.
  { name: 'clock', filesize: '128M', stepsClock: true },
  // Always too full, and with one lane's set spared: whatever has a ttl may go.
  {
    name: 'evicting',
    filesize: '64M',
    evicts: true,
    keysPerLane: 120,
    lines: ['evict-tenths-pct 100', 'set lane0 {\ndisable-eviction true\n}'],
    storage: ['evict-used-pct 2', 'post-write-cache 8M', 'defrag-sleep 0'],
  },
  {
    name: 'evicting memory',
    engine: 'memory',
    filesize: '64M',
    evicts: true,
    keysPerLane: 120,
    lines: ['evict-tenths-pct 100', ...INDEXED],
    storage: ['evict-used-pct 2'],
  },
  // Without io_uring, which the others use where there is one.
  { name: 'node-io', filesize: '256M', environment: { CALTROP_IO: 'node' } },
  {
    name: 'encrypted',
    filesize: '64M',
    storage: ['post-write-cache 8M', 'compression lz4', 'encryption-key-file DIRECTORY/caltrop.conf'],
  },
  { name: 'memory on a file', engine: 'memory', filesize: '64M' },
  { name: 'uncached', filesize: '256M', storage: ['post-write-cache 0', 'direct-files true'] },
];

export function configurationOf(name: string): CrashConfiguration {
  const found = CONFIGURATIONS.find(configuration => configuration.name === name);
  if (found) return found;
  throw new Error(`no configuration ${name}; there are ${CONFIGURATIONS.map(({ name }) => name).join(', ')}`);
}
