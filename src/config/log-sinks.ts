/**
 * Where log lines go and which: the `logging` context. A sink has a level for every context of the reference,
 * so that its tools find the names they know.
 */
import { LOG_CONTEXTS, LOG_LEVELS, type LogLevel, type LogSinkConfig } from '../observe/log-config.js';
import type { ConfigProblem } from './config-error.js';
import { acceptedNames } from './config-error.js';
import type { ConfigContext } from './parser.js';

const SINK_KINDS = ['console', 'file', 'syslog'] as const;
const LEVEL_NAMES = Object.keys(LOG_LEVELS) as LogLevel[];

/** Every context at one level. */
export function levelsAt(level: LogLevel): Map<string, LogLevel> {
  return new Map(LOG_CONTEXTS.map(context => [context, level]));
}

/** The level of a name in either case, or undefined. */
export function logLevel(name: string): LogLevel | undefined {
  return LEVEL_NAMES.find(level => level === name.toLowerCase());
}

/**
 * Reads one sink of the `logging` context. Contexts that it does not name stay at critical, as in the reference.
 * @param problems receives what is wrong with it.
 * @returns undefined when it is no kind of sink that we know.
 */
export function readLogSink(node: ConfigContext, problems: ConfigProblem[]): LogSinkConfig | undefined {
  const kind = SINK_KINDS.find(known => known === node.name);
  const path = `logging.${node.name}`;
  if (kind === undefined) {
    problems.push({
      line: node.line,
      path,
      reason: `is no log sink; ${acceptedNames(node.name, SINK_KINDS)}`,
    });
    return undefined;
  }
  if (kind === 'file' && (node.label === '' || /\s/.test(node.label))) {
    problems.push({ line: node.line, path, reason: 'a file sink is written: file PATH {' });
  }
  for (const inner of node.contexts) {
    problems.push({ line: inner.line, path: `${path}.${inner.name}`, reason: 'no context may stand here' });
  }
  const levels = levelsAt('critical');
  const texts = new Map<string, string>();
  for (const item of node.items) {
    if (item.name === 'context') readLevel(item.value, item.line, path, levels, problems);
    else if (kind === 'syslog' && ['facility', 'path', 'tag'].includes(item.name))
      texts.set(item.name, item.value);
    else {
      const names = kind === 'syslog' ? ['context', 'facility', 'path', 'tag'] : ['context'];
      const reason = `is not known; ${acceptedNames(item.name, names)}`;
      problems.push({ line: item.line, path: `${path}.${item.name}`, reason });
    }
  }
  if (kind === 'console') return { kind, levels };
  if (kind === 'file') return { kind, path: node.label, levels };
  const [facility, tag] = [texts.get('facility') ?? 'local0', texts.get('tag') ?? 'caltrop'];
  return { kind, path: texts.get('path') ?? '/dev/log', facility, tag, levels };
}

/** Applies `any info` or `CONTEXT LEVEL`. */
function readLevel(
  written: string,
  line: number,
  path: string,
  levels: Map<string, LogLevel>,
  problems: ConfigProblem[],
): void {
  const [context = '', levelName = ''] = written.split(' ');
  const level = logLevel(levelName);
  if (context !== 'any' && !levels.has(context)) {
    const reason = `is no log context; ${acceptedNames(context, ['any', ...LOG_CONTEXTS])}`;
    problems.push({ line, path: `${path}.context ${context}`, reason });
  } else if (level === undefined) {
    const reason = `'${levelName}' is no level; accepted: ${LEVEL_NAMES.join(', ')}`;
    problems.push({ line, path: `${path}.context ${context}`, reason });
  } else {
    for (const name of context === 'any' ? LOG_CONTEXTS : [context]) levels.set(name, level);
  }
}
