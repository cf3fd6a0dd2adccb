package main

import (
	"fmt"
	"strings"
	"time"

	as "github.com/aerospike/aerospike-client-go/v8"
	"github.com/aerospike/aerospike-client-go/v8/types"
)

// What the programs of all languages do.
func smoke() {
	check("reads what was written", func() {
		bins := as.BinMap{
			"int": -7, "float": 2.5, "text": "héllo", "bytes": []byte{0, 1, 255}, "yes": true,
			"list": []any{1, "two", []any{3.5, nil}}, "map": map[any]any{"a": 1, "b": map[any]any{"c": []any{true}}},
		}
		put("all", bins)
		r := get("all")
		equal(r.Bins, bins)
		equal(r.Generation, uint32(1))
	})
	check("integer and blob keys", func() {
		for _, each := range []any{42, -1, []byte{1, 2}} {
			put(each, as.BinMap{"k": 1})
			equal(get(each).Bins, as.BinMap{"k": 1})
		}
	})
	check("selects bins", func() {
		put("select", as.BinMap{"a": 1, "b": 2, "c": 3})
		equal(get("select", "a", "c", "none").Bins, as.BinMap{"a": 1, "c": 3})
		head, err := client.GetHeader(nil, key("select"))
		must(err)
		equal(head.Generation, uint32(1))
	})
	check("merges and removes bins", func() {
		put("merge", as.BinMap{"a": 1, "b": 2})
		put("merge", as.BinMap{"a": nil, "c": 3})
		equal(get("merge").Bins, as.BinMap{"b": 2, "c": 3})
	})
	check("a missing record is not found", func() {
		_, err := client.Get(nil, key("missing"))
		refused(err, types.KEY_NOT_FOUND_ERROR)
		existed, err := client.Delete(nil, key("missing"))
		must(err)
		equal(existed, false)
		exists, err := client.Exists(nil, key("missing"))
		must(err)
		equal(exists, false)
	})
	check("a wrong generation is refused", func() {
		put("gen", as.BinMap{"a": 1})
		policy := as.NewWritePolicy(1, 0)
		policy.GenerationPolicy = as.EXPECT_GEN_EQUAL
		must(client.Put(policy, key("gen"), as.BinMap{"a": 2}))
		refused(client.Put(policy, key("gen"), as.BinMap{"a": 3}), types.GENERATION_ERROR)
		equal(get("gen").Bins, as.BinMap{"a": 2})
	})
	check("exists actions", func() {
		policy := as.NewWritePolicy(0, 0)
		policy.RecordExistsAction = as.CREATE_ONLY
		must(client.Put(policy, key("create"), as.BinMap{"a": 1}))
		refused(client.Put(policy, key("create"), as.BinMap{"a": 2}), types.KEY_EXISTS_ERROR)
		policy.RecordExistsAction = as.UPDATE_ONLY
		refused(client.Put(policy, key("update"), as.BinMap{"a": 1}), types.KEY_NOT_FOUND_ERROR)
		policy.RecordExistsAction = as.REPLACE
		must(client.Put(policy, key("create"), as.BinMap{"b": 2}))
		equal(get("create").Bins, as.BinMap{"b": 2})
	})
	check("too big a record is refused", func() {
		refused(client.Put(nil, key("big"), as.BinMap{"a": make([]byte, 2<<20)}), types.RECORD_TOO_BIG)
	})
	check("operates in order", func() {
		put("operate", as.BinMap{"n": 5, "s": "b"})
		r, err := client.Operate(nil, key("operate"), as.AddOp(as.NewBin("n", 3)), as.AppendOp(as.NewBin("s", "c")),
			as.PrependOp(as.NewBin("s", "a")), as.GetBinOp("n"), as.GetBinOp("s"))
		must(err)
		equal(r.Bins, as.BinMap{"n": 8, "s": "abc"})
		equal(r.Generation, uint32(2))
		refused(client.Add(nil, key("operate"), as.BinMap{"s": 1}), types.BIN_TYPE_ERROR)
	})
	check("records expire", func() {
		must(client.Put(as.NewWritePolicy(0, 1000), key("ttl"), as.BinMap{"a": 1}))
		if ttl := get("ttl").Expiration; ttl < 990 || ttl > 1000 {
			panic(fmt.Sprintf("ttl %d", ttl))
		}
		must(client.Touch(as.NewWritePolicy(0, 2000), key("ttl")))
		if ttl := get("ttl").Expiration; ttl <= 1000 {
			panic(fmt.Sprintf("ttl %d after touch", ttl))
		}
		must(client.Put(as.NewWritePolicy(0, 1), key("short"), as.BinMap{"a": 1}))
		time.Sleep(2100 * time.Millisecond)
		_, err := client.Get(nil, key("short"))
		refused(err, types.KEY_NOT_FOUND_ERROR)
	})
	check("reads batches", func() {
		keys := make([]*as.Key, 55)
		for i := range keys {
			keys[i] = key(fmt.Sprintf("batch%d", i))
			if i < 50 {
				must(client.Put(nil, keys[i], as.BinMap{"i": i, "square": i * i}))
			}
		}
		got, err := client.BatchGet(nil, keys)
		if err != nil && !err.Matches(types.KEY_NOT_FOUND_ERROR) {
			panic(err)
		}
		for i, r := range got {
			if i < 50 {
				equal(r.Bins, as.BinMap{"i": i, "square": i * i})
			} else if r != nil {
				panic(fmt.Sprintf("record %d exists", i))
			}
		}
		exists, err := client.BatchExists(nil, keys[48:52])
		must(err)
		equal(exists, []bool{true, true, false, false})
	})
	check("writes batches", func() {
		put("mixed0", as.BinMap{"n": 1})
		rows := []as.BatchRecordIfc{
			as.NewBatchWrite(nil, key("mixed0"), as.AddOp(as.NewBin("n", 1)), as.GetBinOp("n")),
			as.NewBatchWrite(nil, key("mixed1"), as.PutOp(as.NewBin("n", 10))),
			as.NewBatchDelete(nil, key("missing")),
		}
		if err := client.BatchOperate(nil, rows); err != nil && !err.Matches(types.KEY_NOT_FOUND_ERROR) {
			panic(err)
		}
		var codes []types.ResultCode
		for _, row := range rows {
			codes = append(codes, row.BatchRec().ResultCode)
		}
		equal(codes, []types.ResultCode{types.OK, types.OK, types.KEY_NOT_FOUND_ERROR})
		equal(get("mixed0").Bins, as.BinMap{"n": 2})
		equal(get("mixed1").Bins, as.BinMap{"n": 10})
		gone, err := client.BatchDelete(nil, nil, []*as.Key{key("mixed0"), key("mixed1")})
		must(err)
		equal([]types.ResultCode{gone[0].ResultCode, gone[1].ResultCode}, []types.ResultCode{types.OK, types.OK})
	})
	check("deletes", func() {
		put("delete", as.BinMap{"a": 1})
		existed, err := client.Delete(nil, key("delete"))
		must(err)
		equal(existed, true)
		put("delete", as.BinMap{"a": 2})
		equal(get("delete").Generation, uint32(1))
	})
	check("info answers", func() {
		for _, node := range client.GetNodes() {
			answer, err := node.RequestInfo(as.NewInfoPolicy(), "build")
			must(err)
			if !strings.HasPrefix(answer["build"], "8.1.2") {
				panic(fmt.Sprint(answer))
			}
		}
	})
}
