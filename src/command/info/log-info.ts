/**
 * The log's sinks and levels. Source: protocol 02, section 14.
 */
import { InfoParams } from '../../wire/info.js';
import { type InfoTable, info } from './command.js';
import type { InfoSource } from './source.js';

/** Of a decimal id, or NaN. */
function sinkId(text: string | undefined): number {
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
}

function levels(source: InfoSource, args: string): string {
  const rows = source.log.levels(sinkId(args));
  if (rows === undefined) return 'ERROR::bad-id';
  return rows.map(([context, level]) => `${context}:${level.toUpperCase()}`).join(';');
}

function setLevels(source: InfoSource, args: string): string {
  const params = new InfoParams(args);
  const id = params.get('id');
  if (id === undefined) return "ERROR:4:missing 'id'";
  if (source.log.levels(sinkId(id)) === undefined) return 'ERROR::bad-id';
  const changes = [...params.entries()].filter(([key]) => key !== 'id');
  if (changes.length === 0) return 'ERROR:4:missing context and level';
  for (const [context, level] of changes) {
    if (!source.log.setLevel(sinkId(id), context, level)) return 'ERROR:4:bad context or level';
  }
  return 'ok';
}

const LOG_SET = {
  permission: 'logging-ctrl',
  help: 'id <context>=<level>: how much is logged',
  answer: setLevels,
};

export const LOG_COMMANDS: InfoTable = {
  logs: info('ids and names of the sinks', source =>
    source.log
      .sinks()
      .map((name, id) => `${id}:${name}`)
      .join(';'),
  ),
  log: info('/<id>: level of each context', levels),
  'log-set': { ...LOG_SET, permission: 'logging-ctrl' },
  'set-log': { ...LOG_SET, permission: 'logging-ctrl', isDeprecated: true },
};
