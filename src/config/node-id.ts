/**
 * A node's name: 64 bits, written as upper-case hex without leading zeros, unique in its cluster. The same node
 * keeps it for life, since placement of partitions follows from it; so one that was generated is kept in the
 * work directory. It is built as the reference builds its own: the fabric port above 48 bits of identity.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from './config-error.js';

const FILE_NAME = 'node-id';
const FABRIC_PORT = 3001; // the reference's usual one, for nodes that have none configured
const IDENTITY_SIZE = 6; // bytes

/** Why a text is no node id, or undefined when it is one. */
export function whyNoNodeId(text: string): string | undefined {
  if (/^[0-9A-Fa-f]{1,16}$/.test(text) && /[^0]/.test(text)) return undefined;
  return `'${text}' is no node id; accepted: 1 to 16 hex digits that are not all 0`;
}

/**
 * The node's id: the configured one, or the one in `workDirectory`, or a new one that is written there first.
 * Both are created when missing. Two processes that start at once in one directory get the same id.
 * @param configured what `service.node-id` says; empty when it is not set.
 * @param fabricPort 0 when none is configured.
 * @throws ConfigError when the kept file holds no id or the directory cannot be used.
 */
export function resolveNodeId(configured: string, workDirectory: string, fabricPort: number): string {
  if (configured !== '') return normal(configured);
  const path = join(workDirectory, FILE_NAME);
  try {
    return readKept(path) ?? keep(generateNodeId(fabricPort), workDirectory, path);
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    const reason = `cannot keep the node id there: ${(cause as Error).message}`;
    throw new ConfigError(path, [{ line: 0, path: 'service.work-directory', reason }], { cause });
  }
}

/** A new id, as good as unique. */
function generateNodeId(fabricPort: number): string {
  const identity = randomBytes(IDENTITY_SIZE).toString('hex');
  return normal((fabricPort || FABRIC_PORT).toString(16) + identity);
}

/** The id in the file, or undefined when there is no file. */
function readKept(path: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const reason = whyNoNodeId(text);
  if (reason === undefined) return normal(text);
  throw new ConfigError(path, [
    { line: 1, path: '', reason: `${reason}; mend it, or remove it for a new one` },
  ]);
}

/**
 * Writes the id durably. The complete file appears under its name in one step, or not at all; a file that is there
 * already wins, because another start wrote it in between.
 */
function keep(id: string, directory: string, path: string): string {
  mkdirSync(directory, { recursive: true });
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const file = openSync(draft, 'wx', 0o644);
  try {
    writeSync(file, `${id}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    unlinkSync(draft);
  }
  syncDirectory(directory);
  return readKept(path)!;
}

function syncDirectory(directory: string): void {
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function normal(text: string): string {
  return text.toUpperCase().replace(/^0+/, '');
}
