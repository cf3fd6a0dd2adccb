"""Policies of single-record and batch commands with the official Python client. Usage: commands.py HOST PORT."""

import time

import aerospike
from aerospike import exception as error
from aerospike_helpers.batch import records as batch
from aerospike_helpers.operations import bitwise_operations as bit
from aerospike_helpers.operations import list_operations as lst
from aerospike_helpers.operations import map_operations as maps
from aerospike_helpers.operations import operations

from harness import BIN, HOST, PORT, SET, check, equal, key, main, refused

NEVER, KEEP, DEFAULT = aerospike.TTL_NEVER_EXPIRE, aerospike.TTL_DONT_UPDATE, aerospike.TTL_NAMESPACE_DEFAULT
CREATE, REPLACE, REPLACE_ONLY = aerospike.POLICY_EXISTS_CREATE, aerospike.POLICY_EXISTS_CREATE_OR_REPLACE, aerospike.POLICY_EXISTS_REPLACE
UPDATE_ONLY = aerospike.POLICY_EXISTS_UPDATE


def ttl_of(client, name):
    return client.get(key(name))[1]["ttl"]


@check
def ttls_of_writes(client):
    client.put(key("ttl"), {BIN: 1}, policy={"ttl": 1000})
    assert 990 <= ttl_of(client, "ttl") <= 1000
    client.put(key("ttl"), {BIN: 2}, policy={"ttl": KEEP})
    assert 980 <= ttl_of(client, "ttl") <= 1000
    client.put(key("ttl"), {BIN: 2}, policy={"ttl": NEVER})
    equal(ttl_of(client, "ttl"), NEVER)
    client.operate(key("ttl"), [operations.increment(BIN, 1)], policy={"ttl": 500})
    assert 490 <= ttl_of(client, "ttl") <= 500
    client.operate(key("ttl"), [operations.touch()], policy={"ttl": 700})
    assert 690 <= ttl_of(client, "ttl") <= 700
    client.touch(key("ttl"), 900)
    assert 890 <= ttl_of(client, "ttl") <= 900
    client.put(key("ttl"), {BIN: 2}, policy={"ttl": DEFAULT})
    equal(ttl_of(client, "ttl"), NEVER)
    client.put(key("keep"), {BIN: 2}, policy={"ttl": KEEP})
    equal(ttl_of(client, "keep"), NEVER)
    refused(error.InvalidRequest, lambda: client.put(key("ttl"), {BIN: 1}, policy={"ttl": 11 * 365 * 86400}))


@check
def ttls_of_batches(client):
    keys = [key(f"bt{i}") for i in range(4)]
    client.batch_operate(keys[:2], [operations.write(BIN, 1)], policy_batch_write={"ttl": 1000})
    client.batch_write(batch.BatchRecords([
        batch.Write(keys[1], [operations.write(BIN, 2)], policy={"ttl": KEEP}),
        batch.Write(keys[2], [operations.write(BIN, 2)], policy={"ttl": NEVER}),
        batch.Write(keys[3], [operations.write(BIN, 2)], meta={"ttl": 500}),
    ]))
    ttls = [ttl_of(client, f"bt{i}") for i in range(4)]
    assert all(low <= ttl <= high for ttl, (low, high) in zip(ttls, [(990, 1000), (990, 1000), (NEVER, NEVER), (490, 500)])), ttls


@check
def reads_touch(client):
    client.put(key("touched"), {BIN: 1}, policy={"ttl": 3})
    time.sleep(1.1)
    for _ in range(3):
        client.get(key("touched"), {"read_touch_ttl_percent": 80})
        time.sleep(1)
    equal(client.get(key("touched"), {"read_touch_ttl_percent": -1})[2], {BIN: 1})
    client.batch_read([key("touched")], policy={"read_touch_ttl_percent": 80})
    refused(error.InvalidRequest, lambda: client.get(key("touched"), {"read_touch_ttl_percent": 101}))


@check
def generations(client):
    client.put(key("gen"), {BIN: 1})
    same, greater = {"gen": aerospike.POLICY_GEN_EQ}, {"gen": aerospike.POLICY_GEN_GT}
    client.operate(key("gen"), [operations.increment(BIN, 1)], {"gen": 1}, same)
    refused(error.RecordGenerationError, lambda: client.operate(key("gen"), [operations.increment(BIN, 1)], {"gen": 1}, same))
    refused(error.RecordGenerationError, lambda: client.touch(key("gen"), 0, {"gen": 1}, same))
    refused(error.RecordGenerationError, lambda: client.remove(key("gen"), {"gen": 1}, same))
    refused(error.RecordGenerationError, lambda: client.put(key("gen"), {BIN: 1}, {"gen": 2}, greater))
    client.put(key("gen"), {BIN: 1}, {"gen": 9}, greater)
    equal(client.get(key("gen"))[1]["gen"], 3)
    refused(error.RecordGenerationError, lambda: client.put(key("none"), {BIN: 1}, {"gen": 1}, same))
    rows = client.batch_operate([key("gen")], [operations.write(BIN, 1)], policy_batch_write={"gen": aerospike.POLICY_GEN_EQ})
    assert rows.batch_records[0].result in (0, 3)
    client.remove(key("gen"), {"gen": client.get(key("gen"))[1]["gen"]}, same)


@check
def exists_actions(client):
    refused(error.RecordNotFound, lambda: client.put(key("exists"), {BIN: 1}, policy={"exists": UPDATE_ONLY}))
    refused(error.RecordNotFound, lambda: client.put(key("exists"), {BIN: 1}, policy={"exists": REPLACE_ONLY}))
    client.put(key("exists"), {BIN: 1}, policy={"exists": CREATE})
    refused(error.RecordExistsError, lambda: client.put(key("exists"), {BIN: 1}, policy={"exists": CREATE}))
    client.put(key("exists"), {"c": 1}, policy={"exists": UPDATE_ONLY})
    equal(client.get(key("exists"))[2], {BIN: 1, "c": 1})
    client.put(key("exists"), {"d": 1}, policy={"exists": REPLACE_ONLY})
    equal(client.get(key("exists"))[2], {"d": 1})
    client.operate(key("exists"), [operations.write("e", 1)], policy={"exists": REPLACE})
    equal(client.get(key("exists"))[2], {"e": 1})
    refused(error.InvalidRequest, lambda: client.operate(key("exists"), [operations.increment("e", 1)], policy={"exists": REPLACE}))
    refused(error.InvalidRequest, lambda: client.operate(key("exists"), [lst.list_append("l", 1)], policy={"exists": REPLACE}))


@check
def operations_in_one_command(client):
    client.put(key("ops"), {"i": 1, "s": "a", "l": [1]})
    got = client.operate_ordered(key("ops"), [
        operations.read("i"), operations.increment("i", 1), operations.read("i"), operations.write("i", "x"), operations.read("i"),
        lst.list_append("l", 2), lst.list_size("l"), lst.list_get("l", 0), operations.read("l"), operations.read("none"), operations.touch(),
        operations.append("s", "b"), operations.read("s"),
    ])[2]
    equal(got, [("i", 1), ("i", 2), ("i", "x"), ("l", 2), ("l", 2), ("l", 1), ("l", [1, 2]), ("s", "ab")])
    equal(client.get(key("ops"))[1]["gen"], 2)


@check
def operations_all_answer_with_map_operations(client):
    client.put(key("all"), {"i": 1})
    got = client.operate_ordered(key("all"), [
        operations.write("w", 1), operations.increment("i", 1), operations.read("i"), operations.read("none"), maps.map_put("m", "k", 1),
        lst.list_append("l", 1), bit.bit_resize("y", 2),
    ])[2]
    equal(got, [("w", None), ("i", None), ("i", 2), ("none", None), ("m", 1), ("l", 1), ("y", None)])


@check
def an_operation_deletes_the_record(client):
    client.put(key("del"), {"a": 1, "b": 2})
    got = client.operate(key("del"), [operations.read("a"), operations.delete()])
    equal(got[2], {"a": 1})
    equal(client.exists(key("del"))[1], None)
    client.put(key("del"), {"a": 1, "b": 2})
    client.operate(key("del"), [operations.delete(), operations.write("c", 3)])
    equal(client.get(key("del"))[2], {"c": 3})
    refused(error.RecordNotFound, lambda: client.operate(key("gone"), [operations.read("a")]))
    refused(error.RecordNotFound, lambda: client.operate(key("gone"), [operations.delete()]))


@check
def durable_deletes(client):
    client.put(key("durable"), {"a": 1})
    client.remove(key("durable"), policy={"durable_delete": True})
    equal(client.exists(key("durable"))[1], None)
    client.put(key("durable"), {"a": 1})
    client.operate(key("durable"), [operations.write("a", None)], policy={"durable_delete": True})
    equal(client.exists(key("durable"))[1], None)


@check
def keys_are_stored_when_sent(client):
    send = {"key": aerospike.POLICY_KEY_SEND}
    client.put(key("sent"), {"a": 1}, policy=send)
    equal(client.get(key("sent"), send)[2], {"a": 1})
    client.operate(key("sent"), [operations.write("a", 2)], policy=send)
    client.batch_operate([key("sent")], [operations.write("a", 3)], policy_batch_write=send)
    client.batch_remove([key("sent")], policy_batch_remove=send)


@check
def large_batches(client):
    keys = [key(f"large{i}") for i in range(5000)]
    written = client.batch_operate(keys, [operations.write("a", 1), lst.list_append_items("l", list(range(20)))])
    equal({row.result for row in written.batch_records}, {0})
    read = client.batch_read(keys + [key("none")])
    equal([row.result for row in read.batch_records], [0] * 5000 + [2])
    equal(read.batch_records[4999].record[2], {"a": 1, "l": list(range(20))})
    equal({row.record[2]["a"] for row in client.batch_read(keys, ["a"]).batch_records}, {1})
    equal({row.result for row in client.batch_remove(keys).batch_records}, {0})


@check
def batches_of_every_row(client):
    for i in range(6):
        client.put(key(f"row{i}"), {"i": i, "l": [i], "m": {"k": i}})
    rows = batch.BatchRecords([
        batch.Read(key("row0"), None, True),
        batch.Read(key("row1"), [operations.read("i"), lst.list_size("l"), maps.map_get_by_key("m", "k", aerospike.MAP_RETURN_VALUE)]),
        batch.Write(key("row2"), [operations.write("n", 1), maps.map_put("m", "z", 2), lst.list_append("l", 9), operations.read("i")]),
        batch.Write(key("new"), [operations.write("n", 1)], policy={"exists": CREATE}),
        batch.Write(key("row3"), [operations.write("n", 1)], policy={"exists": CREATE}),
        batch.Write(key("row3"), [operations.write("n", 1)], meta={"gen": 7}, policy={"gen": aerospike.POLICY_GEN_EQ}),
        batch.Remove(key("row4"), policy={"generation": 7, "gen": aerospike.POLICY_GEN_EQ}),
        batch.Remove(key("row5"), policy={"key": aerospike.POLICY_KEY_SEND}),
        batch.Write(key("row0"), [lst.list_append("i", 1)]),
    ])
    client.batch_write(rows)
    equal([row.result for row in rows.batch_records], [0, 0, 0, 0, 5, 3, 3, 0, 12])
    equal(rows.batch_records[0].record[2], {"i": 0, "l": [0], "m": {"k": 0}})
    equal(rows.batch_records[1].record[2], {"i": 1, "l": 1, "m": 1})
    equal(rows.batch_records[2].record[2], {"n": None, "m": 2, "l": 2, "i": 2})


@check
def batches_that_stop_at_an_error(client):
    client.put(key("stop"), {"i": 1})
    rows = batch.BatchRecords([batch.Write(key("stop"), [lst.list_append("i", 1)]), batch.Read(key("none"), None, True)])
    try:
        client.batch_write(rows, {"respond_all_keys": False})
    except error.AerospikeError:
        pass
    equal(rows.batch_records[0].result, 12)


@check
def an_unknown_namespace_is_refused(client):
    refused(error.AerospikeError, lambda: client.put(("nowhere", SET, 1), {"a": 1}))


@check
def truncate_takes_a_set_away(client):
    record = ("test", SET + "t", 1)
    client.put(record, {"a": 1})
    client.truncate("test", SET + "t", 0)
    end = time.time() + 5
    while client.exists(record)[1] is not None and time.time() < end:
        time.sleep(0.05)
    equal(client.exists(record)[1], None)


POLICIES = {
    "compression": {"policies": {"read": {}, "write": {"compress": True, "compression_threshold": 0}, "operate": {"compress": True}, "batch": {"compress": True}}},
    "replica": {"policies": {each: {"replica": aerospike.POLICY_REPLICA_PREFER_RACK} for each in ("read", "write", "operate", "batch")}, "rack_aware": True, "rack_id": 1},
    "consistency": {"policies": {"read": {"read_mode_sc": aerospike.POLICY_READ_MODE_SC_LINEARIZE, "read_mode_ap": aerospike.POLICY_READ_MODE_AP_ALL},
                                 "write": {"commit_level": aerospike.POLICY_COMMIT_LEVEL_MASTER}}},
    "retries": {"policies": {each: {"max_retries": 5, "sleep_between_retries": 1, "socket_timeout": 200, "total_timeout": 2000} for each in ("read", "write", "operate", "batch")}},
    "shared memory": {"use_shared_memory": True, "shm": {"shm_max_nodes": 2, "shm_max_namespaces": 2}},
    "alternate services": {"use_services_alternate": True},
}


def commands_work_with(name, config):
    def run(_):
        other = aerospike.client({"hosts": [(HOST, PORT)], **config}).connect()
        text = "x" * 5000
        other.put(key("policy"), {"s": text, "l": [1]})
        equal(other.get(key("policy"))[2], {"s": text, "l": [1]})
        equal(other.operate(key("policy"), [lst.list_append("l", 2), operations.read("s")])[2], {"l": 2, "s": text})
        equal(other.batch_read([key("policy")] * 3).batch_records[2].record[2], {"s": text, "l": [1, 2]})
        other.remove(key("policy"))
        other.close()

    run.__name__ = f"commands with policies of {name}"
    return check(run)


for each in POLICIES.items():
    commands_work_with(*each)


@check
def info_of_the_cluster(client):
    equal(len(client.get_nodes()), 1)
    assert client.is_connected()
    for command in ("build", "version", "edition", "namespaces", "features", "statistics", "sets", "namespace/test", "partition-generation", "cluster-name"):
        answer = client.info_random_node(command)
        assert answer.startswith(command), answer
    assert 0 <= client.get_key_partition_id(*key("x")) < 4096


main()
