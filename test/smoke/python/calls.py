"""Every operation that expressions can call, with the official Python client. Usage: calls.py HOST PORT.

expressions.py shows what filters and expression operations do with what an expression gives; here is what the calls give.
"""

import aerospike
from aerospike import exception as error
from aerospike_helpers import cdt_ctx as ctx
from aerospike_helpers import expressions as exp
from aerospike_helpers.expressions.resources import ResultType
from aerospike_helpers.operations import expression_operations as xop
from aerospike_helpers.operations import hll_operations as hll
from aerospike_helpers.operations import list_operations as lst
from aerospike_helpers.operations import map_operations as maps

from harness import CHECKS, SET, check, equal, key, main, refused

INDEX, REVERSE, RANK, REVRANK, COUNT, VALUE, EXISTS = (
    aerospike.LIST_RETURN_INDEX, aerospike.LIST_RETURN_REVERSE_INDEX, aerospike.LIST_RETURN_RANK, aerospike.LIST_RETURN_REVERSE_RANK,
    aerospike.LIST_RETURN_COUNT, aerospike.LIST_RETURN_VALUE, aerospike.LIST_RETURN_EXISTS)
KEY, PAIRS = aerospike.MAP_RETURN_KEY, aerospike.MAP_RETURN_KEY_VALUE
UNORDERED, ORDERED = aerospike.MAP_RETURN_UNORDERED_MAP, aerospike.MAP_RETURN_ORDERED_MAP
INT, STR, BOOL, LIST, MAP = ResultType.INTEGER, ResultType.STRING, ResultType.BOOLEAN, ResultType.LIST, ResultType.MAP
INFINITE, WILDCARD = aerospike.CDTInfinite(), aerospike.CDTWildcard()
SORTED_LIST = {"list_order": aerospike.LIST_ORDERED}
UNIQUE = {"write_flags": aerospike.LIST_WRITE_ADD_UNIQUE}
UNIQUE_NO_FAIL = {"write_flags": aerospike.LIST_WRITE_ADD_UNIQUE | aerospike.LIST_WRITE_NO_FAIL}
BOUNDED = {"write_flags": aerospike.LIST_WRITE_INSERT_BOUNDED}
CREATE_ONLY = {"map_write_flags": aerospike.MAP_WRITE_FLAGS_CREATE_ONLY}
UPDATE_NO_FAIL = {"map_write_flags": aerospike.MAP_WRITE_FLAGS_UPDATE_ONLY | aerospike.MAP_WRITE_FLAGS_NO_FAIL}
UNKNOWN = object()  # what a call gives that could not be made

L, O, M, N, D, B = exp.ListBin("l"), exp.ListBin("o"), exp.MapBin("m"), exp.MapBin("n"), exp.MapBin("d"), exp.BlobBin("y")
RECORD = {
    "l": [4, 3, 1, 5, 2, 3], "m": {"a": 3, "b": 1, "c": 2}, "n": {0: 17, 4: 2, 5: 15, 9: 10}, "y": b"\x01\x42\x03\x04\x05", "i": 2, "s": "b",
    "d": {"list": [1, [2, 3]], "map": {"k": {"x": 1, "y": 2}}},
}
SIX = [0, 4, 5, 9, 11, 15]  # the bin o, which is ordered


def at(*path):
    """The context of keys (text) and of indexes of lists (numbers)."""
    return [ctx.cdt_ctx_map_key(each) if isinstance(each, str) else ctx.cdt_ctx_list_index(each) for each in path]


def gives(theme, rows):
    """Registers a check for each row: its name, an expression, what it gives. Nothing of the record changes."""
    for name, expression, want in rows:
        def run(client, expression=expression, want=want):
            read = [xop.expression_read("answer", expression.compile())]
            if want is UNKNOWN:
                refused(error.OpNotApplicable, lambda: client.operate(key("calls"), read))
                lenient = [xop.expression_read("answer", expression.compile(), aerospike.EXP_READ_EVAL_NO_FAIL)]
                equal(client.operate(key("calls"), lenient)[2], {"answer": None})
            else:
                equal(client.operate(key("calls"), read)[2], {"answer": want})
            equal(client.get(key("calls"))[1]["gen"], 1)

        CHECKS.append((f"{theme}: {name}", run))


@check
def calls_have_a_record(client):
    client.operate(key("calls"), [
        *[xop.expression_write(name, exp.Val(value).compile()) for name, value in RECORD.items() if name not in ("y",)],
        lst.list_append_items("o", SIX, SORTED_LIST), hll.hll_add("h", ["a", "b", "c"], 10), hll.hll_add("g", ["c", "d"], 10), hll.hll_add("w", ["a", "x"], 12),
        hll.hll_add("mh", ["a", "b", "c"], 10, 20), hll.hll_add("mg", ["b", "c"], 10, 20),
        {"op": aerospike.OPERATOR_WRITE, "bin": "y", "val": RECORD["y"]},
    ])
    bins = client.get(key("calls"))[2]
    equal({name: bins[name] for name in RECORD}, RECORD)


gives("list reads", [
    ("size", exp.ListSize(None, L), 6),
    ("size, nested", exp.ListSize(at("list", 1), D), 2),
    ("by value", exp.ListGetByValue(None, INDEX, 3, L), [1, 5]),
    ("by value inverted", exp.ListGetByValue(None, VALUE, 3, L, True), [4, 1, 5, 2]),
    ("by value, is there", exp.ListGetByValue(None, EXISTS, 3, L), True),
    ("by value, is not there", exp.ListGetByValue(None, EXISTS, 7, L), False),
    ("by value range", exp.ListGetByValueRange(None, VALUE, 2, 4, L), [3, 2, 3]),
    ("by value range without begin", exp.ListGetByValueRange(None, COUNT, None, 3, L), 2),
    ("by value range to nil, which is less than all", exp.ListGetByValueRange(None, COUNT, 3, None, L), 0),
    ("by value range to infinity", exp.ListGetByValueRange(None, COUNT, 3, INFINITE, L), 4),
    ("by value list", exp.ListGetByValueList(None, INDEX, [5, 3, 9], L), [1, 3, 5]),
    ("by value list inverted", exp.ListGetByValueList(None, VALUE, [5, 3, 9], L, True), [4, 1, 2]),
    ("by value and rank to the end", exp.ListGetByValueRelRankRangeToEnd(None, VALUE, 5, 1, O), [9, 11, 15]),
    ("by value and rank", exp.ListGetByValueRelRankRange(None, VALUE, 3, -3, 4, O), [0, 4]),
    ("by value and rank inverted", exp.ListGetByValueRelRankRange(None, VALUE, 5, 0, 2, O, True), [0, 4, 11, 15]),
    ("by index", exp.ListGetByIndex(None, VALUE, INT, -1, L), 3),
    ("by index, its rank", exp.ListGetByIndex(None, RANK, INT, 3, L), 5),
    ("by index, the last rank", exp.ListGetByIndex(None, REVRANK, INT, 3, L), 0),
    ("by index, reversed", exp.ListGetByIndex(None, REVERSE, INT, 0, L), 5),
    ("by index out of bounds", exp.ListGetByIndex(None, VALUE, INT, 6, L), UNKNOWN),
    ("by index range to the end", exp.ListGetByIndexRangeToEnd(None, VALUE, 4, L), [2, 3]),
    ("by index range", exp.ListGetByIndexRange(None, VALUE, -3, 2, L), [5, 2]),
    ("by index range inverted", exp.ListGetByIndexRange(None, VALUE, 1, 4, L, True), [4, 3]),
    ("by rank", exp.ListGetByRank(None, VALUE, INT, -1, L), 5),
    ("by rank, its index", exp.ListGetByRank(None, INDEX, INT, 0, L), 2),
    ("by rank range to the end", exp.ListGetByRankRangeToEnd(None, VALUE, 4, O), [11, 15]),
    ("by rank range", exp.ListGetByRankRange(None, VALUE, 1, 2, O), [4, 5]),
    ("by rank range, counted", exp.ListGetByRankRange(None, COUNT, -2, 7, L), 2),
    ("by rank range inverted", exp.ListGetByRankRange(None, VALUE, 1, 4, O, True), [0, 15]),
    ("by the value of another bin", exp.ListGetByValue(None, COUNT, exp.IntBin("i"), L), 1),
    ("by the index of another bin", exp.ListGetByIndex(None, VALUE, INT, exp.IntBin("i"), L), 1),
    ("by the values of another bin", exp.ListGetByValueList(None, COUNT, O, L), 2),
    ("by the index of a missing bin", exp.ListGetByIndex(None, VALUE, INT, exp.IntBin("none"), L), UNKNOWN),
    ("of a missing bin", exp.ListSize(None, exp.ListBin("none")), UNKNOWN),
    ("of a map", exp.ListSize(None, M), UNKNOWN),
    ("of a literal", exp.ListGetByRank(None, VALUE, STR, 0, exp.Val(["b", "a"])), "a"),
    ("nested, by rank", exp.ListGetByRank(at("list"), VALUE, INT, 0, D), 1),
    ("nested, to a list", exp.ListGetByIndex(at("list"), VALUE, LIST, 1, D), [2, 3]),
    ("nested, by a path that is not there", exp.ListSize(at("none"), D), UNKNOWN),
])

gives("modified lists", [
    ("append", exp.ListAppend(None, None, 9, L), [4, 3, 1, 5, 2, 3, 9]),
    ("append, ordered", exp.ListAppend(None, None, 7, O), [0, 4, 5, 7, 9, 11, 15]),
    ("append of what is there", exp.ListAppend(None, UNIQUE, 3, L), UNKNOWN),
    ("append of what is there, no fail", exp.ListAppend(None, UNIQUE_NO_FAIL, 3, L), [4, 3, 1, 5, 2, 3]),
    ("append items", exp.ListAppendItems(None, None, [8, "x"], L), [4, 3, 1, 5, 2, 3, 8, "x"]),
    ("append items of another bin", exp.ListAppendItems(None, None, O, L), [4, 3, 1, 5, 2, 3] + SIX),
    ("append, nested", exp.ListAppend(at("list", 1), None, 9, D), {"list": [1, [2, 3, 9]], "map": {"k": {"x": 1, "y": 2}}}),
    ("insert", exp.ListInsert(None, None, 1, 9, L), [4, 9, 3, 1, 5, 2, 3]),
    ("insert beyond the end", exp.ListInsert(None, BOUNDED, 9, 9, L), UNKNOWN),
    ("insert in an ordered list", exp.ListInsert(None, None, 0, 9, O), UNKNOWN),
    ("insert items", exp.ListInsertItems(None, None, -1, [8, 9], L), [4, 3, 1, 5, 2, 8, 9, 3]),
    ("increment", exp.ListIncrement(None, None, 1, 5, L), [4, 8, 1, 5, 2, 3]),
    ("increment, ordered", exp.ListIncrement(None, SORTED_LIST, 0, 10, O), [4, 5, 9, 10, 11, 15]),
    ("set", exp.ListSet(None, None, -1, "z", L), [4, 3, 1, 5, 2, "z"]),
    ("set beyond the end", exp.ListSet(None, None, 7, 1, L), [4, 3, 1, 5, 2, 3, None, 1]),
    ("clear", exp.ListClear(None, L), []),
    ("clear, nested", exp.ListClear(at("list"), D), {"list": [], "map": {"k": {"x": 1, "y": 2}}}),
    ("sort", exp.ListSort(None, aerospike.LIST_SORT_DEFAULT, L), [1, 2, 3, 3, 4, 5]),
    ("sort, drop duplicates", exp.ListSort(None, aerospike.LIST_SORT_DROP_DUPLICATES, L), [1, 2, 3, 4, 5]),
    ("sort, nested", exp.ListSort(at("list", 1), aerospike.LIST_SORT_DEFAULT, D), {"list": [1, [2, 3]], "map": {"k": {"x": 1, "y": 2}}}),
    ("remove by value", exp.ListRemoveByValue(None, 3, L), [4, 1, 5, 2]),
    ("remove by value inverted", exp.ListRemoveByValue(None, 3, L, True), [3, 3]),
    ("remove by value list", exp.ListRemoveByValueList(None, [1, 2, 9], L), [4, 3, 5, 3]),
    ("remove by value list inverted", exp.ListRemoveByValueList(None, [1, 2, 9], L, True), [1, 2]),
    ("remove by value range", exp.ListRemoveByValueRange(None, 2, 4, L), [4, 1, 5]),
    ("remove by value range without end", exp.ListRemoveByValueRange(None, 3, None, L), [1, 2]),
    ("remove by value range without begin", exp.ListRemoveByValueRange(None, None, 3, L), [4, 3, 5, 3]),
    ("remove by value range inverted", exp.ListRemoveByValueRange(None, 2, 4, L, True), [3, 2, 3]),
    ("remove by value and rank to the end", exp.ListRemoveByValueRelRankToEnd(None, 5, 1, O), [0, 4, 5]),
    ("remove by value and rank", exp.ListRemoveByValueRelRankRange(None, 5, -1, 2, O), [0, 9, 11, 15]),
    ("remove by value and rank inverted", exp.ListRemoveByValueRelRankRange(None, 5, -1, 2, O, True), [4, 5]),
    ("remove by index", exp.ListRemoveByIndex(None, 0, L), [3, 1, 5, 2, 3]),
    ("remove by index out of bounds", exp.ListRemoveByIndex(None, 9, L), UNKNOWN),
    ("remove by index range to the end", exp.ListRemoveByIndexRangeToEnd(None, 2, L), [4, 3]),
    ("remove by index range", exp.ListRemoveByIndexRange(None, 1, 4, L), [4, 3]),
    ("remove by index range inverted", exp.ListRemoveByIndexRange(None, 1, 4, L, True), [3, 1, 5, 2]),
    ("remove by rank", exp.ListRemoveByRank(None, 0, L), [4, 3, 5, 2, 3]),
    ("remove by rank range to the end", exp.ListRemoveByRankRangeToEnd(None, 2, L), [1, 2]),
    ("remove by rank range", exp.ListRemoveByRankRange(None, -2, 1, L), [3, 1, 5, 2, 3]),
    ("remove by rank range inverted", exp.ListRemoveByRankRange(None, 0, 2, L, True), [1, 2]),
    ("of a missing bin", exp.ListAppend(None, None, 1, exp.ListBin("none")), UNKNOWN),
    ("of a map", exp.ListAppend(None, None, 1, M), UNKNOWN),
    ("one of the other", exp.ListRemoveByRank(None, -1, exp.ListAppend(None, None, 9, exp.ListSort(None, aerospike.LIST_SORT_DEFAULT, L))), [1, 2, 3, 3, 4, 5]),
])

gives("map reads", [
    ("size", exp.MapSize(None, M), 3),
    ("size, nested", exp.MapSize(at("map", "k"), D), 2),
    ("by key", exp.MapGetByKey(None, VALUE, INT, "b", M), 1),
    ("by key of another bin", exp.MapGetByKey(None, VALUE, INT, exp.StrBin("s"), M), 1),
    ("by key, its rank", exp.MapGetByKey(None, RANK, INT, "a", M), 2),
    ("by key, is there", exp.MapGetByKey(None, EXISTS, BOOL, "a", M), True),
    ("by key, is not there", exp.MapGetByKey(None, EXISTS, BOOL, "x", M), False),
    ("by key, counted", exp.MapGetByKey(None, COUNT, INT, "x", M), 0),
    ("by a key that is not there", exp.MapGetByKey(None, VALUE, INT, "x", M), UNKNOWN),
    ("by the key of a value of another type", exp.MapGetByKey(None, VALUE, STR, "a", M), UNKNOWN),
    ("by key, a map", exp.MapGetByKey(at("map"), VALUE, MAP, "k", D), {"x": 1, "y": 2}),
    ("by key, a pair", exp.MapGetByKey(None, ORDERED, MAP, "b", M), {"b": 1}),
    ("by key range", exp.MapGetByKeyRange(None, VALUE, "a", "c", M), [3, 1]),
    ("by key range to infinity", exp.MapGetByKeyRange(None, KEY, "b", INFINITE, M), ["b", "c"]),
    ("by key range, a map", exp.MapGetByKeyRange(None, ORDERED, "a", "c", M), {"a": 3, "b": 1}),
    ("by key range inverted", exp.MapGetByKeyRange(None, KEY, "b", "c", M, True), ["a", "c"]),
    ("by key list", exp.MapGetByKeyList(None, VALUE, ["c", "a"], M), [3, 2]),
    ("by key list inverted", exp.MapGetByKeyList(None, KEY, ["c", "a"], M, True), ["b"]),
    ("by key and index to the end", exp.MapGetByKeyRelIndexRangeToEnd(None, KEY, 5, 0, N), [5, 9]),
    ("by key and index", exp.MapGetByKeyRelIndexRange(None, KEY, 5, -1, 1, N), [4]),
    ("by key and index inverted", exp.MapGetByKeyRelIndexRange(None, KEY, 5, -1, 1, N, True), [0, 5, 9]),
    ("by value", exp.MapGetByValue(None, KEY, 2, M), ["c"]),
    ("by value inverted", exp.MapGetByValue(None, KEY, 2, M, True), ["a", "b"]),
    ("by value range", exp.MapGetByValueRange(None, KEY, 1, 3, M), ["b", "c"]),
    ("by value range to infinity", exp.MapGetByValueRange(None, COUNT, 2, INFINITE, M), 2),
    ("by value list", exp.MapGetByValueList(None, KEY, [1, 3], M), ["a", "b"]),
    ("by value and rank to the end", exp.MapGetByValueRelRankRangeToEnd(None, KEY, 11, 1, N), [0]),
    ("by value and rank", exp.MapGetByValueRelRankRange(None, KEY, 11, -1, 1, N), [9]),
    ("by index", exp.MapGetByIndex(None, KEY, STR, -1, M), "c"),
    ("by index out of bounds", exp.MapGetByIndex(None, KEY, STR, 3, M), UNKNOWN),
    ("by index range to the end", exp.MapGetByIndexRangeToEnd(None, VALUE, 1, M), [1, 2]),
    ("by index range", exp.MapGetByIndexRange(None, KEY, 0, 2, M), ["a", "b"]),
    ("by index range inverted", exp.MapGetByIndexRange(None, KEY, 0, 2, M, True), ["c"]),
    ("by rank", exp.MapGetByRank(None, KEY, STR, 0, M), "b"),
    ("by rank range to the end", exp.MapGetByRankRangeToEnd(None, VALUE, 1, M), [2, 3]),
    ("by rank range", exp.MapGetByRankRange(None, KEY, 0, 2, M), ["b", "c"]),
    ("by rank range, a map", exp.MapGetByRankRange(None, ORDERED, 1, 2, M), {"a": 3, "c": 2}),
    ("keys", exp.MapGetKeys(N), [0, 4, 5, 9]),
    ("values", exp.MapGetValues(N), [17, 2, 15, 10]),
    ("keys of what is there", exp.MapGetKeys(exp.MapRemoveByKey(None, "a", M)), ["b", "c"]),
    ("a key that is in a list of keys", exp.InList("b", exp.MapGetKeys(M)), True),
    ("of a literal", exp.MapGetByKey(None, VALUE, INT, 1, exp.Val({1: 2})), 2),
    ("of a missing bin", exp.MapSize(None, exp.MapBin("none")), UNKNOWN),
    ("of a list", exp.MapSize(None, L), UNKNOWN),
])

gives("modified maps", [
    ("put", exp.MapPut(None, None, "z", 26, M), {"a": 3, "b": 1, "c": 2, "z": 26}),
    ("put of another bin's", exp.MapPut(None, None, exp.StrBin("s"), L, M), {"a": 3, "b": [4, 3, 1, 5, 2, 3], "c": 2}),
    ("put, create only", exp.MapPut(None, CREATE_ONLY, "a", 1, M), UNKNOWN),
    ("put, update only, no fail", exp.MapPut(None, UPDATE_NO_FAIL, "z", 1, M), {"a": 3, "b": 1, "c": 2}),
    ("put, nested", exp.MapPut(at("map", "k"), None, "z", 1, D), {"list": [1, [2, 3]], "map": {"k": {"x": 1, "y": 2, "z": 1}}}),
    ("put items", exp.MapPutItems(None, None, {"z": 26, "a": 0}, M), {"a": 0, "b": 1, "c": 2, "z": 26}),
    ("put items of another bin", exp.MapPutItems(None, None, M, N), {**RECORD["n"], **RECORD["m"]}),
    ("increment", exp.MapIncrement(None, None, "a", 4, M), {"a": 7, "b": 1, "c": 2}),
    ("increment creates", exp.MapIncrement(None, None, "z", 4, M), {"a": 3, "b": 1, "c": 2, "z": 4}),
    ("clear", exp.MapClear(None, M), {}),
    ("clear, nested", exp.MapClear(at("map"), D), {"list": [1, [2, 3]], "map": {}}),
    ("remove by key", exp.MapRemoveByKey(None, "a", M), {"b": 1, "c": 2}),
    ("remove by a key that is not there", exp.MapRemoveByKey(None, "x", M), {"a": 3, "b": 1, "c": 2}),
    ("remove by key, nested", exp.MapRemoveByKey(at("map", "k"), "x", D), {"list": [1, [2, 3]], "map": {"k": {"y": 2}}}),
    ("remove by key list", exp.MapRemoveByKeyList(None, ["a", "x"], M), {"b": 1, "c": 2}),
    ("remove by key list inverted", exp.MapRemoveByKeyList(None, ["a", "x"], M, True), {"a": 3}),
    ("remove by key range", exp.MapRemoveByKeyRange(None, "a", "c", M), {"c": 2}),
    ("remove by key range without end", exp.MapRemoveByKeyRange(None, "b", None, M), {"a": 3}),
    ("remove by key range without begin", exp.MapRemoveByKeyRange(None, None, "b", M), {"b": 1, "c": 2}),
    ("remove by key range inverted", exp.MapRemoveByKeyRange(None, "a", "c", M, True), {"a": 3, "b": 1}),
    ("remove by key and index to the end", exp.MapRemoveByKeyRelIndexRangeToEnd(None, 5, 0, N), {0: 17, 4: 2}),
    ("remove by key and index", exp.MapRemoveByKeyRelIndexRange(None, 5, -1, 1, N), {0: 17, 5: 15, 9: 10}),
    ("remove by value", exp.MapRemoveByValue(None, 1, M), {"a": 3, "c": 2}),
    ("remove by value inverted", exp.MapRemoveByValue(None, 1, M, True), {"b": 1}),
    ("remove by value list", exp.MapRemoveByValueList(None, [1, 3, 9], M), {"c": 2}),
    ("remove by value range", exp.MapRemoveByValueRange(None, 1, 3, M), {"a": 3}),
    ("remove by value range to infinity", exp.MapRemoveByValueRange(None, 2, INFINITE, M), {"b": 1}),
    ("remove by value and rank to the end", exp.MapRemoveByValueRelRankRangeToEnd(None, 11, -1, N), {4: 2}),
    ("remove by value and rank", exp.MapRemoveByValueRelRankRange(None, 11, -1, 1, N), {0: 17, 4: 2, 5: 15}),
    ("remove by index", exp.MapRemoveByIndex(None, 0, M), {"b": 1, "c": 2}),
    ("remove by index out of bounds", exp.MapRemoveByIndex(None, 3, M), UNKNOWN),
    ("remove by index range to the end", exp.MapRemoveByIndexRangeToEnd(None, 1, M), {"a": 3}),
    ("remove by index range", exp.MapRemoveByIndexRange(None, 0, 2, M), {"c": 2}),
    ("remove by index range inverted", exp.MapRemoveByIndexRange(None, 0, 2, M, True), {"a": 3, "b": 1}),
    ("remove by rank", exp.MapRemoveByRank(None, 0, M), {"a": 3, "c": 2}),
    ("remove by rank range to the end", exp.MapRemoveByRankRangeToEnd(None, 1, M), {"b": 1}),
    ("remove by rank range", exp.MapRemoveByRankRange(None, 0, 1, M), {"a": 3, "c": 2}),
    ("remove by rank range inverted", exp.MapRemoveByRankRange(None, 0, 1, M, True), {"b": 1}),
    ("of a missing bin", exp.MapPut(None, None, 1, 1, exp.MapBin("none")), UNKNOWN),
    ("of a list", exp.MapPut(None, None, 1, 1, L), UNKNOWN),
])

FAIL, SATURATE, WRAP = aerospike.BIT_OVERFLOW_FAIL, aerospike.BIT_OVERFLOW_SATURATE, aerospike.BIT_OVERFLOW_WRAP
NO_FAIL = {"bit_write_flags": aerospike.BIT_WRITE_NO_FAIL}
PARTIAL = {"bit_write_flags": aerospike.BIT_WRITE_PARTIAL}
gives("bits", [
    ("resize", exp.BitResize(None, 2, 0, B), b"\x01\x42"),
    ("resize from front", exp.BitResize(None, 7, aerospike.BIT_RESIZE_FROM_FRONT, B), b"\0\0\x01\x42\x03\x04\x05"),
    ("resize, grow only", exp.BitResize(None, 2, aerospike.BIT_RESIZE_GROW_ONLY, B), UNKNOWN),
    ("resize, shrink only", exp.BitResize(None, 2, aerospike.BIT_RESIZE_SHRINK_ONLY, B), b"\x01\x42"),
    ("insert", exp.BitInsert(None, 1, b"\xff", B), b"\x01\xff\x42\x03\x04\x05"),
    ("remove", exp.BitRemove(None, 0, 3, B), b"\x04\x05"),
    ("remove past the end", exp.BitRemove(None, 4, 3, B), UNKNOWN),
    ("remove past the end, partial", exp.BitRemove(PARTIAL, 4, 3, B), b"\x01\x42\x03\x04"),
    ("set", exp.BitSet(None, 13, 3, b"\xe0", B), b"\x01\x47\x03\x04\x05"),
    ("set beyond the end", exp.BitSet(None, 40, 8, b"\xe0", B), UNKNOWN),
    ("set beyond the end, no fail", exp.BitSet(NO_FAIL, 40, 8, b"\xe0", B), RECORD["y"]),
    ("or", exp.BitOr(None, 17, 6, b"\xa8", B), b"\x01\x42\x57\x04\x05"),
    ("xor", exp.BitXor(None, 17, 6, b"\xac", B), b"\x01\x42\x55\x04\x05"),
    ("and", exp.BitAnd(None, 23, 9, b"\x3c\x80", B), b"\x01\x42\x02\x00\x05"),
    ("not", exp.BitNot(None, 25, 6, B), b"\x01\x42\x03\x7a\x05"),
    ("left shift", exp.BitLeftShift(None, 32, 8, 3, B), b"\x01\x42\x03\x04\x28"),
    ("right shift", exp.BitRightShift(None, 0, 9, 1, B), b"\x00\xc2\x03\x04\x05"),
    ("add", exp.BitAdd(None, 24, 16, 128, FAIL, B), b"\x01\x42\x03\x04\x85"),
    ("add overflows", exp.BitAdd(None, 0, 8, 255, FAIL, B), UNKNOWN),
    ("add saturates", exp.BitAdd(None, 0, 8, 255, SATURATE, B), b"\xff\x42\x03\x04\x05"),
    ("add wraps", exp.BitAdd(None, 0, 8, 255, WRAP, B), b"\x00\x42\x03\x04\x05"),
    ("subtract", exp.BitSubtract(None, 24, 16, 128, FAIL, B), b"\x01\x42\x03\x03\x85"),
    ("set an integer", exp.BitSetInt(None, 1, 8, 127, B), b"\x3f\xc2\x03\x04\x05"),
    ("by what another bin holds", exp.BitSetInt(None, 0, 8, exp.IntBin("i"), B), b"\x02\x42\x03\x04\x05"),
    ("get", exp.BitGet(9, 5, B), b"\x80"),
    ("count", exp.BitCount(20, 12, B), 3),
    ("left scan", exp.BitLeftScan(24, 8, True, B), 5),
    ("right scan", exp.BitRightScan(32, 8, True, B), 7),
    ("get an integer", exp.BitGetInt(8, 16, False, B), 0x4203),
    ("get an integer, signed", exp.BitGetInt(8, 3, True, B), 2),
    ("get past the end", exp.BitGet(36, 8, B), UNKNOWN),
    ("of an offset from the end", exp.BitGet(-8, 8, B), b"\x05"),
    ("of a missing bin", exp.BitResize(None, 2, 0, exp.BlobBin("none")), UNKNOWN),
    ("of a string", exp.BitCount(0, 8, exp.BlobBin("s")), UNKNOWN),
])

H, G, W, MH, MG = (exp.HLLBin(each) for each in ("h", "g", "w", "mh", "mg"))
FOLD = {"flags": aerospike.HLL_WRITE_ALLOW_FOLD}
gives("sketches", [
    ("count", exp.HLLGetCount(H), 3),
    ("describe", exp.HLLDescribe(MH), [10, 20]),
    ("may contain", exp.HLLMayContain(["a", "b"], H), 1),
    ("may not contain", exp.HLLMayContain(["a", "nothing of the kind"], H), 0),
    ("union count", exp.HLLGetUnionCount(G, H), 4),
    ("union count of other sizes", exp.HLLGetUnionCount(W, H), 4),
    ("intersect count", exp.HLLGetIntersectCount(G, H), 1),
    ("intersect count, minhash", exp.HLLGetIntersectCount(MG, MH), 2),
    ("union", exp.HLLGetCount(exp.HLLGetUnion(G, H)), 4),
    ("union's bits", exp.HLLDescribe(exp.HLLGetUnion(W, H)), [10, 0]),
    ("add", exp.HLLGetCount(exp.HLLAdd(None, ["x", "a"], None, None, H)), 4),
    ("add what a bin holds", exp.HLLGetCount(exp.HLLAdd(None, L, None, None, H)), 8),
    ("init", exp.HLLDescribe(exp.HLLInit(None, 12, 4, H)), [12, 4]),
    ("init empties", exp.HLLGetCount(exp.HLLInit(None, None, None, H)), 0),
    ("init, create only", exp.HLLInit({"flags": aerospike.HLL_WRITE_CREATE_ONLY}, 12, None, H), UNKNOWN),
    ("of a missing bin", exp.HLLGetCount(exp.HLLBin("none")), UNKNOWN),
    ("of a blob", exp.HLLGetCount(exp.HLLBin("y")), UNKNOWN),
])


@check
def similar_sketches(client):
    for one, other, low, high in ((H, G, 0.2, 0.3), (MH, MG, 0.6, 0.7), (H, H, 1, 1)):
        got = client.operate(key("calls"), [xop.expression_read("answer", exp.HLLGetSimilarity(other, one).compile())])[2]["answer"]
        assert low <= got <= high, got


main()
