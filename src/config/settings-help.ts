/** The settings that this server acts on, as a person reads them: what `--settings` prints. */

import { describeAccepted, formatValue } from './setting-value.js';
import { CONTEXT_TABLES } from './settings.js';

/** Lines of text: a context, then a row for each honoured setting: name, default, accepted values, what it is. */
export function describeSettings(): string {
  const lines: string[] = [];
  for (const [context, rows] of Object.entries(CONTEXT_TABLES)) {
    const honoured = rows.filter(row => row.support === 'honoured');
    if (honoured.length === 0) continue;
    lines.push(`${context}`);
    for (const row of honoured) {
      const kind = row.isDynamic ? 'dynamic' : 'static';
      const value = formatValue(row.default);
      lines.push(`  ${row.name} (${kind}, default ${value}; ${describeAccepted(row)}): ${row.help}`);
    }
  }
  return `${lines.join('\n')}\n`;
}
