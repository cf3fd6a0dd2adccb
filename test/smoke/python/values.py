"""Values of every type, as the official Python client writes and reads them. Usage: values.py HOST PORT."""

import functools
import math

import aerospike
from aerospike import KeyOrderedDict
from aerospike import exception as error
from aerospike_helpers import HyperLogLog
from aerospike_helpers.operations import hll_operations as hll
from aerospike_helpers.operations import list_operations as lst
from aerospike_helpers.operations import operations

from harness import BIN, HOST, PORT, check, equal, key, main, refused

POINT = {"type": "Point", "coordinates": [-122.096449, 37.421868]}
CIRCLE = {"type": "AeroCircle", "coordinates": [[-122.25, 37.5], 3000.0]}
POLYGON = {"type": "Polygon", "coordinates": [[[-122.5, 37.0], [-121.0, 37.0], [-121.0, 38.08], [-122.5, 38.08], [-122.5, 37.0]]]}

VALUES = {
    "zero": 0,
    "largest integer": 2**63 - 1,
    "smallest integer": -(2**63),
    "double": 3.141592653589793,
    "negative zero": -0.0,
    "infinity": math.inf,
    "smallest double": 5e-324,
    "empty string": "",
    "text": "naïve ☕ \U0001f600 end",
    "long text": "x" * 100_000,
    "bytes": bytes(range(256)),
    "bytearray": bytearray(b"\x00\xff"),
    "empty bytes": b"",
    "true": True,
    "false": False,
    "empty list": [],
    "empty map": {},
    "list": [1, -1, 2**40, "s", 2.5, None, True, False, b"\x01\x02", [1, [2, [3]]], {"k": [1]}],
    "map": {"s": "x", 1: 2, -1: 3, b"\x01": b"\x02", "none": None, "yes": True, "d": 1.5, "l": [1, {"m": {}}]},
    "ordered map": KeyOrderedDict({"b": 1, "a": {"z": 1}}),
    "integers of every width": [n + d for n in (0, 2**7, 2**8, 2**15, 2**16, 2**31, 2**32, 2**63 - 2) for d in (-1, 0, 1)],
    "negative integers of every width": [-n + d for n in (1, 2**5, 2**7, 2**8, 2**15, 2**16, 2**31, 2**32) for d in (-1, 0)],
    "strings of every length of header": ["x" * n for n in (0, 1, 30, 31, 32, 254, 255, 256, 65534, 65535, 65536)],
    "bytes of every length of header": [b"x" * n for n in (0, 1, 30, 31, 32, 254, 255, 256, 65534, 65535, 65536)],
    "list of 15, 16, 65536 elements": [[0] * 15, [0] * 16, [0] * 65536],
    "map of 15, 16, 65536 entries": [{i: i for i in range(n)} for n in (15, 16, 65536)],
    "deep list": functools.reduce(lambda inner, _: [inner], range(30), 1),
    "point": aerospike.GeoJSON(POINT),
    "circle": aerospike.GeoJSON(CIRCLE),
    "polygon": aerospike.GeoJSON(POLYGON),
    "points in a list": [aerospike.GeoJSON(POINT), {"home": aerospike.GeoJSON(POLYGON)}],
}


def comes_back(name, value):
    def run(client):
        client.put(key(name), {BIN: value})
        equal(client.get(key(name))[2], {BIN: value})
        # and inside a list, and as what one operation writes and the next one reads
        client.put(key(name), {BIN: [value]})
        equal(client.get(key(name))[2], {BIN: [value]})
        equal(client.operate(key(name), [operations.write(BIN, value), operations.read(BIN)])[2], {BIN: value})

    run.__name__ = f"values: {name}"
    return check(run)


for each in VALUES.items():
    comes_back(*each)


@check
def not_a_number_comes_back(client):
    client.put(key("nan"), {BIN: math.nan})
    assert math.isnan(client.get(key("nan"))[2][BIN])


@check
def none_removes_a_bin(client):
    client.put(key("none"), {"a": 1, "b": 2})
    client.put(key("none"), {"a": None})
    equal(client.get(key("none"))[2], {"b": 2})
    client.put(key("none"), {"b": aerospike.null()})
    equal(client.exists(key("none"))[1], None)


@check
def bad_geojson_is_refused(client):
    for bad in ({"type": "Point", "coordinates": [200, 0]}, {"type": "Dot"}, {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}):
        refused(160, lambda: client.put(key("geo"), {BIN: aerospike.GeoJSON(bad)}))


@check
def serialized_objects_come_back(client):
    aerospike.set_serializer(lambda value: "/".join(value))
    aerospike.set_deserializer(lambda value: set(value.split("/")))
    try:
        client.put(key("user"), {BIN: {"a", "b"}}, serializer=aerospike.SERIALIZER_USER)
        equal(sorted(client.get(key("user"))[2][BIN]), ["a", "b"])
    finally:
        aerospike.unset_serializers()


@check
def booleans_can_be_sent_as_integers(client):
    other = aerospike.client({"hosts": [(HOST, PORT)], "send_bool_as": aerospike.INTEGER}).connect()
    other.put(key("bool"), {BIN: True, "l": [True]})
    equal(client.get(key("bool"))[2][BIN], 1)
    other.close()


@check
def sketches_come_back(client):
    client.operate(key("hll"), [hll.hll_add(BIN, ["a", "b"], 8)])
    sketch = client.get(key("hll"))[2][BIN]
    client.put(key("copy"), {BIN: sketch, "list": [sketch]})
    equal(client.get(key("copy"))[2], {BIN: sketch, "list": [sketch]})
    equal(client.operate(key("copy"), [hll.hll_get_count(BIN)])[2], {BIN: 2})
    refused(error.InvalidRequest, lambda: client.put(key("copy"), {BIN: HyperLogLog(b"\0\4\0 too short")}))


@check
def types_replace_each_other(client):
    for value in VALUES.values():
        client.put(key("replace"), {BIN: value})
        equal(client.get(key("replace"))[2], {BIN: value})


@check
def append_prepend_and_increment(client):
    client.put(key("modify"), {"s": "b", "y": b"b", "n": 1, "d": 1.5})
    client.append(key("modify"), "s", "c")
    client.prepend(key("modify"), "s", "a")
    client.increment(key("modify"), "n", -5)
    client.increment(key("modify"), "new", 5)
    client.operate(key("modify"), [operations.append("y", b"c"), operations.prepend("y", b"a"), operations.increment("d", 0.25), operations.append("t", "new")])
    equal(client.get(key("modify"))[2], {"s": "abc", "y": b"abc", "n": -4, "d": 1.75, "new": 5, "t": "new"})
    for ops in ([operations.append("n", "x")], [operations.append("s", b"x")], [operations.increment("s", 1)], [operations.increment("n", 1.5)],
                [operations.increment("d", 1)], [operations.prepend("y", "x")]):
        refused(error.BinIncompatibleType, lambda: client.operate(key("modify"), ops))


@check
def integers_wrap(client):
    client.put(key("wrap"), {BIN: 2**63 - 1})
    client.increment(key("wrap"), BIN, 1)
    equal(client.get(key("wrap"))[2], {BIN: -(2**63)})


@check
def bins_in_a_record(client):
    bins = {f"bin{i}": i for i in range(1000)}
    client.put(key("many"), bins)
    equal(client.get(key("many"))[2], bins)
    client.put(key("name"), {"x" * 15: 1})
    refused(error.BinNameError, lambda: client.put(key("name"), {"x" * 16: 1}))


@check
def a_record_grows_to_its_limit(client):
    client.operate(key("grow"), [lst.list_append_items(BIN, ["x" * 1000] * 1000)])
    refused(error.RecordTooBig, lambda: client.operate(key("grow"), [lst.list_append_items(BIN, ["x" * 1000] * 100)]))
    equal(client.operate(key("grow"), [lst.list_size(BIN)])[2], {BIN: 1000})


@check
def keys_of_every_type(client):
    for user_key in (1, 2**63 - 1, -(2**63), "", "x" * 1000, "ключ", bytearray(b"\x00\x01"), bytearray(300)):
        record = (*key("")[:2], user_key)
        client.put(record, {BIN: 1}, policy={"key": aerospike.POLICY_KEY_SEND})
        equal(client.get(record, policy={"key": aerospike.POLICY_KEY_SEND})[2], {BIN: 1})
        digest = client.get(record)[0][3]
        equal(client.get((*key("")[:2], None, digest))[2], {BIN: 1})
        client.remove(record, policy={"key": aerospike.POLICY_KEY_SEND})
        equal(client.exists(record)[1], None)


@check
def records_without_a_set(client):
    record = ("test", None, key("")[1])
    client.put(record, {BIN: 1})
    equal(client.get(record)[2], {BIN: 1})
    client.remove(record)


main()
