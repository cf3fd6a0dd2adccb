/**
 * Settings of the `service` context: this process, its threads and its limits.
 */
import { availableParallelism } from 'node:os';
import type { SettingRow } from './schema.js';
import {
  accepting,
  boolean,
  choice,
  I32_MAX,
  integer,
  milliseconds,
  orZero,
  seconds,
  text,
  U32_MAX,
  unlisted,
} from './schema.js';

const CORE_COUNT = availableParallelism();
/** One core is left to the main thread, which owns the sockets. */
const WORKER_COUNT = Math.max(1, CORE_COUNT - 1);

const WORKERS = 'worker threads; the default leaves one core to the main thread';
const BEST_PRACTICES = 'stops the start where the operating system is not set up as recommended';
const SOCKET_ENGINE = "Caltrop's own: auto is native where its addon was built, else node:net";
const MIN_CLUSTER = 'a cluster of fewer nodes serves nothing';

export const SERVICE_SETTINGS: readonly SettingRow[] = [
  boolean('advertise-ipv6', false, 'dynamic known', 'tells IPv6 addresses to clients and peers'),
  choice('auto-pin', ['none', 'cpu', 'numa', 'adq'], 'static honoured', 'binds workers to cores'),
  integer(
    'batch-index-threads',
    CORE_COUNT,
    [0, 256],
    'dynamic honoured',
    '0 turns batch commands off (150)',
  ),
  integer(
    'batch-max-buffers-per-queue',
    255,
    [0, U32_MAX],
    'dynamic known',
    'response buffers a batch thread',
  ),
  integer('batch-max-requests', 0, [0, U32_MAX], 'dynamic honoured', 'rows of a batch; 0 is no limit (151)'),
  integer('batch-max-unused-buffers', 256, [0, U32_MAX], 'dynamic known', 'response buffers kept for reuse'),
  boolean('cgroup-mem-tracking', false, 'dynamic known', "reads memory limits from the process's cgroup"),
  text('cluster-name', '', 'dynamic honoured', 'clients may demand it; nodes join only their own cluster'),
  boolean('debug-allocations', false, 'static known', 'checks of a heap that this server does not have'),
  boolean('disable-udf-execution', false, 'static known', 'refuses every call of a user-defined function'),
  boolean('enable-benchmarks-fabric', false, 'dynamic known', 'histograms of fabric messages'),
  boolean('enable-health-check', false, 'dynamic known', 'watches for outliers among nodes and devices'),
  boolean('enable-hist-info', false, 'dynamic known', 'a histogram of info commands'),
  boolean('enforce-best-practices', false, 'static known', BEST_PRACTICES),
  unlisted(text('feature-key-file', '', 'static known', 'every feature is free here')),
  unlisted(text('group', '', 'static known', 'the service manager sets the group: systemd Group=')),
  boolean('indent-allocations', false, 'static known', 'checks of a heap that this server does not have'),
  milliseconds('info-max-ms', 10_000, [500, 10_000], 'dynamic known', 'longest wait of an info command'),
  integer('info-threads', 16, [1, 256], 'dynamic known', 'info commands run on the main thread here'),
  boolean('keep-caps-ssd-health', false, 'static known', 'keeps the right to ask SSDs for their age'),
  boolean('log-local-time', false, 'static known', 'local time instead of GMT in log lines'),
  boolean('log-millis', false, 'static known', 'milliseconds in log lines'),
  boolean('microsecond-histograms', false, 'static honoured', 'latency histograms in microseconds'),
  seconds('migrate-fill-delay', 0, [0, U32_MAX], 'dynamic known', 'wait before migrations that only fill'),
  integer('migrate-max-num-incoming', 4, [0, 256], 'dynamic known', 'partitions received at a time'),
  integer('migrate-threads', 1, [0, 100], 'dynamic known', 'threads that send partitions'),
  accepting(integer('min-cluster-size', 1, [0, 256], 'dynamic refused', MIN_CLUSTER), 0, 1),
  text('node-id', '', 'static honoured', '1 to 16 hex digits; generated once and kept when unset'),
  text('node-id-interface', '', 'static known', 'network interface whose address names the node'),
  boolean('os-group-perms', false, 'static known', 'files are readable by the group'),
  text('pidfile', '', 'static known', 'the service manager knows the process here'),
  boolean('poison-allocations', false, 'static known', 'checks of a heap that this server does not have'),
  milliseconds(
    'proto-fd-idle-ms',
    0,
    [0, I32_MAX],
    'dynamic honoured',
    'idle clients are closed; 0 is never',
  ),
  integer('proto-fd-max', 15_000, [1024, I32_MAX], 'dynamic honoured', 'client connections'),
  integer('quarantine-allocations', 0, [0, 100_000_000], 'static known', 'checks of a heap not present here'),
  integer('query-max-done', 100, [0, 10_000], 'dynamic honoured', 'finished jobs kept for query-show'),
  integer('query-threads-limit', 128, [1, 1024], 'dynamic honoured', 'background jobs at once'),
  boolean('run-as-daemon', true, 'static known', 'the service manager decides'),
  text('secrets-address-port', '', 'static known', 'secret agent'),
  text('secrets-tls-context', '', 'static known', 'secret agent'),
  text('secrets-uds-path', '', 'static known', 'secret agent'),
  integer('service-threads', WORKER_COUNT, [1, 4096], 'static honoured', WORKERS),
  integer('sindex-builder-threads', 4, [1, 32], 'dynamic known', 'threads that build secondary indexes'),
  seconds('sindex-gc-period', 10, [0, U32_MAX], 'dynamic known', 'between sweeps of dead index entries'),
  boolean('stay-quiesced', false, 'static known', 'starts as a node that owns nothing'),
  seconds('ticker-interval', 10, [0, U32_MAX], 'dynamic honoured', 'between statistics lines in the log'),
  seconds('tls-refresh-period', 0, [0, U32_MAX], 'dynamic known', 'between looks for renewed certificates'),
  milliseconds(
    'transaction-max-ms',
    1000,
    [0, U32_MAX],
    'dynamic honoured',
    "a command's time when it has none",
  ),
  milliseconds(
    'transaction-retry-ms',
    1002,
    [0, U32_MAX],
    'dynamic known',
    'before a replica write is repeated',
  ),
  unlisted(text('user', '', 'static known', 'the service manager sets the user: systemd User=')),
  text('vault-ca', '', 'static known', 'secrets from a vault'),
  text('vault-namespace', '', 'static known', 'secrets from a vault'),
  text('vault-path', '', 'static known', 'secrets from a vault'),
  text('vault-token-file', '', 'dynamic known', 'secrets from a vault'),
  text('vault-url', '', 'static known', 'secrets from a vault'),
  text('work-directory', './data', 'static honoured', 'node id and cluster metadata live here'),
  text('http-address', '127.0.0.1', 'static honoured', "Caltrop's own: address of the HTTP port"),
  orZero(
    integer('http-port', 0, [1, 65_535], 'static honoured', "Caltrop's own: health and metrics; 0 is off"),
  ),
  choice('socket-engine', ['auto', 'native', 'node'], 'static honoured', SOCKET_ENGINE),
];

/** Settings of the `mod-lua` context. */
export const LUA_SETTINGS: readonly SettingRow[] = [
  boolean('cache-enabled', true, 'static known', 'keeps compiled modules'),
  boolean('allow-unsafe-lua', true, 'static known', 'lets modules reach the operating system'),
  text('user-path', '', 'static known', 'directory of the modules'),
];
