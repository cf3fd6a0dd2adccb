"""Every bit and HyperLogLog operation with the official Python client, which carries the C client. Usage: bits.py HOST PORT."""

import aerospike
from aerospike import exception as error
from aerospike_helpers import HyperLogLog
from aerospike_helpers.operations import bitwise_operations as bit
from aerospike_helpers.operations import hll_operations as hll
from aerospike_helpers.operations import operations

from harness import BIN, check, equal, key, main, refused, table

CREATE = {"bit_write_flags": aerospike.BIT_WRITE_CREATE_ONLY}
UPDATE = {"bit_write_flags": aerospike.BIT_WRITE_UPDATE_ONLY}
NO_FAIL = {"bit_write_flags": aerospike.BIT_WRITE_NO_FAIL}
PARTIAL = {"bit_write_flags": aerospike.BIT_WRITE_PARTIAL}
FAIL, SATURATE, WRAP = aerospike.BIT_OVERFLOW_FAIL, aerospike.BIT_OVERFLOW_SATURATE, aerospike.BIT_OVERFLOW_WRAP
FIVE = b"\x01\x42\x03\x04\x05"

table("bits", [
    ("resize", FIVE, bit.bit_resize(BIN, 7), None, FIVE + b"\0\0"),
    ("resize from front", FIVE, bit.bit_resize(BIN, 7, resize_flags=aerospike.BIT_RESIZE_FROM_FRONT), None, b"\0\0" + FIVE),
    ("resize, grow only", FIVE, bit.bit_resize(BIN, 3, resize_flags=aerospike.BIT_RESIZE_GROW_ONLY), error.InvalidRequest),
    ("resize, shrink only", FIVE, bit.bit_resize(BIN, 3, resize_flags=aerospike.BIT_RESIZE_SHRINK_ONLY), None, FIVE[:3]),
    ("resize creates", None, bit.bit_resize(BIN, 3), None, b"\0\0\0"),
    ("resize, create only", FIVE, bit.bit_resize(BIN, 3, CREATE), error.BinExistsError),
    ("resize, update only", None, bit.bit_resize(BIN, 3, UPDATE), error.BinNotFound),
    ("insert", FIVE, bit.bit_insert(BIN, 1, 2, bytearray(b"\xff\xfe")), None, b"\x01\xff\xfe\x42\x03\x04\x05"),
    ("insert beyond the end", FIVE, bit.bit_insert(BIN, 6, 1, bytearray(b"\xff")), None, FIVE + b"\0\xff"),
    ("remove", FIVE, bit.bit_remove(BIN, 1, 2), None, b"\x01\x04\x05"),
    ("remove past the end", FIVE, bit.bit_remove(BIN, 4, 3), error.InvalidRequest),
    ("remove past the end, partial", FIVE, bit.bit_remove(BIN, 4, 3, PARTIAL), None, FIVE[:4]),
    ("set", FIVE, bit.bit_set(BIN, 13, 3, 1, bytearray(b"\xe0")), None, b"\x01\x47\x03\x04\x05"),
    ("set beyond the end", FIVE, bit.bit_set(BIN, 40, 8, 1, bytearray(b"\xe0")), error.OpNotApplicable),
    ("set beyond the end, no fail", FIVE, bit.bit_set(BIN, 40, 8, 1, bytearray(b"\xe0"), NO_FAIL), None),
    ("set from the end", FIVE, bit.bit_set(BIN, -8, 8, 1, bytearray(b"\xaa")), None, FIVE[:4] + b"\xaa"),
    ("set of a missing bin", None, bit.bit_set(BIN, 0, 8, 1, bytearray(b"\xaa")), error.BinNotFound),
    ("or", FIVE, bit.bit_or(BIN, 17, 6, 1, bytearray(b"\xa8")), None, b"\x01\x42\x57\x04\x05"),
    ("xor", FIVE, bit.bit_xor(BIN, 17, 6, 1, bytearray(b"\xac")), None, b"\x01\x42\x55\x04\x05"),
    ("and", FIVE, bit.bit_and(BIN, 23, 9, 2, bytearray(b"\x3c\x80")), None, b"\x01\x42\x02\x00\x05"),
    ("not", FIVE, bit.bit_not(BIN, 25, 6), None, b"\x01\x42\x03\x7a\x05"),
    ("left shift", FIVE, bit.bit_lshift(BIN, 32, 8, 3), None, b"\x01\x42\x03\x04\x28"),
    ("right shift", FIVE, bit.bit_rshift(BIN, 0, 9, 1), None, b"\x00\xc2\x03\x04\x05"),
    ("add", FIVE, bit.bit_add(BIN, 24, 16, 128, False, FAIL), None, b"\x01\x42\x03\x04\x85"),
    ("add overflows", b"\xff", bit.bit_add(BIN, 0, 8, 1, False, FAIL), error.OpNotApplicable),
    ("add saturates", b"\xf0", bit.bit_add(BIN, 0, 8, 100, False, SATURATE), None, b"\xff"),
    ("add wraps", b"\xff", bit.bit_add(BIN, 0, 8, 2, False, WRAP), None, b"\x01"),
    ("add, signed, saturates", b"\x7f", bit.bit_add(BIN, 0, 8, 1, True, SATURATE), None, b"\x7f"),
    ("subtract", FIVE, bit.bit_subtract(BIN, 24, 16, 128, False, FAIL), None, b"\x01\x42\x03\x03\x85"),
    ("subtract, signed, saturates", b"\x80", bit.bit_subtract(BIN, 0, 8, 1, True, SATURATE), None, b"\x80"),
    ("set an integer", FIVE, bit.bit_set_int(BIN, 1, 8, 127), None, b"\x3f\xc2\x03\x04\x05"),
    ("get", FIVE, bit.bit_get(BIN, 9, 5), b"\x80"),
    ("count", FIVE, bit.bit_count(BIN, 20, 12), 3),
    ("left scan", FIVE, bit.bit_lscan(BIN, 24, 8, True), 5),
    ("right scan", FIVE, bit.bit_rscan(BIN, 32, 8, True), 7),
    ("scan of nothing", b"\0\0", bit.bit_rscan(BIN, 0, 16, True), -1),
    ("get an integer", b"\xff\x00", [bit.bit_get_int(BIN, 0, 8, False), bit.bit_get_int(BIN, 0, 8, True), bit.bit_get_int(BIN, 4, 12, False)], [255, -1, 0xf00]),
    ("get past the end", FIVE, bit.bit_get(BIN, 36, 8), error.OpNotApplicable),
    ("of a string", "text", bit.bit_count(BIN, 0, 8), error.BinIncompatibleType),
    ("of a missing bin", None, bit.bit_count(BIN, 0, 8), None),
    ("in one command", FIVE, [bit.bit_set(BIN, 0, 8, 1, bytearray(b"\xff")), bit.bit_get(BIN, 0, 8), bit.bit_remove(BIN, 0, 1), operations.read(BIN)],
     [None, b"\xff", None, FIVE[1:]], FIVE[1:]),
])


def answers(client, name, *ops):
    return [value for _, value in client.operate_ordered(key(name), list(ops))[2]]


@check
def sketches_count(client):
    _, _, count, bits = answers(client, "hll", hll.hll_init(BIN, 12), hll.hll_add(BIN, [f"v{i}" for i in range(1000)]), hll.hll_get_count(BIN), hll.hll_describe(BIN))
    assert 960 < count < 1040, count
    equal(bits, [12, 0])
    equal(answers(client, "hll", hll.hll_add(BIN, ["v1", "v2"]), hll.hll_refresh_count(BIN)), [0, count])


@check
def sketches_are_made_by_add(client):
    equal(answers(client, "made", hll.hll_add(BIN, ["a", 1, 2.5, b"\x01"], 10, 20), hll.hll_describe(BIN), hll.hll_get_count(BIN)), [4, [10, 20], 4])


@check
def sketches_unite(client):
    answers(client, "one", hll.hll_add("x", list(range(100)), 8, 20), hll.hll_add("y", list(range(50, 150)), 8, 20))
    bins = client.get(key("one"))[2]
    assert isinstance(bins["y"], HyperLogLog), type(bins["y"])
    union, count, common, alike = answers(client, "one", hll.hll_get_union("x", [bins["y"]]), hll.hll_get_union_count("x", [bins["y"]]),
                                          hll.hll_get_intersect_count("x", [bins["y"]]), hll.hll_get_similarity("x", [bins["y"]]))
    assert 120 < count < 180 and 25 < common < 75 and 0.15 < alike < 0.55, (count, common, alike)
    client.put(key("copy"), {BIN: union})
    equal(answers(client, "copy", hll.hll_get_count(BIN), hll.hll_describe(BIN)), [count, [8, 20]])
    equal(answers(client, "one", hll.hll_set_union("x", [bins["y"]]), hll.hll_get_count("x")), [None, count])


@check
def sketches_fold(client):
    equal(answers(client, "fold", hll.hll_add(BIN, list(range(50)), 12), hll.hll_fold(BIN, 8), hll.hll_describe(BIN))[1:], [None, [8, 0]])
    refused(error.OpNotApplicable, lambda: answers(client, "fold", hll.hll_fold(BIN, 10)))
    refused(error.InvalidRequest, lambda: answers(client, "fold", hll.hll_fold(BIN, 3)))


@check
def flags_of_sketches(client):
    policy = {"flags": aerospike.HLL_WRITE_CREATE_ONLY}
    answers(client, "flags", hll.hll_init(BIN, 8, policy=policy))
    refused(error.BinExistsError, lambda: answers(client, "flags", hll.hll_init(BIN, 8, policy=policy)))
    equal(answers(client, "flags", hll.hll_add(BIN, [1], 8, policy={"flags": aerospike.HLL_WRITE_CREATE_ONLY | aerospike.HLL_WRITE_NO_FAIL})), [None])
    refused(error.BinNotFound, lambda: answers(client, "flags", hll.hll_init("none", 8, policy={"flags": aerospike.HLL_WRITE_UPDATE_ONLY})))
    refused(error.BinNotFound, lambda: answers(client, "flags", hll.hll_refresh_count("none")))
    refused(error.OpNotApplicable, lambda: answers(client, "flags", hll.hll_add("none", [1])))
    equal(answers(client, "flags", hll.hll_get_count("none")), [None])


@check
def sketches_of_other_sizes_unite_only_by_folding(client):
    answers(client, "wide", hll.hll_add(BIN, [1, 2], 12), hll.hll_add("small", [1, 3], 8))
    bins = client.get(key("wide"))[2]
    refused(error.OpNotApplicable, lambda: answers(client, "wide", hll.hll_set_union(BIN, [bins["small"]])))
    equal(answers(client, "wide", hll.hll_set_union(BIN, [bins["small"]], {"flags": aerospike.HLL_WRITE_ALLOW_FOLD}), hll.hll_describe(BIN), hll.hll_get_count(BIN)),
          [None, [8, 0], 3])


@check
def a_blob_is_no_sketch(client):
    client.put(key("blob"), {BIN: b"\0\4\0"})
    refused(error.BinIncompatibleType, lambda: answers(client, "blob", hll.hll_get_count(BIN)))


main()
