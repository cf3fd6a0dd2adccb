package main

import (
	as "github.com/aerospike/aerospike-client-go/v8"
	"github.com/aerospike/aerospike-client-go/v8/types"
)

// Every bit operation.
func bits() {
	plainBits := as.DefaultBitPolicy()
	policy := func(flags int) *as.BitPolicy { return as.NewBitPolicy(flags) }
	create, noFail, partial := policy(as.BitWriteFlagsCreateOnly), policy(as.BitWriteFlagsNoFail), policy(as.BitWriteFlagsPartial)
	five := []byte{0x01, 0x42, 0x03, 0x04, 0x05}
	const outside = types.OP_NOT_APPLICABLE
	table("bits",
		row{"resize", five, one(as.BitResizeOp(plainBits, bin, 6, as.BitResizeFlagsDefault)), nil, []byte{1, 0x42, 3, 4, 5, 0}},
		row{"resize from front", five, one(as.BitResizeOp(plainBits, bin, 4, as.BitResizeFlagsFromFront)), nil, []byte{0x42, 3, 4, 5}},
		row{"resize, grow only", five, one(as.BitResizeOp(plainBits, bin, 3, as.BitResizeFlagsGrowOnly)), types.PARAMETER_ERROR, same},
		row{"resize creates", nil, one(as.BitResizeOp(create, bin, 2, as.BitResizeFlagsDefault)), nil, []byte{0, 0}},
		row{"resize, create only", five, one(as.BitResizeOp(create, bin, 2, as.BitResizeFlagsDefault)), types.BIN_EXISTS_ERROR, same},
		row{"insert", five, one(as.BitInsertOp(plainBits, bin, 1, []byte{0xff})), nil, []byte{1, 0xff, 0x42, 3, 4, 5}},
		row{"remove", five, one(as.BitRemoveOp(plainBits, bin, 0, 4)), nil, []byte{5}},
		row{"remove, partial", five, one(as.BitRemoveOp(partial, bin, 3, 4)), nil, []byte{1, 0x42, 3}},
		row{"set", five, one(as.BitSetOp(plainBits, bin, 13, 3, []byte{0xe0})), nil, []byte{1, 0x47, 3, 4, 5}},
		row{"set outside", five, one(as.BitSetOp(plainBits, bin, 41, 8, []byte{0xff})), outside, same},
		row{"set outside, no fail", five, one(as.BitSetOp(noFail, bin, 41, 8, []byte{0xff})), nil, same},
		row{"or, xor, and, not", five, ops{as.BitOrOp(plainBits, bin, 0, 8, []byte{0x10}), as.BitXorOp(plainBits, bin, 8, 8, []byte{0xff}), as.BitAndOp(plainBits, bin, 16, 8, []byte{1}), as.BitNotOp(plainBits, bin, 24, 8)},
			list{nil, nil, nil, nil}, []byte{0x11, 0xbd, 1, 0xfb, 5}},
		row{"shifts", five, ops{as.BitLShiftOp(plainBits, bin, 32, 8, 3), as.BitRShiftOp(plainBits, bin, 0, 9, 1)}, list{nil, nil}, []byte{0, 0xc2, 3, 4, 0x28}},
		row{"add, subtract", five, ops{as.BitAddOp(plainBits, bin, 24, 16, 128, false, as.BitOverflowActionFail), as.BitSubtractOp(plainBits, bin, 0, 8, 1, false, as.BitOverflowActionFail)}, list{nil, nil}, []byte{0, 0x42, 3, 4, 0x85}},
		row{"add overflows", []byte{255}, one(as.BitAddOp(plainBits, bin, 0, 8, 1, false, as.BitOverflowActionFail)), outside, same},
		row{"add saturates", []byte{250}, one(as.BitAddOp(plainBits, bin, 0, 8, 100, false, as.BitOverflowActionSaturate)), nil, []byte{255}},
		row{"add wraps", []byte{255}, one(as.BitAddOp(plainBits, bin, 0, 8, 2, false, as.BitOverflowActionWrap)), nil, []byte{1}},
		row{"set a number", five, one(as.BitSetIntOp(plainBits, bin, 1, 8, 127)), nil, []byte{0x3f, 0xc2, 3, 4, 5}},
		row{"reads", five, ops{as.BitGetOp(bin, 9, 5), as.BitCountOp(bin, 20, 12), as.BitLScanOp(bin, 24, 8, true), as.BitRScanOp(bin, 32, 8, true), as.BitGetIntOp(bin, 8, 16, false), as.BitGetIntOp(bin, -8, 8, true)},
			list{[]byte{0x80}, 3, 5, 7, 0x4203, 5}, same},
		row{"of a string", "text", one(as.BitCountOp(bin, 0, 8)), types.BIN_TYPE_ERROR, same},
		row{"there are none in collections", list{five}, one(as.BitCountOp(bin, 0, 8, as.CtxListIndex(0))), types.PARAMETER_ERROR, same},
	)
}

// Every HyperLogLog operation.
func sketches() {
	policy := as.DefaultHLLPolicy()
	of := func(values list) []as.Value {
		out := make([]as.Value, len(values))
		for i := range values {
			out[i] = as.NewValue(values[i])
		}
		return out
	}
	check("sketches count", func() {
		got := answer("hll", as.HLLInitOp(policy, bin, 12, 0), as.HLLAddOp(policy, bin, of(numbers(0, 1000)), -1, -1), as.HLLGetCountOp(bin), as.HLLRefreshCountOp(bin), as.HLLDescribeOp(bin)).(as.OpResults)
		if count := got[2].(int); count < 950 || count > 1050 {
			panic(count)
		}
		equal(got[3:], as.OpResults{got[2], list{12, 0}})
	})
	check("sketches unite", func() {
		_, err := client.Operate(nil, key("unite"), as.HLLAddOp(policy, bin, of(numbers(0, 100)), 8, 20), as.HLLAddOp(policy, "y", of(numbers(50, 150)), 8, 20))
		must(err)
		y := []as.HLLValue{get("unite").Bins["y"].(as.HLLValue)}
		got := answer("unite", as.HLLGetUnionOp(bin, y), as.HLLGetUnionCountOp(bin, y), as.HLLGetIntersectCountOp(bin, y), as.HLLGetSimilarityOp(bin, y)).(as.OpResults)
		put("union", as.BinMap{bin: got[0]})
		equal(answer("union", as.HLLGetCountOp(bin)), got[1])
		if similarity := got[3].(float64); similarity < 0.1 || similarity > 0.6 {
			panic(similarity)
		}
		equal(answer("unite", as.HLLSetUnionOp(policy, bin, y), as.HLLGetCountOp(bin)), list{nil, got[1]})
	})
	check("sketches fold", func() {
		equal(answer("fold", as.HLLAddOp(policy, bin, of(list{"a"}), 12, -1), as.HLLFoldOp(bin, 8), as.HLLDescribeOp(bin)), list{1, nil, list{8, 0}})
		fails("fold", types.OP_NOT_APPLICABLE, as.HLLFoldOp(bin, 12))
		fails("fold", types.BIN_NOT_FOUND, as.HLLFoldOp("none", 8))
		fails("fold", types.BIN_EXISTS_ERROR, as.HLLInitOp(as.NewHLLPolicy(as.HLLWriteFlagsCreateOnly), bin, 8, 0))
		fails("fold", types.PARAMETER_ERROR, as.HLLInitOp(policy, bin, 3, 0))
	})
}
