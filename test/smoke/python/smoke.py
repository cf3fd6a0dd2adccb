"""Smoke test with the official Python client. Usage: smoke.py HOST PORT (see ../README.md)."""

import time

import aerospike
from aerospike import exception as error
from aerospike_helpers.batch import records as batch
from aerospike_helpers.operations import operations

from harness import SET, check, equal, key, main, refused


@check
def reads_what_was_written(client):
    bins = {
        "int": -7,
        "float": 2.5,
        "text": "héllo",
        "bytes": b"\x00\x01\xff",
        "yes": True,
        "list": [1, "two", [3.5, None]],
        "map": {"a": 1, "b": {"c": [True]}},
    }
    client.put(key("all"), bins)
    _, meta, got = client.get(key("all"))
    equal(got, bins)
    equal(meta["gen"], 1)


@check
def integer_and_blob_keys(client):
    for each in (42, -1, bytearray(b"\x01\x02")):
        client.put(("test", SET, each), {"k": 1})
        equal(client.get(("test", SET, each))[2], {"k": 1})


@check
def selects_bins(client):
    client.put(key("select"), {"a": 1, "b": 2, "c": 3})
    equal(client.select(key("select"), ["a", "c", "none"])[2], {"a": 1, "c": 3})


@check
def merges_and_removes_bins(client):
    client.put(key("merge"), {"a": 1, "b": 2})
    client.put(key("merge"), {"c": 3})
    client.remove_bin(key("merge"), ["a"])
    _, meta, got = client.get(key("merge"))
    equal(got, {"b": 2, "c": 3})
    equal(meta["gen"], 3)


@check
def replaces(client):
    client.put(key("replace"), {"a": 1})
    client.put(key("replace"), {"b": 2}, policy={"exists": aerospike.POLICY_EXISTS_CREATE_OR_REPLACE})
    equal(client.get(key("replace"))[2], {"b": 2})


@check
def missing_record_is_not_found(client):
    refused(error.RecordNotFound, lambda: client.get(key("missing")))
    refused(error.RecordNotFound, lambda: client.remove(key("missing")))
    refused(error.RecordNotFound, lambda: client.touch(key("missing")))
    equal(client.exists(key("missing"))[1], None)


@check
def wrong_generation_is_refused(client):
    client.put(key("gen"), {"a": 1})
    policy = {"gen": aerospike.POLICY_GEN_EQ}
    client.put(key("gen"), {"a": 2}, meta={"gen": 1}, policy=policy)
    refused(error.RecordGenerationError, lambda: client.put(key("gen"), {"a": 3}, meta={"gen": 1}, policy=policy))
    equal(client.get(key("gen"))[2], {"a": 2})


@check
def create_only_refuses_an_existing_record(client):
    policy = {"exists": aerospike.POLICY_EXISTS_CREATE}
    client.put(key("create"), {"a": 1}, policy=policy)
    refused(error.RecordExistsError, lambda: client.put(key("create"), {"a": 2}, policy=policy))


@check
def update_only_refuses_a_missing_record(client):
    policy = {"exists": aerospike.POLICY_EXISTS_UPDATE}
    refused(error.RecordNotFound, lambda: client.put(key("update"), {"a": 1}, policy=policy))


@check
def too_big_a_record_is_refused(client):
    refused(error.RecordTooBig, lambda: client.put(key("big"), {"a": b"x" * (1 << 20) * 2}))
    equal(client.exists(key("big"))[1], None)


@check
def operates_in_order(client):
    client.put(key("operate"), {"n": 5, "s": "b"})
    ops = [
        operations.increment("n", 3),
        operations.append("s", "c"),
        operations.prepend("s", "a"),
        operations.read("n"),
        operations.read("s"),
    ]
    _, meta, got = client.operate(key("operate"), ops)
    equal(got, {"n": 8, "s": "abc"})
    equal(meta["gen"], 2)


@check
def increments_of_text_are_refused(client):
    client.put(key("type"), {"s": "text"})
    refused(error.BinIncompatibleType, lambda: client.increment(key("type"), "s", 1))


@check
def records_expire(client):
    client.put(key("ttl"), {"a": 1}, meta={"ttl": 1000})
    ttl = client.get(key("ttl"))[1]["ttl"]
    assert 990 <= ttl <= 1000, f"ttl {ttl}"
    client.touch(key("ttl"), 2000)
    assert client.get(key("ttl"))[1]["ttl"] > 1000
    client.put(key("short"), {"a": 1}, meta={"ttl": 1})
    time.sleep(2.1)
    refused(error.RecordNotFound, lambda: client.get(key("short")))


@check
def reads_batches(client):
    for i in range(50):
        client.put(key(f"batch{i}"), {"i": i, "square": i * i})
    keys = [key(f"batch{i}") for i in range(55)]
    got = client.batch_read(keys)
    equal([r.record[2] if r.result == 0 else r.result for r in got.batch_records],
          [{"i": i, "square": i * i} if i < 50 else 2 for i in range(55)])
    some = client.batch_read(keys[:3], ["square"])
    equal([r.record[2] for r in some.batch_records], [{"square": i * i} for i in range(3)])
    heads = client.batch_read(keys[49:51], [])
    equal([r.result for r in heads.batch_records], [0, 2])


@check
def writes_batches(client):
    client.put(key("mixed0"), {"n": 1})
    rows = batch.BatchRecords([
        batch.Write(key("mixed0"), [operations.increment("n", 1), operations.read("n")]),
        batch.Write(key("mixed1"), [operations.write("n", 10)]),
        batch.Read(key("mixed0"), ops=None, read_all_bins=True),
        batch.Remove(key("missing")),
    ])
    client.batch_write(rows)
    equal([r.result for r in rows.batch_records], [0, 0, 0, 2])
    equal(rows.batch_records[0].record[2], {"n": 2})
    equal(client.get(key("mixed1"))[2], {"n": 10})
    removed = client.batch_remove([key("mixed0"), key("mixed1")])
    equal([r.result for r in removed.batch_records], [0, 0])
    equal(client.exists(key("mixed1"))[1], None)


@check
def deletes(client):
    client.put(key("delete"), {"a": 1})
    client.remove(key("delete"))
    refused(error.RecordNotFound, lambda: client.get(key("delete")))
    client.put(key("delete"), {"a": 2})
    equal(client.get(key("delete"))[1]["gen"], 1)


@check
def info_answers(client):
    answers = client.info_all("build")
    assert all(err is None and "8.1.2" in text for err, text in answers.values()), answers


main()
