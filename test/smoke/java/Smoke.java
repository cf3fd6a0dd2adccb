import com.aerospike.client.BatchDelete;
import com.aerospike.client.BatchRead;
import com.aerospike.client.BatchRecord;
import com.aerospike.client.BatchWrite;
import com.aerospike.client.Bin;
import com.aerospike.client.Info;
import com.aerospike.client.Key;
import com.aerospike.client.Operation;
import com.aerospike.client.Record;
import com.aerospike.client.ResultCode;
import com.aerospike.client.policy.GenerationPolicy;
import com.aerospike.client.policy.RecordExistsAction;
import com.aerospike.client.policy.WritePolicy;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Smoke test with the official Java client. Usage: Smoke HOST PORT (see ../README.md). */
class Smoke extends Harness {
	public static void main(String[] args) {
		connect(args);
		check("reads what was written", () -> {
			put("all", new Bin("int", -7), new Bin("float", 2.5), new Bin("text", "héllo"), new Bin("yes", true),
				new Bin("bytes", new byte[] {0, 1, -1}), new Bin("list", Arrays.asList(1L, "two", Arrays.asList(3.5, null))),
				new Bin("map", Map.of("a", 1L, "b", Map.of("c", List.of(true)))));
			Record r = get("all");
			equal(r.getLong("int"), -7L);
			equal(r.getDouble("float"), 2.5);
			equal(r.getString("text"), "héllo");
			equal(r.getBoolean("yes"), true);
			equal(r.getValue("bytes"), new byte[] {0, 1, -1});
			equal(r.getList("list"), Arrays.asList(1L, "two", Arrays.asList(3.5, null)));
			equal(r.getMap("map"), Map.of("a", 1L, "b", Map.of("c", List.of(true))));
			equal(r.generation, 1);
		});
		check("selects bins", () -> {
			put("select", new Bin("a", 1), new Bin("b", 2), new Bin("c", 3));
			equal(get("select", "a", "c", "none").bins, Map.of("a", 1L, "c", 3L));
			equal(client.getHeader(null, key("select")).generation, 1);
		});
		check("a missing record is not found", () -> {
			equal(get("missing"), null);
			equal(client.delete(null, key("missing")), false);
			equal(client.exists(null, key("missing")), false);
			refused(ResultCode.KEY_NOT_FOUND_ERROR, () -> client.touch(null, key("missing")));
		});
		check("a wrong generation is refused", () -> {
			put("gen", new Bin("a", 1));
			WritePolicy policy = new WritePolicy();
			policy.generationPolicy = GenerationPolicy.EXPECT_GEN_EQUAL;
			policy.generation = 1;
			client.put(policy, key("gen"), new Bin("a", 2));
			refused(ResultCode.GENERATION_ERROR, () -> client.put(policy, key("gen"), new Bin("a", 3)));
			equal(get("gen").getInt("a"), 2);
		});
		check("exists actions", () -> {
			WritePolicy policy = new WritePolicy();
			policy.recordExistsAction = RecordExistsAction.CREATE_ONLY;
			client.put(policy, key("create"), new Bin("a", 1));
			refused(ResultCode.KEY_EXISTS_ERROR, () -> client.put(policy, key("create"), new Bin("a", 2)));
			policy.recordExistsAction = RecordExistsAction.UPDATE_ONLY;
			refused(ResultCode.KEY_NOT_FOUND_ERROR, () -> client.put(policy, key("update"), new Bin("a", 1)));
			policy.recordExistsAction = RecordExistsAction.REPLACE;
			client.put(policy, key("create"), new Bin("b", 2));
			equal(get("create").bins, Map.of("b", 2L));
		});
		check("too big a record is refused", () ->
			refused(ResultCode.RECORD_TOO_BIG, () -> put("big", new Bin("a", new byte[2 << 20]))));
		check("operates in order", () -> {
			put("operate", new Bin("n", 5), new Bin("s", "b"));
			Record r = client.operate(null, key("operate"), Operation.add(new Bin("n", 3)), Operation.append(new Bin("s", "c")),
				Operation.prepend(new Bin("s", "a")), Operation.get("n"), Operation.get("s"));
			equal(r.getLong("n"), 8L);
			equal(r.getString("s"), "abc");
			equal(r.generation, 2);
			refused(ResultCode.BIN_TYPE_ERROR, () -> client.add(null, key("operate"), new Bin("s", 1)));
		});
		check("records expire", () -> {
			WritePolicy policy = new WritePolicy();
			policy.expiration = 1000;
			client.put(policy, key("ttl"), new Bin("a", 1));
			int ttl = get("ttl").getTimeToLive();
			if (ttl < 990 || ttl > 1000) throw new AssertionError("ttl " + ttl);
			policy.expiration = 1;
			client.put(policy, key("short"), new Bin("a", 1));
			Thread.sleep(2100);
			equal(get("short"), null);
		});
		check("reads batches", () -> {
			Key[] keys = new Key[55];
			for (int i = 0; i < keys.length; i++) {
				keys[i] = key("batch" + i);
				if (i < 50) put("batch" + i, new Bin("i", i));
			}
			Record[] got = client.get(null, keys);
			for (int i = 0; i < keys.length; i++) equal(got[i] == null ? null : got[i].getLong("i"), i < 50 ? (Object) (long) i : null);
			boolean[] exists = client.exists(null, Arrays.copyOfRange(keys, 48, 52));
			equal(exists, new boolean[] {true, true, false, false});
		});
		check("writes batches", () -> {
			put("mixed0", new Bin("n", 1));
			List<BatchRecord> rows = List.of(
				new BatchWrite(key("mixed0"), Operation.array(Operation.add(new Bin("n", 1)), Operation.get("n"))),
				new BatchWrite(key("mixed1"), Operation.array(Operation.put(new Bin("n", 10)))),
				new BatchRead(key("batch7"), true), new BatchDelete(key("missing")));
			client.operate(null, rows);
			equal(rows.stream().map(row -> row.resultCode).toList(), List.of(0, 0, 0, ResultCode.KEY_NOT_FOUND_ERROR));
			equal(rows.get(2).record.getLong("i"), 7L);
			equal(get("mixed0").getLong("n"), 2L);
			equal(get("mixed1").getLong("n"), 10L);
			equal(client.delete(null, null, new Key[] {key("mixed0"), key("mixed1")}).status, true);
			equal(get("mixed1"), null);
		});
		check("deletes", () -> {
			put("delete", new Bin("a", 1));
			equal(client.delete(null, key("delete")), true);
			put("delete", new Bin("a", 2));
			equal(get("delete").generation, 1);
		});
		check("info answers", () -> {
			String build = Info.request(null, client.getNodes()[0], "build");
			if (!build.startsWith("8.1.2")) throw new AssertionError(build);
		});
		end();
	}
}
