package main

import (
	as "github.com/aerospike/aerospike-client-go/v8"
)

// Operations that expressions call, and what they give: those that the filters of expressions.go have not shown.
func calls() {
	type call struct {
		name string
		e    exp
		want any
	}
	none, inverted := as.ListReturnTypeNone, as.ListReturnTypeInverted
	value, count := as.ListReturnTypeValue, as.ListReturnTypeCount
	r := as.MapReturnType
	num, text, blob, vals := as.ExpIntVal, as.ExpStringVal, as.ExpBlobVal, as.ExpListValueVal
	l, o, m, n, y, h := as.ExpListBin("l"), as.ExpListBin("o"), as.ExpMapBin("m"), as.ExpMapBin("n"), as.ExpBlobBin("y"), as.ExpHLLBin("h")
	listPolicy, bitPolicy, hllPolicy := as.DefaultListPolicy(), as.DefaultBitPolicy(), as.DefaultHLLPolicy()
	x := as.StringValue("x")
	put("calls", as.BinMap{"l": list{4, 3, 1, 5, 2, 3}, "m": dict{"a": 3, "b": 1, "c": 2}, "n": dict{0: 17, 4: 2, 5: 15, 9: 10}, "y": []byte{1, 0x42, 3}})
	ordered := as.NewListPolicy(as.ListOrderOrdered, as.ListWriteFlagsDefault)
	_, err := client.Operate(nil, key("calls"), as.ListAppendWithPolicyOp(ordered, "o", 0, 4, 5, 9, 11, 15), as.HLLAddOp(hllPolicy, "h", []as.Value{x, as.NewValue(1)}, 10, -1))
	must(err)
	for _, each := range []call{
		{"list insert items", as.ExpListInsertItems(listPolicy, num(1), vals(8, 9), l), list{4, 8, 9, 3, 1, 5, 2, 3}},
		{"list remove by value range", as.ExpListRemoveByValueRange(none, num(2), num(4), l), list{4, 1, 5}},
		{"list remove by value range without end", as.ExpListRemoveByValueRange(none, num(3), nil, l), list{1, 2}},
		{"list remove by value range without begin", as.ExpListRemoveByValueRange(none, nil, num(3), l), list{4, 3, 5, 3}},
		{"list remove by value range inverted", as.ExpListRemoveByValueRange(inverted, num(2), num(4), l), list{3, 2, 3}},
		{"list remove by relative rank", as.ExpListRemoveByValueRelativeRankRange(none, num(5), num(1), o), list{0, 4, 5}},
		{"list remove by relative rank, counted", as.ExpListRemoveByValueRelativeRankRangeCount(none, num(5), num(-1), num(2), o), list{0, 9, 11, 15}},
		{"list remove by index range", as.ExpListRemoveByIndexRangeCount(none, num(1), num(4), l), list{4, 3}},
		{"list remove by rank range", as.ExpListRemoveByRankRange(none, num(2), l), list{1, 2}},
		{"list remove by rank range, counted", as.ExpListRemoveByRankRangeCount(none, num(-2), num(1), l), list{3, 1, 5, 2, 3}},
		{"list remove by rank range inverted", as.ExpListRemoveByRankRangeCount(inverted, num(0), num(2), l), list{1, 2}},
		{"list get by relative rank", as.ExpListGetByValueRelativeRankRangeCount(value, num(3), num(-3), num(4), o), list{0, 4}},
		{"list get by rank range", as.ExpListGetByRankRangeCount(value, num(1), num(2), o), list{4, 5}},
		{"list of values", as.ExpListGetByValueList(count, as.ExpListVal(as.NewValue(3), as.NewValue(9)), l), 2},
		{"list of an array of values", as.ExpListGetByValueList(count, as.ExpValueArrayVal(*as.NewValueArray([]as.Value{as.NewValue(3), as.NewValue(9)})), l), 2},
		{"map remove by key range", as.ExpMapRemoveByKeyRange(r.NONE, text("a"), text("c"), m), dict{"c": 2}},
		{"map remove by key range without end", as.ExpMapRemoveByKeyRange(r.NONE, text("b"), nil, m), dict{"a": 3}},
		{"map remove by key range inverted", as.ExpMapRemoveByKeyRange(r.INVERTED, text("a"), text("c"), m), dict{"a": 3, "b": 1}},
		{"map remove by relative index", as.ExpMapRemoveByKeyRelativeIndexRange(r.NONE, num(5), num(0), n), dict{0: 17, 4: 2}},
		{"map remove by relative index, counted", as.ExpMapRemoveByKeyRelativeIndexRangeCount(r.NONE, num(5), num(-1), num(1), n), dict{0: 17, 5: 15, 9: 10}},
		{"map remove by value", as.ExpMapRemoveByValue(r.NONE, num(1), m), dict{"a": 3, "c": 2}},
		{"map remove by value list", as.ExpMapRemoveByValueList(r.NONE, vals(1, 3, 9), m), dict{"c": 2}},
		{"map remove by value range", as.ExpMapRemoveByValueRange(r.NONE, num(1), num(3), m), dict{"a": 3}},
		{"map remove by value range without end", as.ExpMapRemoveByValueRange(r.NONE, num(2), nil, m), dict{"b": 1}},
		{"map remove by relative rank", as.ExpMapRemoveByValueRelativeRankRange(r.NONE, num(11), num(-1), n), dict{4: 2}},
		{"map remove by relative rank, counted", as.ExpMapRemoveByValueRelativeRankRangeCount(r.NONE, num(11), num(-1), num(1), n), dict{0: 17, 4: 2, 5: 15}},
		{"map remove by index range", as.ExpMapRemoveByIndexRange(r.NONE, num(1), m), dict{"a": 3}},
		{"map remove by index range, counted", as.ExpMapRemoveByIndexRangeCount(r.NONE, num(0), num(2), m), dict{"c": 2}},
		{"map remove by rank", as.ExpMapRemoveByRank(num(0), m), dict{"a": 3, "c": 2}},
		{"map remove by rank range", as.ExpMapRemoveByRankRange(r.NONE, num(1), m), dict{"b": 1}},
		{"map remove by rank range, counted", as.ExpMapRemoveByRankRangeCount(r.INVERTED, num(0), num(1), m), dict{"b": 1}},
		{"map get by relative index", as.ExpMapGetByKeyRelativeIndexRangeCount(r.KEY, num(5), num(-1), num(1), n), list{4}},
		{"map get by value list", as.ExpMapGetByValueList(r.KEY, vals(1, 3), m), list{"a", "b"}},
		{"map get by relative rank", as.ExpMapGetByValueRelativeRankRange(r.KEY, num(11), num(1), n), list{0}},
		{"map get by relative rank, counted", as.ExpMapGetByValueRelativeRankRangeCount(r.KEY, num(11), num(-1), num(1), n), list{9}},
		{"map get by index range", as.ExpMapGetByIndexRangeCount(r.KEY, num(0), num(2), m), list{"a", "b"}},
		{"map get by rank range", as.ExpMapGetByRankRange(r.VALUE, num(1), m), list{2, 3}},
		{"bit insert", as.ExpBitInsert(bitPolicy, num(1), blob([]byte{0xff}), y), []byte{1, 0xff, 0x42, 3}},
		{"bit remove", as.ExpBitRemove(bitPolicy, num(0), num(2), y), []byte{3}},
		{"bit set", as.ExpBitSet(bitPolicy, num(13), num(3), blob([]byte{0xe0}), y), []byte{1, 0x47, 3}},
		{"bit xor", as.ExpBitXor(bitPolicy, num(8), num(8), blob([]byte{0xff}), y), []byte{1, 0xbd, 3}},
		{"bit and", as.ExpBitAnd(bitPolicy, num(8), num(8), blob([]byte{0x40}), y), []byte{1, 0x40, 3}},
		{"bit right shift", as.ExpBitRShift(bitPolicy, num(8), num(8), num(1), y), []byte{1, 0x21, 3}},
		{"bit subtract", as.ExpBitSubtract(bitPolicy, num(8), num(8), num(2), false, as.BitOverflowActionFail, y), []byte{1, 0x40, 3}},
		{"bit subtract, signed", as.ExpBitSubtract(bitPolicy, num(0), num(8), num(2), true, as.BitOverflowActionFail, y), []byte{0xff, 0x42, 3}},
		{"sketch init", as.ExpHLLDescribe(as.ExpHLLInitWithMinHash(hllPolicy, num(12), num(4), h)), list{12, 4}},
		{"sketch add", as.ExpHLLGetCount(as.ExpHLLAddWithIndex(hllPolicy, vals("x", "y"), num(10), h)), 3},
		{"sketch add with bits", as.ExpHLLDescribe(as.ExpHLLAddWithIndexAndMinHash(hllPolicy, vals("x", "y"), num(10), num(8), h)), list{10, 0}},
	} {
		check("calls: "+each.name, func() {
			equal(answer("calls", as.ExpReadOp(bin, each.e, as.ExpReadFlagDefault)), each.want)
			packed, err := each.e.Base64()
			must(err)
			again, err := as.ExpFromBase64(packed)
			must(err)
			equal(answer("calls", as.ExpReadOp(bin, again, as.ExpReadFlagDefault)), each.want)
		})
	}
}
