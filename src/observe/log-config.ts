/**
 * The words of the log's configuration: levels, contexts, sinks. They are the reference's, since
 * configuration files and tools name them.
 */

/** Verbosity as pino numbers it: a logger writes its own level and everything above. */
export const LOG_LEVELS = { critical: 60, warning: 40, info: 30, debug: 20, detail: 10 } as const;
export type LogLevel = keyof typeof LOG_LEVELS;

/** Every context, in the order of the reference's answer to `log/<id>`. */
export const LOG_CONTEXTS = [
  ...[
    'misc',
    'alloc',
    'arenax',
    'hardware',
    'msg',
    'os',
    'secrets',
    'socket',
    'tls',
    'vault',
    'vmapx',
    'xmem',
  ],
  ...['aggr', 'appeal', 'as', 'audit', 'batch', 'batch-sub', 'bin', 'config', 'clustering', 'deprecation'],
  ...['drv-mem', 'drv_pmem', 'drv_ssd', 'exchange', 'exp', 'fabric', 'flat', 'geo', 'hb', 'health', 'hlc'],
  ...[
    'index',
    'info',
    'info-command',
    'key-busy',
    'migrate',
    'mrt-audit',
    'mrt-monitor',
    'namespace',
    'nsup',
  ],
  ...[
    'particle',
    'partition',
    'proto',
    'proxy',
    'proxy-divert',
    'query',
    'record',
    'roster',
    'rw',
    'rw-client',
  ],
  ...['security', 'service', 'service-list', 'sindex', 'skew', 'smd', 'storage', 'truncate', 'tsvc', 'udf'],
  ...['xdr', 'xdr-client', 'masking'],
] as const;
export type LogContextName = (typeof LOG_CONTEXTS)[number];

/**
 * Where lines go, and how much: `levels` maps a context to a level, and `any` to the level of all
 * contexts not named. What neither names is at `critical`, as in the reference.
 */
export interface LogSinkConfig {
  readonly kind: 'console' | 'file' | 'syslog';
  /** Of the file, or of syslog's socket. */
  readonly path?: string;
  /** Of syslog lines: a name of SYSLOG_FACILITIES; `local0` when absent. */
  readonly facility?: string;
  /** Of syslog lines: the program's name; `caltrop` when absent. */
  readonly tag?: string;
  readonly levels: ReadonlyMap<string, string>;
}

/** The facility's number is its index. Source: RFC 5424, table 1, under the names of syslog.conf. */
export const SYSLOG_FACILITIES = [
  ...['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron', 'authpriv', 'ftp'],
  ...['ntp', 'security', 'console', 'solaris-cron'],
  ...['local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
];

/** A logging setting that cannot work: names the sink and the cure. */
export class LogError extends Error {
  override readonly name = 'LogError';
}
