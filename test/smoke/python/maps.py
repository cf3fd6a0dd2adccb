"""Every map operation with the official Python client, which carries the C client. Usage: maps.py HOST PORT."""

import aerospike
from aerospike import KeyOrderedDict
from aerospike import exception as error
from aerospike_helpers import cdt_ctx as ctx
from aerospike_helpers.operations import list_operations as lst
from aerospike_helpers.operations import map_operations as maps

from harness import BIN, main, table

NONE, INDEX, REVERSE = aerospike.MAP_RETURN_NONE, aerospike.MAP_RETURN_INDEX, aerospike.MAP_RETURN_REVERSE_INDEX
RANK, REVRANK, COUNT = aerospike.MAP_RETURN_RANK, aerospike.MAP_RETURN_REVERSE_RANK, aerospike.MAP_RETURN_COUNT
KEY, VALUE, PAIRS, EXISTS = aerospike.MAP_RETURN_KEY, aerospike.MAP_RETURN_VALUE, aerospike.MAP_RETURN_KEY_VALUE, aerospike.MAP_RETURN_EXISTS
PLAIN_MAP, SORTED_MAP = aerospike.MAP_RETURN_UNORDERED_MAP, aerospike.MAP_RETURN_ORDERED_MAP
WILDCARD, INFINITE = aerospike.CDTWildcard(), aerospike.CDTInfinite()


def flags(*each):
    return {"map_order": aerospike.MAP_UNORDERED, "map_write_flags": sum(each)}


BY_KEY = {"map_order": aerospike.MAP_KEY_ORDERED}
BY_VALUE = {"map_order": aerospike.MAP_KEY_VALUE_ORDERED}
PERSISTED = {"map_order": aerospike.MAP_KEY_VALUE_ORDERED, "persist_index": True}
CREATE, UPDATE = aerospike.MAP_WRITE_FLAGS_CREATE_ONLY, aerospike.MAP_WRITE_FLAGS_UPDATE_ONLY
NO_FAIL, PARTIAL = aerospike.MAP_WRITE_FLAGS_NO_FAIL, aerospike.MAP_WRITE_FLAGS_PARTIAL

ABC = {"a": 3, "b": 1, "c": 2}
NUMBERS = {0: 17, 4: 2, 5: 15, 9: 10}
EVERY = {"int": 1, "text": "t", "none": None, "yes": True, "double": 1.5, "bytes": b"\x01", "list": [1, [2]], "map": {"x": {"y": 1}}}

table("map writes", [
    ("put", {"a": 1}, maps.map_put(BIN, "b", 2), 2, {"a": 1, "b": 2}),
    ("put replaces", {"a": 1}, maps.map_put(BIN, "a", "x"), 1, {"a": "x"}),
    ("put creates", None, maps.map_put(BIN, "a", [1]), 1, {"a": [1]}),
    ("put of every type", None, [maps.map_put(BIN, name, each) for name, each in EVERY.items()], [1, 2, 3, 4, 5, 6, 7, 8], EVERY),
    ("keys of every type", {}, [maps.map_put(BIN, each, 1) for each in (1, -1, "1", b"\x01")], [1, 2, 3, 4], {1: 1, -1: 1, "1": 1, b"\x01": 1}),
    ("a double is no key", {}, maps.map_put(BIN, 1.5, 1), error.InvalidRequest),
    ("put, key-ordered", None, maps.map_put(BIN, "a", 1, BY_KEY), 1, {"a": 1}),
    ("put, key-value-ordered", None, maps.map_put(BIN, "a", 1, BY_VALUE), 1, {"a": 1}),
    ("put, persisted index", None, maps.map_put(BIN, "a", 1, PERSISTED), 1, {"a": 1}),
    ("put, create only", ABC, maps.map_put(BIN, "a", 1, flags(CREATE)), error.ElementExistsError),
    ("put, create only, no fail", ABC, maps.map_put(BIN, "a", 1, flags(CREATE, NO_FAIL)), 3),
    ("put, update only", ABC, maps.map_put(BIN, "x", 1, flags(UPDATE)), error.ElementNotFoundError),
    ("put, update only, no fail", ABC, maps.map_put(BIN, "x", 1, flags(UPDATE, NO_FAIL)), 3),
    ("put, update only, there", ABC, maps.map_put(BIN, "a", 1, flags(UPDATE)), 3, {"a": 1, "b": 1, "c": 2}),
    ("put to a list", [1], maps.map_put(BIN, "a", 1), error.BinIncompatibleType),
    ("put items", {"a": 1}, maps.map_put_items(BIN, {"c": 3, "b": 2}), 3, {"a": 1, "b": 2, "c": 3}),
    ("put items, create only", {"a": 1}, maps.map_put_items(BIN, {"b": 2, "a": 3}, flags(CREATE)), error.ElementExistsError),
    ("put items, create only, no fail", {"a": 1}, maps.map_put_items(BIN, {"b": 2, "a": 3}, flags(CREATE, NO_FAIL)), 1),
    ("put items, create only, partial", {"a": 1}, maps.map_put_items(BIN, {"b": 2, "a": 3}, flags(CREATE, NO_FAIL, PARTIAL)), 2, {"a": 1, "b": 2}),
    ("put items, update only, partial", {"a": 1}, maps.map_put_items(BIN, {"b": 2, "a": 3}, flags(UPDATE, NO_FAIL, PARTIAL)), 1, {"a": 3}),
    ("put items, ordered", None, maps.map_put_items(BIN, KeyOrderedDict({"b": 2, "a": 1}), BY_KEY), 2, {"a": 1, "b": 2}),
    ("put of no items creates", None, maps.map_put_items(BIN, {}), 0, {}),
    ("increment", ABC, maps.map_increment(BIN, "a", 4), 7, {"a": 7, "b": 1, "c": 2}),
    ("increment creates", ABC, maps.map_increment(BIN, "d", 4), 4, {"a": 3, "b": 1, "c": 2, "d": 4}),
    ("increment by a double", {"a": 1.5}, maps.map_increment(BIN, "a", 0.25), 1.75, {"a": 1.75}),
    ("increment of a string", {"a": "x"}, maps.map_increment(BIN, "a", 1), error.InvalidRequest),
    ("decrement", ABC, maps.map_decrement(BIN, "a", 4), -1, {"a": -1, "b": 1, "c": 2}),
    ("clear", ABC, maps.map_clear(BIN), None, {}),
    ("set policy", {"b": 1, "a": 2}, maps.map_set_policy(BIN, BY_KEY), None, {"a": 2, "b": 1}),
    ("set policy and back", ABC, [maps.map_set_policy(BIN, BY_VALUE), maps.map_set_policy(BIN, flags()), maps.map_size(BIN)], [None, None, 3]),
    ("create", None, maps.map_create(BIN, aerospike.MAP_KEY_ORDERED, True), None, {}),
    ("put of ordered maps in a map", {}, maps.map_put(BIN, "m", KeyOrderedDict({"b": 1, "a": 2})), 1, {"m": {"a": 2, "b": 1}}),
])

table("map reads", [
    ("size", ABC, maps.map_size(BIN), 3),
    ("of a missing bin", None, maps.map_size(BIN), None),
    ("of a list", [1], maps.map_size(BIN), error.BinIncompatibleType),
    ("by key", ABC, [maps.map_get_by_key(BIN, "b", each) for each in
                     (NONE, INDEX, REVERSE, RANK, REVRANK, COUNT, KEY, VALUE, EXISTS, PLAIN_MAP, SORTED_MAP)],
     [None, 1, 1, 0, 2, 1, "b", 1, True, {"b": 1}, {"b": 1}]),
    ("by key, pair", ABC, maps.map_get_by_key(BIN, "b", PAIRS), ["b", 1]),
    ("by a key that is not there", ABC, [maps.map_get_by_key(BIN, "x", each) for each in
                                         (NONE, INDEX, RANK, COUNT, KEY, VALUE, EXISTS, PLAIN_MAP, SORTED_MAP)],
     [None, -1, -1, 0, None, None, False, {}, {}]),
    ("by key range", ABC, [maps.map_get_by_key_range(BIN, "a", "c", each) for each in
                           (INDEX, REVERSE, RANK, REVRANK, COUNT, KEY, VALUE, EXISTS, PLAIN_MAP, SORTED_MAP)],
     [[0, 1], [1, 2], [2, 0], [0, 2], 2, ["a", "b"], [3, 1], True, {"a": 3, "b": 1}, {"a": 3, "b": 1}]),
    ("by key range, pairs", ABC, maps.map_get_by_key_range(BIN, "a", "c", PAIRS), ["a", 3, "b", 1]),
    ("by key range without begin", ABC, maps.map_get_by_key_range(BIN, None, "b", KEY), ["a"]),
    ("by key range without end", ABC, maps.map_get_by_key_range(BIN, "b", INFINITE, KEY), ["b", "c"]),
    ("by key range inverted", ABC, maps.map_get_by_key_range(BIN, "a", "c", KEY, True), ["c"]),
    ("by key list", ABC, maps.map_get_by_key_list(BIN, ["c", "a", "x"], KEY), ["a", "c"]),
    ("by key list inverted", ABC, maps.map_get_by_key_list(BIN, ["c", "a", "x"], KEY, True), ["b"]),
    ("by key list, rank", ABC, maps.map_get_by_key_list(BIN, ["a"], RANK), error.OpNotApplicable),
    ("by value", {"a": 1, "b": 2, "c": 1}, [maps.map_get_by_value(BIN, 1, each) for each in (INDEX, RANK, COUNT, KEY, VALUE, EXISTS)],
     [[0, 2], [0, 1], 2, ["a", "c"], [1, 1], True]),
    ("by value inverted", {"a": 1, "b": 2, "c": 1}, maps.map_get_by_value(BIN, 1, KEY, True), ["b"]),
    ("by value range", ABC, maps.map_get_by_value_range(BIN, 2, 4, KEY), ["a", "c"]),
    ("by value range inverted", ABC, maps.map_get_by_value_range(BIN, 2, 4, KEY, True), ["b"]),
    ("by value list", ABC, maps.map_get_by_value_list(BIN, [1, 2, 9], KEY), ["b", "c"]),
    ("by value list inverted", ABC, maps.map_get_by_value_list(BIN, [1, 2, 9], KEY, True), ["a"]),
    ("by wildcard value", {"a": [1, 2], "b": [2, 2], "c": [1, 3]}, maps.map_get_by_value(BIN, [1, WILDCARD], KEY), ["a", "c"]),
    ("by index", ABC, [maps.map_get_by_index(BIN, -1, each) for each in (INDEX, REVERSE, RANK, REVRANK, COUNT, KEY, VALUE)], [2, 0, 1, 1, 1, "c", 2]),
    ("by index out of bounds", ABC, maps.map_get_by_index(BIN, 3, KEY), error.OpNotApplicable),
    ("by index range", ABC, maps.map_get_by_index_range(BIN, 1, 9, KEY), ["b", "c"]),
    ("by index range inverted", ABC, maps.map_get_by_index_range(BIN, 1, 9, KEY, True), ["a"]),
    ("by rank", ABC, [maps.map_get_by_rank(BIN, 0, each) for each in (INDEX, RANK, KEY, VALUE)], [1, 0, "b", 1]),
    ("by rank range", ABC, [maps.map_get_by_rank_range(BIN, 0, 2, each) for each in (KEY, VALUE, INDEX)], [["b", "c"], [1, 2], [1, 2]]),
    ("by rank range inverted", ABC, maps.map_get_by_rank_range(BIN, 0, 2, KEY, True), ["a"]),
    ("of ordered map from values", {"z": 1, "a": 2}, maps.map_get_by_rank_range(BIN, 0, 2, SORTED_MAP), {"a": 2, "z": 1}),
] + [
    (f"by key {k} and index {index}, {count}", NUMBERS, maps.map_get_by_key_index_range_relative(BIN, k, index, KEY, count), want)
    for k, index, count, want in [
        (5, 0, None, [5, 9]), (5, 1, None, [9]), (5, -1, None, [4, 5, 9]), (3, 2, None, [9]), (3, -2, None, [0, 4, 5, 9]),
        (5, 0, 1, [5]), (5, 1, 2, [9]), (5, -1, 1, [4]), (3, 2, 1, [9]), (3, -2, 2, [0]),
    ]
] + [
    (f"by value {value} and rank {rank}, {count}", NUMBERS, maps.map_get_by_value_rank_range_relative(BIN, value, rank, SORTED_MAP, count), want)
    for value, rank, count, want in [
        (11, 1, None, {0: 17}), (11, -1, None, {9: 10, 5: 15, 0: 17}), (11, 1, 1, {0: 17}), (11, -1, 1, {9: 10}),
    ]
])

table("map removals", [
    ("by key", ABC, maps.map_remove_by_key(BIN, "a", VALUE), 3, {"b": 1, "c": 2}),
    ("by a key that is not there", ABC, maps.map_remove_by_key(BIN, "x", COUNT), 0),
    ("by key list", ABC, maps.map_remove_by_key_list(BIN, ["a", "x", "b"], COUNT), 2, {"c": 2}),
    ("by key list inverted", ABC, maps.map_remove_by_key_list(BIN, ["a", "x"], KEY, True), ["b", "c"], {"a": 3}),
    ("by key range", ABC, maps.map_remove_by_key_range(BIN, "a", "c", VALUE), [3, 1], {"c": 2}),
    ("by key range inverted", ABC, maps.map_remove_by_key_range(BIN, "a", "c", KEY, True), ["c"], {"a": 3, "b": 1}),
    ("by value", ABC, maps.map_remove_by_value(BIN, 1, KEY), ["b"], {"a": 3, "c": 2}),
    ("by value list", ABC, maps.map_remove_by_value_list(BIN, [1, 3], COUNT), 2, {"c": 2}),
    ("by value range", ABC, maps.map_remove_by_value_range(BIN, 1, 3, KEY), ["b", "c"], {"a": 3}),
    ("by index", ABC, maps.map_remove_by_index(BIN, 0, PAIRS), ["a", 3], {"b": 1, "c": 2}),
    ("by index range", ABC, maps.map_remove_by_index_range(BIN, 1, 2, SORTED_MAP), {"b": 1, "c": 2}, {"a": 3}),
    ("by rank", ABC, maps.map_remove_by_rank(BIN, -1, KEY), "a", {"b": 1, "c": 2}),
    ("by rank range", ABC, maps.map_remove_by_rank_range(BIN, 0, 2, VALUE), [1, 2], {"a": 3}),
    ("by key and index", NUMBERS, maps.map_remove_by_key_index_range_relative(BIN, 5, 0, VALUE, 1), [15], {0: 17, 4: 2, 9: 10}),
    ("by key and index to the end", NUMBERS, maps.map_remove_by_key_index_range_relative(BIN, 5, 1, VALUE), [10], {0: 17, 4: 2, 5: 15}),
    ("by value and rank", NUMBERS, maps.map_remove_by_value_rank_range_relative(BIN, 11, 1, KEY), [0], {4: 2, 5: 15, 9: 10}),
    ("by value and rank, count", NUMBERS, maps.map_remove_by_value_rank_range_relative(BIN, 11, -1, KEY, 1), [9], {0: 17, 4: 2, 5: 15}),
    ("of everything leaves an empty map", {"a": 1}, maps.map_remove_by_key(BIN, "a", NONE), None, {}),
    ("from a missing bin", None, maps.map_remove_by_key(BIN, "a", VALUE), None, None),
])

NESTED = {"key1": {"key11": 9, "key12": 4}, "key2": {"key21": 3, "key22": 5}}
table("map contexts", [
    ("by key", NESTED, maps.map_put(BIN, "key21", 11, ctx=[ctx.cdt_ctx_map_key("key2")]), 2, {**NESTED, "key2": {"key21": 11, "key22": 5}}),
    ("by index", NESTED, maps.map_get_by_rank(BIN, 0, KEY, ctx=[ctx.cdt_ctx_map_index(1)]), "key21"),
    ("by rank", NESTED, maps.map_get_by_key(BIN, "key22", VALUE, ctx=[ctx.cdt_ctx_map_rank(-1)]), 5),
    ("by value", NESTED, maps.map_size(BIN, ctx=[ctx.cdt_ctx_map_value({"key21": 3, "key22": 5})]), 2),
    ("by list index and key", [{"a": {"x": 1}}], maps.map_increment(BIN, "x", 4, ctx=[ctx.cdt_ctx_list_index(0), ctx.cdt_ctx_map_key("a")]), 5, [{"a": {"x": 5}}]),
    ("remove", NESTED, maps.map_remove_by_value(BIN, 9, COUNT, ctx=[ctx.cdt_ctx_map_key("key1")]), 1, {**NESTED, "key1": {"key12": 4}}),
    ("clear", NESTED, maps.map_clear(BIN, ctx=[ctx.cdt_ctx_map_key("key1")]), None, {**NESTED, "key1": {}}),
    ("of a missing key", NESTED, maps.map_size(BIN, ctx=[ctx.cdt_ctx_map_key("x")]), error.OpNotApplicable),
    ("to an integer", {"a": 1}, maps.map_put(BIN, "b", 1, ctx=[ctx.cdt_ctx_map_key("a")]), error.BinIncompatibleType),
    ("creating a map", NESTED, maps.map_put(BIN, "x", 1, BY_KEY, [ctx.cdt_ctx_map_key_create("key3", aerospike.MAP_KEY_ORDERED)]), 1, {**NESTED, "key3": {"x": 1}}),
    ("creating where one is", NESTED, maps.map_put(BIN, "x", 1, BY_KEY, [ctx.cdt_ctx_map_key_create("key1", aerospike.MAP_KEY_ORDERED)]), 3,
     {**NESTED, "key1": {"key11": 9, "key12": 4, "x": 1}}),
    ("creating a map in a list in a map", None,
     maps.map_put(BIN, "x", 1, ctx=[ctx.cdt_ctx_map_key_create("k", aerospike.MAP_KEY_ORDERED), ctx.cdt_ctx_list_index_create(0, 0, True)]), 1, {"k": [{"x": 1}]}),
    ("creating by map_create", {}, maps.map_create(BIN, aerospike.MAP_KEY_ORDERED, False, [ctx.cdt_ctx_map_key("k")]), None, {"k": {}}),
    ("set policy", NESTED, maps.map_set_policy(BIN, BY_KEY, [ctx.cdt_ctx_map_key("key1")]), None),
])

table("maps in one command", [
    ("see each other", ABC, [
        maps.map_put(BIN, "d", 0), maps.map_get_by_rank(BIN, 0, KEY), maps.map_remove_by_key(BIN, "a", NONE), maps.map_clear(BIN), maps.map_size(BIN),
    ], [4, "d", None, None, 0], {}),
    ("with lists in them", {"l": [1]}, [
        lst.list_append(BIN, 2, ctx=[ctx.cdt_ctx_map_key("l")]), maps.map_get_by_key(BIN, "l", VALUE),
    ], [2, [1, 2]], {"l": [1, 2]}),
    ("change nothing when the last one fails", ABC, [maps.map_clear(BIN), maps.map_get_by_index(BIN, 0, VALUE)], error.OpNotApplicable),
    ("large", None, [maps.map_put_items(BIN, {i: i % 7 for i in range(20_000)}, PERSISTED), maps.map_get_by_value(BIN, 3, COUNT),
                     maps.map_get_by_key(BIN, 19_999, INDEX), maps.map_get_by_rank(BIN, 0, KEY)],
     [20_000, 2857, 19_999, 0], {i: i % 7 for i in range(20_000)}),
])

main()
