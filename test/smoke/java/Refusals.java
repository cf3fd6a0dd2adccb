import com.aerospike.client.BatchRecord;
import com.aerospike.client.BatchWrite;
import com.aerospike.client.Bin;
import com.aerospike.client.Key;
import com.aerospike.client.Operation;
import com.aerospike.client.Record;
import com.aerospike.client.ResultCode;
import com.aerospike.client.Value;
import com.aerospike.client.cdt.CTX;
import com.aerospike.client.cdt.ListOperation;
import com.aerospike.client.cdt.ListOrder;
import com.aerospike.client.cdt.ListPolicy;
import com.aerospike.client.cdt.ListReturnType;
import com.aerospike.client.cdt.ListWriteFlags;
import com.aerospike.client.cdt.MapOperation;
import com.aerospike.client.cdt.MapOrder;
import com.aerospike.client.cdt.MapPolicy;
import com.aerospike.client.cdt.MapReturnType;
import com.aerospike.client.cdt.MapWriteFlags;
import com.aerospike.client.exp.Exp;
import com.aerospike.client.exp.ExpOperation;
import com.aerospike.client.exp.ExpWriteFlags;
import com.aerospike.client.operation.BitOperation;
import com.aerospike.client.operation.BitOverflowAction;
import com.aerospike.client.operation.BitPolicy;
import com.aerospike.client.operation.BitWriteFlags;
import com.aerospike.client.operation.HLLOperation;
import com.aerospike.client.operation.HLLPolicy;
import com.aerospike.client.operation.HLLWriteFlags;
import com.aerospike.client.policy.GenerationPolicy;
import com.aerospike.client.policy.RecordExistsAction;
import com.aerospike.client.policy.WritePolicy;
import java.util.ArrayList;
import java.util.Calendar;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What is refused, and with which code: as the last of several operations in one command, of which none may have done anything, and
 * as a row of a batch, whose other rows go on. Usage: Refusals HOST PORT.
 */
class Refusals extends Harness {
	static final int PARAMETER = ResultCode.PARAMETER_ERROR, TYPE = ResultCode.BIN_TYPE_ERROR, OUTSIDE = ResultCode.OP_NOT_APPLICABLE, SERVER = ResultCode.SERVER_ERROR;
	static final MapPolicy PLAIN = MapPolicy.Default;
	static final BitPolicy BITS = BitPolicy.Default;
	static final HLLPolicy HLL = HLLPolicy.Default;
	static final Map<String, Operation> OPERATIONS = new LinkedHashMap<>();
	static final Map<String, Integer> CODES = new LinkedHashMap<>();

	static Value v(Object value) { return Value.get(value); }

	static void operation(int code, String name, Operation op) {
		OPERATIONS.put(name, op);
		CODES.put(name, code);
	}

	static {
		operation(TYPE, "append to an integer", Operation.append(new Bin("i", "x")));
		operation(TYPE, "add a double to an integer", Operation.add(new Bin("i", 1.5)));
		operation(TYPE, "add to a string", Operation.add(new Bin("s", 1)));
		operation(TYPE, "append bytes to a string", Operation.append(new Bin("s", bytes(1))));
		operation(TYPE, "append to a list", Operation.append(new Bin("l", "x")));
		operation(SERVER, "append to a point", Operation.append(new Bin("g", "x")));
		operation(ResultCode.BIN_NAME_TOO_LONG, "bin name of 16", Operation.put(new Bin("x".repeat(16), 1)));
		operation(ResultCode.RECORD_TOO_BIG, "too big", Operation.put(new Bin("y", new byte[2 << 20])));
		operation(160, "no point", Operation.put(new Bin("g", Value.getAsGeoJSON("{\"type\":\"Point\"}"))));
		operation(SERVER, "a sorted map that is not in order", Operation.put(new Bin("m", map("b", 1, "a", 2), MapOrder.KEY_ORDERED)));
		operation(SERVER, "doubles for keys", Operation.put(new Bin("m", map(1.5, 1))));
		operation(SERVER, "a list for a key, nested", Operation.put(new Bin("m", list(map(list(1), 1)))));
		operation(SERVER, "no keys", Operation.put(new Bin("m", new TreeMap<>(Comparator.nullsFirst(Comparator.<String>naturalOrder())) {{ put(null, 1); }})));
		operation(TYPE, "list operation on a map", ListOperation.size("m"));
		operation(TYPE, "list operation on a string", ListOperation.append("s", v(1)));
		operation(OUTSIDE, "list index", ListOperation.get("l", 9));
		operation(OUTSIDE, "list rank", ListOperation.getByRank("l", 9, ListReturnType.VALUE));
		operation(OUTSIDE, "list return type", ListOperation.getByIndex("l", 0, MapReturnType.KEY));
		operation(OUTSIDE, "list inverted", ListOperation.getByIndex("l", 0, ListReturnType.VALUE | ListReturnType.INVERTED));
		operation(OUTSIDE, "list insert, bounded", ListOperation.insert(new ListPolicy(ListOrder.UNORDERED, ListWriteFlags.INSERT_BOUNDED), "l", 9, v(1)));
		operation(ResultCode.ELEMENT_EXISTS, "list, there already", ListOperation.append(new ListPolicy(ListOrder.UNORDERED, ListWriteFlags.ADD_UNIQUE), "l", v(1)));
		operation(PARAMETER, "list increment of a string", ListOperation.increment("l", 1, v(1)));
		operation(PARAMETER, "list, doubles for keys", ListOperation.append("l", v(map(1.5, 1))));
		operation(PARAMETER, "list, a sentinel to be stored", ListOperation.append("l", Value.INFINITY));
		operation(TYPE, "list sort of a missing bin", ListOperation.sort("none", 0));
		operation(OUTSIDE, "context, key of a list", ListOperation.size("l", CTX.mapKey(v("a"))));
		operation(OUTSIDE, "context, missing key", ListOperation.append("m", v(1), CTX.mapKey(v("none")), CTX.listIndex(0)));
		operation(PARAMETER, "context in a string", ListOperation.size("s", CTX.listIndex(0)));
		operation(TYPE, "context to another kind", MapOperation.size("m", CTX.mapKey(v("l"))));
		operation(TYPE, "map operation on a list", MapOperation.put(PLAIN, "l", v(1), v(1)));
		operation(ResultCode.ELEMENT_EXISTS, "map, create only", MapOperation.put(new MapPolicy(MapOrder.UNORDERED, MapWriteFlags.CREATE_ONLY), "m", v("a"), v(1)));
		operation(ResultCode.ELEMENT_NOT_FOUND, "map, update only", MapOperation.put(new MapPolicy(MapOrder.UNORDERED, MapWriteFlags.UPDATE_ONLY), "m", v("z"), v(1)));
		operation(PARAMETER, "map, boolean key", MapOperation.put(PLAIN, "m", v(true), v(1)));
		operation(PARAMETER, "map increment of a list", MapOperation.increment(PLAIN, "m", v("l"), v(1)));
		operation(OUTSIDE, "map index", MapOperation.getByIndex("m", 9, MapReturnType.KEY));
		operation(OUTSIDE, "map, rank of a list of keys", MapOperation.getByKeyList("m", values("a"), MapReturnType.RANK));
		operation(TYPE, "bits of a string", BitOperation.count("s", 0, 8));
		operation(OUTSIDE, "bits past the end", BitOperation.get("y", 20, 8));
		operation(PARAMETER, "bytes removed past the end", BitOperation.remove(BITS, "y", 2, 4));
		operation(OUTSIDE, "bits overflow", BitOperation.add(BITS, "y", 0, 8, 255, false, BitOverflowAction.FAIL));
		operation(ResultCode.BIN_EXISTS_ERROR, "bits, create only", BitOperation.resize(new BitPolicy(BitWriteFlags.CREATE_ONLY), "y", 4, 0));
		operation(ResultCode.BIN_NOT_FOUND, "bits of a missing bin", BitOperation.not(BITS, "none", 0, 8));
		operation(TYPE, "sketch of a string", HLLOperation.getCount("s"));
		operation(ResultCode.BIN_EXISTS_ERROR, "sketch, create only", HLLOperation.init(new HLLPolicy(HLLWriteFlags.CREATE_ONLY), "h", 8));
		operation(ResultCode.BIN_NOT_FOUND, "sketch, refreshed, of a missing bin", HLLOperation.refreshCount("none"));
		operation(OUTSIDE, "sketch folded up", HLLOperation.fold("h", 12));
		operation(PARAMETER, "sketch of 3 bits", HLLOperation.init(HLL, "h", 3));
		operation(OUTSIDE, "sketch without bits", HLLOperation.add(HLL, "none", values("a")));
		operation(OUTSIDE, "expression of a missing bin", ExpOperation.write("x", Exp.build(Exp.intBin("none")), ExpWriteFlags.DEFAULT));
		operation(ResultCode.BIN_EXISTS_ERROR, "expression, create only", ExpOperation.write("i", Exp.build(Exp.val(1)), ExpWriteFlags.CREATE_ONLY));
		operation(ResultCode.BIN_NOT_FOUND, "expression, update only", ExpOperation.write("none", Exp.build(Exp.val(1)), ExpWriteFlags.UPDATE_ONLY));
		operation(PARAMETER, "expression of two types", ExpOperation.write("x", Exp.build(Exp.add(Exp.val(1), Exp.val(1.5))), ExpWriteFlags.DEFAULT));
	}

	static Key record(String name) {
		Key key = key(name);
		client.put(null, key, new Bin("i", 1), new Bin("s", "text"), new Bin("l", list(1, "two")), new Bin("m", map("a", 1, "l", list(1))), new Bin("y", bytes(1, 2, 3)),
			new Bin("g", Value.getAsGeoJSON("{\"type\":\"Point\",\"coordinates\":[1,2]}")));
		client.operate(null, key, HLLOperation.init(HLL, "h", 8));
		return key;
	}

	interface Change { void of(WritePolicy policy); }

	static WritePolicy with(Change change) {
		WritePolicy policy = writePolicy();
		change.of(policy);
		return policy;
	}

	public static void main(String[] args) {
		connect(args);
		OPERATIONS.forEach((name, op) -> check("refused: " + name, () -> {
			Key key = record("refused " + name);
			Record before = client.get(null, key);
			refused(CODES.get(name), () -> client.operate(null, key, op));
			refused(CODES.get(name), () -> client.operate(null, key, Operation.put(new Bin("i", 7)), ListOperation.append("l", v(7)), Operation.put(new Bin("new", 7)), op));
			Record after = client.get(null, key);
			equal(after.bins, before.bins);
			equal(after.generation, before.generation);
		}));
		check("refused: rows of one batch", () -> {
			List<BatchRecord> rows = new ArrayList<>();
			for (String name : OPERATIONS.keySet()) {
				Key key = record("row " + name);
				rows.add(new BatchWrite(key, Operation.array(Operation.put(new Bin("i", 7)), OPERATIONS.get(name))));
				rows.add(new BatchWrite(record("fine " + name), Operation.array(Operation.put(new Bin("i", 7)))));
			}
			equal(client.operate(null, rows), false);
			int row = 0;
			for (String name : OPERATIONS.keySet()) {
				BatchRecord bad = rows.get(row++), good = rows.get(row++);
				if (bad.resultCode != CODES.get(name) || bad.inDoubt || bad.record != null) throw new AssertionError(name + ": got " + bad.resultCode + ", want " + CODES.get(name));
				equal(good.resultCode, 0);
				equal(client.get(null, bad.key).getLong("i"), 1L);
				equal(client.get(null, good.key).getLong("i"), 7L);
			}
		});

		Key there = record("commands"), none = key("no such record");
		Bin one = new Bin("i", 1);
		Map<String, Integer> codes = new LinkedHashMap<>();
		Map<String, Check> commands = new LinkedHashMap<>();
		class Table {
			void row(int code, String name, Check command) {
				codes.put(name, code);
				commands.put(name, command);
			}
		}
		Table t = new Table();
		t.row(PARAMETER, "a put of nothing", () -> client.put(null, there));
		t.row(PARAMETER, "no operations", () -> client.operate(with(policy -> policy.respondAllOps = true), there));
		t.row(ResultCode.KEY_NOT_FOUND_ERROR, "nulls for a record that is not there", () -> client.put(null, none, Bin.asNull("a")));
		t.row(ResultCode.KEY_NOT_FOUND_ERROR, "touch", () -> client.touch(null, none));
		t.row(ResultCode.KEY_NOT_FOUND_ERROR, "touch by operation", () -> client.operate(null, none, Operation.touch()));
		t.row(ResultCode.KEY_NOT_FOUND_ERROR, "pop from a record that is not there", () -> client.operate(null, none, ListOperation.pop("l", 0)));
		t.row(ResultCode.KEY_NOT_FOUND_ERROR, "update only", () -> client.operate(with(policy -> policy.recordExistsAction = RecordExistsAction.UPDATE_ONLY), none, ListOperation.append("l", v(1))));
		t.row(ResultCode.KEY_EXISTS_ERROR, "create only", () -> client.operate(with(policy -> policy.recordExistsAction = RecordExistsAction.CREATE_ONLY), there, ListOperation.append("l", v(1))));
		t.row(PARAMETER, "replace with null", () -> client.put(with(policy -> policy.recordExistsAction = RecordExistsAction.REPLACE), there, one, Bin.asNull("s")));
		t.row(PARAMETER, "replace and touch", () -> client.operate(with(policy -> policy.recordExistsAction = RecordExistsAction.REPLACE), there, Operation.put(one), Operation.touch()));
		t.row(PARAMETER, "replace and delete", () -> client.operate(with(policy -> policy.recordExistsAction = RecordExistsAction.REPLACE), there, Operation.delete(), Operation.put(one)));
		t.row(OUTSIDE, "replace by what is replaced", () -> client.operate(with(policy -> policy.recordExistsAction = RecordExistsAction.REPLACE), there, ExpOperation.write("w", Exp.build(Exp.intBin("i")), 0)));
		t.row(ResultCode.GENERATION_ERROR, "generation of an operation", () -> client.operate(with(policy -> {
			policy.generationPolicy = GenerationPolicy.EXPECT_GEN_EQUAL;
			policy.generation = 9;
		}), there, Operation.add(one)));
		t.row(PARAMETER, "all bins beside a list operation", () -> client.operate(null, there, ListOperation.append("l", v(1)), Operation.get()));
		t.row(PARAMETER, "all bins twice", () -> client.operate(null, there, Operation.add(one), Operation.get(), Operation.get()));
		t.row(PARAMETER, "all bins when every operation answers", () -> client.operate(with(policy -> policy.respondAllOps = true), there, MapOperation.put(PLAIN, "m", v(1), v(1)), Operation.get()));
		t.row(PARAMETER, "more than ten years", () -> client.put(with(policy -> policy.expiration = 10 * 365 * 86400 + 1), there, one));
		t.row(PARAMETER, "set name of 64", () -> client.put(null, new Key("test", "s".repeat(64), 1), one));
		t.row(ResultCode.KEY_MISMATCH, "another key of the same digest", () -> client.put(with(policy -> policy.sendKey = true), new Key("test", there.digest, SET, v("other")), one));
		t.row(ResultCode.CLIENT_ERROR, "truncation in the future", () -> {
			Calendar soon = Calendar.getInstance();
			soon.add(Calendar.HOUR, 1);
			client.truncate(null, "test", SET, soon);
		});
		client.put(with(policy -> policy.sendKey = true), there, one);
		Record before = client.get(null, there);
		commands.forEach((name, command) -> check("refused: " + name, () -> {
			refused(codes.get(name), command);
			Record after = client.get(null, there);
			equal(after.bins, before.bins);
			equal(after.generation, before.generation);
			equal(client.exists(null, none), false);
		}));
		end();
	}
}
