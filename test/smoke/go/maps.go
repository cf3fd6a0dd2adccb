package main

import (
	"fmt"

	as "github.com/aerospike/aerospike-client-go/v8"
	"github.com/aerospike/aerospike-client-go/v8/types"
)

// Every map operation.
func maps() {
	r, order, mode := as.MapReturnType, as.MapOrder, as.MapWriteMode
	plainMap, byKey := as.DefaultMapPolicy(), as.NewMapPolicyWithFlags(order.KEY_ORDERED, as.MapWriteFlagsDefault)
	byValue := as.NewMapPolicyWithFlags(order.KEY_VALUE_ORDERED, as.MapWriteFlagsDefault)
	persisted := as.NewMapPolicyWithFlagsAndPersistedIndex(order.KEY_VALUE_ORDERED, as.MapWriteFlagsDefault)
	flags := func(each int) *as.MapPolicy { return as.NewMapPolicyWithFlags(order.UNORDERED, each) }
	abc, numbered := dict{"a": 3, "b": 1, "c": 2}, dict{0: 17, 4: 2, 5: 15, 9: 10}
	v := func(x any) as.Value { return as.NewValue(x) }
	const outside = types.OP_NOT_APPLICABLE

	table("map writes",
		row{"put", dict{"a": 1}, one(as.MapPutOp(plainMap, bin, "b", 2)), 2, dict{"a": 1, "b": 2}},
		row{"put creates", nil, one(as.MapPutOp(byKey, bin, 1, list{1})), 1, dict{1: list{1}}},
		row{"put, persisted", nil, one(as.MapPutOp(persisted, bin, 1, 2)), 1, dict{1: 2}},
		row{"put, update only mode", abc, one(as.MapPutOp(as.NewMapPolicy(order.KEY_ORDERED, mode.UPDATE_ONLY), bin, "x", 1)), types.FAIL_ELEMENT_NOT_FOUND, same},
		row{"put, create only mode", abc, one(as.MapPutOp(as.NewMapPolicy(order.KEY_ORDERED, mode.CREATE_ONLY), bin, "a", 1)), types.FAIL_ELEMENT_EXISTS, same},
		row{"put, create only", abc, one(as.MapPutOp(flags(as.MapWriteFlagsCreateOnly), bin, "a", 1)), types.FAIL_ELEMENT_EXISTS, same},
		row{"put, update only", abc, one(as.MapPutOp(flags(as.MapWriteFlagsUpdateOnly), bin, "x", 1)), types.FAIL_ELEMENT_NOT_FOUND, same},
		row{"put, update only, no fail", abc, one(as.MapPutOp(flags(as.MapWriteFlagsUpdateOnly|as.MapWriteFlagsNoFail), bin, "x", 1)), 3, same},
		row{"put items", dict{"a": 1}, one(as.MapPutItemsOp(plainMap, bin, dict{"c": 3, "b": list{2}})), 3, dict{"a": 1, "b": list{2}, "c": 3}},
		row{"put items, partial", dict{"a": 1}, one(as.MapPutItemsOp(flags(as.MapWriteFlagsCreateOnly|as.MapWriteFlagsNoFail|as.MapWriteFlagsPartial), bin, dict{"c": 3, "a": 9})), 2, dict{"a": 1, "c": 3}},
		row{"put items, ordered", nil, one(as.MapPutItemsOp(byKey, bin, dict{"c": 3, "b": 2, "a": 1})), 3, dict{"a": 1, "b": 2, "c": 3}},
		row{"increment, decrement", abc, ops{as.MapIncrementOp(plainMap, bin, "a", 4), as.MapDecrementOp(plainMap, bin, "b", 4), as.MapIncrementOp(plainMap, bin, "d", 0.5)}, list{7, -3, 0.5}, dict{"a": 7, "b": -3, "c": 2, "d": 0.5}},
		row{"clear", abc, one(as.MapClearOp(bin)), nil, dict{}},
		row{"set policy", abc, ops{as.MapSetPolicyOp(byValue, bin), as.MapGetByRankOp(bin, 0, r.KEY)}, list{nil, "b"}, same},
		row{"create", nil, ops{as.MapCreateOp(bin, order.KEY_ORDERED, nil), as.MapPutOp(plainMap, bin, 1, 2)}, list{nil, 1}, dict{1: 2}},
		row{"create, persisted", nil, one(as.MapCreateWithIndexOp(bin, order.KEY_ORDERED)), nil, dict{}},
	)
	reads := map[string]struct {
		with                    func(t as.MapReturnTypes) *as.Operation
		index, rank, key, value any
		pairs                   dict
	}{
		"by key":         {func(t as.MapReturnTypes) *as.Operation { return as.MapGetByKeyOp(bin, "b", t) }, 1, 0, "b", 1, dict{"b": 1}},
		"by key range":   {func(t as.MapReturnTypes) *as.Operation { return as.MapGetByKeyRangeOp(bin, "a", "c", t) }, list{0, 1}, list{2, 0}, list{"a", "b"}, list{3, 1}, dict{"a": 3, "b": 1}},
		"by index":       {func(t as.MapReturnTypes) *as.Operation { return as.MapGetByIndexOp(bin, -1, t) }, 2, 1, "c", 2, dict{"c": 2}},
		"by index range": {func(t as.MapReturnTypes) *as.Operation { return as.MapGetByIndexRangeCountOp(bin, 1, 2, t) }, list{1, 2}, list{0, 1}, list{"b", "c"}, list{1, 2}, dict{"b": 1, "c": 2}},
		"by rank":        {func(t as.MapReturnTypes) *as.Operation { return as.MapGetByRankOp(bin, 0, t) }, 1, 0, "b", 1, dict{"b": 1}},
		"by rank range":  {func(t as.MapReturnTypes) *as.Operation { return as.MapGetByRankRangeCountOp(bin, 0, 2, t) }, list{1, 2}, list{0, 1}, list{"b", "c"}, list{1, 2}, dict{"b": 1, "c": 2}},
		"by value":       {func(t as.MapReturnTypes) *as.Operation { return as.MapGetByValueOp(bin, 2, t) }, list{2}, list{1}, list{"c"}, list{2}, dict{"c": 2}},
		"by no value":    {func(t as.MapReturnTypes) *as.Operation { return as.MapGetByValueOp(bin, 9, t) }, list{}, list{}, list{}, list{}, dict{}},
	}
	for name, read := range reads {
		for number, policy := range []*as.MapPolicy{plainMap, byKey, byValue, persisted} {
			check(fmt.Sprintf("map reads of every return type: %s, order %d", name, number), func() {
				_, err := client.Delete(nil, key("read"))
				must(err)
				answer("read", as.MapPutItemsOp(policy, bin, abc))
				var operations ops
				for _, t := range []as.MapReturnTypes{r.INDEX, r.RANK, r.COUNT, r.KEY, r.VALUE, r.KEY_VALUE, r.ORDERED_MAP, r.UNORDERED_MAP, r.EXISTS} {
					operations = append(operations, read.with(t))
				}
				equal(answer("read", operations...), list{read.index, read.rank, len(read.pairs), read.key, read.value, read.pairs, read.pairs, read.pairs, len(read.pairs) > 0})
			})
		}
	}
	table("map reads",
		row{"size", abc, one(as.MapSizeOp(bin)), 3, same},
		row{"of a missing bin", nil, one(as.MapSizeOp(bin)), nil, same},
		row{"by key list", abc, ops{as.MapGetByKeyListOp(bin, list{"c", "a", "x"}, r.KEY), as.MapGetByKeyListOp(bin, list{"c", "x"}, r.VALUE|r.INVERTED)}, list{list{"a", "c"}, list{3, 1}}, same},
		row{"by value list and range", abc, ops{as.MapGetByValueListOp(bin, list{1, 9}, r.KEY), as.MapGetByValueRangeOp(bin, 2, 4, r.KEY), as.MapGetByValueRangeOp(bin, 2, nil, r.COUNT), as.MapGetByValueOp(bin, 1, r.KEY|r.INVERTED)},
			list{list{"b"}, list{"a", "c"}, 2, list{"a", "c"}}, same},
		row{"to the end", abc, ops{as.MapGetByKeyRangeOp(bin, "b", nil, r.KEY), as.MapGetByKeyRangeOp(bin, nil, "b", r.KEY), as.MapGetByIndexRangeOp(bin, -2, r.KEY), as.MapGetByRankRangeOp(bin, 1, r.COUNT)},
			list{list{"b", "c"}, list{"a"}, list{"b", "c"}, 2}, same},
		row{"by relative index and rank", numbered, ops{as.MapGetByKeyRelativeIndexRangeOp(bin, 5, 0, r.KEY), as.MapGetByKeyRelativeIndexRangeCountOp(bin, 5, -1, 1, r.KEY),
			as.MapGetByValueRelativeRankRangeOp(bin, 11, 1, r.KEY), as.MapGetByValueRelativeRankRangeCountOp(bin, 11, -1, 1, r.KEY)}, list{list{5, 9}, list{4}, list{0}, list{9}}, same},
		row{"by a key that is not there", abc, ops{as.MapGetByKeyOp(bin, "x", r.VALUE), as.MapGetByKeyOp(bin, "x", r.INDEX), as.MapGetByKeyOp(bin, "x", r.EXISTS)}, list{nil, -1, false}, same},
		row{"by index out of bounds", abc, one(as.MapGetByIndexOp(bin, 3, r.KEY)), outside, same},
	)
	table("map removals",
		row{"by key", abc, ops{as.MapRemoveByKeyOp(bin, "a", r.VALUE), as.MapRemoveByKeyListOp(bin, list{"b", "x"}, r.COUNT), as.MapRemoveByKeyRangeOp(bin, "a", "z", r.KEY)}, list{3, 1, list{"c"}}, dict{}},
		row{"by value", abc, ops{as.MapRemoveByValueOp(bin, 1, r.KEY), as.MapRemoveByValueListOp(bin, list{2, 9}, r.COUNT), as.MapRemoveByValueRangeOp(bin, 1, 9, r.KEY)}, list{list{"b"}, 1, list{"a"}}, dict{}},
		row{"by index", abc, ops{as.MapRemoveByIndexOp(bin, 0, r.KEY), as.MapRemoveByIndexRangeCountOp(bin, 0, 1, r.KEY), as.MapRemoveByIndexRangeOp(bin, 0, r.KEY_VALUE)}, list{"a", list{"b"}, dict{"c": 2}}, dict{}},
		row{"by rank", abc, ops{as.MapRemoveByRankOp(bin, -1, r.KEY), as.MapRemoveByRankRangeCountOp(bin, 0, 1, r.KEY), as.MapRemoveByRankRangeOp(bin, 0, r.VALUE)}, list{"a", list{"b"}, list{2}}, dict{}},
		row{"by relative index and rank", numbered, ops{as.MapRemoveByKeyRelativeIndexRangeOp(bin, 5, 1, r.KEY), as.MapRemoveByKeyRelativeIndexRangeCountOp(bin, 5, -1, 1, r.KEY),
			as.MapRemoveByValueRelativeRankRangeOp(bin, 16, 0, r.KEY), as.MapRemoveByValueRelativeRankRangeCountOp(bin, 16, -1, 1, r.KEY)}, list{list{9}, list{4}, list{0}, list{5}}, dict{}},
	)
	nested := dict{"key1": dict{"key11": 9, "key12": 4}, "key2": dict{"key21": 3, "key22": 5}}
	table("map contexts",
		row{"by key, index, rank, value", nested, ops{as.MapGetByKeyOp(bin, "key21", r.VALUE, as.CtxMapKey(v("key2"))), as.MapGetByRankOp(bin, 0, r.KEY, as.CtxMapIndex(1)),
			as.MapGetByKeyOp(bin, "key22", r.VALUE, as.CtxMapRank(-1)), as.MapSizeOp(bin, as.CtxMapValue(v(dict{"key21": 3, "key22": 5})))}, list{3, "key21", 5, 2}, same},
		row{"writes", nested, one(as.MapPutOp(plainMap, bin, "x", 1, as.CtxMapKey(v("key2")))), 3, dict{"key1": nested["key1"], "key2": dict{"key21": 3, "key22": 5, "x": 1}}},
		row{"creating", nil, one(as.MapPutOp(byKey, bin, "x", 1, as.CtxMapKeyCreate(v("k"), order.KEY_ORDERED), as.CtxListIndexCreate(0, as.ListOrderUnordered, true))), 1, dict{"k": list{dict{"x": 1}}}},
		row{"create", dict{}, one(as.MapCreateOp(bin, order.KEY_ORDERED, []*as.CDTContext{as.CtxMapKey(v("k"))})), nil, dict{"k": dict{}}},
		row{"of a missing key", nested, one(as.MapSizeOp(bin, as.CtxMapKey(v("x")))), outside, same},
	)
	check("maps that are compared, with keys in any order", func() {
		// Go sends the keys of a map in another order every time.
		wide := func() dict { return dict{"a": 1, "b": dict{"x": 1, "y": 2, "z": 3}, "c": 3, "d": 4} }
		put("compared", as.BinMap{bin: list{wide(), 7}, "m": dict{"k": wide(), "l": 7}})
		for range 20 {
			got, err := client.Operate(nil, key("compared"), as.ListGetByValueOp(bin, wide(), as.ListReturnTypeIndex), as.ListGetByValueListOp(bin, list{wide(), 9}, as.ListReturnTypeCount), as.ListGetByValueRangeOp(bin, wide(), nil, as.ListReturnTypeCount),
				as.MapSizeOp(bin, as.CtxListValue(v(wide()))), as.MapGetByValueOp("m", wide(), r.KEY), as.MapGetByValueListOp("m", list{wide()}, r.COUNT), as.MapSizeOp("m", as.CtxMapValue(v(wide()))))
			must(err)
			equal(got.Bins, as.BinMap{bin: list{list{0}, 1, 1, 4}, "m": list{list{"k"}, 1, 4}})
		}
	})
	check("large maps in any order", func() {
		big := dict{}
		for i := range 20_000 {
			big[i] = fmt.Sprint(i)
		}
		put("big", as.BinMap{bin: big})
		equal(get("big").Bins[bin], big)
		for _, policy := range []*as.MapPolicy{byKey, persisted} {
			_, err := client.Delete(nil, key("big"))
			must(err)
			equal(answer("big", as.MapPutItemsOp(policy, bin, big), as.MapGetByKeyOp(bin, 777, r.VALUE), as.MapSizeOp(bin)), list{20_000, "777", 20_000})
		}
	})
}
