/**
 * Where the nodes of the cluster are, and whether they agree. Peers are the other nodes: a node never lists
 * itself. Source: protocol 02, sections 5 and 15.
 */
import { InfoParams } from '../../wire/info.js';
import { endpoint } from './addresses.js';
import { clusterKeyText, type Peer } from './cluster-view.js';
import { deprecated, type InfoTable, info, NO_NAMESPACE } from './command.js';
import { findNamespace, type InfoSource } from './source.js';

/** Port of an address without one in a peers list. */
const DEFAULT_PORT = 3000;

type AddressKind = 'clear' | 'alternate';

/** `<generation>,<default port>,[[<node id>,<tls name>,[<address>,…]],…]` */
function peersText(generation: number, peers: readonly Peer[], kind: AddressKind): string {
  const rows = peers
    .filter(peer => peer[kind].length > 0)
    .map(peer => `[${peer.nodeId},,[${peer[kind].join(',')}]]`);
  return `${generation},${DEFAULT_PORT},[${rows.join(',')}]`;
}

/** A caller who knows the present generation is told of no changes; any other gets the whole list. */
function peersAnswer(source: InfoSource, args: string, list: 'peers' | 'alumni', kind: AddressKind): string {
  const { peersGeneration } = source.cluster;
  const known = new InfoParams(args).get('generation');
  const isUpToDate = known !== undefined && Number(known) >= peersGeneration;
  return peersText(peersGeneration, isUpToDate ? [] : source.cluster[list], kind);
}

function clusterStable(source: InfoSource, args: string): string {
  const params = new InfoParams(args);
  const { cluster } = source;
  const size = params.get('size');
  const ignoresMigrations = params.get('ignore-migrations') ?? 'false';
  const namespace = params.get('namespace');
  if (size !== undefined && !/^\d{1,9}$/.test(size)) return "ERROR:4:'size' must be an integer";
  if (ignoresMigrations !== 'true' && ignoresMigrations !== 'false') {
    return "ERROR:4:'ignore-migrations' may be either 'true' or 'false'";
  }
  if (namespace !== undefined && findNamespace(source, namespace) === undefined) return NO_NAMESPACE;
  if (size !== undefined && Number(size) !== cluster.successionList.length) {
    return 'ERROR:7:cluster not specified size';
  }
  const isMoving = ignoresMigrations === 'false' && cluster.migrationsRemaining > 0;
  if (!cluster.isStable || isMoving) return 'ERROR:7:unstable cluster';
  return clusterKeyText(cluster.clusterKey);
}

function tip(source: InfoSource, args: string): string {
  const params = new InfoParams(args);
  const host = params.get('host');
  const port = parsePort(params.get('port'));
  if (host === undefined || host === '') return "ERROR:4:missing 'host'";
  if (port === undefined) return "ERROR:4:missing or bad 'port'";
  if (params.get('tls') === 'true') return 'ERROR:25:enterprise only';
  source.cluster.addSeed(host, port);
  return 'ok';
}

function tipClear(source: InfoSource, args: string): string {
  const list = new InfoParams(args).get('host-port-list');
  if (list === undefined) return "ERROR:4:missing 'host-port-list'";
  let cleared = 0;
  let missing = 0;
  if (list === 'all') {
    source.cluster.clearSeeds(); // not counted in the answer, as recorded of the reference
  } else {
    for (const item of list.split(',')) {
      const [, host, port] = item.match(/^(.+):(\d+)$/) ?? [];
      if (host !== undefined && source.cluster.removeSeed(host, Number(port))) cleared += 1;
      else missing += 1;
    }
  }
  return cleared > 0 && missing === 0 ? 'ok' : `ERROR::${cleared} cleared, ${missing} not found`;
}

function parsePort(text: string | undefined): number | undefined {
  const port = Number(text);
  return text !== undefined && Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}

function endpoints(source: InfoSource): string {
  const { networkService, heartbeat, fabric } = source.config;
  return [
    `service.port=${networkService.toText('port')}`,
    `service.addresses=${networkService.list('address').join(',')}`,
    `service.access-port=${networkService.toText('access-port')}`,
    `service.access-addresses=${networkService.list('access-address').join(',')}`,
    `service.alternate-access-port=${networkService.toText('alternate-access-port')}`,
    `service.alternate-access-addresses=${networkService.list('alternate-access-address').join(',')}`,
    `heartbeat.port=${heartbeat.toText('port')}`,
    `heartbeat.addresses=${heartbeat.list('address').join(',')}`,
    `fabric.port=${fabric.toText('port')}`,
    `fabric.addresses=${fabric.list('address').join(',')}`,
  ].join(';');
}

/** The address that the heartbeat is configured to listen on. */
function mesh({ config: { heartbeat } }: InfoSource): string {
  if (heartbeat.string('mode') !== 'mesh') return 'ERROR:4:heartbeat is in multicast mode';
  return heartbeat
    .list('address')
    .map(host => endpoint(host, heartbeat.number('port')))
    .join(',');
}

export const CLUSTER_COMMANDS: InfoTable = {
  service: deprecated("this node's addresses", source => source.addresses.clear.join(';')),
  'service-clear-std': info("this node's addresses", source => source.addresses.clear.join(',')),
  'service-clear-alt': info("this node's alternate addresses", source =>
    source.addresses.alternate.join(','),
  ),
  'admin-clear-std': info("addresses of this node's admin port", () => ''),
  services: deprecated("peers' addresses", ({ cluster }) =>
    cluster.peers.flatMap(peer => peer.clear).join(';'),
  ),
  'services-alternate': deprecated("peers' alternate addresses", ({ cluster }) =>
    cluster.peers.flatMap(peer => peer.alternate).join(';'),
  ),
  'services-alumni': deprecated('addresses of all nodes ever seen', ({ cluster }) =>
    cluster.alumni.flatMap(peer => peer.clear).join(';'),
  ),
  'peers-generation': info('moves when a peers list does', source => `${source.cluster.peersGeneration}`),
  'peers-clear-std': info('peers', (source, args) => peersAnswer(source, args, 'peers', 'clear')),
  'peers-clear-alt': info('peers, by alternate addresses', (source, args) =>
    peersAnswer(source, args, 'peers', 'alternate'),
  ),
  'alumni-clear-std': info('peers, departed ones included', (source, args) =>
    peersAnswer(source, args, 'alumni', 'clear'),
  ),
  'alumni-clear-alt': info('peers, departed ones included, by alternate addresses', (source, args) =>
    peersAnswer(source, args, 'alumni', 'alternate'),
  ),
  'cluster-stable': info('[size] [ignore-migrations] [namespace]: cluster key, if all agree', clusterStable),
  'get-sl': info('succession list', ({ cluster }) => cluster.successionList.join(',')),
  endpoints: info('configured ports and addresses', endpoints),
  mesh: deprecated('heartbeat address', mesh),
  mcast: deprecated('heartbeat multicast group', ({ config: { heartbeat } }) =>
    // The reference's answer in mesh mode says the opposite of what it means, and tools know it so.
    heartbeat.string('mode') === 'mesh'
      ? 'ERROR:4:heartbeat is in multicast mode'
      : heartbeat
          .list('multicast-group')
          .map(host => endpoint(host, heartbeat.number('port')))
          .join(','),
  ),
  recluster: {
    permission: 'service-ctrl',
    help: 'the principal forms the cluster anew',
    answer: ({ cluster, partitions }) =>
      cluster.successionList[0] === partitions.nodeId ? 'ok' : 'ignored-by-non-principal',
  },
  tip: { permission: 'service-ctrl', help: 'host port: a node to look for', answer: tip },
  'tip-clear': {
    permission: 'service-ctrl',
    help: 'host-port-list=all|host:port,…: nodes to look for no more',
    answer: tipClear,
  },
};
