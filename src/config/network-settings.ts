/**
 * Settings of the contexts inside `network`: what we listen on, and what we tell others to connect to.
 * TLS is not built, so naming any part of it stops the start: clients that were to be encrypted must not
 * end up on an open port.
 */
import type { SettingRow } from './schema.js';
import {
  boolean,
  choice,
  I32_MAX,
  integer,
  list,
  milliseconds,
  orZero,
  text,
  U32_MAX,
  unlisted,
} from './schema.js';

const PORTS = [1024, 65_535] as const;
const TLS = 'TLS encrypts and authenticates connections';
const NO_LOCALHOST = 'keeps the loopback address closed';

/** `network.service`: where clients connect. Port 0 takes any free port, which suits tests. */
export const NETWORK_SERVICE_SETTINGS: readonly SettingRow[] = [
  orZero(integer('port', 3000, PORTS, 'static honoured', 'client connections; 0 takes a free port')),
  list('address', 'addresses', ['any'], 'static honoured', 'listens on these; any is all interfaces'),
  orZero(integer('access-port', 0, PORTS, 'static honoured', 'port told to clients; 0 is the listening one')),
  list('access-address', 'addresses', [], 'static honoured', 'addresses told to clients'),
  orZero(integer('alternate-access-port', 0, PORTS, 'static honoured', 'the same for alternate addresses')),
  list(
    'alternate-access-address',
    'addresses',
    [],
    'static honoured',
    'told to clients that ask for alternates',
  ),
  orZero(integer('tls-port', 0, PORTS, 'static refused', TLS)),
  list('tls-address', 'addresses', [], 'static refused', TLS),
  orZero(integer('tls-access-port', 0, PORTS, 'static refused', TLS)),
  list('tls-access-address', 'addresses', [], 'static refused', TLS),
  orZero(integer('tls-alternate-access-port', 0, PORTS, 'static refused', TLS)),
  list('tls-alternate-access-address', 'addresses', [], 'static refused', TLS),
  text('tls-name', '', 'static refused', TLS),
  list('tls-authenticate-client', 'texts', [], 'static refused', TLS),
  boolean('disable-localhost', false, 'static refused', NO_LOCALHOST),
];

/** `network.admin`: a port for operators alone. */
export const ADMIN_SETTINGS: readonly SettingRow[] = [
  orZero(integer('port', 0, PORTS, 'static known', 'connections of operators')),
  list('address', 'addresses', [], 'static known', 'listens on these for operators'),
  orZero(integer('tls-port', 0, PORTS, 'static refused', TLS)),
  list('tls-address', 'addresses', [], 'static refused', TLS),
  text('tls-name', '', 'static refused', TLS),
  list('tls-authenticate-client', 'texts', [], 'static refused', TLS),
  boolean('disable-localhost', false, 'static refused', NO_LOCALHOST),
];

/** `network.heartbeat`: how nodes find each other. */
export const HEARTBEAT_SETTINGS: readonly SettingRow[] = [
  choice('mode', ['mesh', 'multicast'], 'static known', 'how nodes find each other'),
  list('address', 'addresses', ['any'], 'static known', 'listens on these for heartbeats'),
  list('multicast-group', 'addresses', [], 'static known', 'groups that carry the heartbeats'),
  unlisted(integer('multicast-ttl', 0, [0, 255], 'static known', 'hops of a multicast heartbeat')),
  orZero(integer('port', 0, PORTS, 'static known', 'heartbeats')),
  list(
    'mesh-seed-address-port',
    'endpoints',
    [],
    'static known',
    'nodes to ask first: there is one node so far',
  ),
  orZero(integer('tls-port', 0, PORTS, 'static refused', TLS)),
  list('tls-address', 'addresses', [], 'static refused', TLS),
  list('tls-mesh-seed-address-port', 'endpoints', [], 'static refused', TLS),
  text('tls-name', '', 'static refused', TLS),
  milliseconds('interval', 150, [50, 600_000], 'dynamic known', 'between heartbeats'),
  integer('timeout', 10, [3, U32_MAX], 'dynamic known', 'missed intervals after which a node is gone'),
  milliseconds('connect-timeout-ms', 500, [50, U32_MAX], 'dynamic known', 'to connect to a mesh seed'),
  integer('mtu', 0, [0, U32_MAX], 'dynamic known', 'bytes of a heartbeat packet; 0 asks the interface'),
  choice('protocol', ['v3', 'none'], 'dynamic known', 'version of the heartbeat'),
];

/** `network.fabric`: what nodes send each other. */
export const FABRIC_SETTINGS: readonly SettingRow[] = [
  list('address', 'addresses', ['any'], 'static known', 'listens on these for other nodes'),
  orZero(integer('tls-port', 0, PORTS, 'static refused', TLS)),
  list('tls-address', 'addresses', [], 'static refused', TLS),
  text('tls-name', '', 'static refused', TLS),
  integer('channel-bulk-fds', 2, [1, 128], 'static known', 'connections for migrations, a node'),
  integer('channel-bulk-recv-threads', 4, [1, 128], 'dynamic known', 'threads that receive migrations'),
  integer('channel-ctrl-fds', 1, [1, 128], 'static known', 'connections for clustering, a node'),
  integer('channel-ctrl-recv-threads', 4, [1, 128], 'dynamic known', 'threads that receive clustering'),
  integer('channel-meta-fds', 1, [1, 128], 'static known', 'connections for cluster metadata, a node'),
  integer('channel-meta-recv-threads', 4, [1, 128], 'dynamic known', 'threads that receive metadata'),
  integer('channel-rw-fds', 8, [1, 128], 'static known', 'connections for record traffic, a node'),
  integer('channel-rw-recv-pools', 1, [1, 16], 'static known', 'pools of threads that receive records'),
  integer('channel-rw-recv-threads', 16, [1, 128], 'dynamic known', 'threads that receive records'),
  boolean('keepalive-enabled', true, 'static known', 'TCP keepalive between nodes'),
  integer('keepalive-intvl', 1, [1, I32_MAX], 'static known', 'seconds between keepalive probes'),
  integer('keepalive-probes', 10, [1, I32_MAX], 'static known', 'unanswered probes that end a connection'),
  integer('keepalive-time', 1, [1, I32_MAX], 'static known', 'idle seconds before the first probe'),
  integer('latency-max-ms', 5, [0, 1000], 'static known', 'highest expected round trip between nodes'),
  orZero(integer('port', 0, PORTS, 'static known', 'connections of other nodes')),
  integer('recv-rearm-threshold', 1024, [0, 1_048_576], 'dynamic known', 'bytes before a receiver rearms'),
  integer('send-threads', 8, [1, 128], 'static known', 'threads that send to other nodes'),
];
