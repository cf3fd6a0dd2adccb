"""What the programs here share: a connected client, checks that report one by one, tables of operations."""

import sys
import uuid
import warnings
from typing import NamedTuple

import aerospike

warnings.simplefilter("ignore", DeprecationWarning)  # what newer clients deprecate is what applications use

HOST, PORT = sys.argv[1], int(sys.argv[2])
SET = "py" + uuid.uuid4().hex[:8]
BIN = "b"  # the bin that the tables' operations work on
CHECKS = []


def check(function):
    """Registers a check: a function of the client, named for what it shows."""
    CHECKS.append((function.__name__, function))
    return function


def key(name):
    return ("test", SET, name)


def refused(kind, call):
    """Passes when `call` raises `kind`, an error or its code; another error or none fails."""
    try:
        call()
    except aerospike.exception.AerospikeError as reason:
        assert reason.code == kind if isinstance(kind, int) else isinstance(reason, kind), repr(reason)
        return
    raise AssertionError(f"no {kind}")


def equal(got, want):
    """Equal in value and, deep down, in type: 1 is not True here, nor 1.0."""
    assert described(got) == described(want), f"got {got!r}, want {want!r}"


def described(value):
    if isinstance(value, (bytes, bytearray)):
        return "bytes", bytes(value)
    if isinstance(value, (list, tuple)):
        return "list", [described(each) for each in value]
    if isinstance(value, dict):
        return "map", sorted((repr(described(k)), described(v)) for k, v in value.items())
    if isinstance(value, aerospike.GeoJSON):
        return "geo", value.geo_data
    return type(value).__name__, value


class Row(NamedTuple):
    """One row of a table: the bin before (None: no such bin), what is done to it, what is answered, the bin after."""

    name: str
    before: object
    ops: object  # one operation, or a list of them
    want: object  # its answer, the list of their answers, or the error that is raised
    after: object = "as before"


def table(theme, rows):
    """Registers a check for each row."""
    for number, row in enumerate(rows):
        CHECKS.append((f"{theme}: {row[0]}", lambda client, row=Row(*row), n=number: apply_row(client, key(f"{theme}{n}"), row)))


def apply_row(client, record, row):
    # The second bin keeps the record in being when the first is not there, and shows that no other bin is touched.
    client.put(record, {"other": 1} if row.before is None else {BIN: row.before, "other": 1})
    ops = row.ops if isinstance(row.ops, list) else [row.ops]
    if isinstance(row.want, type) and issubclass(row.want, Exception):
        refused(row.want, lambda: client.operate_ordered(record, ops))
    else:
        got = [value for _, value in client.operate_ordered(record, ops)[2]]
        equal(got, row.want if isinstance(row.ops, list) else [row.want] if got or row.want is not None else [])
    bins = client.get(record)[2]
    equal(bins.get(BIN), row.before if isinstance(row.after, str) and row.after == "as before" else row.after)
    equal(bins["other"], 1)


def main():
    # Time enough for a server that has only just started, on a machine with much else to do.
    patient = {each: {"socket_timeout": 20_000, "total_timeout": 20_000} for each in ("read", "write", "operate", "remove", "batch", "batch_parent_write")}
    client = aerospike.client({"hosts": [(HOST, PORT)], "policies": patient}).connect()
    print("ok connect")
    failed = 0
    for name, function in CHECKS:
        try:
            function(client)
            print(f"ok {name}")
        except Exception as reason:  # one check that fails must not hide the others
            failed += 1
            print(f"FAIL {name}: {reason!r}")
    client.close()
    sys.exit(1 if failed else 0)
