import static com.aerospike.client.exp.Exp.*;

import com.aerospike.client.BatchDelete;
import com.aerospike.client.BatchRead;
import com.aerospike.client.BatchRecord;
import com.aerospike.client.BatchWrite;
import com.aerospike.client.Bin;
import com.aerospike.client.Key;
import com.aerospike.client.Operation;
import com.aerospike.client.Record;
import com.aerospike.client.ResultCode;
import com.aerospike.client.Value;
import com.aerospike.client.cdt.CTX;
import com.aerospike.client.cdt.ListOrder;
import com.aerospike.client.cdt.ListPolicy;
import com.aerospike.client.cdt.ListReturnType;
import com.aerospike.client.cdt.ListSortFlags;
import com.aerospike.client.cdt.ListWriteFlags;
import com.aerospike.client.cdt.MapOperation;
import com.aerospike.client.cdt.MapOrder;
import com.aerospike.client.cdt.MapPolicy;
import com.aerospike.client.cdt.MapReturnType;
import com.aerospike.client.command.ParticleType;
import com.aerospike.client.exp.BitExp;
import com.aerospike.client.exp.Exp;
import com.aerospike.client.exp.ExpOperation;
import com.aerospike.client.exp.ExpReadFlags;
import com.aerospike.client.exp.ExpWriteFlags;
import com.aerospike.client.exp.Expression;
import com.aerospike.client.exp.HLLExp;
import com.aerospike.client.exp.ListExp;
import com.aerospike.client.exp.MapExp;
import com.aerospike.client.operation.BitOverflowAction;
import com.aerospike.client.operation.BitPolicy;
import com.aerospike.client.operation.HLLOperation;
import com.aerospike.client.operation.HLLPolicy;
import com.aerospike.client.policy.BatchDeletePolicy;
import com.aerospike.client.policy.BatchPolicy;
import com.aerospike.client.policy.BatchReadPolicy;
import com.aerospike.client.policy.BatchWritePolicy;
import com.aerospike.client.policy.Policy;
import com.aerospike.client.policy.WritePolicy;
import com.aerospike.client.query.RegexFlag;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Filters and expression operations with the official Java client. Usage: Expressions HOST PORT. */
class Expressions extends Harness {
	static final String POINT = "{\"type\":\"Point\",\"coordinates\":[-122.0,37.5]}", CIRCLE = "{\"type\":\"AeroCircle\",\"coordinates\":[[-122.0,37.5],1000]}";
	static final int VALUE = ListReturnType.VALUE, COUNT = ListReturnType.COUNT, INVERTED = ListReturnType.INVERTED;
	static final int FILTERED = ResultCode.FILTERED_OUT, OUTSIDE = ResultCode.OP_NOT_APPLICABLE;
	static final Exp I = intBin("i"), NEG = intBin("neg"), D = floatBin("d"), S = stringBin("s"), Y = blobBin("y"), L = listBin("l"), M = mapBin("m");
	static final Map<String, Exp> TRUE = new LinkedHashMap<>(), UNKNOWN = new LinkedHashMap<>();

	/** Each is true of the record. */
	static void isTrue(String name, Exp... all) { TRUE.put(name, all.length == 1 ? all[0] : and(all)); }

	static {
		isTrue("integers", eq(I, val(7)), ne(I, val(8)), gt(I, val(6)), ge(I, val(7)), lt(NEG, val(-7)), le(NEG, val(-8)));
		isTrue("doubles", eq(D, val(2.5)), lt(D, val(2.6)));
		isTrue("strings", eq(S, val("Hello World")), lt(S, val("Hello World!")));
		isTrue("bytes", eq(Y, val(bytes(0x0f, 0xf0, 1))), gt(Y, val(bytes(0x0f))));
		isTrue("booleans", boolBin("yes"), eq(boolBin("yes"), val(true)));
		isTrue("lists", eq(L, val(list(3, 1, 2, 3))), lt(L, val(list(3, 2))));
		isTrue("sorted maps", eq(mapBin("sorted"), val(new TreeMap<>(map("a", 1, "b", 2)))));
		isTrue("or with a missing bin", or(eq(intBin("missing"), val(1)), eq(I, val(7))));
		isTrue("not, exclusive", not(eq(I, val(8))), exclusive(eq(I, val(7)), eq(I, val(8))));
		isTrue("regex", regexCompare("^hel+o w(or|ar)ld$", RegexFlag.ICASE | RegexFlag.EXTENDED, S), regexCompare("o W", RegexFlag.NONE, S), not(regexCompare("x", RegexFlag.NONE, S)));
		isTrue("geo", geoCompare(geoBin("geo"), geo(CIRCLE)), geoCompare(geo(CIRCLE), geoBin("geo")));
		isTrue("bins", binExists("i"), not(binExists("missing")), eq(binType("m"), val(ParticleType.MAP)), eq(binType("missing"), val(0)));
		isTrue("key", keyExists(), eq(Exp.key(Type.STRING), val("all")));
		isTrue("metadata", eq(setName(), val(SET)), gt(ttl(), val(900)), le(ttl(), val(1000)), gt(voidTime(), lastUpdate()), lt(sinceUpdate(), val(600_000)), not(isTombstone()),
			lt(digestModulo(3), val(3)), gt(recordSize(), val(100)), ge(add(memorySize(), deviceSize()), val(0)));
		isTrue("arithmetic", eq(add(I, NEG, val(1)), val(0)), eq(sub(I, val(2)), val(5)), eq(mul(D, val(2.0)), val(5.0)), eq(div(I, val(2)), val(3)), eq(pow(val(2.0), val(10.0)), val(1024.0)),
			gt(log(val(100.0), val(10.0)), val(1.99)), eq(mod(I, val(4)), val(3)), eq(abs(NEG), val(8)), eq(floor(D), val(2.0)), eq(ceil(D), val(3.0)), eq(toInt(D), val(2)), eq(toFloat(I), val(7.0)),
			eq(min(I, val(3)), val(3)), eq(max(I, val(9)), val(9)));
		isTrue("bits of integers", eq(intAnd(I, val(5)), val(5)), eq(intOr(I, val(8)), val(15)), eq(intXor(I, val(1)), val(6)), eq(intNot(I), val(-8)), eq(lshift(I, val(1)), val(14)),
			eq(rshift(NEG, val(62)), val(3)), eq(arshift(NEG, val(1)), val(-4)), eq(count(I), val(3)), eq(lscan(I, val(true)), val(61)), eq(rscan(NEG, val(true)), val(60)));
		isTrue("cond", eq(cond(gt(I, val(10)), val("big"), gt(I, val(5)), val("middle"), val("small")), val("middle")), cond(eq(I, val(7)), val(true), unknown()));
		isTrue("let", let(def("x", I), def("y", add(var("x"), val(1))), eq(add(var("x"), var("y")), val(15))));
		isTrue("list reads", eq(ListExp.size(L), val(4)), eq(ListExp.getByValue(COUNT, val(3), L), val(2)), eq(ListExp.getByValueRange(COUNT, val(2), val(4), L), val(3)),
			eq(ListExp.getByValueRange(COUNT, val(2), inf(), L), val(3)), eq(ListExp.getByValueList(COUNT, val(list(1, 2)), L), val(2)), eq(ListExp.getByIndex(VALUE, Type.INT, val(-2), L), val(2)),
			eq(ListExp.getByIndexRange(VALUE, val(1), val(2), L), val(list(1, 2))), eq(ListExp.getByIndexRange(VALUE, val(2), L), val(list(2, 3))), eq(ListExp.getByRank(VALUE, Type.INT, val(0), L), val(1)),
			eq(ListExp.getByRankRange(COUNT, val(1), L), val(3)), eq(ListExp.getByValueRelativeRankRange(COUNT, val(2), val(1), L), val(2)), eq(ListExp.getByValue(COUNT | INVERTED, val(3), L), val(2)));
		isTrue("list reads, by what the record holds", eq(ListExp.getByValue(COUNT, ListExp.getByIndex(VALUE, Type.INT, val(0), L), L), val(2)), eq(ListExp.getByValueList(COUNT, listBin("some"), L), val(2)));
		isTrue("list reads by wildcard", eq(ListExp.getByValue(ListReturnType.INDEX, val(list(2, Value.WILDCARD)), listBin("pairs")), val(list(1))));
		isTrue("list contexts", eq(ListExp.getByIndex(VALUE, Type.STRING, val(1), listBin("pairs"), CTX.listIndex(1)), val("b")), eq(ListExp.size(listBin("pairs"), CTX.listRank(-1)), val(2)));
		isTrue("modified lists", eq(ListExp.sort(ListSortFlags.DROP_DUPLICATES, L), val(list(1, 2, 3))), eq(ListExp.append(ListPolicy.Default, I, L), val(list(3, 1, 2, 3, 7))),
			eq(ListExp.appendItems(ListPolicy.Default, listBin("some"), L), val(list(3, 1, 2, 3, 1, 2))), eq(ListExp.insert(ListPolicy.Default, val(0), val(9), L), val(list(9, 3, 1, 2, 3))),
			eq(ListExp.set(ListPolicy.Default, val(0), val(9), L), val(list(9, 1, 2, 3))), eq(ListExp.increment(ListPolicy.Default, val(0), val(2), L), val(list(5, 1, 2, 3))), eq(ListExp.clear(L), val(list())),
			eq(ListExp.removeByValue(ListReturnType.NONE, val(3), L), val(list(1, 2))), eq(ListExp.removeByIndex(val(0), L), val(list(1, 2, 3))), eq(ListExp.removeByRank(val(0), L), val(list(3, 2, 3))),
			eq(ListExp.removeByValueList(INVERTED, val(list(1)), L), val(list(1))), eq(ListExp.removeByValueRange(ListReturnType.NONE, val(2), null, L), val(list(1))),
			eq(ListExp.removeByIndexRange(ListReturnType.NONE, val(1), L), val(list(3))), eq(ListExp.size(ListExp.append(ListPolicy.Default, val(1), ListExp.clear(L))), val(1)));
		isTrue("map reads", eq(MapExp.size(M), val(3)), eq(MapExp.getByKey(MapReturnType.VALUE, Type.INT, val("b"), M), val(2)), eq(MapExp.getByKeyList(MapReturnType.VALUE, val(list("c", "a")), M), val(list(1, 3))),
			eq(MapExp.getByKeyRange(MapReturnType.KEY, val("b"), val("d"), M), val(list("b", "c"))), eq(MapExp.getByKeyRange(MapReturnType.COUNT, null, val("b"), M), val(1)),
			eq(MapExp.getByValue(MapReturnType.KEY, val(3), M), val(list("c"))), eq(MapExp.getByValueRange(MapReturnType.COUNT, val(2), inf(), M), val(2)), eq(MapExp.getByValueList(MapReturnType.COUNT, val(list(1, 3)), M), val(2)),
			eq(MapExp.getByRank(MapReturnType.KEY, Type.STRING, val(-1), M), val("c")), eq(MapExp.getByIndexRange(MapReturnType.VALUE, val(1), M), val(list(2, 3))), eq(MapExp.getByRankRange(MapReturnType.COUNT, val(1), val(1), M), val(1)),
			eq(MapExp.getByKeyRelativeIndexRange(MapReturnType.KEY, val("b"), val(0), M), val(list("b", "c"))), eq(MapExp.getByValueRelativeRankRange(MapReturnType.KEY, val(2), val(-1), val(2), M), val(list("a", "b"))),
			MapExp.getByKey(MapReturnType.EXISTS, Type.BOOL, val("a"), M), eq(MapExp.getByKeyRange(MapReturnType.ORDERED_MAP, val("a"), val("c"), M), val(new TreeMap<>(map("a", 1, "b", 2)))));
		isTrue("map contexts", eq(MapExp.getByKey(MapReturnType.VALUE, Type.INT, val("n"), mapBin("deep"), CTX.mapKey(Value.get("x")), CTX.listIndex(1)), val(2)));
		isTrue("modified maps", eq(MapExp.getByKey(MapReturnType.VALUE, Type.INT, val("z"), MapExp.put(MapPolicy.Default, val("z"), I, M)), val(7)),
			eq(MapExp.size(MapExp.putItems(MapPolicy.Default, val(map("y", 1, "a", 9)), M)), val(4)), eq(MapExp.getByKey(MapReturnType.VALUE, Type.INT, val("a"), MapExp.increment(MapPolicy.Default, val("a"), val(5), M)), val(6)),
			eq(MapExp.size(MapExp.removeByKey(val("a"), M)), val(2)), eq(MapExp.size(MapExp.removeByKeyList(MapReturnType.NONE, val(list("a", "b")), M)), val(1)),
			eq(MapExp.size(MapExp.removeByValueRange(MapReturnType.NONE, val(2), null, M)), val(1)), eq(MapExp.size(MapExp.removeByIndexRange(MapReturnType.INVERTED, val(0), val(1), M)), val(1)),
			eq(MapExp.size(MapExp.removeByRank(val(0), M)), val(2)), eq(MapExp.size(MapExp.clear(M)), val(0)),
			eq(MapExp.putItems(new MapPolicy(MapOrder.KEY_ORDERED, 0), val(map("q", 1)), MapExp.clear(mapBin("sorted"))), val(new TreeMap<>(map("q", 1)))));
		isTrue("bits of blobs", eq(BitExp.count(val(0), val(24), Y), val(9)), eq(BitExp.getInt(val(4), val(8), false, Y), val(255)), eq(BitExp.lscan(val(0), val(24), val(true), Y), val(4)),
			eq(BitExp.rscan(val(0), val(24), val(true), Y), val(23)), eq(BitExp.get(val(0), val(8), Y), val(bytes(0x0f))));
		BitPolicy bit = BitPolicy.Default;
		isTrue("modified blobs", eq(BitExp.resize(bit, val(1), 0, Y), val(bytes(0x0f))), eq(BitExp.insert(bit, val(1), val(bytes(9)), Y), val(bytes(0x0f, 9, 0xf0, 1))), eq(BitExp.remove(bit, val(0), val(2), Y), val(bytes(1))),
			eq(BitExp.set(bit, val(0), val(8), val(bytes(0xff)), Y), val(bytes(0xff, 0xf0, 1))), eq(BitExp.or(bit, val(0), val(8), val(bytes(0xf0)), Y), val(bytes(0xff, 0xf0, 1))),
			eq(BitExp.xor(bit, val(0), val(8), val(bytes(0xff)), Y), val(bytes(0xf0, 0xf0, 1))), eq(BitExp.and(bit, val(0), val(8), val(bytes(1)), Y), val(bytes(1, 0xf0, 1))), eq(BitExp.not(bit, val(16), val(8), Y), val(bytes(0x0f, 0xf0, 0xfe))),
			eq(BitExp.lshift(bit, val(0), val(16), val(4), Y), val(bytes(0xff, 0, 1))), eq(BitExp.rshift(bit, val(0), val(8), val(4), Y), val(bytes(0, 0xf0, 1))),
			eq(BitExp.add(bit, val(16), val(8), val(1), false, BitOverflowAction.FAIL, Y), val(bytes(0x0f, 0xf0, 2))), eq(BitExp.subtract(bit, val(16), val(8), val(1), false, BitOverflowAction.FAIL, Y), val(bytes(0x0f, 0xf0, 0))),
			eq(BitExp.setInt(bit, val(0), val(8), I, Y), val(bytes(7, 0xf0, 1))));
		HLLPolicy hll = HLLPolicy.Default;
		Exp h = hllBin("h"), g = hllBin("g");
		isTrue("sketches", eq(HLLExp.getCount(h), val(3)), eq(HLLExp.describe(h), val(list(10, 0))), eq(HLLExp.mayContain(val(list("a", "c")), h), val(1)), eq(HLLExp.mayContain(val(list("z")), h), val(0)),
			eq(HLLExp.getUnionCount(g, h), val(4)), eq(HLLExp.getIntersectCount(g, h), val(1)), gt(HLLExp.getSimilarity(g, h), val(0.2)), eq(HLLExp.getCount(HLLExp.getUnion(g, h)), val(4)));
		isTrue("modified sketches", eq(HLLExp.getCount(HLLExp.add(hll, val(list("x", "a")), h)), val(4)), eq(HLLExp.getCount(HLLExp.add(hll, listBin("some"), h)), val(5)),
			eq(HLLExp.describe(HLLExp.init(hll, val(12), h)), val(list(12, 0))));

		UNKNOWN.put("missing bin", eq(intBin("missing"), val(1)));
		UNKNOWN.put("bin of another type", eq(stringBin("i"), val("7")));
		UNKNOWN.put("index out of bounds", eq(ListExp.getByIndex(VALUE, Type.INT, val(9), L), val(1)));
		UNKNOWN.put("result of another type", eq(ListExp.getByIndex(VALUE, Type.STRING, val(0), L), val("3")));
		UNKNOWN.put("division by zero", eq(div(I, val(0)), val(1)));
		UNKNOWN.put("unsorted map", eq(M, val(map("b", 2))));
		UNKNOWN.put("unknown", unknown());
	}

	static Policy filter(Exp exp) {
		Policy policy = new Policy(client.readPolicyDefault);
		policy.filterExp = Exp.build(exp);
		policy.failOnFilteredOut = true;
		return policy;
	}

	static WritePolicy writeFilter(Exp exp) {
		WritePolicy policy = writePolicy();
		policy.filterExp = Exp.build(exp);
		policy.failOnFilteredOut = true;
		return policy;
	}

	static Key record(String name) {
		WritePolicy policy = writePolicy();
		policy.expiration = 1000;
		policy.sendKey = true;
		Key key = key(name);
		client.put(policy, key, new Bin("i", 7), new Bin("neg", -8), new Bin("d", 2.5), new Bin("s", "Hello World"), new Bin("y", bytes(0x0f, 0xf0, 1)), new Bin("yes", true),
			new Bin("geo", Value.getAsGeoJSON(POINT)), new Bin("l", list(3, 1, 2, 3)), new Bin("some", list(1, 2)), new Bin("pairs", list(list(1, "a"), list(2, "b"))),
			new Bin("m", map("c", 3, "a", 1, "b", 2)), new Bin("sorted", new TreeMap<>(map("b", 2, "a", 1))), new Bin("deep", map("x", list(map("n", 1), map("n", 2)))));
		client.operate(policy, key, HLLOperation.init(HLLPolicy.Default, "h", 10), HLLOperation.init(HLLPolicy.Default, "g", 10), HLLOperation.add(HLLPolicy.Default, "h", values("a", "b", "c")),
			HLLOperation.add(HLLPolicy.Default, "g", values("c", "d")));
		return key;
	}

	static Operation read(Exp exp) { return ExpOperation.read(BIN, Exp.build(exp), ExpReadFlags.DEFAULT); }

	public static void main(String[] args) {
		connect(args);
		Key all = record("all");
		TRUE.forEach((name, exp) -> check("filters: " + name, () -> {
			if (exp != null && client.get(filter(exp), all) == null) throw new AssertionError("no record");
			refused(FILTERED, () -> client.get(filter(not(exp)), all));
			equal(answer("all", read(exp)), true);
			equal(Exp.build(expr(Expression.fromBase64(Exp.build(exp).getBase64()))).getBase64(), Exp.build(exp).getBase64());
		}));
		UNKNOWN.forEach((name, exp) -> check("unknown: " + name, () -> {
			refused(FILTERED, () -> client.get(filter(exp), all));
			refused(FILTERED, () -> client.get(filter(not(exp)), all));
			refused(OUTSIDE, () -> answer("all", read(exp)));
			equal(answer("all", ExpOperation.read(BIN, Exp.build(exp), ExpReadFlags.EVAL_NO_FAIL)), null);
		}));
		check("a filtered record is null when that is asked for", () -> {
			Policy policy = filter(eq(I, val(8)));
			policy.failOnFilteredOut = false;
			equal(client.get(policy, all), null);
		});
		check("every command takes a filter", () -> {
			Key key = record("f");
			Map<String, java.util.function.Function<WritePolicy, Check>> commands = new LinkedHashMap<>();
			commands.put("get", policy -> () -> client.get(policy, key));
			commands.put("get header", policy -> () -> client.getHeader(policy, key));
			commands.put("exists", policy -> () -> client.exists(policy, key));
			commands.put("touch", policy -> () -> client.touch(policy, key));
			commands.put("add", policy -> () -> client.add(policy, key, new Bin("n", 1)));
			commands.put("append", policy -> () -> client.append(policy, key, new Bin("s", "x")));
			commands.put("put", policy -> () -> client.put(policy, key, new Bin("n", 1)));
			commands.put("operate", policy -> () -> client.operate(policy, key, Operation.put(new Bin("n", 2)), Operation.get("n")));
			commands.put("operate, reads", policy -> () -> client.operate(policy, key, Operation.get("n")));
			commands.put("delete", policy -> () -> client.delete(policy, key));
			for (var command : commands.entrySet()) {
				int generation = client.get(null, key).generation;
				refused(FILTERED, command.getValue().apply(writeFilter(eq(I, val(8)))));
				equal(client.get(null, key).generation, generation);
				command.getValue().apply(writeFilter(eq(I, val(7)))).run();
			}
			equal(client.exists(null, key), false);
		});
		check("bad filters are refused", () -> {
			for (Exp bad : List.of(I, eq(I, val("7")), regexCompare("(", RegexFlag.EXTENDED, S), eq(var("none"), val(1)), geoCompare(geoBin("geo"), geo("{\"type\":\"Nowhere\"}"))))
				refused(ResultCode.PARAMETER_ERROR, () -> client.get(filter(bad), all));
		});
		check("filters of batches", () -> {
			Key[] keys = new Key[8];
			for (int i = 0; i < keys.length; i++) put("batch" + i, new Bin("i", keys.length - 1 - i));
			for (int i = 0; i < keys.length; i++) keys[i] = key("batch" + i);
			BatchPolicy policy = new BatchPolicy(client.batchPolicyDefault);
			policy.filterExp = Exp.build(lt(I, val(3)));
			var records = client.get(policy, keys);
			for (int i = 0; i < keys.length; i++) equal(records[i] != null, i >= 5);
			equal(client.exists(policy, keys)[7], true);
			equal(client.getHeader(policy, keys)[0], null);
			BatchPolicy parent = new BatchPolicy(client.batchParentPolicyWriteDefault);
			parent.filterExp = policy.filterExp;
			var written = client.operate(parent, null, keys, Operation.put(new Bin("w", 1)));
			for (int i = 0; i < keys.length; i++) equal(written.records[i].resultCode, i >= 5 ? 0 : FILTERED);
			BatchReadPolicy own = new BatchReadPolicy();
			own.filterExp = Exp.build(eq(I, val(7)));
			BatchWritePolicy never = new BatchWritePolicy();
			never.filterExp = Exp.build(eq(I, val(100)));
			BatchDeletePolicy one = new BatchDeletePolicy();
			one.filterExp = Exp.build(eq(I, val(1)));
			List<BatchRecord> rows = List.of(new BatchRead(own, keys[0], true), new BatchRead(keys[1], true), new BatchWrite(never, keys[7], Operation.array(Operation.put(new Bin("n", 1)))),
				new BatchWrite(keys[7], Operation.array(Operation.put(new Bin("n", 1)))), new BatchDelete(one, keys[6]), new BatchDelete(one, keys[5]));
			client.operate(policy, rows);
			equal(rows.stream().map(row -> row.resultCode).toList(), list(0, FILTERED, FILTERED, 0, 0, FILTERED));
		});
		Map<String, Object[]> results = new LinkedHashMap<>();
		results.put("integer", new Object[] {add(I, val(1)), 8});
		results.put("double", new Object[] {mul(D, val(2.0)), 5.0});
		results.put("string", new Object[] {cond(boolBin("yes"), val("yes"), val("no")), "yes"});
		results.put("boolean", new Object[] {boolBin("yes"), true});
		results.put("bytes", new Object[] {BitExp.get(val(0), val(8), Y), bytes(0x0f)});
		results.put("list", new Object[] {ListExp.getByIndexRange(VALUE, val(1), val(2), L), list(1, 2)});
		results.put("map", new Object[] {MapExp.removeByKey(val("a"), M), map("b", 2, "c", 3)});
		results.put("literal list", new Object[] {val(list(1, "a", list(2))), list(1, "a", list(2))});
		results.put("literal map", new Object[] {val(map("z", 1, "a", map("y", 1, "b", 2))), map("z", 1, "a", map("y", 1, "b", 2))});
		results.put("geo", new Object[] {geoBin("geo"), Value.getAsGeoJSON(POINT)});
		results.put("sketch", new Object[] {HLLExp.getUnion(hllBin("h"), hllBin("h")), null});
		results.forEach((name, pair) -> check("expressions: " + name, () -> {
			Exp exp = (Exp) pair[0];
			Object got = answer("all", read(exp));
			if (pair[1] != null) equal(got, pair[1]);
			client.operate(null, all, ExpOperation.write("w", Exp.build(exp), ExpWriteFlags.DEFAULT));
			equal(client.get(null, all).getValue("w"), got);
		}));
		check("literal maps whose keys come in any order are maps to operations", () -> {
			Map<Object, Object> shuffled = map("z", 1, "m", map("y", 2, "b", 3), "a", 0);
			Record got = client.operate(null, all, ExpOperation.write("w", Exp.build(val(shuffled)), ExpWriteFlags.DEFAULT), MapOperation.getByKey("w", Value.get("z"), MapReturnType.INDEX),
				MapOperation.getByKey("w", Value.get("b"), MapReturnType.VALUE, CTX.mapKey(Value.get("m"))), MapOperation.put(MapPolicy.Default, "w", Value.get("a"), Value.get(5)));
			equal(got.getValue("w"), list(null, 2, 3, 3));
			equal(client.get(null, all).getValue("w"), map("z", 1, "m", map("y", 2, "b", 3), "a", 5));
			equal(answer("all", read(MapExp.getByKey(MapReturnType.VALUE, Type.INT, val("a"), val(shuffled)))), 0);
		});
		check("flags of expression writes", () -> {
			record("w");
			Exp plus = add(I, val(1)), missing = intBin("missing");
			interface Write { Object to(String bin, Exp exp, int flags); }
			Write write = (bin, exp, flags) -> {
				client.operate(null, key("w"), ExpOperation.write(bin, Exp.build(exp), flags));
				return get("w").getValue(bin);
			};
			refused(ResultCode.BIN_EXISTS_ERROR, () -> write.to("i", plus, ExpWriteFlags.CREATE_ONLY));
			equal(write.to("i", plus, ExpWriteFlags.CREATE_ONLY | ExpWriteFlags.POLICY_NO_FAIL), 7);
			refused(ResultCode.BIN_NOT_FOUND, () -> write.to("u", plus, ExpWriteFlags.UPDATE_ONLY));
			equal(write.to("u", plus, ExpWriteFlags.UPDATE_ONLY | ExpWriteFlags.POLICY_NO_FAIL), null);
			equal(write.to("c", plus, ExpWriteFlags.CREATE_ONLY), 8);
			refused(OUTSIDE, () -> write.to("c", missing, ExpWriteFlags.DEFAULT));
			equal(write.to("c", missing, ExpWriteFlags.EVAL_NO_FAIL), 8);
			refused(OUTSIDE, () -> write.to("c", nil(), ExpWriteFlags.DEFAULT));
			equal(write.to("c", nil(), ExpWriteFlags.ALLOW_DELETE), null);
		});
		check("expressions and operations in one command", () -> {
			record("o");
			var got = client.operate(null, key("o"), Operation.put(new Bin("i", 10)), ExpOperation.write("j", Exp.build(mul(I, val(2))), 0), ExpOperation.read("k", Exp.build(add(intBin("j"), val(1))), 0), Operation.get("j"));
			equal(got.bins, map("i", null, "j", list(null, 20), "k", 21));
			client.operate(null, key("new"), ExpOperation.write("made", Exp.build(val(5)), 0));
			equal(get("new").bins, map("made", 5));
			client.operate(null, key("new"), ExpOperation.write("l", Exp.build(ListExp.append(new ListPolicy(ListOrder.ORDERED, ListWriteFlags.DEFAULT), val(5), nil())), 0));
			equal(get("new").getValue("l"), list(5));
		});
		end();
	}
}
