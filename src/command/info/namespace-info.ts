/**
 * The namespaces and their sets. Source: protocol 02, section 8.
 */
import { setSettings } from '../../config/config-info.js';
import type { NamespaceConfig } from '../../config/namespace-config.js';
import { type InfoTable, info } from './command.js';
import { namespaceConfigText } from './config-commands.js';
import type { SetFigures } from './namespace-figures.js';
import { namespaceStats } from './namespace-stats.js';
import { findNamespace, type InfoSource, type NamespaceSource } from './source.js';

/** Statistics, then configuration, `;`-separated. */
function namespaceAnswer(source: InfoSource, args: string): string {
  const namespace = findNamespace(source, args);
  if (namespace === undefined) return 'type=unknown';
  const stats = namespaceStats(source, namespace).map(([name, value]) => `${name}=${value}`);
  return [...stats, namespaceConfigText(source, namespace)].join(';');
}

const EMPTY_SET = {
  objects: 0,
  tombstones: 0,
  dataUsedBytes: 0,
  truncateLut: 0,
  isTruncating: false,
  isIndexPopulating: false,
};

function configOf(source: InfoSource, namespace: NamespaceSource): NamespaceConfig {
  const found = source.config.namespaces.find(config => config.name === namespace.name);
  if (found === undefined) throw new Error(`namespace ${namespace.name} has no configuration`);
  return found;
}

/** Sets of a namespace: those with records, then those that only the configuration names. */
export function setsOf(source: InfoSource, namespace: NamespaceSource): SetFigures[] {
  const sets = namespace.sets();
  const known = new Set(sets.map(({ name }) => name));
  const configured = [...configOf(source, namespace).sets.keys()].filter(name => !known.has(name));
  return [...sets, ...configured.map(name => ({ name, ...EMPTY_SET }))];
}

/** `objects=…:…:stop-writes-size=0;`, with the end that the reference puts after every set. */
function setText(config: NamespaceConfig, set: SetFigures): string {
  const figures = [
    `objects=${set.objects}`,
    `tombstones=${set.tombstones}`,
    `data_used_bytes=${set.dataUsedBytes}`,
    `truncate_lut=${set.truncateLut}`,
    'sindexes=0',
    `index_populating=${set.isIndexPopulating}`,
    `truncating=${set.isTruncating}`,
  ];
  return `${[...figures, ...setSettings(config, set.name)].join(':')};`;
}

function namespaceSets(source: InfoSource, namespace: NamespaceSource): string {
  const config = configOf(source, namespace);
  return setsOf(source, namespace)
    .map(set => `ns=${namespace.name}:set=${set.name}:${setText(config, set)}`)
    .join('');
}

function sets(source: InfoSource, args: string): string {
  if (args === '') return source.namespaces.map(namespace => namespaceSets(source, namespace)).join('');
  const slash = args.indexOf('/');
  const namespace = findNamespace(source, slash === -1 ? args : args.slice(0, slash));
  if (namespace === undefined) return 'ns_type=unknown';
  if (slash === -1) return namespaceSets(source, namespace);
  const found = setsOf(source, namespace).find(set => set.name === args.slice(slash + 1));
  return found === undefined ? '' : setText(configOf(source, namespace), found);
}

export const NAMESPACE_COMMANDS: InfoTable = {
  namespaces: info('names of the namespaces', source => source.namespaces.map(({ name }) => name).join(';')),
  namespace: info('/<namespace>: statistics and configuration', namespaceAnswer),
  sets: info('[/<namespace>[/<set>]]: figures and configuration of sets', sets),
  objects: info(
    'records of all namespaces',
    source => `${source.namespaces.reduce((sum, namespace) => sum + namespace.figures().objects, 0)}`,
  ),
  'index-pressure': info('memory of indexes that are not in memory: there are none', () => ''),
};
