/**
 * What the info commands about configuration answer: get-config and set-config. All of it is text to text;
 * set-config changes the settings, whose owners then hear of it.
 * Source: protocol 02, sections 13 and 14; vectors/info.json.
 */
import { type NamespaceConfig, whyNoSetName } from './namespace-config.js';
import type { SettingValue } from './schema.js';
import type { ServerConfig } from './server-config.js';
import { Settings } from './settings.js';

const OK = 'ok';
const INVALID_PARAMETER = 'ERROR:4:invalid set-config parameter';
const INVALID_CONTEXT = 'ERROR:4:invalid context';
const MISSING_CONTEXT = "ERROR:4:missing 'context'";
const MISSING_NAMESPACE = "ERROR:20:missing 'namespace'";
const UNKNOWN_NAMESPACE = 'ERROR:20:namespace not found on node';

/**
 * Answers `get-config:` and its contexts.
 * @param params what follows the colon: `` for service and network, `context=namespace;namespace=test`, …
 * @param stripeCountOf memory stripes of a namespace, which the reference prints among its settings.
 */
export function getConfig(
  config: ServerConfig,
  params: string,
  stripeCountOf: (namespace: string) => number = () => 0,
): string {
  const given = parseParams(params);
  switch (given.get('context')) {
    case undefined:
      return [...serviceLines(config), ...networkLines(config)].join(';');
    case 'service':
      return serviceLines(config).join(';');
    case 'network':
      return networkLines(config).join(';');
    case 'namespace': {
      const name = given.get('namespace') ?? given.get('id');
      if (name === undefined) return MISSING_NAMESPACE;
      const namespace = findNamespace(config, name);
      return namespace === undefined
        ? UNKNOWN_NAMESPACE
        : namespaceSettings(namespace, stripeCountOf(name)).join(';');
    }
    // Neither is configured: both contexts are refused or without effect when a file has them.
    case 'security':
    case 'xdr':
      return '';
    default:
      return INVALID_CONTEXT;
  }
}

/** The `name=value` pairs that stand after the statistics in `namespace/NAME`, and alone in get-config. */
export function namespaceSettings(namespace: NamespaceConfig, stripeCount: number): string[] {
  const { settings, engine, storage, geo } = namespace;
  const media = ['file', 'device'].flatMap(name =>
    storage.list(name).flatMap((line, index) => {
      const [path, shadow] = line.split(' ');
      const row = `storage-engine.${name}[${index}]`;
      return shadow === undefined ? [`${row}=${path}`] : [`${row}=${path}`, `${row}.shadow=${shadow}`];
    }),
  );
  if (engine === 'memory') {
    for (let index = 0; index < stripeCount; index++)
      media.push(`storage-engine.stripe[${index}]=stripe-${index}`);
  }
  return [
    ...pairs(settings, ''),
    ...pairs(geo, 'geo2dsphere-within.'),
    'index-type=mem',
    'sindex-type=mem',
    `storage-engine=${engine}`,
    ...media,
    ...pairs(storage, 'storage-engine.', ['file', 'device']),
  ];
}

/** The `name=value` pairs of a set in the `sets` answer; a set without settings of its own has the defaults. */
export function setSettings(namespace: NamespaceConfig, set: string): string[] {
  return pairs(namespace.sets.get(set) ?? DEFAULT_SET, '');
}

/**
 * Answers `set-config:`. Several settings of one context may stand in one command; when one of them is not
 * accepted, none is changed.
 * @param params what follows the colon: `context=service;proto-fd-max=9000`.
 */
export function applySetConfig(config: ServerConfig, params: string): string {
  const given = parseParams(params);
  const context = given.get('context');
  given.delete('context');
  if (context === undefined) return MISSING_CONTEXT;
  if (context === 'service') return change(given, name => [config.service, name]);
  if (context === 'network') return change(given, name => networkTarget(config, name));
  if (context !== 'namespace') return INVALID_CONTEXT;

  const name = given.get('namespace') ?? given.get('id');
  if (name === undefined) return MISSING_NAMESPACE;
  const namespace = findNamespace(config, name);
  if (namespace === undefined) return UNKNOWN_NAMESPACE;
  const set = given.get('set');
  for (const addressed of ['namespace', 'id', 'set']) given.delete(addressed);
  if (set === undefined) return change(given, setting => namespaceTarget(namespace, setting));
  if (whyNoSetName(set) !== undefined) return INVALID_PARAMETER;
  const settings = namespace.sets.get(set) ?? new Settings('namespace.set');
  const answer = change(given, setting => [settings, setting]);
  if (answer === OK) namespace.sets.set(set, settings);
  return answer;
}

const DEFAULT_SET = new Settings('namespace.set');

/** `a=b;c=d;` as a map; the last of several wins, and a part without `=` has an empty value. */
function parseParams(params: string): Map<string, string> {
  const given = new Map<string, string>();
  for (const part of params.split(';')) {
    if (part === '') continue;
    const at = part.indexOf('=');
    if (at < 0) given.set(part, '');
    else given.set(part.slice(0, at), part.slice(at + 1));
  }
  return given;
}

function serviceLines({ service }: ServerConfig): string[] {
  return pairs(service, '');
}

function networkLines({ networkService, admin, heartbeat, fabric }: ServerConfig): string[] {
  return [
    ...pairs(networkService, 'service.', [], name => toldAddresses(networkService, name)),
    ...pairs(admin, 'admin.'),
    ...pairs(heartbeat, 'heartbeat.'),
    ...pairs(fabric, 'fabric.'),
  ];
}

/** Without an access-address, clients are told the addresses that we listen on, unless that is all of them. */
function toldAddresses(networkService: Settings, name: string): readonly string[] {
  const told = networkService.list(name);
  if (name !== 'access-address' || told.length > 0) return told;
  const listened = networkService.list('address');
  return listened.includes('any') ? told : listened;
}

/**
 * `prefix name=value` of what a context lists. A list prints a pair for each of its elements, so none when empty.
 * @param without names to leave out.
 */
function pairs(
  settings: Settings,
  prefix: string,
  without: readonly string[] = [],
  elementsOf: (name: string) => readonly string[] = name => settings.list(name),
): string[] {
  const lines: string[] = [];
  for (const name of settings.names()) {
    const row = settings.row(name)!;
    if (!row.isListed || without.includes(name)) continue;
    if (typeof row.default !== 'object') lines.push(`${prefix}${name}=${settings.toText(name)}`);
    else for (const element of elementsOf(name)) lines.push(`${prefix}${name}=${element.replace(' ', ':')}`);
  }
  return lines;
}

function findNamespace({ namespaces }: ServerConfig, name: string): NamespaceConfig | undefined {
  return namespaces.find(namespace => namespace.name === name);
}

type Target = readonly [settings: Settings, name: string];

/** `heartbeat.interval` is the interval of the heartbeat context; a name without a dot is nowhere. */
function networkTarget(config: ServerConfig, name: string): Target | undefined {
  const parts: Readonly<Record<string, Settings>> = {
    service: config.networkService,
    admin: config.admin,
    heartbeat: config.heartbeat,
    fabric: config.fabric,
  };
  const [part = '', setting = ''] = name.split('.');
  const settings = Object.hasOwn(parts, part) ? parts[part] : undefined;
  return settings === undefined ? undefined : [settings, setting];
}

/** Storage settings go by their bare name or after `storage-engine.`, as the tools send them. */
function namespaceTarget({ settings, storage, geo }: NamespaceConfig, name: string): Target {
  const geoName = /^geo2dsphere-within[.-](.*)$/.exec(name)?.[1];
  if (geoName !== undefined) return [geo, geoName];
  const bare = name.replace(/^storage-engine\./, '');
  const isStorage = bare !== name || (settings.row(name) === undefined && storage.row(name) !== undefined);
  return isStorage ? [storage, bare] : [settings, name];
}

/** Checks all, then changes all. */
function change(given: ReadonlyMap<string, string>, targetOf: (name: string) => Target | undefined): string {
  const changes: { settings: Settings; name: string; value: SettingValue }[] = [];
  for (const [param, text] of given) {
    const target = targetOf(param);
    if (target === undefined) return INVALID_PARAMETER;
    const [settings, name] = target;
    const checked = settings.checkDynamic(name, text);
    if ('reason' in checked) return INVALID_PARAMETER;
    changes.push({ settings, name, value: checked.value });
  }
  if (changes.length === 0) return INVALID_PARAMETER;
  for (const { settings, name, value } of changes) settings.put(name, value);
  return OK;
}
