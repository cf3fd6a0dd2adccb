package main

import (
	"fmt"
	"math"
	"strings"

	as "github.com/aerospike/aerospike-client-go/v8"
	"github.com/aerospike/aerospike-client-go/v8/types"
)

// Values of every type.
func values() {
	widths := list{math.MaxInt64, math.MinInt64}
	for _, bits := range []int{5, 7, 8, 15, 16, 31, 32, 62} {
		for near := -1; near <= 1; near++ {
			widths = append(widths, 1<<bits+near, -1<<bits+near)
		}
	}
	texts, blobs := list{}, list{}
	for _, n := range []int{0, 1, 30, 31, 32, 254, 255, 256, 65534, 65535, 65536} {
		texts, blobs = append(texts, strings.Repeat("x", n)), append(blobs, make([]byte, n))
	}
	sized := list{}
	for _, n := range []int{15, 16, 65536} {
		m := dict{}
		for i := range n {
			m[i] = i
		}
		sized = append(sized, m)
	}
	var deep any = 1
	for range 60 {
		deep = list{deep}
	}
	point := as.GeoJSONValue(`{"type":"Point","coordinates":[-122.0,37.5]}`)
	for name, value := range map[string]any{
		"zero": 0, "largest integer": math.MaxInt64, "smallest integer": math.MinInt64, "double": math.Pi, "infinity": math.Inf(-1), "true": true, "false": false,
		"empty string": "", "text": "naïve ☕ \U0001f600 \x00 end", "bytes": []byte{0, 1, 127, 128, 255}, "empty bytes": []byte{}, "empty list": list{}, "empty map": dict{},
		"list":                    list{1, -1, 1 << 40, "s", 2.5, nil, true, []byte{1, 2}, list{1, list{2}}, dict{"k": list{1}}},
		"map":                     dict{"s": "x", 1: 2, -1: 3, "none": nil, "yes": false, "d": 1.5, "l": list{dict{"m": dict{}}}},
		"integers of every width": widths, "strings of every length of header": texts, "bytes of every length of header": blobs, "maps of every length of header": sized, "deep list": deep,
		"point": point, "circle": as.GeoJSONValue(`{"type":"AeroCircle","coordinates":[[-122.0,37.5],1000]}`), "points in a list": list{point, dict{"home": point}},
	} {
		check("values: "+name, func() {
			put(name, as.BinMap{bin: value})
			equal(get(name).Bins, as.BinMap{bin: value})
			put(name, as.BinMap{bin: list{value}})
			equal(get(name).Bins, as.BinMap{bin: list{value}})
			equal(answer(name, as.PutOp(as.NewBin(bin, value)), as.GetBinOp(bin)), value)
		})
	}
	check("Go's own types", func() {
		put("go", as.BinMap{"u8": uint8(200), "i16": int16(-3), "u32": uint32(1 << 31), "f32": float32(1.5), "ints": []int{1, 2}, "strings": []string{"a"}, "map": map[string]int{"a": 1}, "array": [2]int{1, 2},
			"json": as.JsonValue{"a": []any{1, "b"}}, "f32s": []float32{1.5}})
		equal(get("go").Bins, as.BinMap{"u8": 200, "i16": -3, "u32": 1 << 31, "f32": 1.5, "ints": list{1, 2}, "strings": list{"a"}, "map": dict{"a": 1}, "array": list{1, 2}, "json": dict{"a": list{1, "b"}},
			"f32s": list{float32(1.5)}})
	})
	check("unsigned integers in a list", func() {
		put("unsigned", as.BinMap{bin: list{uint64(math.MaxUint64), uint64(1 << 63), 1}})
		// They are larger than others to the server; the client gives them back as signed ones.
		equal(answer("unsigned", as.ListGetByRankOp(bin, 0, as.ListReturnTypeValue), as.ListSizeOp(bin)), list{1, 3})
	})
	check("raw bytes of other types", func() {
		put("raw", as.BinMap{bin: as.NewRawBlobValue(9, []byte{1, 2, 3})})
		get("raw")
	})
	check("not a number comes back", func() {
		put("nan", as.BinMap{bin: math.NaN()})
		if !math.IsNaN(get("nan").Bins[bin].(float64)) {
			panic("a number")
		}
	})
	check("nil removes a bin", func() {
		put("nil", as.BinMap{"a": 1, "b": 2})
		put("nil", as.BinMap{"a": nil})
		equal(get("nil").Bins, as.BinMap{"b": 2})
	})
	check("bad GeoJSON is refused", func() {
		for _, bad := range []string{`{"type":"Point","coordinates":[200,0]}`, `{"type":"Dot"}`, "no JSON"} {
			refused(client.Put(nil, key("geo"), as.BinMap{bin: as.GeoJSONValue(bad)}), 160)
		}
	})
	check("structs", func() {
		type address struct {
			City string `as:"city"`
		}
		type person struct {
			Name string            `as:"name"`
			Age  int               `as:"age"`
			Home address           `as:"home"`
			Tags []string          `as:"tags"`
			More map[string]string `as:"more"`
		}
		sent := person{"Ann", 7, address{"Here"}, []string{"a", "b"}, map[string]string{"k": "v"}}
		must(client.PutObject(nil, key("struct"), &sent))
		var got person
		must(client.GetObject(nil, key("struct"), &got))
		equal(fmt.Sprint(got), fmt.Sprint(sent))
	})
	check("add, append, prepend", func() {
		put("modify", as.BinMap{"s": "b", "n": 1, "d": 1.5, "y": []byte{2}})
		must(client.Append(nil, key("modify"), as.BinMap{"s": "c", "y": []byte{3}, "new": "x"}))
		must(client.Prepend(nil, key("modify"), as.BinMap{"s": "a", "y": []byte{1}}))
		must(client.Add(nil, key("modify"), as.BinMap{"n": -5, "d": 0.25, "m": 5}))
		equal(get("modify").Bins, as.BinMap{"s": "abc", "n": -4, "d": 1.75, "y": []byte{1, 2, 3}, "new": "x", "m": 5})
		refused(client.Append(nil, key("modify"), as.BinMap{"n": "x"}), types.BIN_TYPE_ERROR)
		refused(client.Add(nil, key("modify"), as.BinMap{"n": 1.5}), types.BIN_TYPE_ERROR)
	})
	check("bin names", func() {
		put("name", as.BinMap{strings.Repeat("x", 15): 1, "ключ": 2})
		equal(get("name").Bins, as.BinMap{strings.Repeat("x", 15): 1, "ключ": 2})
		refused(client.Put(nil, key("name"), as.BinMap{strings.Repeat("x", 16): 1}), types.BIN_NAME_TOO_LONG)
	})
	check("keys of every type", func() {
		send := as.NewWritePolicy(0, 0)
		send.SendKey = true
		for _, userKey := range []any{1, 1 << 40, math.MinInt64, "", strings.Repeat("x", 1000), []byte{0, 1}, make([]byte, 300)} {
			k := key(userKey)
			must(client.Put(send, k, as.BinMap{bin: 1}))
			byDigest, err := as.NewKeyWithDigest("test", set, nil, k.Digest())
			must(err)
			got, err := client.Get(nil, byDigest)
			must(err)
			equal(got.Bins, as.BinMap{bin: 1})
			existed, err := client.Delete(send, k)
			must(err)
			equal(existed, true)
		}
	})
}
