/**
 * Turns one parsed context into settings by its table, and notes what is wrong or without effect on the way.
 */
import { acceptedNames, type ConfigProblem } from './config-error.js';
import type { ConfigContext, ConfigItem } from './parser.js';
import { whatBecameOf } from './removed-names.js';
import type { SettingRow } from './schema.js';
import { parseValue } from './setting-value.js';
import { refusalOf, Settings, type SettingsContext } from './settings.js';

/** What was found in one file. Problems stop the start, warnings are for the log. */
export class Findings {
  readonly problems: ConfigProblem[] = [];
  readonly warnings: ConfigProblem[] = [];

  refuse(line: number, path: string, reason: string): void {
    this.problems.push({ line, path, reason });
  }

  warn(line: number, path: string, reason: string): void {
    this.warnings.push({ line, path, reason });
  }
}

/**
 * Reads the items of `node`. Contexts inside it are the caller's.
 * @param path dotted path of the context, for messages.
 */
export function readSettings(
  node: ConfigContext,
  context: SettingsContext,
  path: string,
  findings: Findings,
): Settings {
  const settings = new Settings(context);
  const seenAt = new Map<string, number>();
  for (const item of node.items) {
    const row = settings.row(item.name);
    const itemPath = `${path}.${item.name}`;
    if (row === undefined) {
      const reason =
        whatBecameOf(context, item.name) ?? `is not known; ${acceptedNames(item.name, settings.names())}`;
      findings.refuse(item.line, itemPath, reason);
      continue;
    }
    const isList = typeof row.default === 'object';
    const firstAt = seenAt.get(item.name);
    seenAt.set(item.name, item.line);
    if (firstAt !== undefined && !isList) {
      findings.warn(item.line, itemPath, `is set again, the value in line ${firstAt} has no effect`);
    } else if (firstAt === undefined && row.support === 'known') {
      findings.warn(item.line, itemPath, 'is accepted but has no effect in this version');
    }
    readItem(item, row, isList && firstAt !== undefined, settings, itemPath, findings);
  }
  return settings;
}

/** Line of a setting in its context, or of the context itself when the setting is not there. */
export function lineOf(node: ConfigContext, name: string): number {
  return node.items.findLast(item => item.name === name)?.line ?? node.line;
}

/** Notes every context inside `node` that is none of `accepted`, and returns those that are. */
export function knownContexts(
  node: ConfigContext,
  accepted: readonly string[],
  path: string,
  findings: Findings,
): ConfigContext[] {
  return node.contexts.filter(({ name, line }) => {
    if (accepted.includes(name)) return true;
    const reason = `is no context that may stand here; ${acceptedNames(name, accepted)}`;
    findings.refuse(line, path === '' ? name : `${path}.${name}`, reason);
    return false;
  });
}

function readItem(
  item: ConfigItem,
  row: SettingRow,
  isAppended: boolean,
  settings: Settings,
  path: string,
  findings: Findings,
): void {
  const parsed = parseValue(row, item.value);
  if ('reason' in parsed) {
    findings.refuse(item.line, path, parsed.reason);
    return;
  }
  const refusal = refusalOf(row, parsed.value);
  if (refusal !== undefined) {
    findings.refuse(item.line, path, refusal);
    return;
  }
  const value =
    isAppended && settings.isSet(row.name) ? [...settings.list(row.name), item.value] : parsed.value;
  settings.put(row.name, value);
}
