/**
 * One `namespace NAME` context with everything inside it, and the rules that hold between its settings.
 */
import { resolve } from 'node:path';
import { type Findings, knownContexts, lineOf, readSettings } from './context-reader.js';
import type { ConfigContext } from './parser.js';
import { Settings, type SettingsJson } from './settings.js';
import { OF_FILES, STORAGE_ENGINES, type StorageEngine } from './storage-settings.js';

/** Bytes of a namespace name and of a set name at most. Source: protocol 01, its table of limits. */
export const NAMESPACE_NAME_MAX = 31;
export const SET_NAME_MAX = 63;

/** Separators of the info protocol, which could not be told from the name. */
const FORBIDDEN_IN_NAME = /[\s:;,=/]/;

export interface NamespaceConfig {
  readonly name: string;
  readonly settings: Settings;
  readonly engine: StorageEngine;
  readonly storage: Settings;
  /** Sets that the file or set-config names. Others have no settings of their own. */
  readonly sets: Map<string, Settings>;
  readonly geo: Settings;
}

/** Whether the records of a namespace lie on files or devices, whether in memory too or not. */
export function isOnFiles({ engine, storage }: NamespaceConfig): boolean {
  return engine === 'device' || storage.list('file').length > 0 || storage.list('device').length > 0;
}

/** What a worker thread gets of a namespace: plain data that a structured clone carries. */
export interface NamespaceConfigJson {
  readonly name: string;
  readonly settings: SettingsJson;
  readonly engine: StorageEngine;
  readonly storage: SettingsJson;
  readonly sets: Readonly<Record<string, SettingsJson>>;
  readonly geo: SettingsJson;
}

export function namespaceToJson({
  name,
  settings,
  engine,
  storage,
  sets,
  geo,
}: NamespaceConfig): NamespaceConfigJson {
  const setsJson = Object.fromEntries([...sets].map(([set, own]) => [set, own.toJSON()]));
  return {
    name,
    settings: settings.toJSON(),
    engine,
    storage: storage.toJSON(),
    sets: setsJson,
    geo: geo.toJSON(),
  };
}

export function namespaceFromJson(json: NamespaceConfigJson): NamespaceConfig {
  const sets = Object.entries(json.sets).map(
    ([set, own]) => [set, Settings.fromJSON('namespace.set', own)] as const,
  );
  return {
    name: json.name,
    settings: Settings.fromJSON('namespace', json.settings),
    engine: json.engine,
    storage: Settings.fromJSON(`storage.${json.engine}`, json.storage),
    sets: new Map(sets),
    geo: Settings.fromJSON('namespace.geo2dsphere-within', json.geo),
  };
}

/** Why a set cannot be called so, or undefined. */
export function whyNoSetName(name: string): string | undefined {
  return whyNoName(name, SET_NAME_MAX);
}

/** Reads one `namespace` context; what is wrong with it goes to `findings`. */
export function readNamespace(node: ConfigContext, findings: Findings): NamespaceConfig {
  const name = node.label;
  const path = `namespace.${name}`;
  const unnamed = whyNoName(name, NAMESPACE_NAME_MAX);
  if (unnamed !== undefined) findings.refuse(node.line, name === '' ? 'namespace' : path, unnamed);
  // `storage-engine memory` may stand without braces.
  const engineItem = node.items.find(item => item.name === 'storage-engine');
  const items = node.items.filter(item => item !== engineItem);
  const settings = readSettings({ ...node, items }, 'namespace', path, findings);
  const accepted = ['storage-engine', 'set', 'geo2dsphere-within', 'index-type', 'sindex-type'];
  const inner = knownContexts(node, accepted, path, findings);
  const engines = inner.filter(context => context.name === 'storage-engine');
  if (engineItem !== undefined) {
    engines.push({
      name: 'storage-engine',
      label: engineItem.value,
      line: engineItem.line,
      items: [],
      contexts: [],
    });
  }
  const namespace = {
    name,
    settings,
    ...readEngine(node, engines, path, findings),
    sets: readSets(inner, path, findings),
    geo: new Settings('namespace.geo2dsphere-within'),
  };
  for (const context of inner) {
    const innerPath = `${path}.${context.name}`;
    if (context.name === 'geo2dsphere-within') {
      namespace.geo = readSettings(context, 'namespace.geo2dsphere-within', innerPath, findings);
      if (namespace.geo.number('min-level') > namespace.geo.number('max-level')) {
        findings.refuse(lineOf(context, 'max-level'), `${innerPath}.max-level`, 'is below min-level');
      }
    } else if (context.name.endsWith('index-type')) {
      readIndexType(context, innerPath, findings);
    }
    if (context.name !== 'storage-engine') knownContexts(context, [], innerPath, findings);
  }
  checkTtl(node, namespace, inner, path, findings);
  if (settings.isSet('replication-factor') && settings.number('replication-factor') > 1) {
    const reason = 'has no effect beyond 1 in this version, which runs a single node';
    findings.warn(lineOf(node, 'replication-factor'), `${path}.replication-factor`, reason);
  }
  return namespace;
}

function readEngine(
  namespace: ConfigContext,
  contexts: readonly ConfigContext[],
  namespacePath: string,
  findings: Findings,
): Pick<NamespaceConfig, 'engine' | 'storage'> {
  const [node, ...more] = contexts;
  const path = `${namespacePath}.storage-engine`;
  for (const { line } of more) findings.refuse(line, path, `is there already, in line ${node!.line}`);
  const engine = STORAGE_ENGINES.find(known => known === node?.label);
  if (node === undefined || engine === undefined) {
    const wrong = node === undefined ? 'is missing' : `'${node.label}' is no storage engine`;
    findings.refuse(node?.line ?? namespace.line, path, `${wrong}; accepted: ${STORAGE_ENGINES.join(', ')}`);
    return { engine: 'memory', storage: new Settings('storage.memory') };
  }
  knownContexts(node, [], path, findings);
  const storage = readSettings(node, `storage.${engine}`, path, findings);
  const isRaw = storage.isSet('device');
  if (isRaw && storage.isSet('file')) {
    const reason = 'is not possible beside device; a namespace lies on files or on devices';
    findings.refuse(lineOf(node, 'file'), `${path}.file`, reason);
  }
  const isBacked = engine === 'device' || isRaw || storage.list('file').length > 0;
  const needs = isRaw ? [] : isBacked ? ['file', 'filesize'] : ['data-size'];
  for (const name of needs) {
    const items = node.items.filter(item => item.name === name || item.name === 'device');
    if (!storage.isSet(name) && items.length > 0) continue; // a wrong one is reported already
    if (name === 'file' ? storage.list(name).length > 0 : storage.number(name) > 0) continue;
    const or = isBacked ? ', or device' : '';
    const reason = `is missing; storage-engine ${engine} needs ${needs.join(' and ')}${or}`;
    findings.refuse(lineOf(node, name), `${path}.${name}`, reason);
  }
  if (engine === 'memory') checkMemory(node, storage, isBacked, path, findings);
  checkEncryption(node, storage, path, findings);
  return { engine, storage };
}

/** What memory has no use for: a size beside the files that give it one, and what only files need without them. */
function checkMemory(
  node: ConfigContext,
  storage: Settings,
  isBacked: boolean,
  path: string,
  findings: Findings,
): void {
  if (isBacked) {
    if (!storage.isSet('data-size')) return;
    const reason = 'is not possible beside file: the memory is as large as the files; remove one of them';
    findings.refuse(lineOf(node, 'data-size'), `${path}.data-size`, reason);
    return;
  }
  for (const { name, line } of node.items) {
    if (OF_FILES.includes(name))
      findings.warn(line, `${path}.${name}`, 'is accepted but has no effect without file');
  }
  if (storage.boolean('commit-to-device')) {
    const reason = 'waits for files, and none is named; name a file, or remove the line';
    findings.refuse(lineOf(node, 'commit-to-device'), `${path}.commit-to-device`, reason);
  }
  if (storage.string('encryption-key-file') === '' && storage.string('encryption') === 'none') return;
  const reason = 'encrypts files, and none is named; name a file, or take encryption out';
  findings.refuse(lineOf(node, 'encryption-key-file'), `${path}.encryption-key-file`, reason);
}

/** A key file is what encrypts; it means aes-128 unless the algorithm is named, as on the reference. */
function checkEncryption(node: ConfigContext, storage: Settings, path: string, findings: Findings): void {
  const hasKeyFile = storage.string('encryption-key-file') !== '';
  const isNone = storage.string('encryption') === 'none';
  if (!hasKeyFile && !isNone) {
    findings.refuse(lineOf(node, 'encryption'), `${path}.encryption`, 'needs an encryption-key-file');
  }
  if (hasKeyFile && isNone && storage.isSet('encryption')) {
    const reason = 'is none, but an encryption-key-file is named; leave one of them out';
    findings.refuse(lineOf(node, 'encryption'), `${path}.encryption`, reason);
  }
  if (!hasKeyFile && storage.string('encryption-old-key-file') !== '') {
    const name = 'encryption-old-key-file';
    findings.refuse(lineOf(node, name), `${path}.${name}`, 'needs the new encryption-key-file beside it');
  }
}

function readSets(inner: readonly ConfigContext[], path: string, findings: Findings): Map<string, Settings> {
  const sets = new Map<string, Settings>();
  for (const node of inner.filter(context => context.name === 'set')) {
    const setPath = `${path}.set.${node.label}`;
    const unnamed = whyNoSetName(node.label) ?? (sets.has(node.label) ? 'is there already' : undefined);
    if (unnamed !== undefined) findings.refuse(node.line, setPath, unnamed);
    sets.set(node.label, readSettings(node, 'namespace.set', setPath, findings));
  }
  return sets;
}

/** `mem` is what we have. `shmem` promises a fast restart only; the others promise room that memory has not. */
function readIndexType(node: ConfigContext, path: string, findings: Findings): void {
  if (node.label === 'shmem') {
    findings.warn(node.line, `${path} shmem`, 'is accepted but has no effect in this version');
  } else if (node.label !== 'mem') {
    findings.refuse(node.line, path, `'${node.label}' is not built in this version; accepted: mem, shmem`);
    return;
  }
  readSettings(node, 'namespace.index-type', path, findings);
}

/** A default ttl is of no use when nothing removes what expired; the reference refuses it too. */
function checkTtl(
  node: ConfigContext,
  { settings, sets }: Pick<NamespaceConfig, 'settings' | 'sets'>,
  inner: readonly ConfigContext[],
  path: string,
  findings: Findings,
): void {
  if (settings.number('nsup-period') > 0 || settings.boolean('allow-ttl-without-nsup')) return;
  const reason = 'needs a nsup-period above 0, or allow-ttl-without-nsup true';
  if (settings.number('default-ttl') > 0) {
    findings.refuse(lineOf(node, 'default-ttl'), `${path}.default-ttl`, reason);
  }
  for (const context of inner.filter(({ name }) => name === 'set')) {
    if ((sets.get(context.label)?.number('default-ttl') ?? 0) > 0) {
      findings.refuse(lineOf(context, 'default-ttl'), `${path}.set.${context.label}.default-ttl`, reason);
    }
  }
}

/** Notes namespaces of one name, and files that two of them, or one twice, would write. */
export function checkNamespaces(nodes: readonly ConfigContext[], findings: Findings): void {
  const names = new Map<string, number>();
  const files = new Map<string, number>();
  for (const node of nodes) {
    const path = `namespace.${node.label}`;
    const firstAt = names.get(node.label);
    if (firstAt !== undefined) findings.refuse(node.line, path, `is there already, in line ${firstAt}`);
    else names.set(node.label, node.line);
    for (const item of node.contexts.flatMap(context => context.items)) {
      if (item.name !== 'file' && item.name !== 'device') continue;
      for (const name of item.value.split(/\s+/)) {
        const file = resolve(name);
        const usedAt = files.get(file);
        if (usedAt === undefined) files.set(file, item.line);
        else
          findings.refuse(
            item.line,
            `${path}.storage-engine.${item.name}`,
            `'${name}' is used in line ${usedAt} already`,
          );
      }
    }
  }
}

function whyNoName(name: string, sizeMax: number): string | undefined {
  if (name === '') return 'has no name; it stands before the brace';
  if (FORBIDDEN_IN_NAME.test(name)) return `'${name}' is no name: blanks and : ; , = / may not be in it`;
  if (Buffer.byteLength(name) > sizeMax) return `'${name}' is too long; a name has at most ${sizeMax} bytes`;
  return undefined;
}
