import static com.aerospike.client.cdt.MapReturnType.*;

import com.aerospike.client.Bin;
import com.aerospike.client.Operation;
import com.aerospike.client.ResultCode;
import com.aerospike.client.Value;
import com.aerospike.client.cdt.CTX;
import com.aerospike.client.cdt.ListOperation;
import com.aerospike.client.cdt.ListOrder;
import com.aerospike.client.cdt.MapOperation;
import com.aerospike.client.cdt.MapOrder;
import com.aerospike.client.cdt.MapPolicy;
import com.aerospike.client.cdt.MapReturnType;
import com.aerospike.client.cdt.MapWriteFlags;
import com.aerospike.client.cdt.MapWriteMode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Every map operation with the official Java client. Usage: Maps HOST PORT. */
class Maps extends Harness {
	static final Map<Object, Object> ABC = map("a", 3, "b", 1, "c", 2), NUMBERS = map(0, 17, 4, 2, 5, 15, 9, 10);
	static final MapPolicy PLAIN = MapPolicy.Default, BY_KEY = new MapPolicy(MapOrder.KEY_ORDERED, 0), BY_VALUE = new MapPolicy(MapOrder.KEY_VALUE_ORDERED, 0);
	static final MapPolicy PERSISTED = new MapPolicy(MapOrder.KEY_VALUE_ORDERED, 0, true);
	static final int EXISTS_ALREADY = ResultCode.ELEMENT_EXISTS, NOT_FOUND = ResultCode.ELEMENT_NOT_FOUND, OUTSIDE = ResultCode.OP_NOT_APPLICABLE;

	static MapPolicy flags(int flags) { return new MapPolicy(MapOrder.UNORDERED, flags); }

	static MapPolicy mode(MapWriteMode mode) { return new MapPolicy(MapOrder.KEY_ORDERED, mode); }

	static Value v(Object value) { return Value.get(value); }

	static Map<Value, Value> items(Object... pairs) {
		Map<Value, Value> out = new LinkedHashMap<>();
		for (int i = 0; i < pairs.length; i += 2) out.put(v(pairs[i]), v(pairs[i + 1]));
		return out;
	}

	interface Read { Operation with(int returnType); }

	/** The same read of a:3, b:1, c:2 with each return type. */
	static void read(String name, Read read, Object index, Object rank, Object key, Object value, List<Object> pairs, Map<Object, Object> map) {
		List<Object> want = new ArrayList<>(list(index, rank, map.size(), key, value, pairs, map, map, !map.isEmpty()));
		List<Operation> reads = new ArrayList<>();
		for (int type : new int[] {INDEX, RANK, COUNT, KEY, VALUE, KEY_VALUE, ORDERED_MAP, UNORDERED_MAP, EXISTS}) reads.add(read.with(type));
		if (rank == null) { // not for lists of keys
			want.remove(1);
			reads.remove(1);
		}
		for (MapPolicy policy : List.of(PLAIN, BY_KEY, BY_VALUE, PERSISTED))
			check("map reads of every return type: " + name + ", order " + policy.attributes, () -> {
				client.delete(null, key("read"));
				client.operate(null, key("read"), MapOperation.putItems(policy, BIN, items("c", 2, "a", 3, "b", 1)));
				equal(answer("read", reads.toArray(Operation[]::new)), want);
			});
	}

	public static void main(String[] args) {
		connect(args);
		table("map writes",
			row("put", map("a", 1), MapOperation.put(PLAIN, BIN, v("b"), v(2)), 2, map("a", 1, "b", 2)),
			row("put creates", null, MapOperation.put(PLAIN, BIN, v(1), v(list(1))), 1, map(1, list(1))),
			row("put, ordered", null, MapOperation.put(BY_KEY, BIN, v("a"), v(1)), 1, map("a", 1)),
			row("put, persisted", null, MapOperation.put(PERSISTED, BIN, v("a"), v(1)), 1, map("a", 1)),
			row("put, update mode", ABC, MapOperation.put(mode(MapWriteMode.UPDATE), BIN, v("a"), v(1)), 3, map("a", 1, "b", 1, "c", 2)),
			row("put, update only mode", ABC, MapOperation.put(mode(MapWriteMode.UPDATE_ONLY), BIN, v("a"), v(1)), 3, map("a", 1, "b", 1, "c", 2)),
			row("put, update only mode, not there", ABC, MapOperation.put(mode(MapWriteMode.UPDATE_ONLY), BIN, v("x"), v(1)), refused(NOT_FOUND)),
			row("put, create only mode", ABC, MapOperation.put(mode(MapWriteMode.CREATE_ONLY), BIN, v("a"), v(1)), refused(EXISTS_ALREADY)),
			row("put, create only mode, not there", ABC, MapOperation.put(mode(MapWriteMode.CREATE_ONLY), BIN, v("x"), v(1)), 4, map("a", 3, "b", 1, "c", 2, "x", 1)),
			row("put, create only", ABC, MapOperation.put(flags(MapWriteFlags.CREATE_ONLY), BIN, v("a"), v(1)), refused(EXISTS_ALREADY)),
			row("put, update only", ABC, MapOperation.put(flags(MapWriteFlags.UPDATE_ONLY), BIN, v("x"), v(1)), refused(NOT_FOUND)),
			row("put, create only, no fail", ABC, MapOperation.put(flags(MapWriteFlags.CREATE_ONLY | MapWriteFlags.NO_FAIL), BIN, v("a"), v(1)), 3),
			row("put to a list", list(1), MapOperation.put(PLAIN, BIN, v("a"), v(1)), refused(ResultCode.BIN_TYPE_ERROR)),
			row("put items", map("a", 1), MapOperation.putItems(PLAIN, BIN, items("c", 3, "b", list(2))), 3, map("a", 1, "b", list(2), "c", 3)),
			row("put items, update only mode", ABC, MapOperation.putItems(mode(MapWriteMode.UPDATE_ONLY), BIN, items("b", 9, "a", 8)), 3, map("a", 8, "b", 9, "c", 2)),
			row("put items, create only mode", ABC, MapOperation.putItems(mode(MapWriteMode.CREATE_ONLY), BIN, items("x", 9, "a", 8)), refused(EXISTS_ALREADY)),
			row("put items, partial", ABC, MapOperation.putItems(flags(MapWriteFlags.CREATE_ONLY | MapWriteFlags.NO_FAIL | MapWriteFlags.PARTIAL), BIN, items("x", 9, "a", 8)), 4,
				map("a", 3, "b", 1, "c", 2, "x", 9)),
			row("increment", ABC, MapOperation.increment(PLAIN, BIN, v("a"), v(4)), 7, map("a", 7, "b", 1, "c", 2)),
			row("increment creates", null, MapOperation.increment(BY_KEY, BIN, v("a"), v(4)), 4, map("a", 4)),
			row("increment by a double", map("a", 1.5), MapOperation.increment(PLAIN, BIN, v("a"), v(0.25)), 1.75, map("a", 1.75)),
			row("decrement", ABC, MapOperation.decrement(PLAIN, BIN, v("a"), v(4)), -1, map("a", -1, "b", 1, "c", 2)),
			row("clear", ABC, MapOperation.clear(BIN), null, map()),
			row("set policy", ABC, MapOperation.setMapPolicy(BY_VALUE, BIN), null),
			row("set policy, persisted", ABC, ops(MapOperation.setMapPolicy(PERSISTED, BIN), MapOperation.getByRank(BIN, 0, KEY)), list(null, "b"), SAME),
			row("create", null, MapOperation.create(BIN, MapOrder.KEY_ORDERED), null, map()),
			row("create, persisted", null, ops(MapOperation.create(BIN, MapOrder.KEY_ORDERED, true), MapOperation.put(PLAIN, BIN, v(1), v(2))), list(null, 1), map(1, 2)));

		read("by key", type -> MapOperation.getByKey(BIN, v("b"), type), 1, 0, "b", 1, list(pair("b", 1)), map("b", 1));
		read("by key range", type -> MapOperation.getByKeyRange(BIN, v("a"), v("c"), type), list(0, 1), list(2, 0), list("a", "b"), list(3, 1), list(pair("a", 3), pair("b", 1)),
			map("a", 3, "b", 1));
		read("by key list", type -> MapOperation.getByKeyList(BIN, values("a", "c"), type), list(0, 2), null, list("a", "c"), list(3, 2), list(pair("a", 3), pair("c", 2)), map("a", 3, "c", 2));
		read("by index", type -> MapOperation.getByIndex(BIN, -1, type), 2, 1, "c", 2, list(pair("c", 2)), map("c", 2));
		read("by index range", type -> MapOperation.getByIndexRange(BIN, 1, 2, type), list(1, 2), list(0, 1), list("b", "c"), list(1, 2), list(pair("b", 1), pair("c", 2)), map("b", 1, "c", 2));
		read("by rank", type -> MapOperation.getByRank(BIN, 0, type), 1, 0, "b", 1, list(pair("b", 1)), map("b", 1));
		read("by rank range", type -> MapOperation.getByRankRange(BIN, 0, 2, type), list(1, 2), list(0, 1), list("b", "c"), list(1, 2), list(pair("b", 1), pair("c", 2)), map("b", 1, "c", 2));
		read("by value", type -> MapOperation.getByValue(BIN, v(2), type), list(2), list(1), list("c"), list(2), list(pair("c", 2)), map("c", 2));
		read("by value that is not there", type -> MapOperation.getByValue(BIN, v(9), type), list(), list(), list(), list(), list(), map());

		table("map reads",
			row("size", ABC, MapOperation.size(BIN), 3),
			row("of a missing bin", null, MapOperation.size(BIN), null),
			row("by a key that is not there", ABC, ops(MapOperation.getByKey(BIN, v("x"), VALUE), MapOperation.getByKey(BIN, v("x"), INDEX), MapOperation.getByKey(BIN, v("x"), COUNT),
				MapOperation.getByKey(BIN, v("x"), EXISTS), MapOperation.getByKey(BIN, v("x"), ORDERED_MAP), MapOperation.getByKey(BIN, v("x"), KEY_VALUE)),
				list(null, -1, 0, false, map(), list()), SAME),
			row("inverted", ABC, ops(MapOperation.getByKeyRange(BIN, v("a"), v("b"), KEY | INVERTED), MapOperation.getByKeyList(BIN, values("a", "x"), KEY | INVERTED),
				MapOperation.getByValue(BIN, v(1), KEY | INVERTED), MapOperation.getByValueRange(BIN, v(1), v(3), KEY | INVERTED), MapOperation.getByValueList(BIN, values(1, 9), COUNT | INVERTED),
				MapOperation.getByIndexRange(BIN, 0, 1, KEY | INVERTED), MapOperation.getByRankRange(BIN, 0, 2, KEY | INVERTED)),
				list(list("b", "c"), list("b", "c"), list("a", "c"), list("a"), 2, list("b", "c"), list("a")), SAME),
			row("to the end", ABC, ops(MapOperation.getByKeyRange(BIN, v("b"), null, KEY), MapOperation.getByKeyRange(BIN, null, v("b"), KEY), MapOperation.getByValueRange(BIN, v(2), null, KEY),
				MapOperation.getByIndexRange(BIN, -2, KEY), MapOperation.getByRankRange(BIN, 1, COUNT), MapOperation.getByKeyRange(BIN, v("b"), Value.INFINITY, KEY)),
				list(list("b", "c"), list("a"), list("a", "c"), list("b", "c"), 2, list("b", "c")), SAME),
			row("by relative index", NUMBERS, ops(MapOperation.getByKeyRelativeIndexRange(BIN, v(5), 0, KEY), MapOperation.getByKeyRelativeIndexRange(BIN, v(5), -1, 1, KEY),
				MapOperation.getByKeyRelativeIndexRange(BIN, v(3), -2, 2, KEY)), list(list(5, 9), list(4), list(0)), SAME),
			row("by relative rank", NUMBERS, ops(MapOperation.getByValueRelativeRankRange(BIN, v(11), 1, KEY_VALUE), MapOperation.getByValueRelativeRankRange(BIN, v(11), -1, 1, KEY_VALUE)),
				list(list(pair(0, 17)), list(pair(9, 10))), SAME),
			row("by a map with keys in any order", map("k", map("a", 1, "b", 2)), ops(MapOperation.getByValue(BIN, v(map("b", 2, "a", 1)), KEY), MapOperation.getByValueRange(BIN, v(map("b", 2, "a", 1)), null, COUNT),
				MapOperation.size(BIN, CTX.mapValue(v(map("b", 2, "a", 1))))), list(list("k"), 1, 2), SAME),
			row("by wildcard", map("a", list(1, 2), "b", list(2, 2)), MapOperation.getByValue(BIN, v(list(1, Value.WILDCARD)), KEY), list("a")));

		table("map removals",
			row("by key", ABC, MapOperation.removeByKey(BIN, v("a"), VALUE), 3, map("b", 1, "c", 2)),
			row("by key list", ABC, MapOperation.removeByKeyList(BIN, values("a", "x", "b"), COUNT), 2, map("c", 2)),
			row("by key range", ABC, MapOperation.removeByKeyRange(BIN, v("a"), v("c"), KEY_VALUE), list(pair("a", 3), pair("b", 1)), map("c", 2)),
			row("by value", ABC, MapOperation.removeByValue(BIN, v(1), KEY), list("b"), map("a", 3, "c", 2)),
			row("by value list", ABC, MapOperation.removeByValueList(BIN, values(1, 3), COUNT), 2, map("c", 2)),
			row("by value range", ABC, MapOperation.removeByValueRange(BIN, v(1), v(3), KEY), list("b", "c"), map("a", 3)),
			row("by index", ABC, MapOperation.removeByIndex(BIN, 0, KEY_VALUE), list(pair("a", 3)), map("b", 1, "c", 2)),
			row("by index range", ABC, ops(MapOperation.removeByIndexRange(BIN, 0, 1, COUNT), MapOperation.removeByIndexRange(BIN, 1, KEY)), list(1, list("c")), map("b", 1)),
			row("by rank", ABC, MapOperation.removeByRank(BIN, -1, KEY), "a", map("b", 1, "c", 2)),
			row("by rank range", ABC, ops(MapOperation.removeByRankRange(BIN, 0, 1, COUNT), MapOperation.removeByRankRange(BIN, 1, KEY)), list(1, list("a")), map("c", 2)),
			row("by relative index", NUMBERS, ops(MapOperation.removeByKeyRelativeIndexRange(BIN, v(5), 1, KEY), MapOperation.removeByKeyRelativeIndexRange(BIN, v(5), -1, 1, KEY)),
				list(list(9), list(4)), map(0, 17, 5, 15)),
			row("by relative rank", NUMBERS, ops(MapOperation.removeByValueRelativeRankRange(BIN, v(11), 1, KEY), MapOperation.removeByValueRelativeRankRange(BIN, v(11), -1, 1, KEY)),
				list(list(0), list(9)), map(4, 2, 5, 15)),
			row("inverted", ABC, MapOperation.removeByKeyList(BIN, values("a"), KEY | INVERTED), list("b", "c"), map("a", 3)),
			row("of nothing returned", ABC, MapOperation.removeByKey(BIN, v("a"), MapReturnType.NONE), null, map("b", 1, "c", 2)));

		Map<Object, Object> nested = map("key1", map("key11", 9, "key12", 4), "key2", map("key21", 3, "key22", 5));
		table("map contexts",
			row("by key", nested, MapOperation.put(PLAIN, BIN, v("key21"), v(11), CTX.mapKey(v("key2"))), 2, map("key1", nested.get("key1"), "key2", map("key21", 11, "key22", 5))),
			row("by index, rank, value", nested, ops(MapOperation.getByRank(BIN, 0, KEY, CTX.mapIndex(1)), MapOperation.getByKey(BIN, v("key22"), VALUE, CTX.mapRank(-1)),
				MapOperation.size(BIN, CTX.mapValue(v(nested.get("key2"))))), list("key21", 5, 2), SAME),
			row("creating", nested, MapOperation.put(BY_KEY, BIN, v("x"), v(1), CTX.mapKeyCreate(v("key3"), MapOrder.KEY_ORDERED)), 1,
				map("key1", nested.get("key1"), "key2", nested.get("key2"), "key3", map("x", 1))),
			row("creating in a list", null, MapOperation.put(PLAIN, BIN, v("x"), v(1), CTX.mapKeyCreate(v("k"), MapOrder.KEY_ORDERED), CTX.listIndexCreate(0, ListOrder.UNORDERED, true)), 1,
				map("k", list(map("x", 1)))),
			row("create", map(), MapOperation.create(BIN, MapOrder.KEY_ORDERED, CTX.mapKey(v("k"))), null, map("k", map())),
			row("set policy", nested, MapOperation.setMapPolicy(BY_KEY, BIN, CTX.mapKey(v("key1"))), null),
			row("clear, then to a list", nested, ops(MapOperation.clear(BIN, CTX.mapKey(v("key1"))), ListOperation.size(BIN, CTX.mapKey(v("key1")))), refused(ResultCode.BIN_TYPE_ERROR)));

		check("sorted maps are kept sorted", () -> {
			Map<Object, Object> sorted = new TreeMap<>(map("c", 2, "a", 3, "b", 1));
			put("sorted", new Bin(BIN, sorted), new Bin("plain", map("c", 1, "a", 2)), new Bin("entries", List.of(pair("a", 1), pair("b", 2)), MapOrder.KEY_ORDERED));
			var record = get("sorted");
			equal(record.getValue(BIN), sorted);
			equal(record.getValue(BIN) instanceof TreeMap, true);
			equal(record.getValue("plain") instanceof TreeMap, false);
			equal(record.getValue("entries"), map("a", 1, "b", 2));
		});
		end();
	}
}
