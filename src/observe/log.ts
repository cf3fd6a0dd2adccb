/**
 * The log: pino 10, with the reference's contexts, levels and line form, so that operators and their
 * parsers find what they know:
 *
 *     Nov 22 2026 18:41:20 GMT: INFO (as): message
 *
 * A sink has one level for each context; a context's logger is off below the most talkative of its
 * sinks, and a call that is off costs one empty function call. Lines are written synchronously, so
 * that nothing is lost when the process dies; what may repeat without end goes through `LimitedLog`.
 * Worker threads hand their lines to the main thread: `ForwardingLog`.
 */
import { type DestinationStream, type Logger, pino } from 'pino';
import { Region, type SharedBytes } from '../base/arena.js';
import {
  LOG_CONTEXTS,
  LOG_LEVELS,
  type LogContextName,
  LogError,
  type LogLevel,
  type LogSinkConfig,
} from './log-config.js';
import { type LogSink, openSink } from './log-sink.js';

const LEVEL_NAMES = Object.keys(LOG_LEVELS) as LogLevel[];
const NAME_OF_LEVEL = new Map<number, LogLevel>(LEVEL_NAMES.map(name => [LOG_LEVELS[name], name]));
const CONTEXT_INDEX = new Map<string, number>(LOG_CONTEXTS.map((name, index) => [name, index]));

/** What a module holds to write lines of one context. A pino logger is one. */
export interface LogContext {
  critical(message: string): void;
  warning(message: string): void;
  info(message: string): void;
  debug(message: string): void;
  detail(message: string): void;
  /** For a message whose text is costly to make. */
  isLevelEnabled(level: LogLevel): boolean;
}

/** The log as most parts see it, on any thread. */
export interface ContextLog {
  context(name: LogContextName): LogContext;
}

/** One line on its way from a worker thread to the main thread. */
export interface ForwardedLine {
  context: LogContextName;
  level: LogLevel;
  message: string;
}

interface RoutedSink {
  sink: LogSink;
  /** Threshold of each context, by its index in LOG_CONTEXTS. */
  thresholds: number[];
}

/**
 * The main thread's log. Invariant: `thresholds` of a context is the smallest threshold of its sinks,
 * and its pino logger is set to that level. The main thread is the only writer of `thresholds`.
 */
export class Log implements ContextLog {
  readonly #routed: RoutedSink[];
  readonly #loggers: Logger<LogLevel, boolean>[];
  readonly #indexOfLogger = new Map<unknown, number>();
  readonly #thresholds = new Region(LOG_CONTEXTS.length * 4);

  constructor(configs: readonly LogSinkConfig[]) {
    this.#routed = configs.map(config => ({ thresholds: initialThresholds(config), sink: openSink(config) }));
    const root = pino(
      {
        customLevels: LOG_LEVELS,
        useOnlyCustomLevels: true,
        level: 'critical',
        base: null,
        timestamp: false,
      },
      this.#router(),
    );
    this.#loggers = LOG_CONTEXTS.map((name, index) => {
      const logger = root.child({ context: name });
      this.#indexOfLogger.set(logger, index);
      return logger;
    });
    for (const index of LOG_CONTEXTS.keys()) this.#applyThreshold(index);
  }

  context(name: LogContextName): LogContext {
    return this.#loggers[CONTEXT_INDEX.get(name)!]!;
  }

  /** Name of each sink as `logs` lists it; its id is its index. */
  sinks(): string[] {
    return this.#routed.map(({ sink }) => sink.name);
  }

  /** Context and level (lower case) of every context, in the reference's order; undefined for an unknown sink. */
  levels(id: number): [LogContextName, LogLevel][] | undefined {
    const routed = this.#routed[id];
    return routed && LOG_CONTEXTS.map((name, index) => [name, NAME_OF_LEVEL.get(routed.thresholds[index]!)!]);
  }

  /** @param context One of LOG_CONTEXTS or `any`. @returns false, and changes nothing, when a name or the id is unknown. */
  setLevel(id: number, context: string, level: string): boolean {
    const threshold = thresholdOf(level);
    const routed = this.#routed[id];
    if (routed === undefined || threshold === undefined) return false;
    if (context !== 'any' && !CONTEXT_INDEX.has(context)) return false;
    for (const [index, name] of LOG_CONTEXTS.entries()) {
      if (context !== 'any' && context !== name) continue;
      routed.thresholds[index] = threshold;
      this.#applyThreshold(index);
    }
    return true;
  }

  /** The thresholds that a worker's ForwardingLog reads; later changes are seen there at once. */
  get sharedThresholds(): SharedBytes {
    return this.#thresholds.shared;
  }

  /** Writes a line that a worker thread sent. */
  accept(line: ForwardedLine): void {
    this.context(line.context)[line.level](line.message);
  }

  /** For log rotation (SIGHUP): files are opened anew by their path. A file that cannot be is kept, and that is logged. */
  reopen(): void {
    for (const { sink } of this.#routed) {
      const failure = sink.reopen();
      if (failure) this.context('config').warning(`log sink ${sink.name}: cannot re-open: ${failure}`);
    }
  }

  close(): void {
    for (const logger of this.#loggers) logger.level = 'silent';
    for (const { sink } of this.#routed) sink.close();
  }

  #applyThreshold(index: number): void {
    const threshold = Math.min(
      Number.POSITIVE_INFINITY,
      ...this.#routed.map(({ thresholds }) => thresholds[index]!),
    );
    this.#loggers[index]!.level = NAME_OF_LEVEL.get(threshold) ?? 'silent';
    this.#thresholds.i32[index] = Math.min(threshold, 0x7fffffff);
  }

  /** Takes level and text from pino's metadata, so that no line is parsed back from JSON. */
  #router(): DestinationStream {
    const route = (logger: unknown, level: number, message: string) => {
      const index = this.#indexOfLogger.get(logger);
      if (index === undefined) return;
      const line = formatLine(Date.now(), NAME_OF_LEVEL.get(level)!, LOG_CONTEXTS[index]!, message);
      for (const { sink, thresholds } of this.#routed) {
        if (level >= thresholds[index]!) sink.write(line, NAME_OF_LEVEL.get(level)!);
      }
    };
    return {
      [pino.symbols.needsMetadataGsym]: true,
      lastLogger: undefined,
      lastLevel: 0,
      lastMsg: '',
      write() {
        route(this.lastLogger, this.lastLevel, this.lastMsg);
      },
    } as DestinationStream & { lastLogger: unknown; lastLevel: number; lastMsg: string };
  }
}

/** Opens every sink. @throws LogError for an unknown name or a sink that cannot be opened. */
export function createLog(configs: readonly LogSinkConfig[]): Log {
  return new Log(configs);
}

/**
 * A worker thread's log: asks the shared thresholds, and hands what is on to `send`, usually a
 * postMessage to a port on which the main thread calls `Log.accept`. A thread that sleeps in
 * Atomics.wait between its calls can do that, since sending needs no event loop of its own.
 */
export class ForwardingLog implements ContextLog {
  readonly #thresholds: Region;
  readonly #send: (line: ForwardedLine) => void;

  constructor(sharedThresholds: SharedBytes, send: (line: ForwardedLine) => void) {
    this.#thresholds = new Region(sharedThresholds);
    this.#send = send;
  }

  context(name: LogContextName): LogContext {
    const index = CONTEXT_INDEX.get(name)!;
    const isLevelEnabled = (level: LogLevel) => LOG_LEVELS[level] >= this.#thresholds.i32[index]!;
    const writer = (level: LogLevel) => (message: string) => {
      if (isLevelEnabled(level)) this.#send({ context: name, level, message });
    };
    return {
      critical: writer('critical'),
      warning: writer('warning'),
      info: writer('info'),
      debug: writer('debug'),
      detail: writer('detail'),
      isLevelEnabled,
    };
  }
}

function thresholdOf(level: string): number | undefined {
  const name = level.toLowerCase();
  return Object.hasOwn(LOG_LEVELS, name) ? LOG_LEVELS[name as LogLevel] : undefined;
}

function initialThresholds(config: LogSinkConfig): number[] {
  const where = `logging sink ${config.path ?? config.kind}`;
  for (const [context, level] of config.levels) {
    if (context !== 'any' && !CONTEXT_INDEX.has(context))
      throw new LogError(`${where}: unknown context ${context}`);
    if (thresholdOf(level) === undefined) {
      throw new LogError(`${where}: unknown level ${level}; one of ${LEVEL_NAMES.join(', ')}`);
    }
  }
  return LOG_CONTEXTS.map(
    name => thresholdOf(config.levels.get(name) ?? config.levels.get('any') ?? 'critical')!,
  );
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** @param timeMs Unix milliseconds. The reference's form, without its source file and line. */
export function formatLine(timeMs: number, level: LogLevel, context: string, message: string): string {
  const time = new Date(timeMs);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${MONTHS[time.getUTCMonth()]} ${two(time.getUTCDate())} ${time.getUTCFullYear()}`;
  const clock = `${two(time.getUTCHours())}:${two(time.getUTCMinutes())}:${two(time.getUTCSeconds())}`;
  return `${day} ${clock} GMT: ${level.toUpperCase()} (${context}): ${harmless(message)}\n`;
}

/** Text of clients ends up in messages: it must not be able to forge a line or to steer a terminal. */
function harmless(message: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return message.replace(/[\x00-\x1f\x7f-\x9f]/g, character =>
    character === '\n'
      ? '\n\t'
      : character === '\t'
        ? '\t'
        : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
