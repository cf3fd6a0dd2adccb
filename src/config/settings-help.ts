/** The settings of this server as a person reads them: what `--settings` prints. */

import type { SettingRow } from './schema.js';
import { describeAccepted, formatValue } from './setting-value.js';
import { CONTEXT_TABLES } from './settings.js';

/** Settings that are not acted on, by what happens when a file has them. */
const OTHERS = [
  ['known', 'accepted with a warning, without effect in this version:'],
  ['refused', 'stop the start, since this version cannot do what they promise:'],
] as const;

/**
 * Lines of text: a context, then a row for each setting that is acted on: name, default, accepted values, what it is;
 * then those that are only known, and those that are refused.
 */
export function describeSettings(): string {
  const lines: string[] = [];
  for (const [context, rows] of Object.entries(CONTEXT_TABLES)) {
    if (rows.every(row => row.support !== 'honoured')) continue;
    lines.push(context, ...rows.filter(row => row.support === 'honoured').map(honouredLine));
    for (const [support, title] of OTHERS) {
      const others = rows.filter(row => row.support === support);
      if (others.length > 0) lines.push(`  ${title}`, ...others.map(row => `    ${row.name}: ${row.help}`));
    }
  }
  return `${lines.join('\n')}\n`;
}

function honouredLine(row: SettingRow): string {
  const kind = row.isDynamic ? 'dynamic' : 'static';
  return `  ${row.name} (${kind}, default ${formatValue(row.default)}; ${describeAccepted(row)}): ${row.help}`;
}
