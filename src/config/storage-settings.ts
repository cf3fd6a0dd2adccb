/**
 * Settings of a `storage-engine` context, for both engines: most are shared, some belong to one.
 */
import type { SettingRow } from './schema.js';
import {
  boolean,
  choice,
  EXACT_MAX,
  integer,
  KIB,
  list,
  MIB,
  milliseconds,
  orZero,
  size,
  TIB,
  text,
  U32_MAX,
  unlisted,
} from './schema.js';

export const STORAGE_ENGINES = ['memory', 'device'] as const;
export type StorageEngine = (typeof STORAGE_ENGINES)[number];

/** Smaller than the reference's 128M and 512M, so that a small machine or a test is not turned away. */
const STORAGE_SIZE_MIN = 16 * MIB;
const FILE_SIZE_MAX = 2 * TIB;
const DATA_SIZE_MAX = 256 * TIB;

const COMMIT = 'a write is acknowledged only when it is on the device';
const COMMIT_MIN = 'least bytes of such a write';
const CIPHERS = ['none', 'aes-128', 'aes-256'] as const;
const ENCRYPTED = 'of all that lies on the devices; aes-128 when only a key file is named';
const KEY_FILE = 'random bytes that the devices are encrypted with';
const OLD_KEY_FILE = 'the key file before this one, for one start';
const COMPRESSION = 'of single records; what was written stays readable whatever it says';
const ODSYNC = 'leaves out the flush of each write; ours flushes when a block does';
const FLUSH = 'bytes of one device write';

type Row = readonly [engines: 'both' | StorageEngine, row: SettingRow];

const ROWS: readonly Row[] = [
  [
    'both',
    list(
      'file',
      'paths',
      [],
      'static honoured',
      'data files, one a line, with its shadow or without; created when missing',
    ),
  ],
  [
    'both',
    list(
      'device',
      'paths',
      [],
      'static honoured',
      'raw block devices, one a line, with its shadow or without; used whole',
    ),
  ],
  [
    'device',
    boolean('cache-replica-writes', false, 'dynamic known', 'keeps replica writes in the cache too'),
  ],
  ['device', boolean('cold-start-empty', false, 'static honoured', 'a start forgets what is on the device')],
  ['both', unlisted(orZero(size('commit-min-size', 0, [512, 8 * MIB], 'static honoured', COMMIT_MIN)))],
  ['both', boolean('commit-to-device', false, 'static honoured', COMMIT)],
  ['both', choice('compression', ['none', 'lz4', 'snappy', 'zstd'], 'dynamic honoured', COMPRESSION)],
  [
    'both',
    orZero(
      integer(
        'compression-acceleration',
        0,
        [1, 65_537],
        'dynamic known',
        'of lz4, which has one speed here',
      ),
    ),
  ],
  ['both', orZero(integer('compression-level', 0, [1, 9], 'dynamic honoured', 'of zstd; 0 is 3'))],
  [
    'memory',
    orZero(size('data-size', 0, [STORAGE_SIZE_MIN, DATA_SIZE_MAX], 'static honoured', 'memory for records')),
  ],
  ['both', integer('defrag-lwm-pct', 50, [1, 99], 'dynamic honoured', 'blocks filled less are emptied')],
  [
    'both',
    integer('defrag-queue-min', 0, [0, U32_MAX], 'dynamic honoured', 'blocks that wait before defrag begins'),
  ],
  [
    'both',
    integer('defrag-sleep', 1000, [0, U32_MAX], 'dynamic honoured', 'microseconds between emptied blocks'),
  ],
  [
    'both',
    integer('defrag-startup-minimum', 0, [0, 99], 'static honoured', 'free percentage needed at a start'),
  ],
  ['both', boolean('direct-files', false, 'static honoured', "files bypass the operating system's cache")],
  ['both', boolean('disable-odsync', false, 'static known', ODSYNC)],
  [
    'both',
    boolean('enable-benchmarks-storage', false, 'dynamic honoured', 'histograms of device reads and writes'),
  ],
  ['both', unlisted(choice('encryption', CIPHERS, 'static honoured', ENCRYPTED))],
  ['both', text('encryption-key-file', '', 'static honoured', KEY_FILE)],
  ['both', text('encryption-old-key-file', '', 'static honoured', OLD_KEY_FILE)],
  ['both', unlisted(text('old-encryption-key-file', '', 'static honoured', OLD_KEY_FILE))],
  ['both', integer('evict-used-pct', 0, [0, 100], 'dynamic honoured', 'evicts above this use of the space')],
  [
    'both',
    orZero(size('filesize', 0, [STORAGE_SIZE_MIN, FILE_SIZE_MAX], 'static honoured', 'bytes of each file')),
  ],
  [
    'both',
    milliseconds(
      'flush-max-ms',
      1000,
      [0, 1000],
      'dynamic honoured',
      'a partly filled block waits this long',
    ),
  ],
  ['device', size('flush-size', MIB, [4 * KIB, 8 * MIB], 'dynamic honoured', FLUSH)],
  ['memory', unlisted(size('flush-size', MIB, [4 * KIB, 8 * MIB], 'dynamic honoured', FLUSH))],
  [
    'both',
    size('max-write-cache', 64 * MIB, [64 * MIB, EXACT_MAX], 'dynamic honoured', 'unflushed bytes (18)'),
  ],
  [
    'device',
    size('post-write-cache', 256 * MIB, [0, EXACT_MAX], 'dynamic honoured', 'latest blocks kept in memory'),
  ],
  ['device', boolean('read-page-cache', false, 'static honoured', "uses the operating system's cache")],
  ['device', boolean('serialize-tomb-raider', false, 'static known', 'one namespace at a time')],
  ['device', boolean('sindex-startup-device-scan', false, 'static known', 'builds indexes from the device')],
  [
    'both',
    integer('stop-writes-avail-pct', 5, [0, 100], 'dynamic honoured', 'writes stop below this free share'),
  ],
  [
    'both',
    integer('stop-writes-used-pct', 70, [0, 100], 'dynamic honoured', 'writes stop above this used share'),
  ],
  [
    'both',
    integer('tomb-raider-sleep', 1000, [0, U32_MAX], 'dynamic honoured', 'microseconds between reads of it'),
  ],
];

/** What has something to do for memory only when it is backed by files; it is accepted without them, as in the reference. */
export const OF_FILES: readonly string[] = [
  'defrag-lwm-pct',
  'defrag-queue-min',
  'defrag-sleep',
  'defrag-startup-minimum',
  'direct-files',
  'enable-benchmarks-storage',
  'filesize',
  'flush-max-ms',
  'flush-size',
  'max-write-cache',
  'stop-writes-avail-pct',
];

export const MEMORY_STORAGE_SETTINGS = rowsOf('memory');
export const DEVICE_STORAGE_SETTINGS = rowsOf('device');

function rowsOf(engine: StorageEngine): readonly SettingRow[] {
  return ROWS.filter(([engines]) => engines === 'both' || engines === engine).map(([, row]) => row);
}
