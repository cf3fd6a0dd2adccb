/** The map operations, by op code. Source: protocol 12, section 1. */
import {
  ANY_ARG,
  COUNT_ARG,
  DELTA_ARG,
  INT_ARG,
  KEY_ARG,
  LIST_ARG,
  RETURN_ARG,
  STORED_ARG,
  STORED_MAP_ARG,
} from '../cdt/call.js';
import { type CdtRow, changing, creating, reading } from '../cdt/row.js';
import { addItems, putItems, replaceItems } from './items.js';
import { add, decrement, increment, put, replace } from './put.js';
import { runSelection } from './remove.js';
import {
  byAllValue,
  byIndex,
  byIndexRange,
  byKey,
  byKeyInterval,
  byKeyList,
  byRank,
  byRankRange,
  byRelativeIndex,
  byRelativeRank,
  byValue,
  byValueInterval,
  byValueList,
  type Selector,
} from './select.js';
import { clear, setType, size } from './whole.js';

const IS_SINGLE = true;
const IS_MULTI = false;

export const MAP_OPS: readonly (readonly [number, CdtRow])[] = [
  [64, creating('set_type', [INT_ARG], 1, setType)],
  [65, creating('add', [KEY_ARG, STORED_ARG, INT_ARG], 2, add)],
  [66, creating('add_items', [STORED_MAP_ARG, INT_ARG], 1, addItems)],
  [67, creating('put', [KEY_ARG, STORED_ARG, INT_ARG, INT_ARG], 2, put)],
  [68, creating('put_items', [STORED_MAP_ARG, INT_ARG, INT_ARG], 1, putItems)],
  [69, creating('replace', [KEY_ARG, STORED_ARG], 2, replace)],
  [70, creating('replace_items', [STORED_MAP_ARG], 1, replaceItems)],
  [73, creating('increment', [KEY_ARG, DELTA_ARG, INT_ARG], 1, increment)],
  [74, creating('decrement', [KEY_ARG, DELTA_ARG, INT_ARG], 1, decrement)],
  [75, changing('clear', [], 0, clear)],
  [76, removing('remove_by_key', [ANY_ARG], 1, byKey, IS_SINGLE)],
  [77, removing('remove_by_index', [INT_ARG], 1, byIndex, IS_SINGLE)],
  [78, removing('remove_by_value', [ANY_ARG], 1, byValue, IS_SINGLE)],
  [79, removing('remove_by_rank', [INT_ARG], 1, byRank, IS_SINGLE)],
  [81, removing('remove_by_key_list', [LIST_ARG], 1, byKeyList, IS_MULTI)],
  [82, removing('remove_all_by_value', [ANY_ARG], 1, byAllValue, IS_MULTI)],
  [83, removing('remove_by_value_list', [LIST_ARG], 1, byValueList, IS_MULTI)],
  [84, removing('remove_by_key_interval', [ANY_ARG, ANY_ARG], 1, byKeyInterval, IS_MULTI)],
  [85, removing('remove_by_index_range', [INT_ARG, COUNT_ARG], 1, byIndexRange, IS_MULTI)],
  [86, removing('remove_by_value_interval', [ANY_ARG, ANY_ARG], 1, byValueInterval, IS_MULTI)],
  [87, removing('remove_by_rank_range', [INT_ARG, COUNT_ARG], 1, byRankRange, IS_MULTI)],
  [
    88,
    removing('remove_by_key_rel_index_range', [ANY_ARG, INT_ARG, COUNT_ARG], 2, byRelativeIndex, IS_MULTI),
  ],
  [
    89,
    removing('remove_by_value_rel_rank_range', [ANY_ARG, INT_ARG, COUNT_ARG], 2, byRelativeRank, IS_MULTI),
  ],

  [96, reading('size', [], 0, size)],
  [97, getting('get_by_key', [ANY_ARG], 1, byKey, IS_SINGLE)],
  [98, getting('get_by_index', [INT_ARG], 1, byIndex, IS_SINGLE)],
  [99, getting('get_by_value', [ANY_ARG], 1, byValue, IS_SINGLE)],
  [100, getting('get_by_rank', [INT_ARG], 1, byRank, IS_SINGLE)],
  [102, getting('get_all_by_value', [ANY_ARG], 1, byAllValue, IS_MULTI)],
  [103, getting('get_by_key_interval', [ANY_ARG, ANY_ARG], 1, byKeyInterval, IS_MULTI)],
  [104, getting('get_by_index_range', [INT_ARG, COUNT_ARG], 1, byIndexRange, IS_MULTI)],
  [105, getting('get_by_value_interval', [ANY_ARG, ANY_ARG], 1, byValueInterval, IS_MULTI)],
  [106, getting('get_by_rank_range', [INT_ARG, COUNT_ARG], 1, byRankRange, IS_MULTI)],
  [107, getting('get_by_key_list', [LIST_ARG], 1, byKeyList, IS_MULTI)],
  [108, getting('get_by_value_list', [LIST_ARG], 1, byValueList, IS_MULTI)],
  [109, getting('get_by_key_rel_index_range', [ANY_ARG, INT_ARG, COUNT_ARG], 2, byRelativeIndex, IS_MULTI)],
  [110, getting('get_by_value_rel_rank_range', [ANY_ARG, INT_ARG, COUNT_ARG], 2, byRelativeRank, IS_MULTI)],
];

/** A read whose first argument is the return type; `params` and `required` are without it. */
function getting(
  name: string,
  params: readonly number[],
  required: number,
  selector: Selector,
  isSingle: boolean,
): CdtRow {
  return reading(name, [RETURN_ARG, ...params], required + 1, call =>
    runSelection(call, selector, call.int(0), 1, isSingle, false),
  );
}

function removing(
  name: string,
  params: readonly number[],
  required: number,
  selector: Selector,
  isSingle: boolean,
): CdtRow {
  return changing(name, [RETURN_ARG, ...params], required + 1, call =>
    runSelection(call, selector, call.int(0), 1, isSingle, true),
  );
}
