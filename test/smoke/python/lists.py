"""Every list operation with the official Python client, which carries the C client. Usage: lists.py HOST PORT."""

import aerospike
from aerospike import exception as error
from aerospike_helpers import cdt_ctx as ctx
from aerospike_helpers.operations import list_operations as lst
from aerospike_helpers.operations import map_operations as maps

from harness import BIN, main, table

NONE, INDEX, REVERSE = aerospike.LIST_RETURN_NONE, aerospike.LIST_RETURN_INDEX, aerospike.LIST_RETURN_REVERSE_INDEX
RANK, REVRANK, COUNT = aerospike.LIST_RETURN_RANK, aerospike.LIST_RETURN_REVERSE_RANK, aerospike.LIST_RETURN_COUNT
VALUE, EXISTS = aerospike.LIST_RETURN_VALUE, aerospike.LIST_RETURN_EXISTS
ORDERED = {"list_order": aerospike.LIST_ORDERED}
UNIQUE = {"write_flags": aerospike.LIST_WRITE_ADD_UNIQUE}
UNIQUE_NO_FAIL = {"write_flags": aerospike.LIST_WRITE_ADD_UNIQUE | aerospike.LIST_WRITE_NO_FAIL}
PARTIAL = {"write_flags": UNIQUE_NO_FAIL["write_flags"] | aerospike.LIST_WRITE_PARTIAL}
BOUNDED = {"write_flags": aerospike.LIST_WRITE_INSERT_BOUNDED}
BOUNDED_NO_FAIL = {"write_flags": aerospike.LIST_WRITE_INSERT_BOUNDED | aerospike.LIST_WRITE_NO_FAIL}
WILDCARD, INFINITE = aerospike.CDTWildcard(), aerospike.CDTInfinite()

SORTED = lst.list_set_order(BIN, aerospike.LIST_ORDERED)  # ranges of ranks come in the order of the list only where it is ordered
SIX = [0, 4, 5, 9, 11, 15]
FIVE = [4, 3, 1, 5, 2]
PAIRS = [[1, "a"], [2, "b"], [4, "d"], [2, "c"]]
MIXED = [1, "a", None, True, 1.5, b"\x01", [1], {"k": 1}]

table("list writes", [
    ("append", [1], lst.list_append(BIN, 2), 2, [1, 2]),
    ("append creates", None, lst.list_append(BIN, "x"), 1, ["x"]),
    ("append of every type", [], [lst.list_append(BIN, each) for each in MIXED], [1, 2, 3, 4, 5, 6, 7, 8], MIXED),
    ("append to an ordered list that it creates", None, [lst.list_append(BIN, each, ORDERED) for each in (3, 1, 2)], [1, 2, 3], [1, 2, 3]),
    ("append of what is there", [1], lst.list_append(BIN, 1, UNIQUE), error.ElementExistsError),
    ("append of what is there, no fail", [1], lst.list_append(BIN, 1, UNIQUE_NO_FAIL), 1),
    ("append to an integer", 7, lst.list_append(BIN, 1), error.BinIncompatibleType),
    ("append items", [1], lst.list_append_items(BIN, [2, "x", [3]]), 4, [1, 2, "x", [3]]),
    ("append items, one is there", [1], lst.list_append_items(BIN, [2, 1], UNIQUE), error.ElementExistsError),
    ("append items, one is there, no fail", [1], lst.list_append_items(BIN, [2, 1], UNIQUE_NO_FAIL), 1),
    ("append items, one is there, partial", [1], lst.list_append_items(BIN, [2, 1], PARTIAL), 2, [1, 2]),
    ("insert", [1, 2], lst.list_insert(BIN, 1, 9), 3, [1, 9, 2]),
    ("insert before the last", [1, 2], lst.list_insert(BIN, -1, 9), 3, [1, 9, 2]),
    ("insert pads", [1], lst.list_insert(BIN, 3, 9), 4, [1, None, None, 9]),
    ("insert pads not when bounded", [1], lst.list_insert(BIN, 3, 9, BOUNDED), error.OpNotApplicable),
    ("insert bounded, no fail", [1], lst.list_insert(BIN, 3, 9, BOUNDED_NO_FAIL), 1),
    ("insert items", [1, 2], lst.list_insert_items(BIN, 1, [8, 9]), 4, [1, 8, 9, 2]),
    ("insert items, partial", [1, 2], lst.list_insert_items(BIN, 0, [2, 3], PARTIAL), 3, [3, 1, 2]),
    ("insert too far below", [1], lst.list_insert(BIN, -3, 9), error.OpNotApplicable),
    ("increment", [1, 2], lst.list_increment(BIN, 1, 5), 7, [1, 7]),
    ("increment of a double", [1.5], lst.list_increment(BIN, 0, 1.25), 2.75, [2.75]),
    ("increment of a string", ["x"], lst.list_increment(BIN, 0, 1), error.InvalidRequest),
    ("pop", [1, 2, 3], lst.list_pop(BIN, 1), 2, [1, 3]),
    ("pop of the last", [1, 2, 3], lst.list_pop(BIN, -1), 3, [1, 2]),
    ("pop of nothing", [1], lst.list_pop(BIN, 4), error.OpNotApplicable),
    ("pop range", [1, 2, 3, 4], lst.list_pop_range(BIN, 1, 2), [2, 3], [1, 4]),
    ("remove", [1, 2], lst.list_remove(BIN, 0), 1, [2]),
    ("remove range", [1, 2, 3], lst.list_remove_range(BIN, 1, 5), 2, [1]),
    ("clear", [1, 2], lst.list_clear(BIN), None, []),
    ("set", [1, 2], lst.list_set(BIN, -1, "x"), None, [1, "x"]),
    ("set beyond the end", [1], lst.list_set(BIN, 2, "x"), None, [1, None, "x"]),
    ("set of what is elsewhere", [1, 2], lst.list_set(BIN, 0, 2, UNIQUE), error.ElementExistsError),
    ("trim", FIVE, lst.list_trim(BIN, 1, 3), 2, [3, 1, 5]),
    ("size", FIVE, lst.list_size(BIN), 5),
    ("set order", FIVE, lst.list_set_order(BIN, aerospike.LIST_ORDERED), None, [1, 2, 3, 4, 5]),
    ("sort", FIVE, lst.list_sort(BIN), None, [1, 2, 3, 4, 5]),
    ("sort, drop duplicates", [2, 1, 2, 1], lst.list_sort(BIN, aerospike.LIST_SORT_DROP_DUPLICATES), None, [1, 2]),
    ("the order of types", [1.5, b"\x01", {"k": 1}, [1], "a", 1, True, None], lst.list_sort(BIN), None,
     [None, True, 1, "a", [1], {"k": 1}, b"\x01", 1.5]),
    ("create", None, lst.list_create(BIN, aerospike.LIST_ORDERED, False, True), None, []),
    ("create and fill", None, [lst.list_create(BIN, aerospike.LIST_ORDERED, False, True), lst.list_append_items(BIN, [3, 1])], [2], [1, 3]),
    ("set in an ordered list", [2, 1], [lst.list_set_order(BIN, aerospike.LIST_ORDERED), lst.list_set(BIN, 0, 9)], error.OpNotApplicable),
    ("insert in an ordered list", [2, 1], [lst.list_set_order(BIN, aerospike.LIST_ORDERED), lst.list_insert(BIN, 0, 9)], error.OpNotApplicable),
])

table("list reads", [
    ("get", FIVE, lst.list_get(BIN, 2), 1),
    ("get from the end", FIVE, lst.list_get(BIN, -2), 5),
    ("get out of bounds", FIVE, lst.list_get(BIN, 5), error.OpNotApplicable),
    ("get range", FIVE, lst.list_get_range(BIN, 1, 2), [3, 1]),
    ("get range past the end", FIVE, lst.list_get_range(BIN, 4, 9), [2]),
    ("get range of nothing", FIVE, lst.list_get_range(BIN, 7, 2), []),
    ("of a missing bin", None, lst.list_get(BIN, 0), None),
    ("of an integer", 7, lst.list_size(BIN), error.BinIncompatibleType),
    ("by index", FIVE, [lst.list_get_by_index(BIN, 2, each) for each in (INDEX, REVERSE, RANK, REVRANK, COUNT, VALUE, EXISTS)],
     [2, 2, 0, 4, 1, 1, True]),
    ("by index, nothing returned", FIVE, lst.list_get_by_index(BIN, 2, NONE), None),
    ("by index range", FIVE, [lst.list_get_by_index_range(BIN, 1, each, 2) for each in (INDEX, REVERSE, RANK, COUNT, VALUE, EXISTS)],
     [[1, 2], [2, 3], [2, 0], 2, [3, 1], True]),
    ("by index range to the end", FIVE, lst.list_get_by_index_range(BIN, -2, VALUE), [5, 2]),
    ("by index range inverted", FIVE, lst.list_get_by_index_range(BIN, 1, VALUE, 3, True), [4, 2]),
    ("by index range of a map return type", FIVE, lst.list_get_by_index_range(BIN, 1, 6, 3), error.OpNotApplicable),
    ("by rank", FIVE, [lst.list_get_by_rank(BIN, -1, each) for each in (INDEX, REVERSE, RANK, REVRANK, COUNT, VALUE)], [3, 1, 4, 0, 1, 5]),
    ("by rank out of bounds", FIVE, lst.list_get_by_rank(BIN, 5, VALUE), error.OpNotApplicable),
    ("by rank range", SIX, [SORTED, lst.list_get_by_rank_range(BIN, 1, VALUE, 2)], [[4, 5]]),
    ("by rank range to the end", SIX, lst.list_get_by_rank_range(BIN, 4, VALUE), [11, 15]),
    ("by rank range inverted", SIX, lst.list_get_by_rank_range(BIN, 1, VALUE, 4, True), [0, 15]),
    ("by value", [1, 2, 1], [lst.list_get_by_value(BIN, 1, each) for each in (INDEX, REVERSE, RANK, COUNT, VALUE, EXISTS)],
     [[0, 2], [2, 0], [0, 1], 2, [1, 1], True]),
    ("by value inverted", [1, 2, 1], lst.list_get_by_value(BIN, 1, INDEX, True), [1]),
    ("by a value that is not there", [1], [lst.list_get_by_value(BIN, 9, each) for each in (INDEX, RANK, COUNT, VALUE, EXISTS)],
     [[], [], 0, [], False]),
    ("by value of every type", MIXED, [lst.list_get_by_value(BIN, each, INDEX) for each in MIXED], [[i] for i in range(8)]),
    ("by value list", FIVE, lst.list_get_by_value_list(BIN, [5, 4, 7], VALUE), [4, 5]),
    ("by value list inverted", FIVE, lst.list_get_by_value_list(BIN, [5, 4, 7], VALUE, True), [3, 1, 2]),
    ("by value range", SIX, lst.list_get_by_value_range(BIN, VALUE, 4, 11), [4, 5, 9]),
    ("by value range without begin", SIX, lst.list_get_by_value_range(BIN, VALUE, None, 5), [0, 4]),
    ("by value range inverted", SIX, lst.list_get_by_value_range(BIN, VALUE, 4, 11, True), [0, 11, 15]),
    ("by value range without end", SIX, lst.list_get_by_value_range(BIN, COUNT, 5, INFINITE), 4),
    ("by wildcard", PAIRS, lst.list_get_by_value(BIN, [2, WILDCARD], VALUE), [[2, "b"], [2, "c"]]),
    ("by value range of pairs", PAIRS, lst.list_get_by_value_range(BIN, INDEX, [2, None], [2, INFINITE]), [1, 3]),
    ("by wildcards in a list", PAIRS, lst.list_get_by_value_list(BIN, [[4, WILDCARD], [1, WILDCARD]], COUNT), 2),
] + [
    (f"by value {value} and rank {rank}, {count}", SIX, [SORTED, lst.list_get_by_value_rank_range_relative(BIN, value, rank, VALUE, count)], [want])
    for value, rank, count, want in [
        (5, 0, None, [5, 9, 11, 15]), (5, 1, None, [9, 11, 15]), (5, -1, None, [4, 5, 9, 11, 15]), (3, 0, None, [4, 5, 9, 11, 15]),
        (3, 3, None, [11, 15]), (3, -3, None, SIX), (5, 0, 2, [5, 9]), (5, 1, 1, [9]), (5, -1, 2, [4, 5]), (3, 0, 1, [4]), (3, 3, 7, [11, 15]),
        (3, -3, 2, []),
    ]
] + [
    ("by value and rank inverted", SIX, lst.list_get_by_value_rank_range_relative(BIN, 5, 0, VALUE, 2, True), [0, 4, 11, 15]),
])

table("list removals", [
    ("by index", FIVE, lst.list_remove_by_index(BIN, 0, VALUE), 4, [3, 1, 5, 2]),
    ("by index range", FIVE, lst.list_remove_by_index_range(BIN, 1, COUNT, 3), 3, [4, 2]),
    ("by index range to the end", FIVE, lst.list_remove_by_index_range(BIN, 1, COUNT), 4, [4]),
    ("by index range inverted", FIVE, lst.list_remove_by_index_range(BIN, 1, VALUE, 3, True), [4, 2], [3, 1, 5]),
    ("by rank", FIVE, lst.list_remove_by_rank(BIN, 0, INDEX), 2, [4, 3, 5, 2]),
    ("by rank range", FIVE, lst.list_remove_by_rank_range(BIN, -2, COUNT, 2), 2, [3, 1, 2]),
    ("by rank range to the end", FIVE, lst.list_remove_by_rank_range(BIN, 1, COUNT), 4, [1]),
    ("by rank range inverted", FIVE, lst.list_remove_by_rank_range(BIN, 1, VALUE, 3, True), [1, 5], [4, 3, 2]),
    ("by value", [1, 2, 1], lst.list_remove_by_value(BIN, 1, COUNT), 2, [2]),
    ("by value list", FIVE, lst.list_remove_by_value_list(BIN, [1, 2, 3], COUNT), 3, [4, 5]),
    ("by value list inverted", FIVE, lst.list_remove_by_value_list(BIN, [1, 2, 3], VALUE, True), [4, 5], [3, 1, 2]),
    ("by value range", SIX, lst.list_remove_by_value_range(BIN, COUNT, 4, 10), 3, [0, 11, 15]),
    ("by value range without end", SIX, lst.list_remove_by_value_range(BIN, NONE, 9), None, [0, 4, 5]),
    ("by value range without begin", SIX, lst.list_remove_by_value_range(BIN, COUNT, None, 9), 3, [9, 11, 15]),
    ("by value and rank", SIX, lst.list_remove_by_value_rank_range_relative(BIN, 5, 0, COUNT, 2), 2, [0, 4, 11, 15]),
    ("by value and rank to the end", SIX, lst.list_remove_by_value_rank_range_relative(BIN, 5, 1, COUNT), 3, [0, 4, 5]),
    ("of everything leaves an empty list", [1], lst.list_remove_by_value(BIN, 1, COUNT), 1, []),
    ("from a missing bin", None, lst.list_remove_by_value(BIN, 1, COUNT), None, None),
    ("of nothing by index", [1], lst.list_remove_by_index(BIN, 3, VALUE), error.OpNotApplicable),
])

DEEP = [[7, 9, 5], {"a": [1, 2, 3], "b": {"c": [4]}}, [6, 5, 4, 1]]
table("list contexts", [
    ("by index", DEEP, lst.list_append(BIN, 11, ctx=[ctx.cdt_ctx_list_index(-1)]), 5, DEEP[:2] + [[6, 5, 4, 1, 11]]),
    ("by rank", [[1, 9], [1, 2]], lst.list_get(BIN, 1, ctx=[ctx.cdt_ctx_list_rank(0)]), 2),
    ("by value", DEEP, lst.list_size(BIN, ctx=[ctx.cdt_ctx_list_value([7, 9, 5])]), 3),
    ("by index and key", DEEP, lst.list_get_by_rank(BIN, -1, VALUE, ctx=[ctx.cdt_ctx_list_index(1), ctx.cdt_ctx_map_key("a")]), 3),
    ("by keys, three deep", DEEP, lst.list_append(BIN, 5, ctx=[ctx.cdt_ctx_list_index(1), ctx.cdt_ctx_map_key("b"), ctx.cdt_ctx_map_key("c")]), 2,
     [DEEP[0], {"a": [1, 2, 3], "b": {"c": [4, 5]}}, DEEP[2]]),
    ("by map index", {"a": [1], "b": [2]}, lst.list_get(BIN, 0, ctx=[ctx.cdt_ctx_map_index(1)]), 2),
    ("by map rank", {"a": [3], "b": [2]}, lst.list_get(BIN, 0, ctx=[ctx.cdt_ctx_map_rank(-1)]), 3),
    ("by map value", {"a": [3], "b": [2]}, lst.list_append(BIN, 4, ctx=[ctx.cdt_ctx_map_value([2])]), 2, {"a": [3], "b": [2, 4]}),
    ("of a missing index", DEEP, lst.list_size(BIN, ctx=[ctx.cdt_ctx_list_index(7)]), error.OpNotApplicable),
    ("of a missing key", DEEP, lst.list_size(BIN, ctx=[ctx.cdt_ctx_list_index(1), ctx.cdt_ctx_map_key("x")]), error.OpNotApplicable),
    ("key of a list", DEEP, lst.list_size(BIN, ctx=[ctx.cdt_ctx_map_key("x")]), error.OpNotApplicable),
    ("to a map", DEEP, lst.list_size(BIN, ctx=[ctx.cdt_ctx_list_index(1)]), error.BinIncompatibleType),
    ("creating a list in a list", None, lst.list_append(BIN, 1, ctx=[ctx.cdt_ctx_list_index_create(0)]), 1, [[1]]),
    ("creating, padded", [1], lst.list_append(BIN, 5, ctx=[ctx.cdt_ctx_list_index_create(3, 0, True)]), 1, [1, None, None, [5]]),
    ("creating, not padded", [1], lst.list_append(BIN, 5, ctx=[ctx.cdt_ctx_list_index_create(3, 0, False)]), error.OpNotApplicable),
    ("creating in an ordered list", None, lst.list_append(BIN, 5, ctx=[ctx.cdt_ctx_list_index_create(0, aerospike.LIST_ORDERED)]), 1, [[5]]),
    ("creating a key for a list", None, lst.list_append(BIN, 1, ctx=[ctx.cdt_ctx_map_key_create("k", aerospike.MAP_KEY_ORDERED)]), 1, {"k": [1]}),
    ("creating a list by list_create", [], lst.list_create(BIN, aerospike.LIST_UNORDERED, True, False, [ctx.cdt_ctx_list_index(2)]), None, [None, None, []]),
    ("creating two levels", None, lst.list_append(BIN, 1, ctx=[ctx.cdt_ctx_map_key_create("k"), ctx.cdt_ctx_map_key_create("l")]), 1, {"k": {"l": [1]}}),
    ("clear", DEEP, lst.list_clear(BIN, ctx=[ctx.cdt_ctx_list_index(0)]), None, [[]] + DEEP[1:]),
    ("sort", DEEP, lst.list_sort(BIN, ctx=[ctx.cdt_ctx_list_index(0)]), None, [[5, 7, 9]] + DEEP[1:]),
    ("set order", DEEP, lst.list_set_order(BIN, aerospike.LIST_ORDERED, ctx=[ctx.cdt_ctx_list_index(2)]), None, DEEP[:2] + [[1, 4, 5, 6]]),
])

table("lists in one command", [
    ("see each other", [3, 1], [
        lst.list_append(BIN, 2), lst.list_sort(BIN), lst.list_get_range(BIN, 0, 9), lst.list_pop(BIN, 0), lst.list_size(BIN),
    ], [3, [1, 2, 3], 1, 2], [2, 3]),
    ("with a map operation all of them answer", [3, {"a": 1}], [
        lst.list_sort(BIN), lst.list_clear(BIN), maps.map_size("none"),
    ], [None, None, None], []),
    ("change nothing when the last one fails", [1], [lst.list_append(BIN, 2), lst.list_get(BIN, 9)], error.OpNotApplicable),
    ("large", None, [lst.list_append_items(BIN, list(range(20_000))), lst.list_get_by_value(BIN, 19_999, INDEX), lst.list_get_by_rank(BIN, -1, VALUE)],
     [20_000, [19_999], 19_999], list(range(20_000))),
])

main()
