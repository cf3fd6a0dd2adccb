import com.aerospike.client.AerospikeClient;
import com.aerospike.client.AerospikeException;
import com.aerospike.client.Bin;
import com.aerospike.client.Host;
import com.aerospike.client.Key;
import com.aerospike.client.Operation;
import com.aerospike.client.Record;
import com.aerospike.client.Value;
import com.aerospike.client.policy.ClientPolicy;
import com.aerospike.client.policy.WritePolicy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the programs here share: a connected client, checks that report one by one, tables of operations. */
class Harness {
	static final String SET = "java" + System.nanoTime();
	/** The bin that the tables' operations work on. */
	static final String BIN = "b";
	/** In a row: the bin is afterwards what it was before. */
	static final Object SAME = new Object();
	static AerospikeClient client;
	static Host host;
	static int failed = 0;

	interface Check { void run() throws Exception; }

	static void connect(String[] args) {
		host = new Host(args[0], Integer.parseInt(args[1]));
		client = new AerospikeClient(patient(), host);
		System.out.println("ok connect");
	}

	/** Time enough for a server that has only just started, on a machine with much else to do. */
	static ClientPolicy patient() {
		ClientPolicy policy = new ClientPolicy();
		for (var each : List.of(policy.readPolicyDefault, policy.writePolicyDefault, policy.batchPolicyDefault, policy.batchParentPolicyWriteDefault))
			each.setTimeouts(20_000, 20_000);
		return policy;
	}

	static void check(String name, Check check) {
		try {
			check.run();
			System.out.println("ok " + name);
		} catch (Throwable reason) { // one check that fails must not hide the others
			failed++;
			System.out.println("FAIL " + name + ": " + reason);
		}
	}

	static void end() {
		client.close();
		System.exit(failed > 0 ? 1 : 0);
	}

	/** A row of a table: the bin before (null: no such bin), what is done to it, what it answers, the bin afterwards. */
	record Row(String name, Object before, Operation[] ops, Object want, Object after) {}

	/** The code of the error that is to come. */
	record Refused(int code) {}

	static Row row(String name, Object before, Operation op, Object want) { return row(name, before, op, want, SAME); }

	/** With one operation `want` is its answer, with several all their answers. */
	static Row row(String name, Object before, Operation op, Object want, Object after) {
		return new Row(name, before, new Operation[] {op}, want, after);
	}

	static Row row(String name, Object before, Operation[] ops, Object want, Object after) { return new Row(name, before, ops, want, after); }

	static Row row(String name, Object before, Operation[] ops, Refused want) { return row(name, before, ops, want, SAME); }

	static void table(String theme, Row... rows) {
		for (Row row : rows) check(theme + ": " + row.name, () -> apply(key(theme + row.name), row));
	}

	static void apply(Key key, Row row) throws Exception {
		// The second bin keeps the record in being when the first is not there, and shows that no other bin is touched.
		Bin other = new Bin("other", 1);
		client.put(null, key, row.before == null ? new Bin[] {other} : new Bin[] {new Bin(BIN, Value.get(row.before)), other});
		if (row.want instanceof Refused refusal) refused(refusal.code, () -> client.operate(null, key, row.ops));
		else {
			Record got = client.operate(null, key, row.ops);
			Object answer = got.bins == null ? null : got.getValue(BIN);
			equal(answer, row.want);
		}
		Record after = client.get(null, key);
		equal(after.getValue(BIN), row.after == SAME ? row.before : row.after);
		equal(after.getLong("other"), 1L);
	}

	static void equal(Object got, Object want) {
		Object a = plain(got), b = plain(want);
		if (a == null ? b != null : !a.equals(b)) throw new AssertionError("got " + a + ", want " + b);
	}

	/** A value in a form that is equal when the value is: whole numbers are longs, bytes are hex digits. */
	static Object plain(Object value) {
		if (value instanceof Integer || value instanceof Short || value instanceof Byte) return ((Number) value).longValue();
		if (value instanceof byte[] bytes) return "bytes " + HexFormat.of().formatHex(bytes);
		if (value instanceof boolean[] flags) return Arrays.toString(flags);
		if (value instanceof Value.HLLValue hll) return "sketch " + HexFormat.of().formatHex(hll.getBytes());
		if (value instanceof Value other && !(value instanceof Value.GeoJSONValue)) return plain(other.getObject());
		if (value instanceof Map.Entry<?, ?> entry) return "pair " + plain(entry.getKey()) + "=" + plain(entry.getValue());
		if (value instanceof List<?> list) {
			List<Object> out = new ArrayList<>();
			for (Object each : list) out.add(plain(each));
			return out;
		}
		if (value instanceof Map<?, ?> map) {
			Map<Object, Object> out = new HashMap<>();
			map.forEach((k, v) -> out.put(plain(k), plain(v)));
			return out;
		}
		return value;
	}

	static void refused(int code, Check check) throws Exception {
		try {
			check.run();
		} catch (AerospikeException e) {
			equal(e.getResultCode(), code);
			return;
		}
		throw new AssertionError("no error, want code " + code);
	}

	static Refused refused(int code) { return new Refused(code); }

	static Key key(Object name) {
		return new Key("test", SET, Value.get(name));
	}

	static void put(Object name, Bin... bins) { client.put(null, key(name), bins); }

	static Record get(Object name, String... bins) {
		return bins.length == 0 ? client.get(null, key(name)) : client.get(null, key(name), bins);
	}

	/** What operations answer in one bin. */
	static Object answer(Object name, Operation... ops) {
		Record record = client.operate(null, key(name), ops);
		return record.bins == null ? null : record.getValue(BIN);
	}

	static WritePolicy writePolicy() { return new WritePolicy(client.writePolicyDefault); }

	static Operation[] ops(Operation... ops) { return ops; }

	static List<Object> list(Object... values) { return Arrays.asList(values); }

	static List<Value> values(Object... values) { return Arrays.stream(values).map(Value::get).toList(); }

	static Map<Object, Object> map(Object... pairs) {
		Map<Object, Object> out = new LinkedHashMap<>();
		for (int i = 0; i < pairs.length; i += 2) out.put(pairs[i], pairs[i + 1]);
		return out;
	}

	static Map.Entry<Object, Object> pair(Object key, Object value) { return Map.entry(key, value); }

	static byte[] bytes(int... bytes) {
		byte[] out = new byte[bytes.length];
		for (int i = 0; i < bytes.length; i++) out[i] = (byte) bytes[i];
		return out;
	}
}
