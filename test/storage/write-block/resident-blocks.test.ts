import test from 'ava';
import { RecordSpan } from '../../../src/storage/engine.js';
import { ResidentBlocks } from '../../../src/storage/write-block/resident-blocks.js';

const BLOCK_SIZE = 64 * 1024;

test('a block has memory from open to free, and what was freed is used again, as zeros', t => {
  const blocks = new ResidentBlocks(100, BLOCK_SIZE);
  const span = new RecordSpan();
  const bytes = Uint8Array.from({ length: 3000 }, (_, i) => i + 1);
  t.is(blocks.size, 0);
  blocks.open(7);
  blocks.put(7, 128, bytes, 0, bytes.length);
  blocks.open(7);
  blocks.open(99);
  blocks.put(99, 128, bytes, 1000, 1000);
  t.is(blocks.size, 2 * BLOCK_SIZE);
  blocks.span(7, 128, span);
  t.is(span.at, 128);
  t.deepEqual(span.region.u8.slice(128, 128 + 3000), bytes, 'opened twice, and still there');
  const copy = new Uint8Array(BLOCK_SIZE + 16);
  blocks.copyTo(99, copy, 16);
  t.deepEqual(copy.slice(16 + 128, 16 + 1128), bytes.slice(1000, 2000));
  blocks.free(7);
  blocks.free(7);
  blocks.open(3);
  t.is(blocks.size, 2 * BLOCK_SIZE);
  blocks.span(3, 0, span);
  t.true(span.region.u8.every(byte => byte === 0));
});
