/** Truncation of sets and namespaces, and what eviction remembers. Source: protocol 02, section 12. */
import { EPOCH_2010_SEC, epochMs } from '../../base/clock.js';
import { InfoParams, infoError } from '../../wire/info.js';
import { type InfoCommand, type InfoTable, NO_NAMESPACE } from './command.js';
import { findNamespace, type InfoSource } from './source.js';

const EPOCH_2010_NS = BigInt(EPOCH_2010_SEC) * 1_000_000_000n;
const NS_PER_MS = 1_000_000n;

/** Ten years, the longest time to live. */
const TTL_MAX_SEC = 315_360_000;

type Scope = 'set' | 'namespace';

/** What a command names: its namespace and its set, or the error to answer. */
function targetOf(
  source: InfoSource,
  params: InfoParams,
  scope: Scope,
): [string, string | undefined] | string {
  const name = params.get('namespace') ?? params.get('ns');
  if (name === undefined) return "ERROR:4:missing 'namespace'";
  const set = params.get('set');
  if (scope === 'set' && (set === undefined || set === '')) return "ERROR:4:missing 'set'";
  if (scope === 'namespace' && set !== undefined) return 'ERROR:4:unexpected set name';
  return findNamespace(source, name) === undefined ? NO_NAMESPACE : [name, set];
}

/** @returns Milliseconds since 2010, undefined for none given, or the error to answer. */
function lutOf(params: InfoParams): number | undefined | string {
  const text = params.get('lut');
  if (text === undefined) return undefined;
  if (!/^\d{1,20}$/.test(text)) return "ERROR:4:bad 'lut'";
  const ns = BigInt(text) - EPOCH_2010_NS;
  if (ns < NS_PER_MS) return 'ERROR:4:would truncate to 0';
  const ms = Number(ns / NS_PER_MS);
  return ms > epochMs() ? 'ERROR:4:would truncate in the future' : ms;
}

/** Carries a change out, and answers `ok` when it is durable. */
async function answerOf(source: InfoSource, what: string, change: Promise<void>): Promise<string> {
  const log = source.log.context('info');
  try {
    await change;
    log.info(`${what}: done`);
    return 'ok';
  } catch (error) {
    log.warning(`${what} failed: ${(error as Error).message}`);
    return infoError(1, 'could not be stored');
  }
}

function truncate(scope: Scope): InfoCommand {
  return {
    permission: 'truncate',
    help: `namespace ${scope === 'set' ? 'set ' : ''}[lut]: removes the records written before, or before lut (Unix nanoseconds)`,
    answer: (source, args) => {
      const params = new InfoParams(args);
      const target = targetOf(source, params, scope);
      if (typeof target === 'string') return target;
      const lut = lutOf(params);
      if (typeof lut === 'string') return lut;
      return answerOf(source, `truncate ${target.join(' ')}`, source.truncations.truncate(...target, lut));
    },
  };
}

function undo(scope: Scope): InfoCommand {
  return {
    permission: 'truncate',
    help: `namespace${scope === 'set' ? ' set' : ''}: forgets a truncation; what is still there comes back`,
    answer: (source, args) => {
      const target = targetOf(source, new InfoParams(args), scope);
      if (typeof target === 'string') return target;
      return answerOf(source, `undo truncate ${target.join(' ')}`, source.truncations.undo(...target));
    },
  };
}

/** Seconds, undefined for none given, or the error to answer. */
function ttlOf(params: InfoParams): number | undefined | string {
  const text = params.get('ttl');
  if (text === undefined) return undefined;
  return /^\d{1,9}$/.test(text) && Number(text) <= TTL_MAX_SEC ? Number(text) : "ERROR:4:bad 'ttl'";
}

const EVICTION_RESET: InfoCommand = {
  permission: 'evict-admin',
  help: 'namespace [ttl]: forgets how deep records were evicted, or remembers ttl seconds from now instead',
  answer: (source, args) => {
    const params = new InfoParams(args);
    const target = targetOf(source, params, 'namespace');
    if (typeof target === 'string') return target;
    const ttl = ttlOf(params);
    if (typeof ttl === 'string') return ttl;
    return answerOf(source, `eviction reset of ${target[0]}`, source.evictions.reset(target[0], ttl));
  },
};

export const TRUNCATE_COMMANDS: InfoTable = {
  'eviction-reset': EVICTION_RESET,
  truncate: truncate('set'),
  'truncate-namespace': truncate('namespace'),
  'truncate-undo': undo('set'),
  'truncate-namespace-undo': undo('namespace'),
};
