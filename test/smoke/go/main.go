// Programs with the official Go client, one file a theme. Usage: smoke HOST PORT (see ../README.md).
package main

import (
	"fmt"
	"os"
	"reflect"
	"sort"
	"strconv"
	"time"

	as "github.com/aerospike/aerospike-client-go/v8"
	"github.com/aerospike/aerospike-client-go/v8/types"
)

// The bin that the tables' operations work on.
const bin = "b"

type (
	list = []any
	dict = map[any]any
	ops  = []*as.Operation
)

// A row of a table: the bin before (nil: no such bin), what is done to it, what it answers (with several operations all
// their answers), the bin afterwards.
type row struct {
	name   string
	before any
	ops    ops
	want   any
	after  any
}

// In a row: the bin is afterwards what it was before.
type unchanged struct{}

var same = unchanged{}

var (
	client *as.Client
	host   string
	port   int
	set    = fmt.Sprintf("go%d", time.Now().UnixNano())
	failed = 0
)

func main() {
	host = os.Args[1]
	port, _ = strconv.Atoi(os.Args[2])
	c, err := as.NewClient(host, port)
	if err != nil {
		fmt.Printf("FAIL connect: %v\n", err)
		os.Exit(1)
	}
	client = c
	// Time enough for a server that has only just started, on a machine with much else to do.
	for _, policy := range []*as.BasePolicy{client.DefaultPolicy, &client.DefaultWritePolicy.BasePolicy, &client.DefaultBatchPolicy.BasePolicy} {
		policy.TotalTimeout, policy.SocketTimeout = 20*time.Second, 20*time.Second
	}
	fmt.Println("ok connect")
	smoke()
	values()
	lists()
	maps()
	bits()
	sketches()
	expressions()
	calls()
	commands()
	client.Close()
	if failed > 0 {
		os.Exit(1)
	}
}

func check(name string, f func()) {
	defer func() {
		if reason := recover(); reason != nil {
			failed++
			fmt.Printf("FAIL %s: %v\n", name, reason)
			return
		}
		fmt.Printf("ok %s\n", name)
	}()
	f()
}

func table(theme string, rows ...row) {
	for _, r := range rows {
		check(theme+": "+r.name, func() { apply(key(theme+r.name), r) })
	}
}

func apply(k *as.Key, r row) {
	// The second bin keeps the record in being when the first is not there, and shows that no other bin is touched.
	bins := as.BinMap{"other": 1}
	if r.before != nil {
		bins[bin] = r.before
	}
	must(client.Put(nil, k, bins))
	got, err := client.Operate(nil, k, r.ops...)
	if code, isCode := r.want.(types.ResultCode); isCode {
		refused(err, code)
	} else {
		must(err)
		equal(got.Bins[bin], r.want)
	}
	after, err := client.Get(nil, k)
	must(err)
	if r.after == same {
		r.after = r.before
	}
	equal(after.Bins[bin], r.after)
	equal(after.Bins["other"], 1)
}

func one(op *as.Operation) ops { return ops{op} }

func key(name any) *as.Key {
	k, err := as.NewKey("test", set, name)
	must(err)
	return k
}

// must takes as.Error and error; a nil as.Error in an error interface is nil here.
func must(err error) {
	if err != nil && !reflect.ValueOf(err).IsZero() {
		panic(err)
	}
}

func equal(got, want any) {
	if !reflect.DeepEqual(plain(got), plain(want)) {
		panic(fmt.Sprintf("got %#v, want %#v", plain(got), plain(want)))
	}
}

// plain gives a value a form that is equal when the value is.
func plain(value any) any {
	switch v := value.(type) {
	case as.OpResults:
		return plain(list(v))
	case list:
		out := make(list, len(v))
		for i := range v {
			out[i] = plain(v[i])
		}
		return out
	case as.BinMap:
		return plain(map[string]any(v))
	case map[string]any:
		out := dict{}
		for k, each := range v {
			out[k] = each
		}
		return plain(out)
	case dict:
		out := make([]string, 0, len(v))
		for k, each := range v {
			out = append(out, fmt.Sprintf("%#v: %#v", plain(k), plain(each)))
		}
		sort.Strings(out)
		return out
	case []as.MapPair: // an ordered map, or the pairs of one
		out := dict{}
		for _, pair := range v {
			out[pair.Key] = pair.Value
		}
		return plain(out)
	case as.HLLValue:
		return fmt.Sprintf("%x", []byte(v))
	case []byte:
		return fmt.Sprintf("%x", v)
	case as.GeoJSONValue:
		return string(v)
	case int64:
		return int(v)
	}
	return value
}

func refused(err as.Error, code types.ResultCode) {
	if err == nil {
		panic(fmt.Sprintf("no error, want %v", code))
	}
	if !err.Matches(code) {
		panic(fmt.Sprintf("got %v, want code %v", err, code))
	}
}

func get(name any, bins ...string) *as.Record {
	r, err := client.Get(nil, key(name), bins...)
	must(err)
	return r
}

func put(name any, bins as.BinMap) { must(client.Put(nil, key(name), bins)) }

// answer is what operations answer in one bin.
func answer(name any, operations ...*as.Operation) any {
	r, err := client.Operate(nil, key(name), operations...)
	must(err)
	return r.Bins[bin]
}

// fails wants an error of operations.
func fails(name any, code types.ResultCode, operations ...*as.Operation) {
	_, err := client.Operate(nil, key(name), operations...)
	refused(err, code)
}

func numbers(from, to int) list {
	out := list{}
	for i := from; i < to; i++ {
		out = append(out, i)
	}
	return out
}
