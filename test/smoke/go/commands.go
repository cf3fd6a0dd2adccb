package main

import (
	"fmt"
	"strings"
	"time"

	as "github.com/aerospike/aerospike-client-go/v8"
	"github.com/aerospike/aerospike-client-go/v8/types"
)

func writePolicy(change func(p *as.WritePolicy)) *as.WritePolicy {
	policy := *client.DefaultWritePolicy
	change(&policy)
	return &policy
}

func between(low, got, high uint32) {
	if got < low || got > high {
		panic(fmt.Sprintf("got %d, want %d to %d", got, low, high))
	}
}

func codes(rows []as.BatchRecordIfc) []types.ResultCode {
	out := make([]types.ResultCode, len(rows))
	for i := range rows {
		out[i] = rows[i].BatchRec().ResultCode
	}
	return out
}

// batch runs rows of which some may fail; what they answer is in them.
func batch(policy *as.BatchPolicy, rows ...as.BatchRecordIfc) []types.ResultCode {
	if err := client.BatchOperate(policy, rows); err != nil && len(rows) == 0 {
		panic(err)
	}
	return codes(rows)
}

// Policies of single-record and batch commands.
func commands() {
	one := as.BinMap{bin: 1}
	expires := func(seconds uint32) *as.WritePolicy { return as.NewWritePolicy(0, seconds) }
	check("ttls of writes", func() {
		k := key("expires")
		must(client.Put(expires(1000), k, one))
		between(990, get("expires").Expiration, 1000)
		must(client.Put(expires(as.TTLDontUpdate), k, one))
		between(980, get("expires").Expiration, 1000)
		must(client.Touch(expires(2000), k))
		between(1990, get("expires").Expiration, 2000)
		_, err := client.Operate(expires(500), k, as.TouchOp(), as.GetBinOp(bin))
		must(err)
		between(490, get("expires").Expiration, 500)
		must(client.Put(expires(as.TTLDontExpire), k, one))
		equal(get("expires").Expiration, uint32(as.TTLDontExpire))
		refused(client.Put(expires(11*365*86400), k, one), types.PARAMETER_ERROR)
	})
	check("reads touch", func() {
		must(client.Put(expires(3), key("touched"), one))
		policy := *client.DefaultPolicy
		policy.ReadTouchTTLPercent = 80
		for range 4 {
			time.Sleep(time.Second)
			_, err := client.Get(&policy, key("touched"))
			must(err)
		}
		policy.ReadTouchTTLPercent = 101
		_, err := client.Get(&policy, key("touched"))
		refused(err, types.PARAMETER_ERROR)
	})
	check("generations", func() {
		put("generations", one)
		policy := func(kind as.GenerationPolicy, generation uint32) *as.WritePolicy {
			return writePolicy(func(p *as.WritePolicy) { p.GenerationPolicy, p.Generation = kind, generation })
		}
		must(client.Put(policy(as.EXPECT_GEN_EQUAL, 1), key("generations"), one))
		refused(client.Put(policy(as.EXPECT_GEN_EQUAL, 1), key("generations"), one), types.GENERATION_ERROR)
		refused(client.Put(policy(as.EXPECT_GEN_GT, 2), key("generations"), one), types.GENERATION_ERROR)
		must(client.Put(policy(as.EXPECT_GEN_GT, 9), key("generations"), one))
		_, err := client.Delete(policy(as.EXPECT_GEN_EQUAL, 1), key("generations"))
		refused(err, types.GENERATION_ERROR)
	})
	check("operations in one command", func() {
		put("ops", as.BinMap{"i": 1, "s": "a", "l": list{1}})
		got, err := client.Operate(nil, key("ops"), as.GetBinOp("i"), as.AddOp(as.NewBin("i", 1)), as.GetBinOp("i"), as.PutOp(as.NewBin("i", "x")), as.GetBinOp("i"), as.ListAppendOp("l", 2), as.ListSizeOp("l"),
			as.GetBinOp("l"), as.GetBinOp("none"), as.TouchOp(), as.AppendOp(as.NewBin("s", "b")), as.GetBinOp("s"))
		must(err)
		equal(got.Bins, as.BinMap{"i": list{1, 2, "x"}, "l": list{2, 2, list{1, 2}}, "s": "ab"})
		equal(got.Generation, uint32(2))
		each := writePolicy(func(p *as.WritePolicy) { p.RespondPerEachOp = true })
		got, err = client.Operate(each, key("ops"), as.PutOp(as.NewBin("w", 1)), as.AddOp(as.NewBin("n", 1)), as.GetBinOp("n"), as.GetBinOp("none"))
		must(err)
		equal(got.Bins, as.BinMap{"w": nil, "n": list{nil, 1}, "none": nil})
	})
	check("all bins, the header, deletion", func() {
		put("whole", as.BinMap{"a": 1, "b": 2})
		got, err := client.Operate(nil, key("whole"), as.AddOp(as.NewBin("a", 1)), as.GetOp())
		must(err)
		equal(got.Bins, as.BinMap{"a": 2, "b": 2})
		got, err = client.Operate(nil, key("whole"), as.GetHeaderOp())
		must(err)
		equal(got.Generation, uint32(2))
		got, err = client.Operate(nil, key("whole"), as.GetOp(), as.DeleteOp())
		must(err)
		equal(got.Bins, as.BinMap{"a": 2, "b": 2})
		fails("whole", types.KEY_NOT_FOUND_ERROR, as.GetOp())
		fails("whole", types.KEY_NOT_FOUND_ERROR, as.DeleteOp())
	})
	check("durable deletes", func() {
		put("durable", one)
		existed, err := client.Delete(writePolicy(func(p *as.WritePolicy) { p.DurableDelete = true }), key("durable"))
		must(err)
		equal(existed, true)
	})
	check("replacing", func() {
		put("replace", as.BinMap{"a": 1})
		policy := func(action as.RecordExistsAction) *as.WritePolicy {
			return writePolicy(func(p *as.WritePolicy) { p.RecordExistsAction = action })
		}
		must(client.Put(policy(as.REPLACE_ONLY), key("replace"), as.BinMap{"c": 1}))
		equal(get("replace").Bins, as.BinMap{"c": 1})
		refused(client.Put(policy(as.REPLACE_ONLY), key("nothing"), one), types.KEY_NOT_FOUND_ERROR)
		refused(client.Add(policy(as.REPLACE), key("replace"), as.BinMap{"c": 1}), types.PARAMETER_ERROR)
	})
	check("batch rows of every kind", func() {
		for i := range 6 {
			put(fmt.Sprint("row", i), as.BinMap{"i": i, "l": list{i, i}, "m": dict{"k": i}})
		}
		write := func(change func(p *as.BatchWritePolicy)) *as.BatchWritePolicy {
			policy := as.NewBatchWritePolicy()
			change(policy)
			return policy
		}
		set := as.PutOp(as.NewBin("n", 1))
		all, some, head := as.NewBatchRead(nil, key("row0"), nil), as.NewBatchRead(nil, key("row1"), []string{"i", "none"}), as.NewBatchReadHeader(nil, key("row2"))
		all.ReadAllBins = true
		read := as.NewBatchReadOps(nil, key("row3"), as.ListSizeOp("l"), as.MapGetByKeyOp("m", "k", as.MapReturnType.VALUE), as.GetBinOp("i"))
		mixed := as.NewBatchWrite(nil, key("row0"), set, as.ListAppendOp("l", 9), as.MapPutOp(as.DefaultMapPolicy(), "m", "z", 1), as.GetBinOp("i"))
		got := batch(nil, all, some, head, read, mixed,
			as.NewBatchWrite(write(func(p *as.BatchWritePolicy) { p.RecordExistsAction = as.CREATE_ONLY }), key("row1"), set),
			as.NewBatchWrite(write(func(p *as.BatchWritePolicy) { p.RecordExistsAction = as.UPDATE_ONLY }), key("nothing"), set),
			as.NewBatchWrite(write(func(p *as.BatchWritePolicy) { p.GenerationPolicy, p.Generation = as.EXPECT_GEN_EQUAL, 7 }), key("row3"), set),
			as.NewBatchWrite(write(func(p *as.BatchWritePolicy) { p.Expiration, p.SendKey, p.DurableDelete = 500, true, true }), key("row3"), set),
			as.NewBatchWrite(nil, key("row4"), as.ListAppendOp("i", 1)),
			as.NewBatchDelete(nil, key("row5")), as.NewBatchDelete(nil, key("nothing")))
		equal(got, []types.ResultCode{0, 0, 0, 0, 0, types.KEY_EXISTS_ERROR, types.KEY_NOT_FOUND_ERROR, types.GENERATION_ERROR, 0, types.BIN_TYPE_ERROR, 0, types.KEY_NOT_FOUND_ERROR})
		equal(some.Record.Bins, as.BinMap{"i": 1})
		equal(head.Record.Generation, uint32(1))
		equal(read.Record.Bins, as.BinMap{"l": 2, "m": 3, "i": 3})
		equal(mixed.Record.Bins, as.BinMap{"n": nil, "l": 3, "m": 2, "i": 0})
		between(490, get("row3").Expiration, 500)
	})
	check("one operation for many records", func() {
		keys := make([]*as.Key, 3000)
		for i := range keys {
			keys[i] = key(fmt.Sprint("many", i))
		}
		rows := make([]as.BatchRecordIfc, len(keys))
		for i := range rows {
			rows[i] = as.NewBatchWrite(nil, keys[i], as.PutOp(as.NewBin("i", 1)), as.ListAppendOp("l", 1), as.GetBinOp("i"))
		}
		for _, code := range batch(client.DefaultBatchPolicy, rows...) {
			equal(code, types.OK)
		}
		got, err := client.BatchGetOperate(nil, keys, as.ListSizeOp("l"), as.GetBinOp("i"))
		must(err)
		equal(got[2999].Bins, as.BinMap{"l": 1, "i": 1})
		heads, err := client.BatchGetHeader(nil, keys)
		must(err)
		equal(heads[0].Generation, uint32(1))
		gone, err := client.BatchDelete(client.DefaultBatchPolicy, nil, keys)
		must(err)
		equal(gone[2999].ResultCode, types.OK)
	})
	check("too big", func() {
		fails("big", types.RECORD_TOO_BIG, as.ListAppendOp("l", make([]byte, 3<<20)))
	})
	check("truncate", func() {
		k, err := as.NewKey("test", set+"t", 1)
		must(err)
		must(client.Put(nil, k, one))
		must(client.Truncate(nil, "test", set+"t", nil))
		for range 100 {
			if exists, _ := client.Exists(nil, k); !exists {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		panic("still there")
	})
	for name, change := range map[string]func(p *as.ClientPolicy, base []*as.BasePolicy){
		// The client refuses what single-record commands read when it is compressed, whoever sends it.
		"compression":           func(_ *as.ClientPolicy, base []*as.BasePolicy) { base[2].UseCompression = true },
		"replicas at random":    func(_ *as.ClientPolicy, base []*as.BasePolicy) { base[0].ReplicaPolicy = as.RANDOM },
		"linearized reads":      func(_ *as.ClientPolicy, base []*as.BasePolicy) { base[0].ReadModeSC = as.ReadModeSCLinearize },
		"reads of all replicas": func(_ *as.ClientPolicy, base []*as.BasePolicy) { base[0].ReadModeAP = as.ReadModeAPAll },
		"the seed alone":        func(p *as.ClientPolicy, _ []*as.BasePolicy) { p.SeedOnlyCluster = true },
		"connections": func(p *as.ClientPolicy, _ []*as.BasePolicy) {
			p.MinConnectionsPerNode, p.ConnectionQueueSize, p.TendInterval = 5, 10, 300*time.Millisecond
		},
		"a name": func(p *as.ClientPolicy, _ []*as.BasePolicy) { p.ApplicationId = "smoke" },
		"sent keys": func(_ *as.ClientPolicy, base []*as.BasePolicy) {
			for _, each := range base {
				each.SendKey = true
			}
		},
	} {
		check("commands with "+name, func() {
			policy, text := as.NewClientPolicy(), strings.Repeat("x", 5000)
			read, write, many := *client.DefaultPolicy, *client.DefaultWritePolicy, *client.DefaultBatchPolicy
			change(policy, []*as.BasePolicy{&read, &write.BasePolicy, &many.BasePolicy})
			other, err := as.NewClientWithPolicy(policy, host, port)
			must(err)
			defer other.Close()
			k := key("policy")
			must(other.Put(&write, k, as.BinMap{"s": text, "l": list{1}}))
			got, err := other.Get(&read, k)
			must(err)
			equal(got.Bins, as.BinMap{"s": text, "l": list{1}})
			got, err = other.Operate(&write, k, as.ListAppendOp("l", 2), as.GetBinOp("s"))
			must(err)
			equal(got.Bins, as.BinMap{"l": 2, "s": text})
			rows, err := other.BatchGet(&many, []*as.Key{k, k, k})
			must(err)
			equal(rows[2].Bins, as.BinMap{"s": text, "l": list{1, 2}})
			_, err = other.Delete(&write, k)
			must(err)
		})
	}
}
