/**
 * The arguments of the load test: one table makes the parser, the checks and the help text.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { LoadPlan } from './driver.js';
import { parseObjectSpec } from './object-spec.js';
import { parseWorkload } from './workload.js';

/** An argument we refuse. The message names it and says what is accepted. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface LoadOptions {
  readonly plan: LoadPlan;
  readonly threadCount: number;
  /** Percentiles to print, 0 … 100. */
  readonly percentiles: readonly number[];
  readonly jsonFile: string | undefined;
  readonly isQuiet: boolean;
}

interface OptionRow {
  readonly short?: string;
  /** Name of the value in the help text; absent for a flag. */
  readonly value?: string;
  readonly default?: string;
  readonly help: string;
}

const DURATION_SEC_DEFAULT = 10;
const WARMUP_SEC_DEFAULT = 1;

const OPTIONS = {
  host: { short: 'h', value: 'ADDRESS', default: '127.0.0.1', help: 'server to load' },
  port: { short: 'p', value: 'PORT', default: '3000', help: 'its service port' },
  namespace: { short: 'n', value: 'NAME', default: 'test', help: 'namespace of the records' },
  set: { short: 's', value: 'NAME', default: 'testset', help: 'set of the records' },
  keys: { short: 'k', value: 'COUNT', default: '100000', help: 'number of different keys' },
  'start-key': { short: 'K', value: 'KEY', default: '0', help: 'first key; keys are integers' },
  'object-spec': {
    short: 'o',
    value: 'SPEC',
    default: 'B100',
    help: 'bins: I1…I8, B<size>, S<size>, B<min>-<max>, comma separated',
  },
  bin: {
    short: 'b',
    value: 'NAME',
    default: 'testbin',
    help: 'name of the first bin; the others get _2, _3 …',
  },
  workload: {
    short: 'w',
    value: 'MIX',
    default: 'RU,50',
    help: 'I inserts every key once; RU,<pct> reads pct % and updates the rest',
  },
  threads: { short: 'z', value: 'COUNT', help: 'threads of the load test (default: half the processors)' },
  connections: {
    short: 'c',
    value: 'COUNT',
    default: '64',
    help: 'connections, one request in flight on each',
  },
  duration: {
    short: 't',
    value: 'SECONDS',
    help: `length of the run (default ${DURATION_SEC_DEFAULT}, with --count or I unlimited)`,
  },
  warmup: {
    value: 'SECONDS',
    help: `time before it that is not measured (default ${WARMUP_SEC_DEFAULT}, without a duration 0)`,
  },
  count: { value: 'COUNT', help: 'end after so many requests' },
  rate: {
    short: 'g',
    value: 'PER-SECOND',
    help: 'open loop: requests are due at fixed moments, latency counts from there',
  },
  'batch-size': { value: 'COUNT', default: '1', help: 'records a read request asks for' },
  churn: { value: 'COUNT', default: '0', help: 'close and reopen a connection after so many requests on it' },
  timeout: { value: 'MS', default: '1000', help: 'give a request up after so long; 0 for never' },
  seed: { value: 'NUMBER', default: '1', help: 'seed of the random keys, sizes and choices' },
  verify: { help: 'check that every value read is one that this tool wrote for its key' },
  latency: { value: 'LIST', default: '50,90,99,99.9', help: 'percentiles to print' },
  json: { value: 'FILE', help: 'write the result to a file too; - for standard output' },
  quiet: { short: 'q', help: 'no line a second' },
  help: { help: 'this text' },
} as const satisfies Record<string, OptionRow>;
type OptionName = keyof typeof OPTIONS;

export const HELP = [
  'Loads a server that speaks the Aerospike wire protocol, and measures it.',
  '',
  'Usage: scripts/load-test [options]',
  '',
  ...Object.entries(OPTIONS).map(([name, row]: [string, OptionRow]) => {
    const flag = `${row.short ? `-${row.short}, ` : '    '}--${name}${row.value ? ` ${row.value}` : ''}`;
    return `  ${flag.padEnd(30)}${row.help}${row.default === undefined ? '' : ` (default ${row.default})`}`;
  }),
  '',
  'First insert, then measure: scripts/load-test -w I && scripts/load-test -w RU,80 -t 30 --rate 20000',
  'Exit status: 0 when all went well; 1 when a connection broke, a request timed out, an answer was no answer, a',
  'verified value was wrong or a result code was other than 0 (and 2, not found, for reads); 2 for bad arguments.',
].join('\n');

/** @returns undefined when help was asked for. Throws UsageError. */
export function parseOptions(args: readonly string[]): LoadOptions | undefined {
  const values = parseFlags(args);
  if (values.help) return undefined;
  const text = (name: OptionName) => values[name] as string | undefined;
  const number = (name: OptionName, min: number, max = Number.MAX_SAFE_INTEGER) => {
    const value = optionalNumber(name, text(name), min, max);
    if (value === undefined) throw new UsageError(`--${name}: a value is needed`);
    return value;
  };
  const workload = parseWorkload(text('workload')!);
  if (workload === undefined)
    throw new UsageError(`--workload ${text('workload')}: want I, RU or RU,<0…100>`);
  const requestCount = optionalNumber('count', text('count'), 1);
  const durationSec =
    optionalNumber('duration', text('duration'), 0.001) ??
    (requestCount === undefined && workload.kind === 'mix' ? DURATION_SEC_DEFAULT : undefined);
  const connectionCount = number('connections', 1, 100_000);
  const threadsDefault = Math.max(1, Math.floor(availableParallelism() / 2));
  return {
    plan: {
      host: text('host')!,
      port: number('port', 1, 65_535),
      namespace: text('namespace')!,
      set: text('set')!,
      bins: checked('object-spec', () => parseObjectSpec(text('object-spec')!, text('bin'))),
      keyCount: number('keys', 1),
      startKey: number('start-key', 0),
      workload,
      connectionCount,
      durationMs: durationSec === undefined ? undefined : durationSec * 1000,
      warmupMs:
        1000 *
        (optionalNumber('warmup', text('warmup'), 0) ?? (durationSec === undefined ? 0 : WARMUP_SEC_DEFAULT)),
      requestCount,
      rate: optionalNumber('rate', text('rate'), 0.001),
      batchSize: number('batch-size', 1, 5000),
      churn: number('churn', 0),
      timeoutMs: number('timeout', 0, 2 ** 31 - 1),
      seed: number('seed', 0),
      verify: values.verify === true,
    },
    threadCount: Math.min(
      optionalNumber('threads', text('threads'), 1, 1024) ?? threadsDefault,
      connectionCount,
    ),
    percentiles: text('latency')!
      .split(',')
      .map(each => optionalNumber('latency', each, 0, 100)!),
    jsonFile: text('json'),
    isQuiet: values.quiet === true,
  };
}

function parseFlags(args: readonly string[]): Partial<Record<OptionName, string | boolean>> {
  const options = Object.fromEntries(
    Object.entries(OPTIONS).map(([name, row]: [string, OptionRow]) => [
      name,
      {
        type: row.value === undefined ? ('boolean' as const) : ('string' as const),
        ...(row.short === undefined ? {} : { short: row.short }),
        ...(row.default === undefined ? {} : { default: row.default }),
      },
    ]),
  );
  return checked('arguments', () => parseArgs({ args: [...args], options, allowPositionals: false }).values);
}

function optionalNumber(
  name: OptionName,
  text: string | undefined,
  min: number,
  max = Number.MAX_SAFE_INTEGER,
) {
  if (text === undefined) return undefined;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  const isWhole = Number.isInteger(value) || FRACTIONS.has(name);
  if (!(value >= min && value <= max) || !isWhole) {
    throw new UsageError(
      `--${name} ${text}: want a ${FRACTIONS.has(name) ? '' : 'whole '}number, ${min} to ${max}`,
    );
  }
  return value;
}
const FRACTIONS: ReadonlySet<OptionName> = new Set<OptionName>(['duration', 'warmup', 'rate', 'latency']);

function checked<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UsageError(`${name === 'arguments' ? '' : `--${name} `}${(error as Error).message}`, {
      cause: error,
    });
  }
}
