import static com.aerospike.client.cdt.ListReturnType.*;

import com.aerospike.client.Operation;
import com.aerospike.client.ResultCode;
import com.aerospike.client.Value;
import com.aerospike.client.cdt.CTX;
import com.aerospike.client.cdt.ListOperation;
import com.aerospike.client.cdt.ListOrder;
import com.aerospike.client.cdt.ListPolicy;
import com.aerospike.client.cdt.ListReturnType;
import com.aerospike.client.cdt.ListSortFlags;
import com.aerospike.client.cdt.ListWriteFlags;
import com.aerospike.client.cdt.MapOperation;
import com.aerospike.client.cdt.MapOrder;
import java.util.List;
import java.util.stream.IntStream;

/** Every list operation with the official Java client. Usage: Lists HOST PORT. */
class Lists extends Harness {
	static final int DESCENDING = 1; // which the client has no name for
	static final List<Object> SIX = list(0, 4, 5, 9, 11, 15), FIVE = list(4, 3, 1, 5, 2);
	static final List<Object> MIXED = list(1, "a", null, true, 1.5, bytes(1), list(1), map("k", 1));
	static final ListPolicy ORDERED = new ListPolicy(ListOrder.ORDERED, ListWriteFlags.DEFAULT);
	static final ListPolicy UNIQUE = policy(ListWriteFlags.ADD_UNIQUE);
	static final ListPolicy NO_FAIL = policy(ListWriteFlags.ADD_UNIQUE | ListWriteFlags.NO_FAIL);
	static final ListPolicy PARTIAL = policy(ListWriteFlags.ADD_UNIQUE | ListWriteFlags.NO_FAIL | ListWriteFlags.PARTIAL);
	static final ListPolicy BOUNDED = policy(ListWriteFlags.INSERT_BOUNDED);
	static final int INCOMPATIBLE = ResultCode.BIN_TYPE_ERROR, OUTSIDE = ResultCode.OP_NOT_APPLICABLE, EXISTS_ALREADY = ResultCode.ELEMENT_EXISTS;

	static ListPolicy policy(int flags) { return new ListPolicy(ListOrder.UNORDERED, flags); }

	static Value v(Object value) { return Value.get(value); }

	/** The same read with each return type, on the list 4, 3, 1, 5, 2. */
	interface Read { Operation with(int returnType); }

	static void read(String name, Object before, Read read, Object index, Object reverse, Object rank, Object count, Object value) {
		table("list reads of every return type", row(name, before,
			ops(read.with(INDEX), read.with(REVERSE_INDEX), read.with(RANK), read.with(COUNT), read.with(VALUE), read.with(EXISTS)),
			list(index, reverse, rank, count, value, !Long.valueOf(0).equals(plain(count))), SAME));
	}

	public static void main(String[] args) {
		connect(args);
		table("list writes",
			row("append", list(1), ListOperation.append(BIN, v(2)), 2, list(1, 2)),
			row("append creates", null, ListOperation.append(BIN, v("x")), 1, list("x")),
			row("append of every type", list(), MIXED.stream().map(each -> ListOperation.append(BIN, v(each))).toArray(Operation[]::new),
				list(1, 2, 3, 4, 5, 6, 7, 8), MIXED),
			row("append to an ordered list", null, ops(ListOperation.append(ORDERED, BIN, v(3)), ListOperation.append(ORDERED, BIN, v(1))), list(1, 2), list(1, 3)),
			row("append of what is there", list(1), ListOperation.append(UNIQUE, BIN, v(1)), refused(EXISTS_ALREADY)),
			row("append of what is there, no fail", list(1), ListOperation.append(NO_FAIL, BIN, v(1)), 1),
			row("append to an integer", 7, ListOperation.append(BIN, v(1)), refused(INCOMPATIBLE)),
			row("append items", list(1), ListOperation.appendItems(BIN, values(2, "x", list(3))), 4, list(1, 2, "x", list(3))),
			row("append items, partial", list(1), ListOperation.appendItems(PARTIAL, BIN, values(2, 1)), 2, list(1, 2)),
			row("append items twice in the argument", list(1), ListOperation.appendItems(PARTIAL, BIN, values(2, 2)), 2, list(1, 2)),
			row("append of maps with keys in any order", null, ops(ListOperation.append(ORDERED, BIN, v(map("m", 1, "z", 1))), ListOperation.append(ORDERED, BIN, v(map("z", 0, "a", 9))),
				ListOperation.get(BIN, 0)), list(1, 2, map("a", 9, "z", 0)), list(map("a", 9, "z", 0), map("m", 1, "z", 1))),
			row("reads by a map with keys in any order", list(map("a", 1, "b", 2), 7), ops(ListOperation.getByValue(BIN, v(map("b", 2, "a", 1)), INDEX), ListOperation.getByValueList(BIN, values(map("b", 2, "a", 1), 9), COUNT),
				ListOperation.size(BIN), ListOperation.getByValue(BIN, v(map("b", 2, "a", Value.WILDCARD)), COUNT)), list(list(0), 1, 2, 1), SAME),
			row("append of a map that is there", list(map("a", 1, "b", 2)), ListOperation.append(UNIQUE, BIN, v(map("b", 2, "a", 1))), refused(EXISTS_ALREADY)),
			row("insert", list(1, 2), ListOperation.insert(BIN, 1, v(9)), 3, list(1, 9, 2)),
			row("insert pads", list(1), ListOperation.insert(BIN, 3, v(9)), 4, list(1, null, null, 9)),
			row("insert bounded", list(1), ListOperation.insert(BOUNDED, BIN, 3, v(9)), refused(OUTSIDE)),
			row("insert items", list(1, 2), ListOperation.insertItems(BIN, -1, values(8, 9)), 4, list(1, 8, 9, 2)),
			row("increment by one", list(1, 2), ListOperation.increment(BIN, 1), 3, list(1, 3)),
			row("increment", list(1, 2), ListOperation.increment(BIN, 1, v(5)), 7, list(1, 7)),
			row("increment of a double", list(1.5), ListOperation.increment(BIN, 0, v(1.25)), 2.75, list(2.75)),
			row("increment of an ordered list", null, ops(ListOperation.appendItems(ORDERED, BIN, values(1, 2)), ListOperation.increment(BIN, 0, v(5))), list(2, 6), list(2, 6)),
			row("pop", list(1, 2, 3), ListOperation.pop(BIN, 1), 2, list(1, 3)),
			row("pop range", list(1, 2, 3, 4), ListOperation.popRange(BIN, 1, 2), list(2, 3), list(1, 4)),
			row("pop range to the end", list(1, 2, 3, 4), ListOperation.popRange(BIN, 1), list(2, 3, 4), list(1)),
			row("remove", list(1, 2), ListOperation.remove(BIN, -1), 1, list(1)),
			row("remove range", list(1, 2, 3), ListOperation.removeRange(BIN, 0, 2), 2, list(3)),
			row("remove range to the end", list(1, 2, 3), ListOperation.removeRange(BIN, 1), 2, list(1)),
			row("set", list(1, 2), ListOperation.set(BIN, 1, v("x")), null, list(1, "x")),
			row("set beyond the end", list(1), ListOperation.set(BIN, 2, v("x")), null, list(1, null, "x")),
			row("trim", FIVE, ListOperation.trim(BIN, 1, 3), 2, list(3, 1, 5)),
			row("clear", FIVE, ListOperation.clear(BIN), null, list()),
			row("sort", FIVE, ListOperation.sort(BIN, ListSortFlags.DEFAULT), null, list(1, 2, 3, 4, 5)),
			row("sort, descending", FIVE, ListOperation.sort(BIN, DESCENDING), null, list(5, 4, 3, 2, 1)),
			row("sort, drop duplicates", list(2, 1, 2), ListOperation.sort(BIN, ListSortFlags.DROP_DUPLICATES), null, list(1, 2)),
			row("set order", FIVE, ListOperation.setOrder(BIN, ListOrder.ORDERED), null, list(1, 2, 3, 4, 5)),
			row("set order, persisted", FIVE, ListOperation.setOrder(BIN, ListOrder.ORDERED, true), null, list(1, 2, 3, 4, 5)),
			row("create", null, ops(ListOperation.create(BIN, ListOrder.ORDERED, false), ListOperation.append(BIN, v(2)), ListOperation.append(BIN, v(1))), list(1, 2), list(1, 2)),
			row("create, persisted", null, ListOperation.create(BIN, ListOrder.ORDERED, false, true), null, list()),
			row("set in an ordered list", null, ops(ListOperation.append(ORDERED, BIN, v(3)), ListOperation.set(BIN, 0, v(1))), refused(OUTSIDE)));

		read("by index", FIVE, type -> ListOperation.getByIndex(BIN, 2, type), 2, 2, 0, 1, 1);
		read("by index range", FIVE, type -> ListOperation.getByIndexRange(BIN, 1, 2, type), list(1, 2), list(2, 3), list(2, 0), 2, list(3, 1));
		read("by rank", FIVE, type -> ListOperation.getByRank(BIN, -1, type), 3, 1, 4, 1, 5);
		read("by value", list(1, 2, 1), type -> ListOperation.getByValue(BIN, v(1), type), list(0, 2), list(2, 0), list(0, 1), 2, list(1, 1));
		read("by value that is not there", FIVE, type -> ListOperation.getByValue(BIN, v(9), type), list(), list(), list(), 0, list());
		read("by value list", FIVE, type -> ListOperation.getByValueList(BIN, values(5, 4, 7), type), list(0, 3), list(4, 1), list(4, 3), 2, list(4, 5));
		read("by value range", FIVE, type -> ListOperation.getByValueRange(BIN, v(3), v(5), type), list(0, 1), list(4, 3), list(2, 3), 2, list(4, 3));
		table("list reads",
			row("get", FIVE, ListOperation.get(BIN, -2), 5),
			row("get out of bounds", FIVE, ListOperation.get(BIN, 5), refused(OUTSIDE)),
			row("get range", FIVE, ListOperation.getRange(BIN, 1, 2), list(3, 1)),
			row("get range to the end", FIVE, ListOperation.getRange(BIN, 3), list(5, 2)),
			row("size", FIVE, ListOperation.size(BIN), 5),
			row("of a missing bin", null, ListOperation.size(BIN), null),
			row("of a map", map("a", 1), ListOperation.size(BIN), refused(INCOMPATIBLE)),
			row("inverted", SIX, ops(ListOperation.getByIndexRange(BIN, 1, 4, VALUE | INVERTED), ListOperation.getByValue(BIN, v(4), INDEX | INVERTED),
				ListOperation.getByValueList(BIN, values(0, 4, 5), COUNT | INVERTED), ListOperation.getByValueRange(BIN, v(4), v(10), VALUE | INVERTED),
				ListOperation.getByRankRange(BIN, 0, 5, VALUE | INVERTED)), list(list(0, 15), list(0, 2, 3, 4, 5), 3, list(0, 11, 15), list(15)), SAME),
			row("to the end", SIX, ops(ListOperation.getByIndexRange(BIN, 4, VALUE), ListOperation.getByRankRange(BIN, 4, COUNT), ListOperation.getByValueRange(BIN, v(10), null, VALUE),
				ListOperation.getByValueRange(BIN, null, v(4), VALUE), ListOperation.getByValueRange(BIN, v(9), Value.INFINITY, COUNT)), list(list(11, 15), 2, list(11, 15), list(0), 3), SAME),
			row("by wildcard", list(list(1, "a"), list(2, "b"), list(2, "c")),
				ops(ListOperation.getByValue(BIN, v(list(2, Value.WILDCARD)), INDEX), ListOperation.getByValueRange(BIN, v(list(2, Value.getAsNull())), v(list(2, Value.INFINITY)), INDEX)),
				list(list(1, 2), list(1, 2)), SAME),
			row("by relative rank", SIX, ops(ListOperation.setOrder(BIN, ListOrder.ORDERED), ListOperation.getByValueRelativeRankRange(BIN, v(5), 1, VALUE),
				ListOperation.getByValueRelativeRankRange(BIN, v(3), -3, VALUE), ListOperation.getByValueRelativeRankRange(BIN, v(5), -1, 2, VALUE),
				ListOperation.getByValueRelativeRankRange(BIN, v(5), 0, 2, VALUE | INVERTED)), list(list(9, 11, 15), SIX, list(4, 5), list(0, 4, 11, 15)), SAME));

		table("list removals",
			row("by index", FIVE, ListOperation.removeByIndex(BIN, 0, VALUE), 4, list(3, 1, 5, 2)),
			row("by index range", FIVE, ops(ListOperation.removeByIndexRange(BIN, 1, 2, COUNT), ListOperation.removeByIndexRange(BIN, 1, VALUE)), list(2, list(5, 2)), list(4)),
			row("by rank", FIVE, ListOperation.removeByRank(BIN, 0, INDEX), 2, list(4, 3, 5, 2)),
			row("by rank range", FIVE, ops(ListOperation.removeByRankRange(BIN, 0, 2, COUNT), ListOperation.removeByRankRange(BIN, 1, COUNT)), list(2, 2), list(3)),
			row("by value", list(1, 2, 1), ListOperation.removeByValue(BIN, v(1), INDEX), list(0, 2), list(2)),
			row("by value list", FIVE, ListOperation.removeByValueList(BIN, values(1, 2, 3), COUNT), 3, list(4, 5)),
			row("by value list inverted", FIVE, ListOperation.removeByValueList(BIN, values(1, 2, 3), VALUE | INVERTED), list(4, 5), list(3, 1, 2)),
			row("by value range", SIX, ListOperation.removeByValueRange(BIN, v(4), v(10), VALUE), list(4, 5, 9), list(0, 11, 15)),
			row("by relative rank", SIX, ops(ListOperation.removeByValueRelativeRankRange(BIN, v(5), 2, COUNT), ListOperation.removeByValueRelativeRankRange(BIN, v(5), -1, 1, COUNT)),
				list(2, 1), list(0, 5, 9)),
			row("of nothing returned", FIVE, ListOperation.removeByValue(BIN, v(1), ListReturnType.NONE), null, list(4, 3, 5, 2)));

		List<Object> deep = list(list(7, 9, 5), map("a", list(1, 2, 3), "b", map("c", list(4))), list(6, 5, 4, 1));
		table("list contexts",
			row("by index", deep, ListOperation.append(BIN, v(11), CTX.listIndex(-1)), 5, list(deep.get(0), deep.get(1), list(6, 5, 4, 1, 11))),
			row("by rank, value, keys", deep, ops(ListOperation.size(BIN, CTX.listRank(-2)), ListOperation.get(BIN, 1, CTX.listValue(v(list(7, 9, 5)))),
				ListOperation.getByRank(BIN, -1, VALUE, CTX.listIndex(1), CTX.mapKey(v("a"))), ListOperation.size(BIN, CTX.listIndex(1), CTX.mapIndex(1), CTX.mapRank(0)),
				ListOperation.size(BIN, CTX.listIndex(1), CTX.mapValue(v(list(1, 2, 3))))), list(3, 9, 3, 1, 3), SAME),
			row("of a missing key", deep, ListOperation.size(BIN, CTX.listIndex(1), CTX.mapKey(v("x"))), refused(OUTSIDE)),
			row("creating by key", null, ListOperation.append(BIN, v(1), CTX.mapKeyCreate(v("k"), MapOrder.KEY_ORDERED)), 1, map("k", list(1))),
			row("creating by index, padded", list(1), ListOperation.append(BIN, v(5), CTX.listIndexCreate(3, ListOrder.UNORDERED, true)), 1, list(1, null, null, list(5))),
			row("creating by index, not padded", list(1), ListOperation.append(BIN, v(5), CTX.listIndexCreate(3, ListOrder.UNORDERED, false)), refused(OUTSIDE)),
			row("create", map("a", 1), ListOperation.create(BIN, ListOrder.ORDERED, false, CTX.mapKey(v("l"))), null, map("a", 1, "l", list())),
			row("create below created", null, ListOperation.append(ORDERED, BIN, v(1), CTX.mapKeyCreate(v("a"), MapOrder.UNORDERED), CTX.mapKeyCreate(v("b"), MapOrder.KEY_VALUE_ORDERED),
				CTX.listIndexCreate(0, ListOrder.UNORDERED, false)), 1, map("a", map("b", list(list(1))))));

		table("lists in one command",
			row("several answers for a bin", FIVE, ops(ListOperation.sort(BIN, 0), ListOperation.append(BIN, v(9)), ListOperation.pop(BIN, 0), ListOperation.clear(BIN), ListOperation.size(BIN)),
				list(6, 1, 0), list()),
			row("with a map operation all of them answer", FIVE, ops(ListOperation.sort(BIN, 0), ListOperation.size(BIN), MapOperation.size("none")), list(null, 5), list(1, 2, 3, 4, 5)),
			row("large", null, ops(ListOperation.appendItems(BIN, IntStream.range(0, 20_000).mapToObj(Value::get).toList()), ListOperation.getByValue(BIN, v(19_999), INDEX)),
				list(20_000, list(19_999)), IntStream.range(0, 20_000).boxed().toList()));
		end();
	}
}
