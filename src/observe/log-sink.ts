/**
 * Log sinks: where finished lines go. Console (stderr) and file sinks write at once, in the calling
 * thread: a line that was logged is with the kernel before the next statement runs. A sink that fails
 * later (full disk, closed pipe) never stops the server: its lines wait, up to a bound, and are then
 * dropped.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import sonicBoom from 'sonic-boom';
import { LogError, type LogLevel, type LogSinkConfig, SYSLOG_FACILITIES } from './log-config.js';

export interface LogSink {
  /** As `logs` lists it: `stderr`, `syslog` or the file's path. */
  readonly name: string;
  /** @param line Ends in a newline. */
  write(line: string, level: LogLevel): void;
  /** @returns Why it failed, or undefined. The old file stays in use then. */
  reopen(): string | undefined;
  close(): void;
}

const STDERR = 2;
const WAITING_SIZE_MAX = 1 << 20; // bytes of lines kept for a sink that fails to take them

/** Syslog's severities. Source: RFC 5424, table 2. */
const SEVERITY: Record<LogLevel, number> = { critical: 2, warning: 4, info: 6, debug: 7, detail: 7 };

/** @throws LogError when the sink cannot be opened. */
export function openSink(config: LogSinkConfig): LogSink {
  if (config.kind === 'console') return writeAtOnce('stderr', STDERR);
  if (config.kind === 'syslog') return syslogSink(config);
  if (!config.path) throw new LogError('logging file sink: no path given');
  return writeAtOnce(config.path, config.path);
}

function writeAtOnce(name: string, target: string | number): LogSink {
  let stream: sonicBoom.SonicBoom;
  try {
    stream = openStream(target);
  } catch (error) {
    throw new LogError(`log file ${name}: cannot open for appending: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return {
    name,
    write: line => void stream.write(line),
    reopen() {
      if (typeof target === 'number') return undefined;
      try {
        // Not SonicBoom's own reopen(): after a failed one, the next closes the old descriptor twice,
        // and its number may be a data file's by then.
        const fresh = openStream(target);
        stream.end();
        stream = fresh;
        return undefined;
      } catch (error) {
        return (error as Error).message;
      }
    },
    close() {
      if (typeof target === 'string') stream.end();
    },
  };
}

function openStream(dest: string | number): sonicBoom.SonicBoom {
  const stream = new sonicBoom.SonicBoom({ dest, sync: true, maxLength: WAITING_SIZE_MAX });
  // Without a listener a write error would be thrown at whoever logs; the lines wait in the stream.
  stream.on('error', () => {});
  return stream;
}

/**
 * Through the program `logger`, since Node has no unix datagram sockets. Unlike the other sinks its
 * lines go through a pipe, so the last ones before a crash may be lost.
 */
function syslogSink({ path = '/dev/log', facility = 'local0', tag = 'caltrop' }: LogSinkConfig): LogSink {
  const facilityBits = SYSLOG_FACILITIES.indexOf(facility) << 3;
  if (facilityBits < 0)
    throw new LogError(`syslog sink: facility ${facility}: one of ${SYSLOG_FACILITIES.join(', ')}`);
  if (!existsSync(path))
    throw new LogError(`syslog sink: no socket ${path}: start a syslog daemon or log to a file`);
  if (spawnSync('logger', ['--version']).error) {
    throw new LogError(
      'syslog sink: the program "logger" is missing (Debian: bsdutils); use a file or the console',
    );
  }
  // Detached: the terminal's Ctrl-C would end it before the server has logged its own stopping.
  const options = { stdio: ['pipe', 'ignore', 'ignore'] as ['pipe', 'ignore', 'ignore'], detached: true };
  const logger = spawn('logger', ['--tag', tag, '--socket', path, '--prio-prefix'], options);
  logger.on('error', () => {}); // it existed a moment ago; losing it must not stop the server
  logger.stdin.on('error', () => {});
  logger.unref();
  return {
    name: 'syslog',
    write(line, level) {
      const hasRoom = logger.stdin.writable && logger.stdin.writableLength < WAITING_SIZE_MAX;
      if (hasRoom) logger.stdin.write(`<${facilityBits | SEVERITY[level]}>${withoutTime(line)}`);
    },
    reopen: () => undefined,
    close: () => void logger.stdin.end(),
  };
}

/** Syslog stamps the time itself; a continuation line would lose its priority prefix, so it is folded. */
function withoutTime(line: string): string {
  return `${line.slice(line.indexOf(': ') + 2, -1).replaceAll('\n', ' ')}\n`;
}
