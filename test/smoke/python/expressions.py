"""Filters, expression operations and path expressions with the official Python client. Usage: expressions.py HOST PORT."""

import aerospike
from aerospike import exception as error
from aerospike_helpers import cdt_ctx as ctx
from aerospike_helpers import expressions as exp
from aerospike_helpers.batch import records as batch
from aerospike_helpers.expressions.base import LoopVarInt, LoopVarMap, LoopVarStr, ModifyByPath, RemoveResult, SelectByPath
from aerospike_helpers.expressions.resources import ResultType
from aerospike_helpers.operations import expression_operations as xop
from aerospike_helpers.operations import hll_operations as hll
from aerospike_helpers.operations import list_operations as lst
from aerospike_helpers.operations import map_operations as maps
from aerospike_helpers.operations import operations

from harness import CHECKS, SET, check, equal, key, main, refused

VALUE, COUNT, INDEX = aerospike.LIST_RETURN_VALUE, aerospike.LIST_RETURN_COUNT, aerospike.LIST_RETURN_INDEX
KEY, MAP_VALUE = aerospike.MAP_RETURN_KEY, aerospike.MAP_RETURN_VALUE
INT, STR, LIST, MAP, BLOB, FLOAT, BOOL = (ResultType.INTEGER, ResultType.STRING, ResultType.LIST, ResultType.MAP, ResultType.BLOB,
                                          ResultType.FLOAT, ResultType.BOOLEAN)
POINT = aerospike.GeoJSON({"type": "Point", "coordinates": [-122.0, 37.5]})
CIRCLE = aerospike.GeoJSON({"type": "AeroCircle", "coordinates": [[-122.0, 37.5], 1000.0]})
AWAY = aerospike.GeoJSON({"type": "AeroCircle", "coordinates": [[10.0, 37.5], 1000.0]})

RECORD = {
    "i": 7, "neg": -8, "d": 2.5, "s": "Hello World", "y": b"\x0f\xf0\x01", "yes": True, "geo": POINT,
    "l": [3, 1, 2, 3], "pairs": [[1, "a"], [2, "b"]], "m": {"a": 1, "b": 2, "c": 3}, "deep": {"x": [{"n": 1}, {"n": 2}]},
}

# Each is true of RECORD.
TRUE = {
    "equal": exp.Eq(exp.IntBin("i"), 7),
    "not equal": exp.NE(exp.StrBin("s"), "x"),
    "greater": exp.GT(exp.IntBin("i"), 6),
    "greater or equal": exp.GE(exp.FloatBin("d"), 2.5),
    "less": exp.LT(exp.IntBin("neg"), -7),
    "less or equal": exp.LE(exp.BlobBin("y"), b"\x0f\xf0\x01"),
    "boolean": exp.Eq(exp.BoolBin("yes"), True),
    "boolean as it is": exp.BoolBin("yes"),
    "list": exp.Eq(exp.ListBin("l"), [3, 1, 2, 3]),
    "and": exp.And(exp.Eq(exp.IntBin("i"), 7), exp.BoolBin("yes"), exp.GT(exp.FloatBin("d"), 0.5)),
    "or": exp.Or(exp.Eq(exp.IntBin("i"), 8), exp.BoolBin("yes")),
    "or with a missing bin": exp.Or(exp.Eq(exp.IntBin("missing"), 8), exp.BoolBin("yes")),
    "not": exp.Not(exp.Eq(exp.IntBin("i"), 8)),
    "exclusive": exp.Exclusive(exp.Eq(exp.IntBin("i"), 7), exp.Eq(exp.IntBin("i"), 8)),
    "regex": exp.CmpRegex(aerospike.REGEX_ICASE | aerospike.REGEX_EXTENDED, "^hel+o w(or|ar)ld$", exp.StrBin("s")),
    "regex in part": exp.CmpRegex(aerospike.REGEX_NONE, "o W", exp.StrBin("s")),
    "geo within": exp.CmpGeo(exp.GeoBin("geo"), CIRCLE),
    "geo not within": exp.Not(exp.CmpGeo(exp.GeoBin("geo"), AWAY)),
    "bin exists": exp.BinExists("i"),
    "bin exists not": exp.Not(exp.BinExists("missing")),
    "bin type": exp.Eq(exp.BinType("m"), aerospike.AS_BYTES_MAP),
    "set name": exp.Eq(exp.SetName(), SET),
    "key": exp.Eq(exp.KeyStr(), "all"),
    "key exists": exp.KeyExists(),
    "no tombstone": exp.Not(exp.IsTombstone()),
    "ttl": exp.And(exp.GT(exp.TTL(), 900), exp.LE(exp.TTL(), 1000)),
    "void time": exp.GT(exp.VoidTime(), exp.LastUpdateTime()),
    "since update": exp.LT(exp.SinceUpdateTime(), 600_000),
    "record size": exp.And(exp.GT(exp.RecordSize(), 100), exp.LT(exp.RecordSize(), 1000)),
    "digest modulo": exp.LT(exp.DigestMod(3), 3),
    "cond": exp.Eq(exp.Cond(exp.GT(exp.IntBin("i"), 10), "big", exp.GT(exp.IntBin("i"), 5), "middle", "small"), "middle"),
    "let": exp.Let(exp.Def("x", exp.IntBin("i")), exp.Def("y", exp.Add(exp.Var("x"), 1)), exp.Eq(exp.Add(exp.Var("x"), exp.Var("y")), 15)),
    "in list": exp.InList(2, exp.ListBin("l")),
    "add": exp.Eq(exp.Add(exp.IntBin("i"), exp.IntBin("neg"), 1), 0),
    "subtract": exp.Eq(exp.Sub(exp.IntBin("i"), 2), 5),
    "multiply": exp.Eq(exp.Mul(exp.FloatBin("d"), 2.0), 5.0),
    "divide": exp.Eq(exp.Div(exp.IntBin("i"), 2), 3),
    "power": exp.Eq(exp.Pow(2.0, 10.0), 1024.0),
    "logarithm": exp.GT(exp.Log(100.0, 10.0), 1.99),
    "modulo": exp.Eq(exp.Mod(exp.IntBin("i"), 4), 3),
    "absolute": exp.Eq(exp.Abs(exp.IntBin("neg")), 8),
    "floor and ceil": exp.And(exp.Eq(exp.Floor(exp.FloatBin("d")), 2.0), exp.Eq(exp.Ceil(exp.FloatBin("d")), 3.0)),
    "conversions": exp.And(exp.Eq(exp.ToInt(exp.FloatBin("d")), 2), exp.Eq(exp.ToFloat(exp.IntBin("i")), 7.0)),
    "least and greatest": exp.And(exp.Eq(exp.Min(exp.IntBin("i"), 3, 9), 3), exp.Eq(exp.Max(exp.IntBin("i"), 3, 9), 9)),
    "bits of integers": exp.And(exp.Eq(exp.IntAnd(exp.IntBin("i"), 5), 5), exp.Eq(exp.IntOr(exp.IntBin("i"), 8), 15), exp.Eq(exp.IntXOr(exp.IntBin("i"), 1), 6),
                                exp.Eq(exp.IntNot(exp.IntBin("i")), -8)),
    "shifts of integers": exp.And(exp.Eq(exp.IntLeftShift(exp.IntBin("i"), 1), 14), exp.Eq(exp.IntRightShift(exp.IntBin("neg"), 62), 3),
                                  exp.Eq(exp.IntArithmeticRightShift(exp.IntBin("neg"), 1), -4)),
    "counts and scans of integers": exp.And(exp.Eq(exp.IntCount(exp.IntBin("i")), 3), exp.Eq(exp.IntLeftScan(exp.IntBin("i"), True), 61),
                                            exp.Eq(exp.IntRightScan(exp.IntBin("neg"), True), 60)),
    "bits of blobs": exp.And(exp.Eq(exp.BitCount(0, 24, exp.BlobBin("y")), 9), exp.Eq(exp.BitGetInt(4, 8, False, exp.BlobBin("y")), 255),
                             exp.Eq(exp.BitLeftScan(0, 24, True, exp.BlobBin("y")), 4), exp.Eq(exp.BitGet(0, 8, exp.BlobBin("y")), b"\x0f")),
    "modified blobs": exp.And(exp.Eq(exp.BitNot(None, 0, 8, exp.BlobBin("y")), b"\xf0\xf0\x01"), exp.Eq(exp.BitResize(None, 1, 0, exp.BlobBin("y")), b"\x0f"),
                              exp.Eq(exp.BitCount(0, 8, exp.BitOr(None, 0, 8, b"\xff", exp.BlobBin("y"))), 8)),
    "list size": exp.Eq(exp.ListSize(None, exp.ListBin("l")), 4),
    "list by value": exp.Eq(exp.ListGetByValue(None, COUNT, 3, exp.ListBin("l")), 2),
    "list by value of another bin": exp.Eq(exp.ListGetByValue(None, INDEX, exp.ListGetByIndex(None, VALUE, INT, 2, exp.ListBin("l")), exp.ListBin("l")), [2]),
    "list by value range": exp.Eq(exp.ListGetByValueRange(None, VALUE, 2, aerospike.CDTInfinite(), exp.ListBin("l")), [3, 2, 3]),
    "list by value list": exp.Eq(exp.ListGetByValueList(None, COUNT, [1, 2], exp.ListBin("l")), 2),
    "list by index": exp.Eq(exp.ListGetByIndex(None, VALUE, INT, -2, exp.ListBin("l")), 2),
    "list by index range": exp.Eq(exp.ListGetByIndexRange(None, VALUE, 1, 2, exp.ListBin("l")), [1, 2]),
    "list by rank": exp.Eq(exp.ListGetByRank(None, VALUE, INT, 0, exp.ListBin("l")), 1),
    "list by wildcard": exp.Eq(exp.ListGetByValue(None, INDEX, [2, aerospike.CDTWildcard()], exp.ListBin("pairs")), [1]),
    "list by context": exp.Eq(exp.ListGetByIndex([ctx.cdt_ctx_list_index(1)], VALUE, STR, 1, exp.ListBin("pairs")), "b"),
    "modified list": exp.Eq(exp.ListSort(None, aerospike.LIST_SORT_DROP_DUPLICATES, exp.ListBin("l")), [1, 2, 3]),
    "modified list, nested": exp.Eq(exp.ListSize(None, exp.ListAppend(None, None, 9, exp.ListRemoveByValue(None, 3, exp.ListBin("l")))), 3),
    "list that an expression fills": exp.Eq(exp.ListAppend(None, None, exp.IntBin("i"), exp.ListBin("l")), [3, 1, 2, 3, 7]),
    "map size": exp.Eq(exp.MapSize(None, exp.MapBin("m")), 3),
    "map by key": exp.Eq(exp.MapGetByKey(None, MAP_VALUE, INT, "b", exp.MapBin("m")), 2),
    "map by key list": exp.Eq(exp.MapGetByKeyList(None, MAP_VALUE, ["c", "a"], exp.MapBin("m")), [1, 3]),
    "map by key range": exp.Eq(exp.MapGetByKeyRange(None, KEY, "b", "d", exp.MapBin("m")), ["b", "c"]),
    "map by value": exp.Eq(exp.MapGetByValue(None, KEY, 3, exp.MapBin("m")), ["c"]),
    "map by rank": exp.Eq(exp.MapGetByRank(None, KEY, STR, -1, exp.MapBin("m")), "c"),
    "map by index range": exp.Eq(exp.MapGetByIndexRangeToEnd(None, MAP_VALUE, 1, exp.MapBin("m")), [2, 3]),
    "map by context": exp.Eq(exp.MapGetByKey([ctx.cdt_ctx_map_key("x"), ctx.cdt_ctx_list_index(1)], MAP_VALUE, INT, "n", exp.MapBin("deep")), 2),
    "map keys and values": exp.And(exp.Eq(exp.MapGetKeys(exp.MapBin("m")), ["a", "b", "c"]), exp.Eq(exp.MapGetValues(exp.MapBin("m")), [1, 2, 3])),
    "modified map": exp.Eq(exp.MapGetByKey(None, MAP_VALUE, INT, "z", exp.MapPut(None, None, "z", 26, exp.MapBin("m"))), 26),
    "modified map, removals": exp.Eq(exp.MapSize(None, exp.MapRemoveByKeyList(None, ["a", "b"], exp.MapBin("m"))), 1),
}

# Each is unknown for RECORD, which a filter takes for false and an operation refuses.
UNKNOWN = {
    "missing bin": exp.Eq(exp.IntBin("missing"), 1),
    "bin of another type": exp.Eq(exp.StrBin("i"), "7"),
    "index out of bounds": exp.Eq(exp.ListGetByIndex(None, VALUE, INT, 9, exp.ListBin("l")), 1),
    "result of another type": exp.Eq(exp.ListGetByIndex(None, VALUE, STR, 0, exp.ListBin("l")), "3"),
    "division by zero": exp.Eq(exp.Div(exp.IntBin("i"), 0), 1),
    "unknown": exp.Unknown(),
    "key of another type": exp.Eq(exp.KeyInt(), 1),
}

META = {"ttl": 1000}
SEND_KEY = {"key": aerospike.POLICY_KEY_SEND}


def record(client, name="all"):
    client.put(key(name), RECORD, META, SEND_KEY)
    return key(name)


def holds(name, expression):
    def run(client):
        filtered = {"expressions": expression.compile()}
        equal(client.get(record(client), filtered)[2], RECORD)
        refused(error.FilteredOut, lambda: client.get(key("all"), {"expressions": exp.Not(expression).compile()}))
        answer = client.operate(key("all"), [xop.expression_read("answer", expression.compile())])[2]
        equal(answer, {"answer": True})

    CHECKS.append((f"filters: {name}", run))


def is_unknown(name, expression):
    def run(client):
        refused(error.FilteredOut, lambda: client.get(record(client), {"expressions": expression.compile()}))
        refused(error.FilteredOut, lambda: client.get(record(client), {"expressions": exp.Not(expression).compile()}))
        refused(error.OpNotApplicable, lambda: client.operate(key("all"), [xop.expression_read("answer", expression.compile())]))
        lenient = [xop.expression_read("answer", expression.compile(), aerospike.EXP_READ_EVAL_NO_FAIL)]
        equal(client.operate(key("all"), lenient)[2], {"answer": None})

    CHECKS.append((f"unknown: {name}", run))


for each in TRUE.items():
    holds(*each)
for each in UNKNOWN.items():
    is_unknown(*each)

YES, NO = {"expressions": exp.Eq(exp.IntBin("i"), 7).compile()}, {"expressions": exp.Eq(exp.IntBin("i"), 8).compile()}


@check
def every_command_takes_a_filter(client):
    commands = {
        "get": lambda policy: client.get(key("f"), policy),
        "select": lambda policy: client.select(key("f"), ["i"], policy),
        "exists": lambda policy: client.exists(key("f"), policy),
        "touch": lambda policy: client.touch(key("f"), 0, policy=policy),
        "append": lambda policy: client.append(key("f"), "s", "x", policy=policy),
        "increment": lambda policy: client.increment(key("f"), "n", 1, policy=policy),
        "operate": lambda policy: client.operate(key("f"), [operations.write("n", 1), operations.read("n")], policy=policy),
        "remove_bin": lambda policy: client.remove_bin(key("f"), ["d"], policy=policy),
        "put": lambda policy: client.put(key("f"), {"n": 1}, policy=policy),
        "remove": lambda policy: client.remove(key("f"), policy=policy),
    }
    record(client, "f")
    for name, command in commands.items():
        generation = client.get(key("f"))[1]["gen"]
        refused(error.FilteredOut, lambda: command(NO))
        equal(client.get(key("f"))[1]["gen"], generation)
        command(YES)
        assert name == "remove" or client.exists(key("f"))[1], name
    client.put(key("f"), {"n": 1}, policy=NO)  # a filter is for what exists
    equal(client.get(key("f"))[2], {"n": 1})


@check
def a_bad_filter_is_refused(client):
    record(client)
    for bad in (exp.IntBin("i"), exp.Eq(exp.IntBin("i"), "7"), exp.CmpRegex(aerospike.REGEX_EXTENDED, "(", exp.StrBin("s")), exp.Eq(exp.Var("none"), 1),
                exp.CmpGeo(exp.GeoBin("geo"), aerospike.GeoJSON({"type": "Nowhere"}))):
        refused(error.InvalidRequest, lambda: client.get(key("all"), {"expressions": bad.compile()}))


@check
def filters_of_batches(client):
    for i in range(10):
        client.put(key(f"batch{i}"), {"i": i})
    keys = [key(f"batch{i}") for i in range(11)]
    few = {"expressions": exp.LT(exp.IntBin("i"), 3).compile()}
    got = client.batch_read(keys, policy=few)
    equal([each.result for each in got.batch_records], [0, 0, 0] + [27] * 7 + [2])
    got = client.batch_operate(keys[:4], [operations.increment("n", 1)], policy_batch_write=few)
    equal([each.result for each in got.batch_records], [0, 0, 0, 27])
    rows = batch.BatchRecords([
        batch.Read(keys[5], None, True, policy={"expressions": exp.Eq(exp.IntBin("i"), 5).compile()}),
        batch.Read(keys[6], None, True),
        batch.Write(keys[7], [operations.write("n", 1)], policy={"expressions": exp.Eq(exp.IntBin("i"), 0).compile()}),
        batch.Remove(keys[8], policy={"expressions": exp.Eq(exp.IntBin("i"), 8).compile()}),
        batch.Remove(keys[9]),
    ])
    client.batch_write(rows, few)
    equal([each.result for each in rows.batch_records], [0, 27, 27, 0, 27])
    got = client.batch_remove(keys[:4], policy_batch_remove=few)
    equal([each.result for each in got.batch_records], [0, 0, 0, 27])


EXPRESSIONS = {
    "integer": (exp.Add(exp.IntBin("i"), 1), 8),
    "double": (exp.Mul(exp.FloatBin("d"), 2.0), 5.0),
    "string": (exp.Cond(exp.BoolBin("yes"), "yes", "no"), "yes"),
    "boolean": (exp.BoolBin("yes"), True),
    "bytes": (exp.BitGet(0, 8, exp.BlobBin("y")), b"\x0f"),
    "list": (exp.ListGetByIndexRange(None, VALUE, 1, 2, exp.ListBin("l")), [1, 2]),
    "map": (exp.MapRemoveByKey(None, "a", exp.MapBin("m")), {"b": 2, "c": 3}),
    "geo": (exp.GeoBin("geo"), POINT),
    "literal list": (exp.Val([1, "a", [2]]), [1, "a", [2]]),
    "literal map": (exp.Val({"a": 1}), {"a": 1}),
}


@check
def expressions_are_read_and_written(client):
    record(client, "x")
    for name, (expression, want) in EXPRESSIONS.items():
        equal(client.operate(key("x"), [xop.expression_read("answer", expression.compile())])[2], {"answer": want})
        client.operate(key("x"), [xop.expression_write("w", expression.compile())])
        equal(client.get(key("x"))[2]["w"], want)


@check
def flags_of_expression_writes(client):
    record(client, "w")
    plus, missing, nothing = exp.Add(exp.IntBin("i"), 1).compile(), exp.IntBin("missing").compile(), exp.Val(None).compile()

    def write(bin_name, expression, flags=0):
        client.operate(key("w"), [xop.expression_write(bin_name, expression, flags)])
        return client.get(key("w"))[2].get(bin_name)

    refused(error.BinExistsError, lambda: write("i", plus, aerospike.EXP_WRITE_CREATE_ONLY))
    equal(write("i", plus, aerospike.EXP_WRITE_CREATE_ONLY | aerospike.EXP_WRITE_POLICY_NO_FAIL), 7)
    equal(write("c", plus, aerospike.EXP_WRITE_CREATE_ONLY), 8)
    refused(error.BinNotFound, lambda: write("u", plus, aerospike.EXP_WRITE_UPDATE_ONLY))
    equal(write("u", plus, aerospike.EXP_WRITE_UPDATE_ONLY | aerospike.EXP_WRITE_POLICY_NO_FAIL), None)
    equal(write("c", plus, aerospike.EXP_WRITE_UPDATE_ONLY), 8)
    refused(error.OpNotApplicable, lambda: write("c", missing))
    equal(write("c", missing, aerospike.EXP_WRITE_EVAL_NO_FAIL), 8)
    refused(error.OpNotApplicable, lambda: write("c", nothing))
    equal(write("c", nothing, aerospike.EXP_WRITE_ALLOW_DELETE), None)


@check
def expressions_see_what_came_before(client):
    record(client, "o")
    got = client.operate_ordered(key("o"), [
        operations.write("i", 10),
        xop.expression_write("j", exp.Mul(exp.IntBin("i"), 2).compile()),
        xop.expression_read("k", exp.Add(exp.IntBin("j"), 1).compile()),
        operations.read("j"),
    ])[2]
    equal([value for _, value in got], [None, None, 21, 20])
    client.remove(key("o"))
    client.operate(key("o"), [xop.expression_write("made", exp.Val(5).compile())])
    equal(client.get(key("o"))[2], {"made": 5})


@check
def sketches_in_expressions(client):
    client.operate(key("hll"), [hll.hll_add("h", ["a", "b", "c"], 10), hll.hll_add("g", ["c", "d"], 10)])
    other = client.get(key("hll"))[2]["g"]
    for expression in (
        exp.Eq(exp.HLLGetCount(exp.HLLBin("h")), 3),
        exp.Eq(exp.HLLMayContain(["a", "c"], exp.HLLBin("h")), 1),
        exp.Eq(exp.HLLDescribe(exp.HLLBin("h")), [10, 0]),
        exp.Eq(exp.HLLGetUnionCount([other], exp.HLLBin("h")), 4),
        exp.Eq(exp.HLLGetUnionCount(exp.HLLBin("g"), exp.HLLBin("h")), 4),
        exp.Eq(exp.HLLGetIntersectCount(exp.HLLBin("g"), exp.HLLBin("h")), 1),
        exp.Eq(exp.HLLGetCount(exp.HLLGetUnion(exp.HLLBin("g"), exp.HLLBin("h"))), 4),
        exp.Eq(exp.HLLGetCount(exp.HLLAdd(None, ["x"], None, None, exp.HLLBin("h"))), 4),
        exp.Eq(exp.HLLDescribe(exp.HLLInit(None, 12, None, exp.HLLBin("h"))), [12, 0]),
    ):
        equal(client.operate(key("hll"), [xop.expression_read("answer", expression.compile())])[2], {"answer": True})


BOOKS = [{"title": "A", "price": 8, "tags": ["x"]}, {"title": "B", "price": 12, "tags": []}, {"title": "C", "price": 23, "tags": ["y", "z"]}]
PRICE = exp.MapGetByKey(None, MAP_VALUE, INT, "price", LoopVarMap(aerospike.EXP_LOOPVAR_VALUE))
CHEAP = ctx.cdt_ctx_all_children_with_filter(exp.LT(PRICE, 20).compile())
ALL = ctx.cdt_ctx_all_children()
TREE, VALUES, KEYS, PAIRS = (aerospike.EXP_PATH_SELECT_MATCHING_TREE, aerospike.EXP_PATH_SELECT_VALUE, aerospike.EXP_PATH_SELECT_MAP_KEY,
                             aerospike.EXP_PATH_SELECT_MAP_KEY_VALUE)
INT_VALUE = LoopVarInt(aerospike.EXP_LOOPVAR_VALUE)

PATHS = {
    "values of a key in all": ("books", [ALL, ctx.cdt_ctx_map_key("title")], VALUES, ["A", "B", "C"]),
    "values where a filter holds": ("books", [CHEAP, ctx.cdt_ctx_map_key("title")], VALUES, ["A", "B"]),
    "a tree": ("books", [CHEAP, ctx.cdt_ctx_map_key("price")], TREE, [{"price": 8}, {"price": 12}]),
    "keys": ("stock", [ctx.cdt_ctx_all_children_with_filter(exp.GT(INT_VALUE, 2).compile())], KEYS, ["b", "c"]),
    "pairs": ("stock", [ctx.cdt_ctx_all_children_with_filter(exp.Eq(LoopVarStr(aerospike.EXP_LOOPVAR_KEY), "b").compile())], PAIRS, ["b", 5]),
    "by index": ("books", [ctx.cdt_ctx_all_children_with_filter(exp.GE(LoopVarInt(aerospike.EXP_LOOPVAR_INDEX), 2).compile()), ctx.cdt_ctx_map_key("title")], VALUES, ["C"]),
    "all of all": ("books", [ALL, ctx.cdt_ctx_map_key("tags"), ALL], VALUES, ["x", "y", "z"]),
    "keys in a list": ("stock", [ctx.cdt_ctx_map_keys_in(["a", "c", "none"])], TREE, {"a": 1, "c": 9}),
    "keys in a list and a filter": ("stock", [ctx.cdt_ctx_map_keys_in(["a", "c"]), ctx.cdt_ctx_and_filter(exp.GT(INT_VALUE, 2).compile())], VALUES, [9]),
    "nothing": ("stock", [ctx.cdt_ctx_map_key("none")], VALUES, []),
}


def path(name, bin_name, contexts, flags, want):
    def run(client):
        client.put(key("path"), {"books": BOOKS, "stock": {"a": 1, "b": 5, "c": 9}})
        equal(client.operate(key("path"), [operations.select_by_path(bin_name, contexts, flags)])[2], {bin_name: want})
        source = exp.ListBin(bin_name) if bin_name == "books" else exp.MapBin(bin_name)
        select = SelectByPath(contexts, MAP if isinstance(want, dict) else LIST, flags, source).compile()
        equal(client.operate(key("path"), [xop.expression_read("answer", select)])[2], {"answer": want})

    CHECKS.append((f"paths: {name}", run))


for name, arguments in PATHS.items():
    path(name, *arguments)


@check
def paths_are_modified(client):
    client.put(key("modify"), {"books": BOOKS, "stock": {"a": 1, "b": 5}})
    price = [CHEAP, ctx.cdt_ctx_map_key("price")]
    double = exp.Mul(INT_VALUE, 2)
    client.operate(key("modify"), [operations.modify_by_path("books", price, double.compile(), aerospike.EXP_PATH_MODIFY_DEFAULT)])
    equal([book["price"] for book in client.get(key("modify"))[2]["books"]], [16, 24, 23])
    modified = ModifyByPath([ALL], MAP, exp.Add(INT_VALUE, 1).compile(), 0, exp.MapBin("stock"))
    equal(client.operate(key("modify"), [xop.expression_read("answer", modified.compile())])[2], {"answer": {"a": 2, "b": 6}})
    client.operate(key("modify"), [operations.modify_by_path("books", [CHEAP], RemoveResult().compile(), 0)])
    equal([book["title"] for book in client.get(key("modify"))[2]["books"]], ["B", "C"])
    text = operations.modify_by_path("books", [ALL, ctx.cdt_ctx_map_key("title")], exp.Add(INT_VALUE, 1).compile(), 0)
    refused(error.AerospikeError, lambda: client.operate(key("modify"), [text]))


@check
def collections_made_by_operations_compare(client):
    client.operate(key("made"), [lst.list_append_items("l", [2, 1]), maps.map_put_items("m", {"b": 1, "a": 2}, {"map_order": aerospike.MAP_KEY_ORDERED})])
    for expression in (exp.Eq(exp.ListBin("l"), [2, 1]), exp.Eq(exp.MapBin("m"), aerospike.KeyOrderedDict({"a": 2, "b": 1}))):
        equal(client.get(key("made"), {"expressions": expression.compile()})[2], {"l": [2, 1], "m": {"a": 2, "b": 1}})


main()
