package main

import (
	as "github.com/aerospike/aerospike-client-go/v8"
	"github.com/aerospike/aerospike-client-go/v8/types"
)

type exp = *as.Expression

func filter(e exp) *as.BasePolicy {
	policy := *client.DefaultPolicy
	policy.FilterExpression = e
	return &policy
}

// Filters and expression operations.
func expressions() {
	const (
		filtered, outside = types.FILTERED_OUT, types.OP_NOT_APPLICABLE
		value, count      = as.ListReturnTypeValue, as.ListReturnTypeCount
		circle            = `{"type":"AeroCircle","coordinates":[[-122.0,37.5],1000]}`
		point             = `{"type":"Point","coordinates":[-122.0,37.5]}`
	)
	r := as.MapReturnType
	i, neg, d, s, y := as.ExpIntBin("i"), as.ExpIntBin("neg"), as.ExpFloatBin("d"), as.ExpStringBin("s"), as.ExpBlobBin("y")
	l, m, h, g := as.ExpListBin("l"), as.ExpMapBin("m"), as.ExpHLLBin("h"), as.ExpHLLBin("g")
	eq, and, not := as.ExpEq, as.ExpAnd, as.ExpNot
	num, float, text, blob, yes := as.ExpIntVal, as.ExpFloatVal, as.ExpStringVal, as.ExpBlobVal, as.ExpBoolVal
	vals := as.ExpListValueVal
	listPolicy, mapPolicy, bitPolicy, hllPolicy := as.DefaultListPolicy(), as.DefaultMapPolicy(), as.DefaultBitPolicy(), as.DefaultHLLPolicy()
	sorted := func(pairs dict) exp { return as.ExpMapVal(as.MapValue(pairs)) }

	// Each is true of the record.
	truths := map[string]exp{
		"integers":                and(eq(i, num(7)), as.ExpNotEq(i, num(8)), as.ExpGreater(i, num(6)), as.ExpGreaterEq(i, num(7)), as.ExpLess(neg, num(-7)), as.ExpLessEq(neg, num(-8))),
		"doubles, strings, bytes": and(eq(d, float(2.5)), eq(s, text("Hello World")), eq(y, blob([]byte{0x0f, 0xf0, 1}))),
		"booleans":                and(as.ExpBoolBin("yes"), eq(as.ExpBoolBin("yes"), yes(true))),
		"lists":                   and(eq(l, vals(3, 1, 2, 3)), as.ExpLess(l, vals(3, 2))),
		"or, exclusive":           and(as.ExpOr(eq(as.ExpIntBin("missing"), num(1)), eq(i, num(7))), as.ExpExclusive(eq(i, num(7)), eq(i, num(8)))),
		"regex":                   and(as.ExpRegexCompare("^hel+o w(or|ar)ld$", as.ExpRegexFlagICASE|as.ExpRegexFlagEXTENDED, s), not(as.ExpRegexCompare("x", as.ExpRegexFlagNONE, s))),
		"geo":                     as.ExpGeoCompare(as.ExpGeoBin("geo"), as.ExpGeoVal(circle)),
		"bins":                    and(as.ExpBinExists("i"), not(as.ExpBinExists("missing")), eq(as.ExpBinType("m"), num(19))),
		"key":                     and(as.ExpKeyExists(), eq(as.ExpKey(as.ExpTypeSTRING), text("all"))),
		"metadata": and(eq(as.ExpSetName(), text(set)), as.ExpGreater(as.ExpTTL(), num(900)), as.ExpGreater(as.ExpVoidTime(), as.ExpLastUpdate()), as.ExpLess(as.ExpSinceUpdate(), num(600_000)), not(as.ExpIsTombstone()),
			as.ExpLess(as.ExpDigestModulo(3), num(3)), as.ExpGreater(as.ExpRecordSize(), num(100)), as.ExpGreaterEq(as.ExpMemorySize(), num(0)), as.ExpGreaterEq(as.ExpDeviceSize(), num(0))),
		"arithmetic": and(eq(as.ExpNumAdd(i, neg, num(1)), num(0)), eq(as.ExpNumSub(i, num(2)), num(5)), eq(as.ExpNumMul(d, float(2)), float(5)), eq(as.ExpNumDiv(i, num(2)), num(3)), eq(as.ExpNumPow(float(2), float(10)), float(1024)),
			as.ExpGreater(as.ExpNumLog(float(100), float(10)), float(1.99)), eq(as.ExpNumMod(i, num(4)), num(3)), eq(as.ExpNumAbs(neg), num(8)), eq(as.ExpNumFloor(d), float(2)), eq(as.ExpNumCeil(d), float(3)),
			eq(as.ExpToInt(d), num(2)), eq(as.ExpToFloat(i), float(7)), eq(as.ExpMin(i, num(3)), num(3)), eq(as.ExpMax(i, num(9)), num(9))),
		"bits of integers": and(eq(as.ExpIntAnd(i, num(5)), num(5)), eq(as.ExpIntOr(i, num(8)), num(15)), eq(as.ExpIntXor(i, num(1)), num(6)), eq(as.ExpIntNot(i), num(-8)), eq(as.ExpIntLShift(i, num(1)), num(14)),
			eq(as.ExpIntRShift(neg, num(62)), num(3)), eq(as.ExpIntARShift(neg, num(1)), num(-4)), eq(as.ExpIntCount(i), num(3)), eq(as.ExpIntLScan(i, yes(true)), num(61)), eq(as.ExpIntRScan(neg, yes(true)), num(60))),
		"cond": eq(as.ExpCond(as.ExpGreater(i, num(10)), text("big"), as.ExpGreater(i, num(5)), text("middle"), text("small")), text("middle")),
		"let":  as.ExpLet(as.ExpDef("x", i), as.ExpDef("y", as.ExpNumAdd(as.ExpVar("x"), num(1))), eq(as.ExpNumAdd(as.ExpVar("x"), as.ExpVar("y")), num(15))),
		"list reads": and(eq(as.ExpListSize(l), num(4)), eq(as.ExpListGetByValue(count, num(3), l), num(2)), eq(as.ExpListGetByValueRange(count, num(2), as.ExpInfinityValue(), l), num(3)),
			eq(as.ExpListGetByValueList(count, vals(1, 2), l), num(2)), eq(as.ExpListGetByIndex(value, as.ExpTypeINT, num(-2), l), num(2)), eq(as.ExpListGetByIndexRangeCount(value, num(1), num(2), l), vals(1, 2)),
			eq(as.ExpListGetByIndexRange(value, num(2), l), vals(2, 3)), eq(as.ExpListGetByRank(value, as.ExpTypeINT, num(0), l), num(1)), eq(as.ExpListGetByRankRange(count, num(1), l), num(3)),
			eq(as.ExpListGetByValueRelativeRankRange(count, num(2), num(1), l), num(2))),
		"list contexts": eq(as.ExpListGetByIndex(value, as.ExpTypeSTRING, num(1), as.ExpListBin("pairs"), as.CtxListIndex(1)), text("b")),
		"modified lists": and(eq(as.ExpListSort(as.ListSortFlagsDropDuplicates, l), vals(1, 2, 3)), eq(as.ExpListAppend(listPolicy, i, l), vals(3, 1, 2, 3, 7)), eq(as.ExpListAppendItems(listPolicy, vals(8, 9), l), vals(3, 1, 2, 3, 8, 9)),
			eq(as.ExpListInsert(listPolicy, num(0), num(9), l), vals(9, 3, 1, 2, 3)), eq(as.ExpListSet(listPolicy, num(0), num(9), l), vals(9, 1, 2, 3)), eq(as.ExpListIncrement(listPolicy, num(0), num(2), l), vals(5, 1, 2, 3)),
			eq(as.ExpListSize(as.ExpListClear(l)), num(0)), eq(as.ExpListRemoveByValue(as.ListReturnTypeNone, num(3), l), vals(1, 2)), eq(as.ExpListRemoveByIndex(num(0), l), vals(1, 2, 3)), eq(as.ExpListRemoveByRank(num(0), l), vals(3, 2, 3)),
			eq(as.ExpListRemoveByIndexRange(as.ListReturnTypeNone, num(1), l), vals(3)), eq(as.ExpListRemoveByValueList(as.ListReturnTypeInverted, vals(1), l), vals(1))),
		"map reads": and(eq(as.ExpMapSize(m), num(3)), eq(as.ExpMapGetByKey(r.VALUE, as.ExpTypeINT, text("b"), m), num(2)), eq(as.ExpMapGetByKeyList(r.VALUE, vals("c", "a"), m), vals(1, 3)),
			eq(as.ExpMapGetByKeyRange(r.KEY, text("b"), text("d"), m), vals("b", "c")), eq(as.ExpMapGetByValue(r.KEY, num(3), m), vals("c")), eq(as.ExpMapGetByValueRange(r.COUNT, num(2), as.ExpInfinityValue(), m), num(2)),
			eq(as.ExpMapGetByRank(r.KEY, as.ExpTypeSTRING, num(-1), m), text("c")), eq(as.ExpMapGetByIndexRange(r.VALUE, num(1), m), vals(2, 3)), eq(as.ExpMapGetByRankRangeCount(r.COUNT, num(1), num(1), m), num(1)),
			eq(as.ExpMapGetByKeyRelativeIndexRange(r.KEY, text("b"), num(0), m), vals("b", "c")), eq(as.ExpMapGetByIndex(r.VALUE, as.ExpTypeINT, num(0), m), num(1))),
		"map contexts": eq(as.ExpMapGetByKey(r.VALUE, as.ExpTypeINT, text("n"), as.ExpMapBin("deep"), as.CtxMapKey(as.NewValue("x")), as.CtxListIndex(1)), num(2)),
		"modified maps": and(eq(as.ExpMapGetByKey(r.VALUE, as.ExpTypeINT, text("z"), as.ExpMapPut(mapPolicy, text("z"), i, m)), num(7)), eq(as.ExpMapSize(as.ExpMapPutItems(mapPolicy, sorted(dict{"y": 1, "a": 9}), m)), num(4)),
			eq(as.ExpMapSize(as.ExpMapRemoveByKey(text("a"), m)), num(2)), eq(as.ExpMapSize(as.ExpMapRemoveByKeyList(r.NONE, vals("a", "b"), m)), num(1)), eq(as.ExpMapSize(as.ExpMapClear(m)), num(0)),
			eq(as.ExpMapGetByKey(r.VALUE, as.ExpTypeINT, text("a"), as.ExpMapIncrement(mapPolicy, text("a"), num(5), m)), num(6)), eq(as.ExpMapSize(as.ExpMapRemoveByIndex(num(0), m)), num(2))),
		"bits of blobs": and(eq(as.ExpBitCount(num(0), num(24), y), num(9)), eq(as.ExpBitGetInt(num(4), num(8), false, y), num(255)), eq(as.ExpBitLScan(num(0), num(24), yes(true), y), num(4)),
			eq(as.ExpBitGet(num(0), num(8), y), blob([]byte{0x0f})), eq(as.ExpBitRScan(num(0), num(24), yes(true), y), num(23))),
		"modified blobs": and(eq(as.ExpBitResize(bitPolicy, num(1), as.BitResizeFlagsDefault, y), blob([]byte{0x0f})), eq(as.ExpBitNot(bitPolicy, num(16), num(8), y), blob([]byte{0x0f, 0xf0, 0xfe})),
			eq(as.ExpBitOr(bitPolicy, num(0), num(8), blob([]byte{0xf0}), y), blob([]byte{0xff, 0xf0, 1})), eq(as.ExpBitSetInt(bitPolicy, num(0), num(8), i, y), blob([]byte{7, 0xf0, 1})),
			eq(as.ExpBitAdd(bitPolicy, num(16), num(8), num(1), false, as.BitOverflowActionFail, y), blob([]byte{0x0f, 0xf0, 2})), eq(as.ExpBitLShift(bitPolicy, num(0), num(16), num(4), y), blob([]byte{0xff, 0, 1}))),
		"sketches": and(eq(as.ExpHLLGetCount(h), num(3)), eq(as.ExpHLLDescribe(h), vals(10, 0)), eq(as.ExpHLLMayContain(vals("a", "c"), h), num(1)), eq(as.ExpHLLGetUnionCount(g, h), num(4)), eq(as.ExpHLLGetIntersectCount(g, h), num(1)),
			as.ExpGreater(as.ExpHLLGetSimilarity(g, h), float(0.2)), eq(as.ExpHLLGetCount(as.ExpHLLGetUnion(g, h)), num(4)), eq(as.ExpHLLGetCount(as.ExpHLLAdd(hllPolicy, vals("x"), h)), num(4)), eq(as.ExpHLLDescribe(as.ExpHLLInit(hllPolicy, num(12), h)), vals(12, 0))),
	}
	unknowns := map[string]exp{
		"missing bin": eq(as.ExpIntBin("missing"), num(1)), "bin of another type": eq(as.ExpStringBin("i"), text("7")), "index out of bounds": eq(as.ExpListGetByIndex(value, as.ExpTypeINT, num(9), l), num(1)),
		"division by zero": eq(as.ExpNumDiv(i, num(0)), num(1)), "unsorted map": eq(m, sorted(dict{"a": 1, "b": 2, "c": 3})), "unknown": as.ExpUnknown(),
	}
	record := func(name string) *as.Key {
		policy := writePolicy(func(p *as.WritePolicy) { p.Expiration, p.SendKey = 1000, true })
		k := key(name)
		must(client.Put(policy, k, as.BinMap{"i": 7, "neg": -8, "d": 2.5, "s": "Hello World", "y": []byte{0x0f, 0xf0, 1}, "yes": true, "geo": as.GeoJSONValue(point), "l": list{3, 1, 2, 3}, "pairs": list{list{1, "a"}, list{2, "b"}},
			"m": dict{"c": 3, "a": 1, "b": 2}, "deep": dict{"x": list{dict{"n": 1}, dict{"n": 2}}}}))
		of := func(texts ...string) []as.Value {
			var out []as.Value
			for _, each := range texts {
				out = append(out, as.StringValue(each))
			}
			return out
		}
		_, err := client.Operate(policy, k, as.HLLAddOp(hllPolicy, "h", of("a", "b", "c"), 10, -1), as.HLLAddOp(hllPolicy, "g", of("c", "d"), 10, -1))
		must(err)
		return k
	}
	all := record("all")
	fetch := func(e exp) as.Error {
		_, err := client.Get(filter(e), all)
		return err
	}
	for name, e := range truths {
		check("filters: "+name, func() {
			must(fetch(e))
			refused(fetch(not(e)), filtered)
			equal(answer("all", as.ExpReadOp(bin, e, as.ExpReadFlagDefault)), true)
		})
	}
	for name, e := range unknowns {
		check("unknown: "+name, func() {
			refused(fetch(e), filtered)
			refused(fetch(not(e)), filtered)
			fails("all", outside, as.ExpReadOp(bin, e, as.ExpReadFlagDefault))
			equal(answer("all", as.ExpReadOp(bin, e, as.ExpReadFlagEvalNoFail)), nil)
		})
	}
	check("every command takes a filter", func() {
		k := record("f")
		for _, command := range []func(p *as.WritePolicy) as.Error{
			func(p *as.WritePolicy) as.Error { return client.Touch(p, k) },
			func(p *as.WritePolicy) as.Error { return client.Add(p, k, as.BinMap{"n": 1}) },
			func(p *as.WritePolicy) as.Error { return client.Put(p, k, as.BinMap{"n": 1}) },
			func(p *as.WritePolicy) as.Error { return client.Append(p, k, as.BinMap{"s": "x"}) },
			func(p *as.WritePolicy) as.Error {
				_, err := client.Operate(p, k, as.PutOp(as.NewBin("n", 2)), as.GetBinOp("n"))
				return err
			},
			func(p *as.WritePolicy) as.Error { _, err := client.Operate(p, k, as.GetBinOp("n")); return err },
			func(p *as.WritePolicy) as.Error { _, err := client.Exists(&p.BasePolicy, k); return err },
			func(p *as.WritePolicy) as.Error { _, err := client.GetHeader(&p.BasePolicy, k); return err },
			func(p *as.WritePolicy) as.Error { _, err := client.Delete(p, k); return err },
		} {
			generation := get("f").Generation
			refused(command(writePolicy(func(p *as.WritePolicy) { p.FilterExpression = eq(i, num(8)) })), filtered)
			equal(get("f").Generation, generation)
			must(command(writePolicy(func(p *as.WritePolicy) { p.FilterExpression = eq(i, num(7)) })))
		}
	})
	check("bad filters are refused", func() {
		for _, bad := range []exp{i, eq(i, text("7")), as.ExpRegexCompare("(", as.ExpRegexFlagEXTENDED, s), eq(as.ExpVar("none"), num(1))} {
			refused(fetch(bad), types.PARAMETER_ERROR)
		}
	})
	check("filters of batches", func() {
		keys := make([]*as.Key, 8)
		for n := range keys {
			keys[n] = key(string(rune('a' + n)))
			must(client.Put(nil, keys[n], as.BinMap{"i": 7 - n}))
		}
		few := *client.DefaultBatchPolicy
		few.FilterExpression = as.ExpLess(i, num(3))
		got, err := client.BatchGet(&few, keys)
		if err != nil && !err.Matches(filtered) {
			panic(err)
		}
		for n := range got {
			equal(got[n] != nil, n >= 5)
		}
		if _, err = client.BatchExists(&few, keys); err != nil && !err.Matches(filtered) {
			panic(err)
		}
		own, never, onlyOne := as.NewBatchReadPolicy(), as.NewBatchWritePolicy(), as.NewBatchDeletePolicy()
		own.FilterExpression, never.FilterExpression, onlyOne.FilterExpression = eq(i, num(7)), eq(i, num(100)), eq(i, num(1))
		rows := []as.BatchRecordIfc{as.NewBatchRead(own, keys[0], []string{"i"}), as.NewBatchRead(nil, keys[1], []string{"i"}), as.NewBatchWrite(never, keys[7], as.PutOp(as.NewBin("n", 1))),
			as.NewBatchWrite(nil, keys[7], as.PutOp(as.NewBin("n", 1))), as.NewBatchDelete(onlyOne, keys[6]), as.NewBatchDelete(onlyOne, keys[5])}
		equal(batch(&few, rows...), []types.ResultCode{0, filtered, filtered, 0, 0, filtered})
	})
	for name, pair := range map[string]struct {
		e    exp
		want any
	}{
		"integer": {as.ExpNumAdd(i, num(1)), 8}, "double": {as.ExpNumMul(d, float(2)), 5.0}, "string": {as.ExpCond(as.ExpBoolBin("yes"), text("yes"), text("no")), "yes"}, "boolean": {as.ExpBoolBin("yes"), true},
		"bytes": {as.ExpBitGet(num(0), num(8), y), []byte{0x0f}}, "list": {as.ExpListGetByIndexRangeCount(value, num(1), num(2), l), list{1, 2}}, "map": {as.ExpMapRemoveByKey(text("a"), m), dict{"b": 2, "c": 3}},
		"geo": {as.ExpGeoBin("geo"), as.GeoJSONValue(point)}, "literal list": {vals(1, "a", list{2}), list{1, "a", list{2}}}, "literal map": {sorted(dict{"z": 1, "a": dict{"y": 1, "b": 2}}), dict{"z": 1, "a": dict{"y": 1, "b": 2}}},
	} {
		check("expressions: "+name, func() {
			equal(answer("all", as.ExpReadOp(bin, pair.e, as.ExpReadFlagDefault)), pair.want)
			_, err := client.Operate(nil, all, as.ExpWriteOp("w", pair.e, as.ExpWriteFlagDefault))
			must(err)
			equal(get("all", "w").Bins["w"], pair.want)
		})
	}
	check("flags of expression writes", func() {
		record("w")
		plus, missing := as.ExpNumAdd(i, num(1)), as.ExpIntBin("missing")
		write := func(bin string, e exp, flags as.ExpWriteFlags) any {
			_, err := client.Operate(nil, key("w"), as.ExpWriteOp(bin, e, flags))
			must(err)
			return get("w").Bins[bin]
		}
		fails("w", types.BIN_EXISTS_ERROR, as.ExpWriteOp("i", plus, as.ExpWriteFlagCreateOnly))
		equal(write("i", plus, as.ExpWriteFlagCreateOnly|as.ExpWriteFlagPolicyNoFail), 7)
		fails("w", types.BIN_NOT_FOUND, as.ExpWriteOp("u", plus, as.ExpWriteFlagUpdateOnly))
		equal(write("c", plus, as.ExpWriteFlagCreateOnly), 8)
		fails("w", outside, as.ExpWriteOp("c", missing, as.ExpWriteFlagDefault))
		equal(write("c", missing, as.ExpWriteFlagEvalNoFail), 8)
		fails("w", outside, as.ExpWriteOp("c", as.ExpNilValue(), as.ExpWriteFlagDefault))
		equal(write("c", as.ExpNilValue(), as.ExpWriteFlagAllowDelete), nil)
	})
}
