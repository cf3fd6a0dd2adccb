/**
 * Commands of features that the reference keeps for its enterprise edition and that are not built here
 * either: they answer as its community edition does, which clients and tools expect of the edition that we
 * report. A feature that gets built leaves this list.
 */
import { ENTERPRISE_ONLY_ANSWER, type InfoTable, info } from './command.js';

const NAMES: readonly (readonly [name: string, help: string])[] = [
  ['service-tls-std', "this node's addresses for TLS"],
  ['service-tls-alt', "this node's alternate addresses for TLS"],
  ['admin-tls-std', "addresses of this node's admin port for TLS"],
  ['peers-tls-std', 'peers, by addresses for TLS'],
  ['peers-tls-alt', 'peers, by alternate addresses for TLS'],
  ['alumni-tls-std', 'peers, departed ones included, by addresses for TLS'],
  ['alumni-tls-alt', 'peers, departed ones included, by alternate addresses for TLS'],
  ['racks', '[namespace]: nodes of each rack'],
  ['rack-ids', "this node's racks"],
  ['roster', '[namespace]: nodes of strong consistency'],
  ['roster-set', 'namespace nodes: sets the roster to come'],
  ['quiesce', 'hands over mastership before a stop'],
  ['quiesce-undo', 'takes a quiesce back'],
  ['revive', '[namespace]: accepts dead partitions as they are'],
  ['feature-key', 'licensed features'],
  ['masking', 'hides values of bins'],
  ['masking-show', 'hidden bins'],
  ['xdr-set-filter', 'which records are shipped'],
  ['xdr-get-filter', 'which records are shipped'],
  ['xdr-dc-state', 'state of shipping'],
];

export const ENTERPRISE_COMMANDS: InfoTable = Object.fromEntries(
  NAMES.map(([name, help]) => [name, info(help, () => ENTERPRISE_ONLY_ANSWER)]),
);
