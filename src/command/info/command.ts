/**
 * What an info command is: a row with the permission that it will need when security is on, a line of help
 * and the function that answers. Commands stand in tables by noun; `table.ts` joins them.
 */
import type { InfoSource } from './source.js';
import type { InfoConnection } from './user-agents.js';

/** Permission names as a role violation prints them. Source: protocol 02, section 2. */
export type InfoPermission =
  | 'info'
  | 'logging-ctrl'
  | 'service-ctrl'
  | 'set-config'
  | 'query-admin'
  | 'sindex-admin'
  | 'udf-admin'
  | 'truncate'
  | 'evict-admin';

/**
 * @param args what follows the name and its separator; empty when nothing does.
 * @returns the answer; later, what waits for a file.
 */
export type InfoAnswer = (
  source: InfoSource,
  args: string,
  connection: InfoConnection,
) => string | Promise<string>;

export interface InfoCommand {
  readonly permission: InfoPermission;
  readonly help: string;
  /** The reference says that it will go away; its uses are counted in `deprecated_requests`. */
  readonly isDeprecated?: boolean;
  readonly answer: InfoAnswer;
}

export type InfoTable = Readonly<Record<string, InfoCommand>>;

/** A command that anybody connected may give. */
export function info(help: string, answer: InfoAnswer): InfoCommand {
  return { permission: 'info', help, answer };
}

/** The same, on its way out. */
export function deprecated(help: string, answer: InfoAnswer): InfoCommand {
  return { permission: 'info', help, isDeprecated: true, answer };
}

export const UNRECOGNIZED = 'ERROR:4:unrecognized command';
export const NO_NAMESPACE = 'ERROR:20:namespace not found on node';
export const ENTERPRISE_ONLY_ANSWER = 'ERROR:25:enterprise only';
