/**
 * What this server says it is. Clients switch features by the build number and refuse what they can't parse,
 * so they are told the reference's build whose behaviour we keep; Caltrop's own version stands beside it.
 * Source: protocol 02, section 4.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** Build of the reference whose protocol and behaviour this server keeps. */
export const REFERENCE_BUILD = '8.1.2.0';
export const EDITION = 'Aerospike Community Edition';
export const COMPATIBILITY_ID = 15;

/** What works; clients and tests decide by it. */
export const FEATURES = [
  'batch-any',
  'batch-index',
  'blob-bits',
  'cdt-list',
  'cdt-map',
  'cluster-stable',
  'float',
  'peers',
  'pipelining',
  'pscans',
  'replicas',
  'replicas-all',
  'replicas-master',
  'replicas-max',
] as const;

export interface BuildIdentity {
  /** Caltrop's version, from package.json. */
  readonly caltrop: string;
  /** Distribution and release, such as `debian12`. */
  readonly os: string;
  readonly arch: string;
  /** 40 hex digits of the commit it was built from, or `unknown` outside a checkout. */
  readonly sha: string;
  readonly time: string;
}

/** @param root directory of package.json, ending in a slash. Reads a few small files; for the start only. */
export function readBuildIdentity(root: URL = findRoot()): BuildIdentity {
  const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { version: string };
  return {
    caltrop: version,
    os: readDistribution(),
    arch: os.machine(),
    sha: readCommit(root),
    time: statSync(import.meta.filename).mtime.toUTCString(),
  };
}

/** The directory of package.json, above wherever the compiled files lie. */
function findRoot(): URL {
  let directory = import.meta.dirname;
  while (!existsSync(path.join(directory, 'package.json'))) {
    const parent = path.dirname(directory);
    if (parent === directory) throw new Error(`no package.json above ${import.meta.dirname}`);
    directory = parent;
  }
  return pathToFileURL(`${directory}/`);
}

function readDistribution(): string {
  try {
    const text = readFileSync('/etc/os-release', 'utf8');
    const value = (key: string) => text.match(new RegExp(`^${key}="?([^"\n]*)"?$`, 'm'))?.[1] ?? '';
    return `${value('ID')}${value('VERSION_ID')}` || os.platform();
  } catch {
    return os.platform(); // the file is not everywhere, and only names the system
  }
}

function readCommit(root: URL): string {
  try {
    const head = readFileSync(new URL('.git/HEAD', root), 'utf8').trim();
    const ref = head.match(/^ref: (.+)$/)?.[1];
    const sha = ref === undefined ? head : readFileSync(new URL(`.git/${ref}`, root), 'utf8').trim();
    return /^[0-9a-f]{40}$/.test(sha) ? sha : 'unknown';
  } catch {
    return 'unknown'; // no checkout, or a packed reference
  }
}
