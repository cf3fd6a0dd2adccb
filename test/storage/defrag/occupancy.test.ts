import test from 'ava';
import { LEVEL_COUNT, Occupancy } from '../../../src/storage/defrag/occupancy.js';
import { BlockTable } from '../../../src/storage/write-block/block-table.js';
import { seeded } from '../../support/faulty-io.js';

const BLOCK_SIZE = 64 * 1024;
const BLOCKS = 40;

test('the emptiest block is found, and blocks below a level are counted, whatever happened before', t => {
  const random = seeded(11);
  const pick = (count: number): number => Math.floor(random() * count);
  const table = new BlockTable(BLOCKS);
  const occupancy = new Occupancy(table, BLOCK_SIZE);
  const listed = new Set<number>();
  const levelOf = (block: number): number =>
    Math.min(
      LEVEL_COUNT - 1,
      Math.floor(((table.used[block]! + table.markers[block]! * 80) * LEVEL_COUNT) / BLOCK_SIZE),
    );
  for (let step = 0; step < 5000; step++) {
    const block = pick(BLOCKS);
    table.used[block] = pick(BLOCK_SIZE / 16 + 1) * 16;
    table.markers[block] = pick(4) === 0 ? pick(100) : 0;
    const what = pick(3);
    if (what === 0) {
      occupancy.add(block);
      listed.add(block);
    } else if (what === 1) {
      occupancy.update(block);
    } else {
      occupancy.remove(block);
      listed.delete(block);
    }
    t.is(occupancy.has(block), listed.has(block));
    const level = pick(LEVEL_COUNT + 1);
    const below = [...listed].filter(candidate => levelOf(candidate) < level);
    t.is(occupancy.countBelow(level), below.length);
    const found = occupancy.emptiest(level);
    if (below.length === 0) t.is(found, -1);
    else t.is(levelOf(found), Math.min(...below.map(levelOf)));
  }
});
