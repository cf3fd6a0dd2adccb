/** The list operations, by op code. Source: protocol 11, section 1. */
import { INCOMPATIBLE_TYPE } from '../../base/result.js';
import {
  ANY_ARG,
  COUNT_ARG,
  INT_ARG,
  LIST_ARG,
  RETURN_ARG,
  STORED_ARG,
  STORED_LIST_ARG,
} from '../cdt/call.js';
import { RETURN_COUNT, RETURN_VALUE } from '../cdt/result.js';
import { type Apply, type CdtRow, changing, creating, reading } from '../cdt/row.js';
import { append, appendItems, insert, insertItems, set } from './add.js';
import { clear, setType, size, sort, trim } from './arrange.js';
import { increment } from './increment.js';
import { runSelection } from './remove.js';
import {
  byAllValue,
  byIndex,
  byIndexRange,
  byInterval,
  byRank,
  byRankRange,
  byRelativeRank,
  byValue,
  byValueList,
  type Selector,
} from './select.js';

const IS_SINGLE = true;
const IS_MULTI = false;

export const LIST_OPS: readonly (readonly [number, CdtRow])[] = [
  [0, creating('set_type', [INT_ARG], 1, setType)],
  [1, creating('append', [STORED_ARG, INT_ARG, INT_ARG], 1, append)],
  [2, creating('append_items', [STORED_LIST_ARG, INT_ARG, INT_ARG], 1, appendItems)],
  [3, creating('insert', [INT_ARG, STORED_ARG, INT_ARG], 2, insert)],
  [4, creating('insert_items', [INT_ARG, STORED_LIST_ARG, INT_ARG], 2, insertItems)],
  [5, changing('pop', [INT_ARG], 1, fixed(byIndex, RETURN_VALUE, IS_SINGLE, true))],
  [6, changing('pop_range', [INT_ARG, COUNT_ARG], 1, fixed(byIndexRange, RETURN_VALUE, IS_MULTI, true))],
  [7, changing('remove', [INT_ARG], 1, fixed(byIndex, RETURN_COUNT, IS_SINGLE, true))],
  [8, changing('remove_range', [INT_ARG, COUNT_ARG], 1, fixed(byIndexRange, RETURN_COUNT, IS_MULTI, true))],
  [9, creating('set', [INT_ARG, STORED_ARG, INT_ARG], 2, set)],
  [10, changing('trim', [INT_ARG, COUNT_ARG], 2, trim)],
  [11, changing('clear', [], 0, clear)],
  [12, creating('increment', [INT_ARG, ANY_ARG, INT_ARG, INT_ARG], 1, increment)],
  [13, { ...changing('sort', [INT_ARG], 0, sort), missing: INCOMPATIBLE_TYPE }],

  [16, reading('size', [], 0, size)],
  [17, reading('get', [INT_ARG], 1, fixed(byIndex, RETURN_VALUE, IS_SINGLE, false))],
  [18, reading('get_range', [INT_ARG, COUNT_ARG], 1, fixed(byIndexRange, RETURN_VALUE, IS_MULTI, false))],
  [19, getting('get_by_index', [INT_ARG], 1, byIndex, IS_SINGLE)],
  [20, getting('get_by_value', [ANY_ARG], 1, byValue, IS_SINGLE)],
  [21, getting('get_by_rank', [INT_ARG], 1, byRank, IS_SINGLE)],
  [22, getting('get_all_by_value', [ANY_ARG], 1, byAllValue, IS_MULTI)],
  [23, getting('get_by_value_list', [LIST_ARG], 1, byValueList, IS_MULTI)],
  [24, getting('get_by_index_range', [INT_ARG, COUNT_ARG], 1, byIndexRange, IS_MULTI)],
  [25, getting('get_by_value_interval', [ANY_ARG, ANY_ARG], 1, byInterval, IS_MULTI)],
  [26, getting('get_by_rank_range', [INT_ARG, COUNT_ARG], 1, byRankRange, IS_MULTI)],
  [27, getting('get_by_value_rel_rank_range', [ANY_ARG, INT_ARG, COUNT_ARG], 2, byRelativeRank, IS_MULTI)],

  [32, removing('remove_by_index', [INT_ARG], 1, byIndex, IS_SINGLE)],
  [33, removing('remove_by_value', [ANY_ARG], 1, byValue, IS_SINGLE)],
  [34, removing('remove_by_rank', [INT_ARG], 1, byRank, IS_SINGLE)],
  [35, removing('remove_all_by_value', [ANY_ARG], 1, byAllValue, IS_MULTI)],
  [36, removing('remove_by_value_list', [LIST_ARG], 1, byValueList, IS_MULTI)],
  [37, removing('remove_by_index_range', [INT_ARG, COUNT_ARG], 1, byIndexRange, IS_MULTI)],
  [38, removing('remove_by_value_interval', [ANY_ARG, ANY_ARG], 1, byInterval, IS_MULTI)],
  [39, removing('remove_by_rank_range', [INT_ARG, COUNT_ARG], 1, byRankRange, IS_MULTI)],
  [
    40,
    removing('remove_by_value_rel_rank_range', [ANY_ARG, INT_ARG, COUNT_ARG], 2, byRelativeRank, IS_MULTI),
  ],
];

/** An operation that always answers alike. */
function fixed(selector: Selector, type: number, isSingle: boolean, isRemoved: boolean): Apply {
  return call => runSelection(call, selector, type, 0, isSingle, isRemoved);
}

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
