package main

import (
	as "github.com/aerospike/aerospike-client-go/v8"
	"github.com/aerospike/aerospike-client-go/v8/types"
)

// Every list operation.
func lists() {
	const (
		index, reverse, rank = as.ListReturnTypeIndex, as.ListReturnTypeReverseIndex, as.ListReturnTypeRank
		count, value, exists = as.ListReturnTypeCount, as.ListReturnTypeValue, as.ListReturnTypeExists
		inverted             = as.ListReturnTypeInverted
		outside              = types.OP_NOT_APPLICABLE
	)
	policy := func(flags int) *as.ListPolicy { return as.NewListPolicy(as.ListOrderUnordered, flags) }
	ordered := as.NewListPolicy(as.ListOrderOrdered, as.ListWriteFlagsDefault)
	unique := policy(as.ListWriteFlagsAddUnique)
	noFail := policy(as.ListWriteFlagsAddUnique | as.ListWriteFlagsNoFail)
	partial := policy(as.ListWriteFlagsAddUnique | as.ListWriteFlagsNoFail | as.ListWriteFlagsPartial)
	bounded := policy(as.ListWriteFlagsInsertBounded)
	five, six := list{4, 3, 1, 5, 2}, list{0, 4, 5, 9, 11, 15}
	mixed := list{1, "a", nil, true, 1.5, []byte{1}, list{1}, dict{"k": 1}}
	pairs := list{list{1, "a"}, list{2, "b"}, list{2, "c"}}
	sorted := as.ListSetOrderOp(bin, as.ListOrderOrdered)

	table("list writes",
		row{"append", list{1}, one(as.ListAppendOp(bin, 2)), 2, list{1, 2}},
		row{"append of several", list{1}, one(as.ListAppendOp(bin, 2, "x", list{3})), 4, list{1, 2, "x", list{3}}},
		row{"append creates", nil, one(as.ListAppendOp(bin, "x")), 1, list{"x"}},
		row{"append of every type", nil, one(as.ListAppendOp(bin, mixed...)), 8, mixed},
		row{"append to an ordered list", nil, ops{as.ListAppendWithPolicyOp(ordered, bin, 3), as.ListAppendWithPolicyOp(ordered, bin, 1)}, list{1, 2}, list{1, 3}},
		row{"append of what is there", list{1}, one(as.ListAppendWithPolicyOp(unique, bin, 1)), types.FAIL_ELEMENT_EXISTS, same},
		row{"append of what is there, no fail", list{1}, one(as.ListAppendWithPolicyOp(noFail, bin, 1)), 1, same},
		row{"append of several, partial", list{1}, one(as.ListAppendWithPolicyOp(partial, bin, 2, 1)), 2, list{1, 2}},
		row{"append of a map that is there", list{dict{"a": 1, "b": 2, "c": 3, "d": 4}}, one(as.ListAppendWithPolicyOp(unique, bin, dict{"d": 4, "c": 3, "b": 2, "a": 1})), types.FAIL_ELEMENT_EXISTS, same},
		row{"append to an integer", 7, one(as.ListAppendOp(bin, 1)), types.BIN_TYPE_ERROR, same},
		row{"insert", list{1, 2}, one(as.ListInsertOp(bin, 1, 9)), 3, list{1, 9, 2}},
		row{"insert of several", list{1, 2}, one(as.ListInsertOp(bin, -1, 8, 9)), 4, list{1, 8, 9, 2}},
		row{"insert pads", list{1}, one(as.ListInsertOp(bin, 3, 9)), 4, list{1, nil, nil, 9}},
		row{"insert bounded", list{1}, one(as.ListInsertWithPolicyOp(bounded, bin, 3, 9)), outside, same},
		row{"increment", list{1, 2}, ops{as.ListIncrementOp(bin, 1, 5), as.ListIncrementByOneOp(bin, 0)}, list{7, 2}, list{2, 7}},
		row{"increment of a double", list{1.5}, one(as.ListIncrementOp(bin, 0, 1.25)), 2.75, list{2.75}},
		row{"pop", list{1, 2, 3, 4, 5}, ops{as.ListPopOp(bin, 0), as.ListPopRangeOp(bin, 0, 2), as.ListPopRangeFromOp(bin, 1)}, list{1, list{2, 3}, list{5}}, list{4}},
		row{"remove", list{1, 2, 3, 4, 5}, ops{as.ListRemoveOp(bin, 0), as.ListRemoveRangeOp(bin, 0, 2), as.ListRemoveRangeFromOp(bin, 1)}, list{1, 2, 1}, list{4}},
		row{"set", list{1, 2}, one(as.ListSetOp(bin, 3, "x")), nil, list{1, 2, nil, "x"}},
		row{"set of what is elsewhere", list{1, 2}, one(as.ListSetWithPolicyOp(unique, bin, 0, 2)), types.FAIL_ELEMENT_EXISTS, same},
		row{"trim", five, one(as.ListTrimOp(bin, 1, 3)), 2, list{3, 1, 5}},
		row{"clear", five, one(as.ListClearOp(bin)), nil, list{}},
		row{"sort", five, one(as.ListSortOp(bin, as.ListSortFlagsDefault)), nil, list{1, 2, 3, 4, 5}},
		row{"sort, descending", five, one(as.ListSortOp(bin, as.ListSortFlagsDescending)), nil, list{5, 4, 3, 2, 1}},
		row{"sort, drop duplicates", list{2, 1, 2}, one(as.ListSortOp(bin, as.ListSortFlagsDropDuplicates)), nil, list{1, 2}},
		row{"set order", five, one(sorted), nil, list{1, 2, 3, 4, 5}},
		row{"set order, persisted", five, one(as.ListSetOrderWithIndexOp(bin, as.ListOrderOrdered)), nil, list{1, 2, 3, 4, 5}},
		row{"create", nil, ops{as.ListCreateOp(bin, as.ListOrderOrdered, false), as.ListAppendOp(bin, 2, 1)}, 2, list{1, 2}},
		row{"create, persisted", nil, one(as.ListCreateWithIndexOp(bin, as.ListOrderOrdered, false)), nil, list{}},
	)
	table("list reads",
		row{"get", five, ops{as.ListGetOp(bin, -2), as.ListGetRangeOp(bin, 1, 2), as.ListGetRangeFromOp(bin, 3), as.ListSizeOp(bin)}, list{5, list{3, 1}, list{5, 2}, 5}, same},
		row{"get out of bounds", five, one(as.ListGetOp(bin, 5)), outside, same},
		row{"of a missing bin", nil, one(as.ListSizeOp(bin)), nil, same},
		row{"of a map", dict{"a": 1}, one(as.ListSizeOp(bin)), types.BIN_TYPE_ERROR, same},
		row{"by index", five, ops{as.ListGetByIndexOp(bin, 2, index), as.ListGetByIndexOp(bin, 2, reverse), as.ListGetByIndexOp(bin, 2, rank), as.ListGetByIndexOp(bin, 2, value)}, list{2, 2, 0, 1}, same},
		row{"by index range", five, ops{as.ListGetByIndexRangeCountOp(bin, 1, 2, value), as.ListGetByIndexRangeOp(bin, 3, value), as.ListGetByIndexRangeCountOp(bin, 1, 3, value|inverted)},
			list{list{3, 1}, list{5, 2}, list{4, 2}}, same},
		row{"by rank", five, ops{as.ListGetByRankOp(bin, -1, index), as.ListGetByRankOp(bin, 0, value)}, list{3, 1}, same},
		row{"by rank range", six, ops{sorted, as.ListGetByRankRangeOp(bin, 4, value), as.ListGetByRankRangeCountOp(bin, 1, 2, value), as.ListGetByRankRangeCountOp(bin, 1, 4, count|inverted)},
			list{list{11, 15}, list{4, 5}, 2}, same},
		row{"by value", list{1, 2, 1}, ops{as.ListGetByValueOp(bin, 1, index), as.ListGetByValueOp(bin, 1, rank), as.ListGetByValueOp(bin, 1, count), as.ListGetByValueOp(bin, 9, value), as.ListGetByValueOp(bin, 2, exists)},
			list{list{0, 2}, list{0, 1}, 2, list{}, true}, same},
		row{"by value list", five, ops{as.ListGetByValueListOp(bin, list{5, 4, 7}, value), as.ListGetByValueListOp(bin, list{5, 4, 7}, value|inverted)}, list{list{4, 5}, list{3, 1, 2}}, same},
		row{"by value range", six, ops{as.ListGetByValueRangeOp(bin, 4, 11, value), as.ListGetByValueRangeOp(bin, nil, 5, value), as.ListGetByValueRangeOp(bin, 9, nil, count), as.ListGetByValueRangeOp(bin, 4, 11, value|inverted)},
			list{list{4, 5, 9}, list{0, 4}, 3, list{0, 11, 15}}, same},
		row{"by wildcard", pairs, ops{as.ListGetByValueOp(bin, list{2, as.NewWildCardValue()}, index), as.ListGetByValueRangeOp(bin, list{2, nil}, list{2, as.NewInfinityValue()}, index)}, list{list{1, 2}, list{1, 2}}, same},
		row{"by relative rank", six, ops{sorted, as.ListGetByValueRelativeRankRangeOp(bin, 5, 1, value), as.ListGetByValueRelativeRankRangeCountOp(bin, 5, -1, 2, value)}, list{list{9, 11, 15}, list{4, 5}}, same},
	)
	table("list removals",
		row{"by index", five, ops{as.ListRemoveByIndexOp(bin, 0, value), as.ListRemoveByIndexRangeCountOp(bin, 0, 2, value), as.ListRemoveByIndexRangeOp(bin, 1, value)}, list{4, list{3, 1}, list{2}}, list{5}},
		row{"by rank", five, ops{as.ListRemoveByRankOp(bin, 0, value), as.ListRemoveByRankRangeCountOp(bin, 0, 2, count), as.ListRemoveByRankRangeOp(bin, 1, value)}, list{1, 2, list{5}}, list{4}},
		row{"by value", six, ops{as.ListRemoveByValueOp(bin, 4, count), as.ListRemoveByValueListOp(bin, list{0, 15, 7}, count), as.ListRemoveByValueRangeOp(bin, value, 5, 10)}, list{1, 2, list{5, 9}}, list{11}},
		row{"by relative rank", six, ops{as.ListRemoveByValueRelativeRankRangeOp(bin, count, 5, 2), as.ListRemoveByValueRelativeRankRangeCountOp(bin, count, 5, -1, 1)}, list{2, 1}, list{0, 5, 9}},
		row{"inverted", six, one(as.ListRemoveByValueListOp(bin, list{4}, count|inverted)), 5, list{4}},
	)
	deep := list{list{7, 9, 5}, dict{"a": list{1, 2, 3}}}
	v := func(x any) as.Value { return as.NewValue(x) }
	table("list contexts",
		row{"by index, rank, value, key", deep, ops{as.ListSizeOp(bin, as.CtxListIndex(0)), as.ListGetOp(bin, 1, as.CtxListRank(0)), as.ListGetOp(bin, 2, as.CtxListValue(v(list{7, 9, 5}))),
			as.ListGetOp(bin, -1, as.CtxListIndex(1), as.CtxMapKey(v("a"))), as.ListSizeOp(bin, as.CtxListIndex(1), as.CtxMapIndex(0)), as.ListSizeOp(bin, as.CtxListIndex(1), as.CtxMapRank(-1)),
			as.ListSizeOp(bin, as.CtxListIndex(1), as.CtxMapValue(v(list{1, 2, 3})))}, list{3, 9, 5, 3, 3, 3, 3}, same},
		row{"writes", deep, one(as.ListAppendWithPolicyContextOp(as.DefaultListPolicy(), bin, []*as.CDTContext{as.CtxListIndex(0)}, 11)), 4, list{list{7, 9, 5, 11}, deep[1]}},
		row{"creating by key", nil, one(as.ListAppendWithPolicyContextOp(ordered, bin, []*as.CDTContext{as.CtxMapKeyCreate(v("k"), as.MapOrder.KEY_ORDERED)}, 2, 1)), 2, dict{"k": list{1, 2}}},
		row{"creating by index, padded", list{1}, one(as.ListAppendWithPolicyContextOp(as.DefaultListPolicy(), bin, []*as.CDTContext{as.CtxListIndexCreate(3, as.ListOrderUnordered, true)}, 5)), 1, list{1, nil, nil, list{5}}},
		row{"create", dict{"a": 1}, one(as.ListCreateOp(bin, as.ListOrderOrdered, false, as.CtxMapKey(v("l")))), nil, dict{"a": 1, "l": list{}}},
		row{"of a missing key", deep, one(as.ListSizeOp(bin, as.CtxListIndex(1), as.CtxMapKey(v("x")))), outside, same},
	)
	table("lists in one command",
		row{"with a map operation all of them answer", five, ops{as.ListSortOp(bin, 0), as.ListSizeOp(bin), as.MapSizeOp("none")}, list{nil, 5}, list{1, 2, 3, 4, 5}},
		row{"large", nil, ops{as.ListAppendOp(bin, numbers(0, 20_000)...), as.ListGetByValueOp(bin, 19_999, index)}, list{20_000, list{19_999}}, numbers(0, 20_000)},
	)
}
