/**
 * A whole configuration: reads the file, checks every name and value against the tables and what depends on
 * several of them, and gives each part of the server its settings. All mistakes are reported together.
 */
import { readFileSync } from 'node:fs';
import type { LogSinkConfig } from '../observe/log-config.js';
import { ConfigError, describeProblem } from './config-error.js';
import { Findings, knownContexts, lineOf, readSettings } from './context-reader.js';
import { DEFAULT_CONFIG_NAME, DEFAULT_CONFIG_TEXT } from './default-config.js';
import { levelsAt, readLogSink } from './log-sinks.js';
import { checkNamespaces, type NamespaceConfig, readNamespace } from './namespace-config.js';
import { whyNoNodeId } from './node-id.js';
import { type ConfigContext, parseContexts } from './parser.js';
import type { Settings, SettingsContext } from './settings.js';

const CLUSTER_NAME_MAX = 64; // bytes

export interface ServerConfig {
  readonly service: Settings;
  readonly networkService: Settings;
  readonly heartbeat: Settings;
  readonly fabric: Settings;
  readonly admin: Settings;
  /** At least one; their order is their id in `logs` and `log/ID`. */
  readonly logging: readonly LogSinkConfig[];
  /** At least one, in the file's order. */
  readonly namespaces: readonly NamespaceConfig[];
  /** Lines for the log: what is accepted without effect. */
  readonly warnings: readonly string[];
  /** The file's name, as it was given. */
  readonly source: string;
}

/** @throws ConfigError when the file cannot be read, or with everything that is wrong in it. */
export function loadConfigFile(path: string): ServerConfig {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const reason = `cannot be read: ${(cause as Error).message}`;
    throw new ConfigError(path, [{ line: 0, path: '', reason }], { cause });
  }
  return parseConfig(text, path);
}

/** What runs when no file is named. */
export function defaultConfig(): ServerConfig {
  return parseConfig(DEFAULT_CONFIG_TEXT, DEFAULT_CONFIG_NAME);
}

/**
 * @param filename for messages only.
 * @throws ConfigError with everything that is wrong in the text.
 */
export function parseConfig(text: string, filename: string): ServerConfig {
  const findings = new Findings();
  const root = parseContexts(text, findings.problems);
  for (const item of root.items) findings.refuse(item.line, item.name, 'stands outside of every context');
  const accepted = ['service', 'logging', 'network', 'namespace', 'mod-lua', 'security', 'xdr'];
  const top = knownContexts(root, accepted, '', findings);
  const network = merged(top, 'network');
  const networkParts = readNetworkParts(network, findings);

  const config = {
    service: readPart(merged(top, 'service'), 'service', findings),
    networkService: readPart(merged(networkParts, 'service'), 'network.service', findings),
    heartbeat: readPart(merged(networkParts, 'heartbeat'), 'network.heartbeat', findings),
    fabric: readPart(merged(networkParts, 'fabric'), 'network.fabric', findings),
    admin: readPart(merged(networkParts, 'admin'), 'network.admin', findings),
    logging: readLogging(merged(top, 'logging'), findings),
    namespaces: readNamespaces(top, findings),
  };
  readPart(merged(top, 'mod-lua'), 'mod-lua', findings);
  for (const { name, line } of top) {
    if (name === 'security') {
      const reason =
        'access control is not built in this version, and starting without it would let everybody in';
      findings.refuse(line, name, `${reason}; remove the context`);
    } else if (name === 'xdr') {
      findings.warn(line, name, 'is accepted but has no effect in this version');
    }
  }
  checkService(merged(top, 'service'), config, findings);
  if (findings.problems.length > 0) throw new ConfigError(filename, findings.problems);
  const warnings = findings.warnings
    .sort((a, b) => a.line - b.line)
    .map(({ line, path, reason }) =>
      describeProblem(filename, { line, path: '', reason: `${path} ${reason}` }),
    );
  return { ...config, warnings, source: filename };
}

/** All contexts of one name as one: a file may open `service` twice. */
function merged(contexts: readonly ConfigContext[], name: string): ConfigContext {
  const same = contexts.filter(context => context.name === name);
  const [first] = same;
  const items = same.flatMap(context => context.items);
  return {
    name,
    label: '',
    line: first?.line ?? 0,
    items,
    contexts: same.flatMap(context => context.contexts),
  };
}

function readPart(node: ConfigContext, context: SettingsContext, findings: Findings): Settings {
  knownContexts(node, [], context, findings);
  return readSettings(node, context, context, findings);
}

function readNetworkParts(network: ConfigContext, findings: Findings): ConfigContext[] {
  for (const item of network.items) {
    findings.refuse(
      item.line,
      `network.${item.name}`,
      'stands outside of service, heartbeat, fabric and admin',
    );
  }
  const parts = knownContexts(
    network,
    ['service', 'heartbeat', 'fabric', 'admin', 'info', 'tls'],
    'network',
    findings,
  );
  for (const { name, line } of parts) {
    if (name === 'tls')
      findings.refuse(line, 'network.tls', 'TLS is not built in this version; remove the context');
    if (name === 'info') findings.warn(line, 'network.info', 'is accepted but has no effect in this version');
  }
  return parts;
}

function readLogging(node: ConfigContext, findings: Findings): LogSinkConfig[] {
  for (const item of node.items) {
    findings.refuse(item.line, `logging.${item.name}`, 'stands outside of console, file and syslog');
  }
  const sinks = node.contexts.flatMap(context => readLogSink(context, findings.problems) ?? []);
  return sinks.length > 0 ? sinks : [{ kind: 'console', levels: levelsAt('info') }];
}

function readNamespaces(top: readonly ConfigContext[], findings: Findings): NamespaceConfig[] {
  const nodes = top.filter(context => context.name === 'namespace');
  if (nodes.length === 0) {
    findings.refuse(
      0,
      'namespace',
      'is missing; there must be at least one: namespace NAME { storage-engine … }',
    );
  }
  checkNamespaces(nodes, findings);
  return nodes.map(node => readNamespace(node, findings));
}

/** What holds between settings of the service, beyond the tables. */
function checkService(
  node: ConfigContext,
  { service, networkService }: Pick<ServerConfig, 'service' | 'networkService'>,
  findings: Findings,
): void {
  const nodeId = service.string('node-id');
  const wrongId = nodeId === '' ? undefined : whyNoNodeId(nodeId);
  if (wrongId !== undefined) findings.refuse(lineOf(node, 'node-id'), 'service.node-id', wrongId);
  if (Buffer.byteLength(service.string('cluster-name')) > CLUSTER_NAME_MAX) {
    const reason = `is too long; accepted: up to ${CLUSTER_NAME_MAX} bytes`;
    findings.refuse(lineOf(node, 'cluster-name'), 'service.cluster-name', reason);
  }
  const httpPort = service.number('http-port');
  if (httpPort !== 0 && httpPort === networkService.number('port')) {
    findings.refuse(lineOf(node, 'http-port'), 'service.http-port', 'is the port of network.service too');
  }
}
