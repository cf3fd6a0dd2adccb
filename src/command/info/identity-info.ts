/**
 * Who this node is and what it can do. Clients ask for most of these when they connect.
 * Source: protocol 02, sections 3 and 4.
 */
import { PARTITION_COUNT } from '../../base/digest.js';
import { InfoParams } from '../../wire/info.js';
import { COMPATIBILITY_ID, EDITION, FEATURES, REFERENCE_BUILD } from './build-identity.js';
import { deprecated, type InfoTable, info } from './command.js';

export const IDENTITY_COMMANDS: InfoTable = {
  node: info("this node's id", source => source.partitions.nodeId),
  name: deprecated("this node's id", source => source.partitions.nodeId),
  build: info('build of the reference whose behaviour is kept', () => REFERENCE_BUILD),
  build_os: info('system it runs on', source => source.build.os),
  build_arch: info('processor it runs on', source => source.build.arch),
  build_sha: info('commit it was built from', source => source.build.sha),
  build_time: info('when it was built', source => source.build.time),
  edition: deprecated('edition that clients expect', () => EDITION),
  version: info(
    'edition, build, and the version of Caltrop',
    source => `${EDITION} build ${REFERENCE_BUILD} (Caltrop ${source.build.caltrop})`,
  ),
  release: info('edition, build, system and commit, as parameters', ({ build }) =>
    [
      `edition=${EDITION}`,
      `version=${REFERENCE_BUILD}`,
      `os=${build.os}`,
      `arch=${build.arch}`,
      `sha=${build.sha}`,
      `caltrop=${build.caltrop}`,
    ].join(';'),
  ),
  features: info('what works, for clients to choose by', () => FEATURES.join(';')),
  'compatibility-id': info('nodes with different numbers form no cluster', () => `${COMPATIBILITY_ID}`),
  digests: info('hash behind the digests', () => 'RIPEMD160'),
  partitions: info('partitions of a namespace', () => `${PARTITION_COUNT}`),
  status: info('ok, if anything is answered at all', () => 'ok'),
  'cluster-name': info('configured name', source => source.config.service.toText('cluster-name')),
  connection: info('whether this is a connection to the admin port', () => 'admin=false'),
  'user-agent-set': info('value: what the client is, once a connection', (source, args, connection) => {
    const value = new InfoParams(args).get('value');
    return value === undefined ? "ERROR:4:missing 'value'" : source.userAgents.set(connection, value);
  }),
  'user-agents': info('what is connected, and how often', source => source.userAgents.list()),
};
