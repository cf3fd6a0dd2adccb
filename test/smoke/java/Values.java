import com.aerospike.client.Bin;
import com.aerospike.client.Key;
import com.aerospike.client.Operation;
import com.aerospike.client.Record;
import com.aerospike.client.ResultCode;
import com.aerospike.client.Value;
import com.aerospike.client.cdt.ListOperation;
import com.aerospike.client.command.ParticleType;
import com.aerospike.client.exp.Exp;
import com.aerospike.client.exp.ExpOperation;
import com.aerospike.client.exp.ExpReadFlags;
import com.aerospike.client.operation.HLLOperation;
import com.aerospike.client.operation.HLLPolicy;
import com.aerospike.client.policy.WritePolicy;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

/** Values of every type, as the official Java client writes and reads them. Usage: Values HOST PORT. */
class Values extends Harness {
	enum Colour { RED }

	static Object repeated(int depth, Object inner) { return depth == 0 ? inner : repeated(depth - 1, list(inner)); }

	static List<Object> widths() {
		List<Object> out = new ArrayList<>();
		for (int bits : new int[] {5, 7, 8, 15, 16, 31, 32, 62})
			for (long near = -1; near <= 1; near++) {
				out.add((1L << bits) + near);
				out.add(-(1L << bits) + near);
			}
		out.add(Long.MAX_VALUE);
		out.add(Long.MIN_VALUE);
		return out;
	}

	static Map<Object, Object> numbered(int count) {
		Map<Object, Object> out = new LinkedHashMap<>();
		for (int i = count - 1; i >= 0; i--) out.put(i, i);
		return out;
	}

	public static void main(String[] args) {
		connect(args);
		Map<String, Object> values = new LinkedHashMap<>();
		values.put("zero", 0L);
		values.put("largest long", Long.MAX_VALUE);
		values.put("smallest long", Long.MIN_VALUE);
		values.put("short", (short) -3);
		values.put("byte", (byte) 7);
		values.put("double", Math.PI);
		values.put("infinity", Double.NEGATIVE_INFINITY);
		values.put("empty string", "");
		values.put("text", "naïve ☕ \uD83D\uDE00 \u0000 end");
		values.put("bytes", bytes(0, 1, 127, 128, 255));
		values.put("empty bytes", new byte[0]);
		values.put("true", true);
		values.put("false", false);
		values.put("list", list(1, -1, 1L << 40, "s", 2.5, null, true, bytes(1, 2), list(1, list(2)), map("k", list(1))));
		values.put("map", map("s", "x", 1, 2, -1, 3, "none", null, "yes", false, "d", 1.5, "l", list(map("m", map()))));
		values.put("sorted map", new TreeMap<>(map("b", 1, "a", 2)));
		values.put("longs of every width", widths());
		values.put("strings of every length of header", list("x".repeat(30), "x".repeat(31), "x".repeat(32), "x".repeat(254), "x".repeat(255), "x".repeat(256), "x".repeat(65535), "x".repeat(65536)));
		values.put("bytes of every length of header", list(new byte[30], new byte[31], new byte[32], new byte[255], new byte[256], new byte[65535], new byte[65536]));
		values.put("maps of every length of header", list(numbered(15), numbered(16), numbered(65536)));
		values.put("deep list", repeated(60, 1));
		values.put("point", Value.getAsGeoJSON("{\"type\":\"Point\",\"coordinates\":[-122.0,37.5]}"));
		values.put("circle", Value.getAsGeoJSON("{\"type\":\"AeroCircle\",\"coordinates\":[[-122.0,37.5],1000]}"));
		values.put("point in a list", list(Value.getAsGeoJSON("{\"type\":\"Point\",\"coordinates\":[-122.0,37.5]}")));
		values.forEach((name, value) -> check("values: " + name, () -> {
			put(name, new Bin(BIN, Value.get(value)));
			equal(get(name).getValue(BIN), value);
			put(name, new Bin(BIN, list(value)));
			equal(get(name).getValue(BIN), list(value));
			equal(answer(name, Operation.put(new Bin(BIN, Value.get(value))), Operation.get(BIN)), value);
		}));

		check("not a number comes back", () -> {
			put("nan", new Bin(BIN, Double.NaN));
			equal(Double.isNaN(get("nan").getDouble(BIN)), true);
		});
		check("floats come back as doubles", () -> {
			put("float", new Bin(BIN, 1.5f), new Bin("l", list(1.5f, 2.25f)));
			equal(get("float").bins, map(BIN, 1.5, "l", list(1.5, 2.25)));
			equal(answer("float", ListOperation.append(BIN + "2", Value.get(0.5f)), ListOperation.getByValue("l", Value.get(2.25f), 1)), null);
		});
		check("enums and UUIDs are strings in bins", () -> {
			UUID uuid = UUID.randomUUID();
			put("enum", new Bin(BIN, Value.get(Colour.RED)), new Bin("u", Value.get(uuid)), new Bin("buffer", Value.get(ByteBuffer.wrap(bytes(1, 2)))));
			equal(get("enum").bins, map(BIN, "RED", "u", uuid.toString(), "buffer", bytes(1, 2)));
			// In lists the client sends them without the byte that says what they are.
			put("enum", new Bin(BIN, list(Colour.RED, uuid, 1)));
			equal(get("enum").getList(BIN).get(2), 1);
			equal(answer("enum", ListOperation.size(BIN)), 3);
		});
		check("bytes of other languages keep their type", () -> {
			for (int type : new int[] {ParticleType.JBLOB, 8, 9, 10, 11, 12}) {
				put("language", new Bin("x", Value.get(bytes(1, 2, 3), type)));
				equal(answer("language", ExpOperation.read(BIN, Exp.build(Exp.binType("x")), ExpReadFlags.DEFAULT)), type);
				// The client gives null for types that it does not read, in a list as in a bin.
				put("language", new Bin("x", list(Value.get(bytes(1, 2, 3), type), 1)));
				equal(get("language").getList("x").size(), 2);
			}
		});
		check("null removes a bin", () -> {
			put("null", new Bin("a", 1), new Bin("b", 2));
			put("null", Bin.asNull("a"));
			equal(get("null").bins, map("b", 2));
			put("null", Bin.asNull("b"));
			equal(get("null"), null);
		});
		check("bad GeoJSON is refused", () -> {
			for (String bad : List.of("{\"type\":\"Point\",\"coordinates\":[200,0]}", "{\"type\":\"Dot\"}", "no JSON", "{\"type\":\"LineString\",\"coordinates\":[[0,0],[1,1]]}"))
				refused(160, () -> put("geo", new Bin(BIN, Value.getAsGeoJSON(bad))));
		});
		check("sketches come back", () -> {
			client.operate(null, key("hll"), HLLOperation.add(HLLPolicy.Default, BIN, values("a", "b"), 8));
			Value.HLLValue sketch = get("hll").getHLLValue(BIN);
			put("copy", new Bin(BIN, sketch), new Bin("l", list(sketch)));
			equal(get("copy").bins, map(BIN, sketch, "l", list(sketch.getBytes())));
			equal(answer("copy", HLLOperation.getCount(BIN)), 2);
			refused(ResultCode.PARAMETER_ERROR, () -> put("copy", new Bin(BIN, Value.getAsHLL(bytes(0, 4, 0, 1)))));
		});
		check("types replace each other", () -> {
			for (Object value : values.values()) {
				put("replace", new Bin(BIN, Value.get(value)));
				equal(get("replace").getValue(BIN), value);
			}
		});
		check("add, append, prepend", () -> {
			put("modify", new Bin("s", "b"), new Bin("n", 1), new Bin("d", 1.5), new Bin("y", bytes(2)));
			client.append(null, key("modify"), new Bin("s", "c"), new Bin("new", "x"), new Bin("y", bytes(3)));
			client.prepend(null, key("modify"), new Bin("s", "a"), new Bin("y", bytes(1)));
			client.add(null, key("modify"), new Bin("n", -5), new Bin("d", 0.25), new Bin("m", 5));
			equal(get("modify").bins, map("s", "abc", "n", -4, "d", 1.75, "y", bytes(1, 2, 3), "new", "x", "m", 5));
			refused(ResultCode.BIN_TYPE_ERROR, () -> client.append(null, key("modify"), new Bin("n", "x")));
			refused(ResultCode.BIN_TYPE_ERROR, () -> client.add(null, key("modify"), new Bin("n", 1.5)));
			refused(ResultCode.BIN_TYPE_ERROR, () -> client.append(null, key("modify"), new Bin("y", "x")));
		});
		check("bin names", () -> {
			put("name", new Bin("x".repeat(15), 1), new Bin("", 2), new Bin("ключ", 3));
			equal(get("name").bins, map("x".repeat(15), 1, "", 2, "ключ", 3));
			refused(ResultCode.BIN_NAME_TOO_LONG, () -> put("name", new Bin("x".repeat(16), 1)));
		});
		check("many bins", () -> {
			Bin[] bins = new Bin[2000];
			for (int i = 0; i < bins.length; i++) bins[i] = new Bin("bin" + i, i);
			put("many", bins);
			equal(get("many").bins.size(), 2000);
			equal(get("many", "bin7", "bin1999").bins, map("bin7", 7, "bin1999", 1999));
		});
		check("keys of every type", () -> {
			WritePolicy send = writePolicy();
			send.sendKey = true;
			for (Object userKey : new Object[] {1, 1L << 40, Long.MIN_VALUE, "", "x".repeat(1000), "ключ", bytes(0, 1), new byte[300]}) {
				Key key = key(userKey);
				client.put(send, key, new Bin(BIN, 1));
				equal(client.get(send, key).bins, map(BIN, 1));
				equal(client.get(null, new Key("test", key.digest, SET, null)).bins, map(BIN, 1));
				equal(client.delete(send, key), true);
			}
		});
		check("records without a set", () -> {
			Key key = new Key("test", (String) null, SET);
			client.put(null, key, new Bin(BIN, 1));
			equal(client.get(null, key).bins, map(BIN, 1));
			client.delete(null, key);
		});
		end();
	}
}
