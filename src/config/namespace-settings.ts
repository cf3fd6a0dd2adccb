/**
 * Settings of a `namespace` context and of the `geo2dsphere-within` context inside it.
 */
import type { SettingRow } from './schema.js';
import {
  boolean,
  choice,
  EXACT_MAX,
  GIB,
  integer,
  MIB,
  milliseconds,
  seconds,
  size,
  U32_MAX,
  unlisted,
} from './schema.js';

/** Ten years, the longest time to live. Source: protocol 01, section 5. */
const TTL_MAX_SEC = 315_360_000;

const NO_NSUP = 'takes ttls although nothing removes expired records (22 otherwise)';
const DISALLOW_EXPUNGE = 'refuses deletes that are not durable (22)';
const STRONG = 'no acknowledged write is lost and no stale record read';
const PENDING = 'commands that wait for one record (14); 0 is no limit';
const COMMIT_LEVEL = 'replicas to wait for, whatever the client says';
const READ_LEVEL = 'replicas to ask, whatever the client says';

export const NAMESPACE_SETTINGS: readonly SettingRow[] = [
  integer('active-rack', 0, [0, 1_000_000], 'dynamic known', 'rack that masters all partitions'),
  boolean('allow-ttl-without-nsup', false, 'dynamic honoured', NO_NSUP),
  boolean('apply-ttl-reductions', true, 'dynamic honoured', 'a write may shorten the life of a record'),
  boolean('auto-revive', false, 'static known', 'dead partitions come back by themselves'),
  integer(
    'background-query-max-rps',
    10_000,
    [1, 1_000_000],
    'dynamic honoured',
    'records a second of one job',
  ),
  choice(
    'conflict-resolution-policy',
    ['generation', 'last-update-time'],
    'dynamic known',
    'which copy wins',
  ),
  boolean('conflict-resolve-writes', false, 'dynamic known', 'per bin, between data centers'),
  integer(
    'default-read-touch-ttl-pct',
    0,
    [0, 100],
    'dynamic honoured',
    'reads in the last part renew the ttl',
  ),
  seconds('default-ttl', 0, [0, TTL_MAX_SEC], 'dynamic honoured', 'of writes that bring none; 0 is for ever'),
  boolean('disable-cold-start-eviction', false, 'static known', 'a start evicts nothing'),
  boolean('disable-mrt-writes', false, 'dynamic known', 'refuses writes inside multi-record transactions'),
  boolean('disable-write-dup-res', false, 'dynamic known', 'writes ignore older copies on other nodes'),
  boolean('disallow-expunge', false, 'dynamic honoured', DISALLOW_EXPUNGE),
  boolean('disallow-null-setname', false, 'dynamic honoured', 'refuses new records without a set (4)'),
  boolean('enable-benchmarks-batch-sub', false, 'dynamic honoured', 'histograms of the steps of batch rows'),
  boolean('enable-benchmarks-ops-sub', false, 'dynamic known', 'histograms of the steps of background ops'),
  boolean('enable-benchmarks-read', false, 'dynamic honoured', 'histograms of the steps of reads'),
  boolean('enable-benchmarks-udf', false, 'dynamic known', 'histograms of the steps of functions'),
  boolean(
    'enable-benchmarks-udf-sub',
    false,
    'dynamic known',
    'histograms of the steps of background functions',
  ),
  boolean('enable-benchmarks-write', false, 'dynamic honoured', 'histograms of the steps of writes'),
  boolean('enable-hist-proxy', false, 'dynamic known', 'a histogram of proxied commands'),
  integer(
    'evict-hist-buckets',
    10_000,
    [100, 10_000_000],
    'dynamic honoured',
    'steps of the eviction histogram',
  ),
  integer(
    'evict-indexes-memory-pct',
    0,
    [0, 100],
    'dynamic honoured',
    'evicts above this share of the budget',
  ),
  // The reference had it from 7.0 to 7.1.
  unlisted(
    integer('evict-sys-memory-pct', 0, [0, 100], 'dynamic honoured', 'evicts above this use of memory'),
  ),
  integer('evict-tenths-pct', 5, [0, U32_MAX], 'dynamic honoured', 'tenths of a percent evicted in a cycle'),
  boolean('force-long-queries', false, 'dynamic known', 'runs short queries as long ones'),
  boolean('ignore-migrate-fill-delay', false, 'dynamic known', 'fills at once'),
  size('index-stage-size', GIB, [128 * MIB, 16 * GIB], 'static known', 'unit in which the index grows'),
  size(
    'indexes-memory-budget',
    0,
    [0, EXACT_MAX],
    'dynamic honoured',
    'memory of all indexes; 0 is no limit (8)',
  ),
  boolean('inline-short-queries', false, 'dynamic known', 'runs short queries where the command arrived'),
  size('max-record-size', MIB, [64, 8 * MIB], 'dynamic honoured', 'largest record (13)'),
  integer('migrate-order', 5, [1, 10], 'dynamic known', 'lower namespaces migrate first'),
  milliseconds(
    'migrate-retransmit-ms',
    5000,
    [0, U32_MAX],
    'dynamic known',
    'before a migration step is repeated',
  ),
  boolean('migrate-skip-unreadable', false, 'dynamic known', 'a migration passes over unreadable records'),
  integer('migrate-sleep', 1, [0, U32_MAX], 'dynamic known', 'microseconds between migrated records'),
  // 0 here, as the reference prints without strong consistency; with it the default is 10 of 1 to 120.
  seconds('mrt-duration', 0, [0, 120], 'dynamic known', 'life of a multi-record transaction'),
  seconds(
    'nsup-hist-period',
    3600,
    [0, U32_MAX],
    'dynamic honoured',
    'between object-size and ttl histograms',
  ),
  seconds(
    'nsup-period',
    0,
    [0, U32_MAX],
    'dynamic honoured',
    'between removals of expired records; 0 is never',
  ),
  integer('nsup-threads', 1, [1, 128], 'dynamic known', 'the workers remove expired records'),
  integer('partition-tree-sprigs', 256, [256, 268_435_456], 'static known', 'trees of a partition'),
  boolean('prefer-uniform-balance', false, 'dynamic known', 'evens out the masters of the nodes'),
  integer('rack-id', 0, [0, 1_000_000], 'dynamic known', 'rack of this node'),
  choice('read-consistency-level-override', ['off', 'all', 'one'], 'dynamic honoured', READ_LEVEL),
  boolean('reject-non-xdr-writes', false, 'dynamic honoured', 'refuses writes of clients (22)'),
  boolean('reject-xdr-writes', false, 'dynamic honoured', 'refuses writes of other data centers (22)'),
  integer('replication-factor', 2, [1, 256], 'static honoured', 'copies of a record; one node holds one'),
  size(
    'sindex-stage-size',
    GIB,
    [128 * MIB, 4 * GIB],
    'static known',
    'unit in which secondary indexes grow',
  ),
  integer('single-query-threads', 4, [1, 128], 'dynamic known', 'threads of one query'),
  integer(
    'stop-writes-sys-memory-pct',
    90,
    [0, 100],
    'dynamic honoured',
    'writes stop at this use of memory',
  ),
  boolean('strong-consistency', false, 'static refused', STRONG),
  boolean('strong-consistency-allow-expunge', false, 'dynamic known', 'weakens strong consistency'),
  seconds(
    'tomb-raider-eligible-age',
    86_400,
    [0, U32_MAX],
    'dynamic honoured',
    'life of a tombstone at least',
  ),
  seconds('tomb-raider-period', 86_400, [0, U32_MAX], 'dynamic honoured', 'between removals of tombstones'),
  integer('tomb-raider-unmark-threads', 0, [0, 128], 'dynamic known', 'threads that remove tombstones'),
  integer('transaction-pending-limit', 20, [0, U32_MAX], 'dynamic honoured', PENDING),
  integer('truncate-threads', 4, [1, 128], 'dynamic known', 'the workers remove what was truncated'),
  choice('write-commit-level-override', ['off', 'all', 'master'], 'dynamic honoured', COMMIT_LEVEL),
  seconds('xdr-bin-tombstone-ttl', 86_400, [0, TTL_MAX_SEC], 'dynamic known', 'life of a deleted bin'),
  seconds('xdr-tomb-raider-period', 120, [0, U32_MAX], 'dynamic known', 'between removals of XDR tombstones'),
  integer('xdr-tomb-raider-threads', 1, [1, 128], 'dynamic known', 'threads that remove XDR tombstones'),
];

/** `geo2dsphere-within`: how a region is covered by cells when a query asks what lies in it. */
export const GEO_SETTINGS: readonly SettingRow[] = [
  boolean('strict', true, 'static known', 'compares points with the region itself, not only its cells'),
  integer('min-level', 1, [0, 30], 'dynamic known', 'largest cells'),
  integer('max-level', 20, [0, 30], 'dynamic known', 'smallest cells'),
  integer('max-cells', 12, [1, 256], 'dynamic known', 'cells of a cover'),
  integer('level-mod', 1, [1, 3], 'static known', 'levels between cell sizes'),
  integer('earth-radius-meters', 6_371_000, [0, U32_MAX], 'static known', 'for circles given in meters'),
];

/** `index-type` and `sindex-type`: the indexes live in memory, so there is nothing to set yet. */
export const INDEX_SETTINGS: readonly SettingRow[] = [
  integer('evict-mounts-pct', 0, [0, 100], 'dynamic known', 'evicts above this share of the mounts'),
  size('mounts-budget', 0, [0, EXACT_MAX], 'dynamic known', 'space of the mounts'),
];
