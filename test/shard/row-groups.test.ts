/** Rows of batches by their shards. */
import test from 'ava';
import fc from 'fast-check';
import { PARTITION_COUNT } from '../../src/base/digest.js';
import { RowGroups } from '../../src/shard/row-groups.js';

const ROWS_MAX = 64;
const ROW_SIZE = 40; // bytes

test('every row is in the group of its shard once, in order, batch after batch', t => {
  const groups = new RowGroups(ROWS_MAX);
  fc.assert(
    fc.property(
      fc.array(fc.nat(PARTITION_COUNT - 1), { minLength: 1, maxLength: ROWS_MAX }),
      fc.constantFrom(1, 4, 16, PARTITION_COUNT),
      (pids, shardCount) => {
        const shardOf = Uint16Array.from({ length: PARTITION_COUNT }, (_, pid) => pid % shardCount);
        const bytes = new Uint8Array(ROW_SIZE * ROWS_MAX);
        const rowsAt = new Int32Array(ROWS_MAX);
        pids.forEach((pid, i) => {
          rowsAt[i] = i * ROW_SIZE;
          bytes[i * ROW_SIZE + 4] = pid;
          bytes[i * ROW_SIZE + 5] = pid >>> 8;
        });
        groups.group(shardOf, bytes, rowsAt, pids.length);
        const seen: number[] = [];
        for (let g = 0, at = 0; g < groups.shardCount; g++) {
          let before = -1;
          for (; at < groups.ends[g]!; at++) {
            const i = groups.rows[at]!;
            if (shardOf[pids[i]!] !== groups.shards[g] || i <= before) return false;
            if (groups.digestsAt[at] !== rowsAt[i]! + 4) return false;
            before = i;
            seen.push(i);
          }
        }
        const isWhole = seen.sort((a, b) => a - b).every((row, i) => row === i);
        return (
          isWhole &&
          seen.length === pids.length &&
          new Set(groups.shards.subarray(0, groups.shardCount)).size === groups.shardCount
        );
      },
    ),
    { numRuns: 500 },
  );
  t.pass();
});
