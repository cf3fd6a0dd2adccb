import test from 'ava';
import { PARTITION_COUNT } from '../../src/base/digest.js';
import { NO_COLUMN, PARTITION_STATES, PartitionTable } from '../../src/partition/table.js';
import { NO_VERSION, versionText } from '../../src/partition/version.js';

const ALL_ONES = `${'/'.repeat(680)}//8=`;
const NONE = `${'A'.repeat(683)}=`;

test('a table that nobody filled says that the node is not ready', t => {
  const table = new PartitionTable('BB9', ['test']);
  t.is(table.generation, -1);
  t.false(table.find('test')!.isMaster(0));
  t.is(table.find('test')!.bitmap(0), NONE);
  t.is(table.find('nope'), undefined);
});

test('a single node claims every partition of every namespace', t => {
  const table = new PartitionTable('BB9', ['test', 'dev']);
  table.claimAll(0xa204f8ac0e19, new Set(['dev']));
  t.deepEqual(
    table.namespaces.map(({ freshCount }) => freshCount),
    [0, 4096],
  );
  t.is(table.generation, 0);
  t.is(table.rebalanceGeneration, 1);
  for (const partitions of table.namespaces) {
    t.is(partitions.bitmap(0), ALL_ONES);
    t.is(partitions.bitmap(1), NONE);
    t.is(partitions.countInState(PARTITION_STATES.SYNCED), PARTITION_COUNT);
    t.is(partitions.workingMaster[4095], 'BB9');
    t.is(versionText(partitions.version[7]!), 'a204f8ac0e19.0.mp-');
  }
});

test('claims that change are seen after they are published', t => {
  const table = new PartitionTable('BB9', ['test']);
  const partitions = table.find('test')!;
  table.claimAll(1, new Set());
  t.is(partitions.bitmap(0), ALL_ONES);
  partitions.column[9] = 1;
  partitions.column[10] = NO_COLUMN;
  table.publish(false);
  t.is(table.generation, 1);
  t.is(table.rebalanceGeneration, 1);
  const masters = Buffer.from(partitions.bitmap(0), 'base64');
  t.is(masters.length, 512);
  t.is(masters[1], 0b1001_1111);
  t.is(Buffer.from(partitions.bitmap(1), 'base64')[1], 0b0100_0000);
  t.true(partitions.isReplica(9));
  t.false(partitions.isMaster(9));
  t.false(partitions.isReplica(10));
});

test('versions print as the reference prints them', t => {
  t.is(versionText(NO_VERSION), '000000000000.0.-p-');
  const evaded = { clusterKey: 0xdee6d57b8a4f, family: 0, isMaster: false, isSubset: true, isEvade: true };
  t.is(versionText(evaded), 'dee6d57b8a4f.0.-se');
});
