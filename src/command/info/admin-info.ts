/**
 * What an operator asks when something is wrong: dumps into the log, the state of cluster metadata, devices.
 * Source: protocol 02, sections 15 and 16.
 */
import { InfoParams } from '../../wire/info.js';
import { clusterKeyText } from './cluster-view.js';
import { type InfoCommand, type InfoTable, info, NO_NAMESPACE } from './command.js';
import { findNamespace, type InfoSource } from './source.js';

/** Writes lines to the log and answers `ok`. */
function dump(help: string, lines: (source: InfoSource) => readonly string[]): InfoCommand {
  return {
    permission: 'logging-ctrl',
    help: `${help}, into the log`,
    answer: source => {
      const log = source.log.context('info');
      for (const line of lines(source)) log.info(line);
      return 'ok';
    },
  };
}

function clusterLines({ cluster, partitions }: InfoSource): string[] {
  return [
    `cluster: key ${clusterKeyText(cluster.clusterKey)} generation ${cluster.generation} ` +
      `principal ${cluster.successionList[0]} stable ${cluster.isStable}`,
    `cluster: succession list ${cluster.successionList.join(' ')} (this node ${partitions.nodeId})`,
  ];
}

function writeBlockSummary(source: InfoSource, args: string): string {
  const params = new InfoParams(args);
  const verbose = params.get('verbose');
  if (verbose !== 'true' && verbose !== 'false') return "ERROR:4:'verbose' may be either 'true' or 'false'";
  const name = params.get('namespace') ?? params.get('ns');
  if (name === undefined) return "ERROR:20:missing 'namespace'";
  const namespace = findNamespace(source, name);
  if (namespace === undefined) return NO_NAMESPACE;
  const log = source.log.context('info');
  for (const device of namespace.figures().devices) {
    log.info(
      `write blocks: {${name}} ${device.name}: free ${device.freeWriteBlocks} queued ${device.writeQueue} ` +
        `to defrag ${device.defragQueue} used-bytes ${device.usedBytes}`,
    );
  }
  return 'ok';
}

const SMD_MODULES = ['evict', 'sindex', 'truncate', 'UDF'] as const;
/** Modules that the reference has too, without items as long as their features are not there. */
const SMD_EMPTY_MODULES = ['roster', 'XDR', 'masking'];

/** Cluster metadata: a single node is its principal and has no items. */
function smdInfo({ cluster, partitions }: InfoSource): string {
  const principal = cluster.successionList[0]!;
  const state = principal === partitions.nodeId ? 'pr' : 'npr';
  const head = [
    'smd:n_pending_sets=0',
    'n_events=0',
    `n_nodes=${cluster.successionList.length}`,
    `principal=${principal}`,
    `cluster_key=${clusterKeyText(cluster.clusterKey)}`,
  ];
  const modules = SMD_MODULES.map(name => `${name}:committed_key=0,committed_tid=0,n_keys=0,state=${state}`);
  return `${[head.join(','), ...modules].join(';')};`;
}

function smdShow(source: InfoSource, args: string): string {
  const module = new InfoParams(args).get('module');
  if (module === undefined) return "ERROR:4:missing 'module'";
  if (module === 'security') return 'ERROR:22:security metadata is not shown';
  if (module === 'evict') {
    const kept = source.namespaces.map(
      ({ name }) => [name, source.evictions.state(name).keptVoidTimeSec] as const,
    );
    const items = kept.filter(([, voidTimeSec]) => voidTimeSec > 0);
    return items.map(([name, voidTimeSec]) => `${name}=${voidTimeSec}`).join(';') || '<empty>';
  }
  return [...SMD_MODULES, ...SMD_EMPTY_MODULES].includes(module) ? '<empty>' : "ERROR:4:bad 'module'";
}

function physicalDevices(source: InfoSource, args: string): string {
  const path = new InfoParams(args).get('path');
  if (path === undefined) return "ERROR:4:missing 'path'";
  const isOurs = source.namespaces.some(namespace =>
    namespace.figures().devices.some(({ name }) => name === path),
  );
  return isOurs ? `physical-device=${path}:age=-1` : "ERROR:4:'path' is no device of this node";
}

export const ADMIN_COMMANDS: InfoTable = {
  'dump-cluster': dump('members of the cluster', clusterLines),
  'dump-hb': dump('heartbeat', ({ cluster }) => [`heartbeat: peers ${cluster.peers.length}`]),
  'dump-fabric': dump('connections between nodes', ({ cluster }) => [
    `fabric: peers ${cluster.peers.length}`,
  ]),
  'dump-migrates': dump('migrations', ({ cluster }) => [
    `migrations: remaining ${cluster.migrationsRemaining}`,
  ]),
  'dump-rw': dump('commands under way', source => [
    `commands under way: ${source.gauges().readWritesInProgress}, batches ${source.gauges().batchesInProgress}`,
  ]),
  'dump-skew': dump('differences of clocks', () => ['clock skew: 0 ms']),
  'dump-wb-summary': {
    permission: 'logging-ctrl',
    help: 'namespace verbose=true|false: write blocks, into the log',
    answer: writeBlockSummary,
  },
  'smd-info': info('state of the cluster metadata', smdInfo),
  'smd-show': info('module: items of the cluster metadata', smdShow),
  'physical-devices': info('path: disks under a device, and their age', physicalDevices),
};
