import com.aerospike.client.AerospikeClient;
import com.aerospike.client.AerospikeException;
import com.aerospike.client.BatchDelete;
import com.aerospike.client.BatchRead;
import com.aerospike.client.BatchRecord;
import com.aerospike.client.BatchResults;
import com.aerospike.client.BatchWrite;
import com.aerospike.client.Bin;
import com.aerospike.client.Info;
import com.aerospike.client.Key;
import com.aerospike.client.Operation;
import com.aerospike.client.Record;
import com.aerospike.client.ResultCode;
import com.aerospike.client.Value;
import com.aerospike.client.cdt.ListOperation;
import com.aerospike.client.cdt.MapOperation;
import com.aerospike.client.cdt.MapPolicy;
import com.aerospike.client.cdt.MapReturnType;
import com.aerospike.client.policy.BatchDeletePolicy;
import com.aerospike.client.policy.BatchPolicy;
import com.aerospike.client.policy.BatchReadPolicy;
import com.aerospike.client.policy.BatchWritePolicy;
import com.aerospike.client.policy.ClientPolicy;
import com.aerospike.client.policy.CommitLevel;
import com.aerospike.client.policy.GenerationPolicy;
import com.aerospike.client.policy.Policy;
import com.aerospike.client.policy.ReadModeAP;
import com.aerospike.client.policy.ReadModeSC;
import com.aerospike.client.policy.RecordExistsAction;
import com.aerospike.client.policy.Replica;
import com.aerospike.client.policy.WritePolicy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Policies of single-record and batch commands with the official Java client. Usage: Commands HOST PORT. */
class Commands extends Harness {
	static WritePolicy with(Consumer<WritePolicy> change) {
		WritePolicy policy = writePolicy();
		change.accept(policy);
		return policy;
	}

	static WritePolicy ttl(int seconds) { return with(policy -> policy.expiration = seconds); }

	static WritePolicy exists(RecordExistsAction action) { return with(policy -> policy.recordExistsAction = action); }

	static WritePolicy generation(GenerationPolicy kind, int generation) {
		return with(policy -> {
			policy.generationPolicy = kind;
			policy.generation = generation;
		});
	}

	static void between(long low, long got, long high) {
		if (got < low || got > high) throw new AssertionError("got " + got + ", want " + low + " to " + high);
	}

	static BatchWritePolicy batchWrite(Consumer<BatchWritePolicy> change) {
		BatchWritePolicy policy = new BatchWritePolicy();
		change.accept(policy);
		return policy;
	}

	static Operation[] put(Object value) { return Operation.array(Operation.put(new Bin(BIN, Value.get(value)))); }

	public static void main(String[] args) {
		connect(args);
		Bin one = new Bin(BIN, 1);
		check("ttls of writes", () -> {
			Key key = key("ttl");
			client.put(ttl(1000), key, one);
			between(990, get("ttl").getTimeToLive(), 1000);
			client.put(ttl(-2), key, one);
			between(980, get("ttl").getTimeToLive(), 1000);
			client.touch(ttl(2000), key);
			between(1990, client.getHeader(null, key).getTimeToLive(), 2000);
			client.operate(ttl(500), key, Operation.touch(), Operation.get(BIN));
			between(490, get("ttl").getTimeToLive(), 500);
			client.add(ttl(-1), key, one);
			equal(get("ttl").getTimeToLive(), -1);
			equal(get("ttl").expiration, 0);
			client.put(ttl(0), key, one);
			equal(get("ttl").getTimeToLive(), -1);
			refused(ResultCode.PARAMETER_ERROR, () -> client.put(ttl(11 * 365 * 86400), key, one));
		});
		check("touched is told", () -> {
			equal(client.touched(null, key("ttl")), true);
			equal(client.touched(null, key("nothing")), false);
		});
		check("reads touch", () -> {
			client.put(ttl(3), key("touched"), one);
			Policy policy = new Policy(client.readPolicyDefault);
			policy.readTouchTtlPercent = 80;
			for (int i = 0; i < 4; i++) {
				Thread.sleep(1000);
				if (client.get(policy, key("touched")) == null) throw new AssertionError("gone");
			}
			policy.readTouchTtlPercent = 101;
			refused(ResultCode.PARAMETER_ERROR, () -> client.get(policy, key("touched")));
			policy.readTouchTtlPercent = -1;
			equal(client.exists(policy, key("touched")), true);
		});
		check("generations", () -> {
			put("gen", one);
			client.put(generation(GenerationPolicy.EXPECT_GEN_EQUAL, 1), key("gen"), one);
			int code = ResultCode.GENERATION_ERROR;
			refused(code, () -> client.put(generation(GenerationPolicy.EXPECT_GEN_EQUAL, 1), key("gen"), one));
			refused(code, () -> client.delete(generation(GenerationPolicy.EXPECT_GEN_EQUAL, 1), key("gen")));
			refused(code, () -> client.put(generation(GenerationPolicy.EXPECT_GEN_GT, 2), key("gen"), one));
			client.put(generation(GenerationPolicy.EXPECT_GEN_GT, 10), key("gen"), one);
			equal(get("gen").generation, 3);
			refused(code, () -> client.put(generation(GenerationPolicy.EXPECT_GEN_EQUAL, 1), key("nothing"), one));
		});
		check("exists actions", () -> {
			Key key = key("exists");
			for (var action : List.of(RecordExistsAction.UPDATE_ONLY, RecordExistsAction.REPLACE_ONLY))
				refused(ResultCode.KEY_NOT_FOUND_ERROR, () -> client.put(exists(action), key, one));
			client.put(exists(RecordExistsAction.CREATE_ONLY), key, one);
			refused(ResultCode.KEY_EXISTS_ERROR, () -> client.put(exists(RecordExistsAction.CREATE_ONLY), key, one));
			client.put(exists(RecordExistsAction.UPDATE_ONLY), key, new Bin("c", 1));
			equal(get("exists").bins, map(BIN, 1, "c", 1));
			client.put(exists(RecordExistsAction.REPLACE_ONLY), key, new Bin("d", 1));
			client.operate(exists(RecordExistsAction.REPLACE), key, Operation.put(new Bin("e", 1)));
			equal(get("exists").bins, map("e", 1));
			refused(ResultCode.PARAMETER_ERROR, () -> client.operate(exists(RecordExistsAction.REPLACE), key, Operation.add(new Bin("e", 1))));
			refused(ResultCode.PARAMETER_ERROR, () -> client.operate(exists(RecordExistsAction.REPLACE), key, ListOperation.append("l", Value.get(1))));
		});
		check("operations in one command", () -> {
			put("ops", new Bin("i", 1), new Bin("s", "a"), new Bin("l", list(1)));
			Record got = client.operate(null, key("ops"), Operation.get("i"), Operation.add(new Bin("i", 1)), Operation.get("i"), Operation.put(new Bin("i", "x")), Operation.get("i"),
				ListOperation.append("l", Value.get(2)), ListOperation.size("l"), Operation.get("l"), Operation.get("none"), Operation.touch(), Operation.append(new Bin("s", "b")), Operation.get("s"));
			equal(got.bins, map("i", list(1, 2, "x"), "l", list(2, 2, list(1, 2)), "s", "ab"));
			equal(got.generation, 2);
		});
		check("every operation answers when that is asked for", () -> {
			put("all", new Bin("i", 1));
			Record got = client.operate(with(policy -> policy.respondAllOps = true), key("all"), Operation.put(new Bin("w", 1)), Operation.add(new Bin("i", 1)), Operation.get("i"), Operation.get("none"), Operation.touch());
			equal(got.bins, map("w", null, "i", list(null, 2), "none", null));
		});
		check("reading all bins, reading the header", () -> {
			put("read", new Bin("a", 1), new Bin("b", 2));
			equal(client.operate(null, key("read"), Operation.add(new Bin("a", 1)), Operation.get()).bins, map("a", 2, "b", 2));
			equal(client.operate(null, key("read"), Operation.get()).bins, map("a", 2, "b", 2));
			equal(client.operate(null, key("read"), Operation.get(), Operation.get("a"), ListOperation.size("none")).bins, map("a", 2, "b", 2));
			Record header = client.operate(null, key("read"), Operation.getHeader());
			equal(header.generation, 2);
			equal(header.bins, null);
			equal(client.operate(null, key("read"), Operation.put(new Bin("a", 5)), Operation.getHeader()).generation, 3);
			equal(client.operate(null, key("read"), Operation.get("a"), Operation.get("none")).bins, map("a", 5));
		});
		check("an operation deletes the record", () -> {
			put("del", new Bin("a", 1), new Bin("b", 2));
			equal(client.operate(null, key("del"), Operation.get(), Operation.delete()).bins, map("a", 1, "b", 2));
			equal(client.exists(null, key("del")), false);
			put("del", new Bin("a", 1));
			client.operate(null, key("del"), Operation.delete(), Operation.put(new Bin("c", 3)));
			equal(get("del").bins, map("c", 3));
			refused(ResultCode.KEY_NOT_FOUND_ERROR, () -> client.operate(null, key("nothing"), Operation.delete()));
			// A command that only reads gives no record and no error.
			equal(client.operate(null, key("nothing"), Operation.get()), null);
		});
		check("durable deletes", () -> {
			put("durable", one);
			equal(client.delete(with(policy -> policy.durableDelete = true), key("durable")), true);
			equal(client.exists(null, key("durable")), false);
			put("durable", one);
			client.put(with(policy -> policy.durableDelete = true), key("durable"), Bin.asNull(BIN));
			equal(client.exists(null, key("durable")), false);
		});
		check("batch reads of every kind", () -> {
			for (int i = 0; i < 6; i++) put("row" + i, new Bin("i", i), new Bin("l", list(i, i)), new Bin("m", map("k", i)));
			BatchReadPolicy touching = new BatchReadPolicy();
			touching.readTouchTtlPercent = 50;
			touching.readModeAP = ReadModeAP.ALL;
			List<BatchRead> rows = List.of(new BatchRead(key("row0"), true), new BatchRead(key("row1"), new String[] {"i", "none"}), new BatchRead(key("row2"), false),
				new BatchRead(key("row3"), Operation.array(ListOperation.size("l"), MapOperation.getByKey("m", Value.get("k"), MapReturnType.VALUE), Operation.get("i"))),
				new BatchRead(touching, key("row4"), true), new BatchRead(key("nothing"), true));
			client.get(null, rows);
			equal(rows.stream().map(row -> row.resultCode).toList(), list(0, 0, 0, 0, 0, ResultCode.KEY_NOT_FOUND_ERROR));
			equal(rows.get(0).record.bins, map("i", 0, "l", list(0, 0), "m", map("k", 0)));
			equal(rows.get(1).record.bins, map("i", 1));
			equal(rows.get(2).record.bins, null);
			equal(rows.get(3).record.bins, map("l", 2, "m", 3, "i", 3));
			Key[] keys = {key("row0"), key("row1"), key("nothing")};
			Record[] got = client.get(null, keys, ListOperation.get("l", 0), Operation.get("i"));
			equal(got[1].bins, map("l", 1, "i", 1));
			equal(got[2], null);
			equal(client.getHeader(null, keys)[1].generation, 1);
			equal(client.get(null, keys, "m")[0].bins, map("m", map("k", 0)));
		});
		check("batch writes of every kind", () -> {
			List<BatchRecord> rows = List.of(
				new BatchWrite(key("row0"), Operation.array(Operation.put(new Bin("n", 1)), ListOperation.append("l", Value.get(9)), MapOperation.put(MapPolicy.Default, "m", Value.get("z"), Value.get(1)), Operation.get("i"))),
				new BatchWrite(batchWrite(policy -> policy.recordExistsAction = RecordExistsAction.CREATE_ONLY), key("row1"), put(1)),
				new BatchWrite(batchWrite(policy -> policy.recordExistsAction = RecordExistsAction.UPDATE_ONLY), key("nothing"), put(1)),
				new BatchWrite(batchWrite(policy -> policy.recordExistsAction = RecordExistsAction.REPLACE), key("row2"), put(1)),
				new BatchWrite(batchWrite(policy -> {
					policy.generationPolicy = GenerationPolicy.EXPECT_GEN_EQUAL;
					policy.generation = 7;
				}), key("row3"), put(1)),
				new BatchWrite(batchWrite(policy -> {
					policy.expiration = 500;
					policy.sendKey = true;
					policy.durableDelete = true;
					policy.commitLevel = CommitLevel.COMMIT_MASTER;
				}), key("row3"), put(1)),
				new BatchWrite(key("row4"), Operation.array(ListOperation.append("i", Value.get(1)))),
				new BatchWrite(key("row4"), Operation.array(Operation.put(new Bin("x".repeat(16), 1)))),
				new BatchDelete(key("row5")), new BatchDelete(key("nothing")), new BatchRead(key("row1"), true));
			equal(client.operate(null, rows), false);
			equal(rows.stream().map(row -> row.resultCode).toList(), list(0, ResultCode.KEY_EXISTS_ERROR, ResultCode.KEY_NOT_FOUND_ERROR, 0, ResultCode.GENERATION_ERROR, 0, ResultCode.BIN_TYPE_ERROR,
				ResultCode.BIN_NAME_TOO_LONG, 0, ResultCode.KEY_NOT_FOUND_ERROR, 0));
			equal(rows.get(0).record.bins, map("n", null, "l", 3, "m", 2, "i", 0));
			equal(get("row2").bins, map(BIN, 1));
			between(490, get("row3").getTimeToLive(), 500);
		});
		check("one operation for many records", () -> {
			Key[] keys = new Key[3000];
			for (int i = 0; i < keys.length; i++) keys[i] = key("many" + i);
			BatchResults written = client.operate(null, null, keys, Operation.put(new Bin("i", 1)), ListOperation.append("l", Value.get(1)), Operation.get("i"));
			equal(written.status, true);
			equal(written.records[2999].record.bins, map("i", list(null, 1), "l", 1));
			equal(Arrays.stream(client.get(null, keys)).filter(each -> each.getLong("i") == 1).count(), 3000L);
			BatchDeletePolicy policy = new BatchDeletePolicy();
			policy.generationPolicy = GenerationPolicy.EXPECT_GEN_EQUAL;
			policy.generation = 2;
			equal(client.delete(null, policy, keys).status, false);
			policy.generation = 1;
			equal(client.delete(null, policy, keys).status, true);
			equal(client.delete(null, null, keys).records[0].resultCode, ResultCode.KEY_NOT_FOUND_ERROR);
		});
		check("batches that stop at an error", () -> {
			put("stop", one);
			BatchPolicy policy = new BatchPolicy(client.batchParentPolicyWriteDefault);
			policy.respondAllKeys = false;
			policy.allowInlineSSD = true;
			List<BatchRecord> rows = new ArrayList<>();
			for (int i = 0; i < 20; i++) rows.add(new BatchWrite(key("stop"), Operation.array(ListOperation.append(BIN, Value.get(1)))));
			try {
				client.operate(policy, rows);
			} catch (AerospikeException e) {
				equal(e.getResultCode(), ResultCode.BIN_TYPE_ERROR);
			}
			equal(rows.stream().anyMatch(row -> row.resultCode == ResultCode.BIN_TYPE_ERROR), true);
		});
		check("what writes of other clusters look like", () -> client.put(with(policy -> policy.xdr = true), key("xdr"), one));
		check("too big, unknown namespace", () -> {
			refused(ResultCode.RECORD_TOO_BIG, () -> put("big", new Bin(BIN, new byte[3 << 20])));
			refused(ResultCode.RECORD_TOO_BIG, () -> client.operate(null, key("big"), ListOperation.append("l", Value.get(new byte[3 << 20]))));
			equal(client.exists(null, key("big")), false);
			try {
				client.put(null, new Key("nowhere", SET, 1), one);
				throw new AssertionError("no error");
			} catch (AerospikeException e) { // the client itself finds no partitions of it
			}
		});
		check("truncate", () -> {
			Key key = new Key("test", SET + "t", 1);
			client.put(null, key, one);
			client.truncate(null, "test", SET + "t", null);
			for (int i = 0; i < 100 && client.exists(null, key); i++) Thread.sleep(50);
			equal(client.exists(null, key), false);
		});

		Map<String, Consumer<ClientPolicy>> clients = new LinkedHashMap<>();
		clients.put("compression", policy -> {
			for (Policy each : List.of(policy.readPolicyDefault, policy.writePolicyDefault, policy.batchPolicyDefault, policy.batchParentPolicyWriteDefault)) each.compress = true;
		});
		clients.put("racks", policy -> {
			policy.rackAware = true;
			policy.rackIds = List.of(0, 1);
			for (Policy each : List.of(policy.readPolicyDefault, policy.writePolicyDefault, policy.batchPolicyDefault)) each.replica = Replica.PREFER_RACK;
		});
		clients.put("replicas at random", policy -> policy.readPolicyDefault.replica = Replica.RANDOM);
		clients.put("linearized reads", policy -> policy.readPolicyDefault.readModeSC = ReadModeSC.LINEARIZE);
		clients.put("reads of all replicas", policy -> policy.readPolicyDefault.readModeAP = ReadModeAP.ALL);
		clients.put("one node", policy -> policy.forceSingleNode = true);
		clients.put("connections", policy -> {
			policy.minConnsPerNode = 5;
			policy.maxConnsPerNode = 10;
			policy.connPoolsPerNode = 2;
			policy.maxSocketIdle = 1;
			policy.tendInterval = 250;
		});
		clients.put("threads", policy -> policy.batchPolicyDefault.maxConcurrentThreads = 0);
		clients.put("set names in batches", policy -> policy.batchPolicyDefault.sendSetName = true);
		clients.put("short timeouts", policy -> policy.writePolicyDefault.setTimeouts(2000, 10_000));
		clients.put("a name", policy -> policy.appId = "smoke");
		clients.forEach((name, change) -> check("commands with " + name, () -> {
			ClientPolicy policy = patient();
			change.accept(policy);
			try (AerospikeClient other = new AerospikeClient(policy, host)) {
				String text = "x".repeat(5000);
				Key key = key("policy");
				other.put(null, key, new Bin("s", text), new Bin("l", list(1)));
				equal(other.get(null, key).bins, map("s", text, "l", list(1)));
				equal(other.operate(null, key, ListOperation.append("l", Value.get(2)), Operation.get("s")).bins, map("l", 2, "s", text));
				equal(other.get(null, new Key[] {key, key, key})[2].bins, map("s", text, "l", list(1, 2)));
				equal(other.delete(null, key), true);
			}
		}));
		check("info", () -> {
			var answers = Info.request(null, client.getNodes()[0], "build", "features", "edition", "namespaces", "statistics", "namespace/test", "partition-generation", "sets");
			for (var answer : answers.entrySet())
				if (answer.getValue() == null || answer.getValue().startsWith("ERROR")) throw new AssertionError(answer);
			equal(client.getCluster().getNodes().length, 1);
			equal(client.getClusterStats().nodes.length, 1);
		});
		end();
	}
}
